"""Slopes: Tobler's formula by hand, uphill against downhill, and heights in every format."""

from __future__ import annotations

import dataclasses
import math
import random
from pathlib import Path
from typing import Any

import numpy as np
import pyproj
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers import reference, toy_town
from helpers.random_towns import PROFILES, SEEDS, attachment, random_stops, walker
from quart_heure.cache import Cache
from quart_heure.errors import CrsError, InputFileError
from quart_heure.network.graph import WalkNetwork
from quart_heure.network.reach import reach_of_services
from quart_heure.network.slopes import LEAST_EFFORT, Slopes, slopes_of, tobler_effort
from quart_heure.network.travel_time import search_graph
from quart_heure.profiles import ADULT, WalkProfile
from quart_heure.sources.heights import Heights, read_heights
from quart_heure.study import analyse

LAMBERT = pyproj.CRS.from_epsg(2154)
X0, Y0 = toy_town.ORIGIN


def tilted(slope_x: float, slope_y: float = 0.0, *, step_m: float = 50.0) -> Heights:
    """Ground that climbs evenly to the east and to the north."""
    axis = np.arange(-500, 2600, step_m)
    values = axis[None, :] * slope_x + axis[:, None] * slope_y
    return Heights(values=values, x=X0 - 500, y=Y0 - 500, step_x=step_m, step_y=step_m, crs=LAMBERT)


def one_street(points: list[tuple[float, float]], **about: Any) -> WalkNetwork:
    row = {"name": "", "kind": "path", "steps": False, "bridge": False, "tunnel": False}
    row |= {"forward": True, "backward": True, **about}
    row["geometry"] = toy_town.LineString(points)
    return WalkNetwork.from_edges(toy_town.finish_edges([row]))


def test_tobler_by_hand() -> None:
    level = 6 * math.exp(-3.5 * 0.05)
    for slope in (-0.5, -0.1, -0.05, -0.01, 0.0, 0.03, 0.3):
        speed = 6 * math.exp(-3.5 * abs(slope + 0.05))
        assert tobler_effort(np.array([slope]))[0] == pytest.approx(level / speed)
    assert tobler_effort(np.array([-0.05]))[0] == pytest.approx(LEAST_EFFORT)


def test_a_hill_is_slower_up_than_down() -> None:
    # 300 m due east on ground that climbs one metre in ten
    found = slopes_of(one_street([(0, 0), (300, 0)]), tilted(0.1))
    assert found.forward.tolist() == pytest.approx([math.exp(3.5 * 0.1)])
    assert found.backward.tolist() == pytest.approx([1.0])


def test_both_sides_of_a_hill_are_walked() -> None:
    # up one side and down the other: level from end to end, and yet not a level street
    ridge = np.abs(np.arange(-500, 2600, 50.0) - 100)
    values = np.broadcast_to(-0.2 * ridge, (62, 62)).copy()
    hill = dataclasses.replace(tilted(0), values=values)
    found = slopes_of(one_street([(0, 0), (200, 0)]), hill)
    up, down = math.exp(3.5 * 0.2), math.exp(3.5 * 0.1)
    assert found.forward.tolist() == pytest.approx([(up + down) / 2])
    assert found.backward.tolist() == pytest.approx([(up + down) / 2])
    for about in ({"bridge": True}, {"tunnel": True}):
        crossing = slopes_of(one_street([(0, 0), (200, 0)], **about), hill)
        assert crossing.forward.tolist() == pytest.approx([1.0])


def test_steps_and_unknown_ground_are_level() -> None:
    steps = slopes_of(one_street([(0, 0), (100, 0)], steps=True), tilted(0.4))
    assert steps.forward.tolist() == steps.backward.tolist() == [1.0]
    away = slopes_of(one_street([(9000, 0), (9100, 0)]), tilted(0.4))
    assert away.forward.tolist() == [1.0]


def test_a_bent_street_is_followed() -> None:
    # 100 m east on the climb, then 300 m north on the level
    found = slopes_of(one_street([(0, 0), (100, 0), (100, 300)]), tilted(0.2))
    assert found.forward.tolist() == pytest.approx([(math.exp(0.7) + 3) / 4])


