"""Indicators: shares of area and residents per district and category, and for the whole area.

Every figure of the whole area is the sum of its districts, or is computed from all cells where a
sum makes no sense (medians).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from quart_heure.analysis.answers import COMPOSITES, Answer
from quart_heure.analysis.districts import Districts
from quart_heure.analysis.shares import percent
from quart_heure.analysis.statuses import STATUSES, TOLERANCE
from quart_heure.analysis.surface import Cells

__all__ = [
    "COMPOSITE_COLUMNS",
    "INDICATOR_COLUMNS",
    "composite_table",
    "indicators_of",
]

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


def indicators_of(
    answers: Mapping[str, Answer],
    cells: Cells,
    *,
    districts: Districts,
    residents: NDArray[np.float64] | None,
    services: pd.DataFrame,
    essentials: Sequence[str],
    gaps: pd.DataFrame,
    gap_parts: pd.DataFrame,
    threshold_min: float,
    profile: str,
) -> pd.DataFrame:
    """Return one row per category or composite and district, and one for the whole area.

    Parameters
    ----------
    answers
        Of each category and composite.
    cells
        The grid; its margin is left out.
    districts
        Of the cells. Cells of none get a row of their own.
    residents
        People per cell, shape (n,), or None where they are not known: medians are then weighted by
        area, and columns of residents are NaN.
    services
        Columns category, counted, inside and district_id.
    essentials
        Categories that the composites are made of.
    gaps, gap_parts
        Gaps and what each district has of them (see `quart_heure.analysis.gaps`). The worst gap of
        a district is the one with most residents in it.
    threshold_min, profile
        Stated in each row.

    Returns
    -------
    pandas.DataFrame
        Columns `INDICATOR_COLUMNS`.
    """
    tables = []
    for category, one in answers.items():
        members = essentials if category in COMPOSITES else (category,)
        columns: dict[str, Any] = dict(districts.names)
        columns |= {"category": category, "threshold_min": threshold_min, "profile": profile}
        columns["services_inside"] = _services_inside(services, members, districts)
        columns |= _amounts(one, cells, districts, residents)
        columns |= _gap_counts(
            gaps[gaps["category"] == category],
            gap_parts[gap_parts["category"] == category],
            districts,
        )
        table = pd.DataFrame(columns)[list(INDICATOR_COLUMNS)]
        tables.append(table[districts.rows()])
    return pd.concat(tables, ignore_index=True)


def _services_inside(
    services: pd.DataFrame, members: Sequence[str], districts: Districts
) -> NDArray[np.int64]:
    """Count the services of some categories that count, per row of the districts."""
    here = services["counted"] & services["inside"] & services["category"].isin(members)
    found = services.loc[here, "district_id"].value_counts()
    # Within the area but in no district, a service has the id "" of the outside.
    ids = [*districts.names["district_id"][:-2], ""]
    inside = found.reindex(ids, fill_value=0).to_numpy(dtype=np.int64)
    return np.append(inside, inside.sum())


def _amounts(
    one: Answer, cells: Cells, districts: Districts, residents: NDArray[np.float64] | None
) -> dict[str, Any]:
    """Return area, residents and minutes of one category, per row of the districts."""
    keep = cells.inside
    district, n = _district_codes(cells, districts)
    status, minutes = one.status[keep], one.minutes[keep]
    people = np.full(len(status), np.nan) if residents is None else residents[keep]
    area = _sums(district, n, status, len(STATUSES)) * cells.cell_ha
    folk = _sums(district, n, status, len(STATUSES), people)
    on_network = area[:, :4].sum(axis=1)
    columns: dict[str, Any] = {
        "area_ha": on_network + area[:, 4],
        "off_network_ha": area[:, 4],
        "on_network_ha": on_network,
        "covered_ha": area[:, 0] + area[:, 1],
    }
    for code in (1, 2, 3):
        columns[f"{STATUSES[code]}_ha"] = area[:, code]
    for name in ("covered", *STATUSES[1:4]):
        columns[f"{name}_pct"] = percent(columns[f"{name}_ha"], on_network)
    folk_on = folk[:, :4].sum(axis=1)
    columns["residents"] = folk_on + folk[:, 4]
    columns["residents_off_network"] = folk[:, 4]
    columns["residents_covered"] = folk[:, 0] + folk[:, 1]
    columns["residents_borderline_uncovered"] = folk[:, 2]
    columns["residents_uncovered"] = folk[:, 3]
    columns["residents_covered_pct"] = percent(columns["residents_covered"], folk_on)
    on = status < STATUSES.index("off_network")
    weight = np.where(on, 1.0 if residents is None else people, 0.0)
    # Positions among the cells of the area, still in the order of time.
    position = np.cumsum(keep) - 1
    columns |= _quantiles(minutes, weight, district, position[one.by_time[keep[one.by_time]]], n)
    return columns


def composite_table(
    cells: Cells,
    essentials_within: NDArray[np.int8],
    *,
    n_essentials: int,
    residents: NDArray[np.float64] | None,
    districts: Districts,
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
    district, n = _district_codes(cells, districts)
    within = essentials_within[keep]
    people = np.full(len(within), np.nan) if residents is None else residents[keep]
    # Cells off the network come last, and are left out of the shares.
    group = np.where(within < 0, n_essentials + 1, within)
    area = _sums(district, n, group, n_essentials + 2)[:, :-1] * cells.cell_ha
    folk = _sums(district, n, group, n_essentials + 2, people)[:, :-1]
    parts = []
    for count in range(n_essentials + 1):
        table = districts.names.assign(
            essentials_within=count,
            area_ha=area[:, count],
            area_pct=percent(area[:, count], area.sum(axis=1)),
            residents=folk[:, count],
            residents_pct=percent(folk[:, count], folk.sum(axis=1)),
        )
        parts.append(table[districts.rows()])
    return pd.concat(parts, ignore_index=True)[list(COMPOSITE_COLUMNS)]


def _quantile(values: NDArray[np.float64], total: NDArray[np.float64], share: float) -> float:
    if len(total) == 0 or not total[-1] > 0:
        return float("nan")
    at = int(np.searchsorted(total, share * total[-1] * (1 - TOLERANCE)))
    return float(values[min(at, len(values) - 1)])


def _district_codes(cells: Cells, districts: Districts) -> tuple[NDArray[np.int16], int]:
    """Return the row of the district of each cell of the area, and the number of such rows."""
    # Sixteen bits sort several times faster.
    return districts.code[cells.inside].astype(np.int16), len(districts.names) - 1


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


def _gap_counts(gaps: pd.DataFrame, parts: pd.DataFrame, districts: Districts) -> dict[str, Any]:
    """Count gaps by their main district, so that districts add up, and by all they touch."""
    names, ids = list(gaps["gap_id"]), districts.names["district_id"][:-1]
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
