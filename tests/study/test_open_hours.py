"""When to open: windows of the week against every other choice, and against whole weeks."""

from __future__ import annotations

import datetime as dt
import itertools
import json

import numpy as np
import pytest

from helpers import toy_town
from quart_heure.cli import main
from quart_heure.errors import CategoryError, StudyFileError
from quart_heure.outputs.discretion import publishable
from quart_heure.outputs.report.open_hours import render_hours
from quart_heure.schema import check_columns
from quart_heure.sources.services.services import Services
from quart_heure.study import Coverage, Study, analyse
from quart_heure.study.open_hours import open_hours

CATEGORY = "bains_douches"
BETWEEN = (9, 13)
HOURS = {"A1": "Mo-Fr 09:00-12:00", "A3": "", "A4": "Sa 10:00-12:00", "A5": "Mo-Su 09:00-13:00"}
PLACES = (
    ("A1", CATEGORY, 1025, 650, "open", False),
    ("A3", CATEGORY, 600, 1300, "open", False),
    ("A4", CATEGORY, 1400, 400, "open", False),
    ("A5", CATEGORY, 250, 300, "open", True),
)


def town(**hours: str) -> Study:
    services = toy_town.services_of(PLACES)
    said = {**HOURS, **hours}
    table = services.table
    table = table.assign(opening_hours=[said[name] for name in table["service_id"]])
    own = Services(table=table, problems=services.problems)
    return toy_town.town_study(
        services=own, categories=(CATEGORY,), week=True, week_of=dt.date(2026, 5, 4)
    )


@pytest.fixture(scope="module")
def coverage() -> Coverage:
    return analyse(town())


def sure_hours(coverage: Coverage) -> float:
    """Return residents times hours with a service known to be open, from the table of the week."""
    assert coverage.week is not None
    table = coverage.week.table
    mine = table[(table["category"] == CATEGORY) & (table["district_id"] == "")]
    return float(mine["residents_at_least"].sum())


def opened(windows: list[tuple[str, int, int, int]]) -> Coverage:
    """Analyse the town whose services are open in these windows, too."""
    days = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
    hours = dict(HOURS)
    for name, day, begin, end in windows:
        rule = f"{days[day - 1]} {begin:02d}:00-{end:02d}:00"
        hours[name] = f"{hours[name]}, {rule}" if hours[name] else rule
    return analyse(town(**hours))


def test_a_window_gains_what_the_week_gains_when_it_is_added(coverage: Coverage) -> None:
    """Of A3 nothing is known: hours added to nothing would say that it is closed else."""
    found = open_hours(coverage, CATEGORY, count=4, hours=2, between=BETWEEN, per_service=2)
    check_columns(found.windows, "windows")
    for row in found.windows[found.windows["service_id"] != "A3"].itertuples():
        after = opened([(row.service_id, row.day, row.from_hour, row.to_hour)])
        gained = sure_hours(after) - sure_hours(coverage)
        assert row.gain_alone == pytest.approx(gained, abs=0.1)
        assert row.gain_at_least <= row.gain_added + 1e-6
    assert found.value == pytest.approx(found.windows["gain_added"].sum())


@pytest.mark.parametrize("per_service", [1, 2])
def test_no_other_choice_gains_more(coverage: Coverage, per_service: int) -> None:
    days = (1, 6, 7)
    found = open_hours(
        coverage, CATEGORY, count=2, hours=3, between=BETWEEN, days=days, per_service=per_service
    )
    assert found.proven
    wanted, reach = wanted_hours(coverage)
    best = 0.0
    windows = [
        (name, day, begin)
        for name in ("A1", "A3", "A4")
        for day in days
        for begin in range(BETWEEN[0], BETWEEN[1] - 2)
    ]
    for pair in itertools.combinations(windows, 2):
        if per_service == 1 and pair[0][0] == pair[1][0]:
            continue
        gains = np.zeros(wanted.shape, dtype=bool)
        for name, day, begin in pair:
            clock = (day - 1) * 24 + begin + np.arange(3)
            gains[np.ix_(reach[name], clock)] = True
        people = coverage.basis.people_on_network[:, None] * (gains & wanted)
        best = max(best, float(people.sum()))
    assert found.value == pytest.approx(best, abs=0.1)


