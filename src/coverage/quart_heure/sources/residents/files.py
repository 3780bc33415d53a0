"""Files of residents as statistical offices give them: squares, polygons, tables, rasters."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyproj
import shapely
from numpy.typing import NDArray

from quart_heure.errors import CrsError, InputFileError
from quart_heure.sources.areas.areas import StudyArea, check_layer, read_layer
from quart_heure.sources.areas.names import find_column, plain_word
from quart_heure.sources.raw_tables import WORKBOOKS
from quart_heure.sources.residents.buildings import read_buildings
from quart_heure.sources.residents.counts import read_counts, why_no_count
from quart_heure.sources.residents.rasters import read_raster
from quart_heure.sources.residents.residents import Residents, ResidentZones, read_residents
from quart_heure.sources.residents.tables import (
    MOST_ROWS,
    districts_of,
    people_by_name,
    resident_problem,
)

if TYPE_CHECKING:
    import geopandas as gpd


METHODS = ("area", "buildings")
"""How people are shared out inside their zone."""

PEOPLE_COLUMNS = (
    *("residents", "population", "pop_totale", "ptot", "ind"),
    *(f"p{year}_pop" for year in range(30, 5, -1)),
    *("pop", *(f"c{year}_pop15p" for year in range(30, 5, -1))),
)
"""Columns that usual files count people in, all people first."""

_SQUARE = re.compile(r"CRS(\d+)RES(\d+)m?N(\d+)E(\d+)", re.IGNORECASE)
"""The name of a square of the European grid: CRS, side, and lower left corner in metres."""

_PLACED_SQUARE = re.compile(
    r"CRS(\d{1,6})RES0*([1-9]\d{0,5})m?N(\d{1,9})E(\d{1,9})(?!\d)", re.IGNORECASE
)
"""The same with a side, and with no more digits than the metres of this Earth have."""

_RASTERS = {".tif", ".tiff"}


def read_people(
    path: Path,
    area: StudyArea,
    *,
    column: str | None = None,
    method: str | None = None,
    buildings: Path | None = None,
    source: str = "",
) -> Residents | ResidentZones:
    """Read residents from whatever file holds them.

    Parameters
    ----------
    path
        Squares of our own (see `read_residents`); a layer of
        polygons with a count; CSV with names of squares of the European grid (``idcar_200m``);
        CSV or JSON records with the id or the name of a district; a GeoTIFF of counts per pixel.
    area
        The study area: gives the CRS, the districts, and where large layers are read.
    column
        Column with the number of people; the first of `PEOPLE_COLUMNS` by default.
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
    found = _read(path, area, column=column, source=source)
    if isinstance(found, Residents):
        if found.crs == area.crs and buildings is None:
            return found
        found = _around(found.zones(area.crs), area)
    if not found.residents.sum() > 0:
        raise _nobody(found, path, area)
    if buildings is None:
        return found
    volumes, problems = read_buildings(buildings, found)
    return dataclasses.replace(found, buildings=volumes, problems=(*found.problems, *problems))


def _nobody(found: ResidentZones, path: Path, area: StudyArea) -> InputFileError:
    """Return the error of a file without people, which names the first row that has no number."""
    lost = [row for row in found.problems if row["action"] == "left out"]
    if lost:
        first = lost[0]
        row = "" if first["row"] is None else f", row {first['row']}"
        told = f"{first['field']} is {first['value']!r} ({first['reason']})"
        msg = f"{path}{row}: {told}, and no other row has people in {area.name!r}."
        return InputFileError(msg, hint="Give zero or more people, in a column that counts them.")
    msg = f"{path}: nobody lives in or around {area.name!r}."
    return InputFileError(msg, hint="Check the place, the CRS and the column of the file.")


def _read(
    path: Path, area: StudyArea, *, column: str | None, source: str
) -> Residents | ResidentZones:
    suffix = path.suffix.lower()
    if suffix in _RASTERS:
        return read_raster(path, area, source=source)
    if suffix == ".parquet" and not _is_layer(path):
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
    import geopandas as gpd  # noqa: PLC0415 - as in sources.areas

    ground = gpd.GeoSeries([shapely.box(*area.geometry.bounds)], crs=area.crs)
    return _of_layer(read_layer(path, around=ground), path, area, column=column, source=source)


