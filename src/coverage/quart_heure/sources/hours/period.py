"""Periods: the days between which stated hours hold, in French."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from collections.abc import Sequence

from quart_heure.sources.hours.words import plain_text

_OSM_MONTHS = tuple("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split())  # noqa: SIM905

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            *("janvier janv jan", "fevrier fevr fev", "mars", "avril avr", "mai", "juin"),
            *("juillet juil", "aout", "septembre sept", "octobre oct", "novembre nov"),
            "decembre dec",
        ),
        start=1,
    )
    for name in names.split()
}

_DATE = r"(?:le )?(\d{1,2})(?:er)?(?:[/.](\d{1,2})(?:[/.](\d{4}|\d{2}))?| ([a-z]+)(?: (\d{4}))?)"
_FROM_TO = re.compile(rf"\bdu {_DATE} (?:au|jusqu'au) {_DATE}(?: inclus)?(?!\d)")
_FROM = re.compile(rf"\b(?:a partir du|a compter du|depuis le) {_DATE}(?!\d)")
_TO = re.compile(rf"\bjusqu'au {_DATE}(?: inclus)?(?!\d)")


@dataclasses.dataclass(frozen=True)
class Period:
    """When hours hold, as OSM writes it and as ISO dates; ``""`` for always."""

    osm: str = ""
    first: str = ""
    last: str = ""

    @classmethod
    def read(cls, text: str) -> Period | None:
        """Read a period from words: an empty one for the whole year, None if not understood."""
        plain = plain_text(text)
        if not plain or plain == "toute l'annee":
            return cls()
        rest, period = cut_period(plain)
        return period if not rest.strip(" .,:") else None

    @classmethod
    def of_days(cls, first: dt.date | None, last: dt.date | None) -> Period:
        """Return the period between two days, either of which may be open."""
        begin, end = first or dt.date(1900, 1, 1), last or dt.date(9999, 12, 31)
        return cls(
            f"{_osm_date(begin)}-{_osm_date(end)}",
            first.isoformat() if first else "",
            last.isoformat() if last else "",
        )


def _osm_date(day: dt.date) -> str:
    return f"{day.year} {_OSM_MONTHS[day.month - 1]} {day.day:02}"


def cut_period(plain: str) -> tuple[str, Period]:
    """Take the period out of a text in plain words."""
    for pattern, both in ((_FROM_TO, True), (_FROM, False), (_TO, False)):
        match = pattern.search(plain)
        if match is None:
            continue
        groups = match.groups()
        rest = (plain[: match.start()] + " " + plain[match.end() :]).strip()
        last = _date_parts(groups[-5:])
        first = _date_parts(groups[:5], last) if both else last
        if first is None or last is None:
            continue
        if both:
            period = _between(first, last)
        else:
            day = _as_date(last)
            ends = (day, None) if pattern is _FROM else (None, day)
            period = None if day is None else Period.of_days(*ends)
        if period is not None:
            return rest, period
    return plain, Period()


_Day = tuple[int, int, int | None]


def _date_parts(groups: Sequence[str | None], other: _Day | None = None) -> _Day | None:
    """Return day, month and year; what the first of two dates leaves out is in the second."""
    day, month, short_year, name, long_year = groups
    number = int(month) if month else _MONTHS.get(name or "")
    year = short_year or long_year
    if number is None or not 1 <= number <= 12:
        return None
    full = None if year is None else int(year) + (2000 if len(year) == 2 else 0)
    if full is None and other is not None:
        full = other[2]
    return int(day or 0), number, full


def _as_date(day: _Day) -> dt.date | None:
    if day[2] is None:
        return None
    try:
        return dt.date(day[2], day[1], day[0])
    except ValueError:
        return None


def _between(first: _Day, last: _Day) -> Period | None:
    if first[2] is None and last[2] is None:  # every year
        names = [f"{_OSM_MONTHS[month - 1]} {day:02}" for day, month, _ in (first, last)]
        return Period("-".join(names))
    begin, end = _as_date(first), _as_date(last)
    if begin is None or end is None or end < begin:
        return None
    return Period.of_days(begin, end)
