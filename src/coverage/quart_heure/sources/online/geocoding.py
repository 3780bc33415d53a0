"""Places of addresses, from the State's geocoding service, asked for on purpose and never else.

Only the address, the postcode and the commune of rows without coordinates leave the machine; those
of discreet places do not, by the rule of every list of services
(`quart_heure.sources.services.discretion`). Weak matches are listed and not used: a service in the
wrong street is worse than one that is known to be missing.
"""

from __future__ import annotations

import csv
import dataclasses
import datetime
import functools
import math
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from quart_heure.errors import InputFileError, OutputError
from quart_heure.files import AnyPath, is_stream, replacing
from quart_heure.sources.given import check_given
from quart_heure.sources.online.addresses import Asked, asked_of, city_position
from quart_heure.sources.online.geocoder import REFUSED, Geocoder, Match
from quart_heure.sources.online.matches import weakness
from quart_heure.sources.online.web import Web
from quart_heure.sources.raw_tables import read_raw_table
from quart_heure.sources.services.columns import find_columns, is_usual_heading, list_headings
from quart_heure.sources.services.coordinates import to_number
from quart_heure.sources.services.discretion import hidden_rows, is_clear, is_discreet
from quart_heure.sources.text_columns import RawTable
from quart_heure.sources.texts import without_formula
from quart_heure.stamp import creation_time

GEOCODING_URL = "https://data.geopf.fr/geocodage/search/csv"

_ADDED = ("geocode_score", "geocode_type", "geocode_label")
_TWO_NUMBERS = re.compile(r"-?\d+[.,]\d+[^\d]+\d")
_DISCREET = "(discreet)"


@dataclasses.dataclass(frozen=True)
class WeakMatch:
    """A row that was given no coordinates, and why; rows are counted from 1 below the heading."""

    row: int
    address: str
    found: str
    reason: str


@dataclasses.dataclass(frozen=True)
class Mended:
    """A postcode that was not sent as it was typed; rows are counted as in `WeakMatch`."""

    row: int
    what: str


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
    without_postcode
        How many of those sent went without a postcode.
    weak
        Rows without coordinates still.
    mended
        Postcodes that were not sent as they were typed.
    """

    path: Path
    answer: Path | None
    rows: int
    had_place: int
    discreet: int
    sent: int
    placed: int
    without_postcode: int
    weak: tuple[WeakMatch, ...]
    mended: tuple[Mended, ...]

    def lines(self) -> list[str]:
        """Return the result as lines of text."""
        without = (
            f"{self.without_postcode} of those sent have no postcode: a match is used only in the"
            " commune that the row names"
        )
        return [
            f"{self.rows} rows: {self.had_place} had coordinates, {self.sent} were sent,"
            f" {self.placed} have coordinates now, {len(self.weak)} have none;"
            f" {self.discreet} discreet, not sent",
            *([without] if self.without_postcode else []),
            *(f"row {each.row}: {each.what}" for each in self.mended),
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
    source: AnyPath,
    output: AnyPath,
    *,
    part: str = "",
    min_score: float = 0.7,
    url: str = GEOCODING_URL,
    web: Web | None = None,
    rows_at_once: int = 2000,
) -> Geocoded:
    """Give coordinates to the rows of a list of services that have none.

    Parameters
    ----------
    source
        A list of services, in any form that is read, with an address, and better a postcode and a
        commune.
    output
        The same as CSV, with ``longitude``, ``latitude``, ``geocode_score``, ``geocode_type``
        (housenumber or street) and ``geocode_label``. The service's answer is written beside it.
    part
        The sheet or layer of it, where it has several.
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
    output = Path(output)
    source = Path(source)
    if not (math.isfinite(min_score) and 0 <= min_score <= 1):
        msg = f"The lowest score is {min_score:g}, not within [0, 1]."
        raise InputFileError(msg, hint="Scores go from 0 to 1; 0.7 is a fair one.")
    check_given(source)
    kept = _answer_name(output)
    # A link to itself has no file behind it: the reader will say so.
    if os.path.realpath(source) in {os.path.realpath(output), os.path.realpath(kept)}:
        by_answer = os.path.realpath(kept) == os.path.realpath(source)
        name = f" by the answer, {kept.name}" if by_answer else ""
        msg = f"{output} would replace the file to be geocoded{name}."
        raise OutputError(msg, hint="Give the result another name.")
    table = _read(source, part)
    numbers = table.raw.numbers
    asked, weak, had_place = _to_ask(table)
    discreet = sum(each.address == _DISCREET for each in weak)
    geocoder = Geocoder(web=web or Web(), url=url, rows_at_once=rows_at_once)
    found = _best(geocoder, asked, min_score)
    for row, (match, reason) in found.items():
        for name in _ADDED:
            table.columns[table.at[name]][row] = match.get(name.replace("geocode", "result"), "")
        if reason:
            label = match.get("result_label", "")
            weak.append(WeakMatch(numbers[row], asked[row].typed.text, label, reason))
        else:
            for name in ("longitude", "latitude"):
                table.columns[table.at[name]][row] = match[name]
    said = [match for match, _ in found.values() if match.get("result_status") != REFUSED]
    answer = _write(table, output, said)
    return Geocoded(
        path=output,
        answer=answer,
        rows=len(numbers),
        had_place=had_place,
        discreet=discreet,
        sent=len(asked),
        placed=sum(not reason for _, reason in found.values()),
        without_postcode=sum(not asks.questions[0].postcode for asks in asked.values()),
        weak=tuple(sorted(weak, key=lambda each: each.row)),
        mended=tuple(Mended(numbers[row], asks.told) for row, asks in asked.items() if asks.told),
    )


