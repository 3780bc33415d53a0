"""The command of closures: which services closing together hurt most."""

from __future__ import annotations

from typing import Annotated

import typer

from quart_heure.commands.completion import categories
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
    deliver,
    load_study,
    run_analysis,
    screen,
)
from quart_heure.commands.speech import progress


@with_options
def closures(
    options: Annotated[AnalysisOptions, all_but("category", "week", "week_of")],
    table: TableOptions,
    category: Annotated[
        str, typer.Option("--category", help="Category of the services.", autocompletion=categories)
    ],
    study: StudyFile = None,
    count: Annotated[
        int, typer.Option("--count", metavar="K", help="So many services close together.")
    ] = 2,
    listed: Annotated[
        int, typer.Option("--list", metavar="N", help="The most combinations to list.")
    ] = 10,
    lang: Language = Lang.FR,
    no_cache: NoCache = False,
) -> None:
    """Find the services that hurt most if they close together, and what hangs on one building."""
    from quart_heure.outputs.report.closures import render_closures
    from quart_heure.study.closures import check_closures, shared_buildings, worst_closures
    from quart_heure.study.siting import check_category

    check_output(table.output, study)
    check_closures(count, listed)
    with progress() as say:
        say("inputs")
        loaded = load_study(study, options.asked(), no_cache=no_cache)
        check_category(loaded, category)
        coverage = run_analysis(loaded, no_cache=no_cache, say=say)
        say("closures")
        found = worst_closures(coverage, category, count=count, listed=listed)
        buildings = shared_buildings(coverage)
    wide = screen() if table.output is None else {}
    text = render_closures(found, buildings, form=table.shape, lang=lang.value, **wide)
    deliver(text, table.output)
