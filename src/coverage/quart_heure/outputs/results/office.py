"""Tables for offices: CSV as a spreadsheet of the language opens it, and one workbook of all.

The CSV of `quart_heure.outputs.results.csv` is for programs: commas between cells, decimal points.
A spreadsheet set to French reads a semicolon between cells, a comma in numbers, and letters with
accents if the file says that it is UTF-8. Lists in a cell, which have semicolons there, are written
with a bar here, so that no spreadsheet parts them.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from quart_heure.files import replacing
from quart_heure.labels import LANGUAGES
from quart_heure.outputs.results.csv import csv_text
from quart_heure.schema import COLUMNS, Column

CsvStyle = Literal["plain", "office"]
"""Commas and points, as programs read; or as the spreadsheets of the language open it."""

_LISTS = frozenset(column.name for column in COLUMNS if "';'" in column.en)
"""Columns whose texts are lists, with semicolons between their parts, as the schema says."""

_BAR = " | "
_MARK = "\ufeff"
"""Begins a file that a spreadsheet is to read as UTF-8."""

_MOST_WIDE, _LEAST_WIDE, _LOOKED_AT = 48, 8, 200
_SHEET_NAME = 31
"""Letters that a name of a sheet may have."""


def styled_csv(
    frame: pd.DataFrame,
    columns: list[Column],
    *,
    style: CsvStyle = "plain",
    lang: str = "fr",
    private: bool = False,
) -> str:
    r"""Return a table as CSV in a style.

    Parameters
    ----------
    frame, columns
        The table, and those of its columns that are written.
    style
        ``plain`` is `csv_text`. ``office`` begins with a byte order mark; in French it has
        semicolons between cells and decimal commas, in English commas and points.
    lang
        ``fr`` or ``en``.
    private
        Whether each row says that it is not to be published.

    Examples
    --------
    >>> from quart_heure.schema import table_columns
    >>> columns = [c for c in table_columns("gaps") if c.name in {"districts", "area_ha"}]
    >>> frame = pd.DataFrame({"districts": ["75101;75102"], "area_ha": [1.5]})
    >>> styled_csv(frame, columns, style="office")
    '\ufeffdistricts;area_ha\n75101 | 75102;1,5000\n'
    """
    if style == "plain":
        return csv_text(frame, columns, private=private)
    decimal = "," if lang == LANGUAGES[0] else "."
    text = csv_text(
        with_bars(frame),
        columns,
        private=private,
        delimiter=_delimiter(lang),
        decimal=decimal,
    )
    return _MARK + text


def styled_text(frame: pd.DataFrame, *, style: CsvStyle = "plain", lang: str = "fr") -> str:
    """Return a table of words of our own as CSV in a style."""
    if style == "plain":
        return str(frame.to_csv(index=False, lineterminator="\n"))
    return _MARK + str(frame.to_csv(index=False, lineterminator="\n", sep=_delimiter(lang)))


def _delimiter(lang: str) -> str:
    return ";" if lang == LANGUAGES[0] else ","


def with_bars(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table whose lists have bars between their parts."""
    lists = [name for name in frame.columns if name in _LISTS and frame[name].dtype.kind in "OUT"]
    return frame.assign(
        **{
            name: frame[name].astype("str").fillna("").str.replace(r"\s*;\s*", _BAR, regex=True)
            for name in lists
        }
    )


def write_workbook(
    tables: Mapping[str, tuple[pd.DataFrame, Sequence[Column]]],
    path: Path,
    *,
    lang: str,
    titles: Mapping[str, str],
    created: str = "",
    about: Sequence[tuple[str, str]] = (),
) -> Path:
    """Write tables into one workbook, a sheet for each: what each column means is its note.

    Texts are written as texts: nothing in them runs as a formula or becomes a link. Numbers are
    numbers, with the decimals of their unit; unknown ones are empty cells.

    Parameters
    ----------
    tables
        By name: the table, and those of its columns that are written.
    path
        The file.
    lang
        Language of the notes.
    titles
        Names of the sheets, by table.
    created
        Time of the run, which the file bears instead of the time of writing.
    about
        Lines of the first sheet: what, and what is said of it.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    import xlsxwriter  # noqa: PLC0415 - one file alone

    with replacing(path) as temporary:
        options = {
            "strings_to_formulas": False,
            "strings_to_numbers": False,
            "strings_to_urls": False,
            "nan_inf_to_errors": False,
        }
        with xlsxwriter.Workbook(str(temporary), options) as book:
            if created:
                book.set_properties({"created": _time_of(created)})
            head = book.add_format({"bold": True, "text_wrap": True, "valign": "top", "bottom": 1})
            if about:
                _write_about(book, about, _sheet_name(titles["about"]), head)
            for table, (frame, columns) in tables.items():
                sheet = book.add_worksheet(_sheet_name(titles[table]))
                _write_table(book, sheet, with_bars(frame), columns, lang=lang, head=head)
    return path


def _write_about(book: Any, about: Sequence[tuple[str, str]], name: str, head: Any) -> None:
    sheet = book.add_worksheet(name)
    sheet.set_column(0, 0, 28)
    sheet.set_column(1, 1, 100, book.add_format({"text_wrap": True, "valign": "top"}))
    for at, (what, said) in enumerate(about):
        sheet.write_string(at, 0, what, head)
        sheet.write_string(at, 1, said)


def _write_table(
    book: Any, sheet: Any, frame: pd.DataFrame, columns: Sequence[Column], *, lang: str, head: Any
) -> None:
    shown = [column for column in columns if column.name in frame]
    for at, column in enumerate(shown):
        sheet.write_string(0, at, column.name, head)
        unit = f" ({column.unit})" if column.unit else ""
        sheet.write_comment(0, at, f"{getattr(column, lang)}{unit}", {"x_scale": 2})
        values = frame[column.name].tolist()
        width = max(len(column.name), _write_cells(sheet, at, values, column, book)) + 1
        sheet.set_column(at, at, min(max(width, _LEAST_WIDE), _MOST_WIDE))
    sheet.freeze_panes(1, 0)
    if len(frame) and shown:
        sheet.autofilter(0, 0, len(frame), len(shown) - 1)


def _write_cells(sheet: Any, at: int, values: list[Any], column: Column, book: Any) -> int:
    """Write the cells of a column under its head; return the letters of the longest looked at."""
    if column.dtype == "boolean":
        for row, value in enumerate(values, start=1):
            if not pd.isna(value):
                sheet.write_boolean(row, at, bool(value))
        return 5
    if column.dtype == "text":
        words = ["" if pd.isna(value) else str(value) for value in values]
        for row, text in enumerate(words, start=1):
            if text:
                sheet.write_string(row, at, text)
        return max((len(text) for text in words[:_LOOKED_AT]), default=0)
    decimals = 0 if column.dtype == "integer" else column.decimals
    form = None
    if decimals is not None:
        form = book.add_format({"num_format": "0" + "." * (decimals > 0) + "0" * decimals})
    for row, value in enumerate(values, start=1):
        if not pd.isna(value) and math.isfinite(value):
            number = float(value) if decimals is None else round(float(value), decimals)
            sheet.write_number(row, at, number, form)
    return 10


def _sheet_name(title: str) -> str:
    """Return a title as a sheet may be called."""
    return "".join("-" if sign in "[]:*?/\\" else sign for sign in title)[:_SHEET_NAME].strip("'")


def _time_of(created: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(created.replace("Z", "+00:00")).replace(tzinfo=None)
