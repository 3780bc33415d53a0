"""Streets of the map's page: a network in the few units that the page is told it in.

Places are whole units from the south-western corner of the page's grid. Nodes are in the order of a
curve that keeps neighbours together, and every edge runs from the node that comes first to the
other: steps between them are short numbers.
"""

from __future__ import annotations

import dataclasses
import functools
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from quart_heure.cache import Cache, Like, checked, hash_of
from quart_heure.network.arrays import NetworkArrays
from quart_heure.network.cores import cut, on_all_cores
from quart_heure.network.graph import WalkNetwork
from quart_heure.network.snapping import Attachment
from quart_heure.network.travel_time import SearchGraph
from quart_heure.outputs.map.cells import deflated
from quart_heure.outputs.map.data import PackedEdges, PackedPoints

UNIT_M = 0.0625
"""Places are told to this."""

_AT_ONCE = 50_000

STRAIGHT_M = 0.2
"""Bends that move a street by less are left out."""

LENGTH_M = 0.025
"""Metres of level street are told to this."""

ENTERED, NOT_FORWARD, NOT_BACKWARD = 1, 2, 4
"""Bits of an edge: places may enter at it; nobody walks it from its first node, or to it."""

_CURVE_BITS = 24
_BYTE = 256


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class WalkStreets:
    """The useful streets that a walker may take, as the page is told of them.

    Parameters
    ----------
    edge, turned
        Edge of the network that each is, and whether it runs the other way there; shapes (e,).
    u, v
        First and second node of each; shapes (e,).
    node_at
        Places of the nodes in units; shape (n, 2).
    at, offsets
        Vertices of all drawings in units, shape (c, 2), and where those of each edge begin (e + 1).
    there, back
        Units of level street from the first node to the second, and back; shapes (e,).
    flags
        Bits of each; shape (e,).
    """

    edge: NDArray[np.intp]
    turned: NDArray[np.bool_]
    u: NDArray[np.int64]
    v: NDArray[np.int64]
    node_at: NDArray[np.int64]
    at: NDArray[np.int64]
    offsets: NDArray[np.int64]
    there: NDArray[np.int64]
    back: NDArray[np.int64]
    flags: NDArray[np.uint8]

    @classmethod
    def of(
        cls,
        network: WalkNetwork,
        graph: SearchGraph,
        *,
        useful: NDArray[np.bool_],
        usable: NDArray[np.bool_],
        corner: NDArray[np.float64],
    ) -> WalkStreets:
        """Take the useful streets of a network.

        Parameters
        ----------
        network, graph
            The streets, and as the walker sees them.
        useful, usable
            Edges that lead somewhere, and those that places may enter at; shapes (E,).
        corner
            What places are told from; shape (2,).
        """
        kept = np.flatnonzero(useful & (graph.forward | graph.backward))
        drawn = network.lines[kept]
        straightened = on_all_cores(
            lambda some: shapely.simplify(drawn[some], STRAIGHT_M), cut(len(drawn), most=_AT_ONCE)
        )
        xy, line = shapely.get_coordinates(np.concatenate(straightened), return_index=True)
        at = np.rint((xy - corner) / UNIT_M).astype(np.int64)
        begins = np.searchsorted(line, np.arange(len(kept) + 1))
        first, last = begins[:-1], begins[1:] - 1
        names, position = np.unique([network.u[kept], network.v[kept]], return_inverse=True)
        ends = position.reshape(2, -1)
        node_at = np.zeros((len(names), 2), dtype=np.int64)
        node_at[ends[0]], node_at[ends[1]] = at[first], at[last]
        curve = np.argsort(_along_curve(node_at), kind="stable")
        rank = np.empty(len(curve), dtype=np.int64)
        rank[curve] = np.arange(len(curve))
        begin, end = rank[ends]
        turned = begin > end
        u, v = np.minimum(begin, end), np.maximum(begin, end)
        order = np.lexsort((v, u))
        edge, turned = kept[order], turned[order]
        there, back = (
            np.maximum(np.rint(metres[edge] / LENGTH_M), 1).astype(np.int64)
            for metres in (
                network.length_m * graph.effort_forward,
                network.length_m * graph.effort_backward,
            )
        )
        forward, backward = graph.forward[edge], graph.backward[edge]
        bits = (
            (usable[edge], ENTERED),
            (~np.where(turned, backward, forward), NOT_FORWARD),
            (~np.where(turned, forward, backward), NOT_BACKWARD),
        )
        return cls(
            edge=edge,
            turned=turned,
            u=u[order],
            v=v[order],
            node_at=node_at[curve],
            at=at[_vertices(first[order], last[order], turned)],
            offsets=np.append(0, np.cumsum((last - first + 1)[order])),
            there=np.where(turned, back, there),
            back=np.where(turned, there, back),
            flags=np.sum([where * bit for where, bit in bits], axis=0).astype(np.uint8),
        )

    @functools.cached_property
    def lines(self) -> NDArray[np.object_]:
        """Drawings in metres from the corner; shape (e,)."""
        lines = shapely.from_ragged_array(
            shapely.GeometryType.LINESTRING, self.at * UNIT_M, (self.offsets,)
        )
        return np.asarray(lines, dtype=object)

    def packed(self) -> PackedEdges:
        """Return all of it as the page unpacks it."""
        sizes = np.diff(self.offsets)
        line = np.repeat(np.arange(len(sizes)), sizes)
        drawn = _drawn(self.at, line)
        return PackedEdges(
            n_nodes=len(self.node_at),
            n_edges=len(self.u),
            nodes=packed_points(np.diff(self.node_at, axis=0, prepend=0)),
            begun=planes(np.bincount(self.u, minlength=len(self.node_at))),
            span=planes(self.v - self.u),
            bends=planes(sizes - 2),
            bend_steps=packed_points(self._bend_steps(line)),
            there=planes(self.there - drawn),
            back=planes(self.back - self.there) if (self.back != self.there).any() else [],
            flags=deflated(self.flags),
        )

    def network(self, like: NetworkArrays) -> NetworkArrays:
        """Return these streets as a network: what `quart_heure.network.snapping.snap` looks at."""
        return dataclasses.replace(
            like,
            u=self.u.astype(np.int32),
            v=self.v.astype(np.int32),
            length_m=self._metres(self.there, LENGTH_M),
            xy=self._metres(self.at, UNIT_M),
            offsets=self.offsets,
        )

    def graph(self, like: SearchGraph) -> SearchGraph:
        """Return them as the walker sees them, as far as entries need; not to be searched."""
        return dataclasses.replace(
            like,
            indptr=np.zeros(len(self.node_at) + 1, dtype=np.int32),
            u=self.u.astype(np.int32),
            v=self.v.astype(np.int32),
            forward=self.flags & NOT_FORWARD == 0,
            backward=self.flags & NOT_BACKWARD == 0,
            length_m=self._metres(self.there, LENGTH_M),
            effort_forward=np.ones(len(self.u)),
            effort_backward=self.back / self.there,
        )

    def entered(self, places: Attachment, network: WalkNetwork) -> Attachment:
        """Return an attachment to the network as one to these streets.

        Entries at streets that are not among them are left out.
        """
        position = np.full(network.n_edges, -1, dtype=np.int32)
        position[self.edge] = np.arange(len(self.edge))
        here = places.take(position[places.edge] >= 0)
        edge = position[here.edge]
        share = here.offset_m / network.length_m[here.edge]
        share = np.where(self.turned[edge], 1 - share, share)
        return dataclasses.replace(here, edge=edge, offset_m=share * (self.there[edge] * LENGTH_M))

    @staticmethod
    def _metres(units: NDArray[np.int64], unit_m: float) -> NDArray[np.float64]:
        return np.multiply(units, unit_m, dtype=np.float64)

    def _bend_steps(self, line: NDArray[np.integer]) -> NDArray[np.int64]:
        """Return how far bends lie from where a straight line from the one before puts them."""
        first, last = self.offsets[:-1], self.offsets[1:] - 1
        place = np.arange(len(line))
        bends = np.flatnonzero((place != first[line]) & (place != last[line]))
        end = last[line[bends]]
        left = end - bends + 1
        before = self.at[bends - 1]
        steps: NDArray[np.int64] = (
            self.at[bends] - before - (self.at[end] - before) // left[:, None]
        )
        return steps


