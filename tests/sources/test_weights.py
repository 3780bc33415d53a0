"""A second weight per district: beside the shares, blank where it is not known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from helpers import toy_town
from helpers.study_files import add, write_town
from quart_heure.analysis.weighting import WEIGHT_COLUMNS, with_second_weight
from quart_heure.errors import InputFileError
from quart_heure.outputs.report.report import render_report
from quart_heure.outputs.results.read import read_results
from quart_heure.outputs.results.write import write_results
from quart_heure.sources.residents.weights import DistrictWeights, read_weights
from quart_heure.sources.sample import paris_dir
from quart_heure.study import Coverage, analyse
from quart_heure.study.file import read_study


def counted(folder: Path, text: str) -> Path:
    path = folder / "counted.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_blank_stays_blank_and_what_is_wrong_is_told(tmp_path: Path) -> None:
    path = counted(tmp_path, "district_id;value\nW;12\nE;\nN;4\nOuest;x\n")
    weights = read_weights(path, toy_town.town_area())
    assert weights.values == {"W": 12}
    told = [(row["value"], row["reason"], row["action"]) for row in weights.problems]
    assert told == [
        ("N – 4", "in no district", "left out"),
        ("Ouest – x", "not a number", "taken as unknown"),
        ("Est", "no number", "left blank"),
    ]


def test_english_thousands_and_less_than_nobody(tmp_path: Path) -> None:
    weights = read_weights(
        counted(tmp_path, 'district_id,value\nW,"1,200"\nE,-3\n'), toy_town.town_area()
    )
    assert weights.values == {"W": 1200}
    assert [(row["value"], row["reason"]) for row in weights.problems[:2]] == [
        ("1,200", "comma between thousands, or decimals"),
        ("E – -3", "negative"),
    ]


def test_a_district_is_known_by_its_label_too(tmp_path: Path) -> None:
    path = counted(tmp_path, "arrondissement,effectif\nOUEST,1 200\nest,3\nest,5\n")
    weights = read_weights(path, toy_town.town_area())
    assert weights.values == {"W": 1200, "E": 5}
    assert [row["reason"] for row in weights.problems] == ["district twice"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("district_id,habitants\nW,1\n", "no column 'value'"),
        ("place,value\nW,1\n", "no column 'district_id'"),
        ("district_id,value\nN,1\n", "no row gives a district"),
        ('district_id,value\n"W,1\n', "cannot be read as a table"),
    ],
)
def test_a_file_that_says_nothing_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InputFileError, match=said):
        read_weights(counted(tmp_path, text), toy_town.town_area())


def test_the_city_has_the_mean_weighted_by_what_is_counted(toy_coverage: Coverage) -> None:
    plain = toy_coverage.indicators
    weights = DistrictWeights(values={"W": 30.0, "E": 10.0}, fr="", en="")
    table = with_second_weight(plain, weights).set_index(["district_id", "category"])
    for category in set(plain["category"]):
        west, east = (table.loc[(d, category), "covered_pct"] for d in ("W", "E"))
        city = table.loc[("", category)]
        assert city["second_weight"] == 40
        assert city["second_weight_covered_pct"] == pytest.approx((3 * west + east) / 4)
        assert table.loc[("W", category), "second_weight"] == 30
        assert np.isnan(table.loc[("W", category), "second_weight_covered_pct"])


def test_a_district_without_a_count_weighs_nothing_and_is_not_zero(toy_coverage: Coverage) -> None:
    weights = DistrictWeights(values={"W": 30.0}, fr="", en="")
    table = with_second_weight(toy_coverage.indicators, weights)
    table = table.set_index(["district_id", "category"])
    assert np.isnan(table.loc[("E", "esi"), "second_weight"])
    west, city = table.loc[("W", "esi")], table.loc[("", "esi")]
    assert city["second_weight_covered_pct"] == pytest.approx(west["covered_pct"])


def test_without_a_second_weight_the_columns_are_empty(toy_coverage: Coverage) -> None:
    columns = list(WEIGHT_COLUMNS)
    assert toy_coverage.indicators[columns].isna().to_numpy().all()
    assert "second_weight" not in " ".join(toy_coverage.manifest["counts"])


def test_a_study_carries_it_into_tables_and_reports(tmp_path: Path) -> None:
    study = write_town(tmp_path)
    counted(tmp_path, "district_id,value\nW,12\nE,\n")
    add(
        study,
        '[weights]\nfile = "counted.csv"\nlabel_fr = "Comptés <la nuit>"\n'
        'label_en = "Counted at night"\nsource = "Nuit"',
    )
    coverage = analyse(read_study(study))
    assert ("weights", "counted.csv") in [
        (each["role"], each["file"]) for each in coverage.manifest["inputs"]
    ]
    assert "left blank" in set(coverage.problems["action"])
    write_results(coverage, tmp_path / "out")
    back = read_results(tmp_path / "out")
    rows = back.districts.set_index("district_id")["second_weight"]
    assert rows["W"] == 12
    assert np.isnan(rows["E"])
    for source in (coverage, back):
        text = render_report(source, format="md", lang="en")
        assert "Counted at night: 12 (1 districts of 2). Share covered, if these people are" in text
        assert "Counted at night: —." in text  # of the district that has no count
        assert "Counted at night: Nuit." in text
        page = render_report(source, format="html", lang="fr")
        assert "Comptés &lt;la nuit&gt;" in page
        assert "également sur la surface accessible" in page


def test_names_of_arrondissements_are_understood(tmp_path: Path) -> None:
    from quart_heure.sources.areas.areas import read_area  # noqa: PLC0415 - only here

    area = read_area(paris_dir() / "districts.geojson")
    weights = read_weights(counted(tmp_path, "area,count\nParis 10e,266\n3ème,24\n75118,7\n"), area)
    assert weights.values == {"75110": 266, "75103": 24, "75118": 7}
