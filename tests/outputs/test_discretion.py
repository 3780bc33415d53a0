"""A discreet place counts in the times and is shown nowhere."""

from __future__ import annotations

import dataclasses
import json
import re
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyproj
import pytest
from pyarrow import parquet

from helpers import toy_town
from quart_heure.cache import Cache
from quart_heure.labels import problem_words
from quart_heure.outputs.discretion import DISCREET, publishable
from quart_heure.outputs.publication.publish import write_publication, write_zip
from quart_heure.outputs.report.report import REPORT_FORMATS, render_report
from quart_heure.outputs.results.write import write_results
from quart_heure.sources.problems import problem_table
from quart_heure.sources.services.services import Services
from quart_heure.study import Coverage, Study, analyse
from quart_heure.study.check import check_study

NAME, ADDRESS, NOTES = "Maison Mirabelle", "37 impasse Cachée", "ne pas dire"
TELLING = {
    ("A1", "notes"): "À côté de la « MAISON-MIRABELLE »",
    ("A1", "operator"): "Association des 37 places",
    ("A1", "own_contact"): "le même, impasse Cachée",
    ("C1", "notes"): "37 places, impasse Ouverte ; maison de Mirabelle",
    ("C1", "audience"): "orientées par la maison mirabelle",
    ("C2", "opening_hours_text"): "sonner au 37 bis de l’imp. Cachée",
    ("C2", "own_contact"): "Maison Mirabelle",
}
"""What lists say of places that are shown; the first, the fifth and the last two tell."""
EMPTIED = [("A1", "notes"), ("C1", "audience"), ("C2", "opening_hours_text"), ("C2", "own_contact")]

PLACE = "B3"  # the discreet place of the toy town, the only bagagerie that counts


@pytest.fixture(scope="module")
def secret_study(toy_study: Study) -> Study:
    table = toy_study.services.table.assign(own_contact="")
    here = table["service_id"] == PLACE
    table.loc[here, ["name", "address", "notes"]] = [NAME, ADDRESS, NOTES]
    for (service_id, column), text in TELLING.items():
        table.loc[table["service_id"] == service_id, column] = text
    problems = problem_table(
        [
            problem(1, "name", NAME),
            problem(2, "address", "38 impasse Cachée, 75000"),
            problem(3, "coordinates", "2.31234, 48.1"),
            problem(4, "service_id", PLACE),
            problem(5, "service_id", f"{PLACE}5"),
            problem(6, "status", "ouvert"),
            problem(7, "notes", "voir aussi au 37 imp. Cachée"),
        ]
    )
    return toy_study.replace(services=Services(table=table, problems=problems))


@pytest.fixture(scope="module")
def secret(secret_study: Study) -> Coverage:
    return analyse(secret_study)


@pytest.fixture(scope="module")
def shown(secret: Coverage) -> Coverage:
    return publishable(secret)


def problem(row: int, field: str, value: str) -> dict[str, object]:
    return {"file": "a.csv", "row": row, "field": field, "value": value, "reason": "", "action": ""}


def degrees(table: pd.DataFrame) -> tuple[float, float]:
    point = table.geometry.iloc[0]
    transformer = pyproj.Transformer.from_crs(2154, 4326, always_xy=True)
    lon, lat = transformer.transform(point.x, point.y)
    return lon, lat


def test_the_place_is_in_no_table(shown: Coverage) -> None:
    for table in (shown.services, shown.study.services.table):
        assert PLACE not in set(table["service_id"])
        assert not table["discreet"].any()
        assert table.index.equals(pd.RangeIndex(len(table)))
    for column in ("nearest_service_id", "nearest_service_name"):
        assert not set(shown.gaps[column]) & {PLACE, NAME}
    assert PLACE not in set(shown.cells["nearest_bagagerie"])
    assert DISCREET in set(shown.cells["nearest_bagagerie"])
    for column in shown.cells.filter(like="nearest_"):
        assert PLACE not in pd.Categorical(shown.cells[column]).categories


def test_problems_that_name_it_are_withheld_and_counted(secret: Coverage, shown: Coverage) -> None:
    left = set(shown.problems["row"].dropna())
    # Where a row has its address or coordinates, it is that of a place that is shown.
    assert left == {2, 3, 5, 6}
    assert shown.manifest["withheld"]["problems"] == 3
    assert len(shown.study.services.problems) == 4


