"""Signs that steer a terminal or turn the reading of a line: texts of others are shown without."""

from __future__ import annotations

import re

STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Control signs but tabs and ends of lines, and marks of direction."""

_COLOUR = re.compile(r"(\x1b\[[0-9;]*m)")


def harmless(text: str, *, colour: bool = False) -> str:
    r"""Return a text without signs that steer a terminal, with colours where they are our own.

    Examples
    --------
    >>> harmless("A\x1b[2J\u202eB\n")
    'A[2JB\n'
    """
    if not colour:
        return STEERING.sub("", text)
    kept = _COLOUR.split(text)
    return "".join(part if at % 2 else STEERING.sub("", part) for at, part in enumerate(kept))


def escaped_json(text: str) -> str:
    r"""Return JSON whose signs that steer are written as ``\u202e``, so that none is lost."""
    return STEERING.sub(lambda sign: f"\\u{ord(sign[0]):04x}", text)
