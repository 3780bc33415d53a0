"""What a share is good to, in figures and words: the same on every page."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

import pandas as pd

from quart_heure.labels import format_number, phrase

Ends = list[float]
"""The least and the greatest share, in per cent; NaN where it is not told."""


class DoubtLine(TypedDict):
    """What the share of one category or composite in one place is good to, in per cent."""

    category: str
    by: str
    """What the shares are of: residents, or area."""
    share: float
    one_place: Ends
    one_place_name: str
    """Of the place that moves the share most, "" without one."""
    elsewhere: Ends
    speed: Ends
    confirmed_only: float
    """The share if places that no recent source confirms were not there."""
    with_unknown: float
    """The share if places of which something is not known were open to the person."""


def doubt_lines(
    accuracy: Sequence[Mapping[str, Any]] | pd.DataFrame,
    services: pd.DataFrame | Mapping[str, str],
    *,
    district_id: str = "",
) -> list[DoubtLine]:
    """Return what the shares of one district, or of the whole area, are good to.

    Parameters
    ----------
    accuracy
        Rows of the table of accuracy.
    services
        Those that may be shown: service_id and name, as a table or as names by their ids.
    district_id
        The district; "" is the whole area.

    Returns
    -------
    list
        One line per category and composite, in the order of the rows.
    """
    if isinstance(accuracy, pd.DataFrame):
        mine = accuracy[accuracy["level"] == ("district" if district_id else "city")]
        accuracy = [{str(k): v for k, v in row.items()} for row in mine.to_dict("records")]
    rows = [row for row in accuracy if _is_of(row, district_id)]
    people = any(math.isfinite(row["residents_low_pct"]) for row in rows)
    low, high = ("residents_low_pct", "residents_high_pct") if people else ("low_pct", "high_pct")
    names = (
        services
        if isinstance(services, Mapping)
        else dict(zip(services["service_id"], services["name"], strict=True))
    )
    found: dict[str, dict[str, Mapping[str, Any]]] = {}
    for row in rows:
        found.setdefault(row["category"], {})[row["doubt"]] = row
    lines: list[DoubtLine] = []
    for category, by_doubt in found.items():
        ends = {doubt: [float(row[low]), float(row[high])] for doubt, row in by_doubt.items()}
        lines.append(
            {
                "category": category,
                "by": "residents" if people else "area",
                "share": ends["computed"][0],
                "one_place": ends["one_place"],
                "one_place_name": str(names.get(by_doubt["one_place"]["service_id"], "")),
                "elsewhere": ends["elsewhere"],
                "speed": ends["speed"],
                "confirmed_only": ends["unconfirmed"][0],
                "with_unknown": ends["unknown"][1],
            }
        )
    return lines


def _is_of(row: Mapping[str, Any], district_id: str) -> bool:
    if not district_id:
        return bool(row["level"] == "city")
    return bool(row["level"] == "district" and row["district_id"] == district_id)


def ends_words(ends: Ends, lang: str) -> str:
    """Write two shares in whole per cent, one if they read the same.

    Examples
    --------
    >>> ends_words([57.4, 88.4], "en"), ends_words([12.1, 12.4], "en")
    ('57–88', '12')
    """
    low, high = (format_number(end, lang) for end in ends)
    return low if low == high else f"{low}–{high}"


def doubt_words(line: DoubtLine, lang: str) -> str:
    """Say what moves a share by a point or more; "" where nothing does, or it is not told.

    Examples
    --------
    >>> line = {"category": "esi", "by": "residents", "share": 73.4, "one_place": [71.8, 75.5],
    ...     "one_place_name": "Agora", "elsewhere": [72.6, 74.9], "speed": [57.4, 88.4],
    ...     "confirmed_only": 2.3, "with_unknown": 73.4}
    >>> doubt_words(line, "en")[:64]
    '57–88 % walking 10 % slower or faster; 72–76 % if one single pla'
    """
    parts = []
    if _moves(line, line["speed"]):
        parts.append(phrase("doubt_speed", lang, ends=ends_words(line["speed"], lang)))
    if line["one_place_name"] and _moves(line, line["one_place"]):
        ends = ends_words(line["one_place"], lang)
        parts.append(phrase("doubt_one_place", lang, ends=ends, name=line["one_place_name"]))
    if _moves(line, [line["confirmed_only"], line["share"]]):
        alone = format_number(line["confirmed_only"], lang)
        parts.append(phrase("doubt_confirmed", lang, share=alone))
    if _moves(line, [line["share"], line["with_unknown"]]):
        most = format_number(line["with_unknown"], lang)
        parts.append(phrase("doubt_unknown", lang, share=most))
    return phrase("facts_and", lang).join(parts)


def pace_words(line: DoubtLine, lang: str) -> str:
    """Say what a share is for who walks a tenth slower or faster; "" where it is the same."""
    if not _moves(line, line["speed"]):
        return ""
    return phrase("doubt_pace", lang, ends=ends_words(line["speed"], lang))


def weakest(lines: Sequence[DoubtLine]) -> DoubtLine | None:
    """Return the line that one single place moves most; None where none is moved by a point."""
    moved = [line for line in lines if line["one_place_name"] and _moves(line, line["one_place"])]
    return max(moved, key=lambda line: line["one_place"][1] - line["one_place"][0], default=None)


def _moves(line: DoubtLine, ends: Ends) -> bool:
    share = line["share"]
    return max(ends[1] - share, share - ends[0]) >= 1  # False of NaN
