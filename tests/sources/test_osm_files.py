"""Raw data from files and answers: one form, everything odd listed, nothing that breaks the run."""

from __future__ import annotations

import bz2
import dataclasses
import gzip
import resource
from pathlib import Path
from typing import Any

import numpy as np
import osmium
import pytest

from helpers import toy_osm
from helpers.project import EXTRACTS
from quart_heure.errors import InputFileError
from quart_heure.sources.osm import osmium_reader
from quart_heure.sources.osm.data import RawOsm, from_overpass
from quart_heure.sources.osm.files import read_osm_file

FOLDER = EXTRACTS / "osm-raw"
STREET = {"highway": "residential"}


def node(osm_id: int, lon: Any = 2.35, lat: Any = 48.85, **tags: str) -> dict[str, Any]:
    return {"type": "node", "id": osm_id, "lon": lon, "lat": lat, "tags": tags}


def way(osm_id: int, *nodes: int, tags: dict[str, str] | None = None) -> dict[str, Any]:
    return {"type": "way", "id": osm_id, "nodes": list(nodes), "tags": tags or STREET}


def assert_same(one: RawOsm, other: RawOsm) -> None:
    for name in ("node_id", "lon", "lat", "way_id", "refs", "offsets"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)
    for name in ("node_tags", "way_tags", "areas", "osm_date", "obstacles"):
        assert getattr(one, name) == getattr(other, name), name
    dropped = ["file"]
    assert one.problems.drop(columns=dropped).equals(other.problems.drop(columns=dropped))


def nodes_of(raw: RawOsm, position: int) -> list[int]:
    refs = raw.refs[raw.offsets[position] : raw.offsets[position + 1]]
    return raw.node_id[refs].tolist()


def problems_of(raw: RawOsm) -> set[tuple[str, int, str]]:
    return {(row.field, row.row, row.reason) for row in raw.problems.itertuples()}


@pytest.fixture(scope="module")
def answer() -> RawOsm:
    return from_overpass(toy_osm.elements(), osm_date=toy_osm.OSM_DATE)


@pytest.mark.parametrize("name", ["t.osm", "t.osm.gz", "t.osm.bz2", "t.osm.pbf", "T.OSM.PBF"])
def test_a_file_holds_what_an_answer_holds(name: str, answer: RawOsm, tmp_path: Path) -> None:
    raw = read_osm_file(toy_osm.write(tmp_path / name.lower()).rename(tmp_path / name))
    assert_same(raw, answer)
    assert raw.source == name


def test_what_an_answer_holds(answer: RawOsm) -> None:
    assert answer.way_id.tolist() == sorted([*toy_osm.WAYS.keys() - {64, 65}, 59])
    first = answer.way_tags[0]
    assert first == toy_osm.WAYS[1][0]
    assert answer.way_tags[1].keys() == {"highway", "name", "sidewalk"}
    assert nodes_of(answer, 0) == [toy_osm.NODE_IDS[place] for place in toy_osm.WAYS[1][1]]
    gate = toy_osm.NODE_IDS[toy_osm.LOCKED_GATE]
    assert answer.node_tags[gate] == {"barrier": "gate", "locked": "yes"}
    assert len(answer.node_tags) == 2  # the crossing is neither gate nor door
    (court,) = answer.areas
    assert (court.relation_id, court.outer, court.inner) == (1, (20, 21), (22,))
    assert problems_of(answer) == {
        ("way", 59, "nodes are missing"),
        ("way", 64, "fewer than two nodes"),
    }


def test_order_and_repetition_do_not_matter(answer: RawOsm) -> None:
    elements = toy_osm.elements()
    shuffled = [elements[k] for k in np.random.default_rng(3).permutation(len(elements))]
    assert_same(from_overpass(shuffled + elements, osm_date=toy_osm.OSM_DATE), answer)


def test_a_way_is_cut_where_a_node_is_missing() -> None:
    raw = from_overpass([node(1), node(2, 2.36), node(3), node(4), way(7, 1, 2, 99, 3, 4, 98, 1)])
    assert raw.way_id.tolist() == [7, 7]
    assert [nodes_of(raw, 0), nodes_of(raw, 1)] == [[1, 2], [3, 4]]
    assert problems_of(raw) == {("way", 7, "nodes are missing")}
    assert raw.problems["value"].tolist() == ["2"]


