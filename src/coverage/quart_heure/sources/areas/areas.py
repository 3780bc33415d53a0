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

from quart_heure.errors import GeometryError
from quart_heure.files import AnyPath
from quart_heure.sources.areas.districts import (
    check_districts,
    fault_rows,
    mended_row,
    parents_of,
)
from quart_heure.sources.areas.names import named_rows
from quart_heure.sources.layers import check_layer, choose_layer, read_layer
from quart_heure.sources.projecting import (
    check_crs,
    keeps_lengths,
    mend_polygon,
    mended,
    metric_crs,
    projected,
)

if TYPE_CHECKING:
    import geopandas as gpd

__all__ = ["area_from_districts", "read_area"]

MOST_DISTRICTS = 30_000
"""More than the communes of a whole region; cells number theirs in two bytes."""

HELD_SHARE = 0.99
"""A part of a finer division of which its district holds less is told as lying across."""

_MOST_DEGREES = 180.0


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False, repr=False)
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

    def __repr__(self) -> str:
        """Tell its name and size; the tables hold its districts."""
        finer = "" if self.subdistricts is None else f", {len(self.subdistricts)} quarters"
        return (
            f"StudyArea {self.name!r}: {self.geometry.area / 1e6:,.1f} km², "
            f"{len(self.districts)} districts{finer}, {self.crs.to_string()}"
        )

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


def read_area(
    path: AnyPath,
    *,
    name: str = "",
    id_column: str | None = None,
    label_column: str | None = None,
    layer: str = "",
    subdistricts: AnyPath | None = None,
    subdistricts_layer: str = "",
    mend: bool = False,
) -> StudyArea:
    """Read districts from a file; their union is the study area.

    Parameters
    ----------
    path
        Layer of polygons, see `quart_heure.sources.layers.KNOWN_FORMATS`.
    name
        Name of the area; the file's name by default.
    id_column, label_column
        Columns that name the districts; by default the first of the usual ones, else see
        `quart_heure.sources.areas.names.named_rows`.
    layer
        The layer of the file, where it has several of polygons.
    subdistricts, subdistricts_layer
        File of a finer division, and its layer; columns are found in the same way.
    mend
        Mend invalid polygons, and tell so, instead of refusing them.

    Raises
    ------
    InputFileError
        If the file or a column is missing, or the file has several layers of polygons.
    CrsError
        If the layer has no CRS, or one of no place on the globe.
    GeometryError
        If a polygon is invalid or empty, a district has no id, or two have the same.
    """
    subdistricts = None if subdistricts is None else Path(subdistricts)
    path = Path(path)
    chosen, told = choose_layer(path, layer, polygons=True)
    area = area_from_districts(
        read_layer(path, layer=chosen),
        name=name or path.stem,
        id_column=id_column,
        label_column=label_column,
        origin=str(path),
        mend=mend,
    )
    area = dataclasses.replace(area, problems=(*told, *area.problems))
    if subdistricts is None:
        return area
    return _divide(area, subdistricts, layer=subdistricts_layer, mend=mend)


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
    layer, told = _sound_polygons(layer, origin, mend=mend)
    bounds = tuple(projected(layer, 4326, origin).total_bounds)
    own = pyproj.CRS(layer.crs)
    # Web Mercator and others count in metres that are not those of the ground. Degrees that are
    # called metres make an area of no size, which is told where it is cut into cells.
    misnamed = own.is_projected and np.abs(layer.total_bounds).max() <= _MOST_DEGREES
    believed = misnamed or keeps_lengths(own, bounds)
    crs = own if believed else metric_crs(shapely.box(*bounds))
    layer, more = _in_metres(layer, crs, origin)
    table, named = _named_polygons(layer, id_column, label_column, origin)
    union = shapely.union_all(table.geometry.to_numpy())
    faults = fault_rows(check_districts(table, union=union), file=Path(origin).name)
    problems = (*told, *more, *named, *faults)
    return StudyArea(name=name, geometry=union, crs=crs, districts=table, problems=problems)


