"""Tables in files: CSV, GeoParquet, GeoPackage, each the same bytes for the same table."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyogrio
import shapely
from pyarrow import parquet

from quart_heure.outputs.manifest import json_text
from quart_heure.schema import Column

if TYPE_CHECKING:
    import geopandas as gpd

__all__ = ["csv_text", "read_csv", "write_geopackage", "write_geoparquet"]

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""A spreadsheet may run text that starts so as a formula."""

_METADATA_KEY = b"quart_heure"


def csv_text(frame: pd.DataFrame, columns: list[Column]) -> str:
    """Return a table as CSV: commas, decimals by unit, empty for unknown.

    Text that a spreadsheet might run as a formula gets a leading apostrophe; numbers do not need
    one and stay numbers.
    """
    shown = pd.DataFrame({column.name: _as_text(frame, column) for column in columns})
    return str(shown.to_csv(index=False, lineterminator="\n"))


def read_csv(path: Path, columns: list[Column]) -> pd.DataFrame:
    """Read a table that `csv_text` wrote, in UTF-8: same types, apostrophes taken off again."""
    frame = pd.read_csv(path, dtype="str", keep_default_na=False, encoding="utf-8")
    for column in columns:
        if column.name not in frame:
            continue
        values = frame[column.name]
        if column.dtype == "text":
            guarded = values.str.startswith("'") & values.str[1:].str.startswith(_FORMULA_STARTS)
            frame[column.name] = values.where(~guarded, values.str[1:])
        elif column.dtype == "boolean":
            frame[column.name] = values == "true"
        else:
            numbers = pd.to_numeric(values)
            whole = column.dtype == "integer" and numbers.isna().any()
            frame[column.name] = numbers.astype("Int64") if whole else numbers
    return frame


def write_geoparquet(frame: gpd.GeoDataFrame, path: Path, *, manifest: Mapping[str, Any]) -> None:
    """Write a layer as GeoParquet 1.1 with the manifest in the metadata of the file.

    Parameters
    ----------
    frame
        Values that are not finite are written as null.
    path
        File to write.
    manifest
        Kept under the key ``quart_heure``.
    """
    # geopandas has no public way to add metadata of one's own, and the format is a small one.
    values = pd.DataFrame(frame.drop(columns="geometry"))
    table = pa.Table.from_pandas(_without_infinities(values), preserve_index=False)
    shapes = frame.geometry.to_numpy()
    table = table.append_column("geometry", pa.array(shapely.to_wkb(shapes), pa.binary()))
    described: dict[str, Any] = {
        "encoding": "WKB",
        "geometry_types": sorted(set(frame.geom_type)),
        "crs": frame.crs.to_json_dict(),
    }
    if len(shapes):
        described["bbox"] = [float(edge) for edge in shapely.total_bounds(shapes)]
    geo = {"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": described}}
    metadata = {
        **table.schema.metadata,
        b"geo": json.dumps(geo).encode(),
        _METADATA_KEY: json_text(manifest, indent=None).encode(),
    }
    parquet.write_table(
        table.replace_schema_metadata(metadata), path, compression="zstd", compression_level=1
    )


def write_geopackage(
    layers: Mapping[str, pd.DataFrame], path: Path, *, manifest: Mapping[str, Any]
) -> None:
    """Write layers, and tables without geometry, into one GeoPackage.

    The manifest is a table of its own, ``manifest``: one row for each of its parts.
    """
    parts = {key: json_text(value, indent=None) for key, value in manifest.items()}
    about = pd.DataFrame({"key": list(parts), "value": list(parts.values())})
    with _steady_gdal(str(manifest.get("created", ""))):
        for name, frame in {**layers, "manifest": about}.items():
            _write_layer(frame, path, name)


def _write_layer(frame: pd.DataFrame, path: Path, name: str) -> None:
    options: dict[str, Any] = {"layer": name, "driver": "GPKG", "use_arrow": True}
    if "geometry" in frame:
        shapes = frame.geometry.geom_type
        polygons = shapes.isin(["Polygon", "MultiPolygon"]).all() and len(shapes) > 0
        options["geometry_type"] = "MultiPolygon" if polygons else "Point"
        options["promote_to_multi"] = polygons
    pyogrio.write_dataframe(_without_infinities(frame), path, **options)


@contextlib.contextmanager
def _steady_gdal(created: str) -> Iterator[None]:
    """Let GDAL stamp files with the time of the run, and skip its waits for the disk.

    Files are written under a temporary name: one that a crash leaves incomplete is never used.
    """
    options = {"OGR_SQLITE_SYNCHRONOUS": "OFF"}
    if created:
        options["OGR_CURRENT_DATE"] = created.replace("Z", ".000Z")
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


def _as_text(frame: pd.DataFrame, column: Column) -> pd.Series[Any]:
    values = frame[column.name]
    if column.dtype == "boolean":
        return values.map({True: "true", False: "false"})
    if column.dtype == "text":
        # A bare carriage return is not quoted and would begin a row of its own.
        text = values.astype("str").fillna("").str.replace(r"\r\n?", "\n", regex=True)
        return text.where(~text.str.startswith(_FORMULA_STARTS), "'" + text)
    if column.decimals is None:
        return values
    finite = np.isfinite(values.to_numpy(dtype=float))
    form = f"{{:.{column.decimals}f}}".format
    return pd.Series(
        [form(value + 0.0) if known else "" for value, known in zip(values, finite, strict=True)],
        index=values.index,
        dtype="str",
    )
