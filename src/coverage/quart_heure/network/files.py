"""A network from whatever file holds its streets: edges, raw OpenStreetMap data, vector tiles."""

from __future__ import annotations

from pathlib import Path

import pyproj
import shapely

from quart_heure.network.graph import WalkNetwork
from quart_heure.sources.osm.data import OSM_SUFFIXES
from quart_heure.sources.tiles import TILE_SUFFIXES

READING = 3
"""Raised when the same file gives another network: part of the key of what is kept of one."""


def is_cut_to_place(path: Path) -> bool:
    """Tell whether a file is raw: only a part of it is read, and it tells of water and barriers."""
    return holds_tiles(path) or path.name.lower().endswith(OSM_SUFFIXES)


def read_network_file(path: Path, *, reach: shapely.Geometry, crs: pyproj.CRS) -> WalkNetwork:
    """Read a network from any file of streets.

    Parameters
    ----------
    path
        GeoParquet of a walking network, raw OpenStreetMap data (`OSM_SUFFIXES`), or vector tiles: a
        folder, or an archive (`TILE_SUFFIXES`).
    reach, crs
        For raw data and tiles: where streets are wanted, in degrees, and the CRS of the network.

    Raises
    ------
    InputFileError
        If the file is missing, damaged, or of no kind that is known.
    NetworkError
        If nothing in it can be walked.
    """
    if holds_tiles(path):
        from quart_heure.network.tile_network import (  # noqa: PLC0415 - each kind when it is met
            read_tile_network,
        )

        return read_tile_network(path, polygon=reach, crs=crs)
    if path.name.lower().endswith(OSM_SUFFIXES):
        from quart_heure.network.streets import read_osm_network  # noqa: PLC0415

        return read_osm_network(path, polygon=reach, crs=crs)
    return WalkNetwork.read(path)


def holds_tiles(path: Path) -> bool:
    """Tell whether a network is read from vector tiles: a folder, or an archive."""
    return path.is_dir() or path.name.lower().endswith(TILE_SUFFIXES)
