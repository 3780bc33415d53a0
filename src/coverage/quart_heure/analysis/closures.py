"""Closures: which services closing together hurt most, and who depends on one building.

Who loses a category when some of its services close are those all of whose services within the
threshold are among them. People with many services within reach lose nothing when k of them close:
only places with at most k matter, and these are few.
"""

from __future__ import annotations

import dataclasses
import heapq
from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from quart_heure.analysis.basis import Basis
from quart_heure.network.limits import within

EXACT_COUNT = 3
"""Up to so many closures the worst are always proven; beyond, as far as `MOST_STEPS` leads."""

MOST_STEPS = 500_000
"""Sets looked at before the search for more than `EXACT_COUNT` closures ends with a bound."""

BUILDING_M = 30.0
"""Services no further from each other, directly or by way of others, share a building."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class WorstClosures:
    """The sets of services whose closing together hurts most.

    Parameters
    ----------
    sets, lost
        Positions of the services of each set, and what is lost with it; the worst first.
    bound
        No set of so many loses more.
    proven
        Whether no other set loses more than those listed.
    """

    sets: tuple[tuple[int, ...], ...]
    lost: tuple[float, ...]
    bound: float
    proven: bool


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Dependants:
    """What hangs on each set of services: cells that have these and no other within the threshold.

    Parameters
    ----------
    services
        The services that may close, in the order of the positions below.
    weight
        By set of positions (ascending), what is lost once all of them are closed: people, or
        hectares where residents are not known.
    """

    services: NDArray[np.intp]
    weight: dict[tuple[int, ...], float]

    @classmethod
    def of(cls, basis: Basis, category: str, *, most: int) -> Dependants:
        """Gather the cells that have at most so many services of a category within the threshold.

        Only services that count for sure cover anybody. A discreet place covers, and is not among
        those that may close: who has one within reach hangs on no set.
        """
        mine = basis.of_category(category)
        mine = mine[~basis.perhaps[mine]]
        count, first, cells = covering(basis, mine)
        hidden = basis.discreet[mine]
        named = np.cumsum(~hidden) - 1
        weight: dict[tuple[int, ...], float] = defaultdict(float)
        worth = weights_of(basis)
        few = np.flatnonzero((count > 0) & (count <= most) & (worth > 0))
        for cell in few.tolist():
            around = cells[first[cell] : first[cell] + count[cell]]
            if not hidden[around].any():
                weight[tuple(named[around].tolist())] += float(worth[cell])
        return cls(services=mine[~hidden], weight=dict(weight))

    def lost(self, closed: Sequence[int]) -> float:
        """Return what is lost when some services close, by their positions."""
        gone = set(closed)
        return sum(w for members, w in self.weight.items() if gone.issuperset(members))

    def worst(self, count: int, *, listed: int, most_steps: int = MOST_STEPS) -> WorstClosures:
        """Find the sets of so many services that lose most; sets that lose nothing are not listed.

        Notes
        -----
        What hangs on a set of m services is shared out among them, an m-th for each. What is lost
        with a set is at most the sum of the shares of its members, so that services are taken in
        the order of their shares, and a branch is left as soon as its sum cannot enter the list.
        """
        count = min(count, len(self.services))
        best, bound_left = _Best(listed), 0.0
        if count == 0:
            return best.closures(0.0)
        shared = _Shared.of(self, count)
        limit = most_steps if count > EXACT_COUNT else None
        steps = 0
        # Depth first, the largest shares first: good sets are met at once.
        stack: list[tuple[int, tuple[int, ...], float, float]] = [(0, (), 0.0, 0.0)]
        while stack:
            at, chosen, lost, shares = stack.pop()
            missing = count - len(chosen)
            if at + missing > len(shared.order):
                continue
            most = shares + shared.total[at + missing] - shared.total[at]
            # Sums of shares are rounded: a set that is as bad is looked at rather than lost.
            if most <= 0 or most * (1 + 1e-9) < best.least:
                continue
            if limit is not None and steps >= limit:
                bound_left = max(bound_left, float(most))
                continue
            steps += 1
            if missing == 1:
                gain = shared.with_one_more(chosen)[at:] + lost
                for place in np.flatnonzero((gain > 0) & (gain >= best.least)).tolist():
                    best.add(float(gain[place]), shared.named((*chosen, at + place)))
                continue
            gained = float(shared.with_one_more(chosen)[at])
            stack.append((at + 1, chosen, lost, shares))
            more = shares + float(shared.share[at])
            stack.append((at + 1, (*chosen, at), lost + gained, more))
        return best.closures(bound_left)


class _Shared:
    """Dependants by the rank of the services, the one with the largest share first."""

    def __init__(self, order: list[int], weight: dict[frozenset[int], float]) -> None:
        n = len(order)
        self.order = order
        self.share, self.single = np.zeros(n), np.zeros(n)
        self.touching: dict[int, list[tuple[frozenset[int], float]]] = defaultdict(list)
        for members, each in weight.items():
            self.share[list(members)] += each / len(members)
            if len(members) == 1:
                self.single[list(members)] += each
            else:
                for member in members:
                    self.touching[member].append((members, each))
        self.total = np.concatenate([[0.0], np.cumsum(self.share)])

    @classmethod
    def of(cls, found: Dependants, count: int) -> _Shared:
        weight = {m: each for m, each in found.weight.items() if len(m) <= count}
        share = np.zeros(len(found.services))
        for members, each in weight.items():
            share[list(members)] += each / len(members)
        order = np.argsort(-share, kind="stable").tolist()
        rank = {position: at for at, position in enumerate(order)}
        return cls(order, {frozenset(rank[m] for m in key): each for key, each in weight.items()})

    def with_one_more(self, chosen: tuple[int, ...]) -> NDArray[np.float64]:
        """Return what each service adds to the loss if it closes after those chosen; shape (n,)."""
        gain, inside = self.single.copy(), frozenset(chosen)
        seen: set[frozenset[int]] = set()
        for member in chosen:
            for members, each in self.touching[member]:
                rest = members - inside
                if len(rest) == 1 and members not in seen:
                    seen.add(members)
                    gain[next(iter(rest))] += each
        return gain

    def named(self, ranks: tuple[int, ...]) -> tuple[int, ...]:
        """Return the positions of services of some ranks, in ascending order."""
        return tuple(sorted(self.order[rank] for rank in ranks))


class _Best:
    """The sets that lose most so far; of equals those that come first."""

    def __init__(self, listed: int) -> None:
        self._listed = listed
        self._heap: list[tuple[float, tuple[int, ...]]] = []

    @property
    def least(self) -> float:
        """What a set must lose to enter the list."""
        return self._heap[0][0] if len(self._heap) == self._listed else 0.0

    def add(self, lost: float, members: tuple[int, ...]) -> None:
        heapq.heappush(self._heap, (lost, tuple(-member for member in members)))
        if len(self._heap) > self._listed:
            heapq.heappop(self._heap)

    def closures(self, bound_left: float) -> WorstClosures:
        found = sorted(self._heap, reverse=True)
        most = found[0][0] if found else 0.0
        return WorstClosures(
            sets=tuple(tuple(-member for member in members) for _, members in found),
            lost=tuple(lost for lost, _ in found),
            bound=max(most, bound_left),
            proven=bound_left <= self.least,
        )


def weights_of(basis: Basis) -> NDArray[np.float64]:
    """Return what each cell is worth: its people on the network, else its hectares; shape (n,)."""
    if basis.people is not None:
        return basis.people_on_network
    return np.where(basis.on_network, basis.cells.cell_ha, 0.0).astype(np.float64)


def covering(
    basis: Basis, services: NDArray[np.intp]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return which of some services each cell has within the threshold.

    Returns
    -------
    count, first, position
        How many each cell has, and where they begin in the positions, in ascending order; shapes
        (n,), (n,) and (k,).
    """
    place, position = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.int64)]
    for at, service in enumerate(services.tolist()):
        cells, minutes = basis.reach.of(service)
        here = cells[within(minutes, basis.threshold_min)]
        place.append(here.astype(np.int64))
        position.append(np.full(len(here), at, dtype=np.int64))
    cell, which = np.concatenate(place), np.concatenate(position)
    order = np.argsort(cell, kind="stable")
    count = np.bincount(cell, minlength=len(basis.cells)).astype(np.int64)
    return count, np.cumsum(count) - count, which[order]


def buildings_of(basis: Basis) -> list[NDArray[np.intp]]:
    """Return the services of each building with several, discreet and perhaps closed ones aside."""
    shown = np.flatnonzero(~basis.discreet & ~basis.perhaps)
    points = shapely.points(basis.xy[shown])
    if len(points) < 2:
        return []
    one, other = shapely.STRtree(points).query(points, predicate="dwithin", distance=BUILDING_M)
    links = coo_array((np.ones(len(one)), (one, other)), shape=(len(points), len(points)))
    group = connected_components(links, directed=False)[1]
    return [shown[group == number] for number in np.flatnonzero(np.bincount(group) > 1)]


def lost_with(basis: Basis, closed: NDArray[np.intp], category: str) -> NDArray[np.bool_]:
    """Tell which cells lose a category when some services close; shape (n,)."""
    mine = basis.of_category(category)
    mine = mine[~basis.perhaps[mine]]
    going = np.isin(mine, closed)
    left = basis.reach.count(mine[~going], basis.threshold_min)
    gone = basis.reach.count(mine[going], basis.threshold_min)
    lost: NDArray[np.bool_] = basis.on_network & (gone > 0) & (left == 0)
    return lost
