"""The network doctor on small networks made to be ill."""

from __future__ import annotations

import datetime
import itertools
import json
from pathlib import Path

import geopandas as gpd
import pytest
import shapely

from helpers import toy_town
from quart_heure.network.doctor import examine_network, examine_services
from quart_heure.network.findings import finding_table, osm_url
from quart_heure.network.graph import WalkNetwork
from quart_heure.outputs.report.check import render_check, write_check
from quart_heure.profiles import ADULT
from quart_heure.study.check import check_study


def network_of(*lines: list[tuple[float, float]], **columns: list[object]) -> WalkNetwork:
    """Streets joined where their ends coincide."""
    nodes: dict[tuple[float, float], int] = {}
    ends = [
        (nodes.setdefault(a[0], len(nodes)), nodes.setdefault(a[-1], len(nodes))) for a in lines
    ]
    edges = gpd.GeoDataFrame(
        {"u": [u for u, _ in ends], "v": [v for _, v in ends], **columns},
        geometry=[shapely.LineString(line) for line in lines],
        crs=2154,
    )
    return WalkNetwork.from_edges(edges, meta={"squares_without_entrance": [-7]})


def kinds(network: WalkNetwork) -> dict[str, list[str]]:
    table = finding_table(examine_network(network, ADULT), network)
    return table.groupby("kind")["place"].apply(list).to_dict()


def test_a_dead_end_that_nearly_joins_a_street_is_found() -> None:
    network = network_of(
        [(0, 0), (100, 0)],
        [(100, 0), (200, 0)],
        [(50, 1.5), (50, 80)],  # stops 1.5 m short of the first street
        [(150, 2.5), (150, 80)],  # 2.5 m is too far to be a slip
        name=["rue A", "rue B", "rue C", "rue D"],
    )
    table = finding_table(examine_network(network, ADULT), network)
    found = table[table["kind"] == "dangling_end"]
    assert found["place"].tolist() == ["rue A"]
    assert found["value"].tolist() == [1000]  # nothing else leads there
    assert "1.50 m short" in found["detail"].iloc[0]
    assert "or there is none" in found["detail"].iloc[0]


def test_dead_ends_are_listed_by_the_way_round() -> None:
    network = network_of(
        [(0, 0), (100, 0)],
        [(100, 0), (200, 0)],
        [(200, 0), (800, 0)],
        [(0, 0), (0, 100)],
        [(0, 100), (50, 100)],
        [(50, 100), (50, 1)],  # 99 + 50 + 100 + 50 m round to the foot of it on rue A
        [(800, 0), (800, -100)],
        [(800, -100), (400, -100)],
        [(400, -100), (400, -0.5)],  # 99.5 + 400 + 100 + 400 m
        name=["rue A", "rue B", "rue C", *["allée"] * 6],
    )
    table = finding_table(examine_network(network, ADULT), network)
    found = table[table["kind"] == "dangling_end"]
    assert found["place"].tolist() == ["rue C", "rue A"]
    assert found["value"].tolist() == [999.5, 299]
    assert found.geometry.x.tolist() == [400, 50]


def test_the_own_bend_of_a_dead_end_hides_no_street() -> None:
    bend = [(0.0, 0.0), (0.0, 400.0), (98.8, 400.0), (100.0, 400.0)]
    network = network_of(
        *[[a, b] for a, b in itertools.pairwise(bend)],
        [(98.8, 400.0), (98.8, 398.8)],  # 1.2 m long: its own street is nearest
        [(0.0, 0.0), (200.0, 0.0)],
        [(200.0, 0.0), (200.0, 397.3)],
        [(200.0, 397.3), (0.5, 397.3)],  # 1.5 m below the end
        name=["rue A", "rue A", "rue A", "allée", "rue B", "rue B", "rue C"],
    )
    found = finding_table(examine_network(network, ADULT), network)
    found = found[found["kind"] == "dangling_end"]
    at_end = found[found.geometry.y == 398.8]
    assert at_end["place"].tolist() == ["rue C"]
    assert at_end["value"].iloc[0] > 900


@pytest.mark.parametrize("forward", [True, False])
def test_the_way_round_is_the_shorter_of_there_and_back(forward: bool) -> None:
    network = network_of(
        [(0, 0), (100, 0)],
        [(100, 0), (200, 0)],
        [(0, 0), (0, 100)],
        [(0, 100), (50, 100)],
        [(50, 100), (50, 1)],
        name=["rue A", "rue B", *["allée"] * 3],
        forward=[True, True, True, forward, True],
        backward=[True, True, True, not forward, True],
    )
    found = finding_table(examine_network(network, ADULT), network)
    assert found.loc[found["kind"] == "dangling_end", "value"].tolist() == [299]


