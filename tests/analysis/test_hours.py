"""Coverage by hour: a moment, a window, and the week against an hour-by-hour computation."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from helpers import reference, toy_town
from helpers.project import thorough
from helpers.study_files import add, write_town
from helpers.town_week import AT, MONDAY, STARTS, TOWN_HOURS, by_clock, town_with_hours, with_hours
from quart_heure.analysis.audience import PERSONS
from quart_heure.analysis.certainty import Certainty
from quart_heure.analysis.hours import NEVER
from quart_heure.analysis.moment import read_at, read_between, read_day
from quart_heure.analysis.states import NO, PERHAPS, YES
from quart_heure.analysis.week import HOURS, hours_of_week
from quart_heure.cache import Cache
from quart_heure.cli import main
from quart_heure.errors import InputFileError, StudyFileError
from quart_heure.labels import format_window, problem_words
from quart_heure.network.reach import Reach
from quart_heure.outputs.discretion import publishable
from quart_heure.outputs.hour_words import range_words
from quart_heure.outputs.report.content import report_content
from quart_heure.outputs.report.report import render_report
from quart_heure.outputs.report.week import shade
from quart_heure.outputs.results.read import read_results
from quart_heure.outputs.results.write import RESULT_FILES, WEEK_FILES, write_results
from quart_heure.sources.hours.syntax import CLOSED, OPEN, UNKNOWN
from quart_heure.sources.services.services import Services
from quart_heure.study import Coverage, Study, analyse, bounds
from quart_heure.study.file import read_study


@pytest.fixture(scope="module")
def weekly() -> Coverage:
    return analyse(town_with_hours(week=True, week_of=MONDAY + dt.timedelta(days=3)))


@pytest.fixture(scope="module")
def monday_at_nine() -> Coverage:
    return analyse(town_with_hours(at=AT(2026, 4, 27, 9), week=True, week_of=MONDAY))


# --- the week ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def reference_cells(weekly: Coverage) -> list[reference.Cell]:
    """Cells with the minutes to each place that counts, by the slow computation."""
    study = weekly.study
    counting = weekly.services[weekly.services["counted"]]
    n_nodes, edges = toy_town.reference_edges(toy_town.town_edges())
    return reference.cells(
        area=study.area.geometry,
        districts=list(
            zip(study.area.districts["district_id"], study.area.districts.geometry, strict=True)
        ),
        n_nodes=n_nodes,
        edges=edges,
        walker=reference.Walker(study.profile.speed_m_per_min),
        services={
            row.service_id: [(row.service_id, row.geometry.x, row.geometry.y)]
            for row in counting.itertuples()
        },
        cell_m=study.cell_m,
    )


def slow_rows(
    cells: list[reference.Cell],
    category_of: dict[str, str],
    hours: range,
    state_of: Callable[[str, int], int],
) -> pd.DataFrame:
    """State of every cell for each category and hour, looked up hour by hour, cell by cell."""
    rows = []
    for cell in cells:
        near = [s for s, minutes in cell.minutes.items() if minutes <= 15 + 1e-9]
        for hour in hours:
            row: dict[str, Any] = {"col": cell.col, "row": cell.row, "hour": hour}
            row["district_id"] = cell.district_id
            for category in toy_town.CATEGORIES:
                states = [state_of(s, hour) for s in near if category_of[s] == category]
                row[category] = -1 if not cell.on_network else max(states, default=CLOSED)
            row["essential_all"] = min(row[c] for c in toy_town.CATEGORIES)
            row["essential_any"] = max(row[c] for c in toy_town.CATEGORIES)
            rows.append(row)
    return pd.DataFrame(rows)


def categories_of(coverage: Coverage) -> dict[str, str]:
    return dict(zip(coverage.services["service_id"], coverage.services["category"], strict=True))


@pytest.fixture(scope="module")
def slow_states(weekly: Coverage, reference_cells: list[reference.Cell]) -> pd.DataFrame:
    return slow_rows(
        reference_cells,
        categories_of(weekly),
        range(HOURS),
        lambda service, hour: by_clock(service, STARTS[hour]),
    )


def test_every_figure_of_the_week_hour_by_hour(weekly: Coverage, slow_states: pd.DataFrame) -> None:
    assert weekly.week is not None
    found = weekly.week.table.set_index(["category", "district_id", "hour"]).sort_index()
    assert len(found) == 5 * 3 * HOURS
    people = weekly.cells.set_index(["col", "row"])["residents"]
    slow = slow_states.join(people, on=["col", "row"])
    for category in weekly.week.categories:
        on = slow[slow[category] >= 0]
        for district in ("W", "E", ""):
            here = on if district == "" else on[on["district_id"] == district]
            for name, least in (("at_least", OPEN), ("at_most", UNKNOWN)):
                covered = here[category] >= least
                pct = 100 * covered.groupby(here["hour"]).mean()
                residents = here["residents"].where(covered, 0).groupby(here["hour"]).sum()
                total = here["residents"].groupby(here["hour"]).sum()
                rows = found.loc[(category, district)]
                assert rows[f"{name}_pct"].to_numpy() == pytest.approx(pct.to_numpy())
                got = rows[f"residents_{name}"].to_numpy()
                assert got == pytest.approx(residents.to_numpy(), abs=1e-5)
                share = rows[f"residents_{name}_pct"].to_numpy()
                assert share == pytest.approx((100 * residents / total).to_numpy(), abs=1e-5)


WOMAN_WITH_CHILD = PERSONS["woman_with_child"]
ADMITS = {"everyone": YES, "women;families": YES, "women": PERHAPS, "unknown": PERHAPS, "men": NO}
"""Whom a place admits, and what that is for a woman with a child."""

SAID = {  # hours, and what they are for 15 minutes on Monday at 9, on 1 May at 11, on Sunday at 13
    "24/7": (OPEN, OPEN, OPEN),
    "": (UNKNOWN, UNKNOWN, UNKNOWN),
    "off": (CLOSED, CLOSED, CLOSED),
    "Mo-Fr 08:00-12:00; PH off": (OPEN, CLOSED, CLOSED),
    "Mo-Su 11:10-18:00": (CLOSED, CLOSED, OPEN),
    "PH,Su 10:00-13:10": (CLOSED, OPEN, CLOSED),
}
THEN = (AT(2026, 4, 27, 9), AT(2026, 5, 1, 11), AT(2026, 5, 3, 13))


@settings(max_examples=max(1, settings().max_examples // 4), deadline=None)
@given(
    when=st.integers(0, 2),
    hours=st.lists(st.sampled_from(sorted(SAID)), min_size=7, max_size=7),
    admits=st.lists(st.sampled_from(sorted(ADMITS)), min_size=7, max_size=7),
)
def test_an_hour_and_a_person_together(
    weekly: Coverage,
    reference_cells: list[reference.Cell],
    when: int,
    hours: list[str],
    admits: list[str],
) -> None:
    town = toy_town.town_services().table
    ids = list(town["service_id"])
    services = with_hours(toy_town.town_services(), dict(zip(ids, hours, strict=True)))
    table = services.table.assign(admits=admits)
    services = Services(table=table, problems=services.problems)
    coverage = analyse(
        toy_town.town_study(
            services=services, cell_m=100.0, at=THEN[when], week=True, week_of=MONDAY,
            person=WOMAN_WITH_CHILD,
        )
    )  # fmt: skip
    discreet = set(table.loc[table["discreet"], "service_id"])
    known = {
        service: min(UNKNOWN if service in discreet else SAID[text][when], ADMITS[word])
        for service, text, word in zip(ids, hours, admits, strict=True)
    }
    hour = int((THEN[when] - STARTS[0]).total_seconds() // 3600)
    slow = slow_rows(
        reference_cells, categories_of(weekly), range(hour, hour + 1), lambda s, _: known[s]
    )
    cells = coverage.cells.merge(slow, on=["col", "row"], suffixes=("", "_slow"))
    assert len(cells) == len(coverage.cells)
    assert coverage.week is not None
    by_hour = coverage.week.table.set_index(["category", "district_id", "hour"]).sort_index()
    for row in coverage.indicators.itertuples():
        here = cells[cells[row.category] >= 0]
        here = here if row.district_id == "" else here[here["district_id"] == row.district_id]
        found = by_hour.loc[(row.category, row.district_id, hour)]
        for least, figures in (
            (OPEN, (row.residents_covered, found["residents_at_least"])),
            (UNKNOWN, (row.residents_covered_at_most, found["residents_at_most"])),
        ):
            people = here.loc[here[row.category] >= least, "residents"].sum()
            assert figures == pytest.approx((people, people), abs=1e-5)
    for category in toy_town.CATEGORIES:
        assert (cells[f"perhaps_{category}"] == (cells[category] == UNKNOWN)).all()


def test_cells_by_set_hour_by_hour(weekly: Coverage, slow_states: pd.DataFrame) -> None:
    week = weekly.week
    assert week is not None
    keys = weekly.cells[["col", "row"]].reset_index(names="cell")
    slow = slow_states.merge(keys, on=["col", "row"]).sort_values(["hour", "cell"])
    for category in week.categories:
        by_set = [week.cell_states(category, k) for k in range(len(week.sets[category]))]
        for hour, rows in slow.groupby("hour"):
            k = week.state_of_hour[category][int(str(hour))]
            assert by_set[k].tolist() == rows[category].tolist(), (category, hour)


def test_hours_share_their_sets(weekly: Coverage) -> None:
    week = weekly.week
    assert week is not None
    assert week.starts == STARTS
    assert (week.starts[0], week.starts[-1]) == (AT(2026, 4, 27), AT(2026, 5, 3, 23))
    assert week.categories == (*toy_town.CATEGORIES, "essential_all", "essential_any")
    ids = list(weekly.services["service_id"])
    told = {
        category: [([ids[s] for s in one.open], [ids[s] for s in one.unknown]) for one in sets]
        for category, sets in week.sets.items()
    }
    assert told["bains_douches"] == [([], []), (["A1"], [])]
    assert told["bagagerie"] == [([], ["B3"])]
    assert told["esi"] == [([], ["C1"]), (["C2"], ["C1"])]
    # of A1 and C2: none, A1, both, and on weekends C2 alone
    assert [one[0] for one in told["essential_all"]] == [[], ["A1"], ["A1", "C2"], ["C2"]]
    assert (week.state_of_hour["esi"] == 1).sum() == 6 * 2  # 10:00 and 11:00, but not on 1 May


def test_the_week_is_what_single_moments_say(weekly: Coverage) -> None:
    week = weekly.week
    assert week is not None
    table = week.table.set_index(["category", "district_id", "hour"]).sort_index()
    for hour in (0, 10, 11, 12, 24 * 4 + 10, 24 * 6 + 10):
        coverage = analyse(town_with_hours(at=STARTS[hour]))
        for row in coverage.indicators.itertuples():
            found = table.loc[(row.category, row.district_id, hour)]
            assert found["at_least_pct"] == pytest.approx(row.covered_pct)
            assert found["at_most_pct"] == pytest.approx(row.covered_at_most_pct)
            assert found["residents_at_least"] == pytest.approx(row.residents_covered)
            assert found["residents_at_most"] == pytest.approx(row.residents_covered_at_most)
        for category in toy_town.CATEGORIES:
            state = week.cell_states(category, week.state_of_hour[category][hour])
            covered = coverage.cells[f"status_{category}"].isin(["covered", "borderline_covered"])
            assert ((state == 2) == covered).all()
            assert ((state == 1) == coverage.cells[f"perhaps_{category}"]).all()


def test_a_week_in_which_the_clocks_change() -> None:
    for sunday in (dt.date(2026, 3, 29), dt.date(2026, 10, 25)):
        starts = hours_of_week(sunday)
        assert len(starts) == HOURS
        assert (starts[0].weekday(), starts[-1].hour, starts[-1].date()) == (0, 23, sunday)
        week = analyse(town_with_hours(week=True, week_of=sunday)).week
        assert week is not None
        assert (week.state_of_hour["bains_douches"] == 1).sum() == 5 * (4 + 4)  # 17:00 is in time


OPENINGS = st.sampled_from(
    ["", "off", "24/7", "Mo-Fr 08:00-12:00", "Tu 10:00-20:00", "Sa-Su unknown"]
)
LONGER = {"off": "Mo 09:00-18:00", "Mo-Fr 08:00-12:00": "Mo-Sa 08:00-13:00", "24/7": "24/7"}
FEW = settings(max_examples=max(1, settings().max_examples // 4))


@FEW
@given(seed=st.integers(0, 2**32 - 1), hours=st.lists(OPENINGS, min_size=4, max_size=4))
def test_opening_longer_never_lowers_coverage(seed: int, hours: list[str]) -> None:
    town = toy_town.random_town(seed, columns=3, rows=3)
    ids = list(town.services.table["service_id"])
    which = random.Random(seed).choice(ids)

    def week(texts: dict[str, str]) -> pd.DataFrame:
        services = with_hours(town.services, texts)
        found = analyse(town.study(services=services, week=True, week_of=MONDAY)).week
        assert found is not None
        # A district without a street has no share.
        return found.table.fillna({"at_least_pct": 0.0, "at_most_pct": 0.0})

    plain = dict(zip(ids, hours, strict=False))
    before = week(plain)
    assert (before["at_least_pct"] <= before["at_most_pct"] + 1e-9).all()
    assert (before["residents_at_least"] <= before["residents_at_most"] + 1e-6).all()
    longer = week({**plain, which: LONGER.get(plain.get(which, "off"), "24/7")})
    unknown = week({**plain, which: ""})
    assert (longer["at_least_pct"] >= before["at_least_pct"] - 1e-9).all()
    assert (unknown["at_most_pct"] >= before["at_most_pct"] - 1e-9).all()
    assert (unknown["at_least_pct"] <= before["at_least_pct"] + 1e-9).all()


# --- a moment ------------------------------------------------------------------------------------


def test_services_say_what_they_are_then(monday_at_nine: Coverage) -> None:
    services = monday_at_nine.services.set_index("service_id")
    assert services["open_then"].to_dict() == {
        **{"A1": "open", "A2": "open", "B1": "unknown", "B2": "unknown", "B3": "unknown"},
        **{"C1": "unknown", "C2": "closed"},
    }
    assert services["counted"].to_dict() == {
        **{"A1": True, "A2": False, "B1": False, "B2": False, "B3": True},
        **{"C1": True, "C2": False},
    }
    assert services.loc["C2", "left_out_reason"] == "closed then"
    assert services.loc["A2", "left_out_reason"] == "closed"
    assert services["next_opening"].to_dict() == {
        **dict.fromkeys(["A1", "A2", "B1", "B2", "B3", "C1"], ""),
        "C2": "2026-04-27T10:00",
    }
    parameters = monday_at_nine.manifest["parameters"]
    assert parameters["at"] == "2026-04-27 09:00"
    assert parameters["stay_min"] == 15.0
    assert monday_at_nine.manifest["dropped"]["services"]["closed then"] == 1


def test_ranges_stand_beside_the_figures(monday_at_nine: Coverage) -> None:
    coverage = monday_at_nine
    any_time = analyse(town_with_hours())
    city, whole = (c.city.set_index("category") for c in (coverage, any_time))
    # the baths are open; the lockers are a discreet place, whose hours are not told
    assert city.loc["bains_douches", "covered_pct"] == whole.loc["bains_douches", "covered_pct"]
    assert city.loc["bagagerie", "covered_pct"] == 0
    assert city.loc["bagagerie", "covered_at_most_pct"] == whole.loc["bagagerie", "covered_pct"]
    assert 0 == city.loc["esi", "covered_pct"] < city.loc["esi", "covered_at_most_pct"]
    assert city.loc["esi", "covered_at_most_pct"] < whole.loc["esi", "covered_pct"]
    assert city.loc["essential_all", "covered_pct"] == 0
    cells = coverage.cells
    at_most = cells["essentials_within"] + sum(
        cells[f"perhaps_{c}"].astype(int) for c in toy_town.CATEGORIES
    )
    assert (cells["essentials_at_most"] == at_most).all()
    composite = coverage.composite[coverage.composite["level"] == "city"]
    for number, pct in zip(
        composite["essentials_within"], composite["area_pct_at_most"], strict=True
    ):
        on = cells["on_network"]
        assert pct == pytest.approx(100 * (cells.loc[on, "essentials_at_most"] == number).mean())


def test_without_an_hour_nothing_is_added(toy_coverage: Coverage) -> None:
    plain = analyse(town_with_hours())
    assert plain.week is None
    for table in ("cells", "services", "gaps", "indicators", "composite"):
        columns = set(getattr(plain, table).columns)
        assert columns == set(getattr(toy_coverage, table).columns)
        added = {c for c in columns if "at_most" in c or "perhaps_" in c or c == "open_then"}
        assert not added
    assert "stay_min" not in plain.manifest["parameters"]
    assert set(plain.manifest["dropped"]["services"]) <= {"closed", "no street within reach"}


def test_gaps_that_another_hour_would_close() -> None:
    # On a Sunday at 13:00 all are closed but those of unknown hours.
    sunday = analyse(town_with_hours(at=AT(2026, 5, 3, 13)))
    gaps = sunday.gaps
    baths = gaps[gaps["category"] == "bains_douches"]
    assert set(baths["cause"]) == {"closed", "barrier"}  # the river is one at any hour
    closed = baths[baths["cause"] == "closed"]
    assert set(closed["next_opening"]) == {"2026-05-04T08:00"}
    assert set(baths.loc[baths["cause"] == "barrier", "next_opening"]) == {""}
    # what is closed then is what is covered by day: each of these cells is a hectare
    by_day = analyse(town_with_hours())
    covered = by_day.city.set_index("category")["covered_ha"]
    assert closed["area_ha"].sum() == pytest.approx(covered["bains_douches"])
    lockers = gaps[(gaps["category"] == "bagagerie") & (gaps["cause"] == "unknown_hours")]
    assert lockers["area_ha"].sum() == pytest.approx(covered["bagagerie"])
    assert set(lockers["next_opening"]) == {""}
    esi = gaps[gaps["category"] == "esi"].groupby("cause")["next_opening"].agg(set)
    assert esi["closed"] == {"2026-05-04T10:00"}
    assert "unknown_hours" in esi.index
    assert gaps["gap_id"].is_unique
    assert gaps.geometry.is_valid.all()


def test_a_window_is_for_who_can_come_at_some_time_in_it() -> None:
    def open_then(**asked: Any) -> dict[str, str]:
        services = analyse(town_with_hours(**asked)).services
        return dict(zip(services["service_id"], services["open_then"], strict=True))

    sunday = dt.date(2026, 5, 3)
    evening = open_then(on=sunday, between=(dt.time(11, 50), dt.time(22)))
    assert (evening["A1"], evening["C2"]) == ("closed", "closed")
    noon = open_then(on=sunday, between=(dt.time(11, 45), dt.time(12, 30)))
    assert noon["C2"] == "open"
    assert open_then(on=sunday)["C2"] == "open"
    # a day of the week is one of the reference week; past midnight is the day after
    night = (dt.time(22), dt.time(8, 15))
    assert open_then(on=6, between=night, week_of=MONDAY)["A1"] == "open"
    assert open_then(on=4, between=night, week_of=MONDAY)["A1"] == "closed"
    # 1 May is a Friday of that week
    assert open_then(on=4, week_of=MONDAY)["C2"] == "closed"
    assert open_then(on=3, week_of=MONDAY)["C2"] == "open"


def test_a_stay_decides_how_late_is_in_time() -> None:
    late = AT(2026, 4, 27, 17, 20)
    for stay_min, word in ((5.0, "open"), (10.0, "open"), (15.0, "closed"), (0.0, "open")):
        services = analyse(town_with_hours(at=late, stay_min=stay_min)).services
        assert services.set_index("service_id").loc["A1", "open_then"] == word


def test_rows_that_hold_no_more_are_unknown() -> None:
    study = town_with_hours(at=AT(2026, 4, 27, 9))
    table = study.services.table.assign(valid_from="", valid_to="")
    here = table["service_id"] == "A1"
    for bound, day, word in (
        ("valid_to", "2026-04-27", "open"),
        ("valid_to", "2026-04-26", "unknown"),
        ("valid_from", "2026-04-28", "unknown"),
        ("valid_from", "soon", "open"),
    ):
        changed = table.copy()
        changed.loc[here, bound] = day
        services = Services(table=changed, problems=study.services.problems)
        found = analyse(study.replace(services=services)).services
        assert found.set_index("service_id").loc["A1", "open_then"] == word


# --- discretion ----------------------------------------------------------------------------------


def test_nothing_tells_when_a_discreet_place_is_open(tmp_path: Path) -> None:
    folders = []
    for k, hours in enumerate(("24/7", "Mo 08:00-09:30", "off")):
        study = town_with_hours(
            {**TOWN_HOURS, "B3": hours}, at=AT(2026, 4, 27, 9), week=True, week_of=MONDAY
        )
        coverage = analyse(study)
        folders.append(tmp_path / str(k))
        write_results(coverage, folders[-1])
    for name in (*(n for n in RESULT_FILES if n.endswith(".csv")), *WEEK_FILES):
        contents = [(folder / name).read_bytes() for folder in folders]
        assert contents[0] == contents[1] == contents[2], name


def test_a_published_week_has_its_places_in_the_published_services(weekly: Coverage) -> None:
    shown = publishable(weekly)
    assert weekly.week is not None
    assert shown.week is not None
    before, after = (list(c.services["service_id"]) for c in (weekly, shown))
    assert "B3" in before
    assert "B3" not in after
    for category in weekly.week.categories:
        for true, told in zip(weekly.week.sets[category], shown.week.sets[category], strict=True):
            for mine, theirs in ((true.open, told.open), (true.unknown, told.unknown)):
                assert [after[s] for s in theirs] == [before[s] for s in mine if before[s] != "B3"]
    assert_frame_equal(shown.week.table, weekly.week.table)


# --- files and reports ---------------------------------------------------------------------------


def test_the_week_is_written_read_and_taken_away(monday_at_nine: Coverage, tmp_path: Path) -> None:
    written = write_results(monday_at_nine, tmp_path)
    assert set(written) == {*RESULT_FILES, *WEEK_FILES}
    results = read_results(tmp_path)
    assert monday_at_nine.week is not None
    assert results.week_table is not None
    table = monday_at_nine.week.table
    assert_frame_equal(results.week_table, table, check_dtype=False, atol=0.06, rtol=0)
    assert_frame_equal(pd.read_parquet(tmp_path / "week.parquet"), table, check_dtype=False)
    told = pd.read_csv(tmp_path / "data_dictionary.csv")
    columns = set(told.loc[told["table"] == "week", "column"])
    assert columns == {*table.columns, "internal"}  # the town is asked with its hidden places
    assert {"perhaps_esi", "essentials_at_most"} <= set(told["column"])
    cells = gpd.read_parquet(tmp_path / "cells.parquet")
    assert cells["perhaps_esi"].any()
    for format_ in ("json", "md", "html", "csv"):
        live = render_report(monday_at_nine, format=format_)  # type: ignore[arg-type]
        assert live == render_report(results, format=format_)  # type: ignore[arg-type]
    (tmp_path / "week.csv").write_text("category\n", encoding="utf-8")
    assert results.changed_files() == ["week.csv"]

    write_results(analyse(town_with_hours()), tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == set(RESULT_FILES)
    assert read_results(tmp_path).week_table is None
    told = pd.read_csv(tmp_path / "data_dictionary.csv")
    assert "week" not in set(told["table"])
    assert not told["column"].str.contains("at_most").any()


def test_a_week_too_long_for_a_spreadsheet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The text has the whole town alone, and says so; no district's hours are lost."""
    asked = town_with_hours().replace(week=True, week_of=MONDAY)
    rows = 5 * 3 * HOURS
    monkeypatch.setattr(bounds, "MOST_WEEK_ROWS", rows)
    assert "week" not in set(analyse(asked).problems["field"])
    monkeypatch.setattr(bounds, "MOST_WEEK_ROWS", rows - 1)
    coverage = publishable(analyse(asked))
    assert coverage.week is not None
    told = coverage.problems[coverage.problems["field"] == "week"].iloc[0]
    assert told["value"] == f"{rows:,}"
    for text in (told["reason"], told["action"]):
        assert problem_words(text, "fr") not in {"", text}
    write_results(coverage, tmp_path)
    results = read_results(tmp_path)
    assert results.week_table is not None
    assert set(results.week_table["district_id"]) == {""}
    assert len(results.week_table) == 5 * HOURS
    every = pd.read_parquet(tmp_path / "week.parquet")
    assert_frame_equal(every, coverage.week.table, check_dtype=False)
    for district in ("Est", "Ouest", None):
        chosen = [district] if district else []
        live, read = (
            json.loads(render_report(one, format="json", districts=chosen))["week"]
            for one in (coverage, results)
        )
        assert live == read
        assert [place["label"] for place in read["places"]] == [district or "Petite Ville"]
    every.iloc[:-1].to_parquet(tmp_path / "week.parquet")
    with pytest.raises(InputFileError, match=r"week\.parquet: is not the file that was written"):
        render_report(results, format="json", districts=["Est"])


