"""Archives of vector tiles: MBTiles or PMTiles, unpacked into the folder that readers know.

MBTiles is a SQLite database with a table ``tiles`` (zoom_level, tile_column, tile_row, tile_data)
whose rows are counted from the south, and a table ``metadata`` of names and values
(https://github.com/mapbox/mbtiles-spec, version 1.3).
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path

from quart_heure.errors import InputFileError
from quart_heure.sources.tiles import pmtiles
from quart_heure.sources.tiles.files import tile_range
from quart_heure.sources.tiles.packing import inflated

_DEEPEST_ZOOM = 30


@contextlib.contextmanager
def tile_folder(
    path: Path, *, bounds: tuple[float, float, float, float] | None = None
) -> Iterator[Path]:
    """Give a folder ``z/x/y.pbf`` of the tiles of a folder or of an archive.

    Parameters
    ----------
    path
        A folder of tiles, which is given as it is, or an MBTiles or PMTiles file, whose highest
        zoom is unpacked into a temporary folder.
    bounds
        West, south, east, north in degrees; other tiles are not unpacked.

    Raises
    ------
    InputFileError
        If the file is neither, holds no tile of the place, or one that cannot be unpacked.
    """
    if path.is_dir():
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="quart-heure-tiles-") as name:
        folder = Path(name)
        if _is_pmtiles(path):
            _unpack_pmtiles(path, folder, bounds)
        else:
            _unpack(path, folder, bounds)
        try:
            yield folder
        except InputFileError as error:
            # Tiles are named as the archive's, not by where they lay for a moment.
            msg = str(error.args[0]).replace(str(folder), str(path))
            raise InputFileError(msg, hint=error.hint) from error


def tile_metadata(path: Path) -> dict[str, str]:
    """Return what a folder of tiles (``metadata.json``) or an archive says of itself.

    Empty where it says nothing that can be read: it only describes.
    """
    if path.is_dir():
        try:
            found = json.loads((path / "metadata.json").read_text(encoding="utf-8"))
            return {str(name): str(value) for name, value in found.items()}
        except (OSError, ValueError, AttributeError):
            return {}
    if _is_pmtiles(path):
        with pmtiles.opened(path) as archive:
            return {str(name): str(value) for name, value in archive.metadata().items()}
    with _opened(path) as database:
        try:
            rows = database.execute("SELECT name, value FROM metadata").fetchall()
        except sqlite3.Error:
            return {}
    return {str(name): str(value) for name, value in rows}


def _unpack(path: Path, folder: Path, bounds: tuple[float, float, float, float] | None) -> None:
    with _opened(path) as database:
        try:
            zoom = database.execute("SELECT max(zoom_level) FROM tiles").fetchone()[0]
            if zoom is None:
                msg = f"{path}: there is no tile in it."
                raise InputFileError(msg, hint="Give the MBTiles of a place.")
            if not 0 <= zoom <= _DEEPEST_ZOOM:
                msg = f"{path}: there is no zoom {zoom}."
                raise InputFileError(msg, hint="Give the MBTiles of a place.")
            west, north, east, south = tile_range(int(zoom), bounds)
            rows = database.execute(
                "SELECT tile_column, tile_row, tile_data FROM tiles WHERE zoom_level = ?"
                " AND tile_column BETWEEN ? AND ? AND tile_row BETWEEN ? AND ?",
                (zoom, west, east, 2**zoom - 1 - south, 2**zoom - 1 - north),
            )
            for column, row, data in rows:
                x, y = int(column), 2**zoom - 1 - int(row)
                _keep(folder, int(zoom), x, y, inflated(data, f"{path}, tile {zoom}/{x}/{y}"))
            _refuse_nothing(path, folder, int(zoom))
        except (sqlite3.Error, TypeError, ValueError) as error:
            if isinstance(error, InputFileError):
                raise
            msg = f"{path}: cannot be read as MBTiles ({error})."
            raise InputFileError(msg, hint="Fetch the file again.") from error


def _is_pmtiles(path: Path) -> bool:
    """Tell by its first bytes, or else by its name, whether a file is PMTiles."""
    if not path.is_file():
        msg = f"{path}: there is no such file."
        raise InputFileError(msg, hint="Check the name and the folder it is relative to.")
    with path.open("rb") as file:
        begins = file.read(len(pmtiles.MAGIC))
    return begins == pmtiles.MAGIC or path.name.lower().endswith(".pmtiles")


def _unpack_pmtiles(
    path: Path, folder: Path, bounds: tuple[float, float, float, float] | None
) -> None:
    with pmtiles.opened(path) as archive:
        zoom = int(archive.header["max_zoom"])
        for x, y, data in archive.tiles(bounds):
            _keep(folder, zoom, x, y, data)
    _refuse_nothing(path, folder, zoom)


def _keep(folder: Path, zoom: int, x: int, y: int, data: bytes) -> None:
    target = folder / str(zoom) / str(x) / f"{y}.pbf"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(data)


def _refuse_nothing(path: Path, folder: Path, zoom: int) -> None:
    if not any(folder.iterdir()):
        msg = f"{path}: none of its tiles of zoom {zoom} is of the area."
        raise InputFileError(msg, hint="Check that the tiles and the area are of one place.")


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    # Read-only and immutable: no journal is made beside a file that is not ours.
    database = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)
    try:
        yield database
    finally:
        database.close()
