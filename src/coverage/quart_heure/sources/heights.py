"""Heights: a grid of ground heights in metres, read from a file and asked at points."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path

import numpy as np
import pyproj
from numpy.typing import NDArray

from quart_heure.errors import CrsError, InputFileError
from quart_heure.files import AnyPath
from quart_heure.sources.projecting import check_places, transformer
from quart_heure.sources.rasters import first_band, opened_tiff

HEIGHT_SUFFIXES = (".asc", ".tif", ".tiff", ".npz")
"""Endings of files of heights."""

_WANTED = "Give a regular grid of metres above sea level."
_MOST_M = 9_000.0
"""Higher than any ground, and deeper than the sea off any city."""

_ASC_KEYS = frozenset(
    {"ncols", "nrows", "xllcorner", "yllcorner", "xllcenter", "yllcenter", "cellsize"}
)


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Heights:
    """Heights of the ground at the centres of a regular grid.

    Parameters
    ----------
    values
        Metres, NaN where not known; the first row is the southernmost; shape (r, c).
    x, y
        Centre of the first cell, in units of ``crs``.
    step_x, step_y
        Sides of a cell, in units of ``crs``.
    crs
        Of the grid.
    source
        Name of the file.
    """

    values: NDArray[np.float64]
    x: float
    y: float
    step_x: float
    step_y: float
    crs: pyproj.CRS
    source: str = ""

    @property
    def digest(self) -> str:
        """Hash of all that the heights of points depend on; a key of caches."""
        place = repr((self.x, self.y, self.step_x, self.step_y, self.crs.to_string()))
        data = np.ascontiguousarray(self.values).tobytes() + place.encode()
        return hashlib.blake2b(data, digest_size=16).hexdigest()

    def at(self, xy: NDArray[np.float64], crs: pyproj.CRS) -> NDArray[np.float64]:
        """Return the height of points, bilinear between centres; NaN where it is not known.

        Parameters
        ----------
        xy
            Points in ``crs``; shape (n, 2).
        crs
            Their CRS, which need not be that of the grid.
        """
        if crs != self.crs:
            to_grid = transformer(crs, self.crs)
            xy = np.stack(to_grid.transform(xy[:, 0], xy[:, 1]), axis=1)
        rows, cols = self.values.shape
        c = (xy[:, 0] - self.x) / self.step_x
        r = (xy[:, 1] - self.y) / self.step_y
        found = np.full(len(xy), np.nan)
        held = (c >= 0) & (c <= cols - 1) & (r >= 0) & (r <= rows - 1)
        c, r = c[held], r[held]
        left = np.minimum(c.astype(np.intp), cols - 2)
        low = np.minimum(r.astype(np.intp), rows - 2)
        right, up = c - left, r - low
        south = self.values[low, left] * (1 - right) + self.values[low, left + 1] * right
        north = self.values[low + 1, left] * (1 - right) + self.values[low + 1, left + 1] * right
        found[held] = south * (1 - up) + north * up
        return found


def read_heights(path: AnyPath, *, crs: pyproj.CRS) -> Heights:
    """Read a grid of heights.

    Parameters
    ----------
    path
        An ESRI ASCII grid (``.asc``), a GeoTIFF (``.tif``, needs the extra ``heights``) or NumPy
        arrays (``.npz``: heights of shape (r, c), x of its columns, y of its rows, crs as text).
    crs
        Taken where the file cannot state its own: an ``.asc`` without a ``.prj`` beside it, an
        ``.npz`` without ``crs``.

    Raises
    ------
    InputFileError
        If the file is missing, of an unknown kind, or is not such a grid.
    CrsError
        If a GeoTIFF does not state its CRS.
    """
    path = Path(path)
    if not path.is_file():
        msg = f"{path}: there is no such file."
        raise InputFileError(msg, hint="Check the name and the folder it is relative to.")
    readers = {".asc": _read_asc, ".npz": _read_npz, ".tif": _read_tiff, ".tiff": _read_tiff}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        msg = f"{path}: {path.suffix or 'no ending'} is not a kind of heights."
        raise InputFileError(msg, hint=f"Give one of {', '.join(HEIGHT_SUFFIXES)}.")
    try:
        heights = reader(path, crs)
    except (CrsError, InputFileError):
        raise
    except (OSError, ValueError, KeyError, UnicodeDecodeError, pyproj.exceptions.CRSError) as error:
        msg = f"{path}: cannot be read as heights ({error})."
        raise InputFileError(msg, hint=_WANTED) from error
    if min(heights.values.shape) < 2 or not np.isfinite(heights.values).any():
        msg = f"{path}: the grid holds no heights, or is less than two cells wide."
        raise InputFileError(msg, hint=_WANTED)
    odd = np.abs(heights.values) > _MOST_M
    if odd.any():
        msg = f"{path}: a cell is {heights.values[odd][0]:g} m high."
        raise InputFileError(msg, hint="State the value that means no data in the file.")
    check_places(heights.crs, path)
    return heights


def _read_asc(path: Path, crs: pyproj.CRS) -> Heights:
    head: dict[str, float] = {}
    lines = path.read_text(encoding="ascii").splitlines()
    for line in lines:
        key, _, value = line.strip().partition(" ")
        if not key or not key[0].isalpha() or key.lower() == "nan":
            break
        head[key.lower()] = float(value)
    missing = {"ncols", "nrows", "cellsize"} - head.keys()
    corner = {"xllcorner", "yllcorner"} <= head.keys()
    if missing or not (corner or {"xllcenter", "yllcenter"} <= head.keys()):
        msg = f"{path}: the head of the grid lacks {', '.join(sorted(missing)) or 'its corner'}."
        raise InputFileError(msg, hint=f"An ESRI ASCII grid has {', '.join(sorted(_ASC_KEYS))}.")
    numbers = np.array(" ".join(lines[len(head) :]).split(), dtype=np.float64)
    values = numbers.reshape(int(head["nrows"]), int(head["ncols"]))
    half = head["cellsize"] / 2 if corner else 0.0
    about = path.with_suffix(".prj")
    return Heights(
        values=_known(values, head.get("nodata_value", -9999.0))[::-1],
        x=head["xllcorner" if corner else "xllcenter"] + half,
        y=head["yllcorner" if corner else "yllcenter"] + half,
        step_x=head["cellsize"],
        step_y=head["cellsize"],
        crs=pyproj.CRS(about.read_text(encoding="utf-8")) if about.is_file() else crs,
        source=path.name,
    )


def _read_npz(path: Path, crs: pyproj.CRS) -> Heights:
    with np.load(path, allow_pickle=False) as arrays:
        values = arrays["heights"].astype(np.float64)
        x, y = arrays["x"].astype(np.float64), arrays["y"].astype(np.float64)
        own = str(arrays["crs"]) if "crs" in arrays else ""
    if values.shape != (len(y), len(x)) or min(values.shape) < 2:
        msg = f"heights of shape {values.shape} for {len(y)} rows and {len(x)} columns"
        raise ValueError(msg)
    if y[0] > y[-1]:
        values, y = values[::-1], y[::-1]
    for name, axis in (("x", x), ("y", y)):
        steps = np.diff(axis)
        if not (steps[0] > 0 and np.allclose(steps, steps[0])):
            msg = f"{name} does not grow in equal steps"
            raise ValueError(msg)
    return Heights(
        values=values,
        x=float(x[0]),
        y=float(y[0]),
        step_x=float(x[1] - x[0]),
        step_y=float(y[1] - y[0]),
        crs=pyproj.CRS(own) if own else crs,
        source=path.name,
    )


def _read_tiff(path: Path, crs: pyproj.CRS) -> Heights:
    del crs  # a GeoTIFF states its own
    with opened_tiff(path, extra="heights", wanted=_WANTED) as image:
        own, grid = image.crs, image.transform
        values = first_band(image, path)
    if grid.b or grid.d or grid.a <= 0 or grid.e >= 0:
        msg = "the image is turned or mirrored"
        raise ValueError(msg)
    return Heights(
        values=values[::-1],
        x=grid.c + grid.a / 2,
        y=grid.f + grid.e * (values.shape[0] - 0.5),
        step_x=grid.a,
        step_y=-grid.e,
        crs=pyproj.CRS(own.to_wkt()),
        source=path.name,
    )


def _known(values: NDArray[np.float64], blank: float) -> NDArray[np.float64]:
    return np.where(values == blank, np.nan, values)
