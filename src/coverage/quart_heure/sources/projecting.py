"""Shapes brought into metres: which CRS keeps lengths, and polygons that hold once projected."""

from __future__ import annotations

import functools
import warnings
from typing import TYPE_CHECKING

import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray

from quart_heure.errors import CrsError

if TYPE_CHECKING:
    import geopandas as gpd


_SCALE_ERROR = 0.005
"""A metre of a metric CRS may be this much longer or shorter than one on the ground."""

_FRANCE = shapely.box(-5.5, 41.2, 9.8, 51.3)
"""Metropolitan France in degrees, where Lambert-93 is the national metric system."""

_LAMBERT_93 = 2154

_LEAST_HOLE_M2 = 1e-6
"""A hole smaller than this is three corners in one place."""


def check_crs(layer: gpd.GeoDataFrame, origin: object) -> None:
    """Refuse a layer without a CRS: nobody knows where its shapes are.

    Raises
    ------
    CrsError
        If it has none.
    """
    if layer.crs is None:
        msg = f"{origin}: the layer has no coordinate reference system."
        raise CrsError(msg, hint="Save it with one (EPSG:4326 for degrees, EPSG:2154 for metres).")


@functools.lru_cache(maxsize=64)
def transformer(
    origin: pyproj.CRS | int | str, target: pyproj.CRS | int | str
) -> pyproj.Transformer:
    """Return what turns coordinates of a CRS into those of another; east before north.

    PROJ takes longer to find the way than to go it with a city: each is looked up once.

    Raises
    ------
    pyproj.exceptions.ProjError
        If there is none.
    """
    return pyproj.Transformer.from_crs(origin, target, always_xy=True)


def check_places(crs: pyproj.CRS, origin: object) -> pyproj.CRS:
    """Return a CRS if it is one of places on a map of this Earth.

    Heights, sites of builders, distances from the middle of the Earth and other planets have
    theirs, too.

    Raises
    ------
    CrsError
        If it is not.
    """
    known = crs.is_geographic or crs.is_projected
    if known:
        try:
            transformer(crs, 4326)
        except pyproj.exceptions.ProjError:
            known = False
    if not known:
        msg = f"{origin}: its CRS, {crs.name!r}, is not one of places on a map."
        raise CrsError(msg, hint="Save it in EPSG:4326 or another known CRS.")
    return crs


def projected(layer: gpd.GeoDataFrame, crs: object, origin: object) -> gpd.GeoDataFrame:
    """Return a layer in another CRS.

    Raises
    ------
    CrsError
        If it has no CRS, or one whose places are not on the globe.
    """
    check_crs(layer, origin)
    check_places(pyproj.CRS(layer.crs), origin)
    try:
        return layer.to_crs(crs)
    except Exception as error:
        # PROJ has many ways to say that a CRS is not one of places on the globe.
        reason = " ".join(str(error).split())[:200]
        msg = f"{origin}: its places cannot be turned into degrees ({reason})."
        raise CrsError(msg, hint="Save it in EPSG:4326 or another known CRS.") from error


