"""Columns of text: a table as it was found, made of rows of cells, of records or of a layer."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from quart_heure.errors import InputFileError
from quart_heure.sources.delimited import Doubt
from quart_heure.sources.problems import CHOSEN
from quart_heure.sources.projecting import projected
from quart_heure.sources.sheet_sizes import MOST_CELLS
from quart_heure.sources.texts import cell_text, sole_word

if TYPE_CHECKING:
    import geopandas as gpd

_FIRST_ROWS = 20
"""Among so many rows the headings are looked for, below a title."""

IsHeading = Callable[[str], bool]


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class RawTable:
    """A table as it was found.

    Parameters
    ----------
    headings
        One per column.
    numbers
        Number of each row, from 1 below the heading.
    column
        Gives the texts of the column at a position, "" where nothing stands.
    part
        Name of the sheet or the layer, "" where the file has one alone.
    hidden
        Whether it is a sheet that the workbook hides.
    cut
        Whether headings may be cut at ten signs.
    degrees
        Longitude and latitude of each row where the table is a layer, NaN where it has no point.
    shifted
        Rows that hold more cells than the heading: nobody knows which cell stands where.
    doubts
        What is doubtful in the table as a whole.
    titles
        What stands above the headings, and the name of the sheet.
    delimiter
        What parts the cells of a CSV file.
    """

    headings: tuple[str, ...]
    numbers: tuple[int, ...]
    column: Callable[[int], Sequence[str]]
    part: str = ""
    hidden: bool = False
    cut: bool = False
    degrees: NDArray[np.float64] | None = None
    shifted: NDArray[np.bool_] | None = None
    doubts: tuple[Doubt, ...] = ()
    titles: str = ""
    delimiter: str = ","

    def __len__(self) -> int:
        """Count the rows."""
        return len(self.numbers)

    def said_of_all(self) -> list[tuple[str, Sequence[str]]]:
        """Return what is said of all rows at once, as a column: a title, a sheet's name."""
        said = " ".join(filter(None, (self.part, self.titles)))
        return [("title of the table", [said] * len(self))] if said else []


def from_rows(
    rows: Sequence[tuple[str, ...]],
    path: Path,
    is_heading: IsHeading,
    *,
    doubts: tuple[Doubt, ...] = (),
) -> RawTable:
    """Make a table of rows of cells, the headings among them.

    Raises
    ------
    InputFileError
        If there are more cells than a table of services has.
    """
    first = _heading_row(rows[:_FIRST_ROWS], is_heading)
    above = [at for at, row in enumerate(rows[:first], start=1) if any(map(str.strip, row))]
    if above:
        # Not what they say: nobody knows yet whom they speak of.
        value = f"line {above[0]}" + (f" to {above[-1]}" if len(above) > 1 else "")
        reason = "a title above the headings" if len(above) == 1 else "lines above the headings"
        doubts = (*doubts, ("headings", value, reason, f"{CHOSEN}the row below"))
    headings = tuple(heading.strip() for heading in rows[first]) if first < len(rows) else ()
    width = len(headings)
    if width * len(rows) > MOST_CELLS:
        msg = f"{path}: has {len(rows):,} rows of {width:,} columns."
        raise InputFileError(msg, hint=f"A table of services has {MOST_CELLS:,} cells at most.")
    kept: list[tuple[str, ...]] = []
    numbers, shifted = [], []
    for number, row in enumerate(itertools.islice(rows, first + 1, None), start=1):
        if not any(map(str.strip, row)):
            continue
        numbers.append(number)
        shifted.append(len(row) > width and any(map(str.strip, row[width:])))
        fits = len(row) == width
        kept.append(row if fits else (*row[:width], *[""] * (width - len(row))))
    # By columns, for the many rows are many objects, each of which is looked at again and again.
    columns = list(zip(*kept, strict=True)) or [()] * width
    return RawTable(
        headings=headings,
        numbers=tuple(numbers),
        column=columns.__getitem__,
        shifted=np.array(shifted, dtype=bool),
        doubts=doubts,
        titles=" ".join(cell for row in rows[:first] for cell in row if cell.strip()),
    )


