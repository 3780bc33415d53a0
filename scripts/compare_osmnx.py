"""Compare the walking rules with osmnx's walking filter on the same OpenStreetMap files.

    .venv/bin/python scripts/compare_osmnx.py monaco.osm.gz paris_bss.osm.pbf

For each file: a Markdown table of the ways that both keep, that one keeps, and that neither keeps,
by reason, with kilometres and classes; then a check of the graphs. For the ways that both keep,
osmnx's own graph and ours must give the same walking distances. `docs/method_network.md` has the
tables of one run.
"""

from __future__ import annotations

import argparse
import dataclasses
import re
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.sax.saxutils import quoteattr

import networkx as nx
import numpy as np
import osmnx as ox
import pyproj
import shapely
from numpy.typing import NDArray

from quart_heure.network.rules import Verdict, judge
from quart_heure.network.streets import network_from_osm
from quart_heure.sources.osm.data import RawOsm
from quart_heure.sources.osm.files import read_osm_file
from quart_heure.sources.projecting import metric_crs

DECISIONS = ("both keep", "only we keep", "only osmnx keeps", "neither keeps")
N_PAIRS = 300


def main() -> None:
    """Print the comparison of each file."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("files", nargs="+", type=Path)
    for path in parser.parse_args().files:
        raw = read_osm_file(path)
        refusals = [osmnx_refusal(tags) for tags in raw.way_tags]
        verdicts = [judge(tags) for tags in raw.way_tags]
        print(f"\n### {path.name}\n")
        print("\n".join(compare_ways(raw, refusals, verdicts)))
        both = [v.walkable and not r for v, r in zip(verdicts, refusals, strict=True)]
        print("\n" + compare_graphs(keep_ways(raw, np.array(both))))


def osmnx_refusal(tags: Mapping[str, str]) -> str:
    """Return the clause of osmnx's walking filter that refuses a way, ``""`` if none does."""
    for key, pattern in re.findall(
        r'\["([^"]+)"(?:!~"([^"]*)")?\]', ox._overpass._get_network_filter("walk")
    ):
        value = tags.get(key)
        if not pattern and value is None:
            return f"no {key}"
        if pattern and value is not None and re.search(pattern, value):
            return f"{key}={value}"
    return ""


def compare_ways(raw: RawOsm, refusals: Sequence[str], verdicts: Sequence[Verdict]) -> list[str]:
    """Return the rows of the table of ways, the longest groups first."""
    length_km = way_lengths_m(raw) / 1000
    groups: dict[tuple[int, str, str], list[int]] = {}
    for way, (refusal, verdict) in enumerate(zip(refusals, verdicts, strict=True)):
        if verdict.reason != "no_highway":
            decision = 2 * (not verdict.walkable) + bool(refusal)
            ours = verdict.reason if decision else "–"
            groups.setdefault((decision, ours, refusal or "–"), []).append(way)
    rows = [
        "| decision | ours | osmnx refuses | ways | km | classes |",
        "| --- | --- | --- | ---: | ---: | --- |",
    ]
    for (decision, ours, refusal), ways in sorted(
        groups.items(), key=lambda group: (group[0][0], -length_km[group[1]].sum())
    ):
        classes = Counter(raw.way_tags[way].get("highway", "") for way in ways).most_common(4)
        rows.append(
            f"| {DECISIONS[decision]} | {ours} | {refusal} | {len(ways)} "
            f"| {length_km[ways].sum():.2f} | {', '.join(name for name, _ in classes)} |"
        )
    return rows


def way_lengths_m(raw: RawOsm) -> NDArray[np.float64]:
    """Return the length of each way on the ellipsoid."""
    step = pyproj.Geod(ellps="WGS84").inv(
        raw.lon[raw.refs[:-1]], raw.lat[raw.refs[:-1]], raw.lon[raw.refs[1:]], raw.lat[raw.refs[1:]]
    )[2]
    way = np.repeat(np.arange(raw.n_ways), np.diff(raw.offsets))
    within = way[1:] == way[:-1]
    lengths = np.bincount(way[1:][within], weights=step[within], minlength=raw.n_ways)
    return lengths.astype(np.float64)


