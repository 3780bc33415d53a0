"""Files on disk: written whole or not at all, and named by the hash of what they hold."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from quart_heure.errors import OutputError

AnyPath = str | os.PathLike[str]
"""The name of a file or folder, as people type it or as a path."""


_MOST_TRIES = 9
"""So often a folder may be taken away, by another run that only tried it, while it is made."""


def make_folder(folder: Path) -> None:
    """Make a folder and those that it is in, unless they are there."""
    for tried in range(_MOST_TRIES):
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, FileNotFoundError):
            something_else = folder.exists() and not folder.is_dir()
            if something_else or tried == _MOST_TRIES - 1:
                raise
        else:
            return


def _begun(final: Path) -> tuple[int, str]:
    """Begin a file beside one that it is to become, in a folder that is made."""
    for tried in range(_MOST_TRIES):
        make_folder(final.parent)
        try:
            return tempfile.mkstemp(dir=final.parent, prefix=f".{final.stem}-", suffix=final.suffix)
        except FileNotFoundError:
            if tried == _MOST_TRIES - 1:
                raise
    raise AssertionError


def check_folder(folder: Path, *, target: Path | None = None) -> None:
    """Refuse a folder that cannot be made or written into, before the work that is to go there.

    Nothing is left behind: what is made to try it is taken away again.

    Parameters
    ----------
    target
        What is to be written there and named in the message; the folder by default.

    Raises
    ------
    OutputError
        If it cannot.
    """
    new: list[Path] = []
    try:
        # Asked of a name that is too long, it fails as writing does.
        new = [one for one in (folder, *folder.parents) if not one.exists()]
        for _ in range(_MOST_TRIES):
            make_folder(folder)
            with contextlib.suppress(FileNotFoundError), tempfile.TemporaryFile(dir=folder):
                break
    except OSError as error:
        raise _unwritable(target or folder, error) from error
    finally:
        for one in new:
            with contextlib.suppress(OSError):
                one.rmdir()


def check_target(path: Path) -> None:
    """Refuse a file that cannot be written, as `check_folder` does a folder.

    Raises
    ------
    OutputError
        If it is a folder, or its own folder cannot be written into.
    """
    if path.is_dir():
        msg = f"{path}: is a folder, not a file to write."
        raise OutputError(msg, hint="Give the name of a file in it.")
    if is_stream(path):
        if not os.access(path, os.W_OK):
            raise _unwritable(path, PermissionError(errno.EACCES, os.strerror(errno.EACCES)))
        return
    check_folder(_followed(path).parent, target=path)


def check_name_to_write(path: Path) -> None:
    """Refuse a name under which nothing can be written, before anything else is asked of it.

    Raises
    ------
    OutputError
        If it is too long, holds a NUL, is a link to itself, or leads through a file.
    """
    try:
        if not path.is_absolute():
            os.getcwd()  # noqa: PTH109 - it fails where the folder was removed
        if any(len(os.fsencode(part)) > _LONGEST_NAME for part in path.parts):
            raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG))
        with contextlib.suppress(FileNotFoundError):
            path.stat()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        msg = f"{shown(path)}: cannot be written ({why})."
        raise OutputError(msg, hint="Give the output another name.") from error


_LONGEST_NAME = 255
"""Bytes of a name in a folder, on the systems that there are."""

_SHOWN = 200
"""Signs of either end of a path that a message shows: a path that can be is told whole."""


def shown(path: Path) -> str:
    """Return a path as messages show it: the end of a long one is its name."""
    text = str(path).replace("\x00", "\\0")
    return text if len(text) <= 2 * _SHOWN else f"{text[:_SHOWN]} … {text[-_SHOWN:]}"


_OPEN_STREAM = re.compile(r"/dev/(?:(stdin|stdout|stderr)|fd/(\d+))|/proc/self/fd/(\d+)")
_STREAMS = ("stdin", "stdout", "stderr")


def is_stream(path: Path) -> bool:
    """Tell whether a name stands for a device, a pipe or an open stream: written to, not replaced.

    Its name is not told after it was written: on stdout it would stand among the results.
    """
    if _OPEN_STREAM.fullmatch(str(path)):
        return True
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def _followed(path: Path) -> Path:
    """Return the file that a name leads to, if it is a link: that one is written.

    Raises
    ------
    OutputError
        If it leads to itself, or is too long for any file.
    """
    try:
        if not path.is_symlink():
            return path
    except OSError as error:
        raise _unwritable(path, error) from error
    try:
        return path.resolve()
    except (OSError, RuntimeError) as error:  # a RuntimeError before Python 3.13
        raise _unwritable(path, OSError(errno.ELOOP, os.strerror(errno.ELOOP))) from error


@contextlib.contextmanager
def _writing_to(stream: Path) -> Iterator[Path]:
    """Give a temporary path whose content is written to a stream when the block ends well."""
    try:
        with tempfile.TemporaryDirectory(prefix="quart-heure-") as folder:
            temporary = Path(folder) / f"whole{stream.suffix}"
            temporary.touch()
            yield temporary
            with temporary.open("rb") as whole, os.fdopen(_opened(stream), "wb") as target:
                shutil.copyfileobj(whole, target)
    except OSError as error:
        raise _unwritable(stream, error) from error


def _opened(stream: Path) -> int:
    """Open a stream for writing."""
    named = _OPEN_STREAM.fullmatch(str(stream))
    if named:
        # Where it stands already: opened by its name, a file would begin again from its start.
        number = named[2] or named[3] or _STREAMS.index(named[1])
        return os.dup(int(number))
    # Without waiting: a pipe that nobody reads from would keep the run for ever.
    number = os.open(stream, os.O_WRONLY | getattr(os, "O_NONBLOCK", 0))
    os.set_blocking(number, True)
    return number


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary path that takes its final name only when the block ends well.

    Parameters
    ----------
    path
        The final name. Its folder is made if it does not exist. A link is followed; a device, a
        pipe or an open stream (``/dev/stdout``) is written to.

    Yields
    ------
    Path
        A temporary file in the same folder, so that the last step is one atomic rename; for a
        stream, one whose whole content is then written to it.

    Raises
    ------
    OutputError
        If the folder or the file cannot be written. Nothing new is left behind then.
    """
    if is_stream(path):
        with _writing_to(path) as temporary:
            yield temporary
        return
    final = _followed(path)
    try:
        handle, name = _begun(final)
        os.close(handle)
    except OSError as error:
        raise _unwritable(path, error) from error
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(final)
    except OSError as error:
        raise _unwritable(path, error) from error
    finally:
        temporary.unlink(missing_ok=True)


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal; of a folder, that of its files' own.

    A folder's hash is taken of the lines ``hash  name`` of its files, in the order of their names.
    """
    if path.is_dir():
        inner = sorted(file for file in path.rglob("*") if file.is_file())
        lines = [f"{sha256_of(file)}  {file.relative_to(path).as_posix()}\n" for file in inner]
        return hashlib.sha256("".join(lines).encode()).hexdigest()
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def hashes_of(path: Path) -> list[list[str]]:
    """Return the name and the hash of a file and of those that belong to it.

    A shapefile is several files; a GeoPackage that is being edited has a journal beside it.

    Raises
    ------
    OSError
        If one cannot be read.
    """
    beginnings = (f"{path.stem}.", f"{path.name}-")
    beside = [each for each in path.parent.iterdir() if each.name.startswith(beginnings)]
    return [[each.name, sha256_of(each)] for each in sorted({path, *beside}) if each.is_file()]


def _unwritable(path: Path, error: OSError) -> OutputError:
    if error.errno == errno.ENXIO:
        msg = f"{path}: nobody reads from this pipe."
        return OutputError(msg, hint="Start its reader first.")
    msg = f"{shown(path)}: cannot be written ({error.strerror or error})."
    return OutputError(msg, hint="Choose a folder you may write to, with room left.")


def _umask() -> int:
    # The umask can only be read by setting it.
    mask = os.umask(0)
    os.umask(mask)
    return mask
