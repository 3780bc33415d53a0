"""Study areas: a polygon and its districts, in one metric coordinate reference system."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyproj
import shapely

from quart_heure.errors import CrsError, GeometryError, InputFileError

if TYPE_CHECKING:
    import geopandas as gpd

__all__ = [
    "StudyArea",
    "area_from_districts",
    "metric_crs",
    "plain_word",
    "read_area",
    "read_layer",
]

_FRANCE = shapely.box(-5.5, 41.2, 9.8, 51.3)
"""Metropolitan France in degrees, where Lambert-93 is the national metric system."""

_LAMBERT_93 = pyproj.CRS.from_epsg(2154)


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class StudyArea:
    """Where coverage is measured.

    Parameters
    ----------
    name
        Name shown to people.
    geometry
        The area: Polygon or MultiPolygon in ``crs``.
    crs
        The metric CRS of the whole study.
    districts
        Columns district_id, label and geometry (in ``crs``), ordered by district_id.
    """

    name: str
    geometry: shapely.Polygon | shapely.MultiPolygon
    crs: pyproj.CRS
    districts: gpd.GeoDataFrame

    def __post_init__(self) -> None:
        """Put the districts in the order of their ids: it decides who holds a common border."""
        ordered = self.districts.sort_values("district_id", kind="stable", ignore_index=True)
        object.__setattr__(self, "districts", ordered)


def metric_crs(geometry: shapely.Geometry) -> pyproj.CRS:
    """Return the metric CRS for a geometry in degrees.

    EPSG:2154 (Lambert-93) in metropolitan France, else the UTM zone of the centroid.

    Raises
    ------
    CrsError
        If the coordinates are not degrees.
    """
    west, south, east, north = shapely.bounds(geometry)
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        msg = f"Coordinates {west:.1f} … {east:.1f}, {south:.1f} … {north:.1f} are not degrees."
        raise CrsError(msg, hint="Check the coordinate reference system of the area.")
    if shapely.covers(_FRANCE, geometry):
        return _LAMBERT_93
    centre = shapely.centroid(geometry)
    zone = min(int((centre.x + 180) // 6) + 1, 60)
    return pyproj.CRS.from_epsg((32600 if centre.y >= 0 else 32700) + zone)


def read_area(
    path: Path,
    *,
    name: str = "",
    id_column: str | None = None,
    label_column: str | None = None,
) -> StudyArea:
    """Read districts from a file; their union is the study area.

    Parameters
    ----------
    path
        GeoJSON, GeoPackage, GeoParquet or shapefile of polygons.
    name
        Name of the area; the file's name by default.
    id_column, label_column
        Columns that name the districts; ``district_id`` and ``label`` by default, else the order of
        the rows.

    Raises
    ------
    InputFileError
        If the file or a column is missing.
    CrsError
        If the layer has no CRS.
    GeometryError
        If a polygon is invalid or empty, or two districts have one id.
    """
    layer = read_layer(path)
    return area_from_districts(
        layer,
        name=name or path.stem,
        id_column=id_column,
        label_column=label_column,
        origin=str(path),
    )


def area_from_districts(
    layer: gpd.GeoDataFrame,
    *,
    name: str,
    id_column: str | None = None,
    label_column: str | None = None,
    origin: str = "districts",
) -> StudyArea:
    """Make a study area of a table of polygons (see `read_area`)."""
    import geopandas as gpd  # noqa: PLC0415 - imported where a table is really made

    if layer.crs is None:
        msg = f"{origin}: the layer has no coordinate reference system."
        raise CrsError(msg, hint="Save it with one (EPSG:4326 for degrees, EPSG:2154 for metres).")
    if len(layer) == 0:
        msg = f"{origin}: there is no district."
        raise GeometryError(msg, hint="Give at least one polygon.")
    _check_polygons(layer, origin)
    degrees = layer.to_crs(4326)
    own = pyproj.CRS(layer.crs)
    is_metric = own.is_projected and own.axis_info[0].unit_conversion_factor == 1
    crs = own if is_metric else metric_crs(shapely.box(*degrees.total_bounds))
    # Web Mercator is counted in metres, yet its metres are 1.5 times too long at Paris.
    if is_metric and "Mercator" in own.name and "transverse" not in own.name.lower():
        crs = metric_crs(shapely.box(*degrees.total_bounds))
    districts = layer.to_crs(crs)
    table = gpd.GeoDataFrame(
        {
            "district_id": _words(layer, id_column, ["district_id"], origin),
            "label": _words(layer, label_column, ["label", "name"], origin),
        },
        geometry=districts.geometry.to_numpy(),
        crs=crs,
    )
    table["label"] = table["label"].where(table["label"] != "", table["district_id"])
    if table["district_id"].duplicated().any():
        twice = sorted(table.loc[table["district_id"].duplicated(), "district_id"])[0]
        msg = f"{origin}: two districts have the id {twice!r}."
        raise GeometryError(msg, hint="Merge them or give them ids of their own.")
    table = table.sort_values("district_id", ignore_index=True)
    union = shapely.union_all(table.geometry.to_numpy())
    return StudyArea(name=name, geometry=union, crs=crs, districts=table)


def read_layer(path: Path) -> gpd.GeoDataFrame:
    """Read the first layer of a vector file.

    Raises
    ------
    InputFileError
        If the file is missing or cannot be read.
    """
    import geopandas as gpd  # noqa: PLC0415 - imported where a file is really read

    if not path.exists():
        msg = f"{path}: there is no such file."
        raise InputFileError(msg, hint="Check the name and the folder it is relative to.")
    try:
        if path.suffix.lower() in {".parquet", ".geoparquet"}:
            return gpd.read_parquet(path)
        return gpd.read_file(path)
    except Exception as error:
        # Drivers raise what they like; whatever it is, the file could not be read.
        msg = f"{path}: cannot be read as a vector layer ({' '.join(str(error).split())})."
        raise InputFileError(
            msg, hint="Give a GeoJSON, GeoPackage, GeoParquet or shapefile."
        ) from error


def _check_polygons(layer: gpd.GeoDataFrame, origin: str) -> None:
    shapes = layer.geometry.to_numpy()
    polygonal = np.isin(
        shapely.get_type_id(shapes),
        [shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON],
    )
    for bad, what in (
        (~polygonal, "is not a polygon"),
        (shapely.is_empty(shapes), "is empty"),
        (~shapely.is_valid(shapes), "is not a valid polygon"),
    ):
        if bad.any():
            row = int(np.flatnonzero(bad)[0])
            why = shapely.is_valid_reason(shapes[row]) if polygonal[row] else ""
            msg = f"{origin}, row {row + 1}: the geometry {what}" + (f" ({why})." if why else ".")
            raise GeometryError(msg, hint="Mend it, for instance with 'Fix geometries' in QGIS.")


def _words(
    layer: gpd.GeoDataFrame, column: str | None, usual: Iterable[str], origin: str
) -> list[str]:
    """Return a column as text, falling back on usual names and then on the order of the rows."""
    if column is not None and column not in layer.columns:
        msg = f"{origin}: there is no column {column!r}."
        raise InputFileError(msg, hint=f"Columns are {', '.join(map(str, layer.columns))}.")
    names = [column] if column is not None else [name for name in usual if name in layer.columns]
    if not names:
        return [str(i + 1) for i in range(len(layer))]
    return [plain_word(value) for value in layer[names[0]]]


def plain_word(value: Any) -> str:
    """Return a value of a table as text, "" if missing; whole numbers lose their decimal point."""
    import pandas as pd  # noqa: PLC0415 - half a second that reading raw streets does not need

    if pd.api.types.is_scalar(value) and pd.isna(value):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
