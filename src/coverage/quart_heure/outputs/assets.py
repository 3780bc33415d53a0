"""Assets: the stylesheets, scripts and templates of all pages, and what a page may run and load.

Every page is one file that loads nothing: its style and script stand in it, under a content
security policy that lets these very texts run and no other.
"""

from __future__ import annotations

import base64
import dataclasses
import functools
import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import resources
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import jinja2
    import markupsafe


@dataclasses.dataclass(frozen=True, kw_only=True)
class SiteLink:
    """A page of the same site, as other pages lead to it.

    Parameters
    ----------
    label
        What it is called.
    file
        Where it is, from the page that leads to it.
    here
        Whether it is that very page.
    """

    label: str
    file: str
    here: bool = False


@dataclasses.dataclass(frozen=True, kw_only=True)
class Site:
    """The links from a page to all pages of its site, and what they are called together."""

    label: str
    links: Sequence[SiteLink]


@functools.cache
def asset(name: str) -> str:
    """Return a file of this folder, such as ``map/map.css``, as text."""
    file = resources.files("quart_heure.outputs").joinpath(*name.split("/"))
    return file.read_text(encoding="utf-8")


def stylesheet(page: str) -> str:
    """Return the stylesheet of a kind of page, behind what all pages share."""
    return asset("pages/theme.css") + asset(f"{page}/{page}.css")


def page_environment(
    words: Mapping[str, Any] | None = None,
    *,
    escape: Callable[[Any], Any] | None = None,
    kind: type[jinja2.Environment] | None = None,
) -> jinja2.Environment:
    """Return the templates of all pages, with every value escaped on its way in.

    Parameters
    ----------
    words
        What templates may use, by name: above all how figures, dates and sentences are written.
    escape
        How a value is made safe in a page that is not HTML; as in HTML by default.
    kind
        Class of the environment, for a library whose templates need its own.
    """
    # Tables for a terminal and for programs do without it.
    import jinja2  # noqa: PLC0415

    pages = ("map", "dossier", "report", "publication", "batch")
    folders = ("pages", *(f"{page}/templates" for page in pages))
    environment = (kind or jinja2.Environment)(
        # The names of templates are unique.
        loader=jinja2.ChoiceLoader(
            [jinja2.PackageLoader("quart_heure.outputs", folder) for folder in folders]
        ),
        autoescape=escape is None,
        finalize=escape,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        bytecode_cache=_compiled(f"{kind} {escape is None}"),
    )
    environment.globals.update(words or {})
    return environment


@functools.cache
def _compiled(_way: str) -> jinja2.BytecodeCache:
    """Return what keeps the code of templates, which is another for each way of writing them.

    A process that draws many pages, in several languages, compiles each template once.
    """
    import jinja2  # noqa: PLC0415 - as above

    class Compiled(jinja2.BytecodeCache):
        def __init__(self) -> None:
            self.code: dict[str, bytes] = {}

        def load_bytecode(self, bucket: jinja2.bccache.Bucket) -> None:
            if bucket.key in self.code:
                bucket.bytecode_from_string(self.code[bucket.key])

        def dump_bytecode(self, bucket: jinja2.bccache.Bucket) -> None:
            self.code[bucket.key] = bucket.bytecode_to_string()

    return Compiled()


def inlined(code: str) -> markupsafe.Markup:
    """Return a style or a script that may stand in its element as it is.

    Raises
    ------
    ValueError
        If it holds what would end the element.
    """
    import markupsafe  # noqa: PLC0415 - as jinja2

    if re.search(r"</(script|style)|<!--", code, re.IGNORECASE):
        msg = "Code to be inlined holds a closing tag."
        raise ValueError(msg)
    return markupsafe.Markup(code)


def security_policy(
    *, styles: Iterable[str], scripts: Iterable[str] = (), images: str = "data:"
) -> str:
    r"""Return the content security policy of a page: these styles and scripts, nothing else.

    Inline ``style`` and ``on…`` attributes have no effect under it.

    Parameters
    ----------
    styles, scripts
        Text of every ``style`` and ``script`` element, exactly as it stands in the page.
    images
        Where images may come from; from the page itself by default.

    Examples
    --------
    >>> print(security_policy(styles=["p { margin: 0 }"]).replace("; ", "\n"))
    default-src 'none'
    style-src 'sha256-7IWhgxoOGTB5NQzjGk9OPt0FwhVeBvZGoWgF9xLLh8c='
    img-src data:
    base-uri 'none'
    form-action 'none'
    """
    allowed = {
        "script-src": " ".join(map(_digest, scripts)),
        "style-src": " ".join(map(_digest, styles)),
        "img-src": images,
    }
    rules = {
        "default-src": "'none'",
        **{name: sources for name, sources in allowed.items() if sources},
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in rules.items())


def _digest(text: str) -> str:
    """Return how a content security policy names this very style or script, and no other."""
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
