"""Unjudged: a category without any known place has no figures, for nobody knows what there is."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TypeVar

import numpy as np
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
    >>> table = pd.DataFrame({"category": ["a", "b"], "residents": [9, 9], "covered_pct": [0, 40]})
    >>> without_figures(table, ["a"])["covered_pct"].tolist()
    [nan, 40.0]
    """
    rows = table["category"].isin(list(unjudged))
    if not rows.any():
        return table
    figures = [n for n in table.select_dtypes("number").columns if n not in _KEPT]
    changed = table.astype(dict.fromkeys(figures, np.float64))
    changed.loc[rows, figures] = np.nan
    return changed
