"""Services: points with a category, read from files, with every doubtful row listed."""

from __future__ import annotations

import csv
import dataclasses
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from quart_heure.categories import Category
from quart_heure.errors import CategoryError, CrsError, InputFileError
from quart_heure.sources.areas import StudyArea, plain_word, read_layer

if TYPE_CHECKING:
    import geopandas as gpd

__all__ = [
    "ACCESS",
    "ADMITS",
    "PROBLEM_COLUMNS",
    "SERVICE_COLUMNS",
    "STATUSES",
    "Services",
    "problem_table",
    "read_services",
    "services_from_rows",
]

SERVICE_COLUMNS = (
    "service_id",
    "category",
    "name",
    "address",
    "postcode",
    "status",
    "valid_from",
    "valid_to",
    "access",
    "discreet",
    "audience",
    "admits",
    "animals",
    "wheelchair",
    "opening_hours",
    "opening_hours_text",
    "capacity",
    "capacity_value",
    "capacity_unit",
    "operator",
    "source",
    "source_date",
    "other_sources",
    "notes",
)
"""Columns of a table of services, besides its geometry."""

PROBLEM_COLUMNS = ("file", "row", "field", "value", "reason", "action")
"""Columns of a table of problems; rows are counted from 1 below the heading."""

STATUSES = (
    "open",
    "unknown",
    "temporarily_closed",
    "seasonal",
    "project",
    "moved",
    "closed",
)
ACCESS = ("walk_in", "referral", "unknown")
ADMITS = ("everyone", "women", "men", "families", "young_people")
"""Whom a service admits: one or several of these by ``;``, or ``unknown``."""
ANSWERS = ("yes", "no", "unknown")
WHEELCHAIR = ("yes", "limited", "no", "unknown")
CAPACITY_UNITS = ("lockers", "meals", "places", "cabins")

_LONGITUDE = ("longitude", "lon", "lng", "x", "xlong")
_LATITUDE = ("latitude", "lat", "y", "ylat")
_NOT_DISCREET = frozenset({"", "0", "0.0", "false", "f", "no", "n", "non", "faux", "nan", "none"})
"""Words for *not discreet*: any other hides the place, for what is shown cannot be hidden again."""
_LONGEST_TEXT = 2000


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Services:
    """Services and what was wrong with their sources.

    Parameters
    ----------
    table
        Columns `SERVICE_COLUMNS` and geometry: points in the CRS of the study, ordered by
        service_id.
    problems
        Columns `PROBLEM_COLUMNS`: every row that was refused or doubted.
    """

    table: gpd.GeoDataFrame
    problems: pd.DataFrame


def problem_table(rows: Iterable[Mapping[str, Any]] = ()) -> pd.DataFrame:
    """Return a table of problems from its rows."""
    table = pd.DataFrame(list(rows), columns=list(PROBLEM_COLUMNS))
    table["row"] = table["row"].astype("Int64")
    for column in PROBLEM_COLUMNS:
        if column != "row":
            table[column] = table[column].astype(str)
    return table


def read_services(
    paths: Sequence[Path],
    area: StudyArea,
    *,
    catalogue: Mapping[str, Category],
    category: str | None = None,
) -> Services:
    """Read services from files.

    Parameters
    ----------
    paths
        CSV files with longitude and latitude in degrees, or GeoJSON, GeoPackage, GeoParquet or
        shapefiles of points with a CRS.
    area
        The study area: gives the CRS, and tells swapped coordinates from foreign ones.
    catalogue
        Known categories.
    category
        Category of all rows, where the files have no such column.

    Raises
    ------
    InputFileError
        If a file is missing, unreadable, or lacks coordinates or a category.
    CrsError
        If a layer of points has no CRS.
    CategoryError
        If no row at all has a category of the catalogue.
    """
    rows: list[dict[str, Any]] = []
    for path in paths:
        found = _read_csv(path) if path.suffix.lower() == ".csv" else _read_points(path)
        if found and "category" not in found[0] and category is None:
            msg = f"{path}: there is no column 'category'."
            raise InputFileError(msg, hint="Add one, or name the category of the whole file.")
        for number, row in enumerate(found, start=1):
            row.setdefault("category", category or "")
            rows.append({**row, "_file": path.name, "_row": number})
    return services_from_rows(rows, area, catalogue=catalogue)


