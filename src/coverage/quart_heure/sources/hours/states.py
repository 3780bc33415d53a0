"""Opening hours: whether a place is open, closed or nobody can say, at some moments.

A wrong *open* sends someone to a closed door: what is not stated, not understood or not certain is
unknown, never open, and never closed either.
"""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from opening_hours import (  # type: ignore[attr-defined]  # its stubs leave the error out
    OpeningHours,
    UnknownCountryError,
)

from quart_heure.sources.hours.clock import (
    ZONE,
    clock_time,
    minute_of,
    repeat_min,
    second_times,
    wall_time,
)
from quart_heure.sources.hours.timeline import LONGEST_DAYS, UNKNOWN, timelines

STAY_MIN = 15.0
"""Minutes that a place must stay open after one arrives, for the visit to be worth the walk."""


def is_country(code: str) -> bool:
    """Tell whether the public holidays of a country are known by its ISO code."""
    try:
        OpeningHours("24/7", country=code)
    except UnknownCountryError:
        return False
    return True


def public_holidays(days: Sequence[dt.date], *, country: str) -> list[bool]:
    """Tell which days are public holidays of a country."""
    holiday = OpeningHours("PH", country=country)
    return [bool(holiday.is_open(dt.datetime.combine(day, dt.time(12)))) for day in days]


def opening_states(
    hours: Sequence[str],
    moments: Sequence[dt.datetime],
    *,
    country: str | None = "FR",
    coords: tuple[float, float] | None = None,
    stay_min: float = STAY_MIN,
    timezone: str = ZONE,
) -> NDArray[np.int8]:
    """Tell what places are at the moments at which one arrives at their door.

    Parameters
    ----------
    hours
        Opening hours in the syntax of OpenStreetMap, ``""`` where they are not known.
    moments
        Moments of arrival, by the local clock or with a time zone. Of an hour that the clock
        shows twice, a moment without a zone is in the first; an hour that it skips is the moment
        at which it does.
    country
        ISO code, for its public holidays (see `is_country`); None if they are not known.
    coords
        Latitude and longitude in degrees, for hours that follow the sun.
    stay_min
        A place is open to who arrives if it stays open for these minutes.
    timezone
        Time zone of the places.

    Returns
    -------
    NDArray[np.int8]
        `CLOSED`, `UNKNOWN` or `OPEN`; shape (s, t).

    Notes
    -----
    School holidays are in no calendar at hand: where they would decide, the state is unknown. So it
    is after an open end (``20:00+``), under a comment ("by appointment"), where hours follow the
    sun of an unknown place, and where the text is not in the syntax.
    """
    states = np.full((len(hours), len(moments)), UNKNOWN, dtype=np.int8)
    if not len(moments):
        return states
    zone = zoneinfo.ZoneInfo(timezone)
    local = [wall_time(moment, zone) for moment in moments]
    at = np.array([minute_of(moment, zone) for moment in local])
    first, last = min(local), max(local)
    for rows, one in timelines(
        hours, first, last, stay_min, country=country, coords=coords, zone=zone
    ):
        found = one.states(at, stay_min)
        for k in second_times(local, zone):
            # The clock shows this hour again: hours that change within it hold for which of them?
            both = one.states(at[k] - np.array([0.0, repeat_min(local[k], zone)]), 0.0)
            found[k] = found[k] if both[0] == both[1] else UNKNOWN
        states[rows] = found
    return states


def visit_states(
    hours: Sequence[str],
    start: dt.datetime,
    end: dt.datetime,
    *,
    country: str | None = "FR",
    coords: tuple[float, float] | None = None,
    stay_min: float = STAY_MIN,
    timezone: str = ZONE,
) -> NDArray[np.int8]:
    """Tell which places can be visited between two moments.

    `OPEN` if a place is open for ``stay_min`` in a row between them, `UNKNOWN` if it may be,
    `CLOSED` if not; shape (s,). See `opening_states` for the rest.
    """
    zone = zoneinfo.ZoneInfo(timezone)
    start, end = wall_time(start, zone), wall_time(end, zone)
    states = np.full(len(hours), UNKNOWN, dtype=np.int8)
    bounds = minute_of(start, zone), minute_of(end, zone)
    for rows, one in timelines(hours, start, end, 0.0, country=country, coords=coords, zone=zone):
        states[rows] = one.visit(*bounds, stay_min)
    return states


def next_openings(
    hours: Sequence[str],
    moment: dt.datetime,
    *,
    country: str | None = "FR",
    coords: tuple[float, float] | None = None,
    stay_min: float = STAY_MIN,
    timezone: str = ZONE,
) -> list[dt.datetime | None]:
    """Tell when each place is next open for a visit, by its clock; None if no such time is known.

    A place that is open has its opening behind it: the answer is then the moment itself.
    """
    zone = zoneinfo.ZoneInfo(timezone)
    moment = wall_time(moment, zone)
    found: list[dt.datetime | None] = [None] * len(hours)
    at = minute_of(moment, zone)
    end = moment + dt.timedelta(days=LONGEST_DAYS - 2)
    for rows, one in timelines(
        hours, moment, end, stay_min, country=country, coords=coords, zone=zone
    ):
        # Before its end: the last stretch of a timeline is of a length that nobody knows.
        begins = one.first_open(at, stay_min, before=minute_of(end, zone))
        for row in rows:
            found[row] = None if begins is None else clock_time(begins, zone)
    return found
