"""PBF read block by block: the same as osmium reads, and left to osmium where it is not usual."""

from __future__ import annotations

import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import osmium
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from osmium.osm import mutable

from helpers import toy_osm
from helpers.project import EXTRACTS
from quart_heure.errors import InputFileError
from quart_heure.sources.osm import files as osm_files
from quart_heure.sources.osm import osmium_reader, pbf_reader
from quart_heure.sources.osm.data import RawOsm
from quart_heure.sources.osm.files import read_osm_file
from quart_heure.sources.osm.messages import UnusualFileError

FOLDER = EXTRACTS / "osm-raw"


def no_blocks(_: Path) -> Any:
    raise UnusualFileError


def no_osmium(path: Path) -> Any:
    pytest.fail(f"{path.name} was left to osmium")


def by_blocks(path: Path, **options: Any) -> RawOsm:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(osmium_reader, "read_by_osmium", no_osmium)
        return read_osm_file(path, **options)


def by_osmium(path: Path, **options: Any) -> RawOsm:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(osm_files, "read_usual_pbf", no_blocks)
        return read_osm_file(path, **options)


def assert_same(one: RawOsm, other: RawOsm) -> None:
    for name in ("node_id", "lon", "lat", "way_id", "refs", "offsets"):
        found, expected = getattr(one, name), getattr(other, name)
        assert found.dtype == expected.dtype, name
        np.testing.assert_array_equal(found, expected, err_msg=name)
    for name in ("node_tags", "areas", "osm_date", "obstacles", "problem_rows", "source"):
        assert getattr(one, name) == getattr(other, name), name
    assert [list(tags.items()) for tags in one.way_tags] == [
        list(tags.items()) for tags in other.way_tags
    ]


# --- the same as osmium --------------------------------------------------------------------------

KEYS = ("highway", "route", "area", "name", "access", "natural", "railway", "building", "type")
VALUES = (
    *("footway", "pedestrian", "ferry", "yes", "no", "wood", "rail", "multipolygon", "elevator"),
    *("", "Rue de l'Été, n°1 = 100 %", "\x7f\t\r\n", "通り", "\U0001f6b6"),
)
IDS = st.integers(1, 30) | st.integers(1, 2**33)
TAGS = st.lists(st.tuples(st.sampled_from(KEYS), st.sampled_from(VALUES)), max_size=5)
NODE_TAGS = st.lists(
    st.tuples(
        st.sampled_from(("barrier", "access", "highway", "name", "locked")),
        st.sampled_from(("gate", "yes", "no", "elevator", "crossing")),
    ),
    max_size=3,
)
NODES = st.dictionaries(
    st.integers(1, 30), st.tuples(st.integers(-180, 180), st.integers(-90, 90), NODE_TAGS)
)
WAYS = st.lists(st.tuples(IDS, st.lists(st.integers(0, 31), max_size=6), TAGS), max_size=12)
MEMBERS = st.lists(
    st.tuples(st.sampled_from("nwr"), IDS, st.sampled_from(("outer", "inner", ""))), max_size=4
)
RELATIONS = st.lists(st.tuples(IDS, MEMBERS, TAGS), max_size=4)
FORMATS = st.sampled_from(
    ("pbf", "pbf,pbf_compression=none", "pbf,add_metadata=false", "pbf,pbf_compression=zlib")
)


