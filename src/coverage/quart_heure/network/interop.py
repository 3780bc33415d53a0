"""To and from networkx: graphs shaped as osmnx makes them.

Nodes have ``x`` and ``y``; edges have ``osmid``, ``length``, ``geometry``, ``highway``, ``name``;
the graph has ``crs``. A street that is walked both ways is two edges.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray

from quart_heure.errors import CrsError, InputFileError, NetworkError
from quart_heure.network.arrays import NetworkArrays
from quart_heure.network.attributes import NO, first_of, holds, several, whole_number
from quart_heure.network.contraction import contract
from quart_heure.sources.projecting import metric_crs, transformer

if TYPE_CHECKING:
    import networkx as nx


_COLUMNS = ("steps", "bridge", "tunnel", "forward", "backward", "flags", "osm_id")
_TOLD_APART = ("kind", "name", "steps", "bridge", "tunnel", "flags")
_ONEWAY = "oneway:foot"


def network_to_networkx(network: NetworkArrays) -> nx.MultiDiGraph:
    """Return a network as a projected graph that osmnx's own functions accept.

    Returns
    -------
    nx.MultiDiGraph
        Nodes carry x, y, street_count. Edges carry osmid, length, geometry, highway, reversed and
        oneway (always False, as in osmnx's walking graphs); where they apply also name, bridge,
        tunnel, steps, flags, and ``oneway:foot`` for streets that are walked one way only.
    """
    import networkx as nx  # noqa: PLC0415 - needed by analysts only

    graph = nx.MultiDiGraph(
        crs=network.crs.to_string(), simplified=True, **_texts(network.meta, "osm_date", "licence")
    )
    streets = np.bincount(np.concatenate([network.u, network.v]), minlength=network.n_nodes)
    for node, (x, y) in enumerate(network.node_xy.tolist()):
        graph.add_node(node, x=x, y=y, street_count=int(streets[node]))
    backwards = shapely.reverse(network.lines)
    for edge in range(network.n_edges):
        u, v = int(network.u[edge]), int(network.v[edge])
        tags = _edge_tags(network, edge)
        if network.forward[edge]:
            graph.add_edge(u, v, **tags, geometry=network.lines[edge], reversed=False)
        if network.backward[edge]:
            # Told against the direction of the way, a one-way street runs the other way round.
            tags |= {_ONEWAY: "-1"} if _ONEWAY in tags else {}
            graph.add_edge(v, u, **tags, geometry=backwards[edge], reversed=True)
    return graph


def network_from_networkx(graph: nx.MultiDiGraph, *, meta: Mapping[str, Any]) -> NetworkArrays:
    """Build a network from an osmnx-shaped graph, projected or in degrees.

    Parameters
    ----------
    graph
        Streets that can be walked: no rule is applied to them. Both ways count as walked, whatever
        ``oneway`` says of vehicles, unless ``oneway:foot`` says otherwise.
    meta
        Source, data date, licence.

    Raises
    ------
    CrsError
        If the graph has no CRS.
    InputFileError
        If a node has no coordinates.
    NetworkError
        If there is no edge.

    Notes
    -----
    Lengths are taken from the shapes, in metres of the projected CRS, not from ``length``, and
    nodes of degree 2 are contracted, so that a network is the same whichever way it came. An edge
    with several highway classes or names, as osmnx's simplification makes them, has the first in
    the order of the alphabet; it has steps if one of them is ``steps``.
    """
    crs = _crs_of(graph)
    position, node_xy = _read_nodes(graph)
    edges = _read_edges(graph, position, node_xy)
    if not edges:
        msg = "The graph has no edge."
        raise NetworkError(msg, hint="Give a graph of streets.")
    if not crs.is_projected:
        crs, node_xy, edges = _project(crs, node_xy, edges)
    sizes = np.array([len(edge["shape"]) for edge in edges])
    origin = np.repeat(np.arange(len(edges)), sizes - 1)
    a, b, xy = _lay_out(edges, sizes, node_xy)
    return contract(
        a=a,
        b=b,
        node_xy=xy,
        columns={name: np.array([edge[name] for edge in edges])[origin] for name in _COLUMNS},
        kind=_encode((edge["kind"] for edge in edges), origin),
        name=_encode((edge["name"] for edge in edges), origin),
        crs=crs,
        meta={"source": "networkx", **meta},
    )


def _texts(meta: Mapping[str, Any], *keys: str) -> dict[str, str]:
    return {key: str(meta[key]) for key in keys if meta.get(key)}


def _edge_tags(network: NetworkArrays, edge: int) -> dict[str, Any]:
    tags: dict[str, Any] = {
        "osmid": int(network.osm_id[edge]),
        "highway": network.kind_of(edge),
        "length": float(network.length_m[edge]),
        "oneway": False,
    }
    if name := network.name_of(edge):
        tags["name"] = name
    if network.flags[edge]:
        tags["flags"] = int(network.flags[edge])
    for word in ("bridge", "tunnel", "steps"):
        if getattr(network, word)[edge]:
            tags[word] = "yes"
    if not (network.forward[edge] and network.backward[edge]):
        tags[_ONEWAY] = "yes"
    return tags


def _crs_of(graph: nx.MultiDiGraph) -> pyproj.CRS:
    if not graph.graph.get("crs"):
        msg = "The graph has no coordinate reference system."
        raise CrsError(msg, hint="Set one, for instance graph.graph['crs'] = 'EPSG:4326'.")
    return pyproj.CRS.from_user_input(graph.graph["crs"])


def _read_nodes(graph: nx.MultiDiGraph) -> tuple[dict[Hashable, int], NDArray[np.float64]]:
    # In the order of their keys where they have one: two nodes may share a place.
    try:
        nodes = sorted(graph.nodes)
    except TypeError:
        nodes = list(graph.nodes)
    xy = np.full((len(nodes), 2), np.nan)
    position = {node: k for k, node in enumerate(nodes)}
    for node, tags in graph.nodes(data=True):
        try:
            xy[position[node]] = float(tags["x"]), float(tags["y"])
        except (KeyError, TypeError, ValueError):
            continue
    lost = np.flatnonzero(~np.isfinite(xy).all(axis=1))
    if len(lost):
        name = nodes[int(lost[0])]
        msg = f"Node {name!r} of the graph has no coordinates x and y."
        raise InputFileError(msg, hint=f"{len(lost)} nodes lack them; osmnx's graphs have them.")
    return position, xy


def _read_edges(
    graph: nx.MultiDiGraph, position: Mapping[Hashable, int], node_xy: NDArray[np.float64]
) -> list[dict[str, Any]]:
    """Return one row per street: the two directions of a street are brought together."""
    rows: dict[tuple[Any, ...], dict[str, Any]] = {}
    for start, end, tags in graph.edges(data=True):
        u, v = position[start], position[end]
        shape = _shape(tags.get("geometry"), node_xy[u], node_xy[v])
        # Each street is told from its lower node, a loop from its lower side.
        turned = u > v or (u == v and shape[::-1].tolist() < shape.tolist())
        if turned:
            u, v, shape = v, u, shape[::-1]
        row = _read_tags(tags) | {"u": u, "v": v, "shape": shape}
        row["forward"], row["backward"] = _directions(tags, turned=turned)
        key = (u, v, shape.tobytes(), *(row[name] for name in _TOLD_APART))
        twin = rows.setdefault(key, row)
        twin["forward"] |= row["forward"]
        twin["backward"] |= row["backward"]
    return list(rows.values())


def _shape(
    geometry: Any, start: NDArray[np.float64], end: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the vertices of an edge from its start to its end."""
    if geometry is None:
        return np.stack([start, end])
    line = shapely.from_wkt(geometry) if isinstance(geometry, str) else geometry
    if line.geom_type != "LineString" or line.is_empty:
        msg = f"An edge of the graph is a {line.geom_type}, not a LineString."
        raise InputFileError(msg, hint="Give each edge one line, or none.")
    shape: NDArray[np.float64] = shapely.get_coordinates(line)
    if np.abs(shape[0] - start).sum() > np.abs(shape[-1] - start).sum():
        shape = shape[::-1]
    return np.concatenate([start[None], shape[1:-1], end[None]])


def _read_tags(tags: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "kind": first_of(tags.get("highway")),
        "name": first_of(tags.get("name")),
        "osm_id": whole_number(tags.get("osmid")),
        "steps": "steps" in several(tags.get("highway")) or holds(tags.get("steps")),
        "bridge": holds(tags.get("bridge")),
        "tunnel": holds(tags.get("tunnel"), "tunnel"),
        "flags": whole_number(tags.get("flags")),
    }


def _directions(tags: Mapping[str, Any], *, turned: bool) -> tuple[bool, bool]:
    """Return (forward, backward) of an edge as it is told, turned or not."""
    oneway = several(tags.get(_ONEWAY))
    if not oneway or oneway[0].lower() in NO:
        return True, True
    told_along = oneway[0] not in {"-1", "reverse"}
    along = told_along ^ holds(tags.get("reversed")) ^ turned
    return along, not along


def _project(
    crs: pyproj.CRS, node_xy: NDArray[np.float64], edges: list[dict[str, Any]]
) -> tuple[pyproj.CRS, NDArray[np.float64], list[dict[str, Any]]]:
    """Bring nodes and shapes from degrees to metres."""
    metric = metric_crs(shapely.box(*node_xy.min(axis=0), *node_xy.max(axis=0)))
    move = transformer(crs, metric).transform
    shapes = np.concatenate([edge["shape"] for edge in edges])
    ends = np.cumsum([len(edge["shape"]) for edge in edges])
    moved = np.split(np.stack(move(*shapes.T), axis=1), ends[:-1])
    edges = [edge | {"shape": shape} for edge, shape in zip(edges, moved, strict=True)]
    return metric, np.stack(move(*node_xy.T), axis=1), edges


def _lay_out(
    edges: list[dict[str, Any]], sizes: NDArray[np.int64], node_xy: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Return the segments of all edges; inner vertices are nodes of their own, never shared."""
    vertex = len(node_xy) + np.arange(sizes.sum())
    first = np.cumsum(sizes) - sizes
    vertex[first] = [edge["u"] for edge in edges]
    vertex[first + sizes - 1] = [edge["v"] for edge in edges]
    is_last = np.zeros(len(vertex), dtype=bool)
    is_last[first + sizes - 1] = True
    xy = np.concatenate([node_xy, *(edge["shape"] for edge in edges)])
    starts = np.flatnonzero(~is_last)
    return vertex[starts], vertex[starts + 1], xy


def _encode(
    words: Iterable[str], origin: NDArray[np.int64]
) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    codes: dict[str, int] = {}
    of_edge = np.array([codes.setdefault(word, len(codes)) for word in words], dtype=np.int64)
    return of_edge[origin], tuple(codes)
