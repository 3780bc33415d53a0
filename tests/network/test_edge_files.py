"""Files of edges, read without making shapes where all lines are plain: the same either way."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely
from numpy.testing import assert_array_equal

from quart_heure.errors import CrsError, InputFileError, NetworkError
from quart_heure.network import edge_table
from quart_heure.network.graph import WalkNetwork


def streets() -> gpd.GeoDataFrame:
    """Return streets with bends, names that stand several times, gaps and lengths."""
    lines = [
        shapely.LineString([(0.1, 0), (60.2, 3), (100.3, 0)]),
        shapely.LineString([(100.3, 0), (200.7, 0.9)]),
        shapely.LineString([(200.7, 0.9), (210, 8), (230, 9.7), (300, 1), (301.5, 2)]),
        shapely.LineString([(301.5, 2), (0.1, 0)]),
    ]
    columns = {
        "u": [40, 7, 9, 300],
        "v": [7, 9, 300, 40],
        "kind": pd.Categorical(["path", "footway", "path", None]),
        "name": ["rue Z", None, "rue É", "rue A"],
        "flags": pd.array([1, None, 0, 4], dtype="Int64"),
        "steps": [True, False, None, True],
        "length_m": [101.0, 100.5, 104.0, 302.0],
    }
    return gpd.GeoDataFrame(columns, geometry=lines, crs=2154)


def rewritten(path: Path, change: Callable[[pa.Table], pa.Table], **how: int) -> None:
    """Change what a Parquet file holds, not what it says of itself."""
    table = pq.read_table(path)
    pq.write_table(change(table).replace_schema_metadata(table.schema.metadata), path, **how)


def with_lines(table: pa.Table, kind: pa.DataType) -> pa.Table:
    """Return a table whose lines are kept as another type."""
    at = table.column_names.index("geometry")
    return table.set_column(at, "geometry", table["geometry"].cast(kind))


def assert_same(found: WalkNetwork, expected: WalkNetwork) -> None:
    """Compare networks field by field."""
    for one in dataclasses.fields(found):
        a, b = getattr(found, one.name), getattr(expected, one.name)
        if isinstance(a, np.ndarray):
            assert a.dtype == b.dtype
            assert_array_equal(a, b)
        else:
            assert a == b, one.name


def seen_shapes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Note each time that a table with shapes is taken."""
    seen: list[int] = []
    general = edge_table.network_from_table

    def noted(edges: gpd.GeoDataFrame, **how: object) -> object:
        seen.append(len(edges))
        return general(edges, **how)  # type: ignore[arg-type]

    monkeypatch.setattr(edge_table, "network_from_table", noted)
    return seen


