"""Study settings: a study file as typed tables, their keys and kinds checked, and its template."""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Callable, Mapping
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, TypeVar

import msgspec

from quart_heure.analysis.audience import PERSONS, Person
from quart_heure.errors import InputFileError, StudyFileError
from quart_heure.hints import nearest_hint
from quart_heure.profiles import WalkProfile
from quart_heure.sources.given import check_name
from quart_heure.sources.services.columns import FIELDS
from quart_heure.sources.services.services import STATUSES
from quart_heure.study.asked import AnalysisTable
from quart_heure.study.bounds import check_number
from quart_heure.toml_tables import (
    FileName,
    OptionalFile,
    Place,
    Word,
    check_keys,
    keys_of,
    missing_key,
    read_table,
    read_value,
)

_T = TypeVar("_T")

_Heading = Annotated[str, msgspec.Meta(title="a heading in quotes")]
_Some = msgspec.Meta(min_length=1)
_Rule = Annotated[
    Annotated[str, _Some] | Annotated[tuple[Annotated[str, _Some], ...], _Some],
    msgspec.Meta(title="a regular expression in quotes, or a list of words"),
]


@dataclasses.dataclass(frozen=True, kw_only=True)
class AreaTable:
    """``[area]``: the districts, of which the area is the union."""

    districts: FileName
    layer: str = ""
    id_column: str | None = None
    label_column: str | None = None
    name: str = ""
    subdistricts: OptionalFile = None
    subdistricts_layer: str = ""
    level: str = "districts"
    mend: bool = False


@dataclasses.dataclass(frozen=True, kw_only=True)
class SourceTable:
    """``[[services.sources]]``: one file of services; None where the shared settings apply."""

    file: FileName
    layer: str | None = None
    sheet: str | None = None
    category: str | None = None
    columns: Mapping[str, _Heading] | None = None
    crs: str | None = None
    rules: Mapping[str, _Rule] | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class MergeTable:
    """``[services.merge]``: whether and how places that several sources tell of become one."""

    on: bool = False
    trust: tuple[Word, ...] = ()
    within_m: float | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class ServicesTable:
    """``[services]``: files that share settings, and sources with settings of their own."""

    files: tuple[FileName, ...] = ()
    layer: str = ""
    sheet: str = ""
    category: str = ""
    counted_status: tuple[Word, ...] | None = None
    columns: Mapping[str, _Heading] = dataclasses.field(default_factory=dict)
    crs: str = ""
    rules: Mapping[str, _Rule] = dataclasses.field(default_factory=dict)
    sources: tuple[SourceTable, ...] = ()
    merge: MergeTable = MergeTable()
    soliguide: bool = False


@dataclasses.dataclass(frozen=True, kw_only=True)
class NetworkTable:
    """``[network]``: the streets, and the heights of the ground."""

    file: FileName
    heights: OptionalFile = None
    date: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class ResidentsTable:
    """``[residents]``: where people live."""

    file: FileName
    layer: str = ""
    column: str | None = None
    method: str | None = None
    buildings: OptionalFile = None
    source: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class WeightsTable:
    """``[weights]``: a second weight per district."""

    file: FileName
    label_fr: str = ""
    label_en: str = ""
    source: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class HoursTable:
    """``[hours]``: the calendar that opening hours are read with."""

    school_holidays: OptionalFile = None
    zone: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class MapTable:
    """``[map]``: what maps draw under the figures."""

    background: OptionalFile = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class StudySettings:
    """A study as it is written down.

    Parameters
    ----------
    folder
        Names of files are relative to it.
    where
        The study file, for messages.
    area, services, network, residents, weights, hours, map, analysis
        Its tables.
    walkers, persons
        Those that it describes, whether it asks for them or not.
    categories
        What it says of categories, for `quart_heure.categories.extend_catalogue`.
    file
        The study file; None where the study is written in a program.
    packaged
        Whether it is the packaged Paris.
    """

    folder: Path
    where: str
    area: AreaTable
    services: ServicesTable
    network: NetworkTable
    residents: ResidentsTable | None = None
    weights: WeightsTable | None = None
    hours: HoursTable = HoursTable()
    map: MapTable = MapTable()
    analysis: AnalysisTable = dataclasses.field(default_factory=AnalysisTable)
    walkers: tuple[WalkProfile, ...] = ()
    persons: tuple[Person, ...] = ()
    categories: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    file: Path | None = None
    packaged: bool = False

    def files(self) -> list[Path]:
        """Return the files that it names, whether they are there or not."""
        area, network, people, weights = self.area, self.network, self.residents, self.weights
        named = [area.districts, area.subdistricts, network.file, network.heights]
        named += [] if people is None else [people.file, people.buildings]
        named += [] if weights is None else [weights.file]
        named += [self.hours.school_holidays, self.map.background, *self.services.files]
        named += [source.file for source in self.services.sources]
        return [self.folder / name for name in named if name is not None]


