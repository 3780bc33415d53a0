"""The command of many territories: batch."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from quart_heure.batch.territory import TILE_CELLS
from quart_heure.commands.completion import studies as complete_studies
from quart_heure.commands.options import (
    AnalysisOptions,
    Lang,
    Language,
    NoCache,
    all_but,
    with_options,
)
from quart_heure.commands.running import as_typed, chosen_cache
from quart_heure.commands.speech import progress, show, tell
from quart_heure.errors import BatchError, OutputError


@with_options
def batch(
    options: Annotated[AnalysisOptions, all_but("private")],
    output: Annotated[
        str,
        typer.Option(
            "--output",
            "-o",
            metavar="FOLDER",
            help="Folder for the results, or its URL, such as s3://bucket/folder.",
        ),
    ],
    studies: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[STUDIES]...",
            help="Study files or their URLs, one territory each; the packaged Paris by default.",
            autocompletion=complete_studies,
        ),
    ] = None,
    territories: Annotated[
        Path | None,
        typer.Option(
            "--territories",
            metavar="TABLE",
            help="Run the one study for each row: polygons with codes and names (GeoPackage,"
            " GeoJSON, GeoParquet …), or codes of its districts (CSV).",
        ),
    ] = None,
    scheduler: Annotated[
        str,
        typer.Option(
            "--scheduler",
            metavar="ADDRESS",
            help="Running scheduler of dask, such as tcp://10.0.0.1:8786; by default this machine"
            " works alone.",
        ),
    ] = "",
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers",
            min=1,
            metavar="N",
            help="Workers of this machine; one per core by default.",
        ),
    ] = None,
    timeout: Annotated[
        float | None,
        typer.Option(
            "--timeout",
            min=0,
            metavar="SECONDS",
            help="The most time that a territory may take, or a tile of one.",
        ),
    ] = None,
    memory: Annotated[
        float | None,
        typer.Option(
            "--memory",
            min=0,
            metavar="MB",
            help="The most memory that a territory may take, or a tile of one.",
        ),
    ] = None,
    tile_cells: Annotated[
        int,
        typer.Option(
            "--tile-cells",
            min=0,
            metavar="N",
            help="Cut a territory of more cells than this into tiles of so many, each a task of"
            " its own; uncut, a cell takes about a kilobyte of memory. 0 cuts none.",
        ),
    ] = TILE_CELLS,
    retries: Annotated[
        int,
        typer.Option(
            "--retries",
            min=0,
            metavar="N",
            help="Attempts beyond the first, for a territory whose worker dies.",
        ),
    ] = 2,
    day: Annotated[
        str,
        typer.Option(
            "--date",
            metavar="DAY",
            help="Day on which services must be valid, where a study names none; by default the"
            " day on which the batch was begun.",
        ),
    ] = "",
    lang: Language = Lang.FR,
    no_cache: NoCache = False,
) -> None:
    """Analyse many territories, on as many workers as there are; taken up again after any stop."""
    from quart_heure.batch.cluster import Workers, check_workers
    from quart_heure.batch.run import Wish, run_batch
    from quart_heure.batch.storage import is_remote
    from quart_heure.batch.territories import read_territories
    from quart_heure.study.asked import read_validity

    given = [one if is_remote(one) else os.path.abspath(one) for one in studies or ()]  # noqa: PTH100
    wish = Wish(
        out=_folder(output, given),
        asked=options.asked(),
        workers=Workers(scheduler=scheduler, count=workers or os.cpu_count() or 1, retries=retries),
        cache=chosen_cache(no_cache),
        day=read_validity(day, "--date"),
        limit_s=timeout,
        limit_mb=memory,
        tile_cells=tile_cells or None,
        lang=lang.value,
    )
    check_workers()
    with progress() as say, as_typed(wish.asked):
        say("territories")
        found = read_territories(given, territories, cache=wish.cache)
        done = run_batch(found, wish, say=say, tell=tell)
    index = f"{output.rstrip('/')}/index.html"
    counts = f"{done.computed} computed, {done.kept} kept, {done.failed} failed"
    show(f"Territories: {counts}; see {index}")
    if done.failed:
        msg = f"Territories without results: {done.failed} of {len(found)}."
        raise BatchError(msg, hint="Their reasons are in summary.csv; the others are written.")


def _folder(output: str, studies: list[str]) -> str:
    """Return the folder of a batch, which may not be that of a study."""
    from quart_heure.batch.storage import is_remote
    from quart_heure.files import check_folder, check_name_to_write

    if is_remote(output):
        return output.rstrip("/")
    folder = Path(os.path.abspath(output.removeprefix("file://")))  # noqa: PTH100 - links stay
    check_name_to_write(folder)
    if any(folder in {Path(study), Path(study).parent} for study in studies):
        msg = f"{folder} is the folder of a study: results would lie among its files."
        raise OutputError(msg, hint="Give the results a folder of their own.")
    check_folder(folder)
    return str(folder)
