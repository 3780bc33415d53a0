"""The result folder: what is written, how it is guarded, and its way back."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import os
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
from pandas.testing import assert_frame_equal
from pyarrow import parquet

from quart_heure.errors import InputFileError, OutputError
from quart_heure.files import sha256_of
from quart_heure.outputs.discretion import publishable
from quart_heure.outputs.results import layers
from quart_heure.outputs.results import write as tables
from quart_heure.outputs.results.csv import csv_text, read_csv
from quart_heure.outputs.results.manifest import describe_run, json_text, read_manifest
from quart_heure.outputs.results.read import Results, read_results
from quart_heure.outputs.results.write import RESULT_FILES, write_results
from quart_heure.schema import (
    TABLES,
    check_columns,
    column_problems,
    data_dictionary,
    table_columns,
)
from quart_heure.study import Coverage, Study, analyse

EPOCH = "1700000000"


@pytest.fixture(scope="module")
def folder(toy_coverage: Coverage, tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("results")
    write_results(toy_coverage, directory)
    return directory


@pytest.fixture(scope="module")
def hostile(toy_study: Study) -> Coverage:
    """A town whose first service is named by somebody unkind."""
    table = toy_study.services.table.copy()
    table.loc[0, "name"] = '=HYPERLINK("http://evil.example","x")'
    table.loc[0, "address"] = '+33 1\n2, rue "Bis", 75013'
    table.loc[0, "notes"] = "-5"
    services = dataclasses.replace(toy_study.services, table=table)
    return analyse(toy_study.replace(services=services))


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


# --- what is written -----------------------------------------------------------------------------


def test_every_file_is_there_and_nothing_else(folder: Path) -> None:
    assert sorted(path.name for path in folder.iterdir()) == sorted(RESULT_FILES)


def test_layers_open_in_a_gis(folder: Path, toy_coverage: Coverage) -> None:
    layers = dict(pyogrio.list_layers(folder / "coverage.gpkg"))
    assert set(layers) == {
        "districts", "gaps", "isochrones", "services",
        "indicators", "composite", "gap_parts", "problems", "manifest",
        "filters", "fragility", "entries", "dependence", "freshness", "accuracy", "unplaced",
        "capacity", "layer_styles",
    }  # fmt: skip
    assert layers["gaps"] == "MultiPolygon"
    assert layers["services"] == "Point"
    assert layers["indicators"] is None
    for name in ("gaps", "isochrones", "districts", "services"):
        layer = gpd.read_file(folder / "coverage.gpkg", layer=name)
        assert layer.crs == toy_coverage.study.area.crs
        assert layer.geometry.is_valid.all()
    gaps = gpd.read_file(folder / "coverage.gpkg", layer="gaps")
    assert gaps["area_ha"].sum() == pytest.approx(toy_coverage.gaps["area_ha"].sum())
    assert gaps.area.sum() / 10_000 == pytest.approx(gaps["area_ha"].sum())


def test_geoparquet_opens_with_crs_and_bounds(folder: Path, toy_coverage: Coverage) -> None:
    for name in ("cells", "gaps", "isochrones", "services"):
        path = folder / f"{name}.parquet"
        layer = gpd.read_parquet(path)
        assert layer.crs == toy_coverage.study.area.crs
        geo = json.loads(parquet.read_metadata(path).metadata[b"geo"])
        described = geo["columns"]["geometry"]
        assert geo["version"] == "1.1.0"
        assert set(described["geometry_types"]) == set(layer.geom_type)
        assert described["bbox"] == pytest.approx(layer.total_bounds.tolist())
        # pyogrio and QGIS read it through GDAL.
        assert len(layer) == len(parquet.read_table(path))


def test_rows_are_written_some_at_a_time(
    folder: Path, toy_coverage: Coverage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layers, "_GROUP_ROWS", 1000)
    write_results(toy_coverage, tmp_path)
    for name, groups in (("cells", -(-len(toy_coverage.cells) // 1000)), ("gaps", 1)):
        one, other = (parquet.read_table(each / f"{name}.parquet") for each in (folder, tmp_path))
        assert one.equals(other, check_metadata=True)
        assert parquet.read_metadata(tmp_path / f"{name}.parquet").num_row_groups == groups


def test_cells_are_points_at_their_centres(folder: Path, toy_coverage: Coverage) -> None:
    cells = gpd.read_parquet(folder / "cells.parquet")
    assert len(cells) == len(toy_coverage.cells)
    np.testing.assert_array_equal(cells.geometry.x, cells["x_m"])
    np.testing.assert_array_equal(cells.geometry.y, cells["y_m"])
    assert cells["residents"].sum() == pytest.approx(toy_coverage.cells["residents"].sum())


def test_comparing_written_minutes_with_the_threshold_holds(
    folder: Path, toy_coverage: Coverage
) -> None:
    cells = gpd.read_parquet(folder / "cells.parquet")
    for category in toy_coverage.study.categories:
        minutes, status = cells[f"minutes_{category}"], cells[f"status_{category}"]
        covered = status.isin(["covered", "borderline_covered"])
        assert ((minutes <= toy_coverage.study.threshold_min) == covered).all()
        assert np.isfinite(minutes.dropna()).all()


def test_unreachable_is_empty_in_files_and_infinite_when_read_back(
    toy_study: Study, tmp_path: Path
) -> None:
    # Its places are known, and none of them counts: that it is out of reach is known too.
    categories = ("bains_douches", "centre_social")
    coverage = analyse(toy_study.replace(categories=categories, judged=("centre_social",)))
    assert np.isinf(coverage.gaps.query("category == 'centre_social'")["minutes_max"]).all()
    write_results(coverage, tmp_path)
    for name in ("gaps", "indicators"):
        for row in rows_of(tmp_path / f"{name}.csv"):
            if row["category"] == "centre_social":
                assert row["minutes_median"] == ""
    results = read_results(tmp_path)
    gaps = results.gaps[results.gaps["category"] == "centre_social"]
    assert np.isinf(gaps[["minutes_min", "minutes_median", "minutes_max"]].to_numpy()).all()
    city = results.indicators.query("category == 'centre_social' and level == 'city'")
    assert np.isinf(city["minutes_median"]).all()
    assert city["uncovered_pct"].item() == 100
    cells = results.cells
    assert np.isinf(cells.loc[cells["on_network"], "minutes_centre_social"]).all()
    assert cells.loc[~cells["on_network"], "minutes_centre_social"].isna().all()


def test_what_is_not_judged_is_unknown_when_read_back(toy_study: Study, tmp_path: Path) -> None:
    coverage = analyse(toy_study.replace(categories=("bains_douches", "centre_social")))
    assert coverage.study.unjudged == ("centre_social",)
    write_results(coverage, tmp_path)
    results = read_results(tmp_path)
    figures = ["minutes_median", "minutes_p90", "covered_ha", "uncovered_pct", "gaps"]
    for told in (coverage, results):
        rows = told.indicators.query("category == 'centre_social'")
        assert len(rows) == 3
        assert rows[figures].isna().all(axis=None)
        assert "centre_social" not in set(told.gaps["category"])
    judged = results.indicators.query("category == 'bains_douches'")
    assert judged[figures].notna().all(axis=None)


def test_districts_hold_their_indicators_side_by_side(folder: Path) -> None:
    results = read_results(folder)
    wide = results.districts.set_index("district_id")
    for row in results.indicators.query("level == 'district'").itertuples():
        assert wide.loc[row.district_id, f"covered_pct_{row.category}"] == pytest.approx(
            row.covered_pct, abs=0.005
        )
        assert wide.loc[row.district_id, f"gaps_{row.category}"] == row.gaps


def test_csv_has_fixed_decimals_and_degrees(folder: Path, toy_coverage: Coverage) -> None:
    for row in rows_of(folder / "gaps.csv"):
        assert len(row["area_ha"].partition(".")[2]) == 4
        assert len(row["residents"].partition(".")[2]) == 1
        assert len(row["minutes_median"].partition(".")[2]) == 2
        assert -180 < float(row["longitude"]) < 180
        assert "geometry" not in row
    degrees = toy_coverage.gaps.to_crs(4326).set_index("gap_id")
    for row in rows_of(folder / "gaps.csv"):
        point = gpd.points_from_xy([float(row["longitude"])], [float(row["latitude"])])[0]
        # Within a centimetre, which is what six decimals can say.
        assert degrees.geometry[row["gap_id"]].distance(point) < 1e-6


def test_the_manifest_travels_in_every_format(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    inside = parquet.read_metadata(folder / "gaps.parquet").metadata[b"quart_heure"]
    kept = {k: v for k, v in manifest.items() if k != "files"}
    assert json.loads(inside) == {**kept, "created": manifest["created"][:10]}
    table = gpd.read_file(folder / "coverage.gpkg", layer="manifest")
    parts = dict(zip(table["key"], table["value"], strict=True))
    assert json.loads(parts["parameters"]) == manifest["parameters"]
    for key in ("version", "created", "osm_date", "inputs", "attribution", "definitions"):
        assert key in manifest
    for name, about in manifest["files"].items():
        assert sha256_of(folder / name) == about["sha256"]
    assert set(manifest["files"]) == set(RESULT_FILES) - {"manifest.json"}


def test_files_of_one_day_are_the_same_whatever_the_hour(
    toy_coverage: Coverage, tmp_path: Path
) -> None:
    written = []
    for hour in ("08:00:00", "17:30:01"):
        stamped = {**toy_coverage.manifest, "created": f"2026-11-29T{hour}Z"}
        folder = tmp_path / hour[:2]
        write_results(dataclasses.replace(toy_coverage, manifest=stamped), folder)
        written.append({path.name: path.read_bytes() for path in folder.iterdir()})
    one, other = written
    assert [name for name in one if one[name] != other[name]] == ["manifest.json"]


def test_definitions_have_the_values_of_the_run(toy_study: Study) -> None:
    coverage = analyse(toy_study.replace(threshold_min=12.5))
    told = {d["key"]: d for d in coverage.manifest["definitions"]}
    assert "12,5 minutes" in told["covered"]["fr"]
    assert "12.5 minutes" in told["covered"]["en"]
    assert not any("{" in d["fr"] + d["en"] or "—" in d["fr"] for d in told.values())


# --- data dictionary -----------------------------------------------------------------------------


def test_every_column_written_is_in_the_data_dictionary(folder: Path) -> None:
    told = {(row["table"], row["column"]) for row in rows_of(folder / "data_dictionary.csv")}
    for name in ("indicators", "composite", "gaps", "gap_parts", "services", "problems"):
        with (folder / f"{name}.csv").open(encoding="utf-8") as file:
            columns = next(csv.reader(file))
        assert {(name, column) for column in columns} <= told
    for name in ("cells", "gaps", "isochrones", "services"):
        columns = parquet.read_schema(folder / f"{name}.parquet").names
        assert {(name, column) for column in columns} <= told
    districts = gpd.read_file(folder / "coverage.gpkg", layer="districts")
    assert {("districts", column) for column in districts.columns} <= told


def test_every_column_is_described_in_both_languages() -> None:
    table = data_dictionary(["esi"], ["essential_all"])
    assert set(table["table"]) == set(TABLES)
    assert not table.duplicated(["table", "column"]).any()
    assert (table[["description_en", "description_fr"]] != "").all(axis=None)
    assert not table["column"].str.contains("{", regex=False).any()
    numbers = table[(table["type"] == "number")]
    assert (numbers["unit"] != "").all()


def test_frames_that_depart_from_the_schema_are_refused(toy_coverage: Coverage) -> None:
    composite = toy_coverage.composite
    check_columns(composite, "composite")
    assert column_problems(composite.drop(columns="label"), "composite") == [
        "column 'label' is missing"
    ]
    assert column_problems(composite.assign(more=1), "composite") == [
        "column 'more' is not declared"
    ]
    with pytest.raises(OutputError, match=r"'area_ha' is (str|object), not number"):
        check_columns(composite.assign(area_ha="much"), "composite")
    assert not column_problems(composite.iloc[:0].astype(object), "composite")


def test_analysis_follows_the_schema(toy_coverage: Coverage) -> None:
    tables_ = ("cells", "isochrones", "gaps", "gap_parts", "indicators", "composite", "problems")
    for name in tables_:
        categories = toy_coverage.study.categories
        assert not column_problems(getattr(toy_coverage, name), name, categories)


# --- reading back --------------------------------------------------------------------------------


def test_what_is_read_is_what_was_written(folder: Path, toy_coverage: Coverage) -> None:
    results = read_results(folder)
    shown = publishable(toy_coverage)
    assert results.changed_files() == []
    for name in ("indicators", "composite"):
        written, read = getattr(shown, name), getattr(results, name)
        keys = [c for c in ("level", "district_id", "category", "essentials_within") if c in read]
        assert_frame_equal(
            written.sort_values(keys, ignore_index=True),
            read.sort_values(keys, ignore_index=True),
            check_dtype=False,
            atol=0.051,
            rtol=0,
        )
    for name, key in (("gaps", "gap_id"), ("services", "service_id")):
        written, read = getattr(shown, name), getattr(results, name)
        assert set(written[key]) == set(read[key])
        same = written.set_index(key).geometry.geom_equals(read.set_index(key).geometry, align=True)
        assert same.all()
    assert len(results.cells) == len(shown.cells)


def test_a_changed_file_is_noticed(toy_coverage: Coverage, tmp_path: Path) -> None:
    write_results(toy_coverage, tmp_path)
    with (tmp_path / "gaps.csv").open("a", encoding="utf-8") as file:
        file.write("one more\n")
    (tmp_path / "composite.csv").unlink()
    manifest = json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))
    results = dataclasses.replace(read_results_partly(tmp_path, manifest), manifest=manifest)
    assert sorted(results.changed_files()) == ["composite.csv", "gaps.csv"]


def read_results_partly(directory: Path, manifest: dict[str, Any]) -> Results:
    empty = pd.DataFrame()
    return Results(
        directory=directory,
        manifest=manifest,
        **dict.fromkeys(
            (
                "indicators",
                "composite",
                "gap_parts",
                "problems",
                "filters",
                "fragility",
                "entries",
                "dependence",
                "freshness",
                "accuracy",
                "unplaced",
                "capacity",
                "services",
                "isochrones",
                "gaps",
            ),
            empty,
        ),
    )


@pytest.mark.parametrize("kind", ["missing", "empty", "foreign", "broken"])
def test_a_folder_that_is_no_result_is_refused(tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "folder"
    if kind != "missing":
        folder.mkdir()
    if kind == "foreign":
        (folder / "manifest.json").write_text('{"name": "a web app"}', encoding="utf-8")
    if kind == "broken":
        (folder / "manifest.json").write_text('{"tool": "quart', encoding="utf-8")
    with pytest.raises(InputFileError, match="folder"):
        read_results(folder)


@pytest.mark.parametrize("name", ["gaps.parquet", "indicators.csv"])
@pytest.mark.parametrize("damage", ["missing", "cut"])
def test_a_damaged_file_is_refused(
    toy_coverage: Coverage, tmp_path: Path, name: str, damage: str
) -> None:
    write_results(toy_coverage, tmp_path)
    path = tmp_path / name
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(InputFileError, match=name):
        read_results(tmp_path)


# --- hostile text --------------------------------------------------------------------------------


def test_formulas_are_defused_and_numbers_stay_numbers(hostile: Coverage, tmp_path: Path) -> None:
    write_results(hostile, tmp_path)
    service = next(r for r in rows_of(tmp_path / "services.csv") if r["service_id"] == "A1")
    assert service["name"].startswith("'=HYPERLINK")
    assert service["address"] == '\'+33 1\n2, rue "Bis", 75013'
    assert service["notes"] == "'-5"
    for path in tmp_path.glob("*.csv"):
        for row in rows_of(path):
            for value in row.values():
                is_number = value.removeprefix("-").replace(".", "", 1).isdigit()
                assert is_number or not value.startswith(("=", "+", "-", "@", "\t", "\r"))
    gaps = pd.read_csv(tmp_path / "gaps.csv")
    assert gaps["area_ha"].dtype == float
    # Layers are no spreadsheets: there the name is the name.
    layer = gpd.read_parquet(tmp_path / "services.parquet").set_index("service_id")
    assert layer.loc["A1", "name"].startswith("=HYPERLINK")


@pytest.mark.parametrize(
    "text",
    [
        *("=1+1", "+1", "-1", "@x", "\tx", "\nx", "'quoted'", "x=1", "", 'é, "à"\n'),
        # A spreadsheet takes wide signs, as an East Asian keyboard writes them, for the others.
        *("＝1+1", "＋1", "－1", "＠SUM(1)", "１", "！"),
    ],
)
def test_text_survives_csv(tmp_path: Path, text: str) -> None:
    columns = table_columns("problems")
    values = {"file": "f", "row": 1, "field": "", "value": text, "reason": "", "action": ""}
    written = csv_text(pd.DataFrame([values]), columns)
    cell = next(csv.DictReader(io.StringIO(written, newline="")))["value"]
    first = unicodedata.normalize("NFKC", text[:1])
    assert cell.startswith("'") == (first in {*"=+-@\t\n'"})
    path = tmp_path / "problems.csv"
    path.write_text(written, encoding="utf-8", newline="")
    assert read_csv(path, columns)["value"].item() == text


@pytest.mark.parametrize("text", ["x\r=1+1", "x\r\n=1+1", "\r=1+1"])
def test_a_carriage_return_begins_no_row(text: str) -> None:
    values = {"file": "f", "row": 1, "field": "", "value": text, "reason": "", "action": ""}
    written = csv_text(pd.DataFrame([values]), table_columns("problems"))
    (row,) = csv.DictReader(io.StringIO(written, newline=""))
    assert "\r" not in written
    assert row["value"].removeprefix("'") == text.replace("\r\n", "\n").replace("\r", "\n")


def test_json_has_no_numbers_that_json_lacks() -> None:
    text = json_text({"a": float("inf"), "b": np.float64("nan"), "c": np.int64(3), "d": (1, {2})})
    assert json.loads(text) == {"a": None, "b": None, "c": 3, "d": [1, [2]]}


# --- whole or not at all -------------------------------------------------------------------------


def test_same_run_same_bytes(
    toy_study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", EPOCH)
    for name in ("first", "second"):
        write_results(analyse(toy_study), tmp_path / name)
    for name in RESULT_FILES:
        first, second = tmp_path / "first" / name, tmp_path / "second" / name
        assert first.read_bytes() == second.read_bytes(), name
    manifest = json.loads((tmp_path / "first" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["created"] == "2023-11-14T22:13:20Z"


def test_odd_source_date_is_refused(monkeypatch: pytest.MonkeyPatch, toy_study: Study) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "yesterday")
    with pytest.raises(InputFileError, match="SOURCE_DATE_EPOCH"):
        analyse(toy_study)


def test_a_failed_run_leaves_the_previous_results(
    toy_coverage: Coverage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_results(toy_coverage, tmp_path)
    before = snapshot(tmp_path)

    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tables, "write_geopackage", fail)
    with pytest.raises(OutputError, match="No space left"):
        write_results(toy_coverage, tmp_path)
    assert snapshot(tmp_path) == before


def test_a_failed_first_run_leaves_nothing(
    toy_coverage: Coverage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object, **__: object) -> Iterator[None]:
        raise KeyboardInterrupt

    monkeypatch.setattr(tables, "write_manifest", stop)
    with pytest.raises(KeyboardInterrupt):
        write_results(toy_coverage, tmp_path / "new")
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_run_left_is_swept_away(toy_coverage: Coverage, tmp_path: Path) -> None:
    dead, alive = tmp_path / ".quart-heure-dead", tmp_path / ".quart-heure-alive"
    for work in (dead, alive):
        work.mkdir()
        (work / "gaps.csv").touch()
    os.utime(dead, (0, 0))
    write_results(toy_coverage, tmp_path)
    assert not dead.exists()
    assert alive.exists()


def test_other_files_in_the_folder_are_left_alone(toy_coverage: Coverage, tmp_path: Path) -> None:
    (tmp_path / "carte.html").write_text("mine", encoding="utf-8")
    write_results(toy_coverage, tmp_path)
    write_results(toy_coverage, tmp_path)
    assert (tmp_path / "carte.html").read_text(encoding="utf-8") == "mine"
    with pytest.raises(OutputError, match="already holds results"):
        write_results(toy_coverage, tmp_path, overwrite=False)


def test_a_folder_that_cannot_be_written_is_said(toy_coverage: Coverage, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    for target in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(OutputError, match="cannot be written") as caught:
            write_results(toy_coverage, target)
        assert caught.value.hint
    if os.geteuid() != 0:
        locked = tmp_path / "locked"
        locked.mkdir(mode=0o500)
        with pytest.raises(OutputError, match="Permission denied"):
            write_results(toy_coverage, locked)


def snapshot(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


# --- studies with little in them -----------------------------------------------------------------


def test_a_study_without_residents_or_essentials_is_written(
    toy_study: Study, tmp_path: Path
) -> None:
    study = toy_study.replace(residents=None, categories=("centre_social",))
    for judged in ((), ("centre_social",)):
        write_results(analyse(study.replace(judged=judged)), tmp_path)
        results = read_results(tmp_path)
        assert results.indicators["residents"].isna().all()
        # Without any known place nothing is judged, and there is no gap.
        assert (len(results.gaps) > 0) == bool(judged)
        assert results.indicators["uncovered_ha"].isna().all() == (not judged)


def test_own_columns_of_services_do_not_stop_the_run(toy_study: Study, tmp_path: Path) -> None:
    table = toy_study.services.table.assign(phone="01").drop(columns="notes")
    study = toy_study.replace(services=dataclasses.replace(toy_study.services, table=table))
    write_results(analyse(study), tmp_path)
    services = read_results(tmp_path).services
    assert "phone" not in services
    assert (services["notes"] == "").all()


@pytest.mark.parametrize(
    ("table", "edit", "said"),
    [
        ("indicators.csv", lambda lines: [*lines, lines[1]], "a row stands twice"),
        ("indicators.csv", lambda lines: lines[:1], "the whole area are missing"),
        (
            "indicators.csv",
            lambda lines: [*lines[:1], *(one.replace(",esi,", ",nothing,") for one in lines[1:])],
            "'nothing', of which the manifest knows nothing",
        ),
        ("gaps.csv", lambda lines: [*lines, lines[1]], ""),
    ],
)
def test_tables_that_cannot_be_are_refused_whatever_their_hash(
    toy_coverage: Coverage,
    tmp_path: Path,
    table: str,
    edit: Callable[[list[str]], list[str]],
    said: str,
) -> None:
    write_results(toy_coverage, tmp_path)
    path, manifest = tmp_path / table, tmp_path / "manifest.json"
    path.write_text("\n".join(edit(path.read_text(encoding="utf-8").splitlines())) + "\n")
    told = json.loads(manifest.read_text(encoding="utf-8"))
    told["files"][table]["sha256"] = sha256_of(path)
    manifest.write_text(json.dumps(told), encoding="utf-8")
    if said:
        with pytest.raises(InputFileError, match=said):
            read_results(tmp_path)
    else:
        read_results(tmp_path)  # the layer is read, not its table


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        ({"files": []}, "files"),
        ({"files": {"a": {"bytes": 1}}}, "sha256"),
        ({"files": {"../a": {"sha256": "", "bytes": 1}}}, "files"),
        ({"categories": ["esi"]}, "categories"),
        ({"categories": [{"id": "esi"}]}, "categories"),
        ({"parameters": None}, "parameters"),
        ({"parameters": {}}, "parameters"),
        ({"counts": None}, "counts"),
        ({"inputs": [None]}, "inputs"),
        ({"limits": [{"fr": 1}]}, "limits"),
        ({"dropped": None}, "dropped"),
        ({"withheld": None}, "withheld"),
        ({"created": "2026-13-45"}, "created"),
        ({"tool": "other"}, "not written by quart-heure"),
        ({"version": "9.0.0"}, "newer than this one"),
        ({"version": "x"}, "which there is not"),
    ],
)
def test_a_manifest_that_was_changed_is_refused(
    toy_coverage: Coverage, tmp_path: Path, edit: dict[str, object], said: str
) -> None:
    manifest = json.loads(json_text(describe_run(toy_coverage)))
    whole = {**manifest, "files": {}}
    (tmp_path / "manifest.json").write_text(json.dumps(whole), encoding="utf-8")
    assert read_manifest(tmp_path) == whole
    (tmp_path / "manifest.json").write_text(json.dumps({**whole, **edit}), encoding="utf-8")
    with pytest.raises(InputFileError, match=said):
        read_manifest(tmp_path)
