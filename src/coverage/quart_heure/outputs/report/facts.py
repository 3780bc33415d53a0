"""What a report says of the age of its facts: the shares without old ones, places to place, to ask.

Which places to confirm first follows from the phone list, where there is one, and else from who
depends on them.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Mapping, Sequence
from typing import Any, cast

import pandas as pd

from quart_heure.analysis.answers import COMPOSITES
from quart_heure.analysis.freshness import confirmed
from quart_heure.outputs.fact_ages import age_words, confirmed_sentence
from quart_heure.outputs.report.structure import Facts, FactsLine, Summary, UnplacedPlace
from quart_heure.outputs.results.rows import Row

_SHOWN = 10
_PLACE = tuple(UnplacedPlace.__annotations__)


def facts(
    freshness: Sequence[Row],
    unplaced: Sequence[Row],
    *,
    city: Sequence[Row],
    services: pd.DataFrame,
    dependence: Sequence[Row],
    summary: Summary,
    manifest: Mapping[str, Any],
    lang: str,
    called: Mapping[str, int] | None = None,
) -> Facts:
    """Gather what is said of the age of the facts.

    Parameters
    ----------
    freshness, unplaced, city, dependence
        Rows of these tables, of the categories of the report.
    services
        Those that may be shown.
    summary
        The headline; without one, the sentence is empty.
    manifest
        Of the run.
    lang
        ``fr`` or ``en``.
    called
        Rank of services in the phone list, None without one.
    """
    mine = {row["category"]: row for row in freshness if row["level"] == "city"}
    shares = {row["category"]: row for row in city}
    by_people = any(not math.isnan(row["residents_covered_pct"]) for row in city)
    share = "residents_covered_pct" if by_people else "covered_pct"
    left = "residents_confirmed_covered_pct" if by_people else "confirmed_covered_pct"
    since = next((str(row["since"]) for row in mine.values()), "")
    sentence = ""
    if "by" in summary and all(name in mine for name in COMPOSITES):
        sentence = confirmed_sentence(
            *(mine[name] for name in COMPOSITES),
            by=summary["by"],
            essentials=summary["essentials"],
            lang=lang,
        )
    lines: list[FactsLine] = [
        {
            "category": category,
            "facts_share": shares[category][share],
            "facts_share_confirmed": row[left],
            "facts_known": float(row["known"]),
            "facts_placed": float(row["placed"]),
            "facts_confirmed": float(row["confirmed"]),
            "facts_confirmed_pct": row["confirmed_pct"],
            "facts_undated": float(row["undated"]),
            "words": age_words(row, lang),
        }
        for category, row in mine.items()
        if category in shares
    ]
    return {
        "since": since,
        "sentence": sentence,
        "lines": lines,
        "unplaced": [
            cast("UnplacedPlace", {field: row[field] for field in _PLACE}) for row in unplaced
        ],
        "confirm_first": first_to_confirm(
            dependence, services, manifest, since=since, called=called
        ),
    }


def first_to_confirm(
    dependence: Sequence[Row],
    services: pd.DataFrame,
    manifest: Mapping[str, Any],
    *,
    since: str,
    called: Mapping[str, int] | None = None,
) -> list[Row]:
    """Return the services that no recent source confirms, those that matter most first.

    Those of the phone list come in its order; the others follow, those first that most people
    depend on.
    """
    if not since:
        return []
    made = datetime.date.fromisoformat(str(manifest["created"])[:10])
    sure = confirmed(services, since=datetime.date.fromisoformat(since), until=made)
    known = set(services.loc[sure, "service_id"])
    rank = called or {}
    found = [
        row
        for row in dependence
        if row["service_id"] not in known and (row["ha_only_here"] > 0 or row["service_id"] in rank)
    ]
    people = {row["service_id"]: row["residents_only_here"] for row in found}
    found.sort(
        key=lambda row: (
            rank.get(row["service_id"], math.inf),
            -(0.0 if math.isnan(people[row["service_id"]]) else people[row["service_id"]]),
            -row["ha_only_here"],
        )
    )
    return found[:_SHOWN]
