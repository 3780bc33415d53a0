"""How large the sheets of a workbook are, found out before any is read.

The reader makes room for all cells between the first and the last of a sheet: two cells in opposite
corners make it ask for hundreds of gigabytes, which ends the process.
"""

from __future__ import annotations

import lzma
import re
import struct
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO
from xml.parsers import expat

from quart_heure.errors import InputFileError

MOST_CELLS = 40_000_000
"""Between the first and the last cell of a sheet, and in all sheets together."""

_ROOM_BYTES = 4_000_000_000
_PLACE = re.compile(r"([A-Za-z]+)([0-9]+)")
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

    What it says of its cells is read where all of it can be; else its own reader tries it first, in
    another process of little room. Readers are lenient: they read on where a part is damaged, or is
    no XML any more.

    Raises
    ------
    InputFileError
        If it would.
    """
    # Its reader goes by the ending, and by what is in the file where that is in capitals.
    told = _told_cells(path) if path.suffix in {".xlsx", ".xlsm", ".ods"} else None
    total = _tried_cells(path) if told is None else told
    if total > MOST_CELLS:
        msg = f"{path}: its sheets span {total:,} cells."
        hint = f"{MOST_CELLS:,} at most: delete what stands far from the table, and save it again."
        raise InputFileError(msg, hint=hint)


_UNPACK_ERRORS = (
    *(OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError),
    *(ValueError, zlib.error, lzma.LZMAError, struct.error),
)


def _told_cells(path: Path) -> int | None:
    """Count the cells that a workbook says it has; None where not all that it says can be read."""
    total = 0
    try:
        with zipfile.ZipFile(path) as packed:
            for part in packed.infolist():
                if path.suffix == ".ods" and part.filename != "content.xml":
                    continue
                with packed.open(part) as file:
                    grids = _of_ods(file) if path.suffix == ".ods" else _of_xlsx(file)
                    if grids is None:
                        return None
                    total += sum(grid.cells for grid in grids)
    except _UNPACK_ERRORS:
        return None
    return total


def _of_xlsx(file: IO[bytes]) -> list[_Grid] | None:
    """Give the rectangle of a part that may be a sheet, empty for any other.

    None for one that its reader may take for a sheet, and that is no XML.
    """
    grid = _Grid()
    row = column = -1

    def begin(name: str, attributes: dict[str, str]) -> None:
        nonlocal row, column
        kind = name.rpartition(":")[2]
        if kind == "row":
            number = _whole(attributes.get("r", ""))
            row, column = row + 1 if number is None else number - 1, -1
        elif kind == "c":
            place = _PLACE.fullmatch(attributes.get("r", ""))
            number = place and _whole(place[2])
            if place is None or number is None:
                column += 1
            else:
                row, column = number - 1, _column(place[1])
        elif kind in {"v", "is"}:  # a cell that is only coloured takes no room
            grid.add(row, column)

    return [grid] if _parse(file, begin, unless=b"sheetData") else None


def _of_ods(file: IO[bytes]) -> list[_Grid] | None:
    """Give the rectangles of the sheets of a part, with what is repeated; None for no XML."""
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

    return grids if _parse(file, begin) else None


_VALUES = frozenset(
    [
        *("value-type", "formula", "value"),
        *("string-value", "date-value", "time-value", "boolean-value"),
    ]
)


def _times(attributes: dict[str, str], word: str) -> int:
    for key, value in attributes.items():
        if key.rpartition(":")[2] == word:
            number = _whole(value)
            return 1 if number is None else number
    return 1


_FAR = 10**12
"""Stands for larger numbers: there is no such row."""


def _whole(text: str) -> int | None:
    """Read a whole number as the reader does, which takes one with a sign; None for no number."""
    digits = text.removeprefix("+")
    if not (digits.isascii() and digits.isdigit()):
        return None
    digits = digits.lstrip("0")
    return min(int(digits or "0"), _FAR) if len(digits) < 20 else _FAR


def _column(letters: str) -> int:
    if len(letters) > 8:
        return _FAR
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1


class _NoSheetError(Exception):
    """A part is no text of a sheet."""


def _parse(
    file: IO[bytes], begin: Callable[[str, dict[str, str]], None], *, unless: bytes = b""
) -> bool:
    """Call a function for each element of a part, and tell whether all of it was XML.

    A part that is no XML, such as a picture, does not matter where it nowhere says ``unless``.
    """
    parser = expat.ParserCreate()
    parser.StartElementHandler = begin

    def refuse(*_: object) -> None:
        raise _NoSheetError  # a workbook declares no entities, and its reader knows none

    parser.EntityDeclHandler = refuse
    whole, said, before = True, not unless, b""
    while piece := file.read(_PIECE):
        said = said or unless in before + piece
        before = piece[-len(unless) :]
        whole = whole and _fed(parser, piece)
    whole = whole and _fed(parser, b"", last=True)
    return whole or not said


def _fed(parser: expat.XMLParserType, piece: bytes, *, last: bool = False) -> bool:
    try:
        parser.Parse(piece, last)
    except (expat.ExpatError, _NoSheetError, LookupError, ValueError):
        return False  # the last two are of encodings that nobody knows
    return True


_FAULTY = 3
_TRIAL = f"""
import resource, sys
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
room, most = int(sys.argv[2]), resource.getrlimit(resource.RLIMIT_AS)[1]
room = room if most == resource.RLIM_INFINITY else min(room, most)
resource.setrlimit(resource.RLIMIT_AS, (room, room))
from python_calamine import CalamineWorkbook, SheetTypeEnum
total = 0
try:
    book = CalamineWorkbook.from_path(sys.argv[1])
    for about in book.sheets_metadata:
        if about.typ == SheetTypeEnum.WorkSheet:
            sheet = book.get_sheet_by_name(about.name)
            total += sheet.height * sheet.width
except MemoryError:
    raise
except Exception:
    sys.exit({_FAULTY})
print(total)
"""


def _tried_cells(path: Path) -> int:
    """Count the cells of a workbook as its reader makes room for them.

    Another process tries, with little room: the one that asks for too much is ended.

    Raises
    ------
    InputFileError
        If it is, or if nothing can be tried and what the workbook says of itself is no help.
    """
    try:
        import resource  # noqa: F401, PLC0415 - Windows has none
    except ImportError:
        if path.suffix.lower() in {".xls", ".xlsb"}:
            return 0
        msg = f"{path}: is damaged: not all of its parts can be read."
        raise InputFileError(msg, hint=_SAVE_AGAIN) from None
    command = [sys.executable, "-I", "-c", _TRIAL, str(path.resolve()), str(_ROOM_BYTES)]
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode == _FAULTY:
        return 0  # its reader says what is wrong with it
    if done.returncode != 0:
        msg = f"{path}: asks for more room than a workbook needs."
        raise InputFileError(msg, hint=_SAVE_AGAIN)
    return int(done.stdout)


_SAVE_AGAIN = "Save it again as .xlsx, or as CSV in UTF-8."
