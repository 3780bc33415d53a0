"""What a walk across a square goes round: woods, pitches, water, and rails on the ground.

Squares are drawn as people use them, and what grows, stands or runs on them is drawn over them.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import shapely
from numpy.typing import NDArray

GROUND_KEYS = ("natural", "landuse", "leisure", "railway")
"""Keys of the tags that tell such grounds."""

_AREAS = {
    "natural": frozenset({"wood", "water"}),
    "landuse": frozenset({"forest"}),
    "leisure": frozenset({"pitch"}),
}
_RAILS = frozenset({"rail", "narrow_gauge", "preserved", "funicular", "light_rail"})
GROUND_TAGS: Mapping[str, frozenset[str]] = {**_AREAS, "railway": _RAILS}
"""Values, by key, of the tags of such grounds."""

_MARK = re.compile(
    rb"[ ,]T?(?:natural=(?:wood|water)|landuse=forest|leisure=pitch"
    rb"|railway=(?:rail|narrow_gauge|preserved|funicular|light_rail))[ ,]"
)
KEPT_KEYS = frozenset({*GROUND_KEYS, "type", "bridge", "tunnel", "layer", "covered"})
"""Tags that `is_ground` reads."""


@dataclasses.dataclass(frozen=True)
class Ground:
    """Ground that is not walked across.

    Parameters
    ----------
    osm_id
        The way, or minus the relation.
    outer, inner
        Chains of OSM node ids: of an area the pieces of its rings, of rails one line.
    is_line
        Whether it is a line, as rails are.
    """

    osm_id: int
    outer: tuple[tuple[int, ...], ...]
    inner: tuple[tuple[int, ...], ...] = ()
    is_line: bool = False


def may_be_ground(line: bytes) -> bool:
    """Tell in passing whether a line of OPL may be such ground."""
    return _MARK.search(line) is not None


def is_ground(tags: Mapping[str, str]) -> bool:
    """Tell whether tags are of an area that is not walked across, or of rails on the ground."""
    level = tags.get("layer", "").strip()
    if level.startswith("-") or tags.get("tunnel", "no") != "no":
        return False
    if is_rail(tags):
        return tags.get("bridge", "no") == "no" and tags.get("covered", "no") == "no"
    return any(tags.get(key) in values for key, values in _AREAS.items())


def is_rail(tags: Mapping[str, str]) -> bool:
    """Tell whether tags are of a railway with trains."""
    return tags.get("railway") in _RAILS


def ground_of_way(osm_id: int, tags: Mapping[str, str], nodes: tuple[int, ...]) -> Ground | None:
    """Return the ground that a way is by its tags and nodes, None if it is none."""
    rail = is_rail(tags)
    closed = len(nodes) > 3 and nodes[0] == nodes[-1]
    if not is_ground(tags) or not (rail or closed):
        return None
    return Ground(osm_id, (nodes,), is_line=rail)


def is_ground_relation(tags: Mapping[str, str]) -> bool:
    """Tell whether a relation is a multipolygon of such ground."""
    return tags.get("type") == "multipolygon" and is_ground(tags) and not is_rail(tags)


def ground_shapes(
    grounds: Iterable[Ground],
    node_id: NDArray[np.int64],
    lon: NDArray[np.float64],
    lat: NDArray[np.float64],
) -> tuple[shapely.Geometry, ...]:
    """Return grounds as lines and polygons in degrees, in the order of their ids.

    A line ends where a node is missing. An area whose rings do not close is left out.
    """
    # An answer that was asked for in pieces tells the same twice.
    once = sorted({one.osm_id: one for one in grounds}.items())
    if not once:
        return ()
    order = np.argsort(node_id, kind="stable")
    ids, xy = node_id[order], np.stack([lon, lat], axis=1)[order]

    def places(chain: Sequence[int]) -> NDArray[np.float64]:
        wanted = np.array(chain, dtype=np.int64)
        at = np.searchsorted(ids, wanted).clip(max=max(len(ids) - 1, 0))
        return xy[at[ids[at] == wanted]] if len(ids) else np.empty((0, 2))

    shapes: list[shapely.Geometry] = []
    for _, ground in once:
        if ground.is_line:
            line = places(ground.outer[0])
            shapes += [shapely.LineString(line)] if len(line) > 1 else []
            continue
        outer, inner = (
            shapely.polygonize(
                [shapely.LineString(xy_) for chain in chains if len(xy_ := places(chain)) > 1]
            )
            for chains in (ground.outer, ground.inner)
        )
        area = shapely.union_all(shapely.get_parts(outer))
        if not area.is_empty:
            shapes.append(shapely.difference(area, shapely.union_all(shapely.get_parts(inner))))
    return tuple(shapes)
