"""Gap tables: the gaps of all categories below one another, and what each district has of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from quart_heure.analysis.answers import COMPOSITES, Answer
from quart_heure.analysis.certainty import CellCertainty
from quart_heure.analysis.gap_barriers import NamedBarriers, cutting, lines_to_nearest
from quart_heure.analysis.gaps import (
    GAP_COLUMNS,
    GAP_PART_COLUMNS,
    HOUR_COLUMNS,
    Columns,
    Gaps,
    find_gaps,
)
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
    services: gpd.GeoDataFrame,
    residents: NDArray[np.float64] | None,
    certainty: Mapping[str, CellCertainty] | None,
    min_gap_ha: float,
    would: NDArray[np.bool_],
    essentials: Sequence[str],
    reach_m: float,
    barriers: Callable[[], NamedBarriers | None],
) -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
    """Return the gaps of every category and composite, and their parts by district.

    Parameters
    ----------
    answers, certainty
        Of each category and composite; certainty where a study asks about an hour or a person.
    cells, area, network
        Where it is: streets give the gaps their names.
    services
        Columns service_id, name, category and discreet, and where each is.
    residents
        People per cell, shape (n,), or None where they are not known: they are NaN then.
    min_gap_ha
        Smaller zones are no gaps.
    would
        Services that count whatever the hour and the person; shape (s,).
    essentials
        The categories that composites are of.
    reach_m
        Metres walked within the threshold.
    barriers
        Gives what a layer knows of barriers, None without one; asked where a gap has that cause.

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
    shown = would & ~services["discreet"].to_numpy(dtype=bool)
    known = barriers() if any("barrier" in one.columns.get("cause", ()) for one in found) else None
    if known is not None:
        xy = shapely.get_coordinates(services.geometry.to_numpy()).reshape(-1, 2)
        places = {
            category: xy[shown & (services["category"] == category).to_numpy()]
            for category in services["category"].unique()
        }
        for category, one in zip(answers, found, strict=True):
            # What is missing in a gap of a composite are the essentials that are not covered.
            of = essentials if category in COMPOSITES else [category]
            missing = [(~answers[name].covered, places[name]) for name in of if name in places]
            _name_barriers(one, cells, missing, reach_m=reach_m, barriers=known)
    columns = GAP_COLUMNS if certainty is None else (*GAP_COLUMNS, *HOUR_COLUMNS)
    gaps = _stack([one.columns for one in found], columns)
    parts = _stack([one.parts for one in found], GAP_PART_COLUMNS)
    if residents is None:
        gaps["residents"] = parts["residents"] = np.nan
    shapes = [outline for one in found for outline in one.outlines]
    return gpd.GeoDataFrame(gaps, geometry=shapes, crs=area.crs), parts


def _name_barriers(
    gaps: Gaps,
    cells: Cells,
    missing: Sequence[tuple[NDArray[np.bool_], NDArray[np.float64]]],
    *,
    reach_m: float,
    barriers: NamedBarriers,
) -> None:
    """Write what cuts each gap off into its columns, where that is its cause.

    ``missing`` has, per category, the cells that lack it, shape (n,), and where its services are,
    shape (s, 2).
    """
    cut = np.array([cause == "barrier" for cause in gaps.columns.get("cause", ())], dtype=bool)
    if not cut.any():
        return
    gap, lines = [], []
    for lacking, services_xy in missing:
        mine = np.flatnonzero(cut[gaps.gap] & lacking[gaps.members])
        place, found = lines_to_nearest(
            cells.centre_xy[gaps.members[mine]], services_xy, reach_m=reach_m
        )
        gap.append(gaps.gap[mine[place]])
        lines.append(found)
    if gap:
        gaps.columns["barrier"] = cutting(
            np.concatenate(gap), np.concatenate(lines), barriers, n_gaps=len(cut)
        )


def _street_names(network: WalkNetwork, cells: Cells) -> tuple[list[str], NDArray[np.int32]]:
    """Return the street names in alphabetical order, and the one each cell meets."""
    order = sorted(range(len(network.names)), key=network.names.__getitem__)
    rank = np.empty(len(order), dtype=np.int32)
    rank[order] = np.arange(len(order), dtype=np.int32)
    street = rank[network.name_code[np.maximum(cells.attachment.nearest_edge, 0)]]
    return [network.names[name] for name in order], street


def _stack(found: Sequence[Columns], columns: tuple[str, ...]) -> pd.DataFrame:
    """Put columns one below the other, as a table; empty ones would spoil the types."""
    filled = [one for one in found if one]
    if not filled:
        return pd.DataFrame(columns=list(columns))
    joined: Columns = {}
    for name in columns:
        parts = [one[name] for one in filled]
        if isinstance(parts[0], np.ndarray):
            joined[name] = np.concatenate(parts)
        else:
            # Texts stay in parts as in tables put together: GeoPackages are written by the part,
            # and count how often they were written.
            texts = [pd.Series(part, dtype="str") for part in parts]
            joined[name] = pd.concat(texts, ignore_index=True)
    return pd.DataFrame(joined, copy=False)
