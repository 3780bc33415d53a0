"""Fetching: whole snapshots or a clear end, whatever the servers do."""

from __future__ import annotations

import json
import os
import re
import socket
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import osmnx as ox
import pyproj
import pytest
import shapely

from helpers import fake_osm, fake_server, toy_osm
from helpers.fake_osm import INSEE, TOWN, FakeOsm, Trouble, nominatim_place
from helpers.fetch_desk import Desk
from quart_heure.cache import Cache
from quart_heure.errors import (
    GeometryError,
    InputFileError,
    NetworkError,
    OutputError,
    StudyFileError,
    TryLaterError,
)
from quart_heure.fetch.fetch import SnapshotReport
from quart_heure.fetch.snapshot import NETWORK, read_snapshot
from quart_heure.fetch.territory import TerritoryRequest
from quart_heure.network.graph import WalkNetwork
from quart_heure.network.streets import network_from_osm
from quart_heure.sources.osm.data import from_overpass
from quart_heure.sources.osm.files import read_osm_file
from quart_heure.study import analyse
from quart_heure.study.file import read_study


def file_network(folder: Path, report: SnapshotReport) -> WalkNetwork:
    """Read the same ground from a file."""
    polygon = shapely.from_wkt(report.snapshot.manifest["territory"]["fetched_polygon"])
    raw = read_osm_file(toy_osm.write(folder / "town.osm.pbf"), polygon=polygon)
    return network_from_osm(raw, crs=pyproj.CRS.from_epsg(2154), polygon=polygon)


def digest(report: SnapshotReport) -> str:
    return str(report.snapshot.manifest["network_digest"])


# ---- good days


def test_a_place_by_name(desk: Desk, osm: FakeOsm, tmp_path: Path) -> None:
    before, resolve = vars(ox.settings).copy(), socket.getaddrinfo
    report = desk.fetch(TerritoryRequest(place="  Toyville,  Toyland "))
    folder = report.snapshot.folder
    assert folder == desk.output / "toyville-2026-11-01"
    assert sorted(path.name for path in folder.iterdir()) == [
        "background.parquet",
        "districts.geojson",
        "manifest.json",
        "network.parquet",
        "osm_raw.json.gz",
        "services_candidates.geojson",
        "study.toml",
    ]
    assert WalkNetwork.read(folder / NETWORK).digest == digest(report)
    assert digest(report) == file_network(tmp_path, report).digest
    assert vars(ox.settings) == before
    assert socket.getaddrinfo is resolve
    assert desk.left() == desk.kept() == desk.waits == []
    assert report.previous is report.changes is None
    assert osm.count() == 4  # districts, streets, services, background


def test_what_a_manifest_says(desk: Desk) -> None:
    manifest = read_snapshot(desk.fetch().snapshot.folder).manifest
    assert manifest["osm_date"] == toy_osm.OSM_DATE
    assert manifest["osm_dates"] == [toy_osm.OSM_DATE]
    assert (manifest["licence"], manifest["attribution"]) == (
        "ODbL 1.0",
        "© OpenStreetMap contributors",
    )
    assert [query["what"] for query in manifest["queries"]] == [
        *("boundary", "districts"),
        *("streets", "services", "background"),
    ]
    assert "nwr['highway'](poly:'…');" in manifest["queries"][2]["overpass"][0]
    assert manifest["territory"]["asked"] == {"insee": INSEE}
    assert manifest["territory"]["osm_relation"] == fake_osm.TOWN_RELATION
    # Twenty minutes, the longest isochrone, and a hundred metres to a street at both ends.
    assert manifest["territory"]["reach_m"] == 1700
    assert manifest["counts"]["services"] == {
        "bains_douches": 1,
        "centre_social": 1,
        "restaurant_solidaire": 1,
    }
    assert manifest["services_left_out"] == {"shelter_or_refuge": 1, "private": 1, "no_place": 0}
    assert manifest["dropped"]["trunk"]["ways"] == 1
    for name, about in manifest["files"].items():
        assert re.fullmatch("[0-9a-f]{64}", about["sha256"]), name


def test_discreet_places_are_nowhere_in_a_snapshot(desk: Desk) -> None:
    report = desk.fetch()
    files = [path for path in report.snapshot.folder.iterdir() if path.suffix != ".parquet"]
    text = "".join(path.read_text(encoding="utf-8") for path in files if path.suffix != ".gz")
    raw = json.dumps(report.snapshot.raw_elements())
    assert "Chez elles" not in text + raw
    assert "7003" not in text + raw