@pytest.mark.parametrize(
    ("change", "how"),
    [
        (lambda table: table, {}),
        (lambda table: table, {"row_group_size": 1}),
        (lambda table: with_lines(table, pa.large_binary()), {"row_group_size": 3}),
        (lambda table: table.slice(1), {}),
    ],
)
def test_plain_lines_are_read_without_shapes(
    change: Callable[[pa.Table], pa.Table],
    how: dict[str, int],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = tmp_path / "edges.parquet"
    streets().to_parquet(path)
    rewritten(path, change, **how)
    expected = WalkNetwork.from_edges(gpd.read_parquet(path))
    seen = seen_shapes(monkeypatch)
    assert_same(WalkNetwork.read(path), expected)
    assert seen == []


def test_nodes_in_the_index_are_found_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "edges.parquet"
    edges = streets().set_index(["u", "v"])
    edges.to_parquet(path)
    expected = WalkNetwork.from_edges(edges)
    seen = seen_shapes(monkeypatch)
    assert_same(WalkNetwork.read(path), expected)
    assert seen == []


def heightened(edges: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    return edges.set_geometry(shapely.force_3d(edges.geometry.array, 7.0), crs=2154)


def one_heightened(edges: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    edges.loc[2, "geometry"] = shapely.force_3d(edges.geometry[2], 7.0)
    return edges


@pytest.mark.parametrize(
    "change",
    [
        heightened,
        one_heightened,
        lambda edges: edges.drop(columns="length_m"),
        lambda edges: edges.assign(reversed=False),
        lambda edges: edges.assign(label_point=edges.centroid),
    ],
)
def test_what_asks_for_shapes_gives_the_same_network(
    change: Callable[[gpd.GeoDataFrame], gpd.GeoDataFrame],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = tmp_path / "edges.parquet"
    edges = change(streets())
    edges.to_parquet(path)
    expected = WalkNetwork.from_edges(edges)
    seen = seen_shapes(monkeypatch)
    assert_same(WalkNetwork.read(path), expected)
    assert seen == [4]


def test_big_endian_lines_are_read_too(tmp_path: Path) -> None:
    path = tmp_path / "edges.parquet"
    streets().to_parquet(path)
    turned = pa.array(shapely.to_wkb(streets().geometry.array, byte_order=0), pa.binary())

    def change(table: pa.Table) -> pa.Table:
        return table.set_column(table.column_names.index("geometry"), "geometry", turned)

    rewritten(path, change)
    assert_same(WalkNetwork.read(path), WalkNetwork.from_edges(streets()))


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        (shapely.MultiLineString([[(0, 0), (1, 1)], [(2, 2), (3, 3)]]), "Row 3 .* not a LineStr"),
        (shapely.Point(0, 0), "Row 3 .* is not a LineString"),
        (shapely.LineString(), "Row 3 .* is an empty LineString"),
        (None, "Row 3 .* is not a LineString"),
    ],
)
def test_what_is_no_line_is_refused_and_its_row_told(
    shape: shapely.Geometry | None, said: str, tmp_path: Path
) -> None:
    path = tmp_path / "edges.parquet"
    edges = streets()
    edges.loc[2, "geometry"] = shape
    edges.to_parquet(path)
    with pytest.raises(InputFileError, match=said):
        WalkNetwork.read(path)


def test_other_faults_of_plain_files_are_told_as_before(tmp_path: Path) -> None:
    path = tmp_path / "edges.parquet"
    streets().to_crs(4326).to_parquet(path)
    with pytest.raises(CrsError, match=r"edges\.parquet: .* not in metres"):
        WalkNetwork.read(path)
    streets().drop(columns="u").to_parquet(path)
    with pytest.raises(InputFileError, match="no column 'u'"):
        WalkNetwork.read(path)
    streets().iloc[:0].to_parquet(path)
    with pytest.raises(NetworkError, match="has no edge"):
        WalkNetwork.read(path)
    streets().assign(v=[7, None, 300, 40]).to_parquet(path)
    with pytest.raises(InputFileError, match=r"Row 2 .* has no v"):
        WalkNetwork.read(path)
    edges = streets()
    with np.errstate(invalid="ignore"):
        edges.loc[1, "geometry"] = shapely.LineString([(100.3, 0), (np.nan, 0.9)])
    edges.to_parquet(path)
    with pytest.raises(NetworkError, match="a vertex without coordinates"):
        WalkNetwork.read(path)
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(InputFileError, match="cannot be read as GeoParquet"):
        WalkNetwork.read(path)


def test_bytes_that_say_more_vertices_than_they_hold_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "edges.parquet"
    streets().to_parquet(path)
    pieces = shapely.to_wkb(streets().geometry.array).tolist()
    pieces[1] = pieces[1][:5] + (9).to_bytes(4, "little") + pieces[1][9:]

    def change(table: pa.Table) -> pa.Table:
        at = table.column_names.index("geometry")
        return table.set_column(at, "geometry", pa.array(pieces, pa.binary()))

    rewritten(path, change)
    with pytest.raises(InputFileError, match="cannot be read as GeoParquet"):
        WalkNetwork.read(path)


def test_a_node_is_where_most_of_its_edges_end(tmp_path: Path) -> None:
    path = tmp_path / "edges.parquet"
    lines = [shapely.LineString([(0, 0), (100, k)]) for k in range(40)]
    lines[3] = shapely.LineString([(0, 1.5), (100, 3)])
    edges = gpd.GeoDataFrame(
        {"u": 0, "v": range(1, 41), "length_m": 100.0 + np.arange(40)}, geometry=lines, crs=2154
    )
    edges.to_parquet(path)
    told = [row for row in WalkNetwork.read(path).meta["doubts"] if row["field"] == "u, v"]
    assert [(row["row"], row["value"]) for row in told] == [(4, "1.5 m (1 / 40)")]
