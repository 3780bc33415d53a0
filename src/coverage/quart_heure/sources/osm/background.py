"""The background of raw OpenStreetMap data: what maps draw, what is no land, what one looks for.

Walls and fences are left out: a city has more of them than of streets, and on the scale of a map
they tell nothing. Streets that are read from a file have them all the same, see
`quart_heure.sources.osm.ground`.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import osmium
import pandas as pd
import pyproj
import shapely
from osmium.osm import mutable

from quart_heure.errors import InputFileError
from quart_heure.sources.osm.ground import (
    BARRIER_TAGS,
    WATER_TAGS,
    has_one_of,
    is_covered,
    is_raised,
    sea_of,
    shapes_of,
)
from quart_heure.sources.osm.grounds import GROUND_TAGS
from quart_heure.sources.osm.places import PLACE_TAGS, read_osm_places
from quart_heure.sources.projecting import transformer

if TYPE_CHECKING:
    import geopandas as gpd

_PARKS = {
    "leisure": {"garden", "park"},
    "landuse": {"cemetery", "forest", "recreation_ground", "village_green"},
    "natural": {"wood"},
    "amenity": {"grave_yard"},
}
_RAILWAY_LAND = {"landuse": {"railway"}}
_COAST = {"natural": {"coastline"}}
_RAILS = {"railway": BARRIER_TAGS["railway"]}
_MOTORWAYS = {"highway": BARRIER_TAGS["highway"]}
_DRAWN = (WATER_TAGS, _PARKS, _RAILWAY_LAND, _COAST, _RAILS, _MOTORWAYS)

SIMPLIFY_M = 4.0
MIN_AREA_M2 = {"park": 4000.0, "rail": 10000.0}
"""Smaller ones are not seen at the scale of a city. Water of any size is nobody's ground."""

_ORDER = ("node", "way", "relation")
_Piece = tuple[str, str, shapely.Geometry]


def background_tags() -> dict[str, list[str]]:
    """Return, by key, the values of the tags that a background is made of.

    Among them is what walks across squares go round, which streets are read with.
    """
    found: dict[str, set[str]] = {}
    for tags in (*_DRAWN, PLACE_TAGS, GROUND_TAGS):
        for key, values in tags.items():
            found.setdefault(key, set()).update(values)
    return {key: sorted(values) for key, values in sorted(found.items())}


def background_of_elements(
    elements: Sequence[Mapping[str, Any]],
    *,
    around: shapely.Geometry,
    area: shapely.Geometry,
    crs: pyproj.CRS,
) -> gpd.GeoDataFrame:
    """Make a background of the elements of Overpass answers, as `read_osm_background` does.

    Parameters
    ----------
    elements
        Nodes, ways and relations in any order, repeated or not.
    around, area, crs
        As there.
    """
    with tempfile.TemporaryDirectory(prefix="quart-heure-") as folder:
        # osmium knows how rings of ways make areas, and reads files alone.
        path = Path(folder) / "background.osm.pbf"
        _write(elements, path)
        return read_osm_background(path, around=around, area=area, crs=crs)


def read_osm_background(
    path: Path, *, around: shapely.Geometry, area: shapely.Geometry, crs: pyproj.CRS
) -> gpd.GeoDataFrame:
    """Read water, parks, railways, motorways, and places to find by name.

    Parameters
    ----------
    path
        As for the streets (see `quart_heure.sources.osm.files.read_osm_file`).
    around
        In degrees: what is drawn is cut to it. A coastline must be whole in it.
    area
        In degrees: places to find by name lie in it.
    crs
        Metric CRS of the result.

    Returns
    -------
    GeoDataFrame
        kind, name and geometry. Polygons: ``water``, the sea too, as it is drawn in OpenStreetMap;
        ``park`` and ``rail`` (the land of railways), simplified, the small ones left out. Lines:
        ``rail`` and ``motorway``, bridges and tunnels apart. Points: the kinds of
        `quart_heure.sources.named_places`.

    Raises
    ------
    InputFileError
        If the file cannot be read.
    """
    import geopandas as gpd  # noqa: PLC0415 - heavy

    to_metres = transformer(4326, crs)

    def projected(shape: shapely.Geometry) -> shapely.Geometry:
        return shapely.transform(
            shape, lambda xy: np.stack(to_metres.transform(xy[:, 0], xy[:, 1]), axis=1)
        )

    frame = shapely.make_valid(projected(shapely.segmentize(around, 0.01)))
    try:
        pieces = [
            (kind, name, shapely.make_valid(projected(shape)))
            for kind, name, shape in _read(path)
            if shapely.intersects(around, shape)
        ]
    except (RuntimeError, OSError) as error:
        msg = f"{path}: cannot be read as OpenStreetMap data ({error})."
        raise InputFileError(msg, hint="The file is damaged or of another kind.") from error
    coast = np.array([shape for kind, _, shape in pieces if kind == "coast"], dtype=object)
    for part in shapely.get_parts(frame):
        if shapely.get_dimensions(part) == 2:
            pieces += [("water", "", sea) for sea in sea_of(coast, shapely.Polygon(part.exterior))]
    rows = [piece for kind in ("park", "rail", "water") for piece in _areas(pieces, kind, frame)]
    rows += [piece for kind in ("motorway", "rail") for piece in _lines(pieces, kind, frame)]
    drawn = gpd.GeoDataFrame(
        pd.DataFrame(rows, columns=["kind", "name", "geometry"]), geometry="geometry", crs=crs
    )
    parts = [drawn, read_osm_places(path, polygon=area, crs=crs)]
    return pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)


