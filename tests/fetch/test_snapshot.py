"""Snapshots on disk: whole or not at all, checked when read, compared; candidates for services."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyproj
import pytest
import shapely

from helpers import toy_osm
from quart_heure.categories import default_catalogue, extend_catalogue
from quart_heure.errors import InputFileError, OutputError
from quart_heure.fetch.changes import compare_snapshots
from quart_heure.fetch.snapshot import (
    DISTRICTS,
    NETWORK,
    RAW,
    SERVICES,
    STUDY,
    Snapshot,
    find_snapshots,
    read_snapshot,
    slug,
    write_elements,
    write_features,
    write_snapshot,
)
from quart_heure.network.streets import network_from_osm
from quart_heure.sources.osm.boundaries import Boundary, choose_districts, outlines
from quart_heure.sources.osm.data import from_overpass
from quart_heure.sources.osm.services import Candidates, read_candidates, service_tags
from quart_heure.sources.services.rows import SERVICE_COLUMNS

Element = dict[str, Any]
DATE = toy_osm.OSM_DATE


def take(
    parent: Path,
    elements: Sequence[Element] | None = None,
    *,
    services: Sequence[Element] = (),
    districts: Sequence[Element] = (),
    raw: bool = True,
    date: str = DATE,
) -> Snapshot:
    """Write a snapshot of the toy town."""
    elements = toy_osm.elements() if elements is None else elements
    network = network_from_osm(from_overpass(elements), crs=pyproj.CRS.from_epsg(2154))
    keep = functools.partial(
        write_elements, elements=elements, osm_date=date, attribution="© contributors"
    )
    return write_snapshot(
        parent,
        name="Saint-Œuf, Toyland",
        osm_date=date,
        writers={
            NETWORK: network.write,
            SERVICES: functools.partial(write_features, features=services),
            DISTRICTS: functools.partial(write_features, features=districts),
            STUDY: lambda path: path.write_text("[area]\n") and None,
            **({RAW: keep} if raw else {}),
        },
        manifest={"territory": {"key": "toy"}, "counts": {}},
        origin={"source": "OpenStreetMap (toy)", "licence": "ODbL 1.0", "attribution": "©"},
    )


def point(service_id: str, lon: float, lat: float) -> Element:
    about = {"service_id": service_id, "category": "bagagerie", "name": f"{service_id}'s"}
    place = {"type": "Point", "coordinates": [lon, lat]}
    return {"type": "Feature", "properties": about, "geometry": place}


def district(name: str, size: float) -> Element:
    shape = shapely.geometry.mapping(shapely.box(2, 48, 2 + size, 49))
    return {"type": "Feature", "properties": {"district_id": name}, "geometry": shape}


def without(*osm_ids: int) -> list[Element]:
    ways = {("way", osm_id) for osm_id in osm_ids}
    return [e for e in toy_osm.elements() if (e["type"], e["id"]) not in ways]


# ---- on disk


def test_a_snapshot_is_read_as_it_was_written(tmp_path: Path) -> None:
    written = take(tmp_path)
    read = read_snapshot(written.folder)
    assert read.folder.name == "saint-uf-2026-11-01"
    assert read.manifest == written.manifest
    assert (read.name, read.osm_date, read.territory_key) == ("Saint-Œuf, Toyland", DATE, "toy")
    assert read.manifest["files"][NETWORK]["licence"] == "ODbL 1.0"
    assert {e["id"] for e in read.raw_elements()} == {e["id"] for e in toy_osm.elements()}
    raw = read.file(RAW)
    content = raw.read_bytes()
    raw.write_bytes(content[:50] + bytes([255]) * (len(content) - 50))
    with pytest.raises(InputFileError, match=r"cannot be read .*decompressing"):
        read.raw_elements()


def test_nothing_is_written_over(tmp_path: Path) -> None:
    folders = [take(tmp_path).folder.name for _ in range(3)]
    assert folders == [f"saint-uf-2026-11-01{end}" for end in ("", "-2", "-3")]


def test_a_snapshot_without_a_date_is_called_so(tmp_path: Path) -> None:
    assert take(tmp_path, date="").folder.name == "saint-uf-undated"
    assert take(tmp_path, date="../../x").folder.name == "saint-uf-undated-2"


@pytest.mark.parametrize("error", [OSError("disk full"), RuntimeError("a fault"), OutputError("x")])
def test_a_snapshot_is_whole_or_not_there(error: Exception, tmp_path: Path) -> None:
    def fail(path: Path) -> None:
        path.write_text("half")
        raise error

    with pytest.raises(RuntimeError if isinstance(error, RuntimeError) else OutputError):
        write_snapshot(
            tmp_path, name="x", osm_date=DATE, writers={NETWORK: fail}, manifest={}, origin={}
        )
    assert list(tmp_path.iterdir()) == []


def test_a_changed_file_is_noticed_but_the_study_is_yours(tmp_path: Path) -> None:
    folder = take(tmp_path).folder
    (folder / STUDY).write_text("[analysis]\nthreshold_min = 10\n")
    read_snapshot(folder)
    (folder / RAW).unlink()
    read_snapshot(folder)
    with (folder / SERVICES).open("a") as file:
        file.write(" ")
    with pytest.raises(InputFileError, match="not what was fetched"):
        read_snapshot(folder)
    (folder / SERVICES).unlink()
    with pytest.raises(InputFileError, match="missing from the snapshot"):
        read_snapshot(folder)


@pytest.mark.parametrize(
    "manifest",
    [
        None,
        "",
        "[]",
        "{}",
        '{"kind": "results"}',
        '{"kind": "quart-heure snapshot", "files": 3}',
        b"\xff\xfe",
    ],
)
def test_a_folder_that_is_no_snapshot(manifest: str | bytes | None, tmp_path: Path) -> None:
    if manifest is not None:
        content = manifest if isinstance(manifest, bytes) else manifest.encode()
        (tmp_path / "manifest.json").write_bytes(content)
    with pytest.raises(InputFileError, match="this is no snapshot"):
        read_snapshot(tmp_path)


def test_a_snapshot_of_another_version(tmp_path: Path) -> None:
    path = take(tmp_path).folder / "manifest.json"
    path.write_text(path.read_text(encoding="utf-8").replace('"format": 1', '"format": 99'))
    with pytest.raises(InputFileError, match="another version"):
        read_snapshot(path.parent)


def test_damaged_raw_elements(tmp_path: Path) -> None:
    snapshot = take(tmp_path)
    snapshot.file(RAW).write_bytes(snapshot.file(RAW).read_bytes()[:-200])
    with pytest.raises(InputFileError, match="cannot be read"):
        snapshot.raw_elements()


def test_snapshots_of_a_territory_are_found_in_order(tmp_path: Path) -> None:
    newer, older = take(tmp_path, date="2026-12-01T00:00:00Z"), take(tmp_path)
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "manifest.json").write_text("{}")
    (tmp_path / ".x.partial").mkdir()
    (tmp_path / ".x.partial" / "manifest.json").write_text(
        (newer.folder / "manifest.json").read_text()
    )
    found = find_snapshots(tmp_path, territory_key="toy")
    assert [s.folder for s in found] == [older.folder, newer.folder]
    assert find_snapshots(tmp_path, territory_key="other") == []
    assert find_snapshots(tmp_path / "nowhere", territory_key="toy") == []


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Saint-Étienne, France", "saint-etienne"),
        ("L'Haÿ-les-Roses", "l-hay-les-roses"),
        ("../../etc", "etc"),
        ("東京", "territory"),
        ("x" * 99, "x" * 60),
    ],
)
def test_names_of_folders(name: str, expected: str) -> None:
    assert slug(name) == expected


# ---- compared


def test_nothing_changed(tmp_path: Path) -> None:
    changes = compare_snapshots(take(tmp_path), take(tmp_path, toy_osm.elements()[::-1]))
    assert changes.nothing
    assert changes.lines() == [f"Nothing changed ({DATE} → {DATE})."]


def test_streets_that_came_and_went(tmp_path: Path) -> None:
    old, new = take(tmp_path, without(61, 62)), take(tmp_path, without(11))
    changes = compare_snapshots(old, new)
    assert (changes.ways_added, changes.ways_removed) == ((61, 62), (11,))
    # By hand: twice (50, 20), and a triangle of 50-60-58.3; a street of 100 m.
    assert changes.added_km == pytest.approx((2 * 53.852 + 60 + 2 * 58.310) / 1000, abs=1e-3)
    assert changes.removed_km == pytest.approx(0.1, abs=1e-3)
    back = compare_snapshots(new, old)
    assert (back.ways_added, back.ways_removed) == (changes.ways_removed, changes.ways_added)
    assert back.network_km == changes.network_km[::-1]
    assert "2 added (0.3 km), 1 removed (0.1 km)" in "\n".join(changes.lines())


def test_without_raw_elements_the_networks_are_compared(tmp_path: Path) -> None:
    old = take(tmp_path, without(61), raw=False)
    changes = compare_snapshots(old, take(tmp_path, without(11)))
    assert not changes.by_raw
    assert changes.ways_added == (61,)
    assert changes.retagged == ()
    assert not changes.nothing
    assert compare_snapshots(old, take(tmp_path, without(61))).nothing


def test_tags_and_shapes_that_changed(tmp_path: Path) -> None:
    elements = toy_osm.elements()
    for element in elements:
        if element["type"] == "way" and element["id"] == 1:
            element["tags"] = {"highway": "footway", "surface": "mud"}
        if element["type"] == "way" and element["id"] == 52:
            element["nodes"] = element["nodes"][:2]
    changes = compare_snapshots(take(tmp_path), take(tmp_path, elements))
    assert [(c.key, c.old, c.new) for c in changes.retagged if c.way_id == 1] == [
        ("highway", "residential", "footway"),
        ("name", "Rue de l'Été, n°1 = 100 %", ""),
        ("oneway", "yes", ""),
        ("surface", "", "mud"),
    ]
    assert changes.ways_reshaped == (52,)
    lines = changes.lines(most=2)
    assert "  way 1: highway residential → footway" in lines
    assert "  … and 2 more" in lines


def test_services_and_districts_that_changed(tmp_path: Path) -> None:
    old = take(
        tmp_path,
        services=[point("a", 2.35, 48.85), point("b", 2.35, 48.85), point("c", 2.35, 48.85)],
        districts=[district("1", 1), district("2", 1)],
    )
    new = take(
        tmp_path,
        services=[point("b", 2.35, 48.851), point("c", 2.35, 48.85004), point("d", 2.3, 48.8)],
        districts=[district("2", 2), district("3", 1)],
    )
    changes = compare_snapshots(old, new)
    assert [c.service_id for c in changes.services_removed] == ["a"]
    assert [c.service_id for c in changes.services_added] == ["d"]
    assert [(c.service_id, c.moved_m) for c in changes.services_moved] == [("b", 111.2)]
    assert changes.districts_changed == ("1", "2", "3")
    text = "\n".join(changes.lines())
    assert "moved bagagerie b's by 111 m" in text
    assert "districts: 1, 2, 3" in text


# ---- candidates for services


def candidates(*places: Mapping[str, str], **own: Any) -> Candidates:
    elements = [
        {"type": "node", "id": k, "lon": 2.35, "lat": 48.85, "tags": dict(tags)}
        for k, tags in enumerate(places, start=1)
    ]
    catalogue = extend_catalogue(own) if own else default_catalogue()
    return read_candidates(elements, catalogue=catalogue, osm_date=DATE)


def test_what_is_asked_for_is_what_is_picked() -> None:
    tags = service_tags(default_catalogue())
    assert tags["amenity"] == [
        *("community_centre", "luggage_locker", "public_bath"),
        *("shower", "social_centre"),
    ]
    places = [
        {key: value} for key, values in tags.items() if isinstance(values, list) for value in values
    ]
    found = candidates(*places, {"amenity": "bank"})
    assert len(found.features) == len(places)
    assert set(found.left_out.values()) == {0}


def test_a_candidate_says_where_it_is_from() -> None:
    (feature,) = candidates(
        {
            "amenity": "public_bath",
            "name": "Bains <i>",
            "addr:housenumber": "8",
            "addr:street": "rue Été",
            "opening_hours": "Mo off",
        }
    ).features
    about = feature["properties"]
    assert (about["service_id"], about["osm_id"]) == ("osm-node-1", "node/1")
    assert about["osm_url"] == "https://www.openstreetmap.org/node/1"
    assert (about["category"], about["status"], about["source"]) == (
        *("bains_douches", "open"),
        "OpenStreetMap",
    )
    assert (about["address"], about["source_date"]) == ("8 rue Été", "2026-11-01")
    assert json.loads(about["osm_tags"])["opening_hours"] == "Mo off"


def about_candidate(**tags: str) -> Element:
    (feature,) = candidates({"amenity": "public_bath", **tags}).features
    about: Element = feature["properties"]
    return about


def test_a_candidate_has_every_column_of_a_table_of_services() -> None:
    assert set(SERVICE_COLUMNS) <= about_candidate().keys()
    assert [about_candidate()[key] for key in ("admits", "animals", "wheelchair", "access")] == [
        "unknown"
    ] * 4


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({"opening_hours": "Mo-Fr 09:00-12:00"}, {"opening_hours": "Mo-Fr 09:00-12:00"}),
        ({"opening_hours": "le matin"}, {"opening_hours": "", "opening_hours_text": "le matin"}),
        ({"wheelchair": "limited"}, {"wheelchair": "limited"}),
        ({"wheelchair": "designated"}, {"wheelchair": "yes"}),
        ({"access": "yes"}, {"access": "walk_in"}),
        ({"access": "customers"}, {"access": "unknown"}),
        ({"female": "yes", "male": "yes"}, {"admits": "everyone"}),
        ({"female": "yes"}, {"admits": "unknown"}),
        ({"female": "only"}, {"admits": "women"}),
        ({"male": "yes", "female": "no"}, {"admits": "men"}),
        ({"social_facility:for": "juvenile; family"}, {"admits": "families;young_people"}),
        ({"social_facility:for": "homeless"}, {"admits": "unknown", "audience": "homeless"}),
        ({"dog": "leashed"}, {"animals": "yes"}),
        ({"dog": "no"}, {"animals": "no"}),
        ({"capacity": "12"}, {"capacity": "12", "capacity_value": 12, "capacity_unit": "cabins"}),
        ({"capacity": "few"}, {"capacity": "few", "capacity_value": None, "capacity_unit": ""}),
    ],
)
def test_what_tags_say_of_whom_and_how_many(tags: dict[str, str], expected: Element) -> None:
    about = about_candidate(**tags)
    assert {key: about[key] for key in expected} == expected


@pytest.mark.parametrize(
    "tags",
    [
        {"amenity": "social_facility", "social_facility": "shelter"},
        {"social_facility": "shelter;outreach", "amenity": "social_centre"},
        {
            "amenity": "social_facility",
            "social_facility": "outreach",
            "female": "yes",
            "male": "no",
        },
        {"social_facility": "day_care", "social_facility:for": "family;woman"},
        {"social_facility": "food_bank", "social_facility:for": "abused"},
        {"amenity": "social_facility", "social_facility": "outreach", "name": "Le Refuge"},
        {"social_facility": "outreach", "description": "Stop Violences"},
        {"social_facility": "soup_kitchen", "name": "Centre d'hébergement"},
    ],
)
def test_shelters_and_refuges_are_counted_and_never_kept(tags: dict[str, str]) -> None:
    # A catalogue of one's own may ask for shelters: they are left out all the same.
    own = {"abri": {"fr": "Abri", "osm": ["social_facility=shelter"]}}
    found = candidates(tags, **own)
    assert found.features == []
    assert found.left_out["shelter_or_refuge"] == 1


def test_a_place_for_women_that_is_no_refuge_is_kept() -> None:
    found = candidates({"amenity": "public_bath", "female": "yes", "male": "no"})
    assert len(found.features) == 1


def test_candidates_that_are_areas_are_where_their_area_is() -> None:
    corners = [(0, 0), (4, 0), (4, 4), (3, 4), (3, 1), (1, 1), (1, 4), (0, 4)]
    ring = [*range(1, 9), 1]
    elements: list[Element] = [
        {"type": "node", "id": k, "lon": x, "lat": y} for k, (x, y) in enumerate(corners, start=1)
    ]
    tags = {"amenity": "social_centre"}
    elements += [
        {"type": "way", "id": 1, "nodes": ring, "tags": tags},
        {"type": "way", "id": 2, "nodes": ring},
        {"type": "way", "id": 3, "nodes": [99], "tags": tags},
        *(
            {"type": "relation", "id": k, "members": members, "tags": tags}
            for k, members in enumerate(
                [
                    [{"type": "way", "ref": 2, "role": "outer"}],
                    [{"type": "node", "ref": 2, "role": ""}],
                    [{"type": "relation", "ref": 1, "role": ""}],
                ],
                start=1,
            )
        ),
    ]
    found = read_candidates(elements, catalogue=default_catalogue(), osm_date="")
    places = {f["properties"]["osm_id"]: f["geometry"]["coordinates"] for f in found.features}
    horseshoe = shapely.Polygon(corners)
    assert horseshoe.contains(shapely.Point(places["way/1"]))
    assert horseshoe.contains(shapely.Point(places["relation/1"]))
    assert places["relation/2"] == [4, 0]
    assert found.left_out["no_place"] == 2


# ---- districts


def boundary(
    k: int, level: str, box: tuple[float, float, float, float], name: str = ""
) -> Boundary:
    return Boundary(
        relation_id=k, tags={"admin_level": level, "name": name}, geometry=shapely.box(*box)
    )


def test_the_largest_kind_that_divides_an_area_is_chosen() -> None:
    area = shapely.box(0, 0, 2, 1)
    communes = [boundary(1, "8", (0, 0, 1, 1)), boundary(2, "8", (1, 0, 2, 1))]
    quarters = [boundary(10 + k, "10", (k / 2, 0, (k + 1) / 2, 1)) for k in range(4)]
    outside = [boundary(3, "8", (2, 0, 3, 1)), boundary(4, "9", (-1, -1, 3, 3))]

    def chosen(area: shapely.Geometry, *found: Boundary) -> list[int]:
        return [b.relation_id for b in choose_districts(found, area)]

    assert chosen(area, *outside, *quarters, *communes) == [1, 2]
    assert chosen(shapely.box(0, 0, 1, 1), *communes, *quarters) == [10, 11]
    assert chosen(area, *outside, *quarters[:3]) == []
    assert chosen(area) == []


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("Lyon 3e Arrondissement", "3e"),
        ("Paris 1er Arrondissement", "1er"),
        ("Marseille 16e Arrondissement", "16e"),
        ("13e arrondissement", "13e"),
        ("Villeurbanne", "Villeurbanne"),
        ("", "R7"),
    ],
)
def test_labels_of_districts(name: str, label: str) -> None:
    assert boundary(7, "9", (0, 0, 1, 1), name).label == label


def test_outlines_have_holes_and_must_be_closed() -> None:
    def square(first: int, low: float, high: float) -> list[Element]:
        corners = [(low, low), (high, low), (high, high), (low, high)]
        return [
            {"type": "node", "id": first + k, "lon": x, "lat": y}
            for k, (x, y) in enumerate(corners)
        ]

    relation = {
        "type": "relation",
        "id": 5,
        "members": [
            *({"type": "way", "ref": ref, "role": "outer"} for ref in (1, 2)),
            {"type": "way", "ref": 3, "role": "inner"},
            {"type": "node", "ref": 1, "role": "admin_centre"},
        ],
    }
    elements = [
        *(*square(1, 0, 9), *square(11, 3, 6)),
        {"type": "way", "id": 1, "nodes": [1, 2, 3]},
        {"type": "way", "id": 2, "nodes": [1, 4, 3]},
        {"type": "way", "id": 3, "nodes": [11, 12, 13, 14, 11]},
    ]
    assert outlines(elements, [relation])[5].area == 81 - 9
    assert outlines([e for e in elements if e["id"] != 2], [relation]) == {}
    assert outlines([e for e in elements if e["id"] != 4], [relation]) == {}
    assert outlines(elements, []) == {}
