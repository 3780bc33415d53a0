"""Places that must stay secret: a word in any cell hides them, from every way in."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from shapely import Point, box

from helpers import toy_town
from helpers.fake_portals import place, town_lon_lat
from helpers.study_files import write_town
from quart_heure.categories import default_catalogue, extend_catalogue
from quart_heure.cli import main
from quart_heure.outputs.report.check import render_check
from quart_heure.sources.online.open_data import Dataset, DatasetAnswer
from quart_heure.sources.online.open_data_services import service_rows
from quart_heure.sources.online.soliguide_places import _admits, place_rows
from quart_heure.sources.osm.services import read_candidates
from quart_heure.sources.services.discretion import ASKED, is_shelter
from quart_heure.sources.services.services import Services, read_services
from quart_heure.study.check import check_study
from quart_heure.study.file import read_study

AREA = toy_town.town_area()
CATALOGUE = default_catalogue()
X, Y = town_lon_lat(200, 300)


def read(folder: Path, *rows: Mapping[str, Any], **catalogue: Any) -> Services:
    """Read rows that have a place and a category, and what is given of them."""
    path = folder / "s.csv"
    whole = [
        {"nom": f"Lieu {n}", "type": "ESI", "lon": X + n / 1000, "lat": Y, **row}
        for n, row in enumerate(rows, start=1)
    ]
    pd.DataFrame(whole).to_csv(path, index=False)
    return read_services([path], AREA, catalogue=catalogue.get("catalogue", CATALOGUE))


@pytest.mark.parametrize(
    "row",
    [
        {"remarques": "NE PAS DIFFUSER"},
        {"adresse": "(adresse confidentielle)"},
        {"adresse": "Non communiquée"},
        {"nom": "Halte — adresse tenue secrète"},
        {"horaires": "24h/24 – adresse sur demande uniquement"},
        {"public": "Femmes, adresse non publiée"},
        {"une colonne de plus": "Confidentiel"},
        {"Confidentiel (O/N)": "O"},
        {"Adresse confidentielle": "12 rue Haute"},
        {"NPD": "x"},
        {"Diffusable": "non"},
        {"Diffusion": "interne"},
        {"visibility": "PRO"},
        {"discret": "non", "remarques": "ne pas diffuser"},
        {"discret": "peut-être"},
    ],
)
def test_a_word_in_any_cell_hides_its_row_and_is_told(
    tmp_path: Path, row: Mapping[str, str]
) -> None:
    services = read(tmp_path, {"nom": "Maison Mirabelle", **row}, {})
    assert services.table["discreet"].tolist() == [True, False]
    [told] = services.problems[services.problems["field"] == "discreet"].to_dict("records")
    assert (told["row"], told["action"], told["value"]) == (1, "taken as discreet", "")
    assert "Mirabelle" not in services.problems.to_csv()


@pytest.mark.parametrize(
    "row",
    [
        {"remarques": "Adresse non confidentielle"},
        {"remarques": "Horaires non communiqués"},
        {"horaires": "non communiqués"},
        {"capacite": "non communiquée"},
        {"adresse": "9 rue Cachée"},
        {"Diffusable": "oui"},
        {"Diffusable": ""},
        {"visibility": "ALL"},
        {"discret": "non"},
        {"discret": "non", "nom": "Le Jardin secret"},
        {"secrétariat": "ouvert le matin"},
    ],
)
def test_a_word_that_is_denied_or_about_something_else_hides_nothing(
    tmp_path: Path, row: Mapping[str, str]
) -> None:
    services = read(tmp_path, row, {"Diffusable": "oui"})
    assert services.table["discreet"].tolist() == [False, False]
    assert "discreet" not in set(services.problems["field"])


def test_a_yes_in_its_own_column_needs_no_telling(tmp_path: Path) -> None:
    services = read(tmp_path, {"discret": "oui", "remarques": "NE PAS DIFFUSER"})
    assert services.table["discreet"].tolist() == [True]
    assert services.problems.empty


def test_nothing_of_a_hidden_place_is_in_any_output(tmp_path: Path) -> None:
    study = write_town(tmp_path)
    services = pd.read_csv(tmp_path / "services.csv", dtype=str, keep_default_na=False)
    services["notes"] = services["notes"].mask(services["service_id"] == "A1", "NE PAS DIFFUSER")
    services["name"] = services["name"].mask(services["service_id"] == "A1", "Maison Mirabelle")
    services.drop(columns="discreet").to_csv(tmp_path / "services.csv", index=False)
    assert main(["analyse", str(study), "-o", str(tmp_path / "out")]) == 0
    written = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert {path.name for path in written} >= {"map.html", "services.csv", "problems.csv"}
    for path in written:
        content = path.read_bytes()
        assert b"Mirabelle" not in content, path.name
        assert b"DIFFUSER" not in content, path.name
    problems = pd.read_csv(tmp_path / "out" / "problems.csv")
    assert "a word of secrecy in the column 'notes'" in set(problems["reason"])


# --- shelters of which nobody says anything -------------------------------------------------------


def test_shelters_without_a_word_are_asked_about_once(tmp_path: Path) -> None:
    own = extend_catalogue({"chrs": {"fr": "Hébergement d'urgence", "en": "Emergency housing"}})
    rows = [{"type": "Halte femmes"}] * 2 + [{"type": "chrs"}, {"type": "ESI"}]
    hidden = [
        {"type": "Halte femmes", "discret": "oui"},
        {"type": "Halte femmes", "discret": "non"},
    ]
    services = read(tmp_path, *rows, *hidden, catalogue=own)
    asked = services.problems[services.problems["reason"] == ASKED]
    assert asked["value"].tolist() == ["Haltes femmes: 2", "Hébergement d'urgence: 1"]
    assert asked["row"].isna().all()
    assert services.table["discreet"].sum() == 1
    assert not is_shelter(CATALOGUE["esi"])


def test_check_asks_whether_shelters_are_public(tmp_path: Path) -> None:
    study = write_town(tmp_path)
    rows = [
        {"nom": f"Halte {n}", "category": "halte_femmes", "lon": X + n / 1000, "lat": Y}
        for n in range(2)
    ]
    pd.DataFrame(rows).to_csv(tmp_path / "services.csv", index=False)
    found = check_study(read_study(study))
    [finding] = found.findings[found.findings["kind"] == "shelter_to_confirm"].to_dict("records")
    assert (finding["place"], finding["value"]) == ("Haltes femmes", 2)
    assert "are these places public?" in finding["detail"]
    assert ASKED not in set(found.problems["reason"])
    text = render_check(found, form="table", width=200)
    assert "Haltes femmes" in text and "are these places public?" in text
    # With an answer in the file there is no question.
    pd.DataFrame([{**row, "discreet": "false"} for row in rows]).to_csv(
        tmp_path / "services.csv", index=False
    )
    assert "shelter_to_confirm" not in check_study(read_study(study)).summary()


# --- sources with flags of their own --------------------------------------------------------------


def test_tags_of_openstreetmap_that_say_so_are_heeded() -> None:
    tags = {"amenity": "social_facility", "social_facility": "soup_kitchen", "name": "Cuisine"}
    said = {**tags, "note": "adresse confidentielle, ne pas afficher"}
    nodes = [
        {"type": "node", "id": n, "lon": X, "lat": Y, "tags": each}
        for n, each in enumerate([tags, said], start=1)
    ]
    found = read_candidates(nodes, catalogue=CATALOGUE, osm_date="2026-01-01")
    assert [feature["properties"]["osm_id"] for feature in found.features] == ["node/1"]
    assert found.left_out["shelter_or_refuge"] == 1


def test_a_portal_that_says_so_is_heeded() -> None:
    dataset = Dataset(
        id="lieux",
        portal="https://portal.example.org",
        role="services",
        category="esi",
        fields={"name": "nom"},
    )
    features = [
        {"properties": {"nom": f"Lieu {n}", "avis": avis}, "geometry": Point(X, Y)}
        for n, avis in enumerate(["", "ne pas diffuser"])
    ]
    answer = DatasetAnswer(
        dataset=dataset, features=features, date="2026-01-01", title="Lieux", how="export"
    )
    rows, _ = service_rows(answer, reach=box(-180, -90, 180, 90))
    assert {row["name"]: row["discreet"] for row in rows} == {"Lieu 0": "false", "Lieu 1": "true"}


@pytest.mark.parametrize(
    ("changes", "field", "word"),
    [
        ({"visibility": "ALL"}, "access", "walk_in"),
        ({"visibility": "PRO"}, "access", "referral"),
        ({"status": "ONLINE"}, "status", "open"),
        ({"status": "OFFLINE"}, "status", "temporarily_closed"),
        ({"status": "DRAFT"}, "status", "project"),
        ({"status": "PERMANENTLY_CLOSED"}, "status", "closed"),
    ],
)
def test_flags_of_soliguide(changes: Mapping[str, str], field: str, word: str) -> None:
    found = place(1, "shower", 0, 0, **changes)
    (row,) = place_rows(found, "bains_douches", "shower", day=datetime.date(2026, 6, 16))
    assert row[field] == word
    assert row["discreet"] is True


@pytest.mark.parametrize(
    ("publics", "admits"),
    [
        ({"accueil": 0, "gender": ["women"]}, "everyone"),
        ({"accueil": 2, "gender": ["women"]}, "women"),
        ({"accueil": 2, "gender": ["women"], "familialle": ["family"]}, "mothers"),
        ({"accueil": 2, "gender": ["men"], "familialle": ["family"]}, "unknown"),
        ({"accueil": 2, "gender": ["women"], "age": {"min": 18, "max": 25}}, "unknown"),
        ({"accueil": 2, "gender": ["women"], "other": ["violence"]}, "unknown"),
        ({"accueil": 2, "gender": ["women"], "familialle": ["pregnant"]}, "unknown"),
        ({"accueil": 2, "familialle": ["family"], "gender": ["women", "men"]}, "families"),
    ],
)
def test_publics_of_soliguide(publics: Mapping[str, Any], admits: str) -> None:
    assert _admits(publics) == admits


# --- what is not understood is told ---------------------------------------------------------------


def test_words_that_were_not_understood_are_told_with_their_row(tmp_path: Path) -> None:
    services = read(
        tmp_path,
        {"public": "Femmes du Morvan", "pmr": "oui"},
        {"public": "Femmes", "pmr": "côté cour"},
        {"public": "Sur rendez-vous", "pmr": ""},
    )
    told = services.problems.set_index("row")[["field", "reason", "action"]].T.to_dict("list")
    assert told == {
        1: ["audience", "not understood: morvan", "taken as unknown"],
        2: ["wheelchair", "not understood: cote, cour", "taken as unknown"],
    }
    assert services.table["admits"].tolist() == ["unknown", "women", "unknown"]


def test_words_of_a_hidden_row_are_not_told(tmp_path: Path) -> None:
    services = read(tmp_path, {"public": "Femmes du Morvan", "discret": "oui"})
    assert services.problems["reason"].tolist() == ["not understood"]


@pytest.mark.parametrize(
    ("row", "status", "action"),
    [
        ({"remarques": "En projet"}, "project", "taken as project"),
        ({"remarques": "Fermé définitivement"}, "closed", "taken as closed"),
        ({"remarques": "local fermé définitivement, dit-on"}, "unknown", "taken as unknown"),
        ({"statut": "ouvert", "remarques": "en projet"}, "unknown", "taken as unknown"),
        ({"statut": "fermé", "remarques": "en projet"}, "closed", ""),
        ({"remarques": "Fermé le lundi"}, "open", ""),
    ],
)
def test_remarks_on_the_status_are_heeded_and_told(
    tmp_path: Path, row: Mapping[str, str], status: str, action: str
) -> None:
    services = read(tmp_path, row)
    assert services.table["status"].tolist() == [status]
    told = services.problems[services.problems["field"] == "notes"]["action"].tolist()
    assert told == [action] * bool(action)


def test_words_of_the_schema_are_taken_as_they_are(tmp_path: Path) -> None:
    services = read(tmp_path, {"admits": "no_men;women;unknown"}, {"admits": "mothers"})
    assert services.table["admits"].tolist() == ["women;no_men;unknown", "mothers"]
    assert services.problems.empty


def test_init_asks_about_shelters(tmp_path: Path) -> None:
    assert main(["init", str(tmp_path / "study.toml")]) == 0
    text = (tmp_path / "study.toml").read_text(encoding="utf-8")
    assert "Shelters of women: are they public?" in text
