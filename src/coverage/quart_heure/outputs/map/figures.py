"""Figures of the map: the table per district at every threshold that the map offers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from quart_heure.analysis.districts import NO_DISTRICT
from quart_heure.analysis.shares import percent
from quart_heure.outputs.map.cells import thresholds_offered, withheld

if TYPE_CHECKING:
    from quart_heure.study.coverage import Coverage


_TOLERANCE = 1e-9

_DECIMALS = 1


def category_figures(coverage: Coverage, category: str) -> dict[str, list[list[float | None]]]:
    """Return what changes with the threshold, by threshold and district, the whole area last.

    Returns
    -------
    dict
        Lists of: residents covered in percent, residents beyond, area covered in percent. None at
        thresholds other than the study's for a category whose minutes are withheld.
    """
    if withheld(coverage, category):
        return {}
    sums = DistrictSums(coverage)
    minutes = coverage.cells[f"minutes_{category}"].to_numpy(float)
    found = {}
    for threshold in _others(coverage):
        near = minutes <= threshold * (1 + _TOLERANCE)
        people, area = sums.people(near), sums.area(near)
        found[_key(threshold)] = [
            [_number(share), _number(beyond, 0), _number(area_share)]
            for share, beyond, area_share in zip(
                percent(people, sums.all_people),
                sums.all_people - people,
                percent(area, sums.all_area),
                strict=True,
            )
        ]
    return found


def composite_figures(coverage: Coverage) -> dict[str, list[list[float | None]]]:
    """Return shares by number of services within reach, by threshold and district.

    Shares are of residents, or of area without them; of the essential categories, those are
    counted whose minutes are told at every threshold (see `open_essentials`).
    """
    sums = DistrictSums(coverage)
    counted = open_essentials(coverage)
    found = {}
    for threshold in _others(coverage):
        within = np.zeros(len(coverage.cells), dtype=np.int8)
        for category in counted:
            minutes = coverage.cells[f"minutes_{category}"].to_numpy(float)
            within += minutes <= threshold * (1 + _TOLERANCE)
        found[_key(threshold)] = shares_by_count(sums, within, len(counted))
    return found


def shares_by_count(
    sums: DistrictSums, within: NDArray[np.int8], most: int
) -> list[list[float | None]]:
    """Return the share of residents, or of area without them, by a count of 0 to the most.

    One row per district, the whole area last.
    """
    parts = sums.by_count(within, most)
    shares = percent(parts, np.broadcast_to(parts.sum(axis=1, keepdims=True), parts.shape))
    return [[_number(share) for share in row] for row in shares.tolist()]


def open_essentials(coverage: Coverage) -> list[str]:
    """Return the essential categories whose minutes are told at every threshold."""
    return [c for c in coverage.study.essentials if not withheld(coverage, c)]


def _others(coverage: Coverage) -> list[float]:
    study = coverage.study
    return [t for t in thresholds_offered(study) if t != study.threshold_min]


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

    def by_count(self, count: NDArray[np.int8], most: int) -> NDArray[np.float64]:
        """Return residents, or cells without them, by a count of 0 to the most; shape (r, n)."""
        code = self._district * (most + 1) + count[self._on]
        weight = self._residents if self._by_people else None
        sums = np.bincount(code, weight, minlength=self._rows * (most + 1))
        table = sums.reshape(self._rows, most + 1)
        return np.vstack([table, table.sum(axis=0)]).astype(np.float64)

    def _sum(self, chosen: NDArray[np.bool_], weight: NDArray[np.float64]) -> NDArray[np.float64]:
        sums = np.bincount(self._district[chosen], weight[chosen], minlength=self._rows)
        return np.append(sums, sums.sum())


def _key(threshold: float) -> str:
    return f"{threshold:g}"


def _number(value: float, decimals: int = _DECIMALS) -> float | None:
    if not np.isfinite(value):
        return None
    return round(float(value), decimals) if decimals else round(float(value))
