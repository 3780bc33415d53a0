"""Opening hours beside the community's evaluator: its table, and itself where it is at hand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from helpers.hours_peer import (
    LETTERS,
    N_GENERATED,
    REASONS,
    REFUSED,
    is_refused,
    peer_states,
    read_table,
    reason,
    why_no_peer,
)
from helpers.hours_real import real_shapes
from helpers.hours_texts import MOMENTS, clusters, generated, moments
from helpers.project import ROOT, THOROUGH
from quart_heure.sources.hours.states import Where, opening_states

PARIS = Where(coords=(48.86, 2.35))
TABLE = read_table()
PARTS = 8
needs_peer = pytest.mark.skipif(bool(why_no_peer()), reason=why_no_peer() or "-")


def our_states(texts: Sequence[str]) -> NDArray[np.int8]:
    found = np.zeros((len(texts), len(MOMENTS)), dtype=np.int8)
    at = moments()
    for cluster in clusters():
        found[:, cluster] = opening_states(
            texts, [at[k] for k in cluster], where=PARIS, stay_min=0.0
        )
    return found


def unlisted(texts: Sequence[str], theirs: Sequence[str]) -> list[tuple[str, str, str, int]]:
    """Return where ours differ from theirs and no listed reason says why."""
    found = []
    for text, word, row in zip(texts, theirs, our_states(texts), strict=True):
        if word == REFUSED:
            continue
        assert not is_refused(text), text
        for moment, letter, ours in zip(MOMENTS, word, row.tolist(), strict=True):
            if LETTERS[letter] != ours and not reason(text, moment, LETTERS[letter], ours):
                found.append((text, moment, letter, ours))
    return found


def test_the_table_has_what_it_should() -> None:
    real = real_shapes()
    assert len(real) >= 300
    assert N_GENERATED >= 3_000
    assert set(TABLE) == {*real, *generated(N_GENERATED, 12)}
    # what it refuses are shapes that only we read
    assert sum(word == REFUSED for word in TABLE.values()) <= 10
    assert {len(word) for word in TABLE.values()} == {1, len(MOMENTS)}


@pytest.mark.parametrize("part", range(PARTS if THOROUGH else 1))
def test_no_difference_without_a_listed_reason(part: int) -> None:
    texts = list(TABLE)[part::PARTS]
    assert unlisted(texts, [TABLE[text] for text in texts]) == []


def test_the_reasons_are_told() -> None:
    told = (ROOT / "docs" / "opening_hours.md").read_text(encoding="utf-8")
    assert all(f"| `{name}` |" in told for name in REASONS)


def test_most_is_alike() -> None:
    """Reasons are for what they say: of plain texts there is no difference at all."""
    plain = [
        text
        for text, word in TABLE.items()
        if word != REFUSED and not any(sign in text for sign in ('"', "+", "SH", "; off"))
    ]
    rows = our_states(plain[:300])
    theirs = np.array([[LETTERS[letter] for letter in TABLE[text]] for text in plain[:300]])
    by_day = np.array([int(moment[11:13]) >= 10 for moment in MOMENTS])
    assert (rows == theirs)[:, by_day].mean() > 0.97
    assert (rows == theirs).mean() > 0.93


@needs_peer
def test_the_table_is_what_it_says() -> None:
    texts = [*real_shapes(), *generated(300, 12)]
    assert peer_states(texts) == [TABLE[text] for text in texts]


@needs_peer
def test_texts_that_are_in_no_table() -> None:
    texts = generated(400, 2026)
    assert unlisted(texts, peer_states(texts)) == []
