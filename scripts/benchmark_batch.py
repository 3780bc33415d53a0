"""Time batches of many territories: cuts of the packaged Paris, with one worker and with more.

    .venv/bin/python scripts/benchmark_batch.py [--territories N] [--workers 1 2] [--raw [FILE]]
    .venv/bin/python scripts/benchmark_batch.py --tiles 100000 250000 [--cell 10] [--study FILE]

The territories are quarters of Paris, each cut out with its margin; with ``--raw``, blocks of 4 km
out of an OpenStreetMap extract, by default that of Porto in ``../shared/data`` beside the project,
with services that are made up; or those of a table that is given with a study. With ``--tiles``, it
is one territory, whole and cut into tiles of so many cells, and what each of its tasks takes in a
process of its own. Every run begins with an empty cache and an empty folder. The table goes to
stdout, progress to stderr; nothing is asserted. Figures are of one run on one machine: ratios carry
over to another, seconds do not.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import geopandas as gpd
import numpy as np
import pandas as pd
from shapely import box

from quart_heure.batch.hand import Hand, end_hands
from quart_heure.batch.onward import Attempt, Course
from quart_heure.batch.storage import Store
from quart_heure.batch.task import Order, Outcome
from quart_heure.batch.territories import read_territories
from quart_heure.batch.tiles import JoinStep, TileStep
from quart_heure.stamp import tool_version

ROOT = Path(__file__).resolve().parents[1]
QUARTERS = ROOT / "data" / "paris" / "quarters.geojson"
PORTO = ROOT.parent / "shared" / "data" / "osm-raw" / "porto.osm.pbf"
RAW_BOX = (-8.72, 41.11, -8.50, 41.24)
RAW_CRS = 32629
RAW_SERVICES = 400
RAW_CATEGORIES = ("esi", "bagagerie", "bains_douches", "centre_social")
BLOCK_M = 4000.0
COMMUNES = 35_000
"""Of France, in round figures, on 544,000 km²."""


@dataclass(frozen=True)
class Run:
    """What one batch took."""

    workers: int
    wall_s: float
    cpu_s: float
    again_s: float
    table: pd.DataFrame
    bytes_by_table: dict[str, int]
    files: int


def main(arguments: Sequence[str] | None = None) -> None:
    """Run batches and print what they took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=_AsWritten)
    parser.add_argument("--territories", type=int, default=60, help="how many of the table")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--table", type=Path, default=QUARTERS, help="polygons with codes")
    parser.add_argument("--study", type=Path, help="study file; the packaged Paris by default")
    parser.add_argument("--euro", type=float, default=0.05, help="price of a core for an hour")
    parser.add_argument("--raw", type=Path, nargs="?", const=PORTO, help="extract to cut instead")
    parser.add_argument("--tiles", type=int, nargs="+", help="cells of a tile: one territory")
    parser.add_argument("--cell", type=float, default=10.0, help="side of its cells in metres")
    asked = parser.parse_args(arguments)
    if asked.tiles is not None:
        _print_tiles(asked.study, asked.cell, asked.tiles)
        return
    with tempfile.TemporaryDirectory() as folder:
        if asked.raw is not None:
            asked.study, asked.table = _write_raw(asked.raw, Path(folder))
        chosen = gpd.read_file(asked.table).head(asked.territories)
        table = Path(folder) / "territories.gpkg"
        chosen.to_file(table)
        runs = []
        for number, workers in enumerate(asked.workers):
            print(f"{len(chosen)} territories, {workers} workers …", file=sys.stderr)
            runs.append(_run(asked.study, table, Path(folder) / f"run-{number}", workers))
    print(f"{platform.platform()}, Python {platform.python_version()}, {os.cpu_count()} cores")
    print(f"{len(chosen)} territories of {(asked.raw or asked.table).name}\n")
    _print_runs(runs)
    _print_territories(runs[0])
    if asked.raw is not None:
        _print_country(runs[0], asked.euro)


