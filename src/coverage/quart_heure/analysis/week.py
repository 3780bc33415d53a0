"""The week: who is covered in each of its 168 hours, at the cost of the sets of open services.

Most hours of a week find the same places open. Each distinct set of open and of perhaps open
services is judged once, from the reach of each single service, and stands for all its hours.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from quart_heure.analysis.answers import COMPOSITES
from quart_heure.analysis.certainty import covered_by
from quart_heure.analysis.districts import Districts
from quart_heure.analysis.hours import Clock
from quart_heure.analysis.shares import Shares
from quart_heure.analysis.states import combine_states
from quart_heure.analysis.surface import Cells
from quart_heure.network.reach import Reach
from quart_heure.sources.hours.syntax import OPEN, UNKNOWN

HOURS = 7 * 24
OFF_NETWORK = -1
"""State of a cell that meets no street; the others are those of the services in its reach."""

WEEK_COLUMNS = (
    "category",
    "district_id",
    "hour",
    "at_least_pct",
    "at_most_pct",
    "residents_at_least",
    "residents_at_most",
    "residents_at_least_pct",
    "residents_at_most_pct",
)
"""Columns of the table of a week; hour 0 is Monday 00:00, ``district_id`` is "" for the area."""


@dataclasses.dataclass(frozen=True)
class OpenSet:
    """Services that are open at some hours, and those of which nobody knows.

    Parameters
    ----------
    open, unknown
        Positions in the services of the coverage, ascending.
    """

    open: tuple[int, ...]
    unknown: tuple[int, ...]


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Week:
    """Coverage in each hour of one week, for who arrives as the hour begins.

    Parameters
    ----------
    starts
        Begin of each hour by the local clock, Monday 00:00 first; 168 of them.
    categories
        Categories of the study, then composites.
    state_of_hour
        Number of the set of each hour, per category; shape (168,).
    sets
        The distinct sets, per category, by first appearance. The set of a composite holds the
        services of all its categories.
    table
        Columns `WEEK_COLUMNS`: shares of the area and of the residents on the network.
    packed
        Cells covered for sure and at most in each set, per category, as bits: shape
        (sets, 2, bytes).
    on_network
        Whether each cell of the area meets a street; shape (n,).
    """

    starts: tuple[dt.datetime, ...]
    categories: tuple[str, ...]
    state_of_hour: Mapping[str, NDArray[np.int16]]
    sets: Mapping[str, tuple[OpenSet, ...]]
    table: pd.DataFrame
    packed: Mapping[str, NDArray[np.uint8]]
    on_network: NDArray[np.bool_]

    def cell_states(self, category: str, k: int) -> NDArray[np.int8]:
        """Return the state of each cell of the area under the k-th set of a category.

        Returns
        -------
        NDArray[np.int8]
            `NO`, `PERHAPS` or `YES` of `quart_heure.analysis.states`, or `OFF_NETWORK`, in the
            order of the table of cells.
        """
        bits = np.unpackbits(self.packed[category][k], axis=1, count=len(self.on_network))
        states: NDArray[np.int8] = bits.astype(np.int8).sum(axis=0, dtype=np.int8)
        states[~self.on_network] = OFF_NETWORK
        return states

    def without(self, positions: Iterable[int]) -> Week:
        """Return the same week with some services out of its sets, and the others renumbered."""
        gone = frozenset(positions)

        def left(services: tuple[int, ...]) -> tuple[int, ...]:
            return tuple(s - sum(g < s for g in gone) for s in services if s not in gone)

        sets = {
            category: tuple(OpenSet(left(one.open), left(one.unknown)) for one in each)
            for category, each in self.sets.items()
        }
        return dataclasses.replace(self, sets=sets)


def hours_of_week(day: dt.date) -> tuple[dt.datetime, ...]:
    """Return the 168 hours of the week that holds a day, Monday 00:00 first."""
    monday = dt.datetime.combine(day - dt.timedelta(days=day.weekday()), dt.time())
    return tuple(monday + dt.timedelta(hours=hour) for hour in range(HOURS))


def judge_week(
    day: dt.date,
    services: pd.DataFrame,
    *,
    clock: Clock,
    would: NDArray[np.bool_],
    admitted: NDArray[np.int8],
    categories: Sequence[str],
    essentials: Sequence[str],
    reach: Reach,
    cells: Cells,
    threshold_min: float,
    residents: NDArray[np.float64] | None,
    districts: Districts,
) -> Week:
    """Judge every hour of the week that holds a day.

    Parameters
    ----------
    services, clock
        All services, and how their hours are read.
    would, admitted
        Services that count whatever the hour, and whether each admits the person asked for;
        shapes (s,).
    categories
        Of the study.
    essentials
        Categories that the composites are made of.
    reach
        Minutes from the cells to each service, at least up to the threshold.
    cells
        The grid.
    threshold_min
        Minutes within which a place is covered.
    residents
        People per cell, or None.
    districts
        Of the cells.
    """
    starts = hours_of_week(day)
    states = combine_states(clock.states(services, starts), admitted[:, None])
    here = np.flatnonzero(cells.inside)
    state_of_hour: dict[str, NDArray[np.int16]] = {}
    sets: dict[str, tuple[OpenSet, ...]] = {}
    covered: dict[str, NDArray[np.bool_]] = {}
    for category in categories:
        positions = np.flatnonzero(would & (services["category"] == category))
        numbers, columns = _distinct(states[positions].T)
        state_of_hour[category] = numbers
        sets[category] = tuple(
            OpenSet(
                open=tuple(positions[column == OPEN].tolist()),
                unknown=tuple(positions[column == UNKNOWN].tolist()),
            )
            for column in columns
        )
        covered[category] = np.stack([_planes(one, reach, threshold_min) for one in sets[category]])
    if essentials:
        numbers, tuples = _distinct(np.stack([state_of_hour[c] for c in essentials], axis=1))
        for composite, join in zip(COMPOSITES, (np.logical_and, np.logical_or), strict=True):
            state_of_hour[composite] = numbers
            sets[composite] = tuple(
                _union(sets[c][k] for c, k in zip(essentials, numbers_, strict=True))
                for numbers_ in tuples.tolist()
            )
            covered[composite] = np.stack(
                [
                    join.reduce([covered[c][k] for c, k in zip(essentials, each, strict=True)])
                    for each in tuples.tolist()
                ]
            )
    shares = Shares(cells, residents, districts)
    return Week(
        starts=starts,
        categories=tuple(sets),
        state_of_hour=state_of_hour,
        sets=sets,
        table=_table(state_of_hour, covered, shares),
        packed={name: np.packbits(planes[..., here], axis=2) for name, planes in covered.items()},
        on_network=cells.attachment.attached[here],
    )


def _planes(one: OpenSet, reach: Reach, threshold_min: float) -> NDArray[np.bool_]:
    """Return the cells covered for sure, and those covered at most; shape (2, n)."""
    sure = covered_by(one.open, reach, threshold_min)
    return np.stack([sure, sure | covered_by(one.unknown, reach, threshold_min)])


def _distinct(rows: NDArray[np.integer]) -> tuple[NDArray[np.int16], NDArray[np.integer]]:
    """Return the number of each row among the distinct ones, by first appearance, and those."""
    _, first, inverse = np.unique(rows, axis=0, return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty(len(order), dtype=np.int16)
    rank[order] = np.arange(len(order), dtype=np.int16)
    return rank[inverse.ravel()], rows[first[order]]


def _union(parts: Iterable[OpenSet]) -> OpenSet:
    parts = list(parts)
    return OpenSet(
        open=tuple(sorted({s for part in parts for s in part.open})),
        unknown=tuple(sorted({s for part in parts for s in part.unknown})),
    )


def _table(
    state_of_hour: Mapping[str, NDArray[np.int16]],
    covered: Mapping[str, NDArray[np.bool_]],
    shares: Shares,
) -> pd.DataFrame:
    """Look every hour up in the figures of its set; rows run by district and then by hour."""
    parts = []
    for category, planes in covered.items():
        hours = state_of_hour[category]
        figures: dict[str, list[NDArray[np.float64]]] = {}
        for both in planes:
            for bound, plane in zip(("at_least", "at_most"), both, strict=True):
                found = shares.of(plane)
                figures.setdefault(f"{bound}_pct", []).append(found["pct"])
                figures.setdefault(f"residents_{bound}", []).append(found["residents"])
                figures.setdefault(f"residents_{bound}_pct", []).append(found["residents_pct"])
        columns = {name: np.stack(rows)[hours].T.ravel() for name, rows in figures.items()}
        columns["category"] = np.full(len(hours) * len(shares.ids), category)
        columns["district_id"] = np.repeat(shares.ids, len(hours))
        columns["hour"] = np.tile(np.arange(len(hours)), len(shares.ids))
        parts.append(pd.DataFrame(columns, columns=list(WEEK_COLUMNS)))
    return pd.concat(parts, ignore_index=True)
