"""Pictures of dossiers are made beside their drawing: in order, few at once, with all errors."""

from __future__ import annotations

import io
import threading
from pathlib import Path

import numpy as np
import pytest
import shapely
from PIL import Image

from quart_heure.outputs.discretion import publishable
from quart_heure.outputs.dossier import png
from quart_heure.outputs.dossier.cells import Frame
from quart_heure.outputs.dossier.dossier import write_dossiers
from quart_heure.outputs.dossier.maps import MapMaker
from quart_heure.outputs.dossier.png import PngMaker, png_of
from quart_heure.study import Coverage


def grey(level: int) -> Image.Image:
    return Image.new("RGB", (4, 3), (level, level, level))


def still_there() -> list[str]:
    return [each.name for each in threading.enumerate() if each.name.startswith("png")]


def test_each_picture_is_the_one_asked_for() -> None:
    with PngMaker() as maker:
        begun = [maker.begin(grey(level), None) for level in range(20)]
        found = [Image.open(io.BytesIO(each.result())).convert("RGB") for each in begun]
    assert [each.getpixel((0, 0)) for each in found] == [(level,) * 3 for level in range(20)]
    assert not still_there()


def test_few_pictures_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    go, most = threading.Semaphore(0), 0

    def slow(image: object, palette: object) -> bytes:
        go.acquire()
        return b""

    monkeypatch.setattr(png, "png_of", slow)
    with PngMaker() as maker:
        begun = [maker.begin(grey(0), None) for _ in range(4)]
        assert len(still_there()) == 1
        timer = threading.Timer(0.05, go.release)
        timer.start()
        begun.append(maker.begin(grey(0), None))  # returns when one is made, not before
        most = sum(not each.done() for each in begun)
        go.release(4)
    timer.join()
    assert most <= 4


def test_an_error_comes_out_and_nothing_is_left(
    toy_coverage: Coverage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(image: object, palette: object) -> bytes:
        raise MemoryError

    monkeypatch.setattr(png, "png_of", full)
    with pytest.raises(MemoryError):
        write_dossiers(toy_coverage, tmp_path / "new")
    assert not still_there()
    assert not list((tmp_path / "new").glob("*"))


def test_a_picture_keeps_its_pixels() -> None:
    image = grey(7)
    image.putpixel((1, 2), (200, 0, 0))
    found = Image.open(io.BytesIO(png_of(image)))
    assert found.mode == "P"
    assert np.array_equal(np.asarray(found.convert("RGB")), np.asarray(image))


def test_a_picture_is_as_large_as_its_frame(toy_coverage: Coverage) -> None:
    shown = publishable(toy_coverage)
    frame = Frame.around(shown.study.area.geometry, 781, 803)
    picture = Image.open(io.BytesIO(MapMaker(shown, None).area(frame).draw("esi", {})))
    assert picture.size == (781, 803)


def test_the_mark_of_a_service_is_where_it_is(toy_coverage: Coverage) -> None:
    shown = publishable(toy_coverage)
    maps = MapMaker(shown, None).district("E")
    frame = maps.frame
    pixels = np.asarray(maps.picture("esi", {}))
    services = shown.services
    here = services[services["counted"] & (services["category"] == "esi")]
    west, south, east, north = frame.bounds
    seen = here[here.geometry.intersects(shapely.box(west, south, east, north).buffer(-100))]
    assert len(seen) > 0
    for x, y in shapely.get_coordinates(seen.geometry.to_numpy()):
        at = int((north - y) / frame.metres), int((x - west) / frame.metres)
        assert tuple(pixels[at]) == (28, 36, 48)
