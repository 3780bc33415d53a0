"""The week: who is covered in each of its 168 hours, at the cost of the sets of open services.

Most hours of a week find the same places open. Each distinct set of open and of perhaps open
services is judged once, from the reach of each single service, and stands for all its hours.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

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

WEEK_FIGURES = (
    "at_least_pct",
    "at_most_pct",
    "residents_at_least",
    "residents_at_most",
    "residents_at_least_pct",
    "residents_at_most_pct",
)
"""What is told of each place under each set of services."""

WEEK_COLUMNS = ("category", "district_id", "hour", *WEEK_FIGURES)
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
    places
        Ids of the districts, and "" for the area.
    figures
        `WEEK_FIGURES` of each place under each set, per category; shape (sets, 6, places). Hours
        share them: written out for each hour they are many times as many.
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
    places: tuple[str, ...]
    figures: Mapping[str, NDArray[np.float64]]
    packed: Mapping[str, NDArray[np.uint8]]
    on_network: NDArray[np.bool_]

    @functools.cached_property
    def table(self) -> pd.DataFrame:
        """Columns `WEEK_COLUMNS`: shares of the area and of the residents on the network."""
        return self.rows()

    @property
    def n_rows(self) -> int:
        """How many rows the table has."""
        return len(self.categories) * len(self.places) * len(self.starts)

    def rows(self, places: Collection[str] | None = None) -> pd.DataFrame:
        """Return the rows of the table that are of some places, of all by default."""
        return pd.concat(self.by_category(places), ignore_index=True)

    def by_category(self, places: Collection[str] | None = None) -> Iterator[pd.DataFrame]:
        """Give the same rows category by category; they run by place and then by hour."""
        chosen = [k for k, place in enumerate(self.places) if places is None or place in places]
        ids = pd.Series([self.places[k] for k in chosen], dtype="str")
        for category in self.categories:
            hours = self.state_of_hour[category]
            shown = self.figures[category][:, :, chosen][hours]  # hours, figures, places
            table = pd.DataFrame({"district_id": ids.repeat(len(hours)).reset_index(drop=True)})
            table.insert(0, "category", pd.Series(category, index=table.index, dtype="str"))
            table["hour"] = np.tile(np.arange(len(hours)), len(chosen))
            for k, name in enumerate(WEEK_FIGURES):
                table[name] = shown[:, k].T.ravel()
            yield table

    def hourly(self, category: str, figure: str, place: str) -> NDArray[np.float64]:
        """Return one of `WEEK_FIGURES` of a place in each hour; shape (168,)."""
        column, at = WEEK_FIGURES.index(figure), self.places.index(place)
        shown: NDArray[np.float64] = self.figures[category][:, column, at]
        return shown[self.state_of_hour[category]]

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
    unjudged: Collection[str] = (),
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
    unjudged
        Categories of which no place is known: their figures are not.
    """
    starts = hours_of_week(day)
    states = combine_states(clock.states(services, starts), admitted[:, None])
    here = np.flatnonzero(cells.inside)
    state_of_hour: dict[str, NDArray[np.int16]] = {}
    sets: dict[str, tuple[OpenSet, ...]] = {}
    # As bits, of the cells of the area alone: some hundreds of planes are an eighth as large.
    packed: dict[str, NDArray[np.uint8]] = {}
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
        packed[category] = np.stack(
            [
                np.packbits(_planes(one, reach, threshold_min).take(here, axis=1), axis=1)
                for one in sets[category]
            ]
        )
    if essentials:
        numbers, tuples = _distinct(np.stack([state_of_hour[c] for c in essentials], axis=1))
        for composite, join in zip(COMPOSITES, (np.bitwise_and, np.bitwise_or), strict=True):
            state_of_hour[composite] = numbers
            sets[composite] = tuple(
                _union(sets[c][k] for c, k in zip(essentials, numbers_, strict=True))
                for numbers_ in tuples.tolist()
            )
            packed[composite] = np.stack(
                [
                    join.reduce([packed[c][k] for c, k in zip(essentials, each, strict=True)])
                    for each in tuples.tolist()
                ]
            )
    shares = Shares(cells, residents, districts)
    return Week(
        starts=starts,
        categories=tuple(sets),
        state_of_hour=state_of_hour,
        sets=sets,
        places=tuple(shares.ids),
        figures={
            category: _figures(each, len(here), shares, known=category not in unjudged)
            for category, each in packed.items()
        },
        packed=packed,
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


def _figures(
    packed: NDArray[np.uint8], n: int, shares: Shares, *, known: bool
) -> NDArray[np.float64]:
    """Return what each set covers of n cells, for sure and at most; shape (sets, 6, places)."""
    if not known:
        return np.full((len(packed), len(WEEK_FIGURES), len(shares.ids)), np.nan)
    figures = []
    # Many sets cover the same cells: those of a composite above all.
    shares_of: dict[bytes, dict[str, NDArray[np.float64]]] = {}
    for both in packed:
        found = {}
        for bound, bits in zip(("at_least", "at_most"), both, strict=True):
            key = bits.tobytes()
            if key not in shares_of:
                plane = np.unpackbits(bits, count=n).view(np.bool_)
                shares_of[key] = shares.of_inside(plane)
            one = shares_of[key]
            found[f"{bound}_pct"] = one["pct"]
            found[f"residents_{bound}"] = one["residents"]
            found[f"residents_{bound}_pct"] = one["residents_pct"]
        figures.append(np.stack([found[name] for name in WEEK_FIGURES]))
    return np.stack(figures)
