"""Commands about what comes in: fetch, check, init."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Optional

import typer

from quart_heure.commands.options import (
    CheckFormat,
    NoCache,
    Profile,
    StudyFile,
)
from quart_heure.commands.running import (
    check_output,
    chosen_cache,
    deliver,
    load_study,
    progress,
    screen,
)
from quart_heure.errors import OutputError


def fetch(
    place: Annotated[
        str, typer.Argument(metavar="[PLACE]", help='A place by name, such as "Lyon, France".')
    ] = "",
    polygon: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(help="A file of polygons; each is a district."),
    ] = None,
    nominatim: Annotated[
        str, typer.Option(metavar="URL", help="Nominatim server that knows places by name.")
    ] = "",
    insee: Annotated[str, typer.Option(help="The INSEE code of a commune, such as 69123.")] = "",
    limits: Annotated[
        str, typer.Option(help="Who draws a commune's limits: osm, or gouv (geo.api.gouv.fr).")
    ] = "osm",
    open_data: Annotated[
        bool, typer.Option("--open-data", help="The known open data sets of the territory, too.")
    ] = False,
    dataset: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option("--dataset", metavar="ID[=CATEGORY]", help="Another data set; repeatable."),
    ] = None,
    portal: Annotated[
        str, typer.Option(metavar="URL", help="The Opendatasoft portal of --dataset.")
    ] = "",
    residents: Annotated[
        str, typer.Option(metavar="insee|URL", help="INSEE's squares of residents, too.")
    ] = "",
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder in which the snapshot gets its own.")
    ] = Path("snapshots"),
    mirror: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option("--mirror", metavar="URL", help="Overpass server; may be repeated."),
    ] = None,
    threshold: Annotated[
        float, typer.Option("--threshold", metavar="MINUTES", help="Longest walk to be analysed.")
    ] = 15.0,
    no_raw: Annotated[bool, typer.Option("--no-raw", help="Do not keep the raw elements.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The manifest as JSON.")] = False,
) -> None:
    """Fetch a territory from OpenStreetMap, and portals, into a dated snapshot: goes online."""
    from quart_heure.fetch.fetch import fetch_territory
    from quart_heure.fetch.portals import PortalRequest
    from quart_heure.fetch.territory import TerritoryRequest
    from quart_heure.sources.online.overpass import LiveSettings

    request = TerritoryRequest(place=place, insee=insee, polygon=polygon, limits=limits)
    portals = PortalRequest(
        open_data=open_data, datasets=tuple(dataset or ()), portal=portal, residents=residents
    )
    servers: dict[str, Any] = {"mirrors": tuple(mirror)} if mirror else {}
    if nominatim:
        servers["nominatim_url"] = nominatim
    check_output(output, None, folder=True)
    with progress() as say:
        brought = fetch_territory(
            request,
            portals=portals,
            output=output,
            settings=LiveSettings(**servers),
            threshold_min=threshold,
            keep_raw=not no_raw,
            cache=chosen_cache(no_cache=False),
            progress=say,
        )
    if as_json:
        typer.echo(json.dumps(brought.snapshot.manifest, ensure_ascii=False, indent=2))
    else:
        for line in [*brought.lines(), str(brought.snapshot.folder / "study.toml")]:
            typer.echo(line)


def check(
    source: StudyFile = None,
    form: Annotated[
        CheckFormat, typer.Option("--format", help="Form of what goes to stdout or to a file.")
    ] = CheckFormat.TABLE,
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
    output: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--output", "-o", help="File instead of stdout; .gpkg for a layer in QGIS."),
    ] = None,
    profile: Profile = None,
    no_cache: NoCache = False,
) -> None:
    """Examine the inputs of a study: services, streets, refused rows, age of the data."""
    from quart_heure.outputs.report.check import check_study, render_check, write_check

    check_output(output, source)
    with progress() as say:
        say("inputs")
        study = load_study(source, no_cache=no_cache, profile=profile)
        say("check")
        found = check_study(study)
    if output is not None and output.suffix.lower() == ".gpkg":
        write_check(found, output)
        typer.echo(str(output))
    else:
        shape = "json" if as_json else form.value
        deliver(render_check(found, form=shape, width=screen().get("width", 100)), output)


def init(
    path: Annotated[Path, typer.Argument(help="The study file to write.")] = Path("study.toml"),
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it exists.")] = False,
) -> None:
    """Write a commented study file to start from."""
    from quart_heure.files import replacing
    from quart_heure.study.settings import template

    if path.exists() and not force:
        msg = f"{path} exists already."
        raise OutputError(msg, hint="Choose another name, or add --force to replace it.")
    with replacing(path) as temporary:
        temporary.write_text(template(), encoding="utf-8")
    typer.echo(str(path))
