"""Walks from districts to single services: which of them serve a district, its neighbours' too."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from quart_heure.analysis.districts import NO_DISTRICT

if TYPE_CHECKING:
    from quart_heure.study.coverage import Coverage


def walks_to_services(coverage: Coverage) -> pd.DataFrame:
    """Find the counted services that each district reaches within the threshold.

    Discreet places are not among them.

    Returns
    -------
    pandas.DataFrame
        One row per pair within reach: service_id, district_id, minutes (from the district's
        nearest place on the network), residents (of the district within the threshold, NaN
        where they are not known), area_ha.
    """
    basis = coverage.basis
    cells = basis.cells
    shown = np.flatnonzero(~basis.services["discreet"].to_numpy(dtype=bool))
    reach = basis.reach.take(shown)
    people = np.full(len(cells), np.nan) if basis.people is None else basis.people
    pairs = pd.DataFrame(
        {
            "service": np.repeat(shown, np.diff(reach.offsets)),
            "district": cells.district[reach.place],
            "minutes": reach.minutes,
            "residents": people[reach.place],
        }
    )[cells.inside[reach.place]]
    found = pairs.groupby(["service", "district"], as_index=False).agg(
        minutes=("minutes", "min"), residents=("residents", "sum"), cells=("minutes", "size")
    )
    if basis.people is None:
        found["residents"] = np.nan
    ids = [*coverage.study.area.districts["district_id"], NO_DISTRICT]
    return pd.DataFrame(
        {
            "service_id": basis.services["service_id"].to_numpy()[found["service"]],
            "district_id": np.array(ids, dtype=object)[found["district"]],
            "minutes": found["minutes"],
            "residents": found["residents"],
            "area_ha": found["cells"] * cells.cell_ha,
        }
    )
