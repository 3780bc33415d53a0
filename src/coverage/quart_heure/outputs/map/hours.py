"""Hours of the map: what is covered at each hour of the week, packed into the page.

Cells that are covered at the same hours are of one class. A category has few classes, because
they differ only by which services are in reach: one map of classes and one short table say what
168 maps would.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from quart_heure.analysis.states import PERHAPS, YES
from quart_heure.analysis.week import WEEK_FIGURES
from quart_heure.network.ordering import numbered
from quart_heure.outputs.map.cells import Grid, deflated, packed
from quart_heure.outputs.map.data import CategoryHours, Column, CompositeHours, Ends, PackedHours
from quart_heure.outputs.map.figures import (
    DistrictSums,
    category_rows,
    column,
    number,
    shares_by_count,
)
from quart_heure.sources.hours.calendars import public_holidays
from quart_heure.sources.hours.states import Where

if TYPE_CHECKING:
    from quart_heure.analysis.week import Week
    from quart_heure.study.coverage import Coverage


HOURS_LIMIT_BYTES = 900_000
"""Hours that take more than this are left out, and the page says so."""

_STATES_IN_A_WORD = 31
"""States of two bits that a non-negative 64-bit number holds."""


def hours_shown(
    coverage: Coverage, week: Week | None, grid: Grid, places: Mapping[str, int]
) -> PackedHours | None:
    """Return the hours of the week; None without a week.

    Parameters
    ----------
    coverage
        A published coverage.
    week
        Which cells are covered at each hour.
    grid
        Where the cells lie.
    places
        Position of each service that the page shows, by its id.
    """
    if week is None:
        return None
    study = coverage.study
    # As in the tables of the page: the districts in their order, the whole area last.
    ids = category_rows(coverage, study.categories[0])["district_id"].astype(str).tolist()
    known = set(week.categories)
    timed = {category: _read(week, category) for category in study.categories if category in known}
    if not timed:
        return None
    sums = DistrictSums(coverage)
    shown = {}
    for category, one in timed.items():
        if study.residents is None:
            ends = [_area_ends(state, sums) for state in one.states]
        else:
            ends = _ends(week, category, one.numbers, ids)
        shown[category] = _packed_hours(one, ends, grid)
    size = sum(len("".join(one.classes)) + len(one.table) for one in shown.values())
    if size > HOURS_LIMIT_BYTES:
        return PackedHours(categories={}, too_large=True)
    states = _service_states(coverage, week, places)
    essentials = [timed[category] for category in study.essentials if category in timed]
    return PackedHours(
        monday=week.starts[0].date().isoformat(),
        holidays=_holidays(week, study.clock.where),
        categories=shown,
        services=packed(states),
        composite=_composite_hours(essentials, sums, n_cells=len(coverage.cells)),
    )


def _holidays(week: Week, where: Where) -> list[int]:
    """Return which days of the week are public holidays; Monday is 0."""
    days = [start.date() for start in week.starts[::24]]
    told = zip(
        range(7),
        public_holidays(days, country=where.country or "", departements=where.departements),
        strict=True,
    )
    return [day for day, holiday in told if holiday]


def _service_states(coverage: Coverage, week: Week, places: Mapping[str, int]) -> NDArray[np.uint8]:
    """Return the state of each service that the page shows at each hour; shape (s, 168).

    As of cells: 2 open, 1 perhaps, 0 closed. Places that do not count are in no set, and closed.
    """
    ids = coverage.services["service_id"].astype(str).tolist()
    states = np.zeros((len(places), len(week.starts)), dtype=np.uint8)
    for category in coverage.study.categories:
        of_hour = np.asarray(week.state_of_hour[category])
        for k, one in enumerate(week.sets[category]):
            for state, services in ((YES, one.open), (PERHAPS, one.unknown)):
                shown = [places[ids[service]] for service in services]
                states[np.ix_(shown, of_hour == k)] = state
    return states


@dataclasses.dataclass(frozen=True, eq=False)
class _Timed:
    """The distinct states of a category, and which of them each hour has."""

    states: list[NDArray[np.int8]]
    of_hour: NDArray[np.int64]
    numbers: list[int]
    """Of the sets of the week that the states are of."""


def _read(week: Week, category: str) -> _Timed:
    hours = np.asarray(week.state_of_hour[category])
    numbers, of_hour = np.unique(hours, return_inverse=True)
    states = [np.maximum(week.cell_states(category, int(k)), 0) for k in numbers]
    return _Timed(states, of_hour.ravel(), numbers.tolist())


def _packed_hours(timed: _Timed, ends: list[Ends], grid: Grid) -> CategoryHours:
    of_cell, states = _classes(timed.states)
    return CategoryHours(
        hours=timed.of_hour.tolist(),
        # The first class stands for what lies outside the area.
        classes=grid.packed_numbers(of_cell + 1),
        table=deflated(states.astype(np.uint8)),
        ends=ends,
    )


def _composite_hours(
    essentials: Sequence[_Timed], sums: DistrictSums, *, n_cells: int
) -> CompositeHours | None:
    """Return the shares by number of categories that are open for sure within reach, by hour."""
    if not essentials:
        return None
    every = np.stack([one.of_hour for one in essentials], axis=1)
    distinct, of_hour = np.unique(every, axis=0, return_inverse=True)
    shares, most = [], []
    for states in distinct.tolist():
        count = np.zeros(n_cells, dtype=np.int64)
        perhaps = np.zeros(n_cells, dtype=np.int64)
        for one, state in zip(essentials, states, strict=True):
            count += one.states[state] == YES
            perhaps |= one.states[state] > 0
        shares.append(shares_by_count(sums, count, len(essentials)))
        most.append([some for _, some in shares_by_count(sums, perhaps, 1)])
    return CompositeHours(hours=of_hour.ravel().tolist(), shares_pct=shares, any_at_most_pct=most)


def _classes(states: Sequence[NDArray[np.int8]]) -> tuple[NDArray[np.int64], NDArray[np.int8]]:
    """Return the class of each cell, shape (n,), and the states of each class, shape (c, k)."""
    every = np.stack(states, axis=1)
    classes = np.zeros(len(every), dtype=np.int64)
    for begin in range(0, every.shape[1], _STATES_IN_A_WORD):
        some = every[:, begin : begin + _STATES_IN_A_WORD].astype(np.int64)
        word = some @ (4 ** np.arange(some.shape[1], dtype=np.int64))
        _, kind = numbered(word)
        _, classes = numbered(classes * (kind.max() + 1) + kind)
    # Of cells of one class the first stands for all.
    first = np.empty(int(classes.max(initial=-1)) + 1, dtype=np.intp)
    first[classes[::-1]] = np.arange(len(classes))[::-1]
    return classes, every[first]


def _ends(week: Week, category: str, numbers: Sequence[int], ids: Sequence[str]) -> list[Ends]:
    """Return the figures of some sets: per district, the whole area last."""
    place = {name: number for number, name in enumerate(week.places)}
    order = [place[name] for name in ids]
    states = (
        dict(zip(WEEK_FIGURES, week.figures[category][k][:, order], strict=True)) for k in numbers
    )
    return [
        Ends(
            at_least_pct=column(state["residents_at_least_pct"]),
            at_most_pct=column(state["residents_at_most_pct"]),
            residents_at_least=column(state["residents_at_least"], 0),
            residents_at_most=column(state["residents_at_most"], 0),
        )
        for state in states
    ]


def _area_ends(state: NDArray[np.int8], sums: DistrictSums) -> Ends:
    """Return the same of a study without residents: shares of area, and no people."""
    shares = shares_by_count(sums, state, YES)
    unknown: Column = [None] * len(shares)
    return Ends(
        at_least_pct=[sure for _, _, sure in shares],
        at_most_pct=[
            None if sure is None else number(sure + (perhaps or 0)) for _, perhaps, sure in shares
        ],
        residents_at_least=unknown,
        residents_at_most=unknown,
    )
