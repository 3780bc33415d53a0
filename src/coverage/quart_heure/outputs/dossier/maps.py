"""Small maps of a district, one per category: pictures that survive black-and-white print.

A picture is laid out as an array of cells looked up for each pixel, with patterns that tell the
statuses apart without colour; streets, outlines, services and numbers are drawn over it. What does
not depend on the district or on the category is prepared once, and one canvas serves them all.

A picture is a PNG of few colours: the same drawing as SVG takes eighteen times the bytes.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from numpy.typing import NDArray

from quart_heure.analysis.answers import COMPOSITES
from quart_heure.outputs.dossier.canvas import INK, WHITE, Canvas, path_of, path_of_runs
from quart_heure.outputs.dossier.cells import CellGrid, Frame, Ground
from quart_heure.outputs.dossier.drawing import STREET, WATER, Dots, Number, Sheet, palette
from quart_heure.outputs.dossier.png import png_of
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
        # Those of composites are on no map.
        gaps = coverage.gaps[~coverage.gaps["category"].isin(COMPOSITES)]
        outlines = round_corners(gaps.geometry.to_numpy(), coverage.study.cell_m)
        self._gaps = dict(zip(gaps["gap_id"], outlines, strict=True))
        self._simple_gaps = dict(
            zip(
                gaps["gap_id"],
                shapely.simplify(gaps.geometry.to_numpy(), _GAP_SIMPLER_M),
                strict=True,
            )
        )
        self._services = _Services(coverage.services)
        self._palette = palette()
        self._canvas: Canvas | None = None

    def district(self, district_id: str) -> DistrictMaps:
        """Prepare the pictures of a district; those of the one before can no longer be drawn."""
        shape = self._districts[district_id]
        rings = shapely.get_rings(shapely.get_parts(shape))
        frame = Frame.around(shape)
        if self._canvas is None:
            self._canvas = Canvas(frame)
        self._canvas.show(frame)
        ground = self._cells.window(frame, district_id)
        return self._maps(self._canvas, shape, rings=rings, ground=ground)

    def area(self, frame: Frame) -> DistrictMaps:
        """Prepare pictures of the whole area."""
        shape = self._coverage.study.area.geometry
        rings = shapely.get_rings(shapely.get_parts([*self._districts.values()]))
        ground = self._cells.window(frame, None)
        return self._maps(Canvas(frame), shape, rings=rings, ground=ground, fine=True)

    def _maps(
        self,
        canvas: Canvas,
        shape: shapely.Geometry,
        *,
        rings: NDArray[np.object_],
        ground: Ground,
        fine: bool = False,
    ) -> DistrictMaps:
        limits = path_of([shapely.get_coordinates(ring) for ring in rings])

        def under(canvas: Canvas) -> None:
            window = shapely.box(*canvas.frame.bounds)
            canvas.areas(shapely.intersection(self._water, window), colour=WATER)
            if not fine:
                self._streets.draw(canvas)

        def over(canvas: Canvas) -> None:
            canvas.line(limits, colour=WHITE, width=1.6 if fine else 2.6)
            canvas.line(limits, colour=INK, width=0.6 if fine else 1.3)

        return DistrictMaps(
            sheet=Sheet(canvas, under=under, over=over),
            frame=canvas.frame,
            shape=shape,
            ground=ground,
            cells=self._cells,
            gaps=self._gaps,
            simple_gaps=self._simple_gaps,
            services=self._services,
            palette=self._palette,
            mark_size=_MARK / 2 if fine else _MARK,
        )


@dataclasses.dataclass(frozen=True, eq=False)
class DistrictMaps:
    """The pictures of one district; see `MapMaker.district`."""

    sheet: Sheet
    frame: Frame
    shape: shapely.Geometry
    ground: Ground
    cells: CellGrid
    gaps: Mapping[str, shapely.Geometry]
    simple_gaps: Mapping[str, shapely.Geometry]
    services: _Services
    palette: Any
    mark_size: float

    def draw(self, category: str, numbered: Mapping[str, int]) -> bytes:
        """Draw the picture of a category as PNG; see `picture`."""
        return png_of(self.picture(category, numbered), self.palette)

    def picture(self, category: str, numbered: Mapping[str, int]) -> Any:
        """Draw the picture of a category.

        Parameters
        ----------
        category
            A category of the study.
        numbered
            The number of each of its gaps that touch the district, by id.

        Returns
        -------
        PIL.Image.Image
            In red, green and blue.
        """
        outlines = shapely.boundary([self.gaps[gap_id] for gap_id in numbered])
        lines = shapely.get_parts(shapely.intersection(outlines, self.shape))
        lines = lines[shapely.get_dimensions(lines) == 1]
        return self.sheet.picture(
            self.cells.colours(category, self.ground),
            lines=[shapely.get_coordinates(line) for line in lines],
            marks=[self.services_of([category]), *self._numbers(numbered)],
        )

    def services_of(self, categories: Sequence[str]) -> Dots:
        """Return the marks of the services of some categories that count."""
        xy = self.services.xy[np.isin(self.services.category, categories)]
        return Dots(xy, size=self.mark_size, edge=1.2 if self.mark_size == _MARK else 0.7)

    def _numbers(self, numbered: Mapping[str, int]) -> list[Number]:
        """Put the number of each gap in the broadest part that the district has of it."""
        parts = [shapely.intersection(self.simple_gaps[gap], self.shape) for gap in numbered]
        found = []
        for number, part in zip(numbered.values(), parts, strict=True):
            pieces = shapely.get_parts(part)
            pieces = pieces[shapely.get_dimensions(pieces) == 2]
            if len(pieces) == 0:  # lost by simplifying: the number stands at its edge
                x, y = shapely.get_coordinates(part.centroid)[0] if not part.is_empty else (0, 0)
            else:
                x, y = inner_points(pieces[[int(np.argmax(shapely.area(pieces)))]])[0]
            found.append(Number(x, y, number))
        return found


class _Services:
    """Where the services are that count, and of which category each is."""

    def __init__(self, services: gpd.GeoDataFrame) -> None:
        counted = services["counted"].to_numpy(dtype=bool)
        self.category = services["category"].to_numpy(dtype=object)[counted]
        self.xy = shapely.get_coordinates(services.geometry.to_numpy()[counted])


class _Streets:
    """Main streets, to be drawn in the window of a picture."""

    def __init__(self, network: WalkNetwork) -> None:
        kinds = np.array([*network.kinds, ""], dtype=object)[network.kind_code]
        main = np.isin(kinds, _MAIN_KINDS) & ~network.tunnel
        edges = np.flatnonzero(main)
        self._wide = np.isin(kinds[edges], _WIDE_KINDS)
        self._xy = network.xy
        self._first, self._sizes = network.offsets[edges], np.diff(network.offsets)[edges]
        ends = self._first, self._first + self._sizes - 1
        self._ends = np.stack([network.xy[end] for end in ends], axis=1)

    def draw(self, canvas: Canvas) -> None:
        """Draw those with an end in the window, or near it."""
        west, south, east, north = canvas.frame.bounds
        x, y = self._ends[..., 0], self._ends[..., 1]
        near = (
            (x > west - _FAR_M) & (x < east + _FAR_M) & (y > south - _FAR_M) & (y < north + _FAR_M)
        ).any(axis=1)
        paths = [(self._path(near & ~self._wide), 0.55), (self._path(near & self._wide), 1.0)]
        for path, width in paths:
            canvas.line(path, colour=WHITE, width=width + 0.7)
        for path, width in paths:
            canvas.line(path, colour=STREET, width=width)

    def _path(self, chosen: NDArray[np.bool_]) -> Any:
        first, sizes = self._first[chosen], self._sizes[chosen]
        before = np.cumsum(sizes) - sizes
        place = np.arange(sizes.sum()) + np.repeat(first - before, sizes)
        return path_of_runs(self._xy[place], sizes)


def _water(background: gpd.GeoDataFrame | None) -> NDArray[np.object_]:
    if background is None:
        return np.empty(0, dtype=object)
    shapes = background.geometry.to_numpy()[(background["kind"] == "water").to_numpy()]
    shapes = shapes[shapely.get_dimensions(shapes) == 2]
    return np.asarray(shapely.make_valid(shapely.simplify(shapes, _WATER_SIMPLER_M)))
