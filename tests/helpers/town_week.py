"""The toy town with opening hours, through a week."""

from __future__ import annotations

import datetime as dt
import functools
from typing import Any

import pandas as pd

from helpers import toy_town
from quart_heure.analysis.week import hours_of_week
from quart_heure.sources.hours.syntax import CLOSED, OPEN, UNKNOWN
from quart_heure.sources.services.services import Services
from quart_heure.study import Coverage, Study, analyse

AT = dt.datetime

MONDAY = dt.date(2026, 4, 27)  # the Friday is 1 May

STARTS = hours_of_week(MONDAY)

TOWN_HOURS = {
    "A1": "Mo-Fr 08:00-12:00,14:00-17:30",
    "A2": "24/7",  # a closed place: its hours are nothing to go by
    "B3": "24/7",  # a discreet place: they are not told
    "C1": "",
    "C2": "Mo-Su 10:00-12:00; PH off",
}


def by_clock(service: str, moment: dt.datetime) -> int:
    """State of a service for a stay of 15 minutes, by its hours as one reads them."""
    leaves = moment + dt.timedelta(minutes=15)
    day = AT.combine(moment.date(), dt.time())

    def within(opens: float, closes: float) -> bool:
        first, last = (day + dt.timedelta(hours=hour) for hour in (opens, closes))
        return first <= moment and leaves <= last

    if service == "A1":
        return OPEN if moment.weekday() < 5 and (within(8, 12) or within(14, 17.5)) else CLOSED
    if service == "C2":
        holiday = (moment.month, moment.day) == (5, 1)
        return OPEN if within(10, 12) and not holiday else CLOSED
    return UNKNOWN


def with_hours(services: Services, hours: dict[str, str]) -> Services:
    table = services.table.copy()
    table["opening_hours"] = table["service_id"].map(hours).fillna("")
    return Services(table=table, problems=services.problems)


def town_with_hours(hours: dict[str, str] | None = None, **overrides: Any) -> Study:
    services = with_hours(toy_town.town_services(), TOWN_HOURS if hours is None else hours)
    return toy_town.town_study(services=services, cell_m=100.0, **overrides)


TRIED_HOURS = (3, 9, 11, 14, 24 + 10, 4 * 24 + 11, 6 * 24 + 10, 6 * 24 + 14)
"""Hours at which places are open, closed and perhaps open; one of them on a public holiday."""


@functools.cache
def town_week() -> Coverage:
    return analyse(_town().replace(week=True, week_of=MONDAY))


@functools.cache
def at_hour(hour: int) -> Coverage:
    """The town of who arrives at an hour of that week, without its week."""
    return analyse(_town().replace(at=STARTS[hour]))


def shares_at(hour: int, category: str) -> pd.DataFrame:
    """Per cent of residents covered for sure and at most, by district, "" being the whole town."""
    rows = at_hour(hour).indicators
    rows = rows[rows["category"] == category].set_index("district_id")
    return rows[["residents_covered_pct", "residents_covered_at_most_pct"]]


def _town() -> Study:
    return town_with_hours().replace(cell_m=25.0)
