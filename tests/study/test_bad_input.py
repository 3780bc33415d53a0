"""Bad input: a clear message, an exit code of its own, and nothing half-written."""

from __future__ import annotations

import dataclasses
import io
import json
import logging
import os
import pickle
import re
import shutil
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from geopandas.testing import assert_geodataframe_equal
from pandas.testing import assert_frame_equal
from pyarrow import parquet
from shapely import LineString, MultiPoint, Point, Polygon
from shapely.affinity import translate

from helpers import toy_town
from helpers.project import fewer, thorough
from helpers.study_files import (
    add,
    read_town,
    same_figures,
    services_table,
    swap,
    write_residents,
    write_town,
)
from quart_heure import errors
from quart_heure.cache import Cache
from quart_heure.cli import main
from quart_heure.network.graph import WalkNetwork
from quart_heure.outputs.discretion import publishable
from quart_heure.outputs.report.report import render_report
from quart_heure.outputs.results.write import RESULT_FILES
from quart_heure.study import Coverage, Study, analyse
from quart_heure.study.file import read_study

Table = pd.DataFrame
Refuse = Callable[..., str]


@pytest.fixture(autouse=True)
def no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUART_HEURE_CACHE", "")


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_town(tmp_path_factory.mktemp("town")).parent


@pytest.fixture
def folder(town: Path, tmp_path: Path) -> Path:
    """Give a copy of the toy town's files, to spoil one of them."""
    return Path(shutil.copytree(town, tmp_path / "town"))


@pytest.fixture
def study(folder: Path) -> Path:
    return folder / "study.toml"


@pytest.fixture
def refuse(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Refuse:
    """Run a command that must fail; return its message after checking that it left nothing."""

    def run(kind: type[errors.QuartHeureError], *arguments: object) -> str:
        given = arguments[:1] if len(arguments) == 1 else ()
        command = ("analyse", *given, "-o", tmp_path / "results") if given else arguments
        before = files_below(tmp_path)
        code = main([str(each) for each in command])
        out, err = capsys.readouterr()
        assert (code, out) == (kind.exit_code, "")
        message = err.splitlines()[-1]
        assert message.startswith("Error: ")
        # What happened, and what to do: two sentences at least.
        assert re.search(r"[.)] [A-Z].*[.?]$", message)
        assert files_below(tmp_path) == before
        return message

    return run


def files_below(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} | {
        path: b"" for path in folder.rglob("*") if path.is_dir()
    }


def change_services(folder: Path, change: Callable[[Table], Table]) -> None:
    path = folder / "services.csv"
    change(pd.read_csv(path, dtype=str, keep_default_na=False)).to_csv(path, index=False)


def change_districts(folder: Path, change: Callable[[gpd.GeoDataFrame], gpd.GeoDataFrame]) -> None:
    path = folder / "districts.parquet"
    change(gpd.read_parquet(path)).to_parquet(path)


def without_crs(layer: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    plain = pd.DataFrame(layer.drop(columns="geometry"))
    return gpd.GeoDataFrame(plain, geometry=list(layer.geometry))


def listed(coverage: Coverage, reason: str) -> Table:
    """Give the problems of that reason."""
    return coverage.problems[coverage.problems["reason"].str.contains(reason, regex=False)]


# --- files ---------------------------------------------------------------------------------------

INPUTS = ("districts.parquet", "services.csv", "network.parquet", "residents.parquet")


@pytest.mark.parametrize("name", ["study.toml", *INPUTS])
def test_a_missing_file_is_named(folder: Path, refuse: Refuse, name: str) -> None:
    (folder / name).unlink()
    message = refuse(errors.InputFileError, folder / "study.toml")
    assert f"{folder / name}: there is no such" in message


@pytest.mark.parametrize("name", INPUTS)
@pytest.mark.parametrize("content", [b"", b"\x00\xff\x13 not what it says \x9c" * 40])
def test_a_damaged_file_is_named(folder: Path, refuse: Refuse, name: str, content: bytes) -> None:
    (folder / name).write_bytes(content)
    assert f"{folder / name}: " in refuse(errors.InputFileError, folder / "study.toml")


@pytest.mark.parametrize(
    "name",
    [
        *("study.toml", "districts.parquet", "services.csv", "residents.parquet"),
        "network.parquet",
    ],
)
def test_a_folder_is_not_a_file(folder: Path, refuse: Refuse, name: str) -> None:
    (folder / name).unlink()
    (folder / name).mkdir()
    assert f"{folder / name}: " in refuse(errors.InputFileError, folder / "study.toml")


def test_a_missing_background_is_named(study: Path, refuse: Refuse) -> None:
    add(study, '[map]\nbackground = "nothing.parquet"')
    assert "nothing.parquet: there is no such file" in refuse(errors.InputFileError, study)


# --- coordinate systems --------------------------------------------------------------------------


def test_metres_that_are_called_degrees(folder: Path, refuse: Refuse) -> None:
    change_districts(folder, lambda d: d.set_crs(4326, allow_override=True))
    message = refuse(errors.CrsError, folder / "study.toml")
    assert "650000.0 … 652000.0" in message
    assert "are not degrees. Check the coordinate reference system" in message


def test_degrees_that_are_called_metres(folder: Path, refuse: Refuse) -> None:
    change_districts(folder, lambda d: d.to_crs(4326).set_crs(2154, allow_override=True))
    message = refuse(errors.StudyFileError, folder / "study.toml")
    assert "No cell of 25 m has its centre in 'Petite Ville', 0.0" in message
    assert "or check the coordinate system of the districts." in message


@pytest.mark.parametrize("layer", ["districts", "services"])
@pytest.mark.parametrize("ending", ["parquet", "gpkg", "shp"])
@pytest.mark.filterwarnings("ignore:'crs' was not provided")
@pytest.mark.filterwarnings("ignore:Column names longer than 10")
@pytest.mark.filterwarnings("ignore:Normalized/laundered field name")
def test_a_layer_without_crs(folder: Path, refuse: Refuse, layer: str, ending: str) -> None:
    tables = {
        "districts": toy_town.town_area().districts,
        "services": toy_town.town_services().table[["service_id", "category", "geometry"]],
    }
    path = folder / f"plain.{ending}"
    bare = without_crs(tables[layer])
    bare.to_parquet(path) if ending == "parquet" else bare.to_file(path)
    old = {"districts": '"districts.parquet"', "services": '"services.csv"'}[layer]
    swap(folder / "study.toml", old, f'"{path.name}"')
    message = refuse(errors.CrsError, folder / "study.toml")
    assert f"{path}: the layer has no coordinate reference system. Save it with one" in message


def test_a_network_in_degrees(folder: Path, refuse: Refuse) -> None:
    edges = toy_town.town_edges().to_crs(4326)
    edges.to_parquet(folder / "network.parquet")
    message = refuse(errors.CrsError, folder / "study.toml")
    assert "EPSG:4326, which is not in metres. Reproject it" in message


def test_residents_of_another_crs(folder: Path, refuse: Refuse) -> None:
    squares = toy_town.town_residents()
    write_residents(squares, folder / "residents.parquet", crs="EPSG:3035")
    # Squares of another grid are welcome; those of the wrong place are not.
    message = refuse(errors.InputFileError, folder / "study.toml")
    assert f"{folder / 'residents.parquet'}: nobody lives in or around 'Petite Ville'" in message


@pytest.mark.parametrize(
    ("about", "kind"),
    [
        ({}, errors.CrsError),
        ({"crs": "EPSG:nothing", "square_m": 25}, errors.CrsError),
        ({"crs": "EPSG:2154", "square_m": "?"}, errors.InputFileError),
        ({"crs": "EPSG:2154", "square_m": 0}, errors.InputFileError),
    ],
)
def test_residents_that_do_not_say_where(
    folder: Path, refuse: Refuse, about: dict[str, object], kind: type[errors.QuartHeureError]
) -> None:
    table = parquet.read_table(folder / "residents.parquet")
    metadata = {b"quart_heure": json.dumps(about).encode()}
    parquet.write_table(table.replace_schema_metadata(metadata), folder / "residents.parquet")
    assert f"{folder / 'residents.parquet'}: " in refuse(kind, folder / "study.toml")


@pytest.mark.parametrize("people", [-1.0, np.nan, np.inf])
def test_impossible_numbers_of_residents(folder: Path, refuse: Refuse, people: float) -> None:
    squares = toy_town.town_residents()
    squares.residents[4] = people
    write_residents(squares, folder / "residents.parquet")
    message = refuse(errors.InputFileError, folder / "study.toml")
    assert f"residents.parquet, row 5: {people} is not a number of residents" in message


def test_residents_without_a_column(folder: Path, refuse: Refuse) -> None:
    parquet.write_table(pa.table({"col": [1], "row": [1]}), folder / "residents.parquet")
    message = refuse(errors.InputFileError, folder / "study.toml")
    assert "It needs the columns col, row and residents." in message


# --- districts -----------------------------------------------------------------------------------


def spoilt(shape: object) -> Callable[[gpd.GeoDataFrame], gpd.GeoDataFrame]:
    return lambda d: d.set_geometry(gpd.GeoSeries([d.geometry[0], shape], crs=d.crs))


BOW_TIE = translate(Polygon([(0, 0), (900, 900), (900, 0), (0, 900)]), *toy_town.ORIGIN)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (spoilt(BOW_TIE), "row 2: the geometry is not a valid polygon (Self-intersection["),
        (
            spoilt(LineString([(0, 0), (1, 1)])),
            "row 2: the geometry is not a polygon. Every row is a district",
        ),
        (spoilt(Polygon()), "row 2: the geometry is empty"),
        (spoilt(None), "row 2: the geometry is not a polygon."),
        (lambda d: d.assign(district_id="x"), "two districts have the id 'x'. Merge them"),
        (lambda d: d.assign(district_id=["E", None]), "row 2: the district has no id. Give it"),
        (lambda d: d.assign(district_id=["W ", "W\n"]), "two districts have the id 'W'."),
        (lambda d: d.assign(district_id=["\u200b", "W"]), "row 1: the district has no id."),
        (lambda d: d.assign(district_id=[" ", "W"]), "row 1: the district has no id. Give it"),
        (lambda d: d.iloc[:0], "there is no district. Give at least one polygon."),
    ],
)
def test_districts_that_cannot_be_used(
    folder: Path,
    refuse: Refuse,
    change: Callable[[gpd.GeoDataFrame], gpd.GeoDataFrame],
    words: str,
) -> None:
    change_districts(folder, change)
    message = refuse(errors.GeometryError, folder / "study.toml")
    assert str(folder / "districts.parquet") in message
    assert words in message


