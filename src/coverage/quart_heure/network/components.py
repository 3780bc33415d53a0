"""Connected parts of a network, and which of them are worth snapping to."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from quart_heure.network.graph import Flags, WalkNetwork
from quart_heure.network.groups import connected_groups
from quart_heure.profiles import WalkProfile

__all__ = ["entry_edges", "label_components", "useful_edges", "useful_parts", "walkable_edges"]

USEFUL_SHARE = 0.01
"""A component is useful when it holds at least this share of all nodes …"""

USEFUL_NODES = 20
"""… and at least this many: one in a hundred of a small town is a slip road."""

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
    if not profile.steps_allowed:
        walkable = walkable & ~network.steps
    if not (profile.demanding_allowed and profile.steps_allowed):
        walkable = walkable & (network.flags & Flags.DEMANDING == 0)
    return walkable


def label_components(network: WalkNetwork, walkable: NDArray[np.bool_]) -> Components:
    """Label the connected parts made of walkable edges, whatever their direction."""
    label = connected_groups(network.u[walkable], network.v[walkable], network.n_nodes)
    return Components(label=label, size=np.bincount(label))


def count_part_nodes(
    a: NDArray[np.int64], b: NDArray[np.int64], n_points: int
) -> tuple[NDArray[np.int64], int]:
    """Count the nodes of each component of a whole network, before a part of it is cut out.

    Parameters
    ----------
    a, b
        Ends of its straight pieces of street; shape (S,).
    n_points
        Number of points that these are positions of.

    Returns
    -------
    part_nodes, whole_nodes
        Nodes of the component of each point, shape (n_points,), and of all components. Nodes are
        points where any other number of pieces than two meet; a ring without one counts as one.
    """
    label = connected_groups(a, b, n_points)
    degree = np.bincount(np.concatenate([a, b]), minlength=n_points)
    nodes = np.bincount(
        label[(degree > 0) & (degree != 2)], minlength=int(label.max(initial=0)) + 1
    )
    street = np.bincount(label[degree > 0], minlength=len(nodes)) > 0
    nodes = np.maximum(nodes, street)
    return nodes[label].astype(np.int64), int(nodes.sum())


def useful_edges(
    network: WalkNetwork, profile: WalkProfile, *, share: float = USEFUL_SHARE
) -> NDArray[np.bool_]:
    """Tell which edges lead somewhere.

    An edge is useful when the walker can use it and its component is useful: it holds at least
    ``share`` of all nodes, and `USEFUL_NODES` of them unless ``share`` is 0; the largest one
    always is. Components are those of the whole network, steps included: a pocket behind stairs is
    then out of reach for who cannot take them, and not off the network. Of a network that was cut
    out of a larger one, they are those of the larger one, as far as `WalkNetwork.part_nodes`
    tells.

    Returns
    -------
    NDArray[np.bool_]
        Shape (E,).
    """
    return walkable_edges(network, profile) & useful_parts(network, share=share).edges


@dataclasses.dataclass(frozen=True, eq=False)
class Parts:
    """The parts of a network that lead somewhere.

    Parameters
    ----------
    label
        Component of each edge; shape (E,).
    edges
        Whether that component is useful; shape (E,).
    largest
        Whether it is the largest one; shape (E,).
    """

    label: NDArray[np.int32]
    edges: NDArray[np.bool_]
    largest: NDArray[np.bool_]

    def unserved(self, entered: NDArray[np.int32]) -> NDArray[np.bool_]:
        """Tell the useful edges from which no way leads to any of some edges; shape (E,).

        Those of the largest component are not among them: it is where everybody is.
        """
        served = np.zeros(int(self.label.max(initial=0)) + 1, dtype=bool)
        served[self.label[entered]] = True
        lonely: NDArray[np.bool_] = self.edges & ~served[self.label] & ~self.largest
        return lonely


def useful_parts(network: WalkNetwork, *, share: float = USEFUL_SHARE) -> Parts:
    """Tell the useful components of a network (see `useful_edges`)."""
    components = label_components(network, network.forward | network.backward)
    size, total = components.size, network.n_nodes
    label = components.label[network.u]
    if network.part_nodes is not None:
        # Streets that are joined beyond the cut are one component all the same.
        size = np.zeros(len(size), dtype=np.int64)
        np.maximum.at(size, label, network.part_nodes)
        total = int(network.meta["whole_nodes"])
    least = max(share * total, USEFUL_NODES if share > 0 else 0)
    largest = size == size.max(initial=0)
    useful = (size >= least) | largest
    return Parts(label=label, edges=useful[label], largest=largest[label])


def entry_edges(
    network: WalkNetwork,
    profile: WalkProfile,
    *,
    share: float = USEFUL_SHARE,
    parts: Parts | None = None,
) -> NDArray[np.bool_]:
    """Tell which edges places may enter at: the useful ones on the ground.

    Nobody steps from a courtyard into the tunnel below it, nor from a quay onto the bridge above.
    Tunnels, corridors, lifts and bridges are walked along, and entered at their ends only: those
    are ends of edges on the ground as well. Where only such edges meet, one is not on the ground.

    Parameters
    ----------
    parts
        The useful parts where they are known already; else those of ``share``.

    Returns
    -------
    NDArray[np.bool_]
        Shape (E,).
    """
    parts = parts or useful_parts(network, share=share)
    inside = np.array([kind in _INDOORS for kind in network.kinds], dtype=bool)
    ground = ~(network.tunnel | network.bridge | inside[network.kind_code])
    entered: NDArray[np.bool_] = walkable_edges(network, profile) & parts.edges & ground
    return entered
