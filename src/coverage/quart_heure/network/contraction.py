"""From raw street segments to a walking network: nodes of degree 2 are contracted.

Segments are straight pieces between two vertices. A vertex where exactly two segments meet that
agree in everything is a bend, not a junction: it becomes part of an edge's shape. Lengths and
shapes are kept, and so are parallel edges and loops.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyproj
from numpy.typing import NDArray

from quart_heure.errors import NetworkError
from quart_heure.network.arrays import NetworkArrays
from quart_heure.network.assembly import DEFAULTS, assemble_network
from quart_heure.network.groups import connected_groups
from quart_heure.network.ordering import order_by, runs
from quart_heure.network.segments import (
    MUST_AGREE,
    Columns,
    Segments,
    Words,
    tabulate,
)


def contract(
    *,
    a: NDArray[np.integer[Any]],
    b: NDArray[np.integer[Any]],
    node_xy: NDArray[np.float64],
    columns: Mapping[str, NDArray[Any]],
    kind: Words,
    name: Words,
    crs: pyproj.CRS,
    meta: Mapping[str, Any],
    keep: NDArray[np.bool_] | None = None,
) -> NetworkArrays:
    """Build a network from straight street segments.

    Parameters
    ----------
    a, b
        Ends of each segment, positions in ``node_xy``; shape (S,).
    node_xy
        Coordinates of the nodes in metres of ``crs``; shape (K, 2).
    columns
        Any of steps, bridge, tunnel, forward (walkable from a to b), backward, flags, osm_id;
        shape (S,) each. Absent ones take the defaults of an edge table.
    kind, name
        Codes of shape (S,) and the words they stand for.
    crs, meta
        See `NetworkArrays`. Counts are added to ``meta["counts"]``: segments, zero_length_segments
        (dropped, their two ends become one node), duplicate_segments (dropped), nodes, edges.
    keep
        Nodes that stay nodes whatever meets there; shape (K,).

    Returns
    -------
    NetworkArrays
        Nodes are numbered by x, then y; edges by u, v, length and shape, each running from its
        lower to its higher node. So the numbering does not depend on the order of the segments.

    Raises
    ------
    NetworkError
        If no segment is left.
    CrsError
        If the CRS is not projected in metres.

    Notes
    -----
    A ring without any junction keeps one node, its first by x, then y. Where segments of several
    OSM ways become one edge, ``osm_id`` is that of its first segment.
    """
    street = Segments.clean(
        np.asarray(a, dtype=np.int64),
        np.asarray(b, dtype=np.int64),
        np.asarray(node_xy, dtype=np.float64),
        tabulate(columns, kind, name, len(a)),
    )
    if len(street) == 0:
        msg = "No street segment is left to build a walking network of."
        raise NetworkError(msg, hint="Check the area and what was dropped by the walking rules.")
    onward, is_bend = _link(street, keep)
    chains = _chain(street, onward, is_bend)
    words = {"kind": kind[1], "name": name[1]}
    return _assemble(street, chains, words=words, crs=crs, meta=meta)


@dataclasses.dataclass(frozen=True, eq=False)
class _Chains:
    """Darts in walking order, chain after chain, each running from its lower to its higher node.

    Parameters
    ----------
    darts
        All darts of all chains; shape (S,).
    offsets
        Where each chain begins in ``darts``; shape (E + 1,).
    u, v
        Ends of each chain, numbered by x, then y; shape (E,).
    """

    darts: NDArray[np.int64]
    offsets: NDArray[np.int64]
    u: NDArray[np.int64]
    v: NDArray[np.int64]


def _link(
    street: Segments, keep: NDArray[np.bool_] | None
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Find the bends and the dart that follows each dart there.

    Returns
    -------
    onward
        Next dart of each dart, -1 where it ends at a node that stays; shape (2 S,).
    is_bend
        Nodes that are contracted; shape (K,).
    """
    is_bend = np.bincount(street.start, minlength=len(street.xy)) == 2
    if keep is not None:
        is_bend &= ~keep
    bends = np.flatnonzero(is_bend)
    # The two darts that leave each bend: of several, the last one written stays.
    leaving = np.arange(len(street.start))
    some = np.zeros(len(street.xy), dtype=np.int64)
    some[street.start] = leaving
    one = some[bends]
    some[street.start[::-1]] = leaving[::-1]
    other = some[bends]
    # One arrives by the reverse of what leaves.
    agree = street.walkable[one ^ 1] == street.walkable[other]
    agree &= street.walkable[one] == street.walkable[other ^ 1]
    segment, other_segment = one >> 1, other >> 1
    for key in MUST_AGREE:
        values = street.columns[key]
        agree &= values[segment] == values[other_segment]
    is_bend[bends[~agree]] = False
    one, other = one[agree], other[agree]
    onward = np.full(len(leaving), -1, dtype=np.int64)
    onward[one ^ 1], onward[other ^ 1] = other, one
    return onward, is_bend