def test_reports_tell_the_hour_and_the_week(monday_at_nine: Coverage) -> None:
    content = json.loads(render_report(monday_at_nine, format="json", lang="en"))
    assert "Monday 27 April 2026, 09:00" in content["hours"]["sentence"]
    assert [day["label"] for day in content["week"]["days"]][:2] == ["Monday", "Tuesday"]
    (place,) = content["week"]["places"]
    assert place["district_id"] == ""
    assert monday_at_nine.week is not None
    table = monday_at_nine.week.table.set_index(["category", "district_id", "hour"])
    for one in place["categories"]:
        flat = [pair for day in one["hours"] for pair in day]
        assert len(flat) == HOURS
        for hour, (least, most) in enumerate(flat):
            row = table.loc[(one["category"], "", hour)]
            assert least == pytest.approx(row["residents_at_least_pct"], abs=0.006)
            assert most == pytest.approx(row["residents_at_most_pct"], abs=0.006)
    html = render_report(monday_at_nine, format="html", lang="fr")
    assert "lundi 27 avril 2026 à 9\u00a0h" in html
    # Three change within the week; the others are told in a sentence.
    assert html.count('<table class="week">') == 3
    assert html.count("% à toute heure de la semaine") == 2
    start = html.index('<table class="week">')
    first = html[start : html.index("</table>", start)]
    # Days that are alike share a line: those of the week, then Saturday and Sunday.
    assert first.count("<td title=") == 2 * 24
    assert 'title="lundi à vendredi 08:00' in first
    assert 'title="samedi et dimanche 23:00 · 0 %"' in first
    assert "Férié\u00a0: vendredi 1er mai 2026." in html
    assert "au moins" in html
    only = render_report(monday_at_nine, format="json", districts=["Est"], categories=["esi"])
    (place,) = json.loads(only)["week"]["places"]
    assert (place["district_id"], place["label"]) == ("E", "Est")
    assert [one["category"] for one in place["categories"]] == ["esi"]
    text = render_report(monday_at_nine, lang="fr")
    assert "fermé" in text
    assert "  lu " in text
    markdown = render_report(monday_at_nine, format="md", lang="en")
    assert "opens Monday 27 April 2026, 10:00" in markdown


