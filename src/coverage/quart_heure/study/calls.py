"""The phone list: whom to ask what, those first whose answer would tell most."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from quart_heure.analysis.siting.calls import range_of
from quart_heure.study.coverage import Coverage

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["calls"]

CALL_COLUMNS = (
    *("rank", "category", "service_id", "name", "address", "postcode", "district_id", "asks"),
    *("gain_if_yes", "gain_if_no", "at_least", "at_most"),
)


def calls(coverage: Coverage, categories: Sequence[str] | None = None) -> pd.DataFrame:
    """Rank the services of which something is not known by what an answer would tell.

    Not known may be whether a place is open at all (``status``), whether it is open at the hour of
    the study (``hours``), and whether it admits the person of the study (``admission``); and, of a
    place that is listed for one of these or counts for sure, its capacity.

    Parameters
    ----------
    coverage
        At some hour or for some person, or neither: then only the status of places is asked for.
    categories
        All those of the study by default.

    Returns
    -------
    pandas.DataFrame
        Columns `CALL_COLUMNS`. People (hectares, where residents are not known) that become
        covered for sure if the answer is that the place counts, and that no longer are perhaps if
        it is not. The rank is by the sum of the two, since nobody knows the answer; of equals the
        first by category and id. A discreet place is never listed; what perhaps is covered by one
        is left aside.
    """
    basis, study = coverage.basis, coverage.study
    services = coverage.services.set_index("service_id", drop=False)
    weight = basis.people_on_network
    if basis.people is None:
        weight = np.where(basis.on_network, basis.cells.cell_ha, 0.0)
    rows: list[dict[str, Any]] = []
    for category in categories or study.categories:
        asked: list[tuple[int, str, Any]] = []
        sure: list[int] = []
        for position in basis.of_category(category).tolist():
            name = basis.services["service_id"].iloc[position]
            if basis.discreet[position]:
                # Its hours are never told, so it is sure only where no hour is asked for.
                if study.moment is None and study.person is None:
                    sure.append(position)
                continue
            service = services.loc[name]
            asks = _asks(service)
            if asks:
                asked.append((position, asks, service))
            else:
                sure.append(position)
        found = range_of(basis.reach, sure, [position for position, _, _ in asked], weight)
        for at, (_, asks, service) in enumerate(asked):
            rows.append(
                {
                    "category": category,
                    **{
                        column: str(service[column])
                        for column in ("service_id", "name", "address", "postcode", "district_id")
                    },
                    "asks": asks,
                    "gain_if_yes": found.if_yes[at],
                    "gain_if_no": found.if_no[at],
                    "at_least": found.at_least,
                    "at_most": found.at_most,
                }
            )
    table = pd.DataFrame(rows, columns=[c for c in CALL_COLUMNS if c != "rank"])
    order = {category: at for at, category in enumerate(study.categories)}
    told = table["gain_if_yes"].astype(float) + table["gain_if_no"].astype(float)
    table = (
        table.assign(told=-told, order=table["category"].map(order))
        .sort_values(["told", "order", "service_id"], kind="stable", ignore_index=True)
        .drop(columns=["told", "order"])
    )
    table.insert(0, "rank", np.arange(1, len(table) + 1))
    return table[list(CALL_COLUMNS)]


def _asks(service: Any) -> str:
    """Return what is not known of a service that counts, by ';'; "" if all is."""
    asks = []
    if service["status"] == "unknown":
        asks.append("status")
    if service.get("open_then", "") == "unknown":
        asks.append("hours")
    if bool(service.get("perhaps", False)):
        asks.append("admission")
    capacity = service.get("capacity_value", np.nan)
    if asks and not np.isfinite(float(capacity if capacity is not None else np.nan)):
        asks.append("capacity")
    return ";".join(asks)
