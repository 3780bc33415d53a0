#!/usr/bin/env bash
# The Python package pmtiles and archives whose directories are not packed.
#
# PMTiles 3 says in its header how directories and metadata are packed; "none" is one of the values.
# The package reads that field for the metadata alone: directories are unpacked with gzip whatever
# it says, and a valid archive ends in BadGzipFile.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pmtiles==3.8.1
"$folder/venv/bin/python" - <<'PY'
import sys
from importlib.metadata import version

from pmtiles.reader import MemorySource, Reader
from pmtiles.tile import Compression, TileType, serialize_header

# One tile 0/0/0 of four bytes: number of entries, id step, run, length, offset + 1.
directory, metadata, tile = bytes([1, 0, 1, 4, 1]), b'{"name":"t"}', b"tile"
start = 127
header = {
    "root_offset": start,
    "root_length": len(directory),
    "metadata_offset": start + len(directory),
    "metadata_length": len(metadata),
    "tile_data_offset": start + len(directory) + len(metadata),
    "tile_data_length": len(tile),
    "clustered": True,
    "internal_compression": Compression.NONE,
    "tile_compression": Compression.NONE,
    "tile_type": TileType.MVT,
    "min_zoom": 0,
    "max_zoom": 0,
}
reader = Reader(MemorySource(serialize_header(header) + directory + metadata + tile))
told = reader.header()["internal_compression"].name
about = reader.metadata()
try:
    got = repr(reader.get(0, 0, 0))
except Exception as error:
    got = f"{type(error).__name__}: {error}"
print("pmtiles", version("pmtiles"))
print("internal_compression:", told)
print("metadata:", about)
print("tile 0/0/0 (should be b'tile'):", got)
same = told == "NONE" and about == {"name": "t"} and got.startswith("BadGzipFile")
print("as found" if same else "this has changed")
sys.exit(not same)
PY
