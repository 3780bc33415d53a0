"""Names of streets in vector tiles: in a layer of their own, beside the layer of the streets.

Some generators draw both layers alike, so that the same shape is the same street. Others join the
named lines over junctions; then what lies along a street names it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from quart_heure.sources.tiles.files import Tile, read_layer
from quart_heure.sources.tiles.schemas import Reading

_BESIDE = 1.5
"""A name this near a street, in units of the grid, is that street's."""


@dataclasses.dataclass(frozen=True)
class Names:
    """Names of the features of a layer of streets.

    Parameters
    ----------
    words
        One name each, ``""`` where there is none.
    details
        What the layer of names says of the class more closely, ``""`` where it says nothing.
    """

    words: list[str]
    details: list[str]


def find_names(
    tile: Tile,
    shapes: NDArray[np.object_],
    values: Mapping[str, NDArray[Any]],
    reading: Reading,
) -> Names:
    """Find the name of each street of a tile.

    Parameters
    ----------
    tile
        The tile.
    shapes, values
        Its layer of streets.
    reading
        What the tiles at hand tell, and how.
    """
    schema = reading.schema
    nothing = [""] * len(shapes)
    if not schema.names:
        return Names(_first(values, schema.name), nothing)
    columns = [schema.kind, *schema.name, *([schema.detail] if schema.detail else [])]
    named, about = read_layer(tile, schema.names, columns)
    words = _first(about, schema.name)
    details = about[schema.detail] if schema.detail else [""] * len(named)
    known = {
        (class_, shape): (word, detail or "")
        for class_, shape, word, detail in zip(
            about[schema.kind], shapely.to_wkb(named), words, details, strict=True
        )
    }
    found = [
        known.get((class_ or "", shape), ("", ""))
        for class_, shape in zip(values[schema.kind], shapely.to_wkb(shapes), strict=True)
    ]
    names = [word for word, _ in found]
    if reading.joins_streets:
        _name_along(names, shapes, named, words)
    return Names(names, [detail for _, detail in found])


def _first(values: Mapping[str, NDArray[Any]], fields: Sequence[str]) -> list[str]:
    """Return the first of some fields that says something, ``""`` where none does."""
    return [
        next((str(word) for word in row if word), "")
        for row in zip(*(values[field] for field in fields), strict=True)
    ]


def _name_along(
    names: list[str],
    shapes: NDArray[np.object_],
    named: NDArray[np.object_],
    words: Sequence[str],
) -> None:
    """Name the nameless streets after what lies along them, at two places each (in place)."""
    nameless = np.array([name == "" for name in names], dtype=bool)
    at = np.flatnonzero(nameless & (shapely.length(shapes) > 0))
    lines = named[np.array([word != "" for word in words], dtype=bool)]
    if len(at) == 0 or len(lines) == 0:
        return
    known = [word for word in words if word]
    merged = shapely.line_merge(shapes[at])
    whole = shapely.get_type_id(merged) == shapely.GeometryType.LINESTRING
    at, merged = at[whole], merged[whole]
    tree = shapely.STRtree(lines)
    far: list[dict[tuple[int, int], float]] = []
    for share in (0.25, 0.75):
        points = shapely.line_interpolate_point(merged, share, normalized=True)
        one, other = tree.query(points, predicate="dwithin", distance=_BESIDE)
        apart = shapely.distance(points[one], lines[other])
        far.append(
            dict(zip(zip(one.tolist(), other.tolist(), strict=True), apart.tolist(), strict=True))
        )
    best: dict[int, tuple[float, str]] = {}
    # What only crosses a street, or leaves it, is beside one of the two places alone.
    for k, line in far[0].keys() & far[1].keys():
        candidate = (far[0][k, line] + far[1][k, line], known[line])
        best[k] = min(best.get(k, candidate), candidate)
    for k, (_, word) in best.items():
        names[int(at[k])] = word
