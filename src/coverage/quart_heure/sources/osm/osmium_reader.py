"""Any file of OpenStreetMap data, read by osmium.

osmium reads, keeps the streets and writes them as OPL, a text of one object per line; a street
costs a few microseconds of Python, and a node that is on no street costs none. Memory follows what
is kept, plus 16 bytes for each node of the file.

Two kinds of files need a second look. Some keep the places of nodes with the ways and leave the
nodes out (``osmium add-locations-to-ways``, XML of Overpass's ``out geom``). And a file that an
editor saved still holds what was deleted in it, see `quart_heure.sources.osm.deleted`.
"""

from __future__ import annotations

import ctypes
import itertools
import re
import tempfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import osmium
from numpy.typing import NDArray

from quart_heure.errors import InputFileError
from quart_heure.sources.osm.checks import distinct
from quart_heure.sources.osm.data import (
    NODE_KEYS,
    NODE_MARKS,
    has_squares,
    is_street,
    node_tags_that_matter,
)
from quart_heure.sources.osm.deleted import Deleted, find_deleted, open_xml
from quart_heure.sources.osm.elements import (
    Elements,
    Nodes,
    OsmArea,
    Ways,
    damaged,
    ground_of,
    nodes_of_grounds,
    outlines,
)
from quart_heure.sources.osm.grounds import GROUND_KEYS, Ground, may_be_ground
from quart_heure.sources.osm.opl import (
    parse_area,
    parse_ground_relation,
    parse_ground_way,
    parse_places,
    parse_refs,
    parse_tags,
    parse_way,
)

_UNREADABLE = (
    *(RuntimeError, OSError, ValueError, IndexError, EOFError, zlib.error),
    osmium.InvalidLocationError,
)
_BLOCK_BYTES = 16 << 20
_LARGE_FILE_BYTES = 500_000_000
_XML_DATE = re.compile(rb"<(?:osm|meta)\b[^>]*\b(?:osm_base|timestamp)=[\"']([^\"'<>]{4,40})[\"']")
_PLACES_ON_WAYS = "LocationsOnWays"
"""What the header of a PBF file calls places that are kept with the ways."""


def read_by_osmium(path: Path) -> Elements:
    """Read the streets of a file.

    Raises
    ------
    InputFileError
        If the file is damaged, of another kind, or a history file.
    """
    try:
        with tempfile.TemporaryDirectory(prefix="quart-heure-") as folder:
            date = _read_date(path)
            streets = _Streets(path, Path(folder), find_deleted(path))
            node_tags = streets.node_tags()
            ways = streets.ways()
            wanted = np.concatenate([ways.ref_id, nodes_of_grounds(streets.grounds)])
            nodes = streets.nodes(distinct(wanted), node_tags)
    except InputFileError:
        raise
    except _UNREADABLE as error:
        raise damaged(path, error) from error
    return Elements(
        nodes=nodes,
        ways=ways,
        grounds=streets.grounds,
        deleted=streets.left_out,
        osm_date=date,
    )


def _as_file(path: Path) -> osmium.io.File:
    """Name the format, since osmium knows suffixes in lower case only."""
    suffix = path.suffix.lower()
    return osmium.io.File(str(path), f"osm{suffix}" if suffix in {".gz", ".bz2"} else suffix[1:])


def _read_date(path: Path) -> str:
    """Return the date of the data as the file's header gives it, ``""`` if it does not."""
    reader = osmium.io.Reader(_as_file(path), osmium.osm.osm_entity_bits.NOTHING)
    try:
        header = reader.header()
        if header.has_multiple_object_versions:
            msg = f"{path}: a history file, with several versions of each object."
            raise InputFileError(msg, hint="Give an extract of one date (osmium time-filter).")
        date = str(header.get("osmosis_replication_timestamp"))
    finally:
        reader.close()
    if date or path.suffix.lower() == ".pbf":
        return date
    with open_xml(path) as file:
        found = _XML_DATE.search(file.read(4096))
    return found[1].decode(errors="replace") if found else ""


