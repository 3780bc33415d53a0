"""What must hold whatever the town: monotony, order, place, nesting."""

from __future__ import annotations

import dataclasses
import itertools
import random
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from shapely import Point

from helpers import toy_town
from quart_heure.cache import Cache
from quart_heure.profiles import WalkProfile
from quart_heure.sources.services.services import Services
from quart_heure.study import Coverage, analyse

SEEDS = st.integers(0, 2**32 - 1)
HERE = ["x_m", "y_m", "col", "row", "geometry", "edge"]
CATEGORIES = ("bains_douches", "esi")
WHOLE_LINE = settings(max_examples=max(1, settings().max_examples // 4))
"""Each example runs the whole line once or twice."""


def within(coverage: Coverage, category: str) -> np.ndarray:
    return coverage.cells[f"status_{category}"].isin(["covered", "borderline_covered"]).to_numpy()


def uncovered(coverage: Coverage, category: str) -> np.ndarray:
    return (coverage.cells[f"status_{category}"] == "uncovered").to_numpy()


# --- monotony ------------------------------------------------------------------------------------


@WHOLE_LINE
@given(seed=SEEDS, shorter=st.floats(0.5, 8), more=st.floats(0, 8))
def test_a_longer_threshold_never_shrinks_coverage(seed: int, shorter: float, more: float) -> None:
    town = toy_town.random_town(seed)
    short = analyse(town.study(threshold_min=shorter))
    long = analyse(town.study(threshold_min=shorter + more))
    for category in CATEGORIES:
        assert (within(long, category) >= within(short, category)).all()
        assert (uncovered(long, category) <= uncovered(short, category)).all()
        pd.testing.assert_series_equal(
            long.cells[f"minutes_{category}"], short.cells[f"minutes_{category}"]
        )
    assert (long.cells["essentials_within"] >= short.cells["essentials_within"]).all()


@WHOLE_LINE
@given(seed=SEEDS, speed_kmh=st.floats(1, 5), more=st.floats(0, 4))
def test_a_faster_walker_never_loses(seed: int, speed_kmh: float, more: float) -> None:
    town = toy_town.random_town(seed)
    slow = analyse(town.study(profile=WalkProfile(name="slow", speed_kmh=speed_kmh)))
    fast = analyse(town.study(profile=WalkProfile(name="fast", speed_kmh=speed_kmh + more)))
    for category in CATEGORIES:
        a = slow.cells[f"minutes_{category}"].to_numpy()
        b = fast.cells[f"minutes_{category}"].to_numpy()
        on = slow.cells["on_network"].to_numpy()
        assert (b[on] <= a[on] + 1e-9).all()
        assert (within(fast, category) >= within(slow, category)).all()
        assert (uncovered(fast, category) <= uncovered(slow, category)).all()


@WHOLE_LINE
@given(seed=SEEDS, factor=st.floats(1, 4))
def test_harder_steps_never_help(seed: int, factor: float) -> None:
    town = toy_town.random_town(seed)
    plain = analyse(town.study())
    hard = analyse(town.study(profile=WalkProfile(name="hard", speed_kmh=4.5, steps_factor=factor)))
    for category in CATEGORIES:
        on = plain.cells["on_network"].to_numpy()
        before = plain.cells[f"minutes_{category}"].to_numpy()[on]
        after = hard.cells[f"minutes_{category}"].to_numpy()[on]
        assert (after >= before - 1e-9).all()


@WHOLE_LINE
@given(seed=SEEDS, x=st.integers(-100, 500), y=st.integers(-100, 500))
def test_one_more_service_never_opens_a_gap(seed: int, x: int, y: int) -> None:
    town = toy_town.random_town(seed)
    one = toy_town.services_of([("t99", "esi", x, y, "open", False)]).table
    table = gpd.GeoDataFrame(pd.concat([town.services.table, one], ignore_index=True))
    before = analyse(town.study())
    after = analyse(town.study(services=Services(table=table, problems=town.services.problems)))
    for category in CATEGORIES:
        a = before.cells[f"minutes_{category}"].to_numpy()
        b = after.cells[f"minutes_{category}"].to_numpy()
        on = before.cells["on_network"].to_numpy()
        assert (b[on] <= a[on] + 1e-9).all()
        assert (within(after, category) >= within(before, category)).all()
    for category in (*CATEGORIES, "essential_all", "essential_any"):
        old = before.gaps[before.gaps["category"] == category].geometry
        for new in after.gaps[after.gaps["category"] == category].geometry:
            assert sum(new.difference(one).is_empty for one in old) == 1


# --- order and place -----------------------------------------------------------------------------


def same_tables(left: Coverage, right: Coverage, *, but: list[str]) -> None:
    for name in ("cells", "services", "gaps", "indicators", "composite", "isochrones"):
        a = pd.DataFrame(getattr(left, name)).drop(columns=but, errors="ignore")
        b = pd.DataFrame(getattr(right, name)).drop(columns=but, errors="ignore")
        for column in b.columns.intersection(words(b)):
            a[column], b[column] = a[column].astype(str), b[column].astype(str)
        pd.testing.assert_frame_equal(a, b, rtol=1e-9, atol=1e-7, obj=name)


def words(table: pd.DataFrame) -> list[str]:
    """Columns of words out of a list, whatever the order of the list."""
    return list(table.select_dtypes("category").columns)


def shuffled(frame: gpd.GeoDataFrame, seed: int) -> gpd.GeoDataFrame:
    return frame.sample(frac=1, random_state=seed % 2**31).reset_index(drop=True)


@WHOLE_LINE
@given(seed=SEEDS)
def test_order_of_services_changes_nothing(seed: int) -> None:
    town = toy_town.random_town(seed, n_services=6)
    table = shuffled(town.services.table, seed)
    other = dataclasses.replace(town, services=dataclasses.replace(town.services, table=table))
    left, right = analyse(town.study()), analyse(other.study())
    right = dataclasses.replace(
        right, services=right.services.sort_values("service_id", ignore_index=True)
    )
    same_tables(left, right, but=["geometry"])
    assert left.gaps.geometry.geom_equals(right.gaps.geometry).all()


@WHOLE_LINE
@given(seed=SEEDS)
def test_order_of_districts_changes_nothing(seed: int) -> None:
    town = toy_town.random_town(seed)
    area = dataclasses.replace(
        town.area, districts=town.area.districts[::-1].reset_index(drop=True)
    )
    other = dataclasses.replace(town, area=area)
    left, right = analyse(town.study()), analyse(other.study())
    by = {
        "indicators": ["level", "district_id", "category"],
        "composite": ["level", "district_id", "essentials_within"],
    }
    for name, keys in by.items():
        left, right = (
            dataclasses.replace(
                one, **{name: getattr(one, name).sort_values(keys, ignore_index=True)}
            )
            for one in (left, right)
        )
    same_tables(left, right, but=["geometry"])


@WHOLE_LINE
@given(seed=SEEDS)
def test_order_of_residents_changes_nothing(seed: int) -> None:
    town = toy_town.random_town(seed)
    order = np.random.default_rng(seed).permutation(len(town.residents.col))
    residents = dataclasses.replace(
        town.residents,
        col=town.residents.col[order],
        row=town.residents.row[order],
        residents=town.residents.residents[order],
    )
    left, right = analyse(town.study()), analyse(town.study(residents=residents))
    same_tables(left, right, but=["geometry"])


@WHOLE_LINE
@given(seed=SEEDS)
def test_order_of_edges_changes_nothing(seed: int) -> None:
    # Ties of snapping go to the edge that comes first; at a junction any of its edges will do.
    town = toy_town.random_town(seed)
    other = dataclasses.replace(town, edges=shuffled(town.edges, seed))
    left, right = analyse(town.study()), analyse(other.study())
    same_tables(left, right, but=["geometry", "edge", "street"])
    assert left.gaps.geometry.geom_equals(right.gaps.geometry).all()


@WHOLE_LINE
@given(seed=SEEDS)
def test_direction_in_which_an_edge_is_drawn_changes_nothing(seed: int) -> None:
    town = toy_town.random_town(seed)
    rng = random.Random(seed)
    edges = town.edges.copy()
    for k in edges.index[[rng.random() < 0.5 for _ in edges.index]]:
        u, v, forward, backward = edges.loc[k, ["u", "v", "forward", "backward"]]
        edges.loc[k, ["u", "v", "forward", "backward"]] = [v, u, backward, forward]
        edges.loc[k, "geometry"] = edges.loc[k, "geometry"].reverse()
    left = analyse(town.study())
    # inside a loop a place may be equally near to two stretches of one edge: leave those towns out
    for x_m, y_m in zip(left.cells["x_m"], left.cells["y_m"], strict=True):
        centre = Point(x_m, y_m)
        nearest = min(town.edges.geometry, key=centre.distance)
        forth, back = nearest.project(centre), nearest.reverse().project(centre)
        assume(abs(forth + back - nearest.length) < 1e-6)
    right = analyse(dataclasses.replace(town, edges=edges).study())
    same_tables(left, right, but=["geometry"])


@WHOLE_LINE
@given(seed=SEEDS, columns=st.integers(-40, 40), rows=st.integers(-40, 40))
def test_moving_the_town_moves_the_answer(seed: int, columns: int, rows: int) -> None:
    town = toy_town.random_town(seed)
    dx, dy = 50 * columns, 50 * rows
    left, right = analyse(town.study()), analyse(town.moved(dx, dy).study())
    same_tables(left, right, but=[*HERE, "gap_id", "worst_gap_id"])
    assert (right.cells["col"] - left.cells["col"] == columns).all()
    assert (right.cells["row"] - left.cells["row"] == rows).all()
    assert (right.cells["x_m"] - left.cells["x_m"] == dx).all()
    moved = left.gaps.geometry.translate(dx, dy)
    assert moved.geom_equals_exact(right.gaps.geometry, tolerance=1e-6).all()


@WHOLE_LINE
@given(seed=SEEDS)
def test_the_same_study_gives_the_same_answer(seed: int) -> None:
    town = toy_town.random_town(seed)
    left, right = analyse(town.study()), analyse(town.study())
    for name in ("cells", "gaps", "indicators", "composite", "isochrones"):
        a, b = pd.DataFrame(getattr(left, name)), pd.DataFrame(getattr(right, name))
        pd.testing.assert_frame_equal(a, b, check_exact=True, obj=name)


@WHOLE_LINE
@given(seed=SEEDS)
def test_inputs_are_left_as_they_were(seed: int) -> None:
    town = toy_town.random_town(seed)
    study = town.study()
    services = town.services.table.copy()
    districts = town.area.districts.copy()
    people = town.residents.residents.copy()
    lengths = study.network.length_m.copy()
    analyse(study)
    pd.testing.assert_frame_equal(town.services.table, services)
    pd.testing.assert_frame_equal(town.area.districts, districts)
    assert (town.residents.residents == people).all()
    assert (study.network.length_m == lengths).all()


# --- cache ---------------------------------------------------------------------------------------


def test_a_cache_changes_nothing_whatever_was_in_it(tmp_path: Path) -> None:
    # one folder for studies that differ in one thing each: no answer may be another's
    town = toy_town.random_town(5, n_services=5)
    longer = town.edges.assign(length_m=town.edges["length_m"] * 1.25)
    one_way = town.edges.assign(backward=~town.edges["forward"])
    stairs = town.edges.assign(steps=True)
    people = dataclasses.replace(town.residents, residents=town.residents.residents * 2)
    moved = town.services.table.geometry.translate(40, 30)
    table = town.services.table.assign(geometry=moved)
    districts = town.area.districts.assign(district_id=["d2", "d1"])
    studies = {
        "plain": town.study(),
        "cells": town.study(cell_m=25.0),
        "snap": town.study(snap_m=60.0),
        "threshold": town.study(threshold_min=4.0),
        "speed": town.study(profile=WalkProfile(name="adult", speed_kmh=3.0)),
        "steps": town.study(profile=WalkProfile(name="adult", speed_kmh=4.5, steps_factor=3.0)),
        "no steps": town.study(
            profile=WalkProfile(name="adult", speed_kmh=4.5, steps_allowed=False)
        ),
        "lengths": dataclasses.replace(town, edges=longer).study(),
        "directions": dataclasses.replace(town, edges=one_way).study(),
        "stairs": dataclasses.replace(town, edges=stairs).study(),
        "people": town.study(residents=people),
        "nobody": town.study(residents=None),
        "services": town.study(services=dataclasses.replace(town.services, table=table)),
        "districts": town.study(area=dataclasses.replace(town.area, districts=districts)),
        "place": town.moved(50, 0).study(),
        "other town": toy_town.random_town(6).study(),
    }
    cache = Cache(tmp_path)
    uncached = {name: analyse(study) for name, study in studies.items()}
    for name, study in [*studies.items(), *list(studies.items())[:5]]:
        wanted, found = uncached[name], analyse(study, cache=cache)
        for table_name in ("cells", "services", "gaps", "indicators", "composite", "isochrones"):
            a = pd.DataFrame(getattr(wanted, table_name))
            b = pd.DataFrame(getattr(found, table_name))
            pd.testing.assert_frame_equal(a, b, check_exact=True, obj=f"{name}: {table_name}")


# --- isochrones ----------------------------------------------------------------------------------


@WHOLE_LINE
@given(seed=SEEDS, cell_m=st.sampled_from([25.0, 50.0]))
def test_isochrones_are_nested_and_in_the_area(seed: int, cell_m: float) -> None:
    town = toy_town.random_town(seed)
    coverage = analyse(town.study(cell_m=cell_m))
    for _, rows in coverage.isochrones.groupby("category"):
        ordered = rows.sort_values("threshold_min")
        assert ordered.geometry.is_valid.all()
        for small, large in itertools.pairwise(ordered.geometry):
            assert small.difference(large).area < 1e-3
        for shape in ordered.geometry:
            assert shape.difference(town.area.geometry).area < 1e-3


@WHOLE_LINE
@given(seed=SEEDS)
def test_isochrones_agree_with_the_cells(seed: int) -> None:
    town = toy_town.random_town(seed)
    coverage = analyse(town.study(cell_m=25.0))
    cells = coverage.cells.set_index(["col", "row"])
    for row in coverage.isochrones.itertuples():
        minutes = cells[f"minutes_{row.category}"].to_dict()
        for (col, line), value in minutes.items():
            around = [minutes.get((col + i, line + j)) for i in (-1, 0, 1) for j in (-1, 0, 1)]
            known = all(v is not None and np.isfinite(v) for v in around)
            if not known or abs(value - row.threshold_min) < 1e-3:
                continue  # at the rim of the network or of the area the contour is interpolated
            centre = Point((col + 0.5) * 25, (line + 0.5) * 25)
            assert row.geometry.covers(centre) == (value <= row.threshold_min)
