"""Where a batch reads and writes: a folder of this machine, or one of an object store.

A local folder needs no library. Anything else is a URL that fsspec understands (``s3://…``); keys
and end points are those of its environment, and stand in no file of ours.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import hashlib
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from quart_heure.errors import InputFileError, OutputError, TryLaterError
from quart_heure.file_sets import work_folder
from quart_heure.files import replacing, sha256_of
from quart_heure.streams import undivided

_NO_ROOM = "Choose a folder you may write to, with room left."


def is_remote(address: str) -> bool:
    """Tell whether a path is a URL of a store, not a file of this machine.

    Examples
    --------
    >>> is_remote("s3://town/study.toml"), is_remote("out/batch"), is_remote("file:///tmp/out")
    (True, False, False)
    """
    return "://" in address and not address.startswith("file://")


@dataclasses.dataclass(frozen=True)
class Store:
    """A folder and all below it; names in it are relative, with ``/``.

    Parameters
    ----------
    address
        A path, or a URL.
    """

    address: str

    @property
    def folder(self) -> Path | None:
        """The folder on this machine; None where it is elsewhere."""
        if is_remote(self.address):
            return None
        return Path(self.address.removeprefix("file://"))

    def sizes(self) -> dict[str, int]:
        """Return the bytes of every file, by name; hidden folders, which hold work, left out.

        Raises
        ------
        TryLaterError
            If a store does not answer.
        """
        root = self.folder
        if root is None:
            with self._asking():
                files, base = _files_of(self.address)
                files.invalidate_cache()
                found = files.find(base, detail=True)
            sizes = {
                name.removeprefix(base).lstrip("/"): int(about["size"])
                for name, about in found.items()
            }
            return {name: size for name, size in sizes.items() if "/." not in name}
        sizes = {}
        for here, folders, names in os.walk(root):
            folders[:] = [name for name in folders if not name.startswith(".")]
            for name in names:
                path = Path(here) / name
                with contextlib.suppress(FileNotFoundError):  # taken away meanwhile
                    sizes[path.relative_to(root).as_posix()] = path.stat().st_size
        return sizes

    def names_in(self, folder: str) -> set[str]:
        """Return the names of the files of a folder, which may be hidden; not those below."""
        root = self.folder
        if root is None:
            with self._asking():
                files, base = _files_of(self.address)
                files.invalidate_cache()
                found = files.find(f"{base}/{folder}", maxdepth=1)
            return {name.removeprefix(base).lstrip("/") for name in found}
        return {f"{folder}/{path.name}" for path in (root / folder).glob("*") if path.is_file()}

    def remove_folder(self, folder: str) -> None:
        """Remove a folder and its files, if there is one."""
        for name in self.names_in(folder):
            self.remove(name)
        if self.folder is not None:
            with contextlib.suppress(OSError):  # it is not there, or somebody else is at it
                (self.folder / folder).rmdir()

    def read(self, name: str) -> bytes | None:
        """Return what a file holds, None where there is none."""
        root = self.folder
        try:
            if root is not None:
                return (root / name).read_bytes()
            with self._asking():
                files, base = _files_of(self.address)
                return bytes(files.cat_file(f"{base}/{name}"))
        except (FileNotFoundError, NotADirectoryError):
            return None

    def read_many(self, names: list[str]) -> dict[str, bytes]:
        """Return what files hold, by name; those that are not there or cannot be read left out."""
        if self.folder is not None or not names:
            found = {name: self.read(name) for name in names}
            return {name: content for name, content in found.items() if content is not None}
        with self._asking():
            files, base = _files_of(self.address)
            read = files.cat([f"{base}/{name}" for name in names], on_error="return")
        if isinstance(read, bytes):  # of a single file some give what it holds alone
            return {names[0]: read}
        return {
            name.removeprefix(base).lstrip("/"): content
            for name, content in read.items()
            if isinstance(content, bytes)
        }

    def write(self, name: str, content: bytes) -> None:
        """Write a file, whole or not at all.

        Raises
        ------
        OutputError
            If it cannot be written.
        """
        root = self.folder
        if root is not None:
            with replacing(root / name) as temporary:
                temporary.write_bytes(content)
            return
        with self._writing():
            files, base = _files_of(self.address)
            files.pipe_file(f"{base}/{name}", content)

    def remove(self, name: str) -> None:
        """Remove a file, if there is one."""
        root = self.folder
        if root is not None:
            (root / name).unlink(missing_ok=True)
            return
        with self._writing(), contextlib.suppress(FileNotFoundError):
            files, base = _files_of(self.address)
            files.rm_file(f"{base}/{name}")

    @contextlib.contextmanager
    def work(self, name: str) -> Iterator[Path]:
        """Give a folder of this machine to write a set into that `take` puts into a folder here.

        Files in it should not end as the finished ones do: whoever reads all of a kind, while
        others are being written, would read half of one.
        """
        root = self.folder
        if root is None:
            with tempfile.TemporaryDirectory(prefix="quart-heure-") as made:
                yield Path(made)
            return
        try:
            with work_folder(root / name) as made_here:
                yield made_here
        except OutputError:
            raise
        except OSError as error:
            msg = f"{root / name}: cannot be written ({error.strerror or error})."
            raise OutputError(msg, hint=_NO_ROOM) from error

    def take(self, work: Path, name: str, files: Mapping[str, str], *, seal: str) -> None:
        """Give files of a work folder their names in a folder here; the seal is taken last.

        As long as the seal stands, what it tells of is whole: one of earlier files goes first.

        Parameters
        ----------
        work
            From `work`.
        name
            The folder here.
        files
            Names in the work folder, and those that they get; the seal among them.
        seal
            Final name of the file that tells that the others are there.

        Raises
        ------
        OutputError
            If one cannot be written.
        """
        ordered = sorted(files.items(), key=lambda pair: pair[1] == seal)
        root = self.folder
        if root is not None:
            with undivided():
                (root / name / seal).unlink(missing_ok=True)
                for made, final in ordered:
                    (work / made).replace(root / name / final)
            return
        with self._writing():
            store, base = _files_of(self.address)
            with contextlib.suppress(FileNotFoundError):
                store.rm_file(f"{base}/{name}/{seal}")
            for made, final in ordered:
                store.put_file(str(work / made), f"{base}/{name}/{final}")

    def mark_of(self, name: str) -> str:
        """Return what tells the content of a file from any other: its SHA-256, or a store's tag.

        Raises
        ------
        InputFileError
            If it is not there.
        """
        root = self.folder
        if root is not None:
            path = root / name
            if not path.exists():
                raise _absent(str(path))
            return sha256_of(path)
        with self._asking():
            files, base = _files_of(self.address)
            try:
                about = files.info(f"{base}/{name}")
            except FileNotFoundError as error:
                raise _absent("/".join((self.address, name))) from error
            if about.get("type") == "directory":
                inner = files.find(f"{base}/{name}", detail=True)
                lines = [f"{each}  {_tag(one)}\n" for each, one in sorted(inner.items())]
                return hashlib.sha256("".join(lines).encode()).hexdigest()
            return _tag(about) or hashlib.sha256(files.cat_file(f"{base}/{name}")).hexdigest()

    def fetch(self, name: str, target: Path) -> bool:
        """Bring a file, or a folder, of a store to this machine; False where there is none."""
        with self._asking():
            files, base = _files_of(self.address)
            source = f"{base}/{PurePosixPath(name)}"
            if not files.exists(source):
                return False
            target.parent.mkdir(parents=True, exist_ok=True)
            if files.isdir(source):
                files.get(f"{source}/", f"{target}/", recursive=True)
            else:
                files.get_file(source, str(target))
        return True

    @contextlib.contextmanager
    def _asking(self) -> Iterator[None]:
        try:
            yield
        except (FileNotFoundError, InputFileError, TryLaterError):
            raise
        except PermissionError as error:
            msg = f"{self.address}: may not be read ({error})."
            raise InputFileError(msg, hint="Check the keys in the environment.") from error
        except Exception as error:  # stores have errors of their own libraries
            raise self._no_answer(error) from error

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except (FileNotFoundError, PermissionError) as error:
            msg = f"{self.address}: cannot be written ({error})."
            hint = "Check that the bucket is there, and the keys in the environment."
            raise OutputError(msg, hint=hint) from error
        except TryLaterError:
            raise
        except Exception as error:  # as above
            raise self._no_answer(error) from error

    def _no_answer(self, error: Exception) -> TryLaterError:
        msg = f"{self.address}: the store does not answer ({type(error).__name__}: {error})."
        return TryLaterError(msg, hint="Check its end point; the same command may succeed later.")


def _tag(about: Mapping[str, Any]) -> str:
    return str(about.get("ETag") or about.get("etag") or "").strip('"')


def _absent(name: str) -> InputFileError:
    msg = f"{name}: there is no such file."
    return InputFileError(msg, hint="Check the name and the folder it is relative to.")


@functools.lru_cache(maxsize=64)
def _files_of(address: str) -> tuple[Any, str]:
    """Return the file system of a URL, and the path in it.

    Raises
    ------
    InputFileError
        If nothing understands the URL.
    """
    try:
        import fsspec  # noqa: PLC0415 - an extra, and only for stores

        files, base = fsspec.core.url_to_fs(address)
    except (ImportError, ValueError) as error:
        msg = f"{address}: cannot be opened ({error})."
        hint = "Install what opens it: pip install 'quart-heure[cluster,s3]' for s3://."
        raise InputFileError(msg, hint=hint) from error
    return files, str(base).rstrip("/")
