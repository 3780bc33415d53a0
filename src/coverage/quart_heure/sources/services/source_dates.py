"""Dates of sources: the last day on which a source is known to have said something."""

from __future__ import annotations

import datetime
import functools
import re

from quart_heure.sources.services.wordings import date_of

_LONGEST = 200
_REMARK = re.compile(r"\([^()]*\)")
_CLOCK = re.compile(r"(?<=\d)[T ]\d\d:\d\d[\d:.]*(?:Z|[+-]\d\d:?\d\d)?$")
_MONTH = re.compile(r"(\d{4})-(\d{2})")
_YEARS = re.compile(r"(?:(\d{4})\s*[-–/]\s*)?(\d{4})")


@functools.lru_cache(maxsize=4096)
def said_on(text: str) -> datetime.date | None:
    """Return the newest day that the date of a source names for sure, None if it names none.

    Several dates stand apart by ``;``. Of a month or a year, and of the last of several years, the
    first day is taken: a source is never called newer than it is. Remarks in brackets are no dates,
    and what is not understood to its last word is none.

    Examples
    --------
    >>> said_on("2018-02-16 (record stamp); 2019-07-23 (last update)")
    datetime.date(2019, 7, 23)
    >>> said_on("2025-12"), said_on("2014/2015"), said_on("undated (about 2016)")
    (datetime.date(2025, 12, 1), datetime.date(2015, 1, 1), None)
    """
    parts = _REMARK.sub(" ", text[:_LONGEST]).split(";")
    return max((day for part in parts if (day := _day(part.strip())) is not None), default=None)


def _day(text: str) -> datetime.date | None:
    plain = _CLOCK.sub("", text)
    if " " not in plain and (iso := date_of(plain)):
        return datetime.date.fromisoformat(iso)
    if found := _MONTH.fullmatch(plain):
        year, month = int(found[1]), int(found[2])
        return datetime.date(year, month, 1) if year and 1 <= month <= 12 else None
    if (found := _YEARS.fullmatch(plain)) and 0 < int(found[1] or 1) <= int(found[2]):
        return datetime.date(int(found[2]), 1, 1)
    return None


def months_before(day: datetime.date, months: int) -> datetime.date:
    """Return the day some months earlier; of a shorter month its last day.

    Examples
    --------
    >>> months_before(datetime.date(2026, 11, 28), 24)
    datetime.date(2024, 11, 28)
    >>> months_before(datetime.date(2026, 3, 31), 1)
    datetime.date(2026, 2, 28)
    """
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    first_of_next = datetime.date(year + (month + 1) // 12, (month + 1) % 12 + 1, 1)
    last = (first_of_next - datetime.timedelta(days=1)).day
    return datetime.date(year, month + 1, min(day.day, last))
