"""From raw OpenStreetMap data to a walking network: rules, squares, gates, contraction."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray

from quart_heure.errors import NetworkError
from quart_heure.files import AnyPath
from quart_heure.network.arrays import NetworkArrays
from quart_heure.network.assembly import check_metric
from quart_heure.network.components import count_part_nodes
from quart_heure.network.contraction import contract
from quart_heure.network.gates import End, shut_gates, which_pass
from quart_heure.network.graph import Flags, WalkNetwork
from quart_heure.network.raw_segments import (
    Origins,
    RawSegments,
    lay_squares,
    way_segments,
    words_of,
)
from quart_heure.network.rules import judge_node
from quart_heure.network.squares import find_squares
from quart_heure.sources.osm.checks import distinct
from quart_heure.sources.osm.data import RawOsm
from quart_heure.sources.osm.files import read_osm_file
from quart_heure.sources.projecting import metric_crs, transformer

__all__ = ["read_osm_network"]

LICENCE = "ODbL 1.0"
ATTRIBUTION = "© OpenStreetMap contributors"
_FLAG_NAMES = {bit: name.lower() for name, bit in vars(Flags).items() if name.isupper()}


def read_osm_network(
    path: AnyPath, *, polygon: shapely.Geometry | None = None, crs: pyproj.CRS | None = None
) -> WalkNetwork:
    """Read a walking network from an OpenStreetMap file.

    Parameters
    ----------
    path
        ``.osm.pbf``, ``.osm``, ``.osm.gz`` or ``.osm.bz2``.
    polygon
        In degrees. Segments with neither end in it are left out.
    crs
        Metric CRS of the network. By default EPSG:2154 in metropolitan France, else the UTM zone.

    Raises
    ------
    InputFileError
        If the file is missing, damaged or of another kind.
    NetworkError
        If nothing in it can be walked.
    CrsError
        If the CRS is not in metres.
    """
    path = Path(path)
    # All of it: streets that are joined beyond the polygon belong together.
    raw = read_osm_file(path)
    if crs is None:
        crs = metric_crs(_extent(raw) if polygon is None else polygon)
    contraction = _lay_out(raw, crs=crs, polygon=polygon)
    del raw  # contraction needs the most memory of all, and nothing of this
    return WalkNetwork.of(contraction())


def network_from_osm(
    raw: RawOsm, *, crs: pyproj.CRS, polygon: shapely.Geometry | None = None
) -> WalkNetwork:
    """Build a walking network from raw data.

    Parameters
    ----------
    raw
        Raw data, from a server or a file.
    crs
        Metric CRS of the network.
    polygon
        In degrees. Segments with neither end in it are left out.

    Returns
    -------
    WalkNetwork
        ``meta`` holds source, osm_date, licence, attribution; ``dropped``, with ways and length_km
        for each reason of `quart_heure.network.rules.DROPPED`; ``flags``, the same for each flag;
        ``squares_without_entrance``, OSM ids, relations negative; and ``counts``.

    Raises
    ------
    NetworkError
        If nothing can be walked.
    CrsError
        If the CRS is not in metres.
    """
    return WalkNetwork.of(_lay_out(raw, crs=crs, polygon=polygon)())


def _lay_out(
    raw: RawOsm, *, crs: pyproj.CRS, polygon: shapely.Geometry | None
) -> Callable[[], NetworkArrays]:
    """Lay out the segments of a network, and return what contracts them."""
    check_metric(crs)
    xy = _project(raw, crs)
    everything = way_segments(raw).on_the_map(xy)
    origins = Origins.of_ways(raw)
    squares = find_squares(raw, origins.verdict)
    blocked, gate_flags = _judge_nodes(raw)
    is_walked = origins.walkable()[everything.origin]
    streets, left_out = everything.take(is_walked), everything.take(~is_walked)
    obstacles = _project_obstacles(raw, crs)
    streets, lonely = lay_squares(squares, streets, origins, xy, blocked, obstacles)
    shut = _shut_ends(streets, left_out, origins, blocked)
    a, b, node_xy = shut_gates(streets.a, streets.b, xy, shut)
    part_nodes, whole_nodes = count_part_nodes(a, b, len(node_xy))
    if polygon is not None:
        inside = shapely.contains_xy(polygon, raw.lon, raw.lat)
        kept = inside[streets.a] | inside[streets.b]
        a, b, streets = a[kept], b[kept], streets.take(kept)
        shut = shut[np.tile(kept, 2)]
        everything, left_out = (
            some.take(inside[some.a] | inside[some.b]) for some in (everything, left_out)
        )
        squares = [square for square in squares if inside[square.ring_nodes].any()]
    dropped = _count_dropped(left_out, origins, xy)
    if len(streets.a) == 0:
        reasons = ", ".join(f"{reason} {count['ways']}" for reason, count in dropped.items())
        msg = f"{raw.source}: no street here can be walked (left out: {reasons or 'none'})."
        raise NetworkError(msg, hint="Check the area, and that the file holds its streets.")
    sort = origins.sort(streets.origin)
    columns = origins.columns(streets.origin)
    columns["flags"] |= gate_flags[streets.a] | gate_flags[streets.b]
    columns["part_nodes"] = part_nodes[a]
    return functools.partial(
        contract,
        a=a,
        b=b,
        node_xy=node_xy,
        columns=columns,
        kind=words_of(origins.kinds, sort),
        name=words_of(origins.names, sort),
        crs=crs,
        meta={
            "source": raw.source,
            "osm_date": raw.osm_date,
            "licence": LICENCE,
            "attribution": ATTRIBUTION,
            "dropped": dropped,
            "flags": _count_flags(streets, columns, xy),
            "whole_nodes": whole_nodes,
            "squares_without_entrance": [s.osm_id for s in squares if s.osm_id in lonely],
            "counts": {
                "ways": int(np.count_nonzero(np.bincount(everything.origin))),
                "ways_walked": int(np.count_nonzero(np.bincount(streets.origin)[: raw.n_ways])),
                "squares": len(squares),
                "square_walks": int(np.count_nonzero(columns["flags"] & Flags.SQUARE_WALK)),
                "ends_at_shut_gates": int(np.count_nonzero(np.append(a, b) >= len(xy))),
                "shut_gates_passed_by": _passed_by(streets, blocked, shut),
                "problems": len(raw.problem_rows),
            },
        },
    )


def _project(raw: RawOsm, crs: pyproj.CRS) -> NDArray[np.float64]:
    return np.stack(transformer(4326, crs).transform(raw.lon, raw.lat), axis=1)


def _project_obstacles(raw: RawOsm, crs: pyproj.CRS) -> NDArray[np.object_]:
    """Bring what walks go round to metres, save what has no place in the CRS."""
    to_crs = transformer(4326, crs)
    shapes = np.empty(len(raw.obstacles), dtype=object)
    shapes[:] = raw.obstacles
    moved: NDArray[np.object_] = shapely.transform(
        shapes, lambda xy: np.stack(to_crs.transform(xy[:, 0], xy[:, 1]), axis=1)
    )
    placed: NDArray[np.object_] = moved[np.isfinite(shapely.bounds(moved)).all(axis=1)]
    return placed


def _extent(raw: RawOsm) -> shapely.Polygon:
    """Return the bounds of nearly all nodes: one node gone astray must not choose the CRS."""
    if len(raw.lon) == 0:
        msg = f"{raw.source}: no street has two nodes with a place."
        raise NetworkError(msg, hint="Give an extract with its streets and all their nodes.")
    # As np.quantile has it, which loads masked arrays first.
    place = np.arange(len(raw.lon))
    (west, east), (south, north) = (
        np.interp((0.05 * place[-1], 0.95 * place[-1]), place, np.sort(degrees))
        for degrees in (raw.lon, raw.lat)
    )
    return shapely.box(west, south, east, north)


def _judge_nodes(raw: RawOsm) -> tuple[NDArray[np.bool_], NDArray[np.uint16]]:
    """Return which nodes nobody passes, and the flags of those that one passes; shape (K,)."""
    blocked = np.zeros(len(raw.node_id), dtype=bool)
    flags = np.zeros(len(raw.node_id), dtype=np.uint16)
    ids = np.array(list(raw.node_tags), dtype=np.int64)
    at = np.searchsorted(raw.node_id, ids).tolist()
    for node, tags in zip(at, raw.node_tags.values(), strict=True):
        verdict = judge_node(tags)
        blocked[node] = not verdict.passable
        flags[node] = verdict.flags
    return blocked, flags


def _shut_ends(
    streets: RawSegments, left_out: RawSegments, origins: Origins, blocked: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Tell which ends of the walked segments, first all ``a``, then all ``b``, a gate closes."""
    ends = np.concatenate([streets.a, streets.b])
    shut: NDArray[np.bool_] = blocked[ends]
    at = np.flatnonzero(shut)
    if len(at) == 0:
        return shut
    met: dict[int, list[tuple[int, End]]] = {}
    origin = np.concatenate([streets.origin, streets.origin])
    for place, one in zip(at.tolist(), origin[at].tolist(), strict=True):
        met.setdefault(int(ends[place]), []).append((place, origins.end(one)))
    for nodes in (left_out.a, left_out.b):
        here = np.flatnonzero(blocked[nodes])
        for node, one in zip(nodes[here].tolist(), left_out.origin[here].tolist(), strict=True):
            met.setdefault(node, []).append((-1, origins.end(one)))
    for found in met.values():
        for (place, _), passes in zip(found, which_pass([end for _, end in found]), strict=True):
            if passes:
                shut[place] = False
    return shut