@pytest.mark.parametrize("place", [(181, 48), (2, -91), (float("nan"), 48), (2, float("inf"))])
def test_nodes_off_the_globe_are_left_out(place: tuple[float, float]) -> None:
    raw = from_overpass([node(1), node(2), node(3, *place), way(7, 1, 2, 3)])
    assert nodes_of(raw, 0) == [1, 2]
    assert ("node", 3, "not on the globe") in problems_of(raw)


def test_of_elements_given_twice_the_first_counts() -> None:
    ways = [way(7, 1, 2), way(7, 2, 1), way(8, 1, 2), way(8, 1, 2)]
    raw = from_overpass([node(1, 2.3), node(1, 2.4), node(2), *ways])
    assert raw.lon.tolist() == [2.3, 2.35]
    assert nodes_of(raw, 0) == [1, 2]
    assert problems_of(raw) == {("node", 1, "node given twice"), ("way", 7, "way given twice")}


def test_a_node_twice_in_a_row_counts_once() -> None:
    raw = from_overpass([node(1), node(2), way(7, 1, 1, 2, 2, 1), way(8, 1, 1)])
    assert nodes_of(raw, 0) == [1, 2, 1]
    assert raw.way_id.tolist() == [7]
    assert ("way", 8, "fewer than two nodes") in problems_of(raw)


def test_long_lists_of_problems_are_cut_short() -> None:
    raw = from_overpass([node(1), *(way(k, 1) for k in range(1, 1001))])
    assert len(raw.problems) == 201
    assert raw.problems["value"].iloc[-1] == "800 more"


def test_an_empty_answer_is_empty() -> None:
    raw = from_overpass([])
    assert (raw.n_ways, len(raw.node_id), len(raw.problems)) == (0, 0, 0)


@pytest.mark.parametrize(
    "element",
    [
        {"type": "node", "id": 1, "lon": 2.35},
        {"type": "way"},
        {"type": "node", "id": "x", "lon": 2, "lat": 48},
        {
            "type": "relation",
            "id": 1,
            "tags": toy_osm.RELATIONS[1][0],
            "members": [{"type": "way"}],
        },
        "<html>",
    ],
)
def test_an_incomplete_answer_is_refused(element: Any) -> None:
    with pytest.raises(InputFileError, match="element 2"):
        from_overpass([node(1), element])


@pytest.mark.parametrize("name", ["t.osm", "t.osm.pbf"])
def test_a_cut_keeps_every_street_of_the_polygon(name: str, tmp_path: Path) -> None:
    path = toy_osm.write(tmp_path / name)
    everything = read_osm_file(path)
    cut = read_osm_file(path, polygon=toy_osm.WEST_HALF)
    east = toy_osm.WEST_HALF.bounds[2]
    touching = {
        int(everything.way_id[w])
        for w in range(everything.n_ways)
        if everything.lon[everything.refs[everything.offsets[w] : everything.offsets[w + 1]]].min()
        <= east
    }
    # The square in the east is kept whole, and so are the ways that lead into either square.
    assert set(cut.way_id.tolist()) == touching | {20, 21, 22} | {12, 13, 23, 24}


