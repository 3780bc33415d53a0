"""Files on disk: written whole or not at all, and named by the hash of what they hold."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from quart_heure.errors import OutputError

__all__ = ["replacing", "sha256_of"]


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
        msg = f"{path}: cannot be written ({error.strerror or error})."
        raise OutputError(msg, hint="Choose a folder you may write to, with room left.") from error
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    except OSError as error:
        msg = f"{path}: cannot be written ({error.strerror or error})."
        raise OutputError(msg, hint="Choose a folder you may write to, with room left.") from error
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


def _umask() -> int:
    # The umask can only be read by setting it.
    mask = os.umask(0)
    os.umask(mask)
    return mask
