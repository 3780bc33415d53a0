"""The pages of a publication that are its own: the first one, the report, tables and method."""

from __future__ import annotations

import base64
import dataclasses
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from quart_heure.labels import format_number, format_pct, word
from quart_heure.outputs.assets import (
    asset,
    stylesheet,
)
from quart_heure.outputs.dossier.page import render_page
from quart_heure.outputs.dossier.shared import shared_lines
from quart_heure.outputs.dossier.words import Words, short
from quart_heure.outputs.palette import GAP_HATCH
from quart_heure.outputs.publication.content import brief
from quart_heure.outputs.publication.links import (
    DOSSIERS,
    DOSSIERS_FOLDER,
    HOME,
    MAP,
    METHOD,
    REPORT,
    TABLES,
    WHOLE,
    site_links,
)
from quart_heure.outputs.publication.pictures import AreaMaps, AreaPicture, plan_of, reach_colours

if TYPE_CHECKING:
    from collections.abc import Mapping

    from quart_heure.outputs.dossier.content import Dossiers

_NAME_ON_PLAN = 14


@dataclasses.dataclass(frozen=True, kw_only=True)
class FileLine:
    """A file of the tables: where, what it holds, rows (None where it is no table), size."""

    path: str
    name: str
    text: str
    rows: int | None
    size: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class Place:
    """A district on the first page: its dossier, its name, its figure in words and as a depth."""

    file: str
    label: str
    short: str
    text: str
    depth: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class Card:
    """A page that the first one leads to, and what it is."""

    file: str
    label: str
    text: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class Image:
    """A picture in base 64, its size in pixels, and what it shows in words."""

    png: str
    width: int
    height: int
    alt: str = ""
    label: str = ""
    text: str = ""


