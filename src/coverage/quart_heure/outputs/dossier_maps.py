"""Small maps of a district, one per category: pictures that survive black-and-white print.

A picture is laid out as an array of cells looked up for each pixel, with patterns that tell the
statuses apart without colour; streets, outlines, services and numbers are drawn over it. What does
not depend on the district or on the category is prepared once, and one figure serves them all.

A picture is a PNG of few colours: the same drawing as SVG takes four times the bytes.
"""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from numpy.typing import NDArray

from quart_heure.analysis.indicators import STATUSES
from quart_heure.outputs.map_shapes import inner_points, round_corners

if TYPE_CHECKING:
    import geopandas as gpd

    from quart_heure.network.graph import WalkNetwork
    from quart_heure.study import Coverage

__all__ = ["CLASS_COLOURS", "HEIGHT_PX", "WIDTH_PX", "DistrictMaps", "MapMaker"]

WIDTH_PX, HEIGHT_PX = 560, 520
"""Size of a picture: at 45 mm, about 300 dots an inch."""

_DPI = 200
_PAD = 0.06
"""Ground shown around the district, as a share of its width or height."""

_MAIN_KINDS = ("trunk", "primary", "secondary", "tertiary")
_WIDE_KINDS = ("trunk", "primary")
_WATER_SIMPLER_M = 4.0
_GAP_SIMPLER_M = 20.0

_INK = "#1c2430"
_GAP_INK = "#6b2400"
_WATER = "#a9c6dd"
_STREET = "#8b929a"
_PAPER = (250, 249, 246)
CLASS_COLOURS: Mapping[str, tuple[tuple[int, int, int], tuple[int, int, int]]] = {
    "covered": ((186, 224, 211), (186, 224, 211)),
    "borderline": ((250, 240, 200), (138, 105, 20)),
    "uncovered": ((247, 217, 196), (196, 98, 45)),
    "off_network": ((226, 228, 230), (226, 228, 230)),
}
"""Ground and pattern of each class of cells: dots where borderline, stripes where uncovered."""

_CLASS_OF_STATUS = {
    "covered": "covered",
    "borderline_covered": "borderline",
    "borderline_uncovered": "borderline",
    "uncovered": "uncovered",
    "off_network": "off_network",
}
_FADE = 0.72
"""How far colours fade to paper outside the district."""

_Pixels = NDArray[np.uint8]


