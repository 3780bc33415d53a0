"""The terminal: text of a given width, with colours or without, as rich draws it."""

from __future__ import annotations

import io
from collections.abc import Iterable

from rich.console import Console, RenderableType

__all__ = ["drawn"]


def drawn(parts: Iterable[RenderableType], *, width: int, colour: bool = False) -> str:
    """Draw parts below one another; lines end where their text ends."""
    screen = io.StringIO()
    console = Console(
        file=screen,
        width=width,
        force_terminal=colour,
        force_jupyter=False,
        color_system="standard" if colour else None,
        highlight=False,
        emoji=False,
        markup=False,
    )
    for part in parts:
        console.print(part)
    # Rich pads lines to the full width, which wraps when the text is shown elsewhere.
    return "\n".join(line.rstrip() for line in screen.getvalue().splitlines()) + "\n"
