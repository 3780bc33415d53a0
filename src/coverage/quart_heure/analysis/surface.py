"""The surface of minutes: a regular grid of cells, each attached to the network once.

How cells meet the network does not depend on the services. Moving a service costs one search and
one sum per cell, not another grid.
"""

from __future__ import annotations

import dataclasses
import functools
from typing import TypeVar

import numpy as np
import shapely
from numpy.typing import NDArray

from quart_heure.network.barriers import Barriers
from quart_heure.network.cores import cut, on_all_cores
from quart_heure.network.entries import needed_entries
from quart_heure.network.frontages import Frontages, Shapes
from quart_heure.network.graph import WalkNetwork
from quart_heure.network.snapping import Attachment, snap_to
from quart_heure.network.travel_time import SearchGraph
from quart_heure.sources.areas.areas import StudyArea
from quart_heure.sources.background import Ground

_Value = TypeVar("_Value", bound=np.generic)

_AT_ONCE = 48_000
"""Cells that are let in to the network at a time."""

_MARGIN_CELLS = 2
"""Cells kept around the area, so that contours do not stop short of its boundary."""


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Cells:
    """Squares of a grid aligned to multiples of their size, and where they meet the network.

    Parameters
    ----------
    cell_m
        Side in metres.
    col, row
        Cell (c, r) spans ``c * cell_m`` to ``(c + 1) * cell_m`` in x, the same in y; shape (n,).
    district
        Position in the districts of the one that holds the centre, -1 for none; shape (n,).
    inside
        Whether the centre is in the study area; the others are a margin for contours; shape (n,).
    water
        Whether the centre is in a river, a lake or the sea: nobody's ground; shape (n,).
    attachment
        Where each cell's centre enters the network; nowhere from the water.
    """

    cell_m: float
    col: NDArray[np.int32]
    row: NDArray[np.int32]
    district: NDArray[np.int16]
    inside: NDArray[np.bool_]
    water: NDArray[np.bool_]
    attachment: Attachment

    def __len__(self) -> int:
        """Return the number of cells, those of the margin included."""
        return len(self.col)

    @functools.cached_property
    def first(self) -> tuple[int, int]:
        """First column and first row that hold a cell."""
        return int(self.col.min()), int(self.row.min())

    @functools.cached_property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the rectangle around the cells."""
        return int(self.row.max()) - self.first[1] + 1, int(self.col.max()) - self.first[0] + 1

    @functools.cached_property
    def place(self) -> NDArray[np.intp]:
        """Position of each cell in that rectangle, row after row; shape (n,)."""
        first_col, first_row = self.first
        row, col = (self.row - first_row).astype(np.intp), self.col - first_col
        return row * self.shape[1] + col

    def laid_out(self, values: NDArray[_Value], elsewhere: _Value) -> NDArray[_Value]:
        """Lay one value per cell out as a grid, another where there is none; shape (r, c)."""
        grid = np.full(self.shape, elsewhere, dtype=values.dtype)
        grid.ravel()[self.place] = values
        return grid

    @functools.cached_property
    def lived_on(self) -> NDArray[np.bool_]:
        """Cells of the area that people may live on: its land, all of it where there is none."""
        land: NDArray[np.bool_] = self.inside & ~self.water
        return land if land.any() else self.inside

    @functools.cached_property
    def centre_xy(self) -> NDArray[np.float64]:
        """Centres in metres; shape (n, 2)."""
        cells = np.stack([self.col, self.row], axis=1).astype(np.float64)
        return (cells + 0.5) * self.cell_m

    @property
    def cell_ha(self) -> float:
        """Area of one cell in hectares."""
        return self.cell_m**2 / 10_000


def cells_of_area(
    area: StudyArea,
    network: WalkNetwork,
    *,
    graph: SearchGraph,
    usable: NDArray[np.bool_],
    cell_m: float,
    snap_m: float,
    ground: Ground | None = None,
) -> Cells:
    """Lay the grid over an area and attach its cells to the network.

    Parameters
    ----------
    area
        The study area and its districts.
    network
        The walking network, in the CRS of the area.
    graph
        The same as the walker sees it: entries that can never be the least are left out.
    usable
        Edges that cells may enter at; shape (E,).
    cell_m
        Side of the cells in metres.
    snap_m
        Cells further than this from every usable edge are off the network.
    ground
        Water, and what nobody walks across; all is land without it.

    Returns
    -------
    Cells
        See `lay_grid`.
    """
    cells = lay_grid(area, cell_m=cell_m, ground=ground)
    everywhere = np.flatnonzero(~cells.water)
    attachment = enter_at(
        cells, everywhere, network, graph=graph, usable=usable, snap_m=snap_m, ground=ground
    )
    return dataclasses.replace(cells, attachment=attachment)


def lay_grid(area: StudyArea, *, cell_m: float, ground: Ground | None = None) -> Cells:
    """Lay the grid over an area; its cells do not enter the network yet.

    Parameters
    ----------
    area, cell_m, ground
        See `cells_of_area`.

    Returns
    -------
    Cells
        Ordered by row, then column. A centre on the border of two districts belongs to the first.
    """
    west, south, east, north = shapely.bounds(area.geometry)
    pad = _MARGIN_CELLS + 1
    cols = np.arange(int(west // cell_m) - pad, int(east // cell_m) + pad + 1, dtype=np.int32)
    rows = np.arange(int(south // cell_m) - pad, int(north // cell_m) + pad + 1, dtype=np.int32)
    x, y = np.meshgrid((cols + 0.5) * cell_m, (rows + 0.5) * cell_m)
    district = _holding_polygon(x, y, area.districts.geometry.to_numpy())
    inside = district >= 0
    shapely.prepare(area.geometry)
    elsewhere = np.nonzero(~inside)
    inside[elsewhere] = shapely.intersects_xy(area.geometry, x[elsewhere], y[elsewhere])
    kept = _grow(inside, _MARGIN_CELLS)
    r, c = np.nonzero(kept)
    water = np.zeros(len(r), dtype=bool)
    if ground is not None:
        water = _holding_polygon(x, y, ground.water)[kept] >= 0
    return Cells(
        cell_m=cell_m,
        col=cols[c],
        row=rows[r],
        district=district[kept].astype(np.int16),
        inside=inside[kept],
        water=water,
        attachment=Attachment.none(len(r)),
    )


def enter_at(
    cells: Cells,
    which: NDArray[np.intp],
    network: Shapes,
    *,
    graph: SearchGraph,
    usable: NDArray[np.bool_],
    snap_m: float,
    ground: Ground | None,
) -> Attachment:
    """Let some cells enter the network at usable edges; the others keep the entries they have.

    Parameters
    ----------
    which
        Positions of the cells; those without an entry there keep theirs, too.
    network, graph, usable, snap_m, ground
        See `cells_of_area`.
    """
    barriers = None if ground is None else Barriers.of_shapes(ground.barriers)
    frontages = Frontages.of(network, usable)

    def enter(some: slice) -> Attachment:
        xy = cells.centre_xy[which[some]]
        found = snap_to(frontages, xy, max_distance_m=snap_m, barriers=barriers)
        return needed_entries(graph, found)

    # Some rows of the grid at a time: most entries of each are dropped at once.
    parts = on_all_cores(enter, cut(len(which), most=_AT_ONCE))
    found = Attachment.one_after_the_other([Attachment.none(0), *parts])
    if not len(cells.attachment.edge):
        place = which[found.place].astype(np.int32)
        return dataclasses.replace(found, place=place, n_places=len(cells))
    on = np.flatnonzero(found.attached)
    return cells.attachment.updated(which[on], found[on])


def give_way(
    cells: Cells,
    network: Shapes,
    *,
    graph: SearchGraph,
    unserved: NDArray[np.bool_],
    instead: NDArray[np.bool_],
    snap_m: float,
    ground: Ground | None,
) -> Cells:
    """Let cells leave a part of the network that leads to no service for the largest one.

    A slip road between fences is near, and leads nowhere. Where all entries of a cell are in parts
    without a service, it enters the largest part instead if that is within ``snap_m``; else it
    stays, and nothing can be reached from it.

    Parameters
    ----------
    unserved
        Useful edges from which no way leads to a service that counts; shape (E,).
    instead
        Edges of the largest component that cells may enter at; shape (E,).
    cells, network, graph, snap_m, ground
        See `cells_of_area`.
    """
    entries = cells.attachment
    elsewhere = np.zeros(len(cells), dtype=bool)
    elsewhere[entries.place[~unserved[entries.edge]]] = True
    attachment = enter_at(
        cells,
        np.flatnonzero(entries.attached & ~elsewhere),
        network,
        graph=graph,
        usable=instead,
        snap_m=snap_m,
        ground=ground,
    )
    return dataclasses.replace(cells, attachment=attachment)


def minutes_grid(
    cells: Cells, values: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Lay one value per cell out as a grid.

    Returns
    -------
    x, y, grid
        Centres of columns and rows in metres, and the values, inf where there is no cell;
        shapes (c,), (r,) and (r, c).
    """
    first_col, first_row = cells.first
    rows, columns = cells.shape
    x = (first_col + np.arange(columns, dtype=np.float64) + 0.5) * cells.cell_m
    y = (first_row + np.arange(rows, dtype=np.float64) + 0.5) * cells.cell_m
    return x, y, cells.laid_out(values, np.float64(np.inf))


def _holding_polygon(
    x: NDArray[np.float64], y: NDArray[np.float64], polygons: NDArray[np.object_]
) -> NDArray[np.int32]:
    """Return for each point the first polygon that holds it, -1 for none."""
    holder = np.full(x.shape, -1, dtype=np.int32)
    for number, polygon in enumerate(polygons):
        west, south, east, north = shapely.bounds(polygon)
        rows = slice(*np.searchsorted(y[:, 0], [south, north + 1e-6]))
        cols = slice(*np.searchsorted(x[0], [west, east + 1e-6]))
        shapely.prepare(polygon)
        held = shapely.intersects_xy(polygon, x[rows, cols], y[rows, cols])
        part = holder[rows, cols]
        part[held & (part < 0)] = number
    return holder


def _grow(mask: NDArray[np.bool_], steps: int) -> NDArray[np.bool_]:
    """Add the eight neighbours of each true cell, some times over."""
    for _ in range(steps):
        padded = np.pad(mask, 1)
        rows = padded[:-2] | padded[1:-1] | padded[2:]
        mask = rows[:, :-2] | rows[:, 1:-1] | rows[:, 2:]
    return mask
