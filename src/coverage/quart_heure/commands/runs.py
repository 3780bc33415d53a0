"""Commands about what was written: compare, verify, schema."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from quart_heure.commands.options import Lang, Language, NoCache, TableOptions, with_options
from quart_heure.commands.results import fitting
from quart_heure.commands.running import (
    check_output,
    chosen_cache,
    deliver,
    screen,
    tell_file,
)
from quart_heure.commands.speech import progress, show
from quart_heure.errors import DifferenceError, OutputError


@with_options
def compare(
    earlier: Annotated[Path, typer.Argument(help="The earlier folder of results.")],
    later: Annotated[Path, typer.Argument(help="The later one.")],
    table: TableOptions,
    by_cause: Annotated[
        bool, typer.Option("--by-cause/--figures-only", help="Split each change by cause.")
    ] = True,
    study_earlier: Annotated[
        Path | None, typer.Option(help="Study file of the earlier run, if it was moved.")
    ] = None,
    study_later: Annotated[Path | None, typer.Option(help="The same of the later run.")] = None,
    lang: Language = Lang.FR,
    no_cache: NoCache = False,
) -> None:
    """Tell what changed between two runs, and what of it is of which cause."""
    from quart_heure.outputs.report.compare import render_comparison, write_comparison
    from quart_heure.outputs.runs.compare import Run, compare_runs
    from quart_heure.sources.given import check_name

    for folder in (earlier, later):
        check_name(folder)
        check_output(table.output, folder)
        if table.output is not None and table.output.resolve().is_relative_to(folder.resolve()):
            msg = f"{table.output} lies in {folder}, which is compared."
            raise OutputError(msg, hint="Write the comparison elsewhere.")
    runs = Run.read(earlier), Run.read(later)
    with progress() as say, fitting(*runs):
        found = compare_runs(
            *runs,
            studies=(study_earlier, study_later),
            causes=by_cause,
            cache=chosen_cache(no_cache),
            progress=say,
        )
    if table.output is not None and table.output.suffix.lower() == ".gpkg":
        write_comparison(found, table.output)
        tell_file(table.output)
        return
    wide = screen() if table.output is None else {}
    deliver(render_comparison(found, form=table.shape, lang=lang.value, **wide), table.output)


def verify(
    results: Annotated[Path, typer.Argument(help="A folder of results.")],
    study: Annotated[
        Path | None, typer.Option("--study", help="Its study file, if it was moved.")
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Look at hashes alone; recompute nothing.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="What was found, as JSON.")] = False,
) -> None:
    """Say whether every figure of a folder of results is still what its inputs give."""
    from quart_heure.outputs.report.verify import render_verification
    from quart_heure.outputs.runs.verify import verify_run

    with progress() as say:
        found = verify_run(results, study=study, quick=quick, progress=say)
    deliver(render_verification(found, form="json" if as_json else "table"), None)
    if not found.verified:
        msg = f"{results}: not verified."
        hint = "What differs is listed above; 'quart-heure analyse' makes new results."
        raise DifferenceError(msg, hint=hint)


def schema(
    name: Annotated[
        str, typer.Argument(metavar="[NAME]", help="Of an output; all names without it.")
    ] = "",
) -> None:
    """Print the JSON Schema of an output, such as report, manifest or compare."""
    from quart_heure.outputs.results.manifest import json_text
    from quart_heure.outputs.schemas import SCHEMAS, json_schema

    show(json_text(json_schema(name)) if name else "\n".join(SCHEMAS))
