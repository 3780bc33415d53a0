"""Slow, obvious computations of what the package computes fast.

Written from the definitions alone, apart from the code under test: plain Python, shapely one point
and one line at a time, Floyd–Warshall on the graph split at every place. Nothing here is meant to
be quick, and nothing here imports the package.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from shapely import LineString, Point
from shapely.geometry.base import BaseGeometry

INF = math.inf


@dataclasses.dataclass(frozen=True)
class Edge:
    """One street edge, walkable from u to v (forward) and from v to u (backward).

    One that is not on the ground (a bridge, a tunnel) is entered at its ends only.
    """

    u: int
    v: int
    line: LineString
    length_m: float
    steps: bool = False
    forward: bool = True
    backward: bool = True
    effort_there: float = 1.0
    effort_back: float = 1.0
    on_ground: bool = True


@dataclasses.dataclass(frozen=True)
class Walker:
    """A walker, by speed and manners on steps."""

    m_per_min: float
    steps_factor: float = 1.0
    steps_allowed: bool = True

    def can_take(self, edge: Edge) -> bool:
        return self.steps_allowed or not edge.steps

    def minutes(self, edge: Edge, metres: float, *, back: bool = False) -> float:
        slope = edge.effort_back if back else edge.effort_there
        return metres * slope * (self.steps_factor if edge.steps else 1.0) / self.m_per_min


@dataclasses.dataclass(frozen=True)
class Stop:
    """Where a place meets the network: edge id, metres from u, metres walked to the edge."""

    edge: int
    offset_m: float
    access_m: float


# --- components ----------------------------------------------------------------------------------


def components(n_nodes: int, edges: Sequence[Edge]) -> list[int]:
    """Label of the connected component of each node, whatever the direction of the edges."""
    neighbours: dict[int, set[int]] = defaultdict(set)
    for edge in edges:
        neighbours[edge.u].add(edge.v)
        neighbours[edge.v].add(edge.u)
    label = [-1] * n_nodes
    for start in range(n_nodes):
        if label[start] == -1:
            label[start] = start
            waiting = [start]
            while waiting:
                for node in neighbours[waiting.pop()]:
                    if label[node] == -1:
                        label[node] = start
                        waiting.append(node)
    return label


def useful_edges(n_nodes: int, edges: Sequence[Edge], walker: Walker) -> list[bool]:
    """Whether each edge is the walker's and in a component that leads somewhere.

    That is the largest one, and each of at least 1 % of all nodes and at least 20 of them.
    Connected means connected for somebody: what only stairs lead to is out of reach for who cannot
    take them, not off the network.
    """
    label = components(n_nodes, edges)
    size: dict[int, int] = defaultdict(int)
    for one in label:
        size[one] += 1
    least = max(n_nodes / 100, 20)
    largest = max(size.values(), default=0)
    return [
        walker.can_take(e) and (size[label[e.u]] >= least or size[label[e.u]] == largest)
        for e in edges
    ]


# --- entries -------------------------------------------------------------------------------------


def distances_m(edges: Sequence[Edge], x: float, y: float) -> list[float]:
    """Distance from a point to every edge, one by one."""
    point = Point(x, y)
    return [edge.line.distance(point) for edge in edges]


def walks_across(line: LineString, barrier: BaseGeometry) -> bool:
    """Whether a straight line meets a wall, or comes out of an area on the other side.

    From within an area it leaves on its own side: not much further than the rim is.
    """
    if barrier.geom_type == "LineString":
        return bool(line.crosses(barrier))
    inside = line.intersection(barrier)
    parts = [part for part in getattr(inside, "geoms", [inside]) if part.length > 0]
    ends = [Point(end) for end in (line.coords[0], line.coords[-1])]
    if any(all(part.distance(end) > 1e-9 for end in ends) for part in parts):
        return True
    if not barrier.covers(ends[0]) or barrier.covers(ends[1]):
        return False
    return bool(inside.length > 2 * barrier.boundary.distance(ends[0]) + 5)


def entries(
    edges: Sequence[Edge],
    usable: Sequence[bool],
    x: float,
    y: float,
    *,
    max_m: float = 100.0,
    always_m: float = 40.0,
    barriers: Sequence[BaseGeometry] = (),
) -> list[Stop]:
    """Every usable edge within the radius, the nearest first; what is further counts 1.5 times."""
    point = Point(x, y)
    near: list[tuple[float, int]] = []
    for number, distance in enumerate(distances_m(edges, x, y)):
        if usable[number] and distance <= max_m:
            foot = edges[number].line.interpolate(edges[number].line.project(point))
            access = LineString([point, foot])
            if not any(walks_across(access, barrier) for barrier in barriers):
                near.append((distance, number))
    if not near:
        return []
    least = min(near)[0]
    radius = min(max_m, max(always_m, 1.5 * least))
    return [
        Stop(number, edges[number].line.project(point), least + 1.5 * (distance - least))
        for distance, number in sorted(near)
        if distance <= radius
    ]


# --- travel times --------------------------------------------------------------------------------


def end_of(edge: Edge, offset_m: float) -> int | None:
    """Give the node a stop stands on, if it stands on one and not between two."""
    if offset_m <= 1e-9:
        return edge.u
    return edge.v if offset_m >= edge.length_m - 1e-9 else None


def minutes_matrix(
    n_nodes: int,
    edges: Sequence[Edge],
    walker: Walker,
    places: Sequence[Stop | None],
    services: Sequence[Stop | None],
) -> list[list[float]]:
    """Minutes from every entry to every entry of a service: access + along the network + access.

    The graph is cut at every stop, so that two stops of one edge walk directly; then
    Floyd–Warshall over all nodes and all stops.
    """
    at: dict[object, int] = {("node", k): k for k in range(n_nodes)}
    on_edge: dict[int, set[float]] = defaultdict(set)
    for stop in [*places, *services]:
        if stop is not None:
            end = end_of(edges[stop.edge], stop.offset_m)
            if end is None:
                on_edge[stop.edge].add(stop.offset_m)
                at.setdefault((stop.edge, stop.offset_m), len(at))
            else:
                at[(stop.edge, stop.offset_m)] = end
    size = len(at)
    time = [[INF] * size for _ in range(size)]
    for k in range(size):
        time[k][k] = 0.0
    for number, edge in enumerate(edges):
        if not walker.can_take(edge):
            continue
        chain = [(0.0, edge.u)]
        chain += [(offset, at[(number, offset)]) for offset in sorted(on_edge[number])]
        chain += [(edge.length_m, edge.v)]
        for (from_m, a), (to_m, b) in itertools.pairwise(chain):
            piece_m = max(0.0, to_m - from_m)
            if edge.forward:
                time[a][b] = min(time[a][b], walker.minutes(edge, piece_m))
            if edge.backward:
                time[b][a] = min(time[b][a], walker.minutes(edge, piece_m, back=True))
    floyd_warshall(time)
    return [
        [
            INF
            if place is None or service is None
            else (place.access_m + service.access_m) / walker.m_per_min
            + time[at[(place.edge, place.offset_m)]][at[(service.edge, service.offset_m)]]
            for service in services
        ]
        for place in places
    ]


def least_minutes(
    n_nodes: int,
    edges: Sequence[Edge],
    walker: Walker,
    places: Sequence[Sequence[Stop]],
    services: Sequence[Sequence[Stop]],
) -> list[list[float]]:
    """Minutes from every place to every service, by whichever of their entries is the least."""
    table = minutes_matrix(
        n_nodes,
        edges,
        walker,
        [stop for stops in places for stop in stops],
        [stop for stops in services for stop in stops],
    )
    rows, columns = iter(table), list(itertools.accumulate(map(len, services), initial=0))
    least = []
    for stops in places:
        own = [next(rows) for _ in stops]
        least.append(
            [
                min((row[k] for row in own for k in range(*ends)), default=INF)
                for ends in itertools.pairwise(columns)
            ]
        )
    return least


def floyd_warshall(time: list[list[float]]) -> None:
    """Replace the minutes of every pair by the least, through any other."""
    for k, through in enumerate(time):
        for row in time:
            if row[k] < INF:
                for j, onward in enumerate(through):
                    row[j] = min(row[j], row[k] + onward)


def node_minutes(
    n_nodes: int, edges: Sequence[Edge], walker: Walker, services: Sequence[Stop]
) -> list[list[float]]:
    """Minutes from every node to every service, last access included (Bellman–Ford, each alone)."""
    columns = []
    for service in services:
        time = [INF] * n_nodes
        edge = edges[service.edge]
        last = service.access_m / walker.m_per_min
        if walker.can_take(edge):
            if edge.forward or end_of(edge, service.offset_m) == edge.u:
                time[edge.u] = last + walker.minutes(edge, service.offset_m)
            if edge.backward or end_of(edge, service.offset_m) == edge.v:
                left_m = edge.length_m - service.offset_m
                back = last + walker.minutes(edge, left_m, back=True)
                time[edge.v] = min(time[edge.v], back)
        changed = True
        while changed:
            changed = False
            for one in edges:
                if not walker.can_take(one):
                    continue
                there = walker.minutes(one, one.length_m)
                back = walker.minutes(one, one.length_m, back=True)
                if one.forward and there + time[one.v] < time[one.u]:
                    time[one.u] = there + time[one.v]
                    changed = True
                if one.backward and back + time[one.u] < time[one.v]:
                    time[one.v] = back + time[one.u]
                    changed = True
        columns.append(time)
    return [[column[k] for column in columns] for k in range(n_nodes)]


def place_minutes(
    edges: Sequence[Edge],
    walker: Walker,
    place: Stop,
    services: Sequence[Stop],
    from_nodes: Sequence[Sequence[float]],
) -> list[float]:
    """Minutes from one place to each service: by either end of its edge, or directly along it."""
    edge = edges[place.edge]
    end = end_of(edge, place.offset_m)
    access = place.access_m / walker.m_per_min
    answers = []
    for number, service in enumerate(services):
        ways = [INF]
        if walker.can_take(edge):
            if edge.backward or end == edge.u:
                to_u = walker.minutes(edge, place.offset_m, back=True)
                ways.append(to_u + from_nodes[edge.u][number])
            if edge.forward or end == edge.v:
                left_m = edge.length_m - place.offset_m
                ways.append(walker.minutes(edge, left_m) + from_nodes[edge.v][number])
            if service.edge == place.edge:
                ahead_m = service.offset_m - place.offset_m
                if (ahead_m >= 0 and edge.forward) or (ahead_m <= 0 and edge.backward):
                    direct = walker.minutes(edge, abs(ahead_m), back=ahead_m < 0)
                    ways.append(direct + service.access_m / walker.m_per_min)
        answers.append(access + min(ways))
    return answers


# --- cells ---------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Cell:
    """One cell of the area, judged at its centre."""

    col: int
    row: int
    x_m: float
    y_m: float
    district_id: str
    on_network: bool
    minutes: Mapping[str, float]
    nearest: Mapping[str, str]


def grid(area: BaseGeometry, cell_m: float) -> list[tuple[int, int, float, float]]:
    """Columns, rows and centres of the aligned squares whose centre is in the area."""
    west, south, east, north = area.bounds
    found = []
    for row in range(math.floor(south / cell_m) - 1, math.ceil(north / cell_m) + 2):
        for col in range(math.floor(west / cell_m) - 1, math.ceil(east / cell_m) + 2):
            x_m, y_m = (col + 0.5) * cell_m, (row + 0.5) * cell_m
            if area.covers(Point(x_m, y_m)):
                found.append((col, row, x_m, y_m))
    return found


def cells(
    *,
    area: BaseGeometry,
    districts: Sequence[tuple[str, BaseGeometry]],
    n_nodes: int,
    edges: Sequence[Edge],
    walker: Walker,
    services: Mapping[str, Sequence[tuple[str, float, float]]],
    cell_m: float,
    snap_m: float = 100.0,
) -> list[Cell]:
    """Every cell with its minutes to the nearest service of each category."""
    useful = useful_edges(n_nodes, edges, walker)
    usable = [yes and edge.on_ground for yes, edge in zip(useful, edges, strict=True)]
    doors: dict[str, list[tuple[str, Stop]]] = {}
    tables: dict[str, list[list[float]]] = {}
    for category, places in services.items():
        doors[category] = [
            (name, stop)
            for name, x, y in places
            for stop in entries(edges, usable, x, y, max_m=snap_m, always_m=snap_m)
        ]
        tables[category] = node_minutes(n_nodes, edges, walker, [s for _, s in doors[category]])
    found = []
    for col, row, x_m, y_m in grid(area, cell_m):
        centre = Point(x_m, y_m)
        district = next((key for key, shape in districts if shape.covers(centre)), "")
        stops = entries(edges, usable, x_m, y_m, max_m=snap_m)
        minutes, nearest = {}, {}
        for category, named in doors.items():
            minutes[category], nearest[category] = (INF if stops else math.nan), ""
            for stop in stops:
                each = place_minutes(edges, walker, stop, [s for _, s in named], tables[category])
                best = min(zip(each, [name for name, _ in named], strict=True), default=(INF, ""))
                if best[0] < INF and best < (minutes[category], nearest[category] or "~"):
                    minutes[category], nearest[category] = best
        found.append(Cell(col, row, x_m, y_m, district, bool(stops), minutes, nearest))
    return found


def status(minutes: float, threshold_min: float) -> str:
    """One of the five words, by the definition of borderline (speed ± 10 %)."""
    if math.isnan(minutes):
        return "off_network"
    within = minutes <= threshold_min
    within_if_slower = minutes <= 0.9 * threshold_min
    within_if_faster = minutes <= 1.1 * threshold_min
    if within:
        return "covered" if within_if_slower else "borderline_covered"
    return "borderline_uncovered" if within_if_faster else "uncovered"


def zones(members: Iterable[tuple[int, int]]) -> list[set[tuple[int, int]]]:
    """Connected zones of cells that share a side."""
    left = set(members)
    found = []
    while left:
        zone = {left.pop()}
        waiting = list(zone)
        while waiting:
            col, row = waiting.pop()
            for beside in ((col + 1, row), (col - 1, row), (col, row + 1), (col, row - 1)):
                if beside in left:
                    left.remove(beside)
                    zone.add(beside)
                    waiting.append(beside)
        found.append(zone)
    return found


def weighted_median(values: Sequence[float], weights: Sequence[float], share: float) -> float:
    """Smallest value at or below which at least the share of the weight lies."""
    total = sum(weights)
    running = 0.0
    for value, weight in sorted(zip(values, weights, strict=True)):
        running += weight
        if weight > 0 and running >= share * total - 1e-9 * total:
            return value
    return math.nan
