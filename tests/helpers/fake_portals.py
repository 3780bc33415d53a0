"""A server on this machine that answers as portals do: open data, limits, Soliguide.

Answers have the shapes of the real ones, with places of the toy town. Bad days are told by the
beginning of the path they befall.
"""

from __future__ import annotations

import json
import re
import urllib.parse
from typing import Any

import pyproj
import shapely

from helpers import toy_osm, toy_town
from helpers.fake_osm import INSEE, MIDDLE, TOWN
from helpers.fake_server import FakeServer, Handler, Trouble

Row = dict[str, Any]

DAYS = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")
KEY = "a-key-of-ones-own-7f3c"


def lon_lat(x: float, y: float) -> tuple[float, float]:
    return toy_osm.lon_lat((x, y))


def town_lon_lat(x: float, y: float) -> tuple[float, float]:
    east, north = toy_town.ORIGIN
    to_degrees = pyproj.Transformer.from_crs(toy_town.CRS, 4326, always_xy=True)
    lon, lat = to_degrees.transform(east + x, north + y)
    return float(lon), float(lat)


def bath(number: int, x: float, y: float, *, shut: bool = False, **changes: Any) -> Row:
    """Return a row of the set about cool places, as the export gives it."""
    lon, lat = lon_lat(x, y)
    hours = {f"horaires_{day}": "-" if shut or day == "lundi" else "07h30 - 13h00" for day in DAYS}
    return {
        "identifiant": f"BD{number}",
        "nom": f"Bain-douche n° {number}",
        "type": "Bains-douches",
        "payant": "Non",
        "adresse": f"{number},  rue  B",
        "arrondissement": "99001",
        "statut_ouverture": None,
        "horaires_periode": "du 01/01/20 au 01/01/32",
        **hours,
        "geo_point_2d": {"lon": lon, "lat": lat},
        **changes,
    }


def place(number: int, category: str, x: float, y: float, **changes: Any) -> Row:
    """Return a place of Soliguide, in local metres of `toy_town`."""
    lon, lat = town_lon_lat(x, y)
    return {
        "lieu_id": number,
        "name": f"Lieu secret {number}",
        "status": "ONLINE",
        "position": {
            "address": f"{number} impasse Cachée",
            "postalCode": "99001",
            "location": {"type": "Point", "coordinates": [lon, lat]},
        },
        "services_all": [{"category": category, "close": {"actif": False}}],
        "newhours": {"monday": {"open": True, "timeslot": [{"start": 930, "end": 1700}]}},
        "modalities": {"pmr": {"checked": True}, "animal": {}, "orientation": {"checked": False}},
        "publics": {"accueil": 2, "gender": ["women"]},
        **changes,
    }


def status(
    code: int, body: bytes = b"<html><title>Error</title></html>", **headers: str
) -> Trouble:
    def answer(handler: Handler, _: bytes) -> None:
        handler.reply(body, code=code, headers=headers)

    return answer


def fewer(handler: Handler, body: bytes) -> None:
    """Leave a row out of what was asked for, and say nothing of it."""
    content = json.loads(body)
    name = next(key for key in ("features", "results", "places") if key in content)
    handler.reply(json.dumps({**content, name: content[name][:-1]}).encode())


