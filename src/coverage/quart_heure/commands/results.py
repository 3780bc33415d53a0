"""Folders of results as commands take them: read, or taken again for what is drawn."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from quart_heure.commands.options import AnalysisOptions
from quart_heure.commands.running import (
    check_output,
    chosen_cache,
    is_results,
    load_study,
    run_analysis,
    with_week,
)
from quart_heure.commands.speech import tell
from quart_heure.errors import InputFileError, QuartHeureError

if TYPE_CHECKING:
    from quart_heure.outputs.results.read import Results
    from quart_heure.outputs.runs.compare import Run
    from quart_heure.study.coverage import Coverage


def load_results(
    source: Path | None,
    options: AnalysisOptions,
    *,
    no_cache: bool,
    say: Callable[[str], None],
) -> Coverage | Results:
    """Read a folder of results, or analyse a study."""
    if source is not None:
        from quart_heure.sources.given import check_name

        check_name(source)
    if source is not None and is_results(source):
        return _read(source, options)
    study = load_study(source, options.asked(), no_cache=no_cache)
    return run_analysis(study, no_cache=no_cache, say=say)


def load_coverage(
    source: Path | None,
    options: AnalysisOptions,
    *,
    study: Path | None,
    no_cache: bool,
    say: Callable[[str], None],
) -> Coverage:
    """Analyse a study, or take what a folder of results was written from, for what is drawn.

    Parameters
    ----------
    source
        A study, or a folder of results; None for the packaged Paris.
    options
        What is asked of a study. Of results nothing can be.
    study
        The study file of the results, where it was moved.
    no_cache, say
        As for `run_analysis`.

    Raises
    ------
    InputFileError
        If what results were made from is no longer at hand, or gives other figures.
    """
    if source is not None and is_results(source):
        from quart_heure.outputs.runs.rerun import run_again

        say("results")
        results = _read(source, options)
        return run_again(results, study=study, cache=chosen_cache(no_cache), progress=say)
    if study is not None:
        msg = f"--study names the study of a folder of results, and {source} is none."
        raise InputFileError(msg, hint="Leave it out.")
    loaded = load_study(source, options.asked(), no_cache=no_cache)
    return run_analysis(with_week(loaded), no_cache=no_cache, say=say)


def _read(source: Path, options: AnalysisOptions) -> Results:
    """Read a folder of results, of which nothing else can be asked; tell what was changed in it."""
    from quart_heure.outputs.results.read import read_results

    given = options.given()
    if given:
        msg = f"{source} holds results: {given[0]} cannot change them."
        raise InputFileError(msg, hint="Give the study file instead.")
    found = read_results(source)
    for name in found.changed_files():
        tell(f"WARNING: {name} is missing or is not what was written.")
    return found


@contextlib.contextmanager
def fitting(*results: object) -> Iterator[None]:
    """Tell results that were read from a folder and do not fit together from a fault of ours.

    Their hashes hold, or they would have been refused: somebody changed those too.
    """
    # What was read knows its folder; what reads it is not loaded to ask that of an analysis.
    read = [one.directory for one in results if hasattr(one, "directory")]
    try:
        yield
    except QuartHeureError:
        raise
    except (LookupError, ValueError, TypeError, ArithmeticError, AttributeError) as error:
        if not read:
            raise
        folders = " or ".join(map(str, read))
        msg = f"{folders}: its tables do not fit together ({type(error).__name__}: {error})."
        hint = "Run the analysis again; if that ends the same way, please report it."
        raise InputFileError(msg, hint=hint) from error


def earlier_run(folder: Path | None, output: Path | None) -> Run | None:
    """Read the earlier run that is compared with, before any work; None where none is named."""
    if folder is None:
        return None
    from quart_heure.outputs.runs.compare import Run

    check_output(output, folder)
    return Run.read(folder)
