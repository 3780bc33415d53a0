"""Candidates for services among OpenStreetMap's places, by the tags of the catalogue.

They are candidates: OpenStreetMap knows a part of the services, and a tag such as a community
centre's says little of whom it welcomes. Shelters and refuges are never collected.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import shapely

from quart_heure.categories import Category
from quart_heure.sources.hours.syntax import is_osm_hours
from quart_heure.sources.osm.boundaries import outlines
from quart_heure.sources.osm.lifecycle import lifecycle_of
from quart_heure.sources.services.admission import ADMITS
from quart_heure.sources.services.discretion import secrecy_in

_WOMEN_OR_VICTIMS = frozenset(
    {"woman", "women", "abused", "victim", "victims", "domestic_violence"}
)
_REFUGE_NAMES = re.compile(r"\brefuges?\b|\bviolences?\b|\bhébergement\b|\bchrs\b", re.IGNORECASE)
_NOT_FOR_ALL = frozenset({"private", "no"})
_FOR_ALL = frozenset({"yes", "public", "permissive"})
_WHEELCHAIR = {"yes": "yes", "designated": "yes", "limited": "limited", "no": "no"}
_ANIMALS = {"yes": "yes", "leashed": "yes", "no": "no"}
_UNITS = {"bagagerie": "lockers", "bains_douches": "cabins"}
_GROUPS: Mapping[str, frozenset[str]] = {
    "everyone": frozenset({"all", "everyone"}),
    "women": frozenset({"woman", "women", "female"}),
    "men": frozenset({"man", "men", "male"}),
    "families": frozenset({"family", "families"}),
    "mothers": frozenset({"mother", "mothers"}),
    "young_people": frozenset({"juvenile", "child", "children", "youth", "young"}),
}


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Candidates:
    """Candidates for services.

    Parameters
    ----------
    features
        GeoJSON features, points in degrees, with the columns of a table of services and
        ``osm_id``, ``osm_url``, ``osm_tags``; ordered by service_id.
    left_out
        How many places were left out, by reason: ``shelter_or_refuge``, ``private``, ``no_place``.
    """

    features: list[dict[str, Any]]
    left_out: Mapping[str, int]


def service_tags(catalogue: Mapping[str, Category]) -> dict[str, bool | list[str]]:
    """Return the tags to ask for, in the form of `osmnx.features_from_polygon`."""
    wanted: dict[str, list[str]] = {}
    for category in catalogue.values():
        for tag in category.osm:
            key, _, value = tag.partition("=")
            if value not in wanted.setdefault(key, []):
                wanted[key].append(value)
    return {key: sorted(values) for key, values in sorted(wanted.items())}


def read_candidates(
    elements: Iterable[Mapping[str, Any]], *, catalogue: Mapping[str, Category], osm_date: str
) -> Candidates:
    """Pick candidates out of Overpass elements.

    Parameters
    ----------
    elements
        Places and all that they are made of.
    catalogue
        Categories; a place is of the first one that has one of its tags.
    osm_date
        Date of the data.
    """
    everything = {(e["type"], e["id"]): e for e in elements}
    place_of = _Places(everything)
    features = {}
    left_out: Counter[str] = Counter(shelter_or_refuge=0, private=0, no_place=0)
    for (kind, osm_id), element in sorted(everything.items()):
        tags = element.get("tags", {})
        category = _category(tags, catalogue)
        if category is None:
            continue
        if _is_refuge(tags):
            left_out["shelter_or_refuge"] += 1
        elif tags.get("access") in _NOT_FOR_ALL:
            left_out["private"] += 1
        elif (place := place_of(element)) is None:
            left_out["no_place"] += 1
        else:
            service = _service(kind, osm_id, tags, category, osm_date)
            features[service["service_id"]] = {
                "type": "Feature",
                "properties": service,
                "geometry": {"type": "Point", "coordinates": [round(c, 7) for c in place]},
            }
    return Candidates(features=[features[key] for key in sorted(features)], left_out=dict(left_out))


def _category(tags: Mapping[str, str], catalogue: Mapping[str, Category]) -> str | None:
    for category in catalogue.values():
        for tag in category.osm:
            key, _, value = tag.partition("=")
            if tags.get(key) == value:
                return category.id
    return None


def _is_refuge(tags: Mapping[str, str]) -> bool:
    """Tell a place whose address may put people at risk.

    OpenStreetMap's own rule is not to map shelters from violence unless they are publicly known
    and signposted; what is mapped all the same, or says in any tag that it is not to be shown
    (``note=adresse confidentielle``), is not collected.
    """
    if any(secrecy_in(value) for key, value in tags.items() if not key.startswith("name")):
        return True
    kinds = set(tags.get("social_facility", "").split(";"))
    if "shelter" in kinds or tags.get("amenity") == "refugee_site":
        return True
    if tags.get("amenity") != "social_facility" and not kinds - {""}:
        return False
    audience = {word.strip() for word in tags.get("social_facility:for", "").split(";")}
    women_only = tags.get("female") in {"yes", "only"} and tags.get("male") == "no"
    named = any(_REFUGE_NAMES.search(tags.get(key, "")) for key in ("name", "description"))
    return women_only or named or bool(audience & _WOMEN_OR_VICTIMS)


def _service(
    kind: str, osm_id: int, tags: Mapping[str, str], category: str, osm_date: str
) -> dict[str, Any]:
    url = f"https://www.openstreetmap.org/{kind}/{osm_id}"
    street = f"{tags.get('addr:housenumber', '')} {tags.get('addr:street', '')}"
    hours = tags.get("opening_hours", "").strip()
    valid = bool(hours) and is_osm_hours(hours)
    amount = tags.get("capacity", "").strip()
    life = lifecycle_of(tags, _day(osm_date))
    return {
        "service_id": f"osm-{kind}-{osm_id}",
        "category": category,
        "name": tags.get("name") or tags.get("operator") or "",
        "address": street.strip(),
        "postcode": tags.get("addr:postcode", ""),
        "status": life.status,
        "valid_from": life.valid_from,
        "valid_to": life.valid_to,
        "access": "walk_in" if tags.get("access") in _FOR_ALL else "unknown",
        "discreet": False,
        "audience": tags.get("social_facility:for", ""),
        "admits": _admits(tags),
        "animals": _ANIMALS.get(tags.get("dog", ""), "unknown"),
        "wheelchair": _WHEELCHAIR.get(tags.get("wheelchair", ""), "unknown"),
        "opening_hours": hours if valid else "",
        "opening_hours_text": "" if valid else hours,
        "capacity": amount,
        "capacity_value": float(amount) if amount.isdecimal() else None,
        "capacity_unit": _UNITS.get(category, "places") if amount.isdecimal() else "",
        "operator": tags.get("operator", ""),
        "source": "OpenStreetMap",
        "source_date": osm_date[:10],
        "other_sources": "",
        "notes": f"candidate by its tags, to be checked: {url}",
        "osm_id": f"{kind}/{osm_id}",
        "osm_url": url,
        "osm_tags": json.dumps(dict(sorted(tags.items())), ensure_ascii=False),
    }


def _day(osm_date: str) -> dt.date:
    """Return the day of the data; where it is not known, all dates are to come."""
    try:
        return dt.date.fromisoformat(osm_date[:10])
    except ValueError:
        return dt.date.min


def _admits(tags: Mapping[str, str]) -> str:
    """Return whom the tags say that a place admits, ``unknown`` if they say nothing of it."""
    words = {word.strip() for word in tags.get("social_facility:for", "").split(";")}
    found = {group for group, names in _GROUPS.items() if words & names}
    women, men = (tags.get(key) in {"yes", "only"} for key in ("female", "male"))
    if tags.get("unisex") == "yes" or (women and men):
        found.add("everyone")
    elif women and (tags.get("female") == "only" or tags.get("male") == "no"):
        found.add("women")
    elif men and (tags.get("male") == "only" or tags.get("female") == "no"):
        found.add("men")
    return ";".join(group for group in ADMITS if group in found) or "unknown"


class _Places:
    """Where elements are: a point of each, inside it if it is an area."""

    def __init__(self, elements: Mapping[tuple[str, int], Mapping[str, Any]]) -> None:
        self._elements = elements

    def __call__(self, element: Mapping[str, Any]) -> tuple[float, float] | None:
        shape = self._shape(element)
        if shape is None or shape.is_empty:
            return None
        point = shape.centroid
        if shape.area and not shapely.contains(shape, point):
            point = shapely.point_on_surface(shape)
        return point.x, point.y

    def _shape(self, element: Mapping[str, Any]) -> shapely.Geometry | None:
        if element["type"] == "node":
            return shapely.Point(element["lon"], element["lat"])
        if element["type"] == "way":
            nodes = (self._elements.get(("node", ref)) for ref in element.get("nodes", ()))
            line = [(node["lon"], node["lat"]) for node in nodes if node is not None]
            if len(line) >= 4 and line[0] == line[-1]:
                return shapely.make_valid(shapely.Polygon(line))
            return shapely.MultiPoint(line) if line else None
        shape = outlines(self._elements.values(), [element]).get(int(element["id"]))
        if shape is not None:
            return shape
        members = (self._elements.get((m["type"], m["ref"])) for m in element.get("members", ()))
        # A relation of relations has no outline of its own, and is not looked into.
        parts = [self._shape(m) for m in members if m is not None and m["type"] != "relation"]
        return shapely.MultiPoint([part.centroid for part in parts if part is not None])
