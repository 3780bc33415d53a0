"""Cells of the map: minutes and nearest service of every cell, packed into the page.

Thresholds, states and clicks are all answered from these arrays, so the page never needs a
drawing per answer. A grid is laid out from its south-western cell, row by row northwards, as one
byte per cell, deflated and in base64; numbers that take more bytes are as many such layers.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyproj
import shapely
from numpy.typing import NDArray

from quart_heure.analysis.statuses import BORDERLINE
from quart_heure.errors import StudyFileError
from quart_heure.network.limits import TOLERANCE
from quart_heure.outputs.degrees import degrees_of
from quart_heure.outputs.map.data import Fit, PackedCells, PackedNearest, Share

if TYPE_CHECKING:
    from quart_heure.study.coverage import Coverage
    from quart_heure.study.study import Study


FAR, UNREACHABLE, OFF_NETWORK = 253, 254, 255
"""Codes of cells without minutes; 0 is outside the area or in water, n at most ``upper[n - 1]``."""

_STEPS_MIN = ((25, 0.25), (45, 0.5), (85, 1.0), (145, 2.0), (245, 5.0))
"""Up to these minutes, codes are as fine as this: near the thresholds a quarter of a minute."""

_BYTE = 256

RESIDENTS = 0.25
"""People on a cell are written in units of this."""

_MARGIN_CELLS = 2
"""Empty cells around the area: the page draws a little beyond its edge, then cuts."""

_FIT_DEGREE = 3
_FIT_POINTS = 24


class Grid:
    """Where the cells of a coverage lie in a rectangle of cells.

    Parameters
    ----------
    coverage
        A coverage.
    """

    def __init__(self, coverage: Coverage) -> None:
        col = coverage.cells["col"].to_numpy(np.int64)
        row = coverage.cells["row"].to_numpy(np.int64)
        self.cell_m = coverage.study.cell_m
        self.first_col = int(col.min()) - _MARGIN_CELLS
        self.first_row = int(row.min()) - _MARGIN_CELLS
        self.width = int(col.max()) - self.first_col + _MARGIN_CELLS + 1
        self.height = int(row.max()) - self.first_row + _MARGIN_CELLS + 1
        self._at = self.place(col, row)

    def place(self, col: NDArray[np.integer], row: NDArray[np.integer]) -> NDArray[np.int64]:
        """Return the positions of cells in the rectangle; shape (n,)."""
        at: NDArray[np.int64] = (
            (row.astype(np.int64) - self.first_row) * self.width
            + col.astype(np.int64)
            - self.first_col
        )
        return at

    def packed(self, codes: NDArray[np.integer]) -> str:
        """Return codes of the cells, at most 255, as a packed grid; 0 where there is no cell."""
        (layer,) = self._layers(codes, 1)
        return layer

    def packed_numbers(self, numbers: NDArray[np.integer]) -> list[str]:
        """Return numbers of the cells as packed grids, one per byte that the largest has.

        The lowest bytes come first; 0 where there is no cell.
        """
        n_bytes = 1
        while int(numbers.max()) >= _BYTE**n_bytes:
            n_bytes += 1
        return self._layers(numbers, n_bytes)

    def _layers(self, numbers: NDArray[np.integer], n_bytes: int) -> list[str]:
        if not 0 <= int(numbers.min()) <= int(numbers.max()) < _BYTE**n_bytes:
            msg = f"Numbers {numbers.min()} … {numbers.max()} do not fit in {n_bytes} bytes."
            raise ValueError(msg)
        grid = np.zeros(self.height * self.width, dtype=np.int64)
        grid[self._at] = numbers
        return [packed((grid >> 8 * n & 255).astype(np.uint8)) for n in range(n_bytes)]

    def fit(self, crs: pyproj.CRS) -> Fit:
        """Return the polynomials that lead from the page's projection into the grid.

        The page knows places by their share of the Web Mercator square. Its share, less the
        ``centre`` and divided by the ``half``, is (u, v); columns and rows are the sums of ``col``
        and ``row`` times u^i v^j, in order of i and then of j, for i + j up to the degree.
        """
        columns = self.first_col + np.linspace(0, self.width, _FIT_POINTS)
        rows = self.first_row + np.linspace(0, self.height, _FIT_POINTS)
        x, y = (line.ravel() * self.cell_m for line in np.meshgrid(columns, rows))
        share = np.stack(mercator_share(*degrees_of(np.stack([x, y], axis=1), crs).T))
        low, high = share.min(axis=1), share.max(axis=1)
        centre, half = (low + high) / 2, (high - low) / 2
        u, v = (share - centre[:, None]) / half[:, None]
        powers = [(i, j) for i in range(_FIT_DEGREE + 1) for j in range(_FIT_DEGREE + 1 - i)]
        terms = np.stack([u**i * v**j for i, j in powers], axis=1)
        wanted = np.stack([x, y], axis=1) / self.cell_m
        wanted -= (self.first_col, self.first_row)
        found = np.linalg.lstsq(terms, wanted, rcond=None)[0]
        return Fit(
            degree=_FIT_DEGREE,
            centre=Share(x=float(centre[0]), y=float(centre[1])),
            half=Share(x=float(half[0]), y=float(half[1])),
            col=found[:, 0].round(6).tolist(),
            row=found[:, 1].round(6).tolist(),
        )


def mercator_share(
    lon: NDArray[np.float64], lat: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return places as shares of the Web Mercator square, from its north-western corner."""
    x = (lon + 180) / 360
    y = 0.5 - np.log(np.tan(np.pi / 4 + np.radians(lat) / 2)) / (2 * np.pi)
    return x, y


