"""What lies in a folder: districts, services, residents, streets, told by what is in the files.

Nothing is decided here: what may be meant is listed, the likeliest first, for a person to choose.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import shapely

from quart_heure.errors import QuartHeureError
from quart_heure.network.files import holds_tiles
from quart_heure.sources.areas.names import ID_COLUMNS, LABEL_COLUMNS
from quart_heure.sources.layers import holds_geometry, read_layers
from quart_heure.sources.osm.data import OSM_SUFFIXES
from quart_heure.sources.raw_tables import read_raw_tables
from quart_heure.sources.residents.files import counting_columns
from quart_heure.sources.services.columns import is_usual_heading
from quart_heure.sources.texts import fold
from quart_heure.sources.tiles import TILE_SUFFIXES
from quart_heure.sources.workbooks import WORKBOOKS
from quart_heure.starting.lists import ServiceList, as_list, in_place_of_others

if TYPE_CHECKING:
    import geopandas as gpd

_TABLES = frozenset({".csv", ".tsv", ".txt", *WORKBOOKS})
_LAYERS = (".geojson", ".json", ".gpkg", ".shp", ".kml", ".fgb", ".tab", ".umap", ".geojson.gz")
_PARQUET = (".parquet", ".geoparquet")
_RASTERS = (".tif", ".tiff")
_LARGEST_BYTES = 100_000_000
"""Larger tables and layers are not looked into: they can be named."""

_MOST_FILES = 200
"""A folder of more is not one of a study."""

_MOST_DISTRICTS = 3_000
_OF_DISTRICTS = ("district", "arrond", "secteur", "commune", "quart", "zone", "iris")
"""Words by which files of districts are called, the likeliest first."""

_NAMED_SQUARES = re.compile(r"id(car|crs|inspire|_car).*", re.IGNORECASE)


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Polygons:
    """A layer of polygons.

    Parameters
    ----------
    file, layer
        Where it is; the layer is "" where the file has that of polygons alone.
    table
        Its rows.
    """

    file: Path
    layer: str
    table: gpd.GeoDataFrame


@dataclasses.dataclass(frozen=True, kw_only=True)
class People:
    """A column of a file that counts residents.

    Parameters
    ----------
    file, layer
        Where it is.
    column
        Its heading, "" where the file says by itself where people are.
    rows
        How many zones or squares are counted; 0 where that is not known.
    """

    file: Path
    layer: str = ""
    column: str = ""
    rows: int = 0


@dataclasses.dataclass(kw_only=True)
class Found:
    """What lies in a folder, by what it can be for a study; the likeliest of each first."""

    districts: list[Polygons] = dataclasses.field(default_factory=list)
    lists: list[ServiceList] = dataclasses.field(default_factory=list)
    people: list[People] = dataclasses.field(default_factory=list)
    networks: list[Path] = dataclasses.field(default_factory=list)
    backgrounds: list[Path] = dataclasses.field(default_factory=list)
    unread: list[tuple[Path, str]] = dataclasses.field(default_factory=list)
    """Files that are none of these, and why."""

    @property
    def nothing(self) -> bool:
        """Whether nothing was found that a study could be made of."""
        return not (self.districts or self.lists or self.people or self.networks)


def look_into(folder: Path, *, but: Sequence[Path] = ()) -> Found:
    """Look into the files of a folder, and of the snapshots in it.

    Parameters
    ----------
    folder
        Where they lie.
    but
        Files that are not looked into.
    """
    found = Found()
    shut = {path.resolve() for path in but}
    files = _files(folder) if folder.is_dir() else iter(())
    for path in itertools.islice(files, _MOST_FILES):
        if path.resolve() not in shut:
            look_at(path, found)
    more = sum(1 for _ in files)
    if more:
        found.unread.append((folder, f"{more} beyond the {_MOST_FILES} files looked into"))
    found.lists = in_place_of_others(found.lists)
    found.districts.sort(key=_unlike_districts)
    # The finer, the better it is known where people live.
    found.people.sort(key=lambda people: (-people.rows, people.file.name))
    return found


def look_at(path: Path, found: Found) -> None:
    """Look at one file, or folder of tiles, and note what it can be."""
    name = path.name.lower()
    if holds_tiles(path) or name.endswith((*OSM_SUFFIXES, *TILE_SUFFIXES)):
        found.networks.append(path)
        return
    try:
        if path.suffix.lower() in _RASTERS:
            found.people.append(People(file=path))
        elif path.stat().st_size > _LARGEST_BYTES and not name.endswith(_PARQUET):
            found.unread.append((path, "larger than what is looked into"))
        elif name.endswith(_PARQUET):
            _look_at_parquet(path, found)
        elif path.suffix.lower() in _TABLES:
            _look_at_tables(path, found)
        else:
            _look_at_layers(path, found)
    except (QuartHeureError, OSError) as error:
        told = error.args[0] if isinstance(error, QuartHeureError) else error.strerror
        found.unread.append((path, str(told).removeprefix(f"{path}: ").removesuffix(".")))


def _files(folder: Path) -> Iterator[Path]:
    """Give what may be looked at: files, folders of tiles, and what snapshots hold."""
    if _is_tiles(folder):
        yield folder
    for path in sorted(folder.iterdir()):
        name = path.name.lower()
        if name.startswith((".", "~")):
            continue
        if path.is_dir():
            if _is_tiles(path):
                yield path
            elif _is_snapshot(path):
                yield from (each for each in sorted(path.iterdir()) if each.suffix in _OF_SNAPSHOT)
            elif path.name == "snapshots":
                yield from _files(path)
        elif name.endswith(_LOOKED_AT) and not _ANSWER.search(name):
            yield path


_ANSWER = re.compile(r"_answer_\d{4}-\d\d-\d\d\.csv$")
"""What a geocoding service said, kept beside the list that was made of it."""

_LOOKED_AT = (*OSM_SUFFIXES, *TILE_SUFFIXES, *_LAYERS, *_PARQUET, *_RASTERS, *sorted(_TABLES))

_OF_SNAPSHOT = (".geojson", ".parquet", ".csv")


def _is_tiles(folder: Path) -> bool:
    return any(folder.glob("[0-9]*/[0-9]*/[0-9]*.*"))


def _is_snapshot(folder: Path) -> bool:
    try:
        about = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(about, dict) and about.get("kind") == "quart-heure snapshot"


def _look_at_parquet(path: Path, found: Found) -> None:
    import pyarrow as pa  # noqa: PLC0415 - only for this format
    import pyarrow.parquet as pq  # noqa: PLC0415

    try:
        with pq.ParquetFile(path) as file:
            names, rows = set(file.schema_arrow.names), file.metadata.num_rows
    except (pa.ArrowException, ValueError):
        found.unread.append((path, "cannot be read as Parquet"))
        return
    if {"u", "v"} <= names:
        found.networks.append(path)
    elif {"col", "row", "residents"} <= names:
        found.people.append(People(file=path, rows=rows))
    elif "kind" in names and holds_geometry(path):
        found.backgrounds.append(path)
    elif holds_geometry(path):
        _look_at_layers(path, found)
    else:
        _look_at_tables(path, found)


def _look_at_tables(path: Path, found: Found) -> None:
    tables = [
        table
        for table in read_raw_tables(path, is_heading=is_usual_heading)
        if len(table) and not table.hidden
    ]
    lists = [one for table in tables if (one := as_list(path, table)) is not None]
    found.lists += lists
    if lists:
        return
    named = {*ID_COLUMNS, *LABEL_COLUMNS}
    for table in tables if path.suffix.lower() not in WORKBOOKS else ():
        columns = counting_columns(table.headings)
        places = [h for h in table.headings if fold(h) in named or _NAMED_SQUARES.match(h)]
        if columns and places:
            found.people.append(People(file=path, column=columns[0], rows=len(table)))
            return
    found.unread.append((path, "no column of places or addresses, none of residents"))


def _look_at_layers(path: Path, found: Found) -> None:
    layers = read_layers(path)
    areal = [
        name
        for name, layer in layers.items()
        if len(layer) and (shapely.get_dimensions(layer.geometry.to_numpy()) == 2).all()
    ]
    for name in areal:
        layer = name if len(areal) > 1 else ""
        columns = counting_columns(map(str, layers[name].columns))
        if len(layers[name]) <= _MOST_DISTRICTS:
            found.districts.append(Polygons(file=path, layer=layer, table=layers[name]))
        if columns:
            rows = len(layers[name])
            found.people.append(People(file=path, layer=layer, column=columns[0], rows=rows))
    if areal:
        return
    lists = [
        one
        for table in read_raw_tables(path, is_heading=is_usual_heading)
        if len(table) and (one := as_list(path, table)) is not None
    ]
    found.lists += lists
    if not lists:
        found.unread.append((path, "no polygons, no points"))


def _unlike_districts(polygons: Polygons) -> tuple[int, int, str]:
    """Order layers by how likely they are the districts: by their name, then the fewest first."""
    name = fold(f"{polygons.file.stem} {polygons.layer}")
    called = next((n for n, word in enumerate(_OF_DISTRICTS) if word in name), len(_OF_DISTRICTS))
    return called, len(polygons.table), polygons.file.name
