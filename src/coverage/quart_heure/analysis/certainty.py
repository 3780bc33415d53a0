"""Certainty: what is known of the services when one arrives, and what that leaves of the coverage.

Three answers for a cell: covered for sure (a service known to be open is in reach), perhaps (only
services whose hours are not known), not. For a person (see `quart_heure.analysis.audience`), a
service must be known to admit this person, too.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from quart_heure.analysis.answers import COMPOSITES
from quart_heure.analysis.hours import NEVER, Clock
from quart_heure.analysis.moment import Moment
from quart_heure.analysis.states import STATE_WORDS, combine_states
from quart_heure.network.limits import within
from quart_heure.network.reach import Reach
from quart_heure.sources.hours.syntax import CLOSED, OPEN, UNKNOWN

CLOSED_THEN = "closed then"
"""Reason of a service that would count if it were open."""


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class CellCertainty:
    """What is known of the cells of one category or composite; shapes (n,).

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
class Certainty:
    """What is known of the services at the moment and for the person asked about; shapes (s,).

    Parameters
    ----------
    would
        Services that count whatever the hour.
    state
        Closed, unknown or open then.
    opens
        When each next opens.
    admitted
        Whether it admits the person asked for: the states of `quart_heure.analysis.states`.
    """

    would: NDArray[np.bool_]
    state: NDArray[np.int8]
    opens: NDArray[np.datetime64]
    admitted: NDArray[np.int8]

    @classmethod
    def of(
        cls,
        services: pd.DataFrame,
        *,
        clock: Clock,
        moment: Moment | None,
        admitted: NDArray[np.int8],
    ) -> Certainty:
        """Tell what is known of each service; without a moment, only the person counts."""
        would = services["counted"].to_numpy(dtype=bool)
        if moment is None:
            return cls(
                would=would,
                state=np.full(len(would), OPEN, dtype=np.int8),
                opens=np.full(len(would), NEVER),
                admitted=admitted,
            )
        return cls(
            would=would,
            state=clock.states_then(services, moment),
            opens=clock.openings(services, moment),
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
    ) -> dict[str, CellCertainty]:
        """Tell what is known of the cells.

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
            name: CellCertainty(
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
            place = place[within(minutes, threshold_min)]
            opens[place] = np.minimum(opens[place], self.opens[service])
        return opens


def covered_by(
    services: Sequence[int] | NDArray[np.intp], reach: Reach, threshold_min: float
) -> NDArray[np.bool_]:
    """Tell which cells have one of some services within the threshold; shape (n,)."""
    return reach.count(np.asarray(services, dtype=np.intp), threshold_min) > 0


def closed_out(services: Any, known: Certainty) -> Any:
    """Return the services with what they are then; those closed then no longer count."""
    closed = known.would & (known.state == CLOSED)
    foreseen = (known.state != OPEN) & (known.opens < NEVER)
    return services.assign(
        counted=known.would & ~closed,
        left_out_reason=services["left_out_reason"].mask(closed, CLOSED_THEN),
        open_then=np.array(STATE_WORDS, dtype=object)[known.state],
        next_opening=np.where(foreseen, known.opens.astype(str), ""),
    )
