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
    square: Square, xy: NDArray[np.float64], entrances: NDArray[np.int64]
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

    Returns
    -------
    a, b
        Ends of the walks, as positions in ``xy``. None where there are fewer than two entrances,
        or where the outline crosses itself.
    """
    none = np.empty(0, dtype=np.int64)
    if len(entrances) < 2 or (ground := _ground(square, xy)) is None:
        return none, none
    if len(entrances) > MOST_ENTRANCES:
        even = np.linspace(0, len(entrances), MOST_ENTRANCES, endpoint=False)
        entrances = entrances[even.astype(np.int64)]
    first, second = np.triu_indices(len(entrances), 1)
    seen = _see_each_other(ground, xy[entrances[first]], xy[entrances[second]])
    a, b = entrances[first[seen]], entrances[second[seen]]
    if not seen.all():
        around = _walk_around(square, xy, ground, entrances)
        a, b = np.concatenate([a, around[0]]), np.concatenate([b, around[1]])
    return _leave_out_outline(square, a, b)


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
    ground = shapely.difference(shapely.union_all(outer), shapely.union_all(inner))
    # A hair larger, since a walk along the outline must not fall out by rounding.
    ground = shapely.buffer(ground, _TOLERANCE_M, join_style="mitre")
    shapely.prepare(ground)
    return ground


def _see_each_other(
    ground: shapely.Geometry, start: NDArray[np.float64], end: NDArray[np.float64]
) -> NDArray[np.bool_]:
    seen: NDArray[np.bool_] = shapely.covers(
        ground, shapely.linestrings(np.stack([start, end], axis=1))
    )
    return seen


def _walk_around(
    square: Square,
    xy: NDArray[np.float64],
    ground: shapely.Geometry,
    entrances: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the walks around corners that join the entrances that do not see each other."""
    corners = np.setdiff1d(_corners(square, xy), entrances)
    points = np.concatenate([entrances, corners])
    if len(points) > _MOST_POINTS:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    first, second = np.triu_indices(len(points), 1)
    seen = _see_each_other(ground, xy[points[first]], xy[points[second]])
    first, second = first[seen], second[seen]
    length = np.hypot(*(xy[points[first]] - xy[points[second]]).T)
    sight = csr_array((length, (first, second)), shape=(len(points), len(points)))
    _, before = dijkstra(
        sight, directed=False, indices=np.arange(len(entrances)), return_predecessors=True
    )
    walks = set()
    for origin in range(len(entrances)):
        for goal in range(origin + 1, len(entrances)):
            node = goal
            # Straight walks are there already; of the others, every straight piece is taken.
            while node != origin and before[origin, node] >= 0:
                previous = int(before[origin, node])
                if max(node, previous) >= len(entrances):
                    walks.add((min(node, previous), max(node, previous)))
                node = previous
    pairs = np.array(sorted(walks), dtype=np.int64).reshape(-1, 2)
    return points[pairs[:, 0]], points[pairs[:, 1]]


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


def _leave_out_outline(
    square: Square, a: NDArray[np.int64], b: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Leave out walks along one side of an outer ring, which is walked already."""
    sides = {
        (min(pair), max(pair))
        for ring in square.outer
        for pair in zip(ring.tolist(), np.roll(ring, -1).tolist(), strict=True)
    }
    kept = [
        (min(pair), max(pair)) not in sides for pair in zip(a.tolist(), b.tolist(), strict=True)
    ]
    return a[kept], b[kept]