@given(seed=SEEDS, profile=PROFILES)
def test_times_uphill_and_downhill_against_floyd_warshall(seed: int, profile: WalkProfile) -> None:
    town = toy_town.random_town(seed)
    rng = random.Random(seed + 1)
    n_nodes, plain = toy_town.reference_edges(town.edges)
    edges = [
        dataclasses.replace(e, effort_there=rng.uniform(0.8, 4), effort_back=rng.uniform(0.8, 4))
        for e in plain
    ]
    slopes = Slopes(
        forward=np.array([e.effort_there for e in edges]),
        backward=np.array([e.effort_back for e in edges]),
    )
    places = random_stops(rng, edges, walker(profile), 14)
    services = random_stops(rng, edges, walker(profile), 5)
    table = reference.minutes_matrix(n_nodes, edges, walker(profile), places, services)
    graph = search_graph(WalkNetwork.from_edges(town.edges), profile, slopes=slopes)
    found = graph.times(attachment(services), attachment(places))
    reach = reach_of_services(graph, attachment(services), attachment(places), limit_min=100.0)
    for k, row in enumerate(table):
        assert found.minutes[k] == pytest.approx(min(row), rel=1e-9, abs=1e-7)
    for service in range(5):
        got = dict(zip(*(part.tolist() for part in reach.of(service)), strict=True))
        for k, row in enumerate(table):
            assert got.get(k, math.inf) == pytest.approx(row[service], rel=1e-9, abs=1e-7)


@given(seed=SEEDS, slope=st.floats(-0.3, 0.3))
def test_level_ground_changes_nothing_and_slopes_never_beat_the_easiest(
    seed: int, slope: float
) -> None:
    network = WalkNetwork.from_edges(toy_town.random_town(seed).edges)
    flat = slopes_of(network, tilted(0))
    np.testing.assert_allclose(flat.forward, 1, rtol=1e-12)
    np.testing.assert_allclose(flat.backward, 1, rtol=1e-12)
    found = slopes_of(network, tilted(slope, -slope / 2))
    low = LEAST_EFFORT - 1e-12
    assert (found.forward >= low).all()
    assert (found.backward >= low).all()


def test_a_study_with_heights_walks_them(tmp_path: Path) -> None:
    town = toy_town.random_town(3)
    cache = Cache(tmp_path)
    level = analyse(town.study(), cache=cache)
    flat = analyse(town.study(heights=tilted(0)), cache=cache)
    steep = analyse(town.study(heights=tilted(0.5)), cache=cache)
    on = level.cells["on_network"].to_numpy()
    for category in ("bains_douches", "esi"):
        a, b, c = (one.cells[f"minutes_{category}"].to_numpy()[on] for one in (level, flat, steep))
        np.testing.assert_allclose(a, b)
        assert (c >= a * LEAST_EFFORT - 1e-9).all()
        assert c[np.isfinite(c)].sum() >= 1.2 * a[np.isfinite(a)].sum()
    # an easy slope makes walks longer in metres: services further away count
    assert steep.study.margin_m == pytest.approx(level.study.margin_m / LEAST_EFFORT)
    assert steep.manifest["parameters"]["heights"] != ""
    assert "heights" in {d["key"] for d in steep.manifest["definitions"]}
    assert "heights" not in {d["key"] for d in level.manifest["definitions"]}


# --- files ---------------------------------------------------------------------------------------


ASC = """ncols 3
nrows 2
xllcorner 100
yllcorner 200
cellsize 10
NODATA_value -9999
5 6 7
1 2 -9999
"""


