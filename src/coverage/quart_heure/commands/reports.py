"""Commands that analyse: demo, analyse, report, map, dossier, info."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from quart_heure.commands.completion import studies
from quart_heure.commands.options import (
    AnalysisOptions,
    AsJson,
    Categories,
    Districts,
    Format,
    Lang,
    Language,
    NoCache,
    OfResults,
    Only,
    Proposals,
    Since,
    Source,
    WhatIf,
    all_but,
    with_options,
)
from quart_heure.commands.results import earlier_run, fitting, load_coverage, load_results
from quart_heure.commands.running import (
    check_output,
    check_shown,
    chosen_cache,
    deliver,
    load_proposals,
    load_study,
    run_analysis,
    screen,
    tell_file,
    with_week,
    write_all,
)
from quart_heure.commands.speech import hearing, progress, show
from quart_heure.errors import AlarmError, OutputError


def demo(
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the results.")] = Path(
        "out/paris"
    ),
    lang: Language = Lang.FR,
    no_cache: NoCache = False,
) -> None:
    """Measure the packaged Paris: city figures here, tables, report and map in a folder."""
    check_output(output, None, folder=True)
    with progress() as say:
        study = with_week(load_study(None, {}, no_cache=no_cache))
        coverage = run_analysis(study, no_cache=no_cache, say=say)
        files = write_all(coverage, output, lang=lang, say=say)
    from quart_heure.outputs.report.report import render_report

    shape = screen()
    text = render_report(coverage, lang=lang.value, brief=True, **shape)
    show(text, colour=shape.get("colour", False))
    for path in files:
        show(str(path))


@with_options
def analyse(
    study: Annotated[
        Path,
        typer.Argument(help="The study file (see 'quart-heure init').", autocompletion=studies),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the results.")],
    options: Annotated[AnalysisOptions, all_but("week")],
    soliguide: Annotated[
        bool, typer.Option("--soliguide", help="Add Soliguide's places live, with your own key.")
    ] = False,
    lang: Language = Lang.FR,
    no_cache: NoCache = False,
    as_json: Annotated[bool, typer.Option("--json", help="List the files as JSON.")] = False,
) -> None:
    """Analyse a study; write tables, layers, report, map and manifest into a folder."""
    from quart_heure.files import check_name_to_write
    from quart_heure.sources.given import check_name

    check_name(study)
    check_name_to_write(output)
    if output.resolve() in {study.resolve(), study.resolve().parent}:
        # The results hold a services.csv, which is what the services of a study are called too.
        msg = f"{output} is the folder of the study: results would replace its files."
        raise OutputError(msg, hint="Give the results a folder of their own.")
    check_output(output, study, folder=True)
    with progress() as say:
        loaded = load_study(study, options.asked(), no_cache=no_cache, soliguide=soliguide)
        coverage = run_analysis(with_week(loaded), no_cache=no_cache, say=say)
        files = write_all(coverage, output, lang=lang, say=say)
    if as_json:
        show(json.dumps({"files": [str(path) for path in files]}, indent=2))
    else:
        for path in files:
            show(str(path))


@with_options
def report(
    options: Annotated[AnalysisOptions, all_but("category")],
    source: Source = None,
    arrondissement: Districts = None,
    category: Categories = None,
    since: Since = None,
    fail_if: Annotated[
        list[str] | None,
        typer.Option(
            "--fail-if",
            metavar="CONDITION",
            help='Exit code 11 if met, such as "residents_covered_pct[esi] < 40" or'
            ' "gaps[esi, 13e] rose by 1" (with --since); may be repeated.',
        ),
    ] = None,
    proposals: Proposals = None,
    form: Annotated[
        Format,
        typer.Option(
            "--format", help="Form of the report; office is CSV as spreadsheets of --lang open it."
        ),
    ] = Format.TABLE,
    as_json: AsJson = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write instead of stdout.")
    ] = None,
    lang: Language = Lang.FR,
    no_cache: NoCache = False,
) -> None:
    """Report gaps and coverage per arrondissement, on stdout or in a file."""
    from quart_heure.commands.kept import Question

    check_output(output, source)
    shape: dict[str, Any] = {"format": "json" if as_json else form.value, "lang": lang.value}
    shape |= screen() if output is None else {}
    question = None
    if not (since or fail_if or proposals):
        question = Question.of(
            source,
            ["report", str(source), options, arrondissement, category],
            form=sorted(shape.items()),
            cache=chosen_cache(no_cache),
        )
    answer = None if question is None else question.answer()
    if answer is not None:
        deliver(answer, output)
        return
    from quart_heure.outputs.report.report import render_report
    from quart_heure.outputs.report.watch import alarms, read_condition

    conditions = [read_condition(one) for one in fail_if or ()]
    check_shown(source, districts=arrondissement, categories=category)
    earlier = earlier_run(since, output)
    given = load_proposals(proposals)
    with progress() as say, hearing() as told:
        found = load_results(source, options, no_cache=no_cache, say=say)
    with fitting(found, earlier):
        raised = alarms(
            found.indicators, conditions, earlier=None if earlier is None else earlier.indicators
        )
        text = render_report(
            found,
            districts=tuple(arrondissement or ()),
            categories=tuple(category or ()),
            since=earlier,
            alarms=raised,
            proposals=given,
            **shape,
        )
    if question is not None:
        withheld = bool(found.manifest.get("withheld", {}).get("services"))
        question.keep(text, getattr(found, "study", None), told, withheld=withheld)
    deliver(text, output)
    if raised:
        msg = f"{len(raised)} watched figures: {'; '.join(map(str, raised))}."
        raise AlarmError(msg, hint="The report is written all the same.")


@with_options
def map_(
    options: Annotated[AnalysisOptions, all_but("week")],
    source: Source = None,
    study: OfResults = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="The HTML file.")] = Path(
        "carte.html"
    ),
    online_tiles: Annotated[
        bool,
        typer.Option("--online-tiles", help="Draw over OpenStreetMap's tiles; needs internet."),
    ] = False,
    what_if: WhatIf = True,
    proposals: Proposals = None,
    scenario: Annotated[
        Path | None,
        typer.Option(
            "--scenario", metavar="FILE", help="Open with the scenario of a file: who gains, loses."
        ),
    ] = None,
    lang: Language = Lang.FR,
    no_cache: NoCache = False,
) -> None:
    """Write the map: one HTML file that opens without internet."""
    from quart_heure.outputs.map.map import write_map
    from quart_heure.study.scenario import only_scenario

    check_output(output, source)
    given = load_proposals(proposals)
    supposed = None if scenario is None else only_scenario(scenario)
    with progress() as say:
        coverage = load_coverage(source, options, study=study, no_cache=no_cache, say=say)
        say("map")
        path = write_map(
            coverage,
            output,
            lang=lang.value,
            background=coverage.study.background(),
            online_tiles=online_tiles,
            what_if=what_if,
            proposals=given,
            scenario=supposed,
        )
    tell_file(path)


@with_options
def dossier(
    options: Annotated[AnalysisOptions, Only("profile", "threshold", "all_statuses", "week_of")],
    source: Source = None,
    study: OfResults = None,
    arrondissement: Districts = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the pages.")] = Path(
        "out/dossiers"
    ),
    pdf: Annotated[
        bool, typer.Option("--pdf", help="Print each dossier to PDF too: two sides of A4.")
    ] = False,
    since: Since = None,
    proposals: Proposals = None,
    lang: Language = Lang.FR,
    no_cache: NoCache = False,
) -> None:
    """Write two A4 sides per arrondissement, and an index that compares them all."""
    from quart_heure.outputs.dossier.dossier import write_dossiers

    check_output(output, None, folder=True)
    check_shown(source, districts=arrondissement)
    earlier = earlier_run(since, None)
    given = load_proposals(proposals)
    with progress() as say:
        coverage = load_coverage(source, options, study=study, no_cache=no_cache, say=say)
        files = write_dossiers(
            coverage,
            output,
            districts=tuple(arrondissement or ()),
            lang=lang.value,
            background=coverage.study.background(),
            pdf=pdf,
            since=earlier,
            proposals=given,
            progress=say,
        )
    for path in files:
        show(str(path))


def info(
    results: Annotated[Path, typer.Argument(help="A folder of results.", autocompletion=studies)],
    as_json: Annotated[bool, typer.Option("--json", help="The manifest as JSON.")] = False,
) -> None:
    """Say what a folder of results was made from: inputs, dates, parameters, counts."""
    from quart_heure.outputs.results.manifest import json_text, render_info
    from quart_heure.outputs.results.read import read_results

    found = read_results(results)
    if as_json:
        show(json_text(found.manifest))
    else:
        show(render_info(found.manifest, changed=found.changed_files()))
