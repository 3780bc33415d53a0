"""Files in other programs: every block of docs/files.md runs, and reads what was written."""

from __future__ import annotations

import csv
import json
import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from python_calamine import CalamineWorkbook

from helpers.other_programs import ENVIRONMENT, qgis_python, r_with_sf
from helpers.project import ROOT, in_project
from quart_heure import Coverage, analyse, write_results
from quart_heure.outputs.discretion import publishable
from quart_heure.outputs.results.office import styled_csv
from quart_heure.outputs.results.write import text_tables
from quart_heure.sources.services.services import Services
from quart_heure.study import Study

pytestmark = in_project
POSTCODE = "06000"  # programs that guess types make 6000 of it


def blocks(language: str) -> list[str]:
    text = (ROOT / "docs" / "files.md").read_text("utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


# Before the files: nothing is made for a program that is not there.
@pytest.fixture(scope="module")
def duckdb() -> Any:
    return pytest.importorskip("duckdb", reason="no DuckDB (pip install duckdb)")


@pytest.fixture(scope="module")
def r() -> str:
    return r_with_sf() or pytest.skip("no R with sf (Debian: apt-get install r-cran-sf)")


@pytest.fixture(scope="module")
def qgis() -> str:
    return qgis_python() or pytest.skip("no QGIS here (Debian: apt-get install python3-qgis)")


@pytest.fixture(scope="module")
def soffice() -> str:
    found = shutil.which("soffice")
    return found or pytest.skip("no LibreOffice (Debian: apt-get install libreoffice-calc)")


@pytest.fixture(scope="module")
def coverage(toy_study: Study) -> Coverage:
    table = toy_study.services.table.assign(postcode=POSTCODE)
    services = Services(table=table, problems=toy_study.services.problems)
    return analyse(toy_study.replace(services=services))


@pytest.fixture(scope="module")
def folder(coverage: Coverage, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("crossings") / "results"
    write_results(coverage, folder)
    return folder


@pytest.fixture(scope="module")
def tables(coverage: Coverage, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tables as a publication has them, for offices."""
    folder = tmp_path_factory.mktemp("crossings")
    coverage.to_xlsx(folder / "tables.xlsx")
    text = styled_csv(*text_tables(publishable(coverage))["gaps"], style="office")
    (folder / "gaps.csv").write_text(text, encoding="utf-8", newline="\n")
    return folder


def run(command: list[str], folder: Path) -> tuple[str, str]:
    """Run a program in a folder; return what it says on stdout and on stderr."""
    done = subprocess.run(
        command,
        cwd=folder,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout, done.stderr


def touched(coverage: Coverage) -> Counter[str]:
    """Count the gaps that touch each district."""
    return Counter(district for text in coverage.gaps["districts"] for district in text.split(";"))


def test_duckdb(
    duckdb: Any, coverage: Coverage, folder: Path, tables: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    (block,) = blocks("sql")
    bare = "\n".join(line for line in block.splitlines() if not line.startswith("--"))
    results = [duckdb.sql(one).fetchall() for one in bare.split(";\n") if one.strip()]
    people, gaps, places, of_csv, threshold = results
    residents = coverage.cells.groupby("status_esi")["residents"].sum()
    assert dict(people) == pytest.approx(dict(residents), abs=0.51)
    assert dict(gaps) == touched(coverage)
    counted = coverage.services[coverage.services["counted"] & ~coverage.services["discreet"]]
    assert {row[0] for row in places} == set(counted["name"])
    assert {row[1] for row in (*places, *of_csv)} == {POSTCODE}
    assert all(re.match(r"POINT \(\d+", row[2]) for row in places)
    assert float(threshold[0][0]) == coverage.study.threshold_min
    # What is said of types, CRS and missing values.
    (crs,) = duckdb.sql("SELECT ST_CRS(geometry) FROM 'gaps.parquet' LIMIT 1").fetchall()[0]
    assert json.loads(crs)["id"] == {"authority": "EPSG", "code": 2154}
    (unknown,) = duckdb.sql(
        "SELECT count(*) FROM 'cells.parquet' WHERE minutes_esi IS NULL"
    ).fetchall()[0]
    assert unknown == (~np.isfinite(coverage.cells["minutes_esi"])).sum() > 0
    (guessed,) = duckdb.sql("SELECT DISTINCT typeof(rank) FROM 'gaps.csv'").fetchall()
    assert guessed == ("BIGINT",)
    (empty,) = duckdb.sql("SELECT DISTINCT barrier FROM 'gaps.parquet'").fetchall()
    assert empty == ("",)
    monkeypatch.chdir(tables)
    told = duckdb.sql(
        "SELECT sum(residents), sum(longitude) FROM read_csv('gaps.csv', decimal_separator = ',')"
    ).fetchall()[0]
    assert told[0] == pytest.approx(coverage.gaps["residents"].sum(), abs=1)


def test_r(r: str, coverage: Coverage, folder: Path, tables: Path, tmp_path: Path) -> None:
    (block,) = blocks("r")
    checks = f"""
options(warn = 2)
{block}
stopifnot(st_crs(gaps)$epsg == 2154, nrow(gaps) == {len(coverage.gaps)})
stopifnot(all.equal(as.numeric(st_area(gaps)) / 1e4, gaps$area_ha))
stopifnot(all(is.character(gaps$districts)), identical(class(indicators), "data.frame"))
stopifnot(is.logical(services$counted), all(services$postcode == "{POSTCODE}"))
layer <- st_read("coverage.gpkg", layer = "services", quiet = TRUE)
stopifnot(is.logical(layer$counted), all(layer$postcode == "{POSTCODE}"))
stopifnot(is.na(layer$capacity_value), layer$capacity == "")
stopifnot(is.na(indicators$second_weight), read.csv("services.csv")$postcode == {int(POSTCODE)})
cat(table(unlist(strsplit(gaps$districts, ";"))), sum(gaps$residents), "\\n")
office <- read.csv2("{tables / "gaps.csv"}", fileEncoding = "UTF-8-BOM")
stopifnot(names(office)[1] == "gap_id", is.numeric(office$longitude))
cat(sum(office$residents), "\\n")
"""
    script = tmp_path / "check.R"
    script.write_text(checks, encoding="utf-8")
    said, _ = run([r, "--vanilla", str(script)], folder)
    lines = said.splitlines()
    east, west, people = map(float, lines[-2].split())
    assert {"E": east, "W": west} == touched(coverage)
    assert people == pytest.approx(coverage.gaps["residents"].sum(), rel=1e-5)
    assert float(lines[-1]) == pytest.approx(people, rel=1e-4)


_QGIS = """
import json, sys
from qgis.core import QgsApplication, QgsVectorLayer
QgsApplication.setPrefixPath("/usr", True)
application = QgsApplication([], False)
application.initQgis()
found = {}
for name in ("districts", "gaps", "isochrones", "services", "indicators", "manifest"):
    layer = QgsVectorLayer(f"coverage.gpkg|layername={name}", name, "ogr")
    assert layer.isValid(), name
    found[name] = [layer.featureCount(), layer.crs().authid()]
    found[f"{name} types"] = {field.name(): field.typeName() for field in layer.fields()}
text = f"file://{sys.argv[1]}?delimiter=,&xField=longitude&yField=latitude&crs=EPSG:4326"
layer = QgsVectorLayer(text, "gaps", "delimitedtext")
found["csv"] = [layer.featureCount(), layer.crs().authid()]
found["csv types"] = {field.name(): field.typeName() for field in layer.fields()}
book = QgsVectorLayer(sys.argv[2], "book", "ogr")
found["sheets"] = [each.split("!!::!!")[1] for each in book.dataProvider().subLayers()]
print(json.dumps(found))
"""


def test_qgis(qgis: str, coverage: Coverage, folder: Path, tables: Path) -> None:
    command = [qgis, "-c", _QGIS, str(folder / "gaps.csv"), str(tables / "tables.xlsx")]
    said, warned = run(command, folder)
    assert "GeoPackage user_version" not in warned  # which would come with each layer
    found = json.loads(next(line for line in said.splitlines() if line.startswith("{")))
    for name, rows in (("gaps", coverage.gaps), ("isochrones", coverage.isochrones)):
        assert found[name] == [len(rows), "EPSG:2154"]
    assert found["districts"] == [2, "EPSG:2154"]
    assert found["indicators"] == [len(coverage.indicators), ""]
    types = found["services types"]
    assert (types["postcode"], types["counted"], types["capacity_value"]) == (
        *("String", "Boolean", "Real"),
    )
    assert found["csv"] == [len(coverage.gaps), "EPSG:4326"]
    assert found["csv types"]["residents"] == "double"
    assert "Zones blanches" in found["sheets"]


def test_libreoffice(
    soffice: str, coverage: Coverage, tables: Path, folder: Path, tmp_path: Path
) -> None:
    shutil.copytree(tables, tmp_path / "tables")
    shutil.copy(folder / "services.csv", tmp_path / "tables" / "plain.csv")
    profile = f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}"
    lines = [line.partition("  #")[0] for line in blocks("sh")[-1].splitlines()]
    assert len(lines) == 2
    for line in lines:
        words = next(csv.reader([line], delimiter=" ", skipinitialspace=True))
        assert words[0] == "soffice"
        plain = [word.replace('"', "") for word in words[1:]]
        run([soffice, profile, *plain], tmp_path / "tables")
    run([soffice, profile, "--headless", "--convert-to", "ods", "plain.csv"], tmp_path / "tables")
    read = {
        name: CalamineWorkbook.from_path(str(tmp_path / "tables" / f"{name}.ods"))
        for name in ("gaps", "tables", "plain")
    }
    written = coverage.gaps.set_index("gap_id")
    for sheet in (
        read["gaps"].get_sheet_by_index(0),
        read["tables"].get_sheet_by_name("Zones blanches"),
    ):
        head, *rows = sheet.to_python()
        assert len(rows) == len(written)
        for row in rows:
            told = dict(zip(head, row, strict=True))
            assert told["area_ha"] == pytest.approx(written.loc[told["gap_id"], "area_ha"], 1e-3)
            assert told["districts"] == written.loc[told["gap_id"], "districts"].replace(";", " | ")
    head, *rows = read["tables"].get_sheet_by_name("Services").to_python()
    assert {row[head.index("postcode")] for row in rows} == {POSTCODE}
    assert {row[head.index("capacity_value")] for row in rows} == {""}
    head, *rows = read["plain"].get_sheet_by_index(0).to_python()
    assert {row[head.index("postcode")] for row in rows} == {int(POSTCODE)}  # as the page warns


def test_the_document_has_a_block_for_each_program() -> None:
    assert [len(blocks(language)) for language in ("sql", "r", "sh")] == [1, 1, 1]
