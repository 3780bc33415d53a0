"""Elsewhere: how far services would reach if they stood at places where none stands yet.

The one seam between what is asked of a coverage afterwards and how places meet the streets.
"""

from __future__ import annotations

import dataclasses
import functools

import numpy as np
from numpy.typing import NDArray

from quart_heure.analysis.stored import stored_search_graph
from quart_heure.analysis.surface import Cells
from quart_heure.cache import Cache
from quart_heure.network.components import useful_edges
from quart_heure.network.graph import WalkNetwork
from quart_heure.network.reach import Reach, reach_of_services
from quart_heure.network.snapping import Attachment, snap
from quart_heure.network.travel_time import SearchGraph
from quart_heure.study.coverage import Coverage


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Elsewhere:
    """Streets, cells and walker of a coverage, ready for services that do not exist.

    Parameters
    ----------
    coverage
        Of whose study they are.
    cache
        Keeps the search graph.
    """

    coverage: Coverage
    cache: Cache

    @property
    def network(self) -> WalkNetwork:
        """The streets."""
        return self.coverage.study.network

    @property
    def cells(self) -> Cells:
        """The cells, those of the margin included."""
        return self.coverage.basis.cells

    @functools.cached_property
    def usable(self) -> NDArray[np.bool_]:
        """Edges that services may attach to; shape (E,)."""
        study = self.coverage.study
        return useful_edges(study.network, study.profile, share=study.useful_share)

    @functools.cached_property
    def graph(self) -> SearchGraph:
        """The streets as the walker sees them."""
        study = self.coverage.study
        return stored_search_graph(study.network, study.profile, self.cache, heights=study.heights)

    def attach(self, xy: NDArray[np.float64]) -> Attachment:
        """Return where services at some places meet the streets; ``xy`` is of shape (s, 2)."""
        return snap(self.network, xy, usable=self.usable, max_distance_m=self.coverage.study.snap_m)

    def nearest_of(self, places: Attachment) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
        """Return the edge nearest to each of some attached places, and how far along it."""
        return places.edge, places.offset_m

    def reach(self, places: Attachment, *, limit_min: float | None = None) -> Reach:
        """Return the cells within the threshold, or other minutes, of services at some places."""
        limit = self.coverage.study.threshold_min if limit_min is None else limit_min
        return reach_of_services(self.graph, places, self.cells.attachment, limit_min=limit)
