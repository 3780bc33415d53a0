"""Mesh: every crossing of a city as a candidate, one per square of a mesh."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

from quart_heure.network.graph import WalkNetwork

MESH_M = 150.0
"""Side of the squares, in metres: two proposals a block apart are the same to a city."""

_NO_ADDRESS = frozenset({"motorway", "motorway_link", "trunk", "trunk_link", "steps", "corridor"})
"""Streets that no door opens on."""

_ORDINARY = frozenset(
    {"living_street", "primary", "residential", "secondary", "tertiary", "unclassified"}
)
"""Streets that doors open on though they have no name: none of parks, yards and stations."""


def mesh_junctions(
    network: WalkNetwork,
    area: shapely.Geometry,
    *,
    usable: NDArray[np.bool_],
    mesh_m: float = MESH_M,
    avoided: shapely.Geometry | None = None,
) -> NDArray[np.intp]:
    """Return the crossings that candidates stand at, one per square of a mesh.

    Parameters
    ----------
    network
        The streets.
    area
        Where candidates may be.
    usable
        Edges that services may attach to; shape (E,).
    mesh_m
        Side of the squares, which begin at multiples of it.
    avoided
        Where nobody can open anything, such as water and railways.

    Returns
    -------
    NDArray[np.intp]
        Nodes of ``network`` in the order of rows and columns of the mesh: of each square the
        crossing of three or more useful edges that is nearest to its middle, the first of equals.
        One of them must be a street with a name, on the ground and not a motorway or stairs. In a
        square without such a crossing, an ordinary street without a name will do: where streets
        come without names, people live all the same.
    """
    n = network.n_nodes
    ends = np.concatenate([network.u[usable], network.v[usable]])
    degree = np.bincount(ends, minlength=n)
    address = usable & ~network.bridge & ~network.tunnel
    address &= ~np.isin(network.kind_code, _positions(network.kinds, _NO_ADDRESS))
    named = address & (network.name_code != _position(network.names, ""))
    ordinary = address & np.isin(network.kind_code, _positions(network.kinds, _ORDINARY))
    rank = np.full(n, 2)  # of a crossing: 0 with a name, 1 ordinary, 2 neither
    for kind, edges in ((1, ordinary), (0, named)):
        rank[network.u[edges]] = rank[network.v[edges]] = kind
    # In the middle of a bridge or of a ring road, a name alone makes no address.
    lifted = usable & (network.bridge | network.tunnel)
    hanging = np.bincount(np.concatenate([network.u[lifted], network.v[lifted]]), minlength=n)
    nodes = np.flatnonzero((degree >= 3) & (rank < 2) & (hanging < 2))
    xy = network.node_xy[nodes]
    shapely.prepare(area)
    held = shapely.intersects_xy(area, *xy.T)
    if avoided is not None:
        shapely.prepare(avoided)
        held &= ~shapely.intersects_xy(avoided, *xy.T)
    nodes, xy = nodes[held], xy[held]
    square = np.floor(xy / mesh_m)
    away_m = np.hypot(*(xy - (square + 0.5) * mesh_m).T)
    order = np.lexsort((nodes, away_m, rank[nodes], square[:, 0], square[:, 1]))
    square = square[order]
    first = np.ones(len(order), dtype=bool)
    first[1:] = (square[1:] != square[:-1]).any(axis=1)
    return np.asarray(nodes[order][first])


def _positions(words: tuple[str, ...], wanted: frozenset[str]) -> list[int]:
    return [at for at, word in enumerate(words) if word in wanted]


def _position(words: tuple[str, ...], wanted: str) -> int:
    return words.index(wanted) if wanted in words else -1
