"""Discretion: places that count in the times and are never shown.

Every writer of this room calls `publishable` at its door, so that no format can forget to. What
readers are told of it, `uncounted` and `rounded_categories`, is read from what is published, so
that a folder of results says what its coverage said.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from quart_heure.analysis.answers import COMPOSITES
from quart_heure.labels import UNKNOWN, word
from quart_heure.network.limits import within
from quart_heure.outputs.telling import telling_rows

if TYPE_CHECKING:
    import geopandas as gpd

    from quart_heure.study.coverage import Coverage
    from quart_heure.study.study import Study

__all__ = ["publishable"]

DISCREET = "discreet"
"""Stands for the identifier of a nearest service that is not shown."""

ROUND_MIN = 5.0
"""Minutes to a discreet place are rounded up to a multiple of this."""

_MINUTES = ("minutes_min", "minutes_median", "minutes_max")

_Frame = TypeVar("_Frame", bound=pd.DataFrame)


def publishable(coverage: Coverage) -> Coverage:
    """Return the same coverage without anything that points at a discreet place.

    Its rows leave the services and the problems; as a nearest service it is called `DISCREET`.
    Minutes to it are those of the threshold where they are within it, else the next multiple of
    `ROUND_MIN`, as are those of the gaps of its category: rings of a few minutes around one place
    would be a bull's-eye, while statuses, shares and gaps stay true. For the same reason
    isochrones other than at the threshold are withheld for a category that counts a discreet
    place, and districts do not count it among their services.
    In the sets of a week its place is empty; its hours were never told (an analysis takes those of
    discreet places as unknown). What was withheld is told in the manifest, as counts.

    Notes
    -----
    Publishing what is published changes nothing. A published coverage is for reading: analysing
    its study again would miss the places that were removed.
    """
    hidden = _discreet(coverage.services)
    known = _discreet(coverage.study.services.table)
    if hidden.empty and known.empty and "withheld" in coverage.manifest:
        return coverage
    ids = frozenset(hidden["service_id"]) | frozenset(known["service_id"])
    threshold = coverage.study.threshold_min
    cells = _blur_cells(coverage.cells, ids, threshold)
    counted = frozenset(hidden.loc[hidden["counted"], "category"])
    # A composite leads to a discreet place wherever one of its categories does.
    leading = counted | (frozenset(COMPOSITES) if counted & {*coverage.study.essentials} else set())
    gaps = _blur_gaps(coverage.gaps, ids, leading)
    too_sharp = coverage.isochrones["category"].isin(counted) & (
        coverage.isochrones["threshold_min"] != threshold
    )
    telling = telling_rows(coverage.problems, pd.concat([hidden, known]))
    withheld = {
        "services": len(ids),
        "isochrones": int(too_sharp.sum()),
        "problems": int(telling.sum()),
        "gaps_blurred": int(coverage.gaps["category"].isin(leading).sum()),
    }
    return dataclasses.replace(
        coverage,
        study=_without(coverage.study, ids),
        entries=_rows(coverage.entries, ~coverage.entries["service_id"].isin(ids)),
        services=_rows(coverage.services, ~coverage.services["service_id"].isin(ids)),
        cells=cells,
        gaps=gaps,
        gap_parts=_blur_gaps(coverage.gap_parts, ids, leading),
        indicators=_uncount(coverage.indicators, hidden, coverage.study.essentials),
        isochrones=_rows(coverage.isochrones, ~too_sharp),
        problems=_rows(coverage.problems, ~telling),
        manifest={**coverage.manifest, "withheld": withheld},
        week=None
        if coverage.week is None
        else coverage.week.without(
            np.flatnonzero(coverage.services["service_id"].isin(ids)).tolist()
        ),
    )


def _uncount(
    indicators: pd.DataFrame, hidden: gpd.GeoDataFrame, essentials: Sequence[str]
) -> pd.DataFrame:
    """Leave discreet places out of the districts' counts of services, which would place them.

    The whole area keeps its true count.
    """
    inside = hidden[hidden["counted"] & hidden["inside"]]
    taken: Counter[tuple[str, str]] = Counter()
    for category, district in zip(inside["category"], inside["district_id"], strict=True):
        for counted_as in (category, *(COMPOSITES if category in essentials else ())):
            taken[counted_as, district] += 1
    fewer = [
        taken[category, district] if level == "district" else 0
        for level, district, category in zip(
            indicators["level"], indicators["district_id"], indicators["category"], strict=True
        )
    ]
    return indicators.assign(services_inside=indicators["services_inside"] - np.array(fewer, int))


def _discreet(services: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    return services[services["discreet"].astype(bool)]


def _rows(frame: _Frame, keep: pd.Series[bool]) -> _Frame:
    # A fresh index, or its gaps would tell where the removed rows were.
    return frame[keep].reset_index(drop=True)


def _blur_cells(cells: pd.DataFrame, ids: frozenset[str], threshold_min: float) -> pd.DataFrame:
    blurred: dict[str, Any] = {}
    for column in cells.columns:
        if not column.startswith("nearest_"):
            continue
        nearest = pd.Categorical(cells[column])
        hidden = nearest.categories.isin(ids)
        at_discreet = np.isin(nearest.codes, np.flatnonzero(hidden))
        # The list of words that a categorical carries is written with it, used or not: it would
        # tell which places there are.
        shown = nearest.remove_categories(nearest.categories[hidden])
        if at_discreet.any():
            shown = shown.add_categories([DISCREET])
            shown[at_discreet] = DISCREET
            name = f"minutes_{column.removeprefix('nearest_')}"
            minutes = cells[name].to_numpy()
            rounded = np.where(within(minutes, threshold_min), threshold_min, _round_up(minutes))
            blurred[name] = np.where(at_discreet, rounded, minutes)
        blurred[column] = shown
    return cells.assign(**blurred)


def _blur_gaps(gaps: _Frame, ids: frozenset[str], leading: frozenset[str]) -> _Frame:
    """Leave out of gaps, or of their parts, which discreet place is nearest and how near."""
    at_discreet = gaps["nearest_service_id"].isin(ids)
    return _blur_minutes(gaps, leading).assign(
        nearest_service_id=gaps["nearest_service_id"].mask(at_discreet, DISCREET),
        nearest_service_name=gaps["nearest_service_name"].mask(at_discreet, ""),
    )


def _blur_minutes(gaps: _Frame, leading: frozenset[str]) -> _Frame:
    """Round the minutes of the gaps of some categories.

    A gap bears the place of its furthest cell in its id, and tells the walk from there: which
    service that walk leads to is not told, so none of the category's is told to the minute.
    """
    rounded = gaps["category"].isin(leading)
    minutes = {
        column: gaps[column].mask(rounded, _round_up(gaps[column].to_numpy(dtype=float)))
        for column in gaps.columns
        if column.startswith("minutes_")
    }
    return gaps.assign(**minutes)


def _round_up(minutes: NDArray[np.float64]) -> NDArray[np.float64]:
    rounded: NDArray[np.float64] = np.ceil(minutes / ROUND_MIN) * ROUND_MIN
    return rounded


def _without(study: Study, ids: frozenset[str]) -> Study:
    services = study.services
    table = _rows(services.table, ~services.table["service_id"].isin(ids))
    telling = telling_rows(services.problems, services.table[services.table["discreet"]])
    problems = _rows(services.problems, ~telling)
    return dataclasses.replace(
        study,
        services=dataclasses.replace(
            services,
            table=table,
            problems=problems,
            unplaced=_rows(services.unplaced, ~services.unplaced["discreet"].astype(bool)),
            rows={name: row for name, row in services.rows.items() if name not in ids},
        ),
    )


def uncounted(indicators: pd.DataFrame, manifest: Mapping[str, Any]) -> dict[str, int]:
    """Return how many services the whole area counts and no district does, by category.

    Of a category that is in it, no district can be said to have no service.

    Parameters
    ----------
    indicators
        Of a published coverage, with all of its districts.
    manifest
        Of the same.

    Returns
    -------
    dict
        Categories and composites with at least one.
    """
    if not _hides_places(manifest):
        return {}
    # Those of the area, less those of each of its districts.
    sign = indicators["level"].map({"city": 1, "district": -1})
    signed = sign * indicators["services_inside"]
    left = signed.groupby(indicators["category"].astype(str), sort=False).sum()
    return {str(category): int(n) for category, n in left[left > 0].items()}


def rounded_categories(gaps: pd.DataFrame, manifest: Mapping[str, Any]) -> frozenset[str]:
    """Return the categories and composites whose gaps tell minutes rounded up for discretion.

    They are told by their figures, all multiples of `ROUND_MIN`: what is said of them, that the
    walk takes so many minutes at most, holds of such figures whatever made them round.
    """
    if not _hides_places(manifest):
        return frozenset()
    minutes = gaps[list(_MINUTES)].astype(float)
    known = pd.DataFrame(np.isfinite(minutes), index=gaps.index)
    round_ = ((minutes % ROUND_MIN) == 0) | ~known
    told = pd.DataFrame({"known": known.any(axis=1), "round": round_.all(axis=1)})
    found = told.groupby(gaps["category"].astype(str)).agg({"known": "any", "round": "all"})
    return frozenset(found.index[found["known"] & found["round"]])


def nearest_name(row: Mapping[str, Any], lang: str) -> str:
    """Return how the nearest service of a gap is called: discreet and absent ones have no name."""
    if row["nearest_service_id"] == DISCREET:
        return word("discreet", lang)
    return str(row["nearest_service_name"] or row["nearest_service_id"] or UNKNOWN)


def _hides_places(manifest: Mapping[str, Any]) -> bool:
    return int(manifest.get("withheld", {}).get("services", 0)) > 0
