"""The palette of the map: every colour that its script paints with, and what it stands for.

Colours of the page around the map are in its stylesheet. Steps of a ramp are told apart without
colour, and answers by a pattern where a colour alone would not do on paper.
"""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True, kw_only=True)
class Paint:
    """A fill, and the lines or dots over it, ``gap_px`` apart; nothing where there is neither."""

    fill: str = ""
    line: str = ""
    gap_px: int = 0
    dots: bool = False


@dataclasses.dataclass(frozen=True, kw_only=True)
class Paints:
    """How each answer is painted."""

    covered: Paint
    nearly_covered: Paint
    nearly_uncovered: Paint
    uncovered: Paint
    perhaps: Paint
    gained: Paint
    lost: Paint
    """What becomes covered, and what is no more, where something is supposed."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Inks:
    """Colours of what is written on the map."""

    street: str
    halo: str
    places: dict[str, str]
    """By kind of background; others are in the ink of the page."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Palette:
    """The colours of the map."""

    minutes: list[str]
    """From the nearest to the furthest."""
    beyond: list[str]
    """Beyond the threshold that is chosen, from the nearest to the furthest."""
    reached: list[str]
    """From one service within reach to all of them."""
    paints: Paints
    gap: str
    gap_line: str
    gap_hatch: str
    off_network: str
    paper: str
    outside: str
    scenery: dict[str, str]
    """By kind of background; others are as what lies outside."""
    street: str
    outline: str
    blank: str
    """Inside of hollow marks and around filled ones."""
    inks: Inks
    newly: Paint
    """What a proposal newly covers."""
    already: str
    """What is covered without it."""
    gains: list[str]
    """From what gains little if one opened there to what gains most."""
    proposed: str
    """Of proposed sites and links."""


_NEAREST, _COVERED, _NEXT, _FURTHEST = "#00594f", "#3b9184", "#84c3b5", "#c3e4da"
_BEYOND = "#fcebdb"
_DOUBT = "#1d6f63"

PALETTE = Palette(
    minutes=[_NEAREST, _COVERED, _NEXT, _FURTHEST],
    beyond=[_BEYOND, "#f1cfaa", "#e1b587", "#ce9f6d"],
    reached=["#d7ecd9", "#9fd3c0", "#5fb3a3", "#2a8577", _NEAREST],
    paints=Paints(
        covered=Paint(fill=_COVERED),
        nearly_covered=Paint(fill="#a9d8cc", line=_DOUBT, gap_px=7, dots=True),
        nearly_uncovered=Paint(fill="#f6d3b3", line="#a35a22", gap_px=7, dots=True),
        uncovered=Paint(fill=_BEYOND),
        perhaps=Paint(fill="#e3f2ec", line=_DOUBT, gap_px=7),
        gained=Paint(fill="#5b4fa8", line="#ffffff", gap_px=9, dots=True),
        lost=Paint(fill="#e08a1e", line="#5c2e00", gap_px=6),
    ),
    gap=_BEYOND,
    gap_line="#a33b00",
    gap_hatch="#a33b0070",
    off_network="#d5d3cd",
    paper="#fbfaf6",
    outside="#e9e7e1",
    scenery={"water": "#9db9cf", "park": "#dfe6cf", "rail": "#b9b4ac"},
    street="#ffffff",
    outline="#3d4652",
    blank="#ffffff",
    inks=Inks(
        street="#333b46",
        halo="rgba(255, 255, 255, 0.85)",
        places={"water": "#1f4e75", "park": "#44602a"},
    ),
    newly=Paint(fill="#b9a7d8", line="#54278f", gap_px=7),
    already=_FURTHEST,
    gains=["#f2f0f7", "#cbc9e2", "#9e9ac8", "#756bb1", "#54278f"],
    proposed="#54278f",
)


def shades(colours: list[str], n: int) -> list[str]:
    """Return so many colours of a ramp, the ends kept, others mixed in between.

    Examples
    --------
    >>> shades(["#000000", "#ffffff"], 3)
    ['#000000', '#808080', '#ffffff']
    """
    known = [bytes.fromhex(colour[1:]) for colour in colours]
    found = []
    for i in range(n):
        at = 0.0 if n == 1 else i * (len(known) - 1) / (n - 1)
        low = int(at)
        high = min(low + 1, len(known) - 1)
        pairs = zip(known[low], known[high], strict=True)
        # As the map's script rounds.
        mixed = bytes(int(a + (b - a) * (at - low) + 0.5) for a, b in pairs)
        found.append(f"#{mixed.hex()}")
    return found


def laid_over(colour: str, ground: str) -> str:
    """Return what a colour that lets some of its ground through looks like on it.

    Examples
    --------
    >>> laid_over("#00000080", "#ffffff"), laid_over("#123456", "#ffffff")
    ('#7f7f7f', '#123456')
    """
    *channels, alpha = (*bytes.fromhex(colour[1:]), 255)[:4]
    under = bytes.fromhex(ground[1:])
    pairs = zip(channels, under, strict=True)
    return f"#{bytes((a * alpha + b * (255 - alpha)) // 255 for a, b in pairs).hex()}"


GAP_HATCH = laid_over(PALETTE.gap_hatch, PALETTE.gap)
"""The lines over a gap that is filled."""
