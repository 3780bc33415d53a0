"""Points of squares: where they are entered, the corners walks bend around, and their outlines.

All squares of a town stand in the same arrays, one after the other: most are small, and calls would
cost more than what they do.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from quart_heure.network.ordering import runs, stable_order
from quart_heure.network.squares import Square
from quart_heure.sources.osm.checks import distinct

Matrix = NDArray[np.float64]
Nodes = NDArray[np.int64]
Which = NDArray[np.bool_]
Pairs = NDArray[np.int64]
"""Pairs of points; shape (2, n)."""


@dataclasses.dataclass(frozen=True, eq=False)
class Points:
    """Points of squares, those of a square one after the other.

    Parameters
    ----------
    node
        Node of each; shape (P,).
    begin
        Where those of each square begin, and where all end; shape (squares + 1,).
    """

    node: Nodes
    begin: Nodes

    @classmethod
    def of(cls, nodes: Sequence[Nodes]) -> Points:
        """Return some nodes of each square."""
        none = np.zeros(1, dtype=np.int64)
        begin = np.cumsum([0, *map(len, nodes)])
        return cls(np.concatenate([none[:0], *nodes]), begin)

    @property
    def n(self) -> Nodes:
        """How many each square has."""
        return np.diff(self.begin)

    @property
    def square(self) -> Nodes:
        """Square of each."""
        return np.repeat(np.arange(len(self.begin) - 1), self.n)

    def pairs(self) -> Pairs:
        """Return both of each pair of points of one square, once."""
        here = np.arange(len(self.node))
        n_after = np.repeat(self.begin[1:], self.n) - here - 1
        return np.stack([np.repeat(here, n_after), runs(here + 1, n_after)])

    def cells(self) -> Pairs:
        """Return row and column of each cell of a matrix for each square, row by row."""
        n = np.repeat(self.n, self.n)
        row = np.repeat(np.arange(len(n)), n)
        return np.stack([row, runs(np.repeat(self.begin[:-1], self.n), n)])

    def cell(self, pairs: Pairs) -> Nodes:
        """Return where some of these cells stand."""
        row, column = pairs
        n, square = self.n, self.square[row]
        first = np.cumsum(n * n) - n * n
        begin = self.begin[square]
        at: Nodes = first[square] + (row - begin) * n[square] + (column - begin)
        return at

    def squares_of(self, points: Nodes) -> Nodes:
        """Return the squares that some points are of, each once."""
        return np.flatnonzero(np.bincount(self.square[points], minlength=len(self.n)))

    def only(self, which: Which) -> Points:
        """Return those of some squares; of the others none is left."""
        begin = np.concatenate([[0], np.cumsum(np.where(which, self.n, 0))])
        return Points(self.node[np.repeat(which, self.n)], begin)

    def followed_by(self, others: Points) -> Points:
        """Return these of each square, then those others."""
        n, n_others = self.n, others.n
        begin = self.begin + others.begin
        node = np.empty(begin[-1], dtype=np.int64)
        node[runs(begin[:-1], n)] = self.node
        node[runs(begin[:-1] + n, n_others)] = others.node
        return Points(node, begin)

    def distances(self, pairs: Pairs, xy: Matrix) -> Matrix:
        """Return the metres between the points of some pairs."""
        first, second = pairs
        x, y = xy[self.node].T
        metres: Matrix = np.hypot(x[first] - x[second], y[first] - y[second])
        return metres


@dataclasses.dataclass(frozen=True, eq=False)
class Rings:
    """Outlines of squares, ring after ring, the outer ones of each square first.

    Parameters
    ----------
    node
        Node of each place on them; shape (R,).
    begin, n
        Where each ring begins, and its places; shape (rings,).
    square, number
        Square of each ring, and which of its rings it is; shape (rings,).
    is_outer
        Whether it is an outer one; shape (rings,).
    """

    node: Nodes
    begin: Nodes
    n: Nodes
    square: Nodes
    number: Nodes
    is_outer: Which

    @classmethod
    def of(cls, squares: Sequence[Square]) -> Rings:
        """Return the rings of some squares."""
        rings = [ring for square in squares for ring in square.rings]
        n = np.array([len(ring) for ring in rings], dtype=np.int64)
        n_rings = np.array([len(square.rings) for square in squares], dtype=np.int64)
        n_outer = np.array([len(square.outer) for square in squares], dtype=np.int64)
        square = np.repeat(np.arange(len(squares)), n_rings)
        number = runs(np.zeros(len(squares), dtype=np.int64), n_rings)
        return cls(
            node=np.concatenate([np.zeros(0, dtype=np.int64), *rings]),
            begin=np.cumsum(n) - n,
            n=n,
            square=square,
            number=number,
            is_outer=number < n_outer[square],
        )

    def take(self, which: Which) -> Rings:
        """Return some of them."""
        n = self.n[which]
        return Rings(
            node=self.node[runs(self.begin[which], n)],
            begin=np.cumsum(n) - n,
            n=n,
            square=self.square[which],
            number=self.number[which],
            is_outer=self.is_outer[which],
        )

    def closed(self) -> tuple[Nodes, Nodes]:
        """Return the nodes, the first of each ring once more behind its last, and their rings."""
        at = runs(self.begin, self.n + 1)
        at[np.cumsum(self.n + 1) - 1] = self.begin
        return self.node[at], np.repeat(np.arange(len(self.n)), self.n + 1)

    def beside(self) -> tuple[Nodes, Nodes]:
        """Return the nodes before and after each place."""
        before, after = np.roll(self.node, 1), np.roll(self.node, -1)
        end = self.begin + self.n - 1
        before[self.begin], after[end] = self.node[end], self.node[self.begin]
        return before, after

    def along(self, xy: Matrix) -> tuple[Matrix, Matrix]:
        """Return metres from the first node of its ring to each place, and all around."""
        before, _ = self.beside()
        step = xy[self.node] - xy[before]
        metres = np.hypot(step[:, 0], step[:, 1])
        last = metres[self.begin]
        metres[self.begin] = 0.0
        for begin, end in zip(self.begin.tolist(), (self.begin + self.n).tolist(), strict=True):
            np.add.accumulate(metres[begin:end], out=metres[begin:end])
        return metres, metres[self.begin + self.n - 1] + last

    def find(self, points: Points) -> Nodes:
        """Return the place of each point on the rings of its square, -1 if it has none."""
        if len(self.node) == 0:
            return np.full(len(points.node), -1, dtype=np.int64)
        n_nodes = int(max(self.node.max(), points.node.max(initial=0))) + 1
        keys = np.repeat(self.square, self.n) * n_nodes + self.node
        order = stable_order(keys)
        wanted = points.square * n_nodes + points.node
        # Of a node that comes twice the last place counts.
        at = order[np.searchsorted(keys, wanted, side="right", sorter=order) - 1]
        return np.where(keys[at] == wanted, at, -1)

    def corners(self, entrances: Points, xy: Matrix) -> Points:
        """Return what walks bend around: where the ground leaves more than a half turn.

        Entrances are left out.
        """
        ring = np.repeat(np.arange(len(self.n)), self.n)
        before, after = self.beside()
        place, back, onward = xy[self.node], xy[before], xy[after]
        turn = cross_product(place - back, onward - place)
        from_first = place - place[self.begin[ring]]
        # Twice the signed area: positive if the ring runs counterclockwise. The last place and the
        # first one add nothing to it.
        spanned = cross_product(from_first, np.roll(from_first, -1, axis=0))
        spanned[self.begin + self.n - 1] = 0.0
        leftward = (np.bincount(ring, weights=spanned) > 0) == self.is_outer
        bends = np.where(leftward[ring], turn < 0, turn > 0)
        n_nodes = int(max(self.node.max(initial=0), entrances.node.max(initial=0))) + 1
        keys = distinct((self.square[ring] * n_nodes + self.node)[bends])
        keys = keys[~np.isin(keys, entrances.square * n_nodes + entrances.node)]
        n = np.bincount(keys // n_nodes, minlength=len(entrances.begin) - 1)
        return Points(keys % n_nodes, np.concatenate([[0], np.cumsum(n)]))


def outline_metres(rings: Rings, points: Points, pairs: Pairs, xy: Matrix) -> Matrix:
    """Return the metres between points along the outer ring that they share, inf without one."""
    first, second = pairs
    metres = np.where(first == second, 0.0, np.inf)
    for number in range(int(rings.number.max(initial=-1)) + 1):
        ring = rings.take(rings.is_outer & (rings.number == number))
        at = ring.find(points)
        along, around = ring.along(xy)
        # NaN, for points elsewhere, loses against any distance.
        along = np.where(at >= 0, np.append(along, np.nan)[at], np.nan)
        of_square = np.full(len(points.begin) - 1, np.nan)
        of_square[ring.square] = around
        one_way = np.abs(along[first] - along[second])
        around = of_square[points.square][first]
        np.fmin(metres, np.minimum(one_way, around - one_way), out=metres)
    return metres


def cross_product(a: Matrix, b: Matrix) -> Matrix:
    """Return twice the areas that steps span, positive where the second turns left."""
    return a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]
