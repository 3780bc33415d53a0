"""Syntax: a text in the syntax of OpenStreetMap, taken apart into its rules to the last sign.

The grammar is that of https://wiki.openstreetmap.org/wiki/Key:opening_hours/specification. What is
not in it is no hours: `read_rules` refuses the whole text, for half of one may mean the contrary.
"""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Callable, Sequence
from typing import NoReturn, TypeVar

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

CLOSED, UNKNOWN, OPEN = 0, 1, 2
"""States of a place, in ascending order of what one may hope for."""

LONGEST_TEXT = 1_000
"""Signs; longer texts are no hours of a door."""

DAY_MIN = 24 * 60

_WEEKDAYS = {name: day for day, name in enumerate(("mo", "tu", "we", "th", "fr", "sa", "su"))}
_MONTHS = {
    name: month
    for month, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1
    )
}
_SUN = ("dawn", "sunrise", "sunset", "dusk")
_MODIFIERS = {"open": OPEN, "off": CLOSED, "closed": CLOSED, "unknown": UNKNOWN}
_PLAIN = str.maketrans({**dict.fromkeys("‐‑‒–—−", "-"), **dict.fromkeys("“”„", '"'), "\xa0": " "})
_TOKEN = re.compile(
    r'\s*(?:(?P<comment>"[^"]*")|(?P<always>24/7)|(?P<time>\d{1,2}:\d{2}(?!\d))'
    r"|(?P<number>\d+)|(?P<word>[A-Za-z]+)|(?P<sign>\|\||[-,;:+/()\[\]]))"
)


@dataclasses.dataclass(frozen=True)
class SunTime:
    """A moment of the sun (dawn, sunrise, sunset, dusk), and minutes after it."""

    event: str
    offset_min: int = 0


@dataclasses.dataclass(frozen=True)
class TimeSpan:
    """Times of a day, in minutes; an end beyond 24:00 is in the day after.

    Parameters
    ----------
    begin, end
        Minutes of the day or of the sun; no end where the text gives none.
    open_end
        Whether it goes on after its end, nobody knows for how long.
    """

    begin: int | SunTime
    end: int | SunTime | None
    open_end: bool = False


@dataclasses.dataclass(frozen=True, kw_only=True)
class Rule:
    """One rule: on which days, at which times, in which state.

    Parameters
    ----------
    selectors
        Days: those that any of them selects; every day if there is none.
    times
        Spans; the whole day if there is none.
    state
        Closed, unknown or open in these times.
    additional
        Adds to the rules before it, where others replace them on their days.
    fallback
        Speaks only where those before it leave the place closed.
    resumes
        Has times and no days, after a rule that has (``Mo-Fr 09:00-12:00; 14:00-17:00``).
    """

    selectors: tuple[Selector, ...]
    times: tuple[TimeSpan, ...]
    state: int
    additional: bool = False
    fallback: bool = False
    resumes: bool = False

    @property
    def weekly(self) -> bool:
        """Whether nothing but days of the week says when it holds."""
        return all(one.weekly for one in self.selectors)


class SyntaxFaultError(ValueError):
    """A text that is not in the syntax, and the part at which this shows."""


def is_osm_hours(text: str) -> bool:
    """Tell whether a text is in the syntax of OpenStreetMap, to the last sign."""
    try:
        return bool(read_rules(text))
    except SyntaxFaultError:
        return False


@functools.lru_cache(maxsize=4096)
def read_rules(text: str) -> tuple[Rule, ...]:
    """Read the rules of a text.

    Raises
    ------
    SyntaxFaultError
        If any part of it is not in the syntax.
    """
    if len(text) > LONGEST_TEXT:
        msg = f"{text[:40]!r}… is longer than {LONGEST_TEXT} signs"
        raise SyntaxFaultError(msg)
    rules = _Reader(_tokens(text.translate(_PLAIN))).rules()
    if not rules:
        msg = "no rule at all"
        raise SyntaxFaultError(msg)
    return tuple(rules)


_Token = tuple[str, str]
_T = TypeVar("_T")


def _tokens(text: str) -> list[_Token]:
    found: list[_Token] = []
    at, end = 0, len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            msg = f"{text[at : at + 20].strip()!r}"
            raise SyntaxFaultError(msg)
        kind, value = match.lastgroup, match[match.lastgroup]
        if kind == "word" and value == "WE":
            # In French capitals, the week-end; in the syntax, Wednesday.
            msg = "'WE', Wednesday or week-end"
            raise SyntaxFaultError(msg)
        found.append((kind, value if kind == "comment" else value.lower()))
        at = match.end()
    return found