@dataclasses.dataclass(frozen=True, eq=False)
class _Frame:
    """The ground that a picture shows: west and north edge, and metres per pixel."""

    west: float
    north: float
    metres: float

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east and north in metres."""
        east = self.west + WIDTH_PX * self.metres
        return self.west, self.north - HEIGHT_PX * self.metres, east, self.north

    @classmethod
    def around(cls, shape: shapely.Geometry) -> _Frame:
        """Fit the picture around a shape."""
        west, south, east, north = shape.bounds
        width, height = (east - west) * (1 + 2 * _PAD), (north - south) * (1 + 2 * _PAD)
        metres = max(width / WIDTH_PX, height / HEIGHT_PX)
        centre_x, centre_y = (west + east) / 2, (south + north) / 2
        return cls(centre_x - WIDTH_PX * metres / 2, centre_y + HEIGHT_PX * metres / 2, metres)


class MapMaker:
    """Draws the small maps of a coverage.

    Parameters
    ----------
    coverage
        A published coverage.
    background
        Columns kind and geometry in the CRS of the study; its water is drawn.
    """

    def __init__(self, coverage: Coverage, background: gpd.GeoDataFrame | None) -> None:
        from matplotlib.figure import Figure  # noqa: PLC0415 - heavy, and only pictures need it

        self._coverage = coverage
        self._cells = _CellGrid(coverage)
        self._streets = _Streets(coverage.study.network)
        self._water = _water(background)
        districts = coverage.study.area.districts
        self._districts = dict(zip(districts["district_id"], districts.geometry, strict=True))
        gaps = coverage.gaps
        outlines = round_corners(gaps.geometry.to_numpy(), coverage.study.cell_m)
        self._gaps = dict(zip(gaps["gap_id"], outlines, strict=True))
        self._simple_gaps = dict(
            zip(
                gaps["gap_id"],
                shapely.simplify(gaps.geometry.to_numpy(), _GAP_SIMPLER_M),
                strict=True,
            )
        )
        self._palette = _palette()
        self._figure = Figure(figsize=(WIDTH_PX / _DPI, HEIGHT_PX / _DPI), dpi=_DPI)

    def district(self, district_id: str) -> DistrictMaps:
        """Prepare the pictures of a district."""
        shape = self._districts[district_id]
        frame = _Frame.around(shape)
        west, south, east, north = frame.bounds
        self._figure.clear()
        axes = self._figure.add_axes((0, 0, 1, 1), xlim=(west, east), ylim=(south, north))
        axes.set_axis_off()
        window = shapely.box(*frame.bounds)
        _draw_areas(axes, shapely.intersection(self._water, window))
        self._streets.draw(axes, frame)
        _draw_lines(axes, shapely.get_rings(shapely.get_parts(shape)), colour="white", width=2.6)
        _draw_lines(axes, shapely.get_rings(shapely.get_parts(shape)), colour=_INK, width=1.3)
        _draw_scale(axes, frame)
        return DistrictMaps(
            figure=self._figure,
            axes=axes,
            frame=frame,
            shape=shape,
            ground=self._cells.window(frame, district_id),
            cells=self._cells,
            gaps=self._gaps,
            simple_gaps=self._simple_gaps,
            services=self._coverage.services,
            palette=self._palette,
        )


@dataclasses.dataclass(frozen=True, eq=False)
class DistrictMaps:
    """The pictures of one district; see `MapMaker.district`."""

    figure: Any
    axes: Any
    frame: _Frame
    shape: shapely.Geometry
    ground: tuple[NDArray[np.int32], NDArray[np.bool_]]
    cells: _CellGrid
    gaps: Mapping[str, shapely.Geometry]
    simple_gaps: Mapping[str, shapely.Geometry]
    services: gpd.GeoDataFrame
    palette: Any

    def draw(self, category: str, numbered: Mapping[str, int]) -> bytes:
        """Draw the picture of a category as PNG.

        Parameters
        ----------
        category
            A category of the study.
        numbered
            The number of each of its gaps that touch the district, by id.
        """
        image = self.figure.figimage(self.cells.colours(category, *self.ground), zorder=-1)
        drawn = [image]
        outlines = shapely.boundary([self.gaps[gap_id] for gap_id in numbered])
        lines = shapely.get_parts(shapely.intersection(outlines, self.shape))
        lines = lines[shapely.get_dimensions(lines) == 1]
        drawn += [_draw_lines(self.axes, lines, colour=_GAP_INK, width=1.2, order=2.5)]
        drawn += self._draw_services(category)
        drawn += self._draw_numbers(numbered)
        try:
            return _png(self.figure, self.palette)
        finally:
            for each in drawn:
                each.remove()

    def _draw_services(self, category: str) -> list[Any]:
        rows = self.services
        shown = rows[rows["counted"] & (rows["category"] == category)]
        xy = shapely.get_coordinates(shown.geometry.to_numpy())
        style = {"marker": "o", "facecolor": _INK, "edgecolor": "white", "zorder": 6}
        return [self.axes.scatter(xy[:, 0], xy[:, 1], s=34, linewidth=1.2, **style)]

    def _draw_numbers(self, numbered: Mapping[str, int]) -> list[Any]:
        """Write the number of each gap in the broadest part that the district has of it."""
        parts = [shapely.intersection(self.simple_gaps[gap], self.shape) for gap in numbered]
        drawn = []
        for number, part in zip(numbered.values(), parts, strict=True):
            pieces = shapely.get_parts(part)
            pieces = pieces[shapely.get_dimensions(pieces) == 2]
            if len(pieces) == 0:  # lost by simplifying: the number stands at its edge
                x, y = shapely.get_coordinates(part.centroid)[0] if not part.is_empty else (0, 0)
            else:
                x, y = inner_points(pieces[[int(np.argmax(shapely.area(pieces)))]])[0]
            style = {"boxstyle": "circle,pad=0.18", "facecolor": "white", "edgecolor": _GAP_INK}
            drawn.append(
                self.axes.text(
                    x, y, str(number), ha="center", va="center", color=_GAP_INK, zorder=7,
                    fontsize=7.5, fontweight="bold", family="DejaVu Sans",
                    bbox={**style, "linewidth": 1.0},
                )
            )  # fmt: skip
        return drawn


class _CellGrid:
    """The cells of a coverage, to be looked up for the pixels of a picture."""

    def __init__(self, coverage: Coverage) -> None:
        cells = coverage.cells
        self._cell_m = coverage.study.cell_m
        col, row = cells["col"].to_numpy(), cells["row"].to_numpy()
        self._first = int(col.min()), int(row.min())
        shape = (int(row.max()) - self._first[1] + 1, int(col.max()) - self._first[0] + 1)
        # The last position stands for "no cell".
        self._position = np.full(shape, len(cells), dtype=np.int32)
        self._position[row - self._first[1], col - self._first[0]] = np.arange(len(cells))
        self._district = cells["district_id"].astype(str).to_numpy()
        self._marks = _marks()
        self._statuses = {
            name.removeprefix("status_"): _class_codes(cells[name])
            for name in cells.columns
            if name.startswith("status_")
        }

    def window(self, frame: _Frame, district_id: str) -> tuple[NDArray[np.int32], Any]:
        """Return the cell at each pixel, and whether it is the district's; (height, width)."""
        x = frame.west + (np.arange(WIDTH_PX) + 0.5) * frame.metres
        y = frame.north - (np.arange(HEIGHT_PX) + 0.5) * frame.metres
        col = np.floor(x / self._cell_m).astype(int) - self._first[0]
        row = np.floor(y / self._cell_m).astype(int) - self._first[1]
        rows, cols = self._position.shape
        found = self._position[np.clip(row, 0, rows - 1)[:, None], np.clip(col, 0, cols - 1)]
        nowhere = len(self._district)
        found[(row < 0) | (row >= rows)] = nowhere
        found[:, (col < 0) | (col >= cols)] = nowhere
        mine = np.append(self._district == district_id, False)
        return found, mine[found]

    def colours(
        self, category: str, position: NDArray[np.int32], mine: NDArray[np.bool_]
    ) -> _Pixels:
        """Return the colour of each pixel: class, pattern, and whether the cell is outside."""
        codes = self._statuses[category][position]
        marked = self._marks[codes, *_pixel_places()]
        return _COLOUR_OF[codes, marked, mine.astype(np.int8)]


