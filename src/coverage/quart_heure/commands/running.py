"""Running: from arguments to a study, its results, and files or stdout."""

from __future__ import annotations

import contextlib
import datetime
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quart_heure.commands.options import Lang, ProposalOptions
from quart_heure.commands.speech import show, tell
from quart_heure.errors import OutputError, StudyFileError

if TYPE_CHECKING:
    from quart_heure.outputs.proposals.proposal import Proposal
    from quart_heure.profiles import WalkProfile
    from quart_heure.study.asked import Asked
    from quart_heure.study.coverage import Coverage
    from quart_heure.study.study import Study


_OPTIONS = {
    "threshold_min": "--threshold",
    "at": "--at",
    "on": "--on",
    "between": "--between",
    "stay_min": "--stay",
    "week_of": "--week-of",
}
"""Options that are called otherwise in a study file, or without their hyphens."""


def check_output(output: Path | None, source: Path | None, *, folder: bool = False) -> None:
    """Refuse a place for results that cannot be written, or that holds what they are made from.

    It is tried before the analysis, which takes longer than anyone likes to wait for nothing.

    Parameters
    ----------
    output
        A file, or a folder for a whole set of results; None for stdout.
    source
        The study or the results that are read; None for the packaged Paris.

    Raises
    ------
    OutputError
        If nothing can be written there, or an input would be replaced.
    InputFileError, StudyFileError
        If the study file cannot be read.
    """
    if output is None:
        return
    from quart_heure.files import check_folder, check_name_to_write, check_target

    check_name_to_write(output)
    if source is not None:
        _keep_inputs(output, source, folder=folder)
    check_folder(output) if folder else check_target(output)


def check_proposed(table: ProposalOptions, source: Path | None) -> None:
    """Refuse a file or a folder for a proposal as `check_output` does."""
    output = table.folder
    if output is None:
        check_output(table.output, source)
        return
    from quart_heure.files import check_name_to_write

    check_name_to_write(output)
    from quart_heure.outputs.proposals.folder import check_proposal_folder
    from quart_heure.sources.given import check_name

    if source is not None:
        check_name(source)
    if source is not None and output.resolve() in {source.resolve(), source.resolve().parent}:
        msg = f"{output} is the folder of the study: a proposal would replace its files."
        raise OutputError(msg, hint="Give the proposal a folder of its own.")
    check_proposal_folder(output)
    check_output(output, source, folder=True)


def keep(proposal: Proposal, folder: Path) -> None:
    """Write a proposal into a folder, and tell its files."""
    from quart_heure.outputs.proposals.folder import write_proposal

    for path in write_proposal(proposal, folder):
        show(str(path))


def load_proposals(folders: Sequence[Path] | None) -> list[Proposal]:
    """Read the proposals that a page is to show."""
    if not folders:
        return []
    from quart_heure.outputs.proposals.folder import read_proposal

    return [read_proposal(folder) for folder in folders]


def _keep_inputs(output: Path, source: Path, *, folder: bool) -> None:
    from quart_heure.outputs.results.write import RESULT_FILES, WEEK_FILES
    from quart_heure.sources.given import check_name
    from quart_heure.study.settings import input_files

    results = (*WEEK_FILES, *RESULT_FILES)
    check_name(source)
    inputs = [source / name for name in results] if is_results(source) else input_files(source)
    pages = ("report.html", "map.html")
    names = (*results, *pages) if folder else ()
    made = {(output / name).resolve() for name in names} if folder else {output.resolve()}
    for file in inputs:
        if file.resolve() in made:
            msg = f"{output}: results would replace {file}, which they are made from."
            raise OutputError(msg, hint="Give the results a place of their own.")


def load_study(
    source: Path | None,
    asked: Asked,
    *,
    no_cache: bool,
    soliguide: bool = False,
    walks_m: float = 0.0,
    network: Path | None = None,
) -> Study:
    """Load a study.

    Parameters
    ----------
    source
        Its file, or the folder of a snapshot; None for the packaged Paris.
    asked
        What the flags ask, over what the file does.
    no_cache
        Whether the network is read anew.
    soliguide
        Whether Soliguide's places are added, live.
    walks_m
        Length of the longest walk that will be asked of it, where that is longer than its own.
    network
        Streets to take instead of its own.
    """
    with as_typed(asked):
        return _loaded(
            source, asked, no_cache=no_cache, soliguide=soliguide, walks_m=walks_m, network=network
        )


@contextlib.contextmanager
def as_typed(asked: Asked) -> Iterator[None]:
    """Name what is wrong as it was typed: an option, not a key of a study file."""
    try:
        yield
    except StudyFileError as error:
        message = str(error.args[0])
        key, _, rest = message.partition(" ")
        if key in asked and key in _OPTIONS:
            error.args = (f"{_OPTIONS[key]} {rest}",)
        raise


def check_shown(
    source: Path | None, *, districts: Sequence[str] | None, categories: Sequence[str] | None = None
) -> None:
    """Refuse districts and categories that a study does not have, before anything is computed.

    Parameters
    ----------
    source
        The study, or a folder of results; None for the packaged Paris.

    Raises
    ------
    InputFileError, CategoryError
        If it has none like it; the message names the nearest.
    """
    from quart_heure.analysis.answers import COMPOSITES
    from quart_heure.categories import check_categories, extend_catalogue
    from quart_heure.outputs.report.content import find_districts
    from quart_heure.study.inputs import paris_settings, read_study_area
    from quart_heure.study.settings import read_settings

    if not (districts or categories):
        return
    if source is not None and is_results(source):
        from quart_heure.outputs.report.content import resolve_districts
        from quart_heure.outputs.results.read import read_results

        resolve_districts(read_results(source).indicators, tuple(districts or ()))
        return
    settings = paris_settings() if source is None else read_settings(source)
    own = [name for name in categories or () if name not in COMPOSITES]
    check_categories(dict.fromkeys(own), extend_catalogue(settings.categories))
    if districts:
        known = read_study_area(settings, chosen_cache(no_cache=False)).districts
        find_districts(dict(zip(known["district_id"], known["label"], strict=True)), districts)


