"""The ground of a small map: for each pixel the cell under it, its colour and its pattern."""

from __future__ import annotations

import dataclasses
import functools
import itertools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from quart_heure.analysis.statuses import STATUSES

if TYPE_CHECKING:
    from quart_heure.study.coverage import Coverage


WIDTH_PX, HEIGHT_PX = 560, 520
"""Size of a picture: at 45 mm, about 300 dots an inch."""

_PAD = 0.06
"""Ground shown around the district, as a share of its width or height."""

_PAPER = (250, 249, 246)
CLASS_COLOURS: Mapping[str, tuple[tuple[int, int, int], tuple[int, int, int]]] = {
    "covered": ((186, 224, 211), (186, 224, 211)),
    "borderline": ((250, 240, 200), (138, 105, 20)),
    "uncovered": ((247, 217, 196), (196, 98, 45)),
    "off_network": ((226, 228, 230), (226, 228, 230)),
    "water": ((176, 202, 224), (176, 202, 224)),
}
"""Ground and pattern of each class of cells: dots where borderline, stripes where uncovered."""

_CLASS_OF_STATUS = {
    "covered": "covered",
    "borderline_covered": "borderline",
    "borderline_uncovered": "borderline",
    "uncovered": "uncovered",
    "off_network": "off_network",
    "water": "water",
}
_FADE = 0.72
"""How far colours fade to paper outside the district."""

_Pixels = NDArray[np.uint8]


@dataclasses.dataclass(frozen=True, eq=False)
class Frame:
    """The ground that a picture shows: west and north edge, metres per pixel, size in pixels."""

    west: float
    north: float
    metres: float
    width: int = WIDTH_PX
    height: int = HEIGHT_PX

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east and north in metres."""
        east = self.west + self.width * self.metres
        return self.west, self.north - self.height * self.metres, east, self.north

    @classmethod
    def around(
        cls,
        shape: shapely.Geometry,
        width_px: int = WIDTH_PX,
        height_px: int = HEIGHT_PX,
        *,
        pad: float = _PAD,
    ) -> Frame:
        """Fit the picture around a shape, with some of the ground about it."""
        west, south, east, north = shape.bounds
        width, height = (east - west) * (1 + 2 * pad), (north - south) * (1 + 2 * pad)
        metres = max(width / width_px, height / height_px)
        centre_x, centre_y = (west + east) / 2, (south + north) / 2
        return cls(
            centre_x - width_px * metres / 2,
            centre_y + height_px * metres / 2,
            metres,
            width_px,
            height_px,
        )


@dataclasses.dataclass(frozen=True, eq=False)
class Ground:
    """The pixels of a picture; shapes (height, width).

    Parameters
    ----------
    cell
        Position of the cell that each shows, that after the last where there is none.
    mine
        Whether it is of the district that the picture is about.
    """

    cell: NDArray[np.intp]
    mine: NDArray[np.bool_]

    @functools.cached_property
    def look(self) -> NDArray[np.uint8]:
        """Whether each pixel is on a dot, on a stripe, of the district: alike in all pictures."""
        return _patterns(*self.cell.shape) + self.mine.view(np.uint8)


@functools.lru_cache(maxsize=4)
def _patterns(height: int, width: int) -> NDArray[np.uint8]:
    """Return four for each pixel on a dot and two for each on a stripe, added up."""
    rows, cols = np.ogrid[:height, :width]
    dots = ((rows % 8 < 3) & (cols % 8 < 3)) | (((rows + 4) % 8 < 3) & ((cols + 4) % 8 < 3))
    stripes = (rows + cols) % 11 < 2
    return np.asarray(4 * dots + 2 * stripes, np.uint8)


class CellGrid:
    """The cells of a coverage, to be looked up for the pixels of a picture."""

    def __init__(self, coverage: Coverage) -> None:
        cells = coverage.cells
        self._cell_m = coverage.study.cell_m
        col, row = cells["col"].to_numpy(), cells["row"].to_numpy()
        self._first = int(col.min()), int(row.min())
        shape = (int(row.max()) - self._first[1] + 1, int(col.max()) - self._first[0] + 1)
        # The last position stands for "no cell".
        self._position = np.full(shape, len(cells), dtype=np.intp)
        self._position[row - self._first[1], col - self._first[0]] = np.arange(len(cells))
        number, names = pd.factorize(cells["district_id"].astype(str))
        self._number_of = {name: number for number, name in enumerate(names)}
        self._district = np.append(number, -1)
        self._statuses = {
            name.removeprefix("status_"): _class_codes(cells[name])
            for name in cells.columns
            if name.startswith("status_")
        }

    def window(self, frame: Frame, district_id: str | None) -> Ground:
        """Return what a picture shows, and which of it is the district's: all without one."""
        x = frame.west + (np.arange(frame.width) + 0.5) * frame.metres
        y = frame.north - (np.arange(frame.height) + 0.5) * frame.metres
        col = np.floor(x / self._cell_m).astype(int) - self._first[0]
        row = np.floor(y / self._cell_m).astype(int) - self._first[1]
        rows, cols = self._position.shape
        found = self._position[np.clip(row, 0, rows - 1)[:, None], np.clip(col, 0, cols - 1)]
        nowhere = len(self._district) - 1
        found[(row < 0) | (row >= rows)] = nowhere
        found[:, (col < 0) | (col >= cols)] = nowhere
        if district_id is None:
            return Ground(found, found < nowhere)
        number = self._number_of.get(district_id, len(self._number_of))
        return Ground(found, self._district.take(found) == number)

    def colours(self, category: str, ground: Ground) -> _Pixels:
        """Return the colour of each pixel by class, pattern, and whether the cell is outside.

        Red, green, blue and 255; shape (height, width, 4).
        """
        codes = self._statuses[category].take(ground.cell)
        look = codes * np.uint8(_LOOKS) + ground.look
        # Four bytes at a time.
        return _COLOUR_OF_LOOK.take(look)[..., None].view(np.uint8)


