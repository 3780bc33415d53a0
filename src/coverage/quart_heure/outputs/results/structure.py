"""The manifest of a folder of results: what it holds, and whether one that is read holds it."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from typing import Annotated, Any, TypedDict

import msgspec

from quart_heure.stamp import tool_version


class _InputMore(TypedDict, total=False):
    source_fr: str
    licence_fr: str
    lacks: str


class Input(_InputMore):
    """An input of a run."""

    role: str
    file: str
    sha256: str
    date: str
    source: str
    licence: str
    attribution: str


class Background(TypedDict):
    """The background of the maps, which tells where water is."""

    file: str
    sha256: str


class StudyTold(TypedDict):
    """Where the study of a run is written down."""

    packaged: bool
    file: str
    sha256: str
    background: Background | None


class Definition(TypedDict):
    """A term that figures rest on, in both languages."""

    key: str
    term_fr: str
    term_en: str
    fr: str
    en: str


class Limit(TypedDict):
    """What figures do not say, in both languages."""

    key: str
    fr: str
    en: str


class ManifestCategory(TypedDict):
    """A category of a run."""

    id: str
    fr: str
    en: str
    colour: str
    essential: bool


class File(TypedDict):
    """A file of a folder of results."""

    sha256: str
    bytes: int


class _ManifestMore(TypedDict, total=False):
    study: StudyTold
    study_place: str
    choices: list[str]


class Manifest(_ManifestMore):
    """``manifest.json`` of a folder of results; what ``info --json`` prints."""

    tool: str
    version: str
    created: str
    osm_date: str
    parameters: dict[str, Any]
    inputs: list[Input]
    counts: dict[str, Any]
    dropped: dict[str, Any]
    definitions_date: str
    definitions: list[Definition]
    limits: list[Limit]
    attribution: list[str]
    withheld: dict[str, Any]
    area: str
    crs: str
    categories: list[ManifestCategory]
    files: dict[str, File]


_Day = Annotated[str, msgspec.Meta(pattern=r"^(\d{4}-\d\d-\d\d|$)")]
_Name = Annotated[str, msgspec.Meta(pattern=r"^[^/\\\x00-\x1f]+$")]
_Number = int | float | None


class _ReadInput(TypedDict, total=False):
    date: str
    source: str
    licence: str
    attribution: str
    source_fr: str
    source_en: str
    licence_fr: str
    licence_en: str
    lacks: str


class _Input(_ReadInput):
    role: str
    file: str
    sha256: str


class _Needed(TypedDict):
    profile: str
    threshold_min: float


class _Parameters(_Needed, total=False):
    area: str
    crs: str
    categories: list[str]
    person: str
    speed_kmh: float
    heights: str
    isochrones_min: list[float]
    cell_m: float
    min_gap_ha: float
    ground: str
    counted_status: list[str]
    date: _Day
    at: str
    until: str
    week_of: _Day
    week_is_newest: bool
    stay_min: float
    country: str
    departements: list[str]
    private: bool


class _Definition(TypedDict):
    term_fr: str
    term_en: str
    fr: str
    en: str


class _ReadMore(TypedDict, total=False):
    created: str
    osm_date: str
    inputs: list[_Input]
    study: StudyTold | None
    study_place: str
    dropped: dict[str, dict[str, int | float | dict[str, float]]]
    definitions_date: _Day
    definitions: list[_Definition]
    limits: list[Limit]
    attribution: list[str]
    withheld: dict[str, int | dict[str, int]]
    crs: str
    choices: list[str]
    proposal: dict[str, Any]


class _Read(_ReadMore):
    """What is needed of a manifest to read it, of earlier versions too."""

    tool: str
    version: str
    area: str
    parameters: _Parameters
    counts: dict[str, _Number | str]
    files: dict[_Name, File]
    categories: list[ManifestCategory]


_VERSION = re.compile(r"(\d+)\.(\d+)\.(\d+)")


def fault_of_manifest(manifest: Mapping[str, Any]) -> str:
    """Say why what was read is no manifest that this version can use, ``""`` if it is one."""
    if manifest.get("tool") != "quart-heure":
        return "was not written by quart-heure"
    try:
        msgspec.convert(manifest, _Read)
    except msgspec.ValidationError as error:
        return f"was changed or is damaged ({error})"
    try:
        datetime.date.fromisoformat(str(manifest.get("created", "1970-01-01"))[:10])
    except ValueError:
        return f"was changed or is damaged (created is {manifest['created']!r}, which is no date)"
    return _foreign_version(str(manifest["version"]))


def _foreign_version(version: str) -> str:
    """Say why a version is not one that can be read."""
    written, ours = _VERSION.match(version), _VERSION.match(tool_version())
    if ours is None or version == tool_version():
        return ""  # run from the sources: nobody knows
    if written is None:
        return f"was written by version {version!r}, which there is not"
    if tuple(map(int, written.groups())) > tuple(map(int, ours.groups())):
        return f"was written by version {version}, newer than this one, {tool_version()}"
    return ""
