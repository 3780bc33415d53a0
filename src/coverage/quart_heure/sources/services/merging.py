"""Merging: a place that several sources tell of becomes one service; where they differ is told.

Two rows are one place when they have one category, come from different sources, lie within
100 m of each other and are called alike. The most trusted row is kept, else the freshest, else the
first; what it does not know is filled in from the others.
"""

from __future__ import annotations

import dataclasses
import re
import unicodedata
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from quart_heure.schema import OWN
from quart_heure.sources.problems import problem_table
from quart_heure.sources.services.duplicates import DUPLICATE_M, find_duplicates
from quart_heure.sources.services.own import own_of
from quart_heure.sources.services.rows import SERVICE_COLUMNS
from quart_heure.sources.services.services import Services
from quart_heure.sources.services.source_dates import said_on

if TYPE_CHECKING:
    import geopandas as gpd

__all__ = ["merge_services"]

WITHIN_M = 100.0
"""Rows further apart than this are never one place."""

UNNAMED_WITHIN_M = 50.0
"""A row without a name of its own is the place of another within this distance."""

APART_M = 50.0
"""Sources that place a service further apart than this disagree."""

ALIKE = 80.0
"""Names at least this alike, of 100, are one name."""

_NEVER_FILLED = {
    *("service_id", "category", "discreet", "source", "source_date", "other_sources"),
}
_VALIDITY = ("valid_from", "valid_to")
_TOGETHER = (("capacity", "capacity_value", "capacity_unit"), _VALIDITY)
"""Columns that are filled from one source or not at all."""

_TELLING = ("service_id", "name", "address")
"""Columns that tell which place a row is."""

_SMALL_WORDS = frozenset(
    {
        *("de", "du", "des", "d", "la", "le", "les", "l", "et", "a", "au", "aux", "en"),
        *("the", "of", "paris", "municipal", "municipaux", "municipale"),
    }
)
_SAME_SOURCE = {"osm": "openstreetmap"}

_Row = dict[str, Any]


def merged_services(
    services: Services, *, trust: Sequence[str] = (), within_m: float | None = None
) -> Services:
    """Merge the services of a study; see `merge_services` for ``trust`` and ``within_m``."""
    table, problems, hidden = _merge(
        services.table,
        trust=tuple(trust),
        within_m=WITHIN_M if within_m is None else within_m,
        alike=ALIKE,
        rows=services.rows,
    )
    # A place that another source hides may have been told of before it was known to be one.
    before = services.problems
    whole = [re.compile(rf"(?<!\w){re.escape(word)}(?!\w)") for word in sorted(hidden)]
    telling = [any(word.search(value) for word in whole) for value in before["value"]]
    before = before.assign(value=before["value"].mask(np.array(telling, dtype=bool), ""))
    told = pd.concat([before, problems], ignore_index=True)
    return dataclasses.replace(services, table=table, problems=told)


def merge_services(
    tables: gpd.GeoDataFrame | Sequence[gpd.GeoDataFrame] | Mapping[str, gpd.GeoDataFrame],
    *,
    trust: Sequence[str] = (),
    within_m: float = WITHIN_M,
    alike: float = ALIKE,
) -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
    """Merge rows of several sources that are one place.

    Parameters
    ----------
    tables
        Services in one metric CRS: one table whose rows name their ``source``, or several; by name,
        where the rows do not say their source.
    trust
        Sources, the most trusted first: a row is of the first whose name occurs in its ``source``,
        in whatever case (``osm`` stands for OpenStreetMap too). Others come last.
    within_m
        Rows further apart are never merged.
    alike
        Least likeness of two names, of 100, words of the category left aside.

    Returns
    -------
    table
        The rows that are kept, ordered by service_id, with the sources of the rest in
        ``other_sources``.
    problems
        One row for each merge, with what was filled in, one for each disagreement (places more
        than 50 m apart, other hours, another status), and one for each row that lies within 30 m
        of a place of another source and is called otherwise.

    Notes
    -----
    The order of the rows does not matter, and merging the result changes nothing. A place that one
    source hides is discreet. Two rows of one source are two places, unless another source has one
    place that is like both.
    """
    table, problems, _ = _merge(tables, trust=trust, within_m=within_m, alike=alike)
    return table, problems