def keep_ways(raw: RawOsm, kept: NDArray[np.bool_]) -> RawOsm:
    """Return raw data with some of its ways, and without gates and squares."""
    counts = np.diff(raw.offsets)
    return dataclasses.replace(
        raw,
        way_id=raw.way_id[kept],
        refs=raw.refs[np.repeat(kept, counts)],
        offsets=np.concatenate([[0], np.cumsum(counts[kept])]),
        way_tags=[raw.way_tags[way] for way in np.flatnonzero(kept).tolist()],
        node_tags={},
        areas=(),
    )


def compare_graphs(raw: RawOsm) -> str:
    """Compare walking distances on osmnx's graph of some ways with those on ours."""
    crs = metric_crs_of(raw)
    network = network_from_osm(raw, crs=crs)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ways.osm"
        write_xml(raw, path)
        graph = ox.graph_from_xml(path, bidirectional=True, retain_all=True, simplify=False)
    graph = ox.project_graph(graph, to_crs=crs)
    for u, v, tags in graph.edges(data=True):
        (x1, y1), (x2, y2) = ((graph.nodes[n]["x"], graph.nodes[n]["y"]) for n in (u, v))
        tags["metres"] = float(np.hypot(x2 - x1, y2 - y1))
    theirs = nx.Graph()
    for u, v, tags in graph.edges(data=True):
        theirs.add_edge(u, v, metres=tags["metres"])
    ours = nx.MultiGraph()
    for edge in range(network.n_edges):
        ours.add_edge(int(network.u[edge]), int(network.v[edge]), metres=network.length_m[edge])
    place = {(round(d["x"], 3), round(d["y"], 3)): n for n, d in graph.nodes(data=True)}
    pairs = np.random.default_rng(0).integers(network.n_nodes, size=(N_PAIRS, 2)).tolist()
    apart, reached, worst = 0, 0, 0.0
    for origin, goal in pairs:
        a, b = (place[tuple(round(c, 3) for c in network.node_xy[n])] for n in (origin, goal))
        mine, other = distance(ours, origin, goal), distance(theirs, a, b)
        apart += np.isfinite(mine) != np.isfinite(other)
        if np.isfinite(mine):
            reached += 1
            worst = max(worst, abs(mine - other))
    total_km = network.length_m.sum() / 1000
    their_km = sum(metres for _, _, metres in theirs.edges(data="metres")) / 1000
    return (
        f"Ways that both keep: {total_km:.2f} km here in {network.n_edges} edges, "
        f"{their_km:.2f} km in osmnx in {theirs.number_of_edges()} segments. "
        f"Of {N_PAIRS} pairs of junctions {reached} are joined here, {apart} otherwise in osmnx; "
        f"distances differ by {worst:.6f} m at most."
    )


def metric_crs_of(raw: RawOsm) -> pyproj.CRS:
    """Return the metric CRS for the middle of the data."""
    return metric_crs(shapely.Point(np.median(raw.lon), np.median(raw.lat)))


def distance(graph: nx.Graph, origin: int, goal: int) -> float:
    """Return the length of the shortest way, infinite if there is none."""
    try:
        return float(nx.dijkstra_path_length(graph, origin, goal, weight="metres"))
    except nx.NetworkXNoPath:
        return float("inf")


def write_xml(raw: RawOsm, path: Path) -> None:
    """Write ways and nodes as OpenStreetMap XML."""
    with path.open("w", encoding="utf-8") as file:
        file.write("<?xml version='1.0' encoding='UTF-8'?>\n<osm version='0.6'>\n")
        for node, lon, lat in zip(raw.node_id, raw.lon, raw.lat, strict=True):
            file.write(f"<node id='{node}' lon='{lon:.7f}' lat='{lat:.7f}'/>\n")
        for way, osm_id in enumerate(raw.way_id):
            file.write(f"<way id='{way + 1}'><tag k='osm_id' v='{osm_id}'/>")
            for node in raw.node_id[raw.refs[raw.offsets[way] : raw.offsets[way + 1]]]:
                file.write(f"<nd ref='{node}'/>")
            for key, value in raw.way_tags[way].items():
                file.write(f"<tag k={quoteattr(key)} v={quoteattr(value)}/>")
            file.write("</way>\n")
        file.write("</osm>\n")


if __name__ == "__main__":
    main()
