"""Open data portals: whole data sets or a clear end, whatever the portal does."""

from __future__ import annotations

import csv
import dataclasses
import json
import re
import socket
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pyproj
import pytest
import shapely

from helpers import fake_portals, fake_server
from helpers.fake_osm import INSEE, FakeOsm
from helpers.fake_portals import FakePortals, Trouble, bath
from helpers.project import EXTRACTS
from quart_heure.cache import Cache
from quart_heure.cli import main
from quart_heure.errors import GeometryError, InputFileError, TryLaterError
from quart_heure.fetch.fetch import SnapshotReport, fetch_territory
from quart_heure.fetch.portals import PortalRequest
from quart_heure.fetch.snapshot import read_snapshot
from quart_heure.fetch.territory import TerritoryRequest
from quart_heure.sources.online.open_data import (
    Dataset,
    DatasetAnswer,
    known_datasets,
    read_dataset,
)
from quart_heure.sources.online.open_data_services import service_rows
from quart_heure.sources.online.overpass import LiveSettings
from quart_heure.sources.online.web import Patience, Web
from quart_heure.sources.services.rows import SERVICE_COLUMNS
from quart_heure.study import analyse
from quart_heure.study.file import read_study

COOL = "ilots-de-fraicheur-equipements-activites"
ROOT = f"/api/explore/v2.1/catalog/datasets/{COOL}"
FOLDER = EXTRACTS / "paris-services-opendata"
EVERYWHERE = shapely.box(-180, -90, 180, 90)


@pytest.fixture
def portals() -> Iterator[FakePortals]:
    service = FakePortals()
    service.datasets[COOL] = [
        bath(1, 90, 10),
        bath(2, 210, 210, shut=True),
        {**bath(3, 10, 10), "identifiant": "M1", "type": "Musée"},
    ]
    service.titles[COOL] = "Îlots de fraîcheur"
    with service.running():
        yield service


class Asking:
    """A `Web` of one test, what it said and how long it waited."""

    def __init__(self) -> None:
        self.waits: list[float] = []
        self.said: list[str] = []
        self.web = self.with_patience()

    def with_patience(self, **changes: Any) -> Web:
        usual = {"pauses_s": (5.0, 20.0), "timeout_s": 10.0, "wait": self.waits.append}
        return Web(Patience(**{**usual, **changes}), say=self.said.append)


@pytest.fixture
def asking() -> Asking:
    return Asking()


def baths(portals: FakePortals, **changes: Any) -> Dataset:
    return dataclasses.replace(known_datasets()[COOL], **{"portal": portals.url, **changes})


def names(answer: DatasetAnswer) -> list[str]:
    return [feature["properties"]["nom"] for feature in answer.features]


# ---- whole sets


def test_every_known_set_says_what_it_must() -> None:
    for dataset in known_datasets().values():
        assert dataset.licence and dataset.attribution and dataset.required
        assert dataset.concerns((2.34, 48.85, 2.36, 48.86))
        assert not dataset.concerns((4.8, 45.7, 4.9, 45.8))  # Lyon
        assert dataset.role in {"services", "layer"}
        assert bool(dataset.category) == (dataset.role == "services")
        assert set(dataset.closed_when) <= set(dataset.fields)


def test_a_set_is_exported_with_the_rows_that_are_asked_for(
    portals: FakePortals, asking: Asking
) -> None:
    answer = read_dataset(asking.web, baths(portals))
    assert names(answer) == ["Bain-douche n° 1", "Bain-douche n° 2"]
    assert (answer.how, answer.date[:10], answer.title) == (
        *("export", "2026-09-15"),
        "Îlots de fraîcheur",
    )
    assert asking.waits == []
    asked = [asked for path, asked, _ in portals.asked if "export" in path]
    assert asked == [{"where": 'type="Bains-douches"', "limit": "-1"}]


def test_without_an_export_a_set_is_read_page_by_page(portals: FakePortals, asking: Asking) -> None:
    portals.datasets[COOL] = [bath(n, n, n) for n in range(230)]
    whole = read_dataset(asking.web, baths(portals))
    portals.troubles["/exports/"] = [fake_portals.status(400)]
    pages = read_dataset(asking.web, baths(portals))
    assert (whole.how, pages.how) == ("export", "pages")
    assert names(pages) == names(whole)
    assert [f["geometry"] for f in pages.features] == [f["geometry"] for f in whole.features]
    offsets = [asked["offset"] for path, asked, _ in portals.asked if "offset" in asked]
    assert offsets == ["0", "100", "200"]


