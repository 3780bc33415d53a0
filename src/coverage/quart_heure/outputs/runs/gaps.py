"""Gaps of two runs matched by place: opened, closed, grown, shrunk."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from quart_heure.network.groups import connected_groups

GAP_COLUMNS = (
    *("category", "change", "gaps_before", "gaps_after", "district_id", "street"),
    *("area_before_ha", "area_after_ha", "residents_before", "residents_after"),
    *("opened_ha", "closed_ha"),
)
"""Columns of `match_gaps`, beside the geometry."""

CHANGES = ("opened", "closed", "grown", "shrunk", "moved", "same")

_SLIVER_M2 = 1.0
"""Shapes that share less touch at an edge, or differ by how a file rounds."""


def match_gaps(earlier: gpd.GeoDataFrame, later: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Match the gaps of two runs by the ground that they share.

    Gaps of one category that overlap, directly or by way of others, are one row: a gap that falls
    apart has one before and several after.

    Parameters
    ----------
    earlier, later
        Layers of gaps, in one CRS in metres.

    Returns
    -------
    geopandas.GeoDataFrame
        Columns `GAP_COLUMNS`; the geometry is what is a gap after, or was one where it closed.
        ``change`` is one of `CHANGES`, by area; ``moved`` has the same area elsewhere. District
        and street are those of the largest gap.
    """
    rows = []
    for category in dict.fromkeys([*earlier["category"], *later["category"]]):
        before = earlier[earlier["category"] == category].reset_index(drop=True)
        after = later[later["category"] == category].reset_index(drop=True)
        groups = _groups(before.geometry.to_numpy(), after.geometry.to_numpy())
        rows += [
            _row(
                category,
                before[groups[: len(before)] == group],
                after[groups[len(before) :] == group],
            )
            for group in np.unique(groups)
        ]
    table = gpd.GeoDataFrame(rows, columns=[*GAP_COLUMNS, "geometry"], crs=later.crs)
    order = table["change"].map({name: at for at, name in enumerate(CHANGES)})
    size = -np.maximum(table["area_before_ha"].fillna(0.0), table["area_after_ha"].fillna(0.0))
    keys = pd.DataFrame({"category": table["category"], "order": order, "size": size})
    categories = {name: at for at, name in enumerate(dict.fromkeys(table["category"]))}
    keys["category"] = keys["category"].map(categories)
    return table.loc[keys.sort_values(["category", "order", "size"]).index].reset_index(drop=True)


def _groups(before: NDArray[np.object_], after: NDArray[np.object_]) -> NDArray[np.int32]:
    """Return the number of the group that each gap is of; first those before, then those after."""
    n = len(before) + len(after)
    pairs = shapely.STRtree(after).query(before, predicate="intersects") if len(after) else None
    if pairs is None or not len(before):
        return np.arange(n, dtype=np.int32)
    one, other = pairs
    shared = shapely.area(shapely.intersection(before[one], after[other])) > _SLIVER_M2
    return connected_groups(one[shared], len(before) + other[shared], n)


def _row(category: str, before: gpd.GeoDataFrame, after: gpd.GeoDataFrame) -> list[object]:
    was, now = shapely.union_all(before.geometry), shapely.union_all(after.geometry)
    opened = shapely.area(shapely.difference(now, was)) / 10_000
    closed = shapely.area(shapely.difference(was, now)) / 10_000
    told = after if len(after) else before
    largest = told.loc[told["area_ha"].idxmax()]
    return [
        category,
        _change(len(before), len(after), opened, closed),
        ";".join(before["gap_id"]),
        ";".join(after["gap_id"]),
        largest["district_id"],
        largest["street"],
        *(round(float(side["area_ha"].sum()), 4) for side in (before, after)),
        *(round(float(side["residents"].sum(min_count=1)), 1) if len(side) else 0.0
          for side in (before, after)),
        round(opened, 4),
        round(closed, 4),
        now if len(after) else was,
    ]  # fmt: skip


def _change(n_before: int, n_after: int, opened: float, closed: float) -> str:
    least = _SLIVER_M2 / 10_000
    if not n_before:
        return "opened"
    if not n_after:
        return "closed"
    if opened <= least and closed <= least:
        return "same"
    if abs(opened - closed) <= least:
        return "moved"
    return "grown" if opened > closed else "shrunk"
