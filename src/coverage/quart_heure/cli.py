"""The command line: arguments → study → files. Results on stdout, progress on stderr.

Heavy libraries are imported inside the commands that need them, so that ``--help`` answers at
once.
"""

from __future__ import annotations

import gc
import logging
import sys
from typing import Annotated

import typer

from quart_heure.commands import (
    closures,
    crosscheck,
    inputs,
    publishing,
    reports,
    runs,
    siting,
    starting,
    variants,
    what_if,
)
from quart_heure.errors import QuartHeureError

app = typer.Typer(
    name="quart-heure",
    help="Who cannot reach the solidarity services of a city within 15 minutes on foot, and why.",
    epilog=(
        "Exit codes: 0 done · 1 internal error · 2 wrong arguments · 3 input file · 4 study file ·"
        " 5 coordinate system · 6 geometry · 7 category · 8 network · 9 cannot write ·"
        " 10 try later · 11 a watched figure raises the alarm · 12 not verified"
    ),
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=True,
)


@app.callback(invoke_without_command=True)
def _start(
    version: Annotated[bool, typer.Option("--version", help="Show the version.")] = False,
) -> None:
    """Answer the options that stand before a command."""
    if version:
        from quart_heure.stamp import tool_version

        typer.echo(tool_version())
        raise typer.Exit


for _command in (
    reports.demo,
    reports.analyse,
    reports.report,
    reports.map_,
    reports.dossier,
    publishing.publish,
    reports.info,
    variants.paces,
    variants.sensitivity,
    what_if.what_if,
    siting.site,
    siting.walk,
    siting.hours,
    siting.ask,
    siting.links,
    crosscheck.crosscheck,
    closures.closures,
    runs.compare,
    runs.verify,
    runs.schema,
    inputs.fetch,
    inputs.geocode,
    inputs.check,
    starting.init,
):
    app.command(_command.__name__.rstrip("_").replace("_", "-"))(_command)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    logging.basicConfig(format="%(levelname)s: %(message)s", stream=sys.stderr)
    try:
        result = app(args=arguments, standalone_mode=False)
    except QuartHeureError as error:
        typer.echo(f"Error: {error}", err=True)
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
