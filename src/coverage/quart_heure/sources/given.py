"""Files that are given: there, plain, under names that a disk can have, and not too large.

What is packed is measured by what it holds.
"""

from __future__ import annotations

import gzip
import stat
import zipfile
import zlib
from pathlib import Path

from quart_heure.errors import InputFileError
from quart_heure.files import shown

_HINT = "Check the name and the folder it is relative to."


def check_given(path: Path) -> None:
    """Refuse a file that is not there, and what has no end: a pipe, a device, a socket.

    Raises
    ------
    InputFileError
        If it is none of a plain file, a folder, and a link to one.
    """
    kind = _mode(path)
    if kind is None:
        msg = f"{shown(path)}: there is no such file."
        raise InputFileError(msg, hint=_HINT)
    if not (stat.S_ISREG(kind) or stat.S_ISDIR(kind)):
        msg = f"{shown(path)}: is neither a file nor a folder, and may have no end."
        raise InputFileError(msg, hint="Save what it gives in a file, and name that.")


def check_name(path: Path) -> None:
    """Refuse a name that no file can have, or that leads in a circle, whether it is there or not.

    Raises
    ------
    InputFileError
        If it is one.
    """
    _mode(path)


def _mode(path: Path) -> int | None:
    try:
        return path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        # Too long, a link to itself, no permission on the way, a NUL in it.
        reason = getattr(error, "strerror", None) or str(error)
        if "\0" in str(path):
            reason = "its name holds a NUL"  # each Python has words of its own for it
        msg = f"{shown(path)}: cannot be opened ({reason})."
        raise InputFileError(msg, hint=_HINT) from error


# --- how much is in them -------------------------------------------------------------------------

LARGEST_LAYER_BYTES = 2_000_000_000
"""A packed layer holds no more once it is opened; one that is not packed is read in part."""

MOST_LAYER_ROWS = 10_000_000
MOST_LAYER_VALUES = 200_000_000
"""A Parquet file of a layer, a network or people holds no more rows, and values in all of them."""


def held_bytes(path: Path, *, most: int) -> int:
    """Return how many bytes a file holds once it is unpacked; beyond ``most``, some of them.

    Raises
    ------
    InputFileError
        If it is an archive of which that cannot be told.
    """
    suffix = path.suffix.lower()
    if suffix == ".gz":
        return _gzipped_bytes(path, most)
    size = path.stat().st_size
    if suffix in _PACKED and zipfile.is_zipfile(path):
        # What is packed small may be huge once opened.
        try:
            with zipfile.ZipFile(path) as packed:
                size = max(size, sum(part.file_size for part in packed.infolist()))
        except (OSError, zipfile.BadZipFile) as error:
            # Other readers are more lenient, and would unpack what nobody measured.
            msg = f"{path}: cannot be unpacked ({error})."
            raise InputFileError(msg, hint="It is damaged: pack it again.") from error
    return size


def check_packed(path: Path) -> None:
    """Refuse a packed layer that holds more than `LARGEST_LAYER_BYTES`.

    Raises
    ------
    InputFileError
        If it does.
    """
    if path.suffix.lower() not in {*_PACKED, ".gz"} or not path.is_file():
        return
    size = held_bytes(path, most=LARGEST_LAYER_BYTES)
    if size > LARGEST_LAYER_BYTES:
        msg = f"{path}: holds {size / 1e6:,.0f} MB."
        hint = (
            f"A packed layer holds {LARGEST_LAYER_BYTES / 1e6:,.0f} MB at most: unpack or cut it."
        )
        raise InputFileError(msg, hint=hint)


def check_parquet(
    path: Path, *, most_rows: int = MOST_LAYER_ROWS, most_bytes: int = LARGEST_LAYER_BYTES
) -> None:
    """Refuse a Parquet file that holds more than it may, by what it says of itself.

    A file that cannot be read is let pass: its reader says what is wrong with it.

    Raises
    ------
    InputFileError
        If it does.
    """
    import pyarrow as pa  # noqa: PLC0415 - only for this format
    import pyarrow.parquet as pq  # noqa: PLC0415

    try:
        about = pq.read_metadata(path)
    except (pa.ArrowException, OSError, ValueError):
        return
    size = sum(about.row_group(at).total_byte_size for at in range(about.num_row_groups))
    found = (
        (about.num_rows, most_rows, "rows"),
        (about.num_rows * about.num_columns, MOST_LAYER_VALUES, "values"),
        (size, most_bytes, "bytes"),
    )
    for count, most, what in found:
        if count > most:
            msg = f"{path}: holds {count:,} {what}."
            raise InputFileError(msg, hint=f"{most:,} at most: cut it to the place.")


_PACKED = frozenset({".zip", ".xlsx", ".xlsm", ".xlsb", ".ods"})


def _gzipped_bytes(path: Path, most: int) -> int:
    size = 0
    try:
        with gzip.open(path) as file:
            while size <= most and (piece := file.read(1 << 20)):
                size += len(piece)
    except (OSError, EOFError, zlib.error):
        pass  # its reader says what is wrong with it
    return size
