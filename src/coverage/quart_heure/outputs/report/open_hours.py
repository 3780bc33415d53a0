"""When to open, in every format."""

from __future__ import annotations

from quart_heure.labels import category_label, format_number, heading, phrase, word
from quart_heure.outputs.report.listing import Listing, Part, named_rows, private_lines, typed_rows
from quart_heure.outputs.results.csv import csv_text
from quart_heure.outputs.results.manifest import json_text
from quart_heure.outputs.results.rows import printable
from quart_heure.schema import check_columns, table_columns
from quart_heure.study.open_hours import OpenHours


def render_hours(
    found: OpenHours, *, form: str, lang: str = "fr", width: int = 100, colour: bool = False
) -> str:
    """Write windows: ``table`` for a terminal, ``csv``, ``json`` or ``md``."""
    check_columns(found.windows, "windows")
    study = found.coverage.study
    if form == "csv":
        return csv_text(found.windows, table_columns("windows"), private=study.private)
    people = study.residents is not None
    if form == "json":
        content = {
            "format": "quart-heure-hours/1",
            "area": study.area.name,
            "private": study.private,
            "category": found.category,
            "profile": study.profile.name,
            "threshold_min": study.threshold_min,
            "unit": "people × h" if people else "ha × h",
            "week_of": found.coverage.manifest["parameters"]["week_of"],
            "hours": found.hours,
            "value": round(found.value, 1),
            "bound": round(found.bound, 1),
            "wanted": round(found.wanted, 1),
            "proven": found.proven,
            "stopped": found.stopped,
            "windows": typed_rows(found.windows, "windows"),
        }
        return json_text(content) + "\n"
    label = category_label(found.category, lang, study.catalogue)
    title = phrase("hours_title", lang, area=study.area.name, category=label)
    unit = word("residents", lang) if people else "ha"
    lines = [
        phrase(
            "hours_gain",
            lang,
            n=format_number(found.value, lang),
            unit=unit,
            threshold=format_number(study.threshold_min, lang),
        )
    ]
    k = len(found.windows)
    if found.proven:
        lines.append(phrase("hours_proven", lang, k=found.count, hours=found.hours))
    else:
        gap = 100 * (found.bound - found.value) / found.value
        lines.append(
            phrase(
                "hours_bound",
                lang,
                k=found.count,
                hours=found.hours,
                bound=format_number(found.bound, lang),
                gap=format_number(gap, lang, 2),
                unit=unit,
            )
        )
    if k < found.count:
        lines.append(phrase("hours_fewer", lang, k=k, n=found.count))
    if found.stopped:
        lines.append(phrase("site_stopped", lang))
    lines.append(phrase("hours_note", lang, hours=found.hours))
    rows = [
        [
            str(row.rank),
            printable(row.name) or printable(row.service_id),
            f"{word(f'day_{row.day - 1}', lang)} {row.from_hour}–{row.to_hour} h",
            format_number(row.gain_added, lang),
            format_number(row.gain_at_least, lang),
            format_number(row.people, lang),
        ]
        for row in named_rows(found.windows)
    ]
    head = [
        heading(key, lang)
        for key in ("rank", "name", "window", "window_added", "window_at_least", "window_people")
    ]
    parts = [Part(phrase("hours_windows", lang), head, 3, rows)]
    return Listing(title, [*private_lines(study, lang), *lines], parts).drawn(
        form, lang, width=width, colour=colour
    )
