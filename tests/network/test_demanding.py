"""Mountain paths for the sure-footed: flagged, counted, and left out for slow walkers."""

from __future__ import annotations

from typing import Any

import pyproj
import pytest

from quart_heure.network.components import walkable_edges
from quart_heure.network.graph import Flags, WalkNetwork
from quart_heure.network.streets import network_from_osm
from quart_heure.network.travel_time import search_graph
from quart_heure.profiles import ADULT, SLOW, STEP_FREE, WalkProfile
from quart_heure.sources.osm.data import from_overpass


@pytest.fixture
def valley() -> WalkNetwork:
    """Return a road of 200 m to a hut, and a path over a ridge of 100 m."""
    places = {1: (2.35, 48.85), 2: (2.3512, 48.85), 3: (2.3506, 48.8506)}
    elements: list[dict[str, Any]] = [
        {"type": "node", "id": k, "lon": lon, "lat": lat} for k, (lon, lat) in places.items()
    ]
    ridge = {"highway": "path", "sac_scale": "demanding_mountain_hiking"}
    elements += [
        {"type": "way", "id": 10, "nodes": [1, 3, 2], "tags": {"highway": "track"}},
        {"type": "way", "id": 11, "nodes": [1, 2], "tags": ridge},
    ]
    return network_from_osm(from_overpass(elements), crs=pyproj.CRS.from_epsg(2154))


def test_a_ridge_is_flagged_and_counted(valley: WalkNetwork) -> None:
    ridge = valley.flags & Flags.DEMANDING > 0
    assert valley.osm_id[ridge].tolist() == [11]
    assert valley.meta["flags"]["demanding"]["ways"] == 1
    assert valley.meta["flags"]["demanding"]["length_km"] == pytest.approx(0.088, abs=0.001)
    again = WalkNetwork.from_networkx(valley.to_networkx())
    assert again.digest == valley.digest


@pytest.mark.parametrize(
    ("profile", "over_the_ridge"),
    [
        (ADULT, True),
        (SLOW, False),
        (STEP_FREE, False),
        (WalkProfile(name="trail runner", speed_kmh=8), True),
        (WalkProfile(name="city walker", speed_kmh=5, demanding_allowed=False), False),
        (WalkProfile(name="wheelchair", speed_kmh=4, steps_allowed=False), False),
    ],
)
def test_who_walks_over_the_ridge(
    valley: WalkNetwork, profile: WalkProfile, over_the_ridge: bool
) -> None:
    walked = walkable_edges(valley, profile)
    assert walked[valley.osm_id == 10].all()
    assert walked[valley.osm_id == 11].all() == over_the_ridge
    metres = search_graph(valley, profile).level_m
    assert metres == pytest.approx([88.1 if over_the_ridge else 159.9] * 2, abs=0.1)
