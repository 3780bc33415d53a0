"""Files that are given: plain ones under names that a disk can have, and no larger than is told."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from helpers.study_files import add, swap, write_town
from quart_heure.cli import main
from quart_heure.errors import InputFileError
from quart_heure.sources.given import check_given, check_name, shown

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
    assert "a\\0b: cannot be opened (embedded null byte). Check" in refused(folder, capsys)
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