def test_a_column_that_is_not_there(study: Path, refuse: Refuse) -> None:
    swap(study, "[area]", '[area]\nid_column = "insee"')
    message = refuse(errors.InputFileError, study)
    assert "there is no column 'insee'. Columns are district_id, label, geometry." in message


@pytest.mark.parametrize("value", [None, "", " "])
def test_a_district_whose_named_id_is_blank(study: Path, refuse: Refuse, value: object) -> None:
    change_districts(study.parent, lambda d: d.assign(code=["1", value]))
    swap(study, "[area]", '[area]\nid_column = "code"')
    message = refuse(errors.GeometryError, study)
    assert "districts.parquet, row 2: the district has no id." in message
    assert "name another column: id_column in [area]." in message


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"districts.parquet"', '"services.csv"'),
        ('"districts.parquet"', '"districts.parquet"\nsubdistricts = "services.csv"'),
        ('"residents.parquet"', '"residents.parquet"\nbuildings = "services.csv"'),
        ("[network]", '[map]\nbackground = "services.csv"\n[network]'),
    ],
)
def test_a_table_where_a_layer_is_wanted(study: Path, refuse: Refuse, old: str, new: str) -> None:
    swap(study, old, new)
    message = refuse(errors.InputFileError, study)
    assert f"{study.parent / 'services.csv'}: is a table without geometry. Give a" in message


@pytest.mark.filterwarnings("ignore:'crs' was not provided")
@pytest.mark.parametrize("role", ["residents", "buildings"])
def test_a_layer_about_people_that_is_nowhere(study: Path, refuse: Refuse, role: str) -> None:
    layer = without_crs(toy_town.town_area().districts).assign(residents=[40, 60])
    layer.to_file(study.parent / "people.gpkg")
    new = (
        '"people.gpkg"' if role == "residents" else '"residents.parquet"\nbuildings = "people.gpkg"'
    )
    message = refuse(errors.CrsError, swap(study, '"residents.parquet"', new))
    assert f"{study.parent / 'people.gpkg'}: the layer has no coordinate reference" in message


# --- the background of maps ----------------------------------------------------------------------


def write_background(folder: Path, change: Callable[[gpd.GeoDataFrame], gpd.GeoDataFrame]) -> None:
    ground = toy_town.town_area().districts[["geometry"]].assign(kind="park", name="Jardin")
    change(ground).to_parquet(folder / "ground.parquet")
    add(folder / "study.toml", '[map]\nbackground = "ground.parquet"')


def test_a_background_without_kinds_is_told_first(folder: Path, refuse: Refuse) -> None:
    write_background(folder, lambda g: g.drop(columns="kind"))
    message = refuse(errors.InputFileError, folder / "study.toml")
    assert f"{folder / 'ground.parquet'}: there is no column 'kind'" in message
    assert "Columns are geometry, name; or leave background out" in message


def test_a_background_that_is_nowhere(folder: Path, refuse: Refuse) -> None:
    write_background(folder, without_crs)
    message = refuse(errors.CrsError, folder / "study.toml")
    assert f"{folder / 'ground.parquet'}: the layer has no coordinate" in message


@pytest.mark.parametrize("name", fewer(["a\x00b", "a\u200bb", "a\nb", "a\u00a0b"], 2))
def test_what_cannot_be_seen_of_an_id_is_dropped(folder: Path, tmp_path: Path, name: str) -> None:
    change_districts(folder, lambda d: d.assign(district_id=[name, "W"], label=[name, "Ouest"]))
    study = str(folder / "study.toml")
    assert main(["report", study, "--format", "html", "-o", str(tmp_path / "r.html")]) == 0
    assert main(["dossier", study, "-o", str(tmp_path / "dossiers")]) == 0
    assert set(read_study(folder / "study.toml").area.districts["district_id"]) <= {
        *("a b", "ab", "W")
    }


