"""The toy town: about forty streets whose answers can be worked out by hand.

Local metres from (650 000, 6 860 000) in EPSG:2154; the area is 2000 m × 1900 m.

::

    1900 +--------------------------------------------------------------+
         |                                                              |
    1700 |      +----+----+----+----+----+----+ (1400)                  |
         |      |    |    |    |    |    |    |         rail yard:      |
    1500 | j----+----+----+----+----+----+----+         no street       |
         | a r  |    |    court   |    |    |    |         within 100 m    |
    1300 | d----+----+----+----+----+----+----+                         |
         | i n  |    |    |    |    |    |    |                         |
    1100 |      +----+----+----+----+----+----+  quai Nord              |
         |                    ║                                         |
     950 |   r i v e r        ║ bridge (x = 1000)   islet 1500…1700     |
         |                    ║                                         |
     800 |      +----+----+----+----+----+----+----+----+  quai Sud     |
         | v    |    |    |    |    |    |    |    |    |               |
     600 | o    +----+----+----+----+----+----+----+----+               |
         | i    |    | \\/ |    (square 600…800 × 400…600, diagonals)    |
     400 | e    +----+----+----+----+----+----+----+----+---------------|-- 2100
         |      |    |    |    |    |    |    | stairs   |               |
     200 | verte+====+----+----+----+----+----+----+----+--+            |
         |        parallel, then stairs to rue Haute      | loop        |
       0 +--------------------------------------------------------------+
         0     200  400  600  800 1000 1200 1400 1600 1800            2000

Every node stands on a whole number of metres and every ordinary block is 200 m × 200 m, so that
lengths in metres are exact.
"""

from __future__ import annotations

import dataclasses
import itertools
import random
from collections.abc import Iterable, Sequence
from typing import Any

import geopandas as gpd
import numpy as np
from shapely import LineString, Point, box
from shapely.affinity import translate

from helpers import reference
from quart_heure.categories import default_catalogue
from quart_heure.network.graph import WalkNetwork
from quart_heure.sources.areas.areas import StudyArea
from quart_heure.sources.background import Ground
from quart_heure.sources.problems import problem_table
from quart_heure.sources.residents.residents import Residents
from quart_heure.sources.services.services import Services
from quart_heure.study import Study

CRS = "EPSG:2154"
ORIGIN = (650_000.0, 6_860_000.0)
WIDTH_M, HEIGHT_M = 2000.0, 1900.0

NORTH_X = (200, 400, 600, 800, 1000, 1200, 1400)
NORTH_Y = (1100, 1300, 1500, 1700)
SOUTH_X = (*NORTH_X, 1600, 1800)
SOUTH_Y = (200, 400, 600, 800)

XY = tuple[float, float]

# service_id, category, x, y, status, discreet
SERVICES: tuple[tuple[str, str, float, float, str, bool], ...] = (
    # 25 m east of the avenue du Pont, 50 m along its edge from (1000, 600) to (1000, 800)
    ("A1", "bains_douches", 1025, 650, "open", False),
    ("A2", "bains_douches", 600, 1300, "closed", False),
    # in the rail yard, 300 m from the nearest street
    ("B1", "bagagerie", 1700, 1500, "open", False),
    # on the islet, 150 m from either quay
    ("B2", "bagagerie", 1600, 950, "open", False),
    # in the garden that is entered by one gate and left by another, 10 m from its alley
    ("B3", "bagagerie", 90, 1400, "unknown", True),
    # 50 m outside the area, on the chemin du Levant
    ("C1", "esi", 2050, 400, "open", False),
    # 15 m east of rue de l'École, 50 m north of the top of the stairs
    ("C2", "esi", 1615, 450, "open", False),
)
CATEGORIES = ("bains_douches", "bagagerie", "esi")


