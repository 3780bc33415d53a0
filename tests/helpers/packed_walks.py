"""The walks of the map's page unpacked, step by step, apart from what packs them."""

from __future__ import annotations

import base64
import dataclasses
import itertools
import math
import zlib

import numpy as np
import shapely
from numpy.typing import NDArray

from quart_heure.outputs.map.data import PackedBarriers, PackedEdges, PackedPoints


@dataclasses.dataclass(frozen=True, kw_only=True)
class Streets:
    """Edges in the units of the page: ends, flags, drawings from the corner of its grid."""

    u: list[int]
    v: list[int]
    flags: bytes
    drawing: list[list[tuple[int, int]]]
    there: list[int]
    back: list[int]


def inflated(text: str) -> bytes:
    return zlib.decompress(base64.b64decode(text))


def steps(text: str) -> list[int]:
    """Return bytes that are packed as steps from one to the next."""
    found, value = [], 0
    for step in inflated(text):
        value = (value + step) % 256
        found.append(value)
    return found


def numbers(layers: list[str]) -> list[int]:
    """Return numbers of any sign, of which the lowest bytes come first."""
    rows = [inflated(layer) for layer in layers]
    left = [
        sum(byte << 8 * n for n, byte in enumerate(column)) for column in zip(*rows, strict=True)
    ]
    return [-(value + 1) // 2 if value % 2 else value // 2 for value in left]


def points(packed: PackedPoints) -> list[tuple[int, int]]:
    return list(zip(numbers(packed.x), numbers(packed.y), strict=True))


def running(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    x = y = 0
    found = []
    for dx, dy in pairs:
        x, y = x + dx, y + dy
        found.append((x, y))
    return found


def streets(packed: PackedEdges, *, unit_m: float, length_m: float) -> Streets:
    nodes = running(points(packed.nodes))
    assert len(nodes) == packed.n_nodes
    u = [node for node, n in enumerate(numbers(packed.begun)) for _ in range(n)]
    v = [node + span for node, span in zip(u, numbers(packed.span), strict=True)]
    bend_steps = iter(points(packed.bend_steps))
    drawing = []
    for begin, end, bends in zip(u, v, numbers(packed.bends), strict=True):
        line = [nodes[begin]]
        for left in range(bends + 1, 1, -1):
            (x, y), (to_x, to_y), (dx, dy) = line[-1], nodes[end], next(bend_steps)
            line.append((x + (to_x - x) // left + dx, y + (to_y - y) // left + dy))
        drawing.append([*line, nodes[end]])
    assert next(bend_steps, None) is None
    there = []
    for line, more in zip(drawing, numbers(packed.there), strict=True):
        drawn = 0.0
        for (x, y), (to_x, to_y) in itertools.pairwise(line):
            drawn += math.sqrt((to_x - x) ** 2 + (to_y - y) ** 2)
        there.append(math.floor(drawn * (unit_m / length_m) + 0.5) + more)
    more_back = numbers(packed.back) if packed.back else [0] * len(there)
    back = [length + more for length, more in zip(there, more_back, strict=True)]
    flags = inflated(packed.flags)
    assert len(u) == len(flags) == packed.n_edges
    return Streets(u=u, v=v, flags=flags, drawing=drawing, there=there, back=back)


def barriers(packed: PackedBarriers, *, unit_m: float) -> NDArray[np.object_]:
    """Return barriers in metres from the corner of the page's grid."""
    at = running(points(packed.steps))
    lines, begin = [], 0
    for n in numbers(packed.points):
        lines.append([(x * unit_m, y * unit_m) for x, y in at[begin : begin + n]])
        begin += n
    assert begin == len(at)
    found: list[shapely.Geometry] = [shapely.LineString(line) for line in lines[: packed.n_lines]]
    rings = iter(lines[packed.n_lines :])
    for n in numbers(packed.rings_of_area):
        outer, *holes = (next(rings) for _ in range(n))
        found.append(shapely.Polygon(outer, holes))
    return np.array(found, dtype=object)
