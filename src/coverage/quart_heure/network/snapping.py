"""Snapping: where places enter the network.

A place enters at every useful *edge* near it, at the point of the edge that is nearest, and not at
the one nearest edge alone: that one may be a ring with an entrance on the far side. The distance to
each is walked too, and the least total counts.

What lies further than the nearest entry counts half as much again, since a straight line to the
next street rarely is one: houses stand between. So an entry at the rim of the radius is seldom the
least, and a place moved by a metre seldom gains or loses much by one that comes or goes there.
"""

from __future__ import annotations

import concurrent.futures
import dataclasses
import functools
import os
from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from quart_heure.cache import hash_of
from quart_heure.network.barriers import Barriers
from quart_heure.network.nearby import segments_near
from quart_heure.network.ordering import stable_order

SNAP_M = 100.0
"""A place further than this from every useful edge is off the network, in metres."""

ALWAYS_M = 40.0
"""Every useful edge within this is an entry: the other pavement, the street behind, in metres."""

NEAREST_FACTOR = 1.5
"""Beyond, so is an edge no further than this times the nearest one."""

FURTHER_FACTOR = 1.5
"""How often each metre counts by which an entry lies further than the nearest one."""

_MOST_THREADS = 8
_MOST_SQUARES = 4000
_MOST_UM = 1 << 34
"""Micrometres of the longest access that is told from a longer one, 17 km."""

_AT_ONCE = 8_000
"""Straight pieces of street looked at in one call; several calls share the cores."""


class Shapes(Protocol):
    """What places are held against: the drawings of streets, as `WalkNetwork` has them."""

    @property
    def xy(self) -> NDArray[np.float64]:
        """Vertices of all shapes, in metres; shape (C, 2)."""

    @property
    def offsets(self) -> NDArray[np.int64]:
        """Where each edge's vertices begin; shape (E + 1,)."""

    @property
    def drawn_m(self) -> NDArray[np.float64]:
        """Metres of drawing between the first vertex of an edge and each of its own; (C,)."""

    @property
    def length_m(self) -> NDArray[np.float64]:
        """Length of each edge in metres; shape (E,)."""


