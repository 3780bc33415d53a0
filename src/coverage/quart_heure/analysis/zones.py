"""Zones: connected groups of cells and their exact outlines."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

from quart_heure.network.groups import connected_groups

# Directions, counter-clockwise: east, north, west, south, as (column, row) steps.
_STEPS = np.array([[1, 0], [0, 1], [-1, 0], [0, -1]])


def label_zones(mask: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Label the groups of true cells that touch along a side.

    Parameters
    ----------
    mask
        Cells by row and column; shape (r, c).

    Returns
    -------
    NDArray[np.int32]
        0 for false cells, else 1, 2 … in the order of each group's first cell; shape (r, c).
    """
    # Cells are joined in runs along the rows first: there are fifty times fewer of them.
    begins = mask.copy()
    begins[:, 1:] &= ~mask[:, :-1]
    run = np.cumsum(begins.ravel()).reshape(mask.shape)
    n_runs = int(run[-1, -1]) if run.size else 0
    if n_runs == 0:
        return np.zeros(mask.shape, dtype=np.int32)
    meets = mask[1:] & mask[:-1]
    once = meets.copy()
    once[:, 1:] &= ~meets[:, :-1]
    group = connected_groups(run[:-1][once] - 1, run[1:][once] - 1, n_runs)
    return np.where(mask, group[np.maximum(run, 1) - 1] + 1, 0).astype(np.int32)


def zone_polygons(labels: NDArray[np.int32]) -> list[shapely.Polygon]:
    """Trace the outline of each zone along the sides of its cells.

    Parameters
    ----------
    labels
        As `label_zones` gives them; shape (r, c).

    Returns
    -------
    list of Polygon
        One valid polygon per zone, in units of cells: cell (row, column) spans column to
        column + 1 in x and row to row + 1 in y. Holes are kept.
    """
    padded = np.pad(labels, 1)
    starts, directions, zones = _sides(padded)
    following = _next_side(starts, directions, zones, width=padded.shape[1] + 1)
    found = _walk_rings(starts, directions, zones, following)
    if not found:
        return []
    zone = np.array([zone for zone, _ in found])
    corners = np.concatenate([ring for _, ring in found]) - 1
    ring = np.repeat(np.arange(len(found)), [len(ring) for _, ring in found])
    rings = shapely.linearrings(corners.astype(np.float64), indices=ring)
    # Sides run with the zone on their left: the one ring that turns left encloses it.
    order = np.lexsort((~_turn_left(corners, ring, len(found)), zone))
    return list(shapely.polygons(rings[order], indices=zone[order] - 1))


def _sides(
    padded: NDArray[np.int32],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int32]]:
    """Return the sides between zones as start corners (column, row), directions and zones."""
    row, col = _differing(padded[1:], padded[:-1])
    above, below = padded[row + 1, col], padded[row, col]
    vertical = np.stack([col, row + 1], axis=1)
    row, col = _differing(padded[:, 1:], padded[:, :-1])
    right, left = padded[row, col + 1], padded[row, col]
    horizontal = np.stack([col + 1, row], axis=1)
    # Of two cells that differ, either has a side between them, which runs with the cell on its
    # left: the cell above eastwards, the left one northwards, and so on.
    sides = [
        (vertical, above),
        (horizontal, left),
        (vertical + np.array([1, 0]), below),
        (horizontal + np.array([0, 1]), right),
    ]
    starts = [corner[zone > 0] for corner, zone in sides]
    zones = [zone[zone > 0] for _, zone in sides]
    directions = np.repeat(np.arange(len(sides)), [len(zone) for zone in zones])
    return np.concatenate(starts), directions, np.concatenate(zones)


def _differing(
    one: NDArray[np.int32], other: NDArray[np.int32]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return rows and columns at which two grids differ."""
    at = np.flatnonzero(one != other)  # several times faster than of two dimensions
    return np.divmod(at, one.shape[1])


def _next_side(
    starts: NDArray[np.int64],
    directions: NDArray[np.int64],
    zones: NDArray[np.int32],
    *,
    width: int,
) -> NDArray[np.int64]:
    """Return the side that follows each one round its zone.

    Where two cells of a zone touch at a corner only, the way turns right, so that no ring passes
    a corner twice: outlines stay valid, and a zone has one outer ring.
    """
    corner = starts[:, 1] * width + starts[:, 0]
    end = starts + _STEPS[directions]
    end_corner = end[:, 1] * width + end[:, 0]
    n_corners = max(int(corner.max(initial=0)), int(end_corner.max(initial=0))) + 1
    key = (zones * n_corners + corner) * 4 + directions
    order = np.argsort(key)
    key = key[order]
    following = np.full(len(starts), -1, dtype=np.int64)
    for turn in (1, 0, -1):  # right comes last and so prevails
        wanted = (zones * n_corners + end_corner) * 4 + (directions + turn) % 4
        at = np.minimum(np.searchsorted(key, wanted), len(key) - 1)
        found = key[at] == wanted
        following[found] = order[at[found]]
    return following


def _walk_rings(
    starts: NDArray[np.int64],
    directions: NDArray[np.int64],
    zones: NDArray[np.int32],
    following: NDArray[np.int64],
) -> list[tuple[int, NDArray[np.int64]]]:
    """Follow the sides round and return each ring's zone and its corners (k, 2), closed."""
    # Only sides that begin at a turn are corners of the drawing; straight ones are passed over.
    turns = np.zeros(len(starts), dtype=bool)
    turns[following] = directions != directions[following]
    follow, turn = following.tolist(), turns.tolist()
    seen = bytearray(len(follow))
    rings = []
    for first in np.flatnonzero(turns).tolist():
        if seen[first]:
            continue
        ring, side = [first], follow[first]
        seen[first] = True
        while side != first:
            seen[side] = True
            if turn[side]:
                ring.append(side)
            side = follow[side]
        rings.append((int(zones[first]), starts[[*ring, first]]))
    return rings


def _turn_left(
    corners: NDArray[np.int64], ring: NDArray[np.intp], n_rings: int
) -> NDArray[np.bool_]:
    """Tell which closed rings turn left; ``ring`` is which one each corner is of."""
    x, y = corners.T
    within = np.flatnonzero(ring[1:] == ring[:-1])
    twice = x[within] * y[within + 1] - x[within + 1] * y[within]
    left: NDArray[np.bool_] = np.bincount(ring[within], weights=twice, minlength=n_rings) > 0
    return left
