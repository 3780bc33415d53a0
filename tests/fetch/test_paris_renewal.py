"""Paris renewed in one command, and an association's own list merged in, against local servers.

They answer in the shapes of the real portals; the town stands where a few places of the packaged
sample are, so that the sample, the city's lists and a list of one's own tell of the same places.
"""

from __future__ import annotations

import csv
import dataclasses
import datetime
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from helpers.fake_osm import FakeOsm
from helpers.fake_portals import DAYS, FakePortals
from quart_heure.cache import Cache
from quart_heure.fetch.fetch import SnapshotReport, fetch_territory
from quart_heure.fetch.portals import PortalRequest
from quart_heure.fetch.territory import TerritoryRequest
from quart_heure.sources.online.open_data import known_datasets
from quart_heure.sources.online.overpass import LiveSettings
from quart_heure.sources.sample import paris_dir
from quart_heure.study import analyse
from quart_heure.study.file import read_study

BATH, HUT = (2.356343, 48.851478), (2.344985, 48.851629)
"""The bains-douches of the rue des Deux-Ponts, and a restaurant of the City."""


def point(lon: float, lat: float) -> dict[str, float]:
    return {"lon": lon, "lat": lat}


def rows_of_paris() -> dict[str, list[dict[str, Any]]]:
    """Return a row or two of every known set, in the fields of the real one."""
    days = {
        f"horaires_{day}": "-" if day in {"lundi", "dimanche"} else "09h00 - 17h00" for day in DAYS
    }
    shape = {"type": "Feature", "geometry": {"type": "Polygon"}}
    return {
        "ilots-de-fraicheur-equipements-activites": [
            {
                "identifiant": "BD6",
                "nom": "Bain-douche Deux-Ponts",
                "type": "Bains-douches",
                "payant": "Non",
                "adresse": "8, rue des Deux-Ponts",
                "arrondissement": "75004",
                "horaires_periode": "du 01/01/26 au 01/01/32",
                **days,
                "geo_point_2d": point(*BATH),
            }
        ],
        "restaurants-casvp": [
            {
                "type": kind,
                "nom_restaurant": name,
                "adresse": "15 rue de la Parcheminerie",
                "code": "75005",
                "tt": point(*HUT),
                "geo_point_2d": point(*HUT),
            }
            for kind, name in (("S", "BOUTEBRIE"), ("E", "UN AUTRE"))
        ],
        "fontaines-a-boire": [
            {
                "gid": "f1",
                "modele": "Wallace",
                "voie": "QUAI",
                "dispo": "NON",
                "geo_point_2d": point(2.35, 48.85),
            }
        ],
        "sanisettesparis": [
            {
                "type": "SANISETTE",
                "adresse": "QUAI",
                "arrondissement": "75004",
                "horaire": "24 h / 24",
                "acces_pmr": "Oui",
                "geo_point_2d": point(2.351, 48.851),
            }
        ],
        "arrondissements": [
            {
                "c_arinsee": 75104,
                "l_ar": "4ème Ardt",
                "geom": shape,
                "geo_point_2d": point(2.35, 48.85),
            }
        ],
        "quartier_paris": [
            {
                "c_quinsee": 7510401,
                "l_qu": "Arsenal",
                "geom": shape,
                "geo_point_2d": point(2.36, 48.85),
            }
        ],
    }


@pytest.fixture
def report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SnapshotReport]:
    service = FakePortals()
    service.datasets |= rows_of_paris()
    with service.running(), FakeOsm().running() as osm:
        here = {
            name: dataclasses.replace(dataset, portal=service.url)
            for name, dataset in known_datasets().items()
        }
        assert set(here) == set(service.datasets)  # a set that is added is tried here, too
        for module in ("fetch.portals", "sources.online.open_data"):
            monkeypatch.setattr(f"quart_heure.{module}.known_datasets", lambda: here)
        yield fetch_territory(
            TerritoryRequest(insee="75056", limits="gouv"),
            portals=PortalRequest(open_data=True),
            communes_url=service.url,
            output=tmp_path / "snapshots",
            settings=LiveSettings(
                mirrors=(osm.a,),
                nominatim_url=osm.nominatim,
                pauses_s=(5,),
                timeout_s=10,
                wait=lambda _: None,
            ),
            cache=Cache(tmp_path / "cache"),
        )


def test_every_list_of_the_city_comes_with_one_command(report: SnapshotReport) -> None:
    snapshot = report.snapshot
    assert snapshot.name == "Paris"
    told = {about["id"]: about for about in snapshot.manifest["open_data"]}
    assert set(told) == set(known_datasets())
    assert told["restaurants-casvp"]["services"] == 1  # type S alone
    assert {about["services"] for about in told.values() if about["category"]} == {1}
    study = read_study(snapshot.folder, cell_m=50.0)
    table = study.services.table
    of_city = table[table["source"].str.startswith("127.0.0.1")].set_index("category")
    assert of_city.loc["restaurant_solidaire", "status"] == "unknown"
    assert of_city.loc["fontaine", "status"] == "temporarily_closed"
    assert of_city.loc["toilettes", "wheelchair"] == "yes"


def test_the_sample_and_a_list_of_ones_own_are_merged_in(
    report: SnapshotReport, tmp_path: Path
) -> None:
    folder = report.snapshot.folder
    shutil.copy(paris_dir() / "services.csv", folder / "paris_sample.csv")
    with (folder / "association.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=";")
        head = ["Type", "Nom", "Adresse", "Code postal", "Latitude", "Longitude", "Horaires"]
        writer.writerow([*head, "Statut", "Source", "Date"])
        (lon, lat), told = BATH, ("Maraude du 4e", "2026-11-20")
        bags = ("Bagagerie", "Bagagérue", "8 rue des Deux-Ponts", "75004", lat, lon)
        writer.writerow([*bags, "lu, me 18h-20h", "ouvert", *told])
        women = ("Halte femmes", "Halte Drouot", "", "75009", "", "")
        writer.writerow([*women, "", "ouvert", *told])
    text = (folder / "study.toml").read_text(encoding="utf-8")
    written = tomllib.loads(text)["services"]
    text = text.replace('files = ["', 'files = ["paris_sample.csv", "association.csv", "', 1)
    text = text.replace('trust = ["', 'trust = ["Maraude du 4e", "', 1)
    (folder / "study.toml").write_text(text, encoding="utf-8")
    study = read_study(folder, cell_m=50.0)
    assert len(tomllib.loads(text)["services"]["files"]) == len(written["files"]) + 2
    rows = {row["name"]: row for row in study.services.table.to_dict("records")}
    # The city's new row stands over the packaged one, and over its hours.
    bath = rows["Bain-douche Deux-Ponts"]
    assert bath["source_date"] == "2026-09-15"
    assert bath["other_sources"].startswith("opendata.paris.fr data set")
    assert "09:00-17:00" in bath["opening_hours"]
    assert "Bains-douches des Deux-Ponts" not in rows
    # The association is believed first; what it does not say stays.
    locker = rows["Bagagérue"]
    assert (locker["source"], locker["source_date"]) == ("Maraude du 4e", "2026-11-20")
    assert locker["opening_hours"].startswith("Mo,We 18:00-20:00")
    assert locker["capacity"].startswith("34 casiers")
    assert "mapage.noos.fr" in locker["other_sources"]
    # A place that both know without coordinates is one.
    assert list(study.services.unplaced["name"]).count("Halte Drouot") == 1
    fresh = analyse(study.replace(date=datetime.date(2026, 11, 28))).freshness
    city = fresh[fresh["level"] == "city"].set_index("category")
    assert city.loc["bagagerie", "confirmed"] == 1
