"""Results: a folder of tables, read back."""

from __future__ import annotations

import dataclasses
import datetime
import functools
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa

from quart_heure.analysis.answers import COMPOSITES
from quart_heure.analysis.freshness import recent_since
from quart_heure.errors import InputFileError
from quart_heure.files import AnyPath, sha256_of
from quart_heure.outputs.results.csv import read_csv
from quart_heure.outputs.results.manifest import read_manifest
from quart_heure.outputs.results.rows import LAYERS, TABLES
from quart_heure.schema import column_problems, table_columns
from quart_heure.sources.layers import read_layer
from quart_heure.study.origin import PLACE_KEY
from quart_heure.study.views import Views

__all__ = ["Results", "read_results"]


_NOT_KEPT = frozenset(
    (
        *("study", "map", "week", "answers", "attachment", "basis", "prepared", "cache"),
        "draw_isochrones",
    )
)
"""What a coverage has that is written nowhere; of ``week`` the table is, `Results.week_table`."""


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Results(Views):
    """A result folder, read back: what one asks of a coverage, it answers from its tables.

    What needs streets again says so: ``map``, and what is made from ``study``.

    Parameters
    ----------
    directory
        Where it is.
    manifest
        What it was made from; ``manifest["files"]`` has the hash of each file.
    indicators, composite, gap_parts, problems, filters
        Tables, as in a coverage.
    fragility, entries, dependence, freshness, accuracy, unplaced, capacity
        The same.
    services, isochrones, gaps
        Layers, as in a coverage, in the CRS of the study.
    week_table
        The table of the week as ``week.csv`` has it, None if the study did not ask for it. With
        thousands of districts it is that of the whole area: see `week_rows`.
    """

    directory: Path
    manifest: dict[str, Any]
    indicators: pd.DataFrame
    composite: pd.DataFrame
    gap_parts: pd.DataFrame
    problems: pd.DataFrame
    filters: pd.DataFrame
    fragility: pd.DataFrame
    entries: pd.DataFrame
    dependence: pd.DataFrame
    freshness: pd.DataFrame
    accuracy: pd.DataFrame
    unplaced: pd.DataFrame
    capacity: pd.DataFrame
    services: gpd.GeoDataFrame
    isochrones: gpd.GeoDataFrame
    gaps: gpd.GeoDataFrame
    week_table: pd.DataFrame | None = None

    def __repr__(self) -> str:
        """Tell where they are and how much there is."""
        return (
            f"Results of {self.manifest['area']} in {self.directory}: {len(self.gaps):,} gaps, "
            f"{len(self.problems):,} problems"
        )

    def __getattr__(self, name: str) -> Any:
        """Say of what a coverage has besides why it is not here, and how it is had."""
        if name not in _NOT_KEPT:
            msg = f"{type(self).__name__!r} object has no attribute {name!r}"
            raise AttributeError(msg)
        place = self.manifest.get(PLACE_KEY)
        file = f'"{(self.directory / place).resolve()}"' if place else "…"
        msg = (
            f"Results read from disk have no {name!r}: it needs streets and single walks, which "
            f"no folder of results holds. Analyse the study again: "
            f"quart_heure.analyse(quart_heure.read_study({file})).{name}"
        )
        raise AttributeError(msg)

    @property
    def published(self) -> bool:
        """Whether discreet places were taken out: always, of what was written."""
        return True

    @property
    def recent(self) -> tuple[datetime.date, datetime.date]:
        """First and last day of what is recent, as in a coverage."""
        made = datetime.date.fromisoformat(str(self.manifest["created"])[:10])
        asked = str(self.manifest["parameters"].get("date") or made)
        return recent_since(datetime.date.fromisoformat(asked)), made

    @property
    def city(self) -> pd.DataFrame:
        """The rows of the indicators for the whole area."""
        return self.indicators[self.indicators["level"] == "city"].reset_index(drop=True)

    @functools.cached_property
    def cells(self) -> gpd.GeoDataFrame:
        """Cells with their centres, read when asked for."""
        cells = gpd.read_parquet(self.directory / "cells.parquet")
        for column in cells.columns:
            if column.startswith("minutes_"):
                unreachable = cells[column].isna() & cells["on_network"]
                cells[column] = cells[column].mask(unreachable, np.inf)
        return cells

    @functools.cached_property
    def districts(self) -> gpd.GeoDataFrame:
        """Districts with their main indicators, read when asked for."""
        return read_layer(self.directory / "coverage.gpkg", layer="districts")

    def week_rows(self, places: Collection[str]) -> pd.DataFrame | None:
        """Return the rows of the week of some districts; "" is the whole area.

        Raises
        ------
        InputFileError
            If they are in ``week.parquet`` alone, and it is not the file that was written.
        """
        table = self.week_table
        if table is None:
            return None
        here = table["district_id"].isin(list(places))
        if set(places) <= set(table.loc[here, "district_id"]):
            return table[here].reset_index(drop=True)
        path = self.directory / "week.parquet"
        return read_table(path, "week", self.manifest, places=places)

    def changed_files(self) -> list[str]:
        """List the files that are missing or differ from what the manifest says was written."""
        return [
            name
            for name, about in self.manifest.get("files", {}).items()
            if not (self.directory / name).is_file()
            or sha256_of(self.directory / name) != about["sha256"]
        ]


