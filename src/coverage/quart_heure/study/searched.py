"""What is searched for an analysis: services where they count, and the minutes from every cell.

All cells at once here; tile by tile in `quart_heure.study.tiled`.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from quart_heure.analysis.audience import leave_out_refused
from quart_heure.analysis.certainty import Certainty, closed_out
from quart_heure.analysis.doors import Doors
from quart_heure.analysis.placement import place_services
from quart_heure.analysis.stored_searches import stored_reach, stored_reach_elsewhere
from quart_heure.analysis.surface import Cells
from quart_heure.cache import Cache
from quart_heure.network.reach import Reach
from quart_heure.network.snapping import Attachment
from quart_heure.network.travel_time import TravelTimes
from quart_heure.study.prepared import Prepared
from quart_heure.study.study import Study

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Placed:
    """Streets, cells and services of a study, before anything is searched.

    Parameters
    ----------
    study
        Which one.
    kept
        What of it does not depend on services.
    services, attachment
        All services, and where each enters the streets.
    towards
        Where those enter that count, whatever the hour and the person: cells are let in to parts
        of the network with regard to them.
    filters
        Services kept and left out by each filter of the person.
    known
        What of the services is known for sure.
    """

    study: Study
    kept: Prepared
    services: gpd.GeoDataFrame
    attachment: Attachment
    towards: Attachment
    filters: pd.DataFrame
    known: Certainty

    @property
    def discreet(self) -> NDArray[np.bool_]:
        """Services whose searches are kept nowhere; shape (s,)."""
        discreet: NDArray[np.bool_] = self.services["discreet"].to_numpy(dtype=bool)
        return discreet

    @property
    def xy(self) -> NDArray[np.float64]:
        """Where the services are, discreet ones too; shape (s, 2). Not for any output."""
        xy: NDArray[np.float64] = shapely.get_coordinates(self.services.geometry.to_numpy())
        return xy.reshape(-1, 2)

    def groups(self) -> list[NDArray[np.intp]]:
        """Return the positions of the services that each category is searched from."""
        category = self.services["category"]
        return [
            np.flatnonzero(self.known.sure & (category == one).to_numpy())
            for one in self.study.categories
        ]


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Searched:
    """How cells enter the streets, and what is searched from there.

    Parameters
    ----------
    cells, doors
        The cells towards the services that count, and what lets services stand elsewhere.
    times
        Searches the minutes to the nearest of each of some groups of services, one for each
        category; None for a search of all cells by way of the cache.
    reach, reach_elsewhere
        Search the reach of every service, as it is and at each of its sides.
    """

    cells: Cells
    doors: Doors
    times: Callable[[Sequence[Attachment]], Sequence[TravelTimes]] | None
    reach: Callable[[], Reach]
    reach_elsewhere: Callable[[], Iterable[Reach]]


def place(study: Study, kept: Prepared, *, cache: Cache) -> Placed:
    """Find where the services of a study enter its streets, and which count."""
    services, attachment = place_services(
        study.services.table,
        study.area,
        study.network,
        usable=kept.usable,
        snap_m=study.snap_m,
        margin_m=study.margin_m,
        categories=study.categories,
        counted_status=study.counted_status,
        ground=study.ground,
        cache=cache,
        on=study.date,
    )
    towards = attachment[services["counted"].to_numpy(dtype=bool)]
    filters, admitted = leave_out_refused(services, study.person)
    known = Certainty.of(services, clock=study.clock, moment=study.moment, admitted=admitted)
    if study.moment is not None:
        services = closed_out(services, known)
    return Placed(
        study=study,
        kept=kept,
        services=services,
        attachment=attachment,
        towards=towards,
        filters=filters,
        known=known,
    )


def doors_of(placed: Placed, cells: Cells) -> Doors:
    """Return what lets the services of a study stand elsewhere."""
    study, kept = placed.study, placed.kept
    return Doors(
        network=study.network,
        graph=kept.graph,
        usable=kept.usable,
        snap_m=study.snap_m,
        ground=study.ground,
        cells=cells,
    )


def search_whole(placed: Placed, *, cache: Cache) -> Searched:
    """Let all cells in at once, and search from them by way of the cache."""
    study = placed.study
    cells = placed.kept.cells_towards(placed.towards, study)
    doors = doors_of(placed, cells)
    # Searched when they are first asked for: most runs do not look at single services.
    return Searched(
        cells=cells,
        doors=doors,
        times=None,
        reach=functools.partial(
            stored_reach,
            doors,
            placed.attachment,
            discreet=placed.discreet,
            limit_min=study.threshold_min,
            cache=cache,
        ),
        reach_elsewhere=functools.partial(
            stored_reach_elsewhere,
            doors,
            placed.xy,
            discreet=placed.discreet,
            limit_min=study.threshold_min,
            cache=cache,
        ),
    )
