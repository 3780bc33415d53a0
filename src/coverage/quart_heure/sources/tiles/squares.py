"""Squares of vector tiles: areas and closed lines that people walk across, not only around.

A closed pedestrian line may be the edge of a square or a loop of streets around a block. Which it
is follows from what stands inside; squares get straight walks between their entrances, round what
stands, grows or runs on them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
import shapely
from numpy.typing import NDArray

from quart_heure.sources.tiles.files import EXTENT, Layer, Tile, read_layer
from quart_heure.sources.tiles.lines import (
    JoinedLines,
    TilePieces,
    count_neighbours,
    place_keys,
)
from quart_heure.sources.tiles.schemas import ObstacleLayer, Reading

_WALK_STRETCH = 1.1
"""A straight walk is added where the way around is longer by this factor."""

_MAX_BUILT_SHARE = 0.25
"""A ring with more buildings inside is a loop of streets around a block, not a square."""


_ON_THE_GROUND_M = 2.0
"""What begins higher above the ground is walked under."""


@dataclasses.dataclass(frozen=True, eq=False)
class Obstacles:
    """What stands in the way on squares.

    Parameters
    ----------
    tree
        Valid polygons of buildings, lawns, woods, pitches, water.
    is_building
        Which of them are buildings; shape (n,).
    rails
        Railways on the ground.
    """

    tree: shapely.STRtree
    is_building: NDArray[np.bool_]
    rails: shapely.STRtree


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class SquareWalks:
    """Straight walks across squares.

    Parameters
    ----------
    a, b
        Ends of each walk, positions in the vertices; shape (n,).
    square
        Number of the square that each walk crosses; shape (n,).
    name
        Name of that square; shape (n,).
    """

    a: NDArray[np.int64]
    b: NDArray[np.int64]
    square: NDArray[np.int64]
    name: NDArray[np.object_]


def cross_squares(
    streets: Mapping[Tile, Layer],
    pieces: Sequence[TilePieces],
    joined: JoinedLines,
    reading: Reading,
) -> SquareWalks:
    """Join the entrances of squares by straight walks (see `read_tiles`).

    Parameters
    ----------
    streets
        The layer of streets of each tile.
    pieces, joined
        What was made of them.
    reading
        What the tiles at hand tell, and how.
    """
    entrance = count_neighbours(joined, joined.kept) > 2
    obstacles: dict[Tile, Obstacles] = {}
    by_place = {(tile.x, tile.y): tile for tile in streets}
    seen: set[bytes] = set()
    found: list[tuple[int, int, int, str]] = []
    for outline in (outline for piece in pieces for outline in piece.rings):
        square = shapely.normalize(outline.shape)
        ring = shapely.get_coordinates(outline.shape.exterior).astype(np.int64)
        if shapely.to_wkb(square) in seen or not shapely.is_valid(square):
            continue
        seen.add(shapely.to_wkb(square))
        keys = place_keys(ring[:-1])
        node = np.searchsorted(joined.keys, keys).clip(max=len(joined.keys) - 1)
        corner = np.flatnonzero((joined.keys[node] == keys) & entrance[node])
        if len(corner) < 2:
            continue
        near = [
            by_place[place]
            for place in _tiles_under(shapely.bounds(square))
            if place in by_place and outline.on_ground
        ]
        for tile in near:
            if tile not in obstacles:
                obstacles[tile] = _read_obstacles(tile, streets[tile], reading)
        walks = walks_across(
            square,
            ring,
            corner,
            [obstacles[tile] for tile in near],
            most_built=1.0 if outline.is_area else _MAX_BUILT_SHARE,
        )
        found += [(int(node[i]), int(node[j]), len(seen), outline.name) for i, j in walks]
    return SquareWalks(
        a=np.array([walk[0] for walk in found], dtype=np.int64),
        b=np.array([walk[1] for walk in found], dtype=np.int64),
        square=np.array([walk[2] for walk in found], dtype=np.int64),
        name=np.array([walk[3] for walk in found], dtype=object),
    )


def _tiles_under(bounds: NDArray[np.float64]) -> list[tuple[int, int]]:
    west, north, east, south = (int(value // EXTENT) for value in bounds)
    return [(x, y) for x in range(west, east + 1) for y in range(north, south + 1)]


def _read_obstacles(tile: Tile, streets: Layer, reading: Reading) -> Obstacles:
    """Read what stands on the ground of a tile: buildings, lawns, woods, pitches, water, rails."""
    by_layer: dict[str, list[ObstacleLayer]] = {}
    for each in reading.schema.obstacles:
        by_layer.setdefault(each.layer, []).append(each)
    shapes: list[shapely.Geometry] = []
    built: list[bool] = []
    for layer, wanted in by_layer.items():
        columns = {field for each in wanted for field in (each.field, each.base) if field}
        found, values = read_layer(tile, layer, sorted(columns))
        for each in wanted:
            taken = np.ones(len(found), dtype=bool)
            if each.field:
                taken &= np.isin(values[each.field].astype(str), sorted(each.words))
            if each.base:
                base_m = np.array([value or 0.0 for value in values[each.base]], dtype=np.float64)
                taken &= base_m < _ON_THE_GROUND_M
            shapes += found[taken].tolist()
            built += [each.building] * int(taken.sum())
    grounds = np.array(shapes, dtype=object)
    bad = ~shapely.is_valid(grounds)
    grounds[bad] = shapely.make_valid(grounds[bad])
    return Obstacles(
        tree=shapely.STRtree(grounds),
        is_building=np.array(built, dtype=bool),
        rails=shapely.STRtree(_read_rails(streets, reading)),
    )


def _read_rails(layer: Layer, reading: Reading) -> NDArray[np.object_]:
    """Return the railways of a tile that run on the ground."""
    shapes, values = layer
    found = []
    for shape, *row in zip(shapes, *values.values(), strict=True):
        about = dict(zip(values, row, strict=True))
        words = {
            str(about.get(field) or "") for field in (reading.schema.kind, reading.schema.detail)
        }
        brunnel, *levels = reading.level(about)
        below = any(level.startswith("-") for level in levels)
        if words & reading.schema.rails and not brunnel and not below:
            found.append(shape)
    return np.array(found, dtype=object)


def walks_across(
    square: shapely.Polygon,
    ring: NDArray[np.int64],
    corner: NDArray[np.int64],
    obstacles: Sequence[Obstacles],
    *,
    most_built: float = _MAX_BUILT_SHARE,
) -> list[tuple[int, int]]:
    """Choose the straight walks between entrances of one square, as pairs of ring positions.

    Pairs are taken from near to far; one is left out where the way found so far, around the ring
    or by earlier walks, is no longer than the straight line times `_WALK_STRETCH`. There are none
    if buildings cover more than a share of it.
    """
    inside = [tile.tree.query(square, predicate="intersects") for tile in obstacles]
    shapes = [tile.tree.geometries[found] for tile, found in zip(obstacles, inside, strict=True)]
    built = [tile.is_building[found] for tile, found in zip(obstacles, inside, strict=True)]
    in_the_way = np.concatenate(shapes) if shapes else np.empty(0, dtype=object)
    buildings = in_the_way[np.concatenate(built)] if built else in_the_way
    covered = shapely.intersection(shapely.union_all(buildings), square)
    if covered.area > most_built * square.area:
        return []

    step = np.hypot(*np.diff(ring, axis=0).T)
    mile = np.concatenate([[0.0], np.cumsum(step)])[corner]
    around = np.abs(mile[:, None] - mile[None, :])
    around = np.minimum(around, step.sum() - around)
    place = ring[corner].astype(np.float64)
    straight = np.hypot(*(place[:, None] - place[None, :]).transpose(2, 0, 1))

    one, other = np.triu_indices(len(corner), k=1)
    useful = around[one, other] > _WALK_STRETCH * straight[one, other]
    one, other = one[useful], other[useful]
    lines = shapely.linestrings(np.stack([place[one], place[other]], axis=1))
    # Half a unit of tolerance: vertices lie on whole units, walls and edges as well.
    free = shapely.covered_by(lines, shapely.buffer(square, 0.5))
    free &= ~shapely.intersects(lines, shapely.buffer(shapely.union_all(in_the_way), -0.5))
    for tile in obstacles:
        # A walk that begins at a level crossing touches the rails there, and crosses none.
        free[np.unique(tile.rails.query(lines, predicate="crosses")[0])] = False
    one, other = one[free], other[free]
    walks = []
    for pick in np.lexsort((other, one, straight[one, other])):
        i, j = int(one[pick]), int(other[pick])
        length = straight[i, j]
        if around[i, j] > _WALK_STRETCH * length:
            walks.append((int(corner[i]), int(corner[j])))
            by_walk = np.minimum(
                around[:, [i]] + length + around[[j], :], around[:, [j]] + length + around[[i], :]
            )
            around = np.minimum(around, by_walk)
    return walks
