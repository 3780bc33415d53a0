"""Nearby: which points lie within a radius of which straight pieces of line.

Points are sorted into rows of square boxes. Of each piece, the rows that its surroundings meet are
looked up, and of each row one run of boxes: on the grid of a city this is several times faster than
a tree, which knows nothing of points that lie side by side.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

_MOST_BOXES = 1_000_000

_HAIR_M = 1e-5
"""Bounds of what is looked at are wider by this: the distance itself decides, not its rounding."""

_Found = tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64], NDArray[np.float64]]


def segments_near(
    xy: NDArray[np.float64], radius_m: float
) -> Callable[[NDArray[np.float64], NDArray[np.float64]], _Found]:
    """Return what finds the points near straight pieces of line.

    Parameters
    ----------
    xy
        The points; shape (n, 2), at least one.
    radius_m
        How near, inclusive.

    Returns
    -------
    Callable
        Takes where pieces start and end, shapes (s, 2). Returns for each pair of a point and a
        piece within the radius their positions, how far along the piece the point projects
        (0 … 1), and its distance; shapes (k,).
    """
    return _Boxes(xy, radius_m).near


class _Boxes:
    """Points in square boxes, row after row."""

    def __init__(self, xy: NDArray[np.float64], radius_m: float) -> None:
        self.radius_m = radius_m
        self.low = xy.min(axis=0)
        self.extent = xy.max(axis=0) - self.low
        box_m = max(radius_m / 2, float(np.sqrt(self.extent.prod() / _MOST_BOXES)), 1e-6)
        self.box_m = box_m = max(box_m, float(self.extent.max()) / _MOST_BOXES)
        n_cols, n_rows = (np.floor(self.extent / box_m).astype(np.int64) + 1).tolist()
        box = np.floor((xy - self.low) / box_m).astype(np.int64)
        key = box[:, 1] * n_cols + box[:, 0]
        self.order = np.argsort(key, kind="stable")
        self.begins = np.concatenate([[0], np.cumsum(np.bincount(key, minlength=n_cols * n_rows))])
        self.n_cols = n_cols
        self.x, self.y = xy[self.order, 0], xy[self.order, 1]
        # On a grid, all points of a row of boxes are of one height: fewer are looked at in vain.
        row_begins = self.begins[::n_cols]
        filled = np.flatnonzero(row_begins[1:] > row_begins[:-1])
        y = self.y - self.low[1]
        self.lowest, self.highest = np.full(n_rows, np.inf), np.full(n_rows, -np.inf)
        self.lowest[filled] = np.minimum.reduceat(y, row_begins[filled]) - _HAIR_M
        self.highest[filled] = np.maximum.reduceat(y, row_begins[filled]) + _HAIR_M

    def near(self, start: NDArray[np.float64], end: NDArray[np.float64]) -> _Found:
        """Find the points near some pieces (see `segments_near`)."""
        dx, dy = (end - start).T
        piece, begin, n = self._runs_beside(start, dx, dy)
        at = _runs(begin, n)
        # What is of a piece is repeated for its points: looking it up for each takes longer.
        dx, dy = dx[piece], dy[piece]
        squared = np.repeat(dx * dx + dy * dy, n)
        ax = self.x[at] - np.repeat(start[piece, 0], n)
        ay = self.y[at] - np.repeat(start[piece, 1], n)
        dx, dy = np.repeat(dx, n), np.repeat(dy, n)
        share = ax * dx + ay * dy
        long = squared > 0
        if long.all():
            share /= squared
        else:
            share = np.divide(share, squared, out=np.zeros_like(share), where=long)
        np.clip(share, 0, 1, out=share)
        distance = np.hypot(ax - share * dx, ay - share * dy)
        near = np.flatnonzero(distance <= self.radius_m)
        return self.order[at[near]], np.repeat(piece, n)[near], share[near], distance[near]

    def _runs_beside(
        self, start: NDArray[np.float64], dx: NDArray[np.float64], dy: NDArray[np.float64]
    ) -> tuple[NDArray[np.intp], NDArray[np.int64], NDArray[np.int64]]:
        """Return the runs of points beside each piece: of which piece, from where, how many."""
        radius_m, box_m = self.radius_m, self.box_m
        x0, y0 = (start - self.low).T
        south, north = np.minimum(y0, y0 + dy), np.maximum(y0, y0 + dy)
        first = np.floor((south - radius_m) / box_m).astype(np.int64)
        last = np.floor((north + radius_m) / box_m).astype(np.int64)
        first, last = np.maximum(first, 0), np.minimum(last, len(self.lowest) - 1)
        beside = (np.minimum(x0, x0 + dx) - radius_m > self.extent[0]) | (
            np.maximum(x0, x0 + dx) + radius_m < 0
        )
        n = np.where(beside, 0, np.maximum(last - first + 1, 0))
        piece = np.repeat(np.arange(len(start)), n)
        row = _runs(first, n)
        # How far the points of this row lie above or below the piece leaves so much to the side.
        above_m = np.maximum(self.lowest[row] - north[piece], south[piece] - self.highest[row])
        met = np.flatnonzero(above_m <= radius_m)
        piece, row = piece[met], row[met]
        side_m = np.sqrt(radius_m**2 - np.maximum(above_m[met], 0) ** 2)
        # The part of the piece that a point of this row can be near to.
        x_a, y_a, along_x, along_y = x0[piece], y0[piece], dx[piece], dy[piece]
        with np.errstate(divide="ignore", invalid="ignore"):
            t0 = (self.lowest[row] - radius_m - y_a) / along_y
            t1 = (self.highest[row] + radius_m - y_a) / along_y
        level = np.abs(along_y) < 1e-9
        t0, t1 = np.where(level, 0.0, np.minimum(t0, t1)), np.where(level, 1.0, np.maximum(t0, t1))
        x_b = x_a + np.clip(t1, 0, 1) * along_x
        x_a += np.clip(t0, 0, 1) * along_x
        # A hair more: what is on the rim of a box is found on either side of it.
        west = np.floor((np.minimum(x_a, x_b) - side_m) / box_m - 1e-6).astype(np.int64)
        east = np.floor((np.maximum(x_a, x_b) + side_m) / box_m + 1e-6).astype(np.int64)
        some = (east >= 0) & (west < self.n_cols)
        piece, row = piece[some], row[some]
        west, east = np.maximum(west[some], 0), np.minimum(east[some], self.n_cols - 1)
        begin = self.begins[row * self.n_cols + west]
        return piece, begin, self.begins[row * self.n_cols + east + 1] - begin


def _runs(begin: NDArray[np.int64], n: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the runs of n numbers that start at ``begin``, one after the other."""
    total = int(n.sum())
    return np.repeat(begin - np.cumsum(n) + n, n) + np.arange(total)
