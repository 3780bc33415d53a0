"""Counts of people as tables write them: spaces, decimal commas, English thousands."""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

_SPACES = re.compile(r"\s+")
"""Also those of French thousands, which do not break."""

_THOUSANDS = re.compile(r"-?[1-9]\d{0,2}(,\d{3})+(\.\d+)?")
"""No number of thousands begins with a zero: 0,250 is a quarter."""

_MOST_PEOPLE = 1e10


def read_counts(texts: Iterable[str]) -> tuple[NDArray[np.float64], list[int]]:
    """Read the counts of a column.

    Returns
    -------
    numbers
        NaN where there is none, or more than people on Earth; what is negative is kept, for its
        reader to tell.
    thousands
        Positions whose commas were taken as English thousands: those of all the column, if each
        comma of it can be one. A single "2,5" makes all of them decimal commas.

    Examples
    --------
    >>> read_counts(["1,234", "500"])[0].tolist(), read_counts(["1,234", "2,5"])[0].tolist()
    ([1234.0, 500.0], [1.234, 2.5])
    """
    plain = [_SPACES.sub("", text) for text in texts]
    with_comma = [at for at, text in enumerate(plain) if "," in text]
    english = all(_THOUSANDS.fullmatch(plain[at]) for at in with_comma)
    sign = "" if english else "."
    numbers = np.array([_number(text.replace(",", sign)) for text in plain], dtype=np.float64)
    return numbers, with_comma if english else []


def why_no_count(number: float) -> str:
    """Return the reason of a problem: why a number counts nobody."""
    return "negative" if number < 0 else "not a number"


def _number(text: str) -> float:
    # Python reads 1_000 as a number, which no table means.
    try:
        number = float("nan" if "_" in text else text)
    except ValueError:
        return float("nan")
    return number if number <= _MOST_PEOPLE else float("nan")
