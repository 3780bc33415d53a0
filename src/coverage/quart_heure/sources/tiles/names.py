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
"""A name this near the middle of a street, in units of the grid, is that street's."""


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
    """Name the nameless streets after what lies along their middle (in place)."""
    is_line = shapely.length(shapes) > 0
    at = np.flatnonzero(is_line & np.array([name == "" for name in names], dtype=bool))
    has_word = np.array([word != "" for word in words], dtype=bool)
    lines = named[has_word]
    if len(at) == 0 or len(lines) == 0:
        return
    known = [word for word in words if word]
    middle = shapely.line_interpolate_point(shapely.line_merge(shapes[at]), 0.5, normalized=True)
    good = ~shapely.is_missing(middle) & ~shapely.is_empty(middle)
    at, middle = at[good], middle[good]
    tree = shapely.STRtree(lines)
    one, other = tree.query(middle, predicate="dwithin", distance=_BESIDE)
    apart = shapely.distance(middle[one], lines[other])
    best: dict[int, tuple[float, str]] = {}
    for k, line, far in zip(one.tolist(), other.tolist(), apart.tolist(), strict=True):
        candidate = (far, known[line])
        best[k] = min(best.get(k, candidate), candidate)
    for k, (_, word) in best.items():
        names[int(at[k])] = word
