"""Study files: a study written down as TOML, and the packaged study of Paris."""

from __future__ import annotations

import dataclasses
import difflib
import json
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyproj
import shapely

from quart_heure.analysis.audience import Person, combined_person, get_person
from quart_heure.analysis.stored import stored_network
from quart_heure.cache import Cache
from quart_heure.categories import default_catalogue, extend_catalogue
from quart_heure.errors import InputFileError, StudyFileError
from quart_heure.files import sha256_of
from quart_heure.network.graph import WalkNetwork
from quart_heure.network.slopes import LEAST_EFFORT
from quart_heure.profiles import ADULT, PROFILES, STEP_FREE, WalkProfile, get_profile
from quart_heure.sources.areas import StudyArea, read_area
from quart_heure.sources.heights import read_heights
from quart_heure.sources.residents import read_residents
from quart_heure.sources.sample import paris_dir
from quart_heure.sources.services import STATUSES, read_services
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
files = ["services.csv"]          # CSV with longitude and latitude, or GeoJSON, GeoPackage …
# category = "bains_douches"      # where the files have no column "category"
# counted_status = ["open", "unknown"]

[network]
file = "network.parquet"          # streets that can be walked, or raw data: city.osm.pbf
# heights = "heights.asc"         # of the ground, for slopes: .asc, .tif or .npz; level without

# [residents]
# file = "residents.parquet"      # squares with people; without them figures are of area alone

# [map]
# background = "background.parquet"   # water, parks … with a column "kind", drawn under maps

[analysis]
# categories = ["bains_douches", "bagagerie"]   # by default the essential ones and all that occur
# profile = "adult"               # adult 4.5 km/h, slow 3 km/h, step_free 3 km/h without stairs
# threshold_min = 15
# person = "woman_with_child"     # who looks for a service, or several: ["man", "with_dog"]; known:
#                                 # woman, woman_with_child, man, man_with_child, family, young,
#                                 # with_dog, without_referral, wheelchair
# isochrones_min = [5, 10, 15]
# cell_m = 25
# snap_m = 100
# min_gap_ha = 1
# useful_share = 0.01             # nothing attaches to smaller parts of the network

# [profiles.with_a_dog]           # a walker of your own, for profile = "with_a_dog"
# speed_kmh = 4.0
# steps_factor = 1.5
# steps_allowed = true

# [persons.young_woman_with_a_dog]   # a person of your own
# sex = "woman"                   # or "man"
# young = true
# with_child = false
# with_dog = true
# without_referral = false
# wheelchair = false

