"""Indicators: shares of area and residents per district and category, and for the whole area.

Every figure of the whole area is the sum of its districts, or is computed from all cells where a
sum makes no sense (medians).
"""

from __future__ import annotations

import dataclasses
import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from quart_heure.analysis.answers import COMPOSITES, Answer
from quart_heure.analysis.districts import Districts
from quart_heure.analysis.shares import percent
from quart_heure.analysis.statuses import STATUSES
from quart_heure.analysis.surface import Cells
from quart_heure.network.limits import TOLERANCE

INDICATOR_COLUMNS = (
    "level",
    "district_id",
    "label",
    "category",
    "threshold_min",
    "profile",
    "services_inside",
    "area_ha",
    "water_ha",
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
    inside = _Inside.of(cells, districts, residents)
    counted = _counted_inside(services)
    shown = districts.rows()
    names = {str(n): values.to_numpy(dtype=object) for n, values in districts.names.items()}
    found = _by_category(gaps, ("gap_id", "district_id"))
    parts = _by_category(gap_parts, ("gap_id", "district_id", "residents", "area_ha"))
    tables = []
    for category, one in answers.items():
        members = essentials if category in COMPOSITES else (category,)
        columns: dict[str, Any] = dict(names)
        about = {"category": category, "threshold_min": threshold_min, "profile": profile}
        columns |= {name: np.full(len(shown), value) for name, value in about.items()}
        columns["services_inside"] = _services_inside(counted, members, districts)
        columns |= _amounts(one, inside) | _times(one, inside)
        columns |= _gap_counts(found[category], parts[category], districts)
        tables.append({name: np.asarray(columns[name])[shown] for name in INDICATOR_COLUMNS})
    return pd.DataFrame(
        {name: np.concatenate([table[name] for table in tables]) for name in INDICATOR_COLUMNS}
    )


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class _Inside:
    """The cells of the area, without the margin of their grid.

    Parameters
    ----------
    keep, at
        Which cells of the grid they are; shapes (n,) and (k,).
    district, n
        Row of the district of each cell of the grid, shape (n,), and the number of such rows.
    size
        Cells of each such row; shape (n of them,).
    code
        Row of the district of each of these cells; shape (k,).
    residents, people
        Residents of each cell of the grid, and of each of these, None where they are not known;
        shapes (n,) and (k,).
    cell_ha
        Area of each.
    """

    keep: NDArray[np.bool_]
    at: NDArray[np.intp]
    district: NDArray[np.int16]
    n: int
    size: NDArray[np.intp]
    code: NDArray[np.int64]
    residents: NDArray[np.float64] | None
    people: NDArray[np.float64] | None
    cell_ha: float

    @classmethod
    def of(
        cls, cells: Cells, districts: Districts, residents: NDArray[np.float64] | None
    ) -> _Inside:
        at, n = np.flatnonzero(cells.inside), len(districts.names) - 1
        code = districts.code.take(at)
        return cls(
            keep=cells.inside,
            at=at,
            # Sixteen bits sort several times faster.
            district=districts.code.astype(np.int16),
            n=n,
            size=np.bincount(code, minlength=n),
            code=code,
            residents=residents,
            people=None if residents is None else residents.take(at),
            cell_ha=cells.cell_ha,
        )

    def sums(
        self, group: NDArray[np.integer], n_groups: int
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return hectares and residents by district (rows, the whole area last) and group."""
        code = self.code * n_groups + group
        size = self.n * n_groups
        count = np.bincount(code, minlength=size)
        folk = np.full(size, np.nan)
        if self.people is not None:
            folk = np.bincount(code, weights=self.people, minlength=size).astype(np.float64)
        # A millionth of a person is noise of the sums; two tables are to show the same figure.
        table = np.stack([count, folk]).astype(np.float64).reshape(2, self.n, n_groups)
        area, people = np.concatenate([table, table.sum(axis=1, keepdims=True)], axis=1).round(6)
        return area * self.cell_ha, people


def _counted_inside(services: pd.DataFrame) -> Counter[tuple[str, str]]:
    """Count the services of the area that count, by category and district."""
    here = (services["counted"] & services["inside"]).to_numpy()
    pairs = services.loc[here, ["category", "district_id"]]
    return Counter(pairs.itertuples(index=False, name=None))


def _services_inside(
    counted: Mapping[tuple[str, str], int], members: Sequence[str], districts: Districts
) -> NDArray[np.int64]:
    """Count the services of some categories that count, per row of the districts."""
    # Within the area but in no district, a service has the id "" of the outside.
    ids = [*districts.names["district_id"][:-2], ""]
    inside = [sum(counted[category, district] for category in members) for district in ids]
    return np.array([*inside, sum(inside)], dtype=np.int64)


COVERED_COLUMNS = (
    *("level", "district_id", "label", "category"),
    *("covered_pct", "residents_covered", "residents_covered_pct"),
)


def covered_of_all(
    answers: Mapping[str, Answer],
    cells: Cells,
    *,
    districts: Districts,
    residents: NDArray[np.float64] | None,
) -> pd.DataFrame:
    """Return what the whole area has within the threshold, as `indicators_of` does.

    Parameters
    ----------
    answers, cells, districts, residents
        See `indicators_of`.

    Returns
    -------
    pandas.DataFrame
        Columns `COVERED_COLUMNS`, a row per category and composite.
    """
    inside = _Inside.of(cells, districts, residents)
    whole = {str(name): value for name, value in districts.names.iloc[-1].items()}
    rows = []
    for category, one in answers.items():
        amounts = _amounts(one, inside)
        row: dict[str, Any] = {**whole, "category": category}
        rows.append(row | {name: amounts[name][-1] for name in COVERED_COLUMNS[-3:]})
    return pd.DataFrame(rows)[list(COVERED_COLUMNS)]


def _amounts(one: Answer, inside: _Inside) -> dict[str, NDArray[np.float64]]:
    """Return area and residents of one category, per row of the districts."""
    status = one.status.take(inside.at)
    area, folk = inside.sums(status, len(STATUSES))
    on_network, folk_on = area[:, :4].sum(axis=1), folk[:, :4].sum(axis=1)
    columns = {
        "area_ha": on_network + area[:, 4:].sum(axis=1),
        "water_ha": area[:, 5],
        "off_network_ha": area[:, 4],
        "on_network_ha": on_network,
        "covered_ha": area[:, 0] + area[:, 1],
    }
    for code in (1, 2, 3):
        columns[f"{STATUSES[code]}_ha"] = area[:, code]
    for name in ("covered", *STATUSES[1:4]):
        columns[f"{name}_pct"] = percent(columns[f"{name}_ha"], on_network)
    columns["residents"] = folk_on + folk[:, 4:].sum(axis=1)
    columns["residents_off_network"] = folk[:, 4]
    columns["residents_covered"] = folk[:, 0] + folk[:, 1]
    columns["residents_borderline_uncovered"] = folk[:, 2]
    columns["residents_uncovered"] = folk[:, 3]
    columns["residents_covered_pct"] = percent(columns["residents_covered"], folk_on)
    return columns


def _times(one: Answer, inside: _Inside) -> dict[str, list[float]]:
    """Return median and ninth decile of the minutes of one category, per row of the districts."""
    # The nearest first, all of a district below one another.
    cell = one.by_time.take(np.flatnonzero(inside.keep.take(one.by_time)))
    on = one.status < STATUSES.index("off_network")
    weight = np.where(on, 1.0 if inside.residents is None else inside.residents, 0.0).take(cell)
    minutes = one.minutes.take(cell)
    order = np.argsort(inside.district.take(cell), kind="stable")
    bounds = np.cumsum(inside.size)[:-1]
    parts = zip(
        [*np.split(minutes.take(order), bounds), minutes],
        [*np.split(weight.take(order), bounds), weight],
        strict=True,
    )
    shares = {"minutes_median": 0.5, "minutes_p90": 0.9}
    found: dict[str, list[float]] = {name: [] for name in shares}
    for values, weights in parts:
        total = np.cumsum(weights)
        for name, share in shares.items():
            found[name].append(_quantile(values, total, share))
    return found


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
        Columns `COMPOSITE_COLUMNS`; shares are of what is on the network. Where no category is
        judged, nobody knows who has how many: one row each, without figures.
    """
    inside = _Inside.of(cells, districts, residents)
    within = essentials_within.take(inside.at)
    # Cells off the network come last, and are left out of the shares.
    group = np.where(within < 0, n_essentials + 1, within)
    area, folk = (table[:, :-1] for table in inside.sums(group, n_essentials + 2))
    if n_essentials == 0:
        area, folk = np.full_like(area, np.nan), np.full_like(folk, np.nan)
    shown, blocks = districts.rows(), []
    for count in range(n_essentials + 1):
        columns = {
            "area_ha": area[:, count],
            "area_pct": percent(area[:, count], area.sum(axis=1)),
            "residents": folk[:, count],
            "residents_pct": percent(folk[:, count], folk.sum(axis=1)),
        }
        figures = {name: values[shown] for name, values in columns.items()}
        blocks.append({"essentials_within": count, **figures})
    return districts.table(blocks)[list(COMPOSITE_COLUMNS)]


def _quantile(values: NDArray[np.float64], total: NDArray[np.float64], share: float) -> float:
    if len(total) == 0 or not total[-1] > 0:
        return float("nan")
    at = int(np.searchsorted(total, share * total[-1] * (1 - TOLERANCE)))
    return float(values[min(at, len(values) - 1)])


def _by_category(
    table: pd.DataFrame, columns: Sequence[str]
) -> Mapping[str, list[tuple[Any, ...]]]:
    """Return the rows of a table by their category, in their order."""
    rows: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
    values = [table[name].tolist() for name in ("category", *columns)]
    for category, *row in zip(*values, strict=True):
        rows[category].append(tuple(row))
    return rows


def _gap_counts(
    gaps: Sequence[tuple[str, str]],
    parts: Sequence[tuple[str, str, float, float]],
    districts: Districts,
) -> dict[str, list[Any]]:
    """Count gaps by their main district, so that districts add up, and by all they touch.

    Parameters
    ----------
    gaps
        Id and main district of each gap, the worst first.
    parts
        Gap, district, residents and hectares of each part.
    """
    ids = districts.names["district_id"].tolist()[:-1]
    main = Counter(district for _, district in gaps)
    touching = Counter(district for _, district, _, _ in parts)
    worst: dict[str, tuple[tuple[float, float], str]] = {}
    for gap, district, residents, area_ha in parts:
        size = (0.0 if math.isnan(residents) else residents, area_ha)
        if district not in worst or size > worst[district][0]:
            worst[district] = (size, gap)
    return {
        "gaps": [*(main[d] for d in ids), len(gaps)],
        "gaps_touching": [*(touching[d] for d in ids), len(gaps)],
        "worst_gap_id": [
            *(worst[d][1] if d in worst else "" for d in ids),
            gaps[0][0] if gaps else "",
        ],
    }
