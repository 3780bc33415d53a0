"""Whole numbers in order as numpy puts them, whether their positions fit beside them or not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quart_heure.network.ordering import numbered, order_by, stable_order

LARGEST = st.sampled_from([0, 1, 5, 2**40, 2**59, 2**62, 2**63 - 1])


@given(st.data(), LARGEST)
def test_order_and_numbers_are_those_of_numpy(data: st.DataObject, largest: int) -> None:
    drawn = st.lists(st.integers(0, largest) | st.integers(0, min(largest, 3)), max_size=40)
    keys = np.array(data.draw(drawn), dtype=np.int64)
    assert stable_order(keys).tolist() == np.argsort(keys, kind="stable").tolist()
    different, which = numbered(keys)
    wanted, of_which = np.unique(keys, return_inverse=True)
    assert different.tolist() == wanted.tolist()
    assert which.tolist() == of_which.tolist()


@pytest.mark.parametrize("dtype", [np.int32, np.int64, np.uint32])
def test_numbers_of_any_width_are_put_in_order_and_left_as_they_are(dtype: type) -> None:
    keys = np.array([2**31 - 1, 7, 2**31 - 1, 0], dtype=dtype)
    before = keys.copy()
    assert stable_order(keys).tolist() == [3, 1, 0, 2]
    assert numbered(keys)[1].tolist() == [2, 1, 2, 0]
    assert keys.tolist() == before.tolist()


@given(st.lists(st.tuples(*[st.sampled_from([-1.5, 0.0, 2.25])] * 3), max_size=60))
def test_order_by_several_keys_is_that_of_numpy(rows: list[tuple[float, float, float]]) -> None:
    first, second, third = np.array(rows, dtype=float).reshape(-1, 3).T
    order = order_by(first, lambda some: [second[some], third[some]])
    assert order.tolist() == np.lexsort((third, second, first)).tolist()
