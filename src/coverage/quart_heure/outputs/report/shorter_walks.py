"""Shorter walks in every format."""

from __future__ import annotations

import pandas as pd
import shapely

from quart_heure.labels import category_label, district_word, format_number, heading, phrase
from quart_heure.outputs.degrees import degrees_of
from quart_heure.outputs.report.listing import Listing, Part, named_rows, private_lines, typed_rows
from quart_heure.outputs.results.csv import csv_text
from quart_heure.outputs.results.manifest import json_text
from quart_heure.outputs.results.rows import printable
from quart_heure.schema import check_columns, table_columns
from quart_heure.study.shorter_walks import ShorterWalks


def render_walks(
    found: ShorterWalks, *, form: str, lang: str = "fr", width: int = 100, colour: bool = False
) -> str:
    """Write sites: ``table`` for a terminal, ``csv``, ``json`` (with their places) or ``md``."""
    check_columns(found.sites, "walk_sites")
    study = found.coverage.study
    plain = pd.DataFrame(found.sites.drop(columns="geometry"))
    if form == "csv":
        columns = [column for column in table_columns("walk_sites") if column.files != "layers"]
        return csv_text(plain, columns, private=study.private)
    if form == "json":
        xy = shapely.get_coordinates(found.sites.geometry.to_numpy())
        places = degrees_of(xy, found.sites.crs).round(6).tolist()
        sites = typed_rows(plain, "walk_sites")
        content = {
            "format": "quart-heure-walk/1",
            "area": study.area.name,
            "private": study.private,
            "category": found.category,
            "profile": study.profile.name,
            "threshold_min": study.threshold_min,
            "unit": "people" if study.residents is not None else "ha",
            "longest_min": found.longest_min,
            "mean_min": round(found.mean_min, 3),
            "mean_after_min": round(found.mean_after_min, 3),
            "model_after_min": round(found.model_after_min, 3),
            "least_after_min": round(found.least_after_min, 3),
            "sites": [
                {**site, "longitude": lon, "latitude": lat}
                for site, (lon, lat) in zip(sites, places, strict=True)
            ],
        }
        return json_text(content) + "\n"
    label = category_label(found.category, lang, study.catalogue)

    def minutes(value: float) -> str:
        return format_number(value, lang, 1)

    lines = [
        phrase(
            "walk_mean",
            lang,
            after=minutes(found.mean_after_min),
            before=minutes(found.mean_min),
            longest=format_number(found.longest_min, lang),
        ),
        phrase(
            "walk_bound",
            lang,
            k=len(found.sites),
            least=format_number(found.least_after_min, lang, 2),
            model=format_number(found.model_after_min, lang, 2),
        ),
    ]
    labels = dict(
        zip(study.area.districts["district_id"], study.area.districts["label"], strict=True)
    )
    rows = [
        [
            str(row.rank),
            printable(row.name) or printable(row.street) or printable(row.candidate_id),
            printable(row.crossing),
            printable(str(labels.get(row.district_id, row.district_id))),
            format_number(row.minutes_saved, lang, 2),
            format_number(row.people_nearer, lang),
        ]
        for row in named_rows(plain)
    ]
    unit = district_word(study.area.districts["label"], lang).capitalize()
    head = [heading(key, lang) for key in ("rank", "street", "crossing")]
    head += [unit, heading("walk_saved", lang), heading("walk_nearer", lang)]
    title = phrase("walk_title", lang, area=study.area.name, category=label)
    parts = [Part(phrase("site_sites", lang), head, 4, rows)]
    return Listing(title, [*private_lines(study, lang), *lines], parts).drawn(
        form, lang, width=width, colour=colour
    )
