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
from quart_heure.sources.services.admission import ADMITS, in_order
from quart_heure.sources.services.capacities import CAPACITY_UNITS, MOST, read_capacity
from quart_heure.sources.services.columns import DAYS
from quart_heure.sources.services.coordinates import to_number
from quart_heure.sources.services.wordings import (
    Reading,
    date_of,
    is_closed_day,
    read_text,
    status_in_remarks,
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
ANSWERS = ("yes", "no", "unknown")
WHEELCHAIR = ("yes", "limited", "no", "unknown")
TAKEN_AS_UNKNOWN = "taken as unknown"
KEPT = "kept, to be checked"

_PLAIN = ("service_id", "name", "address", "postcode", "audience", "capacity", "operator")
_PLAIN_TOO = ("source", "source_date", "other_sources", "notes")
_JOURS = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")
_LONGEST_HOURS = 1_000

Texts = Callable[[str], Sequence[str]]
"""Gives the texts of a field, stripped, one per row; blanks where the source has no such column."""


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
    tell = _Teller(problems, alive)
    words = _Words(texts, tell)
    # A list without a status is a list of what is open; an odd word is not known.
    tidy["status"] = _doubted_by_remarks(
        words.own("status", STATUSES, ["open"] * len(tidy["name"])), texts, tell
    )
    tidy["access"] = words.own("access", ACCESS, words.of_audience("access"))
    tidy["animals"] = words.own("animals", ANSWERS, words.of_audience("animals"))
    tidy["wheelchair"] = words.own("wheelchair", WHEELCHAIR, words.of_audience("wheelchair"))
    tidy["admits"] = words.own("admits", (*ADMITS, "unknown"), words.of_audience("admits"))
    words.tell_audience()
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


class _Words:
    """Reads the columns that say something in words, and those that the audience says beside."""

    def __init__(self, texts: Texts, tell: _Teller) -> None:
        self._texts = texts
        self._tell = tell
        self._audience = texts("audience")
        self._asked = np.zeros(len(self._audience), dtype=bool)
        """Rows of which something is read in the audience."""

    def own(self, field: str, known: Sequence[str], default: Sequence[str]) -> list[str]:
        """Read the column of a field; ``default`` where it is blank. Tell what is not understood.

        Words of the schema are taken as they are; several by ``;`` only of whom is admitted.
        """
        given = self._texts(field)
        read = on_distinct(given, lambda text: _read(field, text, known))
        bad = [bool(one.lost) for one in read]
        self._tell(bad, field, given, [_reason(one) for one in read], TAKEN_AS_UNKNOWN)
        blank = np.array([text == "" for text in given], dtype=bool)
        if field != "status":
            self._asked |= blank
        return [
            other if text == "" else one.word
            for one, text, other in zip(read, given, default, strict=True)
        ]

    def of_audience(self, field: str) -> list[str]:
        """Return what the audience says of a field."""
        return on_distinct(
            self._audience, lambda text: read_text(field, text, own=False).word or "unknown"
        )

    def tell_audience(self) -> None:
        """Tell which audiences were not understood, of rows where that matters."""
        read = on_distinct(self._audience, lambda text: read_text("admits", text, own=False))
        bad = [bool(one.lost) for one in read]
        self._tell(
            (np.array(bad, dtype=bool) & self._asked).tolist(),
            "audience",
            self._audience,
            [_reason(one) for one in read],
            TAKEN_AS_UNKNOWN,
        )


def _read(field: str, text: str, known: Sequence[str]) -> Reading:
    words = [word.strip() for word in text.split(";")] if field == "admits" else [text]
    if text and all(word in known for word in words):
        return Reading(";".join(in_order(words)) if field == "admits" else text)
    return read_text(field, text)


def _reason(read: Reading) -> str:
    # What stands behind a colon is not told of a discreet place.
    return f"not understood: {', '.join(read.lost)}"


def _doubted_by_remarks(status: list[str], texts: Texts, tell: _Teller) -> list[str]:
    """Take the status that remarks state where no column says another; tell so."""
    given, remarks = texts("status"), texts("notes")
    read = on_distinct(remarks, status_in_remarks)
    found = list(status)
    told = [False] * len(status)
    for at, (word, text, one) in enumerate(zip(status, given, read, strict=True)):
        if one.word and word in {"open", "unknown"}:
            # A column that says *open* and a remark that says *closed*: nobody knows.
            found[at] = one.word if text == "" or word == "unknown" else "unknown"
            told[at] = True
    reasons = [
        f"the remarks speak of the status: {', '.join(one.lost) or one.word}" for one in read
    ]
    for word in STATUSES:
        here = [odd and new == word for odd, new in zip(told, found, strict=True)]
        tell(here, "notes", remarks, reasons, f"taken as {word}")
    return found


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
    read = on_distinct(said, lambda text: read_capacity(text, heading=heading))
    values = [one.value for one in read]
    reasons = [f"no figure of a capacity: {', '.join(one.lost)}" for one in read]
    tell(_lost(said, values), "capacity", said, reasons, "kept as text")
    return {"capacity_value": values, "capacity_unit": [one.unit for one in read]}


def _lost(texts: Sequence[str], values: Sequence[float]) -> list[bool]:
    """Tell which texts are no numbers."""
    return [text != "" and math.isnan(value) for text, value in zip(texts, values, strict=True)]


def _figure(text: str) -> float:
    value = to_number(text)
    return value if 0 <= value <= MOST else float("nan")


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