def test_a_street_below_a_bridge_is_no_missed_junction() -> None:
    network = network_of(
        [(0, 0), (100, 0)], [(50, 1), (50, 80)], bridge=[True, False], name=["pont", "quai"]
    )
    assert "dangling_end" not in kinds(network)


def test_streets_longer_than_they_are_drawn_are_odd() -> None:
    lines = [[(0, k), (100, k)] for k in range(3)]
    # Half a metre and one in a hundred are rounding.
    network = network_of(*lines, length_m=[140.0, 101.4, 100.0], name=["rue", "allée", "quai"])
    table = finding_table(examine_network(network, ADULT), network)
    odd = table[table["kind"] == "odd_length"]
    assert odd["place"].tolist() == ["rue"]
    assert odd["detail"].tolist() == ["Its line is drawn 100 m long."]
    assert network.meta["counts"] == {"edges_longer_than_drawn": 1}


def test_small_parts_and_squares_without_entrance_are_told() -> None:
    chain = [[(i * 10.0, 0.0), (i * 10.0 + 10, 0.0)] for i in range(300)]
    far = [(0.0, 500.0), (40.0, 500.0)]
    network = network_of(*chain, far, name=["rue"] * 300 + ["cour"])
    found = kinds(network)
    assert found["small_part"] == ["cour"]
    assert found["square_without_entrance"] == ["OSM 7"]


def test_osm_objects_are_linked() -> None:
    assert osm_url(5) == "https://www.openstreetmap.org/way/5"
    assert osm_url(-5) == "https://www.openstreetmap.org/relation/5"
    assert osm_url(0) == ""


def test_services_far_away_on_an_island_or_over_water_are_told_and_discreet_ones_not() -> None:
    chain = [[(i * 10.0, 0.0), (i * 10.0 + 10, 0.0)] for i in range(300)]
    network = network_of(*chain, [(0.0, 500.0), (40.0, 500.0)])
    services = gpd.GeoDataFrame(
        {"name": ["far", "isle", "river", "fine", "hidden"], "discreet": [False] * 4 + [True]},
        geometry=gpd.points_from_xy([100, 20, 200, 300, 150], [300, 510, 60, 10, 300]),
        crs=2154,
    )
    water = shapely.box(150, 20, 250, 40)
    found = finding_table(
        examine_services(services, network, ADULT, snap_m=100, barriers=[water]), network
    )
    assert dict(zip(found["place"], found["kind"], strict=True)) == {
        "far": "service_off_network",
        "isle": "service_on_island",
        "river": "service_across_barrier",
    }
    assert found.set_index("place").loc["far", "value"] == 300


def test_check_of_a_study_reads_as_table_json_html_and_geopackage(
    toy_network: WalkNetwork, tmp_path: Path
) -> None:
    study = toy_town.town_study(network=toy_network)
    check = check_study(study, today=datetime.date(2026, 1, 1))
    content = json.loads(render_check(check, form="json"))
    assert content["summary"] == check.summary()
    assert len(content["findings"]) == len(check.findings)
    page = render_check(check, form="html")
    assert "://" not in page.replace("https://www.openstreetmap.org/", "")
    assert study.area.name in render_check(check, form="table")
    write_check(check, tmp_path / "check.gpkg")
    assert len(gpd.read_file(tmp_path / "check.gpkg")) == len(check.findings)


def test_each_rule_has_its_share_of_the_streets(toy_network: WalkNetwork) -> None:
    km = float(toy_network.length_m.sum()) / 1000
    dropped = {"trunk": {"ways": 2, "length_km": km / 2}, "platform": {"ways": 1, "length_km": 0.0}}
    network = WalkNetwork.from_edges(toy_network.edges(), meta={"dropped": dropped})
    check = check_study(toy_town.town_study(network=network))
    assert [row["share_pct"] for row in check.dropped.values()] == [33.3, 0.0]
    assert "33.3" in render_check(check, form="table")
    assert "<td>33.3</td>" in render_check(check, form="html")


@pytest.mark.parametrize(("date", "days"), [("2025-12-31", 1), ("", None), ("nonsense", None)])
def test_age_of_the_data(toy_network: WalkNetwork, date: str, days: int | None) -> None:
    network = WalkNetwork.from_edges(toy_network.edges(), meta={"osm_date": date})
    study = toy_town.town_study(network=network)
    assert check_study(study, today=datetime.date(2026, 1, 1)).age_days == days
