"""Raw OpenStreetMap data in flat arrays: the one form that answers and files are brought to.

The live way and the file way both end in `RawOsm`, checked and put in order here, so that the same
ground gives the same network whichever way it came.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from numpy.typing import NDArray

from quart_heure.errors import InputFileError
from quart_heure.sources.osm.checks import (
    Problems,
    cut_ways,
    find_nodes,
    order_nodes,
    order_ways,
)
from quart_heure.sources.osm.elements import OsmArea, area_of, ground_of
from quart_heure.sources.osm.grounds import (
    Ground,
    ground_shapes,
    is_ground,
    is_ground_relation,
    is_rail,
)

if TYPE_CHECKING:
    import pandas as pd


OSM_SUFFIXES = (".osm.pbf", ".pbf", ".osm", ".osm.gz", ".osm.bz2")
"""Ends of the names of files of raw OpenStreetMap data, in lower case."""

WAY_KEYS = frozenset(
    {
        "abandoned",
        "access",
        "access:conditional",
        "area",
        "bicycle",
        "bridge",
        "construction",
        "conveying",
        "covered",
        "demolished",
        "designation",
        "disused",
        "expressway",
        "foot",
        "foot:backward",
        "foot:conditional",
        "foot:forward",
        "footway",
        "highway",
        "indoor",
        "junction",
        "layer",
        "lit",
        "maxspeed",
        "maxspeed:type",
        "motorroad",
        "name",
        "oneway",
        "oneway:foot",
        "opening_hours",
        "path",
        "proposed",
        "public_transport",
        "railway",
        "razed",
        "route",
        "sac_scale",
        "segregated",
        "service",
        "sidewalk",
        "sidewalk:both",
        "sidewalk:left",
        "sidewalk:right",
        "source:maxspeed",
        "tunnel",
        "type",
        "zone:maxspeed",
    }
)
"""Tags of ways and relations that are kept: those that rules, names and squares are read from."""

NODE_KEYS = frozenset(
    {
        "access",
        "access:conditional",
        "barrier",
        "door",
        "entrance",
        "foot",
        "foot:conditional",
        "highway",
        "locked",
        "opening_hours",
    }
)
"""Tags of nodes that are kept: those that a verdict on a gate or a door may depend on."""

NODE_MARKS = frozenset({"access", "barrier", "door", "entrance", "foot", "locked"})
"""A node with one of these, or a lift, is looked at."""


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class RawOsm:
    """Streets as OpenStreetMap has them, before any rule. Made by `assemble_raw`.

    Parameters
    ----------
    node_id
        Nodes on the ways, ascending; shape (K,).
    lon, lat
        Their degrees; shape (K,).
    node_tags
        Tags of nodes that matter (gates, doors), by OSM id.
    way_id
        Ways, ascending; shape (W,). A way with missing nodes is cut there, and its pieces share
        its id.
    refs
        Positions in ``node_id``; the nodes of way w are ``refs[offsets[w]:offsets[w + 1]]``, two
        at least, none twice in a row.
    offsets
        Shape (W + 1,).
    way_tags
        Tags of each way, of `WAY_KEYS` only. A member of an area may have none.
    areas
        Multipolygons, ascending by id.
    obstacles
        What walks across squares go round, in degrees: polygons of woods, pitches and water, and
        lines of rails on the ground. Read only where there are squares.
    osm_date
        Date of the data, ``""`` if it is not known.
    source
        File name or server.
    problem_rows
        Rows of `problems`.
    """

    node_id: NDArray[np.int64]
    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    node_tags: Mapping[int, Mapping[str, str]]
    way_id: NDArray[np.int64]
    refs: NDArray[np.int64]
    offsets: NDArray[np.int64]
    way_tags: Sequence[Mapping[str, str]]
    areas: tuple[OsmArea, ...]
    osm_date: str
    source: str
    problem_rows: tuple[Mapping[str, Any], ...]
    obstacles: tuple[shapely.Geometry, ...] = ()

    @property
    def n_ways(self) -> int:
        """Number of ways, pieces counted one by one."""
        return len(self.way_id)

    @property
    def problems(self) -> pd.DataFrame:
        """What was wrong with the data (columns `PROBLEM_COLUMNS` of services)."""
        from quart_heure.sources.problems import problem_table  # noqa: PLC0415 - imports pandas

        return problem_table(self.problem_rows)


def is_street(tags: Mapping[str, str]) -> bool:
    """Tell whether a way belongs in `RawOsm`: the permissive filter, before any rule."""
    return "highway" in tags or tags.get("route") == "ferry"


def is_area_relation(tags: Mapping[str, str]) -> bool:
    """Tell whether a relation is a multipolygon of streets."""
    return tags.get("type") == "multipolygon" and "highway" in tags


def node_tags_that_matter(tags: Mapping[str, str]) -> dict[str, str]:
    """Return the tags of a gate, a door or a lift, nothing for other nodes."""
    if not (NODE_MARKS & tags.keys() or tags.get("highway") == "elevator"):
        return {}
    return {key: value for key, value in tags.items() if key in NODE_KEYS}


def from_overpass(
    elements: Sequence[Mapping[str, Any]], *, osm_date: str = "", source: str = "Overpass"
) -> RawOsm:
    """Bring the elements of an Overpass answer in JSON to `RawOsm`.

    Parameters
    ----------
    elements
        Nodes, ways and relations in any order, repeated or not. Nodes need their tags (``out body``
        and not ``out skel``), or gates are not seen.
    osm_date
        The answer's ``timestamp_osm_base``.
    source
        What to call the source in the list of problems.

    Raises
    ------
    InputFileError
        If an element lacks what its type must have.
    """
    nodes: dict[int, tuple[float, float]] = {}
    repeated: list[tuple[int, float, float]] = []
    node_tags: dict[int, dict[str, str]] = {}
    ways: list[tuple[int, Sequence[int], dict[str, str]]] = []
    areas: list[OsmArea] = []
    for number, element in enumerate(elements, start=1):
        try:
            kind, osm_id, tags = element["type"], int(element["id"]), element.get("tags") or {}
            if kind == "node":
                place = (float(element["lon"]), float(element["lat"]))
                if nodes.setdefault(osm_id, place) != place:
                    repeated.append((osm_id, *place))
                if kept := node_tags_that_matter(tags):
                    node_tags[osm_id] = kept
            elif kind == "way":
                ways.append((osm_id, element.get("nodes") or (), dict(tags)))
            elif kind == "relation" and is_area_relation(tags):
                areas.append(_overpass_area(osm_id, tags, element.get("members") or ()))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            msg = f"{source}: element {number} of the answer is not complete ({error!r})."
            raise InputFileError(msg, hint="Ask again; the answer may have been cut.") from error
    members = {way for area in areas for way in (*area.outer, *area.inner)}
    grounds = _overpass_grounds(elements, ways) if has_squares(areas, (w[2] for w in ways)) else []
    ways = [way for way in ways if is_street(way[2]) or way[0] in members]
    places = [*((osm_id, *place) for osm_id, place in nodes.items()), *repeated]
    table = np.array(places, dtype=np.float64).reshape(-1, 3)
    return assemble_raw(
        node_id=np.array([place[0] for place in places], dtype=np.int64),
        lon=table[:, 1],
        lat=table[:, 2],
        node_tags=node_tags,
        way_id=np.array([way[0] for way in ways], dtype=np.int64),
        ref_id=np.array([ref for way in ways for ref in way[1]], dtype=np.int64),
        counts=np.array([len(way[1]) for way in ways], dtype=np.int64),
        way_tags=[select_tags(way[2]) for way in ways],
        areas=areas,
        osm_date=osm_date,
        source=source,
        obstacles=ground_shapes(
            grounds, np.array([place[0] for place in places], dtype=np.int64), *table[:, 1:].T
        ),
    )


def has_squares(areas: Sequence[OsmArea], way_tags: Iterable[Mapping[str, str]]) -> bool:
    """Tell whether there is anything that walks across squares are laid on."""
    return bool(areas) or any(tags.get("area") == "yes" and "highway" in tags for tags in way_tags)


def _overpass_grounds(
    elements: Sequence[Mapping[str, Any]], ways: Sequence[tuple[int, Sequence[int], dict[str, str]]]
) -> list[Ground]:
    """Return what walks go round, as far as it was asked for."""
    chains = {osm_id: tuple(nodes) for osm_id, nodes, _ in ways}
    grounds = [
        Ground(osm_id, (tuple(nodes),), is_line=is_rail(tags))
        for osm_id, nodes, tags in ways
        if is_ground(tags) and not is_street(tags)
    ]
    for element in elements:
        tags = element.get("tags") or {}
        if element["type"] == "relation" and is_ground_relation(tags):
            area = _overpass_area(int(element["id"]), tags, element.get("members") or ())
            grounds.append(ground_of(area, chains))
    return grounds


def _overpass_area(
    osm_id: int, tags: Mapping[str, str], members: Iterable[Mapping[str, Any]]
) -> OsmArea:
    ways = [
        (int(member["ref"]), member.get("role", ""))
        for member in members
        if member.get("type") == "way"
    ]
    return area_of(osm_id, select_tags(tags), ways)


def select_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """Return those tags of a way or a relation that are kept."""
    return {key: str(value) for key, value in tags.items() if key in WAY_KEYS}


def assemble_raw(
    *,
    node_id: NDArray[np.int64],
    lon: NDArray[np.float64],
    lat: NDArray[np.float64],
    node_tags: Mapping[int, Mapping[str, str]],
    way_id: NDArray[np.int64],
    ref_id: NDArray[np.int64],
    counts: NDArray[np.int64],
    way_tags: Sequence[Mapping[str, str]],
    areas: Iterable[OsmArea],
    osm_date: str,
    source: str,
    deleted: Sequence[int] = (),
    obstacles: tuple[shapely.Geometry, ...] = (),
) -> RawOsm:
    """Check raw elements, put them in order of their ids, and list what was wrong.

    Parameters
    ----------
    node_id, lon, lat
        Nodes in any order; shape (K,).
    node_tags
        Tags of nodes, by id.
    way_id, counts, way_tags
        Ways in any order, how many nodes each has, and its tags; shape (W,).
    ref_id
        Ids of the nodes of all ways, one way after the other; shape (sum of counts,).
    areas, osm_date, source, obstacles
        See `RawOsm`.
    deleted
        Ids of streets that an editor marked as deleted, left out already.

    Notes
    -----
    Nodes off the globe are left out; where a way lacks a node it is cut; an id that comes twice
    counts once, the first time. All of it is listed, the same element twice alike excepted: that is
    how answers that were asked for in pieces look.
    """
    problems = Problems(source)
    gone = np.array(sorted(deleted), dtype=np.int64)
    problems.add("way", gone, [""] * len(gone), "deleted in an editor", "left out")
    node_id, lon, lat = order_nodes(node_id, lon, lat, problems)
    order, refs_by_way = order_ways(way_id, ref_id, counts, way_tags, problems)
    way_id, way_tags = way_id[order], list(map(way_tags.__getitem__, order.tolist()))
    position, known = find_nodes(node_id, refs_by_way.refs)
    pieces = cut_ways(position, known, refs_by_way.counts, way_id, problems)
    # Only nodes that some way still uses are kept, so that positions name streets alone.
    used = np.zeros(len(node_id), dtype=bool)
    used[pieces.refs] = True
    new_position = np.cumsum(used) - 1
    at = np.flatnonzero(used)
    node_id, lon, lat = node_id[at], lon[at], lat[at]
    on_ways = _tags_on_ways(node_tags, node_id)
    return RawOsm(
        node_id=node_id,
        lon=lon,
        lat=lat,
        node_tags=on_ways,
        way_id=way_id[pieces.way],
        refs=new_position[pieces.refs],
        offsets=np.concatenate([[0], np.cumsum(pieces.counts)]).astype(np.int64),
        way_tags=list(map(way_tags.__getitem__, pieces.way.tolist())),
        areas=tuple(sorted({area.relation_id: area for area in areas}.values(), key=_area_id)),
        osm_date=osm_date,
        source=source,
        problem_rows=problems.rows(),
        obstacles=obstacles,
    )


def _area_id(area: OsmArea) -> int:
    return area.relation_id


def _tags_on_ways(
    node_tags: Mapping[int, Mapping[str, str]], node_id: NDArray[np.int64]
) -> Mapping[int, Mapping[str, str]]:
    ids = np.array(sorted(node_tags), dtype=np.int64)
    _, known = find_nodes(node_id, ids)
    return {osm_id: node_tags[osm_id] for osm_id in ids[known].tolist()}
