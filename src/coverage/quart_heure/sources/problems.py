"""Problems: rows of an input that were refused or doubted, each with its reason."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["LEFT_OUT", "PROBLEM_COLUMNS", "ProblemList", "problem_table"]

PROBLEM_COLUMNS = ("file", "row", "field", "value", "reason", "action")
"""Columns of a table of problems; rows are counted from 1 below the heading."""

LEFT_OUT = "left out"
"""The action of a problem that cost a row its place in the table."""

_LONGEST_VALUE = 200


def problem_table(rows: Iterable[Mapping[str, Any]] = ()) -> pd.DataFrame:
    """Return a table of problems from its rows."""
    table = pd.DataFrame(list(rows), columns=list(PROBLEM_COLUMNS))
    table["row"] = table["row"].astype("Int64")
    for column in PROBLEM_COLUMNS:
        if column != "row":
            table[column] = table[column].astype(str)
    return table


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
        self._discreet = discreet
        self.rows: list[dict[str, Any]] = []

    def add(
        self,
        at: Iterable[int] | NDArray[np.intp],
        field: str,
        values: Sequence[str] | Mapping[int, str],
        reason: str | Sequence[str],
        action: str | Sequence[str],
    ) -> None:
        """Add one problem for each of the rows ``at``; ``values`` has the text of each row."""
        for i, row in enumerate(np.asarray(at, dtype=np.intp).tolist()):
            value = ""
            if not self._discreet[row]:
                parts = (self._names[row], values[row] if values else "")
                value = " – ".join(part for part in parts if part)[:_LONGEST_VALUE]
            self.rows.append(
                {
                    "file": self._files[row],
                    "row": self._numbers[row],
                    "field": field,
                    "value": value,
                    "reason": reason if isinstance(reason, str) else reason[i],
                    "action": action if isinstance(action, str) else action[i],
                }
            )
