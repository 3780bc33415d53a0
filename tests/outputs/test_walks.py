"""The walks of the map's page: unpacked elsewhere, they are the streets of the study."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from helpers import packed_walks
from helpers.toy_town import town_study
from quart_heure.cache import Cache
from quart_heure.network.barriers import Barriers
from quart_heure.network.components import useful_parts
from quart_heure.network.entries import needed_entries, walked_to
from quart_heure.network.frontages import Frontages
from quart_heure.network.snapping import Attachment, snap
from quart_heure.outputs.discretion import publishable
from quart_heure.outputs.map import walks as walks_module
from quart_heure.outputs.map.cells import RESIDENTS, Grid, cells_shown, whole_residents
from quart_heure.outputs.map.data import PackedWalks
from quart_heure.outputs.map.views import services_shown
from quart_heure.outputs.map.walk_streets import LENGTH_M, STRAIGHT_M, UNIT_M, WalkStreets, planes
from quart_heure.outputs.map.walks import walks
from quart_heure.outputs.shapes import Pen
from quart_heure.study import Coverage, analyse

HALF_UNIT_M = UNIT_M / 2 * np.sqrt(2)


@given(st.lists(st.integers(-(2**30), 2**30)))
def test_numbers_of_any_sign_are_unpacked_as_they_were(numbers: list[int]) -> None:
    assert packed_walks.numbers(planes(np.array(numbers, dtype=np.int64))) == numbers


@given(st.lists(st.floats(0, 500), min_size=1))
def test_rounding_of_residents_never_adds_up(residents: list[float]) -> None:
    units = whole_residents(np.array(residents))
    assert (units >= 0).all()
    apart = np.cumsum(units) * RESIDENTS - np.cumsum(residents)
    assert np.abs(apart).max() <= RESIDENTS / 2 + 1e-6


@pytest.fixture(scope="module")
def published(toy_coverage: Coverage) -> Coverage:
    return publishable(toy_coverage)


@pytest.fixture(scope="module")
def places(published: Coverage) -> dict[str, int]:
    return services_shown(published, Pen(published.study.area.crs), lang="fr")[1]


@pytest.fixture(scope="module")
def packed(published: Coverage, places: dict[str, int]) -> PackedWalks:
    return walks(published, Grid(published), places)


@pytest.fixture(scope="module")
def streets(published: Coverage, packed: PackedWalks) -> WalkStreets:
    doors, study = published.basis.doors, published.study
    return WalkStreets.of(
        doors.network,
        doors.graph,
        useful=useful_parts(doors.network, share=study.useful_share).edges,
        usable=doors.usable,
        corner=np.array(packed.corner),
    )


def test_unpacked_streets_are_those_of_the_network(
    published: Coverage, packed: PackedWalks, streets: WalkStreets
) -> None:
    doors = published.basis.doors
    network, graph = doors.network, doors.graph
    parts = useful_parts(network, share=published.study.useful_share)
    found = packed_walks.streets(packed.edges, unit_m=packed.unit_m, length_m=packed.length_m)
    assert sorted(streets.edge) == np.flatnonzero(parts.edges).tolist()
    node: dict[int, int] = {}
    for n, edge in enumerate(streets.edge):
        line = np.array(found.drawing[n]) * packed.unit_m + packed.corner
        wanted = network.lines[edge]
        ends = [int(network.u[edge]), int(network.v[edge])]
        if streets.turned[n]:
            wanted, ends = shapely.reverse(wanted), ends[::-1]
        assert shapely.hausdorff_distance(shapely.LineString(line), wanted) <= (
            STRAIGHT_M + HALF_UNIT_M
        )
        for place, end in zip((line[0], line[-1]), (0, -1), strict=True):
            assert np.hypot(*(place - shapely.get_coordinates(wanted)[end])) <= HALF_UNIT_M
        # One node of the page for each of the network.
        for name, at in zip(ends, (found.u[n], found.v[n]), strict=True):
            assert node.setdefault(name, at) == at
        there = network.length_m[edge] * graph.effort_forward[edge]
        back = network.length_m[edge] * graph.effort_backward[edge]
        if streets.turned[n]:
            there, back = back, there
        assert abs(found.there[n] * packed.length_m - there) <= LENGTH_M / 2 + 1e-9
        assert abs(found.back[n] * packed.length_m - back) <= LENGTH_M / 2 + 1e-9
        assert bool(found.flags[n] & 1) == bool(doors.usable[edge])
        assert not found.flags[n] & 6 or not (graph.forward[edge] and graph.backward[edge])
    assert len(set(node.values())) == len(node) == packed.edges.n_nodes


def test_unpacked_barriers_are_those_of_the_ground(
    packed: PackedWalks, published: Coverage
) -> None:
    found = packed_walks.barriers(packed.barriers, unit_m=packed.unit_m)
    ground = published.study.ground
    wanted = np.empty(0, object) if ground is None else shapely.get_parts(ground.barriers)
    assert len(found) == len(wanted)


def test_unpacked_barriers_of_all_kinds(packed: PackedWalks) -> None:
    from quart_heure.outputs.map.walks import _barriers, _in_units  # noqa: PLC0415

    ring = shapely.Point(50, 50).buffer(40, quad_segs=3)
    pond = ring.difference(shapely.Point(50, 50).buffer(10, quad_segs=2))
    shapes = np.array(
        [
            pond,
            shapely.LineString([(0, 0), (9, 7.3)]),
            shapely.MultiPolygon([ring, shapely.box(200, 0, 210, 9)]),
        ],
        dtype=object,
    )
    corner = np.array([-100.0, -40.0])
    found = packed_walks.barriers(_barriers(_in_units(shapes, corner)), unit_m=UNIT_M)
    wanted = [shapes[1], shapes[0], *shapely.get_parts(shapes[2])]
    assert [shapely.get_num_interior_rings(one) for one in found[1:]] == [1, 0, 0]
    for one, other in zip(found, wanted, strict=True):
        moved = shapely.transform(one, lambda xy: xy + corner)
        assert shapely.hausdorff_distance(moved, other) <= HALF_UNIT_M


def test_residents_and_districts_are_those_of_the_cells(
    published: Coverage,
) -> None:
    grid, cells = Grid(published), published.cells
    packed = cells_shown(published, grid, {})
    at = grid.place(cells["col"].to_numpy(), cells["row"].to_numpy())
    layers = [packed_walks.steps(layer) for layer in packed.residents]
    units = np.sum([np.array(layer) << 8 * n for n, layer in enumerate(layers)], axis=0)
    residents = units[at] * packed.resident_unit
    assert np.abs(residents - cells["residents"]).max() <= packed.resident_unit
    assert residents.sum() == pytest.approx(cells["residents"].sum(), abs=packed.resident_unit)
    (district,) = packed.district  # of two districts, one byte is enough
    rows = np.array(packed_walks.steps(district))[at] - 1
    names = published.study.area.districts["district_id"].astype(str).tolist()
    assert [names[row] for row in rows] == cells["district_id"].astype(str).tolist()


def listed(packed: list[str], counts: list[str], steps: list[str]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    left = iter(packed_walks.numbers(steps))
    place = first = 0
    for step, n in zip(packed_walks.numbers(packed), packed_walks.numbers(counts), strict=True):
        place += step
        edges = []
        edge = first
        for i in range(n):
            edge += next(left)
            first = edge if i == 0 else first
            edges.append(edge)
        found[place] = edges
    assert next(left, None) is None
    return found


def test_listed_streets_are_those_that_cells_enter_at(
    packed: PackedWalks, published: Coverage, streets: WalkStreets
) -> None:
    cells, network = published.basis.cells, published.basis.doors.network
    entered = streets.entered(cells.attachment, network)
    at = Grid(published).place(cells.col, cells.row)
    cell_of = dict(zip(at.tolist(), range(len(at)), strict=True))
    found = listed(packed.cells.places, packed.cells.counts, packed.cells.steps)
    for place, edges in found.items():
        cell = cell_of[place]
        wanted = entered.edge[entered.begin[cell] : entered.begin[cell + 1]]
        assert edges == sorted(wanted.tolist())


def test_walks_between_entries_are_found_street_by_street(published: Coverage) -> None:
    doors, cells = published.basis.doors, published.basis.cells
    some = np.flatnonzero(cells.attachment.attached)[::97]
    places = cells.attachment[some]
    every = snap(
        doors.network,
        cells.centre_xy[some],
        usable=doors.usable,
        barriers=None if doors.ground is None else Barriers.of_shapes(doors.ground.barriers),
    )
    metres = walked_to(doors.graph, places, every)
    # What was dropped as needless is got to no later through what was kept.
    assert (metres <= every.access_m + 1e-6).all()
    slow = _walked_slowly(doors.graph, places, every)
    np.testing.assert_allclose(metres, slow, atol=1e-6)
    assert len(needed_entries(doors.graph, every).place) == len(places.place)


def _walked_slowly(graph: object, places: Attachment, points: Attachment) -> NDArray[np.float64]:
    """Return the same from one place after another, walking on until nothing is shorter."""
    found = []
    for place in range(len(places)):
        own = _entries(places, place)
        theirs = _entries(points, place)
        level: dict[int, float] = {}
        edges = {edge for edge, _, _ in own + theirs}
        for edge, offset, access in own:
            for node, metres, free in (
                (graph.u[edge], offset, graph.backward[edge] or offset == 0),
                (graph.v[edge], graph.length_m[edge] - offset, graph.forward[edge]),
            ):
                if free:
                    level[node] = min(level.get(node, np.inf), access + metres)
        for _ in range(len(edges) + 1):
            for edge in edges:
                u, v, metres = graph.u[edge], graph.v[edge], graph.length_m[edge]
                if graph.forward[edge]:
                    level[v] = min(level.get(v, np.inf), level.get(u, np.inf) + metres)
                if graph.backward[edge]:
                    level[u] = min(level.get(u, np.inf), level.get(v, np.inf) + metres)
        for edge, offset, _ in theirs:
            ways = [
                level.get(graph.u[edge], np.inf) + offset,
                level.get(graph.v[edge], np.inf) + graph.length_m[edge] - offset,
                *(access + abs(offset - at) for one, at, access in own if one == edge),
            ]
            found.append(min(ways))
    return np.array(found)


def _entries(places: Attachment, place: int) -> list[tuple[int, float, float]]:
    part = slice(places.begin[place], places.begin[place + 1])
    return list(
        zip(
            places.edge[part].tolist(),
            places.offset_m[part].tolist(),
            places.access_m[part].tolist(),
            strict=True,
        )
    )


def test_streets_and_cells_are_looked_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, packed: PackedWalks, places: dict[str, int]
) -> None:
    cache = Cache(tmp_path)
    coverage = publishable(analyse(town_study(), cache=cache))
    assert walks(coverage, Grid(coverage), places) == packed
    monkeypatch.setattr(WalkStreets, "of", None)
    looked_at = []
    real = walks_module.snap_to

    def counted(frontages: Frontages, xy: NDArray[np.float64], **options: Any) -> Attachment:
        looked_at.append(len(xy))
        return real(frontages, xy, **options)

    monkeypatch.setattr(walks_module, "snap_to", counted)
    assert walks(coverage, Grid(coverage), places) == packed
    assert looked_at == [len(places)]  # the services alone: where they are is kept nowhere
