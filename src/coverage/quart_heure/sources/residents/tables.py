"""Tables of people by district: what a count is, whose people each row counts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from quart_heure.errors import InputFileError
from quart_heure.sources.areas.areas import HELD_SHARE, StudyArea
from quart_heure.sources.areas.names import (
    ID_COLUMNS,
    LABEL_COLUMNS,
    known_names,
    positions_of,
    several_named,
)
from quart_heure.sources.problems import CHOSEN
from quart_heure.sources.residents.residents import MOST_PEOPLE
from quart_heure.sources.texts import plain_word

if TYPE_CHECKING:
    import geopandas as gpd


MOST_ROWS = 20
"""More rows than this with one fault are told in one row of problems."""

NAME_COLUMNS = (*ID_COLUMNS, *LABEL_COLUMNS, "district", "arrondissement", "area")
"""Columns that name districts in usual tables."""

_SPACES = re.compile(r"[\s'’]+")
"""Those of French thousands, which do not break, and the apostrophes of Swiss ones."""

_ENGLISH = re.compile(r"-?[1-9]\d{0,2}(,\d{3})+(\.\d+)?")
_POINTED = re.compile(r"-?[1-9]\d{0,2}(\.\d{3})+(,\d+)?")
"""No number of thousands begins with a zero: 0,250 is a quarter."""


class Counts(NamedTuple):
    """The counts of a column.

    Parameters
    ----------
    numbers
        NaN where there is none, or more than any country has; what is negative is kept, for its
        reader to tell.
    thousands
        Positions whose sign was taken as one between thousands.
    sign
        Which sign that is: ``comma`` or ``point``.
    """

    numbers: NDArray[np.float64]
    thousands: list[int]
    sign: str


def read_counts(texts: Iterable[str], *, written: bool = True) -> Counts:
    """Read the counts of a column as tables write them: spaces, decimals, thousands.

    Parameters
    ----------
    texts
        Of the column.
    written
        Whether people wrote them. What a file holds as numbers has no thousands.

    Notes
    -----
    Commas are English thousands if each comma of the column can be one, and points those of other
    tongues if each point can: a single "2,5" or "2.5" makes all of them decimals. Columns whose
    commas and points could both be, are read as English.

    Examples
    --------
    >>> [read_counts(texts).numbers.tolist() for texts in (["1,234", "500"], ["1,234", "2,5"])]
    [[1234.0, 500.0], [1.234, 2.5]]
    >>> [read_counts(texts).numbers.tolist() for texts in (["8.100", "500"], ["8.100", "2.5"])]
    [[8100.0, 500.0], [8.1, 2.5]]
    """
    plain = [_SPACES.sub("", text) for text in texts]
    commas = [at for at, text in enumerate(plain) if "," in text]
    points = [at for at, text in enumerate(plain) if "." in text]
    english = all(_ENGLISH.fullmatch(plain[at]) for at in commas)
    pointed = written and bool(points) and all(_POINTED.fullmatch(plain[at]) for at in points)
    if pointed and not (english and commas):
        read = [_number(text.replace(".", "").replace(",", ".")) for text in plain]
        return Counts(np.array(read, dtype=np.float64), points, "point")
    read = [_number(text.replace(",", "" if english else ".")) for text in plain]
    return Counts(np.array(read, dtype=np.float64), commas if english else [], "comma")


def thousands_told(counts: Counts) -> tuple[str, str]:
    """Return reason and action of the problem that tells how a column's thousands were read."""
    return f"{counts.sign} between thousands, or decimals", f"{CHOSEN}thousands"


def why_no_count(number: float) -> str:
    """Return the reason of a problem: why a number counts nobody."""
    return "negative" if number < 0 else "not a number"


def _number(text: str) -> float:
    # Python reads 1_000 as a number, which no table means.
    try:
        number = float("nan" if "_" in text else text)
    except ValueError:
        return float("nan")
    return number if number <= MOST_PEOPLE else float("nan")


def rows_named(
    columns: Mapping[str, Sequence[str]], division: gpd.GeoDataFrame, path: Path
) -> list[int]:
    """Return the position of the district that each row of a table names, -1 for none.

    Parameters
    ----------
    columns
        Words of the columns that may name districts.
    division
        The districts: district_id and label.
    path
        Named in errors.

    Raises
    ------
    InputFileError
        If a row names several districts: by one word, or by the words of two columns that name
        about as many districts each.
    """
    ids, labels = division["district_id"].tolist(), division["label"].tolist()
    known = known_names(ids, labels)
    named = {name: [positions_of(word, known) for word in words] for name, words in columns.items()}
    reach = {name: len(set(found) - {()}) for name, found in named.items()}
    most = max(reach.values(), default=0)
    # A column that names few of them beside another is about something else, such as parents.
    telling = [name for name in sorted(reach, key=lambda n: -reach[n]) if reach[name] >= 0.8 * most]
    holders = []
    for row in range(len(named[telling[0]]) if most else 0):
        said = {name: named[name][row] for name in telling if named[name][row]}
        common = set.intersection(*map(set, said.values())) if said else set()
        if len(common) == 1 or not said:
            holders.append(next(iter(common), -1))
            continue
        where = f"{path}, row {row + 1}"
        if common:
            word = columns[next(iter(said))][row]
            raise several_named(word, sorted(common), ids, labels, where)
        told = ", ".join(
            f"{name} {columns[name][row]!r} is {labels[at[0]]!r}" for name, at in said.items()
        )
        msg = f"{where}: its columns name several districts: {told}."
        raise InputFileError(msg, hint="Leave out the column that numbers something else.")
    return holders if most else [-1] * len(next(iter(columns.values()), ()))


def people_by_name(
    table: pd.DataFrame, people: NDArray[np.float64], path: Path, area: StudyArea
) -> tuple[gpd.GeoDataFrame, NDArray[np.float64], list[Mapping[str, Any]]]:
    """Give the rows of a table to the districts, or the finer division, that they name."""
    divisions = (
        [area.districts] if area.subdistricts is None else [area.districts, area.subdistricts]
    )
    columns = {
        str(c): [plain_word(word) for word in table[c]]
        for c in table
        if str(c).strip().lower() in NAME_COLUMNS
    }
    rows = [rows_named(columns, division, path) for division in divisions]
    # The finer division is meant only by a table that names more of its parts.
    division, found = max(
        zip(divisions, rows, strict=True), key=lambda one: len({at for at in one[1] if at >= 0})
    )
    holder = np.array(found, dtype=np.intp)
    if not (holder >= 0).any():
        msg = f"{path}: no row names a district of {area.name!r}."
        hint = f"Give the ids of the districts, such as {area.districts['district_id'].iloc[0]!r}."
        raise InputFileError(msg, hint=hint)
    named_by = holder[holder >= 0]
    summed: NDArray[np.float64] = np.bincount(
        named_by, weights=people[holder >= 0], minlength=len(division)
    ).astype(np.float64)
    problems = []
    astray = int(np.count_nonzero(holder < 0))
    if astray:
        text = f"{astray} / {len(table)}"
        problems.append(
            resident_problem(path, None, "district", text, "in no district", "left out")
        )
    times = np.bincount(named_by, minlength=len(division))
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
