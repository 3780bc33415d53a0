"""What a report says, as plain data: the same for every format, language aside.

Figures are numbers here, rounded as in the files; the formats write them for people.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import pandas as pd

from quart_heure.analysis.answers import COMPOSITES
from quart_heure.errors import CategoryError, InputFileError
from quart_heure.hints import nearest_hint
from quart_heure.labels import (
    district_word,
    told,
    word,
)
from quart_heure.outputs.discretion import (
    anchored_counts,
    hidden_counts,
    publishable,
)
from quart_heure.outputs.doubts import doubt_lines
from quart_heure.outputs.hour_words import hours_told, person_words
from quart_heure.outputs.proposals.proposal import Proposal, check_fits
from quart_heure.outputs.report.facts import facts
from quart_heure.outputs.report.next import next_content
from quart_heure.outputs.report.services import most_needed, service_lists
from quart_heure.outputs.report.structure import REPORT_FORMAT, Category, Gap, Report, Since
from quart_heure.outputs.report.summary import second_weight, summary
from quart_heure.outputs.report.week import week_content
from quart_heure.outputs.results.manifest import describe_run, residents_source
from quart_heure.outputs.results.read import Results
from quart_heure.outputs.results.rows import Row, plain_rows, printable
from quart_heure.sources.areas.names import (
    bare_name,
    known_names,
    positions_of,
    several_named,
)
from quart_heure.study.calls import calls

if TYPE_CHECKING:
    from quart_heure.outputs.runs.compare import Run
    from quart_heure.study.coverage import Coverage


def report_content(
    source: Coverage | Results,
    *,
    districts: Sequence[str] = (),
    categories: Sequence[str] = (),
    since: Run | None = None,
    lang: str = "fr",
    proposals: Sequence[Proposal] = (),
) -> Report:
    """Gather what a report says.

    Parameters
    ----------
    source
        A coverage, or a result folder that was read.
    districts
        Those to report on, by id, label or number; all if none is given.
    categories
        Categories and composites to report on; all if none is given.
    since
        An earlier run to compare with.
    lang
        Language of labels and sentences.
    proposals
        Those to show with it.

    Returns
    -------
    Report
        See `quart_heure.outputs.report.structure`.

    Raises
    ------
    InputFileError
        If there is no such district, or a proposal is of another study.
    CategoryError
        If the study does not have such a category.
    """
    source = source if isinstance(source, Results) else publishable(source)
    manifest = source.manifest if isinstance(source, Results) else describe_run(source)
    check_fits(proposals, manifest)
    shown = _shown_categories(manifest, source.indicators, categories, lang)
    ids = [category["id"] for category in shown]
    wanted = resolve_districts(source.indicators, districts)
    labels = _district_labels(source.indicators)
    indicators = plain_rows(source.indicators, "indicators", ids)
    gaps = plain_rows(source.gaps, "gaps", ids)
    hiding = [category for category in anchored_counts(manifest) if category in ids]
    parts = plain_rows(source.gap_parts, "gap_parts", ids)
    composite = plain_rows(source.composite, "composite", ids) if _is_whole(categories) else []
    if not any(row["essentials_within"] for row in composite):
        composite = []  # of no category that is judged: who has none of nothing is no figure
    fragility = plain_rows(source.fragility, "fragility", ids)
    accuracy = plain_rows(source.accuracy, "accuracy", ids)
    here = wanted if districts else None
    city = [row for row in indicators if row["level"] == "city"]
    dependence = plain_rows(source.dependence, "dependence", ids)
    answer = summary(source.composite, indicators, manifest, lang)
    known = plain_rows(source.services, "services", ids)
    services = service_lists(known, source.indicators, manifest, ids, here)
    found = {(row["district_id"], row["category"]) for row in known}
    parameters = manifest.get("parameters", {})
    # Each table is gone through once: there may be thousands of districts.
    tables = {"indicators": indicators, "composite": composite, "parts": parts}
    tables |= {"fragility": fragility, "accuracy": accuracy}
    of_district = {name: _by_district(rows) for name, rows in tables.items()}
    gap_of = {gap["gap_id"]: gap for gap in gaps}
    names = dict(zip(source.services["service_id"], source.services["name"], strict=True))
    return {
        "format": REPORT_FORMAT,
        "lang": lang,
        "area": manifest["area"],
        "osm_date": manifest.get("osm_date", ""),
        "parameters": parameters,
        "selected": bool(districts),
        "district_labels": labels,
        "district_word": district_word(labels.values(), lang),
        "categories": shown,
        "anchored": hiding,
        "hours": hours_told(parameters, lang),
        "week": week_content(
            source.week_rows(wanted if districts else [""]),
            parameters,
            categories=ids,
            places=[(d, labels[d]) for d in wanted] if districts else [("", manifest["area"])],
            lang=lang,
        ),
        "since": None if since is None else _changes(source, since, ids, lang),
        "summary": answer,
        "facts": facts(
            plain_rows(source.freshness, "freshness", ids),
            plain_rows(source.unplaced, "unplaced", ids),
            city=city,
            services=source.services,
            dependence=[d for d in dependence if here is None or d["district_id"] in here],
            summary=answer,
            manifest=manifest,
            lang=lang,
            called=_called(source, proposals),
        ),
        "second_weight": second_weight(manifest, indicators, shown, labels, lang),
        "city": city,
        "composite": [row for row in composite if row["level"] == "city"],
        "districts": [
            {
                "district_id": each,
                "label": labels[each],
                "indicators": of_district["indicators"].get(each, []),
                "composite": of_district["composite"].get(each, []),
                "gaps": _gaps_with(of_district["parts"].get(each, []), gap_of, ids),
                # A discreet place may be here, and it is told of none.
                "none_known": [
                    category
                    for category in ids
                    if category not in {*COMPOSITES, *hidden_counts(manifest)}
                    and (each, category) not in found
                ],
                "fragility": of_district["fragility"].get(each, []),
                "doubts": doubt_lines(
                    of_district["accuracy"].get(each, []), names, district_id=each
                ),
            }
            for each in wanted
        ],
        "person": person_words(parameters, lang),
        "filters": plain_rows(source.filters, "filters", ids),
        "fragility": {
            "city": [row for row in fragility if row["level"] == "city"],
            "services": most_needed(dependence, here),
        },
        "doubts": doubt_lines([row for row in accuracy if row["level"] == "city"], names),
        "capacity": _capacity(plain_rows(source.capacity, "capacity", ids), here),
        "services": services,
        "problems": plain_rows(source.problems, "problems", ids),
        "next": next_content(
            proposals, {one["id"]: one[lang] for one in manifest["categories"]}, lang
        ),
        "definitions": [
            {"key": d["key"], "term": d[f"term_{lang}"], "text": d[lang]}
            for d in manifest.get("definitions", [])
        ],
        "limits": [limit[lang] for limit in manifest.get("limits", [])],
        "sources": [
            {**source, **{key: told(source, key, lang) for key in ("source", "licence")}}
            for source in manifest.get("inputs", [])
        ],
        "attribution": list(manifest.get("attribution", [])),
        "run": {
            "tool": manifest["tool"],
            "version": manifest.get("version", ""),
            "created": manifest.get("created", ""),
            "counts": {
                **manifest.get("counts", {}),
                "residents_source": residents_source(manifest, lang),
            },
            "dropped": manifest.get("dropped", {}),
        },
    }


def _changes(source: Coverage | Results, since: Run, categories: Sequence[str], lang: str) -> Since:
    # What compares runs is loaded where there are two of them.
    from quart_heure.outputs.report.since import since_content  # noqa: PLC0415

    return since_content(source, since, categories=categories, lang=lang)


def _called(source: Coverage | Results, proposals: Sequence[Proposal]) -> dict[str, int] | None:
    """Return the ranks of a phone list: one that was given, or that of the hour asked about.

    At no hour and for nobody in particular hardly anything is unknown that the list asks for.
    """
    given = [one.tables["calls"] for one in proposals if one.kind == "calls"]
    if not given and not isinstance(source, Results) and source.study.has_ranges:
        given = [calls(source)]
    if not given:
        return None
    ids, ranks = given[0]["service_id"].astype(str), given[0]["rank"].astype(int)
    return dict(zip(ids.tolist(), ranks.tolist(), strict=True))


def resolve_districts(indicators: pd.DataFrame, wanted: Iterable[str]) -> list[str]:
    """Return the ids of districts given by id, label or number; all if none is given.

    Examples
    --------
    >>> rows = pd.DataFrame({"level": ["district"] * 2, "district_id": ["75101", "75113"],
    ...                      "label": ["1er", "13e"]})
    >>> resolve_districts(rows, ["13", "1ER"]), resolve_districts(rows, [])
    (['75113', '75101'], ['75101', '75113'])

    Raises
    ------
    InputFileError
        If there is none like it, and the message names the nearest; or several are called so.
    """
    return find_districts(_district_labels(indicators), wanted)


def find_districts(labels: Mapping[str, str], wanted: Iterable[str]) -> list[str]:
    """Do the same among the labels of districts by their ids."""
    ids, called = list(labels), list(labels.values())
    known = known_names(ids, called)
    found = []
    for name in wanted:
        at = positions_of(name, known)
        if not at:
            bare = bare_name(name)
            # Numbers that share a digit are no nearer for it.
            near = [] if bare.isdigit() else difflib.get_close_matches(bare, known, n=1, cutoff=0.5)
            msg = f"There is no district {name!r}."
            hint = f"Districts are {', '.join(called)}."
            if near:
                hint = f"Did you mean {called[known[near[0]][0]]!r}?"
            raise InputFileError(msg, hint=hint)
        if len(at) > 1:
            raise several_named(name, at, ids, called, "The study")
        found.append(ids[at[0]])
    return list(dict.fromkeys(found)) if found else list(labels)


def _district_labels(indicators: pd.DataFrame) -> dict[str, str]:
    rows = indicators.loc[indicators["level"] == "district", ["district_id", "label"]]
    pairs = rows.drop_duplicates().itertuples(index=False, name=None)
    return {district_id: printable(label) or district_id for district_id, label in pairs}


def _is_whole(categories: Sequence[str]) -> bool:
    """Tell whether the composite belongs in a report on these categories."""
    return not categories or any(category in COMPOSITES for category in categories)


def _shown_categories(
    manifest: Mapping[str, Any], indicators: pd.DataFrame, wanted: Sequence[str], lang: str
) -> list[Category]:
    about = {category["id"]: category for category in manifest["categories"]}
    present = list(dict.fromkeys(indicators["category"]))
    ordered = [c for c in [*about, *COMPOSITES] if c in present]
    for name in wanted:
        if name not in ordered:
            msg = f"The results have no category {name!r}."
            hint = nearest_hint(name, ordered, f"They have {', '.join(ordered)}.")
            raise CategoryError(msg, hint=hint)
    return [
        {
            "id": category,
            "label": about[category][lang] if category in about else word(category, lang),
            # What lacks in a gap of a composite is the contrary of its name.
            "gap_label": about[category][lang]
            if category in about
            else word(f"{category}_gap", lang),
            "essential": bool(about.get(category, {}).get("essential", False)),
            "composite": category not in about,
        }
        for category in ordered
        if not wanted or category in wanted
    ]


def _by_district(rows: Iterable[Row]) -> dict[str, list[Row]]:
    """Return the rows of each district, in their order; those of the whole area are under ""."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row["district_id"], []).append(row)
    return found


def _gaps_with(
    parts: Sequence[Row],
    gaps: Mapping[str, Row],
    ids: Sequence[str],
) -> list[Gap]:
    """Return the gaps of which a district has these parts, by category and people of the part."""
    here = {part["gap_id"]: part for part in parts if part["gap_id"] in gaps}
    mine: list[Row] = [{**gaps[name], "here": part} for name, part in here.items()]
    order = {category: at for at, category in enumerate(ids)}
    mine.sort(key=lambda gap: (order[gap["category"]], -_people(gap["here"]), gap["rank"]))
    return cast("list[Gap]", mine)


def _capacity(rows: list[Row], districts: Sequence[str] | None) -> list[Row]:
    """Return the capacities of some districts, in their order, or of the whole area."""
    if districts is None:
        return [row for row in rows if row["level"] == "city"]
    of_district = _by_district(rows)
    return [row for each in districts for row in of_district.get(each, [])]


def _people(gap: Row) -> float:
    """Return the residents of a gap, or its area where they are not known."""
    residents = float(gap["residents"])
    return float(gap["area_ha"]) if math.isnan(residents) else residents
