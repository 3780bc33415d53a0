"""The whole line on one page: what to analyse, and the analysis.

    areas → services → network → travel times → surface → isochrones, gaps, indicators

Notebooks and the command line call the same `analyse`; nothing else knows the line.
"""

from __future__ import annotations

import dataclasses
import datetime
import functools
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyproj
import shapely
from numpy.typing import NDArray

from quart_heure.analysis.answers import (
    COMPOSITES,
    Answer,
    answer,
    cell_table,
    composite_answers,
    within_count,
)
from quart_heure.analysis.audience import (
    NO,
    PERHAPS,
    Person,
    admission,
    combine_states,
    filter_table,
)
from quart_heure.analysis.basis import Basis
from quart_heure.analysis.capacity import capacity_table
from quart_heure.analysis.fragility import dependence_table, fragility_table
from quart_heure.analysis.gaps import (
    BARRIER_SHARE,
    GAP_COLUMNS,
    GAP_PART_COLUMNS,
    HOUR_COLUMNS,
    Layer,
    crow_reach,
    find_gaps,
)
from quart_heure.analysis.hour_tables import with_ranges
from quart_heure.analysis.hours import ByHour, CellHours, Clock, closed_out, newest_source
from quart_heure.analysis.indicators import (
    BORDERLINE,
    STATUSES,
    composite_table,
    indicator_table,
)
from quart_heure.analysis.isochrones import contour_polygons
from quart_heure.analysis.moment import (
    LONGEST_STAY_MIN,
    YEARS,
    Moment,
    local_time,
    moment_of,
)
from quart_heure.analysis.placement import place_services, placement_problems, short_streets
from quart_heure.analysis.stored import stored_cells, stored_residents, stored_search_graph
from quart_heure.analysis.surface import Cells, minutes_grid
from quart_heure.analysis.week import Week, hours_of_week, week_of
from quart_heure.analysis.weighting import with_second_weight
from quart_heure.cache import Cache
from quart_heure.categories import Category, check_categories
from quart_heure.errors import CrsError, NetworkError, StudyFileError
from quart_heure.manifest import build_manifest
from quart_heure.network.components import USEFUL_SHARE, useful_edges
from quart_heure.network.graph import WalkNetwork
from quart_heure.network.reach import Reach, reach_of_services
from quart_heure.network.slopes import LEAST_EFFORT
from quart_heure.network.snapping import SNAP_M, Attachment
from quart_heure.network.travel_time import SearchGraph
from quart_heure.profiles import ADULT, WalkProfile
from quart_heure.sources.areas import StudyArea, read_layer
from quart_heure.sources.heights import Heights
from quart_heure.sources.opening_hours import STAY_MIN, is_country
from quart_heure.sources.residents import Residents, ResidentZones
from quart_heure.sources.services import Services, problem_table
from quart_heure.sources.weights import DistrictWeights

if TYPE_CHECKING:
    import geopandas as gpd

