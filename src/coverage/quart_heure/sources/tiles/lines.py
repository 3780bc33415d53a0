"""Lines of vector tiles: cut to the square of each tile, and joined at shared vertices."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from quart_heure.sources.tiles.files import EXTENT, Tile, read_layer

_KINDS: dict[str, tuple[str, frozenset[str]]] = {
    # class of the tiles: its kind, subclasses that are kinds of their own
    "path": ("path", frozenset({"footway", "steps", "cycleway", "bridleway", "corridor"})),
    "pedestrian": ("pedestrian", frozenset()),
    "minor": ("unclassified", frozenset({"residential", "living_street"})),
    "service": ("service", frozenset()),
    "track": ("track", frozenset({"cycleway", "bridleway"})),
    "tertiary": ("tertiary", frozenset()),
    "secondary": ("secondary", frozenset()),
    "primary": ("primary", frozenset()),
    "corridor": ("corridor", frozenset()),
    "elevator": ("elevator", frozenset()),
}
"""Classes that people walk on; every other class is dropped, and counted."""

_CAR_TUNNELS = frozenset({"primary", "secondary", "tertiary"})
_TOLD_APART = frozenset({"trunk", "motorway", "platform", "pier", "raceway", "ferry"})
"""Dropped classes that are counted under their own name."""


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class TilePieces:
    """Lines of one tile as segments cut to its square.

    Parameters
    ----------
    ends
        x and y of both ends of each segment, in units of the grid; shape (S, 4).
    line
        The line of each segment; shape (S,).
    kind, name, brunnel
        What each line is, its street name, and whether it is a bridge or a tunnel; length (L,).
    reason
        Why each line is dropped, ``""`` if it is kept; length (L,).
    rings
        Vertices and name of the closed pedestrian lines, not cut.
    """

    ends: NDArray[np.int64]
    line: NDArray[np.int64]
    kind: list[str]
    name: list[str]
    brunnel: list[str]
    reason: list[str]
    rings: list[tuple[NDArray[np.int64], str]]


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class JoinedLines:
    """Segments of all tiles between shared vertices, of kept and of dropped lines.

    Parameters
    ----------
    a, b
        Ends of each segment, positions in ``keys``; shape (S,).
    keys
        The vertices, sorted (see `key_places`); shape (K,).
    line
        The line of each segment; shape (S,).
    kind, name, brunnel, reason
        As in `TilePieces`; shape (L,).
    """

    a: NDArray[np.int64]
    b: NDArray[np.int64]
    keys: NDArray[np.int64]
    line: NDArray[np.int64]
    kind: NDArray[np.object_]
    name: NDArray[np.object_]
    brunnel: NDArray[np.object_]
    reason: NDArray[np.object_]

    @property
    def kept(self) -> NDArray[np.bool_]:
        """Whether each segment belongs to a line that is kept."""
        kept: NDArray[np.bool_] = (self.reason == "")[self.line]
        return kept


def read_pieces(tile: Tile) -> TilePieces:
    """Read the lines of a tile with their kinds and names, cut to the tile's square."""
    shapes, values = read_layer(tile, "transportation", ["class", "brunnel"])
    named, words = read_layer(
        tile, "transportation_name", ["class", "name:latin", "name", "subclass"]
    )
    known = {
        (class_, shape): (name or other or "", subclass or "")
        for class_, shape, name, other, subclass in zip(
            words["class"],
            shapely.to_wkb(named),
            words["name:latin"],
            words["name"],
            words["subclass"],
            strict=True,
        )
    }
    streets = [
        (class_ or "", *known.get((class_, shape), ("", "")), brunnel or "")
        for class_, shape, brunnel in zip(
            values["class"], shapely.to_wkb(shapes), values["brunnel"], strict=True
        )
    ]
    lines, of_shape = shapely.get_parts(shapes, return_index=True)
    is_line = shapely.get_type_id(lines) == shapely.GeometryType.LINESTRING
    lines, of_shape = lines[is_line], of_shape[is_line]
    ends, line = _cut(lines, tile)
    closed = np.flatnonzero(shapely.is_closed(lines) & (shapely.get_num_points(lines) > 3))
    return TilePieces(
        ends=ends,
        line=line,
        kind=[_kind(streets[i][0], streets[i][2]) for i in of_shape],
        name=[streets[i][1] for i in of_shape],
        brunnel=[streets[i][3] for i in of_shape],
        reason=[_reason(streets[i][0], streets[i][3]) for i in of_shape],
        rings=[
            (shapely.get_coordinates(lines[i]).astype(np.int64), streets[of_shape[i]][1])
            for i in closed
            if streets[of_shape[i]][0] == "pedestrian"
        ],
    )


def _kind(class_: str, subclass: str) -> str:
    usual, own = _KINDS.get(class_, (class_, frozenset()))
    return subclass if subclass in own else usual


