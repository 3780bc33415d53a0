"""Streets of the map and where their names stand, from the walking network itself."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from numpy.typing import NDArray

from quart_heure.outputs.shapes import Pen, simplified

if TYPE_CHECKING:
    from quart_heure.network.graph import WalkNetwork


# By importance; the page shows each class from its own zoom on.
_MAIN_CLASSES = (("primary", "trunk"), ("secondary",), ("tertiary",))
_LESSER_CLASS = ("residential", "unclassified", "living_street", "pedestrian")

_LESSER_LIMIT_KM = 3_000
"""The lesser streets are drawn if they are no longer than this, to keep the file small."""

_TOLERANCE_M = 5.0

_NAME_EVERY_M = 900
_NAME_SHORTEST_M = 120
_NAME_HALF_M = 60
"""A name is written along the chord of this half-length around its place."""

NAME_FIELDS = 6
"""Numbers for each place of a name: x, y, angle, room in metres, class, position of the name."""


def streets(
    network: WalkNetwork, *, area: shapely.Geometry, around: shapely.Geometry, pen: Pen
) -> dict[str, Any]:
    """Return streets by class, and places for their names along them.

    Parameters
    ----------
    network
        The walking network.
    area
        Where all streets are drawn.
    around
        Where main streets are drawn.
    pen
        Writes the shapes.

    Returns
    -------
    dict
        ``streets``: the lines of each class; ``street_names``; ``street_labels``: `NAME_FIELDS`
        numbers for each place of a name, one after the other.
    """
    near = _ends_within(network, around) & ~network.tunnel
    chosen = [near & _of_kinds(network, kinds) for kinds in _MAIN_CLASSES]
    lesser = near & _of_kinds(network, _LESSER_CLASS)
    lesser[lesser] = _ends_within(network, area, of=lesser)
    if network.length_m[lesser].sum() <= _LESSER_LIMIT_KM * 1000:
        chosen.append(lesser)
    position: dict[str, int] = {}
    lines: list[list[list[int]]] = []
    labels: list[int] = []
    for level, edges in enumerate(chosen):
        joined = _joined(network, np.flatnonzero(edges))
        lines.append(pen.lines(simplified(joined.lines, _TOLERANCE_M)))
        labels += _labels(joined, level, position, pen)
    return {"streets": lines, "street_names": list(position), "street_labels": labels}


@dataclasses.dataclass(frozen=True, eq=False)
class _Joined:
    """Streets joined by name into as few lines as possible."""

    lines: NDArray[np.object_]
    names: list[str]


def _of_kinds(network: WalkNetwork, kinds: tuple[str, ...]) -> NDArray[np.bool_]:
    codes = [code for code, kind in enumerate(network.kinds) if kind in kinds]
    return np.isin(network.kind_code, codes)


def _ends_within(
    network: WalkNetwork, area: shapely.Geometry, *, of: NDArray[np.bool_] | None = None
) -> NDArray[np.bool_]:
    """Tell which edges have an end in an area."""
    chosen = slice(None) if of is None else of
    shapely.prepare(area)
    first = network.xy[network.offsets[:-1][chosen]]
    last = network.xy[network.offsets[1:][chosen] - 1]
    found = shapely.intersects_xy(area, first[:, 0], first[:, 1])
    return np.asarray(found | shapely.intersects_xy(area, last[:, 0], last[:, 1]))


def _joined(network: WalkNetwork, edges: NDArray[np.intp]) -> _Joined:
    if len(edges) == 0:
        return _Joined(np.empty(0, dtype=object), [])
    edges = edges[np.argsort(network.name_code[edges], kind="stable")]
    names, group = np.unique(network.name_code[edges], return_inverse=True)
    lines = shapely.multilinestrings(_lines(network, edges), indices=group)
    merged, street = shapely.get_parts(shapely.line_merge(lines), return_index=True)
    return _Joined(merged, [network.names[names[s]] for s in street])


def _lines(network: WalkNetwork, edges: NDArray[np.intp]) -> NDArray[np.object_]:
    """Return the shapes of some edges without building those of all."""
    counts = np.diff(network.offsets)[edges]
    line = np.repeat(np.arange(len(edges)), counts)
    starts = np.repeat(network.offsets[edges] - np.append(0, np.cumsum(counts)[:-1]), counts)
    vertices = starts + np.arange(len(line))
    return np.asarray(shapely.linestrings(network.xy[vertices], indices=line))


def _labels(streets: _Joined, level: int, position: dict[str, int], pen: Pen) -> list[int]:
    """Return `NAME_FIELDS` numbers for each place of a name, the longest streets first."""
    length_m = shapely.length(streets.lines)
    named = np.array([name != "" for name in streets.names], dtype=bool)
    chosen = np.argsort(-length_m, kind="stable")
    chosen = chosen[(named & (length_m >= _NAME_SHORTEST_M))[chosen]]
    if len(chosen) == 0:
        return []
    counts = np.maximum(1, np.rint(length_m[chosen] / _NAME_EVERY_M)).astype(int)
    line = np.repeat(chosen, counts)
    turn = np.arange(len(line)) - np.repeat(np.append(0, np.cumsum(counts)[:-1]), counts)
    along_m = (turn + 0.5) / np.repeat(counts, counts) * length_m[line]
    shapes = streets.lines[line]
    at, before, after = (
        shapely.get_coordinates(shapely.line_interpolate_point(shapes, np.maximum(m, 0)))
        for m in (along_m, along_m - _NAME_HALF_M, along_m + _NAME_HALF_M)
    )
    # Screen angles turn clockwise; a name is never written upside down.
    angle = -np.degrees(np.arctan2(*(after - before).T[::-1]))
    room = np.minimum(length_m[line], _NAME_EVERY_M)
    names = [position.setdefault(streets.names[i], len(position)) for i in line.tolist()]
    numbers = np.column_stack(
        [pen.units(at), (angle + 90) % 180 - 90, room, np.full(len(line), level), names]
    )
    found: list[int] = np.rint(numbers).astype(int).ravel().tolist()
    return found
