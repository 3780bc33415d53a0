"""The week in a report: who is covered at each of its hours, as figures of 7 days by 24 hours."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from quart_heure.labels import word
from quart_heure.outputs.hour_words import DAYS, HOURS, share_columns, week_days, week_words
from quart_heure.outputs.report.structure import Week

SHADES = "·░▒▓█"
"""None, and quarters of the people or of the area, for a screen that has but letters."""


def week_content(
    table: pd.DataFrame | None,
    parameters: Mapping[str, Any],
    *,
    categories: Sequence[str],
    places: Sequence[tuple[str, str]],
    lang: str,
) -> Week | None:
    """Gather the week of some districts, or of the whole area.

    Parameters
    ----------
    table
        Table of a week, None if the study did not ask for one.
    parameters
        Of the run; ``week_of`` is the Monday.
    categories
        Categories and composites to show.
    places
        District id and label of each place to show; "" is the whole area.
    lang
        Language of the names of days.

    Returns
    -------
    Week or None
        None without a table.
    """
    if table is None:
        return None
    by, names = share_columns(table)
    shares = {
        key: rows.sort_values("hour")[names]
        for key, rows in table.groupby(["district_id", "category"])
    }
    days = week_days(parameters)
    return {
        "week_of": days[0].isoformat(),
        "about": week_words(parameters, lang),
        "by": by,
        "days": [
            {"date": day.isoformat(), "label": word(f"day_{day.weekday()}", lang)} for day in days
        ],
        "places": [
            {
                "district_id": district_id,
                "label": label,
                "categories": [
                    {"category": category, "hours": _grid(shares[district_id, category])}
                    for category in categories
                ],
            }
            for district_id, label in places
        ],
    }


def day_runs(hours: Sequence[Any]) -> list[tuple[int, int, Any]]:
    """Return days in a row that are alike: the first, the last, and the hours of each.

    Examples
    --------
    >>> day_runs(["a", "b", "b", "a"])
    [(0, 0, 'a'), (1, 2, 'b'), (3, 3, 'a')]
    """
    runs, start = [], 0
    for one, alike in itertools.groupby(hours):
        last = start + len(list(alike)) - 1
        runs.append((start, last, one))
        start = last + 1
    return runs


def shade(least: float) -> str:
    """Return the sign for a share that is covered for sure."""
    if math.isnan(least) or least <= 0:
        return SHADES[0]
    return SHADES[min(len(SHADES) - 1, 1 + int(least // 25))]


def _grid(rows: pd.DataFrame) -> list[list[list[float]]]:
    pairs = rows.round(2).to_numpy().tolist()
    return [pairs[day * HOURS : (day + 1) * HOURS] for day in range(DAYS)]
