"""Study files: a study written down as TOML, and the packaged study of Paris."""

from __future__ import annotations

import dataclasses
import datetime
import difflib
import json
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pyproj
import shapely

from quart_heure.analysis.audience import Person, combined_person, get_person
from quart_heure.analysis.moment import HOUR_KEYS, read_hours
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
from quart_heure.sources.merging import merged_services
from quart_heure.sources.residents import Residents, ResidentZones
from quart_heure.sources.sample import paris_dir
from quart_heure.sources.service_sources import ServiceSource, sources_from_settings
from quart_heure.sources.services import STATUSES, read_services
from quart_heure.sources.soliguide import SoliguideAccess, soliguide_access, with_soliguide
from quart_heure.sources.weights import DistrictWeights, read_weights
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
# subdistricts = "quarters.geojson"   # a finer division inside the districts
# level = "districts"             # "subdistricts": figures per subdistrict instead of per district
# mend = false                    # true: mend invalid polygons, and tell so

[services]
files = ["services.csv"]          # CSV, Excel, JSON of a portal, GeoJSON, GeoPackage …
# category = "bains_douches"      # where the files have no column "category"
# counted_status = ["open", "unknown"]
# soliguide = false               # true: Soliguide's places, live, with your own key; none is kept
# crs = "EPSG:4326"               # of columns x and y; "EPSG:2154" where they are metres
# columns = {}                    # where a heading is not found: { name = "Lieu", address = "Où" }
# rules = {}                      # categories by name: { esi = ["espace solidarité", "ESI"] }
# sources = []                    # or one table per file, each with settings of its own:
#   [[services.sources]]
#   file = "bains.xlsx"
#   category = "bains_douches"

# [services.merge]                # one place told by several sources becomes one service
# on = false
# trust = ["curated", "opendata", "osm"]   # words of "source", the most trusted first

[network]
file = "network.parquet"          # streets that can be walked, or raw data: city.osm.pbf,
                                  # or vector tiles: a folder z/x/y.pbf, or city.mbtiles
# heights = "heights.asc"         # of the ground, for slopes: .asc, .tif or .npz; level without

# [residents]
# file = "residents.parquet"      # squares, polygons, a table by district, GeoTIFF; without them
#                                 # figures are of area alone
# column = "residents"            # or P22_POP, ind, population … : usual names are found
# method = "buildings"            # inside a zone by the volume of these; without them by "area"
# buildings = "buildings.gpkg"    # footprints, with heights or levels where known
# source = "INSEE, 2022"

# [weights]
# file = "counted.csv"            # district_id, value: people counted in the street, for instance
# label_fr = "Personnes comptées dans la rue"
# label_en = "People counted in the street"
# source = "Nuit de la Solidarité 2024"

# [map]
# background = "background.parquet"   # water, parks … with a column "kind", drawn under maps

[analysis]
# date = ""                       # "2026-01-31", by default today: what is no more valid is closed
# categories = ["bains_douches", "bagagerie"]   # by default the essential ones and all that occur
# profile = "adult"               # adult 4.5 km/h, slow 3 km/h, step_free 3 km/h without stairs
# threshold_min = 15
# person = "woman_with_child"     # who looks for a service, or several: ["man", "with_dog"]; known:
#                                 # woman, woman_with_child, man, man_with_child, family, young,
#                                 # with_dog, without_referral, wheelchair
# isochrones_min = [5, 10, 15, 20]   # maps offer these
# cell_m = 25
# snap_m = 100
# min_gap_ha = 1
# at = ""                         # "2026-12-06 18:00": services closed then do not count
# on = ""                         # or a day, such as "dimanche" or "2026-12-06" …
# between = []                    # … and a part of it, such as ["18:00", "22:00"]
# stay_min = 15                   # minutes a service must stay open after one arrives
# week_of = ""                    # "2026-12-07": judge each hour of the week of that day
# country = "FR"                  # whose public holidays
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
    "area": (
        *("districts", "id_column", "label_column", "name"),
        *("subdistricts", "level", "mend"),
    ),
    "services": (
        *("files", "category", "counted_status", "columns", "crs", "rules", "sources"),
        *("merge", "soliguide"),
    ),
    "network": ("file", "heights"),
    "residents": ("file", "column", "method", "buildings", "source"),
    "weights": ("file", "label_fr", "label_en", "source"),
    "map": ("background",),
    "analysis": (
        *("categories", "profile", "threshold_min", "isochrones_min"),
        *("cell_m", "snap_m", "min_gap_ha", "person", "useful_share", "date"),
        *HOUR_KEYS,
    ),
}
_STREETS_AROUND_M = 2000.0
"""Raw streets are taken at least this far around the area."""

_LEVELS = ("districts", "subdistricts")

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
_MERGE_KINDS: dict[str, tuple[type, ...]] = {
    "on": (bool,),
    "trust": (list,),
    "within_m": (int, float),
}