def _merge(
    tables: gpd.GeoDataFrame | Sequence[gpd.GeoDataFrame] | Mapping[str, gpd.GeoDataFrame],
    *,
    trust: Sequence[str],
    within_m: float,
    alike: float,
    rows: Mapping[str, tuple[str, int]] = MappingProxyType({}),
) -> tuple[gpd.GeoDataFrame, pd.DataFrame, set[str]]:
    """Merge; return also the words of all rows that went into a discreet place."""
    stacked, origin = _stack(tables)
    records = [_record(row, at, origin[at]) for at, row in enumerate(stacked.to_dict("records"))]
    for row in records:
        row["_file"], row["_row"] = rows.get(row["service_id"], (str(row["source"]), pd.NA))
    records.sort(key=lambda row: _rank(row, trust))
    problems: list[_Row] = []
    hidden: set[str] = set()
    # A name that was filled in may be like another one's: merge until nothing changes.
    while True:
        groups = _groups(records, within_m=within_m, alike=alike)
        kept = [_combine(head, others, problems) for head, others in groups]
        for row, (head, others) in zip(kept, groups, strict=True):
            if row["discreet"]:
                told = [str(r[c]) for r in (head, *others) for c in _TELLING]
                hidden.update(word for word in told if word)
        if len(kept) == len(records):
            break
        records = kept
    problems += _neighbours(kept)
    _number_ids(kept, problems)
    kept.sort(key=lambda row: str(row["service_id"]))
    table = stacked.iloc[[row["_at"] for row in kept]].reset_index(drop=True)
    for column in (column for column in stacked.columns if column != "geometry"):
        table[column] = pd.array([row[column] for row in kept], dtype=stacked[column].dtype)
    return table, problem_table(problems), hidden


def _stack(
    tables: gpd.GeoDataFrame | Sequence[gpd.GeoDataFrame] | Mapping[str, gpd.GeoDataFrame],
) -> tuple[gpd.GeoDataFrame, list[tuple[int, str]]]:
    """Put the tables one below the other; say of each row which table and name it comes from."""
    if isinstance(tables, Mapping):
        named = list(tables.items())
    elif isinstance(tables, pd.DataFrame):
        named = [("", tables)]
    else:
        named = [("", table) for table in tables]
    several = [table for _, table in named if len(table)] or [named[0][1]]
    stacked = several[0] if len(several) == 1 else pd.concat(several, ignore_index=True)
    blank = {c: "" for c in SERVICE_COLUMNS if c not in stacked}
    stacked = stacked.assign(
        **{**blank, **({"capacity_value": np.nan} if "capacity_value" in blank else {})}
    )
    if "discreet" in blank:
        stacked["discreet"] = False
    own = own_of(stacked)
    stacked[own] = stacked[own].fillna("").astype("str")
    origin = [(order, name) for order, (name, table) in enumerate(named) for _ in range(len(table))]
    return stacked.reset_index(drop=True), origin


def _record(row: Mapping[Any, Any], at: int, origin: tuple[int, str]) -> _Row:
    values = {str(key): value for key, value in row.items()}
    for column, value in values.items():
        if column in SERVICE_COLUMNS and column != "capacity_value" and not isinstance(value, bool):
            values[column] = "" if pd.isna(value) else value
    values["source"] = values["source"] or origin[1]
    values["_at"], values["_order"] = at, origin[0]
    return values


