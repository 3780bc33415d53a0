"""Commands about what to do next: where and when to open, whom to ask, which link is missing."""

from __future__ import annotations

import enum
from typing import Annotated, Any

import typer

from quart_heure.commands.completion import categories
from quart_heure.commands.options import (
    AnalysisOptions,
    Lang,
    Language,
    NoCache,
    ProposalOptions,
    StudyFile,
    TableOptions,
    all_but,
    with_options,
)
from quart_heure.commands.running import (
    check_output,
    check_proposed,
    chosen_cache,
    deliver,
    keep,
    load_study,
    run_analysis,
    screen,
    tell_file,
)
from quart_heure.commands.speech import progress


class Weights(enum.StrEnum):
    """What is gained."""

    RESIDENTS = "residents"
    AREA = "area"
    SECOND = "second"


class Goals(enum.StrEnum):
    """What an opening is for."""

    COVER = "cover"
    BACKUP = "backup"


@with_options
def site(
    options: Annotated[AnalysisOptions, all_but("category", "week", "week_of")],
    table: ProposalOptions,
    category: Annotated[
        str, typer.Option("--category", help="Category that is to open.", autocompletion=categories)
    ],
    study: StudyFile = None,
    count: Annotated[
        int, typer.Option("--count", metavar="N", help="Number of sites to propose.")
    ] = 3,
    candidates: Annotated[
        str,
        typer.Option(
            "--candidates",
            metavar="mesh|services|FILE",
            help="Every crossing on a mesh, places of the other categories, or a file of places.",
        ),
    ] = "mesh",
    mesh: Annotated[
        float, typer.Option("--mesh", metavar="METRES", help="Side of the squares of the mesh.")
    ] = 150.0,
    weight: Annotated[
        Weights, typer.Option("--weight", help="What is gained; second: the study's weights.")
    ] = Weights.RESIDENTS,
    goal: Annotated[
        Goals,
        typer.Option("--goal", help="Cover more, or a second service for who depends on one."),
    ] = Goals.COVER,
    fair: Annotated[
        bool, typer.Option("--fair", help="The least covered district first, and its price.")
    ] = False,
    target: Annotated[
        float | None,
        typer.Option("--target", metavar="PERCENT", help="The fewest sites that reach this share."),
    ] = None,
    curve: Annotated[
        bool, typer.Option("--curve", help="What 1, 2 … sites gain, each with its bound.")
    ] = False,
    alternatives: Annotated[
        int, typer.Option("--alternatives", metavar="N", help="Other choices to list.")
    ] = 10,
    fix: Annotated[
        list[str] | None,
        typer.Option("--fix", metavar="CANDIDATE", help="A site that is settled; repeatable."),
    ] = None,
    forbid: Annotated[
        list[str] | None,
        typer.Option("--forbid", metavar="CANDIDATE", help="A candidate to leave out; repeatable."),
    ] = None,
    per_district: Annotated[
        int | None,
        typer.Option("--per-district", metavar="N", help="At most so many in one district."),
    ] = None,
    spacing: Annotated[
        float, typer.Option("--spacing", metavar="METRES", help="Least distance of two sites.")
    ] = 0.0,
    floor: Annotated[
        float | None,
        typer.Option("--floor", metavar="PERCENT", help="No district below this share."),
    ] = None,
    budget: Annotated[
        float | None,
        typer.Option("--budget", help="What all sites may cost; needs a column cost."),
    ] = None,
    within: Annotated[
        float,
        typer.Option("--within", metavar="PERCENT", help="A gap to the best that is good enough."),
    ] = 0.0,
    time_limit: Annotated[
        float | None,
        typer.Option("--time-limit", metavar="SECONDS", help="End with the best found by then."),
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Greedy and swap alone, with a rough bound.")
    ] = False,
    lang: Language = Lang.FR,
    no_cache: NoCache = False,
) -> None:
    """Propose where to open next, with a proof of how good that is."""
    from quart_heure.outputs.report.siting import render_siting, siting_proposal, write_siting
    from quart_heure.study.siting import Asked, check_category
    from quart_heure.study.siting import site as find_sites

    check_proposed(table, study)
    question: dict[str, Any] = {
        "count": count,
        "candidates": candidates,
        "mesh_m": mesh,
        "weight": weight.value,
        "goal": goal.value,
        "fair": fair,
        "target_pct": target,
        "curve": curve,
        "alternatives": alternatives,
        "fixed": tuple(fix or ()),
        "forbidden": tuple(forbid or ()),
        "most_per_district": per_district,
        "spacing_m": spacing,
        "floor_pct": floor,
        "budget": budget,
        "within_pct": within,
        "limit_s": time_limit,
        "exact": not quick,
    }
    Asked(**question)  # refused before the analysis, which takes long
    with progress() as say:
        say("inputs")
        loaded = load_study(study, options.asked(), no_cache=no_cache)
        check_category(loaded, category)
        coverage = run_analysis(loaded, no_cache=no_cache, say=say)
        found = find_sites(coverage, category, progress=say, **question)
    if table.folder is not None:
        keep(siting_proposal(found), table.folder)
        return
    if table.output is not None and table.output.suffix.lower() == ".gpkg":
        write_siting(found, table.output)
        tell_file(table.output)
        return
    wide = screen() if table.output is None else {}
    text = render_siting(found, form=table.shape, lang=lang.value, **wide)
    deliver(text, table.output)


