"""Answer: the rules that a question makes, and the set that is found with its proof."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quart_heure.analysis.siting.covering import Covering
from quart_heure.analysis.siting.exact import NoSetError, Proof, in_best_order, prove, quick
from quart_heure.analysis.siting.fair import Fair, fairest
from quart_heure.analysis.siting.greedy import greedy, improved
from quart_heure.analysis.siting.least import Shares, least_share, too_much
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
    """The set, its proof, and what else was asked for; other sets must gain ``target``."""

    proof: Proof
    fair: Fair | None = None
    fewest: Fewest | None = None
    target: int = 0
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
    free = dataclasses.replace(rules, floors=None)
    steps: list[tuple[int, Proof]] = []
    if asked.curve:
        within = max(asked.within_pct / 100, 0.01)
        steps = curve(covering, free, within=within, limit_s=asked.limit_s, exact=asked.exact)
    proof = _proof(covering, free, asked, start=[one.chosen for _, one in steps[-1:]])
    if steps:
        # The answer itself is proven further than the steps to it.
        steps[-1] = (asked.count, proof)
    if rules.floors is not None:
        kept = _with_floors(covering, rules, asked, ground, coverage)
        return Answer(proof=kept, best_total=proof.value, steps=steps)
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
    # Of the sets of as many, one that gains more leaves room for others in its place.
    as_many = dataclasses.replace(rules, count=len(found.chosen))
    chosen = in_best_order(covering, improved(covering, as_many, found.chosen))
    value = covering.value(chosen)
    bound = value if found.proven else covering.reachable
    proof = Proof(chosen=chosen, value=value, bound=bound)
    return Answer(proof=proof, fewest=found, target=target)


def _with_floors(
    covering: Covering, rules: Rules, asked: Asked, ground: Ground, coverage: Coverage
) -> Proof:
    """Return the best set that brings every district to the floor; refuses where there is none."""
    share = (asked.floor_pct or 0.0) / 100
    shares = Shares.of(covering, ground.held, ground.all_of)
    free = dataclasses.replace(rules, floors=None)
    try:
        start = improved(covering, rules, greedy(covering, rules))
        if shares.lacking(start, rules.floors):
            start = least_share(shares, free, enough=share, limit_s=asked.limit_s).chosen
        if shares.lacking(start, rules.floors):
            _say_why(shares, free, asked, coverage)
        return _proof(covering, rules, asked, start=[start])
    except NoSetError as none:
        _say_why(shares, free, asked, coverage)
        proven = ", and none do" if none.proven else ", and it is not proven that none do"
        refuse(
            f"{asked.count} sites that bring every district to {asked.floor_pct:g} % were not"
            f" found{proven}.",
            "Ask for a lower floor or for more sites; a fair plan tells how far one comes.",
        )


def _say_why(shares: Shares, rules: Rules, asked: Asked, coverage: Coverage) -> None:
    """Refuse floors that are proven to be too high: say which, and how far one would come."""
    labels = [*coverage.study.area.districts["label"], coverage.study.area.name]
    found = too_much(shares, rules, (asked.floor_pct or 0.0) / 100, limit_s=asked.limit_s)
    if not found:
        return
    names = [[repr(str(labels[part])) for part in each.parts] for each in found]
    share, hint = f"{asked.floor_pct:g} %", "Ask for a lower floor or for more sites."
    if len(names[0]) > 1:
        listed = ", ".join(names[0][:-1]) + f" and {names[0][-1]}"
        refuse(
            f"{_none_bring(rules.count)} {listed} to {share} together:"
            f" {_at_most(found[0].high, asked)} for the least covered of them, though each could be"
            " brought there by itself.",
            hint,
        )
    told = [
        f"{name[0]} to {share}: {_at_most(each.high, asked)}"
        for name, each in zip(names, found, strict=True)
    ]
    refuse(f"{_none_bring(rules.count)} {'; nor '.join(told)}.", hint)


def _at_most(share: float, asked: Asked) -> str:
    """Return how far one comes, in words that do not round it up to the floor."""
    told = f"{100 * share:.2f}"
    return f"{told} % at most" if float(told) < (asked.floor_pct or 0.0) else "a little less"


def _none_bring(count: int) -> str:
    return "No single site brings" if count == 1 else f"No {count} sites bring"
