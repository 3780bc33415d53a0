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
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from quart_heure.errors import OutputError
from quart_heure.files import replacing

__all__ = ["Arrays", "Cache", "default_cache", "hash_of", "packed", "unpacked"]

_LOG = logging.getLogger(__name__)

_FORMAT = 3
"""Raise it when what is stored under a key changes its meaning."""

_ENTRY = re.compile(r"[a-z]+-(?:(\d+)-)?[0-9a-f]{32}\.npz")
"""Name of an entry: its kind, its format (the first had none in its name), the hash of its key."""

_MOST_BYTES = 1_000_000_000
"""Entries of a folder are kept within this."""

Arrays = Mapping[str, NDArray[Any]]


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
    data, ends = bytes(arrays["shapes"]), arrays["ends"].tolist()
    pieces = [data[start:end] for start, end in zip([0, *ends], ends, strict=False)]
    return list(shapely.from_wkb(np.array(pieces, dtype=object)))


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
        if self.folder is None:
            return dict(compute())
        text = json.dumps([_FORMAT, np.__version__, kind, key], sort_keys=True)
        digest = hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
        path = self.folder / f"{kind}-{_FORMAT}-{digest}.npz"
        stored = self._load(path, text)
        if stored is not None:
            return stored
        arrays = dict(compute())
        self._store(path, text, arrays)
        self._make_room(path)
        return arrays

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
        except (OSError, ValueError, KeyError, EOFError, RuntimeError, zipfile.BadZipFile) as error:
            reason = str(error) or type(error).__name__
        _LOG.warning("Cache entry %s cannot be used (%s): computed anew.", path.name, reason)
        return None

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
