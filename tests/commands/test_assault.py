"""A few trials of each family of the assault; ``scripts/assault`` makes hundreds of others."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from helpers import study_files
from helpers.assault import fuzz, trials
from helpers.assault.__main__ import FAMILIES, assault
from helpers.project import THOROUGH

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs children of one process")


@pytest.mark.parametrize("family", FAMILIES)
def test_a_few_trials_end_clearly(family: str, tmp_path: Path) -> None:
    trials.load()
    most = 9 if THOROUGH else 1
    found = assault(family, seed=0, folder=tmp_path, most=most)
    assert len(found) == most
    assert [verdict for verdict in found if verdict.fault] == []


@pytest.mark.parametrize(
    ("code", "err", "fault"),
    [
        (1, "Traceback (most recent call last)\nKeyError: 'C1'", "a traceback: KeyError: 'C1'"),
        (0, "Exception ignored in: x\nOSError: y", "a traceback: OSError: y"),
        (1, "Error: something", "exit code 1"),
        (-11, "", "exit code -11"),
        (-9, "", "no end"),
        (3, "", "exit code 3 without a line that says why"),
        (3, "Error: a\nError: b", "exit code 3 without a line that says why"),
        (3, "services …\nError: a", ""),
    ],
)
def test_what_is_not_clear_is_known(code: int, err: str, fault: str, tmp_path: Path) -> None:
    trial = trials.Trial(name="x", arguments=[], outputs=[tmp_path])
    assert trials.fault_of(trial, trials.Ended(code, b"", err)) == fault
    if not fault:
        (tmp_path / ".quart-heure-x").touch()
        assert "left behind" in trials.fault_of(trial, trials.Ended(code, b"", err))


def test_a_reader_that_falls_is_found(tmp_path: Path) -> None:
    def reader(path: Path) -> None:
        if b"25:61" in path.read_bytes():
            raise KeyError("found")

    with pytest.raises(KeyError):
        fuzz.fuzz("x", reader, b"Mo-Fr 08:00", "", seconds=20, first=1)


def test_every_reader_reads_its_good_file(tmp_path: Path) -> None:
    study_files.write_town(tmp_path)
    for number, (reader, good, ending) in enumerate(fuzz.readers(tmp_path).values()):
        path = tmp_path / f"good-{number}{ending}"
        path.write_bytes(good)
        reader(path)
