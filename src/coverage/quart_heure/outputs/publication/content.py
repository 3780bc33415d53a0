"""What the short report says: the figures of the dossiers' report, chosen and bounded for paper.

Nothing is computed twice: shares, ranks and gaps are those of `report_content`. Each table has a
greatest number of rows, so that the report stays within its pages for any study; what is left out
is said, and is in the tables.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from quart_heure.analysis.answers import COMPOSITES
from quart_heure.labels import format_about, format_pct, with_percent_sign
from quart_heure.outputs.discretion import nearest_name
from quart_heure.outputs.dossier.words import Words, short
from quart_heure.outputs.doubts import DoubtLine, ends_words
from quart_heure.outputs.report.structure import Gap, Next
from quart_heure.outputs.results.rows import Row

if TYPE_CHECKING:
    from quart_heure.outputs.dossier.content import Dossiers

_MAPS, _DISTRICTS, _COLUMNS = 8, 44, 10
_GAPS, _GAPS_EACH = 18, 2
_NAMED, _SERVICES = 3, 8
_NEXT_LINES, _NEXT_ROWS, _NEXTS = 4, 6, 3
_NAME, _FEW_DISTRICTS = 60, 2


@dataclasses.dataclass(frozen=True, kw_only=True)
class CategoryLine:
    """A category in the whole area.

    Parameters
    ----------
    label
        What it is called.
    judged
        Whether a place of it is known anywhere: without one, no share says anything.
    services
        Places that count, inside.
    share, pace
        Per cent of residents, or of area, within reach; for who walks a tenth slower and faster.
    median, p90
        Minutes of a walk.
    gaps
        How many there are; None where that is not judged.
    confirmed, places
        The share with confirmed places alone; places confirmed, placed and known.
    single
        Per cent that has one single place.
    """

    label: str
    judged: bool
    services: int
    share: float
    pace: str
    median: float
    p90: float
    gaps: int | None
    confirmed: float
    places: str
    single: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class GapRow:
    """A gap: its category, number, districts in words, and figures of the whole of it."""

    label: str
    rank: int
    where: str
    street: str
    residents: float
    area_ha: float
    typical: float
    longest: float
    nearest: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class DependLine:
    """A place on which people depend."""

    name: str
    label: str
    district: str
    touched: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class Brief:
    """What the short report says, but for its pictures.

    Parameters
    ----------
    keep
        The sentences to remember.
    lines
        A line per category.
    mapped, maps_more
        Categories with a picture, and names of the others.
    districts, districts_more
        Ids of the districts of the table, and how many are left out.
    columns, columns_more
        Keys and headings of its columns, and names of the categories left out.
    gaps
        The greatest of each category.
    depends, first
        Places whose closing would touch most residents; places to confirm first.
    next
        Proposals, shortened.
    """

    keep: list[str]
    lines: list[CategoryLine]
    mapped: list[str]
    maps_more: list[str]
    districts: list[str]
    districts_more: int
    columns: list[tuple[str, str]]
    columns_more: list[str]
    gaps: list[GapRow]
    depends: list[DependLine]
    first: list[DependLine]
    next: list[Next]


def brief(dossiers: Dossiers, say: Words) -> Brief:
    """Choose what the short report says.

    Parameters
    ----------
    dossiers
        What the pages draw on.
    say
        Words of the publication.
    """
    ids = [category["id"] for category in dossiers.categories]
    judged = [each for each in ids if dossiers.judged(each)]
    districts = _most_peopled(dossiers)
    columns = [(each, dossiers.names[each]) for each in judged]
    if dossiers.report["composite"]:
        k = len(dossiers.coverage.study.essentials)
        columns = [("none", say("h_none")), ("all", say("h_all", k=k)), *columns]
    facts, fragility = dossiers.report["facts"], dossiers.report["fragility"]
    labels = dossiers.report["district_labels"]
    return Brief(
        keep=_keep(dossiers, say, judged),
        lines=[_line(dossiers, each) for each in ids],
        mapped=judged[:_MAPS],
        maps_more=[dossiers.names[each] for each in judged[_MAPS:]],
        districts=districts[:_DISTRICTS],
        districts_more=len(districts[_DISTRICTS:]),
        columns=columns[:_COLUMNS],
        columns_more=[label for _, label in columns[_COLUMNS:]],
        gaps=_gaps(dossiers, say),
        depends=[_depend(dossiers, row, labels) for row in fragility["services"][:_SERVICES]],
        first=[_depend(dossiers, row, labels) for row in facts["confirm_first"][:_SERVICES]],
        next=[_shortened(one) for one in dossiers.report["next"][:_NEXTS]],
    )


def about_people(value: float, say: Words, *, alone: bool = False) -> str:
    """Say a number of residents, rounded as people say it; ``alone`` leaves their name out.

    Examples
    --------
    >>> say = Words("en", "publication")
    >>> about_people(479226.0, say), about_people(1552847.0, say, alone=True)
    ('about 480,000 residents', 'about 1.6 million')
    """
    if round(value) < 1_000_000:
        return say("about" if alone else "people", n=format_about(value, say.lang))
    n = format_about(value / 1e6, say.lang)
    millions = say("million" if value < 2e6 else "millions", n=n)
    return say("about" if alone else "people_of", n=millions)


def _keep(dossiers: Dossiers, say: Words, judged: Sequence[str]) -> list[str]:
    """Return the sentences to remember: the lack first, then where, then what may move it."""
    ending = "" if dossiers.by_people else "_area"
    doubts = {line["category"]: line for line in dossiers.report["doubts"]}
    found = []
    if dossiers.report["composite"]:
        found.append(_none_sentence(dossiers, say, doubts, ending))
        found += _extremes(dossiers, say)
    essential = [c["id"] for c in dossiers.categories if c["essential"] and c["id"] in judged]
    shares = {each: float(dossiers.city[each][dossiers.share]) for each in essential}
    known = [each for each in essential if not math.isnan(shares[each])]
    if len(known) > 1:
        for key, pick in (("least", min), ("most", max)):
            each = pick(known, key=lambda one: shares[one])
            found.append(
                say(
                    f"keep_{key}{ending}",
                    category=dossiers.names[each],
                    share=format_pct(shares[each], say.lang, 0),
                    n=int(dossiers.city[each]["services_inside"]),
                )
            )
    needed = dossiers.report["fragility"]["services"]
    if needed and dossiers.by_people and needed[0]["residents_only_here"] >= 1:
        found.append(
            say(
                "keep_depends",
                name=short(needed[0]["name"], _NAME),
                category=dossiers.names[needed[0]["category"]],
                people=about_people(needed[0]["residents_only_here"], say),
            )
        )
    unjudged = [c["label"] for c in dossiers.categories if c["id"] not in judged]
    if unjudged:
        found.append(say("keep_unjudged", names=", ".join(unjudged)))
    return found


def _none_sentence(
    dossiers: Dossiers, say: Words, doubts: dict[str, DoubtLine], ending: str
) -> str:
    """Say who has none of the essential services, and how far that figure can be trusted."""
    lang, summary = say.lang, dossiers.report["summary"]
    any_ = doubts.get(COMPOSITES[1])
    pace = ""
    if any_ is not None and all(math.isfinite(end) for end in any_["speed"]):
        # Who has none is the rest of who has any.
        least, most = 100 - any_["speed"][1], 100 - any_["speed"][0]
        ends = with_percent_sign(ends_words([least, most], lang), lang)
        pace = say("keep_pace", ends=ends) if round(least) != round(most) else ""
    return say(
        f"keep_none{ending}",
        share=format_pct(summary["none_pct"], lang, 0),
        people=about_people(summary["none"], say, alone=True),
        k=summary["essentials"],
        threshold=dossiers.threshold,
        pace=pace,
    )


def _extremes(dossiers: Dossiers, say: Words) -> list[str]:
    """Name the districts with the highest and the lowest shares without any essential service."""
    shares = {each: dossiers.headline(each)["none"].pct for each in dossiers.districts}
    known = [each for each in shares if not math.isnan(shares[each])]
    if len(known) < 2 * _NAMED:
        return []
    ordered = sorted(known, key=lambda each: -shares[each])

    def told(some: Sequence[str]) -> str:
        return ", ".join(
            say(
                "keep_share_of",
                label=dossiers.label(each),
                share=format_pct(shares[each], say.lang, 0),
            )
            for each in some
        )

    return [say("keep_worst", worst=told(ordered[:_NAMED]), best=told(ordered[::-1][:_NAMED]))]


def _most_peopled(dossiers: Dossiers) -> list[str]:
    """Return the districts in their order; where there are too many, those with most residents."""
    ids = list(dossiers.districts)
    if len(ids) <= _DISTRICTS:
        return ids
    size = "residents" if dossiers.by_people else "on_network_ha"
    rows = {each: dossiers.districts[each]["indicators"][0] for each in ids}
    first = sorted(ids, key=lambda each: -float(rows[each][size]))
    kept = set(first[:_DISTRICTS])
    return [each for each in ids if each in kept] + first[_DISTRICTS:]


def _line(dossiers: Dossiers, category: str) -> CategoryLine:
    row = dossiers.city[category]
    doubts = {line["category"]: line for line in dossiers.report["doubts"]}
    fragile = {each["category"]: each for each in dossiers.report["fragility"]["city"]}
    age = dossiers.ages.get(category)
    single = "residents_single_pct" if dossiers.by_people else "single_pct"
    return CategoryLine(
        label=dossiers.names[category],
        judged=dossiers.judged(category),
        services=int(row["services_inside"]),
        share=float(row[dossiers.share]),
        pace=ends_words(doubts[category]["speed"], dossiers.lang) if category in doubts else "",
        median=row["minutes_median"],
        p90=row["minutes_p90"],
        gaps=None if row["gaps"] is None else int(row["gaps"]),
        confirmed=float(age["facts_share_confirmed"]) if age else math.nan,
        places=dossiers.places_words(category) if age else "",
        single=float(fragile[category][single]) if category in fragile else math.nan,
    )


def _gaps(dossiers: Dossiers, say: Words) -> list[GapRow]:
    """Return the gaps with most residents, a few of each judged category and of none at all."""
    found: dict[str, dict[str, Gap]] = {}
    for district in dossiers.districts.values():
        for gap in district["gaps"]:
            found.setdefault(gap["category"], {})[gap["gap_id"]] = gap
    names = {c["id"]: c["gap_label"] for c in dossiers.report["categories"]}
    wanted = [COMPOSITES[1], *(c["id"] for c in dossiers.categories if dossiers.judged(c["id"]))]
    # With many categories each has but one.
    each_n = _GAPS_EACH if len(wanted) * _GAPS_EACH <= _GAPS else 1
    rows = []
    for category in wanted:
        gaps = sorted(found.get(category, {}).values(), key=lambda gap: gap["rank"])
        rows += [_gap(dossiers, gap, names[category], say) for gap in gaps[:each_n]]
    return rows[:_GAPS]


def _gap(dossiers: Dossiers, gap: Gap, label: str, say: Words) -> GapRow:
    ids = [each for each in gap["districts"].split(";") if each in dossiers.districts]
    named = ", ".join(dossiers.label(each) for each in ids[: 2 * _NAMED])
    if len(ids) > 2 * _NAMED:
        named += " " + say("and_more", n=len(ids) - 2 * _NAMED)
    return GapRow(
        label=label,
        rank=gap["rank"],
        where=named,
        # A street names a zone that is near it, not one that is half of the area.
        street=short(gap["street"], _NAME) if len(ids) <= _FEW_DISTRICTS else "",
        residents=gap["residents"],
        area_ha=gap["area_ha"],
        typical=gap["minutes_median"],
        longest=gap["minutes_max"],
        nearest=short(nearest_name(gap, dossiers.lang), _NAME),
    )


def _depend(dossiers: Dossiers, row: Row, labels: dict[str, str]) -> DependLine:
    touched = row["residents_only_here"] if dossiers.by_people else row["ha_only_here"]
    return DependLine(
        name=short(row["name"], _NAME),
        label=dossiers.names[row["category"]],
        district=short(labels.get(row["district_id"], ""), 40),
        touched=touched,
    )


def _shortened(one: Next) -> Next:
    """Return a proposal with as many lines and rows as the report has room for."""
    parts: list[Any] = []
    for part in one["parts"][:1]:
        rows = part["rows"][:_NEXT_ROWS]
        parts.append({**part, "rows": rows, "more": part["more"] + len(part["rows"]) - len(rows)})
    return {**one, "lines": one["lines"][:_NEXT_LINES], "parts": parts}