def _heading_row(rows: Sequence[tuple[str, ...]], is_heading: IsHeading) -> int:
    """Return which of the first rows holds the headings.

    The one with most usual headings, if it has two; else the first that fills at least half as many
    cells as the fullest of them: what stands above is a title.
    """
    usual = [sum(map(is_heading, row)) for row in rows]
    if max(usual, default=0) >= 2:
        return usual.index(max(usual))
    filled = [sum(bool(cell.strip()) for cell in row) for row in rows]
    widest = max(filled, default=0)
    return next((at for at, n in enumerate(filled) if n > 0 and 2 * n >= widest), len(rows))


def from_records(records: Sequence[Mapping[str, Any]]) -> RawTable:
    """Make a table of records, a column for each key that any of them has."""
    keys: dict[str, str] = {}
    for key in dict.fromkeys(key for record in records for key in record):
        keys.setdefault(cell_text(key), key)
    headings = tuple(keys)

    def column(at: int) -> list[str]:
        key = keys[headings[at]]
        return [sole_word(cell_text(record.get(key))) for record in records]

    return RawTable(headings=headings, numbers=tuple(range(1, len(records) + 1)), column=column)


def from_layer(layer: gpd.GeoDataFrame | pd.DataFrame, path: Path) -> RawTable:
    """Make a table of a layer, with the places of its shapes in degrees.

    Raises
    ------
    CrsError
        If the layer has no CRS, or one that cannot be turned into degrees.
    """
    import geopandas as gpd  # noqa: PLC0415 - see the note on imports in the package

    located = isinstance(layer, gpd.GeoDataFrame) and layer.active_geometry_name is not None
    degrees, doubts = _degrees(layer, path) if located else (None, ())
    names = [name for name in layer.columns if not located or name != layer.geometry.name]
    headings = tuple(cell_text(str(name)) for name in names)

    def column(at: int) -> list[str]:
        values = layer[names[at]]
        if isinstance(values.dtype, pd.StringDtype):
            return [sole_word(cell_text(text)) for text in values.fillna("").tolist()]
        return [_layer_text(value) for value in values.tolist()]

    return RawTable(
        headings=headings,
        numbers=tuple(range(1, len(layer) + 1)),
        column=column,
        degrees=degrees,
        doubts=doubts,
    )


def _layer_text(value: object) -> str:
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if value is pd.NaT or value is pd.NA:
        return ""
    return sole_word(cell_text(value))


def _degrees(layer: gpd.GeoDataFrame, path: Path) -> tuple[NDArray[np.float64], tuple[Doubt, ...]]:
    """Return longitude and latitude of the shapes of a layer, NaN where there is no one place.

    Of an area that is a point inside, near its middle; of a line its middle. Some portals write
    each point as a set of one; of several points, nobody knows which is meant.
    """
    shapes = projected(layer, 4326, path).geometry.to_numpy()
    kinds = shapely.get_type_id(shapes)
    single = (kinds == shapely.GeometryType.MULTIPOINT) & (shapely.get_num_geometries(shapes) == 1)
    points = np.where(single, shapely.get_geometry(shapes, 0), shapes)
    there = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    size = np.where(there, shapely.get_dimensions(shapes), -1)
    plane, line = size == 2, size == 1
    points[plane] = shapely.point_on_surface(shapely.make_valid(shapes[plane]))
    points[line] = shapely.point_on_surface(shapes[line])
    real = (shapely.get_type_id(points) == shapely.GeometryType.POINT) & ~shapely.is_empty(points)
    points = np.where(real, points, None)
    drawn = int(np.count_nonzero(plane | line))
    doubts: tuple[Doubt, ...] = ()
    if drawn:
        value = f"{drawn} / {len(shapes)}"
        doubts = (("geometry", value, "drawn as an area or a line", "a point inside is taken"),)
    return np.stack([shapely.get_x(points), shapely.get_y(points)], axis=1), doubts