def with_network(settings: StudySettings, file: Path) -> StudySettings:
    """Return the same settings with other streets; heights of the ground stay, a date does not."""
    check_name(file)
    network = dataclasses.replace(settings.network, file=str(file.resolve()), date="")
    return dataclasses.replace(settings, network=network)


_NEEDED = {"area": AreaTable, "services": ServicesTable, "network": NetworkTable}
_OPTIONAL = {"residents": ResidentsTable, "weights": WeightsTable}
_TABLES = {**_NEEDED, **_OPTIONAL, "hours": HoursTable, "map": MapTable, "analysis": AnalysisTable}
_FREE = ("profiles", "persons", "categories")

KEYS: Mapping[str, tuple[str, ...]] = {name: keys_of(kind) for name, kind in _TABLES.items()}
"""Tables of a study file, and the keys of each."""


def template() -> str:
    """Return a commented study file to start from."""
    return resources.files("quart_heure.study").joinpath("template.toml").read_text("utf-8")


def study_path(path: Path) -> Path:
    """Return the study file: the path itself, or that in the folder of a snapshot."""
    check_name(path)
    return path / "study.toml" if (path / "study.toml").is_file() else path


def read_settings(path: Path) -> StudySettings:
    """Read a study file, or that of a snapshot, and check its keys and kinds.

    Raises
    ------
    InputFileError
        If there is no such file.
    StudyFileError
        If it is not TOML, a key is unknown (the right one is suggested) or missing, or a value is
        of the wrong kind.
    """
    path = study_path(path)
    tables, where = _read_toml(path), str(path)
    check_keys(tables, (*KEYS, *_FREE), where)
    for table in (*KEYS, *_FREE):
        if not isinstance(tables.get(table, {}), dict):
            msg = f"{path}: {table!r} is not a table."
            name = f"{table}.NAME" if table in _FREE else table
            raise StudyFileError(msg, hint=f"Write [{name}] on a line of its own.")

    def part(kind: type[_T], name: str) -> _T:
        return read_table(kind, tables.get(name, {}), Place(where, f"[{name}]"))

    settings = StudySettings(
        folder=path.parent,
        where=where,
        area=part(AreaTable, "area"),
        services=_services(tables.get("services", {}), where),
        network=part(NetworkTable, "network"),
        residents=part(ResidentsTable, "residents") if "residents" in tables else None,
        weights=part(WeightsTable, "weights") if "weights" in tables else None,
        hours=part(HoursTable, "hours"),
        map=part(MapTable, "map"),
        analysis=part(AnalysisTable, "analysis"),
        walkers=_named(WalkProfile, "profiles", tables, where, example="speed_kmh = 4"),
        persons=_named(
            Person, "persons", tables, where, example="with_dog = true", check=_check_person
        ),
        categories=tables.get("categories", {}),
        file=path,
    )
    for file in settings.files():
        check_name(file)
    return settings


def _read_toml(path: Path) -> dict[str, Any]:
    if not path.is_file():
        msg, hint = f"{path}: there is no such study file.", "Run 'quart-heure init' to write one."
        if path.is_dir():
            msg = f"{path}: this folder has no study.toml."
        if (path / "manifest.json").is_file():
            msg = f"{path}: this folder holds results, not a study."
            hint = "Give the study file; 'quart-heure report' and 'quart-heure info' read results."
        raise InputFileError(msg, hint=hint)
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        # ValueError: not text, not TOML, or a number of thousands of digits.
        raise _not_a_study(path, error) from error


