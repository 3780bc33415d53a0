"""The geocoding service asked for many addresses: every row answered, or no answer at all.

It answers 200 for rows that it did not look for: `error` for an index that was away, `skipped` for
what it does not search. The first are asked again, as a server is that is away.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import re
from collections.abc import Mapping, Sequence

from quart_heure.errors import InputFileError, TryLaterError
from quart_heure.sources.online.addresses import Question
from quart_heure.sources.online.patience import host_of
from quart_heure.sources.online.web import Web, hopeless_status

_SENT = ("address", "postcode", "city")
_FIELDS: Mapping[str, str | Sequence[str]] = {"columns": _SENT, "postcode": "postcode"}
_OF_A_ROW = frozenset({400, 413})
_ROW_NUMBER = re.compile(r"\b(?:row number|row|line) (\d+)")
_LATER = "Run the same command later."

REFUSED = "refused"
"""Our own ``result_status`` of a row that the service refuses by its number, with ``why``."""

Match = Mapping[str, str]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Geocoder:
    """A geocoding service that takes a CSV file and gives it back with more columns.

    Parameters
    ----------
    web
        Asks it.
    url
        Its address.
    rows_at_once
        No request has more rows.
    """

    web: Web
    url: str
    rows_at_once: int

    def ask(self, questions: Sequence[Question]) -> list[Match]:
        """Return the service's row for each question, in the same order.

        Raises
        ------
        TryLaterError
            If it does not answer, or not to all rows, or says `error` of some to the end.
        InputFileError
            If it refuses the request as such.
        """
        found: list[Match] = []
        for begin in range(0, len(questions), self.rows_at_once):
            found += self._answered(questions[begin : begin + self.rows_at_once])
        return found

    def _answered(self, questions: Sequence[Question]) -> list[Match]:
        """Ask until no row is answered with `error`."""
        found: dict[int, Match] = {}
        waiting = list(range(len(questions)))
        patience = self.web.patience
        for pause_s in (*patience.pauses_s, None):
            answers = self._accepted([questions[at] for at in waiting])
            found.update(zip(waiting, answers, strict=True))
            waiting = [at for at in waiting if found[at].get("result_status") == "error"]
            if not waiting:
                break
            why = f"{host_of(self.url)}: status 'error' for {len(waiting)} of {len(questions)} rows"
            if pause_s is None:
                msg = f"The geocoding service did not look for all addresses ({why})."
                raise TryLaterError(msg, hint=f"{_LATER} Nothing was written.")
            self.web.say(f"addresses: {why}; trying again in {pause_s:.0f} s")
            patience.wait(pause_s)
        return [found[at] for at in range(len(questions))]

    def _accepted(self, questions: Sequence[Question]) -> list[Match]:
        """Ask without the rows for which the service would refuse the whole request."""
        refused: dict[int, Match] = {}
        while True:
            asked = [at for at in range(len(questions)) if at not in refused]
            if not asked:
                answers: list[Match] = []
                break
            try:
                answers = self._request([questions[at] for at in asked])
                break
            except InputFileError as error:
                at = _row_refused(error, len(asked))
                if at is None:
                    raise
                why = str(error.__cause__)
                self.web.say(f"addresses: a row is left out: {why}")
                refused[asked[at]] = {"result_status": REFUSED, "why": why}
        rows = iter(answers)
        return [refused[at] if at in refused else next(rows) for at in range(len(questions))]

    def _request(self, questions: Sequence[Question]) -> list[Match]:
        file = io.StringIO(newline="")
        # Quoted throughout: services guess the delimiter from what stands in the cells.
        writer = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_ALL)
        writer.writerow(_SENT)
        writer.writerows(dataclasses.astuple(question) for question in questions)
        text = self.web.csv("addresses", self.url, file=file.getvalue().encode(), fields=_FIELDS)
        try:
            rows = list(csv.DictReader(io.StringIO(text, newline=""), strict=True))
        except csv.Error as error:
            msg = f"The geocoding service answers with a table that is broken ({error})."
            raise TryLaterError(msg, hint=_LATER) from error
        # The answer repeats the question: that is how a row that is missing is noticed.
        echo = [Question(*(row.get(name) or "" for name in _SENT)) for row in rows]
        if echo != list(questions):
            counts = f"{len(rows)} rows, of {len(questions)}, or others"
            msg = f"The geocoding service answers to {counts}."
            raise TryLaterError(msg, hint=_LATER)
        return [{key: value or "" for key, value in row.items() if key} for row in rows]


def _row_refused(error: InputFileError, rows: int) -> int | None:
    """Return the position of the row that a server refuses the request for, if it names one."""
    named = _ROW_NUMBER.search(str(error.__cause__))
    if hopeless_status(error) not in _OF_A_ROW or named is None:
        return None
    at = int(named[1]) - 1
    return at if 0 <= at < rows else None
