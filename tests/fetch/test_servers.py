"""Servers of OpenStreetMap as they were seen to be: names, slots, texts, dates, refusals."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
import shapely

from helpers import fake_osm
from helpers.fake_osm import FakeOsm, nominatim_place
from helpers.fetch_desk import TOWN_HALL, Desk
from quart_heure.cli import main
from quart_heure.errors import GeometryError, InputFileError, TryLaterError
from quart_heure.fetch.snapshot import find_snapshots, read_snapshot
from quart_heure.fetch.territory import TerritoryRequest
from quart_heure.sources.online.overpass import LiveSettings
from quart_heure.sources.online.places import choose_place, format_km2

TOWN = TerritoryRequest(place="Toyville, Toyland")
HOTEL = nominatim_place(
    **{"class": "tourism", "type": "hotel", "name": "de France", "osm_type": "way", "osm_id": 5},
    display_name="de France, Rue de la Turbie, Toyland",
    geojson=shapely.geometry.mapping(shapely.box(2.35, 48.85, 2.3502, 48.8502)),
)


def body_of(query: str) -> str:
    """Return a question without its settings."""
    return query.partition(";")[2]


def declared(query: str) -> tuple[int, int]:
    """Return the seconds and megabytes that a question declares."""
    found = re.search(r"\[timeout:(\d+)\]\[maxsize:(\d+)\]", query)
    assert found is not None
    return int(found[1]), int(found[2]) // 2**20


def sent(osm: FakeOsm, word: str = "") -> list[str]:
    return [query for path, query in osm.asked if "interpreter" in path and word in query]


# ---- what a name stands for


def test_a_hotel_is_no_territory(desk: Desk, osm: FakeOsm) -> None:
    osm.places["La Turbie, Toyland"] = [HOTEL]
    with pytest.raises(GeometryError) as caught:
        desk.fetch(TerritoryRequest(place="La Turbie, Toyland"))
    assert "only de France, Rue de la Turbie, Toyland (tourism hotel, neither" in str(caught.value)
    assert "--insee or --polygon" in caught.value.hint
    assert not desk.output.exists()


def test_the_territory_is_taken_wherever_it_stands(desk: Desk, osm: FakeOsm) -> None:
    stadium = nominatim_place(**{"class": "leisure", "type": "stadium", "name": "Stade"})
    point = fake_osm.country("Toyland", "tl")
    osm.places["Toyville, Toyland"] = [
        *(each | {"importance": 0.9} for each in (point, stadium, HOTEL)),
        nominatim_place(),
    ]
    report = desk.fetch(TOWN)
    assert report.snapshot.name == "Toyville"
    assert report.lines()[0] == "Toyville, Toyland: 1.18 km²"
    assert "boundary: Toyville, Toyland, 1.18 km²" in desk.said


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"class": "building", "type": "yes"}, "building yes, neither boundary"),
        ({"address": {"country_code": "de"}, "display_name": "Toyville"}, "another country (de)"),
        (
            {"geojson": shapely.geometry.mapping(shapely.box(2.35, 48.85, 2.354, 48.853))},
            "0.0979 km², less than 0.1 km²",
        ),
    ],
)
def test_what_is_no_territory(changes: dict[str, Any], words: str, osm: FakeOsm) -> None:
    results = [nominatim_place(**changes), HOTEL]
    with pytest.raises(GeometryError, match=re.escape(words)) as caught:
        choose_place("Toyville, Toyland", results, "tl")
    assert "and 1 more" in str(caught.value)


def test_a_country_that_is_a_state_as_well(desk: Desk, osm: FakeOsm) -> None:
    osm.countries["Georgia"] = "ge"
    athens = nominatim_place(
        display_name="Athens, Clarke County, Georgia, United States",
        address={"country_code": "us"},
        name="Athens",
    )
    osm.places["Athens, Georgia"] = [athens]
    assert desk.fetch(TerritoryRequest(place="Athens, Georgia")).snapshot.name == "Athens"


def test_a_region_is_no_country_and_no_country_is_no_question(desk: Desk, osm: FakeOsm) -> None:
    osm.places |= {"Toyville, Isère": [nominatim_place()], "Toyville": [nominatim_place()]}
    desk.fetch(TerritoryRequest(place="Toyville, Isère"))
    assert [asked for path, asked in osm.asked if "/n/" in path] == ["Toyville, Isère", "Isère"]
    osm.asked.clear()
    desk.fetch(TerritoryRequest(place="Toyville"))
    assert [asked for path, asked in osm.asked if "/n/" in path] == ["Toyville"]


@pytest.mark.parametrize("changes", [{"osm_id": "x"}, {"importance": "much"}, {"geojson": "x"}])
def test_a_place_that_makes_no_sense(changes: dict[str, Any], desk: Desk, osm: FakeOsm) -> None:
    osm.places["Toyville, Toyland"] = [nominatim_place(**changes)]
    with pytest.raises(TryLaterError, match="makes no sense"):
        desk.fetch(TOWN)


def test_areas_as_people_read_them() -> None:
    areas = (0.00042, 1.1849, 105.4, 1234.6)
    assert [*map(format_km2, areas)] == ["0.00042 km²", "1.18 km²", "105 km²", "1,235 km²"]


# ---- the same question again


def test_every_try_has_a_text_of_its_own(desk: Desk, osm: FakeOsm) -> None:
    osm.troubles["a"] = [fake_osm.status(429)] * 5
    desk.fetch(pauses_s=(5, 20, 60, 120, 120))
    tries = sent(osm, "ref:INSEE")
    assert len(tries) == 6
    assert len(set(tries)) == 6
    assert len({body_of(query) for query in tries}) == 1
    assert [declared(query)[0] for query in tries] == [10, 9, 8, 7, 6, 5]


def test_a_fourth_fetch_is_asked_for_with_another_text_at_once(desk: Desk, osm: FakeOsm) -> None:
    for _ in range(3):
        desk.fetch()
    osm.asked.clear()
    fourth = desk.fetch()
    assert desk.waits == []
    assert fourth.changes is not None
    assert fourth.changes.nothing
    words = ("ref:INSEE", "nwr['highway'](", "bicycle_rental")
    assert [len(sent(osm, word)) for word in words] == [2, 2, 2]
    told = next(step for step in desk.said if "duplicate_query" in step)
    assert "refused a fourth time within its time limit (runtime error: open64" in told


def test_answers_are_found_again_whatever_they_declared(desk: Desk, osm: FakeOsm) -> None:
    osm.largest_km2 = 5
    osm.troubles["a"] = [None, None, None, None, fake_osm.status(504)] * 3
    desk.fetch()
    parts = [body_of(query) for query in sent(osm, "nwr['highway'](")]
    # Two that were too large, four parts, and one of these again.
    assert len(parts) == 7
    assert len(set(parts)) == 5


# ---- slots


FULL = ["4711\t536870912\t180\t2026-11-22T09:59:00Z", "4712\t67108864\t25\t2026-11-22T09:59:50Z"]


def test_a_full_server_is_looked_at_and_not_asked(desk: Desk, osm: FakeOsm) -> None:
    osm.status, osm.running_queries = "", FULL

    def wait(seconds: float) -> None:
        desk.waits.append(seconds)
        # One ends after ninety seconds; its slot is free a while later, and then for long.
        if sum(desk.waits) == 90:
            osm.status, osm.running_queries = "Slot available after: x, in 8 seconds.", FULL[1:]
        if sum(desk.waits) > 100:
            osm.status = "Slot available after: x, in -1 seconds."

    desk.fetch(wait=wait)
    # Looks cost none of the two pauses that are allowed; the time that is named is waited for.
    assert desk.waits == [*[15] * 6, 8, 20]
    assert len(sent(osm, "ref:INSEE")) == 1


def test_a_server_that_stays_full_is_given_up(desk: Desk, osm: FakeOsm) -> None:
    osm.status, osm.running_queries = "", FULL
    with pytest.raises(TryLaterError, match="a question runs in every slot"):
        desk.fetch(longest_wait_s=60)
    assert desk.waits == [15, 15, 15, 15, 5, 20]
    assert sent(osm) == []


def test_what_was_kept_needs_no_slot(desk: Desk, osm: FakeOsm) -> None:
    osm.troubles["a"] = [*[None] * 3, *[fake_osm.status(504)] * 3]
    with pytest.raises(TryLaterError):
        desk.fetch()
    osm.looks = 0
    desk.fetch()
    assert osm.looks == 2  # for services and background


# ---- what a question declares


def test_small_questions_declare_little(desk: Desk, osm: FakeOsm) -> None:
    desk.fetch(timeout_s=180)
    boundary, districts, streets, services, background = map(declared, sent(osm))
    assert boundary == districts == (25, 64)
    assert streets == services == background
    assert 25 < streets[0] < 60
    assert 64 < streets[1] < 200


def test_what_ran_out_declares_more_before_it_is_made_smaller(desk: Desk, osm: FakeOsm) -> None:
    osm.memory_mb = 500
    report = desk.fetch(timeout_s=180)
    assert [declared(query)[1] for query in sent(osm, "ref:INSEE")] == [64, 512]
    assert report.snapshot.manifest["queries"][2]["parts"] == 1
    assert desk.waits == []
    # The manifest says what was asked, not what each try declared.
    asked = report.snapshot.manifest["queries"][0]["overpass"]
    assert [query[:25] for query in asked] == ["[out:json][timeout:180];r"]


# ---- no use in waiting


@pytest.mark.parametrize("address", ["{url}/a", "{url}/c/api"])
def test_a_wrong_address_ends_at_once(address: str, desk: Desk, osm: FakeOsm) -> None:
    with pytest.raises(InputFileError, match=r"HTTP 404 \(has nothing at that address\)") as caught:
        desk.fetch(mirrors=(address.format(url=osm.url),))
    assert "ends in /api" in caught.value.hint
    assert desk.waits == []


def test_a_nominatim_that_is_not_there_ends_at_once(desk: Desk, osm: FakeOsm) -> None:
    with pytest.raises(InputFileError, match="HTTP 404"):
        desk.fetch(TOWN, nominatim_url=f"{osm.url}/nominatim")
    assert desk.waits == []


def test_a_question_that_is_not_understood_ends_with_the_servers_words(
    desk: Desk, osm: FakeOsm
) -> None:
    osm.troubles["a"] = [fake_osm.status(400)]
    with pytest.raises(InputFileError, match=r"HTTP 400 \(line 1: parse error: Unknown type"):
        desk.fetch()
    assert desk.waits == []


def test_a_mirror_that_is_wrong_leaves_the_others(desk: Desk, osm: FakeOsm) -> None:
    osm.troubles["b"] = [fake_osm.status(504)]
    desk.fetch(mirrors=(f"{osm.url}/c/api", osm.b))
    assert desk.waits == [5]
    assert sum(path.startswith("/c") for path, query in osm.asked if query) == 5


def test_addresses_are_taken_with_what_stands_behind_them(desk: Desk, osm: FakeOsm) -> None:
    mirrors = (f"{osm.a}/interpreter/",)
    desk.fetch(TOWN, mirrors=mirrors, nominatim_url=f"{osm.nominatim}/search")
    assert osm.looks > 0
    assert desk.waits == []


@pytest.mark.parametrize("address", ["overpass-api.de/api", "ftp://a/api", "", "http://"])
def test_an_address_without_a_scheme_is_told_before_anything(
    address: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(InputFileError, match="is not the address of a server"):
        LiveSettings(mirrors=(address,))
    with pytest.raises(InputFileError, match="is not the address of a server"):
        LiveSettings(nominatim_url=address)
    assert main(["fetch", "Toyville", "--mirror", "overpass-api.de/api"]) == 3
    assert "It begins with https://." in capsys.readouterr().err


# ---- dates


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("", "the server does not say of what date its data are"),
        ("monaco-extract", "the server dates its data 'monaco-extract', which is no date"),
    ],
)
def test_data_without_a_date_are_not_those_of_today(
    said: str, told: str, desk: Desk, osm: FakeOsm
) -> None:
    osm.osm_date = said
    report = desk.fetch()
    manifest = read_snapshot(report.snapshot.folder).manifest
    assert report.snapshot.folder.name == "toyville-undated"
    assert manifest["osm_date"] == ""
    assert manifest["osm_dates"] == []
    assert any(told in line for line in report.lines())
    assert desk.fetch().snapshot.folder.name == "toyville-undated-2"


def test_an_undated_snapshot_is_as_old_as_the_day_it_was_fetched(
    desk: Desk, osm: FakeOsm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1795000000")  # 18 November 2026
    osm.osm_date = ""
    undated = desk.fetch().snapshot
    for date in ("2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z"):
        osm.osm_date = date
        last = desk.fetch().snapshot
    found = find_snapshots(desk.output, territory_key=last.territory_key)
    assert [each.folder.name for each in found] == [
        "toyville-2026-11-01",
        undated.folder.name,
        "toyville-2026-12-01",
    ]


def test_a_day_of_the_past_is_asked_for(desk: Desk, osm: FakeOsm) -> None:
    now = desk.fetch()
    without = [e for e in osm.elements if (e["type"], e["id"]) != ("node", 7001)]
    osm.past = {"2020-01-01T00:00:00Z": without}
    past = desk.fetch(TerritoryRequest(insee=TOWN_HALL.insee, date="2024-01-01"))
    assert all('[date:"2024-01-01T00:00:00Z"]' in query for query in sent(osm)[5:])
    manifest = past.snapshot.manifest
    assert past.snapshot.folder.name == "toyville-2024-01-01"
    assert manifest["osm_date"] == "2024-01-01T00:00:00Z"
    assert manifest["territory"]["asked"]["date"] == "2024-01-01T00:00:00Z"
    assert manifest["counts"]["services"].get("bains_douches", 0) == 0
    assert manifest["notes"] == []
    assert '[date:"2024-01-01T00:00:00Z"]' in manifest["queries"][0]["overpass"][0]
    # It is an older one of the same territory.
    found = find_snapshots(desk.output, territory_key=past.snapshot.territory_key)
    assert [each.folder for each in found] == [past.snapshot.folder, now.snapshot.folder]


def test_the_outline_of_a_name_is_that_of_today(desk: Desk, osm: FakeOsm) -> None:
    osm.past = {"2020-01-01T00:00:00Z": osm.elements}
    past = desk.fetch(TerritoryRequest(place=TOWN.place, date="2024-05-06T07:08:09+02:00"))
    assert past.lines()[-1] == (
        "the outline is that of today; what lies in it is that of 2024-05-06T05:08:09Z"
    )


def test_a_server_without_a_past_ends_at_once(desk: Desk, osm: FakeOsm) -> None:
    with pytest.raises(InputFileError, match="no museum files available") as caught:
        desk.fetch(TerritoryRequest(insee=TOWN_HALL.insee, date="2024-01-01"))
    assert "or leave --date out" in caught.value.hint
    assert desk.waits == []


@pytest.mark.parametrize("text", ["yesterday", "2024-13-01", "2007-01-01", "2999-01-01"])
def test_a_date_that_cannot_be_asked_for_is_told_before_anything(
    text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(InputFileError, match="--date"):
        TerritoryRequest(insee="75056", date=text)
    assert main(["fetch", "--insee", "75056", "--date", text]) == 3
    assert "--date is" in capsys.readouterr().err


# ---- the fake servers themselves


def test_the_server_counts_texts_as_the_real_one_does(osm: FakeOsm) -> None:
    """Three times the same, whatever came of them; the fourth is a page with status 200."""
    osm.troubles["a"] = [fake_osm.status(429)]
    query = {"data": '[out:json][timeout:25];(relation["ref:INSEE"="1"];);out;'}
    answers = [requests.post(f"{osm.a}/interpreter", data=query, timeout=9) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [429, 200, 200, 200]
    assert "Retry-After" not in answers[0].headers
    assert "<title>OSM3S Response</title>" in answers[3].text
    assert answers[2].json()["elements"] == []
    assert datetime.fromisoformat(answers[2].json()["osm3s"]["timestamp_osm_base"]).tzinfo is UTC
