"""Covering: which candidates would cover which cells, and what that is worth.

All weights are whole numbers, so that sums do not depend on their order and a bound can be rounded
down to the next whole one. Cells that are covered already are in no sum: a share of them in the
objective would let a solver call a plan optimal that misses a twentieth of what can be gained.
"""

from __future__ import annotations

import dataclasses
import functools

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from quart_heure.network.reach import Reach

PARTS_PER_PERSON = 1000
"""Weights count thousandths of a person, or of a hectare: people per cell are fractions."""


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Covering:
    """What there is to gain: candidates, the cells that each covers, and their weight.

    Parameters
    ----------
    pairs
        Row of each candidate: 1 for each cell it covers; shape (c, r).
    weight
        What covering each cell is worth, a whole number above 0; shape (r,).
    group
        Part of the area that holds each cell, 0 … ``n_groups - 1``; shape (r,).
    n_groups
        Number of parts.
    cell
        Position of each of these cells in the grid it was taken from; shape (r,).
    """

    pairs: csr_array
    weight: NDArray[np.int64]
    group: NDArray[np.int64]
    n_groups: int
    cell: NDArray[np.intp]

    @property
    def n_candidates(self) -> int:
        """Number of candidates, those that cover nothing included."""
        return int(self.pairs.shape[0])

    @functools.cached_property
    def total(self) -> int:
        """Weight of all cells, whether a candidate covers them or not."""
        return int(self.weight.sum())

    @functools.cached_property
    def reachable(self) -> int:
        """Weight of the cells that some candidate covers."""
        return int(self.weight[np.unique(self.pairs.indices)].sum())

    @functools.cached_property
    def alone(self) -> NDArray[np.int64]:
        """What each candidate gains by itself; shape (c,)."""
        return self.gains(np.ones(len(self.weight), dtype=bool))

    @functools.cached_property
    def by_cell(self) -> csr_array:
        """Row of each cell: 1 for each candidate that covers it; shape (r, c)."""
        return csr_array(self.pairs.T)

    def part(self, group: int) -> Covering:
        """Return what there is to gain in one part of the area, by the same candidates."""
        here = np.flatnonzero(self.group == group)
        return Covering(
            pairs=csr_array(self.by_cell[here].T),
            weight=self.weight[here],
            group=np.zeros(len(here), dtype=np.int64),
            n_groups=1,
            cell=self.cell[here],
        )

    def cells_of(self, candidate: int) -> NDArray[np.int32]:
        """Return the cells that one candidate covers."""
        begin, end = self.pairs.indptr[candidate : candidate + 2]
        return np.asarray(self.pairs.indices[begin:end])

    def gains(self, left: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Return what each candidate gains of the cells that are left; shape (c,)."""
        gains: NDArray[np.float64] = self.pairs @ (self.weight * left).astype(np.float64)
        return np.rint(gains).astype(np.int64)

    def gains_in(self, cells: NDArray[np.integer]) -> NDArray[np.int64]:
        """Return what each candidate gains of a few cells; shape (c,)."""
        rows = self.by_cell
        begins, ends = rows.indptr[cells].astype(np.int64), rows.indptr[np.asarray(cells) + 1]
        sizes = ends - begins
        at = np.repeat(begins - np.cumsum(sizes) + sizes, sizes) + np.arange(sizes.sum())
        gains = np.bincount(
            rows.indices[at],
            weights=np.repeat(self.weight[cells].astype(np.float64), sizes),
            minlength=self.n_candidates,
        )
        return np.rint(gains).astype(np.int64)

    def count(self, chosen: NDArray[np.intp]) -> NDArray[np.int32]:
        """Return how many of some candidates cover each cell; shape (r,)."""
        count = np.zeros(len(self.weight), dtype=np.int32)
        for candidate in chosen:
            count[self.cells_of(int(candidate))] += 1
        return count

    def value(self, chosen: NDArray[np.intp]) -> int:
        """Return what some candidates gain together."""
        return int(self.weight[self.count(chosen) > 0].sum())

    def by_group(self, chosen: NDArray[np.intp]) -> NDArray[np.int64]:
        """Return what some candidates gain in each part of the area; shape (g,)."""
        covered = self.count(chosen) > 0
        parts = np.bincount(
            self.group[covered], weights=self.weight[covered], minlength=self.n_groups
        )
        return np.rint(parts).astype(np.int64)

    def in_turn(self, chosen: NDArray[np.intp]) -> NDArray[np.int64]:
        """Return what each of some candidates adds to those before it; shape (k,)."""
        left, added = np.ones(len(self.weight), dtype=bool), []
        for candidate in chosen:
            cells = self.cells_of(int(candidate))
            added.append(int(self.weight[cells[left[cells]]].sum()))
            left[cells] = False
        return np.array(added, dtype=np.int64)


def covering_of(
    reach: Reach,
    weight: NDArray[np.float64],
    *,
    wanted: NDArray[np.bool_],
    group: NDArray[np.integer],
) -> Covering:
    """Keep of the reach of candidates what can be gained.

    Parameters
    ----------
    reach
        The cells within the threshold of each candidate.
    weight
        What a cell is worth, such as its residents; shape (n,).
    wanted
        Cells that would gain, such as those that no service covers; shape (n,).
    group
        Part of the area of each cell, such as its district; -1 for none; shape (n,).
    """
    whole = np.rint(np.where(wanted, weight, 0.0) * PARTS_PER_PERSON).astype(np.int64)
    kept = np.flatnonzero(whole > 0)
    row = np.full(len(whole), -1, dtype=np.int32)
    row[kept] = np.arange(len(kept), dtype=np.int32)
    cell = row[reach.place]
    gained = cell >= 0
    ends = np.concatenate([[0], np.cumsum(gained, dtype=np.int64)])
    # Candidates and cells are few enough for half-wide numbers, pairs usually are.
    width = np.int32 if ends[-1] < np.iinfo(np.int32).max else np.int64
    pairs = csr_array(
        (
            np.ones(int(ends[-1]), dtype=np.float64),
            cell[gained].astype(width),
            ends[reach.offsets].astype(width),
        ),
        shape=(reach.n_services, len(kept)),
    )
    part = np.asarray(group, dtype=np.int64)[kept]
    n_groups = int(part.max(initial=-1)) + 1
    if (part < 0).any():
        part = np.where(part < 0, n_groups, part)
        n_groups += 1
    return Covering(
        pairs=pairs,
        weight=whole[kept],
        group=part,
        n_groups=max(n_groups, 1),
        cell=kept,
    )
