"""Squares: areas that people walk across, not only around.

A closed way with ``area=yes`` or a multipolygon of streets is a square. Where walked ways touch
its outlines are its entrances. Entrances that see each other are joined by a straight walk, the
others by the shortest walk around the corners in between. Every walk stays inside the square and
out of its holes.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from quart_heure.network.rules import Verdict, judge
from quart_heure.sources.osm_data import RawOsm

__all__ = ["MOST_ENTRANCES", "Square", "cross_square", "find_squares"]

MOST_ENTRANCES = 60
"""Of more entrances, so many are joined, evenly along the outline; the outline joins the rest."""

_MOST_POINTS = 150
_TOLERANCE_M = 0.01
_DETOUR = 1.02

Ring = NDArray[np.int64]


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Square:
    """A place that can be walked across.

    Parameters
    ----------
    osm_id
        The way, or minus the relation.
    verdict, kind, name
        What the rules say of it, its highway class and its name.
    outer, inner
        Rings as positions in ``RawOsm.node_id``, the first node not repeated at the end.
    ways
        The ways that draw it, as positions in ``RawOsm.way_id``.
    """

    osm_id: int
    verdict: Verdict
    kind: str
    name: str
    outer: tuple[Ring, ...]
    inner: tuple[Ring, ...]
    ways: tuple[int, ...]

    @property
    def is_relation(self) -> bool:
        """Whether the square is a relation; its outline is then no way of its own."""
        return self.osm_id < 0

    @property
    def ring_nodes(self) -> NDArray[np.int64]:
        """Nodes of all rings, the outer ones first."""
        return np.concatenate([*self.outer, *self.inner])


def find_squares(raw: RawOsm, verdicts: Sequence[Verdict]) -> list[Square]:
    """Find the squares: walked closed ways with ``area=yes``, then walked multipolygons.

    Parameters
    ----------
    raw
        Raw data.
    verdicts
        What the rules say of each of its ways.

    Notes
    -----
    A multipolygon whose outer ways do not close (cut by the edge of an extract, say) is no square.
    """
    squares = []
    for way, (tags, verdict) in enumerate(zip(raw.way_tags, verdicts, strict=True)):
        if tags.get("area") == "yes" and verdict.walkable:
            ring = _nodes(raw, way)
            if len(ring) > 3 and ring[0] == ring[-1]:
                squares.append(
                    Square(
                        osm_id=int(raw.way_id[way]),
                        verdict=verdict,
                        kind=tags["highway"],
                        name=tags.get("name", ""),
                        outer=(ring[:-1],),
                        inner=(),
                        ways=(way,),
                    )
                )
    ways_of = _member_ways(raw)
    for area in raw.areas:
        verdict = judge(area.tags)
        outer = [way for osm_id in area.outer for way in ways_of.get(osm_id, ())]
        inner = [way for osm_id in area.inner for way in ways_of.get(osm_id, ())]
        if verdict.walkable and (shells := _close([_nodes(raw, way) for way in outer])):
            squares.append(
                Square(
                    osm_id=-area.relation_id,
                    verdict=verdict,
                    kind=area.tags["highway"],
                    name=area.tags.get("name", ""),
                    outer=shells,
                    inner=_close([_nodes(raw, way) for way in inner]),
                    ways=(*outer, *inner),
                )
            )
    return squares


def cross_square(
    square: Square,
    xy: NDArray[np.float64],
    entrances: NDArray[np.int64],
    *,
    outline_walked: bool = True,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Lay straight walks across a square.

    Parameters
    ----------
    square
        The square.
    xy
        Metres of all nodes; shape (K, 2).
    entrances
        Nodes of its rings where walked ways touch it, each once, in the order of the rings.
    outline_walked
        Whether one can walk all around the outer rings as well.

    Returns
    -------
    a, b
        Ends of the walks, as positions in ``xy``. None where there are fewer than two entrances,
        or where the outline crosses itself.

    Notes
    -----
    A straight walk is left out where others, or the outline, lead there within 2 % of its length.
    So a square with many entrances gets a few walks for each, not one to each other.
    """
    none = np.empty(0, dtype=np.int64)
    if len(entrances) < 2:
        return none, none
    if len(entrances) > MOST_ENTRANCES:
        even = np.linspace(0, len(entrances), MOST_ENTRANCES, endpoint=False)
        entrances = entrances[even.astype(np.int64)]
    points, n = entrances, len(entrances)
    walked = _along_outline(square, xy, points, walked=outline_walked)
    needed = walked > _DETOUR * _distances(xy[points])
    if not needed.any() or (ground := _ground(square, xy)) is None:
        return none, none
    sight = _sight(ground, xy[points])
    if (needed & (sight == 0)).any():
        # Some must walk around a corner.
        corners = np.setdiff1d(_corners(square, xy), entrances)
        if 0 < len(corners) <= _MOST_POINTS - n:
            points = np.concatenate([entrances, corners])
            walked = _along_outline(square, xy, points, walked=outline_walked)
            sight = _sight(ground, xy[points])
    pairs = _lay_walks(walked, sight, n)
    return points[pairs[:, 0]], points[pairs[:, 1]]


def _nodes(raw: RawOsm, way: int) -> Ring:
    return raw.refs[raw.offsets[way] : raw.offsets[way + 1]]


def _member_ways(raw: RawOsm) -> dict[int, list[int]]:
    """Return the positions of each member way of an area, by OSM id; several if it was cut."""
    wanted = sorted({way for area in raw.areas for way in (*area.outer, *area.inner)})
    ways: dict[int, list[int]] = {}
    for way in np.flatnonzero(np.isin(raw.way_id, np.array(wanted, dtype=np.int64))).tolist():
        ways.setdefault(int(raw.way_id[way]), []).append(way)
    return ways


