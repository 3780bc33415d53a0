"""Extracts of known registers: tables whose columns and codes are theirs, said in our words.

A register is known by its headings or its first line; what it says goes into columns with our
names, before its own. What it says that is no place, or doubtful, is told row by row.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from quart_heure.sources.problems import problem_table
from quart_heure.sources.services.columns import plain_heading
from quart_heure.sources.services.discretion import hidden_rows
from quart_heure.sources.text_columns import RawTable


@dataclasses.dataclass(frozen=True, kw_only=True)
class Told:
    """What is told of a row: its position, and the columns of a table of problems."""

    at: int
    field: str
    value: str
    reason: str
    action: str


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Extract:
    """A table in our columns, and what is told of its rows.

    Parameters
    ----------
    table
        Its rows, all of them.
    told
        Row by row.
    left_out
        Positions of rows that are no places, or stand for another row: each is in ``told``.
    own
        Whether columns that are not read are somebody's own, and not those of a register.
    """

    table: RawTable
    told: Sequence[Told] = ()
    left_out: frozenset[int] = frozenset()
    own: bool = False

    def kept(self) -> RawTable:
        """Return the table without the rows that are left out; they keep their numbers."""
        if not self.left_out:
            return self.table
        table = self.table
        rows = [row for row in range(len(table)) if row not in self.left_out]
        column = functools.cache(table.column)
        return dataclasses.replace(
            table,
            numbers=tuple(table.numbers[row] for row in rows),
            column=lambda at: _picked(column(at), rows),
            degrees=None if table.degrees is None else table.degrees[rows],
            shifted=None if table.shifted is None else table.shifted[rows],
        )

    def problems(self, file: str) -> pd.DataFrame:
        """Return what is told as a table of problems; of a place that is hidden only its number."""
        rows = sorted({told.at for told in self.told})
        columns = []
        for at, heading in enumerate(self.table.headings):
            cells = self.table.column(at)
            columns.append((heading, "", [cells[row] for row in rows]))
        hidden = dict(zip(rows, hidden_rows(columns, [""] * len(rows)), strict=True))
        return problem_table(
            {
                "file": file,
                "row": self.table.numbers[told.at],
                "field": told.field,
                "value": "" if hidden[told.at] else told.value[:200],
                "reason": told.reason.partition(":")[0] if hidden[told.at] else told.reason,
                "action": told.action,
            }
            for told in self.told
        )


def _picked(cells: Sequence[str], rows: Sequence[int]) -> list[str]:
    return [cells[row] for row in rows]


def with_columns(table: RawTable, ours: Mapping[str, Sequence[str]], **changes: Any) -> RawTable:
    """Return a table with columns in our words before its own, those of one name left aside."""
    taken = {plain_heading(name) for name in ours}
    own = [at for at, name in enumerate(table.headings) if plain_heading(name) not in taken]
    columns = list(ours.values())

    def column(at: int) -> Sequence[str]:
        return columns[at] if at < len(columns) else table.column(own[at - len(columns)])

    headings = (*ours, *(table.headings[at] for at in own))
    return dataclasses.replace(table, headings=headings, column=column, **changes)
