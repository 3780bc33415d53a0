"""Write the packaged sample ``data/paris/`` from a folder of source extracts.

    python scripts/build_paris_sample.py [EXTRACTS]

The extracts are not part of the project. What is read of them, with its dates and licences, is said
in ``data/paris/README.md``, which this script writes too. The same extracts and the same versions
of the libraries give the same bytes.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely

from paris_addresses import HouseNumbers
from paris_areas import build_districts, build_quarters, write_geojson
from paris_network import build_network, write_compact
from paris_readme import (
    KINDS_OF_SOURCE,
    build_manifest,
    kind_of_source,
    write_manifest,
    write_readme,
)
from paris_residents import CELL_M, build_residents, read_populations, write_residents
from paris_services import COMPILED, build_services, write_services
from quart_heure.analysis.freshness import RECENT_MONTHS
from quart_heure.network.components import label_components
from quart_heure.network.graph import WalkNetwork
from quart_heure.sources.background import write_background
from quart_heure.sources.services.rows import STATUSES
from quart_heure.sources.services.source_dates import months_before, said_on
from quart_heure.sources.tiles.places import read_tile_places
from quart_heure.sources.tiles.scenery import read_tile_scenery

ROOT = Path(__file__).resolve().parents[1]
NETWORK_MARGIN_M = 2000.0
BACKGROUND_MARGIN_M = 1500.0
_OSM_META: dict[str, Any] = {
    "source": "OpenStreetMap, vector tiles in the OpenMapTiles schema, zoom 14",
    "osm_date": "2021-08-06",
    "licence": "ODbL-1.0",
    "attribution": "© OpenStreetMap contributors",
}


def main() -> None:
    """Read the arguments and build every file."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "extracts",
        nargs="?",
        type=Path,
        default=ROOT.parent / "shared" / "data",
        help="folder of source extracts (default: ../shared/data beside the project)",
    )
    parser.add_argument(
        "-o", "--output", type=Path, default=ROOT / "data" / "paris", help="folder to write to"
    )
    arguments = parser.parse_args()
    if not arguments.extracts.is_dir():
        parser.error(f"{arguments.extracts}: there is no such folder.")
    arguments.output.mkdir(parents=True, exist_ok=True)
    build(arguments.extracts, arguments.output)


def build(extracts: Path, output: Path) -> None:
    """Build every file of the sample."""
    tiles = extracts / "osm-tiles-paris"
    districts = build_districts(extracts / "paris-admin" / "arrondissements.geojson")
    quarters = build_quarters(extracts / "paris-admin" / "quartier_paris.geojson", districts)
    write_geojson(districts, output / "districts.geojson")
    write_geojson(quarters, output / "quarters.geojson")
    _report(f"{len(districts)} districts, {len(quarters)} quarters")

    services = build_services(
        extracts / "services" / "services_facts.csv",
        extracts / "services" / "services_updates_2026.csv",
        find=HouseNumbers.read(tiles, districts).find,
    )
    write_services(services, output / "services.csv")
    _report(f"{len(services)} services")

    # What is written is what is measured: districts as rounded in their file.
    districts = gpd.read_file(output / "districts.geojson").to_crs(2154)
    city = shapely.union_all(districts.geometry.to_numpy())
    network = build_network(
        tiles, shapely.buffer(city, NETWORK_MARGIN_M), meta=_OSM_META, report=_report
    )
    write_compact(network, output / "network.parquet")
    _report(f"{network.n_nodes} nodes, {network.n_edges} edges")

    populations = read_populations(extracts / "paris-population" / "arrondissements.json")
    residents, homes = build_residents(tiles, districts, populations, report=_report)
    write_residents(
        residents,
        output / "residents.parquet",
        meta={
            "crs": "EPSG:2154",
            "square_m": CELL_M,
            "source": "People of fiscal households by arrondissement (INSEE Filosofi), spread by "
            "building volume (OpenStreetMap, 2021-08-06)",
            "licence": "ODbL-1.0; MIT",
            "attribution": "INSEE (Filosofi); © OpenStreetMap contributors",
            "counts": homes,
        },
    )
    around = shapely.buffer(city, BACKGROUND_MARGIN_M)
    lambert = pyproj.CRS.from_epsg(2154)
    in_degrees = gpd.GeoSeries([city], crs=lambert).to_crs(4326).iloc[0]
    background = pd.concat(
        [
            read_tile_scenery(tiles, area=around, crs=lambert),
            read_tile_places(tiles, polygon=in_degrees, crs=lambert),
        ],
        ignore_index=True,
    )
    write_background(
        background,
        output / "background.parquet",
        meta={**_OSM_META, "counts": background["kind"].value_counts().sort_index().to_dict()},
    )
    _report(f"{len(background)} areas and places of background")

    counts = {
        "districts": len(districts),
        "quarters": len(quarters),
        **_count_network(network, districts),
        "services": len(services),
        "services_placed": sum(row["latitude"] != "" for row in services),
        "services_compiled": COMPILED.isoformat(),
        "services_by_category": _count_services(services),
        **{f"residents_{key}": value for key, value in homes.items()},
        "residents": sum(populations.values()),
        "background": len(background),
        "by_district": _count_districts(network, districts, populations),
    }
    manifest = build_manifest(extracts, output, counts=counts, dropped=network.meta["dropped"])
    write_manifest(manifest, output / "manifest.json")
    write_readme(manifest, output / "README.md")
    size = sum(file.stat().st_size for file in output.iterdir())
    _report(f"{size / 1e6:.1f} MB in {output}")


