"""Hours: which services are open when one arrives, and when the others open."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from quart_heure.analysis.moment import Moment
from quart_heure.sources.hours.states import (
    Where,
    next_openings,
    opening_states,
    visit_states,
)
from quart_heure.sources.hours.syntax import UNKNOWN

NEVER = np.datetime64("9999-12-31T00:00", "m")
"""Stands for an opening that nobody knows of."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Clock:
    """How hours are read: whose holidays, whose sun, how long a visit takes.

    Parameters
    ----------
    where
        Where the area is.
    stay_min
        Minutes for which a place must stay open after one arrives.
    """

    where: Where
    stay_min: float

    def states(self, services: pd.DataFrame, moments: Sequence[dt.datetime]) -> NDArray[np.int8]:
        """Return the state of each service at each moment; shape (s, t)."""
        states = opening_states(_hours(services), moments, where=self.where, stay_min=self.stay_min)
        days = np.array([moment.date() for moment in moments], dtype="datetime64[D]")
        states[_out_of_date(services, days, days)] = UNKNOWN
        return states

    def states_then(self, services: pd.DataFrame, moment: Moment) -> NDArray[np.int8]:
        """Return the state of each service at a moment, or within its window; shape (s,)."""
        if moment.end is None:
            return self.states(services, [moment.start])[:, 0]
        states = visit_states(
            _hours(services), moment.start, moment.end, where=self.where, stay_min=self.stay_min
        )
        first, last = (np.array([m.date()], "datetime64[D]") for m in (moment.start, moment.end))
        states[_out_of_date(services, first, last)[:, 0]] = UNKNOWN
        return states

    def openings(self, services: pd.DataFrame, moment: Moment) -> NDArray[np.datetime64]:
        """Return when each service next opens, `NEVER` where that is not known; shape (s,)."""
        found = next_openings(
            _hours(services), moment.start, where=self.where, stay_min=self.stay_min
        )
        opens = np.array([NEVER if at is None else np.datetime64(at, "m") for at in found])
        return opens.astype("datetime64[m]")


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