def test_ranges_are_rounded_to_the_nearest() -> None:
    assert range_words(12.2, 30.6) == "12–31"
    assert range_words(12.6, 30.1) == "13–30"
    assert range_words(12.4, 12.4) == range_words(11.6, 12.4) == "12"
    assert range_words(float("nan"), 3.0) == "—"
    # What is little does not read as nothing, nor almost all as all.
    assert range_words(0.0, 0.4) == "0–<1"
    assert range_words(0.3, 0.5) == "<1"
    assert range_words(99.4, 99.6) == "99–>99"
    assert range_words(0.0, 100.0) == "0–100"
    assert [shade(pct) for pct in (0.0, 0.1, 25.0, 60.0, 99.0, 100.0)] == [
        "·",
        "░",
        "▒",
        "▓",
        "█",
        "█",
    ]


# --- what is asked -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("read", "said"),
    [
        (lambda: read_at("nonsense"), "nonsense"),
        (lambda: read_at("2026-12-06"), "day without a time"),
        (lambda: read_at("2026-13-06 18:00"), "2026-13-06"),
        (lambda: read_day("dimanch"), "dimanche"),
        (lambda: read_day("someday"), "someday"),
        (lambda: read_between("18:00", "25:00"), "25:00"),
        (lambda: read_between("18:00", "18:00"), "no time at all"),
        (lambda: read_between("", "18:00"), "''"),
    ],
)
def test_wrong_moments_are_told(read: Callable[[], object], said: str) -> None:
    with pytest.raises(StudyFileError) as error:
        read()
    assert said in str(error.value)
    assert error.value.hint


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"at": AT(2026, 5, 3, 10), "on": 6}, "not about both"),
        ({"between": (dt.time(18), dt.time(22))}, "no day"),
        ({"on": 6, "between": (dt.time(18), dt.time(18, 10))}, "shorter than a stay"),
        ({"stay_min": -1.0}, "stay_min"),
        ({"stay_min": float("nan")}, "stay_min"),
        ({"stay_min": 1e12}, "stay_min"),
        ({"at": AT(9999, 12, 31, 23, 50)}, "year 9999"),
        ({"on": dt.date(1, 1, 1)}, "year 1"),
        ({"week": True, "week_of": dt.date(9999, 12, 31)}, "year 9999"),
        ({"country": "Paris"}, "country"),
    ],
)
def test_studies_that_ask_for_nonsense(asked: dict[str, Any], said: str) -> None:
    with pytest.raises(StudyFileError, match=said):
        town_with_hours(**asked)


