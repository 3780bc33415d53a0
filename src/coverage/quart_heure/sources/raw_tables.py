"""Tables as people keep them: CSV, Excel, JSON of portals and layers, as columns of text."""

from __future__ import annotations

import csv
import dataclasses
import datetime
import io
import itertools
import json
import re
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from quart_heure.errors import CrsError, InputFileError
from quart_heure.sources.areas.areas import read_layer
from quart_heure.sources.areas.names import plain_word

if TYPE_CHECKING:
    import geopandas as gpd


LARGEST_FILE_BYTES = 300_000_000
MOST_ROWS = 1_000_000
MOST_COLUMNS = 2_000
MOST_CELLS = 40_000_000
"""A table of services is smaller than these; beyond, a file is something else."""

WORKBOOKS = frozenset({".xlsx", ".xlsm", ".xls", ".xlsb", ".ods"})
_LISTS = ("results", "records", "data", "rows", "items", "features")
"""Where portals put the list of records in their answer."""

_DELIMITERS = ",;\t|"
_UNWANTED = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]+")


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class RawTable:
    """A table as it was found.

    Parameters
    ----------
    headings
        One per column.
    numbers
        Number of each row, from 1 below the heading: line ``n + 1`` of a spreadsheet.
    column
        Gives the texts of the column at a position, "" where nothing stands.
    degrees
        Longitude and latitude of each row where the table is a layer, NaN where it has no point.
    shifted
        Rows that hold more cells than the heading: nobody knows which cell stands where.
    doubts
        What is doubtful in the file as a whole: field, value, reason, action.
    delimiter
        What parts the cells of a CSV file.
    """

    headings: tuple[str, ...]
    numbers: tuple[int, ...]
    column: Callable[[int], Sequence[str]]
    degrees: NDArray[np.float64] | None = None
    shifted: NDArray[np.bool_] | None = None
    doubts: tuple[tuple[str, str, str, str], ...] = ()
    delimiter: str = ","

    def __len__(self) -> int:
        """Count the rows."""
        return len(self.numbers)


def read_raw_table(path: Path) -> RawTable:
    """Read a table of any known format.

    Raises
    ------
    InputFileError
        If the file is missing, unreadable, or larger than a table of services can be.
    CrsError
        If a layer has no CRS, or one that cannot be turned into degrees.
    """
    _check_size(path)
    suffix = path.suffix.lower()
    if suffix in {".csv", ".tsv", ".txt"}:
        table = _read_csv(path)
    elif suffix in WORKBOOKS:
        table = _read_excel(path)
    elif suffix == ".json":
        table = _read_json(path)
    else:
        table = _from_layer(read_layer(path), path)
    if len(table.headings) > MOST_COLUMNS:
        msg = f"{path}: has {len(table.headings):,} columns."
        raise InputFileError(msg, hint=f"A table of services has {MOST_COLUMNS:,} at most.")
    if len(table) > MOST_ROWS:
        msg = f"{path}: has {len(table):,} rows."
        raise InputFileError(msg, hint=f"A table of services has {MOST_ROWS:,} at most.")
    return table


def _check_size(path: Path) -> None:
    if not path.exists():
        msg = f"{path}: there is no such file."
        raise InputFileError(msg, hint="Check the name and the folder it is relative to.")
    size = path.stat().st_size
    if path.suffix.lower() in WORKBOOKS and zipfile.is_zipfile(path):
        # What is packed small may be huge once opened.
        try:
            with zipfile.ZipFile(path) as packed:
                size = max(size, sum(part.file_size for part in packed.infolist()))
        except (OSError, zipfile.BadZipFile):
            pass  # the reader says what is wrong with it
    if size > LARGEST_FILE_BYTES:
        msg = f"{path}: holds {size / 1e6:,.0f} MB."
        hint = f"A table of services holds {LARGEST_FILE_BYTES / 1e6:,.0f} MB at most: cut it."
        raise InputFileError(msg, hint=hint)


