"""What was found in tiles, each by itself and all as one (see `quart_heure.analysis.tiles`)."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quart_heure.cache import Like, checked
from quart_heure.network.reach import Reach
from quart_heure.network.travel_time import TravelTimes

_REACH = ("offsets", "place", "minutes")


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class TileFound:
    """What was found in a tile of n cells, c categories and s services.

    Parameters
    ----------
    edge, access_m
        Edge of the network at which each cell enters first, -1 off the network, and the metres to
        it; shapes (n,).
    minutes, nearest
        Minutes to the nearest service of each category, and its position among these; shapes
        (c, n).
    reach, moved
        The cells within reach of each service, and of each at its sides, as in `Tile`.
    """

    edge: NDArray[np.int32]
    access_m: NDArray[np.float64]
    minutes: NDArray[np.float64]
    nearest: NDArray[np.int32]
    reach: Reach
    moved: Reach

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return all of it as arrays, for files; `of` reads them."""
        return {
            **{name: getattr(self, name) for name in ("edge", "access_m", "minutes", "nearest")},
            **{f"reach_{name}": getattr(self.reach, name) for name in _REACH},
            **{f"moved_{name}": getattr(self.moved, name) for name in _REACH},
        }

    @classmethod
    def of(
        cls,
        arrays: Mapping[str, NDArray[Any]],
        *,
        n_cells: int,
        n_categories: int,
        n_services: int,
        n_moved: int,
        limit_min: float,
    ) -> TileFound:
        """Read what was found from its arrays.

        Raises
        ------
        ValueError
            If they are not those of such a tile.
        """
        reaches = {"reach": n_services, "moved": n_moved}
        kept = checked(
            dict(arrays),
            edge=Like("i", n_cells),
            access_m=Like("f", n_cells),
            minutes=Like("f", n_categories, columns=n_cells),
            nearest=Like("i", n_categories, columns=n_cells),
            **{f"{name}_offsets": Like("i", n + 1) for name, n in reaches.items()},
            **{f"{name}_place": Like("i", below=n_cells) for name in reaches},
            **{f"{name}_minutes": Like("f", f"{name}_place") for name in reaches},
        )
        found = {
            name: Reach(
                **{each: kept.pop(f"{name}_{each}") for each in _REACH},
                n_places=n_cells,
                limit_min=limit_min,
            )
            for name in reaches
        }
        return cls(**kept, reach=found["reach"], moved=found["moved"])


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Joined:
    """What was found in all tiles, of all cells.

    Parameters
    ----------
    edge, access_m
        As in `TileFound`, of all cells; shapes (n,).
    times
        Of each category.
    reach
        As in `TileFound`, of all cells.
    """

    edge: NDArray[np.int32]
    access_m: NDArray[np.float64]
    times: Sequence[TravelTimes]
    reach: Reach


def joined(
    blocks: Sequence[NDArray[np.intp]],
    found: Iterable[TileFound],
    *,
    n_categories: int,
    n_services: int,
    limit_min: float,
) -> Joined:
    """Join what was found in tiles, services at their sides left out.

    Parameters
    ----------
    blocks
        The cells of each tile, see `quart_heure.analysis.tiles.blocks_of`.
    found
        What was found in each, in the same order; one at a time is held in memory.
    n_categories, n_services, limit_min
        Of each of these.
    """
    n = sum(map(len, blocks))
    edge, access_m = np.full(n, -1, dtype=np.int32), np.full(n, np.nan)
    minutes = np.full((n_categories, n), np.inf)
    nearest = np.full((n_categories, n), -1, dtype=np.int32)
    reach = []
    for block, one in zip(blocks, found, strict=True):
        edge[block], access_m[block] = one.edge, one.access_m
        minutes[:, block], nearest[:, block] = one.minutes, one.nearest
        reach.append(_of_whole(one.reach, block, n))
    return Joined(
        edge=edge,
        access_m=access_m,
        times=[TravelTimes(*each) for each in zip(minutes, nearest, strict=True)],
        reach=_as_one(reach, n_services, n, limit_min),
    )


def joined_sides(
    blocks: Sequence[NDArray[np.intp]],
    found: Iterable[Reach],
    *,
    n_services: int,
    n_sides: int,
    limit_min: float,
) -> Iterator[Reach]:
    """Join the reach of services at their sides, one side after the other.

    Parameters
    ----------
    blocks, n_services, limit_min
        As in `joined`.
    found
        ``moved`` of each tile (see `TileFound`).
    n_sides
        Sides of each service.
    """
    n = sum(map(len, blocks))
    sides: list[list[Reach]] = [[] for _ in range(n_sides)]
    for block, one in zip(blocks, found, strict=True):
        moved = _of_whole(one, block, n)
        for side, parts in enumerate(sides):
            parts.append(moved.take(np.arange(side, n_services * n_sides, n_sides)))
    for parts in sides:
        yield _as_one(parts, n_services, n, limit_min)


def _of_whole(reach: Reach, block: NDArray[np.intp], n_places: int) -> Reach:
    place = block[reach.place].astype(np.int32)
    return dataclasses.replace(reach, place=place, n_places=n_places)


def _as_one(parts: list[Reach], n_services: int, n_places: int, limit_min: float) -> Reach:
    """Put together the reach of the same services in parts of the places; it empties the parts."""
    whole = nobody(n_services, n_places, limit_min)
    sizes = np.sum([np.diff(part.offsets) for part in parts], axis=0, initial=0, dtype=np.int64)
    offsets = whole.offsets.copy()
    offsets[1:] = np.cumsum(np.broadcast_to(sizes, n_services))
    place = np.empty(offsets[-1], dtype=np.int32)
    minutes = np.empty(offsets[-1])
    filled = offsets[:-1].copy()
    while parts:
        part = parts.pop()
        size = np.diff(part.offsets)
        at = np.repeat(filled - part.offsets[:-1], size) + np.arange(len(part.place))
        place[at], minutes[at] = part.place, part.minutes
        filled += size
    for begin, end in zip(offsets[:-1].tolist(), offsets[1:].tolist(), strict=True):
        order = np.argsort(place[begin:end])
        place[begin:end] = place[begin:end][order]
        minutes[begin:end] = minutes[begin:end][order]
    return dataclasses.replace(whole, offsets=offsets, place=place, minutes=minutes)


def nobody(n_services: int, n_places: int, limit_min: float) -> Reach:
    """Return the reach of services that reach no place."""
    return Reach(
        offsets=np.zeros(n_services + 1, dtype=np.int64),
        place=np.empty(0, dtype=np.int32),
        minutes=np.empty(0),
        n_places=n_places,
        limit_min=limit_min,
    )
