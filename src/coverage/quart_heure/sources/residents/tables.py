"""Tables of residents by district: whose people each row counts, and where they live."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from quart_heure.errors import InputFileError
from quart_heure.sources.areas.areas import HELD_SHARE, StudyArea
from quart_heure.sources.areas.names import ID_COLUMNS, bare_name, plain_word

if TYPE_CHECKING:
    import geopandas as gpd


MOST_ROWS = 20
"""More rows than this with one fault are told in one row of problems."""


def people_by_name(
    table: pd.DataFrame, people: NDArray[np.float64], path: Path, area: StudyArea
) -> tuple[gpd.GeoDataFrame, NDArray[np.float64], list[Mapping[str, Any]]]:
    """Give the rows of a table to the districts, or the finer division, that they name."""
    divisions = (
        [area.districts] if area.subdistricts is None else [area.districts, area.subdistricts]
    )
    columns = [c for c in table if str(c).strip().lower() in {*ID_COLUMNS, "label", "name", "nom"}]
    best: tuple[int, Any, list[int]] = (0, None, [])
    for division in divisions:
        known: dict[str, int] = {}
        for words in (division["district_id"], division["label"]):
            for at, word in enumerate(words):
                known.setdefault(bare_name(str(word)), at)
        for column in columns:
            held = [known.get(bare_name(plain_word(word)), -1) for word in table[column]]
            if len({at for at in held if at >= 0}) > best[0]:
                best = (len({at for at in held if at >= 0}), division, held)
    if best[1] is None:
        msg = f"{path}: no row names a district of {area.name!r}."
        hint = f"Give the ids of the districts, such as {area.districts['district_id'].iloc[0]!r}."
        raise InputFileError(msg, hint=hint)
    division, holder = best[1], np.array(best[2])
    named = holder[holder >= 0]
    summed: NDArray[np.float64] = np.bincount(
        named, weights=people[holder >= 0], minlength=len(division)
    ).astype(np.float64)
    problems = []
    astray = int(np.count_nonzero(holder < 0))
    if astray:
        text = f"{astray} / {len(table)}"
        problems.append(
            resident_problem(path, None, "district", text, "in no district", "left out")
        )
    times = np.bincount(named, minlength=len(division))
    problems += _told_twice(division, times, path)
    for at in np.flatnonzero(times == 0).tolist():
        text = f"{division['district_id'].iloc[at]} – {division['label'].iloc[at]}"
        problems.append(
            resident_problem(path, None, "residents", text, "no number", "taken as zero")
        )
    return division, summed, problems


def _told_twice(
    division: gpd.GeoDataFrame, times: NDArray[np.intp], path: Path
) -> list[Mapping[str, Any]]:
    """Tell of districts that several rows name: parts of them, or one figure given twice."""
    several = np.flatnonzero(times > 1).tolist()
    if len(several) > MOST_ROWS:
        text = f"{len(several)} / {len(division)}"
        return [resident_problem(path, None, "district", text, "district twice", "rows added up")]
    names = [f"{division['district_id'].iloc[at]} ({times[at]})" for at in several]
    return [
        resident_problem(path, None, "district", name, "district twice", "rows added up")
        for name in names
    ]


def districts_of(
    division: gpd.GeoDataFrame, zones: NDArray[np.bool_], area: StudyArea
) -> NDArray[np.str_]:
    """Return the district that each of some zones of a division is, or is a part of, else ""."""
    if division is area.districts:
        return np.asarray(division["district_id"].to_numpy(dtype=str)[zones])
    parents = division["parent_id"].to_numpy(dtype=str)[zones]
    shapes = division.geometry.to_numpy()[zones]
    whole = dict(zip(area.districts["district_id"], area.districts.geometry, strict=True))
    held = shapely.area(shapely.intersection(shapes, [whole[parent] for parent in parents]))
    return np.where(held >= HELD_SHARE * shapely.area(shapes), parents, "")


def resident_problem(
    path: Path, row: int | None, field: str, value: str, reason: str, action: str
) -> Mapping[str, Any]:
    """Return the row of a table of problems that tells of a fault in a file of residents."""
    return {
        "file": path.name,
        "row": row,
        "field": field,
        "value": value[:200],
        "reason": reason,
        "action": action,
    }
