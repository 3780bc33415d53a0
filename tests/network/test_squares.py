"""Walks across squares stay inside, and are as short as walks can be."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence
from typing import Any

import networkx as nx
import numpy as np
import pyproj
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from quart_heure.network.graph import Flags, WalkNetwork
from quart_heure.network.rules import judge
from quart_heure.network.square_walks import MOST_ENTRANCES, cross_squares
from quart_heure.network.squares import Square, find_squares
from quart_heure.network.streets import network_from_osm
from quart_heure.sources.osm.data import RawOsm, from_overpass

CRS = pyproj.CRS.from_epsg(2154)
AREA = {"highway": "pedestrian", "area": "yes"}
Ring = list[tuple[float, float]]


def square_of(*rings: Ring, outer: int = 1) -> tuple[Square, NDArray[np.float64]]:
    """Return a square and the places of its nodes, ring after ring."""
    xy = np.array([place for ring in rings for place in ring], dtype=float)
    ends = np.cumsum([len(ring) for ring in rings])
    nodes = np.split(np.arange(len(xy)), ends[:-1])
    square = Square(
        osm_id=1,
        verdict=judge(AREA),
        kind="pedestrian",
        name="",
        outer=tuple(nodes[:outer]),
        inner=tuple(nodes[outer:]),
        ways=(0,),
    )
    return square, xy


def walks(
    square: Square,
    xy: NDArray[np.float64],
    entrances: list[int],
    *,
    outline_walked: bool = True,
    obstacles: Sequence[shapely.Geometry] = (),
) -> list[tuple[int, int]]:
    nodes = np.array(entrances, dtype=np.int64)
    in_the_way = np.array(obstacles, dtype=object)
    ((a, b),) = cross_squares([square], xy, [nodes], [outline_walked], in_the_way)
    return sorted((min(pair), max(pair)) for pair in zip(a.tolist(), b.tolist(), strict=True))


BOX: Ring = [(0, 0), (100, 0), (100, 100), (0, 100)]
HOLE: Ring = [(30, 30), (70, 30), (70, 70), (30, 70)]
ELBOW: Ring = [(0, 0), (100, 0), (100, 20), (20, 20), (20, 100), (0, 100)]


def test_opposite_corners_see_each_other() -> None:
    assert walks(*square_of(BOX), [0, 2]) == [(0, 2)]


def test_a_side_is_walked_already() -> None:
    assert walks(*square_of(BOX), [0, 1]) == []
    assert walks(*square_of(BOX), [0, 1], outline_walked=False) == [(0, 1)]


def test_all_corners() -> None:
    assert walks(*square_of(BOX), [0, 1, 2, 3]) == [(0, 2), (1, 3)]


def test_a_hole_is_walked_around() -> None:
    found = walks(*square_of(BOX, HOLE), [0, 2])
    # Nodes 4 … 7 are the corners of the hole: around two of them, on one side or the other.
    assert found in ([(0, 5), (2, 5)], [(0, 7), (2, 7)])


def test_an_entrance_on_the_hole() -> None:
    assert walks(*square_of(BOX, HOLE), [0, 4]) == [(0, 4)]


def test_an_elbow_is_walked_around_its_corner() -> None:
    # From the end of one arm to the end of the other, around the inner corner, node 3.
    assert walks(*square_of(ELBOW), [1, 5]) == [(1, 3), (3, 5)]


def test_a_clockwise_outline_is_the_same() -> None:
    square, xy = square_of(ELBOW[::-1])
    assert walks(square, xy, [0, 4]) == [(0, 2), (2, 4)]


@pytest.mark.parametrize("entrances", [[], [2]])
def test_one_entrance_needs_no_walk(entrances: list[int]) -> None:
    assert walks(*square_of(BOX), entrances) == []


def test_an_outline_that_crosses_itself_is_not_crossed() -> None:
    assert walks(*square_of([(0, 0), (100, 100), (100, 0), (0, 100)]), [0, 1]) == []


def test_two_grounds_without_a_way_between_them() -> None:
    far: Ring = [(x + 500, y) for x, y in BOX]
    found = walks(*square_of(BOX, far, outer=2), [0, 2, 4, 6])
    assert found == [(0, 2), (4, 6)]


def test_many_entrances_get_few_walks() -> None:
    turn = np.linspace(0, 2 * np.pi, 300, endpoint=False)
    square, xy = square_of([(100 * np.cos(t), 100 * np.sin(t)) for t in turn])
    found = walks(square, xy, list(range(300)))
    ends = {node for pair in found for node in pair}
    assert len(ends) <= MOST_ENTRANCES
    assert len(found) < 0.7 * MOST_ENTRANCES * (MOST_ENTRANCES - 1) / 2


RADII = st.lists(st.integers(20, 100), min_size=4, max_size=12)


@st.composite
def stars(draw: st.DrawFn) -> tuple[Square, NDArray[np.float64], list[int]]:
    """Squares with jagged outlines, some with a hole in the middle, and some entrances."""
    radii = draw(RADII)
    turn = np.linspace(0, 2 * np.pi, len(radii), endpoint=False)
    rings = [[(r * np.cos(t), r * np.sin(t)) for r, t in zip(radii, turn, strict=True)]]
    if draw(st.booleans()):
        rings.append([(8, 0), (0, 8), (-8, 0), (0, -8)])
    square, xy = square_of(*rings)
    entrances = draw(st.lists(st.sampled_from(range(len(xy))), min_size=2, max_size=6, unique=True))
    return square, xy, sorted(entrances)


def ground_of(square: Square, xy: NDArray[np.float64]) -> shapely.Geometry:
    return shapely.Polygon(xy[square.outer[0]], [xy[ring] for ring in square.inner])


@given(stars())
def test_walks_stay_inside_and_are_as_short_as_can_be(
    star: tuple[Square, NDArray[np.float64], list[int]],
) -> None:
    square, xy, entrances = star
    ground = shapely.buffer(ground_of(square, xy), 0.02)
    if not shapely.is_valid(ground_of(square, xy)):
        return  # the hole pokes out
    found = walks(square, xy, entrances)
    for a, b in found:
        assert ground.covers(shapely.LineString(xy[[a, b]]))
    walked, best = nx.Graph(), nx.Graph()
    walked.add_nodes_from(entrances)
    outline = square.outer[0].tolist()
    for a, b in [*found, *itertools.pairwise([*outline, outline[0]])]:
        walked.add_edge(a, b, metres=np.hypot(*(xy[a] - xy[b])))
    for a, b in itertools.combinations(range(len(xy)), 2):
        if ground.covers(shapely.LineString(xy[[a, b]])):
            best.add_edge(a, b, metres=np.hypot(*(xy[a] - xy[b])))
    for a, b in itertools.combinations(entrances, 2):
        shortest = nx.shortest_path_length(best, a, b, weight="metres")
        metres = nx.shortest_path_length(walked, a, b, weight="metres")
        assert shortest - 0.1 <= metres <= 1.021 * shortest + 0.1


@given(stars())
def test_walks_do_not_depend_on_where_the_square_is(
    star: tuple[Square, NDArray[np.float64], list[int]],
) -> None:
    square, xy, entrances = star
    moved = np.round(xy) + np.array([650_000, 6_860_000])
    assert len(walks(square, moved, entrances)) == len(walks(square, np.round(xy), entrances))


def moved(square: Square, by: int) -> Square:
    """Return a square whose nodes have numbers that are larger by so many."""
    outer, inner = (tuple(ring + by for ring in rings) for rings in (square.outer, square.inner))
    return dataclasses.replace(square, outer=outer, inner=inner)


@given(st.lists(stars(), min_size=1, max_size=5), st.booleans())
def test_squares_of_a_town_are_crossed_as_each_alone(
    town: list[tuple[Square, NDArray[np.float64], list[int]]], outline_walked: bool
) -> None:
    squares, places, entrances, alone, n = [], [], [], [], 0
    for square, xy, entered in town:
        alone.append(walks(square, xy, entered, outline_walked=outline_walked))
        squares.append(moved(square, n))
        places.append(xy)
        entrances.append(np.array(entered, dtype=np.int64) + n)
        n += len(xy)
    found = cross_squares(squares, np.concatenate(places), entrances, [outline_walked] * len(town))
    for square, (a, b), expected in zip(squares, found, alone, strict=True):
        first = square.ring_nodes[0]
        pairs = zip((a - first).tolist(), (b - first).tolist(), strict=True)
        assert sorted((min(pair), max(pair)) for pair in pairs) == expected


def test_squares_that_share_nodes_are_crossed_as_each_alone() -> None:
    # Side by side, with two nodes in common; one is entered there, the other is not.
    xy = np.array([*BOX, (200, 0), (200, 100)], dtype=float)
    left, _ = square_of(BOX)
    right = dataclasses.replace(left, outer=(np.array([1, 4, 5, 2]),))
    entrances = [np.array([0, 2]), np.array([4, 2])]
    found = cross_squares([left, right], xy, entrances, [True, True])
    assert [sorted((*a.tolist(), *b.tolist())) for a, b in found] == [[0, 2], [2, 4]]
    found = cross_squares([left, right], xy, [entrances[0], np.array([4])], [True, False])
    assert [len(a) for a, _ in found] == [1, 0]


def test_grounds_that_touch_at_a_node() -> None:
    xy = np.array([*BOX, (200, 100), (200, 200), (100, 200)], dtype=float)
    one, _ = square_of(BOX)
    both = dataclasses.replace(one, outer=(np.arange(4), np.array([2, 4, 5, 6])))
    # Along the first outline to the node that both have, and along the second from there.
    assert walks(both, xy, [0, 2, 5]) == [(0, 2), (2, 5)]
    assert walks(both, xy, [0, 5]) == walks(both, xy, [0, 5], outline_walked=False) == [(0, 5)]


def comb(n_teeth: int) -> Ring:
    """Return an outline with so many teeth, each with one corner that walks bend around."""
    teeth = [((k, 10), (k + 0.5, 1)) for k in range(n_teeth, 0, -1)]
    return [(0, 0), (n_teeth + 1, 0), *itertools.chain.from_iterable(teeth)]


@pytest.mark.parametrize(("n_teeth", "crossed"), [(140, True), (160, False)])
def test_of_very_many_corners_none_is_walked_around(n_teeth: int, crossed: bool) -> None:
    square, xy = square_of(comb(n_teeth))
    tips = [place for place, (_, y) in enumerate(xy.tolist()) if y == 10]
    found = walks(square, xy, [tips[0], tips[-1]], outline_walked=False)
    assert bool(found) == crossed


def node(osm_id: int, x: float, y: float, **tags: str) -> dict[str, Any]:
    lon, lat = 2.35 + x / 73_340, 48.85 + y / 111_210
    return {"type": "node", "id": osm_id, "lon": lon, "lat": lat, "tags": tags}


def way(osm_id: int, *nodes: int, **tags: str) -> dict[str, Any]:
    return {"type": "way", "id": osm_id, "nodes": list(nodes), "tags": tags}


CORNERS = [node(k + 1, *place) for k, place in enumerate(BOX)]
FEET = [node(5, -50, -50), node(6, 150, 150)]
PATHS = [way(11, 5, 1, highway="footway"), way(12, 3, 6, highway="footway")]


def network_of(*elements: dict[str, Any]) -> WalkNetwork:
    return network_from_osm(from_overpass([*CORNERS, *FEET, *PATHS, *elements]), crs=CRS)


def crossings(network: WalkNetwork) -> int:
    return int(np.count_nonzero(network.flags & Flags.SQUARE_WALK))


def test_a_pedestrian_loop_is_no_square() -> None:
    assert crossings(network_of(way(10, 1, 2, 3, 4, 1, **AREA))) == 1
    assert crossings(network_of(way(10, 1, 2, 3, 4, 1, highway="pedestrian"))) == 0
    assert crossings(network_of(way(10, 1, 2, 3, 4, **AREA))) == 0


def test_a_private_square_is_not_crossed() -> None:
    network = network_of(way(10, 1, 2, 3, 4, 1, **AREA, access="private"))
    assert set(network.osm_id.tolist()) == {11, 12}


def test_an_entrance_with_a_shut_gate_is_none() -> None:
    gate = [node(3, 100, 100, barrier="gate", locked="yes")]
    raw = from_overpass(
        [*CORNERS[:2], *gate, CORNERS[3], *FEET, *PATHS, way(10, 1, 2, 3, 4, 1, **AREA)]
    )
    network = network_from_osm(raw, crs=CRS)
    assert crossings(network) == 0
    graph = network.to_networkx()
    assert nx.number_weakly_connected_components(graph) == 2


def test_flags_of_a_square_are_those_of_its_walks() -> None:
    network = network_of(way(10, 1, 2, 3, 4, 1, **AREA, opening_hours="08:00-20:00"))
    walk = network.flags & Flags.SQUARE_WALK > 0
    assert set(network.flags[walk].tolist()) == {Flags.SQUARE_WALK | Flags.CLOSED_AT_TIMES}


def relation(*members: tuple[int, str]) -> dict[str, Any]:
    return {
        "type": "relation",
        "id": 9,
        "tags": {"type": "multipolygon", "highway": "pedestrian"},
        "members": [{"type": "way", "ref": ref, "role": role} for ref, role in members],
    }


def squares_of(*elements: dict[str, Any]) -> list[Square]:
    raw: RawOsm = from_overpass([*CORNERS, *elements])
    return find_squares(raw, lambda way: judge(raw.way_tags[way]))


@pytest.mark.parametrize(
    "pieces",
    [
        [(1, 2, 3, 4, 1)],
        [(1, 2), (2, 3), (3, 4), (4, 1)],
        [(1, 2), (4, 3), (2, 3), (4, 1)],  # as they come, some backwards
        [(3, 2, 1), (3, 4, 1)],
    ],
)
def test_outlines_in_pieces_are_joined(pieces: list[tuple[int, ...]]) -> None:
    ways = [way(20 + k, *nodes) for k, nodes in enumerate(pieces)]
    (square,) = squares_of(*ways, relation(*((20 + k, "outer") for k in range(len(pieces)))))
    assert (square.osm_id, square.is_relation) == (-9, True)
    assert sorted(square.outer[0].tolist()) == [0, 1, 2, 3]


def test_an_outline_of_very_many_pieces_is_joined() -> None:
    n = 20_000  # a minute if each were compared with each
    turn = 2 * np.pi * np.arange(n) / n
    ring = [node(100 + k, 500 * np.cos(t), 500 * np.sin(t)) for k, t in enumerate(turn)]
    ways = [way(50_000 + k, 100 + k, 100 + (k + 1) % n) for k in range(n)]
    members = np.random.default_rng(0).permutation(n).tolist()
    (square,) = squares_of(*ring, *ways, relation(*((50_000 + k, "outer") for k in members)))
    assert len(square.outer[0]) == n


def test_an_outline_that_does_not_close_is_no_square() -> None:
    assert squares_of(way(20, 1, 2, 3), relation((20, "outer"))) == []
    assert squares_of(relation((20, "outer"))) == []


def test_the_outline_of_a_relation_is_walked() -> None:
    network = network_of(way(20, 1, 2, 3, 4, 1), relation((20, "outer")))
    assert set(network.osm_id.tolist()) == {11, 12, -9}
    assert crossings(network) == 1
    metres = network.length_m[network.osm_id == -9].sum()
    assert metres == pytest.approx(400 + 141.42, rel=2e-3)


def test_a_square_that_shares_its_outline_with_another() -> None:
    second = [node(7, 200, 0), node(8, 200, 100)]
    network = network_of(*second, way(10, 1, 2, 3, 4, 1, **AREA), way(15, 2, 7, 8, 3, 2, **AREA))
    assert network.meta["squares_without_entrance"] == []
    graph = network.to_networkx()
    assert nx.number_weakly_connected_components(graph) == 1


# --- what stands, grows or runs on squares -------------------------------------------------------


def test_a_walk_goes_round_a_wood_by_the_corners_that_are_mapped() -> None:
    square, xy = square_of(BOX)
    wood = shapely.box(40, 40, 60, 60)
    assert walks(square, xy, [0, 2], obstacles=[wood]) == []
    beside = shapely.box(70, 10, 90, 30)
    assert walks(square, xy, [0, 2], obstacles=[beside]) == [(0, 2)]
    # Its hole is mapped: the walk goes round a corner of it, and not through the wood beside. Two
    # of its corners are as near; which one is taken is up to the versions of the libraries.
    court, xy = square_of(BOX, HOLE)
    found = walks(court, xy, [0, 2], obstacles=[shapely.box(71, 0, 100, 29)])
    assert found in ([(0, 5), (2, 5)], [(0, 7), (2, 7)])


def test_a_walk_along_the_edge_of_a_wood_is_kept() -> None:
    square, xy = square_of(BOX)
    half = shapely.Polygon([(0, 0), (100, 100), (0, 100)])
    assert walks(square, xy, [0, 2], obstacles=[half]) == [(0, 2)]


def test_no_walk_crosses_rails_save_where_it_begins_on_them() -> None:
    square, xy = square_of(BOX)
    rails = shapely.LineString([(50, -10), (50, 110)])
    assert walks(square, xy, [0, 2], obstacles=[rails]) == []
    level_crossing = shapely.LineString([(-50, 50), (50, -50)])
    assert walks(square, xy, [0, 2], obstacles=[level_crossing]) == [(0, 2)]


def test_a_square_on_a_bridge_lies_above_the_water() -> None:
    square, xy = square_of(BOX)
    water = shapely.box(-10, 40, 110, 60)
    assert walks(square, xy, [0, 2], obstacles=[water]) == []
    above = dataclasses.replace(square, on_ground=False)
    assert walks(above, xy, [0, 2], obstacles=[water]) == [(0, 2)]


OBSTACLES = st.lists(
    st.tuples(st.integers(-90, 90), st.integers(-90, 90), st.integers(5, 60), st.integers(5, 60)),
    min_size=1,
    max_size=5,
)


@given(RADII, OBSTACLES)
def test_no_walk_crosses_what_is_in_the_way(
    radii: list[int], boxes: list[tuple[int, int, int, int]]
) -> None:
    turn = np.linspace(0, 2 * np.pi, len(radii), endpoint=False)
    square, xy = square_of(
        [(r * np.cos(t), r * np.sin(t)) for r, t in zip(radii, turn, strict=True)]
    )
    areas = [shapely.box(x, y, x + w, y + h) for x, y, w, h in boxes[1:]]
    x, y, w, h = boxes[0]
    rails = shapely.LineString([(x - w, y - h), (x + w, y + h)])
    for one, other in walks(square, xy, list(range(len(radii))), obstacles=[*areas, rails]):
        line = shapely.LineString([xy[one], xy[other]])
        assert not line.crosses(rails)
        for area in areas:
            assert line.intersection(area.buffer(-0.1)).length < 0.1


@pytest.mark.parametrize(
    ("tags", "crossed"),
    [({}, True), ({"natural": "wood"}, False), ({"leisure": "pitch"}, False)],
)
@pytest.mark.parametrize("layer", ["", "1"])
def test_squares_of_raw_data_are_not_crossed_through_woods(
    tags: dict[str, str], crossed: bool, layer: str
) -> None:
    corners = {1: (0, 0), 2: (100, 0), 3: (100, 100), 4: (0, 100), 5: (-50, 0), 6: (150, 100)}
    pond = {11: (40, 40), 12: (60, 40), 13: (60, 60), 14: (40, 60)}
    elements: list[dict[str, Any]] = [
        {"type": "node", "id": k, "lon": 2.35 + x / 73_340, "lat": 48.85 + y / 111_210}
        for k, (x, y) in {**corners, **pond}.items()
    ]
    place = {"highway": "pedestrian", "area": "yes"} | ({"layer": layer} if layer else {})
    ways = {
        20: ([1, 2, 3, 4, 1], place),
        21: ([5, 1], {"highway": "footway"}),
        22: ([3, 6], {"highway": "footway"}),
        23: ([11, 12, 13, 14, 11], tags),
    }
    elements += [
        {"type": "way", "id": k, "nodes": nodes, "tags": about}
        for k, (nodes, about) in ways.items()
    ]
    raw = from_overpass(elements)
    network = network_from_osm(raw, crs=pyproj.CRS.from_epsg(2154))
    walk = network.flags & Flags.SQUARE_WALK > 0
    assert walk.any() == (crossed or layer == "1")
