"""Dates, hours and closures of Soliguide's places, against days judged one by one."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quart_heure.sources.hours.states import opening_states
from quart_heure.sources.hours.syntax import CLOSED, OPEN, UNKNOWN
from quart_heure.sources.online.soliguide_places import place_rows

DAY = dt.date(2026, 6, 16)
"""A Tuesday."""
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def week(start: int = 900, end: int = 1200, **changes: Any) -> dict[str, Any]:
    return {
        **{day: {"open": True, "timeslot": [{"start": start, "end": end}]} for day in DAYS},
        "closedHolidays": "OPEN",
        **changes,
    }


def row(*, day: dt.date = DAY, **place: Any) -> dict[str, Any]:
    whole = {"newhours": week(), "services_all": [{"category": "shower"}], **place}
    (found,) = place_rows(whole, "bains_douches", "shower", day=day)
    return found


def dated(begin: str | None, end: str | None = None, **more: Any) -> dict[str, Any]:
    return {"dateDebut": begin, "dateFin": end, **more}


def state(found: dict[str, Any], day: dt.date, hour: int = 10) -> str:
    """Return what the hours say at an hour of a day, with the public holidays of France."""
    at = [dt.datetime.combine(day, dt.time(hour))]
    (what,) = opening_states([found["opening_hours"]], at, coords=(48.86, 2.35), stay_min=0.0)[0]
    return {OPEN: "open", CLOSED: "closed", UNKNOWN: "unknown"}[int(what)]


@pytest.mark.parametrize("where", ["service", "place"])
@pytest.mark.parametrize(
    ("close", "status", "tomorrow"),
    [
        ({}, "open", "open"),
        (dated(None), "open", "open"),
        (dated(None, actif=True), "temporarily_closed", "open"),
        (dated("2026-06-16"), "temporarily_closed", "closed"),
        (dated("2026-06-16", "2026-06-16"), "temporarily_closed", "open"),
        # The flag is set a fortnight before, and stays behind: the dates decide.
        (dated("2026-06-17", "2026-06-17", actif=True), "open", "closed"),
        (dated("2026-05-01", "2026-06-15", actif=True), "open", "open"),
        (
            dated("2026-06-16T00:00:00.000Z", "2026-06-16T23:59:59.000Z"),
            "temporarily_closed",
            "open",
        ),
        # Midnight in Paris, told in universal time.
        (
            dated("2026-06-15T22:00:00.000Z", "2026-06-15T22:00:00.000Z"),
            "temporarily_closed",
            "open",
        ),
        (dated("2026-06-20", "2026-06-01"), "unknown", "unknown"),
        (dated("in June"), "unknown", "unknown"),
        (dated(None, "2026-06-20"), "unknown", "unknown"),
        ({"dateDebut": {"x": 1}}, "unknown", "unknown"),
    ],
)
def test_closures_hold_on_their_days(
    where: str, close: dict[str, Any], status: str, tomorrow: str
) -> None:
    if where == "service":
        found = row(services_all=[{"category": "shower", "close": close}])
    else:
        found = row(tempInfos={"closure": close})
    assert found["status"] == status
    assert state(found, DAY + dt.timedelta(days=1)) == tomorrow


def test_a_place_that_is_gone_is_not_open_again_for_a_date() -> None:
    assert row(status="PERMANENTLY_CLOSED", tempInfos={"closure": {}})["status"] == "closed"


def test_closed_for_a_while_and_unknown_otherwise() -> None:
    found = row(newhours={}, tempInfos={"closure": dated("2026-07-01", "2026-07-31")})
    assert [state(found, day) for day in (DAY, dt.date(2026, 7, 15))] == ["unknown", "closed"]


def test_hours_of_some_weeks() -> None:
    told = dated("2026-07-01", "2026-07-31", hours=week(1400, 1500))
    found = row(tempInfos={"hours": told})
    july = dt.date(2026, 7, 15)
    assert [state(found, DAY), state(found, july), state(found, july, 14)] == [
        *("open", "closed", "open"),
    ]
    assert state(found, dt.date(2026, 8, 3)) == "open"
    # A service with hours of its own keeps them.
    own = {"category": "shower", "differentHours": True, "hours": week(1000, 1100)}
    assert state(row(tempInfos={"hours": told}, services_all=[own]), july) == "open"


def test_hours_of_some_weeks_that_are_not_said_are_unknown() -> None:
    found = row(tempInfos={"hours": dated("2026-07-01", "2026-07-31", hours={})})
    assert [state(found, DAY), state(found, dt.date(2026, 7, 15))] == ["open", "unknown"]
    assert row(tempInfos={"hours": dated("soon", hours=week())})["opening_hours"] == ""


def test_a_closure_prevails_over_hours_of_some_weeks() -> None:
    found = row(
        tempInfos={
            "hours": dated("2026-07-01", "2026-07-31", hours=week(1400, 1500)),
            "closure": dated("2026-07-15", "2026-07-16"),
        }
    )
    assert [state(found, dt.date(2026, 7, day), 14) for day in (14, 15, 16, 17)] == [
        *("open", "closed", "closed", "open"),
    ]


@pytest.mark.parametrize(
    ("place", "own", "expected"),
    [
        ("OPEN", None, "open"),
        ("CLOSED", None, "closed"),
        ("UNKNOWN", None, "unknown"),
        (None, None, "unknown"),
        ("CLOSED", "OPEN", "closed"),
        ("OPEN", "CLOSED", "closed"),
        ("OPEN", "UNKNOWN", "unknown"),
        ("UNKNOWN", "OPEN", "open"),
    ],
)
def test_public_holidays(place: str | None, own: str | None, expected: str) -> None:
    service: dict[str, Any] = {"category": "shower"}
    if own is not None:
        service |= {"differentHours": True, "hours": week(closedHolidays=own)}
    found = row(newhours=week(closedHolidays=place), services_all=[service])
    assert [state(found, day) for day in (DAY, dt.date(2026, 7, 14))] == ["open", expected]


@pytest.mark.parametrize(
    "tuesday",
    [
        {"open": True, "timeslot": []},
        {"open": True, "timeslot": [{"start": 900, "end": "x"}]},
        {"open": True, "timeslot": [{"start": 900, "end": 900}]},
        {"open": True, "timeslot": [{"start": 900, "end": 1200}, {"start": 9000, "end": 1}]},
        {"open": True, "timeslot": "9-12"},
        {"open": True, "timeslot": [None]},
    ],
)
def test_a_day_that_cannot_be_read_is_not_closed(tuesday: dict[str, Any]) -> None:
    found = row(newhours=week(tuesday=tuesday))
    assert [state(found, DAY), state(found, DAY + dt.timedelta(days=1))] == ["unknown", "open"]


def test_each_service_of_a_category_is_read() -> None:
    services = [
        {"category": "shower", "differentHours": True, "hours": week(900, 1000)},
        {"category": "laundry"},
        {"category": "shower", "differentHours": True, "hours": week(1600, 1700)},
    ]
    rows = place_rows({"services_all": services}, "bains_douches", "shower", day=DAY)
    assert [[state(one, DAY, hour) for hour in (9, 16)] for one in rows] == [
        ["open", "closed"],
        ["closed", "open"],
    ]


@given(
    closure=st.tuples(st.integers(0, 60), st.integers(0, 60)),
    weeks=st.tuples(st.integers(0, 60), st.integers(0, 60)),
    shut=st.sets(st.integers(0, 6)),
    offset=st.integers(0, 60),
    hour=st.sampled_from((3, 10, 14)),
)
def test_days_one_by_one(
    closure: tuple[int, int], weeks: tuple[int, int], shut: set[int], offset: int, hour: int
) -> None:
    """The written hours say of every day what going through the record says."""
    first = dt.date(2026, 5, 15)
    begin, end = (first + dt.timedelta(days=n) for n in sorted(closure))
    other, last = (first + dt.timedelta(days=n) for n in sorted(weeks))
    off: dict[str, Any] = {DAYS[n]: {"open": False, "timeslot": []} for n in sorted(shut)}
    found = row(
        newhours=week(closedHolidays="CLOSED", **off),
        tempInfos={
            "closure": dated(begin.isoformat(), end.isoformat()),
            "hours": dated(other.isoformat(), last.isoformat(), hours=week(1400, 1500)),
        },
    )
    day = first + dt.timedelta(days=offset)
    holiday = day in {dt.date(2026, 5, 25), dt.date(2026, 7, 14)}
    if begin <= day <= end or holiday:
        expected = "closed"
    elif other <= day <= last:
        expected = "open" if hour == 14 else "closed"
    elif len(shut) == 7:
        expected = "unknown"
    else:
        expected = "open" if hour == 10 and day.weekday() not in shut else "closed"
    assert state(found, day, hour) == expected
