"""The references in docs/ say what the code does: they are made from it, and may not lag."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType

import pytest

from helpers.project import ROOT, in_project, load_script
from quart_heure.commands.app import app
from quart_heure.schema import COLUMNS


@pytest.fixture(scope="module")
def script() -> Iterator[ModuleType]:
    with load_script("build_references") as module:
        yield module


@in_project
@pytest.mark.parametrize("name", ["docs/cli.md", "docs/columns.md", "tests/README.md"])
def test_a_reference_does_not_lag(script: ModuleType, name: str) -> None:
    written = (ROOT / name).read_text(encoding="utf-8")
    assert written == script.REFERENCES[name](), "run python scripts/build_references.py"


@in_project
def test_the_references_leave_nothing_out() -> None:
    commands = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    for command in app.registered_commands:
        assert f"\n## {command.name}\n" in commands
    for flag in ("--threshold", "--week-of", "--for", "--json", "--output, -o", "--min-score"):
        assert f"`{flag}" in commands
    columns = (ROOT / "docs" / "columns.md").read_text(encoding="utf-8")
    for column in COLUMNS:
        assert f"| `{column.name}` | {column.dtype} |" in columns