def services_from_rows(
    rows: Sequence[Mapping[str, Any]], area: StudyArea, *, catalogue: Mapping[str, Category]
) -> Services:
    """Make a table of services from rows of text, with degrees as numbers under ``_lon``, ``_lat``.

    See `read_services` for the rest; ``_file`` and ``_row`` say where a row comes from.
    """
    import geopandas as gpd  # noqa: PLC0415 - see the note on imports in the package

    problems: list[dict[str, Any]] = []
    kept = [row for row in rows if _has_category(row, catalogue, problems)]
    if rows and not kept:
        unknown = sorted({str(row.get("category", "")) for row in rows})
        msg = f"None of {len(rows)} services has a known category ({', '.join(unknown[:5])})."
        raise CategoryError(msg, hint=f"Categories are {', '.join(catalogue)}.")
    kept = _within_reach(kept, area, problems)
    table = pd.DataFrame([_tidy(row, problems) for row in kept], columns=list(SERVICE_COLUMNS))
    degrees = shapely.points(
        np.array([[row["_lon"], row["_lat"]] for row in kept], dtype=float).reshape(-1, 2)
    )
    frame = gpd.GeoDataFrame(table, geometry=degrees, crs=4326).to_crs(area.crs)
    frame["discreet"] = frame["discreet"].astype(bool)
    frame["capacity_value"] = frame["capacity_value"].astype(float)
    frame = _name_uniquely(frame, kept, problems)
    frame = frame.sort_values("service_id", ignore_index=True)
    return Services(table=frame, problems=problem_table(problems))


def _read_csv(path: Path) -> list[dict[str, Any]]:
    """Read a CSV file as rows of text with numbers under ``_lon`` and ``_lat``."""
    if not path.exists():
        msg = f"{path}: there is no such file."
        raise InputFileError(msg, hint="Check the name and the folder it is relative to.")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{path}: cannot be read as UTF-8 text ({error})."
        raise InputFileError(msg, hint="Save the file as CSV in UTF-8.") from error
    heading = text.partition("\n")[0]
    delimiter = max(",;\t|", key=heading.count)
    # Strict: a quote left open would swallow all rows below it without a word.
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        rows = list(reader)
    except csv.Error as error:
        msg = f"{path}, line {reader.line_num + 1}: {error}."
        raise InputFileError(msg, hint="Check the quotes around that line.") from error
    names = {str(name).strip().lower(): name for name in reader.fieldnames or ()}
    longitude = next((names[alias] for alias in _LONGITUDE if alias in names), None)
    latitude = next((names[alias] for alias in _LATITUDE if alias in names), None)
    if longitude is None or latitude is None:
        msg = f"{path}: there are no columns 'longitude' and 'latitude'."
        raise InputFileError(msg, hint=f"Columns are {', '.join(names) or 'none'}.")
    return [
        {
            **{str(key).strip(): value or "" for key, value in row.items() if key is not None},
            "_lon": _number(row[longitude]),
            "_lat": _number(row[latitude]),
        }
        for row in rows
    ]


def _read_points(path: Path) -> list[dict[str, Any]]:
    """Read a layer of points as rows with degrees under ``_lon`` and ``_lat``."""
    layer = read_layer(path)
    if layer.crs is None:
        msg = f"{path}: the layer has no coordinate reference system."
        raise CrsError(msg, hint="Save it with one (EPSG:4326 for degrees, EPSG:2154 for metres).")
    points = layer.to_crs(4326).geometry
    rows = []
    for values, point in zip(
        layer.drop(columns=layer.geometry.name).to_dict("records"), points, strict=True
    ):
        located = point is not None and point.geom_type == "Point" and not point.is_empty
        rows.append(
            {
                **{str(key): plain_word(value) for key, value in values.items()},
                "_lon": point.x if located else np.nan,
                "_lat": point.y if located else np.nan,
            }
        )
    return rows


def _has_category(
    row: Mapping[str, Any], catalogue: Mapping[str, Category], problems: list[dict[str, Any]]
) -> bool:
    category = str(row.get("category", "")).strip()
    if category in catalogue:
        return True
    reason = "unknown category" if category else "no category"
    problems.append(_problem(row, "category", category, reason, "left out"))
    return False