def test_all_ways_to_a_territory_give_one_network(desk: Desk, tmp_path: Path) -> None:
    outline = tmp_path / "my area.geojson"
    feature = {"type": "Feature", "properties": {"label": "all"}}
    feature["geometry"] = shapely.geometry.mapping(TOWN)
    outline.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    by_name = desk.fetch(TerritoryRequest(place="Toyville, Toyland"))
    by_code = desk.fetch(TerritoryRequest(insee=INSEE))
    by_file = desk.fetch(TerritoryRequest(polygon=outline))
    assert digest(by_name) == digest(by_code) == digest(by_file)
    assert by_file.snapshot.folder.name == "my-area-2026-11-01"
    assert by_code.previous is not None
    assert by_code.previous.folder == by_name.snapshot.folder
    assert by_file.previous is None


def test_districts_are_arrondissements_or_the_place_itself(desk: Desk, osm: FakeOsm) -> None:
    def districts() -> dict[str, str]:
        path = desk.fetch().snapshot.folder / "districts.geojson"
        features = json.loads(path.read_text(encoding="utf-8"))["features"]
        return {f["properties"]["district_id"]: f["properties"]["label"] for f in features}

    assert districts() == {"99101": "1er", "99102": "2e"}
    # With one of two arrondissements gone, the rest is no division of the town.
    osm.elements = [e for e in osm.elements if (e["type"], e["id"]) != ("relation", 9002)]
    assert districts() == {INSEE: "Toyville"}


def test_a_snapshot_can_be_analysed(desk: Desk) -> None:
    study = read_study(desk.fetch().snapshot.folder / "study.toml", cell_m=50.0)
    assert study.area.name == "Toyville"
    coverage = analyse(study)
    assert set(coverage.indicators["category"]) >= {"bains_douches", "restaurant_solidaire"}
    names = set(study.services.table["name"])
    assert names == {"Douches <b>Vertes</b>", "", "Maison pour tous"}
    assert study.services.problems.empty


def test_raw_elements_give_the_network_again(desk: Desk) -> None:
    report = desk.fetch()
    elements = report.snapshot.raw_elements()
    polygon = shapely.from_wkt(report.snapshot.manifest["territory"]["fetched_polygon"])
    raw = from_overpass(elements, osm_date=report.snapshot.osm_date)
    network = network_from_osm(raw, crs=pyproj.CRS.from_epsg(2154), polygon=polygon)
    assert network.digest == digest(report)
    assert not [e for e in elements if e.get("tags", {}).get("highway") == "bus_stop"]
    without = desk.fetch(use={"keep_raw": False}).snapshot
    with pytest.raises(InputFileError, match="not kept"):
        without.raw_elements()


