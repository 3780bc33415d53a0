"""The command line: stdout is the result alone, progress is on stderr, exit codes are stable."""

from __future__ import annotations

import csv
import io
import json
import logging
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from importlib import metadata
from pathlib import Path

import geopandas as gpd
import pytest

from helpers.called import Call, Said
from helpers.project import fewer
from helpers.study_files import add, swap, write_town
from quart_heure import errors
from quart_heure.cli import main
from quart_heure.commands.app import app
from quart_heure.commands.options import Lang
from quart_heure.commands.running import write_all
from quart_heure.commands.speech import STEPS as STEPS_TOLD
from quart_heure.files import sha256_of
from quart_heure.outputs.report.report import REPORT_FORMATS
from quart_heure.outputs.results.write import RESULT_FILES
from quart_heure.study import Coverage
from quart_heure.study.settings import template

COMMANDS = (
    *("demo", "analyse", "report", "map", "dossier", "publish", "info"),
    *("paces", "sensitivity"),
    *("what-if", "closures"),
    *("site", "walk", "hours", "ask", "links", "crosscheck"),
    *("compare", "verify", "schema"),
    *("fetch", "geocode", "check", "init"),
    *("batch", "cache"),
)
STEPS = ["network", "cells", "services", "travel times", "gaps", "indicators"]
KINDS_OF_ERROR = [getattr(errors, name) for name in errors.__all__ if name.endswith("Error")]
WRITTEN = {*RESULT_FILES, "report.html", "map.html"}
WEEK = ("week.csv", "week.parquet")


