"""Time how work and memory grow with a network: one Porto, four and sixteen side by side.

    .venv/bin/python scripts/benchmark_growth.py [FILE.osm.pbf] [--sizes 1 4 16] [--cell METRES]

Each size is a fresh process: it contracts the raw segments, makes ready to search, finds the
minutes of five categories to all junctions, lets cells in to the streets, and finds what each of a
hundred services of the last category reaches. The table goes to stdout, progress to stderr. Nothing
is asserted. Peaks are those of the process up to the end of a step, libraries included.
"""

from __future__ import annotations

import argparse
import functools
import json
import pickle
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

from benchmark import at_nodes, say
from benchmark_network import LIMIT_MIN, PORTO, TILES, lay, made_up_sources, raw_segments

N_REACHING = 100
"""Services whose reach is searched one by one, whatever the size."""


def main() -> None:
    """Measure each size and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("file", nargs="?", type=Path, default=PORTO)
    parser.add_argument("--sizes", nargs="+", type=int, default=TILES, metavar="N")
    parser.add_argument("--cell", type=float, default=100.0, metavar="METRES")
    parser.add_argument("--step", type=int, help="do one size with a kept network; 0 keeps it")
    parser.add_argument("--kept", type=Path, help="where the network is kept")
    options = parser.parse_args()
    if options.step == 0:
        keep(options.file, options.kept)
        return
    if options.step:
        print(json.dumps(grow(options.kept, options.step, options.cell)))
        return
    if not options.file.is_file():
        print(f"{options.file.name}: not present, so nothing was measured.")
        return
    with tempfile.TemporaryDirectory() as folder:
        # This process stays small: those that it starts are told its peak as their own.
        kept = ["--kept", str(Path(folder) / "network.pickle"), "--cell", str(options.cell)]
        print(f"{options.file.name} side by side, cells of {options.cell:g} m, one run each")
        for size in (0, *options.sizes):
            say(f"{size} times" if size else "the network")
            command = [sys.executable, __file__, str(options.file), "--step", str(size), *kept]
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
            if size:
                print_size(size, json.loads(done.stdout))


def keep(file: Path, kept: Path) -> None:
    """Read a network and keep it for the other processes."""
    from quart_heure.network.streets import read_osm_network  # noqa: PLC0415

    kept.write_bytes(pickle.dumps(read_osm_network(file)))


def grow(kept: Path, size: int, cell_m: float) -> dict[str, Any]:
    """Do all steps with a network laid out several times; return their seconds and peaks."""
    import numpy as np  # noqa: PLC0415
    import shapely  # noqa: PLC0415

    from quart_heure.network.contraction import contract  # noqa: PLC0415
    from quart_heure.network.reach import reach_of_services  # noqa: PLC0415
    from quart_heure.network.travel_time import search_graph  # noqa: PLC0415
    from quart_heure.profiles import ADULT  # noqa: PLC0415

    steps: list[tuple[str, float, float, float]] = []

    def step(name: str, work: Callable[[], Any]) -> Any:
        wall, cpu = perf_counter(), process_time()
        result = work()
        peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        steps.append((name, perf_counter() - wall, process_time() - cpu, peak_mb))
        return result

    segments = raw_segments(pickle.loads(kept.read_bytes()), size)
    step("segments laid out", lambda: None)
    network = step("contracted", functools.partial(contract, **segments))
    del segments
    graph = step("ready to search", lambda: search_graph(network, ADULT))
    sources = made_up_sources(network)
    nodes = at_nodes(graph, np.arange(network.n_nodes, dtype=np.int32))
    search = graph.searches(nodes, limit_min=LIMIT_MIN)
    step("minutes of 5 categories", lambda: [search(at_nodes(graph, one)) for one in sources])
    ground = shapely.box(*network.node_xy.min(axis=0), *network.node_xy.max(axis=0))
    cells = step("cells let in", lambda: lay(network, ground, cell_m=cell_m))
    few = at_nodes(graph, sources[-1][:: max(len(sources[-1]) // N_REACHING, 1)][:N_REACHING])
    step(
        f"reach of {N_REACHING} services",
        lambda: reach_of_services(graph, few, cells.attachment, limit_min=LIMIT_MIN),
    )
    return {"nodes": network.n_nodes, "cells": len(cells), "steps": steps}


def print_size(size: int, told: dict[str, Any]) -> None:
    """Print the steps of one size, and what each is for a million junctions."""
    millions = told["nodes"] / 1e6
    print(f"\n{size} ×: {told['nodes']} junctions, {told['cells']} cells")
    print(f"{'':24}{'wall s':>9}{'cpu s':>9}{'peak MB':>9}   per million junctions: cpu s, MB")
    for name, wall_s, cpu_s, peak_mb in told["steps"]:
        each = f"{cpu_s / millions:9.2f}{peak_mb / millions:9.0f}"
        print(f"{name:24}{wall_s:9.2f}{cpu_s:9.2f}{peak_mb:9.0f}   {each}", flush=True)


if __name__ == "__main__":
    main()
