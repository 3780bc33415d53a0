"""The scenery of vector tiles in OpenMapTiles form, drawn behind maps: water, parks, railways.

Pieces of tiles are merged and simplified to what is seen at the scale of a city.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyproj
import shapely
from numpy.typing import NDArray

from quart_heure.sources.projecting import transformer
from quart_heure.sources.tiles.archive import tile_folder
from quart_heure.sources.tiles.files import EXTENT, Tile, find_tiles, grid_transform, read_layer
from quart_heure.sources.tiles.places import read_tile_places

if TYPE_CHECKING:
    import geopandas as gpd

SIMPLIFY_M = 4.0
CLOSE_M = 3.0
"""Gaps narrower than twice this, such as paths between lawns, are closed."""

ROUND_M = 0.5
MIN_AREA_M2 = {"park": 4000.0, "rail": 10000.0, "water": 1500.0}

MIN_NAMED_M2 = 40000.0
_FIRST_WORDS = ("Bois", "Cimetière", "Parc", "Jardin", "Champ")

_PARKS = ("forest", "garden", "park", "recreation_ground", "village_green", "wood")


_TRACKS = ("rail", "motorway")


def read_tile_scenery(path: Path, *, area: shapely.Geometry, crs: pyproj.CRS) -> gpd.GeoDataFrame:
    """Read, merge and simplify water, parks and railway land.

    Parameters
    ----------
    path
        A folder ``z/x/y.pbf``, or an archive of one; the highest zoom is read.
    area
        Polygon in ``crs``: what is outside is left out.
    crs
        Metric CRS of the result.

    Returns
    -------
    GeoDataFrame
        kind (park, rail, water), name (of large ones, where the map has one) and geometry, ordered
        by kind and falling size.

    Raises
    ------
    InputFileError
        If there is no tile, none of the area, or one cannot be read.
    """
    import geopandas as gpd  # noqa: PLC0415 - heavy

    bounds = _degrees(area, crs)
    with tile_folder(path, bounds=bounds) as folder:
        tiles = find_tiles(folder, bounds=bounds)
        pieces = [piece for tile in tiles for piece in _read_pieces(tile, crs)]
        names = pd.DataFrame(
            [name for tile in tiles for name in _read_names(tile, crs)],
            columns=["kind", "name", "is_park", "geometry"],
        )
    tables = []
    for kind in sorted(MIN_AREA_M2):
        shapes = _merge(np.array([s for k, s in pieces if k == kind], dtype=object), kind, area)
        known = names[names["kind"] == kind]
        tables.append(
            gpd.GeoDataFrame(
                {"kind": kind, "name": [_name(shape, known) for shape in shapes]},
                geometry=shapes,
                crs=crs,
            )
        )
    return pd.concat(tables, ignore_index=True)


def read_tile_background(
    path: Path, *, area: shapely.Geometry, margin_m: float, crs: pyproj.CRS
) -> gpd.GeoDataFrame:
    """Read all that a background has: scenery, tracks that nobody walks across, places to find.

    Parameters
    ----------
    path, crs
        As for `read_tile_scenery`.
    area
        Places to find by name lie in it.
    margin_m
        Metres around it in which scenery is drawn.

    Returns
    -------
    GeoDataFrame
        kind, name and geometry. Railways and motorways are lines, bridges and tunnels apart.
    """
    import geopandas as gpd  # noqa: PLC0415 - heavy

    around = shapely.buffer(area, margin_m)
    bounds = _degrees(around, crs)
    tracks = []
    with tile_folder(path, bounds=bounds) as folder:
        for tile in find_tiles(folder, bounds=bounds):
            ways, values = read_layer(tile, "transportation", ["class", "brunnel"])
            raised = np.isin(values["brunnel"].astype(str), ["bridge", "tunnel"])
            for kind in _TRACKS:
                lines = ways[(values["class"].astype(str) == kind) & ~raised]
                square = _square(tile)
                cut = shapely.clip_by_rect(lines, *square)
                moved = shapely.transform(cut[~shapely.is_empty(cut)], grid_transform(tile.z, crs))
                tracks += [(kind, "", line) for line in moved]
    lines = gpd.GeoDataFrame(
        pd.DataFrame(tracks, columns=["kind", "name", "geometry"]), geometry="geometry", crs=crs
    )
    lines = lines[shapely.intersects(lines.geometry.to_numpy(), around)]
    to_degrees = transformer(crs, 4326)
    polygon = shapely.transform(
        area, lambda xy: np.stack(to_degrees.transform(xy[:, 0], xy[:, 1]), axis=1)
    )
    parts = [
        read_tile_scenery(path, area=around, crs=crs),
        lines,
        read_tile_places(path, polygon=polygon, crs=crs),
    ]
    return pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)


def _degrees(area: shapely.Geometry, crs: pyproj.CRS) -> tuple[float, float, float, float]:
    to_degrees = transformer(crs, 4326)
    west, south, east, north = to_degrees.transform_bounds(*shapely.bounds(area))
    return west, south, east, north


def _read_pieces(tile: Tile, crs: pyproj.CRS) -> list[tuple[str, shapely.Geometry]]:
    """Return (kind, polygon) of a tile, cut to its square."""
    cover, covers = read_layer(tile, "landcover", ["subclass"])
    land, lands = read_layer(tile, "landuse", ["class"])
    use = lands["class"].astype(str)
    water, _ = read_layer(tile, "water", [])
    to_lambert = grid_transform(tile.z, crs)
    return [
        (kind, shape)
        for kind, shapes in (
            ("park", cover[np.isin(covers["subclass"].astype(str), _PARKS)]),
            ("park", land[use == "cemetery"]),
            ("rail", land[use == "railway"]),
            ("water", water),
        )
        for shape in shapely.transform(_cut(shapes, tile), to_lambert)
    ]


def _read_names(tile: Tile, crs: pyproj.CRS) -> list[tuple[str, str, bool, shapely.Geometry]]:
    """Return (kind, name, whether it is a park or a cemetery, point or line) of a tile."""
    to_lambert = grid_transform(tile.z, crs)
    places, values = read_layer(tile, "poi", ["class", "name:latin"])
    what = values["class"].astype(str)
    water, waters = read_layer(tile, "water_name", ["class", "name:latin"])
    of_parks = np.isin(what, ["park", "cemetery", "attraction"])
    found = [
        ("park", name, class_ in {"park", "cemetery"}, shape)
        for name, class_, shape in zip(
            values["name:latin"][of_parks], what[of_parks], places[of_parks], strict=True
        )
    ]
    found += [
        ("water", name, False, shape)
        for name, class_, shape in zip(waters["name:latin"], waters["class"], water, strict=True)
        if class_ in {"canal", "lake", "river"}
    ]
    return [
        (kind, name, is_park, shapely.transform(shape, to_lambert))
        for kind, name, is_park, shape in found
        if name
    ]


def _name(polygon: shapely.Polygon, known: pd.DataFrame) -> str:
    """Return the name that best fits a large polygon, ``""`` if there is none."""
    if polygon.area < MIN_NAMED_M2 or known.empty:
        return ""
    within = known[shapely.intersects(known["geometry"].to_numpy(), polygon)]
    ranked = []
    for name, rows in within.groupby("name"):
        first = str(name).split(" ", maxsplit=1)[0]
        rank = _FIRST_WORDS.index(first) if first in _FIRST_WORDS else len(_FIRST_WORDS)
        length_m = shapely.length(shapely.intersection(rows["geometry"].to_numpy(), polygon)).sum()
        # Parks by the word their name begins with, waters by the length of the named line inside.
        ranked.append((rank, not rows["is_park"].any(), -length_m, -len(rows), str(name)))
    best = min(ranked, default=None)
    is_park = bool((known["kind"] == "park").all())
    if best is None or (is_park and best[0] == len(_FIRST_WORDS)):
        return ""
    return best[-1]


def _cut(shapes: NDArray[np.object_], tile: Tile) -> NDArray[np.object_]:
    cut: NDArray[np.object_] = shapely.clip_by_rect(shapely.make_valid(shapes), *_square(tile))
    kept: NDArray[np.object_] = cut[shapely.area(cut) > 0]
    return kept


def _square(tile: Tile) -> tuple[int, int, int, int]:
    west, north = tile.x * EXTENT, tile.y * EXTENT
    return west, north, west + EXTENT, north + EXTENT


def _merge(shapes: NDArray[np.object_], kind: str, area: shapely.Geometry) -> NDArray[np.object_]:
    """Merge pieces, drop small ones, simplify; polygons by falling size."""
    # Buffers join what the tile borders and narrow paths cut apart.
    whole = shapely.union_all(shapely.buffer(shapes, CLOSE_M, join_style="mitre"))
    whole = shapely.buffer(whole, -CLOSE_M, join_style="mitre")
    whole = shapely.intersection(whole, area)
    whole = shapely.simplify(whole, SIMPLIFY_M)
    polygons = shapely.get_parts(shapely.set_precision(whole, ROUND_M))
    polygons = polygons[shapely.get_type_id(polygons) == shapely.GeometryType.POLYGON]
    polygons = np.array([_fill_specks(polygon, MIN_AREA_M2[kind]) for polygon in polygons], object)
    polygons = shapely.normalize(polygons[shapely.area(polygons) >= MIN_AREA_M2[kind]])
    size, corner = shapely.area(polygons), shapely.bounds(polygons)
    ordered: NDArray[np.object_] = polygons[np.lexsort((corner[:, 1], corner[:, 0], -size))]
    return ordered


def _fill_specks(polygon: shapely.Polygon, min_area_m2: float) -> shapely.Polygon:
    """Drop holes too small to be seen."""
    rings = [ring for ring in polygon.interiors if shapely.Polygon(ring).area >= min_area_m2]
    return shapely.Polygon(polygon.exterior, rings)
