"""Workbooks: the sheets of Excel and OpenDocument files as rows of text."""

from __future__ import annotations

import dataclasses
import io
import re
import zipfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from quart_heure.errors import InputFileError
from quart_heure.sources.sheet_sizes import check_sheets
from quart_heure.sources.texts import cell_text

WORKBOOKS = frozenset({".xlsx", ".xlsm", ".xls", ".xlsb", ".ods"})

Rows = list[tuple[str, ...]]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sheet:
    """One sheet.

    Parameters
    ----------
    name
        As its tab says.
    rows
        Texts of its cells. Every row of cells that were merged below each other holds what is
        written in the first.
    hidden
        Whether the workbook hides it from those who open it.
    """

    name: str
    rows: Rows
    hidden: bool


def read_sheets(path: Path) -> list[Sheet]:
    """Read the sheets of a workbook that hold anything, in their order.

    Raises
    ------
    InputFileError
        If it cannot be read.
    """
    from python_calamine import CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum  # noqa: PLC0415

    check_sheets(path)
    try:
        book = CalamineWorkbook.from_path(str(path))
        merged = _merged_of_ods(path) if path.suffix.lower() == ".ods" else {}
        found = []
        for about in book.sheets_metadata:
            if about.typ != SheetTypeEnum.WorkSheet:
                continue  # a chart
            sheet = book.get_sheet_by_name(about.name)
            rows = [tuple(map(cell_text, row)) for row in sheet.to_python()]
            ranges = merged.get(about.name) or sheet.merged_cell_ranges or []
            # Rows are given from the first that holds anything, ranges from that of the sheet.
            rows = _filled(rows, ranges, start=sheet.start or (0, 0))
            if any(any(map(str.strip, row)) for row in rows):
                hidden = about.visible != SheetVisibleEnum.Visible
                found.append(Sheet(name=about.name, rows=rows, hidden=hidden))
    except Exception as error:
        # Whatever the reader raises, the file could not be read.
        msg = f"{path}: cannot be read as an Excel workbook ({' '.join(str(error).split())[:200]})."
        raise InputFileError(msg, hint="Save it again as .xlsx, or as CSV in UTF-8.") from error
    return found


def _filled(rows: Rows, merged: Any, *, start: tuple[int, int]) -> Rows:
    """Write what stands in the first of cells merged below each other into all of them."""
    table = [list(row) for row in rows]
    for (first, left), (last, right) in merged:
        top, column = first - start[0], left - start[1]
        # What is merged side by side is a title, and no cell of any column but the first.
        if last == first or left != right or min(top, column) < 0:
            continue
        for row in table[top + 1 : last - start[0] + 1]:
            if column < len(row) and not row[column].strip():
                row[column] = table[top][column]
    return [tuple(row) for row in table]


_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_MOST_REPEATED = 16_384


def _merged_of_ods(path: Path) -> dict[str, list[tuple[tuple[int, int], tuple[int, int]]]]:
    """Return the cells merged below each other in an OpenDocument sheet, which calamine drops."""
    found: dict[str, list[tuple[tuple[int, int], tuple[int, int]]]] = {}
    with zipfile.ZipFile(path) as packed:
        content = packed.read("content.xml")
    if re.search(rb"<!(DOCTYPE|ENTITY)", content):
        return found
    merged: list[tuple[tuple[int, int], tuple[int, int]]] = []
    row = column = 0
    for event, element in ElementTree.iterparse(io.BytesIO(content), ("start", "end")):
        if event == "start" and element.tag == f"{_TABLE}table":
            merged, row = [], 0
            found[element.get(f"{_TABLE}name", "")] = merged
        elif event == "start" and element.tag == f"{_TABLE}table-row":
            column = 0
        elif event == "end" and element.tag == f"{_TABLE}table-row":
            row += int(element.get(f"{_TABLE}number-rows-repeated", "1"))
            element.clear()
        elif event == "end" and element.tag in {
            f"{_TABLE}table-cell",
            f"{_TABLE}covered-table-cell",
        }:
            down = int(element.get(f"{_TABLE}number-rows-spanned", "1"))
            across = int(element.get(f"{_TABLE}number-columns-spanned", "1"))
            if down > 1 and across == 1:
                merged.append(((row, column), (row + down - 1, column)))
            repeated = int(element.get(f"{_TABLE}number-columns-repeated", "1"))
            column += min(repeated, _MOST_REPEATED)
    return found
