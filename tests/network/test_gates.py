"""A shut gate closes the way that it stands on, and never the public street beside it."""

from __future__ import annotations

import itertools
from typing import Any

import networkx as nx
import numpy as np
import pyproj
import pytest

from quart_heure.network.gates import End, which_pass
from quart_heure.network.graph import WalkNetwork
from quart_heure.network.rules import judge
from quart_heure.network.streets import network_from_osm
from quart_heure.sources.osm.data import from_overpass

CRS = pyproj.CRS.from_epsg(2154)
PRIVATE = {"barrier": "gate", "access": "private"}
DRIVEWAY = {"highway": "service", "service": "driveway"}
STREET = {"highway": "residential", "name": "Grande Rue"}
# The gate is node 0, with a street from the west (1) to the east (2) and a way to the north (3).
PLACES = {0: (2.35, 48.85), 1: (2.349, 48.85), 2: (2.351, 48.85), 3: (2.35, 48.851)}


def town(*ways: tuple[list[int], dict[str, str]], gate: dict[str, str] = PRIVATE) -> WalkNetwork:
    elements: list[dict[str, Any]] = [
        {"type": "node", "id": 10 + k, "lon": lon, "lat": lat, "tags": gate if k == 0 else {}}
        for k, (lon, lat) in PLACES.items()
    ]
    elements += [
        {"type": "way", "id": 100 + k, "nodes": [10 + node for node in nodes], "tags": tags}
        for k, (nodes, tags) in enumerate(ways)
    ]
    return network_from_osm(from_overpass(elements), crs=CRS)


def joined(network: WalkNetwork) -> set[tuple[int, int]]:
    """Return the pairs of outer places between which one can walk."""
    move = pyproj.Transformer.from_crs(4326, CRS, always_xy=True).transform
    graph = network.to_networkx()
    found = {}
    for k in (1, 2, 3):
        apart = np.hypot(*(network.node_xy - move(*PLACES[k])).T)
        if apart.min() < 0.01:
            found[k] = int(apart.argmin())
    return {
        (one, other)
        for one, other in itertools.combinations(sorted(found), 2)
        if nx.has_path(graph, found[one], found[other])
    }


@pytest.mark.parametrize(
    ("side", "pairs"),
    [
        (DRIVEWAY | {"access": "private"}, {(1, 2)}),
        (DRIVEWAY | {"access": "no"}, {(1, 2)}),
        (DRIVEWAY, {(1, 2)}),
        ({"highway": "footway"}, {(1, 2)}),
        ({"highway": "residential", "name": "Cour des Lilas"}, {(1, 2)}),
        (STREET, {(1, 2), (1, 3), (2, 3)}),  # a fork of the very street
    ],
)
@pytest.mark.parametrize(
    "gate", [PRIVATE, {"barrier": "gate", "locked": "yes"}, {"barrier": "wall"}]
)
def test_a_gate_on_a_junction_does_not_cut_the_street(
    side: dict[str, str], pairs: set[tuple[int, int]], gate: dict[str, str]
) -> None:
    network = town(([1, 0, 2], STREET), ([0, 3], side), gate=gate)
    assert joined(network) == pairs
    assert network.meta["counts"]["shut_gates_passed_by"] == 1


def test_a_street_of_two_ways_goes_on_too() -> None:
    network = town(([1, 0], STREET), ([0, 2], STREET), ([0, 3], DRIVEWAY))
    assert joined(network) == {(1, 2)}
    assert network.meta["counts"]["ends_at_shut_gates"] == 1


def test_all_that_is_public_goes_on_beside_a_private_way() -> None:
    ways = ([1, 0, 2], {"highway": "footway"}), ([0, 3], {"highway": "path"})
    assert joined(town(*ways)) == set()  # nothing tells which of them the gate closes
    private = ([0, 1], DRIVEWAY | {"access": "private"})
    assert joined(town(*ways, private)) == {(1, 2), (1, 3), (2, 3)}


@pytest.mark.parametrize(
    "ways",
    [
        [([1, 0, 2], STREET)],
        [([1, 0], STREET), ([0, 2], STREET)],
        [([1, 0], STREET), ([0, 2], DRIVEWAY)],
        [([1, 0, 2], DRIVEWAY), ([0, 3], {"highway": "service"})],
        [([1, 0, 2], {"highway": "footway"}), ([0, 3], DRIVEWAY)],
        [([1, 0, 2], DRIVEWAY), ([0, 3], STREET)],
        [([1, 0, 2], STREET | {"tunnel": "yes"}), ([0, 3], STREET)],
        [([1, 0], STREET | {"tunnel": "yes"}), ([0, 2], STREET), ([0, 3], DRIVEWAY)],
    ],
)
def test_a_gate_on_a_way_closes_it(ways: list[tuple[list[int], dict[str, str]]]) -> None:
    network = town(*ways)
    assert joined(network) == set()
    assert network.meta["counts"]["shut_gates_passed_by"] == 0


def test_an_open_gate_on_a_junction_closes_nothing() -> None:
    network = town(([1, 0, 2], STREET), ([0, 3], DRIVEWAY), gate={"barrier": "gate"})
    assert joined(network) == {(1, 2), (1, 3), (2, 3)}


def test_no_gate_opens_what_is_not_walked() -> None:
    kinds = [STREET, DRIVEWAY, DRIVEWAY | {"access": "private"}, {"highway": "footway"}]
    ends = [
        End(k, judge(tags), tags["highway"], tags.get("name", "")) for k, tags in enumerate(kinds)
    ]
    for size in range(1, 5):
        for chosen in itertools.product(ends, repeat=size):
            passes = which_pass(chosen)
            assert len(passes) == size
            for end, goes_on in zip(chosen, passes, strict=True):
                assert end.verdict.walkable or not goes_on
            # One end that goes on alone would lead nowhere.
            assert sum(passes) != 1
