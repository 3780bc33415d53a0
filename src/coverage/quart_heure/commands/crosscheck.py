"""The command that asks a second network whether it agrees."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from quart_heure.commands.options import (
    AnalysisOptions,
    Lang,
    Language,
    NoCache,
    StudyFile,
    TableOptions,
    all_but,
    with_options,
)
from quart_heure.commands.running import (
    check_output,
    chosen_cache,
    deliver,
    load_study,
    progress,
    screen,
    tell_file,
)


@with_options
def crosscheck(
    options: Annotated[AnalysisOptions, all_but("week", "week_of")],
    table: TableOptions,
    network: Annotated[
        Path,
        typer.Option(
            "--network",
            metavar="OTHER",
            help="Other streets of the same place: raw OSM, tiles, or a table of edges.",
        ),
    ],
    study: StudyFile = None,
    lang: Language = Lang.FR,
    no_cache: NoCache = False,
) -> None:
    """Run the same study on a second network, and tell where the two disagree and why."""
    from quart_heure.outputs.report.crosscheck import render_crosscheck, write_crosscheck
    from quart_heure.study.crosscheck import crosscheck as compare_networks

    check_output(table.output, study)
    with progress() as say:
        say("inputs")
        loaded = load_study(study, options.asked(), no_cache=no_cache)
        other = load_study(study, options.asked(), no_cache=no_cache, network=network)
        found = compare_networks(loaded, other, cache=chosen_cache(no_cache), progress=say)
    if table.output is not None and table.output.suffix.lower() == ".gpkg":
        write_crosscheck(found, table.output)
        tell_file(table.output)
        return
    wide = screen() if table.output is None else {}
    text = render_crosscheck(found, form=table.shape, lang=lang.value, **wide)
    deliver(text, table.output)
