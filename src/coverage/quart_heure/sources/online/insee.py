"""INSEE's figures of people: squares of 200 m (Filosofi), and population by IRIS.

The files are of the whole country: only what lies within bounds is read. Archives are unpacked
piece by piece, and given up when they hold more than they may.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyproj
import shapely

from quart_heure.errors import InputFileError
from quart_heure.sources.online.packed_files import unpacked
from quart_heure.sources.projecting import transformer

if TYPE_CHECKING:
    import geopandas as gpd


SQUARES_URL = (
    "https://www.insee.fr/fr/statistiques/fichier/8735162/Filosofi2021_carreaux_200m_gpkg.zip"
)
"""Filosofi 2021 on squares of 200 m, metropolitan France, Martinique and La Réunion."""

SQUARE_COLUMNS = ("square_id", "residents", "households", "poor_households", "imputed")

METROPOLITAN = 3035
GRIDS = {3035: "met", 5490: "mart", 2975: "reun", 2972: "guy", 4471: "may"}
"""Grids of squares: the CRS that their ids name, and the part of the country in names of files.

Metropolitan France has the European grid, departments overseas have one of their own (UTM). INSEE
gives figures of the first three.
"""

_SQUARE = re.compile(r"^\s*CRS(\d{4,5})RES(\d{1,5})mN(\d{1,8})E(\d{1,8})(?!\d)")
_NAMES = {
    "ind": "residents",
    "men": "households",
    "men_pauv": "poor_households",
    "i_est_200": "imputed",
    "i_est_200m": "imputed",
}
_ROWS_AT_ONCE = 200_000
_LARGEST_UNPACKED_MB = 8000.0
_IRIS_NAMES = ("iris", "iris_code", "code_iris", "dcomiris", "codeiris")


def grid_of(bounds: Sequence[float]) -> int:
    """Return the grid of squares of a place, by the middle of its bounds in degrees."""
    lon, lat = (bounds[0] + bounds[2]) / 2, (bounds[1] + bounds[3]) / 2
    for grid in GRIDS:
        use = pyproj.CRS.from_epsg(grid).area_of_use
        if grid == METROPOLITAN or use is None:
            continue
        if use.west <= lon <= use.east and use.south <= lat <= use.north:
            return grid
    return METROPOLITAN


def read_insee_squares(
    path: Path,
    bounds: Sequence[float] | None = None,
    *,
    grid: int = METROPOLITAN,
    largest_unpacked_mb: float = _LARGEST_UNPACKED_MB,
) -> gpd.GeoDataFrame:
    """Read INSEE's squares with the people in them.

    Parameters
    ----------
    path
        ``.gpkg`` or ``.csv`` with the columns ``idcar_200m`` and ``ind``, or a ``.zip`` of one.
        Of several files or layers, the one of the grid is read (``carreaux_200m_reun``).
    bounds
        In the CRS of the grid: west, south, east, north; squares that meet them are read. None for
        all.
    grid
        One of `GRIDS`; see `grid_of`.
    largest_unpacked_mb
        An archive that holds more is refused.

    Returns
    -------
    GeoDataFrame
        `SQUARE_COLUMNS` and geometry: squares in the CRS of the grid, ordered by square_id. A
        column that the file does not have is NaN.

    Raises
    ------
    InputFileError
        If the file is missing or not of this kind, has no square of the grid, or holds a square
        twice or a wrong number.
    """
    import geopandas as gpd  # noqa: PLC0415 - see the note on imports in the package

    if not path.is_file():
        msg = f"{path}: there is no such file."
        raise InputFileError(msg, hint="Check the name and the folder it is relative to.")
    part = GRIDS[grid]
    with unpacked(
        path, suffixes=(".gpkg", ".csv"), largest_mb=largest_unpacked_mb, part=part
    ) as plain:
        csv = plain.suffix.lower() in {".csv", ".txt"}
        near = _Near(grid, bounds)
        table = _read_csv(plain, path, near) if csv else _read_layer(plain, path, near)
    if bounds is not None and table.empty and near.other_grids:
        msg = f"{path}: has squares in EPSG:{near.other_grids[0]}, and none in EPSG:{grid}."
        raise InputFileError(msg, hint=f"Give the file of this part of the country ({part}).")
    corners, side = _corners(table["square_id"], path, grid)
    for name in SQUARE_COLUMNS[1:]:
        table[name] = _numbers(table, name, path)
    squares = gpd.GeoDataFrame(
        table[list(SQUARE_COLUMNS)],
        geometry=shapely.box(*corners.T, corners[:, 0] + side, corners[:, 1] + side),
        crs=grid,
    )
    if bounds is not None:
        squares = squares[shapely.intersects(squares.geometry.to_numpy(), shapely.box(*bounds))]
    squares = squares.sort_values("square_id", ignore_index=True)
    twice = squares["square_id"].duplicated()
    if twice.any():
        msg = f"{path}: the square {squares.loc[twice, 'square_id'].iloc[0]} stands there twice."
        raise InputFileError(msg, hint="Give one vintage of the squares.")
    return squares


def read_iris_population(
    csv: Path, polygons: Path, *, bounds: Sequence[float] | None = None
) -> gpd.GeoDataFrame:
    """Read the population of each IRIS, with its outline.

    Parameters
    ----------
    csv
        INSEE's table, ``;`` between columns: ``IRIS`` and ``P22_POP`` (or of another year).
    polygons
        A layer of outlines with the codes of the IRIS (``iris_code``, ``CODE_IRIS`` …).
    bounds
        In the CRS of the layer; None for all.

    Returns
    -------
    GeoDataFrame
        ``iris``, ``residents`` and geometry, in the CRS of the layer, ordered by iris.
        ``residents`` is NaN where the table has no such IRIS.

    Raises
    ------
    InputFileError
        If a file is missing or not of this kind, or no outline has a figure.
    """
    import geopandas as gpd  # noqa: PLC0415

    from quart_heure.sources.layers import check_layer, read_layer  # noqa: PLC0415

    people = _iris_people(csv)
    layer = read_layer(polygons)
    check_layer(layer, polygons)
    names = {str(column).lower(): column for column in layer.columns}
    code = next((names[name] for name in _IRIS_NAMES if name in names), None)
    if code is None or layer.crs is None:
        lacking = "no column with the codes of the IRIS" if code is None else "no CRS"
        msg = f"{polygons}: there is {lacking}."
        raise InputFileError(msg, hint=f"Columns are {', '.join(names)}.")
    if bounds is not None:
        layer = layer[shapely.intersects(layer.geometry.to_numpy(), shapely.box(*bounds))]
    codes = layer[code].astype(str).str.strip().str.zfill(9)
    found = gpd.GeoDataFrame(
        {"iris": codes.to_numpy(), "residents": codes.map(people).to_numpy(dtype=float)},
        geometry=layer.geometry.to_numpy(),
        crs=layer.crs,
    )
    if len(found) and found["residents"].isna().all():
        msg = f"{polygons}: none of its {len(found)} IRIS is in {csv.name}."
        raise InputFileError(msg, hint="Give outlines and figures of one country and year.")
    return found.sort_values("iris", ignore_index=True)


class _Near:
    """Keeps the squares of a grid that lie near bounds, all where there are none."""

    def __init__(self, grid: int, bounds: Sequence[float] | None) -> None:
        self.grid = grid
        self.bounds = bounds
        self.other_grids: tuple[int, ...] = ()
        """Grids of squares that were left out, for they lie in another part of the country."""

    def of(self, part: pd.DataFrame) -> pd.DataFrame:
        if self.bounds is None:
            return part
        west, south, east, north = self.bounds
        place = part["square_id"].astype(str).str.extract(_SQUARE).astype(float)
        grid, side, y, x = (place[k] for k in range(4))
        own = grid == self.grid
        others = set(grid[~own & grid.notna()].astype(int)) | set(self.other_grids)
        self.other_grids = tuple(sorted(others))
        near = (x <= east) & (x + side >= west) & (y <= north) & (y + side >= south)
        # What is no id is kept, to be told.
        return part[(near & own) | x.isna()]


def _read_csv(plain: Path, path: Path, near: _Near) -> pd.DataFrame:
    """Read the rows of a CSV file that lie within bounds, a part at a time."""
    try:
        with plain.open(encoding="utf-8-sig") as file:
            heading = file.readline()
        delimiter = max(",;\t", key=heading.count)
        header = [name.strip().strip('"') for name in heading.split(delimiter)]
        columns = _columns(header, path)
        parts = [
            near.of(part.rename(columns=columns))
            for part in pd.read_csv(
                plain,
                sep=delimiter,
                usecols=list(columns),
                dtype=str,
                encoding="utf-8-sig",
                chunksize=_ROWS_AT_ONCE,
            )
        ]
    except (OSError, UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        msg = f"{path}: cannot be read as CSV ({error})."
        raise InputFileError(msg, hint="Give INSEE's file as it comes.") from error
    return pd.concat(parts, ignore_index=True)


def _read_layer(plain: Path, path: Path, near: _Near) -> pd.DataFrame:
    import geopandas as gpd  # noqa: PLC0415
    import pyogrio  # noqa: PLC0415

    try:
        name = _layer_of(plain, path, near.grid)
        about = pyogrio.read_info(plain, layer=name)
        columns = _columns(about["fields"], path)
        place = None if near.bounds is None else tuple(_in_crs(near, about["crs"]))
        layer = gpd.read_file(
            plain, layer=name, bbox=place, columns=list(columns), engine="pyogrio"
        )
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, OSError) as error:
        msg = f"{path}: cannot be read as a layer ({error})."
        raise InputFileError(msg, hint="Give INSEE's file as it comes.") from error
    table = pd.DataFrame(layer.drop(columns="geometry", errors="ignore")).rename(columns=columns)
    return near.of(table)


def _layer_of(plain: Path, path: Path, grid: int) -> str:
    """Return the layer of a grid: the only one, or the one that is called after its part."""
    import pyogrio  # noqa: PLC0415

    names = [str(name) for name in pyogrio.list_layers(plain)[:, 0]]
    fit = [name for name in names if GRIDS[grid] in name.lower().split("_")]
    if len(names) == 1 or len(fit) == 1:
        return (fit or names)[0]
    msg = f"{path}: has {len(names)} layers ({', '.join(names[:5])}), and which is to be read?"
    raise InputFileError(msg, hint=f"Give one whose only layer is of the part {GRIDS[grid]!r}.")


def _in_crs(near: _Near, crs: str | None) -> Sequence[float]:
    west, south, east, north = near.bounds or ()
    if crs is None:
        return west, south, east, north
    to_layer = transformer(near.grid, crs)
    return to_layer.transform_bounds(west, south, east, north)


def _columns(found: Sequence[str], path: Path) -> dict[str, str]:
    """Return our names for the columns of a file."""
    columns = {}
    for name in found:
        plain = str(name).lower()
        if plain in {"idcar_200m", "idinspire", "idcar"}:
            columns[name] = "square_id"
        elif plain in _NAMES:
            columns[name] = _NAMES[plain]
        elif plain in SQUARE_COLUMNS:  # as a snapshot keeps them
            columns[name] = plain
    for needed, theirs in (("square_id", "idcar_200m"), ("residents", "ind")):
        if needed not in columns.values():
            msg = f"{path}: there is no column {theirs!r}."
            raise InputFileError(msg, hint=f"Columns are {', '.join(map(str, found)) or 'none'}.")
    return columns


def _corners(ids: pd.Series[str], path: Path, grid: int) -> tuple[np.ndarray[Any, Any], float]:
    """Return the lower left corner of each square, and their side."""
    place = ids.astype(str).str.extract(_SQUARE)
    wrong = place[0] != str(grid)
    if wrong.any():
        msg = f"{path}: {ids[wrong].iloc[0]!r} is not the id of a square in EPSG:{grid}."
        raise InputFileError(msg, hint=f"It reads like CRS{grid}RES200mN2890400E3761200.")
    sides = set(place[1])
    if len(sides) > 1:
        msg = f"{path}: squares of several sizes ({', '.join(sorted(sides))} m)."
        raise InputFileError(msg, hint="Give the squares of 200 m alone.")
    return place[[3, 2]].to_numpy(dtype=float), float(sides.pop()) if sides else 200.0


def _numbers(table: pd.DataFrame, name: str, path: Path) -> pd.Series[float]:
    if name not in table:
        return pd.Series(np.nan, index=table.index)
    values = pd.to_numeric(table[name], errors="coerce").astype(float)
    wrong = values.isna() | (values < 0)
    if wrong.any() and name == "residents":
        msg = (
            f"{path}: {table.loc[wrong, name].iloc[0]!r} is not a number of residents"
            f" ({table.loc[wrong, 'square_id'].iloc[0]})."
        )
        raise InputFileError(msg, hint="Give INSEE's file as it comes.")
    return values


def _iris_people(csv: Path) -> dict[str, float]:
    """Return the people of each IRIS."""
    if not csv.is_file():
        msg = f"{csv}: there is no such file."
        raise InputFileError(msg, hint="Check the name and the folder it is relative to.")
    try:
        table = pd.read_csv(csv, sep=";", dtype=str, encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        msg = f"{csv}: cannot be read as CSV ({error})."
        raise InputFileError(msg, hint="Give INSEE's file as it comes.") from error
    names = {str(name).upper(): name for name in table.columns}
    figure = next((names[n] for n in sorted(names) if re.fullmatch(r"P\d\d_POP", n)), None)
    if "IRIS" not in names or figure is None:
        lacking = "IRIS" if "IRIS" not in names else "P22_POP (or of another year)"
        msg = f"{csv}: there is no column {lacking}."
        raise InputFileError(msg, hint=f"Columns are {', '.join(map(str, table.columns[:8]))}.")
    people = pd.to_numeric(table[figure], errors="coerce").astype(float)
    wrong = people.isna() | (people < 0)
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        msg = f"{csv}, row {row + 1}: {table[figure].iloc[row]!r} is not a number of residents."
        raise InputFileError(msg, hint="Give INSEE's file as it comes.")
    codes = table[names["IRIS"]].str.strip().str.zfill(9)
    return dict(zip(codes, people, strict=True))