class _Streets:
    """The streets of one file. Call `node_tags`, then `ways`, then `nodes`."""

    def __init__(self, path: Path, folder: Path, deleted: Deleted) -> None:
        self._path = path
        self._deleted = deleted
        self.left_out: list[int] = []
        self.grounds: list[Ground] = []
        self._members: set[int] = set()
        self._target = folder / "objects.opl"
        # Places of all nodes, sorted by the first way that asks; on disk for a whole country.
        large = path.stat().st_size > _LARGE_FILE_BYTES
        kind = f"sparse_file_array,{folder / 'places'}" if large else "sparse_mem_array"
        self._places = osmium.index.create_map(kind)
        self._locate = osmium.NodeLocationsForWays(self._places)
        self._locate.ignore_errors()

    def node_tags(self) -> dict[int, dict[str, str]]:
        """Take down where all nodes are, and return the tags of gates and doors."""
        marks = osmium.filter.KeyFilter(*NODE_MARKS, "highway")
        found = {}
        for line in self._lines(osmium.osm.osm_entity_bits.NODE, self._locate, marks):
            osm_id, tags, *_ = line.split(b" ")
            if kept := node_tags_that_matter(parse_tags(tags[1:], NODE_KEYS)):
                found[int(osm_id[1:])] = kept
        return {osm_id: tags for osm_id, tags in found.items() if osm_id not in self._deleted.nodes}

    def ways(self) -> Ways:
        """Return the streets, the areas, and the member ways of the areas."""
        entities = osmium.osm.osm_entity_bits
        rows: list[tuple[int, bytes, Mapping[str, str]]] = []
        areas: list[OsmArea] = []
        grounds: list[bytes] = []
        for line in self._lines(entities.WAY | entities.RELATION, self._locate, _looked_at()):
            may_be_street = b"highway=" in line or b"route=" in line
            if line.startswith(b"r"):
                areas += parse_area(line) if may_be_street else ()
            elif may_be_street and is_street((row := parse_way(line))[2]):
                rows.append(row)
                continue
            if may_be_ground(line):
                grounds.append(line)
        gone = self._deleted
        self.left_out = sorted(row[0] for row in rows if row[0] in gone.ways)
        areas = [area for area in areas if area.relation_id not in gone.relations]
        pools = self._read_grounds(grounds) if has_squares(areas, (r[2] for r in rows)) else []
        drawn = outlines(areas) - {row[0] for row in rows}
        rings = outlines(pools)
        self._members = drawn | rings
        if self._members:
            members = osmium.filter.IdFilter(sorted(way for way in self._members if way > 0))
            chains = {}
            for row in map(parse_way, self._lines(entities.WAY, members)):
                if row[0] in drawn:
                    rows.append(row)
                if row[0] in rings:
                    chains[row[0]] = parse_refs(row[1])
            self.grounds += [ground_of(pool, chains) for pool in pools]
        if gone.ways:
            rows = [row for row in rows if row[0] not in gone.ways]
        text = b",".join(row[1] for row in rows if row[1]).replace(b"n", b"")
        return Ways(
            way_id=np.array([row[0] for row in rows], dtype=np.int64),
            ref_id=np.fromstring(text, dtype=np.int64, sep=","),
            counts=np.array([row[1].count(b"n") for row in rows], dtype=np.int64),
            way_tags=[row[2] for row in rows],
            areas=areas,
        )

    def _read_grounds(self, lines: Iterable[bytes]) -> list[OsmArea]:
        """Take down the ways that walks go round, and return the relations that are such ground."""
        pools = []
        for line in lines:
            if not line.startswith(b"r"):
                ground = parse_ground_way(line)
                if ground is not None and ground.osm_id not in self._deleted.ways:
                    self.grounds.append(ground)
            elif (pool := parse_ground_relation(line)) is not None:
                pools.append(pool)
        return [pool for pool in pools if pool.relation_id not in self._deleted.relations]

    def nodes(self, wanted: NDArray[np.int64], node_tags: dict[int, dict[str, str]]) -> Nodes:
        """Return the wanted nodes that are in the file."""
        place_of = self._places.get
        if self._deleted.nodes:
            wanted = wanted[~np.isin(wanted, np.array(sorted(self._deleted.nodes)))]
        node_id = wanted[wanted >= 0].tolist()
        missing: set[int] = set()
        try:
            places = [place_of(osm_id) for osm_id in node_id]
        except KeyError:
            missing = {osm_id for osm_id in node_id if not self._is_known(osm_id)}
            node_id = [osm_id for osm_id in node_id if osm_id not in missing]
            places = [place_of(osm_id) for osm_id in node_id]
        # Editors number what is not uploaded yet from -1 downwards; the index takes no such ids.
        if wanted.min(initial=0) < 0:
            new = set(wanted[wanted < 0].tolist())
            for node in osmium.FileProcessor(_as_file(self._path), osmium.osm.osm_entity_bits.NODE):
                if isinstance(node, osmium.osm.Node) and node.id in new:
                    node_id.append(node.id)
                    places.append(node.location)
        # osmium counts in whole ten millionths of a degree.
        lon = np.array([place.x for place in places], dtype=np.float64) / 1e7
        lat = np.array([place.y for place in places], dtype=np.float64) / 1e7
        if missing and self._has_places_on_ways():
            more = self._places_on_ways(missing)
            node_id += more
            lon, lat = (
                np.concatenate([own, [place[axis] for place in more.values()]])
                for axis, own in enumerate((lon, lat))
            )
        return Nodes(
            node_id=np.array(node_id, dtype=np.int64), lon=lon, lat=lat, node_tags=node_tags
        )

    def _has_places_on_ways(self) -> bool:
        """Tell whether ways may carry places: PBF says so in its header, XML does not."""
        if self._path.suffix.lower() != ".pbf":
            return True
        reader = osmium.io.Reader(_as_file(self._path), osmium.osm.osm_entity_bits.NOTHING)
        try:
            header = reader.header()
            # Features are numbered from 0, and the header has no list of them.
            names = (header.get(f"pbf_optional_feature_{k}") for k in itertools.count())
            return _PLACES_ON_WAYS in itertools.takewhile(bool, names)
        finally:
            reader.close()

    def _places_on_ways(self, missing: set[int]) -> dict[int, tuple[float, float]]:
        """Return the places of missing nodes as the ways tell them, longitude and latitude."""
        found: dict[int, tuple[float, float]] = {}
        members = sorted(way for way in self._members if way > 0)
        chosen = [_looked_at()]
        chosen += [osmium.filter.IdFilter(members)] if members else []
        # Without the locations handler, which would write its own over those of the file.
        for ways in chosen:
            for line in self._lines(osmium.osm.osm_entity_bits.WAY, ways, places=True):
                for osm_id, place in parse_places(line):
                    if osm_id in missing:
                        found.setdefault(osm_id, place)
        return found

    def _is_known(self, osm_id: int) -> bool:
        try:
            self._places.get(osm_id)
        except KeyError:
            return False
        return True

    def _lines(self, entities: Any, *handlers: Any, places: bool = False) -> Iterator[bytes]:
        """Pass a file through handlers and filters; give what is left as lines of OPL."""
        self._target.unlink(missing_ok=True)
        reader = osmium.io.Reader(_as_file(self._path), entities)
        options = "opl,add_metadata=false" + (",locations_on_ways=true" if places else "")
        target = osmium.io.File(str(self._target), options)
        writer = osmium.WriteHandler(target)  # type: ignore[arg-type]  # the stub is narrow
        try:
            osmium.apply(reader, *handlers, writer)
        finally:
            _close(writer)
            reader.close()
        with self._target.open("rb") as file:
            while block := file.read(_BLOCK_BYTES):
                yield from (block + file.readline()).splitlines()


def _close(writer: osmium.SimpleWriter) -> None:
    """Close a writer, and if it fails, see to it that nobody tries again."""
    try:
        writer.close()
    except Exception:
        # It would, when it is freed, and the second failure ends the process (pyosmium 4.3).
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(writer))
        raise


def _looked_at() -> Any:
    return osmium.filter.KeyFilter("highway", "route", *GROUND_KEYS)
