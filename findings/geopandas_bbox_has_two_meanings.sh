#!/usr/bin/env bash
# geopandas 1.2.0: bbox= asks of a GeoPackage which streets touch the box, of a GeoParquet file which
# streets have an envelope that does. The same street and the same box: none, and one. A slanting
# street is counted in a quarter that it passes by.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/v"
"$work/v/bin/pip" install -qqq --disable-pip-version-check geopandas==1.2.0 pyogrio==0.13.0 pyarrow==26.0.1
cd "$work"
v/bin/python - <<'P'
from importlib.metadata import version
import geopandas as gpd
from shapely import LineString, box
street = gpd.GeoDataFrame({"name": ["slanting"]}, geometry=[LineString([(0, 0), (1000, 1000)])], crs=2154)
street.to_file("street.gpkg")
street.to_parquet("street.parquet", write_covering_bbox=True)
quarter = (600, 100, 800, 300)
seen = {
    "touches": bool(street.intersects(box(*quarter)).any()),
    "GeoPackage": len(gpd.read_file("street.gpkg", bbox=quarter)),
    "GeoParquet": len(gpd.read_parquet("street.parquet", bbox=quarter)),
}
print("geopandas", version("geopandas"), "pyogrio", version("pyogrio"), "rows read by the box:", seen)
raise SystemExit(list(seen.values()) != [False, 0, 1])
P
