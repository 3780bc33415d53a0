"""Hours of the map: what is covered at each hour of the week, packed into the page.

Cells that are covered at the same hours are of one class. A category has few classes, because
they differ only by which services are in reach: one map of classes and one short table say what
168 maps would.
"""

from __future__ import annotations

import base64
import dataclasses
import zlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from quart_heure.outputs.map.cells import Grid, packed, withheld
from quart_heure.outputs.map.figures import DistrictSums, shares_by_count
from quart_heure.sources.hours.calendars import public_holidays
from quart_heure.sources.hours.states import Where

if TYPE_CHECKING:
    from quart_heure.analysis.week import OpenSet
    from quart_heure.study.coverage import Coverage


HOURS_LIMIT_BYTES = 900_000
"""Hours that take more than this are left out, and the page says so."""

_STATES_IN_A_WORD = 31
"""States of two bits that a non-negative 64-bit number holds."""

_SURE = 2
"""State of a cell that is covered by a place open for sure."""

_PERHAPS = 1

_FIGURES = (
    "residents_at_least_pct",
    "residents_at_most_pct",
    "residents_at_least",
    "residents_at_most",
)


class WeekShown(Protocol):
    """What the map reads of a week."""

    @property
    def starts(self) -> tuple[datetime, ...]:
        """The hours, Monday at midnight first."""

    @property
    def categories(self) -> tuple[str, ...]:
        """Categories and composites that have hours."""

    @property
    def state_of_hour(self) -> Mapping[str, NDArray[np.int16]]:
        """Number of the distinct state of each hour, by category."""

    @property
    def sets(self) -> Mapping[str, Sequence[OpenSet]]:
        """The open services of each distinct state, by category."""

    @property
    def table(self) -> pd.DataFrame:
        """Shares and residents by category, district and hour."""

    def cell_states(self, category: str, k: int) -> NDArray[np.int8]:
        """Return 2 for cells covered for sure, 1 for perhaps, 0 for not, -1 off the network."""


def hours_shown(
    coverage: Coverage, week: WeekShown | None, grid: Grid, places: Mapping[str, int]
) -> dict[str, Any] | None:
    """Return the hours of the week as plain data for the page; None without a week.

    Parameters
    ----------
    coverage
        A published coverage. Categories whose minutes are withheld have no hours: at an hour when
        one discreet place alone is open, they would draw a ring around it.
    week
        Which cells are covered at each hour.
    grid
        Where the cells lie.
    places
        Position of each service that the page shows, by its id.
    """
    if week is None:
        return None
    study, indicators = coverage.study, coverage.indicators
    # As in the tables of the page: the districts in their order, the whole area last.
    first = indicators["category"] == study.categories[0]
    ids = indicators.loc[first, "district_id"].astype(str).tolist()
    known = set(week.categories)
    timed = {
        category: _read(week, category)
        for category in study.categories
        if category in known and not withheld(coverage, category)
    }
    if not timed:
        return None
    sums = DistrictSums(coverage)
    shown = {}
    for category, one in timed.items():
        if study.residents is None:
            rows = [_area_rows(state, sums) for state in one.states]
        else:
            rows = _rows(week.table, category, one.first_hours, ids)
        shown[category] = {**_packed_hours(one, grid), "rows": rows}
    size = sum(len(one["classes"]) + len(one["table"]) for one in shown.values())
    if size > HOURS_LIMIT_BYTES:
        return {"too_large": True, "categories": {}}
    states = _service_states(coverage, week, places)
    essentials = [timed[category] for category in study.essentials if category in timed]
    return {
        "monday": week.starts[0].date().isoformat(),
        "holidays": _holidays(week, study.clock.where),
        "categories": shown,
        "services": packed(states),
        "composite": _composite_hours(essentials, sums, n_cells=len(coverage.cells)),
    }


def _holidays(week: WeekShown, where: Where) -> list[int]:
    """Return which days of the week are public holidays; Monday is 0."""
    days = [start.date() for start in week.starts[::24]]
    told = zip(
        range(7),
        public_holidays(days, country=where.country or "", departements=where.departements),
        strict=True,
    )
    return [day for day, holiday in told if holiday]


