"""What the map can show: one view per category, and one for the essential services together."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pandas as pd
import shapely

from quart_heure.labels import word
from quart_heure.outputs.discretion import DISCREET, rounded_categories, uncounted
from quart_heure.outputs.map.cells import withheld
from quart_heure.outputs.map.figures import category_figures, composite_figures, open_essentials
from quart_heure.outputs.map.ranges import has_ranges, range_rows, range_told
from quart_heure.outputs.shapes import Pen, inner_points, round_corners, simplified

if TYPE_CHECKING:
    from quart_heure.study.coverage import Coverage


SAID_IN_WORDS = ("access", "status", "left_out")
"""What is said of a service in the language of the page; the rest is as its source has it."""

COMPOSITE_VIEW = "essentials_within"
"""The view of how many essential services are within reach."""

_NONE_IN_REACH = "essential_any"
"""Gaps of the composite view: zones where no essential service is within reach."""

_TOLERANCE_M = 8.0

_ROW_COLUMNS = (
    "services_inside",
    "residents_covered_pct",
    "residents_beyond",
    "covered_pct",
    "minutes_median",
    "gaps_touching",
)
"""Columns of the table per district, in the order in which the page reads them.

A gap counts in each district that it touches: its main district may lie next door. In the row of
the whole area each counts once.
"""


def views(coverage: Coverage, pen: Pen, *, lang: str) -> list[dict[str, Any]]:
    """Return the views in order of presentation, as plain data for the page."""
    study = coverage.study
    hidden = uncounted(coverage.indicators, coverage.manifest)
    rounded = rounded_categories(coverage.gaps, coverage.manifest)
    shown = [
        {
            **_category_view(coverage, category, pen, hidden=hidden.get(category, 0), lang=lang),
            "rounded": category in rounded,
        }
        for category in study.categories
    ]
    if len(study.essentials) < 2:
        return shown
    whole = {**_composite_view(coverage, pen), "rounded": _NONE_IN_REACH in rounded}
    return [whole, *shown]


def services_shown(
    coverage: Coverage, pen: Pen, *, lang: str
) -> tuple[list[dict[str, Any]], dict[str, int]]:
    """Return the services that may be shown, with what a popup says of them.

    Returns
    -------
    services, places
        The services as plain data, and the position of each among them by its id.
    """
    services = coverage.services
    shown = ~(services.geometry.is_empty | services.geometry.isna())
    # Those that neither count nor lie in the area would only distract.
    shown &= services["counted"].astype(bool) | services["inside"].astype(bool)
    placed = services[shown]
    at = pen.degrees(shapely.get_coordinates(placed.geometry.to_numpy()))
    rows = pd.DataFrame(placed.drop(columns="geometry")).to_dict("records")
    found = [{"at": xy, **_service(row, lang=lang)} for xy, row in zip(at, rows, strict=True)]
    return found, {str(row["service_id"]): place for place, row in enumerate(rows)}


def _service(row: dict[Any, Any], *, lang: str) -> dict[str, Any]:
    """Return what is known of a service; what is not known is left out."""

    def said(column: str) -> str:
        return _text(row.get(column))

    details = {
        "name": said("name"),
        "category": row["category"],
        "address": ", ".join(filter(None, (said("address"), said("postcode")))),
        "hours": said("opening_hours_text") or said("opening_hours"),
        "access": word(said("access"), lang) if said("access") not in {"", "unknown"} else "",
        "audience": said("audience"),
        "capacity": said("capacity"),
        "operator": said("operator"),
        "source": said("source"),
        "source_date": said("source_date"),
        "status": word(said("status"), lang),
        "left_out": "" if row["counted"] else word(said("left_out_reason"), lang),
    }
    kept: dict[str, Any] = {key: value for key, value in details.items() if value}
    if not row["inside"]:
        kept["outside"] = True
    return kept


def _category_view(
    coverage: Coverage, category: str, pen: Pen, *, hidden: int, lang: str
) -> dict[str, Any]:
    study = coverage.study
    about = study.catalogue[category]
    here = coverage.services[coverage.services["category"] == category]
    return {
        "id": category,
        "kind": "category",
        "label": about.label(lang),
        "colour": about.colour,
        "essential": about.essential,
        "withheld": withheld(coverage, category),
        "counted": int(here["counted"].sum()) + hidden,
        "uncounted": hidden,
        "rows": _rows(coverage, category),
        **_common(coverage, category, pen),
        "at": category_figures(coverage, category),
    }


def _composite_view(coverage: Coverage, pen: Pen) -> dict[str, Any]:
    total = len(coverage.study.essentials)
    return {
        "id": COMPOSITE_VIEW,
        "kind": "composite",
        "total": total,
        "counted_at_all": open_essentials(coverage),
        "rows": _composite_rows(coverage, total),
        **_common(coverage, _NONE_IN_REACH, pen),
        "at": composite_figures(coverage),
    }


def _common(coverage: Coverage, category: str, pen: Pen) -> dict[str, Any]:
    """Return what a view of a category and that of the essentials have alike."""
    ranged = has_ranges(coverage)
    return {
        "gaps": _gaps(coverage, category, pen),
        "range": range_rows(coverage, category) if ranged else None,
        "range_told": range_told(coverage, category) if ranged else "",
    }


def _gaps(coverage: Coverage, category: str, pen: Pen) -> list[dict[str, Any]]:
    gaps = coverage.gaps[coverage.gaps["category"] == category].sort_values("rank")
    smooth = round_corners(gaps.geometry.to_numpy(), coverage.study.cell_m)
    shapes = pen.polygons(simplified(smooth, _TOLERANCE_M))
    marks = pen.degrees(inner_points(smooth))
    districts = coverage.study.area.districts
    labels = dict(zip(districts["district_id"], districts["label"], strict=True))
    rows = pd.DataFrame(gaps.drop(columns="geometry")).to_dict("records")
    return [
        {
            "rank": int(row["rank"]),
            "at": at,
            "districts": [labels[d] for d in str(row["districts"]).split(";") if d in labels],
            "area_ha": _number(row["area_ha"], 1),
            "residents": _number(row["residents"], 0),
            "minutes": [_number(row[f"minutes_{m}"], 1) for m in ("min", "median", "max")],
            "nearest": _text(row["nearest_service_name"]),
            "discreet": row["nearest_service_id"] == DISCREET,
            "street": _text(row["street"]),
            "cause": _text(row["cause"]),
            "opens": _text(row.get("next_opening")),
            "shape": shape,
        }
        for row, at, shape in zip(rows, marks, shapes, strict=True)
    ]


def _rows(coverage: Coverage, category: str) -> list[dict[str, Any]]:
    """Return the table per district, the whole area last."""
    table = coverage.indicators[coverage.indicators["category"] == category]
    beyond = table["residents_borderline_uncovered"] + table["residents_uncovered"]
    table = table.assign(residents_beyond=beyond)[["level", "label", *_ROW_COLUMNS]]
    decimals = {"services_inside": 0, "residents_beyond": 0, "gaps_touching": 0}
    return [
        {
            "label": str(row["label"]),
            "city": row["level"] == "city",
            "values": [_number(row[column], decimals.get(column, 1)) for column in _ROW_COLUMNS],
        }
        for row in _city_last(table)
    ]


def _composite_rows(coverage: Coverage, total: int) -> list[dict[str, Any]]:
    """Return the share of residents, or of area without them, by services within reach."""
    share = "residents_pct" if coverage.study.residents is not None else "area_pct"
    table = coverage.composite.pivot_table(
        index=["level", "district_id", "label"],
        columns="essentials_within",
        values=share,
        aggfunc="sum",
        sort=False,
    ).reindex(columns=range(total + 1))
    return [
        {
            "label": str(row["label"]),
            "city": row["level"] == "city",
            "values": [_number(row[n], 1) for n in range(total + 1)],
        }
        for row in _city_last(table.reset_index())
    ]


def _city_last(table: pd.DataFrame) -> list[dict[Any, Any]]:
    return sorted(table.to_dict("records"), key=lambda row: row["level"] == "city")


def _text(value: object) -> str:
    """Return a value of a table as text, ``""`` where there is none."""
    return "" if value is None or pd.isna(value) else str(value).strip()  # type: ignore[call-overload]


def _number(value: float, decimals: int) -> float | int | None:
    """Return a number rounded for the page; None where it is unknown or infinite."""
    if not math.isfinite(value):
        return None
    return round(float(value), decimals) if decimals else round(float(value))
