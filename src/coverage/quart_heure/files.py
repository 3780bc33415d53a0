"""Files on disk: written whole or not at all, and named by the hash of what they hold."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Collection, Iterator
from pathlib import Path

from quart_heure.errors import OutputError

_WORK = ".quart-heure-set-"
_STALE_S = 24 * 3600.0


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


@contextlib.contextmanager
def replacing_set(folder: Path, *, former: Collection[str] = ()) -> Iterator[Path]:
    """Give an empty folder whose files take their places in another when the block ends well.

    They come all or not at all: if one cannot take its place, those that have are taken back and
    what stood there before stands there again. Other files of the folder are left alone.

    Parameters
    ----------
    folder
        Where the files go, in the subfolders that they were written in. It is made if it does not
        exist.
    former
        Files of an earlier set, as paths in the folder with "/": those that the new set lacks go.

    Yields
    ------
    Path
        The folder to write into: inside the target, so that it is on the same file system.

    Raises
    ------
    OutputError
        If the folder or a file cannot be written.
    """
    new = [one for one in (folder, *folder.parents) if not one.exists()]
    work: Path | None = None
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _sweep(folder)
        work = Path(tempfile.mkdtemp(prefix=_WORK, dir=folder))
        made = work / "new"
        made.mkdir()
        yield made
        written = [path.relative_to(made) for path in made.rglob("*") if path.is_file()]
        _take_places(sorted(written), made, folder, work / "old", former)
    except OSError as error:
        raise _unwritable(folder, error) from error
    finally:
        if work is not None:
            shutil.rmtree(work, ignore_errors=True)
        for one in new:
            with contextlib.suppress(OSError):
                one.rmdir()


def _take_places(
    written: Collection[Path], made: Path, folder: Path, aside: Path, former: Collection[str]
) -> None:
    """Move files to their places and what stands there aside; at a fault, all of it back."""
    moved: list[tuple[Path, Path]] = []

    def move(source: Path, target: Path) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        source.replace(target)
        moved.append((source, target))

    stale = [Path(name) for name in former if Path(name) not in set(written)]
    try:
        for name in (*written, *stale):
            if (folder / name).exists():
                move(folder / name, aside / name)
            if name in written:
                move(made / name, folder / name)
    except OSError:
        for source, target in reversed(moved):
            target.replace(source)
        raise
    finally:
        for name in (*written, *stale):  # folders of a set that is gone or was taken back
            for parent in list(name.parents)[:-1]:
                with contextlib.suppress(OSError):
                    (folder / parent).rmdir()


def _sweep(folder: Path) -> None:
    """Remove what a set that was killed left of its work; one that goes on is let alone."""
    for left in folder.glob(f"{_WORK}*"):
        if time.time() - left.stat().st_mtime > _STALE_S:
            shutil.rmtree(left, ignore_errors=True)


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