def test_days_and_times_in_both_languages() -> None:
    assert read_day("dimanche") == read_day("Sunday") == read_day(" di ") == 6
    assert read_day("2026-12-06") == dt.date(2026, 12, 6)
    assert read_between("18h", "22h30") == (dt.time(18), dt.time(22, 30))
    assert read_between("00:00", "24:00") == (dt.time(), dt.time())
    abroad = town_with_hours(at=read_at("2026-12-06T18:00+00:00")).moment
    assert abroad is not None
    assert abroad.start == AT(2026, 12, 6, 19)
    assert read_at("2026-12-06T18:00") == read_at("2026-12-06 18:00") == AT(2026, 12, 6, 18)


@pytest.mark.parametrize(
    ("start", "end", "french", "english"),
    [
        (
            *("2025-09-21T18:00", "2025-09-21T22:00"),
            "le dimanche 21 septembre 2025, de 18 h à 22 h",
            "on Sunday 21 September 2025, from 18:00 to 22:00",
        ),
        (
            *("2025-09-21T00:00", "2025-09-22T00:00"),
            "le dimanche 21 septembre 2025, de 0 h à 24 h",
            "on Sunday 21 September 2025, from 00:00 to 24:00",
        ),
        (
            *("2025-09-20T22:30", "2025-09-21T02:05"),
            "du samedi 20 septembre 2025, 22 h 30, au dimanche 21 septembre 2025, 2 h 05",
            "from Saturday 20 September 2025, 22:30, to Sunday 21 September 2025, 02:05",
        ),
    ],
)
def test_a_part_of_a_day_is_written_as_one(start: str, end: str, french: str, english: str) -> None:
    assert format_window(start, end, "fr").replace("\u00a0", " ") == french
    assert format_window(start, end, "en") == english


