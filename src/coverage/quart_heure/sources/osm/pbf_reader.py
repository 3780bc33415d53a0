"""Streets of a PBF file as nearly all are, block by block (see `quart_heure.sources.osm.pbf`).

Three looks: relations tell which ways draw areas, ways tell which nodes are wanted, and of nodes
only these are kept. So memory follows what is kept, however large the file is.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from quart_heure.sources.osm import pbf
from quart_heure.sources.osm.checks import distinct, find_nodes
from quart_heure.sources.osm.data import (
    NODE_KEYS,
    NODE_MARKS,
    WAY_KEYS,
    has_squares,
    is_area_relation,
    is_street,
    node_tags_that_matter,
    select_tags,
)
from quart_heure.sources.osm.elements import (
    Elements,
    Nodes,
    OsmArea,
    Ways,
    area_of,
    ground_of,
    nodes_of_grounds,
    outlines,
)
from quart_heure.sources.osm.grounds import (
    GROUND_TAGS,
    KEPT_KEYS,
    Ground,
    ground_of_way,
    is_ground_relation,
)
from quart_heure.sources.osm.messages import check

_ROADS = {"highway": None}
_STREET_TAGS = {"highway": None, "route": {"ferry"}}
_AREA_TAGS = {"highway": None, **GROUND_TAGS}
_GATE_TAGS = {**dict.fromkeys(NODE_MARKS), "highway": {"elevator"}}
_MOST_LON, _MOST_LAT = 180 * 10**7, 90 * 10**7
_NO_TAGS: Mapping[str, str] = {}
_UNPACKED_BYTES = 16 << 20
"""So much is kept until it is looked at again; the rest of a larger file is unpacked twice."""


def read_usual_pbf(path: Path) -> Elements:
    """Read the streets of a PBF file.

    Raises
    ------
    UnusualFileError
        If osmium is to read it.
    DamagedFileError
        If nobody is to read it.
    """
    with path.open("rb") as file:
        date = pbf.read_header(file)
        streets = _Streets(file)
        ways = streets.ways()
        wanted = distinct(np.concatenate([ways.ref_id, nodes_of_grounds(streets.grounds)]))
        return Elements(
            nodes=streets.nodes(wanted), ways=ways, grounds=streets.grounds, osm_date=date
        )


class _Streets:
    """The streets of one file. Call `ways`, then `nodes`."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.grounds: list[Ground] = []
        self._areas: list[OsmArea] = []
        self._pools: list[OsmArea] = []
        self._places: dict[int, list[int]] = {pbf.NODES: [], pbf.WAYS: [], pbf.RELATIONS: []}
        self._unpacked: dict[int, pbf.Block] = {}
        room = _UNPACKED_BYTES
        for place, block in pbf.read_blocks(file):
            for kind in block.kinds:
                self._places[kind].append(place)
            self._look_at_relations(block)
            room -= block.size
            if room > 0:
                self._unpacked[place] = block

    def _blocks(self, kind: int) -> Iterator[pbf.Block]:
        for place in self._places[kind]:
            kept = place in self._unpacked
            yield self._unpacked.pop(place) if kept else pbf.read_block(self._file, place)

    def _look_at_relations(self, block: pbf.Block) -> None:
        for ids, tags, members in block.relations():
            marked = _flagged(len(ids), tags.take(block.having(tags, _AREA_TAGS)))
            told = tags.take(block.having(tags, dict.fromkeys(WAY_KEYS | KEPT_KEYS)))
            for row, found in block.mappings(told.take(marked[told.owner])):
                osm_id = int(ids[row])
                if is_area_relation(found):
                    kept = select_tags(found)
                    self._areas.append(area_of(osm_id, kept, block.members(members, row)))
                if is_ground_relation(found):
                    self._pools.append(area_of(osm_id, found, block.members(members, row)))

    def ways(self) -> Ways:
        """Return the streets, the areas, and the member ways of the areas."""
        drawn, rings = (
            np.array(sorted(way for way in outlines(areas) if way > 0), dtype=np.int64)
            for areas in (self._areas, self._pools)
        )
        streets, members = _Rows(), _Rows()
        chains: dict[int, tuple[int, ...]] = {}
        for block in self._blocks(pbf.WAYS):
            for ids, tags, spans in block.ways():
                told = tags.take(block.having(tags, dict.fromkeys(WAY_KEYS)))
                is_one = _flagged(len(ids), tags.take(block.having(tags, _STREET_TAGS)))
                found = dict(block.mappings(told.take(is_one[told.owner])))
                # Of a key that comes twice the last one counts.
                at_sea = is_one & ~_flagged(len(ids), tags.take(block.having(tags, _ROADS)))
                for row in np.flatnonzero(at_sea).tolist():
                    is_one[row] = is_street(found[row])
                streets.add(block, ids, spans, is_one, found)
                on_ground = tags.take(block.having(tags, GROUND_TAGS))
                self._look_at_grounds(
                    block, ids, tags, spans, _flagged(len(ids), on_ground) & ~is_one
                )
                if len(drawn) and (is_drawn := np.isin(ids, drawn)).any():
                    found = dict(block.mappings(told.take(is_drawn[told.owner])))
                    members.add(block, ids, spans, is_drawn, found)
                if len(rings) and (in_ring := np.isin(ids, rings)).any():
                    chains |= _chains(block, ids, spans, in_ring)
        if has_squares(self._areas, streets.tags):
            self.grounds += [ground_of(pool, chains) for pool in self._pools]
        else:
            self.grounds = []
        return streets.then(members, self._areas)

    def _look_at_grounds(
        self,
        block: pbf.Block,
        ids: NDArray[np.int64],
        tags: pbf.Tags,
        spans: pbf.Spans,
        which: NDArray[np.bool_],
    ) -> None:
        """Take down the ways that walks go round."""
        if not which.any():
            return
        chains = _chains(block, ids, spans, which)
        kept = tags.take(which[tags.owner])
        for row, found in block.mappings(kept.take(block.having(kept, dict.fromkeys(KEPT_KEYS)))):
            osm_id = int(ids[row])
            ground = ground_of_way(osm_id, found, chains[osm_id])
            self.grounds += [ground] if ground else []

    def nodes(self, wanted: NDArray[np.int64]) -> Nodes:
        """Return those of some nodes, in order, that are in the file."""
        kept, node_tags, last = [], {}, -1
        for block in self._blocks(pbf.NODES):
            for ids, lon, lat, tags in block.nodes():
                check(len(ids) and ids[0] > last and (np.diff(ids) > 0).all())
                check((abs(lon) <= _MOST_LON).all() and (abs(lat) <= _MOST_LAT).all())
                last = int(ids[-1])
                begin, end = np.searchsorted(wanted, [ids[0], last + 1])
                at = np.searchsorted(ids, wanted[begin:end])
                at = at[ids[at] == wanted[begin:end]]
                kept.append(np.stack([ids[at], lon[at], lat[at]]))
                is_gate = _flagged(len(ids), tags.take(block.having(tags, _GATE_TAGS)))
                if is_gate.any():
                    is_gate &= np.isin(np.arange(len(ids)), at)
                    told = tags.take(is_gate[tags.owner])
                    told = told.take(block.having(told, dict.fromkeys(NODE_KEYS)))
                    for row, found in block.mappings(told):
                        if gate := node_tags_that_matter(found):
                            node_tags[int(ids[row])] = gate
        node_id, lon, lat = np.concatenate([np.zeros((3, 0), np.int64), *kept], axis=1)
        return Nodes(node_id=node_id, lon=lon / 1e7, lat=lat / 1e7, node_tags=node_tags)