@contextmanager
def steps() -> Iterator[list[str]]:
    """Collect the steps of a command, which stderr has on a terminal alone."""
    done: list[str] = []

    class Steps(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            done.append(record.getMessage())

    handler = Steps()
    STEPS_TOLD.addHandler(handler)
    try:
        yield done
    finally:
        STEPS_TOLD.removeHandler(handler)


def said(*arguments: object) -> Said:
    """Run a command whose output no test captures, for what tests share."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err), steps() as done:
        code = main([str(each) for each in arguments])
    return Said(code, out.getvalue(), err.getvalue(), tuple(done))


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Call:
    def run(*arguments: object) -> Said:
        capsys.readouterr()
        with steps() as done:
            code = main([str(each) for each in arguments])
        return Said(code, *capsys.readouterr(), tuple(done))

    return run


@pytest.fixture(scope="module", autouse=True)
def cache_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("QUART_HEURE_CACHE", str(folder))
        yield folder


@pytest.fixture(scope="module")
def paris(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Said]:
    """Run the demo once: its folder, and what it said."""
    folder = tmp_path_factory.mktemp("demo") / "paris"
    return folder, said("demo", "-o", folder)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_town(tmp_path_factory.mktemp("town"))


@pytest.fixture(scope="module")
def results(study: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("results")
    assert said("analyse", study, "-o", folder).code == 0
    return folder


# --- the front door ------------------------------------------------------------------------------


def test_version_is_that_of_the_distribution(call: Call) -> None:
    assert call("--version")[:3] == (0, metadata.version("quart-heure") + "\n", "")


def test_help_names_every_command_and_exit_code(call: Call) -> None:
    shown = call("--help")
    assert (shown.code, shown.err) == (0, "")
    assert {command.name or command.callback.__name__ for command in app.registered_commands} == {
        *COMMANDS
    }
    for command in COMMANDS:
        assert re.search(rf"│ {command} ", shown.out)
    told = " ".join(re.sub(r"[\s│]+", " ", shown.out).split())
    for kind in KINDS_OF_ERROR:
        assert f" {kind.exit_code} " in told, kind


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_explains_itself(call: Call, command: str) -> None:
    shown = call(command, "--help")
    assert (shown.code, shown.err) == (0, "")
    assert "Usage:" in shown.out


def test_every_kind_of_error_has_an_exit_code_of_its_own() -> None:
    codes = [kind.exit_code for kind in KINDS_OF_ERROR]
    assert sorted(codes) == [1, *range(3, 15)]  # 2 is for wrong arguments
    assert errors.InputFileError("There.", hint="Here.").hint == "Here."


@pytest.mark.parametrize(
    "arguments",
    [
        ["map", "--nowhere"],
        ["nothing"],
        ["report", "--format", "pdf"],
        ["report", "--lang", "de"],
        ["report", "--threshold", "soon"],
        ["analyse", "study.toml"],  # without -o
        ["info"],
    ],
)
def test_wrong_arguments_are_said(call: Call, arguments: list[str]) -> None:
    wrong = call(*arguments)
    assert (wrong.code, wrong.out) == (2, "")
    assert "Error" in wrong.err or "Missing" in wrong.err


# --- demo ----------------------------------------------------------------------------------------


def test_demo_measures_paris(paris: tuple[Path, Said]) -> None:
    folder, demo = paris
    assert demo.code == 0
    assert {path.name for path in folder.iterdir()} == WRITTEN | {*WEEK}
    heading = demo.out.splitlines()[0].replace("\u00a0", " ")
    assert heading == "Paris : les services solidaires à 15 minutes à pied"
    assert "Bains-douches" in demo.out
    names = ["map.html", "report.html", *WEEK, *RESULT_FILES]
    assert demo.out.splitlines()[-len(names) :] == [str(folder / name) for name in names]
    assert demo.steps == (
        *STEPS,
        "week",
        "tables",
        "report",
        "map",
    )
    rest = demo.err.splitlines()
    assert all(re.fullmatch(r"\d+ rows left out or doubted: .*", line) for line in rest)


def test_pages_of_another_run_do_not_outlive_its_tables(
    toy_coverage: Coverage, tmp_path: Path
) -> None:
    pages = [tmp_path / "report.html", tmp_path / "map.html"]
    for page in pages:
        page.write_text("of another town", encoding="utf-8")

    def stop(step: str) -> None:
        if step == "report":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_all(toy_coverage, tmp_path, lang=Lang.FR, say=stop)
    assert (tmp_path / "manifest.json").exists()
    assert not any(page.exists() for page in pages)


@pytest.mark.parametrize("name", ["13", "13e", "75113"])
def test_an_arrondissement_by_any_of_its_names(
    call: Call, paris: tuple[Path, Said], name: str
) -> None:
    shown = call("report", paris[0], "--arrondissement", name, "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(shown.out)))
    assert {(row["district_id"], row["label"]) for row in rows} == {("75113", "13e")}
    assert len(rows) == 8 + 2  # categories and composites


def test_the_tables_of_paris_are_those_that_were_kept(paris: tuple[Path, Said]) -> None:
    """No work on speed moves a figure; other work renews the hashes, and the changelog says why.

    `sha256sum` of the tables in a folder of `quart-heure demo` gives new ones.
    """
    kept = (Path(__file__).parents[1] / "data" / "paris_tables.sha256").read_text(encoding="utf-8")
    expected = {name: digest for digest, name in map(str.split, kept.splitlines())}
    assert len(expected) == 9
    assert {name: sha256_of(paris[0] / name) for name in expected} == expected


def test_several_arrondissements(call: Call, paris: tuple[Path, Said]) -> None:
    shown = call(
        *("report", paris[0], "--arrondissement", "20", "--arrondissement", "1er"),
        *("--category", "esi", "--format", "json"),
    )
    report = json.loads(shown.out)
    assert [each["label"] for each in report["districts"]] == ["20e", "1er"]
    assert [each["id"] for each in report["categories"]] == ["esi"]


def test_the_packaged_paris_needs_no_argument(call: Call, paris: tuple[Path, Said]) -> None:
    shown = call("report", "--category", "esi", "--format", "csv")
    assert shown.code == 0
    assert shown.steps == tuple(STEPS)
    assert shown.out == call("report", paris[0], "--category", "esi", "--format", "csv").out


def test_an_arrondissement_that_is_not(call: Call, paris: tuple[Path, Said]) -> None:
    wrong = call("report", paris[0], "--arrondissement", "21")
    assert (wrong.code, wrong.out) == (errors.InputFileError.exit_code, "")
    assert wrong.err.startswith("Error: There is no district '21'. ")


# --- analyse -------------------------------------------------------------------------------------


def test_analyse_lists_what_it_wrote(call: Call, study: Path, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    done = call("analyse", study, "-o", folder)
    assert done.code == 0
    listed = [Path(line) for line in done.out.splitlines()]
    assert {path.name for path in listed} == WRITTEN == {path.name for path in folder.iterdir()}
    assert all(path.is_file() for path in listed)
    assert done.steps == (
        *STEPS,
        "tables",
        "report",
        "map",
    )


def test_analyse_lists_as_json(call: Call, study: Path, tmp_path: Path) -> None:
    done = call("analyse", study, "-o", tmp_path, "--json")
    files = json.loads(done.out)["files"]
    assert {Path(name).name for name in files} == WRITTEN


def test_flags_prevail_over_the_study_file(call: Call, tmp_path: Path) -> None:
    study = add(write_town(tmp_path), '[analysis]\nthreshold_min = 10\nprofile = "step_free"')
    folder = tmp_path / "results"
    flags = ("--threshold", 20, "--profile", "slow", "--category", "esi", "--all-statuses")
    assert call("analyse", study, "-o", folder, *flags).code == 0
    parameters = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["parameters"]
    assert parameters["threshold_min"] == 20
    assert (parameters["profile"], parameters["categories"]) == ("slow", ["esi"])
    assert {"open", "closed", "project"} <= set(parameters["counted_status"])


def test_a_folder_with_a_study_is_a_study(
    call: Call, study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    for command in ("report", "check"):
        told = call(command, study.parent, "--json")
        assert told.code == 0
        assert json.loads(told.out) == json.loads(call(command, study, "--json").out)


def test_a_walker_of_the_study_file_can_be_flagged(call: Call, tmp_path: Path) -> None:
    study = add(write_town(tmp_path), "[profiles.with_a_dog]\nspeed_kmh = 4")
    shown = call("report", study, "--profile", "with_a_dog", "--json")
    assert json.loads(shown.out)["parameters"]["speed_kmh"] == 4


def test_the_same_command_writes_the_same_bytes(
    call: Call, study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    for name in ("one", "two"):
        assert call("analyse", study, "-o", tmp_path / name).code == 0
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes(), path.name


def test_results_are_replaced_and_other_files_stay(call: Call, study: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    for threshold in (10, 12):
        assert call("analyse", study, "-o", tmp_path, "--threshold", threshold).code == 0
    assert {path.name for path in tmp_path.iterdir()} == {*WRITTEN, "notes.txt"}
    manifest = json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["parameters"]["threshold_min"] == 12


# --- report --------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", fewer(REPORT_FORMATS, 4))
def test_a_report_from_a_study_and_from_its_results(
    call: Call, study: Path, results: Path, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = call("report", results, "--format", form)
    assert (shown.code, shown.err) == (0, "")
    assert "Petite Ville" in shown.out
    assert shown.out.endswith("\n")
    assert not shown.out.endswith("\n\n")
    again = call("report", study, "--format", form)
    assert again.steps == tuple(STEPS)
    created = re.compile(r"\d{4}-\d\d-\d\dT[\d:]+Z?|\d\d? \w+ \d{4}[^<|\n]*")
    assert created.sub("", again.out) == created.sub("", shown.out)


def test_json_is_a_format(call: Call, results: Path) -> None:
    shown = call("report", results, "--json")
    assert shown == call("report", results, "--format", "json")
    assert json.loads(shown.out)["area"] == "Petite Ville"


def test_a_report_goes_to_a_file(call: Call, results: Path, tmp_path: Path) -> None:
    path = tmp_path / "new" / "rapport.md"
    done = call("report", results, "--format", "md", "--output", path)
    assert (done.code, done.out, done.err) == (0, f"{path}\n", "")
    text = path.read_text(encoding="utf-8")
    assert text.rstrip("\n") == call("report", results, "--format", "md").out.rstrip("\n")
    assert list(path.parent.iterdir()) == [path]


def test_a_report_in_english(call: Call, results: Path) -> None:
    shown = call("report", results, "--lang", "en")
    assert "Public baths" in shown.out
    assert "Bains-douches" not in shown.out


def test_a_report_on_one_district(call: Call, results: Path) -> None:
    shown = call("report", results, "--arrondissement", "est")
    assert "Est" in shown.out
    assert "Ouest" not in shown.out.replace("Est, Ouest", "").replace("Ouest, Est", "")


@pytest.mark.parametrize(
    "flags",
    [
        *(("--threshold", "20"), ("--threshold", "0"), ("--profile", "slow"), ("--all-statuses",)),
        *(("--for", "woman"), ("--without-referral",), ("--step-free",), ("--stay", "0")),
        *(("--on", "sunday"), ("--week",), ("--week-of", "2026-12-07")),
    ],
)
def test_results_are_not_analysed_again(call: Call, results: Path, flags: tuple[str, ...]) -> None:
    wrong = call("report", results, *flags)
    assert (wrong.code, wrong.out) == (errors.InputFileError.exit_code, "")
    assert f"{flags[0]} cannot change them. Give the study file instead." in wrong.err


# --- map, info, check, init ----------------------------------------------------------------------


def test_map_writes_one_page(call: Call, study: Path, tmp_path: Path) -> None:
    path = tmp_path / "cartes" / "ma carte.html"
    done = call("map", study, "-o", path, "--threshold", 10, "--category", "bains_douches")
    assert (done.code, done.out) == (0, f"{path}\n")
    assert done.steps == (
        *STEPS,
        "map",
    )
    page = path.read_text(encoding="utf-8")
    assert "Bains-douches" in page
    assert "Bagageries" not in page
    assert not re.search(r"""<(?:script|link|img)\b[^>]*(?:src|href)=["']?(?:https?:)?//""", page)
    assert list(path.parent.iterdir()) == [path]


def test_dossier_writes_a_page_per_district_and_an_index(
    call: Call, study: Path, tmp_path: Path
) -> None:
    names = ["index.html", "dossier-E.html", "dossier-W.html"]
    shown = call("dossier", study, "-o", tmp_path / "all", "--lang", "en")
    assert (shown.code, shown.out.splitlines()) == (0, [str(tmp_path / "all" / n) for n in names])
    assert shown.steps == (
        *STEPS,
        "dossiers",
        "dossier Est (1/2)",
        "dossier Ouest (2/2)",
    )
    assert 'lang="en"' in (tmp_path / "all" / "index.html").read_text(encoding="utf-8")
    shown = call("dossier", study, "--arrondissement", "est", "-o", tmp_path / "one")
    assert shown.out.splitlines() == [str(tmp_path / "one" / "dossier-E.html")]
    shown = call("dossier", study, "--arrondissement", "21", "-o", tmp_path / "none")
    assert shown.code == errors.InputFileError.exit_code
    assert "There is no district '21'" in shown.err
    assert not (tmp_path / "none").exists()


def test_maps_and_dossiers_are_drawn_from_a_folder_of_results(
    call: Call, study: Path, results: Path, tmp_path: Path
) -> None:
    """The figures are those of the folder; what it does not hold comes from the same inputs."""
    page = tmp_path / "map.html"
    assert call("map", results, "-o", page)[:2] == (0, f"{page}\n")
    assert page.read_bytes() == (results / "map.html").read_bytes()
    for source, name in ((study, "a"), (results, "b")):
        assert call("dossier", source, "-o", tmp_path / name, "--arrondissement", "est").code == 0
    one, other = (tmp_path / name / "dossier-E.html" for name in "ab")
    assert one.read_bytes() == other.read_bytes()
    assert call("publish", tmp_path / "site", results, "--no-what-if").code == 0
    assert (tmp_path / "site" / "index.html").is_file()
    wrong = call("map", results, "-o", page, "--threshold", 10)
    assert (wrong.code, "--threshold cannot change them" in wrong.err) == (3, True)
    wrong = call("dossier", results, "-o", tmp_path / "none", "--arrondissement", "nord")
    assert (wrong.code, wrong.steps) == (errors.InputFileError.exit_code, ())
    wrong = call("map", study, "-o", page, "--study", study)
    assert (wrong.code, "is none" in wrong.err) == (errors.InputFileError.exit_code, True)


def test_a_map_is_drawn_from_results_that_are_not_to_be_passed_on(
    call: Call, study: Path, tmp_path: Path
) -> None:
    kept, page = tmp_path / "kept", tmp_path / "map.html"
    assert call("analyse", study, "--private", "-o", kept).code == 0
    assert call("map", kept, "-o", page)[:2] == (0, f"{page}\n")
    assert page.read_bytes() == (kept / "map.html").read_bytes()


def test_results_whose_inputs_are_gone_or_other_are_not_drawn(
    call: Call, study: Path, results: Path, tmp_path: Path
) -> None:
    moved = tmp_path / "elsewhere" / "results"
    shutil.copytree(results, moved)
    lost = call("map", moved, "-o", tmp_path / "m.html")
    assert lost.code == errors.InputFileError.exit_code
    assert "the study file study.toml is not where it was" in lost.err
    assert f"{moved / 'map.html'} is the map that was written" in lost.err
    assert call("map", moved, "-o", tmp_path / "m.html", "--study", study).code == 0
    # Another figure than the one that is written is not drawn for it.
    path = moved / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    manifest["parameters"]["threshold_min"] = 10.0
    path.write_text(json.dumps(manifest), encoding="utf-8")
    other = call("dossier", moved, "-o", tmp_path / "d", "--study", study)
    assert other.code == errors.InputFileError.exit_code
    assert "indicators.csv" in other.err
    assert "would be another today" in other.err
    # Nor from inputs that are no more what they were.
    town = tmp_path / "town"
    shutil.copytree(study.parent, town)
    assert call("analyse", town / "study.toml", "-o", town / "out").code == 0
    network = town / "residents.parquet"
    network.write_bytes(network.read_bytes() + b" ")
    changed = call("map", town / "out", "-o", tmp_path / "m.html")
    assert "residents residents.parquet: changed" in changed.err


def test_info_tells_what_results_were_made_from(call: Call, results: Path) -> None:
    told = call("info", results)
    assert (told.code, told.err) == (0, "")
    for words in ("Petite Ville – quart-heure", "services: services.csv", "threshold_min: 15.0"):
        assert words in told.out
    assert "WARNING" not in told.out
    manifest = json.loads(call("info", results, "--json").out)
    assert manifest == json.loads((results / "manifest.json").read_text(encoding="utf-8"))


def test_check_examines_the_inputs(call: Call, study: Path) -> None:
    told = call("check", study)
    assert (told.code, told.steps) == (0, ("inputs", "check"))
    assert told.out
    assert isinstance(json.loads(call("check", study, "--json").out), dict)


def test_init_writes_a_study_to_start_from(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    alone = call("init")
    assert (alone.code, alone.out) == (0, "study.toml\n")
    assert "Nothing lies beside study.toml to begin a study with" in alone.err
    path = tmp_path / "study.toml"
    assert path.read_text(encoding="utf-8") == template()
    path.write_text("mine", encoding="utf-8")
    wrong = call("init", path)
    assert (wrong.code, wrong.out) == (errors.OutputError.exit_code, "")
    assert "exists already" in wrong.err
    assert "--force" in wrong.err
    assert path.read_text(encoding="utf-8") == "mine"
    assert call("init", path, "--force").code == 0
    assert path.read_text(encoding="utf-8") == template()


def test_init_takes_the_columns_of_the_districts(
    call: Call, study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of headings that nobody knows, the likely ones are taken and told; the study then runs."""
    table = gpd.read_parquet(study.parent / "districts.parquet")
    table = table.rename(columns={"district_id": "n", "label": "a"}).assign(zone=["x", "y"])
    folder = study.parent
    table.to_parquet(folder / "own.parquet")
    written = folder / "new.toml"
    done = call("init", written, "--districts", folder / "own.parquet", "--name", "Une « ville »")
    assert (done.code, done.out) == (0, f"{written}\n")
    assert "names of the districts: a (Est, Ouest" in done.err
    said = tomllib.loads(written.read_text(encoding="utf-8"))["area"]
    assert said["districts"] == "own.parquet"
    assert said["name"] == "Une « ville »"
    assert said["label_column"] == "a"
    wrong = call(
        "init", written, "--force", "--districts", folder / "own.parquet", "--id-column", "q"
    )
    assert wrong.code == errors.InputFileError.exit_code
    assert "zone" in wrong.err
    gone = call("init", tmp_path / "no.toml", "--districts", folder / "gone.geojson")
    assert gone.code == errors.InputFileError.exit_code
    assert not (tmp_path / "no.toml").exists()


# --- the cache -----------------------------------------------------------------------------------


def test_the_cache_is_where_the_variable_says_or_nowhere(
    call: Call, study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUART_HEURE_CACHE", str(tmp_path / "kept"))
    cold = call("report", study, "--no-cache")
    assert not (tmp_path / "kept").exists()
    assert call("report", study).out == cold.out
    kept = {path.name.partition("-")[0] for path in (tmp_path / "kept").iterdir()}
    assert kept == {
        *(
            "area",
            "cells",
            "elsewhere",
            "network",
            "places",
            "reach",
            "residents",
            "search",
        ),
        "times",
    }
    assert call("report", study).out == cold.out
    monkeypatch.setenv("QUART_HEURE_CACHE", "")
    monkeypatch.chdir(tmp_path)
    assert call("report", study).out == cold.out
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


# --- as a process --------------------------------------------------------------------------------

# Warnings are errors, but for those that libraries give of each other when they are imported.
PROGRAM = (
    *(sys.executable, "-W", "error", "-W", "ignore::DeprecationWarning", "-c"),
    "import sys; sys.argv[0] = 'quart-heure'; from quart_heure.cli import run; run()",
)


def process(*arguments: object, stdout: int = subprocess.PIPE) -> Said:
    done = subprocess.run(
        [*PROGRAM, *map(str, arguments)],
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
        check=False,
    )
    return Said(done.returncode, done.stdout or "", done.stderr)


def test_a_process_ends_with_the_exit_code(study: Path, tmp_path: Path) -> None:
    log = tmp_path / "runs.log"
    done = process("report", study, "--format", "json", "--log-file", log)
    assert done.code == 0
    assert json.loads(done.out)["area"] == "Petite Ville"
    # Nobody watches: steps are in the log, and stderr has what was left out alone.
    steps = re.findall(r"INFO (.+)", log.read_text(encoding="utf-8"))
    assert steps == ["quart-heure report begins", *STEPS, "quart-heure report is done"]
    assert done.err.splitlines() == ["4 rows left out or doubted: see problems in the results."]
    wrong = process("report", tmp_path / "nothing.toml")
    assert (wrong.code, wrong.out) == (errors.InputFileError.exit_code, "")
    assert wrong.err.startswith("Error: ")
    assert "Traceback" not in wrong.err
    assert process("report", "--format", "pdf").code == 2


@pytest.mark.parametrize("command", ["--version", "--help", "info", "report"])
def test_a_broken_pipe_is_fine(results: Path, command: str) -> None:
    # As "quart-heure … | head": the reader is gone before the first word.
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = process(command, *([] if command.startswith("-") else [results]), stdout=writer)
    finally:
        os.close(writer)
    assert (done.code, done.err) == (0, "")


def test_warnings_of_the_cache_reach_stderr(study: Path, tmp_path: Path) -> None:
    # In this process pytest holds the log; the command itself shows warnings to the operator.
    blocked = tmp_path / "file"
    blocked.touch()
    script = (
        "import os, sys; os.environ['QUART_HEURE_CACHE'] = sys.argv.pop(); "
        "from quart_heure.cli import run; run()"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, "report", str(study), "--json", str(blocked / "cache")],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0
    assert "WARNING: The cache cannot be written, the next run will be slower" in done.stderr
    assert json.loads(done.stdout)["area"] == "Petite Ville"
    assert blocked.read_bytes() == b""


def test_study_paths_may_hold_spaces_and_accents(call: Call, tmp_path: Path) -> None:
    folder = tmp_path / "été à Orléans"
    folder.mkdir()
    study = write_town(folder)
    (folder / "services.csv").rename(folder / "où aller.csv")
    swap(study, '"services.csv"', '"où aller.csv"')
    shown = call("report", study, "--json")
    assert shown.code == 0
    sources = {each["role"]: each["file"] for each in json.loads(shown.out)["sources"]}
    assert sources["services"] == "où aller.csv"
