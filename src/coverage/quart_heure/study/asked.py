"""What is asked of a study: by its file, by flags, by a program; and what a study makes of it.

The three say the same things, each in its own words: a walker by name or as such, a day as text or
as a date. What flags and programs ask prevails over the file.
"""

from __future__ import annotations

import datetime
import numbers
from collections.abc import Sequence
from typing import Any, TypedDict, cast

from quart_heure.analysis.audience import Person, combined_person, get_person
from quart_heure.analysis.moment import Hours, HoursAsked, read_hours
from quart_heure.errors import StudyFileError
from quart_heure.profiles import PROFILES, STEP_FREE, WalkProfile, get_profile
from quart_heure.sources.services.wordings import date_of
from quart_heure.toml_tables import Word


class Figures(TypedDict, total=False):
    """Numbers, which nobody needs to read: minutes, metres, hectares, a share."""

    threshold_min: float
    cell_m: float
    snap_m: float
    min_gap_ha: float
    useful_share: float


class AnalysisTable(TypedDict, total=False):
    """``[analysis]`` of a study file."""

    categories: tuple[Word, ...]
    essentials: tuple[Word, ...]
    profile: str
    threshold_min: float
    isochrones_min: tuple[int | float, ...]
    cell_m: float
    snap_m: float
    min_gap_ha: float
    person: str | tuple[Word, ...]
    useful_share: float
    date: object  # TOML has dates of its own, and text may be one
    at: str
    on: str
    between: tuple[Word, ...]
    stay_min: float
    week_of: str
    country: str


class Asked(Figures, HoursAsked, total=False):
    """What flags or a program ask, over what the file does; names of `quart_heure.study.Study`."""

    categories: Sequence[str]
    essentials: Sequence[str]
    profile: str | WalkProfile
    person: str | Sequence[str] | Person | None
    isochrones_min: Sequence[float]
    counted_status: Sequence[str]
    date: str | datetime.date | None
    private: bool


class StudyFields(Figures, Hours, total=False):
    """What a study takes of it; what nobody asks is left to the defaults of `Study`."""

    categories: tuple[str, ...]
    profile: WalkProfile
    person: Person | None
    isochrones_min: tuple[float, ...]
    counted_status: tuple[str, ...]
    date: datetime.date | None
    private: bool


def read_asked(
    table: AnalysisTable,
    flags: Asked,
    *,
    where: str,
    walkers: Sequence[WalkProfile] = (),
    persons: Sequence[Person] = (),
    today: datetime.date | None = None,
) -> StudyFields:
    """Read what is asked of a study.

    Parameters
    ----------
    table
        What its file asks.
    flags
        What prevails over that.
    where
        The file, for messages.
    walkers, persons
        Those that it describes; they are found by name as the known ones are.
    today
        The day on which services must be valid where nobody gives one.

    Raises
    ------
    StudyFileError
        If a name is not known, or a day or an hour cannot be read.
    """
    asked: Asked = {**_of_file(table, where), **flags}
    figures = {name: value for name, value in asked.items() if name in Figures.__annotations__}
    fields = cast("StudyFields", {**figures, **read_hours(asked)})
    for name in SEVERAL & asked.keys():
        fields[name] = several(asked[name])  # type: ignore[literal-required]
    fields["date"] = read_validity(asked.get("date"), where) or today
    if "private" in flags:  # never by the file: an internal document is asked for each time
        fields["private"] = flags["private"]
    fields["person"] = person = find_person(asked.get("person"), persons)
    if "profile" in asked:
        fields["profile"] = find_walker(asked["profile"], walkers, where)
    if person is not None and person.wheelchair and "profile" not in flags:
        # Whom the file asks for walks as the file says. The walker of the file may take steps,
        # which whom the flags ask for cannot.
        walker = fields.get("profile")
        if walker is None or ("person" in flags and walker.steps_allowed):
            fields["profile"] = STEP_FREE
    return fields


SEVERAL = frozenset({"categories", "isochrones_min", "counted_status"})
"""What is asked for by one or by several values."""


def several(given: Any) -> tuple[Any, ...]:
    """Return the values of one that stands alone, or of several."""
    alone = isinstance(given, str | numbers.Real)
    return (given,) if alone else tuple(given)


def find_walker(name: str | WalkProfile, own: Sequence[WalkProfile], where: str) -> WalkProfile:
    """Return the walker of a name, one of the study file's own or one that is known.

    Raises
    ------
    StudyFileError
        If there is none; the message lists those that exist.
    """
    if isinstance(name, WalkProfile):
        return name
    named = {walker.name: walker for walker in own}
    if name in named:
        return named[name]
    if name not in PROFILES and own:
        known = ", ".join(dict.fromkeys([*PROFILES, *named]))
        msg = f"{where}: there is no walker {name!r}."
        raise StudyFileError(msg, hint=f"Choose one of {known}.")
    return get_profile(name)


def _of_file(table: AnalysisTable, where: str) -> Asked:
    """Return what a file asks, in the words of what prevails over it."""
    date = table.get("date", "")
    if not isinstance(date, str | datetime.date):
        raise _no_day(date, where)
    return cast("Asked", {**table, "date": date})


def find_person(asked: str | Sequence[str] | Person | None, own: Sequence[Person]) -> Person | None:
    """Return the person of a name, or of several together."""
    if asked is None or isinstance(asked, Person):
        return asked
    names = [asked] if isinstance(asked, str) else list(asked)
    return combined_person([get_person(name, own) for name in names]) if names else None


def read_validity(given: str | datetime.date | None, where: str) -> datetime.date | None:
    """Read the day on which services must be valid, None where none is given."""
    if isinstance(given, datetime.datetime):
        return given.date()
    if isinstance(given, datetime.date) or not given:
        return given or None
    if date_of(given):
        return datetime.date.fromisoformat(date_of(given))
    raise _no_day(given, where)


def _no_day(given: object, where: str) -> StudyFileError:
    msg = f"{where}, [analysis]: date is {given!r}."
    return StudyFileError(msg, hint='Write it as "2026-01-31".')