__all__ = ["Coverage", "Study", "analyse"]


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Study:
    """What to analyse.

    Parameters
    ----------
    area, services, network, residents
        The inputs, in one metric CRS. Without residents, figures are of area alone.
    catalogue
        Known categories.
    categories
        Those to analyse, in order of presentation.
    profile
        The walker.
    person
        Who looks for a service: those that do not admit this person do not count. Nobody in
        particular by default.
    heights
        Of the ground, for slopes; all streets are level by default.
    threshold_min
        Minutes within which a place is covered.
    isochrones_min
        Minutes at which isochrones are drawn; the threshold is always one of them.
    cell_m
        Side of the cells in metres.
    snap_m
        Places further than this from every useful edge are off the network.
    min_gap_ha
        Smaller uncovered zones are no gaps.
    counted_status
        Services of these statuses count.
    weights
        A second weight per district, such as people counted in the street.
    useful_share
        Parts of the network with fewer of its nodes are attached to by nothing.
    date
        The day on which services must be valid; without one, their validity is not judged.
    background_file
        Water, parks and the like to draw under maps; no figure depends on it.
    at
        Moment at which one arrives, by the local clock: services closed then do not count. Without
        it, and without ``on``, hours play no part.
    on, between
        Day (a date, or a day of the reference week, Monday being 0) and window of it, by default
        all of it, within which one may come at any time.
    stay_min
        Minutes for which a service must stay open after one arrives.
    week
        Whether each hour of the reference week is judged too.
    week_of
        A day of the reference week; by default the newest day of a source of the services, else
        ``date``.
    country
        ISO code, for its public holidays.
    provenance
        The inputs as the manifest lists them: role, file, sha256, date, source, licence.

    Raises
    ------
    StudyFileError
        If a number is not positive or finite.
    CrsError
        If the inputs are not in the CRS of the area.
    CategoryError
        If a category is not in the catalogue.
    """

    area: StudyArea
    services: Services
    network: WalkNetwork
    catalogue: Mapping[str, Category]
    categories: tuple[str, ...]
    residents: Residents | ResidentZones | None = None
    profile: WalkProfile = ADULT
    person: Person | None = None
    heights: Heights | None = None
    threshold_min: float = 15.0
    isochrones_min: tuple[float, ...] = (5.0, 10.0, 15.0, 20.0)
    cell_m: float = 25.0
    snap_m: float = SNAP_M
    min_gap_ha: float = 1.0
    counted_status: tuple[str, ...] = ("open", "unknown")
    weights: DistrictWeights | None = None
    useful_share: float = USEFUL_SHARE
    date: datetime.date | None = None
    background_file: Path | None = None
    at: datetime.datetime | None = None
    on: datetime.date | int | None = None
    between: tuple[datetime.time, datetime.time] | None = None
    stay_min: float = STAY_MIN
    week: bool = False
    week_of: datetime.date | None = None
    country: str = "FR"
    provenance: tuple[Mapping[str, Any], ...] = ()

    def __post_init__(self) -> None:
        """Refuse what cannot be analysed."""
        if not check_categories(self.categories, self.catalogue):
            msg = "The study has no category to analyse."
            raise StudyFileError(msg, hint=f"Known categories: {', '.join(self.catalogue)}.")
        numbers = {"threshold_min": self.threshold_min, "cell_m": self.cell_m}
        numbers |= {"snap_m": self.snap_m, "min_gap_ha": self.min_gap_ha}
        numbers |= {f"isochrones_min {m:g}": m for m in self.isochrones_min}
        for name, number in numbers.items():
            if not (math.isfinite(number) and number > 0):
                msg = f"{name} is {number}, which is not a positive number."
                raise StudyFileError(msg, hint="Minutes, metres and hectares are above zero.")
        self._check_hours()
        if not 0 <= self.useful_share <= 1:
            msg = f"useful_share is {self.useful_share}, which is not a share."
            raise StudyFileError(msg, hint="Give a number between 0 and 1, such as 0.01.")
        layers = {"network": self.network.crs, "services": self.services.table.crs}
        if self.residents is not None:
            layers["residents"] = self.residents.crs
        for name, crs in layers.items():
            if crs != self.area.crs:
                msg = f"The {name} are in {crs}, the area in {self.area.crs.to_string()}."
                raise CrsError(msg, hint="Reproject them to the CRS of the area.")

    def _check_hours(self) -> None:
        if not 0 <= self.stay_min <= LONGEST_STAY_MIN:
            msg = f"stay_min is {self.stay_min}, which is not a number of minutes of a day."
            raise StudyFileError(msg, hint="A stay is 0 minutes or more.")
        for name, day in (("at", self.at), ("on", self.on), ("week_of", self.week_of)):
            if isinstance(day, datetime.date) and day.year not in YEARS:
                msg = f"{name} is of the year {day.year}."
                raise StudyFileError(msg, hint=f"Years are {YEARS[0]} to {YEARS[-1]}.")
        if not is_country(self.country):
            msg = f"country is {self.country!r}, whose holidays are not known."
            raise StudyFileError(msg, hint="Give its ISO code, such as FR.")
        if self.at is not None and (self.on is not None or self.between is not None):
            msg = "A study asks about a moment (at) or about a day (on), not about both."
            raise StudyFileError(msg, hint="Leave one of them out.")
        if self.between is not None and self.on is None:
            msg = "between gives the hours of no day."
            raise StudyFileError(msg, hint="Give the day as on: a date, or a day of the week.")
        _ = self.moment, self.week and self.reference_day

    @classmethod
    def paris(cls, *, cache: Cache | None = None, **overrides: Any) -> Study:
        """Return the packaged study of Paris; any field may be overridden."""
        from quart_heure.study_file import paris_study  # noqa: PLC0415 - it imports this module

        return paris_study(cache=cache, **overrides)

    def background(self) -> gpd.GeoDataFrame | None:
        """Read what maps draw under the figures, in the CRS of the area; None without a file."""
        if self.background_file is None:
            return None
        return read_layer(self.background_file).to_crs(self.area.crs)

    def replace(self, **changes: Any) -> Study:
        """Return the same study with some fields changed."""
        return dataclasses.replace(self, **changes)

    @property
    def problems(self) -> pd.DataFrame:
        """What is wrong with the inputs, as far as they themselves show it."""
        rows = [*self.area.problems]
        rows += getattr(self.residents, "problems", ())
        rows += () if self.weights is None else self.weights.problems
        tables = [problem_table(rows), self.services.problems]
        return pd.concat([table for table in tables if len(table)] or tables, ignore_index=True)

    @property
    def reach_m(self) -> float:
        """Metres walked within the threshold."""
        return self.profile.speed_m_per_min * self.threshold_min

    @property
    def margin_m(self) -> float:
        """Metres around the area from which a service may count: the longest walk judged.

        The threshold, for a walker as fast as the borderline allows, or the longest isochrone;
        where there are slopes, all of it on the easiest one.
        """
        longest_min = max(self.threshold_min * (1 + BORDERLINE), *self.isochrones_min, 0.0)
        easiest = 1.0 if self.heights is None else LEAST_EFFORT
        return self.profile.speed_m_per_min * longest_min / easiest

    @property
    def reference_day(self) -> datetime.date:
        """A day of the week that days of the week are taken from."""
        day = self.week_of or newest_source(self.services.table) or self.date
        if day is None:
            msg = "There is no week to take the day from: no source of the services has a date."
            raise StudyFileError(msg, hint="Give a day of it as week_of, such as 2026-12-07.")
        return day

    @property
    def tells_hours(self) -> bool:
        """Whether a service that could count states hours that may be told."""
        table = self.services.table
        if "opening_hours" not in table:
            return False
        counts = table["category"].isin(self.categories)
        counts &= table["status"].isin(self.counted_status) & ~table["discreet"].astype(bool)
        return bool((table.loc[counts, "opening_hours"] != "").any())

    @property
    def moment(self) -> Moment | None:
        """The moment or window that the study asks about, None if hours play no part."""
        if self.at is not None:
            return Moment(local_time(self.at))
        if self.on is None:
            return None
        day = self.on
        if not isinstance(day, datetime.date):
            monday = self.reference_day - datetime.timedelta(days=self.reference_day.weekday())
            day = monday + datetime.timedelta(days=day)
        return moment_of(day, self.between, stay_min=self.stay_min)

    @property
    def essentials(self) -> tuple[str, ...]:
        """The categories of the study that are essential."""
        return tuple(c for c in self.categories if self.catalogue[c].essential)


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Coverage:
    """What an analysis found. See the data dictionary for the columns of each table.

    Parameters
    ----------
    study
        What was analysed.
    cells
        One row per cell of the area.
    services
        All services, whether they count and why not, and where they meet the network.
    isochrones
        One MultiPolygon per category and threshold, cut to the area.
    gaps
        One row per gap of a category or a composite.
    gap_parts
        What each district has of each gap.
    indicators
        One row per district and category, and per category for the whole area.
    composite
        Area and residents by number of essential categories within reach.
    problems
        Rows of the inputs that were refused or doubted.
    manifest
        Inputs, parameters, counts, definitions.
    filters
        Services kept and left out by each filter of the person; empty for nobody in particular.
    basis
        What the tables below are computed from when they are asked for.
    week
        Coverage in each hour of a week, None if the study does not ask for it.
    """

    study: Study
    cells: pd.DataFrame
    services: gpd.GeoDataFrame
    isochrones: gpd.GeoDataFrame
    gaps: gpd.GeoDataFrame
    gap_parts: pd.DataFrame
    indicators: pd.DataFrame
    composite: pd.DataFrame
    problems: pd.DataFrame
    manifest: Mapping[str, Any]
    filters: pd.DataFrame
    basis: Basis = dataclasses.field(repr=False)
    week: Week | None = None

    @functools.cached_property
    def fragility(self) -> pd.DataFrame:
        """Area and residents with one single service within the threshold, per district."""
        return fragility_table(self.basis, hide_discreet=self.published)

    @functools.cached_property
    def dependence(self) -> pd.DataFrame:
        """What each service covers, and what would be covered no more if it closed."""
        return dependence_table(self.basis, hide_discreet=self.published)

    @functools.cached_property
    def capacity(self) -> pd.DataFrame:
        """Capacities per 1,000 residents, per category, unit and district."""
        return capacity_table(self.basis, hide_discreet=self.published)

    @property
    def published(self) -> bool:
        """Whether discreet places were taken out (see `quart_heure.outputs.discretion`)."""
        return "withheld" in self.manifest

    @property
    def city(self) -> pd.DataFrame:
        """The rows of the indicators for the whole area."""
        return self.indicators[self.indicators["level"] == "city"].reset_index(drop=True)


