"""Layers of vector files: which there are, which is read, and shapes that hold once projected.

A file is opened by the one driver that its ending stands for. What is inside is looked at first:
a file that says what else is to be read, on this disk or on a server, is refused.
"""

from __future__ import annotations

import contextlib
import dataclasses
import gzip
import json
import re
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray

from quart_heure.errors import CrsError, InputFileError

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd


KNOWN_FORMATS = "GeoJSON, GeoPackage, GeoParquet, shapefile, KML, FlatGeobuf, MapInfo or .umap"
_GIVE = f"Give a {KNOWN_FORMATS}."
_GIVE_CRS = "Save it with one (EPSG:4326 for degrees, EPSG:2154 for metres)."

_LOOKED_AT_BYTES = 1_000_000
"""Drivers look at less than this to tell whether a file is theirs."""

_REDIRECTS = re.compile(
    rb"gdal_streamed_alg|OGRVRT|<VRTDataset|WFSDataSource|WFS_Capabilities|<GDAL_|NetworkLink"
    rb"|create\s+view|IsSeamless\"\s*=\s*\"true",
    re.IGNORECASE,
)
"""Words of files that hold no data and say where to fetch it."""

_TABLES = frozenset({".csv", ".tsv", ".txt", ".xlsx", ".xlsm", ".xls", ".xlsb", ".ods"})
_OF_QGIS = frozenset({"layer_styles", "qgis_projects"})
"""Tables in which QGIS keeps what it draws: nobody means them."""

