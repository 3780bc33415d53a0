r"""The script of the map's page: the modules of the folder ``script`` as one text.

They are modules of JavaScript as any, for editors and type checkers; a page that opens from a file
can import none. So each becomes a function that gives what it exports, in the order in which they
need each other. Of the language's many forms of import and export, two are used::

    import { points, reach } from "./draw.js";
    export function hatch(...) { ... }
"""

from __future__ import annotations

import functools
import re

from quart_heure.outputs.assets import asset

_FIRST = "map"
"""The module that needs all others."""

_IMPORT = re.compile(r'^import \{([\w\s,]+)\} from "\./(\w+)\.js";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function|class|const) (\w+))", re.MULTILINE)
_OTHER_FORM = re.compile(r"^\s*(?:import|export)\b.*", re.MULTILINE)
_TYPES = re.compile(r"^ */\*\*.*?\*/\n", re.MULTILINE | re.DOTALL)
"""What is said to the type checker alone, on lines of its own."""

_REMARKS = re.compile(r"^ *(?://.*|/\*(?:[^*]|\*(?!/))*\*/)?\n", re.MULTILINE)
_INDENTS = re.compile(r"^ +", re.MULTILINE)
"""Remarks and indents: readers of the modules need them, a browser does not."""


@functools.cache
def page_script() -> str:
    """Return the script of the page.

    Raises
    ------
    ValueError
        If a module imports or exports in another form, or needs itself.
    """
    linked: list[str] = []
    _link(_FIRST, linked, done=set(), above=())
    text = f'(function () {{\n"use strict";\n\n{"".join(linked)}\n}})();\n'
    return _INDENTS.sub("", _REMARKS.sub("", text))


def _link(name: str, linked: list[str], *, done: set[str], above: tuple[str, ...]) -> None:
    """Append a module behind those that it imports."""
    if name in above:
        msg = f"Modules of the script need each other: {' → '.join((*above, name))}."
        raise ValueError(msg)
    if name in done:
        return
    text = _TYPES.sub("", asset(f"map/script/{name}.js"))
    for needed in _IMPORT.findall(text):
        _link(needed[1], linked, done=done, above=(*above, name))
    done.add(name)
    exported = _EXPORT.findall(text)
    text = _EXPORT.sub("", _IMPORT.sub(r"const {\1} = \2_js;\n", text))
    if other := _OTHER_FORM.search(text):
        msg = f"{name}.js imports or exports in a form that cannot be linked: {other[0].strip()}"
        raise ValueError(msg)
    linked.append(
        f"const {name}_js = (function () {{\n{text}return {{ {', '.join(exported)} }};\n}})();\n\n"
    )