class FakePortals(FakeServer):
    """What is served, how badly, and what was asked."""

    def __init__(self) -> None:
        super().__init__(PortalsHandler)
        self.datasets: dict[str, list[Row]] = {}
        self.fields: dict[str, list[str]] = {}
        self.titles: dict[str, str] = {}
        self.files: dict[str, bytes] = {}
        self.places: list[Row] = []
        self.troubles: dict[str, list[Trouble | None]] = {}
        self.asked: list[tuple[str, dict[str, str], bytes]] = []

    def count(self, word: str) -> int:
        return sum(word in path for path, _, _ in self.asked)

    def trouble(self, path: str) -> Trouble | None:
        for beginning, troubles in self.troubles.items():
            if beginning in path and troubles:
                return troubles.pop(0)
        return None

    def answer(self, path: str, asked: dict[str, str], body: bytes) -> tuple[int, bytes]:
        if path in self.files:
            return 200, self.files[path]
        if path.startswith("/communes"):
            return self._limits(path, asked)
        if path.startswith("/new-search"):
            return self._search(json.loads(body))
        found = re.fullmatch(r"/api/explore/v2\.1/catalog/datasets/([^/]+)(/.*)?", path)
        if found and found[1] in self.datasets:
            return self._dataset(found[1], found[2] or "", asked)
        return 404, b'{"error_code": "Unknown", "message": "Unknown dataset"}'

    def _dataset(self, name: str, rest: str, asked: dict[str, str]) -> tuple[int, bytes]:
        rows = self.datasets[name]
        if "where" in asked:
            field, _, value = asked["where"].partition("=")
            rows = [row for row in rows if row.get(field) == value.strip('"')]
        if rest == "/records":
            limit, offset = int(asked["limit"]), int(asked.get("offset", 0))
            if not 0 <= limit <= 100 or limit + offset > 10_000:
                return 400, b'{"message": "Invalid value for limit API parameter"}'
            page = {"total_count": len(rows), "results": rows[offset : offset + limit]}
            return 200, json.dumps(page).encode()
        if rest == "/exports/geojson":
            features = []
            for row in rows:
                about = {key: value for key, value in row.items() if key != "geo_point_2d"}
                point = row.get("geo_point_2d")
                shape = point and {"type": "Point", "coordinates": [point["lon"], point["lat"]]}
                features.append({"type": "Feature", "properties": about, "geometry": shape})
            return 200, json.dumps({"type": "FeatureCollection", "features": features}).encode()
        names = self.fields.get(name) or list(self.datasets[name][0])
        about = {
            "dataset_id": name,
            "fields": [{"name": field, "type": "text"} for field in names],
            "metas": {
                "default": {
                    "title": self.titles.get(name, name),
                    "data_processed": "2026-09-15T04:00:00+00:00",
                    "license": "Open Database License (ODbL)",
                    "publisher": "Toyville",
                }
            },
        }
        return 200, json.dumps(about).encode()

    def _limits(self, path: str, asked: dict[str, str]) -> tuple[int, bytes]:
        west, south, east, north = TOWN.bounds
        shapes = {
            INSEE: ("Toyville", TOWN),
            "75056": ("Paris", TOWN),
            "75101": ("Paris 1er Arrondissement", shapely.box(west, south, MIDDLE, north)),
            "75102": ("Paris 2e Arrondissement", shapely.box(MIDDLE, south, east, north)),
        }
        municipal = {"75101", "75102"}

        def feature(code: str) -> Row:
            name, shape = shapes[code]
            about = {"nom": name, "code": code}
            geometry = shapely.geometry.mapping(shape)
            return {"type": "Feature", "properties": about, "geometry": geometry}

        code = path.removeprefix("/communes").strip("/")
        if code:
            if code not in shapes or code in municipal:
                return 404, b'{"code": 404, "message": "Not found"}'
            return 200, json.dumps(feature(code)).encode()
        wanted = municipal if asked.get("codeParent") == "75056" else {asked.get("code", "")}
        found = [feature(code) for code in sorted(wanted & municipal)]
        return 200, json.dumps({"type": "FeatureCollection", "features": found}).encode()

    def _search(self, query: Row) -> tuple[int, bytes]:
        found = [
            place
            for place in self.places
            if any(s["category"] == query["category"] for s in place["services_all"])
        ]
        begin = (query["options"]["page"] - 1) * query["options"]["limit"]
        part = found[begin : begin + query["options"]["limit"]]
        return 200, json.dumps({"nbResults": len(found), "places": part}).encode()


class PortalsHandler(Handler):
    """One request."""

    service: FakePortals

    def get(self) -> None:
        self._answer(b"")

    def post(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(body)

    def _answer(self, body: bytes) -> None:
        address = urllib.parse.urlsplit(self.path)
        asked = dict(urllib.parse.parse_qsl(address.query))
        self.service.asked.append((address.path, asked, body))
        if address.path.startswith("/new-search") and self.headers["Authorization"] != f"JWT {KEY}":
            told = f"wrong key {self.headers['Authorization']}"
            self.reply(json.dumps({"message": told}).encode(), code=401)
            return
        path = urllib.parse.unquote(address.path)
        code, content = self.service.answer(path, asked, body)
        trouble = self.service.trouble(address.path)
        if trouble is None:
            self.reply(content, code=code)
        else:
            trouble(self, content)
