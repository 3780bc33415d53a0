"""Runs of the toy town in folders of their own, each with its study beside it, to be compared."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from helpers import toy_town
from helpers.study_files import write_residents, write_town
from quart_heure.files import sha256_of
from quart_heure.outputs.results.write import write_results
from quart_heure.study import Coverage, analyse
from quart_heure.study.file import read_study

CAUSES = ("services", "streets", "residents", "limits", "parameters")
"""What `town_run` can change."""

SHARES = ("covered_pct", "residents_covered_pct")


def town_folder(folder: Path, changed: Sequence[str] = (), *, discreet: bool = False) -> Path:
    """Write a study of the toy town with some causes of change in it; return the study file."""
    folder.mkdir(parents=True)
    study = write_town(folder)
    table = pd.read_csv(folder / "services.csv", keep_default_na=False)
    if not discreet:
        table["discreet"] = False
    if "services" in changed:
        table = table[table["service_id"] != "C2"]
        new = table[table["service_id"] == "A1"].assign(
            service_id="A9", name="Service A9", longitude=table["longitude"].iloc[2]
        )
        table = pd.concat([table, new])
    table.to_csv(folder / "services.csv", index=False)
    if "streets" in changed:
        toy_town.town_network(bridge=False).write(folder / "network.parquet")
    if "residents" in changed:
        squares = toy_town.town_residents()
        people = squares.residents.copy()
        people[: len(people) // 3] *= 5
        write_residents(
            toy_town.residents_of(squares.col.tolist(), squares.row.tolist(), people.tolist()),
            folder / "residents.parquet",
        )
    if "limits" in changed:
        districts = toy_town.town_area().districts
        x, y = toy_town.ORIGIN
        shapes = [s.difference(toy_town.box(x, y, x + 2000, y + 300)) for s in districts.geometry]
        districts.assign(geometry=shapes).to_parquet(folder / "districts.parquet")
    minutes = 11 if "parameters" in changed else 15
    categories = json.dumps(toy_town.CATEGORIES)
    asked = (
        f"[analysis]\ncategories = {categories}\nthreshold_min = {minutes}\ndate = '2026-06-01'\n"
    )
    study.write_text(study.read_text(encoding="utf-8") + "\n" + asked, encoding="utf-8")
    return study


def town_coverage(study: Path, **asked: Any) -> Coverage:
    return analyse(read_study(study, **asked))


def town_run(folder: Path, changed: Sequence[str] = (), *, discreet: bool = False) -> Path:
    """Analyse such a study; return the folder of its results, beside that of the study."""
    study = town_folder(folder / "study", changed, discreet=discreet)
    write_results(town_coverage(study), folder / "results")
    return folder / "results"


def edit_manifest(results: Path, **changes: Any) -> None:
    """Write other values into a manifest; None takes a key out."""
    path = results / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8")) | changes
    manifest = {key: value for key, value in manifest.items() if value is not None}
    path.write_text(json.dumps(manifest, ensure_ascii=False), encoding="utf-8")


def edit_table(results: Path, name: str, old: str, new: str) -> None:
    """Change a table by hand, and its hash in the manifest with it."""
    path = results / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    manifest = json.loads((results / "manifest.json").read_text(encoding="utf-8"))
    files = {**manifest["files"], name: {"sha256": sha256_of(path), "bytes": path.stat().st_size}}
    edit_manifest(results, files=files)


def snapshot_of(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder, to tell that nothing was written."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def copied(run: Path, folder: Path) -> Path:
    """Copy a run with its study beside it; return its results."""
    shutil.copytree(run.parent, folder)
    return folder / run.name
