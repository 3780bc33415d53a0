"""The command that places addresses: geocode."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Annotated

import typer

from quart_heure.commands.running import check_output, progress


def geocode(
    services: Annotated[Path, typer.Argument(help="A list of services with a column 'address'.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The CSV file to write.")],
    min_score: Annotated[
        float, typer.Option("--min-score", help="Weaker matches are listed and not used.")
    ] = 0.7,
    server: Annotated[
        str, typer.Option(metavar="URL", help="Another geocoding service of the same kind.")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="The result as JSON.")] = False,
) -> None:
    """Place rows without coordinates by their address, with the State's service: goes online."""
    from quart_heure.sources.online.geocoding import GEOCODING_URL, geocode_file
    from quart_heure.sources.online.web import Web

    check_output(output, None)
    with progress() as say:
        done = geocode_file(
            services, output, min_score=min_score, url=server or GEOCODING_URL, web=Web(say=say)
        )
    if as_json:
        typer.echo(json.dumps(dataclasses.asdict(done), ensure_ascii=False, indent=2, default=str))
        return
    for line in [*done.lines(), str(done.path)]:
        typer.echo(line)
