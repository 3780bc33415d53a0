"""The second weight beside the indicators: the count of each district, and one figure of it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from quart_heure.sources.residents.weights import DistrictWeights

WEIGHT_COLUMNS = ("second_weight", "second_weight_covered_pct")


def with_second_weight(indicators: pd.DataFrame, weights: DistrictWeights | None) -> pd.DataFrame:
    """Add the columns `WEIGHT_COLUMNS` to a table of indicators.

    Parameters
    ----------
    indicators
        One row per district and category, and per category for the whole area.
    weights
        The counts; without them the columns are empty.

    Notes
    -----
    ``second_weight`` is the count of the district, empty if it is not known; that of the whole area
    is the sum of the districts that have one. ``second_weight_covered_pct``, for the whole area
    alone, is the mean of their ``covered_pct``, each district weighing what it counts: it supposes
    that those counted are spread evenly over the walkable area of their district.
    """
    is_city = (indicators["level"] == "city").to_numpy()
    values = {} if weights is None else dict(weights.values)
    count = indicators["district_id"].map(values).astype(float).to_numpy(copy=True)
    share = indicators["covered_pct"].to_numpy(dtype=float)
    covered = np.full(len(indicators), np.nan)
    category = indicators["category"].to_numpy()
    for one in np.flatnonzero(is_city):
        here = ~is_city & (category == category[one]) & ~np.isnan(count)
        if here.any():
            count[one] = count[here].sum()
            judged = here & ~np.isnan(share)
            if count[judged].sum() > 0:
                covered[one] = np.average(share[judged], weights=count[judged])
    return indicators.assign(second_weight=count, second_weight_covered_pct=covered)
