"""What a program gives a study: the words of the command line, or the things themselves."""

from __future__ import annotations

import datetime
import os
from pathlib import Path
from typing import Any

import pytest

from helpers import toy_town
from quart_heure import SLOW, STEP_FREE, Study, read_study
from quart_heure.analysis.audience import get_person
from quart_heure.errors import StudyFileError


@pytest.mark.parametrize(
    ("words", "things"),
    [
        ({"profile": "slow"}, {"profile": SLOW}),
        ({"categories": "bagagerie"}, {"categories": ("bagagerie",)}),
        ({"categories": ["bagagerie", "esi"]}, {"categories": ("bagagerie", "esi")}),
        ({"person": "woman"}, {"person": get_person("woman")}),
        ({"at": "2026-12-06 18:00"}, {"at": datetime.datetime(2026, 12, 6, 18)}),
        ({"on": "2026-12-06"}, {"on": datetime.date(2026, 12, 6)}),
        (
            {"on": "sunday", "week_of": "2026-12-07"},
            {"on": 6, "week_of": datetime.date(2026, 12, 7)},
        ),
        (
            {"on": "2026-12-06", "between": ("18:00", "22:00")},
            {"between": (datetime.time(18), datetime.time(22))},
        ),
        ({"date": "2026-01-31"}, {"date": datetime.date(2026, 1, 31)}),
        ({"isochrones_min": 10}, {"isochrones_min": (10,)}),
        ({"counted_status": "open"}, {"counted_status": ("open",)}),
    ],
)
def test_words_are_read_as_at_the_command_line(
    words: dict[str, Any], things: dict[str, Any]
) -> None:
    study = toy_town.town_study()
    made = toy_town.town_study(**words)
    for name, value in things.items():
        assert getattr(made, name) == value
        assert getattr(study.replace(**words), name) == value


@pytest.mark.parametrize(
    "wrong",
    [
        {"threshold_min": "ten"},
        {"threshold_min": True},
        {"cell_m": None},
        {"profile": 3},
        {"person": 3},
        {"at": 18},
        {"date": 20260131},
        {"categories": 3},
        {"private": "yes"},
        {"area": "districts.gpkg"},
        {"services": ["services.csv"]},
        {"network": Path("streets.parquet")},
        {"residents": 2_000_000},
        {"catalogue": ["esi"]},
    ],
)
def test_what_says_nothing_there_is_a_type_error(wrong: dict[str, Any]) -> None:
    study = toy_town.town_study()
    (name,) = wrong
    with pytest.raises(TypeError, match=rf"^{name} is .*Give ") as told:
        study.replace(**wrong)
    assert type(wrong[name]).__name__ in str(told.value)


def test_unknown_words_are_refused_with_the_nearest() -> None:
    study = toy_town.town_study()
    for wrong in ({"profile": "slwo"}, {"person": "womn"}, {"at": "tonight"}):
        with pytest.raises(StudyFileError):
            study.replace(**wrong)


def test_in_a_wheelchair_nobody_takes_stairs() -> None:
    study = toy_town.town_study()
    assert study.replace(person="wheelchair").profile == STEP_FREE
    assert study.replace(person="wheelchair", profile="slow").profile == SLOW


def test_a_week_is_judged_when_one_of_its_days_is_asked_for() -> None:
    study = toy_town.town_study()
    assert study.replace(week_of="2026-12-07").week
    assert not study.replace(week_of="2026-12-07", week=False).week


def test_files_go_by_their_names(tmp_path: Path) -> None:
    network = toy_town.town_network()
    network.write(os.fspath(tmp_path / "streets.parquet"))
    toy_town.town_area().districts.to_file(tmp_path / "districts.gpkg")
    (tmp_path / "places.csv").write_text(
        "category,name,longitude,latitude\nesi,Ici,2.3186,48.8494\n", encoding="utf-8"
    )
    (tmp_path / "study.toml").write_text(
        '[area]\ndistricts = "districts.gpkg"\n[services]\nfiles = ["places.csv"]\n'
        '[network]\nfile = "streets.parquet"\n',
        encoding="utf-8",
    )
    study = read_study(str(tmp_path / "study.toml"))
    assert isinstance(study, Study)
    assert study.network.digest == network.digest
