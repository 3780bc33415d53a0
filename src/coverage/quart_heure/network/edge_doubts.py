"""Edges that contradict themselves: ends that are not where their nodes are, odd lengths."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quart_heure.errors import NetworkError

_ROUNDING_SHARE, _ROUNDING_M = 0.01, 0.5
"""What a length may differ by, since it may be measured on a globe or rounded: 1 % and 0.5 m."""

_APART_M = 1.0
"""Ends of edges at one node may lie so far from each other: coordinates may be rounded."""

_MOST_ASTRAY = 0.05
"""A table of which a larger share of the edges contradicts its nodes is not read."""

_MOST_TOLD = 10

Doubt = Mapping[str, Any]
"""A row of a table of problems."""


def doubts_of(
    u: NDArray[np.intp],
    v: NDArray[np.intp],
    ends: Sequence[NDArray[np.float64]],
    drawn_m: NDArray[np.float64],
    length_m: NDArray[np.float64] | None,
) -> list[Doubt]:
    """Return what is doubtful in a table of edges, as rows of a table of problems without a file.

    Parameters
    ----------
    u, v
        Number of the node that each line begins at, and of that it ends at; shape (E,).
    ends
        Where each line begins, and where it ends, in metres; shapes (E, 2).
    drawn_m
        How long each line is; shape (E,).
    length_m
        As the table states it, None where it does not; shape (E,).

    Raises
    ------
    NetworkError
        If an edge is shorter than the straight line between its ends, or many end elsewhere than
        where their nodes are.
    """
    found = list(_elsewhere(np.concatenate([u, v]), np.concatenate(ends), len(u)))
    if length_m is not None:
        _refuse_short(length_m, ends)
        found += _longer(length_m, drawn_m)
    return found


def doubts_in(meta: Mapping[str, Any]) -> list[Doubt]:
    """Return what was doubtful as a network was read, from what it tells of itself."""
    told = meta.get("doubts", ())
    listed = told if isinstance(told, list | tuple) else ()
    return [row for row in listed if isinstance(row, Mapping)]


def with_doubts(meta: Mapping[str, Any], doubts: Sequence[Doubt], file: str) -> dict[str, Any]:
    """Return what a network tells of itself, and what is doubtful in the file that it is of."""
    rows = [*doubts_in(meta), *({"file": file, **doubt} for doubt in doubts)]
    once = {repr(sorted(map(repr, row.items()))): row for row in rows}
    return {**meta, "doubts": list(once.values())} if rows else dict(meta)


def longer_than_drawn(
    length_m: NDArray[np.float64], drawn_m: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Tell which edges are longer than they are drawn by more than rounding; shape (E,)."""
    longer: NDArray[np.bool_] = length_m > drawn_m * (1 + _ROUNDING_SHARE) + _ROUNDING_M
    return longer


def _elsewhere(nodes: NDArray[np.intp], ends: NDArray[np.float64], n_edges: int) -> Iterator[Doubt]:
    """Give the edges that are not drawn from where their first node is to where their second is.

    A node is where most of its edges have their end.
    """
    apart_m = _apart_m(nodes, ends).reshape(2, n_edges).max(axis=0)
    at = np.flatnonzero(apart_m > _APART_M)
    if len(at) > _MOST_ASTRAY * n_edges:
        row = int(at[0])
        msg = (
            f"Row {row + 1} of the edge table is drawn {apart_m[row]:.1f} m from where others end"
            f" at its node ({len(at)} such rows of {n_edges})."
        )
        hint = "u is the key of the node where a line begins, v of the one where it ends."
        raise NetworkError(msg, hint=hint)
    for row in at[:_MOST_TOLD].tolist():
        yield _row(row, "u, v", f"{apart_m[row]:.1f} m ({len(at)} / {n_edges})", _ASTRAY)


def _apart_m(nodes: NDArray[np.intp], ends: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how far each end lies from its node, the middle of the ends there; shape (2E,)."""
    import pandas as pd  # noqa: PLC0415 - a warm run reads the cache and never comes here

    apart_m = np.zeros(len(nodes))
    places = np.ascontiguousarray(ends).view(np.complex128)[:, 0]  # x and y compared as one
    one = np.empty(int(nodes.max()) + 1, dtype=np.complex128)
    one[nodes] = places
    elsewhere = np.zeros(len(one), dtype=bool)
    elsewhere[nodes[np.flatnonzero(places != one[nodes])]] = True
    # Nearly all nodes are where every end of theirs is, and have no middle to be found.
    at = np.flatnonzero(elsewhere[nodes])
    if len(at):
        middle = pd.DataFrame(ends[at]).groupby(nodes[at]).transform("median").to_numpy()
        apart_m[at] = np.hypot(*(ends[at] - middle).T)
    return apart_m


_ASTRAY = "drawn elsewhere than where its nodes are"
_LONGER = "longer than it is drawn"


def _longer(length_m: NDArray[np.float64], drawn_m: NDArray[np.float64]) -> Iterator[Doubt]:
    """Give the edge that is longest beside its drawing, for all that are."""
    longer = longer_than_drawn(length_m, drawn_m)
    if longer.any():
        ratio = np.where(longer, length_m / np.maximum(drawn_m, _ROUNDING_M), 0.0)
        row = int(np.argmax(ratio))
        told = f"{length_m[row]:.0f} m, {drawn_m[row]:.0f} m ({longer.sum()} / {len(longer)})"
        yield _row(row, "length_m", told, _LONGER)


def _row(row: int, field: str, value: str, reason: str) -> Doubt:
    about = {"row": row + 1, "field": field, "value": value}
    return {**about, "reason": reason, "action": "kept, to be checked"}


def _refuse_short(length_m: NDArray[np.float64], ends: Sequence[NDArray[np.float64]]) -> None:
    """Refuse an edge that is shorter than the straight line between its ends."""
    first, last = ends
    beeline_m = np.hypot(*(first - last).T)
    # What is no length at all is refused with all networks.
    short = np.flatnonzero(
        (length_m > 0) & (length_m < beeline_m * (1 - _ROUNDING_SHARE) - _ROUNDING_M)
    )
    if len(short):
        row = int(short[0])
        msg = (
            f"Row {row + 1} of the edge table has length_m {length_m[row]:g}, "
            f"and its ends lie {beeline_m[row]:.1f} m apart ({len(short)} such rows)."
        )
        raise NetworkError(msg, hint="Give lengths in metres, or leave the column out.")
