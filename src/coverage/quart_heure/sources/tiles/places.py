"""Named places of vector tiles in OpenMapTiles form, which people search a map by."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyproj
import shapely

from quart_heure.sources.named_places import KIND_OF, place_table
from quart_heure.sources.projecting import transformer
from quart_heure.sources.tiles.archive import tile_folder
from quart_heure.sources.tiles.files import find_tiles, grid_transform, read_layer

if TYPE_CHECKING:
    import geopandas as gpd

    from quart_heure.sources.tiles.files import Tile

_STATION = "Gare "
"""The largest stations are a building alone, which has no class."""

_NAME, _CLASS, _SUBCLASS = "name:latin", "class", "subclass"


def read_tile_places(path: Path, *, polygon: shapely.Geometry, crs: pyproj.CRS) -> gpd.GeoDataFrame:
    """Read the places of a polygon from vector tiles.

    Parameters
    ----------
    path
        A folder ``z/x/y.pbf``, or an archive of one; the highest zoom is read.
    polygon
        In degrees: what is outside is left out.
    crs
        Metric CRS of the result.

    Returns
    -------
    GeoDataFrame
        kind, name and geometry (points), by kind and name.

    Raises
    ------
    InputFileError
        If there is no tile, none of the polygon, or one cannot be read.
    """
    bounds = tuple(map(float, shapely.bounds(polygon)))
    with tile_folder(path, bounds=bounds) as folder:  # type: ignore[arg-type]
        tiles = find_tiles(folder, bounds=bounds)  # type: ignore[arg-type]
        found = [place for tile in tiles for place in _places(tile)]
    shapes = np.array([shape for _, _, shape in found], dtype=object)
    shapes = shapely.transform(shapes, grid_transform(tiles[0].z, crs))
    to_metres = transformer(4326, crs)
    wanted = shapely.transform(
        polygon, lambda xy: np.stack(to_metres.transform(xy[:, 0], xy[:, 1]), axis=1)
    )
    inside = shapely.intersects(shapes, wanted).tolist()
    rows = zip(found, shapes, inside, strict=True)
    return place_table([(kind, name, at) for (kind, name, _), at, here in rows if here], crs=crs)


def _places(tile: Tile) -> list[tuple[str, str, shapely.Geometry]]:
    """Return the places of a tile, in whole units of its grid."""
    rows = []
    for layer in ("poi", "place"):
        shapes, values = read_layer(tile, layer, [_CLASS, _SUBCLASS, _NAME])
        for shape, name, kind, finer in zip(
            shapes, values[_NAME], values[_CLASS], values[_SUBCLASS], strict=True
        ):
            told = KIND_OF.get(str(finer or kind or ""), "")
            if not told and name and not kind and str(name).startswith(_STATION):
                told = "station"
            if told and name:
                rows.append((told, str(name), shape))
    return rows
