"""Periods: the days of the calendar between which stated hours hold, in French."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from collections.abc import Sequence

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

_MONTH = rf"(?:{'|'.join(sorted(_MONTHS, key=len, reverse=True))})\b\.?"
_SLASHES = r"[/.](\d{1,2})(?:[/.](\d{4}|\d{2}))?"
_NAMED = r" (?!au\b|jus)([a-z]+)\b\.?(?: (\d{4}))?"
_DATE = rf"(?:le )?(\d{{1,2}})(?:er)?(?:{_SLASHES}|{_NAMED})"
_FROM_TO = re.compile(
    rf"\b(?:(?:dans|pendant|durant) la periode )?(?:du|entre le) {_DATE}? "
    rf"(?:au|jusqu'au|et le|-) {_DATE}(?: inclus)?(?!\d)"
)
_FROM = re.compile(rf"\b(?:a partir du|a compter du|depuis le|des le) {_DATE}(?!\d)")
_TO = re.compile(rf"\bjusqu'au {_DATE}(?: inclus)?(?!\d)")
_NUMBER = r"\d{1,2}(?:er)?"
_DAYS_OF_MONTH = re.compile(
    rf"\b(?:les? )?({_NUMBER}(?:(?:, ?| et (?:le )?){_NUMBER})*) ({_MONTH})(?: (\d{{4}}))?"
)
_SLASHED = re.compile(r"(?<=\ble )(\d{1,2})/(\d{1,2})(?:/(\d{4}))?(?![\d/])")
_IN_MONTHS = r"(?:en |(?:(?:aux? |les? |tout le )?mois )?d(?:e |'))?"
_MONTH_RANGE = re.compile(
    rf"\b{_IN_MONTHS}({_MONTH})(?: ?- ?| (?:a|au|jusqu'a|jusqu'en) (?:fin |mois d(?:e |'))?)"
    rf"({_MONTH})(?: inclus| compris)?(?! \d{{4}})"
)
_MONTH_LIST = re.compile(
    rf"\b{_IN_MONTHS}({_MONTH}(?:(?: ?/ ?|, ?| et (?:en )?){_MONTH})*)(?: (\d{{4}}))?"
)


@dataclasses.dataclass(frozen=True)
class Period:
    """When hours hold, as OSM writes it and as ISO dates; ``""`` for always."""

    osm: str = ""
    first: str = ""
    last: str = ""

    @classmethod
    def read(cls, plain: str) -> Period | None:
        """Read a period from plain words: an empty one for the whole year, None if it is none."""
        if not plain or plain == "toute l'annee":
            return cls()
        found = find_periods(plain)
        if len(found) != 1:
            return None
        begin, end, period = found[0]
        return None if (plain[:begin] + plain[end:]).strip(" .,:") else period

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


def find_periods(plain: str) -> list[tuple[int, int, Period]]:
    """Return begin, end and meaning of each period in plain words, in their order."""
    found: list[tuple[int, int, Period]] = []
    for pattern, meaning in (
        (_FROM_TO, _from_to),
        (_FROM, _from),
        (_TO, _to),
        (_DAYS_OF_MONTH, _days_of_month),
        (_SLASHED, _slashed),
        (_MONTH_RANGE, _month_range),
        (_MONTH_LIST, _month_list),
    ):
        for match in pattern.finditer(plain):
            if any(match.start() < end and begin < match.end() for begin, end, _ in found):
                continue
            period = meaning(match)
            if period is not None:
                found.append((match.start(), match.end(), period))
    return sorted(found, key=lambda one: one[0])


_Day = tuple[int, int, int | None]


def _from_to(match: re.Match[str]) -> Period | None:
    last = _date_parts(match.groups()[5:])
    first = None if last is None else _date_parts(match.groups()[:5], last)
    return None if first is None or last is None else _between(first, last)


def _from(match: re.Match[str]) -> Period | None:
    day = _as_date(_date_parts(match.groups()))
    return None if day is None else Period.of_days(day, None)


def _to(match: re.Match[str]) -> Period | None:
    day = _as_date(_date_parts(match.groups()))
    return None if day is None else Period.of_days(None, day)


def _days_of_month(match: re.Match[str]) -> Period | None:
    month = _MONTHS[match[2].rstrip(".")]
    days = [int(day) for day in re.findall(r"\d+", match[1])]
    year = f"{match[3]} " if match[3] else ""
    if not all(_exists(day, month) for day in days):
        return None
    return Period(",".join(f"{year}{_OSM_MONTHS[month - 1]} {day:02}" for day in days))


def _slashed(match: re.Match[str]) -> Period | None:
    day, month = int(match[1]), int(match[2])
    if not _exists(day, month):
        return None
    year = f"{match[3]} " if match[3] else ""
    return Period(f"{year}{_OSM_MONTHS[month - 1]} {day:02}")


def _month_range(match: re.Match[str]) -> Period:
    first, last = (_OSM_MONTHS[_MONTHS[name.rstrip(".")] - 1] for name in match.groups())
    return Period(f"{first}-{last}" if first != last else first)


def _month_list(match: re.Match[str]) -> Period:
    names = re.findall(r"[a-z]{3,}", re.sub(r"\bet en\b", " ", match[1]))
    months = [_OSM_MONTHS[_MONTHS[name] - 1] for name in names if name in _MONTHS]
    year = match[2]
    if year:
        months = [
            f"{year} {month} 01-{year} {month} {_length(int(year), month)}" for month in months
        ]
    return Period(",".join(months))


def _length(year: int, month: str) -> int:
    number = _OSM_MONTHS.index(month) + 1
    after = dt.date(year + number // 12, number % 12 + 1, 1)
    return (after - dt.timedelta(days=1)).day


def _exists(day: int, month: int) -> bool:
    return 1 <= month <= 12 and 1 <= day <= _length(2000, _OSM_MONTHS[month - 1])


def _date_parts(groups: Sequence[str | None], other: _Day | None = None) -> _Day | None:
    """Return day, month and year; what the first of two dates leaves out is in the second."""
    day, month, short_year, name, long_year = groups
    number = int(month) if month else _MONTHS.get(name or "")
    if number is None and not name and other is not None:
        number = other[1]  # "du 3 au 20 août"
    year = short_year or long_year
    if number is None or not _exists(int(day or 0), number):
        return None
    full = None if year is None else int(year) + (2000 if len(year) == 2 else 0)
    if full is None and other is not None and other[2] is not None:
        turns = (number, int(day or 0)) > (other[1], other[0])  # "du 20 décembre au 3 janvier 2026"
        full = other[2] - turns
    return int(day or 0), number, full


def _as_date(day: _Day | None) -> dt.date | None:
    if day is None or day[2] is None:
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
