"""Studies in tiles: what comes out is what one search of the whole gives, to the bit."""

from __future__ import annotations

import dataclasses
import datetime
import itertools
import random
from typing import Any

import numpy as np
import pytest
from shapely import LineString, box

from helpers import toy_town
from helpers.project import fewer
from helpers.random_towns import CLIMBER
from helpers.same import assert_same
from helpers.town_week import MONDAY, town_with_hours
from quart_heure.analysis.tiles import Tile, digest_of
from quart_heure.cache import Cache
from quart_heure.errors import NetworkError, StudyFileError
from quart_heure.network.graph import WalkNetwork
from quart_heure.profiles import ADULT, STEP_FREE
from quart_heure.sources.background import Ground
from quart_heure.study import Coverage, Study, analyse
from quart_heure.study.tiled import InTiles, cut


def in_tiles(study: Study, side: int) -> Coverage:
    return analyse(study, tiles=InTiles(tile_cells=side**2))


def tiles_of(study: Study, side: int) -> list[Tile]:
    return list(cut(study, side**2, cache=Cache(None)).tiles())


# --- towns ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("side", [7, 40])
def test_the_toy_town_in_tiles_is_the_toy_town(toy_coverage: Coverage, side: int) -> None:
    assert len(tiles_of(toy_coverage.study, side)) > 5
    assert_same(toy_coverage, in_tiles(toy_coverage.study, side))


@pytest.mark.parametrize("seed", fewer(range(60), 6))
def test_random_towns(seed: int) -> None:
    rng = random.Random(seed)
    town = toy_town.random_town(seed, n_services=6, lattice=rng.random() < 0.5)
    profile = rng.choice((ADULT, CLIMBER, STEP_FREE))
    study = town.study(profile=profile, useful_share=0.0, ground=walls_in(town, rng))
    assert_same(analyse(study), in_tiles(study, rng.randint(1, 7)))


def walls_in(town: toy_town.Town, rng: random.Random) -> Ground:
    """Put up short walls all over a town, and dig a pond."""
    (x, y), (width, height) = toy_town.ORIGIN, town.size_m

    def at() -> tuple[float, float]:
        return x + rng.uniform(-100, width), y + rng.uniform(-100, height)

    walls: list[Any] = []
    for _ in range(25):
        a, b = at()
        walls.append(LineString([(a, b), (a + rng.uniform(-40, 40), b + rng.uniform(-40, 40))]))
    a, b = at()
    pond = box(a, b, a + 80, b + 60)
    barriers = np.array([*walls, pond], dtype=object)
    return Ground(water=np.array([pond], dtype=object), barriers=barriers, source="made up")


def test_hours_and_weeks_are_those_of_the_whole() -> None:
    at = datetime.datetime(2026, 4, 28, 9)
    for asked in ({"at": at}, {"week": True, "week_of": MONDAY}):
        study = town_with_hours(**asked)
        assert_same(analyse(study), in_tiles(study, 6))


def test_water_that_seams_run_through() -> None:
    study = toy_town.town_study(ground=toy_town.town_river(), cell_m=50.0)
    whole = analyse(study)
    assert (whole.cells["status_esi"] == "water").any()
    assert_same(whole, in_tiles(study, 9))


def test_what_is_asked_afterwards_is_answered_as_of_the_whole(toy_coverage: Coverage) -> None:
    """Entries of all cells, which no tile hands on, are worked out when somebody asks for them."""
    tiled = in_tiles(toy_coverage.study, 16)
    assert "_entered" not in vars(tiled.basis.cells.attachment)
    whole, again = (
        each.basis.doors.times(each.attachment[np.array([6])]) for each in (toy_coverage, tiled)
    )
    assert np.isfinite(whole.minutes).any()
    assert np.array_equal(whole.minutes, again.minutes)
    cells, others = toy_coverage.basis.cells, tiled.basis.cells
    assert cells.attachment.digest == others.attachment.digest
    assert toy_coverage.prepared.cells.attachment.digest == tiled.prepared.cells.attachment.digest


