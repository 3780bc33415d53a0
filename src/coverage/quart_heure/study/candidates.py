"""Where a service could open: crossings on a mesh, services of other kinds, a user's places."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from quart_heure.analysis.siting.candidates import parts_of, streets_at, streets_beside
from quart_heure.analysis.siting.mesh import MESH_M, mesh_junctions
from quart_heure.errors import StudyFileError
from quart_heure.network.snapping import Attachment
from quart_heure.sources.candidates import read_candidates
from quart_heure.study.elsewhere import Elsewhere

MESH, SERVICES = "mesh", "services"
"""Candidates that need no file."""

LEAST_MESH_M, LONGEST_MESH_M = 25.0, 2000.0

_NAMED_WITHIN_M = 1000.0
"""A crossing of streets without names is told by the nearest that has one, and how far it is."""


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Candidates:
    """Places where a service could open.

    Parameters
    ----------
    table
        Columns candidate_id, name, street, crossing, quarter, district_id and cost (NaN where not
        known), in the order that decides between equals.
    xy
        Where they are, in metres; shape (c, 2).
    attachment
        Where they meet the streets.
    problems
        Rows of a table of problems: what was left out.
    """

    table: pd.DataFrame
    xy: NDArray[np.float64]
    attachment: Attachment
    problems: tuple[Mapping[str, Any], ...] = ()

    @functools.cached_property
    def position(self) -> dict[str, int]:
        """Position of each candidate by its id."""
        return {name: at for at, name in enumerate(self.table["candidate_id"])}


def candidates_of(
    elsewhere: Elsewhere, category: str, given: str | Path, *, mesh_m: float = MESH_M
) -> Candidates:
    """Return the candidates for a category.

    Parameters
    ----------
    elsewhere
        Streets and cells of a coverage.
    category
        What could open; services of it are no candidates.
    given
        `MESH`, `SERVICES`, or a file (see `quart_heure.sources.candidates`).
    mesh_m
        Side of the squares of the mesh.

    Raises
    ------
    StudyFileError
        If there is no candidate.
    """
    if given == MESH:
        found = _on_mesh(elsewhere, mesh_m)
    elif given == SERVICES:
        found = _at_services(elsewhere, category)
    else:
        found = _in_file(elsewhere, Path(given))
    if not len(found.table) and found.problems:
        # What was left out is in no table then: the first tells what they are like.
        first = found.problems[0]
        msg = (
            f"{first['file']}: none of its {len(found.problems)} places can be a candidate;"
            f" {first['value'] or 'the first'!r}: {first['reason']}."
        )
        raise StudyFileError(msg, hint="Check the coordinates, or give other candidates.")
    if not len(found.table):
        area = elsewhere.coverage.study.area.name
        msg = f"There is no candidate for {category!r} in {area!r}."
        raise StudyFileError(msg, hint="Give a file of candidates, or a finer mesh.")
    return found


def _on_mesh(elsewhere: Elsewhere, mesh_m: float) -> Candidates:
    if not LEAST_MESH_M <= mesh_m <= LONGEST_MESH_M:
        msg = f"A mesh of {mesh_m:g} m cannot be used."
        hint = f"Give {LEAST_MESH_M:g} to {LONGEST_MESH_M:g} metres."
        raise StudyFileError(msg, hint=hint)
    study, network = elsewhere.coverage.study, elsewhere.network
    nodes = mesh_junctions(
        network,
        study.area.geometry,
        usable=elsewhere.usable,
        mesh_m=mesh_m,
        avoided=elsewhere.closed_ground,
    )
    xy = network.node_xy[nodes]
    street, crossing = streets_at(network, nodes, elsewhere.usable)
    nameless = [at for at, name in enumerate(street) if not name]
    near = elsewhere.named_near(xy[nameless], _NAMED_WITHIN_M)
    for at, (name, metres) in zip(nameless, near, strict=True):
        street[at] = f"{name} ({metres:.0f} m)" if name else ""
    square = np.floor(xy / mesh_m).astype(np.int64)
    table = pd.DataFrame(
        {
            "candidate_id": [f"m{mesh_m:g}-c{c}-r{r}" for c, r in square.tolist()],
            "name": "",
            "street": street,
            "crossing": crossing,
        }
    )
    return _placed(elsewhere, table, xy, elsewhere.attach(xy))


def _at_services(elsewhere: Elsewhere, category: str) -> Candidates:
    services = elsewhere.coverage.services
    shown = services["counted"].astype(bool) & services["inside"].astype(bool)
    shown &= ~services["discreet"].astype(bool) & (services["category"] != category)
    here = services[shown]
    xy = shapely.get_coordinates(here.geometry.to_numpy()).reshape(-1, 2)
    table = pd.DataFrame(
        {
            "candidate_id": here["service_id"].astype(str).tolist(),
            "name": here["name"].astype(str).tolist(),
        }
    )
    return _beside_streets(elsewhere, table, xy, ())


def _in_file(elsewhere: Elsewhere, path: Path) -> Candidates:
    places = read_candidates(path, elsewhere.coverage.study.area.crs)
    table = pd.DataFrame(
        {"candidate_id": places.candidate_id, "name": places.name, "cost": places.cost}
    )
    found = _beside_streets(elsewhere, table, places.xy, places.problems)
    lost = set(places.candidate_id) - set(found.table["candidate_id"])
    snap_m = elsewhere.coverage.study.snap_m
    off = [
        {
            "file": path.name,
            "row": None,
            "field": "coordinates",
            "value": name,
            "reason": f"no useful street within {snap_m:g} m",
            "action": "left out",
        }
        for name in places.candidate_id
        if name in lost
    ]
    return dataclasses.replace(found, problems=(*places.problems, *off))


def _beside_streets(
    elsewhere: Elsewhere,
    table: pd.DataFrame,
    xy: NDArray[np.float64],
    problems: tuple[Mapping[str, Any], ...],
) -> Candidates:
    """Leave out the places off the streets, and name the others by the street they stand on."""
    attachment = elsewhere.attach(xy)
    on = np.flatnonzero(attachment.attached)
    table, xy, attachment = table.iloc[on].reset_index(drop=True), xy[on], attachment[on]
    edge, offset_m = elsewhere.nearest_of(attachment)
    street, crossing = streets_beside(elsewhere.network, edge, offset_m, elsewhere.usable)
    nameless = [at for at, name in enumerate(street) if not name]
    for at, name in zip(nameless, elsewhere.streets_near(xy[nameless]), strict=True):
        street[at] = name
    table = table.assign(street=street, crossing=crossing)
    found = _placed(elsewhere, table, xy, attachment)
    return dataclasses.replace(found, problems=problems)


def _placed(
    elsewhere: Elsewhere, table: pd.DataFrame, xy: NDArray[np.float64], attachment: Attachment
) -> Candidates:
    parts = parts_of(elsewhere.coverage.study.area, xy)
    table = table.assign(quarter=parts["quarter"], district_id=parts["district_id"])
    if "cost" not in table:
        table["cost"] = np.nan
    return Candidates(table=table, xy=xy, attachment=attachment)
