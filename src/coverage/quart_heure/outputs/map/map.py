"""The map: one HTML file that opens from an e-mail, without internet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from quart_heure.analysis.states import PERHAPS, YES
from quart_heure.analysis.statuses import BORDERLINE
from quart_heure.analysis.week import HOURS
from quart_heure.errors import StudyFileError
from quart_heure.files import AnyPath, replacing
from quart_heure.labels import district_label
from quart_heure.outputs.assets import Site
from quart_heure.outputs.discretion import publishable, telling_of
from quart_heure.outputs.map.cells import Grid, cells_shown, thresholds_offered
from quart_heure.outputs.map.data import Constants, PageData, Said, SaidOtherwise
from quart_heure.outputs.map.figures import category_rows, has_ends
from quart_heure.outputs.map.ground import ground
from quart_heure.outputs.map.hours import hours_shown
from quart_heure.outputs.map.opening import opening_address
from quart_heure.outputs.map.page import CoverageLayers, MapPage, OfflineMap
from quart_heure.outputs.map.proposals import proposals_shown
from quart_heure.outputs.map.texts import LANGUAGES, PageTexts, other_than, page_texts, words_of
from quart_heure.outputs.map.views import labels, service_words, services_shown, views
from quart_heure.outputs.map.walks import walks
from quart_heure.outputs.palette import PALETTE
from quart_heure.outputs.proposals.proposal import Proposal, check_fits
from quart_heure.outputs.shapes import UNITS_PER_DEGREE, Pen

if TYPE_CHECKING:
    import folium
    import geopandas as gpd

    from quart_heure.study.coverage import Coverage
    from quart_heure.study.scenario import Scenario

__all__ = ["write_map"]

_DAYS = 7

CONSTANTS = Constants(
    units_per_degree=UNITS_PER_DEGREE,
    borderline=BORDERLINE,
    days=_DAYS,
    hours_of_day=HOURS // _DAYS,
    sure=YES,
    perhaps=PERHAPS,
)

_SWAPPED_WORDS = (
    "map_label",
    "map_help",
    "legend",
    "panel_label",
    "card_label",
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
    what_if: bool = True,
    proposals: Sequence[Proposal] = (),
    scenario: Scenario | None = None,
    dossiers: Mapping[str, str] | None = None,
    site: Mapping[str, Site] | None = None,
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
    what_if
        Let readers open, close and move services: the page then holds the streets, too, and is
        half as large again.
    proposals
        What `quart_heure.outputs.proposals.folder.read_proposal` read, to show on it.
    scenario
        What the page supposes when it opens: who gains and who loses, before and after.
    dossiers
        Where the dossiers of districts lie, by their ids, as paths from the page.
    site
        Other pages of the site that it belongs to, by language.

    Raises
    ------
    InputFileError
        If a proposal is of another study.
    StudyFileError
        If a scenario is given that the page cannot follow, or ``what_if`` is false then.

    Notes
    -----
    A folium layer that is added draws over the coverage. Its popups need scripts that folium loads
    from the internet, which this page does not allow.
    """
    telling = telling_of(coverage)
    coverage = publishable(coverage)
    study = coverage.study
    pen = Pen(study.area.crs)
    if background is not None and background.crs is not None:
        background = background.to_crs(study.area.crs)
    grid = Grid(coverage)
    shown = views(coverage, pen, grid, lang=lang)
    check_fits(proposals, coverage.manifest)
    services, places = services_shown(coverage, pen, lang=lang)
    hours = hours_shown(coverage, coverage.week, grid, places)
    called = {one: labels(coverage, lang=one) for one in LANGUAGES}
    texts = {
        one: page_texts(
            coverage,
            views=shown,
            labels=called[one],
            hours=hours,
            lang=one,
            online_tiles=online_tiles,
            proposals=proposals,
        )
        for one in LANGUAGES
    }
    other = other_than(lang)
    data = PageData(
        threshold_min=study.threshold_min,
        thresholds_min=thresholds_offered(study),
        gap_ha=study.min_gap_ha,
        residents=study.residents is not None,
        online=online_tiles,
        constants=CONSTANTS,
        palette=PALETTE,
        said=_said(texts[lang], lang),
        other=SaidOtherwise(
            **vars(_said(texts[other], other)),
            labels=called[other],
            nones={
                category: study.catalogue[category].none(other) for category in study.categories
            },
            places=_places(coverage, lang=other),
            services=service_words(coverage, lang=other),
        ),
        ground=ground(coverage, background, pen, telling=telling),
        rows=category_rows(coverage, study.categories[0])["label"].astype(str).tolist(),
        places=_places(coverage, lang=lang),
        views=shown,
        services=services,
        cells=cells_shown(coverage, grid, places),
        hours=hours,
        proposals=proposals_shown(proposals, coverage, grid, pen),
        supposed="" if scenario is None else opening_address(coverage, scenario),
        dossiers=_links(coverage, dossiers),
    )
    if scenario is not None and (not what_if or has_ends(coverage)):
        msg = f"Scenario {scenario.name!r}: a map without what-if shows none."
        hint = "Leave out --no-what-if, and hours and persons, which the page does not suppose."
        raise StudyFileError(msg, hint=hint)
    page = MapPage(
        texts=texts[lang],
        other_texts=texts[other],
        data=data,
        walks=walks(coverage, grid, places) if what_if and not has_ends(coverage) else None,
        lang=lang,
        online_tiles=online_tiles,
        site=site,
    )
    chart = OfflineMap(
        label=texts[lang].words["map_label"], bounds=data.ground.bounds, online_tiles=online_tiles
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
    what_if: bool = True,
    proposals: Sequence[Proposal] = (),
    scenario: Scenario | None = None,
    dossiers: Mapping[str, str] | None = None,
    site: Mapping[str, Site] | None = None,
) -> str:
    """Return the map as one HTML page (see `build_map`)."""
    chart = build_map(
        coverage,
        lang=lang,
        background=background,
        online_tiles=online_tiles,
        what_if=what_if,
        proposals=proposals,
        scenario=scenario,
        dossiers=dossiers,
        site=site,
    )
    return str(chart.get_root().render())


