"""Streets from OpenMapTiles vector tiles in a folder ``z/x/y.pbf`` (or ``.pbf.gz``).

A tile stores every line that touches it, with a margin outside its own square. Each tile is cut to
its square and tiles are joined where vertices are exactly the same, in whole tile units. Lines that
merely cross are never joined: bridges and tunnels share no vertex with what they cross.

Tiles lack OSM ids and the tags ``access``, ``foot`` and ``area``: what is walkable follows from the
class alone.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import pyproj
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from quart_heure.errors import InputFileError

__all__ = [
    "EXTENT",
    "Tile",
    "TileStreets",
    "find_tiles",
    "grid_transform",
    "read_layer",
    "read_tiles",
]

EXTENT = 4096
"""Units along the side of a tile."""

SQUARE = "square"
"""Kind of the straight walks across squares."""

_EARTH_M = 2 * np.pi * 6378137
_PATTERN = re.compile(r"(\d+)/(\d+)/(\d+)\.(?:pbf|mvt)(?:\.gz)?$")

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

_WALK_STRETCH = 1.1
"""A straight walk across a square is added where the way around is longer by this factor."""

_MAX_BUILT_SHARE = 0.25
"""A ring with more buildings inside is a loop of streets around a block, not a square."""

Report = Callable[[str], None]


@dataclasses.dataclass(frozen=True, order=True)
class Tile:
    """A tile of the XYZ scheme and the file that holds it."""

    z: int
    x: int
    y: int
    path: Path


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class TileStreets:
    """Straight street segments between shared vertices, ready to be contracted.

    Parameters
    ----------
    a, b
        Ends of each segment, positions in ``node_xy``; shape (S,).
    node_xy
        Coordinates of the vertices in metres of ``crs``; shape (K, 2).
    kind_code, name_code
        Positions in ``kinds`` and ``names``; shape (S,).
    kinds, names
        Highway classes and street names; ``""`` where there is none.
    steps, bridge, tunnel
        What each segment is; shape (S,).
    square_walk
        Whether the segment is a straight walk across a square, not a mapped way; shape (S,).
    crs
        The metric CRS.
    counts
        tiles, lines, segments, squares, square_walks …
    dropped
        For each reason: lines and length_km.
    """

    a: NDArray[np.int64]
    b: NDArray[np.int64]
    node_xy: NDArray[np.float64]
    kind_code: NDArray[np.int32]
    name_code: NDArray[np.int32]
    kinds: tuple[str, ...]
    names: tuple[str, ...]
    steps: NDArray[np.bool_]
    bridge: NDArray[np.bool_]
    tunnel: NDArray[np.bool_]
    square_walk: NDArray[np.bool_]
    crs: pyproj.CRS
    counts: dict[str, int]
    dropped: dict[str, dict[str, float]]


def find_tiles(
    folder: Path, *, bounds: tuple[float, float, float, float] | None = None
) -> list[Tile]:
    """List the tiles of the highest zoom in a folder ``z/x/y.pbf``.

    Parameters
    ----------
    folder
        Holds folders named by zoom.
    bounds
        West, south, east, north in degrees; tiles that do not touch it are left out.

    Raises
    ------
    InputFileError
        If there is no tile.
    """
    matches = ((_PATTERN.search(path.as_posix()), path) for path in folder.glob("*/*/*.*"))
    tiles = [
        Tile(int(match[1]), int(match[2]), int(match[3]), path) for match, path in matches if match
    ]
    if not tiles:
        msg = f"{folder}: there is no vector tile z/x/y.pbf or .pbf.gz."
        raise InputFileError(msg, hint="Give the folder that holds the folders named by zoom.")
    zoom = max(tile.z for tile in tiles)
    tiles = sorted(tile for tile in tiles if tile.z == zoom)
    if bounds is not None:
        to_mercator = pyproj.Transformer.from_crs(4326, 3857, always_xy=True)
        west, south, east, north = to_mercator.transform_bounds(*bounds)
        side = _EARTH_M / 2**zoom
        columns = (west + _EARTH_M / 2) // side, (east + _EARTH_M / 2) // side
        rows = (_EARTH_M / 2 - north) // side, (_EARTH_M / 2 - south) // side
        tiles = [
            tile
            for tile in tiles
            if columns[0] <= tile.x <= columns[1] and rows[0] <= tile.y <= rows[1]
        ]
    return tiles


def read_layer(
    tile: Tile, layer: str, columns: Sequence[str]
) -> tuple[NDArray[np.object_], dict[str, NDArray[Any]]]:
    """Read one layer of a tile, not cut to its square.

    Returns
    -------
    shapes
        Geometries in whole units of the zoom's grid: x to the east, y to the south, ``EXTENT`` per
        tile; shape (n,).
    values
        The columns asked for; None where a feature or the whole layer lacks one.

    Raises
    ------
    InputFileError
        If the tile cannot be read.
    """
    try:
        # The folder's metadata.json may list fewer columns than the tile has: look at the tile.
        options = {"CLIP": "NO", "METADATA_FILE": "", "Z": tile.z, "X": tile.x, "Y": tile.y}
        if layer not in pyogrio.list_layers(tile.path)[:, 0]:
            return np.empty(0, dtype=object), {name: np.empty(0, object) for name in columns}
        _, table = pyogrio.read_arrow(tile.path, layer=layer, **options)
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, ValueError) as error:
        msg = f"{tile.path}: cannot be read as a vector tile ({error})."
        raise InputFileError(msg, hint="Fetch this tile again.") from error
    shapes = shapely.from_wkb(table.column("wkb_geometry").to_numpy(zero_copy_only=False))
    unit = _EARTH_M / 2**tile.z / EXTENT
    shapes = shapely.transform(
        shapes, lambda xy: np.rint((xy * [1, -1] + _EARTH_M / 2) / unit), include_z=False
    )
    values = {
        name: table.column(name).to_numpy(zero_copy_only=False)
        if name in table.column_names
        else np.full(len(shapes), None, dtype=object)
        for name in columns
    }
    return shapes, values


def grid_transform(
    zoom: int, crs: pyproj.CRS
) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    """Return a function from the units of a zoom's grid (see `read_layer`) to a CRS."""
    unit = _EARTH_M / 2**zoom / EXTENT
    to_crs = pyproj.Transformer.from_crs(3857, crs, always_xy=True)

    def transform(xy: NDArray[np.float64]) -> NDArray[np.float64]:
        x, y = to_crs.transform(xy[:, 0] * unit - _EARTH_M / 2, _EARTH_M / 2 - xy[:, 1] * unit)
        return np.stack([x, y], axis=1)

    return transform


