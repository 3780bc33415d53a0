"""Dates: which days the selectors of a rule select, over many days at once."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
Days = NDArray[np.datetime64]
"""Days in a row, as ``datetime64[D]``."""

Holidays = Callable[[str, Days], Mask]
"""Tells which days are holidays of a kind, ``ph`` (public) or ``sh`` (school)."""

_WEEK = 7


@dataclasses.dataclass(frozen=True)
class Years:
    """Years from the first to the last, each step-th of them."""

    first: int
    last: int
    step: int

    def select(self, days: Days) -> Mask:
        """Tell which days are in these years."""
        year = _year(days)
        held: Mask = (year >= self.first) & (year <= self.last)
        held &= (year - self.first) % self.step == 0
        return held


@dataclasses.dataclass(frozen=True)
class Weeks:
    """Weeks by their ISO number, each step-th of them; they may run over the turn of the year."""

    first: int
    last: int
    step: int

    def select(self, days: Days) -> Mask:
        """Tell which days are in these weeks."""
        week = iso_week(days)
        if self.first <= self.last:
            held: Mask = (week >= self.first) & (week <= self.last)
        else:
            held = (week >= self.first) | (week <= self.last)
        held &= (week - self.first) % self.step == 0
        return held


@dataclasses.dataclass(frozen=True)
class Months:
    """Whole months, every year; they may run over the turn of the year."""

    first: int
    last: int

    def select(self, days: Days) -> Mask:
        """Tell which days are in these months."""
        month = _month(days)
        if self.first <= self.last:
            held: Mask = (month >= self.first) & (month <= self.last)
        else:
            held = (month >= self.first) | (month <= self.last)
        return held


@dataclasses.dataclass(frozen=True)
class Dated:
    """A day by its date, of one year or of each."""

    year: int | None
    month: int
    day: int

    def of(self, year: int) -> np.datetime64:
        """Return it in a year, `NaT` if that year has no such day."""
        try:
            return np.datetime64(dt.date(year, self.month, self.day))
        except ValueError:
            return np.datetime64("NaT", "D")


@dataclasses.dataclass(frozen=True)
class Easter:
    """Easter Sunday, and days after it."""

    year: int | None
    offset: int

    def of(self, year: int) -> np.datetime64:
        """Return it in a year."""
        return easter_sunday(year) + np.timedelta64(self.offset, "D")


@dataclasses.dataclass(frozen=True)
class NthWeekday:
    """The n-th such weekday of a month (from its end if negative), and days after it."""

    year: int | None
    month: int
    weekday: int
    number: int
    offset: int

    def of(self, year: int) -> np.datetime64:
        """Return it in a year, `NaT` if that month has no such day."""
        first = np.datetime64(dt.date(year, self.month, 1))
        days = first + np.arange(31).astype("timedelta64[D]")
        days = days[_month(days) == self.month]
        days = days[weekday(days) == self.weekday]
        at = self.number - 1 if self.number > 0 else len(days) + self.number
        if not 0 <= at < len(days):
            return np.datetime64("NaT", "D")
        found: np.datetime64 = days[at] + np.timedelta64(self.offset, "D")
        return found


Edge = Dated | Easter | NthWeekday


@dataclasses.dataclass(frozen=True)
class Span:
    """Days from one to another, both included, of one year or of each; each step-th of them."""

    first: Edge
    last: Edge
    step: int = 1

    def select(self, days: Days) -> Mask:
        """Tell which days lie between them."""
        held = np.zeros(len(days), dtype=bool)
        for begin, end in self._of(days):
            if np.isnat(begin) or np.isnat(end):
                continue
            inside = (days >= begin) & (days <= end)
            if self.step > 1:
                inside &= (days - begin).astype(np.int64) % self.step == 0
            held |= inside
        return held

    def _of(self, days: Days) -> list[tuple[np.datetime64, np.datetime64]]:
        """Return begin and end of each such stretch that may meet the days."""
        if not len(days):
            return []
        if self.first.year is not None:
            begin = self.first.of(self.first.year)
            end = self.last.of(self.last.year or self.first.year)
            if self.last.year is None and end < begin:
                end = self.last.of(self.first.year + 1)
            return [(begin, end)]
        years = _year(days)
        found = []
        for year in range(int(years.min()) - 1, int(years.max()) + 1):
            begin, end = self.first.of(year), self.last.of(year)
            if end < begin:
                end = self.last.of(year + 1)
            found.append((begin, end))
        return [*found, (self.first.of(year + 1), self.last.of(year + 1))]


Dates = Months | Span


@dataclasses.dataclass(frozen=True)
class Weekdays:
    """Days of the week from one to another; only the n-th of their month, if numbers are given."""

    first: int
    last: int
    numbers: tuple[int, ...] = ()
    offset: int = 0

    def select(self, days: Days, holidays: Holidays) -> Mask:  # noqa: ARG002 - as `Holiday` has it
        """Tell which days are such."""
        days = days - np.timedelta64(self.offset, "D")
        held: Mask = (weekday(days) - self.first) % _WEEK <= (self.last - self.first) % _WEEK
        if not self.numbers:
            return held
        day = (days - days.astype("datetime64[M]").astype(days.dtype)).astype(np.int64)
        month_end = (days.astype("datetime64[M]") + np.timedelta64(1, "M")).astype(days.dtype)
        from_end = (month_end - days).astype(np.int64) - 1
        number, number_from_end = day // _WEEK + 1, -(from_end // _WEEK) - 1
        return held & (np.isin(number, self.numbers) | np.isin(number_from_end, self.numbers))


@dataclasses.dataclass(frozen=True)
class Holiday:
    """Holidays of a kind, ``ph`` or ``sh``, or the days some days after them."""

    kind: str
    offset: int = 0

    def select(self, days: Days, holidays: Holidays) -> Mask:
        """Tell which days are such."""
        return holidays(self.kind, days - np.timedelta64(self.offset, "D"))


@dataclasses.dataclass(frozen=True)
class Selector:
    """Days that are in one of each list that is given: *Monday to Friday* and *in July*.

    A holiday that falls on such a day is meant by two lists of days (``PH Mo-Fr``); in one list
    (``PH,Mo-Fr``), either is.
    """

    years: tuple[Years, ...] = ()
    dates: tuple[Dates, ...] = ()
    weeks: tuple[Weeks, ...] = ()
    days: tuple[Weekdays | Holiday, ...] = ()
    days_too: tuple[Weekdays | Holiday, ...] = ()

    @property
    def weekly(self) -> bool:
        """Whether nothing but days of the week, the same in each, are selected."""
        plain = all(isinstance(day, Weekdays) and not day.numbers for day in self.days)
        return plain and self == Selector(days=self.days)

    @property
    def listed(self) -> bool:
        """Whether it may stand in one list with another: days of the week, holidays or dates."""
        if self.days:
            return self == Selector(days=self.days)
        single = all(isinstance(one, Span) and one.first == one.last for one in self.dates)
        return single and bool(self.dates) and self == Selector(dates=self.dates)

    @property
    def holiday_kinds(self) -> frozenset[str]:
        """Kinds of holidays that it depends on."""
        return frozenset(
            day.kind for day in (*self.days, *self.days_too) if isinstance(day, Holiday)
        )

    def select(self, days: Days, holidays: Holidays) -> Mask:
        """Tell which days are selected; shape (d,)."""
        held = np.ones(len(days), dtype=bool)
        for plain in (self.years, self.dates, self.weeks):
            if plain:
                held &= _any([one.select(days) for one in plain])
        for listed in (self.days, self.days_too):
            if listed:
                held &= _any([one.select(days, holidays) for one in listed])
        return held


def _any(masks: Sequence[Mask]) -> Mask:
    joined: Mask = np.logical_or.reduce(masks)
    return joined


def weekday(days: Days) -> NDArray[np.int64]:
    """Return the day of the week, Monday being 0."""
    day: NDArray[np.int64] = (days.astype("datetime64[D]").astype(np.int64) + 3) % _WEEK
    return day


def iso_week(days: Days) -> NDArray[np.int64]:
    """Return the ISO number of the week: that of its Thursday in the year."""
    thursday = days + (3 - weekday(days)).astype("timedelta64[D]")
    start = thursday.astype("datetime64[Y]").astype("datetime64[D]")
    week: NDArray[np.int64] = (thursday - start).astype(np.int64) // _WEEK + 1
    return week


def easter_sunday(year: int) -> np.datetime64:
    """Return Easter Sunday of the Gregorian calendar (the anonymous computation of 1876)."""
    a, (b, c) = year % 19, divmod(year, 100)
    h = (19 * a + b - b // 4 - (b - (b + 8) // 25 + 1) // 3 + 15) % 30
    k = (32 + 2 * (b % 4) + 2 * (c // 4) - h - c % 4) % 7
    month, day = divmod(h + k - 7 * ((a + 11 * h + 22 * k) // 451) + 114, 31)
    return np.datetime64(dt.date(year, month, day + 1))


def _year(days: Days) -> NDArray[np.int64]:
    return days.astype("datetime64[Y]").astype(np.int64) + 1970


def _month(days: Days) -> NDArray[np.int64]:
    return days.astype("datetime64[M]").astype(np.int64) % 12 + 1
