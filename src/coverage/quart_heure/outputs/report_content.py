"""What a report says, as plain data: the same for every format, language aside.

Figures are numbers here, rounded as in the files; the formats write them for people.
"""

from __future__ import annotations

import difflib
import math
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from quart_heure.analysis.answers import COMPOSITES
from quart_heure.errors import CategoryError, InputFileError
from quart_heure.hints import nearest_hint
from quart_heure.labels import (
    district_word,
    format_number,
    format_pct,
    format_plain,
    phrase,
    told,
    word,
)
from quart_heure.outputs.discreet_places import rounded_categories, uncounted
from quart_heure.outputs.discretion import publishable
from quart_heure.outputs.manifest import describe_run, residents_source
from quart_heure.outputs.order import in_order
from quart_heure.outputs.report_services import most_needed, person_words, service_lists
from quart_heure.outputs.report_week import hours_told, week_content
from quart_heure.outputs.results import Results
from quart_heure.schema import table_columns
from quart_heure.sources.district_names import bare_name

if TYPE_CHECKING:
    from quart_heure.study import Coverage

__all__ = ["REPORT_FORMAT", "printable", "report_content", "resolve_districts"]

REPORT_FORMAT = "quart-heure-report/1"
"""Name and version of the structure that `report_content` returns."""

_Row = dict[str, Any]

_AMOUNTS = {"residents": "residents", "area": "area_ha"}


def report_content(
    source: Coverage | Results,
    *,
    districts: Sequence[str] = (),
    categories: Sequence[str] = (),
    lang: str = "fr",
) -> dict[str, Any]:
    """Gather what a report says.

    Parameters
    ----------
    source
        A coverage, or a result folder that was read.
    districts
        Those to report on, by id, label or number; all if none is given.
    categories
        Categories and composites to report on; all if none is given.
    lang
        Language of labels and sentences.

    Returns
    -------
    dict
        ``format``, ``lang``, ``area``, ``osm_date``, ``parameters``; ``selected`` (whether
        districts were asked for), ``district_labels`` (by id), ``district_word``;
        ``categories`` (id, label, gap_label, essential, composite); ``uncounted`` (categories
        with discreet places, which districts do not count); ``hours`` (the hour that was
        asked about, None without one) and ``week`` (see `quart_heure.outputs.report_week`);
        ``summary`` (in figures and in one sentence); ``second_weight`` (label, source and a
        sentence, {} without one); ``city`` (one row of indicators per category); ``composite``;
        ``districts`` (district_id, label, ``indicators``, ``composite``, ``gaps`` with the
        part ``here`` and whether their minutes are ``rounded``, ``none_known``, ``fragility``);
        ``person`` (its parts, in words),
        ``filters``; ``fragility`` (``city``, ``services`` by residents who depend on them);
        ``capacity`` (rows of the districts asked for, of the whole area if none was);
        ``services`` (``by_category``, ``withheld``,
        ``list``); ``problems``; ``definitions``, ``limits``; ``sources``, ``attribution``;
        ``run``. Rows have the columns of the result tables. Numbers that are unknown are NaN,
        minutes out of reach are inf.

    Raises
    ------
    InputFileError
        If there is no such district.
    CategoryError
        If the study does not have such a category.
    """
    source = source if isinstance(source, Results) else publishable(source)
    manifest = source.manifest if isinstance(source, Results) else describe_run(source)
    shown = _shown_categories(manifest, source.indicators, categories, lang)
    ids = [category["id"] for category in shown]
    wanted = resolve_districts(source.indicators, districts)
    labels = _district_labels(source.indicators)
    indicators = _rows(source.indicators, "indicators", ids)
    rounded = rounded_categories(source.gaps, manifest)
    gaps = [
        {**gap, "rounded": gap["category"] in rounded} for gap in _rows(source.gaps, "gaps", ids)
    ]
    hiding = [c for c in uncounted(source.indicators, manifest) if c in ids and c not in COMPOSITES]
    parts = _rows(source.gap_parts, "gap_parts", ids)
    composite = _rows(source.composite, "composite", ids) if _is_whole(categories) else []
    fragility = _rows(source.fragility, "fragility", ids)
    here = wanted if districts else None
    known = _rows(source.services, "services", ids)
    services = service_lists(known, source.indicators, manifest, ids, here)
    for row in services["by_category"]:
        if here is not None and row["category"] in hiding:
            row["not_shown"] = None  # of some districts it is not told, and 0 would be an answer
    found = {(row["district_id"], row["category"]) for row in known}
    parameters = manifest.get("parameters", {})
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
        "uncounted": hiding,
        "hours": hours_told(parameters, lang),
        "week": week_content(
            _week_table(source),
            parameters,
            categories=ids,
            places=[(d, labels[d]) for d in wanted] if districts else [("", manifest["area"])],
            lang=lang,
        ),
        "summary": _summary(source.composite, indicators, manifest, lang),
        "second_weight": _second_weight(manifest, indicators, shown, labels, lang),
        "city": [row for row in indicators if row["level"] == "city"],
        "composite": [row for row in composite if row["level"] == "city"],
        "districts": [
            {
                **_district(each, indicators, composite, gaps, parts),
                # A discreet place may be here: nobody is told where it is, nor where it is not.
                "none_known": [
                    category
                    for category in ids
                    if category not in {*COMPOSITES, *hiding} and (each, category) not in found
                ],
                "fragility": [row for row in fragility if row["district_id"] == each],
            }
            for each in wanted
        ],
        "person": person_words(parameters, lang),
        "filters": _rows(source.filters, "filters", ids),
        "fragility": {
            "city": [row for row in fragility if row["level"] == "city"],
            "services": most_needed(_rows(source.dependence, "dependence", ids), here),
        },
        "capacity": _capacity(_rows(source.capacity, "capacity", ids), here),
        "services": services,
        "problems": _rows(source.problems, "problems", ids),
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


