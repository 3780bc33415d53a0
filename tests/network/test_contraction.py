"""Contraction against slow, obvious answers: what is kept, what is merged, what is counted."""

from __future__ import annotations

from typing import Any

import networkx as nx
import numpy as np
import pyproj
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quart_heure.errors import CrsError, NetworkError
from quart_heure.network.contraction import contract
from quart_heure.network.graph import WalkNetwork

CRS = pyproj.CRS.from_epsg(2154)
KINDS = ("residential", "footway")


def build(
    xy: Any, pairs: Any, *, kind: Any = None, name: Any = None, keep: Any = None, **columns: Any
) -> WalkNetwork:
    ends = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    nothing = np.zeros(len(ends), dtype=np.int64)
    return contract(
        a=ends[:, 0],
        b=ends[:, 1],
        node_xy=np.array(xy, dtype=np.float64).reshape(-1, 2),
        columns={key: np.array(values) for key, values in columns.items()},
        kind=(nothing if kind is None else np.array(kind), KINDS),
        name=(nothing, ("",)) if name is None else name,
        crs=CRS,
        meta={"source": "test", "counts": {"ways": 3}},
        keep=keep,
    )


def shape(network: WalkNetwork, edge: int) -> list[tuple[float, float]]:
    start, end = network.offsets[edge : edge + 2]
    return [tuple(place) for place in network.xy[start:end].tolist()]


def test_bends_become_shape_and_junctions_stay() -> None:
    #   3
    #   |
    #   2 - 1 - 0      4 beyond 3
    xy = [(20, 0), (10, 1), (0, 0), (0, 10), (0, 25)]
    network = build(xy, [(0, 1), (2, 1), (2, 3), (4, 3)])
    assert (network.n_nodes, network.n_edges) == (2, 1)
    assert shape(network, 0) == [(0, 25), (0, 10), (0, 0), (10, 1), (20, 0)]
    assert network.length_m[0] == pytest.approx(25 + 2 * np.hypot(10, 1))
    network = build([*xy, (-5, 0)], [(0, 1), (2, 1), (2, 3), (4, 3), (2, 5)])
    assert (network.n_nodes, network.n_edges) == (4, 3)
    assert network.meta["counts"] == {
        "ways": 3,
        "segments": 5,
        "zero_length_segments": 0,
        "duplicate_segments": 0,
        "nodes": 4,
        "edges": 3,
    }


@pytest.mark.parametrize(
    "columns",
    [
        {"kind": [0, 1]},
        {"steps": [True, False]},
        {"bridge": [True, False]},
        {"tunnel": [False, True]},
        {"flags": [0, 8]},
        {"forward": [True, False]},
        {"backward": [True, False]},
        {"name": (np.array([0, 1]), ("rue Haute", "rue Basse"))},
    ],
)
def test_a_bend_where_something_changes_stays(columns: dict[str, Any]) -> None:
    network = build([(0, 0), (10, 0), (20, 0)], [(0, 1), (1, 2)], **columns)
    assert (network.n_nodes, network.n_edges) == (3, 2)


def test_the_way_one_may_walk_turns_with_the_segment() -> None:
    # Three pieces that may only be walked eastwards, the middle one drawn westwards.
    xy = [(0, 0), (10, 0), (20, 0), (30, 0)]
    network = build(
        xy, [(0, 1), (2, 1), (2, 3)], forward=[True, False, True], backward=[False, True, False]
    )
    assert network.n_edges == 1
    assert (bool(network.forward[0]), bool(network.backward[0])) == (True, False)
    # The edge runs from west to east whatever way its pieces were drawn.
    turned = build(
        xy, [(1, 0), (1, 2), (3, 2)], forward=[False, True, False], backward=[True, False, True]
    )
    assert turned.digest == network.digest


def test_a_loop_at_a_junction_and_parallel_edges() -> None:
    xy = [(0, 0), (10, 0), (15, 5), (20, 0), (15, -5), (30, 0), (25, 9)]
    pairs = [(0, 1), (1, 2), (2, 3), (3, 4), (4, 1), (3, 5), (5, 6), (6, 5)]
    network = build(xy, pairs, kind=[0, 0, 0, 0, 0, 0, 0, 1])
    ends = sorted(zip(network.u.tolist(), network.v.tolist(), strict=True))
    # 0 west end, 1 and 2 the ends of the ring, 3 the node of two kinds, 4 the east
    assert ends == [(0, 1), (1, 2), (1, 2), (2, 4), (3, 4), (3, 4)]
    loop = build([(0, 0), (10, 0), (20, 5), (20, -5)], [(0, 1), (1, 2), (2, 3), (3, 1)])
    assert list(zip(loop.u.tolist(), loop.v.tolist(), strict=True)) == [(0, 1), (1, 1)]
    assert shape(loop, 1) == [(10, 0), (20, -5), (20, 5), (10, 0)]


