"""Files of residents as statistical offices give them: squares, polygons, tables, rasters."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from quart_heure.errors import InputFileError
from quart_heure.sources.areas.areas import StudyArea
from quart_heure.sources.given import check_parquet
from quart_heure.sources.layers import check_layer, choose_layer, holds_geometry, read_layer
from quart_heure.sources.problems import CHOSEN
from quart_heure.sources.projecting import mended, projected
from quart_heure.sources.residents.buildings import read_buildings
from quart_heure.sources.residents.grids import named_squares, once_each, read_raster, square_column
from quart_heure.sources.residents.residents import Residents, ResidentZones, read_residents
from quart_heure.sources.residents.tables import (
    MOST_ROWS,
    districts_of,
    people_by_name,
    read_counts,
    resident_problem,
    thousands_told,
    why_no_count,
)
from quart_heure.sources.texts import fold, plain_word
from quart_heure.sources.workbooks import WORKBOOKS

if TYPE_CHECKING:
    import geopandas as gpd


METHODS = ("area", "buildings")
"""How people are shared out inside their zone."""

PEOPLE_COLUMNS = (
    *(r"residents", r"population", r"pmun\d*", r"pop(ulation)?_mun(icipale)?(_\d+)?"),
    *(r"ind", r"p[0-4]\d_pop", r"pop", r"pop_\d+", r"habitants", r"nb_hab(itants)?"),
    *(r"ptot\d*", r"pop(ulation)?_totale?(_\d+)?", r"c\d\d_pop15p"),
)
"""Columns that usual files count people in, as patterns: those of all people, each counted once,
first; of several years, the newest."""

_LESS_FIT: Mapping[str, str] = {
    r"ptot\d*|pop(ulation)?_totale?(_\d+)?": "counts some people in two places",
    r"c\d\d_pop15p": "counts people of 15 years and more",
}
"""Columns that count otherwise than one person once."""

_RASTERS = {".tif", ".tiff"}


def read_people(
    path: Path,
    area: StudyArea,
    *,
    column: str | None = None,
    layer: str = "",
    method: str | None = None,
    buildings: Path | None = None,
    source: str = "",
) -> Residents | ResidentZones:
    """Read residents from whatever file holds them.

    Parameters
    ----------
    path
        Squares of our own (see `read_residents`); a layer of polygons with a count; a table (CSV,
        Parquet, JSON records) with names of squares of the European grid (``idcar_200m``), or with
        the id or the name of a district; a GeoTIFF of counts per pixel.
    area
        The study area: gives the CRS, the districts, and where large layers are read.
    column
        Column with the number of people; the first of `PEOPLE_COLUMNS` by default.
    layer
        The layer of polygons, where the file has several around the area.
    method
        ``area``, or ``buildings`` to share people out by the volume of buildings; the latter by
        default where there are any.
    buildings
        The layer of buildings.
    source
        Where the figures come from; the names of the file and the column by default.

    Raises
    ------
    InputFileError
        If a file is missing or unreadable, has no such column, counts nobody around the area, or
        the method lacks its buildings.
    CrsError
        If a layer has no CRS.
    """
    if method is not None and method != METHODS[buildings is not None]:
        more = ", with buildings." if buildings else ", without buildings."
        msg = f"{path}: residents by {method!r}{more}"
        raise InputFileError(
            msg, hint='Give method = "area", or method = "buildings" and buildings = "file".'
        )
    found = _read(path, area, column=column, layer=layer, source=source)
    if isinstance(found, Residents):
        if found.crs == area.crs and buildings is None:
            if not found.residents[found.meet(area.geometry.bounds)].sum() > 0:
                raise _nobody((), path, area)
            return found
        found = _around(found.zones(area.crs), area)
    if not found.residents.sum() > 0:
        raise _nobody(found.problems, path, area)
    if buildings is None:
        return found
    volumes, problems = read_buildings(buildings, found)
    return dataclasses.replace(found, buildings=volumes, problems=(*found.problems, *problems))


def _nobody(problems: Sequence[Mapping[str, Any]], path: Path, area: StudyArea) -> InputFileError:
    """Return the error of a file without people, which names the first row that has no number."""
    lost = [row for row in problems if row["action"] == "left out"]
    if lost:
        first = lost[0]
        row = "" if first["row"] is None else f", row {first['row']}"
        told = f"{first['field']} is {first['value']!r} ({first['reason']})"
        msg = f"{path}{row}: {told}, and no other row has people in {area.name!r}."
        return InputFileError(msg, hint="Give zero or more people, in a column that counts them.")
    msg = f"{path}: nobody lives in or around {area.name!r}."
    return InputFileError(msg, hint="Check the place, the CRS and the column of the file.")


def _read(
    path: Path, area: StudyArea, *, column: str | None, layer: str, source: str
) -> Residents | ResidentZones:
    suffix = path.suffix.lower()
    if suffix in _RASTERS:
        return read_raster(path, area, source=source)
    if suffix == ".parquet" and not holds_geometry(path):
        table = _plain_parquet(path)
        if table is not None:
            return _of_table(table, path, area, column=column, source=source)
        if column not in {None, "residents"}:
            msg = f"{path}: squares have their people in the column 'residents', not {column!r}."
            raise InputFileError(msg, hint="Leave column out of [residents].")
        squares = read_residents(path)
        return dataclasses.replace(squares, source=source or squares.source)
    if suffix in {".csv", ".txt", ".tsv"}:
        return _of_table(_read_csv(path), path, area, column=column, source=source)
    records = _records(path) if suffix == ".json" else None
    if records is not None:
        return _of_table(pd.DataFrame(records), path, area, column=column, source=source)
    if suffix in WORKBOOKS:
        msg = f"{path}: residents are not read from a workbook."
        raise InputFileError(msg, hint="Save its sheet as CSV in UTF-8.")
    import geopandas as gpd  # noqa: PLC0415 - as in sources.layers

    ground = gpd.GeoSeries([shapely.box(*area.geometry.bounds)], crs=area.crs)
    name, told = choose_layer(path, layer, polygons=True, around=ground)
    found = read_layer(path, layer=name, around=ground)
    return _of_layer(found, path, area, column=column, source=source, told=told)


def _plain_parquet(path: Path) -> pd.DataFrame | None:
    """Return a Parquet file that is a plain table, None if it holds squares of our own."""
    import pyarrow as pa  # noqa: PLC0415 - as in sources.residents
    import pyarrow.parquet as pq  # noqa: PLC0415

    check_parquet(path)
    try:
        names = pq.read_schema(path)
        if b"quart_heure" in (names.metadata or {}) or {"col", "row"} <= set(names.names):
            return None
        table: pd.DataFrame = pq.read_table(path).to_pandas()
        return table
    except (pa.ArrowException, OSError, ValueError):
        return None  # what is wrong with it is told by the reader of squares


def _read_csv(path: Path) -> pd.DataFrame:
    if not path.is_file():
        msg = f"{path}: there is no such file."
        raise InputFileError(msg, hint="Check the name and the folder it is relative to.")
    try:
        with path.open(encoding="utf-8-sig") as file:
            heading = file.readline()
        delimiter = max(",;\t|", key=heading.count)
        return pd.read_csv(path, sep=delimiter, dtype=str, encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        msg = f"{path}: cannot be read as a table ({' '.join(str(error).split())})."
        raise InputFileError(msg, hint="Save the file as CSV in UTF-8.") from error


def _records(path: Path) -> list[Mapping[str, Any]] | None:
    """Return the records of a JSON file, None if it holds something else, such as a layer."""
    if not path.is_file():
        return None
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError):
        return None
    if isinstance(content, list) and content and all(isinstance(one, dict) for one in content):
        return content
    return None


def _of_layer(
    layer: gpd.GeoDataFrame,
    path: Path,
    area: StudyArea,
    *,
    column: str | None,
    source: str,
    told: Sequence[Mapping[str, Any]],
) -> ResidentZones:
    check_layer(layer, path)
    shapes = projected(layer, area.crs, path).geometry.to_numpy()
    name, chosen = _people_column(layer, column, path)
    # Rows have no number here: what is read is a part of the layer.
    people, problems = _numbers(layer[name], path, name, numbered=False)
    problems = [*told, *chosen, *problems]
    flat = (shapely.get_dimensions(shapes) < 2) | shapely.is_missing(shapes)
    for row in np.flatnonzero((flat | shapely.is_empty(shapes)) & (people > 0)).tolist():
        value = f"{people[row]:g}"
        problems.append(
            resident_problem(path, None, "geometry", value, "not a polygon", "left out")
        )
    invalid = ~flat & ~shapely.is_valid(shapes)
    for row in np.flatnonzero(invalid).tolist():
        why = shapely.is_valid_reason(shapes[row])
        problems.append(resident_problem(path, None, "geometry", why, "invalid polygon", "mended"))
    shapes, _ = mended(shapes)
    kept = ~flat & (people > 0) & (shapely.area(shapes) > 0)
    zones = ResidentZones(
        shapes=shapes[kept],
        residents=people[kept],
        crs=area.crs,
        source=source or f"{path.name}, {name}",
        problems=tuple(problems),
    )
    return _around(zones, area)


def _of_table(
    table: pd.DataFrame, path: Path, area: StudyArea, *, column: str | None, source: str
) -> ResidentZones:
    name, chosen = _people_column(table, column, path)
    people, problems = _numbers(table[name], path, name)
    problems = [*chosen, *problems]
    said = source or f"{path.name}, {name}"
    squares, told = square_column(table, path)
    problems += told
    if squares is not None:
        people, twice = once_each(table[squares], people, path)
        problems += twice
        found = named_squares(table[squares], people, path, said)
        zones = [_around(one.zones(area.crs), area) for one in found]
        return ResidentZones(
            shapes=np.concatenate([zone.shapes for zone in zones]),
            residents=np.concatenate([zone.residents for zone in zones]),
            crs=area.crs,
            source=said,
            problems=tuple(problems),
        )
    division, number, more = people_by_name(table, people, path, area)
    some = number > 0
    return ResidentZones(
        shapes=division.geometry.to_numpy()[some],
        residents=number[some],
        crs=area.crs,
        source=said,
        problems=(*problems, *more),
        district=districts_of(division, some, area),
    )


def _around(zones: ResidentZones, area: StudyArea) -> ResidentZones:
    """Keep the zones that meet the rectangle around an area: the rest of the country is no news."""
    near = shapely.intersects(shapely.box(*area.geometry.bounds), zones.shapes)
    return zones[near]


def _people_column(
    table: pd.DataFrame, column: str | None, path: Path
) -> tuple[str, list[Mapping[str, Any]]]:
    """Return the column that counts people, and tell where another one could have been meant."""
    if column is not None and column not in table.columns:
        msg = f"{path}: there is no column {column!r}."
        raise InputFileError(msg, hint=f"Columns are {', '.join(map(str, table.columns))}.")
    fit = [column] if column else counting_columns(map(str, table.columns))
    if not fit or len(table) == 0:
        rows = "there is no row for the place."
        msg = f"{path}: " + (rows if fit else "there is no column of residents.")
        columns = ", ".join(map(str, table.columns))
        raise InputFileError(
            msg, hint=f"Name it: column = … in [residents]. Columns are {columns}."
        )
    told = []
    action = f"{CHOSEN}{fit[0]!r}, column in [residents] names another"
    others = [c for c in fit[1:] if not _plain(c).endswith("15p")]
    if others:
        reason = "several columns of people"
        told.append(resident_problem(path, None, fit[0], ", ".join(others), reason, action))
    why = next((w for p, w in _LESS_FIT.items() if re.fullmatch(p, _plain(fit[0]))), "")
    if why and not column:
        told.append(resident_problem(path, None, fit[0], "", why, action))
    return fit[0], told


def counting_columns(headings: Iterable[str]) -> list[str]:
    """Return the headings of columns that may count people, the best first."""
    every = list(headings)
    found: list[str] = []
    for pattern in PEOPLE_COLUMNS:
        here = [c for c in every if re.fullmatch(pattern, _plain(c))]
        # A shapefile cuts headings at ten signs: population_municipale is population there.
        found += [c for c in sorted(here, key=_plain, reverse=True) if c not in found]
    return found


def _plain(heading: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", fold(heading)).strip("_")


def _numbers(
    values: pd.Series[Any], path: Path, name: str, *, numbered: bool = True
) -> tuple[NDArray[np.float64], list[Mapping[str, Any]]]:
    """Return numbers of people, zero where there is none, and the rows where there is none."""
    written = any(isinstance(value, str) for value in values)
    counts = read_counts(values.map(plain_word), written=written)
    numbers, thousands = counts.numbers, counts.thousands
    problems = []
    if thousands:
        value = f"{plain_word(values.iloc[thousands[0]])} ({len(thousands)} / {len(values)})"
        row = thousands[0] + 1 if numbered else None
        reason, action = thousands_told(counts)
        problems.append(resident_problem(path, row, name, value, reason, action))
    bad = ~(numbers >= 0)
    at = np.flatnonzero(bad).tolist()
    if len(at) > MOST_ROWS:
        value, reason = f"{len(at)} / {len(bad)}", why_no_count(float(numbers[bad].max()))
        problems.append(resident_problem(path, None, name, value, reason, "left out"))
        return np.where(bad, 0.0, numbers), problems
    for row in at:
        place, value = row + 1 if numbered else None, plain_word(values.iloc[row])
        reason = why_no_count(numbers[row])
        problems.append(resident_problem(path, place, name, value, reason, "left out"))
    return np.where(bad, 0.0, numbers), problems
