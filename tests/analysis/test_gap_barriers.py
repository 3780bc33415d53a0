"""What cuts a gap off: lines against shapes one by one, and the two banks of a river."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pyproj
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely import LineString, Point, Polygon, box

from quart_heure.analysis.gap_barriers import NamedBarriers, crossed_by, cutting, lines_to_nearest
from quart_heure.analysis.stored import stored_ground
from quart_heure.cache import Cache
from quart_heure.labels import typeset
from quart_heure.outputs.barrier_words import barrier_words
from quart_heure.sources.background import ground_of_background

RIVER = box(-1000, 100, 1000, 150)
TRACKS = LineString([(-1000, 50), (1000, 50)])
KNOWN = NamedBarriers(
    shapes=np.array([RIVER, TRACKS, box(400, 400, 500, 500)], dtype=object),
    words=["La Seine", "rail", "wall"],
)


def line(*ends: tuple[float, float]) -> LineString:
    return LineString(ends)


def test_what_a_line_comes_out_of_is_crossed() -> None:
    lines = [
        line((0, 0), (0, 200)),  # over both
        line((0, 0), (0, 120)),  # to a barge: it stays on its own side of the river
        line((0, 60), (0, 90)),  # between both
        line((0, 110), (0, 140)),  # within the river
        line((450, 300), (450, 600)),
    ]
    found = crossed_by(np.array(lines, dtype=object), KNOWN)
    assert found == [["La Seine", "rail"], ["rail"], [], [], ["wall"]]


coordinates = st.integers(-6, 6).map(float)
places = st.tuples(coordinates, coordinates)


@given(
    cells=st.lists(st.tuples(st.integers(0, 2), places), min_size=1, max_size=8),
    services=st.lists(places, max_size=4),
    boxes=st.lists(st.tuples(places, places), max_size=4),
)
def test_the_names_are_those_of_a_slow_count(
    cells: list[tuple[int, tuple[float, float]]],
    services: list[tuple[float, float]],
    boxes: list[tuple[tuple[float, float], tuple[float, float]]],
) -> None:
    shapes: list[Polygon] = []
    for (x, y), (u, v) in boxes:
        shapes.append(box(min(x, u) - 0.3, min(y, v) - 0.3, max(x, u) + 0.3, max(y, v) + 0.3))
    words = [f"w{at % 2}" for at in range(len(shapes))]
    known = NamedBarriers(shapes=np.array(shapes, dtype=object), words=words)
    xy = np.array([at for _, at in cells])
    place, lines = lines_to_nearest(xy, np.array(services).reshape(-1, 2), reach_m=5.0)
    gap = np.array([one for one, _ in cells])[place]
    found = cutting(gap, lines, known, n_gaps=3)
    for one in range(3):
        total, votes = 0, {"w0": 0, "w1": 0}
        for of, at in cells:
            ways = sorted(services, key=lambda to, at=at: Point(at).distance(Point(to)))
            near = [to for to in ways if Point(at).distance(Point(to)) <= 5.0]
            if of != one or not near:
                continue
            # Of equally near ones any will do: the smallest case leaves none.
            least = Point(at).distance(Point(near[0]))
            if sum(Point(at).distance(Point(to)) - least < 1e-9 for to in near) > 1:
                return
            total += 1
            way = line(at, near[0])
            for word in votes:
                votes[word] += any(
                    way.intersects(shape)
                    and not shape.intersects(Point(at))
                    and not shape.intersects(Point(near[0]))
                    for shape, mine in zip(shapes, words, strict=True)
                    if mine == word
                )
        wanted = {word for word, n in votes.items() if n and n >= 0.5 * total}
        assert set(filter(None, found[one].split(";"))) == wanted


def test_unknown_stays_unknown() -> None:
    xy = np.array([[0.0, 0.0]])
    nothing = NamedBarriers(shapes=np.empty(0, dtype=object), words=[])
    place, lines = lines_to_nearest(xy, np.array([[0.0, 200.0]]), reach_m=500.0)
    assert cutting(place, lines, nothing, n_gaps=1) == [""]
    place, lines = lines_to_nearest(xy, np.empty((0, 2)), reach_m=500.0)
    assert cutting(place, lines, KNOWN, n_gaps=1) == [""]


def test_a_layer_gives_names_and_kinds() -> None:
    layer = gpd.GeoDataFrame(
        {"kind": ["water", "park", "rail"], "name": ["La Seine; bras", "Parc", None]},
        geometry=[RIVER, RIVER, TRACKS],
        crs=2154,
    )
    known = ground_of_background(layer, source="a file")
    assert known.words == ("La Seine, bras", "rail")
    assert shapely.get_dimensions(known.barriers).tolist() == [2, 1]


def test_barriers_that_are_kept_keep_their_names(tmp_path: Path) -> None:
    layer = gpd.GeoDataFrame(
        {"kind": ["rail", "park", "water"], "name": ["", "Parc", "Ourcq"]},
        geometry=[TRACKS, RIVER, RIVER],
        crs=2154,
    )
    layer.to_parquet(tmp_path / "ground.parquet")
    cache = Cache(tmp_path / "cache")
    crs = pyproj.CRS(2154)
    for _ in range(2):
        ground = stored_ground(tmp_path / "ground.parquet", cache, crs=crs)
        assert ground.words == ("rail", "Ourcq")
        assert shapely.equals(ground.barriers, [TRACKS, RIVER]).all()
        assert len(ground.water) == 1


@pytest.mark.parametrize(
    ("barrier", "french", "english"),
    [
        ("", "", ""),
        ("La Seine", "coupé par la Seine", "cut off by La Seine"),
        ("L’Ourcq", "coupé par l’Ourcq", "cut off by L’Ourcq"),
        ("rail", "coupé par des voies ferrées", "cut off by railway tracks"),
        ("Autoroute A6", "coupé par l’autoroute A6", "cut off by Autoroute A6"),
        ("Canal Saint-Martin", "coupé par le canal Saint-Martin", "cut off by Canal Saint-Martin"),
        ("Lavoir", "coupé par « Lavoir »", "cut off by Lavoir"),
        (
            "rail;Petit\u202eBras",
            "coupé par des voies ferrées et « PetitBras »",
            "cut off by railway tracks and PetitBras",
        ),
    ],
)
def test_barriers_in_words(barrier: str, french: str, english: str) -> None:
    assert barrier_words(barrier, "fr") == typeset(french)
    assert barrier_words(barrier, "en") == english
