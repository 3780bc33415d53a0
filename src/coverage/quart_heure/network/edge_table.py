"""Networks as tables of edges: GeoDataFrames and GeoParquet files that QGIS opens."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray

from quart_heure.errors import CrsError, InputFileError, NetworkError
from quart_heure.files import replacing
from quart_heure.network.graph import WalkNetwork

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd


_METADATA_KEY = b"quart_heure"
_NO_EDGE = "The walking network has no edge."
_NO_EDGE_HINT = "Check the area and what was dropped by the walking rules."
_SUFFIXES = {".parquet", ".geoparquet"}
_KINDS_READ = (
    "Give edges as GeoParquet, raw OpenStreetMap data (.osm.pbf, .osm, .osm.gz, .osm.bz2), or"
    " vector tiles (a folder z/x/y.pbf, or .mbtiles)."
)
_DEFAULTS: dict[str, Any] = {
    "steps": False,
    "bridge": False,
    "tunnel": False,
    "forward": True,
    "backward": True,
    "flags": 0,
    "osm_id": 0,
    "part_nodes": 0,
}
_DTYPES = {
    **dict.fromkeys(("steps", "bridge", "tunnel", "forward", "backward"), np.bool_),
    "flags": np.uint16,
    "osm_id": np.int64,
    "part_nodes": np.int64,
}


def assemble_network(
    *,
    u: NDArray[np.int32],
    v: NDArray[np.int32],
    length_m: NDArray[np.float64],
    columns: Mapping[str, NDArray[Any]],
    kind: tuple[NDArray[np.int32], tuple[str, ...]],
    name: tuple[NDArray[np.int32], tuple[str, ...]],
    xy: NDArray[np.float64],
    offsets: NDArray[np.int64],
    crs: pyproj.CRS,
    meta: Mapping[str, Any],
) -> WalkNetwork:
    """Put arrays together as a network after checking them, and give it its digest.

    Parameters
    ----------
    u, v, length_m
        End nodes (0 … N-1) and length in metres of each edge; shape (E,).
    columns
        Any of steps, bridge, tunnel, forward, backward, flags, osm_id, part_nodes; shape (E,) each.
    kind, name
        Codes of shape (E,) and the words they stand for.
    xy, offsets
        Vertices (C, 2) and where each edge's begin (E + 1,).
    crs, meta
        See `WalkNetwork`.

    Raises
    ------
    CrsError
        If the CRS is not projected in metres.
    NetworkError
        If there is no edge, or a length or coordinate is not a finite, positive number.
    """
    check_metric(crs)
    if len(u) == 0:
        raise NetworkError(_NO_EDGE, hint=_NO_EDGE_HINT)
    if not (np.isfinite(length_m) & (length_m > 0)).all():
        bad = int(np.flatnonzero(~(np.isfinite(length_m) & (length_m > 0)))[0])
        msg = f"Edge {bad} of the walking network has length {length_m[bad]} m."
        raise NetworkError(msg, hint="Lengths must be positive and finite.")
    if not np.isfinite(xy).all():
        msg = "The walking network has a vertex without coordinates."
        raise NetworkError(msg, hint="Remove or mend that edge.")
    filled: dict[str, NDArray[Any]] = {
        key: np.asarray(columns.get(key, np.full(len(u), default)), dtype=_DTYPES[key])
        for key, default in _DEFAULTS.items()
    }
    if "whole_nodes" not in meta or not filled["part_nodes"].all():
        del filled["part_nodes"]  # of a network that was not cut, or by somebody else
    arrays: dict[str, Any] = {
        "u": np.ascontiguousarray(u, dtype=np.int32),
        "v": np.ascontiguousarray(v, dtype=np.int32),
        "length_m": np.ascontiguousarray(length_m, dtype=np.float64),
        **filled,
        "kind_code": np.ascontiguousarray(kind[0], dtype=np.int32),
        "name_code": np.ascontiguousarray(name[0], dtype=np.int32),
        "xy": np.ascontiguousarray(xy, dtype=np.float64),
        "offsets": np.ascontiguousarray(offsets, dtype=np.int64),
    }
    return WalkNetwork(
        **arrays,
        kinds=kind[1],
        names=name[1],
        crs=crs,
        meta=meta,
        digest=_digest(arrays, kind[1], name[1], crs),
    )


def check_metric(crs: pyproj.CRS | None) -> pyproj.CRS:
    """Return the CRS if it is projected, in metres; else raise `CrsError`."""
    if crs is None:
        msg = "The walking network has no coordinate reference system."
        raise CrsError(msg, hint="Set one, for instance edges.set_crs(2154).")
    if not crs.is_projected or crs.axis_info[0].unit_conversion_factor != 1:
        msg = f"The walking network is in {crs.to_string()}, which is not in metres."
        raise CrsError(msg, hint="Reproject it, for instance edges.to_crs(2154).")
    return crs


def network_from_table(edges: gpd.GeoDataFrame, *, meta: Mapping[str, Any]) -> WalkNetwork:
    """Build a network from a table of edges (see `WalkNetwork.from_edges`)."""
    missing = [column for column in ("u", "v") if column not in edges.columns]
    if missing:
        msg = f"The edge table has no column {' or '.join(map(repr, missing))}."
        raise InputFileError(msg, hint="Each edge needs the keys of its two end nodes.")
    lines = np.asarray(edges.geometry.array, dtype=object)
    if len(lines) == 0:
        raise NetworkError(_NO_EDGE, hint=_NO_EDGE_HINT)
    if not np.all(shapely.get_type_id(lines) == shapely.GeometryType.LINESTRING):
        row = int(np.flatnonzero(shapely.get_type_id(lines) != shapely.GeometryType.LINESTRING)[0])
        msg = f"Row {row + 1} of the edge table is not a LineString."
        raise InputFileError(msg, hint="Explode multi-part lines before building a network.")
    crs = check_metric(None if edges.crs is None else pyproj.CRS(edges.crs))
    _, xy, (offsets,) = shapely.to_ragged_array(lines, include_z=False)
    ends, codes = np.unique(
        np.concatenate([edges["u"].to_numpy(), edges["v"].to_numpy()]), return_inverse=True
    )
    del ends
    length = (
        edges["length_m"].to_numpy(dtype=np.float64)
        if "length_m" in edges.columns
        else shapely.length(lines)
    )
    return assemble_network(
        u=codes[: len(lines)].astype(np.int32),
        v=codes[len(lines) :].astype(np.int32),
        length_m=length,
        columns={key: edges[key].to_numpy() for key in _DEFAULTS if key in edges.columns},
        kind=_encode(edges, "kind"),
        name=_encode(edges, "name"),
        xy=xy,
        offsets=offsets,
        crs=crs,
        meta=meta,
    )


def read_network(path: Path) -> WalkNetwork:
    """Read a network from GeoParquet (see `WalkNetwork.read`)."""
    import geopandas as gpd  # noqa: PLC0415 - a warm run reads the cache and never comes here
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.parquet as pq  # noqa: PLC0415

    if not path.is_file():
        msg = f"{path}: there is no such file."
        raise InputFileError(msg, hint="Give the GeoParquet file of a walking network.")
    try:
        edges = gpd.read_parquet(path)
        metadata = pq.read_schema(path).metadata or {}
        meta = dict(json.loads(metadata.get(_METADATA_KEY, b"{}")))
    except (pa.ArrowException, ValueError, TypeError, OSError) as error:
        if path.suffix.lower() not in _SUFFIXES:
            msg = f"{path}: is not a kind of file that streets are read from."
            raise InputFileError(msg, hint=_KINDS_READ) from error
        msg = f"{path}: cannot be read as GeoParquet ({error})."
        raise InputFileError(msg, hint="Write it again with WalkNetwork.write.") from error
    try:
        return network_from_table(edges, meta=meta)
    except (CrsError, InputFileError, NetworkError) as error:
        # The table does not know where it comes from.
        msg = f"{path}: {error.args[0]}"
        raise type(error)(msg, hint=error.hint) from error


def write_network(network: WalkNetwork, path: Path) -> None:
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
    words = pd.Categorical(edges[column].astype("object").fillna("").astype(str))
    return words.codes.astype(np.int32), tuple(map(str, words.categories))


def _digest(
    arrays: Mapping[str, NDArray[Any]],
    kinds: tuple[str, ...],
    names: tuple[str, ...],
    crs: pyproj.CRS,
) -> str:
    digest = hashlib.blake2b(digest_size=16)
    # Of what it was cut, a network is the same without: that says which parts of it are useful.
    for key in sorted(arrays.keys() - {"part_nodes"}):
        digest.update(key.encode())
        digest.update(np.ascontiguousarray(arrays[key]).tobytes())
    digest.update(json.dumps([kinds, names, crs.to_string()], ensure_ascii=False).encode())
    return digest.hexdigest()
