"""Median: the shortest walks on the whole, instead of most people within a threshold.

What a candidate saves in a cell is how much sooner one is there than at what is nearest already. A
set saves in each cell what the best of it saves there.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from quart_heure.analysis.siting.rules import Rules
from quart_heure.network.reach import Reach

_MOST_ROUNDS = 200
_STEPS = 150


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Savings:
    """Minutes that candidates save, times the people who save them.

    Parameters
    ----------
    offsets, cell, minutes
        Per candidate, where its pairs begin; the cells in which it saves something, and how much;
        shapes (c + 1,), (k,), (k,).
    people
        People of each cell; shape (n,).
    """

    offsets: NDArray[np.int64]
    cell: NDArray[np.int32]
    minutes: NDArray[np.float32]
    people: NDArray[np.float64]

    @property
    def n_candidates(self) -> int:
        """Number of candidates."""
        return len(self.offsets) - 1

    def saved(self, chosen: NDArray[np.intp]) -> NDArray[np.float32]:
        """Return what a set saves in each cell, in minutes; shape (n,)."""
        saved = np.zeros(len(self.people), dtype=np.float32)
        for one in chosen:
            here = slice(self.offsets[one], self.offsets[one + 1])
            cells = self.cell[here]
            saved[cells] = np.maximum(saved[cells], self.minutes[here])
        return saved

    def value(self, chosen: NDArray[np.intp]) -> float:
        """Return the minutes that a set saves, times people."""
        return float(self.people @ self.saved(chosen))

    def gains(self, base: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return what each candidate saves beyond what is saved in each cell; shape (c,)."""
        more = np.maximum(self.minutes - base[self.cell], 0) * self.people[self.cell]
        sums = np.concatenate([[0.0], np.cumsum(more, dtype=np.float64)])
        return np.asarray(sums[self.offsets[1:]] - sums[self.offsets[:-1]])


def savings_of(
    reach: Reach,
    minutes: NDArray[np.float64],
    people: NDArray[np.float64],
    *,
    wanted: NDArray[np.bool_],
) -> Savings:
    """Keep of the reach of candidates where one is there sooner than at the nearest service.

    Parameters
    ----------
    reach
        The cells within the longest walk of each candidate.
    minutes
        Minutes to the nearest service; longer than the longest walk counts as that; shape (n,).
    people
        People of each cell; shape (n,).
    wanted
        Cells that count; shape (n,).
    """
    now = np.minimum(minutes, reach.limit_min)
    saved = (now[reach.place] - reach.minutes).astype(np.float32)
    kept = (saved > 0) & wanted[reach.place] & (people[reach.place] > 0)
    ends = np.concatenate([[0], np.cumsum(kept, dtype=np.int64)])
    return Savings(
        offsets=ends[reach.offsets], cell=reach.place[kept], minutes=saved[kept], people=people
    )


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Median:
    """A set of candidates, the minutes it saves times people, and the most that any could."""

    chosen: NDArray[np.intp]
    value: float
    bound: float


def shortest_walks(savings: Savings, rules: Rules) -> Median:
    """Find by swaps a set that saves most, and bound what any set of as many could save.

    Of equal savings the candidate with the lower number is taken.
    """
    chosen = rules.fixed
    while len(chosen) < rules.count:
        best = _best(savings, rules, chosen, but=-1)
        if best is None:
            break
        chosen = np.append(chosen, best)
    value = savings.value(chosen)
    for _ in range(_MOST_ROUNDS):
        new = _exchanged(savings, rules, chosen, value)
        if new is None:
            break
        chosen, value = new
    return Median(chosen=chosen, value=value, bound=max(_bound(savings, rules, value), value))


def _best(savings: Savings, rules: Rules, chosen: NDArray[np.intp], *, but: int) -> int | None:
    may = rules.may_join(chosen)
    if but >= 0:
        may[but] = False
    gains = np.where(may, savings.gains(savings.saved(chosen)), -1.0)
    best = int(np.argmax(gains))
    return best if gains[best] > 0 else None


def _exchanged(
    savings: Savings, rules: Rules, chosen: NDArray[np.intp], value: float
) -> tuple[NDArray[np.intp], float] | None:
    best, found = value * (1 + 1e-9), None
    for at, one in enumerate(chosen.tolist()):
        if one in rules.fixed:
            continue
        rest = np.delete(chosen, at)
        other = _best(savings, rules, rest, but=one)
        if other is None:
            continue
        new = np.insert(rest, at, other)
        worth = savings.value(new)
        if worth > best:
            best, found = worth, new
    return None if found is None else (found, best)


def _bound(savings: Savings, rules: Rules, value: float) -> float:
    """Return what no set of so many candidates saves more than.

    For any minutes *m* of each cell, a set saves there at most m plus what each of its candidates
    saves beyond m: the sum of people times m, and of the largest sums of the candidates. The
    minutes are moved by subgradients towards the least such bound (Held, Wolfe & Crowder 1974).
    """
    level = np.zeros(len(savings.people), dtype=np.float32)
    best, step = np.inf, 1.0
    idle = 0
    for _ in range(_STEPS):
        gains = savings.gains(level)
        taken = _largest(gains, rules)
        bound = float(savings.people @ level) + float(gains[taken].sum())
        idle = 0 if bound < best * (1 - 1e-6) else idle + 1
        best = min(best, bound)
        if best - value <= 1e-6 * max(value, 1.0):
            break
        if idle > 5:
            step, idle = step / 2, 0
        beyond = np.zeros(len(level))
        for one in taken:
            here = slice(savings.offsets[one], savings.offsets[one + 1])
            cells = savings.cell[here]
            beyond[cells] += savings.minutes[here] > level[cells]
        slope = (1 - beyond) * (savings.people > 0)
        slope[(level <= 0) & (slope > 0)] = 0  # it cannot fall below nothing
        norm = float((savings.people * slope * slope).sum())
        if norm == 0:
            break
        # Steps in minutes, not in people: a cell of many moves no further than one of few.
        moved = level - step * (bound - value) / norm * slope
        level = np.maximum(moved, 0).astype(np.float32)
    return best


def _largest(gains: NDArray[np.float64], rules: Rules) -> NDArray[np.intp]:
    """Return as many candidates as there may be, those with the largest sums, and the fixed."""
    may = rules.allowed.copy()
    may[rules.fixed] = False
    order = np.lexsort((np.arange(len(gains)), -gains))
    others = order[may[order]][: rules.count - len(rules.fixed)]
    return np.concatenate([rules.fixed, others])
