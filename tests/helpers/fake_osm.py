"""A server on this machine that answers as Overpass and Nominatim do, on good days and bad ones.

It serves the toy town of `toy_osm`, with boundaries and services. Servers under ``/a/api`` and
``/b/api`` are two mirrors, each with bad days of its own; ``/n`` knows places by name.

Words, statuses and habits are those of Overpass API 0.7.62 (7c32a7d5) with its dispatcher behind
Apache 2.4.71, and of Nominatim 5.3.3, seen when they ran, and read in their sources: pages of
errors (``web_query.cc``, ``basic_formats.cc``), the page of slots (``public_status.cc``), the same
text that is refused a fourth time with status 200, an attic date that a base without attic data
does not know. Without a clock, texts are counted as if no time limit ended while a test runs.
"""

from __future__ import annotations

import gzip
import html
import http
import json
import re
import threading
import urllib.parse
from collections import Counter
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


GROUND: dict[int, tuple[dict[str, str], list[toy_osm.XY]]] = {
    # a river, whose banks are a relation's, that runs on beyond the town
    8101: ({}, [(600, -3000), (600, 3000)]),
    8102: ({}, [(600, 3000), (660, 3000), (660, -3000), (600, -3000)]),
    # a canal under a boulevard
    8103: (
        {"natural": "water", "water": "canal", "tunnel": "yes", "name": "Canal Couvert"},
        [(0, 500), (100, 500), (100, 520), (0, 520), (0, 500)],
    ),
    8104: (
        {"leisure": "park", "name": "Parc  Vert"},
        [(100, 550), (200, 550), (200, 650), (100, 650), (100, 550)],
    ),
    # too small to be seen
    8105: ({"leisure": "garden"}, [(0, 600), (20, 600), (20, 620), (0, 620), (0, 600)]),
    8106: ({"railway": "rail", "name": "Voie 1"}, [(-200, -250), (600, -250)]),
    8107: ({"railway": "rail", "bridge": "yes"}, [(600, -250), (660, -250)]),
    8108: ({"railway": "rail", "name": "Voie 1"}, [(660, -250), (700, -250)]),
    8109: ({"barrier": "fence"}, [(-100, 0), (-100, 100)]),
    8110: ({"highway": "motorway", "name": "Boulevard Extérieur"}, [(-250, -300), (-250, 700)]),
}
RIVER = 8200


def _ground_elements() -> list[Element]:
    places = list(dict.fromkeys(place for _, line in GROUND.values() for place in line))
    node_of = {place: 8300 + k for k, place in enumerate(places)}
    found: list[Element] = []
    for place, osm_id in node_of.items():
        lon, lat = toy_osm.lon_lat(place)
        found.append({"type": "node", "id": osm_id, "lon": lon, "lat": lat})
    for osm_id, (tags, line) in GROUND.items():
        way = {"type": "way", "id": osm_id, "nodes": [node_of[place] for place in line]}
        found.append(way | ({"tags": tags} if tags else {}))
    lon, lat = toy_osm.lon_lat((300, -240))
    station = {"railway": "station", "name": "Gare de Toyville"}
    return [
        *found,
        {"type": "node", "id": 8400, "lon": lon, "lat": lat, "tags": station},
        {"type": "node", "id": 8401, "lon": lon, "lat": lat, "tags": {"natural": "tree"}},
        {
            "type": "relation",
            "id": RIVER,
            "members": [{"type": "way", "ref": ref, "role": "outer"} for ref in (8101, 8102)],
            "tags": {"type": "multipolygon", "natural": "water", "name": "La Toyre"},
        },
    ]


def red_page(words: str) -> bytes:
    """Return the page that Overpass writes instead of data."""
    head = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN"\n'
        '    "http://www.w3.org/TR/xhtml1/DTD/xhtml1-strict.dtd">\n'
        '<html xmlns="http://www.w3.org/1999/xhtml" xml:lang="en" lang="en">\n<head>\n'
        '  <meta http-equiv="content-type" content="text/html; charset=utf-8" lang="en"/>\n'
        "  <title>OSM3S Response</title>\n</head>\n<body>\n\n"
        "<p>The data included in this document is from www.openstreetmap.org. "
        "The data is made available under ODbL.</p>\n"
    )
    told = html.escape(words)
    text = (
        f'{head}<p><strong style="color:#FF0000">Error</strong>: {told} </p>\n\n</body>\n</html>\n'
    )
    return text.encode()


