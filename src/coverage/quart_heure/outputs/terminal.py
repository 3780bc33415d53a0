"""The terminal: text of a given width, with colours or without, as rich draws it."""

from __future__ import annotations

import io
from collections.abc import Iterable

from rich import box
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from quart_heure.steering import harmless

# Rich breaks lines at spaces that must not be broken: something else stands for them meanwhile.
_HELD = str.maketrans("\u00a0\u202f", "\ue000\ue001")
_FREE = str.maketrans("\ue000\ue001", "\u00a0\u202f")


def held(text: str) -> str:
    """Return a text whose unbreakable spaces `drawn` keeps from being broken."""
    return text.translate(_HELD)


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
    text = harmless(screen.getvalue(), colour=colour).translate(_FREE)
    # Rich pads lines to the full width, which wraps when the text is shown elsewhere.
    return "\n".join(line.rstrip() for line in text.splitlines()) + "\n"


def titled(title: str, *parts: RenderableType) -> RenderableType:
    """Put a title above parts, and a line of room above it."""
    return Group(Text(f"\n{title}", style="bold"), *parts)


def bare_table() -> Table:
    """Return a table without columns and without lines but one below its headings."""
    return Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0), pad_edge=False)
