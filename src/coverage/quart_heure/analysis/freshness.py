"""Freshness: how old the facts are that the figures rest on, and what is left of them without.

A place is confirmed when a source of the last 24 months states it and leaves no doubt whether it
is there. A place that is known and cannot be placed counts nowhere, and is counted here.
"""

from __future__ import annotations

import dataclasses
import datetime
from collections import Counter
from collections.abc import Collection, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from quart_heure.analysis.answers import COMPOSITES
from quart_heure.analysis.basis import Basis
from quart_heure.analysis.placement import ENDED, NOT_BEGUN, OUTSIDE
from quart_heure.analysis.shares import percent
from quart_heure.sources.services.rows import STATUSES
from quart_heure.sources.services.source_dates import months_before, said_on

RECENT_MONTHS = 24
"""A source that is older confirms nothing."""

FRESHNESS_COLUMNS = (
    *("level", "district_id", "label", "category", "since"),
    *("known", "placed", "confirmed", "confirmed_pct", "undated"),
    *("confirmed_covered_pct", "residents_confirmed_covered", "residents_confirmed_covered_pct"),
)

UNPLACED_COLUMNS = (
    *("service_id", "category", "name", "address", "postcode", "status", "access"),
    *("would_count", "source", "source_date"),
)

_TOLD = ("category", "district_id", "source_date", "status")
"""Columns of services that freshness is told by."""


def recent_since(day: datetime.date) -> datetime.date:
    """Return the first day whose sources are recent on a day."""
    return months_before(day, RECENT_MONTHS)


def confirmed(
    services: pd.DataFrame, *, since: datetime.date, until: datetime.date
) -> NDArray[np.bool_]:
    """Tell which places a recent source states without a doubt.

    Parameters
    ----------
    services
        Columns source_date and status; without them nothing is confirmed.
    since, until
        First and last day of what is recent: a date to come is a mistake and confirms nothing.
    """
    if not {"source_date", "status"} <= set(services.columns):
        return np.zeros(len(services), dtype=bool)
    said = [said_on(str(text)) for text in services["source_date"]]
    recent = np.array([day is not None and since <= day <= until for day in said], dtype=bool)
    sure: NDArray[np.bool_] = recent & (services["status"] != "unknown").to_numpy(dtype=bool)
    return sure


def unplaced_table(
    unplaced: pd.DataFrame,
    *,
    categories: Collection[str],
    counted_status: Collection[str],
    on: datetime.date | None,
) -> pd.DataFrame:
    """Return the places of a study that are known and not placed.

    Parameters
    ----------
    unplaced
        Columns of a table of services, without geometry.
    categories
        Of the study.
    counted_status, on
        What makes a service count, as in `quart_heure.analysis.placement.place_services`.

    Returns
    -------
    pandas.DataFrame
        Columns `UNPLACED_COLUMNS`; would_count tells which would count if they were placed.
    """
    table = unplaced[unplaced["category"].isin(list(categories))].reset_index(drop=True)
    would = table["status"].isin(list(counted_status)).to_numpy(dtype=bool, copy=True)
    if on is not None and "closed" not in counted_status:
        begins, ends = (table[name].to_numpy(dtype=object) for name in ("valid_from", "valid_to"))
        day = on.isoformat()
        would &= ((begins == "") | (begins <= day)).astype(bool)
        would &= ((ends == "") | (ends >= day)).astype(bool)
    return table.assign(would_count=would)[list(UNPLACED_COLUMNS)]


