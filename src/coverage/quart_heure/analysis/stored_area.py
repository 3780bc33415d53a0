"""A study area kept between runs: reading, projecting and joining its districts is done once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray

from quart_heure.cache import Cache, packed, unpacked
from quart_heure.files import hashes_of
from quart_heure.sources.areas.areas import StudyArea, read_area

if TYPE_CHECKING:
    import geopandas as gpd


_KNOWN = (".geojson", ".geojson.gz", ".json", ".gpkg", ".parquet", ".geoparquet", ".shp")
"""Endings of files of which it is known what belongs to them; others are read each time."""


def stored_area(
    path: Path, cache: Cache, *, subdistricts: Path | None = None, **options: Any
) -> StudyArea:
    """Return the study area of a file of districts, by way of the cache.

    Parameters
    ----------
    path, subdistricts, options
        See `read_area`, and for the errors it raises.
    cache
        Keeps the area for the next run.
    """

    def compute() -> dict[str, NDArray[Any]]:
        return _arrays_of(read_area(path, subdistricts=subdistricts, **options))

    files = [file for file in (path, subdistricts) if file is not None]
    known = all(file.is_file() and file.name.lower().endswith(_KNOWN) for file in files)
    if cache.folder is None or not known:
        return read_area(path, subdistricts=subdistricts, **options)
    key = [[hashes_of(file) for file in files], options]
    return cache.recall_as("area", key, compute, _area_of)


def _arrays_of(area: StudyArea) -> dict[str, NDArray[Any]]:
    tables = [area.districts] + ([] if area.subdistricts is None else [area.subdistricts])
    words = {
        "name": area.name,
        # As it was given: two ways to write one CRS would be told apart in a manifest.
        "crs": area.crs.to_string(),
        "tables": [
            {column: table[column].tolist() for column in table.columns if column != "geometry"}
            for table in tables
        ],
        "problems": [dict(row) for row in area.problems],
    }
    return {
        **packed([area.geometry, *(s for t in tables for s in t.geometry)]),
        "words": np.frombuffer(json.dumps(words).encode(), dtype=np.uint8),
    }


def _area_of(arrays: dict[str, NDArray[Any]]) -> StudyArea:
    words = json.loads(bytes(arrays["words"]))
    outline, *shapes = unpacked(arrays)
    crs = pyproj.CRS.from_user_input(words["crs"])
    tables = []
    for columns in words["tables"]:
        n = len(columns["district_id"])
        tables.append(_table(columns, shapes[:n], crs))
        shapes = shapes[n:]
    return StudyArea(
        name=words["name"],
        geometry=outline,
        crs=crs,
        districts=tables[0],
        subdistricts=tables[1] if len(tables) > 1 else None,
        problems=tuple(words["problems"]),
    )


def _table(
    columns: dict[str, list[str]], shapes: list[shapely.Geometry], crs: pyproj.CRS
) -> gpd.GeoDataFrame:
    import geopandas as gpd  # noqa: PLC0415 - imported where a table is really made

    return gpd.GeoDataFrame(columns, geometry=shapes, crs=crs)
