"""Snapping: where places enter the network.

A place enters at every useful *edge* near it, at the point of the edge that is nearest, and not at
the one nearest edge alone: that one may be a ring with an entrance on the far side. The distance to
each is walked too, and the least total counts.

What lies further than the nearest entry counts half as much again, since a straight line to the
next street rarely is one: houses stand between. So an entry at the rim of the radius is seldom the
least, and a place moved by a metre seldom gains or loses much by one that comes or goes there.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from quart_heure.cache import hash_of
from quart_heure.network.barriers import Barriers
from quart_heure.network.frontages import Frontages, Shapes
from quart_heure.network.ordering import stable_order

SNAP_M = 100.0
"""A place further than this from every useful edge is off the network, in metres."""

ALWAYS_M = 40.0
"""Every useful edge within this is an entry: the other pavement, the street behind, in metres."""

NEAREST_FACTOR = 1.5
"""Beyond, so is an edge no further than this times the nearest one."""

FURTHER_FACTOR = 1.5
"""How often each metre counts by which an entry lies further than the nearest one."""

_MOST_UM = 1 << 34
"""Micrometres of the longest access that is told from a longer one, 17 km."""


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
        at = np.flatnonzero(entries)  # by position is faster than by mask
        return Attachment(
            self.place[at],
            self.edge[at],
            self.offset_m[at],
            self.access_m[at],
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
    return snap_to(
        Frontages.of(network, usable),
        xy,
        max_distance_m=max_distance_m,
        always_m=always_m,
        barriers=barriers,
    )


def snap_to(
    frontages: Frontages,
    xy: NDArray[np.float64],
    *,
    max_distance_m: float = SNAP_M,
    always_m: float = ALWAYS_M,
    barriers: Barriers | None = None,
) -> Attachment:
    """Find where places enter at some frontages, made once for many places: see `snap`."""
    near_m = min(always_m, max_distance_m)
    found = _within(frontages, xy, near_m, barriers)
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
            again = _within(frontages, xy[places], radius_m, barriers)
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
        at = np.flatnonzero(which)
        return _Met(self.place[at], self.edge[at], self.offset_m[at], self.access_m[at])


def _within(
    frontages: Frontages,
    xy: NDArray[np.float64],
    radius_m: float,
    barriers: Barriers | None,
) -> _Met:
    """Return every usable edge within a radius of each place, in the order of the edges."""
    blocks = None if barriers is None else barriers.around(xy, radius_m)
    none = Attachment.none(0)
    found = [_Met(none.place, none.edge, none.offset_m, none.access_m)]
    pieces = frontages.pieces
    for pairs in pieces.near(xy, radius_m):
        kept = _nearest_of_each(pairs.point, pieces.line[pairs.piece], pairs.distance_m)
        place, piece = pairs.point[kept], pairs.piece[kept]
        share, access_m = pairs.share[kept], pairs.distance_m[kept]
        if blocks is not None:
            near, crossed = blocks
            beside = np.flatnonzero(near[place])
            foot = pieces.at(piece[beside], share[beside])
            open_ = np.ones(len(place), dtype=bool)
            open_[beside] = ~crossed(place[beside], foot)
            free = np.flatnonzero(open_)
            place, piece = place[free], piece[free]
            share, access_m = share[free], access_m[free]
        offset_m = frontages.offsets_m(piece, share)
        edge = pieces.line[piece].astype(np.int32)
        found.append(_Met(place.astype(np.int32), edge, offset_m, access_m))
    return _Met(*(np.concatenate(column) for column in zip(*found, strict=True)))


def _nearest_of_each(
    place: NDArray[np.intp], edge: NDArray[np.integer], distance_m: NDArray[np.float64]
) -> NDArray[np.intp]:
    """Return the position of the least distance of each place and edge; of equals, the first.

    Places are ascending, and so are the edges of each.
    """
    if len(place) == 0:
        return np.empty(0, dtype=np.intp)
    other = np.ones(len(place), dtype=bool)
    other[1:] = (place[1:] != place[:-1]) | (edge[1:] != edge[:-1])
    begins = np.flatnonzero(other)
    sizes = np.diff(begins, append=len(place))
    least = np.flatnonzero(distance_m == np.repeat(np.minimum.reduceat(distance_m, begins), sizes))
    group = (np.cumsum(other) - 1)[least]
    first: NDArray[np.intp] = least[np.append(True, group[1:] != group[:-1])]
    return first