def analyse(
    study: Study,
    *,
    cache: Cache | None = None,
    progress: Callable[[str], None] | None = None,
) -> Coverage:
    """Measure who can reach the services of a study on foot.

    Parameters
    ----------
    study
        What to analyse.
    cache
        Keeps what does not depend on the services for the next run; nothing is kept by default.
    progress
        Called with the name of each step as it begins.

    Raises
    ------
    NetworkError
        If no cell of the area meets the network.
    """
    cache = cache or Cache(None)
    say = progress or (lambda _: None)
    say("network")
    usable = useful_edges(study.network, study.profile, share=study.useful_share)
    graph = stored_search_graph(study.network, study.profile, cache, heights=study.heights)
    say("cells")
    cells = stored_cells(
        study.area,
        study.network,
        usable=usable,
        cell_m=study.cell_m,
        snap_m=study.snap_m,
        cache=cache,
    )
    _check_overlap(study, cells)
    people, outside = None, 0.0
    doubts: list[dict[str, Any]] = []
    if study.residents is not None:
        settled = stored_residents(cells, study.residents, study.area, cache)
        people, outside = settled.people, settled.outside
        doubts += settled.problems()
    say("services")
    services, attachment = place_services(
        study.services.table,
        study.area,
        study.network,
        usable=usable,
        snap_m=study.snap_m,
        margin_m=study.margin_m,
        categories=study.categories,
        counted_status=study.counted_status,
        cache=cache,
        on=study.date,
    )
    filters, admitted = _admit(services, study.person)
    would = services["counted"].to_numpy(dtype=bool)
    hours = _certainty(study, services, admitted)
    if study.moment is not None and hours is not None:
        services = closed_out(services, hours)
    say("travel times")
    sure = would if hours is None else hours.sure
    answers = _answers(study, cells, graph, services, attachment, would=would, sure=sure)
    within = within_count(cells, [answers[category] for category in study.essentials])
    composites = composite_answers(
        cells, [answers[c] for c in study.essentials], threshold_min=study.threshold_min
    )
    reach, by_hour = None, None
    if hours is not None or study.week:
        reach = reach_of_services(
            graph, attachment, cells.attachment, limit_min=study.threshold_min
        )
    if hours is not None and reach is not None:
        by_hour = hours.of_cells(
            services["category"].to_numpy(dtype=object),
            {name: one.covered for name, one in (answers | composites).items()},
            essentials=study.essentials,
            reach=reach,
            threshold_min=study.threshold_min,
        )
    say("isochrones")
    isochrones = _isochrones(study, cells, answers)
    say("gaps")
    gaps, gap_parts = _gaps(study, cells, people, services, answers | composites, by_hour)
    say("indicators")
    indicators = _indicators(study, cells, people, services, answers | composites, gaps, gap_parts)
    composite = composite_table(
        cells=cells,
        essentials_within=within,
        n_essentials=len(study.essentials),
        residents=people,
        **_district_names(study),
    )
    cell_rows = cell_table(
        cells,
        answers,
        people=people,
        within=within,
        district_ids=list(study.area.districts["district_id"]),
        service_ids=list(services["service_id"]),
    )
    if by_hour is not None:
        indicators, composite, cell_rows = with_ranges(
            indicators,
            composite,
            cell_rows,
            hours=by_hour,
            answers=answers | composites,
            within=within,
            essentials=study.essentials,
            cells=cells,
            residents=people,
            **_district_names(study),
        )
    week = None
    if study.week and reach is not None:
        say("week")
        week = _week(study, cells, people, services, would, admitted, reach)
    doubts += placement_problems(services, snap_m=study.snap_m, margin_m=study.margin_m)
    doubts += short_streets(study.network, study.area, margin_m=study.margin_m)
    problems = pd.concat([study.problems, problem_table(doubts)], ignore_index=True)
    return Coverage(
        study=study,
        cells=cell_rows,
        services=services,
        isochrones=isochrones,
        gaps=gaps,
        gap_parts=gap_parts,
        indicators=indicators,
        composite=composite,
        problems=problems,
        manifest=_manifest(study, cells, services, gaps, problems, outside),
        week=week,
        filters=filters,
        basis=Basis.of(
            area=study.area,
            cells=cells,
            people=people,
            graph=graph,
            services=services,
            attachment=attachment,
            categories=study.categories,
            threshold_min=study.threshold_min,
        ),
    )


