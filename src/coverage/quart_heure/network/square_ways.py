"""Shortest ways across squares by straight walks, and the walks that these are made of."""

from __future__ import annotations

import dataclasses

import numpy as np

from quart_heure.network.ordering import runs, stable_order
from quart_heure.network.square_points import Matrix, Nodes, Pairs, Points
from quart_heure.sources.osm.checks import distinct

DETOUR = 1.02
"""A straight walk is left out where others lead there within this part of its length."""

_AT_ONCE = 5000
"""From so many points ways go on at a time, lest memory grow with the town."""


@dataclasses.dataclass(frozen=True, eq=False)
class Walks:
    """Straight walks that squares allow, by the point that each leaves; both directions of all.

    Parameters
    ----------
    begin
        Where the walks that leave each point begin, and where all end; shape (P + 1,).
    end, metres
        The point that each leads to, and its length.
    """

    begin: Nodes
    end: Nodes
    metres: Matrix

    @classmethod
    def between(cls, pairs: Pairs, metres: Matrix, n_points: int) -> Walks:
        """Return the walks between some pairs of points."""
        start, end = np.hstack([pairs, pairs[::-1]])
        order = stable_order(start)
        begin = np.zeros(n_points + 1, dtype=np.int64)
        np.cumsum(np.bincount(start, minlength=n_points), out=begin[1:])
        return cls(begin, end[order], np.tile(metres, 2)[order])

    @property
    def start(self) -> Nodes:
        """The point that each leaves."""
        return np.repeat(np.arange(len(self.begin) - 1), np.diff(self.begin))


@dataclasses.dataclass(frozen=True, eq=False)
class Ways:
    """Shortest ways by straight walks from some points to all points of their squares.

    Parameters
    ----------
    metres
        Their lengths, inf where there is none: for each start those to all points of its square.
    begin
        Where those from each point begin in ``metres``; of a point that is no start, nothing;
        shape (P,).
    """

    metres: Matrix
    begin: Nodes

    @classmethod
    def search(cls, walks: Walks, points: Points, starts: Nodes) -> Ways:
        """Search them from some points."""
        square = points.square
        n = points.n[square[starts]]
        of_start = np.cumsum(n) - n
        metres = np.full(int(n.sum()), np.inf)
        # What a point is in the square of each start, and how far from there its metres stand.
        point = runs(points.begin[square[starts]], n)
        shift = np.repeat(of_start - points.begin[square[starts]], n)
        n_walks = np.diff(walks.begin)
        new = np.zeros(len(metres), dtype=bool)
        here = starts + of_start - points.begin[square[starts]]
        metres[here] = 0.0
        # On from all points that got nearer, as long as some do; in which order is all the same.
        while len(here):
            for some in np.split(here, range(_AT_ONCE, len(here), _AT_ONCE)):
                leaving = n_walks[point[some]]
                walk = runs(walks.begin[point[some]], leaving)
                there = walks.end[walk] + np.repeat(shift[some], leaving)
                by_walk = np.repeat(metres[some], leaving) + walks.metres[walk]
                nearer = np.flatnonzero(by_walk < metres[there])
                there = there[nearer]
                np.minimum.at(metres, there, by_walk[nearer])
                new[there] = True
            here = np.flatnonzero(new)
            new[here] = False
        begin = np.zeros(len(points.node), dtype=np.int64)
        begin[starts] = of_start
        return cls(metres, begin)

    def between(self, points: Points, pairs: Pairs) -> Matrix:
        """Return the metres from some starts to other points of their squares."""
        first, second = pairs
        at = self.begin[first] + second - points.begin[points.square[first]]
        metres: Matrix = self.metres[at]
        return metres


def lay_walks(
    points: Points,
    wanted: Pairs,
    seen: Pairs,
    seen_metres: Matrix,
    walked: Matrix,
) -> Pairs:
    """Lay the straight walks that pairs of points need, the shortest ways first.

    Parameters
    ----------
    points
        The points.
    wanted
        Pairs of points that are farther apart on foot than in a straight line, once each.
    seen, seen_metres
        Pairs of points that see each other, once each, and the metres between them.
    walked
        Metres between points that can be walked so far, for each cell of `Points.cells`. They are
        shortened in place.

    Returns
    -------
    NDArray
        Both points of each walk, square after square; shape (2, n).
    """
    apart = seen_metres > 0
    walks = Walks.between(seen[:, apart], seen_metres[apart], len(points.node))
    straight = np.full(len(walked), np.inf)
    straight[points.cell(np.stack([walks.start, walks.end]))] = walks.metres
    ways = Ways.search(walks, points, distinct(wanted[0]))
    best = ways.between(points, wanted)
    far = np.flatnonzero(walked[points.cell(wanted)] > DETOUR * best)
    far = far[np.argsort(best[far], kind="stable")]
    of_square = points.square[wanted[0, far]]
    order = stable_order(of_square)
    far, of_square = far[order], of_square[order]
    pairs = (
        *(wanted[:, far] - points.begin[of_square]),
        best[far],
        ways.begin[wanted[0, far]],
    )
    n_pairs = np.bincount(of_square, minlength=len(points.n))
    end_pair, end_cell = np.cumsum(n_pairs), np.cumsum(points.n**2)
    laid: list[tuple[int, int]] = []
    for square in np.flatnonzero(n_pairs).tolist():
        n, begin = int(points.n[square]), int(points.begin[square])
        cells = slice(end_cell[square] - n * n, end_cell[square])
        here = slice(end_pair[square] - n_pairs[square], end_pair[square])
        found = _lay_in_square(
            walked[cells].reshape(n, n),
            straight[cells].reshape(n, n),
            ways.metres,
            *(column[here].tolist() for column in pairs),
        )
        laid += [(begin + one, begin + other) for one, other in found]
    pieces = np.array(laid, dtype=np.int64)
    return pieces.reshape(-1, 2).T


def _lay_in_square(
    walked: Matrix,
    straight: Matrix,
    metres: Matrix,
    starts: list[int],
    ends: list[int],
    shortest: list[float],
    ways: list[int],
) -> list[tuple[int, int]]:
    """Lay the walks of one square, pair after pair; ``ways`` tells where those from a start begin.

    Matrices of so few points are worked on as fast one by one as any other way.
    """
    walks = []
    for start, end, best, way in zip(starts, ends, shortest, ways, strict=True):
        if walked.item(start, end) <= DETOUR * best:
            continue
        from_start, node, at_node = metres[way : way + len(walked)], end, best
        while node != start:
            length = straight.item(node, start)
            previous = start
            if length != at_node:
                # Where several points lead there as fast, the one that is reached first.
                leads = from_start + straight[node] == at_node
                previous = int(np.where(leads, from_start, np.inf).argmin())
                length = straight.item(previous, node)
            if walked.item(previous, node) > DETOUR * length:
                walks.append((previous, node))
                by_walk = walked[previous, :, None] + (length + walked[node])
                np.minimum(walked, by_walk, out=walked)
                np.minimum(walked, by_walk.T, out=walked)
            node = previous
            at_node = from_start.item(node)
    return walks