def _rank(row: _Row, trust: Sequence[str]) -> tuple[Any, ...]:
    """Order rows: trusted, then fresh, then first; then by all they say, so that none are equal."""
    source = _plain(row["source"])
    words = [_plain(word) for word in trust]
    trusted = next(
        (n for n, w in enumerate(words) if w in source or _SAME_SOURCE.get(w, w) in source),
        len(words),
    )
    said = said_on(str(row["source_date"]))
    freshness = 0 if said is None else -said.toordinal()
    rest = [str(row[column]) for column in SERVICE_COLUMNS]
    return trusted, freshness, row["_order"], str(row["service_id"]), row["geometry"].wkb, rest


def _groups(
    records: Sequence[_Row], *, within_m: float, alike: float
) -> list[tuple[_Row, list[_Row]]]:
    """Give each row, the best first, to the nearest kept row that is the same place."""
    candidates = _candidates(records, within_m=within_m, alike=alike)
    members: dict[int, list[int]] = {}
    for at, row in enumerate(records):
        heads = [
            (distance_m, -likeness, head)
            for distance_m, likeness, head in candidates.get(at, ())
            if head in members and records[head]["source"] != row["source"]
        ]
        if heads:
            members[min(heads)[2]].append(at)
        else:
            members[at] = []
    return [(records[head], [records[at] for at in others]) for head, others in members.items()]


def _candidates(
    records: Sequence[_Row], *, within_m: float, alike: float
) -> dict[int, list[tuple[float, float, int]]]:
    """Return for each row the earlier ones that are the same place: distance, likeness, row."""
    from rapidfuzz import fuzz  # noqa: PLC0415 - only where sources are merged

    points = np.array([row["geometry"] for row in records], dtype=object)
    names = [_own_name(row) for row in records]
    found: dict[int, list[tuple[float, float, int]]] = {}
    by_category: dict[str, list[int]] = {}
    for at, row in enumerate(records):
        by_category.setdefault(str(row["category"]), []).append(at)
    for positions in by_category.values():
        here = np.array(positions)
        tree = shapely.STRtree(points[here])
        one, other = tree.query(points[here], predicate="dwithin", distance=within_m)
        one, other = here[one], here[other]
        earlier = other < one
        one, other = one[earlier], other[earlier]
        for at, head, distance_m in zip(
            one.tolist(), other.tolist(), shapely.distance(points[one], points[other]), strict=True
        ):
            if names[at] and names[head]:
                likeness = fuzz.token_set_ratio(names[at], names[head])
            else:
                likeness = 100.0 if distance_m <= UNNAMED_WITHIN_M else 0.0
            if likeness >= alike:
                found.setdefault(at, []).append((float(distance_m), likeness, head))
    return found


def _combine(kept: _Row, others: Sequence[_Row], problems: list[_Row]) -> _Row:
    """Return a row with what the others know besides, and tell what they say otherwise."""
    row = dict(kept)
    row["discreet"] = bool(kept["discreet"]) or any(bool(other["discreet"]) for other in others)
    for other in others:
        filled = _fill(row, other)
        told = f"{other['service_id']}, {other['source']} → {kept['source']}"
        if filled:
            told += f" ({', '.join(filled)})"
        problems.append(
            _problem(row, other, "service_id", told, "same place in several sources", "merged")
        )
        for field, value, reason in _disagreements(kept, other):
            problems.append(_problem(row, other, field, value, reason, "the kept source holds"))
        known = [row["source"], *_split(row["other_sources"])]
        more = [s for s in (other["source"], *_split(other["other_sources"])) if s]
        row["other_sources"] = ";".join(
            dict.fromkeys([*known[1:], *(s for s in more if s not in known)])
        )
    return row


def _neighbours(rows: Sequence[_Row]) -> list[_Row]:
    """Tell which rows of two sources lie so near each other that they may be one place."""
    _, near = find_duplicates(
        [row["category"] for row in rows],
        [row["name"] for row in rows],
        [row["status"] for row in rows],
        shapely.get_coordinates([row["geometry"] for row in rows]).reshape(-1, 2),
    )
    told = []
    for row, at in zip(rows, near.tolist(), strict=True):
        other = rows[at]
        # No place is doubted for a discreet one near it, nor that one.
        shown = not (row["discreet"] or other["discreet"])
        if at >= 0 and row["source"] != other["source"] and shown:
            reason = f"less than {DUPLICATE_M:g} m from a place of another source"
            told.append(
                _problem(row, row, "duplicate", str(other["source"]), reason, "kept, to be checked")
            )
    return told