def _passed_by(streets: RawSegments, blocked: NDArray[np.bool_], shut: NDArray[np.bool_]) -> int:
    """Count the shut gates that a street goes on past."""
    ends = np.concatenate([streets.a, streets.b])
    return len(distinct(ends[blocked[ends] & ~shut]))


def _count_dropped(
    left_out: RawSegments, origins: Origins, xy: NDArray[np.float64]
) -> dict[str, dict[str, float]]:
    """Count ways and kilometres by the reason why they are not walked."""
    length_m = np.bincount(left_out.origin, weights=left_out.lengths(xy))
    counts: dict[str, dict[str, float]] = {}
    for origin in distinct(left_out.origin).tolist():
        reason = origins.verdict(origin).reason
        # A way that only outlines an area is no street that was dropped.
        if reason != "no_highway":
            count = counts.setdefault(reason, {"ways": 0, "length_km": 0.0})
            count["ways"] += 1
            count["length_km"] += float(length_m[origin]) / 1000
    return {
        reason: {"ways": count["ways"], "length_km": round(count["length_km"], 3)}
        for reason, count in sorted(counts.items())
    }


def _count_flags(
    streets: RawSegments, columns: Mapping[str, NDArray[Any]], xy: NDArray[np.float64]
) -> dict[str, dict[str, float]]:
    flagged = np.flatnonzero(columns["flags"])
    flags, streets = columns["flags"][flagged], streets.take(flagged)
    length_m = streets.lengths(xy)
    counts = {}
    for bit, name in _FLAG_NAMES.items():
        has = flags & bit != 0
        counts[name] = {
            "ways": len(distinct(streets.origin[has])),
            "length_km": round(float(length_m[has].sum()) / 1000, 3),
        }
    return counts
