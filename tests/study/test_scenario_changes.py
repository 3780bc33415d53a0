"""Scenarios beside cover: gaps, what changes nothing, near names, places off the streets, flags."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely import Point

from helpers import toy_town
from helpers.study_files import write_town
from helpers.town_week import town_with_hours
from quart_heure.analysis.answers import COMPOSITES
from quart_heure.cli import main
from quart_heure.errors import StudyFileError
from quart_heure.outputs.degrees import degrees_of
from quart_heure.outputs.report.what_if import gap_changes, render_what_if, write_what_if
from quart_heure.schema import check_columns
from quart_heure.sources.services.capacities import CAPACITY_UNITS
from quart_heure.study import Coverage, analyse
from quart_heure.study.changed import changed_study
from quart_heure.study.scenario import Add, Move, NewCapacity, NewHours, Scenario
from quart_heure.study.what_if import what_if

ALIKE = ("gap_id", "district_id", "area_ha", "residents", "minutes_max", "cause", "street")


@pytest.fixture(scope="module")
def town() -> Coverage:
    return analyse(toy_town.town_study())


def lat_lon(coverage: Coverage, x: float, y: float) -> tuple[float, float]:
    """Degrees of a place of the toy town, by its own metres."""
    place = np.array([[x + toy_town.ORIGIN[0], y + toy_town.ORIGIN[1]]])
    lon, lat = degrees_of(place, coverage.study.area.crs)[0]
    return float(lat), float(lon)


@given(seed=st.integers(0, 30), data=st.data())
def test_gaps_after_are_those_of_a_whole_analysis(seed: int, data: st.DataObject) -> None:
    base = analyse(toy_town.random_town(seed, n_services=6).study(min_gap_ha=0.01))
    table = base.services[~base.services["discreet"].astype(bool)]
    ids = st.sampled_from(list(table["service_id"]))
    closed = data.draw(st.lists(ids, max_size=3, unique=True))
    scenario = Scenario(name="s", close=tuple(closed))
    (outcome,) = what_if(base, [scenario])
    whole = analyse(changed_study(base.study, scenario))
    before, after = outcome.gaps
    moved = set(before["category"]) | set(after["category"])
    for found, every in ((before, base.gaps), (after, whole.gaps)):
        wanted = every[every["category"].isin(moved)].reset_index(drop=True)
        for column in ALIKE:
            assert found[column].tolist() == pytest.approx(wanted[column].tolist(), nan_ok=True)
        assert found.geometry.geom_equals(wanted.geometry).all()
    # Of the others no gap has changed.
    for name in set(base.gaps["category"]) | set(whole.gaps["category"]):
        if name not in moved:
            one, other = (each[each["category"] == name] for each in (base.gaps, whole.gaps))
            assert one["area_ha"].tolist() == pytest.approx(other["area_ha"].tolist())


def test_a_gap_grows_by_what_its_scenario_loses(town: Coverage) -> None:
    (outcome,) = what_if(town, [Scenario(name="s", close=("A1",))])
    table = gap_changes([outcome])
    check_columns(table, "scenario_gaps")
    baths = table[table["category"] == "bains_douches"]
    assert set(baths["change"]) <= {"grown", "opened"}
    changes = outcome.changes
    city = changes[(changes["level"] == "city") & (changes["category"] == "bains_douches")]
    lost = float(city["ha_lost"].iloc[0])
    # All of it: what is too small to be a gap today is one when the whole town is.
    grown = float((baths["area_after_ha"] - baths["area_before_ha"]).sum())
    small = float(baths["opened_ha"].sum()) - lost
    assert lost > 0
    assert grown >= lost - 1e-6
    assert small >= -1e-6


def test_a_scenario_that_changes_nothing_has_no_gap_that_changes(town: Coverage) -> None:
    (outcome,) = what_if(town, [Scenario(name="s")])
    assert gap_changes([outcome]).empty
    assert "ne change rien" in render_what_if([outcome], form="md")


def test_scenarios_stand_side_by_side(town: Coverage) -> None:
    lat, lon = lat_lon(town, 1025, 650)
    scenarios = [
        Scenario(name="less", close=("A1",)),
        Scenario(name="more", add=(Add(category="esi", lat=lat, lon=lon),)),
    ]
    outcomes = what_if(town, scenarios)
    told = render_what_if(outcomes, form="md", lang="en")
    (head,) = [line for line in told.splitlines() if "| Today |" in line]
    assert head == "| Category | Today | less | more |"
    (row,) = [line for line in told.splitlines() if line.startswith("| Public baths | ")][:1]
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    city = town.city.set_index("category")["residents_covered_pct"]
    assert float(cells[1]) == pytest.approx(city["bains_douches"], abs=0.05)
    assert float(cells[2]) == 0.0
    assert cells[3] == cells[1]


def test_what_changes_nothing_is_told_with_the_reason(town: Coverage) -> None:
    lat, lon = lat_lon(town, -9000, 0)
    here_lat, here_lon = lat_lon(town, 1025, 650)
    said = [
        (Scenario(name="s", close=("A2",)), "not_counted"),
        (Scenario(name="s", move=(Move(service="A1", lat=lat, lon=lon),)), "outside"),
        (Scenario(name="s", add=(Add(category="esi", lat=lat, lon=lon, name="Far"),)), "outside"),
        (
            Scenario(name="s", add=(Add(category="accueil_de_jour", lat=here_lat, lon=here_lon),)),
            "not_asked",
        ),
        (Scenario(name="s", hours=(NewHours(service="A1", hours="Mo 09:00-10:00"),)), "no_moment"),
        (Scenario(name="s", capacity=(NewCapacity(service="A1", value=3),)), "capacity"),
    ]
    table = town.study.services.table.assign(capacity_value=2.0, capacity_unit=CAPACITY_UNITS[0])
    services = dataclasses.replace(town.study.services, table=table)
    base = analyse(town.study.replace(services=services))
    for scenario, why in said:
        (outcome,) = what_if(base, [scenario])
        assert [note.why for note in outcome.notes] == [why]
        assert "“s”: " in render_what_if([outcome], form="md", lang="en")
        assert "«\u202fs\u202f»" in render_what_if([outcome], form="md", lang="fr")
        content = json.loads(render_what_if([outcome], form="json"))
        assert [note["why"] for note in content["scenarios"][0]["notes"]] == [why]
    assert not what_if(town, [Scenario(name="s", close=("A1",))])[0].notes


def test_a_place_off_the_streets_is_refused_with_its_distance(town: Coverage) -> None:
    # In the rail yard: the nearest street ends at (1400, 1500).
    lat, lon = lat_lon(town, 1700, 1500)
    for change in (
        Scenario(name="s", add=(Add(category="esi", lat=lat, lon=lon),)),
        Scenario(name="s", move=(Move(service="A1", lat=lat, lon=lon),)),
    ):
        with pytest.raises(StudyFileError, match="the nearest is 300 m away"):
            what_if(town, [change])


def test_another_walker_does_not_refuse_what_only_he_cannot_enter(town: Coverage) -> None:
    """What a walker without steps cannot enter at is a figure, and no fault of the scenario."""
    for seed in range(8):
        base = analyse(toy_town.random_town(seed, n_services=6).study())
        (outcome,) = what_if(base, [Scenario(name="s", profile="step_free")])
        assert outcome.study.profile.name == "step_free"


def test_names_that_hold_the_words_are_proposed(town: Coverage) -> None:
    table = town.study.services.table.copy()
    names = ["Bains-douches Oberkampf", "Bains Oberkampf annexe", "Halte Nord", "Bagagérue"]
    table["name"] = [*names, *table["name"].iloc[4:]]
    table.loc[3, "discreet"] = True
    study = town.study.replace(
        services=dataclasses.replace(town.study.services, table=table),
        private=True,
    )
    with pytest.raises(StudyFileError) as both:
        changed_study(study, Scenario(name="s", close=("OBERKAMPF",)))
    assert "'Bains Oberkampf annexe' or 'Bains-douches Oberkampf'?" in str(both.value)
    with pytest.raises(StudyFileError, match="Did you mean 'Halte Nord'"):
        changed_study(study, Scenario(name="s", close=("halte nors",)))
    for word in ("Bagagérue", "bagagerue"):
        with pytest.raises(StudyFileError, match="unknown service") as hidden:
            changed_study(study, Scenario(name="s", close=(word,)))
        assert "Did you mean" not in str(hidden.value)


def test_hours_that_are_not_understood_are_refused(town: Coverage) -> None:
    for scenario in (
        Scenario(name="s", hours=(NewHours(service="A1", hours="whenever"),)),
        Scenario(name="s", add=(Add(category="esi", lat=48.8, lon=2.3, hours="whenever"),)),
    ):
        with pytest.raises(StudyFileError, match="'whenever'"):
            changed_study(town.study, scenario)


def test_hours_open_and_close_at_a_moment() -> None:
    study = town_with_hours({"A1": "Mo-Fr 09:00-17:00"})
    base = analyse(study.replace(at=dt.datetime(2026, 5, 5, 20)))
    late = Scenario(name="late", hours=(NewHours(service="A1", hours="Mo-Fr 09:00-22:00"),))
    (outcome,) = what_if(base, [late])
    changes = outcome.changes
    city = changes[(changes["level"] == "city") & (changes["category"] == "bains_douches")]
    assert float(city["ha_gained"].iloc[0]) > 0
    assert float(city["ha_covered_before"].iloc[0]) == 0
    assert outcome.notes == ()


def test_gaps_that_change_are_a_layer(town: Coverage, tmp_path: Path) -> None:
    path = tmp_path / "s.gpkg"
    write_what_if(what_if(town, [Scenario(name="s", close=("A1",))]), path)
    layer = gpd.read_file(path, layer="scenario_gaps")
    assert set(layer["scenario"]) == {"s"}
    assert layer.geometry.is_valid.all()
    assert layer.crs == town.study.area.crs
    assert layer.covers(Point(*np.add(toy_town.ORIGIN, (1025, 650)))).any()


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (["--hours", "A1"], "is not SERVICE=HOURS"),
        (["--capacity", "A1=many"], "'many' is no number"),
        (["--capacity", "=3"], "is not SERVICE=NUMBER"),
        (["--walker", "nobody"], "nobody"),
        (["--minutes", "-1"], "-1"),
    ],
)
def test_flags_that_cannot_be_are_refused(
    flags: list[str], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study = write_town(tmp_path)
    assert main(["what-if", str(study), *flags, "--no-cache"]) in {3, 4}
    assert says in capsys.readouterr().err


def test_flags_make_one_scenario(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study, target = write_town(tmp_path), tmp_path / "s.gpkg"
    flags = ["--close", "A1", "--walker", "slow", "--minutes", "20", "--hours", "C2=Mo 10:00-11:00"]
    assert main(["what-if", str(study), *flags, "--no-cache", "--json"]) == 0
    (told,) = json.loads(capsys.readouterr().out)["scenarios"]
    assert (told["profile"], told["threshold_min"]) == ("slow", 20)
    assert [note["why"] for note in told["notes"]] == ["no_moment"]
    assert main(["what-if", str(study), *flags, "--no-cache", "-o", str(target)]) == 0
    assert len(gpd.read_file(target, layer="scenario_changes"))


def test_what_cuts_a_gap_off_is_that_of_a_whole_analysis() -> None:
    """The gaps of a composite are told by all essentials, those that did not change, too."""
    base = analyse(toy_town.town_study(ground=toy_town.town_river(), min_gap_ha=0.1))
    told = 0
    for name in base.services.loc[base.services["counted"], "service_id"]:
        if base.services.set_index("service_id").loc[name, "discreet"]:
            continue
        scenario = Scenario(name="s", close=(name,))
        (outcome,) = what_if(base, [scenario])
        whole = analyse(changed_study(base.study, scenario)).gaps
        _, after = outcome.gaps
        wanted = whole[whole["category"].isin(set(after["category"]))]
        assert after["barrier"].tolist() == wanted["barrier"].tolist()
        told += (wanted.loc[wanted["category"].isin(COMPOSITES), "barrier"] != "").sum()
    assert told
