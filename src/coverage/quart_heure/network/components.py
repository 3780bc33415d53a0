"""Connected parts of a network, and which of them are worth snapping to."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from quart_heure.network.graph import WalkNetwork
from quart_heure.profiles import WalkProfile

__all__ = ["entry_edges", "label_components", "useful_edges", "walkable_edges"]

USEFUL_SHARE = 0.01
"""A component is useful when it holds at least this share of all nodes."""

_INDOORS = frozenset({"corridor", "elevator"})
"""Kinds of edges inside buildings and stations."""


@dataclasses.dataclass(frozen=True, eq=False)
class Components:
    """The connected parts of a network.

    Parameters
    ----------
    label
        Component of each node; shape (N,). Nodes without a walkable edge are parts of their own.
    size
        Nodes of each component; shape (number of components,).
    """

    label: NDArray[np.int32]
    size: NDArray[np.int64]


def walkable_edges(network: WalkNetwork, profile: WalkProfile) -> NDArray[np.bool_]:
    """Tell which edges a walker can use at all; shape (E,)."""
    walkable = network.forward | network.backward
    return walkable if profile.steps_allowed else walkable & ~network.steps


def label_components(network: WalkNetwork, walkable: NDArray[np.bool_]) -> Components:
    """Label the connected parts made of walkable edges, whatever their direction."""
    n = network.n_nodes
    u, v = network.u[walkable], network.v[walkable]
    links = coo_array((np.ones(len(u), dtype=np.int8), (u, v)), shape=(n, n))
    _, label = connected_components(links, directed=False)
    return Components(label=label.astype(np.int32), size=np.bincount(label))


def useful_edges(
    network: WalkNetwork, profile: WalkProfile, *, share: float = USEFUL_SHARE
) -> NDArray[np.bool_]:
    """Tell which edges places may attach to.

    An edge is useful when the walker can use it and its component holds at least ``share`` of all
    nodes. Components are those of the whole network, steps included: a pocket behind stairs is
    then out of reach for who cannot take them, and not off the network.

    Returns
    -------
    NDArray[np.bool_]
        Shape (E,).
    """
    components = label_components(network, network.forward | network.backward)
    large = components.size >= share * network.n_nodes
    return walkable_edges(network, profile) & large[components.label[network.u]]


def entry_edges(
    network: WalkNetwork, profile: WalkProfile, *, share: float = USEFUL_SHARE
) -> NDArray[np.bool_]:
    """Tell which edges places may enter at: the useful ones on the ground.

    Nobody steps from a courtyard into the tunnel below it, nor from a quay onto the bridge above.
    Tunnels, corridors, lifts and bridges are walked along, and entered at their ends only: those
    are ends of edges on the ground as well. Where only such edges meet, one is not on the ground.

    Returns
    -------
    NDArray[np.bool_]
        Shape (E,).
    """
    inside = np.array([kind in _INDOORS for kind in network.kinds], dtype=bool)
    ground = ~(network.tunnel | network.bridge | inside[network.kind_code])
    return useful_edges(network, profile, share=share) & ground
