"""Arrays put together as a network: checked, filled up with defaults, and hashed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyproj
from numpy.typing import NDArray

from quart_heure.errors import CrsError, NetworkError
from quart_heure.network.arrays import NetworkArrays

NO_EDGE = "The walking network has no edge."
NO_EDGE_HINT = "Check the area and what was dropped by the walking rules."

DEFAULTS: dict[str, tuple[Any, type[np.generic]]] = {
    "steps": (False, np.bool_),
    "bridge": (False, np.bool_),
    "tunnel": (False, np.bool_),
    "forward": (True, np.bool_),
    "backward": (True, np.bool_),
    "flags": (0, np.uint16),
    "osm_id": (0, np.int64),
    "part_nodes": (0, np.int64),
}
"""What an edge is where nothing is said, and the type of each column."""


def assemble_network(
    *,
    u: NDArray[np.int32],
    v: NDArray[np.int32],
    length_m: NDArray[np.float64],
    columns: Mapping[str, NDArray[Any]],
    kind: tuple[NDArray[np.int32], tuple[str, ...]],
    name: tuple[NDArray[np.int32], tuple[str, ...]],
    xy: NDArray[np.float64],
    offsets: NDArray[np.int64],
    crs: pyproj.CRS,
    meta: Mapping[str, Any],
) -> NetworkArrays:
    """Put arrays together as a network after checking them, and give it its digest.

    Parameters
    ----------
    u, v, length_m
        End nodes (0 … N-1) and length in metres of each edge; shape (E,).
    columns
        Any of steps, bridge, tunnel, forward, backward, flags, osm_id, part_nodes; shape (E,) each.
    kind, name
        Codes of shape (E,) and the words they stand for.
    xy, offsets
        Vertices (C, 2) and where each edge's begin (E + 1,).
    crs, meta
        See `WalkNetwork`.

    Raises
    ------
    CrsError
        If the CRS is not projected in metres.
    NetworkError
        If there is no edge, or a length or coordinate is not a finite, positive number.
    """
    check_metric(crs)
    if len(u) == 0:
        raise NetworkError(NO_EDGE, hint=NO_EDGE_HINT)
    if not (np.isfinite(length_m) & (length_m > 0)).all():
        bad = int(np.flatnonzero(~(np.isfinite(length_m) & (length_m > 0)))[0])
        msg = f"Edge {bad} of the walking network has length {length_m[bad]} m."
        raise NetworkError(msg, hint="Lengths must be positive and finite.")
    if not np.isfinite(xy).all():
        msg = "The walking network has a vertex without coordinates."
        raise NetworkError(msg, hint="Remove or mend that edge.")
    filled: dict[str, NDArray[Any]] = {
        key: np.asarray(columns.get(key, np.full(len(u), default)), dtype=dtype)
        for key, (default, dtype) in DEFAULTS.items()
    }
    if "whole_nodes" not in meta or not filled["part_nodes"].all():
        del filled["part_nodes"]  # of a network that was not cut, or by somebody else
    arrays: dict[str, Any] = {
        "u": np.ascontiguousarray(u, dtype=np.int32),
        "v": np.ascontiguousarray(v, dtype=np.int32),
        "length_m": np.ascontiguousarray(length_m, dtype=np.float64),
        **filled,
        "kind_code": np.ascontiguousarray(kind[0], dtype=np.int32),
        "name_code": np.ascontiguousarray(name[0], dtype=np.int32),
        "xy": np.ascontiguousarray(xy, dtype=np.float64),
        "offsets": np.ascontiguousarray(offsets, dtype=np.int64),
    }
    return NetworkArrays(
        **arrays,
        kinds=kind[1],
        names=name[1],
        crs=crs,
        meta=meta,
        digest=_digest(arrays, kind[1], name[1], crs),
    )


def check_metric(crs: pyproj.CRS | None) -> pyproj.CRS:
    """Return the CRS if it is projected, in metres; else raise `CrsError`."""
    if crs is None:
        msg = "The walking network has no coordinate reference system."
        raise CrsError(msg, hint="Set one, for instance edges.set_crs(2154).")
    if not crs.is_projected or crs.axis_info[0].unit_conversion_factor != 1:
        msg = f"The walking network is in {crs.to_string()}, which is not in metres."
        raise CrsError(msg, hint="Reproject it, for instance edges.to_crs(2154).")
    return crs


def _digest(
    arrays: Mapping[str, NDArray[Any]],
    kinds: tuple[str, ...],
    names: tuple[str, ...],
    crs: pyproj.CRS,
) -> str:
    digest = hashlib.blake2b(digest_size=16)
    # Of what it was cut, a network is the same without: that says which parts of it are useful.
    for key in sorted(arrays.keys() - {"part_nodes"}):
        digest.update(key.encode())
        digest.update(np.ascontiguousarray(arrays[key]).tobytes())
    digest.update(json.dumps([kinds, names, crs.to_string()], ensure_ascii=False).encode())
    return digest.hexdigest()
