"""What is told while a command runs: on a terminal, in a log, or not at all; or before any work."""

from __future__ import annotations

import io
import re
import sys
from pathlib import Path

import pytest

from helpers.study_files import write_town
from quart_heure.cli import main
from quart_heure.commands.speech import progress, tell, told_as


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_town(tmp_path_factory.mktemp("town"))


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_steps_are_shown_on_a_terminal_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: dict[bool, str] = {}
    for kind in (Terminal, io.StringIO):
        screen = kind()
        monkeypatch.setattr(sys, "stderr", screen)
        monkeypatch.setenv("TERM", "xterm")
        with progress() as say:
            say("cells")
        shown[screen.isatty()] = screen.getvalue()
    assert shown[True] != ""
    assert shown[False] == ""


def test_who_is_quiet_tells_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    for quiet, told in ((True, ""), (False, "a warning\n")):
        with told_as("x", quiet=quiet, log=None):
            tell("a warning")
        assert capsys.readouterr().err == told


def test_a_log_has_times_steps_warnings_and_errors(
    study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "runs.log"
    report = ["report", str(study), "--no-cache", "--quiet", "--log-file", str(log)]
    assert main(report) == 0
    assert capsys.readouterr().err == ""
    assert main([*report, "--arrondissement", "21"]) == 3
    # An error is told, quiet or not.
    assert capsys.readouterr().err.startswith("Error: There is no district '21'.")
    lines = log.read_text(encoding="utf-8").splitlines()
    stamp = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ (INFO|WARNING|ERROR) (.*)")
    told = [(found[1], found[2]) for found in map(stamp.fullmatch, lines) if found]
    assert len(told) == len(lines)
    assert told[0] == ("INFO", "quart-heure report begins")
    assert ("INFO", "travel times") in told
    # The second run is added to the first.
    at = told.index(("INFO", "quart-heure report is done"))
    assert told[at + 1] == ("INFO", "quart-heure report begins")
    assert told[-1] == (
        "ERROR",
        "InputFileError: There is no district '21'. Districts are Est, Ouest.",
    )


def test_a_log_that_cannot_be_written_is_told_first(
    study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", str(study), "--log-file", str(tmp_path / "no" / "log")]) == 9
    assert "Name a log in a folder" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["report", "--category", "bagageri"], "Did you mean 'bagagerie'?"),
        (["report", "--arrondissement", "Oest"], "Did you mean 'Ouest'?"),
        # Numbers are not near each other for a digit that they share.
        (["dossier", "--arrondissement", "25"], "Districts are Est, Ouest."),
        (["report", "--for", "famme"], "Did you mean 'femme'?"),
        (["map", "--category", "bagageri"], "Did you mean 'bagagerie'?"),
        (["map", "--at", "2026-13-01"], "--at is '2026-13-01', which is not a date"),
        (["map", "--threshold", "0"], "--threshold is 0.0, which is not a positive"),
        (["map", "--profile", "lentte"], "Did you mean 'lente'?"),
    ],
)
def test_wrong_words_are_told_before_any_work(
    command: list[str],
    words: str,
    study: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def work(*_: object, **__: object) -> None:
        pytest.fail("services were read before the words were looked at")

    monkeypatch.setattr("quart_heure.study.inputs.read_services", work)
    monkeypatch.chdir(tmp_path)
    name, *options = command
    assert main([name, str(study), *options, "--no-cache"]) > 2
    assert words in capsys.readouterr().err