def test_the_headline_says_what_was_asked() -> None:
    def headline(lang: str, **asked: Any) -> str:
        content = report_content(analyse(town_with_hours(**asked)), lang=lang)
        return str(content["summary"]["sentence"])

    on_sunday = {"on": dt.date(2026, 5, 3), "between": (dt.time(2), dt.time(3))}
    told = headline("fr", **on_sunday)
    assert told.startswith("Dans cette plage horaire, ")
    assert "À cette heure" not in told
    assert headline("en", **on_sunday).startswith("Within that time, ")
    assert headline("fr", at=AT(2026, 4, 27, 9)).startswith("À cette heure, ")


def test_ends_that_read_alike_are_one_figure(monday_at_nine: Coverage) -> None:
    def headline(most: float) -> str:
        table = shown.composite.assign(residents_pct=12.3, residents_pct_at_most=most)
        content = report_content(dataclasses.replace(shown, composite=table))
        return str(content["summary"]["sentence"]).replace("\u202f", " ")

    shown = publishable(monday_at_nine)
    assert "À cette heure, 12,3 % des" in headline(12.31)
    assert "12,3 % les ont tous" in headline(12.31)
    assert "au moins" not in headline(12.31)
    assert "au moins 12,3 % et au plus 45,6 % les ont tous" in headline(45.6)


