"""One trial: a command of the program, run in a child of this process, and how it ended."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import json
import os
import random
import re
import resource
import signal
import sys
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path

from quart_heure import cli, errors

CODES = frozenset(
    {0, 2} | {getattr(errors, name).exit_code for name in errors.__all__ if name.endswith("Error")}
) - {1}
"""Exit codes that are documented and no fault of the program."""

LONGEST_CPU_S = 60
LONGEST_S = 600
"""Seconds of the processor, and of the clock, that a trial may take."""

_HEAVY = (
    *("study.line", "study.file", "study.check", "outputs.report.report", "outputs.map.map"),
    *("outputs.dossier.dossier", "outputs.results.read", "outputs.runs.compare", "commands.app"),
    *("sources.online.geocoding", "fetch.fetch"),
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Trial:
    """A command and its surroundings.

    Parameters
    ----------
    name
        What is tried.
    arguments
        Of the command line.
    environment
        Variables that are set, or removed where None.
    inside
        Called in the child before the command: limits, streams.
    meanwhile
        Called with the child's id while it runs.
    judge
        Called after it; returns what is wrong, ``""`` if nothing is.
    codes
        Exit codes that are clear here.
    outputs
        Folders in which nothing hidden may be left.
    says_why
        Whether stderr is there to be read.
    """

    name: str
    arguments: Sequence[str]
    environment: Mapping[str, str | None] = dataclasses.field(default_factory=dict)
    inside: Callable[[], None] = lambda: None
    meanwhile: Callable[[int], None] = lambda _: None
    judge: Callable[[Ended], str] = lambda _: ""
    codes: frozenset[int] = CODES
    outputs: Sequence[Path] = ()
    says_why: bool = True


@dataclasses.dataclass(frozen=True)
class Ended:
    """How a trial ended; the code is negative for a signal that killed it."""

    code: int
    out: bytes
    err: str


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What became of a trial: ``fault`` is empty where it was clear."""

    name: str
    fault: str
    ended: Ended


Family = Callable[[random.Random, Path], Iterator[Trial]]
"""Makes trials in a folder of their own, without end, or as many as it has."""


def load() -> None:
    """Import what commands need, so that children begin with it."""
    for name in _HEAVY:
        importlib.import_module(f"quart_heure.{name}")


def run(trial: Trial, folder: Path) -> Verdict:
    """Run a trial and judge it."""
    folder.mkdir(parents=True, exist_ok=True)
    streams = folder / "stdout", folder / "stderr"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of forks beside threads: the child uses none of them
        sys.stdout.flush()
        child = os.fork()
    if child == 0:
        _child(trial, folder, *streams)
    trial.meanwhile(child)
    code = _wait(child)
    ended = Ended(code, streams[0].read_bytes(), streams[1].read_text("utf-8", "replace"))
    return Verdict(trial.name, fault_of(trial, ended), ended)


def fault_of(trial: Trial, ended: Ended) -> str:
    """Say what is not clear about an end, ``""`` if all is."""
    if ended.code in {-signal.SIGKILL, -signal.SIGXCPU} and ended.code not in trial.codes:
        return "no end"
    if "Traceback (most recent call last)" in ended.err or "Exception ignored" in ended.err:
        said = re.findall(r"^(\w[\w.]*(?:Error|Exception|Interrupt)\b.*)$", ended.err, re.MULTILINE)
        return f"a traceback: {said[-1][:160] if said else 'unknown'}"
    if ended.code not in trial.codes:
        return f"exit code {ended.code}"
    if ended.code > 0 and trial.says_why and not _says_why(ended):
        return f"exit code {ended.code} without a line that says why"
    for folder in trial.outputs:
        left = [path.name for path in folder.glob(".*")] if folder.is_dir() else []
        if left:
            return f"left behind: {left[0]}"
    return trial.judge(ended)


def _says_why(ended: Ended) -> bool:
    said = [line for line in ended.err.splitlines() if line.startswith(("Error: ", "Stopped: "))]
    return len(said) == 1 or (ended.code == 2 and "Error" in ended.err)


def _child(trial: Trial, folder: Path, out: Path, err: Path) -> None:
    """Be the command: never returns."""
    code = 70
    try:
        for number, path in ((1, out), (2, err)):
            opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
            os.dup2(opened, number)
            os.close(opened)
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            signal.signal(getattr(signal, name), signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        resource.setrlimit(resource.RLIMIT_CPU, (LONGEST_CPU_S, LONGEST_CPU_S + 5))
        os.environ["QUART_HEURE_CACHE"] = ""
        for name, value in trial.environment.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        os.chdir(folder)
        sys.argv = ["quart-heure", *trial.arguments]
        trial.inside()
        cli.run()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        with contextlib.suppress(BaseException):
            os.write(2, traceback.format_exc().encode())
        code = 1
    with contextlib.suppress(BaseException):
        sys.stdout.flush()
    with contextlib.suppress(BaseException):
        sys.stderr.flush()
    os._exit(code)


def _wait(child: int) -> int:
    """Wait for a child, not longer than it may take; return how it ended."""
    began = time.monotonic()
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() - began > LONGEST_S:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return -signal.SIGKILL
        time.sleep(0.01)


def half_written(folder: Path) -> str:
    """Say which file of a folder of results is not the one that its manifest names."""
    manifest = folder / "manifest.json"
    if not manifest.is_file():
        return ""
    for name, about in json.loads(manifest.read_text(encoding="utf-8"))["files"].items():
        path = folder / name
        if not path.is_file() or sha256(path.read_bytes()).hexdigest() != about["sha256"]:
            return f"{name} is half written, or of another run"
    return ""