def read_study(
    path: Path,
    *,
    cache: Cache | None = None,
    soliguide: SoliguideAccess | None = None,
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
    soliguide
        Adds Soliguide's places live; a study file may ask for it too, with the key that the
        environment holds.
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
    analysis["date"] = _date(analysis.get("date", ""), path) or today
    if background is not None:
        analysis["background_file"] = _existing(folder / background)
    analysis |= read_hours({key: analysis[key] for key in HOUR_KEYS if key in analysis})
    if settings["services"].get("soliguide") and soliguide is None:
        soliguide = soliguide_access()
    study = _assemble(
        area=_area(area, folder, path),
        districts_files=[folder / area[k] for k in ("districts", "subdistricts") if k in area],
        sources=sources_from_settings(settings["services"], folder, where=str(path)),
        network_file=folder / settings["network"]["file"],
        heights_file=None if heights is None else folder / heights,
        residents=_with_folder(settings.get("residents"), folder),
        weights=_with_folder(settings.get("weights"), folder),
        merge=settings["services"].get("merge", {}),
        own_categories=settings.get("categories", {}),
        cache=cache,
        fields=analysis,
        described=_described(folder / "manifest.json"),
    )
    return study if soliguide is None else _with_soliguide(study, soliguide)


def _with_soliguide(study: Study, access: SoliguideAccess) -> Study:
    services, about = with_soliguide(
        study.services,
        study.area,
        access=access,
        catalogue=study.catalogue,
        categories=study.categories,
        reach_m=study.margin_m,
    )
    return study.replace(services=services, provenance=(*study.provenance, about))


def paris_study(*, cache: Cache | None = None, **overrides: Any) -> Study:
    """Return the packaged study of Paris, all categories; fields may be overridden."""
    folder = paris_dir()
    if isinstance(overrides.get("profile"), str):
        overrides["profile"] = get_profile(overrides["profile"])
    overrides |= read_hours({key: overrides[key] for key in HOUR_KEYS if key in overrides})
    _set_person(overrides)
    districts = folder / "districts.geojson"
    return _assemble(
        area=read_area(districts, name="Paris"),
        districts_files=[districts],
        sources=(ServiceSource(file=folder / "services.csv"),),
        network_file=folder / "network.parquet",
        residents={"file": folder / "residents.parquet"},
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
    districts_files: Sequence[Path],
    sources: Sequence[ServiceSource],
    network_file: Path,
    residents: Mapping[str, Any],
    weights: Mapping[str, Any] = MappingProxyType({}),
    merge: Mapping[str, Any] = MappingProxyType({}),
    own_categories: Mapping[str, Mapping[str, Any]],
    cache: Cache | None,
    fields: Mapping[str, Any],
    described: Mapping[str, Mapping[str, str]] | None = None,
    heights_file: Path | None = None,
) -> Study:
    """Read the inputs and put them together."""
    catalogue = extend_catalogue(own_categories)
    # Merging sees every source: it says more than that a place is told twice.
    services = read_services(
        sources, area, catalogue=catalogue, across_files=not merge.get("on", False)
    )
    services = merged_services(services, merge)
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
    files = [("districts", file) for file in districts_files]
    files += [("services", one.file) for one in sources]
    files.append(("network", network_file))
    if heights_file is not None:
        settings["heights"] = read_heights(heights_file, crs=area.crs)
        files.append(("heights", heights_file))
    files += [("residents", residents[key]) for key in ("file", "buildings") if key in residents]
    files += [("weights", weights["file"])] if weights else []
    return Study(
        area=area,
        services=services,
        network=network,
        residents=_residents(residents, area),
        weights=_weights(weights, area),
        catalogue=catalogue,
        provenance=tuple(_input(role, file, network, described or {}) for role, file in files),
        **settings,
    )


def _area(settings: Mapping[str, Any], folder: Path, path: Path) -> StudyArea:
    """Read the area, at the level that is asked for."""
    finer, level = settings.get("subdistricts"), settings.get("level", _LEVELS[0])
    if level not in _LEVELS or (level == "subdistricts" and finer is None):
        msg = f"{path}, [area]: level is {level!r}" + ("." if finer else ", without subdistricts.")
        raise StudyFileError(msg, hint=f"Levels are {', '.join(_LEVELS)}; name the file of each.")
    area = read_area(
        folder / settings["districts"],
        name=settings.get("name", ""),
        id_column=settings.get("id_column"),
        label_column=settings.get("label_column"),
        subdistricts=None if finer is None else folder / finer,
        mend=settings.get("mend", False),
    )
    return area.by_subdistrict() if level == "subdistricts" else area


def _residents(settings: Mapping[str, Any], area: StudyArea) -> Residents | ResidentZones | None:
    if not settings:
        return None
    from quart_heure.sources.resident_files import read_people  # noqa: PLC0415 - most are squares

    options = {key: value for key, value in settings.items() if key != "file"}
    return read_people(settings["file"], area, **options)


def _weights(settings: Mapping[str, Any], area: StudyArea) -> DistrictWeights | None:
    if not settings:
        return None
    return read_weights(
        settings["file"],
        area,
        fr=settings.get("label_fr", ""),
        en=settings.get("label_en", ""),
        source=settings.get("source", ""),
    )


def _with_folder(settings: Mapping[str, Any] | None, folder: Path) -> dict[str, Any]:
    """Return a table of settings with its files in the folder of the study; {} without a file."""
    if settings is None or "file" not in settings:
        return {}
    files = {key: folder / settings[key] for key in ("file", "buildings") if key in settings}
    return {**settings, **files}


def _reach(area: StudyArea, fields: Mapping[str, Any], *, hilly: bool) -> shapely.Polygon:
    """Return, in degrees, where streets are taken from raw data: the area and the longest walk."""
    profile = fields.get("profile", ADULT)
    isochrones_min = fields.get("isochrones_min", Study.isochrones_min)
    longest_min = max(1.1 * fields.get("threshold_min", 15.0), *isochrones_min, 0)
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
        lacks = network.meta.get("lacks")
        if lacks:
            known["lacks"] = "; ".join(lacks)
    told = (*known, "source_fr", "licence_fr")
    known |= {k: str(v) for k, v in described.get(file.name, {}).items() if k in told}
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
            _check_value(key, value, f"{path}, [{table}]")
    merge = settings.get("services", {}).get("merge", {})
    _check_keys(merge, tuple(_MERGE_KINDS), f"{path}, [services.merge]")
    for key, value in merge.items():
        _check_value(key, value, f"{path}, [services.merge]", kinds=_MERGE_KINDS)
    return settings


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
