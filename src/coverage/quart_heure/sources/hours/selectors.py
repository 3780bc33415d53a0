"""Selectors: the words of a text in the syntax that say on which days a rule holds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from quart_heure.sources.hours.dates import (
    Dated,
    Dates,
    Easter,
    Edge,
    Holiday,
    Months,
    NthWeekday,
    Selector,
    Span,
    Weekdays,
    Weeks,
    Years,
)
from quart_heure.sources.hours.tokens import Token, TokenReader

_WEEKDAYS = {name: day for day, name in enumerate(("mo", "tu", "we", "th", "fr", "sa", "su"))}
_MONTHS = {
    name: month
    for month, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1
    )
}

_T = TypeVar("_T")


class SelectorReader(TokenReader):
    """A reader of tokens that knows days, dates, weeks, years and holidays."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        super().__init__(tokens)
        self._date: Dates | None = None

    def _selectors(self) -> tuple[Selector, ...]:
        found = [self._selector()]
        # Holidays and single dates in one list: either is meant, for neither narrows the other.
        while found[-1].listed and self._is_sign(",") and self._starts_day(1):
            self._take()
            found.append(self._selector())
        if len(found) > 1 and not all(one.listed for one in found):
            self._fail()
        return tuple(one for one in found if one != Selector())

    def _selector(self) -> Selector:
        years: list[Years] = []
        dates: list[Dates] = []
        weeks: list[Weeks] = []
        if self._is_year() and not self._starts_date(1):
            years = self._list(self._years, self._is_year)
        if self._is_year() or self._starts_date():
            dates = self._list(self._dates, self._goes_on_with_dates)
        if self._took("week"):
            weeks = self._list(self._weeks, lambda: self._kind() == "number")
        if years or dates or weeks:
            self._took(":")
        days = self._list(self._weekday, self._is_weekday) if self._is_weekday() else []
        others = self._list(self._weekday, self._is_weekday) if self._is_weekday() else []
        if others and _holidays(days) == _holidays(others):
            self._fail()  # two lists of days, and nothing between them
        if days:
            self._took(":")
        return Selector(tuple(years), tuple(dates), tuple(weeks), tuple(days), tuple(others))

    def _list(self, read: Callable[[], _T], goes_on: Callable[[], bool]) -> list[_T]:
        """Read what stands between commas, as long as more of the kind follows."""
        found = [read()]
        while self._is_sign(","):
            self._at += 1
            if not goes_on():
                self._at -= 1
                break
            found.append(read())
        return found

    def _is_year(self, ahead: int = 0) -> bool:
        return self._kind(ahead) == "number" and len(self._value(ahead)) == 4

    def _is_day(self, ahead: int = 0) -> bool:
        return self._kind(ahead) == "number" and len(self._value(ahead)) <= 2

    def _starts_date(self, ahead: int = 0) -> bool:
        return self._kind(ahead) == "word" and self._value(ahead) in {*_MONTHS, "easter"}

    def _starts_day(self, ahead: int) -> bool:
        return self._starts_date(ahead) or self._is_weekday(ahead)

    def _goes_on_with_dates(self) -> bool:
        if self._is_day():  # "Jan 01,15": of the month before
            return isinstance(self._date, Span) and isinstance(self._date.last, Dated)
        return self._is_year() or self._starts_date()

    def _is_weekday(self, ahead: int = 0) -> bool:
        return self._kind(ahead) == "word" and self._value(ahead) in {*_WEEKDAYS, "ph", "sh"}

    def _years(self) -> Years:
        first = last = self._number(1900, 2200)
        if self._took("+"):
            return Years(first, 9999, 1)
        if self._took("-"):
            last = self._number(first, 2200)
        return Years(first, last, self._number(1, 100) if self._took("/") else 1)

    def _weeks(self) -> Weeks:
        first = last = self._number(1, 53)
        if self._took("-"):
            last = self._number(1, 53)
        return Weeks(first, last, self._number(1, 53) if self._took("/") else 1)

    def _dates(self) -> Dates:
        self._date = self._months() if self._is_whole_month() else self._span_of_days()
        return self._date

    def _is_whole_month(self) -> bool:
        """Tell whether a month begins here, and neither a day of it nor a range from one."""
        if self._value() not in _MONTHS or self._is_day(1):
            return False
        ahead = 2
        if self._value(1) not in _WEEKDAYS or self._value(2) != "[":
            return True
        while not self._end(ahead) and self._value(ahead) != "]":
            ahead += 1
        return not (self._value(ahead + 1) == "-" and self._starts_date(ahead + 2))

    def _months(self) -> Months:
        first = last = _MONTHS[self._take()]
        if self._is_sign("-") and self._value(1) in _MONTHS and not self._is_day(2):
            self._take()
            last = _MONTHS[self._take()]
        return Months(first, last)

    def _span_of_days(self) -> Span:
        start = self._same_month() if self._is_day() else self._edge()
        end = start
        if self._is_sign("-") and self._is_day(1) and isinstance(start, Dated):
            self._take()
            end = Dated(start.year, start.month, self._day_of(start.month, least=start.day))
        elif self._took("-"):
            end = self._edge()
        if end.year is not None and start.year is None:
            self._fail()
        return Span(start, end, self._number(1, 366) if self._took("/") else 1)

    def _same_month(self) -> Dated:
        before = self._date.last if isinstance(self._date, Span) else None
        if not isinstance(before, Dated):
            self._fail()
        return Dated(before.year, before.month, self._day_of(before.month))

    def _day_of(self, month: int, *, least: int = 1) -> int:
        return self._number(least, 29 if month == 2 else 30 if month in {4, 6, 9, 11} else 31)

    def _edge(self) -> Edge:
        year = self._number(1900, 9999) if self._is_year() else None
        if self._took("easter"):
            return Easter(year, self._offset_days(200))
        if self._value() not in _MONTHS:
            self._fail()
        month = _MONTHS[self._take()]
        if self._value() in _WEEKDAYS:
            weekday = _WEEKDAYS[self._take()]
            numbers = self._numbers()
            if len(numbers) != 1:
                self._fail()
            return NthWeekday(year, month, weekday, numbers[0], self._offset_days(6))
        return Dated(year, month, self._day_of(month))

    def _offset_days(self, most: int) -> int:
        signs = {"+": 1, "-": -1}
        if self._value() not in signs or self._value(2) not in {"day", "days"}:
            return 0
        sign = signs[self._take()]
        days = self._number(1, most)
        self._take()
        return sign * days

    def _numbers(self) -> tuple[int, ...]:
        if not self._took("["):
            self._fail()
        numbers: list[int] = []
        while True:
            sign = -1 if self._took("-") else 1
            first = last = self._number(1, 5) * sign
            if self._took("-"):
                last = self._number(1, 5)
            if last < first:
                self._fail()
            numbers += range(first, last + 1)
            if not self._took(","):
                break
        if not self._took("]"):
            self._fail()
        return tuple(numbers)

    def _weekday(self) -> Weekdays | Holiday:
        if self._value() in {"ph", "sh"}:
            return Holiday(self._take(), self._offset_days(200))
        first = last = _WEEKDAYS[self._take()]
        if self._value() == "[":
            return Weekdays(first, last, self._numbers(), self._offset_days(6))
        if self._value() == "-" and self._value(1) in _WEEKDAYS:
            self._take()
            last = _WEEKDAYS[self._take()]
        return Weekdays(first, last)


def _holidays(days: Sequence[Weekdays | Holiday]) -> bool:
    return any(isinstance(day, Holiday) for day in days)
