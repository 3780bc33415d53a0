"""Files that belong together: written in a hidden folder, then given their names at one go."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from quart_heure.errors import OutputError
from quart_heure.files import make_folder
from quart_heure.streams import undivided

_WORK = ".quart-heure-"
_LOCK = ".lock"
_STALE_S = 24 * 3600.0


@contextlib.contextmanager
def work_folder(directory: Path) -> Iterator[Path]:
    """Give a hidden folder inside another, and remove it however the block ends.

    Inside, not beside it: one file system, whatever is mounted there. What runs that were killed
    left of theirs is removed first; a folder that was made for this and stays empty, at the end.

    Parameters
    ----------
    directory
        The folder in which the files are to be; made if it does not exist.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    is_new = not directory.exists()
    work: Path | None = None
    lock: int | None = None
    try:
        make_folder(directory)
        _sweep(directory)
        work = Path(tempfile.mkdtemp(prefix=_WORK, dir=directory))
        lock = _locked(work)
        yield work
    finally:
        if work is not None:
            shutil.rmtree(work, ignore_errors=True)
        if lock is not None:
            os.close(lock)
        if is_new and directory.is_dir() and not any(directory.iterdir()):
            directory.rmdir()


def take_names(
    work: Path, directory: Path, names: Iterable[str], *, gone: Iterable[str] = ()
) -> None:
    """Move files of a work folder to their final names, in order, and remove others.

    A signal does not come between: no two runs' files are left side by side.

    Parameters
    ----------
    work, directory
        Where they are, and where they are to be.
    names
        Those that are moved; what makes them a set comes last.
    gone
        Files of earlier runs that would pass for some of this one.
    """
    with undivided():
        for name in names:
            (work / name).replace(directory / name)
        for name in gone:
            (directory / name).unlink(missing_ok=True)


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
    try:
        with work_folder(folder) as work:
            made = work / "new"
            made.mkdir()
            yield made
            written = [path.relative_to(made) for path in made.rglob("*") if path.is_file()]
            with undivided():
                _take_places(sorted(written), made, folder, work / "old", former)
    except OutputError:
        raise
    except OSError as error:
        msg = f"{folder}: cannot be written ({error.strerror or error})."
        hint = "Choose a folder you may write to, with room left."
        raise OutputError(msg, hint=hint) from error
    finally:
        for one in new:
            with contextlib.suppress(OSError):
                one.rmdir()


def _take_places(
    written: Collection[Path], made: Path, folder: Path, aside: Path, former: Collection[str]
) -> None:
    """Move files to their places and what stands there aside; at a fault, all of it back."""
    moved: list[tuple[Path, Path]] = []

    def move(source: Path, target: Path) -> None:
        make_folder(target.parent)
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


def _sweep(directory: Path) -> None:
    """Remove what runs that were killed left of their work; one that goes on is let alone."""
    for left in directory.glob(f"{_WORK}*"):
        # Another run may remove it just now; a link of that name is nobody's work.
        with contextlib.suppress(OSError):
            if left.is_symlink() or not left.is_dir():
                continue
            stale = time.time() - left.stat().st_mtime > _STALE_S
            if stale or _is_abandoned(left):
                shutil.rmtree(left, ignore_errors=True)


def _locked(work: Path) -> int | None:
    """Lock a work folder for as long as the process lives, where the system can."""
    try:
        import fcntl  # noqa: PLC0415 - Windows has none

        lock = os.open(work / _LOCK, os.O_RDWR | os.O_CREAT)
    except (ImportError, OSError):
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # a file system without locks: its folders go when they are old
        os.close(lock)
        with contextlib.suppress(OSError):
            (work / _LOCK).unlink()
        return None
    return lock


def _is_abandoned(work: Path) -> bool:
    """Tell whether the process that locked a work folder is no more."""
    try:
        import fcntl  # noqa: PLC0415 - Windows has none

        lock = os.open(work / _LOCK, os.O_RDWR)
    except (ImportError, OSError):
        return False  # never locked, or not yet
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(lock)
    return True