class _Reader:
    """A reader of tokens in a row."""

    def __init__(self, tokens: Sequence[_Token]) -> None:
        self._tokens = tokens
        self._at = 0
        self._date: Dates | None = None

    def rules(self) -> list[Rule]:
        rules: list[Rule] = []
        separator = ";"
        while True:
            if not self._end() and self._value() not in {";", "||"}:
                rules.append(self._rule(separator, rules))
            elif separator == "||" or (not self._end() and self._value() == "||" and not rules):
                self._fail()
            if self._end():
                return rules
            if self._value() not in {";", "||", ","}:
                self._fail()
            separator = self._take()
            if separator == "," and self._end():
                self._fail()

    # --- tokens ---

    def _end(self, ahead: int = 0) -> bool:
        return self._at + ahead >= len(self._tokens)

    def _kind(self, ahead: int = 0) -> str:
        return "" if self._end(ahead) else self._tokens[self._at + ahead][0]

    def _value(self, ahead: int = 0) -> str:
        return "" if self._end(ahead) else self._tokens[self._at + ahead][1]

    def _take(self) -> str:
        if self._end():
            self._fail()
        self._at += 1
        return self._tokens[self._at - 1][1]

    def _took(self, value: str) -> bool:
        if self._value() != value or self._kind() == "comment":
            return False
        self._at += 1
        return True

    def _number(self, least: int, most: int) -> int:
        if self._kind() != "number" or not least <= int(self._value()[:9]) <= most:
            self._fail()
        return int(self._take())

    def _fail(self) -> NoReturn:
        rest = " ".join(value for _, value in self._tokens[self._at : self._at + 4])
        msg = f"{rest!r}" if rest else "an end too early"
        raise SyntaxFaultError(msg)

    # --- rules ---

    def _rule(self, separator: str, before: Sequence[Rule]) -> Rule:
        selectors = self._selectors()
        always = self._kind() == "always"
        times = self._times()
        modifier = _MODIFIERS.get(self._value()) if self._kind() == "word" else None
        if modifier is not None:
            self._take()
        comment = self._kind() == "comment"
        if comment:
            self._take()
        if not (selectors or times or comment or modifier is not None):
            self._fail()
        state = OPEN if modifier is None else modifier
        # "On appointment" and the like: open under a condition. Days without hours say nothing of
        # the hours: that they are open day and night is meant where it is said.
        if state == OPEN and (comment or (modifier is None and not times)):
            state = UNKNOWN
        resumes = separator == ";" and bool(times) and not selectors and not always
        resumes &= bool(before) and state == OPEN and (bool(before[-1].selectors))
        return Rule(
            selectors=selectors,
            times=times,
            state=state,
            additional=separator == "," or resumes,
            fallback=separator == "||",
            resumes=resumes,
        )

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

    # --- days ---

    def _is_sign(self, sign: str) -> bool:
        return self._kind() == "sign" and self._value() == sign

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

    # --- times ---

    def _is_time(self, ahead: int = 0) -> bool:
        return (
            self._kind(ahead) == "time"
            or (self._kind(ahead) == "word" and self._value(ahead) in _SUN)
            or (self._value(ahead) == "(" and self._value(ahead + 1) in _SUN)
        )

    def _times(self) -> tuple[TimeSpan, ...]:
        if self._kind() == "always":
            self._take()
            return (TimeSpan(0, DAY_MIN),)
        spans: list[TimeSpan] = []
        while self._is_time():
            spans.append(self._span())
            if not (self._value() == "," and self._is_time(1)):
                break
            self._take()
        return tuple(spans)

    def _span(self) -> TimeSpan:
        begin = self._time(DAY_MIN - 1)
        if self._took("+"):
            return TimeSpan(begin, None, open_end=True)
        if not self._took("-"):
            self._fail()  # a moment is no hours
        end = self._time(2 * DAY_MIN)
        return TimeSpan(begin, end, open_end=self._took("+"))

    def _time(self, most_min: int) -> int | SunTime:
        if self._kind() == "time":
            minutes = _minutes(self._value())
            if minutes is None or minutes > most_min:
                self._fail()
            self._take()
            return minutes or 0
        if self._kind() == "word" and self._value() in _SUN:
            return SunTime(self._take())
        if not (self._took("(") and self._value() in _SUN):
            self._fail()
        event, sign = self._take(), self._take()
        offset = _minutes(self._value()) if self._kind() == "time" else None
        if sign not in {"+", "-"} or offset is None:
            self._fail()
        self._take()
        if not self._took(")"):
            self._fail()
        return SunTime(event, (offset or 0) * (1 if sign == "+" else -1))


def _minutes(clock: str) -> int | None:
    hour, _, minute = clock.partition(":")
    return int(hour) * 60 + int(minute) if int(minute) < 60 else None


def _holidays(days: Sequence[Weekdays | Holiday]) -> bool:
    return any(isinstance(day, Holiday) for day in days)
