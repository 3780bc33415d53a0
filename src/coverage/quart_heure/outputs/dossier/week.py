"""The week of a district as bands of colour: for each hour, the share covered at most, at least."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Mapping, Sequence

import pandas as pd

from quart_heure.labels import with_percent_sign
from quart_heure.outputs.dossier.words import Words
from quart_heure.outputs.hour_words import range_words, share_columns
from quart_heure.outputs.report.structure import Category

HOURS = 168
"""Hours of a week, Monday 00:00 first."""

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
    table: pd.DataFrame,
    district_id: str,
    categories: Sequence[Category],
    names: Mapping[str, str],
    say: Words,
) -> Week | None:
    """Return the week of a district.

    Parameters
    ----------
    table
        The table of a week.
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
        None if the table says nothing of the district.
    """
    by, columns = share_columns(table)
    mine = table[table["district_id"] == district_id]
    rows = []
    for category in (c["id"] for c in categories):
        here = mine[mine["category"] == category]
        if here.empty:
            continue
        hours = here.set_index("hour").reindex(range(HOURS))
        least, most = (hours[column].astype(float).tolist() for column in columns)
        rows.append(
            WeekRow(
                label=names[category],
                most=_runs(most),
                least=_runs(least),
                moments=[(least[hour], most[hour]) for hour in MOMENTS],
                hours_unknown=max(least) == 0 and min(most) == max(most) > 0,
                alt=_in_words(names[category], least, most, say),
            )
        )
    return Week(rows, by) if rows else None


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


def _runs(shares: Sequence[float]) -> list[tuple[int, int, int]]:
    found, start = [], 0
    for level, hours in itertools.groupby(level_of(share) for share in shares):
        length = len(list(hours))
        found.append((start, length, level))
        start += length
    return found
