"""The pages of the dossiers: templates, words and style, each page one file that loads nothing."""

from __future__ import annotations

import base64
import dataclasses
import itertools
import operator
from collections.abc import Mapping
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from quart_heure.labels import (
    format_minutes,
    format_number,
    format_pct,
    format_plain,
    with_percent_sign,
)
from quart_heure.outputs.assets import (
    Site,
    asset,
    inlined,
    page_environment,
    security_policy,
    stylesheet,
)
from quart_heure.outputs.dossier.cells import CLASS_COLOURS, HEIGHT_PX, WIDTH_PX
from quart_heure.outputs.dossier.content import Dossiers
from quart_heure.outputs.dossier.index import IndexContent, index_content
from quart_heure.outputs.dossier.layout import fit_rows
from quart_heure.outputs.dossier.png import PngMaker
from quart_heure.outputs.dossier.shared import SharedLines, shared_lines
from quart_heure.outputs.dossier.structure import DossierContent, GapLine
from quart_heure.outputs.dossier.week import level_of
from quart_heure.outputs.hour_words import range_words

if TYPE_CHECKING:
    from quart_heure.outputs.dossier.maps import DistrictMaps
    from quart_heure.outputs.dossier.week import Week
    from quart_heure.outputs.dossier.words import Words


_FEW_MAPS, _MANY_MAPS = 6, 12
_NAMED = 8
"""Places left out that are named; the others are counted."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Link:
    """The dossier of another district."""

    file: str
    label: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class Links:
    """The index, and the dossiers before and after."""

    index: str
    previous: Link | None
    next: Link | None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Picture:
    """The small map of a category, in base 64 and in words, and the figures under it."""

    png: str
    alt: str
    label: str
    share: float
    inside: str
    gaps: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class DistrictPage:
    """What the template of a district shows.

    Parameters
    ----------
    d
        What the dossier says.
    links
        None for a dossier on its own.
    shared
        What all dossiers say.
    maps, size, columns
        Pictures, their width and height in pixels, how many stand side by side.
    gap_groups, more_gaps
        Gaps by category, and how many paper has no room for.
    printed_services
        How many services paper has room for.
    left_out
        A sentence; empty where there is nothing to say.
    """

    d: DossierContent
    links: Links | None
    shared: SharedLines
    maps: list[Picture]
    size: tuple[int, int]
    columns: int
    gap_groups: list[list[GapLine]]
    more_gaps: int
    printed_services: int
    left_out: str


def render_district(
    dossiers: Dossiers,
    district_id: str,
    maps: DistrictMaps,
    *,
    maker: PngMaker,
    links: Links | None = None,
    site: Site | None = None,
) -> str:
    """Return the page of a district.

    Parameters
    ----------
    dossiers
        What the pages draw on.
    district_id
        The district.
    maps
        Its pictures.
    maker
        What makes them, while the rest is made ready.
    links
        Files of the index and of the neighbours, if they are written too.
    site
        Other pages of the site that it belongs to.
    """
    d = dossiers.content(district_id)
    shared = shared_lines(dossiers.report)
    begun = {c["id"]: _begin(d, c["id"], maps, maker) for c in dossiers.categories}
    left_out = _left_out(d.left_out, dossiers.say, _command(district_id))
    room = fit_rows(
        d.gaps,
        d.services,
        week=_strips(d.week, dossiers.say),
        foot=[*d.unknown, *shared.method, shared.parameters, *shared.credits],
        # A heading takes the room of three lines.
        notes=[left_out, *d.next, *(["–"] * 3 if d.next else [])],
    )
    gaps = [dataclasses.replace(gap, beyond=at not in room.gaps) for at, gap in enumerate(d.gaps)]
    groups = itertools.groupby(gaps, key=operator.attrgetter("category"))
    pictures = [_picture(dossiers, d, category, png) for category, png in begun.items()]
    page = DistrictPage(
        d=d,
        links=links,
        shared=shared,
        maps=pictures,
        size=(WIDTH_PX, HEIGHT_PX),
        columns=_columns(len(pictures)),
        gap_groups=[list(group) for _, group in groups],
        more_gaps=len(d.gaps) - len(room.gaps),
        printed_services=room.services,
        left_out=left_out,
    )
    return _render("dossier.html.j2", dossiers, page, site=site)


def render_index(dossiers: Dossiers, files: Mapping[str, str], *, site: Site | None = None) -> str:
    """Return the page that compares all districts.

    Parameters
    ----------
    dossiers
        What the pages draw on.
    files
        The file of each district's dossier, by id.
    site
        Other pages of the site that it belongs to.
    """
    content = index_content(dossiers, files)
    return _render(
        "dossier_index.html.j2",
        dossiers,
        content,
        site=site,
        shared=shared_lines(dossiers.report),
        script=asset("dossier/index.js"),
    )


def _begin(d: DossierContent, category: str, maps: DistrictMaps, maker: PngMaker) -> Future[bytes]:
    """Draw the picture of a category, and begin to make it."""
    numbered = {gap.gap_id: gap.number for gap in d.gaps if gap.category == category}
    return maker.begin(maps.picture(category, numbered), maps.palette)


def _picture(dossiers: Dossiers, d: DossierContent, category: str, png: Future[bytes]) -> Picture:
    row = dossiers.row(d.district_id, category)
    return Picture(
        png=base64.b64encode(png.result()).decode(),
        alt=dossiers.map_alt(d.district_id, category),
        label=dossiers.names[category],
        share=row[dossiers.share],
        inside=dossiers.inside(d.district_id, category, starred=True),
        gaps=row["gaps_touching"],
    )


def _render(
    template: str,
    dossiers: Dossiers,
    content: DistrictPage | IndexContent,
    *,
    site: Site | None,
    script: str = "",
    **more: SharedLines,
) -> str:
    return render_page(
        template,
        dossiers,
        css=stylesheet("dossier"),
        script=script,
        say=dossiers.say,
        site=site,
        **vars(content),
        **more,
    )


def render_page(
    template: str, dossiers: Dossiers, *, css: str, script: str = "", **values: Any
) -> str:
    """Fill a template of a page on dossiers with what all of them show, and values of its own."""
    colours = {
        name: [f"#{bytes(colour).hex()}" for colour in pair] for name, pair in CLASS_COLOURS.items()
    }
    page = page_environment(page_words(dossiers.lang)).get_template(template)
    text = page.render(
        lang=dossiers.lang,
        area=dossiers.area,
        area_heading=dossiers.area_heading,
        unit=dossiers.unit,
        threshold=dossiers.threshold,
        by_people=dossiers.by_people,
        ending="" if dossiers.by_people else "_area",
        districts_n=len(dossiers.districts),
        essentials=len(dossiers.coverage.study.essentials),
        parameters=dossiers.report["parameters"],
        colours=colours,
        policy=security_policy(styles=[css], scripts=[script] if script else ()),
        css=inlined(css),
        script=inlined(script),
        **values,
    )
    return text.strip() + "\n"


def _columns(pictures: int) -> int:
    """Return how many pictures stand side by side: two rows of them fit on the first side."""
    if pictures <= _FEW_MAPS:
        return 3
    return min(-(-pictures // 2), _MANY_MAPS // 2)


def _strips(week: Week | None, say: Words) -> list[str]:
    """Return what stands before each strip of the week."""
    rows = week.rows if week else []
    return [row.label + f" {say('words.unknown_hours')}" * row.hours_unknown for row in rows]


def _command(district_id: str) -> str:
    return f"quart-heure report --arrondissement {district_id} --format html"


def _left_out(names: list[str], say: Words, where: str) -> str:
    """Name the places inside that do not count, the first few of them."""
    if not names:
        return ""
    listed = "; ".join(names[:_NAMED]) if say.lang == "en" else "\u202f; ".join(names[:_NAMED])
    if len(names) > _NAMED:
        listed += " " + say("services_left_more", n=len(names) - _NAMED, where=where)
    return say("services_left", names=listed)


def page_words(lang: str) -> dict[str, Any]:
    """Return what templates write figures with."""
    return {
        "number": lambda value, decimals=0: format_number(value, lang, decimals),
        "pct": lambda value: format_pct(value, lang),
        "pct_range": lambda low, high: with_percent_sign(range_words(low, high), lang),
        "minutes": lambda value: format_minutes(value, lang),
        "plain": lambda value: format_plain(value, lang),
        "level": level_of,
    }
