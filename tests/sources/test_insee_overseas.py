"""Squares of the departments overseas: grids of their own, in files of their own."""

from __future__ import annotations

import zipfile
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pyproj
import pytest
import shapely

from quart_heure.errors import InputFileError
from quart_heure.fetch.portals import RESIDENTS, fetch_residents
from quart_heure.sources.areas.areas import area_from_districts
from quart_heure.sources.online.insee import METROPOLITAN, grid_of, read_insee_squares
from quart_heure.sources.online.web import Web
from quart_heure.sources.residents.files import read_people
from quart_heure.sources.residents.residents import ResidentZones

PLACES = {
    "met": (3035, 3_760_800, 2_888_400),
    "mart": (5490, 708_200, 1_616_400),
    "reun": (2975, 338_400, 7_690_200),
}
"""Grid of each part, and the corner of a square of it."""


def rows(part: str, zeros: str = "") -> pd.DataFrame:
    grid, east, north = PLACES[part]
    ids = [
        f"CRS{grid}RES200mN{north + 200 * r}E{zeros}{east + 200 * c}"
        for c in range(4)
        for r in range(4)
    ]
    people = [10.5 + 3 * n + 100 * list(PLACES).index(part) for n in range(16)]
    return pd.DataFrame({"idcar_200m": ids, "ind": people, "i_est_200": 0})


def layer(part: str) -> gpd.GeoDataFrame:
    grid, east, north = PLACES[part]
    shapes = [
        shapely.box(
            *(east + 200 * c, north + 200 * r), *(east + 200 * c + 200, north + 200 * r + 200)
        )
        for c in range(4)
        for r in range(4)
    ]
    return gpd.GeoDataFrame(rows(part), geometry=shapes, crs=grid)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("overseas")
    pd.concat([rows("met"), rows("mart"), rows("reun", zeros="0")]).to_csv(
        folder / "all.csv", index=False
    )
    rows("met").to_csv(folder / "met.csv", index=False)
    for part in PLACES:
        layer(part).to_file(folder / f"carreaux_200m_{part}.gpkg", layer=f"carreaux_200m_{part}")
        layer(part).to_file(folder / "layers.gpkg", layer=f"carreaux_200m_{part}")
    with zipfile.ZipFile(folder / "all.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for part in PLACES:
            archive.write(folder / f"carreaux_200m_{part}.gpkg", f"carreaux_200m_{part}.gpkg")
    return folder


@pytest.mark.parametrize("part", PLACES)
@pytest.mark.parametrize("name", ["all.csv", "all.zip", "layers.gpkg", "carreaux_200m_{}.gpkg"])
def test_squares_are_read_on_their_own_grid(name: str, part: str, files: Path) -> None:
    grid, east, north = PLACES[part]
    bounds = (east + 210, north + 10, east + 390, north + 190)
    squares = read_insee_squares(files / name.format(part), bounds, grid=grid)
    assert squares.crs.to_epsg() == grid
    assert squares.total_bounds.tolist() == [east + 200, north, east + 400, north + 200]
    assert squares["residents"].tolist() == rows(part)["ind"].iloc[[4]].tolist()


def test_the_grid_of_a_place() -> None:
    for part, (grid, east, north) in PLACES.items():
        to_degrees = pyproj.Transformer.from_crs(grid, 4326, always_xy=True)
        lon, lat = to_degrees.transform(east, north)
        assert grid_of((lon - 0.1, lat - 0.1, lon + 0.1, lat + 0.1)) == grid, part
    assert grid_of((8.7, 41.9, 8.8, 42.0)) == METROPOLITAN


def test_a_file_of_another_part_of_the_country_is_told(files: Path, tmp_path: Path) -> None:
    grid, east, north = PLACES["reun"]
    bounds = (east, north, east + 800, north + 800)
    with pytest.raises(InputFileError, match="squares in EPSG:3035, and none in EPSG:2975"):
        read_insee_squares(files / "met.csv", bounds, grid=grid)
    with pytest.raises(InputFileError, match=r"'CRS5490.*' is not the id of a square in EPSG:3035"):
        read_insee_squares(files / "all.csv")
    with pytest.raises(InputFileError, match="several files, none called 'guy'"):
        read_insee_squares(files / "all.zip", bounds, grid=2972)
    with pytest.raises(InputFileError, match=r"3 layers .*which is to be read"):
        read_insee_squares(files / "layers.gpkg", bounds, grid=2972)
    long = tmp_path / "long.csv"
    long.write_text("idcar_200m,ind\nCRS2975RES200mN76902000000E338400,1\n")
    with pytest.raises(InputFileError, match="not the id of a square in EPSG:2975"):
        read_insee_squares(long, grid=grid)


@pytest.mark.parametrize("part", PLACES)
def test_a_fetched_part_is_counted_to_the_person(part: str, files: Path, tmp_path: Path) -> None:
    grid, east, north = PLACES[part]
    town = shapely.box(east + 210, north + 210, east + 590, north + 590)
    district = gpd.GeoDataFrame({"district_id": ["1"], "label": ["A"]}, geometry=[town], crs=grid)
    reach = district.to_crs(4326).union_all()
    fetched = fetch_residents(Web(), str(files / "all.zip"), reach=reach, largest_mb=10.0)
    path = tmp_path / RESIDENTS
    fetched.writers[RESIDENTS](path)
    # The four squares that the town stands in, and no others.
    inner = rows(part)["ind"].iloc[[5, 6, 9, 10]]
    assert fetched.manifest["residents"]["squares"] >= 4
    people = read_people(path, area_from_districts(district.to_crs(4326), name="A"))
    assert isinstance(people, ResidentZones)
    inside = district.to_crs(people.crs).geometry.iloc[0]
    within = people.residents[shapely.intersects(people.shapes, inside)]
    assert within.sum() == pytest.approx(inner.sum())
    to_grid = pyproj.Transformer.from_crs(people.crs, grid, always_xy=True)
    back = shapely.transform(people.shapes, to_grid.transform, interleaved=False)
    assert min(shapely.area(back)) == pytest.approx(40_000, rel=1e-4)
