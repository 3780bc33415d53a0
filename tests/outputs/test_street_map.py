"""Streets and places of the ground: packed, and unpacked here step by step."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import pytest
import shapely

from helpers import toy_town
from helpers.packed_walks import inflated, numbers
from helpers.toy_osm import osm_xml
from quart_heure.outputs.discretion import telling_of
from quart_heure.outputs.map.data import FoundPlaces, PackedPoints
from quart_heure.outputs.map.found_places import found_places, postcode_of
from quart_heure.outputs.map.ground import ground, streets
from quart_heure.outputs.map.street_map import Parts, Stretches, packed_names
from quart_heure.outputs.shapes import UNITS_PER_DEGREE, Pen
from quart_heure.study import Coverage, Study


@pytest.fixture(scope="module")
def pen(toy_study: Study) -> Pen:
    return Pen(toy_study.area.crs)


def places(packed: PackedPoints) -> list[tuple[int, int]]:
    x, y = np.cumsum(numbers(packed.x)), np.cumsum(numbers(packed.y))
    return list(zip(x.tolist(), y.tolist(), strict=True))


def points(names: dict[str, str], *, dx: float = 300) -> gpd.GeoDataFrame:
    x, y = toy_town.ORIGIN
    return gpd.GeoDataFrame(
        {"kind": list(names.values()), "name": list(names)},
        geometry=[shapely.Point(x + dx, y + 300)] * len(names),
        crs=toy_town.CRS,
    )


def names_of(found: FoundPlaces | None) -> list[str]:
    return [] if found is None else inflated(found.names).decode().split("\n")


def test_lines_come_back_as_they_were(toy_coverage: Coverage, pen: Pen) -> None:
    area = toy_coverage.study.area.geometry
    lines, names, labels = streets(
        toy_coverage.study.network, area=area, around=area.buffer(800), pen=pen
    )
    packed = ground(toy_coverage, None, pen).streets
    for steps, one in zip(lines, packed.classes, strict=True):
        sizes = numbers(one.sizes)
        dx, dy = numbers(one.steps.x), numbers(one.steps.y)
        found, at, x, y = [], 0, 0, 0
        for size in sizes:
            line = [value for n in range(at, at + size) for value in (dx[n], dy[n])]
            x, y = x + line[0], y + line[1]
            found.append([x, y, *line[2:]])
            at += size
        assert found == steps
    assert inflated(packed.names).decode().split("\n")[: len(names)] == names
    assert places(packed.labels.at) == list(zip(labels.x, labels.y, strict=True))
    assert np.cumsum(numbers(packed.labels.name)).tolist() == labels.name
    assert np.cumsum(numbers(packed.labels.room_m)).tolist() == labels.room_m


def test_a_street_has_a_place_in_each_part_that_it_runs_through(toy_study: Study, pen: Pen) -> None:
    network, parts = toy_study.network, Parts(toy_study.area)
    found = Stretches.of(network, parts, ["avenue du Pont"], pen)
    assert found.names[0] == "avenue du Pont"
    assert set(found.names) <= set(network.names) - {""}
    told = {(found.names[n], p) for n, p in zip(found.name, found.part, strict=True)}
    assert len(told) == len(found.name)
    # Slowly: the middle vertex of every edge, district by district.
    expected = set()
    for edge, code in enumerate(network.name_code.tolist()):
        first, last = network.offsets[edge], network.offsets[edge + 1]
        middle = shapely.Point(network.xy[(first + last) // 2])
        for n, shape in enumerate(toy_study.area.districts.geometry):
            if network.names[code] and shape.intersects(middle):
                expected.add((network.names[code], n + 1))
                break
    assert told == expected
    shape_of = toy_study.area.districts.to_crs(4326).geometry.tolist()
    for (x, y), part in zip(found.at.tolist(), found.part.tolist(), strict=True):
        at = shapely.Point(x / UNITS_PER_DEGREE, y / UNITS_PER_DEGREE)
        assert shape_of[part - 1].distance(at) < 1e-4


def test_places_are_those_of_the_area_that_have_a_name(toy_study: Study, pen: Pen) -> None:
    area = toy_study.area
    east = str(area.districts["label"].iloc[0])
    table = pd.concat(
        [
            points({"Gare": "station", "": "station", east: "quarter"}),
            points({"Ailleurs": "station"}, dx=-4000),
            points({"Un étang": "water"}).assign(geometry=[shapely.box(*area.geometry.bounds)]),
        ],
        ignore_index=True,
    )
    found = found_places(table, Parts(area), pen, area=area)
    assert names_of(found) == ["Gare"]
    assert found is not None
    assert [found.kinds[k] for k in numbers(found.kind)] == ["station"]
    assert numbers(found.part)[0] in {1, 2}
    assert found_places(None, Parts(area), pen, area=area) is None
    assert found_places(table.iloc[:0], Parts(area), pen, area=area) is None


def test_without_a_background_places_are_those_of_the_streets(
    toy_coverage: Coverage, pen: Pen, tmp_path: Path
) -> None:
    at = toy_coverage.study.area.geometry.representative_point()
    lon, lat = pyproj.Transformer.from_crs(2154, 4326, always_xy=True).transform(at.x, at.y)
    tags = {"railway": "station", "name": "Gare du Nord"}
    streets = tmp_path / "town.osm"
    node = {"type": "node", "id": 1, "lon": lon, "lat": lat, "tags": tags}
    streets.write_text(osm_xml([node]), encoding="utf-8")
    study = toy_coverage.study.replace(streets_file=streets)
    coverage = dataclasses.replace(toy_coverage, study=study)
    assert names_of(ground(coverage, None, pen).found) == ["Gare du Nord"]
    background = points({"Passy": "quarter"})
    assert names_of(ground(coverage, background, pen).found) == ["Passy"]
    assert ground(toy_coverage, None, pen).found is None


def test_no_place_tells_of_a_discreet_one(toy_coverage: Coverage, pen: Pen) -> None:
    """Whatever the background has at its address or under its name, the search has it not."""
    services = toy_coverage.services
    hidden = services["discreet"].astype(bool)
    secret = dataclasses.replace(
        toy_coverage, services=services.assign(name=services["name"].where(~hidden, "Mirabelle"))
    )
    area = toy_coverage.study.area
    table = points(
        {"Mirabelle": "station", "Maison MIRABELLE": "quarter", "Mirabellier": "park", "Ré": "park"}
    )
    found = found_places(table, Parts(area), pen, area=area, telling=telling_of(secret))
    assert names_of(found) == ["Mirabellier", "Ré"]


def test_no_name_is_two_lines() -> None:
    names = ["a\nb", "c\u2028d", "é\r\n", "<b>"]
    assert inflated(packed_names(names)).decode().count("\n") == len(names) - 1


@pytest.mark.parametrize(
    ("code", "postcode"),
    [("75101", "75001"), ("75120", "75020"), ("69381", "69001"), ("13201", "13001"), ("d1", "")],
)
def test_codes_of_arrondissements_tell_their_postcode(code: str, postcode: str) -> None:
    assert postcode_of(code) == postcode
