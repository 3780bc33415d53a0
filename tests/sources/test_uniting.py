"""Rows of one place: united where nothing is lost by it, else side by side, and never dropped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers import toy_town
from quart_heure.categories import default_catalogue
from quart_heure.sources.services.services import Services, read_services
from quart_heure.sources.services.uniting import united_hours

AREA = toy_town.town_area()
PLACE = {"nom": "Lieu de la Gare", "category": "bagagerie", "lon": "2.35", "lat": "48.86"}


def read(folder: Path, *rows: dict[str, Any], files: int = 1) -> Services:
    paths = []
    for number in range(files):
        paths.append(folder / f"s{number}.csv")
        mine = [{**PLACE, **row} for row in rows[number::files]]
        pd.DataFrame(mine).to_csv(paths[-1], index=False)
    return read_services(paths, AREA, catalogue=default_catalogue())


def duplicates(services: Services) -> list[tuple[int, str]]:
    rows = services.problems[services.problems["field"] == "duplicate"]
    return [(row.row, row.action) for row in rows.itertuples()]


def test_a_row_per_day(tmp_path: Path) -> None:
    days = ("Mo 12:00-14:00", "Th 12:00-14:00", "Sa,Su 18:00-20:00")
    services = read(tmp_path, *({"opening_hours": hours} for hours in days))
    [row] = services.table.to_dict("records")
    assert row["opening_hours"] == "Mo,Th 12:00-14:00; Sa,Su 18:00-20:00"
    assert duplicates(services) == [(2, "united with it"), (3, "united with it")]


def test_men_and_women_at_the_same_hours(tmp_path: Path) -> None:
    hours = {"opening_hours": "Mo-Fr 09:00-12:00"}
    both = (
        {"admits": "men", "capacite": "20 places"},
        {"admits": "women", "capacite": "10 places"},
    )
    services = read(tmp_path, *({**hours, **row} for row in both))
    [row] = services.table.to_dict("records")
    assert set(row["admits"].split(";")) == {"men", "women"}
    assert (row["capacity_value"], row["capacity_unit"]) == (30, "places")


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        ("women;no_men", "men;no_women", {"women", "men"}),
        ("men;no_children", "women;no_children", {"men", "women", "no_children"}),
        ("men;no_children", "families", {"men", "families"}),
        ("everyone", "women", {"everyone"}),
        ("women;unknown", "men", {"women", "men", "unknown"}),
    ],
)
def test_who_is_kept_out_of_one_of_two_may_go_to_the_other(
    tmp_path: Path, one: str, other: str, both: set[str]
) -> None:
    hours = {"opening_hours": "Mo-Fr 09:00-12:00"}
    for order in ((one, other), (other, one)):
        [row] = read(tmp_path, *({**hours, "admits": text} for text in order)).table["admits"]
        assert set(row.split(";")) == both


def test_men_in_the_morning_and_women_in_the_afternoon_stay_two(tmp_path: Path) -> None:
    services = read(
        tmp_path,
        {"admits": "men", "opening_hours": "Mo-Fr 09:00-12:00"},
        {"admits": "women", "opening_hours": "Mo-Fr 14:00-17:00"},
        {"admits": "women", "opening_hours": "Mo-Fr 14:00-17:00"},
    )
    found = services.table[["admits", "opening_hours"]].to_dict("records")
    assert found == [
        {"admits": "men", "opening_hours": "Mo-Fr 09:00-12:00"},
        {"admits": "women", "opening_hours": "Mo-Fr 14:00-17:00"},
    ]
    # The third row is the second again.
    assert duplicates(services) == [(3, "left out"), (2, "kept beside it")]


def test_lots_of_lockers_are_added_up(tmp_path: Path) -> None:
    services = read(tmp_path, {"nb_casiers": "40"}, {"nb_casiers": "25"}, {"nb_casiers": "10"})
    [row] = services.table.to_dict("records")
    assert (row["capacity_value"], row["capacity_unit"]) == (75, "lockers")


def test_the_same_row_twice_is_one_and_adds_nothing(tmp_path: Path) -> None:
    same = {"nb_casiers": "40", "opening_hours": "Mo 12:00-14:00"}
    services = read(tmp_path, same, same)
    assert services.table["capacity_value"].tolist() == [40]
    assert duplicates(services) == [(2, "left out")]


def test_what_one_row_leaves_blank_the_other_fills_in_any_order(tmp_path: Path) -> None:
    rows = ({"opening_hours": "Mo 12:00-14:00"}, {"adresse": "1 rue de la Gare", "nb_casiers": "9"})
    found = []
    for order in (rows, rows[::-1]):
        [row] = read(tmp_path, *order).table.to_dict("records")
        found.append({k: row[k] for k in ("opening_hours", "address", "capacity_value")})
    assert (
        found[0]
        == found[1]
        == {
            "opening_hours": "Mo 12:00-14:00",
            "address": "1 rue de la Gare",
            "capacity_value": 9,
        }
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"access": "walk_in"}, {"access": "referral"}),
        ({"wheelchair": "yes"}, {"wheelchair": "no"}),
        ({"capacite": "40 casiers"}, {"capacite": "3 cabines"}),
        ({"opening_hours": "Mo-Fr 09:00-17:00"}, {"opening_hours": "Mo-Fr 09:00-18:00"}),
        ({"opening_hours": "Mo-Fr 09:00-17:00"}, {"opening_hours": "week 1-53/2 Sa 10:00-12:00"}),
        ({"valid_to": "2026-06-30"}, {"valid_to": "2026-12-31"}),
        ({"nb_casiers": "4", "admits": "men"}, {"nb_casiers": "5", "admits": ""}),
    ],
)
def test_what_does_not_go_together_stays_apart(
    tmp_path: Path, one: dict[str, str], other: dict[str, str]
) -> None:
    services = read(tmp_path, one, other)
    assert len(services.table) == 2
    assert duplicates(services) == [(2, "kept beside it")]


def test_two_files_tell_of_one_place_and_do_not_add_up(tmp_path: Path) -> None:
    services = read(tmp_path, {"nb_casiers": "40"}, {"nb_casiers": "25"}, files=2)
    assert services.table["capacity_value"].tolist() == [40]
    assert services.table["other_sources"].tolist() == ["s1.csv"]


def test_many_rows_of_one_place_do_not_cost_their_square(tmp_path: Path) -> None:
    rows = [{"valid_to": f"20{n // 12 + 10}-{n % 12 + 1:02d}-28"} for n in range(900)]
    services = read(tmp_path, *rows)
    assert len(services.table) == 900


DAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")


def weeks() -> st.SearchStrategy[dict[str, tuple[int, int]]]:
    spans = st.tuples(st.integers(0, 11), st.integers(1, 12)).map(lambda s: (s[0], s[0] + s[1]))
    return st.dictionaries(st.sampled_from(DAYS), spans, min_size=1)


@given(one=weeks(), other=weeks())
def test_united_hours_are_open_when_either_is(
    one: dict[str, tuple[int, int]], other: dict[str, tuple[int, int]]
) -> None:
    texts = [
        "; ".join(f"{day} {a:02d}:00-{b:02d}:00" for day, (a, b) in week.items())
        for week in (one, other)
    ]
    together = united_hours(*texts)
    overlap = any(
        day in other
        and one[day] != other[day]
        and one[day][0] < other[day][1]
        and other[day][0] < one[day][1]
        for day in one
    )
    assert (together is None) == overlap
    if together is None:
        return
    said = {}
    for rule in together.split("; "):
        days, spans = rule.split(" ")
        for day in days.split(","):
            assert day not in said
            said[day] = [tuple(int(t[:2]) for t in span.split("-")) for span in spans.split(",")]
    for day in DAYS:
        for hour in range(24):
            either = any(a <= hour < b for week in (one, other) for a, b in [week.get(day, (0, 0))])
            assert either == any(a <= hour < b for a, b in said.get(day, []))
