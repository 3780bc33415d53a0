"""Vector tiles: two tiles written here by hand, and the real ones where they are at hand."""

from __future__ import annotations

import gzip
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pyproj
import pytest
import shapely

from helpers.project import EXTRACTS, ROOT
from helpers.vector_tiles import UNIT_M, X, Y, Z, line, write_mbtiles, write_tile
from quart_heure.cache import Cache
from quart_heure.errors import InputFileError
from quart_heure.network.components import entry_edges
from quart_heure.network.graph import Flags, WalkNetwork
from quart_heure.network.tile_network import network_from_tiles, read_tile_network, tile_rule
from quart_heure.profiles import ADULT
from quart_heure.sources.tiles import lines as tile_lines
from quart_heure.sources.tiles.archive import tile_folder
from quart_heure.sources.tiles.files import (
    EXTENT,
    Tile,
    find_tiles,
    grid_transform,
    missing_tiles,
    read_layer,
)
from quart_heure.sources.tiles.schemas import Reading, known_schemas
from quart_heure.sources.tiles.tiles import TileStreets, read_tiles
from quart_heure.study import analyse
from quart_heure.study.file import read_study

TILES = EXTRACTS / "osm-tiles-paris"
LAMBERT_93 = pyproj.CRS.from_epsg(2154)

needs_extracts = pytest.mark.skipif(
    not TILES.is_dir(), reason="the source extracts are not beside the project"
)


