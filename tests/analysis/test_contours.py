"""Contours of minutes that are just the threshold in some places."""

from __future__ import annotations

import numpy as np
import shapely
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from quart_heure.analysis.isochrones import contour_polygons

MINUTES = arrays.arrays(
    np.float64, st.tuples(st.integers(2, 7), st.integers(2, 7)), elements=st.sampled_from([6, 7, 8])
)


def drawn(minutes: NDArray[np.float64]) -> shapely.MultiPolygon:
    rows, columns = minutes.shape
    (shape,) = contour_polygons(
        np.arange(columns, dtype=float),
        np.arange(rows, dtype=float),
        minutes,
        (7.0,),
        clip=shapely.box(-1, -1, columns, rows),
    )
    return shape


def test_holes_that_touch_are_not_filled() -> None:
    minutes = np.array([[7.0, 7, 7, 6], [7, 8, 7, 8], [7, 8, 7, 6], [6, 7, 7, 8]])
    shape = drawn(minutes)
    assert shape.is_valid
    assert shape.area == 4.25


@given(minutes=MINUTES)
def test_what_is_further_is_outside(minutes: NDArray[np.float64]) -> None:
    shape = drawn(minutes)
    assert shape.is_valid
    y, x = np.nonzero(minutes > 7)
    assert not shapely.contains_xy(shape, x, y).any()
    y, x = np.nonzero(minutes < 7)
    assert (shapely.distance(shapely.points(x, y), shape) < 1e-9).all()
