"""The week of a district as bands of colour: for each hour, the share covered at most, at least."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from quart_heure.analysis.week import Week as JudgedWeek
from quart_heure.labels import with_percent_sign
from quart_heure.outputs.dossier.words import Words
from quart_heure.outputs.hour_words import range_words
from quart_heure.outputs.report.structure import Category

LEVELS = (0.0, 20.0, 40.0, 60.0, 80.0)
"""Shares above which the colour deepens; none at all is a level of its own."""

MOMENTS = (24 + 10, 24 + 20, 6 * 24 + 10, 6 * 24 + 20)
"""Tuesday at 10 and 20, Sunday at 10 and 20: the hours of the table."""


@dataclasses.dataclass(frozen=True)
class WeekRow:
    """One category.

    Parameters
    ----------
    label
        Of the category.
    most, least
        Runs of hours of one level: first hour, number of hours, level (-1 where not known).
    moments
        Share at least and at most at each of `MOMENTS`.
    hours_unknown
        Whether no service that any place reaches has known hours.
    alt
        The strip in words.
    """

    label: str
    most: list[tuple[int, int, int]]
    least: list[tuple[int, int, int]]
    moments: list[tuple[float, float]]
    hours_unknown: bool
    alt: str


@dataclasses.dataclass(frozen=True)
class Week:
    """The heat map.

    Parameters
    ----------
    rows
        In the order of the categories.
    by
        What the shares are of: residents or area.
    """

    rows: list[WeekRow]
    by: str


def week_of(
    judged: JudgedWeek,
    district_id: str,
    categories: Sequence[Category],
    names: Mapping[str, str],
    say: Words,
) -> Week | None:
    """Return the week of a district.

    Parameters
    ----------
    judged
        The week of a coverage.
    district_id
        The district.
    categories
        Those to show.
    names
        Their labels.
    say
        Words in the language of the dossier.

    Returns
    -------
    Week or None
        None if the week says nothing of the district.
    """
    if district_id not in judged.places:
        return None
    people = any(
        not np.isnan(judged.hourly(each, "residents_at_least_pct", district_id)).all()
        for each in judged.categories
    )
    prefix = "residents_" if people else ""
    rows = []
    for category in (c["id"] for c in categories):
        if category not in judged.categories:
            continue
        bounds = [
            judged.hourly(category, f"{prefix}{bound}_pct", district_id)
            for bound in ("at_least", "at_most")
        ]
        least, most = (shares.tolist() for shares in bounds)
        rows.append(
            WeekRow(
                label=names[category],
                most=_runs(bounds[1]),
                least=_runs(bounds[0]),
                moments=[(least[hour], most[hour]) for hour in MOMENTS],
                hours_unknown=max(least) == 0 and min(most) == max(most) > 0,
                alt=_in_words(names[category], least, most, say),
            )
        )
    return Week(rows, "residents" if people else "area") if rows else None


def level_of(share: float) -> int:
    """Return the depth of colour of a share, 0 for none at all, -1 if it is not known.

    Examples
    --------
    >>> [level_of(share) for share in (0, 0.1, 20, 20.1, 100, float("nan"))]
    [0, 1, 1, 2, 5, -1]
    """
    if math.isnan(share):
        return -1
    return sum(share > level for level in LEVELS)


def _in_words(label: str, least: Sequence[float], most: Sequence[float], say: Words) -> str:
    def between(shares: Sequence[float]) -> str:
        return with_percent_sign(range_words(min(shares), max(shares)), say.lang)

    return say("week_alt", category=label, least=between(least), most=between(most))


def _runs(shares: NDArray[np.float64]) -> list[tuple[int, int, int]]:
    # As `level_of`, of all at once.
    levels = np.where(np.isnan(shares), -1, np.searchsorted(LEVELS, shares))
    starts = np.flatnonzero(np.diff(levels, prepend=-2))
    lengths = np.diff(starts, append=len(shares))
    return list(zip(starts.tolist(), lengths.tolist(), levels[starts].tolist(), strict=True))
