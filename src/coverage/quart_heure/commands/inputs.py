"""Commands about what comes in: fetch, geocode, check, init."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated, Any

import typer

from quart_heure.commands.options import (
    AnalysisOptions,
    AsJson,
    CheckFormat,
    NoCache,
    Only,
    StudyFile,
    with_options,
)
from quart_heure.commands.running import (
    check_output,
    chosen_cache,
    deliver,
    load_study,
    screen,
    tell_file,
)
from quart_heure.commands.speech import progress, show, tell


def fetch(
    place: Annotated[
        str, typer.Argument(metavar="[PLACE]", help='A place by name, such as "Lyon, France".')
    ] = "",
    polygon: Annotated[
        Path | None,
        typer.Option(help="A file of polygons; each is a district."),
    ] = None,
    nominatim: Annotated[
        str, typer.Option(metavar="URL", help="Nominatim server that knows places by name.")
    ] = "",
    insee: Annotated[str, typer.Option(help="The INSEE code of a commune, such as 69123.")] = "",
    limits: Annotated[
        str, typer.Option(help="Who draws a commune's limits: osm, or gouv (geo.api.gouv.fr).")
    ] = "osm",
    date: Annotated[
        str,
        typer.Option(metavar="DAY", help="OpenStreetMap as it was on a day, such as 2024-01-01."),
    ] = "",
    open_data: Annotated[
        bool, typer.Option("--open-data", help="The known open data sets of the territory, too.")
    ] = False,
    dataset: Annotated[
        list[str] | None,
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
        list[str] | None,
        typer.Option("--mirror", metavar="URL", help="Overpass server; may be repeated."),
    ] = None,
    threshold: Annotated[
        float, typer.Option("--threshold", metavar="MINUTES", help="Longest walk to be analysed.")
    ] = 15.0,
    no_raw: Annotated[bool, typer.Option("--no-raw", help="Do not keep the raw elements.")] = False,
    no_background: Annotated[
        bool,
        typer.Option("--no-background", help="Do not ask for water, parks, railways and stations."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The manifest as JSON.")] = False,
) -> None:
    """Fetch a territory from OpenStreetMap, and portals, into a dated snapshot: goes online."""
    from quart_heure.fetch.fetch import fetch_territory
    from quart_heure.fetch.portals import PortalRequest
    from quart_heure.fetch.territory import TerritoryRequest
    from quart_heure.sources.online.overpass import LiveSettings

    request = TerritoryRequest(place=place, insee=insee, polygon=polygon, limits=limits, date=date)
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
            background=not no_background,
            cache=chosen_cache(no_cache=False),
            progress=say,
        )
    if as_json:
        from quart_heure.outputs.results.manifest import json_text

        show(json_text(brought.snapshot.manifest))
    else:
        for line in [*brought.lines(), str(brought.snapshot.folder / "study.toml")]:
            show(line)


def geocode(
    services: Annotated[Path, typer.Argument(help="A list of services with a column 'address'.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The CSV file to write.")],
    sheet: Annotated[
        str, typer.Option(metavar="NAME", help="The sheet or layer, where it has several.")
    ] = "",
    min_score: Annotated[
        float, typer.Option("--min-score", help="Weaker matches are listed and not used.")
    ] = 0.7,
    server: Annotated[
        str, typer.Option(metavar="URL", help="Another geocoding service of the same kind.")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="The result as JSON.")] = False,
) -> None:
    """Place rows without coordinates by their address, with the State's service: goes online."""
    from quart_heure.files import is_stream
    from quart_heure.sources.online.geocoding import GEOCODING_URL, geocode_file
    from quart_heure.sources.online.web import Web

    check_output(output, None)
    with progress() as say:
        done = geocode_file(
            services,
            output,
            part=sheet,
            min_score=min_score,
            url=server or GEOCODING_URL,
            web=Web(say=say),
        )
    if as_json:
        from quart_heure.outputs.results.manifest import json_text

        show(json_text(dataclasses.asdict(done)))
        return
    # The table itself may have gone to stdout.
    aside = is_stream(done.path)
    for line in [*done.lines(), *([] if aside else [str(done.path)])]:
        (tell if aside else show)(line)


@with_options
def check(
    options: Annotated[AnalysisOptions, Only("profile")],
    source: StudyFile = None,
    form: Annotated[
        CheckFormat, typer.Option("--format", help="Form of what goes to stdout or to a file.")
    ] = CheckFormat.TABLE,
    as_json: AsJson = False,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="File instead of stdout; .gpkg for a layer in QGIS."),
    ] = None,
    no_cache: NoCache = False,
) -> None:
    """Examine the inputs of a study: services, streets, refused rows, age of the data."""
    from quart_heure.outputs.report.check import render_check, write_check
    from quart_heure.study.check import check_study

    check_output(output, source)
    with progress() as say:
        say("inputs")
        study = load_study(source, options.asked(), no_cache=no_cache)
        say("check")
        found = check_study(study, cache=chosen_cache(no_cache=no_cache))
    if output is not None and output.suffix.lower() == ".gpkg":
        write_check(found, output)
        tell_file(output)
    else:
        shape = "json" if as_json else form.value
        deliver(render_check(found, form=shape, width=screen().get("width", 100)), output)
