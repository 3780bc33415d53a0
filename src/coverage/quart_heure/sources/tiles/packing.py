"""What is packed in an archive of tiles, unpacked no further than a tile can be large."""

from __future__ import annotations

import zlib

from quart_heure.errors import InputFileError

LARGEST_TILE = 32 * 2**20
"""Bytes of one unpacked tile or directory: a real one has a few hundred thousand."""


def inflated(data: object, where: str) -> bytes:
    """Return data as it is or unpacked with gzip.

    Raises
    ------
    InputFileError
        If it cannot be unpacked, or grows too large.
    """
    if not isinstance(data, bytes):  # SQLite takes any kind of value in any column
        msg = f"{where}: holds no data."
        raise InputFileError(msg, hint="Fetch the file again.")
    if data[:2] != b"\x1f\x8b":
        if len(data) > LARGEST_TILE:
            raise _too_large(where)
        return data
    inflate = zlib.decompressobj(wbits=31)
    try:
        unpacked = inflate.decompress(data, LARGEST_TILE)
    except zlib.error as error:
        msg = f"{where}: cannot be unpacked ({error})."
        raise InputFileError(msg, hint="Fetch this tile again.") from error
    if inflate.unconsumed_tail or not inflate.eof:
        raise _too_large(where)
    return unpacked


def _too_large(where: str) -> InputFileError:
    msg = f"{where}: is cut short, or larger than {LARGEST_TILE // 2**20} MB."
    return InputFileError(msg, hint="Fetch this tile again.")
