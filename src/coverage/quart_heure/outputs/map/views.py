"""What the map can show: one view per category, and one for the essential services together."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from quart_heure.analysis.certainty import CLOSED_THEN
from quart_heure.labels import LANGUAGES, source_words, word
from quart_heure.outputs.barrier_words import barrier_words
from quart_heure.outputs.discretion import DISCREET, anchored_counts, hidden_counts
from quart_heure.outputs.map.cells import Grid
from quart_heure.outputs.map.data import (
    CategoryView,
    CompositeView,
    Gap,
    GapMinutes,
    GapPart,
    Service,
    ServiceWords,
    View,
)
from quart_heure.outputs.map.figures import (
    category_figures,
    category_figures_at,
    category_rows,
    composite_shares,
    composite_shares_at,
    confirmed_shares,
    ends,
    ends_told,
    has_ends,
    number,
)
from quart_heure.outputs.map.ground import points
from quart_heure.outputs.shapes import Pen, inner_points, round_corners, simplified

if TYPE_CHECKING:
    from quart_heure.study.coverage import Coverage


COMPOSITE_VIEW = "essentials_within"
"""The view of how many essential services are within reach."""

_NONE_IN_REACH = "essential_any"
"""Gaps of the composite view: zones where no essential service is within reach."""

_TOLERANCE_M = 8.0


def views(coverage: Coverage, pen: Pen, grid: Grid, *, lang: str) -> list[View]:
    """Return the views in order of presentation; ``grid`` is that of the page."""
    study = coverage.study
    shown: list[View] = [
        _category_view(coverage, category, pen, grid, lang=lang) for category in study.categories
    ]
    if len(study.essentials) < 2:
        return shown
    return [_composite_view(coverage, pen, grid), *shown]


def labels(coverage: Coverage, *, lang: str) -> dict[str, str]:
    """Return what each category is called."""
    study = coverage.study
    return {category: study.catalogue[category].label(lang) for category in study.categories}


def services_shown(
    coverage: Coverage, pen: Pen, *, lang: str
) -> tuple[list[Service], dict[str, int]]:
    """Return the services that may be shown, with what a popup says of them.

    Returns
    -------
    services, places
        The services, and the position of each among them by its id.
    """
    rows, at = _placed(coverage)
    found = [
        Service(at=point, **_facts(row), **dataclasses.asdict(_words(row, lang=lang)))
        for row, point in zip(rows, points(at, pen), strict=True)
    ]
    return found, {str(row["service_id"]): place for place, row in enumerate(rows)}


def service_words(coverage: Coverage, *, lang: str) -> list[ServiceWords]:
    """Return what is said of the same services in a language."""
    return [_words(row, lang=lang) for row in _placed(coverage)[0]]


def _placed(coverage: Coverage) -> tuple[list[dict[Any, Any]], NDArray[np.float64]]:
    """Return the services that may be shown, and their coordinates."""
    services = coverage.services
    shown = ~(services.geometry.is_empty | services.geometry.isna())
    # Those that neither count nor lie in the area would only distract; one that is closed counts
    # at another hour, and the page has them all.
    counts = services["counted"].astype(bool) | (services["left_out_reason"] == CLOSED_THEN)
    shown &= counts | services["inside"].astype(bool)
    placed = services[shown]
    at = shapely.get_coordinates(placed.geometry.to_numpy())
    return pd.DataFrame(placed.drop(columns="geometry")).to_dict("records"), at


def _facts(row: dict[Any, Any]) -> dict[str, Any]:
    """Return what is known of a service."""
    address = (_text(row.get("address")), _text(row.get("postcode")))
    columns = ("name", "audience", "capacity", "operator")
    return {
        **{name: _text(row.get(name)) for name in columns},
        "category": row["category"],
        "address": ", ".join(filter(None, address)),
        "hours": _text(row.get("opening_hours_text")) or _text(row.get("opening_hours")),
        "outside": not row["inside"],
    }


def _words(row: dict[Any, Any], *, lang: str) -> ServiceWords:
    access = _text(row.get("access"))
    return ServiceWords(
        access=word(access, lang) if access not in {"", "unknown"} else "",
        status=word(_text(row.get("status")), lang),
        left_out="" if row["counted"] else word(_text(row.get("left_out_reason")), lang),
        source=source_words(_text(row.get("source")), lang),
        source_date=source_words(_text(row.get("source_date")), lang),
    )


def _category_view(
    coverage: Coverage, category: str, pen: Pen, grid: Grid, *, lang: str
) -> CategoryView:
    about = coverage.study.catalogue[category]
    here = coverage.services[coverage.services["category"] == category]
    return CategoryView(
        id=category,
        kind="category",
        label=about.label(lang),
        none=about.none(lang),
        colour=about.colour,
        essential=category in coverage.study.essentials,
        unjudged=category in coverage.study.unjudged,
        counted=int(here["counted"].sum()) + hidden_counts(coverage.manifest).get(category, 0),
        anchored=anchored_counts(coverage.manifest).get(category, 0),
        gaps=_gaps(coverage, category, pen, grid),
        ends=ends(coverage, category),
        ends_told=ends_told(coverage, category),
        confirmed_pct=confirmed_shares(coverage, category),
        figures=category_figures(coverage, category),
        figures_at=category_figures_at(coverage, category),
    )


def _composite_view(coverage: Coverage, pen: Pen, grid: Grid) -> CompositeView:
    return CompositeView(
        id=COMPOSITE_VIEW,
        kind="composite",
        total=len(coverage.study.essentials),
        counted_at_all=list(coverage.study.essentials),
        gaps=_gaps(coverage, _NONE_IN_REACH, pen, grid),
        ends=ends(coverage, _NONE_IN_REACH),
        ends_told=ends_told(coverage, _NONE_IN_REACH),
        confirmed_pct=confirmed_shares(coverage, _NONE_IN_REACH),
        shares_pct=composite_shares(coverage),
        shares_at=composite_shares_at(coverage),
    )


def _gaps(coverage: Coverage, category: str, pen: Pen, grid: Grid) -> list[Gap]:
    # Hours part zones that touch: the page cannot tell those from the minutes of its cells.
    drawn = has_ends(coverage)
    gaps = coverage.gaps[coverage.gaps["category"] == category].sort_values("rank")
    smooth = round_corners(gaps.geometry.to_numpy(), coverage.study.cell_m)
    shapes = pen.polygons(simplified(smooth, _TOLERANCE_M))
    marks = points(inner_points(smooth), pen)
    districts = coverage.study.area.districts
    labels = dict(zip(districts["district_id"], districts["label"], strict=True))
    rows = pd.DataFrame(gaps.drop(columns="geometry")).to_dict("records")
    parts = _gap_parts(coverage, category)
    return [
        Gap(
            rank=int(row["rank"]),
            at=at,
            districts=[labels[d] for d in str(row["districts"]).split(";") if d in labels],
            area_ha=number(row["area_ha"]),
            residents=number(row["residents"], 0),
            minutes=GapMinutes(
                min=number(row["minutes_min"]),
                median=number(row["minutes_median"]),
                max=number(row["minutes_max"]),
            ),
            nearest=_text(row["nearest_service_name"]),
            discreet=row["nearest_service_id"] == DISCREET,
            street=_text(row["street"]),
            cause=_text(row["cause"]),
            barrier=_barrier(_text(row["barrier"])),
            opens=_text(row.get("next_opening")),
            cell=_cell_of(str(row["gap_id"]), grid),
            shape=shape if drawn else [],
            parts=parts.get(str(row["gap_id"]), []) if drawn else [],
        )
        for row, at, shape in zip(rows, marks, shapes, strict=True)
    ]


def _gap_parts(coverage: Coverage, category: str) -> dict[str, list[GapPart]]:
    """Return what districts have of the gaps of a category or composite, by gap."""
    rows = category_rows(coverage, category)["district_id"].astype(str).tolist()
    found: dict[str, list[GapPart]] = {}
    table = coverage.gap_parts[coverage.gap_parts["category"] == category]
    for part in table.to_dict("records"):
        minutes = GapMinutes(
            min=number(part["minutes_min"]), median=None, max=number(part["minutes_max"])
        )
        one = GapPart(
            row=rows.index(str(part["district_id"])),
            area_ha=number(part["area_ha"]),
            residents=number(part["residents"], 0),
            minutes=minutes,
            nearest=_text(part["nearest_service_name"]),
            discreet=part["nearest_service_id"] == DISCREET,
            street=_text(part["street"]),
        )
        found.setdefault(str(part["gap_id"]), []).append(one)
    return found


def _cell_of(gap_id: str, grid: Grid) -> int:
    """Return the place in the grid of the cell that a gap is named by."""
    _, col, row = gap_id.rsplit("-", 2)
    return int(grid.place(np.array([int(col[1:])]), np.array([int(row[1:])]))[0])


def _barrier(barrier: str) -> dict[str, str] | None:
    """Say what cuts a gap off, by language; None where that is not known."""
    return {lang: barrier_words(barrier, lang) for lang in LANGUAGES} if barrier else None


def _text(value: object) -> str:
    """Return a value of a table as text, ``""`` where there is none."""
    return "" if value is None or pd.isna(value) else str(value).strip()  # type: ignore[call-overload]
