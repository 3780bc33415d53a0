"""Cells of the map: minutes and nearest service of every cell, packed into the page.

Thresholds, states and clicks are all answered from these arrays, so the page never needs a
drawing per answer. A grid is laid out from its south-western cell, row by row northwards, as one
byte per cell, deflated and in base64.
"""

from __future__ import annotations

import base64
import functools
import zlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyproj
from numpy.typing import NDArray

from quart_heure.analysis.statuses import BORDERLINE
from quart_heure.outputs.discretion import DISCREET

if TYPE_CHECKING:
    from quart_heure.study.coverage import Coverage
    from quart_heure.study.study import Study


FAR, UNREACHABLE, OFF_NETWORK = 253, 254, 255
"""Codes of cells without minutes; 0 is outside the area, n at most ``upper[n - 1]`` minutes."""

_STEPS_MIN = ((25, 0.25), (45, 0.5), (85, 1.0), (145, 2.0), (245, 5.0))
"""Up to these minutes, codes are as fine as this: near the thresholds a quarter of a minute."""

_TOLERANCE = 1e-9
"""As in `quart_heure.analysis.statuses.classify`: a nanominute is forgiven."""

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
        self._at = (row - self.first_row) * self.width + col - self.first_col

    def lay(self, codes: NDArray[np.integer], kind: type[np.unsignedinteger[Any]]) -> NDArray[Any]:
        """Return the codes of the cells as a grid, 0 where there is no cell; shape (h, w)."""
        grid = np.zeros(self.height * self.width, dtype=kind)
        grid[self._at] = codes
        return grid.reshape(self.height, self.width)

    def fit(self, crs: pyproj.CRS) -> dict[str, list[float]]:
        """Return the polynomials that lead from the page's projection into the grid.

        The page knows places by their share of the Web Mercator square. Its share, less the
        ``centre`` and divided by the ``half``, is (u, v); columns and rows are the sums of ``col``
        and ``row`` times u^i v^j, in order of i and then of j, for i + j up to the degree.
        """
        columns = self.first_col + np.linspace(0, self.width, _FIT_POINTS)
        rows = self.first_row + np.linspace(0, self.height, _FIT_POINTS)
        x, y = (line.ravel() * self.cell_m for line in np.meshgrid(columns, rows))
        lon, lat = _to_degrees(crs).transform(x, y)
        share = np.stack(mercator_share(lon, lat))
        low, high = share.min(axis=1), share.max(axis=1)
        centre, half = (low + high) / 2, (high - low) / 2
        u, v = (share - centre[:, None]) / half[:, None]
        powers = [(i, j) for i in range(_FIT_DEGREE + 1) for j in range(_FIT_DEGREE + 1 - i)]
        terms = np.stack([u**i * v**j for i, j in powers], axis=1)
        wanted = np.stack([x, y], axis=1) / self.cell_m
        wanted -= (self.first_col, self.first_row)
        found = np.linalg.lstsq(terms, wanted, rcond=None)[0]
        return {
            "centre": centre.tolist(),
            "half": half.tolist(),
            "col": found[:, 0].round(6).tolist(),
            "row": found[:, 1].round(6).tolist(),
        }


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


def withheld(coverage: Coverage, category: str) -> bool:
    """Tell whether minutes of a category lead to a discreet place, and are not all to be told.

    Such a category is shown at the threshold of the study alone.
    """
    if DISCREET in coverage.cells[f"nearest_{category}"].cat.categories:
        return True
    drawn = coverage.isochrones["category"] == category
    return int(drawn.sum()) < len(thresholds_offered(coverage.study))


def upper_minutes(study: Study) -> NDArray[np.float64]:
    """Return the most minutes that each code stands for, in ascending order.

    Every threshold offered is among them, and where an answer at it becomes borderline: what the
    page says of a cell is exactly what `quart_heure.analysis.statuses.classify` says.
    """
    begins = (0, *(end for end, _ in _STEPS_MIN))
    steps = [
        np.arange(begin + step, end + step / 2, step)
        for begin, (end, step) in zip(begins, _STEPS_MIN, strict=False)
    ]
    limits = np.array(thresholds_offered(study))
    exact = np.outer(limits, (1 - BORDERLINE, 1, 1 + BORDERLINE)).ravel()
    upper = np.unique(np.concatenate([*steps, exact]).round(6))
    return upper[: FAR - 1]


def cells_shown(coverage: Coverage, grid: Grid, places: Mapping[str, int]) -> dict[str, Any]:
    """Return minutes and nearest service of every cell, as plain data for the page.

    Parameters
    ----------
    coverage
        A published coverage.
    grid
        Where its cells lie.
    places
        Position of each service that the page shows, by its id.
    """
    study = coverage.study
    upper = upper_minutes(study)
    minutes, nearest = {}, {}
    for category in study.categories:
        codes = _minute_codes(coverage.cells[f"minutes_{category}"].to_numpy(float), upper)
        codes[(coverage.cells[f"status_{category}"] == "water").to_numpy()] = 0  # as drawn below
        minutes[category] = packed(grid.lay(codes, np.uint8))
        nearest[category] = _nearest(coverage.cells[f"nearest_{category}"], grid, places)
    return {
        "width": grid.width,
        "height": grid.height,
        "fit": grid.fit(study.area.crs),
        "upper": upper.tolist(),
        "minutes": minutes,
        "nearest": nearest,
    }


def packed(grid: NDArray[np.uint8]) -> str:
    """Return bytes as the page unpacks them: steps from one to the next, deflated, in base64."""
    steps = np.diff(grid.ravel(), prepend=np.uint8(0))
    return base64.b64encode(zlib.compress(steps.tobytes())).decode()


def _minute_codes(minutes: NDArray[np.float64], upper: NDArray[np.float64]) -> NDArray[np.int64]:
    codes = np.searchsorted(upper * (1 + _TOLERANCE), minutes, side="left") + 1
    codes[codes > len(upper)] = FAR
    codes[np.isinf(minutes)] = UNREACHABLE
    codes[np.isnan(minutes)] = OFF_NETWORK
    return codes


def _nearest(nearest: pd.Series[Any], grid: Grid, places: Mapping[str, int]) -> dict[str, Any]:
    """Return which service is nearest, and the places of those services in the page; -1 unshown.

    A code of 0 is no service, n the one at ``places[n - 1]``.
    """
    used, codes = np.unique(nearest.cat.codes.to_numpy(), return_inverse=True)
    ids = [str(nearest.cat.categories[code]) if code >= 0 else "" for code in used]
    ids_found = [name for name in ids if name]
    number = {name: n for n, name in enumerate(ids_found, start=1)}
    of_code = np.array([number.get(name, 0) for name in ids])
    # More services of a category than a byte counts: two bytes, the low ones first.
    numbers = of_code[codes]
    layers = [grid.lay(numbers & 255, np.uint8)]
    if len(ids_found) > np.iinfo(np.uint8).max:
        layers.append(grid.lay(numbers >> 8, np.uint8))
    return {
        "places": [places.get(name, -1) for name in ids_found],
        "layers": [packed(layer) for layer in layers],
    }


@functools.cache
def _to_degrees(crs: pyproj.CRS) -> pyproj.Transformer:
    return pyproj.Transformer.from_crs(crs, 4326, always_xy=True)
