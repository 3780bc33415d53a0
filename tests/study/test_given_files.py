"""Files that are given: plain ones under names that a disk can have, and no larger than is told."""

from __future__ import annotations

import gzip
import os
import shutil
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from helpers import toy_town
from helpers.study_files import add, swap, write_town
from quart_heure.cli import main
from quart_heure.errors import InputFileError
from quart_heure.files import shown
from quart_heure.network.graph import WalkNetwork
from quart_heure.sources import given, raw_tables
from quart_heure.sources.given import check_given, check_name, check_parquet
from quart_heure.sources.layers import read_layer
from quart_heure.sources.raw_tables import read_raw_tables
from quart_heure.sources.residents.residents import read_residents

NAMES = ("services.csv", "districts.parquet", "network.parquet", "residents.parquet")


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_town(tmp_path_factory.mktemp("town")).parent


@pytest.fixture
def folder(town: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(town, tmp_path / "town"))


def refused(folder: Path, capsys: pytest.CaptureFixture[str], *command: str) -> str:
    arguments = command or ("analyse", str(folder / "study.toml"), "-o", str(folder / "results"))
    assert main(list(arguments)) == 3
    assert not (folder / "results").exists()
    said = capsys.readouterr()
    assert said.out == ""
    [line] = [line for line in said.err.splitlines() if line.startswith("Error: ")]
    assert len(line) < 800
    return line


@pytest.mark.parametrize("name", NAMES)
def test_a_pipe_is_no_input(folder: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / name).unlink()
    os.mkfifo(folder / name)
    line = refused(folder, capsys)
    assert f"{folder / name}: is neither a file nor a folder, and may have no end." in line


@pytest.mark.parametrize("ending", ["xlsx", "ods", "geojson", "zip", "osm.pbf", "mbtiles", "tif"])
def test_a_device_is_no_input_under_any_name(
    folder: Path, ending: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / f"x.{ending}").symlink_to(os.devnull)  # one that has no end is refused the same way
    old = "network.parquet" if ending in {"osm.pbf", "mbtiles"} else "services.csv"
    swap(folder / "study.toml", old, f"x.{ending}")
    assert f"x.{ending}: is neither a file nor a folder" in refused(folder, capsys)


@pytest.mark.parametrize(
    "text",
    [
        '[map]\nbackground = "x.gpkg"',
        '[weights]\nfile = "x.gpkg"',
        '[hours]\nschool_holidays = "x"',
    ],
)
def test_files_beside_are_looked_at_too(
    folder: Path, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("x.gpkg", "x"):
        (folder / name).symlink_to(os.devnull)
    add(folder / "study.toml", text)
    assert "is neither a file nor a folder" in refused(folder, capsys)


@pytest.mark.parametrize("name", NAMES)
def test_names_that_no_file_has(
    folder: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    study = folder / "study.toml"
    text = study.read_text(encoding="utf-8")
    study.write_text(text.replace(name, "a\\u0000b"), encoding="utf-8")
    assert "a\\0b: cannot be opened (its name holds a NUL). Check" in refused(folder, capsys)
    study.write_text(text.replace(name, f"{'n' * 5000}.csv"), encoding="utf-8")
    assert "nnn.csv: cannot be opened (File name too long)." in refused(folder, capsys)
    study.write_text(text, encoding="utf-8")
    (folder / name).unlink()
    (folder / name).symlink_to(folder / "again")
    (folder / "again").symlink_to(folder / name)
    assert f"{name}: cannot be opened (Too many levels" in refused(folder, capsys)


@pytest.mark.parametrize("verb", ["analyse", "report", "check", "map", "paces", "geocode"])
def test_names_of_the_command_line(
    tmp_path: Path, verb: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "loop.toml").symlink_to(tmp_path / "loop.toml")
    output = ("-o", str(tmp_path / "results")) if verb in {"analyse", "map", "geocode"} else ()
    for name in ("loop.toml", "n" * 5000, os.fsdecode(b"\xff\xfe.toml")):
        line = refused(tmp_path, capsys, verb, str(tmp_path / name), *output)
        assert "cannot be opened" in line or "there is no such" in line


def test_what_is_there_is_no_matter_and_names_are_cut(tmp_path: Path) -> None:
    check_given(tmp_path)
    check_name(tmp_path / "nothing")
    with pytest.raises(InputFileError, match="there is no such file"):
        check_given(tmp_path / "nothing")
    assert len(shown(tmp_path / ("n" * 5000))) < 500


# --- how much is in them -------------------------------------------------------------------------


def test_a_parquet_file_is_held_to_its_limits_by_what_it_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "s.parquet"
    # One value, many times: next to nothing on the disk.
    pd.DataFrame({"nom": ["x"] * 9000, "lon": 2.0, "lat": 48.0}).to_parquet(path)
    assert path.stat().st_size < 9000
    check_parquet(path)
    check_parquet(path, most_rows=9000)
    with pytest.raises(InputFileError, match=r"holds 9,000 rows\. 8,999 at most"):
        check_parquet(path, most_rows=8999)
    with pytest.raises(InputFileError, match="bytes"):
        check_parquet(path, most_bytes=100)
    monkeypatch.setattr(given, "MOST_LAYER_VALUES", 26_999)
    for read in (read_layer, read_residents, WalkNetwork.read, read_raw_tables):
        with pytest.raises(InputFileError, match="holds 27,000 values"):
            read(path)
    monkeypatch.undo()
    monkeypatch.setattr(raw_tables, "MOST_ROWS", 8999)
    with pytest.raises(InputFileError, match="holds 9,000 rows"):
        read_raw_tables(path)


@pytest.mark.parametrize("ending", ["geojson.gz", "zip"])
def test_a_packed_layer_is_held_to_its_limits_by_what_it_holds(
    tmp_path: Path, ending: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    districts = toy_town.town_area().districts.to_crs(4326).to_json().encode() + b" " * 100_000
    path = tmp_path / f"d.{ending}"
    if ending == "zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
            packed.writestr("d.geojson", districts)
    else:
        path.write_bytes(gzip.compress(districts))
    assert path.stat().st_size < 5000
    assert len(read_layer(path)) == 2
    monkeypatch.setattr(given, "LARGEST_LAYER_BYTES", 90_000)
    with pytest.raises(InputFileError, match="at most: unpack or cut it"):
        read_layer(path)
    monkeypatch.setattr(raw_tables, "LARGEST_FILE_BYTES", 90_000)
    with pytest.raises(InputFileError, match="A table of services holds 0 MB at most"):
        read_raw_tables(path)


def test_a_damaged_archive_is_told(tmp_path: Path) -> None:
    districts = toy_town.town_area().districts.to_crs(4326).to_json().encode()
    path = tmp_path / "d.geojson.gz"
    content = bytearray(gzip.compress(districts))
    content[len(content) // 2 :] = bytes([255]) * (len(content) // 2)
    path.write_bytes(content)
    with pytest.raises(InputFileError, match=r"d\.geojson\.gz: cannot be read as a vector layer"):
        read_layer(path)
    # What is in an archive cannot be told without its list; readers go on without.
    path = tmp_path / "d.zip"
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("d.geojson", districts)
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\1\2")] = 0
    path.write_bytes(content)
    with pytest.raises(InputFileError, match=r"d\.zip: cannot be unpacked \(Bad magic number"):
        read_layer(path)
