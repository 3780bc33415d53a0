"""Opening hours: from what people write to the grammar of OpenStreetMap."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

__all__ = ["ParsedHours", "hours_from_days", "hours_from_text"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class ParsedHours:
    """Opening hours that were read.

    Parameters
    ----------
    osm
        The hours in OSM syntax, "" if they are not known.
    understood
        Whether the text was understood.
    reason
        Why not, "" if it was.
    """

    osm: str
    understood: bool
    reason: str


def hours_from_days(
    days: Mapping[str | int, str], *, period: str = "", closed_on_holidays: bool = False
) -> ParsedHours:
    """Read one text per day of the week, 0 for Monday to 6 for Sunday."""
    del days, period, closed_on_holidays
    return ParsedHours(osm="", understood=False, reason="hours by day are not read yet")


def hours_from_text(text: str) -> ParsedHours:
    """Read hours in words."""
    del text
    return ParsedHours(osm="", understood=False, reason="hours in words are not read yet")