def is_results(source: Path | None) -> bool:
    """Tell whether a source is a folder of results; of a snapshot it is a study."""
    from quart_heure.sources.given import check_name

    if source is None:
        return False
    check_name(source)
    return source.is_dir() and not (source / "study.toml").is_file()


def _loaded(
    source: Path | None,
    asked: Asked,
    *,
    no_cache: bool,
    soliguide: bool,
    walks_m: float,
    network: Path | None,
) -> Study:
    from quart_heure.stamp import creation_time
    from quart_heure.study.file import read_study
    from quart_heure.study.inputs import paris_settings
    from quart_heure.study.settings import read_settings, with_network
    from quart_heure.study.study import Study

    cache = chosen_cache(no_cache)
    # The day is taken here, at the edge: nothing further in knows what day it is.
    today = datetime.date.fromisoformat(creation_time()[:10])
    if network is not None:
        settings = paris_settings() if source is None else read_settings(source)
        settings = with_network(settings, network)
        return Study.from_settings(settings, cache=cache, today=today, walks_m=walks_m, **asked)
    if source is None:
        return Study.from_settings(paris_settings(), cache=cache, today=today, **asked)
    access = None
    if soliguide:
        from quart_heure.sources.online.soliguide import soliguide_access

        access = soliguide_access()
    return read_study(source, cache=cache, today=today, soliguide=access, walks_m=walks_m, **asked)


def load_walkers(
    source: Path | None, names: Sequence[str] | None, thresholds: Sequence[float]
) -> tuple[list[WalkProfile], float]:
    """Return walkers by name, those of the study file too, and the metres of their longest walk.

    Without names, those that are packaged.
    """
    from quart_heure.profiles import PROFILES
    from quart_heure.study.asked import find_walker
    from quart_heure.study.bounds import check_walks, longest_walk_m
    from quart_heure.study.inputs import paris_settings
    from quart_heure.study.settings import read_settings

    settings = paris_settings() if source is None else read_settings(source)
    walkers = [
        find_walker(name, settings.walkers, settings.where) for name in names or (*PROFILES,)
    ]
    for minutes in thresholds:
        check_walks(minutes, ())
    longest_m = max(
        longest_walk_m(
            walker,
            threshold_min=max(thresholds),
            isochrones_min=(),
            hilly=settings.network.heights is not None,
        )
        for walker in walkers
    )
    return walkers, longest_m


def with_week(study: Study) -> Study:
    """Return the study with its week judged too, where any service states hours.

    Maps and dossiers show it; it costs less than drawing them.
    """
    return study.replace(week=True) if study.tells_hours else study


def run_analysis(study: Study, *, no_cache: bool, say: Callable[[str], None]) -> Coverage:
    """Analyse a study and tell how many rows of its inputs were left out or doubted.

    Discreet places are taken out here, once for all that is written.
    """
    from quart_heure.outputs.discretion import publishable
    from quart_heure.sources.problems import choices_of
    from quart_heure.study.line import analyse as analyse_study

    coverage = analyse_study(study, cache=chosen_cache(no_cache), progress=say)
    doubts = len(coverage.problems)
    for choice in choices_of(coverage.problems):
        tell(choice)
    if doubts:
        tell(f"{doubts} rows left out or doubted: see problems in the results.")
    return publishable(coverage)


def write_all(
    coverage: Coverage, folder: Path, *, lang: Lang, say: Callable[[str], None]
) -> list[Path]:
    """Write tables, report and map; return the paths that a person opens first."""
    from quart_heure.outputs.map.map import write_map
    from quart_heure.outputs.report.report import render_report, write_report
    from quart_heure.outputs.results.write import write_results

    page, chart = folder / "report.html", folder / "map.html"
    say("tables")
    written = write_results(coverage, folder, lang=lang.value)
    for earlier in (page, chart):
        # If this run is stopped before its end, pages of another do not pass for its own.
        earlier.unlink(missing_ok=True)
    say("report")
    write_report(render_report(coverage, format="html", lang=lang.value), page)
    say("map")
    write_map(coverage, chart, lang=lang.value, background=coverage.study.background())
    return [chart, page, *written.values()]


def screen() -> dict[str, Any]:
    """Return the width and colour of the terminal that stdout is, if it is one."""
    if not sys.stdout.isatty():
        return {}
    from rich.console import Console

    console = Console()
    return {"width": console.width, "colour": console.color_system is not None}


def chosen_cache(no_cache: bool) -> Any:
    """Return the user's cache, or one that keeps nothing."""
    from quart_heure.cache import Cache, default_cache

    return Cache(None) if no_cache else default_cache()


def deliver(text: str, output: Path | None) -> None:
    """Write a text to stdout, or whole or not at all to a file."""
    if output is None:
        show(text.rstrip("\n"), colour=screen().get("colour", False))
        return
    from quart_heure.files import replacing

    with replacing(output) as temporary:
        temporary.write_text(text, encoding="utf-8")
    tell_file(output)


def tell_file(path: Path) -> None:
    """Tell the name of a file that was written; of a stream nothing: it may be stdout itself."""
    from quart_heure.files import is_stream

    if not is_stream(path):
        show(str(path))
