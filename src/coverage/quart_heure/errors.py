"""Errors: one tree, each class with its own exit code and a hint on what to do next.

Per-row troubles of an input are not errors: they are rows of a table of problems
(see `quart_heure.sources.services.services`). An error ends the command.
"""

from __future__ import annotations

import errno
import re

__all__ = [
    "AlarmError",
    "BatchError",
    "CategoryError",
    "CrsError",
    "DifferenceError",
    "GeometryError",
    "InputFileError",
    "MemoryShortageError",
    "NetworkError",
    "OutputError",
    "QuartHeureError",
    "StudyFileError",
    "TryLaterError",
]


class QuartHeureError(Exception):
    """Base of all errors raised on purpose.

    Parameters
    ----------
    message
        What happened and where (file, row, column).
    hint
        What to do next.
    """

    exit_code = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint

    def __str__(self) -> str:
        """Give the message followed by the hint, if there is one."""
        message = super().__str__()
        return f"{message} {self.hint}" if self.hint else message


class InputFileError(QuartHeureError, ValueError):
    """A file is missing, unreadable, of an unknown kind, or lacks what it must hold."""

    exit_code = 3


class StudyFileError(QuartHeureError, ValueError):
    """A study file has a wrong key or a value out of range."""

    exit_code = 4


class CrsError(QuartHeureError, ValueError):
    """A layer has no coordinate reference system, or one that cannot be used."""

    exit_code = 5


class GeometryError(QuartHeureError, ValueError):
    """A geometry is invalid, empty or of the wrong kind."""

    exit_code = 6


class CategoryError(QuartHeureError, ValueError):
    """A category is not in the catalogue."""

    exit_code = 7


class NetworkError(QuartHeureError, ValueError):
    """The walking network is empty or does not meet the study area."""

    exit_code = 8


class OutputError(QuartHeureError, OSError):
    """A result cannot be written or read back."""

    exit_code = 9

    # OSError sets its own __str__ from errno; ours carries the hint.
    __str__ = QuartHeureError.__str__


class TryLaterError(QuartHeureError, ConnectionError):
    """A server did not answer; the same command may succeed later."""

    exit_code = 10

    __str__ = QuartHeureError.__str__


class AlarmError(QuartHeureError):
    """A figure that is watched is where it was not to be; what was asked for is written."""

    exit_code = 11


class DifferenceError(QuartHeureError):
    """A result that was verified is not what its inputs give, or they are there no more."""

    exit_code = 12


class MemoryShortageError(QuartHeureError, MemoryError):
    """The machine, or a limit that it sets, has too little memory for the run."""

    exit_code = 13


class BatchError(QuartHeureError):
    """Some territories of a batch have no results; the others are written."""

    exit_code = 14


_SHORT = re.compile(
    r"cannot allocate memory|failed to map segment|out of memory|bad_alloc"
    r"|can't start new thread|unable to allocate|not enough memory",
    re.IGNORECASE,
)
"""How the system and the libraries say it, where they raise something else than MemoryError."""


def shortage_of(error: BaseException) -> MemoryShortageError | None:
    """Return the shortage of memory behind an error, None if it is another one."""
    cause: BaseException | None = error
    while cause is not None:
        of_system = isinstance(cause, OSError) and cause.errno == errno.ENOMEM
        said = isinstance(cause, ImportError | RuntimeError) and _SHORT.search(str(cause))
        if isinstance(cause, MemoryError) or of_system or said:
            msg = "There is too little memory for this run."
            hint = "Raise the limit, close other programs, or take larger cells or a smaller area."
            return MemoryShortageError(msg, hint=hint)
        cause = cause.__cause__ or cause.__context__
    return None
