"""Isochrones: contours of the surface of minutes.

All thresholds of a category are cuts through one field, so a larger one contains a smaller one.
Holes and islands are kept: they are what a gap looks like.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyproj
import shapely
from numpy.typing import NDArray

if TYPE_CHECKING:
    import contourpy
    import geopandas as gpd


_FAR_MIN = 1e6
"""Stands for unreachable in the field, where a contour cannot pass through infinity."""


def isochrones_of(
    drawn: Mapping[str, Sequence[shapely.MultiPolygon]],
    thresholds_min: Sequence[float],
    crs: pyproj.CRS,
) -> gpd.GeoDataFrame:
    """Return a row per category and threshold, with the area in hectares.

    Parameters
    ----------
    drawn
        The isochrone of each category at each threshold.
    """
    import geopandas as gpd  # noqa: PLC0415 - see the design: heavy imports wait

    rows, shapes = [], []
    for category, of_category in drawn.items():
        for threshold, shape in zip(thresholds_min, of_category, strict=True):
            rows.append((category, threshold, shapely.area(shape) / 10_000))
            shapes.append(shape)
    columns = ["category", "threshold_min", "area_ha"]
    return gpd.GeoDataFrame(pd.DataFrame(rows, columns=columns), geometry=shapes, crs=crs)


def contour_polygons(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    minutes: NDArray[np.float64],
    thresholds_min: tuple[float, ...],
    *,
    clip: shapely.Geometry,
) -> list[shapely.MultiPolygon]:
    """Return the places within each threshold, as one MultiPolygon each.

    Parameters
    ----------
    x, y
        Centres of the columns and rows of cells in metres; shapes (c,) and (r,).
    minutes
        Minutes at each centre, inf where unreachable or off the network; shape (r, c).
    thresholds_min
        Minutes to cut at.
    clip
        The study area: nothing is drawn outside it.

    Returns
    -------
    list of MultiPolygon
        In the order of the thresholds; empty where nothing is within reach.

    Notes
    -----
    Between centres the field is bilinear. Towards a cell that is off the network the contour stays
    at the last centre, so a drawing is up to half a cell smaller there than the cells it stands
    for. Figures are counted on cells, never on these drawings.
    """
    import contourpy  # noqa: PLC0415 - most tables do without isochrones

    field = np.where(np.isfinite(minutes), minutes, _FAR_MIN)
    generator = contourpy.contour_generator(
        x, y, field, fill_type=contourpy.FillType.ChunkCombinedOffsetOffset
    )
    shapely.prepare(clip)
    return [_cut(generator, threshold, clip) for threshold in thresholds_min]


def _cut(
    generator: contourpy.ContourGenerator, threshold_min: float, clip: shapely.Geometry
) -> shapely.MultiPolygon:
    filled: Any = generator.filled(-1.0, threshold_min)
    points, rings, outers = filled
    if points[0] is None:
        return shapely.MultiPolygon()
    polygons = shapely.from_ragged_array(
        shapely.GeometryType.POLYGON, points[0], (rings[0], outers[0])
    )
    invalid = ~shapely.is_valid(polygons)
    if invalid.any():
        # Where minutes are just the threshold, rings touch themselves and each other. Taken for
        # lines, they would be put together anew, and holes that touch be filled.
        polygons[invalid] = shapely.make_valid(
            polygons[invalid], method="structure", keep_collapsed=False
        )
    # Most parts lie well within the area: only those on its boundary need cutting.
    within = shapely.contains(clip, polygons)
    cut = shapely.intersection(polygons[~within], clip)
    parts = shapely.get_parts(np.concatenate([polygons[within], cut]))
    parts = parts[shapely.get_type_id(parts) == shapely.GeometryType.POLYGON]
    return shapely.MultiPolygon(list(parts[~shapely.is_empty(parts)]))
