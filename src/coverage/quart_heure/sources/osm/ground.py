"""The ground of raw OpenStreetMap data: water, and what nobody walks straight across.

Streets say where one walks. What lies between them is told by other objects of the same file:
water, the sea beyond its coastline, tracks, motorways, walls and fences.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np
import osmium
import pyproj
import shapely
from numpy.typing import NDArray
from osmium.osm import Area, Way

from quart_heure.errors import InputFileError
from quart_heure.sources.background import Ground
from quart_heure.sources.projecting import transformer

WATER_TAGS = {
    "natural": {"water"},
    "waterway": {"riverbank", "dock"},
    "landuse": {"reservoir", "basin"},
}
BARRIER_TAGS = {
    "railway": {"rail", "light_rail", "narrow_gauge", "subway"},
    "highway": {"motorway", "motorway_link"},
    "barrier": {"wall", "city_wall", "retaining_wall", "fence"},
}
_KEYS = ("natural", "waterway", "landuse", "railway", "highway", "barrier")
_RIGHT_M = 0.5
"""The sea lies to the right of its coastline: a point this far beside it is in it."""


def read_osm_ground(path: Path, *, polygon: shapely.Geometry, crs: pyproj.CRS) -> Ground:
    """Read water and barriers from an OpenStreetMap file.

    Parameters
    ----------
    path
        As for the streets (see `quart_heure.sources.osm.files.read_osm_file`).
    polygon
        In degrees: what does not meet its bounds is left out.
    crs
        Metric CRS of the result.

    Returns
    -------
    Ground
        Water: ``natural=water``, river banks, docks, reservoirs and basins, and the sea where its
        coastline is closed within the file. Barriers: water; railways on the ground, motorways,
        walls and fences. A wall or fence that runs in a ring is an area: who is within may leave.

    Raises
    ------
    InputFileError
        If the file cannot be read.
    """
    water, lines, coast = _read(path, shapely.box(*shapely.bounds(polygon)))
    to_metres = transformer(4326, crs)

    def projected(shapes: list[shapely.Geometry]) -> NDArray[np.object_]:
        flat = np.array(shapes, dtype=object)
        moved: NDArray[np.object_] = shapely.transform(
            flat, lambda xy: np.stack(to_metres.transform(xy[:, 0], xy[:, 1]), axis=1)
        )
        return moved

    frame = projected([shapely.segmentize(shapely.box(*shapely.bounds(polygon)), 0.01)])[0]
    sea = sea_of(projected(coast), frame)
    valid = np.concatenate([shapely.make_valid(projected(water)), sea])
    walls = projected(lines)
    closed = shapely.is_ring(walls)
    rings = np.array([shapely.Polygon(ring) for ring in walls[closed]], dtype=object)
    return Ground(
        water=valid,
        barriers=np.concatenate([valid, shapely.make_valid(rings), walls[~closed]]),
        source=path.name,
    )


def sea_of(coast: NDArray[np.object_], frame: shapely.Polygon) -> NDArray[np.object_]:
    """Return what lies to the right of a coastline, within a frame.

    Parameters
    ----------
    coast
        Lines that run with the land on their left.
    frame
        Where the sea ends.

    Returns
    -------
    NDArray
        Polygons. Where the coastline ends within the frame, as that of an extract does, it is led
        on to the nearest side of it. A face that lies to the right of one piece and to the left of
        another is not known to be sea and is left out.
    """
    near = coast[shapely.intersects(coast, frame)]
    if len(near) == 0:
        return np.empty(0, dtype=object)
    merged = shapely.get_parts([shapely.line_merge(shapely.union_all(near))])
    ends = shapely.get_parts(shapely.boundary(merged[~shapely.is_ring(merged)]))
    ends = shapely.get_coordinates(ends[shapely.intersects(ends, frame)])
    sides = shapely.shortest_line(shapely.points(ends), frame.exterior)
    # A little beyond the frame: only lines that cross it surely are joined to it.
    beyond = 2 * shapely.get_coordinates(sides)[1::2] - ends
    ways_on = shapely.linestrings(np.stack([ends, beyond], axis=1)) if len(ends) else []
    drawn = shapely.union_all([*near, *ways_on, frame.exterior])
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts([drawn])))
    faces = faces[shapely.intersects(frame, shapely.point_on_surface(faces))]
    xy, line = shapely.get_coordinates(near, return_index=True)
    within = line[1:] == line[:-1]
    start, end = xy[:-1][within], xy[1:][within]
    step = end - start
    length = np.hypot(*step.T)[:, None]
    aside = np.divide(step[:, ::-1] * (1, -1), length, out=np.zeros_like(step), where=length > 0)
    middle = (start + end) / 2
    tree = shapely.STRtree(faces)
    votes = np.zeros((2, len(faces)), dtype=np.int64)
    for side, sign in enumerate((1, -1)):
        points = shapely.points(middle + sign * _RIGHT_M * aside)
        face = tree.query(points, predicate="intersects")[1]
        votes[side] = np.bincount(face, minlength=len(faces))
    sea: NDArray[np.object_] = faces[(votes[0] > 0) & (votes[1] == 0)]
    return sea


def _read(
    path: Path, frame: shapely.Polygon
) -> tuple[list[shapely.Geometry], list[shapely.Geometry], list[shapely.Geometry]]:
    """Return water, barriers and coastline in degrees, as far as they meet a frame."""
    found: dict[str, list[shapely.Geometry]] = {"water": [], "barrier": [], "coast": []}
    try:
        for kind, _, shape in shapes_of(path, _KEYS, _kind):
            if shapely.intersects(frame, shape):
                found[kind].append(shape)
    except (RuntimeError, OSError) as error:
        msg = f"{path}: cannot be read as OpenStreetMap data ({error})."
        raise InputFileError(msg, hint="The file is damaged or of another kind.") from error
    return found["water"], found["barrier"], found["coast"]


def shapes_of(
    path: Path, keys: Iterable[str], kind_of: Callable[[Mapping[str, str], bool], str]
) -> Iterator[tuple[str, Mapping[str, str], shapely.Geometry]]:
    """Give kind, tags and shape in degrees of the ways and areas of a file.

    Parameters
    ----------
    path
        A file of OpenStreetMap data.
    keys
        Those that the wanted ones have.
    kind_of
        What one of these tags is, and whether it is an area; "" leaves it out.
    """
    factory = osmium.geom.WKBFactory()
    wanted = osmium.filter.KeyFilter(*keys)
    for one in osmium.FileProcessor(str(path)).with_areas(wanted).with_filter(wanted):
        if not isinstance(one, (Way, Area)):
            continue
        tags, is_area = dict(one.tags), isinstance(one, Area)
        kind = kind_of(tags, is_area)
        if not kind:
            continue
        try:
            if isinstance(one, Area):
                made = factory.create_multipolygon(one)
            else:
                made = factory.create_linestring(one)
        except (RuntimeError, osmium.InvalidLocationError):
            continue  # a node of it lies outside the file
        yield kind, tags, shapely.from_wkb(made)


def _kind(tags: Mapping[str, str], is_area: bool) -> str:
    """Return water, coast, barrier, or "" for an object of these tags."""
    if is_area:
        return "water" if has_one_of(tags, WATER_TAGS) and not is_covered(tags) else ""
    if tags.get("natural") == "coastline":
        return "coast"
    return "barrier" if has_one_of(tags, BARRIER_TAGS) and not is_raised(tags) else ""


def is_covered(tags: Mapping[str, str]) -> bool:
    """Tell whether there is ground above: a canal under a boulevard, a tank."""
    return tags.get("tunnel", "no") != "no" or tags.get("covered", "no") != "no"


def is_raised(tags: Mapping[str, str]) -> bool:
    """Tell whether a line runs on a bridge, in a tunnel or on another level than the ground."""
    return (
        tags.get("bridge", "no") != "no"
        or tags.get("tunnel", "no") != "no"
        or tags.get("layer", "0") != "0"
        or tags.get("covered") == "yes"
    )


def has_one_of(tags: Mapping[str, str], kinds: Mapping[str, set[str]]) -> bool:
    """Tell whether tags have one of some values of some keys."""
    return any(tags.get(key) in values for key, values in kinds.items())