def write_map(
    coverage: Coverage,
    path: AnyPath,
    *,
    lang: str = "fr",
    background: gpd.GeoDataFrame | None = None,
    online_tiles: bool = False,
    what_if: bool = True,
    proposals: Sequence[Proposal] = (),
    scenario: Scenario | None = None,
    dossiers: Mapping[str, str] | None = None,
    site: Mapping[str, Site] | None = None,
) -> Path:
    """Write the map to a file, whole or not at all (see `build_map`).

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    path = Path(path)
    page = render_map(
        coverage,
        lang=lang,
        background=background,
        online_tiles=online_tiles,
        what_if=what_if,
        proposals=proposals,
        scenario=scenario,
        dossiers=dossiers,
        site=site,
    )
    with replacing(path) as temporary:
        temporary.write_text(page, encoding="utf-8")
    return path


def _links(coverage: Coverage, dossiers: Mapping[str, str] | None) -> list[str]:
    """Return the address of the dossier of each district, "" for none; nothing without any."""
    if not dossiers:
        return []
    ids = coverage.study.area.districts["district_id"].astype(str)
    # As a path alone: a name that looks like another kind of address is none.
    paths = (quote(dossiers.get(district, "")) for district in ids)
    return [f"./{path}" if path else "" for path in paths]


def _places(coverage: Coverage, *, lang: str) -> list[str]:
    """Return what a sentence calls each row of the tables."""
    labels = category_rows(coverage, coverage.study.categories[0])["label"].astype(str)
    return [district_label(label, lang) for label in labels]


def _said(texts: PageTexts, lang: str) -> Said:
    """Return what the page's script says in a language."""
    words: Mapping[str, str | dict[str, str]] = words_of(lang)["script"]
    return Said(
        lang=lang,
        total_word=texts.essential_count,
        words={
            **{key: text for key, text in words.items() if isinstance(text, str)},
            **{key: texts.words[key] for key in _SWAPPED_WORDS},
            "title": texts.title,
            "district": texts.district.capitalize(),
            "composite_label": texts.composite,
            "whole_area": texts.whole_area,
        },
        cause_words=dict(words_of(lang)["script"]["cause_words"]),
    )
