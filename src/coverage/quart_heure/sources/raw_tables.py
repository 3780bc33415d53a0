"""Tables as people keep them: CSV, workbooks, JSON of portals and layers, as columns of text."""

from __future__ import annotations

import dataclasses
import gzip
import itertools
import json
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from quart_heure.errors import InputFileError
from quart_heure.sources.delimited import Doubt, read_delimited
from quart_heure.sources.layers import holds_geometry, read_layers
from quart_heure.sources.problems import CHOSEN
from quart_heure.sources.projecting import projected
from quart_heure.sources.texts import cell_text, sole_word
from quart_heure.sources.vector_formats import has_cut_headings
from quart_heure.sources.workbooks import WORKBOOKS, read_sheets

if TYPE_CHECKING:
    import geopandas as gpd


LARGEST_FILE_BYTES = 300_000_000
MOST_ROWS = 1_000_000
MOST_COLUMNS = 2_000
MOST_CELLS = 40_000_000
"""A table of services is smaller than these; beyond, a file is something else."""

_LISTS = ("results", "records", "data", "rows", "items", "features")
"""Where portals put the list of records in their answer."""

_SINGLE = frozenset({".csv", ".tsv", ".txt", ".json", ".parquet", ".geoparquet"})
"""Endings of files that hold one table."""

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


def read_raw_tables(
    path: Path, *, part: str = "", is_heading: IsHeading = lambda _: False
) -> list[RawTable]:
    """Read the tables of a file of any known format: sheets, layers, or the one that it is.

    Parameters
    ----------
    path
        CSV, workbook, JSON, Parquet, or a layer.
    part
        Name of the sheet or layer that is wanted; all by default.
    is_heading
        Tells whether a word is a usual heading: it helps to find the row of headings.

    Raises
    ------
    InputFileError
        If the file is missing, unreadable, or larger than a table of services can be, or has no
        part of that name.
    CrsError
        If a layer has no CRS, or one that cannot be turned into degrees.
    """
    _check_size(path)
    suffix = path.suffix.lower()
    if suffix in {".csv", ".tsv", ".txt"}:
        rows, delimiter, doubts = read_delimited(path)
        table = _from_rows(rows, path, is_heading, doubts=doubts)
        tables = [dataclasses.replace(table, delimiter=delimiter)]
    elif suffix in WORKBOOKS:
        tables = _read_workbook(path, part, is_heading)
    elif suffix == ".json":
        tables = _read_json(path)
    elif suffix == ".parquet" and not holds_geometry(path):
        tables = [_read_plain_parquet(path)]
    else:
        tables = _read_layers(path, part)
    if part and suffix in _SINGLE:
        msg = f"{path}: is one table, without sheets or layers such as {part!r}."
        raise InputFileError(msg, hint="Leave layer and sheet out.")
    for table in tables:
        _check_counts(table, path)
    return tables


def read_raw_table(path: Path, *, is_heading: IsHeading = lambda _: False) -> RawTable:
    """Read the one table of a file; see `read_raw_tables`.

    Raises
    ------
    InputFileError
        If it has several.
    """
    tables = read_raw_tables(path, is_heading=is_heading)
    if len(tables) > 1:
        names = ", ".join(repr(table.part) for table in tables[:20])
        msg = f"{path}: has several sheets or layers: {names}."
        raise InputFileError(msg, hint="Save the one that is meant as a file of its own.")
    return tables[0]


def _check_counts(table: RawTable, path: Path) -> None:
    if len(table.headings) > MOST_COLUMNS:
        msg = f"{path}: has {len(table.headings):,} columns."
        raise InputFileError(msg, hint=f"A table of services has {MOST_COLUMNS:,} at most.")
    if len(table) > MOST_ROWS:
        msg = f"{path}: has {len(table):,} rows."
        raise InputFileError(msg, hint=f"A table of services has {MOST_ROWS:,} at most.")


def _check_size(path: Path) -> None:
    if not path.exists():
        msg = f"{path}: there is no such file."
        raise InputFileError(msg, hint="Check the name and the folder it is relative to.")
    size = path.stat().st_size
    if path.suffix.lower() in {*WORKBOOKS, ".zip"} and zipfile.is_zipfile(path):
        # What is packed small may be huge once opened.
        try:
            with zipfile.ZipFile(path) as packed:
                size = max(size, sum(part.file_size for part in packed.infolist()))
        except (OSError, zipfile.BadZipFile):
            pass  # the reader says what is wrong with it
    elif path.suffix.lower() == ".gz":
        size = _unpacked_bytes(path)
    if size > LARGEST_FILE_BYTES:
        msg = f"{path}: holds {size / 1e6:,.0f} MB."
        hint = f"A table of services holds {LARGEST_FILE_BYTES / 1e6:,.0f} MB at most: cut it."
        raise InputFileError(msg, hint=hint)


