"""Study settings: a study file as TOML, its keys and kinds checked, its template."""

from __future__ import annotations

import dataclasses
import datetime
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from quart_heure.analysis.audience import PERSONS, Person
from quart_heure.analysis.moment import HOUR_KEYS
from quart_heure.errors import InputFileError, StudyFileError
from quart_heure.hints import nearest_hint, unknown_key
from quart_heure.profiles import PROFILES, WalkProfile, get_profile
from quart_heure.sources.services.services import STATUSES
from quart_heure.sources.services.wordings import date_of
from quart_heure.study.bounds import check_number

KEYS: dict[str, tuple[str, ...]] = {
    "area": (
        *("districts", "layer", "id_column", "label_column", "name"),
        *("subdistricts", "subdistricts_layer", "level", "mend"),
    ),
    "services": (
        *("files", "layer", "sheet", "category", "counted_status", "columns", "crs", "rules"),
        *("sources",),
        *("merge", "soliguide"),
    ),
    "network": ("file", "heights"),
    "residents": ("file", "layer", "column", "method", "buildings", "source"),
    "weights": ("file", "label_fr", "label_en", "source"),
    "map": ("background",),
    "analysis": (
        *("categories", "profile", "threshold_min", "isochrones_min"),
        *("cell_m", "snap_m", "min_gap_ha", "person", "useful_share", "date"),
        *HOUR_KEYS,
    ),
}
"""Tables of a study file, and the keys of each."""

_FREE = ("profiles", "persons", "categories")
_KINDS: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(("threshold_min", "cell_m", "snap_m", "min_gap_ha", "stay_min"), (int, float)),
    "useful_share": (int, float),
    "person": (str, list),
    **dict.fromkeys(("files", "counted_status", "categories", "isochrones_min"), (list,)),
    **dict.fromkeys(("mend", "soliguide"), (bool,)),
    "between": (list,),
    **{"merge": (dict,), "columns": (dict,), "rules": (dict,), "sources": (list,)},
    "date": (str, datetime.date),
}
_FILES = ("districts", "subdistricts", "file", "heights", "buildings", "background")
_MERGE_KINDS: dict[str, tuple[type, ...]] = {
    "on": (bool,),
    "trust": (list,),
    "within_m": (int, float),
}


def template() -> str:
    """Return a commented study file to start from."""
    return resources.files("quart_heure.study").joinpath("template.toml").read_text("utf-8")


def read_settings(path: Path) -> dict[str, Any]:
    """Read a study file as tables of settings, and check their keys and kinds.

    Raises
    ------
    InputFileError
        If there is no such file.
    StudyFileError
        If it is not TOML, a key is unknown (the right one is suggested) or missing, or a value is
        of the wrong kind.
    """
    if not path.is_file():
        msg, hint = f"{path}: there is no such study file.", "Run 'quart-heure init' to write one."
        if path.is_dir():
            msg = f"{path}: this folder has no study.toml."
        if (path / "manifest.json").is_file():
            msg = f"{path}: this folder holds results, not a study."
            hint = "Give the study file; 'quart-heure report' and 'quart-heure info' read results."
        raise InputFileError(msg, hint=hint)
    try:
        settings = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        # ValueError: not text, not TOML, or a number of thousands of digits.
        raise _not_a_study(path, error) from error
    _check_keys(settings, (*KEYS, *_FREE), f"{path}")
    for table in (*KEYS, *_FREE):
        if not isinstance(settings.get(table, {}), dict):
            msg = f"{path}: {table!r} is not a table."
            name = f"{table}.NAME" if table in _FREE else table
            raise StudyFileError(msg, hint=f"Write [{name}] on a line of its own.")
    for table, keys in KEYS.items():
        part = settings.get(table, {})
        _check_keys(part, keys, f"{path}, [{table}]")
        for key, value in part.items():
            _check_value(key, value, f"{path}, [{table}]")
    merge = settings.get("services", {}).get("merge", {})
    _check_keys(merge, tuple(_MERGE_KINDS), f"{path}, [services.merge]")
    for key, value in merge.items():
        _check_value(key, value, f"{path}, [services.merge]", kinds=_MERGE_KINDS)
    if "within_m" in merge:
        check_number(f"{path}, [services.merge]: within_m", merge["within_m"])
    _check_needed(settings, path)
    return settings


