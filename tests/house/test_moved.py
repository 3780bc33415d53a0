"""Old names of modules go on working, and tell where their things are now."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

from helpers.project import fewer
from quart_heure.moved import MOVED


@pytest.mark.parametrize("old", MOVED)
def test_an_old_name_gives_the_module_of_the_new_one(old: str) -> None:
    sys.modules.pop(f"quart_heure.{old}", None)
    with pytest.warns(DeprecationWarning, match=f"is now quart_heure.{MOVED[old]}"):
        module = importlib.import_module(f"quart_heure.{old}")
    assert module is importlib.import_module(f"quart_heure.{MOVED[old]}")


def test_names_that_never_were_are_not_found() -> None:
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("quart_heure.sources.nothing_of_the_kind")
    from quart_heure.sources import services  # noqa: PLC0415

    with pytest.raises(AttributeError):
        _ = services.nothing_of_the_kind


@pytest.mark.parametrize(
    "line",
    fewer(
        [
            "from quart_heure.outputs.map import write_map",
            "from quart_heure.outputs.tables import write_results",
            "from quart_heure.study_file import read_study",
            "from quart_heure.sources.services import read_services",
        ],
        2,
    ),
)
def test_scripts_of_before_the_rooms_run(line: str) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", line], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
