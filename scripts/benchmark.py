"""Time the main line on the packaged Paris, step by step and as whole commands.

    .venv/bin/python scripts/benchmark.py [--repeat N]

All figures of a table come from one run on one machine, for ratios carry over to another machine
where seconds do not. The table goes to stdout, progress to stderr. Nothing is asserted. Files of
raw streets are measured by `benchmark_network.py`.
"""

from __future__ import annotations

import argparse
import compileall
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    import networkx as nx
    import numpy as np
    from numpy.typing import NDArray

    from quart_heure.cache import Cache
    from quart_heure.network.snapping import Attachment
    from quart_heure.network.travel_time import SearchGraph
    from quart_heure.study import Coverage, Study

# Imports that weigh something wait: on Linux the peak memory of a started command is at least that
# of the process that starts it, so this one stays small until the commands have run.

ROOT = Path(__file__).resolve().parents[1]
PARIS = ROOT / "data" / "paris"
BUFFER_M = 25.0
SAMPLE_EDGES = 5_000

OF_SERVICES = ("answer", "times", "contours", "places", "reach", "elsewhere")
"""Kinds of entries of the cache that another set of services does not find."""

Result = TypeVar("Result")


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    what: str
    first_s: float
    again_s: float | None = None
    peak_mb: float | None = None
    note: str = ""


@dataclass(frozen=True)
class Run:
    """What one run of a command took."""

    wall_s: float
    cpu_s: float
    peak_mb: float


@dataclass
class Stopwatch:
    """Share out the time between calls to the steps they name."""

    seconds: dict[str, float] = field(default_factory=dict)
    step: str = ""
    began: float = field(default_factory=perf_counter)

    def __call__(self, step: str) -> None:
        """End the step at hand and begin another."""
        now = perf_counter()
        if self.step:
            self.seconds[self.step] = self.seconds.get(self.step, 0.0) + now - self.began
        self.step, self.began = step, now