def test_the_index_of_large_files_is_kept_on_disk(
    answer: RawOsm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(osmium_reader, "_LARGE_FILE_BYTES", 0)
    assert_same(read_osm_file(toy_osm.write(tmp_path / "t.osm.pbf")), answer)


def test_lines_longer_than_a_block(
    answer: RawOsm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(osmium_reader, "_BLOCK_BYTES", 7)
    assert_same(read_osm_file(toy_osm.write(tmp_path / "t.osm")), answer)


def test_new_elements_of_an_editor_and_ways_before_nodes(tmp_path: Path) -> None:
    path = tmp_path / "editor.osm"
    path.write_text(
        "<osm version='0.6' timestamp='2020-02-02'>"
        "<way id='-7'><nd ref='-1'/><nd ref='5'/><nd ref='-2'/><tag k='highway' v='path'/></way>"
        "<node id='-1' lon='2.1' lat='48'/><node id='5' lon='2.2' lat='48'/>"
        "<node id='-2' lon='2.3' lat='48'/></osm>"
    )
    raw = read_osm_file(path)
    assert nodes_of(raw, 0) == [-1, 5, -2]
    assert raw.lon.tolist() == [2.3, 2.1, 2.2]
    assert raw.osm_date == "2020-02-02"
    assert raw.problem_rows == ()


def test_coordinates_off_the_globe_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "far.osm"
    path.write_text(
        "<osm version='0.6'><node id='1' lon='2.1' lat='148.1'/><node id='2' lon='2' lat='48'/>"
        "<node id='3' lon='2.1' lat='48'/><node id='4'/><way id='1'><nd ref='1'/><nd ref='2'/>"
        "<nd ref='3'/><nd ref='4'/><tag k='highway' v='path'/></way></osm>"
    )
    raw = read_osm_file(path)
    assert nodes_of(raw, 0) == [2, 3]
    assert ("node", 1, "not on the globe") in problems_of(raw)
    assert ("way", 1, "nodes are missing") in problems_of(raw)


LAUGHS = "".join(f'<!ENTITY l{k} "{f"&l{k - 1};" * 10}">' for k in range(1, 20))
HOSTILE = {
    "laughs.osm": f'<!DOCTYPE o [<!ENTITY l0 "ha">{LAUGHS}]><osm version="0.6">'
    '<node id="1" lat="48" lon="2"><tag k="name" v="&l19;"/></node></osm>',
    "outside.osm": '<!DOCTYPE o [<!ENTITY x SYSTEM "file:///etc/hostname">]>'
    '<osm version="0.6"><node id="1" lat="48" lon="2"><tag k="n" v="&x;"/></node></osm>',
    "cut.osm": toy_osm.osm_xml()[:5000],
    "page.osm": "<html><body>Too many requests</body></html>",
    "empty.osm": "",
    "empty.osm.pbf": "",
    "text.osm": "hello",
    "text.osm.gz": "hello",
    "text.osm.bz2": "hello",
    "text.osm.pbf": "hello, world",
    "no_streets.osm": "<osm version='0.6'><node id='1' lat='48' lon='2'/></osm>",
    "far.osm": "<osm version='0.6'><node id='1' lat='48' lon='99999999999'/></osm>",
    "id.osm": "<osm version='0.6'><way id='99999999999999999999'/></osm>",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_is_refused(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(HOSTILE[name])
    with pytest.raises(InputFileError, match=name):
        read_osm_file(path)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("header.osm.pbf", b"\x7f\xff\xff\xff\x0a\x09OSMHeader"),
        # a block said to be 2 GB long
        ("block.osm.pbf", b"\x00\x00\x00\x11\x0a\x09OSMHeader\x18\xff\xff\xff\xff\x07"),
        ("zeros.osm.pbf", bytes(100_000)),
        ("zeros.osm.gz", gzip.compress(bytes(100_000_000), compresslevel=1)),
        ("half.osm.gz", gzip.compress(toy_osm.osm_xml().encode())[:-200]),
    ],
)
def test_hostile_bytes_are_refused(name: str, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(InputFileError, match=name):
        read_osm_file(path)
    # The claim of 2 GB was not believed.
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000


@pytest.mark.parametrize("end", [0.1, 0.5, 0.9, 0.999])
def test_a_truncated_pbf_is_refused(end: float, tmp_path: Path) -> None:
    whole = toy_osm.write(tmp_path / "whole.osm.pbf").read_bytes()
    path = tmp_path / "cut.osm.pbf"
    path.write_bytes(whole[: int(end * len(whole))])
    with pytest.raises(InputFileError, match=r"cut\.osm\.pbf"):
        read_osm_file(path)


@pytest.mark.parametrize("name", ["streets.zip", "streets.geojson", "osm"])
def test_another_kind_of_file_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text("x")
    with pytest.raises(InputFileError, match="not a kind"):
        read_osm_file(tmp_path / name)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="no such file"):
        read_osm_file(tmp_path / "none.osm.pbf")


def test_a_history_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "history.osm"
    path.write_text(
        "<osmChange version='0.6'><modify><node id='1' lat='48' lon='2' version='2'/></modify>"
        "</osmChange>"
    )
    with pytest.raises(InputFileError, match="history"):
        read_osm_file(path)


def test_nothing_is_left_in_the_temporary_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = toy_osm.write(tmp_path / "t.osm")
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(osmium_reader.tempfile, "tempdir", str(scratch))
    read_osm_file(path)
    path.write_text("<osm>")
    with pytest.raises(InputFileError):
        read_osm_file(path)
    assert list(scratch.iterdir()) == []


# --- files that need a second look ---------------------------------------------------------------


def write_places_on_ways(path: Path, *, untagged: bool = False) -> Path:
    """Write the town as ``osmium add-locations-to-ways`` does: untagged nodes are left out."""
    source = toy_osm.write(path.with_name("source.osm"))
    header = osmium.io.Header()
    header.set("osmosis_replication_timestamp", toy_osm.OSM_DATE)
    kind = "pbf" if path.suffix == ".pbf" else "osm"
    target = osmium.io.File(str(path), f"{kind},locations_on_ways=true")
    with osmium.SimpleWriter(target, header=header, overwrite=True) as writer:  # type: ignore[arg-type]
        for element in osmium.FileProcessor(str(source)).with_locations():
            if untagged or not element.is_node() or element.tags:
                writer.add(element)
    source.unlink()
    return path


@pytest.mark.parametrize("name", ["places.osm.pbf", "places.osm"])
@pytest.mark.parametrize("untagged", [False, True])
def test_places_on_ways_are_read(name: str, untagged: bool, answer: RawOsm, tmp_path: Path) -> None:
    raw = read_osm_file(write_places_on_ways(tmp_path / name, untagged=untagged))
    if name.endswith(".osm"):  # XML has no such header
        raw = dataclasses.replace(raw, osm_date=toy_osm.OSM_DATE)
    assert_same(raw, answer)


def test_places_on_ways_are_cut_to_a_polygon(tmp_path: Path) -> None:
    places = read_osm_file(
        write_places_on_ways(tmp_path / "places.osm.pbf"), polygon=toy_osm.WEST_HALF
    )
    nodes = read_osm_file(toy_osm.write(tmp_path / "t.osm.pbf"), polygon=toy_osm.WEST_HALF)
    assert_same(places, nodes)


def editor_file(**marks: str) -> str:
    """Write two streets and a gate as an editor does, some of it marked (by kind and number)."""

    def mark(name: str) -> str:
        return f" {marks[name]}" if name in marks else ""

    return (
        "<?xml version='1.0' encoding='UTF-8'?><osm version='0.6' generator='JOSM'>"
        "<node id='1' visible='true' lat='48' lon='2'/>"
        f"<node id='2'{mark('n2')} lat='48' lon='2.1'>"
        "<tag k='barrier' v='gate'/></node>"
        "<node id='3' action='modify' visible='true' lat='48' lon='2.2'/>"
        f"<way id='-7'{mark('w7')}><nd ref='1'/><nd ref='2'/><nd ref='3'/>"
        "<tag k='highway' v='path'/><tag k='note' v=\"action='delete' > soon\"/></way>"
        "<way id='8'><nd ref='1'/><nd ref='3'/><tag k='highway' v='path'/></way>"
        "<way id='9'><nd ref='1'/><nd ref='2'/><nd ref='3'/><nd ref='1'/></way>"
        f"<relation id='5'{mark('r5')}><member type='way' ref='9' role='outer'/>"
        "<tag k='type' v='multipolygon'/><tag k='highway' v='pedestrian'/></relation></osm>"
    )


def read_text(path: Path, text: str) -> RawOsm:
    pack = {".gz": gzip.compress, ".bz2": bz2.compress}.get(path.suffix, bytes)
    path.write_bytes(pack(text.encode()))
    return read_osm_file(path)


@pytest.mark.parametrize("mark", ["action='delete'", 'action="delete"', "visible='false'"])
@pytest.mark.parametrize("name", ["t.osm", "t.osm.gz", "t.osm.bz2"])
def test_what_an_editor_deleted_is_not_there(mark: str, name: str, tmp_path: Path) -> None:
    raw = read_text(tmp_path / name, editor_file(w7=mark))
    assert raw.way_id.tolist() == [8, 9]
    assert problems_of(raw) == {("way", -7, "deleted in an editor")}
    raw = read_text(tmp_path / name, editor_file(n2=mark))
    assert (raw.node_id.tolist(), raw.node_tags) == ([1, 3], {})
    assert ("way", -7, "nodes are missing") in problems_of(raw)
    raw = read_text(tmp_path / name, editor_file(r5=mark))
    assert (raw.way_id.tolist(), raw.areas) == ([-7, 8], ())


def test_words_of_deletion_in_a_note_delete_nothing(tmp_path: Path) -> None:
    raw = read_text(tmp_path / "t.osm", editor_file())
    assert raw.way_id.tolist() == [-7, 8, 9]
    assert raw.problem_rows == ()


def test_a_file_of_deletions_that_is_damaged_is_refused(tmp_path: Path) -> None:
    text = editor_file(w7="action='delete'")
    for broken in (text[:-40], text.replace("id='-7'", "id='x'"), LAUGHS_IN_AN_EDITOR):
        with pytest.raises(InputFileError, match=r"t\.osm"):
            read_text(tmp_path / "t.osm", broken)


LAUGHS_IN_AN_EDITOR = (
    f'<!DOCTYPE o [<!ENTITY l0 "ha">{LAUGHS}]><osm version="0.6">'
    '<node id="1" action="delete" lat="48" lon="2"><tag k="name" v="&l19;"/></node></osm>'
)


# --- what walks across squares go round ----------------------------------------------------------

SQUARE = {"highway": "pedestrian", "area": "yes"}


def grounds(*more: dict[str, Any], square: bool = True) -> list[dict[str, Any]]:
    """Return a square, and what is drawn beside it."""
    corners = [node(k + 1, 2.35 + 0.001 * x, 48.85 + 0.001 * y) for k, (x, y) in enumerate(CORNERS)]
    return [*corners, way(90, 1, 2, 3, 4, 1, tags=SQUARE if square else STREET), *more]


CORNERS = [(0, 0), (1, 0), (1, 1), (0, 1)]


@pytest.mark.parametrize(
    ("tags", "kind"),
    [
        ({"natural": "wood"}, "Polygon"),
        ({"landuse": "forest"}, "Polygon"),
        ({"leisure": "pitch"}, "Polygon"),
        ({"natural": "water"}, "Polygon"),
        ({"railway": "rail"}, "LineString"),
        ({"railway": "rail", "tunnel": "yes"}, ""),
        ({"railway": "rail", "bridge": "viaduct"}, ""),
        ({"railway": "tram"}, ""),
        ({"natural": "wood", "layer": "-1"}, ""),
        ({"natural": "tree_row"}, ""),
        ({"leisure": "pitch", "highway": "pedestrian"}, ""),
    ],
)
def test_woods_pitches_and_rails_are_taken_down(
    tags: dict[str, str], kind: str, tmp_path: Path
) -> None:
    elements = grounds(way(91, 1, 2, 3, 1, tags=tags))
    asked = from_overpass(elements)
    path = tmp_path / "t.osm"
    path.write_text(toy_osm.osm_xml(elements), encoding="utf-8")
    for raw in (asked, read_osm_file(path)):
        assert [shape.geom_type for shape in raw.obstacles] == ([kind] if kind else [])


def test_a_wood_that_is_a_relation_has_its_clearing(tmp_path: Path) -> None:
    inner = [node(11, 2.3502, 48.8502), node(12, 2.3504, 48.8502), node(13, 2.3504, 48.8504)]
    outer = [way(91, 1, 2, 3, tags={"source": "x"}), way(92, 3, 4, 1, tags={"source": "x"})]
    members = [
        {"type": "way", "ref": ref, "role": role}
        for ref, role in [(91, "outer"), (92, "outer"), (93, "inner")]
    ]
    wood = {"type": "relation", "id": 5, "members": members}
    wood["tags"] = {"type": "multipolygon", "natural": "wood"}
    elements = grounds(*inner, *outer, way(93, 11, 12, 13, 11, tags={"source": "x"}), wood)
    path = tmp_path / "t.osm"
    path.write_text(toy_osm.osm_xml(elements), encoding="utf-8")
    for raw in (from_overpass(elements), read_osm_file(path)):
        (shape,) = raw.obstacles
        assert shape.area == pytest.approx(0.001**2 - 0.0002**2 / 2, rel=1e-6)
        # Its ways are no streets.
        assert raw.way_id.tolist() == [90]


def test_without_a_square_nothing_is_taken_down(tmp_path: Path) -> None:
    elements = grounds(way(91, 1, 2, 3, 1, tags={"natural": "wood"}), square=False)
    path = tmp_path / "t.osm"
    path.write_text(toy_osm.osm_xml(elements), encoding="utf-8")
    assert from_overpass(elements).obstacles == read_osm_file(path).obstacles == ()


@pytest.mark.extracts
@pytest.mark.skipif(not FOLDER.exists(), reason="the source extracts are not beside the project")
@pytest.mark.parametrize(
    ("name", "ways", "date"),
    [("monaco.osm.gz", 866, ""), ("porto.osm.pbf", 51_310, "2015-06-06T00:23:02Z")],
)
def test_real_files(name: str, ways: int, date: str) -> None:
    raw = read_osm_file(FOLDER / name)
    assert (raw.n_ways, raw.osm_date) == (ways, date)
