"""Tiles: a grid too large to be searched at once, cut into blocks that are searched one by one.

A tile has the cells of a block and the streets that these need, and is searched without anything
else. What is found is, cell by cell and to the bit, what a search of the whole gives:

- how a cell enters the streets depends on what is near it alone;
- minutes to the nearest service have no limit, so a tile is given what one search of the whole
  network says of its junctions;
- single services are searched within the threshold, in the streets of `Cutter.around`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from quart_heure.analysis.surface import Cells, enter_at, give_way
from quart_heure.analysis.tiles_joined import TileFound, nobody
from quart_heure.cache import hash_of, packed, unpacked
from quart_heure.network.pieces import StreetPiece
from quart_heure.network.reach import node_links, reach_of_services
from quart_heure.network.snapping import Attachment
from quart_heure.network.travel_time import NodeTimes, SearchGraph
from quart_heure.sources.background import Ground

Arrays = dict[str, NDArray[Any]]

_LINKS = ("indptr", "indices", "level_m")
_EDGES = ("effort_forward", "effort_backward", "u", "v", "forward", "backward", "length_m")
_SHAPES = ("edge", "node", "xy", "offsets", "drawn_m")
_ENTRIES = ("place", "edge", "offset_m", "access_m")
_CELLS = ("col", "row", "water")
_STREETS = ("usable", "instead", "unserved")


def blocks_of(cells: Cells, side: int) -> list[NDArray[np.intp]]:
    """Return the cells of each block that has any, row after row of blocks.

    Parameters
    ----------
    cells
        The grid, in the order of `quart_heure.analysis.surface.lay_grid`.
    side
        Cells along each side of a block; blocks are aligned to multiples of it.

    Returns
    -------
    list
        Positions of the cells in ascending order, of each block.
    """
    columns = cells.col // side
    block = (cells.row // side - cells.row.min() // side).astype(np.int64)
    block = block * (int(columns.max()) - int(columns.min()) + 1) + columns - columns.min()
    order = np.argsort(block, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(block[order])) + 1)


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Tile:
    """The cells of a block, and all that it takes to let them in and to search from them.

    Parameters
    ----------
    cell_m, col, row, water
        The cells, as those of `Cells`; shapes (n,).
    piece
        The streets that they need.
    usable, instead
        Edges that cells may enter at, and those of them in the largest component; shapes (e,).
    unserved
        Edges from which no way leads to a service that counts; shape (e,).
    gives_way
        Whether there is any such edge in the whole network.
    ground
        What is not walked across, as far as it is near; None where nothing is known of any.
    snap_m
        Cells enter within this.
    limit_min
        How far single services are searched.
    members
        Positions of the services that each category is searched from.
    nodes
        What a search of the whole network from each of these says of the junctions; shapes (N,).
    sources, moved
        Where each service enters the streets, and where it would at each of
        `quart_heure.analysis.doors.ELSEWHERE_M`, those of one service after the other; as far as
        that is in the piece.
    """

    cell_m: float
    col: NDArray[np.int32]
    row: NDArray[np.int32]
    water: NDArray[np.bool_]
    piece: StreetPiece
    usable: NDArray[np.bool_]
    instead: NDArray[np.bool_]
    unserved: NDArray[np.bool_]
    gives_way: bool
    ground: Ground | None
    snap_m: float
    limit_min: float
    members: Sequence[NDArray[np.intp]]
    nodes: Sequence[NodeTimes]
    sources: Attachment
    moved: Attachment

    def arrays(self) -> Arrays:
        """Return all of it as arrays, for files and hashes; `of` reads them."""
        piece, graph = self.piece, self.piece.graph
        sizes = [len(each) for each in self.members]
        arrays: Arrays = {
            "numbers": np.array(
                [
                    *(self.cell_m, self.snap_m, self.limit_min, graph.speed_m_per_min),
                    *(self.gives_way, self.ground is not None),
                ],
                dtype=np.float64,
            ),
            **{name: getattr(self, name) for name in (*_CELLS, *_STREETS)},
            **{f"piece_{name}": getattr(piece, name) for name in _SHAPES},
            **{f"graph_{name}": getattr(graph, name) for name in (*_LINKS, *_EDGES)},
            "members": np.concatenate([np.empty(0, dtype=np.intp), *self.members]),
            "member_ends": np.cumsum([0, *sizes]),
            "node_m": _rows([each.level_m for each in self.nodes], len(piece.node), np.float64),
            "node_nearest": _rows([each.nearest for each in self.nodes], len(piece.node), np.int32),
            **_of_entries("sources", self.sources),
            **_of_entries("moved", self.moved),
        }
        if self.ground is not None:
            shapes = packed(self.ground.barriers)
            arrays |= {f"barrier_{name}": values for name, values in shapes.items()}
        return arrays

    @classmethod
    def of(cls, arrays: Mapping[str, NDArray[Any]]) -> Tile:
        """Read a tile from its arrays."""
        cell_m, snap_m, limit_min, speed, gives_way, has_ground = arrays["numbers"].tolist()
        graph = SearchGraph(
            **{name: arrays[f"graph_{name}"] for name in (*_LINKS, *_EDGES)},
            speed_m_per_min=speed,
        )
        ground = None
        if has_ground:
            shapes = unpacked({name: arrays[f"barrier_{name}"] for name in ("shapes", "ends")})
            ground = _ground(np.array(shapes, dtype=object))
        return cls(
            **{name: arrays[name] for name in (*_CELLS, *_STREETS)},
            piece=StreetPiece(**{name: arrays[f"piece_{name}"] for name in _SHAPES}, graph=graph),
            cell_m=cell_m,
            snap_m=snap_m,
            limit_min=limit_min,
            gives_way=bool(gives_way),
            ground=ground,
            members=np.split(arrays["members"], arrays["member_ends"][1:-1]),
            nodes=[
                NodeTimes(level_m, nearest)
                for level_m, nearest in zip(arrays["node_m"], arrays["node_nearest"], strict=True)
            ],
            sources=_entries(arrays, "sources"),
            moved=_entries(arrays, "moved"),
        )


def digest_of(arrays: Mapping[str, NDArray[Any]]) -> str:
    """Return the hash of the arrays of a tile."""
    return hash_of(*(arrays[name] for name in sorted(arrays)))


def barriers_near(ground: Ground | None, xy: NDArray[np.float64], room_m: float) -> Ground | None:
    """Return the barriers of a ground that may be met within some metres of places (n, 2)."""
    if ground is None:
        return None
    (west, south), (east, north) = xy.min(axis=0) - room_m, xy.max(axis=0) + room_m
    low_x, low_y, high_x, high_y = shapely.bounds(ground.barriers).reshape(-1, 4).T
    near = (low_x <= east) & (high_x >= west) & (low_y <= north) & (high_y >= south)
    return _ground(ground.barriers[near])


def _ground(barriers: NDArray[np.object_]) -> Ground:
    return Ground(water=np.empty(0, dtype=object), barriers=barriers, source="")


def find_in(tile: Tile) -> TileFound:
    """Let the cells of a tile in, and search from them."""
    graph = tile.piece.graph
    n = len(tile.col)
    cells = Cells(
        cell_m=tile.cell_m,
        col=tile.col,
        row=tile.row,
        district=np.full(n, -1, dtype=np.int16),
        inside=np.ones(n, dtype=bool),
        water=tile.water,
        attachment=Attachment.none(n),
    )
    streets: dict[str, Any] = {"graph": graph, "snap_m": tile.snap_m, "ground": tile.ground}
    dry = np.flatnonzero(~tile.water)
    entered = enter_at(cells, dry, tile.piece, usable=tile.usable, **streets)
    cells = dataclasses.replace(cells, attachment=entered)
    if tile.gives_way:
        cells = give_way(cells, tile.piece, unserved=tile.unserved, instead=tile.instead, **streets)
    attachment = cells.attachment
    arrived = graph.arrivals(attachment)
    times = [
        arrived(tile.sources[members], nodes)
        for members, nodes in zip(tile.members, tile.nodes, strict=True)
    ]
    links = node_links(graph, attachment)
    reach, moved = (
        reach_of_services(graph, services, attachment, limit_min=tile.limit_min, links=links)
        if services.attached.any()
        else nobody(len(services), n, tile.limit_min)
        for services in (tile.sources, tile.moved)
    )
    edge = attachment.nearest_edge
    return TileFound(
        edge=np.where(edge < 0, -1, np.append(tile.piece.edge, -1)[edge]).astype(np.int32),
        access_m=attachment.nearest_m,
        minutes=_rows([each.minutes for each in times], n, np.float64),
        nearest=_rows([each.nearest for each in times], n, np.int32),
        reach=reach,
        moved=moved,
    )


def _rows(rows: Sequence[NDArray[Any]], n: int, kind: type) -> NDArray[Any]:
    return np.array(rows, dtype=kind).reshape(len(rows), n)


def _of_entries(name: str, places: Attachment) -> Arrays:
    arrays = {f"{name}_{each}": getattr(places, each) for each in _ENTRIES}
    return {**arrays, f"{name}_n": np.array([len(places)])}


def _entries(arrays: Mapping[str, NDArray[Any]], name: str) -> Attachment:
    (n,) = arrays[f"{name}_n"].tolist()
    return Attachment(**{each: arrays[f"{name}_{each}"] for each in _ENTRIES}, n_places=n)
