"""Layers: which is read of several, what is no data, and shapes that hold in metres."""

from __future__ import annotations

import gzip
import json
import zipfile
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyproj
import pytest
import shapely
from pyarrow import parquet
from shapely import LineString, MultiPoint, Point, Polygon, box

from helpers import toy_town
from quart_heure.categories import default_catalogue
from quart_heure.errors import CrsError, InputFileError
from quart_heure.sources.areas.areas import area_from_districts, read_area
from quart_heure.sources.background import read_background
from quart_heure.sources.layers import choose_layer, read_layer, read_layers
from quart_heure.sources.problems import choices_of
from quart_heure.sources.projecting import keeps_lengths, mend_polygon, mended
from quart_heure.sources.residents.files import read_people
from quart_heure.sources.residents.residents import ResidentZones
from quart_heure.sources.services.services import Services, read_services
from quart_heure.sources.services.settings import ServiceSource

AREA = toy_town.town_area()
X, Y = toy_town.ORIGIN
SQUARE = box(X, Y, X + 400, Y + 400)
HERE = gpd.GeoSeries([SQUARE], crs=2154).to_crs(4326).iloc[0].centroid


def layer(**columns: Any) -> gpd.GeoDataFrame:
    n = len(next(iter(columns.values())))
    points = [Point(HERE.x + 0.001 * at, HERE.y) for at in range(n)]
    return gpd.GeoDataFrame(columns, geometry=points, crs=4326)


def read(path: Path, **settings: Any) -> Services:
    source = ServiceSource(file=path, **settings)
    return read_services([source], AREA, catalogue=default_catalogue())


def halves(**columns: list[Any]) -> gpd.GeoDataFrame:
    shapes = [box(X, Y, X + 200, Y + 400), box(X + 200, Y, X + 400, Y + 400)]
    return gpd.GeoDataFrame(columns, geometry=shapes, crs=2154)


# --- several layers ------------------------------------------------------------------------------


def test_every_layer_of_a_geopackage_is_read_and_its_name_is_a_category(tmp_path: Path) -> None:
    path = tmp_path / "s.gpkg"
    layer(nom=["A"]).to_file(path, layer="bains_douches")
    layer(nom=["B", "C"]).to_file(path, layer="bagagerie")
    services = read(path)
    found = services.table.set_index("name")["category"].to_dict()
    assert found == {"A": "bains_douches", "B": "bagagerie", "C": "bagagerie"}
    assert len(choices_of(services.problems)) == 2
    assert set(read(path, part="bagagerie", category="esi").table["name"]) == {"B", "C"}
    with pytest.raises(InputFileError, match="no layer 'esi'") as refused:
        read(path, part="esi")
    assert "'bains_douches', 'bagagerie'" in str(refused.value.hint)


def test_folders_of_a_kml_are_layers(tmp_path: Path) -> None:
    folders = "".join(
        f"<Folder><name>{name}</name><Placemark><name>{name[:3]}</name><Point>"
        f"<coordinates>{HERE.x + 0.001 * at},{HERE.y},0</coordinates></Point></Placemark></Folder>"
        for at, name in enumerate(("Bains-douches", "Bagagerie"))
    )
    path = tmp_path / "s.kml"
    path.write_text(
        '<?xml version="1.0"?><kml xmlns="http://www.opengis.net/kml/2.2"><Document>'
        f"<name>Lieux</name>{folders}</Document></kml>",
        encoding="utf-8",
    )
    found = read(path).table.set_index("name")["category"].to_dict()
    assert found == {"Bai": "bains_douches", "Bag": "bagagerie"}


def umap(path: Path, *layers: dict[str, Any]) -> Path:
    centre = {"type": "Point", "coordinates": [HERE.x, HERE.y]}
    content = {"type": "umap", "properties": {"name": "Carte"}, "geometry": centre}
    path.write_text(json.dumps({**content, "layers": list(layers)}), encoding="utf-8")
    return path


