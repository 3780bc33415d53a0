"""The command line: arguments → study → files. Results on stdout, progress on stderr.

Heavy libraries are imported inside the commands that need them, so that ``--help`` answers at
once.
"""

from __future__ import annotations

import functools
import gc
import importlib
import logging
import sys
from collections.abc import Mapping, Sequence
from typing import Annotated

import typer

from quart_heure.commands.speech import LogLines, tell
from quart_heure.errors import QuartHeureError

_COMMANDS: Mapping[str, tuple[str, ...]] = {
    "reports": ("demo", "analyse", "report", "map", "dossier", "info"),
    "variants": ("paces", "sensitivity"),
    "what_if": ("what-if",),
    "siting": ("site", "walk", "hours", "ask", "links"),
    "crosscheck": ("crosscheck",),
    "closures": ("closures",),
    "runs": ("compare", "verify", "schema"),
    "inputs": ("fetch", "geocode", "check"),
    "starting": ("init",),
}
"""Modules of commands, and what each has, in the order of the help."""


def _start(
    version: Annotated[bool, typer.Option("--version", help="Show the version.")] = False,
) -> None:
    """Answer the options that stand before a command."""
    if version:
        from quart_heure.stamp import tool_version

        typer.echo(tool_version())
        raise typer.Exit


@functools.cache
def _with_commands_of(*modules: str) -> typer.Typer:
    """Return the command line with the commands of some modules."""
    found = typer.Typer(
        name="quart-heure",
        help="Who cannot reach the solidarity services of a city within 15 minutes on foot, and"
        " why.",
        epilog=(
            "Exit codes: 0 done · 1 internal error · 2 wrong arguments · 3 input file · 4 study"
            " file · 5 coordinate system · 6 geometry · 7 category · 8 network · 9 cannot write ·"
            " 10 try later · 11 a watched figure raises the alarm · 12 not verified"
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
            found.command(name)(getattr(room, word, None) or getattr(room, f"{word}_"))
    return found


def _asked(arguments: Sequence[str]) -> typer.Typer:
    """Return the command line as far as some arguments need it: most name one command."""
    for module, names in _COMMANDS.items():
        if arguments and arguments[0] in names:
            return _with_commands_of(module)
    return _with_commands_of(*_COMMANDS)


def __getattr__(name: str) -> typer.Typer:
    """Give the whole command line as ``app``, made when it is first asked for."""
    if name == "app":
        return _with_commands_of(*_COMMANDS)
    msg = f"module 'quart_heure.cli' has no attribute {name!r}"
    raise AttributeError(msg)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    logging.basicConfig(stream=sys.stderr)
    for handler in logging.root.handlers:
        handler.setFormatter(LogLines("%(levelname)s: %(message)s"))
    try:
        app = _asked(sys.argv[1:] if arguments is None else arguments)
        result = app(args=arguments, standalone_mode=False)
    except QuartHeureError as error:
        tell(f"Error: {error}")
        return error.exit_code
    except typer.Exit as stop:
        return stop.exit_code
    except typer.Abort:
        typer.echo("Stopped.", err=True)
        return 130
    except SystemExit as end:
        # typer ends the process itself when the reader of a pipe (head, less) has seen enough.
        if isinstance(end.__context__, BrokenPipeError):
            return 0
        raise
    except Exception as error:
        return _usage_error(error)
    return result if isinstance(result, int) else 0


def run() -> None:
    """Run the command line and end the process with its exit code."""
    # A command lives for seconds: its tables are not looked through for garbage many times over,
    # nor once more at its end.
    gc.set_threshold(100_000, 50, 50)
    try:
        code = main()
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader of a pipe (head, less) has seen enough.
        sys.stderr.close()
        code = 0
    gc.freeze()
    sys.exit(code)


def _usage_error(error: Exception) -> int:
    """Show wrong arguments as typer does; anything else is a fault of ours and is raised."""
    show = getattr(error, "show", None)
    code = getattr(error, "exit_code", None)
    if not callable(show) or not isinstance(code, int):
        raise error
    show()
    return code
