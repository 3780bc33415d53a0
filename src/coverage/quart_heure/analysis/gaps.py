"""Gaps: connected zones of uncovered cells, each a row of its own with its cause."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from quart_heure.analysis.answers import Answer
from quart_heure.analysis.certainty import CellCertainty
from quart_heure.analysis.districts import NO_DISTRICT
from quart_heure.analysis.hours import NEVER
from quart_heure.analysis.statuses import STATUSES
from quart_heure.analysis.surface import Cells
from quart_heure.analysis.zones import label_zones, zone_polygons

GAP_COLUMNS = (
    "gap_id",
    "rank",
    "category",
    "district_id",
    "districts",
    "area_ha",
    "residents",
    "minutes_min",
    "minutes_median",
    "minutes_max",
    "nearest_service_id",
    "nearest_service_name",
    "street",
    "cause",
    "barrier_pct",
    "barrier",
    "cells",
)
"""Columns of a table of gaps, besides its geometry."""

HOUR_COLUMNS = ("next_opening",)
"""Columns that follow where the study asks about an hour."""

_CAUSES = ("", "closed", "unknown_hours", "unknown_admission")
"""Causes that lie in the hours; zones of different ones are different gaps."""

GAP_PART_COLUMNS = (
    "gap_id",
    "category",
    "district_id",
    "area_ha",
    "residents",
    "minutes_min",
    "minutes_max",
    "nearest_service_id",
    "nearest_service_name",
    "street",
)
"""Columns of a table of the parts of gaps in each district."""

BARRIER_SHARE = 0.5
"""A gap is put down to a barrier when at least this share of its cells has a service within reach
as the crow flies: fewer are the fringe that every zone has, since no street is a beeline."""


Columns = dict[str, Any]
"""Columns of a table by their names: lists and arrays, which are cheaper to join than tables."""


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Gaps:
    """The gaps of one category or composite.

    Parameters
    ----------
    columns
        Columns `GAP_COLUMNS`, and `HOUR_COLUMNS` where hours count, ordered by rank: most
        residents first, then area, then id. Empty without gaps.
    outlines
        The outline of each in metres.
    parts
        Columns `GAP_PART_COLUMNS`: what each district has of each gap, ordered as the gaps and by
        district. Empty without gaps.
    members, gap
        The cells of the gaps, and the gap that each is of, by its position; shapes (k,).
    """

    columns: Columns
    outlines: list[shapely.Polygon]
    parts: Columns
    members: NDArray[np.intp]
    gap: NDArray[np.intp]


def find_gaps(
    category: str,
    one: Answer,
    cells: Cells,
    *,
    certainty: CellCertainty | None,
    residents: NDArray[np.float64],
    min_gap_ha: float,
    district_ids: Sequence[str],
    service_ids: Sequence[str],
    service_names: Sequence[str],
    street: NDArray[np.int32],
    streets: Sequence[str],
) -> Gaps:
    """Join uncovered cells into gaps and describe each.

    Parameters
    ----------
    category, one
        Category or composite, and what is known of its cells: the uncovered are joined.
    cells
        The grid; cells of its margin belong to no gap.
    certainty
        What hours and admission make of the cells, None if the study asks about neither.
    residents
        People per cell; shape (n,).
    min_gap_ha
        Smaller zones are no gaps.
    district_ids
        Ids of the districts that ``cells.district`` counts.
    service_ids, service_names
        Of the services that ``one.nearest`` counts.
    street, streets
        Name of the street each cell meets, as a position in ``streets``, which is in alphabetical
        order; shape (n,).

    """
    kind = None
    if certainty is not None:
        kind = np.zeros(len(cells), dtype=np.int8)
        kind[certainty.any_time] = _CAUSES.index("closed")
        kind[certainty.perhaps] = _CAUSES.index("unknown_hours")
        kind[certainty.admission] = _CAUSES.index("unknown_admission")
    uncovered = one.status == STATUSES.index("uncovered")
    members, zone, outlines = _zones(uncovered & cells.inside, kind, cells, min_gap_ha)
    if len(outlines) == 0:
        return Gaps(columns={}, outlines=[], parts={}, members=members, gap=zone)
    n = len(outlines)
    sizes = np.bincount(zone, minlength=n)
    ends = np.cumsum(sizes)
    starts = ends - sizes
    by_time = _by_zone_and_time(one, members, zone, n)
    minutes = one.minutes[by_time]
    worst = _worst_cell(cells, members, zone, one.minutes.take(members), n)
    middle = (minutes[starts + (sizes - 1) // 2] + minutes[starts + sizes // 2]) / 2
    barrier = np.bincount(zone, weights=one.in_reach.take(members), minlength=n) / sizes
    cause = np.where(barrier >= BARRIER_SHARE, "barrier", "too_far").astype(object)
    opening = None
    if certainty is not None and kind is not None:
        at_hours = np.zeros(n, dtype=np.int8)
        at_hours[zone] = kind[members]
        cause = np.where(at_hours > 0, np.array(_CAUSES, dtype=object)[at_hours], cause)
        opening = _next_opening(certainty, members, zone, n)
    ids = np.array([f"{category}-c{cells.col[cell]}-r{cells.row[cell]}" for cell in worst])
    area_ha = sizes * cells.cell_ha
    folk = np.bincount(zone, weights=residents.take(members), minlength=n)
    nearest = one.nearest[by_time[starts]]
    main, districts = _districts(cells.district.take(members), zone, n, district_ids)
    rank = np.lexsort((ids, -area_ha, -folk.round(3)))
    place = np.empty(n, dtype=np.intp)
    place[rank] = np.arange(n)
    gap = place.take(zone)
    columns: Columns = {
        "gap_id": ids[rank].tolist(),
        "rank": np.arange(1, n + 1),
        "category": [category] * n,
        "district_id": [main[z] for z in rank],
        "districts": [districts[z] for z in rank],
        "area_ha": area_ha[rank],
        "residents": folk[rank],
        "minutes_min": minutes[starts][rank],
        "minutes_median": middle[rank],
        "minutes_max": minutes[ends - 1][rank],
        "nearest_service_id": [service_ids[s] if s >= 0 else "" for s in nearest[rank].tolist()],
        "nearest_service_name": [
            service_names[s] if s >= 0 else "" for s in nearest[rank].tolist()
        ],
        "street": _streets(street.take(members), gap, n, streets),
        "cause": cause[rank].tolist(),
        "barrier_pct": 100 * barrier[rank],
        "barrier": [""] * n,
        "cells": sizes[rank],
    }
    if opening is not None:
        columns["next_opening"] = opening[rank].tolist()
    return Gaps(
        columns=columns,
        outlines=[outlines[zone_] for zone_ in rank],
        parts=_parts(
            category,
            columns["gap_id"],
            one,
            cells,
            members=members,
            gap=gap,
            residents=residents,
            district_ids=district_ids,
            service_ids=service_ids,
            service_names=service_names,
            street=street,
            streets=streets,
        ),
        members=members,
        gap=gap,
    )


def _next_opening(
    certainty: CellCertainty, members: NDArray[np.intp], zone: NDArray[np.intp], n: int
) -> NDArray[np.str_]:
    """Return when the first service within reach of each zone opens, "" if nobody knows."""
    opens = np.full(n, NEVER)
    np.minimum.at(opens, zone, certainty.opens[members])
    return np.where(opens < NEVER, opens.astype(str), "")


def _parts(
    category: str,
    gap_ids: Sequence[str],
    one: Answer,
    cells: Cells,
    *,
    members: NDArray[np.intp],
    gap: NDArray[np.intp],
    residents: NDArray[np.float64],
    district_ids: Sequence[str],
    service_ids: Sequence[str],
    service_names: Sequence[str],
    street: NDArray[np.int32],
    streets: Sequence[str],
) -> Columns:
    """Cut the gaps by district: a planner answers for one, a gap may cross all of them."""
    names = [*district_ids, NO_DISTRICT]
    district = cells.district.take(members)
    code = gap * len(names) + np.where(district < 0, len(district_ids), district)
    # Few codes, many cells: counting them is several times faster than sorting.
    count = np.bincount(code)
    found = np.flatnonzero(count)
    size, part = count[found], (np.cumsum(count > 0) - 1).take(code)
    minutes = one.minutes.take(members)
    most = np.full(len(found), -np.inf)
    np.maximum.at(most, part, minutes)
    least = np.full(len(found), np.inf)
    np.minimum.at(least, part, minutes)
    # Of several cells with the fewest minutes, the service with the first id.
    at_least = np.flatnonzero(minutes == least.take(part))
    nearest = np.full(len(found), len(service_ids), dtype=np.int32)
    np.minimum.at(nearest, part[at_least], one.nearest[members[at_least]])
    return {
        "gap_id": [gap_ids[g] for g in (found // len(names)).tolist()],
        "category": [category] * len(found),
        "district_id": [names[d] for d in (found % len(names)).tolist()],
        "area_ha": size * cells.cell_ha,
        "residents": np.bincount(part, weights=residents.take(members), minlength=len(found)),
        "minutes_min": least,
        "minutes_max": most,
        "nearest_service_id": [service_ids[s] if s >= 0 else "" for s in nearest.tolist()],
        "nearest_service_name": [service_names[s] if s >= 0 else "" for s in nearest.tolist()],
        "street": _streets(street.take(members), part, len(found), streets),
    }


def _zones(
    uncovered: NDArray[np.bool_], kind: NDArray[np.int8] | None, cells: Cells, min_gap_ha: float
) -> tuple[NDArray[np.intp], NDArray[np.intp], list[shapely.Polygon]]:
    """Return the cells of zones that are large enough, the zone of each, and the outlines.

    Cells of different kinds are in different zones.
    """
    masks = [uncovered] if kind is None else [uncovered & (kind == one) for one in np.unique(kind)]
    labels = label_zones(cells.laid_out(masks[0], np.False_))
    for mask in masks[1:]:
        found = label_zones(cells.laid_out(mask, np.False_))
        labels = np.where(found > 0, found + labels.max(), labels)
    # A hair's breadth of tolerance: 16 cells of 25 m are 1 ha, whatever floats make of it.
    size_ha: NDArray[np.float64] = np.bincount(labels.ravel()).astype(np.float64) * cells.cell_ha
    large = size_ha >= min_gap_ha - 1e-9
    large[0] = False
    number = np.where(large, np.cumsum(large), 0).astype(np.int32)
    labels = number.take(labels)
    outlines = zone_polygons(labels)
    if outlines:
        moved = shapely.transform(outlines, lambda xy: (xy + np.array(cells.first)) * cells.cell_m)
        outlines = list(moved)
    label = labels.ravel().take(cells.place)
    members = np.flatnonzero(label)
    return members, label.take(members).astype(np.intp) - 1, outlines


def _by_zone_and_time(
    one: Answer, members: NDArray[np.intp], zone: NDArray[np.intp], n: int
) -> NDArray[np.int32]:
    """Return the cells of the zones, zone by zone and then by minutes."""
    small = np.int16 if n < 2**15 else np.int64  # sixteen bits sort several times faster
    zone_of: NDArray[Any] = np.full(len(one.minutes), -1, dtype=small)
    zone_of[members] = zone
    ordered = zone_of.take(one.by_time)
    at = np.flatnonzero(ordered >= 0)
    return one.by_time.take(at).take(np.argsort(ordered.take(at), kind="stable"))


def _worst_cell(
    cells: Cells,
    members: NDArray[np.intp],
    zone: NDArray[np.intp],
    minutes: NDArray[np.float64],
    n: int,
) -> NDArray[np.intp]:
    """Return each zone's cell with the most minutes, the first by row and column among equals.

    It names the gap: far inside, it stays the same when an edge of the zone moves a little.
    """
    most = np.full(n, -np.inf)
    np.maximum.at(most, zone, minutes)
    worst = np.flatnonzero(minutes == most.take(zone))
    members, zone = members[worst], zone[worst]
    order = np.lexsort((cells.col[members], cells.row[members], zone))
    first = np.ones(len(order), dtype=bool)
    first[1:] = zone[order][1:] != zone[order][:-1]
    return members[order][first]


def _districts(
    district: NDArray[np.int16], zone: NDArray[np.intp], n: int, ids: Sequence[str]
) -> tuple[list[str], list[str]]:
    """Return the district that holds most of each zone, and all of them, most first."""
    main, every = [], []
    width = len(ids) + 1
    column = np.where(district < 0, len(ids), district).astype(np.int64)
    counts = np.bincount(zone * width + column, minlength=n * width).reshape(n, width)
    names = [*ids, NO_DISTRICT]
    for row in counts:
        order = [d for d in np.argsort(-row, kind="stable") if row[d] > 0]
        main.append(names[order[0]])
        every.append(";".join(names[d] for d in order))
    return main, every


def _streets(
    street: NDArray[np.int32], zone: NDArray[np.intp], n: int, names: Sequence[str]
) -> list[str]:
    """Return the street name that most cells of each zone meet, "" where none has a name."""
    nameless = names.index("") if "" in names else -1
    named = np.flatnonzero(street != nameless)
    # Half as wide, numbers sort twice as fast.
    width = np.int32 if n * len(names) < 2**31 else np.int64
    code: NDArray[np.integer] = zone[named].astype(width)
    pair, count = np.unique(code * width(len(names)) + street[named], return_counts=True)
    of_zone, name = np.divmod(pair, len(names))
    # Of equals the first in the alphabet, so that the order of the edges changes nothing.
    order = np.lexsort((name, -count, of_zone))
    zones, first = np.unique(of_zone[order], return_index=True)
    found = [""] * n
    for place, best in zip(zones.tolist(), name[order][first].tolist(), strict=True):
        found[place] = names[best]
    return found
