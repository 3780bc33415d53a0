"""The toy town with opening hours: its week as it is judged, and the same town at one hour."""

from __future__ import annotations

import functools

import pandas as pd

from quart_heure.study import Coverage, Study, analyse
from test_hours import MONDAY, STARTS, town_with_hours

HOURS = (3, 9, 11, 14, 24 + 10, 4 * 24 + 11, 6 * 24 + 10, 6 * 24 + 14)
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