def input_files(path: Path) -> list[Path]:
    """Return the study file and the files that it names, whether they are there or not.

    Raises
    ------
    InputFileError, StudyFileError
        As `read_settings` does.
    """
    path = path / "study.toml" if path.is_dir() else path
    settings = read_settings(path)
    tables = [settings.get(name, {}) for name in ("area", "network", "residents", "weights", "map")]
    services = settings["services"]
    tables += [own for own in services.get("sources", ()) if isinstance(own, Mapping)]
    named = [table[key] for table in tables for key in _FILES if isinstance(table.get(key), str)]
    return [path, *(path.parent / name for name in (*named, *services.get("files", ())))]


def _not_a_study(path: Path, error: Exception) -> StudyFileError:
    """Return the error of a file that is not TOML; of another ending, it was never meant to be."""
    if path.suffix.lower() == ".toml":
        msg = f"{path}: cannot be read as TOML ({error})."
        return StudyFileError(msg, hint="Check quotes and brackets at that place.")
    msg = f"{path}: is not a study file, whose name ends in .toml."
    hint = "Name a table of services in [services] of one; 'quart-heure init' writes an example."
    return StudyFileError(msg, hint=hint)


def _check_needed(settings: Mapping[str, Any], path: Path) -> None:
    """Check that what a study needs is there; a table that is begun needs its file too."""
    needed = [("area", "districts"), ("services", "files"), ("network", "file")]
    needed += [(table, "file") for table in ("residents", "weights") if table in settings]
    for table, key in needed:
        if key not in settings.get(table, {}) and not settings.get(table, {}).get("sources"):
            msg = f"{path}: there is no {key!r} in [{table}]."
            raise StudyFileError(msg, hint="Run 'quart-heure init' for a commented example.")


def _check_value(
    key: str, value: Any, where: str, *, kinds: Mapping[str, tuple[type, ...]] = _KINDS
) -> None:
    """Check that a value is of the kind that its key takes."""
    wanted = kinds.get(key, (str,))
    # In Python, true is a number too.
    if not isinstance(value, wanted) or (isinstance(value, bool) and bool not in wanted):
        msg = f"{where}: {key} is {value!r}."
        names = {str: "text in quotes", list: "a list in brackets", int: "a number"}
        names |= {bool: "true or false", dict: "pairs in braces or a table of its own"}
        raise StudyFileError(msg, hint=f"It must be {names[wanted[0]]}.")
    _check_items(key, value, where)
    _check_files(key, value, where)


def _check_files(key: str, value: Any, where: str) -> None:
    """Refuse a blank name: the folder of the study would be taken for the file."""
    named = value if key == "files" else [value] if key in _FILES else []
    if not all(name.strip() for name in named):
        msg = f"{where}: {key} is {value!r}."
        raise StudyFileError(msg, hint="Give the name of a file, or leave it out.")


def _check_items(key: str, value: Any, where: str) -> None:
    """Check what stands in a list: numbers of minutes, or words."""
    if not isinstance(value, list) or key == "sources":
        return
    minutes = key == "isochrones_min"
    wanted = (int, float) if minutes else (str,)
    if not all(isinstance(item, wanted) and not isinstance(item, bool) for item in value):
        msg = f"{where}: {key} is {value!r}."
        hint = (
            "It must be a list of numbers." if minutes else "It must be a list of words in quotes."
        )
        raise StudyFileError(msg, hint=hint)
    if key not in {"isochrones_min", "files"} and not all(item.strip() for item in value):
        msg = f"{where}: {key} is {value!r}."
        raise StudyFileError(msg, hint="Leave blank words out.")
    if key == "counted_status":
        for status in value:
            if status not in STATUSES:
                msg = f"{where}: there is no status {status!r}."
                raise StudyFileError(msg, hint=nearest_hint(status, STATUSES))


