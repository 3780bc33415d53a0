"""Assets: the stylesheets, scripts and words that pages carry within them."""

from __future__ import annotations

import functools
from importlib import resources

__all__ = ["asset", "stylesheet"]


@functools.cache
def asset(name: str) -> str:
    """Return a file of the folder ``static`` as text."""
    file = resources.files("quart_heure.outputs").joinpath("static", name)
    return file.read_text(encoding="utf-8")


def stylesheet(page: str) -> str:
    """Return the stylesheet of a kind of page, behind what all pages share."""
    return asset("theme.css") + asset(f"{page}.css")
