"""From raw data to a network: hand-computed lengths, one result for every source, brute force."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import networkx as nx
import numpy as np
import pyproj
import pytest

from helpers import toy_osm
from helpers.project import EXTRACTS
from quart_heure.errors import CrsError, InputFileError, NetworkError
from quart_heure.network.graph import Flags, WalkNetwork
from quart_heure.network.rules import DROPPED, judge, judge_node
from quart_heure.network.streets import network_from_osm, read_osm_network
from quart_heure.sources.osm.data import RawOsm, from_overpass
from quart_heure.sources.osm.files import read_osm_file

FOLDER = EXTRACTS / "osm-raw"
CRS = pyproj.CRS.from_epsg(2154)


def toy_raw() -> RawOsm:
    return from_overpass(toy_osm.elements(), osm_date=toy_osm.OSM_DATE)


@pytest.fixture(scope="module")
def town() -> WalkNetwork:
    return network_from_osm(toy_raw(), crs=CRS)


@pytest.fixture(scope="module")
def graph(town: WalkNetwork) -> nx.MultiDiGraph:
    return town.to_networkx()


def at(network: WalkNetwork, place: toy_osm.XY) -> int:
    """Return the node at a place of the toy town."""
    move = pyproj.Transformer.from_crs(4326, network.crs, always_xy=True).transform
    apart = np.hypot(*(network.node_xy - move(*toy_osm.lon_lat(place))).T)
    assert apart.min() < 0.01, f"no node at {place}"
    return int(apart.argmin())


def edges_of(network: WalkNetwork, osm_id: int) -> list[int]:
    return np.flatnonzero(network.osm_id == osm_id).tolist()


@pytest.mark.parametrize(
    ("start", "end", "metres"),
    [
        ((0, 0), (400, 0), 400),
        # along rue A, into the square, across it, up the stairs
        ((0, 0), (200, 300), 100 + 100 + 141.42 + 100),
        # around a corner of the hole: twice 76.16 m, not 200 m along the outline
        ((250, 100), (350, 200), 152.32),
        # a oneway:foot path: 300 m along it, 100 m back
        ((0, 300), (100, 300), 100),
        ((0, 0), (-50, -50), None),
        ((400, 0), (450, -50), 70.71),  # through two nodes at one place
        ((400, 300), (450, 350), 70.71),
        ((0, 150), (60, 200), 40 + 53.85),
    ],
)
def test_distances(
    town: WalkNetwork,
    graph: nx.MultiDiGraph,
    start: toy_osm.XY,
    end: toy_osm.XY,
    metres: float | None,
) -> None:
    if metres is None:  # a bend of the voie verte is no junction
        with pytest.raises(AssertionError, match="no node"):
            at(town, end)
        return
    found = nx.shortest_path_length(graph, at(town, start), at(town, end), weight="length")
    assert found == pytest.approx(metres, rel=2e-3)


@pytest.mark.parametrize("place", [(300, 90), (300, 400), (700, 700)])
def test_places_that_cannot_be_reached(
    town: WalkNetwork, graph: nx.MultiDiGraph, place: toy_osm.XY
) -> None:
    assert not nx.has_path(graph, at(town, (0, 0)), at(town, place))


def test_what_is_not_walked_is_not_there(town: WalkNetwork) -> None:
    assert set(town.osm_id.tolist()).isdisjoint({50, 51, 56, 58, 63, 30, 64, 65})
    dropped = town.meta["dropped"]
    assert {reason: count["ways"] for reason, count in dropped.items()} == {
        "access_private": 1,
        "cycleway": 1,
        "ferry": 1,
        "not_built": 1,
        "trunk": 1,
    }
    assert dropped["trunk"]["length_km"] == pytest.approx(0.2, rel=2e-3)
    assert dropped.keys() <= DROPPED.keys()


def test_meta(town: WalkNetwork) -> None:
    assert town.meta["osm_date"] == toy_osm.OSM_DATE
    assert town.meta["licence"] == "ODbL 1.0"
    assert town.meta["squares_without_entrance"] == [30]
    counts = town.meta["counts"]
    assert (counts["squares"], counts["square_walks"], counts["ends_at_shut_gates"]) == (3, 3, 2)
    assert (counts["nodes"], counts["edges"]) == (town.n_nodes, town.n_edges)
    assert json.loads(json.dumps(town.meta)) == town.meta


def test_what_edges_carry(town: WalkNetwork) -> None:
    (stairs,) = edges_of(town, 13)
    assert town.steps[stairs]
    assert town.kind_of(stairs) == "steps"
    (bridge,) = edges_of(town, 54)
    assert town.bridge[bridge]
    (oneway,) = edges_of(town, 53)
    assert (town.forward[oneway], town.backward[oneway]) == (True, False)
    (private,) = edges_of(town, 57)
    assert town.flags[private] == Flags.PRIVATE_WITH_FOOT
    assert {int(town.flags[e]) for e in edges_of(town, 2)} == {Flags.SEPARATE_SIDEWALK}
    park = {int(town.flags[e]) for e in edges_of(town, 42)}
    assert park == {Flags.CLOSED_AT_TIMES, Flags.CLOSED_AT_TIMES | Flags.GATE}
    assert {town.name_of(e) for e in edges_of(town, 1)} == {"Rue de l'Été, n°1 = 100 %"}
    assert town.flags.dtype == np.uint16


def test_parallel_streets_and_loops(town: WalkNetwork) -> None:
    (detour,) = edges_of(town, 61)
    pair = (town.u == town.u[detour]) & (town.v == town.v[detour])
    assert sorted(town.osm_id[pair].tolist()) == [1, 61]
    (loop,) = edges_of(town, 62)
    assert town.u[loop] == town.v[loop]
    assert town.length_m[loop] == pytest.approx(58.31 * 2 + 60, rel=2e-3)


def test_squares_are_walked_across_and_around(town: WalkNetwork) -> None:
    walk = (town.flags & Flags.SQUARE_WALK) > 0
    assert {town.kind_of(e) for e in np.flatnonzero(walk)} == {"square"}
    assert sorted({*town.osm_id[walk].tolist()}) == [-1, 10]
    assert {town.name_of(e) for e in np.flatnonzero(walk)} == {"place Verte", "cour Ronde"}
    around = {town.kind_of(e) for e in edges_of(town, -1)}
    assert around == {"square", "pedestrian"}


@pytest.mark.parametrize("name", ["t.osm", "t.osm.gz", "t.osm.bz2", "t.osm.pbf"])
@pytest.mark.parametrize("polygon", [None, toy_osm.AREA, toy_osm.WEST_HALF])
def test_a_file_gives_the_network_of_an_answer(name: str, polygon: object, tmp_path: Path) -> None:
    answer = network_from_osm(toy_raw(), crs=CRS, polygon=polygon)
    file = read_osm_network(toy_osm.write(tmp_path / name), polygon=polygon)
    assert file.digest == answer.digest
    assert file.crs == CRS  # metropolitan France
    assert dict(file.meta) == {**answer.meta, "source": name}
    np.testing.assert_array_equal(file.part_nodes, answer.part_nodes)


def test_the_order_of_elements_does_not_matter(town: WalkNetwork) -> None:
    elements = toy_osm.elements()
    for seed in range(3):
        order = np.random.default_rng(seed).permutation(len(elements))
        raw = from_overpass([elements[k] for k in order], osm_date=toy_osm.OSM_DATE)
        assert network_from_osm(raw, crs=CRS).digest == town.digest


def test_a_cut_keeps_segments_with_an_end_inside(town: WalkNetwork) -> None:
    west = network_from_osm(toy_raw(), crs=CRS, polygon=toy_osm.WEST_HALF)
    assert set(west.osm_id.tolist()) == {1, 2, 3, 10, 11, 42, 52, 53, 61}
    # The crossing of the square is a segment too.
    assert (west.flags & Flags.SQUARE_WALK).any()
    far = west.node_xy[:, 0].max() - town.node_xy[at(town, (0, 0)), 0]
    assert far == pytest.approx(200, rel=2e-2)


def test_the_network_outside_france_is_in_its_utm_zone(tmp_path: Path) -> None:
    text = toy_osm.osm_xml().replace("lat='48.", "lat='40.").replace("lon='2.3", "lon='-8.3")
    path = tmp_path / "t.osm"
    path.write_text(text, encoding="utf-8")
    assert read_osm_network(path).crs.to_epsg() == 32629


def test_a_node_gone_astray_does_not_choose_the_crs(tmp_path: Path) -> None:
    text = toy_osm.osm_xml().replace(
        "</osm>",
        "<node id='5' lat='0' lon='0'/><node id='6' lat='0' lon='0.001'/><way id='99'>"
        "<nd ref='5'/><nd ref='6'/><tag k='highway' v='footway'/></way></osm>",
    )
    path = tmp_path / "t.osm"
    path.write_text(text, encoding="utf-8")
    assert read_osm_network(path).crs == CRS


def test_nothing_to_walk_is_said_with_its_reasons() -> None:
    elements = [
        element
        for element in toy_osm.elements()
        if element["type"] == "node" or element["id"] in {50, 51}
    ]
    with pytest.raises(NetworkError, match="cycleway 1, trunk 1"):
        network_from_osm(from_overpass(elements), crs=CRS)
    with pytest.raises(NetworkError, match="no street"):
        network_from_osm(from_overpass([]), crs=CRS)
    with pytest.raises(NetworkError):
        network_from_osm(toy_raw(), crs=CRS, polygon=toy_osm.shapely.box(0, 0, 1, 1))


def test_a_file_without_a_street_in_the_polygon_is_refused(tmp_path: Path) -> None:
    path = toy_osm.write(tmp_path / "t.osm.pbf")
    with pytest.raises((NetworkError, InputFileError)):
        read_osm_network(path, polygon=toy_osm.shapely.box(5, 5, 6, 6))


def test_degrees_are_refused_as_metres() -> None:
    with pytest.raises(CrsError):
        network_from_osm(toy_raw(), crs=pyproj.CRS.from_epsg(4326))


def brute_force(raw: RawOsm, crs: pyproj.CRS) -> nx.Graph:
    """Return the walked segments as a graph of OSM nodes: no contraction, no arrays, no squares."""
    move = pyproj.Transformer.from_crs(4326, crs, always_xy=True).transform
    place = {
        osm_id: move(lon, lat)
        for osm_id, lon, lat in zip(raw.node_id.tolist(), raw.lon, raw.lat, strict=True)
    }
    shut = {osm_id for osm_id, tags in raw.node_tags.items() if not judge_node(tags).passable}
    graph = nx.Graph()
    for way, tags in enumerate(raw.way_tags):
        if judge(tags).walkable:
            nodes = raw.node_id[raw.refs[raw.offsets[way] : raw.offsets[way + 1]]].tolist()
            for k in range(len(nodes) - 1):
                # On each side of a shut gate the way ends at a node of its own.
                pair = [(n, way, k) if n in shut else n for n in nodes[k : k + 2]]
                metres = float(np.hypot(*np.subtract(place[nodes[k]], place[nodes[k + 1]])))
                graph.add_edge(*pair, metres=metres)
    nx.set_node_attributes(
        graph, {n: place[n[0] if isinstance(n, tuple) else n] for n in graph}, "place"
    )
    return graph


def without_squares(raw: RawOsm) -> RawOsm:
    tags = [{k: v for k, v in tags.items() if k != "area"} for tags in raw.way_tags]
    return dataclasses.replace(raw, way_tags=tags, areas=())


def assert_as_brute_force(raw: RawOsm, crs: pyproj.CRS, n_origins: int) -> None:
    network, truth = network_from_osm(raw, crs=crs), brute_force(raw, crs)
    # A segment that two unlike ways share is there twice, and once in the truth.
    total_m = sum(metres for _, _, metres in truth.edges(data="metres"))
    assert total_m - 1e-6 <= network.length_m.sum() <= 1.01 * total_m
    graph = nx.Graph()
    for u, v, metres in zip(network.u.tolist(), network.v.tolist(), network.length_m, strict=True):
        if metres < graph.get_edge_data(u, v, {"metres": np.inf})["metres"]:
            graph.add_edge(u, v, metres=metres)
    by_place: dict[tuple[float, float], set[object]] = {}
    for n, place in truth.nodes(data="place"):
        by_place.setdefault(tuple(np.round(place, 3)), set()).add(n)
    mine = {
        node: next(iter(by_place[tuple(xy)]))
        for node, xy in enumerate(np.round(network.node_xy, 3))
        if len(by_place[tuple(xy)]) == 1
    }
    assert len(mine) > 0.9 * network.n_nodes
    origins = np.random.default_rng(1).choice(sorted(mine), n_origins, replace=False).tolist()
    for origin in origins:
        found = nx.single_source_dijkstra_path_length(graph, origin, weight="metres")
        expected = nx.single_source_dijkstra_path_length(truth, mine[origin], weight="metres")
        for node, osm_id in mine.items():
            assert (node in found) == (osm_id in expected)
            if node in found:
                assert found[node] == pytest.approx(expected[osm_id], abs=1e-6)


def test_reach_is_that_of_brute_force() -> None:
    raw = without_squares(toy_raw())
    kept = [tags | {"oneway:foot": "no"} for tags in raw.way_tags]  # the truth is undirected
    assert_as_brute_force(dataclasses.replace(raw, way_tags=kept), CRS, 10)


@pytest.mark.extracts
@pytest.mark.skipif(not FOLDER.exists(), reason="the source extracts are not beside the project")
@pytest.mark.parametrize("name", ["monaco.osm.gz", "paris_bss.osm.pbf"])
def test_reach_in_real_files_is_that_of_brute_force(name: str) -> None:
    raw = without_squares(read_osm_file(FOLDER / name))
    kept = [tags | {"oneway:foot": "no", "conveying": "no"} for tags in raw.way_tags]
    assert_as_brute_force(dataclasses.replace(raw, way_tags=kept), CRS, 5)


@pytest.mark.extracts
@pytest.mark.skipif(not FOLDER.exists(), reason="the source extracts are not beside the project")
def test_squares_only_ever_shorten_walks() -> None:
    raw = read_osm_file(FOLDER / "monaco.osm.gz")
    with_squares, around = (network_from_osm(r, crs=CRS) for r in (raw, without_squares(raw)))
    assert with_squares.meta["counts"]["square_walks"] > 0
    assert with_squares.length_m.sum() > around.length_m.sum()
    walks = (with_squares.flags & Flags.SQUARE_WALK) > 0
    assert with_squares.length_m[~walks].sum() == pytest.approx(around.length_m.sum())
