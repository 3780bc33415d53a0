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
    """

    a: NDArray[np.int64]
    b: NDArray[np.int64]
    xy: NDArray[np.float64]
    columns: Columns
    counts: dict[str, int]

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
        x, y = np.ascontiguousarray(xy.T)
        empty = (x[a] == x[b]) & (y[a] == y[b])
        if (empty & (a != b)).any():
            # Two nodes at one place with a piece of street between them are one node.
            place = _merge_nodes(a[empty], b[empty], len(xy))
            a, b = place[a], place[b]
        counts["zero_length_segments"] = int(np.count_nonzero(empty))
        kept = np.flatnonzero(~empty)
        kept = kept[_first_of_equals(a, b, columns, kept)]
        counts["duplicate_segments"] = len(a) - counts["zero_length_segments"] - len(kept)
        return cls(
            a=a[kept],
            b=b[kept],
            xy=xy,
            columns={key: values[kept] for key, values in columns.items()},
            counts=counts,
        )

    def start(self, dart: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the node that each dart leaves."""
        nodes: NDArray[np.int64] = np.where(dart & 1, self.b[dart >> 1], self.a[dart >> 1])
        return nodes

    def walkable(self, dart: NDArray[np.int64], *, onwards: bool) -> NDArray[np.bool_]:
        """Tell whether each dart may be walked along (or against) its direction."""
        forward, backward = self.columns["forward"], self.columns["backward"]
        segment, turned = dart >> 1, (dart & 1).astype(bool)
        one, other = (backward, forward) if onwards else (forward, backward)
        walkable: NDArray[np.bool_] = np.where(turned, one[segment], other[segment])
        return walkable


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
    key = low * (max(int(high.max(initial=0)), 0) + 1) + high
    ordered = np.sort(key)
    twins = ordered[1:][ordered[1:] == ordered[:-1]]
    first = np.ones(len(kept), dtype=bool)
    if len(twins) == 0:
        return first
    suspects = np.flatnonzero(twins[np.searchsorted(twins, key).clip(max=len(twins) - 1)] == key)
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