def _write(elements: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Write elements as a file, each once, in the order that osmium wants."""
    once = {(str(each["type"]), int(each["id"])): each for each in reversed(elements)}
    with osmium.SimpleWriter(str(path)) as writer:
        for kind, osm_id in sorted(once, key=lambda key: (_ORDER.index(key[0]), key[1])):
            element = once[kind, osm_id]
            tags = dict(element.get("tags", {}))
            if kind == "node":
                place = (float(element["lon"]), float(element["lat"]))
                writer.add_node(mutable.Node(id=osm_id, location=place, tags=tags))
            elif kind == "way":
                nodes = list(element.get("nodes", ()))
                writer.add_way(mutable.Way(id=osm_id, nodes=nodes, tags=tags))
            else:
                # Of an area only its ways tell anything.
                members = [
                    ("w", int(member["ref"]), str(member.get("role", "")))
                    for member in element.get("members", ())
                    if member.get("type") == "way" and "ref" in member
                ]
                writer.add_relation(mutable.Relation(id=osm_id, members=members, tags=tags))


def _read(path: Path) -> Iterator[_Piece]:
    """Give kind, name and shape in degrees of what is drawn, and of coastlines."""
    keys = sorted({key for tags in _DRAWN for key in tags})
    for kind, tags, shape in shapes_of(path, keys, _kind):
        # Tracks are named by the line, or the platform, and each of them by another.
        name = "" if kind == "rail" else " ".join(tags.get("name", "").split())
        yield kind, name, shape


def _kind(tags: Mapping[str, str], is_area: bool) -> str:
    if is_area:
        shown = {"water": WATER_TAGS, "park": _PARKS, "rail": _RAILWAY_LAND}
        kind = next((kind for kind, known in shown.items() if has_one_of(tags, known)), "")
        return "" if kind == "water" and is_covered(tags) else kind
    if has_one_of(tags, _COAST):
        return "coast"
    if is_raised(tags):
        return ""
    if has_one_of(tags, _RAILS):
        return "rail"
    return "motorway" if has_one_of(tags, _MOTORWAYS) else ""


def _areas(pieces: Sequence[_Piece], kind: str, frame: shapely.Geometry) -> list[_Piece]:
    """Join areas of one name, cut them to a frame; the largest first."""
    found = []
    for name, shapes in _by_name(pieces, kind, dimension=2):
        whole = shapely.intersection(shapely.union_all(shapes), frame)
        if kind in MIN_AREA_M2:
            whole = shapely.simplify(whole, SIMPLIFY_M)
        parts = shapely.get_parts(shapely.make_valid(whole))
        parts = parts[shapely.get_dimensions(parts) == 2]
        parts = parts[shapely.area(parts) >= MIN_AREA_M2.get(kind, 0.0)]
        found += [(kind, name, part) for part in shapely.normalize(parts)]
    return sorted(found, key=lambda piece: (-piece[2].area, piece[1], piece[2].wkb))


def _lines(pieces: Sequence[_Piece], kind: str, frame: shapely.Geometry) -> list[_Piece]:
    """Join lines of one name and cut them to a frame."""
    found = []
    for name, shapes in _by_name(pieces, kind, dimension=1):
        whole = shapely.line_merge(shapely.intersection(shapely.union_all(shapes), frame))
        parts = shapely.get_parts(whole)
        parts = parts[(shapely.get_dimensions(parts) == 1) & ~shapely.is_empty(parts)]
        found += [(kind, name, part) for part in shapely.normalize(parts)]
    return sorted(found, key=lambda piece: (piece[1], piece[2].wkb))


def _by_name(
    pieces: Sequence[_Piece], kind: str, *, dimension: int
) -> list[tuple[str, list[shapely.Geometry]]]:
    found: dict[str, list[shapely.Geometry]] = {}
    for of, name, shape in pieces:
        if of == kind and shapely.get_dimensions(shape) == dimension:
            found.setdefault(name, []).append(shape)
    return sorted(found.items())
