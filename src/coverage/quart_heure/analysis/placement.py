"""Placement: which services count, and where they meet the network."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
import shapely
from numpy.typing import NDArray

from quart_heure.analysis.stored import stored_snap
from quart_heure.cache import Cache
from quart_heure.network.graph import WalkNetwork
from quart_heure.network.snapping import SNAP_M, Attachment
from quart_heure.sources.areas.areas import StudyArea
from quart_heure.sources.background import Ground

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from quart_heure.sources.services.services import Services


OUTSIDE = "too far outside the area"
OFF_NETWORK = "no street within reach"
ENDED = "validity ended"
NOT_BEGUN = "validity not begun"


def place_services(
    services: gpd.GeoDataFrame,
    area: StudyArea,
    network: WalkNetwork,
    *,
    usable: NDArray[np.bool_],
    snap_m: float,
    margin_m: float,
    categories: Collection[str],
    counted_status: Collection[str],
    ground: Ground | None = None,
    cache: Cache | None = None,
    on: datetime.date | None = None,
) -> tuple[gpd.GeoDataFrame, Attachment]:
    """Attach services to the network and say which count, and why others do not.

    Parameters
    ----------
    services
        Table of services in the CRS of the area.
    area, network
        The study area and the walking network.
    usable
        Edges that services may enter at; shape (E,).
    snap_m
        A service further than this from every usable edge cannot be reached.
    margin_m
        A service further than this from the area is nobody's there.
    categories
        The categories of the study: other services are left out of the table.
    counted_status
        Services of these statuses count.
    ground
        What a service is not entered across.
    cache
        Keeps where they enter the network for the next run, discreet places aside.
    on
        A service whose validity has ended by this day, or not begun, is as good as closed.

    Returns
    -------
    table, attachment
        The table, ordered by service_id, with columns district_id ("" outside the area), inside,
        counted, left_out_reason ("" if counted), snap_status (ok, too_far), edge and access_m of
        the nearest entry, and entries, their number; and where each service enters the network.
    """
    here = services["category"].isin(list(categories))
    # By id, whatever the order of the rows: equally near services are told apart by it.
    table = services[here].sort_values("service_id", kind="stable", ignore_index=True)
    points = table.geometry.to_numpy()
    xy = shapely.get_coordinates(points).reshape(-1, 2)
    near = shapely.distance(points, area.geometry) <= margin_m
    attachment = Attachment.none(len(xy))
    discreet = table["discreet"].to_numpy(dtype=bool)
    # Where a discreet place meets the network is kept nowhere.
    for these, kept in ((near & ~discreet, cache or Cache(None)), (near & discreet, Cache(None))):
        if these.any():
            found = stored_snap(
                network, xy[these], usable=usable, snap_m=snap_m, ground=ground, cache=kept
            )
            attachment = attachment.updated(np.flatnonzero(these), found)
    district, inside = _districts(points, area)
    status = table["status"].to_numpy(dtype=object)
    reason = np.where(np.isin(status, list(counted_status)), "", status).astype(object)
    if on is not None and "closed" not in counted_status:
        _judge_validity(table, reason, on.isoformat())
    reason[(reason == "") & ~near] = OUTSIDE
    reason[(reason == "") & ~attachment.attached] = OFF_NETWORK
    table["district_id"] = district
    table["inside"] = inside
    table["counted"] = reason == ""
    table["left_out_reason"] = reason.astype(str)
    table["snap_status"] = np.where(attachment.attached, "ok", "too_far")
    table["edge"] = attachment.nearest_edge
    table["access_m"] = attachment.nearest_m
    table["entries"] = np.diff(attachment.begin)
    return table, attachment


def _judge_validity(table: pd.DataFrame, reason: NDArray[np.object_], day: str) -> None:
    """Give a reason to the services that are not valid on a day, as ISO 8601."""
    for column, words in (("valid_to", ENDED), ("valid_from", NOT_BEGUN)):
        if column in table:
            date = table[column].to_numpy(dtype=object)
            past = (date < day) if column == "valid_to" else (date > day)
            reason[(reason == "") & (date != "") & past.astype(bool)] = words


def placement_problems(
    table: pd.DataFrame,
    *,
    snap_m: float,
    margin_m: float,
    rows: Mapping[str, tuple[str, int]] = MappingProxyType({}),
) -> list[dict[str, object]]:
    """List services that would count if they could be placed, as rows of a table of problems.

    Parameters
    ----------
    table
        As `place_services` returns it.
    snap_m, margin_m
        As it was given them.
    rows
        File and row of each service, by service_id, where known.
    """
    details = {
        OUTSIDE: f"more than {margin_m:.0f} m outside the area",
        OFF_NETWORK: f"no useful street within {snap_m:g} m",
    }
    lost = table[table["left_out_reason"].isin(list(details))]
    return [
        {
            "file": rows.get(service_id, ("", None))[0],
            "row": rows.get(service_id, ("", None))[1],
            "field": "coordinates",
            "value": "" if discreet else f"{name} – {service_id}",
            "reason": details[reason],
            "action": "left out",
        }
        for service_id, name, discreet, reason in zip(
            lost["service_id"],
            lost["name"],
            lost["discreet"],
            lost["left_out_reason"],
            strict=True,
        )
    ]


def none_near(table: pd.DataFrame) -> list[dict[str, object]]:
    """Tell that no service counts since all that are known lie too far outside, in one row."""
    if table.empty or table["counted"].any() or not (table["left_out_reason"] == OUTSIDE).any():
        return []
    reason, action = "no service in the area or near it", "all of the area is uncovered"
    about = {"file": "", "row": None, "field": "services", "value": f"0 / {len(table)}"}
    return [{**about, "reason": reason, "action": action}]


def outside_problems(
    services: Services, area: StudyArea, *, snap_m: float, margin_m: float
) -> list[dict[str, object]]:
    """List services that lie too far outside an area to count, before any street is looked at."""
    far = shapely.distance(services.table.geometry.to_numpy(), area.geometry) > margin_m
    lost = services.table[far].assign(left_out_reason=OUTSIDE)
    return placement_problems(lost, snap_m=snap_m, margin_m=margin_m, rows=services.rows)


def short_streets(
    network: WalkNetwork, area: StudyArea, *, margin_m: float
) -> list[dict[str, object]]:
    """Tell when the streets end nearer to the area than the longest walk, as rows of problems.

    Only the bounds are compared: a coast or a border ends the streets of one side for good.
    """
    west, south, east, north = shapely.bounds(area.geometry)
    x, y = network.xy[:, 0], network.xy[:, 1]  # numpy is slow at both at once
    ends = [west - x.min(), south - y.min(), x.max() - east, y.max() - north]
    short = min(ends)
    if short >= margin_m - 2 * SNAP_M:
        return []
    return [
        {
            "file": "",
            "row": None,
            "field": "network",
            "value": f"{max(short, 0):.0f} m around the area",
            "reason": f"streets end before the longest walk of {margin_m:.0f} m",
            "action": "minutes near the boundary may be too long",
        }
    ]


def _districts(
    points: NDArray[np.object_], area: StudyArea
) -> tuple[NDArray[np.object_], NDArray[np.bool_]]:
    district = np.full(len(points), "", dtype=object)
    inside = shapely.intersects(area.geometry, points)
    shapes, ids = area.districts.geometry.to_numpy(), area.districts["district_id"].to_numpy()
    point, polygon = shapely.STRtree(shapes).query(points, predicate="intersects")
    # On a common border the first district holds it.
    order = np.lexsort((-polygon, point))
    district[point[order]] = ids[polygon[order]]
    inside[point] = True
    return district, inside