def _class_codes(statuses: Any) -> NDArray[np.int8]:
    """Return the position of each cell's class in `CLASS_COLOURS`, that of no cell last."""
    classes = list(CLASS_COLOURS)
    of_status = np.array([classes.index(_CLASS_OF_STATUS[status]) for status in STATUSES])
    codes = statuses.cat.set_categories(list(STATUSES)).cat.codes.to_numpy()
    return np.append(of_status[codes], len(classes)).astype(np.int8)


def _colour_table() -> _Pixels:
    """Return colours by class, mark (ground, mark) and place (outside, inside)."""
    inside = np.array([*CLASS_COLOURS.values(), (_PAPER, _PAPER)], dtype=float)
    paper = np.array(_PAPER, dtype=float)
    outside = np.repeat(inside[:, :1], 2, axis=1) * (1 - _FADE) + paper * _FADE
    return np.stack([outside, inside], axis=2).round().astype(np.uint8)


_COLOUR_OF = _colour_table()


def _pixel_places() -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    rows, cols = np.ogrid[:HEIGHT_PX, :WIDTH_PX]
    return rows.astype(np.intp), cols.astype(np.intp)


def _marks() -> NDArray[np.int8]:
    """Return where the marks of each class are; shape (classes, height, width)."""
    rows, cols = _pixel_places()
    marks = np.zeros((len(CLASS_COLOURS) + 1, HEIGHT_PX, WIDTH_PX), dtype=np.int8)
    names = list(CLASS_COLOURS)
    dots = ((rows % 8 < 3) & (cols % 8 < 3)) | (((rows + 4) % 8 < 3) & ((cols + 4) % 8 < 3))
    marks[names.index("borderline")] = dots
    marks[names.index("uncovered")] = (rows + cols) % 11 < 2
    return marks


