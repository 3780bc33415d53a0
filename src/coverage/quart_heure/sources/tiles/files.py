"""Vector tiles on disk: a folder ``z/x/y.pbf`` (or ``.pbf.gz``), read layer by layer with GDAL.

Coordinates are whole units of a grid that spans all tiles of a zoom, so that what is the same place
in two tiles has the same numbers.
"""

from __future__ import annotations

import dataclasses
import functools
import gzip
import re
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import pyproj
import shapely
from numpy.typing import NDArray

from quart_heure.errors import InputFileError
from quart_heure.sources.projecting import transformer

EXTENT = 4096
"""Units along the side of a tile."""

Layer = tuple[NDArray[np.object_], dict[str, NDArray[Any]]]
"""Shapes and values of one layer of a tile, as `read_layer` gives them."""

_FIRST_BYTE = 0x1A
"""A tile is a message whose only field, the third, is a layer."""

_MOST_LOOKED_FOR = 100_000
_EARTH_M = 2 * np.pi * 6378137
_PATTERN = re.compile(r"(\d+)/(\d+)/(\d+)\.(?:pbf|mvt)(?:\.gz)?$")


@dataclasses.dataclass(frozen=True, order=True)
class Tile:
    """A tile of the XYZ scheme and the file that holds it."""

    z: int
    x: int
    y: int
    path: Path


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
        If there is no tile, or none of the place.
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
    west, north, east, south = tile_range(zoom, bounds)
    here = [tile for tile in tiles if west <= tile.x <= east and north <= tile.y <= south]
    if not here:
        msg = f"{folder}: none of its {len(tiles)} tiles of zoom {zoom} is of the area."
        raise InputFileError(msg, hint="Check that the tiles and the area are of one place.")
    for tile in here:
        _look_at(tile)
    return here


def missing_tiles(
    tiles: Sequence[Tile], area: shapely.Geometry, crs: pyproj.CRS
) -> tuple[list[str], int]:
    """Return the names of the tiles of an area that are not there, and how many there would be.

    Archives may leave out tiles without anything in them, such as those of the sea.

    Parameters
    ----------
    tiles
        Those that are there, of one zoom.
    area, crs
        A polygon, and its CRS.
    """
    zoom, there = tiles[0].z, {(tile.x, tile.y) for tile in tiles}
    degrees = transformer(crs, 4326)
    west, north, east, south = tile_range(zoom, degrees.transform_bounds(*shapely.bounds(area)))
    if (east - west + 1) * (south - north + 1) > _MOST_LOOKED_FOR:
        return [], len(there)
    every = [(x, y) for x in range(west, east + 1) for y in range(north, south + 1)]
    corners = np.array([[(x, y), (x + 1, y), (x + 1, y + 1), (x, y + 1)] for x, y in every])
    squares = shapely.transform(
        shapely.polygons(corners.astype(np.float64) * EXTENT), grid_transform(zoom, crs)
    )
    wanted = [
        tile for tile, here in zip(every, shapely.intersects(area, squares), strict=True) if here
    ]
    return [f"{zoom}/{x}/{y}" for x, y in wanted if (x, y) not in there], len(wanted)


def _look_at(tile: Tile) -> None:
    """Refuse what is no vector tile before GDAL opens it by what is inside, whatever that is."""
    try:
        with tile.path.open("rb") as file:
            first = file.read(2)
        if first == b"\x1f\x8b":
            with gzip.open(tile.path) as packed:
                first = packed.read(1)
    except (OSError, EOFError, zlib.error) as error:
        raise _unreadable(tile, error) from error
    if first and first[0] != _FIRST_BYTE:
        raise _unreadable(tile, ValueError("it does not begin as one does"))


def tile_range(
    zoom: int, bounds: tuple[float, float, float, float] | None
) -> tuple[int, int, int, int]:
    """Return the first column and row, then the last column and row, of the tiles of a place.

    Parameters
    ----------
    zoom
        Of the tiles; rows are counted from the north.
    bounds
        West, south, east, north in degrees; None for the whole earth.
    """
    if bounds is None:
        return 0, 0, 2**zoom - 1, 2**zoom - 1
    to_mercator = transformer(4326, 3857)
    west, south, east, north = to_mercator.transform_bounds(*bounds)
    side, half = _EARTH_M / 2**zoom, _EARTH_M / 2
    edges = (west + half) // side, (half - north) // side, (east + half) // side
    return int(edges[0]), int(edges[1]), int(edges[2]), int((half - south) // side)


def read_layer(tile: Tile, layer: str, columns: Sequence[str]) -> Layer:
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
    # The folder's metadata.json may list fewer columns than the tile has: look at the tile itself.
    options = {"CLIP": "NO", "METADATA_FILE": "", "Z": tile.z, "X": tile.x, "Y": tile.y}
    try:
        _, table = pyogrio.read_arrow(tile.path, layer=layer, **options)
    except pyogrio.errors.DataLayerError:  # a tile has only the layers that it needs
        return np.empty(0, dtype=object), {name: np.empty(0, dtype=object) for name in columns}
    except (pyogrio.errors.DataSourceError, ValueError) as error:
        raise _unreadable(tile, error) from error
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


def find_layers(tile: Tile) -> dict[str, Callable[[], set[str]]]:
    """Return the layers of a tile, and for each what gives the names of its fields.

    Raises
    ------
    InputFileError
        If the tile cannot be read.
    """
    try:
        names = [str(name) for name, _ in pyogrio.list_layers(tile.path)]
    except (pyogrio.errors.DataSourceError, ValueError) as error:
        raise _unreadable(tile, error) from error

    def fields(layer: str) -> set[str]:
        options = {"METADATA_FILE": "", "Z": tile.z, "X": tile.x, "Y": tile.y}
        return set(pyogrio.read_info(tile.path, layer=layer, **options)["fields"].tolist())

    return {name: functools.partial(fields, name) for name in names}


def _unreadable(tile: Tile, error: Exception) -> InputFileError:
    msg = f"{tile.path}: cannot be read as a vector tile ({error})."
    return InputFileError(msg, hint="Fetch this tile again.")


def grid_transform(
    zoom: int, crs: pyproj.CRS
) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    """Return a function from the units of a zoom's grid (see `read_layer`) to a CRS."""
    unit = _EARTH_M / 2**zoom / EXTENT
    to_crs = transformer(3857, crs)

    def transform(xy: NDArray[np.float64]) -> NDArray[np.float64]:
        x, y = to_crs.transform(xy[:, 0] * unit - _EARTH_M / 2, _EARTH_M / 2 - xy[:, 1] * unit)
        return np.stack([x, y], axis=1)

    return transform
