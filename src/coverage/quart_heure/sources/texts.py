"""Texts compared without case and accents."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Hashable, Iterable
from typing import TypeVar

_Given = TypeVar("_Given", bound=Hashable)
_Found = TypeVar("_Found")

_MARKS = re.compile("[\u0300-\u036f]+")
"""Accents, once parted from their letters."""

_SIGNS = str.maketrans({"œ": "oe", "æ": "ae", "’": "'", "‘": "'"})
_SIGNED = re.compile("[œæ’‘]")


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
