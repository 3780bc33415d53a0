"""Where a scenario puts services: refused off the streets, told where it changes nothing."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np
import shapely

from quart_heure.analysis.placement import OFF_NETWORK, OUTSIDE
from quart_heure.errors import StudyFileError
from quart_heure.study.changed import changed_services, find_service
from quart_heure.study.coverage import Coverage
from quart_heure.study.scenario import Scenario

if TYPE_CHECKING:
    import geopandas as gpd

_LOOKED_AT_M = (500.0, 2_000.0, 10_000.0)
"""How far the nearest street is looked for, to tell how far a place is from it."""


@dataclasses.dataclass(frozen=True)
class Note:
    """What of a scenario changes no figure.

    Parameters
    ----------
    why
        ``not_counted``: a service that closes or moves did not count. ``outside``: a service stands
        further from the area than anybody walks. ``not_asked``: the study does not look at the
        category. ``no_moment``: hours play no part in the study. ``capacity``: capacities make no
        difference to who is covered.
    about
        The service or category, where it is of one.
    """

    why: str
    about: str


def check_placed(base: Coverage, services: gpd.GeoDataFrame, scenario: Scenario) -> None:
    """Refuse a place that the scenario gives a service and that no street leads to."""
    lost = services["left_out_reason"].to_numpy(dtype=object) == OFF_NETWORK
    if not lost.any():
        return
    put = changed_services(base.study, scenario)
    ids, names = (services[n].to_numpy(dtype=object) for n in ("service_id", "name"))
    for at in np.flatnonzero(lost).tolist():
        # Others are off the streets as they were, or for another walker: that is a figure.
        if ids[at] in put:
            msg = f"Scenario {scenario.name!r}: no useful street within {base.study.snap_m:g} m "
            msg += f"of the place for {names[at]!r}: {_distance_told(base, services, at)}."
            raise StudyFileError(msg, hint="Put it beside a street of the network.")


def _distance_told(base: Coverage, services: gpd.GeoDataFrame, at: int) -> str:
    """Tell how far the nearest street is that one may reach on this side of water and walls."""
    doors = base.basis.doors
    xy = shapely.get_coordinates(services.geometry.to_numpy()[[at]])
    for within_m in _LOOKED_AT_M:
        found = dataclasses.replace(doors, snap_m=within_m).at(xy)
        if found.attached[0]:
            return f"the nearest is {found.nearest_m[0]:.0f} m away"
    return f"none is within {_LOOKED_AT_M[-1] / 1000:g} km"


def notes_of(base: Coverage, services: gpd.GeoDataFrame, scenario: Scenario) -> tuple[Note, ...]:
    """Tell what of a scenario changes no figure, and why."""
    table = base.study.services.table
    words = [*scenario.close, *(one.service for one in scenario.move)]
    found = [find_service(table, word, scenario.name) for word in words]
    ids = table["service_id"].to_numpy(dtype=object)
    names = table["name"].to_numpy(dtype=object)
    counted = set(base.services.loc[base.services["counted"].astype(bool), "service_id"])
    notes = [
        Note("not_counted", str(names[at] or ids[at])) for at in found if ids[at] not in counted
    ]
    put = changed_services(base.study, scenario)
    outside = services["left_out_reason"].to_numpy(dtype=object) == OUTSIDE
    for row in services[outside].itertuples():
        if row.service_id in put:
            # Of one that was given no name, the category says more than its id.
            unnamed = not row.name or row.name == row.service_id
            notes.append(Note("outside", str(row.category if unnamed else row.name)))
    unasked = [one.category for one in scenario.add if one.category not in base.study.categories]
    notes += [Note("not_asked", category) for category in dict.fromkeys(unasked)]
    hours = scenario.hours or any(one.hours for one in scenario.add)
    if hours and base.study.moment is None and scenario.at is None:
        notes.append(Note("no_moment", ""))
    if scenario.capacity:
        notes.append(Note("capacity", ""))
    return tuple(notes)
