"""The phone list: each answer is what the analysis finds once it is known."""

from __future__ import annotations

import datetime as dt
import json

import numpy as np
import pandas as pd
import pytest

from helpers import toy_town
from helpers.project import fewer
from helpers.town_week import with_hours
from quart_heure.analysis.audience import PERSONS
from quart_heure.outputs.discretion import publishable
from quart_heure.outputs.report.calls import render_calls
from quart_heure.schema import check_columns
from quart_heure.study import Study, analyse
from quart_heure.study.calls import calls

SUNDAY = dt.datetime(2026, 5, 3, 10, 0)
SEEDS = (1, 2, 3, 5, 8, 13)
PLACES = [
    ("s1", "esi", 150, 100, "open", False),
    ("s2", "esi", 250, 200, "open", False),
    ("s3", "esi", 20, 300, "open", False),
    ("s4", "bains_douches", 120, 240, "open", False),
    ("s5", "bains_douches", 350, 20, "open", False),
    ("s6", "esi", 300, 330, "open", False),
]
OPEN, SHUT = "24/7", "off"


def random_study(seed: int, hours: dict[str, str], **changes: object) -> Study:
    town = toy_town.random_town(seed)
    study = town.study(services=toy_town.services_of(PLACES), **changes)
    return study.replace(services=with_hours(study.services, hours))


def city(study: Study) -> pd.DataFrame:
    return analyse(study).city.set_index("category")


@pytest.mark.parametrize("seed", fewer(SEEDS, 2))
def test_each_answer_changes_what_the_list_says(seed: int) -> None:
    hours = {"s1": OPEN, "s2": "", "s3": "", "s4": "", "s5": SHUT, "s6": ""}
    study = random_study(seed, hours, at=SUNDAY)
    listed = calls(analyse(study))
    check_columns(listed, "calls")
    assert set(listed["service_id"]) == {"s2", "s3", "s4", "s6"}
    assert set(listed["asks"]) == {"hours;capacity"}
    before = city(study)
    for row in listed.itertuples():
        at_least = before.loc[row.category, "residents_covered"]
        at_most = before.loc[row.category, "residents_covered_at_most"]
        assert (row.at_least, row.at_most) == pytest.approx((at_least, at_most))
        yes = city(random_study(seed, {**hours, row.service_id: OPEN}, at=SUNDAY))
        no = city(random_study(seed, {**hours, row.service_id: SHUT}, at=SUNDAY))
        gained = yes.loc[row.category, "residents_covered"] - at_least
        ruled_out = at_most - no.loc[row.category, "residents_covered_at_most"]
        assert row.gain_if_yes == pytest.approx(gained, abs=1e-5)
        assert row.gain_if_no == pytest.approx(ruled_out, abs=1e-5)
    told = (listed["gain_if_yes"] + listed["gain_if_no"]).to_numpy()
    assert (np.diff(told) <= 1e-9).all()
    assert listed["rank"].tolist() == [1, 2, 3, 4]


def test_status_and_admission_are_asked_for_too() -> None:
    places = [(*p[:4], "unknown" if p[0] in {"s1", "s4"} else "open", p[5]) for p in PLACES]
    study = toy_town.random_town(3).study(services=toy_town.services_of(places))
    listed = calls(analyse(study)).set_index("service_id")
    assert set(listed.index) == {"s1", "s4"}
    assert set(listed["asks"]) == {"status;capacity"}
    without = city(study.replace(counted_status=("open",)))
    whole = city(study)
    row = listed.loc["s4"]
    assert row["at_most"] == pytest.approx(whole.loc["bains_douches", "residents_covered"])
    assert row["at_least"] == pytest.approx(without.loc["bains_douches", "residents_covered"])
    # For a woman, nobody knows whom these places admit: that is to be asked as well.
    for_her = calls(analyse(study.replace(person=PERSONS["woman"]))).set_index("service_id")
    assert set(for_her.index) == {p[0] for p in PLACES}
    assert for_her.loc["s1", "asks"] == "status;admission;capacity"
    assert for_her.loc["s2", "asks"] == "admission;capacity"


def test_nothing_unknown_is_an_empty_list() -> None:
    study = toy_town.random_town(3).study(services=toy_town.services_of(PLACES))
    listed = calls(analyse(study))
    assert listed.empty
    assert "Personne à appeler" in render_calls(listed, study, form="md")
    assert json.loads(render_calls(listed, study, form="json"))["calls"] == []


def test_discreet_places_are_asked_by_nobody() -> None:
    hidden = [*PLACES, ("z9", "esi", 200, 150, "unknown", True)]
    study = toy_town.random_town(3).study(services=toy_town.services_of(hidden), at=SUNDAY)
    for coverage in (analyse(study), publishable(analyse(study))):
        listed = calls(coverage)
        assert "z9" not in set(listed["service_id"])
        for form in ("table", "csv", "json", "md"):
            text = render_calls(listed, coverage.study, form=form)
            assert "z9" not in text
            assert "Service s2" in text
