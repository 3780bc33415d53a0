"""Snapping and travel times against slow computations, on random small towns."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString, Point
from shapely.geometry.base import BaseGeometry

from helpers import reference, toy_town
from helpers.random_towns import (
    PROFILES,
    SEEDS,
    SIDES,
    attachment,
    random_places,
    random_stops,
    walker,
)
from helpers.reference import Stop, Walker
from quart_heure.network.barriers import Barriers
from quart_heure.network.components import useful_edges
from quart_heure.network.entries import needed_entries
from quart_heure.network.graph import WalkNetwork
from quart_heure.network.snapping import snap
from quart_heure.network.travel_time import search_graph, travel_times
from quart_heure.profiles import ADULT, WalkProfile
from quart_heure.study import analyse

WHOLE_LINE = settings(max_examples=max(1, settings().max_examples // 2))


# --- entries -------------------------------------------------------------------------------------


@given(seed=SEEDS, columns=SIDES, rows=SIDES, always_m=st.sampled_from([10.0, 40.0, 100.0]))
def test_places_enter_at_every_edge_in_their_radius(
    seed: int, columns: int, rows: int, always_m: float
) -> None:
    town = toy_town.random_town(seed, columns=columns, rows=rows)
    rng = random.Random(seed + 1)
    _, edges = toy_town.reference_edges(town.edges)
    network = WalkNetwork.from_edges(town.edges)
    usable = [rng.random() < 0.8 for _ in edges]
    limit_m = rng.choice((20.0, 60.0, 100.0))
    x0, y0 = toy_town.ORIGIN
    points = [(x0 + rng.uniform(-200, 700), y0 + rng.uniform(-200, 700)) for _ in range(25)]
    points += [edge.line.coords[0] for edge in edges[:5]]  # on nodes
    barriers = random_barriers(rng)
    found = snap(
        network,
        np.array(points),
        usable=np.array(usable),
        max_distance_m=limit_m,
        always_m=always_m,
        barriers=Barriers.of_shapes(np.array(barriers, dtype=object)),
    )
    for k, (x, y) in enumerate(points):
        wanted = reference.entries(
            edges, usable, x, y, max_m=limit_m, always_m=always_m, barriers=barriers
        )
        own = slice(found.begin[k], found.begin[k + 1])
        assert sorted(found.edge[own]) == sorted(stop.edge for stop in wanted)
        assert found.nearest_m[k] == pytest.approx(
            wanted[0].access_m if wanted else math.nan, abs=1e-9, nan_ok=True
        )
        access_m = {stop.edge: stop.access_m for stop in wanted}
        least_m = min(access_m.values(), default=0.0)
        for edge, offset_m, counted_m in zip(
            found.edge[own], found.offset_m[own], found.access_m[own], strict=True
        ):
            assert counted_m == pytest.approx(access_m[edge], abs=1e-9)
            foot = edges[edge].line.interpolate(offset_m)
            straight_m = least_m + (counted_m - least_m) / 1.5
            assert foot.distance(Point(x, y)) == pytest.approx(straight_m, abs=1e-6)


def random_barriers(rng: random.Random) -> list[BaseGeometry]:
    """Walls and ponds, off the whole metres that streets run on."""
    x0, y0 = toy_town.ORIGIN
    shapes: list[BaseGeometry] = []
    for _ in range(rng.choice((0, 3, 8))):
        x, y = x0 + rng.uniform(-100, 500), y0 + rng.uniform(-100, 500)
        if rng.random() < 0.5:
            shapes.append(LineString([(x, y), (x + rng.uniform(-80, 80), y + 60.123)]))
        else:
            shapes.append(Point(x, y).buffer(rng.uniform(5, 40), quad_segs=3))
    return shapes


@given(seed=SEEDS, columns=SIDES, rows=SIDES)
def test_entries_on_a_lattice_are_in_order_of_access_and_edge(
    seed: int, columns: int, rows: int
) -> None:
    town = toy_town.random_town(seed, columns=columns, rows=rows, lattice=True)
    _, edges = toy_town.reference_edges(town.edges)
    network = WalkNetwork.from_edges(town.edges)
    usable = [True] * len(edges)
    x0, y0 = toy_town.ORIGIN
    points = [(x0 + i * 12.5, y0 + j * 12.5) for i in range(-12, 60, 4) for j in range(-12, 60, 4)]
    found = snap(network, np.array(points), usable=np.array(usable))
    wanted = [reference.entries(edges, usable, x, y) for x, y in points]
    flat = [stop for stops in wanted for stop in stops]
    assert found.place.tolist() == [k for k, stops in enumerate(wanted) for _ in stops]
    assert found.edge.tolist() == [stop.edge for stop in flat]
    assert found.access_m == pytest.approx([stop.access_m for stop in flat], abs=1e-9)
    assert found.offset_m == pytest.approx([stop.offset_m for stop in flat], abs=1e-9)


@pytest.mark.parametrize(("west", "east"), [(-2.0, 703.0), (-40.0, 740.0), (-2000.0, 2700.0)])
def test_a_street_without_a_bend_is_found_however_long(west: float, east: float) -> None:
    """Its two ends are far out of reach of the place in its middle, if only by three squares."""
    ends = [(west, 0.0), (east, 0.0)]
    row = {"name": "rue", "kind": "path", "steps": False, "bridge": False, "tunnel": False}
    row |= {"forward": True, "backward": True, "geometry": toy_town.LineString(ends)}
    network = WalkNetwork.from_edges(toy_town.finish_edges([row]))
    x0, y0 = toy_town.ORIGIN
    place = np.array([[x0 + 350.0, y0 + 40.0]])
    found = snap(network, place, usable=np.array([True]), max_distance_m=100.0)
    assert found.edge.tolist() == [0]
    assert found.access_m.tolist() == [40.0]
    assert found.offset_m.tolist() == pytest.approx([350.0 - west])


@pytest.mark.parametrize("longer", [1.0, 1.5])
def test_a_place_lies_at_the_same_share_of_a_street_that_is_longer_than_it_is_drawn(
    longer: float,
) -> None:
    """A street that climbs or winds: where a place meets it, so much of its length is walked."""
    row = {"name": "rue", "kind": "path", "steps": False, "bridge": False, "tunnel": False}
    row |= {"forward": True, "backward": True}
    row |= {"geometry": toy_town.LineString([(0, 0), (100, 0), (100, 100)])}
    edges = toy_town.finish_edges([row]).assign(length_m=200.0 * longer)
    network = WalkNetwork.from_edges(edges)
    x0, y0 = toy_town.ORIGIN
    places = np.array([[x0 + 50.0, y0 - 10.0], [x0 + 110.0, y0 + 50.0]])
    found = snap(network, places, usable=np.array([True]))
    assert found.offset_m.tolist() == pytest.approx([50.0 * longer, 150.0 * longer])
    ends = attachment([Stop(0, 0.0, 0.0)])
    minutes = travel_times(network, ADULT, ends, found).minutes
    speed = ADULT.speed_m_per_min
    wanted = [(share * longer + 10.0) / speed for share in (50.0, 150.0)]
    assert minutes.tolist() == pytest.approx(wanted)


def test_snap_of_nothing_and_to_nothing(toy_network: WalkNetwork) -> None:
    none = snap(toy_network, np.empty((0, 2)), usable=np.ones(toy_network.n_edges, dtype=bool))
    assert len(none) == len(none.edge) == 0
    nowhere = snap(
        toy_network,
        np.array([toy_town.ORIGIN]),
        usable=np.zeros(toy_network.n_edges, dtype=bool),
    )
    assert nowhere.attached.tolist() == [False]
    assert nowhere.nearest_edge.tolist() == [-1]


def test_places_are_taken_with_their_entries() -> None:
    stops = [[Stop(3, 1.0, 2.0), Stop(5, 2.0, 4.0)], [], [Stop(7, 0.0, 1.0)], [Stop(2, 9.0, 3.0)]]
    every = attachment(stops)
    assert every[np.array([3, 0, 1])].edge.tolist() == [2, 3, 5]
    assert every[np.array([3, 0, 1])].place.tolist() == [0, 1, 1]
    assert every[np.array([False, True, True, False])].nearest_edge.tolist() == [-1, 7]
    other = attachment([[Stop(8, 0.0, 0.0)], []])
    changed = every.updated(np.array([1, 3]), other)
    assert changed.edge.tolist() == [3, 5, 8, 7]
    assert changed.attached.tolist() == [True, True, True, False]


@given(seed=SEEDS, columns=SIDES, rows=SIDES, profile=PROFILES)
def test_entries_that_are_dropped_were_never_the_least(
    seed: int, columns: int, rows: int, profile: WalkProfile
) -> None:
    # streets 30 m apart: places have many entries
    town = toy_town.random_town(seed, columns=columns, rows=rows)
    edges = town.edges.assign(
        geometry=town.edges.geometry.scale(0.3, 0.3, origin=toy_town.ORIGIN),
        length_m=town.edges["length_m"] * 0.3,
    )
    network = WalkNetwork.from_edges(edges)
    graph = search_graph(network, profile)
    rng = np.random.default_rng(seed)
    usable = useful_edges(network, profile)
    xy = np.array(toy_town.ORIGIN) + rng.uniform(-20, 130, size=(60, 2))
    places = snap(network, xy[:50], usable=usable)
    services = snap(network, xy[50:], usable=usable, always_m=100.0)
    needed = needed_entries(graph, places)
    assert needed.attached.tolist() == places.attached.tolist()
    assert needed.nearest_m == pytest.approx(places.nearest_m, nan_ok=True)
    every, kept = graph.times(services, places), graph.times(services, needed)
    assert kept.minutes == pytest.approx(every.minutes, abs=1e-9)
    for k in range(10):
        one = services[np.array([k])]
        assert graph.times(one, needed).minutes == pytest.approx(
            graph.times(one, places).minutes, abs=1e-9
        )


def test_most_entries_of_a_dense_town_are_needless(toy_network: WalkNetwork) -> None:
    xy = toy_network.node_xy + 3.0
    places = snap(toy_network, xy, usable=np.ones(toy_network.n_edges, dtype=bool))
    needed = needed_entries(search_graph(toy_network, ADULT), places)
    assert len(needed.place) < 0.7 * len(places.place)


@given(seed=SEEDS)
def test_one_more_entry_never_makes_a_place_worse(seed: int) -> None:
    town = toy_town.random_town(seed)
    rng = random.Random(seed + 1)
    _, edges = toy_town.reference_edges(town.edges)
    network = WalkNetwork.from_edges(town.edges)
    places = random_places(rng, edges, walker(ADULT), 20)
    services = random_places(rng, edges, walker(ADULT), 3)
    before = travel_times(network, ADULT, attachment(services), attachment(places)).minutes
    more = [[*p, *random_places(rng, edges, walker(ADULT), 1)[0]] for p in places]
    after = travel_times(network, ADULT, attachment(services), attachment(more)).minutes
    assert (after <= before + 1e-9).all()
    more = [[*s, *random_places(rng, edges, walker(ADULT), 1)[0]] for s in services]
    after = travel_times(network, ADULT, attachment(more), attachment(places)).minutes
    assert (after <= before + 1e-9).all()


# --- travel times --------------------------------------------------------------------------------


def check_times(
    town: toy_town.Town,
    profile: WalkProfile,
    places: Sequence[Sequence[Stop]],
    services: Sequence[Sequence[Stop]],
) -> None:
    n_nodes, edges = toy_town.reference_edges(town.edges)
    network = WalkNetwork.from_edges(town.edges)
    table = reference.least_minutes(n_nodes, edges, walker(profile), places, services)
    found = travel_times(network, profile, attachment(services), attachment(places))
    for k, row in enumerate(table):
        wanted = min(row, default=math.inf)
        assert found.minutes[k] == pytest.approx(wanted, rel=1e-9, abs=1e-7)
        if wanted == math.inf:
            assert found.nearest[k] == -1
        else:
            assert row[found.nearest[k]] == pytest.approx(wanted, rel=1e-9, abs=1e-7)


@given(seed=SEEDS, columns=SIDES, rows=SIDES, profile=PROFILES)
def test_travel_times_equal_floyd_warshall(
    seed: int, columns: int, rows: int, profile: WalkProfile
) -> None:
    town = toy_town.random_town(seed, columns=columns, rows=rows)
    rng = random.Random(seed + 1)
    _, edges = toy_town.reference_edges(town.edges)
    places = random_places(rng, edges, walker(profile), 12)
    services = random_places(rng, edges, walker(profile), rng.choice((0, 1, 2, 6)))
    check_times(town, profile, places, services)


@given(seed=SEEDS, columns=SIDES, rows=SIDES, profile=PROFILES)
def test_both_references_say_the_same(
    seed: int, columns: int, rows: int, profile: WalkProfile
) -> None:
    town = toy_town.random_town(seed, columns=columns, rows=rows)
    rng = random.Random(seed + 1)
    n_nodes, edges = toy_town.reference_edges(town.edges)
    who = walker(profile)
    places = [s for s in random_stops(rng, edges, who, 8) if s is not None]
    services = [s for s in random_stops(rng, edges, who, 4) if s is not None]
    table = reference.minutes_matrix(n_nodes, edges, who, places, services)
    nodes = reference.node_minutes(n_nodes, edges, who, services)
    for place, wanted in zip(places, table, strict=True):
        found = reference.place_minutes(edges, who, place, services, nodes)
        assert found == pytest.approx(wanted, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("way", ["both", "forward", "backward"])
def test_one_edge_is_walked_directly_where_it_may_be(way: str) -> None:
    # 100 m; the place is at 30 m, a service at 80 m and another at 10 m
    row = {"name": "", "kind": "path", "steps": False, "bridge": False, "tunnel": False}
    row |= {"forward": way != "backward", "backward": way != "forward"}
    row |= {"geometry": toy_town.LineString([(0, 0), (100, 0)])}
    network = WalkNetwork.from_edges(toy_town.finish_edges([row]))
    place = attachment([Stop(0, 30.0, 15.0)])
    ahead = travel_times(network, ADULT, attachment([Stop(0, 80.0, 10.0)]), place)
    behind = travel_times(network, ADULT, attachment([Stop(0, 10.0, 10.0)]), place)
    # 15 + 50 + 10 = 75 m ahead, 15 + 20 + 10 = 45 m behind
    assert ahead.minutes.tolist() == [math.inf if way == "backward" else 1.0]
    assert behind.minutes.tolist() == pytest.approx([math.inf if way == "forward" else 0.6])


@pytest.mark.parametrize(("steps_factor", "metres"), [(1.0, 75), (2.0, 125), (4.0, 225)])
def test_steps_count_more_along_one_edge_too(steps_factor: float, metres: int) -> None:
    # 100 m of steps; from 30 m to 80 m, with 15 m to reach them and 10 m to leave them: only the
    # 50 m on the steps take longer
    row = {"name": "", "kind": "steps", "steps": True, "bridge": False, "tunnel": False}
    row |= {"forward": True, "backward": True}
    row |= {"geometry": toy_town.LineString([(0, 0), (100, 0)])}
    network = WalkNetwork.from_edges(toy_town.finish_edges([row]))
    profile = WalkProfile(name="climber", speed_kmh=4.5, steps_factor=steps_factor)
    place, service = attachment([Stop(0, 30.0, 15.0)]), attachment([Stop(0, 80.0, 10.0)])
    found = travel_times(network, profile, service, place)
    assert found.minutes.tolist() == pytest.approx([metres / 75])


def test_direction_is_from_the_place_to_the_service() -> None:
    # a one-way triangle 0 → 1 → 2 → 0 of 100, 100 and 200 m (by its corner)
    shapes = ([(0, 0), (100, 0)], [(100, 0), (100, 100)], [(100, 100), (0, 100), (0, 0)])
    rows = [
        {
            "name": "",
            "kind": "path",
            "steps": False,
            "bridge": False,
            "tunnel": False,
            "forward": True,
            "backward": False,
            "geometry": toy_town.LineString(shape),
        }
        for shape in shapes
    ]
    network = WalkNetwork.from_edges(toy_town.finish_edges(rows))
    place, service = Stop(0, 50.0, 0.0), Stop(1, 50.0, 0.0)
    there = travel_times(network, ADULT, attachment([service]), attachment([place]))
    back = travel_times(network, ADULT, attachment([place]), attachment([service]))
    assert there.minutes.tolist() == pytest.approx([100 / 75])
    assert back.minutes.tolist() == pytest.approx([300 / 75])


def test_longer_way_round_is_not_forced_on_one_edge() -> None:
    # a horseshoe of 2 × 200 + 10 m whose ends are joined by 10 m: for two places near its ends
    # the joint is shorter than the horseshoe, though they share that edge
    shoe = [(0, 0), (0, 200), (10, 200), (10, 0)]
    base = {"name": "", "kind": "path", "steps": False, "bridge": False, "tunnel": False}
    base |= {"forward": True, "backward": True}
    rows = [
        base | {"geometry": toy_town.LineString(shoe)},
        base | {"geometry": toy_town.LineString([(0, 0), (10, 0)])},
    ]
    network = WalkNetwork.from_edges(toy_town.finish_edges(rows))
    found = travel_times(
        network, ADULT, attachment([Stop(0, 395.0, 0.0)]), attachment([Stop(0, 20.0, 0.0)])
    )
    # 20 + 10 + 15 = 45 m, not 375 m
    assert found.minutes.tolist() == pytest.approx([0.6])


@given(seed=SEEDS, limit_min=st.sampled_from([1.0, 3.0, 6.0]))
def test_a_limit_changes_nothing_below_it(seed: int, limit_min: float) -> None:
    town = toy_town.random_town(seed)
    rng = random.Random(seed + 1)
    _, edges = toy_town.reference_edges(town.edges)
    places = attachment(random_stops(rng, edges, walker(ADULT), 20))
    services = attachment(random_stops(rng, edges, walker(ADULT), 3))
    network = WalkNetwork.from_edges(town.edges)
    free = travel_times(network, ADULT, services, places)
    limited = travel_times(network, ADULT, services, places, limit_min=limit_min)
    below = free.minutes <= limit_min
    assert limited.minutes[below] == pytest.approx(free.minutes[below], abs=1e-12)
    assert (limited.nearest[below] == free.nearest[below]).all()
    assert (limited.minutes[~below] > limit_min).all()


# --- the whole line ------------------------------------------------------------------------------


@WHOLE_LINE
@given(seed=SEEDS, columns=SIDES, rows=SIDES, profile=PROFILES)
def test_every_cell_of_random_towns(
    seed: int, columns: int, rows: int, profile: WalkProfile
) -> None:
    town = toy_town.random_town(seed, columns=columns, rows=rows)
    study = town.study(profile=profile)
    table = analyse(study).cells.set_index(["col", "row"])
    expected = toy_town.reference_cells(study, town.edges, town.services.table)
    assert set(table.index) == {(c.col, c.row) for c in expected}
    for one in expected:
        row = table.loc[(one.col, one.row)]
        assert row["district_id"] == one.district_id
        assert bool(row["on_network"]) == (one.on_network)
        within = 0
        for category in study.categories:
            wanted = one.minutes[category]
            found = row[f"minutes_{category}"]
            assert found == pytest.approx(wanted, rel=1e-9, abs=1e-7, nan_ok=True)
            assert row[f"nearest_{category}"] == one.nearest[category]
            if not any(abs(wanted - part * 6) < 1e-6 for part in (0.9, 1, 1.1)):
                assert row[f"status_{category}"] == reference.status(wanted, 6)
            within += found <= 6 + 1e-9
        assert row["essentials_within"] == (within if one.on_network else -1)


def exact_status(metres: float, threshold_m: Fraction) -> str:
    """Status from metres that are exact, by rational arithmetic."""
    if math.isnan(metres):
        return "off_network"
    if metres == math.inf:
        return "uncovered"
    walk = Fraction(metres)
    if walk <= threshold_m * Fraction(9, 10):
        return "covered"
    if walk <= threshold_m:
        return "borderline_covered"
    return "borderline_uncovered" if walk <= threshold_m * Fraction(11, 10) else "uncovered"


@WHOLE_LINE
@given(
    seed=SEEDS,
    columns=SIDES,
    rows=SIDES,
    threshold_min=st.sampled_from([4, 5, 10]),
    speed=st.sampled_from([(4.5, 75), (3.0, 50), (4.2, 70)]),
)
def test_thresholds_are_inclusive_whatever_the_way(
    seed: int, columns: int, rows: int, threshold_min: int, speed: tuple[float, int]
) -> None:
    # On a lattice every way is a whole number of half metres, and many are exactly as long as the
    # walker gets in the time: 0.9 ×, 1 × and 1.1 × the threshold are to be inclusive for all.
    town = toy_town.random_town(seed, columns=columns, rows=rows, lattice=True, n_services=5)
    table = town.services.table
    x0, y0 = toy_town.ORIGIN
    on_grid = [  # services on multiples of 25 m: on streets, on junctions, between
        Point(x0 + round((p.x - x0) / 25) * 25, y0 + round((p.y - y0) / 25) * 25)
        for p in table.geometry
    ]
    table = table.set_geometry(on_grid, crs=table.crs)
    speed_kmh, metres_per_min = speed
    study = town.study(
        services=toy_town.Services(table=table, problems=town.services.problems),
        profile=WalkProfile(name="exact", speed_kmh=speed_kmh),
        threshold_min=float(threshold_min),
        cell_m=25.0,
    )
    found = analyse(study).cells.set_index(["col", "row"])
    n_nodes, edges = toy_town.reference_edges(town.edges)
    in_metres = reference.cells(
        area=study.area.geometry,
        districts=[],
        n_nodes=n_nodes,
        edges=edges,
        walker=Walker(1.0),
        services=toy_town.reference_services(table, study.categories),
        cell_m=25.0,
    )
    for category in study.categories:
        wanted = {
            (c.col, c.row): exact_status(
                c.minutes[category], Fraction(threshold_min * metres_per_min)
            )
            for c in in_metres
        }
        assert found[f"status_{category}"].to_dict() == wanted
