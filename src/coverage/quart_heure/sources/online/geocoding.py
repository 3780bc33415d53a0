"""Places of addresses, from the State's geocoding service, asked for on purpose and never else.

Only the address and the postcode of rows without coordinates leave the machine; those of discreet
places do not, by the rule of every list of services (`quart_heure.sources.services.discretion`).
Weak matches are listed and not used: a service in the wrong street is worse than
one that is known to be missing.
"""

from __future__ import annotations

import csv
import dataclasses
import datetime
import functools
import io
import math
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from quart_heure.errors import InputFileError, OutputError, TryLaterError
from quart_heure.files import is_stream, replacing
from quart_heure.sources.given import check_given
from quart_heure.sources.online.web import Web
from quart_heure.sources.raw_tables import read_raw_table
from quart_heure.sources.services.columns import find_columns, is_usual_heading, list_headings
from quart_heure.sources.services.discretion import hidden_rows, is_clear, is_discreet
from quart_heure.sources.text_columns import RawTable
from quart_heure.sources.texts import without_formula
from quart_heure.stamp import creation_time

GEOCODING_URL = "https://data.geopf.fr/geocodage/search/csv"

_GOOD_TYPES = frozenset({"housenumber", "street"})
_ADDED = ("geocode_score", "geocode_type", "geocode_label")
_SENT = ("address", "postcode")
_TWO_NUMBERS = re.compile(r"-?\d+[.,]\d+[^\d]+\d")
# The 16th arrondissement has two postcodes, of which the service knows one.
_SAME_POSTCODE = {"75116": "75016"}


@dataclasses.dataclass(frozen=True)
class WeakMatch:
    """A row that was given no coordinates, and why; rows are counted from 1 below the heading."""

    row: int
    address: str
    found: str
    reason: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class Geocoded:
    """What came of geocoding a file.

    Parameters
    ----------
    path
        The file with coordinates.
    answer
        What the service answered, with the date in its name; None if nothing was asked.
    rows, had_place, discreet, sent, placed
        How many rows there are, had coordinates, were not sent since they are discreet, were sent,
        and have coordinates from it now.
    weak
        Rows without coordinates still.
    """

    path: Path
    answer: Path | None
    rows: int
    had_place: int
    discreet: int
    sent: int
    placed: int
    weak: tuple[WeakMatch, ...]

    def lines(self) -> list[str]:
        """Return the result as lines of text."""
        return [
            f"{self.rows} rows: {self.had_place} had coordinates, {self.sent} were sent,"
            f" {self.placed} have coordinates now, {len(self.weak)} have none;"
            f" {self.discreet} discreet, not sent",
            *(
                f"row {each.row}: {each.address or '(no address)'}: {each.reason}"
                + (f" (found {each.found})" if each.found else "")
                for each in self.weak
            ),
        ]


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Table:
    """A list of services as it was found, and where it keeps what we need."""

    raw: RawTable
    at: Mapping[str, int]
    columns: Sequence[list[str]]
    """Its columns, and those that are added, as lists that are filled."""
    headings: Sequence[str]
    hidden: Sequence[str]
    """Why each row is discreet, "" if it is not."""

    def text(self, field: str, row: int) -> str:
        """Return what a row has in a field, on one line."""
        return " ".join(self.columns[self.at[field]][row].split()) if field in self.at else ""


