"""Tables as people keep them: CSV, workbooks, JSON of portals and layers, as columns of text."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from quart_heure.errors import InputFileError
from quart_heure.sources.delimited import read_delimited
from quart_heure.sources.given import check_given, check_parquet, held_bytes
from quart_heure.sources.layers import holds_geometry, read_layers
from quart_heure.sources.text_columns import (
    IsHeading,
    RawTable,
    from_layer,
    from_records,
    from_rows,
)
from quart_heure.sources.vector_formats import has_cut_headings
from quart_heure.sources.workbooks import WORKBOOKS, read_sheets

LARGEST_FILE_BYTES = 300_000_000
MOST_ROWS = 1_000_000
MOST_COLUMNS = 2_000
"""A table of services is smaller than these; beyond, a file is something else."""

_LISTS = ("results", "records", "data", "rows", "items", "features")
"""Where portals put the list of records in their answer."""

_SINGLE = frozenset({".csv", ".tsv", ".txt", ".json", ".parquet", ".geoparquet"})
"""Endings of files that hold one table."""


def read_raw_tables(
    path: Path, *, part: str = "", is_heading: IsHeading = lambda _: False
) -> list[RawTable]:
    """Read the tables of a file of any known format: sheets, layers, or the one that it is.

    Parameters
    ----------
    path
        CSV, workbook, JSON, Parquet, or a layer.
    part
        Name of the sheet or layer that is wanted; all by default.
    is_heading
        Tells whether a word is a usual heading: it helps to find the row of headings.

    Raises
    ------
    InputFileError
        If the file is missing, unreadable, or larger than a table of services can be, or has no
        part of that name.
    CrsError
        If a layer has no CRS, or one that cannot be turned into degrees.
    """
    _check_size(path)
    suffix = path.suffix.lower()
    if suffix in {".csv", ".tsv", ".txt"}:
        rows, delimiter, doubts = read_delimited(path)
        table = from_rows(rows, path, is_heading, doubts=doubts)
        tables = [dataclasses.replace(table, delimiter=delimiter)]
    elif suffix in WORKBOOKS:
        tables = _read_workbook(path, part, is_heading)
    elif suffix == ".json":
        tables = _read_json(path)
    elif suffix == ".parquet" and not holds_geometry(path):
        tables = [_read_plain_parquet(path)]
    else:
        tables = _read_layers(path, part)
    if part and suffix in _SINGLE:
        msg = f"{path}: is one table, without sheets or layers such as {part!r}."
        raise InputFileError(msg, hint="Leave layer and sheet out.")
    for table in tables:
        _check_counts(table, path)
    return tables


def read_raw_table(
    path: Path, *, part: str = "", is_heading: IsHeading = lambda _: False
) -> RawTable:
    """Read the one table of a file, or the sheet or layer that is named; see `read_raw_tables`.

    Raises
    ------
    InputFileError
        If it has several.
    """
    tables = read_raw_tables(path, part=part, is_heading=is_heading)
    if len(tables) > 1:
        names = ", ".join(repr(table.part) for table in tables[:20])
        msg = f"{path}: has several sheets or layers: {names}."
        raise InputFileError(msg, hint="Save the one that is meant as a file of its own.")
    return tables[0]


def _check_counts(table: RawTable, path: Path) -> None:
    if len(table.headings) > MOST_COLUMNS:
        msg = f"{path}: has {len(table.headings):,} columns."
        raise InputFileError(msg, hint=f"A table of services has {MOST_COLUMNS:,} at most.")
    if len(table) > MOST_ROWS:
        msg = f"{path}: has {len(table):,} rows."
        raise InputFileError(msg, hint=f"A table of services has {MOST_ROWS:,} at most.")


def _check_size(path: Path) -> None:
    check_given(path)
    if path.suffix.lower() in {".parquet", ".geoparquet"}:
        check_parquet(path, most_rows=MOST_ROWS, most_bytes=LARGEST_FILE_BYTES)
    size = held_bytes(path, most=LARGEST_FILE_BYTES)
    if size > LARGEST_FILE_BYTES:
        msg = f"{path}: holds {size / 1e6:,.0f} MB."
        hint = f"A table of services holds {LARGEST_FILE_BYTES / 1e6:,.0f} MB at most: cut it."
        raise InputFileError(msg, hint=hint)


# --- workbooks -----------------------------------------------------------------------------------


def _read_workbook(path: Path, part: str, is_heading: IsHeading) -> list[RawTable]:
    """Read the sheets of a workbook, or the one that is wanted."""
    sheets = read_sheets(path)
    wanted = [sheet for sheet in sheets if part in {"", sheet.name}]
    if part and not wanted:
        msg = f"{path}: there is no sheet {part!r}."
        names = ", ".join(repr(sheet.name) for sheet in sheets[:20])
        raise InputFileError(msg, hint=f"Sheets are {names or 'all empty'}.")
    alone = len(sheets) == 1 or bool(part)
    found = []
    for sheet in wanted:
        table = from_rows(sheet.rows, path, is_heading)
        found.append(
            dataclasses.replace(
                table,
                part="" if alone else sheet.name,
                titles=f"{sheet.name} {table.titles}",
                hidden=sheet.hidden and not part,
            )
        )
    return found or [from_rows([], path, is_heading)]


# --- JSON ----------------------------------------------------------------------------------------


def _read_json(path: Path) -> list[RawTable]:
    """Read records of a portal: a list of them, or an answer that holds such a list."""
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        msg = f"{path}: cannot be read as JSON ({' '.join(str(error).split())[:200]})."
        raise InputFileError(msg, hint="Save it again in UTF-8, or give another format.") from error
    if isinstance(content, dict) and content.get("type") == "FeatureCollection":
        return _read_layers(path, "")
    if isinstance(content, dict) and content.get("type") == "umap":
        msg = f"{path}: is a map of uMap."
        raise InputFileError(msg, hint="Give it its own ending, .umap.")
    if isinstance(content, dict):
        found = next((content[key] for key in _LISTS if isinstance(content.get(key), list)), None)
        content = found
    if not isinstance(content, list) or (content and not any(isinstance(r, dict) for r in content)):
        msg = f"{path}: holds no list of records."
        hint = 'Give a list such as [{"nom": …}], or an answer of a portal that holds one.'
        raise InputFileError(msg, hint=hint)
    return [from_records([_fields(record) for record in content])]


def _fields(record: object) -> Mapping[str, Any]:
    """Return what a record says of its place; older portals keep that under ``fields``."""
    if not isinstance(record, dict):
        return {}
    fields = record.get("fields", record.get("properties"))
    if not isinstance(fields, dict):
        return record
    around = {key: record[key] for key in ("recordid", "geometry") if key in record}
    return {**around, **fields}


# --- layers --------------------------------------------------------------------------------------


def _read_plain_parquet(path: Path) -> RawTable:
    """Read a Parquet file that says nothing of shapes as a table of columns."""
    try:
        table = pd.read_parquet(path)
    except Exception as error:
        # Arrow raises what it likes; whatever it is, the file could not be read.
        msg = f"{path}: cannot be read as Parquet ({' '.join(str(error).split())[:200]})."
        raise InputFileError(msg, hint="Save it again, or as CSV in UTF-8.") from error
    # Shapes of which nobody says how they are written, nor in which CRS they are.
    unsaid = [c for c in table if any(isinstance(value, bytes) for value in table[c])]
    doubts = tuple(
        (str(name), "", "binary, and the file says of no CRS", "not read") for name in unsaid
    )
    return dataclasses.replace(from_layer(table.drop(columns=unsaid), path), doubts=doubts)


def _read_layers(path: Path, part: str) -> list[RawTable]:
    cut = has_cut_headings(path)
    return [
        dataclasses.replace(from_layer(layer, path), part=name, cut=cut)
        for name, layer in read_layers(path, layer=part).items()
    ]
