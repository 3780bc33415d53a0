"""INSEE's figures: squares of 200 m and IRIS, from files as they come and as they should not."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import pytest
import shapely

from helpers import fake_portals, fake_server
from helpers.fake_osm import INSEE, FakeOsm
from helpers.fake_portals import FakePortals
from quart_heure.errors import InputFileError, TryLaterError
from quart_heure.fetch.fetch import SnapshotReport, fetch_territory
from quart_heure.fetch.portals import PortalRequest
from quart_heure.fetch.territory import TerritoryRequest
from quart_heure.sources.online.insee import read_insee_squares, read_iris_population
from quart_heure.sources.online.overpass import LiveSettings
from quart_heure.study import analyse
from quart_heure.study.file import read_study

# The square in which the toy town begins.
EAST, NORTH = 3_760_800, 2_888_400


def square_id(col: int, row: int) -> str:
    return f"CRS3035RES200mN{NORTH + 200 * row}E{EAST + 200 * col}"


def table() -> pd.DataFrame:
    places = [(c, r) for r in range(-5, 15) for c in range(-5, 15)]
    return pd.DataFrame(
        {
            "idcar_200m": [square_id(c, r) for c, r in places],
            "i_est_200": 0,
            "lcog_geo": "75105",
            "ind": [10.5 + c + 15 * r if (c + r) % 3 else 0.0 for c, r in places],
            "men": 4,
            "men_pauv": 1,
        }
    ).assign(ind=lambda t: t["ind"].clip(lower=0))


def outlines(rows: pd.DataFrame) -> list[shapely.Polygon]:
    place = rows["idcar_200m"].str.extract(r"N(\d+)E(\d+)").astype(float)
    return list(shapely.box(place[1], place[0], place[1] + 200, place[0] + 200))


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("insee")
    rows = table()
    rows.to_csv(folder / "carreaux.csv", index=False)
    layer = gpd.GeoDataFrame(rows, geometry=outlines(rows), crs=3035).to_crs(2154)
    layer.to_file(folder / "carreaux_200m_met.gpkg", layer="carreaux_200m_met")
    for name, members in {
        "gpkg.zip": ["carreaux_200m_met.gpkg", "carreaux.csv"],
        "csv.zip": ["carreaux.csv"],
    }.items():
        with zipfile.ZipFile(folder / name, "w", zipfile.ZIP_DEFLATED) as archive:
            for member in members:
                archive.write(folder / member, member)
    return folder


@pytest.mark.parametrize("name", ["carreaux.csv", "carreaux_200m_met.gpkg", "gpkg.zip", "csv.zip"])
def test_squares_are_read_from_each_kind_of_file(name: str, files: Path) -> None:
    every = read_insee_squares(files / name)
    assert every.crs.to_epsg() == 3035
    assert len(every) == 400
    assert every["residents"].sum() == pytest.approx(table()["ind"].sum())
    assert set(every.area.round()) == {40_000}
    bounds = (EAST + 10, NORTH + 10, EAST + 390, NORTH + 190)
    some = read_insee_squares(files / name, bounds)
    assert list(some["square_id"]) == [square_id(0, 0), square_id(1, 0)]
    assert some.total_bounds.tolist() == [EAST, NORTH, EAST + 400, NORTH + 200]
    assert list(some["poor_households"]) == [1, 1]
    far = read_insee_squares(files / name, (0, 0, 10, 10))
    assert far.empty


def test_a_csv_of_other_times(tmp_path: Path) -> None:
    path = tmp_path / "old.csv"
    path.write_text(f"IdINSPIRE;Ind\n{square_id(0, 0)};12\n", encoding="utf-8")
    squares = read_insee_squares(path)
    assert squares["residents"].tolist() == [12]
    assert squares["households"].isna().all()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("idcar_200m,men\nx,1\n", "no column 'ind'"),
        ("ind\n1\n", "no column 'idcar_200m'"),
        ("idcar_200m,ind\nFR200mN1E2,3\n", "'FR200mN1E2' is not the id of a square"),
        (f"idcar_200m,ind\n{square_id(0, 0)},-3\n", "'-3' is not a number of residents"),
        (f"idcar_200m,ind\n{square_id(0, 0)},\n", "is not a number of residents"),
        (f"idcar_200m,ind\n{square_id(0, 0)},1\n{square_id(0, 0)},2\n", "stands there twice"),
        (f"idcar_200m,ind\n{square_id(0, 0)},1\nCRS3035RES1000mN0E0,2\n", "several sizes"),
        ("", "no column"),
    ],
)
def test_a_file_that_is_none_of_squares(text: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "squares.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputFileError, match=words):
        read_insee_squares(path)


def test_an_archive_that_is_none(tmp_path: Path, files: Path) -> None:
    for name, content in {"cut.zip": (files / "csv.zip").read_bytes()[:-40], "no.zip": b""}.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputFileError, match="cut short, or no archive"):
            read_insee_squares(tmp_path / name)
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("carreaux.7z", b"7z")
    with pytest.raises(InputFileError, match=r"no .gpkg and no .csv \(carreaux.7z\)"):
        read_insee_squares(tmp_path / "other.zip")
    damaged = bytearray((files / "csv.zip").read_bytes())
    damaged[200:260] = bytes(60)
    (tmp_path / "damaged.zip").write_bytes(damaged)
    with pytest.raises(InputFileError, match="it is damaged"):
        read_insee_squares(tmp_path / "damaged.zip")


def test_an_archive_that_would_fill_the_disk(tmp_path: Path, files: Path) -> None:
    with pytest.raises(InputFileError, match=r"larger than 0\.01 MB"):
        read_insee_squares(files / "csv.zip", largest_unpacked_mb=0.01)
    bomb = tmp_path / "bomb.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb.csv", bytes(20_000_000))
    with pytest.raises(InputFileError, match="suspiciously large"):
        read_insee_squares(bomb)
    # An archive that lies about what it holds is found out while it is unpacked.
    content = bytearray((files / "csv.zip").read_bytes())
    central = content.rindex(b"PK\x01\x02")
    content[central + 24 : central + 28] = (100).to_bytes(4, "little")
    liar = tmp_path / "liar.zip"
    liar.write_bytes(content)
    with pytest.raises(InputFileError):
        read_insee_squares(liar, largest_unpacked_mb=0.001)


# ---- IRIS


def test_population_of_iris(tmp_path: Path) -> None:
    csv, layer = tmp_path / "pop.csv", tmp_path / "iris.geojson"
    csv.write_text("IRIS;COM;P22_POP\n751010101;75101;900.5\n010040101;01004;12\n")
    shapes = [shapely.box(k, 0, k + 1, 1) for k in range(3)]
    codes = ["751010101", "751010102", "10040101"]
    gpd.GeoDataFrame({"CODE_IRIS": codes}, geometry=shapes, crs=4326).to_file(layer)
    found = read_iris_population(csv, layer)
    assert found["iris"].tolist() == ["010040101", "751010101", "751010102"]
    np.testing.assert_array_equal(found["residents"], [12, 900.5, np.nan])
    assert found.crs.to_epsg() == 4326
    assert len(read_iris_population(csv, layer, bounds=(0.2, 0.2, 0.8, 0.8))) == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("IRIS;COM\n1;2\n", "no column P22_POP"),
        ("COM;P22_POP\n1;2\n", "no column IRIS"),
        ("IRIS;P22_POP\n751010101;beaucoup\n", "row 1: 'beaucoup' is not a number"),
        ("IRIS;P22_POP\n130550101;5\n", "none of its 1 IRIS"),
    ],
)
def test_a_table_that_is_none_of_iris(text: str, words: str, tmp_path: Path) -> None:
    csv, layer = tmp_path / "pop.csv", tmp_path / "iris.geojson"
    csv.write_text(text)
    frame = gpd.GeoDataFrame({"iris_code": ["751010101"]}, geometry=[shapely.box(0, 0, 1, 1)])
    frame.set_crs(4326).to_file(layer)
    with pytest.raises(InputFileError, match=words):
        read_iris_population(csv, layer)


def test_outlines_without_codes(tmp_path: Path) -> None:
    csv, layer = tmp_path / "pop.csv", tmp_path / "iris.geojson"
    csv.write_text("IRIS;P22_POP\n751010101;5\n")
    frame = gpd.GeoDataFrame({"nom": ["x"]}, geometry=[shapely.box(0, 0, 1, 1)], crs=4326)
    frame.to_file(layer)
    with pytest.raises(InputFileError, match="no column with the codes"):
        read_iris_population(csv, layer)


# ---- into a snapshot


@pytest.fixture
def portals(files: Path) -> Iterator[FakePortals]:
    service = FakePortals()
    service.files["/squares.zip"] = (files / "gpkg.zip").read_bytes()
    with service.running():
        yield service


def fetch(folder: Path, residents: str, largest_mb: float = 10.0) -> SnapshotReport:
    with FakeOsm().running() as osm, pytest.MonkeyPatch.context() as patch:
        zone = pyproj.CRS.from_epsg(32631)
        patch.setattr("geopandas.GeoDataFrame.estimate_utm_crs", lambda *_, **__: zone)
        return fetch_territory(
            TerritoryRequest(insee=INSEE),
            portals=PortalRequest(residents=residents, largest_mb=largest_mb),
            output=folder,
            settings=LiveSettings(mirrors=(osm.a,), pauses_s=(5,), wait=lambda _: None),
        )


def test_a_snapshot_with_residents(portals: FakePortals, files: Path, tmp_path: Path) -> None:
    report = fetch(tmp_path / "a", f"{portals.url}/squares.zip")
    about = report.snapshot.manifest["residents"]
    assert about["bytes"] == (files / "gpkg.zip").stat().st_size
    clip = pd.read_csv(report.snapshot.file("insee_squares.csv"))
    assert clip["residents"].sum() == pytest.approx(about["residents"], abs=0.1)
    study = read_study(report.snapshot.folder, cell_m=50.0)
    coverage = analyse(study)
    # To the person: of the squares around the town, each is on the cells or told as outside.
    squares = read_insee_squares(report.snapshot.file("insee_squares.csv"))
    squares = squares.to_crs(study.area.crs)
    around = shapely.box(*study.area.geometry.bounds)
    there = squares.loc[shapely.intersects(squares.geometry, around), "residents"].sum()
    outside = coverage.manifest["counts"]["residents_outside"]
    assert coverage.cells["residents"].sum() > 0
    assert coverage.cells["residents"].sum() + outside == pytest.approx(there, abs=0.1)
    assert any(each["source"] == "INSEE, Filosofi" for each in coverage.manifest["inputs"])
    assert "INSEE" in coverage.manifest["attribution"]
    assert any(line.startswith("residents: ") for line in report.lines())
    # A file at hand gives the same.
    local = fetch(tmp_path / "b", str(files / "gpkg.zip")).snapshot
    assert local.manifest["residents"]["sha256"] == about["sha256"]
    assert local.manifest["residents"]["from"] == "gpkg.zip"
    same = [s.file("insee_squares.csv").read_bytes() for s in (report.snapshot, local)]
    assert same[0] == same[1]


@pytest.mark.parametrize(
    ("trouble", "kind", "words"),
    [
        (fake_server.hang_up, TryLaterError, "broke off"),
        (fake_portals.status(503), TryLaterError, "HTTP 503"),
        (fake_portals.status(404), InputFileError, "HTTP 404"),
        (fake_server.half, InputFileError, "cut short, or no archive"),
        (fake_server.page, InputFileError, "cut short, or no archive"),
    ],
)
def test_residents_that_do_not_come(
    trouble: fake_portals.Trouble,
    kind: type[Exception],
    words: str,
    portals: FakePortals,
    tmp_path: Path,
) -> None:
    portals.troubles["/squares"] = [trouble] * 5
    with pytest.raises(kind, match=words):
        fetch(tmp_path / "out", f"{portals.url}/squares.zip")
    assert not (tmp_path / "out").exists()


def test_residents_that_are_too_large_or_elsewhere(portals: FakePortals, tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match=r"more than 0\.001 MB"):
        fetch(tmp_path / "out", f"{portals.url}/squares.zip", largest_mb=0.001)
    far = f"idcar_200m,ind\nCRS3035RES200mN2000000E4000000,{5}\n"
    portals.files["/far.csv"] = far.encode()
    with pytest.raises(InputFileError, match="none of its squares has residents here"):
        fetch(tmp_path / "out", f"{portals.url}/far.csv")
    with pytest.raises(InputFileError, match="not the address of a server"):
        fetch(tmp_path / "out", "no-such-file.zip")
    assert not (tmp_path / "out").exists()
    assert json.dumps(sorted(path.name for path in tmp_path.iterdir())) == "[]"
