"""Time the way from a raw street file to a network, and what is asked of that network.

    .venv/bin/python scripts/benchmark_network.py [FILE] [--repeat N] [--slow] [--peers]

FILE is an OpenStreetMap extract; by default that of Porto, in ``../shared/data`` beside the
project. All figures of a table come from one run on one machine. Where others use the machine too,
the seconds of the processor say more than those of the clock: both are given. The table goes to
stdout, progress to stderr. Nothing is asserted. ``--slow`` adds osmnx, which takes a minute or more
and 1.7 GB.
"""

from __future__ import annotations

import argparse
import functools
import http.client
import importlib
import json
import os
import platform
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import types
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter, process_time
from typing import TYPE_CHECKING, Any, TypeVar

from benchmark import ROOT, as_networkx, at_nodes, run_command, say

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from quart_heure.analysis.surface import Cells
    from quart_heure.network.graph import WalkNetwork
    from quart_heure.network.travel_time import SearchGraph

# Heavy imports wait, as in benchmark.py: they would count as memory of what is started from here.

PORTO = ROOT.parent / "shared" / "data" / "osm-raw" / "porto.osm.pbf"
SEED = 20_261_122
SERVICES = (448, 259, 200, 120, 318)
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
    parser.add_argument("file", nargs="?", type=Path, default=PORTO)
    parser.add_argument("--repeat", type=int, default=3, help="runs; the median counts (3)")
    parser.add_argument("--slow", action="store_true", help="osmnx too")
    parser.add_argument(
        "--peers", action="store_true", help="valhalla too, whose wheel is fetched and unpacked"
    )
    parser.add_argument("--step", choices=STEPS, help="do this one step and print nothing")
    parser.add_argument("--target", type=Path, help="where a step writes")
    options = parser.parse_args()
    if options.step:
        STEPS[options.step](options.file, options.target)
        return
    if not options.file.is_file():
        print(f"{options.file.name}: not present, so nothing was measured.")
        return
    with tempfile.TemporaryDirectory() as folder:
        measure_all(
            options.file,
            max(options.repeat, 1),
            slow=options.slow,
            peer=Valhalla.fetch(Path(folder)) if options.peers else None,
        )


def measure_all(file: Path, repeat: int, *, slow: bool, peer: Valhalla | None) -> None:
    """Measure and print."""
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {platform.machine()}")
    print(f"{file.name}, medians of {repeat} runs unless a line says otherwise")
    print_rows(
        "From a raw file to a network: whole processes, imports included",
        measure_reading(file, repeat, slow=slow, peer=peer),
    )
    say("the network once more, to ask it")
    from quart_heure.network.streets import read_osm_network  # noqa: PLC0415

    network = read_osm_network(file)
    print_rows("Contraction of raw segments, and how it grows", measure_growth(network, repeat))
    print_rows(
        f"{len(SERVICES)} categories of made-up services, {LIMIT_MIN:g} min on foot",
        measure_search(network, repeat, peer=peer),
    )


def measure_reading(path: Path, repeat: int, *, slow: bool, peer: Valhalla | None) -> list[Row]:
    """Time whole processes that read a file, ours and others."""
    ours = time_step("ours", "ours", path, repeat)
    rows = [ours, time_step("imports", "of which imports", path, repeat)]
    with tempfile.TemporaryDirectory() as folder:
        if slow:
            xml = Path(folder) / "walked.osm"
            rows.append(time_step("filter", "osmnx: the same ways as XML", path, 1, xml))
            rows.append(time_step("osmnx", "osmnx: read, simplify, project", xml, 1))
        else:
            rows.append(Row("osmnx", note="not run: add --slow"))
        if peer is not None:
            rows.append(peer.time_tiles(path, repeat))
        else:
            rows.append(Row("valhalla", note="not run: add --peers"))
    return [rows[0], *(with_ratio(row, ours) for row in rows[1:])]


