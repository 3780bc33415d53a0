"""Gaps of a few cells laid out by hand: their median and their cause."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest

from quart_heure.analysis.answers import COMPOSITES, Answer
from quart_heure.analysis.certainty import CellCertainty, Certainty
from quart_heure.analysis.gaps import find_gaps
from quart_heure.analysis.hours import NEVER
from quart_heure.analysis.states import PERHAPS, YES
from quart_heure.analysis.statuses import STATUSES
from quart_heure.analysis.surface import Cells
from quart_heure.network.reach import Reach
from quart_heure.network.snapping import Attachment
from quart_heure.sources.hours.timeline import OPEN


def row_of_cells(n: int) -> Cells:
    """Lay cells of 100 m, of one hectare each, side by side in one district."""
    return Cells(
        cell_m=100.0,
        col=np.arange(n, dtype=np.int32),
        row=np.zeros(n, dtype=np.int32),
        district=np.zeros(n, dtype=np.int16),
        inside=np.ones(n, dtype=bool),
        water=np.zeros(n, dtype=bool),
        attachment=Attachment(
            place=np.arange(n, dtype=np.int32),
            edge=np.zeros(n, dtype=np.int32),
            offset_m=np.zeros(n),
            access_m=np.zeros(n),
            n_places=n,
        ),
    )


def gaps_of(
    minutes: Sequence[float],
    in_reach: Sequence[bool] | None = None,
    certainty: CellCertainty | None = None,
) -> pd.DataFrame:
    """Find the gaps of a row of cells beyond a threshold of 15 minutes."""
    n = len(minutes)
    status = [STATUSES.index("covered" if each <= 15 else "uncovered") for each in minutes]
    found = find_gaps(
        "esi",
        Answer(
            minutes=np.array(minutes),
            nearest=np.zeros(n, dtype=np.int32),
            status=np.array(status, dtype=np.int8),
            in_reach=np.array(in_reach or [False] * n),
        ),
        row_of_cells(n),
        certainty=certainty,
        residents=np.ones(n),
        min_gap_ha=0.5,
        district_ids=["d"],
        service_ids=["s"],
        service_names=["S"],
        street=np.zeros(n, dtype=np.int32),
        streets=["rue"],
    )
    return pd.DataFrame(found.columns)


@pytest.mark.parametrize(
    ("minutes", "middle"),
    [
        ([16.0, 30.0], 23.0),
        ([40.0, 18.0, 16.0, 30.0], 24.0),
        ([40.0, 18.0, 16.0], 18.0),
        ([10.0, 16.0, 19.0, 10.0], 17.5),  # what is covered is no part of it
    ],
)
def test_the_median_of_a_gap_lies_between_its_two_middle_cells(
    minutes: list[float], middle: float
) -> None:
    [found] = gaps_of(minutes)["minutes_median"]
    assert found == middle
    assert found == np.median([each for each in minutes if each > 15])


@pytest.mark.parametrize(
    ("near", "cause"), [(1, "too_far"), (2, "barrier"), (3, "barrier"), (0, "too_far")]
)
def test_half_of_a_gap_near_a_service_is_a_barrier(near: int, cause: str) -> None:
    [row] = gaps_of([20.0] * 4, [k < near for k in range(4)]).to_dict("records")
    assert (row["cause"], row["barrier_pct"]) == (cause, 25 * near)


def test_a_composite_is_uncertain_for_want_of_admission_as_its_categories_are() -> None:
    """Two essential places, of which one admits for sure and of the other nobody knows."""
    n = 3
    reach = Reach(
        offsets=np.array([0, 3, 6]),
        place=np.array([0, 1, 2, 0, 1, 2], dtype=np.int32),
        minutes=np.array([5.0, 5.0, 20.0, 5.0, 20.0, 20.0]),
        n_places=n,
        limit_min=20.0,
    )
    known = Certainty(
        would=np.ones(2, dtype=bool),
        state=np.full(2, OPEN, dtype=np.int8),
        opens=np.full(2, NEVER),
        admitted=np.array([YES, PERHAPS], dtype=np.int8),
    )
    sure = {"one": np.array([True, True, False]), "other": np.zeros(n, dtype=bool)}
    every, some = COMPOSITES
    covered = {**sure, every: sure["one"] & sure["other"], some: sure["one"] | sure["other"]}
    found = known.of_cells(
        np.array(["one", "other"], dtype=object),
        covered,
        essentials=["one", "other"],
        reach=reach,
        threshold_min=15.0,
    )
    # The first cell has both in reach; all that is not known is whether the second admits.
    assert found["other"].admission.tolist() == [True, False, False]
    assert found[every].admission.tolist() == [True, False, False]
    assert found[some].admission.tolist() == [False, False, False]
    causes = gaps_of([20.0] * 3, certainty=found[every]).set_index("cells")["cause"]
    assert causes.to_dict() == {1: "unknown_admission", 2: "too_far"}


def test_causes_that_lie_in_hours_part_a_gap() -> None:
    certainty = CellCertainty(
        perhaps=np.array([False, True, True, False]),
        admission=np.array([False, False, True, False]),
        any_time=np.array([True, True, True, False]),
        opens=np.full(4, NEVER),
    )
    table = gaps_of([20.0] * 4, certainty=certainty)
    assert sorted(table["cause"]) == ["closed", "too_far", "unknown_admission", "unknown_hours"]
