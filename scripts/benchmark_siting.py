"""Time the search for sites on full Paris beside the textbook model, in one run.

    python scripts/benchmark_siting.py

The textbook model has a variable for every candidate and every cell (Church & ReVelle 1974). It is
solved by scipy's milp, and by spopt where that and its solver are installed, at the sizes that
these finish; the larger ones are ours alone. Each runs in a process of its own: its CPU seconds
and largest memory are what that process used. Where both finish, their answers must be the same.
"""

from __future__ import annotations

import argparse
import importlib
import json
import multiprocessing
import resource
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.optimize
from scipy.sparse import csr_array, eye_array, hstack, vstack

from quart_heure import Study, analyse, default_cache
from quart_heure.analysis.siting.covering import PARTS_PER_PERSON, Covering, covering_of
from quart_heure.analysis.siting.exact import prove
from quart_heure.analysis.siting.plans import menu
from quart_heure.analysis.siting.rules import Rules
from quart_heure.study.candidates import MESH, candidates_of
from quart_heure.study.elsewhere import Elsewhere

CATEGORY = "bagagerie"

GOALS = {1: (10.0, 0.0), 3: (10.0, 0.0), 5: (10.0, 0.0), 10: (40.0, 0.1), 20: (120.0, 1.0)}
"""Sites, and the CPU seconds and the gap in per cent that they should be found in."""

MENU_GOAL_S, MEMORY_GOAL_MB = 60.0, 1200.0


def paris(share: int = 1, thinned: int = 1) -> tuple[Covering, Any]:
    """Return what there is to gain in Paris, and where.

    Of every ``share``-th candidate, in every ``thinned``-th cell.
    """
    cache = default_cache()
    coverage = analyse(Study.paris(cache=cache, categories=[CATEGORY]), cache=cache)
    elsewhere = Elsewhere(coverage=coverage)
    found = candidates_of(elsewhere, CATEGORY, MESH)
    some = np.arange(0, len(found.table), share)
    basis = coverage.basis
    inside = basis.cells.inside
    covered = np.zeros(len(basis.cells), dtype=bool)
    status = coverage.cells[f"status_{CATEGORY}"]
    covered[inside] = status.isin(["covered", "borderline_covered"]).to_numpy()
    covering = covering_of(
        elsewhere.reach(found.attachment[some]),
        basis.people_on_network,
        wanted=basis.on_network & ~covered & (np.arange(len(covered)) % thinned == 0),
        group=basis.cells.district,
    )
    return covering, found.xy[some]


def ours(count: int, share: int, thinned: int, within_pct: float) -> dict[str, Any]:
    """Prove the best sites by cutting planes."""
    covering, xy = paris(share, thinned)
    rules = Rules(count=count, allowed=np.ones(covering.n_candidates, dtype=bool))
    begin = time.process_time()
    found = prove(covering, rules, within=within_pct / 100)
    proved = time.process_time()
    others = menu(covering, rules, found.chosen, xy)
    return {
        "cpu_s": proved - begin,
        "menu_s": time.process_time() - proved,
        "menu": len(others),
        "value": found.value / PARTS_PER_PERSON,
        "gap_pct": 100 * found.gap,
        "candidates": covering.n_candidates,
        "cells": len(covering.weight),
        "pairs": covering.pairs.nnz,
    }


def textbook(count: int, share: int, thinned: int, limit_s: float) -> dict[str, Any]:
    """Solve the textbook model with scipy's milp."""
    covering, _ = paris(share, thinned)
    n, r = covering.n_candidates, len(covering.weight)
    begin = time.process_time()
    rows = hstack([csr_array(covering.pairs.T), -eye_array(r)])
    number = csr_array(np.concatenate([np.ones(n), np.zeros(r)])[None, :])
    lower = np.concatenate([np.zeros(r), [-np.inf]])
    upper = np.concatenate([np.full(r, np.inf), [count]])
    done = scipy.optimize.milp(
        -np.concatenate([np.zeros(n), covering.weight / PARTS_PER_PERSON]),
        constraints=scipy.optimize.LinearConstraint(vstack([rows, number]), lower, upper),
        integrality=np.concatenate([np.ones(n), np.zeros(r)]),
        bounds=scipy.optimize.Bounds(0, 1),
        options={"time_limit": limit_s, "mip_rel_gap": 1e-9},
    )
    return {
        "cpu_s": time.process_time() - begin,
        "value": None if done.x is None else -float(done.fun),
        "optimal": done.status == 0,
        "candidates": n,
        "cells": r,
    }