def test_the_reference_week_is_that_of_the_newest_source() -> None:
    study = town_with_hours(week=True)
    assert study.reference_day == dt.date(2026, 1, 1)  # as the toy town's sources say
    table = study.services.table.assign(source_date="2014/2015")
    services = Services(table=table, problems=study.services.problems)
    with pytest.raises(StudyFileError, match="week_of"):
        study.replace(services=services)
    given_ = study.replace(services=services, week_of=MONDAY)
    assert given_.reference_day == MONDAY
    assert services is given_.services


def test_a_cell_exactly_at_the_threshold_has_an_opening() -> None:
    """Whatever is covered within the threshold opens within it: both forgive the same."""
    minutes = np.array([15.0, 15.0 * (1 + 1e-12), 15.0 * (1 + 1e-6)])
    reach = Reach(
        offsets=np.array([0, 3]),
        place=np.arange(3, dtype=np.int32),
        minutes=minutes,
        n_places=3,
        limit_min=16.0,
    )
    monday = np.datetime64("2026-04-27T09:00", "m")
    known = Certainty(
        would=np.array([True]),
        state=np.array([CLOSED], dtype=np.int8),
        opens=np.array([monday]),
        admitted=np.array([YES], dtype=np.int8),
    )
    [cells] = known.of_cells(
        np.array(["esi"], dtype=object),
        {"esi": np.zeros(3, dtype=bool)},
        essentials=["esi"],
        reach=reach,
        threshold_min=15.0,
    ).values()
    assert cells.any_time.tolist() == [True, True, False]
    assert cells.opens.tolist() == [monday.item(), monday.item(), NEVER.item()]