def umap_layer(name: str, shape: shapely.Geometry, **options: Any) -> dict[str, Any]:
    feature = {
        "type": "Feature",
        "properties": {"name": f"Lieu {name}"},
        "geometry": json.loads(shapely.to_geojson(shape)),
    }
    about = {"name": name, **options}
    return {"type": "FeatureCollection", "_umap_options": about, "features": [feature]}


def test_a_umap_is_read_layer_by_layer(tmp_path: Path) -> None:
    block = box(HERE.x + 0.002, HERE.y, HERE.x + 0.003, HERE.y + 0.001)
    layers = (umap_layer("Bagagerie", HERE), umap_layer("Bains-douches", block))
    services = read(umap(tmp_path / "s.umap", *layers))
    assert services.table.set_index("name")["category"].to_dict() == {
        "Lieu Bagagerie": "bagagerie",
        "Lieu Bains-douches": "bains_douches",
    }
    degrees = services.table.set_index("name").to_crs(4326).geometry
    assert block.contains(degrees["Lieu Bains-douches"])


def test_a_umap_whose_data_is_elsewhere_or_under_another_name_is_refused(tmp_path: Path) -> None:
    away = umap_layer("Bagagerie", HERE, remoteData={"url": "http://x.invalid/"})
    with pytest.raises(InputFileError, match="layer 1 is fetched from a server"):
        read(umap(tmp_path / "s.umap", away))
    with pytest.raises(InputFileError, match="is a map of uMap") as refused:
        read(umap(tmp_path / "s.json", umap_layer("Bagagerie", HERE)))
    assert ".umap" in str(refused.value.hint)


def test_districts_are_the_only_layer_of_polygons_and_told(tmp_path: Path) -> None:
    path = tmp_path / "admin.gpkg"
    layer(nom=["Mairie"]).to_file(path, layer="chef_lieu")
    halves(code=["A", "B"], nom=["Est", "Ouest"]).to_file(path, layer="arrondissement")
    area = read_area(path)
    assert area.districts["district_id"].tolist() == ["A", "B"]
    [told] = area.problems
    assert (told["field"], told["action"]) == ("layer", "chosen: 'arrondissement'")
    assert "'chef_lieu'" in told["value"]


def test_several_layers_of_districts_are_refused_with_their_names(tmp_path: Path) -> None:
    path = tmp_path / "admin.gpkg"
    halves(code=["A", "B"], nom=["Est", "Ouest"]).to_file(path, layer="commune")
    halves(code=["A", "B"], nom=["Est", "Ouest"])[:1].to_file(path, layer="departement")
    with pytest.raises(InputFileError, match="'commune', 'departement'") as refused:
        read_area(path)
    assert 'layer = "commune"' in str(refused.value.hint)
    assert len(read_area(path, layer="departement").districts) == 1
    finer = read_area(path, layer="departement", subdistricts=path, subdistricts_layer="commune")
    assert finer.subdistricts is not None
    assert finer.subdistricts["district_id"].tolist() == ["A"]  # the other is in no district


def test_residents_are_the_only_layer_around_the_area(tmp_path: Path) -> None:
    area = area_from_districts(halves(code=["A", "B"], nom=["Est", "Ouest"]), name="x")
    path = tmp_path / "squares.gpkg"
    here = gpd.GeoDataFrame({"ind": [7]}, geometry=[SQUARE], crs=2154)
    here.to_file(path, layer="met")
    far = gpd.GeoDataFrame({"ind": [9]}, geometry=[box(3e5, 7.65e6, 3.1e5, 7.66e6)], crs=2975)
    far.to_file(path, layer="reun")
    found = read_people(path, area)
    assert isinstance(found, ResidentZones)
    assert found.residents.tolist() == [7]
    assert [row["action"] for row in found.problems] == ["chosen: 'met'"]


def test_every_layer_of_a_background_is_drawn(tmp_path: Path) -> None:
    path = tmp_path / "ground.gpkg"
    halves(kind=["water", "park"]).to_file(path, layer="a")
    halves(kind=["rail", "park"]).to_file(path, layer="b")
    assert sorted(read_background(path, crs=AREA.crs)["kind"]) == ["park", "park", "rail", "water"]
    halves(nom=["x", "y"]).to_file(path, layer="c")
    with pytest.raises(InputFileError, match=r"ground\.gpkg, c: there is no column 'kind'"):
        read_background(path, crs=AREA.crs)


