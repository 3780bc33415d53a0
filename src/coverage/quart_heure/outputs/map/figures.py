"""Figures of the map: its tables by district, at every threshold that it offers, and their ranges.

A study of an hour or of a person knows less than one of neither: where the hours of a service, or
whom it admits, are not known, a place is *perhaps* covered, and figures have two ends.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from quart_heure.analysis.districts import NO_DISTRICT
from quart_heure.analysis.shares import percent
from quart_heure.network.limits import within
from quart_heure.outputs.hour_words import range_words
from quart_heure.outputs.map.cells import thresholds_offered
from quart_heure.outputs.map.data import CategoryFigures, CategoryFiguresAt, Column, Ends, SharesAt

if TYPE_CHECKING:
    from quart_heure.study.coverage import Coverage


def number(value: float, decimals: int = 1) -> float | int | None:
    """Return a number rounded for the page; None where it is unknown or infinite."""
    if not math.isfinite(value):
        return None
    return round(float(value), decimals) if decimals else round(float(value))


def column(values: Iterable[float], decimals: int = 1) -> Column:
    """Return numbers rounded for the page."""
    return [number(value, decimals) for value in values]


def category_rows(coverage: Coverage, category: str) -> pd.DataFrame:
    """Return the indicators of a category or composite: the districts, the whole area last."""
    table = coverage.indicators[coverage.indicators["category"] == category]
    return table.sort_values("level", key=lambda level: level == "city", kind="stable")


def category_figures(coverage: Coverage, category: str) -> CategoryFigures:
    """Return the table of a category at the threshold of the study.

    A gap counts in each district that it touches: its main district may lie next door. In the row
    of the whole area each counts once.
    """
    table = category_rows(coverage, category)
    accuracy = coverage.accuracy
    paces = accuracy[(accuracy["category"] == category) & (accuracy["doubt"] == "speed")]
    paces = paces.set_index(["level", "district_id"]).loc[
        pd.MultiIndex.from_frame(table[["level", "district_id"]])
    ]
    share = "residents_" if coverage.study.residents is not None else ""
    beyond = table["residents_borderline_uncovered"] + table["residents_uncovered"]
    return CategoryFigures(
        services_inside=column(table["services_inside"], 0),
        residents_covered_pct=column(table["residents_covered_pct"]),
        residents_beyond=column(beyond, 0),
        covered_pct=column(table["covered_pct"]),
        minutes_median=column(table["minutes_median"]),
        gaps_touching=column(table["gaps_touching"], 0),
        slow_pct=column(paces[f"{share}low_pct"], 0),
        fast_pct=column(paces[f"{share}high_pct"], 0),
    )


def category_figures_at(coverage: Coverage, category: str) -> list[CategoryFiguresAt]:
    """Return what changes with the threshold, at those offered other than the study's."""
    sums = DistrictSums(coverage)
    minutes = coverage.cells[f"minutes_{category}"].to_numpy(float)
    found = []
    for threshold in _others(coverage):
        near = within(minutes, threshold)
        people, area = sums.people(near), sums.area(near)
        found.append(
            CategoryFiguresAt(
                minutes=threshold,
                residents_covered_pct=column(percent(people, sums.all_people)),
                residents_beyond=column(sums.all_people - people, 0),
                covered_pct=column(percent(area, sums.all_area)),
            )
        )
    return found


def confirmed_shares(coverage: Coverage, category: str) -> Column:
    """Return per row the share that is covered if only confirmed places count.

    Of residents, or of area without them; None where it is not known.
    """
    share = "residents_confirmed" if coverage.study.residents is not None else "confirmed"
    table = coverage.freshness[coverage.freshness["category"] == category]
    rows = category_rows(coverage, category)[["level", "district_id"]].astype(str)
    found = table.astype({"level": str, "district_id": str}).set_index(["level", "district_id"])
    found = found.reindex(pd.MultiIndex.from_frame(rows))
    return column(found[f"{share}_covered_pct"])


def composite_shares(coverage: Coverage) -> list[Column]:
    """Return per row the share of residents, or of area without them, by services within reach."""
    share = "residents_pct" if coverage.study.residents is not None else "area_pct"
    table = coverage.composite.pivot_table(
        index="district_id", columns="essentials_within", values=share, aggfunc="sum", sort=False
    )
    rows = category_rows(coverage, coverage.study.categories[0])["district_id"]
    counts = range(len(coverage.study.essentials) + 1)
    return [column(row) for row in table.reindex(index=rows, columns=counts).to_numpy(float)]


