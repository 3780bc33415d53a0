"""Doors: where services enter the network, and the minutes to them if they stood elsewhere.

How the cells enter it does not change with the services, so that moving these costs a search.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from quart_heure.analysis.surface import Cells
from quart_heure.network.barriers import Barriers
from quart_heure.network.graph import WalkNetwork
from quart_heure.network.reach import NodeLinks, Reach, node_links, reach_of_services
from quart_heure.network.snapping import FURTHER_FACTOR, Attachment, snap
from quart_heure.network.travel_time import SearchGraph, TravelTimes
from quart_heure.sources.background import Ground

ELSEWHERE_M = ((15.0, 0.0), (0.0, 15.0), (-15.0, 0.0), (0.0, -15.0))
"""How far east and north a service may well stand from where it is said to: the other pavement."""


def services_at(
    network: WalkNetwork,
    xy: NDArray[np.float64],
    *,
    usable: NDArray[np.bool_],
    snap_m: float,
    ground: Ground | None = None,
) -> Attachment:
    """Find where services enter the network.

    Parameters
    ----------
    network
        The walking network.
    xy
        Where they are, in metres; shape (s, 2).
    usable
        Edges that services may enter at; shape (E,).
    snap_m
        Every usable edge within this is an entry: thousands of people walk to one service, and an
        entry that a metre decides about would move them all.
    ground
        What a service is not entered across.
    """
    barriers = None if ground is None else Barriers.of_shapes(ground.barriers)
    return snap(
        network, xy, usable=usable, max_distance_m=snap_m, always_m=snap_m, barriers=barriers
    )


ENTRY_COLUMNS = (
    *("service_id", "rank", "edge", "osm_id", "street", "kind"),
    *("offset_m", "distance_m", "access_m"),
)


def entry_table(
    services: pd.DataFrame, attachment: Attachment, network: WalkNetwork
) -> pd.DataFrame:
    """Return where each service enters the network, the nearest edge first.

    Returns
    -------
    pandas.DataFrame
        Columns `ENTRY_COLUMNS`: ``distance_m`` in a straight line, ``access_m`` as it counts. Where
        a discreet place enters is not told.
    """
    shown = ~services["discreet"].to_numpy(dtype=bool)
    told = attachment.take(shown[attachment.place])
    edge = told.edge
    nearest_m = told.nearest_m[told.place]
    return pd.DataFrame(
        {
            "service_id": services["service_id"].to_numpy(dtype=object)[told.place],
            "rank": np.arange(len(edge)) - told.begin[told.place] + 1,
            "edge": edge,
            "osm_id": network.osm_id[edge],
            "street": np.array(network.names, dtype=object)[network.name_code[edge]],
            "kind": np.array(network.kinds, dtype=object)[network.kind_code[edge]],
            "offset_m": told.offset_m,
            "distance_m": nearest_m + (told.access_m - nearest_m) / FURTHER_FACTOR,
            "access_m": told.access_m,
        }
    )


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Doors:
    """What it takes to let services stand elsewhere.

    Parameters
    ----------
    network, graph
        The streets, and as the walker sees them.
    usable
        Edges that services may enter at; shape (E,).
    snap_m
        Services further than this from every usable edge cannot be reached.
    ground
        What a service is not entered across.
    cells
        From where one walks; shape (n,).
    """

    network: WalkNetwork
    graph: SearchGraph
    usable: NDArray[np.bool_]
    snap_m: float
    ground: Ground | None
    cells: Cells

    @functools.cached_property
    def _search(self) -> Callable[[Attachment], TravelTimes]:
        return self.graph.searches(self.cells.attachment)

    def at(self, xy: NDArray[np.float64]) -> Attachment:
        """Return where services at some places would enter the network; ``xy`` is of shape (s, 2).

        For services moved by an offset, give ``xy + offset``: see `services_at`.
        """
        return services_at(
            self.network, xy, usable=self.usable, snap_m=self.snap_m, ground=self.ground
        )

    @functools.cached_property
    def _links(self) -> NodeLinks:
        return node_links(self.graph, self.cells.attachment)

    def reach(self, services: Attachment, *, limit_min: float) -> Reach:
        """Return the cells within some minutes of each of some services."""
        return reach_of_services(
            self.graph,
            services,
            self.cells.attachment,
            limit_min=limit_min,
            links=self._links,
        )

    def times(self, services: Attachment) -> TravelTimes:
        """Return the minutes from every cell to the nearest of some services; shapes (n,)."""
        return self._search(services)