def read_tiles(
    folder: Path,
    *,
    area: shapely.Geometry | None = None,
    crs: pyproj.CRS | None = None,
    report: Report = lambda _: None,
) -> TileStreets:
    """Read the streets that people can walk from a folder of vector tiles.

    Parameters
    ----------
    folder
        Holds ``z/x/y.pbf`` or ``z/x/y.pbf.gz``; the highest zoom is read.
    area
        Polygon in ``crs``; segments with an end inside are kept. All of the tiles by default.
    crs
        The metric CRS of the result, EPSG:2154 by default.
    report
        Called with a line of progress now and then.

    Raises
    ------
    InputFileError
        If there is no tile, or one cannot be read.

    Notes
    -----
    Dropped, and counted by reason: classes that are no streets for walkers (railways, motorways,
    trunk roads such as the ring road, platforms, piers, building sites), tunnels of primary,
    secondary and tertiary roads, and rings without any way attached.

    A closed line of class pedestrian is taken for a square when other ways meet it in two places or
    more and buildings cover less than a quarter of it. Straight walks then join these entrances
    where the way around is over 10 % longer and the walk leaves neither the square nor crosses a
    building, a lawn or water.
    """
    crs = crs or pyproj.CRS.from_epsg(2154)
    tiles = find_tiles(folder, bounds=_degrees(area, crs))
    pieces = []
    for done, tile in enumerate(tiles, start=1):
        pieces.append(_read_pieces(tile))
        if done % 25 == 0 or done == len(tiles):
            report(f"{done} of {len(tiles)} tiles read")
    joined = _join(pieces)
    alone = _lone_rings(joined)
    joined.reason[np.unique(joined.line[alone])] = "ring_without_way"
    walks = _cross_squares(tiles, pieces, joined)
    report(f"{walks.n_squares} squares, {len(walks.a)} straight walks across them")
    return _finish(joined, walks, n_tiles=len(tiles), area=area, crs=crs, zoom=tiles[0].z)


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class _Pieces:
    """Lines of one tile as segments cut to its square, and the closed pedestrian lines whole."""

    ends: NDArray[np.int64]  # (S, 4): x and y of both ends, in grid units
    line: NDArray[np.int64]  # (S,): the line of each segment
    kind: list[str]
    name: list[str]
    brunnel: list[str]
    reason: list[str]  # why a line is dropped, "" if it is kept
    rings: list[tuple[NDArray[np.int64], str]]


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class _Joined:
    """Segments of all tiles between shared vertices; kept and dropped lines alike."""

    a: NDArray[np.int64]
    b: NDArray[np.int64]
    keys: NDArray[np.int64]  # of the vertices, sorted
    line: NDArray[np.int64]
    kind: NDArray[np.object_]
    name: NDArray[np.object_]
    brunnel: NDArray[np.object_]
    reason: NDArray[np.object_]

    @property
    def kept(self) -> NDArray[np.bool_]:
        kept: NDArray[np.bool_] = (self.reason == "")[self.line]
        return kept


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class _Walks:
    """Straight walks across squares, between vertices."""

    a: NDArray[np.int64]
    b: NDArray[np.int64]
    name: NDArray[np.object_]
    n_squares: int


