"""Cuts: upper bounds on what candidates gain in a part of the area, linear in the candidates.

Whatever is chosen, a cell is covered at most once, and at most as often as candidates cover it. So
for any share *u* between 0 and 1 per cell, what a part gains is at most

    sum of (1 - u) · weight over its cells  +  sum over the chosen of their u · weight there.

With u = 0 where the candidates of a fractional choice cover a cell more than once, and 1 elsewhere,
the bound is exact at that choice. After Cordeau, Furini & Ljubić (2019), *Benders decomposition for
very large scale partial set covering and maximal covering location problems*, EJOR 275, 882-896.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from quart_heure.analysis.siting.covering import Covering


@dataclasses.dataclass(frozen=True, eq=False)
class Cut:
    """At most ``constant + coefficient · y[candidate]`` is gained in a part of the area."""

    group: int
    constant: float
    candidate: NDArray[np.int32]
    coefficient: NDArray[np.float64]

    def at(self, y: NDArray[np.float64]) -> float:
        """Return the bound at some choice, whole or fractional."""
        return self.constant + float(self.coefficient @ y[self.candidate])


class Cutter:
    """Makes cuts of a covering; its pairs are laid out once, part by part."""

    def __init__(self, covering: Covering) -> None:
        order = np.argsort(covering.group, kind="stable")
        self._ends = np.concatenate(
            [[0], np.cumsum(np.bincount(covering.group, minlength=covering.n_groups))]
        )
        by_cell = covering.by_cell
        self._parts: list[tuple[NDArray[np.int32], csr_array]] = []
        for begin, end in zip(self._ends[:-1], self._ends[1:], strict=True):
            part = by_cell[order[begin:end]]
            # Only those candidates that reach the part: there is no use in the others' zeros.
            here = np.unique(part.indices)
            self._parts.append((here.astype(np.int32), csr_array(part[:, here])))
        self._weight = covering.weight[order].astype(np.float64)

    def cuts_at(self, y: NDArray[np.float64], parts: Sequence[int] | None = None) -> list[Cut]:
        """Return the cut of each part, or of some, that is exact at a choice ``y``; shape (c,)."""
        cuts = []
        for group in range(len(self._parts)) if parts is None else parts:
            here, part = self._parts[group]
            weight = self._weight[self._ends[group] : self._ends[group + 1]]
            once = part @ y[here] < 1 - 1e-9
            coefficient = part.T @ (weight * once)
            used = coefficient > 0
            cuts.append(Cut(group, float(weight[~once].sum()), here[used], coefficient[used]))
        return cuts
