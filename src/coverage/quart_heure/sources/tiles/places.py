"""Named places of vector tiles in OpenMapTiles form, which people search a map by.

Kinds are few and known to everybody: a station, a town hall, a quarter. Shops and offices are left
out, and so is what helps people in need: whether that is told is for the table of services to say.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyproj
import shapely

from quart_heure.sources.tiles.archive import tile_folder
from quart_heure.sources.tiles.files import find_tiles, grid_transform, read_layer

if TYPE_CHECKING:
    import geopandas as gpd

    from quart_heure.sources.tiles.files import Tile

_KINDS = {
    "attraction": "attraction",
    "bicycle_rental": "bicycle_rental",
    "cemetery": "cemetery",
    "halt": "station",
    "hospital": "hospital",
    "library": "library",
    "marketplace": "market",
    "museum": "museum",
    "neighbourhood": "quarter",
    "park": "park",
    "place_of_worship": "worship",
    "quarter": "quarter",
    "stadium": "stadium",
    "station": "station",
    "suburb": "quarter",
    "town": "town",
    "townhall": "town_hall",
    "university": "university",
    "viewpoint": "attraction",
}
"""By the subclass of a place, or its class where it has none."""

_STATION = "Gare "
"""The largest stations are a building alone, which has no class."""

_SAME_M = 400.0
"""Places of one name and kind that are nearer to each other are one."""

_EXHIBIT_M, _EXHIBITS = 150.0, 8
"""Attractions with so many others this near are what is shown in one: the animals of a zoo."""

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
    import geopandas as gpd  # noqa: PLC0415 - heavy

    bounds = tuple(map(float, shapely.bounds(polygon)))
    with tile_folder(path, bounds=bounds) as folder:  # type: ignore[arg-type]
        tiles = find_tiles(folder, bounds=bounds)  # type: ignore[arg-type]
        found = pd.concat([_places(tile) for tile in tiles], ignore_index=True)
        shapes = shapely.transform(found["geometry"].to_numpy(), grid_transform(tiles[0].z, crs))
    table = gpd.GeoDataFrame(found[["kind", "name"]], geometry=shapes, crs=crs)
    inside = gpd.GeoSeries([polygon], crs=4326).to_crs(crs).iloc[0]
    table = table[shapely.intersects(table.geometry.to_numpy(), inside)]
    return _without_exhibits(_once(table))


def _without_exhibits(table: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    attraction = np.flatnonzero(table["kind"] == "attraction")
    shapes = table.geometry.to_numpy()[attraction]
    of, _ = shapely.STRtree(shapes).query(shapes, predicate="dwithin", distance=_EXHIBIT_M)
    crowded = np.bincount(of, minlength=len(shapes)) > _EXHIBITS
    return table.drop(index=table.index[attraction[crowded]]).reset_index(drop=True)


def _places(tile: Tile) -> pd.DataFrame:
    """Return the places of a tile, in whole units of its grid."""
    rows = []
    for layer in ("poi", "place"):
        shapes, values = read_layer(tile, layer, [_CLASS, _SUBCLASS, _NAME])
        for shape, name, kind, finer in zip(
            shapes, values[_NAME], values[_CLASS], values[_SUBCLASS], strict=True
        ):
            told = _KINDS.get(str(finer or kind or ""), "")
            if not told and name and not kind and str(name).startswith(_STATION):
                told = "station"
            if told and name:
                rows.append((told, " ".join(str(name).split()), shape))
    return pd.DataFrame(rows, columns=["kind", "name", "geometry"])


def _once(table: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return each place once, in an order that does not hang on that of the tiles."""
    xy = shapely.get_coordinates(shapely.centroid(table.geometry.to_numpy())).round(1)
    table = table.set_geometry(shapely.points(xy), crs=table.crs)
    order = np.lexsort((xy[:, 1], xy[:, 0], table["name"], table["kind"]))
    table, xy = table.iloc[order], xy[order]
    kept: list[int] = []
    seen: dict[tuple[str, str], list[int]] = {}
    for n, key in enumerate(zip(table["kind"], table["name"], strict=True)):
        same = seen.setdefault(key, [])
        if all(np.hypot(*(xy[n] - xy[other])) >= _SAME_M for other in same):
            same.append(n)
            kept.append(n)
    return table.iloc[kept].reset_index(drop=True)
