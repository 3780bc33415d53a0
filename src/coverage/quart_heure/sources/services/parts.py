"""Parts: rows of one source put in the schema, and what of them cannot be used."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from itertools import compress
from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from quart_heure.categories import Category
from quart_heure.errors import InputFileError
from quart_heure.sources.problems import LEFT_OUT, ProblemList, problem_table
from quart_heure.sources.services.discretion import (
    ASKED,
    TAKEN_AS_DISCREET,
    hidden_rows,
    is_clear,
    is_discreet,
    is_shelter,
)
from quart_heure.sources.services.rows import KEPT, SERVICE_COLUMNS, tidy_rows

FILE, PART, ROW = "_file", "_part", "_row"
"""Columns that say where a row comes from, until the services are put together."""


_FEW = 3
"""Of so many rows, one mistake is that of a file."""


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
    own: Mapping[str, Sequence[str]] = dataclasses.field(default_factory=dict)
    """Those of them that are kept, by their names in the table."""

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
    name = where(given.files[0], given.part) if given.files else ""
    alive &= _on_the_map(given.degrees, near, problems, alive, name)
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
    table = schema_frame({name: list(compress(texts, alive)) for name, texts in columns.items()})
    own = {
        name: pd.array(list(compress(texts, alive)), dtype="str")
        for name, texts in given.own.items()
    }
    return ServicePart(
        table=table.join(pd.DataFrame(own, index=table.index)),
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
    # Column by column in its type: pandas takes several times as long to change it afterwards.
    numbers = {"discreet": np.bool_, "capacity_value": np.float64, ROW: np.int64}
    rows = max(map(len, columns.values()), default=0)
    typed: dict[str, Any] = {}
    for name in (*SERVICE_COLUMNS, FILE, PART, ROW):
        values = list(columns.get(name, [None] * rows))
        if name in numbers:
            typed[name] = np.array(values, dtype=numbers[name])
        else:
            typed[name] = pd.array(values, dtype="str")
    return pd.DataFrame(typed)


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
    name: str,
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
    if swapped.sum() >= _FEW and swapped[alive].all():
        msg = f"{name}: in all of its {alive.sum()} rows longitude and latitude are swapped."
        raise InputFileError(msg, hint="Exchange the headings of the two columns.")
    fit: NDArray[np.bool_] = finite & ~swapped & ~off
    return fit