def _close(pieces: Iterable[Ring]) -> tuple[Ring, ...]:
    """Join pieces end to end into rings; none if some piece is left over."""
    rings, loose = [], [list(map(int, piece)) for piece in pieces]
    while loose:
        line = loose.pop(0)
        while line[0] != line[-1]:
            ends = ((other[0], other[-1]) for other in loose)
            match = next((k for k, end in enumerate(ends) if line[-1] in end), -1)
            if match < 0:
                return ()
            other = loose.pop(match)
            line += other[1:] if other[0] == line[-1] else other[-2::-1]
        if len(line) > 3:
            rings.append(np.array(line[:-1], dtype=np.int64))
    return tuple(rings)


def _ground(square: Square, xy: NDArray[np.float64]) -> shapely.Geometry | None:
    """Return the ground of a square, a hair larger; None if an outline crosses itself."""
    outer = [shapely.Polygon(xy[ring]) for ring in square.outer]
    inner = [shapely.Polygon(xy[ring]) for ring in square.inner]
    if not shapely.is_valid([*outer, *inner]).all():
        return None
    ground = outer[0] if len(outer) == 1 else shapely.union_all(outer)
    if inner:
        ground = shapely.difference(ground, shapely.union_all(inner))
    # A hair larger, since a walk along the outline must not fall out by rounding.
    ground = shapely.buffer(ground, _TOLERANCE_M, join_style="mitre")
    shapely.prepare(ground)
    return ground


def _distances(xy: NDArray[np.float64]) -> NDArray[np.float64]:
    step = xy[:, None, :] - xy[None, :, :]
    return np.hypot(step[..., 0], step[..., 1])


def _sight(ground: shapely.Geometry, xy: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the distances between points that see each other, 0 for the others."""
    first, second = np.triu_indices(len(xy), 1)
    seen = shapely.covers(ground, shapely.linestrings(np.stack([xy[first], xy[second]], axis=1)))
    sight = np.zeros((len(xy), len(xy)))
    sight[first, second] = sight[second, first] = seen
    return sight * _distances(xy)


def _along_outline(
    square: Square, xy: NDArray[np.float64], points: NDArray[np.int64], *, walked: bool
) -> NDArray[np.float64]:
    """Return the distances between points along the outer ring that they share."""
    distance = np.full((len(points), len(points)), np.inf)
    distance.flat[:: len(points) + 1] = 0.0
    for ring in square.outer if walked else ():
        step = np.diff(xy[np.append(ring, ring[0])], axis=0)
        along = np.concatenate([[0.0], np.cumsum(np.hypot(step[:, 0], step[:, 1]))])
        mark = dict(zip(ring.tolist(), along.tolist(), strict=False))
        at = np.array([mark.get(point, np.nan) for point in points.tolist()])
        one_way = np.abs(at[:, None] - at[None, :])
        # NaN, for points elsewhere, loses against any distance.
        np.fmin(distance, np.minimum(one_way, along[-1] - one_way), out=distance)
    return distance


def _best_ways(
    sight: NDArray[np.float64], n_entrances: int
) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """Return the shortest distances between entrances, and the point before each on the way."""
    among = sight[:n_entrances, :n_entrances]
    if np.count_nonzero(among) == n_entrances * (n_entrances - 1):
        return among, np.broadcast_to(np.arange(n_entrances, dtype=np.int32)[:, None], among.shape)
    rows, columns = np.nonzero(sight)
    begin = np.concatenate([[0], np.cumsum(np.count_nonzero(sight, axis=1))])
    graph = csr_array((sight[rows, columns], columns, begin), shape=sight.shape)
    best, before = dijkstra(
        graph, directed=False, indices=np.arange(n_entrances), return_predecessors=True
    )
    return best[:, :n_entrances], before


def _lay_walks(
    walked: NDArray[np.float64], sight: NDArray[np.float64], n_entrances: int
) -> NDArray[np.int64]:
    """Return the straight pieces that entrances need, the shortest ways first.

    Parameters
    ----------
    walked
        Distances that can be walked so far; brought up to date in place.
    sight
        Distances between points that see each other, 0 for the others.
    n_entrances
        The points that must be joined are the first so many; the others are corners.
    """
    best, before = _best_ways(sight, n_entrances)
    rows, columns = np.nonzero(np.triu(walked[:n_entrances, :n_entrances] > _DETOUR * best))
    pieces: list[tuple[int, int]] = []
    for k in np.argsort(best[rows, columns], kind="stable").tolist():
        i, node = int(rows[k]), int(columns[k])
        if walked[i, node] <= _DETOUR * best[i, node]:
            continue
        while node != i:
            previous = int(before[i, node])
            length = sight[previous, node]
            if walked[previous, node] > _DETOUR * length:
                pieces.append((previous, node))
                by_piece = walked[:, previous, None] + (length + walked[None, node, :])
                np.minimum(walked, by_piece, out=walked)
                np.minimum(walked, by_piece.T, out=walked)
            node = previous
    return np.array(pieces, dtype=np.int64).reshape(-1, 2)


def _corners(square: Square, xy: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the corners that walks bend around: where the ground leaves more than a half turn."""
    found = []
    for ring, hole in (
        *((ring, False) for ring in square.outer),
        *((ring, True) for ring in square.inner),
    ):
        before, here, after = xy[np.roll(ring, 1)], xy[ring], xy[np.roll(ring, -1)]
        (ax, ay), (bx, by) = (here - before).T, (after - here).T
        turn = ax * by - ay * bx
        counterclockwise = shapely.is_ccw(shapely.linearrings(here))
        left_is_ground = counterclockwise != hole
        found.append(ring[turn < 0 if left_is_ground else turn > 0])
    return np.concatenate(found)
