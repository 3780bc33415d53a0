"""Layers in files: GeoParquet and GeoPackage, each the same bytes for the same table."""

from __future__ import annotations

import contextlib
import dataclasses
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyogrio
import pyproj
import shapely
from numpy.typing import NDArray

from quart_heure.outputs.results.manifest import json_text
from quart_heure.outputs.results.styles import STYLES_TABLE
from quart_heure.stamp import creation_time

_METADATA_KEY = b"quart_heure"

_GROUP_ROWS = 1 << 16
"""Rows that are written at a time, a group of the file."""

_TYPE_NAMES = {
    shapely.GeometryType.POINT: "Point",
    shapely.GeometryType.LINESTRING: "LineString",
    shapely.GeometryType.POLYGON: "Polygon",
    shapely.GeometryType.MULTIPOINT: "MultiPoint",
    shapely.GeometryType.MULTIPOLYGON: "MultiPolygon",
}


def write_geoparquet(
    values: pd.DataFrame,
    shapes: NDArray[np.object_] | PointArray,
    path: Path,
    *,
    crs: pyproj.CRS,
    manifest: Mapping[str, Any],
    as_written: Callable[[pd.DataFrame], pd.DataFrame] = lambda rows: rows,
) -> None:
    """Write a layer as GeoParquet 1.1 with the manifest in the metadata of the file.

    Parameters
    ----------
    values
        The columns besides the geometry; numbers that are not finite are written as null.
    shapes
        The geometry of each row: shapely objects, or points as x and y.
    path
        File to write.
    crs
        Of the shapes.
    manifest
        Kept under the key ``quart_heure``.
    as_written
        Makes of some rows what is written of them: all at once would take several times their
        memory.
    """
    from pyarrow import parquet  # noqa: PLC0415 - text formats do without it

    # geopandas has no public way to add metadata of one's own, and the format is a small one.
    described: dict[str, Any] = {"encoding": "WKB", "crs": crs.to_json_dict()}
    if isinstance(shapes, PointArray):
        described["geometry_types"] = ["Point"]
    else:
        types = np.unique(shapely.get_type_id(shapes))
        described["geometry_types"] = [_TYPE_NAMES[shapely.GeometryType(each)] for each in types]
    if len(values):
        described["bbox"] = _bounds(shapes)
    geo = {"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": described}}
    about = {
        b"geo": json.dumps(geo).encode(),
        _METADATA_KEY: json_text(_of_the_day(manifest), indent=None).encode(),
    }
    with contextlib.ExitStack() as stack:
        writer: parquet.ParquetWriter | None = None
        for begin in range(0, max(len(values), 1), _GROUP_ROWS):
            rows = _without_infinities(as_written(values.iloc[begin : begin + _GROUP_ROWS]))
            table = pa.Table.from_pandas(rows, preserve_index=False)
            metadata = {**table.schema.metadata, **about}
            some = shapes[begin : begin + _GROUP_ROWS]
            wkb = (
                some.wkb()
                if isinstance(some, PointArray)
                else pa.array(shapely.to_wkb(some), pa.binary())
            )
            table = table.append_column("geometry", wkb).replace_schema_metadata(metadata)
            if writer is None:
                # Shapes hardly repeat: a dictionary of them costs time and saves nothing.
                repeating = [n for n in table.column_names if n not in {"geometry", "access_m"}]
                writer = stack.enter_context(
                    parquet.ParquetWriter(
                        path,
                        table.schema,
                        compression="zstd",
                        compression_level=1,
                        use_dictionary=repeating,
                    )
                )
            writer.write_table(table)


def _bounds(shapes: NDArray[np.object_] | PointArray) -> list[float]:
    if isinstance(shapes, PointArray):
        x, y = shapes.x, shapes.y
        return [float(edge) for edge in (x.min(), y.min(), x.max(), y.max())]
    return [float(edge) for edge in shapely.total_bounds(shapes)]


