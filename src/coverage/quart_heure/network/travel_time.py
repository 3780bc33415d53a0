"""Minutes on foot from places to the nearest of a set of services.

One search spreads from all services of a category at once, against the direction of walking, so
its cost does not grow with their number. Each service is a node of its own with links to the ends
of the edges that it enters at: scipy knows no initial distances, and links that only lead away from
it cannot make a short cut through it.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from quart_heure.cache import hash_of
from quart_heure.network.components import walkable_edges
from quart_heure.network.graph import WalkNetwork
from quart_heure.network.limits import TOLERANCE
from quart_heure.network.slopes import Slopes
from quart_heure.network.snapping import Attachment
from quart_heure.profiles import WalkProfile

if TYPE_CHECKING:
    from scipy.sparse import csr_array

_LEAST_M = 1e-9
"""Stands for no way at all: a stored 0 may be taken for *no link* by a sparse matrix."""


@dataclasses.dataclass(frozen=True, eq=False)
class TravelTimes:
    """Minutes from places to their nearest service.

    Parameters
    ----------
    minutes
        Access, way and access together; inf where no service can be reached; shape (n,).
    nearest
        Position of that service in the sources, -1 where there is none; shape (n,).
    """

    minutes: NDArray[np.float64]
    nearest: NDArray[np.int32]


@dataclasses.dataclass(frozen=True, eq=False)
class NodeTimes:
    """Level metres from junctions to their nearest service.

    Parameters
    ----------
    level_m
        inf where no service can be reached; shape (N,).
    nearest
        Position of that service in the sources, -1 where there is none; shape (N,).
    """

    level_m: NDArray[np.float64]
    nearest: NDArray[np.int32]


@dataclasses.dataclass(frozen=True, eq=False)
class SearchGraph:
    """A network as one walker sees it, ready to be searched from the services outwards.

    Parameters
    ----------
    indptr, indices, level_m
        Sparse rows: what links lead to each node, where from, and their metres of level street
        (steps count more). Links are turned round, for the search goes from the services to the
        places.
    effort_forward, effort_backward
        Metres of level street per metre of each edge, from u to v and from v to u; shape (E,).
    u, v
        End nodes of each edge; shape (E,).
    forward, backward
        Whether this walker may take each edge from u to v, and from v to u; shape (E,).
    length_m
        Length of each edge; shape (E,).
    speed_m_per_min
        Metres of level street walked in a minute.
    """

    indptr: NDArray[np.int32]
    indices: NDArray[np.int32]
    level_m: NDArray[np.float64]
    effort_forward: NDArray[np.float64]
    effort_backward: NDArray[np.float64]
    u: NDArray[np.int32]
    v: NDArray[np.int32]
    forward: NDArray[np.bool_]
    backward: NDArray[np.bool_]
    length_m: NDArray[np.float64]
    speed_m_per_min: float

    @functools.cached_property
    def digest(self) -> str:
        """Hash of all of it."""
        return f"{self.ways_digest}-{self.speed_m_per_min!r}"

    @functools.cached_property
    def ways_digest(self) -> str:
        """Hash of all but the speed, which moves minutes and no way."""
        names = (field.name for field in dataclasses.fields(self))
        return hash_of(*(getattr(self, name) for name in names if name != "speed_m_per_min"))

    def times(
        self, sources: Attachment, targets: Attachment, *, limit_min: float = np.inf
    ) -> TravelTimes:
        """Return the minutes from each target place to the nearest source service.

        Parameters
        ----------
        sources
            The services; those off the network are never the nearest.
        targets
            The places.
        limit_min
            Streets further than this from every service are not searched.
        """
        return self.searches(targets, limit_min=limit_min)(sources)

    def searches(
        self, targets: Attachment, *, limit_min: float = np.inf
    ) -> Callable[[Attachment], TravelTimes]:
        """Return what searches from one group of services after another to the same places.

        How the places meet the network is worked out once, at the first search; see `times`.
        """
        arrived = self.arrivals(targets)

        def search(sources: Attachment) -> TravelTimes:
            return arrived(sources, self.node_times(sources, limit_min=limit_min))

        return search

    def arrivals(self, targets: Attachment) -> Callable[[Attachment, NodeTimes], TravelTimes]:
        """Return what tells the times of some places from those of the junctions around them.

        It takes the services, of whose entries those on other edges than the places' are not
        looked at, and their `node_times`.
        """

        @functools.cache
        def ways_out() -> list[tuple[NDArray[np.int32], NDArray[np.float64]]]:
            return [
                (end, np.where(allowed, way_m, np.inf))
                for end, allowed, way_m in self.ways_out(targets)
            ]

        def arrived(sources: Attachment, nodes: NodeTimes) -> TravelTimes:
            level_m = np.full(len(targets), np.inf)
            nearest = np.full(len(targets), -1, dtype=np.int32)
            if len(targets.place):
                (u, by_way_u), (v, by_way_v) = ways_out()
                place, reached = targets.place, np.isfinite(nodes.level_m)
                if 2 * np.count_nonzero(reached) > len(reached):
                    begin = targets.begin[:-1][targets.attached]
                else:
                    # A search with a limit comes to few of the streets.
                    some = np.flatnonzero(reached[u] | reached[v])
                    u, v, place = u[some], v[some], place[some]
                    by_way_u, by_way_v = by_way_u[some], by_way_v[some]
                    begin = np.flatnonzero(np.diff(place, prepend=-1))
                by_u, by_v = nodes.level_m[u] + by_way_u, nodes.level_m[v] + by_way_v
                by_entry = np.minimum(by_u, by_v)
                if len(begin):
                    level_m[place[begin]] = np.minimum.reduceat(by_entry, begin)
                # From the last entry to the first, so that of equals the first one stays.
                best = np.flatnonzero((by_entry == level_m[place]) & np.isfinite(by_entry))[::-1]
                end = np.where(by_v[best] < by_u[best], v[best], u[best])
                nearest[place[best]] = nodes.nearest[end]
                self._walk_along_one_edge(sources, targets, level_m, nearest)
            return TravelTimes(level_m / self.speed_m_per_min, nearest)

        return arrived

    def node_times(self, sources: Attachment, *, limit_min: float = np.inf) -> NodeTimes:
        """Return how far each junction is from the nearest service.

        Parameters
        ----------
        sources
            The services; those off the network are never the nearest.
        limit_min
            Streets further than this from every service are not searched.
        """
        n = len(self.indptr) - 1
        nearest = np.full(n, -1, dtype=np.int32)
        on = np.flatnonzero(sources.attached)
        if not len(on):
            return NodeTimes(np.full(n, np.inf), nearest)
        from scipy.sparse.csgraph import dijkstra  # noqa: PLC0415 - a warm run searches nothing

        matrix, _ = self.with_sources(sources[on])
        level_m, _, source = dijkstra(
            matrix,
            indices=n + np.arange(len(on)),
            min_only=True,
            limit=limit_min * self.speed_m_per_min * (1 + TOLERANCE),
            return_predecessors=True,
        )
        reached = np.isfinite(level_m[:n])
        nearest[reached] = on[source[:n][reached] - n]
        return NodeTimes(level_m[:n], nearest)

    def with_sources(self, sources: Attachment) -> tuple[csr_array, int]:
        """Return the links with a node for each service, and the first of these nodes.

        Parameters
        ----------
        sources
            Services, linked to either end of the edge of each of their entries.
        """
        from scipy.sparse import csr_array  # noqa: PLC0415 - a warm run searches nothing

        n = len(self.indptr) - 1
        ways = self.ways_out(sources, inbound=True)
        place = np.concatenate([sources.place[free] for _, free, _ in ways])
        end = np.concatenate([end[free] for end, free, _ in ways])
        link_m = np.concatenate([way_m[free] for _, free, way_m in ways])
        # Several entries lead to one junction: the shortest counts.
        order = np.lexsort((link_m, end, place))
        place, end, link_m = place[order], end[order], link_m[order]
        first = np.ones(len(place), dtype=bool)
        first[1:] = (place[1:] != place[:-1]) | (end[1:] != end[:-1])
        counts = np.bincount(place[first], minlength=len(sources))
        starts = self.indptr[-1] + np.cumsum(counts, dtype=np.int32)
        matrix = csr_array(
            (
                np.concatenate([self.level_m, np.maximum(link_m[first], _LEAST_M)]),
                np.concatenate([self.indices, end[first].astype(np.int32)]),
                np.concatenate([self.indptr, starts]),
            ),
            shape=(n + len(sources), n + len(sources)),
        )
        return matrix, n

    def ways_out(
        self, places: Attachment, *, inbound: bool = False
    ) -> list[tuple[NDArray[np.int32], NDArray[np.bool_], NDArray[np.float64]]]:
        """Return, for each end of an entry's edge, the node, whether it is free, the level metres.

        One value for each entry. Outwards a place leaves for v by walking forward; inwards one
        comes from v by walking backward. At the very end of a one-way edge nothing is left to walk.
        """
        edge, offset = places.edge, places.offset_m
        rest = np.maximum(self.length_m[edge] - offset, 0.0)
        to_u, to_v = self.backward[edge], self.forward[edge]
        by_u, by_v = self.effort_backward[edge], self.effort_forward[edge]
        if inbound:
            to_u, to_v, by_u, by_v = to_v, to_u, by_v, by_u
        return [
            (self.u[edge], to_u | (offset == 0), places.access_m + offset * by_u),
            (self.v[edge], to_v | (rest == 0), places.access_m + rest * by_v),
        ]

    def _walk_along_one_edge(
        self,
        sources: Attachment,
        targets: Attachment,
        level_m: NDArray[np.float64],
        nearest: NDArray[np.int32],
    ) -> None:
        """Let places on the same edge as a service walk straight to it."""
        service, entry, direct_m = self.along_edges(sources, targets)
        place = targets.place[entry]
        # Of each place the shortest; of equals, the service that comes first.
        order = np.lexsort((service, direct_m, place))
        place, service, direct_m = place[order], service[order], direct_m[order]
        better = direct_m < level_m[place]
        better[1:] &= place[1:] != place[:-1]
        level_m[place[better]] = direct_m[better]
        nearest[place[better]] = service[better]

    def along_edges(
        self, sources: Attachment, targets: Attachment
    ) -> tuple[NDArray[np.int32], NDArray[np.intp], NDArray[np.float64]]:
        """Return the walks straight along an edge that a place and a service both enter at.

        Returns
        -------
        service, entry, level_m
            Position of the service, of the entry among those of the places, and the metres of
            level street from door to door; shapes (k,).
        """
        shared = np.zeros(len(self.u), dtype=bool)
        shared[sources.edge] = True
        entries = np.flatnonzero(shared[targets.edge])
        entries = entries[np.argsort(targets.edge[entries], kind="stable")]
        edges = targets.edge[entries]
        begins = np.searchsorted(edges, sources.edge, side="left")
        n = np.searchsorted(edges, sources.edge, side="right") - begins
        source = np.repeat(np.arange(len(n)), n)
        entry = entries[np.repeat(begins - np.cumsum(n) + n, n) + np.arange(n.sum())]
        edge = sources.edge[source]
        along_m = sources.offset_m[source] - targets.offset_m[entry]
        ahead = along_m >= 0
        allowed = np.where(ahead, self.forward[edge], self.backward[edge]) | (along_m == 0)
        effort = np.where(ahead, self.effort_forward[edge], self.effort_backward[edge])
        level_m = sources.access_m[source] + targets.access_m[entry] + np.abs(along_m) * effort
        return sources.place[source][allowed], entry[allowed], level_m[allowed]


def search_graph(
    network: WalkNetwork, profile: WalkProfile, *, slopes: Slopes | None = None
) -> SearchGraph:
    """Turn a network into what one walker can search; all is level without slopes."""
    walkable = walkable_edges(network, profile)
    forward, backward = network.forward & walkable, network.backward & walkable
    there = back = np.where(network.steps, profile.steps_factor, 1.0)
    if slopes is not None:
        there, back = there * slopes.forward, back * slopes.backward
    there_m, back_m = network.length_m * there, network.length_m * back
    # Walking u to v is, seen from the services, a link from v to u.
    tail = np.concatenate([network.v[forward], network.u[backward]])
    head = np.concatenate([network.u[forward], network.v[backward]])
    cost = np.maximum(np.concatenate([there_m[forward], back_m[backward]]), _LEAST_M)
    order = np.lexsort((cost, head, tail))
    tail, head, cost = tail[order], head[order], cost[order]
    # Of parallel edges the shortest counts; a sparse matrix would add them up.
    first = np.ones(len(tail), dtype=bool)
    first[1:] = (tail[1:] != tail[:-1]) | (head[1:] != head[:-1])
    counts = np.bincount(tail[first], minlength=network.n_nodes)
    return SearchGraph(
        indptr=np.concatenate([[0], np.cumsum(counts)]).astype(np.int32),
        indices=head[first].astype(np.int32),
        level_m=cost[first],
        effort_forward=there,
        effort_backward=back,
        u=network.u,
        v=network.v,
        forward=forward,
        backward=backward,
        length_m=network.length_m,
        speed_m_per_min=profile.speed_m_per_min,
    )


def travel_times(
    network: WalkNetwork,
    profile: WalkProfile,
    sources: Attachment,
    targets: Attachment,
    *,
    slopes: Slopes | None = None,
    limit_min: float = np.inf,
) -> TravelTimes:
    """Return the minutes on foot from each target place to the nearest source service.

    For several searches on one network, keep the `search_graph` and call its ``times``.
    """
    return search_graph(network, profile, slopes=slopes).times(
        sources, targets, limit_min=limit_min
    )
