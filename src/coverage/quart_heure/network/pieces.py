"""Pieces of a network: the streets that a part of the places needs, and no others.

The margin of a piece is the longest walk along the streets, not as the crow flies: it holds every
junction from which a walk within the limit leads into the part. Junctions and edges keep their
order and all figures their bits, so that what is found within the limit in a piece is what the
whole network gives.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from quart_heure.network.frontages import Shapes
from quart_heure.network.snapping import Attachment
from quart_heure.network.travel_time import SearchGraph

if TYPE_CHECKING:
    from scipy.sparse import csr_array

_MORE = 1 + 1e-6
"""A walk backwards is added up in another order than forwards: the margin is wider by this."""

_HAIR_M = 1.0
"""Bounds of streets are held against those of places with so much to spare."""


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class StreetPiece:
    """Some streets of a network.

    Parameters
    ----------
    edge, node
        Which of the network's its edges and its junctions are, ascending; shapes (e,) and (n,).
    graph
        These as the walker sees them, numbered anew.
    xy, offsets, drawn_m
        Their shapes, as those of a network; shapes (c, 2), (e + 1,) and (c,).
    """

    edge: NDArray[np.int32]
    node: NDArray[np.int32]
    graph: SearchGraph
    xy: NDArray[np.float64]
    offsets: NDArray[np.int64]
    drawn_m: NDArray[np.float64]

    @property
    def length_m(self) -> NDArray[np.float64]:
        """Length of each edge in metres; shape (e,)."""
        return self.graph.length_m

    def entered(self, places: Attachment) -> Attachment:
        """Return places with those of their entries that are on its edges, numbered as here."""
        at = np.minimum(np.searchsorted(self.edge, places.edge), max(len(self.edge) - 1, 0))
        here = np.zeros(len(places.edge), dtype=bool)
        if len(self.edge):
            here = self.edge[at] == places.edge
        kept = places.take(here)
        return dataclasses.replace(kept, edge=at[here].astype(np.int32))


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Cutter:
    """What cuts pieces out of a network.

    Parameters
    ----------
    shapes, graph
        The network, and as the walker sees it.
    margin_m
        Level metres of the longest walk.
    snap_m
        Places enter at edges within this.
    """

    shapes: Shapes
    graph: SearchGraph
    margin_m: float
    snap_m: float

    def around(self, xy: NDArray[np.float64], sources: Sequence[Attachment]) -> StreetPiece:
        """Return the streets that some places need.

        Parameters
        ----------
        xy
            The places; shape (n, 2).
        sources
            Services that are searched from: edges by which they come into the piece are in it.
        """
        near = self._near(xy)
        within = self._within_margin(near)
        wanted = near.copy()
        for one in sources:
            ends_in = within[self.graph.u[one.edge]] | within[self.graph.v[one.edge]]
            wanted[one.edge[ends_in]] = True
        edge = np.flatnonzero(wanted)
        within[self.graph.u[edge]] = True
        within[self.graph.v[edge]] = True
        return self._piece(edge, np.flatnonzero(within))

    @functools.cached_property
    def _bounds(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        begins = self.shapes.offsets[:-1]
        low = np.minimum.reduceat(self.shapes.xy, begins) if len(begins) else np.empty((0, 2))
        high = np.maximum.reduceat(self.shapes.xy, begins) if len(begins) else np.empty((0, 2))
        return low, high

    def _near(self, xy: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Tell which edges places may enter at."""
        low, high = self._bounds
        room = self.snap_m + _HAIR_M
        near: NDArray[np.bool_] = (
            (low <= xy.max(axis=0) + room) & (high >= xy.min(axis=0) - room)
        ).all(axis=1)
        return near

    def _within_margin(self, near: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Tell from which junctions a walk of the margin leads to either end of some edges."""
        from scipy.sparse.csgraph import dijkstra  # noqa: PLC0415 - only where a network is cut

        ends = np.unique([self.graph.u[near], self.graph.v[near]])
        within = np.zeros(len(self.graph.indptr) - 1, dtype=bool)
        if len(ends):
            found = dijkstra(self._turned, indices=ends, min_only=True, limit=self.margin_m * _MORE)
            within |= np.isfinite(found)
        return within

    @functools.cached_property
    def _links(self) -> csr_array:
        from scipy.sparse import csr_array  # noqa: PLC0415 - as above

        n = len(self.graph.indptr) - 1
        return csr_array((self.graph.level_m, self.graph.indices, self.graph.indptr), shape=(n, n))

    @functools.cached_property
    def _turned(self) -> csr_array:
        return self._links.T.tocsr()

    def _piece(self, edge: NDArray[np.intp], node: NDArray[np.intp]) -> StreetPiece:
        graph, shapes = self.graph, self.shapes
        links = self._links[node][:, node].sorted_indices()
        begin, size = shapes.offsets[edge], np.diff(shapes.offsets)[edge]
        ends = np.cumsum(size)
        vertex = np.repeat(begin - ends + size, size) + np.arange(size.sum())
        number = np.full(len(graph.indptr) - 1, -1, dtype=np.int32)
        number[node] = np.arange(len(node))
        return StreetPiece(
            edge=edge.astype(np.int32),
            node=node.astype(np.int32),
            graph=SearchGraph(
                indptr=links.indptr.astype(np.int32),
                indices=links.indices.astype(np.int32),
                level_m=links.data,
                effort_forward=graph.effort_forward[edge],
                effort_backward=graph.effort_backward[edge],
                u=number[graph.u[edge]],
                v=number[graph.v[edge]],
                forward=graph.forward[edge],
                backward=graph.backward[edge],
                length_m=graph.length_m[edge],
                speed_m_per_min=graph.speed_m_per_min,
            ),
            xy=shapes.xy[vertex],
            offsets=np.concatenate([[0], ends]).astype(np.int64),
            drawn_m=shapes.drawn_m[vertex],
        )
