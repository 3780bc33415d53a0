"""How large the sheets of a workbook are, found out before any is read.

The reader makes room for all cells between the first and the last of a sheet: two cells in opposite
corners make it ask for hundreds of gigabytes, which ends the process.
"""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO
from xml.parsers import expat

from quart_heure.errors import InputFileError

MOST_CELLS = 40_000_000
"""Between the first and the last cell of a sheet, and in all sheets together."""

_ROOM_BYTES = 4_000_000_000
_PLACE = re.compile(r"([A-Z]{1,3})(\d{1,7})", re.IGNORECASE)
_PIECE = 1 << 16


class _Grid:
    """The rectangle around the cells of one sheet."""

    def __init__(self) -> None:
        self._rows = self._columns = (0, -1)

    def add(self, row: int, column: int, *, down: int = 1, across: int = 1) -> None:
        """Take in some cells, with the first of them at a row and a column."""
        for name, first, count in (("_rows", row, down), ("_columns", column, across)):
            low, high = getattr(self, name)
            empty = high < low
            last = first + count - 1
            grown = (first, last) if empty else (min(low, first), max(high, last))
            setattr(self, name, grown)

    @property
    def cells(self) -> int:
        """How many cells there are room for."""
        (top, bottom), (left, right) = self._rows, self._columns
        return (bottom - top + 1) * (right - left + 1)


def check_sheets(path: Path) -> None:
    """Refuse a workbook that would take more room than a table of services can.

    Raises
    ------
    InputFileError
        If it would.
    """
    suffix = path.suffix.lower()
    if suffix in {".xls", ".xlsb"}:
        _check_by_trial(path)
        return
    total = 0
    try:
        with zipfile.ZipFile(path) as packed:
            for part in packed.infolist():
                with packed.open(part) as file:
                    grids = _of_ods(file) if suffix == ".ods" else _of_xlsx(file)
                    total += sum(grid.cells for grid in grids)
    except (OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError):
        return  # its reader says what is wrong with it
    if total > MOST_CELLS:
        msg = f"{path}: its sheets span {total:,} cells."
        hint = f"{MOST_CELLS:,} at most: delete what stands far from the table, and save it again."
        raise InputFileError(msg, hint=hint)


def _of_xlsx(file: IO[bytes]) -> Iterator[_Grid]:
    """Give the rectangle of a part that may be a sheet, empty for any other."""
    grid = _Grid()
    row = column = -1

    def begin(name: str, attributes: dict[str, str]) -> None:
        nonlocal row, column
        kind = name.rpartition(":")[2]
        if kind == "row":
            number = attributes.get("r", "")
            row, column = int(number) - 1 if number.isdecimal() else row + 1, -1
        elif kind == "c":
            place = _PLACE.fullmatch(attributes.get("r", ""))
            if place is None:
                column += 1
            else:
                row, column = int(place[2]) - 1, _column(place[1])
        elif kind in {"v", "is"}:  # a cell that is only coloured takes no room
            grid.add(row, column)

    _parse(file, begin)
    yield grid


def _of_ods(file: IO[bytes]) -> Iterator[_Grid]:
    """Give the rectangles of the sheets of a part, with what is repeated in them."""
    grids: list[_Grid] = []
    row = column = down = across = 0
    filled = False

    def begin(name: str, attributes: dict[str, str]) -> None:
        nonlocal row, column, down, across, filled
        kind = name.rpartition(":")[2]
        if kind == "table":
            grids.append(_Grid())
            row = down = 0
        elif kind == "table-row":
            row, down = row + down, _times(attributes, "number-rows-repeated")
            column = across = 0
        elif kind in {"table-cell", "covered-table-cell"}:
            column, across = column + across, _times(attributes, "number-columns-repeated")
            filled = any(key.rpartition(":")[2] in _VALUES for key in attributes)
            if filled and grids:
                grids[-1].add(row, column, down=down, across=across)
        elif kind == "p" and grids and not filled:
            filled = True
            grids[-1].add(row, column, down=down, across=across)

    _parse(file, begin)
    return iter(grids)


_VALUES = frozenset({"value-type", "formula", "value"})


def _times(attributes: dict[str, str], word: str) -> int:
    for key, value in attributes.items():
        if key.rpartition(":")[2] == word and value.isdecimal():
            return int(value)
    return 1


def _column(letters: str) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1


class _NoSheetError(Exception):
    """A part is no text of a sheet."""


def _parse(file: IO[bytes], begin: Callable[[str, dict[str, str]], None]) -> None:
    """Call a function for each element of a part; what is no XML has none, as far as it goes."""
    parser = expat.ParserCreate()
    parser.StartElementHandler = begin

    def refuse(*_: object) -> None:
        raise _NoSheetError  # a workbook declares no entities, and its reader knows none

    parser.EntityDeclHandler = refuse
    try:
        while piece := file.read(_PIECE):
            parser.Parse(piece, False)
        parser.Parse(b"", True)
    except (expat.ExpatError, _NoSheetError):
        pass


_TRIAL = """
import resource, sys
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[2]),) * 2)
from python_calamine import CalamineWorkbook
book = CalamineWorkbook.from_path(sys.argv[1])
for about in book.sheets_metadata:
    book.get_sheet_by_name(about.name)
"""


def _check_by_trial(path: Path) -> None:
    """Refuse a workbook in a binary format that a process of little room cannot read.

    Another process tries: the one that asks for too much is ended.
    """
    try:
        import resource  # noqa: F401, PLC0415 - Windows has none
    except ImportError:
        return
    command = [sys.executable, "-I", "-c", _TRIAL, str(path.resolve()), str(_ROOM_BYTES)]
    done = subprocess.run(command, capture_output=True, check=False)
    # A fault of the file is an exception there, and is told by its reader.
    if done.returncode < 0 or b"MemoryError" in done.stderr:
        msg = f"{path}: asks for more room than a workbook needs."
        raise InputFileError(msg, hint="Save it again as .xlsx, or as CSV in UTF-8.")
