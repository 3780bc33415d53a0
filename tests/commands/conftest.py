"""Fixtures of the tests of commands."""

from __future__ import annotations

import pytest

from helpers.called import Call, Said
from quart_heure.cli import main


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Call:
    def run(*arguments: object) -> Said:
        capsys.readouterr()
        code = main([str(each) for each in arguments])
        return Said(code, *capsys.readouterr())

    return run
