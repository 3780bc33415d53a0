"""Areas of vector tiles that people walk on, put together over the borders of tiles."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from quart_heure.sources.tiles.files import EXTENT, Tile, read_layer
from quart_heure.sources.tiles.schemas import Reading

_GAP = 1.0
"""Pieces of one area in two tiles may lie this far apart, in units of the grid, by rounding."""


@dataclasses.dataclass(frozen=True, eq=False)
class Area:
    """An area that is walked on.

    Parameters
    ----------
    shape
        Polygon in units of the grid.
    about
        The fields of its feature.
    name
        Its name, ``""`` if the tiles tell none.
    """

    shape: shapely.Polygon
    about: Mapping[str, Any]
    name: str


def read_areas(tile: Tile, reading: Reading) -> list[Area]:
    """Read the areas of a tile whose schema keeps them in a layer of their own.

    Their class stands in the field ``kind``, in the same words as that of streets.
    """
    flags = [flag.partition("=")[0] for flag in (reading.schema.bridge, reading.schema.tunnel)]
    columns = list(dict.fromkeys(["kind", *reading.schema.told, *flags]))
    shapes, values = read_layer(tile, reading.schema.squares, columns)
    areas = []
    for shape, *row in zip(shapes, *values.values(), strict=True):
        about = dict(zip(values, row, strict=True))
        about[reading.schema.kind] = about["kind"]
        if reading.kind(about) and reading.judge(about)[0] == "":
            areas += [
                Area(part, about, "")
                for part in shapely.get_parts(shape)
                if part.geom_type == "Polygon"
            ]
    return areas


def unite_areas(found: Sequence[tuple[Tile, Area]]) -> list[Area]:
    """Cut areas to the squares of their tiles, and unite the pieces of each over the borders.

    A generator keeps an area in every tile that it touches, and cuts it a little outside. An area
    that lies in one square is kept as it is.
    """
    whole: list[Area] = []
    pieces: list[Area] = []
    for tile, area in found:
        low = np.array([tile.x, tile.y], dtype=np.float64) * EXTENT
        west, north, east, south = area.shape.bounds
        if low[0] < west and east < low[0] + EXTENT and low[1] < north and south < low[1] + EXTENT:
            whole.append(area)
            continue
        square = shapely.box(*low, *(low + EXTENT))
        if not area.shape.is_valid:
            continue
        parts = shapely.get_parts(shapely.intersection(area.shape, square))
        pieces += [
            dataclasses.replace(area, shape=part)
            for part in parts
            if part.geom_type == "Polygon" and part.area > 0
        ]
    return whole + _united(pieces)


def _united(pieces: list[Area]) -> list[Area]:
    if not pieces:
        return []
    shapes = np.array([piece.shape for piece in pieces], dtype=object)
    tree = shapely.STRtree(shapes)
    one, other = tree.query(shapes, predicate="dwithin", distance=_GAP)
    alike = np.array([pieces[i].about == pieces[k].about for i, k in zip(one, other, strict=True)])
    links = coo_array(
        (np.ones(int(alike.sum()), dtype=np.int8), (one[alike], other[alike])),
        shape=(len(pieces), len(pieces)),
    )
    n, group = connected_components(links, directed=False)
    united = []
    for number in range(n):
        members = np.flatnonzero(group == number)
        first = pieces[int(members[0])]
        if len(members) == 1:
            united.append(first)
            continue
        joined = _closed(shapes[members])
        united += [dataclasses.replace(first, shape=part) for part in shapely.get_parts(joined)]
    return united


def _closed(shapes: NDArray[np.object_]) -> shapely.Geometry:
    """Unite polygons, and close what rounding left open between them."""
    wider = shapely.buffer(shapes, _GAP, join_style="mitre")
    joined = shapely.buffer(shapely.union_all(wider), -_GAP, join_style="mitre")
    return shapely.transform(joined, np.rint)
