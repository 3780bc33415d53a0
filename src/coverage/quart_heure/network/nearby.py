"""Nearby: which straight pieces of line lie within a radius of which points.

Many points are sorted into rows of square boxes; of each piece, the rows that its surroundings meet
are looked up, and of each row one run of boxes. Where the points are those of a grid, each has a
box of its own, and nearly none is looked at in vain. For few points it is the other way round: the
pieces lie in boxes, and of each point the rows around it are looked up. On the streets of a city
both are faster than a tree, which knows nothing of what lies side by side.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from quart_heure.network.ordering import runs, stable_order

_MOST_BOXES = 1_000_000

_PIECES_AT_ONCE = 8_000
"""Pieces held against points in one go, so that a processor's own memory holds what is made."""

_POINTS_AT_ONCE = 2_000
"""Points held against pieces in one go, for the same reason."""

_FEW = 1_000
"""Points by which the spacing of a grid is guessed, before all are held against it."""

_BOX_M = 50.0
"""Side of the boxes that pieces lie in; a longer piece lies in several."""

_MOST_BITS = 4
"""Bits per piece, on average, that long pieces are cut into."""

_FEWER = 5
"""Points are few where there are so many times more pieces in the rows around them."""

_HAIR = 1e-6
"""Share of a box by which bounds are wider."""

_HAIR_M = 1e-5
"""Bounds of what is looked at are wider by this: the distance itself decides, not its rounding."""


class Pairs(NamedTuple):
    """Points and pieces near each other: in the order of the points, then of the pieces.

    Parameters
    ----------
    point, piece
        Their positions; shapes (k,).
    share
        How far along the piece the point projects, 0 … 1; shape (k,).
    distance_m
        How far apart they are; shape (k,).
    """

    point: NDArray[np.intp]
    piece: NDArray[np.intp]
    share: NDArray[np.float64]
    distance_m: NDArray[np.float64]