def main() -> None:
    """Run all measurements and print their table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--repeat", type=int, default=3, help="warm runs of each thing; the median counts (3)"
    )
    repeat = max(parser.parse_args().repeat, 1)
    # As after an installation, also where Python is told not to write bytecode.
    compileall.compile_dir(ROOT / "src" / "coverage" / "quart_heure", quiet=2)
    groups = {
        "Start-up, in a fresh process": measure_start(repeat),
        "Whole commands, in a fresh process: empty cache, then warm": measure_commands(repeat),
        "The main line, step by step: empty cache, then warm": measure_line(repeat),
        "Side by side, all categories": measure_side_by_side(repeat),
    }
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {platform.machine()}")
    for title, rows in groups.items():
        print_rows(title, rows)


def measure_start(repeat: int) -> list[Row]:
    """Time imports and the help page."""
    python = (sys.executable, "-c")
    commands = {
        "python, doing nothing": (*python, "pass"),
        "quart-heure --help": (quart_heure(), "--help"),
        "import quart_heure.study": (*python, "import quart_heure.study"),
        "import osmnx, folium (for comparison)": (*python, "import osmnx, folium"),
    }
    return [time_command(what, command, repeat) for what, command in commands.items()]


def measure_commands(repeat: int) -> list[Row]:
    """Time whole commands, imports included."""
    with tempfile.TemporaryDirectory() as out:
        commands = {
            "report: statistics and gaps": ("report", "--format", "json"),
            "demo: tables, layers, report, map and week too": ("demo", "--output", out),
        }
        once = {
            "report of an hour, for a person": (
                *("report", "--format", "json", "--at", "2026-12-06 18:00", "--for", "woman"),
            ),
            "report with each hour of a week": (
                *("report", "--format", "json", "--week-of", "2026-12-07"),
            ),
            "map": ("map", "--output", f"{out}/map.html"),
            "twenty dossiers and their index": ("dossier", "--output", f"{out}/dossiers"),
            "sensitivity: one assumption at a time": ("sensitivity", "--format", "csv"),
        }
        rows = [
            time_command(what, (quart_heure(), *arguments), repeat)
            for what, arguments in commands.items()
        ]
        report = (quart_heure(), *commands["report: statistics and gaps"])
        moved = "report: again, and all services are new"
        asked = "report: another question of the same files"
        rows.insert(1, time_command(moved, report, repeat, forget=OF_SERVICES))
        rows.insert(1, time_command(asked, report, repeat, forget=("answer",)))
        return rows + [
            time_command(what, (quart_heure(), *arguments), 1) for what, arguments in once.items()
        ]


def measure_line(repeat: int) -> list[Row]:
    """Time the steps of `analyse`, with an empty cache and with a warm one."""
    say("the main line")
    from quart_heure.cache import Cache  # noqa: PLC0415
    from quart_heure.network.graph import WalkNetwork  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as name:
        cache = Cache(Path(name))
        first = _line_steps(cache)
        again = [_line_steps(cache) for _ in range(repeat)]
    rows = [
        Row(step, seconds, statistics.median(run[step] for run in again))
        for step, seconds in first.items()
    ]
    whole = [sum(run.values()) for run in again]
    rows.append(Row("all of these, without imports", sum(first.values()), statistics.median(whole)))
    rows.append(_moved_service(repeat))
    seconds, _ = timed(lambda: WalkNetwork.read(PARIS / "network.parquet"))
    rows.append(Row("the network alone, read from its file", seconds))
    return rows


def _moved_service(repeat: int) -> Row:
    """Time the answer to one service that stands elsewhere, its table of districts too."""
    from quart_heure.study import Study, analyse  # noqa: PLC0415
    from quart_heure.study.scenario import Move, Scenario  # noqa: PLC0415
    from quart_heure.study.what_if import what_if  # noqa: PLC0415

    base = analyse(Study.paris())
    counted = base.services[base.services["counted"]]
    name = str(counted.loc[counted["category"] == "bains_douches", "service_id"].iloc[0])
    scenario = Scenario(name="moved", move=(Move(service=name, lat=48.87, lon=2.34),))
    seconds = [
        timed(lambda: what_if(base, [scenario])[0].changes)[0] for _ in range(max(repeat, 3) + 1)
    ]
    # How cells enter the streets is looked up at the first question.
    return Row("one service moved, study loaded", seconds[0], statistics.median(seconds[1:]))


def _line_steps(cache: Cache) -> dict[str, float]:
    from quart_heure.study import Study, analyse  # noqa: PLC0415

    watch = Stopwatch()
    watch("load the study: area, services, streets, residents")
    study = Study.paris(cache=cache)
    coverage = analyse(study, cache=cache, progress=watch)
    watch("isochrones, when they are asked for")
    _ = coverage.isochrones
    watch("")
    return watch.seconds


def measure_side_by_side(repeat: int) -> list[Row]:
    """Time our search and our isochrones beside the usual ways to the same end."""
    say("comparisons")
    from quart_heure.cache import Cache  # noqa: PLC0415
    from quart_heure.network.travel_time import search_graph  # noqa: PLC0415
    from quart_heure.study import Study, analyse  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as name:
        cache = Cache(Path(name))
        study = Study.paris(cache=cache)
        coverage = analyse(study, cache=cache)
        graph = search_graph(study.network, study.profile)
        sources = source_nodes(study, coverage)
        nodes, minutes = search_rows(graph, sources, repeat)
        return [*nodes, *isochrone_rows(study, coverage, minutes, repeat)]


def source_nodes(study: Study, coverage: Coverage) -> dict[str, NDArray[np.int32]]:
    """Give the nodes from which the services of each category are searched."""
    services = coverage.services[coverage.services["counted"]]
    return {
        category: study.network.u[services.loc[services["category"] == category, "edge"]]
        for category in study.categories
    }


def search_rows(
    graph: SearchGraph, sources: dict[str, NDArray[np.int32]], repeat: int
) -> tuple[list[Row], dict[str, NDArray[np.float64]]]:
    """Time one search per category over the same graph, by us and by networkx."""
    import networkx as nx  # noqa: PLC0415
    import numpy as np  # noqa: PLC0415

    n_nodes = len(graph.indptr) - 1
    targets = at_nodes(graph, np.arange(n_nodes, dtype=np.int32))

    def ours() -> dict[str, NDArray[np.float64]]:
        return {
            category: graph.times(at_nodes(graph, nodes), targets).minutes
            for category, nodes in sources.items()
        }

    def theirs() -> dict[str, dict[int, float]]:
        return {
            category: nx.multi_source_dijkstra_path_length(
                links, set(nodes.tolist()), weight="minutes"
            )
            for category, nodes in sources.items()
            if len(nodes)
        }

    links = as_networkx(graph)
    our_s, minutes = median(ours, repeat)
    say("networkx")
    their_s, answers = timed(theirs)
    worst = 0.0
    for category, found in answers.items():
        reached = np.fromiter(found, dtype=np.int64, count=len(found))
        expected = np.full(n_nodes, np.inf)
        expected[reached] = np.fromiter(found.values(), dtype=np.float64, count=len(found))
        if not np.array_equal(np.isfinite(expected), np.isfinite(minutes[category])):
            worst = np.inf
        else:
            worst = max(worst, float(np.abs(expected[reached] - minutes[category][reached]).max()))
    same = f"{n_nodes} nodes; the answers differ by {worst:.0e} min at most"
    rows = [
        Row("minutes from services to all nodes", our_s, note=same),
        Row(
            "the same by networkx, multi_source_dijkstra",
            their_s,
            note=f"{their_s / our_s:.0f} times as long",
        ),
    ]
    return rows, minutes


def at_nodes(graph: SearchGraph, nodes: NDArray[np.int32]) -> Attachment:
    """Attach places to nodes: to an end of one of their edges, with nothing to walk to it."""
    import numpy as np  # noqa: PLC0415

    from quart_heure.network.snapping import Attachment  # noqa: PLC0415

    n_nodes = len(graph.indptr) - 1
    edge_of = np.full(n_nodes, -1, dtype=np.int32)
    edges = np.arange(len(graph.u), dtype=np.int32)
    edge_of[graph.v] = edges
    edge_of[graph.u] = edges
    edge = edge_of[nodes]
    offset_m = np.where(graph.u[edge] == nodes, 0.0, graph.length_m[edge])
    return Attachment(
        place=np.arange(len(nodes), dtype=np.int32),
        edge=edge,
        offset_m=offset_m,
        access_m=np.zeros(len(nodes)),
        n_places=len(nodes),
    )


def as_networkx(graph: SearchGraph) -> nx.DiGraph:
    """Give the very graph that we search to networkx."""
    import networkx as nx  # noqa: PLC0415
    import numpy as np  # noqa: PLC0415

    tails = np.repeat(np.arange(len(graph.indptr) - 1), np.diff(graph.indptr))
    links = nx.DiGraph()
    links.add_nodes_from(range(len(graph.indptr) - 1))
    minutes = graph.level_m / graph.speed_m_per_min
    links.add_weighted_edges_from(
        zip(tails.tolist(), graph.indices.tolist(), minutes.tolist(), strict=True),
        weight="minutes",
    )
    return links


def isochrone_rows(
    study: Study,
    coverage: Coverage,
    node_minutes: dict[str, NDArray[np.float64]],
    repeat: int,
) -> list[Row]:
    """Time the contours of all categories, and buffers around a sample of the edges they reach."""
    import numpy as np  # noqa: PLC0415
    import shapely  # noqa: PLC0415

    from quart_heure.analysis.isochrones import contour_polygons  # noqa: PLC0415

    network, limit = study.network, study.threshold_min
    grids = [minutes_as_grid(study, coverage, category) for category in study.categories]

    def contours() -> int:
        return sum(
            len(contour_polygons(*grid, (limit,), clip=study.area.geometry)) for grid in grids
        )

    reached = [
        np.flatnonzero(np.maximum(minutes[network.u], minutes[network.v]) <= limit)
        for minutes in node_minutes.values()
    ]
    n_reached = sum(len(edges) for edges in reached)
    most = max(reached, key=len)
    # Streets that follow each other, as in a real isochrone: a scattered sample would not overlap.
    middle = network.node_xy[network.u[most]]
    order = np.argsort(np.hypot(*(middle - np.median(middle, axis=0)).T))
    sample = network.lines[most[order[:SAMPLE_EDGES]]]
    contour_s, _ = median(contours, repeat)
    say("buffers")
    buffer_s, _ = timed(lambda: shapely.union_all(shapely.buffer(sample, BUFFER_M)))
    scaled_s = buffer_s * n_reached / max(len(sample), 1)
    return [
        Row(f"isochrones at {limit:g} min, by contours", contour_s),
        Row(
            f"{len(sample)} edges, by buffers of {BUFFER_M:g} m and their union",
            buffer_s,
            note=f"of {n_reached} reached: about {scaled_s:.1f} s for all, "
            f"{scaled_s / contour_s:.0f} times as long",
        ),
    ]


def minutes_as_grid(
    study: Study, coverage: Coverage, category: str
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Lay the minutes of a category out as a grid."""
    import numpy as np  # noqa: PLC0415

    col, row = (coverage.cells[name].to_numpy() for name in ("col", "row"))
    grid = np.full((int(np.ptp(row)) + 1, int(np.ptp(col)) + 1), np.inf)
    minutes = coverage.cells[f"minutes_{category}"].to_numpy()
    grid[row - row.min(), col - col.min()] = np.where(np.isnan(minutes), np.inf, minutes)
    x = (np.arange(col.min(), col.max() + 1) + 0.5) * study.cell_m
    y = (np.arange(row.min(), row.max() + 1) + 0.5) * study.cell_m
    return x, y, grid


