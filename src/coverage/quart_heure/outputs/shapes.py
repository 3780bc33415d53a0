"""Shapes of the map: simplified for drawing, in degrees, as short lists of whole numbers.

A ring or a line is ``[x, y, dx, dy, dx, dy, …]`` in units of 0.00001° (about a metre), each point
as the step from the one before. Steps are short numbers: a third of the bytes of GeoJSON.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray

from quart_heure.outputs.degrees import degrees_of

UNITS_PER_DEGREE = 100_000

_STRAIGHT_M2 = 1e-3
"""Twice the area of a triangle below which its three corners are in line."""

_FEWEST_CORNERS = 3

Shapes = NDArray[np.object_]
Steps = list[int]


class Pen:
    """Writes shapes of one metric CRS as steps in degrees.

    Parameters
    ----------
    crs
        The CRS of the shapes.
    """

    def __init__(self, crs: pyproj.CRS) -> None:
        self._crs = crs

    def units(self, xy: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return coordinates in whole units of degrees; shape (n, 2), longitude first."""
        return np.asarray(np.rint(degrees_of(xy, self._crs) * UNITS_PER_DEGREE), np.int64)

    def degrees(self, xy: NDArray[np.float64]) -> list[list[float]]:
        """Return points as [longitude, latitude] with five decimals."""
        found: list[list[float]] = (self.units(xy) / UNITS_PER_DEGREE).tolist()
        return found

    def polygons(self, shapes: Sequence[shapely.Geometry] | Shapes) -> list[list[list[Steps]]]:
        """Return for each polygon or multipolygon its parts, each a list of rings."""
        parts, shape_of_part = shapely.get_parts(np.asarray(shapes, object), return_index=True)
        areal = shapely.get_type_id(parts) == shapely.GeometryType.POLYGON
        parts, shape_of_part = parts[areal], shape_of_part[areal]
        rings, part_of_ring = shapely.get_rings(parts, return_index=True)
        # A ring ends where it began: the page closes it again.
        steps = self._steps(rings, drop_last=True)
        by_part: list[list[Steps]] = [[] for _ in parts]
        for part, ring in zip(part_of_ring.tolist(), steps, strict=True):
            by_part[part].append(ring)
        found: list[list[list[Steps]]] = [[] for _ in shapes]
        for shape, part_rings in zip(shape_of_part.tolist(), by_part, strict=True):
            found[shape].append(part_rings)
        return found

    def lines(self, shapes: Sequence[shapely.Geometry] | Shapes) -> list[Steps]:
        """Return all lines of the shapes."""
        return self._steps(shapely.get_parts(np.asarray(shapes, object)), drop_last=False)

    def _steps(self, lines: Shapes, *, drop_last: bool) -> list[Steps]:
        xy, line = shapely.get_coordinates(lines, return_index=True)
        if len(xy) == 0:
            return [[] for _ in lines]
        units = self.units(xy)
        first = np.ones(len(line), dtype=bool)
        first[1:] = line[1:] != line[:-1]
        steps = units.copy()
        steps[1:][~first[1:]] -= units[:-1][~first[1:]]
        keep = first | (steps != 0).any(axis=1)
        if drop_last:
            keep[np.append(np.flatnonzero(first)[1:], len(line)) - 1] = False
        counts = np.bincount(line[keep], minlength=len(lines))
        flat = steps[keep].ravel().tolist()
        ends = np.cumsum(counts * 2).tolist()
        starts = [0, *ends[:-1]]
        return [flat[start:end] for start, end in zip(starts, ends, strict=True)]


def inner_points(shapes: Shapes) -> NDArray[np.float64]:
    """Return a point in the broadest part of each polygon, where a name or a number can stand."""
    # The circle comes as the line from its centre to its rim.
    radii = shapely.maximum_inscribed_circle(shapes, tolerance=10)
    return np.asarray(shapely.get_coordinates(radii)[::2])


def simplified(shapes: Sequence[shapely.Geometry] | Shapes, tolerance_m: float) -> Shapes:
    """Drop vertices that move an outline by less than a tolerance; none vanishes or crosses."""
    return np.asarray(
        shapely.simplify(np.asarray(shapes, object), tolerance_m, preserve_topology=True)
    )


def round_corners(
    shapes: Sequence[shapely.Geometry] | Shapes, cell_m: float
) -> NDArray[np.object_]:
    """Draw outlines that follow the sides of cells through the middles of those sides.

    Stairs become slopes and straight sides stay where they are, so that an outline of cells reads
    as the limit it stands for. Small zones keep their place and most of their area.
    """
    dense = shapely.segmentize(np.asarray(shapes, object), cell_m * 1.0001)
    return np.asarray([_through_middles(shape) for shape in dense], dtype=object)


def _through_middles(shape: shapely.Geometry) -> shapely.Geometry:
    polygons = []
    for part in shapely.get_parts(shape):
        outer, *holes = (
            _middles(shapely.get_coordinates(ring)) for ring in shapely.get_rings(part)
        )
        polygons.append(shapely.Polygon(outer, holes))
    return polygons[0] if len(polygons) == 1 else shapely.MultiPolygon(polygons)


def _middles(xy: NDArray[np.float64]) -> NDArray[np.float64]:
    middles = (xy[:-1] + xy[1:]) / 2
    # Points along a straight run say nothing, and there are many.
    step = np.concatenate([middles[1:], middles[:1]]) - middles
    before = np.concatenate([step[-1:], step[:-1]])
    turns = np.abs(step[:, 0] * before[:, 1] - step[:, 1] * before[:, 0]) > _STRAIGHT_M2
    corners = middles[turns] if np.count_nonzero(turns) >= _FEWEST_CORNERS else middles
    return np.concatenate([corners, corners[:1]])
