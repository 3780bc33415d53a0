"""Barriers: what nobody walks across on the straight line between a place and a street.

Areas (water, railway land) are crossed when a line comes out on the other side. A street within one
may be entered, and a place within one, such as a barge or a station, may be left on its own side.
Lines (a wall, a track, a motorway) are crossed when they are met.
"""

from __future__ import annotations

import dataclasses
import functools
import threading
from collections.abc import Callable

import numpy as np
import shapely
from numpy.typing import NDArray

from quart_heure.network.nearby import Segments
from quart_heure.network.ordering import stable_order

_STOP_SHORT_M = 0.05
"""A line ends this much before its street: a gate in a wall, a crossing of a track lies on it."""

_OWN_SIDE = 2.0
_RIM_M = 5.0
"""A place within an area leaves it by no more than twice its distance to the rim, which is drawn to
a few metres; the other bank is further."""


_ONE_AT_A_TIME = threading.Lock()

_Crossed = Callable[[NDArray[np.intp], NDArray[np.float64]], NDArray[np.bool_]]


@dataclasses.dataclass(frozen=True, eq=False)
class Barriers:
    """Straight pieces of barriers.

    Parameters
    ----------
    start, end
        Ends of each piece in metres; shapes (b, 2).
    owner
        Which barrier each is a piece of; shape (b,).
    areas
        Polygon of each barrier, None for a line; shape (number of barriers,).
    """

    start: NDArray[np.float64]
    end: NDArray[np.float64]
    owner: NDArray[np.int64]
    areas: NDArray[np.object_]

    @classmethod
    def of_shapes(cls, shapes: NDArray[np.object_]) -> Barriers:
        """Take lines and polygons apart, of any number of parts."""
        parts, owner = shapely.get_parts(shapes, return_index=True)
        kind = shapely.get_type_id(parts)
        fit = np.isin(kind, [shapely.GeometryType.LINESTRING, shapely.GeometryType.POLYGON])
        parts, owner = parts[fit], owner[fit]
        area = shapely.get_type_id(parts) == shapely.GeometryType.POLYGON
        rings, ring_owner = shapely.get_rings(parts[area], return_index=True)
        lines = np.concatenate([parts[~area], rings])
        # Each part is a barrier of its own: two ponds of one lake are crossed one at a time.
        numbers = np.concatenate([np.flatnonzero(~area), np.flatnonzero(area)[ring_owner]])
        xy, line = shapely.get_coordinates(lines, return_index=True)
        within = np.flatnonzero(line[1:] == line[:-1])
        return cls(
            start=xy[within],
            end=xy[within + 1],
            owner=numbers[line[within]],
            areas=np.where(area, parts, np.array(None, dtype=object)),
        )

    @functools.cached_property
    def _pieces(self) -> Segments:
        return Segments(self.start, self.end, self.owner)

    def around(
        self, xy: NDArray[np.float64], radius_m: float
    ) -> tuple[NDArray[np.bool_], _Crossed] | None:
        """Return what tells whether straight lines from some places cross a barrier.

        Parameters
        ----------
        xy
            The places; shape (n, 2).
        radius_m
            No line is longer.

        Returns
        -------
        tuple or None
            Whether each place is near a barrier, shape (n,), and what tells of lines from those
            that are whether they cross one: it takes the position of the place that each line
            starts from, shape (k,), and where it ends, shape (k, 2), and returns shape (k,). None
            where no place is near a barrier.
        """
        met = list(self._pieces.near(xy, radius_m))
        if not met:
            return None
        place, piece, _, rim_m = (np.concatenate(column) for column in zip(*met, strict=True))
        if len(place) == 0:
            return None
        order = stable_order(place)
        place, piece, rim_m = place[order], piece[order], rim_m[order]
        begin = np.searchsorted(place, np.arange(len(xy) + 1))
        n, is_area = len(self.areas), shapely.is_geometry(self.areas)
        own, own_m = self._within(xy, place, self.owner[piece], rim_m)

        def crossed(of_place: NDArray[np.intp], foot: NDArray[np.float64]) -> NDArray[np.bool_]:
            counts = begin[of_place + 1] - begin[of_place]
            line, one = self._pairs(begin[of_place], counts, piece)
            a, b = xy[of_place], foot
            length = np.hypot(*(b - a).T)
            keep = np.divide(
                np.maximum(length - _STOP_SHORT_M, 0),
                length,
                where=length > 0,
                out=np.zeros_like(length),
            )
            hit = _cross(a, a + keep[:, None] * (b - a), line, self.start[one], self.end[one])
            line, one = line[hit], one[hit]
            inside_m = _metres_to(a[line], b[line], self.start[one], self.end[one])
            owner = self.owner[one]
            key, first, times = np.unique(line * n + owner, return_index=True, return_counts=True)
            line, owner = np.divmod(key, n)
            result = np.zeros(len(of_place), dtype=bool)
            result[line[(times >= 2) | ~is_area[owner]]] = True
            if len(own):
                # Those that leave the area that their place is in, too far from its own side.
                room = np.searchsorted(own, of_place[line] * n + owner)
                room = np.minimum(room, len(own) - 1)
                leaves = own[room] == of_place[line] * n + owner
                result[line[leaves & (inside_m[first] > _OWN_SIDE * own_m[room] + _RIM_M)]] = True
            return result

        return np.diff(begin) > 0, crossed

    @staticmethod
    def _pairs(
        begin: NDArray[np.intp], counts: NDArray[np.intp], piece: NDArray[np.intp]
    ) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Return each line beside each of its pieces, which stand in one row from ``begin``."""
        line = np.repeat(np.arange(len(counts)), counts)
        at = np.repeat(begin - np.cumsum(counts) + counts, counts) + np.arange(len(line))
        return line, piece[at]

    def _within(
        self,
        xy: NDArray[np.float64],
        place: NDArray[np.intp],
        owner: NDArray[np.int64],
        rim_m: NDArray[np.float64],
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return the places that are in an area near whose rim they are, and the metres to it.

        As keys: the position of the place times the number of barriers, plus that of the area.
        """
        n = len(self.areas)
        keys, group = np.unique(place * n + owner, return_inverse=True)
        least_m = np.full(len(keys), np.inf)
        np.minimum.at(least_m, group, rim_m)
        at, area = np.divmod(keys, n)
        # GEOS completes what it has prepared at the first question: never in two threads at once.
        with _ONE_AT_A_TIME:
            shapely.prepare(self.areas)  # once: a river has thousands of corners
            inside = shapely.intersects_xy(self.areas[area], xy[at, 0], xy[at, 1])
        return keys[inside], least_m[inside]


