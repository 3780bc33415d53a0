"""Vector tiles: the lines that they hold, joined to a network."""

from typing import TYPE_CHECKING

from quart_heure.moved import face_of

TILE_SUFFIXES = (".mbtiles", ".pmtiles")
"""Ends of the names of archives of vector tiles, in lower case."""

if not TYPE_CHECKING:  # types are known where a thing is defined
    __getattr__ = face_of(__name__, "tiles")
