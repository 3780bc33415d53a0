"""A folder of a proposal: tables, layers, what is said of them, and a manifest; read back too."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import geopandas as gpd
import pandas as pd
import pyarrow as pa
import pyogrio.errors
import shapely

from quart_heure.errors import InputFileError, OutputError
from quart_heure.file_sets import take_names, work_folder
from quart_heure.files import AnyPath, sha256_of
from quart_heure.labels import LANGUAGES
from quart_heure.outputs.degrees import degrees_of
from quart_heure.outputs.proposals.proposal import KINDS, PROPOSAL_FORMAT, Proposal, Said
from quart_heure.outputs.results.csv import csv_text, read_csv
from quart_heure.outputs.results.layers import write_geopackage, write_geoparquet
from quart_heure.outputs.results.manifest import (
    MANIFEST_NAME,
    json_text,
    read_manifest,
    write_manifest,
)
from quart_heure.schema import COLUMNS, check_columns, column_problems, described, table_columns

SAID_NAME = "said.json"
_DICTIONARY_NAME = "data_dictionary.csv"

REQUIRED = {
    "sites": ("sites", "site_candidates", "site_districts"),
    "calls": ("calls",),
    "links": ("links",),
}
"""Tables that pages need of each kind, by the names of the schema; there may be more."""

_WRITE_ERRORS = (
    OSError,
    pa.ArrowException,
    pyogrio.errors.DataSourceError,
    pyogrio.errors.DataLayerError,
    pyogrio.errors.FeatureError,
)


def write_proposal(proposal: Proposal, directory: AnyPath) -> list[Path]:
    """Write a proposal into a folder of its own.

    Parameters
    ----------
    proposal
        What to write.
    directory
        Made if it does not exist. Of an earlier proposal there, the files are replaced.

    Returns
    -------
    list of Path
        The files: every table as CSV, layers as GeoParquet too, all in one GeoPackage, the words,
        the data dictionary, and the manifest last.

    Raises
    ------
    OutputError
        If the folder holds the results of an analysis, or cannot be written. What it held before
        is then still there.
    """
    directory = Path(directory)
    earlier = _earlier_files(directory)
    try:
        with work_folder(directory) as work:
            names = _write_all(proposal, work)
            take_names(work, directory, names, gone=earlier - set(names))
    except _WRITE_ERRORS as error:
        reason = getattr(error, "strerror", None) or error
        msg = f"{directory}: the proposal cannot be written ({reason})."
        hint = "Choose a folder you may write to, with room left."
        raise OutputError(msg, hint=hint) from error
    return [directory / name for name in names]


def check_proposal_folder(directory: Path) -> None:
    """Refuse a folder for a proposal that holds the results of an analysis.

    Raises
    ------
    OutputError
        If it does.
    """
    _earlier_files(directory)


def _earlier_files(directory: Path) -> set[str]:
    """Return the names of the files of a proposal that is there already."""
    if not (directory / MANIFEST_NAME).exists():
        return set()
    try:
        manifest = read_manifest(directory)
    except InputFileError:
        manifest = {}
    if manifest.get("proposal", {}).get("format") != PROPOSAL_FORMAT:
        msg = f"{directory} holds other results, which a proposal would replace."
        raise OutputError(msg, hint="Give the proposal a folder of its own.")
    # Names alone: a manifest is a file like others, and may say anything.
    return {Path(name).name for name in manifest["files"]} | {MANIFEST_NAME}


def _write_all(proposal: Proposal, work: Path) -> list[str]:
    manifest = {
        **{key: value for key, value in proposal.run.items() if key != "files"},
        "proposal": {
            "format": PROPOSAL_FORMAT,
            "kind": proposal.kind,
            "category": proposal.category,
            "tables": list(proposal.tables),
            "answer": dict(proposal.answer),
        },
    }
    written = []
    for name, table in proposal.tables.items():
        check_columns(table, name)
        columns = [column for column in table_columns(name) if column.files != "layers"]
        text = csv_text(_with_degrees(table), columns)
        (work / f"{name}.csv").write_text(text, encoding="utf-8", newline="\n")
        written.append(f"{name}.csv")
        if isinstance(table, gpd.GeoDataFrame):
            values, shapes = pd.DataFrame(table.drop(columns="geometry")), table.geometry.to_numpy()
            path = work / f"{name}.parquet"
            write_geoparquet(values, shapes, path, crs=table.crs, manifest=manifest)
            written.append(path.name)
    layers = {name: table for name, table in proposal.tables.items() if len(table)}
    write_geopackage(layers, work / f"{proposal.kind}.gpkg", manifest=manifest)
    (work / SAID_NAME).write_text(json_text(dict(proposal.said)) + "\n", encoding="utf-8")
    dictionary = described([*proposal.tables])
    dictionary.to_csv(work / _DICTIONARY_NAME, index=False, lineterminator="\n")
    written += [f"{proposal.kind}.gpkg", SAID_NAME, _DICTIONARY_NAME]
    files = {
        name: {"sha256": sha256_of(work / name), "bytes": (work / name).stat().st_size}
        for name in written
    }
    write_manifest({**manifest, "files": files}, work / MANIFEST_NAME)
    return [*written, MANIFEST_NAME]


def _with_degrees(table: pd.DataFrame) -> pd.DataFrame:
    """Return points as a table with their degrees; other layers without their shapes."""
    if not isinstance(table, gpd.GeoDataFrame):
        return table
    plain = pd.DataFrame(table.drop(columns="geometry"))
    if not table.geometry.geom_type.eq("Point").all():
        return plain
    xy = shapely.get_coordinates(table.geometry.to_numpy()).reshape(-1, 2)
    lon, lat = degrees_of(xy, table.crs).T
    return plain.assign(longitude=lon, latitude=lat)


def read_proposal(directory: AnyPath) -> Proposal:
    """Read a proposal back.

    Raises
    ------
    InputFileError
        If the folder holds none, or a file of it is missing, changed or of another version.
    """
    directory = Path(directory)
    manifest = read_manifest(directory)
    about = manifest.get("proposal")
    hint = "Give the folder that `quart-heure site`, `ask` or `links` wrote with --output."
    if not isinstance(about, dict) or about.get("kind") not in KINDS:
        msg = f"{directory} holds no proposal."
        raise InputFileError(msg, hint=hint)
    if about.get("format") != PROPOSAL_FORMAT:
        msg = f"{directory}: was written by version {manifest.get('version')} in another form."
        raise InputFileError(msg, hint="Make the proposal again.")
    known = {column.table for column in COLUMNS}
    # A table that this version does not know says nothing that its pages could show.
    names = [name for name in about.get("tables", []) if name in known]
    tables = {
        name: _read_table(directory, name, manifest)
        for name in dict.fromkeys([*REQUIRED[about["kind"]], *names])
    }
    return Proposal(
        kind=about["kind"],
        category=str(about.get("category", "")),
        tables=tables,
        said=_read_said(directory, manifest),
        answer=about.get("answer", {}),
        run={k: value for k, value in manifest.items() if k not in {"files", "proposal"}},
        where=str(directory),
    )


def _read_table(directory: Path, name: str, manifest: dict[str, Any]) -> pd.DataFrame:
    columns = table_columns(name)
    layer = any(column.dtype == "geometry" for column in columns)
    path = directory / f"{name}.{'parquet' if layer else 'csv'}"
    _check_hash(path, manifest)
    try:
        table = gpd.read_parquet(path) if layer else read_csv(path, columns)
    except (OSError, ValueError, pa.ArrowException) as error:
        msg = f"{path}: cannot be read ({error})."
        raise InputFileError(msg, hint="Make the proposal again.") from error
    if problems := column_problems(table, name):
        msg = f"{path}: {'; '.join(problems)}."
        hint = f"Written by version {manifest.get('version')}: make the proposal again."
        raise InputFileError(msg, hint=hint)
    return cast("pd.DataFrame", table)


def _read_said(directory: Path, manifest: dict[str, Any]) -> dict[str, Said]:
    path = directory / SAID_NAME
    _check_hash(path, manifest)
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        msg = f"{path}: cannot be read ({error})."
        raise InputFileError(msg, hint="Make the proposal again.") from error
    if not isinstance(said, dict) or not said.keys() >= set(LANGUAGES):
        msg = f"{path}: does not say what is proposed."
        raise InputFileError(msg, hint="Make the proposal again.")
    return said


def _check_hash(path: Path, manifest: dict[str, Any]) -> None:
    about = manifest["files"].get(path.name, {})
    if not path.is_file() or sha256_of(path) != about.get("sha256"):
        msg = f"{path}: is missing or not the file that was written."
        raise InputFileError(msg, hint="Make the proposal again.")
