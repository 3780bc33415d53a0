"""Services: points with a category, read from files, with every doubtful row listed."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from quart_heure.categories import Category
from quart_heure.errors import CategoryError
from quart_heure.files import AnyPath
from quart_heure.sources.areas.areas import StudyArea
from quart_heure.sources.problems import LEFT_OUT, ProblemList, problem_table
from quart_heure.sources.services.category_rules import read_categories
from quart_heure.sources.services.coordinates import near_box
from quart_heure.sources.services.duplicates import DUPLICATE_M, find_duplicates, name_key
from quart_heure.sources.services.files import LONGEST_TEXT, read_source
from quart_heure.sources.services.mentions import TOLD_BY
from quart_heure.sources.services.own import kept_own, own_of, own_of_all
from quart_heure.sources.services.parts import (
    FILE,
    PART,
    ROW,
    GivenRows,
    ServicePart,
    put_in_schema,
    schema_frame,
    where,
)
from quart_heure.sources.services.rows import (
    SERVICE_COLUMNS,
    STATUSES,
)
from quart_heure.sources.services.settings import ServiceSource
from quart_heure.sources.services.uniting import APART, UNITED, unite

if TYPE_CHECKING:
    import geopandas as gpd

__all__ = ["STATUSES", "ServiceSource", "Services", "read_services"]


_MOST_PARTS = 20
"""Rows of one place that are kept side by side; a further one is compared with these alone."""


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Services:
    """Services and what was wrong with their sources.

    Parameters
    ----------
    table
        Columns `SERVICE_COLUMNS`, own columns of the files (see
        `quart_heure.sources.services.own`) and geometry: points in the CRS of the study, ordered
        by service_id.
    problems
        Columns `PROBLEM_COLUMNS`: every row that was refused or doubted.
    rows
        File and row, counted from 1 below the heading, by service_id, where they are known: what
        is found out later about a service is told of its row.
    unplaced
        Places that are known and have no coordinates: columns `SERVICE_COLUMNS`, ordered by
        category and name. Each is a row of the problems, too, unless it is placed by another row.
    anchored
        Ids of the discreet places that do not stand where they are (see
        `quart_heure.analysis.anchors`).
    unanchored
        Number of discreet places that were left out, having no zone to stand for them.
    left_out
        What they are called and their addresses, so that no other row tells of them: columns
        `TOLD_BY`.
    """

    table: gpd.GeoDataFrame
    problems: pd.DataFrame
    rows: Mapping[str, tuple[str, int]] = dataclasses.field(
        default_factory=lambda: MappingProxyType({})
    )
    unplaced: pd.DataFrame = dataclasses.field(default_factory=lambda: schema_frame({}))
    anchored: frozenset[str] = frozenset()
    unanchored: int = 0
    left_out: pd.DataFrame = dataclasses.field(default_factory=lambda: schema_frame({})[[*TOLD_BY]])

    @property
    def hidden(self) -> pd.DataFrame:
        """What all discreet places are called, and their addresses: columns `TOLD_BY`."""
        discreet = [
            pd.DataFrame(table[table["discreet"].astype(bool)]).reindex(columns=[*TOLD_BY])
            for table in (self.table, self.unplaced)
        ]
        return pd.concat([*discreet, self.left_out], ignore_index=True).fillna("").astype("str")

    def __repr__(self) -> str:
        """Tell how many there are; the tables hold which."""
        return (
            f"Services: {len(self.table):,} placed, {len(self.unplaced):,} without coordinates, "
            f"{len(self.problems):,} problems"
        )


def read_services(
    files: AnyPath | ServiceSource | Sequence[AnyPath | ServiceSource],
    area: StudyArea,
    *,
    catalogue: Mapping[str, Category],
    category: str | None = None,
    across_sources: bool = True,
) -> Services:
    """Read services from files.

    Parameters
    ----------
    files
        A path or several, or sources that say how a file is to be read; for formats see
        `ServiceSource`.
    area
        The study area: gives the CRS, tells swapped coordinates from foreign ones, and which number
        of a text is the latitude.
    catalogue
        Known categories.
    category
        Category of all rows of the files given as paths, where they have no such column.
    across_sources
        Whether rows of two sources may be one place; not where they are merged later.

    Raises
    ------
    InputFileError
        If a file is missing, unreadable, too large, or lacks coordinates or a category.
    CrsError
        If a layer of points has no CRS, or a table holds metres of which no CRS is given.
    CategoryError
        If no row at all has a category of the catalogue, or a setting names one that it has not.
    StudyFileError
        If a rule cannot be read.

    Notes
    -----
    Every row is in the table, or in the problems with the action ``left out`` or ``united with
    it``, once. Empty rows are no rows.
    """
    near = near_box(area)
    parts: list[ServicePart] = []
    if isinstance(files, str | os.PathLike | ServiceSource):
        files = [files]
    for file in files:
        source = (
            file
            if isinstance(file, ServiceSource)
            else ServiceSource(file=Path(file), category=category or "")
        )
        parts += read_source(source, near, catalogue)
    return _put_together(parts, area, catalogue, across_sources=across_sources)


def services_from_rows(
    rows: Sequence[Mapping[str, Any]], area: StudyArea, *, catalogue: Mapping[str, Category]
) -> Services:
    """Make a table of services from rows of text, with degrees as numbers under ``_lon``, ``_lat``.

    See `read_services` for the rest; ``_file`` and ``_row`` say where a row comes from.
    """
    headings = list(dict.fromkeys(str(key) for row in rows for key in row if key[:1] != "_"))
    degrees = np.array([[row["_lon"], row["_lat"]] for row in rows], dtype=float)
    given = GivenRows(
        texts={
            name: [str(row.get(name, "")).strip()[:LONGEST_TEXT] for row in rows]
            for name in headings
        },
        headings={name: name for name in headings},
        files=[str(row.get("_file", "")) for row in rows],
        numbers=[int(row.get("_row", i)) for i, row in enumerate(rows, start=1)],
        part="",
        degrees=degrees.reshape(-1, 2),
        shifted=np.zeros(len(rows), dtype=bool),
    )
    categories = read_categories(given.column("category"), catalogue)
    part = put_in_schema(given, categories, near_box(area), catalogue)
    return _put_together([part], area, catalogue)


def _put_together(
    parts: Sequence[ServicePart],
    area: StudyArea,
    catalogue: Mapping[str, Category],
    *,
    across_sources: bool = True,
) -> Services:
    """Stack the sources, list duplicates, and name each service."""
    import geopandas as gpd  # noqa: PLC0415 - see the note on imports in the package

    everything = [category for part in parts for category in part.categories]
    if everything and not any(part.known for part in parts):
        unknown = sorted({category[:40] for category in everything})
        msg = f"None of {len(everything)} services has a known category ({', '.join(unknown[:5])})."
        raise CategoryError(msg, hint=f"Categories are {', '.join(catalogue)}.")
    table = pd.concat([schema_frame({}), *(part.table for part in parts)], ignore_index=True)
    table, too_many = kept_own(table)
    # A file that names no source is one: sources of a place are told apart by their names.
    table["source"] = table["source"].where(table["source"] != "", table[FILE])
    degrees = np.concatenate([np.empty((0, 2)), *(part.degrees for part in parts)])
    frame = gpd.GeoDataFrame(table, geometry=shapely.points(degrees), crs=4326).to_crs(area.crs)
    frame, doubles = _without_duplicates(frame, across_sources=across_sources)
    frame, renamed = _name_uniquely(frame)
    origin = zip(map(where, frame[FILE], frame[PART]), frame[ROW], strict=True)
    rows = dict(zip(frame["service_id"], origin, strict=True))
    frame = frame[[*SERVICE_COLUMNS, *own_of(frame), "geometry"]]
    frame = frame.sort_values("service_id", ignore_index=True)
    told = [problem_table(), too_many, *(part.problems for part in parts), doubles, renamed]
    return Services(
        table=frame,
        problems=pd.concat(told, ignore_index=True),
        rows=rows,
        unplaced=_known_elsewhere([part.unplaced for part in parts], frame),
    )


def _known_elsewhere(parts: Sequence[pd.DataFrame], placed: pd.DataFrame) -> pd.DataFrame:
    """Return the rows without coordinates whose place no other row is, placed or not.

    Rows of one category and name are one place, unless their postcodes say otherwise.
    """
    table = pd.concat([schema_frame({}), *parts], ignore_index=True)
    table["source"] = table["source"].where(table["source"] != "", table[FILE])
    table = table.sort_values(["category", "name", "service_id", "source"], ignore_index=True)
    columns = ("category", "name", "postcode")
    seen: dict[tuple[str, str], list[str]] = {}
    for category, name, postcode in zip(*(placed[c].tolist() for c in columns), strict=True):
        seen.setdefault((category, name_key(name)), []).append(postcode)
    keep = []
    for category, name, postcode in zip(*(table[c].tolist() for c in columns), strict=True):
        key = category, name_key(name)
        codes = seen.setdefault(key, [])
        same = bool(key[1]) and any(code in {"", postcode} or not postcode for code in codes)
        keep.append(not same)
        codes.append(postcode)
    return table.loc[np.array(keep, dtype=bool), list(SERVICE_COLUMNS)].reset_index(drop=True)


def _without_duplicates(
    frame: gpd.GeoDataFrame, *, across_sources: bool
) -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
    """Keep one of the rows that have one category, status and name at one place.

    Rows of one file and source are parts of a place: they are united where they can be, see
    `quart_heure.sources.services.uniting`. Of rows of several sources the first is kept and names
    the sources of the others. Where the names differ, both are kept and the later is doubted. What
    is discreet in one of two rows is so in both. No place is doubted for a discreet one near it,
    nor that one: it would tell where it is.
    """
    kinds, sources = frame["category"].tolist(), frame["source"].tolist()
    same, near = find_duplicates(
        kinds if across_sources else list(zip(kinds, sources, strict=True)),
        frame["name"].tolist(),
        frame["status"].tolist(),
        shapely.get_coordinates(frame.geometry.to_numpy()).reshape(-1, 2),
    )
    discreet = frame["discreet"].to_numpy(dtype=bool).copy()
    np.logical_or.at(discreet, same[same >= 0], discreet[same >= 0])
    heads = same >= 0
    discreet[heads] |= discreet[same[heads]]
    frame = frame.assign(discreet=discreet)
    frame, same, united, apart = _with_parts(frame, same)
    near = np.where((near >= 0) & (discreet | discreet[near]), -1, near)
    first = np.maximum(np.maximum(same, near), apart)
    problems = _problems_of(frame, discreet | (discreet[first] & (first >= 0)))
    for partner, words, action in (
        (np.where(united, same, -1), "a part of {}", "united with it"),
        (np.where(united, -1, same), "the same place as {}", LEFT_OUT),
        (apart, "the same place as {}, other hours or conditions", "kept beside it"),
        (near, f"less than {DUPLICATE_M:g} m from {{}}", "kept, to be checked"),
    ):
        at = np.flatnonzero(partner >= 0)
        reasons = [
            words.format(_told_row(frame, other, hidden=bool(discreet[row] or discreet[other])))
            for row, other in zip(at.tolist(), partner[at].tolist(), strict=True)
        ]
        problems.add(at, "duplicate", (), reasons, action)
    if (same < 0).all():
        return frame, problems.table()
    frame = frame.assign(other_sources=_other_sources(frame, same), **own_of_all(frame, same))
    return frame[same < 0], problems.table()


def _told_row(frame: gpd.GeoDataFrame, row: int, *, hidden: bool) -> str:
    if hidden:
        return "another row"
    file = where(frame[FILE].iloc[row], frame[PART].iloc[row])
    return f"row {frame[ROW].iloc[row]} of {file}"


def _with_parts(
    frame: gpd.GeoDataFrame, same: NDArray[np.intp]
) -> tuple[gpd.GeoDataFrame, NDArray[np.intp], NDArray[np.bool_], NDArray[np.intp]]:
    """Unite rows that are parts of one place.

    Returns
    -------
    frame
        With what the parts say in the rows that are kept.
    same
        As before, -1 for rows that stay.
    united
        Which of the others became a part of the row that they are the same as.
    apart
        For each row that stays though it is the same place, the first row of it, else -1.
    """
    same, united = same.copy(), np.zeros(len(frame), dtype=bool)
    apart = np.full(len(frame), -1, dtype=np.intp)
    columns = [column for column in SERVICE_COLUMNS if column != "other_sources"]
    parts = np.flatnonzero(same >= 0)
    looked_at = np.unique(np.concatenate([parts, same[parts]])).tolist()
    given = dict(
        zip(looked_at, frame[[*columns, FILE]].iloc[looked_at].to_dict("records"), strict=True)
    )
    origin = {row: (one[FILE], one["source"], one["source_date"]) for row, one in given.items()}
    changed: dict[int, dict[str, Any]] = {}
    kept: dict[int, list[int]] = {}
    for row in parts.tolist():
        head = int(same[row])
        places = kept.setdefault(head, [head])
        if origin[row] != origin[head]:
            continue  # another source tells of the place, and the first one holds
        for place in places[:_MOST_PARTS]:
            outcome, both = unite(changed.get(place) or given[place], given[row])
            if outcome == APART:
                continue
            same[row] = place
            united[row] = outcome == UNITED
            if united[row]:
                changed[place] = both
            break
        else:
            apart[row], same[row] = head, -1
            places.append(row)
    for column in columns if changed else ():
        values = frame[column].tolist()
        for row, both in changed.items():
            values[row] = both[column]
        frame = frame.assign(**{column: pd.array(values, dtype=frame[column].dtype)})
    return frame, same, united, apart


def _other_sources(frame: gpd.GeoDataFrame, same: NDArray[np.intp]) -> list[str]:
    """Add to each row the sources of those that it stands for."""
    sources, others = frame["source"].tolist(), frame["other_sources"].tolist()
    named = {row: dict.fromkeys(filter(None, text.split(";"))) for row, text in enumerate(others)}
    for row in np.flatnonzero(same >= 0).tolist():
        first = int(same[row])
        for source in (sources[row], *others[row].split(";")):
            if source and source != sources[first]:
                named[first][source] = None
    return [";".join(names) for names in named.values()]


def _problems_of(frame: gpd.GeoDataFrame, discreet: NDArray[np.bool_]) -> ProblemList:
    return ProblemList(
        list(map(where, frame[FILE], frame[PART])),
        frame[ROW].tolist(),
        frame["name"].where(frame["name"] != "", frame["service_id"]).tolist(),
        discreet,
    )


def _name_uniquely(frame: gpd.GeoDataFrame) -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
    """Give an id to services that have none, and a number to those whose id was taken."""
    seen: set[str] = set()
    copies: dict[str, int] = {}
    ids, renamed = [], []
    columns = (frame[name].tolist() for name in ("service_id", "category", FILE, PART, ROW))
    for row, (key, category, file, part, number) in enumerate(zip(*columns, strict=True)):
        base = key or "-".join(filter(None, (category, file, part, str(number))))
        name = base
        while name in seen:
            copies[base] = copies.get(base, 1) + 1
            name = f"{base}-{copies[base]}"
        if name != base:
            renamed.append((row, base, name))
        seen.add(name)
        ids.append(name)
    hidden = frame["discreet"].to_numpy(dtype=bool)
    problems = _problems_of(frame, hidden)
    for row, base, name in renamed:
        told = "renamed" if hidden[row] else f"renamed {name}"
        problems.add([row], "service_id", {row: base}, "id taken", told)
    return frame.assign(service_id=pd.array(ids, dtype="str")), problems.table()
