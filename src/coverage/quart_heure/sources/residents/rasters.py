"""Rasters of residents: counts per pixel of a GeoTIFF, as polygons with people."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyproj
import shapely

from quart_heure.errors import CrsError, InputFileError
from quart_heure.sources.areas.areas import StudyArea
from quart_heure.sources.residents.residents import ResidentZones


def read_raster(path: Path, area: StudyArea, *, source: str = "") -> ResidentZones:
    """Read the pixels in and around a study area that have people.

    Parameters
    ----------
    path
        GeoTIFF whose first band holds people per pixel; pixels without data hold nobody.
    area
        Gives the CRS and the rectangle that is read.
    source
        Where the figures come from; the name of the file by default.

    Raises
    ------
    InputFileError
        If the file is missing, unreadable or holds a negative number, or rasterio is not installed.
    CrsError
        If the raster has no CRS.
    """
    if not path.is_file():
        msg = f"{path}: there is no such file."
        raise InputFileError(msg, hint="Check the name and the folder it is relative to.")
    try:
        import rasterio  # noqa: PLC0415 - an extra: most studies have no raster
        from rasterio.windows import Window  # noqa: PLC0415
    except ImportError as error:
        msg = f"{path}: rasterio is needed to read a raster, and is not installed."
        raise InputFileError(msg, hint="Run: pip install 'quart-heure[raster]'.") from error
    try:
        with rasterio.open(path) as raster:
            if raster.crs is None:
                msg = f"{path}: the raster has no coordinate reference system."
                raise CrsError(msg, hint="Save it with one, for instance with gdal_edit.")
            crs = pyproj.CRS.from_wkt(raster.crs.to_wkt())
            to_raster = pyproj.Transformer.from_crs(area.crs, crs, always_xy=True)
            bounds = to_raster.transform_bounds(*area.geometry.bounds)
            a, b, c, d, e, f = tuple(raster.transform)[:6]
            corners = np.array([(x - c, y - f) for x in bounds[::2] for y in bounds[1::2]])
            pixels = np.linalg.solve(np.array([[a, b], [d, e]]), corners.T)
            left, top = np.maximum(np.floor(pixels.min(axis=1)).astype(int) - 1, 0).tolist()
            size = (raster.width, raster.height)
            right, bottom = np.minimum(np.ceil(pixels.max(axis=1)).astype(int) + 1, size).tolist()
            window = Window(left, top, max(right - left, 0), max(bottom - top, 0))
            band = raster.read(1, window=window, masked=True).astype(np.float64)
    except rasterio.errors.RasterioError as error:
        msg = f"{path}: cannot be read as a raster ({' '.join(str(error).split())})."
        raise InputFileError(msg, hint="Give a GeoTIFF of counts per pixel.") from error
    people = np.nan_to_num(np.ma.filled(band, 0.0), posinf=0.0)
    if (people < 0).any():
        msg = f"{path}: a pixel holds {people.min():g} people."
        raise InputFileError(msg, hint="State the value that means no data in the file.")
    row, col = np.nonzero(people)
    shapes = shapely.box(col + left, row + top, col + left + 1, row + top + 1)
    to_area = pyproj.Transformer.from_crs(crs, area.crs, always_xy=True)

    def place(xy: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> object:
        x, y = a * xy[:, 0] + b * xy[:, 1] + c, d * xy[:, 0] + e * xy[:, 1] + f
        return np.stack(to_area.transform(x, y), axis=1)

    return ResidentZones(
        shapes=shapely.transform(shapes, place),
        residents=people[row, col],
        crs=area.crs,
        source=source or path.name,
    )
