"""Texts that would tell of a discreet place: by its name, its address or its coordinates."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from quart_heure.outputs.degrees import degrees_of

if TYPE_CHECKING:
    import geopandas as gpd

_COORDINATE_TOLERANCE_DEG = 1e-3


def telling_rows(problems: pd.DataFrame, hidden: gpd.GeoDataFrame) -> pd.Series[bool]:
    """Tell which problems name a place by its id, name or address, or hold its coordinates."""
    names = {
        str(name).strip()
        for column in ("service_id", "name", "address")
        for name in hidden[column].tolist()
    } - {""}
    if problems.empty or not names:
        return pd.Series(False, index=problems.index)
    naming = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, sorted(names)))})(?!\w)", re.I)
    rows = problems[["field", "value", "reason", "action"]].astype("str")
    texts = [" ".join(row) for row in rows.itertuples(index=False, name=None)]
    places = shapely.get_coordinates(hidden.geometry.to_numpy())
    degrees = degrees_of(places, hidden.crs).ravel()
    return pd.Series(
        [bool(naming.search(text)) or _holds(text, degrees) for text in texts],
        index=problems.index,
        dtype=bool,
    )


def _holds(text: str, degrees: NDArray[np.float64]) -> bool:
    """Tell whether a text holds one of these degrees."""
    numbers = [float(number) for number in re.findall(r"-?\d+\.\d{2,}", text)]
    return any((np.abs(degrees - n) < _COORDINATE_TOLERANCE_DEG).any() for n in numbers)
