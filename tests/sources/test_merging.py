"""Several sources of one place: one service, by a stated rule, and what differs is told."""

from __future__ import annotations

import random
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal
from shapely import Point

from helpers import toy_town
from quart_heure.sources.problems import PROBLEM_COLUMNS, problem_table
from quart_heure.sources.services.merging import merge_services, merged_services
from quart_heure.sources.services.rows import SERVICE_COLUMNS
from quart_heure.sources.services.services import Services

X0, Y0 = toy_town.ORIGIN


def place(service_id: str, x: float = 0.0, **values: Any) -> dict[str, Any]:
    usual = dict.fromkeys(SERVICE_COLUMNS, "")
    usual |= {"category": "bains_douches", "name": "Bains-douches Oberkampf", "status": "unknown"}
    usual |= {"capacity_value": np.nan, "discreet": False, "access": "unknown", "admits": "unknown"}
    usual |= {"source": service_id, "service_id": service_id, "geometry": Point(X0 + x, Y0)}
    return {**usual, **values}


def table_of(*places: dict[str, Any]) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(list(places), crs=2154)


def kept_of(*places: dict[str, Any], **options: Any) -> list[str]:
    return list(merge_services(table_of(*places), **options)[0]["service_id"])


# --- what is one place ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "one"),
    [
        ("Bains-Douches municipaux Oberkampf", True),
        ("OBERKAMPF", True),
        ("Bains douches d'Oberkampf (Paris)", True),
        ("Bains-douches", True),  # no name of its own, and near
        ("Bains-douches Saint-Merri", False),
        ("Bains-douches Oberkamp", True),  # a slip of the pen
    ],
)
def test_names_decide_without_the_words_of_the_category(name: str, one: bool) -> None:
    assert (len(kept_of(place("a"), place("b", 40, name=name))) == 1) == one


def test_distance_category_and_source_decide_too() -> None:
    assert len(kept_of(place("a"), place("b", 99))) == 1
    assert len(kept_of(place("a"), place("b", 101))) == 2
    assert len(kept_of(place("a"), place("b", 60), within_m=50)) == 2
    assert len(kept_of(place("a"), place("b", 60, name=""))) == 2
    assert len(kept_of(place("a"), place("b", category="esi"))) == 2
    assert len(kept_of(place("a"), place("b", source="a"))) == 2


def test_two_of_one_source_keep_their_own_partner() -> None:
    # One source knows two doors of one house; the other too. Each is given to the nearest.
    merged, _ = merge_services(
        table_of(
            place("a1", 0, source="a"),
            place("a2", 30, source="a"),
            place("b1", 1, source="b"),
            place("b2", 31, source="b"),
        )
    )
    assert merged["service_id"].tolist() == ["a1", "a2"]
    assert merged["other_sources"].tolist() == ["b", "b"]


# --- which is kept -------------------------------------------------------------------------------


def test_the_trusted_then_the_fresh_then_the_first_is_kept() -> None:
    old = place("old", source="Liste", source_date="2019")
    new = place("new", source="OpenStreetMap", source_date="2026-01-05")
    assert kept_of(old, new) == ["new"]
    assert kept_of(old, new, trust=["liste", "osm"]) == ["old"]
    assert kept_of(old, new, trust=["osm"]) == ["new"]
    assert kept_of(place("b"), place("a")) == ["a"]
    tables = {"second": table_of(place("b", source="")), "first": table_of(place("a", source=""))}
    merged, _ = merge_services(tables)
    assert merged[["service_id", "source", "other_sources"]].values.tolist() == [
        ["b", "second", "first"]
    ]


def test_unknown_facts_are_filled_and_said() -> None:
    kept = place("a", source_date="2026", status="unknown", capacity_unit="")
    other = place("b", status="open", opening_hours="Mo 09:00-12:00", phone="x")
    other |= {"capacity": "12 cabines", "capacity_value": 12.0, "capacity_unit": "cabins"}
    other |= {"operator": "Ville", "other_sources": "c;a"}
    merged, problems = merge_services(table_of(kept, other))
    row = merged.iloc[0]
    assert (row["service_id"], row["status"], row["opening_hours"], row["operator"]) == (
        "a", "open", "Mo 09:00-12:00", "Ville",
    )  # fmt: skip
    assert (row["capacity"], row["capacity_value"], row["capacity_unit"]) == (
        "12 cabines", 12, "cabins",
    )  # fmt: skip
    assert (row["source"], row["other_sources"]) == ("a", "b;c")
    (told,) = problems.to_dict("records")
    assert (told["reason"], told["action"]) == ("same place in several sources", "merged")
    for column in ("status", "opening_hours", "capacity", "operator"):
        assert column in told["value"]
    assert tuple(problems.columns) == PROBLEM_COLUMNS