def _is_layer(path: Path) -> bool:
    """Tell whether a Parquet file holds geometry."""
    import pyarrow as pa  # noqa: PLC0415 - as in sources.residents
    import pyarrow.parquet as pq  # noqa: PLC0415

    try:
        return b"geo" in (pq.read_schema(path).metadata or {})
    except (pa.ArrowException, OSError, ValueError):
        return False  # what is wrong with it is told by its reader


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
    layer: gpd.GeoDataFrame, path: Path, area: StudyArea, *, column: str | None, source: str
) -> ResidentZones:
    check_layer(layer, path)
    if layer.crs is None:
        msg = f"{path}: the layer has no coordinate reference system."
        raise CrsError(msg, hint="Save it with one (EPSG:4326 for degrees, EPSG:2154 for metres).")
    name = _people_column(layer, column, path)
    # Rows have no number here: what is read is a part of the layer.
    people, problems = _numbers(layer[name], path, name, numbered=False)
    shapes = layer.geometry.to_crs(area.crs).to_numpy()
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
    shapes = np.where(invalid, shapely.make_valid(shapes), shapes)
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
    name = _people_column(table, column, path)
    people, problems = _numbers(table[name], path, name)
    said = source or f"{path.name}, {name}"
    squares = next((c for c in table if _SQUARE.fullmatch(plain_word(table[c].iloc[0]))), None)
    if squares is not None:
        found = _squares(table[squares], people, path, said)
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


def _squares(
    names: pd.Series[Any], people: NDArray[np.float64], path: Path, source: str
) -> list[Residents]:
    """Return the squares of the European grid that their names place, one table for each size."""
    parts = names.astype(str).str.extract(_PLACED_SQUARE)
    if parts.isna().any(axis=None):
        row = int(np.flatnonzero(parts.isna().any(axis=1))[0])
        msg = f"{path}, row {row + 1}: {names.iloc[row]!r} is no name of a square."
        raise InputFileError(msg, hint="Names are like CRS3035RES200mN2889000E3761200.")
    numbers = parts.astype(np.int64).to_numpy()
    found = []
    for code, side in sorted({(int(code), int(side)) for code, side in numbers[:, :2]}):
        here = (numbers[:, 0] == code) & (numbers[:, 1] == side) & (people > 0)
        found.append(
            Residents(
                col=(numbers[here, 3] // side).astype(np.int32),
                row=(numbers[here, 2] // side).astype(np.int32),
                residents=people[here],
                square_m=float(side),
                crs=_crs_of_squares(code, path),
                source=source,
            )
        )
    return found


def _crs_of_squares(code: int, path: Path) -> pyproj.CRS:
    try:
        return pyproj.CRS.from_epsg(code)
    except pyproj.exceptions.CRSError as error:
        msg = f"{path}: the names of its squares tell of a CRS {code}, which there is not."
        raise CrsError(msg, hint="Names are like CRS3035RES200mN2889000E3761200.") from error


def _around(zones: ResidentZones, area: StudyArea) -> ResidentZones:
    """Keep the zones that meet the rectangle around an area: the rest of the country is no news."""
    near = shapely.intersects(shapely.box(*area.geometry.bounds), zones.shapes)
    return zones[near]


def _people_column(table: pd.DataFrame, column: str | None, path: Path) -> str:
    if column is not None and column not in table.columns:
        msg = f"{path}: there is no column {column!r}."
        raise InputFileError(msg, hint=f"Columns are {', '.join(map(str, table.columns))}.")
    found = column or find_column(table, PEOPLE_COLUMNS)
    if found is None or len(table) == 0:
        rows = "there is no row for the place."
        msg = f"{path}: " + (rows if found else "there is no column of residents.")
        columns = ", ".join(map(str, table.columns))
        raise InputFileError(
            msg, hint=f"Name it: column = … in [residents]. Columns are {columns}."
        )
    return found


def _numbers(
    values: pd.Series[Any], path: Path, name: str, *, numbered: bool = True
) -> tuple[NDArray[np.float64], list[Mapping[str, Any]]]:
    """Return numbers of people, zero where there is none, and the rows where there is none."""
    numbers, thousands = read_counts(values.astype(str).fillna(""))
    problems = []
    if thousands:
        value = f"{plain_word(values.iloc[thousands[0]])} ({len(thousands)} / {len(values)})"
        row = thousands[0] + 1 if numbered else None
        reason, action = "comma between thousands, or decimals", "taken as thousands"
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
