"""Rules: which sets of candidates may be proposed at all."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Rules:
    """What a set of candidates must keep to.

    Parameters
    ----------
    count
        The most candidates, the fixed ones among them.
    fixed
        Candidates that are in every set; shape (f,).
    allowed
        Candidates that may be in one; shape (c,).
    district, most_per_district
        District of each candidate, -1 for none, and how many of one district there may be.
    xy, spacing_m
        Where candidates are, and how near two of a set may be, in metres as the crow flies.
    cost, budget
        Cost of each candidate, and what all of a set may cost.
    floors
        What must be gained in each part of the area at least; shape (g,).
    """

    count: int
    allowed: NDArray[np.bool_]
    fixed: NDArray[np.intp] = dataclasses.field(default_factory=lambda: np.empty(0, np.intp))
    district: NDArray[np.int64] | None = None
    most_per_district: int | None = None
    xy: NDArray[np.float64] | None = None
    spacing_m: float = 0.0
    cost: NDArray[np.int64] | None = None
    budget: int | None = None
    floors: NDArray[np.int64] | None = None

    def near_to(self, candidate: int) -> NDArray[np.bool_]:
        """Tell which candidates are too near one of them, itself aside; shape (c,)."""
        if self.xy is None or self.spacing_m <= 0:
            return np.zeros(len(self.allowed), dtype=bool)
        away_m = np.hypot(*(self.xy - self.xy[candidate]).T)
        near: NDArray[np.bool_] = np.asarray(away_m < self.spacing_m)
        near[candidate] = False
        return near

    def may_join(self, chosen: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Tell which candidates may be added to some others, floors aside; shape (c,)."""
        if len(chosen) >= self.count:
            return np.zeros(len(self.allowed), dtype=bool)
        may = self.allowed.copy()
        may[chosen] = False
        for one in chosen:
            may &= ~self.near_to(int(one))
        if self.most_per_district is not None and self.district is not None:
            held = self.district[chosen]
            full = np.bincount(held[held >= 0], minlength=int(self.district.max(initial=0)) + 1)
            may &= (self.district < 0) | (full[self.district] < self.most_per_district)
        if self.budget is not None and self.cost is not None:
            may &= self.cost <= self.budget - int(self.cost[chosen].sum())
        return may

    def keeps(self, chosen: NDArray[np.intp]) -> bool:
        """Tell whether a set may be proposed, floors aside."""
        if len(chosen) > self.count or not self.allowed[chosen].all():
            return False
        if not np.isin(self.fixed, chosen).all() or len(np.unique(chosen)) < len(chosen):
            return False
        if any(self.near_to(int(one))[chosen].any() for one in chosen):
            return False
        if self.most_per_district is not None and self.district is not None:
            held = self.district[chosen]
            if len(held) and np.bincount(held[held >= 0], minlength=1).max() > (
                self.most_per_district
            ):
                return False
        return self.budget is None or self.cost is None or self.cost[chosen].sum() <= self.budget
