"""Walks across squares: straight between entrances that see each other, else around the corners.

Every walk stays inside the square and out of its holes. All squares of a town are worked on at
once: most squares are small, and calls would cost more than what they do.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import shapely
from numpy.typing import NDArray

from quart_heure.network.ordering import runs
from quart_heure.network.square_points import (
    Matrix,
    Nodes,
    Pairs,
    Points,
    Rings,
    Which,
    cross_product,
    outline_metres,
)
from quart_heure.network.square_ways import DETOUR, lay_walks
from quart_heure.network.squares import Square
from quart_heure.sources.osm.checks import distinct

MOST_ENTRANCES = 60
"""Of more entrances, so many are joined, evenly along the outline; the outline joins the rest."""

_MOST_POINTS = 150
_TOLERANCE_M = 0.01


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
    entrances = [_thinned(nodes) for nodes in entrances]
    walked = np.array(outline_walked, dtype=bool)
    points = Points.of(entrances)
    pairs = points.pairs()
    wanted = _wants(Rings.of(squares), walked, points, pairs, xy)
    walks = [(nodes[:0], nodes[:0]) for nodes in entrances]
    busy, grounds = _stand_on_grounds(squares, xy, points.squares_of(pairs[0, wanted]).tolist())
    if busy:
        town = [squares[k] for k in busy]
        sight = _Sight.over(town, grounds, obstacles)
        points = Points.of([entrances[k] for k in busy])
        for k, ends in zip(busy, _cross_all(town, walked[busy], points, xy, sight), strict=True):
            walks[k] = ends
    return walks


def _thinned(entrances: Nodes) -> Nodes:
    """Return no more entrances than are joined, evenly along the outline."""
    if len(entrances) <= MOST_ENTRANCES:
        return entrances
    even = np.linspace(0, len(entrances), MOST_ENTRANCES, endpoint=False)
    return entrances[even.astype(np.int64)]


def _wants(rings: Rings, walked: Which, points: Points, pairs: Pairs, xy: Matrix) -> Which:
    """Tell which points are farther apart on foot than in a straight line."""
    metres = outline_metres(rings.take(walked[rings.square]), points, pairs, xy)
    wants: Which = metres > DETOUR * points.distances(pairs, xy)
    return wants


def _cross_all(
    squares: Sequence[Square], walked: Which, entrances: Points, xy: Matrix, sight: _Sight
) -> list[tuple[Nodes, Nodes]]:
    """Lay the walks across squares that stand on their grounds."""
    rings = Rings.of(squares)
    pairs = entrances.pairs()
    wanted = _wants(rings, walked, entrances, pairs, xy)
    seen = sight.between(entrances, pairs, xy)
    bent = entrances.squares_of(pairs[0, wanted & ~seen])
    corners = rings.take(np.isin(rings.square, bent)).corners(entrances, xy)
    corners = corners.only(corners.n <= _MOST_POINTS - entrances.n)
    points = entrances.followed_by(corners)
    place = runs(points.begin[:-1], entrances.n)  # of the entrances among all points
    is_corner = np.ones(len(points.node), dtype=bool)
    is_corner[place] = False
    pairs = place[pairs]
    taut = _taut_pairs(rings, points, is_corner, xy)
    straight = np.hstack(
        [pairs[:, seen], taut[:, sight.between(points, taut, xy)]],
    )
    outline = rings.take(walked[rings.square])
    laid = lay_walks(
        points,
        wanted=pairs[:, wanted],
        seen=straight,
        seen_metres=points.distances(straight, xy),
        walked=outline_metres(outline, points, points.cells(), xy),
    )
    ends = np.cumsum(np.bincount(points.square[laid[0]], minlength=len(squares)))[:-1]
    a, b = (np.split(points.node[end], ends) for end in laid)
    return list(zip(a, b, strict=True))


def _taut_pairs(rings: Rings, points: Points, is_corner: Which, xy: Matrix) -> Pairs:
    """Return the pairs, with a corner in each, that a string pulled tight could join."""
    pairs = points.pairs()
    pairs = pairs[:, is_corner[pairs[1]]]  # corners stand behind the entrances
    place = xy[points.node]
    string = place[pairs[1]] - place[pairs[0]]
    at = rings.find(points)[is_corner]
    beside = np.zeros((2, *place.shape))
    for side, neighbours in zip(beside, rings.beside(), strict=True):
        side[is_corner] = xy[neighbours[at]] - place[is_corner]
    taut = np.ones(len(string), dtype=bool)
    for ends in pairs:
        # Both sides of the outline lie on one side of the string, or along it.
        before, after = (cross_product(string, side[ends]) for side in beside)
        taut &= before * after >= 0
    return pairs[:, taut]


def _stand_on_grounds(
    squares: Sequence[Square], xy: Matrix, busy: Sequence[int]
) -> tuple[list[int], NDArray[np.object_]]:
    """Return the grounds of some squares, a hair larger; leave out what crosses itself."""
    rings = Rings.of([squares[k] for k in busy])
    nodes, ring = rings.closed()
    shells = shapely.polygons(shapely.linearrings(xy[nodes], indices=ring))
    crosses = np.bincount(rings.square[~shapely.is_valid(shells)], minlength=len(busy)) > 0
    standing, grounds, end = [], [], 0
    for k, bad in zip(busy, crosses.tolist(), strict=True):
        n_outer, n = len(squares[k].outer), len(squares[k].rings)
        begin, end = end, end + n
        if bad:
            continue
        ground = shells[begin]
        if n_outer > 1:
            ground = shapely.union_all(shells[begin : begin + n_outer])
        if n > n_outer:
            ground = shapely.difference(ground, shapely.union_all(shells[begin + n_outer : end]))
        standing.append(k)
        grounds.append(ground)
    # A hair larger, since a walk along the outline must not fall out by rounding.
    larger = shapely.buffer(np.array(grounds, dtype=object), _TOLERANCE_M, join_style="mitre")
    return standing, larger


@dataclasses.dataclass(frozen=True, eq=False)
class _Sight:
    """What is seen across squares.

    Parameters
    ----------
    grounds
        The ground of each square, prepared.
    rails
        Lines that no walk crosses.
    on_ground
        Which squares lie on the ground, as the rails do.
    """

    grounds: NDArray[np.object_]
    rails: shapely.STRtree | None
    on_ground: Which

    @classmethod
    def over(
        cls,
        squares: Sequence[Square],
        grounds: NDArray[np.object_],
        obstacles: NDArray[np.object_] | None,
    ) -> _Sight:
        """Return what is seen on some grounds, less those obstacles."""
        on_ground = np.array([square.on_ground for square in squares], dtype=bool)
        rails = None
        if obstacles is not None and len(obstacles):
            is_line = shapely.get_dimensions(obstacles) == 1
            areas = shapely.buffer(obstacles[~is_line], 0)
            # A walk along the edge of a wood must not fall out by rounding.
            areas = shapely.buffer(areas, -2 * _TOLERANCE_M, join_style="mitre")
            under = np.flatnonzero(on_ground)
            ground, over = shapely.STRtree(areas).query(grounds[under], predicate="intersects")
            for k in distinct(ground).tolist():
                covered = shapely.union_all(areas[over[ground == k]])
                grounds[under[k]] = shapely.difference(grounds[under[k]], covered)
            rails = shapely.STRtree(obstacles[is_line]) if is_line.any() else None
        shapely.prepare(grounds)
        return cls(grounds, rails, on_ground)

    def between(self, points: Points, pairs: Pairs, xy: Matrix) -> Which:
        """Tell which points of some pairs see each other."""
        square = points.square[pairs[0]]
        lines = shapely.linestrings(xy[points.node[pairs.T]])
        seen: Which = shapely.covers(self.grounds[square], lines)
        if self.rails is not None:
            # A walk that begins at a level crossing touches the rails there, and crosses none.
            barred = self.rails.query(lines, predicate="crosses")[0]
            seen[barred[self.on_ground[square[barred]]]] = False
        return seen
