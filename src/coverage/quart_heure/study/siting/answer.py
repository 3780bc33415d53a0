"""Answer: the rules that a question makes, and the set that is found with its proof."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quart_heure.analysis.siting.covering import Covering
from quart_heure.analysis.siting.exact import NoSetError, Proof, prove, quick
from quart_heure.analysis.siting.fair import Fair, fairest
from quart_heure.analysis.siting.plans import Fewest, curve, fewest
from quart_heure.analysis.siting.rules import Rules
from quart_heure.study.candidates import Candidates
from quart_heure.study.coverage import Coverage
from quart_heure.study.siting.ground import Ground
from quart_heure.study.siting.question import MOST_SITES, Asked, refuse

# --- rules -----------------------------------------------------------------------------------


def rules_of(asked: Asked, candidates: Candidates, ground: Ground) -> Rules:
    """Return what sets must keep to.

    Raises
    ------
    StudyFileError
        If a candidate is named that is none, or the fixed ones do not keep to the rules.
    """
    allowed = np.ones(len(candidates.table), dtype=bool)
    allowed[_positions(candidates, asked.forbidden)] = False
    given: dict[str, Any] = {}
    if asked.most_per_district is not None:
        names = sorted(set(candidates.table["district_id"]) - {""})
        number = {name: at for at, name in enumerate(names)}
        given["district"] = np.array(
            [number.get(name, -1) for name in candidates.table["district_id"]], dtype=np.int64
        )
        given["most_per_district"] = asked.most_per_district
    if asked.spacing_m > 0:
        given |= {"xy": candidates.xy, "spacing_m": asked.spacing_m}
    if asked.budget is not None:
        cost = candidates.table["cost"].to_numpy(dtype=float)
        if not np.isfinite(cost).any():
            refuse("There is a budget, and no candidate has a cost.", "Add a column 'cost'.")
        # What costs nobody knows how much is not paid for out of a budget.
        allowed &= np.isfinite(cost)
        given["cost"] = np.rint(np.where(np.isfinite(cost), cost, 0) * 100).astype(np.int64)
        given["budget"] = round(asked.budget * 100)
    if asked.floor_pct is not None:
        floors = np.ceil(asked.floor_pct / 100 * ground.all_of - ground.held)
        given["floors"] = np.maximum(floors, 0).astype(np.int64)
    fixed = _positions(candidates, asked.fixed)
    rules = Rules(count=asked.count, allowed=allowed, fixed=fixed, **given)
    if not dataclasses.replace(rules, floors=None).keeps(fixed):
        refuse(
            "The fixed candidates do not keep to the rules themselves.",
            "Look at their district, cost and distance.",
        )
    return rules


def _positions(candidates: Candidates, names: Sequence[str]) -> NDArray[np.intp]:
    unknown = [name for name in names if name not in candidates.position]
    if unknown:
        some = ", ".join(list(candidates.position)[:3])
        left_out = any(row["value"] == unknown[0] for row in candidates.problems)
        why = "is off the streets or cannot be placed" if left_out else "is none"
        refuse(f"The candidate {unknown[0]!r} {why}.", f"Candidates are called {some} …")
    places = [candidates.position[name] for name in dict.fromkeys(names)]
    return np.array(places, dtype=np.intp)


# --- the answer ----------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Answer:
    """The set, its proof, and what else was asked for."""

    proof: Proof
    fair: Fair | None = None
    fewest: Fewest | None = None
    best_total: int | None = None
    steps: Sequence[tuple[int, Proof]] = ()


def answer_of(
    covering: Covering, rules: Rules, asked: Asked, ground: Ground, coverage: Coverage
) -> Answer:
    """Return the set that answers a question.

    Raises
    ------
    StudyFileError
        If no set keeps to the rules, or a share is asked for that is reached or cannot be.
    """
    if asked.target_pct is not None:
        return _to_target(covering, rules, asked, ground)
    steps: tuple[tuple[int, Proof], ...] = ()
    if asked.curve:
        within = max(asked.within_pct / 100, 0.01)
        steps = tuple(curve(covering, rules, within=within, limit_s=asked.limit_s))
    free = dataclasses.replace(rules, floors=None)
    proof = _proof(covering, free, asked, start=[one.chosen for _, one in steps[-1:]])
    if rules.floors is not None:
        try:
            with_floors = _proof(covering, rules, asked)
        except NoSetError:
            _say_why(covering, rules, asked, ground, coverage)
            raise
        return Answer(proof=with_floors, best_total=proof.value, steps=steps)
    if not asked.fair:
        return Answer(proof=proof, steps=steps)
    fair = fairest(
        covering,
        rules,
        held=ground.held,
        all_of=ground.all_of,
        start=[proof.chosen],
        limit_s=asked.limit_s,
    )
    kept = Proof(chosen=fair.chosen, value=fair.value, bound=proof.bound, stopped=proof.stopped)
    return Answer(proof=kept, fair=fair, best_total=proof.value, steps=steps)


def _proof(
    covering: Covering, rules: Rules, asked: Asked, *, start: Sequence[NDArray[np.intp]] = ()
) -> Proof:
    if not asked.exact:
        return quick(covering, rules)
    return prove(covering, rules, within=asked.within_pct / 100, limit_s=asked.limit_s, start=start)


def _to_target(covering: Covering, rules: Rules, asked: Asked, ground: Ground) -> Answer:
    share = (asked.target_pct or 0.0) / 100
    target = math.ceil(share * int(ground.all_of.sum())) - int(ground.held.sum())
    if asked.goal == "backup":
        target = math.ceil(share * covering.total)
    if target <= 0:
        refuse(f"{asked.target_pct:g} % is reached already.", "Ask for a larger share.")
    at_most = int(ground.held.sum()) + covering.reachable
    if target > covering.reachable:
        could = 100 * at_most / max(int(ground.all_of.sum()), 1)
        if asked.goal == "backup":
            could = 100 * covering.reachable / max(covering.total, 1)
        refuse(
            f"{asked.target_pct:g} % cannot be reached: all candidates together reach"
            f" {could:.2f} %.",
            "Ask for less, or give more candidates.",
        )
    most = dataclasses.replace(rules, count=min(MOST_SITES * 4, covering.n_candidates))
    found = fewest(covering, most, target=target, limit_s=asked.limit_s)
    if found is None:
        refuse(
            f"No set that keeps to the rules and reaches {asked.target_pct:g} % was found.",
            "Ask for less, or drop a rule.",
        )
    bound = found.value if found.proven else covering.reachable
    proof = Proof(chosen=found.chosen, value=found.value, bound=bound)
    return Answer(proof=proof, fewest=found)


def _say_why(
    covering: Covering, rules: Rules, asked: Asked, ground: Ground, coverage: Coverage
) -> None:
    """Say which floor cannot be reached and how far one would come."""
    labels = [*coverage.study.area.districts["label"], ""]
    assert rules.floors is not None
    for part in np.flatnonzero(rules.floors):
        only = dataclasses.replace(
            covering, weight=np.where(covering.group == part, covering.weight, 0)
        )
        alone = prove(only, dataclasses.replace(rules, floors=None), limit_s=asked.limit_s)
        if alone.bound < rules.floors[part]:
            could = 100 * (ground.held[part] + alone.bound) / ground.all_of[part]
            refuse(
                f"No {rules.count} sites bring {labels[part]!r} to {asked.floor_pct:g} %:"
                f" {could:.2f} % at most.",
                "Ask for a lower floor or for more sites.",
            )
    refuse(
        f"No {rules.count} sites were found that bring every district to {asked.floor_pct:g} %,"
        " though each could be brought there by itself.",
        "Ask for a lower floor or for more sites; a fair plan tells how far one comes.",
    )