def freshness_table(
    basis: Basis,
    services: pd.DataFrame,
    unplaced: pd.DataFrame,
    *,
    essentials: Sequence[str],
    since: datetime.date,
    until: datetime.date,
) -> pd.DataFrame:
    """Return, per category or composite, how old its facts are, for the whole area and districts.

    Parameters
    ----------
    basis
        Of an analysis.
    services, unplaced
        Those of the same analysis that may be shown, and what `unplaced_table` says of the rest.
    essentials
        Categories that the composites are made of.
    since, until
        First and last day of what is recent.

    Returns
    -------
    pandas.DataFrame
        Columns `FRESHNESS_COLUMNS`. Places are those that stand (whose status and validity count),
        whatever the hour and the person asked about; which district a place without coordinates
        is in is not known, NaN. Shares are of what is on the network, covered by confirmed places
        alone, and of these by those that count for sure.
    """
    # A table of services has thirty columns and shapes: they would be copied with each part of it.
    told = [name for name in _TOLD if name in services]
    places = _Places.of(pd.DataFrame(services[told])[_stands(services)], basis, since, until)
    waiting = Counter(unplaced.loc[unplaced["would_count"].astype(bool), "category"].tolist())
    covered = _covered(basis, since=since, until=until)
    if essentials:
        stacked = [covered[category] for category in essentials]
        every, some = np.logical_and.reduce(stacked), np.logical_or.reduce(stacked)
        covered |= dict(zip(COMPOSITES, (every, some), strict=True))
    shown, blocks = basis.districts.rows(), []
    for category, cells in covered.items():
        members = list(essentials) if category in COMPOSITES else [category]
        counts = places.counts(members)
        counts["known"][-1] = counts["placed"][-1] + sum(waiting[one] for one in members)
        share = basis.shares.of(cells)
        blocks.append(
            {
                "category": category,
                "since": since.isoformat(),
                **{name: values[shown] for name, values in counts.items()},
                "confirmed_covered_pct": share["pct"],
                "residents_confirmed_covered": share["residents"],
                "residents_confirmed_covered_pct": share["residents_pct"],
            }
        )
    return basis.districts.table(blocks)[list(FRESHNESS_COLUMNS)]


def _stands(services: pd.DataFrame) -> NDArray[np.bool_]:
    """Tell which services are there to be reached, though perhaps not at the hour asked about."""
    fallen = [*STATUSES, ENDED, NOT_BEGUN, OUTSIDE]
    stands: NDArray[np.bool_] = ~services["left_out_reason"].isin(fallen).to_numpy(dtype=bool)
    return stands


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class _Places:
    """Places that stand: the category and the row of the districts of each, -1 for none; (s,)."""

    category: NDArray[np.object_]
    held: NDArray[np.intp]
    recent: NDArray[np.bool_]
    undated: NDArray[np.bool_]
    n_rows: int

    @classmethod
    def of(
        cls, standing: pd.DataFrame, basis: Basis, since: datetime.date, until: datetime.date
    ) -> _Places:
        ids = basis.districts.names["district_id"].tolist()[:-1]
        row = {name: at for at, name in enumerate(ids)}
        texts = [""] * len(standing)
        if "source_date" in standing:
            texts = standing["source_date"].tolist()
        return cls(
            category=standing["category"].to_numpy(dtype=object),
            held=np.array([row.get(one, -1) for one in standing["district_id"]], dtype=np.intp),
            recent=confirmed(standing, since=since, until=until),
            undated=np.array([said_on(str(text)) is None for text in texts], dtype=bool),
            n_rows=len(ids),
        )

    def counts(self, categories: Sequence[str]) -> dict[str, NDArray[np.float64]]:
        """Count places per row of the districts, the whole area last with those around it."""
        mine = np.isin(self.category, categories)

        def count(which: NDArray[np.bool_]) -> NDArray[np.float64]:
            # One bin more takes those that no district holds.
            inside = np.bincount(self.held[which] + 1, minlength=self.n_rows + 1)[1:]
            return np.append(inside, which.sum()).astype(np.float64)

        placed, recent = count(mine), count(mine & self.recent)
        return {
            "known": np.full(len(placed), np.nan),
            "placed": placed,
            "confirmed": recent,
            "confirmed_pct": percent(recent, placed),
            "undated": count(mine & self.undated),
        }


def _covered(
    basis: Basis, *, since: datetime.date, until: datetime.date
) -> dict[str, NDArray[np.bool_]]:
    """Return, per category, the cells within reach of a confirmed place that counts for sure."""
    sure = confirmed(basis.services, since=since, until=until) & ~basis.perhaps
    return {
        category: basis.on_network
        & (
            basis.reach.count(
                (mine := basis.of_category(category))[sure[mine]], basis.threshold_min
            )
            > 0
        )
        for category in basis.categories
    }
