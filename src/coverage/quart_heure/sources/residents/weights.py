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
from quart_heure.sources.problems import CHOSEN
from quart_heure.sources.residents.tables import (
    NAME_COLUMNS,
    read_counts,
    rows_named,
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
    rows, names, counting = _read_rows(path)
    value = counting[0]
    columns = {name: [(row.get(name) or "").strip() for row in rows] for name in names}
    holders = rows_named(columns, area.districts, path)
    ids = area.districts["district_id"].tolist()
    values: dict[str, float] = {}
    counts = read_counts([row.get(value) or "" for row in rows])
    problems: list[dict[str, Any]] = []
    if len(counting) > 1:
        reason, action = "several columns of counts", f"{CHOSEN}{value!r}"
        about = {"file": path.name, "row": None, "field": value, "value": ", ".join(counting[1:])}
        problems.append({**about, "reason": reason, "action": action})
    for at in counts.thousands[:1]:
        told = {"file": path.name, "row": at + 1, "field": value, "value": rows[at].get(value)}
        reason, action = thousands_told(counts)
        problems.append({**told, "reason": reason, "action": action})
    for number, row in enumerate(rows, start=1):
        word = next((columns[name][number - 1] for name in names if columns[name][number - 1]), "")
        text = (row.get(value) or "").strip()
        told = {"file": path.name, "row": number, "field": value, "value": f"{word} – {text}"}
        if holders[number - 1] < 0:
            problems.append({**told, "reason": "in no district", "action": "left out"})
            continue
        district_id = str(ids[holders[number - 1]])
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


def _read_rows(path: Path) -> tuple[list[dict[str, str | None]], list[str], list[str]]:
    """Return the rows, and the columns that may hold the district and its count, the best first."""
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
    names = [columns[c] for c in dict.fromkeys(NAME_COLUMNS) if c in columns]
    counting = [columns[c] for c in _VALUE_COLUMNS if c in columns]
    if not (names and counting):
        wanted = "value" if names else "district_id"
        msg = f"{path}: there is no column {wanted!r}."
        raise InputFileError(msg, hint=f"Columns are {', '.join(columns.values()) or 'none'}.")
    return rows, names, counting