def test_study_files_ask_too(tmp_path: Path) -> None:
    study_file = add(
        write_town(tmp_path),
        '[analysis]\non = "vendredi"\nbetween = ["9:00", "12h"]\nstay_min = 20\n'
        'week_of = "2026-04-29"',
    )
    study = read_study(study_file)
    assert study.moment is not None
    assert (study.moment.start, study.moment.end) == (AT(2026, 5, 1, 9), AT(2026, 5, 1, 12))
    assert (study.stay_min, study.week, study.week_of) == (20, True, dt.date(2026, 4, 29))
    for wrong in ('at = "soon"', 'on = "vendredy"', 'between = ["9:00"]', "stay_min = -1"):
        text = study_file.read_text(encoding="utf-8").split("[analysis]")[0]
        study_file.write_text(f"{text}[analysis]\n{wrong}\n", encoding="utf-8")
        with pytest.raises(StudyFileError):
            read_study(study_file)


@thorough
def test_the_command_line_asks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study = str(add(write_town(tmp_path), '[analysis]\non = "mardi"'))
    table = pd.read_csv(tmp_path / "services.csv", dtype=str)
    table["opening_hours"] = table["service_id"].map(TOWN_HOURS)
    table.to_csv(tmp_path / "services.csv", index=False)

    def report(*flags: str) -> dict[str, Any]:
        assert main(["report", study, "--json", "--no-cache", *flags]) == 0
        content: dict[str, Any] = json.loads(capsys.readouterr().out)
        return content

    assert report()["hours"]["at"] == "2025-12-30 00:00"  # the file's own question
    asked = report("--at", "2026-04-27 17:20", "--stay", "5", "--week-of", "2026-04-27")
    assert asked["hours"]["at"] == "2026-04-27 17:20"
    assert asked["hours"]["stay_min"] == 5
    assert report("--at", "2026-04-27 17:20", "--stay", "0")["hours"]["stay_min"] == 0
    assert asked["week"]["week_of"] == "2026-04-27"
    baths = next(row for row in asked["city"] if row["category"] == "bains_douches")
    assert baths["services_inside"] == 1
    crossing = report("--on", "sunday", "--between", "22:00", "08:15", "--week")
    assert (crossing["hours"]["at"], crossing["hours"]["until"]) == (
        *("2026-01-04 22:00", "2026-01-05 08:15"),
    )
    assert crossing["week"]["week_of"] == "2025-12-29"
    folder = tmp_path / "results"
    assert main(["analyse", study, "-o", str(folder), "--week-of", "2026-04-27", "--no-cache"]) == 0
    assert (folder / "week.csv").is_file()
    capsys.readouterr()
    assert main(["report", str(folder), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["week"]["week_of"] == "2026-04-27"
    assert main(["report", str(folder), "--at", "2026-04-27 10:00"]) == 3
    for flags in (
        ("--at", "nonsense"),
        ("--on", "dimanch"),
        ("--at", "2026-04-27 10:00", "--on", "sunday"),
        ("--on", "sunday", "--between", "22:00", "22:00"),
        ("--week-of", "april"),
    ):
        capsys.readouterr()
        assert main(["report", study, "--no-cache", *flags]) == 4, flags
        assert "Error: " in capsys.readouterr().err


# --- Paris ---------------------------------------------------------------------------------------


@thorough
def test_five_bains_douches_of_paris(tmp_path: Path) -> None:
    """What the packaged hours say of five places, read by hand, and what the tables make of it."""
    cache = Cache(tmp_path)
    study = Study.paris(cache=cache, week=True, week_of=MONDAY, date=MONDAY)
    coverage = analyse(study, cache=cache)
    week, ids = coverage.week, list(coverage.services["service_id"])
    assert week is not None

    def open_at(day: int, hour: int) -> set[str]:
        k = week.state_of_hour["bains_douches"][day * 24 + hour]
        assert week.sets["bains_douches"][k].unknown == ()
        return {ids[s].rsplit("-", 1)[1] for s in week.sets["bains_douches"][k].open}

    five = {"merri", "ponts", "audubon", "cailles", "meaux"}
    assert open_at(0, 10) & five == {"merri", "meaux"}  # Monday morning
    assert open_at(0, 15) & five == {"audubon"}  # Monday afternoon
    assert open_at(1, 10) & five == {"merri", "cailles", "meaux"}  # Tuesday morning
    assert open_at(6, 15) == set()  # Sunday afternoon: nobody
    assert open_at(6, 12) & five == {"merri", "cailles", "meaux"}  # until 12:30
    assert open_at(4, 10) == set()  # 1 May, a Friday
    assert open_at(0, 10) == {"merri", "oberkampf", "blomet", "ney", "meaux", "pyrenees"}
    assert not open_at(1, 10) & {"rouvet", "bidassoa"}
    city = week.table[
        (week.table["category"] == "bains_douches") & (week.table["district_id"] == "")
    ]
    least, most = (city[name].to_numpy() for name in ("at_least_pct", "at_most_pct"))
    assert (least == most).all()  # all their hours are known
    assert (least[4 * 24 : 5 * 24] == 0).all()
    assert least[6 * 24 + 15] == 0
    monday = study.replace(week=False, at=AT(2026, 4, 27, 10))
    by_hand = analyse(monday, cache=cache)
    baths = by_hand.city.set_index("category").loc["bains_douches"]
    assert baths["services_inside"] == 6
    assert baths["covered_pct"] == pytest.approx(least[10])
    out = by_hand.services.set_index("service_id")
    assert out.loc["bains_douches-75004-deux-ponts", "left_out_reason"] == "closed then"
    assert out.loc["bains_douches-75004-deux-ponts", "next_opening"] == "2026-04-28T12:00"
    assert out.loc["bains_douches-75012-audubon", "next_opening"] == "2026-04-27T12:00"
    assert np.array_equal(
        by_hand.cells["status_bains_douches"].isin(["covered", "borderline_covered"]),
        week.cell_states("bains_douches", week.state_of_hour["bains_douches"][10]) == 2,
    )
