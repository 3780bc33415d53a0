"""Graphs come in and go out as osmnx shapes them, and a network comes back as it went."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import networkx as nx
import numpy as np
import osmnx as ox
import pyproj
import pytest
from shapely import LineString, Point

from helpers import toy_osm
from quart_heure.errors import CrsError, InputFileError, NetworkError
from quart_heure.network.graph import Flags, WalkNetwork
from quart_heure.network.streets import network_from_osm
from quart_heure.sources.osm.data import from_overpass

CRS = pyproj.CRS.from_epsg(2154)


@pytest.fixture(scope="module")
def town() -> WalkNetwork:
    return network_from_osm(from_overpass(toy_osm.elements(), osm_date="2026-11-01"), crs=CRS)


@pytest.fixture(scope="module")
def graph(town: WalkNetwork) -> nx.MultiDiGraph:
    return town.to_networkx()


def plain(**options: object) -> nx.MultiDiGraph:
    """Return a graph of one street from (0, 0) to (100, 0) that both directions are given of."""
    graph = nx.MultiDiGraph(crs="EPSG:2154")
    graph.add_node("w", x=650_000.0, y=6_860_000.0)
    graph.add_node("e", x=650_100.0, y=6_860_000.0)
    graph.add_edge("w", "e", osmid=1, highway="footway", length=100.0, **options)
    graph.add_edge("e", "w", osmid=1, highway="footway", length=100.0, **options, reversed=True)
    return graph


def assert_same(one: WalkNetwork, other: WalkNetwork) -> None:
    for field in dataclasses.fields(WalkNetwork):
        if isinstance(getattr(one, field.name), np.ndarray):
            np.testing.assert_array_equal(
                getattr(one, field.name), getattr(other, field.name), err_msg=field.name
            )
    assert (one.kinds, one.names) == (other.kinds, other.names)
    assert one.digest == other.digest


def test_there_and_back(town: WalkNetwork, graph: nx.MultiDiGraph) -> None:
    assert_same(WalkNetwork.from_networkx(graph), town)


def test_there_and_back_with_another_town(toy_network: WalkNetwork) -> None:
    again = WalkNetwork.from_networkx(toy_network.to_networkx())
    assert again.length_m.sum() == pytest.approx(toy_network.length_m.sum())
    assert_same(WalkNetwork.from_networkx(again.to_networkx()), again)


def test_shape_of_the_graph(town: WalkNetwork, graph: nx.MultiDiGraph) -> None:
    assert pyproj.CRS(graph.graph["crs"]) == CRS
    assert graph.graph["osm_date"] == "2026-11-01"
    assert len(graph) == town.n_nodes
    assert graph.number_of_edges() == town.forward.sum() + town.backward.sum()
    assert all(isinstance(node, int) for node in graph)
    for u, v, tags in graph.edges(data=True):
        ends = [Point(graph.nodes[n]["x"], graph.nodes[n]["y"]) for n in (u, v)]
        assert [Point(tags["geometry"].coords[k]) for k in (0, -1)] == ends
        assert tags["length"] == pytest.approx(tags["geometry"].length)
        assert type(tags["length"]) is float
        assert type(tags["osmid"]) is int


def test_osmnx_takes_the_graph(graph: nx.MultiDiGraph, tmp_path: Path, town: WalkNetwork) -> None:
    nodes, edges = ox.convert.graph_to_gdfs(graph)
    assert edges.crs == nodes.crs == CRS
    back = ox.convert.graph_from_gdfs(nodes, edges, graph_attrs=graph.graph)
    assert_same(WalkNetwork.from_networkx(back), town)
    here = graph.nodes[0]
    assert ox.distance.nearest_nodes(graph, here["x"], here["y"]) == 0
    route = ox.routing.shortest_path(graph, 0, 1, weight="length")
    assert route is not None
    assert len(ox.routing.route_to_gdf(graph, route)) == len(route) - 1
    assert ox.stats.basic_stats(graph)["n"] == len(graph)
    assert ox.stats.streets_per_node(graph) == ox.stats.count_streets_per_node(graph)
    ox.io.save_graphml(graph, tmp_path / "town.graphml")
    loaded = ox.io.load_graphml(tmp_path / "town.graphml")
    assert_same(WalkNetwork.from_networkx(loaded), town)


def test_a_graph_in_degrees_is_brought_to_metres(graph: nx.MultiDiGraph, town: WalkNetwork) -> None:
    degrees = ox.projection.project_graph(graph, to_crs="EPSG:4326")
    network = WalkNetwork.from_networkx(degrees)
    assert network.crs == CRS
    assert (network.n_nodes, network.n_edges) == (town.n_nodes, town.n_edges)
    np.testing.assert_allclose(np.sort(network.length_m), np.sort(town.length_m), atol=1e-4)


@pytest.mark.parametrize("simplify", [False, True])
def test_a_graph_made_by_osmnx(simplify: bool, tmp_path: Path) -> None:
    # Without areas, gates and forbidden streets: osmnx's reader applies no rule.
    kept = {1, 2, 3, 4, 11, 12, 13, 54, 61, 62}
    elements = [e for e in toy_osm.elements() if e["type"] == "node" or e["id"] in kept]
    elements = [{**e, "tags": {}} if e["type"] == "node" else e for e in elements]
    for element in elements:
        element["tags"] = {k: v for k, v in element.get("tags", {}).items() if k != "sidewalk"}
    path = tmp_path / "town.osm"
    path.write_text(toy_osm.osm_xml(elements), encoding="utf-8")
    theirs = ox.graph.graph_from_xml(path, bidirectional=True, retain_all=True, simplify=simplify)
    network = WalkNetwork.from_networkx(theirs)
    ours = network_from_osm(from_overpass(elements), crs=CRS)
    assert network.length_m.sum() == pytest.approx(ours.length_m.sum(), rel=1e-6)
    assert network.forward.all()
    assert network.backward.all()
    assert network.steps.sum() == 1
    assert network.bridge.sum() == 1
    if not simplify:
        assert_close(network, ours)


def assert_close(one: WalkNetwork, other: WalkNetwork) -> None:
    assert (one.n_nodes, one.n_edges) == (other.n_nodes, other.n_edges)
    np.testing.assert_array_equal(one.u, other.u)
    np.testing.assert_array_equal(one.v, other.v)
    np.testing.assert_allclose(one.length_m, other.length_m)
    assert [one.kind_of(e) for e in range(one.n_edges)] == [
        other.kind_of(e) for e in range(other.n_edges)
    ]


def test_both_directions_are_one_street() -> None:
    network = WalkNetwork.from_networkx(plain())
    assert (network.n_nodes, network.n_edges) == (2, 1)
    assert (network.forward.all(), network.backward.all()) == (True, True)
    assert network.length_m.tolist() == [100.0]


def test_oneway_is_for_vehicles() -> None:
    graph = plain(oneway=True)
    graph.remove_edge("e", "w")
    network = WalkNetwork.from_networkx(graph)
    assert (network.forward.all(), network.backward.all()) == (True, True)


@pytest.mark.parametrize(
    ("value", "removed", "eastwards"),
    [
        ("yes", None, True),
        ("-1", None, False),
        ("yes", ("e", "w"), True),
        ("yes", ("w", "e"), True),
        ("-1", ("e", "w"), False),
    ],
)
def test_oneway_foot(value: str, removed: tuple[str, str] | None, eastwards: bool) -> None:
    graph = plain(**{"oneway:foot": value})
    if removed:
        graph.remove_edge(*removed)
    network = WalkNetwork.from_networkx(graph)
    west_first = network.node_xy[network.u[0], 0] < network.node_xy[network.v[0], 0]
    assert west_first
    assert (bool(network.forward[0]), bool(network.backward[0])) == (eastwards, not eastwards)


def test_lists_of_a_simplified_graph() -> None:
    graph = plain()
    for _, _, tags in graph.edges(data=True):
        tags.update(osmid=[7, 3], highway=["steps", "footway"], name=["rue Z", "rue A"])
        tags.update(bridge=["yes", "no"], tunnel="no")
    network = WalkNetwork.from_networkx(graph)
    assert (network.kind_of(0), network.name_of(0), network.osm_id[0]) == ("footway", "rue A", 3)
    assert (network.steps[0], network.bridge[0], network.tunnel[0]) == (True, True, False)


def test_edges_with_nothing_but_ends() -> None:
    graph = plain()
    for _, _, tags in graph.edges(data=True):
        tags.clear()
    network = WalkNetwork.from_networkx(graph)
    assert (network.kind_of(0), network.name_of(0), network.osm_id[0]) == ("", "", 0)
    assert network.length_m.tolist() == [100.0]


def test_shapes_told_the_wrong_way_round() -> None:
    line = LineString([(650_100, 6_860_000), (650_050, 6_860_030), (650_000, 6_860_000)])
    graph = plain(geometry=line)
    network = WalkNetwork.from_networkx(graph)
    assert network.n_edges == 1
    assert network.length_m[0] == pytest.approx(line.length)


def test_streets_that_cross_are_not_joined() -> None:
    across = [(650_000, 6_860_000), (650_050, 6_860_000), (650_100, 6_860_000)]
    upwards = [(650_050, 6_859_950), (650_050, 6_860_000), (650_050, 6_860_050)]
    graph = plain(geometry=LineString(across))
    graph.add_node("s", x=650_050.0, y=6_859_950.0)
    graph.add_node("n", x=650_050.0, y=6_860_050.0)
    graph.add_edge("s", "n", geometry=LineString(upwards))
    network = WalkNetwork.from_networkx(graph)
    assert network.n_nodes == 4


def test_flags_are_kept(town: WalkNetwork) -> None:
    again = WalkNetwork.from_networkx(town.to_networkx())
    for bit in (Flags.GATE, Flags.CLOSED_AT_TIMES, Flags.SQUARE_WALK):
        assert np.count_nonzero(again.flags & bit) == np.count_nonzero(town.flags & bit) > 0


def test_graphs_that_cannot_be_used() -> None:
    without_crs = plain()
    del without_crs.graph["crs"]
    with pytest.raises(CrsError, match="no coordinate reference system"):
        WalkNetwork.from_networkx(without_crs)
    with pytest.raises(NetworkError, match="no edge"):
        WalkNetwork.from_networkx(nx.MultiDiGraph(crs="EPSG:2154"))
    for bad in ({}, {"x": 1.0}, {"x": "a", "y": 2.0}, {"x": float("nan"), "y": 2.0}):
        graph = plain()
        graph.nodes["e"].clear()
        graph.nodes["e"].update(bad)
        with pytest.raises(InputFileError, match="'e'"):
            WalkNetwork.from_networkx(graph)
    with pytest.raises(InputFileError, match="Point"):
        WalkNetwork.from_networkx(plain(geometry=Point(0, 0)))
