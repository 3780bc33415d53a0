"""What scenarios change, in every format."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from quart_heure.analysis.answers import COMPOSITES
from quart_heure.files import replacing
from quart_heure.labels import (
    UNKNOWN,
    category_label,
    district_label,
    district_word,
    format_number,
    format_plain,
    heading,
    phrase,
    text,
    word,
)
from quart_heure.outputs.report.listing import Listing, Part, named_rows, private_lines, typed_rows
from quart_heure.outputs.report.variants import asked_lines
from quart_heure.outputs.results.csv import csv_text
from quart_heure.outputs.results.layers import write_geopackage
from quart_heure.outputs.results.manifest import json_text
from quart_heure.outputs.results.rows import printable
from quart_heure.outputs.runs.gaps import match_gaps
from quart_heure.schema import check_columns, table_columns
from quart_heure.study.what_if import Outcome, change_table

if TYPE_CHECKING:
    import geopandas as gpd

    from quart_heure.study.study import Study

_MOST_DISTRICTS = 12


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
        return csv_text(table, table_columns("scenario_changes"), private=study.private)
    if form == "json":
        content = {
            "format": "quart-heure-what-if/1",
            "area": study.area.name,
            "profile": study.profile.name,
            "person": study.person.name if study.person else "",
            "asked": asked_lines(study, lang),
            "threshold_min": study.threshold_min,
            "private": study.private,
            "scenarios": [_about(one) for one in outcomes],
            "scenario_changes": typed_rows(table, "scenario_changes"),
            "scenario_gaps": typed_rows(
                pd.DataFrame(gap_changes(outcomes).drop(columns="geometry")), "scenario_gaps"
            ),
        }
        return json_text(content) + "\n"
    return _listing(outcomes, lang).drawn(form, lang, width=width, colour=colour)


def write_what_if(outcomes: Sequence[Outcome], path: Path) -> None:
    """Write the gaps that change as a layer of a GeoPackage, and who gains and loses beside it."""
    layers = {"scenario_gaps": gap_changes(outcomes), "scenario_changes": change_table(outcomes)}
    for name, table in layers.items():
        check_columns(table, name)
    with replacing(path) as temporary:
        temporary.unlink()
        write_geopackage(layers, temporary, manifest={"scenarios": [*map(_about, outcomes)]})


def _about(one: Outcome) -> dict[str, Any]:
    return {
        "name": one.scenario.name,
        "description": one.scenario.description,
        "profile": one.study.profile.name,
        "threshold_min": one.study.threshold_min,
        "asked": asked_lines(one.study, "en"),
        "touched": list(one.touched),
        "notes": [{"why": note.why, "about": printable(note.about)} for note in one.notes],
    }


def _listing(outcomes: Sequence[Outcome], lang: str) -> Listing:
    study = outcomes[0].base.study
    counted = "what_if_note" if study.residents is not None else "what_if_note_area"
    lines = [
        *private_lines(study, lang),
        *map(printable, asked_lines(study, lang)),
        phrase(counted, lang, threshold=format_plain(study.threshold_min, lang)),
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
        for note in one.notes:
            about = {"scenario": name, "threshold": format_plain(one.study.threshold_min, lang)}
            about["about"] = printable(category_label(note.about, lang, study.catalogue))
            lines.append(phrase(f"what_if_{note.why}", lang, **about))
        changed = one.changes[(one.changes["ha_gained"] > 0) | (one.changes["ha_lost"] > 0)]
        if changed.empty:
            lines.append(phrase("what_if_same", lang, scenario=name))
            continue
        city = changed[changed["level"] == "city"]
        parts.append(_part(one, city, phrase("what_if_all", lang, scenario=name), lang))
        below = changed[(changed["level"] != "city") & _told(changed, study)]
        if len(below):
            title = phrase("what_if_districts", lang, scenario=name)
            parts.append(_part(one, below, title, lang, districts=True))
        parts += _gap_part(one, lang)
    if len(outcomes) > 1:
        parts.insert(0, _beside(outcomes, lang))
    return Listing(phrase("what_if_title", lang, area=printable(study.area.name)), lines, parts)


def _told(changed: pd.DataFrame, study: Study) -> pd.Series[bool]:
    """Tell which rows of changes are more than nobody, or where residents are not known, any."""
    if study.residents is None:
        return pd.Series(True, index=changed.index)
    told: pd.Series[bool] = changed[["residents_gained", "residents_lost"]].max(axis=1) >= 0.5
    return told


def _beside(outcomes: Sequence[Outcome], lang: str) -> Part:
    """Return what each category covers today and in each scenario, side by side."""
    study = outcomes[0].base.study
    people = study.residents is not None
    share = "residents_covered_pct" if people else "ha_covered"
    cities = [one.changes[one.changes["level"] == "city"] for one in outcomes]
    first = cities[0]
    columns = [first[f"{share}_before"], *(city[f"{share}_after"] for city in cities)]
    rows = [
        [
            printable(category_label(category, lang, study.catalogue)),
            *(format_number(value, lang, 1) for value in values),
        ]
        for category, *values in zip(first["category"], *columns, strict=True)
    ]
    names = [printable(one.scenario.name) for one in outcomes]
    head = [heading("category", lang), phrase("what_if_today", lang), *names]
    title = phrase("what_if_beside_residents" if people else "what_if_beside_area", lang)
    return Part(title, head, 1, rows)


def gap_changes(outcomes: Sequence[Outcome]) -> gpd.GeoDataFrame:
    """Return the gaps that open, close, grow and shrink in each scenario, matched by place.

    Columns ``scenario`` and those of `quart_heure.outputs.runs.gaps.match_gaps`.
    """
    import geopandas as gpd  # noqa: PLC0415 - see the design: heavy imports wait

    tables = []
    for one in outcomes:
        found = match_gaps(*one.gaps)
        found = found[found["change"] != "same"].reset_index(drop=True)
        found.insert(0, "scenario", one.scenario.name)
        tables.append(found)
    stacked = pd.concat([table for table in tables if len(table)] or tables[:1], ignore_index=True)
    return gpd.GeoDataFrame(stacked, crs=outcomes[0].base.study.area.crs)


def _gap_part(one: Outcome, lang: str) -> list[Part]:
    """Return the gaps that change, those of most people first."""
    study = one.base.study
    gaps = pd.DataFrame(gap_changes([one]).drop(columns="geometry"))
    if gaps.empty:
        return []
    people = study.residents is not None
    unit, decimals = ("residents", 0) if people else ("area", 1)
    ends = [f"{unit}_before", f"{unit}_after"] if people else ["area_before_ha", "area_after_ha"]
    moved = (gaps[ends[1]] - gaps[ends[0]]).abs()
    gaps = gaps.loc[moved.sort_values(ascending=False, kind="stable").index]
    districts = study.area.districts
    labels = dict(zip(districts["district_id"], districts["label"], strict=True))
    rows = [
        [
            word(f"gap_{row.change}", lang),
            printable(category_label(_gap_key(row.category), lang, study.catalogue)),
            printable(row.street) or UNKNOWN,
            printable(str(labels.get(row.district_id, ""))) or UNKNOWN,
            *(format_number(getattr(row, name), lang, decimals) for name in ends),
        ]
        for row in named_rows(gaps.head(_MOST_DISTRICTS))
    ]
    told = text("runs.residents" if people else "runs.area_ha", lang)
    head = [
        text("runs.change", lang),
        heading("category", lang),
        heading("street", lang),
        district_word(districts["label"], lang).capitalize(),
        f"{told}, {text('runs.before', lang).lower()}",
        f"{told}, {phrase('what_if_then', lang)}",
    ]
    title = phrase("what_if_gaps", lang, scenario=printable(one.scenario.name))
    return [Part(title, head, 4, rows, more=max(len(gaps) - _MOST_DISTRICTS, 0))]


def _gap_key(category: str) -> str:
    return f"{category}_gap" if category in COMPOSITES else category


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
