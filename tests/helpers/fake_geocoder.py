"""A geocoding service on this machine that answers as the State's does, and as addok-csv does.

Words, columns, statuses and limits are those of gpf-geocodeur (livingdata-co, commit ce5cdb2 of May
2025; ``batch/stream``, ``api/csv``) and of addok-csv 1.1.0 with addok 1.1.1, read in their sources
and seen when both ran on one index. The score alone is simpler: how many pieces of three letters
the question and the nearest of an address's labels have in common. As the real one it takes
abbreviations for other words (0.5 to 0.7 without the commune, more with it) and is lower for what
is typed beside the address.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import re
from collections.abc import Iterator
from email import message_from_bytes
from email.message import Message
from typing import Any

from helpers.fake_server import FakeServer, Handler, Trouble
from quart_heure.sources.texts import fold

Row = dict[str, str]

ADDED = (
    *("longitude", "latitude", "result_score", "result_score_next", "result_label", "result_type"),
    *("result_id", "result_housenumber", "result_name", "result_street", "result_postcode"),
    *("result_city", "result_context", "result_citycode", "result_oldcitycode", "result_oldcity"),
    *("result_district", "result_status"),
)
"""What the Géoplateforme adds to addresses, in its order."""

ADDOK_ADDED = (
    *("latitude", "longitude", "result_label", "result_score", "result_score_next", "result_type"),
    *("result_id", "result_housenumber", "result_name", "result_postcode", "result_city"),
)

LONGEST = 200


@dataclasses.dataclass(frozen=True, kw_only=True)
class Place:
    """One address of the base; ``number`` is "" for a street, ``street`` for a commune."""

    number: str = ""
    street: str = ""
    postcode: str = "99001"
    city: str = "Toyville"
    lon: float = 2.35
    lat: float = 48.85

    @property
    def label(self) -> str:
        return " ".join(filter(None, (self.number, self.street, self.postcode, self.city)))

    @property
    def kind(self) -> str:
        return "housenumber" if self.number else "street" if self.street else "municipality"


class FakeGeocoder(FakeServer):
    """What is known, how badly it is served, and what was asked.

    `addok` makes it answer as addok-csv does. `errors` are the numbers of rows that the next
    answers give up with the status `error`.
    """

    def __init__(self, *places: Place, addok: bool = False) -> None:
        super().__init__(GeocoderHandler)
        self.places = list(places)
        self.addok = addok
        self.errors: list[set[int]] = []
        self.troubles: list[Trouble | None] = []
        self.asked: list[list[Row]] = []
        self.bodies: list[bytes] = []
        self.search = f"{self.url}/geocodage/search/csv"

    def answer(self, body: bytes, form: dict[str, list[str]]) -> tuple[int, bytes]:
        self.bodies.append(body)
        text = body.decode()
        if not self.addok and _splits_on_a_guess(text):
            # The delimiter is guessed from ten rows; one in the cells wins in small files.
            return _message("Errors in CSV file: TooManyFields")
        rows = list(csv.DictReader(io.StringIO(text, newline="")))
        self.asked.append(rows)
        unknown = [name for name in form["columns"] if name not in rows[0]]
        if unknown:
            return _message("At least one given column name is unknown")
        failing = self.errors.pop(0) if self.errors else set()
        answers = []
        for number, row in enumerate(rows, 1):
            question = " ".join(row[name].strip() for name in form["columns"]).strip()
            if self.addok and len(question) > LONGEST:
                words = f"Query too long, {len(question)} chars, limit is {LONGEST}"
                title = {"title": f"{words} (row number {number})"}
                return 413, json.dumps(title).encode()
            code = row[form["postcode"][0]] if "postcode" in form else ""
            match = self._match(question, code)
            if not self.addok and number in failing:
                match = {"result_status": "error"}
            answers.append(row | match)
        return 200, self._table([*rows[0]], answers)

    def _match(self, question: str, postcode: str) -> Row:
        if not self.addok and not _is_searched(question):
            return {"result_status": "skipped"}
        # The filter is to the letter, and without an answer in it nothing is said of others.
        known = [place for place in self.places if not postcode or place.postcode == postcode]
        scored = sorted(((score(question, place), -at) for at, place in enumerate(known)))[::-1]
        words = _names(question)
        near = [(value, known[-at]) for value, at in scored if words & _names(known[-at].label)]
        if not near:
            return {"result_status": "not-found"}
        value, place = near[0]
        if self.addok and round(value, 2) <= 0.5:
            return {}
        return {
            "longitude": str(place.lon),
            "latitude": str(place.lat),
            "result_score": str(round(value, 2) if self.addok else value),
            "result_label": place.label,
            "result_type": place.kind,
            "result_housenumber": place.number,
            "result_name": " ".join(filter(None, (place.number, place.street))) or place.city,
            "result_street": place.street if place.number else "",
            "result_postcode": place.postcode,
            "result_city": place.city,
            "result_status": "ok",
        }

    def _table(self, names: list[str], rows: list[Row]) -> bytes:
        out = io.StringIO(newline="")
        added = ADDOK_ADDED if self.addok else ADDED
        writer = csv.DictWriter(out, [*names, *added], restval="", extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
        return out.getvalue().encode()


class GeocoderHandler(Handler):
    """One request."""

    service: FakeGeocoder

    def post(self) -> None:
        form = dict(_form(self.headers["Content-Type"], self.body()))
        body = form.pop("data")[0].encode()
        code, content = self.service.answer(body, form)
        trouble = self.service.troubles.pop(0) if self.service.troubles else None
        if trouble is None:
            kind = "text/csv" if code == 200 else "application/json; charset=utf-8"
            self.reply(content, code=code, headers={"Content-Type": kind})
        else:
            trouble(self, content)

    def body(self) -> bytes:
        content: bytes = self.rfile.read(int(self.headers["Content-Length"]))
        return content


def score(question: str, place: Place) -> float:
    """Return how much alike a question and the nearest label are, by pieces of three letters."""
    name = " ".join(filter(None, (place.number, place.street))) or place.city
    asked = _pieces(question)
    labels = [_pieces(text) for text in (name, f"{name} {place.city}", place.label)]
    return max(2 * len(asked & known) / (len(asked) + len(known)) for known in labels)


def _names(text: str) -> set[str]:
    return set(re.findall("[a-z]{3,}", fold(text))) - {"rue", "avenue", "boulevard", "place"}


def _pieces(text: str) -> set[str]:
    text = f" {re.sub(r'[^a-z0-9]+', ' ', fold(text)).strip()} "
    return {text[at : at + 3] for at in range(len(text) - 2)}


def _is_searched(question: str) -> bool:
    first = question[:1]
    letter = first.lower() != first.upper()
    return 3 <= len(question) <= LONGEST and (letter or first in set("0123456789"))


def _splits_on_a_guess(text: str) -> bool:
    """Tell whether each row of a small file holds two of another delimiter outside quotes."""
    rows = [re.sub(r'"[^"]*"', "", line) for line in text.splitlines()[1:]]
    return any(1 < len(rows) < 10 and all(row.count(d) >= 2 for row in rows) for d in ";|")


def _message(words: str) -> tuple[int, bytes]:
    return 400, json.dumps({"code": 400, "message": words}).encode()


def _form(kind: str, body: bytes) -> Iterator[tuple[str, list[str]]]:
    form: Any = message_from_bytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + body)
    parts: dict[str, list[str]] = {}
    part: Message
    for part in form.get_payload():
        name = str(part.get_param("name", header="content-disposition"))
        content: Any = part.get_payload(decode=True)
        parts.setdefault(name, []).append(content.decode())
    yield from parts.items()