def test_a_packed_shapefile_is_read_in_place(tmp_path: Path) -> None:
    halves(code=["A", "B"], nom=["Est", "Ouest"]).to_file(tmp_path / "d.shp")
    with zipfile.ZipFile(tmp_path / "d.zip", "w") as packed:
        for part in tmp_path.glob("d.[!z]*"):
            packed.write(part, f"data/{part.name}")
    assert read_area(tmp_path / "d.zip").districts["label"].tolist() == ["Est", "Ouest"]


# --- nothing leads elsewhere ---------------------------------------------------------------------

VRT = (
    '<OGRVRTDataSource><OGRVRTLayer name="secret"><SrcDataSource>{}</SrcDataSource>'
    "<LayerSRS>EPSG:4326</LayerSRS>"
    '<GeometryField encoding="PointFromColumns" x="longitude" y="latitude"/>'
    "</OGRVRTLayer></OGRVRTDataSource>"
)
WFS = "<OGRWFSDataSource><URL>http://127.0.0.1:9/wfs</URL></OGRWFSDataSource>"
PIPELINE = '{{"type": "gdal_streamed_alg", "command_line": "gdal vector pipeline ! read {}"}}'


@pytest.mark.parametrize("ending", ["geojson", "json", "gpkg", "kml", "shp", "fgb", "geojson.gz"])
@pytest.mark.parametrize("content", [VRT, WFS, PIPELINE, '{{"type":"FeatureCollection"}}' + VRT])
def test_a_file_that_tells_of_other_files_or_servers_is_not_followed(
    tmp_path: Path, ending: str, content: str
) -> None:
    """What GDAL would read here is on no list of the inputs; the harmless CSV proves it could."""
    beside = tmp_path / "secret.csv"
    beside.write_text(f"name,longitude,latitude\ns,{HERE.x},{HERE.y}\n", encoding="utf-8")
    path = tmp_path / f"data.{ending}"
    written = content.format(beside).encode()
    path.write_bytes(gzip.compress(written) if ending.endswith("gz") else written)
    for reader in (read_layer, read_layers, read_area):
        with pytest.raises(InputFileError) as refused:
            reader(path)
        assert "secret" not in str(refused.value).replace(str(tmp_path), "")


def test_gdal_itself_would_have_followed_it(tmp_path: Path) -> None:
    beside = tmp_path / "secret.csv"
    beside.write_text(f"name,longitude,latitude\ns,{HERE.x},{HERE.y}\n", encoding="utf-8")
    (tmp_path / "data.geojson").write_text(VRT.format(beside), encoding="utf-8")
    assert len(gpd.read_file(tmp_path / "data.geojson")) == 1


