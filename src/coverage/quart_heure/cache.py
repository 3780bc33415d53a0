"""A cache of arrays on disk, keyed by the hash of what they were computed from.

A damaged or foreign entry is noticed, said on the log, and computed anew. A cache that cannot be
written slows the next run and stops none. What was not asked for longest makes room for the new.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import logging
import os
import re
import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import shapely
from numpy.typing import NDArray

from quart_heure.errors import OutputError
from quart_heure.files import replacing

__all__ = ["Cache", "default_cache"]

_LOG = logging.getLogger(__name__)

_FORMAT = 4
"""Raise it when what is stored under a key changes its meaning."""

_ENTRY = re.compile(r"[a-z]+-(?:(\d+)-)?[0-9a-f]{32}\.npz")
"""Name of an entry: its kind, its format (the first had none in its name), the hash of its key."""

_MOST_BYTES = 1_000_000_000
"""Entries of a folder are kept within this."""

Arrays = Mapping[str, NDArray[Any]]

_Found = TypeVar("_Found")


def hash_of(*arrays: NDArray[Any]) -> str:
    """Return the hash of some arrays: of their types, their shapes and what they hold."""
    digest = hashlib.blake2b(digest_size=16)
    for values in arrays:
        digest.update(f"{values.dtype.str}{values.shape}".encode())
        digest.update(np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()


def packed(shapes: Sequence[shapely.Geometry] | NDArray[np.object_]) -> dict[str, NDArray[Any]]:
    """Return shapes as arrays that a cache can hold; `unpacked` gives the same ones back."""
    pieces = shapely.to_wkb(np.asarray(shapes, dtype=object)).tolist()
    return {
        "shapes": np.frombuffer(b"".join(pieces), dtype=np.uint8),
        "ends": np.cumsum([len(piece) for piece in pieces], dtype=np.int64),
    }


def unpacked(arrays: Arrays) -> list[Any]:
    """Return the shapes that `packed` made arrays of."""
    checked({name: arrays[name] for name in ("shapes", "ends")}, shapes=Like("u"), ends=Like("i"))
    data, ends = bytes(arrays["shapes"]), arrays["ends"].tolist()
    pieces = [data[start:end] for start, end in zip([0, *ends], ends, strict=False)]
    return list(shapely.from_wkb(np.array(pieces, dtype=object)))


@dataclasses.dataclass(frozen=True)
class Like:
    """What an array of an entry is like, so that one which other code stored is known.

    Parameters
    ----------
    kinds
        Kinds of its values, by numpy's letters: ``b``, ``i``, ``u``, ``f``.
    length
        Its rows, or the name of an array that has as many; any number by default.
    columns
        Its columns, 0 if it has one dimension.
    below, least
        Bounds of values that are positions.
    parts_of
        Name of an array that it cuts into parts: from 0 to its end, never back.
    optional
        Whether an entry may lack it.
    """

    kinds: str
    length: int | str | None = None
    columns: int = 0
    below: int | None = None
    least: int = 0
    parts_of: str = ""
    optional: bool = False

    def fits(self, values: NDArray[Any], arrays: Arrays) -> bool:
        """Tell whether an array of an entry is like this."""
        length = len(arrays[self.length]) if isinstance(self.length, str) else self.length
        shape = (len(values), self.columns) if self.columns else (len(values),)
        if values.dtype.kind not in self.kinds or values.shape != shape:
            return False
        if length is not None and len(values) != length:
            return False
        if self.below is not None and len(values):
            return bool(values.min() >= self.least and values.max() < self.below)
        if self.parts_of:
            ends = [values[0], values[-1]] if len(values) else []
            return ends == [0, len(arrays[self.parts_of])] and bool((np.diff(values) >= 0).all())
        return True


def checked(arrays: Arrays, **like: Like) -> dict[str, NDArray[Any]]:
    """Return the arrays of an entry if they are what is kept under its kind today.

    Raises
    ------
    ValueError
        If one is missing, too many, or not like it is to be.
    """
    needed = {name for name, one in like.items() if not one.optional}
    alone = any(values.ndim == 0 for values in arrays.values())
    if alone or not needed <= arrays.keys() <= like.keys():
        msg = "it holds other arrays than are kept today"
        raise ValueError(msg)
    for name, values in arrays.items():
        if not like[name].fits(values, arrays):
            msg = f"its {name} are not like those of today"
            raise ValueError(msg)
    return dict(arrays)


_UNREADABLE = (
    *(OSError, ValueError, KeyError, EOFError, RuntimeError),
    *(zipfile.BadZipFile, zlib.error),
)


@dataclasses.dataclass(frozen=True)
class Entry:
    """What is stored under one key.

    Parameters
    ----------
    path
        Its file.
    kind
        What it holds.
    n_bytes
        Size of the file.
    used
        When it was written or used last, in seconds since 1970.
    """

    path: Path
    kind: str
    n_bytes: int
    used: float


@dataclasses.dataclass(frozen=True)
class Cache:
    """A folder of arrays.

    Parameters
    ----------
    folder
        Where entries are kept, None to keep nothing.
    most_bytes
        Size of all entries beyond which those that were not used for longest are removed.
    """

    folder: Path | None
    most_bytes: int = _MOST_BYTES

    def recall(self, kind: str, key: Any, compute: Callable[[], Arrays]) -> dict[str, NDArray[Any]]:
        """Return the arrays stored under a key, computing and storing them if there are none.

        Parameters
        ----------
        kind
            What the arrays are: the beginning of the file's name.
        key
            All that the arrays depend on, as values that JSON can hold.
        compute
            Makes the arrays.
        """
        return self.recall_as(kind, key, compute, dict)

    def recall_as(
        self,
        kind: str,
        key: Any,
        compute: Callable[[], Arrays],
        read: Callable[[dict[str, NDArray[Any]]], _Found],
    ) -> _Found:
        """Return what stored arrays are read into, computing anew what cannot be read.

        Parameters
        ----------
        kind, key, compute
            As in `recall`.
        read
            Makes an object of the arrays; whatever it raises says that they cannot be used (see
            `checked`).
        """
        if self.folder is None:
            return read(dict(compute()))
        path, text = self._entry(self.folder, kind, key)
        stored = self._load(path, text)
        if stored is not None:
            try:
                return read(stored)
            except MemoryError:
                raise
            except Exception as error:  # what other code stored may raise anything
                self._tell_unusable(path, str(error) or type(error).__name__)
        arrays = dict(compute())
        self._store(path, text, arrays)
        self._make_room(path)
        return read(arrays)

    def find(self, kind: str, key: Any) -> dict[str, NDArray[Any]] | None:
        """Return the arrays stored under a key, None where there are none that can be read."""
        return None if self.folder is None else self._load(*self._entry(self.folder, kind, key))

    def keep(self, kind: str, key: Any, arrays: Arrays) -> None:
        """Store arrays under a key, in place of what is there."""
        if self.folder is not None:
            path, text = self._entry(self.folder, kind, key)
            self._store(path, text, arrays)
            self._make_room(path)

    def entries(self) -> list[Entry]:
        """List what is stored, by kind and name; what in the folder is not ours is left out."""
        found = []
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            for path in sorted(self.folder.iterdir() if self.folder is not None else ()):
                if _ENTRY.fullmatch(path.name) is None:
                    continue
                with contextlib.suppress(FileNotFoundError):  # another run may make room
                    about = path.stat()
                    kind = path.name.partition("-")[0]
                    found.append(Entry(path, kind, about.st_size, about.st_mtime))
        return found

    @staticmethod
    def _entry(folder: Path, kind: str, key: Any) -> tuple[Path, str]:
        """Return the file of an entry, and the text that it must hold."""
        text = json.dumps([_FORMAT, np.__version__, kind, key], sort_keys=True)
        digest = hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
        return folder / f"{kind}-{_FORMAT}-{digest}.npz", text

    @staticmethod
    def _load(path: Path, text: str) -> dict[str, NDArray[Any]] | None:
        try:
            if not path.exists():
                return None
            # Numpy would take anything else for another of its own kinds of file.
            if not zipfile.is_zipfile(path):
                msg = "it is cut short or no archive"
                raise ValueError(msg)
            with np.load(path, allow_pickle=False) as archive:
                arrays = {name: archive[name] for name in archive.files}
            if bytes(arrays.pop("_key")).decode() == text:
                with contextlib.suppress(OSError):
                    os.utime(path)  # in use
                return arrays
            reason = "it was written for something else"
        except _UNREADABLE as error:
            reason = str(error) or type(error).__name__
        Cache._tell_unusable(path, reason)
        return None

    @staticmethod
    def _tell_unusable(path: Path, reason: str) -> None:
        _LOG.warning("Cache entry %s cannot be used (%s): computed anew.", path.name, reason)

    @staticmethod
    def _store(path: Path, text: str, arrays: Arrays) -> None:
        entry: dict[str, Any] = {**arrays, "_key": np.frombuffer(text.encode(), dtype=np.uint8)}
        try:
            with replacing(path) as temporary, temporary.open("wb") as file:
                np.savez(file, **entry)
        except OutputError as error:
            _LOG.warning("The cache cannot be written, the next run will be slower: %s", error)

    def _make_room(self, newest: Path) -> None:
        """Remove what was not used for longest, but not what was just stored."""
        with contextlib.suppress(OSError):  # another run may be at it too
            entries = []
            for entry in newest.parent.iterdir():
                # The folder may hold what is not ours.
                named = _ENTRY.fullmatch(entry.name)
                if named and named[1] != str(_FORMAT):
                    entry.unlink()  # nothing reads it any more
                elif named:
                    entries.append((entry.stat().st_mtime, entry.stat().st_size, entry))
            total = sum(size for _, size, _ in entries)
            for _, size, entry in sorted(entries):
                if total <= self.most_bytes:
                    break
                if entry != newest:
                    entry.unlink()
                    total -= size


def default_cache() -> Cache:
    """Return the cache in the user's folder, or where QUART_HEURE_CACHE says ("" for none)."""
    own = os.environ.get("QUART_HEURE_CACHE")
    if own is not None:
        # A shell leaves the ~ of a variable that is quoted, or set in a file, as it is.
        return Cache(Path(os.path.expanduser(own)) if own else None)  # noqa: PTH111 - it never fails
    import platformdirs  # noqa: PLC0415 - only where the variable does not say

    return Cache(platformdirs.user_cache_path("quart-heure", appauthor=False))
