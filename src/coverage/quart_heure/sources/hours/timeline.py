"""Timelines: the states of a place one after the other, and what they leave for a visit.

Days are told by the clock of the place, which jumps twice a year; a timeline runs in minutes of a
line without jumps.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
import zoneinfo
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from quart_heure.sources.hours.calendars import Calendar
from quart_heure.sources.hours.schedule import Place, Schedule
from quart_heure.sources.hours.syntax import (
    CLOSED,
    DAY_MIN,
    OPEN,
    UNKNOWN,
    read_rules,
)
from quart_heure.sources.hours.tokens import SyntaxFaultError

LONGEST_DAYS = 400
"""The longest wait for a change of state."""

_TOLERANCE_MIN = 1e-6


@dataclasses.dataclass(frozen=True, eq=False)
class Timeline:
    """States in a row: ``state[k]`` holds from ``since[k]`` (in minutes) to the next."""

    since: NDArray[np.float64]
    state: NDArray[np.int8]

    def until(self, least: int) -> NDArray[np.float64]:
        """Return the minute until which each stretch and those behind it are at least a state."""
        ends = np.append(self.since[1:], np.inf)
        for k in range(len(ends) - 2, -1, -1):
            if self.state[k] >= least and self.state[k + 1] >= least:
                ends[k] = ends[k + 1]
        return ends

    def states(self, at: NDArray[np.float64], stay_min: float) -> NDArray[np.int8]:
        """Return the state for who arrives at each minute and stays a while."""
        here = np.maximum(np.searchsorted(self.since, at, side="right") - 1, 0)
        found = np.full(len(at), CLOSED, dtype=np.int8)
        for least in (UNKNOWN, OPEN):
            stays = self.until(least)[here] - at >= stay_min - _TOLERANCE_MIN
            found[(self.state[here] >= least) & stays] = least
        return found

    def visit(self, start: float, end: float, stay_min: float) -> int:
        """Return the state for who can come at any time between two minutes and stays a while."""
        best = CLOSED
        for least in (UNKNOWN, OPEN):
            begins = np.maximum(self.since, start)
            room = np.minimum(self.until(least), end) - begins
            if ((self.state >= least) & (room >= stay_min - _TOLERANCE_MIN)).any():
                best = least
        return best

    def first_open(self, at: float, stay_min: float, *, before: float) -> float | None:
        """Return the first minute at or after one from which it is open for long enough."""
        begins = np.maximum(self.since, at)
        until = self.until(OPEN)
        good = (self.state == OPEN) & (until - begins >= max(stay_min, _TOLERANCE_MIN))
        good &= begins < before
        return float(begins[good][0]) if good.any() else None


def timelines(
    hours: Sequence[str],
    first: dt.datetime,
    last: dt.datetime,
    stay_min: float,
    *,
    calendar: Calendar,
    coords: tuple[float, float] | None,
    zone: zoneinfo.ZoneInfo,
    sun: bool,
) -> Iterator[tuple[list[int], Timeline]]:
    """Yield the timeline of each distinct text and the rows that have it; of those understood.

    Parameters
    ----------
    hours
        Texts in the syntax of OpenStreetMap.
    first, last
        Moments by the local clock that the timelines are to hold, with the day before the one,
        and the stay and the day after the other.
    calendar
        Whose holidays.
    coords
        Latitude and longitude.
    zone
        Time zone of the clock.
    sun
        Whether it is certain to be that of the place: else nothing is known of the sun.
    """
    rows: dict[str, list[int]] = {}
    for row, text in enumerate(hours):
        rows.setdefault(text, []).append(row)
    # A day on either side: clocks that are put back.
    start = first.date() - dt.timedelta(days=1)
    n_days = (last + dt.timedelta(days=1, minutes=stay_min)).date() - start
    place: Place | None = (*coords, zone.key) if coords is not None and sun else None
    for text, where in rows.items():
        try:
            schedule = _schedule(text, calendar, place)
        except SyntaxFaultError:
            continue
        if schedule.answers:
            yield where, _on_the_line(schedule, start, n_days.days + 1, zone)


@functools.lru_cache(maxsize=256)
def _schedule(text: str, calendar: Calendar, place: Place | None) -> Schedule:
    return Schedule(read_rules(text), calendar, place)


def _on_the_line(
    schedule: Schedule, start: dt.date, n_days: int, zone: zoneinfo.ZoneInfo
) -> Timeline:
    """Lay the days of a schedule, which know no change of the clock, one after the other."""
    since: list[float] = []
    states: list[int] = []
    one_day = dt.timedelta(days=1)
    midnight = dt.datetime.combine(start, dt.time())
    at = minute_of(midnight, zone)
    for _, day in schedule.stretches(start, n_days):
        next_at = minute_of(midnight + one_day, zone)
        plain = next_at - at == DAY_MIN  # else the clock jumps on this day
        for begin, state in day:
            if not states or states[-1] != state:
                wall = midnight + dt.timedelta(minutes=begin)
                since.append(at + begin if plain else minute_of(wall, zone))
                states.append(state)
        midnight, at = midnight + one_day, next_at
    return Timeline(np.array(since), np.array(states, dtype=np.int8))


def wall_time(moment: dt.datetime, zone: zoneinfo.ZoneInfo) -> dt.datetime:
    """Return what the clock at the place shows."""
    if moment.tzinfo is None:
        return moment
    return moment.astimezone(zone).replace(tzinfo=None)


def minute_of(wall: dt.datetime, zone: zoneinfo.ZoneInfo) -> float:
    """Return a moment of the clock as minutes of a line without jumps."""
    moment = wall.replace(tzinfo=zone)
    minute = moment.timestamp() / 60
    if clock_time(minute, zone) == wall.replace(fold=0):
        return minute
    # The clock never shows it: it jumps somewhere in the hour before, and that moment it is.
    late, early = minute, moment.replace(fold=1).timestamp() / 60
    while late - early > 1 / 128:
        middle = (late + early) / 2
        before = _offset(middle, zone) == _offset(early, zone)
        early, late = (middle, late) if before else (early, middle)
    return float(round(late))


def _offset(minute: float, zone: zoneinfo.ZoneInfo) -> dt.timedelta | None:
    return dt.datetime.fromtimestamp(minute * 60, zone).utcoffset()


def clock_time(minute: float, zone: zoneinfo.ZoneInfo) -> dt.datetime:
    """Return what the clock shows at a minute of that line."""
    shown = dt.datetime.fromtimestamp(round(minute * 60, 3), zone)
    return shown.replace(tzinfo=None, fold=0)


def repeat_min(wall: dt.datetime, zone: zoneinfo.ZoneInfo) -> float:
    """Return the minutes between the two times at which the clock shows this, 0 if only once."""
    both = (wall.replace(tzinfo=zone, fold=fold).timestamp() / 60 for fold in (0, 1))
    first, second = both
    return max(0.0, second - first)


def second_times(walls: Iterable[dt.datetime], zone: zoneinfo.ZoneInfo) -> list[int]:
    """Return the positions of the moments at which the clock shows an hour again."""
    return [k for k, wall in enumerate(walls) if wall.fold and repeat_min(wall, zone)]
