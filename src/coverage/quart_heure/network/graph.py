"""The walking network as others use it: its arrays, and the ways in and out.

What makes networks (`quart_heure.network.contraction`, the readers of tables and graphs) knows the
arrays alone (`quart_heure.network.arrays`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quart_heure.files import AnyPath
from quart_heure.network.arrays import Flags, NetworkArrays

if TYPE_CHECKING:
    import geopandas as gpd
    import networkx as nx

__all__ = ["Flags", "WalkNetwork"]


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class WalkNetwork(NetworkArrays):
    """Streets that can be walked, contracted to junctions.

    Its fields are those of `quart_heure.network.arrays.NetworkArrays`: end nodes, lengths, kinds
    and shapes of the edges, in metres of a projected CRS. Here stand the ways in and out: tables,
    files and networkx.
    """

    @classmethod
    def of(cls, arrays: NetworkArrays) -> WalkNetwork:
        """Return a network of these very arrays."""
        return cls(**{one.name: getattr(arrays, one.name) for one in dataclasses.fields(cls)})

    @classmethod
    def from_edges(
        cls, edges: gpd.GeoDataFrame, *, meta: Mapping[str, Any] | None = None
    ) -> WalkNetwork:
        """Build a network from a table of edges.

        Parameters
        ----------
        edges
            One LineString per row in a projected CRS in metres, and ``u`` and ``v``, the keys of
            its end nodes (any sortable values), as columns or in the index. The other columns of
            an edge table are optional; ``length_m`` defaults to the length of the line. osmnx's
            ``highway`` and ``osmid`` are taken for ``kind`` and ``osm_id``, and of its two rows of
            one street the first.
        meta
            Source, data date, licence.

        Raises
        ------
        CrsError
            If the table has no CRS or one that is not in metres.
        InputFileError
            If a column is missing or a geometry is not a line.
        NetworkError
            If there is no edge, a length is not a positive number, or an edge is shorter than the
            straight line between its ends.
        """
        from quart_heure.network.edge_table import network_from_table  # noqa: PLC0415

        return cls.of(network_from_table(edges, meta=dict(meta or {})))

    @classmethod
    def read(cls, path: AnyPath) -> WalkNetwork:
        """Read a network written by `write`, or any GeoParquet of edges.

        Raises
        ------
        InputFileError
            If the file is missing, is not GeoParquet, or lacks a column.
        """
        path = Path(path)
        from quart_heure.network.edge_table import read_network  # noqa: PLC0415

        return cls.of(read_network(path))

    def write(self, path: AnyPath) -> None:
        """Write the edges as GeoParquet, with `meta` in the file's own metadata."""
        path = Path(path)
        from quart_heure.network.edge_table import write_network  # noqa: PLC0415

        write_network(self, path)

    @classmethod
    def from_networkx(
        cls, graph: nx.MultiDiGraph, *, meta: Mapping[str, Any] | None = None
    ) -> WalkNetwork:
        """Build a network from an osmnx-shaped graph (see `quart_heure.network.interop`)."""
        from quart_heure.network.interop import network_from_networkx  # noqa: PLC0415

        return cls.of(network_from_networkx(graph, meta=dict(meta or {})))

    def to_networkx(self) -> nx.MultiDiGraph:
        """Return the network as a projected MultiDiGraph that osmnx's functions accept."""
        from quart_heure.network.interop import network_to_networkx  # noqa: PLC0415

        return network_to_networkx(self)