@dataclasses.dataclass(frozen=True, eq=False)
class PointArray:
    """Many points, without an object for each; shapes (n,)."""

    x: NDArray[np.float64]
    y: NDArray[np.float64]

    def __getitem__(self, rows: slice) -> PointArray:
        """Return some of the points."""
        return PointArray(self.x[rows], self.y[rows])

    def wkb(self) -> pa.Array:
        """Return the points in well-known binary: byte order, kind, x and y."""
        record = np.dtype([("order", "u1"), ("kind", "<u4"), ("x", "<f8"), ("y", "<f8")])
        packed = np.empty(len(self.x), record)
        packed["order"], packed["kind"], packed["x"], packed["y"] = 1, 1, self.x, self.y
        ends = np.arange(len(packed) + 1, dtype=np.int32) * record.itemsize
        buffers = [None, pa.py_buffer(ends), pa.py_buffer(packed)]
        return pa.Array.from_buffers(pa.binary(), len(packed), buffers)


def write_geopackage(
    layers: Mapping[str, pd.DataFrame],
    path: Path,
    *,
    manifest: Mapping[str, Any],
    styles: pd.DataFrame | None = None,
) -> None:
    """Write layers, and tables without geometry, into one GeoPackage.

    The manifest is a table of its own, ``manifest``: one row for each of its parts. So are the
    styles, which QGIS draws the layers by.
    """
    manifest = _of_the_day(manifest)
    parts = {key: json_text(value, indent=None) for key, value in manifest.items()}
    about = pd.DataFrame({"key": list(parts), "value": list(parts.values())})
    with _steady_gdal(str(manifest.get("created", creation_time()[:10]))):
        for name, frame in {**layers, "manifest": about}.items():
            _write_layer(frame, path, name)
        if styles is not None:
            # The column that QGIS knows a style by is called so.
            _write_layer(styles, path, STYLES_TABLE, layer_options={"FID": "id"})


def _of_the_day(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a file holds of a manifest: the day and not the time, so that runs give one file.

    Figures depend on the day (which services are valid, how old facts are), on no hour of it.
    """
    stamped = {"created": str(manifest["created"])[:10]} if "created" in manifest else {}
    return {**manifest, **stamped}


def _write_layer(frame: pd.DataFrame, path: Path, name: str, **more: Any) -> None:
    options: dict[str, Any] = {"layer": name, "driver": "GPKG", "use_arrow": True, **more}
    if not path.exists():  # the newest version would make older QGIS and R warn of each layer
        options["dataset_options"] = {"VERSION": "1.3"}
    if "geometry" in frame:
        shapes = frame.geometry.geom_type
        polygons = shapes.isin(["Polygon", "MultiPolygon"]).all() and len(shapes) > 0
        lines = next((k for k in ("LineString", "MultiLineString") if shapes.eq(k).all()), "Point")
        options["geometry_type"] = "MultiPolygon" if polygons else lines if len(shapes) else "Point"
        options["promote_to_multi"] = polygons
    pyogrio.write_dataframe(_without_infinities(frame), path, **options)


@contextlib.contextmanager
def _steady_gdal(day: str) -> Iterator[None]:
    """Let GDAL stamp files with the day of the run, and skip its waits for the disk.

    Files are written under a temporary name: one that a crash leaves incomplete is never used.
    """
    options = {
        "OGR_SQLITE_SYNCHRONOUS": "OFF",
        "OGR_CURRENT_DATE": f"{day}T00:00:00.000Z",
    }
    before = {key: pyogrio.get_gdal_config_option(key) for key in options}
    pyogrio.set_gdal_config_options(options)
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options(before)


def _without_infinities(frame: pd.DataFrame) -> pd.DataFrame:
    floats = frame.select_dtypes("float")
    infinite = [name for name in floats.columns if np.isinf(floats[name].to_numpy()).any()]
    return frame.assign(
        **{name: frame[name].replace([np.inf, -np.inf], np.nan) for name in infinite}
    )
