"""Named places that people search a map by: stations, town halls, quarters, as points.

Kinds are few and known to everybody. Shops and offices are left out, and so is what helps people in
need: whether that is told is for the table of services to say.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

if TYPE_CHECKING:
    import geopandas as gpd
    import pyproj

KIND_OF = {
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
"""Kinds of places by the word that OpenStreetMap has for them."""

_SAME_M = 400.0
"""Places of one name and kind that are nearer to each other are one."""

_EXHIBIT_M, _EXHIBITS = 150.0, 8
"""Attractions with so many others this near are shown in one, such as the animals of a zoo."""


def place_table(
    found: Sequence[tuple[str, str, shapely.Geometry]], *, crs: pyproj.CRS
) -> gpd.GeoDataFrame:
    """Return places, each once, in an order that does not hang on that of their source.

    Parameters
    ----------
    found
        Kind, name and shape of each, in ``crs``.
    crs
        Metric CRS.

    Returns
    -------
    GeoDataFrame
        kind, name and geometry (points), by kind and name.
    """
    import geopandas as gpd  # noqa: PLC0415 - heavy

    rows = [(kind, " ".join(name.split())) for kind, name, _ in found]
    shapes = np.array([shape for _, _, shape in found], dtype=object)
    frame = pd.DataFrame(rows, columns=["kind", "name"])
    return _without_exhibits(_once(gpd.GeoDataFrame(frame, geometry=shapes, crs=crs)))


def _without_exhibits(table: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    attraction = np.flatnonzero(table["kind"] == "attraction")
    shapes = table.geometry.to_numpy()[attraction]
    of, _ = shapely.STRtree(shapes).query(shapes, predicate="dwithin", distance=_EXHIBIT_M)
    crowded = np.bincount(of, minlength=len(shapes)) > _EXHIBITS
    return table.drop(index=table.index[attraction[crowded]]).reset_index(drop=True)


def _once(table: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
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
