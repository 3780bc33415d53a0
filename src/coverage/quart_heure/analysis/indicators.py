"""Indicators: shares of area and residents per district and category, and for the whole area.

Every figure of the whole area is the sum of its districts, or is computed from all cells where a
sum makes no sense (medians).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

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


def indicator_table(
    category: str,
    *,
    cells: Cells,
    status: NDArray[np.int8],
    minutes: NDArray[np.float64],
    by_time: NDArray[np.intp],
    residents: NDArray[np.float64] | None,
    district_ids: Sequence[str],
    district_labels: Sequence[str],
    area_label: str,
    threshold_min: float,
    profile: str,
    services_inside: NDArray[np.int64],
    gaps: pd.DataFrame,
    gap_parts: pd.DataFrame,
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
    by_time
        Cells in the order of their minutes; shape (n,).
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
    gaps, gap_parts
        Gaps of this category and what each district has of them (see
        `quart_heure.analysis.gaps`). The worst gap of a district is the one with most residents in
        it.

    Returns
    -------
    pandas.DataFrame
        Columns `INDICATOR_COLUMNS`.
    """
    keep = cells.inside
    district, n = _district_codes(cells, len(district_ids))
    status, minutes = status[keep], minutes[keep]
    people = np.full(len(status), np.nan) if residents is None else residents[keep]
    area = _sums(district, n, status, len(STATUSES)) * cells.cell_ha
    folk = _sums(district, n, status, len(STATUSES), people)
    columns = _names(district_ids, district_labels, area_label)
    columns |= {"category": category, "threshold_min": threshold_min, "profile": profile}
    columns["services_inside"] = np.append(services_inside, services_inside.sum())
    on_network = area[:, :4].sum(axis=1)
    columns["area_ha"] = on_network + area[:, 4]
    columns["off_network_ha"] = area[:, 4]
    columns["on_network_ha"] = on_network
    columns["covered_ha"] = area[:, 0] + area[:, 1]
    for code in (1, 2, 3):
        columns[f"{STATUSES[code]}_ha"] = area[:, code]
    for name in ("covered", *STATUSES[1:4]):
        columns[f"{name}_pct"] = _percent(columns[f"{name}_ha"], on_network)
    folk_on = folk[:, :4].sum(axis=1)
    columns["residents"] = folk_on + folk[:, 4]
    columns["residents_off_network"] = folk[:, 4]
    columns["residents_covered"] = folk[:, 0] + folk[:, 1]
    columns["residents_borderline_uncovered"] = folk[:, 2]
    columns["residents_uncovered"] = folk[:, 3]
    columns["residents_covered_pct"] = _percent(columns["residents_covered"], folk_on)
    on = status < STATUSES.index("off_network")
    weight = np.where(on, 1.0 if residents is None else people, 0.0)
    # Positions among the cells of the area, still in the order of time.
    position = np.cumsum(keep) - 1
    columns |= _quantiles(minutes, weight, district, position[by_time[keep[by_time]]], n)
    columns |= _gap_counts(gaps, gap_parts, [*district_ids, NO_DISTRICT])
    table = pd.DataFrame(columns)[list(INDICATOR_COLUMNS)]
    rest = (table["district_id"] == NO_DISTRICT) & (table["area_ha"] == 0)
    return table[~rest].reset_index(drop=True)


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
    district, n = _district_codes(cells, len(district_ids))
    within = essentials_within[keep]
    people = np.full(len(within), np.nan) if residents is None else residents[keep]
    # Cells off the network come last, and are left out of the shares.
    group = np.where(within < 0, n_essentials + 1, within)
    area = _sums(district, n, group, n_essentials + 2)[:, :-1] * cells.cell_ha
    folk = _sums(district, n, group, n_essentials + 2, people)[:, :-1]
    parts = []
    for count in range(n_essentials + 1):
        columns = _names(district_ids, district_labels, area_label)
        columns["essentials_within"] = count
        columns["area_ha"] = area[:, count]
        columns["area_pct"] = _percent(area[:, count], area.sum(axis=1))
        columns["residents"] = folk[:, count]
        columns["residents_pct"] = _percent(folk[:, count], folk.sum(axis=1))
        parts.append(pd.DataFrame(columns))
    table = pd.concat(parts, ignore_index=True)[list(COMPOSITE_COLUMNS)]
    rest = table["district_id"] == NO_DISTRICT
    if not np.any(cells.district[keep] < 0):
        table = table[~rest]
    return table.reset_index(drop=True)


