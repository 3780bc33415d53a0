"""The command that writes dossiers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from quart_heure.commands.options import (
    AllStatuses,
    Lang,
    Language,
    NoCache,
    Profile,
    StudyFile,
    Threshold,
    WeekOf,
)
from quart_heure.commands.running import (
    check_output,
    load_study,
    progress,
    run_analysis,
    with_week,
)


def dossier(
    source: StudyFile = None,
    arrondissement: Annotated[
        Optional[list[str]],  # noqa: UP045 - typer reads the annotation at run time
        typer.Option("--arrondissement", help="District: 13, 13e or 75113; may be repeated."),
    ] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the pages.")] = Path(
        "out/dossiers"
    ),
    pdf: Annotated[
        bool, typer.Option("--pdf", help="Print each dossier to PDF too: two sides of A4.")
    ] = False,
    profile: Profile = None,
    threshold: Threshold = None,
    all_statuses: AllStatuses = False,
    week_of: WeekOf = None,
    lang: Language = Lang.FR,
    no_cache: NoCache = False,
) -> None:
    """Write two A4 sides per arrondissement, and an index that compares them all."""
    from quart_heure.outputs.dossier.dossier import write_dossiers

    check_output(output, None, folder=True)
    with progress() as say:
        study = load_study(
            source,
            no_cache=no_cache,
            profile=profile,
            threshold=threshold,
            all_statuses=all_statuses,
            week_of=week_of,
        )
        coverage = run_analysis(with_week(study), no_cache=no_cache, say=say)
        files = write_dossiers(
            coverage,
            output,
            districts=tuple(arrondissement or ()),
            lang=lang.value,
            background=study.background(),
            pdf=pdf,
            progress=say,
        )
    for path in files:
        typer.echo(str(path))
