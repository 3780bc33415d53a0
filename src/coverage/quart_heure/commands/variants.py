"""Commands that ask the same study several times: paces, sensitivity."""

from __future__ import annotations

from typing import Annotated

import typer

from quart_heure.commands.completion import walkers
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
    load_walkers,
    screen,
)
from quart_heure.commands.speech import progress


@with_options
def paces(
    options: Annotated[AnalysisOptions, all_but("profile", "threshold", "week", "week_of")],
    table: TableOptions,
    study: StudyFile = None,
    profile: Annotated[
        list[str] | None,
        typer.Option(
            "--profile",
            help="Walker; may be repeated. By default adult, slow and step_free.",
            autocompletion=walkers,
        ),
    ] = None,
    threshold: Annotated[
        list[float] | None,
        typer.Option(
            "--threshold", metavar="MINUTES", help="May be repeated; 10 and 15 by default."
        ),
    ] = None,
    lang: Language = Lang.FR,
    no_cache: NoCache = False,
) -> None:
    """Compare walkers and thresholds: area and residents covered, per category."""
    from quart_heure.outputs.report.variants import render_paces
    from quart_heure.study.variants import paces as compare_paces

    check_output(table.output, study)
    thresholds = threshold or [10.0, 15.0]
    with progress() as say:
        say("inputs")
        walkers, walks_m = load_walkers(study, profile, thresholds)
        loaded = load_study(
            study,
            {**options.asked(), "profile": walkers[0]},
            no_cache=no_cache,
            walks_m=walks_m,
        )
        found = compare_paces(
            loaded, walkers, thresholds, cache=chosen_cache(no_cache), progress=say
        )
    wide = screen() if table.output is None else {}
    text = render_paces(found, loaded, form=table.shape, lang=lang.value, **wide)
    deliver(text, table.output)


@with_options
def sensitivity(
    options: Annotated[AnalysisOptions, all_but("week", "week_of")],
    table: TableOptions,
    study: StudyFile = None,
    lang: Language = Lang.FR,
    no_cache: NoCache = False,
) -> None:
    """Tell how far the figures move when one assumption at a time is another."""
    from quart_heure.outputs.report.variants import render_sensitivity
    from quart_heure.study.variants import sensitivity as vary

    check_output(table.output, study)
    with progress() as say:
        say("inputs")
        loaded = load_study(study, options.asked(), no_cache=no_cache)
        found = vary(loaded, cache=chosen_cache(no_cache), progress=say)
    wide = screen() if table.output is None else {}
    text = render_sensitivity(found, loaded, form=table.shape, lang=lang.value, **wide)
    deliver(text, table.output)
