"""A server on this machine that answers as Overpass and Nominatim do, on good days and bad ones.

It serves the toy town of `toy_osm`, with boundaries and services. Servers under ``/a/api`` and
``/b/api`` are two mirrors, each with bad days of its own.
"""

from __future__ import annotations

import gzip
import json
import re
import threading
import urllib.parse
from collections.abc import Iterator
from typing import Any

import shapely

from helpers import toy_osm
from helpers.fake_server import FakeServer, Handler, Trouble

Element = dict[str, Any]

TOWN = shapely.box(2.3465, 48.8470, 2.3610, 48.8570)
MIDDLE = 2.3535
INSEE = "99001"
TOWN_RELATION, FIRST, SECOND, VILLAGE = 9000, 9001, 9002, 9003


def _boundary_elements() -> list[Element]:
    west, south, east, north = TOWN.bounds
    places = {
        5001: (west, south),
        5002: (MIDDLE, south),
        5003: (east, south),
        5004: (east, north),
        5005: (MIDDLE, north),
        5006: (west, north),
        5007: (east + 0.01, south),
        5008: (east + 0.01, north),
    }
    ways = {
        6001: [5002, 5001, 5006, 5005],
        6002: [5002, 5003],
        6003: [5003, 5004],
        6004: [5004, 5005],
        6005: [5002, 5005],
        6006: [5003, 5007, 5008, 5004],
    }
    relations = {
        TOWN_RELATION: ("Toyville", "8", INSEE, [6001, 6002, 6003, 6004]),
        FIRST: ("Toyville 1er Arrondissement", "9", "99101", [6001, 6005]),
        SECOND: ("Toyville 2e Arrondissement", "9", "99102", [6002, 6003, 6004, 6005]),
        VILLAGE: ("Village-d'à-Côté", "8", "99002", [6003, 6006]),
    }
    return [
        *({"type": "node", "id": k, "lon": x, "lat": y} for k, (x, y) in places.items()),
        *({"type": "way", "id": k, "nodes": refs} for k, refs in ways.items()),
        *(
            {
                "type": "relation",
                "id": k,
                "members": [{"type": "way", "ref": ref, "role": "outer"} for ref in members],
                "tags": {
                    "type": "boundary",
                    "boundary": "administrative",
                    "admin_level": level,
                    "name": name,
                    "ref:INSEE": code,
                },
            }
            for k, (name, level, code, members) in relations.items()
        ),
    ]


def _service_elements() -> list[Element]:
    def node(osm_id: int, x: float, y: float, **tags: str) -> Element:
        lon, lat = toy_osm.lon_lat((x, y))
        found = {"type": "node", "id": osm_id, "lon": lon, "lat": lat}
        return found | ({"tags": tags} if tags else {})

    kitchen = {"amenity": "social_facility", "social_facility": "soup_kitchen"}
    women = {"social_facility:for": "woman"}
    return [
        node(7001, 90, 10, amenity="shower", name="Douches <b>Vertes</b>"),
        node(7002, 110, 310, **kitchen, opening_hours="Mo-Fr 12:00-14:00"),
        node(7003, 210, 210, **kitchen, **women, name="Chez elles"),
        node(7004, 10, 10, amenity="shower", access="private"),
        *(node(7010 + k, x, y) for k, (x, y) in enumerate(((20, 20), (40, 20), (40, 40)))),
        {
            "type": "way",
            "id": 7100,
            "nodes": [7010, 7011, 7012, 7010],
            "tags": {"amenity": "social_centre", "name": "Maison pour tous"},
        },
        {"type": "node", "id": 7200, "lon": 2.9, "lat": 48.0, "tags": {"amenity": "shower"}},
        node(7300, 50, 0, highway="bus_stop"),
    ]


def status(code: int, **headers: str) -> Trouble:
    """Answer with an error status."""

    def answer(handler: Handler, _: bytes) -> None:
        handler.reply(b"<html><title>Error</title></html>", code=code, headers=headers)

    return answer


def no_elements(handler: Handler, _: bytes) -> None:
    handler.reply(b'{"version": 0.6}')


def deep(handler: Handler, _: bytes) -> None:
    handler.reply(b'{"elements":' * 20_000 + b"{}" + b"}" * 20_000)


def deep_remark(handler: Handler, _: bytes) -> None:
    handler.reply(b'{"elements": [], "remark": ' + b"[" * 20_000 + b"]" * 20_000 + b"}")


def no_element(handler: Handler, body: bytes) -> None:
    content = json.loads(body)
    handler.reply(json.dumps({**content, "elements": [*content["elements"], None]}).encode())


def packed(handler: Handler, _: bytes) -> None:
    """Answer with three megabytes of blanks, packed into some kilobytes."""
    handler.reply(gzip.compress(bytes(3_000_000)), headers={"Content-Encoding": "gzip"})


def remark(text: str) -> Trouble:
    """Answer 200 with half of the elements and a remark."""

    def answer(handler: Handler, body: bytes) -> None:
        content = json.loads(body)
        content["elements"] = content["elements"][::2]
        handler.reply(json.dumps({**content, "remark": text}).encode())

    return answer


OUT_OF_MEMORY = remark(
    'runtime error: Query run out of memory in "recurse" at line 1 using about 512 MB of RAM.'
)
TIMED_OUT = remark('runtime error: Query timed out in "query" at line 1 after 181 seconds.')


