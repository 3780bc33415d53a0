"""Fragility against what really happens when a service closes, and capacities by hand."""

from __future__ import annotations

import json
import math
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers import toy_town
from helpers.random_towns import SEEDS
from quart_heure.analysis.capacity import (
    DECAYS,
    Decay,
    accessibility,
    capacity_of_cells,
    capacity_table,
)
from quart_heure.errors import StudyFileError
from quart_heure.outputs.discretion import publishable
from quart_heure.outputs.report.report import REPORT_FORMATS, render_report
from quart_heure.outputs.results.read import read_results
from quart_heure.outputs.results.write import write_results
from quart_heure.sources.services.services import Services
from quart_heure.study import Coverage, Study, analyse

CATEGORIES = ("bains_douches", "esi")
WHOLE_LINE = settings(max_examples=max(1, settings().max_examples // 4))
CAPACITIES = [40.0, math.nan, 12.5, 0.0, 60.0, math.nan]


def with_services(study: Study, table: gpd.GeoDataFrame) -> Study:
    return study.replace(services=Services(table=table, problems=study.services.problems))


def covered(coverage: Coverage, category: str) -> np.ndarray:
    return coverage.cells[f"status_{category}"].isin(["covered", "borderline_covered"]).to_numpy()


def losses(study: Study, before: Coverage) -> dict[str, np.ndarray]:
    """Close each counted service in turn: the cells that are covered no more."""
    lost = {}
    table = study.services.table
    for row in before.services[before.services["counted"]].itertuples():
        rest = table[table["service_id"] != row.service_id].reset_index(drop=True)
        after = analyse(with_services(study, rest))
        gone = covered(before, row.category) & ~covered(after, row.category)
        lost[str(row.service_id)] = gone
    return lost


def people(coverage: Coverage, where: np.ndarray) -> float:
    return float(coverage.cells.loc[where, "residents"].sum())


def city(table: pd.DataFrame, category: str) -> pd.Series:
    rows = table[(table["level"] == "city") & (table["category"] == category)]
    assert len(rows) == 1
    return rows.iloc[0]


@WHOLE_LINE
@given(seed=SEEDS)
def test_what_closes_is_lost(seed: int) -> None:
    study = toy_town.random_town(seed, n_services=7).study(cell_m=50.0)
    coverage = analyse(study)
    lost = losses(study, coverage)
    told = coverage.dependence.set_index("service_id")
    assert set(told.index) == set(lost)
    for name, where in lost.items():
        assert told.loc[name, "residents_only_here"] == pytest.approx(people(coverage, where))
        assert told.loc[name, "ha_only_here"] == pytest.approx(where.sum() * 0.25)
    for category in CATEGORIES:
        mine = coverage.services[coverage.services["category"] == category]["service_id"]
        alone = np.zeros(len(coverage.cells), dtype=bool)
        for name in set(mine) & set(lost):
            assert not (alone & lost[name]).any()
            alone |= lost[name]
        rows = coverage.fragility[coverage.fragility["category"] == category]
        for row in rows.itertuples():
            here = alone.copy()
            if row.level == "district":
                here &= (coverage.cells["district_id"] == row.district_id).to_numpy()
            assert row.residents_single == pytest.approx(people(coverage, here), abs=1e-4)
            assert row.single_ha == pytest.approx(here.sum() * 0.25)
        total = city(coverage.indicators, category)
        alone_pct = (
            100 * people(coverage, alone) / (total["residents"] - total["residents_off_network"])
        )
        found = city(coverage.fragility, category)["residents_single_pct"]
        assert found == pytest.approx(alone_pct, nan_ok=True)


@WHOLE_LINE
@given(seed=SEEDS, x=st.integers(-100, 500), y=st.integers(-100, 500))
def test_one_more_service_never_raises_what_another_one_loses(seed: int, x: int, y: int) -> None:
    town = toy_town.random_town(seed)
    one = toy_town.services_of([("t99", "esi", x, y, "open", False)]).table
    table = gpd.GeoDataFrame(pd.concat([town.services.table, one], ignore_index=True))
    before = analyse(town.study()).dependence.set_index("service_id")
    after = analyse(with_services(town.study(), table)).dependence.set_index("service_id")
    after = after.loc[before.index]
    for column in ("residents_only_here", "ha_only_here"):
        assert (after[column] <= before[column] + 1e-6).all()
    pd.testing.assert_series_equal(after["ha_reached"], before["ha_reached"])


def test_ranks_and_sums(toy_coverage: Coverage) -> None:
    table = toy_coverage.dependence
    for category, rows in table.groupby("category", sort=False):
        assert rows["rank"].tolist() == list(range(1, len(rows) + 1))
        assert rows["residents_only_here"].is_monotonic_decreasing
        assert (rows["residents_only_here"] <= rows["residents_reached"]).all()
        total = city(toy_coverage.fragility, str(category))["residents_single"]
        assert rows["residents_only_here"].sum() == pytest.approx(total)
    order = list(dict.fromkeys(table["category"]))
    assert order == [c for c in toy_coverage.study.categories if c in order]


def test_without_residents_there_is_area(toy_study: Study) -> None:
    coverage = analyse(toy_study.replace(residents=None))
    assert coverage.fragility["residents_single"].isna().all()
    assert (coverage.fragility["single_ha"] > 0).any()
    assert coverage.dependence["residents_only_here"].isna().all()
    assert coverage.dependence["ha_only_here"].max() > 0
    assert coverage.capacity.empty
    for form in REPORT_FORMATS:
        render_report(coverage, format=form)


def test_without_services_nothing_is_fragile(toy_study: Study) -> None:
    coverage = analyse(with_services(toy_study, toy_study.services.table[:0]))
    assert (coverage.fragility["residents_single"] == 0).all()
    assert coverage.dependence.empty
    for form in REPORT_FORMATS:
        render_report(coverage, format=form)


def test_nothing_is_searched_until_it_is_asked_for(toy_study: Study) -> None:
    coverage = analyse(toy_study)
    assert "reach" not in vars(coverage.basis)
    shown = publishable(coverage)
    assert "reach" not in vars(coverage.basis)
    assert not shown.fragility.empty
    assert "reach" in vars(coverage.basis)  # searched once, for both


# --- discretion ----------------------------------------------------------------------------------


@WHOLE_LINE
@given(seed=SEEDS)
def test_a_discreet_place_is_in_sums_alone(seed: int) -> None:
    study = toy_town.random_town(seed, n_services=8).study()
    coverage = analyse(study)
    shown = publishable(coverage)
    hidden = set(coverage.services.loc[coverage.services["discreet"], "service_id"])
    assert not hidden & set(shown.dependence["service_id"])
    for _, rows in shown.dependence.groupby("category"):
        assert rows["rank"].tolist() == list(range(1, len(rows) + 1))
    for category in CATEGORIES:
        whole = city(coverage.fragility, category)
        assert city(shown.fragility, category)["residents_single"] == whole["residents_single"]
        mine = shown.fragility[
            (shown.fragility["category"] == category) & (shown.fragility["level"] == "district")
        ]
        assert mine["residents_single"].sum() == pytest.approx(whole["residents_single"], abs=1e-3)


# --- files ---------------------------------------------------------------------------------------


def test_tables_come_back_from_a_folder(toy_study: Study, tmp_path: Path) -> None:
    coverage = analyse(with_capacities(toy_study))
    write_results(coverage, tmp_path / "out")
    found = read_results(tmp_path / "out")
    shown = publishable(coverage)
    for name in ("fragility", "dependence", "capacity", "filters"):
        written, read = getattr(shown, name), getattr(found, name)
        keys = [c for c in ("level", "district_id", "category", "service_id") if c in read]
        pd.testing.assert_frame_equal(
            written.sort_values(keys, ignore_index=True),
            read.sort_values(keys, ignore_index=True),
            check_dtype=False,
            atol=0.051,
            rtol=0,
        )
    assert not found.capacity.empty
    for form in ("table", "md", "html"):
        assert "Capacity per 1,000 residents" in render_report(coverage, format=form, lang="en")
    for form in REPORT_FORMATS:
        told, again = (render_report(one, format=form) for one in (coverage, found))
        assert (json.loads(told) == json.loads(again)) if form == "json" else (told == again)


def test_reports_tell_who_depends_on_one_place(toy_coverage: Coverage) -> None:
    top = publishable(toy_coverage).dependence.iloc[0]
    for form in ("md", "html", "table"):
        text = render_report(toy_coverage, format=form, lang="en", width=200)  # type: ignore[arg-type]
        assert "Fragility" in text
        assert str(top["name"]) in text
    some = render_report(toy_coverage, districts=["W"], lang="en", width=200)
    assert "Fragility" in some


# --- capacities ----------------------------------------------------------------------------------


def with_capacities(study: Study, unit: str = "lockers") -> Study:
    table = study.services.table.copy()
    values = [CAPACITIES[k % len(CAPACITIES)] for k in range(len(table))]
    table["capacity_value"] = values
    table["capacity_unit"] = [unit if np.isfinite(v) else "" for v in values]
    return with_services(study, table)


def slow_accessibility(
    study: Study, coverage: Coverage, category: str, decay: Decay
) -> tuple[np.ndarray, float]:
    """Each service by itself, one cell at a time: what each cell gets, and what is given out."""
    residents = coverage.cells["residents"].to_numpy()
    got, given_out = np.zeros(len(residents)), 0.0
    table = study.services.table
    counted = coverage.services[coverage.services["counted"]]
    for row in counted[counted["category"] == category].itertuples():
        alone = table[table["service_id"] == row.service_id].reset_index(drop=True)
        minutes = analyse(with_services(study, alone)).cells[f"minutes_{category}"]
        weights = []
        for t in minutes:
            share = t / study.threshold_min
            if not share <= 1 + 1e-9:
                weights.append(0.0)
            elif decay == "none":
                weights.append(1.0)
            else:
                bell, end = math.exp(-0.5 * share**2), math.exp(-0.5)
                weights.append((bell - end) / (1 - end))
        demand = sum(w * p for w, p in zip(weights, residents, strict=True))
        if demand > 0 and math.isfinite(row.capacity_value):
            given_out += row.capacity_value
            for k, weight in enumerate(weights):
                got[k] += 1000 * row.capacity_value * weight / demand
    return got, given_out


@settings(max_examples=4)
@given(seed=SEEDS, decay=st.sampled_from(DECAYS))
def test_capacities_are_shared_out_whole(seed: int, decay: Decay) -> None:
    study = with_capacities(toy_town.random_town(seed, n_services=8).study(cell_m=50.0))
    coverage = analyse(study)
    table = capacity_table(coverage.basis, decay=decay)
    for category in CATEGORIES:
        got, given_out = slow_accessibility(study, coverage, category, decay)
        cells = capacity_of_cells(coverage.basis, category, "lockers", decay=decay)
        on = coverage.cells["on_network"].to_numpy()
        assert np.isnan(cells[~on]).all()
        np.testing.assert_allclose(cells[on], got[on], rtol=1e-6, atol=1e-9)
        rows = table[table["category"] == category]
        residents = coverage.cells["residents"].to_numpy()
        # what all residents get together is what there is
        assert (got * residents).sum() / 1000 == pytest.approx(given_out)
        for row in rows.itertuples():
            here = on.copy()
            if row.level == "district":
                here &= (coverage.cells["district_id"] == row.district_id).to_numpy()
            folk = residents[here].sum()
            mean = (got[here] * residents[here]).sum() / folk if folk else math.nan
            assert row.per_1000 == pytest.approx(mean, rel=1e-4, nan_ok=True)


def test_a_place_nobody_knows_the_size_of_is_not_empty(toy_study: Study) -> None:
    study = with_capacities(toy_study)
    coverage = analyse(study)
    counted = coverage.services[coverage.services["counted"]]
    for row in coverage.capacity[coverage.capacity["level"] == "city"].itertuples():
        mine = counted[counted["category"] == row.category]
        known = mine["capacity_value"].notna()
        assert row.services_known <= known.sum()
        assert row.services_unknown <= (~known).sum()
        both = row.services_known + row.services_unknown
        assert row.unknown_pct == pytest.approx(100 * row.services_unknown / both)
        assert row.capacity <= mine["capacity_value"].sum()
    # twice as many places of unknown size change nothing but their number
    more = study.services.table[study.services.table["capacity_value"].isna()].copy()
    more["service_id"] = "x" + more["service_id"]
    table = gpd.GeoDataFrame(pd.concat([study.services.table, more], ignore_index=True))
    after = analyse(with_services(study, table)).capacity
    pd.testing.assert_series_equal(after["per_1000"], coverage.capacity["per_1000"])
    assert after["services_unknown"].sum() > coverage.capacity["services_unknown"].sum()


def test_units_are_kept_apart(toy_study: Study) -> None:
    table = with_capacities(toy_study).services.table
    table["capacity_value"] = 10.0
    units = np.where(np.arange(len(table)) % 2, "meals", "lockers")
    coverage = analyse(with_services(toy_study, table.assign(capacity_unit=units)))
    found = coverage.capacity.set_index(["category", "capacity_unit", "district_id"])
    for category in set(found.index.get_level_values(0)):
        assert "capacity" in found
        rows = coverage.capacity[
            (coverage.capacity["category"] == category) & (coverage.capacity["level"] == "city")
        ]
        if len(rows) == 2:  # a place of another unit is of unknown capacity in this one
            first, second = rows.itertuples()
            assert (first.services_known, first.services_unknown) == (
                second.services_unknown,
                second.services_known,
            )
    assert {"meals", "lockers"} == set(coverage.capacity["capacity_unit"])


def test_no_capacity_no_table(toy_coverage: Coverage) -> None:
    assert toy_coverage.capacity.empty
    assert "Capacity per 1,000 residents</h3>" not in render_report(
        toy_coverage, format="html", lang="en"
    )
    with pytest.raises(StudyFileError, match="no decay 'linear'"):
        accessibility(
            toy_coverage.basis.reach,
            np.array([0]),
            np.array([1.0]),
            np.ones(len(toy_coverage.basis.cells)),
            threshold_min=15.0,
            decay="linear",  # type: ignore[arg-type]
        )


def test_a_district_of_unknown_capacities_alone_is_unknown(toy_study: Study) -> None:
    study = with_capacities(toy_study)
    table = study.services.table.assign(capacity_value=np.nan, capacity_unit="")
    # One known place, far in the east: from the west only the other one is within reach.
    table.loc[table["service_id"] == "C1", ["capacity_value", "capacity_unit"]] = [12.0, "places"]
    capacity = analyse(with_services(study, table).replace(threshold_min=10)).capacity
    nothing = (capacity["services_known"] == 0) & (capacity["services_unknown"] > 0)
    assert nothing.any()
    assert capacity.loc[nothing, ["per_1000", "capacity"]].isna().all(axis=None)
    assert capacity.loc[~nothing, ["per_1000", "capacity"]].notna().all(axis=None)
    assert capacity.loc[capacity["level"] == "city", "capacity"].tolist() == [12.0]


def test_a_district_that_no_place_reaches_has_no_capacity_and_that_is_known(
    toy_study: Study,
) -> None:
    table = with_capacities(toy_study).services.table
    table = table[table["service_id"] == "C1"].reset_index(drop=True)
    table = table.assign(capacity_value=12.0, capacity_unit="places")
    study = with_services(toy_study, table).replace(threshold_min=5, isochrones_min=(5.0,))
    found = analyse(study).capacity.set_index("district_id")
    assert found.loc["W", ["services_known", "services_unknown"]].tolist() == [0, 0]
    assert found.loc["W", ["per_1000", "capacity"]].tolist() == [0, 0]
    assert found.loc["E", "capacity"] == 12


def test_a_place_on_which_nobody_depends_is_not_among_the_most_needed(
    toy_study: Study,
) -> None:
    """A second place at the same door: of neither would anything be lost."""
    table = toy_study.services.table
    twin = table[table["service_id"] == "A1"].assign(service_id="A9", name="Bis")
    both = gpd.GeoDataFrame(pd.concat([table, twin], ignore_index=True))
    coverage = analyse(with_services(toy_study, both))
    alone = coverage.dependence.set_index("service_id")["ha_only_here"]
    assert (alone["A1"], alone["A9"]) == (0, 0)
    told = json.loads(render_report(coverage, format="json"))["fragility"]["services"]
    named = [row["service_id"] for row in told]
    assert named
    assert not {"A1", "A9"} & set(named)
    assert all(row["ha_only_here"] > 0 for row in told)