def test_more_rows_than_pages_reach_is_said(portals: FakePortals, asking: Asking) -> None:
    portals.datasets[COOL] = [{"type": "Bains-douches"}] * 10_001
    portals.fields[COOL] = list(bath(1, 0, 0))
    portals.troubles["/exports/"] = [fake_server.page] * 3
    with pytest.raises(TryLaterError, match=r"no more than 10,000 of its 10,001 rows"):
        read_dataset(asking.web, baths(portals))
    assert not any("offset" in asked for _, asked, _ in portals.asked)


TROUBLES: dict[str, tuple[Trouble, str]] = {
    "429": (fake_portals.status(429), "HTTP 429 (too many requests)"),
    "500": (fake_portals.status(500), "HTTP 500"),
    "503": (fake_portals.status(503), "HTTP 503"),
    "page": (fake_server.page, "a page instead of data (Maintenance)"),
    "half": (fake_server.half, "data that is cut short"),
    "broken": (fake_server.broken, "cut short or makes no sense"),
    "hang up": (fake_server.hang_up, "cannot be reached, or broke off"),
    "silence": (fake_server.silence, "no answer within 1 s"),
}


@pytest.mark.parametrize("name", TROUBLES)
def test_a_bad_answer_is_asked_for_again(name: str, portals: FakePortals, asking: Asking) -> None:
    trouble, words = TROUBLES[name]
    portals.troubles["/exports/"] = [trouble]
    answer = read_dataset(asking.with_patience(timeout_s=1.0), baths(portals))
    assert (len(answer.features), answer.how) == (2, "export")
    assert asking.waits == [5]
    assert any(words in step for step in asking.said)


@pytest.mark.parametrize("name", [name for name in TROUBLES if name != "silence"])
def test_a_portal_that_stays_bad_ends_clearly(
    name: str, portals: FakePortals, asking: Asking
) -> None:
    trouble, words = TROUBLES[name]
    portals.troubles["/api/"] = [trouble] * 20
    with pytest.raises(TryLaterError, match=re.escape(words)) as caught:
        read_dataset(asking.web, baths(portals))
    assert caught.value.exit_code == 10
    assert asking.waits == [5, 20]


def test_a_portal_that_is_not_there(asking: Asking, portals: FakePortals) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        closed = f"http://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(TryLaterError, match="cannot be reached"):
        read_dataset(asking.web, baths(portals, portal=closed))


def test_the_wait_that_a_portal_asks_for_is_kept(portals: FakePortals, asking: Asking) -> None:
    portals.troubles["/exports/"] = [fake_portals.status(429, Retry_After="42")]
    read_dataset(asking.web, baths(portals))
    assert asking.waits == [42]
    portals.troubles["/api/"] = [fake_portals.status(429, Retry_After="86400")]
    with pytest.raises(TryLaterError):
        read_dataset(asking.web, baths(portals))
    assert asking.waits == [42]


def test_a_date_to_wait_for(portals: FakePortals, asking: Asking) -> None:
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)
    portals.troubles["/exports/"] = [fake_portals.status(503, Retry_After=later)]
    read_dataset(asking.web, baths(portals))
    assert asking.waits == [pytest.approx(100, abs=5)]


def test_an_answer_that_is_too_long_is_given_up(portals: FakePortals, asking: Asking) -> None:
    with pytest.raises(InputFileError, match=r"more than 0\.0001 MB"):
        read_dataset(asking.with_patience(largest_mb=0.0001), baths(portals))


def test_an_answer_that_drips_is_given_up(portals: FakePortals, asking: Asking) -> None:
    with pytest.raises(TryLaterError, match="takes more than -1 s"):
        read_dataset(asking.with_patience(slowest_s=-1.0), baths(portals))


# ---- partial answers


def test_a_part_of_a_set_is_never_used(portals: FakePortals, asking: Asking) -> None:
    portals.troubles["/exports/"] = [fake_portals.fewer]
    with pytest.raises(TryLaterError, match="1 rows came, of 2"):
        read_dataset(asking.web, baths(portals))


def test_a_page_with_too_few_rows_is_never_used(portals: FakePortals, asking: Asking) -> None:
    portals.troubles["/exports/"] = [fake_portals.status(404)]
    # The first page answers how many rows there are; the second one lacks a row, the third all.
    portals.troubles["/records"] = [None, fake_portals.fewer, fake_portals.fewer]
    with pytest.raises(TryLaterError, match="1 rows came, of 2"):
        read_dataset(asking.web, baths(portals))


