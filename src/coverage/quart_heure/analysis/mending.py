"""Mending: whose answer a doubtful place or street may change, at most, if it were mended.

What nobody can say without walking there is left unknown: a figure here is an upper end, counted
cell by cell as the figures of a study are.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import shapely
from numpy.typing import NDArray

from quart_heure.analysis.basis import Basis
from quart_heure.network.findings import Finding, MissedJunction
from quart_heure.network.limits import within
from quart_heure.network.snapping import Attachment

_MOST_JUNCTIONS = 1_000
"""Missing junctions searched one by one, those first that shorten a walk most."""

_NO_CELLS = np.empty(0, dtype=np.intp)
_NOWHERE = frozenset({"service_off_network", "service_on_island"})


def with_what_they_move(
    findings: Iterable[Finding], basis: Basis, *, snap_m: float, placed: dict[str, str]
) -> list[Finding]:
    """Return findings with the people and hectares whose answer they may change.

    Parameters
    ----------
    findings
        Those of a check.
    basis
        Of an analysis for any time and for everybody.
    snap_m
        Cells further than this from a street are off the network.
    placed
        Categories of services, by their ids: of those that count nowhere, too.

    Notes
    -----
    A service without a street: who lacks its category and lives within the threshold as the crow
    flies. One whose access is doubtful: who has no other. A small part: who is off the network and
    would meet it. A missing junction: of the category to which it would bring most people, those
    who would be within the threshold by it. Districts that overlap: who lives where.
    """
    given = list(findings)
    junctions = dict(_joined(given, basis))
    return [_moving(one, junctions.get(at), basis, snap_m, placed) for at, one in enumerate(given)]


def _moving(
    one: Finding,
    joined: tuple[str, NDArray[np.intp]] | None,
    basis: Basis,
    snap_m: float,
    placed: dict[str, str],
) -> Finding:
    """Return a finding with what it may move, where that is known."""
    cells, detail = basis.cells, one.detail
    if one.kind in _NOWHERE and placed.get(one.service_id) in basis.minutes:
        category = placed[one.service_id]
        lacks = basis.on_network & ~within(basis.minutes[category], basis.threshold_min)
        reach_m = basis.threshold_min * basis.doors.graph.speed_m_per_min
        place = _near(one.geometry, lacks, basis, reach_m)
        detail += f" It counts nowhere; so many lack {category} within {reach_m:.0f} m of it."
    elif one.kind == "service_across_barrier":
        mine = np.flatnonzero((basis.services["service_id"] == one.service_id).to_numpy())
        if not len(mine):
            return one
        place = basis.reach.of(int(mine[0]))[0].astype(np.intp)
        place = place[basis.single[basis.services["category"].iloc[mine[0]]][place]]
    elif one.part:
        lost = cells.inside & ~cells.attachment.attached
        lines = shapely.union_all(basis.doors.network.lines[np.array(one.part)])
        place = _near(lines, lost, basis, snap_m)
    elif one.kind == "district_overlap":
        x, y = cells.centre_xy.T
        place = np.flatnonzero(cells.inside & shapely.contains_xy(one.geometry, x, y))
    elif joined is not None:
        category, place = joined
        detail += f" Joined, so many more would have {category} within the threshold."
    else:
        return one
    people = np.nan if basis.people is None else float(basis.people[place].sum())
    if not len(place) or people == 0:
        detail = one.detail
    return dataclasses.replace(one, detail=detail, residents=people, ha=len(place) * cells.cell_ha)


def _near(
    shape: shapely.Geometry, wanted: NDArray[np.bool_], basis: Basis, metres: float
) -> NDArray[np.intp]:
    """Return the wanted cells whose centre lies within some metres of a shape."""
    at = np.flatnonzero(wanted)
    xy = basis.cells.centre_xy[at]
    west, south, east, north = shapely.bounds(shape)
    box = (xy >= (west - metres, south - metres)) & (xy <= (east + metres, north + metres))
    at, xy = at[box.all(axis=1)], xy[box.all(axis=1)]
    near: NDArray[np.intp] = at[shapely.dwithin(shapely.points(xy), shape, metres)]
    return near


def _joined(
    findings: Sequence[Finding], basis: Basis
) -> Iterator[tuple[int, tuple[str, NDArray[np.intp]]]]:
    """Give what each missing junction would bring: the category that gains most, and the cells.

    Those of which too many others save more are not given: nobody looked.
    """
    at = [n for n, one in enumerate(findings) if one.junction is not None]
    ends = [one.junction for one in findings if one.junction is not None]
    if not ends:
        return
    graph, limit = basis.doors.graph, basis.threshold_min
    gap_min = np.array([end.gap_m for end in ends]) / graph.speed_m_per_min
    # Either side of a junction may be the one that is far from services.
    sides = _sides(ends)
    by = {
        category: np.stack([graph.times(services, side, limit_min=limit).minutes for side in sides])
        for category in basis.categories
        if len(services := basis.doors.at(basis.xy[basis.of_category(category)]))
    }
    if not by:
        return
    # What is left of the threshold once the junction is crossed to the other side.
    left = {category: limit - (minutes[::-1] + gap_min) for category, minutes in by.items()}
    saved = np.max(
        [
            np.where(left[each] > 0, np.minimum(by[each], 2 * limit) - limit, -limit) + left[each]
            for each in by
        ],
        axis=0,
    )
    far = saved.argmax(axis=0)
    most = saved.max(axis=0)
    yield from ((at[one], ("", _NO_CELLS)) for one in np.flatnonzero(~(most > 0)).tolist())
    worth = np.argsort(-most, kind="stable")[: np.count_nonzero(most > 0)][:_MOST_JUNCTIONS]
    if not len(worth):
        return
    chosen = [sides[far[one]][np.array([one])] for one in worth.tolist()]
    reach = basis.doors.reach(Attachment.one_after_the_other(chosen), limit_min=limit)
    for number, one in enumerate(worth.tolist()):
        cell, minutes = reach.of(number)
        gains: dict[str, NDArray[np.intp]] = {}
        for category in by:
            lacks = ~within(basis.minutes[category][cell], limit) & basis.on_network[cell]
            gained = lacks & (minutes <= left[category][far[one], one])
            gains[category] = cell[gained].astype(np.intp)
        best = max(gains, key=lambda each: _people(gains[each], basis))
        yield at[one], (best, gains[best])


def _people(cells: NDArray[np.intp], basis: Basis) -> float:
    return float(len(cells) if basis.people is None else basis.people[cells].sum())


def _sides(ends: Sequence[MissedJunction]) -> tuple[Attachment, Attachment]:
    """Return the dead ends, and the places on the streets that they do not join."""
    place, nothing = np.arange(len(ends)), np.zeros(len(ends))
    own = np.array([end.own for end in ends]), np.array([end.own_m for end in ends])
    street = np.array([end.edge for end in ends]), np.array([end.along_m for end in ends])
    return tuple(  # type: ignore[return-value]
        Attachment.of_entries(place, edge, along_m, nothing, n_places=len(ends))
        for edge, along_m in (own, street)
    )
