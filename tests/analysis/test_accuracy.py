"""What shares are good to, against whole analyses of the towns as they would be."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings

from helpers import toy_town
from helpers.random_towns import SEEDS
from quart_heure.analysis.accuracy import DOUBTS
from quart_heure.analysis.doors import ELSEWHERE_M
from quart_heure.outputs.discretion import publishable
from quart_heure.sources.services.services import Services
from quart_heure.study import Coverage, Study, analyse

WHOLE_LINE = settings(max_examples=max(1, settings().max_examples // 10), deadline=None)
KEYS = ["level", "district_id", "category"]
FIGURES = {
    "covered_pct": ("low_pct", "high_pct"),
    "residents_covered": ("residents_low", "residents_high"),
    "residents_covered_pct": ("residents_low_pct", "residents_high_pct"),
}


def moved(study: Study, offset: tuple[float, float], which: Callable[[str], bool]) -> Study:
    table = study.services.table
    shifted = [
        point if not which(name) else type(point)(point.x + offset[0], point.y + offset[1])
        for name, point in zip(table["service_id"], table.geometry, strict=True)
    ]
    table = gpd.GeoDataFrame(table.assign(geometry=shifted), geometry="geometry", crs=table.crs)
    return study.replace(services=Services(table=table, problems=study.services.problems))


def ways(study: Study, coverage: Coverage) -> Iterator[tuple[str, Study]]:
    """Everything that the table says of a town, one analysis for each."""
    for offset in ELSEWHERE_M:
        yield "elsewhere", moved(study, offset, lambda _: True)
        for one in coverage.services.loc[coverage.services["counted"], "service_id"]:
            yield "one_place", moved(study, offset, lambda name, one=one: name == one)
    for by in (0.9, 1.1):
        yield "speed", study.replace(threshold_min=study.threshold_min * by)


def by_keys(table: pd.DataFrame) -> pd.DataFrame:
    return table.set_index(KEYS).sort_index()


@WHOLE_LINE
@given(seed=SEEDS)
def test_ranges_are_those_of_whole_analyses(seed: int) -> None:
    # Far from every edge of the data, so that no place falls out of them by 15 m.
    study = toy_town.random_town(seed, n_services=4).study(cell_m=50.0, snap_m=400.0)
    coverage = analyse(study)
    base = by_keys(coverage.indicators)
    ranges = {
        doubt: {figure: [base[figure]] for figure in FIGURES} for doubt in ("computed", "one_place")
    }
    ranges |= {doubt: {f: [base[f]] for f in FIGURES} for doubt in ("elsewhere", "speed")}
    for doubt, other in ways(study, coverage):
        after = analyse(other)
        # Else it is another town: what counts is not the same.
        assume((after.services["counted"] == coverage.services["counted"]).all())
        assume((after.cells["on_network"] == coverage.cells["on_network"]).all())
        for figure, found in ranges[doubt].items():
            found.append(by_keys(after.indicators)[figure])
    for doubt, figures in ranges.items():
        told = by_keys(coverage.accuracy[coverage.accuracy["doubt"] == doubt])
        for figure, (low, high) in FIGURES.items():
            expected = pd.concat(figures[figure], axis=1)
            for name, value in ((low, expected.min(axis=1)), (high, expected.max(axis=1))):
                pd.testing.assert_series_equal(
                    told[name], value, check_names=False, check_dtype=False, rtol=0, atol=1e-4
                )


def test_what_is_as_computed_is_in_every_range(toy_coverage: Coverage) -> None:
    table = toy_coverage.accuracy
    assert list(dict.fromkeys(table["doubt"])) == list(DOUBTS)
    computed = table[table["doubt"] == "computed"].set_index(KEYS)
    pd.testing.assert_series_equal(computed["low_pct"], computed["high_pct"], check_names=False)
    for doubt in DOUBTS:
        rows = table[table["doubt"] == doubt].set_index(KEYS)
        assert (rows["low_pct"] <= computed["low_pct"] + 1e-9).all()
        assert (rows["high_pct"] >= computed["high_pct"] - 1e-9).all()
    named = table[table["service_id"] != ""]
    assert set(named["doubt"]) <= {"one_place"}
    assert (named["high_pct"] > named["low_pct"]).all()


def test_only_confirmed_places_are_the_low_end(toy_coverage: Coverage) -> None:
    rows = toy_coverage.accuracy.query("doubt == 'unconfirmed'").set_index(KEYS)
    alone = toy_coverage.freshness.set_index(KEYS)["confirmed_covered_pct"]
    pd.testing.assert_series_equal(rows["low_pct"], alone[rows.index], check_names=False)


def test_discreet_places_are_not_named(toy_coverage: Coverage) -> None:
    services = toy_coverage.study.services
    table = services.table.assign(discreet=services.table["category"] == "esi")
    study = toy_coverage.study.replace(services=dataclasses.replace(services, table=table))
    shown = publishable(analyse(study)).accuracy
    named = set(shown["service_id"]) - {""}
    hidden = set(table.loc[table["discreet"], "service_id"])
    assert hidden
    assert named
    assert not named & hidden
    mine = shown[shown["category"] == "esi"]
    assert np.isfinite(mine[["low_pct", "high_pct"]]).all(axis=None)


@pytest.mark.parametrize("category", ["bains_douches", "esi"])
def test_one_place_names_a_place_of_its_category(toy_coverage: Coverage, category: str) -> None:
    table = toy_coverage.accuracy.query("category == @category and service_id != ''")
    services = toy_coverage.services.set_index("service_id")
    assert set(services.loc[table["service_id"], "category"]) == {category}
