"""Closures: the worst sets are those of trying all of them, and buildings are told by distance."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers import toy_town
from helpers.project import fewer
from quart_heure.analysis.closures import Dependants
from quart_heure.errors import CategoryError, StudyFileError
from quart_heure.network.limits import within
from quart_heure.outputs.report.closures import render_closures
from quart_heure.schema import check_columns
from quart_heure.study import Coverage, Study, analyse
from quart_heure.study.closures import shared_buildings, worst_closures

# Quarters add up without rounding, in whatever order.
WEIGHTS = st.integers(1, 40).map(lambda n: n / 4)


@st.composite
def dependants(draw: st.DrawFn) -> Dependants:
    n = draw(st.integers(0, 8))
    members = st.lists(st.integers(0, max(n - 1, 0)), min_size=1, max_size=5, unique=True)
    keys = members.map(lambda found: tuple(sorted(found)))
    weight = draw(st.dictionaries(keys, WEIGHTS, max_size=30)) if n else {}
    return Dependants(services=np.arange(n, dtype=np.intp), weight=weight)


def every_set(found: Dependants, count: int) -> list[tuple[float, tuple[int, ...]]]:
    """Try all sets: what is lost with each, the worst first."""
    n = len(found.services)
    tried = []
    for closed in itertools.combinations(range(n), min(count, n)):
        lost = sum(w for members, w in found.weight.items() if all(m in closed for m in members))
        tried.append((lost, closed))
    return sorted((one for one in tried if one[0] > 0), key=lambda one: (-one[0], one[1]))


@given(found=dependants(), count=st.integers(1, 5), listed=st.integers(1, 6))
def test_the_worst_sets_are_those_of_trying_all(found: Dependants, count: int, listed: int) -> None:
    worst = found.worst(count, listed=listed)
    tried = every_set(found, count)
    assert list(zip(worst.lost, worst.sets, strict=True)) == tried[:listed]
    assert worst.proven
    assert worst.bound == (tried[0][0] if tried else 0.0)


@given(found=dependants(), steps=st.integers(1, 12))
def test_a_search_that_is_ended_early_bounds_what_it_left_out(
    found: Dependants, steps: int
) -> None:
    worst = found.worst(4, listed=2, most_steps=steps)
    tried = every_set(found, 4)
    truth = tried[0][0] if tried else 0.0
    assert worst.bound >= truth
    for members, lost in zip(worst.sets, worst.lost, strict=True):
        assert (lost, members) in tried
    if worst.proven:
        assert list(worst.lost) == [lost for lost, _ in tried[:2]]


def by_hand(coverage: Coverage, category: str, closed: tuple[str, ...]) -> float:
    """What is lost by the minutes to each service, looked at cell by cell."""
    basis = coverage.basis
    mine = np.flatnonzero((basis.services["category"] == category).to_numpy())
    near = np.zeros((len(mine), len(basis.cells)), dtype=bool)
    for row, service in enumerate(mine):
        cells, minutes = basis.reach.of(int(service))
        near[row, cells[within(minutes, basis.threshold_min)]] = True
    stays = ~basis.services["service_id"].isin(closed).to_numpy()[mine]
    lost = near.any(axis=0) & ~near[stays].any(axis=0) & basis.on_network
    assert basis.people is not None
    return float(basis.people[lost].sum())


@pytest.mark.parametrize("seed", fewer(range(6), 2))
@pytest.mark.parametrize("count", [1, 2, 3])
def test_closures_of_a_town_are_those_of_trying_all(seed: int, count: int) -> None:
    coverage = analyse(toy_town.random_town(seed, n_services=7).study())
    for category in coverage.study.categories:
        found = worst_closures(coverage, category, count=count, listed=1000)
        check_columns(found.table, "closures")
        ids = coverage.basis.services
        shown = ids[(ids["category"] == category) & ~ids["discreet"].astype(bool)]["service_id"]
        tried = {
            closed: by_hand(coverage, category, closed)
            for closed in itertools.combinations(sorted(shown), min(count, len(shown)))
        }
        wanted = sorted((lost for lost in tried.values() if lost > 1e-6), reverse=True)
        np.testing.assert_allclose(found.table["residents_lost"].astype(float), wanted, rtol=1e-6)
        for row in found.table.itertuples():
            closed = tuple(sorted(row.services.split(";")))
            assert row.residents_lost == pytest.approx(tried[closed], rel=1e-6)
            alone = sum(by_hand(coverage, category, (one,)) for one in closed)
            assert row.alone == pytest.approx(alone, rel=1e-6, abs=1e-6)


def test_one_closure_is_what_dependence_tells(toy_coverage: Coverage) -> None:
    for category in toy_coverage.study.categories:
        table = worst_closures(toy_coverage, category, count=1).table
        alone = toy_coverage.dependence.set_index("service_id")["residents_only_here"]
        for row in table.itertuples():
            assert row.residents_lost == pytest.approx(alone[row.services])


def two_in_one(gap_m: float, *, discreet: bool = False) -> Study:
    """Two services of two categories beside the avenue du Pont, so many metres apart."""
    places = (
        ("X1", "bains_douches", 1000.0, 650.0, "open", False),
        ("X2", "bagagerie", 1000.0, 650.0 + gap_m, "open", discreet),
        ("X3", "bagagerie", 300.0, 1300.0, "open", False),
    )
    return toy_town.town_study(services=toy_town.services_of(places))


def test_a_building_is_what_stands_within_thirty_metres() -> None:
    coverage = analyse(two_in_one(29.0))
    (row,) = shared_buildings(coverage).itertuples()
    assert set(row.services.split(";")) == {"X1", "X2"}
    assert row.categories == "bains_douches;bagagerie"
    both = [by_hand(coverage, "bains_douches", ("X1",)), by_hand(coverage, "bagagerie", ("X2",))]
    assert max(both) <= row.residents_lost <= sum(both)
    assert row.residents_lost + row.residents_lost_several == pytest.approx(sum(both))
    assert shared_buildings(analyse(two_in_one(31.0))).empty


def test_places_that_are_not_shown_are_in_no_set_and_no_building() -> None:
    coverage = analyse(two_in_one(10.0, discreet=True))
    assert shared_buildings(coverage).empty
    found = worst_closures(coverage, "bagagerie", count=2)
    text = render_closures(found, shared_buildings(coverage), form="json")
    assert "X2" not in text
    for services in found.table["services"]:
        assert services == "X3"


def test_without_residents_hectares_are_told(toy_study: Study) -> None:
    coverage = analyse(toy_study.replace(residents=None))
    found = worst_closures(coverage, "bains_douches", count=1)
    assert found.table["residents_lost"].isna().all()
    (row,) = found.table.itertuples()
    assert row.alone == pytest.approx(row.ha_lost)
    assert json.loads(render_closures(found, shared_buildings(coverage), form="json"))["by"] == (
        "area"
    )
    assert "habitant" not in render_closures(found, shared_buildings(coverage), form="md").lower()


@pytest.mark.parametrize("lang", ["fr", "en"])
def test_closures_are_told_in_both_languages(toy_coverage: Coverage, lang: str) -> None:
    found = worst_closures(toy_coverage, "bains_douches", count=1)
    told = render_closures(found, shared_buildings(toy_coverage), form="md", lang=lang)
    assert {"fr": "la fermeture la plus coûteuse", "en": "the closure that hurts most"}[
        lang
    ] in told
    shown = render_closures(found, shared_buildings(toy_coverage), form="csv", lang=lang)
    assert shown.splitlines()[0].startswith("rank,category,services")


def test_numbers_and_categories_that_cannot_be_are_refused(toy_coverage: Coverage) -> None:
    with pytest.raises(StudyFileError, match="number of services to close is 0"):
        worst_closures(toy_coverage, "esi", count=0)
    with pytest.raises(StudyFileError, match="combinations to list is 0"):
        worst_closures(toy_coverage, "esi", listed=0)
    with pytest.raises(CategoryError):
        worst_closures(toy_coverage, "no_such", count=1)