def _check_overlap(study: Study, cells: Cells) -> None:
    if not (cells.inside & cells.attachment.attached).any():
        msg = f"No street of the network lies within {study.snap_m:g} m of {study.area.name!r}."
        raise NetworkError(msg, hint="Check that the network and the area are of one place.")


def _clock(study: Study) -> Clock:
    centre = shapely.get_coordinates(shapely.centroid(study.area.geometry))[0]
    to_degrees = pyproj.Transformer.from_crs(study.area.crs, 4326, always_xy=True)
    lon, lat = to_degrees.transform(*centre)
    return Clock(country=study.country, coords=(lat, lon), stay_min=study.stay_min)


def _admit(
    services: gpd.GeoDataFrame, person: Person | None
) -> tuple[pd.DataFrame, NDArray[np.int8]]:
    """Leave out the services that do not admit a person, mark those that perhaps do; count both."""
    admitted = admission(services, person)
    eligible = services["counted"].to_numpy(copy=True)
    refused = eligible & (admitted.state == NO)
    services.loc[refused, "counted"] = False
    services.loc[refused, "left_out_reason"] = admitted.reason[refused].astype(str)
    services["perhaps"] = eligible & (admitted.state == PERHAPS)
    return filter_table(admitted, services["category"], eligible), admitted.state