def read_results(directory: AnyPath) -> Results:
    """Read a result folder.

    Raises
    ------
    InputFileError
        If it is not one, or if a file in it is missing, damaged or of another version.
    """
    directory = Path(directory)
    manifest = read_manifest(directory)
    if "proposal" in manifest:
        msg = f"{directory} holds a proposal, not the results of an analysis."
        raise InputFileError(msg, hint="Give it with --proposals, beside a study or its results.")
    tables: dict[str, pd.DataFrame] = {}
    for table in TABLES:
        path = directory / f"{table}.{'parquet' if table in LAYERS else 'csv'}"
        tables[table] = _restore_unreachable(read_table(path, table, manifest), table)
    week_table = None
    if "week.csv" in manifest["files"]:
        week_table = read_table(directory / "week.csv", "week", manifest)
    return Results(directory=directory, manifest=manifest, week_table=week_table, **tables)


def read_table(
    path: Path,
    table: str,
    manifest: Mapping[str, Any],
    *,
    needed: Collection[str] = (),
    places: Collection[str] = (),
) -> pd.DataFrame:
    """Read one table and check that it is the one that was written.

    Parameters
    ----------
    path, table, manifest
        The file, its table, and the manifest beside it.
    needed
        Columns that are enough, so that tables of other versions are read too; by default all
        that are declared must be there, and no other.
    places
        Districts whose rows of the week are wanted.

    Raises
    ------
    InputFileError
        If it is missing, damaged, changed, or of another version.
    """
    try:
        if places:
            frame = pd.read_parquet(path, filters=[("district_id", "in", list(places))])
        elif path.suffix == ".parquet":
            frame = gpd.read_parquet(path)
        else:
            frame = read_csv(path, table_columns(table))
    except (OSError, ValueError, pa.ArrowException) as error:
        msg = f"{path}: cannot be read ({error})."
        raise InputFileError(msg, hint="Run the analysis again.") from error
    problems = [f"column {name!r} is missing" for name in needed if name not in frame]
    if not needed:
        problems = column_problems(frame, table)
    if problems:
        msg = f"{path}: {'; '.join(problems)}."
        hint = f"Written by version {manifest.get('version')}: run the analysis again."
        raise InputFileError(msg, hint=hint)
    doubt = _doubt_of(frame, table, manifest)
    if doubt:
        msg = f"{path}: {doubt}."
        raise InputFileError(msg, hint="Run the analysis again.")
    # Half a table is a table too: only its hash tells that rows are missing.
    if sha256_of(path) != manifest["files"].get(path.name, {}).get("sha256"):
        msg = f"{path}: is not the file that was written."
        raise InputFileError(msg, hint="Run the analysis again.")
    return frame


_OF_PLACE = ("level", "district_id", "category")
_ROWS = {
    **dict.fromkeys(("indicators", "freshness", "fragility"), _OF_PLACE),
    "composite": ("level", "district_id", "essentials_within"),
    "gaps": ("gap_id",),
}
"""Columns that no two rows of a table share."""


def _doubt_of(frame: pd.DataFrame, table: str, manifest: Mapping[str, Any]) -> str:
    """Say what of a table cannot be, whoever wrote it, ``""`` if all can."""
    keys = [name for name in _ROWS.get(table, ()) if name in frame]
    if keys and frame.duplicated(keys).any():
        return "a row stands twice"
    if table == "indicators":
        if not (frame["level"] == "city").any():
            return "the rows of the whole area are missing"
        known = {one["id"] for one in manifest["categories"]} | {*COMPOSITES}
        foreign = sorted(set(frame["category"].astype(str)) - known)
        if foreign:
            return f"it has a category {foreign[0]!r}, of which the manifest knows nothing"
    return ""


def _restore_unreachable(frame: pd.DataFrame, table: str) -> pd.DataFrame:
    """Give minutes that files leave empty because no service is in reach their infinity back."""
    if table not in {"gaps", "gap_parts", "indicators"}:
        return frame
    names = [name for name in frame.columns if name.startswith("minutes_")]
    if table != "indicators":  # a gap is made of cells on the network
        return frame.assign(**{name: frame[name].fillna(np.inf) for name in names})
    lived_in = frame["residents"] > frame["residents_off_network"]
    # Of a category that is not judged no figure is known, and minutes are not said to be endless.
    endless = lived_in & frame["covered_ha"].notna()
    return frame.assign(
        **{name: frame[name].mask(frame[name].isna() & endless, np.inf) for name in names}
    )
