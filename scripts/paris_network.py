"""The walking network of the packaged Paris, from vector tiles of OpenStreetMap."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import shapely

from quart_heure.network.graph import WalkNetwork
from quart_heure.network.tile_network import network_from_tiles, tile_rule
from quart_heure.sources.tiles.tiles import read_tiles

__all__ = ["build_network", "write_compact"]

ROUND_M = 1 / 8
"""Vertices lie on this grid: finer than the tiles' own 0.39 m, and it packs well."""

ROUND_LENGTH_M = 1 / 64


def build_network(
    folder: Path,
    area: shapely.Geometry,
    *,
    meta: dict[str, Any],
    report: Callable[[str], None],
) -> WalkNetwork:
    """Read, round and contract the streets in an area (EPSG:2154).

    Lengths are those of the rounded lines, so that they agree with the shapes that are stored.
    """
    streets = read_tiles(folder, rule=tile_rule, area=area, report=report)
    rounded_xy = np.rint(streets.node_xy / ROUND_M) * ROUND_M
    network = network_from_tiles(streets, meta=meta, node_xy=rounded_xy)
    rounded = np.rint(network.length_m / ROUND_LENGTH_M) * ROUND_LENGTH_M
    return dataclasses.replace(network, length_m=np.maximum(rounded, ROUND_LENGTH_M))


def write_compact(network: WalkNetwork, path: Path) -> None:
    """Write a network as `WalkNetwork.write` does, packed as tightly as Parquet allows."""
    network.write(path)
    table = pq.read_table(path)
    pq.write_table(
        table,
        path,
        compression="zstd",
        compression_level=19,
        use_dictionary=["kind", "name", "flags", "osm_id"],
        column_encoding={
            "u": "DELTA_BINARY_PACKED",
            "v": "DELTA_BINARY_PACKED",
            "length_m": "BYTE_STREAM_SPLIT",
        },
        data_page_version="2.0",
    )
