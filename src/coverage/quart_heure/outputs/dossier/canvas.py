"""Pixels, and what is drawn on them in metres: lines, areas, dots and words.

matplotlib's renderer is asked for each alone. Its figures and axes are made for charts: on maps as
small as these, laying them out takes longer than drawing.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from quart_heure.outputs.dossier.cells import Frame

INK = "#1c2430"
WHITE = "#ffffff"

_DPI = 200
_FAMILY = "DejaVu Sans"
"""Comes with matplotlib, so that pictures are alike everywhere."""

_ASCENT, _DESCENT = 1556 / 2048, 492 / 2048
"""How far its letters go above and below the line, in ems: what the font says."""


class Canvas:
    """The pixels of a picture, and where they are.

    Parameters
    ----------
    frame
        The ground that they show.
    """

    def __init__(self, frame: Frame) -> None:
        # Heavy, and only pictures need it.
        from matplotlib.backends.backend_agg import RendererAgg  # noqa: PLC0415

        agg: Any = RendererAgg
        self._agg = agg(frame.width, frame.height, _DPI)
        self._fonts: dict[tuple[float, str], _Font] = {}
        self.pixels: NDArray[np.uint8] = np.asarray(self._agg.buffer_rgba())
        """Red, green, blue and opacity; shape (height, width, 4)."""
        self.show(frame)

    def show(self, frame: Frame) -> None:
        """Show other ground, of as many pixels, and wipe what is drawn."""
        from matplotlib.transforms import (  # noqa: PLC0415
            Bbox,
            BboxTransformFrom,
            BboxTransformTo,
        )

        self._agg.clear()
        self.frame = frame
        metres, pixels = Bbox.from_extents(*frame.bounds), Bbox.from_bounds(0, 0, *self.size)
        self._to_pixels: Any = BboxTransformFrom(metres) + BboxTransformTo(pixels)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.frame.width, self.frame.height

    def wipe(self) -> None:
        """Make all pixels clear."""
        self._agg.clear()

    def line(self, path: Any, *, colour: str, width: float) -> None:
        """Draw a path (see `path_of`) with round ends and corners; width in points."""
        pen = self._pen(colour, width)
        pen.set_capstyle("round")
        self._agg.draw_path(pen, path, self._to_pixels)

    def areas(self, shapes: Iterable[shapely.Geometry], *, colour: str) -> None:
        """Fill polygons, one after the other."""
        from matplotlib.path import Path  # noqa: PLC0415

        parts = shapely.get_parts(np.asarray(shapes, dtype=object))
        rings, part = shapely.get_rings(
            parts[shapely.get_dimensions(parts) == 2], return_index=True
        )
        xy, ring = shapely.get_coordinates(rings, return_index=True)
        codes = _codes(np.bincount(ring), closed=True)
        ends = np.flatnonzero(np.diff(part[ring], append=-1)) + 1
        pen, fill = self._pen(colour, 0), _rgba(colour)
        for start, end in itertools.pairwise([0, *ends.tolist()]):
            path = Path(xy[start:end], codes[start:end])
            self._agg.draw_path(pen, path, self._to_pixels, fill)

    def dots(self, xy: NDArray[np.float64], *, size: float, edge: float) -> None:
        """Draw dots of ink with a white edge; their size in square points, the edge in points."""
        from matplotlib.path import Path  # noqa: PLC0415
        from matplotlib.transforms import Affine2D  # noqa: PLC0415

        if len(xy):
            # Half, of a circle of radius one.
            scale = math.sqrt(size) * _DPI / 72
            pen, circle = self._pen(WHITE, edge), Affine2D().scale(0.5).scale(scale)
            self._agg.draw_markers(
                pen, Path.unit_circle(), circle, Path(xy), self._to_pixels, _rgba(INK)
            )

    def number(
        self, x: float, y: float, text: str, *, colour: str, size: float, pad: float
    ) -> None:
        """Write bold text in a white circle around a place; pad as a share of the size."""
        from matplotlib.path import Path  # noqa: PLC0415
        from matplotlib.transforms import Affine2D  # noqa: PLC0415

        font = self._font(size, "bold")
        width, ascent, descent = font.measure(text)
        left, low = self._to_pixels.transform((x, y)) - (width / 2, (ascent + descent) / 2)
        across = max(width, ascent + descent) + 2 * pad * size * _DPI / 72
        circle = Path.circle((width / 2, (ascent + descent) / 2), across / 2)
        pen = self._pen(colour, 1.0)
        pen.set_joinstyle("miter")
        self._agg.draw_path(pen, circle, Affine2D().translate(left, low), _rgba(WHITE))
        self._write(left, low + descent, text, font, colour)

    def words(self, x: float, y: float, text: str, *, size: float, pad: float) -> None:
        """Write text to the right of a place, on paper that lets the ground through a little."""
        from matplotlib.transforms import Affine2D  # noqa: PLC0415

        font = self._font(size, "normal")
        width, ascent, descent = font.measure(text)
        left, middle = self._to_pixels.transform((x, y))
        low = middle - (ascent + descent) / 2
        more = pad * size * _DPI / 72
        east, north = width + more, ascent + descent + more
        corners = [(-more, -more), (east, -more), (east, north), (-more, north), (-more, -more)]
        paper = path_of([np.array(corners)], closed=True)
        fill = (*_rgba(WHITE)[:3], 0.8)
        self._agg.draw_path(self._pen(WHITE, 0), paper, Affine2D().translate(left, low), fill)
        self._write(left, low + descent, text, font, INK)

    def _write(self, left: float, baseline: float, text: str, font: _Font, colour: str) -> None:
        # Text is placed from the top.
        top = self.frame.height - baseline
        self._agg.draw_text(self._pen(colour, 1), left, top, text, font.properties, 0.0)

    def _font(self, size: float, weight: str) -> _Font:
        if (size, weight) not in self._fonts:
            self._fonts[size, weight] = _Font(self._agg, size, weight)
        return self._fonts[size, weight]

    def _pen(self, colour: str, width: float) -> Any:
        pen = self._agg.new_gc()
        pen.set_foreground(_rgba(colour), isRGBA=True)
        pen.set_linewidth(width)
        return pen


class _Font:
    """A font of one size, in pixels."""

    def __init__(self, agg: Any, size: float, weight: str) -> None:
        from matplotlib.font_manager import FontProperties  # noqa: PLC0415

        self.properties = FontProperties(family=_FAMILY, size=size, weight=weight)
        self._agg = agg
        self._measured: dict[str, tuple[float, float, float]] = {}
        em = size * _DPI / 72
        # All texts stand as high, whatever letters are in them.
        self._ascent, self._descent = _ASCENT * em, _DESCENT * em

    def measure(self, text: str) -> tuple[float, float, float]:
        """Return width, ascent and descent of a text."""
        if text not in self._measured:
            width, height, descent = self._agg.get_text_width_height_descent(
                text, self.properties, ismath=False
            )
            self._measured[text] = (
                width,
                max(height - descent, self._ascent),
                max(descent, self._descent),
            )
        return self._measured[text]


def path_of(lines: Sequence[NDArray[np.float64]], *, closed: bool = False) -> Any:
    """Join lines given by their vertices into one path: thousands take thousands of objects."""
    sizes = np.array([len(line) for line in lines], dtype=np.intp)
    return path_of_runs(np.concatenate([np.empty((0, 2)), *lines]), sizes, closed=closed)


def path_of_runs(xy: NDArray[np.float64], sizes: NDArray[np.intp], *, closed: bool = False) -> Any:
    """Return one path of lines whose vertices stand one after the other, so many of each."""
    from matplotlib.path import Path  # noqa: PLC0415

    return Path(xy, _codes(sizes, closed=closed))


def _codes(sizes: NDArray[np.intp], *, closed: bool) -> NDArray[np.uint8]:
    """Return what is to be done at each vertex: begin a line, go on, close it."""
    from matplotlib.path import Path  # noqa: PLC0415

    sizes = sizes[sizes > 0]
    ends = np.cumsum(sizes)
    codes = np.full(sizes.sum(), Path.LINETO, dtype=np.uint8)
    codes[ends - sizes] = Path.MOVETO
    if closed:
        codes[ends - 1] = Path.CLOSEPOLY
    return codes


def _rgba(colour: str) -> tuple[float, float, float, float]:
    red, green, blue = (part / 255 for part in bytes.fromhex(colour[1:]))
    return red, green, blue, 1.0
