"""What a reader finds in a file of OpenStreetMap data, before it is checked and put in order."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from quart_heure.errors import InputFileError
from quart_heure.sources.osm.grounds import Ground


@dataclasses.dataclass(frozen=True)
class OsmArea:
    """A multipolygon relation that is walked across.

    Parameters
    ----------
    relation_id, tags
        The relation.
    outer, inner
        Its member ways, by OSM id.
    """

    relation_id: int
    tags: Mapping[str, str]
    outer: tuple[int, ...]
    inner: tuple[int, ...]


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Ways:
    """Streets, and what outlines areas (see `quart_heure.sources.osm.data.assemble_raw`)."""

    way_id: NDArray[np.int64]
    ref_id: NDArray[np.int64]
    counts: NDArray[np.int64]
    way_tags: Sequence[Mapping[str, str]]
    areas: Sequence[OsmArea]


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Nodes:
    """Nodes of streets and grounds, as far as the file has them; others may be among them."""

    node_id: NDArray[np.int64]
    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    node_tags: Mapping[int, Mapping[str, str]]


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Elements:
    """Streets of a file.

    Parameters
    ----------
    nodes, ways
        Streets and their nodes.
    grounds
        What walks across squares go round.
    osm_date
        Date of the data, ``""`` if it is not known.
    deleted
        Ids of streets that an editor marked as deleted, left out already.
    """

    nodes: Nodes
    ways: Ways
    grounds: Sequence[Ground]
    osm_date: str
    deleted: Sequence[int] = ()


def ground_of(area: OsmArea, chains: Mapping[int, tuple[int, ...]]) -> Ground:
    """Return the ground that a multipolygon is, by the nodes of its member ways."""
    outer, inner = (
        tuple(chains[way] for way in members if way in chains)
        for members in (area.outer, area.inner)
    )
    return Ground(-area.relation_id, outer, inner)


def area_of(osm_id: int, tags: Mapping[str, str], members: Iterable[tuple[int, str]]) -> OsmArea:
    """Return the area that a relation is, by its member ways and their roles."""
    ways = list(members)
    return OsmArea(
        relation_id=osm_id,
        tags=tags,
        outer=tuple(way for way, role in ways if role != "inner"),
        inner=tuple(way for way, role in ways if role == "inner"),
    )


def outlines(areas: Iterable[OsmArea]) -> set[int]:
    """Return the ways that draw areas."""
    return {way for area in areas for way in (*area.outer, *area.inner)}


def nodes_of_grounds(grounds: Iterable[Ground]) -> NDArray[np.int64]:
    """Return the nodes of what walks go round."""
    chains = [chain for one in grounds for chain in (*one.outer, *one.inner)]
    return np.array([node for chain in chains for node in chain], dtype=np.int64)


def damaged(path: Path, reason: Exception) -> InputFileError:
    """Return what is said of a file that cannot be read."""
    msg = f"{path}: cannot be read as OpenStreetMap data ({reason})."
    return InputFileError(msg, hint="The file is damaged or of another kind.")
