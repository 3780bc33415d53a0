"""What cuts a gap off: the river, the tracks or the ring road between it and a service nearby."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence

import numpy as np
import shapely
from numpy.typing import NDArray

from quart_heure.network.limits import TOLERANCE

CUT_SHARE = 0.5
"""A barrier is named when at least this share of the straight lines to a service crosses it."""


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class NamedBarriers:
    """Barriers that a layer knows by name, or else by kind.

    Parameters
    ----------
    shapes
        Polygons and lines in the CRS of the study; shape (b,).
    words
        Name of each, such as ``La Seine``, or its kind, such as ``rail``; of length b.
    """

    shapes: NDArray[np.object_]
    words: Sequence[str]


def crossed_by(lines: NDArray[np.object_], barriers: NamedBarriers) -> list[list[str]]:
    """Return the words of what each line comes out of on the other side, in alphabetical order.

    An area that holds one of its ends is left on its own side; a line that it meets is crossed.
    """
    found: list[set[str]] = [set() for _ in lines]
    if not len(barriers.shapes) or not len(lines):
        return [[] for _ in lines]
    # Prepared, a river with thousands of corners is held against each line at once.
    shapely.prepare(barriers.shapes)
    line, shape = shapely.STRtree(barriers.shapes).query(lines)
    met = shapely.intersects(barriers.shapes[shape], lines[line])
    line, shape = line[met], shape[met]
    is_area = shapely.get_dimensions(barriers.shapes) == 2
    for end in (0, -1):
        holds = is_area[shape] & shapely.intersects(
            barriers.shapes[shape], shapely.get_point(lines[line], end)
        )
        line, shape = line[~holds], shape[~holds]
    for at, one in zip(line.tolist(), shape.tolist(), strict=True):
        found[at].add(barriers.words[one])
    return [sorted(words) for words in found]


def lines_to_nearest(
    xy: NDArray[np.float64], services_xy: NDArray[np.float64], *, reach_m: float
) -> tuple[NDArray[np.intp], NDArray[np.object_]]:
    """Return straight lines from some places to the nearest of some services within reach.

    Parameters
    ----------
    xy, services_xy
        In metres; shapes (k, 2) and (s, 2).
    reach_m
        A place further than this from every service has no line.

    Returns
    -------
    place, line
        Position of the place that each line is of, and the line; shapes (l,).
    """
    if not len(services_xy) or not len(xy):
        return np.empty(0, dtype=np.intp), np.empty(0, dtype=object)
    (near, service), away_m = shapely.STRtree(shapely.points(services_xy)).query_nearest(
        shapely.points(xy), max_distance=reach_m * (1 + TOLERANCE), return_distance=True
    )
    near, service = near[away_m <= reach_m], service[away_m <= reach_m]
    # Of services that are as far, the first.
    order = np.lexsort((service, near))
    near, service = near[order], service[order]
    once = np.diff(near, prepend=-1) > 0
    ends = np.stack([xy[near[once]], services_xy[service[once]]], axis=1)
    return near[once], np.asarray(shapely.linestrings(ends), dtype=object)


def cutting(
    gap: NDArray[np.intp], lines: NDArray[np.object_], barriers: NamedBarriers, *, n_gaps: int
) -> list[str]:
    """Name what most straight lines from each gap cross.

    Parameters
    ----------
    gap, lines
        Lines from cells to services (see `lines_to_nearest`), and the gap that each is of; (l,).
    barriers
        Those that are known.
    n_gaps
        Number of gaps.

    Returns
    -------
    list of str
        Of length ``n_gaps``: what at least `CUT_SHARE` of the lines of a gap crosses, the most
        often crossed first, by ';'; "" where nothing known is.
    """
    total = np.bincount(gap, minlength=n_gaps)
    counts = Counter(
        (one, word)
        for one, words in zip(gap.tolist(), crossed_by(lines, barriers), strict=True)
        for word in words
    )
    found: list[list[str]] = [[] for _ in range(n_gaps)]
    for (one, word), count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        if count >= CUT_SHARE * total[one]:
            found[one].append(word)
    return [";".join(words) for words in found]
