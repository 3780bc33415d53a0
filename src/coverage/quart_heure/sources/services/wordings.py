"""What files say in words, in the few words that we keep: status, access, audience, dates.

Every function takes a text as a source has it and answers with a word of the schema, or with ""
(``unknown`` where the schema has that word) when the text does not say.
"""

from __future__ import annotations

import datetime
import functools
import re
import tomllib
from collections.abc import Mapping, Sequence
from importlib import resources

from quart_heure.sources.texts import fold

_GROUPS = ("women", "men", "families", "young_people")
_LONGEST = 400
"""Signs of a text that are looked at: beyond, nobody says in a few words whom he admits."""

_MOST = 1e6
"""No place holds more than this: such a figure is something else."""


def status_of(text: str) -> str:
    """Return the status that a text says, "" if it says none."""
    return _first_match("status", text)


def access_of(text: str) -> str:
    """Return ``walk_in``, ``referral`` or ``unknown`` for a text, "" if it says nothing of it."""
    return _first_match("access", text)


def animals_of(text: str) -> str:
    """Return ``yes``, ``no`` or ``unknown`` for a text, "" if it says nothing of animals."""
    return _first_match("animals", text)


def wheelchair_of(text: str) -> str:
    """Return ``yes``, ``limited``, ``no`` or ``unknown``, "" if wheelchairs are not spoken of."""
    return _first_match("wheelchair", text)


def is_closed_day(text: str) -> bool:
    """Tell whether the text of a day means that the place does not open on it."""
    return _first_match("closed_day", text) != ""


def admits_of(text: str) -> str:
    """Return whom a text admits, by ``;`` in the order of the schema, ``unknown`` if not said.

    Notes
    -----
    ``everyone`` less somebody is the list of the others. Young women and men are young people, not
    women and men of any age; mothers with children are families, not all women.
    """
    plain = fold(text[:_LONGEST])
    named = {group for group in (*_GROUPS, "everyone", "adults") if _says("admits", group, plain)}
    barred = {group for group in _GROUPS if _says("admits_not", group, plain)}
    if _says("admits_not", "children", plain):
        barred.add("families")
        if "everyone" not in named:
            named -= {"families"}
    if "women" in named and _says("admits_not", "some_women", plain):
        named -= {"women"}
    if "young_people" in named:
        named -= {"women", "men"}
        if "jeunes femmes" in plain and "hommes" not in plain:
            return "unknown"  # young women alone: no word of ours says that
    if "everyone" in named:
        admitted = set(_GROUPS) - barred
        if not barred:
            return "everyone"
    else:
        admitted = {group for group in _GROUPS if group in named} - barred
        if "adults" in named and not admitted and "young_people" not in named:
            admitted = {"women", "men"} - barred
    return ";".join(group for group in _GROUPS if group in admitted) or "unknown"


_FIGURE = r"(?P<low>\d{1,3}(?: \d{3})+|\d+)(?:\s*(?:-|a|to|ou|or)\s*\d+)?"


def capacity_of(text: str, *, heading: str = "") -> tuple[float, str]:
    """Return the capacity that a text states and what it counts: NaN and "" if it does not say.

    Parameters
    ----------
    text
        For instance ``38 casiers`` or ``150 repas/soir``; of a range, the lower figure counts.
    heading
        Heading of the column, which says what a figure alone counts: ``nb_places``.
    """
    plain = fold(text[:_LONGEST]).replace("–", "-")
    for found in _capacity().finditer(plain):
        value = float(found["low"].replace(" ", ""))
        unit = next(unit for unit in _wordings()["units"] if found[unit])
        if value <= _MOST:
            return value, unit
    alone = re.fullmatch(rf"(?:environ |about |~ ?)?{_FIGURE}(?:[.,]0+)?", plain)
    value = float(alone["low"].replace(" ", "")) if alone else float("nan")
    if not value <= _MOST:
        return float("nan"), ""
    named = fold(heading).replace("_", " ")
    return value, next(
        (unit for unit in _wordings()["units"] if _unit(unit).search(named) is not None), ""
    )


_ISO = re.compile(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})(?:$|[T ])")
_DAY_FIRST = re.compile(r"(\d{1,2})[./-](\d{1,2})[./-](\d{4}|\d{2})(?:$|[T ])")


def date_of(text: str) -> str:
    """Return a date as ISO 8601, "" if the text is none: 2026-01-31, 31/01/2026, 31/01/26."""
    plain = text.strip()[:_LONGEST]
    if found := _ISO.match(plain):
        year, month, day = found.groups()
    elif found := _DAY_FIRST.match(plain):
        day, month, year = found.groups()
        year = year if len(year) == 4 else f"20{year}"
    else:
        return ""
    try:
        return datetime.date(int(year), int(month), int(day)).isoformat()
    except ValueError:
        return ""


@functools.cache
def _wordings() -> Mapping[str, Mapping[str, Sequence[str]]]:
    file = resources.files("quart_heure.sources.services").joinpath("wordings.toml")
    words: Mapping[str, Mapping[str, Sequence[str]]] = tomllib.loads(
        file.read_text(encoding="utf-8")
    )
    return words


@functools.cache
def _pattern(table: str, word: str) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{each})" for each in _wordings()[table][word]))


@functools.cache
def _unit(unit: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(_wordings()['units'][unit])})\b")


@functools.cache
def _capacity() -> re.Pattern[str]:
    units = "|".join(
        f"(?P<{unit}>{'|'.join(words)})" for unit, words in _wordings()["units"].items()
    )
    return re.compile(rf"(?<![\d.,]){_FIGURE} ?(?:{units})\b")


def _says(table: str, word: str, plain: str) -> bool:
    return _pattern(table, word).search(plain) is not None


def _first_match(table: str, text: str) -> str:
    plain = fold(text[:_LONGEST])
    if not plain:
        return ""
    words = _wordings()[table]
    own = plain.replace(" ", "_")
    if own in words:
        return own
    return next((word for word in words if _says(table, word, plain)), "")