class _Streets:
    """Main streets, to be drawn in the window of a picture."""

    def __init__(self, network: WalkNetwork) -> None:
        kinds = np.array([*network.kinds, ""], dtype=object)[network.kind_code]
        main = np.isin(kinds, _MAIN_KINDS) & ~network.tunnel
        self._edges = np.flatnonzero(main)
        self._wide = np.isin(kinds[self._edges], _WIDE_KINDS)
        self._network = network
        ends = network.offsets[self._edges], network.offsets[self._edges + 1] - 1
        self._ends = np.stack([network.xy[end] for end in ends], axis=1)

    def draw(self, axes: Any, frame: _Frame) -> None:
        """Draw those with an end in the window, or near it."""
        west, south, east, north = frame.bounds
        far = 300
        x, y = self._ends[..., 0], self._ends[..., 1]
        near = (x > west - far) & (x < east + far) & (y > south - far) & (y < north + far)
        for wide, width in ((False, 0.55), (True, 1.0)):
            chosen = self._edges[near.any(axis=1) & (self._wide == wide)]
            offsets = self._network.offsets
            lines = [self._network.xy[offsets[e] : offsets[e + 1]] for e in chosen]
            _draw_paths(axes, lines, colour="#ffffff", width=width + 0.7, order=2)
            _draw_paths(axes, lines, colour=_STREET, width=width, order=2.1)


def _water(background: gpd.GeoDataFrame | None) -> NDArray[np.object_]:
    if background is None:
        return np.empty(0, dtype=object)
    shapes = background.geometry.to_numpy()[(background["kind"] == "water").to_numpy()]
    shapes = shapes[shapely.get_dimensions(shapes) == 2]
    return np.asarray(shapely.make_valid(shapely.simplify(shapes, _WATER_SIMPLER_M)))


def _draw_areas(axes: Any, shapes: NDArray[np.object_]) -> None:
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
    axes.add_collection(
        PathCollection(paths, facecolor=_WATER, edgecolor="none", zorder=1), autolim=False
    )


def _draw_lines(
    axes: Any, rings: Sequence[shapely.Geometry], *, colour: str, width: float, order: float = 3
) -> Any:
    paths = [shapely.get_coordinates(ring) for ring in rings]
    return _draw_paths(axes, paths, colour=colour, width=width, order=order)


def _draw_paths(
    axes: Any, paths: Sequence[NDArray[np.float64]], *, colour: str, width: float, order: float
) -> Any:
    from matplotlib.collections import LineCollection  # noqa: PLC0415

    lines = LineCollection(
        list(paths), colors=colour, linewidths=width, zorder=order, capstyle="round"
    )
    return axes.add_collection(lines, autolim=False)


def _draw_scale(axes: Any, frame: _Frame) -> None:
    """Draw a bar of a round length at the lower left."""
    west, south, _, _ = frame.bounds
    step = frame.metres
    room = WIDTH_PX * step / 4
    length = max(m for m in (50, 100, 200, 500, 1000, 2000, 5000, 10_000) if m <= max(room, 50))
    x, y = west + 14 * step, south + 16 * step
    bar = np.array([[x, y + 6 * step], [x, y], [x + length, y], [x + length, y + 6 * step]])
    _draw_paths(axes, [bar], colour="white", width=2.6, order=8)
    _draw_paths(axes, [bar], colour=_INK, width=1.0, order=8.1)
    text = f"{length // 1000} km" if length >= 1000 else f"{length} m"
    box = {"boxstyle": "square,pad=0.12", "facecolor": "white", "edgecolor": "none", "alpha": 0.8}
    axes.text(
        x + length + 8 * step, y + 2 * step, text, fontsize=5.5, va="center", color=_INK,
        family="DejaVu Sans", zorder=8.1, bbox=box,
    )  # fmt: skip


def _png(figure: Any, palette: Any) -> bytes:
    """Return what a figure shows as PNG in the colours of a palette."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415
    from PIL import Image  # noqa: PLC0415 - comes with matplotlib

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    picture = Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3])
    few = picture.quantize(palette=palette, dither=Image.Dither.NONE)
    file = io.BytesIO()
    few.save(file, format="PNG", compress_level=7)
    return file.getvalue()


def _palette() -> Any:
    """Return a picture that holds the colours of all pictures, so that one means one everywhere.

    They are those drawn and some steps between them, for the edges of lines and letters.
    """
    from PIL import Image  # noqa: PLC0415

    grounds = [tuple(colour) for colour in _COLOUR_OF.reshape(-1, 3).tolist()]
    white, ink, gap, street = (_rgb(c) for c in ("#ffffff", _INK, _GAP_INK, _STREET))
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
