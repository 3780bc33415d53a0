"""Study areas: a polygon and its districts, in one metric coordinate reference system."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray

from quart_heure.errors import CrsError, GeometryError, InputFileError
from quart_heure.sources.areas.districts import (
    check_districts,
    fault_rows,
    mend_polygon,
    mended_row,
    parents_of,
)
from quart_heure.sources.areas.names import (
    ID_COLUMNS,
    LABEL_COLUMNS,
    column_words,
)

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

__all__ = ["area_from_districts", "read_area"]

_FRANCE = shapely.box(-5.5, 41.2, 9.8, 51.3)
"""Metropolitan France in degrees, where Lambert-93 is the national metric system."""

HELD_SHARE = 0.99
"""A part of a finer division of which its district holds less is told as lying across."""

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
    subdistricts
        A finer division, such as quartiers: the same columns and parent_id, the district that
        holds most of each, "" for none.
    problems
        Rows of a table of problems: what was mended, where districts overlap or leave gaps.
    """

    name: str
    geometry: shapely.Polygon | shapely.MultiPolygon
    crs: pyproj.CRS
    districts: gpd.GeoDataFrame
    subdistricts: gpd.GeoDataFrame | None = None
    problems: tuple[Mapping[str, Any], ...] = ()

    def __post_init__(self) -> None:
        """Put the districts in the order of their ids: it decides who holds a common border."""
        ordered = self.districts.sort_values("district_id", kind="stable", ignore_index=True)
        object.__setattr__(self, "districts", ordered)

    def by_subdistrict(self) -> StudyArea:
        """Return the same area with its finer division as districts: figures per quartier.

        Raises
        ------
        GeometryError
            If it has none.
        """
        if self.subdistricts is None:
            msg = f"{self.name!r} has no finer division than its districts."
            raise GeometryError(msg, hint="Name its file: subdistricts = … in [area].")
        finer = self.subdistricts.drop(columns="parent_id")
        return dataclasses.replace(self, districts=finer, subdistricts=None)


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
    subdistricts: Path | None = None,
    mend: bool = False,
) -> StudyArea:
    """Read districts from a file; their union is the study area.

    Parameters
    ----------
    path
        GeoJSON, GeoPackage, GeoParquet or shapefile of polygons.
    name
        Name of the area; the file's name by default.
    id_column, label_column
        Columns that name the districts; by default the first of the usual ones (see
        `quart_heure.sources.areas.names`), else the order of the rows.
    subdistricts
        File of a finer division, its columns found in the same way.
    mend
        Mend invalid polygons, and tell so, instead of refusing them.

    Raises
    ------
    InputFileError
        If the file or a column is missing.
    CrsError
        If the layer has no CRS.
    GeometryError
        If a polygon is invalid or empty, a district has no id, or two have the same.
    """
    area = area_from_districts(
        read_layer(path),
        name=name or path.stem,
        id_column=id_column,
        label_column=label_column,
        origin=str(path),
        mend=mend,
    )
    return area if subdistricts is None else _divide(area, subdistricts, mend=mend)


def area_from_districts(
    layer: gpd.GeoDataFrame,
    *,
    name: str,
    id_column: str | None = None,
    label_column: str | None = None,
    origin: str = "districts",
    mend: bool = False,
) -> StudyArea:
    """Make a study area of a table of polygons (see `read_area`)."""
    layer, mended = _sound_polygons(layer, origin, mend=mend)
    degrees = layer.to_crs(4326)
    own = pyproj.CRS(layer.crs)
    is_metric = own.is_projected and own.axis_info[0].unit_conversion_factor == 1
    crs = own if is_metric else metric_crs(shapely.box(*degrees.total_bounds))
    # Web Mercator is counted in metres, yet its metres are 1.5 times too long at Paris.
    if is_metric and "Mercator" in own.name and "transverse" not in own.name.lower():
        crs = metric_crs(shapely.box(*degrees.total_bounds))
    table = _named_polygons(layer.to_crs(crs), id_column, label_column, origin)
    union = shapely.union_all(table.geometry.to_numpy())
    faults = fault_rows(check_districts(table, union=union), file=Path(origin).name)
    return StudyArea(
        name=name, geometry=union, crs=crs, districts=table, problems=(*mended, *faults)
    )


def _divide(area: StudyArea, path: Path, *, mend: bool) -> StudyArea:
    """Give an area the finer division of a file."""
    layer, mended = _sound_polygons(read_layer(path), str(path), mend=mend)
    finer = _named_polygons(layer.to_crs(area.crs), None, None, str(path))
    faults = fault_rows(check_districts(finer), file=path.name)
    parents, share = parents_of(finer, area.districts)
    finer.insert(2, "parent_id", parents)
    astray = [
        {
            "file": path.name,
            "row": None,
            "field": "geometry",
            "value": f"{one} – {label}",
            "reason": "in no district" if parent == "" else "in several districts",
            "action": "left out" if parent == "" else "given to the one with most of it",
        }
        for one, label, parent, held in zip(
            finer["district_id"], finer["label"], parents, share, strict=True
        )
        if held < HELD_SHARE
    ]
    return dataclasses.replace(
        area,
        subdistricts=finer[finer["parent_id"] != ""].reset_index(drop=True),
        problems=(*area.problems, *mended, *faults, *astray),
    )


