"""Seasons, dates and disuse of places of OpenStreetMap."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quart_heure.categories import default_catalogue
from quart_heure.sources.osm.lifecycle import Lifecycle, lifecycle_of
from quart_heure.sources.osm.services import read_candidates
from quart_heure.sources.services.rows import STATUSES

DAY = dt.date(2026, 6, 16)


@pytest.mark.parametrize(
    ("tags", "status"),
    [
        ({}, "open"),
        ({"disused": "yes"}, "closed"),
        ({"disused": "no"}, "open"),
        ({"abandoned": "yes"}, "closed"),
        ({"demolished": "yes"}, "closed"),
        ({"construction": "yes"}, "project"),
        # It was something else, and is a bath now.
        ({"disused:amenity": "restaurant"}, "open"),
        ({"was:amenity": "public_bath"}, "unknown"),
        ({"disused:amenity": "public_bath"}, "unknown"),
        ({"proposed:amenity": "public_bath"}, "unknown"),
        ({"operational_status": "operational"}, "open"),
        ({"operational_status": "Out of order"}, "temporarily_closed"),
        ({"operational_status": "closed"}, "temporarily_closed"),
        ({"operational_status": "decommissioned"}, "closed"),
        ({"operational_status": "under construction"}, "project"),
        ({"operational_status": "unknown"}, "unknown"),
        ({"operational_status": "needs_maintenance"}, "unknown"),
        ({"operational_status": "not closed"}, "unknown"),
        ({"seasonal": "yes"}, "seasonal"),
        ({"seasonal": "summer"}, "seasonal"),
        ({"seasonal": "no"}, "open"),
        ({"seasonal": "yes", "disused": "yes"}, "closed"),
        ({"seasonal": "yes", "operational_status": "broken"}, "temporarily_closed"),
    ],
)
def test_whether_a_place_is_in_use(tags: dict[str, str], status: str) -> None:
    assert lifecycle_of({"amenity": "public_bath", **tags}, DAY) == Lifecycle(status=status)


def test_a_facility_that_was_one() -> None:
    kitchen = {"social_facility": "soup_kitchen"}
    assert lifecycle_of({**kitchen, "disused:amenity": "social_facility"}, DAY).status == "closed"
    assert lifecycle_of({**kitchen, "planned:amenity": "social_facility"}, DAY).status == "project"
    assert lifecycle_of({**kitchen, "disused:amenity": "bar"}, DAY).status == "open"


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({"start_date": "1905"}, ("open", "1905-01-01", "")),
        ({"start_date": "C19"}, ("open", "1801-01-01", "")),
        ({"start_date": "1890s"}, ("open", "1890-01-01", "")),
        ({"start_date": "~1900"}, ("open", "1870-01-01", "")),
        ({"start_date": "before 1950"}, ("open", "1920-01-01", "")),
        ({"start_date": "1904..1906"}, ("open", "1904-01-01", "")),
        ({"start_date": "2026-06-16"}, ("open", "2026-06-16", "")),
        ({"start_date": "2026-09-01"}, ("open", "2026-09-01", "")),
        ({"opening_date": "2026-09-01"}, ("open", "2026-09-01", "")),
        # The year is not over: nobody knows whether it has begun.
        ({"start_date": "2026"}, ("unknown", "2026-01-01", "")),
        ({"start_date": "2026-06"}, ("unknown", "2026-06-01", "")),
        ({"start_date": "2026-05"}, ("open", "2026-05-01", "")),
        ({"start_date": "2027"}, ("unknown", "2027-01-01", "")),
        ({"start_date": "some day"}, ("unknown", "", "")),
        ({"start_date": "2026-13"}, ("unknown", "", "")),
        ({"start_date": "2026-02-30"}, ("unknown", "", "")),
        ({"start_date": "0000"}, ("unknown", "", "")),
        ({"end_date": "2020"}, ("open", "", "2020-12-31")),
        ({"end_date": "2026-06-15"}, ("open", "", "2026-06-15")),
        ({"end_date": "2026"}, ("unknown", "", "2026-12-31")),
        ({"end_date": "2030"}, ("open", "", "2030-12-31")),
        ({"end_date": "soon"}, ("unknown", "", "")),
        ({"start_date": "1905", "end_date": "2026-12-31"}, ("open", "1905-01-01", "2026-12-31")),
        ({"start_date": "2027", "disused": "yes"}, ("closed", "2027-01-01", "")),
    ],
)
def test_dates(tags: dict[str, str], expected: tuple[str, str, str]) -> None:
    found = lifecycle_of(tags, DAY)
    assert (found.status, found.valid_from, found.valid_to) == expected


@given(
    tags=st.dictionaries(
        st.sampled_from(
            [
                "seasonal",
                "start_date",
                "end_date",
                "disused",
                "disused:amenity",
                "operational_status",
            ]
        ),
        st.one_of(
            st.text(max_size=12),
            st.from_regex(r"(~|before )?[0-9]{4}(-[0-9]{2}){0,2}(\.\.[0-9]{4})?", fullmatch=True),
            st.sampled_from(["yes", "no", "C21", "C99", "9990s", "0000s", "social_facility"]),
        ),
    )
)
def test_any_tags_give_words_of_the_schema(tags: dict[str, str]) -> None:
    found = lifecycle_of(tags, DAY)
    assert found.status in STATUSES
    for day in (found.valid_from, found.valid_to):
        assert day == "" or re.fullmatch(r"\d{4}-\d\d-\d\d", day)
    # A place that counts without a doubt has no tag that was not understood.
    if found.status == "open":
        assert tags.get("disused", "").strip().lower() in {"", "no"}
        assert bool(found.valid_from) == bool(tags.get("start_date", "").strip())


def candidate(**tags: str) -> dict[str, Any]:
    node = {"type": "node", "id": 1, "lon": 2.35, "lat": 48.85}
    element = {**node, "tags": {"amenity": "public_bath", **tags}}
    found = read_candidates([element], catalogue=default_catalogue(), osm_date="2026-06-16T10:00Z")
    (feature,) = found.features
    properties: dict[str, Any] = feature["properties"]
    return properties


def test_candidates_say_so() -> None:
    found = candidate(seasonal="summer", start_date="2026-07-01", end_date="2026-08-31")
    assert (found["status"], found["valid_from"], found["valid_to"]) == (
        *("seasonal", "2026-07-01", "2026-08-31"),
    )
    # Where nobody knows the day of the data, a year may be to come.
    node = {"type": "node", "id": 1, "lon": 2.35, "lat": 48.85}
    element = {**node, "tags": {"amenity": "public_bath", "start_date": "2020"}}
    (feature,) = read_candidates([element], catalogue=default_catalogue(), osm_date="").features
    assert feature["properties"]["status"] == "unknown"


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("designated", "yes"),
        ("yes", "yes"),
        ("limited", "limited"),
        ("no", "no"),
        ("bad", "unknown"),
        ("", "unknown"),
    ],
)
def test_wheelchairs(said: str, expected: str) -> None:
    assert candidate(wheelchair=said)["wheelchair"] == expected
