"""Discretion: places that count in the times and are never shown.

Every writer of this room calls `publishable` at its door, so that no format can forget to.
"""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import pandas as pd
import pyproj

if TYPE_CHECKING:
    import geopandas as gpd

    from quart_heure.study import Coverage, Study

__all__ = ["DISCREET", "ROUND_MIN", "publishable"]

DISCREET = "discreet"
"""Stands for the identifier of a nearest service that is not shown."""

ROUND_MIN = 5.0
"""Minutes to a discreet place are rounded up to a multiple of this."""

_COORDINATE_TOLERANCE_DEG = 1e-3

_Frame = TypeVar("_Frame", bound=pd.DataFrame)


def publishable(coverage: Coverage) -> Coverage:
    """Return the same coverage without anything that points at a discreet place.

    Its rows leave the services and the problems; as a nearest service it is called `DISCREET`.
    Minutes to it are those of the threshold where they are within it, else the next multiple of
    `ROUND_MIN`: rings of a few minutes around one place would be a bull's-eye, while statuses,
    shares and gaps stay true. For the same reason isochrones below the threshold are withheld for
    a category that counts a discreet place. What was withheld is told in the manifest, as counts.

    Notes
    -----
    Publishing what is published changes nothing. A published coverage is for reading: analysing
    its study again would miss the places that were removed.
    """
    hidden = _discreet(coverage.services)
    known = _discreet(coverage.study.services.table)
    if hidden.empty and known.empty and "withheld" in coverage.manifest:
        return coverage
    ids = frozenset(hidden["service_id"]) | frozenset(known["service_id"])
    threshold = coverage.study.threshold_min
    categories = frozenset(hidden["category"])
    cells = _blur_cells(coverage.cells, ids, categories, threshold)
    gaps = _blur_gaps(coverage.gaps, ids)
    counted = frozenset(hidden.loc[hidden["counted"], "category"])
    too_sharp = coverage.isochrones["category"].isin(counted) & (
        coverage.isochrones["threshold_min"] < threshold
    )
    telling = _naming_rows(coverage.problems, pd.concat([hidden, known]))
    withheld = {
        "services": len(ids),
        "isochrones": int(too_sharp.sum()),
        "problems": int(telling.sum()),
        "gaps_blurred": int(gaps["nearest_service_id"].eq(DISCREET).sum()),
    }
    return dataclasses.replace(
        coverage,
        study=_without(coverage.study, ids),
        services=_rows(coverage.services, ~coverage.services["service_id"].isin(ids)),
        cells=cells,
        gaps=gaps,
        isochrones=_rows(coverage.isochrones, ~too_sharp),
        problems=_rows(coverage.problems, ~telling),
        manifest={**coverage.manifest, "withheld": withheld},
    )


def _discreet(services: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    return services[services["discreet"].astype(bool)]


def _rows(frame: _Frame, keep: pd.Series[bool]) -> _Frame:
    # A fresh index, or its gaps would tell where the removed rows were.
    return frame[keep].reset_index(drop=True)


def _blur_cells(
    cells: pd.DataFrame, ids: frozenset[str], categories: frozenset[str], threshold_min: float
) -> pd.DataFrame:
    blurred: dict[str, Any] = {}
    for category in sorted(categories):
        if f"nearest_{category}" not in cells:
            continue
        nearest, minutes = cells[f"nearest_{category}"], cells[f"minutes_{category}"]
        at_discreet = nearest.isin(ids)
        rounded = np.where(minutes <= threshold_min, threshold_min, _round_up(minutes))
        blurred[f"minutes_{category}"] = minutes.mask(at_discreet, rounded)
        blurred[f"nearest_{category}"] = nearest.astype("str").mask(at_discreet, DISCREET)
    return cells.assign(**blurred)


def _blur_gaps(gaps: gpd.GeoDataFrame, ids: frozenset[str]) -> gpd.GeoDataFrame:
    at_discreet = gaps["nearest_service_id"].isin(ids)
    minutes = {
        column: gaps[column].mask(at_discreet, _round_up(gaps[column]))
        for column in ("minutes_min", "minutes_median", "minutes_max")
    }
    return gaps.assign(
        **minutes,
        nearest_service_id=gaps["nearest_service_id"].mask(at_discreet, DISCREET),
        nearest_service_name=gaps["nearest_service_name"].mask(at_discreet, ""),
    )


def _round_up(minutes: pd.Series[float]) -> pd.Series[float]:
    rounded = np.ceil(minutes.to_numpy(dtype=float) / ROUND_MIN) * ROUND_MIN
    return pd.Series(rounded, index=minutes.index)


def _naming_rows(problems: pd.DataFrame, hidden: gpd.GeoDataFrame) -> pd.Series[bool]:
    """Tell which problems name a place by its id, name or address, or hold its coordinates."""
    telling = pd.Series(False, index=problems.index)
    if problems.empty or hidden.empty:
        return telling
    text = problems[["field", "value", "reason", "action"]].astype("str").agg(" ".join, axis=1)
    text = text.str.casefold()
    for column in ("service_id", "name", "address"):
        for words in hidden[column].astype("str").str.strip().str.casefold().unique():
            if words:
                telling |= text.str.contains(rf"(?<!\w){re.escape(words)}(?!\w)")
    return telling | _holds_coordinates(text, hidden)


def _holds_coordinates(text: pd.Series[str], hidden: gpd.GeoDataFrame) -> pd.Series[bool]:
    """Tell which texts hold a longitude or a latitude of one of the places."""
    to_degrees = pyproj.Transformer.from_crs(hidden.crs, 4326, always_xy=True)
    lon, lat = to_degrees.transform(hidden.geometry.x.to_numpy(), hidden.geometry.y.to_numpy())
    degrees = np.concatenate([lon, lat])
    numbers = text.str.findall(r"-?\d+\.\d{2,}")
    return pd.Series(
        [
            any((np.abs(degrees - float(n)) < _COORDINATE_TOLERANCE_DEG).any() for n in found)
            for found in numbers
        ],
        index=text.index,
    )


def _without(study: Study, ids: frozenset[str]) -> Study:
    services = study.services
    table = _rows(services.table, ~services.table["service_id"].isin(ids))
    telling = _naming_rows(services.problems, services.table[services.table["discreet"]])
    problems = _rows(services.problems, ~telling)
    return dataclasses.replace(
        study, services=dataclasses.replace(services, table=table, problems=problems)
    )