def _fill(row: _Row, other: _Row) -> list[str]:
    """Fill what a row does not know from another; return the names of the columns."""
    filled = []
    grouped = {column for group in _TOGETHER for column in group}
    names = (*SERVICE_COLUMNS, *(c for c in row if c.startswith(OWN)))
    alone = [(c,) for c in names if c not in _NEVER_FILLED | grouped]
    # Asked first: a status that is filled in was not said on the day of the row.
    reopened = _opened_again(row, other)
    for group in (*alone, *_TOGETHER):
        if group == _VALIDITY and reopened:
            continue
        if all(_unknown(row[c]) for c in group) and not all(_unknown(other[c]) for c in group):
            row.update({c: other[c] for c in group})
            filled.append(group[0])
    return filled


def _opened_again(row: _Row, other: _Row) -> bool:
    """Tell whether a row says that a place is open after the day on which another lets it end."""
    said, ended = said_on(str(row["source_date"])), str(other["valid_to"])
    return row["status"] == "open" and said is not None and "" < ended < said.isoformat()


def _disagreements(kept: _Row, other: _Row) -> list[tuple[str, str, str]]:
    found = []
    distance_m = float(shapely.distance(kept["geometry"], other["geometry"]))
    if distance_m > APART_M:
        found.append(("coordinates", f"{distance_m:.0f} m", "sources place it differently"))
    for field, reason in (
        ("opening_hours", "sources give other hours"),
        ("status", "sources give another status"),
    ):
        mine, its = (" ".join(str(row[field]).split()) for row in (kept, other))
        if not _unknown(mine) and not _unknown(its) and mine != its:
            found.append((field, f"{mine} / {its}", reason))
    return found


def _problem(row: _Row, other: _Row, field: str, value: str, reason: str, action: str) -> _Row:
    # Of a discreet place, not even the name: problems are shown with the results.
    shown = "" if row["discreet"] else " – ".join(v for v in (str(row["name"]), value) if v)
    return {
        "file": other["_file"],
        "row": other["_row"],
        "field": field,
        "value": shown[:200],
        "reason": reason,
        "action": action,
    }


def _number_ids(rows: Sequence[_Row], problems: list[_Row]) -> None:
    """Give a number to rows whose id another one has: tables made apart may share ids."""
    taken: set[str] = set()
    given = {str(row["service_id"]) for row in rows}
    for row in rows:
        base = name = str(row["service_id"])
        copy = 2
        while name in taken or (name != base and name in given):
            name, copy = f"{base}-{copy}", copy + 1
        if name != base:
            problems.append(_problem(row, row, "service_id", base, "id taken", f"renamed {name}"))
            row["service_id"] = name
        taken.add(name)


def _unknown(value: Any) -> bool:
    return value in {"", "unknown"} or (isinstance(value, float) and np.isnan(value))


def _split(text: str) -> list[str]:
    return [part.strip() for part in str(text).split(";") if part.strip()]


def _own_name(row: _Row) -> str:
    """Return the words of a name that are its own, not those of its category."""
    common = {word.rstrip("s") for word in _plain(str(row["category"])).split()}
    words = [word for word in _plain(str(row["name"])).split() if word not in _SMALL_WORDS]
    return " ".join(word for word in words if word.rstrip("s") not in common)


def _plain(text: str) -> str:
    """Return the words of a text in lower case, without accents and signs."""
    bare = unicodedata.normalize("NFKD", text.casefold())
    return " ".join(
        re.findall(r"[a-z0-9]+", "".join(c for c in bare if not unicodedata.combining(c)))
    )