def composite_shares_at(coverage: Coverage) -> list[SharesAt]:
    """Return the same at the thresholds offered other than the study's."""
    sums = DistrictSums(coverage)
    counted = coverage.study.essentials
    found = []
    for threshold in _others(coverage):
        count = np.zeros(len(coverage.cells), dtype=np.int64)
        for category in counted:
            minutes = coverage.cells[f"minutes_{category}"].to_numpy(float)
            count += within(minutes, threshold)
        shares = shares_by_count(sums, count, len(counted))
        found.append(SharesAt(minutes=threshold, shares_pct=shares))
    return found


def shares_by_count(sums: DistrictSums, count: NDArray[np.integer], most: int) -> list[Column]:
    """Return the share of residents, or of area without them, by a count of 0 to the most.

    One row per district, the whole area last.
    """
    parts = sums.by_count(count, most)
    shares = percent(parts, np.broadcast_to(parts.sum(axis=1, keepdims=True), parts.shape))
    return [column(row) for row in shares.tolist()]


def has_ends(coverage: Coverage) -> bool:
    """Tell whether the study asked for an hour or a person, so that figures have two ends."""
    return "covered_at_most_pct" in coverage.indicators


def ends(coverage: Coverage, category: str) -> Ends | None:
    """Return what a category or composite covers for sure and at most; None where none is asked."""
    if not has_ends(coverage):
        return None
    people = coverage.study.residents is not None
    share = "residents_covered{}_pct" if people else "covered{}_pct"
    table = category_rows(coverage, category)
    return Ends(
        at_least_pct=column(table[share.format("")]),
        at_most_pct=column(table[share.format("_at_most")]),
        residents_at_least=column(table["residents_covered"], 0),
        residents_at_most=column(table["residents_covered_at_most"], 0),
    )


def ends_told(coverage: Coverage, category: str) -> str:
    """Return the share of the whole area at least and at most, as the report writes it."""
    if not has_ends(coverage):
        return ""
    share = "residents_covered{}_pct" if coverage.study.residents is not None else "covered{}_pct"
    city = category_rows(coverage, category).iloc[-1]
    return range_words(*(float(city[share.format(most)]) for most in ("", "_at_most")))


class DistrictSums:
    """Sums over the cells of each district on the network, the whole area last.

    Parameters
    ----------
    coverage
        A coverage.
    """

    def __init__(self, coverage: Coverage) -> None:
        cells = coverage.cells
        ids = [*coverage.study.area.districts["district_id"].astype(str), NO_DISTRICT]
        position = {name: n for n, name in enumerate(ids)}
        names = cells["district_id"].cat.categories
        of_code = np.array([position[str(name)] for name in names])
        district = of_code[cells["district_id"].cat.codes.to_numpy()]
        # Cells of no district have a row of their own, where there are any.
        self._rows = len(ids) - int(not (district == len(ids) - 1).any())
        self._on = cells["on_network"].to_numpy(bool)
        self._district = district[self._on]
        self._residents = np.nan_to_num(cells["residents"].to_numpy(float)[self._on])
        self._by_people = coverage.study.residents is not None
        everything = np.ones(len(cells), dtype=bool)
        self.all_people = self.people(everything)
        self.all_area = self.area(everything)

    def people(self, chosen: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return the residents of some cells."""
        return self._sum(chosen[self._on], self._residents)

    def area(self, chosen: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return the number of some cells."""
        return self._sum(chosen[self._on], np.ones_like(self._residents))

    def by_count(self, count: NDArray[np.integer], most: int) -> NDArray[np.float64]:
        """Return residents, or cells without them, by a count of 0 to the most; shape (r, n)."""
        code = self._district * (most + 1) + count[self._on]
        weight = self._residents if self._by_people else None
        sums = np.bincount(code, weight, minlength=self._rows * (most + 1))
        table = sums.reshape(self._rows, most + 1)
        return np.vstack([table, table.sum(axis=0)]).astype(np.float64)

    def _sum(self, chosen: NDArray[np.bool_], weight: NDArray[np.float64]) -> NDArray[np.float64]:
        sums = np.bincount(self._district[chosen], weight[chosen], minlength=self._rows)
        return np.append(sums, sums.sum())


def _others(coverage: Coverage) -> list[float]:
    study = coverage.study
    return [t for t in thresholds_offered(study) if t != study.threshold_min]