def test_a_ring_alone_keeps_its_first_node() -> None:
    xy = [(5, 5), (0, 3), (0, 0), (5, 0), (100, 100), (101, 100)]
    network = build(xy, [(0, 1), (1, 2), (2, 3), (3, 0), (4, 5)])
    assert (network.n_nodes, network.n_edges) == (3, 2)
    assert (network.u[0], network.v[0]) == (0, 0)
    assert shape(network, 0) == [(0, 0), (0, 3), (5, 5), (5, 0), (0, 0)]


def test_a_ring_of_one_way_is_walked_that_way() -> None:
    xy = [(0, 0), (0, 10), (10, 10), (10, 0)]
    network = build(xy, [(0, 3), (3, 2), (2, 1), (1, 0)], backward=[False] * 4)
    # Drawn by its second vertex, (0, 10); the way it may be walked is the other.
    assert shape(network, 0)[1] == (0, 10)
    assert (bool(network.forward[0]), bool(network.backward[0])) == (False, True)


def test_duplicates_are_dropped_and_counted_whatever_their_direction() -> None:
    # A street at either end makes both nodes junctions.
    network = build(
        [(0, 0), (10, 0), (-5, 0), (15, 0)],
        [(0, 1), (1, 0), (0, 1), (0, 1), (0, 2), (1, 3)],
        forward=[True, False, False, True, True, True],
        backward=[False, True, True, False, True, True],
        osm_id=[7, 3, 9, 5, 1, 2],
    )
    # 7, 3 and 5 may be walked from west to east; 9 the other way is no duplicate.
    assert network.meta["counts"]["duplicate_segments"] == 2
    assert sorted(network.osm_id.tolist()) == [1, 2, 3, 9]


def test_zero_lengths_are_dropped_and_tie_their_ends() -> None:
    xy = [(0, 0), (10, 0), (10, 0), (20, 0), (30, 0)]
    network = build(xy, [(0, 1), (1, 2), (2, 3), (4, 4)])
    assert (network.n_nodes, network.n_edges) == (2, 1)
    assert network.length_m.tolist() == [20.0]
    assert network.meta["counts"]["zero_length_segments"] == 2


def test_nodes_told_to_stay_stay() -> None:
    keep = np.array([False, True, False])
    network = build([(0, 0), (10, 0), (20, 0)], [(0, 1), (1, 2)], keep=keep)
    assert (network.n_nodes, network.n_edges) == (3, 2)


def test_words_no_edge_has_are_left_out() -> None:
    network = build([(0, 0), (10, 0)], [(0, 1)], kind=[1])
    assert network.kinds == ("footway",)
    assert network.kind_of(0) == "footway"


def test_the_first_osm_id_along_the_edge_is_kept() -> None:
    network = build([(20, 0), (10, 0), (0, 0)], [(0, 1), (1, 2)], osm_id=[4, 8])
    assert network.osm_id.tolist() == [8]


def test_nothing_left_and_degrees_are_refused() -> None:
    with pytest.raises(NetworkError, match="No street segment"):
        build([(0, 0), (1, 1)], [])
    with pytest.raises(NetworkError, match="No street segment"):
        build([(0, 0), (1, 1)], [(0, 0)])
    nothing = (np.zeros(1, dtype=np.int64), ("",))
    with pytest.raises(CrsError):
        contract(
            a=np.array([0]),
            b=np.array([1]),
            node_xy=np.array([[2.0, 48.0], [2.1, 48.0]]),
            columns={},
            kind=nothing,
            name=nothing,
            crs=pyproj.CRS.from_epsg(4326),
            meta={},
        )


Streets = tuple[list[tuple[int, int]], list[tuple[int, int, int, bool, bool, int]]]


