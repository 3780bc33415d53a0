"""Fixtures shared by the suite. The toy town and its results are built once."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings

from helpers import toy_town
from helpers.called import Call, Said
from quart_heure.cli import main
from quart_heure.network.graph import WalkNetwork
from quart_heure.study import Coverage, Study, analyse

# It runs in the Python of QGIS, which is another.
collect_ignore = ["helpers/qgis_draw.py"]


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Look for no examples in files of fixtures: several of one name cannot all be imported."""
    return True if collection_path.name == "conftest.py" else None


# Derandomised: the same examples on every run. HYPOTHESIS_PROFILE=search looks further.
settings.register_profile(
    "quart-heure",
    deadline=None,
    derandomize=True,
    database=None,
    max_examples=24,
    phases=(Phase.explicit, Phase.generate, Phase.shrink),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.register_profile(
    "search", settings.get_profile("quart-heure"), derandomize=False, max_examples=400
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quart-heure"))


@pytest.fixture(scope="session")
def toy_network() -> WalkNetwork:
    return toy_town.town_network()


@pytest.fixture(scope="session")
def toy_study(toy_network: WalkNetwork) -> Study:
    return toy_town.town_study(network=toy_network)


@pytest.fixture(scope="session")
def toy_coverage(toy_study: Study) -> Coverage:
    return analyse(toy_study)


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Call:
    def run(*arguments: object) -> Said:
        capsys.readouterr()
        code = main([str(each) for each in arguments])
        return Said(code, *capsys.readouterr())

    return run
