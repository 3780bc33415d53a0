"""Texts compared without case and accents."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Hashable, Iterable
from typing import TypeVar

__all__ = ["fold", "on_distinct"]

_Given = TypeVar("_Given", bound=Hashable)
_Found = TypeVar("_Found")

_SIGNS = str.maketrans({"œ": "oe", "æ": "ae", "’": "'", "‘": "'", "\u00a0": " ", "\u202f": " "})


def fold(text: str) -> str:
    """Return a text in small letters without accents, with plain spaces and apostrophes."""
    small = text.casefold()
    if not small.isascii():
        small = unicodedata.normalize("NFKD", small.translate(_SIGNS))
        small = "".join(sign for sign in small if not unicodedata.combining(sign))
    return " ".join(small.split())


def on_distinct(texts: Iterable[_Given], read: Callable[[_Given], _Found]) -> list[_Found]:
    """Return what a function reads in each text; texts that occur twice are read once."""
    known: dict[_Given, _Found] = {}
    found = []
    for text in texts:
        if text not in known:
            known[text] = read(text)
        found.append(known[text])
    return found
