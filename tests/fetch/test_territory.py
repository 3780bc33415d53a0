"""Districts of any kind: found columns, overlaps, gaps, finer divisions, mended polygons."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import geopandas as gpd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely import Polygon, box

from helpers import toy_town
from helpers.project import EXTRACTS
from quart_heure.errors import GeometryError, InputFileError
from quart_heure.outputs.report.check import render_check
from quart_heure.outputs.report.report import render_report
from quart_heure.outputs.results.write import write_results
from quart_heure.sources.areas.areas import area_from_districts, read_area
from quart_heure.sources.areas.districts import check_districts, parents_of
from quart_heure.sources.areas.names import bare_name, find_column
from quart_heure.sources.layers import read_layer
from quart_heure.sources.sample import paris_dir
from quart_heure.study import analyse
from quart_heure.study.check import check_study

needs = pytest.mark.skipif(
    not EXTRACTS.is_dir(), reason="needs the source extracts beside the project"
)


def layer(shapes: dict[str, Any], **columns: list[Any]) -> gpd.GeoDataFrame:
    ids = {"district_id": list(shapes), **columns}
    return gpd.GeoDataFrame(ids, geometry=list(shapes.values()), crs=2154)


def faults(shapes: dict[str, Any], **options: Any) -> list[tuple[str, str, float, bool]]:
    table = check_districts(layer(shapes), **options)
    columns = ("kind", "district_ids", "area_m2", "sliver")
    return [tuple(row) for row in table[list(columns)].itertuples(index=False)]


# --- overlaps and gaps ---------------------------------------------------------------------------


def test_districts_that_fit_have_no_fault() -> None:
    assert faults({"a": box(0, 0, 10, 10), "b": box(10, 0, 20, 10)}) == []


def test_an_overlap_is_found_with_its_area_and_its_districts() -> None:
    found = faults({"b": box(8, 0, 20, 10), "a": box(0, 0, 10, 10), "far": box(90, 0, 99, 9)})
    assert found == [("overlap", "a;b", 20.0, False)]
    # A strip of 2 m by 10 m is 20 / 12 wide: a sliver for whoever forgives 2 m.
    assert faults({"a": box(0, 0, 10, 10), "b": box(8, 0, 20, 10)}, sliver_m=2.0)[0][3]


def test_a_gap_between_two_districts_is_found_and_a_hole_of_one_is_its_own() -> None:
    ring = box(0, 0, 30, 30).difference(box(10, 10, 20, 20))
    assert faults({"ring": ring}) == []
    found = faults({"ring": ring, "inner": box(10, 10, 20, 17)})
    assert found == [("gap", "inner;ring", 30.0, False)]


def test_a_fault_says_where_it_is() -> None:
    x, y = toy_town.ORIGIN
    shapes = {"a": box(x, y, x + 100, y + 100), "b": box(x + 90, y, x + 200, y + 100)}
    fault = check_districts(layer(shapes)).iloc[0]
    degrees = gpd.GeoSeries([fault.geometry], crs=2154).to_crs(4326).iloc[0]
    place = shapely.Point(fault.longitude, fault.latitude)
    assert degrees.distance(place) < 1e-6


def test_overlaps_are_told_by_the_study_and_by_the_check(tmp_path: Path) -> None:
    x, y = toy_town.ORIGIN
    shapes = {
        "W": box(x, y, x + 1100, y + toy_town.HEIGHT_M),
        "E": box(x + 1000, y, x + toy_town.WIDTH_M, y + toy_town.HEIGHT_M),
    }
    layer(shapes).to_file(tmp_path / "districts.gpkg")
    area = read_area(tmp_path / "districts.gpkg")
    study = toy_town.town_study(area=area)
    told = study.problems.iloc[0]
    assert (told["file"], told["reason"]) == ("districts.gpkg", "districts overlap")
    assert told["value"].startswith("E;W: 190000 m²")
    check = check_study(study)
    assert "districts overlap" in set(check.problems["reason"])
    assert check.summary()["district_overlap"] == 1
    for form in ("table", "html"):
        text = render_check(check, form=form, width=160)
        assert "districts overlap" in text
        assert "None" not in text
        assert "<NA>" not in text
    assert json.loads(render_check(check, form="json"))["problems"][0]["row"] is None
    coverage = analyse(study)
    assert "districts overlap" in set(coverage.problems["reason"])
    # What two districts claim is counted once, in the first by id.
    city = coverage.city.iloc[0]
    assert city["area_ha"] == pytest.approx(380)
    rows = coverage.indicators.drop_duplicates("district_id").set_index("district_id")
    assert rows.loc["W", "area_ha"] == pytest.approx(190)


@given(
    st.lists(st.tuples(*[st.integers(0, 12)] * 2, *[st.integers(1, 6)] * 2), min_size=2, max_size=6)
)
def test_overlaps_of_boxes_are_those_counted_by_hand(
    places: list[tuple[int, int, int, int]],
) -> None:
    boxes = [(x, y, x + w, y + h) for x, y, w, h in places]
    expected = {}
    for i, a in enumerate(boxes):
        for j, b in enumerate(boxes[:i]):
            wide = min(a[2], b[2]) - max(a[0], b[0])
            high = min(a[3], b[3]) - max(a[1], b[1])
            if wide > 0 and high > 0:
                expected[f"d{j};d{i}"] = wide * high
    table = check_districts(layer({f"d{i}": box(*b) for i, b in enumerate(boxes)}))
    found = table[table["kind"] == "overlap"].set_index("district_ids")["area_m2"]
    # Together they must be more than the noise that districts of real files have.
    assert found.round(6).to_dict() == (expected if sum(expected.values()) > 1 else {})


# --- names ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("columns", "wanted"),
    [
        ({"c_ar": [1, 2], "c_arinsee": [75101, 75102], "l_ar": ["1er", "2e"]}, ["75101", "75102"]),
        ({"c_qu": [1, 2], "c_ar": [1, 1], "l_qu": ["A", "B"]}, ["1", "2"]),
        ({"DCOMIRIS": ["x1", "x2"], "DEPCOM": ["x", "x"], "NOM_IRIS": ["A", "B"]}, ["x1", "x2"]),
        ({"code_insee": ["92050", "92062"], "nom": ["Nanterre", "Puteaux"]}, ["92050", "92062"]),
        ({"iris_code": ["a", "b"], "insee": ["c", "c"]}, ["a", "b"]),
        ({"insee": ["c", "c"], "libelle": ["A", "B"]}, ["A", "B"]),  # not an id: names are
    ],
)
def test_usual_columns_are_found(columns: dict[str, list[Any]], wanted: list[str]) -> None:
    table = gpd.GeoDataFrame(columns, geometry=[box(0, 0, 9, 9), box(9, 0, 18, 9)], crs=2154)
    area = area_from_districts(table, name="x")
    assert list(area.districts["district_id"]) == wanted
    labels = next(
        (columns[c] for c in ("l_ar", "l_qu", "NOM_IRIS", "nom", "libelle") if c in columns), None
    )
    assert list(area.districts["label"]) == (labels or wanted)


def test_one_id_for_two_districts_is_still_refused() -> None:
    table = layer({"a": box(0, 0, 9, 9), "b": box(9, 0, 18, 9)})
    with pytest.raises(GeometryError, match="two districts have the id"):
        area_from_districts(table.assign(district_id="a"), name="x")


def test_names_are_compared_by_what_tells_them_apart() -> None:
    assert {bare_name(n) for n in ("13", "13e", "13ème", "Paris 13e", "13e arrondissement")} == {
        "13"
    }
    assert find_column(layer({"a": box(0, 0, 1, 1)}, Pop=[1]), ("pop",)) == "Pop"


# --- mended --------------------------------------------------------------------------------------

BOW_TIE = Polygon([(0, 0), (10, 10), (10, 0), (0, 10)])


def test_an_invalid_polygon_is_refused_or_mended_and_told(tmp_path: Path) -> None:
    layer({"a": BOW_TIE, "b": box(20, 0, 30, 10)}).to_file(tmp_path / "d.gpkg")
    with pytest.raises(GeometryError, match=r"row 1: .*mend = true"):
        read_area(tmp_path / "d.gpkg")
    area = read_area(tmp_path / "d.gpkg", mend=True)
    assert area.geometry.is_valid
    assert area.geometry.area == pytest.approx(150)
    (told,) = area.problems
    assert (told["row"], told["reason"], told["action"]) == (1, "invalid polygon", "mended")


# --- a finer division ----------------------------------------------------------------------------


def test_the_parent_is_the_district_with_most_of_it() -> None:
    outer = layer({"b": box(10, 0, 20, 10), "a": box(0, 0, 10, 10)})
    inner = layer({
        "left": box(0, 0, 5, 10), "mostly b": box(8, 0, 14, 10), "half": box(5, 0, 15, 10),
        "out": box(50, 0, 60, 10), "corner": box(20, 10, 30, 20),
    })  # fmt: skip
    parents, share = parents_of(inner, outer)
    assert parents == ["a", "b", "a", "", ""]
    assert share.tolist() == pytest.approx([1, 4 / 6, 0.5, 0, 0])


def quarters_of_the_town() -> gpd.GeoDataFrame:
    x, y = toy_town.ORIGIN
    high, wide = toy_town.HEIGHT_M, toy_town.WIDTH_M
    return layer({
        "W-south": box(x, y, x + 1000, y + 900), "W-north": box(x, y + 900, x + 1000, y + high),
        "E-south": box(x + 1000, y, x + wide, y + 900),
        "E-north": box(x + 1000, y + 900, x + wide, y + high),
    })  # fmt: skip


def test_an_analysis_per_quarter_works_from_end_to_end(tmp_path: Path, toy_coverage: Any) -> None:
    toy_town.town_area().districts.to_file(tmp_path / "districts.gpkg")
    quarters_of_the_town().to_file(tmp_path / "quarters.geojson")
    whole = read_area(
        tmp_path / "districts.gpkg", name="Petite Ville", subdistricts=tmp_path / "quarters.geojson"
    )
    assert whole.problems == ()
    assert whole.subdistricts is not None
    assert dict(whole.subdistricts[["district_id", "parent_id"]].itertuples(index=False)) == {
        "E-north": "E", "E-south": "E", "W-north": "W", "W-south": "W"
    }  # fmt: skip
    coverage = analyse(toy_town.town_study(area=whole.by_subdistrict()))
    write_results(coverage, tmp_path / "out")
    assert "W-south" in render_report(coverage, format="md")
    parents = dict(whole.subdistricts[["district_id", "parent_id"]].itertuples(index=False))
    fine = coverage.indicators[coverage.indicators["level"] == "district"]
    summed = fine.groupby([fine["district_id"].map(parents), "category"])["covered_ha"].sum()
    coarse = toy_coverage.indicators.set_index(["district_id", "category"])["covered_ha"]
    assert summed.to_dict() == pytest.approx(coarse[["E", "W"]].to_dict())


def test_a_quarter_across_districts_or_outside_is_told(tmp_path: Path) -> None:
    layer({"a": box(0, 0, 10, 10), "b": box(10, 0, 20, 10)}).to_file(tmp_path / "d.gpkg")
    inner = layer({"in": box(0, 0, 8, 10), "across": box(8, 0, 14, 10), "out": box(50, 0, 60, 10)})
    inner.to_file(tmp_path / "q.gpkg")
    area = read_area(tmp_path / "d.gpkg", subdistricts=tmp_path / "q.gpkg")
    told = {(row["value"][:3], row["reason"], row["action"]) for row in area.problems}
    assert told == {
        ("acr", "in several districts", "given to the one with most of it"),
        ("out", "in no district", "left out"),
    }
    assert area.subdistricts is not None
    assert list(area.subdistricts["district_id"]) == ["across", "in"]
    with pytest.raises(GeometryError, match="no finer division"):
        dataclasses.replace(area, subdistricts=None).by_subdistrict()


def test_the_packaged_quarters_lie_in_the_packaged_districts() -> None:
    area = read_area(
        paris_dir() / "districts.geojson", subdistricts=paris_dir() / "quarters.geojson"
    )
    assert area.problems == ()
    stated = read_layer(paris_dir() / "quarters.geojson").set_index("quarter_id")["district_id"]
    assert area.subdistricts is not None
    assert len(area.subdistricts) == 80
    assert dict(area.subdistricts[["district_id", "parent_id"]].itertuples(index=False)) == {
        str(key): str(value) for key, value in stated.items()
    }


# --- the source files ----------------------------------------------------------------------------


@needs
@pytest.mark.extracts
@pytest.mark.parametrize(
    ("name", "number", "first", "label"),
    [
        ("paris-admin/arrondissements.geojson", 20, "75101", "1er Ardt"),
        ("paris-admin/quartier_paris.geojson", 80, "7510101", "Saint-Germain-l'Auxerrois"),
        ("paris-iris/derived_iris_pop15p_2011.geojson.gz", 992, "751010101", None),
    ],
)
def test_the_districts_of_the_source_files_are_read_as_they_are(
    name: str, number: int, first: str, label: str | None
) -> None:
    area = read_area(EXTRACTS / name)
    assert len(area.districts) == number
    assert area.districts["district_id"].iloc[0] == first
    assert label is None or area.districts["label"].iloc[0] == label
    assert area.geometry.area / 1e6 == pytest.approx(105.37, abs=0.5)
    assert not [row for row in area.problems if row["reason"] == "districts overlap"]


def test_a_file_that_is_not_there_is_said() -> None:
    with pytest.raises(InputFileError, match="no such file"):
        read_area(Path("nowhere.geojson"))
