"""Ranges: the second figure of a table where hours are not all known, *at most*.

Every figure of an analysis at some hour is *at least*: services that are open for sure. The
columns added here count those whose hours are not known as open.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from quart_heure.analysis.answers import Answer
from quart_heure.analysis.hours import CellHours
from quart_heure.analysis.indicators import composite_table
from quart_heure.analysis.shares import Shares
from quart_heure.analysis.surface import Cells

__all__ = ["with_ranges"]

_AMOUNTS = ("area_ha", "area_pct", "residents", "residents_pct")


def with_ranges(
    indicators: pd.DataFrame,
    composite: pd.DataFrame,
    cell_rows: pd.DataFrame,
    *,
    hours: Mapping[str, CellHours],
    answers: Mapping[str, Answer],
    within: NDArray[np.int8],
    essentials: Sequence[str],
    cells: Cells,
    residents: NDArray[np.float64] | None,
    district_ids: Sequence[str],
    district_labels: Sequence[str],
    area_label: str,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Add what is covered at most to the tables of what is covered for sure.

    Parameters
    ----------
    indicators, composite, cell_rows
        The tables.
    hours, answers
        What is known of the cells, per category and composite.
    within
        Essential categories in reach for sure, -1 off the network; shape (n,).
    essentials
        The essential categories.
    cells, residents, district_ids, district_labels, area_label
        As the tables were made from.

    Returns
    -------
    tuple
        Indicators with covered_at_most_ha, covered_at_most_pct, residents_covered_at_most and
        residents_covered_at_most_pct; composite with area_ha_at_most and its like; cells with
        perhaps_C for each category C, and essentials_at_most.
    """
    at_most = within.copy()
    for category in essentials:
        at_most += hours[category].perhaps
    counted = composite_table(
        cells=cells,
        essentials_within=at_most,
        n_essentials=len(essentials),
        residents=residents,
        district_ids=district_ids,
        district_labels=district_labels,
        area_label=area_label,
    )
    shares = Shares(cells, residents, district_ids)
    figures = pd.concat(
        [_figures(name, shares, one, hours[name]) for name, one in answers.items()],
        ignore_index=True,
    )
    here = np.flatnonzero(cells.inside)
    named = [c.removeprefix("status_") for c in cell_rows.columns if c.startswith("status_")]
    perhaps = {f"perhaps_{category}": hours[category].perhaps[here] for category in named}
    return (
        indicators.merge(figures, on=["category", "district_id"], how="left", validate="1:1"),
        composite.assign(**{f"{name}_at_most": counted[name].to_numpy() for name in _AMOUNTS}),
        cell_rows.assign(**perhaps, essentials_at_most=at_most[here]),
    )


def _figures(name: str, shares: Shares, one: Answer, hours: CellHours) -> pd.DataFrame:
    found = shares.of(one.covered | hours.perhaps)
    return pd.DataFrame(
        {
            "category": name,
            "district_id": shares.ids,
            "covered_at_most_ha": found["ha"],
            "covered_at_most_pct": found["pct"],
            "residents_covered_at_most": found["residents"],
            "residents_covered_at_most_pct": found["residents_pct"],
        }
    )
