"""Figures of the map: the table per district at every threshold that the map offers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from quart_heure.analysis.indicators import NO_DISTRICT
from quart_heure.outputs.map_cells import thresholds_offered, withheld

if TYPE_CHECKING:
    from quart_heure.study import Coverage

__all__ = ["category_figures", "composite_figures", "open_essentials"]

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
    sums = _Sums(coverage)
    minutes = coverage.cells[f"minutes_{category}"].to_numpy(float)
    found = {}
    for threshold in _others(coverage):
        near = minutes <= threshold * (1 + _TOLERANCE)
        people, area = sums.people(near), sums.area(near)
        found[_key(threshold)] = [
            [_number(share), _number(beyond, 0), _number(area_share)]
            for share, beyond, area_share in zip(
                _percent(people, sums.all_people),
                sums.all_people - people,
                _percent(area, sums.all_area),
                strict=True,
            )
        ]
    return found


def composite_figures(coverage: Coverage) -> dict[str, list[list[float | None]]]:
    """Return shares by number of services within reach, by threshold and district.

    Shares are of residents, or of area without them; of the essential categories, those are
    counted whose minutes are told at every threshold (see `open_essentials`).
    """
    sums = _Sums(coverage)
    counted = open_essentials(coverage)
    people = coverage.study.residents is not None
    total = sums.all_people if people else sums.all_area
    found = {}
    for threshold in _others(coverage):
        within = np.zeros(len(coverage.cells), dtype=int)
        for category in counted:
            minutes = coverage.cells[f"minutes_{category}"].to_numpy(float)
            within += minutes <= threshold * (1 + _TOLERANCE)
        shares = [
            _percent(sums.people(within == n) if people else sums.area(within == n), total)
            for n in range(len(counted) + 1)
        ]
        found[_key(threshold)] = [[_number(x) for x in row] for row in np.transpose(shares)]
    return found


def open_essentials(coverage: Coverage) -> list[str]:
    """Return the essential categories whose minutes are told at every threshold."""
    return [c for c in coverage.study.essentials if not withheld(coverage, c)]


def _others(coverage: Coverage) -> list[float]:
    study = coverage.study
    return [t for t in thresholds_offered(study) if t != study.threshold_min]


class _Sums:
    """Sums over the cells of each district on the network, the whole area last."""

    def __init__(self, coverage: Coverage) -> None:
        cells = coverage.cells
        ids = [*coverage.study.area.districts["district_id"].astype(str), NO_DISTRICT]
        position = {name: n for n, name in enumerate(ids)}
        names = cells["district_id"].cat.categories
        of_code = np.array([position[str(name)] for name in names])
        self._district = of_code[cells["district_id"].cat.codes.to_numpy()]
        self._on = cells["on_network"].to_numpy(bool)
        self._residents = np.nan_to_num(cells["residents"].to_numpy(float))
        # Cells of no district have a row of their own, where there are any.
        rest = bool((self._district == len(ids) - 1).any())
        self._rows = len(ids) - (not rest)
        everything = np.ones(len(cells), dtype=bool)
        self.all_people = self.people(everything)
        self.all_area = self.area(everything)

    def people(self, chosen: NDArray[np.bool_]) -> NDArray[np.float64]:
        return self._sum(chosen, self._residents)

    def area(self, chosen: NDArray[np.bool_]) -> NDArray[np.float64]:
        return self._sum(chosen, np.ones(len(chosen)))

    def _sum(self, chosen: NDArray[np.bool_], weight: NDArray[np.float64]) -> NDArray[np.float64]:
        here = chosen & self._on
        sums = np.bincount(self._district[here], weight[here], minlength=self._rows)
        return np.append(sums, sums.sum())


def _key(threshold: float) -> str:
    return f"{threshold:g}"


def _percent(part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    share: NDArray[np.float64] = np.full(len(part), np.nan)
    np.divide(100 * part, whole, out=share, where=whole > 0)
    return share


def _number(value: float, decimals: int = _DECIMALS) -> float | None:
    if not np.isfinite(value):
        return None
    return round(float(value), decimals) if decimals else round(float(value))
