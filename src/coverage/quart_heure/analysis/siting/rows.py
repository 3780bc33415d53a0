"""Rows: what keeps candidates to the rules in a linear program, and the solver of it."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quart_heure.analysis.siting.cuts import Cut
from quart_heure.analysis.siting.rules import Rules

SLACK = 1e-6
"""What a row may be broken by, in the scale of the program, before that counts."""

_MOST_SPACING_ROWS = 50


@dataclasses.dataclass(eq=False)
class Row:
    """A row of the program: columns, coefficients, upper bound, and the cut it is, if it is one."""

    columns: NDArray[np.int32]
    values: NDArray[np.float64]
    most: float
    cut: Cut | None = None
    idle: int = 0


def rule_rows(rules: Rules, candidate: NDArray[np.intp]) -> list[Row]:
    """Return the rows that keep candidates to the rules, their spacing and the floors aside.

    Parameters
    ----------
    candidate
        The candidate of each column; shape (n,).
    """
    every = np.arange(len(candidate), dtype=np.int32)
    rows = [Row(every, np.ones(len(candidate)), float(rules.count))]
    if rules.budget is not None and rules.cost is not None:
        # In shares of the budget, for the tolerances of the solver.
        unit = 1 / max(rules.budget, 1)
        cost = rules.cost[candidate] * unit
        rows.append(Row(every, cost.astype(np.float64), rules.budget * unit))
    if rules.most_per_district is not None and rules.district is not None:
        district = rules.district[candidate]
        for one in np.unique(district[district >= 0]):
            held = np.flatnonzero(district == one).astype(np.int32)
            rows.append(Row(held, np.ones(len(held)), float(rules.most_per_district)))
    return rows


def spacing_rows(rules: Rules, candidate: NDArray[np.intp], y: NDArray[np.float64]) -> list[Row]:
    """Return rows that a choice breaks on how near two candidates may be.

    Of the candidates within half the spacing of a place, a set has one at most: any two are nearer
    than the spacing. With the middle of each two that are too near as the place, no whole choice
    that breaks the rule keeps to all of these rows.

    Parameters
    ----------
    candidate
        The candidate of each column; shape (n,).
    y
        The choice, of all candidates; shape (c,).
    """
    if rules.xy is None or rules.spacing_m <= 0:
        return []
    used = np.flatnonzero(y > SLACK)
    xy, place = rules.xy[candidate], rules.xy[used]
    found: list[tuple[float, int, NDArray[np.intp]]] = []
    for at, one in enumerate(used.tolist()):
        for other in used[at + 1 :][rules.near_to(one)[used[at + 1 :]]].tolist():
            middle = (rules.xy[one] + rules.xy[other]) / 2
            near = np.hypot(*(place - middle).T) < rules.spacing_m / 2
            # Rounded, the two themselves might be missed.
            near |= (used == one) | (used == other)
            excess = float(y[used[near]].sum()) - 1
            if excess > SLACK:
                found.append((-excess, len(found), np.array([one, other])))
    found.sort(key=lambda each: each[:2])
    rows = []
    for _, _, pair in found[:_MOST_SPACING_ROWS]:
        middle = rules.xy[pair].mean(axis=0)
        near = np.hypot(*(xy - middle).T) < rules.spacing_m / 2 * (1 - 1e-9)
        near |= np.isin(candidate, pair)
        for one in pair:  # whoever is not too near one of the two is not of this row
            near &= rules.near_to(int(one))[candidate] | (candidate == one)
        columns = np.flatnonzero(near).astype(np.int32)
        rows.append(Row(columns, np.ones(len(columns)), 1.0))
    return rows


def new_solver(highspy: Any) -> Any:
    """Return a silent solver that does the same on every machine."""
    with _silence():
        solver = highspy.Highs()
    for option, value in (
        ("output_flag", False),
        ("threads", 1),
        ("random_seed", 0),
        ("mip_rel_gap", 0.0),
    ):
        solver.setOptionValue(option, value)
    solver.changeObjectiveSense(highspy.ObjSense.kMaximize)
    return solver


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Keep stdout for results: the first solver greets on it before it can be told not to."""
    sys.stdout.flush()
    kept = os.dup(1)
    try:
        with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
            os.dup2(nowhere.fileno(), 1)
            yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
