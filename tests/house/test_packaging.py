"""What is shipped: the sdist and the wheel hold everything, and each works on its own."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from helpers.project import ROOT, THOROUGH, in_project, project_files

PARIS = ROOT / "data" / "paris"
PARIS_FILES = (
    "README.md",
    "background.parquet",
    "districts.geojson",
    "manifest.json",
    "network.parquet",
    "quarters.geojson",
    "residents.parquet",
    "services.csv",
)
PARIS_LIMIT_MB = 12
FILE_LIMIT_KB = 500

pytestmark = in_project


@dataclass(frozen=True)
class Built:
    """The two archives and the folders they were unpacked to."""

    sdist: Path
    wheel: Path
    sdist_dir: Path
    wheel_dir: Path

    @property
    def sdist_names(self) -> set[str]:
        """Names in the sdist, below its top folder."""
        with tarfile.open(self.sdist) as archive:
            return {name.partition("/")[2] for name in archive.getnames()}

    @property
    def wheel_names(self) -> set[str]:
        """Names in the wheel."""
        with zipfile.ZipFile(self.wheel) as archive:
            return set(archive.namelist())


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    out = tmp_path_factory.mktemp("dist")
    # The wheel is built from the sdist: what the sdist lacks, the wheel lacks too.
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (sdist,) = out.glob("*.tar.gz")
    (wheel,) = out.glob("*.whl")
    with tarfile.open(sdist) as archive:
        # Filters came with Python 3.11.4, and warn where they are left out since 3.12.
        safely: dict[str, Any] = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
        archive.extractall(out / "sdist", **safely)
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(out / "wheel")
    (sdist_dir,) = (out / "sdist").iterdir()
    return Built(sdist, wheel, sdist_dir, out / "wheel")


def run_python(
    *arguments: str, package: Path, cwd: Path, cache: Path
) -> subprocess.CompletedProcess[str]:
    """Run Python with the package of one folder before the installed one."""
    env = {
        **os.environ,
        "PYTHONPATH": str(package),
        "QUART_HEURE_CACHE": str(cache),
    }
    return subprocess.run(
        [sys.executable, *arguments], cwd=cwd, env=env, capture_output=True, text=True, check=False
    )


def test_the_wheel_holds_the_package_and_paris(built: Built) -> None:
    names = built.wheel_names
    expected = {f"quart_heure/data/paris/{name}" for name in PARIS_FILES}
    expected |= {"quart_heure/categories.toml", "quart_heure/py.typed"}
    assert expected <= names
    package = ROOT / "src" / "coverage"
    shipped = {
        path.relative_to(package).as_posix()
        for path in (package / "quart_heure").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert shipped <= names, "a module, template or static file is left out"


def test_the_wheel_installs_only_quart_heure(built: Built) -> None:
    tops = {name.partition("/")[0] for name in built.wheel_names}
    assert tops == {"quart_heure", "quart_heure-0.1.0.dist-info"}
    assert not [name for name in built.wheel_names if name.endswith((".pyc", ".ipynb"))]
    (entry_points,) = built.wheel_dir.glob("*.dist-info/entry_points.txt")
    assert "quart-heure = quart_heure.cli:run" in entry_points.read_text(encoding="utf-8")
    assert list(built.wheel_dir.glob("*.dist-info/licenses/LICENSE"))


def test_the_sdist_holds_the_project(built: Built) -> None:
    names = built.sdist_names
    assert {
        ".importlinter",
        "CHANGELOG.md",
        "LICENSE",
        "README.fr.md",
        "README.md",
        "pyproject.toml",
    } <= names
    listed = {path.relative_to(ROOT).as_posix() for path in project_files()}
    rooms = ("src/", "data/", "tests/", "scripts/", "notebooks/", "docs/")
    missing = {name for name in listed if name.startswith(rooms)} - names
    assert not missing
    for room in ("tests/", "scripts/", "notebooks/"):
        assert any(name.startswith(room) for name in names), room
    assert not [name for name in names if name.endswith(".pyc")]


def test_the_wheel_alone_runs_paris(built: Built, tmp_path: Path) -> None:
    script = """
from pathlib import Path
import sys
import quart_heure
from quart_heure.sources import sample
from quart_heure.study import Study

here = Path(sys.argv[1]).resolve()
assert Path(quart_heure.__file__).resolve().is_relative_to(here), quart_heure.__file__
paris = Path(str(sample.paris_dir())).resolve()
assert paris == here / "quart_heure" / "data" / "paris", paris
study = Study.paris()
assert len(study.area.districts) == 20
assert study.network.n_edges > 10_000
assert set(study.categories) <= set(study.catalogue)
assert len(study.services.table) > 50
print("Paris found")
"""
    done = run_python(
        *("-c", script, str(built.wheel_dir)),
        package=built.wheel_dir,
        cwd=tmp_path,
        cache=tmp_path / "cache",
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "Paris found"


@pytest.mark.parametrize("shipped", ["sdist", "wheel"] if THOROUGH else ["wheel"])
def test_a_part_of_the_suite_runs_on_what_is_shipped(
    shipped: str, built: Built, tmp_path: Path
) -> None:
    package = {"sdist": built.sdist_dir / "src" / "coverage", "wheel": built.wheel_dir}[shipped]
    tests = ["tests/house/test_house.py", "tests/analysis/test_toy_town.py"]
    done = run_python(
        *("-m", "pytest", "-p", "no:cacheprovider", "--verbosity=0", *tests),
        package=package,
        cwd=built.sdist_dir,
        cache=tmp_path / "cache",
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
    assert " passed" in done.stdout


def test_paris_stays_small() -> None:
    sizes = {path.name: path.stat().st_size for path in PARIS.rglob("*") if path.is_file()}
    assert set(PARIS_FILES) <= set(sizes)
    assert sum(sizes.values()) <= PARIS_LIMIT_MB * 1_000_000


def test_no_other_file_is_large() -> None:
    large = {
        path.relative_to(ROOT).as_posix(): path.stat().st_size
        for path in project_files()
        if path.stat().st_size > FILE_LIMIT_KB * 1000 and PARIS not in path.parents
    }
    assert not large
