"""Words for hours, persons and ranges, the same on every page."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from typing import Any, Literal, TypedDict

import pandas as pd

from quart_heure.labels import UNKNOWN, format_date, format_moment, format_window, phrase, word
from quart_heure.sources.hours.calendars import public_holidays

DAYS, HOURS = 7, 24

_NEXT_TO_NOTHING = 0.5
"""Per cent that would round to nothing."""


class Hours(TypedDict):
    """The hour, or the part of a day, that figures are of."""

    at: str
    until: str
    stay_min: float
    sentence: str


def hours_told(parameters: Mapping[str, Any], lang: str) -> Hours | None:
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


def week_words(parameters: Mapping[str, Any], lang: str) -> str:
    """Say which week was judged, why this one, and which of its days are public holidays."""
    days = week_days(parameters)
    key = "week_newest" if parameters.get("week_is_newest") else "week_asked"
    monday, sunday = (format_date(day.isoformat(), lang) for day in (days[0], days[-1]))
    # "15 au 21 septembre 2025": the month is said once.
    number, _, month = monday.partition(" ")
    monday = number if sunday.endswith(f" {month}") else monday
    sentence = phrase(key, lang, monday=monday, sunday=sunday)
    holidays = public_holidays(
        days,
        country=parameters["country"],
        departements=tuple(parameters.get("departements", ())),
    )
    named = [
        f"{word(f'day_{day.weekday()}', lang)} {format_date(day.isoformat(), lang)}"
        for day, holiday in zip(days, holidays, strict=True)
        if holiday
    ]
    if named:
        sentence += " " + phrase("week_holidays", lang, days=", ".join(named))
    return sentence


def share_columns(table: pd.DataFrame) -> tuple[Literal["residents", "area"], list[str]]:
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


def week_days(parameters: Mapping[str, Any]) -> list[dt.date]:
    """Return the days of the week that was judged, from Monday on."""
    monday = dt.date.fromisoformat(parameters["week_of"])
    return [monday + dt.timedelta(days=day) for day in range(DAYS)]


def person_words(parameters: Mapping[str, Any], lang: str) -> list[str]:
    """Return who is asked for, in words: nobody in particular gives none."""
    name = str(parameters.get("person") or "")
    return [word(part, lang) for part in name.split("+")] if name else []
