"""Rasters: GeoTIFF alone, whatever a file is called, and its first band as numbers.

GDAL opens a file by what is inside, and some of its raster drivers read what the file tells of:
other files of the disk, or servers. None but that of GeoTIFF is let near.
"""

from __future__ import annotations

import contextlib
import importlib
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quart_heure.errors import CrsError, InputFileError, QuartHeureError
from quart_heure.sources.given import check_given

_BEGINNINGS = (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")
_MOST_PIXELS = 250_000_000


@contextlib.contextmanager
def opened_tiff(path: Path, *, extra: str, wanted: str) -> Iterator[Any]:
    """Open a GeoTIFF with rasterio.

    Parameters
    ----------
    path
        The file.
    extra
        The extra of this package that brings rasterio, for the message of those who lack it.
    wanted
        What to give, for messages.

    Raises
    ------
    InputFileError
        If rasterio is not installed, or the file is missing, unreadable or no GeoTIFF.
    CrsError
        If it does not state its CRS.
    """
    check_given(path)
    try:
        rasterio: Any = importlib.import_module("rasterio")
    except ImportError as error:
        msg = f"{path}: rasterio is needed to read a raster, and is not installed ({error})."
        raise InputFileError(msg, hint=f"Run: pip install 'quart-heure[{extra}]'.") from error
    try:
        with path.open("rb") as file:
            begins = file.read(4)
        if begins not in _BEGINNINGS:
            msg = f"{path}: cannot be read as a raster (it does not begin as GeoTIFF does)."
            raise InputFileError(msg, hint=wanted)
        # It warns of an image that is nowhere, which is told below, and of its own libraries.
        with (
            warnings.catch_warnings(action="ignore"),
            rasterio.open(path, driver="GTiff") as raster,
        ):
            if raster.crs is None:
                msg = f"{path}: the raster does not state its coordinate reference system."
                raise CrsError(msg, hint="Add it with gdal_translate -a_srs EPSG:2154.")
            if np.dtype(raster.dtypes[0]).kind not in "iuf":
                msg = f"{path}: its pixels are {raster.dtypes[0]}, which are no numbers."
                raise InputFileError(msg, hint=wanted)
            yield raster
    except QuartHeureError:
        raise
    except (rasterio.errors.RasterioError, OSError, ValueError) as error:
        msg = f"{path}: cannot be read as a raster ({' '.join(str(error).split())})."
        raise InputFileError(msg, hint=wanted) from error


def first_band(raster: Any, path: Path, window: Any = None) -> NDArray[np.float64]:
    """Return the first band, or a window of it; NaN where the file says that there is no data.

    Raises
    ------
    InputFileError
        If there are more pixels than any city has.
    """
    height, width = (
        (raster.height, raster.width) if window is None else (window.height, window.width)
    )
    if height * width > _MOST_PIXELS:
        msg = f"{path}: there are {height * width:,.0f} pixels to read."
        raise InputFileError(msg, hint=f"{_MOST_PIXELS:,} at most: cut it to the place.")
    band = raster.read(1, window=window, masked=True)
    return np.ma.filled(band.astype(np.float64), np.nan)
