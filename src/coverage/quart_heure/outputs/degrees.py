"""Degrees: where outputs leave the metric CRS of a study."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from quart_heure.sources.projecting import transformer

if TYPE_CHECKING:
    import pyproj


def degrees_of(xy: NDArray[np.float64], crs: pyproj.CRS) -> NDArray[np.float64]:
    """Return places in degrees (WGS 84).

    Parameters
    ----------
    xy
        Coordinates in the CRS; shape (n, 2).
    crs
        Of the coordinates.

    Returns
    -------
    numpy.ndarray
        Longitude and latitude; shape (n, 2).
    """
    return np.stack(transformer(crs, 4326).transform(xy[:, 0], xy[:, 1]), axis=1)