def _reason(class_: str, brunnel: str) -> str:
    """Say why lines of a class are not walked, ``""`` if they are."""
    if class_ in _KINDS:
        return "car_tunnel" if class_ in _CAR_TUNNELS and brunnel == "tunnel" else ""
    if class_ in _TOLD_APART:
        return class_
    if class_.endswith("construction") or class_ == "proposed":
        return "under_construction"
    return "not_a_street"  # railways, disused lines, station buildings


def _cut(lines: NDArray[np.object_], tile: Tile) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Cut lines to the square of a tile, segment by segment (Liang and Barsky).

    Returns
    -------
    ends
        x and y of both ends of each segment; shape (S, 4).
    line
        The line of each segment; shape (S,).
    """
    xy, of_line = shapely.get_coordinates(lines, return_index=True)
    same = of_line[1:] == of_line[:-1]
    start, end, line = xy[:-1][same], xy[1:][same], of_line[1:][same]
    low = np.array([tile.x, tile.y], dtype=np.float64) * EXTENT
    cut_start, cut_end = start.copy(), end.copy()
    enters, leaves = np.zeros(len(start)), np.ones(len(start))
    delta = end - start
    for axis, other in ((0, 1), (1, 0)):
        for border, inwards in ((low[axis], 1.0), (low[axis] + EXTENT, -1.0)):
            with np.errstate(divide="ignore", invalid="ignore"):
                at = (border - start[:, axis]) / delta[:, axis]
            crossing = start[:, other] + np.rint(
                np.where(np.isfinite(at), at, 0.0) * delta[:, other]
            )
            inner = delta[:, axis] * inwards
            later = (inner > 0) & (at > enters)
            enters[later] = at[later]
            cut_start[later, axis], cut_start[later, other] = border, crossing[later]
            sooner = (inner < 0) & (at < leaves)
            leaves[sooner] = at[sooner]
            cut_end[sooner, axis], cut_end[sooner, other] = border, crossing[sooner]
            # Parallel to the border and outside of it.
            leaves[(inner == 0) & ((start[:, axis] - border) * inwards < 0)] = -1.0
    ends = np.concatenate([cut_start, cut_end], axis=1).astype(np.int64)
    inside = (enters <= leaves) & (ends[:, :2] != ends[:, 2:]).any(axis=1)
    return ends[inside], line[inside].astype(np.int64)


def join_tiles(pieces: Sequence[TilePieces]) -> JoinedLines:
    """Put the tiles together at vertices that are exactly the same."""
    ends = np.concatenate([piece.ends for piece in pieces])
    first_line = np.cumsum([0, *(len(piece.kind) for piece in pieces)])
    keys, node = np.unique(
        np.concatenate([place_keys(ends[:, :2]), place_keys(ends[:, 2:])]), return_inverse=True
    )

    def words(column: str) -> NDArray[np.object_]:
        return np.array([word for piece in pieces for word in getattr(piece, column)], object)

    return JoinedLines(
        a=node[: len(ends)],
        b=node[len(ends) :],
        keys=keys,
        line=np.concatenate(
            [piece.line + first for piece, first in zip(pieces, first_line, strict=False)]
        ),
        kind=words("kind"),
        name=words("name"),
        brunnel=words("brunnel"),
        reason=words("reason"),
    )


def place_keys(xy: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return one number for each place of the grid."""
    key: NDArray[np.int64] = (xy[:, 0] << 32) | xy[:, 1]
    return key


def key_places(keys: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the grid coordinates that keys stand for; shape (K, 2)."""
    return np.stack([keys >> 32, keys & 0xFFFFFFFF], axis=1).astype(np.float64)


def count_neighbours(joined: JoinedLines, kept: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Count the distinct neighbours of each vertex by kept segments."""
    low = np.minimum(joined.a, joined.b)[kept]
    high = np.maximum(joined.a, joined.b)[kept]
    pairs = np.unique(low * len(joined.keys) + high)
    ends = np.concatenate([pairs // len(joined.keys), pairs % len(joined.keys)])
    return np.bincount(ends, minlength=len(joined.keys))


def lone_rings(joined: JoinedLines) -> NDArray[np.bool_]:
    """Find the segments of rings that no other way meets."""
    kept = joined.kept
    n = len(joined.keys)
    links = coo_array(
        (np.ones(np.count_nonzero(kept), dtype=np.int8), (joined.a[kept], joined.b[kept])),
        shape=(n, n),
    )
    _, part = connected_components(links, directed=False)
    is_ring = np.ones(part.max(initial=0) + 1, dtype=bool)
    is_ring[part[count_neighbours(joined, kept) != 2]] = False
    alone: NDArray[np.bool_] = kept & is_ring[part[joined.a]]
    return alone
