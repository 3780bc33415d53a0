"""Vector tiles: the lines that they hold, joined to a network."""

TILE_SUFFIXES = (".mbtiles", ".pmtiles")
"""Ends of the names of archives of vector tiles, in lower case."""
