"""Nearest: the set of candidates that saves most walking, with a bound (the p-median).

Savings are people times minutes: of each place, what the best candidate of a set saves against the
walk of today. They are summed whole, so that ties are ties on every machine.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

_ROUNDS = 1000
_STEPS = 200
_STUCK = 10


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Savings:
    """What each candidate would save each place.

    Parameters
    ----------
    pairs
        Savings above 0, as whole numbers; shape (c, r).
    """

    pairs: csr_array

    @property
    def n_candidates(self) -> int:
        """Number of candidates."""
        return int(self.pairs.shape[0])

    @property
    def row(self) -> NDArray[np.intp]:
        """The candidate of each pair; shape (k,)."""
        return np.repeat(np.arange(self.n_candidates), np.diff(self.pairs.indptr))

    def of(self, candidate: int) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """Return the places that a candidate saves something, and how much."""
        here = slice(*self.pairs.indptr[candidate : candidate + 2])
        return self.pairs.indices[here], self.pairs.data[here]

    def best(self, chosen: NDArray[np.intp]) -> NDArray[np.int64]:
        """Return what a set saves each place; shape (r,)."""
        best = np.zeros(self.pairs.shape[1], dtype=np.int64)
        for one in chosen:
            place, saved = self.of(int(one))
            best[place] = np.maximum(best[place], saved)
        return best

    def value(self, chosen: NDArray[np.intp]) -> int:
        """Return what a set saves in all."""
        return int(self.best(chosen).sum())

    def added(self, best: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return what each candidate would save beyond what is saved already; shape (c,)."""
        more = np.maximum(self.pairs.data - best[self.pairs.indices], 0)
        sums = np.bincount(self.row, weights=more, minlength=self.n_candidates)
        return np.rint(sums).astype(np.int64)


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Nearest:
    """A set, what it saves, and what no other set of as many saves more than."""

    chosen: NDArray[np.intp]
    value: int
    bound: int


def save_most(savings: Savings, count: int) -> Nearest:
    """Find a set of candidates that saves much: greedy, then exchanges as long as they help.

    The bound is Lagrange's: each place may be served by one candidate alone; what breaking that
    rule costs is set by subgradient, a fixed number of steps. It is good whatever the steps.

    Parameters
    ----------
    savings
        What each candidate saves.
    count
        How many to choose, at most.
    """
    chosen = _grown(savings, np.empty(0, dtype=np.intp), count)
    for _ in range(_ROUNDS):
        better = _exchanged(savings, chosen)
        if better is None:
            break
        chosen = better
    value = savings.value(chosen)
    return Nearest(
        chosen=_in_order(savings, chosen), value=value, bound=_bound(savings, count, value)
    )


def _grown(savings: Savings, chosen: NDArray[np.intp], count: int) -> NDArray[np.intp]:
    while len(chosen) < count:
        added = savings.added(savings.best(chosen))
        added[chosen] = 0
        most = int(np.argmax(added))  # of equals the first
        if added[most] <= 0:
            break
        chosen = np.append(chosen, most)
    return chosen


def _exchanged(savings: Savings, chosen: NDArray[np.intp]) -> NDArray[np.intp] | None:
    """Return the set with the one exchange that helps most, None if none helps."""
    value, best = savings.value(chosen), None
    for at in range(len(chosen)):
        rest = np.delete(chosen, at)
        without = savings.best(rest)
        added = savings.added(without)
        added[chosen] = 0
        other = int(np.argmax(added))
        if int(without.sum() + added[other]) > value:
            value = int(without.sum() + added[other])
            best = np.insert(rest, at, other)
    return best


def _in_order(savings: Savings, chosen: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return a set so that each saves most beside those before it."""
    left, order = chosen.tolist(), list[int]()
    while left:
        added = savings.added(savings.best(np.array(order, dtype=np.intp)))
        one = max(left, key=lambda each: (added[each], -each))
        order.append(one)
        left.remove(one)
    return np.array(order, dtype=np.intp)


def _bound(savings: Savings, count: int, value: int) -> int:
    place, saved, row = savings.pairs.indices, savings.pairs.data.astype(float), savings.row
    n_places = savings.pairs.shape[1]
    # What a place would be served for by the best of all: a price at which it sells to nobody.
    price = np.zeros(n_places)
    np.maximum.at(price, place, saved)
    price *= 0.5
    best, scale, stuck = np.inf, 1.0, 0
    for _ in range(_STEPS):
        over = np.maximum(saved - price[place], 0.0)
        worth = np.bincount(row, weights=over, minlength=savings.n_candidates)
        # Of equals the first: which of them is taken decides the next step, on every machine alike.
        taken = np.argsort(-worth, kind="stable")[:count]
        bound = float(price.sum() + worth[taken].sum())
        if bound < best - 1e-9:
            best, stuck = bound, 0
        else:
            stuck += 1
            if stuck >= _STUCK:
                scale, stuck = scale / 2, 0
        if best <= value * (1 + 1e-9):
            break
        chosen = np.zeros(savings.n_candidates, dtype=bool)
        chosen[taken] = True
        served = np.bincount(place[(over > 0) & chosen[row]], minlength=n_places)
        slope = 1.0 - served
        length = float((slope**2).sum())
        if length == 0:
            break
        price = np.maximum(price - scale * (bound - value) / length * slope, 0.0)
    # Sums of floating numbers: the bound is rounded up, never below what was found.
    return max(value, int(np.floor(best * (1 + 1e-9))))
