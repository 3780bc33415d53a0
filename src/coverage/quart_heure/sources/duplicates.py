"""Duplicates: rows of one category that seem to be one place."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from quart_heure.sources.texts import fold, on_distinct

__all__ = ["DUPLICATE_M", "find_duplicates", "name_key"]

DUPLICATE_M = 30.0
"""Two rows of one category nearer than this may be one place, in metres."""

_LITTLE = frozenset(
    [
        "le",
        "la",
        "les",
        "l",
        "de",
        "du",
        "des",
        "d",
        "a",
        "au",
        "aux",
        "en",
        "et",
        "the",
        "of",
        "in",
    ]
)
"""Words that tell no place from another."""


def name_key(name: str) -> str:
    """Return what two spellings of one name have in common.

    Words without case, accents, plural and order: ``Bain -douche Pyrénées`` and ``Bains-douches des
    Pyrénées`` are one.
    """
    words = re.findall(r"[a-z0-9]+", fold(name[:200]))
    kept = {word.rstrip("sx") or word for word in words if word not in _LITTLE}
    return " ".join(sorted(kept or set(words)))


def find_duplicates(
    categories: Sequence[str],
    names: Sequence[str],
    statuses: Sequence[str],
    xy: NDArray[np.float64],
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Find rows that an earlier row of the same category stands for, or may stand for.

    Parameters
    ----------
    categories, names, statuses
        Of each row.
    xy
        Places in metres; shape (n, 2).

    Returns
    -------
    same, near
        For each row, the earlier row within `DUPLICATE_M` that has the same name and status, and
        the one that has not; -1 where there is none.

    Notes
    -----
    Rows are put in squares as wide as the distance, so that only nine squares are looked into; of
    rows that are near each other only the first is kept there. The work grows with the rows, not
    with their square, even where all lie at one place.
    """
    count = len(names)
    same = np.full(count, -1, dtype=np.intp)
    near = np.full(count, -1, dtype=np.intp)
    keys = on_distinct(names, name_key)
    squares = np.floor(np.where(np.isfinite(xy), xy, 0) / DUPLICATE_M).astype(np.int64)
    rows = zip(categories, keys, statuses, squares.tolist(), xy.tolist(), strict=True)
    alike: dict[tuple[object, ...], list[tuple[int, float, float]]] = {}
    other: dict[tuple[object, ...], list[tuple[int, float, float]]] = {}
    for row, (category, key, status, square, (x, y)) in enumerate(rows):
        if key:
            same[row] = _earlier(alike, (category, key, status), square, x, y, row)
        if same[row] < 0:
            near[row] = _earlier(other, (category,), square, x, y, row)
    return same, near


def _earlier(
    found: dict[tuple[object, ...], list[tuple[int, float, float]]],
    kind: tuple[str, ...],
    square: list[int],
    x: float,
    y: float,
    row: int,
) -> int:
    """Return an earlier row of the kind near a place, else keep this one for those to come."""
    col, line = square
    for i in (col - 1, col, col + 1):
        for j in (line - 1, line, line + 1):
            for earlier, its_x, its_y in found.get((*kind, i, j), ()):
                if (x - its_x) ** 2 + (y - its_y) ** 2 <= DUPLICATE_M**2:
                    return earlier
    found.setdefault((*kind, col, line), []).append((row, x, y))
    return -1
