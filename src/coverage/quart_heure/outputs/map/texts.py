"""What the page of the map says around the map: headline, choices, method, sources."""

from __future__ import annotations

import dataclasses
import functools
import math
import tomllib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from quart_heure.labels import (
    district_label,
    district_word,
    format_date,
    format_pct,
    format_plain,
    phrase,
    told,
    typeset,
)
from quart_heure.outputs.assets import asset
from quart_heure.outputs.doubts import DoubtLine, doubt_lines, pace_words
from quart_heure.outputs.fact_ages import age_words, ages_of
from quart_heure.outputs.hour_words import hour_words, person_words, week_words
from quart_heure.outputs.map.data import PackedHours, View
from quart_heure.outputs.map.figures import has_ends
from quart_heure.outputs.proposals.proposal import Proposal, proposal_title
from quart_heure.outputs.results.manifest import residents_source

if TYPE_CHECKING:
    from quart_heure.study.coverage import Coverage
    from quart_heure.study.study import Study

LANGUAGES = ("fr", "en")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Choice:
    """A radio button: a view, with the share that a category covers; 0 where there is none."""

    id: str
    kind: str
    label: str
    essential: bool
    share: float
    share_text: str
    facts: str
    """How old the facts behind the share are; empty for a composite."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class PageTexts:
    """Everything that the template writes, as plain text.

    Parameters
    ----------
    words
        The words of the page in its language, as ``words.toml`` has them.
    go_to
        Asks for a district.
    unjudged
        Which categories are not judged; empty without any.
    proposals
        What each proposal is about.
    definitions, sources
        Pairs of a term and what is said of it.
    """

    words: Mapping[str, Any]
    other_lang: str
    other_language: str
    title: str
    area: str
    whole_area: str
    district: str
    essential_count: str
    asked: list[str]
    any_time: str
    go_to: str
    essentials: str
    unjudged: str
    choices: list[Choice]
    composite: str
    composite_hint: str
    share_hint: str
    hours_hint: str
    hours_left_out: bool
    districts: list[str]
    table: str
    measure: str
    limits: list[str]
    definitions: list[tuple[str, str]]
    data: list[str]
    sources: list[tuple[str, str]]
    credits: str
    online: bool
    proposals: list[str]


@functools.cache
def words_of(lang: str) -> Mapping[str, Any]:
    """Return the words of the map in a language: those of the page and those of its script."""
    text = asset("map/words.toml")
    words: Mapping[str, Any] = tomllib.loads(typeset(text) if lang == "fr" else text)[lang]
    return words


def other_than(lang: str) -> str:
    """Return the other language of the page."""
    return next(one for one in LANGUAGES if one != lang)


def page_texts(
    coverage: Coverage,
    *,
    views: Sequence[View],
    labels: Mapping[str, str],
    hours: PackedHours | None,
    lang: str,
    online_tiles: bool,
    proposals: Sequence[Proposal] = (),
) -> PageTexts:
    """Return everything that the template writes.

    Parameters
    ----------
    coverage
        A published coverage.
    views
        The views, as `quart_heure.outputs.map.views.views` gives them.
    labels
        What each category is called in this language.
    hours
        The hours, as `quart_heure.outputs.map.hours.hours_shown` gives them.
    lang
        ``fr`` or ``en``.
    online_tiles
        Whether the tiles of OpenStreetMap are the ground.
    proposals
        Those that the page shows.
    """
    study, manifest = coverage.study, coverage.manifest
    words, other = words_of(lang)["page"], other_than(lang)
    minutes = format_plain(study.threshold_min, lang)
    ending = "" if study.residents is not None else "_area"
    count = len(study.essentials)
    districts = study.area.districts["label"].astype(str)
    district = district_word(districts, lang)
    share_hint = ("share_hint_sure" if has_ends(coverage) else "share_hint") + ending
    return PageTexts(
        words=words,
        other_lang=other,
        other_language=words_of(other)["page"]["language"],
        title=words["title"].format(area=study.area.name)
        + (f" – {phrase('private_short', lang)}" if study.private else ""),
        area=study.area.name,
        whole_area=words["whole_area"].format(area=study.area.name),
        district=district,
        essential_count=words["count_words"].get(str(count), str(count)),
        asked=_asked(manifest.get("parameters", {}), words, lang=lang),
        any_time=words["asked_time" if study.moment is not None else "any_time"],
        go_to=words["go_to"].format(district=district),
        essentials=_essentials(study, words, lang=lang),
        unjudged=_unjudged(study, words, lang=lang),
        choices=_choices(views, labels, coverage, lang=lang),
        composite=words["composite"],
        composite_hint=words["composite_hint"].format(n=count),
        share_hint=words[share_hint].format(minutes=minutes),
        hours_hint=_hours_hint(hours, manifest, words, minutes=minutes, lang=lang),
        hours_left_out=hours is not None and hours.too_large,
        districts=[district_label(label, lang) for label in districts],
        table=words["table"].format(district=district),
        measure=_measure(study, words, lang=lang),
        limits=[*(limit[lang] for limit in manifest.get("limits", [])), *_lost(manifest, lang)],
        definitions=[
            (entry[f"term_{lang}"], entry[lang]) for entry in manifest.get("definitions", [])
        ],
        data=_data_lines(manifest, words, lang=lang),
        sources=[_source(entry, words, lang=lang) for entry in manifest.get("inputs", [])],
        credits=" · ".join(_other_credits(manifest)),
        online=online_tiles,
        proposals=[proposal_title(one, labels, lang) for one in proposals],
    )


def _lost(manifest: Mapping[str, Any], lang: str) -> list[str]:
    """Say how many discreet places count nowhere; nothing where each has a zone to hide in."""
    lost = int(manifest.get("withheld", {}).get("services_without_zone", 0))
    return [phrase("services_without_zone", lang, n=lost)] if lost else []


def _asked(parameters: Mapping[str, Any], words: Mapping[str, Any], *, lang: str) -> list[str]:
    """Say for which hour and for whom the figures are; nothing where neither was asked."""
    said = [phrase("private_short", lang)] if parameters.get("private") else []
    if "at" in parameters:
        key = "asked_window" if "until" in parameters else "asked_moment"
        stay = format_plain(parameters["stay_min"], lang)
        said.append(words[key].format(stay=stay, when=hour_words(parameters, lang)))
    if who := person_words(parameters, lang):
        said.append(words["asked_person"].format(person=", ".join(who)))
    return said


def _essentials(study: Study, words: Mapping[str, Any], *, lang: str) -> str:
    named = _named(study, study.essentials, words, lang=lang)
    return str(words["headline_essentials"].format(names=named)) if named else ""


def _unjudged(study: Study, words: Mapping[str, Any], *, lang: str) -> str:
    named = _named(study, study.unjudged, words, lang=lang)
    return str(words["unjudged"].format(names=named)) if named else ""


def _named(study: Study, categories: Sequence[str], words: Mapping[str, Any], *, lang: str) -> str:
    """Name categories within a sentence; "" for none."""
    names = [study.catalogue[category].label(lang) for category in categories]
    # There a name starts small, unless it is an abbreviation.
    names = [name[0].lower() + name[1:] if name[1:2].islower() else name for name in names]
    listed = ", ".join(names[:-1])
    return f"{listed} {words['and']} {names[-1]}" if listed else "".join(names)


def _choices(
    views: Sequence[View], labels: Mapping[str, str], coverage: Coverage, *, lang: str
) -> list[Choice]:
    column = "residents_covered_pct" if coverage.study.residents is not None else "covered_pct"
    city = coverage.city.set_index("category")[column]
    ages = ages_of(coverage.freshness)
    doubts = {row["category"]: row for row in doubt_lines(coverage.accuracy, coverage.services)}
    choices = []
    for view in views:
        category = view.kind == "category"
        share = float(city.get(view.id, math.nan)) if category else math.nan
        choices.append(
            Choice(
                id=view.id,
                kind=view.kind,
                label=labels.get(view.id, ""),
                essential=view.kind == "category" and view.essential,
                share=0 if math.isnan(share) else round(share, 1),
                share_text=format_pct(share, lang),
                facts=_facts_of(ages[view.id], doubts.get(view.id), lang) if category else "",
            )
        )
    return choices


def _facts_of(age: Mapping[str, Any], doubts: DoubtLine | None, lang: str) -> str:
    """Say how old the facts behind a share are, and what it is good to."""
    told = [age_words(age, lang), "" if doubts is None else pace_words(doubts, lang)]
    return phrase("facts_and", lang).join(text for text in told if text)


def _hours_hint(
    hours: PackedHours | None,
    manifest: Mapping[str, Any],
    words: Mapping[str, Any],
    *,
    minutes: str,
    lang: str,
) -> str:
    if hours is None or hours.too_large:
        return ""
    week = week_words(manifest["parameters"], lang)
    return f"{week} {words['hours_hint'].format(minutes=minutes)}"


def _measure(study: Study, words: Mapping[str, Any], *, lang: str) -> str:
    profile = study.profile
    steps = ""
    if not profile.steps_allowed:
        steps = words["about_measure_step_free"]
    elif profile.steps_factor > 1:
        steps = words["about_measure_slow"]
    return str(
        words["about_measure"].format(
            cell=format_plain(study.cell_m, lang),
            speed=format_plain(profile.speed_kmh, lang),
            steps=steps,
            minutes=format_plain(study.threshold_min, lang),
            gap_ha=format_plain(study.min_gap_ha, lang),
        )
    )


def _data_lines(manifest: Mapping[str, Any], words: Mapping[str, Any], *, lang: str) -> list[str]:
    """Return when the data are from and when the map was made."""
    lines = []
    if manifest.get("osm_date"):
        lines.append(words["data_date"].format(date=format_date(str(manifest["osm_date"]), lang)))
    residents = residents_source(manifest, lang)
    if residents:
        lines.append(words["residents_source"].format(source=residents))
    if manifest.get("created"):
        date = format_date(str(manifest["created"]), lang)
        lines.append(words["made"].format(date=date, version=manifest.get("version", "")))
    return lines


def _other_credits(manifest: Mapping[str, Any]) -> list[str]:
    """Return the credits besides that of OpenStreetMap, which the page always gives."""
    return [c for c in manifest.get("attribution", []) if "OpenStreetMap contributors" not in c]


def _source(entry: Mapping[str, Any], words: Mapping[str, Any], *, lang: str) -> tuple[str, str]:
    """Return what an input is and where it comes from."""
    role = str(entry.get("role", ""))
    date = str(entry.get("date") or "")
    parts = [
        told(entry, "source", lang) or str(entry.get("file") or ""),
        words["source_date"].format(date=format_date(date, lang)) if date else "",
        told(entry, "licence", lang),
    ]
    return words["roles"].get(role, role), " – ".join(part for part in parts if part)
