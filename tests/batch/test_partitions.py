"""One territory of a batch: what it is, what is written of it, and what nobody may find there."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow.dataset as ds
import pytest

from helpers import toy_town
from helpers.many_towns import order_for, town_order, write_blocks, write_towns
from helpers.project import in_project, load_script
from helpers.study_files import swap, write_town
from quart_heure.batch import inputs
from quart_heure.batch.claim import CLAIM, claimed
from quart_heure.batch.layout import finished, manifest_name, write_partition
from quart_heure.batch.storage import Store
from quart_heure.batch.summary import COMPUTED, FAILED, Fate, summary_table, write_summary
from quart_heure.batch.task import Order, Outcome, work_out
from quart_heure.batch.territories import read_territories
from quart_heure.batch.territory import Territory
from quart_heure.cache import Cache
from quart_heure.errors import InputFileError, OutputError, QuartHeureError
from quart_heure.study import Coverage, Study, analyse
from quart_heure.study.file import read_study

SECRET = b"s" * 32


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Order, Outcome]:
    """Work the toy town out once."""
    folder = tmp_path_factory.mktemp("one")
    order = town_order(folder, "petite-ville", folder / "out", secret=SECRET)
    outcome = work_out(order)
    assert outcome.reason == ""
    return order, outcome


def folder_of(order: Order) -> Path:
    assert order.store.folder is not None
    return order.store.folder / order.territory.place


def state_of(order: Order, **changes: Any) -> dict[str, Any] | None:
    """Return what is kept of an order if it is finished."""
    wanted = {"marks": order.marks, "question": order.question, "secret": order.secret}
    content = order.store.read(manifest_name(order.territory))
    return finished(content, order.store.sizes(), order.territory, **{**wanted, **changes})


# --- what there is to do -------------------------------------------------------------------------


def test_a_study_is_the_territory_of_its_districts(tmp_path: Path) -> None:
    studies = write_towns(tmp_path, "un", "deux", "trois")
    districts = gpd.read_parquet(tmp_path / "un" / "districts.parquet")
    for name, codes in (("un", ["75101", "75113"]), ("deux", ["2A004", "2A004x"])):
        named = districts.assign(district_id=codes)
        named.to_parquet(tmp_path / name / "districts.parquet")
    places = [one.place for one in read_territories(list(map(str, studies)), None)]
    assert places == [
        "country=FR/dep=75/insee=75056",
        "country=FR/dep=none/insee=deux",
        "country=FR/dep=none/insee=trois",
    ]


def test_two_studies_of_one_folder_are_refused(tmp_path: Path) -> None:
    first, second = write_towns(tmp_path, "a/ville", "b/ville")
    with pytest.raises(InputFileError, match="would both be written into"):
        read_territories([str(first), str(second)], None)
    with pytest.raises(InputFileError, match="no such study file"):
        read_territories([str(tmp_path / "none.toml")], None)


def test_a_study_that_cannot_be_read_is_a_territory_that_fails(tmp_path: Path) -> None:
    good, bad = write_towns(tmp_path, "good", "bad")
    swap(bad, "cell_m", "cell_n")
    (tmp_path / "bad" / "districts.parquet").unlink()
    one, other = read_territories([str(good), str(bad)], None)
    assert (one.fault, other.code) == ("", "bad")
    assert "cell_n" in other.fault or "districts.parquet" in other.fault


@pytest.mark.parametrize("ending", [".geojson", ".gpkg", ".parquet"])
def test_a_table_of_polygons_is_many_territories_of_one_study(tmp_path: Path, ending: str) -> None:
    study = write_town(tmp_path)
    path = tmp_path / f"blocks{ending}"
    if ending == ".parquet":
        write_blocks(tmp_path / "blocks.gpkg").to_parquet(path)
    else:
        write_blocks(path)
    found = read_territories([str(study)], path)
    assert len(found) == 16
    assert (found[5].code, found[5].label) == ("01011", "Bloc 1.1")
    assert (found[5].place, found[5].crs) == ("country=FR/dep=01/insee=01011", toy_town.CRS)


def test_a_list_of_codes_is_districts_of_the_study(tmp_path: Path) -> None:
    study = write_town(tmp_path)
    codes = tmp_path / "codes.csv"
    codes.write_text("insee;nom\nE;Est\n", encoding="utf-8")
    (one,) = read_territories([str(study)], codes)
    assert (one.code, one.label) == ("E", "Est")
    with inputs.settings_for(one, []) as settings:
        assert settings.area.name == "Est"
        area = gpd.read_parquet(settings.area.districts)
    assert area.total_bounds.tolist() == [651000.0, 6860000.0, 652000.0, 6861900.0]
    codes.write_text("insee\nX\n", encoding="utf-8")
    with pytest.raises(InputFileError, match="has no district 'X'"):
        read_territories([str(study)], codes)
    codes.write_text("insee\nE\nE\n", encoding="utf-8")
    with pytest.raises(InputFileError, match="two territories have the code 'E'"):
        read_territories([str(study)], codes)
    with pytest.raises(InputFileError, match="is run with one study, and 2 are given"):
        read_territories([str(study), str(study)], codes)


# --- what is written -----------------------------------------------------------------------------


def test_a_partition_holds_what_the_analysis_found(written: tuple[Order, Outcome]) -> None:
    order, outcome = written
    found = analyse(read_study(order.territory.study, today=order.day))
    folder = folder_of(order)
    indicators = pd.read_parquet(folder / "indicators.parquet")
    assert set(indicators["territory"]) == {"petite-ville"}
    merged = indicators.merge(found.indicators, on=["level", "district_id", "category"])
    assert len(merged) == len(found.indicators) == len(indicators)
    assert (merged["covered_ha_x"] == merged["covered_ha_y"]).all()
    cells = gpd.read_parquet(folder / "cells.parquet")
    assert len(cells) == len(found.cells) == order_cells(outcome)
    assert cells.crs.to_epsg() == 4326
    there = cells.geometry.to_crs(toy_town.CRS)
    assert (there.x - cells["x_m"]).abs().max() < 1e-3
    (row,) = gpd.read_parquet(folder / "territory.parquet").itertuples()
    assert (row.territory, row.label) == ("petite-ville", "Petite Ville")
    assert abs(row.geometry.area - 4.1e-4) < 1e-4
    assert not list(folder.glob(".*"))


def order_cells(outcome: Outcome) -> int:
    assert outcome.batch is not None
    return int(outcome.batch["figures"]["cells"])


def test_tables_of_all_partitions_have_the_same_kinds(
    tmp_path: Path, toy_study: Study, toy_coverage: Coverage
) -> None:
    """A town without services has empty tables, which are of the kinds of full ones."""
    none = dataclasses.replace(toy_study.services, table=toy_study.services.table.head(0))
    empty = analyse(toy_study.replace(services=none, cell_m=100.0))
    schemas = []
    for name, coverage in (("full", toy_coverage), ("empty", empty)):
        write_partition(coverage, town(name), Store(str(tmp_path)), {})
        tables = sorted((tmp_path / town(name).place).glob("*.parquet"))
        schemas.append({path.name: ds.dataset(path).schema for path in tables})
    assert len(schemas[0]) == 17
    # Whoever writes a partition has not published what is in it.
    services = ds.dataset(tmp_path / town("full").place / "services.parquet").to_table()
    assert services["service_id"].to_pylist() == ["A1", "A2", "B1", "B2", "C1", "C2"]
    for name, schema in schemas[0].items():
        other = schemas[1][name]
        assert schema.names == other.names, name
        assert list(map(str, schema.types)) == list(map(str, other.types)), name


def town(code: str) -> Territory:
    return Territory(code=code, label=code, country="FR", departement="", study="")


def test_one_line_reads_all_partitions(written: tuple[Order, Outcome]) -> None:
    order, _ = written
    assert order.store.folder is not None
    files = sorted(map(str, order.store.folder.glob("**/indicators*.parquet")))
    table = ds.dataset(files, partitioning="hive").to_table().to_pandas()
    assert set(table["country"]) == {"FR"}
    assert set(table["insee"]) == {"petite-ville"}
    assert set(table["dep"]) == {"none"}


def test_duckdb_reads_all_partitions(written: tuple[Order, Outcome]) -> None:
    duckdb = pytest.importorskip("duckdb")
    order, _ = written
    query = f"SELECT insee, covered_pct FROM '{order.store.folder}/**/indicators*.parquet'"
    rows = duckdb.sql(f"{query} WHERE level = 'city' AND category = 'esi'").fetchall()
    indicators = pd.read_parquet(folder_of(order) / "indicators.parquet")
    chosen = indicators[(indicators["level"] == "city") & (indicators["category"] == "esi")]
    assert rows == [("petite-ville", chosen["covered_pct"].item())]


@in_project
def test_cells_become_the_squares_of_insee(written: tuple[Order, Outcome]) -> None:
    order, outcome = written
    assert order.store.folder is not None
    with load_script("squares_of_batch") as script:
        squares = script.squares_of(order.store.folder)
    cells = gpd.read_parquet(folder_of(order) / "cells.parquet")
    assert squares["cells"].sum() == len(cells) == order_cells(outcome)
    assert squares["residents"].sum() == pytest.approx(cells["residents"].sum())
    there = cells.geometry.to_crs(3035)
    name = f"CRS3035RES200mN{there.y[7] // 200 * 200:.0f}E{there.x[7] // 200 * 200:.0f}"
    row = squares[squares["idcar_200m"] == name].iloc[0]
    inside = cells[
        (there.x // 200 == there.x[7] // 200) & (there.y // 200 == there.y[7] // 200)
    ].dropna(subset=["minutes_esi"])
    assert row["reached_esi"] == len(inside) > 0
    if inside["residents"].sum():
        expected = np.average(inside["minutes_esi"], weights=inside["residents"])
    else:
        expected = inside["minutes_esi"].mean()
    assert row["minutes_esi"] == pytest.approx(expected, abs=0.006)


def test_nothing_of_a_discreet_place_is_in_a_folder_of_a_batch(
    written: tuple[Order, Outcome],
) -> None:
    order, outcome = written
    (discreet,) = [place for place in toy_town.SERVICES if place[5]]
    fates = [Fate(territory=order.territory, state=COMPUTED, batch=outcome.batch)]
    write_summary(fates, order.store, lang="fr", day=order.day)
    assert order.store.folder is not None
    files = [path for path in order.store.folder.rglob("*") if path.is_file()]
    assert len(files) == 18 + 4
    names = (discreet[0], f"Service {discreet[0]}")
    for path in files:
        content = path.read_bytes()
        if path.suffix == ".parquet":
            table = ds.dataset(path).to_table()
            content = (
                table.drop_columns([name for name in table.column_names if name == "geometry"])
                .to_pandas()
                .to_csv()
                .encode()
                + str(table.schema.metadata).encode()
            )
        assert not [name for name in names if name.encode() in content], path
    manifest = json.loads((folder_of(order) / "manifest.json").read_text("utf-8"))
    assert manifest["withheld"]["services"] == 1
    # The hash of the file would confirm a guess at what it holds.
    marks = dict(order.marks)
    kept = dict(map(tuple, manifest["batch"]["inputs"]))
    assert kept["services"] != marks["services"]
    assert kept["network"] == marks["network"]
    assert marks["services"] not in (folder_of(order) / "manifest.json").read_text("utf-8")
    assert SECRET.decode() not in repr(order)


def test_a_reason_names_no_discreet_place_and_no_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from quart_heure.batch import task  # noqa: PLC0415 - what is patched

    order = town_order(tmp_path, "ville", tmp_path / "out")

    def fails(text: str) -> str:
        def fail(*_: object, **__: object) -> None:
            raise InputFileError(text)

        monkeypatch.setattr(task, "analyse", fail)
        return work_out(order).reason

    assert "Service B3" not in fails("Service B3 is strange.")
    assert fails(f"{tmp_path}/ville/services.csv: is strange.") == "services.csv: is strange."

    def fault(*_: object, **__: object) -> None:
        raise KeyError("12 rue Secrète")

    monkeypatch.setattr(task, "analyse", fault)
    reason = work_out(order).reason
    assert "Secrète" not in reason
    assert "KeyError in batch/test_partitions.py" in reason or "KeyError in batch/task.py" in reason


# --- what is finished ----------------------------------------------------------------------------


def test_what_is_finished_is_known_by_all_that_it_depends_on(
    written: tuple[Order, Outcome],
) -> None:
    order, _ = written
    assert state_of(order) is not None
    changed = [(role, "0" * 64 if role == "network" else mark) for role, mark in order.marks]
    assert state_of(order, marks=changed) is None
    assert state_of(order, question={**order.question, "day": "2026-01-02"}) is None
    # Whose secret it is not cannot tell whether the services are the same: they are worked out.
    assert state_of(order, secret=b"o" * 32) is None
    assert state_of(order, secret=b"") is None
    path = folder_of(order) / "gaps.parquet"
    content = path.read_bytes()
    try:
        path.write_bytes(content[:-1])
        assert state_of(order) is None
    finally:
        path.write_bytes(content)
    assert state_of(order) is not None


def test_the_secret_is_one_users_and_no_file_of_a_batch(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache")
    secret = inputs.secret_of(cache)
    assert len(secret) == 32
    assert inputs.secret_of(cache) == secret
    (file,) = (tmp_path / "cache").iterdir()
    assert file.stat().st_mode & 0o077 == 0
    assert inputs.secret_of(Cache(None)) == b""
    assert not inputs.are_same([["services", inputs.sealed("m", b"")]], [("services", "m")], b"")


def test_what_is_asked_live_is_refused(tmp_path: Path) -> None:
    (study,) = write_towns(tmp_path, "ville")
    swap(study, 'files = ["services.csv"]', 'files = ["services.csv"]\nsoliguide = true')
    (territory,) = read_territories([str(study)], None)
    with pytest.raises(InputFileError, match="asks Soliguide for places live"):
        inputs.marks_of(territory, {})


def test_an_outline_more_in_a_table_moves_no_other(tmp_path: Path) -> None:
    study = write_town(tmp_path)
    write_blocks(tmp_path / "blocks.gpkg")
    one, other, *_ = read_territories([str(study)], tmp_path / "blocks.gpkg")
    known: dict[str, inputs.Marks] = {}
    marks = [dict(inputs.marks_of(each, known)) for each in (one, other)]
    assert [set(each) for each in marks] == [
        {"study", "services", "network", "residents", "outline"}
    ] * 2
    assert marks[0]["outline"] != marks[1]["outline"]
    assert marks[0]["network"] == marks[1]["network"]


# --- a folder, and who writes into it ------------------------------------------------------------


def test_two_batches_do_not_write_into_one_folder(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    with (
        claimed(store),
        pytest.raises(OutputError, match=f"already \\(process {os.getpid()}\\)"),
        claimed(store),
    ):
        pytest.fail("a second batch began")
    with claimed(store):
        pass


def test_a_disk_that_is_full_leaves_nothing_half_written(
    small_disk: Path, toy_coverage: Coverage
) -> None:
    store, ballast = Store(str(small_disk / "out")), small_disk / "ballast"

    def write() -> None:
        write_partition(toy_coverage, town("ville"), store, {})

    def partition() -> dict[str, int]:
        return {name: size for name, size in store.sizes().items() if "ville" in name}

    ballast.write_bytes(b"0" * 500_000)
    with pytest.raises(OutputError, match="No space left on device"):
        write()
    assert partition() == {}
    ballast.unlink()
    write()
    before = partition()
    assert len(before) == 18
    # A run that fails leaves what an earlier one wrote.
    ballast.write_bytes(b"0" * 300_000)
    with pytest.raises(OutputError, match="No space left on device"):
        write()
    assert partition() == before
    assert not list(small_disk.rglob(".*"))


def test_a_manifest_stands_as_long_as_all_that_it_tells_of(
    tmp_path: Path, memory_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    work, files = tmp_path / "work", {"one": "a.parquet", "manifest.json": "manifest.json"}
    work.mkdir()

    def take(store: Store) -> None:
        for name in ("manifest.json", "one"):
            (work / name).write_text(name)
        store.take(work, "town", files, seal="manifest.json")

    here = Store(str(tmp_path / "out"))
    (tmp_path / "out" / "town").mkdir(parents=True)
    kind = type(pytest.importorskip("fsspec").filesystem("memory"))
    for store, owner, step in ((here, Path, "replace"), (memory_store, kind, "put_file")):
        take(store)
        with monkeypatch.context() as patch:
            patch.setattr(owner, step, _full)
            with pytest.raises((OSError, QuartHeureError)):
                take(store)
        left = {name for name in store.sizes() if name.startswith("town/")}
        assert left == {"town/a.parquet"}, step


def test_a_hidden_folder_is_work_and_goes_as_a_whole(tmp_path: Path, memory_store: Store) -> None:
    for store in (Store(str(tmp_path)), memory_store):
        assert store.names_in("town/.tiles") == set()
        store.remove_folder("town/.tiles")
        for name in ("town/a.parquet", "town/.tiles/a.piece", "town/.tiles/b.found"):
            store.write(name, b"...")
        assert store.names_in("town/.tiles") == {"town/.tiles/a.piece", "town/.tiles/b.found"}
        assert list(store.sizes()) == ["town/a.parquet"]
        store.remove_folder("town/.tiles")
        assert store.names_in("town/.tiles") == set()
        assert list(store.sizes()) == ["town/a.parquet"]
    assert not list(tmp_path.rglob(".*"))


def _full(_: object, source: object, *__: object, **___: object) -> None:
    # What comes first is the table, and it does not come to the manifest.
    assert str(source).endswith(("one", "a.parquet")), source
    raise OSError(28, "No space left on device")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a small disk, if somebody may."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=700k", "tmpfs", str(disk)]
    try:
        done = subprocess.run(mount, capture_output=True, check=False)
    except OSError:
        pytest.skip("nothing mounts disks here")
    if done.returncode:
        pytest.skip("only an administrator mounts a small disk")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


@pytest.fixture
def memory_store() -> Iterator[Store]:
    """Give a store that is no folder, without any server."""
    fsspec = pytest.importorskip("fsspec")
    files = fsspec.filesystem("memory")
    yield Store("memory://batch/out")
    files.store.clear()
    files.pseudo_dirs.clear()


def test_a_store_is_written_as_a_folder_is(
    tmp_path: Path, memory_store: Store, written: tuple[Order, Outcome]
) -> None:
    order, _ = written
    for path in Path(order.territory.study).parent.iterdir():
        Store("memory://batch/petite-ville").write(path.name, path.read_bytes())
    (territory,) = read_territories(["memory://batch/petite-ville/study.toml"], None)
    elsewhere = order_for(territory, memory_store.address, secret=SECRET)
    assert work_out(elsewhere).reason == ""
    here = {Path(name).name: size for name, size in order.store.sizes().items()}
    there = {Path(name).name: size for name, size in memory_store.sizes().items()}
    assert set(there) == {path.name for path in folder_of(order).iterdir()}
    assert there["indicators.parquet"] == here["indicators.parquet"]
    assert state_of(elsewhere) is not None


def test_a_store_is_claimed_by_signing_it(memory_store: Store) -> None:
    with claimed(memory_store):
        assert CLAIM in memory_store.sizes()
        with pytest.raises(OutputError, match="already"), claimed(memory_store):
            pytest.fail("a second batch began")
    assert CLAIM not in memory_store.sizes()
    # One that was killed signs no more.
    memory_store.write(CLAIM, json.dumps({"token": "dead", "time": 0.0}).encode())
    with claimed(memory_store):
        pass


# --- what tells of all ---------------------------------------------------------------------------


def test_the_summary_tells_of_all_and_is_sure_to_show() -> None:
    hostile = Territory(
        code="=1+1",
        label="<script>alert(1)</script>",
        country="FR",
        departement="01",
        study="",
    )
    figures = {"cells": 4, "services": 1, "gaps": 0, "residents": 10.0, "share_of": "residents"}
    batch = {"figures": {**figures, "all_pct": 1.0, "none_pct": 60.0, "none": 6.0}, "bytes": 9}
    done = Fate(
        territory=hostile,
        state=COMPUTED,
        batch={**batch, "outline": [[100000, 4500000, 10, 0, 0, 10]]},
        attempts=1,
        seconds=1.5,
    )
    failed = Fate(territory=hostile, state=FAILED, reason="<b>why</b>", attempts=3)
    table = summary_table([done, failed])
    assert table["seconds"].tolist()[0] == 1.5
    assert table["bytes"].isna().tolist() == [False, True]
    kept: dict[str, bytes] = {}

    class Kept(Store):
        def write(self, name: str, content: bytes) -> None:
            kept[name] = content

    write_summary([done, failed], Kept(""), lang="fr", day=toy_day())
    csv = kept["summary.csv"].decode()
    assert "'=1+1" in csv
    for page in ("index.html", "map.html"):
        text = kept[page].decode()
        assert "<script" not in text
        assert "&lt;script&gt;" in text
    assert "&lt;b&gt;why&lt;/b&gt;" in kept["index.html"].decode()
    assert 'class="c4" d="M0,10l10,0 0,-10z"' in kept["map.html"].decode()


def toy_day() -> Any:
    from helpers.many_towns import DAY  # noqa: PLC0415 - one value

    return DAY
