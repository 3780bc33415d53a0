"""The result tables: every column with its type, its unit and what it means.

One list, `schema.csv`, serves three ends: frames are checked against it before they are written
and after they are read, numbers are written with the decimals of their unit, and the data
dictionary that travels with the results is this list.
"""

from __future__ import annotations

import csv
import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import resources
from typing import Any, Literal

import pandas as pd
from pandas.api import types

from quart_heure.errors import OutputError

Dtype = Literal["text", "integer", "number", "boolean", "geometry"]
Files = Literal["all", "layers", "csv", "ranges"]

CATEGORY_MARK = "{category}"
"""Where a pattern takes the identifier of a category: one column for each."""

OWN = "own_"
"""Begins the names of columns that files of services have besides those that are read."""

_OWN_MARK = "{heading}"

_DECIMALS = {
    "count": 0,
    "min": 2,
    "ha": 4,
    "%": 2,
    "people": 1,
    "m": 1,
    "rate": 2,
    "degree": 6,
    "s": 2,
    "MB": 1,
}


@dataclasses.dataclass(frozen=True)
class Column:
    """One column of one result table.

    Parameters
    ----------
    table, name
        Where it is; a name may hold `CATEGORY_MARK`.
    dtype
        Kind of value.
    unit
        Unit of a number, ``""`` if it has none.
    files
        ``all`` files, ``layers`` only (GeoPackage and GeoParquet), ``csv`` only, or ``ranges``:
        all files of an analysis at some hour or for some person, and none of another.
    en, fr
        What it means.
    """

    table: str
    name: str
    dtype: Dtype
    unit: str
    files: Files
    en: str
    fr: str

    @property
    def decimals(self) -> int | None:
        """Decimals written in text files, None for what is not a number with a unit."""
        return _DECIMALS.get(self.unit) if self.dtype == "number" else None


def _read_columns() -> tuple[Column, ...]:
    text = resources.files("quart_heure").joinpath("schema.csv").read_text(encoding="utf-8")
    return tuple(Column(**row) for row in csv.DictReader(text.splitlines()))  # type: ignore[arg-type]


COLUMNS: tuple[Column, ...] = _read_columns()
"""Every column of every result table, in order."""

_ON_DEMAND = (
    *("paces", "sensitivity"),
    *("sites", "site_candidates", "site_alternatives", "site_gaps", "site_districts"),
    *("site_curve", "calls", "links"),
    *("closures", "shared_buildings"),
    *("scenario_changes", "scenario_gaps"),
    *("changes", "gap_changes", "service_changes"),
    "batch",
)
"""Tables that a command prints and no folder of results holds."""

TABLES: tuple[str, ...] = tuple(
    dict.fromkeys(column.table for column in COLUMNS if column.table not in _ON_DEMAND)
)
"""Names of the result tables."""


def table_columns(
    table: str, categories: Iterable[str] = (), *, own: Iterable[str] = ()
) -> list[Column]:
    """List the columns of a table, patterns expanded to one column per category.

    Columns of one category stay together, as in the frames. ``own`` are names of own columns that
    the services have.

    Examples
    --------
    >>> [c.name for c in table_columns("composite")][:4]
    ['level', 'district_id', 'label', 'essentials_within']
    >>> [c.name for c in table_columns("cells", ["esi"]) if c.name.endswith("_esi")]
    ['minutes_esi', 'nearest_esi', 'status_esi', 'perhaps_esi']
    """
    mine = [
        dataclasses.replace(column, name=name)
        for column in COLUMNS
        if column.table == table
        for name in (own if _OWN_MARK in column.name else (column.name,))
    ]
    patterns = [column for column in mine if CATEGORY_MARK in column.name]
    if not patterns:
        return mine
    expanded = [
        dataclasses.replace(column, name=column.name.replace(CATEGORY_MARK, category))
        for category in categories
        for column in patterns
    ]
    at = mine.index(patterns[0])
    return mine[:at] + expanded + mine[at + len(patterns) :]


def data_dictionary(
    categories: Sequence[str],
    composites: Sequence[str] = (),
    *,
    ranges: bool = True,
    week: bool = True,
    own: Iterable[str] = (),
) -> pd.DataFrame:
    """Describe every column that the results of these categories have.

    Parameters
    ----------
    categories
        The categories analysed.
    composites
        Composite indicators, which have columns in the districts layer.
    ranges, week
        Whether the analysis is at some hour or for some person, and whether it has the table of a
        week.
    own
        Names of own columns that the services have.
    """
    own = tuple(own)
    columns = [
        c
        for table in TABLES
        if week or table != "week"
        for c in table_columns(
            table, [*categories, *composites] if table == "districts" else categories, own=own
        )
        if ranges or c.files != "ranges"
    ]
    return _dictionary(columns)


def described(tables: Sequence[str]) -> pd.DataFrame:
    """Describe every column of some tables, as `data_dictionary` does those of results."""
    return _dictionary([column for table in tables for column in table_columns(table)])


def _dictionary(columns: Sequence[Column]) -> pd.DataFrame:
    rows = [(c.table, c.name, c.dtype, c.unit, c.files, c.en, c.fr) for c in columns]
    names = ["table", "column", "type", "unit", "files", "description_en", "description_fr"]
    return pd.DataFrame(rows, columns=names)


def column_problems(frame: pd.DataFrame, table: str, categories: Iterable[str] = ()) -> list[str]:
    """Say in words where a frame departs from its declared columns, their order aside."""
    own = [name for name in frame.columns if str(name).startswith(OWN)]
    expected = table_columns(table, categories, own=own)
    declared = {c.name: c for c in expected if c.files != "csv"}
    if not hasattr(frame, "geometry") and table == "cells":
        del declared["geometry"]  # in memory, cells carry the coordinates of their centres
    problems = [
        f"column {name!r} is missing"
        for name, column in declared.items()
        if name not in frame.columns and column.files != "ranges"
    ]
    problems += [
        f"column {name!r} is not declared" for name in frame.columns if name not in declared
    ]
    problems += [
        f"column {name!r} is {frame[name].dtype}, not {column.dtype}"
        for name, column in declared.items()
        if name in frame.columns and len(frame) and not _KINDS[column.dtype](frame[name].dtype)
    ]
    return problems


def check_columns(frame: pd.DataFrame, table: str, categories: Iterable[str] = ()) -> None:
    """Check a result frame against its declared columns.

    Raises
    ------
    OutputError
        If a column is missing, is not declared or has values of another kind.
    """
    problems = column_problems(frame, table, categories)
    if problems:
        msg = f"Table {table!r} does not follow its schema: {'; '.join(problems)}."
        raise OutputError(msg, hint="Declare new columns in quart_heure.schema.")


def _is_text(dtype: Any) -> bool:
    if isinstance(dtype, pd.CategoricalDtype):
        return _is_text(dtype.categories.dtype)
    return types.is_string_dtype(dtype) or types.is_object_dtype(dtype)


def _is_number(dtype: Any) -> bool:
    return types.is_numeric_dtype(dtype) and not types.is_bool_dtype(dtype)


_KINDS: Mapping[str, Callable[[Any], bool]] = {
    "text": _is_text,
    "integer": types.is_integer_dtype,
    "number": _is_number,
    "boolean": types.is_bool_dtype,
    "geometry": lambda dtype: dtype.name == "geometry",
}
