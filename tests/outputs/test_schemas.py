"""JSON Schemas: every JSON that the program writes is as its schema says, and nothing is untold."""

from __future__ import annotations

import copy
import dataclasses
import json
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from helpers import toy_town
from helpers.runs import town_run
from helpers.study_files import write_town
from quart_heure.cli import main
from quart_heure.errors import OutputError
from quart_heure.outputs.schemas import SCHEMAS, json_schema
from quart_heure.sources.online.geocoding import Geocoded, Mended, WeakMatch


@pytest.fixture(scope="module", autouse=True)
def cache_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("QUART_HEURE_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs of the toy town, and its study with hours asked about."""
    folder = tmp_path_factory.mktemp("runs")
    town_run(folder / "one", discreet=True)
    town_run(folder / "two", ["services", "parameters"], discreet=True)
    toy_town.town_network(bridge=False).write(folder / "one" / "other.parquet")
    (folder / "bare").mkdir()
    study = write_town(folder / "bare")
    text = study.read_text(encoding="utf-8")
    categories = json.dumps(toy_town.CATEGORIES)
    study.write_text(f"{text}\n[analysis]\ncategories = {categories}\n", encoding="utf-8")
    return folder


COMMANDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("report", ("report", "one/results", "--json")),
    ("report", ("report", "two/results", "--since", "one/results", "--json", "--lang", "en")),
    ("report", ("report", "one/results", "--json", "--arrondissement", "E", "--category", "esi")),
    ("report", ("report", "one/study/study.toml", "--json", "--at", "2026-05-04 11:00", "--week")),
    ("report", ("report", "one/study/study.toml", "--json", "--for", "woman")),
    ("manifest", ("info", "one/results", "--json")),
    ("paces", ("paces", "one/study/study.toml", "--json")),
    ("sensitivity", ("sensitivity", "one/study/study.toml", "--json")),
    ("ask", ("ask", "one/study/study.toml", "--json")),
    ("ask", ("ask", "one/study/study.toml", "--json", "--on", "2026-05-04")),
    ("links", ("links", "one/study/study.toml", "--category", "esi", "--json")),
    ("site", ("site", "one/study/study.toml", "--category", "esi", "--count", "1", "--json")),
    (
        "site",
        ("site", "one/study/study.toml", "--category", "esi", "--curve", "--fair", "--json"),
    ),
    (
        "what-if",
        ("what-if", "one/study/study.toml", "--close", "A1", "--minutes", "5", "--json"),
    ),
    ("closures", ("closures", "one/study/study.toml", "--category", "esi", "--json")),
    ("walk", ("walk", "one/study/study.toml", "--category", "esi", "--count", "2", "--json")),
    ("hours", ("hours", "one/study/study.toml", "--category", "esi", "--json")),
    (
        "crosscheck",
        ("crosscheck", "one/study/study.toml", "--network", "one/other.parquet", "--json"),
    ),
    ("compare", ("compare", "one/results", "two/results", "--json")),
    ("compare", ("compare", "one/results", "two/results", "--figures-only", "--json")),
    ("verify", ("verify", "one/results", "--json")),
    ("verify", ("verify", "two/results", "--quick", "--json")),
    ("check", ("check", "one/study/study.toml", "--json")),
    ("cache", ("cache", "--json")),
    ("analyse", ("analyse", "bare/study.toml", "-o", "bare/out", "--json")),
)


def written(folder: Path, arguments: tuple[str, ...]) -> Any:
    """Run a command in a folder and read the JSON that it prints."""
    out = StringIO()
    given = [str(folder / each) if "/" in each else each for each in arguments]
    with redirect_stdout(out), redirect_stderr(StringIO()):
        code = main(given)
    assert code == 0, given
    return json.loads(out.getvalue(), parse_constant=_no_constant)


def _no_constant(name: str) -> None:
    raise AssertionError(name)  # NaN and Infinity are no JSON


@pytest.mark.parametrize("name", SCHEMAS)
def test_each_schema_is_a_schema(name: str) -> None:
    schema = json_schema(name)
    Draft202012Validator.check_schema(schema)
    assert schema["title"] == f"quart-heure {name}"
    assert schema["required"]
    assert schema["description"]


@pytest.mark.parametrize(("name", "arguments"), COMMANDS, ids=lambda each: str(each)[:60])
def test_what_is_written_is_as_its_schema_says(
    folder: Path, name: str, arguments: tuple[str, ...]
) -> None:
    validator = Draft202012Validator(json_schema(name))
    content = written(folder, arguments)
    found = [f"{list(e.absolute_path)}: {e.message[:200]}" for e in validator.iter_errors(content)]
    assert not found
    # The schema would tell: each key that must be there is missed when it is not.
    for key in json_schema(name)["required"]:
        without = copy.copy(content)
        without.pop(key)
        assert not validator.is_valid(without), key
    assert not validator.is_valid({**content, "untold": 1})


def test_every_command_with_json_has_a_schema() -> None:
    told = {name for name, _ in COMMANDS} | {"fetch", "geocode"}
    assert told == set(SCHEMAS)


def test_the_schema_of_geocoding_has_the_fields_of_its_result() -> None:
    schema = json_schema("geocode")
    assert {field.name for field in dataclasses.fields(Geocoded)} == {*schema["properties"]}
    weak = schema["$defs"]["Weak"]["properties"]
    assert {field.name for field in dataclasses.fields(WeakMatch)} == {*weak}
    mended = schema["$defs"]["MendedPostcode"]["properties"]
    assert {field.name for field in dataclasses.fields(Mended)} == {*mended}
    done = Geocoded(
        path=Path("a.csv"),
        answer=None,
        rows=2,
        had_place=0,
        discreet=1,
        sent=1,
        placed=0,
        without_postcode=1,
        weak=(WeakMatch(1, "rue", "", "no match"),),
        mended=(Mended(1, "postcode 7501 was left out"),),
    )
    content = json.loads(json.dumps(dataclasses.asdict(done), default=str))
    Draft202012Validator(schema).validate(content)


def test_rows_have_the_columns_of_their_tables() -> None:
    row = json_schema("report")["$defs"]["indicators row"]
    assert row["properties"]["residents_covered_pct"]["type"] == ["number", "null"]
    assert "covered_at_most_pct" not in row["required"]
    assert "covered_pct" in row["required"]


def test_an_unknown_schema_is_refused_with_the_nearest() -> None:
    with pytest.raises(OutputError, match="report"):
        json_schema("reprot")
