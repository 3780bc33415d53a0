"""Named places of raw OpenStreetMap data, which people search a map by."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import osmium
import pyproj
import shapely
from osmium.osm import Area, Node

from quart_heure.errors import InputFileError
from quart_heure.sources.named_places import KIND_OF, place_table
from quart_heure.sources.projecting import transformer

if TYPE_CHECKING:
    import geopandas as gpd

PLACE_TAGS = {
    "amenity": {
        *("bicycle_rental", "hospital", "library", "marketplace", "place_of_worship"),
        *("townhall", "university", "grave_yard"),
    },
    "landuse": {"cemetery"},
    "leisure": {"park", "stadium"},
    "place": {"neighbourhood", "quarter", "suburb", "town"},
    "railway": {"halt", "station"},
    "tourism": {"attraction", "museum", "viewpoint"},
}
_ALSO = {"grave_yard": "cemetery"}


def read_osm_places(path: Path, *, polygon: shapely.Geometry, crs: pyproj.CRS) -> gpd.GeoDataFrame:
    """Read the places of a polygon from an OpenStreetMap file.

    Parameters
    ----------
    path
        As for the streets (see `quart_heure.sources.osm.files.read_osm_file`).
    polygon
        In degrees: what is outside is left out. An area lies where a point surely within it does.
    crs
        Metric CRS of the result.

    Returns
    -------
    GeoDataFrame
        kind, name and geometry (points), by kind and name.

    Raises
    ------
    InputFileError
        If the file cannot be read.
    """
    factory = osmium.geom.WKBFactory()
    keys = osmium.filter.KeyFilter(*PLACE_TAGS)
    found: list[tuple[str, str, shapely.Geometry]] = []
    try:
        for one in osmium.FileProcessor(str(path)).with_areas(keys).with_filter(keys):
            if not isinstance(one, (Node, Area)):
                continue
            tags = dict(one.tags)
            kind, name = _kind(tags), tags.get("name", "").strip()
            if not kind or not name:
                continue
            try:
                made = (
                    factory.create_point(one)
                    if isinstance(one, Node)
                    else factory.create_multipolygon(one)
                )
            except (RuntimeError, osmium.InvalidLocationError):
                continue  # a node of it lies outside the file
            at = shapely.point_on_surface(shapely.from_wkb(made))
            if shapely.intersects(polygon, at):
                found.append((kind, name, at))
    except (RuntimeError, OSError) as error:
        msg = f"{path}: cannot be read as OpenStreetMap data ({error})."
        raise InputFileError(msg, hint="The file is damaged or of another kind.") from error
    to_metres = transformer(4326, crs)
    xy = shapely.get_coordinates([at for _, _, at in found]).reshape(-1, 2)
    points = shapely.points(np.stack(to_metres.transform(*xy.T), axis=1))
    rows = zip(found, points, strict=True)
    return place_table([(kind, name, at) for (kind, name, _), at in rows], crs=crs)


def _kind(tags: Mapping[str, str]) -> str:
    if "social_facility" in tags:
        return ""  # whether that is told is for the table of services to say
    for key, words in PLACE_TAGS.items():
        word = tags.get(key, "")
        if word in words:
            return KIND_OF[_ALSO.get(word, word)]
    return ""
