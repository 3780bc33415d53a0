"""What a name stands for: of all that Nominatim finds, the boundary or the inhabited place.

Its search takes words for anything that bears them: "La Turbie, France" may be a hotel "de France"
in a street of that name, and a stadium has an outline as well as a town.
"""

from __future__ import annotations

import dataclasses
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

import shapely

from quart_heure.errors import GeometryError
from quart_heure.sources.texts import fold

SMALLEST_KM2 = 0.1
"""Nothing smaller is taken for a territory by its name."""

_TERRITORIES = frozenset({"boundary", "place"})
_OUTLINES = frozenset({"Polygon", "MultiPolygon"})
_HINT = "Check the spelling and add the country, or use --insee or --polygon."


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Place:
    """What a name stands for: ``relation_id`` is 0 if it is no relation; shapes in degrees."""

    name: str
    full_name: str
    relation_id: int
    geometry: shapely.Geometry
    area_km2: float


def search(name: str) -> tuple[list[dict[str, Any]], str]:
    """Ask Nominatim for a name, and for the country that stands behind its last comma.

    Returns
    -------
    tuple
        Its results as they come, and the code of the country, "" if none was typed.
    """
    about: dict[str, str | int] = {"format": "json", "addressdetails": 1}
    found = _request({**about, "polygon_geojson": 1, "dedupe": 0, "limit": 50, "q": name})
    _, comma, last = name.rpartition(",")
    if not comma or not last.strip():
        return found, ""
    countries = _request({**about, "featureType": "country", "limit": 1, "q": last.strip()})
    return found, _country(countries[0]) if countries else ""


def choose_place(name: str, results: Sequence[Mapping[str, Any]], country: str) -> Place:
    """Return the most important of all results that may be a territory.

    Parameters
    ----------
    name
        What was typed.
    results
        As Nominatim gives them, with outlines and addresses.
    country
        Code of the country that was typed, "" if none was.

    Raises
    ------
    GeometryError
        If nothing has that name, or only what is no territory: no outline, neither boundary nor
        inhabited place, in another country, or smaller than 0.1 km².
    """
    refused = []
    for result in sorted(results, key=lambda r: -float(r.get("importance") or 0)):
        shape = result.get("geojson") or {}
        if shape.get("type") not in _OUTLINES:
            continue
        full_name = str(result.get("display_name") or name)
        geometry = shapely.geometry.shape(shape)
        area_km2 = area_of(geometry)
        why = _why_not(name, result, area_km2, country)
        if not why:
            is_relation = result.get("osm_type") == "relation"
            return Place(
                name=str(result.get("name") or name),
                full_name=full_name,
                relation_id=int(result["osm_id"]) if is_relation else 0,
                geometry=geometry,
                area_km2=area_km2,
            )
        refused.append(f"{full_name} ({why})")
    if refused:
        more = f", and {len(refused) - 1} more" if len(refused) > 1 else ""
        msg = f"Nominatim knows no territory named {name!r}, only {refused[0]}{more}."
    else:
        what = "place with an outline" if results else "place"
        msg = f"Nominatim knows no {what} named {name!r}."
    raise GeometryError(msg, hint=_HINT)


def area_of(geometry: shapely.Geometry) -> float:
    """Return the km² of a shape in degrees, on the ellipsoid."""
    import pyproj  # noqa: PLC0415 - see the note on imports in the package

    area_m2, _ = pyproj.Geod(ellps="WGS84").geometry_area_perimeter(
        shapely.orient_polygons(geometry)
    )
    return abs(float(area_m2)) / 1e6


def format_km2(area_km2: float) -> str:
    """Return an area as people read it.

    Examples
    --------
    >>> format_km2(105.37), format_km2(2.083), format_km2(0.0004)
    ('105 km²', '2.08 km²', '0.0004 km²')
    """
    if area_km2 >= 100:
        return f"{area_km2:,.0f} km²"
    return f"{area_km2:.3g} km²"


def _why_not(name: str, result: Mapping[str, Any], area_km2: float, country: str) -> str:
    kind = str(result.get("class") or result.get("category") or "thing")
    if kind not in _TERRITORIES:
        return f"{kind} {result.get('type', '')}".strip() + ", neither boundary nor inhabited place"
    its_own = _country(result)
    if country and its_own and its_own != country and not _names(name, result):
        return f"in another country ({its_own})"
    if area_km2 < SMALLEST_KM2:
        return f"{format_km2(area_km2)}, less than {SMALLEST_KM2:g} km²"
    return ""


def _names(name: str, result: Mapping[str, Any]) -> bool:
    """Tell whether a full name has what was typed last: Georgia is a country and a state."""
    last = fold(name.rpartition(",")[2])
    return last in {fold(part) for part in str(result.get("display_name", "")).split(",")}


def _country(result: Mapping[str, Any]) -> str:
    address = result.get("address")
    return str(address.get("country_code", "")).lower() if isinstance(address, Mapping) else ""


def _request(params: Mapping[str, str | int]) -> list[dict[str, Any]]:
    """Search with osmnx's headers, pause and cache; its own function takes any outline."""
    from osmnx import _nominatim  # noqa: PLC0415 - two seconds that only a fetch should take

    return _nominatim._nominatim_request(params=OrderedDict(params), request_type="search")
