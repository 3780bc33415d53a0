"""What commands say: results on stdout, all else on stderr, and nothing that steers a terminal.

Names come from files of others: whatever a command shows goes through here.
"""

from __future__ import annotations

import logging

import typer

from quart_heure.steering import harmless


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
    """Write a step, a choice or a warning to stderr, in one line."""
    typer.echo(one_line(text), err=True)


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
