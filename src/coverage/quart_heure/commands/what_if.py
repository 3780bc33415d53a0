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
    load_walkers,
    progress,
    screen,
    tell_file,
)
from quart_heure.errors import StudyFileError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from quart_heure.study.scenario import Add, Move, NewCapacity, NewHours, Scenario


@with_options
def what_if(
    options: Annotated[AnalysisOptions, all_but("week", "week_of")],
    table: TableOptions,
    study: StudyFile = None,
    scenarios: Annotated[
        list[Path] | None,
        typer.Option(
            "--scenario",
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
    hours: Annotated[
        list[str] | None,
        typer.Option(
            "--hours",
            metavar="SERVICE=HOURS",
            help='Other hours, such as "Bagagérue=Mo-Fr 09:00-17:00" (with --at or --on);'
            " repeatable.",
        ),
    ] = None,
    capacity: Annotated[
        list[str] | None,
        typer.Option(
            "--capacity",
            metavar="SERVICE=NUMBER",
            help="Another capacity, in the unit that it has; repeatable.",
        ),
    ] = None,
    link: Annotated[
        list[str] | None,
        typer.Option(
            "--link",
            metavar="LAT,LON,LAT,LON",
            help="A footway between the streets nearest to two places; repeatable.",
        ),
    ] = None,
    cut: Annotated[
        list[str] | None,
        typer.Option(
            "--cut", metavar="LAT,LON", help="Nobody walks the street nearest to it; repeatable."
        ),
    ] = None,
    walker: Annotated[
        str | None,
        typer.Option("--walker", help="Another walker in the scenario: adult, slow or step_free."),
    ] = None,
    minutes: Annotated[
        float | None,
        typer.Option("--minutes", metavar="MINUTES", help="Another threshold in the scenario."),
    ] = None,
    name: Annotated[
        str, typer.Option("--name", help="What to call the changes of these flags.")
    ] = "what if",
    lang: Language = Lang.FR,
    no_cache: NoCache = False,
) -> None:
    """Tell who would gain and who would lose if services closed, opened or moved."""
    from quart_heure.outputs.report.what_if import render_what_if, write_what_if
    from quart_heure.study.line import analyse
    from quart_heure.study.scenario import Cut, Link, Scenario, read_scenarios
    from quart_heure.study.what_if import what_if as ask

    check_output(table.output, study)
    # Before the analysis: a slip of the pen is told at once.
    asked = [scenario for path in scenarios or () for scenario in read_scenarios(path)]
    flagged = Scenario(
        name=name,
        close=tuple(close or ()),
        add=_added(add or ()),
        move=_moved(move or ()),
        hours=_with_hours(hours or ()),
        capacity=_with_capacity(capacity or ()),
        link=tuple(Link(**_places("--link", one, _LINK)) for one in link or ()),
        cut=tuple(Cut(**_places("--cut", one, _CUT)) for one in cut or ()),
        profile=walker,
        threshold_min=minutes,
    )
    if flagged != Scenario(name=name):
        asked.append(flagged)
    if not asked:
        msg = "There is nothing to change."
        raise StudyFileError(msg, hint="Give --close, --add, --move or --scenario.")
    with progress() as say:
        say("inputs")
        walks_m = _longest_walk(asked, study, options)
        loaded = load_study(study, options.asked(), no_cache=no_cache, walks_m=walks_m)
        base = analyse(loaded, cache=chosen_cache(no_cache), progress=say)
        outcomes = ask(base, asked, progress=say)
    if table.output is not None and table.output.suffix.lower() == ".gpkg":
        write_what_if(outcomes, table.output)
        tell_file(table.output)
        return
    wide = screen() if table.output is None else {}
    deliver(render_what_if(outcomes, form=table.shape, lang=lang.value, **wide), table.output)


def _longest_walk(
    scenarios: Sequence[Scenario], study: Path | None, options: AnalysisOptions
) -> float:
    """Return the metres of the longest walk that a scenario asks of a walker or a threshold."""
    from quart_heure.study.bounds import THRESHOLD_MIN

    others = [one for one in scenarios if one.changes_question]
    if not others:
        return 0.0
    names = [one.profile or options.profile for one in others]
    minutes = [one.threshold_min or options.threshold or THRESHOLD_MIN for one in others]
    known = [name for name in names if name is not None]
    # Without a name it is the walker of the study file: as fast as any that is packaged.
    _, walks_m = load_walkers(study, known if len(known) == len(names) else None, minutes)
    return walks_m


_LINK = ("lat", "lon", "to_lat", "to_lon")
_CUT = ("lat", "lon")


def _places(flag: str, what: str, names: Sequence[str]) -> dict[str, float]:
    try:
        numbers = [float(part) for part in what.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) != len(names):
        told = ",".join("LAT" if "lat" in name else "LON" for name in names)
        msg = f"{flag} {what!r} is not {told}."
        raise StudyFileError(msg, hint="Write decimal degrees, such as 48.8801,2.3553.")
    return dict(zip(names, numbers, strict=True))


def _added(given: Sequence[str]) -> tuple[Add, ...]:
    from quart_heure.study.scenario import Add

    each = [_word_and_place("--add", what) for what in given]
    return tuple(Add(category=word, lat=lat, lon=lon) for word, lat, lon in each)


def _moved(given: Sequence[str]) -> tuple[Move, ...]:
    from quart_heure.study.scenario import Move

    each = [_word_and_place("--move", what) for what in given]
    return tuple(Move(service=word, lat=lat, lon=lon) for word, lat, lon in each)


def _with_hours(given: Sequence[str]) -> tuple[NewHours, ...]:
    from quart_heure.study.scenario import NewHours

    each = [_word_and_value("--hours", what, "HOURS") for what in given]
    return tuple(NewHours(service=word, hours=value) for word, value in each)


def _with_capacity(given: Sequence[str]) -> tuple[NewCapacity, ...]:
    from quart_heure.study.scenario import NewCapacity

    found = []
    for what in given:
        word, value = _word_and_value("--capacity", what, "NUMBER")
        try:
            found.append(NewCapacity(service=word, value=float(value)))
        except ValueError:
            msg = f"--capacity {what!r}: {value!r} is no number."
            raise StudyFileError(msg, hint="Write for instance Bagagérue=60.") from None
    return tuple(found)


def _word_and_value(flag: str, what: str, kind: str) -> tuple[str, str]:
    word, _, value = (part.strip() for part in what.rpartition("="))
    if not word or not value:
        msg = f"{flag} {what!r} is not SERVICE={kind}."
        raise StudyFileError(msg, hint="Name the service by id or name, then =, then the value.")
    return word, value


def _word_and_place(flag: str, what: str) -> tuple[str, float, float]:
    word, _, place = what.rpartition("@")
    try:
        lat, lon = (float(number) for number in place.split(","))
    except ValueError:
        word, lat, lon = "", 0.0, 0.0
    if not word.strip():
        msg = f"{flag} {what!r} is not WHAT@LAT,LON."
        raise StudyFileError(msg, hint="Write for instance bagagerie@48.8801,2.3553.")
    return word.strip(), lat, lon
