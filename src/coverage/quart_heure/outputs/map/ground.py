"""The ground of the map, drawn from the study's own data: water, parks, streets, districts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from numpy.typing import NDArray

from quart_heure.outputs.map.streets import streets
from quart_heure.outputs.shapes import Pen, inner_points, simplified

if TYPE_CHECKING:
    import geopandas as gpd

    from quart_heure.sources.areas.areas import StudyArea
    from quart_heure.study.coverage import Coverage


_SURROUNDINGS_M = 800
"""How far around the area main streets, water and parks are drawn."""

_GROUND_TOLERANCE_M = 8.0

_NAMED_PLACE_HA = 4
"""Water and parks at least this large carry their name."""


def ground(coverage: Coverage, background: gpd.GeoDataFrame | None, pen: Pen) -> dict[str, Any]:
    """Return what lies under and over the coverage, as plain data for the page.

    Parameters
    ----------
    coverage
        A published coverage.
    background
        Columns kind (``water``, ``park`` …), name and geometry in the CRS of the study.
    pen
        Writes the shapes.
    """
    area = coverage.study.area
    around = shapely.buffer(area.geometry.simplify(50), _SURROUNDINGS_M, quad_segs=4)
    frame = shapely.box(*around.bounds)
    inner = _degree_bounds(area.geometry, pen)
    return {
        "bounds": list(inner),
        "area": pen.polygons(simplified([area.geometry], _GROUND_TOLERANCE_M))[0],
        "districts": _districts(area, pen),
        **_places(background, frame, pen),
        **streets(coverage.study.network, area=area.geometry, around=around, pen=pen),
    }


def _degree_bounds(shape: shapely.Geometry, pen: Pen) -> tuple[float, float, float, float]:
    corners = shapely.get_coordinates(shapely.box(*shape.bounds))
    degrees = np.array(pen.degrees(corners))
    low, high = degrees.min(axis=0).tolist(), degrees.max(axis=0).tolist()
    return low[0], low[1], high[0], high[1]


def _districts(area: StudyArea, pen: Pen) -> list[dict[str, Any]]:
    shapes = area.districts.geometry.to_numpy()
    # Neighbours share their border to the vertex: simplified as one, they still do.
    shapes = shapely.coverage_simplify(shapes, _GROUND_TOLERANCE_M)
    centres = inner_points(shapes)
    return [
        {"id": str(identifier), "label": str(label), "at": at, "shape": shape}
        for identifier, label, at, shape in zip(
            area.districts["district_id"],
            area.districts["label"],
            pen.degrees(centres),
            pen.polygons(shapes),
            strict=True,
        )
    ]


def _places(
    background: gpd.GeoDataFrame | None, frame: shapely.Polygon, pen: Pen
) -> dict[str, Any]:
    """Return areas of water, parks … by kind, and the names of the large ones."""
    places: dict[str, Any] = {}
    names: list[list[Any]] = []
    if background is None:
        return {"places": places, "place_names": names}
    seen = background[shapely.intersects(background.geometry.to_numpy(), frame)]
    for kind, rows in sorted(seen.groupby(seen["kind"].astype(str), sort=True)):
        shapes = rows.geometry.to_numpy()
        lines = shapely.get_dimensions(shapes) == 1
        places[kind] = {
            "areas": _flat(pen.polygons(simplified(shapes[~lines], _GROUND_TOLERANCE_M))),
            "lines": pen.lines(simplified(shapes[lines], _GROUND_TOLERANCE_M)),
        }
        names += _names_of_large(rows["name"].fillna("").to_numpy(str), shapes, kind, frame, pen)
    names.sort(key=lambda row: (-row[2], row[0]))
    return {"places": places, "place_names": names}


def _names_of_large(
    names: NDArray[np.str_],
    shapes: NDArray[np.object_],
    kind: str,
    frame: shapely.Polygon,
    pen: Pen,
) -> list[list[Any]]:
    """Return rows of name, kind, hectares and place, for what is large enough to carry a name."""
    every, of_name = np.unique(names, return_inverse=True)
    areas = np.bincount(of_name, weights=shapely.area(shapes), minlength=len(every))
    found: list[list[Any]] = []
    for i in np.flatnonzero((areas >= _NAMED_PLACE_HA * 10_000) & (every != "")):
        shape = shapely.union_all(shapely.intersection(shapes[of_name == i], frame))
        parts = shapely.get_parts(shape)
        if shape.area >= _NAMED_PLACE_HA * 10_000:
            largest = parts[[int(np.argmax(shapely.area(parts)))]]
            at = pen.degrees(inner_points(largest))[0]
            found.append([str(every[i]), kind, round(shape.area / 10_000), at])
    return found


def _flat(shapes: list[list[Any]]) -> list[Any]:
    return [part for shape in shapes for part in shape]
