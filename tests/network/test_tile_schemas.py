"""One small town as the tiles of each schema tell it, from folders and both kinds of archives."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pyproj
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from pmtiles.tile import Compression, TileType, serialize_header, zxy_to_tileid

from helpers.vector_tiles import (
    UNIT_M,
    Feature,
    X,
    Y,
    Z,
    tile_bytes,
    write_mbtiles,
    write_pmtiles,
)
from quart_heure.errors import InputFileError
from quart_heure.network.graph import Flags, WalkNetwork
from quart_heure.network.tile_network import read_tile_network, tile_rule
from quart_heure.sources.tiles.areas import Area, unite_areas
from quart_heure.sources.tiles.files import EXTENT, Tile, grid_transform
from quart_heure.sources.tiles.joints import join_streets
from quart_heure.sources.tiles.schemas import Reading, known_schemas

SCHEMAS = ("openmaptiles", "shortbread", "protomaps")
BUFFER = 64
XY = tuple[int, int]
Street = tuple[dict[str, Any], list[XY]]


def box(west: int, north: int, east: int, south: int) -> list[XY]:
    return [(west, north), (east, north), (east, south), (west, south), (west, north)]


# Straight lines without a vertex where others meet them, as generators leave them.
STREETS: list[Street] = [
    ({"highway": "residential", "name": "Rue du Général"}, [(500, 1000), (3500, 1000)]),
    ({"highway": "steps"}, [(1000, 1000), (1000, 600)]),
    ({"highway": "footway"}, [(2000, 800), (2000, 1200)]),
    ({"highway": "footway", "bridge": "yes"}, [(2500, 800), (2500, 1200)]),
    ({"highway": "service", "access": "no"}, [(3000, 1000), (3000, 1500)]),
    ({"highway": "service", "access": "no", "foot": "yes"}, [(3100, 1000), (3100, 1500)]),
    ({"highway": "cycleway"}, [(3200, 1000), (3200, 1400)]),
    ({"highway": "cycleway", "foot": "designated"}, [(3400, 1000), (3400, 1400)]),
    ({"highway": "trunk"}, [(500, 1000), (500, 700)]),
    ({"highway": "motorway"}, [(500, 300), (900, 300)]),
    ({"railway": "rail"}, [(2700, 2900), (2700, 3500)]),
    # to and from the squares below
    ({"highway": "path"}, [(1000, 1000), (1000, 2000), (1500, 2000)]),
    ({"highway": "path"}, [(1900, 2400), (2300, 2400), (2300, 3000), (2500, 3000)]),
    ({"highway": "path"}, [(2300, 2400), (3600, 2000), (3900, 2000)]),
    ({"highway": "path"}, [(4300, 2400), (4600, 2400)]),
    ({"highway": "path"}, [(2900, 3400), (3000, 3400)]),
    ({"highway": "path"}, [(1000, 2000), (1000, 3000), (1500, 3000)]),
    ({"highway": "path"}, [(1900, 3400), (2200, 3400)]),
]
SQUARES = [
    box(1500, 2000, 1900, 2400),
    box(3900, 2000, 4300, 2400),  # over the border of tiles
    box(1500, 3000, 1900, 3400),  # with a pitch on its diagonal
    box(2500, 3000, 2900, 3400),  # with a railway through it
]
PITCH = box(1650, 3150, 1750, 3250)


def features(schema: str) -> dict[str, list[Feature]]:
    """Return the layers of the town, in units from the corner of the west tile."""
    layers: dict[str, list[Feature]] = {}

    def add(layer: str, form: str, places: Sequence[XY], /, **values: Any) -> None:
        told = {key: value for key, value in values.items() if value is not None}
        layers.setdefault(layer, []).append((form, places, told))

    for tags, places in STREETS:
        street = tags.get("highway", "")
        bridge = tags.get("bridge") == "yes"
        if schema == "openmaptiles":
            minor = {"residential": "minor", "": "rail"}
            is_path = street in {"steps", "footway", "cycleway", "path"}
            add(
                "transportation",
                "line",
                places,
                **{"class": "path" if is_path else minor.get(street, street)},
                subclass=street if is_path else (None if street else "rail"),
                brunnel="bridge" if bridge else None,
                access=tags.get("access"),
                foot=tags.get("foot"),
            )
            if "name" in tags:  # joined with a street beyond
                long = [(places[0][0] - 200, places[0][1]), (places[1][0] + 200, places[1][1])]
                add("transportation_name", "line", long, **{"class": "minor", "name": tags["name"]})
        elif schema == "shortbread":
            kind = street or "rail"
            add("streets", "line", places, kind=kind, rail=not street, bridge=bridge, tunnel=False)
            if "name" in tags:
                add("street_labels", "line", places, kind=kind, name=tags["name"])
        else:
            kind = "path" if street in {"steps", "footway", "cycleway", "path"} else "minor_road"
            add(
                "roads",
                "line",
                places,
                kind=kind if street else "rail",
                kind_detail="crossing" if street == "footway" and not bridge else street or "rail",
                is_bridge=True if bridge else None,
                access=tags.get("access"),
                name=tags.get("name"),
            )
    for square in SQUARES:
        if schema == "openmaptiles":
            add("transportation", "polygon", square, **{"class": "path", "subclass": "pedestrian"})
        elif schema == "shortbread":
            add("street_polygons", "polygon", square, kind="pedestrian", bridge=False, tunnel=False)
        else:
            add("landuse", "polygon", square, kind="pedestrian")
    if schema == "openmaptiles":
        add("landuse", "polygon", PITCH, **{"class": "pitch"})
    else:  # Shortbread has no pitches, but gardens
        layer = "land" if schema == "shortbread" else "landuse"
        add(layer, "polygon", PITCH, kind="garden" if schema == "shortbread" else "pitch")
    return layers


def tiles_of(layers: Mapping[str, Sequence[Feature]]) -> dict[tuple[int, int, int], bytes]:
    """Cut a town to two tiles side by side, with a margin, as generators do."""
    tiles = {}
    for column in (0, 1):
        window = shapely.box(-BUFFER, -BUFFER, EXTENT + BUFFER, EXTENT + BUFFER)
        cut: dict[str, list[Feature]] = {}
        for name, found in layers.items():
            for kind, places, values in found:
                moved = [(x - column * EXTENT, y) for x, y in places]
                shape = shapely.LineString(moved) if kind == "line" else shapely.Polygon(moved)
                for part in shapely.get_parts(shapely.intersection(shape, window)):
                    if part.geom_type not in {"LineString", "Polygon"} or part.is_empty:
                        continue
                    ring = part.coords if kind == "line" else part.exterior.coords
                    xy = [(round(x), round(y)) for x, y in ring]
                    cut.setdefault(name, []).append((kind, xy, values))
        tiles[Z, X + column, Y] = tile_bytes(cut)
    return tiles


def write_folder(folder: Path, tiles: Mapping[tuple[int, int, int], bytes]) -> Path:
    for (z, x, y), data in tiles.items():
        path = folder / str(z) / str(x) / f"{y}.pbf"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


@pytest.fixture(params=SCHEMAS)
def schema(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def town(schema: str, tmp_path: Path) -> WalkNetwork:
    return read_tile_network(write_folder(tmp_path / "tiles", tiles_of(features(schema))))


def place(network: WalkNetwork, at: XY) -> int | None:
    xy = np.array([[X * EXTENT + at[0], Y * EXTENT + at[1]]], dtype=np.float64)
    apart = np.hypot(*(network.node_xy - grid_transform(Z, network.crs)(xy)).T)
    return int(apart.argmin()) if apart.min() < 1.5 * UNIT_M else None


def walk_units(network: WalkNetwork, start: XY, end: XY) -> float:
    nodes = place(network, start), place(network, end)
    if None in nodes:
        return np.nan
    graph = network.to_networkx()
    if not nx.has_path(graph, *nodes):
        return np.inf
    return nx.shortest_path_length(graph, *nodes, weight="length") / UNIT_M


def test_streets_are_joined_where_a_vertex_was_simplified_away(town: WalkNetwork) -> None:
    assert walk_units(town, (500, 1000), (1000, 600)) == pytest.approx(900, rel=0.01)
    assert walk_units(town, (500, 1000), (2000, 800)) == pytest.approx(1700, rel=0.01)
    assert walk_units(town, (2000, 800), (2000, 1200)) == pytest.approx(400, rel=0.01)


def test_a_bridge_is_not_joined_with_what_it_crosses(town: WalkNetwork) -> None:
    assert walk_units(town, (500, 1000), (2500, 800)) == np.inf
    (bridge,) = np.flatnonzero(town.bridge)
    assert town.kind_of(int(bridge)) == "footway"


def test_stairs_without_a_name_are_stairs(town: WalkNetwork) -> None:
    assert np.count_nonzero(town.steps) == 1
    assert {town.kind_of(int(e)) for e in np.flatnonzero(town.steps)} == {"steps"}


def test_names_come_from_the_layer_that_has_them(town: WalkNetwork) -> None:
    assert set(town.names) == {"", "Rue du Général"}
    named = [e for e in range(town.n_edges) if town.name_of(e)]
    assert town.length_m[named].sum() / UNIT_M == pytest.approx(3000, rel=0.01)


def test_squares_are_crossed_over_the_border_of_tiles_too(town: WalkNetwork) -> None:
    diagonal = np.hypot(400, 400)
    assert walk_units(town, (1500, 2000), (1900, 2400)) == pytest.approx(diagonal, rel=0.01)
    assert walk_units(town, (3900, 2000), (4300, 2400)) == pytest.approx(diagonal, rel=0.01)
    walks = town.flags & Flags.SQUARE_WALK > 0
    assert np.count_nonzero(walks) == 2
    assert town.meta["counts"]["squares_crossed"] == 2


def test_squares_are_walked_around_where_something_is_in_the_way(town: WalkNetwork) -> None:
    assert walk_units(town, (1500, 3000), (1900, 3400)) == pytest.approx(800, rel=0.01)
    assert walk_units(town, (2500, 3000), (2900, 3400)) == pytest.approx(800, rel=0.01)


def test_what_is_walked_follows_what_the_schema_tells(schema: str, town: WalkNetwork) -> None:
    private = place(town, (3000, 1500)) is not None
    private_with_foot = place(town, (3100, 1500)) is not None
    cycleway, shared = (place(town, (x, 1400)) is not None for x in (3200, 3400))
    assert (private, private_with_foot, cycleway, shared) == {
        "openmaptiles": (False, True, False, True),
        "shortbread": (True, True, True, True),
        "protomaps": (False, False, True, True),
    }[schema]
    assert place(town, (500, 700)) is None
    dropped = {reason: row["lines"] for reason, row in town.meta["dropped"].items()}
    assert dropped["trunk"] == dropped["motorway"] == dropped["not_a_street"] == 1
    with_foot = town.flags & Flags.PRIVATE_WITH_FOOT > 0
    assert with_foot.any() == (schema == "openmaptiles")


def test_what_tiles_lack_is_told(schema: str, town: WalkNetwork) -> None:
    assert (
        town.meta["schema"]
        == {one: s.title for one, s in zip(SCHEMAS, known_schemas(), strict=True)}[schema]
    )
    lacks = " ".join(town.meta["lacks"])
    assert "OpenStreetMap ids" in lacks
    assert ("foot" in lacks) == (schema != "openmaptiles") or "trunk" in lacks
    assert json.loads(json.dumps(town.meta)) == town.meta


def test_shortbread_that_tells_foot_is_believed(tmp_path: Path) -> None:
    layers = features("shortbread")
    layers["streets"] = [
        (kind, places, values | ({"foot": "designated"} if places[0][0] == 3400 else {}))
        for kind, places, values in layers["streets"]
    ]
    town = read_tile_network(write_folder(tmp_path, tiles_of(layers)))
    assert place(town, (3200, 1400)) is None
    assert place(town, (3400, 1400)) is not None
    assert town.meta["dropped"]["cycleway"]["lines"] == 1


def test_a_trunk_road_is_walked_where_foot_says_so(tmp_path: Path) -> None:
    layers = features("openmaptiles")
    layers["transportation"].append(
        ("line", [(500, 1000), (300, 1000)], {"class": "trunk", "foot": "yes"})
    )
    town = read_tile_network(write_folder(tmp_path, tiles_of(layers)))
    assert walk_units(town, (300, 1000), (500, 1000)) == pytest.approx(200, rel=0.01)


def test_a_private_gate_needs_no_tile(schema: str, town: WalkNetwork) -> None:
    assert "barriers and gates" in town.meta["lacks"]


def test_every_archive_gives_the_network_of_its_folder(schema: str, tmp_path: Path) -> None:
    tiles = tiles_of(features(schema))
    told = {
        "name": "Town",
        "attribution": '<a href="https://www.openstreetmap.org/copyright">&copy; OpenStreetMap</a>',
        "planetiler:osm:osmosisreplicationtime": "2026-01-31T20:21:00Z",
    }
    folder = read_tile_network(write_folder(tmp_path / "tiles", tiles))
    packed = [
        read_tile_network(write_mbtiles(tmp_path / "town.mbtiles", tiles, **told)),
        read_tile_network(write_pmtiles(tmp_path / "town.pmtiles", tiles, **told)),
        read_tile_network(write_pmtiles(tmp_path / "nameless", tiles, **told)),
    ]
    for network in packed:
        assert network.digest == folder.digest
        assert network.meta["attribution"] == "© OpenStreetMap"
        assert network.meta["osm_date"] == "2026-01-31T20:21:00Z"
        assert network.meta["source"] == "OpenStreetMap, vector tiles (Town)"
    assert folder.meta["attribution"] == "© OpenStreetMap contributors"


@pytest.mark.parametrize(
    ("told", "credit"),
    [
        ("", "© OpenStreetMap contributors"),
        ("&copy; MapMakers", "© OpenStreetMap contributors; © MapMakers"),
        ("<script>alert(1)</script>\u202e OpenStreetMap\n", "alert(1) OpenStreetMap"),
        ("OpenStreetMap " * 99, ("OpenStreetMap " * 99)[:200]),
    ],
)
def test_credits_become_plain_text(told: str, credit: str, tmp_path: Path) -> None:
    tiles = tiles_of(features("protomaps"))
    town = read_tile_network(write_pmtiles(tmp_path / "t.pmtiles", tiles, attribution=told))
    assert town.meta["attribution"] == credit


def test_only_the_tiles_of_a_place_are_read_of_pmtiles(tmp_path: Path) -> None:
    tiles = tiles_of(features("shortbread"))
    # So many others that the directory has leaves.
    far = {(Z, x, y): b"%d" % (x * y) for x in range(100, 400) for y in range(100, 140)}
    path = write_pmtiles(tmp_path / "t.pmtiles", {**tiles, **far})
    degrees = pyproj.CRS.from_epsg(4326)
    corners = np.array([(X, Y + 1), (X + 2, Y)], dtype=np.float64) * EXTENT
    west, south, east, north = grid_transform(Z, degrees)(
        corners + np.array([[1.0, -1.0], [-1.0, 1.0]])
    ).ravel()
    here = read_tile_network(path, polygon=shapely.box(west, south, east, north))
    whole = read_tile_network(write_folder(tmp_path / "tiles", tiles))
    assert here.length_m.sum() == pytest.approx(whole.length_m.sum(), rel=1e-3)
    with pytest.raises(InputFileError, match="none of its tiles"):
        read_tile_network(path, polygon=shapely.box(4.8, 45.7, 4.9, 45.8))


def bare_pmtiles(
    tiles: Mapping[tuple[int, int, int], bytes], *, run: bytes = b"\x01", **header: Any
) -> bytes:
    """Write PMTiles without packing anything, as the format allows."""
    ids = sorted((zxy_to_tileid(*place), data) for place, data in tiles.items())

    def varint(value: int) -> bytes:
        out = bytearray()
        while value > 0x7F:
            out.append(value & 0x7F | 0x80)
            value >>= 7
        return bytes([*out, value])

    last, offset = 0, 0
    steps, offsets = b"", b""
    for tile_id, data in ids:
        steps += varint(tile_id - last)
        offsets += varint(offset + 1)
        last, offset = tile_id, offset + len(data)
    sizes = b"".join(varint(len(data)) for _, data in ids)
    directory = varint(len(ids)) + steps + run * len(ids) + sizes + offsets
    about: dict[str, Any] = {
        "root_offset": 127,
        "root_length": len(directory),
        "metadata_offset": 127 + len(directory),
        "metadata_length": 2,
        "tile_data_offset": 129 + len(directory),
        "tile_data_length": offset,
        "clustered": True,
        "internal_compression": Compression.NONE,
        "tile_compression": Compression.NONE,
        "tile_type": TileType.MVT,
        "min_zoom": Z,
        "max_zoom": Z,
        "min_lon_e7": 23_600_000,
        "max_lon_e7": 24_100_000,
        "min_lat_e7": 488_300_000,
        "max_lat_e7": 488_700_000,
    }
    return serialize_header(about | header) + directory + b"{}" + b"".join(d for _, d in ids)


def test_pmtiles_that_pack_nothing_are_read(schema: str, tmp_path: Path) -> None:
    tiles = tiles_of(features(schema))
    (tmp_path / "t.pmtiles").write_bytes(bare_pmtiles(tiles))
    packed = read_tile_network(write_folder(tmp_path / "tiles", tiles))
    assert read_tile_network(tmp_path / "t.pmtiles").digest == packed.digest


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"tile_type": TileType.PNG}, "tile type PNG is not read"),
        ({"tile_compression": Compression.BROTLI}, "tile compression BROTLI is not read"),
        ({"internal_compression": Compression.ZSTD}, "internal compression ZSTD is not read"),
        ({"max_zoom": 70}, "no zoom 70"),
        ({"root_offset": 2**60}, "cannot be read as PMTiles"),
        ({"root_length": 1}, "cannot be read as PMTiles"),
    ],
)
def test_damaged_pmtiles_are_named(change: dict[str, Any], message: str, tmp_path: Path) -> None:
    path = tmp_path / "t.pmtiles"
    path.write_bytes(bare_pmtiles(tiles_of(features("protomaps")), **change))
    with pytest.raises(InputFileError, match=rf"t\.pmtiles.*{message}"):
        read_tile_network(path)


def test_pmtiles_that_claim_the_whole_earth_are_refused(tmp_path: Path) -> None:
    # One entry that says of a million tiles that they are alike.
    path = tmp_path / "t.pmtiles"
    content = bare_pmtiles({(Z, 0, 0): b"sea"}, run=b"\xc0\x84\x3d")
    path.write_bytes(content)
    with pytest.raises(InputFileError, match="holds more than 300000 tiles"):
        read_tile_network(path)


def test_directories_that_lead_in_circles_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.pmtiles"
    # A run of nothing leads to a directory: this one to itself.
    path.write_bytes(bare_pmtiles({(Z, 0, 0): b"sea"}, run=b"\x00", leaf_directory_offset=127))
    with pytest.raises(InputFileError, match=r"t\.pmtiles"):
        read_tile_network(path)


@pytest.mark.parametrize(
    "content",
    [b"", b"PMTiles", b"PMTiles\x02" + bytes(200), b"<html>", b"PMTiles\x03" + b"\xff" * 200],
)
def test_other_files_are_not_pmtiles(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "t.pmtiles"
    path.write_bytes(content)
    with pytest.raises(InputFileError, match=r"t\.pmtiles.*PMTiles"):
        read_tile_network(path)


def test_a_tile_or_directory_that_grows_too_large_is_refused(tmp_path: Path) -> None:
    bomb = gzip.compress(bytes(40 * 2**20))
    path = tmp_path / "t.pmtiles"
    path.write_bytes(bare_pmtiles({(Z, X, Y): bomb}, tile_compression=Compression.GZIP))
    with pytest.raises(InputFileError, match="larger than 32 MB"):
        read_tile_network(path)
    data = bare_pmtiles({(Z, X, Y): b"tile"})
    path.write_bytes(
        serialize_header(
            {  # type: ignore[typeddict-item]
                **dict.fromkeys(("metadata_offset", "metadata_length", "tile_data_offset"), 0),
                "tile_data_length": 0,
                "clustered": True,
                "internal_compression": Compression.GZIP,
                "tile_compression": Compression.NONE,
                "tile_type": TileType.MVT,
                "min_zoom": Z,
                "max_zoom": Z,
                "root_offset": len(data),
                "root_length": len(bomb),
                "min_lon_e7": 23_600_000,
                "max_lon_e7": 24_100_000,
                "min_lat_e7": 488_300_000,
                "max_lat_e7": 488_700_000,
            }
        ).ljust(len(data), b"\0")
        + bomb
    )
    with pytest.raises(InputFileError, match=r"directory.*larger than 32 MB"):
        read_tile_network(path)


def test_an_unknown_schema_is_refused_with_its_layers(tmp_path: Path) -> None:
    road = ("line", [(0, 0), (100, 100)], {"class": "street"})
    tiles = {(Z, X, Y): tile_bytes({"road": [road], "landuse": [road]})}
    with pytest.raises(InputFileError, match=r"layers: landuse, road") as caught:
        read_tile_network(write_folder(tmp_path / "mapbox", tiles))
    assert "Shortbread" in str(caught.value.hint)
    # Protomaps before version 4 has other fields in the layer of the same name.
    old = ("line", [(0, 0), (100, 100)], {"pmap:kind": "minor_road"})
    with pytest.raises(InputFileError, match=r"layers: roads"):
        read_tile_network(write_folder(tmp_path / "old", {(Z, X, Y): tile_bytes({"roads": [old]})}))


# --- joints --------------------------------------------------------------------------------------

GROUND, BRIDGE = ("",), ("bridge",)
COORDINATE = st.integers(0, 400)
LINES = st.lists(
    st.lists(st.tuples(COORDINATE, COORDINATE), min_size=2, max_size=4, unique=True),
    min_size=2,
    max_size=8,
)


@given(LINES)
def test_lines_that_cross_on_the_ground_share_a_vertex(places: list[list[XY]]) -> None:
    lines = np.array([shapely.LineString(xy) for xy in places], dtype=object)
    joined, _ = join_streets(lines, np.ones(len(lines), bool), [GROUND] * len(lines), [], [])
    vertices = [set(line.coords) for line in joined]
    for i in range(len(lines)):
        # No line moves by more than what was simplified away.
        assert shapely.hausdorff_distance(lines[i], joined[i]) <= 2.01
        assert set(lines[i].coords) <= vertices[i]
        for k in range(i):
            if shapely.crosses(lines[i], lines[k]):
                assert vertices[i] & vertices[k]


def test_ends_join_what_they_lie_on() -> None:
    places = [[(0, 0), (100, 0)], [(50, 1), (50, 50)], [(70, 3), (70, 50)], [(30, 0), (30, -9)]]
    lines = np.array([shapely.LineString(xy) for xy in places], dtype=object)
    levels = [GROUND, GROUND, GROUND, BRIDGE]
    joined, _ = join_streets(lines, np.ones(4, bool), levels, [], [])
    # A bridge ends on the ground; an end three units away is no joint.
    assert list(joined[0].coords) == [(0, 0), (30, 0), (50, 1), (100, 0)]
    none, _ = join_streets(
        lines, np.array([True, False, True, True]), [BRIDGE, *levels[1:]], [], []
    )
    assert list(none[0].coords) == [(0, 0), (30, 0), (100, 0)]


def test_areas_are_united_over_the_border_of_tiles() -> None:
    about = {"kind": "pedestrian"}
    pieces = [
        (Tile(14, 0, 0, Path()), Area(shapely.box(4000, 100, 4160, 200), about, "")),
        (Tile(14, 1, 0, Path()), Area(shapely.box(4032, 100, 4300, 201), about, "")),
        (Tile(14, 1, 0, Path()), Area(shapely.box(5000, 100, 5100, 200), about, "")),
        (Tile(14, 1, 0, Path()), Area(shapely.box(4032, 201, 4300, 300), {"kind": "other"}, "")),
    ]
    areas = sorted(unite_areas(pieces), key=lambda area: area.shape.area)
    assert [area.shape.bounds for area in areas] == [
        (5000, 100, 5100, 200),
        (4096, 201, 4300, 300),
        (4000, 100, 4300, 201),
    ]


def test_what_tiles_write_for_no_is_no() -> None:
    reading = Reading(known_schemas()[1], tells_foot=False, rule=tile_rule)
    assert reading.brunnel({"bridge": False, "tunnel": None}) == ""
    assert reading.brunnel({"bridge": "false", "tunnel": 1}) == "tunnel"
    assert reading.judge({"kind": "primary", "tunnel": True}) == ("car_tunnel", 0)
    assert reading.judge({"kind": "runway"}) == ("not_a_street", 0)
    openmaptiles = Reading(known_schemas()[0], tells_foot=True, rule=tile_rule)
    assert openmaptiles.judge({"class": "primary_construction"}) == ("under_construction", 0)
    assert openmaptiles.judge({"class": "path", "subclass": "platform"})[0] == "platform"
    assert openmaptiles.level({"layer": 1.0, "level": None}) == ("", "1", "")
