"""The index of the dossiers: every district beside the others, in a table and in charts."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from quart_heure.labels import format_pct
from quart_heure.outputs.dossier.words import short
from quart_heure.outputs.report.structure import Next
from quart_heure.outputs.results.rows import people_on_network

if TYPE_CHECKING:
    from quart_heure.outputs.dossier.content import Dossiers


_CHART_LABEL = 9
"""Letters of a district's name beside its bar."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Column:
    """A column of the table: what it shows, under which heading, with how many decimals."""

    key: str
    label: str
    decimals: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class Cell:
    """A figure of a district.

    Parameters
    ----------
    value, decimals
        The figure and how it is written.
    sort
        What the page's script sorts by.
    share
        Whether it is a share whose depth of colour says how high it is.
    place
        Rank of the district, in words.
    """

    value: float
    decimals: int
    sort: str
    share: bool
    place: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class IndexRow:
    """A district: the file of its dossier, its name, its figures."""

    file: str
    label: str
    cells: list[Cell]


@dataclasses.dataclass(frozen=True, kw_only=True)
class CityCell:
    """A figure of the whole area."""

    value: float
    decimals: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class Bar:
    """A bar of a chart, ``at`` a position from the top."""

    at: int
    label: str
    value: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class Chart:
    """One category in all districts, the share of the city, and the chart in words."""

    label: str
    bars: list[Bar]
    city: float
    alt: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class IndexContent:
    """What the index shows.

    Parameters
    ----------
    title, summary, caption
        Of the page, the answer in a sentence, of the table.
    columns, rows, city
        Of the table; the city is its foot.
    anchored
        What its rows leave out, in words.
    charts
        One per category.
    next
        Proposals, as the report tells them.
    """

    title: str
    summary: str
    caption: str
    columns: list[Column]
    rows: list[IndexRow]
    city: list[CityCell]
    anchored: str
    charts: list[Chart]
    next: list[Next]


def index_content(dossiers: Dossiers, files: Mapping[str, str]) -> IndexContent:
    """Return what the index shows.

    Parameters
    ----------
    dossiers
        What the pages draw on.
    files
        The file of each district's dossier, by id, in the order of the districts.
    """
    say = dossiers.say
    ending = "" if dossiers.by_people else "_area"
    columns = _columns(dossiers)
    return IndexContent(
        title=say("index_title", area=dossiers.area, n=len(files), unit=dossiers.unit),
        summary=dossiers.report["summary"].get("sentence", ""),
        caption=say(f"index_caption{ending}", threshold=dossiers.threshold, unit=dossiers.unit),
        columns=columns,
        rows=[
            IndexRow(
                file=file,
                label=dossiers.label(district_id),
                cells=[_cell(dossiers, district_id, column) for column in columns],
            )
            for district_id, file in files.items()
        ],
        city=[
            CityCell(value=_city_value(dossiers, column.key), decimals=column.decimals)
            for column in columns
        ],
        anchored=_anchored(dossiers),
        charts=[_chart(dossiers, category["id"], files) for category in dossiers.categories],
        next=dossiers.report["next"],
    )


def _anchored(dossiers: Dossiers) -> str:
    """Say why the services of the districts add up to less than those of the whole area."""
    if not dossiers.anchored:
        return ""
    n = sum(dossiers.anchored.values())
    return dossiers.say("index_anchored", area=dossiers.area, unit=dossiers.unit, n=n)


def _columns(dossiers: Dossiers) -> list[Column]:
    say = dossiers.say
    counts = [
        Column(key="residents", label=say("headings.residents"), decimals=0),
        Column(key="services", label=say("headings.services_inside"), decimals=0),
    ]
    shares = []
    if dossiers.report["composite"]:
        k = len(dossiers.coverage.study.essentials)
        shares = [
            Column(key="all", label=say("index_all", k=k), decimals=1),
            Column(key="none", label=say("index_none"), decimals=1),
        ]
    shares += [
        Column(key=category["id"], label=dossiers.names[category["id"]], decimals=1)
        for category in dossiers.categories
    ]
    return counts[0 if dossiers.by_people else 1 :] + shares


def _cell(dossiers: Dossiers, district_id: str, column: Column) -> Cell:
    value = _value(dossiers, district_id, column.key)
    known = not math.isnan(value)
    return Cell(
        value=value,
        decimals=column.decimals,
        sort=f"{value:g}" if known else "NaN",
        share=column.key not in {"residents", "services", "none"} and known,
        place=dossiers.place(column.key, district_id),
    )


def _value(dossiers: Dossiers, district_id: str, key: str) -> float:
    if key in {"all", "none"}:
        return dossiers.headline(district_id)[key].pct
    rows = dossiers.districts[district_id]["indicators"]
    if key == "residents":
        return people_on_network(rows[0])  # those that its dossier counts shares of
    if key == "services":
        ids = {category["id"] for category in dossiers.categories}
        return float(sum(row["services_inside"] for row in rows if row["category"] in ids))
    return float(dossiers.row(district_id, key)[dossiers.share])


def _city_value(dossiers: Dossiers, key: str) -> float:
    if key in {"all", "none"}:
        first = next(iter(dossiers.districts))
        return dossiers.headline(first)[key].city_pct
    if key == "residents":
        return people_on_network(next(iter(dossiers.city.values())))
    if key == "services":
        return float(sum(dossiers.city[c["id"]]["services_inside"] for c in dossiers.categories))
    return float(dossiers.city[key][dossiers.share])


def _chart(dossiers: Dossiers, category: str, files: Mapping[str, str]) -> Chart:
    say, lang = dossiers.say, dossiers.lang
    bars = [
        Bar(
            at=at,
            label=short(dossiers.label(district_id), _CHART_LABEL),
            value=_value(dossiers, district_id, category),
        )
        for at, district_id in enumerate(files)
    ]
    city = float(dossiers.city[category][dossiers.share])
    told = {
        "category": dossiers.names[category],
        "area": dossiers.area,
        "city": format_pct(city, lang),
    }
    known = [bar for bar in bars if not math.isnan(bar.value)]
    alt = say("chart_alt_one", **told)
    if known:
        low, high = (pick(known, key=lambda bar: bar.value) for pick in (min, max))
        alt = say(
            "chart_alt",
            **told,
            low=format_pct(low.value, lang),
            low_at=low.label,
            high=format_pct(high.value, lang),
            high_at=high.label,
        )
    return Chart(label=dossiers.names[category], bars=bars, city=city, alt=alt)
