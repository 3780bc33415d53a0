"""Walks: the streets along which people reach their nearest service, and which of them matter."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy.sparse.csgraph import dijkstra

from quart_heure.network.graph import WalkNetwork
from quart_heure.network.snapping import Attachment
from quart_heure.network.travel_time import SearchGraph

ALIKE_M = 15.0
"""A street has a counterpart where another network draws one within this: either pavement of it."""

_SAMPLE_M = 5.0
_LEAST_LACKING_M = 20.0
"""A shorter piece without a counterpart is a bend drawn otherwise."""

LACKS_COLUMNS = (
    *("rank", "network", "street", "kind", "osm_id", "lacking_m", "walkers", "categories"),
)


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class WalkTree:
    """The shortest walks from some places to the nearest of some services.

    Parameters
    ----------
    first_edge
        The edge at which each place enters the streets; shape (k,).
    first_node
        The junction that its walk comes to first, -1 where the walk ends on that very edge, or
        where there is none; shape (k,).
    weight
        Of each place, such as its residents; shape (k,).
    node
        The junctions on these walks, each after those that its walk leads to; shape (j,).
    node_edge
        The edge that leads on from each, -1 where the service's own edge is reached; shape (j,).
    following
        Position in ``node`` of the junction at the other end of that edge, -1 for none; (j,).
    """

    first_edge: NDArray[np.int32]
    first_node: NDArray[np.intp]
    weight: NDArray[np.float64]
    node: NDArray[np.intp]
    node_edge: NDArray[np.intp]
    following: NDArray[np.intp]

    @classmethod
    def of(
        cls,
        graph: SearchGraph,
        services: Attachment,
        places: Attachment,
        which: NDArray[np.intp],
        weight: NDArray[np.float64],
    ) -> WalkTree:
        """Search the walks of some places.

        Parameters
        ----------
        graph
            The streets as the walker sees them.
        services, places
            Where they enter them.
        which
            Positions of the places whose walks are wanted, all of them on the network; shape (k,).
        weight
            Of each of these; shape (k,).
        """
        matrix, n = graph.with_sources(services[services.attached])
        sources = n + np.arange(matrix.shape[0] - n)
        level_m, previous, _ = dijkstra(
            matrix, indices=sources, min_only=True, return_predecessors=True
        )
        mine = places[which]
        (to_u, _, u_m), (to_v, _, v_m) = (
            (end, free, np.where(free, way_m, np.inf)) for end, free, way_m in graph.ways_out(mine)
        )
        by_u, by_v = level_m[to_u] + u_m, level_m[to_v] + v_m
        by_entry = np.minimum(by_u, by_v)
        order = np.lexsort((by_entry, mine.place))
        best = order[np.flatnonzero(np.diff(mine.place[order], prepend=-1))]
        node = np.where(by_v[best] < by_u[best], to_v[best], to_u[best])
        # A service on the same edge is walked to along it.
        service, entry, direct_m = graph.along_edges(services, mine)
        del service
        along = np.full(len(which), np.inf)
        np.minimum.at(along, mine.place[entry], direct_m)
        ends_there = (along <= by_entry[best]) | ~np.isfinite(by_entry[best])
        start = np.where(ends_there, -1, node)
        on_walks = _nodes_of_walks(start[start >= 0], previous, n)
        on_walks = on_walks[np.argsort(level_m[on_walks], kind="stable")]
        ahead = previous[on_walks]
        at = np.full(n, -1, dtype=np.intp)
        at[on_walks] = np.arange(len(on_walks))
        last = ahead >= n  # the next is a service, on an edge of its own
        edge = _edges_between(graph, on_walks, np.where(last, on_walks, ahead))
        return cls(
            first_edge=mine.edge[best],
            first_node=np.where(start >= 0, at[np.maximum(start, 0)], -1),
            weight=weight,
            node=on_walks,
            node_edge=np.where(last, -1, edge),
            following=np.where(last, -1, at[np.where(last, 0, ahead)]),
        )

    @functools.cached_property
    def walkers(self) -> NDArray[np.float64]:
        """The weight of the places whose walks lead by each junction; shape (j,)."""
        begins = self.first_node[self.first_node >= 0]
        total = np.bincount(
            begins, weights=self.weight[self.first_node >= 0], minlength=len(self.node)
        ).astype(np.float64)
        for at in range(len(self.node) - 1, -1, -1):
            if self.following[at] >= 0:
                total[self.following[at]] += total[at]
        return total

    @functools.cached_property
    def edge(self) -> NDArray[np.intp]:
        """The edges that some walk leads along or begins at, each once."""
        return np.unique(np.concatenate([self.node_edge[self.node_edge >= 0], self.first_edge]))

    def along(self, n_edges: int) -> NDArray[np.float64]:
        """Return the weight of the places whose walks lead along each edge; shape (E,)."""
        whole = self.node_edge >= 0
        passing = np.bincount(
            self.node_edge[whole], weights=self.walkers[whole], minlength=n_edges
        ).astype(np.float64)
        passing += np.bincount(self.first_edge, weights=self.weight, minlength=n_edges)
        return passing

    def leads_along(self, edges: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Tell which places' walks lead along some edges; ``edges`` is of shape (E,), (k,)."""
        beyond = np.zeros(len(self.node) + 1, dtype=bool)  # the last is nowhere
        for at in range(len(self.node)):
            edge = self.node_edge[at]
            beyond[at] = (edge >= 0 and edges[edge]) or beyond[self.following[at]]
        found: NDArray[np.bool_] = beyond[self.first_node] | edges[self.first_edge]
        return found


