"""Commands about runs: compare, verify, schema, and a report that watches figures."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.called import Call
from helpers.runs import copied, edit_table, snapshot_of, town_run
from quart_heure.cli import main
from quart_heure.outputs.schemas import SCHEMAS


@pytest.fixture(scope="module", autouse=True)
def cache_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("QUART_HEURE_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("runs")
    return town_run(folder / "one"), town_run(folder / "two", ["services"])


def test_compare_prints_or_writes(call: Call, runs: tuple[Path, Path], tmp_path: Path) -> None:
    shown = call("compare", *runs, "--lang", "en")
    assert shown.code == 0
    assert "Petite Ville: what has changed" in shown.out
    assert "services …" not in shown.out
    for name in ("c.md", "c.gpkg"):
        kept = call("compare", *runs, "-o", tmp_path / name, "--format", "md")
        assert (kept.code, kept.out) == (0, f"{tmp_path / name}\n")
        assert (tmp_path / name).stat().st_size > 100


def test_compare_never_writes_into_what_it_compares(call: Call, runs: tuple[Path, Path]) -> None:
    before = [snapshot_of(run) for run in runs]
    for run in runs:
        refused = call("compare", *runs, "-o", run / "comparison.md")
        assert refused.code == 9
        assert "which is compared" in refused.err
    assert [snapshot_of(run) for run in runs] == before


def test_two_comparisons_into_one_file_leave_one_of_them_whole(
    runs: tuple[Path, Path], tmp_path: Path
) -> None:
    target = tmp_path / "out" / "comparison.json"
    codes: list[int] = []

    def run(*pair: Path) -> None:
        codes.append(
            main(["compare", *map(str, pair), "--figures-only", "--json", "-o", str(target)])
        )

    threads = [threading.Thread(target=run, args=pair) for pair in (runs, runs[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert codes == [0, 0]
    assert json.loads(target.read_text(encoding="utf-8"))["figures"]
    assert [path.name for path in target.parent.iterdir()] == ["comparison.json"]


def test_compare_refuses_what_is_no_run(call: Call, runs: tuple[Path, Path]) -> None:
    study = runs[0].parent / "study"
    refused = call("compare", runs[0], study)
    assert (refused.code, refused.out) == (3, "")
    assert "is not a result" in refused.err


def test_verify_tells_by_its_exit_code(call: Call, runs: tuple[Path, Path], tmp_path: Path) -> None:
    assert call("verify", runs[0]).code == 0
    assert call("verify", runs[0], "--quick").code == 0
    spoilt = copied(runs[0], tmp_path / "spoilt")
    edit_table(spoilt, "composite.csv", "city", "City")
    found = call("verify", spoilt)
    assert found.code == 12
    assert "composite.csv: level" in found.out
    assert "not verified" in found.err
    assert call("verify", spoilt, "--quick").code == 0
    assert json.loads(call("verify", spoilt, "--json").out)["verified"] is False
    (tmp_path / "spoilt" / "study" / "services.csv").unlink()
    gone = call("verify", spoilt, "--quick")
    assert gone.code == 12
    assert "services.csv: is gone" in gone.out


def test_a_watched_figure_ends_with_a_code_of_its_own(
    call: Call, runs: tuple[Path, Path], tmp_path: Path
) -> None:
    calm = call("report", runs[1], "--fail-if", "residents_covered_pct[esi] < 0", "--json")
    assert calm.code == 0
    raised = call("report", runs[1], "--fail-if", "residents_covered_pct[esi] < 101", "--json")
    assert raised.code == 11
    assert raised.out == calm.out  # the report is written all the same
    assert "residents_covered_pct[esi] < 101 (Petite Ville: " in raised.err
    target = tmp_path / "mail.txt"
    moved = call(
        *("report", runs[1], "--since", runs[0], "--format", "mail", "-o", target),
        *("--fail-if", "residents_covered_pct[esi, *] fell by 1"),
    )
    assert moved.code == 11
    assert target.read_text(encoding="utf-8").startswith("ALERTE")


def test_conditions_are_read_before_any_work(call: Call, runs: tuple[Path, Path]) -> None:
    study = runs[0].parent / "study" / "study.toml"
    refused = call("report", study, "--fail-if", "half of them")
    assert refused.code == 3
    assert "network …" not in refused.err
    refused = call("report", study, "--since", study)
    assert refused.code == 3
    assert "network …" not in refused.err


def test_schemas_are_listed_and_printed(call: Call) -> None:
    assert call("schema").out.split() == [*SCHEMAS]
    assert json.loads(call("schema", "report").out)["title"] == "quart-heure report"
    assert call("schema", "nothing").code == 9
