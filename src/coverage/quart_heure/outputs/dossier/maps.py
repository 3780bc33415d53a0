"""Small maps of a district, one per category: pictures that survive black-and-white print.

A picture is laid out as an array of cells looked up for each pixel, with patterns that tell the
statuses apart without colour; streets, outlines, services and numbers are drawn over it. What does
not depend on the district or on the category is prepared once, and one figure serves them all.

A picture is a PNG of few colours: the same drawing as SVG takes eighteen times the bytes.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from numpy.typing import NDArray

from quart_heure.outputs.dossier.cells import CellGrid, Frame
from quart_heure.outputs.dossier.drawing import (
    GAP_INK,
    INK,
    STREET,
    Sheet,
    draw_areas,
    draw_lines,
    draw_paths,
    draw_scale,
    new_figure,
    palette,
)
from quart_heure.outputs.shapes import inner_points, round_corners

if TYPE_CHECKING:
    import geopandas as gpd

    from quart_heure.network.graph import WalkNetwork
    from quart_heure.study.coverage import Coverage


_MAIN_KINDS = ("trunk", "primary", "secondary", "tertiary")
_WIDE_KINDS = ("trunk", "primary")
_WATER_SIMPLER_M = 4.0
_GAP_SIMPLER_M = 20.0
_MARK = 34.0
"""Size of the mark of a service, in square points."""

_FAR_M = 300
"""Streets with an end this far from the window may cross its edge."""


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
        self._coverage = coverage
        self._cells = CellGrid(coverage)
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
        self._palette = palette()
        self._figure = new_figure()

    def district(self, district_id: str) -> DistrictMaps:
        """Prepare the pictures of a district."""
        shape = self._districts[district_id]
        self._figure.clear()
        rings = shapely.get_rings(shapely.get_parts(shape))
        frame = Frame.around(shape)
        return self._maps(
            self._figure, frame, shape, rings=rings, ground=self._cells.window(frame, district_id)
        )

    def area(self, frame: Frame) -> DistrictMaps:
        """Prepare pictures of the whole area."""
        shape = self._coverage.study.area.geometry
        rings = shapely.get_rings(shapely.get_parts([*self._districts.values()]))
        ground = self._cells.window(frame, None)
        figure = new_figure(frame.width, frame.height)
        return self._maps(figure, frame, shape, rings=rings, ground=ground, fine=True)

    def _maps(
        self,
        figure: Any,
        frame: Frame,
        shape: shapely.Geometry,
        *,
        rings: NDArray[np.object_],
        ground: tuple[NDArray[np.int32], NDArray[np.bool_]],
        fine: bool = False,
    ) -> DistrictMaps:
        west, south, east, north = frame.bounds
        axes = figure.add_axes((0, 0, 1, 1), xlim=(west, east), ylim=(south, north))
        axes.set_axis_off()
        window = shapely.box(*frame.bounds)
        under = [draw_areas(axes, shapely.intersection(self._water, window))]
        if not fine:
            under += self._streets.draw(axes, frame)
        over = [
            draw_lines(axes, rings, colour="white", width=1.6 if fine else 2.6),
            draw_lines(axes, rings, colour=INK, width=0.6 if fine else 1.3),
        ]
        return DistrictMaps(
            sheet=Sheet(figure, under=under, over=over, last=draw_scale(axes, frame)),
            axes=axes,
            frame=frame,
            shape=shape,
            ground=ground,
            cells=self._cells,
            gaps=self._gaps,
            simple_gaps=self._simple_gaps,
            services=self._coverage.services,
            palette=self._palette,
            mark_size=_MARK / 2 if fine else _MARK,
        )


@dataclasses.dataclass(frozen=True, eq=False)
class DistrictMaps:
    """The pictures of one district; see `MapMaker.district`."""

    sheet: Sheet
    axes: Any
    frame: Frame
    shape: shapely.Geometry
    ground: tuple[NDArray[np.int32], NDArray[np.bool_]]
    cells: CellGrid
    gaps: Mapping[str, shapely.Geometry]
    simple_gaps: Mapping[str, shapely.Geometry]
    services: gpd.GeoDataFrame
    palette: Any
    mark_size: float

    def draw(self, category: str, numbered: Mapping[str, int]) -> bytes:
        """Draw the picture of a category as PNG.

        Parameters
        ----------
        category
            A category of the study.
        numbered
            The number of each of its gaps that touch the district, by id.
        """
        outlines = shapely.boundary([self.gaps[gap_id] for gap_id in numbered])
        lines = shapely.get_parts(shapely.intersection(outlines, self.shape))
        lines = lines[shapely.get_dimensions(lines) == 1]
        return self.sheet.png(
            self.cells.colours(category, *self.ground),
            lines=[draw_lines(self.axes, lines, colour=GAP_INK, width=1.2)],
            marks=[self.services_of([category]), *self._draw_numbers(numbered)],
            colours=self.palette,
        )

    def services_of(self, categories: Sequence[str]) -> Any:
        """Draw the services of some categories that count, and return the marks."""
        rows = self.services
        shown = rows[rows["counted"] & rows["category"].isin(categories)]
        xy = shapely.get_coordinates(shown.geometry.to_numpy())
        style = {"marker": "o", "facecolor": INK, "edgecolor": "white"}
        width = 1.2 if self.mark_size == _MARK else 0.7
        return self.axes.scatter(xy[:, 0], xy[:, 1], s=self.mark_size, linewidth=width, **style)

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
            style = {"boxstyle": "circle,pad=0.18", "facecolor": "white", "edgecolor": GAP_INK}
            drawn.append(
                self.axes.text(
                    x, y, str(number), ha="center", va="center", color=GAP_INK, fontsize=7.5,
                    fontweight="bold", family="DejaVu Sans", bbox={**style, "linewidth": 1.0},
                )
            )  # fmt: skip
        return drawn


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

    def draw(self, axes: Any, frame: Frame) -> list[Any]:
        """Draw those with an end in the window, or near it."""
        west, south, east, north = frame.bounds
        x, y = self._ends[..., 0], self._ends[..., 1]
        near = (
            (x > west - _FAR_M) & (x < east + _FAR_M) & (y > south - _FAR_M) & (y < north + _FAR_M)
        )
        edgings, streets = [], []
        for wide, width in ((False, 0.55), (True, 1.0)):
            chosen = self._edges[near.any(axis=1) & (self._wide == wide)]
            offsets = self._network.offsets
            lines = [self._network.xy[offsets[e] : offsets[e + 1]] for e in chosen]
            edgings.append(draw_paths(axes, lines, colour="#ffffff", width=width + 0.7))
            streets.append(draw_paths(axes, lines, colour=STREET, width=width))
        return edgings + streets


def _water(background: gpd.GeoDataFrame | None) -> NDArray[np.object_]:
    if background is None:
        return np.empty(0, dtype=object)
    shapes = background.geometry.to_numpy()[(background["kind"] == "water").to_numpy()]
    shapes = shapes[shapely.get_dimensions(shapes) == 2]
    return np.asarray(shapely.make_valid(shapely.simplify(shapes, _WATER_SIMPLER_M)))