def _service_states(
    coverage: Coverage, week: WeekShown, places: Mapping[str, int]
) -> NDArray[np.uint8]:
    """Return the state of each service that the page shows at each hour; shape (s, 168).

    As of cells: 2 open, 1 perhaps, 0 closed. Places that do not count are in no set, and closed.
    """
    ids = coverage.services["service_id"].astype(str).tolist()
    states = np.zeros((len(places), len(week.starts)), dtype=np.uint8)
    for category in coverage.study.categories:
        of_hour = np.asarray(week.state_of_hour[category])
        for number, one in enumerate(week.sets[category]):
            for state, services in ((_SURE, one.open), (_PERHAPS, one.unknown)):
                shown = [places[ids[service]] for service in services]
                states[np.ix_(shown, of_hour == number)] = state
    return states


@dataclasses.dataclass(frozen=True, eq=False)
class _Timed:
    """The distinct states of a category, and which of them each hour has."""

    states: list[NDArray[np.int8]]
    of_hour: NDArray[np.int64]
    first_hours: list[int]


def _read(week: WeekShown, category: str) -> _Timed:
    hours = np.asarray(week.state_of_hour[category])
    numbers, first, of_hour = np.unique(hours, return_index=True, return_inverse=True)
    states = [np.maximum(week.cell_states(category, int(k)), 0) for k in numbers]
    return _Timed(states, of_hour.ravel(), first.tolist())


def _packed_hours(timed: _Timed, grid: Grid) -> dict[str, Any]:
    of_cell, states = _classes(timed.states)
    # The first class stands for what lies outside the area.
    laid = grid.lay(of_cell + 1, np.uint16)
    planes = np.stack([laid & 255, laid >> 8]).astype(np.uint8)
    return {
        "hours": timed.of_hour.tolist(),
        "states": len(timed.states),
        "classes": packed(planes),
        "table": base64.b64encode(zlib.compress(states.astype(np.uint8).tobytes(), 9)).decode(),
    }


def _composite_hours(
    essentials: Sequence[_Timed], sums: DistrictSums, *, n_cells: int
) -> dict[str, Any]:
    """Return the shares by number of categories that are open for sure within reach, by hour."""
    if not essentials:
        return {"hours": [], "rows": []}
    every = np.stack([one.of_hour for one in essentials], axis=1)
    distinct, of_hour = np.unique(every, axis=0, return_inverse=True)
    rows = []
    for states in distinct.tolist():
        count = np.zeros(n_cells, dtype=np.int8)
        for one, state in zip(essentials, states, strict=True):
            count += one.states[state] == _SURE
        rows.append(shares_by_count(sums, count, len(essentials)))
    return {"hours": of_hour.ravel().tolist(), "rows": rows}


def _classes(states: Sequence[NDArray[np.int8]]) -> tuple[NDArray[np.int64], NDArray[np.int8]]:
    """Return the class of each cell, shape (n,), and the states of each class, shape (c, k)."""
    every = np.stack(states, axis=1)
    classes = np.zeros(len(every), dtype=np.int64)
    for begin in range(0, every.shape[1], _STATES_IN_A_WORD):
        some = every[:, begin : begin + _STATES_IN_A_WORD].astype(np.int64)
        word = some @ (4 ** np.arange(some.shape[1], dtype=np.int64))
        kind = np.unique(word, return_inverse=True)[1].ravel()
        classes = np.unique(classes * (kind.max() + 1) + kind, return_inverse=True)[1].ravel()
    first = np.unique(classes, return_index=True)[1]
    return classes, every[first]


def _rows(
    table: pd.DataFrame, category: str, hours: Sequence[int], ids: Sequence[str]
) -> list[list[list[float | None]]]:
    """Return the figures of each state: per district, the whole area last."""
    rows = table[(table["category"] == category) & table["hour"].isin(hours)]
    rows = rows.astype({"district_id": str}).set_index(["hour", "district_id"])[list(_FIGURES)]
    wanted = pd.MultiIndex.from_tuples([(hour, name) for hour in hours for name in ids])
    values = rows.reindex(wanted).to_numpy(float).reshape(len(hours), len(ids), len(_FIGURES))
    return [
        [
            [None if np.isnan(x) else round(x, 1) if n < 2 else round(x) for n, x in enumerate(row)]
            for row in state.tolist()
        ]
        for state in values
    ]


def _area_rows(state: NDArray[np.int8], sums: DistrictSums) -> list[list[float | None]]:
    """Return the same of a study without residents: shares of area, and no people."""
    shares = shares_by_count(sums, state, _SURE)
    return [
        [sure, None if sure is None else round(sure + (perhaps or 0), 1), None, None]
        for _, perhaps, sure in shares
    ]
