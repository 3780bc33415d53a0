"""The command line: arguments → study → files. Results on stdout, progress on stderr.

Heavy libraries are imported inside the commands that need them, so that ``--help`` answers at
once.
"""

from __future__ import annotations

import contextlib
import enum
import json
import logging
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from quart_heure.errors import InputFileError, OutputError, QuartHeureError

if TYPE_CHECKING:
    from quart_heure.outputs.tables import Results
    from quart_heure.study import Coverage, Study

__all__ = ["app", "main", "run"]

app = typer.Typer(
    name="quart-heure",
    help="Who cannot reach the solidarity services of a city within 15 minutes on foot, and why.",
    epilog=(
        "Exit codes: 0 done · 1 internal error · 2 wrong arguments · 3 input file · 4 study file ·"
        " 5 coordinate system · 6 geometry · 7 category · 8 network · 9 cannot write · 10 try later"
    ),
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=True,
)


class Format(enum.StrEnum):
    """Forms of a report."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    MD = "md"
    HTML = "html"


class CheckFormat(enum.StrEnum):
    """Forms of a check."""

    TABLE = "table"
    JSON = "json"
    HTML = "html"


class Lang(enum.StrEnum):
    """Languages of what people read."""

    FR = "fr"
    EN = "en"


_Source = Annotated[
    Optional[Path],  # noqa: UP045 - typer reads the annotation at run time
    typer.Argument(
        metavar="[SOURCE]",
        help="A study file, a snapshot or a folder of results; the packaged Paris by default.",
    ),
]
_Study = Annotated[
    Optional[Path],  # noqa: UP045
    typer.Argument(metavar="[STUDY]", help="A study file (.toml); the packaged Paris by default."),
]
_Profile = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option(help="Walker: adult, slow, step_free, or one of the study file."),
]
_Threshold = Annotated[
    Optional[float],  # noqa: UP045
    typer.Option("--threshold", metavar="MINUTES", help="Minutes within which a place is covered."),
]
_Categories = Annotated[
    Optional[list[str]],  # noqa: UP045
    typer.Option("--category", help="Category to analyse or show; may be repeated."),
]
_AllStatuses = Annotated[
    bool,
    typer.Option("--all-statuses", help="Count every place, open or not."),
]
_NoCache = Annotated[bool, typer.Option("--no-cache", help="Keep nothing between runs.")]
_Lang = Annotated[Lang, typer.Option("--lang", help="Language of what people read.")]


@app.callback(invoke_without_command=True)
def _start(
    version: Annotated[bool, typer.Option("--version", help="Show the version.")] = False,
) -> None:
    """Answer the options that stand before a command."""
    if version:
        from quart_heure.manifest import tool_version

        typer.echo(tool_version())
        raise typer.Exit


@app.command()
def demo(
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the results.")] = Path(
        "out/paris"
    ),
    lang: _Lang = Lang.FR,
    no_cache: _NoCache = False,
) -> None:
    """Measure the packaged Paris: city figures here, tables, report and map in a folder."""
    with _progress() as say:
        coverage = _analyse(_study(None, no_cache=no_cache), no_cache=no_cache, say=say)
        files = _write_all(coverage, output, lang=lang, say=say)
    from quart_heure.outputs.report import render_report

    typer.echo(render_report(coverage, lang=lang.value, brief=True, **_screen()))
    for path in files:
        typer.echo(str(path))


@app.command()
def analyse(
    study: Annotated[Path, typer.Argument(help="The study file (see 'quart-heure init').")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the results.")],
    profile: _Profile = None,
    threshold: _Threshold = None,
    category: _Categories = None,
    all_statuses: _AllStatuses = False,
    lang: _Lang = Lang.FR,
    no_cache: _NoCache = False,
    as_json: Annotated[bool, typer.Option("--json", help="List the files as JSON.")] = False,
) -> None:
    """Analyse a study; write tables, layers, report, map and manifest into a folder."""
    if output.resolve() in {study.resolve(), study.resolve().parent}:
        # The results hold a services.csv, which is what the services of a study are called too.
        msg = f"{output} is the folder of the study: results would replace its files."
        raise OutputError(msg, hint="Give the results a folder of their own.")
    with _progress() as say:
        loaded = _study(
            study,
            no_cache=no_cache,
            profile=profile,
            threshold=threshold,
            category=category,
            all_statuses=all_statuses,
        )
        coverage = _analyse(loaded, no_cache=no_cache, say=say)
        files = _write_all(coverage, output, lang=lang, say=say)
    if as_json:
        typer.echo(json.dumps({"files": [str(path) for path in files]}, indent=2))
    else:
        for path in files:
            typer.echo(str(path))


@app.command()
def report(
    source: _Source = None,
    arrondissement: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option("--arrondissement", help="District: 13, 13e or 75113; may be repeated."),
    ] = None,
    category: _Categories = None,
    form: Annotated[Format, typer.Option("--format", help="Form of the report.")] = Format.TABLE,
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
    output: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--output", "-o", help="File to write instead of stdout."),
    ] = None,
    profile: _Profile = None,
    threshold: _Threshold = None,
    all_statuses: _AllStatuses = False,
    lang: _Lang = Lang.FR,
    no_cache: _NoCache = False,
) -> None:
    """Report gaps and coverage per arrondissement, on stdout or in a file."""
    from quart_heure.outputs.report import render_report

    with _progress() as say:
        found = _results(
            source,
            say=say,
            no_cache=no_cache,
            profile=profile,
            threshold=threshold,
            all_statuses=all_statuses,
        )
    text = render_report(
        found,
        districts=tuple(arrondissement or ()),
        categories=tuple(category or ()),
        format="json" if as_json else form.value,
        lang=lang.value,
        **(_screen() if output is None else {}),
    )
    _deliver(text, output)


@app.command("map")
def map_(
    source: _Study = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="The HTML file.")] = Path(
        "carte.html"
    ),
    profile: _Profile = None,
    threshold: _Threshold = None,
    category: _Categories = None,
    all_statuses: _AllStatuses = False,
    online_tiles: Annotated[
        bool,
        typer.Option("--online-tiles", help="Draw over OpenStreetMap's tiles; needs internet."),
    ] = False,
    lang: _Lang = Lang.FR,
    no_cache: _NoCache = False,
) -> None:
    """Write the map: one HTML file that opens without internet."""
    from quart_heure.outputs.map import write_map

    with _progress() as say:
        study = _study(
            source,
            no_cache=no_cache,
            profile=profile,
            threshold=threshold,
            category=category,
            all_statuses=all_statuses,
        )
        coverage = _analyse(study, no_cache=no_cache, say=say)
        say("map")
        path = write_map(
            coverage,
            output,
            lang=lang.value,
            background=coverage.study.background(),
            online_tiles=online_tiles,
        )
    typer.echo(str(path))


@app.command()
def info(
    results: Annotated[Path, typer.Argument(help="A folder of results.")],
    as_json: Annotated[bool, typer.Option("--json", help="The manifest as JSON.")] = False,
) -> None:
    """Say what a folder of results was made from: inputs, dates, parameters, counts."""
    from quart_heure.outputs.info import render_info
    from quart_heure.outputs.tables import read_results

    found = read_results(results)
    if as_json:
        typer.echo(json.dumps(found.manifest, ensure_ascii=False, indent=2))
    else:
        typer.echo(render_info(found.manifest, changed=found.changed_files()))


@app.command()
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
    """Fetch a territory from OpenStreetMap into a dated snapshot: the one command online."""
    from quart_heure.fetch import fetch_territory
    from quart_heure.sources.osm_live import LiveSettings
    from quart_heure.sources.territory import TerritoryRequest

    request = TerritoryRequest(place=place, insee=insee, polygon=polygon)
    servers: dict[str, Any] = {"mirrors": tuple(mirror)} if mirror else {}
    if nominatim:
        servers["nominatim_url"] = nominatim
    with _progress() as say:
        brought = fetch_territory(
            request,
            output=output,
            settings=LiveSettings(**servers),
            threshold_min=threshold,
            keep_raw=not no_raw,
            cache=_cache(no_cache=False),
            progress=say,
        )
    if as_json:
        typer.echo(json.dumps(brought.snapshot.manifest, ensure_ascii=False, indent=2))
    else:
        for line in [*brought.lines(), str(brought.snapshot.folder / "study.toml")]:
            typer.echo(line)


@app.command()
def check(
    source: _Study = None,
    form: Annotated[
        CheckFormat, typer.Option("--format", help="Form of what goes to stdout or to a file.")
    ] = CheckFormat.TABLE,
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
    output: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--output", "-o", help="File instead of stdout; .gpkg for a layer in QGIS."),
    ] = None,
    profile: _Profile = None,
    no_cache: _NoCache = False,
) -> None:
    """Examine the inputs of a study: services, streets, refused rows, age of the data."""
    from quart_heure.outputs.check import check_study, render_check, write_check

    with _progress() as say:
        say("inputs")
        study = _study(source, no_cache=no_cache, profile=profile)
        say("check")
        found = check_study(study)
    if output is not None and output.suffix.lower() == ".gpkg":
        write_check(found, output)
        typer.echo(str(output))
    else:
        shape = "json" if as_json else form.value
        _deliver(render_check(found, form=shape, width=_screen().get("width", 100)), output)


@app.command()
def init(
    path: Annotated[Path, typer.Argument(help="The study file to write.")] = Path("study.toml"),
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it exists.")] = False,
) -> None:
    """Write a commented study file to start from."""
    from quart_heure.files import replacing
    from quart_heure.study_file import TEMPLATE

    if path.exists() and not force:
        msg = f"{path} exists already."
        raise OutputError(msg, hint="Choose another name, or add --force to replace it.")
    with replacing(path) as temporary:
        temporary.write_text(TEMPLATE, encoding="utf-8")
    typer.echo(str(path))


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    logging.basicConfig(format="%(levelname)s: %(message)s", stream=sys.stderr)
    try:
        result = app(args=arguments, standalone_mode=False)
    except QuartHeureError as error:
        typer.echo(f"Error: {error}", err=True)
        return error.exit_code
    except typer.Exit as stop:
        return stop.exit_code
    except typer.Abort:
        typer.echo("Stopped.", err=True)
        return 130
    except SystemExit as end:
        # typer ends the process itself when the reader of a pipe (head, less) has seen enough.
        if isinstance(end.__context__, BrokenPipeError):
            return 0
        raise
    except Exception as error:
        return _usage_error(error)
    return result if isinstance(result, int) else 0


def run() -> None:
    """Run the command line and end the process with its exit code."""
    try:
        code = main()
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader of a pipe (head, less) has seen enough.
        sys.stderr.close()
        code = 0
    sys.exit(code)


def _usage_error(error: Exception) -> int:
    """Show wrong arguments as typer does; anything else is a fault of ours and is raised."""
    show = getattr(error, "show", None)
    code = getattr(error, "exit_code", None)
    if not callable(show) or not isinstance(code, int):
        raise error
    show()
    return code


@contextlib.contextmanager
def _progress() -> Iterator[Callable[[str], None]]:
    """Tell each step on stderr: in place on a terminal, line by line elsewhere."""
    if sys.stderr.isatty():
        from rich.console import Console

        with Console(stderr=True).status("…") as status:
            yield lambda step: status.update(f"{step} …")
    else:
        yield lambda step: typer.echo(f"{step} …", err=True)


def _study(
    source: Path | None,
    *,
    no_cache: bool,
    profile: str | None = None,
    threshold: float | None = None,
    category: list[str] | None = None,
    all_statuses: bool = False,
) -> Study:
    """Load a study; what the flags say prevails over its file."""
    from quart_heure.sources.services import STATUSES
    from quart_heure.study_file import paris_study, read_study

    overrides: dict[str, Any] = {}
    if profile is not None:
        overrides["profile"] = profile
    if threshold is not None:
        overrides["threshold_min"] = threshold
    if category:
        overrides["categories"] = tuple(category)
    if all_statuses:
        overrides["counted_status"] = STATUSES
    cache = _cache(no_cache)
    if source is None:
        return paris_study(cache=cache, **overrides)
    return read_study(source, cache=cache, **overrides)


def _analyse(study: Study, *, no_cache: bool, say: Callable[[str], None]) -> Coverage:
    from quart_heure.study import analyse as analyse_study

    coverage = analyse_study(study, cache=_cache(no_cache), progress=say)
    doubts = len(coverage.problems)
    if doubts:
        typer.echo(f"{doubts} rows left out or doubted: see problems in the results.", err=True)
    return coverage


def _results(
    source: Path | None, *, say: Callable[[str], None], no_cache: bool, **flags: Any
) -> Coverage | Results:
    """Read a folder of results, or analyse a study."""
    if source is not None and source.is_dir() and not (source / "study.toml").is_file():
        given = [name for name, value in flags.items() if value]
        if given:
            msg = f"{source} holds results: --{given[0].replace('_', '-')} cannot change them."
            raise InputFileError(msg, hint="Give the study file instead.")
        from quart_heure.outputs.tables import read_results

        found = read_results(source)
        for name in found.changed_files():
            typer.echo(f"WARNING: {name} is missing or is not what was written.", err=True)
        return found
    return _analyse(_study(source, no_cache=no_cache, **flags), no_cache=no_cache, say=say)


def _write_all(
    coverage: Coverage, folder: Path, *, lang: Lang, say: Callable[[str], None]
) -> list[Path]:
    """Write tables, report and map; return the paths that a person opens first."""
    from quart_heure.outputs.map import write_map
    from quart_heure.outputs.report import render_report, write_report
    from quart_heure.outputs.tables import write_results

    say("tables")
    written = write_results(coverage, folder)
    say("report")
    page = folder / "report.html"
    write_report(render_report(coverage, format="html", lang=lang.value), page)
    say("map")
    chart = write_map(
        coverage, folder / "map.html", lang=lang.value, background=coverage.study.background()
    )
    return [chart, page, *written.values()]


def _screen() -> dict[str, Any]:
    """Return the width and colour of the terminal that stdout is, if it is one."""
    if not sys.stdout.isatty():
        return {}
    from rich.console import Console

    console = Console()
    return {"width": console.width, "colour": console.color_system is not None}


def _cache(no_cache: bool) -> Any:
    from quart_heure.cache import Cache, default_cache

    return Cache(None) if no_cache else default_cache()


def _deliver(text: str, output: Path | None) -> None:
    if output is None:
        typer.echo(text.rstrip("\n"))
        return
    from quart_heure.files import replacing

    with replacing(output) as temporary:
        temporary.write_text(text, encoding="utf-8")
    typer.echo(str(output))
