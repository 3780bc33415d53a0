"""The phone list in every format: whom to ask what, and what the answer would tell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from quart_heure.labels import (
    LANGUAGES,
    category_label,
    district_label,
    format_number,
    heading,
    phrase,
    word,
)
from quart_heure.outputs.discretion import publishable
from quart_heure.outputs.hour_words import hours_told, person_words
from quart_heure.outputs.proposals.proposal import Proposal
from quart_heure.outputs.report.listing import Listing, Part, named_rows, private_lines, typed_rows
from quart_heure.outputs.results.csv import csv_text
from quart_heure.outputs.results.manifest import describe_run, json_text
from quart_heure.outputs.results.rows import printable
from quart_heure.schema import check_columns, table_columns

if TYPE_CHECKING:
    from quart_heure.study.coverage import Coverage
    from quart_heure.study.study import Study

_SHOWN = 20


def render_calls(
    calls: pd.DataFrame,
    study: Study,
    *,
    form: str,
    lang: str = "fr",
    width: int = 100,
    colour: bool = False,
) -> str:
    """Write a phone list: ``table`` for a terminal, ``csv``, ``json`` or ``md``."""
    check_columns(calls, "calls")
    if form == "csv":
        return csv_text(calls, table_columns("calls"), private=study.private)
    if form == "json":
        content = {
            "format": "quart-heure-calls/1",
            "area": study.area.name,
            "private": study.private,
            "profile": study.profile.name,
            "person": study.person.name if study.person else "",
            "asked": _asked(study, lang),
            "threshold_min": study.threshold_min,
            "unit": _unit(study),
            "calls": typed_rows(calls, "calls"),
        }
        return json_text(content) + "\n"
    return calls_listing(calls, study, lang).drawn(form, lang, width=width, colour=colour)


def calls_listing(calls: pd.DataFrame, study: Study, lang: str) -> Listing:
    """Return what is said of a phone list, in words and a table for people."""
    title = phrase("calls_title", lang, area=study.area.name)
    asked = [*private_lines(study, lang), *_asked(study, lang)]
    if calls.empty:
        return Listing(title, [*asked, phrase("calls_none", lang)], [])
    return Listing(title, [*asked, phrase("calls_note", lang)], [_part(calls, study, lang)])


def calls_proposal(calls: pd.DataFrame, coverage: Coverage) -> Proposal:
    """Return a phone list as a proposal that pages show and a folder keeps."""
    check_columns(calls, "calls")
    study = coverage.study
    return Proposal(
        kind="calls",
        category="",
        tables={"calls": calls},
        said={lang: calls_listing(calls, study, lang).said() for lang in LANGUAGES},
        answer={"calls": len(calls), "unit": _unit(study)},
        run=describe_run(publishable(coverage)),
    )


def _unit(study: Study) -> str:
    return "people" if study.residents is not None else "ha"


def _part(calls: pd.DataFrame, study: Study, lang: str) -> Part:
    unit = "calls_residents" if study.residents is not None else "calls_area"
    districts = study.area.districts
    labels = dict(zip(districts["district_id"], districts["label"], strict=True))
    columns = ("rank", "calls_whom", "category", "calls_what", "gain_if_yes", "gain_if_no")
    rows = []
    for row in named_rows(calls.head(_SHOWN)):
        label = str(labels.get(row.district_id, ""))
        where = (row.name, row.address, district_label(label, lang) if label else "")
        rows.append(
            [
                str(row.rank),
                ", ".join(printable(str(part)) for part in where if part),
                category_label(row.category, lang, study.catalogue),
                ", ".join(word(f"ask_{ask}", lang) for ask in row.asks.split(";")),
                *(format_number(n, lang) for n in (row.gain_if_yes, row.gain_if_no)),
            ]
        )
    more = max(len(calls) - _SHOWN, 0)
    return Part(phrase(unit, lang), [heading(name, lang) for name in columns], 4, rows, more)


def _asked(study: Study, lang: str) -> list[str]:
    """Say for which hour and whom the list is; nothing where neither was asked."""
    lines, moment = [], study.moment
    if moment is not None:
        ends = {"at": moment.start, "until": moment.end}
        told: dict[str, Any] = {k: str(end) for k, end in ends.items() if end is not None}
        hours = hours_told({**told, "stay_min": study.stay_min}, lang)
        lines += [hours["sentence"]] if hours else []
    if study.person is not None:
        who = ", ".join(person_words({"person": study.person.name}, lang))
        lines.append(phrase("for_whom", lang, person=who))
    return lines
