"""A study in tiles: its cells let in and searched block by block, and joined again.

Entries of all cells are never in memory at once. What comes out is what `analyse` gives without
tiles, to the bit: see `quart_heure.analysis.tiles`.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from quart_heure.analysis.doors import ELSEWHERE_M, services_at
from quart_heure.analysis.tiles import Tile, barriers_near, blocks_of, find_in
from quart_heure.analysis.tiles_joined import TileFound, joined, joined_sides
from quart_heure.cache import Cache, hash_of
from quart_heure.network.later import LaterAttachment
from quart_heure.network.limits import TOLERANCE
from quart_heure.network.pieces import Cutter
from quart_heure.network.reach import Reach
from quart_heure.network.travel_time import NodeTimes
from quart_heure.study.prepared import check_overlap, prepare
from quart_heure.study.searched import Placed, Searched, doors_of, place

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from quart_heure.network.snapping import Attachment
    from quart_heure.study.study import Study


def about_cells(study: Study) -> int:
    """Return about how many cells a study has, by its area: nothing is laid out for it."""
    return math.ceil(float(study.area.geometry.area) / study.cell_m**2)


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Cut:
    """A study that is cut into tiles.

    Parameters
    ----------
    placed
        Its streets, cells and services; the cells do not enter the streets yet.
    tile_cells
        The most cells of a tile.
    """

    placed: Placed
    tile_cells: int

    @functools.cached_property
    def blocks(self) -> list[NDArray[np.intp]]:
        """The cells of each tile."""
        return blocks_of(self.placed.kept.cells, max(math.isqrt(self.tile_cells), 1))

    @functools.cached_property
    def moved(self) -> Attachment:
        """Where services enter at each of `ELSEWHERE_M`, those of one one after the other."""
        study, kept = self.placed.study, self.placed.kept
        return services_at(
            study.network,
            (self.placed.xy[:, None] + np.array(ELSEWHERE_M)).reshape(-1, 2),
            usable=kept.usable,
            snap_m=study.snap_m,
            ground=study.ground,
        )

    @functools.cached_property
    def digest(self) -> str:
        """Hash of what all tiles are made of, so that those of another cut are told apart."""
        study, kept, cells = self.placed.study, self.placed.kept, self.placed.kept.cells
        ground = "" if study.ground is None else study.ground.digest
        told = [study.network.digest, kept.graph.digest, ground, self.placed.attachment.digest]
        told += [self.moved.digest, repr((study.snap_m, study.threshold_min, cells.cell_m))]
        return hash_of(
            np.frombuffer(" ".join(told).encode(), dtype=np.uint8),
            *(kept.usable, self._unserved, cells.col, cells.row, cells.water),
            *(np.append(group, -1) for group in self.placed.groups()),
            np.array([self.tile_cells]),
        )

    @functools.cached_property
    def _unserved(self) -> NDArray[np.bool_]:
        return self.placed.kept.parts.unserved(self.placed.towards.edge)

    def tiles(self) -> Iterator[Tile]:
        """Give the tiles, one after the other, in the order of ``blocks``."""
        placed, study, kept = self.placed, self.placed.study, self.placed.kept
        cells, graph, limit_min = kept.cells, kept.graph, study.threshold_min
        cutter = Cutter(
            shapes=study.network,
            graph=graph,
            margin_m=limit_min * graph.speed_m_per_min * (1 + TOLERANCE),
            snap_m=study.snap_m,
        )
        members = placed.groups()
        nodes = [graph.node_times(placed.attachment[group]) for group in members]
        for block in self.blocks:
            xy = cells.centre_xy[block]
            piece = cutter.around(xy, [placed.attachment, self.moved])
            unserved = self._unserved[piece.edge]
            usable = kept.usable[piece.edge]
            yield Tile(
                cell_m=cells.cell_m,
                col=cells.col[block],
                row=cells.row[block],
                water=cells.water[block],
                piece=piece,
                usable=usable,
                instead=usable & kept.parts.largest[piece.edge],
                unserved=unserved,
                gives_way=bool(self._unserved.any()),
                ground=barriers_near(study.ground, xy, study.snap_m + 1.0),
                snap_m=study.snap_m,
                limit_min=limit_min,
                members=members,
                nodes=[
                    NodeTimes(each.level_m[piece.node], each.nearest[piece.node]) for each in nodes
                ],
                sources=piece.entered(placed.attachment),
                moved=piece.entered(self.moved),
            )


def cut(study: Study, tile_cells: int, *, cache: Cache) -> Cut:
    """Cut a study into tiles.

    Raises
    ------
    StudyFileError
        If the area is smaller than its cells.
    """
    kept = prepare(study, cache=cache, entered=False)
    return Cut(placed=place(study, kept, cache=cache), tile_cells=tile_cells)


def found_here(whole: Cut) -> Iterator[TileFound]:
    """Search the tiles of a study in this process, one after the other."""
    return map(find_in, whole.tiles())


@dataclasses.dataclass(frozen=True, kw_only=True)
class InTiles:
    """Searches a study tile by tile, in place of `quart_heure.study.searched.search_whole`.

    Parameters
    ----------
    tile_cells
        The most cells of a tile.
    find
        Gives what was found in the tiles of a study that is cut, in their order; by default they
        are searched in this process.
    again
        Whether it gives that once more at little cost: then what services reach from their sides,
        which is most of it, is taken when somebody asks for it, and not kept until then.
    """

    tile_cells: int
    find: Callable[[Cut], Iterable[TileFound]] = found_here
    again: bool = False

    def __call__(self, placed: Placed, *, cache: Cache) -> Searched:  # noqa: ARG002 - as the whole
        """Search all tiles; unlike a search of the whole, nothing of it is kept in a cache.

        Raises
        ------
        NetworkError
            If no cell of the area meets the network.
        """
        study, kept = placed.study, placed.kept
        whole = Cut(placed=placed, tile_cells=self.tile_cells)
        moved: list[Reach] = []

        def found_once() -> Iterator[TileFound]:
            for one in self.find(whole):
                if not self.again:
                    moved.append(one.moved)
                yield one

        n_services, limit_min = len(placed.services), study.threshold_min
        found = joined(
            whole.blocks,
            found_once(),
            n_categories=len(study.categories),
            n_services=n_services,
            limit_min=limit_min,
        )
        attachment = LaterAttachment(
            len(kept.cells),
            lambda: kept.cells_towards(placed.towards, study).attachment,
            nearest_edge=found.edge,
            nearest_m=found.access_m,
        )
        cells = dataclasses.replace(kept.cells, attachment=attachment)
        check_overlap(study, cells)

        def elsewhere() -> Iterator[Reach]:
            return joined_sides(
                whole.blocks,
                (one.moved for one in self.find(whole)) if self.again else moved,
                n_services=n_services,
                n_sides=len(ELSEWHERE_M),
                limit_min=limit_min,
            )

        return Searched(
            cells=cells,
            doors=doors_of(placed, cells),
            times=lambda _: found.times,
            reach=lambda: found.reach,
            reach_elsewhere=elsewhere,
        )
