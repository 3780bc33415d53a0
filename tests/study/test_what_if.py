"""What if: a scenario is a whole analysis of the changed study, and an empty one is the base."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyproj
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers import toy_town
from helpers.project import thorough
from helpers.study_files import read_town, write_town
from quart_heure.analysis.placement import OUTSIDE
from quart_heure.cli import main
from quart_heure.errors import StudyFileError
from quart_heure.outputs.discretion import publishable
from quart_heure.outputs.report.what_if import render_what_if
from quart_heure.profiles import STEP_FREE
from quart_heure.schema import table_columns
from quart_heure.study import Coverage, Study, analyse
from quart_heure.study import what_if as what_if_module
from quart_heure.study.changed import changed_study
from quart_heure.study.scenario import (
    Add,
    Cut,
    Link,
    Move,
    NewCapacity,
    NewHours,
    Scenario,
    read_scenarios,
    scenarios_of,
)
from quart_heure.study.what_if import Outcome, what_if

FIELDS = ("minutes", "nearest", "status", "in_reach")


@pytest.fixture(scope="module")
def base() -> Coverage:
    for seed in range(11, 40):
        coverage = analyse(toy_town.random_town(seed, n_services=6).study())
        if coverage.services["counted"].sum() >= 4:
            return coverage
    raise AssertionError


def shown(base: Coverage) -> list[str]:
    return list(base.services.loc[~base.services["discreet"].astype(bool), "service_id"])


def degrees(study: Study, x: float, y: float) -> tuple[float, float]:
    to_degrees = pyproj.Transformer.from_crs(study.area.crs, 4326, always_xy=True)
    lon, lat = to_degrees.transform(x, y)
    return lat, lon


def place_of(base: Coverage, name: str) -> tuple[float, float]:
    point = base.services.set_index("service_id").geometry[name]
    return degrees(base.study, point.x, point.y)


def assert_same(outcome: Outcome, coverage: Coverage) -> None:
    assert set(outcome.answers) == set(coverage.answers)
    for name, wanted in coverage.answers.items():
        for field in FIELDS:
            found = getattr(outcome.answers[name], field)
            np.testing.assert_array_equal(found, getattr(wanted, field), err_msg=f"{name} {field}")


def test_an_empty_scenario_is_the_base(base: Coverage) -> None:
    (outcome,) = what_if(base, [Scenario(name="nothing")])
    assert outcome.touched == ()
    assert_same(outcome, base)
    assert not outcome.changes[["ha_gained", "ha_lost"]].to_numpy().any()


@given(seed=st.integers(0, 40), data=st.data())
def test_a_scenario_is_a_whole_analysis_of_the_changed_study(
    seed: int, data: st.DataObject
) -> None:
    base = analyse(toy_town.random_town(seed, n_services=5).study())
    ids = shown(base)
    close = data.draw(st.lists(st.sampled_from(ids), max_size=2, unique=True))
    rest = [name for name in ids if name not in close]
    at = data.draw(st.sampled_from(ids))
    lat, lon = place_of(base, at)
    category = data.draw(st.sampled_from(base.study.categories))
    move = [Move(service=rest[0], lat=lat, lon=lon)] if rest and data.draw(st.booleans()) else []
    add = [Add(category=category, lat=lat, lon=lon)] if data.draw(st.booleans()) else []
    scenario = Scenario(name="s", close=tuple(close), move=tuple(move), add=tuple(add))
    try:
        (outcome,) = what_if(base, [scenario])
    except StudyFileError as error:
        assert "no useful street" in str(error)
        return
    whole = analyse(changed_study(base.study, scenario))
    assert_same(outcome, whole)
    after = whole.city.set_index("category")["covered_ha"]
    city = outcome.changes[outcome.changes["level"] == "city"].set_index("category")
    np.testing.assert_allclose(city["ha_covered_after"], after[city.index], atol=1e-5)
    balance = city["ha_covered_before"] + city["ha_gained"] - city["ha_lost"]
    np.testing.assert_allclose(city["ha_covered_after"], balance, atol=1e-5)


def test_parts_that_win_or_lose_their_service_are_entered_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Cells leave a part of the streets without a service: then all categories change."""
    wholes = []
    real = what_if_module._whole

    def whole(base: Coverage, scenario: Scenario, study: Study) -> Outcome:
        wholes.append(scenario.name)
        return real(base, scenario, study)

    monkeypatch.setattr(what_if_module, "_whole", whole)
    services = toy_town.town_services()
    shown_all = services.table.assign(discreet=False)
    base = analyse(
        toy_town.town_study(
            network=toy_town.town_network(bridge=False),
            services=dataclasses.replace(services, table=shown_all),
        )
    )
    counted = base.services["counted"].to_numpy(dtype=bool)
    away = ~base.prepared.parts.largest[base.attachment.nearest_edge] & counted
    assert away.any()
    assert (counted & ~away).any()
    close = tuple(base.services.loc[away, "service_id"])
    scenario = Scenario(name="all across the river", close=close)
    (outcome,) = what_if(base, [scenario])
    assert_same(outcome, analyse(changed_study(base.study, scenario)))
    # And the way back: a part without a service gets its first one.
    lat, lon = place_of(base, close[0])
    opened = Scenario(name="first", add=(Add(category="esi", lat=lat, lon=lon),))
    (again,) = what_if(outcome.coverage, [opened])
    assert_same(again, analyse(changed_study(outcome.study, opened)))
    assert wholes == ["all across the river", "first"]