@settings(max_examples=150, deadline=None)
@given(nodes=NODES, ways=WAYS, relations=RELATIONS, how=FORMATS)
def test_blocks_hold_what_osmium_reads(
    nodes: dict[int, Any],
    ways: list[Any],
    relations: list[Any],
    how: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    path = tmp_path_factory.mktemp("random") / "random.osm.pbf"
    street = mutable.Way(id=99, nodes=[40, 41], tags={"highway": "path"})
    with osmium.SimpleWriter(osmium.io.File(str(path), how), header=dated()) as writer:
        for osm_id, (lon, lat, tags) in sorted(nodes.items()):
            writer.add_node(mutable.Node(id=osm_id, location=(lon, lat), tags=tags, user="é"))
        for osm_id, lon in ((40, -1.25), (41, 1.25)):
            writer.add_node(mutable.Node(id=osm_id, location=(lon, -0.0000001)))
        for osm_id, refs, tags in ways:
            writer.add_way(mutable.Way(id=osm_id, nodes=refs, tags=tags, version=3))
        writer.add_way(street)
        for osm_id, members, tags in relations:
            writer.add_relation(mutable.Relation(id=osm_id, members=members, tags=tags))
    assert_same(by_blocks(path), by_osmium(path))


def dated() -> osmium.io.Header:
    header = osmium.io.Header()
    header.set("osmosis_replication_timestamp", toy_osm.OSM_DATE)
    return header


@pytest.mark.parametrize("unpacked", [0, 1 << 30])
def test_many_blocks_hold_what_osmium_reads(
    unpacked: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pbf_reader, "_UNPACKED_BYTES", unpacked)
    random = np.random.default_rng(5)
    path = tmp_path / "many.osm.pbf"
    node_id = np.cumsum(random.integers(1, 1000, 30_000))
    with osmium.SimpleWriter(str(path)) as writer:
        for osm_id, lon, lat in zip(
            node_id.tolist(), *random.uniform(-90, 90, (2, 30_000)).tolist(), strict=True
        ):
            gate = {"barrier": "gate", "access": "no"} if osm_id % 7 == 0 else {}
            writer.add_node(mutable.Node(id=osm_id, location=(lon, lat), tags=gate))
        for osm_id in range(1, 20_000):
            nodes = random.choice(node_id, random.integers(0, 40)).tolist()
            kind = ("path", "steps", "", "service")[osm_id % 4]
            tags = {"highway": kind, "name": f"rue {osm_id % 5000}"} if kind else {"building": "x"}
            writer.add_way(mutable.Way(id=osm_id, nodes=nodes, tags=tags))
    assert_same(by_blocks(path), by_osmium(path))


@pytest.mark.parametrize("name", ["paris_bss.osm.pbf", "porto.osm.pbf"])
def test_extracts_hold_what_osmium_reads(name: str) -> None:
    if not (FOLDER / name).is_file():
        pytest.skip("the extracts are not here")
    assert_same(by_blocks(FOLDER / name), by_osmium(FOLDER / name))


def test_the_toy_town_is_read_by_blocks(tmp_path: Path) -> None:
    path = toy_osm.write(tmp_path / "town.osm.pbf")
    assert_same(by_blocks(path), by_osmium(path))
    cut = {"polygon": toy_osm.WEST_HALF}
    assert_same(by_blocks(path, **cut), by_osmium(path, **cut))


# --- left to osmium ------------------------------------------------------------------------------


def number(value: int) -> bytes:
    """Write a number as PBF does, the least digits first."""
    value &= (1 << 64) - 1
    octets = []
    while value > 127:
        octets.append(value & 127 | 128)
        value >>= 7
    return bytes([*octets, value])


def field(key: int, value: int | bytes) -> bytes:
    """Write a field of a message."""
    if isinstance(value, int):
        return number(key << 3) + number(value)
    return number(key << 3 | 2) + number(len(value)) + value


def packed(*values: int, signed: bool = False) -> bytes:
    """Write numbers, or the steps between them."""
    if signed:
        steps = np.diff(values, prepend=0).tolist()
        values = tuple(2 * step if step >= 0 else -2 * step - 1 for step in steps)
    return b"".join(map(number, values))


def blob(kind: bytes, data: bytes, *, size: int | None = None, told: bytes | None = None) -> bytes:
    """Write a blob; ``size`` and ``told`` are what is said instead of what is true."""
    size = len(data) if size is None else size
    content = field(2, size) + field(3, zlib.compress(data)) if told is None else told
    head = field(1, kind) + field(3, len(content))
    return len(head).to_bytes(4, "big") + head + content


STRINGS = (b"", b"highway", b"path")
HEADER = field(4, b"OsmSchema-V0.6") + field(4, b"DenseNodes")


def table(*strings: bytes) -> bytes:
    return field(1, b"".join(field(1, text) for text in strings))


def dense(**fields: bytes) -> bytes:
    parts = {
        "ids": packed(1, 2, 3, signed=True),
        "lat": packed(480_000_000, 480_000_100, 480_000_200, signed=True),
        "lon": packed(20_000_000, 20_000_100, 20_000_300, signed=True),
        "tags": packed(0, 0, 0),
    }
    parts |= fields
    numbers = {"ids": 1, "info": 5, "lat": 8, "lon": 9, "tags": 10}
    return field(2, field(2, b"".join(field(numbers[key], parts[key]) for key in parts)))


PATH = field(1, 7) + field(2, packed(1)) + field(3, packed(2))
WAY = PATH + field(8, packed(1, 2, 3, signed=True))


def streets(*ways: bytes) -> bytes:
    return field(2, b"".join(field(3, way) for way in ways or (WAY,)))


def extract(*blocks: bytes, header: bytes = HEADER) -> bytes:
    blocks = blocks or (table(*STRINGS) + dense() + streets(),)
    return blob(b"OSMHeader", header) + b"".join(blob(b"OSMData", block) for block in blocks)


def test_what_is_written_here_is_read(tmp_path: Path) -> None:
    path = tmp_path / "own.osm.pbf"
    path.write_bytes(extract())
    raw = by_blocks(path)
    assert raw.lon.tolist() == [2.0, 2.00001, 2.00003]
    assert [dict(tags) for tags in raw.way_tags] == [{"highway": "path"}]
    assert_same(raw, by_osmium(path))


TOWN = table(*STRINGS) + dense()
PLAIN_NODE = field(1, 2) + field(8, 960_000_000) + field(9, 40_000_000)
POINT = field(1, packed(2)) + field(8, packed(0)) + field(9, packed(0))
UNUSUAL = {
    "history": extract(header=HEADER + field(4, b"HistoricalInformation")),
    "unknown": extract(header=HEADER + field(4, b"Sorted3D")),
    "places on ways": extract(header=HEADER + field(5, b"LocationsOnWays")),
    "plain nodes": extract(TOWN + field(2, field(1, PLAIN_NODE)) + streets()),
    "changesets": extract(TOWN + streets() + field(2, field(5, field(1, 4)))),
    "mixed group": extract(TOWN + field(2, field(3, WAY) + field(1, PLAIN_NODE))),
    "coarse": extract(table(*STRINGS) + dense() + streets() + field(17, 1000)),
    "shifted": extract(table(*STRINGS) + dense() + streets() + field(19, 5)),
    "not sorted": extract(table(*STRINGS) + dense(ids=packed(2, 1, 3, signed=True)) + streets()),
    "twice": extract(table(*STRINGS) + dense(ids=packed(1, 1, 3, signed=True)) + streets()),
    "new nodes": extract(table(*STRINGS) + dense(ids=packed(-3, 1, 2, signed=True)) + streets()),
    "blocks not sorted": extract(TOWN, TOWN + streets()),
    "off the globe": extract(
        table(*STRINGS) + dense(lat=packed(480_000_000, 910_000_000, 5, signed=True)) + streets()
    ),
    "deleted": extract(TOWN + streets(WAY + field(4, field(6, 0)))),
    "deleted nodes": extract(
        table(*STRINGS) + dense(info=field(1, packed(1, 1, 1)) + field(6, packed(1, 0, 1)))
        + streets()
    ),
    "two dense messages": extract(table(*STRINGS) + field(2, field(2, POINT) + field(2, POINT))),
    "more strings than anybody writes": extract(
        field(1, 1_100_000 * field(1, b"")) + dense() + streets()
    ),
    "more groups than anybody writes": extract(TOWN + streets() + 2000 * b"\x12\0"),
    "more references than anybody writes": extract(
        TOWN + streets(PATH + field(8, bytes(5_000_000)))
    ),
    "raw blob of another kind": extract() + blob(b"OSMOther", b""),
    "lzma": extract() + blob(b"OSMData", b"", told=field(2, 5) + field(4, b"packed")),
}  # fmt: skip


@pytest.mark.parametrize("case", UNUSUAL)
def test_an_unusual_file_is_left_to_osmium(case: str, tmp_path: Path) -> None:
    path = tmp_path / "unusual.osm.pbf"
    path.write_bytes(UNUSUAL[case])
    with pytest.raises(UnusualFileError):
        osm_files.read_usual_pbf(path)
    assert outcome(path) == outcome(path, blocks=False)


DAMAGED = {
    "no strings": extract(dense() + streets()),
    "no such key": extract(table(b"", b"highway") + dense() + streets()),
    "no such key of nodes": extract(
        table(*STRINGS) + dense(tags=packed(9, 9, 0, 0, 0)) + streets()
    ),
    "a key without a value": extract(table(*STRINGS) + dense(tags=packed(1, 0, 0, 0)) + streets()),
    "fewer latitudes": extract(table(*STRINGS) + dense(lat=packed(4, 5, signed=True)) + streets()),
    "keys alone": extract(TOWN + streets(field(1, 7) + field(2, packed(1)))),
    "a number without an end": extract(table(*STRINGS) + dense(ids=b"\x80\x80") + streets()),
    "a number too long": extract(TOWN + streets(PATH + field(8, b"\xff" * 11 + b"\1"))),
    "a length beyond the block": extract(TOWN + b"\x12\xff\xff\xff\xff\x07" + WAY),
    "a length beyond the way": extract(TOWN + streets(PATH + b"\x42\x7f\x02\x02")),
    "a negative length": extract(TOWN + streets(PATH + b"\x42" + number(-5) + b"\x02")),
    "steps that overflow": extract(TOWN + streets(PATH + field(8, packed(-2, -2)))),
    "a block larger than it says": blob(b"OSMHeader", HEADER) + blob(b"OSMData", TOWN, size=9),
    "a block smaller than it says": blob(b"OSMHeader", HEADER) + blob(b"OSMData", TOWN, size=999),
    "no header": blob(b"OSMData", TOWN),
    "zlib that is none": extract() + blob(b"OSMData", b"", told=field(2, 5) + field(3, b"hello")),
    "zlib cut short": extract()
    + blob(b"OSMData", b"", told=field(2, len(TOWN)) + field(3, zlib.compress(TOWN)[:-6])),
    "a large header": (70_000).to_bytes(4, "big") + bytes(70_000),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_damage_ends_as_it_does_with_osmium(case: str, tmp_path: Path) -> None:
    path = tmp_path / "damaged.osm.pbf"
    path.write_bytes(DAMAGED[case])
    with pytest.raises(UnusualFileError):
        osm_files.read_usual_pbf(path)
    assert outcome(path) == outcome(path, blocks=False)


def test_a_block_that_unfolds_beyond_its_size_is_not_unfolded(tmp_path: Path) -> None:
    path = tmp_path / "bomb.osm.pbf"
    bomb = field(3, zlib.compress(bytes(500_000_000), level=1))
    script = (
        "import resource, sys\n"
        "from quart_heure.sources.osm.files import read_osm_file\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try: read_osm_file(sys.argv[1])\n"
        "except Exception as error: print(type(error).__name__)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 150_000)\n"
    )
    for said in (1000, 30 << 20, 500_000_000):
        content = blob(b"OSMHeader", HEADER) + blob(b"OSMData", b"", told=field(2, said) + bomb)
        path.write_bytes(content)
        told = subprocess.run(
            [sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=True
        )
        assert told.stdout.split() == ["InputFileError", "True"], told.stderr


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    edits=st.lists(
        st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=2
    ),
    cut=st.booleans(),
)
def test_of_a_damaged_file_nothing_else_is_read_than_by_osmium(
    edits: list[tuple[float, int]], cut: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    content = bytearray(WITHOUT_CHECK_SUMS)
    for place, octet in edits:
        content[int(place * len(content))] = octet
    if cut:
        del content[int(edits[0][0] * len(content))]
    path = tmp_path_factory.mktemp("damaged") / "damaged.osm.pbf"
    path.write_bytes(content)
    found = outcome(path)
    if "a text holds a NUL" not in found:  # which osmium does not always survive
        expected = outcome(path, blocks=False)
        # Of ways that are no street osmium reads more, and may stumble over it.
        assert found == expected or "cannot be read" in expected


WITHOUT_CHECK_SUMS = b"".join(
    blob(kind, b"", told=field(1, data))
    for kind, data in (
        (b"OSMHeader", HEADER),
        (b"OSMData", table(*STRINGS, b"barrier", b"gate") + dense(tags=packed(0, 3, 4, 0, 0))),
        (b"OSMData", table(*STRINGS) + streets(WAY, WAY.replace(b"\x07", b"\x08"))),
    )
)


def outcome(path: Path, *, blocks: bool = True) -> str:
    """Return what is read, or the message of why not."""
    with pytest.MonkeyPatch.context() as patch:
        if not blocks:
            patch.setattr(osm_files, "read_usual_pbf", no_blocks)
        try:
            raw = read_osm_file(path)
        except InputFileError as error:
            return f"{error} {error.hint}"
    tags = [dict(found) for found in raw.way_tags], dict(raw.node_tags)
    arrays = [getattr(raw, name).tolist() for name in ("node_id", "lon", "lat", "way_id", "refs")]
    return repr((arrays, tags, raw.areas, raw.osm_date, raw.problem_rows))


@pytest.mark.parametrize("text", [b"pa\0th", b"pa\xffth", b"path\xc3"])
def test_a_text_that_is_none_is_refused(text: bytes, tmp_path: Path) -> None:
    path = tmp_path / "text.osm.pbf"
    path.write_bytes(extract(table(b"", b"highway", text) + dense() + streets()))
    # osmium tries twice to write what it cannot, and the second time ends the process.
    script = "import sys; from quart_heure.sources.osm.files import read_osm_file as read\n"
    script += "try: read(sys.argv[1])\nexcept Exception as error: print(repr(error))"
    told = subprocess.run(
        [sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=False
    )
    assert (told.returncode, told.stderr) == (0, "")
    assert told.stdout.startswith("InputFileError(")


def test_streets_are_read_without_tables_and_searches(tmp_path: Path) -> None:
    path = toy_osm.write(tmp_path / "town.osm.pbf")
    script = (
        "import sys; from quart_heure.network.streets import read_osm_network as read\n"
        "read(sys.argv[1]); print({'pandas', 'scipy', 'osmium'} & set(sys.modules))"
    )
    told = subprocess.run(
        [sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=True
    )
    assert told.stdout == "set()\n"
