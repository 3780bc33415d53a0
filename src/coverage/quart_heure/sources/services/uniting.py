"""Rows of one place in one file: united where nothing is lost by it, else kept side by side.

People write a row per day, per audience or per lot of lockers. Dropped as duplicates, all but the
first day would be closed.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

UNITED, APART, NOTHING_NEW = "united", "apart", "nothing new"

_DAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
_SPAN = r"\d{2}:\d{2}-\d{2}:\d{2}"
_RULE = re.compile(
    rf"((?:{'|'.join(_DAYS)})(?:[,-](?:{'|'.join(_DAYS)}))*) ({_SPAN}(?:, ?{_SPAN})*)"
)
_TELLING = ("opening_hours", "admits", "access", "animals", "wheelchair", "valid_from", "valid_to")
"""What figures depend on, besides the capacity."""

_JOINED = ("opening_hours_text", "audience", "capacity", "notes")
"""Words kept of all the rows."""

_FILLED = ("address", "postcode", "operator", "source_date")
"""Words of which those of one row are enough."""

Row = dict[str, Any]


def unite(kept: Mapping[str, Any], other: Mapping[str, Any]) -> tuple[str, Row]:
    """Put two rows of one place together.

    Parameters
    ----------
    kept, other
        Columns of the schema, from one file and of one source.

    Returns
    -------
    what
        `NOTHING_NEW` if the other row says nothing that the kept one does not; `UNITED`; or
        `APART` if a row for both would be wrong: both stay, and each is judged on its own.
    row
        The row for both, the kept one where there is none.

    Notes
    -----
    Audiences are united, and capacities of one unit added up, if hours and all other conditions are
    the same: men and women, two lots of lockers. Hours are united if only they differ, are those
    of a plain week, and overlap nowhere: a row per day. Men in the morning and women in the
    afternoon are two rows: one for both would let men in in the afternoon.
    """
    differ = {c for c in _TELLING if _known(kept[c]) and _known(other[c]) and kept[c] != other[c]}
    half_said = {c for c in _TELLING if _known(kept[c]) != _known(other[c])}
    mine, its = _capacity(kept), _capacity(other)
    if mine and its and mine != its:
        differ.add("capacity_value")
    together = _together(differ, kept, other)
    # What one row says and the other does not may be what parts them.
    if together is None or (differ and half_said):
        return APART, dict(kept)
    row = {**kept, **together}
    row |= {c: other[c] for c in (*half_said, *_FILLED) if not _known(kept[c])}
    if its and not mine:
        row |= {c: other[c] for c in ("capacity_value", "capacity_unit")}
    for column in _JOINED:
        parts = [text for text in (str(kept[column]), str(other[column])) if text]
        row[column] = " ; ".join(dict.fromkeys(parts))
    new = bool(together) or (its is not None and mine is None)
    new = new or any(row[c] != kept[c] for c in (*_TELLING, *_FILLED, *_JOINED))
    return (UNITED if new else NOTHING_NEW), row


def _together(differ: set[str], kept: Mapping[str, Any], other: Mapping[str, Any]) -> Row | None:
    """Return what two rows that differ in some columns say there together, None if they cannot."""
    if differ == {"opening_hours"}:
        hours = united_hours(str(kept["opening_hours"]), str(other["opening_hours"]))
        return None if hours is None else {"opening_hours": hours}
    if not differ <= {"admits", "capacity_value"}:
        return None
    row: Row = {}
    if "admits" in differ:
        row["admits"] = _united_audience(str(kept["admits"]), str(other["admits"]))
    if "capacity_value" in differ:
        if kept["capacity_unit"] != other["capacity_unit"]:
            return None
        row["capacity_value"] = kept["capacity_value"] + other["capacity_value"]
    return row


def united_hours(one: str, other: str) -> str | None:
    """Return the hours of two plain weeks together, None if they are none or overlap.

    Examples
    --------
    >>> united_hours("Mo 12:00-14:00", "Th 12:00-14:00")
    'Mo,Th 12:00-14:00'
    >>> united_hours("Mo-Fr 09:00-12:00; PH off", "Mo 14:00-17:00; PH off")
    'Mo 09:00-12:00,14:00-17:00; Tu,We,Th,Fr 09:00-12:00; PH off'
    >>> united_hours("Mo-Fr 09:00-17:00", "Mo 09:00-18:00") is None
    True
    """
    first, second = _week(one), _week(other)
    if first is None or second is None or first[1] != second[1]:
        return None
    spans: dict[str, str] = {}
    for day in _DAYS:
        both = sorted({*first[0].get(day, ()), *second[0].get(day, ())})
        # A night ends on the next day: what it meets there is not looked for.
        if len(both) > 1 and any(end <= begin for begin, end in both):
            return None
        if any(later[0] < sooner[1] for sooner, later in itertools.pairwise(both)):
            return None
        spans[day] = ",".join(f"{begin}-{end}" for begin, end in both)
    days: dict[str, list[str]] = {}
    for day, text in spans.items():
        if text:
            days.setdefault(text, []).append(day)
    rules = [f"{','.join(named)} {text}" for text, named in days.items()]
    return "; ".join([*rules, *first[1]])


def _week(text: str) -> tuple[dict[str, set[tuple[str, str]]], Sequence[str]] | None:
    """Return the spans of each day and the rules of holidays, None for any other hours."""
    week: dict[str, set[tuple[str, str]]] = {}
    holidays = []
    for rule in (part.strip() for part in text.split(";")):
        if re.fullmatch(r"(PH|SH|PH,SH) off", rule):
            holidays.append(rule)
            continue
        fit = _RULE.fullmatch(rule)
        if fit is None or holidays:
            return None
        for day in _days_of(fit[1]):
            if day in week:
                return None  # the later rule would hold alone
            week[day] = {(s[:5], s[6:]) for s in re.findall(_SPAN, fit[2])}
    return (week, holidays) if week else None


def _days_of(text: str) -> list[str]:
    days = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        begin, end = _DAYS.index(first), _DAYS.index(last or first)
        days += [_DAYS[at % 7] for at in range(begin, end + (7 if end < begin else 0) + 1)]
    return days


def _united_audience(one: str, other: str) -> str:
    """Return whom two rows admit together: who is kept out of both is kept out.

    Examples
    --------
    >>> _united_audience("women;no_men", "men"), _united_audience("men;no_children", "everyone")
    ('women;men', 'everyone')
    >>> _united_audience("men;no_children", "women;no_children")
    'men;women;no_children'
    """
    first, second = one.split(";"), other.split(";")
    said = dict.fromkeys([*first, *second])
    groups = [word for word in said if not word.startswith("no_")]
    groups = ["everyone"] if "everyone" in groups else groups
    out = [word for word in first if word.startswith("no_") and word in second]
    return ";".join([*groups, *(word for word in out if word[3:] not in groups)])


def _known(value: Any) -> bool:
    return value not in {"", "unknown"}


def _capacity(row: Mapping[str, Any]) -> tuple[float, str] | None:
    value = float(row["capacity_value"])
    return None if math.isnan(value) else (value, str(row["capacity_unit"]))
