"""Capacity: how many lockers, meals, places or cabins there are for those who live within reach.

A place with forty lockers in a dense quarter is less than forty lockers in a park. Floating
catchments share each capacity out among the residents it reaches, then add up what each cell gets.
"""

from __future__ import annotations

from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from quart_heure.analysis.basis import Basis
from quart_heure.errors import StudyFileError
from quart_heure.network.limits import within
from quart_heure.network.reach import Reach

Decay = Literal["none", "gaussian"]

DECAYS: tuple[str, ...] = get_args(Decay)
"""How a capacity loses weight with the walk to it."""

CAPACITY_COLUMNS = (
    *("level", "district_id", "label", "category", "capacity_unit", "decay"),
    *("per_1000", "capacity", "services_known", "services_unknown", "unknown_pct"),
)


def accessibility(
    reach: Reach,
    services: NDArray[np.intp],
    capacity: NDArray[np.float64],
    people: NDArray[np.float64],
    *,
    threshold_min: float,
    decay: Decay = "none",
) -> NDArray[np.float64]:
    """Return the capacity per 1,000 residents that each place has within its reach.

    Parameters
    ----------
    reach
        Places within a walk of each service, at least as long as the threshold.
    services
        Positions of some services in ``reach``.
    capacity
        Of each of them; shape (s,). NaN is not known and is left out, it is not zero.
    people
        Residents of each place; shape (n,).
    threshold_min
        Radius of the catchments, in minutes, inclusive.
    decay
        ``none``: whoever is in reach counts alike. ``gaussian``: with weight 1 at the door and 0
        at the threshold.

    Returns
    -------
    NDArray[np.float64]
        Shape (n,). Its mean weighted by people, times their number, is 1,000 times the capacities
        that somebody lives within reach of.

    Notes
    -----
    Two-step floating catchment areas (W. Luo, F. Wang, *Environment and Planning B* 30, 2003): the
    ratio of each service is its capacity over the people in its catchment; a place gets the sum of
    the ratios of the services within its reach. With ``gaussian`` both sums are weighted by
    ``(exp(-(t/T)²/2) - exp(-1/2)) / (1 - exp(-1/2))``, the continuous form of the enhanced method
    (W. Luo, Y. Qi, *Health & Place* 15, 2009; D. Dai, *Health & Place* 16, 2010).
    """
    if decay not in DECAYS:
        msg = f"There is no decay {decay!r}."
        raise StudyFileError(msg, hint=f"Choose one of {', '.join(DECAYS)}.")
    gained = np.zeros(reach.n_places)
    for service, amount in zip(services, capacity, strict=True):
        place, minutes = reach.of(int(service))
        near = within(minutes, threshold_min)
        place, weight = place[near], _weight(minutes[near] / threshold_min, decay)
        demand = float((people[place] * weight).sum())
        if np.isfinite(amount) and demand > 0:
            gained[place] += 1000 * amount / demand * weight
    return gained


def capacity_table(basis: Basis, *, decay: Decay = "none") -> pd.DataFrame:
    """Return capacities per 1,000 residents, per category, unit and district.

    Parameters
    ----------
    basis
        Of an analysis.
    decay
        See `accessibility`.

    Returns
    -------
    pandas.DataFrame
        Columns `CAPACITY_COLUMNS`. ``per_1000`` is a mean over the residents of the row that are on
        the network. ``capacity``, ``services_known`` and ``services_unknown`` are of the services
        within reach of some cell of the row, wherever they are; ``unknown_pct`` is the share of
        those services whose capacity is not known, or is in another unit. Empty where no capacity
        is known, or no residents.
    """
    if basis.people is None:
        return pd.DataFrame(columns=list(CAPACITY_COLUMNS))
    shown, blocks = basis.districts.rows(), []
    folk = basis.districts.sums(basis.on_network, basis.people_on_network)
    for category in basis.categories:
        services = basis.of_category(category)
        for unit in _units(basis, services):
            amount = _amounts(basis, services, unit)
            table = _rows(basis, services, amount, decay, folk)
            about = {"category": category, "capacity_unit": unit, "decay": decay}
            blocks.append({**about, **{name: values[shown] for name, values in table.items()}})
    if not blocks:
        return pd.DataFrame(columns=list(CAPACITY_COLUMNS))
    return basis.districts.table(blocks)[list(CAPACITY_COLUMNS)]


