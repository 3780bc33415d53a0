"""The command that begins a study: a commented file, with what the districts at hand say."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from quart_heure.commands.speech import show, tell
from quart_heure.errors import InputFileError, OutputError
from quart_heure.steering import harmless

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

_SHOWN = 3
"""Values of a column that are shown, to choose among columns."""


def init(
    path: Annotated[Path, typer.Argument(help="The study file to write.")] = Path("study.toml"),
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it exists.")] = False,
    districts: Annotated[
        Path | None,
        typer.Option("--districts", metavar="FILE", help="Polygons of the districts."),
    ] = None,
    name: Annotated[str, typer.Option("--name", help="What the area is called.")] = "",
    id_column: Annotated[
        str, typer.Option("--id-column", metavar="COLUMN", help="Column of the districts' ids.")
    ] = "",
    label_column: Annotated[
        str, typer.Option("--label-column", metavar="COLUMN", help="Column of their names.")
    ] = "",
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Ask nothing; what is found is taken, and told.")
    ] = False,
    example: Annotated[
        bool,
        typer.Option(
            "--example",
            help="Write a study that runs: the packaged Paris, its data beside the study file.",
        ),
    ] = False,
) -> None:
    """Write a commented study file to start from; on a terminal, ask what it is to say."""
    from quart_heure.files import replacing

    if path.exists() and not force:
        msg = f"{path} exists already."
        raise OutputError(msg, hint="Choose another name, or add --force to replace it.")
    if example:
        if districts is not None or name or id_column or label_column:
            msg = "--example writes the packaged Paris as it is."
            raise typer.BadParameter(msg, param_hint="--example")
        _write_example(path, force=force)
        show(str(path))
        return
    asks = not yes and sys.stdin.isatty() and sys.stderr.isatty()
    if asks and districts is None:
        told = _ask("File of the districts (polygons), empty to fill it in later", "")
        districts = Path(told) if told else None
    if asks and not name:
        name = _ask("Name of the area", "My city")
    said: dict[str, str | list[str]] = {"name": name}
    if asks:
        said["essentials"] = _essentials()
    if districts is not None:
        table = _table(districts)
        said |= {
            # Relative to the study file, which is where it is looked for.
            "districts": _relative(districts, path),
            "id_column": _column(table, id_column, "ids", 0, asks=asks),
            "label_column": _column(table, label_column, "names", 1, asks=asks),
        }
    with replacing(path) as temporary:
        temporary.write_text(_filled(said), encoding="utf-8")
    show(str(path))


_EXAMPLE = """\
# The packaged Paris as a study of one's own: change what you like, and run
#
#     quart-heure analyse {study} -o results
#
# Every other key that a study may have stands in what `quart-heure init` writes without --example.

[area]
name = "Paris"
districts = "{folder}/districts.geojson"
subdistricts = "{folder}/quarters.geojson"

[services]
files = ["{folder}/services.csv"]

[network]
file = "{folder}/network.parquet"

[residents]
file = "{folder}/residents.parquet"

[map]
background = "{folder}/background.parquet"

[analysis]
categories = {categories}
"""


def _write_example(path: Path, *, force: bool) -> None:
    """Write the packaged study, and its data into a folder beside it."""
    from quart_heure.categories import default_catalogue
    from quart_heure.file_sets import take_names, work_folder
    from quart_heure.files import replacing
    from quart_heure.sources.sample import paris_dir

    source, folder = paris_dir(), path.parent / "paris"
    names = sorted(one.name for one in source.iterdir() if one.is_file())
    kept = [name for name in names if (folder / name).exists()]
    if kept and not force:
        msg = f"{folder / kept[0]} exists already."
        raise OutputError(msg, hint="Choose another folder, or add --force to replace its files.")
    with work_folder(folder) as work:
        for name in names:
            shutil.copyfile(source / name, work / name)
        take_names(work, folder, names)
    listed = ", ".join(f'"{name}"' for name in default_catalogue())
    filled = _EXAMPLE.format(folder=folder.name, study=path.name, categories=f"[{listed}]")
    with replacing(path) as temporary:
        temporary.write_text(filled, encoding="utf-8")


def _ask(question: str, default: str) -> str:
    answer: str = typer.prompt(
        question, default=harmless(default), show_default=bool(default), err=True
    )
    return answer.strip()


def _essentials() -> list[str]:
    """Ask which categories are essential; nothing where the usual ones are."""
    from quart_heure.categories import check_categories, default_catalogue
    from quart_heure.errors import CategoryError

    catalogue = default_catalogue()
    usual = [name for name, one in catalogue.items() if one.essential]
    typer.echo(f"  {', '.join(catalogue)}", err=True)
    while True:
        told = _ask("Essential services, separated by commas", ", ".join(usual))
        chosen = [word.strip() for word in told.split(",") if word.strip()]
        try:
            check_categories(chosen, catalogue)
        except CategoryError as error:
            typer.echo(str(error), err=True)
        else:
            return [] if chosen == usual else chosen


def _table(path: Path) -> pd.DataFrame:
    from quart_heure.sources.layers import read_layer

    if not path.exists():
        msg = f"{path}: there is no such file."
        raise InputFileError(msg, hint="Give the file that holds the polygons of the districts.")
    table: pd.DataFrame = read_layer(path)
    return table


def _column(table: pd.DataFrame, given: str, what: str, at: int, *, asks: bool) -> str:
    """Return the column of ids or of names: the given one, the chosen one, or the likely one."""
    from quart_heure.sources.areas.names import likely_columns

    columns = [str(c) for c in table.columns if c != getattr(table, "active_geometry_name", None)]
    if given:
        if given not in columns:
            msg = f"The districts have no column {given!r}."
            raise InputFileError(msg, hint=f"Columns are {', '.join(columns)}.")
        return given
    likely = likely_columns(table)[at] or ""
    if not asks:
        tell(f"{what} of the districts: {_shown(table, likely) or 'no column'}")
        return likely
    for column in columns:
        tell(f"  {_shown(table, column)}")
    while True:
        answer = _ask(f"Column of their {what}", likely)
        if answer in columns:
            return answer
        tell(f"There is no column {answer!r}.")


def _shown(table: pd.DataFrame, column: str) -> str:
    from quart_heure.outputs.results.rows import printable

    if not column:
        return ""
    values = [printable(str(value)) for value in table[column].head(_SHOWN)]
    return f"{printable(column)} ({', '.join(values)} …)"


def _relative(file: Path, study: Path) -> str:
    try:
        return file.resolve().relative_to(study.resolve().parent).as_posix()
    except ValueError:
        return file.resolve().as_posix()


def _filled(said: Mapping[str, str | list[str]]) -> str:
    """Return the template with what is known in the place of its examples."""
    from quart_heure.study.settings import template

    lines = template().splitlines(keepends=True)
    for key, value in said.items():
        if not value:
            continue
        written = f"{key} = {json.dumps(value, ensure_ascii=False)}\n"
        at = next(
            at
            for at, line in enumerate(lines)
            if line.lstrip("# ").startswith(f"{key} = ") and not line.startswith("#   ")
        )
        lines[at] = written
    return "".join(lines)