def _degrees(
    area: shapely.Geometry | None, crs: pyproj.CRS
) -> tuple[float, float, float, float] | None:
    if area is None:
        return None
    bounds: tuple[float, float, float, float] = pyproj.Transformer.from_crs(
        crs, 4326, always_xy=True
    ).transform_bounds(*shapely.bounds(area))
    return bounds


def _read_pieces(tile: Tile) -> _Pieces:
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
    return _Pieces(
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


def _join(pieces: Sequence[_Pieces]) -> _Joined:
    """Put the tiles together at vertices that are exactly the same."""
    ends = np.concatenate([piece.ends for piece in pieces])
    first_line = np.cumsum([0, *(len(piece.kind) for piece in pieces)])
    keys, node = np.unique(
        np.concatenate([_key(ends[:, :2]), _key(ends[:, 2:])]), return_inverse=True
    )

    def words(column: str) -> NDArray[np.object_]:
        return np.array([word for piece in pieces for word in getattr(piece, column)], object)

    return _Joined(
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


def _key(xy: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return one number for each place of the grid."""
    key: NDArray[np.int64] = (xy[:, 0] << 32) | xy[:, 1]
    return key


def _places(keys: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the grid coordinates that keys stand for; shape (K, 2)."""
    return np.stack([keys >> 32, keys & 0xFFFFFFFF], axis=1).astype(np.float64)


def _degrees_of_nodes(joined: _Joined, kept: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Count the distinct neighbours of each vertex by kept segments."""
    low = np.minimum(joined.a, joined.b)[kept]
    high = np.maximum(joined.a, joined.b)[kept]
    pairs = np.unique(low * len(joined.keys) + high)
    ends = np.concatenate([pairs // len(joined.keys), pairs % len(joined.keys)])
    return np.bincount(ends, minlength=len(joined.keys))


def _lone_rings(joined: _Joined) -> NDArray[np.bool_]:
    """Find the segments of rings that no other way meets."""
    kept = joined.kept
    n = len(joined.keys)
    links = coo_array(
        (np.ones(np.count_nonzero(kept), dtype=np.int8), (joined.a[kept], joined.b[kept])),
        shape=(n, n),
    )
    _, part = connected_components(links, directed=False)
    is_ring = np.ones(part.max(initial=0) + 1, dtype=bool)
    is_ring[part[_degrees_of_nodes(joined, kept) != 2]] = False
    alone: NDArray[np.bool_] = kept & is_ring[part[joined.a]]
    return alone


def _cross_squares(tiles: Sequence[Tile], pieces: Sequence[_Pieces], joined: _Joined) -> _Walks:
    """Join the entrances of squares by straight walks (see `read_tiles`)."""
    entrance = _degrees_of_nodes(joined, joined.kept) > 2
    obstacles: dict[Tile, _Obstacles] = {}
    by_place = {(tile.x, tile.y): tile for tile in tiles}
    seen: set[bytes] = set()
    found: list[tuple[int, int, str]] = []
    n_squares = 0
    for ring, name in (ring for piece in pieces for ring in piece.rings):
        square = shapely.normalize(shapely.Polygon(ring))
        if shapely.to_wkb(square) in seen or not shapely.is_valid(square):
            continue
        seen.add(shapely.to_wkb(square))
        keys = _key(ring[:-1])
        node = np.searchsorted(joined.keys, keys).clip(max=len(joined.keys) - 1)
        corner = np.flatnonzero((joined.keys[node] == keys) & entrance[node])
        if len(corner) < 2:
            continue
        near = [
            by_place[place] for place in _tiles_under(shapely.bounds(square)) if place in by_place
        ]
        for tile in near:
            if tile not in obstacles:
                obstacles[tile] = _read_obstacles(tile)
        walks = _spanning_walks(square, ring, corner, [obstacles[tile] for tile in near])
        n_squares += len(walks) > 0
        found += [(int(node[i]), int(node[j]), name) for i, j in walks]
    return _Walks(
        a=np.array([walk[0] for walk in found], dtype=np.int64),
        b=np.array([walk[1] for walk in found], dtype=np.int64),
        name=np.array([walk[2] for walk in found], dtype=object),
        n_squares=n_squares,
    )


def _tiles_under(bounds: NDArray[np.float64]) -> list[tuple[int, int]]:
    west, north, east, south = (int(value // EXTENT) for value in bounds)
    return [(x, y) for x in range(west, east + 1) for y in range(north, south + 1)]


@dataclasses.dataclass(frozen=True, eq=False)
class _Obstacles:
    """What stands in the way on squares of one tile."""

    tree: shapely.STRtree
    is_building: NDArray[np.bool_]


def _read_obstacles(tile: Tile) -> _Obstacles:
    """Read buildings that stand on the ground, lawns and water."""
    buildings, values = read_layer(tile, "building", ["render_min_height"])
    base_m = np.array([value or 0.0 for value in values["render_min_height"]], dtype=np.float64)
    buildings = buildings[base_m < 2.0]
    cover, values = read_layer(tile, "landcover", ["subclass"])
    lawns = cover[np.isin(values["subclass"].astype(str), ["grass", "garden"])]
    water, _ = read_layer(tile, "water", [])
    shapes = np.concatenate([buildings, lawns, water])
    valid = shapely.is_valid(shapes)
    return _Obstacles(
        tree=shapely.STRtree(shapes[valid]),
        is_building=(np.arange(len(shapes)) < len(buildings))[valid],
    )


def _spanning_walks(
    square: shapely.Polygon,
    ring: NDArray[np.int64],
    corner: NDArray[np.int64],
    obstacles: Sequence[_Obstacles],
) -> list[tuple[int, int]]:
    """Choose the straight walks between entrances of one square, as pairs of ring positions.

    Pairs are taken from near to far; one is left out where the way found so far, around the ring
    or by earlier walks, is no longer than the straight line times `_WALK_STRETCH`.
    """
    inside = [tile.tree.query(square, predicate="intersects") for tile in obstacles]
    shapes = [tile.tree.geometries[found] for tile, found in zip(obstacles, inside, strict=True)]
    built = [tile.is_building[found] for tile, found in zip(obstacles, inside, strict=True)]
    in_the_way = np.concatenate(shapes) if shapes else np.empty(0, dtype=object)
    buildings = in_the_way[np.concatenate(built)] if built else in_the_way
    covered = shapely.intersection(shapely.union_all(buildings), square)
    if covered.area > _MAX_BUILT_SHARE * square.area:
        return []

    step = np.hypot(*np.diff(ring, axis=0).T)
    mile = np.concatenate([[0.0], np.cumsum(step)])[corner]
    around = np.abs(mile[:, None] - mile[None, :])
    around = np.minimum(around, step.sum() - around)
    place = ring[corner].astype(np.float64)
    straight = np.hypot(*(place[:, None] - place[None, :]).transpose(2, 0, 1))

    one, other = np.triu_indices(len(corner), k=1)
    useful = around[one, other] > _WALK_STRETCH * straight[one, other]
    one, other = one[useful], other[useful]
    lines = shapely.linestrings(np.stack([place[one], place[other]], axis=1))
    # Half a unit of tolerance: vertices lie on whole units, walls and edges as well.
    free = shapely.covered_by(lines, shapely.buffer(square, 0.5))
    free &= ~shapely.intersects(lines, shapely.buffer(shapely.union_all(in_the_way), -0.5))
    one, other = one[free], other[free]
    walks = []
    for pick in np.lexsort((other, one, straight[one, other])):
        i, j = int(one[pick]), int(other[pick])
        length = straight[i, j]
        if around[i, j] > _WALK_STRETCH * length:
            walks.append((int(corner[i]), int(corner[j])))
            by_walk = np.minimum(
                around[:, [i]] + length + around[[j], :], around[:, [j]] + length + around[[i], :]
            )
            around = np.minimum(around, by_walk)
    return walks


def _finish(
    joined: _Joined,
    walks: _Walks,
    *,
    n_tiles: int,
    area: shapely.Geometry | None,
    crs: pyproj.CRS,
    zoom: int,
) -> TileStreets:
    """Project the vertices, cut to the area, count, and code the words."""
    xy = grid_transform(zoom, crs)(_places(joined.keys))
    near = np.ones(len(xy), dtype=bool)
    if area is not None:
        shapely.prepare(area)
        near = shapely.contains_xy(area, xy[:, 0], xy[:, 1])
    here = near[joined.a] | near[joined.b]
    dropped = _count_dropped(joined, here & ~joined.kept, xy)

    kept = np.flatnonzero(here & joined.kept)
    crossing = np.flatnonzero(near[walks.a] | near[walks.b]) if len(walks.a) else np.empty(0, int)
    a = np.concatenate([joined.a[kept], walks.a[crossing]])
    b = np.concatenate([joined.b[kept], walks.b[crossing]])
    used, ends = np.unique(np.concatenate([a, b]), return_inverse=True)
    line = joined.line[kept]
    more = len(crossing)
    kinds, kind_code = _encode(np.append(joined.kind[line], np.full(more, SQUARE, object)))
    names, name_code = _encode(np.append(joined.name[line], walks.name[crossing]))
    no = np.zeros(more, dtype=bool)
    return TileStreets(
        a=ends[: len(a)].astype(np.int64),
        b=ends[len(a) :].astype(np.int64),
        node_xy=xy[used],
        kind_code=kind_code,
        name_code=name_code,
        kinds=kinds,
        names=names,
        steps=np.append(joined.kind[line] == "steps", no),
        bridge=np.append(joined.brunnel[line] == "bridge", no),
        tunnel=np.append(joined.brunnel[line] == "tunnel", no),
        square_walk=np.append(np.zeros(len(kept), dtype=bool), ~no),
        crs=crs,
        counts={
            "tiles": n_tiles,
            "lines": len(np.unique(line)),
            "squares_crossed": walks.n_squares,
            "square_walks": more,
        },
        dropped=dropped,
    )


def _count_dropped(
    joined: _Joined, away: NDArray[np.bool_], xy: NDArray[np.float64]
) -> dict[str, dict[str, float]]:
    """Count the lines and kilometres dropped for each reason."""
    a, b, line = joined.a[away], joined.b[away], joined.line[away]
    length_m = np.hypot(*(xy[a] - xy[b]).T)
    reason = joined.reason[line]
    return {
        word: {
            "lines": len(np.unique(line[reason == word])),
            "length_km": round(float(length_m[reason == word].sum()) / 1000, 1),
        }
        for word in sorted(set(reason))
    }


def _encode(words: NDArray[np.object_]) -> tuple[tuple[str, ...], NDArray[np.int32]]:
    found, code = np.unique(words.astype(str), return_inverse=True)
    return tuple(map(str, found)), code.astype(np.int32)
