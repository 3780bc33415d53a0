"""Siting: sets of candidates against all sets there are, one by one."""

from __future__ import annotations

import dataclasses
import itertools
import random

import numpy as np
import pytest
from scipy.sparse import csr_array

from quart_heure.analysis.siting.covering import Covering, covering_of
from quart_heure.analysis.siting.cuts import Cutter
from quart_heure.analysis.siting.exact import NoSetError, prove, quick
from quart_heure.analysis.siting.fair import fairest
from quart_heure.analysis.siting.greedy import greedy, improved
from quart_heure.analysis.siting.least import FINENESS, Shares, least_share, too_much
from quart_heure.analysis.siting.plans import fewest, menu
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


@pytest.mark.parametrize("seed", range(25))
def test_fewest_is_the_fewest_of_all_sets(seed: int) -> None:
    covering = random_covering(seed)
    n = covering.n_candidates
    rules = Rules(count=n, allowed=np.ones(n, dtype=bool))
    for target in (1, covering.reachable // 2, covering.reachable):
        if target < 1:
            continue
        found = fewest(covering, rules, target=target)
        sizes = [
            size
            for size in range(1, n + 1)
            if any(
                plain_value(covering, s) >= target for s in itertools.combinations(range(n), size)
            )
        ]
        assert found is not None
        assert found.proven
        assert len(found.chosen) == found.at_least == sizes[0]
        assert plain_value(covering, tuple(found.chosen.tolist())) == found.value >= target
    assert fewest(covering, rules, target=covering.reachable + 1) is None


@pytest.mark.parametrize("seed", range(15))
def test_the_fair_set_is_bounded_and_no_less_fair_than_the_best(seed: int) -> None:
    covering = random_covering(seed)
    n = covering.n_candidates
    rules = Rules(count=2, allowed=np.ones(n, dtype=bool))
    all_of = np.bincount(covering.group, weights=covering.weight, minlength=covering.n_groups)
    all_of = np.rint(all_of).astype(np.int64)
    held = np.zeros_like(all_of)
    best = prove(covering, rules)
    fair = fairest(covering, rules, held=held, all_of=all_of, start=[best.chosen])

    def least(chosen: tuple[int, ...]) -> float:
        gained = covering.by_group(np.array(chosen, dtype=np.intp))
        return float(min(g / a for g, a in zip(gained, all_of, strict=True) if a))

    of_all = max(least(s) for s in itertools.combinations(range(n), 2))
    assert fair.least == pytest.approx(least(tuple(fair.chosen.tolist())))
    assert least(tuple(best.chosen.tolist())) <= fair.least + 1e-9
    assert fair.least <= of_all + 1e-9
    assert fair.least_at_most >= of_all - 1e-9


def sets_of(covering: Covering, rules: Rules) -> list[tuple[int, ...]]:
    """Return every set that keeps to the rules, floors aside."""
    free = dataclasses.replace(rules, floors=None)
    return [
        chosen
        for size in range(rules.count + 1)
        for chosen in itertools.combinations(range(covering.n_candidates), size)
        if plainly_kept(covering, free, chosen)
    ]


def plain_least(shares: Shares, chosen: tuple[int, ...], parts: list[int]) -> float:
    covers = shares.covering.pairs.toarray()
    gained = [0] * shares.covering.n_groups
    for cell, weight in enumerate(shares.covering.weight.tolist()):
        if any(covers[one][cell] for one in chosen):
            gained[shares.covering.group[cell]] += weight
    return min((shares.held[part] + gained[part]) / shares.all_of[part] for part in parts)


def random_shares(seed: int, covering: Covering) -> Shares:
    """Draw what is covered already; somebody lives in every part."""
    rng = np.random.default_rng(seed)
    held = rng.integers(0, 300, size=covering.n_groups)
    sums = np.bincount(covering.group, weights=covering.weight, minlength=covering.n_groups)
    return Shares.of(covering, held, held + np.rint(sums).astype(np.int64) + 1)


@pytest.mark.parametrize("seed", range(60))
def test_the_least_share_is_that_of_the_fairest_of_all_sets(seed: int) -> None:
    covering = random_covering(seed)
    rules = dataclasses.replace(random_rules(seed, covering), floors=None)
    shares = random_shares(seed, covering)
    every = list(range(covering.n_groups))
    sets = sets_of(covering, rules)
    if not sets:
        with pytest.raises(NoSetError):
            least_share(shares, rules)
        return
    of_all = max(plain_least(shares, chosen, every) for chosen in sets)
    found = least_share(shares, rules)
    assert plainly_kept(covering, rules, tuple(found.chosen.tolist()))
    assert found.low == pytest.approx(plain_least(shares, tuple(found.chosen.tolist()), every))
    # Proven: what is found is the best, to the fineness that shares are told in.
    assert found.low - 1e-12 <= of_all <= found.high + 1e-12
    assert found.high - found.low <= FINENESS
    for enough in (of_all * 0.999, of_all + 2 * FINENESS):
        decided = least_share(shares, rules, enough=enough)
        assert (decided.low >= enough) == (enough <= of_all)
        assert (decided.high < enough) == (enough > of_all)


@pytest.mark.parametrize("seed", range(60))
def test_what_is_too_much_is_so_of_the_parts_that_are_named_and_of_no_fewer(seed: int) -> None:
    covering = random_covering(seed)
    rules = dataclasses.replace(random_rules(seed, covering), floors=None, fixed=np.empty(0, int))
    shares = random_shares(seed, covering)
    sets = sets_of(covering, rules)

    def best(parts: list[int]) -> float:
        return max(plain_least(shares, chosen, parts) for chosen in sets)

    every = list(range(covering.n_groups))
    alone = {part: best([part]) for part in every}
    for share in (0.3, 0.6, 0.9):
        named = too_much(shares, rules, share)
        if best(every) >= share:
            assert named == []
            continue
        short = [part for part in every if alone[part] < share]
        if short:
            assert [each.parts.tolist() for each in named] == [[part] for part in short]
            assert [each.high for each in named] == pytest.approx([alone[part] for part in short])
            continue
        (together,) = named
        parts = together.parts.tolist()
        assert best(parts) <= together.high < share
        assert together.high - best(parts) <= 2 * FINENESS
        for part in parts:
            assert best([other for other in parts if other != part]) >= share


def test_a_menu_gives_up_least_first_and_keeps_to_the_rules() -> None:
    covering = random_covering(8, n_candidates=12)
    xy = np.array([[100.0 * at, 0.0] for at in range(12)])
    rules = Rules(count=3, allowed=np.ones(12, dtype=bool), fixed=np.array([2]))
    found = prove(covering, rules)
    others = menu(covering, rules, found.chosen, xy, size=6, apart_m=150.0)
    assert len(others) == 6
    values = [other.value for other in others]
    assert values == sorted(values, reverse=True)
    for other in others:
        assert 2 in other.chosen
        assert other.value == plain_value(covering, tuple(other.chosen.tolist())) <= found.value
        assert set(found.chosen) - set(other.chosen) == {other.left_out}
        assert set(other.chosen) - set(found.chosen) == {other.put_in}
    # All that there are, where fewer are that far apart.
    assert len(menu(covering, rules, found.chosen, xy, size=100, apart_m=1e9)) == 2 * (12 - 3)


@pytest.mark.parametrize("seed", range(6))
def test_a_menu_is_not_of_next_door_and_keeps_floors(seed: int) -> None:
    covering = random_covering(seed, n_candidates=12)
    xy = np.array([[100.0 * at, 0.0] for at in range(12)])
    rules = Rules(count=3, allowed=np.ones(12, dtype=bool))
    found = prove(covering, rules)
    for other in menu(covering, rules, found.chosen, xy, size=4, apart_m=250.0):
        assert abs(xy[other.put_in, 0] - xy[other.left_out, 0]) >= 250
    floors = (0.8 * covering.by_group(found.chosen)).astype(np.int64)
    floored = dataclasses.replace(rules, floors=floors)
    others = menu(covering, floored, found.chosen, xy, size=100)
    assert len(others) < 3 * 9, "floors leave some out"
    for other in others:
        assert plainly_kept(covering, floored, tuple(other.chosen.tolist()))