def _class_codes(statuses: Any) -> NDArray[np.uint8]:
    """Return the position of each cell's class in `CLASS_COLOURS`, that of no cell last."""
    classes = list(CLASS_COLOURS)
    of_status = np.array([classes.index(_CLASS_OF_STATUS[status]) for status in STATUSES])
    codes = statuses.cat.set_categories(list(STATUSES)).cat.codes.to_numpy()
    return np.append(of_status[codes], len(classes)).astype(np.uint8)


def _colour_table() -> _Pixels:
    """Return colours by class, mark (ground, mark) and place (outside, inside)."""
    inside = np.array([*CLASS_COLOURS.values(), (_PAPER, _PAPER)], dtype=float)
    paper = np.array(_PAPER, dtype=float)
    outside = np.repeat(inside[:, :1], 2, axis=1) * (1 - _FADE) + paper * _FADE
    colours = np.stack([outside, inside], axis=2).round()
    return np.insert(colours, 3, 255, axis=-1).astype(np.uint8)


COLOUR_OF = _colour_table()

_LOOKS = 8
"""Of the pixels of a class: on a dot or not, on a stripe or not, of the district or not."""


def _colours_by_look() -> NDArray[np.uint32]:
    """Return the colour of each class and look: dots mark what is borderline, stripes gaps."""
    found = np.empty((len(COLOUR_OF), 2, 2, 2, 4), dtype=np.uint8)
    for place, name in enumerate([*CLASS_COLOURS, ""]):
        for dot, stripe in itertools.product((0, 1), repeat=2):
            mark = {"borderline": dot, "uncovered": stripe}.get(name, 0)
            found[place, dot, stripe] = COLOUR_OF[place, mark]
    return found.view(np.uint32).ravel()


_COLOUR_OF_LOOK = _colours_by_look()