# [categories.laverie]            # a category of your own
# fr = "Laveries solidaires"
# en = "Solidarity laundries"
# colour = "#117733"
# essential = false
"""

_KEYS: dict[str, tuple[str, ...]] = {
    "area": ("districts", "id_column", "label_column", "name"),
    "services": ("files", "category", "counted_status"),
    "network": ("file", "heights"),
    "residents": ("file",),
    "map": ("background",),
    "analysis": (
        *("categories", "profile", "threshold_min", "isochrones_min"),
        *("cell_m", "snap_m", "min_gap_ha", "person", "useful_share"),
    ),
}
_STREETS_AROUND_M = 2000.0
"""Raw streets are taken at least this far around the area."""

_FREE = ("profiles", "persons", "categories")
_KINDS: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(("threshold_min", "cell_m", "snap_m", "min_gap_ha"), (int, float)),
    "useful_share": (int, float),
    "person": (str, list),
    **dict.fromkeys(("files", "counted_status", "categories", "isochrones_min"), (list,)),
}


def read_study(path: Path, *, cache: Cache | None = None, **overrides: Any) -> Study:
    """Read a study from a TOML file.

    Parameters
    ----------
    path
        The study file, or the folder of a snapshot that holds one; the paths in it are relative
        to it. See `TEMPLATE`.
    cache
        Keeps the network for the next run.
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
        if key not in settings.get(table, {}):
            msg = f"{path}: there is no {key!r} in [{table}]."
            raise StudyFileError(msg, hint="Run 'quart-heure init' for a commented example.")
    folder, area = path.parent, settings["area"]
    residents = settings.get("residents", {}).get("file")
    background = settings.get("map", {}).get("background")
    heights = settings["network"].get("heights")
    analysis = {**settings.get("analysis", {}), **overrides}
    if isinstance(analysis.get("profile"), str):
        analysis["profile"] = _profile(analysis["profile"], settings.get("profiles", {}), path)
    _set_person(analysis, _own_persons(settings.get("persons", {}), path))
    if "isochrones_min" in analysis:
        analysis["isochrones_min"] = tuple(analysis["isochrones_min"])
    if "counted_status" in settings["services"]:
        analysis.setdefault("counted_status", tuple(settings["services"]["counted_status"]))
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
        service_files=[folder / name for name in settings["services"]["files"]],
        service_category=settings["services"].get("category"),
        network_file=folder / settings["network"]["file"],
        heights_file=None if heights is None else folder / heights,
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
    _set_person(overrides)
    districts = folder / "districts.geojson"
    return _assemble(
        area=read_area(districts, name="Paris"),
        districts_file=districts,
        service_files=[folder / "services.csv"],
        service_category=None,
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
    service_files: Sequence[Path],
    service_category: str | None,
    network_file: Path,
    residents_file: Path | None,
    own_categories: Mapping[str, Mapping[str, Any]],
    cache: Cache | None,
    fields: Mapping[str, Any],
    described: Mapping[str, Mapping[str, str]] | None = None,
    heights_file: Path | None = None,
) -> Study:
    """Read the inputs and put them together."""
    catalogue = extend_catalogue(own_categories)
    services = read_services(service_files, area, catalogue=catalogue, category=service_category)
    network = stored_network(
        network_file,
        cache or Cache(None),
        reach=_reach(area, fields, hilly=heights_file is not None),
        crs=area.crs,
    )
    if network.crs != area.crs:
        projected = network.edges().to_crs(area.crs).drop(columns="length_m")
        network = WalkNetwork.from_edges(projected, meta=network.meta)
    settings = dict(fields)
    present = set(services.table["category"])
    # An essential category without any place is what such a study is there to show.
    usual = tuple(c for c in catalogue if c in present or catalogue[c].essential)
    settings["categories"] = tuple(settings.get("categories", usual))
    files = [("districts", districts_file), *(("services", file) for file in service_files)]
    files.append(("network", network_file))
    if heights_file is not None:
        settings["heights"] = read_heights(heights_file, crs=area.crs)
        files.append(("heights", heights_file))
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


def _reach(area: StudyArea, fields: Mapping[str, Any], *, hilly: bool) -> shapely.Polygon:
    """Return, in degrees, where streets are taken from raw data: the area and the longest walk."""
    profile = fields.get("profile", ADULT)
    longest_min = max(1.1 * fields.get("threshold_min", 15.0), *fields.get("isochrones_min", ()), 0)
    easiest = LEAST_EFFORT if hilly else 1.0
    around_m = max(_STREETS_AROUND_M, profile.speed_m_per_min * longest_min / easiest)
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
                raise StudyFileError(msg, hint=f"It must be {names[wanted[0]]}.")
            _check_items(key, value, f"{path}, [{table}]")
    return settings


def _check_items(key: str, value: Any, where: str) -> None:
    """Check what stands in a list: numbers of minutes, or words."""
    if not isinstance(value, list):
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


def _set_person(fields: dict[str, Any], own: Sequence[Person] = ()) -> None:
    """Put a person in the place of its names; who cannot take steps walks without them."""
    asked = fields.get("person")
    if asked is not None and not isinstance(asked, Person):
        names = [asked] if isinstance(asked, str) else list(asked)
        persons = [get_person(name, own) for name in names]
        fields["person"] = combined_person(persons) if persons else None
    if fields.get("person") and fields["person"].wheelchair:
        fields.setdefault("profile", STEP_FREE)


def _own_persons(tables: Mapping[str, Mapping[str, Any]], path: Path) -> list[Person]:
    known = [f.name for f in dataclasses.fields(Person) if f.name != "name"]
    persons = []
    for name, about in tables.items():
        if not isinstance(about, Mapping):
            msg = f"{path}: the person {name!r} is {about!r}."
            raise StudyFileError(msg, hint=f"Write [persons.{name}] and with_dog = true below.")
        _check_keys(about, known, f"{path}, [persons.{name}]")
        for key, value in about.items():
            if not isinstance(value, str if key == "sex" else bool):
                msg = f"{path}, [persons.{name}]: {key} is {value!r}."
                words = '"woman" or "man"' if key == "sex" else "true or false"
                raise StudyFileError(msg, hint=f"It must be {words}.")
        persons.append(Person(name=name, **about))
    return persons


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
