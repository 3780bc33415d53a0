"""Timelines: the states of a place one after the other, and what they leave for a visit."""

from __future__ import annotations

import dataclasses
import datetime as dt
import zoneinfo
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from opening_hours import OpeningHours, State

from quart_heure.sources.hours.clock import minute_of
from quart_heure.sources.hours.readings import BY_THE_SUN, readings_of

CLOSED, UNKNOWN, OPEN = 0, 1, 2
"""States of a place, in ascending order of what one may hope for."""

LONGEST_DAYS = 400
"""The longest wait for a change of state."""

_STATES = {State.CLOSED: CLOSED, State.UNKNOWN: UNKNOWN, State.OPEN: OPEN}
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
    country: str | None,
    coords: tuple[float, float] | None,
    zone: zoneinfo.ZoneInfo,
) -> Iterator[tuple[list[int], Timeline]]:
    """Yield the timeline of each distinct text and the rows that have it; of those understood."""
    rows: dict[str, list[int]] = {}
    for row, text in enumerate(hours):
        rows.setdefault(text, []).append(row)
    # A day on either side: hours that run past midnight, and clocks that are put back.
    start = first - dt.timedelta(days=1)
    end = last + dt.timedelta(days=1, minutes=stay_min)
    for text, where in rows.items():
        readings = [
            _read(reading, start, end, country=country, coords=coords, zone=zone)
            for reading in readings_of(text, country=country, sun=coords is not None)
        ]
        if readings and None not in readings:
            yield where, _agreed([reading for reading in readings if reading is not None])


def _read(
    text: str,
    start: dt.datetime,
    end: dt.datetime,
    *,
    country: str | None,
    coords: tuple[float, float] | None,
    zone: zoneinfo.ZoneInfo,
) -> Timeline | None:
    """Read one text by the local clock, which knows no change of hour, then put it on the line."""
    # By the sun, the library needs the zone; else the plain clock is what the text is about.
    sun = coords is not None and BY_THE_SUN.search(text) is not None
    try:
        parsed = OpeningHours(
            text,
            country=country,
            coords=coords if sun else None,
            timezone=zone if sun else None,
            auto_country=False,
            auto_timezone=False,
            max_interval_days=LONGEST_DAYS,
        )
        found = list(parsed.intervals(start, end))
    except (ValueError, OverflowError):
        return None
    since, state = [], []
    for begins, _, what, comment in found:
        since.append(minute_of(begins.replace(tzinfo=None), zone))
        # "On appointment" and the like: open under a condition.
        state.append(UNKNOWN if comment and what is State.OPEN else _STATES[what])
    return Timeline(np.array(since), np.array(state, dtype=np.int8)) if since else None


def _agreed(readings: Sequence[Timeline]) -> Timeline:
    """Join readings of one text: what they agree on, and unknown where they do not."""
    if len(readings) == 1:
        return readings[0]
    since = np.unique(np.concatenate([one.since for one in readings]))
    each = np.stack(
        [
            one.state[np.maximum(np.searchsorted(one.since, since, side="right") - 1, 0)]
            for one in readings
        ]
    )
    agreed = np.where((each == each[0]).all(axis=0), each[0], UNKNOWN).astype(np.int8)
    return Timeline(since, agreed)
