"""What scenarios change, in every format."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from quart_heure.categories import RESERVED_IDS
from quart_heure.labels import (
    category_label,
    district_label,
    format_number,
    format_plain,
    heading,
    phrase,
    text,
    word,
)
from quart_heure.outputs.report.listing import Listing, Part, named_rows, typed_rows
from quart_heure.outputs.report.variants import asked_lines
from quart_heure.outputs.results.csv import csv_text
from quart_heure.outputs.results.manifest import json_text
from quart_heure.outputs.results.rows import printable
from quart_heure.outputs.runs.gaps import match_gaps
from quart_heure.schema import check_columns, table_columns
from quart_heure.study.what_if import Outcome, change_table

WHAT_IF_FORMAT = "quart-heure-what-if/1"

_MOST_DISTRICTS = 12
_MOST_GAPS = 8


def render_what_if(
    outcomes: Sequence[Outcome],
    *,
    form: str,
    lang: str = "fr",
    width: int = 100,
    colour: bool = False,
) -> str:
    """Write what scenarios change: ``table`` for a terminal, ``csv``, ``json`` or ``md``.

    Nothing of it names a discreet place: scenarios cannot, and figures are of districts.
    """
    table = change_table(outcomes)
    check_columns(table, "scenario_changes")
    study = outcomes[0].base.study
    if form == "csv":
        return csv_text(table, table_columns("scenario_changes"))
    if form == "json":
        content = {
            "format": WHAT_IF_FORMAT,
            "area": study.area.name,
            "profile": study.profile.name,
            "person": study.person.name if study.person else "",
            "asked": asked_lines(study, lang),
            "threshold_min": study.threshold_min,
            "scenarios": [_about(one) for one in outcomes],
            "scenario_changes": typed_rows(table, "scenario_changes"),
            "gaps": [
                {"scenario": one.scenario.name, **row}
                for one in outcomes
                for row in typed_rows(_gaps(one), "gap_changes")
            ],
        }
        return json_text(content) + "\n"
    return _listing(outcomes, lang).drawn(form, lang, width=width, colour=colour)


def _about(one: Outcome) -> dict[str, Any]:
    return {
        "name": one.scenario.name,
        "description": one.scenario.description,
        "profile": one.study.profile.name,
        "threshold_min": one.study.threshold_min,
        "asked": asked_lines(one.study, "en"),
    }


def _gaps(one: Outcome) -> pd.DataFrame:
    """Return the gaps that a scenario opens, closes, grows or shrinks, matched by place."""
    found = match_gaps(one.base.gaps, one.coverage.gaps)
    return pd.DataFrame(found[found["change"] != "same"].drop(columns="geometry"))


def _listing(outcomes: Sequence[Outcome], lang: str) -> Listing:
    study = outcomes[0].base.study
    note = "what_if_note" if study.residents is not None else "what_if_note_area"
    lines = [
        *map(printable, asked_lines(study, lang)),
        phrase(note, lang, threshold=format_plain(study.threshold_min, lang)),
    ]
    parts: list[Part] = []
    for one in outcomes:
        name = printable(one.scenario.name)
        if one.scenario.changes_question:
            minutes = format_plain(one.study.threshold_min, lang)
            walker = printable(one.study.profile.name)
            about = {"scenario": name, "profile": walker, "threshold": minutes}
            lines.append(phrase("what_if_asked", lang, **about))
            lines += [printable(line) for line in asked_lines(one.study, lang)]
        changed = one.changes[(one.changes["ha_gained"] > 0) | (one.changes["ha_lost"] > 0)]
        if changed.empty:
            lines.append(phrase("what_if_same", lang, scenario=name))
            continue
        city = changed[changed["level"] == "city"]
        parts.append(_part(one, city, phrase("what_if_all", lang, scenario=name), lang))
        below = changed[changed["level"] != "city"]
        if len(below):
            title = phrase("what_if_districts", lang, scenario=name)
            parts.append(_part(one, below, title, lang, districts=True))
        gaps = _gaps(one)
        if len(gaps):
            parts.append(_gap_part(one, gaps, phrase("what_if_gaps", lang, scenario=name), lang))
    return Listing(phrase("what_if_title", lang, area=printable(study.area.name)), lines, parts)


def _part(
    one: Outcome, changed: pd.DataFrame, title: str, lang: str, *, districts: bool = False
) -> Part:
    """Return a table of changes; of districts, those where most changes."""
    study = one.base.study
    people = study.residents is not None
    unit = "residents" if people else "ha"
    if districts:
        moved = changed[f"{unit}_gained"] + changed[f"{unit}_lost"]
        changed = changed.loc[moved.sort_values(ascending=False, kind="stable").index]
    shown = changed.head(_MOST_DISTRICTS) if districts else changed
    share = "residents_covered_pct" if people else "ha_covered"
    ends = ("change_before", "change_after")
    names = ends if people else tuple(f"{name}_ha" for name in ends)
    if len(shown) < len(changed):
        title += phrase("what_if_first", lang, n=len(shown), all=len(changed))
    head = [heading(name, lang) for name in ("category", "change_gained", "change_lost", *names)]
    rows = []
    for row in named_rows(shown):
        amounts = [getattr(row, f"{unit}_gained"), getattr(row, f"{unit}_lost")]
        shares = [getattr(row, f"{share}_before"), getattr(row, f"{share}_after")]
        rows.append(
            [
                *([printable(district_label(row.label, lang))] if districts else []),
                printable(category_label(row.category, lang, study.catalogue)),
                *(format_number(amount, lang) for amount in amounts),
                *(format_number(value, lang, 1) for value in shares),
            ]
        )
    if districts:
        head = [heading("change_district", lang), *head]
    return Part(title, head, 2 if districts else 1, rows)


def _gap_part(one: Outcome, gaps: pd.DataFrame, title: str, lang: str) -> Part:
    names = one.base.basis.districts.names.set_index("district_id")["label"]
    size = gaps[["area_before_ha", "area_after_ha"]].max(axis=1)
    shown = gaps.loc[size.sort_values(ascending=False, kind="stable").index].head(_MOST_GAPS)
    if len(shown) < len(gaps):
        title += phrase("what_if_gaps_first", lang, n=len(shown), all=len(gaps))
    rows = []
    for row in named_rows(shown):
        ends = [
            f"{format_number(before, lang, decimals)} → {format_number(after, lang, decimals)}"
            for before, after, decimals in (
                (row.area_before_ha, row.area_after_ha, 1),
                (row.residents_before, row.residents_after, 0),
            )
        ]
        composite = row.category in RESERVED_IDS
        label = (
            word(f"{row.category}_gap", lang)
            if composite
            else category_label(row.category, lang, one.base.study.catalogue)
        )
        district = district_label(str(names.get(row.district_id, "")), lang)
        told = [word(f"gap_{row.change}", lang), label, district, row.street]
        rows.append([*map(printable, told), *ends])
    columns = ("change", "district", "street", "area_ha", "residents")
    head = [text(f"runs.{name}", lang) for name in columns]
    return Part(title, [head[0], heading("category", lang), *head[1:]], 4, rows)
