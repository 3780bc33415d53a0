"""Dates of sources: a source is never called newer than it is."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quart_heure.sources.services.source_dates import months_before, said_on


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-01-31", "2026-01-31"),
        ("31/01/2026", "2026-01-31"),
        ("2026-01-31T08:15:00+00:00", "2026-01-31"),
        ("2026-01-31 08:15", "2026-01-31"),
        ("2025-12", "2025-12-01"),
        ("2025", "2025-01-01"),
        ("2024-2025", "2025-01-01"),
        ("2014/2015", "2015-01-01"),
        ("undated; 2021-07-02", "2021-07-02"),
        ("2025-01-20; undated; undated", "2025-01-20"),
        ("2018-02-16 (record stamp); 2019-07-23 (last update)", "2019-07-23"),
        ("2023-11 (inaugurated 20 November; year from the works of 2023)", "2023-11-01"),
    ],
)
def test_the_newest_day_is_read(text: str, day: str) -> None:
    assert said_on(text) == datetime.date.fromisoformat(day)


@pytest.mark.parametrize(
    "text",
    [
        *("", "undated", "undated (about 2016)", "about 2011", "not since 2026-01-31"),
        *(
            "2026-01-31 to be checked",
            "2026-13",
            "2026-02-30",
            "2025-2024",
            "0000",
            "20260",
            "later",
        ),
    ],
)
def test_what_is_not_understood_to_its_last_word_is_no_date(text: str) -> None:
    assert said_on(text) is None


@given(st.text(max_size=40))
def test_no_text_is_too_odd(text: str) -> None:
    said_on(text)


@given(st.dates(min_value=datetime.date(100, 1, 1)), st.integers(0, 600))
def test_months_are_counted_back_and_forth(day: datetime.date, months: int) -> None:
    before = months_before(day, months)
    assert (day.year - before.year) * 12 + day.month - before.month == months
    assert before.day <= day.day
    after = before + datetime.timedelta(days=1)
    assert before.day == day.day or after.day == 1