def test_another_question_is_another_analysis(base: Coverage) -> None:
    slow, short = Scenario(name="p", profile="step_free"), Scenario(name="t", threshold_min=4)
    one, two = what_if(base, [slow, short])
    assert one.study.profile is STEP_FREE
    whole = analyse(base.study.replace(profile=STEP_FREE))
    assert_same(one, whole)
    assert_same(two, analyse(base.study.replace(threshold_min=4)))
    after = whole.city.set_index("category")["residents_covered_pct"]
    city = one.changes[one.changes["level"] == "city"].set_index("category")
    np.testing.assert_allclose(city["residents_covered_pct_after"], after[city.index])


def test_what_nobody_can_reach_changes_nothing(base: Coverage) -> None:
    lat, lon = degrees(base.study, *(base.study.area.geometry.bounds[:2] - np.array(50_000)))
    (outcome,) = what_if(base, [Scenario(name="s", add=(Add(category="esi", lat=lat, lon=lon),))])
    added = outcome.services.set_index("service_id").loc["added-1"]
    assert added["left_out_reason"] == OUTSIDE
    for name, one in outcome.answers.items():
        for field in ("minutes", "status", "in_reach"):
            wanted = getattr(base.answers[name], field)
            np.testing.assert_array_equal(getattr(one, field), wanted)


def test_there_and_back_and_one_for_another_change_nothing(base: Coverage) -> None:
    services = base.services.set_index("service_id")
    for name in services.index[services["counted"]]:
        lat, lon = place_of(base, name)
        category = services.loc[name, "category"]
        back = Scenario(name="back", move=(Move(service=name, lat=lat, lon=lon),))
        swap = Scenario(name="swap", close=(name,), add=(Add(category=category, lat=lat, lon=lon),))
        for outcome in what_if(base, [back, swap]):
            for key, one in outcome.answers.items():
                # Degrees and back is no nearer than a billionth of a metre.
                np.testing.assert_allclose(one.minutes, base.answers[key].minutes, atol=1e-7)
                np.testing.assert_array_equal(one.status, base.answers[key].status)


