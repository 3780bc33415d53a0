"""What changed between two runs, in words and figures, in every format."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from quart_heure.files import replacing
from quart_heure.labels import (
    UNKNOWN,
    category_label,
    district_label,
    format_date,
    format_number,
    format_signed,
    heading,
    text,
    word,
)
from quart_heure.outputs.report.listing import Listing, Part, named_rows, typed_rows
from quart_heure.outputs.results.csv import csv_text
from quart_heure.outputs.results.layers import write_geopackage
from quart_heure.outputs.results.manifest import json_text
from quart_heure.outputs.results.rows import printable
from quart_heure.outputs.runs.causes import CAUSES, Cause
from quart_heure.outputs.runs.compare import Comparison
from quart_heure.outputs.runs.figures import KEYS
from quart_heure.schema import check_columns, table_columns

COMPARISON_FORMAT = "quart-heure-comparison/1"
"""Name and version of the structure of the JSON."""

_SHOWN = 12


def render_comparison(
    found: Comparison, *, form: str, lang: str = "fr", width: int = 100, colour: bool = False
) -> str:
    """Write a comparison: ``table`` for a terminal, ``csv`` (every figure), ``json`` or ``md``."""
    if form == "csv":
        return csv_text(change_table(found), table_columns("changes"), private=_is_private(found))
    if form == "json":
        return json_text(_content(found)) + "\n"
    title = text("runs.title", lang, area=printable(found.later["area"]))
    lines = [text("report.private", lang)] if _is_private(found) else []
    listing = Listing(title, [*lines, *_lines(found, lang)], [*_parts(found, lang)])
    return listing.drawn(form, lang, width=width, colour=colour)


def _is_private(found: Comparison) -> bool:
    """Tell whether its figures are not to be passed on; two runs that are compared agree on it."""
    return bool(found.later["parameters"].get("private"))


def write_comparison(found: Comparison, path: Path) -> None:
    """Write gaps that changed as a layer, and every figure as a table, into a GeoPackage."""
    layers = {
        "gap_changes": found.gaps,
        "changes": change_table(found),
        "service_changes": found.services,
    }
    for name, table in layers.items():
        check_columns(table, name)
    about = {"earlier": run_told(found.earlier), "later": run_told(found.later)}
    with replacing(path) as temporary:
        temporary.unlink()
        write_geopackage(layers, temporary, manifest=about)


def change_table(found: Comparison) -> pd.DataFrame:
    """Return every figure, one a row, with the share of each cause beside its change."""
    wide = found.causes.pivot(index=list(KEYS), columns="cause", values="change")
    shares = wide.reindex(columns=[*CAUSES]).astype(float).add_prefix("of_").reset_index()
    shares.columns.name = None
    return found.figures.merge(shares, on=list(KEYS), how="left")


def run_told(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Return what names a run."""
    return {
        "area": manifest["area"],
        "created": manifest.get("created", ""),
        "version": manifest.get("version", ""),
        "osm_date": manifest.get("osm_date", ""),
        "definitions_date": manifest.get("definitions_date", ""),
    }


def _content(found: Comparison) -> dict[str, Any]:
    gaps = pd.DataFrame(found.gaps.drop(columns="geometry"))
    return {
        "format": COMPARISON_FORMAT,
        "earlier": run_told(found.earlier),
        "later": run_told(found.later),
        "figures": typed_rows(found.figures, "changes"),
        "causes": typed_rows(found.causes, "changes"),
        "about": [
            {"cause": one.name, "changed": one.changed, "how": one.how, "what": list(one.what)}
            for one in found.about
        ],
        "gaps": typed_rows(gaps, "gap_changes"),
        "services": typed_rows(found.services, "service_changes"),
        "definitions": found.definitions,
        "lost": {"earlier": found.lost[0], "later": found.lost[1]},
    }


def _lines(found: Comparison, lang: str) -> Iterator[str]:
    yield text(
        "runs.between",
        lang,
        earlier=format_date(str(found.earlier.get("created", ""))[:10], lang),
        later=format_date(str(found.later.get("created", ""))[:10], lang),
    )
    for change in found.definitions:
        yield text(
            "runs.definition", lang, date=format_date(change["date"], lang), what=change[lang]
        )
    for one in found.about:
        if one.changed:
            what = "; ".join(map(printable, one.what))
            yield f"{word(f'cause_{one.name}', lang)}: {what or text('runs.how_read', lang)}"
    if found.about and not any(one.changed for one in found.about):
        yield text("runs.nothing", lang)
    for key, lost in zip(("earlier", "later"), found.lost, strict=True):
        if lost and found.about:
            yield text(f"runs.lost_{key}", lang, what="; ".join(map(printable, lost)))
    open_ = [one for one in found.about if one.how == "unseparated"]
    if open_:
        names = ", ".join(word(f"cause_{one.name}", lang).lower() for one in open_)
        yield text("runs.unseparated", lang, causes=names)


def _parts(found: Comparison, lang: str) -> Iterator[Part]:
    labels = {
        one["id"]: str(one[lang])
        for one in [*found.earlier["categories"], *found.later["categories"]]
    }
    city = found.figures[found.figures["level"] == "city"]
    wide = {
        measure: rows.set_index("category") for measure, rows in city.groupby("measure", sort=False)
    }
    yield _figure_part(wide, labels, lang)
    if len(found.causes):
        by = main_measure(found.figures)
        yield _cause_part(found, by, labels, lang)
        yield from _district_part(found, by, labels, lang)
    gaps = found.gaps[found.gaps["change"] != "same"]
    yield _gap_part(gaps, found, labels, lang)
    yield _service_part(found.services, labels, lang)


