"""Districts side by side: do they overlap, do they leave gaps, which holds which."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from numpy.typing import NDArray

from quart_heure.sources.projecting import transformer

if TYPE_CHECKING:
    import geopandas as gpd


DISTRICT_FAULT_COLUMNS = (
    "kind",
    "district_ids",
    "area_m2",
    "width_m",
    "sliver",
    "longitude",
    "latitude",
)
"""Columns of a table of faults between districts, besides its geometry."""

SLIVER_M = 1.0
"""Gaps and overlaps no wider than this come from the rounding of coordinates."""

NARROW_M = 25.0
"""Faults no wider than this, which is a cell's side, are told together."""

_MOST_TOLD = 10
"""Wide faults told one by one."""

_NOTHING_M2 = 1.0
"""Districts whose areas add up to that of their union within this do not overlap."""

_LEAST_M2 = 0.01
"""A smaller intersection is the noise of coordinates."""


def check_districts(
    districts: gpd.GeoDataFrame,
    *,
    sliver_m: float = SLIVER_M,
    union: shapely.Geometry | None = None,
) -> gpd.GeoDataFrame:
    """List where districts overlap, and the gaps that they enclose.

    Parameters
    ----------
    districts
        Valid polygons with district_id, in a metric CRS.
    sliver_m
        Faults no wider than this are marked as slivers. The width is twice the area by the
        perimeter: that of a long strip.
    union
        The union of the districts, where it is known already.

    Returns
    -------
    geopandas.GeoDataFrame
        Columns `DISTRICT_FAULT_COLUMNS`, the largest first: ``kind`` is overlap or gap,
        ``district_ids`` the districts concerned by ``;``, the coordinates those of a point in it.

    Notes
    -----
    A gap is a hole of the union that two districts or more touch. A hole within one district is
    that district's own, and what opens to the outside is the shape of the area.
    """
    import geopandas as gpd  # noqa: PLC0415 - imported where a table is really made

    shapes = districts.geometry.to_numpy()
    ids = districts["district_id"].astype(str).to_numpy()
    whole = shapely.union_all(shapes) if union is None else union
    rows: list[dict[str, Any]] = []
    found: list[shapely.Geometry] = []
    for kind, members, fault in [*_overlaps(shapes, ids, whole), *_gaps(shapes, ids, whole)]:
        width_m = _width_m(fault)
        rows.append(
            {
                "kind": kind,
                "district_ids": ";".join(members),
                "area_m2": float(shapely.area(fault)),
                "width_m": width_m,
                "sliver": width_m <= sliver_m,
            }
        )
        found.append(fault)
    to_degrees = transformer(districts.crs, 4326)
    points = shapely.point_on_surface(np.array(found, dtype=object))
    lon, lat = to_degrees.transform(shapely.get_x(points), shapely.get_y(points))
    table = gpd.GeoDataFrame(
        {
            **{name: [row[name] for row in rows] for name in DISTRICT_FAULT_COLUMNS[:5]},
            "longitude": np.round(lon, 6),
            "latitude": np.round(lat, 6),
        },
        geometry=found,
        crs=districts.crs,
    )
    return table.sort_values(
        ["area_m2", "district_ids"], ascending=[False, True], ignore_index=True
    )


def fault_rows(faults: gpd.GeoDataFrame, *, file: str) -> list[dict[str, Any]]:
    """Return the faults as rows of a table of problems: the wide ones each, the narrow in one.

    Those of a hair's breadth (`SLIVER_M`) come from rounding and are told only with wider ones.
    What is narrower than `NARROW_M` comes from outlines simplified apart: of a city's districts
    there may be hundreds, and one row says all that a person would do about them.
    """
    told = {
        "overlap": ("districts overlap", "the first by id holds it"),
        "gap": ("gap between districts", "not in the area"),
    }
    real = faults[~faults["sliver"].astype(bool)]
    wide = real[real["width_m"] > NARROW_M].head(_MOST_TOLD)
    narrow = real.drop(index=wide.index)
    if len(narrow) == 1:
        wide, narrow = real, narrow.head(0)
    rows: list[dict[str, Any]] = [
        {
            "file": file,
            "row": None,
            "field": "geometry",
            "value": f"{fault.district_ids}: {fault.area_m2:.0f} m², "
            f"{fault.latitude:.5f}, {fault.longitude:.5f}"[:200],
            "reason": told[fault.kind][0],
            "action": told[fault.kind][1],
        }
        for fault in wide.itertuples()
    ]
    if len(narrow):
        hairs = int(faults["sliver"].astype(bool).sum())
        largest = narrow.iloc[0]
        value = (
            f"{(narrow['kind'] == 'overlap').sum()} overlaps, {(narrow['kind'] == 'gap').sum()} "
            f"gaps: {narrow['area_m2'].sum():.0f} m² in all, at most {narrow['width_m'].max():.1f} "
            f"m wide, the largest at {largest['latitude']:.5f}, {largest['longitude']:.5f}"
            + (f"; and {hairs} of less than {SLIVER_M:g} m" if hairs else "")
        )
        action = "overlaps are the first's by id, gaps are not in the area"
        about = {"file": file, "row": None, "field": "geometry", "value": value[:200]}
        rows.append({**about, "reason": "outlines do not meet", "action": action})
    return rows


