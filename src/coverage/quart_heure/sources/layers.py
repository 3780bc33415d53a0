"""Layers of vector files: which there are, and which of them is read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyproj
import shapely

from quart_heure.errors import InputFileError
from quart_heure.sources.given import check_given, check_packed, check_parquet
from quart_heure.sources.problems import CHOSEN
from quart_heure.sources.vector_formats import (
    GIVE,
    check_driver,
    told_unreadable,
    vector_sources,
)

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd


_OF_QGIS = frozenset({"layer_styles", "qgis_projects"})
"""Tables in which QGIS keeps what it draws: nobody means them."""

_PARQUET = frozenset({".parquet", ".geoparquet"})
_POLYGONS = ("Polygon", "Surface")


def read_layer(
    path: Path, *, layer: str = "", around: gpd.GeoSeries | None = None, polygons: bool = False
) -> gpd.GeoDataFrame:
    """Read one layer of a vector file.

    Parameters
    ----------
    path
        See `KNOWN_FORMATS`; GeoJSON also compressed (``.gz``), all but GeoParquet also in a
        ``.zip``.
    layer
        Its name, where the file has several; by default the only one, see `choose_layer`.
    around
        What does not meet the rectangle around this may be left out: layers of a whole country are
        then read in part.
    polygons
        Whether polygons are wanted: a layer of points beside is then none to choose from.

    Raises
    ------
    InputFileError
        If the file is missing or cannot be read, or has several layers and none is named.
    """
    if path.suffix.lower() in _PARQUET:
        check_given(path)
        check_parquet(path)
        with told_unreadable(path):
            return _read_parquet(path)
    name, _ = choose_layer(path, layer, polygons=polygons, around=around)
    return _read(path, name, around)


def read_layers(path: Path, *, layer: str = "") -> dict[str, gpd.GeoDataFrame]:
    """Read all layers of a vector file that have shapes, or the one that is named, by name.

    A file of one layer gives it the name "".

    Raises
    ------
    InputFileError
        As `read_layer` does.
    """
    if path.suffix.lower() in _PARQUET:
        return {"": read_layer(path)}
    names = [name for name in _layers(path) if name not in _OF_QGIS]
    if layer:
        names = [choose_layer(path, layer)[0]]
    if len(names) == 1:
        return {"": _read(path, names[0], None)}
    return {name: _read(path, name, None) for name in names}


def choose_layer(
    path: Path, layer: str = "", *, polygons: bool = False, around: gpd.GeoSeries | None = None
) -> tuple[str, list[Mapping[str, Any]]]:
    """Choose the layer of a file that is read.

    The one that is named; else the only one. Where polygons are wanted, the only layer that has
    any; of several of these, the only one that has any ``around`` a place.

    Returns
    -------
    name
        Of the layer, "" for Parquet.
    told
        Rows of a table of problems that tell of the choice, where there was one.

    Raises
    ------
    InputFileError
        If there is no such layer, or nothing says which of several is meant.
    """
    if path.suffix.lower() in _PARQUET:
        return "", []
    kinds = _layers(path)
    names = [name for name in kinds if kinds[name]] or list(kinds)
    if layer:
        if layer in kinds:
            return layer, []
        msg = f"{path}: there is no layer {layer!r}."
        raise InputFileError(msg, hint=f"Layers are {_listed(names)}.")
    if len(names) == 1:
        return names[0], []
    fit, why = names, "several layers"
    if polygons:
        fit = [name for name in names if _has_polygons(path, name, kinds[name])]
        why = "several layers, one of polygons"
        if len(fit) > 1 and around is not None:
            here = [name for name in fit if _has_polygons(path, name, kinds[name], around=around)]
            if len(here) == 1:
                fit, why = here, "several layers, one around the area"
    if len(fit) == 1:
        others = _listed([name for name in names if name != fit[0]])
        told = {"file": path.name, "row": None, "field": "layer", "value": f"beside {others}"[:200]}
        return fit[0], [{**told, "reason": why, "action": f"{CHOSEN}{fit[0]!r}"[:200]}]
    msg = f"{path}: has the layers {_listed(fit or names)}, and nothing says which is meant."
    raise InputFileError(msg, hint=f'Name one: layer = "{(fit or names)[0]}", beside the file.')


def check_layer(layer: gpd.GeoDataFrame | pd.DataFrame, origin: object) -> None:
    """Refuse what was read as a layer and has no geometry: drivers read plain tables too.

    Raises
    ------
    InputFileError
        If it has none.
    """
    import geopandas as gpd  # noqa: PLC0415 - as below

    if not isinstance(layer, gpd.GeoDataFrame) or layer.active_geometry_name is None:
        msg = f"{origin}: is a table without geometry."
        raise InputFileError(msg, hint=GIVE)


# --- files ---------------------------------------------------------------------------------------


def _layers(path: Path) -> dict[str, str]:
    """Return the names of the layers, and what their shapes are, "" for a table without any."""
    import pyogrio  # noqa: PLC0415 - only where a layer is really read

    check_given(path)
    check_packed(path)
    with told_unreadable(path):
        if _is_umap(path):
            return dict.fromkeys(_umap_layers(path), "Unknown")
        found: dict[str, str] = {}
        for source, inner in vector_sources(path):
            for name, kind in pyogrio.list_layers(source):
                driver = pyogrio.read_info(source, layer=name)["driver"]
                check_driver(driver, source, path)
                found[str(name) if inner == "" else f"{inner}:{name}"] = str(kind or "")
    if not found:
        msg = f"{path}: there is no layer in it."
        raise InputFileError(msg, hint=GIVE)
    return found


def _read(path: Path, name: str, around: gpd.GeoSeries | None) -> gpd.GeoDataFrame:
    import geopandas as gpd  # noqa: PLC0415 - imported where a file is really read

    with told_unreadable(path):
        if _is_umap(path):
            return gpd.GeoDataFrame.from_features(_umap_layers(path)[name], crs=4326)
        sources = {inner: source for source, inner in vector_sources(path)}
        inner, _, own = name.rpartition(":") if "" not in sources else ("", "", name)
        try:
            return gpd.read_file(sources[inner], layer=own, bbox=around)
        except ValueError:
            # Without a CRS nothing can be sought in it: who asked says what is missing.
            return gpd.read_file(sources[inner], layer=own)


def _has_polygons(path: Path, name: str, kind: str, *, around: gpd.GeoSeries | None = None) -> bool:
    if any(word in kind for word in _POLYGONS) and around is None:
        return True
    if around is None and not kind.startswith(("Unknown", "GeometryCollection")):
        return False
    return bool((shapely.get_dimensions(_read(path, name, around).geometry.to_numpy()) == 2).any())


def _listed(names: list[str]) -> str:
    shown = ", ".join(map(repr, names[:20]))
    return shown + (" …" if len(names) > 20 else "")


# --- uMap ----------------------------------------------------------------------------------------


def _is_umap(path: Path) -> bool:
    return path.suffix.lower() == ".umap"


def _umap_layers(path: Path) -> dict[str, list[Any]]:
    """Return the features of each layer of a map saved from uMap, by the layer's name."""
    content = json.loads(path.read_text(encoding="utf-8-sig"))
    listed = content.get("layers") if isinstance(content, dict) else None
    if not isinstance(listed, list):
        msg = f"{path}: is no map of uMap: it has no list of layers."
        raise InputFileError(msg, hint="Save it in uMap with 'Share and download', full data.")
    layers: dict[str, list[Any]] = {}
    for number, layer in enumerate(listed, start=1):
        about = layer.get("_umap_options") or layer.get("_storage") or {}
        if about.get("remoteData", {}).get("url"):
            msg = f"{path}: layer {number} is fetched from a server each time, and is not in it."
            raise InputFileError(msg, hint="Save that layer as data, or take it out of the map.")
        name = base = str(about.get("name") or number)
        while name in layers:
            name = f"{base} ({len(layers) + 1})"
        layers[name] = list(layer.get("features") or [])
    return layers


