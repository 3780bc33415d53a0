"""Scenarios: what would be otherwise, written down in a small TOML file and read back.

A scenario names changes to a study and nothing else: the same file can be asked of another study.
See docs/scenarios.md for the format.
"""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar

import msgspec

from quart_heure.errors import InputFileError, StudyFileError
from quart_heure.files import AnyPath
from quart_heure.sources.services.capacities import MOST
from quart_heure.toml_tables import Place, Word, check_keys, keys_of, read_table

__all__ = ["Scenario", "read_scenarios"]

_T = TypeVar("_T")

_Filled = Annotated[str, msgspec.Meta(pattern=r"\S", description="Write it out, or leave it out.")]

LONGEST_FILE = 1_000_000
"""Bytes of a scenario file: a longer one is something else."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Add:
    """``[[scenario.add]]``: a service that opens at a place, in degrees (WGS 84)."""

    category: _Filled
    lat: float
    lon: float
    name: str = ""
    hours: str = ""
    capacity: float | None = None
    capacity_unit: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Move:
    """``[[scenario.move]]``: a service that stands elsewhere; what else is known of it stays."""

    service: _Filled
    lat: float
    lon: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class NewHours:
    """``[[scenario.hours]]``: a service that opens at other hours, as OSM writes them."""

    service: _Filled
    hours: _Filled


@dataclasses.dataclass(frozen=True, kw_only=True)
class NewCapacity:
    """``[[scenario.capacity]]``: a service of another size; without a unit, it keeps its own."""

    service: _Filled
    value: float
    unit: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Link:
    """``[[scenario.link]]``: a straight footway between the streets nearest to two places."""

    lat: float
    lon: float
    to_lat: float
    to_lon: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class Cut:
    """``[[scenario.cut]]``: the street nearest to a place, which nobody can walk any more."""

    lat: float
    lon: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class Scenario:
    """What would be otherwise. An empty one is the study as it is.

    Parameters
    ----------
    name
        What it is called in tables.
    description
        In a sentence.
    close
        Services that close, by id or name.
    add, move, hours, capacity
        Services that open, stand elsewhere, open otherwise, or are of another size.
    link, cut
        Ways that open and close.
    profile, threshold_min, at
        Another walker, another threshold, another moment; None as the study has them.
    """

    name: str
    description: str = ""
    close: tuple[Word, ...] = ()
    add: tuple[Add, ...] = ()
    move: tuple[Move, ...] = ()
    hours: tuple[NewHours, ...] = ()
    capacity: tuple[NewCapacity, ...] = ()
    link: tuple[Link, ...] = ()
    cut: tuple[Cut, ...] = ()
    profile: str | None = None
    threshold_min: float | None = None
    at: str | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be, whatever the study."""
        placed: list[Add | Move | Link | Cut] = [*self.add, *self.move, *self.link, *self.cut]
        for one in placed:
            _check_place(self.name, one)
        named = [*self.close, *(each.service for each in self.move)]
        twice = sorted({word for word in named if named.count(word) > 1})
        if twice:
            msg = f"Scenario {self.name!r}: {twice[0]!r} is closed or moved twice."
            raise StudyFileError(msg, hint="Name it once.")
        sizes = [each.value for each in self.capacity]
        sizes += [each.capacity for each in self.add if each.capacity is not None]
        for size in sizes:
            if not 0 <= size <= MOST:
                msg = f"Scenario {self.name!r}: a capacity is {size:g}."
                raise StudyFileError(msg, hint=f"Give a number of 0 or more, {MOST:,.0f} at most.")

    @property
    def changes_streets(self) -> bool:
        """Whether the graph is another one."""
        return bool(self.link or self.cut)

    @property
    def changes_question(self) -> bool:
        """Whether something else is asked of the same services and streets."""
        return any(one is not None for one in (self.profile, self.threshold_min, self.at))


_INNER: Mapping[str, type] = {
    "add": Add,
    "move": Move,
    "hours": NewHours,
    "capacity": NewCapacity,
    "link": Link,
    "cut": Cut,
}


