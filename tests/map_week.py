"""A week made by hand, as the map reads one: from minutes of cells and invented opening hours."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta

import numpy as np
import pandas as pd

from quart_heure.analysis.week import OpenSet, Week
from quart_heure.study import Coverage

MONDAY = datetime(2026, 11, 23)


def number_of_hour(hour: int) -> int:
    """0: closed, 1: morning, 2: afternoon, 3: Sunday."""
    day, of_day = divmod(hour, 24)
    if day == 6:
        return 3
    return 1 if 8 <= of_day < 12 else 2 if 12 <= of_day < 18 else 0


def states_of(coverage: Coverage, category: str, k: int) -> np.ndarray:
    """All places are open in the morning; the first one in the afternoon, and perhaps others."""
    cells = coverage.cells
    near = cells[f"minutes_{category}"].to_numpy() <= coverage.study.threshold_min
    names = cells[f"nearest_{category}"].astype(str).to_numpy()
    first = near & (names == min(set(names) - {""}, default=""))
    states = {
        0: np.zeros(len(cells)),
        1: np.where(near, 2, 0),
        2: np.where(first, 2, near),
        3: np.where(near, 1, 0),
    }[k]
    return np.where(cells["on_network"], states, -1).astype(np.int8)


def timed(coverage: Coverage) -> Coverage:
    """The same coverage with a week."""
    categories = coverage.study.categories
    cells = coverage.cells
    rows = []
    for category in categories:
        for hour in range(168):
            state = states_of(coverage, category, number_of_hour(hour))
            for district in [*coverage.study.area.districts["district_id"], ""]:
                here = (state >= 0) & ((cells["district_id"] == district) | (district == ""))
                people = cells["residents"].to_numpy()
                total, least, most = (people[here & (state >= n)].sum() for n in (0, 2, 1))
                rows.append(
                    {
                        "category": category,
                        "district_id": district,
                        "hour": hour,
                        "at_least_pct": 100 * least / total if total else np.nan,
                        "at_most_pct": 100 * most / total if total else np.nan,
                        "residents_at_least": least,
                        "residents_at_most": most,
                        "residents_at_least_pct": 100 * least / total if total else np.nan,
                        "residents_at_most_pct": 100 * most / total if total else np.nan,
                    }
                )
    numbers = np.array([number_of_hour(hour) for hour in range(168)], dtype=np.int16)
    week = Week(
        starts=tuple(MONDAY + timedelta(hours=hour) for hour in range(168)),
        categories=tuple(categories),
        state_of_hour=dict.fromkeys(categories, numbers),
        sets={category: (OpenSet((), ()),) * 4 for category in categories},
        table=pd.DataFrame(rows),
        packed={category: packed(coverage, category) for category in categories},
        on_network=cells["on_network"].to_numpy(),
    )
    return dataclasses.replace(coverage, week=week)


def packed(coverage: Coverage, category: str) -> np.ndarray:
    """Cells covered for sure and at most in each of the four states, as bits."""
    states = np.stack([states_of(coverage, category, k) for k in range(4)])
    return np.packbits(np.stack([states == 2, states >= 1], axis=1), axis=2)
