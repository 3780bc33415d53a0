"""Lines of edges as arrays: taken from shapes, or from the bytes of a file without any shapes."""

from __future__ import annotations

import dataclasses
import io
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from numpy.typing import NDArray

from quart_heure.errors import InputFileError

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    import pyproj

_PLAIN_LINE = np.frombuffer(b"\x01\x02\x00\x00\x00", dtype=np.uint8)
"""What the WKB of a line without heights begins with: little-endian, LineString."""

_HEAD, _VERTEX = 9, 16
"""Bytes before the coordinates, the last four of which count the vertices; bytes of each vertex."""


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class EdgeLines:
    """How the edges of a table are drawn.

    Parameters
    ----------
    xy
        Vertices of all lines (C, 2).
    offsets
        Where each line's begin (E + 1,).
    drawn_m
        How long each line is (E,).
    """

    xy: NDArray[np.float64]
    offsets: NDArray[np.int64]
    drawn_m: NDArray[np.float64]

    @property
    def ends(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Where each line begins, and where it ends; shapes (E, 2)."""
        return self.xy[self.offsets[:-1]], self.xy[self.offsets[1:] - 1]


def lines_of(shapes: NDArray[np.object_]) -> EdgeLines:
    """Return shapes as arrays.

    Raises
    ------
    InputFileError
        If one is not a line, or empty.
    """
    kinds = shapely.get_type_id(shapes)
    odd = (kinds != shapely.GeometryType.LINESTRING) | shapely.is_empty(shapes)
    if odd.any():
        row = int(np.argmax(odd))
        empty = kinds[row] == shapely.GeometryType.LINESTRING
        msg = f"Row {row + 1} of the edge table is {'an empty' if empty else 'not a'} LineString."
        hint = "Explode multi-part lines and leave empty ones out before building a network."
        raise InputFileError(msg, hint=hint)
    _, xy, (offsets,) = shapely.to_ragged_array(shapes, include_z=False)
    return EdgeLines(xy=xy, offsets=offsets.astype(np.int64), drawn_m=shapely.length(shapes))


def plain_lines(table: pa.Table) -> tuple[pd.DataFrame, EdgeLines, pyproj.CRS | None] | None:
    """Return the edges of a GeoParquet file that need no shapes: they are by far the most.

    Shapes of a city take longer to make than all else about its network, and more memory.

    Returns
    -------
    tuple or None
        The table without its lines, the lines, and their CRS; None for all that asks for shapes:
        lines of several parts or with heights, gaps, other columns of shapes, twins of streets, and
        what lengths are to be measured of.
    """
    import geopandas as gpd  # noqa: PLC0415 - a warm run reads the cache and never comes here
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.parquet as pq  # noqa: PLC0415

    columns = json.loads((table.schema.metadata or {}).get(b"geo", b"{}")).get("columns", {})
    names = set(table.column_names)
    if len(columns) != 1 or not {*columns, "u", "v", "length_m"} <= names or "reversed" in names:
        return None
    ((name, about),) = columns.items()
    column = table[name]
    kinds = (pa.types.is_binary(column.type), pa.types.is_large_binary(column.type))
    if about.get("encoding") != "WKB" or not any(kinds) or column.null_count or not len(column):
        return None
    parts = [_plain(chunk) for chunk in column.chunks if len(chunk)]
    if any(part is None for part in parts):
        return None
    counts = np.concatenate([part[0] for part in parts if part is not None])
    xy = np.concatenate([part[1] for part in parts if part is not None])
    # What it says of the lines is read as of any file: from one without rows.
    empty = io.BytesIO()
    alone = table.select([name]).slice(0, 0)
    told = {b"geo": table.schema.metadata[b"geo"]}
    pq.write_table(alone.replace_schema_metadata(told), empty)
    crs = gpd.read_parquet(empty).crs
    offsets = np.zeros(len(counts) + 1, dtype=np.int64)
    np.cumsum(counts, out=offsets[1:])
    lines = EdgeLines(xy=xy, offsets=offsets, drawn_m=_measured(xy, offsets))
    return table.drop_columns([name]).to_pandas(), lines, crs


def _plain(chunk: Any) -> tuple[NDArray[np.int64], NDArray[np.float64]] | None:
    """Return how many vertices each line has, and where; None if one is no plain line."""
    import pyarrow.compute as pc  # noqa: PLC0415

    n_bytes = pc.binary_length(chunk).to_numpy(zero_copy_only=False)
    if (n_bytes < _HEAD + 2 * _VERTEX).any():
        return None
    heads = _bytes_of(pc.binary_slice(chunk, 0, _HEAD)).reshape(len(chunk), _HEAD)
    counts = np.ascontiguousarray(heads[:, len(_PLAIN_LINE) :]).view("<u4")[:, 0].astype(np.int64)
    plain = (heads[:, : len(_PLAIN_LINE)] == _PLAIN_LINE).all()
    if not plain or (n_bytes != _HEAD + _VERTEX * counts).any():
        return None
    # Without an end, pyarrow counts how much room the rest may take beyond 64 bits.
    rest = pc.binary_slice(chunk, _HEAD, int(n_bytes.max()))
    xy = _bytes_of(rest).view("<f8").reshape(-1, 2)
    return counts, xy


def _bytes_of(values: Any) -> NDArray[np.uint8]:
    """Return the bytes of all values, one after the other; none is missing."""
    import pyarrow as pa  # noqa: PLC0415

    _, bounds, data = values.buffers()
    wide = pa.types.is_large_binary(values.type)
    ends = np.frombuffer(bounds, dtype=np.int64 if wide else np.int32)
    begin, end = ends[[values.offset, values.offset + len(values)]]
    return np.frombuffer(data, dtype=np.uint8)[begin:end]


def _measured(xy: NDArray[np.float64], offsets: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return how long each line is, its pieces added up from the first to the last."""
    x, y = xy.T
    pieces = np.zeros(len(xy))
    pieces[1:] = np.sqrt(np.diff(x) ** 2 + np.diff(y) ** 2)
    pieces[offsets[:-1]] = 0.0
    line = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    found = np.bincount(line, weights=pieces, minlength=len(offsets) - 1)
    return np.asarray(found, dtype=np.float64)
