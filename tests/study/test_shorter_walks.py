"""Shorter walks: against every other choice, and against whole analyses with the sites opened."""

from __future__ import annotations

import itertools
import json

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array

from helpers import toy_town
from quart_heure.analysis.siting.nearest import Savings, save_most
from quart_heure.errors import CategoryError, StudyFileError
from quart_heure.outputs.report.shorter_walks import render_walks
from quart_heure.schema import check_columns
from quart_heure.sources.services.services import Services
from quart_heure.study import Coverage, analyse
from quart_heure.study.shorter_walks import shorter_walks


@given(seed=st.integers(0, 2**32 - 1), count=st.integers(1, 3), places=st.integers(1, 12))
def test_the_bound_is_never_below_the_best_and_the_set_never_above(
    seed: int, count: int, places: int
) -> None:
    rng = np.random.default_rng(seed)
    table = rng.integers(0, 50, size=(6, places)) * (rng.random((6, places)) < 0.6)
    found = save_most(Savings(pairs=csr_array(table.astype(np.int64))), count)
    best = max(
        int(table[list(some)].max(axis=0).sum()) for some in itertools.combinations(range(6), count)
    )
    assert found.value == int(table[found.chosen].max(axis=0).sum() if len(found.chosen) else 0)
    assert found.value <= best <= found.bound
    assert len(set(found.chosen.tolist())) == len(found.chosen) <= count


def lagrange(table: np.ndarray, count: int, value: int) -> int:
    """Return the bound, step by step in loops; of candidates worth the same the first is taken."""
    n_candidates, n_places = table.shape
    price = [0.5 * max(table[:, place]) for place in range(n_places)]
    best, scale, stuck = float("inf"), 1.0, 0
    for _ in range(200):
        over = [[max(cell - p, 0.0) for cell, p in zip(row, price, strict=True)] for row in table]
        taken = sorted(range(n_candidates), key=lambda one: (-sum(over[one]), one))[:count]
        bound = sum(price) + sum(sum(over[one]) for one in taken)
        stuck = 0 if bound < best - 1e-9 else stuck + 1
        best = min(best, bound)
        if stuck == 10:
            scale, stuck = scale / 2, 0
        if best <= value * (1 + 1e-9):
            break
        slope = [1.0 - sum(over[one][place] > 0 for one in taken) for place in range(n_places)]
        if not any(slope):
            break
        step = scale * (bound - value) / sum(each**2 for each in slope)
        price = [max(p - step * each, 0.0) for p, each in zip(price, slope, strict=True)]
    return max(value, int(best * (1 + 1e-9)))


@pytest.mark.parametrize("seed", range(20))
def test_of_candidates_worth_the_same_the_first_decides_the_bound(seed: int) -> None:
    rng = np.random.default_rng(seed)
    table = rng.integers(0, 3, size=(24, 9)) * 7
    found = save_most(Savings(pairs=csr_array(table.astype(np.int64))), 3)
    assert found.bound == lagrange(table, 3, found.value)


def test_a_single_candidate_is_the_best_of_all() -> None:
    table = np.array([[5, 0, 3], [4, 4, 4], [9, 0, 0]])
    found = save_most(Savings(pairs=csr_array(table)), 1)
    assert (found.chosen.tolist(), found.value) == ([1], 12)
    assert found.bound >= 12


@pytest.fixture(scope="module")
def coverage() -> Coverage:
    return analyse(toy_town.town_study())


def mean_walk(coverage: Coverage, longest: float) -> float:
    cells = coverage.cells[coverage.cells["on_network"]]
    minutes = cells["minutes_esi"].clip(upper=longest)
    return float((minutes * cells["residents"]).sum() / cells["residents"].sum())


def test_the_mean_is_that_of_a_whole_analysis_with_the_sites(coverage: Coverage) -> None:
    found = shorter_walks(coverage, "esi", count=2, mesh_m=200)
    check_columns(found.sites, "walk_sites")
    assert found.mean_min == pytest.approx(mean_walk(coverage, found.longest_min))
    services = coverage.study.services
    new = services.table[services.table["service_id"] == "C1"].iloc[[0] * len(found.sites)]
    new = new.assign(
        service_id=[f"new{n}" for n in range(len(new))], geometry=found.sites.geometry.to_numpy()
    )
    table = gpd.GeoDataFrame(
        pd.concat([services.table, new], ignore_index=True), crs=services.table.crs
    )
    own = Services(table=table, problems=services.problems)
    after = analyse(coverage.study.replace(services=own))
    assert found.mean_after_min == pytest.approx(mean_walk(after, found.longest_min))
    assert found.sites["minutes_saved"].sum() == pytest.approx(
        found.mean_min - found.mean_after_min
    )
    assert found.sites["minutes_saved"].is_monotonic_decreasing
    assert found.least_after_min <= found.model_after_min + 1e-9


def test_every_format_tells_the_same(coverage: Coverage) -> None:
    found = shorter_walks(coverage, "esi", count=2, mesh_m=200)
    content = json.loads(render_walks(found, form="json"))
    assert content["mean_after_min"] == pytest.approx(found.mean_after_min, abs=1e-3)
    assert len(content["sites"]) == len(found.sites)
    assert 2 < content["sites"][0]["longitude"] < 3
    for form, lang in (("table", "fr"), ("md", "en"), ("csv", "fr")):
        text = render_walks(found, form=form, lang=lang)
        assert "{" not in text
        assert text.strip()


def test_what_cannot_be_is_refused(coverage: Coverage) -> None:
    with pytest.raises(StudyFileError, match="0 sites"):
        shorter_walks(coverage, "esi", count=0)
    with pytest.raises(CategoryError):
        shorter_walks(coverage, "nothing")
