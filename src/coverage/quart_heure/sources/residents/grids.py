"""Grids of people as offices give them: squares by their names, rasters by their pixels."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyproj
import shapely
from numpy.typing import NDArray

from quart_heure.errors import CrsError, InputFileError
from quart_heure.sources.areas.areas import StudyArea
from quart_heure.sources.problems import CHOSEN
from quart_heure.sources.projecting import check_places, transformer
from quart_heure.sources.rasters import first_band, opened_tiff
from quart_heure.sources.residents.residents import (
    LARGEST_SQUARE_M,
    MOST_PEOPLE,
    Residents,
    ResidentZones,
)
from quart_heure.sources.residents.tables import resident_problem
from quart_heure.sources.texts import plain_word

_SQUARE = re.compile(r"CRS(\d+)RES(\d+)m?N(\d+)E(\d+)", re.IGNORECASE)
"""The name of a square of the European grid: CRS, side, and lower left corner in metres."""

_TIFF = "Give a GeoTIFF of counts per pixel."
_FIRST_ROWS = 100
"""Rows looked at to tell what a column holds."""

_PLACED_SQUARE = re.compile(
    r"CRS(\d{1,6})RES0*([1-9]\d{0,5})m?N(\d{1,9})E(\d{1,9})(?!\d)", re.IGNORECASE
)
"""The same with a side, and with no more digits than the metres of this Earth have."""


def square_column(table: pd.DataFrame, path: Path) -> tuple[str | None, list[Mapping[str, Any]]]:
    """Return the column that names the square of each row, None if there is none.

    Where several do, people are counted in the smallest: the others say in which larger one it
    lies. That is told.
    """
    sides: dict[str, int] = {}
    for column in table:
        words = (plain_word(value) for value in table[column].head(_FIRST_ROWS))
        first = _SQUARE.fullmatch(next((word for word in words if word), ""))
        if first is not None:
            sides[str(column)] = int(first[2])
    if len(sides) < 2:
        return next(iter(sides), None), []
    finest = min(sides, key=lambda column: sides[column])
    others = ", ".join(f"{column} ({side} m)" for column, side in sides.items() if column != finest)
    reason, action = "several columns of squares", f"{CHOSEN}the smallest, of {sides[finest]} m"
    return finest, [resident_problem(path, None, finest, others, reason, action)]


def once_each(
    names: pd.Series[Any], people: NDArray[np.float64], path: Path
) -> tuple[NDArray[np.float64], list[Mapping[str, Any]]]:
    """Return the people of each row, none in rows that say of a square what another said.

    Squares may stand twice because a file was put together of parts that overlap: then each of
    them has one number. Where numbers differ, they are parts of one: rows are added up. Either is
    told.
    """
    twice = names.duplicated(keep="first").to_numpy()
    if not twice.any():
        return people, []
    first = pd.Series(people).groupby(names.to_numpy(), sort=False).transform("first").to_numpy()
    same = bool((people == first).all())
    value = f"{names[twice].iloc[0]} ({twice.sum()} / {len(names)})"
    reason, action = "square twice", "counted once" if same else "rows added up"
    row = int(np.flatnonzero(twice)[0]) + 1
    told = [resident_problem(path, row, "square", value, reason, action)]
    return np.where(twice, 0.0, people) if same else people, told


def named_squares(
    names: pd.Series[Any], people: NDArray[np.float64], path: Path, source: str
) -> list[Residents]:
    """Return the squares of the European grid that their names place, one table for each size.

    Raises
    ------
    InputFileError
        If a name is none.
    CrsError
        If there is no CRS of the number that it tells.
    """
    parts = names.astype(str).str.extract(_PLACED_SQUARE)
    if parts.isna().any(axis=None):
        row = int(np.flatnonzero(parts.isna().any(axis=1))[0])
        msg = f"{path}, row {row + 1}: {names.iloc[row]!r} is no name of a square."
        raise InputFileError(msg, hint="Names are like CRS3035RES200mN2889000E3761200.")
    numbers = parts.astype(np.int64).to_numpy()
    if numbers[:, 1].max(initial=0) > LARGEST_SQUARE_M:
        row = int(np.argmax(numbers[:, 1]))
        msg = f"{path}, row {row + 1}: a square of {numbers[row, 1]:,} m is none of people."
        raise InputFileError(msg, hint="Names are like CRS3035RES200mN2889000E3761200.")
    found = []
    for code, side in sorted({(int(code), int(side)) for code, side in numbers[:, :2]}):
        here = (numbers[:, 0] == code) & (numbers[:, 1] == side) & (people > 0)
        found.append(
            Residents(
                col=(numbers[here, 3] // side).astype(np.int32),
                row=(numbers[here, 2] // side).astype(np.int32),
                residents=people[here],
                square_m=float(side),
                crs=_crs_of_squares(code, path),
                source=source,
            )
        )
    return found


def _crs_of_squares(code: int, path: Path) -> pyproj.CRS:
    try:
        return check_places(pyproj.CRS.from_epsg(code), path)
    except pyproj.exceptions.CRSError as error:
        msg = f"{path}: the names of its squares tell of a CRS {code}, which there is not."
        raise CrsError(msg, hint="Names are like CRS3035RES200mN2889000E3761200.") from error


def read_raster(path: Path, area: StudyArea, *, source: str = "") -> ResidentZones:
    """Read the pixels in and around a study area that have people.

    Parameters
    ----------
    path
        GeoTIFF whose first band holds people per pixel; pixels without data hold nobody.
    area
        Gives the CRS and the rectangle that is read.
    source
        Where the figures come from; the name of the file by default.

    Raises
    ------
    InputFileError
        If the file is missing, unreadable or holds a negative number, or rasterio is not installed.
    CrsError
        If the raster has no CRS.
    """
    with opened_tiff(path, extra="raster", wanted=_TIFF) as raster:
        crs = check_places(pyproj.CRS.from_wkt(raster.crs.to_wkt()), path)
        to_raster = transformer(area.crs, crs)
        bounds = to_raster.transform_bounds(*area.geometry.bounds)
        a, b, c, d, e, f = tuple(raster.transform)[:6]
        corners = np.array([(x - c, y - f) for x in bounds[::2] for y in bounds[1::2]])
        pixels = np.linalg.solve(np.array([[a, b], [d, e]]), corners.T)
        left, top = np.maximum(np.floor(pixels.min(axis=1)).astype(int) - 1, 0).tolist()
        size = (raster.width, raster.height)
        right, bottom = np.minimum(np.ceil(pixels.max(axis=1)).astype(int) + 1, size).tolist()
        span = (max(bottom - top, 0), max(right - left, 0))
        from rasterio.windows import Window  # noqa: PLC0415 - opened, so it is installed

        people = first_band(raster, path, Window(left, top, span[1], span[0]))
    people[np.isnan(people)] = 0.0
    odd = (people < 0) | (people > MOST_PEOPLE)
    if odd.any():
        msg = f"{path}: a pixel holds {people[odd][0]:g} people."
        raise InputFileError(msg, hint="State the value that means no data in the file.")
    row, col = np.nonzero(people)
    shapes = shapely.box(col + left, row + top, col + left + 1, row + top + 1)
    to_area = transformer(crs, area.crs)

    def place(xy: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> object:
        x, y = a * xy[:, 0] + b * xy[:, 1] + c, d * xy[:, 0] + e * xy[:, 1] + f
        return np.stack(to_area.transform(x, y), axis=1)

    return ResidentZones(
        shapes=shapely.transform(shapes, place),
        residents=people[row, col],
        crs=area.crs,
        source=source or path.name,
    )