def _certainty(
    study: Study, services: gpd.GeoDataFrame, admitted: NDArray[np.int8]
) -> ByHour | None:
    """Tell what is known of each service for the moment and the person of the study, if any."""
    moment = study.moment
    if moment is None and study.person is None:
        return None
    would = services["counted"].to_numpy(dtype=bool)
    if moment is None:
        return ByHour.at_any_time(would, admitted)
    clock = _clock(study)
    return ByHour(
        would=would,
        state=clock.states_then(services, moment),
        opens=clock.openings(services, moment),
        admitted=admitted,
    )


def _week(
    study: Study,
    cells: Cells,
    people: NDArray[np.float64] | None,
    services: gpd.GeoDataFrame,
    would: NDArray[np.bool_],
    admitted: NDArray[np.int8],
    reach: Reach,
) -> Week:
    starts = hours_of_week(study.reference_day)
    return week_of(
        starts,
        combine_states(_clock(study).states(services, starts), admitted[:, None]),
        {
            category: np.flatnonzero(would & (services["category"] == category))
            for category in study.categories
        },
        essentials=study.essentials,
        reach=reach,
        cells=cells,
        threshold_min=study.threshold_min,
        residents=people,
        district_ids=list(study.area.districts["district_id"]),
    )


def _answers(
    study: Study,
    cells: Cells,
    graph: SearchGraph,
    services: gpd.GeoDataFrame,
    attachment: Attachment,
    *,
    would: NDArray[np.bool_],
    sure: NDArray[np.bool_],
) -> dict[str, Answer]:
    """Search the network once per category, from the services that are open for sure.

    What is near as the crow flies is so at any hour (``would``): it tells a barrier.
    """
    xy = shapely.get_coordinates(services.geometry.to_numpy()).reshape(-1, 2)
    answers = {}
    for category in study.categories:
        mine = (services["category"] == category).to_numpy()
        here = sure & mine
        position = np.append(np.flatnonzero(here), -1).astype(np.int32)
        found = graph.times(attachment[here], cells.attachment)
        answers[category] = answer(
            cells,
            minutes=found.minutes,
            nearest=position[found.nearest],
            in_reach=crow_reach(cells, xy[would & mine], study.reach_m),
            threshold_min=study.threshold_min,
        )
    return answers