@dataclasses.dataclass(eq=False)
class _Rows:
    """Ways, as they are met."""

    ids: list[NDArray[np.int64]] = dataclasses.field(default_factory=list)
    nodes: list[NDArray[np.int64]] = dataclasses.field(default_factory=list)
    counts: list[NDArray[np.int64]] = dataclasses.field(default_factory=list)
    tags: list[Mapping[str, str]] = dataclasses.field(default_factory=list)

    def add(
        self,
        block: pbf.Block,
        ids: NDArray[np.int64],
        spans: pbf.Spans,
        which: NDArray[np.bool_],
        tags: Mapping[int, Mapping[str, str]],
    ) -> None:
        nodes, counts = block.references(spans.take(which))
        self.ids.append(ids[which])
        self.nodes.append(nodes)
        self.counts.append(counts)
        self.tags += [tags.get(row, _NO_TAGS) for row in np.flatnonzero(which).tolist()]

    def then(self, others: _Rows, areas: list[OsmArea]) -> Ways:
        """Return these ways, then those others that are not among them."""
        none = np.zeros(0, dtype=np.int64)
        (ids, nodes, counts), (more_ids, more_nodes, more_counts) = (
            [np.concatenate([none, *part]) for part in (rows.ids, rows.nodes, rows.counts)]
            for rows in (self, others)
        )
        _, known = find_nodes(np.sort(ids), more_ids)
        new = ~known
        return Ways(
            way_id=np.append(ids, more_ids[new]),
            ref_id=np.append(nodes, more_nodes[np.repeat(new, more_counts)]),
            counts=np.append(counts, more_counts[new]),
            way_tags=self.tags + list(itertools.compress(others.tags, new)),
            areas=areas,
        )


def _flagged(n: int, tags: pbf.Tags) -> NDArray[np.bool_]:
    """Tell which of n elements have any of some tags."""
    flags = np.zeros(n, dtype=bool)
    flags[tags.owner] = True
    return flags


def _chains(
    block: pbf.Block, ids: NDArray[np.int64], spans: pbf.Spans, which: NDArray[np.bool_]
) -> dict[int, tuple[int, ...]]:
    """Return the nodes of some ways."""
    nodes, counts = block.references(spans.take(which))
    parts = np.split(nodes, np.cumsum(counts)[:-1])
    return dict(zip(ids[which].tolist(), (tuple(part.tolist()) for part in parts), strict=True))
