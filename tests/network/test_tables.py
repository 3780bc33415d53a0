"""Tables of edges as others write them: gaps, lists, words, lengths that cannot be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import networkx as nx
import numpy as np
import osmnx as ox
import pandas as pd
import pytest
import shapely

from quart_heure.errors import InputFileError, NetworkError
from quart_heure.network.attributes import several, whole_number
from quart_heure.network.graph import WalkNetwork


def table(n: int = 3, **columns: Any) -> gpd.GeoDataFrame:
    """Return a chain of streets of 100 m each."""
    lines = [shapely.LineString([(100 * k, 0), (100 * k + 100, 0)]) for k in range(n)]
    ends = {"u": list(range(n)), "v": list(range(1, n + 1))}
    return gpd.GeoDataFrame({**ends, **columns}, geometry=lines, crs=2154)


@pytest.mark.parametrize("column", ["steps", "bridge", "tunnel"])
@pytest.mark.parametrize(
    ("values", "found"),
    [
        ([np.nan, None, "yes"], [False, False, True]),
        (["no", "", "viaduct"], [False, False, True]),
        ([np.nan, 0.0, 1.0], [False, False, True]),
        ([0, 0, 1], [False, False, True]),
        (["No", "false", "TRUE"], [False, False, True]),
        ([["no", "yes"], ["no"], "['no', 'yes']"], [True, False, True]),
        (pd.array([None, False, True], dtype="boolean"), [False, False, True]),
        (pd.array([None, "no", "yes"], dtype="string"), [False, False, True]),
        (pd.Categorical([None, "no", "yes"]), [False, False, True]),
    ],
)
def test_missing_and_no_are_no(column: str, values: Any, found: list[bool]) -> None:
    network = WalkNetwork.from_edges(table(**{column: values}))
    assert getattr(network, column).tolist() == found


@pytest.mark.parametrize("row", [0, 1, 2])
def test_an_empty_line_is_refused_and_its_row_told(row: int) -> None:
    edges = table(3)
    edges.loc[row, "geometry"] = shapely.LineString()
    with pytest.raises(InputFileError, match=f"Row {row + 1} .* is an empty LineString"):
        WalkNetwork.from_edges(edges)


def test_a_passage_through_a_building_is_no_tunnel() -> None:
    network = WalkNetwork.from_edges(table(tunnel=["building_passage", "culvert", "yes"]))
    assert network.tunnel.tolist() == [False, False, True]
    graph = nx.MultiDiGraph(crs="EPSG:2154")
    graph.add_node(0, x=0.0, y=0.0)
    graph.add_node(1, x=100.0, y=0.0)
    graph.add_edge(0, 1, tunnel="building_passage", bridge=np.nan, flags=np.nan, osmid="[3, 2]")
    network = WalkNetwork.from_networkx(graph)
    assert (network.tunnel[0], network.bridge[0], network.flags[0], network.osm_id[0]) == (
        0,
        0,
        0,
        2,
    )


def test_directions_default_to_both_and_must_be_plain() -> None:
    network = WalkNetwork.from_edges(table(forward=[None, "no", True], backward=[np.nan, "yes", 0]))
    assert network.forward.tolist() == [True, False, True]
    assert network.backward.tolist() == [True, True, False]
    with pytest.raises(InputFileError, match=r"Row 2 .* forward = 'perhaps'"):
        WalkNetwork.from_edges(table(forward=["yes", "perhaps", "no"]))


def test_numbers_and_words_with_gaps_and_lists() -> None:
    network = WalkNetwork.from_edges(
        table(
            osm_id=[7.0, np.nan, [9, 8]],
            flags=[np.nan, 4, None],
            name=[["rue Z", "rue A"], None, "['rue [B]', 'rue C']"],
            kind=["footway", float("nan"), "path"],
        )
    )
    assert network.osm_id.tolist() == [7, 0, 8]
    assert network.flags.tolist() == [0, 4, 0]
    assert [network.name_of(e) for e in range(3)] == ["rue A", "", "rue C"]
    assert [network.kind_of(e) for e in range(3)] == ["footway", "", "path"]


@pytest.mark.parametrize("levels", [["u", "v"], ["u", "v", "key"], ["v"]])
def test_ends_may_be_in_the_index(levels: list[str]) -> None:
    edges = table(key=[0, 0, 0])
    network = WalkNetwork.from_edges(edges.set_index(levels))
    assert network.digest == WalkNetwork.from_edges(edges).digest
    with pytest.raises(InputFileError, match="no column 'u' or 'v'"):
        WalkNetwork.from_edges(edges.drop(columns=["u", "v"]))


def test_a_length_below_the_beeline_is_refused(tmp_path: Path) -> None:
    edges = table(length_m=[100.0, 60.0, 100.0])
    with pytest.raises(NetworkError, match=r"Row 2 .* length_m 60, .* 100\.0 m apart \(1 such"):
        WalkNetwork.from_edges(edges)
    edges.to_parquet(tmp_path / "streets.parquet")
    with pytest.raises(NetworkError, match=r"streets\.parquet: Row 2"):
        WalkNetwork.read(tmp_path / "streets.parquet")
    # What is measured on a globe, or rounded, may be a little less.
    assert WalkNetwork.from_edges(table(length_m=[99.0, 98.6, 100.0])).n_edges == 3


def test_a_length_above_the_drawing_is_kept_and_counted() -> None:
    network = WalkNetwork.from_edges(table(length_m=[130.0, 100.0, 100.0]))
    assert network.length_m.tolist() == [130.0, 100.0, 100.0]
    assert network.meta["counts"] == {"edges_longer_than_drawn": 1}
    # A bent street is longer than its beeline, and no longer than drawn.
    bent = table(1, length_m=[200.0]).set_geometry(
        [shapely.LineString([(0, 0), (50, 86.6), (100, 0)])], crs=2154
    )
    assert "counts" not in WalkNetwork.from_edges(bent).meta


def test_a_table_of_osmnx(tmp_path: Path) -> None:
    graph = nx.MultiDiGraph(crs="EPSG:2154", simplified=True)
    for node, (x, y) in enumerate([(0, 0), (100, 0), (200, 0)]):
        graph.add_node(node, x=650_000.0 + x, y=6_860_000.0 + y)
    shared = {"oneway": False, "length": 100.0}
    for u, v, back in ((0, 1, False), (1, 0, True)):
        graph.add_edge(u, v, osmid=[5, 4], highway=["footway", "steps"], reversed=back, **shared)
    for u, v, back in ((1, 2, False), (2, 1, True)):
        tags = {"highway": "residential", "name": "Grande Rue", "bridge": "yes"}
        graph.add_edge(u, v, osmid=6, reversed=back, **tags, **shared)
    edges = ox.convert.graph_to_gdfs(graph, nodes=False)
    assert edges["bridge"].isna().any()
    network = WalkNetwork.from_edges(edges)
    assert (network.n_nodes, network.n_edges) == (3, 2)
    assert network.meta["counts"] == {"twin_edges_left_out": 2}
    assert network.length_m.tolist() == [100.0, 100.0]
    assert network.steps.tolist() == [True, False]
    assert network.bridge.tolist() == [False, True]
    assert network.osm_id.tolist() == [4, 6]
    assert [network.kind_of(e) for e in range(2)] == ["footway", "residential"]
    assert [network.name_of(e) for e in range(2)] == ["", "Grande Rue"]
    # Parallel streets are no twins, and a file has its lists as text.
    edges.astype({"osmid": str, "highway": str}).to_parquet(tmp_path / "edges.parquet")
    assert WalkNetwork.read(tmp_path / "edges.parquet").digest == network.digest


def test_values_are_read_whatever_holds_them() -> None:
    assert several(np.array(["a", None], dtype=object)) == ["a"]
    assert several("[not a list]") == ["[not a list]"]
    assert several("[" * 300 + "]") == ["[" * 300 + "]"]
    assert whole_number("-12") == -12
    assert whole_number("12.5") == 0
