"""Named places of raw OpenStreetMap data, which the page of a map finds by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyproj
import pytest
import shapely

from helpers.toy_osm import osm_xml
from quart_heure.errors import InputFileError
from quart_heure.sources.osm.places import read_osm_places

CRS = pyproj.CRS.from_epsg(2154)
AROUND = shapely.box(2.3, 48.8, 2.4, 48.9)


def node(osm_id: int, lon: float, lat: float, **tags: str) -> dict[str, Any]:
    return {"type": "node", "id": osm_id, "lon": lon, "lat": lat, "tags": tags}


def names(path: Path, elements: list[dict[str, Any]]) -> list[tuple[str, str]]:
    path.write_text(osm_xml(elements), encoding="utf-8")
    table = read_osm_places(path, polygon=AROUND, crs=CRS)
    assert set(table.geometry.geom_type) <= {"Point"}
    assert table.crs == CRS
    return list(zip(table["kind"], table["name"], strict=True))


def test_kinds_that_are_known_are_kept_by_their_names(tmp_path: Path) -> None:
    found = names(
        tmp_path / "town.osm",
        [
            node(1, 2.35, 48.85, railway="station", name="Gare  du Nord"),
            node(2, 2.35, 48.851, amenity="grave_yard", name="Saint-Vincent"),
            node(3, 2.35, 48.852, amenity="social_facility", name="Halte"),
            node(4, 2.35, 48.853, railway="station"),
            node(5, 2.35, 48.95, railway="station", name="Plus loin"),
            node(6, 2.35, 48.854, place="suburb", name="Passy"),
            node(7, 2.35, 48.855, shop="books", tourism="gallery", name="Galerie"),
        ],
    )
    assert found == [
        ("cemetery", "Saint-Vincent"),
        ("quarter", "Passy"),
        ("station", "Gare du Nord"),
    ]


def test_an_area_is_a_point_within_it(tmp_path: Path) -> None:
    corners = [(2.35, 48.85), (2.352, 48.85), (2.352, 48.852), (2.35, 48.852)]
    ring = [node(n, *xy) for n, xy in enumerate(corners, start=1)]
    park = {"type": "way", "id": 9, "nodes": [1, 2, 3, 4, 1], "tags": {"leisure": "park"}}
    park["tags"] |= {"name": "Square"}
    # The same park told at its gate is no other.
    gate = node(5, 2.3501, 48.8501, leisure="park", name="Square")
    path = tmp_path / "town.osm"
    assert names(path, [*ring, gate, park]) == [("park", "Square")]
    (at,) = read_osm_places(path, polygon=AROUND, crs=CRS).to_crs(4326).geometry
    assert shapely.intersects(shapely.Polygon(corners).buffer(1e-6), at)


def test_nothing_there_is_an_empty_table(tmp_path: Path) -> None:
    assert names(tmp_path / "town.osm", [node(1, 2.35, 48.85)]) == []


def test_what_is_no_such_file_is_said(tmp_path: Path) -> None:
    path = tmp_path / "town.osm.pbf"
    path.write_bytes(b"no blocks of anything")
    with pytest.raises(InputFileError, match="cannot be read as OpenStreetMap data"):
        read_osm_places(path, polygon=AROUND, crs=CRS)