def test_a_town_without_a_street_or_a_cell_is_refused_as_a_whole_one_is() -> None:
    x, y = toy_town.ORIGIN
    yard = toy_town.area_of([("Y", "", box(x + 1600, y + 1300, x + 1900, y + 1600))], name="Yard")
    with pytest.raises(NetworkError, match="No street of the network lies within"):
        in_tiles(toy_town.town_study(area=yard), 4)
    small = toy_town.area_of([("Z", "", box(x + 301, y + 301, x + 302, y + 302))], name="Small")
    with pytest.raises(StudyFileError):
        in_tiles(toy_town.town_study(area=small), 4)


def test_a_tile_is_read_back_from_its_arrays() -> None:
    for ground in (None, toy_town.town_river()):
        tiles = tiles_of(toy_town.town_study(ground=ground, cell_m=50.0), 12)
        arrays = [tile.arrays() for tile in tiles]
        again = [Tile.of(each).arrays() for each in arrays]
        digests = [digest_of(each) for each in arrays]
        assert digests == [digest_of(each) for each in again]
        assert len(set(digests)) == len(digests)


# --- what a seam could cut -----------------------------------------------------------------------


def streets(
    *lines: tuple[str, list[tuple[float, float]]], step_m: float = 50.0, backward: bool = True
) -> WalkNetwork:
    """Return streets, each cut into edges at each of its corners and every so many metres."""
    rows: list[dict[str, Any]] = []
    for name, stops in lines:
        for a, b in itertools.pairwise(stops):
            way = LineString([a, b])
            at = [*np.arange(0, way.length, step_m), way.length]
            points = [way.interpolate(each).coords[0] for each in at]
            rows += [
                {"name": name, "geometry": LineString([p, q]), "kind": "residential"}
                | {"steps": False, "bridge": False, "tunnel": False}
                | {"forward": True, "backward": backward}
                for p, q in itertools.pairwise(points)
            ]
    return WalkNetwork.from_edges(toy_town.finish_edges(rows))


def town_of(network: WalkNetwork, size_m: tuple[int, int], **values: Any) -> Study:
    x, y = toy_town.ORIGIN
    area = toy_town.area_of([("T", "", box(x, y, x + size_m[0], y + size_m[1]))], name="T")
    defaults: dict[str, Any] = {"area": area, "network": network, "residents": None}
    defaults |= {"cell_m": 50.0, "categories": ("esi",)}
    return toy_town.town_study(**{**defaults, **values})