def town_edges(*, greenway_step_m: int = 5, bridge: bool = True) -> gpd.GeoDataFrame:
    """Streets of the toy town.

    The greenway is 800 m long and cut every ``greenway_step_m``: with 5 m the town has 231 nodes,
    with 100 m it has 79; the two nodes of the islet are too few in either.
    """
    rows: list[dict[str, Any]] = []

    def street(name: str, stops: Iterable[Sequence[float]], **values: Any) -> None:
        """Add one edge per pair of consecutive stops."""
        stops = [tuple(map(float, stop)) for stop in stops]
        for a, b in itertools.pairwise(stops):
            edge(name, [a, b], **values)

    def edge(name: str, shape: Sequence[Sequence[float]], **values: Any) -> None:
        line = LineString(shape)
        defaults = {
            "kind": "residential",
            "steps": False,
            "bridge": False,
            "tunnel": False,
            "forward": True,
            "backward": True,
        }
        rows.append({"name": name, "geometry": line, **defaults, **values})

    for x in SOUTH_X:  # edges 0 … 26; the 0-based position is the id
        name = "avenue du Pont" if x == 1000 else f"rue Sud {x}"
        if x == 1600:  # stairs between 200 and 400, a street above
            street("escalier de l'École", [(x, 200), (x, 400)], kind="steps", steps=True)
            street("rue de l'École", [(x, y) for y in SOUTH_Y[1:]])
        else:
            street(name, [(x, y) for y in SOUTH_Y])
    for y in SOUTH_Y:
        street("quai Sud" if y == 800 else f"rue Basse {y}", [(x, y) for x in SOUTH_X])
    for x in NORTH_X:
        if x == 600:  # the court between 1300 and 1500 is private: not in the network
            street("rue Nord 600", [(x, 1100), (x, 1300)])
            street("rue Nord 600", [(x, 1500), (x, 1700)])
        else:
            street(f"rue Nord {x}", [(x, y) for y in NORTH_Y])
    for y in NORTH_Y:
        street("quai Nord" if y == 1100 else f"rue Haute-Ville {y}", [(x, y) for x in NORTH_X])
    if bridge:
        street("pont Unique", [(1000, 800), (1000, 1100)], kind="footway", bridge=True)

    square = {"kind": "square"}
    for corner in ((600, 400), (800, 600), (800, 400), (600, 600)):
        street("place du Marché", [corner, (700, 500)], **square)
    street("escalier Haut", [(400, 200), (400, 50)], kind="steps", steps=True)
    street("rue Haute", [(400, 50), (600, 50)])
    edge("contre-allée", [(200, 200), (200, 150), (400, 150), (400, 200)])  # parallel, 300 m
    edge("boucle", [(1800, 200), (1900, 200), (1900, 100), (1800, 100), (1800, 200)])  # 400 m
    street("chemin du Levant", [(1800, 400), (2100, 400)], kind="path")
    street("sortie du jardin", [(100, 1300), (200, 1300)], kind="footway", backward=False)
    street("entrée du jardin", [(200, 1500), (100, 1500)], kind="footway", backward=False)
    street("allée du jardin", [(100, 1300), (100, 1500)], kind="path")
    street("allée de l'îlot", [(1500, 950), (1700, 950)], kind="path")
    green = [(x, 200) for x in range(200, 100, -greenway_step_m)]
    green += [(100, y) for y in range(200, 800, greenway_step_m)]
    green += [(x, 800) for x in range(100, 201, greenway_step_m)]
    street("voie verte", green, kind="cycleway")
    return finish_edges(rows)


def finish_edges(rows: Sequence[dict[str, Any]]) -> gpd.GeoDataFrame:
    """Number the nodes by first appearance, measure, and move to the origin."""
    number: dict[XY, int] = {}
    for row in rows:
        for end, at in (("u", 0), ("v", -1)):
            row[end] = number.setdefault(row["geometry"].coords[at], len(number))
        row["length_m"] = row["geometry"].length
        row["geometry"] = translate(row["geometry"], *ORIGIN)
    columns = ["u", "v", "length_m", "kind", "steps", "bridge", "tunnel", "forward", "backward"]
    return gpd.GeoDataFrame(rows, crs=CRS)[[*columns, "name", "geometry"]]


