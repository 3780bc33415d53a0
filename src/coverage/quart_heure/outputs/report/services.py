"""What a report says of services: which count, which do not, and on which people depend."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, cast

import pandas as pd

from quart_heure.analysis.answers import COMPOSITES
from quart_heure.outputs.report.structure import ListedService, ServiceCounts, ServiceLists
from quart_heure.outputs.results.rows import Row

_SHOWN = 10
"""Services on which people depend that a report tells of; the table has them all."""

_FIELDS = tuple(ListedService.__annotations__)


def most_needed(rows: Sequence[Row], districts: Sequence[str] | None) -> list[Row]:
    """Return the services on which most people depend, or most area where nobody is counted."""
    found = [
        row
        for row in rows
        if (districts is None or row["district_id"] in districts) and row["ha_only_here"] > 0
    ]
    found.sort(key=lambda row: (-_known(row["residents_only_here"]), -row["ha_only_here"]))
    return found[:_SHOWN]


def _known(value: float) -> float:
    return 0.0 if math.isnan(value) else value


def service_lists(
    services: Sequence[Row],
    indicators: pd.DataFrame,
    manifest: Mapping[str, Any],
    ids: Sequence[str],
    districts: Sequence[str] | None,
) -> ServiceLists:
    """Return the services of some districts, or all, and their number by category and reason."""
    rows = [
        cast("ListedService", {field: row[field] for field in _FIELDS})
        for row in services
        if districts is None or row["district_id"] in districts
    ]
    inside = _services_inside(indicators, districts)
    by_category: list[ServiceCounts] = []
    for category in (c for c in ids if c not in COMPOSITES):
        mine = [row for row in rows if row["category"] == category]
        left_out = [row for row in mine if not row["counted"]]
        reasons: dict[str, int] = {}
        for row in left_out:
            reasons[row["left_out_reason"]] = reasons.get(row["left_out_reason"], 0) + 1
        # The indicators count discreet places, the list does not show them.
        shown_inside = sum(row["counted"] and row["inside"] for row in mine)
        not_shown = inside[category] - shown_inside
        by_category.append(
            {
                "category": category,
                "known": len(mine) + not_shown,
                "counted": len(mine) - len(left_out) + not_shown,
                "not_shown": not_shown,
                "counted_outside": sum(r["counted"] and not r["inside"] for r in mine),
                "left_out": len(left_out),
                "reasons": dict(sorted(reasons.items())),
            }
        )
    withheld = int(manifest.get("withheld", {}).get("services", 0))
    return {
        "by_category": by_category,
        "withheld": withheld,
        "without_zone": int(manifest.get("withheld", {}).get("services_without_zone", 0)),
        "list": rows,
    }


def _services_inside(indicators: pd.DataFrame, districts: Sequence[str] | None) -> dict[str, int]:
    """Count the services inside the area, or inside some districts, for each category."""
    if districts is None:
        rows = indicators[indicators["level"] == "city"]
    else:
        rows = indicators[indicators["district_id"].isin(districts)]
    counts = rows.groupby("category")["services_inside"].sum()
    return {str(category): int(count) for category, count in counts.items()}