def test_an_ascii_grid_is_read(tmp_path: Path) -> None:
    path = tmp_path / "dem.asc"
    path.write_text(ASC)
    found = read_heights(path, crs=LAMBERT)
    assert found.values[0, :2].tolist() == [1, 2]  # the last line is the southernmost
    assert (found.x, found.y) == (105, 205)
    points = np.array([[105, 205], [110, 205], [105, 210], [110, 210], [125, 215], [400, 0]])
    heights = found.at(points, LAMBERT)
    assert heights[:4].tolist() == [1, 1.5, 3, 3.5]
    assert np.isnan(heights[4:]).all()  # beside an unknown cell, and outside
    (tmp_path / "dem.prj").write_text(pyproj.CRS.from_epsg(32631).to_wkt("WKT1_ESRI"))
    assert read_heights(path, crs=LAMBERT).crs.to_epsg() == 32631
    path.write_text(ASC.replace("corner", "center"))
    assert read_heights(path, crs=LAMBERT).x == 100


def test_arrays_are_read_in_their_own_crs(tmp_path: Path) -> None:
    path = tmp_path / "dem.npz"
    lon, lat = np.array([2.0, 2.01, 2.02]), np.array([48.01, 48.0])
    values = np.array([[1.0, 1, 1], [0, 0, 0]])
    np.savez(path, heights=values, x=lon, y=lat, crs="EPSG:4326")
    found = read_heights(path, crs=LAMBERT)
    to_metres = pyproj.Transformer.from_crs(4326, LAMBERT, always_xy=True)
    point = np.array([to_metres.transform(2.005, 48.0025)])
    assert found.at(point, LAMBERT)[0] == pytest.approx(0.25, abs=1e-6)


def test_a_geotiff_is_read(tmp_path: Path) -> None:
    rasterio = pytest.importorskip("rasterio", reason="the extra heights is not installed")
    path = tmp_path / "dem.tif"
    about: dict[str, Any] = {"driver": "GTiff", "width": 3, "height": 2, "count": 1}
    about |= {"dtype": "float32", "nodata": -9999}
    data = np.array([[5, 6, 7], [1, 2, -9999]], dtype=np.float32)
    grid = rasterio.Affine(10, 0, 100, 0, -10, 220)
    with rasterio.open(path, "w", crs="EPSG:2154", transform=grid, **about) as image:
        image.write(data, 1)
    found = read_heights(path, crs=pyproj.CRS.from_epsg(32631))
    assert found.crs == LAMBERT
    points = np.array([[105, 205], [110, 210], [125, 205]])
    np.testing.assert_allclose(found.at(points, LAMBERT), [1, 3.5, np.nan])
    with rasterio.open(path, "w", transform=grid, **about) as image:
        image.write(data, 1)
    with pytest.raises(CrsError, match="does not state its coordinate reference system"):
        read_heights(path, crs=LAMBERT)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("dem.asc", "ncols 3\nnrows 2\n1 2 3\n", "lacks cellsize"),
        ("dem.asc", ASC.replace("7", "x"), "cannot be read as heights"),
        ("dem.asc", ASC.replace("5 6 7", "5 6"), "cannot be read as heights"),
        ("dem.asc", ASC.replace("5 6 7\n1 2 -9999", "-9999 " * 6), "holds no heights"),
        ("dem.npz", "no archive", "cannot be read as heights"),
        ("dem.tif", "no image", "dem.tif"),
        ("dem.txt", ASC, "is not a kind of heights"),
    ],
)
def test_what_is_no_grid_is_refused(tmp_path: Path, name: str, content: str, words: str) -> None:
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(InputFileError, match=words):
        read_heights(path, crs=LAMBERT)


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match=r"there is no such file"):
        read_heights(tmp_path / "dem.asc", crs=LAMBERT)


def test_the_speed_is_that_of_level_ground() -> None:
    graph = search_graph(
        one_street([(0, 0), (750, 0)]),
        ADULT,
        slopes=Slopes(forward=np.array([2.0]), backward=np.array([0.9])),
    )
    ends = attachment([reference.Stop(0, 0.0, 0.0), reference.Stop(0, 750.0, 0.0)])
    first, last = (ends[np.array([k])] for k in (0, 1))
    assert graph.times(last, first).minutes.tolist() == pytest.approx([20.0])
    assert graph.times(first, last).minutes.tolist() == pytest.approx([9.0])
