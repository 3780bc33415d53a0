"""The basis of a coverage: what the questions that come after an analysis are answered from.

How far one single service reaches is searched once, when somebody asks: most runs do not.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from quart_heure.analysis.districts import Districts
from quart_heure.analysis.doors import Doors
from quart_heure.analysis.shares import Shares
from quart_heure.analysis.states import STATE_WORDS
from quart_heure.analysis.surface import Cells
from quart_heure.network.reach import Reach
from quart_heure.sources.areas.areas import StudyArea
from quart_heure.sources.hours.syntax import OPEN

if TYPE_CHECKING:
    import geopandas as gpd

_SERVICE_COLUMNS = ("service_id", "category", "name", "discreet", "district_id")


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Basis:
    """Cells, people, streets and the services that count.

    Parameters
    ----------
    area, cells
        Where it is, and its grid.
    people
        Residents of each cell, None where they are not known; shape (n,).
    minutes
        Minutes from each cell to the nearest service that counts for sure, per category; (n,).
    reach_of_all
        Searches the reach of every service, those that do not count included.
    reach_elsewhere_of_all
        The same for services that stand at each of `quart_heure.analysis.doors.ELSEWHERE_M` from
        where they are.
    position
        Which of these each service that counts is; shape (s,).
    services
        Those that count: service_id, category, name ("" if discreet), discreet, district_id,
        capacity_value (NaN if not known), capacity_unit, and where known status, source_date.
    perhaps
        Which of these are perhaps open, or perhaps admit the person asked for; shape (s,).
    xy
        Where these stand, discreet ones too; shape (s, 2). Not for any output.
    doors
        What it takes to let them stand elsewhere.
    categories
        Of the study.
    threshold_min
        Minutes within which a place is covered.
    """

    area: StudyArea
    cells: Cells
    people: NDArray[np.float64] | None
    minutes: Mapping[str, NDArray[np.float64]]
    reach_of_all: Callable[[], Reach]
    reach_elsewhere_of_all: Callable[[], Iterable[Reach]]
    position: NDArray[np.intp]
    services: pd.DataFrame
    xy: NDArray[np.float64]
    doors: Doors
    perhaps: NDArray[np.bool_]
    categories: tuple[str, ...]
    threshold_min: float

    @classmethod
    def of(
        cls,
        *,
        area: StudyArea,
        cells: Cells,
        people: NDArray[np.float64] | None,
        minutes: Mapping[str, NDArray[np.float64]],
        reach_of_all: Callable[[], Reach],
        reach_elsewhere_of_all: Callable[[], Iterable[Reach]],
        services: gpd.GeoDataFrame,
        doors: Doors,
        categories: tuple[str, ...],
        threshold_min: float,
    ) -> Basis:
        """Keep the services that count, of a table of all of them."""
        counted = services["counted"].to_numpy()
        table = pd.DataFrame(services.loc[counted, list(_SERVICE_COLUMNS)])
        table["name"] = table["name"].mask(table["discreet"].astype(bool), "")
        for column, unknown in (("capacity_value", np.nan), ("capacity_unit", "")):
            known = services[column] if column in services else pd.Series(unknown, services.index)
            table[column] = known[counted]
        for column in ("status", "source_date"):
            table[column] = services[column][counted] if column in services else ""
        perhaps = np.zeros(len(services), dtype=bool)
        if "perhaps" in services:
            perhaps |= services["perhaps"].to_numpy(dtype=bool)
        if "open_then" in services:
            perhaps |= (services["open_then"] != STATE_WORDS[OPEN]).to_numpy(dtype=bool)
        xy = shapely.get_coordinates(services.geometry.to_numpy()).reshape(-1, 2)
        return cls(
            area=area,
            cells=cells,
            people=people,
            minutes=minutes,
            reach_of_all=reach_of_all,
            reach_elsewhere_of_all=reach_elsewhere_of_all,
            position=np.flatnonzero(counted),
            services=table.reset_index(drop=True),
            xy=xy[counted],
            doors=doors,
            perhaps=perhaps[counted],
            categories=categories,
            threshold_min=threshold_min,
        )

    @functools.cached_property
    def reach(self) -> Reach:
        """The cells within the threshold of each service."""
        return self.reach_of_all().take(self.position)

    @functools.cached_property
    def reach_elsewhere(self) -> tuple[Reach, ...]:
        """The cells within the threshold of each service, if it stood at each of `ELSEWHERE_M`."""
        return tuple(reach.take(self.position) for reach in self.reach_elsewhere_of_all())

    @functools.cached_property
    def districts(self) -> Districts:
        """The districts of the cells."""
        return Districts.of(self.area, self.cells)

    @functools.cached_property
    def shares(self) -> Shares:
        """What the districts have of cells on the network."""
        return Shares(self.cells, self.people, self.districts)

    @functools.cached_property
    def on_network(self) -> NDArray[np.bool_]:
        """Cells of the area that are on the network; shape (n,)."""
        on: NDArray[np.bool_] = self.cells.inside & self.cells.attachment.attached
        return on

    @functools.cached_property
    def people_on_network(self) -> NDArray[np.float64]:
        """Residents of each cell that are on the network, 0 where not known; shape (n,)."""
        people = np.zeros(len(self.cells)) if self.people is None else self.people
        return np.where(self.on_network, people, 0.0).astype(np.float64)

    @functools.cached_property
    def single(self) -> dict[str, NDArray[np.bool_]]:
        """Per category, the cells that exactly one service has within the threshold; (n,)."""
        return {
            category: self.on_network
            & (self.reach.count(self.of_category(category), self.threshold_min) == 1)
            for category in self.categories
        }

    def of_category(self, category: str) -> NDArray[np.intp]:
        """Return the positions of the services of a category."""
        return np.flatnonzero(self._category == category)

    @functools.cached_property
    def _category(self) -> NDArray[np.object_]:
        return self.services["category"].to_numpy(dtype=object)

    @functools.cached_property
    def discreet(self) -> NDArray[np.bool_]:
        """Services that must not be shown; shape (s,)."""
        return self.services["discreet"].to_numpy(dtype=bool)