def wanted_hours(coverage: Coverage) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Return, cell by cell and hour by hour, where nobody in reach is known to be open."""
    basis, week = coverage.basis, coverage.week
    assert week is not None
    reach = basis.reach_of_all()
    ids = coverage.services["service_id"].tolist()
    cells = {
        name: reach.of(at)[0][reach.of(at)[1] <= basis.threshold_min + 1e-9]
        for at, name in enumerate(ids)
    }
    wanted = np.ones((len(basis.cells), 168), dtype=bool)
    for hour, which in enumerate(week.state_of_hour[CATEGORY].tolist()):
        for position in week.sets[CATEGORY][which].open:
            wanted[cells[ids[position]], hour] = False
    return wanted, cells


def test_where_nobody_perhaps_opens_all_of_a_gain_is_sure() -> None:
    known = analyse(town(A3="Mo 09:00-10:00"))
    found = open_hours(known, CATEGORY, count=2, hours=2, between=BETWEEN)
    # Of the discreet place nothing is known: what it reaches is never sure.
    assert (found.windows["gain_at_least"] <= found.windows["gain_added"] + 1e-6).all()
    shown = toy_town.services_of([place for place in PLACES if not place[5]])
    table = shown.table.assign(opening_hours=["Mo 09:00-10:00"] * 3)
    own = Services(table=table, problems=shown.problems)
    sure = analyse(
        toy_town.town_study(
            services=own, categories=(CATEGORY,), week=True, week_of=dt.date(2026, 5, 4)
        )
    )
    found = open_hours(sure, CATEGORY, count=2, hours=2, between=BETWEEN)
    np.testing.assert_allclose(found.windows["gain_at_least"], found.windows["gain_added"])


def test_discreet_places_are_never_proposed(coverage: Coverage) -> None:
    found = open_hours(coverage, CATEGORY, count=20, hours=1, per_service=20)
    assert "A5" not in set(found.windows["service_id"])
    for form in ("table", "csv", "json", "md"):
        assert "A5" not in render_hours(found, form=form)
    with pytest.raises(StudyFileError, match="taken out of this coverage"):
        open_hours(publishable(coverage), CATEGORY)


def test_every_format_tells_the_same(coverage: Coverage) -> None:
    found = open_hours(coverage, CATEGORY, count=2)
    content = json.loads(render_hours(found, form="json"))
    assert content["value"] == pytest.approx(found.value, abs=0.1)
    assert [one["service_id"] for one in content["windows"]] == list(found.windows["service_id"])
    for form, lang in (("table", "fr"), ("md", "en")):
        text = render_hours(found, form=form, lang=lang)
        assert all(name in text for name in found.windows["name"])
        assert "{" not in text


def test_an_answer_without_a_proof_says_how_good_another_could_be(coverage: Coverage) -> None:
    found = open_hours(coverage, CATEGORY, count=4, hours=2, per_service=2, limit_s=0)
    assert found.stopped and not found.proven
    assert open_hours(coverage, CATEGORY, count=4, hours=2, per_service=2).value <= found.bound
    gap = 100 * (found.bound - found.value) / found.value
    for form in ("table", "md"):
        text = render_hours(found, form=form, lang="en", width=200)
        assert f"No other choice of 4 windows of 2 h would do better by more than {gap:.2f} %" in (
            text.replace("\u202f", "").replace("\xa0", " ").replace(",", "")
        )
        assert "limit of time" in text
    assert json.loads(render_hours(found, form="json"))["stopped"] is True


def test_fewer_windows_than_asked_are_told(coverage: Coverage) -> None:
    found = open_hours(coverage, CATEGORY, count=20, hours=2, between=BETWEEN)
    assert len(found.windows) == 3
    assert "3 of 20 windows" in render_hours(found, form="md", lang="en")


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"count": 0}, "0 windows"),
        ({"hours": 9, "between": (9, 12)}, "does not fit"),
        ({"between": (12, 9)}, "cannot be"),
        ({"days": (0,)}, "not all days"),
        ({"per_service": 0}, "No window"),
    ],
)
def test_what_cannot_be_is_refused(coverage: Coverage, asked: dict[str, object], says: str) -> None:
    with pytest.raises(StudyFileError, match=says):
        open_hours(coverage, CATEGORY, **asked)  # type: ignore[arg-type]


def test_it_needs_a_week_and_a_category_that_is_there(coverage: Coverage) -> None:
    with pytest.raises(CategoryError):
        open_hours(coverage, "esi")
    with pytest.raises(StudyFileError, match="study of a week"):
        open_hours(analyse(town().replace(week=False, week_of=None)), CATEGORY)
    assert main(["hours", "--category", CATEGORY, "--length", "30"]) == 4
