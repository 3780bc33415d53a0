"""What a fetch brings of the ground: water, parks, railways, places; and a fetch without it."""

from __future__ import annotations

import json
import re

import geopandas as gpd
import pytest
import shapely

from helpers import fake_osm, toy_osm
from helpers.fake_osm import FakeOsm
from helpers.fetch_desk import Desk
from quart_heure.cli import main
from quart_heure.fetch.background import BACKGROUND
from quart_heure.fetch.fetch import SnapshotReport
from quart_heure.fetch.snapshot import STUDY, read_snapshot
from quart_heure.network.streets import network_from_osm
from quart_heure.sources.osm.files import read_osm_file
from quart_heure.study.file import read_study

LAMBERT = 2154
ASKED = "~'^(bicycle_rental|"
"""Found in the question for the background alone."""


def background(report: SnapshotReport) -> gpd.GeoDataFrame:
    return gpd.read_parquet(report.snapshot.file(BACKGROUND))


def questions(osm: FakeOsm) -> list[str]:
    return [query for path, query in osm.asked if "interpreter" in path and ASKED in query]


def test_water_parks_railways_and_stations_are_brought(desk: Desk) -> None:
    report = desk.fetch()
    table = background(report)
    assert table.crs.to_epsg() == LAMBERT
    # No garden of 20 m, canal under a boulevard, bridge, fence or tree.
    assert table.groupby(["kind", table.geom_type])["name"].agg(list).to_dict() == {
        ("motorway", "LineString"): ["Boulevard Extérieur"],
        ("park", "Point"): ["Parc Vert"],
        ("park", "Polygon"): ["Parc Vert"],
        ("rail", "LineString"): ["", ""],
        ("station", "Point"): ["Gare de Toyville"],
        ("water", "Polygon"): ["La Toyre"],
    }
    park = table.loc[table["kind"] == "park", "geometry"].iloc[0]
    assert park.area == pytest.approx(100 * 100, rel=0.01)
    rails = table.loc[table["kind"] == "rail", "geometry"]
    assert sorted(rails.length) == pytest.approx([40, 800], rel=0.01)
    # A river that runs on is cut to what was asked for.
    (river,) = table.loc[table["kind"] == "water", "geometry"]
    reach = shapely.from_wkt(report.snapshot.manifest["territory"]["fetched_polygon"])
    frame = gpd.GeoSeries([reach], crs=4326).to_crs(LAMBERT).iloc[0]
    assert shapely.buffer(frame, 1).contains(river)
    assert river.area > 60 * 2 * 1700
    assert (
        "for maps, and where nobody walks: water 1, parks 1, rail 2, stations 1" in report.lines()
    )


def test_a_manifest_tells_the_background(desk: Desk) -> None:
    manifest = read_snapshot(desk.fetch().snapshot.folder).manifest
    assert manifest["background"] == {
        "drawn": {"motorway": 1, "park": 1, "rail": 2, "water": 1},
        "places": {"park": 1, "station": 1},
    }
    assert manifest["files"][BACKGROUND]["licence"] == "ODbL 1.0"
    (text,) = manifest["queries"][4]["overpass"]
    assert re.findall(r"nwr\['natural'~'\^\((\S+?)\)\$'\]\(poly:'…'\);", text) == [
        "coastline|water|wood"
    ]
    # One outline a key: a text with one for each value would be too long.
    assert text.count("poly:") == 9


def test_the_study_of_a_snapshot_reads_it(desk: Desk) -> None:
    study = read_study(desk.fetch().snapshot.file(STUDY))
    assert study.ground is not None
    assert len(study.ground.water) == 1
    assert len(study.ground.barriers) == 4
    named = study.background()
    assert named is not None
    assert "Gare de Toyville" in set(named["name"])


