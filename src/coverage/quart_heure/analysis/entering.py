"""Entering: where cells enter the streets, when few of them enter elsewhere than was found before.

Another walker, other useful parts, another longest way to a street: each changes the entries of the
cells around some streets, and those of all others are known.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from quart_heure.analysis.surface import Cells, enter_at
from quart_heure.network.graph import WalkNetwork
from quart_heure.network.ordering import runs
from quart_heure.network.snapping import ALWAYS_M, NEAREST_FACTOR
from quart_heure.network.travel_time import SearchGraph
from quart_heure.sources.background import Ground

_MOST_SHARE = 0.5
"""Where more cells than this share may enter elsewhere, all of them are let in again."""

_SEEN_AS = ("forward", "backward", "effort_forward", "effort_backward")


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Entering:
    """By which rule cells enter the streets of a network.

    Parameters
    ----------
    network, graph
        The streets, and as the walker sees them.
    usable
        Edges that cells may enter at; shape (E,).
    snap_m
        Cells further than this from every usable edge are off the network.
    ground
        What no cell enters across.
    """

    network: WalkNetwork
    graph: SearchGraph
    usable: NDArray[np.bool_]
    snap_m: float
    ground: Ground | None

    def differs_for(self, other: Entering, cells: Cells) -> NDArray[np.bool_] | None:
        """Tell which cells may enter elsewhere by another rule, though most do not.

        Parameters
        ----------
        other
            The other rule.
        cells
            As they enter by this one, wherever services are (see `cells_of_area`).

        Returns
        -------
        NDArray[np.bool_] or None
            Shape (n,); None where the streets or the ground are others.
        """
        if self.network is not other.network or self.ground is not other.ground:
            return None
        edges = self.usable != other.usable
        for name in _SEEN_AS:
            one, two = getattr(self.graph, name), getattr(other.graph, name)
            if one is not two:
                edges |= one != two
        edges &= self.usable | other.usable
        least_m, most_m = sorted((self.snap_m, other.snap_m))
        differs = _within(cells, self.network, np.flatnonzero(edges), most_m)
        if least_m < most_m:
            # How far entries of a cell may lie hangs on the nearest of them: see `snap`.
            nearest_m = np.nan_to_num(cells.attachment.nearest_m, nan=np.inf)
            differs |= np.maximum(NEAREST_FACTOR * nearest_m, ALWAYS_M) > least_m
        return differs

    def let_in(self, cells: Cells, which: NDArray[np.bool_]) -> Cells:
        """Return the cells with some of them, shape (n,), let in anew by this rule."""
        attachment = cells.attachment
        attachment = attachment.take(~which[attachment.place])
        attachment = enter_at(
            dataclasses.replace(cells, attachment=attachment),
            np.flatnonzero(which & ~cells.water),
            self.network,
            graph=self.graph,
            usable=self.usable,
            snap_m=self.snap_m,
            ground=self.ground,
        )
        return dataclasses.replace(cells, attachment=attachment)


def are_few(which: NDArray[np.bool_]) -> bool:
    """Tell whether it is worth while to let some cells in anew, and not all; shape (n,)."""
    return bool(which.mean() <= _MOST_SHARE)


def _within(
    cells: Cells, network: WalkNetwork, edges: NDArray[np.intp], metres: float
) -> NDArray[np.bool_]:
    """Tell which cells may have their centre within some metres of edges, and some more; (n,)."""
    begins, sizes = network.offsets[edges], np.diff(network.offsets)[edges] - 1
    vertex = runs(begins, sizes)
    start, along = network.xy[vertex], network.xy[vertex + 1] - network.xy[vertex]
    # No point of a piece is further than half a cell from one of these.
    n = np.maximum(np.ceil(np.hypot(*along.T) / cells.cell_m), 1).astype(np.int64)
    share = (runs(np.zeros_like(n), n) + 0.5) / np.repeat(n, n)
    point = np.repeat(start, n, axis=0) + share[:, None] * np.repeat(along, n, axis=0)
    reach = int(np.ceil(metres / cells.cell_m)) + 1
    rows, columns = cells.shape
    column, row = np.floor(point / cells.cell_m).astype(np.int64).T - np.array(cells.first)[:, None]
    near = np.zeros((rows + 2 * reach, columns + 2 * reach), dtype=bool)
    column, row = column + reach, row + reach
    here = (column >= 0) & (column < near.shape[1]) & (row >= 0) & (row < near.shape[0])
    near[row[here], column[here]] = True
    for grid in (near, near.T):
        for _ in range(reach):
            grown = grid.copy()
            grown[1:] |= grid[:-1]
            grown[:-1] |= grid[1:]
            grid[:] = grown
    return near[reach : reach + rows, reach : reach + columns].ravel()[cells.place]
