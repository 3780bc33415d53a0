"""Own columns of files of services: kept with the places, and never those of a discreet one."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from geopandas import GeoSeries
from shapely import Point

from helpers import toy_town
from quart_heure import Coverage, analyse, read_results, write_results
from quart_heure.categories import default_catalogue
from quart_heure.outputs.map.map import write_map
from quart_heure.outputs.publication.publish import write_publication
from quart_heure.outputs.report.report import REPORT_FORMATS, render_report
from quart_heure.sources.services.merging import merged_services
from quart_heure.sources.services.own import MOST_OWN, own_of
from quart_heure.sources.services.services import Services, read_services

AREA = toy_town.town_area()
SECRET = "Maison Mirabelle"
OURS = {"categorie": "esi", "statut": "ouvert"}


def place(x: float, y: float, **cells: Any) -> dict[str, Any]:
    point = Point(toy_town.ORIGIN[0] + x, toy_town.ORIGIN[1] + y)
    degrees = GeoSeries([point], crs=toy_town.CRS).to_crs(4326).iloc[0]
    return {**OURS, "lon": degrees.x, "lat": degrees.y, **cells}


def read(folder: Path, *files: list[dict[str, Any]]) -> Services:
    paths = [folder / f"s{number}.csv" for number in range(len(files))]
    for path, rows in zip(paths, files, strict=True):
        pd.DataFrame(rows).to_csv(path, index=False, sep=";")
    return read_services(paths, AREA, catalogue=default_catalogue())


def test_columns_of_others_are_kept_as_they_stand(tmp_path: Path) -> None:
    services = read(
        tmp_path,
        [
            place(400, 400, nom="Un", **{"Référent·e": " =Anne ", "Tél. (direct)": "0140000000"}),
            place(900, 700, nom="Deux", **{"Référent·e": "", "Tél. (direct)": ""}),
        ],
        [place(1500, 400, nom="Trois", **{"Convention": "2027", "Vide": ""})],
    )
    assert own_of(services.table) == ["own_referent_e", "own_tel_direct", "own_convention"]
    rows = services.table.set_index("name")
    assert rows.loc["Un", "own_referent_e"] == "=Anne"
    assert rows.loc["Un", "own_tel_direct"] == "0140000000"
    assert rows.loc["Trois", "own_convention"] == "2027"
    assert rows.loc["Deux", own_of(services.table)].tolist() == ["", "", ""]


def test_rows_of_one_place_say_theirs_together(tmp_path: Path) -> None:
    rows = [
        place(400, 400, nom="Un", opening_hours="Mo 12:00-14:00", Lot="A", Pilote="Zoé"),
        place(400, 400, nom="Un", opening_hours="Tu 12:00-14:00", Lot="B", Pilote="Zoé"),
        place(400, 400, nom="Un", opening_hours="Tu 12:00-14:00", Lot="A", Pilote=""),
    ]
    [row] = read(tmp_path, rows).table.to_dict("records")
    assert row["own_lot"] == "A ; B"
    assert row["own_pilote"] == "Zoé"
    other = [place(400, 400, nom="Un", Contrat="7")]
    [row] = read(tmp_path, rows[:1], other).table.to_dict("records")
    assert (row["own_lot"], row["own_contrat"]) == ("A", "7")


def test_sources_that_are_merged_fill_in_what_the_kept_one_lacks(tmp_path: Path) -> None:
    services = read(
        tmp_path,
        [place(400, 400, nom="Accueil Étoile", source="A", Lot="A")],
        [place(440, 400, nom="Accueil de l'Étoile", source="B", Contrat="7", Lot="Z")],
    )
    [row] = merged_services(services).table.to_dict("records")
    assert (row["own_lot"], row["own_contrat"]) == ("A", "7")


def test_no_more_are_kept_than_a_layer_has_room_for(tmp_path: Path) -> None:
    many = {f"colonne {number}": "oui" for number in range(MOST_OWN + 3)}
    services = read(tmp_path, [place(400, 400, nom="Un", **many)])
    assert len(own_of(services.table)) == MOST_OWN
    [told] = services.problems[services.problems["field"] == "services"].to_dict("records")
    assert told["value"] == f"3 / {MOST_OWN + 3}"


# --- what comes out ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def coverage(tmp_path_factory: pytest.TempPathFactory) -> Coverage:
    rows = [
        place(400, 400, nom="Un", Tuteur="Anne Onyme", Suivi="à revoir"),
        place(900, 700, nom="Deux", Tuteur="", Suivi=f"voir {SECRET.upper()}, rue Haute"),
        place(1500, 400, nom=SECRET, discreet="oui", Tuteur="Mot-de-tuteur", Code="Mot-de-porte"),
    ]
    services = read(tmp_path_factory.mktemp("own"), rows)
    return analyse(toy_town.town_study(services=services))


@pytest.fixture(scope="module")
def folder(coverage: Coverage, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("results")
    write_results(coverage, folder)
    return folder


def test_results_hold_them_and_say_what_they_are(coverage: Coverage, folder: Path) -> None:
    assert "Mot-de-porte" in coverage.services["own_code"].tolist()  # its owner's
    services = read_results(folder).services
    assert services["own_tuteur"].tolist() == ["Anne Onyme", ""]
    # Of a place that is not shown not even a heading of its own is left, nor its name elsewhere.
    assert own_of(services) == ["own_tuteur", "own_suivi"]
    assert services["own_suivi"].tolist() == ["à revoir", ""]
    written = pd.read_csv(folder / "services.csv", keep_default_na=False)
    assert written["own_tuteur"].tolist() == ["Anne Onyme", ""]
    about = pd.read_csv(folder / "data_dictionary.csv")
    assert set(about.loc[about["column"].str.startswith("own_"), "column"]) == {
        "own_tuteur",
        "own_suivi",
    }


def test_what_is_published_holds_none(coverage: Coverage, folder: Path, tmp_path: Path) -> None:
    write_publication(coverage, tmp_path / "site")
    write_map(coverage, tmp_path / "site" / "alone.html")
    for form in REPORT_FORMATS:
        text = render_report(coverage, format=form)
        (tmp_path / "site" / f"report.{form}").write_text(text, encoding="utf-8")
    for path in (p for p in (tmp_path / "site").rglob("*") if p.is_file()):
        assert not {w for w in ("Anne Onyme", "own_tuteur", "Mot-de") if w in content(path)}, path
    secret = {w for path in folder.iterdir() for w in ("Mot-de", SECRET) if w in content(path)}
    assert not secret


def content(path: Path) -> str:
    if path.suffix != ".xlsx":
        return path.read_bytes().decode("utf-8", "replace")
    with zipfile.ZipFile(path) as archive:
        return " ".join(
            archive.read(name).decode("utf-8", "replace") for name in archive.namelist()
        )
