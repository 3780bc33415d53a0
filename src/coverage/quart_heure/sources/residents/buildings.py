"""Buildings by whose volume people are shared out, read from a layer of footprints."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from numpy.typing import NDArray

from quart_heure.errors import InputFileError
from quart_heure.sources.areas.names import find_column
from quart_heure.sources.layers import check_layer, choose_layer, read_layer
from quart_heure.sources.projecting import mended, projected
from quart_heure.sources.residents.residents import Buildings, ResidentZones

if TYPE_CHECKING:
    import geopandas as gpd


LEVEL_M = 3.0
"""Height of one level, where only levels are known."""

_HIGHEST_M = 1000.0
"""No building is as high: what says so is a slip, or a value that means no data."""

_HEIGHT = ("height", "height_m", "hauteur", "building:height", "render_height", "h_med")
_LEVELS = ("levels", "building:levels", "building_levels", "nombre_d_etages", "nb_etages", "etages")


def read_buildings(
    path: Path, zones: ResidentZones
) -> tuple[Buildings, tuple[Mapping[str, Any], ...]]:
    """Read the buildings of some zones.

    Parameters
    ----------
    path
        A layer of polygons, with a column of heights in metres or of levels. A building that says
        neither takes the median height of the others; where none does, all count by footprint.
    zones
        Where buildings are wanted, and the CRS.

    Returns
    -------
    buildings
        Footprints in the CRS of the zones.
    problems
        Rows of a table of problems.

    Raises
    ------
    InputFileError
        If the file is missing, unreadable or holds no polygon.
    CrsError
        If the layer has no CRS.
    """
    import geopandas as gpd  # noqa: PLC0415 - imported where a file is really read

    ground = gpd.GeoSeries([shapely.box(*shapely.total_bounds(zones.shapes))], crs=zones.crs)
    name, told = choose_layer(path, polygons=True, around=ground)
    layer = read_layer(path, layer=name, around=ground)
    check_layer(layer, path)
    shapes, _ = mended(projected(layer, zones.crs, path).geometry.to_numpy())
    usable = (shapely.get_dimensions(shapes) == 2) & (shapely.area(shapes) > 0)
    if not usable.any():
        msg = f"{path}: there is no polygon with an area where people live."
        raise InputFileError(msg, hint="Give the footprints of the buildings of the place.")
    height_m = _heights(layer)[usable]
    known = (height_m > 0) & (height_m < _HIGHEST_M)
    problems = [*told]
    if not usable.all():
        problems.append(_told(path, (~usable).sum(), "no footprint", "left out"))
    if not known.all():
        usual_m = float(np.median(height_m[known])) if known.any() else LEVEL_M
        height_m = np.where(known, height_m, usual_m)
        value = f"{(~known).sum()} / {len(known)}"
        problems.append(_told(path, value, "height of buildings not known", "taken as the median"))
    return Buildings(shapes=shapes[usable], height_m=height_m), tuple(problems)


def _heights(layer: gpd.GeoDataFrame) -> NDArray[np.float64]:
    """Return the height of each building in metres, NaN where it is not known."""
    height_m = np.full(len(layer), np.nan)
    for usual, factor in ((_HEIGHT, 1.0), (_LEVELS, LEVEL_M)):
        column = find_column(layer, usual)
        if column is not None:
            found = np.array([_first_number(value) for value in layer[column]]) * factor
            height_m = np.where(height_m > 0, height_m, found)
    return height_m


def _first_number(value: Any) -> float:
    """Read "12", "12,5 m" or 12: mappers write heights in many ways."""
    match = re.match(r"\s*(\d+(?:[.,]\d+)?)", str(value))
    return float(match[1].replace(",", ".")) if match else float("nan")


def _told(path: Path, value: object, reason: str, action: str) -> Mapping[str, Any]:
    return {
        "file": path.name,
        "row": None,
        "field": "buildings",
        "value": str(value),
        "reason": reason,
        "action": action,
    }