def geocode_file(
    source: Path,
    output: Path,
    *,
    min_score: float = 0.7,
    url: str = GEOCODING_URL,
    web: Web | None = None,
    rows_at_once: int = 2000,
) -> Geocoded:
    """Give coordinates to the rows of a list of services that have none.

    Parameters
    ----------
    source
        A list of services, in any form that is read, with an address, and better a postcode.
    output
        The same as CSV, with ``longitude``, ``latitude``, ``geocode_score``, ``geocode_type``
        (housenumber or street) and ``geocode_label``. The service's answer is written beside it.
    min_score
        Weaker matches are not used.
    url
        The service; it takes a CSV file and gives it back with more columns.
    web
        Asks it.
    rows_at_once
        No request has more rows.

    Raises
    ------
    InputFileError
        If the file cannot be read, or has no addresses.
    TryLaterError
        If the service does not answer, or not to all rows. Nothing is written then.
    OutputError
        If a file cannot be written.
    """
    if not (math.isfinite(min_score) and 0 <= min_score <= 1):
        msg = f"The lowest score is {min_score:g}, not within [0, 1]."
        raise InputFileError(msg, hint="Scores go from 0 to 1; 0.7 is a fair one.")
    check_given(source)
    answer = _answer_name(output)
    # A link to itself has no file behind it: the reader will say so.
    if os.path.realpath(source) in {os.path.realpath(output), os.path.realpath(answer)}:
        by_answer = os.path.realpath(answer) == os.path.realpath(source)
        name = f" by the answer, {answer.name}" if by_answer else ""
        msg = f"{output} would replace the file to be geocoded{name}."
        raise OutputError(msg, hint="Give the result another name.")
    table = _read(source)
    numbers = table.raw.numbers
    asked: list[tuple[int, tuple[str, str]]] = []
    weak, had_place, discreet = [], 0, 0
    for row, number in enumerate(numbers):
        sent = (table.text("address", row), table.text("postcode", row))
        if _has_place(table, row):
            had_place += 1
        elif table.hidden[row]:
            discreet += 1
            weak.append(WeakMatch(number, "(discreet)", "", table.hidden[row]))
        elif not sent[0]:
            weak.append(WeakMatch(number, "", "", "no address"))
        else:
            asked.append((row, sent))
    found = _ask(web or Web(), url, [sent for _, sent in asked], rows_at_once)
    placed = 0
    for (row, sent), match in zip(asked, found, strict=True):
        reason = _weakness(match, sent, min_score)
        for name in _ADDED:
            table.columns[table.at[name]][row] = match.get(name.replace("geocode", "result"), "")
        if reason:
            label = match.get("result_label", "")
            weak.append(WeakMatch(numbers[row], " ".join(sent).strip(), label, reason))
        else:
            placed += 1
            for name in ("longitude", "latitude"):
                table.columns[table.at[name]][row] = match[name]
    answer = _write(table, output, found)
    return Geocoded(
        path=output,
        answer=answer,
        rows=len(numbers),
        had_place=had_place,
        discreet=discreet,
        sent=len(asked),
        placed=placed,
        weak=tuple(sorted(weak, key=lambda each: each.row)),
    )


def _read(path: Path) -> _Table:
    """Read a list by the reader of all lists of services, and tell which rows are discreet."""
    raw = read_raw_table(path, is_heading=is_usual_heading)
    values = functools.cache(raw.column)
    found = find_columns(raw.headings, {}, values=values, file=path)
    if "address" not in found.position:
        msg = f"{path}: there is no column 'address'."
        raise InputFileError(msg, hint=f"Columns are {list_headings(raw.headings)}.")
    fields = {at: field for field, at in found.position.items()}
    columns = [list(values(at)) for at in range(len(raw.headings))]
    headings, at = list(raw.headings), dict(found.position)
    for name in ("longitude", "latitude", *_ADDED):
        if name in _ADDED and name in headings:
            at[name] = headings.index(name)
        elif name not in at:
            at[name] = len(headings)
            headings.append(name)
            columns.append([""] * len(raw))
    return _Table(
        raw=raw,
        at=at,
        columns=columns,
        headings=headings,
        hidden=_why_hidden(raw, fields, columns),
    )


def _why_hidden(
    raw: RawTable, fields: Mapping[int, str], columns: Sequence[Sequence[str]]
) -> list[str]:
    """Return why the address of each row is not sent, "" where it is."""
    of_field = {field: at for at, field in fields.items()}
    said = columns[of_field["discreet"]] if "discreet" in of_field else [""] * len(raw)
    said = [text.strip() for text in said]
    secret = hidden_rows(
        [
            *((name, fields.get(at, ""), columns[at]) for at, name in enumerate(raw.headings)),
            *((name, "", texts) for name, texts in raw.said_of_all()),
        ],
        said,
    )
    shifted = raw.shifted if raw.shifted is not None else [False] * len(raw)
    why = []
    for text, column, moved in zip(said, secret, shifted, strict=True):
        if is_discreet(text):
            odd = "" if is_clear(text) else ": its column says neither a clear yes nor a clear no"
            why.append(f"a discreet place is not sent{odd}")
        elif column:
            why.append(f"a discreet place is not sent: a word of secrecy in the column {column!r}")
        elif moved:
            why.append("not sent: the row has more cells than the heading, which are not written")
        else:
            why.append("")
    return why


