"""The ground of the map, drawn from the study's own data: water, parks, districts, streets.

Streets and the places of their names are those of the walking network itself.
"""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING

import numpy as np
import shapely
from numpy.typing import NDArray

from quart_heure.outputs.map.data import (
    Bounds,
    District,
    Ground,
    LatLng,
    PlaceName,
    Rings,
    Scenery,
    Shape,
    Steps,
)
from quart_heure.outputs.map.found_places import found_places, postcode_of
from quart_heure.outputs.map.street_map import Parts, StreetLabels, Stretches, street_map
from quart_heure.outputs.shapes import Pen, inner_points, simplified

if TYPE_CHECKING:
    import geopandas as gpd

    from quart_heure.network.graph import WalkNetwork
    from quart_heure.sources.areas.areas import StudyArea
    from quart_heure.study.coverage import Coverage


_SURROUNDINGS_M = 800
"""How far around the area main streets, water and parks are drawn."""

_GROUND_TOLERANCE_M = 8.0

_NAMED_PLACE_HA = 4
"""Water and parks at least this large carry their name."""

# By importance; the page shows each class from its own zoom on.
_MAIN_CLASSES = (("primary", "trunk"), ("secondary",), ("tertiary",))
_LESSER_CLASS = ("residential", "unclassified", "living_street", "pedestrian")

_LESSER_LIMIT_KM = 3_000
"""The lesser streets are drawn if they are no longer than this, to keep the file small."""

_STREET_TOLERANCE_M = 5.0

_NAME_EVERY_M = 900
_NAME_SHORTEST_M = 120
_NAME_HALF_M = 60
"""A name is written along the chord of this half-length around its place."""


def ground(
    coverage: Coverage,
    background: gpd.GeoDataFrame | None,
    pen: Pen,
    *,
    telling: re.Pattern[str] | None = None,
) -> Ground:
    """Return what lies under and over the coverage.

    Parameters
    ----------
    coverage
        A published coverage.
    background
        Columns kind (``water``, ``park`` …), name and geometry in the CRS of the study.
    pen
        Writes the shapes.
    telling
        Found in the names of places that would tell of one that is not shown.
    """
    area = coverage.study.area
    around = shapely.buffer(area.geometry.simplify(50), _SURROUNDINGS_M, quad_segs=4)
    frame = shapely.box(*around.bounds)
    scenery, place_names = _places(background, frame, pen)
    known = coverage.study.ground
    if "water" not in scenery and known is not None and len(known.water):
        scenery["water"] = _water(known.water, frame, pen)
    lines, names, labels = streets(
        coverage.study.network, area=area.geometry, around=around, pen=pen
    )
    parts = Parts(area)
    stretches = Stretches.of(coverage.study.network, parts, names, pen)
    found = found_places(background, parts, pen, area=area, telling=telling)
    if found is None:
        places = coverage.study.named_places()
        found = found_places(places, parts, pen, area=area, telling=telling)
    return Ground(
        bounds=_bounds(area.geometry, pen),
        area=pen.polygons(simplified([area.geometry], _GROUND_TOLERANCE_M))[0],
        districts=_districts(area, pen),
        scenery=scenery,
        place_names=place_names,
        parts=parts.names,
        streets=street_map(lines, stretches.names, labels, stretches),
        found=found,
    )


def points(xy: NDArray[np.float64], pen: Pen) -> list[LatLng]:
    """Return places of the study as points of the page."""
    return [LatLng(lat=lat, lng=lng) for lng, lat in pen.degrees(xy)]


def _bounds(shape: shapely.Geometry, pen: Pen) -> Bounds:
    corners = points(shapely.get_coordinates(shapely.box(*shape.bounds)), pen)
    lngs, lats = [corner.lng for corner in corners], [corner.lat for corner in corners]
    return Bounds(west=min(lngs), south=min(lats), east=max(lngs), north=max(lats))


