"""Districts: sums of cells by district, with the whole area in the last row."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from quart_heure.analysis.surface import Cells
from quart_heure.sources.areas.areas import StudyArea

NO_DISTRICT = "none"
"""Id of the cells of the area that no district holds."""


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Districts:
    """The parts of an area, one row each; then what no district holds, then the whole.

    Parameters
    ----------
    names
        Columns level, district_id and label.
    code
        Row of each cell of the grid among them, -1 for the margin of the grid; shape (n,).
    """

    names: pd.DataFrame
    code: NDArray[np.int64]

    @classmethod
    def of(cls, area: StudyArea, cells: Cells) -> Districts:
        """Tell the districts of the cells of an area."""
        table = area.districts
        n = len(table)
        code = np.where(cells.district < 0, n, cells.district).astype(np.int64)
        code[~cells.inside] = -1
        names = pd.DataFrame(
            {
                "level": ["district"] * (n + 1) + ["city"],
                "district_id": [*table["district_id"], NO_DISTRICT, ""],
                "label": [*table["label"], "", area.name],
            }
        )
        return cls(names=names, code=code)

    def sums(
        self, where: NDArray[np.bool_], weight: NDArray[np.float64] | None = None
    ) -> NDArray[np.float64]:
        """Add up cells, or a weight of them, by row of ``names``.

        Parameters
        ----------
        where
            Cells that are counted; shape (n,).
        weight
            What is added up, 1 by default; shape (n,).
        """
        here = np.flatnonzero(where)
        code = self.code[here]
        if weight is not None:
            weight = weight[here]
        # One bin more takes the margin of the grid, whose code is -1.
        parts = np.bincount(code + 1, weights=weight, minlength=len(self.names))[1:]
        # As everywhere, a millionth of a person is noise of the sums.
        return np.append(parts, parts.sum()).astype(np.float64).round(6)

    def problems(self) -> list[dict[str, Any]]:
        """Tell which districts hold the centre of no cell, as rows of a table of problems."""
        cells = np.bincount(self.code + 1, minlength=len(self.names))[1:-1]
        empty = self.names.iloc[:-2][cells == 0]
        return [
            {
                "file": "",
                "row": None,
                "field": "districts",
                "value": f"{row.district_id} – {row.label}",
                "reason": "too small to hold the centre of a cell",
                "action": "has no figures of its own: choose a smaller cell_m",
            }
            for row in empty.itertuples()
        ]

    def rows(self) -> NDArray[np.bool_]:
        """Tell which rows there are cells of: usually a district holds every cell."""
        kept = np.ones(len(self.names), dtype=bool)
        kept[-2] = bool((self.code == len(self.names) - 2).any())
        return kept

    def table(self, blocks: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
        """Return the rows that there are cells of with some figures, and below with others.

        Pandas takes longer to put ten tables together than what they hold takes to be computed.

        Parameters
        ----------
        blocks
            One figure per such row of ``names``, or a value for all of them, by column.
        """
        rows = np.flatnonzero(self.rows())
        every = np.tile(rows, len(blocks))
        columns: dict[str, Any] = {
            str(name): values.array.take(every) for name, values in self.names.items()
        }
        for name, one in blocks[0].items():
            figures = [block[name] for block in blocks]
            if isinstance(one, np.ndarray):
                columns[name] = np.concatenate(figures)
            else:
                columns[name] = [value for value in figures for _ in rows]
        return pd.DataFrame(columns, copy=False)
