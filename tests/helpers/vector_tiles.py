"""A writer of vector tiles, as small as the format allows, and of the archives that hold them."""

from __future__ import annotations

import contextlib
import gzip
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pmtiles.tile import Compression, TileType, zxy_to_tileid
from pmtiles.writer import Writer

from quart_heure.sources.tiles.files import EXTENT

Z, X, Y = 14, 8299, 5636
UNIT_M = 0.393
"""Metres of one unit of the grid there."""

Places = Sequence[tuple[int, int]]
Feature = tuple[str, Places, dict[str, Any]]


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def field(number: int, payload: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def packed(values: Sequence[int]) -> bytes:
    return b"".join(map(varint, values))


def zigzag(value: int) -> int:
    return value << 1 if value >= 0 else (-value << 1) - 1


def geometry(kind: str, places: Places) -> list[int]:
    ring = kind == "polygon"
    corners = list(places[:-1] if ring else places)
    steps = np.diff(np.array([(0, 0), *corners]), axis=0).tolist()
    numbers = [zigzag(value) for step in steps for value in step]
    if kind == "point":
        return [9, *numbers]
    lines = [9, *numbers[:2], (len(corners) - 1) << 3 | 2, *numbers[2:]]
    return [*lines, 15] if ring else lines


def layer_bytes(name: str, features: Sequence[Feature]) -> bytes:
    keys: list[str] = []
    values: list[Any] = []
    body = b""
    for kind, places, properties in features:
        tags = []
        for key, value in properties.items():
            if key not in keys:
                keys.append(key)
            # True is 1 to Python, and not to a tile.
            known = [(type(one), one) for one in values]
            if (type(value), value) not in known:
                values.append(value)
                known.append((type(value), value))
            tags += [keys.index(key), known.index((type(value), value))]
        type_code = {"point": 1, "line": 2, "polygon": 3}[kind]
        body += field(
            2,
            field(2, packed(tags))
            + varint(3 << 3)
            + varint(type_code)
            + field(4, packed(geometry(kind, places))),
        )
    words = b"".join(field(3, key.encode()) for key in keys)
    for value in values:
        if isinstance(value, str):
            words += field(4, field(1, value.encode()))
        elif isinstance(value, bool):
            words += field(4, varint(7 << 3) + varint(value))
        elif isinstance(value, int):
            words += field(4, varint(4 << 3) + varint(value))
        else:  # a double
            words += field(4, b"\x19" + np.float64(value).tobytes())
    size = varint(5 << 3) + varint(EXTENT) + varint(15 << 3) + varint(2)
    return field(3, field(1, name.encode()) + body + words + size)


def line(class_: str, places: Places, **properties: Any) -> Feature:
    return "line", places, {"class": class_, **properties}


def tile_bytes(layers: Mapping[str, Sequence[Feature]]) -> bytes:
    return b"".join(layer_bytes(name, features) for name, features in layers.items())


def write_tile(
    folder: Path, x: int, layers: Mapping[str, Sequence[Feature]], *, packed_up: bool = False
) -> None:
    data = tile_bytes(layers)
    path = folder / str(Z) / str(x) / (f"{Y}.pbf.gz" if packed_up else f"{Y}.pbf")
    path.parent.mkdir(parents=True)
    path.write_bytes(gzip.compress(data) if packed_up else data)


def write_mbtiles(path: Path, tiles: Mapping[tuple[int, int, int], Any], **metadata: str) -> Path:
    """Write an archive; tiles are named by zoom, column and row from the north."""
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE metadata (name text, value text)")
        database.execute(
            "CREATE TABLE tiles"
            " (zoom_level integer, tile_column integer, tile_row integer, tile_data blob)"
        )
        database.executemany("INSERT INTO metadata VALUES (?, ?)", metadata.items())
        database.executemany(
            "INSERT INTO tiles VALUES (?, ?, ?, ?)",
            [(z, x, 2**z - 1 - y, data) for (z, x, y), data in tiles.items()],
        )
        database.commit()
    return path


def write_pmtiles(path: Path, tiles: Mapping[tuple[int, int, int], bytes], **metadata: Any) -> Path:
    """Write an archive as the package does: directories and metadata packed, and the tiles too."""
    ids = {zxy_to_tileid(*place): data for place, data in tiles.items()}
    with path.open("wb") as file:
        writer = Writer(file)
        for tile_id in sorted(ids):
            data = ids[tile_id]
            writer.write_tile(tile_id, data if data[:2] == b"\x1f\x8b" else gzip.compress(data))
        header = {"tile_type": TileType.MVT, "tile_compression": Compression.GZIP}
        writer.finalize(header, metadata)
    return path