def _districts(area: StudyArea, pen: Pen) -> list[District]:
    shapes = area.districts.geometry.to_numpy()
    # Neighbours share their border to the vertex: simplified as one, they still do.
    shapes = shapely.coverage_simplify(shapes, _GROUND_TOLERANCE_M)
    return [
        District(
            id=str(identifier),
            label=str(label),
            at=at,
            shape=shape,
            postcode=postcode_of(str(identifier)),
        )
        for identifier, label, at, shape in zip(
            area.districts["district_id"],
            area.districts["label"],
            points(inner_points(shapes), pen),
            pen.polygons(shapes),
            strict=True,
        )
    ]


def _places(
    background: gpd.GeoDataFrame | None, frame: shapely.Polygon, pen: Pen
) -> tuple[dict[str, Scenery], list[PlaceName]]:
    """Return water, parks … by kind, and the names of the large ones, the largest first."""
    scenery: dict[str, Scenery] = {}
    names: list[PlaceName] = []
    if background is None:
        return scenery, names
    seen = background[shapely.intersects(background.geometry.to_numpy(), frame)]
    # Points are there to be found, not to be drawn.
    seen = seen[shapely.get_dimensions(seen.geometry.to_numpy()) > 0]
    for kind, rows in sorted(seen.groupby(seen["kind"].astype(str), sort=True)):
        shapes = rows.geometry.to_numpy()
        lines = shapely.get_dimensions(shapes) == 1
        scenery[kind] = Scenery(
            areas=_flat(pen.polygons(simplified(shapes[~lines], _GROUND_TOLERANCE_M))),
            lines=pen.lines(simplified(shapes[lines], _GROUND_TOLERANCE_M)),
        )
        names += _names_of_large(rows["name"].fillna("").to_numpy(str), shapes, kind, frame, pen)
    names.sort(key=lambda place: (-place.area_ha, place.name))
    return scenery, names


def _water(shapes: NDArray[np.object_], frame: shapely.Polygon, pen: Pen) -> Scenery:
    """Return the water that cells are judged by, as far as it is seen: a sea is large."""
    parts = shapely.get_parts(shapely.intersection(shapes, frame))
    parts = parts[(shapely.get_dimensions(parts) == 2) & ~shapely.is_empty(parts)]
    return Scenery(areas=_flat(pen.polygons(simplified(parts, _GROUND_TOLERANCE_M))), lines=[])


def _names_of_large(
    names: NDArray[np.str_],
    shapes: NDArray[np.object_],
    kind: str,
    frame: shapely.Polygon,
    pen: Pen,
) -> list[PlaceName]:
    """Return the names of what is large enough to carry one."""
    every, of_name = np.unique(names, return_inverse=True)
    areas = np.bincount(of_name, weights=shapely.area(shapes), minlength=len(every))
    found = []
    for i in np.flatnonzero((areas >= _NAMED_PLACE_HA * 10_000) & (every != "")):
        shape = shapely.union_all(shapely.intersection(shapes[of_name == i], frame))
        parts = shapely.get_parts(shape)
        if shape.area >= _NAMED_PLACE_HA * 10_000:
            largest = parts[[int(np.argmax(shapely.area(parts)))]]
            (at,) = points(inner_points(largest), pen)
            area_ha = round(shape.area / 10_000)
            found.append(PlaceName(name=str(every[i]), kind=kind, area_ha=area_ha, at=at))
    return found


def _flat(shapes: list[Shape]) -> list[Rings]:
    return [part for shape in shapes for part in shape]


def streets(
    network: WalkNetwork, *, area: shapely.Geometry, around: shapely.Geometry, pen: Pen
) -> tuple[list[list[Steps]], list[str], StreetLabels]:
    """Return streets by class, their names, and places for these along them.

    Parameters
    ----------
    network
        The walking network.
    area
        Where all streets are drawn.
    around
        Where main streets are drawn.
    pen
        Writes the shapes.
    """
    near = _ends_within(network, around) & ~network.tunnel
    chosen = [near & _of_kinds(network, kinds) for kinds in _MAIN_CLASSES]
    lesser = near & _of_kinds(network, _LESSER_CLASS)
    lesser[lesser] = _ends_within(network, area, of=lesser)
    if network.length_m[lesser].sum() <= _LESSER_LIMIT_KM * 1000:
        chosen.append(lesser)
    position: dict[str, int] = {}
    lines: list[list[Steps]] = []
    labels: list[NDArray[np.float64]] = []
    for level, edges in enumerate(chosen):
        joined = _joined(network, np.flatnonzero(edges))
        lines.append(pen.lines(simplified(joined.lines, _STREET_TOLERANCE_M)))
        labels.append(_labels(joined, level, position, pen))
    columns = np.rint(np.concatenate(labels)).astype(int).T.tolist()
    x, y, angle_deg, room_m, of_level, name = columns
    found = StreetLabels(x=x, y=y, angle_deg=angle_deg, room_m=room_m, level=of_level, name=name)
    return lines, list(position), found