def _divide(area: StudyArea, path: Path, *, layer: str, mend: bool) -> StudyArea:
    """Give an area the finer division of a file."""
    name, chosen = choose_layer(path, layer, polygons=True)
    given, told = _sound_polygons(read_layer(path, layer=name), str(path), mend=mend)
    given, more = _in_metres(given, area.crs, str(path))
    finer, named = _named_polygons(given, None, None, str(path))
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
        problems=(*area.problems, *chosen, *told, *more, *named, *faults, *astray),
    )


def _sound_polygons(
    layer: gpd.GeoDataFrame, origin: str, *, mend: bool
) -> tuple[gpd.GeoDataFrame, list[Mapping[str, Any]]]:
    """Return a layer whose polygons are all valid, and what was mended in it."""
    check_layer(layer, origin)
    check_crs(layer, origin)
    if len(layer) == 0:
        msg = f"{origin}: there is no district."
        raise GeometryError(msg, hint="Give at least one polygon.")
    if len(layer) > MOST_DISTRICTS:
        msg = f"{origin}: there are {len(layer):,} districts."
        raise GeometryError(msg, hint=f"{MOST_DISTRICTS:,} at most: unite them, or take a part.")
    shapes = layer.geometry.to_numpy()
    rows: list[Mapping[str, Any]] = []
    if mend:
        shapes = shapes.copy()
        for row in np.flatnonzero(_is_polygon(shapes) & ~shapely.is_valid(shapes)).tolist():
            rows.append(_mended_row(shapes, row, origin, "invalid polygon"))
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
    return layer, rows


def _in_metres(
    layer: gpd.GeoDataFrame, crs: pyproj.CRS, origin: str
) -> tuple[gpd.GeoDataFrame, list[Mapping[str, Any]]]:
    """Return valid polygons in a metric CRS, and what was mended in them there.

    What is valid in degrees need not be so in metres: corners that differ in the last digit fall
    together. Nobody can mend that in the file, so it is done whether it was asked for or not.
    """
    layer = projected(layer, crs, origin)
    shapes, at = mended(layer.geometry.to_numpy())
    rows = [
        _mended_row(layer.geometry.to_numpy(), row, origin, "invalid once in metres")
        for row in at.tolist()
    ]
    lost = shapely.is_empty(shapes)
    if lost.any():
        msg = f"{origin}, row {int(np.flatnonzero(lost)[0]) + 1}: the polygon has no ground."
        raise GeometryError(msg, hint="Give its outline, or leave the row out.")
    return layer if not len(at) else layer.set_geometry(shapes, crs=crs), rows


def _mended_row(
    shapes: NDArray[np.object_], row: int, origin: str, reason: str
) -> Mapping[str, Any]:
    why = shapely.is_valid_reason(shapes[row])
    why = "a hole without ground" if why == "Valid Geometry" else why
    return mended_row(file=Path(origin).name, row=row + 1, why=why, reason=reason)


def _is_polygon(shapes: NDArray[np.object_]) -> NDArray[np.bool_]:
    kinds = [shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON]
    polygonal: NDArray[np.bool_] = np.isin(shapely.get_type_id(shapes), kinds)
    return polygonal


def _named_polygons(
    layer: gpd.GeoDataFrame, id_column: str | None, label_column: str | None, origin: str
) -> tuple[gpd.GeoDataFrame, list[Mapping[str, Any]]]:
    """Return district_id, label and geometry, ordered by id, and how they were found."""
    import geopandas as gpd  # noqa: PLC0415 - imported where a table is really made

    named = named_rows(layer, id_column, label_column, origin)
    table = gpd.GeoDataFrame(
        {"district_id": named.ids, "label": named.labels},
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
    about = {"file": Path(origin).name, "row": None}
    told: list[Mapping[str, Any]] = [
        {**about, **dict(zip(("field", "value", "reason", "action"), choice, strict=True))}
        for choice in named.told
    ]
    same = table.loc[table["label"].duplicated(keep=False)].sort_values("district_id")
    for label, rows in same.groupby("label", sort=True):
        value = f"{label}: {', '.join(rows['district_id'])}"[:200]
        reason, action = "districts of one name", "told apart by their ids alone"
        told.append({**about, "field": "label", "value": value, "reason": reason, "action": action})
    return table.sort_values("district_id", ignore_index=True), told
