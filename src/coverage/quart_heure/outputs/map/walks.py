"""Walks of the map: streets and barriers, packed so that the page can search itself.

"What if one opened here?" is answered by the page as the analysis answers it. Where its cells enter
the streets is not packed: there are four entries to a cell, and the rule that finds them (see
`quart_heure.network.snapping`) is shorter than their list. The page follows the rule when it is
asked. It is told of streets to some decimetres, which decides otherwise at some few places
where an entry just counts or just does not: the streets that those enter at are listed.
"""

from __future__ import annotations

import dataclasses
import functools
from typing import TYPE_CHECKING

import numpy as np
import shapely
from numpy.typing import NDArray

from quart_heure.cache import Cache, Like, checked, hash_of, packed
from quart_heure.network.barriers import Barriers
from quart_heure.network.components import useful_parts
from quart_heure.network.cores import cut, on_all_cores
from quart_heure.network.entries import needed_entries, walked_to
from quart_heure.network.frontages import Frontages
from quart_heure.network.ordering import stable_order
from quart_heure.network.snapping import (
    ALWAYS_M,
    FURTHER_FACTOR,
    NEAREST_FACTOR,
    Attachment,
    snap_to,
)
from quart_heure.outputs.map.cells import Grid, deflated
from quart_heure.outputs.map.data import PackedBarriers, PackedEntries, PackedWalks
from quart_heure.outputs.map.walk_streets import (
    LENGTH_M,
    UNIT_M,
    WalkStreets,
    packed_points,
    planes,
    stored_streets,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from quart_heure.network.travel_time import SearchGraph
    from quart_heure.study.coverage import Coverage

APART_M = 1.0
"""Entries of a place are listed where the rule would err by this much on its way to a street."""

SHARES = 254
"""Steps of a share of a street."""

_AT_ONCE = 48_000


def walks(coverage: Coverage, grid: Grid, places: Mapping[str, int]) -> PackedWalks:
    """Return what the page searches.

    Parameters
    ----------
    coverage
        A published coverage.
    grid
        Where its cells lie.
    places
        Position of each service that the page shows, by its id.
    """
    study, basis = coverage.study, coverage.basis
    doors, cells = basis.doors, basis.cells
    corner = np.array([grid.first_col, grid.first_row]) * grid.cell_m
    streets = stored_streets(
        doors.network,
        doors.graph,
        useful=useful_parts(doors.network, share=study.useful_share).edges,
        usable=doors.usable,
        corner=corner,
        cache=coverage.cache,
    )
    shapes = np.empty(0, object) if study.ground is None else study.ground.barriers
    lines = _in_units(shapes, corner)
    rule = _Rule(
        streets=streets,
        coverage=coverage,
        usable=doors.usable[streets.edge],
        barriers=Barriers.of_shapes(shapely.transform(lines, lambda xy: xy * UNIT_M)),
    )
    shown = coverage.services.set_index(coverage.services["service_id"].astype(str))
    shown = shown.loc[sorted(places, key=lambda name: places[name])]
    xy = shapely.get_coordinates(shown.geometry.to_numpy()).reshape(-1, 2)
    here = np.flatnonzero(cells.inside & cells.attachment.attached)
    return PackedWalks(
        unit_m=UNIT_M,
        length_m=LENGTH_M,
        cell_m=grid.cell_m,
        metres_per_min=study.profile.speed_m_per_min,
        reach_m=study.reach_m,
        snap_m=study.snap_m,
        always_m=min(ALWAYS_M, study.snap_m),
        nearest_factor=NEAREST_FACTOR,
        further_factor=FURTHER_FACTOR,
        corner=[float(side) for side in corner],
        edges=streets.packed(),
        barriers=_barriers(lines),
        cells=rule.otherwise(
            cells.centre_xy[here] - corner,
            cells.attachment[here],
            grid.place(cells.col[here], cells.row[here]),
            always_m=min(ALWAYS_M, study.snap_m),
            cache=coverage.cache,
        ),
        services=[[round(float(x), 2), round(float(y), 2)] for x, y in xy - corner],
        ids=[str(name) for name in shown.index],
        service_entries=rule.otherwise(
            (xy - corner).round(2),
            doors.at(xy),
            np.arange(len(xy)),
            always_m=study.snap_m,
            cache=Cache(None),  # where services are is kept nowhere
        ),
        counted=[int(one) for one in shown["counted"]],
    )


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class _Rule:
    """The rule of entries as the page follows it: with its own streets and barriers."""

    streets: WalkStreets
    coverage: Coverage
    usable: NDArray[np.bool_]
    barriers: Barriers

    @functools.cached_property
    def digest(self) -> str:
        """Hash of all that it depends on."""
        streets, barriers, graph = self.streets, self.barriers, self._streets[1]
        shapes = packed([area for area in barriers.areas if area is not None])
        return "-".join(
            [
                hash_of(streets.at, streets.offsets, streets.there, streets.back, self.usable),
                hash_of(barriers.start, barriers.end, barriers.owner, *shapes.values()),
                graph.ways_digest,
                repr((self.coverage.basis.doors.snap_m, APART_M, UNIT_M, LENGTH_M)),
            ]
        )

    @functools.cached_property
    def _streets(self) -> tuple[Frontages, SearchGraph]:
        doors, streets = self.coverage.basis.doors, self.streets
        frontages = Frontages.of(streets.network(doors.network), self.usable)
        return frontages, streets.graph(doors.graph)

    def otherwise(
        self,
        xy: NDArray[np.float64],
        entries: Attachment,
        names: NDArray[np.integer],
        *,
        always_m: float,
        cache: Cache,
    ) -> PackedEntries:
        """Return the streets that some places enter at: those that the page would get wrong.

        Parameters
        ----------
        xy
            Places in metres from the corner of the page's grid; shape (n, 2).
        entries
            Where they enter the network of the study.
        names
            What the page calls them, ascending; shape (n,).
        always_m
            Within this every edge is an entry.
        cache
            Keeps which places these are.
        """
        wanted = self.streets.entered(entries, self.coverage.basis.doors.network)
        key = [self.digest, wanted.digest, hash_of(xy), always_m]
        places = cache.recall_as(
            "walks",
            key,
            lambda: {"places": self._places(xy, wanted, always_m)},
            lambda arrays: checked(arrays, places=Like("i", below=len(xy)))["places"],
        )
        listed = wanted[places]
        order = np.lexsort((listed.edge, listed.place))
        edge, place = listed.edge[order].astype(np.int64), listed.place[order]
        steps = np.diff(edge, prepend=0)
        # The first street of each place is a step from the first of the place before.
        first = listed.begin[:-1][listed.attached]
        steps[first] = np.diff(edge[first], prepend=0)
        return PackedEntries(
            places=planes(np.diff(names[places].astype(np.int64), prepend=0)),
            counts=planes(np.bincount(place, minlength=len(places))),
            steps=planes(steps),
            shares=deflated(self._shares(xy[places][place], edge, listed.offset_m[order])),
        )

    def _places(
        self, xy: NDArray[np.float64], wanted: Attachment, always_m: float
    ) -> NDArray[np.intp]:
        """Return the places at which the page would get the streets wrong, ascending."""
        frontages, graph = self._streets

        def apart_of(some: slice) -> NDArray[np.intp]:
            found = snap_to(
                frontages,
                xy[some],
                max_distance_m=self.coverage.basis.doors.snap_m,
                always_m=always_m,
                barriers=self.barriers,
            )
            right = wanted[np.arange(some.start, some.stop)]
            found, right = needed_entries(graph, found), needed_entries(graph, right)
            apart: NDArray[np.intp] = some.start + _apart(graph, found, right)
            return apart

        parts = on_all_cores(apart_of, cut(len(xy), most=_AT_ONCE))
        return np.concatenate([np.empty(0, dtype=np.intp), *parts])

    def _shares(
        self, xy: NDArray[np.float64], edge: NDArray[np.int64], offset_m: NDArray[np.float64]
    ) -> NDArray[np.uint8]:
        """Return where entries are on streets that bend around a place, as near at either side.

        As a share of the street in steps of `SHARES` from 1 on; 0 where it is the nearest point.
        """
        streets = self.streets
        lines = streets.lines[edge]
        nearest = shapely.line_locate_point(lines, shapely.points(xy), normalized=True)
        length_m = streets.there[edge] * LENGTH_M
        share = np.clip(offset_m / length_m, 0, 1)
        elsewhere = np.abs(nearest - share) * length_m > APART_M
        return np.where(elsewhere, 1 + np.rint(share * SHARES), 0).astype(np.uint8)


def _apart(graph: SearchGraph, one: Attachment, other: Attachment) -> NDArray[np.intp]:
    """Return the places of which either attachment leads further to where the other enters."""
    pairs = ((one, other), (other, one))
    # Most places enter at the same streets, at the same points of these.
    doubtful = np.zeros(len(one), dtype=bool)
    for entered, wanted in pairs:
        doubtful[wanted.place[~_straight_there(graph, entered, wanted)]] = True
    places = np.flatnonzero(doubtful)
    apart = np.zeros(len(places), dtype=bool)
    for entered, wanted in ((entered[places], wanted[places]) for entered, wanted in pairs):
        lost = walked_to(graph, entered, wanted) > wanted.access_m + APART_M
        apart[wanted.place[lost]] = True
    return places[apart]


def _straight_there(
    graph: SearchGraph, entered: Attachment, wanted: Attachment
) -> NDArray[np.bool_]:
    """Tell which wanted entries are as near by an entry at the same edge; (entries wanted,)."""
    n_edges = len(graph.u)
    own, keys = (each.place.astype(np.int64) * n_edges + each.edge for each in (entered, wanted))
    order = stable_order(own)
    at = np.minimum(np.searchsorted(own[order], keys), len(own) - 1) if len(own) else keys * 0
    there = np.zeros(len(keys), dtype=bool)
    same = np.flatnonzero(own[order[at]] == keys) if len(own) else np.empty(0, dtype=np.intp)
    entry, edge = order[at[same]], wanted.edge[same]
    along_m = wanted.offset_m[same] - entered.offset_m[entry]
    ahead = along_m >= 0
    free = np.where(ahead, graph.forward[edge], graph.backward[edge]) | (along_m == 0)
    effort = np.where(ahead, graph.effort_forward[edge], graph.effort_backward[edge])
    direct_m = entered.access_m[entry] + np.abs(along_m) * effort
    there[same] = free & (direct_m <= wanted.access_m[same] + APART_M)
    return there


def _in_units(shapes: NDArray[np.object_], corner: NDArray[np.float64]) -> NDArray[np.object_]:
    """Return the parts of barriers in whole units, lines before areas."""
    parts = shapely.get_parts(shapes)
    parts = shapely.transform(parts, lambda xy: np.rint((xy - corner) / UNIT_M))
    kind = shapely.get_type_id(parts)
    line, area = shapely.GeometryType.LINESTRING, shapely.GeometryType.POLYGON
    return np.concatenate([parts[kind == line], parts[kind == area]])


def _barriers(parts: NDArray[np.object_]) -> PackedBarriers:
    area = shapely.get_type_id(parts) == shapely.GeometryType.POLYGON
    rings, of_area = shapely.get_rings(parts[area], return_index=True)
    lines = np.concatenate([parts[~area], rings])
    xy, line = shapely.get_coordinates(lines, return_index=True)
    return PackedBarriers(
        n_lines=int((~area).sum()),
        rings_of_area=planes(np.bincount(of_area, minlength=int(area.sum()))),
        points=planes(np.bincount(line, minlength=len(lines))),
        steps=packed_points(np.diff(xy.astype(np.int64), axis=0, prepend=0)),
    )
