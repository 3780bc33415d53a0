"""Places that the page finds by name: points of a background, or of the data of streets."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

import numpy as np
import shapely

from quart_heure.outputs.map.data import FoundPlaces
from quart_heure.outputs.map.street_map import Parts, packed_names
from quart_heure.outputs.map.walk_streets import packed_points, planes
from quart_heure.outputs.results.rows import printable
from quart_heure.outputs.shapes import Pen
from quart_heure.sources.areas.areas import StudyArea
from quart_heure.sources.areas.names import bare_name

if TYPE_CHECKING:
    import geopandas as gpd

_POINT = 0

_INSEE = re.compile(r"(75)1(\d\d)|(69)38(\d)|(13)2(\d\d)")
"""Arrondissements of Paris, Lyon and Marseille: their posts count from 75001, 69001 and 13001."""


def postcode_of(district_id: str) -> str:
    """Return the postcode that the INSEE code of an arrondissement tells, "" for any other id.

    Examples
    --------
    >>> postcode_of("75118"), postcode_of("69383"), postcode_of("13216"), postcode_of("92012")
    ('75018', '69003', '13016', '')
    """
    found = _INSEE.fullmatch(district_id)
    if found is None:
        return ""
    department, number = (part for part in found.groups() if part is not None)
    return f"{department}{int(number):03}"


def found_places(
    places: gpd.GeoDataFrame | None,
    parts: Parts,
    pen: Pen,
    *,
    area: StudyArea,
    telling: re.Pattern[str] | None = None,
) -> FoundPlaces | None:
    """Return the points of a layer that have a name, packed; None where there are none.

    Parameters
    ----------
    places
        Columns kind, name and geometry in the CRS of the study: a background, or places alone.
    parts
        What they are said to lie in.
    pen
        Writes the places.
    area
        Where they are looked for; what is called like one of its districts is that.
    telling
        Found in the names of those to leave out: they would tell of a place that is not shown.
    """
    if places is None:
        return None
    shapes = places.geometry.to_numpy()
    names = places["name"].fillna("").astype(str).map(printable).to_numpy(str)
    wanted = (shapely.get_type_id(shapes) == _POINT) & (names != "")
    wanted[wanted] = shapely.intersects(shapes[wanted], area.geometry)
    districts = {bare_name(str(label)) for label in area.districts["label"]}
    wanted[wanted] = [bare_name(name) not in districts for name in names[wanted]]
    if telling is not None:
        wanted[wanted] = [not _tells(name, telling) for name in names[wanted]]
    if not wanted.any():
        return None
    order = np.flatnonzero(wanted)
    order = order[np.argsort(names[order], kind="stable")]
    kinds, kind = np.unique(places["kind"].astype(str).to_numpy(str)[order], return_inverse=True)
    xy = shapely.get_coordinates(shapes[order])
    return FoundPlaces(
        names=packed_names(names[order].tolist()),
        kinds=kinds.tolist(),
        kind=planes(kind),
        at=packed_points(np.diff(pen.units(xy), axis=0, prepend=0)),
        part=planes(parts.holding(xy)),
    )


def _tells(name: str, telling: re.Pattern[str]) -> bool:
    """Tell whether a name has that of a hidden place in it, with its accents or without."""
    bare = "".join(
        sign for sign in unicodedata.normalize("NFD", name) if not unicodedata.combining(sign)
    )
    return telling.search(name) is not None or telling.search(bare) is not None