def time_step(
    step: str, what: str, path: Path, repeat: int, target: Path = Path(os.devnull)
) -> Row:
    """Run a step of this script in fresh processes."""
    say(what)
    command = (sys.executable, __file__, str(path), "--step", step, "--target", str(target))
    with tempfile.TemporaryDirectory() as cache:
        runs = [run_command(command, cache=cache) for _ in range(repeat)]
    return Row(
        what,
        statistics.median(run.wall_s for run in runs),
        statistics.median(run.cpu_s for run in runs),
        max(run.peak_mb for run in runs),
        note="one run" if repeat == 1 else "",
    )


def build_ours(path: Path, _: Path) -> None:
    """Read a file as quart-heure does."""
    from quart_heure.network.streets import read_osm_network  # noqa: PLC0415

    read_osm_network(path)


def import_ours(_: Path, __: Path) -> None:
    """Import what `build_ours` needs."""
    import quart_heure.network.streets  # noqa: F401, PLC0415


def filter_for_osmnx(path: Path, target: Path) -> None:
    """Write the ways that our rules keep as XML, since osmnx reads nothing else."""
    import osmium  # noqa: PLC0415

    from quart_heure.network.rules import judge  # noqa: PLC0415

    streets = osmium.FileProcessor(path, osmium.osm.WAY).with_filter(
        osmium.filter.KeyFilter("highway")
    )
    with osmium.BackReferenceWriter(str(target), ref_src=str(path)) as writer:
        for way in streets:
            if judge(dict(way.tags)).walkable:
                writer.add(way)


def build_with_osmnx(path: Path, _: Path) -> None:
    """Read XML as an analyst does with osmnx: one simplified graph in metres."""
    import osmnx  # noqa: PLC0415

    osmnx.project_graph(osmnx.graph_from_xml(path, bidirectional=True, retain_all=True))


