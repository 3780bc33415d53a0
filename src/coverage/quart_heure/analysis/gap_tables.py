"""Gap tables: the gaps of all categories below one another, and what each district has of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from quart_heure.analysis.answers import Answer
from quart_heure.analysis.certainty import CellCertainty
from quart_heure.analysis.gaps import GAP_COLUMNS, GAP_PART_COLUMNS, HOUR_COLUMNS, find_gaps
from quart_heure.analysis.surface import Cells
from quart_heure.network.graph import WalkNetwork
from quart_heure.sources.areas.areas import StudyArea

if TYPE_CHECKING:
    import geopandas as gpd


def gap_tables(
    answers: Mapping[str, Answer],
    cells: Cells,
    *,
    area: StudyArea,
    network: WalkNetwork,
    services: pd.DataFrame,
    residents: NDArray[np.float64] | None,
    certainty: Mapping[str, CellCertainty] | None,
    min_gap_ha: float,
) -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
    """Return the gaps of every category and composite, and their parts by district.

    Parameters
    ----------
    answers, certainty
        Of each category and composite; certainty where a study asks about an hour or a person.
    cells, area, network
        Where it is: streets give the gaps their names.
    services
        Columns service_id and name.
    residents
        People per cell, shape (n,), or None where they are not known: they are NaN then.
    min_gap_ha
        Smaller zones are no gaps.

    Returns
    -------
    gaps, gap_parts
        Columns `quart_heure.analysis.gaps.GAP_COLUMNS`, with `HOUR_COLUMNS` where there is
        certainty, and `GAP_PART_COLUMNS`.
    """
    import geopandas as gpd  # noqa: PLC0415 - see the design: heavy imports wait

    streets, street = _street_names(network, cells)
    found = [
        find_gaps(
            category,
            one,
            cells,
            certainty=None if certainty is None else certainty[category],
            residents=np.zeros(len(cells)) if residents is None else residents,
            min_gap_ha=min_gap_ha,
            district_ids=list(area.districts["district_id"]),
            service_ids=list(services["service_id"]),
            service_names=list(services["name"]),
            street=street,
            streets=streets,
        )
        for category, one in answers.items()
    ]
    columns = GAP_COLUMNS if certainty is None else (*GAP_COLUMNS, *HOUR_COLUMNS)
    gaps = _stack([one.table for one in found], columns)
    parts = _stack([one.parts for one in found], GAP_PART_COLUMNS)
    if residents is None:
        gaps["residents"] = parts["residents"] = np.nan
    shapes = [outline for one in found for outline in one.outlines]
    return gpd.GeoDataFrame(gaps, geometry=shapes, crs=area.crs), parts


def _street_names(network: WalkNetwork, cells: Cells) -> tuple[list[str], NDArray[np.int32]]:
    """Return the street names in alphabetical order, and the one each cell meets."""
    order = sorted(range(len(network.names)), key=network.names.__getitem__)
    rank = np.empty(len(order), dtype=np.int32)
    rank[order] = np.arange(len(order), dtype=np.int32)
    street = rank[network.name_code[np.maximum(cells.attachment.nearest_edge, 0)]]
    return [network.names[name] for name in order], street


def _stack(tables: list[pd.DataFrame], columns: tuple[str, ...]) -> pd.DataFrame:
    """Put tables one below the other; empty ones would spoil the types."""
    filled = [table for table in tables if len(table)]
    return pd.concat(filled, ignore_index=True) if filled else pd.DataFrame(columns=list(columns))
