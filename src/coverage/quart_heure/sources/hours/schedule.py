"""Schedules: what the rules of a text make of each day, and of the nights between the days.

A night belongs to the evening on which it begins. What the next day's rules say of the hours after
midnight is decided in `_with_night`, and told in ``docs/opening_hours.md``.
"""

from __future__ import annotations

import datetime as dt
import functools
import itertools
import zoneinfo
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from quart_heure.sources.hours.calendars import Calendar
from quart_heure.sources.hours.dates import Days, Mask
from quart_heure.sources.hours.syntax import (
    CLOSED,
    DAY_MIN,
    OPEN,
    UNKNOWN,
    Rule,
    SunTime,
    TimeSpan,
)

_OPEN_END_MIN, _OPEN_END_UNTIL = 10 * 60, 28 * 60
"""An open end is unknown for so long, and at least until four in the morning."""

_TWO_DAYS = 2 * DAY_MIN

_DAYS_KEPT = 64
"""Days of a text that are alike are judged once; by the sun, no two of them are."""

_BY_DEFAULT = {"dawn": 330, "sunrise": 360, "sunset": 1080, "dusk": 1110}
"""Minutes that tell only which of two times of a span is the earlier one."""

Place = tuple[float, float, str]
"""Latitude, longitude and time zone, for the sun."""

Stretch = tuple[int, int]
"""Minute at which a state begins, and the state; it holds until the next one begins."""

Day = tuple[tuple[int, ...], dt.date | None]
"""Rules that hold on a day by their positions, and its date if the sun plays a part."""