def pieces_of(tile: Tile, reading: Reading | None = None) -> tile_lines.TilePieces:
    reading = reading or Reading(known_schemas()[0], tells_foot=False, rule=tile_rule)
    layer = read_layer(tile, reading.schema.streets, reading.schema.columns)
    return tile_lines.read_pieces(tile, layer, reading)[0]


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write two tiles side by side.

    A street crosses from the west tile to the east one and is stored whole in both. A ring is a
    square with a street at each corner and a fountain on one diagonal; another goes round a block.
    """
    folder = tmp_path_factory.mktemp("tiles")
    through = [(3000, 1000), (3900, 1000), (4500, 1100), (5000, 1100)]
    square = [(1000, 2000), (1400, 2000), (1400, 2400), (1000, 2400), (1000, 2000)]
    block = [(2000, 2000), (2400, 2000), (2400, 2400), (2000, 2400), (2000, 2000)]
    lonely = [(3000, 3000), (3100, 3000), (3100, 3100), (3000, 3000)]
    streets = [
        line("minor", through),
        line("path", [(3000, 1000), (3000, 800)]),  # steps
        line("path", [(2800, 900), (3200, 900)], brunnel="bridge"),  # over them
        line("pedestrian", square),
        line("minor", [(500, 2000), (1000, 2000)]),
        line("service", [(1400, 2400), (1700, 2400)]),
        line("service", [(800, 2400), (1000, 2400)]),
        line("minor", [(1400, 2000), (2000, 2000)]),
        line("pedestrian", block),
        line("minor", [(2400, 2400), (2700, 2400)]),
        line("pedestrian", lonely),
        line("trunk", [(100, 100), (200, 100)]),
        line("primary", [(100, 200), (200, 200)], brunnel="tunnel"),
        line("primary_construction", [(100, 300), (200, 300)]),
        line("rail", [(100, 400), (200, 400)]),
        line("platform", [(100, 500), (200, 500)]),
    ]
    names = [
        line("minor", through, **{"name:latin": "Rue du Général", "subclass": "residential"}),
        line("path", [(3000, 1000), (3000, 800)], subclass="steps"),
        line("path", [(2800, 900), (3200, 900)], subclass="footway", brunnel="bridge"),
        line("pedestrian", square, **{"name:latin": "Place d'Août"}),
    ]
    house = [(2050, 2050), (2350, 2050), (2350, 2350), (2050, 2350), (2050, 2050)]
    fountain = [(1280, 2080), (1320, 2080), (1320, 2120), (1280, 2120), (1280, 2080)]
    write_tile(
        folder,
        X,
        {
            "transportation": streets,
            "transportation_name": names,
            "building": [("polygon", house, {"render_height": 20.0})],
            "water": [("polygon", fountain, {"class": "lake"})],
        },
    )
    east = [(x - EXTENT, y) for x, y in through]
    write_tile(
        folder,
        X + 1,
        {
            "transportation": [line("minor", east), line("path", [(904, 1100), (904, 1500)])],
            "transportation_name": [
                line("minor", east, **{"name:latin": "Rue du Général", "subclass": "residential"})
            ],
        },
        packed_up=True,
    )
    # A list of layers that lacks columns, as the real folder has.
    (folder / "metadata.json").write_text('{"vector_layers": []}', encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def streets(town: Path) -> TileStreets:
    return read_tiles(town, rule=tile_rule)


@pytest.fixture(scope="module")
def network(streets: TileStreets) -> WalkNetwork:
    return network_from_tiles(streets, meta={})


def place(x: int, y: int) -> tuple[float, float]:
    """Return the Lambert-93 coordinates of a place of the west tile."""
    xy = np.array([[X * EXTENT + x, Y * EXTENT + y]], dtype=np.float64)
    east, north = grid_transform(Z, LAMBERT_93)(xy)[0]
    return float(east), float(north)


def edge_between(network: WalkNetwork, one: Any, other: Any) -> list[int]:
    def node(at: Any) -> int:
        far = np.hypot(*(network.node_xy - np.array(at)).T)
        assert far.min() < 0.01
        return int(far.argmin())

    ends = {node(one), node(other)}
    pairs = zip(network.u.tolist(), network.v.tolist(), strict=True)
    return [e for e, pair in enumerate(pairs) if set(pair) == ends]


def test_a_street_over_the_border_of_tiles_is_one_edge(network: WalkNetwork) -> None:
    (edge,) = edge_between(network, place(3000, 1000), place(5000, 1100))
    assert network.kind_of(edge) == "residential"
    assert network.name_of(edge) == "Rue du Général"
    whole = 900 + np.hypot(600, 100) + 500
    assert network.length_m[edge] == pytest.approx(whole * UNIT_M, rel=0.002)


def test_bridges_are_not_joined_with_what_they_cross(network: WalkNetwork) -> None:
    (bridge,) = edge_between(network, place(2800, 900), place(3200, 900))
    (stairs,) = edge_between(network, place(3000, 1000), place(3000, 800))
    assert network.bridge[bridge]
    assert network.kind_of(bridge) == "footway"
    assert network.steps[stairs]
    assert not network.steps[bridge]


def test_what_is_dropped_is_counted(streets: TileStreets) -> None:
    assert {reason: row["lines"] for reason, row in streets.dropped.items()} == {
        "car_tunnel": 1,
        "not_a_street": 1,
        "platform": 1,
        "ring_without_way": 1,
        "trunk": 1,
        "under_construction": 1,
    }
    assert streets.counts["tiles"] == 2
    # The street over the border counts in both tiles.
    assert streets.counts["lines"] == 12


def test_squares_are_crossed_and_blocks_are_not(streets: TileStreets, network: WalkNetwork) -> None:
    assert streets.counts["squares_crossed"] == 1
    # Of the two diagonals, the fountain bars one; sides of the square are walked already.
    (walk,) = np.flatnonzero(network.flags & Flags.SQUARE_WALK)
    assert edge_between(network, place(1000, 2000), place(1400, 2400)) == [walk]
    assert network.kind_of(walk) == "square"
    assert network.name_of(walk) == "Place d'Août"
    assert network.length_m[walk] == pytest.approx(np.hypot(400, 400) * UNIT_M, rel=0.002)


def test_tiles_are_found_by_place(town: Path) -> None:
    tiles = find_tiles(town)
    assert [(tile.z, tile.x, tile.y) for tile in tiles] == [(Z, X, Y), (Z, X + 1, Y)]
    with pytest.raises(InputFileError, match="none of its 2 tiles"):
        find_tiles(town, bounds=(2.0, 40.0, 2.1, 41.0))
    to_degrees = pyproj.Transformer.from_crs(LAMBERT_93, 4326, always_xy=True)
    lon, lat = to_degrees.transform(*place(2048, 2048))
    around = (lon - 1e-4, lat - 1e-4, lon + 1e-4, lat + 1e-4)
    assert [tile.x for tile in find_tiles(town, bounds=around)] == [X]


def test_an_area_cuts_streets_and_counts(town: Path) -> None:
    centre = shapely.Point(*place(1200, 2200))
    cut = read_tiles(town, rule=tile_rule, area=shapely.buffer(centre, 150.0))
    assert set(cut.kinds) <= {"pedestrian", "service", "square", "unclassified"}
    assert cut.dropped == {}


def test_unreadable_tiles_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="no vector tile"):
        read_tiles(tmp_path, rule=tile_rule)
    broken = tmp_path / "14" / "8299" / "5636.pbf"
    broken.parent.mkdir(parents=True)
    broken.write_bytes(b"<html>not found</html>")
    with pytest.raises(InputFileError, match="cannot be read as a vector tile"):
        read_tiles(tmp_path, rule=tile_rule)


def test_a_tile_that_describes_other_data_is_not_opened(tmp_path: Path) -> None:
    vrt = "<OGRVRTDataSource><OGRVRTLayer name='x'/></OGRVRTDataSource>"
    for name, content in (("1.pbf", vrt.encode()), ("2.pbf", gzip.compress(vrt.encode()))):
        folder = tmp_path / name
        (folder / "14" / "8299").mkdir(parents=True)
        (folder / "14" / "8299" / "5636.pbf").write_bytes(content)
        with pytest.raises(InputFileError, match=r"vector tile .it does not begin as one"):
            find_tiles(folder)


def test_a_tile_that_is_missing_is_told(town: Path, tmp_path: Path) -> None:
    tiles = find_tiles(town)
    zoom = tiles[0].z
    corners = np.array([[t.x, t.y] for t in tiles])
    low, high = corners.min(axis=0), corners.max(axis=0) + 1
    crs = pyproj.CRS.from_epsg(2154)
    whole = grid_transform(zoom, crs)((np.array([low, high]) * 1.0 + [[0.1], [-0.1]]) * EXTENT)
    area = shapely.box(*whole.min(axis=0), *whole.max(axis=0))
    missing, wanted = missing_tiles(tiles, area, crs)
    assert wanted == len(missing) + len(tiles)
    again = missing_tiles(tiles[1:], area, crs)[0]
    assert set(again) - set(missing) == {f"{zoom}/{tiles[0].x}/{tiles[0].y}"}


def test_a_layer_or_a_column_may_be_missing(town: Path) -> None:
    tile = find_tiles(town)[1]
    shapes, values = read_layer(tile, "building", ["render_height"])
    assert len(shapes) == len(values["render_height"]) == 0
    shapes, values = read_layer(tile, "transportation", ["brunnel"])
    assert values["brunnel"].tolist() == [None] * len(shapes)


# --- MBTiles -------------------------------------------------------------------------------------


@pytest.fixture
def archive(town: Path, tmp_path: Path) -> Path:
    tiles = {(Z, tile.x, tile.y): tile.path.read_bytes() for tile in find_tiles(town)}
    tiles[(2, 2, 1)] = b"a tile of a lower zoom, which is not read"
    return write_mbtiles(tmp_path / "town.mbtiles", tiles, name="Town", format="pbf")


def test_an_archive_gives_the_network_of_its_folder(
    archive: Path, town: Path, network: WalkNetwork
) -> None:
    packed, folder = read_tile_network(archive), read_tile_network(town)
    assert packed.digest == folder.digest == network.digest
    assert packed.meta["source"] == "OpenStreetMap, vector tiles (Town)"
    assert any("OpenStreetMap ids" in lack for lack in packed.meta["lacks"])
    assert packed.meta["dropped"] == folder.meta["dropped"] != {}
    assert list(archive.parent.iterdir()) == [archive]  # no journal beside it


def test_only_the_tiles_of_a_place_are_unpacked(archive: Path, town: Path) -> None:
    x, y, side = X + 0.5, Y + 0.5, 2**Z
    lon = x / side * 360 - 180
    lat = math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * y / side))))
    with tile_folder(archive, bounds=(lon, lat, lon, lat)) as folder:
        assert [tile.x for tile in find_tiles(folder)] == [X]
    with tile_folder(archive) as folder:
        assert [tile.x for tile in find_tiles(folder)] == [X, X + 1]
    assert not folder.exists()


def test_archives_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="no such file"):
        read_tile_network(tmp_path / "absent.mbtiles")
    text = tmp_path / "text.mbtiles"
    text.write_text("<html>not found</html>", encoding="utf-8")
    with pytest.raises(InputFileError, match="cannot be read as MBTiles"):
        read_tile_network(text)
    with pytest.raises(InputFileError, match="there is no tile"):
        read_tile_network(write_mbtiles(tmp_path / "empty.mbtiles", {}))
    images = write_mbtiles(tmp_path / "images.mbtiles", {(Z, X, Y): b"\x89PNG\r\n"}, format="png")
    with pytest.raises(InputFileError, match=rf"images\.mbtiles/{Z}.*cannot be read as a vector"):
        read_tile_network(images)
    short = write_mbtiles(tmp_path / "short.mbtiles", {(Z, X, Y): gzip.compress(b"tile")[:-6]})
    with pytest.raises(InputFileError, match=f"{Z}/{X}/{Y}: is cut short"):
        read_tile_network(short)
    bomb = gzip.compress(bytes(40 * 2**20))
    with pytest.raises(InputFileError, match="larger than 32 MB"):
        read_tile_network(write_mbtiles(tmp_path / "bomb.mbtiles", {(Z, X, Y): bomb}))
    away = write_mbtiles(tmp_path / "away.mbtiles", {(Z, 0, 0): b""})
    with pytest.raises(InputFileError, match="none of its tiles"):
        read_tile_network(away, polygon=shapely.box(2.2, 48.8, 2.3, 48.9))
    deep = write_mbtiles(tmp_path / "deep.mbtiles", {(70, 0, 2**70 - 1): b""})
    with pytest.raises(InputFileError, match="there is no zoom 70"):
        read_tile_network(deep)
    claim = write_mbtiles(tmp_path / "claim.mbtiles", {(Z, X, Y): 10**12})  # bytes, if taken so
    with pytest.raises(InputFileError, match="holds no data"):
        read_tile_network(claim)


def test_tiles_of_elsewhere_are_told(archive: Path, town: Path) -> None:
    for path in (archive, town):
        with pytest.raises(InputFileError, match=r"none of its .*tiles of zoom 14"):
            read_tile_network(path, polygon=shapely.box(4.8, 45.7, 4.9, 45.8))


def test_tiles_of_any_place_are_measured_in_metres_of_that_place(
    town: Path, tmp_path: Path, network: WalkNetwork
) -> None:
    tiles = {(Z, tile.x, tile.y): tile.path.read_bytes() for tile in find_tiles(town)}
    away = {(z, x - 800, y + 800): data for (z, x, y), data in tiles.items()}
    dated = {"planetiler:osm:osmosisreplicationtime": "2026-01-31T20:21:00Z"}
    moved = read_tile_network(write_mbtiles(tmp_path / "sea.mbtiles", away, **dated))
    assert moved.meta["osm_date"] == "2026-01-31T20:21:00Z"
    assert network.meta.get("osm_date", "") == ""
    assert moved.crs.to_epsg() == 32628
    assert moved.n_edges == network.n_edges


@pytest.mark.parametrize("form", ["archive", "folder"])
def test_a_study_takes_tiles_for_its_network(
    archive: Path, town: Path, network: WalkNetwork, tmp_path: Path, form: str
) -> None:
    low, high = network.xy.min(axis=0), network.xy.max(axis=0)
    square = gpd.GeoDataFrame(
        {"district_id": ["1"]}, geometry=[shapely.box(*low, *high)], crs=network.crs
    )
    square.to_file(tmp_path / "districts.gpkg")
    entered = entry_edges(network, ADULT)
    longest = network.lines[np.where(entered, network.length_m, 0).argmax()]
    here = gpd.GeoSeries([longest.centroid], crs=network.crs).to_crs(4326).iloc[0]
    (tmp_path / "services.csv").write_text(
        f"category,longitude,latitude\nesi,{here.x},{here.y}\n", encoding="utf-8"
    )
    tiles = archive if form == "archive" else town
    (tmp_path / "study.toml").write_text(
        "[area]\ndistricts = 'districts.gpkg'\n[services]\nfiles = ['services.csv']\n"
        f"[network]\nfile = '{tiles.as_posix()}'\n",
        encoding="utf-8",
    )
    cache = Cache(tmp_path / "cache")
    coverage = analyse(read_study(tmp_path / "study.toml", cache=cache), cache=cache)
    assert coverage.services["counted"].all()
    assert coverage.city.set_index("category").loc["esi", "covered_pct"] > 0
    streets = next(i for i in coverage.manifest["inputs"] if i["role"] == "network")
    assert "OpenStreetMap ids" in streets["lacks"]
    again = read_study(tmp_path / "study.toml", cache=cache).network
    assert again.digest == coverage.study.network.digest


# --- the real tiles of Paris ---------------------------------------------------------------------


@needs_extracts
@pytest.mark.extracts
def test_the_real_tiles_hold_what_was_counted_independently() -> None:
    class Everything(Reading):
        def judge(self, about: Mapping[str, Any]) -> tuple[str, int]:
            return ("" if about["class"] in classes else "other"), 0

    schema = known_schemas()[0]
    classes = schema.highways.keys() - {"motorway", "busway"} | {"pier"}
    reading = Everything(schema, tells_foot=False, rule=tile_rule)
    joined = tile_lines.join_tiles([pieces_of(tile, reading) for tile in find_tiles(TILES)])
    kept = joined.kept
    low, high = np.minimum(joined.a, joined.b)[kept], np.maximum(joined.a, joined.b)[kept]
    pairs = np.unique(np.stack([low, high], axis=1), axis=0)
    # Counted by another reader of the same tiles (data provenance): equal to the last edge.
    assert len(np.unique(pairs)) == 560_537
    assert len(pairs) == 631_032
    xy = grid_transform(14, LAMBERT_93)(tile_lines.key_places(joined.keys))
    length_km = np.hypot(*(xy[pairs[:, 0]] - xy[pairs[:, 1]]).T).sum() / 1000
    # 11,220 km there, by another measure of length.
    assert length_km == pytest.approx(11_220, rel=0.001)
    # Lines of which something lies in the tile's own square: 131,065 there, with pieces of lines
    # that leave the square and come back counted apart.
    assert len(np.unique(joined.line[kept])) == pytest.approx(131_065, rel=0.003)


@needs_extracts
@pytest.mark.extracts
def test_joints_of_real_tiles_are_sound() -> None:
    tiles = [tile for tile in find_tiles(TILES) if tile.x in {8298, 8299} and tile.y == 5636]
    joined = tile_lines.join_tiles([pieces_of(tile) for tile in tiles])
    kept = joined.kept
    neighbours = tile_lines.count_neighbours(joined, kept)
    border = (joined.keys >> 32) == 8299 * EXTENT
    assert np.count_nonzero(border & (neighbours > 0)) > 30
    assert np.count_nonzero(border & (neighbours == 1)) <= 1


@needs_extracts
@pytest.mark.extracts
def test_real_names_and_stairs_are_found() -> None:
    tile = Tile(14, 8299, 5636, TILES / "14" / "8299" / "5636.pbf.gz")
    pieces = pieces_of(tile)
    kinds = {kind: pieces.kind.count(kind) for kind in set(pieces.kind)}
    assert kinds["footway"] == pytest.approx(565, abs=10)
    assert kinds["steps"] == pytest.approx(169, abs=5)
    assert "Rue de Rivoli" in pieces.name or "Boulevard Saint-Germain" in pieces.name


@needs_extracts
@pytest.mark.extracts
def test_no_walk_of_the_packaged_paris_crosses_woods_pitches_or_rails() -> None:
    """Look with another reader of the same tiles: whole layers in degrees, cut by GDAL."""
    network = WalkNetwork.read(ROOT / "data" / "paris" / "network.parquet")
    walks = network.lines[network.flags & Flags.SQUARE_WALK > 0]
    found = []
    for tile in find_tiles(TILES):
        options = {"METADATA_FILE": "", "Z": tile.z, "X": tile.x, "Y": tile.y}
        for layer, classes in (("landcover", {"wood"}), ("landuse", {"pitch"})):
            try:
                table = gpd.read_file(tile.path, layer=layer, **options)
            except pyogrio.errors.DataLayerError:
                continue
            found.append(table[table["class"].isin(classes)].geometry)
    grounds = gpd.GeoSeries(pd.concat(found), crs=3857).make_valid().to_crs(LAMBERT_93)
    tree = shapely.STRtree(shapely.buffer(grounds.to_numpy(), -1.0))
    one, _ = tree.query(walks, predicate="intersects")
    assert len(tree.geometries) > 1000
    assert len(walks) > 3000
    assert len(one) == 0
    # The sunken garden of the library is a wood: its four sides see each other, and are not joined.
    garden = gpd.GeoSeries(gpd.points_from_xy([2.3759], [48.8337]), crs=4326).to_crs(LAMBERT_93)
    (wood,) = [shape for shape in grounds if shape.covers(garden.iloc[0])][:1]
    assert wood.area > 5000
    assert shapely.distance(walks, garden.iloc[0]).min() > 20
