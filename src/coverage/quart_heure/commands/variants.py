"""Commands that ask the same study several times: paces, sensitivity."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

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
from quart_heure.commands.speech import hearing, progress

if TYPE_CHECKING:
    from quart_heure.cache import Cache
    from quart_heure.study.study import Study


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

    def work_out(shape: dict[str, Any], say: Callable[[str], None]) -> tuple[Study, str]:
        from quart_heure.outputs.report.variants import render_paces
        from quart_heure.study.variants import paces as compare_paces

        thresholds = threshold or [10.0, 15.0]
        walkers, walks_m = load_walkers(study, profile, thresholds)
        loaded = load_study(
            study,
            {**options.asked(), "profile": walkers[0]},
            no_cache=no_cache,
            walks_m=walks_m,
        )
        cache = chosen_cache(no_cache)
        found = compare_paces(loaded, walkers, thresholds, cache=cache, progress=say)
        return loaded, render_paces(found, loaded, **shape)

    asked = ["paces", options, profile, threshold]
    _answer(study, table, lang, asked, work_out, cache=chosen_cache(no_cache))


@with_options
def sensitivity(
    options: Annotated[AnalysisOptions, all_but("week", "week_of")],
    table: TableOptions,
    study: StudyFile = None,
    lang: Language = Lang.FR,
    no_cache: NoCache = False,
) -> None:
    """Tell how far the figures move when one assumption at a time is another."""

    def work_out(shape: dict[str, Any], say: Callable[[str], None]) -> tuple[Study, str]:
        from quart_heure.outputs.report.variants import render_sensitivity
        from quart_heure.study.variants import sensitivity as vary

        loaded = load_study(study, options.asked(), no_cache=no_cache)
        found = vary(loaded, cache=chosen_cache(no_cache), progress=say)
        return loaded, render_sensitivity(found, loaded, **shape)

    asked = ["sensitivity", options]
    _answer(study, table, lang, asked, work_out, cache=chosen_cache(no_cache))


def _answer(
    source: Path | None,
    table: TableOptions,
    lang: Lang,
    asked: list[Any],
    work_out: Callable[[dict[str, Any], Callable[[str], None]], tuple[Study, str]],
    *,
    cache: Cache,
) -> None:
    """Hand out what was answered before, or work it out from the study that it is of."""
    from quart_heure.commands.kept import Question

    check_output(table.output, source)
    shape: dict[str, Any] = {"form": table.shape, "lang": lang.value}
    shape |= screen() if table.output is None else {}
    question = Question.of(source, [str(source), *asked], form=sorted(shape.items()), cache=cache)
    text = None if question is None else question.answer()
    if text is None:
        with progress() as say, hearing() as told:
            say("inputs")
            study, text = work_out(shape, say)
        if question is not None:
            withheld = bool(study.services.table["discreet"].any())
            question.keep(text, study, told, withheld=withheld)
    deliver(text, table.output)
