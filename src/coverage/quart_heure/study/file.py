"""Study files: from what is written down to a study, and the packaged study of Paris."""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import pyproj
import shapely

from quart_heure.analysis.audience import Person, combined_person, get_person
from quart_heure.analysis.moment import HOUR_KEYS, read_hours
from quart_heure.analysis.stored import stored_ground, stored_network, tells_ground
from quart_heure.analysis.stored_area import stored_area
from quart_heure.cache import Cache
from quart_heure.categories import default_catalogue, extend_catalogue
from quart_heure.errors import StudyFileError
from quart_heure.files import sha256_of
from quart_heure.network.graph import WalkNetwork
from quart_heure.profiles import ADULT, STEP_FREE, get_profile
from quart_heure.sources.areas.areas import StudyArea
from quart_heure.sources.heights import read_heights
from quart_heure.sources.residents.residents import Residents, ResidentZones
from quart_heure.sources.residents.weights import DistrictWeights, read_weights
from quart_heure.sources.sample import paris_dir
from quart_heure.sources.services.merging import merged_services
from quart_heure.sources.services.services import read_services
from quart_heure.sources.services.settings import ServiceSource, sources_from_settings
from quart_heure.study.bounds import check_cells, check_walks
from quart_heure.study.settings import (
    find_walker,
    read_persons,
    read_settings,
    read_validity_day,
    read_walkers,
)
from quart_heure.study.study import Study, longest_walk_m

if TYPE_CHECKING:
    from quart_heure.sources.online.soliguide import SoliguideAccess

__all__ = ["read_study"]

_STREETS_AROUND_M = 2000.0
"""Raw streets are taken at least this far around the area."""

_LEVELS = ("districts", "subdistricts")


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
        to it. See `quart_heure.study.settings.template`.
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
    settings = read_settings(path)
    folder, area = path.parent, settings["area"]
    background = settings.get("map", {}).get("background")
    heights = settings["network"].get("heights")
    analysis = {**settings.get("analysis", {}), **overrides}
    walkers = read_walkers(settings.get("profiles", {}), path)
    if isinstance(analysis.get("profile"), str):
        analysis["profile"] = find_walker(analysis["profile"], walkers, path)
    _set_person(analysis, read_persons(settings.get("persons", {}), path))
    if "isochrones_min" in analysis:
        analysis["isochrones_min"] = tuple(analysis["isochrones_min"])
    if "counted_status" in settings["services"]:
        analysis.setdefault("counted_status", tuple(settings["services"]["counted_status"]))
    analysis["date"] = read_validity_day(analysis.get("date", ""), path) or today
    if background is not None:
        analysis["background_file"] = folder / background
    analysis |= read_hours({key: analysis[key] for key in HOUR_KEYS if key in analysis})
    if settings["services"].get("soliguide") and soliguide is None:
        from quart_heure.sources.online.soliguide import soliguide_access  # noqa: PLC0415 - online only

        soliguide = soliguide_access()
    study = _assemble(
        area=_area(area, folder, path, cache or Cache(None)),
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
    # What is wrong with it is told now, not once all is computed and the map is drawn.
    study.background()
    return study if soliguide is None else _with_soliguide(study, soliguide)


def _with_soliguide(study: Study, access: SoliguideAccess) -> Study:
    from quart_heure.sources.online.soliguide import with_soliguide  # noqa: PLC0415 - online only

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
        area=stored_area(districts, cache or Cache(None), name="Paris"),
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
    # Before anything large is read: streets are looked for as far as one walks.
    check_walks(
        fields.get("threshold_min", Study.threshold_min),
        fields.get("isochrones_min", Study.isochrones_min),
    )
    check_cells(area, fields.get("cell_m", Study.cell_m))
    catalogue = extend_catalogue(own_categories)
    # Merging sees every source: it says more than that a place is told twice.
    services = read_services(
        sources, area, catalogue=catalogue, across_sources=not merge.get("on", False)
    )
    services = merged_services(services, merge)
    reach = _reach(area, fields, hilly=heights_file is not None)
    network = stored_network(network_file, cache or Cache(None), reach=reach, crs=area.crs)
    if network.crs != area.crs:
        projected = network.edges().to_crs(area.crs).drop(columns="length_m")
        network = WalkNetwork.from_edges(projected, meta=network.meta)
    settings = dict(fields)
    if settings.get("background_file") is not None and "ground" not in settings:
        file = settings["background_file"]
        settings["ground"] = stored_ground(file, cache or Cache(None), crs=area.crs)
    elif tells_ground(network_file) and "ground" not in settings:
        settings["ground"] = stored_ground(
            network_file, cache or Cache(None), crs=area.crs, reach=reach
        )
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


def _area(settings: Mapping[str, Any], folder: Path, path: Path, cache: Cache) -> StudyArea:
    """Read the area, at the level that is asked for."""
    finer, level = settings.get("subdistricts"), settings.get("level", _LEVELS[0])
    if level not in _LEVELS or (level == "subdistricts" and finer is None):
        msg = f"{path}, [area]: level is {level!r}" + ("." if finer else ", without subdistricts.")
        raise StudyFileError(msg, hint=f"Levels are {', '.join(_LEVELS)}; name the file of each.")
    area = stored_area(
        folder / settings["districts"],
        cache,
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
    from quart_heure.sources.residents.files import read_people  # noqa: PLC0415 - most are squares

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
    """Return a table of settings with its files in the folder of the study; {} without a table."""
    if settings is None:
        return {}
    files = {key: folder / settings[key] for key in ("file", "buildings") if key in settings}
    return {**settings, **files}


def _reach(area: StudyArea, fields: Mapping[str, Any], *, hilly: bool) -> shapely.Polygon:
    """Return, in degrees, where streets are taken from raw data: the area and the longest walk."""
    walk_m = longest_walk_m(
        fields.get("profile", ADULT),
        threshold_min=fields.get("threshold_min", Study.threshold_min),
        isochrones_min=fields.get("isochrones_min", Study.isochrones_min),
        hilly=hilly,
    )
    around_m = max(_STREETS_AROUND_M, walk_m)
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


def _set_person(fields: dict[str, Any], own: Sequence[Person] = ()) -> None:
    """Put a person in the place of its names; who cannot take steps walks without them."""
    asked = fields.get("person")
    if asked is not None and not isinstance(asked, Person):
        names = [asked] if isinstance(asked, str) else list(asked)
        persons = [get_person(name, own) for name in names]
        fields["person"] = combined_person(persons) if persons else None
    if fields.get("person") and fields["person"].wheelchair:
        fields.setdefault("profile", STEP_FREE)
