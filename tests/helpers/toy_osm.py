"""A toy town as OpenStreetMap has it: every kind of trouble once, lengths known by hand.

Nodes are named by their place, in metres from 2.35° E 48.85° N. ::

    400   +-----------+            one way        . 450  (rue Coupée: a node is missing)
          |           |                           .
    300   +-----+-----+-----+--+--+---------------+ rue B ---- bridge
          |           |steps   |                  |
    200   |     +-----+     +--+--+               |
          |     |  way|     | hole|               +--\\
    150   |     |  \\  |     |  []  |              |   ) loop
    100   |     +-----+-----+-----+               +--/
          |     |     |              gate         |
      0   +-----+-----+--------------+------------+ rue A ~~~ trunk
          0    100   200   250  350  300         400

"""

from __future__ import annotations

import bz2
import gzip
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

import osmium
import shapely

OSM_DATE = "2026-11-01T00:00:00Z"
ORIGIN = (2.35, 48.85)
METRES_PER_DEGREE = (73_340.0, 111_210.0)

AREA = shapely.box(2.34, 48.84, 2.37, 48.87)
"""In degrees, around the whole town."""

WEST_HALF = shapely.box(2.34, 48.84, ORIGIN[0] + 150 / METRES_PER_DEGREE[0], 48.87)
"""In degrees, all that lies west of x = 150 m."""

XY = tuple[float, float]
LOCKED_GATE, PARK_GATE, TWIN, MISSING = (300, 50), (0, 150), (400.0, 0.001), (300, 375)

# OSM id: (tags, places)
WAYS: dict[int, tuple[dict[str, str], list[XY]]] = {
    1: (
        {"highway": "residential", "name": "Rue de l'Été, n°1 = 100 %", "oneway": "yes"},
        [(0, 0), (100, 0), (200, 0), (300, 0), (400, 0)],
    ),
    2: (
        {"highway": "residential", "name": "rue B", "sidewalk": "separate"},
        [(0, 300), (100, 300), (200, 300), (300, 300), (350, 300), (400, 300)],
    ),
    3: (
        {"highway": "living_street", "name": "rue Ouest"},
        [(0, 0), (0, 100), (0, 150), (0, 200), (0, 300)],
    ),
    4: ({"highway": "tertiary", "name": "rue Est"}, [(400, 0), (400, 150), (400, 300)]),
    # a square, entered at three of its corners
    10: (
        {"highway": "pedestrian", "area": "yes", "name": "place Verte"},
        [(100, 100), (200, 100), (200, 200), (100, 200), (100, 100)],
    ),
    11: ({"highway": "footway"}, [(100, 0), (100, 100)]),
    12: ({"highway": "footway"}, [(200, 0), (200, 100)]),
    13: ({"highway": "steps"}, [(200, 200), (200, 300)]),
    # a square with a hole, drawn by a relation, entered at two opposite corners
    20: ({}, [(250, 100), (350, 100), (350, 200)]),
    21: ({}, [(350, 200), (250, 200), (250, 100)]),
    22: ({}, [(280, 130), (320, 130), (320, 170), (280, 170), (280, 130)]),
    23: ({"highway": "footway"}, [(200, 100), (250, 100)]),
    24: ({"highway": "footway"}, [(350, 200), (350, 300)]),
    # a square that nobody can enter
    30: (
        {"highway": "pedestrian", "area": "yes"},
        [(500, 100), (520, 100), (520, 120), (500, 120), (500, 100)],
    ),
    # behind a locked gate
    40: ({"highway": "service"}, [(300, 0), LOCKED_GATE, (300, 90)]),
    41: ({"highway": "footway"}, [(300, 90), (340, 90)]),
    42: ({"highway": "path", "opening_hours": "08:00-20:00"}, [PARK_GATE, (40, 150), (60, 200)]),
    50: ({"highway": "trunk"}, [(400, 0), (600, 0)]),
    51: ({"highway": "cycleway"}, [(0, -200), (400, -200)]),
    52: (
        {"highway": "cycleway", "foot": "designated", "name": "voie verte"},
        [(0, 0), (-50, -50), (0, -100)],
    ),
    53: (
        {"highway": "footway", "oneway:foot": "yes"},
        [(0, 300), (0, 400), (100, 400), (100, 300)],
    ),
    54: ({"highway": "footway", "bridge": "yes", "layer": "1"}, [(400, 300), (450, 350)]),
    55: ({"highway": "footway"}, [(700, 700), (750, 700)]),
    56: ({"highway": "service", "access": "private"}, [(100, 300), (100, 350)]),
    57: (
        {"highway": "service", "access": "private", "foot": "yes"},
        [(200, 300), (200, 350)],
    ),
    58: ({"route": "ferry"}, [(450, 350), (700, 700)]),
    59: (
        {"highway": "residential", "name": "rue Coupée"},
        [(300, 300), (300, 350), MISSING, (300, 400), (300, 450)],
    ),
    60: ({"highway": "footway"}, [(400, 0), TWIN, (450, -50)]),
    61: ({"highway": "footway"}, [(0, 0), (50, -20), (100, 0)]),
    62: ({"highway": "service"}, [(400, 150), (450, 120), (450, 180), (400, 150)]),
    63: ({"highway": "construction", "construction": "footway"}, [(400, 300), (400, 400)]),
    64: ({"highway": "footway"}, [(500, 500)]),
    65: ({"building": "yes"}, [(600, 600), (610, 600), (600, 610), (600, 600)]),
}
RELATIONS: dict[int, tuple[dict[str, str], list[tuple[int, str]]]] = {
    1: (
        {"type": "multipolygon", "highway": "pedestrian", "name": "cour Ronde"},
        [(20, "outer"), (21, "outer"), (22, "inner")],
    ),
    2: ({"type": "multipolygon", "landuse": "forest"}, [(65, "outer")]),
}
NODE_TAGS: dict[XY, dict[str, str]] = {
    LOCKED_GATE: {"barrier": "gate", "locked": "yes"},
    PARK_GATE: {"barrier": "gate", "access": "yes"},
    (200, 0): {"highway": "crossing"},
}

