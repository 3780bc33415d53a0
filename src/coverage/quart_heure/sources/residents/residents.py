"""Residents: people per square of a grid or per polygon, to be moved onto the cells of a study."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray

from quart_heure.errors import CrsError, InputFileError
from quart_heure.sources.projecting import check_places


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
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

    def zones(self, crs: pyproj.CRS) -> ResidentZones:
        """Return the squares as polygons in another CRS, in which they stand askew."""
        low = np.stack([self.col, self.row], axis=1) * self.square_m
        shapes = shapely.box(*low.T, *(low + self.square_m).T)
        if crs != self.crs:
            change = pyproj.Transformer.from_crs(self.crs, crs, always_xy=True)
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


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
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

    def __getitem__(self, zones: NDArray[np.bool_] | NDArray[np.intp]) -> ResidentZones:
        """Return some of the zones, by mask or by position."""
        return dataclasses.replace(
            self,
            shapes=self.shapes[zones],
            residents=self.residents[zones],
            district=None if self.district is None else self.district[zones],
        )


def read_residents(path: Path) -> Residents:
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
    import pyarrow as pa  # noqa: PLC0415 - a warm run reads the cache and never comes here
    import pyarrow.parquet as pq  # noqa: PLC0415

    if not path.is_file():
        msg = f"{path}: there is no such file."
        raise InputFileError(msg, hint="Check the name and the folder it is relative to.")
    try:
        table = pq.read_table(path)
        meta = json.loads((table.schema.metadata or {}).get(b"quart_heure", b"{}"))
        columns = {key: table.column(key).to_numpy() for key in ("col", "row", "residents")}
    except (pa.ArrowException, KeyError, ValueError, OSError) as error:
        msg = f"{path}: cannot be read as squares of residents ({error})."
        raise InputFileError(msg, hint="It needs the columns col, row and residents.") from error
    if "crs" not in meta or "square_m" not in meta:
        msg = f"{path}: the file does not state the CRS and the side of its squares."
        raise CrsError(msg, hint="Write them in its metadata (see data/README.md).")
    crs, square_m = _grid(meta, path)
    people = columns["residents"].astype(np.float64)
    bad = ~(np.isfinite(people) & (people >= 0))
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        msg = f"{path}, row {row + 1}: {people[row]} is not a number of residents."
        raise InputFileError(msg, hint="Give zero or more for every square.")
    return Residents(
        col=columns["col"].astype(np.int32),
        row=columns["row"].astype(np.int32),
        residents=people,
        square_m=square_m,
        crs=crs,
        source=str(meta.get("source", "")),
    )


def _grid(meta: Mapping[str, Any], path: Path) -> tuple[pyproj.CRS, float]:
    """Return the CRS and the side of the squares that a file states."""
    try:
        crs = check_places(pyproj.CRS(meta["crs"]), path)
    except pyproj.exceptions.CRSError as error:
        msg = f"{path}: {meta['crs']!r} is no coordinate reference system."
        raise CrsError(msg, hint="State one by its code, such as EPSG:2154.") from error
    square_m = meta["square_m"]
    if not isinstance(square_m, int | float) or not (np.isfinite(square_m) and square_m > 0):
        msg = f"{path}: square_m is {square_m!r}, not a number of metres."
        raise InputFileError(msg, hint="State the side of the squares in metres.")
    return crs, float(square_m)