def test_a_row_that_came_in_between_is_fine(portals: FakePortals, asking: Asking) -> None:
    def one_more(handler: fake_server.Handler, body: bytes) -> None:
        portals.datasets[COOL].append(bath(9, 50, 50))
        handler.reply(body)

    portals.troubles["/records"] = [one_more]
    assert len(read_dataset(asking.web, baths(portals)).features) == 3


@pytest.mark.parametrize("body", [b'{"total_count": 2}', b'{"results": []}', b"[1]"])
def test_rows_without_their_number(body: bytes, portals: FakePortals, asking: Asking) -> None:
    portals.files[f"{ROOT}/records"] = body
    with pytest.raises(TryLaterError, match="without rows or without their number"):
        read_dataset(asking.web, baths(portals))


@pytest.mark.parametrize("body", [b'{"type": "FeatureCollection"}', b'{"features": [1]}', b"[]"])
def test_an_export_without_features_is_read_by_pages(
    body: bytes, portals: FakePortals, asking: Asking
) -> None:
    portals.files[f"{ROOT}/exports/geojson"] = body
    assert read_dataset(asking.web, baths(portals)).how == "pages"


# ---- sets that are not what they were


def test_a_field_that_was_renamed_is_named(portals: FakePortals, asking: Asking) -> None:
    portals.datasets[COOL] = [
        {("adresse_postale" if k == "adresse" else k): v for k, v in row.items()}
        for row in portals.datasets[COOL]
    ]
    with pytest.raises(InputFileError, match=r"field 'adresse' \(now 'adresse_postale'\?\)") as e:
        read_dataset(asking.web, baths(portals))
    assert e.value.exit_code == 3
    assert "identifiant" in e.value.hint
    assert portals.count("records") == 0


def test_a_day_that_is_gone_is_named(portals: FakePortals, asking: Asking) -> None:
    for row in portals.datasets[COOL]:
        del row["horaires_mardi"]
    with pytest.raises(InputFileError, match="'horaires_mardi'"):
        read_dataset(asking.web, baths(portals))
    # A portal that does not describe its fields is found out by its rows.
    portals.files[ROOT] = b'{"dataset_id": "x"}'
    with pytest.raises(InputFileError, match="'horaires_mardi'"):
        read_dataset(asking.web, baths(portals))


def test_rows_without_any_place_are_no_services(portals: FakePortals, asking: Asking) -> None:
    for row in portals.datasets[COOL]:
        row["geo_point_2d"] = None
    with pytest.raises(InputFileError, match="no row has a place any more"):
        read_dataset(asking.web, baths(portals))


def test_a_set_or_a_portal_that_is_not(portals: FakePortals, asking: Asking) -> None:
    with pytest.raises(InputFileError, match="there is no such data set"):
        read_dataset(asking.web, baths(portals, id="nothing"))
    assert asking.waits == []
    portals.troubles["/api/"] = [fake_portals.status(401, b'{"message": "Sign in"}')]
    with pytest.raises(InputFileError, match=r"HTTP 401 \(Sign in\)"):
        read_dataset(asking.web, baths(portals))


@pytest.mark.parametrize("name", ["", "../x", "a/b", "a b", "a?x=1"])
def test_an_id_that_would_be_another_address(name: str) -> None:
    with pytest.raises(InputFileError, match="not the id of a data set"):
        Dataset(id=name, portal="https://example.org")


@pytest.mark.parametrize("portal", ["", "example.org", "file:///etc/passwd", "ftp://example.org"])
def test_an_address_that_is_none(portal: str) -> None:
    with pytest.raises(InputFileError, match="not the address of a server"):
        Dataset(id="a", portal=portal)


# ---- rows in our own columns


def test_rows_become_services(portals: FakePortals, asking: Asking) -> None:
    rows, left_out = service_rows(read_dataset(asking.web, baths(portals)), reach=EVERYWHERE)
    first, shut = rows
    assert set(first) == {*SERVICE_COLUMNS, "longitude", "latitude"}
    assert (first["service_id"], first["category"], first["address"]) == (
        *("ilots_de_fraicheur_equipements_activites-BD1", "bains_douches"),
        "1, rue B",
    )
    assert "Tu-Su 07:30-13:00" in first["opening_hours"]
    assert "Mo off" in first["opening_hours"]
    assert first["opening_hours_text"].startswith("lundi - ; mardi 07h30 - 13h00 ; ")
    assert first["opening_hours_text"].endswith("(du 01/01/20 au 01/01/32)")
    assert (first["status"], shut["status"]) == ("open", "temporarily_closed")
    assert shut["opening_hours"] == "off"
    assert first["source_date"] == "2026-09-15"
    assert "season" in first["notes"]
    assert left_out == {"no_place": 0, "elsewhere": 0}


