"""Closures: which services closing together hurt most, and what hangs on one building."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from quart_heure.analysis.closures import (
    Dependants,
    buildings_of,
    lost_with,
    weights_of,
)
from quart_heure.errors import StudyFileError
from quart_heure.study.coverage import Coverage
from quart_heure.study.siting import check_category

__all__ = ["Closures", "check_closures", "shared_buildings", "worst_closures"]

CLOSURE_COLUMNS = (
    *("rank", "category", "services", "names", "district_ids"),
    *("residents_lost", "ha_lost", "lost_pct", "alone", "together"),
)
"""Columns of the closures that hurt most."""

BUILDING_COLUMNS = (
    *("rank", "categories", "services", "names", "district_id", "street"),
    *("residents_lost", "ha_lost", "residents_lost_several"),
)
"""Columns of the buildings that hold several services."""

MOST_COUNT, MOST_LISTED = 20, 1000
"""How many services close, and how many sets are listed, at most."""


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Closures:
    """The closures of services of one category that hurt most.

    Parameters
    ----------
    coverage
        Of what.
    category, count
        So many services of this category close together.
    table
        Columns `CLOSURE_COLUMNS`; ``alone`` and ``together`` are of residents, or of hectares
        where residents are not known: what is lost if each closed and the others did not, and what
        comes on top of that because all close. Shares are of what the category covers today.
    bound
        No other set of so many services loses more than this, in residents or hectares.
    proven
        Whether no set that is not in the table loses more than those in it.
    """

    coverage: Coverage
    category: str
    count: int
    table: pd.DataFrame
    bound: float
    proven: bool


def worst_closures(
    coverage: Coverage, category: str, *, count: int = 2, listed: int = 10
) -> Closures:
    """Find the services of a category that hurt most if they close together.

    Parameters
    ----------
    coverage
        What an analysis found.
    category
        One of its categories.
    count
        How many close: proven up to `quart_heure.analysis.closures.EXACT_COUNT`; beyond, with a
        bound where the search does not come to its end.
    listed
        How many sets to list.

    Raises
    ------
    StudyFileError
        If the category is not one of the study, or a number cannot be.
    """
    check_category(coverage.study, category)
    check_closures(count, listed)
    basis = coverage.basis
    found = Dependants.of(basis, category, most=count)
    worst = found.worst(count, listed=listed)
    covered = basis.on_network & (
        basis.reach.count(_sure(coverage, category), basis.threshold_min) > 0
    )
    today = float(weights_of(basis)[covered].sum())
    rows = []
    for members, lost in zip(worst.sets, worst.lost, strict=True):
        services = found.services[list(members)]
        about = basis.services.iloc[services]
        alone = sum(found.lost([member]) for member in members)
        gone = lost_with(basis, services, category)
        rows.append(
            {
                "category": category,
                "services": ";".join(about["service_id"]),
                "names": "; ".join(_named(about)),
                "district_ids": ";".join(about["district_id"]),
                "residents_lost": np.nan if basis.people is None else lost,
                "ha_lost": float(gone.sum()) * basis.cells.cell_ha,
                "lost_pct": 100 * lost / today if today > 0 else np.nan,
                "alone": alone,
                "together": max(lost - alone, 0.0),
            }
        )
    table = pd.DataFrame(rows, columns=[name for name in CLOSURE_COLUMNS if name != "rank"])
    table.insert(0, "rank", np.arange(1, len(table) + 1))
    return Closures(
        coverage=coverage,
        category=category,
        count=count,
        table=table[list(CLOSURE_COLUMNS)],
        bound=worst.bound,
        proven=worst.proven,
    )


def check_closures(count: int, listed: int) -> None:
    """Refuse numbers that cannot be.

    Raises
    ------
    StudyFileError
        See `worst_closures`.
    """
    for what, number, most in (
        ("services to close", count, MOST_COUNT),
        ("combinations to list", listed, MOST_LISTED),
    ):
        if not 1 <= number <= most:
            msg = f"The number of {what} is {number}."
            raise StudyFileError(msg, hint=f"Give a number from 1 to {most}.")


def shared_buildings(coverage: Coverage) -> pd.DataFrame:
    """List the buildings that hold services of several categories, and what closes with each.

    Returns
    -------
    pandas.DataFrame
        Columns `BUILDING_COLUMNS`: residents (NaN where not known) and hectares that lose at least
        one category within the threshold if the building closes, and residents that lose several;
        those that cost most first. The places of a building are within
        `quart_heure.analysis.closures.BUILDING_M` of one another, directly or by way of others.
    """
    basis, network = coverage.basis, coverage.study.network
    rows = []
    for services in buildings_of(basis):
        about = basis.services.iloc[services]
        categories = [c for c in basis.categories if (about["category"] == c).any()]
        if len(categories) < 2:
            continue
        each = [lost_with(basis, services, category) for category in categories]
        lost = np.sum(each, axis=0, dtype=np.int8)
        edge = basis.doors.at(basis.xy[services[:1]]).nearest_edge[0]
        people = basis.people_on_network
        known = basis.people is not None
        rows.append(
            {
                "categories": ";".join(categories),
                "services": ";".join(about["service_id"]),
                "names": "; ".join(dict.fromkeys(_named(about))),
                "district_id": str(about["district_id"].iat[0]),
                "street": network.names[network.name_code[edge]] if edge >= 0 else "",
                "residents_lost": float(people[lost > 0].sum()) if known else np.nan,
                "ha_lost": float((lost > 0).sum()) * basis.cells.cell_ha,
                "residents_lost_several": float(people[lost > 1].sum()) if known else np.nan,
            }
        )
    table = pd.DataFrame(rows, columns=[name for name in BUILDING_COLUMNS if name != "rank"])
    table = table.sort_values(
        ["residents_lost", "ha_lost", "services"],
        ascending=[False, False, True],
        ignore_index=True,
    )
    table.insert(0, "rank", np.arange(1, len(table) + 1))
    return table[list(BUILDING_COLUMNS)]


def _sure(coverage: Coverage, category: str) -> NDArray[np.intp]:
    mine = coverage.basis.of_category(category)
    return mine[~coverage.basis.perhaps[mine]]


def _named(about: pd.DataFrame) -> list[str]:
    named: list[str] = about["name"].where(about["name"] != "", about["service_id"]).tolist()
    return named
