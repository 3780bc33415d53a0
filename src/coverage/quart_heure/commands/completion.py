"""What a shell completes: categories, districts, persons and walkers of the study at hand, files.

A shell waits for it at each press of a key: files are read as text, nothing that is heavy is
imported, and what cannot be read quickly completes nothing.
"""

from __future__ import annotations

import csv
import json
import os
import sqlite3
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import typer

PERSONS = (
    *("woman", "woman-with-child", "man", "man-with-child", "family", "young", "with-dog"),
    *("without-referral", "wheelchair"),
    *("femme", "femme-avec-enfant", "homme", "homme-avec-enfant", "famille", "jeune"),
    *("avec-chien", "sans-orientation", "fauteuil"),
)
WALKERS = ("adult", "slow", "step_free", "adulte", "lent", "sans-marches")
"""As `--for` and `--profile` take them; their modules take too long to import."""

_LARGEST_BYTES = 5_000_000
_MOST = 500


def categories(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Complete a category by its id, with its French label."""
    from quart_heure.categories import default_catalogue

    own = _tables(ctx).get("categories", {})
    found = {name: one.fr for name, one in default_catalogue().items()}
    found |= {
        str(name): str(about.get("fr") or found.get(name, ""))
        for name, about in own.items()
        if isinstance(about, Mapping)
    }
    return _beginning(found, incomplete)


def districts(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Complete a district by its id or its name, each with the other."""
    try:
        named = dict(list(_districts(ctx))[:_MOST])
    except (OSError, ValueError, KeyError, TypeError, AttributeError, sqlite3.Error):
        return []  # what is wrong with a file is told by the command that reads it
    # Shells part words at blanks.
    found = {label: key for key, label in named.items() if label and " " not in label}
    return _beginning({**found, **named}, incomplete)


def persons(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Complete whom ``--for`` takes."""
    return _beginning(dict.fromkeys([*_tables(ctx).get("persons", {}), *PERSONS], ""), incomplete)


def walkers(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Complete a walker."""
    return _beginning(dict.fromkeys([*_tables(ctx).get("profiles", {}), *WALKERS], ""), incomplete)


def studies(incomplete: str) -> list[str]:
    """Complete a study file; and folders, of results, of a snapshot, or on the way to one."""
    # What is typed before the last separator stays as it is typed.
    before, _, name = incomplete.rpartition(os.sep)
    before += os.sep if os.sep in incomplete else ""
    try:
        inside = sorted(Path(before).expanduser().iterdir())[:_MOST]
    except OSError:
        return []
    found = []
    for path in inside:
        if path.name.startswith(name) and not (path.name.startswith(".") and not name):
            if path.is_dir():
                whole = _holds(path, "study.toml", "manifest.json")
                found.append(f"{before}{path.name}" + ("" if whole else os.sep))
            elif path.suffix.lower() == ".toml":
                found.append(f"{before}{path.name}")
    return found


def _beginning(found: Mapping[str, str], incomplete: str) -> list[tuple[str, str]]:
    return [pair for pair in found.items() if pair[0].startswith(incomplete)]


def _source(ctx: typer.Context) -> Path | None:
    """Return the study that was typed already, or that of the folder; None for the packaged one."""
    # Before the value of an option is there, what was typed beside it is not given its name yet.
    typed = [ctx.params.get("source"), ctx.params.get("study"), *ctx.args]
    for path in (Path(each) for each in typed if isinstance(each, str | Path)):
        if path.suffix.lower() == ".toml" or _holds(path, "study.toml", "indicators.csv"):
            return path
    return Path("study.toml") if Path("study.toml").is_file() else None


def _holds(folder: Path, *names: str) -> bool:
    return any((folder / name).is_file() for name in names)


def _tables(ctx: typer.Context) -> dict[str, Any]:
    """Return the tables of the study file, none where there is none that can be read."""
    source = _source(ctx)
    if source is None:
        return {}
    file = source / "study.toml" if source.is_dir() else source
    try:
        tables = tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        return {}
    return {name: table for name, table in tables.items() if isinstance(table, dict)}


def _districts(ctx: typer.Context) -> Iterator[tuple[str, str]]:
    """Give id and name of the districts of a study, or of a folder of results."""
    source = _source(ctx)
    if source is None:
        from quart_heure.sources.sample import paris_dir

        yield from _of_layer(paris_dir() / "districts.geojson", "district_id", "label")
    elif (source / "indicators.csv").is_file():
        with (source / "indicators.csv").open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                if row["level"] == "district":
                    yield row["district_id"], row["label"]
    else:
        area = _tables(ctx).get("area", {})
        folder = source if source.is_dir() else source.parent
        file_ = folder / str(area["districts"])
        columns = (str(area.get("id_column") or "district_id"), str(area.get("label_column") or ""))
        yield from _of_layer(file_, columns[0], columns[1] or "label")


def _of_layer(file: Path, by_id: str, by_label: str) -> Iterator[tuple[str, str]]:
    if file.suffix.lower() == ".gpkg":
        # Only to read: a file that is being edited is left alone.
        with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as database:
            layers = "SELECT table_name FROM gpkg_contents WHERE data_type = 'features'"
            name = database.execute(layers).fetchone()[0].replace('"', '""')
            columns = ", ".join('"{}"'.format(c.replace('"', '""')) for c in (by_id, by_label))
            rows = f'SELECT {columns} FROM "{name}" LIMIT {_MOST}'
            yield from ((str(row[0]), str(row[1] or "")) for row in database.execute(rows))
    elif file.suffix.lower() in {".geojson", ".json"} and file.stat().st_size <= _LARGEST_BYTES:
        for feature in json.loads(file.read_text(encoding="utf-8-sig"))["features"]:
            about = feature["properties"]
            yield str(about[by_id]), str(about.get(by_label) or "")
