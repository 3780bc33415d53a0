"""Hours in words: every row of the table in the documentation, and what must not be guessed."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.project import ROOT
from quart_heure.sources.hours.syntax import is_osm_hours
from quart_heure.sources.hours.text import hours_from_text

DOC = ROOT / "docs" / "opening_hours.md"


def rows(heading: str) -> list[tuple[str, str]]:
    part = DOC.read_text(encoding="utf-8").split(f"### {heading}\n")[1].split("\n##")[0]
    cells = [line.strip("| ").split(" | ") for line in part.splitlines() if line.startswith("| ")]
    return [(words, meaning) for words, meaning in cells[1:] if not words.startswith("--")]


UNDERSTOOD, NOT_UNDERSTOOD = rows("Understood"), rows("Not understood")


def test_the_table_is_long_enough_to_tell() -> None:
    assert len(UNDERSTOOD) >= 120
    assert len(UNDERSTOOD) + len(NOT_UNDERSTOOD) >= 200


@pytest.mark.parametrize(("words", "reading"), UNDERSTOOD)
def test_words_that_are_understood(words: str, reading: str) -> None:
    parsed = hours_from_text(words)
    assert parsed.osm == reading.strip("`")
    assert parsed.understood


@pytest.mark.parametrize(("words", "why"), NOT_UNDERSTOOD)
def test_words_that_are_not(words: str, why: str) -> None:
    parsed = hours_from_text(words)
    assert (parsed.osm, parsed.understood, parsed.reason) == ("", False, why)


STRANGE = (
    "pas",
    "environ",
    "peut-être",
    "hommes",
    "uniquement sur rdv",
    "ou",
    "2 fois",
    "xyz",
    "≈",
)


@given(st.sampled_from(UNDERSTOOD), st.sampled_from(STRANGE), st.data())
def test_one_word_that_is_not_known_is_enough(
    row: tuple[str, str], strange: str, data: st.DataObject
) -> None:
    """Put anywhere between the words, also within a period or an exception."""
    words = row[0].split(" ")
    at = data.draw(st.integers(0, len(words)))
    text = " ".join([*words[:at], strange, *words[at:]])
    assert hours_from_text(text).osm == ""


@given(st.sampled_from(UNDERSTOOD), st.data())
def test_a_word_less_opens_no_other_door(row: tuple[str, str], data: st.DataObject) -> None:
    """A text that is cut off is read as one that was written so, or not at all."""
    words = row[0].split(" ")
    parsed = hours_from_text(" ".join(words[: data.draw(st.integers(1, len(words)))]))
    assert parsed.osm == "" or is_osm_hours(parsed.osm)
    assert parsed.understood == bool(parsed.osm)
    assert parsed.osm or re.search(r"\w", parsed.reason)