def test_a_background_with_a_crossed_polygon_is_drawn(folder: Path, tmp_path: Path) -> None:
    def spoil(ground: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
        return ground.set_geometry([BOW_TIE, None], crs=ground.crs)

    write_background(folder, spoil)
    assert main(["map", str(folder / "study.toml"), "-o", str(tmp_path / "map.html")]) == 0


def test_a_background_needs_no_names(folder: Path, tmp_path: Path) -> None:
    write_background(folder, lambda g: g.drop(columns="name"))
    assert main(["map", str(folder / "study.toml"), "-o", str(tmp_path / "map.html")]) == 0


# --- services: rows that are listed while the run goes on ----------------------------------------


def test_swapped_coordinates_are_listed(folder: Path) -> None:
    def change(table: Table) -> Table:
        here = table["service_id"] == "A1"
        swapped = table.loc[here, ["latitude", "longitude"]].to_numpy()
        table.loc[here, ["longitude", "latitude"]] = swapped
        return table

    change_services(folder, change)
    coverage = analyse(read_study(folder / "study.toml"))
    [row] = listed(coverage, "longitude and latitude seem swapped").to_dict("records")
    assert (row["file"], row["row"], row["field"]) == ("services.csv", 1, "coordinates")
    assert row["value"].startswith("Service A1 – 48.")
    assert row["action"] == "left out"
    assert "A1" not in set(coverage.services["service_id"])
    city = coverage.city.set_index("category")
    assert city.loc["bains_douches", "uncovered_pct"] == 100
    assert city.loc["esi", "covered_pct"] > 0


def test_all_coordinates_swapped(folder: Path, refuse: Refuse) -> None:
    names = {"longitude": "latitude", "latitude": "longitude"}
    change_services(folder, lambda table: table.rename(columns=names))
    message = refuse(errors.InputFileError, folder / "study.toml")
    assert "services.csv: in all of its 7 rows longitude and latitude are swapped." in message


def test_points_outside_the_area_are_listed(folder: Path) -> None:
    # Lyon is outside; the boundary is crossed by 1 km and by 2 km, where 1500 m still count.
    lyon = gpd.GeoSeries([Point(4.83, 45.76)], crs=4326).to_crs(toy_town.CRS)[0]
    table = toy_town.town_services().table
    east = toy_town.ORIGIN[0] + toy_town.WIDTH_M
    y = toy_town.ORIGIN[1] + 400
    table.loc[:2, "geometry"] = [lyon, Point(east + 1000, y), Point(east + 2000, y)]
    services_table(table).to_csv(folder / "services.csv", index=False)
    coverage = analyse(read_study(folder / "study.toml"))
    outside = listed(coverage, "more than 1500 m outside the area")
    assert list(outside["value"]) == ["Service A1 – A1", "Service B1 – B1"]
    assert set(outside["action"]) == {"left out"}
    assert list(zip(outside["file"], outside["row"], strict=True)) == [
        ("services.csv", 1),
        ("services.csv", 3),
    ]
    services = coverage.services.set_index("service_id")
    assert services.loc["A1", "left_out_reason"] == "too far outside the area"
    assert not services.loc["C1", "inside"]  # 50 m outside, it counts
    assert services.loc["C1", "counted"]
    assert coverage.manifest["counts"]["services_counted_outside"] == 1


def test_all_points_outside(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change_services(folder, lambda table: table.assign(longitude="5.0", latitude="45.0"))
    assert main(["report", str(folder / "study.toml"), "--format", "json"]) == 0
    report = json.loads(capsys.readouterr().out)
    # A place is known of these, though a far one; of the others nobody knows of any.
    judged = {"bains_douches", "bagagerie", "esi", "essential_all", "essential_any"}
    shares = {row["category"]: (row["covered_pct"], row["uncovered_pct"]) for row in report["city"]}
    assert {name: shares.pop(name) for name in judged} == dict.fromkeys(judged, (0, 100))
    assert shares == dict.fromkeys(("restaurant_solidaire", "halte_femmes"), (None, None))
    assert "no service in the area or near it" in {row["reason"] for row in report["problems"]}
    reasons = [row["reasons"] for row in report["services"]["by_category"]]
    assert sum(each.get("too far outside the area", 0) for each in reasons) == 5
    # All but the one that is closed, and the one that is discreet, which is counted alone.
    told = [row["value"] for row in report["problems"] if "outside the area" in row["reason"]]
    assert len(told) == len(toy_town.SERVICES) - 2
    published = publishable(analyse(read_study(folder / "study.toml")))
    assert published.manifest["withheld"]["services_without_zone"] == 1


@pytest.mark.parametrize(
    ("longitude", "latitude", "reason"),
    [
        ("", "", "no coordinates"),
        ("2.3", "north", "no coordinates"),
        ("inf", "48.8", "no coordinates"),
        ("200", "48.8", "not on the globe"),
        ("2.3", "-91", "not on the globe"),
    ],
)
def test_impossible_coordinates_are_listed(
    folder: Path, longitude: str, latitude: str, reason: str
) -> None:
    def change(table: Table) -> Table:
        table.loc[0, ["longitude", "latitude"]] = [longitude, latitude]
        return table

    change_services(folder, change)
    problems = read_study(folder / "study.toml").services.problems
    assert list(problems["reason"]) == [reason]
    assert list(problems["row"]) == [1]


def test_places_that_are_no_points_are_listed(folder: Path) -> None:
    table = toy_town.town_services().table
    table.loc[:2, "geometry"] = [
        MultiPoint([(650_000, 6_860_000), (650_100, 6_860_000)]),
        None,
        Point(),
    ]
    table.to_parquet(folder / "services.parquet")
    swap(folder / "study.toml", "services.csv", "services.parquet")
    problems = read_study(folder / "study.toml").services.problems
    assert list(problems["row"]) == [1, 2, 3]
    assert set(problems["reason"]) == {"no coordinates"}


def test_a_service_that_no_street_reaches_is_listed(folder: Path, study: Path) -> None:
    coverage = analyse(read_study(study))
    lost = listed(coverage, "no useful street within 100 m")
    # In the rail yard, and on the islet whose alley leads nowhere.
    assert list(lost["value"]) == ["Service B1 – B1", "Service B2 – B2"]
    assert list(lost["row"]) == [3, 4]
    services = coverage.services.set_index("service_id")
    assert list(services.loc[["B1", "B2"], "left_out_reason"]) == ["no street within reach"] * 2
    assert list(services.loc[["B1", "B2"], "snap_status"]) == ["too_far"] * 2
    assert not services.loc[["B1", "B2"], "counted"].any()
    assert "sans rue à portée" in render_report(coverage)


def test_words_that_are_not_known_are_listed(folder: Path) -> None:
    change_services(folder, lambda table: table.assign(status="ovuert", access="hm"))
    services = read_study(folder / "study.toml").services
    assert set(services.table["status"]) == set(services.table["access"]) == {"unknown"}
    assert len(services.problems) == 2 * len(toy_town.SERVICES)
    assert set(services.problems["action"]) == {"taken as unknown"}


@pytest.mark.parametrize(
    "word",
    [
        *("true", "TRUE", "1", "oui", " Oui ", "vrai", "yes"),
        *("1.0", "x", "discret", "t"),
    ],
)
def test_a_place_said_to_be_discreet_in_any_words_is(folder: Path, word: str) -> None:
    # A refuge that is shown by mistake cannot be hidden again: in doubt, a word means yes.
    change_services(folder, lambda table: table.assign(discreet=word))
    assert read_study(folder / "study.toml").services.table["discreet"].all()


@pytest.mark.parametrize("word", ["false", "False", "0", "non", "no", ""])
def test_a_place_that_is_not_discreet_is_not(folder: Path, word: str) -> None:
    change_services(folder, lambda table: table.assign(discreet=word))
    assert not read_study(folder / "study.toml").services.table["discreet"].any()


def test_problems_do_not_name_a_discreet_place(folder: Path) -> None:
    change_services(
        folder,
        lambda table: table.assign(name="Maison Mirabelle", discreet="true", longitude="north"),
    )
    problems = read_study(folder / "study.toml").services.problems
    assert len(problems) == len(toy_town.SERVICES)
    assert "Mirabelle" not in problems.to_csv()


def test_two_services_with_one_id_are_both_kept(folder: Path, toy_coverage: Coverage) -> None:
    ids = ["A", "A", "A-2", "A", "", "", "C"]
    change_services(folder, lambda table: table.assign(service_id=ids))
    coverage = analyse(read_town(folder / "study.toml"))
    assert coverage.services["service_id"].is_unique
    assert len(coverage.services) == len(toy_town.SERVICES)
    taken = listed(coverage, "id taken").set_index("row")["action"].to_dict()
    assert taken == {2: "renamed A-2", 3: "renamed A-2-2", 4: "renamed A-3"}
    assert {"bagagerie-services.csv-5", "esi-services.csv-6"} <= set(
        coverage.services["service_id"]
    )
    columns = ["category", "covered_ha", "services_inside"]
    assert_frame_equal(coverage.city[columns], toy_coverage.city[columns])


# --- categories ----------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["flag", "file"])
def test_an_unknown_category_is_said(study: Path, refuse: Refuse, where: str) -> None:
    if where == "flag":
        arguments = ("analyse", study, "-o", study.parent / "out", "--category", "bain_douche")
        message = refuse(errors.CategoryError, *arguments)
    else:
        add(study, '[analysis]\ncategories = ["esi", "bain_douche"]')
        message = refuse(errors.CategoryError, study)
    assert "There is no category 'bain_douche'. Did you mean 'bains_douches'?" in message


def test_an_unknown_category_of_a_row_is_listed(folder: Path) -> None:
    def change(table: Table) -> Table:
        table.loc[[0, 1], "category"] = ["bains publics", ""]
        return table

    change_services(folder, change)
    coverage = analyse(read_study(folder / "study.toml"))
    rows = coverage.problems[coverage.problems["field"] == "category"]
    assert list(rows["row"]) == [1, 2]
    assert list(rows["value"]) == ["Service A1 – bains publics", "Service A2"]
    assert list(rows["reason"]) == ["unknown category", "no category"]
    assert not {"A1", "A2"} & set(coverage.services["service_id"])


def test_no_row_with_a_known_category(folder: Path, refuse: Refuse) -> None:
    change_services(folder, lambda table: table.assign(category="douche"))
    message = refuse(errors.CategoryError, folder / "study.toml")
    assert "None of 7 services has a known category (douche). Categories are bains_" in message


@pytest.mark.parametrize("name", ["services.csv", "services.parquet"])
def test_services_without_a_category_column(folder: Path, refuse: Refuse, name: str) -> None:
    change_services(folder, lambda table: table.drop(columns="category"))
    toy_town.town_services().table.drop(columns="category").to_parquet(folder / "services.parquet")
    swap(folder / "study.toml", "services.csv", name)
    message = refuse(errors.InputFileError, folder / "study.toml")
    assert f"{folder / name}: there is no column 'category'. Add one, or name" in message


def test_an_empty_category_is_not_judged_and_said(study: Path) -> None:
    coverage = analyse(read_study(study, categories=("esi", "halte_femmes")))
    assert coverage.study.unjudged == ("halte_femmes",)
    assert coverage.study.essentials == ("esi",)
    rows = coverage.indicators.query("category == 'halte_femmes'")
    assert list(rows["level"]) == ["district", "district", "city"]
    figures = [name for name in rows if name.startswith(UNKNOWN_OF_NO_PLACE)]
    assert len(figures) == 17
    assert rows[figures].isna().all(axis=None)
    # What is of the ground and of people is known, and that there is no place.
    city = coverage.city.set_index("category")
    plain = ["services_inside", "area_ha", "on_network_ha", "residents", "residents_off_network"]
    assert list(city.loc["halte_femmes", plain]) == [0, *city.loc["esi", plain[1:]]]
    assert "halte_femmes" not in set(coverage.gaps["category"])
    # What is of all essentials is as if it had not been asked about.
    alone = analyse(read_study(study, categories=("esi",)))
    assert_frame_equal(coverage.composite, alone.composite)
    for format_ in ("md", "html"):
        text = render_report(coverage, format=format_).replace("&nbsp;", "\u00a0")
        assert "Aucun service connu de nous ici\u00a0: Haltes femmes." in text
        assert "Non jugé, faute d’un seul lieu connu de nous\u00a0: Haltes femmes." in text


UNKNOWN_OF_NO_PLACE = (
    *("covered", "borderline", "uncovered", "minutes", "gaps", "second_weight_covered"),
    *("residents_covered", "residents_borderline", "residents_uncovered"),
)
"""How the figures begin that a category without any known place has not."""


@pytest.mark.parametrize(
    ("files", "value"), [('["services.csv"]', "services.csv: 0 rows"), ("[]", "")]
)
def test_no_service_at_all_leaves_nothing_judged(study: Path, files: str, value: str) -> None:
    swap(study, '["services.csv"]', files)
    change_services(study.parent, lambda table: table.iloc[:0])
    coverage = analyse(read_study(study))
    assert len(coverage.study.categories) == 5
    assert coverage.study.unjudged == coverage.study.categories
    assert coverage.study.essentials == ()
    assert tuple(coverage.city["category"]) == coverage.study.categories  # and no composite
    assert coverage.city[["covered_pct", "uncovered_pct", "gaps"]].isna().all(axis=None)
    assert coverage.gaps.empty
    [row] = listed(coverage, "no service is known").to_dict("records")
    assert row["action"] == "no category is judged"
    empty = listed(coverage, "no service in the file")
    assert [f"{row.file}: {row.value}" for row in empty.itertuples()] == ([value] if value else [])
    assert "Non jugé, faute d’un seul lieu connu de nous" in render_report(coverage)


@pytest.mark.parametrize("where", ["flag", "file"])
def test_a_category_asked_for_twice(study: Path, refuse: Refuse, where: str) -> None:
    if where == "flag":
        twice = ("--category", "esi", "--category", "esi")
        message = refuse(errors.CategoryError, "analyse", study, "-o", study.parent / "o", *twice)
    else:
        add(study, '[analysis]\ncategories = ["esi", "bains_douches", "esi"]')
        message = refuse(errors.CategoryError, study)
    assert "The category 'esi' is asked for 2 times. Name each category once." in message


@pytest.mark.parametrize("key", ["essential_all", "essential_any"])
def test_a_category_cannot_be_called_as_all_of_them(study: Path, refuse: Refuse, key: str) -> None:
    message = refuse(errors.StudyFileError, add(study, f'[categories.{key}]\nfr = "Tout"'))
    assert f"A category cannot have the id {key!r}" in message


@pytest.mark.parametrize("key", ["", " ", "a b", "a,b", "<b>", "a/b"])
def test_an_id_of_a_category_that_heads_no_column(study: Path, refuse: Refuse, key: str) -> None:
    message = refuse(errors.StudyFileError, add(study, f'[categories."{key}"]\nfr = "X"'))
    assert f"A category has the id {key!r}. Ids are of letters" in message


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('colour = "red;}</style>"', "colour is 'red;}</style>'. Give a colour such as"),
        ('colour = "#12345"', "colour is '#12345'. Give a colour such as"),
        ('colour = ""', "colour is ''. Give a colour such as"),
        ('en = " "', "en is ' '. It is what people read"),
        ('osm = ["amenity"]', "osm is ['amenity']. Tags are a key and a value"),
        ("osm = [true]", "osm is [True]. It must be a list of tags"),
        ('portal = ["Laverie", ""]', "portal is ['Laverie', '']. Leave blank words out."),
    ],
)
def test_a_category_that_pages_cannot_show(
    study: Path, refuse: Refuse, line: str, words: str
) -> None:
    add(study, f'[categories.laverie]\nfr = "Laveries"\n{line}')
    assert f"Category 'laverie': {words}" in refuse(errors.StudyFileError, study)