def _unpacked_bytes(path: Path) -> int:
    """Return how many bytes a packed file holds; beyond what it may hold, some of them."""
    size = 0
    try:
        with gzip.open(path) as file:
            while size <= LARGEST_FILE_BYTES and (piece := file.read(1 << 20)):
                size += len(piece)
    except (OSError, EOFError):
        pass  # the reader says what is wrong with it
    return size


# --- rows -----------------------------------------------------------------------------------------


def _from_rows(
    rows: Sequence[tuple[str, ...]],
    path: Path,
    is_heading: IsHeading,
    *,
    doubts: tuple[Doubt, ...] = (),
) -> RawTable:
    """Make a table of rows of cells, the headings among them."""
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


# --- workbooks -----------------------------------------------------------------------------------


def _read_workbook(path: Path, part: str, is_heading: IsHeading) -> list[RawTable]:
    """Read the sheets of a workbook, or the one that is wanted."""
    sheets = read_sheets(path)
    wanted = [sheet for sheet in sheets if part in {"", sheet.name}]
    if part and not wanted:
        msg = f"{path}: there is no sheet {part!r}."
        names = ", ".join(repr(sheet.name) for sheet in sheets[:20])
        raise InputFileError(msg, hint=f"Sheets are {names or 'all empty'}.")
    alone = len(sheets) == 1 or bool(part)
    found = []
    for sheet in wanted:
        table = _from_rows(sheet.rows, path, is_heading)
        found.append(
            dataclasses.replace(
                table,
                part="" if alone else sheet.name,
                titles=f"{sheet.name} {table.titles}",
                hidden=sheet.hidden and not part,
            )
        )
    return found or [_from_rows([], path, is_heading)]


# --- JSON ----------------------------------------------------------------------------------------


def _read_json(path: Path) -> list[RawTable]:
    """Read records of a portal: a list of them, or an answer that holds such a list."""
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        msg = f"{path}: cannot be read as JSON ({' '.join(str(error).split())[:200]})."
        raise InputFileError(msg, hint="Save it again in UTF-8, or give another format.") from error
    if isinstance(content, dict) and content.get("type") == "FeatureCollection":
        return _read_layers(path, "")
    if isinstance(content, dict) and content.get("type") == "umap":
        msg = f"{path}: is a map of uMap."
        raise InputFileError(msg, hint="Give it its own ending, .umap.")
    if isinstance(content, dict):
        found = next((content[key] for key in _LISTS if isinstance(content.get(key), list)), None)
        content = found
    if not isinstance(content, list) or (content and not any(isinstance(r, dict) for r in content)):
        msg = f"{path}: holds no list of records."
        hint = 'Give a list such as [{"nom": …}], or an answer of a portal that holds one.'
        raise InputFileError(msg, hint=hint)
    return [_from_records([_fields(record) for record in content])]


def _fields(record: object) -> Mapping[str, Any]:
    """Return what a record says of its place; older portals keep that under ``fields``."""
    if not isinstance(record, dict):
        return {}
    fields = record.get("fields", record.get("properties"))
    if not isinstance(fields, dict):
        return record
    around = {key: record[key] for key in ("recordid", "geometry") if key in record}
    return {**around, **fields}


def _from_records(records: Sequence[Mapping[str, Any]]) -> RawTable:
    keys: dict[str, str] = {}
    for key in dict.fromkeys(key for record in records for key in record):
        keys.setdefault(cell_text(key), key)
    headings = tuple(keys)

    def column(at: int) -> list[str]:
        key = keys[headings[at]]
        return [sole_word(cell_text(record.get(key))) for record in records]

    return RawTable(headings=headings, numbers=tuple(range(1, len(records) + 1)), column=column)


# --- layers --------------------------------------------------------------------------------------


def _read_plain_parquet(path: Path) -> RawTable:
    """Read a Parquet file that says nothing of shapes as a table of columns."""
    try:
        table = pd.read_parquet(path)
    except Exception as error:
        # Arrow raises what it likes; whatever it is, the file could not be read.
        msg = f"{path}: cannot be read as Parquet ({' '.join(str(error).split())[:200]})."
        raise InputFileError(msg, hint="Save it again, or as CSV in UTF-8.") from error
    # Shapes of which nobody says how they are written, nor in which CRS they are.
    unsaid = [c for c in table if any(isinstance(value, bytes) for value in table[c])]
    doubts = tuple(
        (str(name), "", "binary, and the file says of no CRS", "not read") for name in unsaid
    )
    return dataclasses.replace(_from_layer(table.drop(columns=unsaid), path), doubts=doubts)


def _read_layers(path: Path, part: str) -> list[RawTable]:
    cut = has_cut_headings(path)
    return [
        dataclasses.replace(_from_layer(layer, path), part=name, cut=cut)
        for name, layer in read_layers(path, layer=part).items()
    ]


def _from_layer(layer: gpd.GeoDataFrame | pd.DataFrame, path: Path) -> RawTable:
    """Make a table of a layer, with the places of its shapes in degrees."""
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
