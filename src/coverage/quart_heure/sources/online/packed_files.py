"""Files in archives, unpacked piece by piece and given up when they are more than they may be."""

from __future__ import annotations

import contextlib
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from quart_heure.errors import InputFileError

_LARGEST_RATIO = 100.0
"""No honest table is packed tighter."""


@contextlib.contextmanager
def unpacked(
    path: Path, *, suffixes: Sequence[str], largest_mb: float, part: str = "met"
) -> Iterator[Path]:
    """Give a file, or the one that an archive holds, in a temporary folder.

    Parameters
    ----------
    path
        A file; an archive is known by its contents.
    suffixes
        Kinds of files that are looked for in it.
    largest_mb
        An archive that holds more is refused.
    part
        Part of the country: of several files, those that have it in their names, and the largest of
        those. By default metropolitan France, or the largest where no file is named so.

    Raises
    ------
    InputFileError
        If it is damaged, holds no such file, or more than it may.
    """
    if not zipfile.is_zipfile(path):
        if path.suffix.lower() == ".zip":
            msg = f"{path}: it is cut short, or no archive."
            raise InputFileError(msg, hint="Download it again.")
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="quart-heure-") as folder, _archive(path) as archive:
        member = _member(archive, path, suffixes, part)
        limit = largest_mb * 1e6
        ratio = member.file_size / max(member.compress_size, 1)
        if member.file_size > limit or ratio > _LARGEST_RATIO:
            raise _too_large(path, largest_mb)
        target = Path(folder) / f"unpacked{Path(member.filename).suffix.lower()}"
        try:
            with archive.open(member) as packed, target.open("wb") as file:
                # What an archive says of itself may be wrong: what comes out is counted.
                while piece := packed.read(1 << 20):
                    limit -= len(piece)
                    if limit < 0:
                        raise _too_large(path, largest_mb)
                    file.write(piece)
        except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
            msg = f"{path}: it is damaged ({error})."
            raise InputFileError(msg, hint="Download it again.") from error
        yield target


@contextlib.contextmanager
def _archive(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        archive = zipfile.ZipFile(path)
    except zipfile.BadZipFile as error:
        msg = f"{path}: it is damaged ({error})."
        raise InputFileError(msg, hint="Download it again.") from error
    with archive:
        yield archive


def _member(
    archive: zipfile.ZipFile, path: Path, suffixes: Sequence[str], part: str
) -> zipfile.ZipInfo:
    """Return the file that is looked for."""
    found = [info for info in archive.infolist() if Path(info.filename).suffix.lower() in suffixes]
    if not found:
        names = ", ".join(archive.namelist()[:5])
        msg = f"{path}: the archive holds no {' and no '.join(suffixes)} ({names})."
        raise InputFileError(msg, hint="Unpack it by hand and give the file in it.")
    of_part = [info for info in found if part in Path(info.filename).stem.lower().split("_")]
    if not of_part and part != "met" and len(found) > 1:
        names = ", ".join(info.filename for info in found[:5])
        msg = f"{path}: the archive holds several files, none called {part!r} ({names})."
        raise InputFileError(msg, hint="Unpack it by hand and give the file in it.")
    return max(of_part or found, key=lambda info: info.file_size)


def _too_large(path: Path, largest_mb: float) -> InputFileError:
    msg = f"{path}: unpacked, the archive is larger than {largest_mb:g} MB, or suspiciously large."
    return InputFileError(msg, hint="Unpack it by hand if you trust it, and give the file in it.")