@st.composite
def streets(draw: st.DrawFn) -> Streets:
    """Draw nodes at distinct places and segments between them, twins and zero lengths included."""
    places = st.tuples(st.integers(0, 6), st.integers(0, 6))
    xy = draw(st.lists(places, min_size=2, max_size=12, unique=True))
    node = st.integers(0, len(xy) - 1)
    one_way = st.sampled_from([(True, True)] * 3 + [(True, False), (False, True)])
    segment = st.tuples(node, node, st.sampled_from([0, 0, 0, 1]), one_way, st.integers(1, 3))
    drawn = draw(st.lists(segment, min_size=1, max_size=24))
    return xy, [(a, b, kind, *way, osm_id) for a, b, kind, way, osm_id in drawn]


def network_of(drawn: Streets) -> WalkNetwork:
    xy, segments = drawn
    a, b, kind, forward, backward, osm_id = zip(*segments, strict=True)
    return build(
        xy,
        list(zip(a, b, strict=True)),
        kind=kind,
        forward=forward,
        backward=backward,
        osm_id=osm_id,
    )


def distinct(drawn: Streets) -> dict[tuple[Any, ...], float]:
    """Give the length of each distinct segment, written from its lower node."""
    xy, segments = drawn
    found = {}
    for a, b, kind, forward, backward, _ in segments:
        low, high = min(a, b), max(a, b)
        ways = (forward, backward) if a < b else (backward, forward)
        if low != high:
            found[low, high, kind, *ways] = float(np.hypot(*np.subtract(xy[low], xy[high])))
    return found


@given(streets())
def test_lengths_distances_and_junctions_are_preserved(drawn: Streets) -> None:
    segments = distinct(drawn)
    if not segments:
        with pytest.raises(NetworkError):
            network_of(drawn)
        return
    network = network_of(drawn)
    assert network.length_m.sum() == pytest.approx(sum(segments.values()))
    shapes_m = [
        np.hypot(*np.diff(network.xy[start:end], axis=0).T).sum()
        for start, end in zip(network.offsets[:-1], network.offsets[1:], strict=True)
    ]
    assert network.length_m == pytest.approx(np.array(shapes_m))
    assert (network.u <= network.v).all()

    raw, merged = nx.MultiDiGraph(), nx.MultiDiGraph()
    for (low, high, _, forward, backward), length in segments.items():
        add(raw, drawn[0][low], drawn[0][high], length, forward, backward)
    node = [tuple(place) for place in network.node_xy.tolist()]
    for e in range(network.n_edges):
        u, v, length = node[network.u[e]], node[network.v[e]], network.length_m[e]
        add(merged, u, v, length, network.forward[e], network.backward[e])
    ends: list[Any] = [drawn[0][end] for key in segments for end in key[:2]]
    assert {place for place in ends if ends.count(place) != 2} <= set(node)
    far = dict(nx.all_pairs_dijkstra_path_length(raw))
    for place, lengths in nx.all_pairs_dijkstra_path_length(merged):
        assert lengths == pytest.approx({k: v for k, v in far[place].items() if k in set(node)})


@given(streets(), st.randoms(use_true_random=False))
def test_numbering_does_not_depend_on_the_order_of_the_input(drawn: Streets, random: Any) -> None:
    if not distinct(drawn):
        return
    xy, segments = drawn
    order = list(range(len(xy)))
    random.shuffle(order)
    moved = {node: place for place, node in enumerate(order)}
    shuffled = []
    for a, b, kind, forward, backward, osm_id in segments:
        start, end = moved[a], moved[b]
        if random.random() < 0.5:
            shuffled.append((end, start, kind, backward, forward, osm_id))
        else:
            shuffled.append((start, end, kind, forward, backward, osm_id))
    random.shuffle(shuffled)
    assert network_of(([xy[node] for node in order], shuffled)).digest == network_of(drawn).digest


def add(
    graph: nx.MultiDiGraph, u: Any, v: Any, length: float, forward: bool, backward: bool
) -> None:
    graph.add_nodes_from([u, v])
    if forward:
        graph.add_edge(u, v, weight=length)
    if backward:
        graph.add_edge(v, u, weight=length)


def test_a_chain_of_many_segments_is_one_edge() -> None:
    n = 5000
    rng = np.random.default_rng(1)
    order = rng.permutation(n)
    xy = np.stack([np.arange(n), np.zeros(n)], axis=1)[order]
    place = np.argsort(order)
    pairs = np.stack([place[:-1], place[1:]], axis=1)[rng.permutation(n - 1)]
    network = build(xy, pairs)
    assert (network.n_nodes, network.n_edges) == (2, 1)
    assert (np.diff(network.xy[:, 0]) == 1).all()
