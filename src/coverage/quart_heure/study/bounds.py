"""Bounds: the longest walk of a study, and numbers that none has or no computer works through."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import shapely

from quart_heure.analysis.statuses import BORDERLINE
from quart_heure.errors import StudyFileError
from quart_heure.network.slopes import LEAST_EFFORT
from quart_heure.profiles import WalkProfile

if TYPE_CHECKING:
    from quart_heure.analysis.week import Week
    from quart_heure.sources.areas.areas import StudyArea


THRESHOLD_MIN = 15.0
ISOCHRONES_MIN = (5.0, 10.0, 15.0, 20.0)
CELL_M = 25.0
"""What a study has by default: its threshold, the minutes of its isochrones, its cells."""

LONGEST_MIN = 240.0
"""Nobody asks what lies more than four hours away on foot; the streets taken grow with it."""

MOST_ISOCHRONES = 48
"""A line every five minutes of the longest walk: more are a surface, which the cells are."""

LEAST_SNAP_M, LONGEST_SNAP_M = 1.0, 5_000.0
LEAST_CELL_M = 1.0

MOST_CELLS = 20_000_000
"""Cells of the rectangle around an area. Those in it take hundreds of bytes each: beyond, no
usual computer holds them, and the system ends the run without a word."""


MOST_WEEK_ROWS = 1_048_575
"""Of the week in a file of text: a spreadsheet opens no more beside the heading."""


def check_number(
    name: str, number: float, *, least: float = 0.0, most: float = math.inf, unit: str = ""
) -> None:
    """Refuse a number that is not above zero and finite, too small or too large.

    Raises
    ------
    StudyFileError
        If it is.
    """
    # A whole number of TOML may have more digits than a float.
    if not 0 < number <= sys.float_info.max:
        # … and than Python writes out.
        told = "too large" if isinstance(number, int) and number > sys.float_info.max else number
        msg = f"{name} is {told}, which is not a positive number."
        raise StudyFileError(msg, hint="Minutes, metres and hectares are above zero.")
    if number < least:
        msg = f"{name} is {number:g}, less than {least:g} {unit}."
        raise StudyFileError(msg, hint=f"Give {least:g} {unit} or more.")
    if number > most:
        msg = f"{name} is {number:g}, more than {most:g} {unit}."
        raise StudyFileError(msg, hint=f"Give {most:g} {unit} or less.")


def check_walks(threshold_min: float, isochrones_min: Sequence[float]) -> None:
    """Refuse minutes that nobody walks, before the streets within them are looked for."""
    check_number("threshold_min", threshold_min, most=LONGEST_MIN, unit="minutes")
    if len(isochrones_min) > MOST_ISOCHRONES:
        msg = f"isochrones_min has {len(isochrones_min)} values, more than {MOST_ISOCHRONES}."
        raise StudyFileError(msg, hint="Give fewer; cells.parquet has the minutes of every cell.")
    for minutes in isochrones_min:
        # A whole number of TOML may have more digits than Python writes out.
        long = isinstance(minutes, int) and minutes > sys.float_info.max
        told = "" if long else f" {minutes}"
        check_number(f"isochrones_min{told}", minutes, most=LONGEST_MIN, unit="minutes")


def longest_walk_m(
    profile: WalkProfile,
    *,
    threshold_min: float,
    isochrones_min: Sequence[float] = ISOCHRONES_MIN,
    hilly: bool = False,
) -> float:
    """Return the metres of the longest walk that a figure or a drawing can depend on.

    The threshold, for a walker as fast as the borderline allows, or the longest isochrone; where
    there are slopes, all of it on the easiest one.
    """
    longest_min = max(threshold_min * (1 + BORDERLINE), *isochrones_min, 0.0)
    return profile.speed_m_per_min * longest_min / (LEAST_EFFORT if hilly else 1.0)


def cells_around(area: StudyArea, cell_m: float) -> float:
    """Count the cells of the rectangle around an area, from its sides alone."""
    west, south, east, north = shapely.bounds(area.geometry).tolist()
    return float(((east - west) / cell_m + 1) * ((north - south) / cell_m + 1))


def check_cells(area: StudyArea, cell_m: float) -> None:
    """Refuse cells so small that an area has more of them than can be held.

    Raises
    ------
    StudyFileError
        If they are; the message says which size would do.
    """
    check_number("cell_m", cell_m)
    count = cells_around(area, cell_m)
    if cell_m >= LEAST_CELL_M and count <= MOST_CELLS:
        return
    west, south, east, north = shapely.bounds(area.geometry).tolist()
    wide, high = east - west, north - south
    least = max(math.sqrt(wide * high / MOST_CELLS), (wide + high) / MOST_CELLS, LEAST_CELL_M)
    enough_m = math.ceil(least)
    while cells_around(area, enough_m) > MOST_CELLS:
        enough_m += 1
    msg = f"cell_m is {cell_m:g}: {area.name!r} would have {count:,.0f} cells around it."
    raise StudyFileError(msg, hint=f"Take cell_m = {enough_m:g} or more.")


def is_long(week: Week) -> bool:
    """Tell whether a week has more rows than a file of text takes."""
    return week.n_rows > MOST_WEEK_ROWS


def long_weeks(week: Week | None) -> list[dict[str, Any]]:
    """Tell of a week that is too long for a file of text, as rows of a table of problems."""
    if week is None or not is_long(week):
        return []
    return [
        {
            "file": "",
            "row": None,
            "field": "week",
            "value": f"{week.n_rows:,}",
            "reason": "the week has more rows than a spreadsheet opens",
            "action": "week.csv has the whole area alone, week.parquet each district too",
        }
    ]


def check_some_cell(area: StudyArea, cell_m: float) -> None:
    """Refuse an area between the centres of all cells, before a file of its people is blamed.

    Raises
    ------
    StudyFileError
        If it is; its sides alone are looked at.
    """
    west, south, east, north = shapely.bounds(area.geometry).tolist()
    for low, high in ((west, east), (south, north)):
        if math.floor(high / cell_m - 0.5) < math.ceil(low / cell_m - 0.5):
            raise no_cell(area, cell_m)


def no_cell(area: StudyArea, cell_m: float) -> StudyFileError:
    """Return the error of an area in which no cell has its centre."""
    west, south, east, north = shapely.bounds(area.geometry).tolist()
    size = f"{round(east - west, 2):g} m by {round(north - south, 2):g} m"
    msg = f"No cell of {cell_m:g} m has its centre in {area.name!r}, {size}."
    # Degrees that are called metres make an area of no size.
    hint = "Choose a smaller cell_m, or check the coordinate system of the districts."
    return StudyFileError(msg, hint=hint)
