"""The index of the dossiers: every district beside the others, in a table and in charts."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from quart_heure.labels import format_pct
from quart_heure.outputs.dossier.words import short

if TYPE_CHECKING:
    from quart_heure.outputs.dossier.content import Dossiers


_CHART_LABEL = 9
"""Letters of a district's name beside its bar."""


def index_content(dossiers: Dossiers, files: Mapping[str, str]) -> dict[str, Any]:
    """Return what the index shows.

    Parameters
    ----------
    dossiers
        What the pages draw on.
    files
        The file of each district's dossier, by id, in the order of the districts.

    Returns
    -------
    dict
        ``title``, ``summary`` (a sentence), ``caption``; ``columns``, ``rows`` and ``city`` of the
        table; ``uncounted`` (what its rows leave out, in words); ``charts``.
    """
    say = dossiers.say
    title = say("index_title", area=dossiers.area, n=len(files), unit=dossiers.unit)
    ending = "" if dossiers.by_people else "_area"
    columns = _columns(dossiers)
    return {
        "title": title,
        "summary": dossiers.report["summary"].get("sentence", ""),
        "caption": say(f"index_caption{ending}", threshold=dossiers.threshold, unit=dossiers.unit),
        "columns": columns,
        "rows": [
            {
                "file": file,
                "label": dossiers.label(district_id),
                "cells": [_cell(dossiers, district_id, column) for column in columns],
            }
            for district_id, file in files.items()
        ],
        "city": [
            {"value": _city_value(dossiers, column), "decimals": column["decimals"]}
            for column in columns
        ],
        "uncounted": _uncounted(dossiers),
        "charts": [_chart(dossiers, category["id"], files) for category in dossiers.categories],
    }


def _uncounted(dossiers: Dossiers) -> str:
    """Say why the services of the districts add up to less than those of the whole area."""
    if not dossiers.uncounted:
        return ""
    n = sum(dossiers.uncounted.values())
    return dossiers.say("index_uncounted", area=dossiers.area, unit=dossiers.unit, n=n)


def _columns(dossiers: Dossiers) -> list[dict[str, Any]]:
    say = dossiers.say
    counts = [
        {"key": "residents", "label": say("headings.residents"), "decimals": 0},
        {"key": "services", "label": say("headings.services_inside"), "decimals": 0},
    ]
    shares = []
    if dossiers.report["composite"]:
        k = len(dossiers.coverage.study.essentials)
        shares = [
            {"key": "all", "label": say("index_all", k=k), "decimals": 1},
            {"key": "none", "label": say("index_none"), "decimals": 1},
        ]
    shares += [
        {"key": category["id"], "label": dossiers.names[category["id"]], "decimals": 1}
        for category in dossiers.categories
    ]
    return counts[0 if dossiers.by_people else 1 :] + shares


def _cell(dossiers: Dossiers, district_id: str, column: Mapping[str, Any]) -> dict[str, Any]:
    key = column["key"]
    value = _value(dossiers, district_id, key)
    return {
        "value": value,
        "sort": "NaN" if math.isnan(value) else f"{value:g}",
        "decimals": column["decimals"],
        "share": key not in {"residents", "services", "none"} and not math.isnan(value),
        "place": dossiers.place(key, district_id),
    }


def _value(dossiers: Dossiers, district_id: str, key: str) -> float:
    if key in {"all", "none"}:
        return dossiers.headline(district_id)[key].pct
    rows = dossiers.districts[district_id]["indicators"]
    if key == "residents":
        return float(rows[0]["residents"])
    if key == "services":
        ids = {category["id"] for category in dossiers.categories}
        return float(sum(row["services_inside"] for row in rows if row["category"] in ids))
    return float(dossiers.row(district_id, key)[dossiers.share])


def _city_value(dossiers: Dossiers, column: Mapping[str, Any]) -> float:
    key = column["key"]
    if key in {"all", "none"}:
        first = next(iter(dossiers.districts))
        return dossiers.headline(first)[key].city_pct
    if key == "residents":
        return float(next(iter(dossiers.city.values()))["residents"])
    if key == "services":
        return float(sum(dossiers.city[c["id"]]["services_inside"] for c in dossiers.categories))
    return float(dossiers.city[key][dossiers.share])


def _chart(dossiers: Dossiers, category: str, files: Mapping[str, str]) -> dict[str, Any]:
    say, lang = dossiers.say, dossiers.lang
    bars: list[dict[str, Any]] = [
        {
            "at": at,
            "label": short(dossiers.label(district_id), _CHART_LABEL),
            "value": _value(dossiers, district_id, category),
        }
        for at, district_id in enumerate(files)
    ]
    city = float(dossiers.city[category][dossiers.share])
    told = {
        "category": dossiers.names[category],
        "area": dossiers.area,
        "city": format_pct(city, lang),
    }
    known = [bar for bar in bars if not math.isnan(bar["value"])]
    alt = say("chart_alt_one", **told)
    if known:
        low, high = (pick(known, key=lambda bar: bar["value"]) for pick in (min, max))
        alt = say(
            "chart_alt",
            **told,
            low=format_pct(low["value"], lang),
            low_at=low["label"],
            high=format_pct(high["value"], lang),
            high_at=high["label"],
        )
    return {"label": dossiers.names[category], "bars": bars, "city": city, "alt": alt}
