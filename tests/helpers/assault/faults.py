"""Faults of the machine: signals, streams, disks, limits."""

from __future__ import annotations

import os
import random
import resource
import shutil
import signal
import stat
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from helpers import study_files
from helpers.assault.trials import CODES, Ended, Trial, half_written

_ENDS = {"SIGINT": 130, "SIGTERM": 143, "SIGHUP": 129, "SIGKILL": -9}


def signals(rng: random.Random, folder: Path) -> Iterator[Trial]:
    """Stop a run at any moment; what it leaves is whole, and the next one runs."""
    folder.mkdir(parents=True)
    study = study_files.write_town(folder)
    out = folder / "out"
    while True:
        name = rng.choice(list(_ENDS))
        after_s = rng.uniform(0.02, 1.2)
        command = rng.choice(
            (["analyse", str(study), "-o", str(out)], ["dossier", str(study), "-o", str(out / "d")])
        )

        def kill(child: int, name: str = name, after_s: float = after_s) -> None:
            time.sleep(after_s)
            os.kill(child, getattr(signal, name))

        swept = [] if name == "SIGKILL" else [out, out / "d"]
        yield Trial(
            name=f"{name} after {after_s:.2f} s: {command[0]}",
            arguments=command,
            meanwhile=kill,
            codes=frozenset({0, _ENDS[name]}),
            outputs=swept,
            judge=lambda _: half_written(out),
        )
        yield Trial(
            name=f"the run after {name}",
            arguments=command,
            codes=frozenset({0}),
            outputs=[out, out / "d"],
            judge=lambda _: half_written(out),
        )


def machine(rng: random.Random, folder: Path) -> Iterator[Trial]:
    """Take something away that a run counts on."""
    folder.mkdir(parents=True)
    study = study_files.write_town(folder)
    kept = folder / "kept"
    yield Trial(
        name="an analysis", arguments=["analyse", str(study), "-o", str(kept)], codes=frozenset({0})
    )
    trials = [*_streams(study, kept), *_places(folder, study, kept), *_limits(folder, study, kept)]
    rng.shuffle(trials)
    yield from trials


def _onto(number: int, name: str) -> Callable[[], None]:
    def inside() -> None:
        if name == "closed":
            os.close(number)
            setattr(__import__("sys"), ("stdin", "stdout", "stderr")[number], None)
        else:
            os.dup2(os.open(name, os.O_WRONLY), number)

    return inside


def _streams(study: Path, kept: Path) -> Iterator[Trial]:
    for number, where in ((1, "/dev/full"), (1, "closed"), (2, "/dev/full"), (2, "closed")):
        for command in (
            ["info", str(kept)],
            ["report", str(study)],
            ["--help"],
            ["report", "nowhere"],
        ):
            told = number == 1
            wanted = {"report nowhere": {3}}.get(" ".join(command), {9} if told else {0})
            yield Trial(
                name=f"stream {number} {where}: {command[0]}",
                arguments=command,
                inside=_onto(number, where),
                codes=frozenset(wanted),
                says_why=told,
            )
    for encoding in ("cp1252", "latin-1", "cp437", "ascii", "utf-16"):
        for form in ("table", "json", "md"):
            yield Trial(
                name=f"{encoding}: report --format {form}",
                arguments=["report", str(kept), "--format", form],
                inside=_encoded(encoding),
                codes=frozenset({0}),
            )


def _encoded(encoding: str) -> Callable[[], None]:
    def inside() -> None:
        import sys  # noqa: PLC0415

        sys.stdout.reconfigure(encoding=encoding)  # type: ignore[union-attr]

    return inside