def capacity_of_cells(
    basis: Basis, category: str, unit: str, *, decay: Decay = "none"
) -> NDArray[np.float64]:
    """Return the capacity per 1,000 residents of each cell of the area, as in ``coverage.cells``.

    NaN off the network; see `accessibility`.
    """
    services = basis.of_category(category)
    gained = _gained(basis, services, _amounts(basis, services, unit), decay)
    gained[~basis.on_network] = np.nan
    return gained[basis.cells.inside]


def _units(basis: Basis, services: NDArray[np.intp]) -> list[str]:
    """Return the units in which some capacity of these services is known."""
    units = basis.services["capacity_unit"].to_numpy(dtype=object)[services]
    return [
        unit
        for unit in sorted({str(each) for each in units} - {""})
        if np.isfinite(_amounts(basis, services, unit)).any()
    ]


def _amounts(basis: Basis, services: NDArray[np.intp], unit: str) -> NDArray[np.float64]:
    """Return the capacities of services in one unit, NaN where not known."""
    table = basis.services.iloc[services]
    amounts = table["capacity_value"].to_numpy(dtype=np.float64)
    known = (table["capacity_unit"] == unit).to_numpy() & (amounts >= 0)
    return np.where(known, amounts, np.nan)


def _gained(
    basis: Basis, services: NDArray[np.intp], amount: NDArray[np.float64], decay: Decay
) -> NDArray[np.float64]:
    return accessibility(
        basis.reach,
        services,
        amount,
        basis.people_on_network,
        threshold_min=basis.threshold_min,
        decay=decay,
    )


def _rows(
    basis: Basis,
    services: NDArray[np.intp],
    amount: NDArray[np.float64],
    decay: Decay,
    folk: NDArray[np.float64],
) -> dict[str, NDArray[Any]]:
    """Return the figures of one category and unit, per row of the districts and its residents."""
    people = basis.people_on_network
    gained = _gained(basis, services, amount, decay)
    total = basis.districts.sums(basis.on_network, people * gained)
    reached = np.array([_rows_reached(basis, int(service)) for service in services], dtype=bool)
    reached = reached.reshape(len(services), len(folk))
    known = np.isfinite(amount)
    n_known, n_unknown = reached[known].sum(axis=0), reached[~known].sum(axis=0)
    # Where no capacity within reach is known, none is known: that is not zero.
    nothing_known = (n_known == 0) & (n_unknown > 0)
    capacity = (reached[known] * amount[known][:, None]).sum(axis=0)
    return {
        "per_1000": np.where(nothing_known, np.nan, _ratio(total, folk)),
        "capacity": np.where(nothing_known, np.nan, capacity),
        "services_known": n_known,
        "services_unknown": n_unknown,
        "unknown_pct": 100 * _ratio(n_unknown, n_known + n_unknown),
    }


def _rows_reached(basis: Basis, service: int) -> NDArray[np.bool_]:
    """Tell which rows of the districts have a cell within reach of a service."""
    place = basis.reach.of(service)[0]
    reached = np.zeros(len(basis.districts.names), dtype=bool)
    reached[basis.districts.code[place[basis.on_network[place]]]] = True
    reached[-1] = reached.any()
    return reached


def _weight(share: NDArray[np.float64], decay: Decay) -> NDArray[np.float64]:
    """Return the weight of a walk, given as a share of the threshold."""
    if decay == "none":
        return np.ones(len(share))
    end = np.exp(-0.5)
    weight: NDArray[np.float64] = (np.exp(-0.5 * np.minimum(share, 1.0) ** 2) - end) / (1 - end)
    return weight


def _ratio(part: NDArray[np.number], whole: NDArray[np.number]) -> NDArray[np.float64]:
    ratio = np.full(len(part), np.nan)
    np.divide(part, whole, out=ratio, where=whole > 0)
    return ratio