def test_known_facts_are_kept_and_differences_told() -> None:
    kept = place("a", source_date="2026", status="open", opening_hours="Mo 09:00-12:00")
    other = place("b", 60, status="closed", opening_hours="Tu 09:00-12:00")
    merged, problems = merge_services(table_of(kept, other))
    assert merged.loc[0, ["status", "opening_hours"]].tolist() == ["open", "Mo 09:00-12:00"]
    assert merged.geometry.iloc[0] == kept["geometry"]
    told = dict(zip(problems["field"], problems["value"], strict=True))
    assert told["coordinates"].endswith("60 m")
    assert told["opening_hours"].endswith("Mo 09:00-12:00 / Tu 09:00-12:00")
    assert told["status"].endswith("open / closed")
    same = place("b", 40, status="open", opening_hours="Mo  09:00-12:00")
    assert len(merge_services(table_of(kept, same))[1]) == 1


def test_a_place_that_one_source_hides_is_hidden_and_not_named() -> None:
    kept = place("a", source_date="2026", status="open")
    hidden = place("b", 60, discreet=True, status="closed", address="3 rue Cachée")
    merged, problems = merge_services(table_of(kept, hidden))
    assert merged["discreet"].tolist() == [True]
    assert len(problems) == 3
    assert set(problems["value"]) == {""}


def test_ids_that_two_tables_share_are_numbered() -> None:
    merged, problems = merge_services(
        [table_of(place("1", source="a")), table_of(place("1", 500, source="b"))]
    )
    assert merged["service_id"].tolist() == ["1", "1-2"]
    assert problems["action"].tolist() == ["renamed 1-2"]


# --- whatever the rows ---------------------------------------------------------------------------

ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "x": st.sampled_from([0, 10, 40, 70, 120, 180]),
            "source": st.sampled_from(["a", "b", "c", "OpenStreetMap"]),
            "source_date": st.sampled_from(["", "2019", "2026-01-01"]),
            "name": st.sampled_from(["", "Oberkampf", "Bains-douches Oberkampf", "Rouet", "Butte"]),
            "category": st.sampled_from(["bains_douches", "esi"]),
            "status": st.sampled_from(["open", "unknown", "closed"]),
            "opening_hours": st.sampled_from(["", "Mo 09:00-12:00"]),
            "discreet": st.booleans(),
        }
    ),
    max_size=9,
)


def rows_of(drawn: list[dict[str, Any]]) -> gpd.GeoDataFrame:
    if not drawn:
        return table_of(place("s")).iloc[:0]
    return table_of(*(place(f"s{n}", **row) for n, row in enumerate(drawn)))


@given(ROWS, st.integers(0, 2**16))
def test_the_order_of_rows_does_not_matter(drawn: list[dict[str, Any]], seed: int) -> None:
    table = rows_of(drawn)
    order = list(range(len(table)))
    random.Random(seed).shuffle(order)
    merged, problems = merge_services(table, trust=["osm"])
    again, more = merge_services(table.iloc[order].reset_index(drop=True), trust=["osm"])
    assert_frame_equal(merged, again)
    columns = list(PROBLEM_COLUMNS)
    assert_frame_equal(
        problems.sort_values(columns, ignore_index=True),
        more.sort_values(columns, ignore_index=True),
    )


