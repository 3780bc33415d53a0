"""Checks of raw elements: ids that come twice, nodes off the globe, ways with missing nodes.

Arrays in, arrays out: what they mean is said in `quart_heure.sources.osm.data`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

_LISTED_PER_REASON = 200


@dataclasses.dataclass(frozen=True)
class Refs:
    """Node references of ways, one way after the other, and how many each has."""

    refs: NDArray[np.int64]
    counts: NDArray[np.int64]


@dataclasses.dataclass(frozen=True)
class Pieces:
    """Pieces of ways: positions of their nodes, how many each has, and the way each is of."""

    refs: NDArray[np.int64]
    counts: NDArray[np.int64]
    way: NDArray[np.int64]


def distinct(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return each value once, ascending; faster than `numpy.unique`, which hashes."""
    ordered = np.sort(values)
    first = np.ones(len(ordered), dtype=bool)
    first[1:] = ordered[1:] != ordered[:-1]
    return ordered[first]


class Problems:
    """Rows of a table of problems, no more than a few hundred of each sort."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._rows: dict[tuple[str, str, str], list[tuple[int, str]]] = {}

    def add(
        self, field: str, ids: NDArray[np.int64], values: Sequence[Any], reason: str, action: str
    ) -> None:
        """Add one row per id."""
        if len(ids):
            rows = self._rows.setdefault((field, reason, action), [])
            rows += zip(ids.tolist(), map(str, values), strict=True)

    def rows(self) -> tuple[Mapping[str, Any], ...]:
        """Return all rows in order, the long lists cut short by a row that says so."""
        rows: list[Mapping[str, Any]] = []
        for (field, reason, action), found in self._rows.items():
            shared = {"file": self._source, "field": field, "reason": reason, "action": action}
            rows += (
                {**shared, "row": osm_id, "value": value}
                for osm_id, value in found[:_LISTED_PER_REASON]
            )
            if len(found) > _LISTED_PER_REASON:
                more = f"{len(found) - _LISTED_PER_REASON} more"
                rows.append({**shared, "row": None, "value": more})
        return tuple(rows)


def order_nodes(
    node_id: NDArray[np.int64],
    lon: NDArray[np.float64],
    lat: NDArray[np.float64],
    problems: Problems,
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Return nodes on the globe by ascending id, each once."""
    good = (np.abs(lon) <= 180) & (np.abs(lat) <= 90)  # false for NaN as well
    if not good.all():
        values = [f"{x}, {y}" for x, y in zip(lon[~good], lat[~good], strict=True)]
        problems.add("node", node_id[~good], values, "not on the globe", "left out")
        node_id, lon, lat = node_id[good], lon[good], lat[good]
    if np.any(node_id[1:] <= node_id[:-1]):
        order = np.argsort(node_id, kind="stable")
        node_id, lon, lat = node_id[order], lon[order], lat[order]
    again = np.zeros(len(node_id), dtype=bool)
    again[1:] = node_id[1:] == node_id[:-1]
    if again.any():
        first = np.maximum.accumulate(np.where(again, 0, np.arange(len(again))))
        moved = again & ((lon != lon[first]) | (lat != lat[first]))
        values = [f"{x}, {y}" for x, y in zip(lon[moved], lat[moved], strict=True)]
        problems.add("node", node_id[moved], values, "node given twice", "the first one counts")
        node_id, lon, lat = node_id[~again], lon[~again], lat[~again]
    return node_id, lon, lat


def order_ways(
    way_id: NDArray[np.int64],
    ref_id: NDArray[np.int64],
    counts: NDArray[np.int64],
    way_tags: Sequence[Mapping[str, str]],
    problems: Problems,
) -> tuple[NDArray[np.int64], Refs]:
    """Return the order of ways by ascending id, each once, and their nodes in that order."""
    begin = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)

    def nodes_of(way: int) -> NDArray[np.int64]:
        return ref_id[begin[way] : begin[way + 1]]

    order = np.argsort(way_id, kind="stable")
    again = np.zeros(len(order), dtype=bool)
    again[1:] = way_id[order[1:]] == way_id[order[:-1]]
    if again.any():
        first = np.maximum.accumulate(np.where(again, 0, np.arange(len(again))))
        copies = np.flatnonzero(again)
        unlike = [
            way_tags[order[k]] != way_tags[order[first[k]]]
            or not np.array_equal(nodes_of(order[k]), nodes_of(order[first[k]]))
            for k in copies
        ]
        ids = way_id[order[copies[unlike]]]
        problems.add("way", ids, [""] * len(ids), "way given twice", "the first one counts")
        order = order[~again]
    taken = counts[order]
    steps = np.arange(taken.sum()) - np.repeat(np.cumsum(taken) - taken, taken)
    return order, Refs(refs=ref_id[np.repeat(begin[order], taken) + steps], counts=taken)


def find_nodes(
    node_id: NDArray[np.int64], ref_id: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return where each reference is in ``node_id``, and whether it is there at all."""
    if len(node_id) == 0:
        return np.zeros(len(ref_id), dtype=np.int64), np.zeros(len(ref_id), dtype=bool)
    position = np.minimum(np.searchsorted(node_id, ref_id), len(node_id) - 1)
    return position, node_id[position] == ref_id


def cut_ways(
    position: NDArray[np.int64],
    known: NDArray[np.bool_],
    counts: NDArray[np.int64],
    way_id: NDArray[np.int64],
    problems: Problems,
) -> Pieces:
    """Cut ways at missing nodes, drop repeated nodes, and leave out what is shorter than two."""
    way = np.repeat(np.arange(len(counts)), counts)
    missing = np.bincount(way[~known], minlength=len(counts))
    at = np.flatnonzero(missing)
    problems.add("way", way_id[at], missing[at].tolist(), "nodes are missing", "cut there")
    # A piece begins at the first node of a way, and at the first known node after a missing one.
    begins = np.ones(len(way), dtype=bool)
    begins[1:] = (way[1:] != way[:-1]) | ~known[:-1]
    piece = np.cumsum(begins) - 1
    stays = np.zeros(len(way), dtype=bool)
    stays[1:] = (piece[1:] == piece[:-1]) & (position[1:] == position[:-1]) & known[1:] & known[:-1]
    at = distinct(way[stays])
    problems.add("way", way_id[at], [""] * len(at), "a node twice in a row", "counted once")
    kept = known & ~stays
    size = np.bincount(piece[kept], minlength=int(begins.sum()))
    kept &= size[piece] >= 2
    in_use = size >= 2
    owner = way[begins][in_use]
    gone = np.ones(len(counts), dtype=bool)
    gone[owner] = False
    lost = np.flatnonzero(gone)
    problems.add("way", way_id[lost], [""] * len(lost), "fewer than two nodes", "left out")
    return Pieces(refs=position[kept], counts=size[in_use], way=owner)
