"""Write the types of the map's data for its script, from those of Python.

Usage: scripts/write_map_types.py

A test compares them, so that no field is in one and not in the other.
"""

from __future__ import annotations

import dataclasses
import functools
import operator
import types
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from quart_heure.outputs.map.data import PackedWalks, PageData, View

TYPES = Path(__file__).parents[1] / "src/coverage/quart_heure/outputs/map/script/types.js"

_HEAD = """\
/* What the data of the page hold, as outputs/map/data.py has it. Written by
   scripts/write_map_types.py, which is to be run again when that changes; not part of the page. */
"""

_PLAIN = {str: "string", int: "number", float: "number", bool: "boolean", type(None): "null"}


def script_types() -> str:
    """Return the types of all that the page's data hold, as the script's checker reads them."""
    found: dict[type, str] = {}
    _describe(PageData, found)
    _describe(PackedWalks, found)
    view = f"/** @typedef {{{_told(View)}}} View */\n"
    return "\n".join([_HEAD, *found.values(), view, "export {};\n"])


def _describe(record: type, found: dict[type, str]) -> None:
    """Add the type of a record behind those of the records that it holds."""
    hints = typing.get_type_hints(record)
    for hint in hints.values():
        for held in _records(hint):
            if held not in found:
                _describe(held, found)
    lines = [f"@typedef {{object}} {record.__name__}"]
    for field in dataclasses.fields(record):
        hint = hints[field.name]
        # Where it stands at its default it is left out of the page.
        optional = field.default is not dataclasses.MISSING
        if optional and field.default is None:
            known = (one for one in typing.get_args(hint) if one is not type(None))
            hint = functools.reduce(operator.or_, known)
        name = f"[{field.name}]" if optional else field.name
        lines.append(f"@property {{{_told(hint)}}} {name}")
    found[record] = "\n".join(["/**", *(f" * {line}" for line in lines), " */", ""])


def _records(hint: Any) -> Iterator[type]:
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        yield hint
    for argument in typing.get_args(hint):
        yield from _records(argument)


def _told(hint: Any) -> str:
    """Return a type as the script's checker reads it."""
    if hint in _PLAIN:
        return _PLAIN[hint]
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return hint.__name__
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is list:
        inner = _told(arguments[0])
        union = typing.get_origin(arguments[0]) in {typing.Union, types.UnionType}
        return f"({inner})[]" if union else f"{inner}[]"
    if origin is dict:
        return f"Record<{', '.join(map(_told, arguments))}>"
    if origin in {typing.Union, types.UnionType}:
        return " | ".join(map(_told, arguments))
    if origin is typing.Literal:
        return " | ".join(f'"{value}"' for value in arguments)
    msg = f"The script has no type for {hint}."
    raise TypeError(msg)


if __name__ == "__main__":
    TYPES.write_text(script_types(), encoding="utf-8")
    print(TYPES)
