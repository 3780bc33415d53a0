"""Attributes of edges as tables and graphs of others hold them: lists, gaps, words for yes and no.

osmnx gives a list where it joined several ways, NaN where a way lacks a tag, and the tag's own text
elsewhere; its files hold lists as text.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quart_heure.errors import InputFileError
from quart_heure.network.rules import OPEN_TUNNELS

NO = frozenset({"", "no", "false", "0", "0.0", "none", "nan", "<na>"})
_YES = frozenset({"yes", "true", "1", "1.0"})
_GIVEN_BOTH_WAYS = frozenset({"forward", "backward"})


def several(value: Any) -> list[str]:
    """Return the values of an attribute that may be one, a list, a list as text, or missing.

    Examples
    --------
    >>> several(["rue A", None]), several("['rue A', 'rue B']"), several(float("nan"))
    (['rue A'], ['rue A', 'rue B'], [])
    """
    if isinstance(value, str) and value.startswith("[") and value.endswith("]"):
        try:
            value = ast.literal_eval(value)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            value = [value]
    values = value if isinstance(value, list | tuple | set | np.ndarray) else [value]
    return [str(one) for one in values if not _is_missing(one)]


def _is_missing(value: Any) -> bool:
    # pandas' own mark for a gap is neither equal to itself nor unequal.
    return value is None or type(value).__name__ in {"NAType", "NaTType"} or bool(value != value)  # noqa: PLR0124


def holds(value: Any, key: str = "") -> bool:
    """Tell whether an attribute says that something is so; missing is no."""
    words = [word.strip().lower() for word in several(value)]
    return any(word not in NO and not (key == "tunnel" and word in OPEN_TUNNELS) for word in words)


def first_of(value: Any) -> str:
    """Return the first of several values in the order of the alphabet, ``""`` if there is none."""
    return min(several(value), default="")


def whole_number(value: Any) -> int:
    """Return the lowest whole number of an attribute, 0 if there is none."""
    numbers = [word.removesuffix(".0") for word in several(value)]
    return min((int(word) for word in numbers if word.lstrip("-").isdecimal()), default=0)


def as_booleans(column: str, values: Any, default: bool) -> NDArray[np.bool_]:
    """Return a column of a table as true and false, gaps as the default.

    Raises
    ------
    InputFileError
        If a direction is neither yes nor no. (For a bridge, a tunnel, steps there are many words.)
    """
    array = np.asarray(values)
    if array.dtype == np.bool_:
        return array
    found = np.full(len(array), default, dtype=np.bool_)
    for row, value in enumerate(array.astype(object)):
        words = {word.strip().lower() for word in several(value)}
        if not words:
            continue
        if column in _GIVEN_BOTH_WAYS and not words <= _YES | NO:
            msg = f"Row {row + 1} of the edge table has {column} = {value!r}."
            raise InputFileError(msg, hint="It must be true or false.")
        found[row] = holds(value, column)
    return found


def as_numbers(values: Any) -> NDArray[np.int64]:
    """Return a column of whole numbers, gaps as 0."""
    array = np.asarray(values)
    if array.dtype.kind in "iu":
        return array.astype(np.int64)
    return np.fromiter(map(whole_number, array.astype(object)), np.int64, len(array))


def as_words(values: Iterable[Any]) -> list[str]:
    """Return a column of words, the first of several."""
    return [
        value if type(value) is str and value[:1] != "[" else first_of(value) for value in values
    ]
