"""Time the way from a raw street file to a network, and what is asked of that network.

    .venv/bin/python scripts/benchmark_network.py [FILE] [--repeat N] [--slow]

FILE is an OpenStreetMap extract; by default that of Porto, in ``../shared/data`` beside the
project. All figures of a table come from one run on one machine. Where others use the machine too,
the seconds of the processor say more than those of the clock: both are given. The table goes to
stdout, progress to stderr. Nothing is asserted. ``--slow`` adds osmnx, which takes a minute or more
and 1.7 GB.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import platform
import statistics
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, process_time
from typing import TYPE_CHECKING, Any, TypeVar

from benchmark import ROOT, run_command, say

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from quart_heure.network.graph import WalkNetwork
    from quart_heure.network.travel_time import SearchGraph

# Heavy imports wait, as in benchmark.py: a started command seems to take what its parent takes.

DEFAULT_FILE = ROOT.parent / "shared" / "data" / "osm-raw" / "porto.osm.pbf"
SEED = 20_261_122
SOURCES = {"one": 448, "two": 259, "three": 200, "four": 120, "five": 318}
LIMIT_MIN = 15.0
CELL_M, SNAP_M, BUFFER_M = 25.0, 100.0, 25.0
TILES = (1, 4, 16)

Result = TypeVar("Result")


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    what: str
    wall_s: float | None = None
    cpu_s: float | None = None
    peak_mb: float | None = None
    note: str = ""


def main() -> None:
    """Run all measurements and print their table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("file", nargs="?", type=Path, default=DEFAULT_FILE)
    parser.add_argument("--repeat", type=int, default=3, help="runs; the median counts (3)")
    parser.add_argument("--slow", action="store_true", help="osmnx too")
    parser.add_argument("--run", choices=STEPS, help="do this one step and print nothing")
    options = parser.parse_args()
    if options.run:
        STEPS[options.run](options.file)
        return
    if not options.file.is_file():
        sys.exit(f"{options.file}: there is no such file, so there is nothing to measure.")
    repeat = max(options.repeat, 1)
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {platform.machine()}")
    print(f"{options.file.name}, median of {repeat} unless a line says otherwise")
    print_rows(
        "From a raw file to a network, each in a fresh process, imports included",
        measure_reading(options.file, repeat, slow=options.slow),
    )
    say("the network once more, to ask it")
    from quart_heure.network.streets import read_osm_network  # noqa: PLC0415

    network = read_osm_network(options.file)
    print_rows("Contraction, and how it grows", measure_growth(network, repeat))
    print_rows(
        f"{len(SOURCES)} categories of made-up services, {LIMIT_MIN:g} min, {network.n_nodes} nodes",
        measure_search(network, repeat),
    )


def measure_reading(path: Path, repeat: int, *, slow: bool) -> list[Row]:
    """Time reading a file as others read it: whole processes."""
    ours = run_step("ours", path, repeat)
    rows = [ours, run_step("imports of ours", path, repeat)]
    if slow:
        with tempfile.TemporaryDirectory() as folder:
            xml = Path(folder) / "walked.osm"
            rows.append(run_step("filter for osmnx", path, 1, "--", str(xml)))
            rows.append(run_step("osmnx", xml, 1))
    else:
        rows.append(Row("osmnx", note="not run: add --slow"))
    if importlib.util.find_spec("valhalla") is None:
        rows.append(Row("valhalla", note="not installed"))
    else:
        rows.append(run_step("valhalla", path, repeat))
    return [_with_ratio(row, ours) for row in rows]
