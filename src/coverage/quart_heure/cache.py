"""A cache of arrays on disk, keyed by the hash of what they were computed from.

A damaged or foreign entry is noticed, said on the log, and computed anew. A cache that cannot be
written slows the next run and stops none.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import logging
import os
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quart_heure.errors import OutputError
from quart_heure.files import replacing

__all__ = ["Arrays", "Cache", "default_cache"]

_LOG = logging.getLogger(__name__)

_FORMAT = 1
"""Raise it when what is stored under a key changes its meaning."""

Arrays = Mapping[str, NDArray[Any]]


@dataclasses.dataclass(frozen=True)
class Cache:
    """A folder of arrays.

    Parameters
    ----------
    folder
        Where entries are kept, None to keep nothing.
    """

    folder: Path | None

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
        path = self.folder / f"{kind}-{digest}.npz"
        stored = self._load(path, text)
        if stored is not None:
            return stored
        arrays = dict(compute())
        self._store(path, text, arrays)
        return arrays

    @staticmethod
    def _load(path: Path, text: str) -> dict[str, NDArray[Any]] | None:
        if not path.exists():
            return None
        try:
            # Numpy would take anything else for another of its own kinds of file.
            if not zipfile.is_zipfile(path):
                msg = "it is cut short or no archive"
                raise ValueError(msg)
            with np.load(path, allow_pickle=False) as archive:
                arrays = {name: archive[name] for name in archive.files}
            if bytes(arrays.pop("_key")).decode() == text:
                return arrays
            reason = "it was written for something else"
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
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


def default_cache() -> Cache:
    """Return the cache in the user's folder, or where QUART_HEURE_CACHE says ("" for none)."""
    own = os.environ.get("QUART_HEURE_CACHE")
    if own is not None:
        return Cache(Path(own) if own else None)
    import platformdirs  # noqa: PLC0415 - only where the variable does not say

    return Cache(platformdirs.user_cache_path("quart-heure", appauthor=False))