def thresholds_offered(study: Study) -> list[float]:
    """Return the thresholds that the map offers, in minutes."""
    return sorted({*study.isochrones_min, study.threshold_min})


def upper_minutes(study: Study) -> NDArray[np.float64]:
    """Return the most minutes that each code stands for, in ascending order.

    Every threshold offered is among them, and where an answer at it becomes borderline: what the
    page says of a cell is exactly what `quart_heure.analysis.statuses.classify` says. They have
    room before the finer steps, of which the furthest give way.

    Raises
    ------
    StudyFileError
        If there are more thresholds than codes.
    """
    begins = (0, *(end for end, _ in _STEPS_MIN))
    steps = [
        np.arange(begin + step, end + step / 2, step)
        for begin, (end, step) in zip(begins, _STEPS_MIN, strict=False)
    ]
    limits = np.array(thresholds_offered(study))
    # Rounded so far only that 1.1 × 10 is 11.
    exact = np.unique(np.outer(limits, (1 - BORDERLINE, 1, 1 + BORDERLINE)).round(12))
    room = FAR - 1 - len(exact)
    if room < 0:
        msg = f"The map has codes for {FAR - 1} limits of minutes, not for {len(exact)}."
        hint = f"Give at most {(FAR - 1) // 3 - 1} isochrones_min."
        raise StudyFileError(msg, hint=hint)
    others = np.setdiff1d(np.concatenate(steps).round(6), exact)
    return np.union1d(exact, others[:room])


def cells_shown(coverage: Coverage, grid: Grid, places: Mapping[str, int]) -> PackedCells:
    """Return minutes and nearest service of every cell.

    Parameters
    ----------
    coverage
        A published coverage.
    grid
        Where its cells lie.
    places
        Position of each service that the page shows, by its id.
    """
    study, cells = coverage.study, coverage.cells
    upper = upper_minutes(study)
    # All categories have the same cells in water.
    water = (cells[f"status_{study.categories[0]}"] == "water").to_numpy()
    quarters = _quarters(coverage)
    minutes, nearest, perhaps = {}, {}, {}
    for category in study.categories:
        codes = minute_codes(cells[f"minutes_{category}"].to_numpy(float), upper)
        codes[water] = 0
        minutes[category] = grid.packed(codes)
        nearest[category] = _nearest(cells[f"nearest_{category}"], grid, places)
        # Asked for an hour or a person, the study knows what is covered perhaps.
        if (column := f"perhaps_{category}") in cells:
            perhaps[category] = grid.packed(cells[column].to_numpy(bool).astype(np.uint8))
    return PackedCells(
        width=grid.width,
        height=grid.height,
        cell_m=grid.cell_m,
        fit=grid.fit(study.area.crs),
        upper_min=upper.tolist(),
        far=FAR,
        unreachable=UNREACHABLE,
        off_network=OFF_NETWORK,
        minutes=minutes,
        nearest=nearest,
        perhaps=perhaps,
        water=grid.packed(water.astype(np.uint8)) if water.any() else "",
        district=grid.packed_numbers(_district_rows(coverage)),
        quarter=[] if quarters is None else grid.packed_numbers(quarters),
        quarters=[] if quarters is None else _quarter_names(study),
        residents=grid.packed_numbers(
            whole_residents(np.nan_to_num(cells["residents"].to_numpy(float)))
        ),
        resident_unit=RESIDENTS,
    )


