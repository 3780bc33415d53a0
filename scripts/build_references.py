"""Write docs/cli.md, docs/columns.md and tests/README.md from what the code and schema.csv say.

Run it after a change of an option or of a column; tests/house/test_references.py fails until then.
"""

from __future__ import annotations

import dataclasses
import enum
import inspect
import sys
import typing
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from typer.models import ArgumentInfo, OptionInfo

from quart_heure import errors
from quart_heure.commands.app import app
from quart_heure.schema import CATEGORY_MARK, COLUMNS, Column
from test_guide import guide

ROOT = Path(__file__).resolve().parents[1]

MADE = "<!-- Made by scripts/build_references.py: change the code, not this page. -->"

FILES = {
    "all": "",
    "layers": "layers only",
    "csv": "CSV only",
    "ranges": "at some hour or for some person",
}
"""Where a column stands, in few words."""

OTHER_CODES = {
    "0": "Done.",
    "2": "Wrong arguments: an option that does not exist, or a value of another kind.",
    "129": "Stopped: the terminal was closed.",
    "130": "Stopped by Ctrl-C.",
    "143": "Stopped: the system or its owner asked the process to end.",
}


@dataclasses.dataclass(frozen=True)
class Parameter:
    """One argument or option of a command, as its signature declares it."""

    name: str
    kind: Any
    told: ArgumentInfo | OptionInfo
    default: Any

    @classmethod
    def all_of(cls, command: Callable[..., Any]) -> list[Parameter]:
        """Return the parameters of a command, in order."""
        hints = typing.get_type_hints(command, include_extras=True)
        found = []
        for name, parameter in inspect.signature(command).parameters.items():
            kind, told = typing.get_args(hints[name])
            default = None if parameter.default is parameter.empty else parameter.default
            found.append(cls(name, kind, told, default))
        return found

    @property
    def is_argument(self) -> bool:
        """Whether it has no flag."""
        return isinstance(self.told, ArgumentInfo)

    @property
    def flags(self) -> list[str]:
        """How an option is typed, the long form first."""
        # Within Annotated, the first of them stands where a default would.
        declared = [self.told.default, *(self.told.param_decls or ())]
        flags = [each for each in declared if isinstance(each, str) and each.startswith("-")]
        return flags or [f"--{self.name.replace('_', '-')}"]

    @property
    def required(self) -> bool:
        """Whether it must be given."""
        return self.default is None and type(None) not in typing.get_args(self.kind)

    @property
    def value(self) -> str:
        """What stands for the value; "" for a flag."""
        kinds = [each for each in typing.get_args(self.kind) if each is not type(None)]
        kind = kinds[0] if kinds else self.kind
        if kind is bool:
            return ""
        if isinstance(kind, type) and issubclass(kind, enum.StrEnum):
            return "|".join(kind)
        return self.told.metavar or _VALUES.get(kind, "TEXT")

    @property
    def as_argument(self) -> str:
        """An argument as a line of usage has it."""
        name = self.told.metavar or self.name.upper()
        return name if self.required or name.startswith("[") else f"[{name}]"


_VALUES = {Path: "PATH", float: "NUMBER", int: "NUMBER"}


def command_line() -> str:
    """Return the reference of the command line."""
    commands = {each.name or "": each.callback for each in app.registered_commands}
    about = {name: cell(inspect.getdoc(command) or "") for name, command in commands.items()}
    parts = [
        "# The command line",
        MADE,
        f"{app.info.help} Results go to stdout, progress and warnings to stderr. Commands that "
        "read a study take the packaged Paris where none is named; options prevail over the study "
        "file. `quart-heure COMMAND --help` says the same on a terminal.",
        table(["Command", "What it does"], [[f"[`{n}`](#{n})", about[n]] for n in commands]),
    ]
    for name, command in commands.items():
        if command is not None:
            parts += [f"## {name}", about[name], *of_command(name, Parameter.all_of(command))]
    parts += ["## Exit codes", exit_codes()]
    return "\n\n".join(parts) + "\n"


def of_command(name: str, parameters: Sequence[Parameter]) -> Iterator[str]:
    """Give the usage of a command, a table of its arguments and one of its options."""
    arguments = [each for each in parameters if each.is_argument]
    options = [each for each in parameters if not each.is_argument]
    words = [each.as_argument for each in arguments]
    words += [f"{each.flags[0]} {each.value}" for each in options if each.required]
    yield f"    {' '.join(['quart-heure', name, *words, '[OPTIONS]'])}"
    if arguments:
        rows = [[f"`{each.as_argument}`", meaning(each)] for each in arguments]
        yield table(["Argument", "Meaning"], rows)
    yield table(["Option", "Meaning"], [[written(each), meaning(each)] for each in options])


def written(option: Parameter) -> str:
    """Return an option as it is typed."""
    return f"`{', '.join(option.flags)}{' ' if option.value else ''}{option.value}`"


def meaning(parameter: Parameter) -> str:
    """Return the help of a parameter, with its default where that is a value."""
    words = parameter.told.help or ""
    if parameter.required and not parameter.is_argument:
        return f"{words} Required."
    if parameter.default in (None, False, "") or callable(parameter.default):
        return words
    return f"{words} By default `{parameter.default}`."


def exit_codes() -> str:
    """Return the exit codes, of the errors by what their classes say."""
    kinds = [getattr(errors, name) for name in errors.__all__ if name.endswith("Error")]
    told = {str(kind.exit_code): inspect.getdoc(kind) or "" for kind in kinds}
    told |= OTHER_CODES
    told["1"] = "A fault of the tool itself: please report it."
    return table(["Code", "Meaning"], [[code, told[code]] for code in sorted(told, key=int)])


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table of Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(cell, line))} |" for line in lines)


def columns() -> str:
    """Return the reference of the columns."""
    parts = [
        "# The columns of the results",
        MADE,
        "Every table of a folder of results, and the two that `paces` and `sensitivity` print. "
        f"`{CATEGORY_MARK}` stands for the identifier of a category: one column for each. The "
        "same list travels with the results as `data_dictionary.csv`.",
        ", ".join(f"[{name}](#{name})" for name in by_table()),
    ]
    for name, found in by_table().items():
        head = ["Column", "Type", "Unit", "Where", "Meaning", "Signification"]
        parts += [f"## {name}", table(head, map(cells_of, found))]
    return "\n\n".join(parts) + "\n"


def by_table() -> dict[str, list[Column]]:
    """Return the columns of each table, in their order."""
    found: dict[str, list[Column]] = {}
    for column in COLUMNS:
        found.setdefault(column.table, []).append(column)
    return found


def cells_of(column: Column) -> list[str]:
    """Return the row of a column."""
    about = [column.dtype, column.unit, FILES[column.files], column.en, column.fr]
    return [f"`{column.name}`", *about]


def cell(text: str) -> str:
    """Return a text as it stands in a cell of a table."""
    return " ".join(text.replace("|", "\\|").split())


REFERENCES = {
    "docs/cli.md": command_line,
    "docs/columns.md": columns,
    "tests/README.md": guide,
}


def main() -> None:
    """Write both pages."""
    for name, made in REFERENCES.items():
        (ROOT / name).write_text(made(), encoding="utf-8")
        sys.stdout.write(f"{name}\n")


if __name__ == "__main__":
    main()
