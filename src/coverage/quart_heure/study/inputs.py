"""The inputs of a study: the files that its settings name, read and described."""

from __future__ import annotations

import dataclasses
import datetime
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from quart_heure.analysis.stored import stored_ground, stored_network
from quart_heure.analysis.stored_area import stored_area
from quart_heure.cache import Cache
from quart_heure.categories import (
    Category,
    check_categories,
    default_catalogue,
    extend_catalogue,
)
from quart_heure.errors import StudyFileError
from quart_heure.files import sha256_of
from quart_heure.network.files import holds_tiles, is_cut_to_place
from quart_heure.network.graph import WalkNetwork
from quart_heure.profiles import ADULT
from quart_heure.sources.areas.areas import StudyArea
from quart_heure.sources.background import Ground
from quart_heure.sources.given import check_given
from quart_heure.sources.heights import Heights, read_heights
from quart_heure.sources.hours.calendars import SCHOOL_ZONE_OF, SchoolHolidays, departements_of
from quart_heure.sources.projecting import transformer
from quart_heure.sources.residents.residents import Residents, ResidentZones
from quart_heure.sources.residents.weights import DistrictWeights, read_weights
from quart_heure.sources.sample import paris_dir
from quart_heure.sources.services.merging import merged_services
from quart_heure.sources.services.services import Services, read_services
from quart_heure.sources.services.settings import ServiceSource
from quart_heure.study.asked import StudyFields
from quart_heure.study.bounds import (
    CELL_M,
    ISOCHRONES_MIN,
    THRESHOLD_MIN,
    check_cells,
    check_some_cell,
    check_walks,
    longest_walk_m,
)
from quart_heure.study.settings import (
    AreaTable,
    HoursTable,
    MapTable,
    NetworkTable,
    ResidentsTable,
    ServicesTable,
    StudySettings,
    WeightsTable,
)

if TYPE_CHECKING:
    import geopandas as gpd

_STREETS_AROUND_M = 2000.0
"""Raw streets are taken at least this far around the area."""

_LEVELS = ("districts", "subdistricts")


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Inputs:
    """What the settings of a study name, in the CRS of its area; see `quart_heure.study.study`."""

    area: StudyArea
    services: Services
    network: WalkNetwork
    residents: Residents | ResidentZones | None
    weights: DistrictWeights | None
    heights: Heights | None
    catalogue: Mapping[str, Category]
    background_file: Path | None
    streets_file: Path | None
    ground: Ground | None
    school: SchoolHolidays | None
    provenance: tuple[Mapping[str, Any], ...]

    @property
    def usual_categories(self) -> tuple[str, ...]:
        """The categories to analyse where nobody names some: essential ones, and all that occur."""
        present = set(self.services.table["category"])
        # An essential category without any place is what such a study is there to show.
        return tuple(c for c in self.catalogue if c in present or self.catalogue[c].essential)


def paris_settings() -> StudySettings:
    """Return the settings of the packaged study of Paris."""
    return StudySettings(
        folder=paris_dir(),
        where="the packaged Paris",
        packaged=True,
        area=AreaTable(
            districts="districts.geojson", subdistricts="quarters.geojson", name="Paris"
        ),
        services=ServicesTable(files=("services.csv",)),
        network=NetworkTable(file="network.parquet"),
        residents=ResidentsTable(file="residents.parquet"),
        map=MapTable(background="background.parquet"),
        analysis={"categories": tuple(default_catalogue())},
    )


