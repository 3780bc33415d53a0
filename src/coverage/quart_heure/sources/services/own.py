"""Own columns: what a file of services tells besides what is read, kept as it stands.

Whoever keeps a list has columns of theirs: a manager, a contract, a phone. They come out in the
tables of results under names of their own, so that they never pass for columns of the schema.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from quart_heure.schema import OWN
from quart_heure.sources.problems import problem_table
from quart_heure.sources.texts import fold

MOST_OWN = 200
"""More own columns than these are not kept: a layer of SQLite holds 2,000."""

_LONGEST_NAME = 60
_AND = " ; "


def named_own(
    columns: Sequence[tuple[str, Sequence[str]]],
) -> dict[str, Sequence[str]]:
    """Return columns by the names that they have in tables: what is left of their headings.

    Parameters
    ----------
    columns
        Heading and texts of each.

    Examples
    --------
    >>> sorted(named_own([("Nom du référent", ["A"]), ("nom-du referent", ["B"]), ("", ["C"])]))
    ['own_column', 'own_nom_du_referent', 'own_nom_du_referent_2']
    """
    found: dict[str, Sequence[str]] = {}
    for heading, texts in columns:
        word = re.sub(r"[^a-z0-9]+", "_", fold(heading)).strip("_")[:_LONGEST_NAME]
        base = name = f"{OWN}{word or 'column'}"
        copy = 2
        while name in found:
            name, copy = f"{base}_{copy}", copy + 1
        found[name] = texts
    return found


def own_of(table: pd.DataFrame) -> list[str]:
    """Return the names of the own columns of a table."""
    return [str(name) for name in table.columns if str(name).startswith(OWN)]


def kept_own(table: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Keep own columns that say something, as many as may be, and tell of the others."""
    own = own_of(table)
    texts = table[own].fillna("").astype("str")
    filled = [name for name in own if (texts[name] != "").any()]
    kept, lost = filled[:MOST_OWN], filled[MOST_OWN:]
    told = {
        "file": "",
        "row": pd.NA,
        "field": "services",
        "value": f"{len(lost)} / {len(filled)}",
        "reason": f"more own columns than {MOST_OWN}",
        "action": "these columns are not kept",
    }
    return table.drop(columns=own).join(texts[kept]), problem_table([told] if lost else [])


def own_of_all(table: pd.DataFrame, same: NDArray[np.intp]) -> dict[str, list[str]]:
    """Return the own columns with what each row says and those that it stands for, each text once.

    Parameters
    ----------
    table
        The rows.
    same
        For each row the one that stands for it, -1 for those that stay.
    """
    columns = {name: table[name].tolist() for name in own_of(table)}
    for row in np.flatnonzero(same >= 0).tolist():
        first = int(same[row])
        for texts in columns.values():
            parts = [*texts[first].split(_AND), *texts[row].split(_AND)]
            texts[first] = _AND.join(dict.fromkeys(filter(None, parts)))
    return columns
