"""Opening hours: whether a place is open, closed or nobody can say, at some moments.

A wrong *open* sends someone to a closed door: what is not stated, not understood or not certain is
unknown, never open, and never closed either.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
import zoneinfo
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from opening_hours import (  # type: ignore[attr-defined]  # its stubs leave the error out
    OpeningHours,
    State,
    UnknownCountryError,
    validate,
)

from quart_heure.sources.hours_text import ParsedHours, hours_from_days, hours_from_text

__all__ = [
    "CLOSED",
    "OPEN",
    "STAY_MIN",
    "UNKNOWN",
    "ZONE",
    "ParsedHours",
    "hours_from_days",
    "hours_from_text",
    "is_country",
    "next_openings",
    "opening_states",
    "visit_states",
]

CLOSED, UNKNOWN, OPEN = 0, 1, 2
"""States of a place, in ascending order of what one may hope for."""

STAY_MIN = 15.0
"""Minutes that a place must stay open after one arrives, for the visit to be worth the walk."""

ZONE = "Europe/Paris"
"""Time zone of the places, where none is given."""
_STATES = {State.CLOSED: CLOSED, State.UNKNOWN: UNKNOWN, State.OPEN: OPEN}
_SUN = re.compile(r"dawn|sunrise|sunset|dusk", re.I)
_OPEN_END = re.compile(r"(\d{1,2}):(\d{2})(\s*-\s*\d{1,2}:\d{2})?\+")
_DAY = r"(?:Mo|Tu|We|Th|Fr|Sa|Su)"
_NEXT_DAYS = 400
"""How far ahead the next opening is sought, and the longest change that the library waits for."""
_TOLERANCE_MIN = 1e-6


def is_country(code: str) -> bool:
    """Tell whether the public holidays of a country are known by its ISO code."""
    try:
        OpeningHours("24/7", country=code)
    except UnknownCountryError:
        return False
    return True


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
    local = [_wall(moment, zone) for moment in moments]
    at = np.array([_minute(moment, zone) for moment in local])
    first, last = min(local), max(local)
    for rows, one in _timelines(
        hours, first, last, stay_min, country=country, coords=coords, zone=zone
    ):
        found = one.states(at, stay_min)
        for k in _second_time(local, zone):
            # The clock shows this hour again: hours that change within it hold for which of them?
            both = one.states(at[k] - np.array([0.0, _repeat_min(local[k], zone)]), 0.0)
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
    start, end = _wall(start, zone), _wall(end, zone)
    states = np.full(len(hours), UNKNOWN, dtype=np.int8)
    bounds = _minute(start, zone), _minute(end, zone)
    for rows, one in _timelines(hours, start, end, 0.0, country=country, coords=coords, zone=zone):
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
    moment = _wall(moment, zone)
    found: list[dt.datetime | None] = [None] * len(hours)
    at = _minute(moment, zone)
    end = moment + dt.timedelta(days=_NEXT_DAYS - 2)
    for rows, one in _timelines(
        hours, moment, end, stay_min, country=country, coords=coords, zone=zone
    ):
        # Before its end: the last stretch of a timeline is of a length that nobody knows.
        begins = one.first_open(at, stay_min, before=_minute(end, zone))
        for row in rows:
            found[row] = None if begins is None else _clock(begins, zone)
    return found


@dataclasses.dataclass(frozen=True, eq=False)
class _Timeline:
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
        here = np.maximum(np.searchsorted(self.since, at, side="right") - 1, 0)
        found = np.full(len(at), CLOSED, dtype=np.int8)
        for least in (UNKNOWN, OPEN):
            stays = self.until(least)[here] - at >= stay_min - _TOLERANCE_MIN
            found[(self.state[here] >= least) & stays] = least
        return found

    def visit(self, start: float, end: float, stay_min: float) -> int:
        best = CLOSED
        for least in (UNKNOWN, OPEN):
            begins = np.maximum(self.since, start)
            room = np.minimum(self.until(least), end) - begins
            if ((self.state >= least) & (room >= stay_min - _TOLERANCE_MIN)).any():
                best = least
        return best

    def first_open(self, at: float, stay_min: float, *, before: float) -> float | None:
        begins = np.maximum(self.since, at)
        until = self.until(OPEN)
        good = (self.state == OPEN) & (until - begins >= max(stay_min, _TOLERANCE_MIN))
        good &= begins < before
        return float(begins[good][0]) if good.any() else None


def _timelines(
    hours: Sequence[str],
    first: dt.datetime,
    last: dt.datetime,
    stay_min: float,
    *,
    country: str | None,
    coords: tuple[float, float] | None,
    zone: zoneinfo.ZoneInfo,
) -> Iterator[tuple[list[int], _Timeline]]:
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
            for reading in _readings(text, country=country, sun=coords is not None)
        ]
        if readings and None not in readings:
            yield where, _agreed([reading for reading in readings if reading is not None])


def _readings(text: str, *, country: str | None, sun: bool) -> list[str]:
    """Return the texts that this one may stand for; where they disagree, nobody can say.

    There is none if it cannot be read at all.
    """
    if not text.strip() or not validate(text) or (_SUN.search(text) and not sun):
        return []
    readings = [text]
    for kind in ("SH", "PH"):
        if (kind == "SH" or country is None) and _outside_quotes(rf"\b{kind}\b", text):
            readings = [
                changed
                for reading in readings
                for changed in (_never(reading, kind), _always(reading, kind))
            ]
    if _outside_quotes(_OPEN_END.pattern, text):
        readings = [
            _substitute(_OPEN_END, end, reading)
            for reading in readings
            for end in (_shortest, _longest)
        ]
    return readings if all(validate(reading) for reading in readings) else []


def _read(
    text: str,
    start: dt.datetime,
    end: dt.datetime,
    *,
    country: str | None,
    coords: tuple[float, float] | None,
    zone: zoneinfo.ZoneInfo,
) -> _Timeline | None:
    """Read one text by the local clock, which knows no change of hour, then put it on the line."""
    # By the sun, the library needs the zone; else the plain clock is what the text is about.
    sun = coords is not None and _SUN.search(text) is not None
    try:
        parsed = OpeningHours(
            text,
            country=country,
            coords=coords if sun else None,
            timezone=zone if sun else None,
            auto_country=False,
            auto_timezone=False,
            max_interval_days=_NEXT_DAYS,
        )
        found = list(parsed.intervals(start, end))
    except (ValueError, OverflowError):
        return None
    since, state = [], []
    for begins, _, what, comment in found:
        since.append(_minute(begins.replace(tzinfo=None), zone))
        # "On appointment" and the like: open under a condition.
        state.append(UNKNOWN if comment and what is State.OPEN else _STATES[what])
    return _Timeline(np.array(since), np.array(state, dtype=np.int8)) if since else None


def _agreed(readings: Sequence[_Timeline]) -> _Timeline:
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
    return _Timeline(since, agreed)


def _never(text: str, kind: str) -> str:
    """Read a text as if there were no holidays of a kind: their rules fall out."""
    kept = []
    for rule in re.split(r"(;|\|\|)", text):
        rest = _substitute(re.compile(rf"\b{kind},\s*(?={_DAY}|PH|SH)", re.I), "", rule)
        rest = _substitute(re.compile(rf"(?<=\w),\s*{kind}\b", re.I), "", rest)
        kept.append("" if _outside_quotes(rf"\b{kind}\b", rest) else rest)
    rules = [rule for rule in "".join(kept).split(";") if rule.strip(" |")]
    return ";".join(rules).strip(" |") or "off"


def _always(text: str, kind: str) -> str:
    """Read a text as if every day were a holiday of a kind."""
    text = _substitute(re.compile(rf"\b{kind}\s+(?={_DAY})", re.I), "", text)
    return _substitute(re.compile(rf"\b{kind}\b", re.I), "Mo-Su", text)


def _shortest(match: re.Match[str]) -> str:
    hour, minute = int(match[1]), int(match[2])
    if match[3]:
        return f"{hour:02}:{minute:02}{match[3]}"
    close = hour * 60 + minute + 1
    return f"{hour:02}:{minute:02}-{close // 60:02}:{close % 60:02}"


def _longest(match: re.Match[str]) -> str:
    """Let an open end last until four in the morning."""
    return f"{int(match[1]):02}:{match[2]}-{'28:00' if int(match[1]) >= 4 else '24:00'}"


def _outside_quotes(pattern: str, text: str) -> bool:
    return any(re.search(pattern, part, re.I) for part in text.split('"')[::2])


def _substitute(
    pattern: re.Pattern[str], new: str | Callable[[re.Match[str]], str], text: str
) -> str:
    """Replace a pattern outside of comments."""
    parts = text.split('"')
    parts[::2] = [pattern.sub(new, part) for part in parts[::2]]
    return '"'.join(parts)


def _wall(moment: dt.datetime, zone: zoneinfo.ZoneInfo) -> dt.datetime:
    """Return what the clock at the place shows."""
    if moment.tzinfo is None:
        return moment
    return moment.astimezone(zone).replace(tzinfo=None)


def _minute(wall: dt.datetime, zone: zoneinfo.ZoneInfo) -> float:
    """Return a moment of the clock as minutes of a line without jumps."""
    moment = wall.replace(tzinfo=zone)
    minute = moment.timestamp() / 60
    if _clock(minute, zone) == wall.replace(fold=0):
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


def _clock(minute: float, zone: zoneinfo.ZoneInfo) -> dt.datetime:
    shown = dt.datetime.fromtimestamp(round(minute * 60, 3), zone)
    return shown.replace(tzinfo=None, fold=0)


def _repeat_min(wall: dt.datetime, zone: zoneinfo.ZoneInfo) -> float:
    """Return the minutes between the two times at which the clock shows this, 0 if only once."""
    both = (wall.replace(tzinfo=zone, fold=fold).timestamp() / 60 for fold in (0, 1))
    first, second = both
    return max(0.0, second - first)


def _second_time(walls: Iterable[dt.datetime], zone: zoneinfo.ZoneInfo) -> list[int]:
    """Return the positions of the moments at which the clock shows an hour again."""
    return [k for k, wall in enumerate(walls) if wall.fold and _repeat_min(wall, zone)]
