"""Lines of vector tiles: cut to the square of each tile, and joined at shared vertices."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from quart_heure.sources.tiles.areas import Area, read_areas
from quart_heure.sources.tiles.files import EXTENT, Layer, Tile
from quart_heure.sources.tiles.joints import join_streets
from quart_heure.sources.tiles.names import find_names
from quart_heure.sources.tiles.schemas import Reading


@dataclasses.dataclass(frozen=True, eq=False)
class Ring:
    """The outline of what may be a square.

    Parameters
    ----------
    shape
        Polygon in units of the grid, with its holes.
    name
        Name of the square.
    is_area
        Whether it is drawn as an area, and not as a closed line that may go round a block.
    on_ground
        Whether what stands on the ground is in the way.
    """

    shape: shapely.Polygon
    name: str
    is_area: bool = False
    on_ground: bool = True


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
    reason, flags
        Why each line is dropped, ``""`` if it is kept, and its flags; length (L,).
    rings
        Closed pedestrian lines and areas, not cut.
    """

    ends: NDArray[np.int64]
    line: NDArray[np.int64]
    kind: list[str]
    name: list[str]
    brunnel: list[str]
    reason: list[str]
    flags: list[int]
    rings: list[Ring]


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
    kind, name, brunnel, reason, flags
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
    flags: NDArray[np.uint16]

    @property
    def kept(self) -> NDArray[np.bool_]:
        """Whether each segment belongs to a line that is kept."""
        kept: NDArray[np.bool_] = (self.reason == "")[self.line]
        return kept


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class _Street:
    """What the tiles tell of streets that they tell alike."""

    about: Mapping[str, Any]
    kind: str
    brunnel: str
    reason: str
    flags: int

    @classmethod
    def read(cls, about: dict[str, Any], detail: str, reading: Reading) -> _Street:
        field = reading.schema.detail
        if field and detail and not about.get(field):
            about[field] = detail
        reason, flags = reading.judge(about)
        kind = reading.kind(about) or str(about.get(reading.schema.kind) or "")
        return cls(about, kind, reading.brunnel(about), reason, flags)


def read_pieces(tile: Tile, layer: Layer, reading: Reading) -> tuple[TilePieces, list[Area]]:
    """Bring the lines and areas of a tile to pieces with kinds and names, cut to its square.

    Parameters
    ----------
    tile
        The tile.
    layer
        Its layer of streets, as `quart_heure.sources.tiles.files.read_layer` gives it.
    reading
        What the tiles at hand tell, and how.
    """
    shapes, values = layer
    told = list(zip(*values.values(), strict=True))
    names = find_names(tile, shapes, values, reading)
    known: dict[tuple[Any, ...], _Street] = {}
    streets = []
    for row, detail in zip(told, names.details, strict=True):
        street = known.get((*row, detail))
        if street is None:
            about = dict(zip(values, row, strict=True))
            street = known[*row, detail] = _Street.read(about, detail, reading)
        streets.append(street)
    lines, of_shape = shapely.get_parts(shapes, return_index=True)
    is_line = shapely.get_type_id(lines) == shapely.GeometryType.LINESTRING
    areas = [
        Area(area, streets[i].about, names.words[i])
        for area, i in zip(lines[~is_line], of_shape[~is_line].tolist(), strict=True)
        if reading.schema.squares == reading.schema.streets and streets[i].reason == ""
    ]
    lines, of_shape = lines[is_line], of_shape[is_line]
    kept = np.array([streets[i].reason == "" for i in of_shape], dtype=bool)
    if reading.schema.squares != reading.schema.streets:
        areas = read_areas(tile, reading)
    if reading.joins_streets:
        levels = [reading.level(streets[i].about) for i in of_shape]
        area_levels = [reading.level(area.about) for area in areas]
        lines, areas = join_streets(lines, kept, levels, areas, area_levels)
    ends, line = _cut(lines, tile)
    closed = np.flatnonzero(shapely.is_closed(lines) & (shapely.get_num_points(lines) > 3))
    rings = [
        Ring(shapely.Polygon(shapely.get_coordinates(lines[i])), names.words[of_shape[i]])
        for i in closed
        if streets[of_shape[i]].kind == "pedestrian"
    ]
    return TilePieces(
        ends=ends,
        line=line,
        kind=[streets[i].kind for i in of_shape],
        name=[names.words[i] for i in of_shape],
        brunnel=[streets[i].brunnel for i in of_shape],
        reason=[streets[i].reason for i in of_shape],
        flags=[streets[i].flags for i in of_shape],
        rings=rings,
    ), areas


def outline_pieces(areas: Sequence[Area], reading: Reading) -> TilePieces:
    """Return the outlines of areas as lines that are walked, and the areas to be crossed."""
    rings = [shapely.get_coordinates(area.shape.exterior).astype(np.int64) for area in areas]
    sides = [np.concatenate([ring[:-1], ring[1:]], axis=1) for ring in rings]
    ends = np.concatenate([*sides, np.empty((0, 4), dtype=np.int64)])
    line = np.repeat(np.arange(len(areas)), [len(side) for side in sides])
    long = (ends[:, :2] != ends[:, 2:]).any(axis=1)
    verdicts = [reading.judge(area.about) for area in areas]
    return TilePieces(
        ends=ends[long],
        line=line[long].astype(np.int64),
        kind=[reading.kind(area.about) for area in areas],
        name=[area.name for area in areas],
        brunnel=[reading.brunnel(area.about) for area in areas],
        reason=[reason for reason, _ in verdicts],
        flags=[flags for _, flags in verdicts],
        rings=[
            Ring(
                area.shape,
                area.name,
                is_area=True,
                on_ground=not any(reading.level(area.about)),
            )
            for area in areas
        ],
    )


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
        flags=np.array([bits for piece in pieces for bits in piece.flags], dtype=np.uint16),
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