def whole_residents(residents: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return residents in units of `RESIDENTS`, each rounding carried on to the next cell."""
    total = np.rint(np.cumsum(residents) / RESIDENTS).astype(np.int64)
    return np.diff(total, prepend=0)


def _district_rows(coverage: Coverage) -> NDArray[np.int64]:
    """Return the row of each cell in the tables of the page, and 1; shape (n,)."""
    basis = coverage.basis
    code: NDArray[np.int64] = basis.districts.code[basis.cells.inside].astype(np.int64) + 1
    return code


def _quarter_names(study: Study) -> list[str]:
    quarters = study.area.subdistricts
    return [] if quarters is None else quarters["label"].astype(str).tolist()


def _quarters(coverage: Coverage) -> NDArray[np.int64] | None:
    """Return the quarter that holds the centre of each cell, and 1, 0 for none; shape (n,)."""
    quarters = coverage.study.area.subdistricts
    if quarters is None or not len(quarters):
        return None
    x, y = (coverage.cells[name].to_numpy(float) for name in ("x_m", "y_m"))
    found = np.zeros(len(x), dtype=np.int64)
    for n, shape in enumerate(quarters.geometry, start=1):
        west, south, east, north = shape.bounds
        here = np.flatnonzero((x >= west) & (x <= east) & (y >= south) & (y <= north))
        shapely.prepare(shape)
        found[here[shapely.contains_xy(shape, x[here], y[here])]] = n
    return found


def packed(grid: NDArray[np.uint8]) -> str:
    """Return bytes as the page unpacks them: steps from one to the next, deflated, in base64."""
    return deflated(np.diff(grid.ravel(), prepend=np.uint8(0)))


def deflated(values: NDArray[np.uint8]) -> str:
    """Return bytes deflated and in base64."""
    # Steps are noise around nothing, which this strategy is made for. The last level would spare
    # three bytes of a hundred in six times the time.
    press = zlib.compressobj(6, zlib.DEFLATED, zlib.MAX_WBITS, 9, zlib.Z_FILTERED)
    return base64.b64encode(press.compress(values.tobytes()) + press.flush()).decode()


def minute_codes(minutes: NDArray[np.float64], upper: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the code of each number of minutes; NaN is off the network, inf out of reach."""
    codes = np.searchsorted(upper * (1 + TOLERANCE), minutes, side="left") + 1
    codes[codes > len(upper)] = FAR
    codes[np.isinf(minutes)] = UNREACHABLE
    codes[np.isnan(minutes)] = OFF_NETWORK
    return codes


def _nearest(nearest: pd.Series[Any], grid: Grid, places: Mapping[str, int]) -> PackedNearest:
    """Return which service is nearest, and the places of those services in the page."""
    used, codes = np.unique(nearest.cat.codes.to_numpy(), return_inverse=True)
    ids = [str(nearest.cat.categories[code]) if code >= 0 else "" for code in used]
    ids_found = [name for name in ids if name]
    number = {name: n for n, name in enumerate(ids_found, start=1)}
    of_code = np.array([number.get(name, 0) for name in ids])
    return PackedNearest(
        places=[places.get(name, -1) for name in ids_found],
        layers=grid.packed_numbers(of_code[codes]),
    )
