"""Opening hours: whether a place is open, closed or nobody can say, at some moments.

A wrong *open* sends someone to a closed door: what is not stated, not understood or not certain is
unknown, never open, and never closed either.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import zoneinfo
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from quart_heure.sources.hours.calendars import (
    ZONE,
    Calendar,
    SchoolHolidays,
    departements_of,
    is_country,
)
from quart_heure.sources.hours.syntax import UNKNOWN
from quart_heure.sources.hours.timeline import (
    LONGEST_DAYS,
    Timeline,
    clock_time,
    minute_of,
    repeat_min,
    second_times,
    timelines,
    wall_time,
)

__all__ = [
    "FRANCE",
    "STAY_MIN",
    "Where",
    "is_country",
    "next_openings",
    "opening_states",
    "visit_states",
]

_SOON_DAYS = 15

STAY_MIN = 15.0
"""Minutes that a place must stay open after one arrives, for the visit to be worth the walk."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Where:
    """Where the places are: whose holidays, whose sun, whose clock.

    Parameters
    ----------
    country
        ISO code, for its public holidays; None if they are not known.
    departements
        French départements that they may lie in, for the holidays of the regions; where none is
        given, the coordinates tell, and without these it may be any.
    school
        School holidays; where they would decide and none are given, the state is unknown.
    coords
        Latitude and longitude in degrees, for hours that follow the sun.
    timezone
        Time zone; by default that of the départements, in France. Elsewhere it has to be given for
        hours that follow the sun.
    """

    country: str | None = "FR"
    departements: tuple[str, ...] = ()
    school: SchoolHolidays | None = None
    coords: tuple[float, float] | None = None
    timezone: str | None = None

    @property
    def calendar(self) -> Calendar:
        """Whose holidays."""
        where = self.departements or departements_of((), self.coords)
        return Calendar(self.country, where, self.school)

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        """Whose clock."""
        return zoneinfo.ZoneInfo(self.timezone or self.calendar.zone or ZONE)

    def timelines(
        self, hours: Sequence[str], first: dt.datetime, last: dt.datetime, stay_min: float
    ) -> Iterator[tuple[list[int], Timeline]]:
        """Yield the timeline of each distinct text that is understood, and its rows."""
        yield from timelines(
            hours,
            first,
            last,
            stay_min,
            calendar=self.calendar,
            coords=self.coords,
            zone=self.zone,
            sun=(self.timezone or self.calendar.zone) is not None,
        )


FRANCE = Where()
"""Somewhere in France."""


def opening_states(
    hours: Sequence[str],
    moments: Sequence[dt.datetime],
    *,
    where: Where | None = None,
    stay_min: float = STAY_MIN,
    country: str | None = "FR",
    coords: tuple[float, float] | None = None,
    timezone: str | None = None,
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
    where
        Where the places are.
    stay_min
        A place is open to who arrives if it stays open for these minutes.
    country, coords, timezone
        In place of ``where``: see `Where`.

    Returns
    -------
    NDArray[np.int8]
        `CLOSED`, `UNKNOWN` or `OPEN`; shape (s, t).

    Notes
    -----
    A state is unknown where holidays would decide that are in no calendar at hand, after an open
    end (``20:00+``), under a comment ("by appointment"), where hours follow the sun of an unknown
    place, and where the text is not in the syntax. ``docs/opening_hours.md`` has the rules.
    """
    where = where or Where(country=country, coords=coords, timezone=timezone)
    states = np.full((len(hours), len(moments)), UNKNOWN, dtype=np.int8)
    if not len(moments):
        return states
    zone = where.zone
    local = [wall_time(moment, zone) for moment in moments]
    at = np.array([minute_of(moment, zone) for moment in local])
    first, last = min(local), max(local)
    for rows, one in where.timelines(hours, first, last, stay_min):
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
    where: Where = FRANCE,
    stay_min: float = STAY_MIN,
) -> NDArray[np.int8]:
    """Tell which places can be visited between two moments.

    `OPEN` if a place is open for ``stay_min`` in a row between them, `UNKNOWN` if it may be,
    `CLOSED` if not; shape (s,). See `opening_states` for the rest.
    """
    zone = where.zone
    start, end = wall_time(start, zone), wall_time(end, zone)
    states = np.full(len(hours), UNKNOWN, dtype=np.int8)
    bounds = minute_of(start, zone), minute_of(end, zone)
    for rows, one in where.timelines(hours, start, end, 0.0):
        states[rows] = one.visit(*bounds, stay_min)
    return states


def next_openings(
    hours: Sequence[str],
    moment: dt.datetime,
    *,
    where: Where = FRANCE,
    stay_min: float = STAY_MIN,
) -> list[dt.datetime | None]:
    """Tell when each place is next open for a visit, by its clock; None if no such time is known.

    A place that is open has its opening behind it: the answer is then the moment itself.
    """
    zone = where.zone
    moment = wall_time(moment, zone)
    found: list[dt.datetime | None] = [None] * len(hours)
    at = minute_of(moment, zone)
    waiting = list(range(len(hours)))
    for days in (_SOON_DAYS, LONGEST_DAYS - 2):  # most open within days: few are looked up for long
        end = moment + dt.timedelta(days=days)
        texts = [hours[row] for row in waiting]
        for rows, one in where.timelines(texts, moment, end, stay_min):
            # Before its end: the last stretch of a timeline is of a length that nobody knows.
            begins = one.first_open(at, stay_min, before=minute_of(end, zone))
            for row in rows:
                found[waiting[row]] = None if begins is None else clock_time(begins, zone)
        waiting = [row for row in waiting if found[row] is None and hours[row]]
    return found