class Schedule:
    """The rules of one text, where the sun and the holidays are those of a place."""

    def __init__(self, rules: Sequence[Rule], calendar: Calendar, place: Place | None) -> None:
        self._rules = tuple(rules)
        self._calendar = calendar
        self._place = place
        self._sunny = any(
            isinstance(at, SunTime) for rule in rules for span in rule.times for at in _ends(span)
        )
        self._own = functools.lru_cache(_DAYS_KEPT)(self._own_day)
        self._whole = functools.lru_cache(_DAYS_KEPT)(self._whole_day)
        self._days: dict[tuple[object, ...], tuple[Stretch, ...]] = {}

    @property
    def answers(self) -> bool:
        """Whether anything can be said: of hours by the sun of an unknown place, nothing can."""
        return self._place is not None or not self._sunny

    def stretches(self, first: dt.date, n_days: int) -> Iterator[tuple[dt.date, Sequence[Stretch]]]:
        """Yield each day and its states in a row, from midnight to midnight."""
        days = np.datetime64(first) + np.arange(-1, n_days).astype("timedelta64[D]")
        views = self._views(days)
        # Few sets of rules hold on any day: each is numbered, and judged once.
        columns, numbers = np.unique(np.concatenate(views, axis=1), axis=1, return_inverse=True)
        holding = [tuple(np.flatnonzero(column).tolist()) for column in columns.T]
        alike = [tuple(sorted(set(day))) for day in numbers.reshape(len(views), -1).T.tolist()]
        one_day = dt.timedelta(days=1)
        for k, (before, today) in enumerate(itertools.pairwise(alike)):
            date = first + k * one_day
            dates = (date - one_day, date) if self._sunny else (None, None)
            if (before, today, dates[1]) not in self._days:
                found = {
                    self._whole((holding[one], dates[0]), (holding[other], dates[1]))
                    for one in before
                    for other in today
                }
                self._days[before, today, dates[1]] = _joined(found)
            yield date, self._days[before, today, dates[1]]
        self._days.clear()

    def _views(self, days: Days) -> list[Mask]:
        """Return which rules hold on which days, in each view of the holidays that may be right.

        Shapes (rules, days). A day of which nobody knows whether it is a holiday is one in the
        one view and none in the other; where they disagree in the end, nobody can say.
        """
        kinds = sorted({k for rule in self._rules for s in rule.selectors for k in s.holiday_kinds})
        views = []
        for guesses in itertools.product((False, True), repeat=len(kinds)):
            holidays = functools.partial(self._holidays, dict(zip(kinds, guesses, strict=True)))
            views.append(
                np.array(
                    [
                        np.logical_or.reduce([s.select(days, holidays) for s in rule.selectors])
                        if rule.selectors
                        else np.ones(len(days), dtype=bool)
                        for rule in self._rules
                    ]
                )
            )
        return views

    def _holidays(self, guess: Mapping[str, bool], kind: str, days: Days) -> Mask:
        held, known = self._calendar.select(kind, days)
        return np.where(known, held, guess[kind])

    # --- one day ---

    def _whole_day(self, before: Day, today: Day) -> tuple[Stretch, ...]:
        """Return the states of a day, with the night before it."""
        state, rule = self._own(today)
        eve, eve_rule = self._own(before)
        day = state[:DAY_MIN], rule[:DAY_MIN]
        night = eve[DAY_MIN:], eve_rule[DAY_MIN:]
        return _stretches(_with_night(self._rules, today[0], day, night))

    def _own_day(self, day: Day) -> tuple[NDArray[np.int8], NDArray[np.int16]]:
        """Paint two days with the rules of the first: states, and the rules they are of.

        Returns
        -------
        tuple
            Shapes (2880,); rule -1 where none speaks.
        """
        holding, date = day
        state = np.full(_TWO_DAYS, CLOSED, dtype=np.int8)
        owner = np.full(_TWO_DAYS, -1, dtype=np.int16)
        for k in holding:
            rule = self._rules[k]
            said = rule.state
            if _closes_the_rest(rule) and k:
                # "Mo-Fr 09:00-17:00; off": closed for good, or closed but for these hours?
                state = np.minimum(state, UNKNOWN).astype(np.int8)
                continue
            if _replaces(rule) or (said == CLOSED and not rule.times and not rule.fallback):
                state[:], owner[:] = CLOSED, -1
            if rule.resumes and not self._continues(k, holding):
                said = UNKNOWN  # hours of no day: of those before them, or of every day?
            for begin, end, what in self._times(rule, said, date):
                taken = np.zeros(_TWO_DAYS, dtype=bool)
                taken[begin:end] = True
                if rule.fallback or rule.resumes:
                    taken &= state == CLOSED if rule.fallback else state <= what
                state[taken], owner[taken] = what, k
        return state, owner

    def _continues(self, k: int, holding: Sequence[int]) -> bool:
        """Tell whether the rule whose days these hours continue holds on the day."""
        while self._rules[k].resumes:
            k -= 1
        return k in holding

    def _times(self, rule: Rule, state: int, date: dt.date | None) -> list[tuple[int, int, int]]:
        """Return begin, end and state of what a rule says, over two days."""
        if not rule.times:
            return [(0, DAY_MIN, state)]
        found = []
        for span in rule.times:
            begin, end = (self._minute(at, date) for at in _ends(span, whole=True))
            if begin is None or (span.end is not None and end is None):
                found.append((0, DAY_MIN, UNKNOWN))  # where the sun does not rise, who can say?
                continue
            if span.end is not None and end is not None:
                wraps = _default(span.end) <= _default(span.begin)
                end += DAY_MIN if wraps and end <= DAY_MIN else 0
                found.append((begin, min(end, _TWO_DAYS), state))
                begin = end
            if span.open_end and state == OPEN:
                until = max(begin + _OPEN_END_MIN, _OPEN_END_UNTIL)
                found.append((begin, min(until, _TWO_DAYS), UNKNOWN))
            elif span.open_end:
                found.append((begin, max(DAY_MIN, begin), state))
        return [(begin, end, what) for begin, end, what in found if begin < end]

    def _minute(self, at: int | SunTime | None, date: dt.date | None) -> int | None:
        if not isinstance(at, SunTime):
            return at
        if self._place is None or date is None:
            return None
        minute = sun_minutes(date, self._place).get(at.event)
        return None if minute is None else min(max(minute + at.offset_min, 0), _TWO_DAYS)