def _write_raw(extract: Path, folder: Path) -> tuple[Path, Path]:
    """Write a study of an extract with services that are made up, and the blocks of its middle."""
    west, south, east, north = RAW_BOX
    rng = np.random.default_rng(1)
    services = pd.DataFrame(
        {
            "name": [f"Place {at}" for at in range(RAW_SERVICES)],
            "category": rng.choice(
                ["esi", "bagagerie", "bains_douches", "centre_social"], RAW_SERVICES
            ),
            "longitude": rng.uniform(west, east, RAW_SERVICES),
            "latitude": rng.uniform(south, north, RAW_SERVICES),
        }
    )
    services.to_csv(folder / "places.csv", index=False)
    corners = gpd.GeoSeries([box(*RAW_BOX)], crs=4326).to_crs(RAW_CRS).total_bounds
    xs, ys = (np.arange(corners[at], corners[at + 2], BLOCK_M) for at in (0, 1))
    shapes = [box(x, y, x + BLOCK_M, y + BLOCK_M) for y in ys for x in xs]
    codes = [f"block-{at:03d}" for at in range(len(shapes))]
    blocks = gpd.GeoDataFrame({"code": codes}, geometry=shapes, crs=RAW_CRS)
    blocks.to_file(folder / "blocks.gpkg")
    study = folder / "study.toml"
    study.write_text(
        f'[area]\ndistricts = "blocks.gpkg"\n[services]\nfiles = ["places.csv"]\n'
        f'[network]\nfile = "{extract.resolve()}"\n[analysis]\ncountry = "PT"\n',
        encoding="utf-8",
    )
    return study, folder / "blocks.gpkg"


def _run(study: Path | None, table: Path, folder: Path, workers: int) -> Run:
    out = folder / "out"
    command = [sys.executable, "-m", "quart_heure", "batch", *([str(study)] if study else [])]
    command += ["--territories", str(table), "-o", str(out), "--workers", str(workers)]
    environment = {**os.environ, "QUART_HEURE_CACHE": str(folder / "cache")}
    walls, cpus = [], []
    for _ in range(2):  # the second finds all finished
        before, began = _cpu_s(), perf_counter()
        done = subprocess.run(command, env=environment, check=False, stdout=sys.stderr)
        walls.append(perf_counter() - began)
        cpus.append(_cpu_s() - before)
        if done.returncode not in {0, 14}:
            sys.exit(f"the batch ended with exit code {done.returncode}")
    files = [path for path in out.rglob("*") if path.is_file() and "country=" in str(path)]
    sizes: dict[str, int] = {}
    for path in files:
        sizes[path.name] = sizes.get(path.name, 0) + path.stat().st_size
    return Run(
        workers=workers,
        wall_s=walls[0],
        cpu_s=cpus[0],
        again_s=walls[1],
        # The second run keeps what the first computed, with its times.
        table=pd.read_parquet(out / "summary.parquet"),
        bytes_by_table=sizes,
        files=len(files),
    )


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _print_runs(runs: Sequence[Run]) -> None:
    print("| workers | wall, s | CPU, s | territories per hour | times the first | again, s |")
    print("|---|---|---|---|---|---|")
    for run in runs:
        hourly = 3600 * len(run.table) / run.wall_s
        times = runs[0].wall_s / run.wall_s
        print(
            f"| {run.workers} | {run.wall_s:.1f} | {run.cpu_s:.1f} | {hourly:,.0f} | {times:.2f} |"
            f" {run.again_s:.1f} |"
        )


def _print_territories(run: Run) -> None:
    """Print what one territory took and holds, in the first of the runs."""
    done = run.table[run.table["state"] != "failed"]
    print(f"\n{len(done)} with results, {len(run.table) - len(done)} without\n")
    print("| of a territory | median | largest | sum |")
    print("|---|---|---|---|")
    for name, unit in (
        ("seconds", "s"),
        ("cpu_seconds", "s"),
        ("peak_mb", "MB"),
        ("cells", ""),
        ("bytes", ""),
    ):
        values = done[name].astype(float)
        whole = "" if name == "peak_mb" else f"{values.sum():,.0f}"
        digits = 2 if unit == "s" else 0
        title = f"{name}, {unit}" if unit else name
        median, largest = f"{values.median():,.{digits}f}", f"{values.max():,.{digits}f}"
        print(f"| {title} | {median} | {largest} | {whole} |")
    n = max(len(done), 1)
    print(f"\n{run.files / n:.0f} files per territory; bytes per territory by table:")
    ordered = sorted(run.bytes_by_table.items(), key=lambda pair: -pair[1])
    print(json.dumps({name: round(size / n) for name, size in ordered}))


