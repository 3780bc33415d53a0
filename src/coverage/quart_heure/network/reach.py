"""Reach: the places within a walk of each single service.

The search for the nearest service (`quart_heure.network.travel_time`) tells nothing of the second
one. Hours, filters, capacities and the question of what happens if a place closes need every
service by itself; each search stops at a limit, so all of them together cost about as much as one
search of the whole city.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from quart_heure.network.limits import TOLERANCE, within
from quart_heure.network.ordering import runs, stable_order
from quart_heure.network.snapping import Attachment
from quart_heure.network.travel_time import SearchGraph

_AT_ONCE = 8
"""Services searched in one call: its answer is a dense row of all nodes for each."""


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Reach:
    """Minutes from places to each service that lies within a limit of them.

    Parameters
    ----------
    offsets
        Where the places of each service begin in ``place``; shape (s + 1,).
    place
        Positions of the places within the limit, in ascending order per service; shape (k,).
    minutes
        Minutes from each of those places to that service; shape (k,).
    n_places
        Number of places, reached or not.
    limit_min
        Longest walk, inclusive.
    """

    offsets: NDArray[np.int64]
    place: NDArray[np.int32]
    minutes: NDArray[np.float64]
    n_places: int
    limit_min: float

    @property
    def n_services(self) -> int:
        """Number of services, those that reach no place included."""
        return len(self.offsets) - 1

    def of(self, service: int) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
        """Return the places within the limit of one service, and their minutes to it."""
        here = slice(self.offsets[service], self.offsets[service + 1])
        return self.place[here], self.minutes[here]

    def take(self, services: NDArray[np.intp]) -> Reach:
        """Return the reach of some services, in the order given."""
        found = [self.of(int(service)) for service in services]
        sizes = [len(place) for place, _ in found]
        return Reach(
            offsets=np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
            place=np.concatenate([self.place[:0], *(place for place, _ in found)]),
            minutes=np.concatenate([self.minutes[:0], *(minutes for _, minutes in found)]),
            n_places=self.n_places,
            limit_min=self.limit_min,
        )

    def followed_by(self, other: Reach) -> Reach:
        """Return the reach of these services and then of others, of the same places."""
        return Reach(
            offsets=np.concatenate([self.offsets, self.offsets[-1] + other.offsets[1:]]),
            place=np.concatenate([self.place, other.place]),
            minutes=np.concatenate([self.minutes, other.minutes]),
            n_places=self.n_places,
            limit_min=self.limit_min,
        )

    def nearest(self, services: NDArray[np.intp]) -> NDArray[np.float64]:
        """Return the minutes from every place to the nearest of some services; shape (n,).

        inf where none of them is within the limit.
        """
        nearest = np.full(self.n_places, np.inf)
        for service in services:
            place, minutes = self.of(int(service))
            nearest[place] = np.minimum(nearest[place], minutes)
        return nearest

    def count(self, services: NDArray[np.intp], within_min: float) -> NDArray[np.int32]:
        """Return how many of some services each place has within some minutes; shape (n,)."""
        count = np.zeros(self.n_places, dtype=np.int32)
        for service in services:
            place, minutes = self.of(int(service))
            count[place[within(minutes, within_min)]] += 1
        return count


def reach_of_services(
    graph: SearchGraph,
    sources: Attachment,
    targets: Attachment,
    *,
    limit_min: float,
    links: NodeLinks | None = None,
) -> Reach:
    """Find the places within a walk of each service.

    Parameters
    ----------
    graph
        The network as one walker sees it.
    sources
        The services; one that is off the network reaches nothing.
    targets
        The places, such as the cells of a grid.
    limit_min
        Longest walk, inclusive; finite.
    links
        What `node_links` says of these places, where many searches lead to them.

    Returns
    -------
    Reach
        The same minutes as a search from that one service gives (`SearchGraph.times`).
    """
    from scipy.sparse.csgraph import dijkstra  # noqa: PLC0415 - a warm run searches nothing

    limit_m = limit_min * graph.speed_m_per_min * (1 + TOLERANCE)
    on = np.flatnonzero(sources.attached)
    matrix, first = graph.with_sources(sources[on])
    found: list[tuple[NDArray[np.int32], NDArray[np.float64]]] = [
        (np.empty(0, dtype=np.int32), np.empty(0))
    ] * len(sources)
    scratch = np.full(len(targets), np.inf)
    service, entry, direct_m = graph.along_edges(sources, targets)
    order = np.argsort(service, kind="stable")
    straight_to, entry, direct_m = service[order], entry[order], direct_m[order]
    straight = np.searchsorted(straight_to, np.arange(len(sources) + 1))
    # A few services need few of the places; many need nearly all of them, and these once.
    if links is None and len(on) > _AT_ONCE:
        links = node_links(graph, targets)
    for begin in range(0, len(on), _AT_ONCE):
        batch = np.arange(begin, min(begin + _AT_ONCE, len(on)))
        level_m = dijkstra(matrix, indices=first + batch, limit=limit_m)[:, :first]
        links = links or node_links(graph, targets.take(_around(graph, level_m, targets)))
        for row, service in zip(level_m, on[batch].tolist(), strict=True):
            place, metres = _places_of_nodes(row, links)
            near = slice(straight[service], straight[service + 1])
            place = np.append(place, targets.place[entry[near]])
            metres = np.append(metres, direct_m[near])
            found[service] = _least_per_place(place, metres, limit_m, scratch)
    sizes = [len(place) for place, _ in found]
    return Reach(
        offsets=np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
        place=np.concatenate([place for place, _ in found] or [np.empty(0, dtype=np.int32)]),
        minutes=np.concatenate([metres for _, metres in found] or [np.empty(0)])
        / graph.speed_m_per_min,
        n_places=len(targets),
        limit_min=limit_min,
    )


def _around(
    graph: SearchGraph, level_m: NDArray[np.float64], targets: Attachment
) -> NDArray[np.bool_]:
    """Tell which entries of the places are on streets that some search came to."""
    reached: NDArray[np.bool_] = np.asarray(np.isfinite(level_m).any(axis=0))
    hit: NDArray[np.bool_] = (reached[graph.u] | reached[graph.v])[targets.edge]
    return hit


@dataclasses.dataclass(frozen=True, eq=False)
class NodeLinks:
    """The places that each node leads to, and the metres of level street between them."""

    indptr: NDArray[np.int64]
    place: NDArray[np.int32]
    metres: NDArray[np.float64]


def node_links(graph: SearchGraph, targets: Attachment) -> NodeLinks:
    """Return the places behind each junction, which no search from services changes."""
    ends, frees, lengths = zip(*graph.ways_out(targets), strict=True)
    # Place after place, so that those behind one junction stay in their order.
    free = np.stack(frees, axis=1).ravel()
    node = np.stack(ends, axis=1).ravel()[free]
    order = stable_order(node)
    place = np.repeat(targets.place, 2)[free][order]
    metres = np.stack(lengths, axis=1).ravel()[free][order]
    node = node[order]
    del order, free  # of a city, each is as large as anything in memory
    # Several entries lead to one junction: the shortest counts.
    other = np.ones(len(node), dtype=bool)
    other[1:] = (node[1:] != node[:-1]) | (place[1:] != place[:-1])
    first = np.flatnonzero(other)
    counts = np.bincount(node[first], minlength=len(graph.indptr) - 1)
    return NodeLinks(
        np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        place[first],
        np.minimum.reduceat(metres, first) if len(first) else metres,
    )


def _places_of_nodes(
    node_m: NDArray[np.float64], links: NodeLinks
) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """Return the places behind the nodes that were reached, and their metres; some twice."""
    nodes = np.flatnonzero(np.isfinite(node_m))
    begins = links.indptr[nodes]
    sizes = links.indptr[nodes + 1] - begins
    at = runs(begins, sizes)
    return links.place[at], np.repeat(node_m[nodes], sizes) + links.metres[at]


def _least_per_place(
    place: NDArray[np.integer],
    metres: NDArray[np.float64],
    limit_m: float,
    scratch: NDArray[np.float64],
) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """Return each place within the limit once, with its least metres."""
    near = metres <= limit_m
    place, metres = place[near], metres[near]
    np.minimum.at(scratch, place, metres)
    once = np.flatnonzero(np.isfinite(scratch))
    least = scratch[once]
    scratch[once] = np.inf
    return once.astype(np.int32), least
