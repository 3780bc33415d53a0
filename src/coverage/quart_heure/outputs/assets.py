"""Assets: the stylesheets, scripts and words that pages carry within them."""

from __future__ import annotations

import base64
import functools
import hashlib
from importlib import resources

__all__ = ["asset", "code_digest", "stylesheet"]


@functools.cache
def asset(name: str) -> str:
    """Return a file of the folder ``static`` as text."""
    file = resources.files("quart_heure.outputs").joinpath("static", name)
    return file.read_text(encoding="utf-8")


def code_digest(text: str) -> str:
    """Return how a content security policy names this very style or script, and no other."""
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def stylesheet(page: str) -> str:
    """Return the stylesheet of a kind of page, behind what all pages share."""
    return asset("theme.css") + asset(f"{page}.css")
