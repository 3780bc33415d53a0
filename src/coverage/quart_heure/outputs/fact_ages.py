"""Words for the age of the facts behind a figure, the same on every page."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from quart_heure.labels import format_date, format_number, format_pct, phrase

Row = Mapping[str, Any]


def ages_of(freshness: pd.DataFrame) -> dict[str, Row]:
    """Return the rows of the whole area by category or composite."""
    rows = freshness[freshness["level"] == "city"].to_dict("records")
    return {str(row["category"]): {str(key): row[key] for key in row} for row in rows}


def ages_by_district(freshness: pd.DataFrame) -> dict[str, dict[str, Row]]:
    """Return the rows of each district by category or composite."""
    found: dict[str, dict[str, Row]] = {}
    for row in freshness[freshness["level"] == "district"].to_dict("records"):
        mine = found.setdefault(str(row["district_id"]), {})
        mine[str(row["category"])] = {str(key): row[key] for key in row}
    return found


def age_words(row: Mapping[str, Any], lang: str) -> str:
    """Say how many places a figure rests on, how many are known, and how many are confirmed.

    Parameters
    ----------
    row
        Of the table of freshness.
    lang
        ``fr`` or ``en``.

    Examples
    --------
    >>> age_words({"known": 8.0, "placed": 6.0, "confirmed": 3.0}, "en")
    '6 of 8 places placed; 3 confirmed in the last two years'
    >>> age_words({"known": 1.0, "placed": 1.0, "confirmed": 0.0}, "en")
    '1 place; not confirmed in the last two years'
    """
    known, placed, confirmed = (_count(row[key]) for key in ("known", "placed", "confirmed"))
    if known == 0 and placed == 0:
        return phrase("facts_none_known", lang)
    if known <= placed:
        first = phrase("facts_place" if placed == 1 else "facts_places", lang, n=placed)
    else:
        key = "facts_placed_one" if placed < 2 else "facts_placed"
        first = phrase(key, lang, n=placed, known=known)
    if placed == 0:
        return first
    if confirmed == 0:
        key = "facts_unconfirmed_one" if placed == 1 else "facts_unconfirmed"
    elif confirmed == placed:
        key = "facts_confirmed_one_all" if placed == 1 else "facts_confirmed_all"
    else:
        key = "facts_confirmed_one" if confirmed == 1 else "facts_confirmed"
    return f"{first}{phrase('facts_and', lang)}{phrase(key, lang, n=confirmed)}"


def confirmed_sentence(
    all_: Mapping[str, Any], any_: Mapping[str, Any], *, by: str, essentials: int, lang: str
) -> str:
    """Say what the headline would be if confirmed places alone counted.

    Parameters
    ----------
    all_, any_
        Rows of the table of freshness for the composites of the whole area.
    by
        ``residents`` or ``area``.
    essentials
        Number of essential categories.
    lang
        ``fr`` or ``en``.
    """
    share = "residents_confirmed_covered_pct" if by == "residents" else "confirmed_covered_pct"
    rest = phrase(
        "facts_rest",
        lang,
        placed=format_number(all_["placed"], lang),
        known=format_number(all_["known"], lang),
        confirmed=format_number(all_["confirmed"], lang),
        since=format_date(str(all_["since"]), lang),
    )
    left = confirmed_alone(
        all_[share], 100 - any_[share], by=by, essentials=essentials, lang=lang, key="facts_alone"
    )
    return f"{rest} {left}"


def confirmed_short(all_: Row, any_: Row, *, by: str, lang: str) -> str:
    """Say the same as `confirmed_sentence` in a line for the head of a page."""
    share = "residents_confirmed_covered_pct" if by == "residents" else "confirmed_covered_pct"
    return phrase(
        "facts_short",
        lang,
        confirmed=format_number(all_["confirmed"], lang),
        known=format_number(all_["known"], lang),
        all=format_pct(all_[share], lang),
        none=format_pct(100 - any_[share], lang),
    )


def confirmed_alone(
    all_pct: float, none_pct: float, *, by: str, essentials: int, lang: str, key: str
) -> str:
    """Say who would have all essential services, and who none, if confirmed places alone counted.

    Parameters
    ----------
    all_pct, none_pct
        Shares of residents, or of the area.
    by
        ``residents`` or ``area``.
    essentials
        Number of essential categories.
    lang
        ``fr`` or ``en``.
    key
        Of the phrase.
    """
    nobody = "_nobody" if format_pct(all_pct, lang) == format_pct(0.0, lang) else ""
    return phrase(
        f"{key}{nobody}{'' if by == 'residents' else '_area'}",
        lang,
        n=essentials,
        all=format_pct(all_pct, lang),
        none=format_pct(none_pct, lang),
    )


def _count(value: float) -> int:
    """Return a count; 0 where it is not known, as for places that no district can be given."""
    return 0 if math.isnan(value) else int(value)
