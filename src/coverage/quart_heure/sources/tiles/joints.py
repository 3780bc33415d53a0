"""Streets joined where their tiles lost the vertex that they share.

planetiler and others take out vertices that lie on a straight line, way by way, and join lines
over junctions. So a street that ends at another may end on a stretch without a vertex, and two that
cross on the ground may share none. What the vertices of raw data say is put back here: an end on a
line, and a crossing on the ground, become vertices of both. Bridges and tunnels are never joined
with what they cross.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import shapely
from numpy.typing import NDArray

from quart_heure.sources.tiles.areas import Area

_ON_IT = 2.0
"""How far from a line its lost vertex may lie, in units of the grid: it was taken out within one or
two of them, and rounded."""

Level = tuple[str, ...]


def join_streets(
    lines: NDArray[np.object_],
    kept: NDArray[np.bool_],
    levels: Sequence[Level],
    areas: Sequence[Area],
    area_levels: Sequence[Level],
) -> tuple[NDArray[np.object_], list[Area]]:
    """Give streets, and areas that streets lead to, the vertices that they share.

    Parameters
    ----------
    lines
        Lines of one tile in whole units of the grid; shape (n,).
    kept
        Which of them are walked; the others stay as they are.
    levels
        What tells each line apart from what it crosses: bridge or tunnel first.
    areas
        Areas of the tile.
    area_levels
        The same for each area.
    """
    outlines = [shapely.get_exterior_ring(area.shape) for area in areas]
    of_line = np.flatnonzero(kept)
    all_lines = np.array([*lines[of_line], *outlines], dtype=object)
    if len(all_lines) == 0:
        return lines, list(areas)
    ground: Level = ("",) * len(next(iter([*levels, *area_levels])))
    level_of = [*(levels[i] for i in of_line.tolist()), *area_levels]
    new = _joints(all_lines, level_of, ground)
    joined = lines.copy()
    for k, i in enumerate(of_line.tolist()):
        if k in new:
            joined[i] = _with_vertices(all_lines[k], new[k])
    more = []
    for k, area in enumerate(areas, start=len(of_line)):
        shape = area.shape
        if k in new:
            ring = _with_vertices(all_lines[k], new[k])
            shape = shapely.Polygon(
                shapely.get_coordinates(ring), [hole.coords for hole in shape.interiors]
            )
        more.append(dataclasses.replace(area, shape=shape) if shape.is_valid else area)
    return joined, more


def _joints(
    lines: NDArray[np.object_], levels: Sequence[Level], ground: Level
) -> dict[int, list[tuple[float, float]]]:
    """Return the places that become vertices of each line."""
    new: dict[int, list[tuple[float, float]]] = {}
    tree = shapely.STRtree(lines)
    ends = np.concatenate([shapely.get_point(lines, 0), shapely.get_point(lines, -1)])
    owner = np.tile(np.arange(len(lines)), 2)
    end, host = tree.query(ends, predicate="dwithin", distance=_ON_IT)
    places = shapely.get_coordinates(ends)
    for e, h in zip(end.tolist(), host.tolist(), strict=True):
        own = int(owner[e])
        if own != h and levels[h] in (ground, levels[own]):
            new.setdefault(h, []).append((places[e, 0], places[e, 1]))
    flat = [k for k, level in enumerate(levels) if level == ground]
    grounded = lines[flat]
    one, other = shapely.STRtree(grounded).query(grounded, predicate="crosses")
    pairs = one < other
    one, other = one[pairs], other[pairs]
    met = np.rint(
        shapely.get_coordinates(
            cross := shapely.intersection(grounded[one], grounded[other]), return_index=False
        )
    )
    which = shapely.get_coordinates(cross, return_index=True)[1]
    for place, pair in zip(met.tolist(), which.tolist(), strict=True):
        for k in (flat[int(one[pair])], flat[int(other[pair])]):
            new.setdefault(k, []).append((place[0], place[1]))
    return new


def _with_vertices(
    line: shapely.LineString, places: Sequence[tuple[float, float]]
) -> shapely.LineString:
    """Return a line that passes through some places beside it, each put in where it is nearest."""
    xy = shapely.get_coordinates(line)
    have = set(map(tuple, xy.tolist()))
    missing = np.array(sorted(set(places) - have))
    if len(missing) == 0:
        return line
    segments = shapely.linestrings(np.stack([xy[:-1], xy[1:]], axis=1))
    points = shapely.points(missing)
    at = shapely.distance(points[:, None], segments[None, :]).argmin(axis=1)
    along = shapely.line_locate_point(segments[at], points)
    order = np.lexsort((along, at))
    return shapely.LineString(np.insert(xy, at[order] + 1, missing[order], axis=0))