_COPYRIGHT = (
    "The data included in this document is from www.openstreetmap.org. The data is made available"
    " under ODbL."
)
_SOCKET = "runtime error: open64: 0 Success /osm3s_osm_base Dispatcher_Client::request_read_and_idx"
_PAGES = {
    400: 'line 1: parse error: Unknown type "nod"',
    429: f"{_SOCKET}::rate_limited. Please check /api/status for the quota of your IP address.",
    504: f"{_SOCKET}::timeout. The server is probably too busy to handle your request.",
}
_TURNED_OFF = "runtime error: The dispatcher (i.e. the database management system) is turned off."
_NO_PAST = "runtime error: Tried to use museum file but no museum files available on this instance."


def status(code: int, words: str = "", **headers: str) -> Trouble:
    """Answer with an error status: with Overpass's page, or that of a server before it."""
    page = red_page(words or _PAGES[code]) if words or code in _PAGES else apache_page(code)

    def answer(handler: Handler, _: bytes) -> None:
        handler.reply(page, code=code, headers=headers)

    return answer


def apache_page(code: int) -> bytes:
    phrase = http.HTTPStatus(code).phrase
    return (
        '<!DOCTYPE HTML PUBLIC "-//IETF//DTD HTML 2.0//EN">\n<html><head>\n'
        f"<title>{code} {phrase}</title>\n</head><body>\n<h1>{phrase}</h1>\n</body></html>\n"
    ).encode()


TURNED_OFF = status(504, _TURNED_OFF)
DUPLICATE = status(200, f"{_SOCKET}::duplicate_query")


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
    'runtime error: Query ran out of memory in "recurse" at line 1. It would need at least 4 MB of'
    " RAM to continue."
)
OUT_OF_ALL_MEMORY = remark("runtime error: Query run out of memory using about 2048 MB of RAM.")
TIMED_OUT = remark('runtime error: Query timed out in "query" at line 1 after 181 seconds.')


class FakeOsm(FakeServer):
    """What is served, how badly, and what was asked."""

    def __init__(self) -> None:
        super().__init__(OsmHandler)
        self.elements = [*toy_osm.elements(), *_boundary_elements(), *_service_elements()]
        self.elements += _ground_elements()
        self.osm_date = toy_osm.OSM_DATE
        self.places: dict[str, list[Element]] = {"Toyville, Toyland": [nominatim_place()]}
        self.countries: dict[str, str] = {"Toyland": "tl"}
        # For each server, one per request to come.
        self.troubles: dict[str, list[Trouble | None]] = {}
        self.largest_km2 = float("inf")  # of what is answered without running out of memory
        self.memory_mb = 0  # that every question needs, and has to declare
        self.past: dict[str, list[Element]] = {}  # elements by the day from which they were so
        self.status = "2 slots available now."
        self.running_queries: list[str] = []
        self.asked: list[tuple[str, str]] = []
        self.looks = 0  # at the page of slots
        self._texts: Counter[tuple[str, str]] = Counter()
        self._lock = threading.Lock()
        self.a, self.b, self.nominatim = (f"{self.url}/{x}" for x in ("a/api", "b/api", "n"))

    def count(self, word: str = "interpreter") -> int:
        return sum(word in path for path, _ in self.asked)

    def next_trouble(self, path: str, asked: str) -> Trouble | None:
        with self._lock:
            self.asked.append((path, asked))
            # What is refused for another reason counts as well.
            self._texts[path, asked] += 1
            server = path.strip("/").partition("/")[0]
            troubles = self.troubles.get(server, [])
            trouble = troubles.pop(0) if troubles else None
            if self._texts[path, asked] > 3 and path.endswith("/interpreter"):
                return DUPLICATE
            return trouble

    def overpass(self, query: str) -> bytes:
        elements = self.elements
        date = re.search(r'\[date:"([^"]+)"\]', query)
        if date:
            elements = self.past[max(day for day in self.past if day <= date[1])]
        answer = {
            "version": 0.6,
            "generator": "Overpass API 0.7.62 7c32a7d5",
            "osm3s": {"timestamp_osm_base": self.osm_date, "copyright": _COPYRIGHT},
            "elements": select(elements, query),
        }
        return json.dumps(answer, indent=1).encode()