def test_a_category_without_a_word(study: Path, refuse: Refuse) -> None:
    message = refuse(errors.StudyFileError, add(study, '[categories.laverie]\nfr = ""'))
    assert "Category 'laverie': fr is ''. It is what people read" in message


@pytest.mark.parametrize("colour", ["#173", "#11AA33"])
def test_colours_that_are(study: Path, colour: str) -> None:
    add(study, f'[categories.laverie]\nfr = "Laveries"\ncolour = "{colour}"')
    assert read_study(study).catalogue["laverie"].colour == colour


def test_a_study_of_no_category(study: Path, refuse: Refuse, toy_study: Study) -> None:
    with pytest.raises(errors.StudyFileError, match="categor"):
        toy_study.replace(categories=())
    assert "categor" in refuse(errors.StudyFileError, add(study, "[analysis]\ncategories = []"))


# --- CSV -----------------------------------------------------------------------------------------


def rewrite(folder: Path, change: Callable[[str], str], encoding: str = "utf-8") -> Path:
    path = folder / "services.csv"
    path.write_bytes(change(path.read_text(encoding="utf-8")).encode(encoding))
    return path


def plainly(text: str) -> str:
    return text


@pytest.mark.parametrize(
    ("change", "encoding"),
    [
        (plainly, "utf-8-sig"),
        (lambda text: text.replace("\n", "\r\n"), "utf-8-sig"),
        (lambda text: text.replace(",", ";"), "utf-8"),
        (lambda text: text.replace(",", "\t"), "utf-8"),
        (lambda text: text.replace(",", ";").replace(".", ","), "utf-8"),  # decimal commas
        (lambda text: text.replace("longitude", " Lon ").replace("latitude", "LAT"), "utf-8"),
    ],
)
def test_tables_of_spreadsheets_are_read(
    folder: Path, toy_study: Study, change: Callable[[str], str], encoding: str
) -> None:
    rewrite(folder, change, encoding)
    services = read_study(folder / "study.toml", private=True).services
    assert services.problems.empty
    assert list(services.table["service_id"]) == list(toy_study.services.table["service_id"])
    expected = toy_study.services.table.geometry
    assert services.table.geometry.geom_equals_exact(expected, tolerance=0.01).all()


@pytest.mark.parametrize(("encoding", "told"), [("cp1252", 1), ("utf-16", 0)])
def test_a_table_in_another_encoding(folder: Path, encoding: str, told: int) -> None:
    rewrite(folder, lambda text: text.replace("1 rue", "1 allée"), encoding)
    services = read_study(folder / "study.toml").services
    assert set(services.table["address"]) == {"1 allée du Test"}
    assert list(services.problems["reason"]) == ["not in UTF-8"] * told


def test_a_table_that_is_no_text(folder: Path, refuse: Refuse) -> None:
    path = folder / "services.csv"
    path.write_bytes(path.read_bytes() + b"\x81\x8d\xff")
    message = refuse(errors.InputFileError, folder / "study.toml")
    assert f"{path}: cannot be read as UTF-8 text, nor as Windows-1252" in message
    assert message.endswith("Save the file as CSV in UTF-8.")


def test_a_table_with_another_delimiter(folder: Path, refuse: Refuse) -> None:
    path = rewrite(folder, lambda text: text.replace(",", "^"))
    message = refuse(errors.InputFileError, folder / "study.toml")
    assert f"{path}: there are no columns 'longitude' and 'latitude'." in message
    assert "Columns are service_id^category^name" in message


def test_an_empty_table(folder: Path, refuse: Refuse) -> None:
    rewrite(folder, lambda _: "\n")
    assert "Columns are none." in refuse(errors.InputFileError, folder / "study.toml")


def test_a_quote_left_open_swallows_no_row(folder: Path, refuse: Refuse) -> None:
    def open_quote(text: str) -> str:
        lines = text.splitlines()
        lines[3] = lines[3].replace("1 rue du Test", '"1 rue du Test')
        return "\n".join(lines) + "\n"

    path = rewrite(folder, open_quote)
    message = refuse(errors.InputFileError, folder / "study.toml")
    assert f"{path}, line 4: unexpected end of data. Check the quotes" in message


def test_a_row_with_a_comma_too_many_is_listed(folder: Path) -> None:
    # Its cells have moved by one: what stands under longitude is not one.
    rewrite(folder, lambda text: text.replace("1 rue du Test", "1, rue du Test", 1))
    problems = read_study(folder / "study.toml").services.problems
    assert list(problems["row"]) == [1]


