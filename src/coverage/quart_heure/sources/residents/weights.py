"""A second weight per district, such as people counted in the street in one night.

It is a count of a district, never points: what is not known stays blank, and is not zero.
"""

from __future__ import annotations

import csv
import dataclasses
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from quart_heure.errors import InputFileError
from quart_heure.sources.areas.areas import StudyArea
from quart_heure.sources.areas.names import known_names, positions_of, several_named
from quart_heure.sources.residents.tables import (
    NAME_COLUMNS,
    read_counts,
    thousands_told,
    why_no_count,
)

_VALUE_COLUMNS = ("value", "weight", "count", "people", "n", "valeur", "nombre", "effectif")


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class DistrictWeights:
    """A count for each district that has one.

    Parameters
    ----------
    values
        By district_id; a district without a count is not there.
    fr, en
        What is counted, as people read it.
    source
        Where the counts come from.
    problems
        Rows of a table of problems: unknown districts, values that are no numbers, blanks.
    """

    values: Mapping[str, float]
    fr: str
    en: str
    source: str = ""
    problems: tuple[Mapping[str, Any], ...] = ()


def read_weights(
    path: Path, area: StudyArea, *, fr: str = "", en: str = "", source: str = ""
) -> DistrictWeights:
    """Read a count per district from CSV.

    Parameters
    ----------
    path
        CSV in UTF-8 with the id or the name of a district, and ``value``. Where a district stands
        twice, its last row holds, and that is told.
    area
        The districts.
    fr, en
        What is counted; a general word by default.
    source
        Where the counts come from; the name of the file by default.

    Raises
    ------
    InputFileError
        If the file is missing, unreadable or lacks a column, no row names a district, or one names
        several.
    """
    rows, name, value = _read_rows(path)
    ids, labels = area.districts["district_id"].tolist(), area.districts["label"].tolist()
    known = known_names(ids, labels)
    values: dict[str, float] = {}
    counts = read_counts([row.get(value) or "" for row in rows])
    problems: list[dict[str, Any]] = []
    for at in counts.thousands[:1]:
        told = {"file": path.name, "row": at + 1, "field": value, "value": rows[at].get(value)}
        reason, action = thousands_told(counts)
        problems.append({**told, "reason": reason, "action": action})
    for number, row in enumerate(rows, start=1):
        word, text = (row.get(name) or "").strip(), (row.get(value) or "").strip()
        at_districts = positions_of(word, known)
        told = {"file": path.name, "row": number, "field": value, "value": f"{word} – {text}"}
        if not at_districts:
            problems.append({**told, "reason": "in no district", "action": "left out"})
            continue
        if len(at_districts) > 1:
            raise several_named(word, at_districts, ids, labels, f"{path}, row {number}")
        district_id = str(ids[at_districts[0]])
        count = float(counts.numbers[number - 1])
        if not count >= 0:
            # A blank says that nobody knows; anything else that is no number is a slip.
            if text:
                reason = why_no_count(count)
                problems.append({**told, "reason": reason, "action": "taken as unknown"})
            continue
        if district_id in values:
            problems.append({**told, "reason": "district twice", "action": "the last row holds"})
        values[district_id] = count
    if not values:
        msg = f"{path}: no row gives a district of {area.name!r} a number."
        hint = f"Give the ids of the districts, such as {area.districts['district_id'].iloc[0]!r}."
        raise InputFileError(msg, hint=hint)
    for district_id, label in zip(
        area.districts["district_id"], area.districts["label"], strict=True
    ):
        if district_id not in values:
            told = {"file": path.name, "row": None, "field": value, "value": str(label)}
            problems.append({**told, "reason": "no number", "action": "left blank"})
    return DistrictWeights(
        values=values,
        fr=fr or "Personnes comptées",
        en=en or "People counted",
        source=source or path.name,
        problems=tuple(problems),
    )


def _read_rows(path: Path) -> tuple[list[dict[str, str | None]], str, str]:
    """Return the rows and the names of the columns that hold the district and its count."""
    if not path.is_file():
        msg = f"{path}: there is no such file."
        raise InputFileError(msg, hint="Check the name and the folder it is relative to.")
    try:
        text = path.read_text(encoding="utf-8-sig")
        delimiter = max(",;\t|", key=text.partition("\n")[0].count)
        reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        rows = list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        msg = f"{path}: cannot be read as a table ({error})."
        raise InputFileError(msg, hint="Save the file as CSV in UTF-8.") from error
    columns = {str(column).strip().lower(): str(column) for column in reader.fieldnames or ()}
    name = next((columns[c] for c in NAME_COLUMNS if c in columns), None)
    value = next((columns[c] for c in _VALUE_COLUMNS if c in columns), None)
    if name is None or value is None:
        wanted = "district_id" if name is None else "value"
        msg = f"{path}: there is no column {wanted!r}."
        raise InputFileError(msg, hint=f"Columns are {', '.join(columns.values()) or 'none'}.")
    return rows, name, value
