"""Problems: rows of an input that were refused or doubted, each with its reason."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

PROBLEM_COLUMNS = ("file", "row", "field", "value", "reason", "action")
"""Columns of a table of problems; rows are counted from 1 below the heading."""

LEFT_OUT = "left out"
"""The action of a problem that cost a row its place in the table."""

CHOSEN = "chosen: "
"""Begins the action of a problem that tells of a choice: which of several was meant."""

_LONGEST_VALUE = 200


def problem_table(rows: Iterable[Mapping[str, Any]] = ()) -> pd.DataFrame:
    """Return a table of problems from its rows."""
    told = list(rows)
    return _table({column: [row.get(column) for row in told] for column in PROBLEM_COLUMNS})


def _table(columns: Mapping[str, Sequence[Any]]) -> pd.DataFrame:
    # Column by column in its type: pandas takes several times as long to change it afterwards.
    typed: dict[str, Any] = {
        name: pd.array(list(columns[name]), dtype="Int64" if name == "row" else "str")
        for name in PROBLEM_COLUMNS
    }
    return pd.DataFrame(typed)


def choices_of(problems: pd.DataFrame) -> list[str]:
    """Return in a sentence each what was chosen among several layers, sheets or columns."""
    chosen = problems[problems["action"].str.startswith(CHOSEN)].drop_duplicates()
    return [
        f"{row['file']}: {row['reason']}"
        + (f" ({row['value']})" if row["value"] else "")
        + f", {row['action']}"
        for row in chosen.to_dict("records")
    ]


class ProblemList:
    """Gathers the problems of some rows, and never names a discreet one.

    Parameters
    ----------
    files, numbers
        File and number of each row.
    names
        What to call each row by.
    discreet
        Rows that are told by their number alone: problems are shown with the results.
    """

    def __init__(
        self,
        files: Sequence[str],
        numbers: Sequence[int],
        names: Sequence[str],
        discreet: NDArray[np.bool_],
    ) -> None:
        self._files = files
        self._numbers = numbers
        self._names = names
        self._discreet = discreet.tolist()
        self._columns: dict[str, list[Any]] = {column: [] for column in PROBLEM_COLUMNS}

    def add(
        self,
        at: Iterable[int] | NDArray[np.intp],
        field: str,
        values: Sequence[str] | Mapping[int, str],
        reason: str | Sequence[str],
        action: str,
    ) -> None:
        """Add one problem for each of the rows ``at``; ``values`` has the text of each row."""
        rows = np.asarray(at, dtype=np.intp).tolist()
        if not rows:
            return
        columns = self._columns
        columns["file"] += [self._files[row] for row in rows]
        columns["row"] += [self._numbers[row] for row in rows]
        columns["field"] += [field] * len(rows)
        columns["value"] += [self._value(row, values[row] if values else "") for row in rows]
        reasons = [reason] * len(rows) if isinstance(reason, str) else reason
        columns["reason"] += [
            # Behind a colon stand the words of the row.
            text.partition(":")[0] if self._discreet[row] else text
            for row, text in zip(rows, reasons, strict=True)
        ]
        columns["action"] += [action] * len(rows)

    def table(self) -> pd.DataFrame:
        """Return the problems as a table."""
        return _table(self._columns)

    def _value(self, row: int, text: str) -> str:
        if self._discreet[row]:
            return ""
        name = self._names[row]
        return (f"{name} – {text}" if name and text else name or text)[:_LONGEST_VALUE]
