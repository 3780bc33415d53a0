"""Candidates: places of the user's own where a service could open, such as municipal buildings."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyproj
from numpy.typing import NDArray

from quart_heure.errors import InputFileError
from quart_heure.sources.projecting import transformer
from quart_heure.sources.raw_tables import read_raw_table
from quart_heure.sources.services.coordinates import locate_pairs, to_number
from quart_heure.sources.text_columns import RawTable
from quart_heure.sources.texts import fold

_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "candidate_id": ("candidate_id", "id", "identifiant", "code"),
    "name": ("name", "nom", "libelle", "label"),
    "cost": ("cost", "cout", "budget", "prix"),
    "longitude": ("longitude", "lon", "lng", "long", "x"),
    "latitude": ("latitude", "lat", "y"),
}
"""What a column may be called, in small letters without accents."""


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class CandidatePlaces:
    """Places where a service could open.

    Parameters
    ----------
    candidate_id, name
        Of each; the number of its row, and "", where the file has none.
    cost
        Of each, NaN where it is not known; shape (c,).
    xy
        In metres of the CRS asked for; shape (c, 2).
    problems
        Rows of a table of problems: those that were left out.
    """

    candidate_id: tuple[str, ...]
    name: tuple[str, ...]
    cost: NDArray[np.float64]
    xy: NDArray[np.float64]
    problems: tuple[Mapping[str, Any], ...] = ()


def read_candidates(path: Path, crs: pyproj.CRS) -> CandidatePlaces:
    """Read candidates from a table with coordinates in degrees, or from any vector layer.

    Parameters
    ----------
    path
        CSV, Excel, JSON, GeoJSON, GeoPackage, GeoParquet or shapefile. Columns ``candidate_id``,
        ``name`` and ``cost`` are optional.
    crs
        The CRS that is wanted, in metres.

    Raises
    ------
    InputFileError
        If the file is missing or unreadable, has no coordinates, or no row that can be placed, or
        an id stands twice.
    CrsError
        If its coordinates are not degrees and nothing says what they are.
    """
    table = read_raw_table(path)
    column = _columns_of(table)
    if table.degrees is not None:
        degrees = np.asarray(table.degrees)
    elif "longitude" in column and "latitude" in column:
        pairs = (table.column(column["longitude"]), table.column(column["latitude"]))
        degrees = np.asarray(locate_pairs(*pairs, where=path).degrees)
    else:
        msg = f"{path}: there are no columns of longitude and latitude."
        headings = ", ".join(table.headings) or "none"
        raise InputFileError(msg, hint=f"Columns are {headings}.")
    known: NDArray[np.bool_] = np.asarray(np.isfinite(degrees).all(axis=1))
    numbers = [str(number) for number in table.numbers]
    ids = _texts(table, column.get("candidate_id"), numbers)
    problems = [
        _problem(path, number, "coordinates", name, "no coordinates that can be read")
        for number, name, kept in zip(table.numbers, ids, known, strict=True)
        if not kept
    ]
    if not known.any():
        msg = f"{path}: no row has coordinates that can be read."
        raise InputFileError(msg, hint="Give longitude and latitude in degrees.")
    costs = np.array([to_number(text) for text in _texts(table, column.get("cost"))], dtype=float)
    costs = np.where(costs >= 0, costs, np.nan)
    move = transformer(4326, crs)
    xy = np.stack(move.transform(*degrees[known].T), axis=1)
    kept_ids = [one for one, kept in zip(ids, known, strict=True) if kept]
    twice = sorted({one for one in kept_ids if kept_ids.count(one) > 1})
    if twice:
        msg = f"{path}: the candidate {twice[0]!r} stands twice."
        raise InputFileError(msg, hint="Give each an id of its own.")
    names = _texts(table, column.get("name"))
    return CandidatePlaces(
        candidate_id=tuple(kept_ids),
        name=tuple(name for name, kept in zip(names, known, strict=True) if kept),
        cost=costs[known],
        xy=xy,
        problems=tuple(problems),
    )


def _columns_of(table: RawTable) -> dict[str, int]:
    headings = [fold(heading) for heading in table.headings]
    return {
        name: headings.index(next(word for word in words if word in headings))
        for name, words in _COLUMNS.items()
        if any(word in headings for word in words)
    }


def _texts(table: RawTable, column: int | None, missing: Sequence[str] = ()) -> list[str]:
    texts = [""] * len(table) if column is None else [t or "" for t in table.column(column)]
    texts = [text.strip() for text in texts]
    return [text or other for text, other in zip(texts, missing or texts, strict=True)]


def _problem(path: Path, row: int, field: str, value: str, reason: str) -> dict[str, Any]:
    told = {"file": path.name, "row": row, "field": field, "value": value}
    return {**told, "reason": reason, "action": "left out"}
