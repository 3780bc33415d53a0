"""Coordinates in degrees, minutes and seconds, as people copy them from maps."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from helpers import toy_town
from quart_heure.categories import default_catalogue
from quart_heure.sources.services.coordinates import locate_pairs, locate_texts, to_degree
from quart_heure.sources.services.services import read_services

PARIS = shapely.box(2.2, 48.8, 2.5, 48.95)
LAT, LON = 48 + 51 / 60 + 30.6 / 3600, 2 + 21 / 60 + 3 / 3600


@pytest.mark.parametrize(
    "text",
    [
        "48°51'30.6\"N 2°21'3\"E",
        "48°51'30,6\"N, 2°21'03,0\"E",
        "48° 51′ 30.6″ N ; 2° 21′ 3″ E",
        "N 48° 51' 30.6'' / E 2° 21' 3''",
        "2°21'3\"E 48°51'30.6\"N",
        "48°51.51'N 2°21.05'E",
        "48.8585° N, 2.350833333333° E",
        "48,8585°N 2,350833333333°E",
        "48°51'30.6\" 2°21'3\"",
        "48º51’30.6”N 2º21’3”E",
    ],
)
def test_places_in_degrees_minutes_and_seconds(text: str) -> None:
    [found] = locate_texts([text], PARIS).degrees
    assert found == pytest.approx((LON, LAT), abs=1e-9)


@pytest.mark.parametrize(
    ("text", "degree"),
    [
        ("48°51'30.6\"", LAT),
        ("48° 51' 30.6'' N", LAT),
        ("2°21'03\"O", -LON),  # ouest
        ("2°21'03\"W", -LON),
        ("S 20°30'", -20.5),
        ("-2°30'", -2.5),
        ("48.8585", 48.8585),
        ("48,8585", 48.8585),
        ("48°", 48.0),
    ],
)
def test_an_angle(text: str, degree: float) -> None:
    assert to_degree(text) == pytest.approx(degree, abs=1e-12)


@pytest.mark.parametrize(
    "text",
    ["48°61'30\"N", "48°51'75\"N", "48.5°30'N", "48 51 30", "N 48°51'N", "Nord", "", "12 rue N"],
)
def test_what_is_no_angle_is_no_number(text: str) -> None:
    assert math.isnan(to_degree(text))


def test_two_latitudes_are_no_place() -> None:
    assert np.isnan(locate_texts(["48°51'30\"N 48°51'30\"N"], PARIS).degrees).all()


def test_columns_of_angles() -> None:
    found = locate_pairs(["2°21'03\"E", "2.35"], ["48°51'30.6\"N", "48.86"]).degrees
    assert found == pytest.approx(np.array([[LON, LAT], [2.35, 48.86]]))


@given(
    lat=st.integers(-90 * 3600 + 1, 90 * 3600 - 1), lon=st.integers(-180 * 3600 + 1, 180 * 3600 - 1)
)
def test_what_is_written_is_read(lat: int, lon: int) -> None:
    def written(seconds: int, letters: str) -> str:
        whole = abs(seconds)
        degree, minute, second = whole // 3600, whole % 3600 // 60, whole % 60
        return f"{degree}°{minute:02d}'{second:02d}\"{letters[seconds < 0]}"

    [found] = locate_texts([f"{written(lat, 'NS')} {written(lon, 'EO')}"], PARIS).degrees
    assert found == pytest.approx((lon / 3600, lat / 3600), abs=1e-9)


def test_places_that_a_geocoder_guessed_are_told(tmp_path: Path) -> None:
    rows = [
        ("A", "0.31", "municipality"),
        ("B", "0.97", "municipality"),
        ("C", "0,42", "street"),
        ("D", "0.97", "housenumber"),
        ("E", "", ""),
    ]
    lines = [
        f"{name};bagagerie;48.86;{2.35 + at / 100};{score};{kind}"
        for at, (name, score, kind) in enumerate(rows)
    ]
    path = tmp_path / "s.csv"
    heading = "nom;category;latitude;longitude;result_score;result_type"
    path.write_text("\n".join([heading, *lines]).replace("0,42", "0.42"), encoding="utf-8")
    services = read_services([path], toy_town.town_area(), catalogue=default_catalogue())
    assert len(services.table) == len(rows)
    told = services.problems[["value", "reason", "action"]]
    assert list(told.itertuples(index=False, name=None)) == [
        ("A", "geocoded as a municipality", "kept, to be checked"),
        ("B", "geocoded as a municipality", "kept, to be checked"),
        ("C", "geocoded with a score of 0.42", "kept, to be checked"),
    ]
