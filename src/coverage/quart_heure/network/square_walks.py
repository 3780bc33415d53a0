"""Walks across squares: straight between entrances that see each other, else around the corners.

Every walk stays inside the square and out of its holes. The geometry of all squares of a town is
worked on at once: most squares are small, and calls would cost more than what they do.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence

import numpy as np
import shapely
from numpy.typing import NDArray

from quart_heure.network.squares import Square

MOST_ENTRANCES = 60
"""Of more entrances, so many are joined, evenly along the outline; the outline joins the rest."""

_MOST_POINTS = 150
_TOLERANCE_M = 0.01
_DETOUR = 1.02

Matrix = NDArray[np.float64]
Nodes = NDArray[np.int64]


def cross_squares(
    squares: Sequence[Square],
    xy: Matrix,
    entrances: Sequence[Nodes],
    outline_walked: Sequence[bool],
    obstacles: NDArray[np.object_] | None = None,
) -> list[tuple[Nodes, Nodes]]:
    """Lay straight walks across squares.

    Parameters
    ----------
    squares
        The squares.
    xy
        Metres of all nodes; shape (K, 2).
    entrances
        For each square, the nodes of its rings where walked ways touch it, each once.
    outline_walked
        For each square, whether one can walk all around its outer rings as well.
    obstacles
        Polygons and lines that no walk crosses, in the CRS of the nodes.

    Returns
    -------
    list[tuple[NDArray, NDArray]]
        For each square, both ends of its walks, as positions in ``xy``. There are none where fewer
        than two entrances are, or where an outline crosses itself.

    Notes
    -----
    A straight walk is left out where others, or the outline, lead there within 2 % of its length.
    So a square with many entrances gets a few walks for each, not one to each other.
    """
    crossings = [
        _Crossing.begin(square, xy, nodes, outline_walked=walked)
        for square, nodes, walked in zip(squares, entrances, outline_walked, strict=True)
    ]
    busy = [crossing for crossing in crossings if crossing.wants_walks(xy).any()]
    busy = _stand_on_grounds(busy, xy)
    rails = _clear_grounds(busy, obstacles)
    _look(busy, xy, [_pairs(crossing.n_entrances) for crossing in busy], rails)
    bent = [crossing for crossing in busy if (crossing.wants_walks(xy) & ~crossing.seen).any()]
    bent = [crossing for crossing in bent if crossing.add_corners(xy)]
    _look(bent, xy, [crossing.taut_pairs(xy) for crossing in bent], rails)
    for crossing in busy:
        crossing.lay_walks(xy)
    return [(crossing.a, crossing.b) for crossing in crossings]


@dataclasses.dataclass(kw_only=True, eq=False)
class _Crossing:
    """One square being worked on.

    Parameters
    ----------
    points
        Entrances, then the corners that walks may bend around.
    walked
        Distances between points that can be walked so far.
    seen
        Which points may be joined by a straight walk.
    a, b
        Ends of the walks.
    """

    square: Square
    outline_walked: bool
    n_entrances: int
    points: Nodes
    walked: Matrix
    seen: NDArray[np.bool_]
    a: Nodes
    b: Nodes
    ground: shapely.Geometry | None = None

    @classmethod
    def begin(
        cls, square: Square, xy: Matrix, entrances: Nodes, *, outline_walked: bool
    ) -> _Crossing:
        if len(entrances) > MOST_ENTRANCES:
            even = np.linspace(0, len(entrances), MOST_ENTRANCES, endpoint=False)
            entrances = entrances[even.astype(np.int64)]
        n = len(entrances)
        return cls(
            square=square,
            outline_walked=outline_walked,
            n_entrances=n,
            points=entrances,
            walked=_along_outline(square, xy, entrances, walked=outline_walked),
            seen=np.zeros((n, n), dtype=bool),
            a=entrances[:0],
            b=entrances[:0],
        )

    def wants_walks(self, xy: Matrix) -> NDArray[np.bool_]:
        """Tell which points are farther apart on foot than in a straight line."""
        return self.walked > _DETOUR * _distances(xy[self.points])

    def add_corners(self, xy: Matrix) -> bool:
        """Take the corners among the points; say whether there are any, and not too many."""
        new = set(_corners(self.square, xy).tolist()).difference(self.points.tolist())
        corners = np.array(sorted(new), dtype=np.int64)
        if not 0 < len(corners) <= _MOST_POINTS - self.n_entrances:
            return False
        seen = np.zeros(2 * (self.n_entrances + len(corners),), dtype=bool)
        seen[: self.n_entrances, : self.n_entrances] = self.seen
        self.seen = seen
        self.points = np.concatenate([self.points, corners])
        self.walked = _along_outline(self.square, xy, self.points, walked=self.outline_walked)
        return True

    def taut_pairs(self, xy: Matrix) -> tuple[Nodes, Nodes]:
        """Return the pairs, with a corner in each, that a string pulled tight could join."""
        place = xy[self.points]
        string = place[None, :, :] - place[:, None, :]
        sides = np.zeros((2, *string.shape[:2]))
        beside = np.array(_neighbours(self.square, self.points[self.n_entrances :]))
        for side, neighbour in zip(sides, beside.T, strict=True):
            x, y = (xy[neighbour] - place[self.n_entrances :]).T
            side[self.n_entrances :] = (
                string[self.n_entrances :, :, 0] * y[:, None]
                - string[self.n_entrances :, :, 1] * x[:, None]
            )
        # Both sides of the outline lie on one side of the string, or along it.
        taut = sides[0] * sides[1] >= 0
        pairs = np.triu(taut & taut.T, 1)
        pairs[: self.n_entrances, : self.n_entrances] = False
        first, second = np.nonzero(pairs)
        return first, second

    def lay_walks(self, xy: Matrix) -> None:
        """Lay the straight pieces that entrances need, the shortest ways first."""
        n = self.n_entrances
        apart = _distances(xy[self.points])
        straight = np.where(self.seen & (apart > 0), apart, np.inf)
        best = _best_ways(straight, n)
        rows, columns = _pairs(n)
        far = self.walked[rows, columns] > _DETOUR * best[rows, columns]
        rows, columns = rows[far], columns[far]
        pieces: list[tuple[int, int]] = []
        for k in np.argsort(best[rows, columns], kind="stable").tolist():
            start, node = int(rows[k]), int(columns[k])
            if self.walked[start, node] <= _DETOUR * best[start, node]:
                continue
            from_start = best[start]
            while node != start:
                # Where several points lead there as fast, the one that is reached first.
                leads = from_start + straight[node] == from_start[node]
                previous = int(np.where(leads, from_start, np.inf).argmin())
                length = straight[previous, node]
                if self.walked[previous, node] > _DETOUR * length:
                    pieces.append((previous, node))
                    by_piece = self.walked[:, previous, None] + (length + self.walked[None, node])
                    np.minimum(self.walked, by_piece, out=self.walked)
                    np.minimum(self.walked, by_piece.T, out=self.walked)
                node = previous
        ends = self.points[np.array(pieces, dtype=np.int64).reshape(-1, 2)]
        self.a, self.b = ends[:, 0], ends[:, 1]


def _stand_on_grounds(crossings: Sequence[_Crossing], xy: Matrix) -> list[_Crossing]:
    """Give each crossing its ground, a hair larger; leave out outlines that cross themselves."""
    rings = [ring for crossing in crossings for ring in crossing.square.rings]
    if not rings:
        return []
    closed = np.concatenate([np.append(ring, ring[0]) for ring in rings])
    which = np.repeat(np.arange(len(rings)), [len(ring) + 1 for ring in rings])
    shells = shapely.polygons(shapely.linearrings(xy[closed], indices=which))
    valid = shapely.is_valid(shells).tolist()
    standing, grounds, at = [], [], 0
    for crossing in crossings:
        n_outer, n = len(crossing.square.outer), len(crossing.square.rings)
        parts, good = shells[at : at + n], all(valid[at : at + n])
        at += n
        if good:
            ground = parts[0] if n_outer == 1 else shapely.union_all(parts[:n_outer])
            if n > n_outer:
                ground = shapely.difference(ground, shapely.union_all(parts[n_outer:]))
            standing.append(crossing)
            grounds.append(ground)
    # A hair larger, since a walk along the outline must not fall out by rounding.
    larger = shapely.buffer(grounds, _TOLERANCE_M, join_style="mitre")
    shapely.prepare(larger)
    for crossing, ground in zip(standing, larger, strict=True):
        crossing.ground = ground
    return standing


def _clear_grounds(
    crossings: Sequence[_Crossing], obstacles: NDArray[np.object_] | None
) -> shapely.STRtree | None:
    """Take what is not walked across out of the grounds; return the lines among it."""
    if obstacles is None or len(obstacles) == 0:
        return None
    is_line = shapely.get_dimensions(obstacles) == 1
    areas = shapely.buffer(obstacles[~is_line], 0)
    # A walk along the edge of a wood must not fall out by rounding.
    areas = shapely.buffer(areas, -2 * _TOLERANCE_M, join_style="mitre")
    tree = shapely.STRtree(areas)
    for crossing in crossings:
        if not crossing.square.on_ground:
            continue
        over = tree.query(crossing.ground, predicate="intersects")
        if len(over):
            crossing.ground = shapely.difference(crossing.ground, shapely.union_all(areas[over]))
            shapely.prepare(crossing.ground)
    return shapely.STRtree(obstacles[is_line]) if is_line.any() else None


def _look(
    crossings: Sequence[_Crossing],
    xy: Matrix,
    pairs: Sequence[tuple[Nodes, Nodes]],
    rails: shapely.STRtree | None,
) -> None:
    """Find out which of some pairs of points see each other, in each crossing."""
    if not crossings:
        return
    sizes = [len(first) for first, _ in pairs]
    first, second = (
        np.concatenate(
            [crossing.points[pair[k]] for crossing, pair in zip(crossings, pairs, strict=True)]
        )
        for k in (0, 1)
    )
    lines = shapely.linestrings(np.stack([xy[first], xy[second]], axis=1))
    grounds = np.repeat(np.array([crossing.ground for crossing in crossings]), sizes)
    sight = shapely.covers(grounds, lines)
    if rails is not None:
        # A walk that begins at a level crossing touches the rails there, and crosses none.
        barred = np.zeros(len(lines), dtype=bool)
        barred[rails.query(lines, predicate="crosses")[0]] = True
        sight &= ~(barred & np.repeat([one.square.on_ground for one in crossings], sizes))
    seen = np.split(sight, np.cumsum(sizes)[:-1])
    for crossing, (one, other), see in zip(crossings, pairs, seen, strict=True):
        crossing.seen[one, other] = crossing.seen[other, one] = see


@functools.cache
def _pairs(n: int) -> tuple[Nodes, Nodes]:
    """Return both of each pair of n points."""
    first, second = np.triu_indices(n, 1)
    return first, second


def _distances(xy: Matrix) -> Matrix:
    step = xy[:, None, :] - xy[None, :, :]
    return np.hypot(step[..., 0], step[..., 1])


def _along_outline(square: Square, xy: Matrix, points: Nodes, *, walked: bool) -> Matrix:
    """Return the distances between points along the outer ring that they share."""
    distance = np.full((len(points), len(points)), np.inf)
    distance.flat[:: len(points) + 1] = 0.0
    for ring in square.outer if walked else ():
        place = xy[np.append(ring, ring[0])]
        step = place[1:] - place[:-1]
        along = np.concatenate([[0.0], np.cumsum(np.hypot(step[:, 0], step[:, 1]))])
        mark = dict(zip(ring.tolist(), along.tolist(), strict=False))
        at = np.array([mark.get(point, np.nan) for point in points.tolist()])
        one_way = np.abs(at[:, None] - at[None, :])
        # NaN, for points elsewhere, loses against any distance.
        np.fmin(distance, np.minimum(one_way, along[-1] - one_way), out=distance)
    return distance


def _best_ways(straight: Matrix, n_entrances: int) -> Matrix:
    """Return the shortest distances from each entrance to all points, by straight walks."""
    best = straight[:n_entrances].copy()
    np.fill_diagonal(best, 0.0)
    # On from all points at once, as long as some of them get nearer: for so few points that takes
    # about as long as a search from each entrance, and no library for it.
    nearer_at = np.arange(len(straight))
    while len(nearer_at):
        by_way = (best[:, nearer_at, None] + straight[nearer_at]).min(axis=1)
        nearer = by_way < best
        best[nearer] = by_way[nearer]
        nearer_at = np.flatnonzero(nearer.any(axis=0))
    return best


def _corners(square: Square, xy: Matrix) -> Nodes:
    """Return the corners that walks bend around: where the ground leaves more than a half turn."""
    found = []
    for ring, is_hole in (
        *((ring, False) for ring in square.outer),
        *((ring, True) for ring in square.inner),
    ):
        place = xy[np.concatenate([ring[-1:], ring, ring[:1]])]
        step = place[1:] - place[:-1]
        turn = step[:-1, 0] * step[1:, 1] - step[:-1, 1] * step[1:, 0]
        # Twice the signed area: positive if the ring runs counterclockwise.
        from_first = place[1:-1] - place[1]
        area = (
            from_first[:-1, 0] * from_first[1:, 1] - from_first[:-1, 1] * from_first[1:, 0]
        ).sum()
        found.append(ring[turn < 0 if (area > 0) != is_hole else turn > 0])
    return np.concatenate(found)


def _neighbours(square: Square, corners: Nodes) -> list[tuple[int, int]]:
    """Return the nodes before and after each corner along its ring."""
    beside = {
        here: (before, after)
        for ring in map(np.ndarray.tolist, square.rings)
        for before, here, after in zip(
            ring[-1:] + ring[:-1], ring, ring[1:] + ring[:1], strict=True
        )
    }
    return [beside[corner] for corner in corners.tolist()]