def test_init_takes_it_from_a_snapshot(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    folder = desk.fetch().snapshot.folder
    (folder / STUDY).unlink()
    path = desk.output.parent / "study.toml"
    assert main(["init", str(path), "--yes"]) == 0
    told = capsys.readouterr().err
    assert "water and parks of the maps: background.parquet" in told
    assert f'background = "snapshots/{folder.name}/background.parquet"' in path.read_text()


def test_squares_are_crossed_as_those_of_a_file_are(desk: Desk, osm: FakeOsm) -> None:
    bare = desk.fetch().snapshot.manifest["network_digest"]
    places = [(105, 105), (195, 105), (195, 195), (105, 195)]
    wood = [
        {"type": "node", "id": 8500 + k, "lon": at[0], "lat": at[1]}
        for k, at in enumerate(map(toy_osm.lon_lat, places))
    ]
    refs = [8500, 8501, 8502, 8503, 8500]
    wood += [{"type": "way", "id": 8510, "nodes": refs, "tags": {"natural": "wood"}}]
    osm.elements += wood
    report = desk.fetch()
    file = desk.output.parent / "town.osm"
    file.write_text(toy_osm.osm_xml([*toy_osm.elements(), *wood]), encoding="utf-8")
    polygon = shapely.from_wkt(report.snapshot.manifest["territory"]["fetched_polygon"])
    read = network_from_osm(
        read_osm_file(file, polygon=polygon), crs=background(report).crs, polygon=polygon
    )
    assert report.snapshot.manifest["network_digest"] == read.digest != bare


def test_without_an_answer_the_snapshot_is_written_and_says_why(desk: Desk, osm: FakeOsm) -> None:
    osm.troubles["a"] = [*[None] * 4, *[fake_osm.status(504)] * 3]
    report = desk.fetch()
    assert not report.snapshot.file(BACKGROUND).exists()
    assert desk.waits == [5, 20]
    manifest = read_snapshot(report.snapshot.folder).manifest
    assert "HTTP 504 (too busy)" in manifest["background"]["without"]
    assert [query["what"] for query in manifest["queries"]][3:] == ["services"]
    assert any("no water, parks and stations: " in line for line in report.lines())
    assert any(step.startswith("no background: ") for step in desk.said)
    assert read_study(report.snapshot.file(STUDY)).ground is None
    assert desk.left() == desk.kept() == []


def test_a_large_ground_is_asked_for_in_parts(desk: Desk, osm: FakeOsm) -> None:
    whole = background(desk.fetch())
    osm.largest_km2 = 5
    parts = desk.fetch()
    assert parts.snapshot.manifest["queries"][4]["parts"] == 4
    assert background(parts).equals(whole)


def test_it_can_be_left_out(desk: Desk, osm: FakeOsm) -> None:
    report = desk.fetch(use={"background": False})
    assert questions(osm) == []
    assert "background" not in report.snapshot.manifest
    assert "[map]" not in report.snapshot.file(STUDY).read_text()
    desk.fetch()
    assert len(questions(osm)) == 1


def test_a_ground_without_anything(desk: Desk, osm: FakeOsm) -> None:
    osm.elements = [e for e in osm.elements if not 8000 < e["id"] < 8500]
    report = desk.fetch()
    assert report.snapshot.manifest["background"] == {}
    assert "for maps, and where nobody walks: nothing" in report.lines()
    assert not report.snapshot.file(BACKGROUND).exists()


def test_the_same_answers_give_the_same_bytes(desk: Desk, osm: FakeOsm) -> None:
    one = desk.fetch().snapshot
    osm.elements = osm.elements[::-1]
    assert desk.fetch().snapshot.file(BACKGROUND).read_bytes() == one.file(BACKGROUND).read_bytes()


def test_a_shelter_is_no_place_to_find(desk: Desk, osm: FakeOsm) -> None:
    station = next(e for e in osm.elements if e["id"] == 8400)
    tags = {"tourism": "attraction", "social_facility": "shelter", "name": "Chez elles"}
    osm.elements.append({**station, "id": 8402, "tags": tags})
    assert "Chez elles" not in json.dumps(background(desk.fetch())["name"].tolist())