def _week_table(source: Coverage | Results) -> pd.DataFrame | None:
    if isinstance(source, Results):
        return source.week_table
    return None if source.week is None else source.week.table


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
        If there is none like it; the message names the nearest.
    """
    labels = _district_labels(indicators)
    known: dict[str, str] = {}
    for district_id, label in labels.items():
        for name in (district_id, label):
            known.setdefault(bare_name(name), district_id)
    found = []
    for name in wanted:
        if bare_name(name) not in known:
            near = difflib.get_close_matches(bare_name(name), known, n=1, cutoff=0.5)
            msg = f"There is no district {name!r}."
            hint = f"Districts are {', '.join(labels.values())}."
            if near:
                hint = f"Did you mean {labels[known[near[0]]]!r}?"
            raise InputFileError(msg, hint=hint)
        found.append(known[bare_name(name)])
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
) -> list[dict[str, Any]]:
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


def _summary(
    composite: pd.DataFrame, indicators: list[_Row], manifest: Mapping[str, Any], lang: str
) -> dict[str, Any]:
    """Return the answer in figures: who has all the essential services, who has none."""
    city = composite[composite["level"] == "city"].sort_values("essentials_within")
    if city.empty or len(city) < 2:
        return {}
    by = "residents" if city["residents_pct"].notna().any() else "area"
    share, amount = (city[name].astype(float) for name in (f"{by}_pct", _AMOUNTS[by]))
    figures = {
        "all_pct": round(float(share.iloc[-1]), 2),
        "all": round(float(amount.iloc[-1]), 1),
        "none_pct": round(float(share.iloc[0]), 2),
        "none": round(float(amount.iloc[0]), 1),
        "total": _on_network(indicators, by),
    }
    essentials = int(city["essentials_within"].iloc[-1])
    threshold = manifest.get("parameters", {}).get("threshold_min")
    key = "headline" if by == "residents" else "headline_area"
    asked = ""
    if f"{by}_pct_at_most" in city:
        # Who has all at most, and who has none even so.
        most = city[f"{by}_pct_at_most"].astype(float)
        figures["all_most_pct"] = round(float(most.iloc[-1]), 2)
        figures["none_least_pct"] = round(float(most.iloc[0]), 2)
        asked = _asked(manifest.get("parameters", {}))
        key += "_person" if asked == "person" else "_hours"
    sentence = phrase(
        key,
        lang,
        asked=phrase(f"asked_{asked}", lang) if asked else "",
        n=essentials,
        threshold=format_plain(threshold, lang),
        all=_between(figures["all_pct"], figures.get("all_most_pct"), lang),
        all_n=format_number(figures["all"], lang),
        none=_between(figures.get("none_least_pct"), figures["none_pct"], lang),
        none_n=format_number(figures["none"], lang),
        n_total=format_number(figures["total"], lang),
    )
    about = {"by": by, "essentials": essentials, "threshold_min": threshold}
    return {**about, **figures, "sentence": sentence}


def _asked(parameters: Mapping[str, Any]) -> str:
    """Return what makes a range of the figures, hours first."""
    if "until" in parameters:
        return "window"
    return "hour" if "at" in parameters else "person"


def _between(least: float | None, most: float | None, lang: str) -> str:
    """Write the ends of a share, one figure where they read alike or there is but one."""
    low, high = (format_pct(end, lang) for end in (least, most))
    if least is None or most is None or low == high:
        return high if least is None else low
    return phrase("at_least_at_most", lang, least=low, most=high)


def _second_weight(
    manifest: Mapping[str, Any],
    indicators: list[_Row],
    shown: Sequence[Mapping[str, Any]],
    labels: Mapping[str, str],
    lang: str,
) -> dict[str, Any]:
    """Return what is counted besides residents, and the shares that it gives the whole area."""
    counts = manifest.get("counts", {})
    city = {row["category"]: row for row in indicators if row["level"] == "city"}
    if f"second_weight_{lang}" not in counts or not city:
        return {}
    names = {category["id"]: category["label"] for category in shown}
    shares = [
        f"{names[category]} {format_pct(row['second_weight_covered_pct'], lang)}"
        for category, row in city.items()
    ]
    label = printable(str(counts[f"second_weight_{lang}"]))
    sentence = phrase(
        "weight_city",
        lang,
        label=label,
        n=format_number(next(iter(city.values()))["second_weight"], lang),
        known=counts["second_weight_districts"],
        all=len(labels),
        unit=district_word(labels.values(), lang),
        shares=", ".join(shares),
    )
    source = printable(str(counts.get("second_weight_source", "")))
    return {"label": label, "source": source, "sentence": sentence}


def _on_network(indicators: list[_Row], by: str) -> float:
    """Return what the shares of the whole area are of, as the other tables show it."""
    city = next(row for row in indicators if row["level"] == "city")
    if by == "area":
        return float(city["on_network_ha"])
    parts = ("residents_covered", "residents_borderline_uncovered", "residents_uncovered")
    # Of the figures as the tables show them: two differences of rounded ones might not be alike.
    return round(sum(float(city[part]) for part in parts), 1)


def _district(
    district_id: str,
    indicators: list[_Row],
    composite: list[_Row],
    gaps: list[_Row],
    parts: list[_Row],
) -> dict[str, Any]:
    rows = [row for row in indicators if row["district_id"] == district_id]
    here = {part["gap_id"]: part for part in parts if part["district_id"] == district_id}
    order = {row["category"]: at for at, row in enumerate(rows)}
    mine = [{**gap, "here": here[gap["gap_id"]]} for gap in gaps if gap["gap_id"] in here]
    mine.sort(key=lambda gap: (order[gap["category"]], -_people(gap["here"]), gap["rank"]))
    return {
        "district_id": district_id,
        "label": (rows[0]["label"] if rows else "") or district_id,
        "indicators": rows,
        "composite": [row for row in composite if row["district_id"] == district_id],
        "gaps": mine,
    }


def _capacity(rows: list[_Row], districts: Sequence[str] | None) -> list[_Row]:
    """Return the capacities of some districts, in their order, or of the whole area."""
    if districts is None:
        return [row for row in rows if row["level"] == "city"]
    return [row for each in districts for row in rows if row["district_id"] == each]


def _people(gap: _Row) -> float:
    """Return the residents of a gap, or its area where they are not known."""
    residents = float(gap["residents"])
    return float(gap["area_ha"]) if math.isnan(residents) else residents


def _rows(frame: pd.DataFrame, table: str, ids: Sequence[str]) -> list[_Row]:
    """Return the rows of these categories, in the order of the table, as plain values.

    Numbers are rounded as in the files, and text is made safe to show.
    """
    decimals = {column.name: column.decimals for column in table_columns(table)}
    plain = pd.DataFrame(frame.drop(columns="geometry", errors="ignore"))
    if "category" in plain:
        plain = plain[plain["category"].isin(ids)]
    plain = in_order(plain, table, ids)
    names = [str(name) for name in plain.columns]
    # Column by column: a table of pandas takes a hundred times as long to give up one row.
    columns = [
        [_tidy(value, decimals.get(name)) for value in plain.iloc[:, at].tolist()]
        for at, name in enumerate(names)
    ]
    return [dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)]


def _tidy(value: Any, decimals: int | None) -> Any:
    if value is None or value is pd.NA:
        return None
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, float) and decimals is not None and math.isfinite(value):
        return round(value, decimals)
    return value


def printable(text: str) -> str:
    """Drop signs that have no place in a name: control codes and changes of direction."""
    if text.isprintable():
        return text
    return "".join(
        " " if sign in "\t\r\n" else sign
        for sign in text
        if sign in "\t\r\n" or unicodedata.category(sign) not in {"Cc", "Cf", "Cs", "Co", "Cn"}
    )
