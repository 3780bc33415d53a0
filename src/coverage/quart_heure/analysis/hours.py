"""Hours: which services are open when one arrives, and what that leaves of the coverage.

Three answers for a cell: covered for sure (a service known to be open is in reach), perhaps (only
services whose hours are not known), not. For a person (see `quart_heure.analysis.audience`), a
service must be known to admit this person, too.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from quart_heure.analysis.answers import COMPOSITES
from quart_heure.analysis.audience import combine_states
from quart_heure.analysis.moment import Moment
from quart_heure.network.reach import Reach
from quart_heure.sources.opening_hours import (
    CLOSED,
    OPEN,
    UNKNOWN,
    next_openings,
    opening_states,
    visit_states,
)

__all__ = [
    "CLOSED_THEN",
    "NEVER",
    "STATE_WORDS",
    "ByHour",
    "CellHours",
    "Clock",
    "closed_out",
    "covered_by",
    "newest_source",
]

STATE_WORDS = ("closed", "unknown", "open")
"""Words of the states of a service, in the order of their codes."""

CLOSED_THEN = "closed then"
"""Reason of a service that would count if it were open."""

NEVER = np.datetime64("9999-12-31T00:00", "m")
"""Stands for an opening that nobody knows of."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Clock:
    """How hours are read: whose holidays, whose sun, how long a visit takes.

    Parameters
    ----------
    country
        ISO code, for its public holidays.
    coords
        Latitude and longitude of the area.
    stay_min
        Minutes for which a place must stay open after one arrives.
    """

    country: str
    coords: tuple[float, float]
    stay_min: float

    def states(self, services: pd.DataFrame, moments: Sequence[dt.datetime]) -> NDArray[np.int8]:
        """Return the state of each service at each moment; shape (s, t)."""
        states = opening_states(_hours(services), moments, **dataclasses.asdict(self))
        days = np.array([moment.date() for moment in moments], dtype="datetime64[D]")
        states[_out_of_date(services, days, days)] = UNKNOWN
        return states

    def states_then(self, services: pd.DataFrame, moment: Moment) -> NDArray[np.int8]:
        """Return the state of each service at a moment, or within its window; shape (s,)."""
        if moment.end is None:
            return self.states(services, [moment.start])[:, 0]
        states = visit_states(
            _hours(services), moment.start, moment.end, **dataclasses.asdict(self)
        )
        first, last = (np.array([m.date()], "datetime64[D]") for m in (moment.start, moment.end))
        states[_out_of_date(services, first, last)[:, 0]] = UNKNOWN
        return states

    def openings(self, services: pd.DataFrame, moment: Moment) -> NDArray[np.datetime64]:
        """Return when each service next opens, `NEVER` where that is not known; shape (s,)."""
        found = next_openings(_hours(services), moment.start, **dataclasses.asdict(self))
        opens = np.array([NEVER if at is None else np.datetime64(at, "m") for at in found])
        return opens.astype("datetime64[m]")


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class CellHours:
    """What hours make of the cells of one category or composite; shapes (n,).

    Parameters
    ----------
    perhaps
        Not covered for sure, but by services of which something is not known.
    admission
        Of these, where a service is open: only whether it admits the person is not known.
    any_time
        Covered if every service that counts were open.
    opens
        When the next service within the threshold opens, `NEVER` if that is not known.
    """

    perhaps: NDArray[np.bool_]
    admission: NDArray[np.bool_]
    any_time: NDArray[np.bool_]
    opens: NDArray[np.datetime64]


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class ByHour:
    """The services at the moment asked about; shapes (s,).

    Parameters
    ----------
    would
        Services that count whatever the hour.
    state
        Closed, unknown or open then.
    opens
        When each next opens.
    admitted
        Whether it admits the person asked for: the states of `quart_heure.analysis.audience`,
        which are in the same order.
    """

    would: NDArray[np.bool_]
    state: NDArray[np.int8]
    opens: NDArray[np.datetime64]
    admitted: NDArray[np.int8]

    @classmethod
    def at_any_time(cls, would: NDArray[np.bool_], admitted: NDArray[np.int8]) -> ByHour:
        """Return the services where hours play no part, and only the person counts."""
        return cls(
            would=would,
            state=np.full(len(would), OPEN, dtype=np.int8),
            opens=np.full(len(would), NEVER),
            admitted=admitted,
        )

    @property
    def answer(self) -> NDArray[np.int8]:
        """Hours and admission together: the lesser of the two."""
        return combine_states(self.state, self.admitted)

    @property
    def sure(self) -> NDArray[np.bool_]:
        """Services that count, are open and admit the person, for sure."""
        sure: NDArray[np.bool_] = self.would & (self.answer == OPEN)
        return sure

    def of_cells(
        self,
        categories: NDArray[np.object_],
        covered: Mapping[str, NDArray[np.bool_]],
        *,
        essentials: Sequence[str],
        reach: Reach,
        threshold_min: float,
    ) -> dict[str, CellHours]:
        """Tell what hours make of the cells.

        Parameters
        ----------
        categories
            Category of each service.
        covered
            Cells covered for sure, per category and composite.
        essentials
            Categories that the composites are made of.
        reach
            Minutes from the cells to each service, at least up to the threshold.
        threshold_min
            Minutes within which a place is covered.
        """
        answer = self.answer
        at_most, any_time, opens, admission = {}, {}, {}, {}
        for category in (c for c in covered if c not in COMPOSITES):
            here = self.would & (categories == category)
            unknown = np.flatnonzero(here & (answer == UNKNOWN))
            at_most[category] = covered[category] | covered_by(unknown, reach, threshold_min)
            doors = np.flatnonzero(here & (answer == UNKNOWN) & (self.state == OPEN))
            admission[category] = covered_by(doors, reach, threshold_min)
            any_time[category] = covered_by(np.flatnonzero(here), reach, threshold_min)
            opens[category] = self._openings(np.flatnonzero(here), reach, threshold_min)
        for composite, join in zip(COMPOSITES, (np.logical_and, np.logical_or), strict=True):
            if composite in covered:
                at_most[composite] = join.reduce([at_most[c] for c in essentials])
                any_time[composite] = join.reduce([any_time[c] for c in essentials])
                opens[composite] = np.full(reach.n_places, NEVER)
                admission[composite] = np.logical_or.reduce([admission[c] for c in essentials])
        return {
            name: CellHours(
                perhaps=at_most[name] & ~sure,
                admission=at_most[name] & ~sure & admission[name],
                any_time=any_time[name],
                opens=opens[name],
            )
            for name, sure in covered.items()
        }

    def _openings(
        self, services: NDArray[np.intp], reach: Reach, threshold_min: float
    ) -> NDArray[np.datetime64]:
        """Return when the first service within reach of each cell opens; shape (n,)."""
        opens = np.full(reach.n_places, NEVER)
        for service in services[self.opens[services] < NEVER]:
            place, minutes = reach.of(int(service))
            place = place[minutes <= threshold_min]
            opens[place] = np.minimum(opens[place], self.opens[service])
        return opens