def stored_streets(
    network: WalkNetwork,
    graph: SearchGraph,
    *,
    useful: NDArray[np.bool_],
    usable: NDArray[np.bool_],
    corner: NDArray[np.float64],
    cache: Cache,
) -> WalkStreets:
    """Return the useful streets of a network (see `WalkStreets.of`), by way of the cache."""
    names = [field.name for field in dataclasses.fields(WalkStreets)]

    def compute() -> dict[str, NDArray[Any]]:
        made = WalkStreets.of(network, graph, useful=useful, usable=usable, corner=corner)
        return {name: getattr(made, name) for name in names}

    def read(arrays: dict[str, NDArray[Any]]) -> WalkStreets:
        whole = Like("i", "edge")
        node = Like("i", "edge", below=len(arrays["node_at"]))
        kept = checked(
            arrays,
            edge=Like("i", below=network.n_edges),
            turned=Like("b", "edge"),
            u=node,
            v=node,
            node_at=Like("i", columns=2),
            at=Like("i", columns=2),
            offsets=Like("i", len(arrays["edge"]) + 1, parts_of="at"),
            there=whole,
            back=whole,
            flags=Like("u", "edge"),
        )
        return WalkStreets(**kept)

    key = [network.digest, graph.ways_digest, hash_of(useful, usable, corner)]
    return cache.recall_as("drawn", [*key, UNIT_M, STRAIGHT_M, LENGTH_M], compute, read)


