"""People on cells: residents moved from squares or polygons onto the cells of a study.

Whatever the source, one rule holds. Each zone has a measure: its area, or the volume of its
buildings. Its people are those of the area in proportion to the measure that lies in the area, and
go to the cells in proportion to the measure on each; so the total is kept, and what lies outside is
counted.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from quart_heure.analysis.surface import Cells
from quart_heure.sources.areas.areas import StudyArea
from quart_heure.sources.residents.residents import Buildings, Residents, ResidentZones

FINE_M = 25.0
"""Squares no larger than this, or than a cell, are judged at their centre, as cells are."""


_CLOSE_CELLS = 4
"""The cell nearest to a place is looked for within so many cells of it first."""


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class CellResidents:
    """Residents on cells.

    Parameters
    ----------
    people
        Residents of each cell; shape (n,), zero on the margin. None where they are not known.
    outside
        People of the zones who live outside the area.
    zones_without_building
        Zones with people, in the area, that were shared out by area for want of a building.
    """

    people: NDArray[np.float64] | None = None
    outside: float = 0.0
    zones_without_building: int = 0

    def problems(self) -> list[dict[str, Any]]:
        """Return rows of a table of problems."""
        if self.zones_without_building == 0:
            return []
        return [
            {
                "file": "",
                "row": None,
                "field": "residents",
                "value": str(self.zones_without_building),
                "reason": "zones with people and no building",
                "action": "shared out by area",
            }
        ]


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class _Measure:
    """How much of each zone there is: in all, in the area, and on each cell of the area."""

    total: NDArray[np.float64]
    inside: NDArray[np.float64]
    zone: NDArray[np.intp]
    cell: NDArray[np.intp]
    amount: NDArray[np.float64]

    def within(self, of_zone: NDArray[np.intp], of_cell: NDArray[np.int16]) -> _Measure:
        """Leave out what zones have on cells of other districts; -1 is a zone of several."""
        own = of_zone[self.zone]
        kept = (own < 0) | (own == of_cell[self.cell])
        return dataclasses.replace(
            self, zone=self.zone[kept], cell=self.cell[kept], amount=self.amount[kept]
        )


def residents_per_cell(
    cells: Cells, residents: Residents | ResidentZones, area: StudyArea
) -> CellResidents:
    """Move residents from their squares or polygons onto the cells of the area.

    Parameters
    ----------
    cells
        The grid.
    residents
        People per square or polygon, in the CRS of the area.
    area
        The study area. People of a zone across its boundary are shared by area, or by the volume
        of buildings, between inside and outside.

    Notes
    -----
    A zone that reaches into the area and meets no cell of it gives the people it has there to the
    nearest cell. Nobody lives in water: a zone gives to its cells of land, or to the nearest one.
    Squares of at most `FINE_M`, or a cell, are judged at their centre. The people of
    a district go to its own cells alone, those whose centre it holds: a cell that its border cuts
    belongs to one district in every table.
    """
    index = _CellIndex(cells)
    shapely.prepare(area.geometry)
    district = _positions(residents, area)
    if isinstance(residents, Residents):
        measure = _measure_squares(cells, index, residents, area)
        squares = residents.zones(residents.crs).shapes
        people, outside = _share_out(index, residents.residents, measure, squares)
        return CellResidents(people=people, outside=outside)
    if residents.buildings is None:
        by_area = _measure_area(cells, residents, area)
        people, outside = _share_out(
            index, residents.residents, by_area, residents.shapes, district
        )
        return CellResidents(people=people, outside=outside)
    by_volume = _measure_volume(cells, index, residents, residents.buildings, area)
    built = by_volume.total > 0
    people, outside = _share_out(
        index,
        np.where(built, residents.residents, 0.0),
        by_volume,
        residents.shapes,
        district,
    )
    bare = residents[~built & (residents.residents > 0)]
    by_area = _measure_area(cells, bare, area)
    more, further = _share_out(index, bare.residents, by_area, bare.shapes, _positions(bare, area))
    return CellResidents(
        people=people + more,
        outside=outside + further,
        zones_without_building=int(np.count_nonzero(by_area.inside > 0)),
    )


def _positions(residents: Residents | ResidentZones, area: StudyArea) -> NDArray[np.intp] | None:
    """Return the position in the districts of the one that each zone is in, -1 for several."""
    if isinstance(residents, Residents) or residents.district is None:
        return None
    # Districts of another division than the area has now are none of its own.
    position = {name: at for at, name in enumerate(area.districts["district_id"])}
    return np.array([position.get(str(name), -1) for name in residents.district], dtype=np.intp)


def _share_out(
    index: _CellIndex,
    people: NDArray[np.float64],
    measure: _Measure,
    places: NDArray[np.object_],
    district: NDArray[np.intp] | None = None,
) -> tuple[NDArray[np.float64], float]:
    """Give the people of each zone to cells; return them and how many live outside."""
    if district is not None:
        measure = measure.within(district, index.cells.district)
    n_zones, n_cells = len(people), len(index.cells)
    some = measure.total > 0
    share = np.divide(measure.inside, measure.total, out=np.zeros(n_zones), where=some)
    here = people * np.clip(share, 0.0, 1.0)
    met = np.bincount(measure.zone, weights=measure.amount, minlength=n_zones)
    per_unit = np.divide(here, met, out=np.zeros(n_zones), where=met > 0)
    on_cells: NDArray[np.float64] = np.bincount(
        measure.cell, weights=measure.amount * per_unit[measure.zone], minlength=n_cells
    ).astype(np.float64)
    left = np.flatnonzero((met <= 0) & (here > 0))
    nearest = index.nearest(places[left], None if district is None else district[left])
    found = nearest >= 0
    on_cells += np.bincount(nearest[found], weights=here[left[found]], minlength=n_cells)
    outside = float((people - here).sum() + here[left[~found]].sum())
    return on_cells, outside


def _measure_squares(
    cells: Cells, index: _CellIndex, squares: Residents, area: StudyArea
) -> _Measure:
    cell_m, square_m = cells.cell_m, squares.square_m
    span = int(np.ceil(square_m / cell_m)) + 1
    first_col = np.floor(squares.col * square_m / cell_m + 1e-9).astype(np.int64)
    first_row = np.floor(squares.row * square_m / cell_m + 1e-9).astype(np.int64)
    targets, amounts = [], []
    for dx in range(span):
        width = _overlap(squares.col, square_m, first_col + dx, cell_m)
        for dy in range(span):
            height = _overlap(squares.row, square_m, first_row + dy, cell_m)
            target = index.find(first_col + dx, first_row + dy)
            targets.append(target)
            amounts.append(np.where(target >= 0, width * height, 0.0))
    cell, amount = np.stack(targets), np.stack(amounts)
    zone = np.broadcast_to(np.arange(len(squares.col)), cell.shape)
    kept = amount > 0
    if square_m <= max(cell_m, FINE_M):
        inside = shapely.intersects_xy(
            area.geometry, (squares.col + 0.5) * square_m, (squares.row + 0.5) * square_m
        ).astype(np.float64)
        total = np.ones(len(inside))
    else:
        total, inside = _area_within(squares.zones(squares.crs).shapes, area)
    return _Measure(
        total=total, inside=inside, zone=zone[kept], cell=cell[kept], amount=amount[kept]
    )


def _measure_area(cells: Cells, zones: ResidentZones, area: StudyArea) -> _Measure:
    total, inside = _area_within(zones.shapes, area)
    held = np.flatnonzero(cells.lived_on)
    low = np.stack([cells.col[held], cells.row[held]], axis=1) * cells.cell_m
    boxes = shapely.box(*low.T, *(low + cells.cell_m).T)
    zone, box, pieces = _pieces(zones.shapes, boxes)
    return _Measure(
        total=total, inside=inside, zone=zone, cell=held[box], amount=shapely.area(pieces)
    )


def _measure_volume(
    cells: Cells,
    index: _CellIndex,
    zones: ResidentZones,
    buildings: Buildings,
    area: StudyArea,
) -> _Measure:
    zone, building, parts = _pieces(zones.shapes, buildings.shapes)
    height_m = buildings.height_m[building]
    total_m2, inside_m2 = _area_within(parts, area)
    n = len(zones.shapes)
    part, col, row, piece_m2 = _on_grid(parts, cells.cell_m)
    cell = index.find(col, row)
    kept = (cell >= 0) & (piece_m2 > 0)
    return _Measure(
        total=np.bincount(zone, weights=total_m2 * height_m, minlength=n).astype(np.float64),
        inside=np.bincount(zone, weights=inside_m2 * height_m, minlength=n).astype(np.float64),
        zone=zone[part[kept]],
        cell=cell[kept],
        amount=piece_m2[kept] * height_m[part[kept]],
    )


def _area_within(
    shapes: NDArray[np.object_], area: StudyArea
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the area of each shape, and of what it has in the study area."""
    total: NDArray[np.float64] = shapely.area(shapes)
    inside = np.where(shapely.covers(area.geometry, shapes), total, 0.0)
    across = np.flatnonzero((inside == 0) & shapely.intersects(area.geometry, shapes))
    inside[across] = shapely.area(shapely.intersection(shapes[across], area.geometry))
    return total, inside


