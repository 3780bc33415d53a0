"""What commands say steers no terminal, whoever named the things that they tell of."""

from __future__ import annotations

import logging
import re
from pathlib import Path

import pandas as pd
import pytest

from helpers import toy_town
from helpers.project import ROOT
from helpers.study_files import add, swap, write_town
from quart_heure.cli import main
from quart_heure.commands.speech import LogLines
from quart_heure.steering import escaped_json, harmless

UNKIND = "\x1b[31m\x1b]0;titre\x07\x9b2J\x9d\u202e\u2066\x08\x7f"
WRITTEN = UNKIND.encode("unicode_escape").decode().replace("\\x", "\\u00")
STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a town whose area, district, category, place, street and sources are named unkindly."""
    study = write_town(tmp_path_factory.mktemp("unkind"))
    folder = study.parent
    swap(study, '"Petite Ville"', f'"Ville{WRITTEN}"')
    services = pd.read_csv(folder / "services.csv", dtype=str, keep_default_na=False)
    services["name"] = "Lieu" + UNKIND.replace("\x08", "")
    services.loc[0, ["category", "opening_hours"]] = ["secours", f"24/{UNKIND}"]
    services.loc[1, "category"] = f"rien{UNKIND}"
    services.to_csv(folder / "services.csv", index=False)
    districts = toy_town.town_area().districts
    districts.assign(label=districts["label"] + UNKIND).to_parquet(folder / "districts.parquet")
    edges = toy_town.town_edges()
    edges["name"] = [f"Rue{UNKIND}"] * len(edges)
    edges.to_parquet(folder / "network.parquet")
    add(study, f'[categories.secours]\nfr = "Secours{WRITTEN}"\nen = "Aid{WRITTEN}"')
    return add(study, '[analysis]\ncategories = ["secours", "esi"]')


@pytest.fixture(scope="module")
def results(study: Path) -> Path:
    folder = study.parent / "results"
    assert main(["analyse", str(study), "-o", str(folder)]) == 0
    return folder


@pytest.mark.parametrize(
    ("command", "code"),
    [
        *((f"report {{results}} --format {form}", 0) for form in ("table", "md", "csv", "mail")),
        *((command, 0) for command in ("report {results} --json", "info {results}")),
        *((command, 0) for command in ("info {results} --json", "check {study} --json")),
        *((command, 0) for command in ("check {study}", "paces {study} --threshold 5")),
        ("report {results} --arrondissement Nulle", 3),
        ("report {results} --category nulle", 7),
    ],
)
def test_no_name_steers_a_terminal(
    study: Path, results: Path, command: str, code: int, capfd: pytest.CaptureFixture[str]
) -> None:
    capfd.readouterr()
    assert main(command.format(study=study, results=results).split()) == code
    said = capfd.readouterr()
    assert len(said.out + said.err) > 40
    assert STEERING.search(said.out) is None
    assert STEERING.search(said.err) is None


def test_a_message_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / f"x\x1b[2J\n{'y' * 9}.toml"
    assert main(["report", str(path)]) == 3
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("Error: ")
    assert "\x1b" not in line


def test_a_warning_is_one_line() -> None:
    record = logging.LogRecord("q", logging.WARNING, "", 0, "%s", (f"a{UNKIND}\nb",), None)
    assert LogLines("%(levelname)s: %(message)s").format(record) == "WARNING: a[31m]0;titre2J b"


def test_json_keeps_what_it_does_not_show() -> None:
    assert escaped_json(f'"{harmless(UNKIND)}\x9b\u202e"') == '"[31m]0;titre2J\\u009b\\u202e"'


def test_all_that_commands_say_goes_through_one_place() -> None:
    for path in (ROOT / "src/coverage/quart_heure").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        if path.name in {"speech.py", "cli.py", "app.py"}:
            continue
        assert "typer.echo" not in text, path
