"""Where next, in words and figures: proposed sites, other choices, gaps, in every format."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from quart_heure.files import replacing
from quart_heure.labels import (
    LANGUAGES,
    category_label,
    district_label,
    format_number,
    format_plain,
    heading,
    phrase,
    word,
)
from quart_heure.outputs.degrees import degrees_of
from quart_heure.outputs.discretion import publishable
from quart_heure.outputs.proposals.proposal import Proposal
from quart_heure.outputs.report.listing import Listing, Part, named_rows, private_lines, typed_rows
from quart_heure.outputs.results.csv import csv_text
from quart_heure.outputs.results.layers import write_geopackage
from quart_heure.outputs.results.manifest import describe_run, json_text
from quart_heure.outputs.results.rows import printable
from quart_heure.outputs.telling import telling_rows
from quart_heure.schema import check_columns, table_columns
from quart_heure.study.siting.tables import place_words

if TYPE_CHECKING:
    from quart_heure.study.siting import Siting

TABLES = {
    "sites": "sites",
    "site_candidates": "candidates",
    "site_alternatives": "alternatives",
    "site_gaps": "gaps",
    "site_districts": "districts",
    "site_curve": "curve",
}
"""Tables by the name they have in the schema, and in a siting."""

_SHOWN = 10


def render_siting(
    siting: Siting, *, form: str, lang: str = "fr", width: int = 100, colour: bool = False
) -> str:
    """Write a siting: ``table`` for a terminal, ``csv`` (the sites), ``json`` (all), or ``md``."""
    tables = siting_tables(siting)
    if form == "csv":
        return csv_text(
            _with_degrees(tables["sites"]),
            _text_columns("sites"),
            private=siting.coverage.study.private,
        )
    if form == "json":
        return json_text(_content(siting, tables)) + "\n"
    return siting_listing(siting, lang).drawn(form, lang, width=width, colour=colour)


def siting_listing(siting: Siting, lang: str) -> Listing:
    """Return what is said of a siting, in words and tables for people."""
    lines = [*private_lines(siting.coverage.study, lang), *_lines(siting, lang)]
    return Listing(_title(siting, lang), lines, [*_parts(siting, lang)])


def siting_proposal(siting: Siting) -> Proposal:
    """Return a siting as a proposal that pages show and a folder keeps."""
    return Proposal(
        kind="sites",
        category=siting.category,
        tables=siting_tables(siting),
        said={lang: siting_listing(siting, lang).said() for lang in LANGUAGES},
        answer=_about(siting),
        run=describe_run(publishable(siting.coverage)),
    )


def siting_tables(siting: Siting) -> dict[str, Any]:
    """Return the tables of a siting as they may be shown, each checked against its schema.

    Candidates are never discreet places, and nothing here leads to one: what is gained is counted
    on cells whose states are public.
    """
    tables = {name: getattr(siting, field) for name, field in TABLES.items()}
    for name, table in tables.items():
        check_columns(table, name)
    return tables


def write_siting(siting: Siting, path: Path) -> None:
    """Write the tables of a siting as layers and tables of one GeoPackage."""
    layers = {name: table for name, table in siting_tables(siting).items() if len(table)}
    with replacing(path) as temporary:
        temporary.unlink()
        write_geopackage(layers, temporary, manifest={"siting": _about(siting)})


def _with_degrees(table: Any) -> pd.DataFrame:
    xy = shapely.get_coordinates(table.geometry.to_numpy()).reshape(-1, 2)
    lon, lat = degrees_of(xy, table.crs).T
    return pd.DataFrame(table.drop(columns="geometry")).assign(longitude=lon, latitude=lat)


def _text_columns(name: str) -> list[Any]:
    return [column for column in table_columns(name) if column.files != "layers"]


def _about(siting: Siting) -> dict[str, Any]:
    """Return the question and its answer in figures."""
    study = siting.coverage.study
    asked = dataclasses.asdict(siting.asked)
    # A path says where it lies on somebody's machine; its name is enough.
    asked["candidates"] = Path(asked["candidates"]).name
    return {
        "area": study.area.name,
        "private": study.private,
        "category": siting.category,
        "profile": study.profile.name,
        "person": study.person.name if study.person else "",
        "threshold_min": study.threshold_min,
        "asked": asked,
        "value": round(siting.value, 3),
        "bound": round(siting.bound, 3),
        "gap_pct": round(siting.gap_pct, 4) if np.isfinite(siting.gap_pct) else None,
        "wanted": round(siting.wanted, 3),
        "proven": siting.proven,
        "stopped": siting.stopped,
        "at_least": siting.at_least,
        "price": None if siting.price is None else round(siting.price, 3),
        "least_pct": siting.least_pct,
        "least_at_most_pct": siting.least_at_most_pct,
    }


def _content(siting: Siting, tables: dict[str, Any]) -> dict[str, Any]:
    content: dict[str, Any] = {"format": "quart-heure-sites/1", **_about(siting)}
    for name, table in tables.items():
        plain = _with_degrees(table) if "geometry" in table else table
        content[name] = typed_rows(plain, name)
    problems = siting.problems[~telling_rows(siting.problems, _hidden(siting))]
    content["problems"] = problems.astype(object).where(problems.notna(), None).to_dict("records")
    return content


def _hidden(siting: Siting) -> Any:
    services = siting.coverage.services
    return services[services["discreet"].astype(bool)]


# --- for people ----------------------------------------------------------------------------------


def _lines(siting: Siting, lang: str) -> Iterator[str]:
    study, asked = siting.coverage.study, siting.asked
    unit = phrase(f"site_unit_{asked.weight}", lang)
    number = _numbers(lang)
    key = "site_gain_backup" if asked.goal == "backup" else "site_gain"
    yield phrase(
        key,
        lang,
        n=number(siting.value),
        unit=unit,
        threshold=format_plain(study.threshold_min, lang),
        wanted=number(siting.wanted),
    )
    k = len(siting.sites)
    if siting.at_least is not None:
        proven = "site_fewest_proven" if siting.proven else "site_fewest"
        yield phrase(proven, lang, k=k, least=siting.at_least)
    elif siting.least_pct is not None and siting.least_at_most_pct is not None:
        least, most = (
            format_number(x, lang, 2) for x in (siting.least_pct, siting.least_at_most_pct)
        )
        yield phrase("site_fair", lang, least=least, most=most)
    elif siting.proven:
        yield phrase("site_proven", lang, k=siting.asked.count)
    else:
        gap = format_number(siting.gap_pct, lang, 2)
        yield phrase("site_bound", lang, k=k, bound=number(siting.bound), gap=gap, unit=unit)
    if k < asked.count and siting.at_least is None:
        yield phrase("site_fewer", lang, k=k, n=asked.count)
    if siting.price is not None:
        yield phrase("site_price", lang, n=number(siting.price), unit=unit)
    if siting.stopped:
        yield phrase("site_stopped", lang)
    if len(siting.problems):
        yield phrase("site_left_out", lang, n=len(siting.problems))


def _parts(siting: Siting, lang: str) -> Iterator[Part]:
    number = _numbers(lang)
    sites = siting.sites
    places = [printable(words) for words in place_words(pd.DataFrame(sites))]
    columns: tuple[str, ...]
    columns = ("rank", "site_place", "quarter", "gain_alone", "gain_added", "gain_total")
    yield Part(
        phrase("site_sites", lang),
        [heading(name, lang) for name in columns],
        3,
        [
            [
                str(row.rank),
                place,
                ", ".join(p for p in (printable(row.quarter), _district(siting, row, lang)) if p),
                *(number(gain) for gain in (row.gain_alone, row.gain_added, row.gain_total)),
            ]
            for row, place in zip(named_rows(sites), places, strict=True)
        ],
    )
    if len(siting.curve):
        columns = ("site_count", "gain", "site_bound", "site_gap_pct", "covered_short")
        yield Part(
            phrase("site_curve", lang),
            [heading(name, lang) for name in columns],
            0,
            [
                [
                    str(row.sites),
                    number(row.gain),
                    number(row.bound),
                    format_number(row.gap_pct, lang, 2),
                    format_number(row.covered_pct, lang, 1),
                ]
                for row in named_rows(siting.curve.rename(columns={"count": "sites"}))
            ],
        )
    others = siting.alternatives
    columns = ("left_out_place", "put_in_place", "gain", "gives_up", "gives_up_pct")
    yield Part(
        phrase("site_alternatives", lang),
        [heading(name, lang) for name in columns],
        2,
        [
            [
                printable(row.left_out_place),
                printable(row.put_in_place),
                number(row.gain),
                number(row.gives_up),
                format_number(row.gives_up_pct, lang, 2),
            ]
            for row in named_rows(others.head(_SHOWN))
        ],
        max(len(others) - _SHOWN, 0),
    )
    gaps = siting.gaps
    columns = ("site_place", "outcome", "site_residents_before", "site_residents_left")
    yield Part(
        phrase("site_gaps", lang),
        [heading(name, lang) for name in columns],
        2,
        [
            [
                ", ".join(p for p in (printable(row.street), _district(siting, row, lang)) if p),
                word(f"{row.outcome}_gap", lang),
                *(format_number(n, lang) for n in (row.residents, row.residents_left)),
            ]
            for row in named_rows(gaps.head(_SHOWN))
        ],
        max(len(gaps) - _SHOWN, 0),
    )
    districts = siting.districts
    changed = districts[districts["gain"] > 0]
    columns = ("site_place", "before_pct", "after_pct", "gain")
    yield Part(
        phrase("site_districts", lang),
        [heading(name, lang) for name in columns],
        1,
        [
            [
                district_label(printable(row.label), lang),
                format_number(row.before_pct, lang, 1),
                format_number(row.after_pct, lang, 1),
                number(row.gain),
            ]
            for row in named_rows(changed)
        ],
    )


def _district(siting: Siting, row: Any, lang: str) -> str:
    table = siting.coverage.study.area.districts
    labels = dict(zip(table["district_id"], table["label"], strict=True))
    label = str(labels.get(row.district_id, ""))
    return district_label(printable(label), lang) if label else ""


def _numbers(lang: str) -> Any:
    def number(value: float) -> str:
        return format_number(value, lang).replace("-", "\N{MINUS SIGN}")

    return number


def _title(siting: Siting, lang: str) -> str:
    study = siting.coverage.study
    label = category_label(siting.category, lang, study.catalogue)
    return phrase("site_title", lang, area=study.area.name, category=label)
