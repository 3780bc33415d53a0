"""Closures that hurt most, and buildings that hold several categories, in every format."""

from __future__ import annotations

import pandas as pd

from quart_heure.labels import (
    category_label,
    district_word,
    format_number,
    format_pct,
    format_plain,
    heading,
    text,
)
from quart_heure.outputs.report.listing import Listing, Part, named_rows, private_lines, typed_rows
from quart_heure.outputs.results.csv import csv_text
from quart_heure.outputs.results.manifest import json_text
from quart_heure.outputs.results.rows import printable
from quart_heure.schema import check_columns, table_columns
from quart_heure.study.closures import Closures


def render_closures(
    found: Closures,
    buildings: pd.DataFrame,
    *,
    form: str,
    lang: str = "fr",
    width: int = 100,
    colour: bool = False,
) -> str:
    """Write closures: ``table`` for a terminal, ``csv`` (the closures), ``json`` or ``md``."""
    check_columns(found.table, "closures")
    check_columns(buildings, "shared_buildings")
    study = found.coverage.study
    if form == "csv":
        return csv_text(found.table, table_columns("closures"), private=study.private)
    if form == "json":
        content = {
            "format": "quart-heure-closures/1",
            "area": study.area.name,
            "category": found.category,
            "count": found.count,
            "profile": study.profile.name,
            "threshold_min": study.threshold_min,
            "private": study.private,
            "by": "residents" if study.residents is not None else "area",
            "proven": found.proven,
            "bound": round(found.bound, 1),
            "closures": typed_rows(found.table, "closures"),
            "buildings": typed_rows(buildings, "shared_buildings"),
        }
        return json_text(content) + "\n"
    return _listing(found, buildings, lang).drawn(form, lang, width=width, colour=colour)


def _listing(found: Closures, buildings: pd.DataFrame, lang: str) -> Listing:
    study = found.coverage.study
    people = study.residents is not None
    about = {
        "area": printable(study.area.name),
        "category": category_label(found.category, lang, study.catalogue),
        "n": found.count,
    }
    title = text("closures.title", lang, **about)
    lines = private_lines(study, lang)
    note = "closures.note" if people else "closures.note_area"
    lines.append(text(note, lang, threshold=format_plain(study.threshold_min, lang)))
    if found.table.empty:
        lines.append(text("closures.none", lang, n=found.count))
    elif found.proven:
        lines.append(text("closures.proven", lang))
    else:
        lines.append(text("closures.bound", lang, bound=format_number(found.bound, lang)))
    return Listing(title, lines, [_sets(found, lang), _buildings(found, buildings, lang)])


def _sets(found: Closures, lang: str) -> Part:
    lost = "residents_lost" if found.coverage.study.residents is not None else "ha_lost"
    rows = [
        [
            str(row.rank),
            printable(row.names),
            format_number(getattr(row, lost), lang),
            format_pct(row.lost_pct, lang, 0),
            format_number(row.together, lang),
        ]
        for row in named_rows(found.table)
    ]
    columns = ("names", "lost", "pct", "together")
    head = ["", *(text(f"closures.{name}", lang) for name in columns)]
    return Part(text("closures.sets", lang), head, 2, rows)


def _buildings(found: Closures, buildings: pd.DataFrame, lang: str) -> Part:
    study = found.coverage.study
    people = study.residents is not None
    districts = study.area.districts
    labels = dict(zip(districts["district_id"], districts["label"], strict=True))
    rows = [
        [
            printable(row.names),
            printable(row.street) or "—",
            printable(str(labels.get(row.district_id, ""))) or "—",
            ", ".join(category_label(c, lang, study.catalogue) for c in row.categories.split(";")),
            format_number(row.residents_lost if people else row.ha_lost, lang),
            *([format_number(row.residents_lost_several, lang)] if people else []),
        ]
        for row in named_rows(buildings)
    ]
    head = [
        text("closures.names", lang),
        heading("street", lang),
        district_word(districts["label"], lang).capitalize(),
        text("closures.categories", lang),
        text("closures.building_lost", lang),
        *([text("closures.several", lang)] if people else []),
    ]
    return Part(text("closures.buildings", lang), head, 4, rows)
