"""Answers that are kept are those of the same question to the same files; and the cache shown."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from helpers.called import Call
from helpers.runs import town_folder
from quart_heure import stamp
from quart_heure.commands import kept
from quart_heure.study import line

DAY = "1790000000"  # 2026-09-21


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("QUART_HEURE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("SOURCE_DATE_EPOCH", DAY)
    return town_folder(tmp_path / "study")


@pytest.fixture
def analyses(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Count the analyses that were made."""
    made: list[str] = []
    real = line.analyse

    def counted(*given: Any, **named: Any) -> Any:
        made.append("analysis")
        return real(*given, **named)

    monkeypatch.setattr(line, "analyse", counted)
    return made


def answers(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "cache").glob("answer-*"))


@pytest.mark.parametrize("form", ["table", "csv", "office", "json", "md", "html", "mail"])
def test_the_same_is_answered_alike_without_an_analysis(
    call: Call, study: Path, analyses: list[str], form: str
) -> None:
    first, again = (call("report", study, "--format", form) for _ in range(2))
    assert first.code == 0
    assert first.out
    assert "rows left out or doubted" in first.err
    assert again == first
    assert len(analyses) == 1
    afresh = call("report", study, "--format", form, "--no-cache")
    assert afresh == first
    assert len(analyses) == 2


@pytest.mark.parametrize("command", ["paces", "sensitivity"])
def test_variants_are_answered_alike_without_an_analysis(
    call: Call, study: Path, tmp_path: Path, command: str
) -> None:
    first = call(command, study, "--json")
    assert first.code == 0
    kept = answers(tmp_path)
    assert len(kept) == 1
    before = kept[0].read_bytes()
    assert call(command, study, "--json") == first
    assert call(command, study, "--json", "--no-cache") == first
    assert answers(tmp_path) == kept
    assert kept[0].read_bytes() == before
    other = call(command, study, "--format", "csv")
    assert other.code == 0
    assert other.out != first.out
    _services(study, pytest.MonkeyPatch())
    assert call(command, study, "--json").out == call(command, study, "--json", "--no-cache").out


def test_a_file_is_written_again(call: Call, study: Path, tmp_path: Path) -> None:
    target = tmp_path / "report.md"
    for _ in range(2):
        said = call("report", study, "--format", "md", "-o", target)
        assert said.out == f"{target}\n"
        assert target.read_text(encoding="utf-8").startswith("# ")
        target.unlink()


def _services(study: Path, _: pytest.MonkeyPatch) -> None:
    file = study.parent / "services.csv"
    table = pd.read_csv(file, keep_default_na=False)
    table[table["service_id"] != "C2"].to_csv(file, index=False)


def _settings(study: Path, _: pytest.MonkeyPatch) -> None:
    text = study.read_text(encoding="utf-8")
    study.write_text(text.replace("threshold_min = 15", "threshold_min = 11"), encoding="utf-8")


def _beside(study: Path, _: pytest.MonkeyPatch) -> None:
    (study.parent / "districts.parquet-wal").write_bytes(b"")


def _manifest(study: Path, _: pytest.MonkeyPatch) -> None:
    (study.parent / "manifest.json").write_text("{}", encoding="utf-8")


def _day(_: Path, patch: pytest.MonkeyPatch) -> None:
    patch.setenv("SOURCE_DATE_EPOCH", str(int(DAY) + 24 * 3600))


def _code(_: Path, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(kept, "code_digest", lambda: "of another version")


def _damage(study: Path, _: pytest.MonkeyPatch) -> None:
    (entry,) = (study.parents[1] / "cache").glob("answer-*")
    entry.write_bytes(entry.read_bytes()[:-40])


@pytest.mark.parametrize(
    "change",
    [_services, _settings, _beside, _manifest, _day, _code, _damage],
    ids=lambda f: f.__name__,
)
def test_what_differs_is_asked_anew(
    call: Call,
    study: Path,
    analyses: list[str],
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[Path, pytest.MonkeyPatch], None],
) -> None:
    call("report", study, "--json")
    change(study, monkeypatch)
    said = call("report", study, "--json")
    assert said.code == 0
    assert len(analyses) == 2
    assert said.out == call("report", study, "--json", "--no-cache").out


@pytest.mark.parametrize(
    "options",
    [("--threshold", "11"), ("--lang", "en"), ("--arrondissement", "E"), ("--format", "md")],
    ids=str,
)
def test_another_question_has_an_answer_of_its_own(
    call: Call, study: Path, tmp_path: Path, options: tuple[str, ...]
) -> None:
    one, other = call("report", study), call("report", study, *options)
    assert (one.code, other.code) == (0, 0)
    assert one.out != other.out
    assert len(answers(tmp_path)) == 2
    assert (call("report", study), call("report", study, *options)) == (one, other)


