"""Rasters: GeoTIFF and nothing that leads elsewhere, and numbers that can be people or heights."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from helpers import toy_town
from quart_heure.errors import CrsError, InputFileError, QuartHeureError
from quart_heure.sources import rasters
from quart_heure.sources.heights import read_heights
from quart_heure.sources.residents.files import read_people

rasterio = pytest.importorskip("rasterio", reason="the extra heights is not installed")

AREA = toy_town.town_area()
X, Y = toy_town.ORIGIN
Read = Callable[[Path], Any]
READERS = {
    "heights": lambda path: read_heights(path, crs=AREA.crs),
    "people": lambda path: read_people(path, AREA),
}
LOCAL = 'LOCAL_CS["chantier",UNIT["metre",1],AXIS["x",EAST],AXIS["y",NORTH]]'
VRT = (
    '<VRTDataset rasterXSize="40" rasterYSize="40"><SRS>EPSG:2154</SRS>'
    "<GeoTransform>{x}, 100, 0, {y}, 0, -100</GeoTransform>"
    '<VRTRasterBand dataType="Float32" band="1"><SimpleSource>'
    "<SourceFilename>{beside}</SourceFilename><SourceBand>1</SourceBand>"
    "</SimpleSource></VRTRasterBand></VRTDataset>"
)


def write(path: Path, value: complex = 5, *, dtype: str = "float32", **about: Any) -> Path:
    values = np.full((40, 40), 5, dtype=dtype)
    values[20, 20] = value
    grid = rasterio.Affine(100, 0, X - 1000, 0, -100, Y + 3000)
    told = {"driver": "GTiff", "width": 40, "height": 40, "count": 1, "crs": "EPSG:2154", **about}
    with rasterio.open(path, "w", dtype=dtype, transform=grid, **told) as raster:
        raster.write(values, 1)
    return path


@pytest.mark.parametrize("name", READERS)
def test_a_description_of_another_raster_is_not_followed(tmp_path: Path, name: str) -> None:
    beside = write(tmp_path / "beside.tif")
    path = tmp_path / "data.tif"
    path.write_text(VRT.format(x=X - 1000, y=Y + 3000, beside=beside), encoding="utf-8")
    with rasterio.open(path) as raster:  # GDAL itself follows it
        assert raster.read(1).max() == 5
    with pytest.raises(InputFileError, match="does not begin as GeoTIFF does"):
        READERS[name](path)
    assert READERS[name](beside) is not None


@pytest.mark.parametrize("name", READERS)
def test_other_rasters_are_not_taken_for_geotiff(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / "data.img", driver="HFA").rename(tmp_path / "data.tif")
    with pytest.raises(InputFileError, match="does not begin as GeoTIFF does"):
        READERS[name](path)
    path.write_bytes(b"II*\x00" + b"\x00" * 40)
    with pytest.raises(InputFileError, match="cannot be read as a raster"):
        READERS[name](path)


@pytest.mark.parametrize(
    ("name", "value", "about", "kind", "words"),
    [
        ("people", 3.4e38, {}, InputFileError, "a pixel holds 3.4e+38 people. State the value"),
        ("people", -200, {}, InputFileError, "a pixel holds -200 people. State the value"),
        ("people", np.inf, {}, InputFileError, "a pixel holds inf people"),
        ("heights", 3.4e38, {}, InputFileError, "a cell is 3.4e+38 m high. State the value"),
        ("heights", -32768, {}, InputFileError, "a cell is -32768 m high"),
        *(
            (name, 5j, {"dtype": "complex64"}, InputFileError, "its pixels are complex64")
            for name in READERS
        ),
        *((name, 5, {"crs": LOCAL}, CrsError, "'chantier', is not one of pl") for name in READERS),
        *((name, 5, {"crs": None}, CrsError, "does not state its coordinate") for name in READERS),
    ],
)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_raster_that_cannot_be_used(
    tmp_path: Path,
    name: str,
    value: complex,
    about: dict[str, Any],
    kind: type[QuartHeureError],
    words: str,
) -> None:
    path = write(tmp_path / "data.tif", value, **about)
    with pytest.raises(kind) as refused:
        READERS[name](path)
    assert str(refused.value).startswith(f"{path}: ")
    assert words in str(refused.value)


def test_no_data_that_is_declared_is_none(tmp_path: Path) -> None:
    path = write(tmp_path / "data.tif", 3.4e38, nodata=3.4e38)
    assert READERS["people"](path).residents.max() == 5
    assert np.nanmax(READERS["heights"](path).values) == 5


def test_a_raster_of_a_continent_is_not_read_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rasters, "_MOST_PIXELS", 1000)
    with pytest.raises(InputFileError, match=r"there are 1,600 pixels to read\. 1,000 at"):
        READERS["heights"](write(tmp_path / "data.tif"))
