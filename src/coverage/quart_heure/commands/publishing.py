"""The command that publishes: all pages and tables as one site."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import Annotated

import typer

from quart_heure.commands.options import (
    AnalysisOptions,
    Lang,
    Language,
    NoCache,
    OfResults,
    Only,
    Proposals,
    Since,
    Source,
    WhatIf,
    with_options,
)
from quart_heure.commands.results import earlier_run, load_coverage
from quart_heure.commands.running import (
    check_output,
    load_proposals,
)
from quart_heure.commands.speech import progress, show


class Csv(enum.StrEnum):
    """For whom CSV is written."""

    OFFICE = "office"
    PLAIN = "plain"


@with_options
def publish(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Folder for the site.")],
    options: Annotated[AnalysisOptions, Only("profile", "threshold", "all_statuses", "week_of")],
    source: Source = None,
    study: OfResults = None,
    csv: Annotated[
        Csv,
        typer.Option(
            "--csv",
            help="CSV for spreadsheets of the language (in French ';', decimal comma, accents"
            " marked), or plain, for programs.",
        ),
    ] = Csv.OFFICE,
    pdf: Annotated[
        bool,
        typer.Option("--pdf", help="Print report, dossiers and method into one PDF (Chromium)."),
    ] = False,
    zipped: Annotated[
        bool, typer.Option("--zip", help="Pack it all into DIR.zip, too, for an e-mail.")
    ] = False,
    what_if: WhatIf = True,
    since: Since = None,
    proposals: Proposals = None,
    lang: Language = Lang.FR,
    no_cache: NoCache = False,
) -> None:
    """Write a site: index, map, report of eight pages, dossiers, tables, method, all linked."""
    from quart_heure.outputs.dossier.pdf import PdfMaker
    from quart_heure.outputs.publication.publish import (
        check_publication,
        write_publication,
        write_zip,
    )

    check_output(directory, source, folder=True)
    check_publication(directory)
    archive = directory.resolve().with_name(f"{directory.resolve().name}.zip")
    if zipped:
        check_output(archive, source)
    if pdf:
        PdfMaker()  # says what is missing before the analysis, not after it
    earlier = earlier_run(since, None)
    given = load_proposals(proposals)
    with progress() as say:
        coverage = load_coverage(source, options, study=study, no_cache=no_cache, say=say)
        files = write_publication(
            coverage,
            directory,
            lang=lang.value,
            background=coverage.study.background(),
            what_if=what_if,
            csv=csv.value,
            pdf=pdf,
            since=earlier,
            proposals=given,
            progress=say,
        )
        if zipped:
            created = str(coverage.manifest.get("created", ""))
            files.append(write_zip(directory, archive, created=created))
    for path in files:
        show(str(path))