@pytest.mark.parametrize("name", ["d.gml", "d.vrt", "d.sqlite", "d.xyz", "d"])
def test_other_formats_are_refused_by_name(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("<a/>", encoding="utf-8")
    with pytest.raises(InputFileError, match="is no known format of layers"):
        read_layer(tmp_path / name)


# --- Parquet -------------------------------------------------------------------------------------


class _Wkb(pa.ExtensionType):
    """What arrow writes as Parquet's own type GEOMETRY."""

    def __init__(self, about: str = "{}") -> None:
        self.about = about
        super().__init__(pa.binary(), "geoarrow.wkb")

    def __arrow_ext_serialize__(self) -> bytes:
        return self.about.encode()

    @classmethod
    def __arrow_ext_deserialize__(cls, storage: pa.DataType, serialized: bytes) -> _Wkb:
        return cls(serialized.decode())


def write_own_geometry(path: Path, table: gpd.GeoDataFrame, about: dict[str, Any]) -> None:
    pa.register_extension_type(_Wkb())
    try:
        shapes = pa.array(table.geometry.to_wkb().tolist(), type=pa.binary())
        plain = pa.Table.from_pandas(pd.DataFrame(table.drop(columns="geometry")))
        plain = plain.replace_schema_metadata(None)
        shapes = pa.ExtensionArray.from_storage(_Wkb(json.dumps(about)), shapes)
        parquet.write_table(plain.append_column("geometry", shapes), path)
    finally:
        pa.unregister_extension_type("geoarrow.wkb")


@pytest.mark.parametrize(
    ("about", "crs"),
    [({"crs": "EPSG:2154"}, 2154), ({}, "OGC:CRS84"), ({"crs": "EPSG:4326"}, "OGC:CRS84")],
)
@pytest.mark.parametrize("edges", [{}, {"edges": "spherical"}])
def test_parquet_s_own_geometry(
    tmp_path: Path, about: dict[str, Any], crs: Any, edges: dict[str, Any]
) -> None:
    path = tmp_path / "d.parquet"
    table = halves(code=["A", "B"], nom=["Est", "Ouest"])
    write_own_geometry(path, table.to_crs(crs), {**about, **edges})
    kind = parquet.ParquetFile(path).schema.column(2).logical_type.type
    assert kind == ("GEOGRAPHY" if edges else "GEOMETRY")
    found = read_layer(path)
    assert pyproj.CRS(found.crs) == pyproj.CRS(crs)
    area = read_area(path)
    assert area.geometry.area == pytest.approx(160_000, rel=1e-6)
    services = layer(nom=["A"], category=["bagagerie"])
    write_own_geometry(tmp_path / "s.parquet", services.to_crs(crs), {**about, **edges})
    [place] = read(tmp_path / "s.parquet").table.to_crs(4326).geometry
    assert (place.x, place.y) == pytest.approx((HERE.x, HERE.y), abs=1e-7)


def test_parquet_that_says_nothing_of_shapes_is_a_table(tmp_path: Path) -> None:
    path = tmp_path / "s.parquet"
    rows = {"nom": ["A"], "category": ["bagagerie"], "nb_casiers": [40]}
    table = pd.DataFrame({**rows, "longitude": [HERE.x], "latitude": [HERE.y]})
    table.assign(geometry=[shapely.to_wkb(HERE)]).to_parquet(path)
    services = read(path)
    assert services.table["capacity_value"].tolist() == [40]
    [told] = services.problems.to_dict("records")
    assert (told["field"], told["action"]) == ("geometry", "not read")
    table.drop(columns="longitude").to_parquet(path)
    with pytest.raises(InputFileError, match="no columns 'longitude'"):
        read(path)


# --- shapes --------------------------------------------------------------------------------------


def test_areas_and_lines_give_a_point_inside(tmp_path: Path) -> None:
    x, y = HERE.x, HERE.y
    corners = [(0, 0), (3, 0), (3, 3), (2, 3), (2, 1), (1, 1), (1, 3), (0, 3)]
    horseshoe = Polygon([(x + 1e-3 * i, y + 1e-3 * j) for i, j in corners])
    street = LineString([(x - 1e-3, y), (x - 1e-3, y + 1e-3), (x - 2e-3, y + 2e-3)])
    two = MultiPoint([(x, y), (x + 1e-3, y)])
    table = gpd.GeoDataFrame(
        {"nom": ["court", "rue", "deux"], "category": "bagagerie"},
        geometry=[horseshoe, street, two],
        crs=4326,
    )
    table.to_file(tmp_path / "s.geojson")
    services = read(tmp_path / "s.geojson")
    places = services.table.to_crs(4326).set_index("name").geometry
    assert horseshoe.contains(places["court"])
    assert street.distance(places["rue"]) < 1e-9
    assert "deux" not in places
    told = services.problems.set_index("action")["value"]
    assert told["a point inside is taken"] == "2 / 3"
    assert told["left out"] == "deux"


SLIP = [
    *[(2.3563696168732147, 48.85269786713764), (2.356369616873215, 48.85269786713764)],
    (2.3557696168732147, 48.854497867137646),
]


def test_what_is_valid_in_degrees_is_mended_in_metres_and_told() -> None:
    ring = [(2.34, 48.84), (2.37, 48.84), (2.37, 48.87), (2.34, 48.87)]
    shape = Polygon(ring, [SLIP])
    assert shape.is_valid
    table = gpd.GeoDataFrame({"code": ["1"], "nom": ["A"]}, geometry=[shape], crs=4326)
    assert not table.to_crs(2154).is_valid.all()
    area = area_from_districts(table, name="x")
    [found] = area.districts.geometry
    assert found.is_valid
    assert not found.interiors
    whole = gpd.GeoSeries([Polygon(ring)], crs=4326).to_crs(2154).iloc[0]
    assert found.area == pytest.approx(whole.area, rel=1e-9)
    [told] = area.problems
    assert (told["row"], told["reason"], told["action"]) == (1, "invalid once in metres", "mended")
    # What maps do with it.
    assert shapely.coverage_simplify(np.array([found]), 5.0)[0].is_valid


@pytest.mark.parametrize(
    ("hole", "area"),
    [
        (box(X + 600, Y, X + 700, Y + 100), 160_000),  # outside: no ground, and none is taken
        (box(X + 300, Y, X + 500, Y + 100), 150_000),  # half outside
        (box(X + 100, Y + 100, X + 200, Y + 200), 150_000),
    ],
)
@pytest.mark.parametrize("several", [False, True])
def test_a_hole_outside_its_shell_is_no_ground(hole: Polygon, area: float, several: bool) -> None:
    shape: shapely.Geometry = Polygon(SQUARE.exterior, [hole.exterior])
    if several:
        shape = shapely.MultiPolygon([shape, box(X + 2000, Y, X + 2100, Y + 100)])
    found = mend_polygon(shape)
    assert found.is_valid
    assert found.area == pytest.approx(area + 10_000 * several)


def test_mending_leaves_sound_shapes_as_they_are() -> None:
    ring = Polygon(box(0, 0, 9, 9).exterior, [box(2, 2, 4, 4).exterior])
    hair = Polygon(box(0, 0, 9, 9).exterior, [[(2, 2), (4, 4), (4, 4 + 1e-9)]])
    shapes, at = mended(np.array([ring, hair, None, Point(0, 0)], dtype=object))
    assert at.tolist() == [1]
    assert shapes[0] is ring
    assert shapes[1].equals(box(0, 0, 9, 9))


@pytest.mark.parametrize(
    ("code", "place", "kept"),
    [
        (2154, (2.2, 48.8, 2.5, 48.95), True),
        (2154, (2.2, 51.0, 2.6, 51.1), True),
        (2154, (9.2, 41.4, 9.5, 42.0), True),
        (32631, (2.2, 48.8, 2.5, 48.95), True),
        (3035, (2.2, 48.8, 2.5, 48.95), True),
        (3034, (2.2, 48.8, 2.5, 48.95), False),  # metres that are 3.6 % short
        (3857, (2.2, 48.8, 2.5, 48.95), False),  # and 52 % long
        (32620, (2.2, 48.8, 2.5, 48.95), False),  # the zone of Guadeloupe
        (2154, (55.2, -21.4, 55.8, -20.8), False),  # Réunion
        (2975, (55.2, -21.4, 55.8, -20.8), True),
        (2263, (-74.1, 40.6, -73.8, 40.9), False),  # feet
        (4326, (2.2, 48.8, 2.5, 48.95), False),
    ],
)
def test_a_crs_is_believed_where_its_metres_are_metres(
    code: int, place: tuple[float, float, float, float], kept: bool
) -> None:
    crs = pyproj.CRS.from_epsg(code)
    assert keeps_lengths(crs, place) == kept
    if not (crs.is_projected and crs.axis_info[0].unit_conversion_factor == 1):
        return
    # The slow way: a kilometre on the ellipsoid in four directions, measured in the CRS.
    west, south, east, north = place
    lon, lat = (west + east) / 2, (south + north) / 2
    far = pyproj.Geod(ellps="GRS80").fwd([lon] * 4, [lat] * 4, [0, 45, 90, 135], [1000] * 4)
    move = pyproj.Transformer.from_crs(4326, crs, always_xy=True)
    here, there = move.transform(lon, lat), move.transform(far[0], far[1])
    length_m = np.hypot(np.array(there[0]) - here[0], np.array(there[1]) - here[1])
    assert bool((np.abs(length_m / 1000 - 1) < 0.0055).all()) == kept


@pytest.mark.parametrize("code", [3034, 3857, 2154, 4326])
def test_areas_are_those_of_the_ground_in_whatever_crs_the_file_is(code: int) -> None:
    table = halves(code=["A", "B"], nom=["Est", "Ouest"]).to_crs(code)
    area = area_from_districts(table, name="x")
    assert area.crs.to_epsg() == 2154
    assert area.geometry.area == pytest.approx(160_000, rel=1e-6)


@pytest.mark.parametrize("crs", ['LOCAL_CS["plan",UNIT["metre",1]]', "EPSG:4978"])
def test_a_crs_of_no_place_on_the_globe_is_refused(crs: str) -> None:
    table = halves(code=["A", "B"], nom=["Est", "Ouest"]).set_crs(crs, allow_override=True)
    with pytest.raises(CrsError):
        area_from_districts(table, name="x")


def test_choosing_needs_no_choice_where_there_is_one(tmp_path: Path) -> None:
    halves(code=["A", "B"]).to_file(tmp_path / "d.gpkg", layer="seule")
    assert choose_layer(tmp_path / "d.gpkg", polygons=True) == ("seule", [])


# --- headings cut at ten signs -------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:Column names longer than 10")
@pytest.mark.filterwarnings("ignore:Normalized/laundered field name")
def test_headings_that_a_shapefile_cuts(tmp_path: Path) -> None:
    given = {
        "category": ["bagagerie"],
        "opening_hours": ["Mo-Fr 09:00-12:00"],
        "capacity_value": [25.0],
        "capacity_unit": ["lockers"],
        "modalites_acces": ["sur orientation"],
    }
    layer(nom=["A"], **given).to_file(tmp_path / "s.shp")
    assert "opening_ho" in gpd.read_file(tmp_path / "s.shp").columns
    [row] = read(tmp_path / "s.shp").table.to_dict("records")
    assert row["opening_hours"] == "Mo-Fr 09:00-12:00"
    assert (row["capacity_value"], row["capacity_unit"]) == (25, "lockers")
    assert row["access"] == "referral"
    # Elsewhere ten signs are ten signs.
    layer(nom=["A"], category=["bagagerie"], opening_ho=["Mo-Fr 09:00-12:00"]).to_file(
        tmp_path / "s.geojson"
    )
    assert read(tmp_path / "s.geojson").table["opening_hours"].tolist() == [""]


@pytest.mark.filterwarnings("ignore:Column names longer than 10")
@pytest.mark.filterwarnings("ignore:Normalized/laundered field name")
def test_headings_that_may_be_several_are_told_and_no_day_is_lost(tmp_path: Path) -> None:
    days = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")
    given = {f"horaires_{day}": ["9h-12h"] for day in days}
    layer(nom=["A"], category=["bagagerie"], **given).to_file(tmp_path / "s.shp")
    services = read(tmp_path / "s.shp")
    assert services.table["opening_hours"].tolist() == [""]
    told = set(services.problems.loc[services.problems["action"] == "not read", "field"])
    assert {"horaires_m", "horaires_l", "horaires_j"} <= told


@pytest.mark.filterwarnings("ignore:Column names longer than 10")
@pytest.mark.filterwarnings("ignore:Normalized/laundered field name")
def test_ids_of_districts_under_cut_headings(tmp_path: Path) -> None:
    halves(com_arm_code=["75101", "75102"], lib_grd_quart=["Est", "Ouest"]).to_file(
        tmp_path / "d.shp"
    )
    area = read_area(tmp_path / "d.shp")
    assert area.districts["district_id"].tolist() == ["75101", "75102"]
    assert area.districts["label"].tolist() == ["Est", "Ouest"]
    assert not area.problems
