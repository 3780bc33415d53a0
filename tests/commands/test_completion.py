"""Completion: what a shell offers, from the study at hand, and that it is quick."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import pytest

from helpers.study_files import add, write_town
from quart_heure.analysis.audience import PERSONS, get_person
from quart_heure.cli import main
from quart_heure.commands import completion
from quart_heure.profiles import PROFILES, get_profile

HEAVY = ("pandas", "numpy", "geopandas", "shapely", "pyarrow", "scipy")


@pytest.fixture
def town(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Own categories, persons and walkers; districts in a layer of text."""
    study = write_town(tmp_path)
    districts = gpd.read_parquet(tmp_path / "districts.parquet").to_crs(4326)
    districts.to_file(tmp_path / "districts.geojson")
    districts.to_file(tmp_path / "districts.gpkg", layer='a "layer"')
    text = study.read_text(encoding="utf-8").replace("districts.parquet", "districts.geojson")
    study.write_text(text, encoding="utf-8")
    add(study, '[categories.laverie]\nfr = "Laveries"\n[persons.dame]\nsex = "woman"')
    add(study, "[profiles.chien]\nspeed_kmh = 4.0")
    monkeypatch.chdir(tmp_path)
    return study


Offer = Callable[[str], list[str]]


@pytest.fixture
def offered(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Offer:
    """Give what bash is offered for the last word of a line."""

    def offer(typed: str) -> list[str]:
        line = f"quart-heure {typed}"
        monkeypatch.setenv("COMP_WORDS", line)
        monkeypatch.setenv("COMP_CWORD", str(line.count(" ")))
        monkeypatch.setenv("_QUART_HEURE_COMPLETE", "complete_bash")
        monkeypatch.setattr(sys, "argv", ["quart-heure"])
        monkeypatch.setattr(sys.modules["__main__"], "__package__", None)  # called as a program
        capsys.readouterr()
        with contextlib.suppress(SystemExit):
            main()
        return capsys.readouterr().out.split()

    return offer


def test_categories_districts_persons_and_walkers_are_those_of_the_study(
    town: Path, offered: Offer
) -> None:
    assert "laverie" in offered("report study.toml --category ")
    assert offered("site --category lav") == ["laverie"]  # of the study that lies here
    assert offered("dossier study.toml --arrondissement ") == ["Est", "Ouest", "E", "W"]
    assert offered("dossier study.toml --arrondissement Ou") == ["Ouest"]
    assert offered("map study.toml --for da") == ["dame"]
    assert offered("map study.toml --profile ch") == ["chien"]
    town.write_text(town.read_text(encoding="utf-8").replace(".geojson", ".gpkg"), encoding="utf-8")
    assert offered("report study.toml --arrondissement E") == ["Est", "E"]


def test_without_a_study_the_packaged_paris_is_meant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, offered: Offer
) -> None:
    monkeypatch.chdir(tmp_path)
    assert offered("dossier --arrondissement 13") == ["13e"]
    assert offered("dossier --arrondissement 7511")[:2] == ["75110", "75111"]
    assert offered("init --secret halte") == ["halte_femmes"]


def test_study_files_and_folders_are_offered(town: Path, offered: Offer) -> None:
    folder = town.parent
    for name in ("results", "deep"):
        (folder / name).mkdir()
    (folder / "results" / "manifest.json").write_text("{}", encoding="utf-8")
    (folder / "deep" / "other.toml").write_text("", encoding="utf-8")
    assert offered("report ") == [f"deep{os.sep}", "results", "study.toml"]
    assert offered(f"check deep{os.sep}") == [f"deep{os.sep}other.toml"]
    assert offered("map nowhere/") == []


def test_districts_of_results_are_read_from_them(town: Path, offered: Offer) -> None:
    folder = town.parent / "results"
    folder.mkdir()
    (folder / "indicators.csv").write_text(
        "level,district_id,label,category\ncity,,Ville,esi\ndistrict,A,Nord,esi\n", encoding="utf-8"
    )
    assert offered("report results --arrondissement ") == ["Nord", "A"]


@pytest.mark.parametrize(
    "spoilt",
    ["[area", "[area]\nname = 1", '[area]\ndistricts = "gone.geojson"', "categories = 3"],
)
def test_what_cannot_be_read_offers_nothing_of_its_own(
    town: Path, spoilt: str, offered: Offer
) -> None:
    town.write_text(spoilt, encoding="utf-8")
    assert offered("report study.toml --arrondissement ") == []
    assert "esi" in offered("report study.toml --category ")
    (town.parent / "gone.geojson").write_text('{"features": [1]}', encoding="utf-8")
    assert offered("report study.toml --arrondissement ") == []


def test_what_is_offered_is_known() -> None:
    known = {get_person(name).name for name in completion.PERSONS}
    assert known == set(PERSONS)
    assert {get_profile(name).name for name in completion.WALKERS} == set(PROFILES)


def test_nothing_heavy_is_imported_for_it(town: Path) -> None:
    code = (
        "import sys\n"
        "from quart_heure.cli import main\n"
        "try:\n    main([])\n"
        "finally:\n"
        f"    print([name for name in {HEAVY} if name in sys.modules], file=sys.stderr)\n"
    )
    line = "quart-heure report study.toml --arrondissement "
    variables = {"COMP_WORDS": line, "COMP_CWORD": "4", "_QUART_HEURE_COMPLETE": "complete_bash"}
    file = town.parent / "quart-heure"
    file.write_text(code, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(file)],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.split() == ["Est", "Ouest", "E", "W"]
    assert done.stderr.splitlines()[-1] == "[]"
