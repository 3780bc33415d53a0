"""Siting: sets of candidates against all sets there are, one by one."""

from __future__ import annotations

import itertools
import random

import numpy as np
import pytest
from scipy.sparse import csr_array

from quart_heure.analysis.siting.covering import Covering, covering_of
from quart_heure.analysis.siting.cuts import Cutter
from quart_heure.analysis.siting.exact import NoSetError, prove, quick
from quart_heure.analysis.siting.greedy import greedy, improved
from quart_heure.analysis.siting.rules import Rules
from quart_heure.network.reach import Reach

SEEDS = range(40)


def random_covering(seed: int, *, n_candidates: int = 9, n_cells: int = 25) -> Covering:
    rng = random.Random(seed)
    share = rng.choice((0.1, 0.25, 0.4))
    covers = np.array(
        [[rng.random() < share for _ in range(n_cells)] for _ in range(n_candidates)], dtype=float
    )
    n_groups = rng.choice((1, 2, 4))
    return Covering(
        pairs=csr_array(covers),
        weight=np.array([rng.choice((1, 2, 3, 50, 777)) for _ in range(n_cells)]),
        group=np.array([rng.randrange(n_groups) for _ in range(n_cells)]),
        n_groups=n_groups,
        cell=np.arange(n_cells),
    )


def random_rules(seed: int, covering: Covering) -> Rules:
    """Draw rules of every kind, one or several at a time."""
    rng = random.Random(1000 + seed)
    n = covering.n_candidates
    given = {}
    allowed = np.ones(n, dtype=bool)
    if rng.random() < 0.4:
        allowed[rng.randrange(n)] = False
    if rng.random() < 0.4:
        given["fixed"] = np.array([rng.choice(np.flatnonzero(allowed).tolist())], dtype=np.intp)
    if rng.random() < 0.4:
        given["district"] = np.array([rng.randrange(-1, 3) for _ in range(n)])
        given["most_per_district"] = 1
    if rng.random() < 0.4:
        given["xy"] = np.array([[rng.random(), rng.random()] for _ in range(n)])
        given["spacing_m"] = 0.3
    if rng.random() < 0.4:
        given["cost"] = np.array([rng.randint(1, 5) for _ in range(n)])
        given["budget"] = 7
    if rng.random() < 0.3:
        wanted = rng.randrange(1, 200)
        given["floors"] = np.full(covering.n_groups, wanted)
    return Rules(count=rng.randint(1, 4), allowed=allowed, **given)


def plain_value(covering: Covering, chosen: tuple[int, ...]) -> int:
    covers = covering.pairs.toarray()
    return sum(
        int(covering.weight[cell])
        for cell in range(len(covering.weight))
        if any(covers[one][cell] for one in chosen)
    )


def plainly_kept(  # noqa: PLR0911 - a rule a line
    covering: Covering, rules: Rules, chosen: tuple[int, ...]
) -> bool:
    """Judge a set by its rules, in loops."""
    if len(chosen) > rules.count or not all(rules.allowed[one] for one in chosen):
        return False
    if any(one not in chosen for one in rules.fixed):
        return False
    for a, b in itertools.combinations(chosen, 2):
        if rules.district is not None and rules.district[a] == rules.district[b] >= 0:
            return False
        if rules.xy is not None and np.hypot(*(rules.xy[a] - rules.xy[b])) < rules.spacing_m:
            return False
    if rules.cost is not None and sum(int(rules.cost[one]) for one in chosen) > rules.budget:
        return False
    if rules.floors is not None:
        covers = covering.pairs.toarray()
        for part, floor in enumerate(rules.floors):
            gained = sum(
                int(weight)
                for cell, weight in enumerate(covering.weight)
                if covering.group[cell] == part and any(covers[one][cell] for one in chosen)
            )
            if gained < floor:
                return False
    return True


def best_of_all(covering: Covering, rules: Rules) -> int | None:
    """Try every set; None if none keeps to the rules."""
    values = [
        plain_value(covering, chosen)
        for size in range(rules.count + 1)
        for chosen in itertools.combinations(range(covering.n_candidates), size)
        if plainly_kept(covering, rules, chosen)
    ]
    return max(values, default=None)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("count", [1, 2, 4])