def weighted_quantile(
    values: NDArray[np.float64], weights: NDArray[np.float64], share: float
) -> float:
    """Return the least value that at least a share of the weight does not exceed.

    NaN if there is no weight, inf if the value is not reached.
    """
    order = np.argsort(values)
    return _quantile(values[order], np.cumsum(weights[order]), share)


def _quantile(values: NDArray[np.float64], total: NDArray[np.float64], share: float) -> float:
    if len(total) == 0 or not total[-1] > 0:
        return float("nan")
    at = int(np.searchsorted(total, share * total[-1] * (1 - _TOLERANCE)))
    return float(values[min(at, len(values) - 1)])


def _district_codes(cells: Cells, n_districts: int) -> tuple[NDArray[np.int16], int]:
    """Return the district of each cell of the area, those of none coming last, and their number."""
    district = cells.district[cells.inside]
    return np.where(district < 0, n_districts, district).astype(np.int16), n_districts + 1


def _sums(
    district: NDArray[np.int16],
    n: int,
    group: NDArray[np.integer],
    n_groups: int,
    weight: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Add cells up by district (rows, with the whole area last) and group (columns)."""
    code = district.astype(np.int64) * n_groups + group
    sums = np.bincount(code, weights=weight, minlength=n * n_groups).reshape(n, n_groups)
    # A millionth of a person is noise of the sums; two tables are to show the same figure.
    table: NDArray[np.float64] = np.vstack([sums, sums.sum(axis=0)]).astype(np.float64)
    return table.round(6)


def _names(ids: Sequence[str], labels: Sequence[str], area_label: str) -> dict[str, Any]:
    return {
        "level": ["district"] * (len(ids) + 1) + ["city"],
        "district_id": [*ids, NO_DISTRICT, ""],
        "label": [*labels, "", area_label],
    }


def _percent(part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    share: NDArray[np.float64] = np.full(len(part), np.nan)
    np.divide(100 * part, whole, out=share, where=whole > 0)
    return share


def _quantiles(
    minutes: NDArray[np.float64],
    weight: NDArray[np.float64],
    district: NDArray[np.int16],
    by_time: NDArray[np.intp],
    n: int,
) -> dict[str, list[float]]:
    """Return median and ninth decile of each district and of the whole area."""
    order = by_time[np.argsort(district[by_time], kind="stable")]
    ends = np.cumsum(np.bincount(district, minlength=n))
    parts = [*np.split(order, ends[:-1]), by_time]
    shares = {"minutes_median": 0.5, "minutes_p90": 0.9}
    found: dict[str, list[float]] = {name: [] for name in shares}
    for part in parts:
        values, total = minutes[part], np.cumsum(weight[part])
        for name, share in shares.items():
            found[name].append(_quantile(values, total, share))
    return found


def _gap_counts(gaps: pd.DataFrame, parts: pd.DataFrame, ids: Sequence[str]) -> dict[str, Any]:
    """Count gaps by their main district, so that districts add up, and by all they touch."""
    names = list(gaps["gap_id"])
    main, touching = Counter(gaps["district_id"]), Counter(parts["district_id"])
    worst = (
        parts.sort_values(["residents", "area_ha"], ascending=False, kind="stable")
        .drop_duplicates("district_id")
        .set_index("district_id")["gap_id"]
        .to_dict()
    )
    return {
        "gaps": [*(main[d] for d in ids), len(names)],
        "gaps_touching": [*(touching[d] for d in ids), len(names)],
        "worst_gap_id": [*(worst.get(d, "") for d in ids), names[0] if names else ""],
    }