# --- CSV -----------------------------------------------------------------------------------------


def _read_csv(path: Path) -> RawTable:
    text, doubts = _decode(path)
    start = text[:5].lower()
    delimiter = ""
    if start[:4] == "sep=" and start[4:] in _DELIMITERS:
        delimiter, text = text[4], text.partition("\n")[2]
    heading = next((line for line in io.StringIO(text) if line.strip()), "")
    bare = re.sub(r'"[^"]*"', "", heading)
    delimiter = delimiter or max(_DELIMITERS, key=bare.count)
    # Strict: a quote left open would swallow all rows below it without a word.
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[tuple[str, ...]] = []
    line = 0
    try:
        for row in reader:
            # A tuple of texts is soon out of the collector's way, a list never.
            rows.append(tuple(row))
            line = reader.line_num
    except csv.Error as error:
        msg = f"{path}, line {line + 1}: {error}."
        raise InputFileError(msg, hint="Check the quotes around that line.") from error
    return dataclasses.replace(_from_rows(rows, path, doubts=doubts), delimiter=delimiter)


def _decode(path: Path) -> tuple[str, tuple[tuple[str, str, str, str], ...]]:
    """Read a text as UTF-8, else as the two other encodings that spreadsheets write."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        msg = f"{path}: cannot be read ({error.strerror or error})."
        raise InputFileError(msg, hint="Check that it is a file you may read.") from error
    wide = raw.startswith((b"\xff\xfe", b"\xfe\xff"))
    doubts: tuple[tuple[str, str, str, str], ...] = ()
    try:
        text = raw.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        try:
            text = raw.decode("cp1252")
        except UnicodeDecodeError:
            msg = f"{path}: cannot be read as UTF-8 text, nor as Windows-1252 ({error})."
            raise InputFileError(msg, hint="Save the file as CSV in UTF-8.") from error
        doubts = (("encoding", "", "not in UTF-8", "read as Windows-1252"),)
    return _UNWANTED.sub("", text), doubts


def _from_rows(
    rows: Sequence[tuple[str, ...]],
    path: Path,
    *,
    doubts: tuple[tuple[str, str, str, str], ...] = (),
) -> RawTable:
    """Make a table of rows of cells, of which the first that is not blank is the heading."""
    first = next((i for i, row in enumerate(rows) if any(map(str.strip, row))), len(rows))
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
    )


# --- Excel ---------------------------------------------------------------------------------------


def _read_excel(path: Path) -> RawTable:
    """Read the first sheet of a workbook."""
    from python_calamine import CalamineWorkbook  # noqa: PLC0415 - only for this format

    try:
        cells = CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python()
    except Exception as error:
        # Whatever the reader raises, the file could not be read.
        msg = f"{path}: cannot be read as an Excel workbook ({' '.join(str(error).split())[:200]})."
        raise InputFileError(msg, hint="Save it again as .xlsx, or as CSV in UTF-8.") from error
    return _from_rows([tuple(map(_cell_text, row)) for row in cells], path)


def _cell_text(cell: object) -> str:
    """Return a cell of a sheet or a record as text; whole numbers lose their decimal point."""
    if cell is None or isinstance(cell, float):
        text = plain_word(cell)
    elif isinstance(cell, bool):
        text = "true" if cell else "false"
    elif isinstance(cell, int):
        # Python refuses to write integers of thousands of digits.
        text = str(cell) if cell.bit_length() < 1000 else ""
    elif isinstance(cell, datetime.datetime):
        midnight = cell.time() == datetime.time()
        text = cell.date().isoformat() if midnight else cell.isoformat()
    else:
        text = str(cell)
    return text if text.isprintable() else _mended(text)


def _mended(text: str) -> str:
    # A lone half of a pair, as \\ud83d in JSON, is a text that no file can hold.
    return _UNWANTED.sub("", text.encode("utf-8", "replace").decode("utf-8"))


# --- JSON ----------------------------------------------------------------------------------------


def _read_json(path: Path) -> RawTable:
    """Read records of a portal: a list of them, or an answer that holds such a list."""
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        msg = f"{path}: cannot be read as JSON ({' '.join(str(error).split())[:200]})."
        raise InputFileError(msg, hint="Save it again in UTF-8, or give another format.") from error
    if isinstance(content, dict) and content.get("type") == "FeatureCollection":
        return _from_layer(read_layer(path), path)
    if isinstance(content, dict):
        found = next((content[key] for key in _LISTS if isinstance(content.get(key), list)), None)
        content = found
    if not isinstance(content, list) or (content and not any(isinstance(r, dict) for r in content)):
        msg = f"{path}: holds no list of records."
        hint = 'Give a list such as [{"nom": …}], or an answer of a portal that holds one.'
        raise InputFileError(msg, hint=hint)
    return _from_records([_fields(record) for record in content])


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
        keys.setdefault(_cell_text(key), key)
    headings = tuple(keys)

    def column(at: int) -> list[str]:
        key = keys[headings[at]]
        return [_value_text(record.get(key)) for record in records]

    return RawTable(headings=headings, numbers=tuple(range(1, len(records) + 1)), column=column)


def _value_text(value: object) -> str:
    if isinstance(value, dict | list):
        try:
            return json.dumps(value, ensure_ascii=True)
        except (ValueError, RecursionError):
            return ""
    return _cell_text(value)


# --- layers --------------------------------------------------------------------------------------


def _from_layer(layer: gpd.GeoDataFrame | pd.DataFrame, path: Path) -> RawTable:
    """Make a table of a layer, with the places of its points in degrees."""
    import geopandas as gpd  # noqa: PLC0415 - see the note on imports in the package

    located = isinstance(layer, gpd.GeoDataFrame)
    degrees = _degrees(layer, path) if located else None
    names = [name for name in layer.columns if not located or name != layer.geometry.name]
    headings = tuple(_cell_text(str(name)) for name in names)

    def column(at: int) -> list[str]:
        values = layer[names[at]]
        if isinstance(values.dtype, pd.StringDtype):
            texts = values.fillna("").tolist()
        else:
            texts = [_layer_text(value) for value in values.tolist()]
        return [_cell_text(text) for text in texts]

    return RawTable(
        headings=headings,
        numbers=tuple(range(1, len(layer) + 1)),
        column=column,
        degrees=degrees,
    )


def _layer_text(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, datetime.date) and not pd.isna(value):
        return _cell_text(value)
    if isinstance(value, dict | list):
        return _value_text(value)
    return plain_word(value)


def _degrees(layer: gpd.GeoDataFrame, path: Path) -> NDArray[np.float64]:
    """Return longitude and latitude of the points of a layer, NaN for all other shapes."""
    if layer.crs is None:
        msg = f"{path}: the layer has no coordinate reference system."
        raise CrsError(msg, hint="Save it with one (EPSG:4326 for degrees, EPSG:2154 for metres).")
    try:
        shapes = layer.geometry.to_crs(4326).to_numpy()
    except Exception as error:
        # PROJ has many ways to say that a CRS is not one of places on the globe.
        msg = f"{path}: its places cannot be turned into degrees ({str(error)[:200]})."
        raise CrsError(msg, hint="Save it in EPSG:4326 or another known CRS.") from error
    single = (shapely.get_type_id(shapes) == shapely.GeometryType.MULTIPOINT) & (
        shapely.get_num_geometries(shapes) == 1
    )
    # Some portals write each point as a set of one.
    points = np.where(single, shapely.get_geometry(shapes, 0), shapes)
    real = (shapely.get_type_id(points) == shapely.GeometryType.POINT) & ~shapely.is_empty(points)
    points = np.where(real, points, None)
    return np.stack([shapely.get_x(points), shapely.get_y(points)], axis=1)
