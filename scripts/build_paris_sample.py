"""Write the packaged sample ``data/paris/`` from a folder of source extracts.

    python scripts/build_paris_sample.py [EXTRACTS]

The extracts are not part of the project; what is read of them, with its dates and licences, is said
in ``data/paris/README.md``, which this script writes too. The same extracts and the same versions of
the libraries give the same bytes.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import geopandas as gpd
import shapely

from paris_areas import build_districts, build_quarters, write_geojson
from paris_network import build_network, write_compact
from paris_services import build_services, write_services

ROOT = Path(__file__).resolve().parents[1]
OSM_DATE = "2021-08-06"
NETWORK_MARGIN_M = 2000.0


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
    districts = build_districts(extracts / "paris-admin" / "arrondissements.geojson")
    quarters = build_quarters(extracts / "paris-admin" / "quartier_paris.geojson", districts)
    write_geojson(districts, output / "districts.geojson")
    write_geojson(quarters, output / "quarters.geojson")
    _report(f"{len(districts)} districts, {len(quarters)} quarters")

    services = build_services(extracts / "services" / "services_facts.csv")
    write_services(services, output / "services.csv")
    _report(f"{len(services)} services")

    # What is written is what is measured: districts as rounded in their file.
    districts = gpd.read_file(output / "districts.geojson").to_crs(2154)
    city = shapely.union_all(districts.geometry.to_numpy())
    network = build_network(
        extracts / "osm-tiles-paris",
        shapely.buffer(city, NETWORK_MARGIN_M),
        meta={
            "source": "OpenStreetMap, vector tiles in the OpenMapTiles schema, zoom 14",
            "osm_date": OSM_DATE,
            "licence": "ODbL-1.0",
            "attribution": "© OpenStreetMap contributors",
        },
        report=_report,
    )
    write_compact(network, output / "network.parquet")
    _report(f"{network.n_nodes} nodes, {network.n_edges} edges")


def _report(line: str, _start: float = time.monotonic()) -> None:
    print(f"{time.monotonic() - _start:6.1f} s  {line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