def _within_reach(
    rows: Sequence[Mapping[str, Any]], area: StudyArea, problems: list[dict[str, Any]]
) -> list[Mapping[str, Any]]:
    """Keep rows that have coordinates on the globe; list those that seem swapped."""
    import geopandas as gpd  # noqa: PLC0415

    area_degrees = gpd.GeoSeries([area.geometry], crs=area.crs).to_crs(4326).iloc[0]
    near = shapely.box(*shapely.bounds(shapely.buffer(shapely.box(*area_degrees.bounds), 0.1)))
    kept = []
    for row in rows:
        lon, lat = row["_lon"], row["_lat"]
        if not (np.isfinite(lon) and np.isfinite(lat)):
            problems.append(_problem(row, "coordinates", "", "no coordinates", "left out"))
        elif not shapely.contains_xy(near, lon, lat) and shapely.contains_xy(near, lat, lon):
            value = f"{lon}, {lat}"
            reason = "longitude and latitude seem swapped"
            problems.append(_problem(row, "coordinates", value, reason, "left out"))
        elif not (-180 <= lon <= 180 and -90 <= lat <= 90):
            value = f"{lon}, {lat}"
            problems.append(_problem(row, "coordinates", value, "not on the globe", "left out"))
        else:
            kept.append(row)
    return kept


def _tidy(row: Mapping[str, Any], problems: list[dict[str, Any]]) -> dict[str, Any]:
    """Return one row in the schema, with words out of a list replaced by *unknown* and listed."""
    tidy: dict[str, Any] = {
        column: str(row.get(column, "")).strip()[:_LONGEST_TEXT] for column in SERVICE_COLUMNS
    }
    for field, words, default in (
        ("status", STATUSES, "open"),
        ("access", ACCESS, "unknown"),
        ("animals", ANSWERS, "unknown"),
        ("wheelchair", WHEELCHAIR, "unknown"),
    ):
        # A list without a status column is a list of what is open; an odd word is not known.
        if tidy[field] == "":
            tidy[field] = default
        elif tidy[field] not in words:
            reason = f"not one of {', '.join(words)}"
            problems.append(_problem(row, field, tidy[field], reason, "taken as unknown"))
            tidy[field] = "unknown"
    tidy["discreet"] = _is_discreet(row)
    tidy["admits"] = tidy["admits"] or "unknown"
    tidy["capacity_value"] = _number(tidy["capacity_value"])
    return tidy


def _name_uniquely(
    frame: gpd.GeoDataFrame, rows: Sequence[Mapping[str, Any]], problems: list[dict[str, Any]]
) -> gpd.GeoDataFrame:
    """Give an id to services that have none, and a number to those whose id was taken."""
    seen: set[str] = set()
    ids = []
    for row, values in zip(rows, frame.itertuples(index=False), strict=True):
        base = values.service_id or f"{values.category}-{row.get('_file', '')}-{row['_row']}"
        name, copy = base, 2
        while name in seen:
            name, copy = f"{base}-{copy}", copy + 1
        if name != base:
            problems.append(_problem(row, "service_id", base, "id taken", f"renamed {name}"))
        seen.add(name)
        ids.append(name)
    return frame.assign(service_id=pd.array(ids, dtype="str"))


def _problem(
    row: Mapping[str, Any], field: str, value: str, reason: str, action: str
) -> dict[str, Any]:
    # A discreet place is told by its row alone: problems are shown with the results.
    discreet = _is_discreet(row)
    name = str(row.get("name") or row.get("service_id") or "")
    return {
        "file": row.get("_file", ""),
        "row": row.get("_row", pd.NA),
        "field": field,
        "value": "" if discreet else " – ".join(part for part in (name, value) if part)[:200],
        "reason": reason,
        "action": action,
    }


def _is_discreet(row: Mapping[str, Any]) -> bool:
    return str(row.get("discreet", "")).strip().lower() not in _NOT_DISCREET


def _number(text: str | None) -> float:
    try:
        return float((text or "").strip().replace(",", "."))
    except ValueError:
        return float("nan")
