"""A study as it would be with services opened, closed and moved."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
from shapely import Point

from quart_heure.study import Study


@dataclasses.dataclass(frozen=True, kw_only=True)
class Change:
    """A change: ``at`` is longitude and latitude."""

    kind: str
    category: str = ""
    service_id: str = ""
    at: tuple[float, float] = (0.0, 0.0)


def changed(study: Study, changes: Iterable[Change]) -> Study:
    """Return the study with all changes made."""
    table = study.services.table.copy()
    to_metres = pyproj.Transformer.from_crs(4326, study.area.crs, always_xy=True)
    for n, change in enumerate(changes):
        here = table["service_id"] == change.service_id
        point = Point(to_metres.transform(*change.at))
        if change.kind == "close":
            assert here.any()
            table = table[~here]
        elif change.kind == "move":
            assert here.any()
            table.loc[here, "geometry"] = gpd.GeoSeries([point], index=table.index[here]).array
        else:
            row = table.iloc[[0]].copy()
            row["service_id"], row["category"] = f"opened-{n}", change.category
            row["name"], row["status"], row["discreet"] = f"Opened {n}", "open", False
            for column in ("valid_from", "valid_to", "opening_hours"):
                if column in row:
                    row[column] = ""
            row["geometry"] = gpd.GeoSeries([point], index=row.index, crs=table.crs).array
            table = pd.concat([table, row], ignore_index=True)
    table = table.reset_index(drop=True)
    return study.replace(services=dataclasses.replace(study.services, table=table))


def open_categories(study: Study) -> list[str]:
    """Return the categories without a discreet place: the others cannot be changed in a page."""
    table = study.services.table
    hidden = set(table.loc[table["discreet"].astype(bool), "category"])
    return [category for category in study.categories if category not in hidden]


def some_changes(study: Study, rng: np.random.Generator, n: int) -> list[Change]:
    """Return changes of services that count, and of places within the area of the study."""
    categories = open_categories(study)
    table = study.services.table
    table = table[table["category"].isin(categories)]
    to_degrees = pyproj.Transformer.from_crs(study.area.crs, 4326, always_xy=True)
    west, south, east, north = study.area.geometry.bounds
    left = list(table.loc[table["status"] == "open", "service_id"])
    found: list[Change] = []
    while len(found) < n:
        kind = str(rng.choice(["add", "close", "move"]))
        point = Point(rng.uniform(west, east), rng.uniform(south, north))
        if kind != "close" and not study.area.geometry.contains(point):
            continue
        at = to_degrees.transform(point.x, point.y)
        category = str(rng.choice(categories))
        if kind == "add":
            found.append(Change(kind=kind, category=category, at=at))
        elif left:
            name = left.pop(int(rng.integers(len(left))))
            found.append(Change(kind=kind, service_id=name, at=at))
    return found
