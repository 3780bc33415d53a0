"""Options that commands share: declared once, on every command that has them, asked as said."""

from __future__ import annotations

import dataclasses
import datetime
import inspect
from typing import Annotated

import pytest

from quart_heure.commands.app import app
from quart_heure.commands.options import AnalysisOptions, Only, TableOptions, all_but, with_options
from quart_heure.sources.services.services import STATUSES
from quart_heure.study.asked import Asked, StudyFields, read_asked
from quart_heure.study.study import Study

FIELDS = {field.name for field in dataclasses.fields(AnalysisOptions)}


def options_of(command: str) -> set[str]:
    [found] = [each.callback for each in app.registered_commands if each.name == command]
    assert found is not None
    return set(inspect.signature(found).parameters)


@pytest.mark.parametrize(
    ("command", "lacks"),
    [
        ("analyse", {"week"}),
        ("report", set()),
        ("map", {"week"}),
        ("paces", {"week", "week_of"}),
        ("sensitivity", {"week", "week_of"}),
        ("dossier", FIELDS - {"profile", "threshold", "all_statuses", "week_of"}),
        ("check", FIELDS - {"profile"}),
    ],
)
def test_commands_have_the_options_of_an_analysis(command: str, lacks: set[str]) -> None:
    assert options_of(command) & FIELDS == FIELDS - lacks


def test_a_command_is_given_its_groups() -> None:
    got = []

    @with_options
    def command(
        options: Annotated[AnalysisOptions, Only("profile", "stay")],
        table: TableOptions,
        name: Annotated[str, "told"] = "n",
    ) -> None:
        """Do it."""
        got.append((options, table, name))

    names = list(inspect.signature(command).parameters)
    assert names == ["profile", "stay", "form", "as_json", "output", "name"]
    command(profile="slow", stay=None, form="csv", as_json=True, output=None, name="m")
    [(options, table, name)] = got
    assert options == AnalysisOptions(profile="slow")
    assert (table.shape, name) == ("json", "m")
    assert command.__doc__ == "Do it."


def test_what_is_given_is_named_as_it_is_typed() -> None:
    assert AnalysisOptions().given() == []
    assert AnalysisOptions(category=[], for_whom=[]).given() == []
    given = AnalysisOptions(threshold=0.0, stay=0.0, for_whom=["man"], without_referral=True)
    assert given.given() == ["--threshold", "--stay", "--for", "--without-referral"]
    assert all_but(*FIELDS - {"at"}).names == ("at",)


def test_what_options_ask() -> None:
    assert AnalysisOptions().asked() == {}
    asked = AnalysisOptions(
        profile="slow",
        threshold=0.0,
        category=["esi"],
        all_statuses=True,
        stay=0.0,
        for_whom=["woman"],
        step_free=True,
        week=True,
    ).asked()
    assert asked == {
        "profile": "slow",
        "threshold_min": 0.0,
        "categories": ["esi"],
        "counted_status": STATUSES,
        "stay_min": 0.0,
        "person": ["woman", "wheelchair"],
        "week": True,
    }


def test_another_moment_leaves_nothing_of_that_of_the_file() -> None:
    def fields(options: AnalysisOptions) -> StudyFields:
        file = {"on": "mardi", "between": ("9:00", "12:00")}
        return read_asked(file, options.asked(), where="s.toml")

    assert fields(AnalysisOptions()).get("on") == 1
    asked = fields(AnalysisOptions(at="2026-12-06 18:00"))
    assert asked["at"] == datetime.datetime(2026, 12, 6, 18)
    assert (asked["on"], asked["between"]) == (None, None)
    day = fields(AnalysisOptions(on="sunday"))
    assert (day["at"], day["on"], day["between"]) == (None, 6, None)
    part = fields(AnalysisOptions(between=("18:00", "20:00")))
    assert (part["on"], part["between"]) == (1, (datetime.time(18), datetime.time(20)))


def test_what_may_be_asked_is_a_field_of_a_study() -> None:
    fields = {field.name: field for field in dataclasses.fields(Study)}
    assert set(StudyFields.__annotations__) <= set(fields)
    # Which categories are essential is a thing of the catalogue.
    assert set(Asked.__annotations__) - {"essentials"} == set(StudyFields.__annotations__)