def main_measure(figures: pd.DataFrame) -> str:
    """Return the share that a comparison is told by: of residents, of area where none are known."""
    people = figures[figures["measure"] == "residents_covered_pct"]
    return "residents_covered_pct" if people["after"].notna().any() else "covered_pct"


def _figure_part(wide: Mapping[Any, pd.DataFrame], labels: Mapping[str, str], lang: str) -> Part:
    measures = ("covered_pct", "residents_covered_pct", "residents_covered", "gaps")
    rows = []
    for category in wide["covered_pct"].index:
        cells = [
            _moved(wide[measure].loc[category], 0 if measure in measures[2:] else 1, lang)
            for measure in measures
        ]
        rows.append([_label(category, labels, lang), *cells])
    head = [heading("category", lang), *(text(f"runs.{name}", lang) for name in measures)]
    return Part(text("runs.figures", lang), head, 1, rows)


def _cause_part(found: Comparison, by: str, labels: Mapping[str, str], lang: str) -> Part:
    mine = found.causes[(found.causes["measure"] == by) & (found.causes["level"] == "city")]
    wide = mine.pivot(index="category", columns="cause", values="change")
    shown = [cause for cause in CAUSES if cause in wide and _is_told(cause, wide, found.about)]
    total = found.figures[(found.figures["measure"] == by) & (found.figures["level"] == "city")]
    rows = [
        [
            _label(row.category, labels, lang),
            *(format_signed(wide.loc[row.category, cause], lang, 2) for cause in shown),
            format_signed(row.change, lang, 2),
        ]
        for row in named_rows(total)
        if row.category in wide.index
    ]
    head = [
        heading("category", lang),
        *(word(f"cause_{cause}", lang) for cause in shown),
        text("runs.whole", lang),
    ]
    return Part(text(f"runs.causes_{by}", lang), head, 1, rows)


def _is_told(cause: str, wide: pd.DataFrame, about: tuple[Cause, ...]) -> bool:
    changed = any(one.changed for one in about if one.name == cause)
    return changed or bool((wide[cause].abs() >= 0.005).any())


def _district_part(
    found: Comparison, by: str, labels: Mapping[str, str], lang: str
) -> Iterator[Part]:
    """Give the districts whose share moved most."""
    rows = found.figures[(found.figures["measure"] == by) & (found.figures["level"] == "district")]
    moved = rows[rows["change"].abs() >= 0.05]
    if moved.empty:
        return
    moved = moved.loc[moved["change"].abs().sort_values(ascending=False, kind="stable").index]
    head = [text("runs.district", lang), heading("category", lang), text("runs.whole", lang)]
    cells = [
        [
            district_label(printable(row.label), lang),
            _label(row.category, labels, lang),
            _moved(row, 1, lang),
        ]
        for row in named_rows(moved.head(_SHOWN))
    ]
    yield Part(text(f"runs.districts_{by}", lang), head, 2, cells, more=max(len(moved) - _SHOWN, 0))


def _gap_part(gaps: Any, found: Comparison, labels: Mapping[str, str], lang: str) -> Part:
    districts = found.figures.drop_duplicates("district_id").set_index("district_id")["label"]
    rows = [
        [
            word(f"gap_{row.change}", lang),
            _label(row.category, labels, lang, gap=True),
            district_label(printable(str(districts.get(row.district_id, ""))), lang),
            printable(row.street),
            f"{_ha(row.area_before_ha, lang)} → {_ha(row.area_after_ha, lang)}",
            f"{format_number(row.residents_before, lang)} → "
            f"{format_number(row.residents_after, lang)}",
        ]
        for row in named_rows(gaps.head(_SHOWN))
    ]
    head = [
        text("runs.change", lang),
        heading("category", lang),
        text("runs.district", lang),
        text("runs.street", lang),
        text("runs.area_ha", lang),
        text("runs.residents", lang),
    ]
    return Part(text("runs.gaps", lang), head, 4, rows, more=max(len(gaps) - _SHOWN, 0))


def _service_part(services: pd.DataFrame, labels: Mapping[str, str], lang: str) -> Part:
    rows = [
        [
            word(f"service_{row.change}", lang),
            _label(row.category, labels, lang),
            printable(row.name or row.service_id) or UNKNOWN,
        ]
        for row in named_rows(services.head(_SHOWN))
    ]
    head = [text("runs.change", lang), heading("category", lang), heading("name", lang)]
    return Part(text("runs.services", lang), head, 3, rows, more=max(len(services) - _SHOWN, 0))


def _label(category: str, labels: Mapping[str, str], lang: str, *, gap: bool = False) -> str:
    if category in labels:
        return printable(labels[category])
    return word(f"{category}_gap", lang) if gap else category_label(category, lang, {})


def _moved(row: Any, decimals: int, lang: str) -> str:
    """Write a figure before and after, and its change."""
    before, after = (format_number(row[k] if isinstance(row, pd.Series) else getattr(row, k),
                                   lang, decimals) for k in ("before", "after"))  # fmt: skip
    return before if before == after else f"{before} → {after}"


def _ha(value: float, lang: str) -> str:
    return format_number(value, lang, 1)
