"""Crosschecks in every format."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from quart_heure.files import replacing
from quart_heure.labels import category_label, district_word, format_number, heading, phrase, word
from quart_heure.outputs.report.listing import Listing, Part, named_rows, private_lines, typed_rows
from quart_heure.outputs.results.csv import csv_text
from quart_heure.outputs.results.layers import write_geopackage
from quart_heure.outputs.results.manifest import json_text
from quart_heure.outputs.results.rows import printable
from quart_heure.schema import check_columns, table_columns
from quart_heure.study.crosscheck import Crosscheck
from quart_heure.study.study import Study

_SHOWN = 12


def render_crosscheck(
    found: Crosscheck, *, form: str, lang: str = "fr", width: int = 100, colour: bool = False
) -> str:
    """Write a crosscheck: ``table`` for a terminal, ``csv`` (the agreement), ``json`` or ``md``."""
    check_columns(found.agreement, "crosscheck")
    study = found.coverage.study
    if form == "csv":
        return csv_text(found.agreement, table_columns("crosscheck"), private=study.private)
    zones = pd.DataFrame(found.zones.drop(columns="geometry"))
    streets = pd.DataFrame(found.streets.drop(columns="geometry"))
    if form == "json":
        content = {
            "format": "quart-heure-crosscheck/1",
            "area": study.area.name,
            "private": study.private,
            "profile": study.profile.name,
            "threshold_min": study.threshold_min,
            "by": "residents" if study.residents is not None else "area",
            "networks": [_about(each.study) for each in (found.coverage, found.other)],
            "mean_points": round(found.mean_points, 3),
            "worst_points": round(found.worst_points, 3),
            "same_pct": round(found.same_pct, 3),
            "explained_pct": None
            if found.explained_pct != found.explained_pct
            else round(found.explained_pct, 1),
            "agreement": typed_rows(found.agreement, "crosscheck"),
            "zones": typed_rows(zones, "crosscheck_zones"),
            "streets": typed_rows(streets, "crosscheck_streets"),
        }
        return json_text(content) + "\n"
    title = phrase("crosscheck_title", lang, area=study.area.name)
    people = "residents" if study.residents is not None else "area"
    lines = [
        phrase(
            f"crosscheck_{people}",
            lang,
            same=format_number(found.same_pct, lang, 1),
            mean=format_number(found.mean_points, lang, 1),
            worst=format_number(found.worst_points, lang, 1),
        ),
        phrase("crosscheck_networks", lang, here=_named(study), other=_named(found.other.study)),
    ]
    if found.explained_pct == found.explained_pct:
        explained = format_number(found.explained_pct, lang)
        lines.append(phrase("crosscheck_explained", lang, pct=explained))
    parts = [_categories(found, lang), _worst(found, lang)]
    parts += [_zones(found, zones, lang), _streets(streets, study, lang)]
    return Listing(title, [*private_lines(study, lang), *lines], parts).drawn(
        form, lang, width=width, colour=colour
    )


def write_crosscheck(found: Crosscheck, path: Path) -> None:
    """Write the zones and the streets as layers of a GeoPackage, with the agreement beside them."""
    check_columns(found.zones, "crosscheck_zones")
    check_columns(found.streets, "crosscheck_streets")
    layers = {
        "zones": found.zones,
        "streets": found.streets,
        "agreement": found.agreement,
    }
    about = {
        "networks": [_about(each.study) for each in (found.coverage, found.other)],
        "attribution": list(found.coverage.manifest.get("attribution", [])),
        "mean_points": found.mean_points,
        "worst_points": found.worst_points,
    }
    with replacing(path) as temporary:
        temporary.unlink()
        write_geopackage(layers, temporary, manifest=about)


def _about(study: Study) -> dict[str, str]:
    known = next((dict(one) for one in study.provenance if one["role"] == "network"), {})
    wanted = ("file", "sha256", "date", "source", "licence")
    return {key: printable(str(known.get(key, ""))) for key in wanted}


def _named(study: Study) -> str:
    about = _about(study)
    return f"{about['file']} ({about['date']})" if about["date"] else about["file"]


def _unit(study: Study, lang: str) -> str:
    return district_word(study.area.districts["label"], lang).capitalize()


def _categories(found: Crosscheck, lang: str) -> Part:
    study = found.coverage.study
    table = found.agreement[found.agreement["level"] == "city"]
    columns = ("category", "covered_pct", "covered_other_pct", "difference_points", "same_pct")
    rows = [
        [
            category_label(row.category, lang, study.catalogue),
            *(format_number(getattr(row, name), lang, 1) for name in columns[1:]),
        ]
        for row in named_rows(table)
    ]
    head = [heading("category", lang), *(heading(f"crosscheck_{c}", lang) for c in columns[1:])]
    return Part(study.area.name, head, 1, rows)


def _worst(found: Crosscheck, lang: str) -> Part:
    """Return the districts and categories that differ most."""
    study, table = found.coverage.study, found.agreement
    table = table[table["level"] == "district"]
    order = table["difference_points"].abs().sort_values(ascending=False, kind="stable").index
    table = table.loc[order]
    table = table[table["difference_points"].abs() >= 0.1]
    columns = ("covered_pct", "covered_other_pct", "difference_points")
    rows = [
        [
            printable(row.label),
            category_label(row.category, lang, study.catalogue),
            *(format_number(getattr(row, name), lang, 1) for name in columns),
        ]
        for row in named_rows(table.head(_SHOWN))
    ]
    head = [
        _unit(study, lang),
        heading("category", lang),
        *(heading(f"crosscheck_{name}", lang) for name in columns),
    ]
    title = phrase("crosscheck_worst", lang)
    return Part(title, head, 2, rows, max(0, len(table) - _SHOWN))


def _zones(found: Crosscheck, zones: pd.DataFrame, lang: str) -> Part:
    study = found.coverage.study
    districts = study.area.districts
    labels = dict(zip(districts["district_id"], districts["label"], strict=True))
    people = study.residents is not None
    rows = [
        [
            printable(row.street) or "—",
            printable(str(labels.get(row.district_id, row.district_id))),
            category_label(row.category, lang, study.catalogue),
            word(f"crosscheck_{row.covered_by}", lang),
            format_number(row.residents if people else row.area_ha, lang),
            format_number(row.minutes_here, lang),
            format_number(row.minutes_other, lang),
        ]
        for row in named_rows(zones.head(_SHOWN))
    ]
    names = ("category", "crosscheck_covered_by", "residents" if people else "area_ha")
    minutes = ("crosscheck_minutes_here", "crosscheck_minutes_other")
    head = [
        heading("street", lang),
        _unit(study, lang),
        *(heading(name, lang) for name in (*names, *minutes)),
    ]
    more = max(0, len(zones) - _SHOWN)
    return Part(phrase("crosscheck_zones", lang), head, 4, rows, more)


def _streets(streets: pd.DataFrame, study: Study, lang: str) -> Part:
    rows = [
        [
            printable(row.street) or (f"way {row.osm_id}" if row.osm_id else printable(row.kind)),
            word(f"crosscheck_{row.network}", lang),
            ", ".join(category_label(c, lang, study.catalogue) for c in row.categories.split(";")),
            format_number(row.lacking_m, lang),
            format_number(row.walkers, lang),
        ]
        for row in named_rows(streets.head(_SHOWN))
    ]
    names = ("street", "crosscheck_network", "category")
    head = [heading(name, lang) for name in (*names, "crosscheck_lacking_m", "crosscheck_walkers")]
    more = max(0, len(streets) - _SHOWN)
    return Part(phrase("crosscheck_streets", lang), head, 3, rows, more)
