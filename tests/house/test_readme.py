"""Every line of both READMEs runs as it is pasted, in order, in one empty folder."""

from __future__ import annotations

import itertools
import re
import shlex
from pathlib import Path

import matplotlib as mpl
import pytest
from typer.main import get_command

from helpers.project import ROOT, in_project, thorough
from quart_heure.cli import main
from quart_heure.commands.app import app_for

pytestmark = in_project

READMES = ("README.md", "README.fr.md")
LIVE = ("fetch", "geocode")
"""Commands that ask servers: their lines are read, and not run."""

SHELL = ("scripts/demo", "scripts/test", ". .venv/bin/activate")
"""What is no command of ours; the first two are what continuous integration runs."""


def blocks(name: str, language: str) -> list[str]:
    text = (ROOT / name).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def lines(name: str) -> list[str]:
    shell = itertools.chain.from_iterable(block.splitlines() for block in blocks(name, "sh"))
    return [line for line in shell if line.strip()]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.mark.parametrize("name", READMES)
def test_every_line_is_a_command_with_options_that_exist(name: str) -> None:
    assert len(lines(name)) > 20
    for line in lines(name):
        word, *arguments = shlex.split(line, comments=True)
        if word != "quart-heure":
            assert line.startswith(SHELL), line
            continue
        command, *options = arguments
        made = app_for([command])
        group = get_command(made)
        found = group.get_command(group.make_context("quart-heure", [command]), command)  # type: ignore[attr-defined]
        assert found is not None, line
        found.make_context(command, options)


@thorough
def test_the_lines_of_the_operator_run_in_order(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("QUART_HEURE_CACHE", str(cache))
    for line in lines(READMES[0]):
        word, *arguments = shlex.split(line, comments=True)
        if word != "quart-heure" or arguments[0] in LIVE:
            continue
        code = main(arguments)
        told = capsys.readouterr()
        # An alarm is an answer, too: the report was written.
        assert code in ({0, 11} if "--fail-if" in arguments else {0}), (line, told.err)
        assert told.out or any("-o" in one for one in arguments), line


def test_both_languages_run_the_same_commands() -> None:
    words = [
        [shlex.split(line, comments=True)[1] for line in lines(name) if "quart-heure" in line]
        for name in READMES
    ]
    assert words[0] == words[1]


def test_the_lines_of_the_analyst_run(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mpl.use("Agg")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("QUART_HEURE_CACHE", str(cache))
    for block in blocks(READMES[0], "python"):
        exec(compile(block, READMES[0], "exec"), {})