def _not_a_study(path: Path, error: Exception) -> StudyFileError:
    """Return the error of a file that is not TOML; of another ending, it was never meant to be."""
    if path.suffix.lower() == ".toml":
        msg = f"{path}: cannot be read as TOML ({error})."
        return StudyFileError(msg, hint="Check quotes and brackets at that place.")
    msg = f"{path}: is not a study file, whose name ends in .toml."
    hint = "Name a table of services in [services] of one; 'quart-heure init' writes an example."
    return StudyFileError(msg, hint=hint)


def _services(values: Mapping[str, Any], where: str) -> ServicesTable:
    """Read ``[services]`` with the tables in it."""
    place = Place(where, "[services]")
    check_keys(values, KEYS["services"], place)
    inner = {"merge": Mapping[str, object], "sources": tuple[object, ...]}
    plain = {key: value for key, value in values.items() if key not in inner}
    nested = {
        key: read_value(kind, values[key], str(place), key)
        for key, kind in inner.items()
        if key in values
    }
    merge = read_table(MergeTable, nested.get("merge", {}), Place(where, "[services.merge]"))
    if merge.within_m is not None:
        check_number(f"{where}, [services.merge]: within_m", merge.within_m)
    sources = [
        _source(own, Place(where, f"[[services.sources]] {number}"))
        for number, own in enumerate(nested.get("sources", ()), start=1)
    ]
    services = read_table(ServicesTable, plain, place, merge=merge, sources=tuple(sources))
    needed = "files"
    if needed not in values and not services.sources:
        raise missing_key(needed, place)
    _check_part(services, place)
    _check_columns(services.columns, place)
    for status in services.counted_status or ():
        if status not in STATUSES:
            msg = f"{place}: there is no status {status!r}."
            raise StudyFileError(msg, hint=nearest_hint(status, STATUSES))
    return services


def _source(values: object, place: Place) -> SourceTable:
    if not isinstance(values, Mapping):
        msg = f"{place}: is {values!r}."
        raise StudyFileError(msg, hint='Write [[services.sources]] and file = "…" below.')
    source = read_table(SourceTable, values, place)
    _check_part(source, place)
    _check_columns(source.columns or {}, place)
    return source


def _check_part(table: ServicesTable | SourceTable, place: Place) -> None:
    if table.layer and table.sheet:
        msg = f"{place}: layer is {table.layer!r} and sheet is {table.sheet!r}."
        raise StudyFileError(msg, hint="Give the one that the file has.")


def _check_columns(columns: Mapping[str, str], place: Place) -> None:
    check_keys(columns, FIELDS, Place(place.file, f"{place.table}, columns"))


def _named(
    kind: type[_T],
    table: str,
    tables: Mapping[str, Mapping[str, Any]],
    where: str,
    *,
    example: str,
    check: Callable[[str, Place], None] | None = None,
) -> tuple[_T, ...]:
    """Read the tables ``[table.NAME]``, each an object that has this name."""
    found = []
    for name, about in tables.get(table, {}).items():
        place = Place(where, f"[{table}.{name}]")
        if not isinstance(about, Mapping):
            msg = f"{where}: {name!r} in [{table}] is {about!r}."
            raise StudyFileError(msg, hint=f"Write [{table}.{name}] and {example} below.")
        if not name.strip():
            msg = f"{where}: there is a table [{table}.{name!r}] without a name."
            raise StudyFileError(msg, hint=f"Write [{table}.NAME].")
        if check is not None:
            check(name, place)
        found.append(read_table(kind, about, place, name=name))
    return tuple(found)


def _check_person(name: str, place: Place) -> None:
    if name.replace("-", "_") in PERSONS:
        # Else the same words would ask for one person here and another one elsewhere.
        msg = f"{place}: there is a person of this name already."
        raise StudyFileError(msg, hint="Choose another name.")


def input_files(path: Path) -> list[Path]:
    """Return the study file and the files that it names, whether they are there or not.

    Raises
    ------
    InputFileError, StudyFileError
        As `read_settings` does.
    """
    return [study_path(path), *read_settings(path).files()]
