"""The map: one HTML file that opens from an e-mail, without internet."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quart_heure.files import replacing
from quart_heure.labels import typeset
from quart_heure.outputs.assets import asset
from quart_heure.outputs.discretion import ROUND_MIN, publishable
from quart_heure.outputs.map.cells import Grid, cells_shown, thresholds_offered
from quart_heure.outputs.map.ground import ground
from quart_heure.outputs.map.hours import hours_shown
from quart_heure.outputs.map.page import CoverageLayers, MapPage, OfflineMap
from quart_heure.outputs.map.ranges import perhaps_shown
from quart_heure.outputs.map.texts import page_texts
from quart_heure.outputs.map.views import SAID_IN_WORDS, services_shown, views
from quart_heure.outputs.shapes import Pen

if TYPE_CHECKING:
    import folium
    import geopandas as gpd

    from quart_heure.study.coverage import Coverage

__all__ = ["write_map"]

LANGUAGES = ("fr", "en")

_SWAPPED_WORDS = (
    "map_label",
    "map_help",
    "legend",
    "panel_label",
    "skip_to_panel",
    "skip_to_map",
)
"""Words that stand outside the parts of the page that are swapped as a whole."""


def build_map(
    coverage: Coverage,
    *,
    lang: str = "fr",
    background: gpd.GeoDataFrame | None = None,
    online_tiles: bool = False,
) -> folium.Map:
    """Build the map as a folium map, to be shown in a notebook or given further layers.

    Parameters
    ----------
    coverage
        What an analysis found. Discreet places are removed here.
    lang
        ``fr`` or ``en``: the language that the page opens in; it can be switched there.
    background
        Water, parks … to draw: columns kind, name and geometry.
    online_tiles
        Draw on the tiles of OpenStreetMap, which need the internet, instead of own data.

    Notes
    -----
    A folium layer that is added draws over the coverage. Its popups need scripts that folium loads
    from the internet, which this page does not allow.
    """
    coverage = publishable(coverage)
    area = coverage.study.area
    pen = Pen(area.crs)
    if background is not None and background.crs is not None:
        background = background.to_crs(area.crs)
    shown = views(coverage, pen, lang=lang)
    drawn = ground(coverage, background, pen)
    services, places = services_shown(coverage, pen, lang=lang)
    grid = Grid(coverage)
    hours = hours_shown(coverage, coverage.week, grid, places)
    texts = _texts(coverage, shown, hours, lang=lang, online_tiles=online_tiles)
    other = next(one for one in LANGUAGES if one != lang)
    other_shown = [_in_language(view, coverage, other) for view in shown]
    other_texts = _texts(coverage, other_shown, hours, lang=other, online_tiles=online_tiles)
    other_services, _ = services_shown(coverage, pen, lang=other)
    data = {
        "threshold": coverage.study.threshold_min,
        "thresholds": thresholds_offered(coverage.study),
        "gap_ha": coverage.study.min_gap_ha,
        "round_min": ROUND_MIN,
        "residents": coverage.study.residents is not None,
        "online": online_tiles,
        **_script_words(texts, lang),
        "other": {
            **_script_words(other_texts, other),
            "labels": {view["id"]: view["label"] for view in other_shown if "label" in view},
            "services": [
                {key: one[key] for key in SAID_IN_WORDS if key in one} for one in other_services
            ],
        },
        "ground": drawn,
        "views": shown,
        "services": services,
        "cells": {
            **cells_shown(coverage, grid, places),
            "perhaps": perhaps_shown(coverage, grid),
        },
        "hours": hours,
    }
    page = MapPage(
        texts=texts, other_texts=other_texts, data=data, lang=lang, online_tiles=online_tiles
    )
    chart = OfflineMap(
        label=texts["words"]["map_label"], bounds=drawn["bounds"], online_tiles=online_tiles
    )
    page.add_child(chart)
    chart.add_child(CoverageLayers())
    return chart


def render_map(
    coverage: Coverage,
    *,
    lang: str = "fr",
    background: gpd.GeoDataFrame | None = None,
    online_tiles: bool = False,
) -> str:
    """Return the map as one HTML page (see `build_map`)."""
    chart = build_map(coverage, lang=lang, background=background, online_tiles=online_tiles)
    return str(chart.get_root().render())


def write_map(
    coverage: Coverage,
    path: Path,
    *,
    lang: str = "fr",
    background: gpd.GeoDataFrame | None = None,
    online_tiles: bool = False,
) -> Path:
    """Write the map to a file, whole or not at all (see `build_map`).

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    page = render_map(coverage, lang=lang, background=background, online_tiles=online_tiles)
    with replacing(path) as temporary:
        temporary.write_text(page, encoding="utf-8")
    return path


def _texts(
    coverage: Coverage,
    shown: Sequence[Mapping[str, Any]],
    hours: Mapping[str, Any] | None,
    *,
    lang: str,
    online_tiles: bool,
) -> dict[str, Any]:
    words = _words(lang)
    other = next(one for one in LANGUAGES if one != lang)
    return {
        **page_texts(coverage, words["page"], views=shown, hours=hours, lang=lang),
        "online": online_tiles,
        "other_lang": other,
        "other_language": _words(other)["page"]["language"],
    }


def _script_words(texts: Mapping[str, Any], lang: str) -> dict[str, Any]:
    """Return what the page's script says in a language."""
    outside_panel = {key: texts["words"][key] for key in _SWAPPED_WORDS}
    return {
        "lang": lang,
        "total_word": texts["essential_count"],
        "words": {
            **_words(lang)["script"],
            **outside_panel,
            "title": texts["title"],
            "district": texts["district"].capitalize(),
            "composite_label": texts["composite"],
            "whole_area": texts["whole_area"],
        },
    }


def _in_language(view: Mapping[str, Any], coverage: Coverage, lang: str) -> dict[str, Any]:
    if view["kind"] != "category":
        return dict(view)
    return {**view, "label": coverage.study.catalogue[view["id"]].label(lang)}


@functools.cache
def _words(lang: str) -> Mapping[str, Any]:
    text = asset("map/words.toml")
    words: Mapping[str, Any] = tomllib.loads(typeset(text) if lang == "fr" else text)[lang]
    return words