class FakeOsm(FakeServer):
    """What is served, how badly, and what was asked."""

    def __init__(self) -> None:
        super().__init__(OsmHandler)
        self.elements = [*toy_osm.elements(), *_boundary_elements(), *_service_elements()]
        self.osm_date = toy_osm.OSM_DATE
        self.places: dict[str, list[Element]] = {"Toyville, Toyland": [nominatim_place()]}
        # For each server, one per request to come.
        self.troubles: dict[str, list[Trouble | None]] = {}
        self.largest_km2 = float("inf")  # of what is answered without running out of memory
        self.status = "2 slots available now."
        self.asked: list[tuple[str, str]] = []
        self._lock = threading.Lock()
        self.a, self.b, self.nominatim = (f"{self.url}/{x}" for x in ("a/api", "b/api", "n"))

    def count(self, word: str = "interpreter") -> int:
        return sum(word in path for path, _ in self.asked)

    def next_trouble(self, path: str, asked: str) -> Trouble | None:
        with self._lock:
            self.asked.append((path, asked))
            server = path.strip("/").partition("/")[0]
            troubles = self.troubles.get(server, [])
            return troubles.pop(0) if troubles else None

    def overpass(self, query: str) -> bytes:
        answer = {
            "version": 0.6,
            "generator": "Overpass API, a fake one",
            "osm3s": {"timestamp_osm_base": self.osm_date, "copyright": "ODbL"},
            "elements": select(self.elements, query),
        }
        return json.dumps(answer, indent=1).encode()


class OsmHandler(Handler):
    """One request."""

    service: FakeOsm

    def get(self) -> None:
        address = urllib.parse.urlsplit(self.path)
        asked = dict(urllib.parse.parse_qsl(address.query))
        if address.path.endswith("/status"):
            self.service.asked.append((address.path, ""))
            lines = ("Connected as: 1", "Current time: 2026-11-22T10:00:00Z", "Rate limit: 2")
            self.reply("\n".join([*lines, self.service.status, ""]).encode())
            return
        self._answer(json.dumps(self.service.places.get(asked["q"], [])).encode(), asked["q"])

    def post(self) -> None:
        text = self.rfile.read(int(self.headers["Content-Length"])).decode()
        query = urllib.parse.parse_qs(text)["data"][0]
        if largest_km2(query) > self.service.largest_km2:
            self.service.asked.append((self.path, query))
            OUT_OF_MEMORY(self, self.service.overpass(query))
            return
        self._answer(self.service.overpass(query), query)

    def _answer(self, body: bytes, asked: str) -> None:
        trouble = self.service.next_trouble(self.path, asked)
        if trouble is None:
            self.reply(body)
        else:
            trouble(self, body)


def nominatim_place(**changes: Any) -> Element:
    """Return Toyville as Nominatim describes it."""
    west, south, east, north = TOWN.bounds
    return {
        "place_id": 1,
        "licence": "ODbL",
        "osm_type": "relation",
        "osm_id": TOWN_RELATION,
        "lat": "48.85",
        "lon": "2.35",
        "class": "boundary",
        "type": "administrative",
        "importance": 0.5,
        "name": "Toyville",
        "display_name": "Toyville, Toyland",
        "boundingbox": [str(south), str(north), str(west), str(east)],
        "geojson": shapely.geometry.mapping(TOWN),
        **changes,
    }


def polygons(query: str) -> list[shapely.Polygon]:
    found = []
    for _, text in re.findall(r"poly:(['\"])([^'\"]+)\1", query):
        numbers = list(map(float, text.split()))
        found.append(shapely.Polygon(list(zip(numbers[1::2], numbers[::2], strict=True))))
    return found


def largest_km2(query: str) -> float:
    return max((polygon.area * 73.34 * 111.21 for polygon in polygons(query)), default=0.0)


def select(elements: list[Element], query: str) -> list[Element]:
    """Do what a query says, as far as ours go: tags, a polygon, and all that elements are of."""
    by_key = {(e["type"], e["id"]): e for e in elements}
    chosen: dict[tuple[str, int], Element] = {}
    for kind, conditions, rest in re.findall(
        r"(node|way|relation)((?:\[['\"][^\]]*\])+)(\(poly:[^)]*\))?", query
    ):
        tests = re.findall(r"\[(['\"])(.+?)\1(?:(=|~)(['\"])(.+?)\4)?\]", conditions)
        area = polygons(rest)
        for key, element in by_key.items():
            tags = element.get("tags", {})
            if key[0] != kind or not all(_holds(tags, test) for test in tests):
                continue
            if not area or _shape(element, by_key).intersects(area[0]):
                chosen[key] = element
                chosen |= {e: by_key[e] for e in _made_of(element, by_key) if e in by_key}
    return list(chosen.values())


def _holds(tags: dict[str, str], test: tuple[str, ...]) -> bool:
    _, key, sign, _, value = test
    if not sign:
        return key in tags
    return tags.get(key) == value if sign == "=" else bool(re.search(value, tags.get(key, "")))


def _made_of(element: Element, by_key: dict[tuple[str, int], Element]) -> Iterator[tuple[str, int]]:
    for ref in element.get("nodes", ()):
        yield "node", ref
    for member in element.get("members", ()):
        key = (member["type"], member["ref"])
        yield key
        yield from _made_of(by_key.get(key, {}), by_key)


def _shape(element: Element, by_key: dict[tuple[str, int], Element]) -> shapely.Geometry:
    keys = [(element["type"], element["id"]), *_made_of(element, by_key)]
    nodes = [by_key[key] for key in keys if key[0] == "node" and key in by_key]
    return shapely.MultiPoint([(node["lon"], node["lat"]) for node in nodes])
