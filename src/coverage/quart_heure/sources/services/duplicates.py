"""Duplicates: rows of one category that seem to be one place."""

from __future__ import annotations

import re
from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

from quart_heure.sources.texts import fold, on_distinct

DUPLICATE_M = 30.0
"""Two rows of one category nearer than this may be one place, in metres."""

_FAR_M = 1e8
"""Projections put what lies beyond the globe anywhere."""

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
    categories: Sequence[Hashable],
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
    squares = np.floor(np.clip(np.nan_to_num(xy), -_FAR_M, _FAR_M) / DUPLICATE_M).astype(np.int64)
    squares -= squares.min(axis=0, initial=0) - 1
    high = int(squares[:, 1].max(initial=0)) + 2
    # One number per kind and square: nine of them are looked up for every row.
    wide = (int(squares[:, 0].max(initial=0)) + 2) * high
    around = [i * high + j for i in (-1, 0, 1) for j in (-1, 0, 1)]
    groups = _numbered(categories)
    square = squares[:, 0] * high + squares[:, 1]
    rows = np.flatnonzero(_in_company(np.array(groups, dtype=np.int64) * wide + square, around))
    picked = rows.tolist()
    keys = on_distinct([names[row] for row in picked], name_key)
    kinds = _numbered([(groups[r], statuses[r], k) for r, k in zip(picked, keys, strict=True)])
    alike, other = _Seen(xy, around), _Seen(xy, around)
    for row, key, kind, here in zip(picked, keys, kinds, square[rows].tolist(), strict=True):
        if key:
            same[row] = alike.earlier(row, kind * wide + here)
        if same[row] < 0:
            near[row] = other.earlier(row, groups[row] * wide + here)
    return same, near


def _in_company(squares: NDArray[np.int64], around: Sequence[int]) -> NDArray[np.bool_]:
    """Tell which rows are not alone in the nine squares around their own."""
    known, own, count = np.unique(squares, return_inverse=True, return_counts=True)
    company = np.zeros(len(known), dtype=np.int64)
    for step in around:
        at = np.minimum(np.searchsorted(known, known + step), len(known) - 1)
        company += np.where(known[at] == known + step, count[at], 0)
    found: NDArray[np.bool_] = company[own] > 1
    return found


def _numbered(kinds: Sequence[Hashable]) -> list[int]:
    numbers: dict[Hashable, int] = {}
    return [numbers.setdefault(kind, len(numbers)) for kind in kinds]


class _Seen:
    """Rows seen so far, by square: the last of each, and which came before it there."""

    def __init__(self, xy: NDArray[np.float64], around: Sequence[int]) -> None:
        self._x, self._y = xy[:, 0].tolist(), xy[:, 1].tolist()
        self._around = around
        self._last: dict[int, int] = {}
        self._before: dict[int, int] = {}

    def earlier(self, row: int, square: int) -> int:
        """Return an earlier row near a row, else keep this one for those to come."""
        x, y, last = self._x, self._y, self._last
        for step in self._around:
            other = last.get(square + step, -1)
            while other >= 0:
                if (x[row] - x[other]) ** 2 + (y[row] - y[other]) ** 2 <= DUPLICATE_M**2:
                    return other
                other = self._before.get(other, -1)
        if square in last:
            self._before[row] = last[square]
        last[square] = row
        return -1
