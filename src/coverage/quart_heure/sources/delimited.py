"""Delimited text: CSV as spreadsheets and portals write it."""

from __future__ import annotations

import csv
import io
import itertools
import re
from pathlib import Path

from quart_heure.errors import InputFileError
from quart_heure.sources.texts import without_unseen

Doubt = tuple[str, str, str, str]
"""What is doubtful in a file as a whole: field, value, reason, action."""

_DELIMITERS = ",;\t|"
_FIRST_LINES = 20
"""Among so many lines the delimiter is looked for, below a title."""


def read_delimited(path: Path) -> tuple[list[tuple[str, ...]], str, tuple[Doubt, ...]]:
    """Read the cells of each row, what parts them, and what is doubtful in the file.

    Raises
    ------
    InputFileError
        If it is no text, or a quote is left open.
    """
    text, doubts = _decode(path)
    start = text[:5].lower()
    delimiter = ""
    if start[:4] == "sep=" and start[4:] in _DELIMITERS:
        delimiter, text = text[4], text.partition("\n")[2]
    delimiter = delimiter or _delimiter(text)
    # Strict: a quote left open would swallow all rows below it without a word.
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[tuple[str, ...]] = []
    line = 0
    try:
        for row in reader:
            # A tuple of texts is soon out of the collector's way, a list never.
            rows.append(tuple(row))
            line = reader.line_num
    except csv.Error as error:
        msg = f"{path}, line {line + 1}: {error}."
        raise InputFileError(msg, hint="Check the quotes around that line.") from error
    return rows, delimiter, doubts


def _delimiter(text: str) -> str:
    """Return what parts the cells of the first line that has several.

    A single comma may be that of a title: what parts all of the lines below, as often in each,
    prevails over it.
    """
    filled = (line for line in io.StringIO(text) if line.strip())
    lines = [re.sub(r'"[^"]*"', "", line) for line in itertools.islice(filled, _FIRST_LINES)]
    for at, line in enumerate(lines):
        best = max(_DELIMITERS, key=line.count)
        if best == "," and line.count(",") == 1 and len(lines) > at + 2:
            below = lines[at + 1 :]
            title = any(one.count(",") != 1 for one in below)
            for sign in _DELIMITERS[1:] if title else "":
                times = {one.count(sign) for one in below}
                if len(times) == 1 and 0 not in times:
                    return sign
        if best in line:
            return best
    return ","


def _decode(path: Path) -> tuple[str, tuple[Doubt, ...]]:
    """Read a text as UTF-8, else as the two other encodings that spreadsheets write."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        msg = f"{path}: cannot be read ({error.strerror or error})."
        raise InputFileError(msg, hint="Check that it is a file you may read.") from error
    wide = raw.startswith((b"\xff\xfe", b"\xfe\xff"))
    doubts: tuple[Doubt, ...] = ()
    try:
        text = raw.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        try:
            text = raw.decode("cp1252")
        except UnicodeDecodeError:
            msg = f"{path}: cannot be read as UTF-8 text, nor as Windows-1252 ({error})."
            raise InputFileError(msg, hint="Save the file as CSV in UTF-8.") from error
        doubts = (("encoding", "", "not in UTF-8", "read as Windows-1252"),)
    return without_unseen(text), doubts
