"""The toy town against minutes, offsets and zones worked out by hand.

The adult walks 75 m a minute (4.5 km/h), the slow and the step-free walker 50 m (3 km/h).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
from shapely import Point

from helpers import reference, toy_town
from helpers.toy_town import ORIGIN
from quart_heure.network.graph import WalkNetwork
from quart_heure.network.snapping import snap
from quart_heure.profiles import ADULT, SLOW, STEP_FREE, WalkProfile
from quart_heure.study import Coverage, Study, analyse

CLIMBER = WalkProfile(name="climber", speed_kmh=4.5, steps_factor=2.0)


def cell(coverage: Coverage, x: float, y: float) -> pd.Series:
    """Give the cell whose centre is there, in local metres."""
    table = coverage.cells
    found = table[(table["x_m"] == ORIGIN[0] + x) & (table["y_m"] == ORIGIN[1] + y)]
    assert len(found) == 1
    return found.iloc[0]


def edge_named(network: WalkNetwork, name: str, *, index: int = 0) -> int:
    edges = network.edges()
    return int(np.flatnonzero((edges["name"] == name).to_numpy())[index])


def snap_local(
    network: WalkNetwork, points: Sequence[tuple[float, float]], *, usable: Any = None
) -> tuple[list[int], list[float], list[float]]:
    xy = np.array([[ORIGIN[0] + x, ORIGIN[1] + y] for x, y in points])
    if usable is None:
        usable = np.ones(network.n_edges, dtype=bool)
    attachment = snap(network, xy, usable=usable, max_distance_m=100)
    offset = np.full(len(points), np.nan)
    offset[attachment.attached] = attachment.offset_m[attachment.begin[:-1][attachment.attached]]
    return attachment.nearest_edge.tolist(), offset.tolist(), attachment.nearest_m.tolist()


# --- the town itself -----------------------------------------------------------------------------


def test_town_has_the_size_it_says(toy_network: WalkNetwork) -> None:
    # junctions: 9 × 4 south + 7 × 4 north = 64; place du Marché 1; rue Haute 2; Levant 1;
    # garden 2; islet 2: 72. Greenway: 800 m in pieces of 5 m = 160 edges, 159 nodes between.
    assert toy_network.n_nodes == 72 + 159
    # verticals: 9 × 3 south, 7 × 3 north less the court's 1; horizontals: 4 × 8 and 4 × 6;
    # bridge 1, diagonals 4, stairs 1, rue Haute 1, contre-allée 1, loop 1, Levant 1, garden 3,
    # islet 1: 14
    assert toy_network.n_edges == 27 + 20 + 32 + 24 + 14 + 160
    assert toy_town.town_network(greenway_step_m=100).n_nodes == 79
    assert len({name for name in toy_network.names if name}) == 37


# --- snapping ------------------------------------------------------------------------------------


def test_snap_keeps_edge_offset_and_access(toy_network: WalkNetwork) -> None:
    points = [
        (1025, 650),  # A1: 25 m east of the edge (1000, 600) → (1000, 800), 50 m along
        (90, 1400),  # B3: 10 m west of the garden's alley, in its middle
        (2050, 400),  # C1: on the chemin du Levant, 250 m along
        (1615, 450),  # C2: 15 m east of the first edge above the stairs
        (287.5, 137.5),  # 50 m down and 87.5 m along the contre-allée, 12.5 m below it
        (1912.5, 137.5),  # right side of the loop: 100 m + 62.5 m, 12.5 m outside it
    ]
    edge, offset, access = snap_local(toy_network, points)
    assert edge == [
        edge_named(toy_network, "avenue du Pont", index=2),
        edge_named(toy_network, "allée du jardin"),
        edge_named(toy_network, "chemin du Levant"),
        edge_named(toy_network, "rue de l'École"),
        edge_named(toy_network, "contre-allée"),
        edge_named(toy_network, "boucle"),
    ]
    assert offset == pytest.approx([50, 100, 250, 50, 137.5, 162.5], abs=1e-6)
    assert access == pytest.approx([25, 10, 0, 15, 12.5, 12.5], abs=1e-6)


def test_snap_is_to_the_edge_not_to_the_node(toy_network: WalkNetwork) -> None:
    # 1 m beside the middle of the bridge, 150 m from either of its nodes
    edge, offset, access = snap_local(toy_network, [(1001, 950)])
    assert edge == [edge_named(toy_network, "pont Unique")]
    assert offset == pytest.approx([150], abs=1e-6)
    assert access == pytest.approx([1], abs=1e-6)


def test_snap_reaches_100_m_and_not_more(toy_network: WalkNetwork) -> None:
    # east of rue Nord 1400, between (1400, 1500) and (1400, 1700)
    points = [(1499, 1600), (1500, 1600), (1500.5, 1600), (1700, 1500)]
    edge, offset, access = snap_local(toy_network, points)
    street = edge_named(toy_network, "rue Nord 1400", index=2)
    assert edge == [street, street, -1, -1]
    assert offset[:2] == [100, 100]
    assert access[:2] == [99, 100]


def test_snap_ties_go_to_the_lowest_edge_id(toy_network: WalkNetwork) -> None:
    # on a junction of four streets, and 50 m from two of them
    edge, offset, access = snap_local(toy_network, [(600, 600), (1250, 650)])
    verticals = edge_named(toy_network, "rue Sud 600", index=1)  # ends at (600, 600)
    assert edge == [verticals, edge_named(toy_network, "rue Sud 1200", index=2)]
    assert offset == [200, 50]
    assert access == [0, 50]


def test_snap_passes_over_what_is_not_usable(toy_network: WalkNetwork) -> None:
    usable = np.ones(toy_network.n_edges, dtype=bool)
    usable[edge_named(toy_network, "escalier de l'École")] = False
    points = [(1612.5, 287.5)]  # 12.5 m from the stairs, 87.5 m from rue Basse 200
    edge, offset, access = snap_local(toy_network, points, usable=usable)
    assert edge == [edge_named(toy_network, "rue Basse 200", index=7)]  # 1600 → 1800
    assert (offset, access) == ([12.5], [87.5])


# --- minutes -------------------------------------------------------------------------------------


def counted(metres: float, nearest: float) -> float:
    """Metres of an access: what it is further than the nearest counts half as much again."""
    return nearest + 1.5 * (metres - nearest)


# By the next edge of the avenue, whose end (1000, 600) is √(25² + 50²) m away, A1 is 71.4 m from
# that corner, where it is 75 m by its own.
A1_CORNER = counted(math.hypot(25, 50), 25)

# From 12.5 m beside a street and 12.5 m before its end, the corner is 12.5 √2 m away.
CORNER = counted(math.hypot(12.5, 12.5), 12.5)

# A1 lies 25 m beside the avenue du Pont: it is 25 + 150 = 175 m from (1000, 800), the south end of
# the bridge, 475 m from its north end (1000, 1100), and 25 + 50 = 75 m from (1000, 600).
BAINS = [
    # On the edge of A1, equally near to rue Basse 600 but the avenue has the lower id:
    # 12.5 + |50 − 12.5| + 25 = 75 m
    (1012.5, 612.5, 75 / 75),
    # Same edge, past A1: 12.5 + |50 − 112.5| + 25 = 100 m
    (1012.5, 712.5, 100 / 75),
    # Over the bridge, exactly 15 minutes: 475 + 400 to (1000, 1500) + 237.5 + 12.5 = 1125 m
    (762.5, 1512.5, 15.0),
    # One cell further west: 1150 m
    (737.5, 1512.5, 1150 / 75),
    # The private court: no lane, so 87.5 m down to rue Haute-Ville 1300, 12.5 m from (600, 1300):
    # 475 + 200 + 400 − 12.5 + 87.5 = 1150 m
    (612.5, 1387.5, 1150 / 75),
    # One cell further north the other side of the court is nearer: 87.5 m up to y = 1500, then
    # 475 + 400 + 387.5 + 87.5 = 1350 m
    (612.5, 1412.5, 1350 / 75),
    # Parallel edge (contre-allée), 137.5 m from its west end, so 162.5 m from (400, 200); then
    # 400 m to (600, 400), the square's diagonal 200 √2, 200 m to (1000, 600), A1; access 12.5 m
    (287.5, 137.5, (12.5 + 162.5 + 400 + 200 * math.sqrt(2) + 200 + A1_CORNER) / 75),
    # On the square itself, standing on the diagonal 12.5 √2 from its middle: 87.5 √2 to
    # (800, 600), 200 to (1000, 600), A1
    (712.5, 512.5, (87.5 * math.sqrt(2) + 200 + A1_CORNER) / 75),
    # rue Haute by its stairs: 87.5 + 12.5 on rue Haute and beside it, 150 m of stairs,
    # 400 to (600, 400), the diagonal, 200, A1
    (487.5, 62.5, (100 + 150 + 400 + 200 * math.sqrt(2) + 200 + A1_CORNER) / 75),
]

BAGAGERIE = [
    # In the garden, on the alley: 12.5 + 37.5 + 10 = 60 m
    (112.5, 1362.5, 60 / 75),
    # In the street beside it: the exit cannot be entered; up to the entrance:
    # 12.5 + 162.5 + 100 + 100 + 10 = 385 m (by the exit it would be 260 m)
    (187.5, 1337.5, 385 / 75),
    # Beside the exit, which cannot be entered, and 37.5 m from the alley, which counts 50 m:
    # 50 + 87.5 + 10 = 147.5 m (round by the entrance it is 485 m)
    (137.5, 1312.5, 147.5 / 75),
    # On the entrance, 37.5 m from the alley: 12.5 + 37.5 + 100 + 10 = 160 m
    (137.5, 1512.5, 160 / 75),
]

ESI = [
    # On the chemin du Levant inside the area; C1 is outside: 12.5 + (250 − 187.5) = 75 m
    (1987.5, 412.5, 75 / 75),
    # Foot of the stairs, straight to the corner: 20.3 + 200 + 50 + 15 = 285.3 m to C2
    (1587.5, 187.5, (CORNER + 265) / 75),
    # On the stairs, 137.5 m up: 12.5 + 62.5 + 50 + 15 = 140 m
    (1612.5, 337.5, 140 / 75),
    # Loop, right side: 162.5 m back to (1800, 200) (237.5 the other way), then 200 + 250 to C1
    (1912.5, 137.5, (12.5 + 162.5 + 450) / 75),
    # Loop, far side: 112.5 m on to (1800, 200) (287.5 back), then 450 m
    (1812.5, 87.5, (12.5 + 112.5 + 450) / 75),
]


@pytest.mark.parametrize(
    ("category", "x", "y", "minutes"),
    [
        (name, *row)
        for name, rows in (("bains_douches", BAINS), ("bagagerie", BAGAGERIE), ("esi", ESI))
        for row in rows
    ],
)
def test_minutes_worked_out_by_hand(
    toy_coverage: Coverage, category: str, x: float, y: float, minutes: float
) -> None:
    found = cell(toy_coverage, x, y)[f"minutes_{category}"]
    assert found == pytest.approx(minutes, rel=1e-9, abs=1e-9)


def test_nearest_service_is_named(toy_coverage: Coverage) -> None:
    assert cell(toy_coverage, 1012.5, 612.5)["nearest_bains_douches"] == "A1"
    assert cell(toy_coverage, 112.5, 1362.5)["nearest_bagagerie"] == "B3"
    assert cell(toy_coverage, 1987.5, 412.5)["nearest_esi"] == "C1"
    assert cell(toy_coverage, 1587.5, 187.5)["nearest_esi"] == "C2"


def test_exactly_fifteen_minutes_is_within(toy_coverage: Coverage) -> None:
    on_time = cell(toy_coverage, 762.5, 1512.5)
    assert on_time["minutes_bains_douches"] <= 15.0
    assert on_time["minutes_bains_douches"] == pytest.approx(15.0, rel=1e-12)
    assert on_time["status_bains_douches"] == "borderline_covered"
    assert cell(toy_coverage, 737.5, 1512.5)["status_bains_douches"] == "borderline_uncovered"


def test_thresholds_are_inclusive_all_three(toy_study: Study, toy_network: WalkNetwork) -> None:
    coverage = analyse(toy_town.town_study(network=toy_network, threshold_min=10.0))
    # Along the quai Nord, 12.5 m below it, going west from (1000, 1100) at 475 m:
    # minutes = (475 + (1000 − x) + 12.5) / 75, but for the cell beside a corner; 9, 10 and 11
    # minutes are 675, 750 and 825 m
    expected = {
        812.5: (675, "covered"),
        787.5: (675 + CORNER, "borderline_covered"),  # straight to the corner (800, 1100)
        737.5: (750, "borderline_covered"),
        712.5: (775, "borderline_uncovered"),
        662.5: (825, "borderline_uncovered"),
        637.5: (850, "uncovered"),
    }
    found = {x: cell(coverage, x, 1087.5) for x in expected}
    assert {x: row["status_bains_douches"] for x, row in found.items()} == {
        x: word for x, (_, word) in expected.items()
    }
    assert [row["minutes_bains_douches"] for row in found.values()] == pytest.approx(
        [metres / 75 for metres, _ in expected.values()], rel=1e-12
    )


# --- walkers -------------------------------------------------------------------------------------


def test_steps_take_longer_for_who_finds_them_hard(toy_network: WalkNetwork) -> None:
    coverage = analyse(toy_town.town_study(network=toy_network, profile=CLIMBER))
    # 20.3 + 2 × 200 + 50 + 15 = 485.3 m (by the street it is 665 m)
    assert cell(coverage, 1587.5, 187.5)["minutes_esi"] == pytest.approx((CORNER + 465) / 75)
    # on the stairs: 12.5 (access, plain) + 2 × 62.5 + 50 + 15 = 202.5 m
    assert cell(coverage, 1612.5, 337.5)["minutes_esi"] == pytest.approx(202.5 / 75)
    # no stairs on the way: as the adult
    assert cell(coverage, 1012.5, 712.5)["minutes_bains_douches"] == pytest.approx(100 / 75)


def test_slow_walker_takes_half_as_long_again(toy_network: WalkNetwork) -> None:
    coverage = analyse(toy_town.town_study(network=toy_network, profile=SLOW))
    assert cell(coverage, 1587.5, 187.5)["minutes_esi"] == pytest.approx((CORNER + 265) / 50)
    assert cell(coverage, 762.5, 1512.5)["minutes_bains_douches"] == pytest.approx(22.5)


def test_step_free_walker_goes_round(toy_network: WalkNetwork) -> None:
    coverage = analyse(toy_town.town_study(network=toy_network, profile=STEP_FREE))
    foot = cell(coverage, 1587.5, 187.5)
    # to C2 round by rue Sud 1400: 12.5 + 187.5 + 200 + 200 + 50 + 15 = 665 m (by rue Sud 1800 it
    # is 690 m, and to C1 675 m)
    assert foot["minutes_esi"] == pytest.approx(665 / 50)
    assert foot["nearest_esi"] == "C2"
    # one cell further east C1 is nearer: 12.5 + 187.5 + 200 + 250 = 650 m, to C2 665 m
    assert cell(coverage, 1612.5, 187.5)["minutes_esi"] == pytest.approx(650 / 50)
    assert cell(coverage, 1612.5, 187.5)["nearest_esi"] == "C1"
    # beside the stairs, near their top: enters at rue Basse 400, 62.5 m away, or straight at their
    # top (1600, 400), the end of rue de l'École; then 50 + 15 m
    top = counted(math.hypot(12.5, 62.5), 62.5)
    assert cell(coverage, 1612.5, 337.5)["minutes_esi"] == pytest.approx((top + 65) / 50)
    # rue Haute is reached by stairs only: never a number in range
    assert not math.isfinite(cell(coverage, 587.5, 37.5)["minutes_esi"])
    # and nothing else changes but the speed
    assert cell(coverage, 112.5, 1362.5)["minutes_bagagerie"] == pytest.approx(60 / 50)


# --- what attaches and what does not -------------------------------------------------------------


def test_rail_yard_is_off_network(toy_coverage: Coverage) -> None:
    yard = cell(toy_coverage, 1512.5, 1512.5)  # 112.5 m east of rue Nord 1400
    edge_of_yard = cell(toy_coverage, 1487.5, 1512.5)  # 87.5 m
    assert not yard["on_network"]
    assert yard["status_esi"] == "off_network"
    assert math.isnan(yard["minutes_esi"])
    assert yard["nearest_esi"] == ""
    assert yard["essentials_within"] == -1
    assert edge_of_yard["on_network"]
    assert edge_of_yard["access_m"] == pytest.approx(87.5)


def test_off_network_block_counted_by_hand(toy_coverage: Coverage) -> None:
    # the yard away from every other street: x in 1500 … 2000, y in 1100 … 1900: 20 × 32 cells
    table = toy_coverage.cells
    x, y = table["x_m"] - ORIGIN[0], table["y_m"] - ORIGIN[1]
    yard = table[(x > 1500) & (y > 1100)]
    assert len(yard) == 640
    assert not yard["on_network"].any()


def test_islet_is_too_small_to_be_useful(toy_coverage: Coverage) -> None:
    # 2 nodes of 231
    assert not cell(toy_coverage, 1612.5, 962.5)["on_network"]
    services = toy_coverage.services.set_index("service_id")
    assert services.loc["B2", "snap_status"] == "too_far"
    assert services.loc["B2", "left_out_reason"] != ""
    assert not services.loc["B2", "counted"]


def test_islet_is_useful_where_every_part_is() -> None:
    # 2 nodes of 79 are more than 1 %, and too few all the same
    network = toy_town.town_network(greenway_step_m=100)
    coverage = analyse(toy_town.town_study(network=network))
    assert not cell(coverage, 1612.5, 962.5)["on_network"]
    coverage = analyse(toy_town.town_study(network=network, useful_share=0.0))
    on_islet = cell(coverage, 1612.5, 962.5)
    # along the alley 12.5 m, beside it 12.5 m
    assert on_islet["minutes_bagagerie"] == pytest.approx(25 / 75)
    assert on_islet["nearest_bagagerie"] == "B2"
    # but no way leads off it
    assert on_islet["minutes_esi"] == math.inf
    assert on_islet["status_esi"] == "uncovered"
    assert on_islet["nearest_esi"] == ""
    # the finer or coarser greenway changes nothing on the mainland
    assert cell(coverage, 762.5, 1512.5)["minutes_bains_douches"] == pytest.approx(15)


@pytest.mark.parametrize(
    ("main_nodes", "far_nodes", "useful"),
    [(1979, 20, True), (1980, 20, True), (1981, 20, False), (100, 20, True), (100, 19, False)],
)
def test_one_percent_and_twenty_of_the_nodes_are_enough(
    main_nodes: int, far_nodes: int, useful: bool
) -> None:
    # two chains far apart: 20 of 2000 is 1 %, 20 of 2001 is less; 19 of 119 are too few
    rows = [
        {"name": name, "geometry": toy_town.LineString([(i * 5, y), (i * 5 + 5, y)])}
        for name, y, nodes in (("chaîne", 0, main_nodes), ("loin", 800, far_nodes))
        for i in range(nodes - 1)
    ]
    for row in rows:
        row |= {"kind": "path", "steps": False, "bridge": False, "tunnel": False}
        row |= {"forward": True, "backward": True}
    network = WalkNetwork.from_edges(toy_town.finish_edges(rows))
    assert network.n_nodes == main_nodes + far_nodes
    coverage = analyse(toy_town.town_study(network=network, residents=None))
    assert bool(cell(coverage, 112.5, 812.5)["on_network"]) is useful
    assert bool(cell(coverage, 112.5, 12.5)["on_network"])


def test_services_say_what_became_of_them(toy_coverage: Coverage) -> None:
    services = toy_coverage.services.set_index("service_id")
    assert list(services.index) == ["A1", "A2", "B1", "B2", "B3", "C1", "C2"]
    counted = services["counted"].to_dict()
    assert counted == {
        "A1": True,
        "A2": False,  # closed
        "B1": False,  # in the rail yard
        "B2": False,  # on the islet
        "B3": True,  # discreet, and of unknown status
        "C1": True,  # outside the area
        "C2": True,
    }
    assert services.loc["B1", "snap_status"] == "too_far"
    assert services.loc[["A1", "B3", "C1", "C2"], "snap_status"].eq("ok").all()
    assert services.loc[["A1", "B3", "C1", "C2"], "left_out_reason"].eq("").all()
    assert services.loc["A2", "left_out_reason"] != ""
    assert services["inside"].to_dict() == {
        key: key != "C1" for key in ("A1", "A2", "B1", "B2", "B3", "C1", "C2")
    }
    assert services["district_id"].to_dict() == {
        "A1": "E",
        "A2": "W",
        "B1": "E",
        "B2": "E",
        "B3": "W",
        "C1": "",
        "C2": "E",
    }
    assert services.loc["A1", "access_m"] == pytest.approx(25)


def test_service_that_cannot_be_snapped_is_a_problem_row(toy_coverage: Coverage) -> None:
    problems = toy_coverage.problems
    # The toy town's streets end at its edge and have long stairs without heights: told too.
    assert list(problems["field"]) == ["coordinates", "coordinates", "network", "network"]
    rows = problems[["value", "reason", "action"]].astype(str).agg(" ".join, axis=1)
    assert rows.str.contains("B1").sum() == 1
    assert rows.str.contains("B2").sum() == 1


@pytest.mark.parametrize("ids", [("T1", "T2"), ("T2", "T1")])
def test_equally_near_services_are_told_apart_by_id_not_by_row(
    toy_network: WalkNetwork, ids: tuple[str, str]
) -> None:
    # 100 m west and 100 m east of (1000, 600)
    places = [(ids[0], "esi", 900, 600, "open", False), (ids[1], "esi", 1100, 600, "open", False)]
    nearest = set()
    for rows in (places, places[::-1]):
        services = toy_town.services_of(rows)
        coverage = analyse(toy_town.town_study(network=toy_network, services=services))
        found = cell(coverage, 1012.5, 712.5)
        assert found["minutes_esi"] == pytest.approx(3)  # 12.5 + 112.5 + 100 = 225 m
        nearest.add(found["nearest_esi"])
    assert len(nearest) == 1


@pytest.mark.parametrize("threshold_min", [4.0, 5.0])
def test_threshold_is_inclusive_from_a_service_on_a_junction(
    toy_network: WalkNetwork, threshold_min: float
) -> None:
    # a service on (1000, 600) itself: no metre to the street nor along it. The cell at
    # (1212.5, 537.5) is 12.5 + 62.5 + 200 = 275 m away, its neighbours 25 m more or less.
    services = toy_town.services_of([("J", "esi", 1000, 600, "open", False)])
    coverage = analyse(
        toy_town.town_study(network=toy_network, services=services, threshold_min=threshold_min)
    )
    metres = {562.5: 250, 537.5: 275, 512.5: 300, 487.5: 325, 462.5: 350, 437.5: 375, 412.5: 400}
    for y, walk in metres.items():
        found = cell(coverage, 1212.5, y)["status_esi"]
        within = found in {"covered", "borderline_covered"}
        assert within == (walk <= 75 * threshold_min), (y, walk)  # 300 or 375 m


def test_service_too_far_outside_is_left_out_with_a_reason(toy_network: WalkNetwork) -> None:
    # 1.1 × 15 minutes are 1237.5 m: further away than that no cell's answer can change
    services = toy_town.services_of([("near", "esi", 2050, 400, "open", False)])
    far = toy_town.services_of([("far", "esi", 9000, 400, "open", False)])
    table = pd.concat([far.table, services.table], ignore_index=True)
    both = toy_town.Services(table=table, problems=services.problems)
    coverage = analyse(toy_town.town_study(network=toy_network, services=both))
    rows = coverage.services.set_index("service_id")
    assert rows["counted"].to_dict() == {"far": False, "near": True}
    assert rows.loc["far", "left_out_reason"] != ""


def test_services_inside_are_counted_per_district(toy_coverage: Coverage) -> None:
    table = toy_coverage.indicators.set_index(["district_id", "category"])["services_inside"]
    assert table.loc[("E", "bains_douches")] == 1
    assert table.loc[("W", "bains_douches")] == 0  # A2 is closed
    assert table.loc[("W", "bagagerie")] == 1
    assert table.loc[("E", "esi")] == 1  # C2; C1 is outside
    assert table.loc[("", "esi")] == 1


def test_open_or_not_is_the_studys_choice(toy_network: WalkNetwork) -> None:
    coverage = analyse(
        toy_town.town_study(network=toy_network, counted_status=("open", "unknown", "closed"))
    )
    # A2 stands at (600, 1300); from the court's cell straight to that corner
    straight = counted(math.hypot(12.5, 87.5), 87.5)
    found = cell(coverage, 612.5, 1387.5)
    assert found["minutes_bains_douches"] == pytest.approx(straight / 75)
    assert found["nearest_bains_douches"] == "A2"
    # "unknown" left out: B3 no longer counts, and the category is empty
    strict = analyse(toy_town.town_study(network=toy_network, counted_status=("open",)))
    on_network = strict.cells[strict.cells["on_network"]]
    assert np.isinf(on_network["minutes_bagagerie"]).all()
    assert (on_network["status_bagagerie"] == "uncovered").all()


# --- cells, residents, bridge --------------------------------------------------------------------


def test_cells_districts_and_residents(toy_coverage: Coverage) -> None:
    table = toy_coverage.cells
    assert len(table) == 80 * 76
    assert (table["district_id"] == "W").sum() == 40 * 76
    assert (table["district_id"] == "E").sum() == 40 * 76
    # 80 × 32 squares of 3 in the south, 80 × 32 of 1 in the north
    assert table["residents"].sum() == pytest.approx(80 * 32 * 4)
    assert cell(toy_coverage, 1012.5, 612.5)["residents"] == pytest.approx(3)
    assert cell(toy_coverage, 1012.5, 1112.5)["residents"] == pytest.approx(1)
    assert cell(toy_coverage, 1012.5, 962.5)["residents"] == 0


def test_without_its_bridge_the_north_is_cut_off() -> None:
    coverage = analyse(toy_town.town_study(network=toy_town.town_network(bridge=False)))
    table = coverage.cells[coverage.cells["on_network"]]
    north = table["y_m"] > ORIGIN[1] + 1000
    assert np.isinf(table.loc[north, "minutes_bains_douches"]).all()
    assert (table.loc[north, "status_bains_douches"] == "uncovered").all()
    assert np.isfinite(table.loc[~north, "minutes_bains_douches"]).all()
    gaps = coverage.gaps[coverage.gaps["category"] == "bains_douches"]
    y_m = gaps.geometry.representative_point().y - ORIGIN[1]
    beyond = gaps[(y_m > 1000).to_numpy()]
    assert len(beyond) == 1
    gap = beyond.iloc[0]
    assert gap["cells"] == north.sum()
    assert gap["area_ha"] == pytest.approx(north.sum() / 16)  # 16 cells of 25 m in a hectare
    assert gap["cause"] == "barrier"
    assert not math.isfinite(gap["minutes_min"])
    assert gap["nearest_service_id"] == ""


def test_far_gap_is_too_far_even_if_no_way_leads_there() -> None:
    # one service at (1800, 200), 10 minutes = 750 m: every cell of the north lies 800 m away or
    # more as the crow flies, so that the missing bridge is not to blame
    study = toy_town.town_study(
        network=toy_town.town_network(bridge=False),
        services=toy_town.services_of([("F", "esi", 1800, 200, "open", False)]),
        categories=("esi",),
        threshold_min=10.0,
    )
    gaps = analyse(study).gaps
    centre = Point(ORIGIN[0] + 212.5, ORIGIN[1] + 1712.5)
    found = [row for row in gaps.itertuples() if row.geometry.covers(centre)]
    assert {row.cause for row in found} == {"too_far"}
    assert [row.barrier_pct for row in found if row.category == "esi"] == [0]


# --- all of it, against the slow computation -----------------------------------------------------


@pytest.mark.parametrize("profile", [ADULT, STEP_FREE, CLIMBER], ids=lambda p: p.name)
def test_every_cell_against_the_slow_computation(
    toy_network: WalkNetwork, profile: WalkProfile
) -> None:
    study = toy_town.town_study(network=toy_network, profile=profile, cell_m=50.0)
    coverage = analyse(study)
    expected = toy_town.reference_cells(
        study, toy_town.town_edges(), toy_town.town_services().table
    )
    assert_cells_agree(coverage, expected, study.categories)


def assert_cells_agree(
    coverage: Coverage, expected: Sequence[reference.Cell], categories: Sequence[str]
) -> None:
    table = coverage.cells.set_index(["col", "row"])
    assert set(table.index) == {(c.col, c.row) for c in expected}
    for one in expected:
        row = table.loc[(one.col, one.row)]
        assert (row["x_m"], row["y_m"]) == (one.x_m, one.y_m)
        assert row["district_id"] == one.district_id
        assert bool(row["on_network"]) == one.on_network
        for category in categories:
            found = row[f"minutes_{category}"]
            wanted = one.minutes[category]
            assert found == pytest.approx(wanted, rel=1e-9, abs=1e-9, nan_ok=True), (one, category)
            assert row[f"nearest_{category}"] == one.nearest[category]
