"""The manifest and the README of the packaged Paris."""

from __future__ import annotations

import datetime
import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from quart_heure.analysis.freshness import RECENT_MONTHS
from quart_heure.files import sha256_of
from quart_heure.sources.services.source_dates import months_before

__all__ = [
    "FILES",
    "KINDS_OF_SOURCE",
    "SOURCES",
    "build_manifest",
    "kind_of_source",
    "write_manifest",
    "write_readme",
]

FILES: dict[str, tuple[str, str, tuple[str, ...]]] = {
    # file: role, what it holds, roles of the sources it is made from
    "background.parquet": (
        "background",
        "water, parks and railway land behind the maps, and places to find by name "
        "(GeoParquet, EPSG:2154)",
        ("streets",),
    ),
    "districts.geojson": ("districts", "the 20 arrondissements (EPSG:4326)", ("districts",)),
    "network.parquet": (
        "network",
        "the walking network of Paris and 2 km around (GeoParquet, EPSG:2154)",
        ("streets",),
    ),
    "quarters.geojson": (
        "quarters",
        "the 80 quartiers administratifs (EPSG:4326)",
        ("quarters",),
    ),
    "residents.parquet": (
        "residents",
        "residents in squares of 25 m (Parquet, EPSG:2154)",
        ("residents", "streets"),
    ),
    "services.csv": (
        "services",
        "services of eight categories (UTF-8, longitude and latitude in degrees)",
        ("services",),
    ),
}

_OSM = "© OpenStreetMap contributors"
_CITY = "© Ville de Paris (opendata.paris.fr)"
SOURCES: tuple[dict[str, str], ...] = (
    {
        "role": "streets",
        "input": "osm-tiles-paris",
        "title": "OpenStreetMap, extract of Île-de-France as vector tiles (OpenMapTiles schema)",
        "title_fr": "OpenStreetMap, extrait d’Île-de-France en tuiles vectorielles "
        "(schéma OpenMapTiles)",
        "origin": "github.com/tokenless-tiles/ile-de-france, branch gh-pages, commit 1e263b09",
        "date": "2021-08-06",
        "licence": "ODbL-1.0",
        "attribution": _OSM,
    },
    {
        "role": "districts",
        "input": "paris-admin/arrondissements.geojson",
        "title": "Arrondissements of Paris, opendata.paris.fr",
        "title_fr": "Arrondissements de Paris, opendata.paris.fr",
        "origin": "github.com/laurammonteiro/paris-urban-heat-green-inequality, commit 1c190fd6",
        "date": "",
        "licence": "ODbL-1.0",
        "attribution": _CITY,
    },
    {
        "role": "quarters",
        "input": "paris-admin/quartier_paris.geojson",
        "title": "Quartiers administratifs of Paris, opendata.paris.fr",
        "title_fr": "Quartiers administratifs de Paris, opendata.paris.fr",
        "origin": "github.com/cspotz/Paris-Heartbeat, commit 11da5dc0",
        "date": "",
        "licence": "ODbL-1.0",
        "attribution": _CITY,
    },
    {
        "role": "residents",
        "input": "paris-population/arrondissements.json",
        "title": "People of fiscal households by arrondissement (INSEE, Filosofi)",
        "title_fr": "Personnes des ménages fiscaux par arrondissement (INSEE, Filosofi), "
        "réparties selon le volume des bâtiments",
        "origin": "github.com/williamhzo/quartier, commit 5ad119e2",
        "date": "",
        "licence": "MIT (compilation of INSEE figures)",
        "licence_fr": "MIT (compilation de chiffres de l’INSEE)",
        # In words that are the same in both languages.
        "attribution": "INSEE, Filosofi; compilation : williamhzo/quartier (MIT)",
    },
    {
        "role": "services",
        "input": "services",
        "title": "Facts about services, each with its own source and date, updated in "
        "November 2026",
        "title_fr": "Relevé de services, chacun avec sa source et sa date, mis à jour en "
        "novembre 2026",
        "origin": "city open data, paris.fr, the press, associations' pages, Entourage, OSM",
        "date": "",
        "licence": "ODbL-1.0 (city data and OSM), MIT (Entourage, © 2018); single facts otherwise",
        "licence_fr": "ODbL-1.0 (données de la Ville et d’OSM), MIT (Entourage, © 2018) ; "
        "ailleurs, faits isolés",
        "attribution": f"{_CITY}; Entourage (MIT); {_OSM}",
    },
)


_KINDS: tuple[tuple[str, re.Pattern[str]], ...] = (
    # what a source is, words of it; the first that matches decides
    ("city open data", re.compile(r"^opendata\.paris\.fr")),
    ("paris.fr, town halls, council", re.compile(r"paris\.fr|Conseil de Paris|of the City|city")),
    ("directory of the State", re.compile(r"service-public directory")),
    ("Entourage", re.compile(r"^Entourage")),
    ("list of an application", re.compile(r"refugee-support application")),
    ("OpenStreetMap", re.compile(r"^OpenStreetMap")),
)
_OTHERS = "press, associations"
KINDS_OF_SOURCE = (*(kind for kind, _ in _KINDS), _OTHERS)


def kind_of_source(source: str) -> str:
    """Return what a source is, one of `KINDS_OF_SOURCE`."""
    return next((kind for kind, words in _KINDS if words.search(source)), _OTHERS)


