"""Straight pieces of raw streets, what each is a piece of, and squares laid among them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quart_heure.network.arrays import Flags
from quart_heure.network.gates import End
from quart_heure.network.rules import Verdict, judge
from quart_heure.network.square_walks import cross_squares
from quart_heure.network.squares import Square
from quart_heure.sources.osm.data import RawOsm

SQUARE_KIND = "square"
"""Kind of the straight walks across squares."""

_COLUMNS: Mapping[str, type[np.generic]] = {
    "steps": np.bool_,
    "bridge": np.bool_,
    "tunnel": np.bool_,
    "forward": np.bool_,
    "backward": np.bool_,
    "flags": np.uint16,
}


@dataclasses.dataclass(frozen=True, eq=False)
class RawSegments:
    """Straight pieces of street between two nodes, and the origin that each is a piece of."""

    a: NDArray[np.int64]
    b: NDArray[np.int64]
    origin: NDArray[np.int64]

    def take(self, which: NDArray[np.bool_ | np.intp]) -> RawSegments:
        """Return some of them."""
        return RawSegments(self.a[which], self.b[which], self.origin[which])

    def on_the_map(self, xy: NDArray[np.float64]) -> RawSegments:
        """Leave out what lies so far from the CRS's own ground that it has no place in it."""
        placed = np.isfinite(xy[:, 0]) & np.isfinite(xy[:, 1])
        return self if placed.all() else self.take(placed[self.a] & placed[self.b])

    def lengths(self, xy: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return metres."""
        step = xy[self.b] - xy[self.a]
        return np.hypot(step[:, 0], step[:, 1])


@dataclasses.dataclass(frozen=True, eq=False)
class Origins:
    """What segments are pieces of: first the ways, then outlines of relations and crossings."""

    verdicts: list[Verdict]
    kinds: list[str]
    names: list[str]
    osm_ids: list[int]

    @classmethod
    def of_ways(cls, raw: RawOsm) -> Origins:
        """Return those that the ways are, in their order."""
        # Readers give the same tags as the same object.
        keys = list(map(id, raw.way_tags))
        unlike = dict(zip(keys, raw.way_tags, strict=True))
        verdicts = {key: judge(tags) for key, tags in unlike.items()}
        kinds = {key: tags.get("highway", "") for key, tags in unlike.items()}
        names = {key: tags.get("name", "") for key, tags in unlike.items()}
        return cls(
            verdicts=[verdicts[key] for key in keys],
            kinds=[kinds[key] for key in keys],
            names=[names[key] for key in keys],
            osm_ids=raw.way_id.tolist(),
        )

    def add(self, square: Square, *, kind: str, flags: int = 0) -> int:
        """Add one of a square and return its position."""
        self.verdicts.append(
            dataclasses.replace(square.verdict, flags=square.verdict.flags | flags)
        )
        self.kinds.append(kind)
        self.names.append(square.name)
        self.osm_ids.append(square.osm_id)
        return len(self.kinds) - 1

    def end(self, origin: int) -> End:
        """Return what a gate is told of one."""
        return End(origin, self.verdicts[origin], self.kinds[origin], self.names[origin])

    def walkable(self) -> NDArray[np.bool_]:
        """Tell which are walked."""
        return np.array([verdict.walkable for verdict in self.verdicts], dtype=bool)

    def columns(self, origin: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
        """Return the columns of segments of these origins."""
        # Most ways share their verdict with many others.
        unlike = {id(verdict): verdict for verdict in self.verdicts}
        position = {key: k for k, key in enumerate(unlike)}
        verdict = np.array([position[id(verdict)] for verdict in self.verdicts], dtype=np.int64)
        columns: dict[str, NDArray[Any]] = {
            name: np.array([getattr(one, name) for one in unlike.values()], dtype=dtype)[verdict]
            for name, dtype in _COLUMNS.items()
        }
        columns["osm_id"] = np.array(self.osm_ids, dtype=np.int64)
        return {name: values[origin] for name, values in columns.items()}


def way_segments(raw: RawOsm) -> RawSegments:
    """Return the pieces of all ways."""
    way = np.repeat(np.arange(raw.n_ways), np.diff(raw.offsets))
    within = way[1:] == way[:-1]
    return RawSegments(raw.refs[:-1][within], raw.refs[1:][within], way[1:][within])


def lay_squares(
    squares: Sequence[Square],
    streets: RawSegments,
    origins: Origins,
    xy: NDArray[np.float64],
    blocked: NDArray[np.bool_],
    obstacles: NDArray[np.object_],
) -> tuple[RawSegments, set[int]]:
    """Add outlines of relations and walks across squares; take out squares nobody can enter.

    Returns
    -------
    streets
        All segments.
    lonely
        OSM ids of the squares without an entrance.
    """
    drawn = [_outline(square, origins) for square in squares if square.is_relation]
    streets = _join([streets, *drawn])
    on_rings = np.zeros(len(xy), dtype=bool)
    for square in squares:
        on_rings[square.ring_nodes] = True
    origins_at = _origins_by_node(streets, on_rings)
    outline_of = iter(drawn)
    entered, entrances, lonely, lonely_origins = [], [], [], []
    for square in squares:
        outline = int(next(outline_of).origin[0]) if square.is_relation else square.ways[0]
        own = {outline, *square.ways}
        nodes = [
            node
            for node in dict.fromkeys(square.ring_nodes.tolist())
            if not blocked[node] and not own.issuperset(origins_at(node))
        ]
        if nodes:
            entered.append(square)
            entrances.append(np.array(nodes, dtype=np.int64))
        else:
            lonely.append(square.osm_id)
            lonely_origins.append(outline)
    open_all_around = [not blocked[np.concatenate(square.outer)].any() for square in entered]
    walks = [streets]
    for square, (a, b) in zip(
        entered, cross_squares(entered, xy, entrances, open_all_around, obstacles), strict=True
    ):
        if len(a):
            crossing = origins.add(square, kind=SQUARE_KIND, flags=Flags.SQUARE_WALK)
            walks.append(RawSegments(a, b, np.full(len(a), crossing, dtype=np.int64)))
    streets = _join(walks)
    if lonely:
        streets = streets.take(~np.isin(streets.origin, lonely_origins))
    return streets, set(lonely)


def _outline(square: Square, origins: Origins) -> RawSegments:
    origin = origins.add(square, kind=square.kind)
    a = np.concatenate(square.outer)
    b = np.concatenate([np.roll(ring, -1) for ring in square.outer])
    return RawSegments(a, b, np.full(len(a), origin, dtype=np.int64))


def _origins_by_node(streets: RawSegments, wanted: NDArray[np.bool_]) -> Callable[[int], set[int]]:
    """Return a function that tells which origins meet at a wanted node."""
    ends = np.concatenate([streets.a, streets.b])
    here = np.flatnonzero(wanted[ends])
    node = ends[here]
    origin = np.tile(streets.origin, 2)[here][np.argsort(node, kind="stable")]
    begin = np.concatenate([[0], np.cumsum(np.bincount(node, minlength=len(wanted)))])
    return lambda at: set(origin[begin[at] : begin[at + 1]].tolist())


def _join(parts: Sequence[RawSegments]) -> RawSegments:
    return RawSegments(
        np.concatenate([part.a for part in parts]),
        np.concatenate([part.b for part in parts]),
        np.concatenate([part.origin for part in parts]),
    )