class SitePages:
    """Renders the pages of a publication.

    Parameters
    ----------
    dossiers
        What the pages draw on.
    files
        The file of each district's dossier, by id.
    """

    def __init__(self, dossiers: Dossiers, files: Mapping[str, str]) -> None:
        self.dossiers = dossiers
        self.say = Words(dossiers.lang, "dossier", "publication")
        self._files = {each: f"{DOSSIERS_FOLDER}/{file}" for each, file in files.items()}

    def home(self, *, pdf: bool) -> str:
        """Render the first page; ``pdf`` is whether there is one of it all."""
        d, say = self.dossiers, self.say
        key, ending = self._planned(), "" if d.by_people else "_area"
        caption = say(f"choose_caption{ending}", threshold=d.threshold)
        if key != "none":
            caption = say(
                f"choose_caption_one{ending}", category=d.names[key], threshold=d.threshold
            )
        cards = [
            Card(file=file, label=say(label), text=say(f"{name}_card", unit=d.unit))
            for file, label, name in (
                (MAP, "map", "map"),
                (REPORT, "report", "report"),
                (DOSSIERS, "pages", "dossiers"),
                (TABLES, "tables", "tables"),
                (METHOD, "method", "method"),
            )
        ]
        if pdf:
            cards.append(Card(file=WHOLE, label=say("whole"), text=say("whole_card")))
        return self._render(
            "site_home.html.j2",
            here=HOME,
            title=say("report.title", area=d.area, threshold=d.threshold),
            answer=d.report["summary"].get("sentence", ""),
            plan=plan_of(d.coverage, list(self._files)),
            plan_caption=caption,
            plan_good=key != "none",
            places={each: self._place(each, key) for each in self._files},
            cards=cards,
        )

    def report(self, maps: AreaMaps) -> str:
        """Render the short report."""
        d, say = self.dossiers, self.say
        said = brief(d, say)
        composite = bool(d.report["composite"])
        summary = d.report["summary"]
        return self._render(
            "site_report.html.j2",
            here=REPORT,
            title=say("report_title", area=d.area),
            b=said,
            facts_sentence=d.report["facts"]["sentence"],
            reach=_image(maps.reach()) if composite else None,
            reach_alt=say(
                "reach_alt",
                area=d.area,
                none=format_pct(summary["none_pct"], d.lang),
                all=format_pct(summary["all_pct"], d.lang),
            )
            if composite
            else "",
            reach_colours=reach_colours(len(d.coverage.study.essentials)) if composite else [],
            faint=GAP_HATCH,
            pictures=[self._picture(maps, category) for category in said.mapped],
            rows=[self._row(each, [key for key, _ in said.columns]) for each in said.districts],
            city=[self._city(key) for key, _ in said.columns],
            limits=d.report["limits"],
            nan=math.nan,
        )

    def tables(self, files: Sequence[FileLine], *, office: bool) -> str:
        """Render the page of the tables."""
        title = self.say("tables_title", area=self.dossiers.area)
        return self._render(
            "site_tables.html.j2", here=TABLES, title=title, files=files, office=office
        )

    def method(self) -> str:
        """Render the page of method and sources."""
        d = self.dossiers
        inputs = [
            {
                "role": word(str(entry.get("role", "")), d.lang),
                **{
                    key: short(entry.get(key), 240)
                    for key in ("file", "source", "licence", "sha256")
                },
            }
            for entry in d.report["sources"]
        ]
        return self._render(
            "site_method.html.j2",
            here=METHOD,
            title=self.say("method_title", area=d.area),
            definitions=d.report["definitions"],
            limits=d.report["limits"],
            inputs=inputs,
        )

    def _planned(self) -> str:
        """Return what the plan of the districts shows: who has none, or the first category."""
        return "none" if self.dossiers.report["composite"] else self.dossiers.categories[0]["id"]

    def _value(self, district_id: str, key: str) -> float:
        d = self.dossiers
        if key in {"none", "all"}:
            return d.headline(district_id)[key].pct
        return float(d.row(district_id, key)[d.share])

    def _city(self, key: str) -> float:
        d = self.dossiers
        if key in {"none", "all"}:
            return d.headline(next(iter(d.districts)))[key].city_pct
        return float(d.city[key][d.share])

    def _place(self, district_id: str, key: str) -> Place:
        value = self._value(district_id, key)
        label = self.dossiers.label(district_id)
        return Place(
            file=self._files[district_id],
            label=label,
            short=short(label, _NAME_ON_PLAN),
            text=format_pct(value, self.dossiers.lang),
            depth=value,
        )

    def _row(self, district_id: str, keys: Sequence[str]) -> dict[str, Any]:
        return {
            "file": self._files[district_id],
            "label": self.dossiers.label(district_id),
            "cells": [
                (value, key != "none" and not math.isnan(value))
                for key, value in ((key, self._value(district_id, key)) for key in keys)
            ],
        }

    def _picture(self, maps: AreaMaps, category: str) -> Image:
        d = self.dossiers
        row = d.city[category]
        share = format_pct(float(row[d.share]), d.lang)
        number = format_number(row["services_inside"], d.lang)
        starred = f"{number}*" if category in d.anchored else number
        told = " · ".join(
            (
                share,
                self.say("n_inside", n=starred),
                self.say("n_gaps", n=format_number(row["gaps"], d.lang)),
            )
        )
        picture = maps.category(category)
        alt = self.say("chart_alt_one", category=d.names[category], area=d.area, city=share)
        return dataclasses.replace(_image(picture), alt=alt, label=d.names[category], text=told)

    def _render(self, template: str, *, here: str, title: str, **values: Any) -> str:
        return render_page(
            template,
            self.dossiers,
            css=stylesheet("dossier") + asset("publication/publication.css"),
            say=self.say,
            page=here.removesuffix(".html"),
            title=title,
            site=site_links(self.say, here=here),
            shared=shared_lines(self.dossiers.report),
            **values,
        )


def _image(picture: AreaPicture) -> Image:
    return Image(
        png=base64.b64encode(picture.content).decode(),
        width=picture.width,
        height=picture.height,
    )


def size_words(size: int, say: Words) -> str:
    """Say how large a file is.

    Examples
    --------
    >>> say = Words("en", "publication")
    >>> size_words(1800, say), size_words(3_641_000, say)
    ('2 kB', '3.6 MB')
    """
    if size < 1_000_000:
        return say("size_kb", n=format_number(max(size / 1000, 1), say.lang))
    return say("size_mb", n=format_number(size / 1e6, say.lang, 1))
