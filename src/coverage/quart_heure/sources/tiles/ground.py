"""The ground of vector tiles in OpenMapTiles form: water, railways and motorways."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray

from quart_heure.sources.background import Ground
from quart_heure.sources.tiles.archive import tile_folder
from quart_heure.sources.tiles.files import EXTENT, find_tiles, grid_transform, read_layer

_BARRIERS = ("rail", "motorway")


def read_tile_ground(path: Path, *, polygon: shapely.Geometry, crs: pyproj.CRS) -> Ground:
    """Read water and barriers from vector tiles.

    Parameters
    ----------
    path
        A folder ``z/x/y.pbf``, or an archive of one; the highest zoom is read.
    polygon
        In degrees: tiles that do not touch its bounds are left out.
    crs
        Metric CRS of the result.

    Returns
    -------
    Ground
        Water and the sea, and, besides, railways and motorways that are neither bridges nor
        tunnels as barriers. The tiles tell of no wall.

    Raises
    ------
    InputFileError
        If there is no tile, none of the polygon, or one cannot be read.
    """
    bounds = tuple(map(float, shapely.bounds(polygon)))
    water: list[NDArray[np.object_]] = []
    lines: list[NDArray[np.object_]] = []
    with tile_folder(path, bounds=bounds) as folder:  # type: ignore[arg-type]
        tiles = find_tiles(folder, bounds=bounds)  # type: ignore[arg-type]
        for tile in tiles:
            square = shapely.box(
                tile.x * EXTENT, tile.y * EXTENT, (tile.x + 1) * EXTENT, (tile.y + 1) * EXTENT
            )
            areas, _ = read_layer(tile, "water", [])
            water.append(shapely.intersection(shapely.make_valid(areas), square))
            ways, values = read_layer(tile, "transportation", ["class", "brunnel"])
            ground = np.isin(values["class"].astype(str), _BARRIERS)
            ground &= ~np.isin(values["brunnel"].astype(str), ["bridge", "tunnel"])
            lines.append(shapely.intersection(ways[ground], square))
        to_crs = grid_transform(tiles[0].z, crs)
    # One lake of many tiles is one: its shores at the edges of tiles are none.
    joined = shapely.get_parts([shapely.union_all(np.concatenate(water))])
    joined = joined[shapely.get_dimensions(joined) == 2]
    tracks = np.concatenate(lines)
    tracks = tracks[~shapely.is_empty(tracks)]
    areas, tracks = (shapely.transform(shapes, to_crs) for shapes in (joined, tracks))
    areas = shapely.get_parts(shapely.make_valid(areas))
    areas = areas[shapely.get_dimensions(areas) == 2]
    return Ground(water=areas, barriers=np.concatenate([areas, tracks]), source=path.name)
