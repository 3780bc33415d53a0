"""Drawing on a small map: lines, areas, a scale, and the picture as PNG of few colours.

Things lie one over the other in the order in which they are given to a `Sheet`.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from quart_heure.outputs.dossier.cells import COLOUR_OF, HEIGHT_PX, WIDTH_PX, Frame

INK = "#1c2430"
GAP_INK = "#6b2400"
STREET = "#8b929a"
_WATER = "#a9c6dd"

_DPI = 200


def new_figure(width_px: int = WIDTH_PX, height_px: int = HEIGHT_PX) -> Any:
    """Return an empty figure of the size of a picture."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - heavy, and only pictures need it

    return Figure(figsize=(width_px / _DPI, height_px / _DPI), dpi=_DPI)


def draw_areas(axes: Any, shapes: NDArray[np.object_]) -> Any:
    """Draw water."""
    from matplotlib.collections import PathCollection  # noqa: PLC0415
    from matplotlib.path import Path  # noqa: PLC0415

    parts = shapely.get_parts(shapes)
    parts = parts[shapely.get_dimensions(parts) == 2]
    paths = [
        Path.make_compound_path(
            *(Path(shapely.get_coordinates(ring), closed=True) for ring in shapely.get_rings(part))
        )
        for part in parts
    ]
    water = PathCollection(paths, facecolor=_WATER, edgecolor="none")
    return axes.add_collection(water, autolim=False)


def draw_lines(axes: Any, rings: Iterable[shapely.Geometry], *, colour: str, width: float) -> Any:
    """Draw lines and rings."""
    paths = [shapely.get_coordinates(ring) for ring in rings]
    return draw_paths(axes, paths, colour=colour, width=width)


def draw_paths(
    axes: Any, paths: Sequence[NDArray[np.float64]], *, colour: str, width: float
) -> Any:
    """Draw lines given by their vertices, as one path: thousands take thousands of objects."""
    from matplotlib.patches import PathPatch  # noqa: PLC0415
    from matplotlib.path import Path  # noqa: PLC0415

    sizes = [len(path) for path in paths]
    codes = np.full(sum(sizes), Path.LINETO, dtype=Path.code_type)
    codes[np.cumsum([0, *sizes])[:-1][np.array(sizes, dtype=bool)]] = Path.MOVETO
    drawn = Path(np.concatenate([np.empty((0, 2)), *paths]), codes)
    line = PathPatch(
        drawn, fill=False, edgecolor=colour, linewidth=width, capstyle="round", joinstyle="round"
    )
    # As a patch it would be measured, all of it, for limits that are known.
    line.set_transform(axes.transData)
    return axes.add_artist(line)


def draw_scale(axes: Any, frame: Frame) -> list[Any]:
    """Draw a bar of a round length at the lower left."""
    west, south, _, _ = frame.bounds
    step = frame.metres
    room = frame.width * step / 4
    length = max(m for m in (50, 100, 200, 500, 1000, 2000, 5000, 10_000) if m <= max(room, 50))
    x, y = west + 14 * step, south + 16 * step
    bar = np.array([[x, y + 6 * step], [x, y], [x + length, y], [x + length, y + 6 * step]])
    text = f"{length // 1000} km" if length >= 1000 else f"{length} m"
    box = {"boxstyle": "square,pad=0.12", "facecolor": "white", "edgecolor": "none", "alpha": 0.8}
    return [
        draw_paths(axes, [bar], colour="white", width=2.6),
        draw_paths(axes, [bar], colour=INK, width=1.0),
        axes.text(
            x + length + 8 * step, y + 2 * step, text, fontsize=5.5, va="center", color=INK,
            family="DejaVu Sans", bbox=box,
        ),
    ]  # fmt: skip


class Sheet:
    """A window of which many pictures are drawn; what they share is drawn once.

    Parameters
    ----------
    figure
        A figure of the size of the pictures.
    under, over
        What lies under the lines of each picture, and over them: drawn on glass, from the first to
        the last, and laid on.
    last
        What is drawn over all.
    """

    def __init__(
        self, figure: Any, *, under: Sequence[Any], over: Sequence[Any], last: Sequence[Any]
    ) -> None:
        from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415
        from PIL import Image  # noqa: PLC0415 - comes with matplotlib

        canvas = FigureCanvasAgg(figure)
        self._renderer: Any = canvas.get_renderer()  # type: ignore[no-untyped-call]
        self._pixels: NDArray[np.uint8] = np.asarray(self._renderer.buffer_rgba())
        glass = []
        for artists in (under, over):
            self._renderer.clear()
            self._draw(artists)
            glass.append(Image.fromarray(self._pixels.copy()))
        self._under, self._over = glass
        self._last = last

    def _draw(self, artists: Iterable[Any]) -> None:
        for artist in artists:
            artist.draw(self._renderer)

    def _lay_on(self, glass: Any) -> None:
        from PIL import Image  # noqa: PLC0415

        laid = Image.alpha_composite(Image.fromarray(self._pixels), glass)
        self._pixels[...] = np.asarray(laid)

    def png(
        self,
        ground: NDArray[np.uint8],
        *,
        lines: Sequence[Any] = (),
        marks: Sequence[Any] = (),
        colours: Any = None,
    ) -> bytes:
        """Return a picture as PNG of few colours: those of a palette, or its own.

        Parameters
        ----------
        ground
            Red, green, blue and 255 of each pixel; shape (height, width, 4).
        lines, marks
            What is drawn on it, under and over what all pictures have over their lines; it is
            taken off the figure again.
        colours
            See `palette`.
        """
        from PIL import Image  # noqa: PLC0415

        self._pixels[...] = ground
        self._lay_on(self._under)
        self._draw(lines)
        self._lay_on(self._over)
        self._draw([*marks, *self._last])
        for artist in (*lines, *marks):
            artist.remove()
        image, undithered = Image.fromarray(self._pixels[..., :3]), Image.Dither.NONE
        few = image.quantize(64 if colours is None else 256, palette=colours, dither=undithered)
        file = io.BytesIO()
        few.save(file, format="PNG", compress_level=7)
        return file.getvalue()


def palette() -> Any:
    """Return a picture that holds the colours of all pictures, so that one means one everywhere.

    They are those drawn and some steps between them, for the edges of lines and letters.
    """
    from PIL import Image  # noqa: PLC0415

    grounds = [tuple(colour) for colour in COLOUR_OF[..., :3].reshape(-1, 3).tolist()]
    white, ink, gap, street = (_rgb(c) for c in ("#ffffff", INK, GAP_INK, STREET))
    colours = [*grounds, white, ink, gap, street, _rgb(_WATER)]
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