def _has_place(table: _Table, row: int) -> bool:
    numbers = [_number(table.text(name, row)) for name in ("longitude", "latitude")]
    if all(map(math.isfinite, numbers)):
        return True
    drawn = table.raw.degrees is not None and bool(np.isfinite(table.raw.degrees[row]).all())
    return drawn or _TWO_NUMBERS.search(table.text("point", row)) is not None


def _number(text: str) -> float:
    try:
        return float(text.strip().replace(",", "."))
    except ValueError:
        return float("nan")


def _ask(
    web: Web, url: str, sent: Sequence[tuple[str, str]], rows_at_once: int
) -> list[dict[str, str]]:
    """Return the service's row for each address, in the same order."""
    found: list[dict[str, str]] = []
    for batch in _batches(sent, rows_at_once):
        file = io.StringIO(newline="")
        writer = csv.writer(file, lineterminator="\n")
        writer.writerows([_SENT, *batch])
        fields = {"columns": "address", "postcode": "postcode"}
        text = web.csv("addresses", url, file=file.getvalue().encode(), fields=fields)
        try:
            rows = list(csv.DictReader(io.StringIO(text, newline=""), strict=True))
        except csv.Error as error:
            msg = f"The geocoding service answers with a table that is broken ({error})."
            raise TryLaterError(msg, hint="Run the same command later.") from error
        # The answer repeats the question: that is how a row that is missing is noticed.
        echo = [tuple(row.get(name) or "" for name in _SENT) for row in rows]
        if echo != list(batch):
            msg = f"The geocoding service answers to {len(rows)} rows, of {len(batch)}, or others."
            raise TryLaterError(msg, hint="Run the same command later.")
        found += [{key: value or "" for key, value in row.items() if key} for row in rows]
    return found


def _batches(
    sent: Sequence[tuple[str, str]], rows_at_once: int
) -> Iterator[Sequence[tuple[str, str]]]:
    for begin in range(0, len(sent), rows_at_once):
        yield sent[begin : begin + rows_at_once]


def _weakness(match: Mapping[str, str], sent: tuple[str, str], min_score: float) -> str:
    """Return why a match is not used, ``""`` if it is."""
    score, kind = _number(match.get("result_score", "")), match.get("result_type", "")
    place = [_number(match.get(name, "")) for name in ("longitude", "latitude")]
    if not all(map(math.isfinite, place)) or not math.isfinite(score):
        return f"no match ({match.get('result_status') or 'not found'})"
    if kind not in _GOOD_TYPES:
        return f"only the {kind or 'place'} was found, not the street"
    if score < min_score:
        return f"score {score:.2f}, below {min_score:g}"
    postcode = match.get("result_postcode", "")
    if sent[1] and postcode and _SAME_POSTCODE.get(sent[1], sent[1]) != postcode:
        return f"another postcode ({postcode})"
    return ""


def _write(table: _Table, output: Path, found: Sequence[Mapping[str, str]]) -> Path | None:
    """Write the answer, then the table; return the path of the former."""
    answer = None
    if found and not is_stream(output):  # beside a device is no place for files
        answer = _answer_name(output)
        names = list(dict.fromkeys(name for row in found for name in row))
        answers = [[row.get(name, "") for name in names] for row in found]
        _write_rows(answer, [names, *answers], ",")
    try:
        rows = zip(*table.columns, strict=True)
        _write_rows(output, [table.headings, *rows], table.raw.delimiter)
    except OutputError:
        if answer is not None:
            answer.unlink(missing_ok=True)
        raise
    return answer


def _answer_name(output: Path) -> Path:
    """Return where the service's answer of today is kept."""
    day = datetime.date.fromisoformat(creation_time()[:10])
    return output.with_name(f"{output.stem}_answer_{day}.csv")


def _write_rows(path: Path, rows: Sequence[Sequence[str]], delimiter: str) -> None:
    """Write a table in which neither the list nor the server begins a formula."""
    with (
        replacing(path) as temporary,
        temporary.open("w", encoding="utf-8", newline="") as file,
    ):
        csv.writer(file, delimiter=delimiter, lineterminator="\n").writerows(
            [list(map(without_formula, row)) for row in rows]
        )
