"""The week in a report: who is covered at each of its hours, as figures of 7 days by 24 hours."""

from __future__ import annotations

import datetime as dt
import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from quart_heure.labels import UNKNOWN, format_date, format_moment, format_window, phrase, word
from quart_heure.sources.hours.states import public_holidays

__all__ = [
    "SHADES",
    "day_runs",
    "hour_words",
    "hours_told",
    "range_words",
    "shade",
    "share_columns",
    "week_content",
    "week_words",
]

SHADES = "·░▒▓█"
"""None, and quarters of the people or of the area, for a screen that has but letters."""

_DAYS, _HOURS = 7, 24

_NEXT_TO_NOTHING = 0.5
"""Per cent that would round to nothing."""


def hours_told(parameters: Mapping[str, Any], lang: str) -> dict[str, Any] | None:
    """Say which hour the figures are of; None if hours play no part in them."""
    if "at" not in parameters:
        return None
    until = parameters.get("until", "")
    key = "hour_window" if until else "hour_moment"
    return {
        "at": parameters["at"],
        "until": until,
        "stay_min": parameters["stay_min"],
        "sentence": phrase(
            key, lang, stay=f"{parameters['stay_min']:g}", when=hour_words(parameters, lang)
        ),
    }


def hour_words(parameters: Mapping[str, Any], lang: str) -> str:
    """Write the moment that was asked about, or the part of a day."""
    if "until" in parameters:
        return format_window(parameters["at"], parameters["until"], lang)
    return format_moment(parameters["at"], lang)


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
        ``week_of``, ``about`` (which week it is, in words), ``by`` (residents or area, whichever
        the shares are of), ``days`` (date and label of each), ``places``: district_id, label,
        ``categories``: category, ``hours`` (7 rows of 24 pairs: per cent covered at least and at
        most). None without a table.
    """
    if table is None:
        return None
    by, names = share_columns(table)
    shares = {
        key: rows.sort_values("hour")[names]
        for key, rows in table.groupby(["district_id", "category"])
    }
    days = _days(parameters)
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


def week_words(parameters: Mapping[str, Any], lang: str) -> str:
    """Say which week was judged, why this one, and which of its days are public holidays."""
    days = _days(parameters)
    key = "week_newest" if parameters.get("week_is_newest") else "week_asked"
    monday, sunday = (format_date(day.isoformat(), lang) for day in (days[0], days[-1]))
    # "15 au 21 septembre 2025": the month is said once.
    number, _, month = monday.partition(" ")
    monday = number if sunday.endswith(f" {month}") else monday
    sentence = phrase(key, lang, monday=monday, sunday=sunday)
    holidays = public_holidays(days, country=parameters["country"])
    named = [
        f"{word(f'day_{day.weekday()}', lang)} {format_date(day.isoformat(), lang)}"
        for day, holiday in zip(days, holidays, strict=True)
        if holiday
    ]
    if named:
        sentence += " " + phrase("week_holidays", lang, days=", ".join(named))
    return sentence


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


def share_columns(table: pd.DataFrame) -> tuple[str, list[str]]:
    """Return what the shares of a week are of, and their columns: at least, at most.

    They are of residents, or of area where residents are not known.
    """
    if table["residents_at_least_pct"].notna().any():
        return "residents", ["residents_at_least_pct", "residents_at_most_pct"]
    return "area", ["at_least_pct", "at_most_pct"]


def range_words(least: float, most: float) -> str:
    """Write a range of per cent in whole numbers: one figure where both ends read alike.

    Every page writes such figures through this function, so that they agree.

    Examples
    --------
    >>> range_words(12.2, 30.6), range_words(12.4, 12.4), range_words(0.0, 0.3)
    ('12–31', '12', '0–<1')
    """
    if math.isnan(least) or math.isnan(most):
        return UNKNOWN
    low, high = _whole(least), _whole(most)
    return low if low == high else f"{low}–{high}"


def _whole(share: float) -> str:
    """Round to the nearest: what is little does not read as nothing, nor almost all as all."""
    share = round(share, 2)  # as in the files, so that a folder of results reads the same
    if 0 < share <= _NEXT_TO_NOTHING:
        return "<1"
    if 100 - _NEXT_TO_NOTHING <= share < 100:
        return ">99"
    return str(round(share))


def shade(least: float) -> str:
    """Return the sign for a share that is covered for sure."""
    if math.isnan(least) or least <= 0:
        return SHADES[0]
    return SHADES[min(len(SHADES) - 1, 1 + int(least // 25))]


def _days(parameters: Mapping[str, Any]) -> list[dt.date]:
    monday = dt.date.fromisoformat(parameters["week_of"])
    return [monday + dt.timedelta(days=day) for day in range(_DAYS)]


def _grid(rows: pd.DataFrame) -> list[list[list[float]]]:
    pairs = rows.round(2).to_numpy().tolist()
    return [pairs[day * _HOURS : (day + 1) * _HOURS] for day in range(_DAYS)]