def test_a_file_that_is_gone_is_missed(call: Call, study: Path) -> None:
    call("report", study)
    (study.parent / "residents.parquet").unlink()
    said = call("report", study)
    assert (said.code, said.out) == (3, "")
    assert "residents.parquet" in said.err


def test_an_answer_that_raises_an_alarm_is_worked_out(
    call: Call, study: Path, tmp_path: Path
) -> None:
    condition = ("--fail-if", "covered_pct[bagagerie] < 101")
    assert [call("report", study, *condition).code for _ in range(2)] == [11, 11]
    assert answers(tmp_path) == []


@pytest.mark.parametrize(
    "asked", [("report",), ("report", "--private"), ("paces",), ("sensitivity",)], ids=" ".join
)
def test_nothing_is_kept_of_discreet_places(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: tuple[str, ...]
) -> None:
    monkeypatch.setenv("QUART_HEURE_CACHE", str(tmp_path / "cache"))
    study = town_folder(tmp_path / "study", discreet=True)
    command, *options = asked
    assert call(command, study, *options).code == 0
    assert (tmp_path / "cache").is_dir()
    assert answers(tmp_path) == []


def test_the_code_is_told_from_any_other(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    package = tmp_path / "package"
    package.mkdir()
    module = package / "stamp.py"
    module.write_text("one = 1\n")
    monkeypatch.setattr(stamp, "__file__", str(module))
    stamp.code_digest.cache_clear()
    before = stamp.code_digest()
    (package / "words.toml").write_text("a = 1\n")
    stamp.code_digest.cache_clear()
    assert stamp.code_digest() != before
    stamp.code_digest.cache_clear()


def test_a_library_is_told_from_its_next_version(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    installed = tmp_path / "site-packages"
    monkeypatch.setattr(sys, "path", [*sys.path, str(installed), str(tmp_path / "gone")])
    seen = set()

    def look() -> None:
        stamp.code_digest.cache_clear()
        seen.add(stamp.code_digest())

    look()
    (installed / "pandas-9.0.0.dist-info").mkdir(parents=True)
    look()
    (installed / "pandas").mkdir()  # no more than the name that is imported
    look()
    assert len(seen) == 2
    (installed / "pandas-9.0.0.dist-info").rename(installed / "pandas-9.0.1.dist-info")
    look()
    # The same version once more, built otherwise.
    os.utime(installed / "pandas-9.0.1.dist-info", ns=(1, 1))
    look()
    assert len(seen) == 4
    stamp.code_digest.cache_clear()


def test_libraries_in_an_archive_are_told_from_others(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    archive = tmp_path / "all.zip"
    archive.write_bytes(b"one")
    monkeypatch.setattr(sys, "path", [str(archive)])
    stamp.code_digest.cache_clear()
    before = stamp.code_digest()
    os.utime(archive, ns=(1, 1))
    stamp.code_digest.cache_clear()
    assert stamp.code_digest() != before
    stamp.code_digest.cache_clear()


def test_the_cache_is_shown_and_cleared(call: Call, study: Path, tmp_path: Path) -> None:
    call("report", study)
    call("map", study, "-o", tmp_path / "map.html")
    folder = tmp_path / "cache"
    (folder / "fetch-0123").mkdir()
    (folder / "fetch-0123" / "a.json").write_text("{}", encoding="utf-8")
    (folder / "letter.txt").write_text("not ours", encoding="utf-8")
    told = json.loads(call("cache", "--json").out)
    kinds = {one["kind"]: one for one in told["kinds"]}
    assert told["folder"] == str(folder)
    assert {"answer", "cells", "drawn", "fetch", "network", "times", "walks"} <= kinds.keys()
    assert kinds["answer"]["entries"] == kinds["fetch"]["entries"] == 1
    on_disk = sum(path.stat().st_size for path in folder.glob("cells-*"))
    assert kinds["cells"]["mb"] == round(on_disk / 1e6, 1)
    assert all(one["what"] != "of another version" for one in kinds.values())
    said = call("cache")
    assert said.out.splitlines()[0].startswith(f"{folder}: ")
    assert len(said.out.splitlines()) == 1 + len(kinds)
    assert "(removed)" in call("cache", "--clear").out
    assert [path.name for path in folder.iterdir()] == ["letter.txt"]
    assert ": 0 entries" in call("cache").out


def test_no_cache_is_said(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUART_HEURE_CACHE", "")
    assert call("cache").out == "Nothing is kept: QUART_HEURE_CACHE is empty.\n"
