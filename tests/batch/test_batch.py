"""Batches as they run: workers that die, runs that stop, stores and schedulers elsewhere."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest

from helpers.called import Call
from helpers.many_towns import DAY, order_for, town_order, write_blocks, write_towns
from helpers.project import thorough
from helpers.study_files import swap
from quart_heure.batch.claim import claimed
from quart_heure.batch.storage import Store
from quart_heure.batch.territories import read_territories
from quart_heure.cache import Cache
from quart_heure.errors import BatchError, OutputError, TryLaterError
from quart_heure.streams import Stopped

pytest.importorskip("distributed", reason="the extra 'cluster' is not installed")

from quart_heure.batch import cluster, hand
from quart_heure.batch.cluster import Workers, carry_out
from quart_heure.batch.hand import Hand, end_hands, run_territory
from quart_heure.batch.run import LOG, Wish, run_batch

unix = pytest.mark.skipif(os.name != "posix", reason="needs the signals of Unix")


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUART_HEURE_CACHE", str(tmp_path / "cache"))
    # The library asks the system by which address others would be reached; it sends nothing.
    monkeypatch.setattr("distributed.comm.inproc.get_ip", lambda: "127.0.0.1")


@contextlib.contextmanager
def killing(is_time: Callable[[], bool], *, times: int = 1) -> Iterator[list[int]]:
    """Kill the process that works a territory out, whenever it is time, so many times."""
    killed: list[int] = []
    done = threading.Event()

    def watch() -> None:
        while len(killed) < times and not done.is_set():
            for one in list(hand._ALL):
                if one.pid not in killed and is_time():
                    os.kill(one.pid, signal.SIGKILL)
                    killed.append(one.pid)
            time.sleep(0.001)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield killed
    finally:
        done.set()
        thread.join()


def stamps(folder: Path) -> dict[str, int]:
    """Return when each file of the partitions was written."""
    return {str(path): path.stat().st_mtime_ns for path in folder.glob("country=*/**/*.*")}


def states(out: Path) -> dict[str, str]:
    table = pd.read_csv(out / "summary.csv", dtype="str", keep_default_na=False)
    return dict(zip(table["territory"], table["state"], strict=True))


@unix
def test_a_batch_survives_what_happens_to_it(
    tmp_path: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b, broken = write_towns(tmp_path, "a", "b", "broken")
    swap(broken, 'file = "network.parquet"', 'file = "nothing.parquet"')
    out = tmp_path / "out"
    command = ("batch", a, b, broken, "-o", out, "--workers", 1, "--date", DAY)

    # A worker is killed while it writes its tables; one territory always fails.
    with killing(lambda: bool(list(out.glob("country=*/*/*/.quart-heure-*/[!.]*")))) as killed:
        first = call(*command)
    assert len(killed) == 1
    assert first.code == BatchError.exit_code
    assert first.out == (f"Territories: 2 computed, 0 kept, 1 failed; see {out}/index.html\n")
    assert "ended by signal 9: somebody killed it" in first.err
    assert "Territories without results: 1 of 3." in first.err
    assert states(out) == {"a": "computed", "b": "computed", "broken": "failed"}
    table = pd.read_csv(out / "summary.csv", index_col="territory")
    assert sorted(table["attempts"]) == [0, 1, 2]
    assert table.loc["broken", "reason"].startswith("nothing.parquet: there is no such file")
    assert str(tmp_path) not in (out / "index.html").read_text("utf-8")
    assert not list(out.glob("country=*/**/.*"))

    # Taken up again, nothing is done twice.
    written = stamps(out)
    assert len(written) == 2 * 18
    again = call(*command)
    assert "0 computed, 2 kept, 1 failed" in again.out
    assert stamps(out) == written

    # What changed is worked out again, and it alone; a run that is stopped is taken up.
    swap(b, "cell_m = 100", "cell_m = 90")
    swap(broken, 'file = "nothing.parquet"', 'file = "network.parquet"')
    territories = read_territories([str(a), str(b), str(broken)], None)
    wish = Wish(
        out=str(out),
        asked={},
        workers=Workers(),
        cache=Cache(tmp_path / "cache"),
        day=DAY,
    )

    def stop(step: str) -> None:
        if step.startswith("1 of 2 territories"):
            raise Stopped(signal.SIGTERM)

    with pytest.raises(Stopped):
        run_batch(territories, wish, say=stop)
    assert not hand._ALL
    log = (out / LOG).read_text("utf-8").splitlines()
    assert log[-1].endswith("batch stops: Stopped: 15")
    done = run_batch(territories, wish)
    assert (done.computed, done.kept, done.failed) == (1, 2, 0)
    # Of one that fails now, what was found before is told to stand.
    swap(a, "cell_m = 100", "cell_m = 100.0\nat = 'never'")
    said = call("batch", a, b, "-o", out, "--workers", 1, "--date", DAY)
    assert "lie in this folder (1, such as country=FR/dep=none/insee=broken)" in (said.err)
    table = pd.read_csv(out / "summary.csv", index_col="territory")
    assert table["state"].tolist() == ["failed", "kept"]
    assert table.loc["a", "reason"].endswith("of other inputs, still stands.")
    changed = {Path(path).parts[-2] for path, at in stamps(out).items() if written.get(path) != at}
    assert changed == {"insee=b", "insee=broken"}


@unix
def test_a_worker_that_always_dies_stops_no_other(tmp_path: Path) -> None:
    orders = {name: town_order(tmp_path, name, tmp_path / "out") for name in ("a", "b")}
    told: list[str] = []
    with killing(lambda: True):
        attempts = list(carry_out(orders, Workers(retries=0), tell=told.append))
    by_code = {each.order.territory.code: each.outcome for each in attempts}
    assert by_code["a"].reason.startswith("The process that worked it out ended by signal 9")
    assert (by_code["b"].reason, by_code["b"].batch is None) == ("", False)
    assert not list((tmp_path / "out").glob("*/*/insee=a"))


def test_a_territory_keeps_its_limits(tmp_path: Path) -> None:
    order = town_order(tmp_path, "a", tmp_path / "out", limit_s=0.2)
    outcome = run_territory(order)
    assert outcome.reason == "It took more than 0.2 s, which is the limit (--timeout)."
    assert not outcome.again
    large = order_for(order.territory, tmp_path / "out", limit_mb=1)
    one = Hand()
    try:
        reason = one.work_out(large).reason
    finally:
        end_hands()
    assert reason == "It took more than 1 MB, the limit (--memory)."
    assert not one.is_alive()


def test_a_worker_of_another_version_refuses(tmp_path: Path) -> None:
    order = town_order(tmp_path, "a", tmp_path / "out", version="9.9")
    assert "Install the same on all machines." in run_territory(order).reason
    assert not hand._ALL


def test_a_scheduler_that_does_not_answer_is_told(
    tmp_path: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "_CONNECT_S", 0.5)
    (study,) = write_towns(tmp_path, "a")
    with socket.socket() as listening:  # a port on which nobody answers
        listening.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{listening.getsockname()[1]}"
        said = call("batch", study, "-o", tmp_path / "out", "--scheduler", address)
    assert said.code == TryLaterError.exit_code
    assert f"No scheduler answers at {address}." in said.err
    said = call("batch", study, "-o", tmp_path / "out", "--scheduler", "what:ever")
    assert said.code == 3
    assert "is no address of a scheduler" in said.err


def test_a_second_batch_into_a_folder_is_refused(tmp_path: Path, call: Call) -> None:
    (study,) = write_towns(tmp_path, "a")
    (tmp_path / "out").mkdir()
    with claimed(Store(str(tmp_path / "out"))):
        said = call("batch", study, "-o", tmp_path / "out")
    assert said.code == OutputError.exit_code
    assert f"a batch writes into this folder already (process {os.getpid()})" in said.err
    said = call("batch", study, "-o", study.parent)
    assert said.code == OutputError.exit_code
    assert "is the folder of a study" in said.err


def test_without_the_extra_it_is_said_what_to_install(
    tmp_path: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    (study,) = write_towns(tmp_path, "a")
    monkeypatch.setitem(sys.modules, "distributed", None)
    said = call("batch", study, "-o", tmp_path / "out")
    assert said.code == 3
    assert "pip install 'quart-heure[cluster]'" in said.err


def test_a_full_disk_ends_the_run_before_all_is_worked_out_for_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from quart_heure.batch import run  # noqa: PLC0415 - what is patched
    from quart_heure.batch.cluster import Attempt  # noqa: PLC0415
    from quart_heure.batch.task import Outcome  # noqa: PLC0415

    studies = write_towns(tmp_path, "a", "b", "c", "d")
    territories = read_territories(list(map(str, studies)), None)
    tried: list[str] = []

    def full(orders: dict[str, object], *_: object, **__: object) -> Iterator[Attempt]:
        for code, order in orders.items():
            tried.append(code)
            yield Attempt(
                order=order,  # type: ignore[arg-type]
                outcome=Outcome(reason="No space left on device.", unwritable=True),
                number=1,
            )

    monkeypatch.setattr(run, "carry_out", full)
    wish = Wish(out=str(tmp_path / "out"), asked={}, workers=Workers(), cache=Cache(None))
    with pytest.raises(OutputError, match="1 of 4 territories were not tried"):
        run_batch(territories, wish)
    assert tried == ["a", "b", "c"]


# --- elsewhere -----------------------------------------------------------------------------------


def test_a_batch_reads_from_s3_and_writes_there(
    tmp_path: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Imported here: they take longer than most tests.
    import fsspec  # noqa: PLC0415
    from moto.server import ThreadedMotoServer  # noqa: PLC0415

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    try:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        files = fsspec.filesystem("s3")
        files.mkdir("towns")
        (study,) = write_towns(tmp_path, "ville")
        files.put(f"{study.parent}/", "towns/ville/", recursive=True)
        command = ("batch", "s3://towns/ville/study.toml", "-o", "s3://towns/out", "--date", DAY)
        said = call(*command, "--workers", 1)
        assert (said.code, said.out.split(";")[0]) == (
            0,
            "Territories: 1 computed, 0 kept, 0 failed",
        ), said.err
        names = {name.removeprefix("towns/out/") for name in files.find("towns/out")}
        assert "country=FR/dep=none/insee=ville/manifest.json" in names
        assert {"summary.csv", "index.html", "map.html", LOG} <= names
        assert not [name for name in names if ".quart-heure" in name]
        with files.open("towns/out/country=FR/dep=none/insee=ville/indicators.parquet") as file:
            assert set(pd.read_parquet(file)["territory"]) == {"ville"}
        assert "0 computed, 1 kept" in call(*command).out
    finally:
        server.stop()


@contextlib.contextmanager
def process(*arguments: object) -> Iterator[subprocess.Popen[bytes]]:
    """Run a part of dask in a process of its own."""
    path = os.pathsep.join(filter(None, sys.path))
    running = subprocess.Popen(
        [sys.executable, "-m", "distributed.cli." + str(arguments[0]), *map(str, arguments[1:])],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": path},
        start_new_session=True,
    )
    try:
        yield running
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(running.pid, signal.SIGKILL)
        running.wait()


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


@thorough
@unix
def test_a_scheduler_is_restarted_and_its_worker_killed(tmp_path: Path) -> None:
    study, *_ = write_towns(tmp_path, "ville")
    write_blocks(tmp_path / "blocks.gpkg", side=3)
    territories = read_territories([str(study)], tmp_path / "blocks.gpkg")
    port, out = free_port(), tmp_path / "out"
    address = f"tcp://127.0.0.1:{port}"
    scheduler = ("dask_scheduler", "--host", "127.0.0.1", "--port", port, "--no-dashboard")
    worker = ("dask_worker", address, "--nthreads", 1, "--no-dashboard", "--no-nanny")
    wish = Wish(
        out=str(out),
        asked={},
        workers=Workers(scheduler=address, patience_s=120.0),
        cache=Cache(tmp_path / "cache"),
        day=DAY,
    )
    finished = threading.Semaphore(0)
    told: list[str] = []
    result: list[object] = []

    def say(step: str) -> None:
        if " of 9 territories" in step or " of " in step:
            finished.release()

    def run() -> None:
        result.append(run_batch(territories, wish, say=say, tell=told.append))

    with contextlib.ExitStack() as stack:
        first = stack.enter_context(process(*scheduler))
        one = stack.enter_context(process(*worker))
        batch = threading.Thread(target=run)
        batch.start()
        assert finished.acquire(timeout=120)
        # The worker dies, with what it is at; another one comes.
        os.killpg(one.pid, signal.SIGKILL)
        stack.enter_context(process(*worker))
        assert finished.acquire(timeout=120)
        # The scheduler goes; it comes back at the same address, with a new worker.
        os.killpg(first.pid, signal.SIGKILL)
        first.wait()
        time.sleep(1.0)
        stack.enter_context(process(*scheduler))
        stack.enter_context(process(*worker))
        batch.join(timeout=240)
        assert not batch.is_alive()
    (done,) = result
    assert (done.computed, done.failed) == (9, 0)  # type: ignore[attr-defined]
    assert f"The scheduler {address} was lost: waiting for it." in told
    log = (out / LOG).read_text("utf-8")
    assert log.count(": computed in ") == 9


@thorough
def test_sixty_territories_by_two_workers(tmp_path: Path, call: Call) -> None:
    (study,) = write_towns(tmp_path, "ville")
    write_blocks(tmp_path / "blocks.gpkg", side=9)
    out = tmp_path / "out"
    command = ("batch", study, "--territories", tmp_path / "blocks.gpkg", "-o", out)
    said = call(*command, "--workers", 2)
    # A block without a street on which anything could be reached has no figures.
    done, failed = list(states(out).values()).count("computed"), said.err.count("failed")
    assert done + list(states(out).values()).count("failed") == 81
    assert done >= 60, failed
    assert f"{done} computed" in said.out
    written = stamps(out)
    assert len({Path(path).parent for path in written}) == done
    again = call(*command, "--workers", 2)
    assert f"0 computed, {done} kept" in again.out
    assert stamps(out) == written