def planes(numbers: NDArray[np.integer]) -> list[str]:
    """Return numbers of any sign packed a byte of each at a time, the lowest first.

    They are told as ``2n``, or ``-2n - 1`` below 0.
    """
    signed = np.asarray(numbers, dtype=np.int64)
    left = np.where(signed < 0, -2 * signed - 1, 2 * signed)
    found: list[str] = []
    while not found or left.any():
        found.append(deflated((left % _BYTE).astype(np.uint8)))
        left //= _BYTE
    return found


def packed_points(steps: NDArray[np.int64]) -> PackedPoints:
    """Return steps between points as the page unpacks them; shape (n, 2)."""
    return PackedPoints(x=planes(steps[:, 0]), y=planes(steps[:, 1]))


def _vertices(
    first: NDArray[np.intp], last: NDArray[np.intp], turned: NDArray[np.bool_]
) -> NDArray[np.intp]:
    """Return the vertices of lines one after the other, some from the last to the first."""
    sizes = last - first + 1
    along = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    begin, step = np.where(turned, last, first), np.where(turned, -1, 1)
    found: NDArray[np.intp] = np.repeat(begin, sizes) + np.repeat(step, sizes) * along
    return found


def _drawn(at: NDArray[np.int64], line: NDArray[np.integer]) -> NDArray[np.int64]:
    """Return the length of each drawing in units of `LENGTH_M`.

    By additions in order and a root, which every machine rounds alike.
    """
    within = np.flatnonzero(line[1:] == line[:-1])
    step = np.sqrt(((at[within + 1] - at[within]) ** 2).sum(axis=1))
    drawn = np.bincount(line[within], weights=step, minlength=int(line.max(initial=-1)) + 1)
    units: NDArray[np.int64] = np.floor(drawn * (UNIT_M / LENGTH_M) + 0.5).astype(np.int64)
    return units


def _along_curve(at: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return how far along a Morton curve places lie."""
    x, y = (at - at.min(axis=0, initial=0)).T
    found = np.zeros(len(at), dtype=np.int64)
    for bit in range(_CURVE_BITS):
        found |= (x >> bit & 1) << 2 * bit | (y >> bit & 1) << 2 * bit + 1
    return found
