"""What the page of the map says around the map: headline, choices, method, sources."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from quart_heure.labels import (
    district_label,
    district_word,
    format_date,
    format_number,
    format_pct,
    format_plain,
    told,
)
from quart_heure.outputs.hour_words import week_words
from quart_heure.outputs.map.ranges import asked_words, city_bounds, has_ranges
from quart_heure.outputs.results.manifest import residents_source

if TYPE_CHECKING:
    from quart_heure.study.coverage import Coverage
    from quart_heure.study.study import Study


def page_texts(
    coverage: Coverage,
    words: Mapping[str, Any],
    *,
    views: Sequence[Mapping[str, Any]],
    hours: Mapping[str, Any] | None,
    lang: str,
) -> dict[str, Any]:
    """Return everything that the template writes, as plain text.

    Parameters
    ----------
    coverage
        A published coverage.
    words
        The words of the page in its language.
    views
        The views, as `quart_heure.outputs.map.views.views` gives them.
    hours
        The hours, as `quart_heure.outputs.map.hours.hours_shown` gives them.
    lang
        ``fr`` or ``en``.
    """
    study, manifest = coverage.study, coverage.manifest
    minutes = format_plain(study.threshold_min, lang)
    ending = "" if study.residents is not None else "_area"
    count = len(study.essentials)
    labels = study.area.districts["label"].astype(str)
    district = district_word(labels, lang)
    number = words["count_words"].get(str(count), str(count))
    return {
        "words": words,
        "title": words["title"].format(area=study.area.name),
        "area": study.area.name,
        "whole_area": words["whole_area"].format(area=study.area.name),
        "district": district,
        "essential_count": number,
        "asked": asked_words(manifest.get("parameters", {}), words, lang=lang),
        "any_time": words["asked_time" if study.moment is not None else "any_time"],
        "headline": _headline(coverage, words, lang=lang),
        "essentials": _essentials(study, words, lang=lang),
        "choices": _choices(views, coverage, lang=lang),
        "composite": words["composite"],
        "composite_hint": words["composite_hint"].format(n=count),
        "share_hint": words[
            ("share_hint_sure" if has_ranges(coverage) else "share_hint") + ending
        ].format(minutes=minutes),
        "hours_hint": _hours_hint(hours, manifest, words, minutes=minutes, lang=lang),
        "hours_left_out": hours is not None and not hours["categories"],
        "districts": [district_label(label, lang) for label in labels],
        "table": words["table"].format(district=district),
        "measure": _measure(study, words, lang=lang),
        "limits": [limit[lang] for limit in manifest.get("limits", [])],
        "definitions": [
            (entry[f"term_{lang}"], entry[lang]) for entry in manifest.get("definitions", [])
        ],
        "data": _data_lines(manifest, words, lang=lang),
        "sources": [_source(entry, words, lang=lang) for entry in manifest.get("inputs", [])],
        "credits": " · ".join(_other_credits(manifest)),
    }


def _headline(coverage: Coverage, words: Mapping[str, Any], *, lang: str) -> list[tuple[str, str]]:
    """Return the two figures of the headline, each with its sentence; none without essentials."""
    study = coverage.study
    total = len(study.essentials)
    if total == 0:
        return []
    minutes = format_plain(study.threshold_min, lang)
    number = words["count_words"].get(str(total), str(total))
    people = study.residents is not None
    lines = []
    share_column = "residents_pct" if people else "area_pct"
    for key, reached in (("headline_all", total), ("headline_none", 0)):
        name = key if people else f"{key}_area"
        if total == 1 and key == "headline_all":
            name += "_one"
        pct = _ends(city_bounds(coverage, share_column, reached), format_pct, lang)
        count = city_bounds(coverage, "residents", reached)
        figure = _ends(count, format_number, lang) if people else pct
        lines.append((figure, words[name].format(share=pct, n=number, minutes=minutes)))
    return lines


def _ends(bounds: tuple[float, float], form: Callable[[float, str], str], lang: str) -> str:
    """Write the least and the most of a figure, one figure if they read the same."""
    least, most = (form(bound, lang) for bound in bounds)
    return least if least == most else f"{least} – {most}"


def _essentials(study: Study, words: Mapping[str, Any], *, lang: str) -> str:
    names = [study.catalogue[category].label(lang) for category in study.essentials]
    # Within a sentence a name starts small, unless it is an abbreviation.
    names = [name[0].lower() + name[1:] if name[1:2].islower() else name for name in names]
    if not names:
        return ""
    listed = ", ".join(names[:-1])
    joined = f"{listed} {words['and']} {names[-1]}" if listed else names[-1]
    return str(words["headline_essentials"].format(names=joined))


def _choices(
    views: Sequence[Mapping[str, Any]], coverage: Coverage, *, lang: str
) -> list[dict[str, Any]]:
    """Return the radio buttons: one per view, with the share that a category covers."""
    column = "residents_covered_pct" if coverage.study.residents is not None else "covered_pct"
    city = coverage.city.set_index("category")[column]
    choices = []
    for view in views:
        category = view["kind"] == "category"
        share = float(city.get(view["id"], float("nan"))) if category else float("nan")
        choices.append(
            {
                "id": view["id"],
                "kind": view["kind"],
                "label": view.get("label", ""),
                "essential": view.get("essential", False),
                "share": round(share, 1) if share == share else 0,  # noqa: PLR0124 - NaN
                "share_text": format_pct(share, lang),
            }
        )
    return choices


def _hours_hint(
    hours: Mapping[str, Any] | None,
    manifest: Mapping[str, Any],
    words: Mapping[str, Any],
    *,
    minutes: str,
    lang: str,
) -> str:
    if hours is None or "monday" not in hours:
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
