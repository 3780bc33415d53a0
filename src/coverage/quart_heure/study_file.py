"""Study files: a study written down as TOML, and the packaged study of Paris."""

from __future__ import annotations

import dataclasses
import datetime
import difflib
import json
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyproj
import shapely

from quart_heure.analysis.stored import stored_network
from quart_heure.cache import Cache
from quart_heure.categories import default_catalogue, extend_catalogue
from quart_heure.errors import InputFileError, StudyFileError
from quart_heure.files import sha256_of
from quart_heure.network.graph import WalkNetwork
from quart_heure.profiles import ADULT, PROFILES, WalkProfile, get_profile
from quart_heure.sources.areas import StudyArea, read_area
from quart_heure.sources.residents import read_residents
from quart_heure.sources.sample import paris_dir
from quart_heure.sources.service_sources import ServiceSource, sources_from_settings
from quart_heure.sources.services import STATUSES, read_services
from quart_heure.sources.wordings import date_of
from quart_heure.study import Study

__all__ = ["TEMPLATE", "paris_study", "read_study"]

TEMPLATE = """\
# A study of quart-heure. Paths are relative to this file. Lines that begin with # are optional:
# what stands behind them is the default.

[area]
districts = "districts.geojson"   # polygons; their union is the area
name = "My city"
# id_column = "district_id"
# label_column = "label"

[services]
files = ["services.csv"]          # CSV, Excel, JSON of a portal, GeoJSON, GeoPackage …
# category = "bains_douches"      # where the files have no column "category"
# counted_status = ["open", "unknown"]
# crs = "EPSG:4326"               # of columns x and y; "EPSG:2154" where they are metres
# columns = {}                    # where a heading is not found: { name = "Lieu", address = "Où" }
# rules = {}                      # categories by name: { esi = ["espace solidarité", "ESI"] }
# sources = []                    # or one table per file, each with settings of its own:
#   [[services.sources]]
#   file = "bains.xlsx"
#   category = "bains_douches"

[network]
file = "network.parquet"          # streets that can be walked, or raw data: city.osm.pbf

# [residents]
# file = "residents.parquet"      # squares with people; without them figures are of area alone

# [map]
# background = "background.parquet"   # water, parks … with a column "kind", drawn under maps

[analysis]
# date = ""                       # "2026-01-31", by default today: what is no more valid is closed
# categories = ["bains_douches", "bagagerie"]   # by default the essential ones and all that occur
# profile = "adult"               # adult 4.5 km/h, slow 3 km/h, step_free 3 km/h without stairs
# threshold_min = 15
# isochrones_min = [5, 10, 15]
# cell_m = 25
# snap_m = 100
# min_gap_ha = 1

# [profiles.with_a_dog]           # a walker of your own, for profile = "with_a_dog"
# speed_kmh = 4.0
# steps_factor = 1.5
# steps_allowed = true

# [categories.laverie]            # a category of your own
# fr = "Laveries solidaires"
# en = "Solidarity laundries"
# colour = "#117733"
# essential = false
"""

_KEYS: dict[str, tuple[str, ...]] = {
    "area": ("districts", "id_column", "label_column", "name"),
    "services": ("files", "category", "counted_status", "columns", "crs", "rules", "sources"),
    "network": ("file",),
    "residents": ("file",),
    "map": ("background",),
    "analysis": (
        *("categories", "profile", "threshold_min", "isochrones_min"),
        *("cell_m", "snap_m", "min_gap_ha", "date"),
    ),
}
_STREETS_AROUND_M = 2000.0
"""Raw streets are taken at least this far around the area."""

_FREE = ("profiles", "categories")
_KINDS: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(("threshold_min", "cell_m", "snap_m", "min_gap_ha"), (int, float)),
    **dict.fromkeys(("files", "counted_status", "categories", "isochrones_min"), (list,)),
    **{"columns": (dict,), "rules": (dict,), "sources": (list,)},
    "date": (str, datetime.date),
}


