"""The background of maps: water, parks and the like; and the ground, as far as it tells of it.

What is drawn as water is no land, and nobody walks across it, nor across the land of a railway.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from quart_heure.errors import InputFileError
from quart_heure.files import AnyPath
from quart_heure.sources.layers import check_layer, read_layers
from quart_heure.sources.projecting import projected

if TYPE_CHECKING:
    import geopandas as gpd
    import pyproj


WATER = frozenset({"water"})
"""Kinds of the background that are no land."""

BARRIERS = frozenset({"water", "rail", "motorway", "wall", "fence"})
"""Kinds that nobody walks straight across."""


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Ground:
    """What is known of the ground besides its streets, in the CRS of the area.

    Parameters
    ----------
    water
        Polygons of rivers, canals, lakes and the sea; shape (w,).
    barriers
        Polygons and lines that nobody walks straight across, water among them; shape (b,).
    source
        Where it is known from.
    words
        Name of each barrier, such as ``La Seine``, or its kind, such as ``rail``; of length b, or
        empty where they are not told apart.
    """

    water: NDArray[np.object_]
    barriers: NDArray[np.object_]
    source: str
    words: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """Tell how many shapes there are."""
        return f"Ground: {len(self.water)} waters, {len(self.barriers)} barriers, {self.source}"

    @functools.cached_property
    def digest(self) -> str:
        """Hash of the shapes."""
        digest = hashlib.blake2b(digest_size=16)
        for shapes in (self.water, self.barriers):
            digest.update(f"{len(shapes)}".encode())
            digest.update(b"".join(shapely.to_wkb(shapes)))
        return digest.hexdigest()


def ground_of_background(layer: gpd.GeoDataFrame, *, source: str) -> Ground:
    """Take from a background what is no land and what is not walked across."""
    kinds = layer["kind"].astype(str)
    shapes = layer.geometry.to_numpy()
    areal = shapely.get_dimensions(shapes) == 2
    barred = kinds.isin(BARRIERS).to_numpy()
    named = layer["name"] if "name" in layer.columns else pd.Series("", index=layer.index)
    names = named[barred].astype(object)
    names = names.where(names.notna(), "").astype(str).str.strip()
    # A name with the mark that parts several of them would be read as two.
    words = names.str.replace(";", ",").where(names != "", kinds[barred])
    return Ground(
        water=shapes[(kinds.isin(WATER) & areal).to_numpy()],
        barriers=shapes[barred],
        source=source,
        words=tuple(words.tolist()),
    )


def read_background(path: AnyPath, *, crs: pyproj.CRS) -> gpd.GeoDataFrame:
    """Read what is drawn under maps.

    Parameters
    ----------
    path
        Layers (all that the file has) with a column ``kind`` (``water``, ``park`` …); ``name`` is
        optional.
    crs
        The CRS that is wanted.

    Raises
    ------
    InputFileError
        If the file is missing or unreadable, or lacks the column.
    CrsError
        If the layer has no CRS.
    """
    path = Path(path)
    parts = []
    for name, layer in read_layers(path).items():
        where = f"{path}, {name}" if name else f"{path}"
        check_layer(layer, where)
        if "kind" not in layer.columns:
            msg = f"{where}: there is no column 'kind', which says what is water or park."
            columns = ", ".join(str(column) for column in layer.columns)
            hint = f"Columns are {columns}; or leave background out of [map]."
            raise InputFileError(msg, hint=hint)
        if "name" not in layer.columns:
            layer["name"] = ""
        parts.append(projected(layer, crs, where))
    whole = parts[0] if len(parts) == 1 else pd.concat(parts, ignore_index=True)
    # What can be mended need not be told.
    return whole.set_geometry(shapely.make_valid(whole.geometry.to_numpy()), crs=crs)


def write_background(table: gpd.GeoDataFrame, path: Path, *, meta: Mapping[str, Any]) -> None:
    """Write a background as GeoParquet, with what is known of its source in the file.

    The same table gives the same bytes.
    """
    import pyarrow as pa  # noqa: PLC0415 - only where one is written
    import pyarrow.parquet as pq  # noqa: PLC0415

    table.to_parquet(path, index=False, compression="zstd")
    columns = pq.read_table(path)
    geo = json.loads((columns.schema.metadata or {})[b"geo"])
    # The library's version would change the bytes with every release.
    geo.pop("creator", None)
    metadata = {
        b"geo": json.dumps(geo, sort_keys=True).encode(),
        b"quart_heure": json.dumps(dict(meta), ensure_ascii=False, sort_keys=True).encode(),
    }
    pq.write_table(
        pa.table(columns).replace_schema_metadata(metadata),
        path,
        compression="zstd",
        compression_level=19,
        data_page_version="2.0",
    )
