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
from quart_heure.sources.areas.names import CUT_SIGNS
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


def is_usual_heading(text: str) -> bool:
    """Tell whether a text is a heading under which files of services keep something."""
    return plain_heading(text) in _usual_headings()


@functools.cache
def _usual_headings() -> frozenset[str]:
    return frozenset(plain_heading(name) for names in aliases().values() for name in names)


def uncut_headings(
    cut: Sequence[str],
) -> tuple[tuple[str, ...], tuple[tuple[str, str, str, str], ...]]:
    """Return the headings of a shapefile in full, where they begin those of one field alone.

    Where it may be one of several, the heading stays as it is and that is told. Hours by day are
    understood for all the days or for none: a day that is missing would read as closed.

    Returns
    -------
    headings
        As many as were given.
    unclear
        Field, value, reason and action of each that is not read.
    """
    headings = list(cut)
    unclear: list[tuple[str, str, str, str]] = []
    days: list[int] = []
    for at, heading in enumerate(cut):
        fields = {} if is_usual_heading(heading) else _cut_headings().get(heading.lower(), {})
        if len(fields) > 1:
            may_be = ", ".join(names[0] for names in fields.values())
            unclear.append((heading, may_be, "heading cut at ten signs", "not read"))
        for field, names in fields.items() if len(fields) == 1 else ():
            # Of several names of one field none may be meant: they tell units, too.
            headings[at] = names[0] if len(names) == 1 else aliases()[field][0]
            days += [at] if field in DAYS else []
    lost = {field for heading, *_ in unclear for field in _cut_headings()[heading.lower()]}
    if lost & set(DAYS):
        for at in days:
            headings[at] = cut[at]
            unclear.append((cut[at], "", "not all days of the week are known", "not read"))
    return tuple(headings), tuple(unclear)


@functools.cache
def _cut_headings() -> Mapping[str, Mapping[str, Sequence[str]]]:
    """Return, by their first ten signs, the longer headings of each field."""
    found: dict[str, dict[str, list[str]]] = {}
    for field, names in aliases().items():
        for name in names:
            if len(name) > CUT_SIGNS:
                found.setdefault(name[:CUT_SIGNS], {}).setdefault(field, []).append(name)
    for fields in found.values():
        every = sorted((name for names in fields.values() for name in names), key=len)
        if len(every) > 1 and all(name.startswith(every[0]) for name in every):
            # What begins all others, as opening_hours does opening_hours_text, is meant.
            [field] = [field for field, names in fields.items() if every[0] in names]
            fields.clear()
            fields[field] = [every[0]]
    return found
