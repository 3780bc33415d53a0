"""Walks from districts to single services: which of them serve a district, its neighbours' too."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from quart_heure.analysis.districts import NO_DISTRICT
from quart_heure.analysis.stored import stored_cells, stored_search_graph
from quart_heure.cache import Cache
from quart_heure.network.components import useful_edges
from quart_heure.network.reach import reach_of_services
from quart_heure.network.snapping import snap

if TYPE_CHECKING:
    from quart_heure.study import Coverage

__all__ = ["walks_to_services"]


def walks_to_services(coverage: Coverage, *, cache: Cache | None = None) -> pd.DataFrame:
    """Find the counted services that each district reaches within the threshold.

    Parameters
    ----------
    coverage
        A published coverage: discreet places are not among its services.
    cache
        Where the analysis kept the attached cells; without it they are attached again.

    Returns
    -------
    pandas.DataFrame
        One row per pair within reach: service_id, district_id, minutes (from the district's
        nearest place on the network), residents (of the district within the threshold, NaN
        where they are not known), area_ha.
    """
    study = coverage.study
    cache = cache or Cache(None)
    usable = useful_edges(study.network, study.profile)
    cells = stored_cells(
        study.area,
        study.network,
        usable=usable,
        cell_m=study.cell_m,
        snap_m=study.snap_m,
        cache=cache,
    )
    services = coverage.services[coverage.services["counted"]]
    reach = reach_of_services(
        stored_search_graph(study.network, study.profile, cache),
        snap(
            study.network,
            shapely.get_coordinates(services.geometry.to_numpy()).reshape(-1, 2),
            usable=usable,
            max_distance_m=study.snap_m,
        ),
        cells.attachment[cells.inside],
        limit_min=study.threshold_min,
    )
    ids = [*study.area.districts["district_id"], NO_DISTRICT]
    pairs = pd.DataFrame(
        {
            "service": np.repeat(np.arange(reach.n_services), np.diff(reach.offsets)),
            "district": cells.district[cells.inside][reach.place],
            "minutes": reach.minutes,
            "residents": coverage.cells["residents"].to_numpy()[reach.place],
        }
    )
    found = pairs.groupby(["service", "district"], as_index=False).agg(
        minutes=("minutes", "min"), residents=("residents", "sum"), cells=("minutes", "size")
    )
    if study.residents is None:
        found["residents"] = np.nan
    return pd.DataFrame(
        {
            "service_id": services["service_id"].to_numpy()[found["service"]],
            "district_id": np.array(ids, dtype=object)[found["district"]],
            "minutes": found["minutes"],
            "residents": found["residents"],
            "area_ha": found["cells"] * cells.cell_ha,
        }
    )