def test_what_is_counted_stays_true(secret: Coverage, shown: Coverage) -> None:
    pd.testing.assert_frame_equal(secret.indicators, shown.indicators)
    pd.testing.assert_frame_equal(secret.isochrones, shown.isochrones)
    pd.testing.assert_frame_equal(secret.composite, shown.composite)
    columns = [c for c in secret.cells if not c.startswith("nearest_")]
    pd.testing.assert_frame_equal(secret.cells[columns], shown.cells[columns])
    for column in ("nearest_bains_douches", "nearest_esi"):
        assert (secret.cells[column].astype(str) == shown.cells[column].astype(str)).all()
    assert list(secret.gaps["gap_id"]) == list(shown.gaps["gap_id"])
    assert list(secret.gaps["street"]) == list(shown.gaps["street"])


def test_gaps_do_not_name_it(secret: Coverage, shown: Coverage) -> None:
    for before, after in ((secret.gaps, shown.gaps), (secret.gap_parts, shown.gap_parts)):
        at_it = before["nearest_service_id"] == PLACE
        assert at_it.any()
        assert set(after.loc[at_it, "nearest_service_id"]) == {DISCREET}
        assert set(after.loc[at_it, "nearest_service_name"]) == {""}
        assert PLACE not in set(after["nearest_service_id"])


def test_what_is_withheld_is_counted(shown: Coverage) -> None:
    assert shown.manifest["withheld"] == {
        "services": 1,
        "services_without_zone": 0,
        "problems": 3,
        "counted": {"bagagerie": 1},
    }


def test_a_place_that_does_not_count_is_not_shown_either(secret_study: Study) -> None:
    table = secret_study.services.table.copy()
    table.loc[table["service_id"] == PLACE, "status"] = "closed"
    study = secret_study.replace(services=Services(table=table, problems=problem_table()))
    shown = publishable(analyse(study))
    assert PLACE not in set(shown.services["service_id"])
    assert shown.manifest["withheld"]["counted"] == {}


def test_texts_of_others_that_tell_of_it_are_emptied(secret: Coverage, shown: Coverage) -> None:
    for table in (shown.services, shown.study.services.table):
        by_id = table.set_index("service_id")
        for (service_id, column), text in TELLING.items():
            emptied = (service_id, column) in EMPTIED
            assert by_id.loc[service_id, column] == ("" if emptied else text), (service_id, column)
        assert set(by_id["name"]) == set(secret.services["name"]) - {NAME}


def test_texts_that_tell_of_a_place_in_no_zone_are_emptied_too(secret_study: Study) -> None:
    table = secret_study.services.table
    far = table.geometry.translate(90_000).where(table["service_id"] == PLACE, table.geometry)
    services = dataclasses.replace(secret_study.services, table=table.set_geometry(far))
    study = secret_study.replace(services=services, private=False)
    assert study.services.unanchored == 1
    assert PLACE not in set(study.services.table["service_id"])
    shown = publishable(analyse(study))
    for found in (shown.services, shown.study.services.table):
        by_id = found.set_index("service_id")
        assert [by_id.loc[at] for at in EMPTIED] == [""] * len(EMPTIED)
    assert NAME not in repr(shown.study.services.left_out.to_dict())


def test_a_check_tells_its_owner_what_is_emptied(secret_study: Study) -> None:
    table = secret_study.services.table.copy()
    table.loc[table["service_id"] == "A2", "name"] = f"Cuisine de la {NAME}"
    rows = {name: ("lieux.csv", number) for number, name in enumerate(table["service_id"], 1)}
    services = dataclasses.replace(secret_study.services, table=table, rows=rows)
    problems = check_study(secret_study.replace(services=services)).problems
    told = problems[problems["reason"] == "tells of a place that is not shown"]
    found = set(zip(told["row"], told["field"], told["action"], strict=True))
    emptied = {(rows[name][1], column, "emptied where published") for name, column in EMPTIED}
    assert found == {*emptied, (rows["A2"][1], "name", "shown all the same")}
    assert set(told["file"]) == {"lieux.csv"}
    for text in set(told["reason"]) | set(told["action"]):
        assert problem_words(text, "fr") not in {"", text}