def test_rows_elsewhere_and_nowhere_are_counted(portals: FakePortals, asking: Asking) -> None:
    portals.datasets[COOL][1]["geo_point_2d"] = None
    portals.datasets[COOL].append(bath(7, 50, 50, geo_point_2d={"lon": 4.8, "lat": 45.7}))
    answer = read_dataset(asking.web, baths(portals))
    rows, left_out = service_rows(answer, reach=shapely.box(2, 48, 3, 49))
    assert [row["service_id"][-3:] for row in rows] == ["BD1"]
    assert left_out == {"no_place": 1, "elsewhere": 1}


def test_words_of_other_sets() -> None:
    known = known_datasets()
    place = {"type": "MultiPoint", "coordinates": [[2.35, 48.85], [2.37, 48.85]]}

    def row(name: str, **about: Any) -> Mapping[str, Any]:
        feature = {"type": "Feature", "properties": about, "geometry": place}
        answer = DatasetAnswer(
            dataset=known[name], features=[feature], date="", title="", how="export"
        )
        (found,), _ = service_rows(answer, reach=EVERYWHERE)
        return found

    toilets = row("sanisettesparis", acces_pmr="Oui", horaire="24 h / 24", type="SANISETTE")
    assert (toilets["wheelchair"], toilets["opening_hours_text"]) == ("yes", "24 h / 24")
    assert toilets["longitude"] == pytest.approx(2.36)
    assert row("fontaines-a-boire", gid=1, dispo="NON")["status"] == "temporarily_closed"
    assert row("fontaines-a-boire", gid=1, dispo="OUI")["status"] == "open"
    assert row("restaurants-casvp", type="S")["status"] == "unknown"


@pytest.mark.extracts
def test_the_fields_that_we_read_are_those_of_the_portal(
    portals: FakePortals, asking: Asking
) -> None:
    if not FOLDER.is_dir():
        pytest.skip("the source extracts are not beside the project")
    expected = {COOL: 17, "fontaines-a-boire": 1275}
    for name, services in expected.items():
        rows = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
        portals.datasets[name] = rows
        dataset = dataclasses.replace(known_datasets()[name], portal=portals.url)
        answer = read_dataset(asking.web, dataset)
        found, _ = service_rows(answer, reach=shapely.box(2.2, 48.8, 2.48, 48.92))
        assert len(found) == len({row["service_id"] for row in found}) == services
        if name == COOL:
            assert sum(row["opening_hours"] == "off" for row in found) == 2


# ---- into a snapshot


class Desk:
    """Fetches of one test."""

    def __init__(self, folder: Path, osm: FakeOsm, portals: FakePortals) -> None:
        self.output, self.portals = folder / "snapshots", portals
        self.cache = Cache(folder / "cache")
        self.settings = LiveSettings(
            mirrors=(osm.a,),
            nominatim_url=osm.nominatim,
            pauses_s=(5,),
            timeout_s=10,
            wait=lambda _: None,
        )

    def fetch(self, request: TerritoryRequest | None = None, **wanted: Any) -> SnapshotReport:
        return fetch_territory(
            request or TerritoryRequest(insee=INSEE),
            portals=PortalRequest(**{"open_data": True, **wanted}),
            communes_url=self.portals.url,
            output=self.output,
            settings=self.settings,
            cache=self.cache,
        )


