"""Straight street segments: their columns in one shape, zero lengths and duplicates dropped."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quart_heure.network.assembly import DEFAULTS
from quart_heure.network.groups import connected_groups

Columns = dict[str, NDArray[Any]]
Words = tuple[NDArray[np.integer[Any]], tuple[str, ...]]

MUST_AGREE = ("kind", "name", "steps", "bridge", "tunnel", "flags")


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Segments:
    """Segments without zero lengths and duplicates.

    A *dart* is a segment walked in one direction: 2s from a to b, 2s + 1 from b to a.

    Parameters
    ----------
    start
        The node that each dart leaves; shape (2 S,).
    walkable
        Whether each dart may be walked along its direction; shape (2 S,). Whether it may be walked
        against it is what the other dart of its segment says.
    metres
        Length of each segment; shape (S,).
    xy
        Places of the nodes; shape (K, 2).
    columns
        What each segment is; shape (S,) each.
    counts
        How many were given and dropped.
    """

    start: NDArray[np.int64]
    walkable: NDArray[np.bool_]
    metres: NDArray[np.float64]
    xy: NDArray[np.float64]
    columns: Columns
    counts: dict[str, int]

    def __len__(self) -> int:
        """Return the number of segments."""
        return len(self.metres)

    @classmethod
    def clean(
        cls,
        a: NDArray[np.int64],
        b: NDArray[np.int64],
        xy: NDArray[np.float64],
        columns: Columns,
    ) -> Segments:
        """Drop zero lengths and duplicates, and count them."""
        counts = {"segments": len(a)}
        (x_a, y_a), (x_b, y_b) = (xy.take(nodes, axis=0).T for nodes in (a, b))
        empty = (x_a == x_b) & (y_a == y_b)
        metres = np.hypot(x_b - x_a, y_b - y_a)
        if (empty & (a != b)).any():
            # Two nodes at one place with a piece of street between them are one node.
            place = _merge_nodes(a[empty], b[empty], len(xy))
            a, b = place[a], place[b]
        counts["zero_length_segments"] = int(np.count_nonzero(empty))
        kept = np.flatnonzero(~empty)
        kept = kept[_first_of_equals(a, b, columns, kept)]
        counts["duplicate_segments"] = len(a) - counts["zero_length_segments"] - len(kept)
        columns = {key: values[kept] for key, values in columns.items()}
        return cls(
            start=np.stack([a[kept], b[kept]], axis=1).ravel(),
            walkable=np.stack([columns["forward"], columns["backward"]], axis=1).ravel(),
            metres=metres[kept],
            xy=xy,
            columns=columns,
            counts=counts,
        )


def tabulate(columns: Mapping[str, NDArray[Any]], kind: Words, name: Words, n: int) -> Columns:
    """Return all columns with their types; words become their rank among the words."""
    table: Columns = {
        key: np.asarray(columns[key], dtype=dtype) if key in columns else np.full(n, value, dtype)
        for key, (value, dtype) in DEFAULTS.items()
    }
    for key, (codes, words) in (("kind", kind), ("name", name)):
        _, rank = np.unique(np.asarray(words, dtype=object), return_inverse=True)
        table[key] = rank.astype(np.int32)[np.asarray(codes)]
    return table


def _merge_nodes(a: NDArray[np.int64], b: NDArray[np.int64], n_nodes: int) -> NDArray[np.int64]:
    """Return for each node the lowest node it is tied to."""
    tied = np.unique(np.concatenate([a, b]))
    group = connected_groups(np.searchsorted(tied, a), np.searchsorted(tied, b), len(tied))
    _, lowest = np.unique(group, return_index=True)
    place = np.arange(n_nodes)
    place[tied] = tied[lowest[group]]
    return place


def _first_of_equals(
    a: NDArray[np.int64], b: NDArray[np.int64], columns: Columns, kept: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Mark the kept segments that are no duplicate; of equals, the lowest OSM id stays."""
    low, high = np.minimum(a, b)[kept], np.maximum(a, b)[kept]
    n_nodes = int(high.max(initial=0)) + 1
    key = low * n_nodes + high
    ordered = np.sort(key)
    twins = ordered[1:][ordered[1:] == ordered[:-1]]
    first = np.ones(len(kept), dtype=bool)
    if len(twins) == 0:
        return first
    # Few have the lower node of such a twin: only these are looked up.
    has_twins = np.zeros(int(low.max()) + 1, dtype=bool)
    has_twins[twins // n_nodes] = True
    suspects = np.flatnonzero(has_twins[low])
    at = np.searchsorted(twins, key[suspects]).clip(max=len(twins) - 1)
    suspects = suspects[twins[at] == key[suspects]]
    rows = kept[suspects]
    turned = a[rows] > b[rows]
    forward, backward = columns["forward"][rows], columns["backward"][rows]
    values = [
        key[suspects],
        *(columns[word][rows] for word in MUST_AGREE),
        np.where(turned, backward, forward),
        np.where(turned, forward, backward),
    ]
    order = np.lexsort((columns["osm_id"][rows], *values[::-1]))
    equal = np.logical_and.reduce([value[order][1:] == value[order][:-1] for value in values])
    first[suspects[order[1:][equal]]] = False
    return first