def test_changes_apart_agree_in_either_order(base: Coverage) -> None:
    first, second, *_ = base.services.loc[base.services["counted"], "service_id"]
    lat, lon = place_of(base, second)
    one = Scenario(name="one", close=(first,))
    two = Scenario(name="two", add=(Add(category="esi", lat=lat, lon=lon),))
    both = Scenario(name="both", close=one.close, add=two.add)
    study = base.study
    orders = [
        changed_study(changed_study(study, one), two),
        changed_study(changed_study(study, two), one),
        changed_study(study, both),
    ]
    (outcome,) = what_if(base, [both])
    for changed in orders:
        assert_same(outcome, analyse(changed))


def test_discreet_places_count_and_are_not_changed() -> None:
    for seed in range(4):
        study = toy_town.random_town(seed, n_services=6).study()
        table = study.services.table.copy()
        table["discreet"] = table["service_id"].isin(table["service_id"].iloc[:2])
        services = dataclasses.replace(study.services, table=table)
        base = analyse(study.replace(services=services, private=True))
        scenario = Scenario(name="s", close=tuple(shown(base)))
        (outcome,) = what_if(base, [scenario])
        assert len(outcome.services) == 2
        assert_same(outcome, analyse(changed_study(base.study, scenario)))
        told = render_what_if([outcome], form="json") + render_what_if([outcome], form="md")
        for name in outcome.services["name"]:
            assert name not in told


def spot(x: float, y: float) -> tuple[float, float]:
    """Return latitude and longitude of a place of the town."""
    return degrees(toy_town.town_study(), toy_town.ORIGIN[0] + x, toy_town.ORIGIN[1] + y)


def link_of(one: tuple[float, float], other: tuple[float, float]) -> Link:
    (lat, lon), (to_lat, to_lon) = spot(*one), spot(*other)
    return Link(lat=lat, lon=lon, to_lat=to_lat, to_lon=to_lon)


def cut_at(x: float, y: float) -> Cut:
    lat, lon = spot(x, y)
    return Cut(lat=lat, lon=lon)


def same_minutes(one: Coverage, other: Coverage) -> None:
    for category in toy_town.CATEGORIES:
        name = f"minutes_{category}"
        np.testing.assert_allclose(one.cells[name], other.cells[name], atol=1e-6)


def test_a_link_is_the_bridge_that_was_not_there() -> None:
    town = toy_town.town_study()
    bare = analyse(town.replace(network=toy_town.town_network(bridge=False)))
    link = link_of((1000, 800), (1000, 1100))
    (found,) = what_if(bare, [Scenario(name="bridge", link=(link,))])
    same_minutes(found.coverage, analyse(town))
    assert found.changes["residents_gained"].sum() > 0
    assert (found.changes["residents_lost"] == 0).all()


def test_a_cut_takes_the_bridge_out() -> None:
    town = toy_town.town_study()
    (found,) = what_if(analyse(town), [Scenario(name="cut", cut=(cut_at(1003, 950),))])
    bare = analyse(town.replace(network=toy_town.town_network(bridge=False)))
    same_minutes(found.coverage, bare)
    assert (found.changes["residents_gained"] == 0).all()


