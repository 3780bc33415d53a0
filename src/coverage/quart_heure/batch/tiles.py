"""Tiles of one territory: what each of its tasks hands to the next, and where that lies meanwhile.

A territory too large for one worker is cut in one task, its tiles are searched in one task each,
and joined in another, which writes what an uncut one writes. What they hand on lies in the store,
in a folder of the territory, under the hash of what it was made from: a tile that was searched is
not searched again. Of a territory with discreet places nothing of this is written: it travels in
memory, with the orders and their outcomes, and is gone when the batch is stopped.
"""

from __future__ import annotations

import dataclasses
import functools
import io
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from quart_heure.analysis.tiles import Tile, digest_of, find_in
from quart_heure.analysis.tiles_joined import TileFound
from quart_heure.errors import InputFileError
from quart_heure.stamp import tool_version
from quart_heure.study.study import holds_discreet
from quart_heure.study.tiled import InTiles, cut

if TYPE_CHECKING:
    from quart_heure.batch.storage import Store
    from quart_heure.batch.territory import Territory
    from quart_heure.cache import Cache
    from quart_heure.study.study import Study
    from quart_heure.study.tiled import Cut

_FORMAT = 1
"""Raise it when what a tile is made of, or what is found in it, changes its meaning."""

_KINDS = ("piece", "found")
"""Endings of the files: a tile, and what is found in it."""

_UNREADABLE = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error)


@dataclasses.dataclass(frozen=True)
class Parcel:
    """Arrays that one task hands to another.

    Parameters
    ----------
    name
        Of a file of the store; empty for what is handed on in memory.
    content
        What is in it, of the latter.
    """

    name: str
    content: bytes = dataclasses.field(default=b"", repr=False)

    @classmethod
    def of(cls, arrays: Mapping[str, NDArray[Any]], name: str, store: Store) -> Parcel:
        """Write arrays to a file of a store; keep them in memory where it has no name."""
        packed = io.BytesIO()
        np.savez(packed, **arrays)  # type: ignore[arg-type]
        if not name:
            return cls("", packed.getvalue())
        store.write(name, packed.getvalue())
        return cls(name)

    def arrays(self, store: Store) -> dict[str, NDArray[Any]]:
        """Read what is in it.

        Raises
        ------
        InputFileError
            If it cannot be read; it is removed then, so that it is made anew.
        """
        try:
            content = (store.read(self.name) or b"") if self.name else self.content
            with np.load(io.BytesIO(content), allow_pickle=False) as archive:
                return {name: archive[name] for name in archive.files}
        except _UNREADABLE as error:
            raise self.damaged(store) from error

    def damaged(self, store: Store) -> InputFileError:
        """Remove what cannot be used, and return what is said of it."""
        if self.name:
            store.remove(self.name)
        msg = "What was found in one of its tiles cannot be read back."
        return InputFileError(msg, hint="The same command works it out anew.")


@dataclasses.dataclass(frozen=True, kw_only=True)
class TileStep:
    """The search of one tile.

    Parameters
    ----------
    number, count
        Which tile it is, from 1, and how many there are.
    piece
        The tile.
    result
        Name of the file for what is found in it; empty to hand it on in memory.
    """

    number: int
    count: int
    piece: Parcel
    result: str

    def search(self, store: Store) -> Parcel:
        """Search the tile, unless that was done: a scheduler that is lost has it done again.

        Raises
        ------
        InputFileError
            If it cannot be read back.
        """
        if self.result and self.result in store.names_in(str(PurePosixPath(self.result).parent)):
            return Parcel(self.result)
        arrays = self.piece.arrays(store)
        try:
            tile = Tile.of(arrays)
        except (KeyError, ValueError, TypeError) as error:
            raise self.piece.damaged(store) from error
        return Parcel.of(find_in(tile).arrays(), self.result, store)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Cutting:
    """A territory that was cut.

    Parameters
    ----------
    digest
        Hash of what all tiles were made of.
    steps
        What is to be done for each tile, in the order of these.
    found
        What was found before, by the numbers of the tiles; their steps need not be done.
    """

    digest: str
    steps: tuple[TileStep, ...]
    found: Mapping[int, Parcel]


@dataclasses.dataclass(frozen=True, kw_only=True)
class JoinStep:
    """The analysis of a territory whose tiles have been searched.

    Parameters
    ----------
    digest
        Hash of what these were made of.
    tile_cells
        As it was cut.
    found
        What was found in each.
    spent
        What it took so far: ``seconds``, ``cpu_seconds`` and the largest ``peak_mb``.
    """

    digest: str
    tile_cells: int
    found: tuple[Parcel, ...]
    spent: Mapping[str, float | None]

    def in_tiles(self, store: Store) -> InTiles:
        """Return what takes the place of a search."""
        find = functools.partial(self._find, store)
        return InTiles(tile_cells=self.tile_cells, find=find, again=True)

    def _find(self, store: Store, whole: Cut) -> Iterator[TileFound]:
        """Read what was found.

        Raises
        ------
        InputFileError
            If the territory is not what was cut any more, or something cannot be read back.
        """
        if whole.digest != self.digest:
            msg = "Its inputs were changed while it was worked out."
            raise InputFileError(msg, hint="Run the same command again.")
        placed = whole.placed
        for block, parcel in zip(whole.blocks, self.found, strict=True):
            try:
                yield TileFound.of(
                    parcel.arrays(store),
                    n_cells=len(block),
                    n_categories=len(placed.study.categories),
                    n_services=len(placed.services),
                    n_moved=len(whole.moved),
                    limit_min=placed.study.threshold_min,
                )
            except ValueError as error:
                raise parcel.damaged(store) from error


def folder_of(territory: Territory) -> str:
    """Return the folder of a store for what tasks of a territory hand on: hidden, as work is."""
    return f"{territory.place}/.tiles"


def cut_up(
    study: Study, territory: Territory, store: Store, tile_cells: int, *, cache: Cache
) -> Cutting:
    """Cut the study of a territory into tiles, and hand on those that are not searched yet.

    Raises
    ------
    OutputError
        If they cannot be written.
    """
    folder = "" if holds_discreet(study.services) else folder_of(territory)
    there = store.names_in(folder_of(territory))
    whole = cut(study, tile_cells, cache=cache)
    count = len(whole.blocks)
    steps: list[TileStep] = []
    found: dict[int, Parcel] = {}
    for number, tile in enumerate(whole.tiles(), start=1):
        arrays = tile.arrays()
        digest = f"{digest_of(arrays)}-{_FORMAT}-{tool_version()}"
        piece, result = (f"{folder}/{digest}.{kind}" if folder else "" for kind in _KINDS)
        if result and result in there:
            found[number] = Parcel(result)
        if number in found or (piece and piece in there):
            parcel = Parcel(piece)
        else:
            parcel = Parcel.of(arrays, piece, store)
        steps.append(TileStep(number=number, count=count, piece=parcel, result=result))
    # What was made of inputs that have changed since.
    for name in there - {name for step in steps for name in (step.piece.name, step.result)}:
        store.remove(name)
    return Cutting(digest=whole.digest, steps=tuple(steps), found=found)