def test_twice_is_once(shown: Coverage) -> None:
    assert publishable(shown) is shown


def test_without_discreet_places_nothing_changes(secret_study: Study) -> None:
    table = secret_study.services.table.assign(discreet=False)
    study = secret_study.replace(services=dataclasses.replace(secret_study.services, table=table))
    coverage = analyse(study)
    shown = publishable(coverage)
    assert not any(shown.manifest["withheld"].values())
    for name in ("cells", "services", "isochrones", "gaps", "gap_parts", "problems"):
        pd.testing.assert_frame_equal(getattr(coverage, name), getattr(shown, name))


def test_no_file_tells(secret: Coverage, tmp_path: Path) -> None:
    """Every byte that is written is searched for the name, the address and the coordinates."""
    write_results(secret, tmp_path)
    for format_ in REPORT_FORMATS:
        text = render_report(secret, format=format_)
        (tmp_path / f"report.{format_}").write_text(text, encoding="utf-8")
    site = write_publication(secret, tmp_path / "site")
    write_zip(tmp_path / "site", tmp_path / "site.zip")
    table = secret.study.services.table
    place = table[table["service_id"] == PLACE]
    lon, lat = degrees(place)
    point = place.geometry.iloc[0]
    told = [NAME, ADDRESS, NOTES, *(TELLING[at] for at in EMPTIED), f"{lon:.5f}", f"{lat:.5f}"]
    files = sorted(path for path in tmp_path.rglob("*") if path.is_file())
    assert {*site} < {*files}
    for path in files:
        content = path.read_bytes()
        if path.suffix in {".xlsx", ".zip"}:
            with zipfile.ZipFile(path) as archive:
                content = b"".join(archive.read(name) for name in archive.namelist())
        if path.suffix == ".parquet":
            frame = parquet.read_table(path)
            columns = frame.drop_columns("geometry").to_pandas()
            content = columns.to_csv().encode() + str(frame.schema.metadata).encode()
            shapes = b"".join(frame["geometry"].to_pylist())
            assert np.float64(point.x).tobytes() + np.float64(point.y).tobytes() not in shapes
        for word in told:
            assert word.encode() not in content, f"{path.name} tells {word!r}"
        if path.suffix in {".csv", ".office"}:
            assert PLACE not in re.split(r'[;,"\n]', content.decode()), path.name


def test_the_place_still_counts(secret: Coverage, toy_study: Study) -> None:
    report = json.loads(render_report(secret, format="json"))
    bagagerie = next(
        row for row in report["services"]["by_category"] if row["category"] == "bagagerie"
    )
    assert bagagerie["counted"] == 1
    assert bagagerie["not_shown"] == 1
    assert report["services"]["withheld"] == 1
    assert PLACE not in {row["service_id"] for row in report["services"]["list"]}
    assert toy_town.CATEGORIES[1] == "bagagerie"


def test_the_cache_does_not_tell_where_it_is(secret_study: Study, tmp_path: Path) -> None:
    """Wherever the place is, the same files are kept, byte for byte."""
    table = secret_study.services.table
    here = table["service_id"] == PLACE
    kept, dependence = [], []
    for dx in (0, 300):
        moved = table.assign(geometry=table.geometry.where(~here, table.geometry.translate(dx)))
        study = secret_study.replace(
            services=dataclasses.replace(secret_study.services, table=moved)
        )
        cache = Cache(tmp_path / str(dx))
        for run in (analyse(study, cache=cache), analyse(study, cache=cache), analyse(study)):
            dependence.append(run.dependence)
        pd.testing.assert_frame_equal(dependence[-2], dependence[-1])
        pd.testing.assert_frame_equal(dependence[-3], dependence[-1])
        files = sorted((tmp_path / str(dx)).iterdir())
        kept.append([(path.name, path.read_bytes()) for path in files])
    assert any(name.startswith("reach") for name, _ in kept[0])
    assert not dependence[0].equals(dependence[-1])  # it did move
    assert kept[0] == kept[1]
