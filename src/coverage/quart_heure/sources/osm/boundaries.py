"""Administrative boundaries of OpenStreetMap: outlines of relations, districts of an area."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import shapely

from quart_heure.errors import GeometryError

if TYPE_CHECKING:
    import geopandas as gpd


DISTRICT_LEVELS = ("8", "9", "10")
"""``admin_level`` of communes, of municipal arrondissements and of quarters, in France."""

_INSEE = re.compile(r"\d{5}|2[AB]\d{3}")
_ORDINAL = re.compile(r"\b(\d+)\s?(er|e|ème|nd)\s+arrondissement\b", re.IGNORECASE)
_OWN_SHARE = 0.9
_COVERED_SHARE = 0.98


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Boundary:
    """A boundary relation: its id, its tags and its polygon in degrees."""

    relation_id: int
    tags: Mapping[str, str]
    geometry: shapely.Geometry

    @property
    def district_id(self) -> str:
        """The INSEE code, or the relation's id."""
        return self.tags.get("ref:INSEE") or f"R{self.relation_id}"

    @property
    def name(self) -> str:
        """The name, or what stands for it."""
        return self.tags.get("name") or self.district_id

    @property
    def label(self) -> str:
        """The name in short: ``3e`` for a municipal arrondissement."""
        found = _ORDINAL.search(self.name)
        return f"{found[1]}{'er' if found[1] == '1' else 'e'}" if found else self.name


def commune_statement(insee: str) -> str:
    """Return the Overpass statement that selects the boundary of a commune by its INSEE code.

    Raises
    ------
    GeometryError
        If it is no code of a commune.
    """
    if not _INSEE.fullmatch(insee):
        msg = f"{insee!r} is not the INSEE code of a commune."
        raise GeometryError(msg, hint="It has five characters, such as 69123 or 2A004.")
    return f'relation["boundary"="administrative"]["ref:INSEE"="{insee}"];'


def inner_boundaries_statement(area: shapely.Geometry) -> str:
    """Return the Overpass statement that selects boundaries of districts in an area (degrees)."""
    kind = f'["boundary"="administrative"]["admin_level"~"^({"|".join(DISTRICT_LEVELS)})$"]'
    rings = shapely.get_exterior_ring(shapely.get_parts(area))
    places = (
        " ".join(f"{lat:.6f} {lon:.6f}" for lon, lat in shapely.get_coordinates(ring))
        for ring in rings
    )
    return "(" + "".join(f'relation{kind}(poly:"{place}");' for place in places) + ");"


def read_boundaries(elements: Iterable[Mapping[str, Any]]) -> list[Boundary]:
    """Return the administrative boundaries among Overpass elements whose outlines are whole.

    Ordered by level, then by relation id.
    """
    everything = list(elements)
    relations = {
        int(element["id"]): element
        for element in everything
        if element["type"] == "relation"
        and element.get("tags", {}).get("boundary") == "administrative"
    }
    shapes = outlines(everything, relations.values())
    boundaries = [
        Boundary(relation_id=osm_id, tags=relations[osm_id]["tags"], geometry=shape)
        for osm_id, shape in shapes.items()
    ]
    return sorted(boundaries, key=lambda b: (_level(b), b.relation_id))


def outlines(
    elements: Iterable[Mapping[str, Any]], relations: Iterable[Mapping[str, Any]]
) -> dict[int, shapely.Geometry]:
    """Return the polygon of each relation whose member ways are there and closed, by id."""
    everything = list(elements)
    places = {e["id"]: (e["lon"], e["lat"]) for e in everything if e["type"] == "node"}
    ways = {e["id"]: e.get("nodes", ()) for e in everything if e["type"] == "way"}
    found = {}
    for relation in relations:
        members = [
            ways.get(member["ref"], ())
            for member in relation.get("members", ())
            if member["type"] == "way" and member.get("role") in {"outer", "inner", ""}
        ]
        lines = [[places[ref] for ref in refs if ref in places] for refs in members]
        whole = all(len(line) == len(refs) >= 2 for line, refs in zip(lines, members, strict=True))
        shape = shapely.build_area(shapely.MultiLineString(lines)) if whole and lines else None
        if shape is not None and not shape.is_empty:
            found[int(relation["id"])] = shapely.make_valid(shape)
    return found


def choose_districts(
    boundaries: Sequence[Boundary], area: shapely.Geometry
) -> tuple[Boundary, ...]:
    """Return the districts of an area: the largest kind that divides it, none if nothing does.

    A metropolis has its communes, a commune its municipal arrondissements, or else its quarters.

    Parameters
    ----------
    boundaries
        Boundaries in and around it.
    area
        In degrees.
    """
    for level in DISTRICT_LEVELS:
        inside = [
            boundary
            for boundary in boundaries
            if boundary.tags.get("admin_level") == level
            and _share(boundary.geometry, area) >= _OWN_SHARE
        ]
        union = shapely.union_all([boundary.geometry for boundary in inside])
        if len(inside) > 1 and _share(area, union) >= _COVERED_SHARE:
            return tuple(inside)
    return ()


def district_layer(districts: Iterable[Boundary]) -> gpd.GeoDataFrame:
    """Return districts as a layer in degrees: district_id, label, name, osm_relation, geometry."""
    import geopandas as gpd  # noqa: PLC0415 - see the note on imports in the package

    ordered = sorted(districts, key=lambda district: district.district_id)
    return gpd.GeoDataFrame(
        {
            "district_id": [district.district_id for district in ordered],
            "label": [district.label for district in ordered],
            "name": [district.name for district in ordered],
            "osm_relation": [district.relation_id for district in ordered],
        },
        geometry=[district.geometry for district in ordered],
        crs=4326,
    )


def _level(boundary: Boundary) -> int:
    text = boundary.tags.get("admin_level", "")
    return int(text) if text.isdigit() else 99


def _share(part: shapely.Geometry, whole: shapely.Geometry) -> float:
    """Return the share of a polygon that lies in another."""
    return float(shapely.intersection(part, whole).area / part.area) if part.area else 0.0