def _print_country(run: Run, euro: float) -> None:
    """Print what France would take if every commune were as these blocks are in the mean.

    One of its communes has 15.5 km² in the mean, a block 16.
    """
    done = run.table[run.table["state"] != "failed"]
    hours = COMMUNES * run.cpu_s / len(run.table) / 3600
    size = COMMUNES * done["bytes"].astype(float).mean() / 1e9
    print(f"\n{COMMUNES:,} like these: {hours:,.0f} core-hours of CPU, {size:,.0f} GB of tables,")
    print(
        f"{run.files / len(done) * COMMUNES:,.0f} files, {hours * euro:,.2f} euro at {euro:g} each"
    )


def _print_tiles(study: Path | None, cell_m: float, sides: Sequence[int]) -> None:
    """Print what the tasks of one territory take, uncut and cut."""
    print(f"{platform.platform()}, Python {platform.python_version()}, {os.cpu_count()} cores\n")
    print("| cells of a tile | task | times | CPU, s | largest peak, MB |")
    print("|---|---|---|---|---|")
    for tile_cells in (None, *sides):
        with tempfile.TemporaryDirectory() as folder:
            outcomes, handed_mb = _carried_out(study, Path(folder), cell_m, tile_cells)
        for task, found in outcomes.items():
            cpu_s = sum(each.cpu_seconds or 0.0 for each in found)
            peak_mb = max(each.peak_mb or 0.0 for each in found)
            of = "whole" if tile_cells is None else f"{tile_cells:,}"
            print(f"| {of} | {task} | {len(found)} | {cpu_s:.1f} | {peak_mb:.0f} |", flush=True)
        if handed_mb:
            print(f"\nFiles that tiles of {of} cells hand on: {handed_mb:.0f} MB\n")


def _carried_out(
    study: Path | None, folder: Path, cell_m: float, tile_cells: int | None
) -> tuple[dict[str, list[Outcome]], float]:
    """Carry out the orders of one territory, each kind in a process of its own.

    Returns what became of each, and the megabytes of files that tiles handed on.
    """
    (territory,) = read_territories([] if study is None else [str(study.resolve())], None)
    order = Order(
        territory=territory,
        store=Store(str(folder / "out")),
        asked={"cell_m": cell_m},
        day=datetime.date.today(),
        question={},
        marks=[],
        version=tool_version(),
        cache=folder / "cache",
        tile_cells=tile_cells,
    )
    waiting = {order.key: (order, 1)}
    course = Course(_progress, _progress)
    hands: dict[str, Hand] = {}
    outcomes: dict[str, list[Outcome]] = {}
    handed_mb = 0.0
    try:
        while waiting:
            one, number = waiting.pop(next(iter(waiting)))
            task = {TileStep: "one tile", JoinStep: "join"}.get(
                type(one.step), "all" if tile_cells is None else "cut"
            )
            if task == "join":
                files = (folder / "out").rglob(".tiles/*")
                handed_mb = sum(path.stat().st_size for path in files) / 1e6
            if task not in hands:
                hands[task] = Hand()
            outcome = hands[task].work_out(one)
            outcomes.setdefault(task, []).append(outcome)
            ended = course.after(Attempt(order=one, outcome=outcome, number=number), waiting)
            if ended is not None and ended.outcome.batch is None:
                sys.exit(ended.outcome.reason)
    finally:
        end_hands()
    return outcomes, handed_mb


def _progress(text: str) -> None:
    print(text, file=sys.stderr)


class _AsWritten(argparse.RawDescriptionHelpFormatter):
    """Shows the description as it stands here."""


if __name__ == "__main__":
    main()