def test_the_same_fetch_gives_the_same_bytes(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1795000000")
    one, other = (desk.fetch().snapshot.folder for _ in range(2))
    assert other.name == "toyville-2026-11-01-2"
    for path in one.iterdir():
        assert path.read_bytes() == (other / path.name).read_bytes(), path.name


def test_a_second_fetch_says_what_changed(desk: Desk, osm: FakeOsm) -> None:
    desk.fetch()
    (nothing,) = desk.fetch().changes.lines()
    assert nothing.startswith("Nothing changed")
    changed = {("way", 61), ("way", 2), ("node", 7001), ("node", 7002)}
    kept = [e for e in osm.elements if (e["type"], e["id"]) not in changed]
    rue_b = next(e for e in osm.elements if (e["type"], e["id"]) == ("way", 2))
    shower = next(e for e in osm.elements if (e["type"], e["id"]) == ("node", 7001))
    new_street = {"type": "way", "id": 99, "nodes": [1000, 1014], "tags": {"highway": "path"}}
    osm.elements = [
        *kept,
        {**rue_b, "tags": {**rue_b["tags"], "name": "rue C"}},
        {**shower, "lon": shower["lon"] + 0.001},
        new_street,
    ]
    osm.osm_date = "2026-12-01T00:00:00Z"
    report = desk.fetch()
    changes = report.changes
    assert changes is not None
    assert changes.by_raw
    assert (changes.ways_added, changes.ways_removed) == ((99,), (61,))
    assert changes.removed_km == pytest.approx(0.1077, abs=1e-3)
    assert [(c.way_id, c.key, c.old, c.new) for c in changes.retagged] == [
        (2, "name", "rue B", "rue C")
    ]
    assert [c.service_id for c in changes.services_removed] == ["osm-node-7002"]
    assert [(c.service_id, c.moved_m) for c in changes.services_moved] == [
        ("osm-node-7001", pytest.approx(73.2, abs=0.3))
    ]
    text = "\n".join(report.lines())
    assert "2026-11-01T00:00:00Z → 2026-12-01T00:00:00Z" in text
    assert "name rue B → rue C" in text


# ---- bad days


TROUBLES: dict[str, tuple[Trouble, str]] = {
    "429": (fake_osm.status(429), "HTTP 429 (too many requests)"),
    "504": (fake_osm.status(504), "HTTP 504 (too busy)"),
    "turned off": (fake_osm.TURNED_OFF, "is turned off"),
    "500": (fake_osm.status(500), "HTTP 500"),
    "page": (fake_server.page, "a page instead of data (Maintenance)"),
    "half": (fake_server.half, "data that is cut short"),
    "broken": (fake_server.broken, "an answer that makes no sense"),
    "deep": (fake_osm.deep, "an answer that makes no sense (RecursionError)"),
    "deep remark": (fake_osm.deep_remark, "makes no sense"),
    "no element": (fake_osm.no_element, "elements that are none of OpenStreetMap's"),
    "packed": (fake_osm.packed, "an answer of more than 2 MB"),
    "nothing": (fake_osm.no_elements, "data without any elements"),
    "hang up": (fake_server.hang_up, "cannot be reached, or broke off"),
    "memory": (fake_osm.OUT_OF_MEMORY, "ran out of memory"),
    "all memory": (fake_osm.OUT_OF_ALL_MEMORY, "run out of memory"),
    "duplicate": (fake_osm.DUPLICATE, "refused a fourth time within its time limit"),
    "time": (fake_osm.TIMED_OUT, "timed out"),
    "remark": (fake_osm.remark("runtime error: of an unknown kind"), "of an unknown kind"),
}


@pytest.fixture(autouse=True)
def little_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("quart_heure.sources.online.patience.LARGEST_MB", 2.0)


@pytest.mark.parametrize("name", TROUBLES)
def test_a_bad_answer_is_asked_for_again(
    name: str, desk: Desk, osm: FakeOsm, tmp_path: Path
) -> None:
    trouble, words = TROUBLES[name]
    osm.troubles["a"] = [trouble]
    report = desk.fetch()
    assert digest(report) == file_network(tmp_path, report).digest
    # A question that ran out of what it declared declares more, at once.
    assert desk.waits == ([] if name in {"memory", "all memory", "time", "duplicate"} else [5])
    assert any(words in step for step in desk.said)
    assert desk.left() == desk.kept() == []


@pytest.mark.parametrize("name", TROUBLES)
def test_servers_that_stay_bad_end_clearly(name: str, desk: Desk, osm: FakeOsm) -> None:
    trouble, words = TROUBLES[name]
    osm.troubles["a"] = [trouble] * 50
    with pytest.raises(TryLaterError, match=re.escape(words)) as caught:
        desk.fetch()
    assert caught.value.exit_code == 10
    assert "Run the same command later" in caught.value.hint
    assert desk.waits == [5, 20]
    assert not desk.output.exists()
    assert desk.kept() == []


def test_a_slow_server_is_given_up(desk: Desk, osm: FakeOsm) -> None:
    osm.troubles["a"] = [fake_server.silence]
    report = desk.fetch(timeout_s=1)
    assert "boundary: " in desk.said[0]
    assert any("no answer within 1 s" in step for step in desk.said)
    assert report.snapshot.folder.exists()


def test_a_server_that_is_not_there(desk: Desk) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        closed = f"http://127.0.0.1:{free.getsockname()[1]}/api"
    with pytest.raises(TryLaterError, match="cannot be reached"):
        desk.fetch(mirrors=(closed,))
    assert not desk.output.exists()


def test_another_mirror_takes_over_at_once(desk: Desk, osm: FakeOsm) -> None:
    osm.troubles["a"] = [fake_osm.status(504)] * 50
    report = desk.fetch(mirrors=(osm.a, osm.b))
    assert desk.waits == []
    assert {query["server"] for query in report.snapshot.manifest["queries"]} == {
        osm.url.removeprefix("http://")
    }
    assert [path[:2] for path, query in osm.asked if query].count("/b") == 5


def test_the_wait_that_a_server_asks_for_is_kept(desk: Desk, osm: FakeOsm) -> None:
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)
    osm.troubles["a"] = [
        fake_osm.status(429, Retry_After="42"),
        fake_osm.status(503, Retry_After=later),
    ]
    desk.fetch()
    assert desk.waits[0] == 42
    assert desk.waits[1] == pytest.approx(100, abs=5)


