"""Mountain paths for the sure-footed: flagged, counted, and left out for slow walkers."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pyproj
import pytest
import shapely

from helpers import toy_town
from quart_heure.analysis.steep_ground import steep_ground
from quart_heure.network.components import walkable_edges
from quart_heure.network.graph import Flags, WalkNetwork
from quart_heure.network.streets import network_from_osm
from quart_heure.network.travel_time import search_graph
from quart_heure.outputs.report.report import render_report
from quart_heure.outputs.report.variants import render_sensitivity
from quart_heure.profiles import ADULT, SLOW, STEP_FREE, WalkProfile
from quart_heure.sources.heights import Heights
from quart_heure.sources.osm.data import from_overpass
from quart_heure.study import Study, analyse
from quart_heure.study.check import check_study
from quart_heure.study.variants import sensitivity, variants_of


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


def study_of(valley: WalkNetwork, **options: Any) -> Study:
    """A hut at the end of the road, in a square of 400 m around it."""
    low = valley.node_xy.min(axis=0) - 100
    shape = shapely.box(*low, *(low + 400))
    x, y = valley.node_xy[1] - toy_town.ORIGIN
    hut = toy_town.services_of([("hut", "esi", float(x), float(y), "open", False)])
    area = toy_town.area_of([("v", "Vallée", shape)], name="Vallée")
    return toy_town.town_study(
        network=valley, area=area, services=hut, residents=None, categories=("esi",), **options
    )


def test_the_report_counts_the_paths_and_says_what_becomes_of_them(valley: WalkNetwork) -> None:
    for profile, word in (
        (ADULT, "comptés comme les autres chemins"),
        (SLOW, "écartés pour ce marcheur"),
    ):
        coverage = analyse(study_of(valley, profile=profile))
        counts = coverage.manifest["counts"]
        name = "demanding_walked_km" if profile is ADULT else "demanding_left_out_km"
        assert counts[name] == 0.1
        assert len([key for key in counts if key.startswith("demanding")]) == 1
        report = render_report(coverage, format="md")
        assert "0,1 km de sentiers de montagne" in report.replace("\xa0", " ")
        assert word in report


def test_a_town_without_such_paths_says_nothing_of_them() -> None:
    coverage = analyse(toy_town.town_study())
    assert not [key for key in coverage.manifest["counts"] if key.startswith("demanding")]
    assert not [one for one in coverage.manifest["limits"] if one["key"].startswith("demanding")]
    assert "demanding_paths" not in {name for name, _, _ in variants_of(coverage.study)}


def test_sensitivity_tells_what_the_paths_change(valley: WalkNetwork) -> None:
    for profile, value in ((ADULT, "out"), (SLOW, "in")):
        study = study_of(valley, profile=profile, threshold_min=2)
        other = dataclasses.replace(profile, demanding_allowed=not profile.demanding_allowed)
        shares = [analyse(one).city for one in (study, study.replace(profile=other))]
        before, after = (
            float(one.set_index("category").loc["esi", "covered_pct"]) for one in shares
        )
        table = sensitivity(study)
        row = table[(table["setting"] == "demanding_paths") & (table["category"] == "esi")]
        assert row["value"].tolist() == [value]
        assert row["covered_pct_change"].iloc[0] == pytest.approx(after - before)
        assert abs(after - before) > 1
        assert "sentiers de montagne" in render_sensitivity(table, study, form="md")
    # for who takes no steps, a sure foot changes nothing
    assert "demanding_paths" not in {
        name for name, _, _ in variants_of(study_of(valley, profile=STEP_FREE))
    }


def test_steep_ground_without_heights_is_said(valley: WalkNetwork) -> None:
    reason = "the ground is steep and no heights are given"
    study = study_of(valley)
    for problems in (analyse(study).problems, check_study(study).problems):
        (row,) = problems[problems["reason"] == reason].to_dict("records")
        assert row["value"] == "0.1 km are mountain paths for the sure-footed"
    flat = Heights(
        values=np.zeros((2, 2)), x=0.0, y=0.0, step_x=1e7, step_y=1e7, crs=valley.crs, source="flat"
    )
    told = analyse(study.replace(heights=flat)).problems
    assert reason not in set(told["reason"])


@pytest.mark.parametrize(
    ("stairs_m", "said"), [(9.0, False), (24.0, False), (26.0, True), (400.0, True)]
)
def test_stairs_tell_of_hills(stairs_m: float, said: bool) -> None:
    # 2.5 km of street and stairs, of which one in a hundred is 25 m
    def edge(x: float, y: float, length: float, *, steps: bool) -> dict[str, Any]:
        line = shapely.LineString([(x, y), (x + length, y)])
        kind = "steps" if steps else "residential"
        flags = {"steps": steps, "bridge": False, "tunnel": False, "forward": True}
        return {"name": "", "kind": kind, **flags, "backward": True, "geometry": line}

    street = edge(0, 0, 2500 - stairs_m, steps=False)
    stairs = edge(2500 - stairs_m, 0, stairs_m, steps=True)
    network = WalkNetwork.from_edges(toy_town.finish_edges([street, stairs]))
    assert bool(steep_ground(network, None)) == said


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
