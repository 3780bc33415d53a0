"""The streams and signals of a process: what ends a run, and what must not.

Results go to stdout: where they cannot be written, the run ends and says so. Progress goes to
stderr: where nobody can read it, the run goes on. A run that is asked to end clears up first.
"""

from __future__ import annotations

import codecs
import errno
import io
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TextIO

from quart_heure.errors import OutputError

_EQUIVALENTS = {
    **dict.fromkeys("\u00a0\u2009\u202f", " "),
    **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212\u2500", "-"),
    **dict.fromkeys("\u2018\u2019", "'"),
    **{"\u2026": "...", "\u2192": "->", "\u2248": "~", "\u2264": "<=", "\u2265": ">="},
    **{"\u00d7": "x", "\u00b7": "-", "\u2502": "|"},
}
"""What our own texts use beyond letters, for encodings that lack it."""

_STOPPING = ("SIGINT", "SIGTERM", "SIGHUP")
_UNDECODED = range(0xDC80, 0xDD00)
"""How Python holds the bytes of a file name that is not in the system's encoding."""


class Stopped(BaseException):
    """The process was asked to end. No `Exception`: nothing but the end of the run catches it.

    Parameters
    ----------
    signum
        The signal that asked.
    """

    def __init__(self, signum: int) -> None:
        super().__init__(signum)
        self.exit_code = 128 + signum


def stop_on_signals() -> None:
    """Turn the signals that end a process into `Stopped`, so that work folders are removed.

    A signal that is ignored, as under nohup, stays ignored.
    """

    def stop(signum: int, _: FrameType | None) -> None:
        raise Stopped(signum)

    for name in _STOPPING:
        number = getattr(signal, name, None)  # Windows has no SIGHUP
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, stop)


@contextmanager
def undivided() -> Iterator[None]:
    """Let no signal stop the process between the first and the last step of the block.

    It is for renames that belong together; a signal that came meanwhile stops the process after
    them.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # signals are handled in the main thread alone
        return
    came: list[int] = []
    before = {}
    for name in _STOPPING:
        number = getattr(signal, name, None)
        # A handler of another language cannot be put back, and is let alone.
        if number is not None and callable(signal.getsignal(number)):
            before[number] = signal.signal(number, lambda signum, _: came.append(signum))
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if came:
            signal.raise_signal(came[0])


def guard_streams() -> None:
    r"""Make stdout and stderr hold in every surrounding.

    A stdout that is full or closed raises `OutputError` once; a stderr that is keeps silent. Signs
    that the encoding lacks are written by others, or as ``\u202f``, which JSON understands.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            # Else the next file that is opened would be taken for the stream. It cannot be
            # written: what is said there is lost, and that is known.
            os.open(os.devnull, os.O_RDONLY)
    codecs.register_error("quart-heure", _by_others)
    sys.stdout = _guarded(sys.stdout, 1, _Results)
    sys.stderr = _guarded(sys.stderr, 2, _Progress)


class _Results(io.RawIOBase):
    """The bytes of stdout."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._lost = False

    def write(self, data: object, /) -> int:
        view = memoryview(data)  # type: ignore[arg-type]
        if self._lost:
            return len(view)  # told once
        try:
            return os.write(self._number, view)
        except BlockingIOError:
            return self._wait(view)
        except BrokenPipeError:
            self._lost = True
            raise
        except OSError as error:
            self._lost = True
            raise self._fault(error) from error

    def _wait(self, view: memoryview) -> int:
        """Write to a pipe that somebody has set not to wait, by waiting."""
        os.set_blocking(self._number, True)
        return os.write(self._number, view)

    @staticmethod
    def _fault(error: OSError) -> OSError:
        closed = error.errno == errno.EBADF
        why = "it is closed" if closed else error.strerror or str(error)
        msg = f"stdout: results cannot be written there ({why})."
        return OutputError(msg, hint="Give stdout another place, with room left.")

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._number

    def isatty(self) -> bool:
        return os.isatty(self._number)


class _Progress(_Results):
    """The bytes of stderr."""

    def write(self, data: object, /) -> int:
        try:
            return super().write(data)
        except OSError:
            return len(memoryview(data))  # type: ignore[arg-type]


def _guarded(stream: TextIO | None, number: int, kind: type[_Results]) -> TextIO:
    """Return a stream that writes to the same file; one that is no file's is let alone."""
    try:
        if stream is not None and stream.fileno() != number:
            return stream
    except (OSError, ValueError):
        return stream if stream is not None else io.StringIO()
    encoding = getattr(stream, "encoding", None) or "utf-8"
    return io.TextIOWrapper(
        io.BufferedWriter(kind(number)),
        encoding=encoding,
        errors="quart-heure",
        line_buffering=os.isatty(number),
    )


def _by_others(error: UnicodeError) -> tuple[str | bytes, int]:
    """Write what an encoding lacks by signs that it has."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    sign = error.object[error.start]
    code = ord(sign)
    if code in _UNDECODED:
        return bytes([code - 0xDC00]), error.start + 1
    if sign in _EQUIVALENTS:
        return _EQUIVALENTS[sign], error.start + 1
    pairs = sign.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{pairs[at : at + 4]}" for at in range(0, len(pairs), 4)), error.start + 1