def _places(folder: Path, study: Path, kept: Path) -> Iterator[Trial]:
    """Write to where nothing, or something else, is."""
    pipe, target, link = folder / "pipe", folder / "target.html", folder / "link.html"
    os.mkfifo(pipe)
    target.write_text("old", encoding="utf-8")
    link.symlink_to(target.name)
    loop = folder / "loop"
    loop.symlink_to("loop")

    def is_pipe(_: Ended) -> str:
        return "" if stat.S_ISFIFO(pipe.stat().st_mode) else "the pipe is gone"

    def is_link(_: Ended) -> str:
        old = target.read_text(encoding="utf-8") == "old"
        return "" if link.is_symlink() and not old else "the link was not followed"

    def is_device(_: Ended) -> str:
        return "" if stat.S_ISCHR(Path("/dev/full").stat().st_mode) else "a device is gone"

    def is_read(ended: Ended) -> str:
        return "" if b"Petite Ville" in ended.out and b"/dev/" not in ended.out else "not written"

    report = ["report", str(kept), "-o"]
    yield Trial(
        name="a pipe without a reader",
        arguments=[*report, str(pipe)],
        codes=frozenset({9}),
        judge=is_pipe,
    )
    yield Trial(
        name="a pipe", arguments=[*report, str(pipe)], codes=frozenset({0}), judge=is_pipe,
        meanwhile=lambda _: threading.Thread(target=pipe.read_bytes, daemon=True).start(),
        inside=lambda: time.sleep(0.3),
    )  # fmt: skip
    yield Trial(name="a link", arguments=[*report, str(link)], codes=frozenset({0}), judge=is_link)
    yield Trial(
        name="stdout by name", arguments=[*report, "/dev/fd/1"], codes=frozenset({0}), judge=is_read
    )
    for name in ("", "/dev/full", str(loop), "x" * 300, "x" * 5_000, str(folder), "/proc/none/x"):
        yield Trial(
            name=f"-o {name[:20]!r}", arguments=[*report, name], codes=frozenset({2, 9}),
            judge=is_device,
        )  # fmt: skip
    yield Trial(
        name="analyse -o ''", arguments=["analyse", str(study), "-o", ""], codes=frozenset({2})
    )
    for name in (str(target), str(loop), "/dev/full", str(loop / "x")):
        yield Trial(
            name=f"analyse -o {name[-12:]}", arguments=["analyse", str(study), "-o", name],
            codes=frozenset({9}),
        )  # fmt: skip
    crowded = folder / "crowded"
    crowded.mkdir()
    (crowded / ".quart-heure-x").symlink_to("nothing")
    yield Trial(
        name="a dangling link among the results",
        arguments=["analyse", str(study), "-o", str(crowded)],
        codes=frozenset({0}),
    )


def _limits(folder: Path, study: Path, kept: Path) -> Iterator[Trial]:
    for value in ("x", "", "1e9", "-1", "9" * 30, " 5 ", "0x10"):
        yield Trial(
            name=f"SOURCE_DATE_EPOCH={value[:10]}",
            arguments=["report", str(study)],
            environment={"SOURCE_DATE_EPOCH": value},
            codes=frozenset({0, 3}),
        )
    for megabytes in (1, 50, 100, 200, 400):
        yield Trial(
            name=f"{megabytes} MB of memory more",
            arguments=["analyse", str(study), "-o", str(folder / "little")],
            inside=_memory(megabytes),
            codes=frozenset({0, 13}),
            outputs=[folder / "little"],
        )
    for kilobytes in (0, 4, 64, 512):
        yield Trial(
            name=f"files of {kilobytes} kB at most",
            arguments=["map", str(study), "-o", str(folder / "small" / "map.html")],
            inside=_file_size(kilobytes),
            codes=frozenset({0, 9}),
            outputs=[folder / "small"],
            says_why=kilobytes > 0,  # stderr is such a file too
        )
    surroundings: list[tuple[str, dict[str, str | None]]] = [
        ("no HOME", {"HOME": None, "QUART_HEURE_CACHE": None}),
        ("a cache that is a file", {"QUART_HEURE_CACHE": str(study)}),
        ("a cache in nothing", {"QUART_HEURE_CACHE": "/proc/none/cache"}),
        ("a cache of the home folder", {"HOME": str(folder / "home"), "QUART_HEURE_CACHE": "~/x"}),
        ("LC_ALL=C", {"LC_ALL": "C"}),
        ("TERM=dumb", {"TERM": "dumb", "COLUMNS": "1"}),
    ]
    for name, environment in surroundings:
        yield Trial(
            name=name,
            arguments=["report", str(study)],
            environment=environment,
            codes=CODES & {0},
            judge=lambda _: "a folder called ~" if list(folder.rglob("~")) else "",
        )
    shutil.rmtree(folder / "home", ignore_errors=True)


def _memory(megabytes: int) -> Callable[[], None]:
    def inside() -> None:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        limit = pages * resource.getpagesize() + megabytes * 2**20
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))

    return inside


def _file_size(kilobytes: int) -> Callable[[], None]:
    def inside() -> None:
        # Else the system kills the process that writes on; stdout is a file here too, and short.
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (kilobytes * 1024, kilobytes * 1024))

    return inside
