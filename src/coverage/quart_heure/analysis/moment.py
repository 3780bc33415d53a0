"""Moments: the hour that a study asks about, as people write it."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
import zoneinfo
from collections.abc import Sequence
from typing import TypedDict

from quart_heure.errors import StudyFileError
from quart_heure.hints import nearest_hint
from quart_heure.sources.hours.calendars import ZONE
from quart_heure.sources.hours.words import DAY_NAMES

YEARS = range(1970, 2200)
"""Years that may be asked about: those whose holidays and clocks are known or foreseeable."""

LONGEST_STAY_MIN = 24 * 60


class HoursAsked(TypedDict, total=False):
    """What is asked about hours, as people write it or as a program has it; none is "" or None."""

    at: str | dt.datetime | None
    on: str | dt.date | int | None
    between: Sequence[str] | tuple[dt.time, dt.time] | None
    stay_min: float
    week: bool
    week_of: str | dt.date | None
    country: str


class Hours(TypedDict, total=False):
    """The same, as a study has it."""

    at: dt.datetime | None
    on: dt.date | int | None
    between: tuple[dt.time, dt.time] | None
    stay_min: float
    week: bool
    week_of: dt.date | None
    country: str


@dataclasses.dataclass(frozen=True)
class Moment:
    """When one arrives: at a moment, or at some time within a window.

    Parameters
    ----------
    start
        The moment, by the local clock, or the begin of the window.
    end
        End of the window, None for a moment.
    """

    start: dt.datetime
    end: dt.datetime | None = None


def local_time(moment: dt.datetime, zone: zoneinfo.ZoneInfo | None = None) -> dt.datetime:
    """Return what the clock shows at a moment that may have a time zone of its own."""
    if moment.tzinfo is None:
        return moment
    return moment.astimezone(zone or zoneinfo.ZoneInfo(ZONE)).replace(tzinfo=None)


def read_hours(asked: HoursAsked) -> Hours:
    """Read what a study file, the command line or a program asks about hours.

    A reference week that is written down is one to be judged.

    Raises
    ------
    StudyFileError
        If a value cannot be read.
    """
    hours: Hours = {}
    if "at" in asked:
        at = asked["at"] or None
        hours["at"] = read_at(at) if isinstance(at, str) else at
    if "on" in asked:
        on = None if asked["on"] == "" else asked["on"]
        hours["on"] = read_day(on) if isinstance(on, str) else on
    if "between" in asked:
        hours["between"] = _window(asked["between"])
    if "stay_min" in asked:
        hours["stay_min"] = asked["stay_min"]
    if "week" in asked:
        hours["week"] = asked["week"]
    if "week_of" in asked:
        day = asked["week_of"] or None
        hours["week_of"] = read_date(day) if isinstance(day, str) else day
        if day is not None:
            hours["week"] = True
    if asked.get("country"):
        hours["country"] = asked["country"]
    return hours


def _window(
    written: Sequence[str] | tuple[dt.time, dt.time] | None,
) -> tuple[dt.time, dt.time] | None:
    if not written:
        return None
    ends = [end for end in written if isinstance(end, str)]
    if len(written) != 2:
        msg = f"between has {len(written)} times."
        raise StudyFileError(msg, hint='Give two, like ["18:00", "22:00"].')
    if len(ends) == 2:
        return read_between(*ends)
    begin, close = (_clock(end) if isinstance(end, str) else end for end in written)
    return begin, close


def read_date(text: str) -> dt.date:
    """Read a date such as "2026-12-07".

    Raises
    ------
    StudyFileError
        If it is not one.
    """
    try:
        return dt.date.fromisoformat(text.strip())
    except ValueError as error:
        msg = f"week_of is {text!r}, which is not a date."
        raise StudyFileError(msg, hint='Write it like "2026-12-07".') from error


def read_at(text: str) -> dt.datetime:
    """Read a moment such as "2026-12-06 18:00".

    Raises
    ------
    StudyFileError
        If it is not a date and a time of day.
    """
    try:
        moment = dt.datetime.fromisoformat(text.strip())
    except ValueError as error:
        msg = f"at is {text!r}, which is not a date and a time."
        raise StudyFileError(msg, hint='Write it like "2026-12-06 18:00".') from error
    if re.fullmatch(r"\d{4}-?\d{2}-?\d{2}", text.strip()):
        msg = f"at is {text!r}, a day without a time."
        raise StudyFileError(msg, hint='Write it like "2026-12-06 18:00", or give the day as on.')
    return moment


def read_day(text: str) -> dt.date | int:
    """Read a date, or a day of the week by its French or English name (Monday is 0).

    Examples
    --------
    >>> read_day("dimanche"), read_day("Sunday"), read_day("2026-12-06")
    (6, 6, datetime.date(2026, 12, 6))

    Raises
    ------
    StudyFileError
        If it is neither.
    """
    word = text.strip().casefold()
    if word in DAY_NAMES:
        return DAY_NAMES[word]
    try:
        return dt.date.fromisoformat(word)
    except ValueError as error:
        days = [name for name in DAY_NAMES if len(name) > 3]
        msg = f"on is {text!r}, which is not a day."
        hint = nearest_hint(word, days, "Give a day of the week or a date.")
        raise StudyFileError(msg, hint=hint) from error


def read_between(start: str, end: str) -> tuple[dt.time, dt.time]:
    """Read the two ends of a window, such as "18:00" and "22h"; midnight at its end is "24:00".

    Raises
    ------
    StudyFileError
        If one is not a time of day, or both are the same.
    """
    begin, close = _clock(start), _clock(end)
    if begin == close and end.strip()[:2] != "24":
        msg = f"between is {start!r} and {end!r}, which is no time at all."
        raise StudyFileError(msg, hint="Give two times of the day, or none for the whole day.")
    return begin, close


def moment_of(day: dt.date, between: tuple[dt.time, dt.time] | None, *, stay_min: float) -> Moment:
    """Return the window of a day; one that ends before it begins runs past midnight.

    Raises
    ------
    StudyFileError
        If it is shorter than the stay.
    """
    begin, close = between or (dt.time(), dt.time())
    start, end = (dt.datetime.combine(day, clock) for clock in (begin, close))
    if end <= start:
        end += dt.timedelta(days=1)
    if end - start < dt.timedelta(minutes=stay_min):
        window = f"{begin:%H:%M} to {close:%H:%M}"
        msg = f"The window {window} is shorter than a stay of {stay_min:g} minutes."
        raise StudyFileError(msg, hint="Widen it, or shorten the stay.")
    return Moment(start, end)


def _clock(text: str) -> dt.time:
    match = re.fullmatch(r"(\d{1,2})(?:[:h](\d{2})?)?", text.strip().casefold())
    hour, minute = (int(match[1]), int(match[2] or 0)) if match else (99, 0)
    if (hour, minute) == (24, 0):
        return dt.time()
    if hour > 23 or minute > 59:
        msg = f"between has {text!r}, which is not a time of day."
        raise StudyFileError(msg, hint='Write it like "18:00" or "18h".')
    return dt.time(hour, minute)
