"""The real files of the city and of associations, read as anybody would read them."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np
import pytest
import shapely

from helpers.project import EXTRACTS
from quart_heure.categories import default_catalogue, extend_catalogue
from quart_heure.sources.areas.areas import StudyArea, read_area
from quart_heure.sources.sample import paris_dir
from quart_heure.sources.services.services import Services, read_services
from quart_heure.sources.services.settings import ServiceSource

PORTAL = EXTRACTS / "paris-services-opendata"

pytestmark = [
    pytest.mark.extracts,
    pytest.mark.skipif(
        not PORTAL.is_dir(), reason="the source extracts are not beside the project"
    ),
]

CATALOGUE = extend_catalogue({"fontaine": {"fr": "Fontaines"}, "toilettes": {"fr": "Toilettes"}})


@pytest.fixture(scope="module")
def paris() -> StudyArea:
    return read_area(paris_dir() / "districts.geojson", name="Paris")


def read(source: ServiceSource, area: StudyArea, rows: int) -> Services:
    """Read a file and check that it gives so many rows, left out or united ones counted."""
    services = read_services([source], area, catalogue=CATALOGUE)
    left_out = services.problems["action"].isin(["left out", "united with it"]).sum()
    assert len(services.table) + left_out == rows
    return services


def inside(services: Services, area: StudyArea) -> int:
    return int(np.count_nonzero(shapely.intersects(area.geometry, services.table.geometry)))


def test_the_public_baths_among_cool_places(paris: StudyArea) -> None:
    file = PORTAL / "ilots-de-fraicheur-equipements-activites.json"
    services = read(ServiceSource(file=file), paris, 548)
    table = services.table
    assert set(table["category"]) == {"bains_douches"}
    assert sorted(table["service_id"]) == sorted(f"BD{i}" for i in range(1, 18))
    assert inside(services, paris) == 17
    by_postcode = Counter(table["postcode"])
    assert by_postcode == {
        **{"75004": 2, "75005": 1, "75008": 1, "75011": 1, "75012": 2},
        **{"75013": 1, "75015": 1, "75018": 2, "75019": 3, "75020": 3},
    }
    # All seven days of these two are "-".
    shut = table.loc[table["status"] == "temporarily_closed", "name"]
    assert sorted(shut) == ["Bain-douche Bidassoa", "Bain-douche Rouvet"]
    assert table["opening_hours_text"].str.contains("lundi").all()
    hours = table.set_index("name")["opening_hours"]
    assert (hours != "").all()
    for name, week in {
        "Bain-douche Saint-Merri": ("Mo-We,Fr-Sa 07:30-13:00", "Su 08:00-12:30", "Th off"),
        "Bain-douche des Deux-Ponts": ("Tu-Sa 12:00-18:00", "Mo,Su off"),
        "Bain-douche Audubon": ("Mo-Fr 12:00-18:00", "Sa-Su off"),
        "Bain-douche Butte-aux-Cailles": ("Tu,Th-Sa 07:30-13:00", "Su 08:30-12:30", "Mo,We off"),
        "Bain-douche Rouvet": ("Mo-Su off",),
    }.items():
        rules = [re.sub(r"^\d{4}.* \d{2} ", "", r) for r in hours[name].split("; ")]
        assert [rule for rule in rules if "unknown" not in rule] == list(week)


def test_fountains(paris: StudyArea) -> None:
    source = ServiceSource(file=PORTAL / "fontaines-a-boire.json", category="fontaine")
    services = read(source, paris, 1322)
    assert len(services.table) == 1322
    assert Counter(services.table["status"]) == {"open": 1262, "temporarily_closed": 60}
    assert len(services.table) - inside(services, paris) == 158
    assert set(services.problems["action"]) == {"kept, to be checked"}


def test_toilets_of_the_older_interface(paris: StudyArea) -> None:
    source = ServiceSource(file=PORTAL / "sanisettesparis.json", category="toilettes")
    services = read(source, paris, 615)
    assert len(services.table) == inside(services, paris) == 615
    assert Counter(services.table["wheelchair"]) == {"yes": 508, "no": 106, "unknown": 1}
    assert (services.table["opening_hours_text"] != "").sum() == 604


def test_restaurants(paris: StudyArea) -> None:
    services = read(ServiceSource(file=PORTAL / "restaurants-casvp.csv"), paris, 42)
    # Type S is "solidaire", type E is for the old and no category of ours.
    assert set(services.table["category"]) == {"restaurant_solidaire"}
    assert sorted(services.table["postcode"]) == [
        *("75005", "75008", "75010", "75011", "75012", "75014", "75017")
    ]
    assert inside(services, paris) == 7
    whole = ServiceSource(file=PORTAL / "restaurants-casvp.csv", category="restaurant_solidaire")
    assert len(read(whole, paris, 42).table) == 42


def test_a_list_of_an_association(paris: StudyArea) -> None:
    source = ServiceSource(
        file=EXTRACTS / "paris-services-entourage" / "entourage_pois_paris.csv",
        rules={
            "bains_douches": r"bains?[- ]douches?",
            "esi": ["ESI", "espace solidarité insertion"],
            "bagagerie": "bagagerie",
        },
    )
    services = read(source, paris, 424)
    found = Counter(services.table["category"])
    assert (found["bains_douches"], found["esi"]) == (14, 15)
    assert found["bagagerie"] == 1
    assert "women;no_children" in set(services.table["admits"])


def test_the_table_of_facts(paris: StudyArea) -> None:
    source = ServiceSource(file=EXTRACTS / "services" / "services_facts.csv")
    services = read(source, paris, 121)
    assert len(services.table) == 106
    assert set(services.table["category"]) == set(default_catalogue())
    lockers = services.table["capacity_unit"] == "lockers"
    assert services.table.loc[lockers, "capacity_value"].between(16, 62).all()


def test_all_of_them_in_one_study(paris: StudyArea) -> None:
    sources = [
        ServiceSource(file=PORTAL / "ilots-de-fraicheur-equipements-activites.json"),
        ServiceSource(file=PORTAL / "fontaines-a-boire.json", category="fontaine"),
        ServiceSource(file=PORTAL / "restaurants-casvp.csv"),
        ServiceSource(file=EXTRACTS / "services" / "services_facts.csv"),
    ]
    services = read_services(sources, paris, catalogue=CATALOGUE)
    left_out = services.problems[services.problems["action"] == "left out"]
    assert len(services.table) + len(left_out) == 548 + 1322 + 42 + 121
    # The city's public baths and those of the facts are the same: by place and by name.
    same = left_out[left_out["field"] == "duplicate"]
    assert (same["reason"].str.contains("ilots-de-fraicheur")).sum() >= 13
    assert services.table["service_id"].is_unique
