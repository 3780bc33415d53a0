"""Missing links in every format."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import shapely

from quart_heure.files import replacing
from quart_heure.labels import (
    LANGUAGES,
    category_label,
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
from quart_heure.schema import check_columns, table_columns

if TYPE_CHECKING:
    import geopandas as gpd

    from quart_heure.study.coverage import Coverage
    from quart_heure.study.study import Study


def render_links(
    links: gpd.GeoDataFrame,
    study: Study,
    category: str,
    *,
    most_m: float,
    form: str,
    lang: str = "fr",
    width: int = 100,
    colour: bool = False,
) -> str:
    """Write links: ``table`` for a terminal, ``csv``, ``json`` (with their ends) or ``md``."""
    check_columns(links, "links")
    plain = pd.DataFrame(links.drop(columns="geometry"))
    if form == "csv":
        columns = [column for column in table_columns("links") if column.files != "layers"]
        return csv_text(plain, columns, private=study.private)
    if form == "json":
        content = {
            "format": "quart-heure-links/1",
            "area": study.area.name,
            "private": study.private,
            "category": category,
            "profile": study.profile.name,
            "threshold_min": study.threshold_min,
            "most_m": most_m,
            "unit": _unit(study),
            "links": _with_ends(typed_rows(plain, "links"), links),
        }
        return json_text(content) + "\n"
    listing = links_listing(links, study, category, most_m=most_m, lang=lang)
    return listing.drawn(form, lang, width=width, colour=colour)


def links_listing(
    links: gpd.GeoDataFrame, study: Study, category: str, *, most_m: float, lang: str
) -> Listing:
    """Return what is said of missing links, in words and a table for people."""
    label = category_label(category, lang, study.catalogue)
    title = phrase("links_title", lang, area=study.area.name, category=label)
    if links.empty:
        return Listing(title, [*private_lines(study, lang), phrase("links_none", lang)], [])
    lines = [
        *private_lines(study, lang),
        phrase("links_note", lang, most=format_plain(most_m, lang)),
    ]
    return Listing(title, lines, [_part(links, study, lang)])


def links_proposal(
    links: gpd.GeoDataFrame, coverage: Coverage, category: str, *, most_m: float
) -> Proposal:
    """Return missing links as a proposal that pages show and a folder keeps."""
    check_columns(links, "links")
    study = coverage.study
    said = {
        lang: links_listing(links, study, category, most_m=most_m, lang=lang).said()
        for lang in LANGUAGES
    }
    return Proposal(
        kind="links",
        category=category,
        tables={"links": links},
        said=said,
        answer={"links": len(links), "most_m": most_m, "unit": _unit(study)},
        run=describe_run(publishable(coverage)),
    )


def _unit(study: Study) -> str:
    return "people" if study.residents is not None else "ha"


def write_links(links: gpd.GeoDataFrame, path: Path) -> None:
    """Write links as a layer of lines in a GeoPackage."""
    check_columns(links, "links")
    with replacing(path) as temporary:
        temporary.unlink()
        write_geopackage({"links": links}, temporary, manifest={"links": len(links)})


def _with_ends(rows: list[dict[str, Any]], links: gpd.GeoDataFrame) -> list[dict[str, Any]]:
    """Add the ends of each line in degrees."""
    if not rows:
        return rows
    degrees = degrees_of(shapely.get_coordinates(links.geometry.to_numpy()), links.crs)
    ends = degrees.reshape(-1, 2, 2).round(6).tolist()
    return [{**row, "ends": pair} for row, pair in zip(rows, ends, strict=True)]


def _part(links: gpd.GeoDataFrame, study: Study, lang: str) -> Part:
    unit = "links_residents" if study.residents is not None else "links_area"
    columns = ("rank", "from_street", "to_street", "crosses", "length_m", "gain", "gain_per_m")
    rows = [
        [
            str(row.rank),
            printable(row.from_street),
            printable(row.to_street),
            ", ".join(_crossed(words, lang) for words in row.crosses.split(";") if words),
            format_number(row.length_m, lang),
            format_number(row.gain, lang),
            format_number(row.gain_per_m, lang, 1),
        ]
        for row in named_rows(pd.DataFrame(links.drop(columns="geometry")))
    ]
    return Part(phrase(unit, lang), [heading(name, lang) for name in columns], 4, rows)


def _crossed(words: str, lang: str) -> str:
    """Return the word of a kind of the background, or a name as it is."""
    known = word(f"cross_{words}", lang)
    return printable(words) if known.startswith("cross_") else known