def quart_heure() -> str:
    """Give the path of the command of this environment."""
    return str(Path(sys.executable).with_name("quart-heure"))


def time_command(
    what: str, command: tuple[str, ...], repeat: int, *, forget: tuple[str, ...] = ()
) -> Row:
    """Run a command with an empty cache, then warm; give wall times and peak memory.

    Entries of the kinds ``forget`` are removed from the cache before each run.
    """
    say(what)
    runs = []
    with tempfile.TemporaryDirectory() as cache:
        for _ in range(repeat + 1):
            for kind in forget:
                for entry in Path(cache).glob(f"{kind}-*"):
                    entry.unlink()
            runs.append(run_command(command, cache=cache))
    return Row(
        what,
        runs[0].wall_s,
        statistics.median(run.wall_s for run in runs[1:]),
        max(run.peak_mb for run in runs),
        note=f"again: {statistics.median(run.cpu_s for run in runs[1:]):.3f} s of the processor",
    )


def run_command(command: tuple[str, ...], *, cache: str, code: Path | None = None) -> Run:
    """Run a command and return its seconds, those of the processor, and its peak memory.

    With ``code``, of the package in that folder.
    """
    environment = {**os.environ, "QUART_HEURE_CACHE": cache}
    # Compiling all that is imported, anew in each process, would be most of what is measured.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    if code is not None:
        # What an earlier build needs besides may lie in a folder that is named there.
        others = environment.get("PYTHONPATH")
        environment["PYTHONPATH"] = os.pathsep.join([str(code), *([others] if others else [])])
    with tempfile.TemporaryFile() as errors:
        began = perf_counter()
        process = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
        )
        # wait4 tells the use of this very process; getrusage would mix all children so far.
        _, status, usage = os.wait4(process.pid, 0)
        seconds = perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            errors.seek(0)
            sys.exit(f"{' '.join(command)}\n{errors.read().decode()}")
    unit = 1_000_000 if sys.platform == "darwin" else 1000  # bytes there, kB elsewhere
    return Run(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / unit)


def timed(work: Callable[[], Result]) -> tuple[float, Result]:
    """Do some work and return its seconds and its result."""
    began = perf_counter()
    result = work()
    return perf_counter() - began, result


def median(work: Callable[[], Result], repeat: int) -> tuple[float, Result]:
    """Do some work several times and return the median of its seconds and a result."""
    runs = [timed(work) for _ in range(repeat)]
    return statistics.median(seconds for seconds, _ in runs), runs[-1][1]


def say(what: str) -> None:
    """Tell the person who waits what is being measured."""
    print(f"... {what}", file=sys.stderr, flush=True)


def print_rows(title: str, rows: list[Row]) -> None:
    """Print one part of the table."""
    print(f"\n{title}\n{'':54}{'first s':>9}{'again s':>9}{'peak MB':>9}")
    for row in rows:
        again = "" if row.again_s is None else f"{row.again_s:.3f}"
        peak = "" if row.peak_mb is None else f"{row.peak_mb:.0f}"
        print(f"{row.what:54}{row.first_s:9.3f}{again:>9}{peak:>9}  {row.note}".rstrip())


if __name__ == "__main__":
    main()
