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
    begins, ends = mask.copy(), mask.copy()
    begins[:, 1:] &= ~mask[:, :-1]
    ends[:, :-1] &= ~mask[:, 1:]
    begin, end = np.flatnonzero(begins), np.flatnonzero(ends) + 1
    meets = mask[1:] & mask[:-1]
    once = meets.copy()
    once[:, 1:] &= ~meets[:, :-1]
    above = np.flatnonzero(once)
    run, other = (np.searchsorted(begin, at, "right") - 1 for at in (above, above + mask.shape[1]))
    # Before each run and after the last, there are cells of none.
    labels = np.zeros(2 * len(begin) + 1, dtype=np.int32)
    labels[1::2] = connected_groups(run, other, len(begin)) + 1
    bounds = np.zeros(2 * len(begin) + 2, dtype=np.int64)
    bounds[1:-1:2], bounds[2:-1:2], bounds[-1] = begin, end, mask.size
    return np.repeat(labels, np.diff(bounds)).reshape(mask.shape)


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
    padded = np.zeros((labels.shape[0] + 2, labels.shape[1] + 2), dtype=labels.dtype)
    padded[1:-1, 1:-1] = labels
    starts, directions, zones = _sides(padded)
    if len(starts) == 0:
        return []
    following = _next_side(starts, directions, zones, width=padded.shape[1] + 1)
    sides, sizes = _walk_rings(directions, following)
    corners = starts[sides] - 1
    zone = zones[sides[np.cumsum(sizes) - 1]]
    ring = np.repeat(np.arange(len(sizes)), sizes)
    rings = shapely.linearrings(corners.astype(np.float64), indices=ring)
    # Sides run with the zone on their left: the one ring that turns left encloses it.
    order = np.lexsort((~_turn_left(corners, ring, len(sizes)), zone))
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
    end = starts + _STEPS[directions]
    # One cell lies to the left of a side: where it begins and where it goes tell it from others.
    begun = (starts[:, 1] * width + starts[:, 0]) * 4 + directions
    ended = (end[:, 1] * width + end[:, 0]) * 4
    side_of = np.full(max(int(begun.max()), int(ended.max())) + 4, -1, dtype=np.int32)
    side_of[begun] = np.arange(len(starts), dtype=np.int32)
    following = np.full(len(starts), -1, dtype=np.int64)
    for turn in (1, 0, -1):  # right comes last and so prevails
        side = side_of[ended + (directions + turn) % 4]
        found = (side >= 0) & (zones[side] == zones)
        following[found] = side[found]
    return following


def _walk_rings(
    directions: NDArray[np.int64], following: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Follow the sides round: return those of all rings at whose start one turns, and their number.

    A ring ends with the side that it begins with.
    """
    # Only sides that begin at a turn are corners of the drawing; straight ones are passed over,
    # twice as many at each step.
    turns = np.zeros(len(following), dtype=bool)
    turns[following] = directions != directions[following]
    hop = np.where(turns, np.arange(len(following)), following)
    while not turns[hop].all():
        hop = hop[hop]
    follow = hop[following].tolist()
    seen = bytearray(len(follow))
    sides: list[int] = []
    sizes: list[int] = []
    for first in np.flatnonzero(turns).tolist():
        if seen[first]:
            continue
        before = len(sides)
        sides.append(first)
        side = follow[first]
        while side != first:
            seen[side] = True
            sides.append(side)
            side = follow[side]
        sides.append(first)
        sizes.append(len(sides) - before)
    return np.array(sides, dtype=np.int64), np.array(sizes, dtype=np.int64)


def _turn_left(
    corners: NDArray[np.int64], ring: NDArray[np.intp], n_rings: int
) -> NDArray[np.bool_]:
    """Tell which closed rings turn left; ``ring`` is which one each corner is of."""
    x, y = corners.T
    within = np.flatnonzero(ring[1:] == ring[:-1])
    twice = x[within] * y[within + 1] - x[within + 1] * y[within]
    left: NDArray[np.bool_] = np.bincount(ring[within], weights=twice, minlength=n_rings) > 0
    return left
