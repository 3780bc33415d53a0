"""Shut gates: where nobody passes, each way ends at a node of its own.

A gate is a node of the way that it closes. Where it is drawn on a junction, or as the first node of
a driveway, that node is one of the public street's too, and the street must not be cut: there the
gate is taken to close the lesser ways alone (see `which_pass`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from quart_heure.network.rules import ROAD_RANK, Verdict, rank_of

_BEHIND_GATES = frozenset({"access_private", "access_forbidden", "customers_only"})
"""Reasons of ways that a gate is for."""


@dataclasses.dataclass(frozen=True, slots=True)
class End:
    """An end of a straight piece of street at a gate.

    Parameters
    ----------
    origin
        The way that it is a piece of.
    verdict, kind, name
        Of that way: what the rules say of it, its highway class and its name.
    """

    origin: int
    verdict: Verdict
    kind: str
    name: str

    @property
    def rank(self) -> int:
        """How public a street is by its class."""
        return rank_of(self.kind, self.verdict)


def which_pass(ends: Sequence[End]) -> list[bool]:
    """Tell which ends at a shut gate go on through it, as if there were none.

    Parameters
    ----------
    ends
        All pieces of street that meet at the gate, those too that are not walked.

    Notes
    -----
    Where two ends or fewer meet the gate stands on a street, and closes it. Where a private way is
    among more of them, the gate is that way's, and all that is walked goes on. Else a street goes
    on that comes and leaves, the same way or two of one class and name, if it is a road and of no
    lesser class than any other way there: a driveway or a path that ends at a road is what the gate
    closes. Between paths alone nothing tells, and all are closed.
    """
    walked = [end.verdict.walkable for end in ends]
    if len(ends) <= 2 or sum(walked) < 2:
        return [False] * len(ends)
    if any(end.verdict.reason in _BEHIND_GATES for end in ends):
        return walked
    highest = max(end.rank for end in ends)
    public = [
        end.verdict.walkable and end.rank == highest and end.rank >= ROAD_RANK for end in ends
    ]
    return [
        is_public
        and any(
            public[k] and other is not end and _goes_on(end, other) for k, other in enumerate(ends)
        )
        for end, is_public in zip(ends, public, strict=True)
    ]


def _goes_on(end: End, other: End) -> bool:
    """Tell whether a street leaves by another end: the same way, or its next piece."""
    if end.origin == other.origin:
        return True
    return bool(end.name) and (end.kind, end.name) == (other.kind, other.name)


def shut_gates(
    a: NDArray[np.int64],
    b: NDArray[np.int64],
    xy: NDArray[np.float64],
    shut: NDArray[np.bool_],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Give ends of segments a node of their own, at the place where they are.

    Parameters
    ----------
    a, b
        Ends of each segment, positions in ``xy``; shape (S,).
    xy
        Metres of the nodes; shape (K, 2).
    shut
        Which ends, first all of ``a`` and then all of ``b``; shape (2 S,).
    """
    ends = np.concatenate([a, b])
    at = np.flatnonzero(shut)
    own_xy = xy[ends[at]]
    ends[at] = len(xy) + np.arange(len(at))
    first, second = np.split(ends, 2)
    return first, second, np.concatenate([xy, own_xy])