def test_a_busy_server_is_not_asked_before_its_time(desk: Desk, osm: FakeOsm) -> None:
    osm.troubles["a"] = [fake_osm.status(429, Retry_After="300")]
    osm.troubles["b"] = [fake_osm.status(504)]
    desk.fetch(mirrors=(osm.a, osm.b))
    asked = [path[:2] for path, query in osm.asked if "ref:INSEE" in query]
    assert (asked, desk.waits) == (["/a", "/b", "/b"], [5])


def test_too_long_a_wait_ends_at_once(desk: Desk, osm: FakeOsm) -> None:
    osm.troubles["a"] = [fake_osm.status(429, Retry_After="86400")]
    with pytest.raises(TryLaterError):
        desk.fetch()
    assert desk.waits == []


@pytest.mark.parametrize(
    ("words", "waits"),
    [
        ("Slot available after: 2026-11-22T10:00:30Z, in 30 seconds.", [30, 20]),
        ("Currently running queries (pid, space limit, time limit, start time):", []),
        ("<html>nothing of the kind</html>", []),
    ],
)
def test_slots_are_respected(words: str, waits: list[float], desk: Desk, osm: FakeOsm) -> None:
    osm.status = words
    steps = iter([None, "2 slots available now."] if len(waits) > 1 else [])

    def wait(seconds: float) -> None:
        desk.waits.append(seconds)
        osm.status = next(steps) or osm.status

    desk.fetch(wait=wait)
    assert desk.waits == [max(30, 5), 30][: len(waits)]


def test_an_area_too_large_is_asked_for_in_parts(desk: Desk, osm: FakeOsm, tmp_path: Path) -> None:
    whole = desk.fetch()
    osm.largest_km2 = 5
    parts = desk.fetch()
    assert digest(parts) == digest(whole) == file_network(tmp_path, whole).digest
    assert desk.waits == []
    assert parts.snapshot.manifest["queries"][2]["parts"] == 4
    assert parts.changes is not None
    assert parts.changes.nothing


def test_parts_that_stay_too_large_end_with_advice(desk: Desk, osm: FakeOsm) -> None:
    osm.largest_km2 = 0.001
    with pytest.raises(TryLaterError, match="out of memory") as caught:
        desk.fetch(TerritoryRequest(insee=INSEE), splits=1)
    assert "a smaller area, or a file" in caught.value.hint


# ---- interrupted


def test_an_interrupted_fetch_is_taken_up_again(desk: Desk, osm: FakeOsm, tmp_path: Path) -> None:
    osm.troubles["a"] = [*[None] * 3, *[fake_osm.status(504)] * 3]
    with pytest.raises(TryLaterError, match="services"):
        desk.fetch()
    assert not desk.output.exists()
    assert len(desk.kept()) == 3
    osm.asked.clear()
    report = desk.fetch()
    assert osm.count() == 2  # services, background
    assert digest(report) == file_network(tmp_path, report).digest
    assert len(report.snapshot.manifest["queries"][2]["overpass"]) == 1
    assert desk.kept() == []


def test_parts_that_came_are_not_asked_for_again(desk: Desk, osm: FakeOsm) -> None:
    osm.largest_km2 = 5
    # The fourth of four parts fails more often than patience lasts without progress.
    osm.troubles["a"] = [None, None, None, fake_server.page, None, fake_server.page]
    report = desk.fetch()
    streets = [query for _, query in osm.asked if "nwr['highway'](" in query]
    # Once with little and once with much declared, then in four parts, two of which fail.
    assert len(streets) == 2 + 4 + 2
    assert report.snapshot.manifest["queries"][2]["parts"] == 4
    assert desk.waits == [5, 5]