@dataclasses.dataclass(frozen=True, eq=False)
class Attachment:
    """Where places enter the network: some entries of each place, or none.

    Entries are in the order of their places, those of one place the nearest first.

    Parameters
    ----------
    place
        Position of the place of each entry, ascending; shape (k,).
    edge
        Edge of each entry; shape (k,).
    offset_m
        Metres along the edge from its node u; shape (k,).
    access_m
        Metres between the place and the edge as they count: those to the nearest entry, and
        `FURTHER_FACTOR` times what the entry lies further; shape (k,).
    n_places
        Number of places, those without an entry included.
    """

    place: NDArray[np.int32]
    edge: NDArray[np.int32]
    offset_m: NDArray[np.float64]
    access_m: NDArray[np.float64]
    n_places: int

    @classmethod
    def of_entries(
        cls,
        place: NDArray[np.integer[Any]],
        edge: NDArray[np.integer[Any]],
        offset_m: NDArray[np.float64],
        access_m: NDArray[np.float64],
        *,
        n_places: int,
    ) -> Attachment:
        """Put entries in order; of ones as near to a micrometre, the first given comes first."""
        # One key of whole numbers is sorted several times faster than two.
        micrometres = np.minimum(access_m * 1e6, _MOST_UM - 1).astype(np.int64)
        longest = int(micrometres.max(initial=0)) + 1
        order = stable_order(place.astype(np.int64) * longest + micrometres)
        return cls(
            place=place[order].astype(np.int32),
            edge=edge[order].astype(np.int32),
            offset_m=offset_m[order],
            access_m=access_m[order],
            n_places=n_places,
        )

    @classmethod
    def none(cls, n_places: int) -> Attachment:
        """Return places without an entry."""
        whole, real = np.empty(0, dtype=np.int32), np.empty(0)
        return cls(whole, whole, real, real, n_places)

    def __len__(self) -> int:
        """Return the number of places."""
        return self.n_places

    def __getitem__(self, places: NDArray[np.bool_] | NDArray[np.intp]) -> Attachment:
        """Return some places with their entries, by mask or by position."""
        if places.dtype == np.bool_:
            places = np.flatnonzero(places)
        begin, sizes = self.begin[places], self.begin[places + 1] - self.begin[places]
        at = np.repeat(begin - np.cumsum(sizes) + sizes, sizes) + np.arange(sizes.sum())
        return Attachment(
            place=np.repeat(np.arange(len(places), dtype=np.int32), sizes),
            edge=self.edge[at],
            offset_m=self.offset_m[at],
            access_m=self.access_m[at],
            n_places=len(places),
        )

    def take(self, entries: NDArray[np.bool_]) -> Attachment:
        """Return the same places with some of their entries."""
        return Attachment(
            self.place[entries],
            self.edge[entries],
            self.offset_m[entries],
            self.access_m[entries],
            self.n_places,
        )

    def updated(self, places: NDArray[np.intp], other: Attachment) -> Attachment:
        """Return all places, some of them with the entries that another attachment gives them.

        Entries of a place stay in the order they have, whichever attachment they are from.
        """
        again = np.zeros(self.n_places, dtype=bool)
        again[places] = True
        kept = self.take(~again[self.place])
        place = np.concatenate([kept.place, places[other.place]])
        order = stable_order(place.astype(np.int64))
        return Attachment(
            place=place[order].astype(np.int32),
            edge=np.concatenate([kept.edge, other.edge])[order],
            offset_m=np.concatenate([kept.offset_m, other.offset_m])[order],
            access_m=np.concatenate([kept.access_m, other.access_m])[order],
            n_places=self.n_places,
        )

    @classmethod
    def one_after_the_other(cls, parts: Sequence[Attachment]) -> Attachment:
        """Return the places of some attachments, in their order."""
        before = np.cumsum([0, *(len(part) for part in parts)])
        return cls(
            place=np.concatenate(
                [p.place + np.int32(n) for p, n in zip(parts, before, strict=False)]
            ),
            edge=np.concatenate([part.edge for part in parts]),
            offset_m=np.concatenate([part.offset_m for part in parts]),
            access_m=np.concatenate([part.access_m for part in parts]),
            n_places=int(before[-1]),
        )

    @functools.cached_property
    def begin(self) -> NDArray[np.int64]:
        """Where the entries of each place begin; shape (n + 1,)."""
        counts = np.bincount(self.place, minlength=self.n_places)
        return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)

    @functools.cached_property
    def digest(self) -> str:
        """Hash of all of it."""
        return hash_of(
            self.place, self.edge, self.offset_m, self.access_m, np.array([self.n_places])
        )

    @functools.cached_property
    def attached(self) -> NDArray[np.bool_]:
        """Whether each place is on the network; shape (n,)."""
        on: NDArray[np.bool_] = self.begin[1:] > self.begin[:-1]
        return on

    @functools.cached_property
    def nearest_edge(self) -> NDArray[np.int32]:
        """Edge of the nearest entry of each place, -1 off the network; shape (n,)."""
        edge = np.full(self.n_places, -1, dtype=np.int32)
        edge[self.attached] = self.edge[self.begin[:-1][self.attached]]
        return edge

    @functools.cached_property
    def nearest_m(self) -> NDArray[np.float64]:
        """Metres to the nearest entry of each place, NaN off the network; shape (n,)."""
        access_m = np.full(self.n_places, np.nan)
        access_m[self.attached] = self.access_m[self.begin[:-1][self.attached]]
        return access_m


