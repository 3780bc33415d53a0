"""Networks as tables of edges: GeoDataFrames and GeoParquet files that QGIS opens."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray
from shapely.errors import ShapelyError

from quart_heure.errors import CrsError, InputFileError, NetworkError
from quart_heure.files import replacing
from quart_heure.network.arrays import NetworkArrays
from quart_heure.network.assembly import (
    DEFAULTS,
    NO_EDGE,
    NO_EDGE_HINT,
    assemble_network,
    check_metric,
)
from quart_heure.network.attributes import as_booleans, as_numbers, as_words, several
from quart_heure.network.edge_doubts import doubts_of, longer_than_drawn, with_doubts
from quart_heure.network.edge_lines import EdgeLines, lines_of, plain_lines
from quart_heure.network.ordering import numbered
from quart_heure.sources.given import check_parquet
from quart_heure.sources.osm.data import OSM_SUFFIXES
from quart_heure.sources.tiles import TILE_SUFFIXES

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd


_METADATA_KEY = b"quart_heure"
_SUFFIXES = {".parquet", ".geoparquet"}
_KINDS_READ = (
    f"Give edges as GeoParquet, raw OpenStreetMap data ({', '.join(OSM_SUFFIXES)}), or vector tiles"
    f" (a folder z/x/y.pbf, or {', '.join(TILE_SUFFIXES)})."
)


_NODES_HINT = "Each edge needs the keys of its two end nodes."


def network_from_table(
    edges: gpd.GeoDataFrame, *, meta: Mapping[str, Any], file: str = ""
) -> NetworkArrays:
    """Build a network from a table of edges (see `WalkNetwork.from_edges`)."""
    edges, twins = _as_ours(edges)
    _check_nodes(edges)
    lines = lines_of(np.asarray(edges.geometry.array, dtype=object))
    crs = None if edges.crs is None else pyproj.CRS(edges.crs)
    return _network_of(edges, lines, crs=crs, twins=twins, meta=meta, file=file)


def _check_nodes(edges: pd.DataFrame) -> None:
    """Refuse a table that does not tell between which nodes its edges are, or has none."""
    missing = [column for column in ("u", "v") if column not in edges.columns]
    if missing:
        msg = f"The edge table has no column {' or '.join(map(repr, missing))}."
        raise InputFileError(msg, hint=_NODES_HINT)
    if len(edges) == 0:
        raise NetworkError(NO_EDGE, hint=NO_EDGE_HINT)


def _network_of(
    edges: pd.DataFrame,
    lines: EdgeLines,
    *,
    crs: pyproj.CRS | None,
    twins: int,
    meta: Mapping[str, Any],
    file: str,
) -> NetworkArrays:
    """Build a network from a table of our columns, and its lines as arrays."""
    crs = check_metric(crs)
    codes = _node_numbers(edges)
    u, v = codes[: len(edges)], codes[len(edges) :]
    length, drawn_m = _lengths(edges), lines.drawn_m
    doubts = doubts_of(u, v, lines.ends, drawn_m, length)
    counts = {"twin_edges_left_out": twins}
    if length is not None:
        longer = longer_than_drawn(length, drawn_m)
        counts["edges_longer_than_drawn"] = int(np.count_nonzero(longer))
    if any(counts.values()):
        found = {word: count for word, count in counts.items() if count}
        meta = {**meta, "counts": {**meta.get("counts", {}), **found}}
    return assemble_network(
        u=u.astype(np.int32),
        v=v.astype(np.int32),
        length_m=drawn_m if length is None else length,
        columns={key: _column(edges, key) for key in DEFAULTS if key in edges.columns},
        kind=_encode(edges, "kind"),
        name=_encode(edges, "name"),
        xy=lines.xy,
        offsets=lines.offsets,
        crs=crs,
        meta=with_doubts(meta, doubts, file),
    )


def _node_numbers(edges: gpd.GeoDataFrame) -> NDArray[np.intp]:
    """Return the number of the first node of each edge, then that of the second; shape (2E,)."""
    keys = np.concatenate([edges["u"].to_numpy(), edges["v"].to_numpy()])
    lost = edges[["u", "v"]].isna().to_numpy()
    if lost.any():
        row, column = np.argwhere(lost)[0]
        msg = f"Row {row + 1} of the edge table has no {'uv'[column]}."
        raise InputFileError(msg, hint=_NODES_HINT)
    if keys.dtype.kind == "i":
        return numbered(keys)[1]
    try:
        return np.unique(keys, return_inverse=True)[1]
    except TypeError as error:
        msg = "The keys of the nodes in the edge table are of several kinds."
        raise InputFileError(msg, hint=_NODES_HINT) from error


def _lengths(edges: gpd.GeoDataFrame) -> NDArray[np.float64] | None:
    """Return the lengths that a table states, None where it has no such column."""
    if "length_m" not in edges.columns:
        return None
    try:
        return np.asarray(edges["length_m"].to_numpy(dtype=np.float64))
    except (TypeError, ValueError) as error:
        msg = f"The column 'length_m' of the edge table holds no numbers ({error})."
        raise InputFileError(
            msg, hint="Give metres as numbers, or leave the column out."
        ) from error


def _as_ours(edges: gpd.GeoDataFrame) -> tuple[gpd.GeoDataFrame, int]:
    """Bring a table as osmnx shapes it to our columns; count the second rows of its streets."""
    inner = [key for key in ("u", "v") if key not in edges.columns and key in edges.index.names]
    if inner:
        edges = edges.reset_index(level=inner)
    given = {"highway": "kind", "osmid": "osm_id"}
    more = {
        ours: edges[theirs]
        for theirs, ours in given.items()
        if theirs in edges.columns and ours not in edges.columns
    }
    if "kind" in more and "steps" not in edges.columns:
        more["steps"] = ["steps" in several(value) for value in more["kind"]]
    if more:
        edges = edges.assign(**more)
    if "reversed" not in edges.columns or not {"u", "v"} <= set(edges.columns):
        return edges, 0
    if {"forward", "backward"} & set(edges.columns):
        return edges, 0
    ends = np.sort(edges[["u", "v"]].to_numpy(), axis=1)
    shapes = shapely.to_wkb(shapely.normalize(edges.geometry.to_numpy()))
    keys = zip(*ends.T.tolist(), shapes, strict=True)
    seen: set[Any] = set()
    first = [not (key in seen or seen.add(key)) for key in keys]  # type: ignore[func-returns-value]
    return edges[first], len(first) - sum(first)


def _column(edges: gpd.GeoDataFrame, key: str) -> NDArray[Any]:
    default, dtype = DEFAULTS[key]
    if dtype is np.bool_:
        return as_booleans(key, edges[key].to_numpy(), default)
    return as_numbers(edges[key].to_numpy())


def read_network(path: Path) -> NetworkArrays:
    """Read a network from GeoParquet (see `WalkNetwork.read`)."""
    import geopandas as gpd  # noqa: PLC0415 - a warm run reads the cache and never comes here
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.parquet as pq  # noqa: PLC0415

    if not path.is_file():
        msg = f"{path}: there is no such file."
        raise InputFileError(msg, hint="Give the GeoParquet file of a walking network.")
    check_parquet(path)
    try:
        plain = _plain_edges(path)
        edges = gpd.read_parquet(path) if plain is None else None
        metadata = pq.read_schema(path).metadata or {}
        meta = dict(json.loads(metadata.get(_METADATA_KEY, b"{}")))
    except (pa.ArrowException, ShapelyError, ValueError, TypeError, OSError) as error:
        if path.suffix.lower() not in _SUFFIXES:
            msg = f"{path}: is not a kind of file that streets are read from."
            raise InputFileError(msg, hint=_KINDS_READ) from error
        msg = f"{path}: cannot be read as GeoParquet ({error})."
        raise InputFileError(msg, hint="Write it again with WalkNetwork.write.") from error
    try:
        if plain is None:
            return network_from_table(edges, meta=meta, file=path.name)
        table, lines, crs = plain
        edges, _ = _as_ours(table)
        return _network_of(edges, lines, crs=crs, twins=0, meta=meta, file=path.name)
    except (CrsError, InputFileError, NetworkError) as error:
        # The table does not know where it comes from.
        msg = f"{path}: {error.args[0]}"
        raise type(error)(msg, hint=error.hint) from error


def _plain_edges(path: Path) -> tuple[pd.DataFrame, EdgeLines, pyproj.CRS | None] | None:
    """Read a file without making shapes; None where it needs them, or cannot be read."""
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.parquet as pq  # noqa: PLC0415

    try:
        return plain_lines(pq.ParquetFile(path).read())
    except (pa.ArrowException, ValueError, TypeError, OSError, AttributeError):
        return None  # whoever reads it in general says what is wrong


def write_network(network: NetworkArrays, path: Path) -> None:
    """Write a network as GeoParquet (see `WalkNetwork.write`).

    Raises
    ------
    OutputError
        If the file cannot be written; nothing is left under its name then.
    """
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.parquet as pq  # noqa: PLC0415

    table = pa.table(network.edges().to_arrow(index=False, geometry_encoding="WKB"))
    geo = {
        "version": "1.1.0",
        "primary_column": "geometry",
        "columns": {
            "geometry": {
                "encoding": "WKB",
                "geometry_types": ["LineString"],
                "crs": network.crs.to_json_dict(),
            }
        },
    }
    metadata = {
        b"geo": json.dumps(geo).encode(),
        _METADATA_KEY: json.dumps(dict(network.meta), ensure_ascii=False, sort_keys=True).encode(),
    }
    with replacing(path) as temporary:
        pq.write_table(table.replace_schema_metadata(metadata), temporary, compression="zstd")


def _encode(edges: pd.DataFrame, column: str) -> tuple[NDArray[np.int32], tuple[str, ...]]:
    import pandas as pd  # noqa: PLC0415

    if column not in edges.columns:
        return np.zeros(len(edges), dtype=np.int32), ("",)
    values = edges[column]
    if isinstance(values.dtype, pd.StringDtype | pd.CategoricalDtype):
        # Words stand in it many times over, and no lists do.
        which, different = pd.factorize(values, use_na_sentinel=False)
        codes, words = _numbered_words(as_words(different.astype("object")))
        return codes[which], words
    return _numbered_words(as_words(values.astype("object")))


def _numbered_words(words: Sequence[str]) -> tuple[NDArray[np.int32], tuple[str, ...]]:
    """Return which of the different words each is, and these in the order of the alphabet."""
    different = sorted(set(words))
    number = {word: n for n, word in enumerate(different)}
    return np.fromiter(map(number.__getitem__, words), np.int32, len(words)), tuple(different)
