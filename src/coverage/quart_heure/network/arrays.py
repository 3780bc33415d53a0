"""The arrays of a walking network: contracted streets with their shapes.

An edge runs from node ``u`` to node ``v`` along the vertices ``xy[offsets[e]:offsets[e + 1]]``.
Arrays are read-only by convention; everything derived is computed once, on demand.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray

if TYPE_CHECKING:
    import geopandas as gpd

EDGE_COLUMNS = (
    "u",
    "v",
    "length_m",
    "kind",
    "steps",
    "bridge",
    "tunnel",
    "forward",
    "backward",
    "flags",
    "osm_id",
    "name",
)
"""Columns of an edge table, besides its geometry. Only ``u`` and ``v`` must be given."""


class Flags:
    """Bits of the ``flags`` column: what is walkable, yet worth knowing."""

    CLOSED_AT_TIMES = 1  # conditional access, such as a park locked at night
    PRIVATE_WITH_FOOT = 2  # access=private rescued by foot=yes
    SQUARE_WALK = 4  # a straight walk across a square, not a mapped way
    SEPARATE_SIDEWALK = 8  # a carriageway whose sidewalks are mapped apart
    GATE = 16  # passes a gate or a barrier that people on foot can open
    DEMANDING = 32  # a mountain path for the sure-footed (sac_scale T3 and harder)


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class NetworkArrays:
    """Streets that can be walked, contracted to junctions.

    Parameters
    ----------
    u, v
        End nodes of each edge, 0 … ``n_nodes - 1``; shape (E,).
    length_m
        Length of each edge in metres; shape (E,), positive.
    steps, bridge, tunnel
        What each edge is; shape (E,).
    forward, backward
        Whether each edge may be walked from u to v, and from v to u; shape (E,).
    flags
        Bits of `Flags`; shape (E,).
    osm_id
        The OSM way of each edge (the first, where several were joined), 0 if not known; shape (E,).
    part_nodes
        Nodes of the component that each edge belongs to in the network that this one was cut out
        of, where that is known; shape (E,). ``meta["whole_nodes"]`` counts all of its nodes.
    kind_code, name_code
        Positions in ``kinds`` and ``names``; shape (E,).
    kinds, names
        Highway classes and street names; the name of a nameless street is ``""``.
    xy
        Vertices of all shapes, in metres of ``crs``; shape (C, 2).
    offsets
        Where each edge's vertices begin in ``xy``; shape (E + 1,).
    crs
        A projected CRS in metres.
    meta
        Source, data date, licence, counts of what was dropped.
    digest
        Hash of all that defines the network; the key of caches.
    """

    u: NDArray[np.int32]
    v: NDArray[np.int32]
    length_m: NDArray[np.float64]
    steps: NDArray[np.bool_]
    bridge: NDArray[np.bool_]
    tunnel: NDArray[np.bool_]
    forward: NDArray[np.bool_]
    backward: NDArray[np.bool_]
    flags: NDArray[np.uint16]
    osm_id: NDArray[np.int64]
    kind_code: NDArray[np.int32]
    name_code: NDArray[np.int32]
    kinds: tuple[str, ...]
    names: tuple[str, ...]
    xy: NDArray[np.float64]
    offsets: NDArray[np.int64]
    crs: pyproj.CRS
    meta: Mapping[str, Any]
    digest: str
    part_nodes: NDArray[np.int64] | None = None

    def __repr__(self) -> str:
        """Tell how large it is; the arrays hold the rest."""
        return (
            f"{type(self).__name__}: {self.n_edges:,} edges, {self.n_nodes:,} nodes, "
            f"{self.length_m.sum() / 1000:,.0f} km, {self.crs.to_string()}"
        )

    @property
    def n_edges(self) -> int:
        """Number of edges."""
        return len(self.u)

    @functools.cached_property
    def n_nodes(self) -> int:
        """Number of nodes."""
        return int(max(self.u.max(initial=-1), self.v.max(initial=-1))) + 1

    @functools.cached_property
    def node_xy(self) -> NDArray[np.float64]:
        """Coordinates of the nodes; shape (N, 2)."""
        xy = np.full((self.n_nodes, 2), np.nan)
        xy[self.v] = self.xy[self.offsets[1:] - 1]
        xy[self.u] = self.xy[self.offsets[:-1]]
        return xy

    @functools.cached_property
    def drawn_m(self) -> NDArray[np.float64]:
        """Metres of drawing between the first vertex of an edge and each of its vertices; (C,)."""
        step = np.zeros(len(self.xy))
        x, y = self.xy.T
        step[1:] = np.hypot(np.diff(x), np.diff(y))
        total = np.cumsum(step)
        return total - np.repeat(total[self.offsets[:-1]], np.diff(self.offsets))

    @functools.cached_property
    def lines(self) -> NDArray[np.object_]:
        """Shapes of the edges as shapely lines; shape (E,)."""
        lines = shapely.from_ragged_array(shapely.GeometryType.LINESTRING, self.xy, (self.offsets,))
        return np.asarray(lines, dtype=object)

    def name_of(self, edge: int) -> str:
        """Return the street name of an edge, ``""`` if it has none."""
        return self.names[int(self.name_code[edge])]

    def kind_of(self, edge: int) -> str:
        """Return the highway class of an edge."""
        return self.kinds[int(self.kind_code[edge])]

    def edges(self) -> gpd.GeoDataFrame:
        """Return the edges as a table, one row per edge, columns `EDGE_COLUMNS` and geometry."""
        import geopandas as gpd  # noqa: PLC0415 - a second of import that few callers need
        import pandas as pd  # noqa: PLC0415

        columns: dict[str, Any] = {
            "u": self.u,
            "v": self.v,
            "length_m": self.length_m,
            "kind": pd.Categorical.from_codes(self.kind_code, categories=pd.Index(self.kinds)),
            "steps": self.steps,
            "bridge": self.bridge,
            "tunnel": self.tunnel,
            "forward": self.forward,
            "backward": self.backward,
            "flags": self.flags,
            "osm_id": self.osm_id,
            **({} if self.part_nodes is None else {"part_nodes": self.part_nodes}),
            "name": pd.Categorical.from_codes(self.name_code, categories=pd.Index(self.names)),
        }
        return gpd.GeoDataFrame(columns, geometry=self.lines, crs=self.crs)