def test_the_exact_answer_is_the_best_of_all_sets(seed: int, count: int) -> None:
    covering = random_covering(seed)
    rules = Rules(count=count, allowed=np.ones(covering.n_candidates, dtype=bool))
    wanted = best_of_all(covering, rules)
    found = prove(covering, rules)
    assert (found.value, found.bound) == (wanted, wanted)
    assert found.proven and found.gap == 0
    assert found.value == plain_value(covering, tuple(found.chosen.tolist()))
    fast = quick(covering, rules)
    assert fast.value <= wanted <= fast.bound
    simple = greedy(covering, rules)
    better = improved(covering, rules, simple)
    assert plain_value(covering, tuple(simple)) <= plain_value(covering, tuple(better)) <= wanted


@pytest.mark.parametrize("seed", range(80))
def test_rules_are_kept_and_the_answer_is_the_best_that_keeps_to_them(seed: int) -> None:
    covering = random_covering(seed)
    rules = random_rules(seed, covering)
    wanted = best_of_all(covering, rules)
    fixed = tuple(rules.fixed.tolist())
    if wanted is None:
        with pytest.raises(NoSetError):
            prove(covering, rules)
        return
    found = prove(covering, rules)
    assert plainly_kept(covering, rules, tuple(found.chosen.tolist())), (fixed, found.chosen)
    assert (found.value, found.bound) == (wanted, wanted)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_cut_is_exact_where_it_is_made_and_never_too_low(seed: int) -> None:
    covering = random_covering(seed)
    rng = np.random.default_rng(seed)
    y = rng.random(covering.n_candidates) * rng.choice([0.3, 1.0])
    cuts = Cutter(covering).cuts_at(y)
    covers = covering.pairs.toarray()
    for cut in cuts:
        here = covering.group == cut.group
        exact = (covering.weight * np.minimum(1, covers.T @ y))[here].sum()
        assert cut.at(y) == pytest.approx(exact)
        for chosen in itertools.combinations(range(covering.n_candidates), 3):
            whole = np.zeros(covering.n_candidates)
            whole[list(chosen)] = 1
            gained = (covering.weight * (covers.T @ whole > 0))[here].sum()
            assert cut.at(whole) >= gained - 1e-9


def test_gains_add_up() -> None:
    covering = random_covering(5)
    found = prove(covering, Rules(count=4, allowed=np.ones(covering.n_candidates, dtype=bool)))
    added = covering.in_turn(found.chosen)
    assert added.sum() == found.value == covering.by_group(found.chosen).sum()
    assert (np.diff(added) <= 0).all()
    assert added[0] == covering.alone[found.chosen[0]]
    assert (added <= covering.alone[found.chosen]).all()


def test_a_covering_holds_what_is_wanted_and_nothing_else() -> None:
    reach = Reach(
        offsets=np.array([0, 3, 3, 5]),
        place=np.array([0, 1, 3, 1, 2], dtype=np.int32),
        minutes=np.array([1.0, 2.0, 3.0, 4.0, 5.0]),
        n_places=4,
        limit_min=15.0,
    )
    covering = covering_of(
        reach,
        np.array([2.0, 0.0005, 7.5, 3.25]),
        wanted=np.array([True, True, True, False]),
        group=np.array([0, 0, -1, 1]),
    )
    # Less than a thousandth is nothing; the cell of no district is a part of its own.
    assert covering.cell.tolist() == [0, 2]
    assert covering.weight.tolist() == [2000, 7500]
    assert covering.alone.tolist() == [2000, 0, 7500]
    assert (covering.group.tolist(), covering.n_groups) == ([0, 1], 2)


def test_a_search_stops_when_its_time_is_over_and_says_so() -> None:
    covering = random_covering(3, n_candidates=30, n_cells=200)
    rules = Rules(count=6, allowed=np.ones(30, dtype=bool))
    ticks = itertools.count()
    found = prove(covering, rules, limit_s=2, clock=lambda: float(next(ticks)))
    assert found.stopped and not found.proven
    assert found.bound > found.value >= quick(covering, rules).value
    assert found.gap == pytest.approx((found.bound - found.value) / found.value)
    whole = prove(covering, rules)
    assert found.value <= whole.value <= found.bound


def test_nothing_is_written_to_stdout(capfd: pytest.CaptureFixture[str]) -> None:
    covering = random_covering(3)
    prove(covering, Rules(count=2, allowed=np.ones(covering.n_candidates, dtype=bool)))
    assert capfd.readouterr().out == ""
