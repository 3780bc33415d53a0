"""Slopes: how much more, or less, a metre of street takes because it climbs or falls.

Walking downhill is not walking uphill backwards, so every edge has two efforts.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from quart_heure.network.graph import WalkNetwork
from quart_heure.sources.heights import Heights

_STEEPNESS = 3.5
_EASIEST = -0.05
"""Tobler's function is fastest on a slope of five in a hundred, downhill."""

_SAMPLE_M = 20.0
"""Heights are taken along a street this far apart at least: on shorter steps, the noise of a grid
of heights would be taken for slopes."""

LEAST_EFFORT = float(np.exp(_STEEPNESS * _EASIEST))
"""Metres of level street that a metre takes on the easiest slope."""


@dataclasses.dataclass(frozen=True, eq=False)
class Slopes:
    """Metres of level street that a metre of each edge takes; shapes (E,).

    Parameters
    ----------
    forward, backward
        From u to v, and from v to u.
    """

    forward: NDArray[np.float64]
    backward: NDArray[np.float64]


def tobler_effort(slope: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how many metres of level street a metre on a slope takes.

    Parameters
    ----------
    slope
        Metres climbed per metre walked, negative downhill.

    Notes
    -----
    Tobler's hiking function, ``speed = 6 exp(-3.5 |slope + 0.05|)`` km/h (W. Tobler, *Three
    presentations on geographical analysis and modeling*, NCGIA technical report 93-1, 1993), over
    its own value on level ground: the walker's speed is that of level ground, whoever walks.

    Examples
    --------
    >>> tobler_effort(np.array([0.0, 0.1, -0.1])).round(3).tolist()
    [1.0, 1.419, 1.0]
    """
    effort: NDArray[np.float64] = np.exp(_STEEPNESS * (np.abs(slope - _EASIEST) - np.abs(_EASIEST)))
    return effort


def slopes_of(network: WalkNetwork, heights: Heights) -> Slopes:
    """Measure the slopes of every edge.

    Heights are taken at equal steps along the drawing, at least 20 m apart. Bridges and tunnels
    run straight from the height of one end to that of the other, whatever the ground does below or
    above; steps are level, since a walker's factor for steps holds their climb. Where a height is
    not known the street is level too.
    """
    line, share = _samples(network)
    z = heights.at(_along(network, line, share), network.crs)
    inner = line[1:] == line[:-1]
    edge = line[1:][inner]
    piece_m = np.diff(share)[inner] * network.length_m[edge]
    climb_m = np.diff(z)[inner]
    slope = np.divide(climb_m, piece_m, out=np.zeros_like(climb_m), where=piece_m > 0)
    slope[~np.isfinite(slope) | network.steps[edge]] = 0.0
    return Slopes(
        forward=_mean(edge, tobler_effort(slope), piece_m, network),
        backward=_mean(edge, tobler_effort(-slope), piece_m, network),
    )


def _samples(network: WalkNetwork) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Return the edge of each sample, and its share of the way from u to v."""
    pieces = np.maximum(np.floor(network.length_m / _SAMPLE_M).astype(np.intp), 1)
    pieces[network.bridge | network.tunnel] = 1
    line = np.repeat(np.arange(network.n_edges), pieces + 1)
    first = np.concatenate([[0], np.cumsum(pieces + 1)[:-1]])
    share = (np.arange(len(line)) - first[line]) / pieces[line]
    return line, share


def _along(
    network: WalkNetwork, line: NDArray[np.intp], share: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the coordinates at a share of the way along edges; shape (n, 2)."""
    start, last = network.offsets[line], network.offsets[line + 1] - 1
    # One axis for all edges, each on a stretch of its own, so that one search finds every place.
    drawn = network.drawn_m
    whole = drawn[network.offsets[1:] - 1]
    begin = np.concatenate([[0.0], np.cumsum(whole + 1.0)[:-1]])
    axis = drawn + np.repeat(begin, np.diff(network.offsets))
    at = begin[line] + share * whole[line]
    after = np.clip(np.searchsorted(axis, at, side="left"), start + 1, last)
    before = after - 1
    span = axis[after] - axis[before]
    part = np.divide(at - axis[before], span, out=np.zeros_like(at), where=span > 0)
    step = np.clip(part, 0.0, 1.0)[:, None]
    points: NDArray[np.float64] = network.xy[before] * (1 - step) + network.xy[after] * step
    return points


def _mean(
    edge: NDArray[np.intp],
    effort: NDArray[np.float64],
    piece_m: NDArray[np.float64],
    network: WalkNetwork,
) -> NDArray[np.float64]:
    total = np.bincount(edge, weights=effort * piece_m, minlength=network.n_edges)
    mean: NDArray[np.float64] = (total / network.length_m).astype(np.float64)
    return mean