def _chain(street: Segments, onward: NDArray[np.int64], is_bend: NDArray[np.bool_]) -> _Chains:
    """Walk the links from one staying node to the next; rings are cut at their first node."""
    last, steps = _follow(street, onward, is_bend)
    rank = _rank_nodes(street, is_bend)
    start, end = _orient(street, last, rank)
    chain_of = np.full(len(onward), -1, dtype=np.int64)
    chain_of[end] = np.arange(len(end))
    chain_of = chain_of[last]
    darts = np.flatnonzero(chain_of >= 0)  # of the two of each segment, the one that is walked
    chain = chain_of[darts]
    offsets = np.concatenate([[0], np.cumsum(steps[start] + 1)])
    walked = np.empty(len(darts), dtype=np.int64)
    walked[offsets[chain + 1] - 1 - steps[darts]] = darts
    return _Chains(
        darts=walked,
        offsets=offsets,
        u=rank[street.start[start]],
        v=rank[street.start[end ^ 1]],
    )


def _follow(
    street: Segments, onward: NDArray[np.int64], is_bend: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the last dart of the chain of each, and how many darts lie from it to that one.

    Rings are cut (in place) at their first node, by x then y, which so is a bend no more.
    """
    last = np.arange(len(onward))
    steps = np.zeros(len(onward), dtype=np.int64)
    around = _leap(onward, last, steps, np.flatnonzero(onward >= 0))
    if len(around):
        _cut_rings(street, onward, is_bend, around)
        last[around], steps[around] = around, 0
        _leap(onward, last, steps, around[onward[around] >= 0])
    return last, steps


def _leap(
    onward: NDArray[np.int64],
    last: NDArray[np.int64],
    steps: NDArray[np.int64],
    going: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Follow the links of some darts to their ends (in place); return those that go in rings.

    Each leap is twice as long as the one before: where a dart has come to, others have been on
    their way as long.
    """
    last[going], steps[going] = onward[going], 1
    for _ in range(len(going).bit_length()):
        going = going[onward[last[going]] >= 0]
        at = last[going]
        last[going], steps[going] = last[at], steps[going] + steps[at]
    return going[onward[last[going]] >= 0]


def _cut_rings(
    street: Segments,
    onward: NDArray[np.int64],
    is_bend: NDArray[np.bool_],
    around: NDArray[np.int64],
) -> None:
    """Make the first node, by x then y, of each ring of darts ``around`` stay (in place)."""
    # What follows a dart, and the same piece walked in the other direction, is of its ring.
    of_ring = np.concatenate([onward[around], around ^ 1])
    here = np.arange(len(around))
    ring = connected_groups(np.tile(here, 2), np.searchsorted(around, of_ring), len(around))
    nodes = street.start[around]
    order = np.lexsort((nodes, street.xy[nodes, 1], street.xy[nodes, 0], ring))
    first = np.append(True, ring[order][1:] != ring[order][:-1])
    is_bend[nodes[order[first]]] = False
    leaving = around[~is_bend[nodes]]
    onward[leaving ^ 1] = -1


def _rank_nodes(street: Segments, is_bend: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the number of each node that stays, by x, then y; -1 for all others; shape (K,)."""
    stays = np.zeros(len(street.xy), dtype=bool)
    stays[street.start] = True
    nodes = np.flatnonzero(stays & ~is_bend)
    x, y = street.xy.take(nodes, axis=0).T
    order = order_by(x, lambda rows: [y[rows]])
    rank = np.full(len(street.xy), -1, dtype=np.int64)
    rank[nodes[order]] = np.arange(len(nodes))
    return rank


def _orient(
    street: Segments, last: NDArray[np.int64], rank: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the first and the last dart of each chain, walked from its lower node.

    Chains are in the order of their first segments.
    """
    least = np.minimum(last[::2], last[1::2])
    segments = np.arange(len(street))
    first = np.empty(len(last), dtype=np.int64)
    first[least[::-1]] = segments[::-1]  # of several, the last one written stays
    segment = np.flatnonzero(first[least] == segments)
    one = least[segment] ^ 1
    other = np.maximum(last[2 * segment], last[2 * segment + 1]) ^ 1
    start, end = rank[street.start[one]], rank[street.start[other]]
    swap = start > end
    # A loop has one end only: its second vertex decides, and after that the way it is walked.
    loops = np.flatnonzero(start == end)
    darts = np.stack([one[loops], other[loops]])
    (x, other_x), (y, other_y) = np.moveaxis(street.xy[street.start[darts ^ 1]], 2, 0)
    onwards, other_onwards = street.walkable[darts]
    undecided = np.ones(len(loops), dtype=bool)
    for left, right in ((x, other_x), (y, other_y), (other_onwards, onwards)):
        swap[loops[undecided & (left > right)]] = True
        undecided &= left == right
    return np.where(swap, other, one), np.where(swap, one, other) ^ 1


def _assemble(
    street: Segments,
    chains: _Chains,
    *,
    words: Mapping[str, tuple[str, ...]],
    crs: pyproj.CRS,
    meta: Mapping[str, Any],
) -> NetworkArrays:
    """Sort the chains and lay out their vertices and columns as edges."""
    length_m = np.add.reduceat(street.metres[chains.darts >> 1], chains.offsets[:-1])
    columns = _edge_columns(street, chains.darts[chains.offsets[:-1]])
    order = _sort_edges(street, chains, length_m, columns)

    sizes = np.diff(chains.offsets)[order]
    offsets = np.concatenate([[0], np.cumsum(sizes + 1)])
    darts = chains.darts[runs(chains.offsets[:-1][order], sizes)]
    vertices = np.empty(offsets[-1], dtype=np.int64)
    vertices[runs(offsets[:-1], sizes)] = street.start[darts]
    vertices[offsets[1:] - 1] = street.start[darts[np.cumsum(sizes) - 1] ^ 1]

    columns = {key: values[order] for key, values in columns.items()}
    counts = {"nodes": int(max(chains.u.max(), chains.v.max())) + 1, "edges": len(order)}
    return assemble_network(
        u=chains.u[order].astype(np.int32),
        v=chains.v[order].astype(np.int32),
        length_m=length_m[order],
        columns={key: columns[key] for key in DEFAULTS},
        kind=_used_words(columns["kind"], words["kind"]),
        name=_used_words(columns["name"], words["name"]),
        xy=street.xy.take(vertices, axis=0),
        offsets=offsets,
        crs=crs,
        meta={**meta, "counts": {**meta.get("counts", {}), **street.counts, **counts}},
    )


def _edge_columns(street: Segments, first: NDArray[np.int64]) -> Columns:
    """Return the columns of edges from the first dart of each."""
    segment = first >> 1
    columns = {key: values[segment] for key, values in street.columns.items()}
    columns["forward"], columns["backward"] = street.walkable[first], street.walkable[first ^ 1]
    return columns


def _sort_edges(
    street: Segments, chains: _Chains, length_m: NDArray[np.float64], columns: Columns
) -> NDArray[np.int64]:
    """Order edges by ends, length, shape, and what tells twins of one shape apart."""
    first = chains.darts[chains.offsets[:-1]]
    last = chains.darts[chains.offsets[1:] - 1]

    def others(rows: NDArray[np.intp]) -> list[NDArray[Any]]:
        second, penultimate = first[rows] ^ 1, last[rows]
        return [
            length_m[rows],
            *street.xy[street.start[second]].T,
            *street.xy[street.start[penultimate]].T,
            *(columns[key][rows] for key in (*MUST_AGREE, "forward", "backward", "osm_id")),
        ]

    # Few pairs of nodes have several edges.
    return order_by(chains.u * (int(chains.v.max()) + 1) + chains.v, others)


def _used_words(
    ranks: NDArray[np.int32], words: tuple[str, ...]
) -> tuple[NDArray[np.int32], tuple[str, ...]]:
    """Return codes and words without the words that no edge has."""
    ordered = sorted(set(words))
    used = np.bincount(ranks, minlength=len(ordered)) > 0
    codes = np.cumsum(used, dtype=np.int32) - np.int32(1)
    return codes[ranks], tuple(itertools.compress(ordered, used))
