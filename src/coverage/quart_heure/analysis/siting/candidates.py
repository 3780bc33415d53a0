"""Candidates: places where a service could open, and the words that a person finds them by."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from quart_heure.network.graph import WalkNetwork
from quart_heure.sources.areas.areas import StudyArea

if TYPE_CHECKING:
    import geopandas as gpd

PLACE_COLUMNS = ("street", "crossing", "quarter", "district_id")
"""What tells where a candidate is."""


def streets_at(
    network: WalkNetwork, nodes: NDArray[np.intp], usable: NDArray[np.bool_]
) -> tuple[list[str], list[str]]:
    """Return the street and the crossing street of some nodes, "" where there is none.

    The street is the name that most edges at the node bear, the crossing street the next; of
    equals the first in the alphabet.
    """
    found = _names_at(network, nodes, usable)
    ranked = [found[int(node)] for node in nodes]
    return (
        [words[0] if words else "" for words in ranked],
        [words[1] if len(words) > 1 else "" for words in ranked],
    )


def streets_beside(
    network: WalkNetwork,
    edge: NDArray[np.integer],
    offset_m: NDArray[np.float64],
    usable: NDArray[np.bool_],
) -> tuple[list[str], list[str]]:
    """Return the street that some places stand on, and the one that crosses it at its nearer end.

    Parameters
    ----------
    edge, offset_m
        Where each place meets the streets; shapes (n,).
    """
    nearer_u = offset_m <= network.length_m[edge] / 2
    node = np.where(nearer_u, network.u[edge], network.v[edge]).astype(np.intp)
    streets, crossings = [], []
    found = _names_at(network, np.unique(node), usable)
    for one, end in zip(edge.tolist(), node.tolist(), strict=True):
        names = found[end]
        street = network.name_of(one) or (names[0] if names else "")
        others = [name for name in names if name != street]
        streets.append(street)
        crossings.append(others[0] if others else "")
    return streets, crossings


def _names_at(
    network: WalkNetwork, nodes: NDArray[np.intp], usable: NDArray[np.bool_]
) -> dict[int, list[str]]:
    streets: dict[int, dict[str, int]] = {int(node): {} for node in nodes}
    here = np.zeros(network.n_nodes, dtype=bool)
    here[nodes] = True
    for ends in (network.u, network.v):
        for edge in np.flatnonzero(usable & here[ends]).tolist():
            name = network.name_of(edge)
            if name:
                counts = streets[int(ends[edge])]
                counts[name] = counts.get(name, 0) + 1
    return {
        node: sorted(counts, key=lambda name: (-counts[name], name))
        for node, counts in streets.items()
    }


def parts_of(area: StudyArea, xy: NDArray[np.float64]) -> pd.DataFrame:
    """Return the quarter ("" without a finer division) and the district of some places."""
    quarter = [""] * len(xy)
    if area.subdistricts is not None:
        quarter = _holding(area.subdistricts, "label", xy)
    return pd.DataFrame(
        {"quarter": quarter, "district_id": _holding(area.districts, "district_id", xy)}
    )


def _holding(parts: gpd.GeoDataFrame, column: str, xy: NDArray[np.float64]) -> list[str]:
    found = [""] * len(xy)
    points = shapely.points(xy)
    place, part = shapely.STRtree(parts.geometry.to_numpy()).query(points, predicate="intersects")
    words = parts[column].tolist()
    for at, holder in sorted(zip(place.tolist(), part.tolist(), strict=True), reverse=True):
        found[at] = str(words[holder])  # the first of two that share a border comes last here
    return found
