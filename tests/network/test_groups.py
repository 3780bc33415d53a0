"""Groups: what links join, against a plain walk from one thing to the next."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quart_heure.network.groups import connected_groups


def walked(a: list[int], b: list[int], n: int) -> list[int]:
    """Label the groups of n things by walking along their links."""
    label = [-1] * n
    for begin in range(n):
        if label[begin] >= 0:
            continue
        number, waiting = max(label) + 1, [begin]
        while waiting:
            here = waiting.pop()
            if label[here] >= 0:
                continue
            label[here] = number
            for one, other in zip(a, b, strict=True):
                if here in (one, other):
                    waiting.append(other if here == one else one)
    return label


@given(st.data())
def test_groups_are_those_of_a_walk(data: st.DataObject) -> None:
    n = data.draw(st.integers(1, 12))
    ends = st.lists(st.integers(0, n - 1), min_size=0, max_size=14)
    a = data.draw(ends)
    b = data.draw(st.lists(st.integers(0, n - 1), min_size=len(a), max_size=len(a)))
    found = connected_groups(np.array(a, dtype=np.int32), np.array(b, dtype=np.int32), n)
    assert found.tolist() == walked(a, b, n)


@pytest.mark.parametrize("mixed", [False, True])
def test_a_long_chain_is_one_group(mixed: bool) -> None:
    order = np.arange(20_000)
    if mixed:
        order = np.random.default_rng(1).permutation(order)
    assert connected_groups(order[:-1], order[1:], len(order)).max() == 0
    halves = np.delete(np.arange(len(order) - 1), 9_999)
    assert connected_groups(order[halves], order[halves + 1], len(order)).max() == 1


def test_nothing_has_no_group() -> None:
    none = np.empty(0, dtype=np.int32)
    assert connected_groups(none, none, 0).tolist() == []
    assert connected_groups(none, none, 3).tolist() == [0, 1, 2]
