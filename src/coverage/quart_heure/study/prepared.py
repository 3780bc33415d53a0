"""Prepared: what an analysis needs that does not depend on services.

Streets, cells, residents and districts stay as they are when services open, close or move. A
question about these starts here, and not with the network.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from quart_heure.analysis.districts import Districts
from quart_heure.analysis.entering import Entering
from quart_heure.analysis.people import CellResidents
from quart_heure.analysis.stored import stored_cells, stored_residents, stored_search_graph
from quart_heure.analysis.surface import Cells, give_way, lay_grid
from quart_heure.cache import Cache
from quart_heure.errors import NetworkError
from quart_heure.network.components import Parts, entry_edges, useful_parts
from quart_heure.network.later import LaterAttachment
from quart_heure.network.snapping import Attachment
from quart_heure.network.travel_time import SearchGraph
from quart_heure.profiles import WalkProfile
from quart_heure.study.bounds import no_cell
from quart_heure.study.study import Study

# What a prepared study was made of, and may not differ from the study it is used for.
_MADE_OF = (
    *("area", "network", "residents", "profile", "heights", "cell_m", "snap_m"),
    *("useful_share", "ground"),
)

_GRID = ("area", "residents", "cell_m", "ground")
"""What the cells of a study are made of, but where they enter the streets."""


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Prepared:
    """Streets, cells, residents and districts of a study.

    Parameters
    ----------
    entering
        The streets as the walker sees them, and where cells and services may enter.
    parts
        The useful components of the network.
    cells
        The grid, where each cell enters the streets whatever the services.
    districts
        Of the cells.
    residents
        Of the cells, where they are known.
    """

    entering: Entering
    parts: Parts
    cells: Cells
    districts: Districts
    residents: CellResidents

    @property
    def graph(self) -> SearchGraph:
        """The streets as the walker sees them."""
        return self.entering.graph

    @property
    def usable(self) -> NDArray[np.bool_]:
        """Edges that cells and services may enter at; shape (E,)."""
        return self.entering.usable

    def cells_towards(self, services: Attachment, study: Study) -> Cells:
        """Return the cells as they enter the streets towards the services that count.

        See `quart_heure.analysis.surface.give_way`.
        """
        unserved = self.parts.unserved(services.edge)
        if not unserved.any():
            return self.cells
        return give_way(
            self.cells,
            study.network,
            graph=self.graph,
            unserved=unserved,
            instead=self.usable & self.parts.largest,
            snap_m=study.snap_m,
            ground=study.ground,
        )


def fits(study: Study, other: Study) -> bool:
    """Tell whether what is prepared for one study holds for another.

    Layers are compared by identity: two that are alike are prepared for twice, and no worse.
    """
    return _alike(study, other, _MADE_OF)


def _alike(study: Study, other: Study, names: Sequence[str]) -> bool:
    one, two = ([getattr(each, name) for name in names] for each in (study, other))
    return all(
        a is b or (isinstance(a, float | int | WalkProfile) and a == b)
        for a, b in zip(one, two, strict=True)
    )


def prepare(
    study: Study,
    *,
    cache: Cache,
    progress: Callable[[str], None] = lambda _: None,
    entered: bool = True,
    like: tuple[Study, Prepared] | None = None,
) -> Prepared:
    """Work out what does not depend on services.

    Parameters
    ----------
    study
        Of which study.
    cache
        Keeps what took long for the next run.
    progress
        Called with the name of each step as it begins.
    entered
        Whether all cells are let in to the streets now; else when somebody asks where they enter,
        and whether they meet any is not checked.
    like
        Another study and what is prepared for it: what is the same is not worked out again.

    Raises
    ------
    StudyFileError
        If the area is smaller than its cells.
    NetworkError
        If no cell of the area meets the network.
    """
    area, network = study.area, study.network
    progress("network")
    parts = useful_parts(network, share=study.useful_share)
    usable = entry_edges(network, study.profile, parts=parts)
    graph = stored_search_graph(network, study.profile, cache, heights=study.heights)
    progress("cells")
    entering = Entering(
        network=network, graph=graph, usable=usable, snap_m=study.snap_m, ground=study.ground
    )
    same_grid = like if like is not None and _alike(study, like[0], _GRID) else None
    stored = functools.partial(
        stored_cells,
        area,
        entering,
        cell_m=study.cell_m,
        cache=cache,
        like=None if same_grid is None else (same_grid[1].entering, same_grid[1].cells),
    )
    if entered:
        cells = stored()
    else:
        cells = lay_grid(area, cell_m=study.cell_m, ground=study.ground)
        later = LaterAttachment(len(cells), lambda: stored().attachment)
        cells = dataclasses.replace(cells, attachment=later)
    if not cells.inside.any():
        raise no_cell(area, study.cell_m)
    if entered:
        check_overlap(study, cells)
    if same_grid is not None:
        districts, residents = same_grid[1].districts, same_grid[1].residents
    else:
        districts = Districts.of(area, cells)
        residents = stored_residents(cells, study.residents, area, cache)
    return Prepared(
        entering=entering, parts=parts, cells=cells, districts=districts, residents=residents
    )


def check_overlap(study: Study, cells: Cells) -> None:
    """Refuse an area of which no cell meets the streets.

    Raises
    ------
    NetworkError
        If none does.
    """
    if not (cells.inside & cells.attachment.attached).any():
        msg = f"No street of the network lies within {study.snap_m:g} m of {study.area.name!r}."
        raise NetworkError(msg, hint="Check that the network and the area are of one place.")
