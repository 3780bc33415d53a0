"""Pictures of the whole area: one map of each category, one of how many services are in reach."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from quart_heure.outputs.dossier.cells import Frame
from quart_heure.outputs.dossier.png import png_of
from quart_heure.outputs.palette import GAP_HATCH, PALETTE, shades
from quart_heure.outputs.shapes import inner_points

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from quart_heure.outputs.dossier.maps import DistrictMaps, MapMaker
    from quart_heure.study.coverage import Coverage

WIDE_PX, NARROW_PX = 1240, 780
"""Widths of the large map and of those of the categories; drawn at half of it on a screen."""

_PAD = 0.03
_TALLEST = 1.1
"""A map is at most so much higher than wide, or a page would not hold it."""

PLAN_WIDTH = 720
_PLAN_STEP = 1.2
"""Vertices of the plan that move an outline by less, in its own units, are dropped."""


def reach_colours(essentials: int) -> list[str]:
    """Return a colour for each number of essential services within reach, none first."""
    return [PALETTE.gap, *shades(PALETTE.reached, essentials)]


@dataclasses.dataclass(frozen=True, kw_only=True)
class AreaPicture:
    """A picture and its size in pixels."""

    content: bytes
    width: int
    height: int


class AreaMaps:
    """Draws the whole area.

    Parameters
    ----------
    coverage
        A published coverage.
    maker
        What draws the small maps of its dossiers.
    """

    def __init__(self, coverage: Coverage, maker: MapMaker) -> None:
        self._coverage = coverage
        self._maker = maker
        self._small: DistrictMaps | None = None
        west, south, east, north = coverage.study.area.geometry.bounds
        self._shape = min((north - south) / (east - west), _TALLEST)

    def _frame(self, width: int) -> Frame:
        height = round(width * (self._shape + 2 * _PAD))
        return Frame.around(self._coverage.study.area.geometry, width, height, pad=_PAD)

    def category(self, category: str) -> AreaPicture:
        """Draw the picture of a category."""
        if self._small is None:
            self._small = self._maker.area(self._frame(NARROW_PX))
        frame = self._small.frame
        return AreaPicture(
            content=self._small.draw(category, {}), width=frame.width, height=frame.height
        )

    def reach(self) -> AreaPicture:
        """Draw how many essential services are within reach of each place."""
        maps = self._maker.area(self._frame(WIDE_PX))
        position = maps.ground.cell
        within = self._coverage.cells["essentials_within"].to_numpy()
        within = np.append(within, -2)[position]
        colours = [*reach_colours(len(self._coverage.study.essentials)), PALETTE.off_network]
        table = np.array([_rgba(colour) for colour in (*colours, PALETTE.outside)], np.uint8)
        picture = table[np.select([within >= 0, within == -1], [within, -2], -1)]
        rows, cols = np.ogrid[: picture.shape[0], : picture.shape[1]]
        # Where there is none, stripes too: the answer reads without colour.
        stripes = (within == 0) & ((rows + cols) % 11 < 2)
        picture[stripes] = _rgba(GAP_HATCH)
        marks = [maps.services_of(self._coverage.study.essentials)]
        return AreaPicture(
            content=png_of(maps.sheet.picture(picture, marks=marks)),
            width=maps.frame.width,
            height=maps.frame.height,
        )


@dataclasses.dataclass(frozen=True, kw_only=True)
class PlanPart:
    """A district on the plan: its outline as an SVG path, and where its name stands."""

    district_id: str
    path: str
    x: float
    y: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class Plan:
    """A small map of the districts, in units of an SVG drawing."""

    width: int
    height: int
    parts: list[PlanPart]


def plan_of(coverage: Coverage, districts: Sequence[str]) -> Plan:
    """Draw the outlines of some districts."""
    table = coverage.study.area.districts
    shapes: Mapping[str, Any] = dict(zip(table["district_id"], table.geometry, strict=True))
    west, south, east, north = shapely.total_bounds([shapes[each] for each in districts])
    scale = min(PLAN_WIDTH / (east - west), PLAN_WIDTH * _TALLEST / (north - south))
    moved = {
        each: shapely.transform(
            shapes[each], lambda xy: np.column_stack([xy[:, 0] - west, north - xy[:, 1]]) * scale
        )
        for each in districts
    }
    # All at once, so that neighbours keep their common limit.
    simple = shapely.coverage_simplify(list(moved.values()), _PLAN_STEP)
    parts = []
    for each, shape in zip(moved, simple, strict=True):
        drawn = moved[each] if shape.is_empty else shape
        pieces = shapely.get_parts(drawn)
        broadest = pieces[[int(np.argmax(shapely.area(pieces)))]]
        x, y = inner_points(broadest)[0]
        parts.append(
            PlanPart(
                district_id=each, path=_path(drawn), x=round(float(x), 1), y=round(float(y), 1)
            )
        )
    return Plan(
        width=round((east - west) * scale), height=round((north - south) * scale), parts=parts
    )


def _rgba(colour: str) -> tuple[int, ...]:
    return (*bytes.fromhex(colour[1:]), 255)


def _path(shape: shapely.Geometry) -> str:
    rings = shapely.get_rings(shapely.get_parts(shape))
    found = []
    for ring in rings:
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in shapely.get_coordinates(ring)[:-1])
        found.append(f"M{points}Z")
    return "".join(found)