def town_network(**options: Any) -> WalkNetwork:
    return WalkNetwork.from_edges(town_edges(**options))


def town_area() -> StudyArea:
    """Two districts side by side, parted at x = 1000."""
    x, y = ORIGIN
    west = box(x, y, x + 1000, y + HEIGHT_M)
    east = box(x + 1000, y, x + WIDTH_M, y + HEIGHT_M)
    return area_of([("W", "Ouest", west), ("E", "Est", east)], name="Petite Ville")


def area_of(districts: Sequence[tuple[str, str, Any]], *, name: str) -> StudyArea:
    districts = sorted(districts, key=lambda district: district[0])
    frame = gpd.GeoDataFrame(
        {
            "district_id": [key for key, _, _ in districts],
            "label": [label for _, label, _ in districts],
        },
        geometry=[shape for _, _, shape in districts],
        crs=CRS,
    )
    return StudyArea(name=name, geometry=frame.union_all(), crs=frame.crs, districts=frame)


def services_of(places: Sequence[tuple[str, str, float, float, str, bool]]) -> Services:
    """Put places (id, category, x, y, status, discreet), in local metres, in a services table."""
    frame = gpd.GeoDataFrame(
        {
            "service_id": [p[0] for p in places],
            "category": [p[1] for p in places],
            "name": [f"Service {p[0]}" for p in places],
            "address": "1 rue du Test",
            "postcode": "75000",
            "status": [p[4] for p in places],
            "access": "walk_in",
            "discreet": [p[5] for p in places],
            "audience": "",
            "opening_hours": "",
            "capacity": "",
            "operator": "",
            "source": "toy",
            "source_date": "2026-01-01",
            "notes": "",
        },
        geometry=[Point(ORIGIN[0] + p[2], ORIGIN[1] + p[3]) for p in places],
        crs=CRS,
    )
    return Services(table=frame, problems=problem_table())


def town_river() -> Ground:
    """The river between the quays, 20 m from either, but for the islet."""
    x, y = ORIGIN
    river = box(x - 500, y + 820, x + WIDTH_M + 500, y + 1080)
    islet = box(x + 1450, y + 925, x + 1750, y + 975)
    water = np.array([river.difference(islet)], dtype=object)
    return Ground(water=water, barriers=water, source="toy")


def town_services() -> Services:
    return services_of(SERVICES)