class Segments:
    """Straight pieces of lines, ready to be looked for near points.

    Parameters
    ----------
    start, end
        Where the pieces start and end, in metres; shapes (s, 2).
    line
        What each is a piece of, those of one line side by side; shape (s,).
    """

    def __init__(
        self,
        start: NDArray[np.float64],
        end: NDArray[np.float64],
        line: NDArray[np.integer],
    ) -> None:
        self.x, self.y = start[:, 0].copy(), start[:, 1].copy()
        self.dx, self.dy = end[:, 0] - self.x, end[:, 1] - self.y
        self.line = line
        if len(start):
            self._lay_out()

    def __len__(self) -> int:
        """Return the number of pieces."""
        return len(self.x)

    def _lay_out(self) -> None:
        """Put the pieces into boxes; a long one is cut, and each bit lies where its middle is."""
        length_m = np.hypot(self.dx, self.dy)
        low = np.minimum(self.x, self.x + self.dx).min(), np.minimum(self.y, self.y + self.dy).min()
        width = np.maximum(self.x, self.x + self.dx).max() - low[0]
        height = np.maximum(self.y, self.y + self.dy).max() - low[1]
        self.box_m = box_m = max(
            _BOX_M,
            float(np.sqrt(width * height / _MOST_BOXES)),
            float(max(width, height)) / _MOST_BOXES,
            float(length_m.sum()) / (_MOST_BITS * len(self)),
        )
        self.low, self.n_cols, self.n_rows = low, int(width / box_m) + 1, int(height / box_m) + 1
        bits = np.maximum(np.ceil(length_m / box_m), 1).astype(np.int64)
        if len(self) == bits.sum():
            piece, middle = np.arange(len(self)), np.full(len(self), 0.5)
        else:
            piece = np.repeat(np.arange(len(self)), bits)
            middle = (runs(np.zeros_like(bits), bits) + 0.5) / np.repeat(bits, bits)
        column = ((self.x[piece] + middle * self.dx[piece] - low[0]) / box_m).astype(np.int64)
        row = ((self.y[piece] + middle * self.dy[piece] - low[1]) / box_m).astype(np.int64)
        key = row * self.n_cols + column
        self.in_boxes = piece[stable_order(key)]
        counts = np.bincount(key, minlength=self.n_cols * self.n_rows)
        self.begins = np.concatenate([[0], np.cumsum(counts)])

    def at(self, piece: NDArray[np.intp], share: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the points at some shares of pieces; shape (k, 2)."""
        x = self.x[piece] + share * self.dx[piece]
        y = self.y[piece] + share * self.dy[piece]
        return np.stack([x, y], axis=1)

    def near(self, xy: NDArray[np.float64], radius_m: float) -> Iterator[Pairs]:
        """Find the pieces within a radius of some points, some at a time.

        Parameters
        ----------
        xy
            The points; shape (n, 2).
        radius_m
            How near, inclusive.

        Yields
        ------
        Pairs
            Of some points all that is near them, or of all points some lines that are.
        """
        if not len(xy) or not len(self):
            return
        pieces = self._beside(xy, radius_m)
        if _FEWER * len(xy) < len(pieces):
            for begin in range(0, len(xy), _POINTS_AT_ONCE):
                yield self._around(xy[begin : begin + _POINTS_AT_ONCE], radius_m, begin)
        elif len(pieces):
            boxes = _Boxes(xy, radius_m)
            line = self.line[pieces]
            # Cut between two lines.
            begins = np.flatnonzero(np.append(True, line[1:] != line[:-1]))
            begins = np.append(begins, len(pieces))
            wanted = np.arange(0, len(pieces) + _PIECES_AT_ONCE, _PIECES_AT_ONCE)
            cuts = np.unique(begins[np.searchsorted(begins, np.minimum(wanted, len(pieces)))])
            for begin, end in itertools.pairwise(cuts):
                some = pieces[begin:end]
                found = boxes.near(self.x[some], self.y[some], self.dx[some], self.dy[some])
                yield found._replace(piece=some[found.piece])

    def _beside(self, xy: NDArray[np.float64], radius_m: float) -> NDArray[np.intp]:
        """Return the pieces in the rows of boxes around points, ascending."""
        room_m = radius_m + self.box_m
        south, north = xy[:, 1].min() - room_m, xy[:, 1].max() + room_m
        first = max(int(np.floor((south - self.low[1]) / self.box_m)), 0)
        last = min(int(np.floor((north - self.low[1]) / self.box_m)), self.n_rows - 1)
        if first > last:
            return np.empty(0, dtype=np.intp)
        rows = slice(self.begins[first * self.n_cols], self.begins[(last + 1) * self.n_cols])
        beside = np.zeros(len(self), dtype=bool)
        beside[self.in_boxes[rows]] = True
        return np.flatnonzero(beside)

    def _around(self, xy: NDArray[np.float64], radius_m: float, begin: int) -> Pairs:
        """Hold some points, of which the first is of a position, against the boxes around them."""
        box_m = self.box_m
        room_m = radius_m + box_m / 2 + _HAIR_M
        x, y = xy[:, 0] - self.low[0], xy[:, 1] - self.low[1]
        first = np.maximum(np.floor((y - room_m) / box_m).astype(np.int64), 0)
        last = np.minimum(np.floor((y + room_m) / box_m).astype(np.int64), self.n_rows - 1)
        n = np.maximum(last - first + 1, 0)
        point = np.repeat(np.arange(len(xy)), n)
        row = runs(first, n)
        above_m = np.maximum(row * box_m - y[point], y[point] - (row + 1) * box_m)
        side_m = np.sqrt(np.maximum(room_m**2 - np.maximum(above_m, 0) ** 2, 0))
        west = np.floor((x[point] - side_m) / box_m - _HAIR).astype(np.int64)
        east = np.floor((x[point] + side_m) / box_m + _HAIR).astype(np.int64)
        west, east = np.maximum(west, 0), np.minimum(east, self.n_cols - 1)
        some = np.flatnonzero(west <= east)
        point, row = point[some] + begin, row[some] * self.n_cols
        start = self.begins[row + west[some]]
        n = self.begins[row + east[some] + 1] - start
        at = self.in_boxes[runs(start, n)]
        ax = np.repeat(xy[point - begin, 0], n) - self.x[at]
        ay = np.repeat(xy[point - begin, 1], n) - self.y[at]
        near, share, distance_m = _held_against(ax, ay, self.dx[at], self.dy[at], radius_m)
        point, at = np.repeat(point, n)[near], at[near]
        order = stable_order((point - begin) * len(self) + at)
        point, at = point[order], at[order]
        # A piece of several bits may have been met more than once.
        once = np.ones(len(at), dtype=bool)
        once[1:] = (at[1:] != at[:-1]) | (point[1:] != point[:-1])
        order = order[once]
        return Pairs(point[once], at[once], share[order], distance_m[order])


class _Boxes:
    """Points in square boxes, row after row."""

    def __init__(self, xy: NDArray[np.float64], radius_m: float) -> None:
        self.radius_m = radius_m
        x, y = np.ascontiguousarray(xy.T)
        low = np.array([x.min(), y.min()])
        extent = np.array([x.max(), y.max()]) - low
        spacing_m = _spacing_of_grid(x - low[0], y - low[1], radius_m)
        self.on_grid = spacing_m is not None
        if spacing_m is None:
            box_m = max(radius_m / 2, float(np.sqrt(extent.prod() / _MOST_BOXES)), 1e-6)
            self.box_m = box_m = max(box_m, float(extent.max()) / _MOST_BOXES)
            self.low, self.extent = low, extent
        else:
            # Each point in the middle of its box.
            self.box_m = box_m = spacing_m
            self.low, self.extent = low - box_m / 2, extent + box_m
        n_cols, n_rows = (np.floor(self.extent / box_m + _HAIR).astype(np.int64) + 1).tolist()
        column = ((x - self.low[0]) / box_m).astype(np.int64)
        key = ((y - self.low[1]) / box_m).astype(np.int64) * n_cols + column
        self.order = stable_order(key)
        self.begins = np.concatenate([[0], np.cumsum(np.bincount(key, minlength=n_cols * n_rows))])
        self.n_cols = n_cols
        self.x, self.y = x[self.order], y[self.order]
        # On a grid, all points of a row of boxes are of one height: fewer are looked at in vain.
        row_begins = self.begins[::n_cols]
        filled = np.flatnonzero(row_begins[1:] > row_begins[:-1])
        y = self.y - self.low[1]
        self.lowest, self.highest = np.full(n_rows, np.inf), np.full(n_rows, -np.inf)
        self.lowest[filled] = np.minimum.reduceat(y, row_begins[filled]) - _HAIR_M
        self.highest[filled] = np.maximum.reduceat(y, row_begins[filled]) + _HAIR_M

    def near(
        self,
        x: NDArray[np.float64],
        y: NDArray[np.float64],
        dx: NDArray[np.float64],
        dy: NDArray[np.float64],
    ) -> Pairs:
        """Find the points near pieces, told by where they start and how far they go from there."""
        piece, begin, n = self._runs_beside(x - self.low[0], y - self.low[1], dx, dy)
        at = runs(begin, n)
        # What is of a piece is repeated for its points: looking it up for each takes longer.
        ax = self.x[at] - np.repeat(x[piece], n)
        ay = self.y[at] - np.repeat(y[piece], n)
        dx, dy = np.repeat(dx[piece], n), np.repeat(dy[piece], n)
        near, share, distance_m = _held_against(ax, ay, dx, dy, self.radius_m)
        point = self.order[at[near]]
        order = stable_order(point)
        piece = np.repeat(piece, n)[near]
        return Pairs(point[order], piece[order], share[order], distance_m[order])

    def _runs_beside(
        self,
        x0: NDArray[np.float64],
        y0: NDArray[np.float64],
        dx: NDArray[np.float64],
        dy: NDArray[np.float64],
    ) -> tuple[NDArray[np.intp], NDArray[np.int64], NDArray[np.int64]]:
        """Return the runs of points beside each piece: of which piece, from where, how many."""
        radius_m, box_m = self.radius_m, self.box_m
        south, north = np.minimum(y0, y0 + dy), np.maximum(y0, y0 + dy)
        first = np.floor((south - radius_m) / box_m).astype(np.int64)
        last = np.floor((north + radius_m) / box_m).astype(np.int64)
        first, last = np.maximum(first, 0), np.minimum(last, len(self.lowest) - 1)
        beside = (np.minimum(x0, x0 + dx) - radius_m > self.extent[0]) | (
            np.maximum(x0, x0 + dx) + radius_m < 0
        )
        n = np.where(beside, 0, np.maximum(last - first + 1, 0))
        piece = np.repeat(np.arange(len(x0)), n)
        row = runs(first, n)
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
        inset = 0.5 if self.on_grid else 0.0
        west = np.floor((np.minimum(x_a, x_b) - side_m) / box_m + (inset - _HAIR)).astype(np.int64)
        east = np.floor((np.maximum(x_a, x_b) + side_m) / box_m + (_HAIR - inset)).astype(np.int64)
        west, east = np.maximum(west, 0), np.minimum(east, self.n_cols - 1)
        some = np.flatnonzero(west <= east)
        piece, row = piece[some], row[some] * self.n_cols
        begin = self.begins[row + west[some]]
        return piece, begin, self.begins[row + east[some] + 1] - begin


def _held_against(
    ax: NDArray[np.float64],
    ay: NDArray[np.float64],
    dx: NDArray[np.float64],
    dy: NDArray[np.float64],
    radius_m: float,
) -> tuple[NDArray[np.intp], NDArray[np.float64], NDArray[np.float64]]:
    """Return which points are near pieces, how far along these they project, and their distances.

    ``ax`` and ``ay`` lead from the start of a piece to the point, ``dx`` and ``dy`` to its end.
    """
    share = ax * dx + ay * dy
    squared = dx * dx + dy * dy
    long = squared > 0
    if long.all():
        share /= squared
    else:
        share = np.divide(share, squared, out=np.zeros_like(share), where=long)
    np.clip(share, 0, 1, out=share)
    ax -= share * dx
    ay -= share * dy
    # The exact distance takes long, and is asked for only where it may be small enough.
    near = np.flatnonzero(ax * ax + ay * ay <= (radius_m + _HAIR_M) ** 2)
    distance_m = np.hypot(ax[near], ay[near])
    within = distance_m <= radius_m
    if not within.all():
        near, distance_m = near[within], distance_m[within]
    return near, share[near], distance_m


def _spacing_of_grid(
    x: NDArray[np.float64], y: NDArray[np.float64], radius_m: float
) -> float | None:
    """Return how far points of a grid are apart; None where they are of none, or of no fit one.

    ``x`` and ``y`` are metres from the westernmost and the southernmost point.
    """
    steps = np.diff(np.sort(x[:_FEW]))
    spacing_m = float(min(steps[steps > _HAIR_M], default=0.0))
    if not radius_m / 4 <= spacing_m <= radius_m:
        return None
    if (x.max() / spacing_m + 1) * (y.max() / spacing_m + 1) > _MOST_BOXES:
        return None
    for along in (x, y):
        share = along / spacing_m
        if np.abs(share - np.rint(share)).max() > _HAIR / 10:
            return None
    return spacing_m