def snap(
    network: Shapes,
    xy: NDArray[np.float64],
    *,
    usable: NDArray[np.bool_],
    max_distance_m: float = SNAP_M,
    always_m: float = ALWAYS_M,
    barriers: Barriers | None = None,
) -> Attachment:
    """Find where places enter the network.

    Parameters
    ----------
    network
        The walking network.
    xy
        Coordinates of the places in the CRS of the network; shape (n, 2).
    usable
        Edges that places may enter at; shape (E,). See
        `quart_heure.network.components.entry_edges`.
    max_distance_m
        No entry is further away.
    always_m
        Every usable edge within this is an entry.
    barriers
        What a straight line to an entry must not cross.

    Returns
    -------
    Attachment
        Of n places: each enters at every usable edge within ``always_m``, or within
        `NEAREST_FACTOR` times the nearest if that is more, at the nearest point of the edge. An
        edge behind a barrier is neither an entry nor the nearest.
    """
    near_m = min(always_m, max_distance_m)
    found = _within(network, xy, usable, near_m, barriers)
    if near_m < max_distance_m:
        # Elsewhere the nearest decides how far entries lie, and may not have been met yet.
        met_m = NEAREST_FACTOR * found.nearest_m(len(xy))
        lonely = np.isinf(met_m)
        further = ~lonely & (met_m > near_m)
        parts = [found.take(~further[found.place])]
        for places, radius_m in (
            (np.flatnonzero(further), min(NEAREST_FACTOR * near_m, max_distance_m)),
            (np.flatnonzero(lonely), max_distance_m),
        ):
            again = _within(network, xy[places], usable, radius_m, barriers)
            reach_m = np.maximum(always_m, NEAREST_FACTOR * again.nearest_m(len(places)))
            again = again.take(again.access_m <= reach_m[again.place])
            parts.append(again._replace(place=places[again.place]))
        found = _Met(*(np.concatenate(column) for column in zip(*parts, strict=True)))
    entries = Attachment.of_entries(*found, n_places=len(xy))
    nearest_m = entries.nearest_m[entries.place]
    access_m = nearest_m + FURTHER_FACTOR * (entries.access_m - nearest_m)
    return dataclasses.replace(entries, access_m=access_m)


class _Met(NamedTuple):
    """Edges that were met near places, in no order but that of the edges; shapes (k,)."""

    place: NDArray[np.integer[Any]]
    edge: NDArray[np.integer[Any]]
    offset_m: NDArray[np.float64]
    access_m: NDArray[np.float64]

    def nearest_m(self, n_places: int) -> NDArray[np.float64]:
        """Return the metres to the nearest of each place, inf where none was met; shape (n,)."""
        nearest_m = np.full(n_places, np.inf)
        np.minimum.at(nearest_m, self.place, self.access_m)
        return nearest_m

    def take(self, which: NDArray[np.bool_]) -> _Met:
        return _Met(self.place[which], self.edge[which], self.offset_m[which], self.access_m[which])


def _within(
    network: Shapes,
    xy: NDArray[np.float64],
    usable: NDArray[np.bool_],
    radius_m: float,
    barriers: Barriers | None,
) -> _Met:
    """Return every usable edge within a radius of each place, in the order of the edges."""
    segments = _segments_around(network, usable, xy, radius_m) if len(xy) else np.empty(0, int)
    if len(segments) == 0:
        none = Attachment.none(0)
        return _Met(none.place, none.edge, none.offset_m, none.access_m)
    # Cut between two edges: of each edge the nearest piece is taken.
    owner = np.searchsorted(network.offsets, segments, side="right") - 1
    cuts = np.searchsorted(owner, owner[_AT_ONCE::_AT_ONCE], side="left")
    parts = [part for part in np.split(np.arange(len(segments)), np.unique(cuts)) if len(part)]
    find = segments_near(xy, radius_m)
    blocks = None if barriers is None else barriers.around(xy, radius_m)

    def entries(part: NDArray[np.intp]) -> list[NDArray[Any]]:
        vertex = segments[part]
        start, end = network.xy[vertex], network.xy[vertex + 1]
        place, piece, share, access_m = find(start, end)
        edge = owner[part[piece]]
        kept = _nearest_of_each(edge * len(xy) + place, access_m)
        place, edge, piece = place[kept], edge[kept], piece[kept]
        share, access_m = share[kept], access_m[kept]
        if blocks is not None:
            near, crossed = blocks
            beside = np.flatnonzero(near[place])
            at = piece[beside]
            foot = start[at] + share[beside, None] * (end[at] - start[at])
            free = np.ones(len(place), dtype=bool)
            free[beside] = ~crossed(place[beside], foot)
            place, edge, piece = place[free], edge[free], piece[free]
            share, access_m = share[free], access_m[free]
        offset_m = _offsets_m(network, edge, vertex[piece], share)
        return [place.astype(np.int32), edge.astype(np.int32), offset_m, access_m]

    # Numpy works without Python's lock: the cores of a machine share the streets of a city.
    n_threads = min(os.cpu_count() or 1, _MOST_THREADS, len(parts))
    with concurrent.futures.ThreadPoolExecutor(n_threads) as threads:
        found = list(threads.map(entries, parts))
    return _Met(*(np.concatenate(column) for column in zip(*found, strict=True)))


