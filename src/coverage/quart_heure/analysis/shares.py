"""Shares: sums of cells on the network by district, with the whole area last."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from quart_heure.analysis.districts import Districts
from quart_heure.analysis.surface import Cells


class Shares:
    """What each district has of some cells, in the order of the rows of the indicators.

    Parameters
    ----------
    cells
        The grid; its margin is left out.
    residents
        People per cell, shape (n,), or None where they are not known.
    districts
        Of the cells.
    """

    def __init__(
        self, cells: Cells, residents: NDArray[np.float64] | None, districts: Districts
    ) -> None:
        self.cell_ha = cells.cell_ha
        attached = cells.attachment.attached
        self._on = np.flatnonzero(cells.inside & attached)
        self._on_of_inside = np.flatnonzero(attached[cells.inside])
        self._code = districts.code
        self._district = districts.code[self._on].astype(np.intp)
        self._all_people = residents
        self._people = None if residents is None else residents[self._on]
        self._shown = districts.rows()
        self.ids = districts.names["district_id"][self._shown].tolist()
        self._cells, self._residents = self._sums(np.arange(len(self._on)))

    def of(self, mask: NDArray[np.bool_]) -> dict[str, NDArray[np.float64]]:
        """Return ha, pct, residents and residents_pct of the cells of a mask, per district."""
        return self._of(mask.take(self._on))

    def of_inside(self, mask: NDArray[np.bool_]) -> dict[str, NDArray[np.float64]]:
        """Return the same of a mask of the cells of the area alone, without the margin."""
        return self._of(mask.take(self._on_of_inside))

    def _of(self, mask: NDArray[np.bool_]) -> dict[str, NDArray[np.float64]]:
        # Faster than choosing by the mask itself.
        count, people = self._sums(np.flatnonzero(mask))
        return {
            "ha": count * self.cell_ha,
            "pct": percent(count, self._cells),
            "residents": people,
            "residents_pct": percent(people, self._residents),
        }

    def changes(
        self,
        variant: NDArray[np.integer],
        cell: NDArray[np.integer],
        sign: NDArray[np.float64],
        *,
        n_variants: int,
    ) -> dict[str, NDArray[np.float64]]:
        """Return what `of` changes by when masks lose some cells and gain others.

        Parameters
        ----------
        variant, cell, sign
            Which mask loses (-1) or gains (+1) which cell on the network; shapes (k,).
        n_variants
            Number of masks, v.

        Returns
        -------
        dict
            As `of`, each of shape (v, rows).
        """
        n = len(self._shown) - 1
        key = variant.astype(np.int64) * n + self._code[cell]

        def added(weight: NDArray[np.float64]) -> NDArray[np.float64]:
            of_districts = np.bincount(key, weights=weight, minlength=n_variants * n)
            table = of_districts.reshape(n_variants, n).astype(np.float64)
            return np.column_stack([table, table.sum(axis=1)])[:, self._shown]

        count = added(sign)
        people = np.full(count.shape, np.nan)
        if self._all_people is not None:
            people = added(sign * self._all_people[cell])
        return {
            "ha": count * self.cell_ha,
            "pct": percent(count, np.broadcast_to(self._cells, count.shape)),
            "residents": people,
            "residents_pct": percent(people, np.broadcast_to(self._residents, count.shape)),
        }

    def _sums(self, chosen: NDArray[np.intp]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        code = self._district.take(chosen)
        n = len(self._shown) - 1
        count = np.bincount(code, minlength=n).astype(np.float64)
        people = np.full(n, np.nan)
        if self._people is not None:
            people = np.bincount(code, weights=self._people.take(chosen), minlength=n).astype(float)
        count, people = (np.append(each, each.sum()) for each in (count, people))
        return count[self._shown], people[self._shown].round(6)


def percent(part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return parts as percentages of their wholes, NaN of nothing."""
    share: NDArray[np.float64] = np.full(part.shape, np.nan)
    np.divide(100 * part, whole, out=share, where=whole > 0)
    return share
