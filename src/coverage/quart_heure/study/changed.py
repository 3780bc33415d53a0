"""Changed: the study as it would be in a scenario."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from quart_heure.errors import StudyFileError
from quart_heure.sources.hours.syntax import is_osm_hours
from quart_heure.sources.hours.text import hours_from_text
from quart_heure.sources.projecting import transformer
from quart_heure.sources.services.capacities import CAPACITY_UNITS
from quart_heure.sources.services.duplicates import name_key
from quart_heure.sources.texts import fold
from quart_heure.study.scenario import Add, Scenario
from quart_heure.study.study import Study

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

ADDED = "scenario"
"""Source of services that a scenario adds."""

_MOST_NEAR = 3
"""Names that are proposed for one that is not known."""


def changed_study(study: Study, scenario: Scenario) -> Study:
    """Return a study with the services of a scenario.

    Raises
    ------
    StudyFileError
        If a service is not known, its name is that of several, or a capacity has no known unit.
    CategoryError
        If a service of an unknown category is added.
    """
    table = study.services.table
    closed = [find_service(table, word, scenario.name) for word in scenario.close]
    moved = [find_service(table, one.service, scenario.name) for one in scenario.move]
    twice = [at for at in moved if at in closed or moved.count(at) > 1]
    if twice or len(set(closed)) < len(closed):
        at = (twice or [at for at in closed if closed.count(at) > 1])[0]
        msg = f"Scenario {scenario.name!r}: {table['name'].iat[at]!r} is closed or moved twice."
        raise StudyFileError(msg, hint="Name it once.")
    changed = table
    if moved or scenario.hours or scenario.capacity:
        changed = table.copy()
    if moved:
        points = changed.geometry.to_numpy().copy()
        places = [(one.lon, one.lat) for one in scenario.move]
        points[moved] = shapely.points(_metres(study, places))
        changed = changed.set_geometry(points, crs=table.crs)
    for hours in scenario.hours:
        at = find_service(table, hours.service, scenario.name)
        read = _read_hours(hours.hours, scenario.name)
        for column, told in (("opening_hours", read), ("opening_hours_text", hours.hours)):
            if column in changed.columns:
                changed.iloc[at, changed.columns.get_loc(column)] = told
    for size in scenario.capacity:
        at = find_service(table, size.service, scenario.name)
        unit = size.unit or str(table["capacity_unit"].iat[at])
        _check_unit(unit, scenario.name)
        changed.iloc[at, changed.columns.get_loc("capacity_value")] = size.value
        changed.iloc[at, changed.columns.get_loc("capacity_unit")] = unit
    if closed:
        changed = changed.drop(index=changed.index[closed])
    if scenario.add:
        changed = _with_added(study, changed, scenario)
    if changed is table:
        return study
    changed = changed.sort_values("service_id", kind="stable", ignore_index=True)
    # The first place of a category makes it judged, not one of those that composites are of: before
    # and after are of the same.
    catalogue = {
        name: dataclasses.replace(one, essential=one.essential and name not in study.unjudged)
        for name, one in study.catalogue.items()
    }
    services = dataclasses.replace(study.services, table=changed)
    return study.replace(services=services, catalogue=catalogue)


def changed_services(study: Study, scenario: Scenario) -> frozenset[str]:
    """Return the ids of the services that a scenario puts somewhere: those moved and those added.

    See `changed_study`, which refuses what cannot be.
    """
    table = study.services.table
    moved = [find_service(table, one.service, scenario.name) for one in scenario.move]
    ids = table["service_id"].to_numpy(dtype=object)
    return frozenset([*ids[moved], *_added_ids(study, scenario)])


def _added_ids(study: Study, scenario: Scenario) -> list[str]:
    taken = set(study.services.table["service_id"])
    found: list[str] = []
    for number in range(1, len(scenario.add) + 1):
        name = f"added-{number}"
        while name in taken:
            name += "-new"
        taken.add(name)
        found.append(name)
    return found


def find_service(table: pd.DataFrame, word: str, scenario: str) -> int:
    """Return the row of a service that may be shown, by its id, else by its whole name.

    Raises
    ------
    StudyFileError
        If there is none, or several. Discreet places are none, whatever they are called.
    """
    shown = np.flatnonzero(~table["discreet"].to_numpy(dtype=bool))
    ids = table["service_id"].to_numpy(dtype=object)[shown]
    by_id = np.flatnonzero(ids == word)
    if len(by_id) == 1:
        return int(shown[by_id[0]])
    names = [str(name) for name in table["name"].to_numpy(dtype=object)[shown]]
    key = name_key(word)
    found = [at for at, name in enumerate(names) if key and name_key(name) == key]
    if len(found) == 1:
        return int(shown[found[0]])
    if found:
        each = ", ".join(f"{ids[at]}" for at in found)
        msg = f"Scenario {scenario!r}: {len(found)} services are called {word!r}."
        raise StudyFileError(msg, hint=f"Give the id of one: {each}.")
    msg = f"Scenario {scenario!r}: unknown service {word!r}."
    hint = _near_hint(word, names) or _near_hint(word, [str(one) for one in ids])
    raise StudyFileError(msg, hint=hint or "Names are in services.csv of the results.")


def _near_hint(word: str, known: Sequence[str]) -> str:
    """Return a hint of the names that hold all words of one that is not known, else that are near.

    Parameters
    ----------
    known
        Names that may be told, "" for none.
    """
    spelt = {fold(name): name for name in sorted(known) if name}
    words = fold(word).split()
    near = [name for key, name in spelt.items() if words and all(one in key for one in words)]
    near = near or [
        spelt[one] for one in difflib.get_close_matches(fold(word), spelt, n=_MOST_NEAR)
    ]
    if not near:
        return ""
    more = ", …" if len(near) > _MOST_NEAR else ""
    return f"Did you mean {' or '.join(repr(name) for name in near[:_MOST_NEAR])}{more}?"


def _with_added(study: Study, table: gpd.GeoDataFrame, scenario: Scenario) -> gpd.GeoDataFrame:
    import geopandas as gpd  # noqa: PLC0415 - see the design: heavy imports wait
    import pandas as pd  # noqa: PLC0415

    rows: list[dict[str, Any]] = []
    for name, one in zip(_added_ids(study, scenario), scenario.add, strict=True):
        study.replace(categories=(one.category,))  # refuses an unknown one
        rows.append(_row(one, name, table.columns, scenario.name))
    points = shapely.points(_metres(study, [(one.lon, one.lat) for one in scenario.add]))
    added = gpd.GeoDataFrame(rows, geometry=points, crs=table.crs)
    kinds = {name: kind for name, kind in table.dtypes.items() if name != "geometry"}
    added = added[list(table.columns)].astype(kinds)
    return gpd.GeoDataFrame(pd.concat([table, added], ignore_index=True), crs=table.crs)


def _row(one: Add, name: str, columns: Sequence[str], scenario: str) -> dict[str, Any]:
    if one.capacity is not None:
        _check_unit(one.capacity_unit, scenario)
    known = {
        "service_id": name,
        "category": one.category,
        "name": one.name or name,
        "status": "open",
        "discreet": False,
        "access": "unknown",
        "animals": "unknown",
        "wheelchair": "unknown",
        "opening_hours": _read_hours(one.hours, scenario) if one.hours else "",
        "opening_hours_text": one.hours,
        "capacity_value": np.nan if one.capacity is None else float(one.capacity),
        "capacity_unit": one.capacity_unit,
        "source": ADDED,
    }
    return {column: known.get(column, "") for column in columns if column != "geometry"}


def _read_hours(text: str, scenario: str) -> str:
    """Return hours in OSM's syntax, which they are written in, or in words."""
    if is_osm_hours(text):
        return text
    read = hours_from_text(text)
    if not read.understood or not read.osm:
        msg = f"Scenario {scenario!r}: the hours {text!r} are not understood."
        raise StudyFileError(msg, hint="Write them as OpenStreetMap does: Mo-Fr 09:00-17:00.")
    return read.osm


def _check_unit(unit: str, scenario: str) -> None:
    if unit not in CAPACITY_UNITS:
        msg = f"Scenario {scenario!r}: a capacity is in {unit!r}."
        raise StudyFileError(msg, hint=f"Units: {', '.join(CAPACITY_UNITS)}.")


def _metres(study: Study, places: Sequence[tuple[float, float]]) -> Any:
    to_metres = transformer(4326, study.area.crs)
    return np.column_stack(to_metres.transform(*np.array(places, dtype=np.float64).T))
