"""The coverage: what an analysis found."""

from __future__ import annotations

import dataclasses
import datetime
import functools
from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from quart_heure.analysis.accuracy import accuracy_table
from quart_heure.analysis.answers import Answer
from quart_heure.analysis.basis import Basis
from quart_heure.analysis.capacity import capacity_table
from quart_heure.analysis.fragility import dependence_table, fragility_table
from quart_heure.analysis.freshness import freshness_table, recent_since, unplaced_table
from quart_heure.analysis.unjudged import without_figures
from quart_heure.analysis.week import Week
from quart_heure.cache import Cache
from quart_heure.network.snapping import Attachment
from quart_heure.study.prepared import Prepared
from quart_heure.study.study import Study
from quart_heure.study.views import CoverageViews

if TYPE_CHECKING:
    import geopandas as gpd

__all__ = ["Coverage"]


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Coverage(CoverageViews):
    """What an analysis found. See the data dictionary for the columns of each table.

    Parameters
    ----------
    study
        What was analysed.
    cells
        One row per cell of the area.
    services
        All services, whether they count and why not, and where they meet the network.
    draw_isochrones
        Draws the isochrones.
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
    entries
        The streets at which each service enters the network; discreet places aside.
    basis
        What the tables below are computed from when they are asked for.
    prepared
        What of it does not depend on services. Not for any output.
    answers
        Minutes, nearest service and status of each cell, per category and composite, the margin
        too. Not for any output.
    attachment
        Where each service enters the streets; shape (s,). Not for any output.
    cache
        Keeps for the next run what takes long to work out from it.
    week
        Coverage in each hour of a week, None if the study does not ask for it.
    """

    study: Study
    cells: pd.DataFrame
    services: gpd.GeoDataFrame
    draw_isochrones: Callable[[], gpd.GeoDataFrame] = dataclasses.field(repr=False)
    gaps: gpd.GeoDataFrame
    gap_parts: pd.DataFrame
    indicators: pd.DataFrame
    composite: pd.DataFrame
    problems: pd.DataFrame
    manifest: Mapping[str, Any]
    filters: pd.DataFrame
    entries: pd.DataFrame
    basis: Basis = dataclasses.field(repr=False)
    prepared: Prepared = dataclasses.field(repr=False)
    answers: Mapping[str, Answer] = dataclasses.field(repr=False)
    attachment: Attachment = dataclasses.field(repr=False)
    cache: Cache = dataclasses.field(repr=False)
    week: Week | None = None

    def __repr__(self) -> str:
        """Tell how much there is; the tables hold what."""
        counts = (("cells", self.cells), ("gaps", self.gaps), ("problems", self.problems))
        told = ", ".join(f"{len(table):,} {name}" for name, table in counts)
        return f"Coverage: {told}\n{self.study!r}"

    @functools.cached_property
    def isochrones(self) -> gpd.GeoDataFrame:
        """One MultiPolygon per category and threshold, cut to the area."""
        return self.draw_isochrones()

    @functools.cached_property
    def fragility(self) -> pd.DataFrame:
        """Area and residents with one single service within the threshold, per district."""
        return without_figures(fragility_table(self.basis), self.study.unjudged)

    @functools.cached_property
    def dependence(self) -> pd.DataFrame:
        """What each service covers, and what would be covered no more if it closed."""
        return dependence_table(self.basis, hide_discreet=self.published)

    @functools.cached_property
    def capacity(self) -> pd.DataFrame:
        """Capacities per 1,000 residents, per category, unit and district."""
        return capacity_table(self.basis)

    @functools.cached_property
    def freshness(self) -> pd.DataFrame:
        """How old the facts of each category are, and what confirmed places alone cover."""
        since, until = self.recent
        table = freshness_table(
            self.basis,
            self.services,
            self.unplaced,
            essentials=self.study.essentials,
            since=since,
            until=until,
        )
        return without_figures(table, self.study.unjudged)

    @functools.cached_property
    def accuracy(self) -> pd.DataFrame:
        """What each share is good to: see `quart_heure.analysis.accuracy.accuracy_table`."""
        since, until = self.recent
        table = accuracy_table(
            self.basis,
            essentials=self.study.essentials,
            since=since,
            until=until,
            hide_discreet=self.published,
        )
        return without_figures(table, self.study.unjudged)

    @functools.cached_property
    def unplaced(self) -> pd.DataFrame:
        """Places that are known and have no coordinates: they count nowhere."""
        return unplaced_table(
            self.study.services.unplaced,
            categories=self.study.categories,
            counted_status=self.study.counted_status,
            on=self.study.date,
        )

    @property
    def recent(self) -> tuple[datetime.date, datetime.date]:
        """First and last day of what is recent: counted from the day of the study, or of the run.

        What was said after the day of the study, by the day of the run, is recent too.
        """
        made = datetime.date.fromisoformat(str(self.manifest["created"])[:10])
        return recent_since(self.study.date or made), made

    @property
    def week_table(self) -> pd.DataFrame | None:
        """The table of the week, None if the study did not ask for it."""
        return None if self.week is None else self.week.table

    def week_rows(self, places: Collection[str]) -> pd.DataFrame | None:
        """Return the rows of that table of some districts; "" is the whole area."""
        return None if self.week is None else self.week.rows(places)

    @property
    def districts(self) -> gpd.GeoDataFrame:
        """Columns district_id, label and geometry, in the CRS of the study."""
        return self.study.area.districts

    @property
    def published(self) -> bool:
        """Whether discreet places were taken out (see `quart_heure.outputs.discretion`)."""
        return "withheld" in self.manifest

    @property
    def city(self) -> pd.DataFrame:
        """The rows of the indicators for the whole area."""
        return self.indicators[self.indicators["level"] == "city"].reset_index(drop=True)
