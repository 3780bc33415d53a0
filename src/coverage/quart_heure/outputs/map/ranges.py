"""Ranges of the map: what the study asked about, and what is covered for sure and at most.

A study of an hour or of a person knows less than one of neither: where the hours of a service, or
whom it admits, are not known, a place is *perhaps* covered.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from quart_heure.labels import format_plain
from quart_heure.outputs.hour_words import hour_words, person_words, range_words
from quart_heure.outputs.map.cells import Grid, packed

if TYPE_CHECKING:
    from quart_heure.study.coverage import Coverage


def has_ranges(coverage: Coverage) -> bool:
    """Tell whether the study asked for an hour or a person, so that figures have two ends."""
    return "covered_at_most_pct" in coverage.indicators


def asked_words(parameters: Mapping[str, Any], words: Mapping[str, Any], *, lang: str) -> list[str]:
    """Say for which hour and for whom the figures are; nothing where neither was asked."""
    said = []
    if "at" in parameters:
        key = "asked_window" if "until" in parameters else "asked_moment"
        stay = format_plain(parameters["stay_min"], lang)
        said.append(words[key].format(stay=stay, when=hour_words(parameters, lang)))
    if who := person_words(parameters, lang):
        said.append(words["asked_person"].format(person=", ".join(who)))
    return said


def range_rows(coverage: Coverage, category: str) -> list[list[float | None]]:
    """Return per district, the whole area last: share at least and at most, residents likewise.

    As `quart_heure.outputs.map.hours` gives them for an hour of the week.
    """
    people = coverage.study.residents is not None
    share = "residents_covered{}_pct" if people else "covered{}_pct"
    amount = "residents_covered{}"
    table = coverage.indicators[coverage.indicators["category"] == category]
    table = table.sort_values("level", key=lambda level: level == "city", kind="stable")
    names = [(share.format(most), 1) for most in ("", "_at_most")]
    names += [(amount.format(most), 0) for most in ("", "_at_most")]
    return [
        [
            round(float(row[name]), decimals) if np.isfinite(row[name]) else None
            for name, decimals in names
        ]
        for row in table.to_dict("records")
    ]


def range_told(coverage: Coverage, category: str) -> str:
    """Return the share of the whole area at least and at most, as the report writes it."""
    share = "residents_covered{}_pct" if coverage.study.residents is not None else "covered{}_pct"
    table = coverage.indicators
    city = table[(table["category"] == category) & (table["level"] == "city")].iloc[0]
    return range_words(*(float(city[share.format(most)]) for most in ("", "_at_most")))


def city_bounds(coverage: Coverage, column: str, reached: int) -> tuple[float, float]:
    """Return the least and the most of the whole area that has so many essentials in reach."""
    table = coverage.composite
    rows = table[(table["level"] == "city") & (table["essentials_within"] == reached)]
    ends = [float(rows[name].sum()) for name in (column, f"{column}_at_most") if name in rows]
    return min(ends), max(ends)


def perhaps_shown(coverage: Coverage, grid: Grid) -> dict[str, str]:
    """Return which cells are perhaps covered, packed, per category; nothing where none is asked."""
    if not has_ranges(coverage):
        return {}
    return {
        category: packed(grid.lay(_perhaps(coverage.cells, category), np.uint8))
        for category in coverage.study.categories
    }


def _perhaps(cells: pd.DataFrame, category: str) -> Any:
    return cells[f"perhaps_{category}"].to_numpy(bool).astype(np.uint8)
