"""Discretion: places that count in the walks and are never shown.

Where they count from is a public point (see `quart_heure.analysis.anchors`), so that no figure has
to be blurred here: what is left to take out are rows, names and ids. Every writer of this room
calls `publishable` at its door, so that no format can forget to. What readers are told of it,
`anchored_counts`, is read from the manifest, so that a folder of results says what its coverage
said.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import pandas as pd

from quart_heure.labels import UNKNOWN, word
from quart_heure.outputs.telling import naming_pattern, telling_nothing, telling_rows
from quart_heure.sources.services.own import own_of

if TYPE_CHECKING:
    import re

    import geopandas as gpd

    from quart_heure.study.coverage import Coverage
    from quart_heure.study.study import Study

__all__ = ["publishable"]

DISCREET = "discreet"
"""Stands for the identifier of a nearest service that is not shown."""

_Frame = TypeVar("_Frame", bound=pd.DataFrame)


def publishable(coverage: Coverage) -> Coverage:
    """Return the same coverage without the rows, names, ids and addresses of discreet places.

    Free texts of places that are shown are emptied where they have any of these; their own names
    and addresses stay.

    As a nearest service one is called `DISCREET`. Its minutes, cells, isochrones, gaps and counts
    stay: they are those of the public point that stands for it, unless the study is private, and
    then they are its owner's. In the sets of a week its place is empty; its hours were never told
    (an analysis takes those of discreet places as unknown). What was withheld is told in the
    manifest, as counts.

    Notes
    -----
    Publishing what is published changes nothing. A published coverage is for reading: analysing
    its study again would miss the places that were removed.
    """
    if "withheld" in coverage.manifest:
        return coverage
    hidden = _discreet(coverage.services)
    known = coverage.study.services.hidden
    ids = frozenset(hidden["service_id"]) | frozenset(
        _discreet(coverage.study.services.table)["service_id"]
    )
    named = pd.concat([hidden, known])
    telling = telling_rows(coverage.problems, named)
    unanchored = coverage.study.services.unanchored
    counted = hidden.loc[hidden["counted"], "category"].value_counts(sort=False)
    withheld = {
        "services": len(ids) + unanchored,
        "services_without_zone": unanchored,
        "problems": int(telling.sum()),
        "counted": {
            category: int(counted[category])
            for category in coverage.study.categories
            if category in counted
        },
    }
    return dataclasses.replace(
        coverage,
        study=_without(coverage.study, ids, named),
        entries=_rows(coverage.entries, ~coverage.entries["service_id"].isin(ids)),
        services=telling_nothing(
            _rows(coverage.services, ~coverage.services["service_id"].isin(ids)), named
        ),
        cells=_unnamed_cells(coverage.cells, ids),
        gaps=_unnamed_gaps(coverage.gaps, ids),
        gap_parts=_unnamed_gaps(coverage.gap_parts, ids),
        problems=_rows(coverage.problems, ~telling),
        manifest={**coverage.manifest, "withheld": withheld},
        week=None
        if coverage.week is None
        else coverage.week.without(
            np.flatnonzero(coverage.services["service_id"].isin(ids)).tolist()
        ),
    )


def telling_of(coverage: Coverage) -> re.Pattern[str] | None:
    """Return what is found in a text that names a discreet place; None where there is none.

    A published coverage knows of none any more.
    """
    return naming_pattern(pd.concat([_discreet(coverage.services), coverage.study.services.hidden]))


def hidden_counts(manifest: Mapping[str, Any]) -> dict[str, int]:
    """Return how many discreet places count, in the area and around it, by category."""
    counted: Mapping[str, int] = manifest.get("withheld", {}).get("counted", {})
    return dict(counted)


def anchored_counts(manifest: Mapping[str, Any]) -> dict[str, int]:
    """Return the same where they count from public points, and none of a private study.

    A district may count such a point for a place next door.
    """
    return {} if manifest.get("parameters", {}).get("private") else hidden_counts(manifest)


def _discreet(services: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    return services[services["discreet"].astype(bool)]


def _rows(frame: _Frame, keep: pd.Series[bool]) -> _Frame:
    # A fresh index, or its gaps would tell where the removed rows were.
    return frame[keep].reset_index(drop=True)


def without_own(coverage: Coverage) -> Coverage:
    """Return a coverage without the own columns of services, which are for those who work with it.

    They may hold names and telephones of people.
    """
    services = coverage.services
    return dataclasses.replace(coverage, services=services.drop(columns=own_of(services)))


def _unnamed_cells(cells: pd.DataFrame, ids: frozenset[str]) -> pd.DataFrame:
    unnamed: dict[str, Any] = {}
    for column in cells.columns:
        if not column.startswith("nearest_"):
            continue
        nearest = pd.Categorical(cells[column])
        hidden = nearest.categories.isin(ids)
        at_discreet = np.isin(nearest.codes, np.flatnonzero(hidden))
        # The list of words that a categorical carries is written with it, used or not: it would
        # tell which places there are.
        shown = nearest.remove_categories(nearest.categories[hidden])
        if at_discreet.any():
            shown = shown.add_categories([DISCREET])
            shown[at_discreet] = DISCREET
        unnamed[column] = shown
    return cells.assign(**unnamed)


def _unnamed_gaps(gaps: _Frame, ids: frozenset[str]) -> _Frame:
    at_discreet = gaps["nearest_service_id"].isin(ids)
    return gaps.assign(
        nearest_service_id=gaps["nearest_service_id"].mask(at_discreet, DISCREET),
        nearest_service_name=gaps["nearest_service_name"].mask(at_discreet, ""),
    )


def _without(study: Study, ids: frozenset[str], named: pd.DataFrame) -> Study:
    services = study.services
    table = _rows(services.table, ~services.table["service_id"].isin(ids))
    telling = telling_rows(services.problems, named)
    problems = _rows(services.problems, ~telling)
    return dataclasses.replace(
        study,
        services=dataclasses.replace(
            services,
            table=telling_nothing(table, named),
            left_out=services.left_out.iloc[:0],
            problems=problems,
            unplaced=_rows(services.unplaced, ~services.unplaced["discreet"].astype(bool)),
            rows={name: row for name, row in services.rows.items() if name not in ids},
        ),
    )


def nearest_name(row: Mapping[str, Any], lang: str) -> str:
    """Return how the nearest service of a gap is called: discreet and absent ones have no name."""
    if row["nearest_service_id"] == DISCREET:
        return word("discreet", lang)
    return str(row["nearest_service_name"] or row["nearest_service_id"] or UNKNOWN)
