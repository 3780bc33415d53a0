"""Files that are given: there, plain files or folders, under names that a disk can have."""

from __future__ import annotations

import stat
from pathlib import Path

from quart_heure.errors import InputFileError

_HINT = "Check the name and the folder it is relative to."
_SHOWN = 200
"""Signs of a name that a message shows."""


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


def shown(path: Path) -> str:
    """Return a path as messages show it: the end of a long one is its name."""
    text = str(path).replace("\x00", "\\0")
    return text if len(text) <= 2 * _SHOWN else f"{text[:_SHOWN]} … {text[-_SHOWN:]}"


def _mode(path: Path) -> int | None:
    try:
        return path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        # Too long, a link to itself, no permission on the way, a NUL in it.
        reason = getattr(error, "strerror", None) or str(error)
        msg = f"{shown(path)}: cannot be opened ({reason})."
        raise InputFileError(msg, hint=_HINT) from error
