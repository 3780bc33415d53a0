"""Pieces near points against every piece held against every point."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from quart_heure.network import cores
from quart_heure.network.cores import cut, on_all_cores
from quart_heure.network.frontages import Frontages
from quart_heure.network.graph import WalkNetwork
from quart_heure.network.nearby import Segments

SEEDS = st.integers(0, 10_000)
LAYOUTS = st.sampled_from(["scattered", "grid", "holes", "two grids", "one"])


def points_laid_out(layout: str, n: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return some points as they come: cells of a grid, or addresses."""
    if layout == "one":
        return rng.uniform(-300, 900, (1, 2))
    if layout == "scattered":
        return rng.uniform(-300, 900, (n, 2)).round(rng.integers(0, 6))
    side = int(np.sqrt(n)) + 1
    grid = np.stack(np.meshgrid(np.arange(side), np.arange(side)), axis=-1).reshape(-1, 2)
    spacing_m = rng.choice([12.5, 25.0, 40.0])
    xy = (grid + 0.5 - side // 3) * spacing_m
    if layout == "holes":
        xy = xy[rng.random(len(xy)) < 0.5]
    if layout == "two grids":
        xy = np.concatenate([xy, xy[: n // 2] + rng.uniform(0, spacing_m, 2)])
    return xy if len(xy) else xy.reshape(0, 2)


@given(seed=SEEDS, layout=LAYOUTS, n=st.integers(1, 400), radius_m=st.sampled_from([5, 40.0, 100]))
def test_pairs_are_those_of_every_piece_and_every_point(
    seed: int, layout: str, n: int, radius_m: float
) -> None:
    rng = np.random.default_rng(seed)
    n_pieces = int(rng.choice([1, 7, 150, 900]))
    line = np.sort(rng.integers(0, n_pieces, n_pieces))
    start = rng.uniform(-200, 800, (n_pieces, 2))
    length_m = rng.choice([0.0, 3.0, 60.0, 2000.0], p=[0.1, 0.5, 0.35, 0.05], size=n_pieces)
    turn = rng.choice([0, np.pi / 2, 1.0, 2.5], size=n_pieces)
    end = start + length_m[:, None] * np.stack([np.cos(turn), np.sin(turn)], axis=1)
    xy = points_laid_out(layout, n, rng)

    met = list(Segments(start, end, line).near(xy, radius_m))

    pieces = shapely.linestrings(np.stack([start, end], axis=1))
    every_m = shapely.distance(pieces[None, :], shapely.points(xy)[:, None])
    told = {
        (int(point), int(piece)): (share, distance_m)
        for pairs in met
        for point, piece, share, distance_m in zip(*pairs, strict=True)
    }
    assert len(told) == sum(len(pairs.point) for pairs in met)  # each pair once
    doubt = np.abs(every_m - radius_m) < 1e-9
    wanted = {(int(p), int(s)) for p, s in np.argwhere((every_m <= radius_m) & ~doubt)}
    assert wanted <= set(told) <= wanted | {(int(p), int(s)) for p, s in np.argwhere(doubt)}
    for (point, piece), (share, distance_m) in told.items():
        assert distance_m == pytest.approx(every_m[point, piece], abs=1e-9)
        foot = start[piece] + share * (end[piece] - start[piece])
        assert np.hypot(*(foot - xy[point])) == pytest.approx(distance_m, abs=1e-6)
    for pairs in met:  # in order, and lines whole
        key = pairs.point * n_pieces + pairs.piece
        assert (np.diff(key) > 0).all()
    lines = [{(int(p), int(line[s])) for p, s in zip(a.point, a.piece, strict=True)} for a in met]
    assert sum(map(len, lines)) == len(set().union(*lines))


def test_few_points_find_what_many_find() -> None:
    rng = np.random.default_rng(5)
    start = rng.uniform(0, 3000, (30_000, 2))
    end = start + rng.uniform(-30, 30, start.shape)
    pieces = Segments(start, end, np.arange(len(start)))
    cells = np.stack(np.meshgrid(np.arange(120), np.arange(120)), axis=-1).reshape(-1, 2) * 25.0

    def keys(xy: NDArray[np.float64], begin: int) -> NDArray[np.float64]:
        found = [np.stack(pairs) for pairs in pieces.near(xy, 40.0)]
        columns = np.concatenate(found, axis=1)
        columns[0] += begin
        return columns[:, np.lexsort((columns[1], columns[0]))]

    few = [keys(cells[begin : begin + 100], begin) for begin in range(0, len(cells), 100)]
    assert np.array_equal(keys(cells, 0), np.concatenate(few, axis=1))


def test_nothing_is_near_no_pieces_and_no_points() -> None:
    none = np.empty((0, 2))
    here = np.zeros((1, 2))
    assert not list(Segments(none, none, np.empty(0, int)).near(here, 40.0))
    assert not list(Segments(here, here + 1, np.zeros(1, int)).near(none, 40.0))


def test_frontages_are_made_again_for_other_edges(toy_network: WalkNetwork) -> None:
    every = np.ones(toy_network.n_edges, dtype=bool)
    made = Frontages.of(toy_network, every)
    assert Frontages.of(toy_network, every.copy()) is made
    some = every.copy()
    some[0] = False
    assert set(Frontages.of(toy_network, some).pieces.line) == set(range(1, toy_network.n_edges))


def test_work_is_kept_to_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cores, "_kept_to", None)
    cores.keep_to(1)
    found = on_all_cores(lambda _: threading.current_thread(), range(4))
    assert set(found) == {threading.main_thread()}


def test_work_on_all_cores_keeps_its_order_and_tells_its_errors() -> None:
    assert on_all_cores(lambda n: n * n, range(50)) == [n * n for n in range(50)]
    with pytest.raises(ZeroDivisionError):
        on_all_cores(lambda n: 1 // n, [1, 0, 2])


@given(n=st.integers(0, 200_000), most=st.integers(1, 60_000))
def test_parts_are_cut_one_after_the_other(n: int, most: int) -> None:
    parts = cut(n, most=most)
    sizes = [part.stop - part.start for part in parts]
    assert sum(sizes) == n
    assert max(sizes, default=0) <= most
    assert [part.start for part in parts[1:]] == [part.stop for part in parts[:-1]]
