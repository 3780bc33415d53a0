"""Reach of single services against Floyd–Warshall, on random small towns."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers import reference, toy_town
from helpers.random_towns import PROFILES, SEEDS, SIDES, attachment, random_places, walker
from quart_heure.network.graph import WalkNetwork
from quart_heure.network.reach import reach_of_services
from quart_heure.network.travel_time import search_graph
from quart_heure.profiles import ADULT, WalkProfile


@given(
    seed=SEEDS,
    columns=SIDES,
    rows=SIDES,
    profile=PROFILES,
    limit_min=st.sampled_from([0.5, 2.0, 5.0, 100.0]),
)
def test_each_service_reaches_what_floyd_warshall_says(
    seed: int, columns: int, rows: int, profile: WalkProfile, limit_min: float
) -> None:
    town = toy_town.random_town(seed, columns=columns, rows=rows)
    rng = random.Random(seed + 1)
    n_nodes, edges = toy_town.reference_edges(town.edges)
    places = random_places(rng, edges, walker(profile), 12)
    services = random_places(rng, edges, walker(profile), rng.choice((0, 1, 2, 11)))
    table = reference.least_minutes(n_nodes, edges, walker(profile), places, services)
    graph = search_graph(WalkNetwork.from_edges(town.edges), profile)
    found = reach_of_services(graph, attachment(services), attachment(places), limit_min=limit_min)
    assert found.n_services == len(services)
    for service in range(len(services)):
        place, minutes = found.of(service)
        assert (np.diff(place) > 0).all()
        got = dict(zip(place.tolist(), minutes.tolist(), strict=True))
        for k, row in enumerate(table):
            if abs(row[service] - limit_min) < 1e-6:
                continue  # which side of the limit floats fall on is told by a test of its own
            wanted = row[service] if row[service] <= limit_min else math.inf
            assert got.get(k, math.inf) == pytest.approx(wanted, rel=1e-9, abs=1e-7)
    every = np.arange(len(services))
    for k, (nearest, count) in enumerate(
        zip(found.nearest(every), found.count(every, limit_min), strict=True)
    ):
        within = [m for m in table[k] if m <= limit_min * (1 + 1e-9)]
        assert nearest == pytest.approx(min(within, default=math.inf), rel=1e-9, abs=1e-7)
        assert count == len(within)


def test_the_limit_is_inclusive() -> None:
    row = {"name": "", "kind": "path", "steps": False, "bridge": False, "tunnel": False}
    row |= {"forward": True, "backward": True}
    row |= {"geometry": toy_town.LineString([(0, 0), (1125, 0)])}
    graph = search_graph(WalkNetwork.from_edges(toy_town.finish_edges([row])), ADULT)
    service = attachment([reference.Stop(0, 0.0, 0.0)])
    places = attachment([reference.Stop(0, 1125.0, 0.0), reference.Stop(0, 1125.0, 0.01)])
    found = reach_of_services(graph, service, places, limit_min=15.0)
    assert found.of(0)[0].tolist() == [0]
