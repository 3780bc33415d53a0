"""The tables of a result, and the order of their rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from quart_heure.analysis.answers import COMPOSITES

LAYERS = ("services", "isochrones", "gaps", "cells")
"""Tables with a geometry."""

_ORDER: Mapping[str, Sequence[str]] = {
    "services": ("category", "service_id"),
    "isochrones": ("category", "threshold_min"),
    "gaps": ("category", "rank", "gap_id"),
    "gap_parts": ("category", "gap_id", "district_id"),
    "indicators": ("level", "district_id", "category"),
    "composite": ("level", "district_id", "essentials_within"),
    "problems": ("file", "row", "field", "value", "reason"),
    "filters": ("filter", "category"),
    "fragility": ("level", "district_id", "category"),
    "entries": ("service_id", "rank"),
    "dependence": ("category", "rank"),
    "capacity": ("level", "district_id", "category", "capacity_unit"),
    "variants": ("category",),
}

TABLES = tuple(table for table in _ORDER if table != "variants")
"""Tables of a result folder besides the cells."""


def in_order(frame: pd.DataFrame, table: str, categories: Sequence[str]) -> pd.DataFrame:
    """Return a table in its own order: the whole area first, then by category, district, rank."""
    rank = {category: number for number, category in enumerate([*categories, *COMPOSITES])}
    rank |= {"city": 0, "district": 1}
    ordered: pd.DataFrame = frame.sort_values(
        list(_ORDER[table]),
        key=lambda values: values.map(rank) if values.name in {"category", "level"} else values,
        kind="stable",
        ignore_index=True,
    )
    return ordered