def _replaces(rule: Rule) -> bool:
    """Tell whether a rule replaces those before it on its days, by the grammar."""
    return rule.state != CLOSED and not rule.additional and not rule.fallback


def _closes_the_rest(rule: Rule) -> bool:
    return rule.state == CLOSED and not (rule.selectors or rule.times or rule.fallback)


def _ends(span: TimeSpan, *, whole: bool = False) -> tuple[int | SunTime | None, ...]:
    return (span.begin, span.end) if whole or span.end is not None else (span.begin,)


def _default(at: int | SunTime) -> int:
    return at if isinstance(at, int) else _BY_DEFAULT[at.event] + at.offset_min


def _with_night(
    rules: Sequence[Rule],
    holding: Sequence[int],
    day: tuple[NDArray[np.int8], NDArray[np.int16]],
    night: tuple[NDArray[np.int8], NDArray[np.int16]],
) -> NDArray[np.int8]:
    """Lay the night before over a day; shape (1440,).

    The night goes on into the day, whatever hours the day has of its own. Not if a later rule
    closes these hours by name; and nobody can say if a later rule closes the whole day, or is of a
    date or a holiday: it may begin at midnight, or in the morning.
    """
    state, rule = day
    dark, dark_rule = night
    joined = state.copy()
    timed = np.array([*(bool(one.times) for one in rules), False])
    for k in np.unique(dark_rule[dark_rule >= 0]).tolist():
        here = dark_rule == k
        if rules[k].state == CLOSED:
            # Hours that are closed past midnight: they cut what an earlier rule says.
            joined[here & (rule < k)] = CLOSED
            continue
        later = [rules[q] for q in holding if q > k]
        doubtful = any(
            (one.state == CLOSED and not one.times)
            or (_replaces(one) and not (one.weekly and rules[k].weekly))
            for one in later
        )
        shut = (state == CLOSED) & (rule > k) & timed[rule]
        most = np.minimum(dark, UNKNOWN) if doubtful else dark
        joined = np.where(here & ~shut, np.maximum(joined, most), joined).astype(np.int8)
    return joined


def _stretches(state: NDArray[np.int8]) -> tuple[Stretch, ...]:
    begins = [0, *(np.flatnonzero(np.diff(state)) + 1).tolist()]
    return tuple((begin, int(state[begin])) for begin in begins)


def _joined(days: set[tuple[Stretch, ...]]) -> tuple[Stretch, ...]:
    """Join what a day may be: what all agree on, and unknown where they do not."""
    if len(days) == 1:
        return next(iter(days))
    each = np.array([_painted(day) for day in days])
    return _stretches(np.where((each == each[0]).all(axis=0), each[0], UNKNOWN).astype(np.int8))


def _painted(day: Sequence[Stretch]) -> NDArray[np.int8]:
    begins = [begin for begin, _ in day]
    lengths = np.diff([*begins, DAY_MIN])
    return np.repeat(np.array([state for _, state in day], dtype=np.int8), lengths)


@functools.lru_cache(maxsize=4096)
def sun_minutes(date: dt.date, place: Place) -> dict[str, int]:
    """Return dawn, sunrise, sunset and dusk of a day, in minutes by the clock of the place.

    Dawn and dusk are civil: the sun is 6° below the horizon. An event that does not happen that day
    is left out.
    """
    from astral import Observer  # noqa: PLC0415 - few texts speak of the sun
    from astral.sun import dawn, dusk, sunrise, sunset  # noqa: PLC0415

    lat, lon, name = place
    zone = zoneinfo.ZoneInfo(name)
    midnight = dt.datetime.combine(date, dt.time())
    found = {}
    for event, of in (("dawn", dawn), ("sunrise", sunrise), ("sunset", sunset), ("dusk", dusk)):
        try:
            at = of(Observer(lat, lon), date=date, tzinfo=zone).replace(tzinfo=None)
        except ValueError:
            continue
        found[event] = int((at - midnight).total_seconds() // 60)
    return found
