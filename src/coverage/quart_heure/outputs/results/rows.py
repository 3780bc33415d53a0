"""The tables of a result, the order of their rows, and rows as plain values, safe to show."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from quart_heure.analysis.answers import COMPOSITES
from quart_heure.schema import table_columns

Row = dict[str, Any]
"""Values by the names of their columns, as ``schema.csv`` declares them."""

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
    "freshness": ("level", "district_id", "category"),
    "accuracy": ("level", "district_id", "category", "doubt"),
    "unplaced": ("category", "name", "service_id"),
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
        key=lambda values: _ranked(values, rank) if values.name in _BY_RANK else values,
        kind="stable",
        ignore_index=True,
    )
    return ordered


_BY_RANK = frozenset({"category", "level"})
"""Columns whose words stand in another order than that of the alphabet."""


def _ranked(values: pd.Series[Any], rank: Mapping[str, int]) -> pd.Series[Any]:
    if isinstance(values.dtype, pd.CategoricalDtype):
        return values.map(rank)
    # Several times faster than pandas maps words.
    return pd.Series([rank.get(one, math.nan) for one in values.tolist()], index=values.index)


def plain_rows(frame: pd.DataFrame, table: str, ids: Sequence[str]) -> list[Row]:
    """Return the rows of these categories, in the order of the table, as plain values.

    Numbers are rounded as in the files, and text is made safe to show.
    """
    decimals = {column.name: column.decimals for column in table_columns(table)}
    plain = pd.DataFrame(frame[[name for name in frame.columns if name != "geometry"]])
    if "category" in plain:
        plain = plain[plain["category"].isin(ids)]
    plain = in_order(plain, table, ids)
    names = [str(name) for name in plain.columns]
    # Column by column: pandas is slow at rows.
    columns = [_tidied(values, decimals.get(str(name))) for name, values in plain.items()]
    return [dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)]


def _tidied(values: pd.Series[Any], decimals: int | None) -> list[Any]:
    plain = values.tolist()
    if isinstance(values.dtype, np.dtype) and values.dtype.kind in "biuf":  # no text, no gaps
        if values.dtype.kind != "f" or decimals is None:
            return plain
        return [round(value, decimals) if math.isfinite(value) else value for value in plain]
    return [_tidy(value, decimals) for value in plain]


def _tidy(value: Any, decimals: int | None) -> Any:
    if value is None or value is pd.NA:
        return None
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, float) and decimals is not None and math.isfinite(value):
        return round(value, decimals)
    return value


def people_on_network(row: Mapping[str, Any]) -> float:
    """Return the residents that the shares of a row of indicators are of.

    The sum of its parts as tables show them: the difference of two other rounded figures might be
    another by one.
    """
    parts = ("residents_covered", "residents_borderline_uncovered", "residents_uncovered")
    known = [float("nan") if row[part] is None else float(row[part]) for part in parts]
    if any(map(math.isnan, known)):  # of a category that is not judged
        known = [float(row["residents"]), -float(row["residents_off_network"])]
    return round(sum(known), 1)


def printable(text: str) -> str:
    """Drop signs that have no place in a name: control codes and changes of direction."""
    if text.isprintable():
        return text
    return "".join(
        " " if sign in "\t\r\n" else sign
        for sign in text
        if sign in "\t\r\n" or unicodedata.category(sign) not in {"Cc", "Cf", "Cs", "Co", "Cn"}
    )
