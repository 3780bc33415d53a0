"""Streets from vector tiles in a folder ``z/x/y.pbf`` (or ``.pbf.gz``).

A tile stores every line that touches it, with a margin outside its own square. Each tile is cut to
its square and tiles are joined where vertices are exactly the same, in whole tile units. Lines that
merely cross are never joined: bridges and tunnels share no vertex with what they cross.

What tiles tell, and lack, depends on their schema (see `quart_heure.sources.tiles.schemas`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray

from quart_heure.sources.projecting import transformer
from quart_heure.sources.tiles.areas import unite_areas
from quart_heure.sources.tiles.files import find_tiles, grid_transform, missing_tiles, read_layer
from quart_heure.sources.tiles.lines import (
    JoinedLines,
    join_tiles,
    key_places,
    lone_rings,
    outline_pieces,
    read_pieces,
)
from quart_heure.sources.tiles.schemas import Reading, TagRule, find_schema
from quart_heure.sources.tiles.squares import SquareWalks, cross_squares

SQUARE = "square"
"""Kind of the straight walks across squares."""

Report = Callable[[str], None]


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
    flags
        Bits of the rules' flags; shape (S,).
    square_walk
        Whether the segment is a straight walk across a square, not a mapped way; shape (S,).
    schema, lacks
        Title of the tiles' schema, and what they do not tell.
    crs
        The metric CRS.
    counts
        tiles, lines, segments, squares, square_walks …
    dropped
        For each reason: lines and length_km.
    missing
        Names of the tiles of the area that are not there.
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
    flags: NDArray[np.uint16]
    square_walk: NDArray[np.bool_]
    schema: str
    lacks: tuple[str, ...]
    crs: pyproj.CRS
    counts: dict[str, int]
    dropped: dict[str, dict[str, float]]
    missing: tuple[str, ...] = ()


def read_tiles(
    folder: Path,
    *,
    rule: TagRule,
    area: shapely.Geometry | None = None,
    crs: pyproj.CRS | None = None,
    report: Report = lambda _: None,
) -> TileStreets:
    """Read the streets that people can walk from a folder of vector tiles.

    Parameters
    ----------
    folder
        Holds ``z/x/y.pbf`` or ``z/x/y.pbf.gz``; the highest zoom is read.
    rule
        Judges a street by its tags, as far as the tiles tell them.
    area
        Polygon in ``crs``; segments with an end inside are kept. All of the tiles by default.
    crs
        The metric CRS of the result, EPSG:2154 by default.
    report
        Called with a line of progress now and then.

    Raises
    ------
    InputFileError
        If there is no tile, one cannot be read, or none holds streets of a schema that is known.

    Notes
    -----
    Dropped, and counted by reason: classes that are no streets (railways, piers, building sites),
    what the rule drops, and rings without any way attached.

    An area is a square. A closed line of class pedestrian is taken for one when other ways meet it
    in two places or more and buildings cover less than a quarter of it. Straight walks then join
    these entrances where the way around is over 10 % longer and the walk leaves neither the square
    nor crosses a building, a lawn, a wood, a pitch, water or rails on the ground.
    """
    crs = crs or pyproj.CRS.from_epsg(2154)
    tiles = find_tiles(folder, bounds=_degrees(area, crs))
    schema = find_schema(tiles)
    streets = {}
    for done, tile in enumerate(tiles, start=1):
        streets[tile] = read_layer(tile, schema.streets, schema.columns)
        if done % 25 == 0 or done == len(tiles):
            report(f"{done} of {len(tiles)} tiles read")
    told = any(
        value not in {None, ""}
        for _, values in streets.values()
        for field in schema.tells_foot
        for value in values[field]
    )
    reading = Reading(schema, tells_foot=told, rule=rule)
    pieces, areas = [], []
    for tile, layer in streets.items():
        piece, found = read_pieces(tile, layer, reading)
        pieces.append(piece)
        areas += [(tile, each) for each in found]
    if areas:
        pieces.append(outline_pieces(unite_areas(areas), reading))
    joined = join_tiles(pieces)
    alone = lone_rings(joined)
    joined.reason[np.unique(joined.line[alone])] = "ring_without_way"
    walks = cross_squares(streets, pieces, joined, reading)
    report(f"{len(walks.a)} straight walks across squares")
    missing = () if area is None else tuple(missing_tiles(tiles, area, crs)[0])
    whole = _finish(joined, walks, reading, n_tiles=len(tiles), area=area, crs=crs, zoom=tiles[0].z)
    return dataclasses.replace(whole, missing=missing)


def _degrees(
    area: shapely.Geometry | None, crs: pyproj.CRS
) -> tuple[float, float, float, float] | None:
    if area is None:
        return None
    bounds: tuple[float, float, float, float] = transformer(crs, 4326).transform_bounds(
        *shapely.bounds(area)
    )
    return bounds


def _finish(
    joined: JoinedLines,
    walks: SquareWalks,
    reading: Reading,
    *,
    n_tiles: int,
    area: shapely.Geometry | None,
    crs: pyproj.CRS,
    zoom: int,
) -> TileStreets:
    """Project the vertices, cut to the area, count, and code the words."""
    xy = grid_transform(zoom, crs)(key_places(joined.keys))
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
        flags=np.append(joined.flags[line], no.astype(np.uint16)),
        schema=reading.schema.title,
        lacks=reading.lacks,
        square_walk=np.append(np.zeros(len(kept), dtype=bool), ~no),
        crs=crs,
        counts={
            "tiles": n_tiles,
            "lines": len(np.unique(line)),
            "squares_crossed": len(np.unique(walks.square[crossing])),
            "square_walks": more,
        },
        dropped=dropped,
    )


def _count_dropped(
    joined: JoinedLines, away: NDArray[np.bool_], xy: NDArray[np.float64]
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
    found = sorted(set(words))
    position = {word: code for code, word in enumerate(found)}
    return tuple(found), np.array([position[word] for word in words], dtype=np.int32)
