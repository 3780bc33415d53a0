"""What readers are told of discreet places: where counts leave them out, where minutes are rounded.

Both are read from what is published, so that a folder of results says what its coverage said.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from quart_heure.outputs.discretion import ROUND_MIN

_MINUTES = ("minutes_min", "minutes_median", "minutes_max")


def uncounted(indicators: pd.DataFrame, manifest: Mapping[str, Any]) -> dict[str, int]:
    """Return how many services the whole area counts and no district does, by category.

    Of a category that is in it, no district can be said to have no service.

    Parameters
    ----------
    indicators
        Of a published coverage, with all of its districts.
    manifest
        Of the same.

    Returns
    -------
    dict
        Categories and composites with at least one.
    """
    if not _hides_places(manifest):
        return {}
    # Those of the area, less those of each of its districts.
    sign = indicators["level"].map({"city": 1, "district": -1})
    signed = sign * indicators["services_inside"]
    left = signed.groupby(indicators["category"].astype(str), sort=False).sum()
    return {str(category): int(n) for category, n in left[left > 0].items()}


def rounded_categories(gaps: pd.DataFrame, manifest: Mapping[str, Any]) -> frozenset[str]:
    """Return the categories and composites whose gaps tell minutes rounded up for discretion.

    They are told by their figures, all multiples of `ROUND_MIN`: what is said of them, that the
    walk takes so many minutes at most, holds of such figures whatever made them round.
    """
    if not _hides_places(manifest):
        return frozenset()
    minutes = gaps[list(_MINUTES)].astype(float)
    known = pd.DataFrame(np.isfinite(minutes), index=gaps.index)
    round_ = ((minutes % ROUND_MIN) == 0) | ~known
    told = pd.DataFrame({"known": known.any(axis=1), "round": round_.all(axis=1)})
    found = told.groupby(gaps["category"].astype(str)).agg({"known": "any", "round": "all"})
    return frozenset(found.index[found["known"] & found["round"]])


def _hides_places(manifest: Mapping[str, Any]) -> bool:
    return int(manifest.get("withheld", {}).get("services", 0)) > 0