def parents_of(
    inner: gpd.GeoDataFrame, outer: gpd.GeoDataFrame
) -> tuple[list[str], NDArray[np.float64]]:
    """Return the district that holds most of each smaller one, "" for none, and its share.

    Parameters
    ----------
    inner, outer
        Polygons in one metric CRS; the outer ones have district_id. Of equal overlaps, the first
        by id.
    """
    shapes = inner.geometry.to_numpy()
    ordered = outer.sort_values("district_id", kind="stable")
    holders = ordered.geometry.to_numpy()
    part, holder = shapely.STRtree(holders).query(shapes, predicate="intersects")
    common_m2 = shapely.area(shapely.intersection(shapes[part], holders[holder]))
    best: dict[int, tuple[float, int]] = {}
    for one, by, area_m2 in zip(part.tolist(), holder.tolist(), common_m2.tolist(), strict=True):
        largest = best.get(one, (0.0, -1))
        # A hair's breadth does not decide: polygons of two sources never match to the millimetre.
        if area_m2 > largest[0] + _LEAST_M2 or (
            area_m2 > _LEAST_M2 and abs(area_m2 - largest[0]) <= _LEAST_M2 and by < largest[1]
        ):
            best[one] = (area_m2, by)
    ids = ordered["district_id"].astype(str).tolist()
    parents = [ids[best[one][1]] if one in best else "" for one in range(len(shapes))]
    total_m2 = shapely.area(shapes)
    share = np.array([best.get(one, (0.0, -1))[0] for one in range(len(shapes))])
    return parents, np.divide(share, total_m2, out=np.zeros(len(shapes)), where=total_m2 > 0)


_Fault = tuple[str, list[str], shapely.Geometry]


def _overlaps(
    shapes: NDArray[np.object_], ids: NDArray[Any], union: shapely.Geometry
) -> list[_Fault]:
    if shapely.area(shapes).sum() - shapely.area(union) <= _NOTHING_M2:
        return []
    one, other = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    one, other = one[one < other], other[one < other]
    common = shapely.intersection(shapes[one], shapes[other])
    return [
        ("overlap", sorted([ids[a], ids[b]]), _polygons_of(shape))
        for a, b, shape in zip(one, other, common, strict=True)
        if shapely.area(shape) > _LEAST_M2
    ]


def _gaps(shapes: NDArray[np.object_], ids: NDArray[Any], union: shapely.Geometry) -> list[_Fault]:
    rings = [
        ring for polygon in shapely.get_parts(union) for ring in shapely.get_rings(polygon)[1:]
    ]
    if not rings:
        return []
    holes = shapely.difference(shapely.polygons(rings), union)
    tree = shapely.STRtree(shapes)
    found: list[_Fault] = []
    for hole in holes:
        around = sorted(ids[tree.query(hole, predicate="dwithin", distance=0.01)])
        if len(around) > 1 and shapely.area(hole) > _LEAST_M2:
            found.append(("gap", around, hole))
    return found


def _polygons_of(shape: shapely.Geometry) -> shapely.Geometry:
    """Drop the points and lines where two districts merely touch."""
    parts = shapely.get_parts(shape)
    return shapely.union_all(parts[shapely.get_dimensions(parts) == 2])


def _width_m(shape: shapely.Geometry) -> float:
    """Return the width of the widest part."""
    parts = shapely.get_parts(shape)
    return float((2 * shapely.area(parts) / shapely.length(parts)).max())


def mended_row(*, file: str, row: int, why: str, reason: str) -> Mapping[str, Any]:
    """Return the row of a table of problems that tells of a mended polygon."""
    return {
        "file": file,
        "row": row,
        "field": "geometry",
        "value": why,
        "reason": reason,
        "action": "mended",
    }
