"""Anchors: where discreet places stand for all that is published.

A discreet place is moved, before anything looks at where it is, to a public point of the zone that
holds it. Zones are squares of a fixed grid, with sides of 1, 2, 4 and 8 km; how they are chosen,
and the point of each, depend on streets and residents alone. Whatever is computed then is a
function of public data and of the zone: no run, and no comparison of runs, can tell two places of
one zone apart.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyproj
import shapely
from numpy.typing import NDArray

from quart_heure.network.components import entry_edges
from quart_heure.network.graph import WalkNetwork
from quart_heure.profiles import ADULT
from quart_heure.sources.areas.areas import StudyArea
from quart_heure.sources.projecting import transformer
from quart_heure.sources.residents.residents import Residents, ResidentZones
from quart_heure.sources.services.mentions import TOLD_BY
from quart_heure.sources.services.services import Services

if TYPE_CHECKING:
    import geopandas as gpd

LEAST_HA = 50
"""A zone holds at least so many hectares with a street: half of the smallest square."""

LEAST_RESIDENTS = 1000
"""It holds at least so many residents too, where they are known: where at least half of its ground
is in the study area, and anybody lives there at all (not so in a forest or a port)."""

SIDES_KM = (1, 2, 4, 8)
"""Sides of zones. Each square is made of four of the next smaller."""

_Row = tuple[int, int, int, int, float, bool]
_NOWHERE = np.iinfo(np.int64).max
_HECTARE_M = 100.0
_STEP_M = 50.0
"""Streets are looked at every so many metres: a corner that is missed is a hectare less."""

_EUROPE = 3035
"""ETRS89-LAEA, the grid of INSEE's and Eurostat's squares of 1 km."""
_WORLD = 6933
"""EASE-Grid 2.0: squares of equal area everywhere else."""


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Zones:
    """The squares that cover a network's ground.

    Parameters
    ----------
    frame
        CRS of the grid.
    column, row, side_km
        Zone (c, r, s) spans ``c * s`` to ``(c + 1) * s`` km in x, the same in y; shape (z,).
    ground_ha
        Hectares of each that a street on the ground runs through; shape (z,).
    residents
        Known residents of each, 0 where none are known of; shape (z,).
    known
        Whether those are all of its residents, as far as is known: at least half of its ground is
        in the study area; shape (z,).
    """

    frame: pyproj.CRS
    column: NDArray[np.int64]
    row: NDArray[np.int64]
    side_km: NDArray[np.int64]
    ground_ha: NDArray[np.int64]
    residents: NDArray[np.float64]
    known: NDArray[np.bool_]

    def __len__(self) -> int:
        """Return the number of zones."""
        return len(self.column)

    def holding(self, xy: NDArray[np.float64], crs: pyproj.CRS) -> NDArray[np.intp]:
        """Return the zone of each place, -1 where there is none; ``xy`` of shape (p, 2)."""
        return self._at(_moved(xy, crs, self.frame))

    def _at(self, xy: NDArray[np.float64]) -> NDArray[np.intp]:
        found = np.full(len(xy), -1, dtype=np.intp)
        for side in SIDES_KM:
            mine = np.flatnonzero(self.side_km == side)
            known = _keys(np.stack([self.column[mine], self.row[mine]], axis=1))
            order = np.argsort(known)
            asked = _keys(np.floor(xy / (side * 1000.0)).astype(np.int64))
            at = np.searchsorted(known[order], asked)
            held = np.append(known[order], _NOWHERE)[at] == asked
            found[held] = mine[order][at[held]]
        return found


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Anchors:
    """Zones of a network, and a public point of each.

    Parameters
    ----------
    zones
        The squares.
    xy
        The junction of each that is nearest to the middle of its residents, or of its ground where
        none are known of: that in the area if there is any; in metres of the network's CRS; shape
        (z, 2).
    """

    zones: Zones
    xy: NDArray[np.float64]


def anchors_of(
    network: WalkNetwork, residents: Residents | ResidentZones | None, area: StudyArea
) -> Anchors:
    """Lay zones over a network and choose a point of each.

    A square is divided while each of its quarters with any ground holds `LEAST_HA` and
    `LEAST_RESIDENTS`: every position of a zone has the same anchor, none of the zone is set apart.

    Parameters
    ----------
    network
        The walking network.
    residents
        Where they are known, in the CRS of the network.
    area
        A zone across its limit has its point inside, where places count.
    """
    usable = entry_edges(network, ADULT)
    frame = _frame_of(network)
    points = _along(network, usable)
    ground = _hectares(_moved(points, network.crs, frame))
    people_at, people = _people(residents, frame)
    there = _moved((ground.astype(np.float64) + 0.5) * _HECTARE_M, frame, area.crs)
    inside = shapely.contains_xy(area.geometry, there[:, 0], there[:, 1])
    zones = _divided(frame, ground, inside, people_at, people)
    middle = _middles(zones, ground, inside, people_at, people)
    return Anchors(zones=zones, xy=_junctions(zones, middle, network, usable, points))


def anchored(
    services: Services,
    network: WalkNetwork,
    residents: Residents | ResidentZones | None,
    area: StudyArea,
) -> Services:
    """Return the services with each discreet place at the anchor of its zone.

    Those in no zone are left out, and counted: no street is near, or too few people and streets
    are known of within 8 km to hide among. Places that were moved already stay.
    """
    discreet = services.table["discreet"].to_numpy(dtype=bool)
    moved = discreet & ~services.table["service_id"].isin(services.anchored).to_numpy(dtype=bool)
    if not moved.any():
        return services
    anchors = anchors_of(network, residents, area)
    table: gpd.GeoDataFrame = services.table
    xy = shapely.get_coordinates(table.geometry.to_numpy()).reshape(-1, 2)
    zone = anchors.zones.holding(xy[moved], network.crs)
    at = np.flatnonzero(moved)
    places = np.array(table.geometry.to_numpy(), dtype=object)
    places[at[zone >= 0]] = shapely.points(anchors.xy[zone[zone >= 0]])
    keep = np.ones(len(table), dtype=bool)
    keep[at[zone < 0]] = False
    ids = table["service_id"].to_numpy(dtype=object)
    lost = set(ids[~keep].tolist())
    left_out = pd.DataFrame(table.loc[~keep, [*TOLD_BY]])
    table = table.set_geometry(places, crs=table.crs)[keep].reset_index(drop=True)
    return dataclasses.replace(
        services,
        table=table,
        rows={name: row for name, row in services.rows.items() if name not in lost},
        anchored=services.anchored | frozenset(ids[at[zone >= 0]].tolist()),
        unanchored=services.unanchored + len(lost),
        left_out=pd.concat([services.left_out, left_out], ignore_index=True),
    )


def _frame_of(network: WalkNetwork) -> pyproj.CRS:
    west, south, east, north = transformer(network.crs, 4326).transform_bounds(
        *network.xy.min(axis=0), *network.xy.max(axis=0)
    )
    europe = pyproj.CRS.from_epsg(_EUROPE)
    use = europe.area_of_use
    held = use is not None and (
        use.west <= west <= east <= use.east and use.south <= south <= north <= use.north
    )
    return europe if held else pyproj.CRS.from_epsg(_WORLD)


def _moved(xy: NDArray[np.float64], crs: pyproj.CRS, frame: pyproj.CRS) -> NDArray[np.float64]:
    change = transformer(crs, frame)
    return np.stack(change.transform(xy[:, 0], xy[:, 1]), axis=1).reshape(-1, 2)


def _along(network: WalkNetwork, usable: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return points every `_STEP_M` along the usable edges; shape (p, 2)."""
    edge = np.repeat(np.arange(network.n_edges), np.diff(network.offsets))
    first = np.flatnonzero((edge[:-1] == edge[1:]) & usable[edge[:-1]])
    begin, end = network.xy[first], network.xy[first + 1]
    pieces = np.maximum(np.ceil(np.hypot(*(end - begin).T) / _STEP_M), 1).astype(np.int64)
    piece = np.repeat(np.arange(len(first)), pieces + 1)
    nth = np.arange(len(piece)) - np.repeat(np.cumsum(pieces + 1) - pieces - 1, pieces + 1)
    share = (nth / pieces[piece])[:, None]
    along: NDArray[np.float64] = begin[piece] + share * (end - begin)[piece]
    return along