# --- study files ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[analysis]\ntreshold_min = 20", "[analysis]: there is no key 'treshold_min'."),
        ("[analysis]\ntreshold_min = 20", "Did you mean 'threshold_min'?"),
        ("[analysys]\ncell_m = 20", "there is no key 'analysys'. Did you mean 'analysis'?"),
        ("[analysis]\nzzz = 1", "Known: categories, essentials, profile, threshold_min"),
        ("[profiles.dog]\nspeed = 4\n[analysis]\nprofile = 'dog'", "Did you mean 'speed_kmh'?"),
        ("[profiles.dog]\nspeed = 4", "[profiles.dog]: there is no key 'speed'."),  # nobody's
        ("[persons.ada]\nsexe = 'woman'", "Did you mean 'sex'?"),
        ("[persons.ada]\nsex = 'women'", 'sex is \'women\'. It must be "woman" or "man".'),
        ("[[services.sources]]\nfiel = 'a'", "[[services.sources]] 1: there is no key 'fiel'."),
        ("[categories.x]\nfr = 'X'\ncolor = '#fff'", "unknown keys: color. Keys are colour"),
    ],
)
def test_a_misspelt_key_is_put_right(study: Path, refuse: Refuse, text: str, words: str) -> None:
    assert words in refuse(errors.StudyFileError, add(study, text))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('threshold_min = "15"', "threshold_min is '15'. It must be a number."),
        ("threshold_min = true", "threshold_min is True. It must be a number."),
        ("threshold_min = 0", "threshold_min is 0, which is not a positive number."),
        ("threshold_min = nan", "threshold_min is nan, which is not a positive number."),
        ("cell_m = inf", "cell_m is inf, which is not a positive number."),
        ("snap_m = -1", "snap_m is -1, which is not a positive number."),
        (f"isochrones_min = {list(range(1, 50))}", "isochrones_min has 49 values, more than 48."),
        ("isochrones_min = 15", "isochrones_min is 15. It must be a list in brackets."),
        ("isochrones_min = [nan]", "isochrones_min nan is nan, which is not a positive number."),
        ("isochrones_min = [-5]", "isochrones_min -5 is -5, which is not a positive number."),
        ('categories = "esi"', "categories is 'esi'. It must be a list in brackets."),
        ("profile = 3", "profile is 3. It must be text in quotes."),
        ('profile = "slw"', "There is no walker 'slw'. Did you mean 'slow'?"),
        ('profile = "dog"', "There is no walker 'dog'. Choose one of adult, slow, step_free."),
        ('isochrones_min = ["a"]', "isochrones_min is ['a']."),
        ("isochrones_min = [true]", "isochrones_min is [True]."),
        ("categories = [1]", "categories is [1]."),
        ("threshold_min = inf", "threshold_min is inf, which is not a positive number."),
        ("threshold_min = 1e9", "threshold_min is 1e+09, more than 240 minutes. Give 240"),
        (f"threshold_min = 1{'0' * 400}", "threshold_min is too large"),  # no float
        (f"cell_m = 0x1{'0' * 5000}", "cell_m is too large"),  # nor what Python writes out
        ("snap_m = 0.01", "snap_m is 0.01, less than 1 metres."),
        ("isochrones_min = [inf]", "isochrones_min inf is inf, which is not a positive number."),
        ("isochrones_min = [5, 241]", "isochrones_min 241 is 241, more than 240 minutes."),
        ("snap_m = 1e6", "snap_m is 1e+06, more than 5000 metres."),
        (f"isochrones_min = [0x1{'0' * 5000}]", "isochrones_min is too large"),
        ("date = 3", "[analysis]: date is 3. Write it as"),
        ("between = [18, 22]", "between is [18, 22]. It must be a list of words in quotes."),
        ("min_gap_ha = inf", "min_gap_ha is inf, which is not a positive number."),
    ],
)
def test_a_setting_that_cannot_be_used(study: Path, refuse: Refuse, text: str, words: str) -> None:
    message = refuse(errors.StudyFileError, add(study, f"[analysis]\n{text}"))
    assert words in message


@pytest.mark.parametrize("cell_m", ["0.1", "1e-300"])
def test_more_cells_than_can_be_held(study: Path, refuse: Refuse, cell_m: str) -> None:
    message = refuse(errors.StudyFileError, add(study, f"[analysis]\ncell_m = {cell_m}"))
    assert f"cell_m is {cell_m}: 'Petite Ville' would have " in message
    assert message.endswith(" cells around it. Take cell_m = 1 or more.")


def test_the_size_that_would_do_for_a_large_area(toy_study: Study) -> None:
    whole = translate(Polygon([(0, 0), (90_000, 0), (90_000, 60_000), (0, 60_000)]), 6e5, 6.8e6)
    area = dataclasses.replace(toy_study.area, geometry=whole)
    with pytest.raises(errors.StudyFileError, match=r"Take cell_m = 17 or more\."):
        toy_study.replace(area=area, cell_m=16)
    assert toy_study.replace(area=area, cell_m=17)


def test_an_area_smaller_than_a_cell(study: Path, refuse: Refuse) -> None:
    message = refuse(errors.StudyFileError, add(study, "[analysis]\ncell_m = 5000"))
    assert "No cell of 5000 m has its centre in 'Petite Ville', 2000 m by 1900 m." in message
    assert "Choose a smaller cell_m" in message


@pytest.mark.parametrize(
    "text",
    [
        "[profiles.dog]\nspeed_kmh = 99",
        "[profiles.dog]\nspeed_kmh = 0",
        "[profiles.dog]\nspeed_kmh = 4\nsteps_factor = -1",
        "[profiles.dog]\nspeed_kmh = 4\nsteps_factor = inf",
        "[profiles.dog]\nspeed_kmh = nan",
        "[profiles.dog]\nspeed_kmh = 4\nsteps_factor = 0.5",
        "[profiles.dog]",
        "[profiles.cat]\nspeed_kmh = 4",
        '[profiles.dog]\nspeed_kmh = "4"',
        '[profiles.dog]\nspeed_kmh = 4\nsteps_factor = "2"',
        '[profiles.dog]\nspeed_kmh = 4\nsteps_allowed = "no"',
        "[profiles]\ndog = 4",
    ],
)
def test_a_walker_that_nobody_is(study: Path, refuse: Refuse, text: str) -> None:
    assert "dog" in refuse(errors.StudyFileError, add(study, f"{text}\n[analysis]\nprofile='dog'"))


@pytest.mark.parametrize("name", ["woman", "with_dog", "with-dog"])
def test_a_person_who_has_the_name_of_another(study: Path, refuse: Refuse, name: str) -> None:
    message = refuse(errors.StudyFileError, add(study, f'[persons.{name}]\nsex = "man"'))
    assert f"[persons.{name}]: there is a person of this name already. Choose" in message


@pytest.mark.parametrize("text", ['[persons.""]\nsex = "man"', '[profiles." "]\nspeed_kmh = 4'])
def test_somebody_without_a_name(study: Path, refuse: Refuse, text: str) -> None:
    message = refuse(errors.StudyFileError, add(study, text))
    assert re.search(r"a table \[\w+\.' ?'\] without a name. Write \[\w+.NAME\]", message)


def test_a_blank_word_of_a_list(study: Path, refuse: Refuse) -> None:
    # As a word of trust it would occur in the name of every source.
    add(study, '[services.merge]\non = true\ntrust = ["curated", ""]')
    message = refuse(errors.StudyFileError, study)
    assert "[services.merge]: trust is ['curated', '']. Leave blank words out." in message


@pytest.mark.parametrize("within_m", ["-4", "0", "inf", "nan"])
def test_a_distance_within_which_nothing_merges(study: Path, refuse: Refuse, within_m: str) -> None:
    add(study, f"[services.merge]\non = true\nwithin_m = {within_m}")
    message = refuse(errors.StudyFileError, study)
    assert f"[services.merge]: within_m is {within_m}, which is not a positive number." in message


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('"districts.parquet"', '""', "[area]: districts is ''."),
        ('"services.csv"', '""', "[services]: files is ['']."),
        ('"services.csv"', '"services.csv", " "', "[services]: files is ['services.csv', ' ']."),
        ('"network.parquet"', '""', "[network]: file is ''."),
        ('"network.parquet"', '"network.parquet"\nheights = ""', "[network]: heights is ''."),
        ('"residents.parquet"', '""', "[residents]: file is ''."),
        ("[network]", '[map]\nbackground = ""\n[network]', "[map]: background is ''."),
        ("[network]", '[weights]\nfile = ""\n[network]', "[weights]: file is ''."),
    ],
)
def test_a_file_of_no_name(study: Path, refuse: Refuse, old: str, new: str, words: str) -> None:
    message = refuse(errors.StudyFileError, swap(study, old, new))
    assert f"{study}, {words} Give the name of a file" in message


def test_a_source_of_no_name(study: Path, refuse: Refuse) -> None:
    message = refuse(errors.StudyFileError, add(study, '[[services.sources]]\nfile = ""'))
    assert "[[services.sources]] 1: file is ''. Give the name of a file." in message


@pytest.mark.parametrize("text", ["[weights]", '[weights]\nlabel_fr = "Vus la nuit"'])
def test_weights_of_no_file(study: Path, refuse: Refuse, text: str) -> None:
    message = refuse(errors.StudyFileError, add(study, text))
    assert f"{study}: there is no 'file' in [weights]. Run" in message


@pytest.mark.parametrize("text", ["", 'column = "ind"'])
def test_residents_of_no_file(study: Path, refuse: Refuse, text: str) -> None:
    message = refuse(errors.StudyFileError, swap(study, 'file = "residents.parquet"', text))
    assert f"{study}: there is no 'file' in [residents]. Run" in message


