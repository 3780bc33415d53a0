"""PMTiles, version 3: one file of tiles behind a directory of where each lies in it.

The format (https://github.com/protomaps/PMTiles/blob/main/spec/v3/spec.md) numbers tiles along a
curve; the package ``pmtiles`` knows the numbers and reads directories. It unpacks whatever it is
given, and always with gzip; so directories are unpacked here first, within a limit.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import mmap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from quart_heure.errors import InputFileError
from quart_heure.sources.tiles.files import tile_range
from quart_heure.sources.tiles.packing import inflated

MAGIC = b"PMTiles"
_DEEPEST_ZOOM = 30
_DEPTH = 4
"""Directories lead to directories so many times at most, as the format says."""

_LOOKED_UP = 20_000
"""Tiles that are asked for one by one; of more, the directories are gone through."""

_MOST_TILES = 300_000
"""Tiles gone through in one reading: the whole of France at zoom 14 has some 210,000."""


class PmTiles:
    """An opened archive.

    Parameters
    ----------
    path
        The file.
    data
        Its bytes.

    Raises
    ------
    InputFileError
        If it is not PMTiles of version 3 with vector tiles.
    """

    def __init__(self, path: Path, data: mmap.mmap) -> None:
        from pmtiles import tile  # noqa: PLC0415 - for those who have such a file

        self._path, self._data, self._format = path, data, tile
        self._directories: dict[tuple[int, int], list[Any]] = {}
        try:
            self.header: Mapping[str, Any] = dict(tile.deserialize_header(data[:127]))
        except (tile.MagicNumberNotFound, tile.SpecVersionUnsupported) as error:
            msg = f"{path}: is not PMTiles of version 3."
            raise InputFileError(msg, hint="Convert it with the pmtiles tool.") from error
        kinds = {"tile_type": ("MVT", "UNKNOWN")}
        kinds |= dict.fromkeys(("internal_compression", "tile_compression"), ("GZIP", "NONE"))
        for key, known in kinds.items():
            word = self.header[key].name
            if word not in known:
                msg = f"{path}: {key.replace('_', ' ')} {word} is not read."
                raise InputFileError(msg, hint="Give vector tiles (MVT), packed with gzip or not.")
        if not 0 <= self.header["max_zoom"] <= _DEEPEST_ZOOM:
            msg = f"{path}: there is no zoom {self.header['max_zoom']}."
            raise InputFileError(msg, hint="Give the PMTiles of a place.")

    def metadata(self) -> dict[str, Any]:
        """Return what the archive says of itself."""
        start, size = self.header["metadata_offset"], self.header["metadata_length"]
        text = inflated(self._data[start : start + size], f"{self._path}, metadata")
        found = json.loads(text) if text else {}
        return found if isinstance(found, dict) else {}

    def tiles(
        self, bounds: tuple[float, float, float, float] | None
    ) -> Iterator[tuple[int, int, bytes]]:
        """Give column, row and data of the tiles of the highest zoom in a place."""
        zoom = self.header["max_zoom"]
        west, north, east, south = tile_range(zoom, bounds)
        last = 2**zoom - 1
        columns = range(max(west, 0), min(east, last) + 1)
        rows = range(max(north, 0), min(south, last) + 1)
        found = (
            self._looked_up(zoom, columns, rows)
            if len(columns) * len(rows) <= _LOOKED_UP
            else self._walked(zoom, columns, rows)
        )
        for x, y, data in found:
            yield x, y, inflated(data, f"{self._path}, tile {zoom}/{x}/{y}")

    def _looked_up(
        self, zoom: int, columns: range, rows: range
    ) -> Iterator[tuple[int, int, bytes]]:
        """Give the tiles of a place by asking for each."""
        for x in columns:
            for y in rows:
                data = self._get(self._format.zxy_to_tileid(zoom, x, y))
                if data is not None:
                    yield x, y, data

    def _walked(self, zoom: int, columns: range, rows: range) -> Iterator[tuple[int, int, bytes]]:
        """Give the tiles of a large place by going through the directories."""
        first = self._format.zxy_to_tileid(zoom, 0, 0)
        deep = [
            (max(entry.tile_id, first), entry.tile_id + entry.run_length, entry)
            for entry in self._entries(self.header["root_offset"], self.header["root_length"], 1)
            if entry.tile_id + entry.run_length > first
        ]
        # What an entry claims is counted before it is believed.
        if sum(end - begin for begin, end, _ in deep) > _MOST_TILES:
            msg = f"{self._path}: holds more than {_MOST_TILES} tiles of zoom {zoom}."
            raise InputFileError(msg, hint="Give an extract of the place.")
        for begin, end, entry in deep:
            for tile_id in range(begin, end):
                z, x, y = self._format.tileid_to_zxy(tile_id)
                if z == zoom and x in columns and y in rows:
                    yield x, y, self._tile(entry)

    def _entries(self, start: int, size: int, depth: int) -> Iterator[Any]:
        if depth > _DEPTH:
            raise self._leads_nowhere()
        for entry in self._directory(start, size):
            if entry.run_length:
                yield entry
            else:
                leaf = self.header["leaf_directory_offset"] + entry.offset
                yield from self._entries(leaf, entry.length, depth + 1)

    def _get(self, tile_id: int) -> bytes | None:
        start, size = self.header["root_offset"], self.header["root_length"]
        for _ in range(_DEPTH):
            found = self._format.find_tile(self._directory(start, size), tile_id)
            if found is None:
                return None
            if found.run_length:
                return self._tile(found)
            start, size = self.header["leaf_directory_offset"] + found.offset, found.length
        raise self._leads_nowhere()

    def _tile(self, entry: Any) -> bytes:
        begin = self.header["tile_data_offset"] + entry.offset
        return self._data[begin : begin + entry.length]

    def _leads_nowhere(self) -> InputFileError:
        msg = f"{self._path}: its directories lead nowhere."
        return InputFileError(msg, hint="Fetch the file again.")

    def _directory(self, start: int, size: int) -> list[Any]:
        known = self._directories.get((start, size))
        if known is None:
            unpacked = inflated(self._data[start : start + size], f"{self._path}, directory")
            # The package takes gzip alone, whatever the header says of the directories.
            packed = gzip.compress(unpacked, compresslevel=0)
            known = self._directories[start, size] = self._format.deserialize_directory(packed)
        return known


@contextlib.contextmanager
def opened(path: Path) -> Iterator[PmTiles]:
    """Open an archive, and say of any damage which file it is in."""
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            yield PmTiles(path, data)
    except InputFileError:
        raise
    except (ValueError, IndexError, KeyError, EOFError, OverflowError, OSError) as error:
        msg = f"{path}: cannot be read as PMTiles ({str(error) or type(error).__name__})."
        raise InputFileError(msg, hint="Fetch the file again.") from error