def _to_ask(table: _Table) -> tuple[dict[int, Asked], list[WeakMatch], int]:
    """Return what is asked for each row, what is not asked and why, and how many have a place."""
    asked: dict[int, Asked] = {}
    weak: list[WeakMatch] = []
    had_place = 0
    for row, number in enumerate(table.raw.numbers):
        asks = asked_of(*(table.text(name, row) for name in ("address", "postcode", "city")))
        if _has_place(table, row):
            had_place += 1
        elif table.hidden[row]:
            weak.append(WeakMatch(number, _DISCREET, "", table.hidden[row]))
        elif not asks.typed.address:
            weak.append(WeakMatch(number, "", "", "no address"))
        elif asks.why_not:
            weak.append(WeakMatch(number, asks.typed.text, "", f"not sent: {asks.why_not}"))
        else:
            asked[row] = asks
    return asked, weak, had_place


def _best(
    geocoder: Geocoder, asked: Mapping[int, Asked], min_score: float
) -> dict[int, tuple[Match, str]]:
    """Ask the questions of each row until one is answered well; return the match and its fault."""
    found: dict[int, tuple[Match, str]] = {}
    turn = 0
    while waiting := [
        row
        for row, asks in asked.items()
        if turn < len(asks.questions) and (row not in found or found[row][1])
    ]:
        answers = geocoder.ask([asked[row].questions[turn] for row in waiting])
        for row, match in zip(waiting, answers, strict=True):
            reason = weakness(match, asked[row], min_score)
            # What was found and is too weak is told, rather than that nothing was.
            if row not in found or not reason or not found[row][0].get("result_label"):
                found[row] = match, reason
        turn += 1
    return dict(sorted(found.items()))


def _read(path: Path, part: str) -> _Table:
    """Read a list by the reader of all lists of services, and tell which rows are discreet."""
    raw = read_raw_table(path, part=part, is_heading=is_usual_heading)
    values = functools.cache(raw.column)
    found = find_columns(raw.headings, {}, values=values, file=path)
    if "address" not in found.position:
        msg = f"{path}: there is no column 'address'."
        raise InputFileError(msg, hint=f"Columns are {list_headings(raw.headings)}.")
    fields = {at: field for field, at in found.position.items()}
    columns = [list(values(at)) for at in range(len(raw.headings))]
    headings, at = list(raw.headings), dict(found.position)
    city = city_position(headings)
    if city is not None:
        at["city"] = city
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
    numbers = [to_number(table.text(name, row)) for name in ("longitude", "latitude")]
    # Zero and zero is what some exports write for a place that they do not know.
    if all(map(math.isfinite, numbers)) and any(numbers):
        return True
    drawn = table.raw.degrees is not None and bool(np.isfinite(table.raw.degrees[row]).all())
    return drawn or _TWO_NUMBERS.search(table.text("point", row)) is not None


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