def read_study(
    path: Path,
    *,
    cache: Cache | None = None,
    today: datetime.date | None = None,
    **overrides: Any,
) -> Study:
    """Read a study from a TOML file.

    Parameters
    ----------
    path
        The study file, or the folder of a snapshot that holds one; the paths in it are relative
        to it. See `TEMPLATE`.
    cache
        Keeps the network for the next run.
    today
        The day on which services must be valid, where the file has no date.
    overrides
        Fields of `Study` that prevail over the file.

    Raises
    ------
    InputFileError
        If a file is missing or unreadable.
    StudyFileError
        If a key is unknown (the right one is suggested) or a value is of the wrong kind.
    """
    if path.is_dir() and (path / "study.toml").is_file():
        path = path / "study.toml"
    settings = _read_settings(path)
    for table, key in (("area", "districts"), ("services", "files"), ("network", "file")):
        if key not in settings.get(table, {}) and not settings.get(table, {}).get("sources"):
            msg = f"{path}: there is no {key!r} in [{table}]."
            raise StudyFileError(msg, hint="Run 'quart-heure init' for a commented example.")
    folder, area = path.parent, settings["area"]
    residents = settings.get("residents", {}).get("file")
    background = settings.get("map", {}).get("background")
    analysis = {**settings.get("analysis", {}), **overrides}
    if isinstance(analysis.get("profile"), str):
        analysis["profile"] = _profile(analysis["profile"], settings.get("profiles", {}), path)
    if "isochrones_min" in analysis:
        analysis["isochrones_min"] = tuple(analysis["isochrones_min"])
    if "counted_status" in settings["services"]:
        analysis.setdefault("counted_status", tuple(settings["services"]["counted_status"]))
    analysis["date"] = _date(analysis.get("date", ""), path) or today
    if background is not None:
        analysis["background_file"] = _existing(folder / background)
    return _assemble(
        area=read_area(
            folder / area["districts"],
            name=area.get("name", ""),
            id_column=area.get("id_column"),
            label_column=area.get("label_column"),
        ),
        districts_file=folder / area["districts"],
        sources=sources_from_settings(settings["services"], folder, where=str(path)),
        network_file=folder / settings["network"]["file"],
        residents_file=None if residents is None else folder / residents,
        own_categories=settings.get("categories", {}),
        cache=cache,
        fields=analysis,
        described=_described(folder / "manifest.json"),
    )


def paris_study(*, cache: Cache | None = None, **overrides: Any) -> Study:
    """Return the packaged study of Paris, all categories; fields may be overridden."""
    folder = paris_dir()
    if isinstance(overrides.get("profile"), str):
        overrides["profile"] = get_profile(overrides["profile"])
    districts = folder / "districts.geojson"
    return _assemble(
        area=read_area(districts, name="Paris"),
        districts_file=districts,
        sources=(ServiceSource(file=folder / "services.csv"),),
        network_file=folder / "network.parquet",
        residents_file=folder / "residents.parquet",
        own_categories={},
        cache=cache,
        fields={
            "categories": tuple(default_catalogue()),
            "background_file": folder / "background.parquet",
            **overrides,
        },
        described=_described(folder / "manifest.json"),
    )


def _assemble(
    *,
    area: StudyArea,
    districts_file: Path,
    sources: Sequence[ServiceSource],
    network_file: Path,
    residents_file: Path | None,
    own_categories: Mapping[str, Mapping[str, Any]],
    cache: Cache | None,
    fields: Mapping[str, Any],
    described: Mapping[str, Mapping[str, str]] | None = None,
) -> Study:
    """Read the inputs and put them together."""
    catalogue = extend_catalogue(own_categories)
    services = read_services(sources, area, catalogue=catalogue)
    network = stored_network(
        network_file, cache or Cache(None), reach=_reach(area, fields), crs=area.crs
    )
    if network.crs != area.crs:
        projected = network.edges().to_crs(area.crs).drop(columns="length_m")
        network = WalkNetwork.from_edges(projected, meta=network.meta)
    settings = dict(fields)
    present = set(services.table["category"])
    # An essential category without any place is what such a study is there to show.
    usual = tuple(c for c in catalogue if c in present or catalogue[c].essential)
    settings["categories"] = tuple(settings.get("categories", usual))
    files = [("districts", districts_file), *(("services", one.file) for one in sources)]
    files.append(("network", network_file))
    if residents_file is not None:
        files.append(("residents", residents_file))
    return Study(
        area=area,
        services=services,
        network=network,
        residents=None if residents_file is None else read_residents(residents_file),
        catalogue=catalogue,
        provenance=tuple(_input(role, file, network, described or {}) for role, file in files),
        **settings,
    )


def _reach(area: StudyArea, fields: Mapping[str, Any]) -> shapely.Polygon:
    """Return, in degrees, where streets are taken from raw data: the area and the longest walk."""
    profile = fields.get("profile", ADULT)
    longest_min = max(1.1 * fields.get("threshold_min", 15.0), *fields.get("isochrones_min", ()), 0)
    around_m = max(_STREETS_AROUND_M, profile.speed_m_per_min * longest_min)
    around = shapely.buffer(shapely.convex_hull(area.geometry), around_m)
    to_degrees = pyproj.Transformer.from_crs(area.crs, 4326, always_xy=True)
    moved = shapely.transform(
        shapely.segmentize(around, 1000.0),
        lambda xy: np.stack(to_degrees.transform(xy[:, 0], xy[:, 1]), axis=1),
    )
    return shapely.Polygon(moved.exterior)


