"""A result folder: every table in the formats that analysts open.

All files are written in a hidden folder inside the target, then moved to their final names, the
manifest last. A run that fails leaves what was there before.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio.errors
import shapely

from quart_heure.analysis.answers import COMPOSITES
from quart_heure.errors import OutputError
from quart_heure.file_sets import take_names, work_folder
from quart_heure.files import AnyPath, sha256_of
from quart_heure.labels import text
from quart_heure.outputs.degrees import degrees_of
from quart_heure.outputs.discretion import publishable
from quart_heure.outputs.results.csv import INTERNAL, csv_text
from quart_heure.outputs.results.layers import PointArray, write_geopackage, write_geoparquet
from quart_heure.outputs.results.manifest import MANIFEST_NAME, describe_run, write_manifest
from quart_heure.outputs.results.read import Results
from quart_heure.outputs.results.rows import LAYERS, TABLES, in_order
from quart_heure.outputs.results.styles import layer_styles
from quart_heure.schema import (
    Column,
    check_columns,
    data_dictionary,
    table_columns,
)
from quart_heure.sources.services.own import own_of
from quart_heure.study.bounds import is_long
from quart_heure.study.origin import PLACE_KEY, place_of_study

if TYPE_CHECKING:
    from quart_heure.analysis.week import Week
    from quart_heure.study.coverage import Coverage

__all__ = ["RESULT_FILES", "WEEK_FILES", "write_results"]

_CSV_TABLES = (
    *("indicators", "composite", "gaps", "gap_parts", "services", "problems"),
    *("filters", "fragility", "entries", "dependence", "freshness", "accuracy", "unplaced"),
    "capacity",
)
_DICTIONARY_NAME = "data_dictionary.csv"
_ROW_GROUP = 1 << 17
"""Rows of the week that are packed together: who reads one district reads few of them."""

WEEK_FILES = ("week.csv", "week.parquet")
"""Files of a result folder whose study asks for the week."""

RESULT_FILES: tuple[str, ...] = (
    "coverage.gpkg",
    *(f"{table}.parquet" for table in LAYERS),
    *(f"{table}.csv" for table in _CSV_TABLES),
    _DICTIONARY_NAME,
    MANIFEST_NAME,
)
"""Files of a result folder, the manifest last."""

_WRITE_ERRORS = (
    OSError,
    pa.ArrowException,
    pyogrio.errors.DataSourceError,
    pyogrio.errors.DataLayerError,
    pyogrio.errors.FeatureError,
)

_PLAIN_COLUMNS = ("on_network_ha", "off_network_ha", "water_ha", "residents", "second_weight")
"""Columns of the indicators that the layer of districts has once."""

_DISTRICT_COLUMNS = {
    "services": "services_inside",
    "covered_pct": "covered_pct",
    "residents_covered_pct": "residents_covered_pct",
    "minutes_median": "minutes_median",
    "gaps": "gaps",
}
"""Columns that the layer of districts has for each category, and the indicators they hold."""


def write_results(
    coverage: Coverage, directory: AnyPath, *, overwrite: bool = True, lang: str = "fr"
) -> dict[str, Path]:
    """Write every table of a coverage into a folder.

    Parameters
    ----------
    coverage
        Result of an analysis; discreet places are taken out here. Of the services, the declared
        columns and those of their files that begin with ``own_`` are written: others are left out,
        facts without a column are empty.
    directory
        The folder; made if it does not exist. Other files in it are left alone.
    overwrite
        Whether results that are already there may be replaced.
    lang
        Language of the styles that the GeoPackage holds for QGIS.

    Returns
    -------
    dict
        Path of each file, by name (see `RESULT_FILES`).

    Raises
    ------
    OutputError
        If the folder cannot be written, or holds results that may not be replaced. What it held
        before is then still there.
    """
    directory = Path(directory)
    if not overwrite and (directory / MANIFEST_NAME).exists():
        msg = f"{directory} already holds results."
        raise OutputError(msg, hint="Choose another folder, or allow it to be overwritten.")
    coverage = publishable(coverage)
    try:
        with work_folder(directory) as work:
            _write_all(coverage, work, directory, lang)
            written = [*(name for name in WEEK_FILES if coverage.week is not None), *RESULT_FILES]
            # The week of an earlier run would pass for that of this one.
            gone = [name for name in WEEK_FILES if name not in written]
            take_names(work, directory, written, gone=gone)
    except OutputError:
        raise
    except _WRITE_ERRORS as error:
        reason = getattr(error, "strerror", None) or error
        msg = f"{directory}: results cannot be written ({reason})."
        hint = "Choose a folder you may write to, with room left."
        raise OutputError(msg, hint=hint) from error
    return {name: directory / name for name in written}


def _write_all(coverage: Coverage, work: Path, directory: Path, lang: str) -> None:
    manifest = describe_run(coverage)
    tables = checked_tables(coverage)
    crs = coverage.study.area.crs
    for table in LAYERS:
        frame, path = tables[table], work / f"{table}.parquet"
        if table == "cells":
            values = frame
            shapes: Any = PointArray(frame["x_m"].to_numpy(), frame["y_m"].to_numpy())
        else:
            values = pd.DataFrame(frame.drop(columns="geometry"))
            shapes = frame.geometry.to_numpy()
        write_geoparquet(values, shapes, path, crs=crs, manifest=manifest)
    _write_layers(coverage, tables, work / "coverage.gpkg", manifest, lang)
    for table, (frame, columns) in _text_tables(tables).items():
        content = csv_text(frame, columns, private=coverage.study.private)
        (work / f"{table}.csv").write_text(content, encoding="utf-8", newline="\n")
    if coverage.week is not None:
        _write_week(coverage.week, work, private=coverage.study.private)
    _dictionary(coverage, tables).to_csv(work / _DICTIONARY_NAME, index=False, lineterminator="\n")
    written = {
        name: {"sha256": sha256_of(work / name), "bytes": (work / name).stat().st_size}
        for name in (*WEEK_FILES, *RESULT_FILES)
        if name != MANIFEST_NAME and (work / name).exists()
    }
    # Beside the files alone: what travels inside them does not depend on where they lie.
    place = place_of_study(coverage.study.origin, directory)
    write_manifest(
        {**manifest, **({PLACE_KEY: place} if place else {}), "files": written},
        work / MANIFEST_NAME,
    )


def text_tables(found: Coverage | Results) -> dict[str, tuple[pd.DataFrame, list[Column]]]:
    """Return the tables that are written as text, and the columns that they then have.

    Parameters
    ----------
    found
        A published coverage, or results read back.
    """
    categories = (
        [category["id"] for category in found.manifest["categories"]]
        if isinstance(found, Results)
        else found.study.categories
    )
    texts = _text_tables(_in_order(found, categories))
    if isinstance(found, Results):
        week = found.week_table
    else:
        week = None if found.week is None else _week_text(found.week)
    if week is not None:
        texts["week"] = week, table_columns("week")
    return texts


def _text_tables(
    tables: dict[str, pd.DataFrame],
) -> dict[str, tuple[pd.DataFrame, list[Column]]]:
    found = {}
    for table in _CSV_TABLES:
        frame = _with_degrees(tables[table]) if table in LAYERS else tables[table]
        every = table_columns(table, own=own_of(frame))
        columns = [column for column in every if column.files != "layers"]
        found[table] = frame, columns
    return found


def dictionary_of(coverage: Coverage) -> pd.DataFrame:
    """Return what every column means that the tables of a published coverage have."""
    return _dictionary(coverage, {"indicators": coverage.indicators, "services": coverage.services})


def _dictionary(coverage: Coverage, tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    present = set(tables["indicators"]["category"])
    told = data_dictionary(
        list(coverage.study.categories),
        [composite for composite in COMPOSITES if composite in present],
        ranges="covered_at_most_pct" in tables["indicators"],
        week=coverage.week is not None,
        own=own_of(tables["services"]),
    )
    if not coverage.study.private:
        return told
    csv_tables = [*_CSV_TABLES, *(["week"] if coverage.week is not None else [])]
    marks = pd.DataFrame(
        {
            "table": csv_tables,
            "column": INTERNAL,
            "type": "text",
            "unit": "",
            "files": "csv",
            "description_en": text("report.private_short", "en"),
            "description_fr": text("report.private_short", "fr"),
        }
    )
    return pd.concat([told, marks], ignore_index=True)


def write_layers(coverage: Coverage, path: Path, *, lang: str = "fr") -> None:
    """Write the layers and tables of a published coverage into one GeoPackage, with styles."""
    _write_layers(coverage, checked_tables(coverage), path, describe_run(coverage), lang)


def _write_layers(
    coverage: Coverage,
    tables: dict[str, pd.DataFrame],
    path: Path,
    manifest: dict[str, Any],
    lang: str,
) -> None:
    categories = list(coverage.study.categories)
    composites = [c for c in COMPOSITES if c in set(tables["indicators"]["category"])]
    layers = {
        "districts": _districts(coverage, tables["indicators"], [*categories, *composites]),
        **{name: tables[name] for name in ("gaps", "isochrones", "services")},
        **{name: tables[name] for name in _CSV_TABLES if name not in LAYERS},
    }
    write_geopackage(layers, path, manifest=manifest, styles=layer_styles(manifest, lang))


def _week_text(week: Week) -> pd.DataFrame:
    """Return what files of text have of a week: that of the area alone where there is too much."""
    return week.rows([""]) if is_long(week) else week.table


def _write_week(week: Week, work: Path, *, private: bool) -> None:
    table = _week_text(week)
    check_columns(table, "week")
    content = csv_text(table, table_columns("week"), private=private)
    (work / "week.csv").write_text(content, encoding="utf-8", newline="\n")
    first = pa.Schema.from_pandas(table, preserve_index=False)
    # A category at a time: with thousands of districts all of them do not fit into memory.
    with pq.ParquetWriter(work / "week.parquet", first, compression="zstd") as file:
        for rows in week.by_category():
            packed = pa.Table.from_pandas(rows, schema=first, preserve_index=False)
            file.write_table(packed, row_group_size=_ROW_GROUP)


def checked_tables(coverage: Coverage) -> dict[str, pd.DataFrame]:
    """Return the tables of a published coverage as files have them: in order, and as declared.

    Cells have no geometry: their centres are ``x_m`` and ``y_m``.

    Raises
    ------
    OutputError
        If one does not follow its schema.
    """
    categories = list(coverage.study.categories)
    tables = {**_in_order(coverage, categories), "cells": coverage.cells}
    for table, frame in tables.items():
        check_columns(frame, table, categories)
    return {**tables, "cells": _rounded(coverage.cells)}


def _in_order(found: Coverage | Results, categories: Sequence[str]) -> dict[str, pd.DataFrame]:
    """Return every table but the cells, its rows in their order."""
    tables = {table: getattr(found, table) for table in TABLES}
    tables["services"] = _declared(tables["services"])
    return {table: in_order(frame, table, categories) for table, frame in tables.items()}


def _declared(services: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return services with their declared columns, since analysts may bring tables of their own."""
    columns = [
        column
        for column in table_columns("services", own=own_of(services))
        if column.files != "csv" and (column.files != "ranges" or column.name in services)
    ]
    blank = {"text": "", "number": np.nan, "boolean": False}
    absent = {
        c.name: blank[c.dtype] for c in columns if c.dtype in blank and c.name not in services
    }
    own = {name: services[name].fillna("").astype("str") for name in own_of(services)}
    return services.assign(**absent, **own)[[column.name for column in columns]]


