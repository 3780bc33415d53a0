"""The commands together: what `quart-heure --help` lists.

Heavy libraries are imported inside the commands that need them, so that ``--help`` answers at
once; and of the modules of commands, a run imports the one that it asks for.
"""

from __future__ import annotations

import enum
import functools
import importlib
import inspect
import os
import typing
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

_COMMANDS: Mapping[str, tuple[str, ...]] = {
    "reports": ("demo", "analyse", "report", "map", "dossier", "info"),
    "publishing": ("publish",),
    "batch": ("batch",),
    "variants": ("paces", "sensitivity"),
    "what_if": ("what-if",),
    "siting": ("site", "walk", "hours", "ask", "links"),
    "crosscheck": ("crosscheck",),
    "closures": ("closures",),
    "runs": ("compare", "verify", "schema"),
    "inputs": ("fetch", "geocode", "check"),
    "starting": ("init",),
    "cache": ("cache",),
}
"""Modules of commands, and what each has, in the order of the help."""


_Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing on stderr but errors.")]
_LogFile = Annotated[
    Path | None,
    typer.Option(
        "--log-file",
        metavar="FILE",
        help="File to which steps, warnings and errors are added, with the time.",
    ),
]


def _value(parameter: Any, ctx: Any, value: Any) -> Any:
    """Turn what was given into a value; what stands in for it, where nothing was, is one already.

    Turning takes pydantic, whose loading is a tenth of a report whose study is known.
    """
    if value is not parameter.default or parameter.required:
        kind = getattr(getattr(parameter, "type_descriptor", None), "annotation", None)
        plain = _plain(kind, value) if type(value) is str else None
        if plain is None or parameter.callback is not None:
            return type(parameter).process_value(parameter, ctx, value)
        return plain
    if value is None and (parameter.multiple or parameter.nargs == -1):
        value = ()
    return value if parameter.callback is None else parameter.callback(ctx, parameter, value)


def _plain(kind: Any, text: str) -> str | Path | enum.Enum | None:
    """Return the value that a text is at first sight, None where typer has to look at it."""
    if not text.isprintable():  # signs of no text among them: bytes that are not UTF-8
        return None
    if kind is str:
        return text
    if kind is Path:
        return Path(text) if os.access(text, os.R_OK) or not os.path.lexists(text) else None
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return next((each for each in kind if each.value == text), None)
    return None


def _left_as_they_are(parameters: list[Any]) -> list[Any]:
    for parameter in parameters:
        parameter.process_value = functools.partial(_value, parameter)
    return parameters


class _Group(TyperGroup):
    """What stands before a command."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Return the parameters, as `_value` takes them."""
        return _left_as_they_are(super().get_params(ctx))


class _Command(TyperCommand):
    """A command that knows an empty name from the folder one is in, which Python does not."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Return the parameters, as `_value` takes them."""
        return _left_as_they_are(super().get_params(ctx))

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the arguments, and refuse names of files that are empty."""
        given, _, _ = self.make_parser(ctx).parse_args(args=list(args))
        left: list[str] = super().parse_args(ctx, args)
        parameters: list[Any] = [*self.get_params(ctx)]
        for parameter in parameters:
            texts, values = given.get(str(parameter.name)), ctx.params.get(str(parameter.name))
            empty = texts == "" or (isinstance(texts, list) and "" in texts)
            if empty and any(isinstance(v, Path) for v in (values, *_each(values))):
                msg = "an empty name: give that of a file or a folder, '.' for the one you are in."
                raise typer.BadParameter(msg, ctx=ctx, param=parameter)
        return left


def _each(values: Any) -> list[Any]:
    return list(values) if isinstance(values, list | tuple) else []


def _start(
    version: Annotated[bool, typer.Option("--version", help="Show the version.")] = False,
) -> None:
    """Answer the options that stand before a command."""
    if version:
        from quart_heure.stamp import tool_version

        typer.echo(tool_version())
        raise typer.Exit


def _told(name: str, command: Callable[..., None]) -> Callable[..., None]:
    """Give a command what every one has: it can be quiet, and keep a log."""
    hints = typing.get_type_hints(command, include_extras=True)
    keyword = inspect.Parameter.KEYWORD_ONLY
    options = [
        inspect.Parameter(each.name, keyword, default=each.default, annotation=hints[each.name])
        for each in inspect.signature(command).parameters.values()
    ]
    options += [
        inspect.Parameter("quiet", keyword, default=False, annotation=_Quiet),
        inspect.Parameter("log_file", keyword, default=None, annotation=_LogFile),
    ]

    @functools.wraps(command)
    def run(*, quiet: bool, log_file: Path | None, **given: Any) -> None:
        from quart_heure.commands.speech import told_as

        with told_as(f"quart-heure {name}", quiet=quiet, log=log_file):
            command(**given)

    del run.__wrapped__  # typer would look at the command itself
    run.__signature__ = inspect.Signature(options)  # type: ignore[attr-defined]
    run.__annotations__ = {option.name: option.annotation for option in options}
    return run


@functools.cache
def _with_commands_of(*modules: str) -> typer.Typer:
    """Return the command line with the commands of some modules."""
    found = typer.Typer(
        name="quart-heure",
        cls=_Group,
        help="Who cannot reach the solidarity services of a city within 15 minutes on foot, and"
        " why.",
        epilog=(
            "Exit codes: 0 done · 1 internal error · 2 wrong arguments · 3 input file · 4 study"
            " file · 5 coordinate system · 6 geometry · 7 category · 8 network · 9 cannot write ·"
            " 10 try later · 11 a watched figure raises the alarm · 12 not verified ·"
            " 13 too little memory · 14 territories of a batch without results ·"
            " 129, 130, 143 stopped by a signal (130: Ctrl-C)"
        ),
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        add_completion=True,
    )
    found.callback(invoke_without_command=True)(_start)
    for module in modules:
        room = importlib.import_module(f"quart_heure.commands.{module}")
        for name in _COMMANDS[module]:
            word = name.replace("-", "_")
            command = getattr(room, word, None) or getattr(room, f"{word}_")
            found.command(name, cls=_Command)(_told(name, command))
    return found


@functools.cache
def _made_of(*modules: str) -> Callable[..., Any]:
    """Return what runs the commands of some modules: a program that runs many makes it once."""
    return typer.main.get_command(_with_commands_of(*modules))


def _needed_for(arguments: Sequence[str]) -> Sequence[str]:
    for module, names in _COMMANDS.items():
        if arguments and arguments[0] in names:
            return [module]
    return [*_COMMANDS]


def app_for(arguments: Sequence[str]) -> typer.Typer:
    """Return the command line as far as some arguments need it: most name one command."""
    return _with_commands_of(*_needed_for(arguments))


def command_for(arguments: Sequence[str]) -> Callable[..., Any]:
    """Return what runs it."""
    return _made_of(*_needed_for(arguments))


def __getattr__(name: str) -> typer.Typer:
    """Give the whole command line as ``app``, made when it is first asked for."""
    if name == "app":
        return _with_commands_of(*_COMMANDS)
    msg = f"module 'quart_heure.commands.app' has no attribute {name!r}"
    raise AttributeError(msg)