def covered_by(
    services: Sequence[int] | NDArray[np.intp], reach: Reach, threshold_min: float
) -> NDArray[np.bool_]:
    """Tell which cells have one of some services within the threshold; shape (n,)."""
    return reach.count(np.asarray(services, dtype=np.intp), threshold_min) > 0


def closed_out(services: Any, hours: ByHour) -> Any:
    """Return the services with what they are then; those closed then no longer count."""
    closed = hours.would & (hours.state == CLOSED)
    known = (hours.state != OPEN) & (hours.opens < NEVER)
    return services.assign(
        counted=hours.would & ~closed,
        left_out_reason=services["left_out_reason"].mask(closed, CLOSED_THEN),
        open_then=np.array(STATE_WORDS, dtype=object)[hours.state],
        next_opening=np.where(known, hours.opens.astype(str), ""),
    )


def newest_source(services: pd.DataFrame) -> dt.date | None:
    """Return the newest day on which a source speaks, None if no source has a day."""
    days = [_day(str(text)) for text in services["source_date"]]
    return max((day for day in days if day is not None), default=None)


def _hours(services: pd.DataFrame) -> list[str]:
    """Return the hours as texts; those of a discreet place are never told: they are unknown.

    Whoever compares two hours of the results would read from them when it opens, and where it is.
    """
    texts = services["opening_hours"] if "opening_hours" in services else [""] * len(services)
    return [
        "" if discreet else str(text)
        for text, discreet in zip(texts, services["discreet"], strict=True)
    ]


def _out_of_date(
    services: pd.DataFrame, first: NDArray[np.datetime64], last: NDArray[np.datetime64]
) -> NDArray[np.bool_]:
    """Tell which rows do not hold on which days: what they say of hours is over; shape (s, t)."""
    bounds: list[NDArray[Any]] = []
    for name, blank in (("valid_from", dt.date.min), ("valid_to", dt.date.max)):
        texts = services[name] if name in services else [""] * len(services)
        days = [_day(str(text)) or blank for text in texts]
        bounds.append(np.array(days, dtype="datetime64[D]")[:, None])
    outside: NDArray[np.bool_] = (last[None, :] > bounds[1]) | (first[None, :] < bounds[0])
    return outside


def _day(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text.strip())
    except ValueError:
        return None
