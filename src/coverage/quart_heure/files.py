"""Files on disk: written whole or not at all, and named by the hash of what they hold."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from quart_heure.errors import OutputError

AnyPath = str | os.PathLike[str]
"""The name of a file or folder, as people type it or as a path."""


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
    new = [one for one in (folder, *folder.parents) if not one.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
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
    check_folder(path.parent, target=path)


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary path that takes its final name only when the block ends well.

    Parameters
    ----------
    path
        The final name. Its folder is made if it does not exist.

    Yields
    ------
    Path
        A temporary file in the same folder, so that the last step is one atomic rename.

    Raises
    ------
    OutputError
        If the folder or the file cannot be written. Nothing new is left behind then.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(
            dir=path.parent, prefix=f".{path.stem}-", suffix=path.suffix
        )
        os.close(handle)
    except OSError as error:
        raise _unwritable(path, error) from error
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
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


def _unwritable(path: Path, error: OSError) -> OutputError:
    msg = f"{path}: cannot be written ({error.strerror or error})."
    return OutputError(msg, hint="Choose a folder you may write to, with room left.")


def _umask() -> int:
    # The umask can only be read by setting it.
    mask = os.umask(0)
    os.umask(mask)
    return mask
