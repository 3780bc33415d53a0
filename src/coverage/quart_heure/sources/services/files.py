"""Files of services: one source, read into the schema with what was wrong with it."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import shapely

from quart_heure.categories import Category, check_categories
from quart_heure.errors import CrsError, InputFileError
from quart_heure.sources.delimited import Doubt
from quart_heure.sources.problems import CHOSEN, problem_table
from quart_heure.sources.raw_tables import read_raw_tables
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
from quart_heure.sources.services.extracts import Extract
from quart_heure.sources.services.finess import is_finess, read_finess
from quart_heure.sources.services.own import named_own
from quart_heure.sources.services.parts import GivenRows, ServicePart, put_in_schema, where
from quart_heure.sources.services.settings import ServiceSource
from quart_heure.sources.text_columns import RawTable
from quart_heure.sources.workbooks import WORKBOOKS

LONGEST_TEXT = 2000
_DOUBT = ("field", "value", "reason", "action")


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
    if not any(len(table) for table in tables):
        about = {"file": source.file.name, "row": pd.NA, "field": "services", "value": "0 rows"}
        problems.append({**about, "reason": "no service in the file", "action": "nothing read"})
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
    unread = [
        (heading, values(at))
        for at, heading in enumerate(raw.headings)
        if at not in found.position.values()
    ]
    given = GivenRows(
        texts=texts,
        headings={field: headings[at] for field, at in found.position.items()},
        files=[file.name] * len(raw),
        numbers=raw.numbers,
        part=raw.part,
        degrees=located.degrees,
        shifted=shifted,
        unread=unread + raw.said_of_all(),
        own=named_own([(heading, _stripped(cells)) for heading, cells in unread])
        if extract.own
        else {},
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
    return known or Extract(table=table, own=True)


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