def _isochrones(study: Study, cells: Cells, answers: Mapping[str, Answer]) -> gpd.GeoDataFrame:
    import geopandas as gpd  # noqa: PLC0415 - see the design: heavy imports wait

    thresholds = tuple(sorted({*study.isochrones_min, study.threshold_min}))
    rows, shapes = [], []
    for category, one in answers.items():
        x, y, grid = minutes_grid(cells, one.minutes)
        for threshold, shape in zip(
            thresholds,
            contour_polygons(x, y, grid, thresholds, clip=study.area.geometry),
            strict=True,
        ):
            rows.append((category, threshold, shapely.area(shape) / 10_000))
            shapes.append(shape)
    columns = ["category", "threshold_min", "area_ha"]
    return gpd.GeoDataFrame(
        pd.DataFrame(rows, columns=columns), geometry=shapes, crs=study.area.crs
    )


def _gaps(
    study: Study,
    cells: Cells,
    people: NDArray[np.float64] | None,
    services: gpd.GeoDataFrame,
    answers: Mapping[str, Answer],
    hours: Mapping[str, CellHours] | None,
) -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
    import geopandas as gpd  # noqa: PLC0415

    streets, street = _street_names(study.network, cells)
    found = [
        find_gaps(
            Layer(
                category=category,
                uncovered=one.status == STATUSES.index("uncovered"),
                minutes=one.minutes,
                nearest=one.nearest,
                in_reach=one.in_reach,
                by_time=one.by_time,
                hours=None if hours is None else hours[category],
            ),
            cells,
            residents=np.zeros(len(cells)) if people is None else people,
            min_gap_ha=study.min_gap_ha,
            district_ids=list(study.area.districts["district_id"]),
            service_ids=list(services["service_id"]),
            service_names=list(services["name"]),
            street=street,
            streets=streets,
        )
        for category, one in answers.items()
    ]
    columns = GAP_COLUMNS if hours is None else (*GAP_COLUMNS, *HOUR_COLUMNS)
    gaps = _stack([one.table for one in found], columns)
    parts = _stack([one.parts for one in found], GAP_PART_COLUMNS)
    if people is None:
        gaps["residents"] = parts["residents"] = np.nan
    shapes = [outline for one in found for outline in one.outlines]
    return gpd.GeoDataFrame(gaps, geometry=shapes, crs=study.area.crs), parts


def _street_names(network: WalkNetwork, cells: Cells) -> tuple[list[str], NDArray[np.int32]]:
    """Return the street names in alphabetical order, and the one each cell meets."""
    order = sorted(range(len(network.names)), key=network.names.__getitem__)
    rank = np.empty(len(order), dtype=np.int32)
    rank[order] = np.arange(len(order), dtype=np.int32)
    street = rank[network.name_code[np.maximum(cells.attachment.edge, 0)]]
    return [network.names[name] for name in order], street


def _stack(tables: list[pd.DataFrame], columns: tuple[str, ...]) -> pd.DataFrame:
    """Put tables one below the other; empty ones would spoil the types."""
    filled = [table for table in tables if len(table)]
    return pd.concat(filled, ignore_index=True) if filled else pd.DataFrame(columns=list(columns))


def _indicators(
    study: Study,
    cells: Cells,
    people: NDArray[np.float64] | None,
    services: gpd.GeoDataFrame,
    answers: Mapping[str, Answer],
    gaps: gpd.GeoDataFrame,
    gap_parts: pd.DataFrame,
) -> pd.DataFrame:
    ids = [*study.area.districts["district_id"], ""]
    tables = []
    for category, one in answers.items():
        members = study.essentials if category in COMPOSITES else (category,)
        here = services["counted"] & services["inside"] & services["category"].isin(members)
        inside = services.loc[here, "district_id"].value_counts().reindex(ids, fill_value=0)
        tables.append(
            indicator_table(
                category,
                cells=cells,
                status=one.status,
                minutes=one.minutes,
                by_time=one.by_time,
                residents=people,
                threshold_min=study.threshold_min,
                profile=study.profile.name,
                services_inside=inside.to_numpy(),
                gaps=gaps[gaps["category"] == category],
                gap_parts=gap_parts[gap_parts["category"] == category],
                **_district_names(study),
            )
        )
    return with_second_weight(pd.concat(tables, ignore_index=True), study.weights)


