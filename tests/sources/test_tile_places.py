"""Places of vector tiles: a few kinds that everybody knows, each once."""

from __future__ import annotations

from pathlib import Path

import pyproj
import shapely

from helpers.vector_tiles import UNIT_M, Feature, X, write_tile
from quart_heure.sources.tiles.files import find_tiles
from quart_heure.sources.tiles.places import read_tile_places

CRS = pyproj.CRS.from_epsg(2154)
AROUND = shapely.box(2, 48.5, 3, 49.2)


def point(x: int, y: int, class_: str, name: str, **more: str) -> Feature:
    return ("point", [(x, y)], {"class": class_, "name:latin": name, **more})


def names(folder: Path, features: list[Feature], layer: str = "poi") -> list[tuple[str, str]]:
    write_tile(folder, X, {layer: features})
    assert find_tiles(folder)
    table = read_tile_places(folder, polygon=AROUND, crs=CRS)
    assert set(table.geometry.geom_type) <= {"Point"}
    return list(zip(table["kind"], table["name"], strict=True))


def test_kinds_that_are_known_are_kept_by_their_names(tmp_path: Path) -> None:
    found = names(
        tmp_path,
        [
            point(1000, 1000, "station", "Auber", subclass="station"),
            point(1100, 1000, "town_hall", "Mairie du 9e", subclass="townhall"),
            point(1200, 1000, "town_hall", "Tribunal", subclass="courthouse"),
            point(1300, 1000, "shop", "Gare aux prix", subclass="clothes"),
            point(1400, 1000, "", "Gare du Nord"),
            point(1500, 1000, "", "Foyer sans nom"),
            point(1600, 1000, "hospital", "", subclass="hospital"),
            point(1700, 1000, "shelter", "Halte", subclass="social_facility"),
        ],
    )
    assert found == [
        ("station", "Auber"),
        ("station", "Gare du Nord"),
        ("town_hall", "Mairie du 9e"),
    ]


def test_one_place_that_is_told_twice_is_one(tmp_path: Path) -> None:
    far = 1000 + round(500 / UNIT_M)
    places = [(1000, 1000), (1010, 1000), (far, 1000)]
    gates = [point(x, y, "park", "Parc", subclass="park") for x, y in places]
    assert names(tmp_path, gates) == [("park", "Parc")] * 2


def test_what_is_shown_in_one_place_is_left_out(tmp_path: Path) -> None:
    """The animals of a zoo; the tower, which has a few things beside it, stays."""
    zoo = [point(1000 + 20 * n, 1000, "attraction", f"Bête {n}") for n in range(12)]
    tower = [point(4000 - 50 * n, 4000, "attraction", f"Tour {n}") for n in range(3)]
    assert [name for _, name in names(tmp_path, zoo + tower)] == ["Tour 0", "Tour 1", "Tour 2"]


def test_quarters_come_from_their_own_layer(tmp_path: Path) -> None:
    found = names(
        tmp_path,
        [point(1000, 1000, "suburb", "Passy"), point(1100, 1000, "locality", "Le Champ")],
        layer="place",
    )
    assert found == [("quarter", "Passy")]
