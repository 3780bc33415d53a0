"""Zones and anchors: every position of a zone has one public point, and no zone is too small."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pyproj
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from helpers import toy_town
from helpers.attacks import city
from quart_heure.analysis.anchors import (
    LEAST_HA,
    LEAST_RESIDENTS,
    SIDES_KM,
    Anchors,
    anchored,
    anchors_of,
)
from quart_heure.cache import Cache
from quart_heure.errors import StudyFileError
from quart_heure.network.components import entry_edges
from quart_heure.network.graph import WalkNetwork
from quart_heure.profiles import ADULT
from quart_heure.sources.residents.residents import Residents
from quart_heure.study import Study


@pytest.fixture(scope="module")
def paris(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return Study.paris(cache=Cache(tmp_path_factory.mktemp("cache")))


@pytest.fixture(scope="module")
def paris_anchors(paris: Study) -> Anchors:
    return anchors_of(paris.network, paris.residents, paris.area)


def slow_zones(
    network: WalkNetwork, residents: Residents | None, area: shapely.Geometry, frame: int
) -> set[tuple[int, int, int]]:
    """Divide squares from the largest down, as the definition says; side, column and row."""
    change = pyproj.Transformer.from_crs(network.crs, frame, always_xy=True)
    ground: set[tuple[int, int]] = set()
    for line in network.lines[entry_edges(network, ADULT)]:
        for vertex in shapely.segmentize(line, 50.0).coords:
            x, y = change.transform(*vertex)
            ground.add((int(x // 100), int(y // 100)))
    people: dict[tuple[int, int], float] = {}
    if residents is not None:
        homes = zip(
            residents.col.tolist(),
            residents.row.tolist(),
            residents.residents.tolist(),
            strict=True,
        )
        for col, row, number in homes:
            side = residents.square_m
            x, y = change.transform((col + 0.5) * side, (row + 0.5) * side)
            key = int(x // 100), int(y // 100)
            people[key] = people.get(key, 0.0) + number

    def held(side: int, col: int, row: int) -> tuple[list[tuple[int, int]], float]:
        n = 10 * side
        square = [(c, r) for c in range(col * n, col * n + n) for r in range(row * n, row * n + n)]
        return [one for one in square if one in ground], sum(people.get(one, 0.0) for one in square)

    def large(side: int, col: int, row: int) -> bool:
        hectares, living = held(side, col, row)
        inside = 0
        for c, r in hectares:
            middle = change.transform(100 * c + 50, 100 * r + 50, direction="INVERSE")
            inside += bool(area.contains(shapely.Point(middle)))
        few = 0 < living < LEAST_RESIDENTS and inside >= len(hectares) / 2
        return len(hectares) >= LEAST_HA and not few

    def divided(side: int, col: int, row: int) -> set[tuple[int, int, int]]:
        quarters = [(side // 2, 2 * col + i, 2 * row + j) for i in (0, 1) for j in (0, 1)]
        if side > 1:
            quarters = [one for one in quarters if held(*one)[0]]
            if all(large(*one) for one in quarters):
                return set().union(*(divided(*one) for one in quarters))
        return {(side, col, row)}

    roots = {(8, c // 80, r // 80) for c, r in ground}
    return set().union(*(divided(*root) for root in roots if large(*root)))


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_zones_are_those_of_the_definition(seed: int) -> None:
    study = city(seed)
    zones = anchors_of(study.network, study.residents, study.area).zones
    told = zip(zones.side_km.tolist(), zones.column.tolist(), zones.row.tolist(), strict=True)
    assert set(told) == slow_zones(study.network, study.residents, study.area.geometry, 3035)


def test_no_zone_of_paris_is_too_small(paris_anchors: Anchors) -> None:
    zones = paris_anchors.zones
    assert zones.ground_ha.min() >= LEAST_HA
    assert zones.residents[zones.known & (zones.residents > 0)].min() >= LEAST_RESIDENTS
    assert set(zones.side_km.tolist()) <= set(SIDES_KM)
    assert np.median(zones.side_km) == 1  # where it can be, it is as small as that
    low = np.stack([zones.column, zones.row], axis=1) * zones.side_km[:, None]
    boxes = shapely.box(*low.T, *(low + zones.side_km[:, None]).T)
    assert shapely.area(shapely.union_all(boxes)) == pytest.approx(shapely.area(boxes).sum())


def test_each_anchor_is_a_junction_of_its_own_zone(paris: Study, paris_anchors: Anchors) -> None:
    xy, network = paris_anchors.xy, paris.network
    held = paris_anchors.zones.holding(xy, network.crs)
    assert (held == np.arange(len(held))).all()
    usable = entry_edges(network, ADULT)
    ends = np.concatenate([network.u[usable], network.v[usable]])
    degree = np.bincount(ends, minlength=network.n_nodes)
    nodes = {tuple(one) for one in network.node_xy[degree >= 3].tolist()}
    assert all(tuple(one) in nodes for one in xy.tolist())


def test_the_order_of_streets_does_not_choose_the_anchor() -> None:
    study = city(3)
    edges = study.network.edges().sample(frac=1, random_state=1).reset_index(drop=True)
    again = anchors_of(WalkNetwork.from_edges(edges), study.residents, study.area)
    assert (again.xy == anchors_of(study.network, study.residents, study.area).xy).all()


def test_where_nobody_is_known_ground_alone_counts() -> None:
    zones = anchors_of(city(1).network, None, city(1).area).zones
    assert len(zones)
    assert (zones.residents == 0).all()


def test_outside_europe_squares_are_of_equal_area() -> None:
    edges = toy_town.town_network().edges().to_crs(32622)  # Cayenne's zone, some degrees off
    edges = edges.set_geometry(
        edges.geometry.translate(354_000 - edges.total_bounds[0], 545_000 - edges.total_bounds[1])
    ).drop(columns="length_m")
    network, area = WalkNetwork.from_edges(edges), toy_town.town_area()
    box = shapely.box(*edges.total_bounds)
    area = dataclasses.replace(area, geometry=box, crs=network.crs)
    zones = anchors_of(network, None, area).zones
    assert zones.frame.to_epsg() == 6933


def moved(study: Study, xy: NDArray[np.float64]) -> Study:
    """Return a study whose one discreet place is elsewhere, made for publishing."""
    table = study.services.table
    here = table["discreet"].astype(bool)
    places = table.geometry.where(~here, shapely.Point(xy))
    services = dataclasses.replace(study.services, table=table.set_geometry(places))
    return study.replace(services=services, private=False)


def test_moving_twice_is_moving_once() -> None:
    study = toy_town.town_study(private=False)
    table = study.services.table
    assert study.services.anchored == {"B3"}
    again = study.replace(threshold_min=5.0)
    assert again.services is study.services
    # Without the list of those that were moved, the anchor is its own anchor.
    bare = dataclasses.replace(study.services, anchored=frozenset())
    pd.testing.assert_frame_equal(
        anchored(bare, study.network, study.residents, study.area).table, table
    )


def test_public_places_stay() -> None:
    exact, public = toy_town.town_study(), toy_town.town_study(private=False)
    shown = ~exact.services.table["discreet"]
    pd.testing.assert_frame_equal(
        exact.services.table[shown], public.services.table[shown], check_dtype=False
    )
    assert not exact.services.table.geometry.equals(public.services.table.geometry)


def test_what_was_moved_cannot_be_private_again() -> None:
    with pytest.raises(StudyFileError, match="moved to public points already"):
        toy_town.town_study(private=False).replace(private=True)


def test_a_place_far_from_everything_is_left_out_and_counted() -> None:
    study = moved(toy_town.town_study(), np.array(toy_town.ORIGIN) + 40_000)
    assert "B3" not in set(study.services.table["service_id"])
    assert study.services.unanchored == 1
    assert not study.services.anchored