@with_options
def ask(
    options: Annotated[AnalysisOptions, all_but("week", "week_of")],
    table: ProposalOptions,
    study: StudyFile = None,
    lang: Language = Lang.FR,
    no_cache: NoCache = False,
) -> None:
    """List whom to call first: the unknowns whose answer would tell most."""
    from quart_heure.outputs.report.calls import calls_proposal, render_calls
    from quart_heure.study.calls import calls

    check_proposed(table, study)
    with progress() as say:
        say("inputs")
        loaded = load_study(study, options.asked(), no_cache=no_cache)
        coverage = run_analysis(loaded, no_cache=no_cache, say=say)
        say("calls")
        listed = calls(coverage)
    if table.folder is not None:
        keep(calls_proposal(listed, coverage), table.folder)
        return
    wide = screen() if table.output is None else {}
    text = render_calls(listed, coverage.study, form=table.shape, lang=lang.value, **wide)
    deliver(text, table.output)


@with_options
def walk(
    options: Annotated[AnalysisOptions, all_but("category", "week", "week_of")],
    table: TableOptions,
    category: Annotated[
        str, typer.Option("--category", help="Category that is to open.", autocompletion=categories)
    ],
    study: StudyFile = None,
    count: Annotated[
        int, typer.Option("--count", metavar="N", help="Number of sites to propose.")
    ] = 3,
    candidates: Annotated[
        str,
        typer.Option(
            "--candidates",
            metavar="mesh|services|FILE",
            help="Every crossing on a mesh, places of the other categories, or a file of places.",
        ),
    ] = "mesh",
    mesh: Annotated[
        float, typer.Option("--mesh", metavar="METRES", help="Side of the squares of the mesh.")
    ] = 300.0,
    lang: Language = Lang.FR,
    no_cache: NoCache = False,
) -> None:
    """Propose where to open so that people walk least on the mean, with a bound."""
    from quart_heure.outputs.report.shorter_walks import render_walks
    from quart_heure.study.shorter_walks import check_count, shorter_walks
    from quart_heure.study.siting import check_category

    check_output(table.output, study)
    check_count(count)
    with progress() as say:
        say("inputs")
        loaded = load_study(study, options.asked(), no_cache=no_cache)
        check_category(loaded, category)
        coverage = run_analysis(loaded, no_cache=no_cache, say=say)
        found = shorter_walks(
            coverage, category, count=count, candidates=candidates, mesh_m=mesh, progress=say
        )
    wide = screen() if table.output is None else {}
    deliver(render_walks(found, form=table.shape, lang=lang.value, **wide), table.output)


