"""Words for hours: days and times of the clock in a row, in French or English.

Only what is understood to the last word is taken: one that is not may turn the meaning round.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence

DAY_NAMES: Mapping[str, int] = {
    name: day
    for day, names in enumerate(
        (
            "lundi lun lu monday mon mo",
            "mardi mar ma tuesday tue tu",
            "mercredi mer me wednesday wed we",
            "jeudi jeu je thursday thu th",
            "vendredi ven ve friday fri fr",
            "samedi sam sa saturday sat",
            "dimanche dim di sunday sun su",
        )
    )
    for name in names.split()
}
"""Days of the week by their French and English names and short forms, Monday being 0."""

_DAYS = 7
_Range = tuple[int, int]
DayHours = tuple[_Range, ...]
"""Ranges in minutes of the day; none for a day on which the place is closed."""

WHOLE_DAY: DayHours = ((0, 24 * 60),)


def plain_text(text: str) -> str:
    """Return a text in lower case, without accents, with plain dashes, quotes and spaces."""
    folded = unicodedata.normalize("NFKD", str(text)).casefold()
    if not folded.isascii():
        folded = "".join(sign for sign in folded if not unicodedata.combining(sign))
    return re.sub(r" +", " ", folded.translate(_PLAIN_SIGNS)).strip()


_PLAIN_SIGNS = str.maketrans(
    {
        **dict.fromkeys("‐‑‒–—−", "-"),
        **dict.fromkeys("’‘`´", "'"),
        **dict.fromkeys("\u00a0\u202f\t\r", " "),
        "\n": " ; ",
    }
)

_PHRASES = (
    (re.compile(r"\b24 ?h?(?:eures)? ?(?:/|sur) ?24 ?h?\b|\bh24\b"), " allday "),
    (re.compile(r"\b7 ?j?(?:ours)? ?(?:/|sur) ?7 ?j?\b"), " alldays "),
    (re.compile(r"\b(?:tous les jours|chaque jour|toute la semaine|tlj)\b"), " alldays "),
    (re.compile(r"\btoute l'annee\b|\bsans interruption\b|\bnon[- ]stop\b"), " "),
    (re.compile(r"\bweek-?end\b"), " samedi - dimanche "),
    (re.compile(r"\bfermes?\b|\bfermees?\b"), " closed "),
    (re.compile(r"\bmidi\b"), " 12h00 "),
    (re.compile(r"\bminuit\b"), " 24h00 "),
)
_TIME = r"(\d{1,2}) ?(?:h(?:eures?)?|:) ?(\d{2})?(?!\d)"
_TOKEN = re.compile(rf"{_TIME}|([a-z]+)|([-,;/&:.()])|(\S)")
_JOINING = frozenset({"et", "&", ",", "/", "puis", "ainsi"})
_TO_WORDS = frozenset({"-", "a", "au"})
_FILLERS = frozenset(
    {"de", "du", "le", "les", "des", "ouvert", "ouverte", "ouverts", "ouverture", "horaires"}
    | {":", ";", ".", "(", ")", "jours", "jour"}
)
_Token = tuple[str, int | str]


class NotUnderstoodError(ValueError):
    """A word that changes the meaning in a way nobody can tell."""


def _tokens(plain: str) -> list[_Token]:
    for pattern, word in _PHRASES:
        plain = pattern.sub(word, plain)
    found: list[_Token] = []
    for hour, minute, word, sign, other in _TOKEN.findall(plain):
        if hour:
            found.append(("time", _minutes(int(hour), int(minute or 0))))
        elif word in DAY_NAMES:
            found.append(("day", DAY_NAMES[word]))
        elif word in {"alldays", "allday", "closed", "sauf"}:
            found.append((word, word))
        elif (word or sign) in _TO_WORDS:
            found.append(("to", "-"))
        elif (word or sign) in _JOINING:
            found.append(("and", ","))
        elif (word or sign) not in _FILLERS:
            msg = f"not understood: {word or sign or other!r}"
            raise NotUnderstoodError(msg)
    return found


def _minutes(hour: int, minute: int) -> int:
    at = hour * 60 + minute
    if minute >= 60 or at > 24 * 60:
        msg = f"not understood: '{hour}h{minute:02}'"
        raise NotUnderstoodError(msg)
    return at


class _Sentence:
    """A reader of words in a row: days and their hours, in either order."""

    def __init__(self, tokens: Sequence[_Token]) -> None:
        self._tokens = tokens
        self._at = 0
        self._closed: set[int] = set()

    def read(self) -> tuple[dict[int, DayHours], bool]:
        """Return the hours of each day that is stated, and whether *every day* was said."""
        every_day = any(kind in {"alldays", "allday"} for kind, _ in self._tokens)
        hours: dict[int, list[_Range]] = {}
        days: set[int] | None = None
        times: DayHours | None = None
        while self._kind():
            if self._kind() == "and":
                self._at += 1
            elif self._kind() in {"day", "alldays"} and days is None:
                days = self._days()
            elif self._kind() in {"time", "allday", "closed"} and times is None:
                times = self._times()
            else:
                self._fail("days without hours, or hours without days")
            if times == WHOLE_DAY and days is None and not self._kind():
                days = set(range(_DAYS))  # round the clock, and not a day is named
            if days is not None and times is not None:
                self._closed |= days if times == () else set()
                for day in days:
                    hours.setdefault(day, []).extend(times)
                days = times = None
        if days is not None or times is not None or not hours:
            self._fail("days without hours" if days is not None else "hours without days")
        for day in self._closed:
            hours[day] = []
        return {day: tuple(sorted(set(ranges))) for day, ranges in hours.items()}, every_day

    def _kind(self, ahead: int = 0) -> str:
        at = self._at + ahead
        return self._tokens[at][0] if at < len(self._tokens) else ""

    def _next(self) -> int:
        self._at += 1
        return int(self._tokens[self._at - 1][1])

    def _fail(self, why: str) -> None:
        raise NotUnderstoodError(why)

    def _days(self) -> set[int]:
        days: set[int] = set()
        while self._kind() in {"day", "alldays"}:
            if self._kind() == "alldays":
                self._at += 1
                days |= set(range(_DAYS))
            else:
                first = last = self._next()
                if self._kind() == "to" and self._kind(1) == "day":
                    self._at += 1
                    last = self._next()
                span = (last - first) % _DAYS + 1
                days |= {(first + k) % _DAYS for k in range(span)}
            if self._kind() == "and" and self._kind(1) in {"day", "alldays"}:
                self._at += 1
        if self._kind() == "sauf":
            self._at += 1
            exceptions = self._days()
            self._closed |= exceptions
            days -= exceptions
        return days

    def _times(self) -> DayHours:
        kind = self._kind()
        if kind in {"closed", "allday"}:
            self._at += 1
            return () if kind == "closed" else WHOLE_DAY
        ranges: list[_Range] = []
        while self._kind() == "time":
            opens = self._next()
            if self._kind() != "to" or self._kind(1) != "time":
                self._fail("an hour without its end")
            self._at += 1
            closes = self._next()
            if opens == closes:
                self._fail("hours of no length")
            ranges.append((opens, closes))
            if self._kind() == "and" and self._kind(1) == "time":
                self._at += 1
        return tuple(ranges)


def read_sentence(plain: str) -> tuple[dict[int, DayHours], bool]:
    """Read days and their hours, in either order, from plain text.

    Returns
    -------
    tuple
        The hours of each day that is stated, and whether *every day* was said.

    Raises
    ------
    NotUnderstoodError
        If a word of it is not known, or a day has no hours, or hours have no day.
    """
    return _Sentence(_tokens(plain)).read()


def read_times(plain: str) -> DayHours | None:
    """Read the hours of one day from plain text, None if they are not understood."""
    try:
        sentence = _Sentence([("alldays", ""), *_tokens(plain)])
        hours, _ = sentence.read()
    except NotUnderstoodError:
        return None
    return hours[0] if len(set(hours.values())) == 1 else None