def read_layer(path: Path, *, around: gpd.GeoSeries | None = None) -> gpd.GeoDataFrame:
    """Read the first layer of a vector file.

    Parameters
    ----------
    path
        GeoJSON (also compressed: ``.gz``), GeoPackage, GeoParquet or shapefile.
    around
        What does not meet the rectangle around this may be left out: layers of a whole country are
        then read in part.

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
        # GDAL reads a compressed layer in place when it is told so.
        compressed = path.suffix.lower() == ".gz"
        source = f"/vsigzip/{path.resolve()}" if compressed else path
        try:
            return gpd.read_file(source, bbox=around)
        except ValueError:
            # Without a CRS nothing can be sought in it: who asked says what is missing.
            return gpd.read_file(source)
    except Exception as error:
        # Drivers raise what they like; whatever it is, the file could not be read.
        msg = f"{path}: cannot be read as a vector layer ({' '.join(str(error).split())})."
        raise InputFileError(
            msg, hint="Give a GeoJSON, GeoPackage, GeoParquet or shapefile."
        ) from error


def check_layer(layer: gpd.GeoDataFrame | pd.DataFrame, origin: object) -> None:
    """Refuse what was read as a layer and has no geometry: drivers read plain tables too.

    Raises
    ------
    InputFileError
        If it has none.
    """
    import geopandas as gpd  # noqa: PLC0415 - as above

    if not isinstance(layer, gpd.GeoDataFrame) or layer.active_geometry_name is None:
        msg = f"{origin}: is a table without geometry."
        raise InputFileError(msg, hint="Give a GeoJSON, GeoPackage, GeoParquet or shapefile.")


def _sound_polygons(
    layer: gpd.GeoDataFrame, origin: str, *, mend: bool
) -> tuple[gpd.GeoDataFrame, list[Mapping[str, Any]]]:
    """Return a layer whose polygons are all valid, and what was mended in it."""
    check_layer(layer, origin)
    if layer.crs is None:
        msg = f"{origin}: the layer has no coordinate reference system."
        raise CrsError(msg, hint="Save it with one (EPSG:4326 for degrees, EPSG:2154 for metres).")
    if len(layer) == 0:
        msg = f"{origin}: there is no district."
        raise GeometryError(msg, hint="Give at least one polygon.")
    shapes = layer.geometry.to_numpy()
    mended: list[Mapping[str, Any]] = []
    if mend:
        shapes = shapes.copy()
        for row in np.flatnonzero(_is_polygon(shapes) & ~shapely.is_valid(shapes)).tolist():
            why = shapely.is_valid_reason(shapes[row])
            mended.append(mended_row(file=Path(origin).name, row=row + 1, why=why))
            shapes[row] = mend_polygon(shapes[row])
        layer = layer.set_geometry(shapes, crs=layer.crs)
    for bad, what in (
        (~_is_polygon(shapes), "is not a polygon"),
        (shapely.is_empty(shapes), "is empty"),
        (~shapely.is_valid(shapes), "is not a valid polygon"),
    ):
        if bad.any():
            row = int(np.flatnonzero(bad)[0])
            why = shapely.is_valid_reason(shapes[row]) if _is_polygon(shapes)[row] else ""
            msg = f"{origin}, row {row + 1}: the geometry {what}" + (f" ({why})." if why else ".")
            hint = "Mend it, for instance with 'Fix geometries' in QGIS, or set mend = true."
            if not why:
                hint = "Every row is a district: give its polygon, or leave the row out."
            raise GeometryError(msg, hint=hint)
    return layer, mended


def _is_polygon(shapes: NDArray[np.object_]) -> NDArray[np.bool_]:
    kinds = [shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON]
    polygonal: NDArray[np.bool_] = np.isin(shapely.get_type_id(shapes), kinds)
    return polygonal


def _named_polygons(
    layer: gpd.GeoDataFrame, id_column: str | None, label_column: str | None, origin: str
) -> gpd.GeoDataFrame:
    """Return district_id, label and geometry, ordered by id."""
    import geopandas as gpd  # noqa: PLC0415 - imported where a table is really made

    table = gpd.GeoDataFrame(
        {
            "district_id": column_words(layer, id_column, ID_COLUMNS, origin, unique=True),
            "label": column_words(layer, label_column, LABEL_COLUMNS, origin, unique=False),
        },
        geometry=layer.geometry.to_numpy(),
        crs=layer.crs,
    )
    table["label"] = table["label"].where(table["label"] != "", table["district_id"])
    # An empty id stands for "in no district" everywhere else.
    blank = (table["district_id"] == "").to_numpy()
    if blank.any():
        msg = f"{origin}, row {int(np.flatnonzero(blank)[0]) + 1}: the district has no id."
        raise GeometryError(msg, hint="Give it one, or name another column: id_column in [area].")
    if table["district_id"].duplicated().any():
        twice = sorted(table.loc[table["district_id"].duplicated(), "district_id"])[0]
        msg = f"{origin}: two districts have the id {twice!r}."
        raise GeometryError(msg, hint="Merge them or give them ids of their own.")
    return table.sort_values("district_id", ignore_index=True)
