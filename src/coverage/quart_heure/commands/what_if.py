"""The command of scenarios: what if."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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
)
from quart_heure.errors import StudyFileError

if TYPE_CHECKING:
    from quart_heure.study.scenario import Scenario


@with_options
def what_if(
    options: Annotated[AnalysisOptions, all_but("week", "week_of")],
    table: TableOptions,
    study: StudyFile = None,
    scenarios: Annotated[
        list[Path] | None,
        typer.Option(
            "--scenarios",
            metavar="FILE",
            help="Scenarios in TOML (docs/scenarios.md), shown side by side; may be repeated.",
        ),
    ] = None,
    close: Annotated[
        list[str] | None,
        typer.Option("--close", metavar="SERVICE", help="Close it, by id or name; repeatable."),
    ] = None,
    add: Annotated[
        list[str] | None,
        typer.Option(
            "--add",
            metavar="CATEGORY@LAT,LON",
            help="Open a service, such as bagagerie@48.8801,2.3553; repeatable.",
        ),
    ] = None,
    move: Annotated[
        list[str] | None,
        typer.Option(
            "--move", metavar="SERVICE@LAT,LON", help="Let it stand elsewhere; repeatable."
        ),
    ] = None,
    name: Annotated[
        str, typer.Option("--name", help="What to call the changes of these flags.")
    ] = "what if",
    lang: Language = Lang.FR,
    no_cache: NoCache = False,
) -> None:
    """Tell who would gain and who would lose if services closed, opened or moved."""
    from quart_heure.outputs.report.what_if import render_what_if
    from quart_heure.study.line import analyse
    from quart_heure.study.scenario import read_scenarios
    from quart_heure.study.what_if import what_if as ask

    check_output(table.output, study)
    # Before the analysis: a slip of the pen is told at once.
    asked = [scenario for path in scenarios or () for scenario in read_scenarios(path)]
    if close or add or move:
        asked.append(_of_flags(name, close or (), add or (), move or ()))
    if not asked:
        msg = "There is nothing to change."
        raise StudyFileError(msg, hint="Give --close, --add, --move or --scenarios.")
    with progress() as say:
        say("inputs")
        loaded = load_study(study, options.asked(), no_cache=no_cache)
        base = analyse(loaded, cache=chosen_cache(no_cache), progress=say)
        outcomes = ask(base, asked, progress=say)
    wide = screen() if table.output is None else {}
    deliver(render_what_if(outcomes, form=table.shape, lang=lang.value, **wide), table.output)


def _of_flags(
    name: str, close: list[str] | tuple[()], add: list[str] | tuple[()], move: list[str] | tuple[()]
) -> Scenario:
    from quart_heure.study.scenario import Add, Move, Scenario

    opened = [(what, _place("--add", what)) for what in add]
    moved = [(what, _place("--move", what)) for what in move]
    return Scenario(
        name=name,
        close=tuple(close),
        add=tuple(
            Add(category=what.rpartition("@")[0].strip(), lat=lat, lon=lon)
            for what, (lat, lon) in opened
        ),
        move=tuple(
            Move(service=what.rpartition("@")[0].strip(), lat=lat, lon=lon)
            for what, (lat, lon) in moved
        ),
    )


def _place(flag: str, what: str) -> tuple[float, float]:
    word, _, place = what.rpartition("@")
    try:
        lat, lon = (float(number) for number in place.split(","))
    except ValueError:
        word = ""
    if not word.strip():
        msg = f"{flag} {what!r} is not WHAT@LAT,LON."
        raise StudyFileError(msg, hint="Write for instance bagagerie@48.8801,2.3553.")
    return lat, lon
