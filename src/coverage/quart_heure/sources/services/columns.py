"""Columns of service files, found under the headings that people give them."""

from __future__ import annotations

import dataclasses
import difflib
import functools
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from importlib import resources
from pathlib import Path

from quart_heure.errors import InputFileError
from quart_heure.sources.texts import fold

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

_POSTCODE = re.compile(r"\d{4,5}$")
_TWO_NUMBERS = re.compile(r"[^\d]*\d+[.,]?\d*[^\d]+\d")
_LOOKED_AT = 200
"""Values looked at to tell what a column holds."""


@functools.cache
def aliases() -> Mapping[str, tuple[str, ...]]:
    """Read the packaged headings of each field, in the order in which they are tried."""
    return {field: tuple(names) for field, names in _settings()["fields"].items()}


@functools.cache
def _settings() -> Mapping[str, Mapping[str, Sequence[str]]]:
    file = resources.files("quart_heure.sources.services").joinpath("columns.toml")
    settings: Mapping[str, Mapping[str, Sequence[str]]] = tomllib.loads(
        file.read_text(encoding="utf-8")
    )
    return settings


FIELDS: tuple[str, ...] = tuple(aliases())
"""What a file of services may hold, as ``[services.columns]`` calls it."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class FoundColumns:
    """Where a file keeps what we look for.

    Parameters
    ----------
    position
        Position of the column of each field that was found.
    chosen
        Fields whose column the study names.
    twice
        Headings that stand for one field and differ by case, accents or signs alone: the first is
        read.
    """

    position: Mapping[str, int]
    chosen: frozenset[str]
    twice: tuple[tuple[str, str, str], ...]


def plain_heading(text: str) -> str:
    """Return a heading without case, accents, spaces and signs."""
    return re.sub(r"[^a-z0-9]+", "", fold(text))


def find_columns(
    headings: Sequence[str],
    mapping: Mapping[str, str],
    *,
    values: Callable[[int], Sequence[str]],
    file: Path,
) -> FoundColumns:
    """Find the columns of a file.

    Parameters
    ----------
    headings
        The headings, in their order.
    mapping
        Our names and the headings of this file, where they are not found; they come first.
    values
        Gives the values of the column at a position.
    file
        Named in errors.

    Raises
    ------
    InputFileError
        If the mapping names a heading that is not there.
    """
    places: dict[str, list[int]] = {}
    for at, heading in enumerate(headings):
        places.setdefault(plain_heading(heading), []).append(at)
    places.pop("", None)
    position: dict[str, int] = {}
    twice = []
    for field, names in aliases().items():
        if field in mapping:
            position[field] = _named(mapping[field], headings, places, field, file)
            continue
        present = [here for name in names if (here := places.get(plain_heading(name)))]
        believed = [
            here for here in present if _believed(field, headings[here[0]], here[0], values)
        ]
        # Whatever is called so is better than no place at all: its rows are listed then.
        here = next(iter(believed or (present if field == "point" else [])), [])
        if here:
            position[field] = here[0]
            twice += [(field, headings[here[0]], headings[at]) for at in here[1:]]
    return FoundColumns(position=position, chosen=frozenset(mapping), twice=tuple(twice))


def _named(
    heading: str,
    headings: Sequence[str],
    places: Mapping[str, Sequence[int]],
    field: str,
    file: Path,
) -> int:
    """Return the position of a heading that a study names, as it is or but for case and signs."""
    if heading in headings:
        return headings.index(heading)
    here = places.get(plain_heading(heading))
    if here:
        return here[0]
    msg = f"{file}: there is no column {heading!r}, which is to be read as {field!r}."
    near = difflib.get_close_matches(heading, headings, n=1)
    known = f"Columns are {list_headings(headings)}."
    raise InputFileError(msg, hint=f"Did you mean {near[0]!r}? {known}" if near else known)


def list_headings(headings: Sequence[str]) -> str:
    """Return the headings as an error names them: the first ones, cut."""
    shown = [heading.strip()[:40] for heading in headings[:30] if heading.strip()]
    return ", ".join(shown) + (" …" if len(headings) > 30 else "") if shown else "none"


def _believed(field: str, heading: str, at: int, values: Callable[[int], Sequence[str]]) -> bool:
    """Tell whether a column holds what its heading says, for headings that mean many things."""
    doubtful = {plain_heading(name) for name in _settings()["postcodes"]["headings"]}
    if field == "point":
        pattern = _TWO_NUMBERS
    elif field == "postcode" and plain_heading(heading) in doubtful:
        pattern = _POSTCODE
    else:
        return True
    filled = [value for value in values(at)[:_LOOKED_AT] if value.strip()]
    like = sum(pattern.match(value.strip()[:_LOOKED_AT]) is not None for value in filled)
    return 2 * like > len(filled) or not filled