def test_a_link_divides_the_streets_where_it_lands() -> None:
    """From the middle of one block to the middle of another: half a block each way from there."""
    town = toy_town.town_study()
    before = analyse(town)
    link = link_of((900, 800), (900, 1100))
    (found,) = what_if(before, [Scenario(name="passage", link=(link,))])
    network = found.study.network
    assert len(network.u) == len(town.network.u) + 3
    assert network.length_m.sum() == pytest.approx(town.network.length_m.sum() + 300)
    after = found.coverage.cells
    for category in toy_town.CATEGORIES:
        name = f"minutes_{category}"
        assert (after[name].fillna(0) <= before.cells[name].fillna(0) + 1e-6).all()
    (twice,) = what_if(before, [Scenario(name="two alike", link=(link, link))])
    same_minutes(twice.coverage, found.coverage)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"cut": (Cut(lat=48.9, lon=2.2),)}, "no useful street within 100 m"),
        ({"link": (link_of((500, 800), (500, 800)),)}, "begins and ends at one point"),
        (
            {"link": (link_of((500, 800), (500, 600)),), "cut": (cut_at(500, 800),)},
            "lands on a street that is cut",
        ),
    ],
)
def test_streets_that_cannot_be_changed_are_refused(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(StudyFileError, match=says):
        what_if(analyse(toy_town.town_study()), [Scenario(name="no", **changes)])


def test_names_alike_are_refused_with_their_ids(base: Coverage) -> None:
    table = base.study.services.table.copy()
    table["name"] = ["Douches Nord", "Douches Nord", *table["name"].iloc[2:]]
    study = base.study.replace(services=dataclasses.replace(base.study.services, table=table))
    ids = ", ".join(table["service_id"].iloc[:2])
    with pytest.raises(StudyFileError, match=f"2 services are called.*{ids}"):
        changed_study(study, Scenario(name="s", close=("douches nord",)))
    with pytest.raises(StudyFileError, match="Did you mean 'Douches Nord'"):
        changed_study(study, Scenario(name="s", close=("douche nor",)))
    both = Scenario(
        name="s", close=(ids[:3],), move=(Move(service=ids[:3].upper(), lat=48.8, lon=2.3),)
    )
    assert ids[:3].upper() != ids[:3]
    with pytest.raises(StudyFileError, match="unknown service"):
        changed_study(study, both)


@thorough
def test_the_packaged_paris_changed_many_times() -> None:
    base = analyse(Study.paris(categories=("bains_douches", "esi", "bagagerie")))
    rng = np.random.default_rng(7)
    ids = base.services.loc[base.services["counted"], "service_id"].to_numpy(dtype=object)
    homes = [place_of(base, name) for name in ids]
    done: list[str] = []
    while len(done) < 20:
        kind = ("close", "add", "move", "close")[len(done) % 4]
        name = str(rng.choice(ids))
        lat, lon = homes[int(rng.integers(len(homes)))] + rng.normal(0, 5e-4, 2)
        category = str(rng.choice(base.study.categories))
        scenario = {
            "close": Scenario(name="s", close=(name,)),
            "add": Scenario(name="s", add=(Add(category=category, lat=lat, lon=lon),)),
            "move": Scenario(name="s", move=(Move(service=name, lat=lat, lon=lon),)),
        }[kind]
        try:
            (outcome,) = what_if(base, [scenario])
        except StudyFileError as error:
            assert "no useful street" in str(error)
            continue
        assert len(outcome.touched) == 1
        done.append(kind)
        # The line itself, from the network on for the first ones.
        prepared = None if len(done) < 3 else base.prepared
        assert_same(outcome, analyse(changed_study(base.study, scenario), prepared=prepared))


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study = write_town(tmp_path)
    names = read_town(study).services.table["name"].tolist()
    file = tmp_path / "s.toml"
    file.write_text("[[scenario]]\nname = 'shorter'\nthreshold_min = 10\n", encoding="utf-8")
    flags = ["--scenarios", str(file), "--close", names[0], "--name", "<b>one|less", "--no-cache"]
    assert main(["what-if", str(study), *flags, "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert [one["name"] for one in content["scenarios"]] == ["shorter", "<b>one|less"]
    assert [one["threshold_min"] for one in content["scenarios"]] == [10, 15]
    rows = content["scenario_changes"]
    assert {row["scenario"] for row in rows} == {"shorter", "<b>one|less"}
    assert all(row["residents_gained"] == 0 for row in rows)
    assert any(row["residents_lost"] > 0 for row in rows)
    target = tmp_path / "out.csv"
    assert main(["what-if", str(study), *flags, "--format", "csv", "-o", str(target)]) == 0
    capsys.readouterr()
    found = pd.read_csv(target)
    assert list(found) == [column.name for column in table_columns("scenario_changes")]
    assert len(found) == len(rows)
    for lang, says in (("fr", "Perdent"), ("en", "Lose")):
        assert main(["what-if", str(study), *flags, "--format", "md", "--lang", lang]) == 0
        text = capsys.readouterr().out
        assert says in text
        assert "<b>" not in text
        assert main(["what-if", str(study), *flags, "--lang", lang]) == 0
        assert says in capsys.readouterr().out


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        ([], "nothing to change"),
        (["--close", "Nobody knows"], "unknown service 'Nobody knows'"),
        (["--add", "esi@48.8"], "is not WHAT@LAT,LON"),
        (["--add", "48.8,2.3"], "is not WHAT@LAT,LON"),
        (["--add", "esi@nan,2.3"], "no place in degrees"),
        (["--scenarios", "missing.toml"], "there is no such scenario file"),
    ],
)
def test_nothing_is_written_of_what_is_refused(
    flags: list[str], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study, target = write_town(tmp_path), tmp_path / "out.md"
    assert main(["what-if", str(study), *flags, "--no-cache", "-o", str(target)]) in {3, 4}
    assert says in capsys.readouterr().err
    assert not target.exists()


def test_a_service_is_added_as_it_is_written(tmp_path: Path) -> None:
    base = analyse(read_town(write_town(tmp_path)))
    services = base.services.set_index("service_id")
    name = services.index[services["counted"]][0]
    lat, lon = place_of(base, name)
    category = base.study.categories[-1]
    add = Add(
        category=category,
        lat=lat,
        lon=lon,
        name="New",
        hours="Mo-Fr 09:00-17:00",
        capacity=5,
        capacity_unit="places",
    )
    (outcome,) = what_if(base, [Scenario(name="s", add=(add,))])
    row = outcome.services.set_index("service_id").loc["added-1"]
    told = row[["category", "name", "opening_hours", "capacity_value", "capacity_unit"]].tolist()
    assert told == [category, "New", "Mo-Fr 09:00-17:00", 5, "places"]
    assert row["counted"]
    point = services.geometry[name]
    assert row.geometry.distance(point) < 1e-6
    cells = base.basis.cells
    near = np.hypot(*(cells.centre_xy - [point.x, point.y]).T) < 150
    assert (outcome.answers[category].minutes[near & base.basis.on_network] < 15).any()
    for wrong in ({"capacity_unit": "elephants"}, {"hours": "when I like"}):
        with pytest.raises(StudyFileError, match=next(iter(wrong.values()))):
            what_if(base, [Scenario(name="s", add=(dataclasses.replace(add, **wrong),))])
    other = Scenario(
        name="o",
        hours=(NewHours(service=name, hours="Su 10:00-12:00"),),
        capacity=(NewCapacity(service=name, value=7, unit="meals"),),
    )
    (outcome,) = what_if(base, [other])
    row = outcome.services.set_index("service_id").loc[name]
    assert row["opening_hours"] == "Su 10:00-12:00"
    assert (row["capacity_value"], row["capacity_unit"]) == (7, "meals")
    before, after = (
        analyse(each.replace(at=dt.datetime(2026, 5, 4, 11))).services.set_index("service_id")
        for each in (base.study, outcome.study)
    )
    assert before.loc[name, "open_then"] != "closed"
    assert after.loc[name, "open_then"] == "closed"


def test_a_place_off_the_streets_is_refused_with_the_distance(base: Coverage) -> None:
    study = base.study
    west, south, east, north = study.area.geometry.bounds
    spots = [(x, y) for x in np.arange(west, east, 20) for y in np.arange(south, north, 20)]
    lost = ~base.basis.doors.at(np.array(spots)).attached
    lat, lon = degrees(study, *spots[int(np.flatnonzero(lost)[0])])
    name = base.services.loc[base.services["counted"], "service_id"].iloc[0]
    for scenario in (
        Scenario(name="a", add=(Add(category="esi", lat=lat, lon=lon),)),
        Scenario(name="m", move=(Move(service=name, lat=lat, lon=lon),)),
        Scenario(name="m", move=(Move(service=name, lat=lat, lon=lon),), threshold_min=9),
    ):
        with pytest.raises(StudyFileError, match=f"within {study.snap_m:g} m"):
            what_if(base, [scenario])


def test_gaps_that_open_are_told(base: Coverage) -> None:
    (outcome,) = what_if(base, [Scenario(name="s", close=tuple(shown(base)))])
    told = json.loads(render_what_if([outcome], form="json"))["scenario_gaps"]
    assert told
    assert {row["scenario"] for row in told} == {"s"}
    assert {row["change"] for row in told} <= {"opened", "grown"}
    grown = sum(row["opened_ha"] - row["closed_ha"] for row in told)
    wanted = outcome.coverage.gaps["area_ha"].sum() - base.gaps["area_ha"].sum()
    assert grown == pytest.approx(wanted, abs=0.01)
    assert "qui changent" in render_what_if([outcome], form="md")


def test_adding_never_makes_any_place_worse(base: Coverage) -> None:
    placed = base.services[base.services["counted"]]["service_id"]
    assert len(placed)
    for name in placed:
        lat, lon = place_of(base, name)
        for category in base.study.categories:
            (outcome,) = what_if(
                base, [Scenario(name="a", add=(Add(category=category, lat=lat, lon=lon),))]
            )
            for category_, one in outcome.answers.items():
                assert (one.minutes <= base.answers[category_].minutes).all()


def test_names_of_discreet_places_are_told_apart_from_nothing(base: Coverage) -> None:
    table = base.study.services.table.copy()
    table["discreet"] = table["service_id"] == table["service_id"].iat[0]
    table.loc[table["discreet"], "name"] = "Hidden house"
    study = base.study.replace(services=dataclasses.replace(base.study.services, table=table))
    hidden = table["service_id"].iat[0]
    said = []
    for word in ("Hidden house", hidden, "qqqqqqqq"):
        with pytest.raises(StudyFileError) as refused:
            changed_study(study, Scenario(name="s", close=(word,)))
        said.append(str(refused.value).replace(word, "…"))
    assert "unknown service" in said[0]
    assert "Hidden" not in said[1]
    assert said[0] == said[2]


def test_what_is_published_cannot_be_asked(base: Coverage) -> None:
    with pytest.raises(StudyFileError, match="Discreet places were taken out"):
        what_if(publishable(base), [Scenario(name="s")])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[[scenario", "cannot be read as TOML"),
        ("", "holds no scenario"),
        ("[[scenario]]\nclosed = ['a']", "no key 'closed'.*'close'"),
        ("[[scenario]]\nclose = 'a'", "close is 'a'"),
        ("[[scenario]]\nclose = ['a', 'a']", "twice"),
        ("[[scenario]]\n[[scenario.add]]\nlat = 1\nlon = 2", "there is no 'category'"),
        ("[[scenario]]\n[[scenario.move]]\nservice = 'a'\nlat = 99\nlon = 2", "no place"),
        ("[[scenario]]\nname = 'a'\n[[scenario]]\nname = 'a'", "two scenarios"),
    ],
)
def test_files_that_cannot_be_are_refused(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "s.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(StudyFileError, match=says):
        read_scenarios(path)


def test_the_example_of_the_documents_is_read() -> None:
    page = Path(__file__).parents[2] / "docs" / "scenarios.md"
    text = page.read_text(encoding="utf-8").split("```toml\n")[1].split("```")[0]
    first, second = scenarios_of(tomllib.loads(text), "docs")
    assert first.close == ("Bains-douches Oberkampf",)
    assert first.add[0].category == "bagagerie"
    assert first.move[0].service == "Bains-douches Meaux"
    assert second.changes_streets
