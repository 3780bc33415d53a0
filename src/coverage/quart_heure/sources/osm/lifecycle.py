"""Whether a place of OpenStreetMap is in use: what its tags say of seasons, dates and disuse.

A place is mapped while it stands, and may be out of use, not yet open, or closed on a day to come.
Of what the tags do not say clearly the status is unknown.
"""

from __future__ import annotations

import calendar
import dataclasses
import datetime as dt
import re
from collections.abc import Mapping

_GONE = ("disused", "abandoned", "demolished", "removed", "razed", "destroyed", "ruined")
"""Keys of what is no more, and prefixes before the key of what it was."""
_TO_COME = ("construction", "proposed", "planned")
_KINDS = ("amenity", "social_facility")
"""Keys that tell what a place is: with a prefix before them, it was that or will be."""

_OPERATION: Mapping[str, str] = {
    **dict.fromkeys(
        ("operational", "functional", "working", "open", "yes", "ok", "active"), "open"
    ),
    **dict.fromkeys(
        (
            *("closed", "temporarily_closed", "closed_temporarily", "broken", "out_of_order"),
            *("non-operational", "non_operational", "not_operational", "inoperative", "no"),
            *("not_functional", "non_functional", "not_working", "damaged", "maintenance"),
            *("under_maintenance", "out_of_service", "suspended"),
        ),
        "temporarily_closed",
    ),
    **dict.fromkeys(
        ("permanently_closed", "closed_permanently", "decommissioned", *_GONE), "closed"
    ),
    **dict.fromkeys(("under_construction", *_TO_COME), "project"),
}
"""Values of ``operational_status`` (a free text) that leave no doubt; any other is unknown."""

_MONTH = re.compile(r"(\d{4})-(\d{2})(?:-(\d{2}))?")
_YEAR = re.compile(r"(\d{4})")
_DECADE = re.compile(r"(\d{3})0s")
_CENTURY = re.compile(r"C(\d{1,2})")
_ABOUT = re.compile(r"(?:~|early |mid |late |before |after )", re.IGNORECASE)

Days = tuple[dt.date, dt.date]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Lifecycle:
    """Status of a place, and the days between which it exists.

    Parameters
    ----------
    status
        A word of the schema.
    valid_from, valid_to
        ISO dates, "" where the tags have none.
    """

    status: str
    valid_from: str = ""
    valid_to: str = ""


def lifecycle_of(tags: Mapping[str, str], day: dt.date) -> Lifecycle:
    """Return whether and when a place is in use.

    Parameters
    ----------
    tags
        Of the place.
    day
        When the data were taken: a year that is not over may have brought its beginning or not.
    """
    begin, end = _dates(tags, ("start_date", "opening_date")), _dates(tags, ("end_date",))
    status = _status(tags)
    if status in {"open", "seasonal"} and (_in_doubt(begin, day) or _ends_in_doubt(end, day)):
        status = "unknown"
    return Lifecycle(
        status=status,
        valid_from=begin[0].isoformat() if isinstance(begin, tuple) else "",
        valid_to=end[1].isoformat() if isinstance(end, tuple) else "",
    )


def _status(tags: Mapping[str, str]) -> str:
    if any(_said(tags.get(key, "")) for key in _GONE):
        return "closed"
    if any(_said(tags.get(key, "")) for key in _TO_COME):
        return "project"
    for prefixes, status in (((*_GONE, "was"), "closed"), (_TO_COME, "project")):
        for key in _KINDS:
            told = {tags.get(f"{prefix}:{key}", "") for prefix in prefixes}
            # What it was otherwise is of no interest: it is something else now.
            if tags.get(key, "") in told - {""}:
                return "unknown"
            if "social_facility" in told and key == "amenity" and "amenity" not in tags:
                return status
    said = tags.get("operational_status", "").strip().lower().replace(" ", "_")
    operation = _OPERATION.get(said, "unknown") if said else "open"
    if operation != "open":
        return operation
    return "seasonal" if _said(tags.get("seasonal", "")) else "open"


def _said(value: str) -> bool:
    return value.strip().lower() not in {"", "no"}


def _dates(tags: Mapping[str, str], keys: tuple[str, ...]) -> Days | str | None:
    """Return between which days a date lies, None if there is none, the text if it is not clear."""
    text = next((tags[key].strip() for key in keys if tags.get(key, "").strip()), "")
    return (_days_of(text) or text) if text else None


def _days_of(text: str) -> Days | None:
    """Return the first and the last day that a date may mean: a day, a month, a year and so on."""
    first, _, last = text.partition("..")
    if last:
        one, other = _days_of(first), _days_of(last)
        return (one[0], other[1]) if one and other and one[0] <= other[1] else None
    about = _ABOUT.match(text)
    if about:
        # Roughly, or before or after: a generation on either side.
        near = _days_of(text[about.end() :])
        return None if near is None else (_years_on(near[0], -30), _years_on(near[1], 30))
    try:
        return _plain_days(text)
    except ValueError:  # no such day
        return None


def _plain_days(text: str) -> Days | None:
    if found := _MONTH.fullmatch(text):
        year, month, day = int(found[1]), int(found[2]), int(found[3] or 0)
        last = day or calendar.monthrange(year, month)[1]
        return dt.date(year, month, day or 1), dt.date(year, month, last)
    for pattern, years, back in ((_YEAR, 1, 0), (_DECADE, 10, 0), (_CENTURY, 100, 99)):
        if found := pattern.fullmatch(text):
            first = years * int(found[1]) - back
            return dt.date(first, 1, 1), dt.date(first + years - 1, 12, 31)
    return None


def _years_on(day: dt.date, years: int) -> dt.date:
    return day.replace(year=min(max(day.year + years, 1), 9999), day=min(day.day, 28))


def _in_doubt(begin: Days | str | None, day: dt.date) -> bool:
    """Tell whether a place may not have begun, or will begin nobody knows when."""
    if isinstance(begin, tuple):
        return begin[0] != begin[1] and begin[1] > day
    return begin is not None


def _ends_in_doubt(end: Days | str | None, day: dt.date) -> bool:
    """Tell whether a place may have ended."""
    if isinstance(end, tuple):
        return end[0] != end[1] and end[0] <= day <= end[1]
    return end is not None
