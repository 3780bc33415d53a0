"""Indicators: shares of area and residents per district and category, and for the whole area.

Every figure of the whole area is the sum of its districts, or is computed from all cells where a
sum makes no sense (medians).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from quart_heure.analysis.surface import Cells

__all__ = [
    "BORDERLINE",
    "COMPOSITE_COLUMNS",
    "INDICATOR_COLUMNS",
    "NO_DISTRICT",
    "STATUSES",
    "classify",
    "composite_table",
    "indicator_table",
    "weighted_quantile",
]

BORDERLINE = 0.10
"""Change of walking speed that makes a cell borderline if it changes the answer."""

NO_DISTRICT = "none"
"""Id of the cells of the area that no district holds."""

STATUSES = (
    "covered",
    "borderline_covered",
    "borderline_uncovered",
    "uncovered",
    "off_network",
)
"""Statuses of a cell, in the order of their codes 0 … 4."""

_TOLERANCE = 1e-9
"""Sums of floats miss a threshold that they reach exactly; a nanominute is forgiven."""

INDICATOR_COLUMNS = (
    "level",
    "district_id",
    "label",
    "category",
    "threshold_min",
    "profile",
    "services_inside",
    "area_ha",
    "off_network_ha",
    "on_network_ha",
    "covered_ha",
    "borderline_covered_ha",
    "borderline_uncovered_ha",
    "uncovered_ha",
    "covered_pct",
    "borderline_covered_pct",
    "borderline_uncovered_pct",
    "uncovered_pct",
    "residents",
    "residents_off_network",
    "residents_covered",
    "residents_borderline_uncovered",
    "residents_uncovered",
    "residents_covered_pct",
    "minutes_median",
    "minutes_p90",
    "gaps",
    "gaps_touching",
    "worst_gap_id",
)

COMPOSITE_COLUMNS = (
    "level",
    "district_id",
    "label",
    "essentials_within",
    "area_ha",
    "area_pct",
    "residents",
    "residents_pct",
)


def classify(
    minutes: NDArray[np.float64], on_network: NDArray[np.bool_], threshold_min: float
) -> NDArray[np.int8]:
    """Give each cell its status, as a position in `STATUSES`.

    A cell is covered when its minutes are at most the threshold. It is borderline, on either side
    of that line, when a walker 10 % faster or slower would get the other answer: minutes between
    0.9 and 1.1 times the threshold.
    """
    bounds = threshold_min * np.array([1 - BORDERLINE, 1.0, 1 + BORDERLINE]) * (1 + _TOLERANCE)
    status = np.searchsorted(bounds, minutes, side="left").astype(np.int8)
    status[~on_network] = STATUSES.index("off_network")
    return status


@dataclasses.dataclass(frozen=True, eq=False)
class _Places:
    """Sums over the cells of each district, with the whole area last."""

    district: NDArray[np.intp]
    n: int

    def sums(self, weight: NDArray[np.float64], where: NDArray[np.bool_]) -> NDArray[np.float64]:
        by_district = np.bincount(self.district[where], weights=weight[where], minlength=self.n)
        return np.append(by_district, by_district.sum())


def indicator_table(
    category: str,
    *,
    cells: Cells,
    status: NDArray[np.int8],
    minutes: NDArray[np.float64],
    residents: NDArray[np.float64] | None,
    district_ids: Sequence[str],
    district_labels: Sequence[str],
    area_label: str,
    threshold_min: float,
    profile: str,
    services_inside: NDArray[np.int64],
    gaps: pd.DataFrame,
) -> pd.DataFrame:
    """Return one row per district and one for the whole area.

    Parameters
    ----------
    category
        Category or composite.
    cells
        The grid; its margin is left out.
    status, minutes
        Of each cell, as `classify` and the travel times give them; shape (n,).
    residents
        People per cell, shape (n,), or None where they are not known: medians are then weighted by
        area, and columns of residents are NaN.
    district_ids, district_labels
        Of the districts that ``cells.district`` counts. Cells of none get a row of their own.
    area_label
        Name of the whole area.
    threshold_min, profile
        Stated in each row.
    services_inside
        Counted services in each district; shape (districts + 1,), the last for none.
    gaps
        Gaps of this category (see `quart_heure.analysis.gaps`).

    Returns
    -------
    pandas.DataFrame
        Columns `INDICATOR_COLUMNS`.
    """
    keep = cells.inside
    n = len(district_ids) + 1
    places = _Places(np.where(cells.district < 0, n - 1, cells.district)[keep].astype(np.intp), n)
    status, minutes = status[keep], minutes[keep]
    everyone = np.ones(len(status), dtype=bool)
    area = np.full(len(status), cells.cell_ha)
    people = np.full(len(status), np.nan) if residents is None else residents[keep]
    on = status < STATUSES.index("off_network")
    covered, nearly, uncovered = status <= 1, status == 2, status == 3
    columns = _names(district_ids, district_labels, area_label)
    columns |= {"category": category, "threshold_min": threshold_min, "profile": profile}
    columns["services_inside"] = np.append(services_inside, services_inside.sum())
    columns["area_ha"] = places.sums(area, everyone)
    columns["off_network_ha"] = places.sums(area, ~on)
    columns["on_network_ha"] = places.sums(area, on)
    columns["covered_ha"] = places.sums(area, covered)
    columns["borderline_covered_ha"] = places.sums(area, status == 1)
    columns["borderline_uncovered_ha"] = places.sums(area, nearly)
    columns["uncovered_ha"] = places.sums(area, uncovered)
    for name in ("covered", "borderline_covered", "borderline_uncovered", "uncovered"):
        columns[f"{name}_pct"] = _percent(columns[f"{name}_ha"], columns["on_network_ha"])
    columns["residents"] = places.sums(people, everyone)
    columns["residents_off_network"] = places.sums(people, ~on)
    columns["residents_covered"] = places.sums(people, covered)
    columns["residents_borderline_uncovered"] = places.sums(people, nearly)
    columns["residents_uncovered"] = places.sums(people, uncovered)
    columns["residents_covered_pct"] = _percent(
        columns["residents_covered"], places.sums(people, on)
    )
    weight = area if residents is None else people
    for name, share in (("minutes_median", 0.5), ("minutes_p90", 0.9)):
        columns[name] = _quantiles(minutes, np.where(on, weight, 0.0), places, share)
    columns |= _gap_counts(gaps, [*district_ids, NO_DISTRICT])
    table = pd.DataFrame(columns)[list(INDICATOR_COLUMNS)]
    return _drop_empty_rest(table)


def composite_table(
    *,
    cells: Cells,
    essentials_within: NDArray[np.int8],
    n_essentials: int,
    residents: NDArray[np.float64] | None,
    district_ids: Sequence[str],
    district_labels: Sequence[str],
    area_label: str,
) -> pd.DataFrame:
    """Return area and residents by how many essential categories are within the threshold.

    Parameters
    ----------
    essentials_within
        Categories in reach of each cell, -1 off the network; shape (n,).

    Returns
    -------
    pandas.DataFrame
        Columns `COMPOSITE_COLUMNS`; shares are of what is on the network.
    """
    keep = cells.inside
    n = len(district_ids) + 1
    places = _Places(np.where(cells.district < 0, n - 1, cells.district)[keep].astype(np.intp), n)
    within = essentials_within[keep]
    area = np.full(len(within), cells.cell_ha)
    people = np.full(len(within), np.nan) if residents is None else residents[keep]
    on = within >= 0
    parts = []
    for count in range(n_essentials + 1):
        columns = _names(district_ids, district_labels, area_label)
        columns["essentials_within"] = count
        columns["area_ha"] = places.sums(area, within == count)
        columns["area_pct"] = _percent(columns["area_ha"], places.sums(area, on))
        columns["residents"] = places.sums(people, within == count)
        columns["residents_pct"] = _percent(columns["residents"], places.sums(people, on))
        parts.append(pd.DataFrame(columns))
    table = pd.concat(parts, ignore_index=True)[list(COMPOSITE_COLUMNS)]
    rest = table["district_id"] == NO_DISTRICT
    if not table.loc[rest, "area_ha"].any():
        table = table[~rest]
    return table.reset_index(drop=True)


def weighted_quantile(
    values: NDArray[np.float64], weights: NDArray[np.float64], share: float
) -> float:
    """Return the least value that at least a share of the weight does not exceed.

    NaN if there is no weight, inf if the value is not reached.
    """
    order = np.argsort(values)
    total = np.cumsum(weights[order])
    if len(total) == 0 or not total[-1] > 0:
        return float("nan")
    at = int(np.searchsorted(total, share * total[-1] * (1 - _TOLERANCE)))
    return float(values[order][min(at, len(values) - 1)])


def _names(ids: Sequence[str], labels: Sequence[str], area_label: str) -> dict[str, object]:
    return {
        "level": ["district"] * (len(ids) + 1) + ["city"],
        "district_id": [*ids, NO_DISTRICT, ""],
        "label": [*labels, "", area_label],
    }


def _percent(part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    return 100 * np.divide(part, whole, out=np.full(len(part), np.nan), where=whole > 0)


def _quantiles(
    minutes: NDArray[np.float64],
    weight: NDArray[np.float64],
    places: _Places,
    share: float,
) -> NDArray[np.float64]:
    by_time = np.argsort(minutes, kind="stable")
    order = by_time[np.argsort(places.district[by_time], kind="stable")]
    ends = np.cumsum(np.bincount(places.district, minlength=places.n))
    found = [
        weighted_quantile(minutes[part], weight[part], share) for part in np.split(order, ends[:-1])
    ]
    return np.array([*found, weighted_quantile(minutes[by_time], weight[by_time], share)])


def _gap_counts(gaps: pd.DataFrame, ids: Sequence[str]) -> dict[str, object]:
    """Count gaps by their main district, so that districts add up, and by all they touch."""
    main = gaps["district_id"].to_numpy(dtype=str)
    touching = [set(districts.split(";")) for districts in gaps["districts"]]
    # Gaps are ordered by rank: the first of a district is its worst.
    worst = [next(iter(gaps.loc[main == d, "gap_id"]), "") for d in ids]
    return {
        "gaps": [int((main == d).sum()) for d in ids] + [len(gaps)],
        "gaps_touching": [sum(d in t for t in touching) for d in ids] + [len(gaps)],
        "worst_gap_id": [*worst, next(iter(gaps["gap_id"]), "")],
    }


def _drop_empty_rest(table: pd.DataFrame) -> pd.DataFrame:
    rest = (table["district_id"] == NO_DISTRICT) & (table["area_ha"] == 0)
    return table[~rest].reset_index(drop=True)
