"""Ranges: the second figure of a table where not all is known of the services, *at most*.

Every figure of an analysis at some hour, or for some person, is *at least*: services that are open
and admit for sure. The columns added here count those that perhaps do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from quart_heure.analysis.answers import Answer
from quart_heure.analysis.certainty import CellCertainty
from quart_heure.analysis.districts import Districts
from quart_heure.analysis.indicators import composite_table
from quart_heure.analysis.shares import Shares
from quart_heure.analysis.surface import Cells

_AMOUNTS = ("area_ha", "area_pct", "residents", "residents_pct")


def with_ranges(
    indicators: pd.DataFrame,
    composite: pd.DataFrame,
    cell_rows: pd.DataFrame,
    *,
    certainty: Mapping[str, CellCertainty],
    answers: Mapping[str, Answer],
    within: NDArray[np.int8],
    essentials: Sequence[str],
    cells: Cells,
    residents: NDArray[np.float64] | None,
    districts: Districts,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Add what is covered at most to the tables of what is covered for sure.

    Parameters
    ----------
    indicators, composite, cell_rows
        The tables.
    certainty, answers
        What is known of the cells, per category and composite.
    within
        Essential categories in reach for sure, -1 off the network; shape (n,).
    essentials
        The essential categories.
    cells, residents, districts
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
        at_most += certainty[category].perhaps
    counted = composite_table(
        cells,
        at_most,
        n_essentials=len(essentials),
        residents=residents,
        districts=districts,
    )
    shares = Shares(cells, residents, districts)
    figures = pd.concat(
        [_figures(name, shares, one, certainty[name]) for name, one in answers.items()],
        ignore_index=True,
    )
    here = np.flatnonzero(cells.inside)
    named = [c.removeprefix("status_") for c in cell_rows.columns if c.startswith("status_")]
    perhaps = {f"perhaps_{category}": certainty[category].perhaps[here] for category in named}
    return (
        indicators.merge(figures, on=["category", "district_id"], how="left", validate="1:1"),
        composite.assign(**{f"{name}_at_most": counted[name].to_numpy() for name in _AMOUNTS}),
        cell_rows.assign(**perhaps, essentials_at_most=at_most[here]),
    )


def _figures(name: str, shares: Shares, one: Answer, certainty: CellCertainty) -> pd.DataFrame:
    found = shares.of(one.covered | certainty.perhaps)
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
