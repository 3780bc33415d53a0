"""Plans: what one more brings, how many it takes, and which other sets are almost as good."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from quart_heure.analysis.siting.covering import Covering
from quart_heure.analysis.siting.exact import NoSetError, Proof, in_best_order, prove, quick
from quart_heure.analysis.siting.greedy import greedy, improved
from quart_heure.analysis.siting.rules import Rules


def curve(
    covering: Covering,
    rules: Rules,
    *,
    within: float = 0.01,
    limit_s: float | None = None,
    exact: bool = True,
) -> list[tuple[int, Proof]]:
    """Return the best sets of at most 1, 2 … ``rules.count`` candidates, each with its bound.

    A set begins with what the one before it is made of; those smaller than the fixed candidates
    are left out.

    Parameters
    ----------
    within
        A gap that is good enough for each, as a share of its value.
    limit_s
        Seconds for each.
    exact
        Whether sets are proven, or those of greedy and swap.
    """
    found: list[tuple[int, Proof]] = []
    for count in range(max(1, len(rules.fixed)), rules.count + 1):
        fewer = dataclasses.replace(rules, count=count)
        if not exact:
            found.append((count, quick(covering, fewer)))
            continue
        start = [improved(covering, fewer, one.chosen) for _, one in found[-1:]]
        best = prove(covering, fewer, within=within, limit_s=limit_s, start=start)
        found.append((count, best))
    return found


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Fewest:
    """The fewest candidates found that gain so much, and how few it could be.

    Parameters
    ----------
    chosen, value
        The set, and what it gains.
    at_least
        No set of fewer gains as much: it has been proven for ``at_least - 1``.
    """

    chosen: NDArray[np.intp]
    value: int
    at_least: int

    @property
    def proven(self) -> bool:
        """Whether no smaller set gains as much."""
        return len(self.chosen) == self.at_least


def fewest(
    covering: Covering, rules: Rules, *, target: int, limit_s: float | None = None
) -> Fewest | None:
    """Find the fewest candidates that gain a target; ``rules.count`` is the most there may be.

    Returns
    -------
    Fewest or None
        None if it is proven that no set does, or none was found.
    """
    chosen = _enough(covering, rules, target)
    if covering.value(chosen) < target:
        proof = prove(covering, rules, target=target, limit_s=limit_s)
        if proof.value < target:
            return None
        chosen = proof.chosen
    while len(chosen) > max(len(rules.fixed), 0):
        fewer = dataclasses.replace(rules, count=len(chosen) - 1)
        if fewer.count == 0:
            return Fewest(chosen=chosen, value=covering.value(chosen), at_least=1)
        proof = prove(covering, fewer, target=target, limit_s=limit_s)
        if proof.value < target:
            at_least = len(chosen) if proof.bound < target else _lower(covering, fewer, target)
            return Fewest(
                chosen=in_best_order(covering, chosen),
                value=covering.value(chosen),
                at_least=at_least,
            )
        chosen = proof.chosen
    return Fewest(chosen=chosen, value=covering.value(chosen), at_least=len(chosen))


def _enough(covering: Covering, rules: Rules, target: int) -> NDArray[np.intp]:
    """Return the first set on the way of greedy that gains the target, else its last."""
    chosen = greedy(covering, rules)
    added = np.cumsum(covering.in_turn(chosen))
    enough = int(np.searchsorted(added, target)) + 1
    return chosen[: max(enough, len(rules.fixed))]


def _lower(covering: Covering, rules: Rules, target: int) -> int:
    """Return how many it takes at least, by the bounds that cost nothing more than a program."""
    for count in range(rules.count, max(len(rules.fixed), 0), -1):
        smaller = dataclasses.replace(rules, count=count)
        try:
            bound = prove(covering, smaller, target=target, within=1.0).bound
        except NoSetError:
            return count + 1
        if bound < target:
            return count + 1
    return max(len(rules.fixed), 1)


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Alternative:
    """A set that is almost as good as another.

    Parameters
    ----------
    chosen, value
        The set, in the order of that other, and what it gains.
    left_out, put_in
        The candidate that it does without, and the one in its place; -1 for none.
    """

    chosen: NDArray[np.intp]
    value: int
    left_out: int
    put_in: int


def menu(
    covering: Covering,
    rules: Rules,
    chosen: NDArray[np.intp],
    xy: NDArray[np.float64],
    *,
    size: int = 10,
    apart_m: float = 300.0,
    at_least: int = 0,
) -> list[Alternative]:
    """Return the sets that give up least by another candidate in the place of one.

    Parameters
    ----------
    chosen
        The set to depart from; its fixed candidates stay.
    xy
        Where candidates are, in metres; shape (c, 2).
    size
        How many sets are wanted.
    apart_m
        Another candidate is so far from the one it is for, and from the others in its place: next
        door is no other plan. Where there are too few of these, nearer ones follow.
    at_least
        Sets that gain less are left out.

    Returns
    -------
    list of Alternative
        The best first; of equals, the one that leaves out the earlier candidate of the set.
    """
    options: list[tuple[int, int, int]] = []
    for at, one in enumerate(chosen.tolist()):
        if one in rules.fixed:
            continue
        rest = np.delete(chosen, at)
        may = rules.may_join(rest)
        may[one] = False
        value = covering.value(rest)
        gains = covering.gains(covering.count(rest) == 0)
        may &= value + gains >= at_least
        if rules.floors is not None:
            may &= _keeps_floors(covering, rules, rest, may)
        options += [(-(value + int(gains[c])), at, int(c)) for c in np.flatnonzero(may)]
    options.sort()
    taken: list[tuple[int, int, int]] = []
    for least_m in (apart_m, 0.0):
        for option in options:
            if len(taken) >= size:
                break
            _, at, other = option
            if option in taken:
                continue
            beside = [chosen[at], *(o for _, a, o in taken if a == at)]
            away_m = np.hypot(*(xy[beside] - xy[other]).T)
            if least_m == 0.0 or (away_m >= least_m).all():
                taken.append(option)
    return [
        Alternative(
            chosen=np.concatenate([chosen[:at], [other], chosen[at + 1 :]]).astype(np.intp),
            value=-minus,
            left_out=int(chosen[at]),
            put_in=other,
        )
        for minus, at, other in sorted(taken)
    ]


def _keeps_floors(
    covering: Covering, rules: Rules, rest: NDArray[np.intp], may: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    kept, floors = np.zeros(len(may), dtype=bool), rules.floors
    if floors is None:
        return may
    for candidate in np.flatnonzero(may):
        gained = covering.by_group(np.append(rest, candidate))
        kept[candidate] = bool((gained >= floors).all())
    return kept
