"""Servers of the tests that fetch, and a desk to fetch at."""

from __future__ import annotations

import types
from collections.abc import Iterator
from pathlib import Path

import pyproj
import pytest

from helpers.fake_osm import FakeOsm
from helpers.fetch_desk import Desk


@pytest.fixture
def osm() -> Iterator[FakeOsm]:
    with FakeOsm().running() as service:
        yield service


@pytest.fixture
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    # osmnx waits a second before it asks Nominatim, as its owners wish, and takes a quarter of a
    # second for each request to look up the town's UTM zone.
    zone = pyproj.CRS.from_epsg(32631)
    monkeypatch.setattr("osmnx._nominatim.time", types.SimpleNamespace(sleep=lambda _: None))
    monkeypatch.setattr("geopandas.GeoDataFrame.estimate_utm_crs", lambda *_, **__: zone)


@pytest.fixture
def desk(tmp_path: Path, osm: FakeOsm, no_pause: None) -> Desk:
    return Desk(tmp_path, osm)
