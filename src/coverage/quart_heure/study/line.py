"""The whole line on one page: what to analyse, and the analysis.

    areas → services → network → travel times → surface → isochrones, gaps, indicators

Notebooks and the command line call the same `analyse`; nothing else knows the line.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from quart_heure.analysis.answers import (
    Answer,
    cell_table,
    composite_answers,
    search_answers,
    within_count,
)
from quart_heure.analysis.basis import Basis
from quart_heure.analysis.doors import entry_table
from quart_heure.analysis.gap_tables import gap_tables
from quart_heure.analysis.indicators import composite_table, covered_of_all, indicators_of
from quart_heure.analysis.isochrones import isochrones_of
from quart_heure.analysis.placement import (
    none_near,
    placement_problems,
    short_streets,
)
from quart_heure.analysis.ranges import with_ranges
from quart_heure.analysis.steep_ground import steep_ground
from quart_heure.analysis.stored_searches import stored_contours
from quart_heure.analysis.unjudged import judged, without_figures
from quart_heure.analysis.week import judge_week
from quart_heure.analysis.weighting import with_second_weight
from quart_heure.cache import Cache
from quart_heure.sources.problems import problem_table
from quart_heure.study.bounds import long_weeks
from quart_heure.study.coverage import Coverage
from quart_heure.study.manifest import run_manifest
from quart_heure.study.prepared import Prepared, prepare
from quart_heure.study.searched import Placed, Searched, place, search_whole
from quart_heure.study.study import Study
from quart_heure.study.tiled import InTiles

if TYPE_CHECKING:
    import geopandas as gpd

__all__ = ["analyse"]


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class _Found:
    """What was searched, before tables are made of it."""

    placed: Placed
    searched: Searched
    by_category: Mapping[str, Answer]
    within: NDArray[np.int8]
    answers: Mapping[str, Answer]


def analyse(
    study: Study,
    *,
    cache: Cache | None = None,
    progress: Callable[[str], None] | None = None,
    prepared: Prepared | None = None,
    tiles: InTiles | None = None,
) -> Coverage:
    """Measure who can reach the services of a study on foot.

    Parameters
    ----------
    study
        What to analyse.
    cache
        Keeps for the next run what took long, discreet places aside; nothing is kept by default.
    progress
        Called with the name of each step as it begins.
    prepared
        What does not depend on services, of a study that differs in these alone; it is worked out
        by default.
    tiles
        Lets cells in and searches from them tile by tile: less memory for the same figures. All at
        once by default.

    Raises
    ------
    StudyFileError
        If the area is smaller than its cells.
    NetworkError
        If no cell of the area meets the network.
    """
    cache = cache or Cache(None)
    say = progress or (lambda _: None)
    area, network, threshold_min = study.area, study.network, study.threshold_min
    found = _search(study, cache=cache, say=say, prepared=prepared, tiles=tiles)
    placed, searched = found.placed, found.searched
    kept, services, attachment = placed.kept, placed.services, placed.attachment
    cells, known = searched.cells, placed.known
    by_category, within, answers = found.by_category, found.within, found.answers
    districts, people = kept.districts, kept.residents.people
    essentials = [by_category[category] for category in study.essentials]
    reach = functools.cache(searched.reach)
    certainty = None
    if study.has_ranges:
        certainty = known.of_cells(
            services["category"].to_numpy(dtype=object),
            {name: one.covered for name, one in answers.items()},
            essentials=study.essentials,
            reach=reach(),
            threshold_min=threshold_min,
        )

    # Drawn when they are first asked for, as the reach is: most tables do without.
    @functools.cache
    def isochrones() -> gpd.GeoDataFrame:
        drawn = stored_contours(
            {category: one.minutes for category, one in by_category.items()},
            cells,
            study.drawn_min,
            clip=area.geometry,
            discreet=frozenset(services.loc[placed.discreet, "category"]),
            cache=cache,
        )
        return isochrones_of(drawn, study.drawn_min, area.crs)

    say("gaps")
    gaps, gap_parts = gap_tables(
        judged(answers, study.unjudged),
        cells,
        area=area,
        network=network,
        services=services,
        residents=people,
        certainty=certainty,
        min_gap_ha=study.min_gap_ha,
        would=known.would,
        essentials=study.essentials,
        reach_m=study.reach_m,
        barriers=study.named_barriers,
    )
    say("indicators")
    indicators = indicators_of(
        answers,
        cells,
        districts=districts,
        residents=people,
        services=services,
        essentials=study.essentials,
        gaps=gaps,
        gap_parts=gap_parts,
        threshold_min=threshold_min,
        profile=study.profile.name,
    )
    indicators = with_second_weight(indicators, study.weights)
    composite = composite_table(
        cells, within, n_essentials=len(essentials), residents=people, districts=districts
    )
    cell_rows = cell_table(
        cells,
        by_category,
        people=people,
        within=within,
        district_ids=list(area.districts["district_id"]),
        service_ids=list(services["service_id"]),
    )
    if certainty is not None:
        indicators, composite, cell_rows = with_ranges(
            indicators,
            composite,
            cell_rows,
            certainty=certainty,
            answers=answers,
            within=within,
            essentials=study.essentials,
            cells=cells,
            residents=people,
            districts=districts,
        )
    indicators = without_figures(indicators, study.unjudged)
    week = None
    if study.week:
        say("week")
        week = judge_week(
            study.reference_day,
            services,
            clock=study.clock,
            would=known.would,
            admitted=known.admitted,
            categories=study.categories,
            essentials=study.essentials,
            reach=reach(),
            cells=cells,
            threshold_min=threshold_min,
            residents=people,
            districts=districts,
            unjudged=study.unjudged,
        )
    doubts = [
        *districts.problems(),
        *kept.residents.problems(),
        *placement_problems(
            services, snap_m=study.snap_m, margin_m=study.margin_m, rows=study.services.rows
        ),
        *none_near(services),
        *short_streets(network, area, margin_m=study.margin_m),
        *steep_ground(network, study.heights),
        *long_weeks(week),
    ]
    problems = pd.concat([study.problems, problem_table(doubts)], ignore_index=True)
    manifest = run_manifest(
        study,
        cells=cells,
        services=services,
        gaps=gaps,
        problems=problems,
        residents_outside=kept.residents.outside,
    )
    return Coverage(
        study=study,
        cells=cell_rows,
        services=services,
        draw_isochrones=isochrones,
        gaps=gaps,
        gap_parts=gap_parts,
        indicators=indicators,
        composite=composite,
        problems=problems,
        manifest=manifest,
        week=week,
        filters=placed.filters,
        entries=entry_table(services, attachment, network),
        prepared=kept,
        answers=answers,
        attachment=attachment,
        cache=cache,
        basis=Basis.of(
            area=area,
            cells=cells,
            people=people,
            minutes={category: one.minutes for category, one in by_category.items()},
            reach_of_all=reach,
            reach_elsewhere_of_all=searched.reach_elsewhere,
            services=services,
            doors=searched.doors,
            categories=study.categories,
            threshold_min=threshold_min,
        ),
    )


def whole_area(study: Study, kept: Prepared, *, cache: Cache) -> pd.DataFrame:
    """Return what the whole area has within the threshold, as `analyse` says, and no more.

    Parameters
    ----------
    study
        The study.
    kept
        What is prepared for it (see `quart_heure.study.prepared.prepare`).
    cache
        Keeps what takes long for the next run.

    Returns
    -------
    pandas.DataFrame
        Columns `COVERED_COLUMNS`, a row per category and composite.
    """
    # What is further than the threshold is not asked for.
    found = _search(
        study,
        cache=cache,
        say=lambda _: None,
        prepared=kept,
        tiles=None,
        limit_min=study.threshold_min,
    )
    table = covered_of_all(
        found.answers,
        found.searched.cells,
        districts=kept.districts,
        residents=kept.residents.people,
    )
    return without_figures(table, study.unjudged)


def _search(
    study: Study,
    *,
    cache: Cache,
    say: Callable[[str], None],
    prepared: Prepared | None,
    tiles: InTiles | None,
    limit_min: float = np.inf,
) -> _Found:
    kept = prepared or prepare(study, cache=cache, progress=say, entered=tiles is None)
    say("services")
    placed = place(study, kept, cache=cache)
    say("travel times")
    searched = (tiles or search_whole)(placed, cache=cache)
    cells = searched.cells
    by_category = search_answers(
        cells,
        kept.graph,
        placed.services,
        placed.attachment,
        categories=study.categories,
        would=placed.known.would,
        sure=placed.known.sure,
        reach_m=study.reach_m,
        threshold_min=study.threshold_min,
        cache=cache,
        searched=searched.times,
        limit_min=limit_min,
    )
    essentials = [by_category[category] for category in study.essentials]
    within = within_count(cells, essentials)
    answers = by_category | composite_answers(cells, essentials, threshold_min=study.threshold_min)
    return _Found(
        placed=placed,
        searched=searched,
        by_category=by_category,
        within=within,
        answers=answers,
    )
