"""Degrees: where outputs leave the metric CRS of a study."""

from __future__ import annotations

import functools

import numpy as np
import pyproj
from numpy.typing import NDArray


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
    return np.stack(_to_degrees(crs).transform(xy[:, 0], xy[:, 1]), axis=1)


@functools.cache
def _to_degrees(crs: pyproj.CRS) -> pyproj.Transformer:
    return pyproj.Transformer.from_crs(crs, 4326, always_xy=True)
