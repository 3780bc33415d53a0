"""The stamp of a result: when it was made, and by which version."""

from __future__ import annotations

import datetime
import functools
import hashlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from quart_heure.errors import InputFileError

_OF_LIBRARIES = (".dist-info", ".egg-info", ".egg", ".egg-link", ".pth")
"""Endings of what lies beside an installed library and tells of it, or of where it is."""


def creation_time() -> str:
    """Return the time now, or that of ``SOURCE_DATE_EPOCH``, in UTC to the second.

    Raises
    ------
    InputFileError
        If ``SOURCE_DATE_EPOCH`` is not a number of seconds.
    """
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    if epoch is None:
        moment = datetime.datetime.now(datetime.UTC)
    else:
        try:
            moment = datetime.datetime.fromtimestamp(int(epoch), datetime.UTC)
        except (ValueError, OverflowError, OSError) as error:
            msg = f"SOURCE_DATE_EPOCH is {epoch!r}, not a number of seconds since 1970."
            raise InputFileError(msg, hint="Unset it or give a whole number.") from error
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


@functools.cache
def tool_version() -> str:
    """Return the version of the installed distribution."""
    from importlib import metadata  # noqa: PLC0415 - an answer that is kept is handed out without

    try:
        return metadata.version("quart-heure")
    except metadata.PackageNotFoundError:  # run from the source tree without installation
        return "0+unknown"


@functools.cache
def code_digest() -> str:
    """Return what changes with any file of this program, and with the libraries it uses.

    A program that is being worked on keeps its version; an answer that is kept must not outlive
    the code that gave it. Sizes and times of files are enough for that, and are read in
    milliseconds.
    """
    code = list(_files_in(Path(__file__).parent))
    whole = repr([sys.version, _libraries(), code])
    return hashlib.blake2b(whole.encode(), digest_size=16).hexdigest()


def _files_in(folder: str | Path) -> Iterator[tuple[str, int, int]]:
    """Give the name, the size and the time of each file of the program, in an order of its own."""
    with os.scandir(folder) as found:
        entries = sorted(found, key=lambda entry: entry.name)
    for entry in entries:
        if entry.is_dir():
            if entry.name != "__pycache__":
                yield from _files_in(entry.path)
        elif not entry.name.endswith(".pyc"):
            about = entry.stat()
            yield entry.name, about.st_size, about.st_mtime_ns


def _libraries() -> list[tuple[str, int]]:
    """Return what tells of the libraries that are installed, and since when: names hold versions.

    To read the version of each of those that are used would take ten times as long.
    """
    told = []
    for place in sys.path:
        try:
            with os.scandir(place or os.curdir) as entries:
                told += sorted(
                    (entry.name, entry.stat(follow_symlinks=False).st_mtime_ns)
                    for entry in entries
                    if entry.name.endswith(_OF_LIBRARIES)
                )
        except NotADirectoryError:  # an archive of modules
            told.append((place, Path(place).stat().st_mtime_ns))
        except OSError:  # Python passes over what is not there, and so do we
            continue
    return told