def _nodes_of_walks(
    starts: NDArray[np.intp], previous: NDArray[np.int32], n: int
) -> NDArray[np.intp]:
    """Return the junctions on the walks from some junctions to the services."""
    seen = np.zeros(n, dtype=bool)
    front: NDArray[np.intp] = np.unique(starts)
    while len(front):
        seen[front] = True
        ahead = previous[front].astype(np.intp)
        ahead = np.unique(ahead[(ahead >= 0) & (ahead < n)])
        front = ahead[~seen[ahead]]
    return np.flatnonzero(seen)


def _edges_between(
    graph: SearchGraph, one: NDArray[np.integer], other: NDArray[np.integer]
) -> NDArray[np.intp]:
    """Return the shortest edge that may be walked between each pair of junctions."""
    n = len(graph.indptr) - 1
    low, high = np.minimum(graph.u, graph.v), np.maximum(graph.u, graph.v)
    key = low.astype(np.int64) * n + high
    walkable = np.flatnonzero(graph.forward | graph.backward)
    order = walkable[np.lexsort((graph.length_m[walkable], key[walkable]))]
    wanted = np.minimum(one, other).astype(np.int64) * n + np.maximum(one, other)
    found = np.searchsorted(key[order], wanted)
    edges: NDArray[np.intp] = order[np.minimum(found, len(order) - 1)]
    return edges


def edges_without_counterpart(
    network: WalkNetwork,
    edges: NDArray[np.intp],
    other: WalkNetwork,
    usable: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """Return how many metres of some edges another network draws nothing near.

    Parameters
    ----------
    network, edges
        A network, and the edges of it that are looked at; shape (k,).
    other, usable
        The other one, and its edges that may be walked; shape (F,).

    Returns
    -------
    NDArray
        Metres further than `ALIKE_M` from every such edge, 0 for edges that were not looked at and
        where they are fewer than `_LEAST_LACKING_M`; shape (E,).
    """
    lacking_m = np.zeros(len(network.u))
    lines = network.lines[edges]
    tree = shapely.STRtree(other.lines[usable])
    n = np.maximum(np.ceil(network.length_m[edges] / _SAMPLE_M).astype(int), 1)
    line = np.repeat(np.arange(len(edges)), n)
    step = np.arange(n.sum()) - np.repeat(np.cumsum(n) - n, n)
    points = shapely.line_interpolate_point(lines[line], (step + 0.5) / n[line], normalized=True)
    near = np.zeros(len(points), dtype=bool)
    if len(points) and usable.any():
        near[tree.query(points, predicate="dwithin", distance=ALIKE_M)[0]] = True
    share = np.bincount(line, weights=~near, minlength=len(edges)) / n
    metres = share * network.length_m[edges]
    lacking_m[edges] = np.where(metres >= _LEAST_LACKING_M, metres, 0.0)
    return lacking_m


def lacking_streets(
    network: WalkNetwork,
    trees: Sequence[tuple[str, WalkTree]],
    lacking_m: NDArray[np.float64],
) -> pd.DataFrame:
    """Return the streets that another network lacks, by who walks along them.

    Parameters
    ----------
    network
        Of the walks.
    trees
        The walks of each category.
    lacking_m
        As `edges_without_counterpart` gives it.

    Returns
    -------
    pandas.DataFrame
        Columns `LACKS_COLUMNS` but rank and network, and geometry. A street is all edges of one
        name, or of one way where it has none; ``walkers`` are those of its busiest edge, in the
        category in which they are most.
    """
    along = {category: tree.along(len(network.u)) for category, tree in trees}
    found = np.flatnonzero(lacking_m > 0)
    if not along or not len(found):
        return _street_table([])
    most = np.max([along[category][found] for category in along], axis=0)
    found, most = found[most > 0], most[most > 0]
    names = np.array(network.names, dtype=object)[network.name_code[found]]
    ways = network.osm_id[found]
    street = [
        name or (f"way {way}" if way else f"edge {edge}")
        for name, way, edge in zip(names, ways.tolist(), found.tolist(), strict=True)
    ]
    edges = pd.DataFrame({"key": street, "edge": found, "walkers": most, "street": names})
    rows = []
    for _, mine in edges.groupby("key", sort=False):
        busiest = int(mine["edge"].iloc[int(np.argmax(mine["walkers"]))])
        of_street = mine["edge"].to_numpy(dtype=np.intp)
        rows.append(
            {
                "street": str(mine["street"].iloc[0]),
                "kind": network.kind_of(busiest),
                "osm_id": int(network.osm_id[busiest]),
                "lacking_m": float(lacking_m[of_street].sum()),
                "walkers": float(mine["walkers"].max()),
                "categories": ";".join(c for c in along if along[c][of_street].any()),
                "geometry": shapely.multilinestrings(network.lines[of_street]),
            }
        )
    return _street_table(rows)


def _street_table(rows: Sequence[dict[str, object]]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=[*LACKS_COLUMNS[2:], "geometry"])
    kinds = {"osm_id": np.int64, "lacking_m": np.float64, "walkers": np.float64}
    return table.astype(kinds)
