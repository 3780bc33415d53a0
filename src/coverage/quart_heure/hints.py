"""Hints: what a word that is not known may have meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from quart_heure.errors import StudyFileError


def nearest_hint(word: str, known: Iterable[str], otherwise: str = "") -> str:
    """Return a hint for a word that is not known: the known one it resembles, else all of them.

    Parameters
    ----------
    otherwise
        What to say in the place of all of them.
    """
    known = list(known)
    near = difflib.get_close_matches(word, known, n=1)
    return f"Did you mean {near[0]!r}?" if near else otherwise or f"Known: {', '.join(known)}."


def unknown_key(key: str, known: Iterable[str], where: str) -> StudyFileError:
    """Return the error of a key that a study file may not have at some place."""
    return StudyFileError(f"{where}: there is no key {key!r}.", hint=nearest_hint(key, known))