@dataclass(frozen=True)
class Valhalla:
    """The programs of a peer, unpacked into a folder, with the settings that they are run with.

    Its wheel is for later versions of Python than ours may be, but what it holds are programs of
    their own; its module of settings is plain Python. It keeps all roads and all means of
    transport, with their bends and turns; it crosses no square and contracts nothing for walkers.
    """

    folder: Path
    settings: dict[str, Any]

    @classmethod
    def fetch(cls, folder: Path) -> Valhalla:
        """Fetch the wheel and unpack it."""
        say("valhalla")
        pip = (sys.executable, "-m", "pip", "download", "--quiet", "--only-binary=:all:")
        wanted = ("--python-version", "3.12", "--platform", VALHALLA_PLATFORM, VALHALLA)
        command = (*pip, "--no-deps", *wanted, "--dest", str(folder))
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        (wheel,) = folder.glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder)
        (folder / "tiles").mkdir()
        packed = folder / "tiles.tar"
        packed.touch()  # its settings name what is there
        # Its package itself loads what this Python cannot.
        package = types.ModuleType("valhalla")
        package.__path__ = [str(folder / "valhalla")]
        sys.modules["valhalla"] = package
        settings = importlib.import_module("valhalla.config").get_config(
            tile_extract=str(packed), tile_dir=str(folder / "tiles")
        )
        packed.unlink()
        settings["mjolnir"]["concurrency"] = VALHALLA_THREADS
        return cls(folder, settings)

    def program(self, name: str) -> tuple[str, str]:
        """Return a program and its file of settings."""
        file = self.folder / "valhalla" / "bin" / name
        file.chmod(0o755)
        settings = self.folder / "valhalla.json"
        settings.write_text(json.dumps(self.settings), encoding="utf-8")
        return str(file), str(settings)

    def time_tiles(self, path: Path, repeat: int) -> Row:
        """Time the program that builds the tiles which it routes on."""
        tiles = self.folder / "tiles"
        program, settings = self.program("valhalla_build_tiles")
        runs = []
        for _ in range(repeat):
            shutil.rmtree(tiles)
            tiles.mkdir()
            command = (program, "-c", settings, str(path))
            runs.append(run_command(command, cache=str(self.folder)))
        return Row(
            f"{VALHALLA}: tiles, {VALHALLA_THREADS} threads",
            statistics.median(run.wall_s for run in runs),
            statistics.median(run.cpu_s for run in runs),
            max(run.peak_mb for run in runs),
        )

    def time_isochrones(self, places: Sequence[NDArray[np.float64]], speed_kmh: float) -> Row:
        """Time what is in reach of places in degrees, one after the other, joined per category.

        Its server is asked over the loopback; the seconds are those from the first question to the
        last answer, and the processor's those of the server and of whoever asks and joins.
        """
        import shapely  # noqa: PLC0415

        say("valhalla's isochrones")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        service = {"listen": f"tcp://127.0.0.1:{port}", "loopback": f"ipc://{self.folder}/loop"}
        self.settings["httpd"]["service"] |= service
        self.settings["httpd"]["service"]["interrupt"] = f"ipc://{self.folder}/interrupt"
        for room in ("loki", "thor", "odin"):
            self.settings[room]["service"]["proxy"] = f"ipc://{self.folder}/{room}"
        asked: dict[str, Any] = {
            "costing": "pedestrian",
            "costing_options": {"pedestrian": {"walking_speed": speed_kmh}},
            "contours": [{"time": LIMIT_MIN}],
            "polygons": True,
        }
        server = subprocess.Popen(
            [*self.program("valhalla_service"), "1"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            line = connected(port)

            def ask(lon: float, lat: float) -> list[shapely.Geometry]:
                body = json.dumps(asked | {"locations": [{"lon": lon, "lat": lat}]})
                line.request("POST", "/isochrone", body)
                answer = line.getresponse()
                text = answer.read()
                if answer.status != 200:
                    return []  # it knows no street there
                features = json.loads(text)["features"]
                return [shapely.from_geojson(json.dumps(one["geometry"])) for one in features]

            ask(*places[0][0])
            before, wall, cpu = seconds_of(server.pid), perf_counter(), process_time()
            found = [[shape for at in some for shape in ask(*at)] for some in places]
            areas = [shapely.union_all(shapes).area for shapes in found]
            row = Row(
                f"{VALHALLA}: isochrones, joined",
                perf_counter() - wall,
                process_time() - cpu + seconds_of(server.pid) - before,
            )
        finally:
            server.kill()
            server.wait()
        n_found, n_drawn = sum(map(len, found)), sum(area > 0 for area in areas)
        each = f"{n_found} of {sum(map(len, places))} places, one by one"
        return replace(row, note=f"{each}, joined to {n_drawn} sets; one run")


def connected(port: int) -> http.client.HTTPConnection:
    """Return a line to a server on the loopback, once it listens."""
    for _ in range(100):
        line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        try:
            line.connect()
        except ConnectionError:
            time.sleep(0.1)
        else:
            return line
    msg = f"No server listens on port {port}."
    raise RuntimeError(msg)


def seconds_of(pid: int) -> float:
    """Return the processor's seconds of another process."""
    import psutil  # noqa: PLC0415

    used = psutil.Process(pid).cpu_times()
    return float(used.user + used.system)


VALHALLA, VALHALLA_PLATFORM, VALHALLA_THREADS = "pyvalhalla==3.9.1", "manylinux_2_28_x86_64", 2

STEPS: Mapping[str, Callable[[Path, Path], None]] = {
    "ours": build_ours,
    "imports": import_ours,
    "filter": filter_for_osmnx,
    "osmnx": build_with_osmnx,
}


def measure_growth(network: WalkNetwork, repeat: int) -> list[Row]:
    """Time the contraction of the raw segments of a network, laid out several times."""
    from quart_heure.network.contraction import contract  # noqa: PLC0415

    rows = []
    for n_tiles in TILES:
        say(f"contraction, {n_tiles} times")
        segments = raw_segments(network, n_tiles)
        n_segments = len(segments["a"])
        before = os.times()
        row, result = measure(
            f"{n_tiles} × side by side", functools.partial(contract, **segments), repeat
        )
        after = os.times()
        # The system's share is that of handing out fresh memory, not of the work itself.
        user_us, system_us = (
            (getattr(after, kind) - getattr(before, kind)) / repeat / n_segments * 1e6
            for kind in ("user", "system")
        )
        note = f"{n_segments} segments to {result.n_edges} edges"
        each = f"per segment {user_us:.2f} µs and {system_us:.2f} µs of the system's"
        rows.append(replace(row, note=f"{note}; {each}"))
        del segments, result
    return rows


def raw_segments(network: WalkNetwork, n_tiles: int) -> dict[str, Any]:
    """Return the pieces between the vertices of all edges, several times side by side."""
    import numpy as np  # noqa: PLC0415

    sizes = np.diff(network.offsets)
    vertex = network.n_nodes + np.arange(len(network.xy))
    vertex[network.offsets[:-1]], vertex[network.offsets[1:] - 1] = network.u, network.v
    starts = np.delete(np.arange(len(vertex)), network.offsets[1:] - 1)
    xy = np.concatenate([network.node_xy, network.xy])
    tile = np.repeat(np.arange(n_tiles), len(starts))
    shift = np.repeat(np.arange(n_tiles), len(xy)) * (np.ptp(xy[:, 0]) + 1000.0)
    edge = np.tile(np.repeat(np.arange(network.n_edges), sizes - 1), n_tiles)
    columns = ("steps", "bridge", "tunnel", "forward", "backward", "flags", "osm_id")
    return {
        "a": np.tile(vertex[starts], n_tiles) + tile * len(xy),
        "b": np.tile(vertex[starts + 1], n_tiles) + tile * len(xy),
        "node_xy": np.tile(xy, (n_tiles, 1)) + np.stack([shift, np.zeros(len(shift))], axis=1),
        "columns": {name: getattr(network, name)[edge] for name in columns},
        "kind": (network.kind_code[edge], network.kinds),
        "name": (network.name_code[edge], network.names),
        "crs": network.crs,
        "meta": {},
    }


def measure_search(network: WalkNetwork, repeat: int, *, peer: Valhalla | None) -> list[Row]:
    """Time travel times and isochrones of made-up services, ours and others."""
    import numpy as np  # noqa: PLC0415
    import pyproj  # noqa: PLC0415

    from quart_heure.network.travel_time import search_graph  # noqa: PLC0415
    from quart_heure.profiles import ADULT  # noqa: PLC0415

    sources = made_up_sources(network)
    ready, graph = measure("ready to search", lambda: search_graph(network, ADULT), repeat)
    times, minutes = time_searches(graph, sources, repeat)
    shapes = time_isochrones(network, graph, sources, minutes, repeat)
    if peer is None:
        shapes.append(Row("valhalla's isochrones", note="not asked for: add --peers"))
    else:
        to_degrees = pyproj.Transformer.from_crs(network.crs, 4326, always_xy=True).transform
        lon_lat = np.stack(to_degrees(*network.node_xy.T), axis=1)
        places = [lon_lat[some] for some in sources]
        theirs = peer.time_isochrones(places, ADULT.speed_kmh)
        shapes.append(with_ratio(theirs, shapes[1]))
    return [replace(ready, note=f"{network.n_nodes} nodes, once per walker"), *times, *shapes]


def made_up_sources(network: WalkNetwork) -> list[NDArray[np.int32]]:
    """Return the nodes nearest to made-up services, most of them near the centre."""
    import numpy as np  # noqa: PLC0415
    from scipy.spatial import KDTree  # noqa: PLC0415

    random = np.random.default_rng(SEED)
    low, high = network.node_xy.min(axis=0), network.node_xy.max(axis=0)
    centre = np.median(network.node_xy, axis=0)
    tree = KDTree(network.node_xy)
    sources = []
    for n in SERVICES:
        near = random.normal(centre, (high - low) / 12, size=(round(0.7 * n), 2))
        anywhere = random.uniform(low, high, size=(n - len(near), 2))
        _, nodes = tree.query(np.concatenate([near, anywhere]))
        sources.append(np.unique(nodes).astype(np.int32))
    return sources


def time_searches(
    graph: SearchGraph, sources: list[NDArray[np.int32]], repeat: int
) -> tuple[list[Row], list[NDArray[np.float64]]]:
    """Time one search per category to all nodes, by us, by scipy alone and by networkx."""
    import networkx as nx  # noqa: PLC0415
    import numpy as np  # noqa: PLC0415
    from scipy.sparse import csr_array  # noqa: PLC0415
    from scipy.sparse.csgraph import dijkstra  # noqa: PLC0415

    n_nodes = len(graph.indptr) - 1
    nodes = at_nodes(graph, np.arange(n_nodes, dtype=np.int32))
    starts = [at_nodes(graph, category) for category in sources]
    matrix = csr_array((graph.level_m, graph.indices, graph.indptr), shape=(n_nodes, n_nodes))
    limit_m = LIMIT_MIN * graph.speed_m_per_min
    links = as_networkx(graph)

    def ours() -> list[NDArray[np.float64]]:
        search = graph.searches(nodes, limit_min=LIMIT_MIN)
        found = [search(start).minutes for start in starts]
        # Streets end at the limit; a place may be reached a little later, along its own edge.
        return [np.where(minutes <= LIMIT_MIN, minutes, np.inf) for minutes in found]

    def scipy_alone() -> list[NDArray[np.float64]]:
        return [
            dijkstra(matrix, indices=category, min_only=True, limit=limit_m) for category in sources
        ]

    def networkx_alone() -> list[dict[int, float]]:
        return [
            nx.multi_source_dijkstra_path_length(
                links, set(category.tolist()), cutoff=LIMIT_MIN, weight="minutes"
            )
            for category in sources
        ]

    say("searches")
    kernel, level_m = measure("scipy's dijkstra alone, minutes only", scipy_alone, repeat)
    our_row, minutes = measure("minutes to all nodes and the nearest, ours", ours, repeat)
    say("networkx")
    their_row, answers = measure("networkx, minutes only", networkx_alone, repeat)
    worst = max(
        max(abs(one[node] - value) for node, value in found.items())
        for one, found in zip(minutes, answers, strict=True)
    )
    same = all(
        np.array_equal(np.isfinite(one), np.isfinite(metres)) and np.isfinite(one).sum() == len(got)
        for one, metres, got in zip(minutes, level_m, answers, strict=True)
    )
    agree = f"reach {'the same' if same else 'other'} nodes, differ by {worst:.0e} min at most"
    return [
        with_ratio(our_row, kernel, "scipy alone"),
        kernel,
        replace(their_row, note=f"{with_ratio(their_row, our_row).note}; all three {agree}"),
    ], minutes


def time_isochrones(
    network: WalkNetwork,
    graph: SearchGraph,
    sources: list[NDArray[np.int32]],
    node_minutes: list[NDArray[np.float64]],
    repeat: int,
) -> list[Row]:
    """Time shapes of what is in reach: contours of a grid, and buffers around its streets."""
    import numpy as np  # noqa: PLC0415
    import shapely  # noqa: PLC0415

    from quart_heure.analysis.isochrones import contour_polygons  # noqa: PLC0415
    from quart_heure.analysis.surface import minutes_grid  # noqa: PLC0415

    say("cells")
    ground = shapely.box(*network.node_xy.min(axis=0), *network.node_xy.max(axis=0))
    ready, cells = measure("cells and where they meet streets", lambda: lay(network, ground), 1)

    def contours() -> list[shapely.MultiPolygon]:
        shapes = []
        search = graph.searches(cells.attachment, limit_min=LIMIT_MIN)
        for category in sources:
            grid = minutes_grid(cells, search(at_nodes(graph, category)).minutes)
            shapes += contour_polygons(*grid, (LIMIT_MIN,), clip=ground)
        return shapes

    def buffers() -> list[shapely.Geometry]:
        shapes = []
        for minutes in node_minutes:
            reached = np.maximum(minutes[network.u], minutes[network.v]) <= LIMIT_MIN
            pads = shapely.buffer(network.lines[reached], BUFFER_M, quad_segs=4)
            shapes.append(shapely.union_all(pads))
        return shapes

    say("contours")
    ours, drawn = measure("isochrones by contours, searches included", contours, repeat)
    say("buffers")
    theirs, joined = measure(f"isochrones by buffers of {BUFFER_M:g} m, joined", buffers, 1)
    areas = [round(sum(shape.area for shape in shapes) / 1e6) for shapes in (drawn, joined)]
    return [
        replace(ready, note=f"{len(cells)} cells of {CELL_M:g} m, once per city; one run"),
        replace(ours, note=f"{areas[0]} km² in all: the ground within {SNAP_M:g} m of a street"),
        replace(
            theirs,
            note=f"{with_ratio(theirs, ours).note}, {areas[1]} km² in all: no courts; one run",
        ),
    ]


def lay(network: WalkNetwork, ground: Any, *, cell_m: float = CELL_M) -> Cells:
    """Lay cells over some ground and attach them to the network."""
    import geopandas as gpd  # noqa: PLC0415

    from quart_heure.analysis.surface import cells_of_area  # noqa: PLC0415
    from quart_heure.network.components import entry_edges  # noqa: PLC0415
    from quart_heure.network.travel_time import search_graph  # noqa: PLC0415
    from quart_heure.profiles import ADULT  # noqa: PLC0415
    from quart_heure.sources.areas.areas import StudyArea  # noqa: PLC0415

    districts = gpd.GeoDataFrame(
        {"district_id": ["1"], "label": ["all"]}, geometry=[ground], crs=network.crs
    )
    area = StudyArea(name="all", geometry=ground, crs=network.crs, districts=districts)
    return cells_of_area(
        area,
        network,
        graph=search_graph(network, ADULT),
        usable=entry_edges(network, ADULT),
        cell_m=cell_m,
        snap_m=SNAP_M,
    )


def measure(what: str, work: Callable[[], Result], repeat: int) -> tuple[Row, Result]:
    """Do some work several times; return the medians of its seconds, and a result."""
    walls, cpus = [], []
    for _ in range(repeat):
        wall, cpu = perf_counter(), process_time()
        result = work()
        walls.append(perf_counter() - wall)
        cpus.append(process_time() - cpu)
    return Row(what, statistics.median(walls), statistics.median(cpus)), result


def with_ratio(row: Row, base: Row, name: str = "ours") -> Row:
    """Note how many times as long as another row a row took, by the processor."""
    if row.cpu_s is None or not base.cpu_s:
        return row
    ratio = f"{row.cpu_s / base.cpu_s:.2g} × {name}"
    return replace(row, note=f"{ratio}, {row.note}" if row.note else ratio)


def print_rows(title: str, rows: list[Row]) -> None:
    """Print one part of the table."""
    print(f"\n{title}\n{'':46}{'wall s':>9}{'cpu s':>9}{'peak MB':>9}")
    for row in rows:
        wall, cpu = (
            "" if seconds is None else f"{seconds:.3f}" for seconds in (row.wall_s, row.cpu_s)
        )
        peak = "" if row.peak_mb is None else f"{row.peak_mb:.0f}"
        print(f"{row.what:46}{wall:>9}{cpu:>9}{peak:>9}  {row.note}".rstrip(), flush=True)


if __name__ == "__main__":
    main()
