"""Figures that runs are compared by, one a row, rounded as the files have them."""

from __future__ import annotations

import pandas as pd

from quart_heure.schema import table_columns

KEYS = ("level", "district_id", "category", "measure")
"""What a figure is called by."""

MEASURES = (
    *("covered_pct", "residents_covered_pct", "covered_ha", "residents_covered"),
    *("services_inside", "gaps"),
)
"""Columns of the indicators that are compared."""


def figures_of(indicators: pd.DataFrame) -> pd.DataFrame:
    """Return the figures of a table of indicators: `KEYS` and ``value``.

    They are rounded as in the files, so that what is computed now and what is read compare.
    """
    decimals = {column.name: column.decimals for column in table_columns("indicators")}
    tables = []
    for measure in MEASURES:
        values = indicators[measure].astype(float)
        places = decimals[measure]
        # As text, the way files round: half to even of the decimal number that is meant.
        rounded = values if places is None else values.map(f"{{:.{places}f}}".format).astype(float)
        rows = indicators[["level", "district_id", "category"]].astype("str")
        tables.append(rows.assign(measure=measure, value=rounded.to_numpy()))
    return pd.concat(tables, ignore_index=True)
