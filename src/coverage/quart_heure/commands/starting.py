"""The command that begins a study: what lies in a folder, what one is asked, the file written."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path
from typing import Annotated

import typer

from quart_heure.commands.answers import Desk
from quart_heure.commands.completion import categories
from quart_heure.commands.options import with_options
from quart_heure.commands.speech import progress, show, tell
from quart_heure.errors import OutputError


@dataclasses.dataclass(frozen=True, kw_only=True)
class Said:
    """What a script says beforehand; what is left out is found, or asked on a terminal."""

    name: Annotated[str, typer.Option("--name", help="What the area is called.")] = ""
    districts: Annotated[
        Path | None,
        typer.Option("--districts", metavar="FILE", help="Polygons of the districts."),
    ] = None
    id_column: Annotated[
        str, typer.Option("--id-column", metavar="COLUMN", help="Column of the districts' ids.")
    ] = ""
    label_column: Annotated[
        str, typer.Option("--label-column", metavar="COLUMN", help="Column of their names.")
    ] = ""
    services: Annotated[
        list[Path] | None,
        typer.Option(
            "--services", metavar="FILE", help="List of services; all that lie there by default."
        ),
    ] = None
    column: Annotated[
        list[str] | None,
        typer.Option(
            "--column",
            metavar="FIELD=HEADING",
            help="What a heading of a list stands for, such as name=Lieu; may be repeated.",
        ),
    ] = None
    crs: Annotated[
        str,
        typer.Option(
            "--crs",
            metavar="EPSG:CODE",
            help="Of coordinates that are metres; that by which they lie in the area by default.",
        ),
    ] = ""
    category: Annotated[
        list[str] | None,
        typer.Option(
            "--category",
            metavar="FILE=ID",
            help="Category of a list that has no column of it, such as bains.csv=bains_douches;"
            " may be repeated.",
        ),
    ] = None
    word: Annotated[
        list[str] | None,
        typer.Option(
            "--word",
            metavar="WORD=ID",
            help='What a word for a category means, such as "Accueil jour=accueil_de_jour"; an id'
            " that does not exist becomes a category of its own; may be repeated.",
        ),
    ] = None
    essential: Annotated[
        list[str] | None,
        typer.Option(
            "--essential",
            metavar="ID",
            autocompletion=categories,
            help="Essential service, in place of the usual five; may be repeated.",
        ),
    ] = None
    secret: Annotated[
        list[str] | None,
        typer.Option(
            "--secret",
            metavar="ID",
            autocompletion=categories,
            help="Category whose places are not shown; may be repeated.",
        ),
    ] = None
    public: Annotated[
        list[str] | None,
        typer.Option(
            "--public",
            metavar="ID",
            autocompletion=categories,
            help="Category of shelters whose places are shown; others are not, unless a column"
            " 'discreet' says so; may be repeated.",
        ),
    ] = None
    geocode: Annotated[
        bool,
        typer.Option(
            "--geocode", help="Place lists that have addresses alone, as 'geocode' does: online."
        ),
    ] = False
    network: Annotated[
        Path | None,
        typer.Option(
            "--network",
            metavar="FILE",
            help="Streets: a folder or archive of vector tiles, city.osm.pbf, network.parquet.",
        ),
    ] = None
    streets_date: Annotated[
        str,
        typer.Option(
            "--streets-date", metavar="DAY", help="Of streets whose file tells none, such as tiles."
        ),
    ] = ""
    residents: Annotated[
        Path | None, typer.Option("--residents", metavar="FILE", help="Where people live.")
    ] = None
    residents_column: Annotated[
        str, typer.Option("--residents-column", metavar="COLUMN", help="Column that counts them.")
    ] = ""
    no_residents: Annotated[
        bool, typer.Option("--no-residents", help="Leave them out: figures are of area alone.")
    ] = False
    no_background: Annotated[
        bool,
        typer.Option(
            "--no-background", help="Take no water, parks and stations out of vector tiles."
        ),
    ] = False

    def given(self) -> list[str]:
        """Return the options that are given, as they are written."""
        fields = dataclasses.fields(self)
        given = [f.name for f in fields if getattr(self, f.name) not in (f.default, [])]
        return [f"--{name.replace('_', '-')}" for name in given]


@with_options
def init(
    said: Said,
    path: Annotated[Path, typer.Argument(help="The study file to write.")] = Path("study.toml"),
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it exists.")] = False,
    yes: Annotated[
        bool,
        typer.Option(
            "--yes", "-y", help="Ask nothing; what is found is taken, near words too, and told."
        ),
    ] = False,
    example: Annotated[
        bool,
        typer.Option(
            "--example",
            help="Write a study that runs: the packaged Paris, its data beside the study file.",
        ),
    ] = False,
) -> None:
    """Begin a study: look at the files beside it, ask what they do not say, write the file."""
    from quart_heure.files import check_target, replacing

    if path.exists() and not force:
        msg = f"{path} exists already."
        raise OutputError(msg, hint="Choose another name, or add --force to replace it.")
    if example:
        given = said.given()
        if given:
            msg = f"--example writes the packaged Paris as it is; {given[0]} is of another study."
            raise typer.BadParameter(msg, param_hint="--example")
        _write_example(path, force=force)
        show(str(path))
        return
    from quart_heure.commands.begun import begun, what_is_next
    from quart_heure.starting.folder import look_into
    from quart_heure.study.settings import template

    check_target(path)
    desk = Desk.of_terminal(yes=yes)
    with progress() as say:
        say("files")
        found = look_into(path.parent, but=[path])
    if found.nothing and not said.given() and not desk.asks:
        tell(
            f"Nothing lies beside {path} to begin a study with: no districts, no list of services,"
            " no streets. It names examples, to be filled in; 'init --example' writes one that"
            " runs, 'quart-heure fetch' brings a territory."
        )
        text, lines = template(), list[str]()
    else:
        draft = begun(path, said, found, desk)
        text, lines = draft.text(), what_is_next(draft)
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
    for line in lines:
        tell(line)
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
