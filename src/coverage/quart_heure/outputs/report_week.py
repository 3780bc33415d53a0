"""The week in a report: who is covered at each of its hours, as figures of 7 days by 24 hours."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from quart_heure.labels import format_moment, phrase, word

__all__ = ["SHADES", "hours_told", "range_words", "shade", "week_content"]

SHADES = "·░▒▓█"
"""None, and quarters of the people or of the area, for a screen that has but letters."""

_DAYS, _HOURS = 7, 24


def hours_told(parameters: Mapping[str, Any], lang: str) -> dict[str, Any] | None:
    """Say which hour the figures are of; None if hours play no part in them."""
    if "at" not in parameters:
        return None
    moments = {
        key: format_moment(parameters[key], lang) for key in ("at", "until") if key in parameters
    }
    key = "hour_window" if "until" in parameters else "hour_moment"
    return {
        "at": parameters["at"],
        "until": parameters.get("until", ""),
        "stay_min": parameters["stay_min"],
        "sentence": phrase(key, lang, stay=f"{parameters['stay_min']:g}", **moments),
    }


def week_content(
    table: pd.DataFrame | None,
    parameters: Mapping[str, Any],
    *,
    categories: Sequence[str],
    places: Sequence[tuple[str, str]],
    lang: str,
) -> dict[str, Any] | None:
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
    dict
        ``week_of``, ``by`` (residents or area, whichever the shares are of), ``days`` (date and
        label of each), ``places``: district_id, label, ``categories``: category, ``hours`` (7 rows
        of 24 pairs: per cent covered at least and at most). None without a table.
    """
    if table is None:
        return None
    by = "residents" if table["residents_at_least_pct"].notna().any() else "area"
    names = ["residents_at_least_pct", "residents_at_most_pct"]
    if by == "area":
        names = ["at_least_pct", "at_most_pct"]
    shares = {
        key: rows.sort_values("hour")[names]
        for key, rows in table.groupby(["district_id", "category"])
    }
    monday = dt.date.fromisoformat(parameters["week_of"])
    days = [monday + dt.timedelta(days=day) for day in range(_DAYS)]
    return {
        "week_of": monday.isoformat(),
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


def range_words(least: float, most: float) -> str:
    """Write a range of per cent, both ends rounded outwards so that it stays one."""
    if math.isnan(least) or math.isnan(most):
        return "—"
    low, high = math.floor(least + 1e-9), math.ceil(most - 1e-9)
    if most - least < 0.05:
        return str(round(least))
    return f"{low}–{high}"


def shade(least: float) -> str:
    """Return the sign for a share that is covered for sure."""
    if math.isnan(least) or least <= 0:
        return SHADES[0]
    return SHADES[min(len(SHADES) - 1, 1 + int(least // 25))]


def _grid(rows: pd.DataFrame) -> list[list[list[float]]]:
    pairs = rows.round(2).to_numpy().tolist()
    return [pairs[day * _HOURS : (day + 1) * _HOURS] for day in range(_DAYS)]