class OsmHandler(Handler):
    """One request."""

    service: FakeOsm

    def get(self) -> None:
        address = urllib.parse.urlsplit(self.path)
        asked = dict(urllib.parse.parse_qsl(address.query))
        if address.path in {"/a/api/status", "/b/api/status"}:
            self.service.looks += 1
            self.service.asked.append((address.path, ""))
            lines = (
                *("Connected as: 1", "Current time: 2026-11-22T10:00:00Z"),
                *("Announced endpoint: none", "Rate limit: 2"),
                *filter(None, [self.service.status]),
                "Currently running queries (pid, space limit, time limit, start time):",
                *self.service.running_queries,
            )
            self.reply("".join(f"{line}\n" for line in lines).encode())
        elif address.path != "/n/search":
            self.service.asked.append((address.path, ""))
            self.reply(b'{"title": "404 Not Found"}', code=404)
        elif asked.get("featureType") == "country":
            code = self.service.countries.get(asked["q"])
            self._answer(
                json.dumps([country(asked["q"], code)] if code else []).encode(), asked["q"]
            )
        else:
            found = self.service.places.get(asked["q"], [])
            self._answer(json.dumps(found).encode(), asked["q"])

    def post(self) -> None:
        text = self.rfile.read(int(self.headers["Content-Length"])).decode()
        query = urllib.parse.parse_qs(text)["data"][0]
        if self.path not in {"/a/api/interpreter", "/b/api/interpreter"}:
            self.service.asked.append((self.path, query))
            self.reply(apache_page(404), code=404)
            return
        declared = re.search(r"\[maxsize:(\d+)\]", query)
        megabytes = int(declared[1]) / 2**20 if declared else 512
        if "[date:" in query and not self.service.past:
            self.service.asked.append((self.path, query))
            remark(_NO_PAST)(self, self.service.overpass(query.replace("[date:", "[")))
        elif largest_km2(query) > self.service.largest_km2 or megabytes < self.service.memory_mb:
            self.service.asked.append((self.path, query))
            OUT_OF_MEMORY(self, self.service.overpass(query))
        else:
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
        "licence": "Data © OpenStreetMap contributors, ODbL 1.0. http://osm.org/copyright",
        "osm_type": "relation",
        "osm_id": TOWN_RELATION,
        "lat": "48.85",
        "lon": "2.35",
        "class": "boundary",
        "type": "administrative",
        "place_rank": 16,
        "importance": 0.5,
        "addresstype": "town",
        "name": "Toyville",
        "display_name": "Toyville, Toyland",
        "address": {"town": "Toyville", "country": "Toyland", "country_code": "tl"},
        "boundingbox": [str(south), str(north), str(west), str(east)],
        "geojson": shapely.geometry.mapping(TOWN),
        **changes,
    }


def country(name: str, code: str) -> Element:
    """Return a country as Nominatim's own list has it: a point without type and id."""
    return {
        "place_id": 2,
        "licence": "Data © OpenStreetMap contributors, ODbL 1.0. http://osm.org/copyright",
        "lat": "48.0",
        "lon": "2.0",
        "class": "place",
        "type": "country",
        "place_rank": 4,
        "importance": 0.9,
        "addresstype": "country",
        "name": name,
        "display_name": name,
        "address": {"country": name, "country_code": code},
        "boundingbox": ["46.0", "50.0", "0.0", "4.0"],
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
        r"(node|way|relation|nwr)((?:\[['\"][^\]]*\])+)(\(poly:[^)]*\))?", query
    ):
        tests = re.findall(r"\[(['\"])(.+?)\1(?:(=|~)(['\"])(.+?)\4)?\]", conditions)
        area = polygons(rest)
        for key, element in by_key.items():
            tags = element.get("tags", {})
            if kind not in {key[0], "nwr"} or not all(_holds(tags, test) for test in tests):
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
    """Return where an element is: nodes, and ways from one to the next, wherever these lie."""
    keys = [(element["type"], element["id"]), *_made_of(element, by_key)]
    known = [by_key[key] for key in keys if key in by_key]
    points = {e["id"]: (e["lon"], e["lat"]) for e in known if e["type"] == "node"}
    lines = [
        [points[ref] for ref in e["nodes"] if ref in points] for e in known if e["type"] == "way"
    ]
    return shapely.union(
        shapely.MultiPoint(list(points.values())),
        shapely.MultiLineString([line for line in lines if len(line) > 1]),
    )
