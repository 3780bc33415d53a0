"""Fragility: who depends on one single service, and what would be lost if it closed."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from quart_heure.analysis.basis import Basis
from quart_heure.analysis.shares import percent

FRAGILITY_COLUMNS = (
    *("level", "district_id", "label", "category"),
    *("single_ha", "single_pct", "residents_single", "residents_single_pct"),
)

DEPENDENCE_COLUMNS = (
    *("service_id", "category", "rank", "name", "district_id"),
    *("ha_reached", "residents_reached", "ha_only_here", "residents_only_here"),
)


def fragility_table(basis: Basis) -> pd.DataFrame:
    """Return, per category and district, what exactly one service has within the threshold.

    Parameters
    ----------
    basis
        Of an analysis.

    Returns
    -------
    pandas.DataFrame
        Columns `FRAGILITY_COLUMNS`; shares are of what is on the network. NaN without residents.
    """
    on_ha = basis.shares.of(basis.on_network)["ha"]
    blocks = []
    for category in basis.categories:
        single = basis.shares.of(basis.single[category])
        blocks.append(
            {
                "category": category,
                "single_ha": single["ha"],
                "single_pct": percent(single["ha"], on_ha),
                "residents_single": single["residents"],
                "residents_single_pct": single["residents_pct"],
            }
        )
    return basis.districts.table(blocks)[list(FRAGILITY_COLUMNS)]


def dependence_table(basis: Basis, *, hide_discreet: bool = False) -> pd.DataFrame:
    """Return, per service, what it covers, and what would be covered no more if it closed.

    Parameters
    ----------
    basis
        Of an analysis.
    hide_discreet
        Whether discreet places are left out.

    Returns
    -------
    pandas.DataFrame
        Columns `DEPENDENCE_COLUMNS`, first those of each category on which most people depend
        (most area, where residents are not known). NaN without residents.
    """
    rows = []
    people = None if basis.people is None else basis.people.astype(np.float64)
    about = basis.services[["service_id", "name", "district_id"]].to_dict("records")
    for category in basis.categories:
        single = basis.single[category]
        for service in basis.of_category(category):
            if hide_discreet and basis.discreet[service]:
                continue
            place = basis.reach.of(int(service))[0]
            place = place[basis.on_network[place]]
            alone = place[single[place]]
            rows.append(
                {
                    **about[service],
                    "category": category,
                    "ha_reached": len(place) * basis.cells.cell_ha,
                    "residents_reached": _sum(people, place),
                    "ha_only_here": len(alone) * basis.cells.cell_ha,
                    "residents_only_here": _sum(people, alone),
                }
            )
    table = pd.DataFrame(rows, columns=[c for c in DEPENDENCE_COLUMNS if c != "rank"])
    most = ["residents_only_here", "ha_only_here", "service_id"]
    order = table.sort_values(most, ascending=[False, False, True])
    order = order.assign(rank=order.groupby("category").cumcount() + 1)
    number = {category: at for at, category in enumerate(basis.categories)}
    order = order.sort_values(
        ["category", "rank"],
        key=lambda values: values.map(number) if values.name == "category" else values,
    )
    return order.reset_index(drop=True)[list(DEPENDENCE_COLUMNS)]


def _sum(people: NDArray[np.float64] | None, place: NDArray[np.integer]) -> float:
    return float("nan") if people is None else round(float(people[place].sum()), 6)
