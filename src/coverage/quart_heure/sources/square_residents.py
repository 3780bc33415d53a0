"""Squares of residents, spread over the finer cells of another grid, and written for a study."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyproj
import shapely

if TYPE_CHECKING:
    import geopandas as gpd

__all__ = ["spread_squares", "write_residents"]

_CELL_TYPES = {"col": "int32", "row": "int32", "residents": "float64"}


def spread_squares(
    squares: gpd.GeoDataFrame, crs: pyproj.CRS, *, cell_m: float = 25.0
) -> pd.DataFrame:
    """Spread the people of squares evenly over the cells of a grid in another CRS.

    Parameters
    ----------
    squares
        As from `read_insee_squares`.
    crs
        A metric CRS; its cells are counted from its origin.
    cell_m
        Side of the cells, much smaller than that of the squares.

    Returns
    -------
    DataFrame
        ``col``, ``row``, ``residents``: cells with people. A cell is of the square that holds its
        centre, so that no one is lost and no one counted twice.
    """
    squares = squares[squares["residents"] > 0]
    if squares.empty:
        return pd.DataFrame({"col": [], "row": [], "residents": []}).astype(_CELL_TYPES)
    west, south, east, north = squares.to_crs(crs).total_bounds
    col = np.arange(int(west // cell_m) - 2, int(east // cell_m) + 3)
    row = np.arange(int(south // cell_m) - 2, int(north // cell_m) + 3)
    cols, rows = (grid.ravel() for grid in np.meshgrid(col, row))
    to_squares = pyproj.Transformer.from_crs(crs, squares.crs, always_xy=True)
    x, y = to_squares.transform((cols + 0.5) * cell_m, (rows + 0.5) * cell_m)
    boxes = shapely.bounds(squares.geometry.to_numpy())
    side = float(boxes[0, 2] - boxes[0, 0])
    key = _square_key(np.floor(np.asarray(x) / side), np.floor(np.asarray(y) / side))
    known = _square_key(boxes[:, 0] / side, boxes[:, 1] / side)
    order = np.argsort(known)
    at = np.minimum(np.searchsorted(known, key, sorter=order), len(known) - 1)
    square = order[at]
    inside = known[square] == key
    square = square[inside]
    share = squares["residents"].to_numpy() / np.maximum(
        np.bincount(square, minlength=len(known)), 1
    )
    return pd.DataFrame(
        {"col": cols[inside], "row": rows[inside], "residents": share[square]}
    ).astype(_CELL_TYPES)


def write_residents(
    path: Path, cells: pd.DataFrame, *, crs: pyproj.CRS, cell_m: float, source: str
) -> None:
    """Write cells of residents in the form that `read_residents` reads."""
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.parquet as pq  # noqa: PLC0415

    meta = {"square_m": cell_m, "crs": crs.to_string(), "source": source}
    table = pa.table({name: cells[name].to_numpy() for name in _CELL_TYPES})
    text = json.dumps(meta, ensure_ascii=False).encode()
    pq.write_table(table.replace_schema_metadata({b"quart_heure": text}), path)


def _square_key(col: Any, row: Any) -> Any:
    """Return one number for each square of a grid."""
    return np.round(col).astype(np.int64) * 1_000_000 + np.round(row).astype(np.int64)
