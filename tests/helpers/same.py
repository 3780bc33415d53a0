"""Two coverages held against each other, to the bit."""

from __future__ import annotations

import numpy as np
import pandas as pd

from quart_heure.study import Coverage

TABLES = (
    *("cells", "gaps", "gap_parts", "indicators", "composite", "services", "filters", "entries"),
    *("problems", "isochrones", "accuracy", "fragility", "dependence", "capacity", "freshness"),
)


def assert_same(one: Coverage, other: Coverage) -> None:
    """Hold all tables, answers and reaches of two coverages against each other."""
    for name in TABLES:
        a, b = (pd.DataFrame(getattr(each, name)) for each in (one, other))
        pd.testing.assert_frame_equal(a, b, check_exact=True, obj=name)
    if one.week is not None:
        assert other.week is not None
        pd.testing.assert_frame_equal(one.week.table, other.week.table, check_exact=True)
    for name, answer in one.answers.items():
        for field in ("minutes", "nearest", "status", "in_reach"):
            a, b = (getattr(each, field) for each in (answer, other.answers[name]))
            assert np.array_equal(a, b), (name, field)
    reaches = [[each.basis.reach, *each.basis.reach_elsewhere] for each in (one, other)]
    for a, b in zip(*reaches, strict=True):
        assert np.array_equal(a.offsets, b.offsets)
        assert np.array_equal(a.place, b.place)
        assert np.array_equal(a.minutes, b.minutes)
    told = [{**each.manifest, "created": ""} for each in (one, other)]
    assert told[0] == told[1]
