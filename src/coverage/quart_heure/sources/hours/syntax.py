"""Syntax: a text in the syntax of OpenStreetMap, taken apart into its rules to the last sign.

The grammar is that of https://wiki.openstreetmap.org/wiki/Key:opening_hours/specification. What is
not in it is no hours: `read_rules` refuses the whole text, for half of one may mean the contrary.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence

from quart_heure.sources.hours.dates import Selector
from quart_heure.sources.hours.selectors import SelectorReader
from quart_heure.sources.hours.tokens import SyntaxFaultError, read_tokens

CLOSED, UNKNOWN, OPEN = 0, 1, 2
"""States of a place, in ascending order of what one may hope for."""

LONGEST_TEXT = 1_000
"""Signs; longer texts are no hours of a door."""

DAY_MIN = 24 * 60

_SUN = ("dawn", "sunrise", "sunset", "dusk")
_MODIFIERS = {"open": OPEN, "off": CLOSED, "closed": CLOSED, "unknown": UNKNOWN}


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
    rules = _Reader(read_tokens(text)).rules()
    if not rules:
        msg = "no rule at all"
        raise SyntaxFaultError(msg)
    return tuple(rules)


class _Reader(SelectorReader):
    """A reader of tokens in a row, rule by rule."""

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
