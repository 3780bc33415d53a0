"""Ground: water, the sea and barriers from a background, raw data and vector tiles."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pyproj
import pytest
import shapely
from shapely import LineString, box

from quart_heure.errors import InputFileError
from quart_heure.sources.background import ground_of_background
from quart_heure.sources.osm.ground import read_osm_ground, sea_of
from quart_heure.sources.tiles.ground import read_tile_ground

DATA = Path(__file__).parents[3] / "shared/data"
CRS = pyproj.CRS(32632)
FRAME = box(0, 0, 100, 100)


def lines(*shapes: list[tuple[float, float]]) -> np.ndarray:
    return np.array([LineString(shape) for shape in shapes], dtype=object)


def test_the_sea_lies_to_the_right_of_its_coastline() -> None:
    # going east, the land is in the north
    (sea,) = sea_of(lines([(-10, 40), (50, 40), (110, 40)]), FRAME)
    assert sea.equals(box(0, 0, 100, 40))
    (sea,) = sea_of(lines([(110, 40), (-10, 40)]), FRAME)
    assert sea.equals(box(0, 40, 100, 100))


def test_an_island_is_no_sea() -> None:
    # counter-clockwise: the land is inside
    island = [(40, 40), (60, 40), (60, 60), (40, 60), (40, 40)]
    (sea,) = sea_of(lines(island), FRAME)
    assert sea.area == pytest.approx(100 * 100 - 20 * 20)


def test_a_coastline_that_ends_within_the_frame_is_led_on_to_it() -> None:
    (sea,) = sea_of(lines([(10, 40), (50, 45), (95, 40)]), FRAME)
    assert shapely.intersects_xy(sea, 50, 10)
    assert not shapely.intersects_xy(sea, 50, 90)


def test_a_face_on_both_sides_of_its_coastline_is_not_known_to_be_sea() -> None:
    # two coasts with the sea towards each other is a strait; both away from it is a mistake
    strait = lines([(-5, 60), (105, 60)], [(105, 40), (-5, 40)])
    assert [s.equals(box(0, 40, 100, 60)) for s in sea_of(strait, FRAME)] == [True]
    mistaken = lines([(-5, 60), (105, 60)], [(-5, 40), (105, 40)])
    assert [s.equals(box(0, 0, 100, 40)) for s in sea_of(mistaken, FRAME)] == [True]


def test_no_coastline_is_no_sea() -> None:
    assert len(sea_of(np.empty(0, dtype=object), FRAME)) == 0


OSM = """<osm version="0.6">
{nodes}
<way id="1"><nd ref="1"/><nd ref="2"/><nd ref="3"/><nd ref="4"/><nd ref="1"/>
 <tag k="natural" v="water"/></way>
<way id="2"><nd ref="1"/><nd ref="5"/><tag k="railway" v="rail"/></way>
<way id="3"><nd ref="2"/><nd ref="5"/><tag k="railway" v="rail"/><tag k="tunnel" v="yes"/></way>
<way id="4"><nd ref="3"/><nd ref="5"/><tag k="railway" v="tram"/></way>
<way id="5"><nd ref="5"/><nd ref="6"/><nd ref="7"/><nd ref="5"/><tag k="barrier" v="fence"/></way>
<way id="6"><nd ref="4"/><nd ref="6"/><tag k="barrier" v="wall"/></way>
<way id="7"><nd ref="1"/><nd ref="7"/><tag k="highway" v="motorway"/><tag k="bridge" v="yes"/></way>
<way id="8"><nd ref="1"/><nd ref="99"/><tag k="barrier" v="wall"/></way>
<way id="9"><nd ref="5"/><nd ref="6"/><nd ref="7"/><nd ref="5"/><tag k="natural" v="water"/>
 <tag k="tunnel" v="yes"/></way>
</osm>"""


def test_raw_data_tell_water_and_what_is_not_walked_across(tmp_path: Path) -> None:
    places = [(0, 0), (1, 0), (1, 1), (0, 1), (3, 0), (4, 0), (4, 1)]
    nodes = "\n".join(
        f'<node id="{n}" lon="{7.4 + x / 1000}" lat="{43.7 + y / 1000}"/>'
        for n, (x, y) in enumerate(places, start=1)
    )
    path = tmp_path / "town.osm"
    path.write_text(OSM.format(nodes=nodes), encoding="utf-8")
    ground = read_osm_ground(path, polygon=box(7.39, 43.69, 7.41, 43.71), crs=CRS)
    assert len(ground.water) == 1
    # the pond, the fenced yard, the track and the wall; no tunnel, tram, bridge, broken way
    kinds = shapely.get_type_id(ground.barriers).tolist()
    assert sorted(kinds) == [1, 1, 3, 6]
    assert ground.source == "town.osm"
    nowhere = read_osm_ground(path, polygon=box(8.0, 44.0, 8.1, 44.1), crs=CRS)
    assert len(nowhere.barriers) == 0
    (tmp_path / "broken.osm").write_text("<osm version='0.6'><node", encoding="utf-8")
    with pytest.raises(InputFileError):
        read_osm_ground(tmp_path / "broken.osm", polygon=FRAME, crs=CRS)


def test_a_background_tells_water_and_barriers() -> None:
    shapes = [box(0, 0, 1, 1), box(2, 0, 3, 1), LineString([(0, 5), (5, 5)]), box(4, 0, 5, 1)]
    layer = gpd.GeoDataFrame({"kind": ["water", "rail", "wall", "park"]}, geometry=shapes, crs=2154)
    ground = ground_of_background(layer, source="x")
    assert ground.water.tolist() == shapes[:1]
    assert ground.barriers.tolist() == shapes[:3]


def test_the_harbour_of_monaco_is_water() -> None:
    path = DATA / "osm-raw/monaco.osm.gz"
    if not path.is_file():
        pytest.skip("the raw extract of Monaco is not at hand")
    ground = read_osm_ground(path, polygon=box(7.405, 43.72, 7.445, 43.755), crs=CRS)
    to_metres = pyproj.Transformer.from_crs(4326, CRS, always_xy=True)
    for lon, lat, wet in (
        (7.4275, 43.7349, True),
        (7.4205, 43.7314, False),
        (7.4246, 43.7384, False),
    ):
        at = to_metres.transform(lon, lat)
        assert bool(shapely.intersects_xy(ground.water, *at).any()) is wet


def test_the_seine_is_water_in_the_tiles() -> None:
    path = DATA / "osm-tiles-paris"
    if not path.is_dir():
        pytest.skip("the vector tiles of Paris are not at hand")
    crs = pyproj.CRS(2154)
    ground = read_tile_ground(path, polygon=box(2.33, 48.84, 2.37, 48.87), crs=crs)
    to_metres = pyproj.Transformer.from_crs(4326, crs, always_xy=True)
    for lon, lat, wet in ((2.3375, 48.8583, True), (2.3522, 48.8566, False)):
        at = to_metres.transform(lon, lat)
        assert bool(shapely.intersects_xy(ground.water, *at).any()) is wet
    assert (shapely.get_dimensions(ground.barriers) == 1).sum() > 0