def build_manifest(
    extracts: Path, output: Path, *, counts: Mapping[str, Any], dropped: Mapping[str, Any]
) -> dict[str, Any]:
    """Describe the files that were written and what they were made from."""
    return {
        "name": "Paris",
        "osm_date": SOURCES[0]["date"],
        "crs": "EPSG:2154",
        "files": {name: _describe(output / name) for name in FILES},
        "sources": [
            {**source, "sha256": _hash_of(extracts / source["input"])} for source in SOURCES
        ],
        "attribution": [_OSM, _CITY, "INSEE (Filosofi)", "Entourage"],
        "counts": dict(counts),
        "dropped": dict(dropped),
    }


def write_readme(manifest: Mapping[str, Any], path: Path) -> None:
    """Write the README of the sample from its manifest and the text beside this script."""
    template = Path(__file__).with_name("paris_readme.md").read_text(encoding="utf-8")
    path.write_text(_fill(template, manifest), encoding="utf-8")


def _describe(path: Path) -> dict[str, Any]:
    """Return what a manifest of a run says of an input, and the size."""
    role, what, roles = FILES[path.name]
    sources = [source for source in SOURCES if source["role"] in roles]
    return {
        "role": role,
        "description": what,
        "bytes": path.stat().st_size,
        "sha256": sha256_of(path),
        "date": "; ".join(source["date"] for source in sources if source["date"]),
        "source": "; ".join(source["title"] for source in sources),
        "source_fr": " ; ".join(source["title_fr"] for source in sources),
        "licence": "; ".join(source["licence"] for source in sources),
        "licence_fr": " ; ".join(s.get("licence_fr", s["licence"]) for s in sources),
        "attribution": "; ".join(source["attribution"] for source in sources),
    }


def _hash_of(source: Path) -> str:
    """Return the hash of a file; of a folder, that of the hashes of its files, by name."""
    if source.is_file():
        return sha256_of(source)
    digest = hashlib.sha256()
    for file in sorted(source.rglob("*.*")):
        digest.update(f"{file.relative_to(source).as_posix()} {sha256_of(file)}\n".encode())
    return digest.hexdigest()


def _fill(template: str, manifest: Mapping[str, Any]) -> str:
    counts = manifest["counts"]
    tables = {
        "FILES": _table(
            ("file", "what", "bytes"),
            [
                (f"`{name}`", file["description"], f"{file['bytes']:,}")
                for name, file in manifest["files"].items()
            ],
        ),
        "SOURCES": _table(
            ("for", "source", "date", "licence", "read from"),
            [
                (s["role"], s["title"], s["date"] or "not stated", s["licence"], s["origin"])
                for s in manifest["sources"]
            ],
        ),
        "DROPPED": _table(
            ("reason", "lines", "km"),
            [
                (f"`{reason}`", f"{what['lines']:,}", f"{what['length_km']:,}")
                for reason, what in manifest["dropped"].items()
            ],
        ),
        **_service_tables(counts["services_by_category"]),
        "DISTRICTS": _table(
            ("district", "residents", "streets, km"),
            [
                (key, f"{row['residents']:,}", f"{row['network_km']:,}")
                for key, row in counts["by_district"].items()
            ],
        ),
    }
    since = months_before(datetime.date.fromisoformat(counts["services_compiled"]), RECENT_MONTHS)
    words = {"since": since.isoformat(), "services_compiled": counts["services_compiled"]}
    for key, value in {**tables, **_flat(counts), **words}.items():
        template = template.replace("{" + key + "}", str(value))
    return template


def _service_tables(by_category: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    plain = ("rows", "with_coordinates", "not_counted", "discreet", "said_since")
    heads = ("rows", "with coordinates", "not counted", "discreet", "said since {since}")
    tables = {
        "SERVICES": _table(
            ("category", *heads),
            [
                (f"`{category}`", *(str(row[key]) for key in plain))
                for category, row in by_category.items()
            ],
        )
    }
    for key in ("status", "source"):
        used = [w for w in next(iter(by_category.values()))[key] if _sum(by_category, key, w)]
        words = tuple(f"`{word}`" if key == "status" else word for word in used)
        tables[f"SERVICES_BY_{key.upper()}"] = _table(
            ("category", *words),
            [
                *(
                    (f"`{category}`", *(str(row[key][word]) for word in used))
                    for category, row in by_category.items()
                ),
                ("all", *(str(_sum(by_category, key, word)) for word in used)),
            ],
        )
    return tables


def _sum(by_category: Mapping[str, Mapping[str, Any]], key: str, word: str) -> int:
    return sum(int(row[key][word]) for row in by_category.values())


def _flat(counts: Mapping[str, Any]) -> dict[str, str]:
    return {key: f"{value:,}" for key, value in counts.items() if isinstance(value, int | float)}


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = ["| " + " | ".join(row) + " |" for row in (head, tuple("---" for _ in head), *rows)]
    return "\n".join(lines)


def write_manifest(manifest: Mapping[str, Any], path: Path) -> None:
    """Write the manifest as JSON."""
    text = json.dumps(manifest, ensure_ascii=False, indent=1, sort_keys=False)
    path.write_text(text + "\n", encoding="utf-8")