def test_residents_that_nobody_counts_are_not_spoken_of(
    study: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", str(study), "--lang", "en"]) == 0
    assert "Residents covered: in % of the" in " ".join(capsys.readouterr().out.split())
    swap(study, '[residents]\nfile = "residents.parquet"', "")
    assert main(["report", str(study), "--lang", "en"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "Covered: in % of the" in told
    assert "Residents covered:" not in told


@pytest.mark.parametrize("table", ["profiles", "persons", "categories"])
def test_a_table_of_tables_that_is_none(study: Path, refuse: Refuse, table: str) -> None:
    study.write_text(f"{table} = 3\n" + study.read_text(encoding="utf-8"), encoding="utf-8")
    assert f"{table!r} is not a table. Write [{table}.NAME]" in refuse(errors.StudyFileError, study)


def test_a_folder_where_a_study_is_wanted(tmp_path: Path, refuse: Refuse) -> None:
    message = refuse(errors.InputFileError, tmp_path)
    assert "this folder has no study.toml. Run 'quart-heure init'" in message
    (tmp_path / "manifest.json").write_text("{}", encoding="utf-8")
    message = refuse(errors.InputFileError, tmp_path)
    assert "this folder holds results, not a study. Give the study file" in message


@pytest.mark.parametrize("command", ["analyse", "report", "map", "dossier", "check"])
def test_a_table_where_a_study_is_wanted(study: Path, refuse: Refuse, command: str) -> None:
    table = study.parent / "services.csv"
    message = refuse(errors.StudyFileError, command, table, "-o", study.parent / "out")
    assert f"{table}: is not a study file, whose name ends in .toml. Name a table" in message


def test_a_number_of_thousands_of_digits(study: Path, refuse: Refuse) -> None:
    add(study, f"[analysis]\nthreshold_min = {'9' * 5000}")
    assert "cannot be read as TOML" in refuse(errors.StudyFileError, study)


def test_a_study_nested_without_end(study: Path, refuse: Refuse) -> None:
    add(study, f"[analysis]\ncategories = {'[' * 9000}")
    assert "cannot be read as TOML" in refuse(errors.StudyFileError, study)


@pytest.mark.parametrize(
    "text",
    [
        '[categories.laverie]\nen = "Laundries"',
        "[categories]\nlaverie = 3",
        "[categories.laverie]\nfr = 3",
        '[categories.laverie]\nfr = "L"\nessential = "no"',
        '[categories.laverie]\nfr = "L"\nosm = "a=b"',
    ],
)
def test_a_category_that_is_not_described(study: Path, refuse: Refuse, text: str) -> None:
    assert "laverie" in refuse(errors.StudyFileError, add(study, text))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('[network]\nfile = "network.parquet"\n', "", "there is no 'file' in [network]. Run"),
        ('districts = "districts.parquet"', "", "there is no 'districts' in [area]."),
        ("Petite Ville", 'Petite" Ville', "cannot be read as TOML (Expected newline"),
        ('name = "Petite Ville"', "name = 3", "name is 3. It must be text in quotes."),
        ('["services.csv"]', '"services.csv"', "files is 'services.csv'. It must be a list"),
        ("files = ", "file = ", "there is no key 'file'. Did you mean 'files'?"),
        ("[residents]\n", "[residents\n", "cannot be read as TOML"),
        ('[residents]\nfile = "residents.parquet"', "[[residents]]", "'residents' is not a table."),
        ('["services.csv"]', "[1]", "files is [1]."),
        (
            "[services]",
            '[services]\ncounted_status = ["opne"]',
            "Did you mean 'open'?",
        ),
    ],
)
def test_a_study_file_that_cannot_be_used(
    study: Path, refuse: Refuse, old: str, new: str, words: str
) -> None:
    message = refuse(errors.StudyFileError, swap(study, old, new))
    assert str(study) in message
    assert words in message


@pytest.mark.parametrize(
    ("flags", "kind", "words"),
    [
        (
            ("--threshold", "0"),
            errors.StudyFileError,
            "--threshold is 0.0, which is not a positive",
        ),
        (
            ("--threshold", "nan"),
            errors.StudyFileError,
            "--threshold is nan, which is not a positive",
        ),
        (
            ("--threshold", "inf"),
            errors.StudyFileError,
            "--threshold is inf, which is not a positive",
        ),
        (("--threshold", "1e9"), errors.StudyFileError, "more than 240 minutes"),
        (("--profile", "slw"), errors.StudyFileError, "There is no walker 'slw'. Did you mean"),
    ],
)
def test_flags_that_cannot_be_used(
    study: Path,
    refuse: Refuse,
    flags: tuple[str, ...],
    kind: type[errors.QuartHeureError],
    words: str,
) -> None:
    assert words in refuse(kind, "analyse", study, "-o", study.parent / "out", *flags)


# --- network -------------------------------------------------------------------------------------


def test_a_network_of_another_place(folder: Path, refuse: Refuse) -> None:
    edges = toy_town.town_edges()
    edges["geometry"] = edges.geometry.translate(50_000, 0)
    WalkNetwork.from_edges(edges).write(folder / "network.parquet")
    message = refuse(errors.NetworkError, folder / "study.toml")
    assert "Check that the network and the area are of one place." in message


@pytest.mark.parametrize(
    ("change", "kind", "words"),
    [
        (lambda e: e.drop(columns="u"), errors.InputFileError, "no column 'u'"),
        (lambda e: e.iloc[:0], errors.NetworkError, "has no edge"),
        (lambda e: e.assign(length_m=-1.0), errors.NetworkError, "Edge 0"),
        (lambda e: e.set_geometry(e.centroid), errors.InputFileError, "Row 1"),
        (without_crs, errors.CrsError, "has no coordinate reference system"),
    ],
)
def test_a_network_that_cannot_be_walked(
    folder: Path,
    refuse: Refuse,
    change: Callable[[gpd.GeoDataFrame], gpd.GeoDataFrame],
    kind: type[errors.QuartHeureError],
    words: str,
) -> None:
    change(toy_town.town_edges()).to_parquet(folder / "network.parquet")
    message = refuse(kind, folder / "study.toml")
    assert words in message
    assert str(folder / "network.parquet") in message


def test_a_network_of_another_kind(folder: Path, refuse: Refuse) -> None:
    toy_town.town_edges().to_crs(4326).to_file(folder / "streets.geojson")
    swap(folder / "study.toml", "network.parquet", "streets.geojson")
    message = refuse(errors.InputFileError, folder / "study.toml")
    assert f"{folder / 'streets.geojson'}: is not a kind of file that streets are" in message
    assert "Give edges as GeoParquet, raw OpenStreetMap data (.osm.pbf" in message


@pytest.mark.parametrize("text", [b"not json", b"[1]", b"3"])
def test_a_network_whose_metadata_is_none(folder: Path, refuse: Refuse, text: bytes) -> None:
    table = parquet.read_table(folder / "network.parquet")
    metadata = {**(table.schema.metadata or {}), b"quart_heure": text}
    parquet.write_table(table.replace_schema_metadata(metadata), folder / "network.parquet")
    message = refuse(errors.InputFileError, folder / "study.toml")
    assert f"{folder / 'network.parquet'}: cannot be read as GeoParquet" in message


# --- what cannot be written ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "command",
    [
        ("analyse", "{study}", "-o"),
        ("report", "{study}", "-o"),
        ("map", "{study}", "-o"),
        ("init",),
    ],
)
@pytest.mark.parametrize("place", ["{file}/below", "{file}/far/below", "/proc/quart/heure"])
def test_a_place_that_cannot_be_written(
    study: Path, refuse: Refuse, tmp_path: Path, command: tuple[str, ...], place: str
) -> None:
    # Below a file nobody can write, not even root.
    if place.startswith("/proc") and not Path("/proc/self").exists():
        pytest.skip("there is no /proc here")
    blocker = tmp_path / "blocker"
    blocker.write_text("mine", encoding="utf-8")
    target = place.format(file=blocker)
    message = refuse(errors.OutputError, *(each.format(study=study) for each in command), target)
    assert target in message
    assert blocker.read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize("command", ["analyse", "dossier", "map", "report", "paces", "check"])