# --- Parquet -------------------------------------------------------------------------------------


def holds_geometry(path: Path) -> bool:
    """Tell whether a Parquet file states that it holds shapes, in any of the ways there are."""
    import pyarrow as pa  # noqa: PLC0415 - only for this format
    import pyarrow.parquet as pq  # noqa: PLC0415

    try:
        with pq.ParquetFile(path) as file:
            return b"geo" in (file.schema_arrow.metadata or {}) or bool(_own_geometry(file))
    except (pa.ArrowException, OSError, ValueError):
        return False  # what is wrong with it is told by its reader


def _read_parquet(path: Path) -> gpd.GeoDataFrame:
    """Read GeoParquet, or a table with a column of Parquet's own type GEOMETRY or GEOGRAPHY."""
    import geopandas as gpd  # noqa: PLC0415 - imported where a file is really read
    import pyarrow.parquet as pq  # noqa: PLC0415

    with pq.ParquetFile(path) as file:
        own = {} if b"geo" in (file.schema_arrow.metadata or {}) else _own_geometry(file)
        if not own:
            return gpd.read_parquet(path)
        table = file.read().to_pandas()
    for column, crs in own.items():
        # What no shape can be made of is refused, not blank.
        table[column] = gpd.GeoSeries.from_wkb(table[column], crs=crs)
    return gpd.GeoDataFrame(table, geometry=next(iter(own)))


def _own_geometry(file: Any) -> dict[str, pyproj.CRS]:
    """Return the columns of Parquet's own types of shapes, and their CRS.

    Notes
    -----
    The format writes a CRS as ``EPSG:2154``, ``srid:2154``, ``projjson:key`` (a key of the file's
    metadata) or PROJJSON itself; none means ``OGC:CRS84``.
    """
    found = {}
    metadata = file.metadata.metadata or {}
    for at in range(len(file.schema)):
        column = file.schema.column(at)
        about = json.loads(column.logical_type.to_json() or "{}")
        if about.get("Type", "").lower() not in {"geometry", "geography"} or "." in column.path:
            continue
        said = about.get("crs") or "OGC:CRS84"
        if isinstance(said, str) and said.lower().startswith("srid:"):
            said = f"EPSG:{said[5:]}"
        elif isinstance(said, str) and said.lower().startswith("projjson:"):
            said = metadata.get(said[9:].encode(), b"").decode()
        found[column.path] = pyproj.CRS.from_user_input(said)
    return found
