"""Territories that a batch cuts into tiles: the same files as uncut, whatever happens meanwhile."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from helpers.called import Call
from helpers.many_towns import DAY, order_for, write_towns
from helpers.study_files import swap
from quart_heure.batch.onward import Attempt, Course
from quart_heure.batch.storage import Store
from quart_heure.batch.task import Order, Outcome, work_out
from quart_heure.batch.territories import read_territories
from quart_heure.batch.territory import Territory
from quart_heure.batch.tiles import Cutting, JoinStep, Parcel, TileStep, folder_of
from quart_heure.cache import Cache

SIDE = 7
"""Cells of 100 m along each side of a tile; the toy town has 20 by 19."""


@pytest.fixture(autouse=True)
def one_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1767225600")
    monkeypatch.setenv("QUART_HEURE_CACHE", str(tmp_path / "cache"))


def towns(folder: Path, *names: str, discreet: bool = False) -> list[Path]:
    """Write toy towns, without their discreet place by default."""
    studies = write_towns(folder, *names)
    for study in [] if discreet else studies:
        places = study.parent / "services.csv"
        table = pd.read_csv(places)
        table[~table["discreet"]].to_csv(places, index=False)
    return studies


def order_of(study: Path, out: Path, **changes: Any) -> Order:
    (territory,) = read_territories([str(study)], None)
    return order_for(territory, out, **changes)


def carried_out(order: Order) -> Outcome:
    """Carry an order out, and what follows on it, in this process."""
    waiting = {order.key: (order, 1)}
    course = Course(lambda _: None, lambda _: None)
    while True:
        one, number = waiting.pop(next(iter(waiting)))
        attempt = Attempt(order=one, outcome=work_out(one), number=number)
        ended = course.after(attempt, waiting)
        if ended is not None:
            return ended.outcome


def tables(out: Path) -> dict[str, bytes]:
    """Return what the tables of all partitions hold."""
    return {str(path.relative_to(out)): path.read_bytes() for path in out.rglob("*.parquet")}


def handed_on(out: Path) -> dict[str, int]:
    """Return what tasks handed on in files, and when it was written."""
    return {path.name: path.stat().st_mtime_ns for path in out.glob("country=*/*/*/.tiles/*")}


@pytest.mark.parametrize("discreet", [False, True])
def test_a_territory_in_tiles_is_written_as_an_uncut_one(tmp_path: Path, discreet: bool) -> None:
    (study,) = towns(tmp_path, "a", discreet=discreet)
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    batches = []
    for out, changes in ((whole, {}), (cut, {"tile_cells": SIDE**2})):
        outcome = carried_out(order_of(study, out, **changes))
        assert outcome.reason == ""
        assert outcome.batch is not None
        batches.append(dict(outcome.batch))
    assert len(tables(whole)) == 17
    assert tables(whole) == tables(cut)
    manifests = [
        json.loads(next(out.rglob("manifest.json")).read_text("utf-8")) for out in (whole, cut)
    ]
    tiles = manifests[1]["batch"].pop("tiles")
    assert 9 <= tiles <= 25
    for manifest in manifests:
        for name in ("seconds", "cpu_seconds", "peak_mb"):
            del manifest["batch"][name]
    assert manifests[0] == manifests[1]
    assert batches[1]["seconds"] >= 0
    assert not list(cut.rglob(".*"))


def test_a_small_territory_is_not_cut(tmp_path: Path) -> None:
    (study,) = towns(tmp_path, "a")
    outcome = work_out(order_of(study, tmp_path / "out", tile_cells=20 * 19))
    assert outcome.cutting is None
    assert outcome.batch is not None
    assert "tiles" not in outcome.batch


def test_nothing_is_written_of_the_tiles_of_a_territory_with_a_discreet_place(
    tmp_path: Path,
) -> None:
    """What tasks hand on tells from where its minutes count: it travels in memory alone."""
    (study,) = towns(tmp_path, "a", discreet=True)
    out = tmp_path / "out"
    order = order_of(study, out, tile_cells=SIDE**2)
    outcome = work_out(order)
    assert outcome.cutting is not None
    first, *_ = outcome.cutting.steps
    found = work_out(dataclasses.replace(order, step=first)).found
    assert found is not None
    assert (first.piece.name, first.result, found.name) == ("", "", "")
    assert len(first.piece.content) > 1000 < len(found.content)
    assert not list(out.rglob("*"))
    assert not list((tmp_path / "cache").rglob("times-*"))
    assert "content" not in repr(outcome)
    # What one without it had handed on before the place was marked is removed.
    store = Store(str(out))
    store.write(f"{folder_of(order.territory)}/old.found", b"")
    assert work_out(order).cutting is not None
    assert not [path for path in out.rglob("*") if path.is_file()]


def test_tiles_are_not_searched_again_unless_something_near_has_changed(tmp_path: Path) -> None:
    (study,) = towns(tmp_path, "a")
    out = tmp_path / "out"
    order = order_of(study, out, tile_cells=SIDE**2)

    def cutting() -> Cutting:
        made = work_out(order).cutting
        assert made is not None
        return made

    before = cutting()
    assert not before.found
    steps = [dataclasses.replace(order, step=step) for step in before.steps]
    for each in steps[:4]:
        assert work_out(each).found is not None
    written = handed_on(out)
    assert work_out(steps[0]).found == Parcel(before.steps[0].result)
    again = cutting()
    assert sorted(again.found) == [1, 2, 3, 4]
    assert again.steps == before.steps
    assert handed_on(out) == written
    # With another service in the far corner: minutes are others everywhere, or nearly so.
    places = study.parent / "services.csv"
    table = pd.read_csv(places)
    table.loc[table["service_id"] == "C2", "status"] = "closed"
    table.to_csv(places, index=False)
    other = cutting()
    assert len(other.found) < 4
    assert other.digest != before.digest
    assert not {step.result for step in other.steps if step.number not in other.found} & set(
        map(str, handed_on(out))
    )


def test_what_cannot_be_read_back_is_told_and_made_anew(tmp_path: Path) -> None:
    (study,) = towns(tmp_path, "a")
    out = tmp_path / "out"
    order = order_of(study, out, tile_cells=SIDE**2)
    cutting = work_out(order).cutting
    assert cutting is not None
    found = []
    for step in cutting.steps:
        one = work_out(dataclasses.replace(order, step=step)).found
        assert one is not None
        found.append(one)
    spent = {"seconds": 1.0, "cpu_seconds": 1.0, "peak_mb": None}
    join = JoinStep(digest=cutting.digest, tile_cells=SIDE**2, found=tuple(found), spent=spent)
    path = out / found[2].name
    path.write_bytes(path.read_bytes()[:-100])
    outcome = work_out(dataclasses.replace(order, step=join))
    assert outcome.reason.startswith("What was found in one of its tiles cannot be read back.")
    assert not path.exists()
    again = work_out(order).cutting
    assert again is not None
    assert sorted({*range(1, len(found) + 1)} - {*again.found}) == [3]
    # One tile in place of another of as many cells is none of its own.
    swapped = dataclasses.replace(join, digest="0" * 32)
    outcome = work_out(dataclasses.replace(order, step=swapped))
    assert outcome.reason.startswith("Its inputs were changed while it was worked out.")


def test_a_tile_that_always_fails_fails_its_territory_alone() -> None:
    told: list[str] = []
    order = order_named("a")
    steps = tuple(
        TileStep(number=number, count=3, piece=Parcel("p"), result="r") for number in (1, 2, 3)
    )
    cutting = Cutting(digest="", steps=steps, found={})
    other = order_named("b")
    waiting = {other.key: (other, 1)}
    course = Course(told.append, told.append)

    def after(one: Order, number: int = 1, **outcome: Any) -> Attempt | None:
        waiting.pop(one.key, None)
        attempt = Attempt(order=one, outcome=Outcome(**outcome), number=number)
        return course.after(attempt, waiting)

    assert after(order, cutting=cutting, seconds=1.0) is None
    assert set(waiting) == {"b", "a/1", "a/2", "a/3"}
    first, second, _ = (dataclasses.replace(order, step=step) for step in steps)
    assert after(first, found=Parcel("r"), seconds=2.0, peak_mb=5.0) is None
    ended = after(second, number=3, reason="It died.", seconds=3.0, peak_mb=4.0)
    assert ended is not None
    assert ended.outcome.reason == "Tile 2 of 3: It died."
    assert (ended.number, ended.outcome.seconds, ended.outcome.peak_mb) == (3, 6.0, 5.0)
    assert ended.order == order
    assert set(waiting) == {"b"}
    assert told == ["a: is cut into 3 tiles.", "a: 1 of 3 tiles"]
    assert after(other, reason="It died, too.") is not None


def order_named(code: str) -> Order:
    territory = Territory(code=code, label=code, country="FR", departement="", study="")
    return Order(
        territory=territory,
        store=Store("out"),
        asked={},
        day=DAY,
        question={},
        marks=[],
        version="1",
    )


# --- on a cluster --------------------------------------------------------------------------------


@pytest.mark.skipif(os.name != "posix", reason="needs the signals of Unix")
def test_a_batch_with_a_territory_that_is_cut_and_one_that_is_not(
    tmp_path: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("distributed", reason="the extra 'cluster' is not installed")
    monkeypatch.setattr("distributed.comm.inproc.get_ip", lambda: "127.0.0.1")
    from quart_heure.batch import hand  # noqa: PLC0415 - an extra
    from quart_heure.batch.cluster import Workers  # noqa: PLC0415
    from quart_heure.batch.run import LOG, Wish, run_batch  # noqa: PLC0415
    from quart_heure.streams import Stopped  # noqa: PLC0415

    large, small = towns(tmp_path, "large", "small")
    swap(small, "cell_m = 100", "cell_m = 200")
    for study in (large, small):
        assert work_out(order_of(study, tmp_path / "whole")).reason == ""
    out = tmp_path / "out"
    territories = read_territories([str(large), str(small)], None)
    wish = Wish(
        out=str(out),
        asked={},
        workers=Workers(),
        cache=Cache(tmp_path / "cache"),
        day=DAY,
        tile_cells=SIDE * 20,
    )
    told: list[str] = []
    killed: list[Order] = []
    send = hand._send

    def kill(stream: Any, value: Any) -> None:
        send(stream, value)
        if not killed and isinstance(value.step, TileStep) and value.step.number == 2:
            killed.append(value)
            (one,) = [each for each in hand._ALL if each._process.stdin is stream]
            os.kill(one.pid, signal.SIGKILL)

    monkeypatch.setattr(hand, "_send", kill)

    def stop(step: str) -> None:
        if step.startswith("Petite Ville: 3 of"):
            raise Stopped(signal.SIGTERM)

    with pytest.raises(Stopped):
        run_batch(territories, wish, say=stop, tell=told.append)
    assert len(killed) == 1
    assert [text for text in told if "tile 2 of" in text and "tried again" in text]
    before = handed_on(out)
    finished = {name: at for name, at in before.items() if name.endswith(".found")}
    assert len(finished) >= 3

    command = ("batch", large, small, "-o", out, "--workers", 1, "--date", DAY)
    said = call(*command, "--tile-cells", SIDE * 20)
    assert said.code == 0, said.err
    assert "is cut into" in said.err
    assert f"; {len(finished)} of them were searched before." in " ".join(said.err.split())
    assert not handed_on(out)
    mine = {name: each for name, each in tables(out).items() if "insee=" in name}
    assert mine == tables(tmp_path / "whole")
    assert (out / LOG).read_text("utf-8").count("is cut into") == 2