def test_the_place_is_tried_before_the_work(
    study: Path, refuse: Refuse, tmp_path: Path, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("quart_heure.study.file.read_study", lambda *_, **__: pytest.fail("late"))
    (tmp_path / "file").touch()
    message = refuse(errors.OutputError, command, study, "-o", tmp_path / "file" / "below")
    assert f"{tmp_path / 'file' / 'below'}: cannot be written" in message


@pytest.mark.parametrize("command", ["demo", "fetch", "geocode"])
def test_the_place_is_tried_before_the_work_of_others(
    study: Path, refuse: Refuse, tmp_path: Path, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for late in ("study.study.Study.from_settings", "fetch.fetch.fetch_territory"):
        monkeypatch.setattr(f"quart_heure.{late}", lambda *_, **__: pytest.fail("late"))
    monkeypatch.setattr(
        "quart_heure.sources.online.geocoding.geocode_file", lambda *_, **__: pytest.fail("late")
    )
    (tmp_path / "file").touch()
    given = {"fetch": ["Lyon"], "geocode": [study.parent / "services.csv"]}.get(command, [])
    refuse(errors.OutputError, command, *given, "-o", tmp_path / "file" / "below")


def test_trying_a_place_leaves_nothing_behind(study: Path, refuse: Refuse, tmp_path: Path) -> None:
    (study.parent / "network.parquet").unlink()
    target = tmp_path / "new" / "deep"
    refuse(errors.InputFileError, "analyse", study, "-o", target)
    refuse(errors.InputFileError, "map", study, "-o", target / "map.html")
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("command", ["report", "map", "paces", "sensitivity", "check"])
@pytest.mark.parametrize("name", ["study.toml", "services.csv", "residents.parquet"])
def test_a_file_of_results_does_not_replace_an_input(
    study: Path, refuse: Refuse, command: str, name: str
) -> None:
    message = refuse(errors.OutputError, command, study, "-o", study.parent / name)
    assert f"results would replace {study.parent / name}, which they are made from." in message


@pytest.mark.parametrize("name", ["services.csv", "week.csv"])
def test_a_folder_of_results_does_not_replace_an_input(
    study: Path, refuse: Refuse, name: str
) -> None:
    data = study.parent / "data"
    data.mkdir()
    (study.parent / "services.csv").rename(data / name)
    swap(study, '"services.csv"', f'"data/{name}"')
    message = refuse(errors.OutputError, "analyse", study, "-o", data)
    assert f"results would replace {data / name}, which they are made from." in message
    assert (data / name).exists()


def test_a_file_where_a_folder_should_go(study: Path, refuse: Refuse, tmp_path: Path) -> None:
    (tmp_path / "results").write_text("mine", encoding="utf-8")
    assert str(tmp_path / "results") in refuse(errors.OutputError, study)


@pytest.mark.parametrize("given", ["study.toml", "."])
def test_results_do_not_replace_what_they_are_made_from(
    study: Path, refuse: Refuse, given: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Both have a services.csv.
    message = refuse(errors.OutputError, "analyse", study.parent / given, "-o", study.parent)
    assert "is the folder of the study" in message
    monkeypatch.chdir(study.parent)
    refuse(errors.OutputError, "analyse", given, "-o", ".")


def test_a_folder_where_a_file_should_go(study: Path, refuse: Refuse, tmp_path: Path) -> None:
    for command in ("report", "map"):
        message = refuse(errors.OutputError, command, study, "-o", tmp_path)
        assert f"{tmp_path}: is a folder, not a file to write. Give the name" in message


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission(study: Path, refuse: Refuse, tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    refuse(errors.OutputError, "analyse", study, "-o", locked / "results")


def test_a_failed_run_leaves_the_results_before_it(
    folder: Path, refuse: Refuse, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("analyse", folder / "study.toml", "-o", tmp_path / "results")
    assert main([str(each) for each in arguments]) == 0
    capsys.readouterr()
    change_services(folder, lambda table: table.assign(category="douche"))
    refuse(errors.CategoryError, *arguments)


# --- the cache -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def warm(town: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Coverage]:
    """Give a cache that knows the toy town, and what was found with it."""
    cache = Cache(tmp_path_factory.mktemp("warm") / "cache")
    assert cache.folder is not None
    coverage = analyse(read_town(town / "study.toml", cache=cache), cache=cache)
    assert len(coverage.isochrones)  # drawn, and kept, when they are asked for
    return cache.folder, coverage


def kinds_of(cache: Path) -> Counter[str]:
    return Counter(path.name.partition("-")[0] for path in cache.iterdir())


def zip_of(**arrays: object) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **{name: np.asarray(values) for name, values in arrays.items()})
    return buffer.getvalue()


def array_file() -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.arange(3))
    return buffer.getvalue()


def one_bit_off(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


def said_to_be_deflated(content: bytes) -> bytes:
    """Change the kind of packing of every part, and its first byte to what no packing has."""
    changed = bytearray(content.replace(b"\x93NUMPY", b"\xffNUMPY"))
    begin = 0
    while (begin := content.find(b"PK\1\2", begin)) >= 0:
        changed[begin + 10] = zipfile.ZIP_DEFLATED
        begin += 4
    return bytes(changed)


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda content: content[: len(content) // 2], id="truncated"),
        pytest.param(lambda content: content[:-5], id="tail-lost", marks=thorough),
        pytest.param(lambda _: b"", id="empty"),
        pytest.param(lambda _: b"garbage" * 99, id="garbage", marks=thorough),
        pytest.param(one_bit_off, id="one-bit-off"),
        pytest.param(said_to_be_deflated, id="deflated"),
        pytest.param(lambda _: zip_of(a=[1, 2]), id="foreign", marks=thorough),
        pytest.param(lambda _: zip_of(_key=np.array([255], dtype=np.uint8)), id="foreign-key"),
        pytest.param(lambda _: array_file(), id="one-array", marks=thorough),
        pytest.param(lambda _: pickle.dumps(["hostile"]), id="pickle"),
    ],
)
def test_a_corrupt_cache_is_rebuilt_and_said(
    study: Path,
    warm: tuple[Path, Coverage],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    spoil: Callable[[bytes], bytes],
) -> None:
    shutil.copytree(warm[0], tmp_path / "cache")
    cache, expected = Cache(tmp_path / "cache"), warm[1]
    entries = sorted((tmp_path / "cache").iterdir())
    good = {path: path.read_bytes() for path in entries}
    assert set(kinds_of(tmp_path / "cache")) == {
        *("area", "cells", "contours", "network", "places", "residents", "search", "times"),
    }
    for path, content in good.items():
        path.write_bytes(spoil(content))
    with caplog.at_level(logging.WARNING):
        found = analyse(read_town(study, cache=cache), cache=cache)
    same_figures(found, expected)
    assert_frame_equal(found.cells, expected.cells)
    assert_geodataframe_equal(found.isochrones, expected.isochrones)
    told = [record.getMessage() for record in caplog.records]
    for path in entries:
        assert any(f"Cache entry {path.name} cannot be used" in line for line in told), path.name
    assert all(line.endswith("computed anew.") for line in told)
    caplog.clear()
    again = analyse(read_town(study, cache=cache), cache=cache)
    same_figures(again, expected)
    assert_geodataframe_equal(again.isochrones, expected.isochrones)
    assert not caplog.records
    assert {path: path.read_bytes() for path in entries} == good


def test_one_entry_under_the_name_of_another(
    study: Path,
    warm: tuple[Path, Coverage],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    shutil.copytree(warm[0], tmp_path / "cache")
    cache, expected = Cache(tmp_path / "cache"), warm[1]
    cells, search = (next((tmp_path / "cache").glob(f"{kind}-*")) for kind in ("cells", "search"))
    shutil.copy(search, cells)
    same_figures(analyse(read_town(study, cache=cache), cache=cache), expected)
    assert [record.getMessage() for record in caplog.records] == [
        f"Cache entry {cells.name} cannot be used (it was written for something else): "
        "computed anew."
    ]


def test_a_cache_that_cannot_be_written_stops_nothing(
    study: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, toy_coverage: Coverage
) -> None:
    (tmp_path / "file").touch()
    cache = Cache(tmp_path / "file" / "cache")
    same_figures(analyse(read_town(study, cache=cache), cache=cache), toy_coverage)
    told = {record.getMessage() for record in caplog.records}
    assert told
    assert all(line.startswith("The cache cannot be written") for line in told)


def test_a_cache_whose_names_are_too_long_stops_nothing(
    study: Path, tmp_path: Path, toy_coverage: Coverage
) -> None:
    cache = Cache(tmp_path / ("x" * 300))
    same_figures(analyse(read_town(study, cache=cache), cache=cache), toy_coverage)


def test_the_cache_keeps_within_its_size(tmp_path: Path) -> None:
    """What was not asked for longest goes first; the newest stays however large it is."""
    cache = Cache(tmp_path, most_bytes=5_000)

    def entry(name: str, n_bytes: int = 1_000) -> dict[str, object]:
        return cache.recall(name, name, lambda: {"a": np.zeros(n_bytes, dtype=np.uint8)})

    def kept() -> list[str]:
        return sorted(path.name.partition("-")[0] for path in tmp_path.iterdir())

    (tmp_path / "results.npz").write_bytes(b"x" * 9_000)  # somebody else's
    (tmp_path / f"reach-{'0' * 32}.npz").write_bytes(b"x")  # ours, of an earlier format
    for age, name in enumerate("abc"):
        entry(name)
        path = next(tmp_path.glob(f"{name}-*"))
        os.utime(path, (age, age))
    entry("a")  # used again
    entry("d")
    assert kept() == ["a", "c", "d", "results.npz"]
    entry("e", 9_000)
    assert kept() == ["e", "results.npz"]
    np.testing.assert_array_equal(entry("a")["a"], np.zeros(1_000))


def test_the_cache_follows_its_inputs(folder: Path, tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache")
    with_bridge = analyse(read_town(folder / "study.toml", cache=cache), cache=cache)
    toy_town.town_network(bridge=False).write(folder / "network.parquet")
    without = analyse(read_town(folder / "study.toml", cache=cache), cache=cache)
    covered = [
        run.city.set_index("category").loc["esi", "covered_ha"] for run in (with_bridge, without)
    ]
    assert covered[0] >= covered[1]
    fresh = analyse(read_town(folder / "study.toml"))
    same_figures(without, fresh)
    kinds = kinds_of(tmp_path / "cache")
    assert (kinds["area"], kinds["residents"], kinds["network"]) == (1, 1, 2)


def test_a_service_that_moves_leaves_the_other_categories_as_they_are(
    folder: Path, tmp_path: Path
) -> None:
    cache = Cache(tmp_path / "cache")
    first = analyse(read_town(folder / "study.toml", cache=cache), cache=cache)
    assert len(first.isochrones)  # drawn, and kept, when they are asked for
    before = kinds_of(tmp_path / "cache")

    def change(table: Table) -> Table:
        table.loc[table["service_id"] == "A1", "longitude"] = table["longitude"].iloc[1]
        return table

    change_services(folder, change)
    found = analyse(read_town(folder / "study.toml", cache=cache), cache=cache)
    assert len(found.isochrones)
    assert kinds_of(tmp_path / "cache") - before == {"places": 1, "times": 1, "contours": 1}
    same_figures(found, analyse(read_town(folder / "study.toml")))


# --- results that are damaged --------------------------------------------------------------------

READ = (
    "indicators.csv",
    "composite.csv",
    "gap_parts.csv",
    "problems.csv",
    "filters.csv",
    "fragility.csv",
    "entries.csv",
    "dependence.csv",
    "freshness.csv",
    "unplaced.csv",
    "capacity.csv",
    "accuracy.csv",
)
LAYERS = ("services.parquet", "isochrones.parquet", "gaps.parquet")


@pytest.fixture(scope="module")
def written(town: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("written")
    assert main(["analyse", str(town / "study.toml"), "-o", str(folder)]) == 0
    return folder


@pytest.fixture
def results(written: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(written, tmp_path / "old"))


@pytest.mark.parametrize("command", ["report", "info"])
@pytest.mark.parametrize("name", ["manifest.json", *READ, *LAYERS])
def test_a_missing_result_is_said(results: Path, refuse: Refuse, command: str, name: str) -> None:
    (results / name).unlink()
    message = refuse(errors.InputFileError, command, results, "--json")
    assert name in message
    assert re.search(r"Run the analysis again|Give the folder", message)


@pytest.mark.parametrize("name", ["manifest.json", *READ, *LAYERS])
def test_a_result_of_garbage_is_said(results: Path, refuse: Refuse, name: str) -> None:
    (results / name).write_bytes(b"\x00\xff garbage" * 30)
    message = refuse(errors.InputFileError, "report", results, "--json")
    # Which of the two is found first is a matter of the reader's version.
    assert f"{results / name}: cannot be read" in message or "is missing" in message


@pytest.mark.parametrize("name", LAYERS)
def test_a_result_cut_short_is_said(results: Path, refuse: Refuse, name: str) -> None:
    content = (results / name).read_bytes()
    (results / name).write_bytes(content[: len(content) // 2])
    assert str(results / name) in refuse(errors.InputFileError, "report", results, "--json")


@pytest.mark.parametrize("name", READ[:2])
def test_a_table_cut_short_is_said(results: Path, refuse: Refuse, name: str) -> None:
    # Half a table is a table: only its hash tells that rows are missing.
    lines = (results / name).read_text(encoding="utf-8").splitlines(keepends=True)
    (results / name).write_text("".join(lines[: len(lines) // 2]), encoding="utf-8")
    assert str(results / name) in refuse(errors.InputFileError, "report", results, "--json")


def test_a_table_of_another_version_is_said(results: Path, refuse: Refuse) -> None:
    table = pd.read_csv(results / "indicators.csv")
    table.drop(columns="gaps").to_csv(results / "indicators.csv", index=False)
    message = refuse(errors.InputFileError, "report", results)
    assert "column 'gaps' is missing. Written by version" in message


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{}", "was not written by quart-heure."),
        ("[]", "is not a manifest."),
        ('"text"', "is not a manifest."),
        ('{"tool": "other"}', "was not written by quart-heure."),
        (
            '{"tool": "quart-heure"}',
            "was changed or is damaged (Object missing required field `version`).",
        ),
    ],
)
@pytest.mark.parametrize("command", ["report", "info"])
def test_a_manifest_that_is_none(
    results: Path, refuse: Refuse, content: str, words: str, command: str
) -> None:
    (results / "manifest.json").write_text(content, encoding="utf-8")
    message = refuse(errors.InputFileError, command, results, "--json")
    assert f"{results / 'manifest.json'}: {words} Give the folder that" in message


@pytest.mark.parametrize("name", ["indicators.csv", "week.csv"])
def test_a_report_does_not_replace_the_results_it_reads(
    results: Path, refuse: Refuse, name: str
) -> None:
    target = results / name
    message = refuse(errors.OutputError, "report", results, "--format", "csv", "-o", target)
    assert f"results would replace {target}, which they are made from." in message


def test_a_folder_without_results(folder: Path, refuse: Refuse, tmp_path: Path) -> None:
    (folder / "study.toml").rename(folder / "mine.toml")
    for command in ("report", "info"):
        message = refuse(errors.InputFileError, command, folder, "--json")
        assert f"{folder} is not a result: it has no manifest.json." in message
    message = refuse(errors.InputFileError, "info", tmp_path / "nothing", "--json")
    assert f"{tmp_path / 'nothing'} does not exist." in message
    message = refuse(errors.InputFileError, "info", folder / "mine.toml", "--json")
    assert "mine.toml is a file, not a folder of results. Give the folder" in message


@pytest.mark.parametrize("name", sorted({*RESULT_FILES} - {"manifest.json", *READ, *LAYERS}))
def test_a_file_that_changed_is_said(
    results: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    assert main(["report", str(results), "--json"]) == 0
    report = capsys.readouterr().out
    (results / name).unlink()
    assert main(["report", str(results), "--json"]) == 0
    out, err = capsys.readouterr()
    assert out == report
    assert err == f"WARNING: {name} is missing or is not what was written.\n"
    assert main(["info", str(results)]) == 0
    assert f"WARNING: {name} is missing" in capsys.readouterr().out


# --- choices -------------------------------------------------------------------------------------


def test_choices_are_told_on_stderr_in_problems_check_and_info(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def without_ids(districts: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
        return districts[["geometry"]].assign(NOM_ZONE=["Est", "Ouest"])

    change_districts(folder, without_ids)
    results = tmp_path / "results"
    assert main(["analyse", str(folder / "study.toml"), "-o", str(results)]) == 0
    told = "chosen: column 'NOM_ZONE', label_column in [area] names another"
    names = "chosen: the names in 'NOM_ZONE', id_column in [area] names another"
    err = capsys.readouterr().err
    assert f"districts.parquet: no usual heading of names (NOM_ZONE), {told}\n" in err
    assert f"districts.parquet: no column of ids (NOM_ZONE), {names}\n" in err
    problems = pd.read_csv(results / "problems.csv")
    assert {told, names} <= set(problems["action"])
    assert main(["info", str(results)]) == 0
    out = capsys.readouterr().out
    assert "Chosen among several" in out
    assert told in out
    assert main(["check", str(folder / "study.toml"), "--format", "json"]) == 0
    problems = json.loads(capsys.readouterr().out)["problems"]
    assert any(told in problem["action"] for problem in problems)


def test_a_hole_of_three_corners_in_one_place_is_drawn_too(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Valid in degrees, invalid in metres: it ended in a traceback at the map."""
    districts = gpd.read_parquet(folder / "districts.parquet").to_crs(4326)
    whole = districts.geometry.iloc[0]
    place = whole.representative_point()
    for step in range(200):
        x, y = place.x + 1e-6 * step, place.y
        hole = [(x, y), (np.nextafter(x, 9), y), (x - 6e-4, y + 1.8e-3)]
        shape = Polygon(whole.exterior, [hole])
        spoilt = districts.set_geometry([shape, *districts.geometry[1:]], crs=4326)
        if shape.is_valid and not spoilt.to_crs(2154).is_valid.all():
            break
    else:
        pytest.fail("no such hole was found")
    spoilt.to_parquet(folder / "districts.parquet")
    page = tmp_path / "map.html"
    assert main(["map", str(folder / "study.toml"), "-o", str(page)]) == 0
    assert page.stat().st_size > 100_000
    capsys.readouterr()
    coverage = analyse(read_study(folder / "study.toml"))
    assert len(listed(coverage, "invalid once in metres")) == 1


def test_a_layer_and_a_sheet_of_one_file_are_refused(study: Path, refuse: Refuse) -> None:
    swap(study, "[services]", '[services]\nlayer = "a"\nsheet = "b"')
    assert "layer is 'a' and sheet is 'b'" in refuse(errors.StudyFileError, study)


@pytest.mark.parametrize("key", ["layer", "sheet"])
def test_a_part_of_a_file_without_parts_is_refused(study: Path, refuse: Refuse, key: str) -> None:
    swap(study, "[services]", f'[services]\n{key} = "Nord"')
    assert "is one table, without sheets or layers such as 'Nord'" in refuse(
        errors.InputFileError, study
    )
