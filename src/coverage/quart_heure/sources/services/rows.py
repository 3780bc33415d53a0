"""Rows of services in our own words, from rows in the words of their source."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quart_heure.sources.hours.syntax import is_osm_hours
from quart_heure.sources.hours.text import ParsedHours, hours_from_days, hours_from_text
from quart_heure.sources.problems import ProblemList
from quart_heure.sources.services.columns import DAYS
from quart_heure.sources.services.coordinates import to_number
from quart_heure.sources.services.wordings import (
    access_of,
    admits_of,
    animals_of,
    capacity_of,
    date_of,
    is_closed_day,
    status_of,
    wheelchair_of,
)
from quart_heure.sources.texts import on_distinct

SERVICE_COLUMNS = (
    "service_id",
    "category",
    "name",
    "address",
    "postcode",
    "status",
    "valid_from",
    "valid_to",
    "access",
    "discreet",
    "audience",
    "admits",
    "animals",
    "wheelchair",
    "opening_hours",
    "opening_hours_text",
    "capacity",
    "capacity_value",
    "capacity_unit",
    "operator",
    "source",
    "source_date",
    "other_sources",
    "notes",
)
"""Columns of a table of services, besides its geometry."""

STATUSES = (
    "open",
    "unknown",
    "temporarily_closed",
    "seasonal",
    "project",
    "moved",
    "closed",
)
ACCESS = ("walk_in", "referral", "unknown")
ADMITS = ("everyone", "women", "men", "families", "young_people")
"""Whom a service admits: one or several of these by ``;``, or ``unknown``."""
ANSWERS = ("yes", "no", "unknown")
WHEELCHAIR = ("yes", "limited", "no", "unknown")
CAPACITY_UNITS = ("lockers", "meals", "places", "cabins")

TAKEN_AS_UNKNOWN = "taken as unknown"
KEPT = "kept, to be checked"

_NOT_DISCREET = frozenset({"", "0", "0.0", "false", "f", "no", "n", "non", "faux", "nan", "none"})
"""Words for *not discreet*: any other hides the place, for what is shown cannot be hidden again."""

_PLAIN = ("service_id", "name", "address", "postcode", "audience", "capacity", "operator")
_PLAIN_TOO = ("source", "source_date", "other_sources", "notes")
_JOURS = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")
_LONGEST_HOURS = 1_000

Texts = Callable[[str], Sequence[str]]
"""Gives the texts of a field, stripped, one per row; blanks where the source has no such column."""


def is_discreet(text: str) -> bool:
    """Tell whether a cell of the column ``discreet`` hides its place."""
    return text.strip().lower() not in _NOT_DISCREET


def tidy_rows(
    texts: Texts,
    *,
    present: Collection[str],
    headings: Mapping[str, str],
    problems: ProblemList,
    alive: NDArray[np.bool_],
) -> dict[str, Sequence[Any]]:
    """Return the columns of the schema but for category and discreet.

    Parameters
    ----------
    texts
        The texts of each field, all of one length.
    present
        Fields of which the source has a column: what has none is derived from what has, and is no
        problem where it cannot be.
    headings
        The heading of a field's column.
    problems
        Receives what was not understood.
    alive
        Rows that are still of interest: nothing is told of the others.
    """
    tidy: dict[str, Sequence[Any]] = {field: texts(field) for field in (*_PLAIN, *_PLAIN_TOO)}
    audience = texts("audience")
    tell = _Teller(problems, alive)

    def words(
        field: str, read: Callable[[str], str], known: Sequence[str], default: Sequence[str]
    ) -> list[str]:
        given = texts(field)
        found = on_distinct(given, lambda text: text if text in known else read(text))
        bad = [text != "" and word == "" for text, word in zip(given, found, strict=True)]
        reason = f"not one of {', '.join(known)}"
        tell(bad, field, given, reason, TAKEN_AS_UNKNOWN)
        return [
            word or ("unknown" if text else other)
            for word, text, other in zip(found, given, default, strict=True)
        ]

    def derived(read: Callable[[str], str]) -> list[str]:
        return on_distinct(audience, lambda text: read(text) or "unknown")

    # A list without a status is a list of what is open; an odd word is not known.
    tidy["status"] = words("status", status_of, STATUSES, ["open"] * len(audience))
    tidy["access"] = words("access", access_of, ACCESS, derived(access_of))
    tidy["animals"] = words("animals", animals_of, ANSWERS, derived(animals_of))
    tidy["wheelchair"] = words("wheelchair", wheelchair_of, WHEELCHAIR, derived(wheelchair_of))
    tidy["admits"] = words("admits", _admits, (*ADMITS, "unknown"), derived(admits_of))
    tidy |= _validity(texts, tell)
    tidy |= _capacity(texts, tell, present, headings)
    tidy |= _hours(texts, tell, present, tidy["status"])
    return tidy


class _Teller:
    """Lists rows by a mask, those that are still of interest."""

    def __init__(self, problems: ProblemList, alive: NDArray[np.bool_]) -> None:
        self._problems = problems
        self._alive = alive

    def __call__(
        self,
        bad: Sequence[bool],
        field: str,
        values: Sequence[str],
        reason: str | Sequence[str],
        action: str,
    ) -> None:
        at = np.flatnonzero(np.asarray(bad, dtype=bool) & self._alive)
        reasons = reason if isinstance(reason, str) else [reason[i] for i in at.tolist()]
        self._problems.add(at, field, values, reasons, action)


def _admits(text: str) -> str:
    groups = [group.strip() for group in text.split(";")]
    if all(group in ADMITS for group in groups):
        return ";".join(groups)
    found = admits_of(text)
    return "" if found == "unknown" else found


def _validity(texts: Texts, tell: _Teller) -> dict[str, Sequence[str]]:
    found = {}
    for field in ("valid_from", "valid_to"):
        given = texts(field)
        found[field] = on_distinct(given, date_of)
        bad = [text != "" and date == "" for text, date in zip(given, found[field], strict=True)]
        tell(bad, field, given, "not a date", TAKEN_AS_UNKNOWN)
    pairs = zip(found["valid_from"], found["valid_to"], strict=True)
    backwards = [end != "" and end < begin for begin, end in pairs]
    tell(backwards, "valid_to", found["valid_to"], "ends before it begins", KEPT)
    return dict(found)


def _capacity(
    texts: Texts, tell: _Teller, present: Collection[str], headings: Mapping[str, str]
) -> dict[str, Sequence[Any]]:
    """Read figures of a column of their own, else those that the words state."""
    said, units = texts("capacity"), texts("capacity_unit")
    if "capacity_value" in present:
        figures = texts("capacity_value")
        values = on_distinct(figures, _figure)
        bad = _lost(figures, values)
        tell(bad, "capacity_value", figures, "not a number", TAKEN_AS_UNKNOWN)
        known = [unit if unit in CAPACITY_UNITS else "" for unit in units]
        odd = [unit != "" and word == "" for unit, word in zip(units, known, strict=True)]
        reason = f"not one of {', '.join(CAPACITY_UNITS)}"
        tell(odd, "capacity_unit", units, reason, TAKEN_AS_UNKNOWN)
        return {"capacity_value": values, "capacity_unit": known}
    heading = headings.get("capacity", "")
    read = on_distinct(said, lambda text: capacity_of(text, heading=heading))
    values = [value for value, _ in read]
    tell(_lost(said, values), "capacity", said, "no figure of a capacity", "kept as text")
    return {"capacity_value": values, "capacity_unit": [unit for _, unit in read]}


def _lost(texts: Sequence[str], values: Sequence[float]) -> list[bool]:
    """Tell which texts are no numbers."""
    return [text != "" and math.isnan(value) for text, value in zip(texts, values, strict=True)]


def _figure(text: str) -> float:
    value = to_number(text)
    return value if 0 <= value < float("inf") else float("nan")


def _hours(
    texts: Texts, tell: _Teller, present: Collection[str], status: Sequence[str]
) -> dict[str, Sequence[str]]:
    """Read hours: in OSM syntax, else by day, else in words."""
    osm, said = texts("opening_hours"), texts("opening_hours_text")
    days: list[tuple[str, ...]] = [()] * len(osm)
    shut = [False] * len(osm)
    if any(day in present for day in DAYS):
        days = list(zip(*(texts(day) for day in DAYS), texts("period"), strict=True))
        shut = on_distinct(days, lambda week: all(is_closed_day(day) for day in week[:7]))
        weeks = on_distinct(days, _week_text)
        said = [text or week for text, week in zip(said, weeks, strict=True)]
    # Where a source has hours in OSM syntax, it leaves blank what it is not certain of.
    words = [""] * len(osm) if "opening_hours" in present else said
    parsed = on_distinct(zip(osm, days, words, strict=True), _read_hours)
    hours = [one.osm for one in parsed]
    lost = [not one.understood for one in parsed]
    tell(
        lost,
        "opening_hours",
        [hour or text for hour, text in zip(osm, said, strict=True)],
        [one.reason for one in parsed],
        TAKEN_AS_UNKNOWN,
    )
    shut = [closed or text == "off" for closed, text in zip(shut, hours, strict=True)]
    doubted = [
        closed and word in {"open", "unknown"} for closed, word in zip(shut, status, strict=True)
    ]
    tell(doubted, "status", status, "closed on every day", "taken as temporarily_closed")
    return {
        "opening_hours": hours,
        # What was not understood is kept for people to read.
        "opening_hours_text": [
            text or (hour if odd else "") for text, hour, odd in zip(said, osm, lost, strict=True)
        ],
        "status": [
            "temporarily_closed" if odd else word for odd, word in zip(doubted, status, strict=True)
        ],
    }


def _read_hours(given: tuple[str, tuple[str, ...], str]) -> ParsedHours:
    osm, week, said = given
    if osm and len(osm) <= _LONGEST_HOURS and is_osm_hours(osm):
        return ParsedHours(osm=osm, understood=True, reason="")
    if osm:
        return hours_from_text(osm[:_LONGEST_HOURS])
    if any(week[:7]):
        return hours_from_days(dict(enumerate(week[:7])), period=week[7])
    if said:
        return hours_from_text(said[:_LONGEST_HOURS])
    return ParsedHours(osm="", understood=True, reason="")


def _week_text(week: tuple[str, ...]) -> str:
    said = " ; ".join(f"{day} {text}" for day, text in zip(_JOURS, week, strict=False) if text)
    return f"{said} ({week[7]})" if said and week[7] else said