def _pieces(
    shapes: NDArray[np.object_], others: NDArray[np.object_]
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.object_]]:
    """Return what each shape has in common with each of the others: positions and geometry."""
    tree = shapely.STRtree(others)
    one, other = tree.query(shapes, predicate="intersects")
    whole = np.stack(tree.query(shapes, predicate="contains"))
    n = max(len(others), 1)
    across = ~np.isin(one * n + other, whole[0] * n + whole[1])
    pieces = others[other]
    pieces[across] = shapely.intersection(shapes[one[across]], pieces[across])
    return one, other, pieces


def _on_grid(
    shapes: NDArray[np.object_], cell_m: float
) -> tuple[NDArray[np.intp], NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Cut shapes along the lines of a grid: shape, column, row and area of each piece."""
    kept = np.flatnonzero(shapely.area(shapes) > 0)
    first = np.floor(shapely.bounds(shapes[kept]).reshape(-1, 4) / cell_m).astype(np.int64)
    wide = first[:, 2] - first[:, 0] + 1
    n_cells = wide * (first[:, 3] - first[:, 1] + 1)
    at = np.repeat(np.arange(len(kept)), n_cells)
    position = np.arange(n_cells.sum()) - np.repeat(np.cumsum(n_cells) - n_cells, n_cells)
    col = first[at, 0] + position % wide[at]
    row = first[at, 1] + position // wide[at]
    area_m2 = np.where(n_cells == 1, shapely.area(shapes[kept]), np.nan)[at]
    cut = np.isnan(area_m2)
    low = np.stack([col[cut], row[cut]], axis=1) * cell_m
    squares = shapely.box(*low.T, *(low + cell_m).T)
    area_m2[cut] = shapely.area(shapely.intersection(shapes[kept[at[cut]]], squares))
    return kept[at], col, row, area_m2


def _overlap(
    square: NDArray[np.int32], square_m: float, cell: NDArray[np.int64], cell_m: float
) -> NDArray[np.float64]:
    """Return the length that squares and cells have in common along one axis, in metres."""
    low = np.maximum(square * square_m, cell * cell_m)
    high = np.minimum((square + 1) * square_m, (cell + 1) * cell_m)
    overlap: NDArray[np.float64] = np.maximum(high - low, 0.0)
    return overlap


class _CellIndex:
    """Finds cells of the study area that people may live on, by column and row."""

    def __init__(self, cells: Cells) -> None:
        self.cells = cells
        self.inside = np.flatnonzero(cells.lived_on)
        self.first = (int(cells.col.min()), int(cells.row.min()))
        shape = (
            int(cells.col.max()) - self.first[0] + 1,
            int(cells.row.max()) - self.first[1] + 1,
        )
        self.position = np.full(shape, -1, dtype=np.int64)
        inside = self.inside
        self.position[cells.col[inside] - self.first[0], cells.row[inside] - self.first[1]] = inside

    def find(self, col: NDArray[np.int64], row: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the position of each cell, -1 where the area has none."""
        c, r = col - self.first[0], row - self.first[1]
        valid = (c >= 0) & (c < self.position.shape[0]) & (r >= 0) & (r < self.position.shape[1])
        found = np.full(len(c), -1, dtype=np.int64)
        found[valid] = self.position[c[valid], r[valid]]
        return found

    def nearest(
        self, places: NDArray[np.object_], district: NDArray[np.intp] | None = None
    ) -> NDArray[np.int64]:
        """Return the cell of the area whose centre is nearest to each place, -1 if it has none.

        Of a place in a district that has cells, it is one of them.
        """
        found = self._nearest_of(places, self.inside)
        for one, own in enumerate(() if district is None else district.tolist()):
            mine = self.inside[self.cells.district[self.inside] == own]
            if own >= 0 and len(mine):
                found[one] = self._nearest_of(places[[one]], mine)[0]
        return found

    def _nearest_of(
        self, places: NDArray[np.object_], cells: NDArray[np.intp]
    ) -> NDArray[np.int64]:
        # Nearly all have one close by: few cells are looked at for these.
        close = cells[self._around(places, _CLOSE_CELLS)[cells]]
        found, away_m = self._nearest_by_tree(places, close)
        further = np.flatnonzero(away_m > _CLOSE_CELLS * self.cells.cell_m)
        found[further] = self._nearest_by_tree(places[further], cells)[0]
        return found

    def _around(self, places: NDArray[np.object_], n_cells: int) -> NDArray[np.bool_]:
        """Tell which cells lie within some cells of the rectangle around a place; shape (n,)."""
        cell_m = self.cells.cell_m
        low = np.floor(shapely.bounds(places)[:, :2] / cell_m) - n_cells - self.first
        high = np.floor(shapely.bounds(places)[:, 2:] / cell_m) + n_cells + 1 - self.first
        around = np.zeros(len(self.cells), dtype=bool)
        sides = np.array(self.position.shape)
        low, high = (np.clip(each, 0, sides).astype(int) for each in (low, high))
        for (left, bottom), (right, top) in zip(low.tolist(), high.tolist(), strict=True):
            held = self.position[left:right, bottom:top]
            around[held[held >= 0]] = True
        return around

    def _nearest_by_tree(
        self, places: NDArray[np.object_], cells: NDArray[np.intp]
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return the nearest of some cells to each place, and how far it is; -1 and inf of none."""
        found, away_m = np.full(len(places), -1, dtype=np.int64), np.full(len(places), np.inf)
        if len(places) == 0 or len(cells) == 0:
            return found, away_m
        tree = shapely.STRtree(shapely.points(self.cells.centre_xy[cells]))
        (place, cell), metres = tree.query_nearest(places, all_matches=True, return_distance=True)
        away_m[place] = metres
        # Of centres equally near, the first: the answer must not depend on the tree.
        for one, by in sorted(zip(place.tolist(), cell.tolist(), strict=True), reverse=True):
            found[one] = cells[by]
        return found, away_m
