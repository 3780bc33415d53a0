"""The commands together: what `quart-heure --help` lists.

Heavy libraries are imported inside the commands that need them, so that ``--help`` answers at
once.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from quart_heure.commands import (
    closures,
    crosscheck,
    inputs,
    reports,
    runs,
    siting,
    starting,
    variants,
    what_if,
)

app = typer.Typer(
    name="quart-heure",
    help="Who cannot reach the solidarity services of a city within 15 minutes on foot, and why.",
    epilog=(
        "Exit codes: 0 done · 1 internal error · 2 wrong arguments · 3 input file · 4 study file ·"
        " 5 coordinate system · 6 geometry · 7 category · 8 network · 9 cannot write ·"
        " 10 try later · 11 a watched figure raises the alarm · 12 not verified ·"
        " 13 too little memory · 129, 130, 143 stopped by a signal (130: Ctrl-C)"
    ),
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=True,
)


class _Command(TyperCommand):
    """A command that knows an empty name from the folder one is in, which Python does not."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the arguments, and refuse names of files that are empty."""
        given, _, _ = self.make_parser(ctx).parse_args(args=list(args))
        left: list[str] = super().parse_args(ctx, args)
        for parameter in self.get_params(ctx):
            texts, values = given.get(str(parameter.name)), ctx.params.get(str(parameter.name))
            empty = texts == "" or (isinstance(texts, list) and "" in texts)
            if empty and any(isinstance(v, Path) for v in (values, *_each(values))):
                msg = "an empty name: give that of a file or a folder, '.' for the one you are in."
                raise typer.BadParameter(msg, ctx=ctx, param=parameter)
        return left


def _each(values: Any) -> list[Any]:
    return list(values) if isinstance(values, list | tuple) else []


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
    app.command(_command.__name__.rstrip("_").replace("_", "-"), cls=_Command)(_command)
