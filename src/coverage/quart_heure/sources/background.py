"""The background of maps: water, parks and the like, which no figure depends on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import shapely

from quart_heure.errors import CrsError, InputFileError
from quart_heure.sources.areas.areas import check_layer, read_layer

if TYPE_CHECKING:
    import geopandas as gpd
    import pyproj


def read_background(path: Path, *, crs: pyproj.CRS) -> gpd.GeoDataFrame:
    """Read what is drawn under maps.

    Parameters
    ----------
    path
        GeoJSON, GeoPackage, GeoParquet or shapefile with a column ``kind`` (``water``, ``park`` …);
        ``name`` is optional.
    crs
        The CRS that is wanted.

    Raises
    ------
    InputFileError
        If the file is missing or unreadable, or lacks the column.
    CrsError
        If the layer has no CRS.
    """
    layer = read_layer(path)
    check_layer(layer, path)
    if "kind" not in layer.columns:
        msg = f"{path}: there is no column 'kind', which says what is water or park."
        columns = ", ".join(str(name) for name in layer.columns)
        raise InputFileError(msg, hint=f"Columns are {columns}; or leave background out of [map].")
    if layer.crs is None:
        msg = f"{path}: the layer has no coordinate reference system."
        raise CrsError(msg, hint="Save it with one (EPSG:4326 for degrees, EPSG:2154 for metres).")
    if "name" not in layer.columns:
        layer["name"] = ""
    layer = layer.to_crs(crs)
    # It only is drawn: what can be mended need not be told.
    return layer.set_geometry(shapely.make_valid(layer.geometry.to_numpy()), crs=crs)