def _keys(squares: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return one number for each column and row; shape (p,)."""
    return (squares[:, 0] << 32) + squares[:, 1]


def _hectares(xy: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the hectares that hold some points, each once; shape (h, 2)."""
    squares = np.floor(xy / _HECTARE_M).astype(np.int64)
    return squares[np.unique(_keys(squares), return_index=True)[1]]


def _people(
    residents: Residents | ResidentZones | None, frame: pyproj.CRS
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return points where people live, in the frame, and how many; shapes (p, 2) and (p,)."""
    if residents is None:
        return np.empty((0, 2)), np.empty(0)
    if isinstance(residents, Residents):
        if residents.square_m <= 2 * _HECTARE_M:
            square = np.stack([residents.col, residents.row], axis=1).astype(np.float64)
            return _moved(
                (square + 0.5) * residents.square_m, residents.crs, frame
            ), residents.residents
        residents = residents.zones(residents.crs)
    xy, people = [], []
    for shape, number in zip(residents.shapes, residents.residents.tolist(), strict=True):
        if number <= 0 or shape.is_empty:
            continue
        inner = _lattice(shape)
        xy.append(inner)
        people.append(np.full(len(inner), number / len(inner)))
    if not xy:
        return np.empty((0, 2)), np.empty(0)
    return _moved(np.concatenate(xy), residents.crs, frame), np.concatenate(people)


def _lattice(shape: shapely.Geometry) -> NDArray[np.float64]:
    """Return points of a polygon, one for a hectare, at least one; shape (p, 2)."""
    west, south, east, north = shape.bounds
    x = np.arange(np.floor(west / _HECTARE_M), np.ceil(east / _HECTARE_M)) + 0.5
    y = np.arange(np.floor(south / _HECTARE_M), np.ceil(north / _HECTARE_M)) + 0.5
    all_xy: NDArray[np.float64] = (
        np.stack([each.ravel() for each in np.meshgrid(x, y)], axis=1) * _HECTARE_M
    )
    shapely.prepare(shape)
    held: NDArray[np.float64] = all_xy[shapely.contains_xy(shape, all_xy[:, 0], all_xy[:, 1])]
    if len(held) == 0:
        held = shapely.get_coordinates(shapely.point_on_surface(shape))
    return held


def _divided(
    frame: pyproj.CRS,
    ground: NDArray[np.int64],
    inside: NDArray[np.bool_],
    people_at: NDArray[np.float64],
    people: NDArray[np.float64],
) -> Zones:
    per_km = round(1000 / _HECTARE_M)
    homes = np.floor(people_at / _HECTARE_M).astype(np.int64)
    # One row a hectare: squares of residents may be many to one.
    _, first, at = np.unique(_keys(homes), return_index=True, return_inverse=True)
    lived, living_there = homes[first], np.bincount(at, weights=people, minlength=len(first))
    rows: list[_Row] = []
    # From the smallest squares up: what each holds, and whether its quarters may stand alone.
    below: dict[tuple[int, int], tuple[bool, list[_Row]]] = {}
    for side in SIDES_KM:
        squares, at = np.unique(ground // (side * per_km), axis=0, return_inverse=True)
        held = np.bincount(at.ravel())
        known = 2 * np.bincount(at.ravel(), weights=inside) >= held
        living: dict[tuple[int, int], float] = {}
        if len(people):
            towns, at = np.unique(lived // (side * per_km), axis=0, return_inverse=True)
            sums = np.bincount(at.ravel(), weights=living_there)
            living = dict(zip(map(tuple, towns.tolist()), sums.tolist(), strict=True))
        quarters: dict[tuple[int, int], list[tuple[int, int]]] = {}
        for c, r in below:
            quarters.setdefault((c // 2, r // 2), []).append((c, r))
        level = {}
        for (c, r), ha, all_ in zip(squares.tolist(), held.tolist(), known.tolist(), strict=True):
            residents = living.get((c, r), 0.0)
            lone = all_ and 0 < residents < LEAST_RESIDENTS
            large = ha >= LEAST_HA and not lone
            parts = [below[key] for key in quarters.get((c, r), ())]
            if large and parts and all(enough for enough, _ in parts):
                zones = [zone for _, inner in parts for zone in inner]
            else:
                zones = [(side, c, r, ha, residents, all_)] if large else []
            level[c, r] = (large, zones)
        below = level
    for key in sorted(below):
        rows += below[key][1]
    rows.sort()
    columns = list(zip(*rows, strict=True)) if rows else [()] * 6
    side_km, column, row, ground_ha = (np.array(each, dtype=np.int64) for each in columns[:4])
    return Zones(
        frame=frame,
        column=column,
        row=row,
        side_km=side_km,
        ground_ha=ground_ha,
        residents=np.array(columns[4], dtype=np.float64),
        known=np.array(columns[5], dtype=bool),
    )


def _middles(
    zones: Zones,
    ground: NDArray[np.int64],
    inside: NDArray[np.bool_],
    people_at: NDArray[np.float64],
    people: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the middle of the residents of each zone, or of its ground; shape (z, 2)."""
    n = len(zones)
    centre: NDArray[np.float64] = (ground.astype(np.float64) + 0.5) * _HECTARE_M
    middle = np.zeros((n, 2))
    everywhere = np.ones(len(centre))
    for xy, weight in ((centre, everywhere), (centre, inside * everywhere), (people_at, people)):
        zone = zones._at(xy)
        held = zone >= 0
        total = np.bincount(zone[held], weights=weight[held], minlength=n)
        for axis in (0, 1):
            sums = np.bincount(zone[held], weights=(weight * xy[:, axis])[held], minlength=n)
            middle[:, axis] = np.where(total > 0, sums / np.maximum(total, 1e-9), middle[:, axis])
    return middle


def _junctions(
    zones: Zones,
    middle: NDArray[np.float64],
    network: WalkNetwork,
    usable: NDArray[np.bool_],
    points: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the junction of each zone nearest to its middle; shape (z, 2)."""
    ends = np.concatenate([network.u[usable], network.v[usable]])
    degree = np.bincount(ends, minlength=network.n_nodes)
    found = np.full((len(zones), 2), np.nan)
    for candidates in (
        network.node_xy[degree >= 3],
        network.node_xy[degree >= 1],
        points,  # a zone that streets cross and where none ends
    ):
        there = _moved(candidates, network.crs, zones.frame)
        zone = zones._at(there)
        held = np.flatnonzero(zone >= 0)
        away = np.hypot(*(there[held] - middle[zone[held]]).T)
        # Of those equally near, the most westerly, then the most southerly: not by their order.
        x, y = candidates[held].T
        order = np.lexsort((y, x, np.round(away, 3), zone[held]))
        first = np.unique(zone[held][order], return_index=True)
        missing = np.isnan(found[first[0], 0])
        found[first[0][missing]] = candidates[held[order[first[1][missing]]]]
        if not np.isnan(found).any():
            break
    return found
