"""Commands that ask the same study several times: paces, sensitivity."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from quart_heure.commands.options import (
    AllStatuses,
    At,
    Between,
    Categories,
    ForWhom,
    Lang,
    Language,
    NoCache,
    On,
    Profile,
    Stay,
    StepFree,
    StudyFile,
    TableFormat,
    Threshold,
    WithoutReferral,
)
from quart_heure.commands.running import (
    check_output,
    chosen_cache,
    deliver,
    load_study,
    persons,
    progress,
    screen,
)

_Form = Annotated[TableFormat, typer.Option("--format", help="Form of the table.")]
_Json = Annotated[bool, typer.Option("--json", help="The same as --format json.")]
_Output = Annotated[
    Optional[Path],  # noqa: UP045 - typer reads the annotation at run time
    typer.Option("--output", "-o", help="File to write instead of stdout."),
]


def paces(
    study: StudyFile = None,
    profile: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(
            "--profile", help="Walker; may be repeated. By default adult, slow and step_free."
        ),
    ] = None,
    threshold: Annotated[
        Optional[list[float]],  # noqa: UP045
        typer.Option(
            "--threshold", metavar="MINUTES", help="May be repeated; 10 and 15 by default."
        ),
    ] = None,
    category: Categories = None,
    all_statuses: AllStatuses = False,
    for_whom: ForWhom = None,
    without_referral: WithoutReferral = False,
    step_free: StepFree = False,
    at: At = None,
    on: On = None,
    between: Between = None,
    stay: Stay = None,
    form: _Form = TableFormat.TABLE,
    as_json: _Json = False,
    output: _Output = None,
    lang: Language = Lang.FR,
    no_cache: NoCache = False,
) -> None:
    """Compare walkers and thresholds: area and residents covered, per category."""
    from quart_heure.outputs.report.variants import render_paces
    from quart_heure.study.variants import paces as compare_paces

    check_output(output, study)
    with progress() as say:
        say("inputs")
        loaded = [
            load_study(
                study,
                no_cache=no_cache,
                profile=name,
                category=category,
                all_statuses=all_statuses,
                person=persons(for_whom, without_referral=without_referral, step_free=step_free),
                at=at,
                on=on,
                between=between,
                stay=stay,
            )
            for name in profile or ("adult", "slow", "step_free")
        ]
        table = compare_paces(
            loaded[0],
            [each.profile for each in loaded],
            threshold or (10.0, 15.0),
            cache=chosen_cache(no_cache),
            progress=say,
        )
    shape = "json" if as_json else form.value
    wide = screen() if output is None else {}
    deliver(render_paces(table, loaded[0], form=shape, lang=lang.value, **wide), output)


def sensitivity(
    study: StudyFile = None,
    profile: Profile = None,
    threshold: Threshold = None,
    category: Categories = None,
    all_statuses: AllStatuses = False,
    for_whom: ForWhom = None,
    without_referral: WithoutReferral = False,
    step_free: StepFree = False,
    at: At = None,
    on: On = None,
    between: Between = None,
    stay: Stay = None,
    form: _Form = TableFormat.TABLE,
    as_json: _Json = False,
    output: _Output = None,
    lang: Language = Lang.FR,
    no_cache: NoCache = False,
) -> None:
    """Tell how far the figures move when one assumption at a time is another."""
    from quart_heure.outputs.report.variants import render_sensitivity
    from quart_heure.study.variants import sensitivity as vary

    check_output(output, study)
    with progress() as say:
        say("inputs")
        loaded = load_study(
            study,
            no_cache=no_cache,
            profile=profile,
            threshold=threshold,
            category=category,
            all_statuses=all_statuses,
            person=persons(for_whom, without_referral=without_referral, step_free=step_free),
            at=at,
            on=on,
            between=between,
            stay=stay,
        )
        table = vary(loaded, cache=chosen_cache(no_cache), progress=say)
    shape = "json" if as_json else form.value
    wide = screen() if output is None else {}
    deliver(render_sensitivity(table, loaded, form=shape, lang=lang.value, **wide), output)
