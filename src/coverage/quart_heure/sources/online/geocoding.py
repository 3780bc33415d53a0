"""Places of addresses, from the State's geocoding service, asked for on purpose and never else.

Only the address and the postcode of rows without coordinates leave the machine; those of discreet
places do not. Weak matches are listed and not used: a service in the wrong street is worse than
one that is known to be missing.
"""

from __future__ import annotations

import csv
import dataclasses
import datetime
import io
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from quart_heure.errors import InputFileError, OutputError, TryLaterError
from quart_heure.files import replacing
from quart_heure.sources.online.web import Web
from quart_heure.stamp import creation_time

GEOCODING_URL = "https://data.geopf.fr/geocodage/search/csv"

_GOOD_TYPES = frozenset({"housenumber", "street"})
_ADDED = ("geocode_score", "geocode_type", "geocode_label")
_SENT = ("address", "postcode")
_ALIASES: Mapping[str, tuple[str, ...]] = {
    "longitude": ("longitude", "lon", "lng", "x"),
    "latitude": ("latitude", "lat", "y"),
    "address": ("address", "adresse"),
    "postcode": ("postcode", "code_postal", "codepostal", "cp"),
    "discreet": ("discreet", "discret"),
}
_NOT_DISCREET = frozenset({"", "0", "0.0", "false", "f", "no", "n", "non", "faux", "nan", "none"})
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
    rows, had_place, sent, placed
        How many rows there are, had coordinates, were sent, and have coordinates from it now.
    weak
        Rows without coordinates still.
    """

    path: Path
    answer: Path | None
    rows: int
    had_place: int
    sent: int
    placed: int
    weak: tuple[WeakMatch, ...]

    def lines(self) -> list[str]:
        """Return the result as lines of text."""
        return [
            f"{self.rows} rows: {self.had_place} had coordinates, {self.sent} were sent,"
            f" {self.placed} have coordinates now, {len(self.weak)} have none",
            *(
                f"row {each.row}: {each.address or '(no address)'}: {each.reason}"
                + (f" (found {each.found})" if each.found else "")
                for each in self.weak
            ),
        ]


@dataclasses.dataclass(frozen=True)
class _Table:
    """A CSV file: its columns, its rows, and under which names it has what we need."""

    columns: list[str]
    rows: list[dict[str, str]]
    delimiter: str
    names: Mapping[str, str]


def geocode_file(
    source: Path,
    output: Path,
    *,
    min_score: float = 0.7,
    url: str = GEOCODING_URL,
    web: Web | None = None,
    rows_at_once: int = 2000,
) -> Geocoded:
    """Give coordinates to the rows of a CSV file that have none.

    Parameters
    ----------
    source
        CSV with a column ``address``, and better ``postcode``.
    output
        The same with ``longitude``, ``latitude``, ``geocode_score``, ``geocode_type`` (housenumber
        or street) and ``geocode_label``. The service's answer is written beside it.
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
    if output.resolve() == source.resolve():
        msg = f"{output} is the file to be geocoded."
        raise OutputError(msg, hint="Give the result another name.")
    table = _read(source)
    asked: list[tuple[int, tuple[str, str]]] = []
    weak, had_place = [], 0
    for number, row in enumerate(table.rows):
        sent = (_words(row, table, "address"), _words(row, table, "postcode"))
        if _has_place(row, table):
            had_place += 1
        elif _words(row, table, "discreet").lower() not in _NOT_DISCREET:
            weak.append(WeakMatch(number + 1, "(discreet)", "", "a discreet place is not sent"))
        elif not sent[0]:
            weak.append(WeakMatch(number + 1, "", "", "no address"))
        else:
            asked.append((number, sent))
    found = _ask(web or Web(), url, [sent for _, sent in asked], rows_at_once)
    placed = 0
    for (number, sent), match in zip(asked, found, strict=True):
        reason = _weakness(match, sent, min_score)
        row = table.rows[number]
        row["geocode_score"] = match.get("result_score", "")
        row["geocode_type"] = match.get("result_type", "")
        row["geocode_label"] = match.get("result_label", "")
        if reason:
            label = match.get("result_label", "")
            weak.append(WeakMatch(number + 1, " ".join(sent).strip(), label, reason))
        else:
            placed += 1
            row[table.names.get("longitude", "longitude")] = match["longitude"]
            row[table.names.get("latitude", "latitude")] = match["latitude"]
    answer = _write(table, output, found)
    return Geocoded(
        path=output,
        answer=answer,
        rows=len(table.rows),
        had_place=had_place,
        sent=len(asked),
        placed=placed,
        weak=tuple(sorted(weak, key=lambda each: each.row)),
    )


def _read(path: Path) -> _Table:
    if not path.is_file():
        msg = f"{path}: there is no such file."
        raise InputFileError(msg, hint="Check the name and the folder it is relative to.")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{path}: cannot be read as UTF-8 text ({error})."
        raise InputFileError(msg, hint="Save the file as CSV in UTF-8.") from error
    heading = text.partition("\n")[0]
    delimiter = max(",;\t|", key=heading.count)
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        rows = [{k: v or "" for k, v in row.items() if k is not None} for row in reader]
    except csv.Error as error:
        msg = f"{path}, line {reader.line_num + 1}: {error}."
        raise InputFileError(msg, hint="Check the quotes around that line.") from error
    columns = list(reader.fieldnames or ())
    plain = {str(name).strip().lower(): str(name) for name in columns}
    names = {
        ours: next(plain[name] for name in aliases if name in plain)
        for ours, aliases in _ALIASES.items()
        if any(name in plain for name in aliases)
    }
    if "address" not in names:
        msg = f"{path}: there is no column 'address'."
        raise InputFileError(msg, hint=f"Columns are {', '.join(columns) or 'none'}.")
    return _Table(columns, rows, delimiter, names)


def _words(row: Mapping[str, str], table: _Table, ours: str) -> str:
    return " ".join(row.get(table.names.get(ours, ""), "").split())


def _has_place(row: Mapping[str, str], table: _Table) -> bool:
    return all(
        math.isfinite(_number(row.get(table.names.get(name, ""), "")))
        for name in ("longitude", "latitude")
    )


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
    if found:
        day = datetime.date.fromisoformat(creation_time()[:10])
        answer = output.with_name(f"{output.stem}_answer_{day}.csv")
        _write_csv(answer, list(dict.fromkeys(k for row in found for k in row)), found, ",")
    placed = [table.names.get(name, name) for name in ("longitude", "latitude")]
    columns = list(dict.fromkeys([*table.columns, *placed, *_ADDED]))
    try:
        _write_csv(output, columns, table.rows, table.delimiter)
    except OutputError:
        if answer is not None:
            answer.unlink(missing_ok=True)
        raise
    return answer


def _write_csv(
    path: Path, columns: Sequence[str], rows: Sequence[Mapping[str, str]], delimiter: str
) -> None:
    with (
        replacing(path) as temporary,
        temporary.open("w", encoding="utf-8", newline="") as file,
    ):
        writer = csv.DictWriter(file, columns, restval="", delimiter=delimiter, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
