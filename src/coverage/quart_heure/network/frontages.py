"""Frontages: the straight pieces of street that places may enter at."""

from __future__ import annotations

import dataclasses
import weakref
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from quart_heure.cache import hash_of
from quart_heure.network.nearby import Segments


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
class Frontages:
    """Where places may enter a network: the straight pieces of its usable edges.

    Parameters
    ----------
    vertex
        First vertex of each piece, ascending; shape (s,).
    pieces
        The pieces, each of an edge.
    offsets, drawn_m, length_m
        Those of the network (see `Shapes`).
    """

    vertex: NDArray[np.intp]
    pieces: Segments
    offsets: NDArray[np.int64]
    drawn_m: NDArray[np.float64]
    length_m: NDArray[np.float64]

    @classmethod
    def of(cls, network: Shapes, usable: NDArray[np.bool_]) -> Frontages:
        """Take the usable edges of a network apart; ``usable`` is of shape (E,).

        The last that were made of a network are kept as long as it is.
        """
        digest = hash_of(usable)
        known = _KNOWN.get(network)
        if known is not None and known[0] == digest:
            return known[1]
        offsets, drawn_m = network.offsets, network.drawn_m
        first = np.repeat(usable, np.diff(offsets))
        first[offsets[1:] - 1] = False
        vertex = np.flatnonzero(first)
        edges = np.flatnonzero(usable)
        edge = np.repeat(edges, np.diff(offsets)[edges] - 1)
        pieces = Segments(network.xy[vertex], network.xy[vertex + 1], edge)
        made = cls(vertex, pieces, offsets, drawn_m, network.length_m)
        _KNOWN[network] = digest, made
        return made

    def offsets_m(self, piece: NDArray[np.intp], share: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return how far along their edges points lie, given by straight piece and share of it."""
        vertex, edge = self.vertex[piece], self.pieces.line[piece]
        before = self.drawn_m[vertex]
        part = self.drawn_m[vertex + 1] - before
        total = self.drawn_m[self.offsets[edge + 1] - 1]
        # A share of the length, not metres of the drawing: length_m may be better than the drawing.
        along = np.minimum((before + share * part) / total, 1.0)
        offset_m: NDArray[np.float64] = along * self.length_m[edge]
        return offset_m


_KNOWN: weakref.WeakKeyDictionary[Shapes, tuple[str, Frontages]] = weakref.WeakKeyDictionary()