def by_spopt(count: int, share: int, thinned: int, limit_s: float) -> dict[str, Any]:
    """Solve the textbook model with spopt and the solver of pulp."""
    pulp = importlib.import_module("pulp")  # neither need be installed
    locate = importlib.import_module("spopt.locate")
    covering, _ = paris(share, thinned)
    begin = time.process_time()
    # A matrix of cells by candidates in which 0 is near: spopt takes dense costs.
    away = 1 - covering.pairs.T.toarray()
    model = locate.MCLP.from_cost_matrix(
        away, covering.weight / PARTS_PER_PERSON, 0.5, p_facilities=count
    )
    model = model.solve(pulp.PULP_CBC_CMD(msg=False, timeLimit=limit_s, threads=1))
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "cpu_s": time.process_time() - begin + children.ru_utime,
        "value": float(pulp.value(model.problem.objective)),
        "optimal": model.problem.sol_status == pulp.LpSolutionOptimal,
        "candidates": covering.n_candidates,
        "cells": len(covering.weight),
    }


def _in_child(queue: Any, task: Callable[..., dict[str, Any]], arguments: tuple[Any, ...]) -> None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            answer = task(*arguments)
    except ImportError as error:
        answer = {"missing": str(error)}
    answer["memory_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    queue.put(answer)


def measured(
    task: Callable[..., dict[str, Any]], *arguments: Any, patience_s: float = 600.0
) -> dict[str, Any]:
    """Run a task in a process of its own, which is ended when it takes too long."""
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    process = context.Process(target=_in_child, args=(queue, task, arguments))
    process.start()
    try:
        answer: dict[str, Any] = queue.get(timeout=patience_s)
    except Exception:  # nothing came
        answer = {"missing": f"not back in {patience_s:g} s"}
        process.terminate()
    process.join()
    return answer


def main() -> int:
    """Measure, print a table, and tell what misses its goal."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--json", action="store_true", help="Print the figures as JSON.")
    parser.add_argument("--share", type=int, default=16, help="Every so many-th candidate for all.")
    parser.add_argument("--thinned", type=int, default=24, help="Every so many-th cell for all.")
    parser.add_argument("--limit", type=float, default=200.0, help="Seconds for the others.")
    chosen = parser.parse_args()
    figures: dict[str, Any] = {}
    missed: list[str] = []
    for count, (most_s, most_pct) in GOALS.items():
        found = figures[f"ours, {count} sites"] = measured(ours, count, 1, 1, most_pct)
        if found["cpu_s"] > most_s or found["gap_pct"] > most_pct:
            missed.append(f"{count} sites")
        if found["menu_s"] > MENU_GOAL_S or found["menu"] < 10:
            missed.append(f"menu of {count} sites")
        if found["memory_mb"] > MEMORY_GOAL_MB:
            missed.append(f"memory of {count} sites")
    small = f"5 sites, a {chosen.share}th x a {chosen.thinned}th"
    same = figures[f"ours, {small}"] = measured(ours, 5, chosen.share, chosen.thinned, 0.0)
    for name, task in (("scipy milp", textbook), ("spopt", by_spopt)):
        patience = 2 * chosen.limit + 100
        size = (5, chosen.share, chosen.thinned)
        other = measured(task, *size, chosen.limit, patience_s=patience)
        figures[f"{name}, {small}"] = other
        if other.get("optimal") and abs(other["value"] - same["value"]) > 0.5:
            missed.append(f"the same optimum as {name}")
    if chosen.json:
        print(json.dumps(figures, indent=2))
    else:
        for name, row in figures.items():
            told = "  ".join(
                f"{key} {value:,.2f}" if isinstance(value, float) else f"{key} {value}"
                for key, value in row.items()
            )
            print(f"{name:45} {told}")
    print("missed: " + ", ".join(missed) if missed else "all goals met")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