def test_ctrl_c_leaves_nothing_but_answers(desk: Desk, osm: FakeOsm) -> None:
    def stop(step: str) -> None:
        if step.startswith("services"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        desk.fetch(use={"progress": stop})
    assert not desk.output.exists()
    asked = osm.count()
    desk.fetch()
    assert osm.count() == asked + 2


def test_torn_and_old_answers_are_asked_for_again(desk: Desk, osm: FakeOsm) -> None:
    osm.troubles["a"] = [*[None] * 3, *[fake_osm.status(504)] * 3]
    with pytest.raises(TryLaterError):
        desk.fetch()
    boundary, districts, _ = desk.kept()
    boundary.write_bytes(boundary.read_bytes()[:100])
    long_ago = datetime.now().timestamp() - 25 * 3600
    os.utime(districts, (long_ago, long_ago))
    osm.asked.clear()
    desk.fetch()
    assert osm.count() == 4


def test_answers_of_abandoned_fetches_are_forgotten(desk: Desk, osm: FakeOsm) -> None:
    osm.troubles["a"] = [None, *[fake_osm.status(504)] * 3]
    with pytest.raises(TryLaterError):
        desk.fetch()
    for path in desk.kept()[0].parents[1].rglob("*"):
        os.utime(path, (0, 0))
    desk.fetch(TerritoryRequest(place="Toyville, Toyland"))
    assert desk.kept() == []


def test_without_a_cache_nothing_is_kept(desk: Desk, osm: FakeOsm, tmp_path: Path) -> None:
    file = tmp_path / "cache"
    file.write_text("not a folder")
    for cache in (Cache(None), Cache(file)):
        desk.cache = cache
        assert desk.fetch().snapshot.folder.exists()


def test_a_snapshot_that_cannot_be_written(desk: Desk) -> None:
    desk.output.write_text("a file is in the way")
    with pytest.raises(OutputError):
        desk.fetch()
    desk.output.unlink()
    desk.fetch()
    assert desk.left() == []


# ---- territories that are not there


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ([], "knows no place named"),
        ([nominatim_place(geojson={"type": "Point", "coordinates": [2, 48]})], "with an outline"),
    ],
)
def test_a_name_that_names_nothing(
    answers: list[Any], words: str, desk: Desk, osm: FakeOsm
) -> None:
    osm.places["Nowhere"] = answers
    with pytest.raises(GeometryError, match=words):
        desk.fetch(TerritoryRequest(place="Nowhere"))
    assert desk.waits == desk.kept() == []


def test_nominatim_has_bad_days_too(desk: Desk, osm: FakeOsm) -> None:
    osm.troubles["n"] = [fake_osm.status(429), fake_server.page]
    assert desk.fetch(TerritoryRequest(place="Toyville, Toyland")).snapshot.name == "Toyville"
    assert desk.waits == [5, 20]


@pytest.mark.parametrize("code", ["6912", '69123"]', "LYON1", "2C004"])
def test_a_code_that_is_none(code: str, desk: Desk, osm: FakeOsm) -> None:
    with pytest.raises(GeometryError, match="not the INSEE code"):
        desk.fetch(TerritoryRequest(insee=code))
    assert osm.asked == []


def test_a_code_of_no_commune_and_an_open_boundary(desk: Desk, osm: FakeOsm) -> None:
    with pytest.raises(GeometryError, match="knows no commune"):
        desk.fetch(TerritoryRequest(insee="99999"))
    osm.elements = [e for e in osm.elements if (e["type"], e["id"]) != ("way", 6002)]
    with pytest.raises(GeometryError, match="not closed"):
        desk.fetch()
    assert desk.kept() == []


def test_an_area_for_files(desk: Desk, osm: FakeOsm) -> None:
    with pytest.raises(GeometryError, match="1 km², more than the 1 km² allowed"):
        desk.fetch(area_km2=0.9)
    assert osm.count() == 1


def test_a_territory_without_streets(desk: Desk, osm: FakeOsm) -> None:
    osm.elements = [e for e in osm.elements if "highway" not in e.get("tags", {})]
    with pytest.raises(NetworkError, match="no street here can be walked"):
        desk.fetch()
    assert not desk.output.exists()
    assert desk.kept() == []


@pytest.mark.parametrize("given", [{}, {"place": " "}, {"place": "Lyon", "insee": "69123"}])
def test_one_territory_at_a_time(given: dict[str, str]) -> None:
    with pytest.raises(InputFileError, match="One territory"):
        TerritoryRequest(**given)


def test_a_threshold_that_no_one_analyses(desk: Desk) -> None:
    with pytest.raises(StudyFileError, match="threshold_min"):
        desk.fetch(use={"threshold_min": 0})
