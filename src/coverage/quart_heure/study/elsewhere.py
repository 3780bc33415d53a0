"""Elsewhere: how far services would reach if they stood at places where none stands yet.

The one seam between what is asked of a coverage afterwards and how places meet the streets.
"""

from __future__ import annotations

import dataclasses
import functools

import numpy as np
import shapely
from numpy.typing import NDArray

from quart_heure.analysis.surface import Cells
from quart_heure.network.graph import WalkNetwork
from quart_heure.network.reach import Reach, reach_of_services
from quart_heure.network.snapping import Attachment, snap
from quart_heure.network.travel_time import SearchGraph
from quart_heure.sources.texts import fold
from quart_heure.study.coverage import Coverage

_NO_GROUND = ("water", "rail", "cemetery")
_CEMETERIES = ("cimetiere", "cemetery", "cementerio", "cimitero", "friedhof", "cemiterio")


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Elsewhere:
    """Streets, cells and walker of a coverage, ready for services that do not exist.

    Parameters
    ----------
    coverage
        Of whose study they are.
    """

    coverage: Coverage

    @property
    def network(self) -> WalkNetwork:
        """The streets."""
        return self.coverage.study.network

    @property
    def cells(self) -> Cells:
        """The cells, those of the margin included."""
        return self.coverage.basis.cells

    @property
    def usable(self) -> NDArray[np.bool_]:
        """Edges that services may enter at; shape (E,)."""
        return self.coverage.basis.doors.usable

    @property
    def graph(self) -> SearchGraph:
        """The streets as the walker sees them."""
        return self.coverage.basis.doors.graph

    @functools.cached_property
    def closed_ground(self) -> shapely.Geometry | None:
        """Where nobody can open or build anything, None if no layer tells.

        Water, railways and cemeteries, which some layers draw as parks and tell by their names.
        """
        background = self.coverage.study.background()
        if background is None:
            return None
        named = background["name"].fillna("").astype(str).map(fold)
        closed = background["kind"].isin(_NO_GROUND) | named.str.startswith(_CEMETERIES)
        return shapely.union_all(background.geometry.to_numpy()[closed.to_numpy()])

    def on_closed_ground(self, xy: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Tell which places are on it; ``xy`` is of shape (s, 2)."""
        ground = self.closed_ground
        if ground is None:
            return np.zeros(len(xy), dtype=bool)
        shapely.prepare(ground)
        return np.asarray(shapely.intersects_xy(ground, *xy.T))

    def streets_near(self, xy: NDArray[np.float64]) -> list[str]:
        """Return the name of the nearest useful street that has one, "" if there is none near."""
        return [name for name, _ in self.named_near(xy, 2 * self.coverage.study.snap_m)]

    def named_near(self, xy: NDArray[np.float64], most_m: float) -> list[tuple[str, float]]:
        """Return the nearest useful street with a name, and its metres; "" and NaN for none."""
        network = self.network
        named = self.usable & np.array([name != "" for name in network.names])[network.name_code]
        places = snap(network, xy, usable=named, max_distance_m=most_m)
        found = [("", np.nan)] * len(xy)
        first = places.begin[:-1][places.attached]
        edges, away_m = places.edge[first].tolist(), places.access_m[first].tolist()
        on = np.flatnonzero(places.attached).tolist()
        for place, edge, metres in zip(on, edges, away_m, strict=True):
            found[place] = (network.name_of(edge), metres)
        return found

    def attach(self, xy: NDArray[np.float64]) -> Attachment:
        """Return where services at some places enter the streets; ``xy`` is of shape (s, 2)."""
        return self.coverage.basis.doors.at(xy)

    def nearest_of(self, places: Attachment) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
        """Return the edge nearest to each of some attached places, and how far along it."""
        first = places.begin[:-1][places.attached]
        return places.edge[first], places.offset_m[first]

    def times(self, services: Attachment, places: Attachment) -> NDArray[np.float64]:
        """Return the minutes from some places to the nearest of some services; shape (p,)."""
        return self.graph.times(services, places).minutes

    def reach(self, places: Attachment, *, limit_min: float | None = None) -> Reach:
        """Return the cells within the threshold, or other minutes, of services at some places."""
        limit = self.coverage.study.threshold_min if limit_min is None else limit_min
        return reach_of_services(self.graph, places, self.cells.attachment, limit_min=limit)