def read_inputs(
    settings: StudySettings, fields: StudyFields, cache: Cache, *, walks_m: float = 0.0
) -> Inputs:
    """Read the files that a study names.

    Parameters
    ----------
    settings
        The study as it is written down.
    fields
        What is asked of it: raw streets are taken as far as one walks.
    cache
        Keeps the area and the network for the next run.
    walks_m
        Length of another walk that streets are needed for.

    Raises
    ------
    InputFileError
        If a file is missing or unreadable.
    StudyFileError
        If something is asked that cannot be computed.
    """
    folder = settings.folder
    for file in settings.files():
        check_given(file)
    catalogue = extend_catalogue(settings.categories)
    check_categories(fields.get("categories", ()), catalogue)
    area = read_study_area(settings, cache)
    threshold_min = fields.get("threshold_min", THRESHOLD_MIN)
    isochrones_min = fields.get("isochrones_min", ISOCHRONES_MIN)
    # Before anything large is read: streets are looked for as far as one walks.
    check_walks(threshold_min, isochrones_min)
    check_cells(area, fields.get("cell_m", CELL_M))
    check_some_cell(area, fields.get("cell_m", CELL_M))
    sources, merge = _sources(settings.services, folder), settings.services.merge
    # Merging sees every source: it says more than that a place is told twice.
    services = read_services(sources, area, catalogue=catalogue, across_sources=not merge.on)
    if merge.on:
        services = merged_services(services, trust=merge.trust, within_m=merge.within_m)
    heights = settings.network.heights
    walk_m = longest_walk_m(
        fields.get("profile", ADULT),
        threshold_min=threshold_min,
        isochrones_min=isochrones_min,
        hilly=heights is not None,
    )
    file = folder / settings.network.file
    reach = _reach(area, max(_STREETS_AROUND_M, walk_m, walks_m))
    network = stored_network(file, cache, reach=reach, crs=area.crs)
    if settings.network.date:
        dated = {**network.meta, "osm_date": _day(settings.network.date, settings.where)}
        network = dataclasses.replace(network, meta=dated)
    if network.crs != area.crs:
        projected = network.edges().to_crs(area.crs).drop(columns="length_m")
        network = WalkNetwork.from_edges(projected, meta=network.meta)
    described = _described(folder / "manifest.json")
    background = None if settings.map.background is None else folder / settings.map.background
    return Inputs(
        area=area,
        services=services,
        network=network,
        heights=None if heights is None else read_heights(folder / heights, crs=area.crs),
        residents=_residents(settings.residents, folder, area),
        weights=_weights(settings.weights, folder, area),
        catalogue=catalogue,
        background_file=background,
        streets_file=file if is_cut_to_place(file) else None,
        ground=_ground(background, file, cache, area=area, reach=reach),
        school=_school(settings.hours, folder, area, settings.where),
        provenance=tuple(
            _described_input(role, folder / name, network, described)
            for role, name in input_roles(settings)
        ),
    )


def _ground(
    background: Path | None,
    streets: Path,
    cache: Cache,
    *,
    area: StudyArea,
    reach: shapely.Polygon,
) -> Ground | None:
    """Return water and barriers from the background, or else from raw streets; None without."""
    if background is not None:
        return stored_ground(background, cache, crs=area.crs)
    if is_cut_to_place(streets):
        return stored_ground(streets, cache, crs=area.crs, reach=reach)
    return None


def _school(hours: HoursTable, folder: Path, area: StudyArea, where: str) -> SchoolHolidays | None:
    """Read the school holidays of the zone that is named, or else of the area's départements."""
    if hours.school_holidays is None:
        return None
    zone = hours.zone
    if not zone:
        there = departements_of(area.districts["district_id"], None)
        zones = {SCHOOL_ZONE_OF.get(code, "") for code in there}
        if len(zones) != 1 or "" in zones:
            msg = f"{where}, [hours]: school_holidays is given, and districts do not tell the zone."
            hint = 'Give it: zone = "Zone C", or an académie.'
            raise StudyFileError(msg, hint=hint)
        zone = zones.pop()
    return SchoolHolidays.read(folder / hours.school_holidays, zone)


def _day(text: str, where: str) -> str:
    """Return a date as it was written; it is the day of the streets."""
    try:
        return datetime.date.fromisoformat(text).isoformat()
    except ValueError as error:
        msg = f"{where}, [network]: date is {text!r}."
        raise StudyFileError(msg, hint="Write it like 2026-01-31.") from error


