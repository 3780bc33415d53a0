"""Squares: areas that people walk across, not only around.

A closed way with ``area=yes`` or a multipolygon of streets is a square. Where walked ways touch
its outlines are its entrances; `quart_heure.network.square_walks` joins them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from quart_heure.network.rules import Verdict, judge
from quart_heure.sources.osm.data import RawOsm

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
    on_ground
        Whether it lies on the ground: what is drawn there is then in the way.
    """

    osm_id: int
    verdict: Verdict
    kind: str
    name: str
    outer: tuple[Ring, ...]
    inner: tuple[Ring, ...]
    ways: tuple[int, ...]
    on_ground: bool = True

    @property
    def is_relation(self) -> bool:
        """Whether the square is a relation; its outline is then no way of its own."""
        return self.osm_id < 0

    @property
    def rings(self) -> tuple[Ring, ...]:
        """All rings, the outer ones first."""
        return (*self.outer, *self.inner)

    @property
    def ring_nodes(self) -> NDArray[np.int64]:
        """Nodes of all rings, the outer ones first."""
        return np.concatenate(self.rings)


def find_squares(raw: RawOsm, verdict_of: Callable[[int], Verdict]) -> list[Square]:
    """Find the squares: walked closed ways with ``area=yes``, then walked multipolygons.

    Parameters
    ----------
    raw
        Raw data.
    verdict_of
        Tells what the rules say of each of its ways.

    Notes
    -----
    A multipolygon whose outer ways do not close (cut by the edge of an extract, say) is no square.
    """
    squares = []
    # Readers give the same tags as the same object.
    keys = list(map(id, raw.way_tags))
    unlike = dict(zip(keys, raw.way_tags, strict=True))
    areas = {key for key, tags in unlike.items() if tags.get("area") == "yes"}
    for way in [way for way, key in enumerate(keys) if key in areas]:
        tags, verdict = raw.way_tags[way], verdict_of(way)
        if verdict.walkable:
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
                        on_ground=_on_ground(tags, verdict),
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
                    on_ground=_on_ground(area.tags, verdict),
                )
            )
    return squares


def _on_ground(tags: Mapping[str, str], verdict: Verdict) -> bool:
    """Tell whether a square is neither a bridge or a slab above other ground, nor below it."""
    return not (verdict.bridge or verdict.tunnel) and tags.get("layer", "").strip() in {"", "0"}


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
    lines = [piece.tolist() for piece in pieces]
    # Pieces by their ends, the first ones last, for they are taken from there.
    waiting: dict[int, list[int]] = {}
    for k in range(len(lines) - 1, -1, -1):
        for end in (lines[k][0], lines[k][-1]):
            waiting.setdefault(end, []).append(k)
    taken = [False] * len(lines)
    rings = []
    for k, line in enumerate(lines):
        if taken[k]:
            continue
        taken[k] = True
        ring = list(line)
        while ring[0] != ring[-1]:
            here = waiting[ring[-1]]
            while here and taken[here[-1]]:
                here.pop()
            if not here:
                return ()
            taken[here[-1]] = True
            other = lines[here.pop()]
            ring += other[1:] if other[0] == ring[-1] else other[-2::-1]
        if len(ring) > 3:
            rings.append(np.array(ring[:-1], dtype=np.int64))
    return tuple(rings)
