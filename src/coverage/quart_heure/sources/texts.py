"""Texts: values of tables as text, and texts compared without case and accents."""

from __future__ import annotations

import datetime
import json
import re
import unicodedata
from collections.abc import Callable, Hashable, Iterable
from typing import Any, TypeVar

_Given = TypeVar("_Given", bound=Hashable)
_Found = TypeVar("_Found")

_MARKS = re.compile("[\u0300-\u036f]+")
"""Accents, once parted from their letters."""

_SIGNS = str.maketrans({"œ": "oe", "æ": "ae", "’": "'", "‘": "'"})
_SIGNED = re.compile("[œæ’‘]")
_UNWANTED = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\u202a-\u202e\u2066-\u2069]+")
_NUMBERS = re.compile(r"[+-]?[\d\s.,]+(?:[eE][+-]?\d+)?")
_SOLE = re.compile(r"""\[\s*(["'])([^"']*)\1\s*\]""")
"""A list of one word, as portals export a field that could hold several."""


def fold(text: str) -> str:
    """Return a text in small letters without accents, with plain spaces and apostrophes."""
    small = text.casefold()
    if not small.isascii():
        if _SIGNED.search(small):
            small = small.translate(_SIGNS)
        # Once more in small letters: some signs, such as that of a telephone, hold capitals.
        small = _MARKS.sub("", unicodedata.normalize("NFKD", small)).casefold()
    return " ".join(small.split())


def on_distinct(texts: Iterable[_Given], read: Callable[[_Given], _Found]) -> list[_Found]:
    """Return what a function reads in each text; texts that occur twice are read once."""
    texts = list(texts)
    known = {text: read(text) for text in dict.fromkeys(texts)}
    return list(map(known.__getitem__, texts))


def without_unseen(text: str) -> str:
    """Return a text without control signs, which no file of ours may hold."""
    return _UNWANTED.sub("", text)


FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""A spreadsheet may run text that starts so as a formula."""


def without_formula(text: str) -> str:
    """Return a text that no spreadsheet runs as a formula; numbers and telephones as they are."""
    if text.startswith(FORMULA_STARTS) and not _NUMBERS.fullmatch(text):
        return f"'{text}"
    return text


def plain_word(value: Any) -> str:
    """Return a value of a table as text, "" if missing.

    Whole numbers lose their decimal point, and a list of one value its brackets, whether it is a
    list or was written as one.

    Examples
    --------
    >>> plain_word(69003.0), plain_word(["75101"]), plain_word('["75101"]'), plain_word(None)
    ('69003', '75101', '75101', '')
    """
    import pandas as pd  # noqa: PLC0415 - half a second that reading raw streets does not need

    if isinstance(value, str):
        return sole_word(value)
    if pd.api.types.is_scalar(value):
        if pd.isna(value):
            return ""
    elif hasattr(value, "__len__") and not isinstance(value, dict) and len(value) == 1:
        return plain_word(next(iter(value)))
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def sole_word(text: str) -> str:
    """Return the word of a text that is a list of one word, other texts as they are."""
    if text[:1] != "[" or not (listed := _SOLE.fullmatch(text.strip())):
        return text
    return listed[2]


def cell_text(cell: object) -> str:
    """Return a cell of a sheet, a record or a layer as text, lists and the like as JSON."""
    if cell is None or isinstance(cell, float):
        text = plain_word(cell)
    elif isinstance(cell, bool):
        text = "true" if cell else "false"
    elif isinstance(cell, int):
        # Python refuses to write integers of thousands of digits.
        text = str(cell) if cell.bit_length() < 1000 else ""
    elif isinstance(cell, datetime.datetime):
        midnight = cell.time() == datetime.time()
        text = cell.date().isoformat() if midnight else cell.isoformat()
    elif isinstance(cell, list) and len(cell) == 1 and not isinstance(cell[0], dict | list):
        return cell_text(cell[0])
    elif isinstance(cell, dict | list):
        try:
            text = json.dumps(cell, ensure_ascii=True)
        except (TypeError, ValueError, RecursionError):
            text = ""
    else:
        text = str(cell)
    return text if text.isprintable() else _mended(text)


def _mended(text: str) -> str:
    # A lone half of a pair, as \\ud83d in JSON, is a text that no file can hold.
    return without_unseen(text.encode("utf-8", "replace").decode("utf-8"))