def town_residents() -> Residents:
    """Residents in squares of 25 m: 3 in the south, 1 in the north, none in the river."""
    col, row, people = [], [], []
    for i in range(int(WIDTH_M) // 25):
        for j in range(int(HEIGHT_M) // 25):
            y = j * 25
            if y < 800 or y >= 1100:
                col.append(int(ORIGIN[0]) // 25 + i)
                row.append(int(ORIGIN[1]) // 25 + j)
                people.append(3.0 if y < 800 else 1.0)
    return residents_of(col, row, people)


def residents_of(
    col: Sequence[int], row: Sequence[int], people: Sequence[float], *, square_m: float = 25.0
) -> Residents:
    return Residents(
        col=np.array(col, dtype=np.int32),
        row=np.array(row, dtype=np.int32),
        residents=np.array(people, dtype=np.float64),
        square_m=square_m,
        crs=town_area().crs,
        source="toy",
    )


def town_study(**overrides: Any) -> Study:
    network = overrides.pop("network", None) or town_network()
    values: dict[str, Any] = {
        "area": town_area(),
        "services": town_services(),
        "network": network,
        "residents": town_residents(),
        "catalogue": default_catalogue(),
        "categories": CATEGORIES,
        # Its figures are worked out by hand, the discreet place where it is.
        "private": True,
    }
    return Study(**{**values, **overrides})


# --- random towns --------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Town:
    """The inputs of a small study, each a plain table that a test may reorder or move."""

    edges: gpd.GeoDataFrame
    area: StudyArea
    services: Services
    residents: Residents
    size_m: tuple[int, int]

    def study(self, **overrides: Any) -> Study:
        values: dict[str, Any] = {
            "area": self.area,
            "services": self.services,
            "network": WalkNetwork.from_edges(self.edges),
            "residents": self.residents,
            "catalogue": default_catalogue(),
            "categories": ("bains_douches", "esi"),
            "threshold_min": 6.0,
            "isochrones_min": (2.0, 4.0, 6.0),
            "cell_m": 50.0,
            "private": True,
        }
        # Of a random town all is known: where it has no place of a category, there is none.
        return Study(**{"judged": CATEGORIES, **values, **overrides})

    def moved(self, dx: int, dy: int) -> Town:
        """Return the town elsewhere; by multiples of 25 m."""
        districts = self.area.districts.assign(
            geometry=self.area.districts.geometry.translate(dx, dy)
        )
        table = self.services.table.assign(geometry=self.services.table.geometry.translate(dx, dy))
        square = int(self.residents.square_m)
        return dataclasses.replace(
            self,
            edges=self.edges.assign(geometry=self.edges.geometry.translate(dx, dy)),
            area=dataclasses.replace(
                self.area, geometry=translate(self.area.geometry, dx, dy), districts=districts
            ),
            services=dataclasses.replace(self.services, table=table),
            residents=dataclasses.replace(
                self.residents,
                col=self.residents.col + np.int32(dx // square),
                row=self.residents.row + np.int32(dy // square),
            ),
        )


def random_town(
    seed: int,
    *,
    columns: int = 4,
    rows: int = 4,
    one_way: bool = True,
    lattice: bool = False,
    n_services: int = 4,
) -> Town:
    """Draw a bent grid of streets with gaps in it, parallels, loops, stairs and one-way ways.

    All coordinates are whole metres. ``lattice`` keeps the streets straight and on multiples of
    50 m, so that every length is exact and many places are equally near to two streets.
    """
    rng = random.Random(seed)
    side = rng.choice((100, 150)) if lattice else 120
    bend = 0 if lattice else 25

    node = {
        (i, j): (i * side + rng.randint(-bend, bend), j * side + rng.randint(-bend, bend))
        for i in range(columns)
        for j in range(rows)
    }
    pairs = [((i, j), (i + 1, j)) for i in range(columns - 1) for j in range(rows)]
    pairs += [((i, j), (i, j + 1)) for i in range(columns) for j in range(rows - 1)]
    streets: list[dict[str, Any]] = []
    for a, b in pairs:
        chance = rng.random()
        if chance < 0.2 and streets:
            continue
        ends = [node[a], node[b]] if rng.random() < 0.5 else [node[b], node[a]]
        streets.append(_random_edge(rng, ends, bend, one_way=one_way))
        if chance > 0.9:  # a parallel, by another way
            (ax, ay), (bx, by) = ends
            if lattice:
                out_x, out_y = (0, 50) if ay == by else (50, 0)
            else:
                out_x, out_y = rng.randint(11, 39), rng.randint(11, 39)
            detour = [(ax + out_x, ay + out_y), (bx + out_x, by + out_y)]
            streets.append(_random_edge(rng, [ends[0], *detour, ends[1]], 0, one_way=one_way))
    if rng.random() < 0.5:  # a loop
        x, y = rng.choice(streets)["geometry"].coords[0]
        streets.append(
            _random_edge(
                rng,
                [(x, y), (x + 50, y), (x + 50, y + 50), (x, y + 50), (x, y)],
                0,
                one_way=one_way,
            )
        )
    width, height = (columns - 1) * side + 200, (rows - 1) * side + 200
    width, height = -(-width // 100) * 100, -(-height // 100) * 100
    low = -100
    x0, y0 = ORIGIN[0] + low, ORIGIN[1] + low
    middle = x0 + rng.randrange(100, width, 100)
    area = area_of(
        [
            ("d1", "Premier", box(x0, y0, middle, y0 + height)),
            ("d2", "Deuxième", box(middle, y0, x0 + width, y0 + height)),
        ],
        name="Au hasard",
    )
    # services all over the area and 100 m beyond its limits
    places = [
        (
            f"s{k:02d}",
            rng.choice(("bains_douches", "bains_douches", "esi")),
            rng.randint(low - 100, low + width + 100),
            rng.randint(low - 100, low + height + 100),
            rng.choice(("open", "open", "unknown", "closed")),
            rng.random() < 0.2,
        )
        for k in range(n_services)
    ]
    squares = [
        (int(x0) // 25 + i, int(y0) // 25 + j)
        for i in range(width // 25)
        for j in range(height // 25)
    ]
    squares = [square for square in squares if rng.random() < 0.4]
    residents = residents_of(
        [c for c, _ in squares], [r for _, r in squares], [rng.random() * 30 for _ in squares]
    )
    return Town(finish_edges(streets), area, services_of(places), residents, (width, height))


def _random_edge(
    rng: random.Random, stops: Sequence[XY], bend: int, *, one_way: bool
) -> dict[str, Any]:
    stops = list(stops)
    if bend and rng.random() < 0.3:
        (ax, ay), (bx, by) = stops
        middle = ((ax + bx) // 2 + rng.randint(-bend, bend), (ay + by) // 2 + rng.randint(-40, 40))
        stops.insert(1, middle)
    way = rng.choice(("both", "both", "both", "forward", "backward")) if one_way else "both"
    steps = rng.random() < 0.15
    return {
        "name": rng.choice(("", "rue des Lilas", "rue du Bac")),
        "kind": "steps" if steps else "residential",
        "steps": steps,
        "bridge": False,
        "tunnel": False,
        "forward": way != "backward",
        "backward": way != "forward",
        "geometry": LineString(stops),
    }


# --- the same, as the reference computations take it ---------------------------------------------


def reference_edges(edges: gpd.GeoDataFrame) -> tuple[int, list[reference.Edge]]:
    """Number of nodes and plain edges."""
    plain = [
        reference.Edge(
            int(row.u),
            int(row.v),
            row.geometry,
            float(row.length_m),
            bool(row.steps),
            bool(row.forward),
            bool(row.backward),
            on_ground=not (row.bridge or row.tunnel or row.kind in {"corridor", "elevator"}),
        )
        for row in edges.itertuples()
    ]
    return len({end for edge in plain for end in (edge.u, edge.v)}), plain


def reference_services(
    table: gpd.GeoDataFrame, categories: Iterable[str]
) -> dict[str, list[tuple[str, float, float]]]:
    """Places that count, by category, in the order of their ids."""
    counted = table[table["status"].isin(["open", "unknown"])]
    return {
        category: sorted(
            (str(row.service_id), float(row.geometry.x), float(row.geometry.y))
            for row in counted.itertuples()
            if row.category == category
        )
        for category in categories
    }


def reference_cells(
    study: Study, edges: gpd.GeoDataFrame, table: gpd.GeoDataFrame
) -> list[reference.Cell]:
    """Compute the cells of a study the slow way."""
    n_nodes, plain = reference_edges(edges)
    profile = study.profile
    districts = zip(study.area.districts["district_id"], study.area.districts.geometry, strict=True)
    return reference.cells(
        area=study.area.geometry,
        districts=list(districts),
        n_nodes=n_nodes,
        edges=plain,
        walker=reference.Walker(
            profile.speed_m_per_min, profile.steps_factor, profile.steps_allowed
        ),
        services=reference_services(table, study.categories),
        cell_m=study.cell_m,
        snap_m=study.snap_m,
    )
