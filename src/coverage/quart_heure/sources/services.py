"""Services: points with a category, read from files, with every doubtful row listed."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping, Sequence
from itertools import compress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from quart_heure.categories import Category, check_categories
from quart_heure.errors import CategoryError, CrsError, InputFileError
from quart_heure.sources.areas import StudyArea
from quart_heure.sources.category_rules import compile_rules, first_rule, read_categories
from quart_heure.sources.columns import (
    FoundColumns,
    find_columns,
    list_headings,
    plain_heading,
)
from quart_heure.sources.coordinates import Located, locate_pairs, locate_texts, near_box
from quart_heure.sources.duplicates import DUPLICATE_M, find_duplicates
from quart_heure.sources.problems import (
    LEFT_OUT,
    PROBLEM_COLUMNS,
    ProblemList,
    problem_table,
)
from quart_heure.sources.raw_tables import RawTable, read_raw_table
from quart_heure.sources.service_rows import ACCESS, STATUSES, is_discreet, tidy_rows
from quart_heure.sources.service_sources import ServiceSource

if TYPE_CHECKING:
    import geopandas as gpd

__all__ = [
    "ACCESS",
    "PROBLEM_COLUMNS",
    "SERVICE_COLUMNS",
    "STATUSES",
    "ServiceSource",
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

_LONGEST_TEXT = 2000
_FILE, _ROW = "_file", "_row"
_DOUBT = ("field", "value", "reason", "action")


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


def read_services(
    files: Sequence[Path | ServiceSource],
    area: StudyArea,
    *,
    catalogue: Mapping[str, Category],
    category: str | None = None,
) -> Services:
    """Read services from files.

    Parameters
    ----------
    files
        CSV, Excel, JSON of a portal, GeoJSON, GeoPackage, GeoParquet or shapefiles: paths, or
        sources that say how a file is to be read.
    area
        The study area: gives the CRS, tells swapped coordinates from foreign ones, and which number
        of a text is the latitude.
    catalogue
        Known categories.
    category
        Category of all rows of the files given as paths, where they have no such column.

    Raises
    ------
    InputFileError
        If a file is missing, unreadable, too large, or lacks coordinates or a category.
    CrsError
        If a layer of points has no CRS, or a table holds metres of which no CRS is given.
    CategoryError
        If no row at all has a category of the catalogue, or a setting names one that it has not.
    StudyFileError
        If a rule cannot be read.

    Notes
    -----
    Every row is in the table, or in the problems with the action ``left out``, once. Empty rows are
    no rows.
    """
    near = near_box(area)
    parts = []
    for file in files:
        source = (
            file
            if isinstance(file, ServiceSource)
            else ServiceSource(file=file, category=category or "")
        )
        parts.append(_read_source(source, near, catalogue))
    return _put_together(parts, area, catalogue)


def services_from_rows(
    rows: Sequence[Mapping[str, Any]], area: StudyArea, *, catalogue: Mapping[str, Category]
) -> Services:
    """Make a table of services from rows of text, with degrees as numbers under ``_lon``, ``_lat``.

    See `read_services` for the rest; ``_file`` and ``_row`` say where a row comes from.
    """
    headings = list(dict.fromkeys(str(key) for row in rows for key in row if key[:1] != "_"))
    degrees = np.array([[row["_lon"], row["_lat"]] for row in rows], dtype=float)
    given = _Given(
        texts={
            name: [str(row.get(name, "")).strip()[:_LONGEST_TEXT] for row in rows]
            for name in headings
        },
        headings={name: name for name in headings},
        files=[str(row.get("_file", "")) for row in rows],
        numbers=[int(row.get("_row", i)) for i, row in enumerate(rows, start=1)],
        degrees=degrees.reshape(-1, 2),
        shifted=np.zeros(len(rows), dtype=bool),
    )
    categories = read_categories(given.column("category"), catalogue)
    part = _tidy(given, categories, near_box(area), catalogue)
    return _put_together([part], area, catalogue)


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class _Given:
    """The rows of one source: texts by our names for their columns."""

    texts: Mapping[str, Sequence[str]]
    headings: Mapping[str, str]
    files: Sequence[str]
    numbers: Sequence[int]
    degrees: NDArray[np.float64]
    shifted: NDArray[np.bool_]

    def column(self, field: str) -> Sequence[str]:
        return self.texts.get(field) or [""] * len(self.numbers)


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class _Part:
    """What one source gives: rows in the schema, their degrees, and what was wrong."""

    table: pd.DataFrame
    degrees: NDArray[np.float64]
    problems: pd.DataFrame
    categories: Sequence[str]
    """As the source calls them, of all its rows."""
    known: int
    """How many rows have a category of the catalogue."""


def _read_source(
    source: ServiceSource, near: shapely.Geometry, catalogue: Mapping[str, Category]
) -> _Part:
    file = source.file
    if source.category:
        check_categories([source.category], catalogue)
    rules = compile_rules(source.rules, catalogue, where=str(file))
    raw = read_raw_table(file)
    values = functools.cache(raw.column)
    found = find_columns(raw.headings, source.columns, values=values, file=file)
    located = _locate(raw, found, values, source, near)
    texts = {field: _stripped(values(at)) for field, at in found.position.items()}
    shifted = raw.shifted if raw.shifted is not None else np.zeros(len(raw), dtype=bool)
    given = _Given(
        texts=texts,
        headings={field: raw.headings[at] for field, at in found.position.items()},
        files=[file.name] * len(raw),
        numbers=raw.numbers,
        degrees=located.degrees,
        shifted=shifted,
    )
    said = _column_of_categories(given, found, source)
    if said is None and not source.category and not rules and len(raw):
        msg = f"{file}: there is no column 'category'."
        raise InputFileError(msg, hint="Add one, or name the category of the whole file.")
    said = said or [""] * len(raw)
    categories = read_categories(said, catalogue)
    if source.category:
        categories = [
            source.category if text == "" else category
            for text, category in zip(said, categories, strict=True)
        ]
    if rules:
        named = first_rule(given.column("name"), rules)
        categories = [rule or other for rule, other in zip(named, categories, strict=True)]
    doubts = [
        *raw.doubts,
        *located.doubts,
        *(
            (field, f"{one} – {other}", "two columns with one heading", "the first is read")
            for field, one, other in found.twice
        ),
    ]
    about_file = [
        {"file": file.name, "row": pd.NA, **dict(zip(_DOUBT, doubt, strict=True))}
        for doubt in doubts
    ]
    unfit = "no rule fits" if rules else "no category"
    part = _tidy(given, categories, near, catalogue, said=said, unfit=unfit)
    problems = pd.concat([problem_table(about_file), part.problems], ignore_index=True)
    return dataclasses.replace(part, problems=problems)


def _stripped(texts: Sequence[str]) -> Sequence[str]:
    stripped = list(map(str.strip, texts))
    if max(map(len, stripped), default=0) > _LONGEST_TEXT:
        return [text[:_LONGEST_TEXT] for text in stripped]
    return stripped


def _column_of_categories(
    given: _Given, found: FoundColumns, source: ServiceSource
) -> Sequence[str] | None:
    """Return the texts of the column of categories, None if there is none to be read.

    Where the study names the category of a file, columns such as ``type`` are about something else:
    only one called ``category``, or named by the study, prevails.
    """
    if "category" not in found.position:
        return None
    own = plain_heading(given.headings["category"]) == "category" or "category" in found.chosen
    return given.column("category") if own or not source.category else None


def _locate(
    raw: RawTable,
    found: FoundColumns,
    values: Callable[[int], Sequence[str]],
    source: ServiceSource,
    near: shapely.Geometry,
) -> Located:
    """Find out where the rows are: by their shapes, two columns or one."""
    at, where = found.position, source.file
    paired = "longitude" in at and "latitude" in at
    chosen = found.chosen & {"longitude", "latitude", "point"}
    if raw.degrees is not None and not chosen:
        return Located(degrees=raw.degrees)
    if paired and "point" not in chosen:
        x, y = values(at["longitude"]), values(at["latitude"])
        try:
            return locate_pairs(x, y, crs=source.crs, where=where)
        except CrsError:
            # Portals keep metres under x and y, beside degrees under geo_point_2d.
            if source.crs or chosen or "point" not in at:
                raise
    if "point" in at:
        return locate_texts(values(at["point"]), near, crs=source.crs, where=where)
    if len(raw) == 0 and where.suffix.lower() == ".json":
        return Located(degrees=np.empty((0, 2)))
    msg = f"{where}: there are no columns 'longitude' and 'latitude'."
    hint = f"Columns are {list_headings(raw.headings)}. Say which are in [services.columns]."
    raise InputFileError(msg, hint=hint)


def _tidy(
    given: _Given,
    categories: Sequence[str],
    near: shapely.Geometry,
    catalogue: Mapping[str, Category],
    *,
    said: Sequence[str] | None = None,
    unfit: str = "no category",
) -> _Part:
    """Leave out what cannot be used, and put the rest in the schema."""
    said = given.column("category") if said is None else said
    discreet = _discreet(given, categories, catalogue)
    names = [
        name or key
        for name, key in zip(given.column("name"), given.column("service_id"), strict=True)
    ]
    # Of a row whose cells have moved nobody knows whether it is discreet.
    problems = ProblemList(given.files, given.numbers, names, discreet | given.shifted)
    alive = ~given.shifted
    problems.add(
        np.flatnonzero(given.shifted), "row", (), "more cells than the heading has", LEFT_OUT
    )
    lost = np.array([category == "" for category in categories], dtype=bool) & alive
    at = np.flatnonzero(lost)
    reasons = ["unknown category" if said[i] else unfit for i in at.tolist()]
    problems.add(at, "category", said, reasons, LEFT_OUT)
    alive &= ~lost
    alive &= _on_the_map(given.degrees, near, problems, alive)
    columns = tidy_rows(
        given.column,
        present=frozenset(given.texts),
        headings=given.headings,
        problems=problems,
        alive=alive,
    )
    columns |= {"category": categories, "discreet": discreet.tolist()}
    columns |= {_FILE: given.files, _ROW: given.numbers}
    return _Part(
        table=_frame({name: list(compress(texts, alive)) for name, texts in columns.items()}),
        degrees=given.degrees[alive],
        problems=problems.table(),
        categories=said,
        known=sum(category != "" for category in categories),
    )


def _frame(columns: Mapping[str, Sequence[Any]]) -> pd.DataFrame:
    """Return the columns of the schema, and where each row comes from, in their types."""
    table = pd.DataFrame(columns, columns=[*SERVICE_COLUMNS, _FILE, _ROW])
    types = dict.fromkeys(table.columns, "str")
    return table.astype({**types, "discreet": "bool", "capacity_value": "float64", _ROW: "int64"})


def _discreet(
    given: _Given, categories: Sequence[str], catalogue: Mapping[str, Category]
) -> NDArray[np.bool_]:
    hidden = {category.id for category in catalogue.values() if category.discreet}
    pairs = zip(given.column("discreet"), categories, strict=True)
    return np.array(
        [is_discreet(text) if text else category in hidden for text, category in pairs], dtype=bool
    )


def _on_the_map(
    degrees: NDArray[np.float64],
    near: shapely.Geometry,
    problems: ProblemList,
    alive: NDArray[np.bool_],
) -> NDArray[np.bool_]:
    """Tell which rows have coordinates on the globe; list the others and the swapped ones."""
    lon, lat = degrees[:, 0], degrees[:, 1]
    finite = np.isfinite(degrees).all(axis=1)
    swapped = ~shapely.contains_xy(near, lon, lat) & shapely.contains_xy(near, lat, lon) & finite
    off = ~((np.abs(lon) <= 180) & (np.abs(lat) <= 90)) & finite & ~swapped
    values = [f"{x}, {y}" for x, y in degrees.tolist()] if (swapped | off).any() else ()
    for bad, shown, reason in (
        (~finite, (), "no coordinates"),
        (swapped, values, "longitude and latitude seem swapped"),
        (off, values, "not on the globe"),
    ):
        problems.add(np.flatnonzero(bad & alive), "coordinates", shown, reason, LEFT_OUT)
    fit: NDArray[np.bool_] = finite & ~swapped & ~off
    return fit


def _put_together(
    parts: Sequence[_Part], area: StudyArea, catalogue: Mapping[str, Category]
) -> Services:
    """Stack the sources, list duplicates, and name each service."""
    import geopandas as gpd  # noqa: PLC0415 - see the note on imports in the package

    everything = [category for part in parts for category in part.categories]
    if everything and not any(part.known for part in parts):
        unknown = sorted({category[:40] for category in everything})
        msg = f"None of {len(everything)} services has a known category ({', '.join(unknown[:5])})."
        raise CategoryError(msg, hint=f"Categories are {', '.join(catalogue)}.")
    table = pd.concat([_frame({}), *(part.table for part in parts)], ignore_index=True)
    degrees = np.concatenate([np.empty((0, 2)), *(part.degrees for part in parts)])
    frame = gpd.GeoDataFrame(table, geometry=shapely.points(degrees), crs=4326).to_crs(area.crs)
    problems = ProblemList(
        frame[_FILE].tolist(),
        frame[_ROW].tolist(),
        frame["name"].where(frame["name"] != "", frame["service_id"]).tolist(),
        frame["discreet"].to_numpy(dtype=bool),
    )
    frame = _name_uniquely(_without_duplicates(frame, problems), problems)
    frame = frame[[*SERVICE_COLUMNS, "geometry"]].sort_values("service_id", ignore_index=True)
    told = [problem_table(), *(part.problems for part in parts), problems.table()]
    return Services(table=frame, problems=pd.concat(told, ignore_index=True))


def _without_duplicates(frame: gpd.GeoDataFrame, problems: ProblemList) -> gpd.GeoDataFrame:
    """Keep the first of the rows that have one category, status and name at one place.

    Where the names differ, both are kept and the later is doubted.
    """
    same, near = find_duplicates(
        frame["category"].tolist(),
        frame["name"].tolist(),
        frame["status"].tolist(),
        shapely.get_coordinates(frame.geometry.to_numpy()).reshape(-1, 2),
    )
    files, numbers = frame[_FILE].tolist(), frame[_ROW].tolist()
    for first, reason, action in (
        (same, "the same place as row {} of {}", LEFT_OUT),
        (near, f"less than {DUPLICATE_M:g} m from row {{}} of {{}}", "kept, to be checked"),
    ):
        at = np.flatnonzero(first >= 0)
        reasons = [reason.format(numbers[i], files[i]) for i in first[at].tolist()]
        problems.add(at, "duplicate", (), reasons, action)
    return frame[same < 0] if (same >= 0).any() else frame


def _name_uniquely(frame: gpd.GeoDataFrame, problems: ProblemList) -> gpd.GeoDataFrame:
    """Give an id to services that have none, and a number to those whose id was taken."""
    seen: set[str] = set()
    copies: dict[str, int] = {}
    ids, renamed = [], []
    columns = (frame[name].tolist() for name in ("service_id", "category", _FILE, _ROW))
    for row, (key, category, file, number) in zip(
        frame.index.tolist(), zip(*columns, strict=True), strict=True
    ):
        base = key or f"{category}-{file}-{number}"
        name = base
        while name in seen:
            copies[base] = copies.get(base, 1) + 1
            name = f"{base}-{copies[base]}"
        if name != base:
            renamed.append((row, base, name))
        seen.add(name)
        ids.append(name)
    for row, base, name in renamed:
        problems.add([row], "service_id", {row: base}, "id taken", f"renamed {name}")
    return frame.assign(service_id=pd.array(ids, dtype="str"))