@dataclasses.dataclass(frozen=True, eq=False)
class _Joined:
    """Streets joined by name into as few lines as possible."""

    lines: NDArray[np.object_]
    names: list[str]


def _of_kinds(network: WalkNetwork, kinds: tuple[str, ...]) -> NDArray[np.bool_]:
    codes = [code for code, kind in enumerate(network.kinds) if kind in kinds]
    return np.isin(network.kind_code, codes)


def _ends_within(
    network: WalkNetwork, area: shapely.Geometry, *, of: NDArray[np.bool_] | None = None
) -> NDArray[np.bool_]:
    """Tell which edges have an end in an area."""
    chosen = slice(None) if of is None else of
    shapely.prepare(area)
    first = network.xy[network.offsets[:-1][chosen]]
    last = network.xy[network.offsets[1:][chosen] - 1]
    found = shapely.intersects_xy(area, first[:, 0], first[:, 1])
    return np.asarray(found | shapely.intersects_xy(area, last[:, 0], last[:, 1]))


def _joined(network: WalkNetwork, edges: NDArray[np.intp]) -> _Joined:
    if len(edges) == 0:
        return _Joined(np.empty(0, dtype=object), [])
    edges = edges[np.argsort(network.name_code[edges], kind="stable")]
    names, group = np.unique(network.name_code[edges], return_inverse=True)
    lines = shapely.multilinestrings(_lines(network, edges), indices=group)
    merged, street = shapely.get_parts(shapely.line_merge(lines), return_index=True)
    return _Joined(merged, [network.names[names[s]] for s in street])


def _lines(network: WalkNetwork, edges: NDArray[np.intp]) -> NDArray[np.object_]:
    """Return the shapes of some edges without building those of all."""
    counts = np.diff(network.offsets)[edges]
    line = np.repeat(np.arange(len(edges)), counts)
    starts = np.repeat(network.offsets[edges] - np.append(0, np.cumsum(counts)[:-1]), counts)
    vertices = starts + np.arange(len(line))
    return np.asarray(shapely.linestrings(network.xy[vertices], indices=line))


def _labels(
    streets: _Joined, level: int, position: dict[str, int], pen: Pen
) -> NDArray[np.float64]:
    """Return a row per place of a name, the longest streets first; columns of `StreetLabels`."""
    length_m = shapely.length(streets.lines)
    named = np.array([name != "" for name in streets.names], dtype=bool)
    chosen = np.argsort(-length_m, kind="stable")
    chosen = chosen[(named & (length_m >= _NAME_SHORTEST_M))[chosen]]
    if len(chosen) == 0:
        return np.empty((0, 6))
    counts = np.maximum(1, np.rint(length_m[chosen] / _NAME_EVERY_M)).astype(int)
    line = np.repeat(chosen, counts)
    turn = np.arange(len(line)) - np.repeat(np.append(0, np.cumsum(counts)[:-1]), counts)
    along_m = (turn + 0.5) / np.repeat(counts, counts) * length_m[line]
    shapes = streets.lines[line]
    at, before, after = (
        shapely.get_coordinates(shapely.line_interpolate_point(shapes, np.maximum(m, 0)))
        for m in (along_m, along_m - _NAME_HALF_M, along_m + _NAME_HALF_M)
    )
    # Screen angles turn clockwise; a name is never written upside down.
    angle = -np.degrees(np.arctan2(*(after - before).T[::-1]))
    room = np.minimum(length_m[line], _NAME_EVERY_M)
    names = [position.setdefault(streets.names[i], len(position)) for i in line.tolist()]
    return np.column_stack(
        [pen.units(at), (angle + 90) % 180 - 90, room, np.full(len(line), level), names]
    )
