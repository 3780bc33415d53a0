"""The stamp of a result: when it was made, and by which version."""

from __future__ import annotations

import datetime
import functools
import hashlib
import os
import re
import sys
from importlib import metadata
from pathlib import Path

from quart_heure.errors import InputFileError

_NAME = re.compile(r"[A-Za-z0-9._-]+")
"""Of a library, at the beginning of what is required."""


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
    folder = Path(__file__).parent
    files = sorted(path for path in folder.rglob("*") if path.suffix not in {"", ".pyc"})
    about = [(path.name, path.stat()) for path in files]
    code = [(name, stat.st_size, stat.st_mtime_ns) for name, stat in about]
    whole = repr([tool_version(), sys.version, _libraries(), code])
    return hashlib.blake2b(whole.encode(), digest_size=16).hexdigest()


def _libraries() -> list[tuple[str, str]]:
    """Return the versions of all that this program may use, "" of what is not installed."""
    found = []
    for required in _required():
        name = _NAME.match(required)
        try:
            found.append((required, metadata.version(name[0]) if name else ""))
        except metadata.PackageNotFoundError:  # of an extra
            found.append((required, ""))
    return found


def _required() -> list[str]:
    try:
        return metadata.requires("quart-heure") or []
    except metadata.PackageNotFoundError:  # run from the source tree without installation
        return []
