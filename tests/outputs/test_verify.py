"""Verification: the same run again is the same cell by cell, and whatever is not is named."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from helpers.project import fewer, thorough
from helpers.runs import (
    copied,
    edit_manifest,
    edit_table,
    snapshot_of,
    town_coverage,
    town_folder,
    town_run,
)
from helpers.town_week import TOWN_HOURS
from quart_heure.errors import InputFileError
from quart_heure.files import sha256_of
from quart_heure.outputs.report.verify import render_verification
from quart_heure.outputs.results.write import write_results
from quart_heure.outputs.runs import verify as verify_module
from quart_heure.outputs.runs.rerun import asked_of
from quart_heure.outputs.runs.verify import Verification, verify_run
from quart_heure.sources.sample import paris_dir
from quart_heure.study import Study, analyse
from quart_heure.study.origin import Origin, place_of_study


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return town_run(tmp_path_factory.mktemp("base"))


@pytest.fixture
def run(base: Path, tmp_path: Path) -> Path:
    """A copy of a run and its study, to be spoilt."""
    return copied(base, tmp_path / "run")


def differing(found: Verification) -> set[tuple[str, str]]:
    return {(one.table, one.column) for one in found.differences}


def test_what_was_just_written_is_verified(base: Path) -> None:
    found = verify_run(base)
    assert found.verified
    assert found.recomputed
    assert found.tables >= 30
    assert [one.state for one in found.inputs] == ["same"] * 4
    text = render_verification(found, form="table")
    assert "every cell" in text
    assert "is the same" in text


QUESTIONS: tuple[dict[str, Any], ...] = (
    {"at": "2026-05-03 11:15", "person": "woman"},
    {"on": "2026-05-02", "between": ("22:00", "02:00"), "stay_min": 30},
    {"on": "2026-05-02"},
    {"on": "dimanche", "week_of": "2026-04-27"},
    {"week": True, "person": ["with_dog", "without_referral", "wheelchair"]},
    {"profile": "slow", "threshold_min": 12.5, "isochrones_min": (4, 8.5), "cell_m": 40},
    {"counted_status": ("open", "closed"), "min_gap_ha": 0.5, "snap_m": 80, "useful_share": 0.05},
)


@pytest.mark.parametrize("asked", fewer(QUESTIONS, 1))
def test_whatever_was_asked_is_asked_again(tmp_path: Path, asked: dict[str, Any]) -> None:
    study = town_folder(tmp_path / "study", discreet=True)
    path = tmp_path / "study" / "services.csv"
    header, *rows = path.read_text(encoding="utf-8").splitlines()
    at, ident = header.split(",").index("opening_hours"), header.split(",").index("service_id")
    written = []
    for row in rows:
        cells = row.split(",")
        cells[at] = '"' + TOWN_HOURS.get(cells[ident], "") + '"'
        written.append(",".join(cells))
    path.write_text("\n".join([header, *written]) + "\n", encoding="utf-8")
    write_results(town_coverage(study, **asked), tmp_path / "results")
    found = verify_run(tmp_path / "results")
    assert found.recomputed
    assert found.verified, found.differences


def test_parameters_of_a_study_file_that_has_changed_are_those_of_then(run: Path) -> None:
    study = run.parent / "study" / "study.toml"
    text = study.read_text(encoding="utf-8")
    study.write_text(text.replace("threshold_min = 15", "threshold_min = 5"), encoding="utf-8")
    found = verify_run(run)
    assert found.study_changed
    assert found.verified
    assert "study file has changed" in render_verification(found, form="table")


@thorough
def test_the_packaged_paris_is_found_without_a_place(tmp_path: Path) -> None:
    study = Study.paris(cell_m=100, categories=("esi",), date="2026-06-01")
    write_results(analyse(study), tmp_path)
    manifest = json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["study"]["packaged"]
    assert "study_place" not in manifest
    assert verify_run(tmp_path).verified
    # As a predecessor wrote it, it is known by its inputs.
    edit_manifest(tmp_path, study=None)
    assert verify_run(tmp_path).verified


# --- what is not the same ------------------------------------------------------------------------


def test_a_figure_edited_by_hand_is_named_with_both_values(run: Path) -> None:
    table = (run / "indicators.csv").read_text(encoding="utf-8").splitlines()
    city = next(line for line in table if line.startswith("city,"))
    edit_table(run, "indicators.csv", city, city.replace(",15.00,", ",16.00,"))
    found = verify_run(run)
    assert not found.verified
    assert not found.changed_files  # its hash was edited with it
    assert differing(found) == {("indicators.csv", "threshold_min")}
    (one,) = found.differences
    assert one.cells == 1
    assert one.examples == ("row 1: '16.00' in the file, '15.00' recomputed",)


def test_a_row_taken_out_is_found(run: Path) -> None:
    lines = (run / "gaps.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    edit_table(run, "gaps.csv", lines[-1], "")
    found = verify_run(run)
    assert {name for name, _ in differing(found)} == {"gaps.csv"}
    assert f"{len(lines) - 2} rows in the file, {len(lines) - 1} recomputed" in str(found)


def test_a_file_edited_or_lost_is_named(run: Path) -> None:
    with (run / "composite.csv").open("a", encoding="utf-8") as file:
        file.write("\n")
    (run / "cells.parquet").write_bytes(b"PAR1")
    (run / "gaps.parquet").unlink()
    found = verify_run(run)
    assert set(found.changed_files) == {"cells.parquet", "gaps.parquet", "composite.csv"}
    assert not found.verified
    assert {"cells.parquet", "gaps.parquet"} <= {name for name, _ in differing(found)}


def _gone(study: Path) -> None:
    (study / "residents.parquet").unlink()


def _edited(study: Path) -> None:
    path = study / "services.csv"
    path.write_text(path.read_text(encoding="utf-8") + "\n", encoding="utf-8")


def _renamed(study: Path) -> None:
    (study / "network.parquet").rename(study / "streets.parquet")
    toml = study / "study.toml"
    text = toml.read_text(encoding="utf-8")
    toml.write_text(text.replace("network.parquet", "streets.parquet"), encoding="utf-8")


@pytest.mark.parametrize(
    ("spoil", "states"),
    [
        (_gone, {"residents.parquet": "gone"}),
        (_edited, {"services.csv": "changed"}),
        (_renamed, {"network.parquet": "gone", "streets.parquet": "new"}),
    ],
)
def test_inputs_gone_or_changed_are_named_and_nothing_is_recomputed(
    run: Path, spoil: Callable[[Path], None], states: dict[str, str]
) -> None:
    spoil(run.parent / "study")
    found = verify_run(run)
    assert not found.verified
    assert not found.recomputed
    assert {one.file: one.state for one in found.lost} == states
    text = render_verification(found, form="table")
    assert all(name in text for name in states)


def test_a_study_that_is_not_there_is_said_and_may_be_given(run: Path, tmp_path: Path) -> None:
    (run.parent / "study").rename(tmp_path / "elsewhere")
    found = verify_run(run)
    assert not found.verified
    assert "study.toml is not where it was" in found.missing
    assert verify_run(run, study=tmp_path / "elsewhere").verified
    assert verify_run(run, study=tmp_path / "elsewhere" / "study.toml").verified


def test_a_run_made_in_a_program_says_that_it_names_no_study(
    toy_coverage: Any, tmp_path: Path
) -> None:
    write_results(toy_coverage, tmp_path)
    found = verify_run(tmp_path)
    assert "names no study file" in found.missing
    assert not found.verified


def test_another_version_is_said(run: Path) -> None:
    edit_manifest(run, version="0.0.9")
    found = verify_run(run)
    assert found.program is not None
    assert found.program[0] == "0.0.9"
    assert "Written by version 0.0.9" in render_verification(found, form="table")


def test_a_manifest_that_does_not_tell_what_was_asked_is_refused(run: Path) -> None:
    manifest = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    manifest["parameters"].pop("snap_m")
    edit_manifest(run, parameters=manifest["parameters"])
    with pytest.raises(InputFileError, match="does not tell what was asked"):
        verify_run(run)
    assert asked_of({"parameters": {**manifest["parameters"], "snap_m": 1}})["snap_m"] == 1


# --- quick, kills, discretion --------------------------------------------------------------------


def test_quick_looks_at_hashes_alone(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError

    monkeypatch.setattr(verify_module, "recomputed", never)
    found = verify_run(run, quick=True)
    assert found.verified
    assert not found.recomputed
    assert "hashes alone" in render_verification(found, form="table")
    _edited(run.parent / "study")
    assert not verify_run(run, quick=True).verified


def test_a_verification_writes_nothing_also_when_it_is_stopped(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = snapshot_of(run.parent)
    verify_run(run)
    assert snapshot_of(run.parent) == before

    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(verify_module, "compare_folders", stop)
    with pytest.raises(KeyboardInterrupt):
        verify_run(run)
    assert snapshot_of(run.parent) == before


def test_a_verification_does_not_name_a_discreet_place(tmp_path: Path) -> None:
    """Were it shown in the folder by hand, what is recomputed leaves it out and says so of rows."""
    run = town_run(tmp_path / "hidden", discreet=True)
    sound = verify_run(run)
    assert sound.verified
    # No hash of the services is kept, which would confirm a guess; their figures are recomputed.
    assert {one.file: one.state for one in sound.inputs}["services.csv"] == "untold"
    assert sound.recomputed
    assert "B3" not in render_verification(sound, form="table")
    lines = (run / "services.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    edit_table(run, "services.csv", lines[-1], lines[-1] + lines[-1])
    found = verify_run(run)
    assert not found.verified
    told = render_verification(found, form="table") + render_verification(found, form="json")
    assert "B3" not in told


# --- no path of a machine ------------------------------------------------------------------------


def test_no_path_of_the_machine_goes_into_a_manifest(base: Path) -> None:
    manifest = json.loads((base / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["study_place"] == "../study/study.toml"
    assert manifest["study"]["file"] == "study.toml"
    assert str(base.parent.parent) not in json.dumps(manifest)


def test_the_place_of_a_study_names_no_folder_above_the_shared_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home" / "jeanne"))
    home = tmp_path / "home" / "jeanne"
    for folder in (home / "study", home / "out", tmp_path / "home" / "paul", tmp_path / "srv"):
        folder.mkdir(parents=True)
    study = home / "study" / "study.toml"
    study.write_text("", encoding="utf-8")
    origin = Origin(path=study, sha256="")
    assert place_of_study(origin, home / "out") == "../study/study.toml"
    assert place_of_study(origin, home / "study" / "out") == "../study.toml"
    assert place_of_study(origin, tmp_path / "home" / "paul") == ""
    assert place_of_study(origin, tmp_path / "srv") == ""
    assert place_of_study(Origin(path=None, sha256=""), home) == ""
    assert place_of_study(None, home) == ""


def test_only_what_is_written_down_has_an_origin(toy_study: Study) -> None:
    assert toy_study.origin is None
    assert Study.paris().origin == Origin(
        path=None,
        sha256="",
        background=("background.parquet", sha256_of(paris_dir() / "background.parquet")),
    )
