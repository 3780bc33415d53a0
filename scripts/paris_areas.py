"""Districts and quarters of the packaged Paris, from the city's open data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import geopandas as gpd
import shapely

__all__ = ["build_districts", "build_quarters", "write_geojson"]


def build_districts(source: Path) -> gpd.GeoDataFrame:
    """Read the 20 arrondissements with the columns district_id, label and name."""
    raw = gpd.read_file(source)
    number = raw["c_ar"].astype(int)
    districts = gpd.GeoDataFrame(
        {
            "district_id": raw["c_arinsee"].astype(str),
            "label": [_ordinal(n) for n in number],
            "name": [f"{_ordinal(n)} arrondissement" for n in number],
        },
        geometry=raw.geometry,
        crs=raw.crs,
    )
    return districts.sort_values("district_id", ignore_index=True)


def build_quarters(source: Path, districts: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Read the 80 quartiers with the columns quarter_id, label and district_id."""
    raw = gpd.read_file(source)
    quarters = gpd.GeoDataFrame(
        {
            "quarter_id": raw["c_quinsee"].astype(str),
            "label": raw["l_qu"].astype(str),
            "district_id": [str(75100 + int(n)) for n in raw["c_ar"]],
        },
        geometry=raw.geometry,
        crs=raw.crs,
    )
    unknown = set(quarters["district_id"]) - set(districts["district_id"])
    if unknown:
        msg = f"{source}: quarters of unknown districts {sorted(unknown)}."
        raise ValueError(msg)
    return quarters.sort_values("quarter_id", ignore_index=True)


def write_geojson(table: gpd.GeoDataFrame, path: Path) -> None:
    """Write polygons in degrees with 6 decimals (0.1 m), one feature a line, always the same."""
    table = table.to_crs(4326)
    shapes = shapely.transform(table.geometry.to_numpy(), lambda xy: xy.round(6))
    features = [
        json.dumps(
            {"type": "Feature", "properties": row, "geometry": _polygon(shape)},
            ensure_ascii=False,
            separators=(",", ":"),
        )
        for row, shape in zip(
            table.drop(columns="geometry").to_dict("records"), shapes, strict=True
        )
    ]
    text = '{"type":"FeatureCollection","features":[\n' + ",\n".join(features) + "\n]}\n"
    path.write_text(text, encoding="utf-8")


def _polygon(shape: shapely.Polygon) -> dict[str, Any]:
    # RFC 7946: outer rings run counter-clockwise.
    shape = shapely.orient_polygons(shape)
    mapping: dict[str, Any] = shapely.geometry.mapping(shape)
    return mapping


def _ordinal(number: int) -> str:
    return "1er" if number == 1 else f"{number}e"
