"""Assets: the stylesheets, scripts, words and templates that pages are made of."""

from __future__ import annotations

import base64
import functools
import hashlib
from importlib import resources

import jinja2


@functools.cache
def asset(name: str) -> str:
    """Return a file of this folder, such as ``map/map.css``, as text."""
    file = resources.files("quart_heure.outputs").joinpath(*name.split("/"))
    return file.read_text(encoding="utf-8")


def code_digest(text: str) -> str:
    """Return how a content security policy names this very style or script, and no other."""
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def stylesheet(page: str) -> str:
    """Return the stylesheet of a kind of page, behind what all pages share."""
    return asset("pages/theme.css") + asset(f"{page}/{page}.css")


@functools.cache
def templates() -> jinja2.BaseLoader:
    """Return the loader of every page's templates; their names are unique."""
    folders = ("pages", "map/templates", "dossier/templates", "report/templates")
    return jinja2.ChoiceLoader(
        [jinja2.PackageLoader("quart_heure.outputs", folder) for folder in folders]
    )
