"""Fresher facts about a place, put over the older ones by the rules of merging.

An update names the row that it is about; else the rules are those by which any two sources are
merged: the fresher row is kept, what it does not know is filled in from the other, whose source
stays with it.
"""

from __future__ import annotations

from collections.abc import Mapping

import geopandas as gpd
import numpy as np
import shapely

from quart_heure.sources.services.merging import merge_services
from quart_heure.sources.services.rows import SERVICE_COLUMNS

__all__ = ["merge_update"]

Row = Mapping[str, str]

_PLACE = ("address", "longitude", "latitude", "coord_source")
"""What says where a place is: taken from one row or the other, never mixed."""

_LEFT_BEHIND = (
    *(*_PLACE, "opening_hours", "opening_hours_text", "capacity", "capacity_value"),
    *("capacity_unit", "valid_from", "valid_to", "notes"),
)
"""What a place that moves does not take with it."""

_FOR_WHOM = ("audience", "admits", "animals", "wheelchair", "access", "operator")
_UNKNOWN = {"", "unknown"}


def merge_update(old: Row, new: Row, *, change: str) -> dict[str, str]:
    """Merge a row and its update.

    Parameters
    ----------
    old, new
        Rows of text in the same columns.
    change
        What the update is about. Of a place that has ``moved``, what the old row says of its old
        site is not filled in, and the place is called and found as the update says. One that is
        ``confirmed`` still is for whom it was.

    Returns
    -------
    dict
        The row that is left, with the other's source in ``other_sources``.
    """
    moved = change == "moved"
    known = {**old, **dict.fromkeys(_LEFT_BEHIND, "")} if moved else dict(old)
    fresh = dict(new)
    if change == "confirmed":
        fresh |= {column: "" for column in _FOR_WHOM if known[column] not in _UNKNOWN}
    kept = _merged(known, fresh)
    is_fresher = kept["source"] == fresh["source"]
    first, other = (fresh, known) if is_fresher else (known, fresh)
    placed = first if moved or first["longitude"] or not other["longitude"] else other
    called = new if moved else old
    notes = [first["notes"], f"older source: {other['notes']}" if other["notes"] else ""]
    return {
        **kept,
        **{column: placed[column] for column in _PLACE},
        **{column: called[column] for column in ("service_id", "name", "postcode")},
        "address": placed["address"] or ("" if moved else other["address"]),
        # A doubt of today is not lifted by what was certain years ago.
        "status": first["status"],
        "notes": "; ".join(note for note in notes if note),
    }


def _merged(old: Row, new: Row) -> dict[str, str]:
    """Merge as two sources of one name at one place."""
    table = gpd.GeoDataFrame(
        [
            {column: row[column] for column in SERVICE_COLUMNS}
            | {"discreet": row["discreet"] == "true", "name": old["name"]}
            | {"capacity_value": float(row["capacity_value"] or "nan")}
            for row in (old, new)
        ],
        geometry=[shapely.Point(0, 0)] * 2,
        crs=2154,
    )
    (row,) = merge_services(table)[0].to_dict("records")
    value = row["capacity_value"]
    return {
        **{column: str(row[column]) for column in SERVICE_COLUMNS},
        "discreet": "true" if row["discreet"] else "false",
        "capacity_value": "" if np.isnan(value) else f"{value:g}",
    }
