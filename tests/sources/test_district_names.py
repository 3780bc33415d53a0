"""What districts are called in real files, and whom a word names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely import Polygon, box

from quart_heure.errors import InputFileError
from quart_heure.outputs.report.content import resolve_districts
from quart_heure.sources.areas.areas import StudyArea, area_from_districts, read_area
from quart_heure.sources.areas.districts import check_districts, fault_rows
from quart_heure.sources.areas.names import known_names, named_rows, positions_of
from quart_heure.sources.residents.files import read_people
from quart_heure.sources.residents.residents import ResidentZones
from quart_heure.sources.residents.weights import read_weights

X, Y = 652_000, 6_862_000


def districts(**columns: list[Any]) -> gpd.GeoDataFrame:
    n = len(next(iter(columns.values())))
    shapes = [box(X + 100 * i, Y, X + 100 * (i + 1), Y + 100) for i in range(n)]
    return gpd.GeoDataFrame(columns, geometry=shapes, crs=2154)


def area_of(**columns: list[Any]) -> StudyArea:
    return area_from_districts(districts(**columns), name="x", origin="d.geojson")


@pytest.mark.parametrize(
    ("columns", "ids", "labels", "told"),
    [
        # Fields of real French files.
        (
            {"postcode": [69001, 69002], "arrondissement": ["1er", "2e"]},
            ["69001", "69002"],
            ["1er", "2e"],
            [],
        ),
        ({"n": [2, 1], "a": ["Est", "Ouest"]}, ["1", "2"], ["Ouest", "Est"], ["n", "a"]),
        ({"n": ["Est", "Ouest"], "a": [11.5, 9.25]}, ["Est", "Ouest"], None, ["n", "n"]),
        (
            {"DEPCO": ["31555", "31555"], "NOM_QUA": ["MATABIAU", "CAPITOLE"]},
            ["CAPITOLE", "MATABIAU"],
            None,
            ["NOM_QUA"],
        ),
        ({"DEPCO": ["59350", "59009"], "NOM_QUA": ["B", "A"]}, ["59009", "59350"], ["A", "B"], []),
        ({"grd_quart": [1, 2], "lib_grd_quart": ["A", "B"]}, ["1", "2"], ["A", "B"], []),
        # Numbers of rows name nothing; neither do areas.
        ({"OBJECTID": [1, 2], "Shape_Area": [5, 6], "Nom": ["B", "A"]}, ["A", "B"], None, ["Nom"]),
        (
            {"code_zone": ["Z2", "Z1"], "intitule": ["Le Haut", "Le Bas"]},
            ["Z1", "Z2"],
            ["Le Bas", "Le Haut"],
            2,
        ),
        ({"gid": [1, 2], "surface": [3.5, 4.5]}, ["row-1", "row-2"], None, 1),
        # Lists of one word, as portals export them, also as text.
        ({"code_insee": [["99101"], ["99102"]]}, ["99101", "99102"], None, []),
        ({"code_insee": ['["99101"]', "['99102']"]}, ["99101", "99102"], None, []),
        ({"code_insee": [np.array(["x"]), np.array(["y"])]}, ["x", "y"], None, []),
    ],
)
def test_ids_and_names_are_found_or_the_choice_is_told(
    columns: dict[str, list[Any]], ids: list[str], labels: list[str] | None, told: Any
) -> None:
    area = area_of(**columns)
    assert area.districts["district_id"].tolist() == ids
    assert area.districts["label"].tolist() == (labels or ids)
    choices = [row for row in area.problems if row["action"].startswith("chosen: ")]
    assert len(area.problems) == len(choices)
    if isinstance(told, int):
        assert len(choices) == told
    else:
        assert [row["value"] for row in choices] == told


def test_lists_of_one_in_geojson(tmp_path: Path) -> None:
    table = districts(x=["a", "b"]).to_crs(4326)
    content = json.loads(table.to_json())
    for at, feature in enumerate(content["features"]):
        feature["properties"] = {"com_arm_code": [f"7510{at}"], "com_arm_name": [f"{at + 1}e"]}
    path = tmp_path / "d.geojson"
    path.write_text(json.dumps(content), encoding="utf-8")
    area = read_area(path)
    assert area.districts["district_id"].tolist() == ["75100", "75101"]
    assert area.districts["label"].tolist() == ["1e", "2e"]


def test_a_column_that_is_asked_for_is_taken_and_not_told() -> None:
    named = named_rows(districts(a=["x", "y"], b=["v", "w"]), "b", "a", "d")
    assert (named.ids, named.labels, named.told) == (["v", "w"], ["x", "y"], ())


def people(folder: Path, name: str, rows: dict[str, Any]) -> Path:
    path = folder / name
    pd.DataFrame(rows).to_csv(path, index=False)
    return path


def residents(area: StudyArea, found: Any) -> dict[str, float]:
    assert isinstance(found, ResidentZones)
    assert found.district is not None
    ids = dict(zip(area.districts["district_id"], area.districts["label"], strict=True))
    return {str(ids[one]): float(n) for one, n in zip(found.district, found.residents, strict=True)}


def test_names_join_tables_and_numbers_of_rows_never_do(tmp_path: Path) -> None:
    table = people(tmp_path, "p.csv", {"code": ["1", "2"], "value": [10, 20]})
    counted = people(tmp_path, "r.csv", {"code": ["1", "2"], "population": [10, 20]})
    named = area_of(nom=["2e arrondissement", "1er arrondissement"])
    assert residents(named, read_people(counted, named)) == {
        "1er arrondissement": 10,
        "2e arrondissement": 20,
    }
    assert read_weights(table, named).values == {
        "1er arrondissement": 10,
        "2e arrondissement": 20,
    }
    rows = area_of(gid=[1, 2])
    for read, path in ((read_people, counted), (read_weights, table)):
        with pytest.raises(InputFileError, match="no row"):
            read(path, rows)


def test_an_id_that_is_the_name_of_another_is_refused(tmp_path: Path) -> None:
    """Ids 1 and 2 are numbers of rows here; arrondissements are numbered otherwise."""
    area = area_of(id=[1, 2], nom=["2e arrondissement", "1er arrondissement"])
    counted = people(tmp_path, "r.csv", {"code": ["1", "2"], "population": [10, 20]})
    with pytest.raises(InputFileError, match=r"row 1: '1' names .*2e arr.*1er arr"):
        read_people(counted, area)
    weighed = people(tmp_path, "w.csv", {"code": ["1", "2"], "value": [10, 20]})
    with pytest.raises(InputFileError, match=r"row 1: '1' names"):
        read_weights(weighed, area)
    whole = people(tmp_path, "n.csv", {"nom": ["1er arrondissement"], "population": [10]})
    assert residents(area, read_people(whole, area)) == {"1er arrondissement": 10}


def test_columns_that_name_different_districts_are_refused(tmp_path: Path) -> None:
    """A number of the row stands beside the name, as spreadsheets keep it."""
    area = area_of(code=["75101", "75102", "75103"], nom=["1er", "2e", "3e"])
    rows = {"id": [1, 2, 3], "nom": ["3e", "1er", "2e"]}
    counted = people(tmp_path, "r.csv", {**rows, "population": [30, 10, 20]})
    with pytest.raises(InputFileError, match=r"row 1: its columns name several .*'1er'.*'3e'"):
        read_people(counted, area)
    weighed = people(tmp_path, "w.csv", {**rows, "value": [30, 10, 20]})
    with pytest.raises(InputFileError, match="row 1: its columns name several"):
        read_weights(weighed, area)
    # Where they agree, or one is about something else, there is no doubt.
    right = {"id": [3, 1, 2], "nom": ["3e", "1er", "2e"], "code_postal": ["1", "1", "1"]}
    counted = people(tmp_path, "r.csv", {**right, "population": [30, 10, 20]})
    assert residents(area, read_people(counted, area)) == {"1er": 10, "2e": 20, "3e": 30}
    weighed = people(tmp_path, "w.csv", {**right, "value": [30, 10, 20], "nombre": [0, 0, 0]})
    found = read_weights(weighed, area)
    assert found.values == {"75101": 10, "75102": 20, "75103": 30}
    assert [row["action"] for row in found.problems] == ["chosen: 'value'"]


def test_a_second_column_tells_which_of_two_is_named(tmp_path: Path) -> None:
    area = area_of(id=[1, 2], nom=["2e arrondissement", "1er arrondissement"])
    rows = {"id": [1, 2], "nom": ["2e arrondissement", "1er arrondissement"]}
    counted = people(tmp_path, "r.csv", {**rows, "population": [20, 10]})
    assert residents(area, read_people(counted, area)) == {
        "1er arrondissement": 10,
        "2e arrondissement": 20,
    }


def test_two_districts_of_one_name_are_told_and_refused_by_name(tmp_path: Path) -> None:
    area = area_of(code=["A", "B", "C"], nom=["Centre", "centre", "Nord"])
    told = area_of(code=["A", "B"], nom=["Centre", "Centre"]).problems
    assert [(row["field"], row["value"]) for row in told] == [("label", "Centre: A, B")]
    by_name = people(tmp_path, "n.csv", {"nom": ["Centre", "Nord"], "population": [10, 20]})
    with pytest.raises(InputFileError, match=r"'Centre' \(id 'A'\) and 'centre' \(id 'B'\)"):
        read_people(by_name, area)
    by_id = people(tmp_path, "i.csv", {"code": ["A", "B"], "population": [10, 20]})
    assert list(residents(area, read_people(by_id, area)).values()) == [10, 20]


def test_a_district_asked_for_by_a_name_of_two_is_refused() -> None:
    rows = pd.DataFrame(
        {"level": "district", "district_id": ["1", "2", "3"], "label": ["2e", "1er", "3e"]}
    )
    assert resolve_districts(rows, ["3"]) == ["3"]
    assert resolve_districts(rows, ["1er", "2e"]) == ["2", "1"]
    with pytest.raises(InputFileError, match="'1' names"):
        resolve_districts(rows, ["1"])


@given(st.lists(st.tuples(st.integers(1, 30), st.integers(1, 30)), min_size=1, max_size=8))
def test_a_word_names_a_district_only_if_no_other_could_be_meant(
    numbers: list[tuple[int, int]],
) -> None:
    ids, labels = [str(a) for a, _ in numbers], [f"{b}e arrondissement" for _, b in numbers]
    known = known_names(ids, labels)
    for word in map(str, range(1, 31)):
        owners = {i for i, (a, b) in enumerate(numbers) if word in {str(a), str(b)}}
        assert set(positions_of(word, known)) == owners
    for i, label in enumerate(labels):
        if labels.count(label) == 1:
            assert positions_of(label, known) == (i,)


# --- faults between districts --------------------------------------------------------------------


def test_slivers_are_one_line_and_what_is_wide_is_told_each() -> None:
    """A row of districts whose outlines were simplified apart, and one hole that is real."""
    n = 40
    shapes: list[Polygon] = [box(0, 0, 100 * n, 100), box(0, 300, 100 * n, 400)]
    for i in range(n):
        wide = 60 if i == 20 else 3
        shapes.append(box(100 * i, 100, 100 * (i + 1) - wide, 300))
    table = gpd.GeoDataFrame(
        {"district_id": [f"d{i:02d}" for i in range(len(shapes))]}, geometry=shapes, crs=2154
    )
    faults = check_districts(table)
    rows = fault_rows(faults, file="d.geojson")
    assert [row["reason"] for row in rows] == ["gap between districts", "outlines do not meet"]
    narrow = [f for f in faults.itertuples() if f.width_m < 25]
    assert len(narrow) > 30
    total = sum(f.area_m2 for f in narrow)
    assert rows[1]["value"].startswith(f"0 overlaps, {len(narrow)} gaps: {total:.0f} m² in all")


def test_a_single_sliver_says_where_it_is() -> None:
    table = gpd.GeoDataFrame(
        {"district_id": ["a", "b"]},
        geometry=[box(X, Y, X + 100, Y + 100), box(X + 97, Y, X + 200, Y + 100)],
        crs=2154,
    )
    [row] = fault_rows(check_districts(table), file="d")
    assert row["reason"] == "districts overlap"
    assert row["value"].startswith("a;b: 300 m²")
