"""Minutes on foot from places to the nearest of a set of services.

One search spreads from all services of a category at once, against the direction of walking, so
its cost does not grow with their number. Each service is a node of its own with links to the ends
of its edge: scipy knows no initial distances, and links that only lead away from it cannot make a
short cut through it.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from quart_heure.cache import hash_of
from quart_heure.network.components import walkable_edges
from quart_heure.network.graph import WalkNetwork
from quart_heure.network.slopes import Slopes
from quart_heure.network.snapping import Attachment
from quart_heure.profiles import WalkProfile

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
        fields = (getattr(self, field.name) for field in dataclasses.fields(self))
        return hash_of(*map(np.asarray, fields))

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

        @functools.cache
        def ways_out() -> tuple[NDArray[np.intp], list[tuple[NDArray[Any], NDArray[np.float64]]]]:
            on = np.flatnonzero(targets.attached)
            return on, [
                (end, np.where(allowed, way_m, np.inf))
                for end, allowed, way_m in self.ways_out(targets[on])
            ]

        def search(sources: Attachment) -> TravelTimes:
            return self._times(sources, targets, *ways_out(), limit_min)

        return search

    def _times(
        self,
        sources: Attachment,
        targets: Attachment,
        on: NDArray[np.intp],
        ways: Sequence[tuple[NDArray[np.int32], NDArray[np.float64]]],
        limit_min: float,
    ) -> TravelTimes:
        """Search once; ``ways`` lead the places ``on`` the network to either end of their edge."""
        level_m = np.full(len(targets), np.inf)
        nearest = np.full(len(targets), -1, dtype=np.int32)
        if sources.attached.any():
            node_m, node_source = self._search(sources, limit_min * self.speed_m_per_min)
            by_u, by_v = (node_m[end] + way_m for end, way_m in ways)
            least = np.minimum(by_u, by_v)
            end = np.where(by_v < by_u, ways[1][0], ways[0][0])
            level_m[on] = least
            nearest[on] = np.where(np.isfinite(least), node_source[end], -1)
            self._walk_along_one_edge(sources, targets, level_m, nearest)
        return TravelTimes(level_m / self.speed_m_per_min, nearest)

    def _search(
        self, sources: Attachment, limit_m: float
    ) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
        """Return for each node the level metres to the nearest service, and its position."""
        on = np.flatnonzero(sources.attached)
        matrix, n = self.with_sources(sources[on])
        level_m, _, source = dijkstra(
            matrix,
            indices=n + np.arange(len(on)),
            min_only=True,
            limit=limit_m,
            return_predecessors=True,
        )
        reached = np.isfinite(level_m[:n])
        position = np.full(n, -1, dtype=np.int32)
        position[reached] = on[source[:n][reached] - n]
        return level_m[:n], position

    def with_sources(self, sources: Attachment) -> tuple[csr_array, int]:
        """Return the links with a node for each service, and the first of these nodes.

        Parameters
        ----------
        sources
            Services, all on the network.
        """
        n = len(self.indptr) - 1
        ways = self.ways_out(sources, inbound=True)
        ends = np.stack([end for end, _, _ in ways], axis=1)
        allowed = np.stack([free for _, free, _ in ways], axis=1)
        link_m = np.maximum(np.stack([way_m for _, _, way_m in ways], axis=1), _LEAST_M)
        starts = self.indptr[-1] + np.cumsum(allowed.sum(axis=1), dtype=np.int32)
        matrix = csr_array(
            (
                np.concatenate([self.level_m, link_m[allowed]]),
                np.concatenate([self.indices, ends[allowed].astype(np.int32)]),
                np.concatenate([self.indptr, starts]),
            ),
            shape=(n + len(sources), n + len(sources)),
        )
        return matrix, n

    def ways_out(
        self, places: Attachment, *, inbound: bool = False
    ) -> list[tuple[NDArray[np.int32], NDArray[np.bool_], NDArray[np.float64]]]:
        """Return, for each end of a place's edge, the node, whether it is free, the level metres.

        Outwards a place leaves for v by walking forward; inwards one comes from v by walking
        backward. At the very end of a one-way edge nothing is left to walk.
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
        on = np.flatnonzero(sources.attached)
        shared = np.zeros(len(self.u), dtype=bool)
        shared[sources.edge[on]] = True
        places = np.flatnonzero(targets.attached)
        places = places[shared[targets.edge[places]]]
        places = places[np.argsort(targets.edge[places], kind="stable")]
        begins = np.searchsorted(targets.edge[places], sources.edge[on], side="left")
        ends = np.searchsorted(targets.edge[places], sources.edge[on], side="right")
        for service, begin, end in zip(on, begins, ends, strict=True):
            here = places[begin:end]
            allowed, direct_m = self.along_edge(sources, int(service), targets[here])
            better = allowed & (direct_m < level_m[here])
            level_m[here[better]] = direct_m[better]
            nearest[here[better]] = service

    def along_edge(
        self, sources: Attachment, service: int, places: Attachment
    ) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
        """Tell which places may walk straight along the edge they share with a service.

        Parameters
        ----------
        sources, service
            The services, and the position of one of them.
        places
            Places on its edge; shape (n,).

        Returns
        -------
        allowed, level_m
            Whether each may, and its metres of level street; shapes (n,).
        """
        edge = sources.edge[service]
        along_m = sources.offset_m[service] - places.offset_m
        access_m = sources.access_m[service] + places.access_m
        ahead = along_m >= 0
        allowed = np.where(ahead, self.forward[edge], self.backward[edge]) | (along_m == 0)
        effort = np.where(ahead, self.effort_forward[edge], self.effort_backward[edge])
        return allowed, access_m + np.abs(along_m) * effort


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