_PLACES = list(dict.fromkeys(place for _, places in WAYS.values() for place in places))
NODE_IDS = {place: 1000 + 7 * k for k, place in enumerate(_PLACES)}


def lon_lat(place: XY) -> XY:
    """Return degrees, with the seven decimals of OpenStreetMap. The twin is where its model is."""
    x, y = (400.0, 0.0) if place == TWIN else place
    return (
        round(ORIGIN[0] + x / METRES_PER_DEGREE[0], 7),
        round(ORIGIN[1] + y / METRES_PER_DEGREE[1], 7),
    )


def elements() -> list[dict[str, Any]]:
    """Return the town as the elements of an Overpass answer."""
    found: list[dict[str, Any]] = []
    for place, osm_id in NODE_IDS.items():
        if place != MISSING:
            lon, lat = lon_lat(place)
            node: dict[str, Any] = {"type": "node", "id": osm_id, "lat": lat, "lon": lon}
            if place in NODE_TAGS:
                node["tags"] = NODE_TAGS[place]
            found.append(node)
    for osm_id, (tags, places) in WAYS.items():
        way = {"type": "way", "id": osm_id, "nodes": [NODE_IDS[place] for place in places]}
        found.append(way | ({"tags": tags} if tags else {}))
    for osm_id, (tags, members) in RELATIONS.items():
        refs = [{"type": "way", "ref": ref, "role": role} for ref, role in members]
        found.append({"type": "relation", "id": osm_id, "members": refs, "tags": tags})
    return found


def osm_xml(town: list[dict[str, Any]] | None = None) -> str:
    """Return the town, or some elements of it, as OpenStreetMap XML."""
    lines = ["<?xml version='1.0' encoding='UTF-8'?>", "<osm version='0.6'>"]
    lines.append(f"<meta osm_base='{OSM_DATE}'/>")
    for element in elements() if town is None else town:
        kind, osm_id = element["type"], element["id"]
        place = f" lat='{element['lat']}' lon='{element['lon']}'" if kind == "node" else ""
        lines.append(f"<{kind} id='{osm_id}' version='1'{place}>")
        lines += [f"<nd ref='{ref}'/>" for ref in element.get("nodes", ())]
        lines += [
            f"<member type='way' ref='{member['ref']}' role='{member['role']}'/>"
            for member in element.get("members", ())
        ]
        lines += [
            f"<tag k={quoteattr(key)} v={quoteattr(value)}/>"
            for key, value in element.get("tags", {}).items()
        ]
        lines.append(f"</{kind}>")
    return "\n".join([*lines, "</osm>\n"])


def write(path: Path) -> Path:
    """Write the town as the kind of file that the name asks for."""
    if path.name.endswith(".pbf"):
        source = path.with_name("source-of-pbf.osm")
        source.write_text(osm_xml(), encoding="utf-8")
        header = osmium.io.Header()
        header.set("osmosis_replication_timestamp", OSM_DATE)
        with osmium.SimpleWriter(str(path), header=header) as writer:
            for element in osmium.FileProcessor(str(source)):
                writer.add(element)
        source.unlink()
    else:
        pack = {".gz": gzip.compress, ".bz2": bz2.compress}.get(path.suffix, bytes)
        path.write_bytes(pack(osm_xml().encode()))
    return path
