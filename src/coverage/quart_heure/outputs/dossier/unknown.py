"""What is not known about a district, counted: hours, statuses, admissions, places, ages."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from quart_heure.labels import format_number
from quart_heure.outputs.dossier.services import ServiceLine
from quart_heure.outputs.dossier.words import Words, short

if TYPE_CHECKING:
    from quart_heure.study.coverage import Coverage


_NAMED = 4
"""Places without coordinates that are named, the others are counted."""


def unknown_lines(services: Sequence[ServiceLine], say: Words, *, hours_asked: bool) -> list[str]:
    """Say what is not known of the services of a district, one sentence for each thing.

    Parameters
    ----------
    services
        Those of the dossier that count.
    say
        Words in the language of the dossier.
    hours_asked
        Whether the analysis looked at opening hours.
    """
    lines = [] if hours_asked else [say("week_none")]
    if services:
        for key, known in (
            ("unknown_hours", [service.hours_known for service in services]),
            ("unknown_status", [service.status_known for service in services]),
            ("unknown_access", [service.access_known for service in services]),
        ):
            n = known.count(False)
            lines.append(say(key, n=_n(n, say), total=_n(len(services), say)))
        lines.append(_ages([service.source_date for service in services], say))
    return lines


def lost_lines(coverage: Coverage, say: Words) -> list[str]:
    """Say what was lost on the way to a published coverage, the same in all its dossiers."""
    lines = []
    problems = coverage.problems
    lost = problems[(problems["reason"] == "no coordinates") & (problems["action"] == "left out")]
    if len(lost):
        named = [short(value, 50) for value in lost["value"].tolist() if str(value).strip()]
        names = ", ".join(named[:_NAMED])
        told = say("such_as", names=names) if names else ""
        lines.append(say("unknown_places", n=_n(len(lost), say), names=told))
    if len(problems) > len(lost):
        lines.append(say("unknown_rows", n=_n(len(problems) - len(lost), say)))
    withheld = int(coverage.manifest.get("withheld", {}).get("services", 0))
    if withheld:
        lines.append(say("unknown_discreet", n=_n(withheld, say)))
    without_zone = int(coverage.manifest.get("withheld", {}).get("services_without_zone", 0))
    if without_zone:
        lines.append(say("report.services_without_zone", n=_n(without_zone, say)))
    return lines


def years_of(date: str) -> tuple[int, int] | None:
    """Return the first and the last year that a source's date names, None if it names none.

    Examples
    --------
    >>> years_of("undated; 2021-07-02"), years_of("2014/2015"), years_of("undated")
    ((2021, 2021), (2014, 2015), None)
    """
    years = [int(year) for year in re.findall(r"(?<!\d)(?:19|20)\d\d(?!\d)", date)]
    return (min(years), max(years)) if years else None


def _ages(dates: Sequence[str], say: Words) -> str:
    years = [found for date in dates if (found := years_of(date)) is not None]
    undated = _n(len(dates) - len(years), say)
    if not years:
        return say("unknown_dates_none", undated=undated)
    oldest = min(first for first, _ in years)
    newest = max(last for _, last in years)
    return say("unknown_dates", oldest=oldest, newest=newest, undated=undated)


def _n(number: int, say: Words) -> str:
    return format_number(number, say.lang)
