"""Styles in a GeoPackage: QGIS opens the layers as the map draws them."""

from __future__ import annotations

import json
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from pathlib import Path

import geopandas as gpd
import pyogrio
import pytest
import shapely

import helpers
from helpers.other_programs import ENVIRONMENT, qgis_python
from quart_heure.analysis.answers import COMPOSITES
from quart_heure.outputs.palette import GAP_HATCH, PALETTE, shades
from quart_heure.outputs.results.manifest import describe_run
from quart_heure.outputs.results.styles import STYLES_TABLE, layer_styles
from quart_heure.outputs.results.write import write_layers
from quart_heure.study import Coverage

LAYERS = ("districts", "isochrones", "gaps", "services")
_SCRIPT = Path(helpers.__file__).with_name("qgis_draw.py")


@pytest.fixture(scope="module")
def file(toy_coverage: Coverage, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("styles") / "town.gpkg"
    write_layers(toy_coverage, path)
    return path


def test_every_layer_with_shapes_has_a_style_in_french(file: Path) -> None:
    shaped = [name for name, kind in pyogrio.list_layers(file) if kind is not None]
    styles = pyogrio.read_dataframe(file, layer=STYLES_TABLE, fid_as_index=True)
    assert sorted(styles["f_table_name"]) == sorted(shaped) == sorted(LAYERS)
    assert styles["useAsDefault"].all()
    assert (styles["f_geometry_column"] == "geom").all()
    for qml in styles["styleQML"]:
        ET.fromstring(qml.partition("\n")[2])
    text = "".join(styles["styleQML"])
    for label in ("Bagageries", "5 min ou moins", "de 10 à 15 min", "non compté"):
        assert f'label="{label}"' in text


def test_names_of_categories_cannot_break_a_style(toy_coverage: Coverage) -> None:
    manifest = describe_run(toy_coverage)
    unkind = {"id": "o'x", "fr": '"><rule>&', "en": "", "colour": "#123456", "essential": True}
    styles = layer_styles({**manifest, "categories": [unkind]}, "fr").set_index("f_table_name")
    for qml in styles["styleQML"]:
        ET.fromstring(qml.partition("\n")[2])
    rule = ET.fromstring(styles.loc["gaps", "styleQML"].partition("\n")[2]).find(".//rule")
    assert rule is not None
    assert (rule.get("label"), rule.get("filter")) == ('"><rule>&', "\"category\" = 'o''x'")


def test_qgis_draws_as_the_map_does(file: Path, toy_coverage: Coverage, tmp_path: Path) -> None:
    if not qgis_python():
        pytest.skip("no QGIS for any Python here (Debian: apt-get install python3-qgis)")
    study = toy_coverage.study
    first, *others = study.categories
    places = {
        "isochrones": _points_of_zones(toy_coverage, first),
        "gaps": {
            category: _inside(
                toy_coverage.gaps, category, without=first if category != first else ""
            )
            for category in study.categories
        },
        "services": {
            str(row["service_id"]): [row.geometry.x, row.geometry.y]
            for row in toy_coverage.services.iloc
            if row["counted"] and row["inside"]
        },
    }
    (tmp_path / "points.json").write_text(json.dumps(places), "utf-8")
    command: Sequence[str] = [qgis_python(), str(_SCRIPT), str(file), str(tmp_path)]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr.decode()
    found = json.loads(done.stdout.decode().splitlines()[-1])

    catalogue = [study.catalogue[category] for category in study.categories]
    assert found["districts"]["labels"]
    assert found["isochrones"]["on"] == found["gaps"]["on"] == [catalogue[0].fr]
    assert found["services"]["on"] == [category.fr for category in catalogue]
    assert len(found["gaps"]["classes"]) == len(catalogue) + len(COMPOSITES)

    steps = shades(PALETTE.minutes, len(study.isochrones_min))
    assert found["isochrones"]["colours"] == {
        f"{minutes:g}": colour
        for minutes, colour in zip(study.isochrones_min, steps, strict=True)
        if f"{minutes:g}" in places["isochrones"]
    }
    assert len(found["isochrones"]["colours"]) > 2
    gaps = found["gaps"]["colours"]
    # Its ground, or a line of its hatching, whose edges are soft.
    ends = zip(_channels(GAP_HATCH), _channels(PALETTE.gap), strict=True)
    channels = zip(_channels(gaps[first]), ends, strict=True)
    assert all(low - 2 <= value <= high + 2 for value, (low, high) in channels), gaps
    hidden = [c for c in others if not _lies_in(toy_coverage.gaps, first, places["gaps"][c])]
    assert hidden
    assert {gaps[category] for category in hidden} == {"#ffffff"}
    marks = found["services"]["colours"]
    colour_of = {c.id: c.colour.lower() for c in catalogue}
    for row in toy_coverage.services.iloc:
        if str(row["service_id"]) in marks and not _shared(row.geometry, places["services"]):
            assert marks[str(row["service_id"])] == colour_of[row["category"]]


def _points_of_zones(coverage: Coverage, category: str) -> dict[str, list[float]]:
    """Return a point for each step of minutes: within it, and within none that is nearer."""
    zones = coverage.isochrones
    zones = zones[zones["category"] == category].sort_values("threshold_min")
    nearer = shapely.Point()
    found = {}
    for minutes, shape in zip(zones["threshold_min"], zones.geometry, strict=True):
        ring = shapely.difference(shape, nearer)
        if not ring.is_empty:
            line = shapely.maximum_inscribed_circle(ring, tolerance=5)
            found[f"{minutes:g}"] = list(shapely.get_coordinates(line)[0])
        nearer = shape
    return found


def _inside(gaps: gpd.GeoDataFrame, category: str, *, without: str) -> list[float]:
    """Return a point of a category's gaps, that none of another's holds where there is such."""
    shape = gaps[gaps["category"] == category].union_all()
    other = gaps[gaps["category"] == without].union_all().buffer(60)
    alone = shapely.difference(shape, other)
    line = shapely.maximum_inscribed_circle(shape if alone.is_empty else alone, tolerance=5)
    return list(shapely.get_coordinates(line)[0])


def _lies_in(gaps: gpd.GeoDataFrame, category: str, xy: list[float]) -> bool:
    return bool(gaps[gaps["category"] == category].distance(shapely.Point(xy)).min() < 30)


def _channels(colour: str) -> bytes:
    return bytes.fromhex(colour.removeprefix("#"))


def _shared(point: shapely.Point, places: dict[str, list[float]]) -> bool:
    near = [xy for xy in places.values() if shapely.distance(point, shapely.Point(xy)) < 60]
    return len(near) > 1