@with_options
def hours(
    options: Annotated[AnalysisOptions, all_but("category", "week", "at", "on", "between", "stay")],
    table: TableOptions,
    category: Annotated[
        str, typer.Option("--category", help="Category that is to open.", autocompletion=categories)
    ],
    study: StudyFile = None,
    count: Annotated[int, typer.Option("--count", metavar="N", help="Number of windows.")] = 3,
    length: Annotated[
        int, typer.Option("--length", metavar="HOURS", help="Length of a window, in whole hours.")
    ] = 3,
    between: Annotated[
        tuple[int, int],
        typer.Option("--from-to", metavar="HOUR HOUR", help="Hours of the day it lies between."),
    ] = (7, 22),
    day: Annotated[
        list[int] | None,
        typer.Option("--day", metavar="DAY", help="1 is Monday, 7 Sunday; may be repeated."),
    ] = None,
    per_service: Annotated[
        int, typer.Option("--per-service", metavar="N", help="The most windows of one service.")
    ] = 1,
    time_limit: Annotated[
        float | None,
        typer.Option("--time-limit", metavar="SECONDS", help="Then give the best found so far."),
    ] = None,
    lang: Language = Lang.FR,
    no_cache: NoCache = False,
) -> None:
    """Tell when to open: which hours of which known service would help most people."""
    from quart_heure.outputs.report.open_hours import render_hours
    from quart_heure.study.line import analyse
    from quart_heure.study.open_hours import check_asked, open_hours
    from quart_heure.study.siting import check_category

    check_output(table.output, study)
    days = tuple(day or range(1, 8))
    check_asked(count, length, between, days, per_service)
    with progress() as say:
        say("inputs")
        loaded = load_study(study, options.asked(), no_cache=no_cache).replace(week=True)
        check_category(loaded, category)
        # With its discreet places, which cover and are not proposed.
        coverage = analyse(loaded, cache=chosen_cache(no_cache), progress=say)
        say("search")
        found = open_hours(
            coverage,
            category,
            count=count,
            hours=length,
            between=between,
            days=days,
            per_service=per_service,
            limit_s=time_limit,
        )
    wide = screen() if table.output is None else {}
    deliver(render_hours(found, form=table.shape, lang=lang.value, **wide), table.output)


@with_options
def links(
    options: Annotated[AnalysisOptions, all_but("category", "week", "week_of")],
    table: ProposalOptions,
    category: Annotated[
        str,
        typer.Option(
            "--category", help="Category whose gaps are looked at.", autocompletion=categories
        ),
    ],
    study: StudyFile = None,
    count: Annotated[int, typer.Option("--count", metavar="N", help="The most links.")] = 10,
    length: Annotated[
        float, typer.Option("--length", metavar="METRES", help="Length of the longest link.")
    ] = 300.0,
    lang: Language = Lang.FR,
    no_cache: NoCache = False,
) -> None:
    """Find the footbridge, passage or gate that is missing where a barrier makes a gap."""
    from quart_heure.outputs.report.links import links_proposal, render_links, write_links
    from quart_heure.study.links import check_asked, missing_links
    from quart_heure.study.siting import check_category

    check_proposed(table, study)
    check_asked(count, length)
    with progress() as say:
        say("inputs")
        loaded = load_study(study, options.asked(), no_cache=no_cache)
        check_category(loaded, category)
        coverage = run_analysis(loaded, no_cache=no_cache, say=say)
        found = missing_links(
            coverage,
            category,
            count=count,
            most_m=length,
            progress=say,
        )
    if table.folder is not None:
        keep(links_proposal(found, coverage, category, most_m=length), table.folder)
        return
    if table.output is not None and table.output.suffix.lower() == ".gpkg":
        write_links(found, table.output)
        tell_file(table.output)
        return
    wide = screen() if table.output is None else {}
    text = render_links(
        found,
        coverage.study,
        category,
        most_m=length,
        form=table.shape,
        lang=lang.value,
        **wide,
    )
    deliver(text, table.output)
