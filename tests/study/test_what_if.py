"""What if: a scenario is a whole analysis of the changed study, and an empty one is the base."""

from __future__ import annotations

import dataclasses
import tomllib
from pathlib import Path

import numpy as np
import pyproj
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers import toy_town
from quart_heure.errors import StudyFileError
from quart_heure.outputs.discretion import publishable
from quart_heure.study import Coverage, Study, analyse
from quart_heure.study.changed import changed_study
from quart_heure.study.scenario import Add, Move, Scenario, read_scenarios, scenarios_of
from quart_heure.study.what_if import Outcome, what_if

FIELDS = ("minutes", "nearest", "status", "in_reach")


@pytest.fixture(scope="module")
def base() -> Coverage:
    return analyse(toy_town.random_town(11, n_services=6).study())


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