_PARQUET = frozenset({".parquet", ".geoparquet"})
_POLYGONS = ("Polygon", "Surface")
_SCALE_ERROR = 0.005
_LEAST_HOLE_M2 = 1e-6
"""A hole smaller than this is three corners in one place."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Format:
    """A format: how a file of it begins, the drivers of it, whether headings are cut at ten."""

    begins: re.Pattern[bytes]
    drivers: frozenset[str]
    text: bool = False
    cut: bool = False


_JSON = _Format(
    begins=re.compile(
        rb"[\s\xef\xbb\xbf]*\{(?=.*\"(?:type\"\s*:\s*\"(?:Feature|FeatureCollection|Topology"
        rb"|GeometryCollection|(?:Multi)?(?:Point|LineString|Polygon))\"|geometryType\"))",
        re.DOTALL,
    ),
    drivers=frozenset({"GeoJSON", "GeoJSONSeq", "TopoJSON", "ESRIJSON", "JSONFG"}),
    text=True,
)
_KML = _Format(
    begins=re.compile(rb"[\s\xef\xbb\xbf]*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<kml\b", re.DOTALL),
    drivers=frozenset({"LIBKML", "KML"}),
    text=True,
)
_FORMATS: Mapping[str, _Format] = {
    ".geojson": _JSON,
    ".json": _JSON,
    ".kml": _KML,
    ".gpkg": _Format(begins=re.compile(rb"SQLite format 3\x00"), drivers=frozenset({"GPKG"})),
    ".fgb": _Format(begins=re.compile(rb"fgb\x03"), drivers=frozenset({"FlatGeobuf"})),
    ".tab": _Format(
        begins=re.compile(rb"\s*!table\b", re.IGNORECASE),
        drivers=frozenset({"MapInfo File"}),
        text=True,
    ),
    ".mif": _Format(
        begins=re.compile(rb"\s*version\b", re.IGNORECASE),
        drivers=frozenset({"MapInfo File"}),
        text=True,
    ),
    ".shp": _Format(
        begins=re.compile(rb"\x00\x00\x27\x0a"), drivers=frozenset({"ESRI Shapefile"}), cut=True
    ),
}


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
        _check_there(path)
        with _told_unreadable(path):
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
        return fit[0], [{**told, "reason": why, "action": f"{fit[0]!r} is read"[:200]}]
    msg = f"{path}: has the layers {_listed(fit or names)}, and nothing says which is meant."
    raise InputFileError(msg, hint=f'Name one: layer = "{(fit or names)[0]}", beside the file.')


def has_cut_headings(path: Path) -> bool:
    """Tell whether a file keeps no more than ten signs of a heading, as shapefiles do."""
    if path.suffix.lower() == ".zip":
        with _told_unreadable(path):
            return any(Path(name).suffix.lower() == ".shp" for name in _members(path))
    form = _FORMATS.get(path.suffix.lower())
    return form is not None and form.cut


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
        raise InputFileError(msg, hint=_GIVE)


def check_crs(layer: gpd.GeoDataFrame, origin: object) -> None:
    """Refuse a layer without a CRS: nobody knows where its shapes are.

    Raises
    ------
    CrsError
        If it has none.
    """
    if layer.crs is None:
        msg = f"{origin}: the layer has no coordinate reference system."
        raise CrsError(msg, hint=_GIVE_CRS)


def projected(layer: gpd.GeoDataFrame, crs: object, origin: object) -> gpd.GeoDataFrame:
    """Return a layer in another CRS.

    Raises
    ------
    CrsError
        If it has no CRS, or one whose places are not on the globe.
    """
    check_crs(layer, origin)
    try:
        return layer.to_crs(crs)
    except Exception as error:
        # PROJ has many ways to say that a CRS is not one of places on the globe.
        reason = " ".join(str(error).split())[:200]
        msg = f"{origin}: its places cannot be turned into degrees ({reason})."
        raise CrsError(msg, hint="Save it in EPSG:4326 or another known CRS.") from error


def keeps_lengths(crs: pyproj.CRS, degrees: tuple[float, float, float, float]) -> bool:
    """Tell whether a metre of a CRS is a metre on the ground, within 0.5 %, all over a place.

    Parameters
    ----------
    crs
        A projected CRS.
    degrees
        West, south, east and north of the place.

    Notes
    -----
    The least and the greatest scale at each of 25 points of the place are the axes of Tissot's
    ellipse there, as `pyproj.Proj.get_factors` gives them.
    """
    if not (crs.is_projected and crs.axis_info[0].unit_conversion_factor == 1):
        return False
    west, south, east, north = degrees
    lon, lat = np.meshgrid(np.linspace(west, east, 5), np.linspace(south, north, 5))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what a projection lacks as text is not needed here
            factors = pyproj.Proj(crs).get_factors(lon, lat)
    except pyproj.exceptions.ProjError:
        return False
    scale = np.array([factors.tissot_semimajor, factors.tissot_semiminor])
    return bool((np.abs(scale - 1) <= _SCALE_ERROR).all())


def mended(shapes: NDArray[np.object_]) -> tuple[NDArray[np.object_], NDArray[np.intp]]:
    """Return polygons that are all valid, and the positions of those that were not.

    Lines and points that come apart are dropped, and so are holes of three corners in one place:
    both are what is left of rounding, and neither has any ground.
    """
    bad = ~shapely.is_valid(shapes) & ~shapely.is_missing(shapes)
    bad |= _has_empty_hole(shapes)
    at = np.flatnonzero(bad)
    if not len(at):
        return shapes, at
    shapes = shapes.copy()
    for row in at.tolist():
        shapes[row] = mend_polygon(shapes[row])
    return shapes, at


def mend_polygon(shape: shapely.Geometry) -> shapely.Geometry:
    """Return a valid polygon of the same ground; lines and points that come apart are dropped."""
    valid = shapely.make_valid(shape)
    if valid.geom_type not in {"Polygon", "MultiPolygon"}:
        parts = shapely.get_parts(valid)
        valid = shapely.union_all(parts[shapely.get_dimensions(parts) == 2])
    if not _has_empty_hole(np.array([valid], dtype=object))[0]:
        return valid
    kept = []
    for part in shapely.get_parts(valid):
        holes = [ring for ring in part.interiors if _ring_m2(ring) > _LEAST_HOLE_M2]
        kept.append(shapely.Polygon(part.exterior, holes))
    return kept[0] if len(kept) == 1 else shapely.MultiPolygon(kept)


def _has_empty_hole(shapes: NDArray[np.object_]) -> NDArray[np.bool_]:
    """Tell which polygons have a hole without any ground."""
    found = np.zeros(len(shapes), dtype=bool)
    parts, owner = shapely.get_parts(shapes, return_index=True)
    holed = shapely.get_num_interior_rings(parts) > 0
    parts, owner = parts[holed], owner[holed]
    rings, part = shapely.get_rings(parts, return_index=True)
    inner = np.append(False, part[1:] == part[:-1])[: len(part)]  # the first ring is the outer one
    rings, part = rings[inner], part[inner]
    empty = shapely.area(shapely.polygons(rings)) <= _LEAST_HOLE_M2
    found[owner[part[empty]]] = True
    return found


def _ring_m2(ring: shapely.LinearRing) -> float:
    return float(shapely.area(shapely.Polygon(ring)))


# --- files ---------------------------------------------------------------------------------------


def _check_there(path: Path) -> None:
    if not path.exists():
        msg = f"{path}: there is no such file."
        raise InputFileError(msg, hint="Check the name and the folder it is relative to.")


@contextlib.contextmanager
def _told_unreadable(path: Path) -> Iterator[None]:
    """Turn whatever a reader raises into an error that names the file."""
    try:
        yield
    except (InputFileError, CrsError):
        raise
    except Exception as error:
        # Drivers raise what they like; whatever it is, the file could not be read.
        msg = f"{path}: cannot be read as a vector layer ({' '.join(str(error).split())})."
        raise InputFileError(msg, hint=_GIVE) from error


def _layers(path: Path) -> dict[str, str]:
    """Return the names of the layers, and what their shapes are, "" for a table without any."""
    import pyogrio  # noqa: PLC0415 - only where a layer is really read

    _check_there(path)
    with _told_unreadable(path):
        if _is_umap(path):
            return dict.fromkeys(_umap_layers(path), "Unknown")
        found: dict[str, str] = {}
        for source, inner in _sources(path):
            for name, kind in pyogrio.list_layers(source):
                driver = pyogrio.read_info(source, layer=name)["driver"]
                if driver not in _FORMATS[_ending(Path(str(source)))].drivers:
                    msg = f"{path}: was opened as {driver}, which its name does not say."
                    raise InputFileError(msg, hint=_GIVE)
                found[str(name) if inner == "" else f"{inner}:{name}"] = str(kind or "")
    if not found:
        msg = f"{path}: there is no layer in it."
        raise InputFileError(msg, hint=_GIVE)
    return found


def _read(path: Path, name: str, around: gpd.GeoSeries | None) -> gpd.GeoDataFrame:
    import geopandas as gpd  # noqa: PLC0415 - imported where a file is really read

    with _told_unreadable(path):
        if _is_umap(path):
            return gpd.GeoDataFrame.from_features(_umap_layers(path)[name], crs=4326)
        sources = {inner: source for source, inner in _sources(path)}
        inner, _, own = name.rpartition(":") if "" not in sources else ("", "", name)
        try:
            return gpd.read_file(sources[inner], layer=own, bbox=around)
        except ValueError:
            # Without a CRS nothing can be sought in it: who asked says what is missing.
            return gpd.read_file(sources[inner], layer=own)


def _sources(path: Path) -> list[tuple[str | Path, str]]:
    """Return what GDAL is to open, and its name inside a packed file; all was looked at before."""
    ending = path.suffix.lower()
    if ending == ".zip":
        inside = _members(path)
        several = len(inside) > 1
        return [
            (f"/vsizip/{path.resolve()}/{name}", Path(name).stem if several else "")
            for name in inside
        ]
    form = _FORMATS.get(_ending(path))
    if ending in _TABLES:
        msg = f"{path}: is a table without geometry."
        raise InputFileError(msg, hint=_GIVE)
    if form is None:
        msg = f"{path}: {ending or 'a name without ending'} is no known format of layers."
        raise InputFileError(msg, hint=_GIVE)
    with gzip.open(path) if ending == ".gz" else path.open("rb") as file:
        _look_at(file.read(_LOOKED_AT_BYTES), form, path)
    # GDAL reads a compressed layer in place when it is told so.
    return [(f"/vsigzip/{path.resolve()}" if ending == ".gz" else path, "")]


def _ending(path: Path) -> str:
    """Return the ending that says what a file holds, below that of its packing."""
    return (path.with_suffix("") if path.suffix.lower() == ".gz" else path).suffix.lower()


def _members(path: Path) -> list[str]:
    """Return the layers in a packed file, once looked at."""
    with zipfile.ZipFile(path) as packed:
        names = [
            name
            for name in sorted(packed.namelist())
            if Path(name).suffix.lower() in _FORMATS and not name.startswith("__MACOSX")
        ]
        for name in names:
            with packed.open(name) as file:
                _look_at(
                    file.read(_LOOKED_AT_BYTES), _FORMATS[Path(name).suffix.lower()], path / name
                )
    if not names:
        msg = f"{path}: there is no layer in it."
        raise InputFileError(msg, hint=_GIVE)
    return names


def _look_at(head: bytes, form: _Format, path: Path) -> None:
    """Refuse what is not of the format of its name, or tells where else data is."""
    if form.text and _REDIRECTS.search(head):
        msg = f"{path}: tells of other files or servers to read."
        raise InputFileError(msg, hint="Give the data itself, saved as GeoJSON or GeoPackage.")
    if form.begins.match(head) is None:
        kind = min(form.drivers)
        msg = f"{path}: cannot be read as a vector layer (it does not begin as {kind} does)."
        raise InputFileError(msg, hint=_GIVE)


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
