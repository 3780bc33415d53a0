"""The whole line on one page: what to analyse, and the analysis.

    areas → services → network → travel times → surface → isochrones, gaps, indicators

Notebooks and the command line call the same `analyse`; nothing else knows the line.
"""

from __future__ import annotations

import dataclasses
import datetime
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
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
from quart_heure.analysis.gaps import (
    BARRIER_SHARE,
    GAP_COLUMNS,
    GAP_PART_COLUMNS,
    Layer,
    crow_reach,
    find_gaps,
)
from quart_heure.analysis.indicators import (
    BORDERLINE,
    STATUSES,
    composite_table,
    indicator_table,
)
from quart_heure.analysis.isochrones import contour_polygons
from quart_heure.analysis.placement import place_services, placement_problems, short_streets
from quart_heure.analysis.stored import stored_cells, stored_residents, stored_search_graph
from quart_heure.analysis.surface import Cells, minutes_grid
from quart_heure.cache import Cache
from quart_heure.categories import Category, check_categories
from quart_heure.errors import CrsError, NetworkError, StudyFileError
from quart_heure.manifest import build_manifest
from quart_heure.network.components import USEFUL_SHARE, useful_edges
from quart_heure.network.graph import WalkNetwork
from quart_heure.network.snapping import SNAP_M, Attachment
from quart_heure.network.travel_time import SearchGraph
from quart_heure.profiles import ADULT, WalkProfile
from quart_heure.sources.areas import StudyArea, read_layer
from quart_heure.sources.residents import Residents
from quart_heure.sources.services import Services, problem_table

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
    date
        The day on which services must be valid; without one, their validity is not judged.
    background_file
        Water, parks and the like to draw under maps; no figure depends on it.
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
    residents: Residents | None = None
    profile: WalkProfile = ADULT
    threshold_min: float = 15.0
    isochrones_min: tuple[float, ...] = (5.0, 10.0, 15.0)
    cell_m: float = 25.0
    snap_m: float = SNAP_M
    min_gap_ha: float = 1.0
    counted_status: tuple[str, ...] = ("open", "unknown")
    date: datetime.date | None = None
    background_file: Path | None = None
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
        layers = {"network": self.network.crs, "services": self.services.table.crs}
        if self.residents is not None:
            layers["residents"] = self.residents.crs
        for name, crs in layers.items():
            if crs != self.area.crs:
                msg = f"The {name} are in {crs}, the area in {self.area.crs.to_string()}."
                raise CrsError(msg, hint="Reproject them to the CRS of the area.")

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
    def reach_m(self) -> float:
        """Metres walked within the threshold."""
        return self.profile.speed_m_per_min * self.threshold_min

    @property
    def margin_m(self) -> float:
        """Metres around the area from which a service may count: the longest walk judged.

        The threshold, for a walker as fast as the borderline allows, or the longest isochrone.
        """
        longest_min = max(self.threshold_min * (1 + BORDERLINE), *self.isochrones_min, 0.0)
        return self.profile.speed_m_per_min * longest_min

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
    usable = useful_edges(study.network, study.profile)
    graph = stored_search_graph(study.network, study.profile, cache)
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
    if study.residents is not None:
        people, outside = stored_residents(cells, study.residents, cache)
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
        on=study.date,
    )
    say("travel times")
    answers = _answers(study, cells, graph, services, attachment)
    within = within_count(cells, [answers[category] for category in study.essentials])
    composites = composite_answers(
        cells, [answers[c] for c in study.essentials], threshold_min=study.threshold_min
    )
    say("isochrones")
    isochrones = _isochrones(study, cells, answers)
    say("gaps")
    gaps, gap_parts = _gaps(study, cells, people, services, answers | composites)
    say("indicators")
    indicators = _indicators(study, cells, people, services, answers | composites, gaps, gap_parts)
    composite = composite_table(
        cells=cells,
        essentials_within=within,
        n_essentials=len(study.essentials),
        residents=people,
        **_district_names(study),
    )
    doubts = placement_problems(services, snap_m=study.snap_m, margin_m=study.margin_m)
    doubts += short_streets(study.network, study.area, margin_m=study.margin_m)
    problems = pd.concat([study.services.problems, problem_table(doubts)], ignore_index=True)
    return Coverage(
        study=study,
        cells=cell_table(
            cells,
            answers,
            people=people,
            within=within,
            district_ids=list(study.area.districts["district_id"]),
            service_ids=list(services["service_id"]),
        ),
        services=services,
        isochrones=isochrones,
        gaps=gaps,
        gap_parts=gap_parts,
        indicators=indicators,
        composite=composite,
        problems=problems,
        manifest=_manifest(study, cells, services, gaps, problems, outside),
    )


def _check_overlap(study: Study, cells: Cells) -> None:
    if not (cells.inside & cells.attachment.attached).any():
        msg = f"No street of the network lies within {study.snap_m:g} m of {study.area.name!r}."
        raise NetworkError(msg, hint="Check that the network and the area are of one place.")


def _answers(
    study: Study,
    cells: Cells,
    graph: SearchGraph,
    services: gpd.GeoDataFrame,
    attachment: Attachment,
) -> dict[str, Answer]:
    """Search the network once per category."""
    xy = shapely.get_coordinates(services.geometry.to_numpy()).reshape(-1, 2)
    answers = {}
    for category in study.categories:
        here = (services["counted"] & (services["category"] == category)).to_numpy()
        position = np.append(np.flatnonzero(here), -1).astype(np.int32)
        found = graph.times(attachment[here], cells.attachment)
        answers[category] = answer(
            cells,
            minutes=found.minutes,
            nearest=position[found.nearest],
            in_reach=crow_reach(cells, xy[here], study.reach_m),
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
    gaps = _stack([one.table for one in found], GAP_COLUMNS)
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
    return pd.concat(tables, ignore_index=True)


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
        "speed_kmh": profile.speed_kmh,
        "steps_factor": profile.steps_factor,
        "steps_allowed": profile.steps_allowed,
        "threshold_min": study.threshold_min,
        "isochrones_min": list(study.isochrones_min),
        "borderline_pct": 100 * BORDERLINE,
        "cell_m": study.cell_m,
        "snap_m": study.snap_m,
        "min_gap_ha": study.min_gap_ha,
        "barrier_share_pct": 100 * BARRIER_SHARE,
        "useful_component_pct": 100 * USEFUL_SHARE,
        "counted_status": list(study.counted_status),
        "date": "" if study.date is None else study.date.isoformat(),
        "margin_m": study.margin_m,
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


def _tally(reasons: pd.Series[str]) -> dict[str, int]:
    return {str(reason): int(n) for reason, n in reasons.value_counts().sort_index().items()}


def _attribution(study: Study) -> list[str]:
    credits_ = [str(study.network.meta.get("attribution", ""))]
    credits_ += [str(source.get("attribution", "")) for source in study.provenance]
    return list(dict.fromkeys(credit for credit in credits_ if credit))