def _input(
    role: str, file: Path, network: WalkNetwork, described: Mapping[str, Mapping[str, str]]
) -> dict[str, str]:
    """Describe one input for the manifest."""
    known: dict[str, str] = dict.fromkeys(("date", "source", "licence", "attribution"), "")
    if role == "network":
        known |= {key: str(network.meta.get(key, "")) for key in known}
        known["date"] = str(network.meta.get("osm_date", ""))
    known |= {k: str(v) for k, v in described.get(file.name, {}).items() if k in known}
    return {"role": role, "file": file.name, "sha256": sha256_of(file), **known}


def _described(manifest: Path) -> dict[str, dict[str, str]]:
    """Return what the manifest of a sample or a snapshot says of each of its files."""
    if not manifest.exists():
        return {}
    try:
        files = json.loads(manifest.read_text(encoding="utf-8"))["files"]
        return {str(name): dict(about) for name, about in files.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        # It only describes; whatever else is called manifest.json here describes nothing.
        return {}


def _date(given: Any, path: Path) -> datetime.date | None:
    if isinstance(given, datetime.datetime):
        return given.date()
    if isinstance(given, datetime.date) or given == "":
        return given or None
    if date_of(given):
        return datetime.date.fromisoformat(date_of(given))
    msg = f"{path}, [analysis]: date is {given!r}."
    raise StudyFileError(msg, hint='Write it as "2026-01-31".')


def _existing(path: Path) -> Path:
    if path.exists():
        return path
    msg = f"{path}: there is no such file."
    raise InputFileError(msg, hint="Check the name and the folder it is relative to.")


def _read_settings(path: Path) -> dict[str, Any]:
    if not path.is_file():
        msg = f"{path}: there is no such study file."
        raise InputFileError(msg, hint="Run 'quart-heure init' to write one.")
    try:
        settings = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        msg = f"{path}: cannot be read as TOML ({error})."
        raise StudyFileError(msg, hint="Check quotes and brackets at that place.") from error
    _check_keys(settings, (*_KEYS, *_FREE), f"{path}")
    for table, keys in _KEYS.items():
        part = settings.get(table, {})
        if not isinstance(part, dict):
            msg = f"{path}: {table!r} is not a table."
            raise StudyFileError(msg, hint=f"Write [{table}] on a line of its own.")
        _check_keys(part, keys, f"{path}, [{table}]")
        for key, value in part.items():
            wanted = _KINDS.get(key, (str,))
            if not isinstance(value, wanted) or isinstance(value, bool):
                msg = f"{path}, [{table}]: {key} is {value!r}."
                names = {str: "text in quotes", list: "a list in brackets", int: "a number"}
                names[dict] = "pairs in braces"
                raise StudyFileError(msg, hint=f"It must be {names[wanted[0]]}.")
            _check_items(key, value, f"{path}, [{table}]")
    return settings


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
    if key == "counted_status":
        for status in value:
            if status not in STATUSES:
                near = difflib.get_close_matches(status, STATUSES, n=1)
                hint = f"Did you mean {near[0]!r}?" if near else f"Known: {', '.join(STATUSES)}."
                msg = f"{where}: there is no status {status!r}."
                raise StudyFileError(msg, hint=hint)


def _check_keys(found: Iterable[str], known: Sequence[str], where: str) -> None:
    for key in found:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            hint = f"Did you mean {near[0]!r}?" if near else f"Known: {', '.join(known)}."
            msg = f"{where}: there is no key {key!r}."
            raise StudyFileError(msg, hint=hint)


def _profile(name: str, own: Mapping[str, Mapping[str, Any]], path: Path) -> WalkProfile:
    if name not in own:
        if name not in PROFILES and own:
            known = ", ".join(dict.fromkeys([*PROFILES, *own]))
            msg = f"{path}: there is no walker {name!r}."
            raise StudyFileError(msg, hint=f"Choose one of {known}.")
        return get_profile(name)
    if not isinstance(own[name], Mapping):
        msg = f"{path}: the walker {name!r} is {own[name]!r}."
        raise StudyFileError(msg, hint=f"Write [profiles.{name}] and speed_kmh = 4 below.")
    fields = [f.name for f in dataclasses.fields(WalkProfile) if f.name != "name"]
    _check_keys(own[name], fields, f"{path}, [profiles.{name}]")
    if "speed_kmh" not in own[name]:
        msg = f"{path}: [profiles.{name}] has no speed_kmh."
        raise StudyFileError(msg, hint="Give its walking speed in km/h.")
    for key, value in own[name].items():
        flag = key == "steps_allowed"
        if isinstance(value, bool) != flag or not isinstance(value, int | float):
            msg = f"{path}, [profiles.{name}]: {key} is {value!r}."
            raise StudyFileError(msg, hint=f"It must be {'true or false' if flag else 'a number'}.")
    return WalkProfile(name=name, **own[name])
