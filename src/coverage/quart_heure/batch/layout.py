"""The results of a batch: one partition per territory, as GeoParquet, its manifest written last.

``country=FR/dep=75/insee=75056/indicators.parquet`` and so on: one line of DuckDB, pandas or
pyarrow reads the same table of all. For that, every table has the same columns of the same kinds
in every partition, and shapes are in degrees, whatever CRS the study was in.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyproj
import shapely
from pyarrow import parquet

from quart_heure.batch.inputs import Marks, are_same
from quart_heure.batch.storage import Store
from quart_heure.errors import OutputError
from quart_heure.files import sha256_of
from quart_heure.outputs.degrees import degrees_of
from quart_heure.outputs.discretion import publishable, without_own
from quart_heure.outputs.report.summary import summary
from quart_heure.outputs.results.layers import PointArray, write_geoparquet
from quart_heure.outputs.results.manifest import MANIFEST_NAME, describe_run, write_manifest
from quart_heure.outputs.results.rows import LAYERS, plain_rows
from quart_heure.outputs.results.write import checked_tables
from quart_heure.outputs.shapes import Pen
from quart_heure.schema import table_columns
from quart_heure.stamp import tool_version
from quart_heure.study.definition_changes import definitions_date

if TYPE_CHECKING:
    from quart_heure.batch.territory import Territory
    from quart_heure.study.coverage import Coverage

FORMAT = 1
"""Raise it when a partition gets other tables: those of before are then worked out again."""

TERRITORY = "territory"
"""The first column of every table, and the name of the table of one row per territory."""

BATCH = "batch"
"""The part of a manifest that tells of the batch."""

_DEGREES = pyproj.CRS.from_epsg(4326)
_PARTS = 300
"""An outline that is drawn is simplified to this part of its extent."""

_KINDS: Mapping[str, Any] = {
    "text": "string",
    "integer": "Int64",
    "number": "float64",
    "boolean": "boolean",
}
"""Kinds of columns by those of the schema: an empty table has them as a full one does."""


def figures_of(coverage: Coverage) -> dict[str, Any]:
    """Return the figures of a published coverage that a list of territories shows.

    Returns
    -------
    dict
        cells, services, gaps and residents; share_of (``residents``, or ``area`` where nobody is
        known to live), all_pct (with all essential services within the threshold), none_pct (with
        none) and none (so many people, or hectares); None where there is no essential category.
    """
    ids = [*coverage.study.categories, "essential_all", "essential_any"]
    rows = plain_rows(coverage.indicators, "indicators", ids)
    found = summary(coverage.composite, rows, coverage.manifest, "fr")
    counts = coverage.manifest["counts"]
    city = next(row for row in rows if row["level"] == "city")
    return {
        "cells": counts["cells"],
        "services": counts["services_counted"],
        "gaps": counts["gaps"],
        "residents": city["residents"],
        "share_of": str(found.get("by", "")),
        **{name: found.get(name) for name in ("all_pct", "none_pct", "none")},
    }


def write_partition(
    coverage: Coverage,
    territory: Territory,
    store: Store,
    told: Mapping[str, Any],
    cost: Callable[[], Mapping[str, Any]] = dict,
) -> dict[str, Any]:
    """Write the results of one territory: all of them or none.

    Parameters
    ----------
    coverage
        Discreet places are taken out here, and the own columns of services with them.
    territory, store
        Whose results, and where they go.
    told
        What its manifest keeps of the batch besides its figures.
    cost
        Gives what it took, when all but the manifest is written.

    Returns
    -------
    dict
        What the manifest keeps of the batch.

    Raises
    ------
    OutputError
        If they cannot be written; earlier results are then as they were, or known to be gone.
    """
    coverage = without_own(publishable(coverage))
    figures = figures_of(coverage)
    with store.work(territory.place) as work:
        try:
            names = _write_tables(coverage, territory, figures, work)
            written = {
                final: {"sha256": sha256_of(work / made), "bytes": (work / made).stat().st_size}
                for made, final in names.items()
            }
            batch = {
                **told,
                "format": FORMAT,
                "territory": territory.code,
                "label": territory.label,
                "country": territory.country,
                "departement": territory.departement,
                "bytes": sum(about["bytes"] for about in written.values()),
                "figures": figures,
                "outline": _drawn(coverage),
                **cost(),
            }
            manifest = {**describe_run(coverage), "files": written, BATCH: batch}
            write_manifest(manifest, work / MANIFEST_NAME)
            names[MANIFEST_NAME] = MANIFEST_NAME
            store.take(work, territory.place, names, seal=MANIFEST_NAME)
        except OutputError:
            raise
        except OSError as error:
            msg = f"{territory.place}: cannot be written ({error.strerror or error})."
            hint = "Choose a folder you may write to, with room left."
            raise OutputError(msg, hint=hint) from error
    return batch


def _write_tables(
    coverage: Coverage, territory: Territory, figures: Mapping[str, Any], work: Path
) -> dict[str, str]:
    """Write the tables; return their names in the work folder and those that they get."""
    # The whole manifest in each of many files would be more than what they tell.
    about = {key: coverage.manifest[key] for key in ("tool", "version", "created", "attribution")}
    crs = coverage.study.area.crs
    tables = checked_tables(coverage)
    if coverage.week is not None:
        tables["week"] = coverage.week.table
    names = {}
    for name, frame in tables.items():
        made = work / name  # without its ending: see `Store.work`
        as_written = functools.partial(
            _as_written, table=name, categories=list(coverage.study.categories), of=territory
        )
        if name in LAYERS:
            write_geoparquet(
                frame,
                _in_degrees(frame, crs),
                made,
                crs=_DEGREES,
                manifest=about,
                as_written=as_written,
            )
        else:
            _write_plain(as_written(frame), made)
        names[name] = f"{name}.parquet"
    row = pd.DataFrame([{TERRITORY: territory.code, "label": territory.label, **figures}])
    row = _alike(row, BATCH, [], only=list(row.columns))
    whole = _turned(np.array([coverage.study.area.geometry], dtype=object), crs)
    write_geoparquet(row, whole, work / TERRITORY, crs=_DEGREES, manifest=about)
    return {**names, TERRITORY: f"{TERRITORY}.parquet"}


def _write_plain(values: pd.DataFrame, path: Path) -> None:
    """Write a table without what pandas would note of it: that is more than a small table is."""
    table = pa.Table.from_pandas(values, preserve_index=False).replace_schema_metadata(None)
    parquet.write_table(table, path, compression="zstd", store_schema=False)


def _as_written(
    frame: pd.DataFrame, *, table: str, categories: list[str], of: Territory
) -> pd.DataFrame:
    """Return rows of a table as a partition has them, whose territory they are of first."""
    values = _alike(frame, table, categories)
    codes = pd.Series([of.code] * len(values), index=values.index, dtype="string")
    values.insert(0, TERRITORY, codes)
    return values


def _alike(
    frame: pd.DataFrame, table: str, categories: list[str], *, only: list[str] | None = None
) -> pd.DataFrame:
    """Return the declared columns of a table, without its geometry, each of its declared kind."""
    kinds = {
        column.name: _KINDS[column.dtype]
        for column in table_columns(table, categories)
        if column.dtype != "geometry" and column.name in (frame.columns if only is None else only)
    }
    return pd.DataFrame({name: frame[name].astype(kind) for name, kind in kinds.items()})


def _in_degrees(frame: pd.DataFrame, crs: pyproj.CRS) -> Any:
    if "geometry" in frame:
        return _turned(frame["geometry"].to_numpy(), crs)
    lon, lat = degrees_of(frame[["x_m", "y_m"]].to_numpy(dtype=float), crs).T
    return PointArray(lon, lat)


def _turned(shapes: Any, crs: pyproj.CRS) -> Any:
    return shapely.transform(shapes, lambda xy: degrees_of(xy, crs))


def _drawn(coverage: Coverage) -> list[list[int]]:
    """Return the outer rings of the area as it is drawn beside many others, see `Pen`."""
    area = coverage.study.area
    west, south, east, north = area.geometry.bounds
    simple = shapely.simplify(area.geometry, max(east - west, north - south) / _PARTS)
    (parts,) = Pen(area.crs).polygons([simple])
    return [rings[:1][0] for rings in parts]


# --- what is finished ----------------------------------------------------------------------------


def manifest_name(territory: Territory) -> str:
    """Return the name of the manifest of a territory, in the folder of the batch."""
    return f"{territory.place}/{MANIFEST_NAME}"


def finished(
    content: bytes | None,
    sizes: Mapping[str, int],
    territory: Territory,
    *,
    marks: Marks,
    question: Mapping[str, Any],
    secret: bytes,
) -> dict[str, Any] | None:
    """Return what a manifest keeps of the batch if its territory needs no more work, else None.

    Parameters
    ----------
    content
        The manifest, None where there is none.
    sizes
        Bytes of the files of the batch, by name.
    territory, marks, question
        What is wanted: of which inputs, and what is asked of them.
    secret
        See `quart_heure.batch.inputs.kept_marks`.
    """
    try:
        manifest = json.loads(content or b"")
        kept = manifest[BATCH]
        whole = all(
            sizes.get(f"{territory.place}/{name}") == about["bytes"]
            for name, about in manifest["files"].items()
        )
        same = (
            whole
            and kept["format"] == FORMAT
            and manifest["version"] == tool_version()
            and manifest["definitions_date"] == definitions_date()
            and kept["question"] == question
            and are_same(kept["inputs"], marks, secret)
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return None  # half a file of a store that was filled up, or another program's
    return dict(kept) if same else None