def input_roles(settings: StudySettings) -> list[tuple[str, str]]:
    """List the files that figures are made from, each with what it is for, as manifests do."""
    area, network, people, weights = (
        *(settings.area, settings.network, settings.residents, settings.weights),
    )
    named = [("districts", area.districts), ("districts", area.subdistricts)]
    named += [("services", name) for name in settings.services.files]
    named += [("services", source.file) for source in settings.services.sources]
    named += [("network", network.file), ("heights", network.heights)]
    named.append(("hours", settings.hours.school_holidays))
    if people is not None:
        named += [("residents", people.file), ("residents", people.buildings)]
    if weights is not None:
        named.append(("weights", weights.file))
    return [(role, name) for role, name in named if name is not None]


def _sources(services: ServicesTable, folder: Path) -> tuple[ServiceSource, ...]:
    """Return the files of services: each falls back on the settings that all share."""
    shared = [
        ServiceSource(
            file=folder / name,
            part=services.layer or services.sheet,
            category=services.category,
            columns=services.columns,
            crs=services.crs,
            rules=services.rules,
        )
        for name in services.files
    ]
    own = [
        ServiceSource(
            file=folder / source.file,
            part=services.layer or services.sheet
            if source.layer is None and source.sheet is None
            else source.layer or source.sheet or "",
            category=services.category if source.category is None else source.category,
            columns=services.columns if source.columns is None else source.columns,
            crs=services.crs if source.crs is None else source.crs,
            rules=services.rules if source.rules is None else source.rules,
        )
        for source in services.sources
    ]
    return (*shared, *own)


def read_study_area(settings: StudySettings, cache: Cache) -> StudyArea:
    """Read the area of a study, at the level that is asked for."""
    table, folder, where = settings.area, settings.folder, settings.where
    finer, level = table.subdistricts, table.level
    if level not in _LEVELS or (level == "subdistricts" and finer is None):
        msg = f"{where}, [area]: level is {level!r}" + ("." if finer else ", without subdistricts.")
        raise StudyFileError(msg, hint=f"Levels are {', '.join(_LEVELS)}; name the file of each.")
    area = stored_area(
        folder / table.districts,
        cache,
        name=table.name,
        id_column=table.id_column,
        label_column=table.label_column,
        layer=table.layer,
        subdistricts_layer=table.subdistricts_layer,
        subdistricts=None if finer is None else folder / finer,
        mend=table.mend,
    )
    return area.by_subdistrict() if level == "subdistricts" else area


def _residents(
    table: ResidentsTable | None, folder: Path, area: StudyArea
) -> Residents | ResidentZones | None:
    if table is None:
        return None
    from quart_heure.sources.residents.files import read_people  # noqa: PLC0415 - most are squares

    return read_people(
        folder / table.file,
        area,
        column=table.column,
        layer=table.layer,
        method=table.method,
        buildings=None if table.buildings is None else folder / table.buildings,
        source=table.source,
    )


def read_places(streets: Path, area: StudyArea) -> gpd.GeoDataFrame:
    """Read the named places of an area from raw data or vector tiles of streets.

    Raises
    ------
    InputFileError
        If the file cannot be read.
    """
    polygon = _reach(area, 0.0)
    if holds_tiles(streets):
        from quart_heure.sources.tiles.places import read_tile_places  # noqa: PLC0415 - tiles only

        return read_tile_places(streets, polygon=polygon, crs=area.crs)
    from quart_heure.sources.osm.places import read_osm_places  # noqa: PLC0415 - raw data only

    return read_osm_places(streets, polygon=polygon, crs=area.crs)


def _weights(table: WeightsTable | None, folder: Path, area: StudyArea) -> DistrictWeights | None:
    if table is None:
        return None
    return read_weights(
        folder / table.file, area, fr=table.label_fr, en=table.label_en, source=table.source
    )


def _reach(area: StudyArea, around_m: float) -> shapely.Polygon:
    """Return, in degrees, where streets are taken from raw data: the area and what is around."""
    around = shapely.buffer(shapely.convex_hull(area.geometry), around_m)
    to_degrees = transformer(area.crs, 4326)
    moved = shapely.transform(
        shapely.segmentize(around, 1000.0),
        lambda xy: np.stack(to_degrees.transform(xy[:, 0], xy[:, 1]), axis=1),
    )
    return shapely.Polygon(moved.exterior)


def _described_input(
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
