"""Unjudged: a category without any known place has no figures, for nobody knows what there is."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TypeVar

import pandas as pd

_T = TypeVar("_T")

_KEPT = frozenset(
    [
        *("threshold_min", "hour", "services_inside", "known", "placed", "confirmed", "undated"),
        *("area_ha", "water_ha", "off_network_ha", "on_network_ha"),
        *("residents", "residents_off_network"),
    ]
)
"""Numbers that are told of a category of which no place is known: those of the ground and of
people, and that there are no places."""


def judged(by_category: Mapping[str, _T], unjudged: Collection[str]) -> dict[str, _T]:
    """Return what belongs to the other categories and composites."""
    return {name: one for name, one in by_category.items() if name not in unjudged}


def without_figures(table: pd.DataFrame, unjudged: Collection[str]) -> pd.DataFrame:
    """Return a table of figures in which those of some categories are not known.

    Parameters
    ----------
    table
        A column category, and figures; none of its rows goes.
    unjudged
        Categories of which no place is known.

    Examples
    --------
    >>> table = pd.DataFrame({"category": ["a", "b"], "residents": [9, 9], "gaps": [0, 4]})
    >>> without_figures(table, ["a"])["gaps"].tolist()
    [<NA>, 4]
    """
    rows = table["category"].isin(list(unjudged))
    if not rows.any():
        return table
    figures = [n for n in table.select_dtypes("number").columns if n not in _KEPT]
    counts = [n for n in figures if pd.api.types.is_integer_dtype(table[n].dtype)]
    # Counts stay whole numbers, of which some are not known.
    changed = table.astype(dict.fromkeys(counts, "Int64"))
    for name in figures:
        changed[name] = changed[name].mask(rows)
    return changed
