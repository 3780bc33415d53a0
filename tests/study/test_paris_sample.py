"""The packaged Paris: whole, described truly, and made from its sources by the stated rules."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pyarrow.parquet as pq
import pyproj
import pytest
import shapely

from helpers.paris_figures import STATED_HOURS
from helpers.project import EXTRACTS, ROOT
from quart_heure.categories import default_catalogue
from quart_heure.errors import InputFileError
from quart_heure.files import sha256_of
from quart_heure.network.components import label_components
from quart_heure.network.graph import Flags, WalkNetwork
from quart_heure.sources import sample
from quart_heure.sources.hours.syntax import is_osm_hours
from quart_heure.sources.sample import paris_dir

PARIS = paris_dir()

needs_extracts = pytest.mark.skipif(
    not (EXTRACTS / "services").is_dir() or not (ROOT / "scripts" / "paris_areas.py").exists(),
    reason="the source extracts are not beside the project",
)


@pytest.fixture(scope="module")
def manifest() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((PARIS / "manifest.json").read_text(encoding="utf-8"))
    return loaded


@pytest.fixture(scope="module")
def network() -> WalkNetwork:
    return WalkNetwork.read(PARIS / "network.parquet")


@pytest.fixture(scope="module")
def districts() -> gpd.GeoDataFrame:
    return gpd.read_file(PARIS / "districts.geojson").to_crs(2154)


@pytest.fixture(scope="module")
def services() -> list[dict[str, str]]:
    with (PARIS / "services.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


# --- files ---------------------------------------------------------------------------------------


def test_every_file_is_the_one_the_manifest_names(manifest: dict[str, Any]) -> None:
    described = set(manifest["files"]) | {"README.md", "manifest.json"}
    assert {file.name for file in PARIS.iterdir()} == described
    for name, about in manifest["files"].items():
        assert sha256_of(PARIS / name) == about["sha256"], name
        assert (PARIS / name).stat().st_size == about["bytes"], name
        assert about["source"] and about["licence"] and about["attribution"], name


def test_the_sample_stays_small() -> None:
    sizes = {file.name: file.stat().st_size for file in PARIS.iterdir()}
    assert sum(sizes.values()) < 9_000_000
    assert sizes["network.parquet"] < 7_000_000


def test_the_readme_says_what_the_manifest_says(manifest: dict[str, Any]) -> None:
    text = (PARIS / "README.md").read_text(encoding="utf-8")
    counts = manifest["counts"]
    for key in ("nodes", "edges", "network_km", "components", "services", "residents"):
        assert f"{counts[key]:,}" in text, key
    for reason, what in manifest["dropped"].items():
        assert f"| `{reason}` | {what['lines']:,} | {what['length_km']:,} |" in text
    assert "{" not in text  # no place of the template was left empty
    assert "ODbL" in text and "OpenStreetMap contributors" in text


def test_a_missing_sample_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    paris_dir.cache_clear()
    monkeypatch.setattr(sample, "_PACKAGE", tmp_path / "src" / "coverage" / "quart_heure")
    with pytest.raises(InputFileError, match="packaged sample of Paris is missing"):
        paris_dir()
    (tmp_path / "data" / "paris").mkdir(parents=True)
    (tmp_path / "data" / "paris" / "manifest.json").write_text("{}", encoding="utf-8")
    assert paris_dir() == tmp_path / "data" / "paris"
    paris_dir.cache_clear()


# --- districts -----------------------------------------------------------------------------------


def test_districts_and_quarters_cover_paris_once(districts: gpd.GeoDataFrame) -> None:
    quarters = gpd.read_file(PARIS / "quarters.geojson").to_crs(2154)
    assert list(districts["district_id"]) == [str(75100 + n) for n in range(1, 21)]
    assert list(districts["label"])[:3] == ["1er", "2e", "3e"]
    assert len(quarters) == 80
    assert quarters["quarter_id"].is_unique
    assert (quarters.groupby("district_id").size() == 4).all()
    for layer in (districts, quarters):
        assert layer.is_valid.all()
        assert layer.area.sum() / 1e6 == pytest.approx(105.37, abs=0.02)
        whole = shapely.union_all(layer.geometry.to_numpy())
        assert whole.area == pytest.approx(layer.area.sum(), rel=1e-5)


# --- services ------------------------------------------------------------------------------------


def test_every_service_is_a_row_with_a_source(
    services: list[dict[str, str]], manifest: dict[str, Any]
) -> None:
    assert len(services) == manifest["counts"]["services"]
    assert len({row["service_id"] for row in services}) == len(services)
    assert {row["category"] for row in services} == set(default_catalogue())
    assert sum(row["latitude"] != "" for row in services) == manifest["counts"]["services_placed"]
    for row in services:
        assert row["service_id"].startswith(f"{row['category']}-{row['postcode']}")
        assert row["source"] and row["source_date"]
        assert bool(row["latitude"]) == bool(row["longitude"]) == bool(row["coord_source"])
        assert row["discreet"] in {"true", "false"}
        if row["latitude"]:
            assert 48.80 < float(row["latitude"]) < 48.91
            assert 2.22 < float(row["longitude"]) < 2.42
    assert {row["service_id"] for row in services} >= {
        "bains_douches-75013-butte-aux-cailles",
        "esi-75010-bichat",
        "halte_femmes-75013-cite-des-dames",
    }


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("Bains-douches Butte-aux-Cailles", "open"),
        ("Bains-douches Charenton", "unknown"),  # its period of validity has ended
        ("Bains-douches Rouvet", "temporarily_closed"),
        ("Bains-douches Bidassoa", "temporarily_closed"),
        ("Pause Canal (projet)", "project"),
        ("Bagagerie solidaire 14", "project"),  # announced, not confirmed
        ("Halte familles de la mairie du 10e", "closed"),
        ("Cité des Dames", "open"),
        ("Soupe de la Trinité", "seasonal"),
        ("La Mie de Pain, repas", "seasonal"),
        ("Halte humanitaire", "unknown"),  # present status not verified
        ("Agora", "unknown"),  # a list of 2014-2015
    ],
)
def test_status_follows_the_notes(services: list[dict[str, str]], name: str, status: str) -> None:
    (row,) = (row for row in services if row["name"] == name)
    assert row["status"] == status


def test_shelters_that_the_city_publishes_are_shown_and_by_referral(
    services: list[dict[str, str]],
) -> None:
    # Their name and address stand on pages of the City: discretion is for what nobody publishes.
    assert {row["discreet"] for row in services} == {"false"}
    by_referral = {
        row["service_id"]
        for row in services
        if row["category"] == "halte_femmes" and row["access"] == "referral"
    }
    assert by_referral == {
        "halte_femmes-75004-hotel-de-ville",
        "halte_femmes-75005-mairie-du-5e",
        "halte_femmes-75018-mairie-du-18e",
        "halte_femmes-75009-halte-drouot",
        "halte_femmes-75020-mairie-du-20e",
    }


def test_opening_hours_are_valid_or_blank(services: list[dict[str, str]]) -> None:
    stated = [row for row in services if row["opening_hours"]]
    assert len(stated) == STATED_HOURS
    for row in stated:
        assert is_osm_hours(row["opening_hours"]), row["service_id"]
        assert row["opening_hours_text"]
    by_name = {row["name"]: row for row in services}
    # A second rule would replace the first on the same days.
    assert by_name["Restaurant solidaire Pali-Kao"]["opening_hours"] == (
        "Mo-Fr 12:00-13:30,17:15-19:15; Sa 17:15-19:15"
    )
    assert by_name["Bains-douches Lacépède"]["opening_hours"].endswith(
        "Jan 1,May 1,Jul 14,Aug 15,Dec 25 off"
    )
    for unsure in ("Restaurant solidaire Chanzy", "Repas Denfert", "Les Amarres"):
        assert by_name[unsure]["opening_hours"] == ""
        assert by_name[unsure]["opening_hours_text"]


@pytest.mark.parametrize(
    ("service_id", "status", "hours", "source", "source_date", "older"),
    [
        (
            "bains_douches-75019-petitot",
            "unknown",
            "ma-sa 12:00-18:00",
            "https://unidivers.fr/",
            "2025-12-31",
            "opendata.paris.fr data set",
        ),
        (
            "accueil_de_jour-75013-les-amarres",
            "unknown",
            "lu-ve 09:00-16:00 (ma jusqu'à 15:30)",
            "https://www.timeout.fr/",
            "2021-12;",
            "https://desoriental.fr/",
        ),
        (
            "halte_femmes-75005-mairie-du-5e",
            "open",
            "lu-di 18:00-09:00",
            "https://paris.fr/pages/quelles-avancees",
            "2025-01-20",
            "https://www.paris.fr/pages/une-halte-de-nuit",
        ),
        (
            "halte_femmes-75020-mairie-du-20e",
            "unknown",
            "la nuit (heures non indiquées)",
            "https://paris.fr/pages/quelles-avancees",
            "2025-01-20",
            "",
        ),
        (
            "halte_femmes-75011-l-oasis",
            "open",
            "",
            "https://paris.fr/pages/quelles-avancees",
            "2025-01-20",
            "https://www.cnews.fr/",
        ),
        (
            "esi-75001-agora",
            "unknown",
            "",
            "list of CPAM sessions",
            "2026-10-02",
            "Entourage POI list",
        ),
    ],
)
def test_fresher_facts_stand_over_older_ones(
    services: list[dict[str, str]],
    service_id: str,
    status: str,
    hours: str,
    source: str,
    source_date: str,
    older: str,
) -> None:
    (row,) = (row for row in services if row["service_id"] == service_id)
    assert row["status"] == status
    assert row["opening_hours_text"].startswith(hours)
    assert bool(row["opening_hours_text"]) == bool(hours)
    assert row["source"].startswith(source)
    assert row["source_date"].startswith(source_date)
    assert row["other_sources"].startswith(older)
    assert bool(row["other_sources"]) == bool(older)


def test_what_is_not_known_to_be_open_is_not_called_so(services: list[dict[str, str]]) -> None:
    by_name = {row["name"]: row for row in services}
    doubtful = (
        *("ESI Saint-Fargeau", "ESI Championnet", "Bains-douches Petitot", "Agora"),
        *("Halte Drouot", "Halte femmes de la mairie du 20e", "La Maison dans la rue"),
        *("Cantine de l'Hôtel de Ville (hiver)", "Académie du Climat, petits-déjeuners (hiver)"),
    )
    for name in doubtful:
        assert by_name[name]["status"] != "open", name
    for name, last_day in (
        ("Bains-douches Petitot", "2025-11-30"),
        ("Bains-douches Charenton", "2025-02-01"),
        ("Bains-douches Rouvet", "2025-09-30"),
        ("Bains-douches Ney", ""),  # its period runs to 2032
    ):
        assert by_name[name]["valid_to"] == last_day, name


def test_a_place_that_moved_takes_nothing_of_its_old_site(services: list[dict[str, str]]) -> None:
    (row,) = (row for row in services if "Oasis" in row["name"])
    left = ("longitude", "latitude", "coord_source", "address", "opening_hours", "capacity")
    assert {row[column] for column in left} == {""}
    assert "Charenton" not in row["notes"]


def test_the_readme_counts_what_the_file_holds(services: list[dict[str, str]]) -> None:
    text = (PARIS / "README.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1:-1] for line in text.splitlines() if line.startswith("| `halte_")]
    mine = [row for row in services if row["category"] == "halte_femmes"]
    assert [int(cell) for cell in rows[0][1:3]] == [
        len(mine),
        sum(row["latitude"] != "" for row in mine),
    ]
    # By status and by source, each row once.
    for row in rows[1:]:
        assert sum(int(cell) for cell in row[1:]) == len(mine)
    assert len(rows) == 3


# --- network -------------------------------------------------------------------------------------


def test_the_network_is_what_was_counted(
    network: WalkNetwork, manifest: dict[str, Any], districts: gpd.GeoDataFrame
) -> None:
    counts = manifest["counts"]
    assert (network.n_nodes, network.n_edges) == (counts["nodes"], counts["edges"])
    assert network.meta["counts"]["edges"] == network.n_edges
    assert network.meta["osm_date"] == manifest["osm_date"] == "2021-08-06"
    assert network.meta["attribution"] == "© OpenStreetMap contributors"
    assert network.length_m.sum() / 1000 == pytest.approx(counts["network_km"], abs=0.1)
    assert network.forward.all() and network.backward.all()
    # Nodes by x then y; edges from the lower to the higher node, in order.
    assert (np.diff(network.node_xy[:, 0]) >= 0).all()
    assert (network.u <= network.v).all()
    order = np.lexsort((network.length_m, network.v, network.u))
    assert (np.diff(network.u[order]) >= 0).all()
    assert (network.u[order] == network.u).all() and (network.v[order] == network.v).all()


def test_lengths_are_those_of_the_shapes(network: WalkNetwork) -> None:
    assert (network.length_m > 0).all()
    assert np.abs(shapely.length(network.lines) - network.length_m).max() < 0.5
    assert (network.xy * 8 == np.rint(network.xy * 8)).all()


def test_no_bend_is_left(network: WalkNetwork) -> None:
    degree = np.bincount(np.concatenate([network.u, network.v]), minlength=network.n_nodes)
    assert degree.min() >= 1
    same = {key: getattr(network, key) for key in ("kind_code", "name_code", "steps", "flags")}
    same |= {"bridge": network.bridge, "tunnel": network.tunnel}
    ends = np.concatenate([network.u, network.v])
    edge = np.tile(np.arange(network.n_edges), 2)
    order = np.argsort(ends, kind="stable")
    first = np.searchsorted(ends[order], np.flatnonzero(degree == 2))
    one, other = edge[order[first]], edge[order[first + 1]]
    loop = one == other
    agree = np.logical_and.reduce([values[one] == values[other] for values in same.values()])
    assert not (agree & ~loop).any()


def test_nearly_all_streets_hang_together(network: WalkNetwork) -> None:
    parts = label_components(network, np.ones(network.n_edges, dtype=bool))
    largest = int(parts.size.argmax())
    inside = parts.label[network.u] == largest
    assert network.length_m[inside].sum() / network.length_m.sum() > 0.975
    # All other parts are courtyards and stations: none is a useful component by itself.
    assert np.sort(parts.size)[-2] < 0.01 * network.n_nodes


def test_streets_reach_two_kilometres_beyond_paris_and_fill_every_district(
    network: WalkNetwork, manifest: dict[str, Any], districts: gpd.GeoDataFrame
) -> None:
    west, south, east, north = districts.total_bounds
    reach = [*(network.xy.min(axis=0) - [west, south]), *([east, north] - network.xy.max(axis=0))]
    # A straight piece may end beyond; no tile lies 2 km north and south of the outermost places.
    assert all(-2400 < metres < -1700 for metres in reach)
    by_district = manifest["counts"]["by_district"]
    assert len(by_district) == 20
    # 3,838 km with every class of line; 35 km in the 2nd, 525 km in the 12th.
    assert sum(row["network_km"] for row in by_district.values()) == pytest.approx(3560, abs=30)
    assert by_district["75102"]["network_km"] == pytest.approx(34, abs=2)
    assert by_district["75112"]["network_km"] == pytest.approx(500, abs=10)


def test_what_the_city_is_known_for_is_there(network: WalkNetwork) -> None:
    assert {"Rue de Rivoli", "Boulevard Saint-Germain", "Avenue d'Italie"} <= set(network.names)
    assert {"footway", "steps", "pedestrian", "residential", "square"} <= set(network.kinds)
    assert not {"trunk", "motorway", "platform", "pier"} & set(network.kinds)
    assert "Boulevard Périphérique Intérieur" not in network.names
    stairs_km = network.length_m[network.steps].sum() / 1000
    assert 40 < stairs_km < 80
    walk = (network.flags & Flags.SQUARE_WALK) > 0
    assert (walk == (network.kind_code == network.kinds.index("square"))).all()
    assert 2000 < np.count_nonzero(walk) < 4000


# --- residents and background --------------------------------------------------------------------


def test_each_district_keeps_its_residents(
    manifest: dict[str, Any], districts: gpd.GeoDataFrame
) -> None:
    table = pq.read_table(PARIS / "residents.parquet")
    meta = json.loads(table.schema.metadata[b"quart_heure"])
    assert (meta["crs"], meta["square_m"]) == ("EPSG:2154", 25.0)
    col, row = table["col"].to_numpy(), table["row"].to_numpy()
    people = table["residents"].to_numpy().astype(np.float64)
    assert len(np.unique(np.stack([col, row]), axis=1).T) == len(col)
    assert (people > 0).all()
    centres = shapely.points(col * 25 + 12.5, row * 25 + 12.5)
    tree = shapely.STRtree(centres)
    for district_id, shape in zip(districts["district_id"], districts.geometry, strict=True):
        inside = tree.query(shape, predicate="intersects")
        stated = manifest["counts"]["by_district"][district_id]["residents"]
        assert people[inside].sum() == pytest.approx(stated, abs=0.5), district_id
    assert people.sum() == pytest.approx(1_958_441, abs=1)
    # Dense blocks of towers hold a few hundred people in 25 m, not thousands.
    assert people.max() < 600


def test_the_background_is_light_and_sound(districts: gpd.GeoDataFrame) -> None:
    background = gpd.read_parquet(PARIS / "background.parquet")
    assert background.crs.to_epsg() == 2154
    places = background[background.geometry.geom_type == "Point"]
    areas = background.drop(index=places.index)
    assert set(areas["kind"]) == {"park", "rail", "water"}
    assert {"station", "hospital", "town_hall", "quarter"} <= set(places["kind"])
    assert {"Gare du Nord", "Tour Eiffel", "Butte aux Cailles"} <= set(places["name"])
    assert (places["name"] != "").all()
    assert background.is_valid.all()
    assert {"La Seine", "Bois de Boulogne", "Bois de Vincennes"} <= set(background["name"])
    around = shapely.buffer(shapely.union_all(districts.geometry.to_numpy()), 1510)
    assert shapely.covers(around, background.geometry.to_numpy()).all()
    assert shapely.get_num_coordinates(background.geometry.to_numpy()).sum() < 15_000


# --- from the sources ----------------------------------------------------------------------------


@needs_extracts
@pytest.mark.extracts
def test_areas_and_services_are_written_again_byte_by_byte(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    import paris_addresses  # noqa: PLC0415 - scripts are no package
    import paris_areas  # noqa: PLC0415
    import paris_services  # noqa: PLC0415

    admin = EXTRACTS / "paris-admin"
    districts = paris_areas.build_districts(admin / "arrondissements.geojson")
    quarters = paris_areas.build_quarters(admin / "quartier_paris.geojson", districts)
    paris_areas.write_geojson(districts, tmp_path / "districts.geojson")
    paris_areas.write_geojson(quarters, tmp_path / "quarters.geojson")
    houses = paris_addresses.HouseNumbers.read(EXTRACTS / "osm-tiles-paris", districts)
    rows = paris_services.build_services(
        EXTRACTS / "services" / "services_facts.csv",
        EXTRACTS / "services" / "services_updates_2026.csv",
        find=houses.find,
    )
    paris_services.write_services(rows, tmp_path / "services.csv")
    for file in tmp_path.iterdir():
        assert file.read_bytes() == (PARIS / file.name).read_bytes(), file.name
    # House numbers find the places that the city's own data give for the same addresses.
    to_metres = pyproj.Transformer.from_crs(4326, 2154, always_xy=True)
    far_m = []
    for row in rows:
        if row["category"] == "bains_douches":
            found = houses.find(row["address"], row["postcode"])
            if found is not None:
                x, y = to_metres.transform(
                    [float(found[0]), float(row["longitude"])],
                    [float(found[1]), float(row["latitude"])],
                )
                far_m.append(np.hypot(x[1] - x[0], y[1] - y[0]))
    assert len(far_m) >= 12
    assert max(far_m) < 20
    # A number of another street, of nobody, of another arrondissement: nothing is guessed.
    for address, postcode in (
        ("rue de Sèvres", "75006"),
        ("9999, rue de Charenton", "75012"),
        ("188, rue de Charenton", "75011"),
        ("188-190, rue de Charenton", "75012"),
    ):
        assert houses.find(address, postcode) is None, address
    for module in ("paris_addresses", "paris_areas", "paris_services", "paris_french"):
        sys.modules.pop(module, None)
    sys.modules.pop("paris_updates", None)


@needs_extracts
@pytest.mark.extracts
def test_the_manifest_names_the_sources_that_are_there(manifest: dict[str, Any]) -> None:
    for source in manifest["sources"]:
        path = EXTRACTS / source["input"]
        assert path.exists()
        if path.is_file():
            assert sha256_of(path) == source["sha256"]