@given(ROWS)
def test_merging_twice_changes_nothing_and_nothing_is_lost(drawn: list[dict[str, Any]]) -> None:
    table = rows_of(drawn)
    merged, problems = merge_services(table)
    again, more = merge_services(merged)
    assert_frame_equal(merged, again)
    assert set(more["action"]) <= {"kept, to be checked"}
    assert len(merged) + (problems["action"] == "merged").sum() == len(table)
    assert set(merged["category"]) == set(table["category"])
    assert list(merged.columns) == list(table.columns)
    assert merged.dtypes.astype(str).to_dict() == table.dtypes.astype(str).to_dict()
    told = {s for row in merged.itertuples() for s in (row.source, *row.other_sources.split(";"))}
    assert told - {""} == set(table["source"])
    assert merged["discreet"].sum() >= (table["discreet"].any() and 1)


def test_names_are_compared_among_neighbours_only(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = []

    def likeness(one: str, other: str) -> float:
        compared.append((one, other))
        return 0.0

    monkeypatch.setattr("rapidfuzz.fuzz.token_set_ratio", likeness)
    rows = [
        place(f"{s}{k}", geometry=Point(300.0 * (k % 20), 300.0 * (k // 20)), source=s)
        for k in range(200)
        for s in ("a", "b")
    ]
    assert len(merge_services(table_of(*rows))[0]) == 400
    assert len(compared) == 200  # of 79,800 pairs


# --- in a study ----------------------------------------------------------------------------------


def test_merging_keeps_what_was_told_before() -> None:
    services = Services(
        table=table_of(place("a"), place("b", 20)),
        problems=problem_table(
            [
                {
                    "file": "f",
                    "row": 1,
                    "field": "x",
                    "value": "",
                    "reason": "r",
                    "action": "left out",
                }
            ]
        ),
    )
    merged = merged_services(services, trust=["b"])
    assert merged.table["service_id"].tolist() == ["b"]
    assert merged.problems["action"].tolist() == ["left out", "merged"]
    assert isinstance(merged.problems, pd.DataFrame)


def test_what_was_said_of_a_place_before_it_was_hidden_is_taken_back() -> None:
    shown = place("a", name="Halte Oberkampf", address="3 rue Cachée", source_date="2026")
    hidden = place("b", 10, name="", discreet=True)
    other = place("c", 5000)
    said = {"file": "f", "row": 1, "field": "status", "reason": "odd", "action": "doubted"}
    told = [{**said, "value": "Halte Oberkampf – x"}, {**said, "value": "Bains-douches Oberkampf"}]
    services = Services(table=table_of(shown, hidden, other), problems=problem_table(told))
    merged = merged_services(services)
    assert merged.table["discreet"].tolist() == [True, False]
    assert merged.problems["value"].tolist() == ["", "Bains-douches Oberkampf", ""]


@pytest.mark.parametrize("discreet", [False, True])
def test_nothing_tells_what_lies_near_a_discreet_place(discreet: bool) -> None:
    shown = place("a", name="Halte Oberkampf")
    near = place("b", 10, name="Maison Mirabelle", discreet=discreet)
    services = Services(table=table_of(shown, near), problems=problem_table())
    merged = merged_services(services)
    assert len(merged.table) == 2
    assert merged.problems["field"].tolist() == ([] if discreet else ["duplicate"])


@pytest.mark.parametrize(
    ("status", "said", "last_day"),
    [
        ("open", "2026-09-15", ""),  # open again, said after that day
        ("open", "2025-09-15", "2025-11-30"),  # open, said before
        ("unknown", "2026-09-15", "2025-11-30"),  # nobody says that it is open again
    ],
)
def test_a_place_that_is_open_again_has_not_ended(status: str, said: str, last_day: str) -> None:
    old = place("a", source="city", source_date="2025-09-01", status="open", valid_to="2025-11-30")
    new = place("b", 5, source="portal", source_date=said, status=status)
    table, _ = merge_services(table_of(old, new))
    assert list(table["valid_to"]) == [last_day]
    assert list(table["source"]) == ["portal"]


def test_a_source_without_a_date_is_the_oldest() -> None:
    dated = place("a", source="list", source_date="2014/2015", capacity="10")
    for undated in ("undated", "", "about 2016"):
        other = place("b", 5, source="page", source_date=undated, capacity="20")
        assert kept_of(dated, other) == kept_of(other, dated) == ["a"]
    newer = place("b", 5, source="page", source_date="undated; 2025-01-20")
    assert kept_of(dated, newer) == ["b"]
