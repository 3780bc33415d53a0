"""A small map laid from sheets: ground, what all pictures of a window share, lines and marks.

Things lie one over the other in the order in which they are given to a `Sheet`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from quart_heure.outputs.dossier.canvas import INK, WHITE, Canvas, path_of
from quart_heure.outputs.dossier.cells import COLOUR_OF

GAP_INK = "#6b2400"
STREET = "#8b929a"
WATER = "#a9c6dd"


class Mark(Protocol):
    """What stands on a map."""

    def draw(self, canvas: Canvas) -> None:
        """Draw it."""


@dataclasses.dataclass(frozen=True, eq=False)
class Dots:
    """Places, as dots of ink: size in square points, white edge in points."""

    xy: NDArray[np.float64]
    size: float
    edge: float

    def draw(self, canvas: Canvas) -> None:
        """Draw them."""
        canvas.dots(self.xy, size=self.size, edge=self.edge)


@dataclasses.dataclass(frozen=True)
class Number:
    """The number of a gap, in a circle."""

    x: float
    y: float
    number: int

    def draw(self, canvas: Canvas) -> None:
        """Draw it."""
        canvas.number(self.x, self.y, str(self.number), colour=GAP_INK, size=7.5, pad=0.18)


class _Scale:
    """A bar of a round length at the lower left."""

    def __init__(self, canvas: Canvas) -> None:
        frame = canvas.frame
        west, south, _, _ = frame.bounds
        step = frame.metres
        room = frame.width * step / 4
        lengths = (50, 100, 200, 500, 1000, 2000, 5000, 10_000)
        length = max(m for m in lengths if m <= max(room, 50))
        x, y = west + 14 * step, south + 16 * step
        self._bar = path_of(
            [np.array([[x, y + 6 * step], [x, y], [x + length, y], [x + length, y + 6 * step]])]
        )
        self._end = x + length + 8 * step, y + 2 * step
        self._length = f"{length // 1000} km" if length >= 1000 else f"{length} m"

    def draw(self, canvas: Canvas) -> None:
        """Draw it."""
        canvas.line(self._bar, colour=WHITE, width=2.6)
        canvas.line(self._bar, colour=INK, width=1.0)
        canvas.words(*self._end, self._length, size=5.5, pad=0.12)


class _Glass:
    """What is drawn on a canvas, to be laid on others: most of it is clear."""

    def __init__(self, canvas: Canvas, draw: Callable[[Canvas], None]) -> None:
        canvas.wipe()
        draw(canvas)
        whole = _whole(canvas.pixels)
        self._at = np.flatnonzero(canvas.pixels[..., 3])
        self._drawn = whole[self._at]

    def lay_on(self, pixels: NDArray[np.uint8]) -> None:
        from PIL import Image  # noqa: PLC0415 - comes with matplotlib

        if len(self._at):
            whole = _whole(pixels)
            laid = Image.alpha_composite(_strip(whole[self._at]), _strip(self._drawn))
            whole[self._at] = np.frombuffer(laid.tobytes(), np.uint32)


def _whole(pixels: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """Return the four bytes of each pixel as one number, all in a row."""
    return pixels.view(np.uint32).reshape(-1)


def _strip(whole: NDArray[np.uint32]) -> Any:
    """Return pixels as a picture of one row."""
    from PIL import Image  # noqa: PLC0415

    return Image.frombuffer("RGBA", (len(whole), 1), whole, "raw", "RGBA", 0, 1)


class Sheet:
    """A window of which many pictures are drawn; what they share is drawn once.

    Parameters
    ----------
    canvas
        Where each is drawn in its turn.
    under, over
        Draw what lies under the lines of each picture, and over them: on glass that is laid on.
    """

    def __init__(
        self,
        canvas: Canvas,
        *,
        under: Callable[[Canvas], None],
        over: Callable[[Canvas], None],
    ) -> None:
        self._canvas = canvas
        self._under, self._over = _Glass(canvas, under), _Glass(canvas, over)
        self._scale = _Scale(canvas)

    def picture(
        self,
        ground: NDArray[np.uint8],
        *,
        lines: Sequence[NDArray[np.float64]] = (),
        marks: Sequence[Mark] = (),
    ) -> Any:
        """Draw a picture.

        Parameters
        ----------
        ground
            Red, green, blue and 255 of each pixel; shape (height, width, 4).
        lines, marks
            What is drawn on it, under and over what all pictures have over their lines.

        Returns
        -------
        PIL.Image.Image
            In red, green and blue.
        """
        from PIL import Image  # noqa: PLC0415

        canvas = self._canvas
        canvas.pixels[...] = ground
        self._under.lay_on(canvas.pixels)
        if lines:
            canvas.line(path_of(lines), colour=GAP_INK, width=1.2)
        self._over.lay_on(canvas.pixels)
        for mark in (*marks, self._scale):
            mark.draw(canvas)
        # A copy: the next picture is drawn on the same pixels.
        return Image.frombytes("RGB", canvas.size, canvas.pixels, "raw", "RGBX")


def palette() -> Any:
    """Return a picture that holds the colours of all pictures, so that one means one everywhere.

    They are those drawn and some steps between them, for the edges of lines and letters.
    """
    from PIL import Image  # noqa: PLC0415

    grounds = [tuple(colour) for colour in COLOUR_OF[..., :3].reshape(-1, 3).tolist()]
    white, ink, gap, street = (_rgb(c) for c in (WHITE, INK, GAP_INK, STREET))
    colours = [*grounds, white, ink, gap, street, _rgb(WATER)]
    blends = [(white, ink), (white, gap), (white, street)]
    blends += [(ground, line) for ground in grounds for line in (ink, street, gap, white)]
    for a, b in blends:
        for share in (0.35, 0.7) if a != white else (0.2, 0.4, 0.6, 0.8):
            colours.append(tuple(round(x + (y - x) * share) for x, y in zip(a, b, strict=True)))
    unique = list(dict.fromkeys(colours))[:256]
    holder = Image.new("P", (1, 1))
    holder.putpalette([value for colour in unique for value in colour])
    return holder


def _rgb(colour: str) -> tuple[int, ...]:
    return tuple(bytes.fromhex(colour[1:]))
