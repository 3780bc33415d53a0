"""Changed streets: the network as it would be with the links and cuts of a scenario."""

from __future__ import annotations

import dataclasses
import itertools
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from shapely.ops import substring

from quart_heure.errors import StudyFileError
from quart_heure.network.graph import WalkNetwork
from quart_heure.network.snapping import snap
from quart_heure.sources.projecting import transformer
from quart_heure.study.coverage import Coverage
from quart_heure.study.scenario import Scenario

if TYPE_CHECKING:
    import geopandas as gpd

_AT_AN_END_M = 0.01
"""A link that lands this near to a crossing lands on it."""


def changed_network(base: Coverage, scenario: Scenario) -> WalkNetwork:
    """Return the streets of a study with the links and cuts of a scenario.

    A link is a straight level footway, over whatever lies between, from the point of a useful
    street that is nearest to its one place to that nearest to the other; the streets are divided
    where it lands. A cut takes out the street that the walker may walk, from crossing to crossing,
    that is nearest to its place. All are of the streets as they are: their order does not matter.

    Parameters
    ----------
    base
        Of whose study the streets are.
    scenario
        Its links and cuts.

    Raises
    ------
    StudyFileError
        If no useful street is near a place, a link begins and ends at one point, or it lands on a
        street that is cut.
    """
    network = base.study.network
    ends: list[tuple[float, float]] = []
    for one in scenario.link:
        ends += [(one.lon, one.lat), (one.to_lon, one.to_lat)]
    cuts = [(one.lon, one.lat) for one in scenario.cut]
    graph = base.basis.doors.graph
    edge, offset_m = _nearest(base, ends, base.basis.doors.usable, scenario.name)
    # Nobody enters a bridge or a tunnel on its way, and yet it may be closed.
    closed, _ = _nearest(base, cuts, graph.forward | graph.backward, scenario.name)
    gone = set(closed.tolist())
    if gone & set(edge.tolist()):
        msg = f"Scenario {scenario.name!r}: a link lands on a street that is cut."
        raise StudyFileError(msg, hint="Let it land on another street, or leave the cut out.")
    table = network.edges()
    if network.part_nodes is not None:
        table["part_nodes"] = network.part_nodes
    import geopandas as gpd  # noqa: PLC0415 - see the design: heavy imports wait

    table, nodes, xy = _divided(table, edge, offset_m)
    rows = []
    for at in range(0, len(ends), 2):
        line = shapely.LineString(xy[at : at + 2])
        if nodes[at] == nodes[at + 1] or line.length < _AT_AN_END_M:
            msg = f"Scenario {scenario.name!r}: a link begins and ends at one point."
            raise StudyFileError(msg, hint="Give places beside two streets.")
        rows.append(_link(table, nodes[at], nodes[at + 1], line))
    kept = table[~table["before"].isin(gone)]
    whole = gpd.GeoDataFrame(pd.concat([kept, *rows], ignore_index=True), geometry="geometry")
    whole = whole.set_crs(network.crs, allow_override=True)
    changed = WalkNetwork.from_edges(whole.drop(columns="before"), meta=network.meta)
    if network.part_nodes is None:
        return changed
    return dataclasses.replace(changed, part_nodes=whole["part_nodes"].to_numpy(dtype=np.int64))


def _nearest(
    base: Coverage, places: list[tuple[float, float]], usable: NDArray[np.bool_], name: str
) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """Return the edge of some that is nearest to each place, and how far along it."""
    study = base.study
    if not places:
        return np.empty(0, dtype=np.int32), np.empty(0)
    move = transformer(4326, study.area.crs)
    xy = np.stack(move.transform(*np.array(places).T), axis=1)
    found = snap(study.network, xy, usable=usable, max_distance_m=study.snap_m)
    if not found.attached.all():
        lon, lat = places[int(np.flatnonzero(~found.attached)[0])]
        msg = f"Scenario {name!r}: no useful street within {study.snap_m:g} m of {lat}, {lon}."
        raise StudyFileError(msg, hint="Give a place beside a street of the network.")
    first = found.begin[:-1]
    return found.edge[first], found.offset_m[first]


def _divided(
    table: gpd.GeoDataFrame, edge: NDArray[np.int32], offset_m: NDArray[np.float64]
) -> tuple[gpd.GeoDataFrame, list[int], NDArray[np.float64]]:
    """Divide edges at some points; return the node and place of each.

    The table gains ``before``, the edge that each row was (part of).
    """
    table = table.assign(before=np.arange(len(table)))
    following = int(max(table["u"].max(), table["v"].max())) + 1
    nodes, xy = [0] * len(edge), np.zeros((len(edge), 2))
    parts = []
    for one in np.unique(edge).tolist():
        row = table.iloc[one]
        line, length_m = row["geometry"], float(row["length_m"])
        mine = np.flatnonzero(edge == one)
        mine = mine[np.argsort(offset_m[mine], kind="stable")]
        cuts: list[tuple[float, int]] = [(0.0, int(row["u"]))]
        for at in mine.tolist():
            share = float(offset_m[at]) / length_m
            xy[at] = shapely.get_coordinates(line.interpolate(share, normalized=True))[0]
            if length_m * (share - cuts[-1][0]) < _AT_AN_END_M:
                nodes[at] = cuts[-1][1]
            elif length_m * (1 - share) < _AT_AN_END_M:
                nodes[at] = int(row["v"])
            else:
                nodes[at] = following
                cuts.append((share, following))
                following += 1
        cuts.append((1.0, int(row["v"])))
        for (begin, u), (end, v) in itertools.pairwise(cuts):
            piece = row.to_dict()
            piece |= {"u": u, "v": v, "length_m": length_m * (end - begin)}
            piece["geometry"] = substring(line, begin, end, normalized=True)
            parts.append(piece)
    rest = table[~table["before"].isin(edge.tolist())]
    return pd.concat([rest, pd.DataFrame(parts)], ignore_index=True), nodes, xy


def _link(table: gpd.GeoDataFrame, u: int, v: int, line: shapely.LineString) -> pd.DataFrame:
    row = {
        "u": u,
        "v": v,
        "length_m": line.length,
        "kind": "footway",
        "steps": False,
        "bridge": True,
        "tunnel": False,
        "forward": True,
        "backward": True,
        "flags": 0,
        "osm_id": 0,
        "name": "",
        "geometry": line,
        "before": -1,
    }
    if "part_nodes" in table:
        ends = table["u"].isin((u, v)) | table["v"].isin((u, v))
        row["part_nodes"] = int(table.loc[ends, "part_nodes"].max())
    return pd.DataFrame([row])
