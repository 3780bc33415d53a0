"""Greedy and swap: good sets at once, without a proof.

The candidate that gains most is added until the set is full; then one is given for another as long
as that gains something. Of equal gains the candidate with the lower number is taken.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from quart_heure.analysis.siting.covering import Covering
from quart_heure.analysis.siting.rules import Rules

_MOST_ROUNDS = 1000


def greedy(covering: Covering, rules: Rules) -> NDArray[np.intp]:
    """Add candidates one by one, each time the one that gains most.

    What is missing to a floor counts before all else. With a budget, gains are also compared by
    cost, and the better of the two sets is returned.

    Returns
    -------
    NDArray[np.intp]
        The fixed candidates, then the others in the order in which they were added. Candidates
        that would gain nothing are not.
    """
    found = _grown(covering, rules, rules.fixed, by_cost=False)
    if rules.budget is None:
        return found
    other = _grown(covering, rules, rules.fixed, by_cost=True)
    return max(found, other, key=lambda chosen: _worth(covering, rules, chosen))


def _grown(
    covering: Covering, rules: Rules, chosen: NDArray[np.intp], *, by_cost: bool
) -> NDArray[np.intp]:
    if len(chosen) >= rules.count:
        return chosen
    state = _State(covering, rules, chosen)
    while len(state.chosen) < rules.count:
        may = rules.may_join(state.chosen)
        if not may.any():
            break
        score = np.where(may, state.score(), -1.0)
        if by_cost and rules.cost is not None:
            score = score / np.maximum(rules.cost, 1)
        best = int(np.argmax(score))
        if score[best] <= 0:
            break
        state.add(best)
    return state.chosen


def improved(
    covering: Covering, rules: Rules, chosen: NDArray[np.intp], *, rounds: int = _MOST_ROUNDS
) -> NDArray[np.intp]:
    """Give one candidate of a set for another, or add one, as long as that gains something.

    In each round the best exchange of all is made.
    """
    for _ in range(rounds):
        chosen = _grown(covering, rules, chosen, by_cost=False)
        exchange = _best_exchange(covering, rules, chosen)
        if exchange is None:
            break
        chosen = exchange
    return chosen


def _best_exchange(
    covering: Covering, rules: Rules, chosen: NDArray[np.intp]
) -> NDArray[np.intp] | None:
    state = _State(covering, rules, chosen)
    base, best = _worth(covering, rules, chosen), None
    for at, one in enumerate(chosen.tolist()):
        if one in rules.fixed:
            continue
        rest = np.delete(chosen, at)
        may = rules.may_join(rest)
        may[one] = False
        if not may.any():
            continue
        score = np.where(may, state.score(without=one), -1.0)
        other = int(np.argmax(score))
        new = np.insert(rest, at, other)
        worth = _worth(covering, rules, new)
        if worth > base:
            base, best = worth, new
    return best


class _State:
    """A set that grows, how often it covers each cell, and what each candidate would add."""

    def __init__(self, covering: Covering, rules: Rules, chosen: NDArray[np.intp]) -> None:
        self.covering, self.rules, self.chosen = covering, rules, chosen
        self.count = covering.count(chosen)
        self.gains = covering.gains(self.count == 0) if len(chosen) else covering.alone

    def add(self, candidate: int) -> None:
        """Add one candidate to the set."""
        cells = self.covering.cells_of(candidate)
        self.gains = self.gains - self.covering.gains_in(cells[self.count[cells] == 0])
        self.count[cells] += 1
        self.chosen = np.append(self.chosen, candidate)

    def score(self, *, without: int | None = None) -> NDArray[np.float64]:
        """Return what each candidate would add to the set, or to the set without one of it.

        What is missing to a floor counts before all else.
        """
        left, gains = self.count == 0, self.gains
        if without is not None:
            cells = self.covering.cells_of(without)
            freed = cells[self.count[cells] == 1]
            gains = gains + self.covering.gains_in(freed)
            left = left.copy()
            left[freed] = True
        if self.rules.floors is None:
            return gains.astype(np.float64)
        missing = _missing(self.covering, self.rules, left)
        return np.asarray(missing * (self.covering.total + 1.0) + gains, dtype=np.float64)


def _worth(covering: Covering, rules: Rules, chosen: NDArray[np.intp]) -> tuple[int, int]:
    """Return what a set is judged by: what it does not lack of the floors, then its value."""
    lacking = 0
    if rules.floors is not None:
        lacking = int(np.maximum(rules.floors - covering.by_group(chosen), 0).sum())
    return -lacking, covering.value(chosen)


def _missing(covering: Covering, rules: Rules, left: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return how much of what is missing to the floors each candidate would add; shape (c,)."""
    missing = np.zeros(covering.n_candidates, dtype=np.int64)
    if rules.floors is None:
        return missing
    gained = np.bincount(
        covering.group, weights=covering.weight * ~left, minlength=covering.n_groups
    )
    lacking = np.maximum(rules.floors - np.rint(gained).astype(np.int64), 0)
    for part in np.flatnonzero(lacking):
        here = np.flatnonzero(left & (covering.group == part))
        missing += np.minimum(covering.gains_in(here), lacking[part])
    return missing
