"""What commands say: results on stdout, all else on stderr, and nothing that steers a terminal.

Names come from files of others: whatever a command shows goes through here. What is told is
written to the log of the run as well, and what is done is written there alone, but for a terminal.
"""

from __future__ import annotations

import contextlib
import contextvars
import logging
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import typer

from quart_heure.errors import OutputError
from quart_heure.steering import harmless

STEPS = logging.getLogger("quart_heure.steps")
"""Gets each step of a run."""

_RUN = logging.getLogger("quart_heure.run")
_QUIET = contextvars.ContextVar("quiet", default=False)
_HEARD: contextvars.ContextVar[list[str] | None] = contextvars.ContextVar("heard", default=None)

for _logger in (STEPS, _RUN):
    _logger.propagate = False
    _logger.setLevel(logging.INFO)
    _logger.addHandler(logging.NullHandler())


def show(text: object, *, colour: bool = False) -> None:
    """Write a result to stdout.

    Parameters
    ----------
    text
        What to write.
    colour
        Whether it was drawn with colours, which are kept.
    """
    typer.echo(harmless(str(text), colour=colour), color=colour or None)


def tell(text: object) -> None:
    """Write a choice or a warning to stderr, in one line, and to the log."""
    _RUN.warning("%s", text)
    heard = _HEARD.get()
    if heard is not None:
        heard.append(str(text))
    if not _QUIET.get():
        typer.echo(one_line(text), err=True)


@contextlib.contextmanager
def hearing() -> Iterator[list[str]]:
    """Give a list to which what is told in the block is added, quiet or not."""
    heard: list[str] = []
    token = _HEARD.set(heard)
    try:
        yield heard
    finally:
        _HEARD.reset(token)


def tell_end(text: object) -> None:
    """Write why a run ends to stderr, quiet or not."""
    typer.echo(one_line(text), err=True)


@contextlib.contextmanager
def progress() -> Iterator[Callable[[str], None]]:
    """Tell each step on stderr, in place, if it is a terminal; and to the log."""

    def note(step: str) -> None:
        STEPS.info("%s", step)

    if _QUIET.get() or not sys.stderr.isatty():
        yield note
        return
    from rich.console import Console
    from rich.text import Text

    with Console(stderr=True).status("…") as status:

        def say(step: str) -> None:
            note(step)
            status.update(Text(f"{one_line(step)} …"))

        yield say


@contextlib.contextmanager
def told_as(what: str, *, quiet: bool, log: Path | None) -> Iterator[None]:
    """Run a command that is quiet or not, and whose run is added to a log or not.

    Raises
    ------
    OutputError
        If the log cannot be written.
    """
    token = _QUIET.set(quiet)
    shown = [(handler, handler.level) for handler in logging.root.handlers]
    try:
        if quiet:
            for handler, _ in shown:
                handler.setLevel(logging.ERROR)
        with _logged(what, log) if log is not None else contextlib.nullcontext():
            yield
    finally:
        for handler, level in shown:
            handler.setLevel(level)
        _QUIET.reset(token)


@contextlib.contextmanager
def _logged(what: str, path: Path) -> Iterator[None]:
    """Add the lines of a run to a log: its beginning, its steps, what was told, its end."""
    try:
        handler = logging.FileHandler(path, encoding="utf-8")
    except OSError as error:
        msg = f"{path}: cannot be written ({error.strerror or error})."
        raise OutputError(msg, hint="Name a log in a folder that you may write to.") from error
    form = LogLines("%(asctime)s %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%SZ")
    form.converter = time.gmtime
    handler.setFormatter(form)
    loggers = (STEPS, _RUN, logging.root)
    for logger in loggers:
        logger.addHandler(handler)
    try:
        _RUN.info("%s begins", what)
        yield
    except (typer.Exit, SystemExit):
        raise
    except BaseException as error:
        _RUN.error("%s", f"{type(error).__name__}: {error}")
        raise
    else:
        _RUN.info("%s is done", what)
    finally:
        for logger in loggers:
            logger.removeHandler(handler)
        handler.close()


def one_line(text: object) -> str:
    """Return a message in one line that steers nothing."""
    # Names of files may hold bytes that are no text.
    whole = str(text).encode("utf-8", "replace").decode()
    return " ".join(harmless(whole).splitlines())


class LogLines(logging.Formatter):
    """Log records as lines, each as harmless as what commands say."""

    def format(self, record: logging.LogRecord) -> str:
        """Return a record in one line."""
        return one_line(super().format(record))
