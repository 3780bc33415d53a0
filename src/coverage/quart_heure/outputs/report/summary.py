"""The answer of a report in figures and in one sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import pandas as pd

from quart_heure.labels import district_word, format_number, format_pct, format_plain, phrase
from quart_heure.outputs.report.structure import Category, SecondWeight, Summary
from quart_heure.outputs.results.rows import Row, people_on_network, printable

_AMOUNTS = {"residents": "residents", "area": "area_ha"}


def summary(
    composite: pd.DataFrame, indicators: list[Row], manifest: Mapping[str, Any], lang: str
) -> Summary:
    """Return the answer in figures: who has all the essential services, who has none.

    A sentence alone where there are essential services, and no place of any is known.
    """
    city = composite[composite["level"] == "city"].sort_values("essentials_within")
    if city.empty or len(city) < 2:
        unjudged = manifest.get("parameters", {}).get("unjudged", [])
        essential = [one["id"] for one in manifest["categories"] if one["essential"]]
        if not set(essential) & set(unjudged):
            return {}
        return {"sentence": phrase("headline_unjudged", lang)}
    by: Literal["residents", "area"] = (
        "residents" if city["residents_pct"].notna().any() else "area"
    )
    share, amount = (city[name].astype(float) for name in (f"{by}_pct", _AMOUNTS[by]))
    figures: Summary = {
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
    about: Summary = {"by": by, "essentials": essentials, "threshold_min": threshold}
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


def second_weight(
    manifest: Mapping[str, Any],
    indicators: list[Row],
    shown: Sequence[Category],
    labels: Mapping[str, str],
    lang: str,
) -> SecondWeight:
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


def _on_network(indicators: list[Row], by: str) -> float:
    """Return what the shares of the whole area are of, as the other tables show it."""
    city = next(row for row in indicators if row["level"] == "city")
    if by == "area":
        return float(city["on_network_ha"])
    return people_on_network(city)
