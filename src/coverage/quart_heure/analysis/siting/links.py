"""Links: which short new way between two streets would bring most people within reach.

Whoever reaches the near end of a link goes on by it and from its far end as one does today. So a
place is covered by a link if its way to the near end, the link, and the minutes from the far end
add up to the threshold at most.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from quart_heure.network.graph import WalkNetwork
from quart_heure.network.limits import within
from quart_heure.network.reach import Reach

OPTIONS = 40
"""Links from one near end that are looked at, those with the fewest minutes."""

SPOT_M = 40.0
"""Ends of links are tried at one place of the streets per square of this side, in metres."""


def street_spots(
    network: WalkNetwork, usable: NDArray[np.bool_], *, spot_m: float = SPOT_M
) -> NDArray[np.float64]:
    """Return places on the streets that a link may begin or end at; shape (k, 2).

    One per square of a mesh: of the vertices and the middles of the pieces of useful streets on
    the ground, the one nearest to the middle of the square, the first of equals.
    """
    ground = usable & ~network.bridge & ~network.tunnel & ~network.steps
    vertex = np.repeat(ground, np.diff(network.offsets))
    ends_edge = np.zeros(len(network.xy), dtype=bool)
    ends_edge[network.offsets[1:] - 1] = True
    piece = np.flatnonzero(vertex & ~ends_edge)
    begin, end = network.xy[piece], network.xy[piece + 1]
    steps = np.maximum(np.ceil(np.hypot(*(end - begin).T) / spot_m).astype(np.int64), 1)
    part = np.arange(steps.sum()) - np.repeat(np.cumsum(steps) - steps, steps)
    share = (part / np.repeat(steps, steps))[:, None]
    along = np.repeat(begin, steps, axis=0) + share * np.repeat(end - begin, steps, axis=0)
    xy = np.concatenate([along, network.xy[vertex & ends_edge]])
    square = np.floor(xy / spot_m)
    away_m = np.hypot(*(xy - (square + 0.5) * spot_m).T)
    order = np.lexsort((xy[:, 1], xy[:, 0], away_m, square[:, 0], square[:, 1]))
    square = square[order]
    first = np.ones(len(order), dtype=bool)
    first[1:] = (square[1:] != square[:-1]).any(axis=1)
    return np.asarray(xy[order][first])


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Links:
    """Links between places on the streets, and the minutes from their near end; shapes (k,)."""

    near: NDArray[np.intp]
    far: NDArray[np.intp]
    length_m: NDArray[np.float64]
    minutes: NDArray[np.float64]

    def __len__(self) -> int:
        """Return the number of links."""
        return len(self.near)


def shortcuts(
    xy: NDArray[np.float64],
    minutes: NDArray[np.float64],
    near: NDArray[np.intp],
    *,
    most_m: float,
    speed_m_per_min: float,
    threshold_min: float,
) -> Links:
    """Return the best links from each near end, where there are any.

    Parameters
    ----------
    xy, minutes
        Places on the streets, and their minutes to the nearest service; shapes (n, 2) and (n,).
    near
        Those that a link may begin at.
    most_m
        Length of the longest link.
    speed_m_per_min
        Of the walker.
    threshold_min
        A link must lead to a service within this.

    Returns
    -------
    Links
        From each near end those with the fewest minutes to a service, of equals the shortest
        first, `OPTIONS` at most. A link saves at least as many minutes as it takes itself: it goes
        round something.
    """
    tree = cKDTree(xy)
    found = []
    around = tree.query_ball_point(xy[near], most_m, return_sorted=True)
    for one, others in zip(near.tolist(), list(around), strict=True):
        far = np.array(others, dtype=np.intp)
        length_m = np.hypot(*(xy[far] - xy[one]).T)
        walk = length_m / speed_m_per_min
        then = minutes[far] + walk
        good = (length_m > 0) & (then + walk <= minutes[one]) & within(then, threshold_min)
        if not good.any():
            continue
        far, length_m, then = far[good], length_m[good], then[good]
        for best in np.lexsort((far, length_m, then))[:OPTIONS].tolist():
            found.append((one, far[best], length_m[best], then[best]))
    columns = [np.array([row[at] for row in found]) for at in range(4)]
    return Links(
        near=columns[0].astype(np.intp),
        far=columns[1].astype(np.intp),
        length_m=columns[2].astype(np.float64),
        minutes=columns[3].astype(np.float64),
    )


def free_links(
    links: Links, xy: NDArray[np.float64], network: WalkNetwork, ground: NDArray[np.bool_]
) -> Links:
    """Return the first link from each near end that crosses no street on the ground.

    One that does might as well begin there, or is a way through several blocks. Its ends are on
    streets: half a metre of either does not count.
    """
    near, far = xy[links.near], xy[links.far]
    short = (0.5 / links.length_m)[:, None] * (far - near)
    lines = shapely.linestrings(np.stack([near + short, far - short], axis=1))
    streets = shapely.STRtree(network.lines[ground])
    crossing, _ = streets.query(lines, predicate="intersects")
    free = np.ones(len(links), dtype=bool)
    free[crossing] = False
    kept = np.flatnonzero(free & (links.length_m > 1))
    _, first = np.unique(links.near[kept], return_index=True)
    kept = kept[first]
    return Links(
        near=links.near[kept],
        far=links.far[kept],
        length_m=links.length_m[kept],
        minutes=links.minutes[kept],
    )


def link_gains(
    links: Links,
    reach: Reach,
    weight: NDArray[np.float64],
    *,
    wanted: NDArray[np.bool_],
    threshold_min: float,
) -> NDArray[np.float64]:
    """Return what each link would bring within the threshold; shape (k,).

    Parameters
    ----------
    reach
        The cells within the threshold of the near end of each link.
    weight, wanted
        What each cell is worth, and whether it would gain; shapes (n,).
    """
    gains = np.zeros(len(links))
    for at in range(len(links)):
        cells, minutes = reach.of(at)
        cells = cells[within(minutes + links.minutes[at], threshold_min)]
        gains[at] = weight[cells[wanted[cells]]].sum()
    return gains.round(6)


def apart(
    order: NDArray[np.intp],
    links: Links,
    xy: NDArray[np.float64],
    *,
    apart_m: float,
    count: int,
) -> NDArray[np.intp]:
    """Return the first links of an order, without those beside one that is taken already."""
    taken: list[int] = []
    for one in order.tolist():
        if len(taken) >= count:
            break
        near, far = xy[links.near[one]], xy[links.far[one]]
        beside = [
            np.hypot(*(near - xy[links.near[other]])) < apart_m
            and np.hypot(*(far - xy[links.far[other]])) < apart_m
            for other in taken
        ]
        if not any(beside):
            taken.append(one)
    return np.array(taken, dtype=np.intp)
