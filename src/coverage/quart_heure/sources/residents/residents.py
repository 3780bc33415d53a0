"""Residents: people per square of a grid or per polygon, to be moved onto the cells of a study."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray

from quart_heure.errors import CrsError, InputFileError
from quart_heure.files import AnyPath
from quart_heure.sources.given import check_parquet
from quart_heure.sources.projecting import check_places, transformer

if TYPE_CHECKING:
    import pyarrow as pa


MOST_PEOPLE = 2e9
"""No country has more: a single count above is a slip, or a value that means no data."""

LARGEST_SQUARE_M = 100_000
"""Squares of people are not larger than this, which is more than a city."""

_MOST_SQUARES = 2**31


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Residents:
    """People per square.

    Parameters
    ----------
    col, row
        Squares, counted from the origin of ``crs``: square (c, r) spans ``c * square_m`` to
        ``(c + 1) * square_m`` in x, and the same in y; shape (n,).
    residents
        People in each square, not negative; shape (n,).
    square_m
        Side of the squares in metres.
    crs
        Metric CRS of the squares.
    source
        Where the figures come from and how they were spread, in a sentence.
    """

    col: NDArray[np.int32]
    row: NDArray[np.int32]
    residents: NDArray[np.float64]
    square_m: float
    crs: pyproj.CRS
    source: str

    def __repr__(self) -> str:
        """Tell how many people there are."""
        return (
            f"Residents: {self.residents.sum():,.0f} in {len(self.residents):,} squares "
            f"of {self.square_m:g} m"
        )

    def meet(self, bounds: tuple[float, float, float, float]) -> NDArray[np.bool_]:
        """Tell which squares meet a rectangle in ``crs``: x and y of two corners; shape (n,)."""
        low_x, low_y, high_x, high_y = np.asarray(bounds) / self.square_m
        met: NDArray[np.bool_] = (self.col + 1 >= low_x) & (self.col <= high_x)
        met &= (self.row + 1 >= low_y) & (self.row <= high_y)
        return met

    def zones(self, crs: pyproj.CRS) -> ResidentZones:
        """Return the squares as polygons in another CRS, in which they stand askew."""
        low = np.stack([self.col, self.row], axis=1) * self.square_m
        shapes = shapely.box(*low.T, *(low + self.square_m).T)
        if crs != self.crs:
            change = transformer(self.crs, crs)
            shapes = shapely.transform(
                shapes, lambda xy: np.stack(change.transform(xy[:, 0], xy[:, 1]), axis=1)
            )
        return ResidentZones(shapes=shapes, residents=self.residents, crs=crs, source=self.source)


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Buildings:
    """Buildings that people may live in, by whose volume they are shared out.

    Parameters
    ----------
    shapes
        Footprints: valid polygons; shape (n,).
    height_m
        Of each, above zero; shape (n,).
    """

    shapes: NDArray[np.object_]
    height_m: NDArray[np.float64]


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ResidentZones:
    """People per polygon: squares of another grid, small statistical areas, districts, pixels.

    Parameters
    ----------
    shapes
        Valid polygons in ``crs``; shape (n,).
    residents
        People in each, not negative; shape (n,).
    crs
        Metric CRS of the study.
    source
        Where the figures come from, in a sentence.
    buildings
        People are shared out by the volume of these; by area without them.
    problems
        Rows of a table of problems: what could not be used.
    district
        Id of the district that each zone is, or is a part of, "" where it may be in several;
        shape (n,). None where that is not known of any.
    """

    shapes: NDArray[np.object_]
    residents: NDArray[np.float64]
    crs: pyproj.CRS
    source: str
    buildings: Buildings | None = None
    problems: tuple[Mapping[str, Any], ...] = ()
    district: NDArray[np.str_] | None = None

    def __repr__(self) -> str:
        """Tell how many people there are."""
        return f"ResidentZones: {self.residents.sum():,.0f} in {len(self.residents):,} polygons"

    def __getitem__(self, zones: NDArray[np.bool_] | NDArray[np.intp]) -> ResidentZones:
        """Return some of the zones, by mask or by position."""
        return dataclasses.replace(
            self,
            shapes=self.shapes[zones],
            residents=self.residents[zones],
            district=None if self.district is None else self.district[zones],
        )


def read_residents(path: AnyPath) -> Residents:
    """Read squares of residents from Parquet.

    Parameters
    ----------
    path
        Columns col, row, residents; file metadata ``quart_heure`` as JSON with ``square_m``,
        ``crs`` and ``source``.

    Raises
    ------
    InputFileError
        If the file is missing, lacks a column, or holds a negative or missing number.
    CrsError
        If the file does not state its CRS.
    """
    path = Path(path)
    import pyarrow as pa  # noqa: PLC0415 - a warm run reads the cache and never comes here
    import pyarrow.parquet as pq  # noqa: PLC0415

    if not path.is_file():
        msg = f"{path}: there is no such file."
        raise InputFileError(msg, hint="Check the name and the folder it is relative to.")
    check_parquet(path)
    try:
        # What reads several files as one takes longer to load than this file to read.
        with pq.ParquetFile(path) as file:
            table = file.read()
        meta = json.loads((table.schema.metadata or {}).get(b"quart_heure", b"{}"))
        columns = {key: table.column(key) for key in ("col", "row", "residents")}
    except (pa.ArrowException, KeyError, ValueError, OSError) as error:
        msg = f"{path}: cannot be read as squares of residents ({error})."
        raise InputFileError(msg, hint="It needs the columns col, row and residents.") from error
    if "crs" not in meta or "square_m" not in meta:
        msg = f"{path}: the file does not state the CRS and the side of its squares."
        raise CrsError(msg, hint="Write them in its metadata (see data/README.md).")
    crs, square_m = _grid(meta, path)
    people = _numbers(columns["residents"], "residents", path)
    bad = ~(np.isfinite(people) & (people >= 0) & (people <= MOST_PEOPLE))
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        msg = f"{path}, row {row + 1}: {people[row]} is not a number of residents."
        raise InputFileError(msg, hint="Give zero or more for every square.")
    places = np.stack([_numbers(columns[key], key, path) for key in ("col", "row")], axis=1)
    _check_squares(places, path)
    return Residents(
        col=places[:, 0].astype(np.int32),
        row=places[:, 1].astype(np.int32),
        residents=people,
        square_m=square_m,
        crs=crs,
        source=str(meta.get("source", "")),
    )


def _numbers(column: pa.ChunkedArray, key: str, path: Path) -> NDArray[np.float64]:
    """Return a column of numbers, NaN where one is missing."""
    import pyarrow as pa  # noqa: PLC0415 - as above

    kind = column.type
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)):
        # Text is called differently from one version of pandas to the next.
        texts = pa.types.is_string(kind) or pa.types.is_large_string(kind)
        msg = f"{path}: the column {key!r} holds {'text' if texts else kind}, not numbers."
        raise InputFileError(msg, hint="Write it as numbers.")
    if pa.types.is_decimal(kind):
        column = column.cast(pa.float64())
    return np.asarray(column.to_numpy(), dtype=np.float64)


def _check_squares(places: NDArray[np.float64], path: Path) -> None:
    """Refuse squares whose column and row are no whole numbers, or that stand twice."""
    bad = ~((places == np.rint(places)) & (np.abs(places) < _MOST_SQUARES)).all(axis=1)
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        col, line = places[row]
        msg = f"{path}, row {row + 1}: column {col:g} and row {line:g} are no square of a grid."
        raise InputFileError(msg, hint="Count squares in whole numbers from the CRS's origin.")
    squares = places[:, 0].astype(np.int64) * _MOST_SQUARES * 2 + places[:, 1].astype(np.int64)
    _, first, where = np.unique(squares, return_index=True, return_inverse=True)
    again = np.flatnonzero(first[where] != np.arange(len(places)))
    if len(again):
        row, before = int(again[0]), int(first[where[again[0]]])
        msg = f"{path}, row {row + 1}: the square of row {before + 1} again"
        msg += f" ({len(again)} of {len(places)} rows stand twice)."
        raise InputFileError(msg, hint="Give each square once, with all its people.")


def _grid(meta: Mapping[str, Any], path: Path) -> tuple[pyproj.CRS, float]:
    """Return the CRS and the side of the squares that a file states."""
    try:
        crs = check_places(pyproj.CRS(meta["crs"]), path)
    except pyproj.exceptions.CRSError as error:
        msg = f"{path}: {meta['crs']!r} is no coordinate reference system."
        raise CrsError(msg, hint="State one by its code, such as EPSG:2154.") from error
    square_m = meta["square_m"]
    number = isinstance(square_m, int | float) and not isinstance(square_m, bool)
    if not number or not (0 < square_m <= LARGEST_SQUARE_M):
        msg = f"{path}: square_m is {square_m!r}, not a number of metres."
        hint = f"State the side of the squares in metres, {LARGEST_SQUARE_M:,} at most."
        raise InputFileError(msg, hint=hint)
    return crs, float(square_m)
