"""Shares: sums of cells on the network by district, with the whole area last."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from quart_heure.analysis.indicators import NO_DISTRICT
from quart_heure.analysis.surface import Cells

__all__ = ["Shares"]


class Shares:
    """What each district has of some cells, in the order of the rows of the indicators.

    Parameters
    ----------
    cells
        The grid; its margin is left out.
    residents
        People per cell, shape (n,), or None where they are not known.
    district_ids
        Of the districts that ``cells.district`` counts.
    """

    def __init__(
        self, cells: Cells, residents: NDArray[np.float64] | None, district_ids: Sequence[str]
    ) -> None:
        self.cell_ha = cells.cell_ha
        self._on = np.flatnonzero(cells.inside & cells.attachment.attached)
        district = cells.district[self._on]
        self._district = np.where(district < 0, len(district_ids), district)
        self._people = None if residents is None else residents[self._on]
        # Cells of no district have a row only where there are any.
        rest = bool((cells.district[cells.inside] < 0).any())
        self._shown = np.array([True] * len(district_ids) + [rest, True])
        ids = [*district_ids, NO_DISTRICT, ""]
        self.ids = [one for one, shown in zip(ids, self._shown, strict=True) if shown]
        self._cells, self._residents = self._sums(np.ones(len(cells), dtype=np.bool_))

    def of(self, mask: NDArray[np.bool_]) -> dict[str, NDArray[np.float64]]:
        """Return ha, pct, residents and residents_pct of the cells of a mask, per district."""
        count, people = self._sums(mask)
        return {
            "ha": count * self.cell_ha,
            "pct": _percent(count, self._cells),
            "residents": people,
            "residents_pct": _percent(people, self._residents),
        }

    def _sums(self, mask: NDArray[np.bool_]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        chosen = mask[self._on]
        code = self._district[chosen]
        n = len(self._shown) - 1
        count = np.bincount(code, minlength=n).astype(np.float64)
        people = np.full(n, np.nan)
        if self._people is not None:
            people = np.bincount(code, weights=self._people[chosen], minlength=n).astype(float)
        count, people = (np.append(each, each.sum()) for each in (count, people))
        return count[self._shown], people[self._shown].round(6)


def _percent(part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    share: NDArray[np.float64] = np.full(len(part), np.nan)
    np.divide(100 * part, whole, out=share, where=whole > 0)
    return share