def read_scenarios(path: AnyPath) -> tuple[Scenario, ...]:
    """Read the scenarios of a file, in their order.

    Raises
    ------
    InputFileError
        If there is no such file.
    StudyFileError
        If it is not TOML, holds no scenario, names two alike, or a key is unknown or missing, or
        a value is of the wrong kind or cannot be.
    """
    path = Path(path)
    if not path.is_file():
        msg = f"{path}: there is no such scenario file."
        raise InputFileError(msg, hint="See docs/scenarios.md for an example.")
    try:
        if path.stat().st_size > LONGEST_FILE:
            msg = f"{path}: is too long for a scenario file."
            raise StudyFileError(msg, hint="Scenarios are a few lines of TOML.")
        tables = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        if isinstance(error, StudyFileError):
            raise
        msg = f"{path}: cannot be read as TOML ({error})."
        raise StudyFileError(msg, hint="Check quotes and brackets at that place.") from error
    return scenarios_of(tables, str(path))


def only_scenario(path: AnyPath) -> Scenario:
    """Read the scenario of a file that holds one.

    Raises
    ------
    StudyFileError
        If it holds several, and as `read_scenarios`.
    """
    path = Path(path)
    found = read_scenarios(path)
    if len(found) > 1:
        names = ", ".join(repr(one.name) for one in found)
        msg = f"{path}: holds {len(found)} scenarios ({names})."
        raise StudyFileError(msg, hint="Give a file with one of them.")
    return found[0]


def scenarios_of(tables: Mapping[str, Any], where: str) -> tuple[Scenario, ...]:
    """Read the scenarios of tables of TOML; ``where`` they are, for messages."""
    check_keys(tables, ("scenario",), where)
    each = tables.get("scenario", [])
    if not isinstance(each, list) or not each:
        msg = f"{where}: holds no scenario."
        raise StudyFileError(msg, hint='Write [[scenario]] and name = "…" below.')
    found = tuple(_scenario(one, where, number) for number, one in enumerate(each, start=1))
    names = [one.name for one in found]
    for name in names:
        if names.count(name) > 1:
            msg = f"{where}: two scenarios are called {name!r}."
            raise StudyFileError(msg, hint="Give each a name of its own.")
    return found


def _scenario(values: object, where: str, number: int) -> Scenario:
    place = Place(where, f"[[scenario]] {number}")
    if not isinstance(values, Mapping):
        msg = f"{place}: is {values!r}."
        raise StudyFileError(msg, hint="Write [[scenario]] and its keys below.")
    check_keys(values, keys_of(Scenario), place)
    plain = {key: value for key, value in values.items() if key not in _INNER}
    plain.setdefault("name", f"scenario {number}")
    inner: dict[str, tuple[object, ...]] = {}
    inner |= {key: _inner(kind, key, values.get(key, []), place) for key, kind in _INNER.items()}
    return read_table(Scenario, plain, place, **inner)


def _inner(kind: type[_T], key: str, each: object, place: Place) -> tuple[_T, ...]:
    heading = f"[[scenario.{key}]]"
    if not isinstance(each, list) or not all(isinstance(one, Mapping) for one in each):
        msg = f"{place}: {key} is {each!r}."
        raise StudyFileError(msg, hint=f"Write {heading} and its keys below.")
    return tuple(
        read_table(kind, one, Place(place.file, f"{place.table}, {heading} {number}"))
        for number, one in enumerate(each, start=1)
    )


def _check_place(name: str, one: Add | Move | Link | Cut) -> None:
    ends = [(one.lat, one.lon)]
    if isinstance(one, Link):
        ends.append((one.to_lat, one.to_lon))
    for lat, lon in ends:
        if not (-85 <= lat <= 85 and -180 <= lon <= 180):
            msg = f"Scenario {name!r}: {lat:g}, {lon:g} is no place in degrees."
            raise StudyFileError(msg, hint="Give the latitude, then the longitude.")
