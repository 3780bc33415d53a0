"""Many districts: each is looked at once, and there may not be more than their numbers hold."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely

from helpers import toy_town
from quart_heure.analysis.placement import _districts
from quart_heure.errors import GeometryError
from quart_heure.sources.areas import areas
from quart_heure.sources.areas.areas import area_from_districts

AREA = toy_town.town_area()


def grid(side: int) -> gpd.GeoDataFrame:
    x0, y0, x1, y1 = AREA.geometry.bounds
    xs, ys = np.linspace(x0, x1, side + 1), np.linspace(y0, y1, side + 1)
    west, south = (each.ravel() for each in np.meshgrid(xs[:-1], ys[:-1], indexing="ij"))
    east, north = (each.ravel() for each in np.meshgrid(xs[1:], ys[1:], indexing="ij"))
    names = [f"D{number:05}" for number in range(side**2)]
    shapes = shapely.box(west, south, east, north)
    return gpd.GeoDataFrame({"district_id": names}, geometry=shapes, crs=AREA.crs)


def test_more_districts_than_are_numbered_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert np.iinfo(np.int16).max > areas.MOST_DISTRICTS
    monkeypatch.setattr(areas, "MOST_DISTRICTS", 8)
    with pytest.raises(GeometryError, match=r"there are 9 districts\. 8 at most"):
        area_from_districts(grid(3), name="x")


def test_a_place_is_in_the_first_district_that_holds_it() -> None:
    area = area_from_districts(grid(7), name="x")
    corners = shapely.points(shapely.get_coordinates(area.districts.geometry.to_numpy()))
    outside = shapely.points([[area.geometry.bounds[0] - 5, area.geometry.bounds[1]]])
    places = np.concatenate([corners, outside])
    district, inside = _districts(places, area)
    for place, name, held in zip(places.tolist(), district.tolist(), inside.tolist(), strict=True):
        holders = area.districts[area.districts.intersects(place)]["district_id"].tolist()
        assert name == (holders[0] if holders else "")
        assert held == bool(holders)