def _metres_to(
    a: NDArray[np.float64],
    b: NDArray[np.float64],
    c: NDArray[np.float64],
    d: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return how far from a the pieces a-b and c-d cross, which do."""
    from_c, from_d = np.abs(_side(a, b, c)), np.abs(_side(a, b, d))
    share = from_c / np.maximum(from_c + from_d, 1e-300)
    metres: NDArray[np.float64] = np.hypot(*(c + share[:, None] * (d - c) - a).T)
    return metres


def _cross(
    a: NDArray[np.float64],
    b: NDArray[np.float64],
    line: NDArray[np.intp],
    c: NDArray[np.float64],
    d: NDArray[np.float64],
) -> NDArray[np.intp]:
    """Return the positions of the pieces c-d that cross the line a-b which each is held against.

    A corner that is met counts for one of its sides.

    Parameters
    ----------
    a, b
        Lines; shapes (k, 2).
    line
        The line to hold each piece against; shape (p,).
    c, d
        Pieces; shapes (p, 2).
    """
    (ax, ay), (ux, uy) = a.T, (b - a).T
    ax, ay, ux, uy = (np.ascontiguousarray(each)[line] for each in (ax, ay, ux, uy))
    c_left = ux * (c[:, 1] - ay) - uy * (c[:, 0] - ax) >= 0
    d_left = ux * (d[:, 1] - ay) - uy * (d[:, 0] - ax) >= 0
    # Most pieces lie on one side of a line: few are looked at from the other end.
    parted = np.flatnonzero(c_left != d_left)
    c, d, line = c[parted], d[parted], line[parted]
    a_side, b_side = _side(c, d, a[line]), _side(c, d, b[line])
    return parted[((a_side > 0) & (b_side < 0)) | ((a_side < 0) & (b_side > 0))]


def _side(
    a: NDArray[np.float64], b: NDArray[np.float64], p: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return on which side of a-b each point lies: positive on the left."""
    (ux, uy), (vx, vy) = (b - a).T, (p - a).T
    side: NDArray[np.float64] = ux * vy - uy * vx
    return side