def _rounded(cells: pd.DataFrame) -> pd.DataFrame:
    """Return the cells with their minutes rounded so that comparisons still hold."""
    rounded = {
        # Upwards: a place is within 15 minutes before rounding exactly if it is after.
        name: np.ceil(cells[name].to_numpy() * 100 - 1e-6) / 100
        for name in cells.columns
        if name.startswith("minutes_")
    }
    return cells.assign(**rounded, access_m=cells["access_m"].round(2))


def _districts(
    coverage: Coverage, indicators: pd.DataFrame, categories: Sequence[str]
) -> gpd.GeoDataFrame:
    """Return one row per district, with a few indicators of each category side by side."""
    rows = indicators[indicators["level"] == "district"]
    first = rows.drop_duplicates("district_id").set_index("district_id")
    beside = rows.pivot(
        index="district_id", columns="category", values=list(_DISTRICT_COLUMNS.values())
    )
    pairs = itertools.product(_DISTRICT_COLUMNS, beside.columns.unique("category"))
    beside.columns = pd.Index([f"{name}_{category}" for name, category in pairs])
    counts = beside.columns[beside.columns.str.startswith(("services_", "gaps_"))]
    wide = coverage.study.area.districts[["district_id", "label", "geometry"]]
    wide = wide.join(first[list(_PLAIN_COLUMNS)], on="district_id")
    # Counts are whole numbers, and not known of a category that is not judged.
    kinds = {name: "Int64" if beside[name].isna().any() else "int64" for name in counts}
    wide = wide.join(beside.astype(kinds), on="district_id")
    columns = [column.name for column in table_columns("districts", categories)]
    return wide[columns].sort_values("district_id", ignore_index=True)


def _with_degrees(layer: gpd.GeoDataFrame) -> pd.DataFrame:
    """Return a layer as a table, located by one point inside each shape."""
    points = shapely.get_coordinates(layer.representative_point().to_numpy())
    lon, lat = degrees_of(points, layer.crs).T
    return pd.DataFrame(layer.drop(columns="geometry")).assign(longitude=lon, latitude=lat)
