"""The assault as a program: ``scripts/assault --help``."""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
import time
import traceback
import warnings
from pathlib import Path

from helpers import study_files
from helpers.assault import faults, fuzz, inputs, results, servers, trials, values

FAMILIES: dict[str, tuple[trials.Family, int]] = {
    "inputs": (inputs.bad_inputs, 120),
    "signals": (faults.signals, 40),
    "machine": (faults.machine, 100),
    "results": (results.edited_results, 150),
    "caches": (results.caches, 80),
    "values": (values.hostile_values, 60),
    "servers": (servers.servers, 80),
}
"""Families by name, and how many trials of each are made at most."""


def assault(name: str, *, seed: int, folder: Path, most: int | None = None) -> list[trials.Verdict]:
    """Try a family, and return what became of each trial."""
    family, usual = FAMILIES[name]
    made = family(random.Random(f"{seed} {name}"), folder / name)
    found = []
    for number, trial in enumerate(made):
        verdict = trials.run(trial, folder / f"{name}-streams" / f"{number:04d}")
        found.append(verdict)
        if verdict.fault:
            print(f"NOT CLEAR  {name} {number}: {trial.name}: {verdict.fault}", flush=True)
        if len(found) == (usual if most is None else most):
            break
    made.close()  # type: ignore[attr-defined]
    return found


def fuzz_all(seconds: float, seed: int) -> int:
    """Fuzz every reader, and tell what fell."""
    fell = 0
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        study_files.write_town(Path(folder))
        for name, (reader, good, ending) in fuzz.readers(Path(folder)).items():
            try:
                tried = fuzz.fuzz(name, reader, good, ending, seconds=seconds, first=seed)
            except Exception:
                fell += 1
                print(f"{name:24} FELL", flush=True)
                traceback.print_exc()
            else:
                print(f"{name:24} {tried:8} files", flush=True)
    return int(fell > 0)


def main() -> int:
    """Try everything, and tell what was not clear."""
    parser = argparse.ArgumentParser(prog="scripts/assault", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="another seed, other trials")
    parser.add_argument("--family", choices=FAMILIES, action="append", help="only these")
    parser.add_argument("--most", type=int, help="trials of each family, instead of the usual")
    parser.add_argument(
        "--fuzz", type=float, metavar="SECONDS", help="fuzz every reader for so long instead"
    )
    parser.add_argument("--keep", action="store_true", help="keep the files of all trials")
    asked = parser.parse_args()
    if asked.fuzz is not None:
        return fuzz_all(asked.fuzz, asked.seed)
    trials.load()
    folder = Path(tempfile.mkdtemp(prefix="assault-"))
    unclear = 0
    print(f"{'family':10} {'tried':>6} {'clear':>6} {'not clear':>10} {'seconds':>8}")
    for name in asked.family or FAMILIES:
        began = time.monotonic()
        found = assault(name, seed=asked.seed, folder=folder, most=asked.most)
        bad = sum(bool(verdict.fault) for verdict in found)
        unclear += bad
        took = time.monotonic() - began
        print(f"{name:10} {len(found):6} {len(found) - bad:6} {bad:10} {took:8.0f}", flush=True)
    if unclear or asked.keep:
        print(f"The files of the trials are in {folder}.")
    else:
        shutil.rmtree(folder)
    return int(unclear > 0)


if __name__ == "__main__":
    sys.exit(main())
