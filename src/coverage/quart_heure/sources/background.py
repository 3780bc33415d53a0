"""The background of maps: water, parks and the like, which no figure depends on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import shapely

from quart_heure.errors import InputFileError
from quart_heure.sources.layers import check_layer, read_layers
from quart_heure.sources.projecting import projected

if TYPE_CHECKING:
    import geopandas as gpd
    import pyproj


def read_background(path: Path, *, crs: pyproj.CRS) -> gpd.GeoDataFrame:
    """Read what is drawn under maps.

    Parameters
    ----------
    path
        Layers (all that the file has) with a column ``kind`` (``water``, ``park`` …); ``name`` is
        optional.
    crs
        The CRS that is wanted.

    Raises
    ------
    InputFileError
        If the file is missing or unreadable, or lacks the column.
    CrsError
        If the layer has no CRS.
    """
    parts = []
    for name, layer in read_layers(path).items():
        where = f"{path}, {name}" if name else f"{path}"
        check_layer(layer, where)
        if "kind" not in layer.columns:
            msg = f"{where}: there is no column 'kind', which says what is water or park."
            columns = ", ".join(str(column) for column in layer.columns)
            hint = f"Columns are {columns}; or leave background out of [map]."
            raise InputFileError(msg, hint=hint)
        if "name" not in layer.columns:
            layer["name"] = ""
        parts.append(projected(layer, crs, where))
    whole = parts[0] if len(parts) == 1 else pd.concat(parts, ignore_index=True)
    # It only is drawn: what can be mended need not be told.
    return whole.set_geometry(shapely.make_valid(whole.geometry.to_numpy()), crs=crs)