def test_a_way_that_leaves_the_margin_and_comes_back() -> None:
    """The service is behind the next house; the way there is 6 km long, and most of it is cut."""
    round_way = [(0, 100), (3000, 100), (3000, 250), (0, 250)]
    network = streets(("long way round", [(float(x), float(y)) for x, y in round_way]))
    services = toy_town.services_of([("E", "esi", 20, 250, "open", False)])
    study = town_of(network, (3000, 400), services=services, snap_m=60.0, threshold_min=5.0)
    whole = analyse(study)
    first, *_ = tiles_of(study, 8)
    assert len(first.piece.node) < network.n_nodes / 2
    cells = whole.cells.set_index(["col", "row"])["minutes_esi"]
    col, row = (int(origin // 50) for origin in toy_town.ORIGIN)
    assert 75 < cells[(col, row + 1)] < 90
    assert cells[(col, row + 5)] < 2
    assert_same(whole, in_tiles(study, 8))


def test_a_margin_is_as_wide_as_the_longest_walk_that_leads_there() -> None:
    """All walk westwards alone, to a service that is just within the threshold of the last."""
    ways = [(float(x), 5.0) for x in range(400, -1, -10)]
    network = streets(("one way", ways), backward=False)
    services = toy_town.services_of([("E", "esi", 20, 5, "open", False)])
    study = town_of(
        network, (400, 10), services=services, cell_m=10.0, snap_m=15.0, threshold_min=5.0
    )
    whole = analyse(study)
    assert whole.cells["minutes_esi"].between(4.8, 5.0).any()
    assert_same(whole, in_tiles(study, 2))


def test_a_gap_across_four_tiles_is_one_gap() -> None:
    grid = [(f"x{x}", [(float(x), 0.0), (float(x), 2000.0)]) for x in range(0, 2001, 100)]
    grid += [(f"y{y}", [(0.0, float(y)), (2000.0, float(y))]) for y in range(0, 2001, 100)]
    services = toy_town.services_of(
        [(f"E{at}", "esi", x, y, "open", False) for at, (x, y) in enumerate(CORNERS)]
    )
    network = streets(*grid, step_m=100.0)
    study = town_of(network, (2000, 2000), services=services, threshold_min=8.0)
    side = 20  # of 1 km: the seams meet at the middle of the town
    tiled = in_tiles(study, side)
    assert_same(analyse(study), tiled)
    (gap,) = tiled.gaps.loc[tiled.gaps["category"] == "esi"].itertuples()
    inside = tiled.cells[tiled.cells["status_esi"] == "uncovered"]
    blocks = {
        (col // side, row // side) for col, row in zip(inside["col"], inside["row"], strict=True)
    }
    assert len(blocks) == 4
    assert gap.area_ha == len(inside) * 0.25


CORNERS = ((0, 0), (0, 2000), (2000, 0), (2000, 2000))


def test_cells_give_way_on_either_side_of_a_seam() -> None:
    """A slip road between fences leads to no service; the street behind it does."""
    slip = ("slip", [(0.0, 100.0), (1000.0, 100.0)])
    main = ("main", [(0.0, 160.0), (1000.0, 160.0), (1000.0, 400.0), (0.0, 400.0)])
    # Of a part without a service that is too far from any other, cells stay where they are.
    far = ("far", [(0.0, 900.0), (1000.0, 900.0)])
    network = streets(slip, main, far, step_m=40.0)
    services = toy_town.services_of([("E", "esi", 300, 230, "open", False)])
    study = town_of(network, (1000, 1000), services=services, snap_m=100.0)
    whole = analyse(study)
    before, after = (each.cells.attachment for each in (whole.prepared, whole.basis))
    gave = before.attached & (before.nearest_edge != after.nearest_edge)
    for side in (1, 7):
        tiles = tiles_of(study, side)
        assert all(tile.gives_way for tile in tiles)
        assert sum(bool((tile.unserved & tile.usable).any()) for tile in tiles) > 2
        assert_same(whole, in_tiles(study, side))
    assert len(np.unique(whole.basis.cells.col[gave] // 7)) > 2
    assert (whole.cells.loc[whole.cells["y_m"] > toy_town.ORIGIN[1] + 850, "on_network"]).all()


def test_places_as_near_to_two_streets_keep_the_first_whatever_lies_elsewhere() -> None:
    """Entries within a micrometre are in the order of streets, with water elsewhere or without."""
    hair = 4e-7
    network = streets(
        ("one", [(0.0, 30.0 + hair), (400.0, 30.0 + hair)]),
        ("two", [(0.0, 20.0), (400.0, 20.0)]),
        ("end", [(400.0, 20.0), (400.0, 30.0 + hair)]),
        step_m=1000.0,
    )
    services = toy_town.services_of([("E", "esi", 390, 25, "open", False)])
    study = town_of(network, (400, 50), services=services)
    pond = dataclasses.replace(toy_town.town_river(), barriers=np.empty(0, dtype=object))
    x, y = toy_town.ORIGIN
    pond = dataclasses.replace(pond, water=np.array([box(x, y, x + 50, y + 50)], dtype=object))
    for each in (study, study.replace(ground=pond)):
        whole = analyse(each)
        assert_same(whole, in_tiles(each, 2))
        edges = whole.basis.cells.attachment.nearest_edge
        assert set(edges[whole.basis.cells.inside]) - {-1} == {0}