def _check_keys(found: Iterable[str], known: Sequence[str], where: str) -> None:
    for key in found:
        if key not in known:
            raise unknown_key(key, known, where)


def read_validity_day(given: Any, path: Path) -> datetime.date | None:
    """Read the day on which services must be valid, None where none is given."""
    if isinstance(given, datetime.datetime):
        return given.date()
    if isinstance(given, datetime.date) or given == "":
        return given or None
    if date_of(given):
        return datetime.date.fromisoformat(date_of(given))
    msg = f"{path}, [analysis]: date is {given!r}."
    raise StudyFileError(msg, hint='Write it as "2026-01-31".')


def _check_name(name: str, path: Path, table: str) -> None:
    if not name.strip():
        msg = f"{path}: there is a table [{table}.{name!r}] without a name."
        raise StudyFileError(msg, hint=f"Write [{table}.NAME].")


def read_persons(tables: Mapping[str, Mapping[str, Any]], path: Path) -> list[Person]:
    """Read the persons that a study file describes."""
    known = [f.name for f in dataclasses.fields(Person) if f.name != "name"]
    persons = []
    for name, about in tables.items():
        if not isinstance(about, Mapping):
            msg = f"{path}: the person {name!r} is {about!r}."
            raise StudyFileError(msg, hint=f"Write [persons.{name}] and with_dog = true below.")
        _check_name(name, path, "persons")
        if name.replace("-", "_") in PERSONS:
            # Else the same words would ask for one person here and another one elsewhere.
            msg = f"{path}, [persons.{name}]: there is a person of this name already."
            raise StudyFileError(msg, hint="Choose another name.")
        _check_keys(about, known, f"{path}, [persons.{name}]")
        for key, value in about.items():
            if not isinstance(value, str if key == "sex" else bool):
                msg = f"{path}, [persons.{name}]: {key} is {value!r}."
                words = '"woman" or "man"' if key == "sex" else "true or false"
                raise StudyFileError(msg, hint=f"It must be {words}.")
        persons.append(Person(name=name, **about))
    return persons


def read_walkers(tables: Mapping[str, Mapping[str, Any]], path: Path) -> list[WalkProfile]:
    """Read the walkers that a study file describes, whether it asks for them or not."""
    known = [f.name for f in dataclasses.fields(WalkProfile) if f.name != "name"]
    walkers = []
    for name, about in tables.items():
        if not isinstance(about, Mapping):
            msg = f"{path}: the walker {name!r} is {about!r}."
            raise StudyFileError(msg, hint=f"Write [profiles.{name}] and speed_kmh = 4 below.")
        _check_name(name, path, "profiles")
        where = f"{path}, [profiles.{name}]"
        _check_keys(about, known, where)
        if "speed_kmh" not in about:
            msg = f"{where} has no speed_kmh."
            raise StudyFileError(msg, hint="Give its walking speed in km/h.")
        for key, value in about.items():
            flag = key == "steps_allowed"
            if isinstance(value, bool) != flag or not isinstance(value, int | float):
                msg = f"{where}: {key} is {value!r}."
                words = "true or false" if flag else "a number"
                raise StudyFileError(msg, hint=f"It must be {words}.")
        walkers.append(WalkProfile(name=name, **about))
    return walkers


def find_walker(name: str, own: Sequence[WalkProfile], path: Path) -> WalkProfile:
    """Return the walker of a name, one of the study file's own or one that is known."""
    named = {walker.name: walker for walker in own}
    if name in named:
        return named[name]
    if name not in PROFILES and own:
        known = ", ".join(dict.fromkeys([*PROFILES, *named]))
        msg = f"{path}: there is no walker {name!r}."
        raise StudyFileError(msg, hint=f"Choose one of {known}.")
    return get_profile(name)