def _count_network(network: WalkNetwork, districts: gpd.GeoDataFrame) -> dict[str, Any]:
    parts = label_components(network, network.forward | network.backward)
    largest = int(np.argmax(parts.size))
    share = network.length_m[parts.label[network.u] == largest].sum() / network.length_m.sum()
    within = sum(_length_within(network, districts).values())
    return {
        **network.meta["counts"],
        "network_km": round(float(network.length_m.sum()) / 1000, 1),
        "network_km_in_paris": round(within / 1000, 1),
        "components": len(parts.size),
        "largest_component_nodes_pct": round(100 * parts.size[largest] / network.n_nodes, 2),
        "largest_component_length_pct": round(100 * float(share), 2),
    }


def _length_within(network: WalkNetwork, districts: gpd.GeoDataFrame) -> dict[str, float]:
    """Return the metres of streets in each district, by the middle of each straight piece."""
    step = np.diff(network.xy, axis=0)
    inner = np.ones(len(step), dtype=bool)
    inner[network.offsets[1:-1] - 1] = False
    middle = (network.xy[:-1] + network.xy[1:])[inner] / 2
    length_m = np.hypot(*step[inner].T)
    found = {}
    for district_id, shape in zip(districts["district_id"], districts.geometry, strict=True):
        shapely.prepare(shape)
        inside = shapely.contains_xy(shape, middle[:, 0], middle[:, 1])
        found[district_id] = float(length_m[inside].sum())
    return found


def _count_districts(
    network: WalkNetwork, districts: gpd.GeoDataFrame, populations: Mapping[str, int]
) -> dict[str, Any]:
    return {
        key: {"residents": populations[key], "network_km": round(length_m / 1000, 1)}
        for key, length_m in _length_within(network, districts).items()
    }


def _count_services(services: list[dict[str, str]]) -> dict[str, dict[str, Any]]:
    table = pd.DataFrame(services)
    since = months_before(COMPILED, RECENT_MONTHS)
    said = [said_on(text) for text in table["source_date"]]
    table["fresh"] = [day is not None and day >= since for day in said]
    table["kind"] = table["source"].map(kind_of_source)
    return {
        str(category): {
            "rows": len(rows),
            "with_coordinates": int((rows["latitude"] != "").sum()),
            "not_counted": int((~rows["status"].isin(["open", "unknown"])).sum()),
            "discreet": int((rows["discreet"] == "true").sum()),
            "said_since": int(rows["fresh"].sum()),
            "status": {status: int((rows["status"] == status).sum()) for status in STATUSES},
            "source": {kind: int((rows["kind"] == kind).sum()) for kind in KINDS_OF_SOURCE},
        }
        for category, rows in table.groupby("category")
    }


def _report(line: str, _start: float = time.monotonic()) -> None:
    print(f"{time.monotonic() - _start:6.1f} s  {line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