@pytest.fixture
def desk(tmp_path: Path, portals: FakePortals, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    zone = pyproj.CRS.from_epsg(32631)
    monkeypatch.setattr("geopandas.GeoDataFrame.estimate_utm_crs", lambda *_, **__: zone)
    here = {COOL: baths(portals)}
    for module in ("fetch.portals", "sources.online.open_data"):
        monkeypatch.setattr(f"quart_heure.{module}.known_datasets", lambda: here)
    with FakeOsm().running() as osm:
        yield Desk(tmp_path, osm, portals)


def test_a_snapshot_with_open_data(desk: Desk) -> None:
    report = desk.fetch()
    snapshot = read_snapshot(report.snapshot.folder)
    (about,) = snapshot.manifest["open_data"]
    assert (about["id"], about["rows"], about["services"], about["how"]) == (COOL, 2, 2, "export")
    slug = COOL.replace("-", "_")
    for name in (f"open_data_{slug}.geojson", f"services_{slug}.csv"):
        origin = snapshot.manifest["files"][name]
        assert (origin["licence"], origin["date"][:10]) == ("ODbL 1.0", "2026-09-15")
        assert origin["attribution"] == "Ville de Paris (opendata.paris.fr)"
    raw = json.loads(snapshot.file(f"open_data_{slug}.geojson").read_text(encoding="utf-8"))
    assert raw["features"][0]["properties"]["payant"] == "Non"
    assert "2 rows, 2 services here, of 2026-09-15. A set about cool" in "\n".join(report.lines())
    study = read_study(snapshot.folder, cell_m=50.0)
    # The map of OpenStreetMap has a bath there as well: told, and both kept.
    assert (study.services.problems["action"] == "kept, to be checked").all()
    assert "Bain-douche n° 1" in set(study.services.table["name"])
    manifest = analyse(study).manifest
    assert "Ville de Paris (opendata.paris.fr)" in manifest["attribution"]


def test_baths_out_of_season_are_kept_from_the_last_snapshot(desk: Desk) -> None:
    first = desk.fetch().snapshot
    desk.portals.datasets[COOL] = desk.portals.datasets[COOL][2:]  # the museum alone
    report = desk.fetch()
    (about,) = report.snapshot.manifest["open_data"]
    assert (about["how"], about["kept_from"], about["services"]) == ("kept", first.folder.name, 2)
    assert f"those of {first.folder.name} are kept" in "\n".join(report.lines())
    name = about["file"]
    assert report.snapshot.file(name).read_bytes() == first.file(name).read_bytes()
    # The copy that was kept is a copy to keep.
    assert desk.fetch().snapshot.manifest["open_data"][0]["services"] == 2
    # A damaged copy is none.
    for folder in desk.output.iterdir():
        next(folder.glob("open_data_*.geojson")).write_text("{}")
    report = desk.fetch()
    assert "no earlier snapshot has any" in "\n".join(report.lines())
    assert not list(report.snapshot.folder.glob("services_i*"))


def test_another_set_that_is_empty_ends_the_fetch(desk: Desk) -> None:
    desk.portals.datasets["laveries"] = []
    desk.portals.fields["laveries"] = ["nom"]
    with pytest.raises(InputFileError, match="data set laveries: there is no row in it"):
        desk.fetch(datasets=("laveries=laverie",), portal=desk.portals.url)
    assert not desk.output.exists()


def test_a_set_of_ones_own(desk: Desk) -> None:
    lon, lat = fake_portals.lon_lat(90, 10)
    point = {"lon": lon, "lat": lat}
    rows = [{"nom": "Lave <i>", "adresse": "rue A", "geo_point_2d": point}]
    desk.portals.datasets |= {"laveries@ville": rows, "contours": rows}
    desk.portals.titles["laveries@ville"] = 'Laveries "de la ville"'
    report = desk.fetch(
        datasets=("laveries@ville=laverie", "contours"), portal=desk.portals.url, open_data=False
    )
    folder = report.snapshot.folder
    with (folder / "services_laveries_ville.csv").open(encoding="utf-8") as file:
        (row,) = csv.DictReader(file)
    assert (row["name"], row["address"], row["category"]) == ("Lave <i>", "rue A", "laverie")
    assert (folder / "open_data_contours.geojson").exists()
    assert not (folder / "services_contours.csv").exists()
    study = read_study(folder, cell_m=50.0)
    assert study.catalogue["laverie"].fr == 'Laveries "de la ville"'
    licences = {each["licence"] for each in report.snapshot.manifest["open_data"]}
    assert licences == {"Open Database License (ODbL)"}


@pytest.mark.parametrize("name", TROUBLES)
def test_a_failed_fetch_leaves_nothing(name: str, desk: Desk, portals: FakePortals) -> None:
    trouble, _ = TROUBLES[name]
    desk.settings = dataclasses.replace(desk.settings, timeout_s=1, pauses_s=())
    portals.troubles["/api/"] = [trouble] * 20
    with pytest.raises(TryLaterError):
        desk.fetch()
    assert not desk.output.exists()


def test_a_part_leaves_nothing(desk: Desk, portals: FakePortals) -> None:
    portals.troubles["/exports/"] = [fake_portals.fewer]
    with pytest.raises(TryLaterError, match="1 rows came, of 2"):
        desk.fetch()
    assert not desk.output.exists()


@pytest.mark.parametrize("text", ["ilots", "x=Une Catégorie", ""])
def test_a_name_that_is_wrong_is_told_at_once(text: str, desk: Desk) -> None:
    portal = desk.portals.url if "=" in text else ""
    with pytest.raises(InputFileError):
        desk.fetch(datasets=(text,), portal=portal)
    assert desk.portals.asked == []


def test_what_changed_in_open_data(desk: Desk) -> None:
    desk.fetch()
    desk.portals.datasets[COOL][0]["geo_point_2d"]["lon"] += 0.001
    desk.portals.datasets[COOL][1] = bath(8, 50, 50)
    changes = desk.fetch().changes
    assert changes is not None
    assert [c.service_id[-3:] for c in changes.services_moved] == ["BD1"]
    assert [c.service_id[-3:] for c in changes.services_added] == ["BD8"]
    assert [c.service_id[-3:] for c in changes.services_removed] == ["BD2"]
    # A set that only one of two snapshots has is no news of the town.
    changes = desk.fetch(open_data=False).changes
    assert changes is not None
    assert changes.nothing


def test_the_same_answers_give_the_same_bytes(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1795000000")
    one, other = (desk.fetch().snapshot.folder for _ in range(2))
    for path in one.iterdir():
        assert path.read_bytes() == (other / path.name).read_bytes(), path.name


def test_flags_of_the_command(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("QUART_HEURE_CACHE", "")
    common = ["fetch", "--insee", INSEE, "--mirror", desk.settings.mirrors[0]]
    common += ["-o", str(desk.output), "--json"]
    assert main([*common, "--open-data"]) == 0
    manifest = json.loads(capsys.readouterr().out)
    assert [about["id"] for about in manifest["open_data"]] == [COOL]
    desk.portals.datasets["bancs"] = [bath(1, 90, 10)]
    assert main([*common, "--dataset", "bancs", "--portal", desk.portals.url]) == 0
    manifest = json.loads(capsys.readouterr().out)
    assert [about["title"] for about in manifest["open_data"]] == ["bancs"]
    for wrong in (["--dataset", "bancs"], ["--limits", "nobody"], ["--residents", "nothing.zip"]):
        assert main([*common, *wrong]) == 3
        assert capsys.readouterr().out == ""
    assert len(list(desk.output.iterdir())) == 2


# ---- limits that the State draws


def test_limits_of_the_state(desk: Desk) -> None:
    request = TerritoryRequest(insee="75056", limits="gouv")
    report = desk.fetch(request, open_data=False)
    assert report.snapshot.name == "Paris"
    assert report.snapshot.manifest["territory"]["asked"] == {"insee": "75056", "limits": "gouv"}
    districts = json.loads(
        (report.snapshot.folder / "districts.geojson").read_text(encoding="utf-8")
    )["features"]
    assert [d["properties"]["label"] for d in districts] == ["1er", "2e"]
    one = desk.fetch(TerritoryRequest(insee="75102", limits="gouv"), open_data=False)
    assert one.snapshot.name == "Paris 2e Arrondissement"
    alone = desk.fetch(TerritoryRequest(insee=INSEE, limits="gouv"), open_data=False)
    assert alone.snapshot.manifest["counts"]["districts"] == 1


def test_limits_that_are_nowhere(desk: Desk) -> None:
    with pytest.raises(GeometryError, match=r"geo.api.gouv.fr knows no commune.*--limits osm"):
        desk.fetch(TerritoryRequest(insee="12345", limits="gouv"))
    with pytest.raises(GeometryError, match=r"OpenStreetMap knows no commune.*--limits gouv"):
        desk.fetch(TerritoryRequest(insee="12345"))
    desk.portals.files[f"/communes/{INSEE}"] = b'{"type": "Feature", "properties": {}}'
    with pytest.raises(TryLaterError, match="without code, name or outline"):
        desk.fetch(TerritoryRequest(insee=INSEE, limits="gouv"))
    with pytest.raises(InputFileError, match="does not go with place"):
        TerritoryRequest(place="Lyon", limits="gouv")


def test_a_key_is_not_sent_in_the_clear() -> None:
    with pytest.raises(InputFileError, match="over a connection that all can read"):
        Web().json("x", "http://example.org/", key="secret")
