"""Coverages and backgrounds that the tests of several pages look at."""

from __future__ import annotations

import dataclasses
import datetime

import geopandas as gpd
import pandas as pd
import pytest
import shapely

from helpers import toy_town
from helpers.hostile import MAP_HOSTILE as HOSTILE
from helpers.town_week import town_with_hours
from quart_heure.analysis.audience import PERSONS
from quart_heure.study import Coverage, Study, analyse


@pytest.fixture(scope="module")
def background() -> gpd.GeoDataFrame:
    x, y = toy_town.ORIGIN
    return gpd.GeoDataFrame(
        {"kind": ["water", "park", "rail"], "name": ["La Rivière", HOSTILE[0], None]},
        geometry=[
            shapely.box(x, y + 850, x + 2000, y + 1050),
            shapely.box(x, y + 1300, x + 200, y + 1500),
            shapely.LineString([(x + 1500, y + 1200), (x + 1900, y + 1800)]),
        ],
        crs=toy_town.CRS,
    )


@pytest.fixture(scope="module")
def hostile_study(toy_study: Study) -> Study:
    """A town whose places, districts and streets are named by somebody unkind."""
    table = toy_study.services.table.copy()
    rows = pd.concat([table.iloc[[0]]] * len(HOSTILE), ignore_index=True)
    rows["service_id"] = [f"H{n}" for n in range(len(HOSTILE))]
    rows["name"] = rows["address"] = rows["source"] = rows["operator"] = list(HOSTILE)
    services = dataclasses.replace(
        toy_study.services, table=pd.concat([table, rows], ignore_index=True)
    )
    districts = toy_study.area.districts.assign(label=list(HOSTILE[:2]))
    network = dataclasses.replace(
        toy_study.network,
        names=tuple(
            f"{name}{HOSTILE[n % len(HOSTILE)]}" for n, name in enumerate(toy_study.network.names)
        ),
    )
    area = dataclasses.replace(toy_study.area, districts=districts, name=HOSTILE[1])
    return toy_study.replace(services=services, area=area, network=network)


@pytest.fixture(scope="module")
def asked_coverage() -> Coverage:
    """A Sunday at 11:15 for a woman: one place open, others of unknown hours or admission."""
    at = datetime.datetime(2026, 5, 3, 11, 15)
    return analyse(town_with_hours(at=at, person=PERSONS["woman"]))
