"""Fair: the least covered part of the area first, then the next."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from quart_heure.analysis.siting.covering import Covering
from quart_heure.analysis.siting.exact import in_best_order
from quart_heure.analysis.siting.least import FINENESS, Shares, least_share
from quart_heure.analysis.siting.rules import Rules

_FINENESS = 1e-6
"""Shares that differ by less are the same."""


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Fair:
    """A set of candidates for which the least covered parts are as well off as was found.

    Parameters
    ----------
    chosen, value
        The set, and what it gains.
    shares
        Covered share of each part of the area; NaN where nobody lives; shape (g,).
    least_at_most
        No set that keeps to the rules brings the least share above this.
    """

    chosen: NDArray[np.intp]
    value: int
    shares: NDArray[np.float64]
    least_at_most: float

    @property
    def proven(self) -> bool:
        """Whether no set brings the least covered part higher."""
        return self.least_at_most - self.least <= FINENESS

    @property
    def least(self) -> float:
        """Covered share of the least covered part."""
        return float(np.nanmin(self.shares))


def fairest(
    covering: Covering,
    rules: Rules,
    *,
    held: NDArray[np.int64],
    all_of: NDArray[np.int64],
    start: Sequence[NDArray[np.intp]] = (),
    limit_s: float | None = None,
) -> Fair:
    """Find a set for which the least covered part of the area is best off, then the next, by swaps.

    Parameters
    ----------
    covering, rules
        What there is to gain, and what a set must keep to.
    held, all_of
        Weight that is covered already, and in all, of each part; shapes (g,).
    start
        Sets to depart from as well: the answer is no less fair than any of them.
    limit_s
        Seconds for the bound.
    """
    search = _Leximin(covering, rules, held, all_of)
    found = [search.swapped(search.grown(rules.fixed)), *map(search.swapped, start)]
    bounded = least_share(
        Shares.of(covering, held, all_of),
        rules,
        known=found,
        better=search.swapped,
        limit_s=limit_s,
    )
    found.append(bounded.chosen)
    chosen = max(found, key=lambda one: (search.rank(one), covering.value(one)))
    return Fair(
        chosen=in_best_order(covering, chosen),
        value=covering.value(chosen),
        shares=search.shares(chosen),
        least_at_most=bounded.high,
    )


class _Leximin:
    """Compares sets by their sorted shares: the least first, then the next."""

    def __init__(
        self,
        covering: Covering,
        rules: Rules,
        held: NDArray[np.int64],
        all_of: NDArray[np.int64],
    ) -> None:
        self.covering, self.rules = covering, rules
        self.held, self.all_of = held, all_of
        self.here = np.flatnonzero(all_of > 0)

    def shares(self, chosen: NDArray[np.intp]) -> NDArray[np.float64]:
        """Return the covered share of each part; NaN where nobody lives."""
        shares = np.full(len(self.all_of), np.nan)
        gained = self.held + self.covering.by_group(chosen)
        shares[self.here] = gained[self.here] / self.all_of[self.here]
        return shares

    def rank(self, chosen: NDArray[np.intp]) -> tuple[float, ...]:
        """Return what sets are compared by."""
        return tuple(np.sort(np.round(self.shares(chosen)[self.here] / _FINENESS)).tolist())

    def grown(self, chosen: NDArray[np.intp]) -> NDArray[np.intp]:
        """Add the candidate that is fairest, as long as there may be more."""
        while (best := self._best_to_add(chosen, but=-1)) is not None:
            if (self.rank(np.append(chosen, best)), 0) <= (self.rank(chosen), 0):
                break
            chosen = np.append(chosen, best)
        return chosen

    def swapped(self, chosen: NDArray[np.intp]) -> NDArray[np.intp]:
        """Give one candidate for another as long as that is fairer."""
        while True:
            base, best = (self.rank(chosen), self.covering.value(chosen)), None
            for at, one in enumerate(chosen.tolist()):
                if one in self.rules.fixed:
                    continue
                rest = np.delete(chosen, at)
                other = self._best_to_add(rest, but=one)
                if other is None:
                    continue
                new = np.insert(rest, at, other)
                rank = (self.rank(new), self.covering.value(new))
                if rank > base:
                    base, best = rank, new
            if best is None:
                return chosen
            chosen = best

    def _best_to_add(self, chosen: NDArray[np.intp], *, but: int) -> int | None:
        covering = self.covering
        may = self.rules.may_join(chosen)
        if but >= 0:
            may[but] = False
        some = np.flatnonzero(may & (covering.alone > 0))
        if not len(some):
            return None
        left = covering.count(chosen) == 0
        gained = np.empty((len(some), len(self.here)))
        for column, part in enumerate(self.here.tolist()):
            cells = np.flatnonzero(left & (covering.group == part))
            gained[:, column] = covering.gains_in(cells)[some]
        base = self.held + covering.by_group(chosen)
        shares = (base[self.here] + gained) / self.all_of[self.here]
        ranked = np.sort(np.round(shares / _FINENESS), axis=1)
        # Last key first: the least share decides, then the next, then the gain, then the number.
        keys = (some, -gained.sum(axis=1), *(-ranked.T[::-1]))
        return int(some[np.lexsort(keys)[0]])
