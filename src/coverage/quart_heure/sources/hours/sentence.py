"""Sentences: days, periods and hours in words, in any order in which people write them.

What is about a part is laid on that part alone. Where a text can be taken in two ways, it is not
understood.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence
from typing import NoReturn

from quart_heure.sources.hours.period import Period
from quart_heure.sources.hours.words import (
    PARTS,
    WHOLE_DAY,
    DayHours,
    NotUnderstoodError,
    Token,
    tokens,
)

_DAYS = 7
_TARGETS = frozenset({"day", "days", "alldays", "nth", "feries"})
_TIMES = frozenset({"time", "allday", "part"})


@dataclasses.dataclass
class Target:
    """Days that something is said of.

    Parameters
    ----------
    days
        Of the week.
    holidays
        Whether public holidays are among them.
    nth
        Such as ``Mo[1]``: weekday and its numbers in the month.
    periods
        Days of the calendar.
    """

    days: set[int] = dataclasses.field(default_factory=set)
    holidays: bool = False
    nth: list[tuple[int, str]] = dataclasses.field(default_factory=list)
    periods: list[Period] = dataclasses.field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.days or self.holidays or self.nth or self.periods)


@dataclasses.dataclass
class Said:
    """What a text says.

    Parameters
    ----------
    days
        Hours of each day of the week that is stated; none where it is closed.
    nth
        Hours of the n-th weekdays of a month.
    holidays
        Hours of public holidays, ``()`` if it is closed; None if nothing is said of them.
    as_other_days
        Whether holidays are said to be like other days.
    every_day
        Whether *every day* was said.
    shut, silent
        Periods in which it is closed, and in which nothing is known.
    periods
        Hours in some periods, in the order in which they are told.
    """

    days: dict[int, DayHours] = dataclasses.field(default_factory=dict)
    nth: list[tuple[int, str, DayHours]] = dataclasses.field(default_factory=list)
    holidays: DayHours | None = None
    as_other_days: bool = False
    every_day: bool = False
    shut: list[Period] = dataclasses.field(default_factory=list)
    silent: list[Period] = dataclasses.field(default_factory=list)
    periods: list[tuple[Period, dict[int, DayHours]]] = dataclasses.field(default_factory=list)


class _Sentence:
    """A reader of tokens in a row."""

    def __init__(self, found: Sequence[Token]) -> None:
        self._tokens = found
        self._at = 0
        self._said = Said()
        self._closed: set[int] = set()
        self._days: Target | None = None  # of which the hours are still to come
        self._times: DayHours | None = None  # of which the days are still to come
        self._last: Target | None = None  # of which hours were told last
        self._block: Period | None = None  # that all is about until the next one
        self._new_block = False
        self._only: Period | None = None  # that the days still to be told are about
        self._new_part = True
        self._joined = False  # the days still to be told, by "et" or "ouvert"
        self._over = False
        self._excepted = False

    def read(self) -> Said:
        while self._kind():
            self._step(self._kind())
        if self._days == Target(holidays=True) and self._last and self._joined:
            self._days, self._said.as_other_days = None, True  # "… et les jours fériés"
        if self._days is not None:
            self._fail("days without hours")
        if self._times is not None:
            if self._times != WHOLE_DAY or self._last:
                self._fail("hours without days")
            self._said.every_day = True
            self._tell(Target(days=set(range(_DAYS))), self._times)
        if not (self._said.days or self._said.nth or self._said.periods):
            self._fail("no hours of any day")
        if self._excepted and not self._last:
            self._fail("except from what?")
        for day in self._closed:
            self._said.days[day] = ()
        return self._said

    def _step(self, kind: str) -> None:
        if kind in {"and", "slash", "opened"}:
            self._at += 1
            return
        if kind == "break":
            self._at += 1
            self._new_part = True
            return
        if kind == "closed":
            self._at += 1
            self._close()
        elif kind in {"sauf", "hors"}:
            self._except()
        elif kind == "including":
            self._at += 1
            self._include()
        elif kind == "period":
            self._at += 1
            self._period(self._tokens[self._at - 1])
        elif kind in _TARGETS:
            self._target()
        elif kind in _TIMES:
            self._hours()
        else:
            self._fail(f"not understood: {self._tokens[self._at].said!r}")
        self._new_part = False
        self._new_block &= kind == "period"

    # --- what is said ---

    def _close(self) -> None:
        if self._days is not None:  # "lundi fermé"
            target, self._days = self._days, None
        else:
            target = self._targets(periods=True)
        begun = self._block if self._new_block else None
        if begun is not None and not target:  # "du 24 décembre au 2 janvier : fermé"
            target, self._block = Target(periods=[begun]), None
        if not target or self._kind() in _TIMES or self._kind() == "to":
            self._fail("closed, but when?")
        self._shut(target)

    def _shut(self, target: Target) -> None:
        if target.nth or (self._block is not None and (target.days or target.holidays)):
            self._fail("closed on some days of a part")
        self._closed |= target.days
        for day in target.days:
            self._said.days.setdefault(day, ())
        if target.holidays:
            if self._said.holidays or self._said.as_other_days:
                self._fail("holidays are told twice")
            self._said.holidays = ()
        self._said.shut += target.periods

    def _except(self) -> None:
        outside = self._kind() == "hors"
        self._at += 1
        self._excepted = True
        target = self._targets(periods=True)
        if not target:
            self._fail("except when?")
        if self._kind() in _TIMES and self._days is None and self._last is not None:
            if target.periods or self._block:  # "9h-17h sauf en août 9h-12h"
                self._fail("hours of an exception")
            self._replace(target)  # "tous les jours 9h-12h sauf le mardi 14h-17h"
            return
        if self._days is not None:
            self._days.days -= target.days
        if outside and [period.osm for period in target.periods] == ["SH"]:
            self._said.silent += target.periods
            target.periods = []
        self._shut(target)

    def _replace(self, target: Target) -> None:
        for day in target.days:
            self._said.days.pop(day, None)
        self._tell(target, self._ranges())

    def _include(self) -> None:
        target = self._targets(periods=True)
        if not target or target.nth:
            self._fail("including what?")
        about = self._days or self._last
        if about is None:
            self._fail("including what?")
        if target.days - about.days:
            if self._days is None:
                self._fail("more days without hours")
            self._days.days |= target.days
        if target.holidays:
            self._said.as_other_days = True

    def _period(self, token: Token) -> None:
        period = token.period or Period()
        if self._kind() == "included":
            self._at += 1
        if self._days is not None:  # "tous les jours du 1er juillet au 31 août : 9h-12h"
            if self._last is None:
                self._begin(period)
            else:
                self._only = period
        elif self._times is not None and self._last is not None:  # "(9h-12h en août)"
            times, self._times = self._times, None
            self._tell(self._last, times, period)
        elif self._new_part or self._last is None:
            self._begin(period)
        elif self._block is None and self._told_once():  # "lundi 9h-12h en août", and no more
            self._said.periods.append((period, dict(self._said.days)))
            self._said.days.clear()
            self._block, self._over = period, True
        else:
            self._fail(f"what is {token.said!r} about?")

    def _told_once(self) -> bool:
        said = self._said
        alike = len({hours for hours in said.days.values() if hours}) == 1
        return alike and not said.nth and said.holidays is None and not self._closed

    def _begin(self, period: Period) -> None:
        if self._over or self._times is not None:
            self._fail("a period without hours")
        self._block, self._new_block = period, True

    def _target(self) -> None:
        if self._days is not None:
            self._fail("days without hours, or hours without days")
        before = self._tokens[self._at - 1] if self._at else None
        self._joined = before is not None and before.said in {"et", "&", "opened"}
        target = self._targets()
        if self._kind() == "included":
            self._at += 1
            if self._last is not None:  # "…, dimanches et jours fériés inclus"
                if target.days - self._last.days or target.nth:
                    self._fail("included, but what?")
                self._said.as_other_days |= target.holidays
                return
            if target.holidays:
                self._fail("included in what?")
        if self._times is not None:  # "9h-12h du lundi au vendredi"
            times, self._times = self._times, None
            self._tell(target, times)
        else:
            self._days = target

    def _hours(self) -> None:
        times = self._ranges()
        if self._days is not None:
            target, self._days = self._days, None
            self._tell(target, times)
        elif self._block is not None and self._last is not None and not self._told_in(self._block):
            if self._told_in(None) and not self._told_once():
                self._fail("hours of which days?")
            self._tell(self._last, times)  # "lundi 9h-17h. En août : 9h-12h"
        elif self._times is None:
            self._times = times
        else:
            self._fail("days without hours, or hours without days")

    def _told_in(self, period: Period | None) -> bool:
        if period is None:
            return bool(self._said.days)
        return any(one is period for one, _ in self._said.periods)

    def _tell(self, target: Target, times: DayHours, period: Period | None = None) -> None:
        period = period or self._only or self._block
        self._only = None
        if self._over:
            self._fail("hours after a period")
        self._last = target
        if period is not None:
            if target.holidays or target.nth:
                self._fail("holidays of a period")
            told = next((days for one, days in self._said.periods if one is period), None)
            if told is None:
                told = {}
                self._said.periods.append((period, told))
        else:
            told = self._said.days
            self._said.nth += [(day, numbers, times) for day, numbers in target.nth]
            if target.holidays:
                if self._said.holidays is not None:
                    self._fail("holidays are told twice")
                self._said.holidays = times
        for day in target.days:
            told[day] = tuple(sorted({*told.get(day, ()), *times}))
            if any(begin < end for (_, end), (begin, _) in itertools.pairwise(told[day])):
                self._fail("hours of a day are told twice")

    # --- pieces ---

    def _kind(self, ahead: int = 0) -> str:
        at = self._at + ahead
        return self._tokens[at].kind if at < len(self._tokens) else ""

    def _fail(self, why: str) -> NoReturn:
        raise NotUnderstoodError(why)

    def _targets(self, *, periods: bool = False) -> Target:
        """Read a list of days: until something else is said, or a day is followed by its hours."""
        found = Target()
        wanted = _TARGETS | ({"period"} if periods else set())
        while self._kind() in wanted:
            token = self._tokens[self._at]
            self._at += 1
            if token.kind == "alldays":
                if found.days or self._kind() in {"day", "days", "alldays"}:
                    self._fail("every day, and some days")
                found.days |= set(range(_DAYS))
                self._said.every_day = True
            elif token.kind == "days":
                found.days |= token.days
            elif token.kind == "feries":
                found.holidays = True
            elif token.kind == "nth":
                found.nth.append((token.value, token.nth))
            elif token.period is not None:
                found.periods.append(token.period)
            else:
                found.days |= self._day_range(token.value)
            if self._kind() == "included" and token.kind == "period":
                self._at += 1
            if self._kind() in {"and", "slash"} and self._kind(1) in wanted:
                self._at += 1
        return found

    def _day_range(self, first: int) -> set[int]:
        last = first
        if self._kind() == "to" and self._kind(1) == "day":
            last = self._tokens[self._at + 1].value
            self._at += 2
        return {(first + k) % _DAYS for k in range((last - first) % _DAYS + 1)}

    def _ranges(self) -> DayHours:
        ranges: list[tuple[int, int]] = []
        while self._kind() in _TIMES:
            if self._kind() == "allday":
                self._at += 1
                if ranges:
                    self._fail("round the clock, and hours too")
                return WHOLE_DAY
            part = ""
            if self._kind() == "part":
                part = self._tokens[self._at].said
                self._at += 1
                if self._kind() == "and" and self._kind(1) != "time":
                    self._fail("a part of a day without hours")
            ranges.append(self._range(part))
            if self._kind() in {"and", "slash"} and self._kind(1) in {"time", "part"}:
                self._at += 1
        return tuple(ranges)

    def _range(self, part: str) -> tuple[int, int]:
        if self._kind() != "time":
            self._fail("a part of a day without hours")
        opens = self._tokens[self._at].value
        # "9h/12h" is a range where nothing else tells from when to when.
        slash = self._kind(1) == "slash" and self._kind(3) not in {"to", "slash"}
        if not (self._kind(1) == "to" or slash) or self._kind(2) != "time":
            self._fail("an hour without its end")
        closes = self._tokens[self._at + 2].value
        self._at += 3
        if opens == closes:
            self._fail("hours of no length")
        if part:
            least, most = PARTS[part]
            if not least <= opens <= (closes if closes > opens else closes + 24 * 60) <= most:
                self._fail("hours that are not in that part of the day")
        return opens, closes


def read_sentence(plain: str) -> Said:
    """Read what plain text says of days and hours.

    Raises
    ------
    NotUnderstoodError
        If a word of it is not known, or it can be taken in two ways.
    """
    return _Sentence(tokens(plain)).read()


def read_times(plain: str) -> DayHours | None:
    """Read the hours of one day from plain text, None if they are not understood."""
    try:
        said = _Sentence([Token("days", days=frozenset({0})), *tokens(plain)]).read()
    except NotUnderstoodError:
        return None
    return said.days[0] if said == Said(days=said.days) and set(said.days) == {0} else None
