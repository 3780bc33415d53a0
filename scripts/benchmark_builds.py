"""Time whole commands of this build beside those of an earlier commit, in pairs.

    .venv/bin/python scripts/benchmark_builds.py COMMIT [--repeat N] [--only WORD ...]

Each command runs in turn with one build and the other, with an empty cache and then with the one
that it left: what else the machine does meets both. The code of the commit is taken from git into
a scratch folder; both builds use the packages of this environment. Medians go to stdout, progress
to stderr. Nothing is asserted.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmark import ROOT, Run, run_command, say

COMMANDS: Mapping[str, tuple[str, ...]] = {
    "report": ("report",),
    "another": ("report",),
    "dossiers": ("dossier", "-o", "{out}/dossiers"),
    "map": ("map", "-o", "{out}/map.html"),
    "demo": ("demo", "-o", "{out}/demo"),
    "sensitivity": ("sensitivity",),
    "paces": ("paces",),
}

AGAIN: Mapping[str, tuple[str, ...]] = {"another": ("report", "--lang", "en")}
"""What runs with a warm cache where it is not the same: another question to the same files."""

BUILDS = ("before", "now")
ROUNDS = ("first", "again")


def main(commit: str, repeat: int, only: Sequence[str]) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="builds-") as folder:
        scratch = Path(folder)
        sources = {"before": code_of(commit, scratch), "now": ROOT / "src" / "coverage"}
        lines = []
        for name, arguments in COMMANDS.items():
            if only and name not in only:
                continue
            runs = {(build, again): list[Run]() for build in BUILDS for again in ROUNDS}
            for n in range(repeat):
                say(f"{name}, {n + 1} of {repeat}")
                caches = {build: scratch / f"cache-{build}" for build in BUILDS}
                for cache in caches.values():
                    shutil.rmtree(cache, ignore_errors=True)
                for again in ROUNDS:
                    for build, source in sources.items():
                        out = scratch / f"out-{build}"
                        shutil.rmtree(out, ignore_errors=True)
                        out.mkdir()
                        words = AGAIN.get(name, arguments) if again == "again" else arguments
                        asked = [each.format(out=out) for each in words]
                        command = (sys.executable, "-m", "quart_heure", *asked)
                        runs[build, again].append(
                            run_command(command, cache=str(caches[build]), code=source)
                        )
            lines += [
                line_of(name, again, runs["before", again], runs["now", again]) for again in ROUNDS
            ]
    print(f"beside {commit}, medians of {repeat} pairs")
    head = ("", "CPU s", "now", "ratio", "wall s", "now", "ratio", "MB", "now")
    print(f"{head[0]:22}" + "".join(f"{each:>9}" for each in head[1:]))
    print("\n".join(lines))


def code_of(commit: str, folder: Path) -> Path:
    """Return the sources of a commit, with the packaged Paris where they look for it."""
    target = folder / "before"
    target.mkdir()
    archive = subprocess.run(
        ["git", "-C", str(ROOT), "archive", commit, "src", "data", "pyproject.toml"],
        check=True,
        stdout=subprocess.PIPE,
    )
    packed = folder / "before.tar"
    packed.write_bytes(archive.stdout)
    with tarfile.open(packed) as files:
        files.extractall(target, filter="data")
    return target / "src" / "coverage"


def line_of(name: str, again: str, before: Sequence[Run], now: Sequence[Run]) -> str:
    """Return a line of the table."""
    cpu = [statistics.median(run.cpu_s for run in runs) for runs in (before, now)]
    wall = [statistics.median(run.wall_s for run in runs) for runs in (before, now)]
    peak = [max(run.peak_mb for run in runs) for runs in (before, now)]
    of_pairs = statistics.median(b.cpu_s / a.cpu_s for a, b in zip(before, now, strict=True))
    figures = f"{cpu[0]:9.2f}{cpu[1]:9.2f}{of_pairs:9.2f}{wall[0]:9.2f}{wall[1]:9.2f}"
    return f"{name + ', ' + again:22}{figures}{wall[1] / wall[0]:9.2f}{peak[0]:9.0f}{peak[1]:9.0f}"


if __name__ == "__main__":
    os.environ.pop("QUART_HEURE_CACHE", None)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("commit")
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--only", nargs="*", default=(), choices=[*COMMANDS])
    options = parser.parse_args()
    main(options.commit, options.repeat, options.only)
