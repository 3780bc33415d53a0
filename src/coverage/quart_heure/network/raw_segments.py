"""Straight pieces of raw streets, what each is a piece of, and squares laid among them."""

from __future__ import annotations

import dataclasses
import functools
import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quart_heure.network.arrays import Flags
from quart_heure.network.gates import End
from quart_heure.network.ordering import runs, stable_order
from quart_heure.network.rules import Verdict, judge
from quart_heure.network.square_points import Rings
from quart_heure.network.square_walks import cross_squares
from quart_heure.network.squares import Square
from quart_heure.sources.osm.checks import distinct, find_nodes
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
        step = xy.take(self.b, axis=0) - xy.take(self.a, axis=0)
        return np.hypot(step[:, 0], step[:, 1])


@dataclasses.dataclass(frozen=True, eq=False)
class Origins:
    """What segments are pieces of: first the ways, then outlines of relations and crossings.

    Parameters
    ----------
    verdicts, kinds, names
        What there is of them, ways of the same tags once.
    sorts
        Which of these each one is.
    osm_ids
        The OSM id of each one.
    """

    verdicts: list[Verdict]
    kinds: list[str]
    names: list[str]
    sorts: list[int]
    osm_ids: list[int]

    @classmethod
    def of_ways(cls, raw: RawOsm) -> Origins:
        """Return those that the ways are, in their order."""
        # Readers give the same tags as the same object.
        keys = list(map(id, raw.way_tags))
        unlike = dict(zip(keys, raw.way_tags, strict=True))
        position = dict(zip(unlike, range(len(unlike)), strict=True))
        return cls(
            verdicts=list(map(judge, unlike.values())),
            kinds=[tags.get("highway", "") for tags in unlike.values()],
            names=[tags.get("name", "") for tags in unlike.values()],
            sorts=list(map(position.__getitem__, keys)),
            osm_ids=raw.way_id.tolist(),
        )

    def add(self, square: Square, *, kind: str, flags: int = 0) -> int:
        """Add one of a square and return its position."""
        self.sorts.append(len(self.verdicts))
        self.verdicts.append(_flagged(square.verdict, flags))
        self.kinds.append(kind)
        self.names.append(square.name)
        self.osm_ids.append(square.osm_id)
        return len(self.sorts) - 1

    def verdict(self, origin: int) -> Verdict:
        """Return what the rules say of one."""
        return self.verdicts[self.sorts[origin]]

    def end(self, origin: int) -> End:
        """Return what a gate is told of one."""
        sort = self.sorts[origin]
        return End(origin, self.verdicts[sort], self.kinds[sort], self.names[sort])

    def walkable(self) -> NDArray[np.bool_]:
        """Tell which are walked."""
        walkable = np.array([verdict.walkable for verdict in self.verdicts], dtype=bool)
        return walkable[self.sorts]

    def sort(self, origin: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return of which sort segments of these origins are."""
        return np.array(self.sorts, dtype=np.int64)[origin]

    def columns(self, origin: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
        """Return the columns of segments of these origins."""
        sort = self.sort(origin)
        columns: dict[str, NDArray[Any]] = {
            name: np.array([getattr(one, name) for one in self.verdicts], dtype=dtype)[sort]
            for name, dtype in _COLUMNS.items()
        }
        columns["osm_id"] = np.array(self.osm_ids, dtype=np.int64)[origin]
        return columns


@functools.lru_cache(maxsize=256)
def _flagged(verdict: Verdict, flags: int) -> Verdict:
    return dataclasses.replace(verdict, flags=verdict.flags | flags)


def words_of(
    sorts: Sequence[str], which: NDArray[np.int64]
) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Return codes for the words of some sorts, and the words."""
    codes: dict[str, int] = {}
    code = np.array([codes.setdefault(word, len(codes)) for word in sorts], dtype=np.int64)
    return code[which], tuple(codes)


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
    if not squares:
        return streets, set()
    drawn = [_outline(square, origins) for square in squares if square.is_relation]
    streets = _join([streets, *drawn])
    drawn_as = iter(int(outline.origin[0]) for outline in drawn)
    outlines = [next(drawn_as) if square.is_relation else square.ways[0] for square in squares]
    rings = Rings.of(squares)
    entrances = _entrances(squares, rings, outlines, streets, blocked)
    is_entered = [len(nodes) > 0 for nodes in entrances]
    entered = list(itertools.compress(squares, is_entered))
    outer = rings.take(rings.is_outer)
    barred = np.repeat(outer.square, outer.n)[blocked[outer.node]]
    open_all_around = np.bincount(barred, minlength=len(squares)) == 0
    entrances = list(itertools.compress(entrances, is_entered))
    found = cross_squares(entered, xy, entrances, open_all_around[is_entered], obstacles)
    walks = [streets]
    for square, (a, b) in zip(entered, found, strict=True):
        if len(a):
            crossing = origins.add(square, kind=SQUARE_KIND, flags=Flags.SQUARE_WALK)
            walks.append(RawSegments(a, b, np.full(len(a), crossing, dtype=np.int64)))
    streets = _join(walks)
    lonely = [k for k, is_one in enumerate(is_entered) if not is_one]
    if lonely:
        streets = streets.take(~np.isin(streets.origin, [outlines[k] for k in lonely]))
    return streets, {squares[k].osm_id for k in lonely}


def _outline(square: Square, origins: Origins) -> RawSegments:
    origin = origins.add(square, kind=square.kind)
    a = np.concatenate(square.outer)
    b = np.concatenate([np.roll(ring, -1) for ring in square.outer])
    return RawSegments(a, b, np.full(len(a), origin, dtype=np.int64))


def _entrances(
    squares: Sequence[Square],
    rings: Rings,
    outlines: Sequence[int],
    streets: RawSegments,
    blocked: NDArray[np.bool_],
) -> list[NDArray[np.int64]]:
    """Return the nodes of each square, in the order of its rings, where other streets touch it."""
    # What meets at each node of a ring, one node after the other.
    on_rings = np.zeros(len(blocked), dtype=bool)
    on_rings[rings.node] = True
    ends = np.concatenate([streets.a, streets.b])
    here = np.flatnonzero(on_rings[ends])
    node = ends[here]
    here = here[stable_order(node)]
    n_met = np.bincount(node, minlength=len(blocked))
    begin = np.cumsum(n_met) - n_met
    # Each node of a square once, where it comes first.
    square = np.repeat(rings.square, rings.n)
    key = square * len(blocked) + rings.node
    order = stable_order(key)
    order = order[np.append(True, np.diff(key[order]) > 0)[: len(order)]]
    place = np.sort(order[~blocked[rings.node[order]]])
    node, square = rings.node[place], square[place]
    # Whether anything meets there that does not draw the square itself.
    met = streets.origin[here[runs(begin[node], n_met[node])] % len(streets.origin)]
    which = np.repeat(np.arange(len(place)), n_met[node])
    n_origins = int(streets.origin.max(initial=-1)) + 1
    own = [
        k * n_origins + origin
        for k, (outline, one) in enumerate(zip(outlines, squares, strict=True))
        for origin in (outline, *one.ways)
    ]
    _, is_own = find_nodes(distinct(np.array(own, dtype=np.int64)), square[which] * n_origins + met)
    touched = np.bincount(which[~is_own], minlength=len(place)) > 0
    n_touched = np.bincount(square[touched], minlength=len(squares))
    return np.split(node[touched], np.cumsum(n_touched)[:-1])


def _join(parts: Sequence[RawSegments]) -> RawSegments:
    return RawSegments(
        np.concatenate([part.a for part in parts]),
        np.concatenate([part.b for part in parts]),
        np.concatenate([part.origin for part in parts]),
    )
