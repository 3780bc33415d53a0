"""Files of services: one source, read into the schema with what was wrong with it."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping, Sequence
from itertools import compress
from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from quart_heure.categories import Category, check_categories
from quart_heure.errors import CrsError, InputFileError
from quart_heure.sources.delimited import Doubt
from quart_heure.sources.problems import CHOSEN, LEFT_OUT, ProblemList, problem_table
from quart_heure.sources.raw_tables import RawTable, read_raw_tables
from quart_heure.sources.services.category_rules import (
    Rule,
    compile_rules,
    first_rule,
    read_categories,
)
from quart_heure.sources.services.columns import (
    FoundColumns,
    find_columns,
    is_usual_heading,
    list_headings,
    plain_heading,
    uncut_headings,
)
from quart_heure.sources.services.coordinates import (
    Located,
    locate_pairs,
    locate_texts,
    weak_matches,
)
from quart_heure.sources.services.data_inclusion import from_data_inclusion
from quart_heure.sources.services.discretion import (
    ASKED,
    TAKEN_AS_DISCREET,
    hidden_rows,
    is_clear,
    is_discreet,
    is_shelter,
)
from quart_heure.sources.services.extracts import Extract
from quart_heure.sources.services.finess import is_finess, read_finess
from quart_heure.sources.services.rows import KEPT, SERVICE_COLUMNS, tidy_rows
from quart_heure.sources.services.settings import ServiceSource
from quart_heure.sources.workbooks import WORKBOOKS

FILE, PART, ROW = "_file", "_part", "_row"
"""Columns that say where a row comes from, until the services are put together."""

LONGEST_TEXT = 2000
_DOUBT = ("field", "value", "reason", "action")


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class GivenRows:
    """The rows of one source: texts by our names for their columns."""

    texts: Mapping[str, Sequence[str]]
    headings: Mapping[str, str]
    files: Sequence[str]
    numbers: Sequence[int]
    part: str
    """Sheet or layer, "" where the file has one alone."""
    degrees: NDArray[np.float64]
    shifted: NDArray[np.bool_]
    unread: Sequence[tuple[str, Sequence[str]]] = ()
    """Headings and texts of the other columns: a word of secrecy may stand in any."""

    def column(self, field: str) -> Sequence[str]:
        """Return the texts of a field, blanks where the source has no such column."""
        return self.texts.get(field) or [""] * len(self.numbers)


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class ServicePart:
    """What one source gives: rows in the schema, their degrees, and what was wrong."""

    table: pd.DataFrame
    degrees: NDArray[np.float64]
    problems: pd.DataFrame
    categories: Sequence[str]
    """As the source calls them, of all its rows."""
    known: int
    """How many rows have a category of the catalogue."""
    unplaced: pd.DataFrame
    """Rows of a known category in the schema that have no coordinates."""


def read_source(
    source: ServiceSource, near: shapely.Geometry, catalogue: Mapping[str, Category]
) -> list[ServicePart]:
    """Read one file, a part for each of its sheets or layers that has places.

    See `quart_heure.sources.services.services.read_services`.
    """
    if source.category:
        check_categories([source.category], catalogue)
    rules = compile_rules(source.rules, catalogue, where=str(source.file))
    if is_finess(source.file):
        register = read_finess(source.file, category=source.category, catalogue=catalogue)
        return [_read_part(register, source, near, catalogue, rules)]
    tables = read_raw_tables(source.file, part=source.part, is_heading=is_usual_heading)
    kept, problems = _with_places(tables, source)
    parts = [
        _read_part(_in_our_words(table, source, rules), source, near, catalogue, rules)
        for table in kept
    ]
    first = dataclasses.replace(
        parts[0], problems=pd.concat([problem_table(problems), parts[0].problems])
    )
    return [first, *parts[1:]]


def _with_places(
    tables: Sequence[RawTable], source: ServiceSource
) -> tuple[list[RawTable], list[dict[str, Any]]]:
    """Return the sheets or layers that are read, and tell of the others.

    Read are all that have places and are shown to those who open the file: a sheet of explanations
    has none, and what is hidden was put aside. One that stands alone is read whatever it is: its
    reader says what it lacks.
    """
    if len(tables) == 1:
        return list(tables), []
    placed = [table for table in tables if _has_places(table, source)]
    kept = [table for table in placed if not table.hidden]
    told = [
        {
            "file": source.file.name,
            "row": pd.NA,
            "field": "sheet" if source.file.suffix.lower() in WORKBOOKS else "layer",
            "value": f"{table.part}: {len(table)} rows",
            "reason": "hidden" if table in placed else "without coordinates",
            "action": f"{CHOSEN}the others" + (", sheet names this" if table in placed else ""),
        }
        for table in tables
        if table not in kept and len(table)
    ]
    if not kept:
        names = ", ".join(repr(table.part) for table in tables[:20])
        msg = f"{source.file}: none of {names} has places and is shown."
        hint = 'Name one: sheet = "…" or layer = "…" beside the file; or its columns: longitude.'
        raise InputFileError(msg, hint=hint)
    return kept, told


def _has_places(table: RawTable, source: ServiceSource) -> bool:
    if table.degrees is not None:
        return True
    headings, _ = uncut_headings(table.headings) if table.cut else (table.headings, ())
    known = {field: h for field, h in source.columns.items() if h in headings}
    values = functools.cache(table.column)
    at = find_columns(headings, known, values=values, file=source.file).position
    return len(table) > 0 and ("point" in at or ("longitude" in at and "latitude" in at))


def _read_part(
    extract: Extract,
    source: ServiceSource,
    near: shapely.Geometry,
    catalogue: Mapping[str, Category],
    rules: Sequence[Rule],
) -> ServicePart:
    file = source.file
    raw = extract.kept()
    values = functools.cache(raw.column)
    headings, unclear = uncut_headings(raw.headings) if raw.cut else (raw.headings, ())
    found = find_columns(headings, source.columns, values=values, file=file)
    located = _locate(raw, found, values, source, near)
    texts = {field: _stripped(values(at)) for field, at in found.position.items()}
    shifted = raw.shifted if raw.shifted is not None else np.zeros(len(raw), dtype=bool)
    given = GivenRows(
        texts=texts,
        headings={field: headings[at] for field, at in found.position.items()},
        files=[file.name] * len(raw),
        numbers=raw.numbers,
        part=raw.part,
        degrees=located.degrees,
        shifted=shifted,
        unread=[
            (heading, values(at))
            for at, heading in enumerate(raw.headings)
            if at not in found.position.values()
        ]
        + raw.said_of_all(),
    )
    said = _column_of_categories(given, found, source)
    told: list[Doubt] = [*raw.doubts, *unclear]
    if said is None and not source.category and not rules and len(raw):
        if not raw.part:
            msg = f"{file}: there is no column 'category'."
            raise InputFileError(msg, hint="Add one, or name the category of the whole file.")
        # Whoever keeps a sheet or a layer per category names it so.
        said = [raw.part] * len(raw)
        told.append(("category", raw.part, "no column of it", f"{CHOSEN}what it is called"))
    said = said or [""] * len(raw)
    categories = read_categories(said, catalogue)
    if source.category:
        categories = [
            source.category if text == "" else category
            for text, category in zip(said, categories, strict=True)
        ]
    if rules:
        named_by = first_rule(given.column("name"), rules)
        categories = [rule or other for rule, other in zip(named_by, categories, strict=True)]
    told += [
        *located.doubts,
        *(
            (field, f"{one} – {other}", "two columns with one heading", "the first is read")
            for field, one, other in found.twice
        ),
    ]
    about_file = [
        {
            "file": where(file.name, raw.part),
            "row": pd.NA,
            **dict(zip(_DOUBT, doubt, strict=True)),
        }
        for doubt in told
    ]
    unfit = "no rule fits" if rules else "no category"
    part = put_in_schema(
        given, categories, near, catalogue, said=said, unfit=unfit, weak=_weak(raw, located, values)
    )
    tables = [problem_table(about_file), extract.problems(file.name), part.problems]
    return dataclasses.replace(part, problems=pd.concat(tables, ignore_index=True))


def _in_our_words(table: RawTable, source: ServiceSource, rules: Sequence[Rule]) -> Extract:
    """Read a table of a known register in our words; any other stays as it is."""
    known = from_data_inclusion(table, category=source.category, rules=rules)
    return known or Extract(table=table)


def _stripped(texts: Sequence[str]) -> Sequence[str]:
    stripped = list(map(str.strip, texts))
    if max(map(len, stripped), default=0) > LONGEST_TEXT:
        return [text[:LONGEST_TEXT] for text in stripped]
    return stripped


def _column_of_categories(
    given: GivenRows, found: FoundColumns, source: ServiceSource
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
    at, file = found.position, source.file
    paired = "longitude" in at and "latitude" in at
    chosen = found.chosen & {"longitude", "latitude", "point"}
    if raw.degrees is not None and not chosen:
        return Located(degrees=raw.degrees)
    if paired and "point" not in chosen:
        x, y = values(at["longitude"]), values(at["latitude"])
        try:
            return locate_pairs(x, y, crs=source.crs, where=file)
        except CrsError:
            # Portals keep metres under x and y, beside degrees under geo_point_2d.
            if source.crs or chosen or "point" not in at:
                raise
    if "point" in at:
        return locate_texts(values(at["point"]), near, crs=source.crs, where=file)
    if len(raw) == 0 and file.suffix.lower() == ".json":
        return Located(degrees=np.empty((0, 2)))
    msg = f"{where(str(file), raw.part)}: there are no columns 'longitude' and 'latitude'."
    hint = f"Columns are {list_headings(raw.headings)}. Say which are in [services.columns]."
    raise InputFileError(msg, hint=hint)


def _weak(
    raw: RawTable, located: Located, values: Callable[[int], Sequence[str]]
) -> list[tuple[int, str]]:
    """Return the rows that a geocoder placed by guess; of what has no place there is no doubt."""
    placed = np.asarray(np.isfinite(located.degrees).all(axis=1))
    headings = [plain_heading(heading) for heading in raw.headings]
    return [(row, why) for row, why in weak_matches(headings, values) if placed[row]]


def put_in_schema(
    given: GivenRows,
    categories: Sequence[str],
    near: shapely.Geometry,
    catalogue: Mapping[str, Category],
    *,
    said: Sequence[str] | None = None,
    unfit: str = "no category",
    weak: Sequence[tuple[int, str]] = (),
) -> ServicePart:
    """Leave out what cannot be used, and put the rest in the schema.

    ``weak`` has rows whose place is doubtful, and why.
    """
    said = given.column("category") if said is None else said
    secret = hidden_rows(
        [
            *((given.headings[field], field, texts) for field, texts in given.texts.items()),
            *((heading, "", texts) for heading, texts in given.unread),
        ],
        given.column("discreet"),
    )
    discreet = _discreet(given, categories, catalogue)
    found_out = np.array([heading != "" for heading in secret], dtype=bool) & ~discreet
    discreet |= found_out
    names = [
        name or key
        for name, key in zip(given.column("name"), given.column("service_id"), strict=True)
    ]
    # Of a row whose cells have moved nobody knows whether it is discreet.
    problems = ProblemList(
        [where(file, given.part) for file in given.files],
        given.numbers,
        names,
        discreet | given.shifted,
    )
    alive = ~given.shifted
    problems.add(
        np.flatnonzero(given.shifted), "row", (), "more cells than the heading has", LEFT_OUT
    )
    _tell_discretion(given, secret, found_out, problems)
    lost = np.array([category == "" for category in categories], dtype=bool) & alive
    at = np.flatnonzero(lost)
    reasons = ["unknown category" if said[i] else unfit for i in at.tolist()]
    problems.add(at, "category", said, reasons, LEFT_OUT)
    alive &= ~lost
    unplaced = alive & ~np.isfinite(given.degrees).all(axis=1)
    alive &= _on_the_map(given.degrees, near, problems, alive)
    doubted = [(row, why) for row, why in weak if alive[row]]
    at_rows = [row for row, _ in doubted]
    problems.add(at_rows, "coordinates", (), [why for _, why in doubted], KEPT)
    columns = tidy_rows(
        given.column,
        present=frozenset(given.texts),
        headings=given.headings,
        problems=problems,
        alive=alive,
    )
    columns |= {"category": categories, "discreet": discreet.tolist()}
    columns |= {FILE: given.files, PART: [given.part] * len(alive), ROW: given.numbers}
    return ServicePart(
        table=schema_frame({name: list(compress(texts, alive)) for name, texts in columns.items()}),
        degrees=given.degrees[alive],
        problems=pd.concat(
            [_shelters_asked(given, categories, discreet, alive, catalogue), problems.table()],
            ignore_index=True,
        ),
        categories=said,
        known=sum(category != "" for category in categories),
        unplaced=schema_frame(
            {name: list(compress(texts, unplaced)) for name, texts in columns.items()}
        ),
    )


def where(file: str, part: str) -> str:
    """Return what a file and a sheet or layer of it are called."""
    return f"{file}, {part}" if part else file


def schema_frame(columns: Mapping[str, Sequence[Any]]) -> pd.DataFrame:
    """Return the columns of the schema, and where each row comes from, in their types."""
    table = pd.DataFrame(columns, columns=[*SERVICE_COLUMNS, FILE, PART, ROW])
    types = dict.fromkeys(table.columns, "str")
    return table.astype({**types, "discreet": "bool", "capacity_value": "float64", ROW: "int64"})


def _discreet(
    given: GivenRows, categories: Sequence[str], catalogue: Mapping[str, Category]
) -> NDArray[np.bool_]:
    hidden = {category.id for category in catalogue.values() if category.discreet}
    pairs = zip(given.column("discreet"), categories, strict=True)
    return np.array(
        [is_discreet(text) if text else category in hidden for text, category in pairs], dtype=bool
    )


def _tell_discretion(
    given: GivenRows,
    secret: Sequence[str],
    found_out: NDArray[np.bool_],
    problems: ProblemList,
) -> None:
    """Tell which rows are hidden by a word in some column, or by an odd word in their own."""
    at = np.flatnonzero(found_out & ~given.shifted)
    reasons = [f"a word of secrecy in the column {secret[row]!r}" for row in at.tolist()]
    problems.add(at, "discreet", (), reasons, TAKEN_AS_DISCREET)
    clear = np.array([is_clear(text) for text in given.column("discreet")], dtype=bool)
    odd = np.flatnonzero(~clear & ~given.shifted)
    problems.add(odd, "discreet", (), "neither a clear yes nor a clear no", TAKEN_AS_DISCREET)


def _shelters_asked(
    given: GivenRows,
    categories: Sequence[str],
    discreet: NDArray[np.bool_],
    alive: NDArray[np.bool_],
    catalogue: Mapping[str, Category],
) -> pd.DataFrame:
    """Ask once per category whether shelters of which no word says so are public."""
    blank = np.array([text == "" for text in given.column("discreet")], dtype=bool)
    asked: dict[tuple[str, str], int] = {}
    for row in np.flatnonzero(blank & ~discreet & alive).tolist():
        category = catalogue[categories[row]]
        if is_shelter(category):
            key = given.files[row], category.fr
            asked[key] = asked.get(key, 0) + 1
    return problem_table(
        {
            "file": file,
            "row": pd.NA,
            "field": "discreet",
            "value": f"{label}: {count}",
            "reason": ASKED,
            "action": "shown; say true or false in a column 'discreet'",
        }
        for (file, label), count in asked.items()
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