def _nearest_of_each(key: NDArray[np.int64], access_m: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the position of the least access of each key; of equals, the first."""
    if len(key) == 0:
        return np.empty(0, dtype=np.intp)
    order = stable_order(key)
    key, access_m = key[order], access_m[order]
    begins = np.flatnonzero(np.append(True, key[1:] != key[:-1]))
    group = np.repeat(np.arange(len(begins)), np.diff(np.append(begins, len(key))))
    least = np.flatnonzero(access_m == np.minimum.reduceat(access_m, begins)[group])
    group = group[least]
    first: NDArray[np.intp] = order[least[np.append(True, group[1:] != group[:-1])]]
    return first


def _segments_around(
    network: Shapes,
    usable: NDArray[np.bool_],
    xy: NDArray[np.float64],
    radius_m: float,
) -> NDArray[np.intp]:
    """Return the first vertices of the straight pieces of usable edges that may be near a place.

    A few services are near few streets of a city. The plane is cut in squares half as large as the
    radius: what is within it and shorter than it has an end within less than one and a half times
    as much, at most three squares away; longer pieces are always kept.
    """
    first = np.repeat(usable, np.diff(network.offsets))
    first[network.offsets[1:] - 1] = False
    x, y = network.xy.T
    (west, south), (east, north) = xy.min(axis=0) - 2 * radius_m, xy.max(axis=0) + 2 * radius_m
    square_m = max(radius_m / 2, float(max(east - west, north - south)) / _MOST_SQUARES)
    shape = (int((east - west) / square_m) + 1, int((north - south) / square_m) + 1)
    near = np.zeros(shape, dtype=bool)
    c, r = np.floor((xy - (west, south)) / square_m).astype(np.int64).T
    near[c, r] = True
    for grid in (near, near.T):
        for _ in range(3):
            grid[1:] |= grid[:-1].copy()
            grid[:-1] |= grid[1:].copy()
    around = np.flatnonzero((x >= west) & (x <= east) & (y >= south) & (y <= north))
    column = np.floor((x[around] - west) / square_m).astype(np.int64)
    row = np.floor((y[around] - south) / square_m).astype(np.int64)
    kept = np.zeros(len(x), dtype=bool)
    kept[around] = near[column, row]
    kept[:-1] |= kept[1:] | (np.diff(network.drawn_m) > 0.99 * radius_m)
    return np.flatnonzero(first & kept)


def _offsets_m(
    network: Shapes,
    edge: NDArray[np.intp],
    vertex: NDArray[np.intp],
    share: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return how far along their edges points lie, given by straight piece and share of it."""
    drawn_m = network.drawn_m
    before = drawn_m[vertex]
    piece = drawn_m[vertex + 1] - before
    total = drawn_m[network.offsets[edge + 1] - 1]
    # A share of the length, not metres of the drawing: length_m may be better than the drawing.
    along = np.minimum((before + share * piece) / total, 1.0)
    offset_m: NDArray[np.float64] = along * network.length_m[edge]
    return offset_m