def metric_crs(geometry: shapely.Geometry) -> pyproj.CRS:
    """Return the metric CRS for a geometry in degrees.

    EPSG:2154 (Lambert-93) in metropolitan France, else the UTM zone of the centroid.

    Raises
    ------
    CrsError
        If the coordinates are not degrees.
    """
    west, south, east, north = shapely.bounds(geometry)
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        msg = f"Coordinates {west:.1f} … {east:.1f}, {south:.1f} … {north:.1f} are not degrees."
        raise CrsError(msg, hint="Check the coordinate reference system of the area.")
    if shapely.covers(_FRANCE, geometry):
        return pyproj.CRS.from_epsg(_LAMBERT_93)
    centre = shapely.centroid(geometry)
    zone = min(int((centre.x + 180) // 6) + 1, 60)
    return pyproj.CRS.from_epsg((32600 if centre.y >= 0 else 32700) + zone)


def keeps_lengths(crs: pyproj.CRS, degrees: tuple[float, float, float, float]) -> bool:
    """Tell whether a metre of a CRS is a metre on the ground, within 0.5 %, all over a place.

    Parameters
    ----------
    crs
        A projected CRS.
    degrees
        West, south, east and north of the place.

    Notes
    -----
    The least and the greatest scale at each of 25 points of the place are the axes of Tissot's
    ellipse there, as `pyproj.Proj.get_factors` gives them.
    """
    if not (crs.is_projected and crs.axis_info[0].unit_conversion_factor == 1):
        return False
    west, south, east, north = degrees
    lon, lat = np.meshgrid(np.linspace(west, east, 5), np.linspace(south, north, 5))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what a projection lacks as text is not needed here
            factors = pyproj.Proj(crs).get_factors(lon, lat)
    except pyproj.exceptions.ProjError:
        return False
    scale = np.array([factors.tissot_semimajor, factors.tissot_semiminor])
    return bool((np.abs(scale - 1) <= _SCALE_ERROR).all())


def mended(shapes: NDArray[np.object_]) -> tuple[NDArray[np.object_], NDArray[np.intp]]:
    """Return polygons that are all valid, and the positions of those that were not.

    Lines and points that come apart are dropped, and so are holes of three corners in one place:
    both are what is left of rounding, and neither has any ground.
    """
    bad = ~shapely.is_valid(shapes) & ~shapely.is_missing(shapes)
    bad |= _has_empty_hole(shapes)
    at = np.flatnonzero(bad)
    if not len(at):
        return shapes, at
    shapes = shapes.copy()
    for row in at.tolist():
        shapes[row] = mend_polygon(shapes[row])
    return shapes, at


def mend_polygon(shape: shapely.Geometry) -> shapely.Geometry:
    """Return a valid polygon of the same ground; lines and points that come apart are dropped.

    What of a hole lies outside its shell is no ground, and is dropped with them.
    """
    valid = shapely.make_valid(_without_holes_outside(shape))
    if valid.geom_type not in {"Polygon", "MultiPolygon"}:
        parts = shapely.get_parts(valid)
        valid = shapely.union_all(parts[shapely.get_dimensions(parts) == 2])
    if not _has_empty_hole(np.array([valid], dtype=object))[0]:
        return valid
    kept = []
    for part in shapely.get_parts(valid):
        holes = [ring for ring in part.interiors if _ring_m2(ring) > _LEAST_HOLE_M2]
        kept.append(shapely.Polygon(part.exterior, holes))
    return kept[0] if len(kept) == 1 else shapely.MultiPolygon(kept)


def _without_holes_outside(shape: shapely.Geometry) -> shapely.Geometry:
    """Return a polygon without what of its holes lies outside: lines alone make that ground."""
    if shape.geom_type not in {"Polygon", "MultiPolygon"}:
        return shape
    parts = list(shapely.get_parts(shape))
    for at, part in enumerate(parts):
        shell = shapely.make_valid(shapely.Polygon(part.exterior))
        holes = [shapely.make_valid(shapely.Polygon(ring)) for ring in part.interiors]
        if not all(shapely.covers(shell, hole) for hole in holes):
            parts[at] = shapely.difference(shell, shapely.union_all(holes))
    polygons = [
        one for part in parts for one in shapely.get_parts(part) if one.geom_type == "Polygon"
    ]
    return polygons[0] if len(polygons) == 1 else shapely.MultiPolygon(polygons)


def _has_empty_hole(shapes: NDArray[np.object_]) -> NDArray[np.bool_]:
    """Tell which polygons have a hole without any ground."""
    found = np.zeros(len(shapes), dtype=bool)
    parts, owner = shapely.get_parts(shapes, return_index=True)
    holed = shapely.get_num_interior_rings(parts) > 0
    parts, owner = parts[holed], owner[holed]
    rings, part = shapely.get_rings(parts, return_index=True)
    inner = np.append(False, part[1:] == part[:-1])[: len(part)]  # the first ring is the outer one
    rings, part = rings[inner], part[inner]
    empty = shapely.area(shapely.polygons(rings)) <= _LEAST_HOLE_M2
    found[owner[part[empty]]] = True
    return found


def _ring_m2(ring: shapely.LinearRing) -> float:
    return float(shapely.area(shapely.Polygon(ring)))