def _district_names(study: Study) -> dict[str, Any]:
    districts = study.area.districts
    return {
        "district_ids": list(districts["district_id"]),
        "district_labels": list(districts["label"]),
        "area_label": study.area.name,
    }


def _manifest(
    study: Study,
    cells: Cells,
    services: gpd.GeoDataFrame,
    gaps: gpd.GeoDataFrame,
    problems: pd.DataFrame,
    residents_outside: float,
) -> dict[str, Any]:
    profile = study.profile
    parameters = {
        "area": study.area.name,
        "crs": study.area.crs.to_string(),
        "categories": list(study.categories),
        "profile": profile.name,
        "person": "" if study.person is None else study.person.name,
        "speed_kmh": profile.speed_kmh,
        "steps_factor": profile.steps_factor,
        "steps_allowed": profile.steps_allowed,
        "heights": "" if study.heights is None else study.heights.source or "given",
        "threshold_min": study.threshold_min,
        "isochrones_min": list(study.isochrones_min),
        "borderline_pct": 100 * BORDERLINE,
        "cell_m": study.cell_m,
        "snap_m": study.snap_m,
        "min_gap_ha": study.min_gap_ha,
        "barrier_share_pct": 100 * BARRIER_SHARE,
        "useful_component_pct": 100 * study.useful_share,
        "counted_status": list(study.counted_status),
        "date": "" if study.date is None else study.date.isoformat(),
        "margin_m": study.margin_m,
        **_hour_parameters(study),
    }
    counts = {
        "cells": int(np.count_nonzero(cells.inside)),
        "cells_off_network": int(np.count_nonzero(cells.inside & ~cells.attachment.attached)),
        "network_nodes": study.network.n_nodes,
        "network_edges": study.network.n_edges,
        "districts": len(study.area.districts),
        "services": len(services),
        "services_counted": int(services["counted"].sum()),
        "services_counted_outside": int((services["counted"] & ~services["inside"]).sum()),
        "gaps": len(gaps),
        "problems": len(problems),
        "residents_outside": round(residents_outside, 1),
        "residents_source": "" if study.residents is None else study.residents.source,
        **_told_weights(study.weights),
    }
    return build_manifest(
        inputs=study.provenance,
        parameters=parameters,
        counts=counts,
        dropped={
            "services": _tally(services.loc[~services["counted"], "left_out_reason"]),
            "rows": _tally(problems.loc[problems["action"] == "left out", "reason"]),
            "streets": dict(study.network.meta.get("dropped", {})),
        },
        osm_date=str(study.network.meta.get("osm_date", "")),
        attribution=_attribution(study),
    )


def _told_weights(weights: DistrictWeights | None) -> dict[str, Any]:
    if weights is None:
        return {}
    return {
        "second_weight_fr": weights.fr,
        "second_weight_en": weights.en,
        "second_weight_source": weights.source,
        "second_weight_districts": len(weights.values),
    }


def _hour_parameters(study: Study) -> dict[str, Any]:
    """Return what a study asks about hours, nothing if it does not."""
    moment = study.moment
    if moment is None and not study.week:
        return {}
    asked: dict[str, Any] = {"stay_min": study.stay_min, "country": study.country}
    if moment is not None:
        asked["at"] = moment.start.isoformat(sep=" ", timespec="minutes")
        if moment.end is not None:
            asked["until"] = moment.end.isoformat(sep=" ", timespec="minutes")
    if study.week:
        asked["week_of"] = hours_of_week(study.reference_day)[0].date().isoformat()
        newest = newest_source(study.services.table)
        asked["week_is_newest"] = study.week_of is None and newest is not None
    return asked


def _tally(reasons: pd.Series[str]) -> dict[str, int]:
    return {str(reason): int(n) for reason, n in reasons.value_counts().sort_index().items()}


def _attribution(study: Study) -> list[str]:
    credits_ = [str(study.network.meta.get("attribution", ""))]
    credits_ += [str(source.get("attribution", "")) for source in study.provenance]
    return list(dict.fromkeys(credit for credit in credits_ if credit))
