"""Formats of vector files: one driver for each ending, and nothing in them that leads elsewhere.

GDAL opens a file by what is inside, whatever it is called, and some of its drivers read what the
file tells of: other files of the disk, or servers. So each file is looked at before it is opened.
"""

from __future__ import annotations

import contextlib
import dataclasses
import gzip
import re
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from quart_heure.errors import CrsError, InputFileError

KNOWN_FORMATS = "GeoJSON, GeoPackage, GeoParquet, shapefile, KML, FlatGeobuf, MapInfo or .umap"
GIVE = f"Give a {KNOWN_FORMATS}."

_LOOKED_AT_BYTES = 1_000_000
"""Drivers look at less than this to tell whether a file is theirs."""

_REDIRECTS = tuple(
    re.compile(word)
    for word in (
        *(rb"gdal_streamed_alg", rb"ogrvrt", rb"<vrtdataset", rb"wfsdatasource"),
        *(rb"wfs_capabilities", rb"<gdal_", rb"networklink"),
        *(rb"create\s+view", rb"isseamless\"\s*=\s*\"true"),
    )
)
"""Words of files that hold no data and say where to fetch it, in small letters. One after the other
they are found several times faster than all at once."""

_TABLES = frozenset({".csv", ".tsv", ".txt", ".xlsx", ".xlsm", ".xls", ".xlsb", ".ods"})


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


@contextlib.contextmanager
def told_unreadable(path: Path) -> Iterator[None]:
    """Turn whatever a reader raises into an error that names the file."""
    try:
        yield
    except (InputFileError, CrsError):
        raise
    except Exception as error:
        # Drivers raise what they like; whatever it is, the file could not be read.
        msg = f"{path}: cannot be read as a vector layer ({' '.join(str(error).split())})."
        raise InputFileError(msg, hint=GIVE) from error


def vector_sources(path: Path) -> list[tuple[str | Path, str]]:
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
        raise InputFileError(msg, hint=GIVE)
    if form is None:
        msg = f"{path}: {ending or 'a name without ending'} is no known format of layers."
        raise InputFileError(msg, hint=GIVE)
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
        raise InputFileError(msg, hint=GIVE)
    return names


def _look_at(head: bytes, form: _Format, path: Path) -> None:
    """Refuse what is not of the format of its name, or tells where else data is."""
    small = head.lower() if form.text else b""
    if any(word.search(small) for word in _REDIRECTS):
        msg = f"{path}: tells of other files or servers to read."
        raise InputFileError(msg, hint="Give the data itself, saved as GeoJSON or GeoPackage.")
    if form.begins.match(head) is None:
        kind = min(form.drivers)
        msg = f"{path}: cannot be read as a vector layer (it does not begin as {kind} does)."
        raise InputFileError(msg, hint=GIVE)


def has_cut_headings(path: Path) -> bool:
    """Tell whether a file keeps no more than ten signs of a heading, as shapefiles do."""
    if path.suffix.lower() == ".zip":
        with told_unreadable(path):
            return any(Path(name).suffix.lower() == ".shp" for name in _members(path))
    form = _FORMATS.get(path.suffix.lower())
    return form is not None and form.cut


def check_driver(driver: str, source: str | Path, path: Path) -> None:
    """Refuse a file that was opened by another driver than that of its name.

    Raises
    ------
    InputFileError
        If it was.
    """
    if driver not in _FORMATS[_ending(Path(source))].drivers:
        msg = f"{path}: was opened as {driver}, which its name does not say."
        raise InputFileError(msg, hint=GIVE)
