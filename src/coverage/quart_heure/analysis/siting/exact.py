"""Exact: the best set of candidates, or the best found and how much better one could be.

A linear program (`quart_heure.analysis.siting.program`) is solved again and again, each time with
the cuts that its last answer breaks. Candidates that cannot be in a better set leave it. If the
bound does not meet the value then, the small program that is left is solved in whole numbers.

Every bound is worked out again from the multipliers of the program, so that it holds whatever the
tolerances of the solver are.
"""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from quart_heure.analysis.siting.covering import Covering
from quart_heure.analysis.siting.cuts import Cutter
from quart_heure.analysis.siting.greedy import greedy, improved
from quart_heure.analysis.siting.program import Answer, Program
from quart_heure.analysis.siting.rules import Rules

_SCALE = 1e6
"""What the whole weight is in the program, whose tolerances are absolute."""

_STALLED_ROUNDS = 4
_STALLED_SHARE = 0.02
"""The rounds end when several together close less than this share of the gap."""

_SMALL = 700
"""Candidates that may be left for a program in whole numbers."""

_MOST_ROUNDS = 400

_MOST_NODES = 1000
"""Branches of one program in whole numbers. Without a limit of time, the search ends after as much
work on every machine."""

_CORE = 120
"""Candidates of the small program that looks for a better set, not for a proof."""


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Proof:
    """A set of candidates, and how good any other could be.

    Parameters
    ----------
    chosen
        The candidates, in the order in which each adds most to those before it; shape (k,).
    value
        What they gain together.
    bound
        What no set that keeps to the rules gains more than; ``value`` if the set is the best.
    stopped
        Whether a limit of time ended the search before that.
    """

    chosen: NDArray[np.intp]
    value: int
    bound: int
    stopped: bool = False

    @property
    def proven(self) -> bool:
        """Whether no set is better."""
        return self.bound <= self.value

    @property
    def gap(self) -> float:
        """How much better another set could be at most, as a share of the value."""
        if self.proven:
            return 0.0
        return (self.bound - self.value) / self.value if self.value else math.inf


class NoSetError(ValueError):
    """No set of candidates keeps to the rules, or none was found.

    Parameters
    ----------
    message
        What happened.
    proven
        Whether it is known that there is none.
    """

    def __init__(self, message: str, *, proven: bool) -> None:
        super().__init__(message)
        self.proven = proven


def quick(covering: Covering, rules: Rules) -> Proof:
    """Return the set that greedy and swap find, and a bound that costs nothing.

    Raises
    ------
    NoSetError
        If greedy and swap find no set that keeps to the floors: there may be one all the same.
    """
    chosen = improved(covering, rules, greedy(covering, rules))
    _check_floors(covering, rules, chosen)
    # No set gains more than its candidates do alone.
    most = np.sort(covering.alone[rules.allowed])[::-1][: rules.count]
    value = covering.value(chosen)
    bound = max(value, min(int(most.sum()), covering.reachable))
    return Proof(chosen=in_best_order(covering, chosen), value=value, bound=bound)


def prove(
    covering: Covering,
    rules: Rules,
    *,
    within: float = 0.0,
    target: int | None = None,
    limit_s: float | None = None,
    start: Sequence[NDArray[np.intp]] = (),
    clock: Callable[[], float] = time.monotonic,
) -> Proof:
    """Find the set of candidates that gains most, with a proof.

    Parameters
    ----------
    covering, rules
        What there is to gain, and what a set must keep to.
    within
        A gap that is good enough, as a share of the value; 0 asks for the best set.
    target
        The search ends as soon as a set gains as much, or none can.
    limit_s
        Seconds after which the best that was found is returned.
    start
        Sets to begin with, besides that of greedy and swap.
    clock
        What tells the seconds.

    Raises
    ------
    NoSetError
        If no set keeps to the rules.
    """
    search = _Search(covering, rules, within=within, target=target, limit_s=limit_s, clock=clock)
    for chosen in (improved(covering, rules, greedy(covering, rules)), *start):
        search.offer(chosen)
    if not search.done():
        search.rounds()
    if not search.done():
        search.in_whole_numbers()
    if search.best is None:
        msg = "no set was found"
        raise NoSetError(msg, proven=False)
    return Proof(
        chosen=in_best_order(covering, search.best),
        value=search.value,
        bound=max(search.bound, search.value),
        stopped=search.out_of_time and search.bound > search.value,
    )


def in_best_order(covering: Covering, chosen: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return a set in the order in which each candidate adds most to those before it."""
    left, rest, order = np.ones(len(covering.weight), dtype=bool), sorted(chosen.tolist()), []
    while rest:
        gains = []
        for one in rest:
            cells = covering.cells_of(one)
            gains.append(int(covering.weight[cells[left[cells]]].sum()))
        one = rest.pop(int(np.argmax(gains)))
        left[covering.cells_of(one)] = False
        order.append(one)
    return np.array(order, dtype=np.intp)


def _check_floors(covering: Covering, rules: Rules, chosen: NDArray[np.intp]) -> None:
    if rules.floors is not None and (covering.by_group(chosen) < rules.floors).any():
        msg = "greedy and swap found no set that keeps to the floors"
        raise NoSetError(msg, proven=False)


class _Search:
    """The program, what was found, and what is left of the candidates."""

    def __init__(
        self,
        covering: Covering,
        rules: Rules,
        *,
        within: float,
        target: int | None,
        limit_s: float | None,
        clock: Callable[[], float],
    ) -> None:
        self.covering, self.rules = covering, rules
        self.within, self.target = within, target
        self.clock = clock
        self.until = math.inf if limit_s is None else clock() + limit_s
        self.out_of_time = False
        self.best: NDArray[np.intp] | None = None
        self.value = -1
        self.bound = covering.reachable
        self.scale = _SCALE / max(covering.total, 1)
        self.cutter = Cutter(covering)
        self.free = rules.allowed & (
            (covering.alone > 0) | np.isin(np.arange(covering.n_candidates), rules.fixed)
        )
        self.program = Program(covering, rules, self.free, self.scale)
        self.seen: set[tuple[int, ...]] = set()

    # --- what was found -------------------------------------------------------------------------

    def offer(self, chosen: NDArray[np.intp]) -> None:
        """Keep a set if it is the best so far."""
        if not self.rules.keeps(chosen):
            return
        floors = self.rules.floors
        if floors is not None and (self.covering.by_group(chosen) < floors).any():
            return
        value = self.covering.value(chosen)
        if value > self.value:
            self.best, self.value = chosen, value

    def done(self) -> bool:
        """Tell whether the search may end."""
        if self.clock() > self.until:
            self.out_of_time = True
        if self.best is None:
            return self.out_of_time
        good = self.value + int(self.within * self.value)
        reached = self.target is not None and (
            self.value >= self.target or self.bound < self.target
        )
        return self.bound <= good or reached or self.out_of_time

    def round_off(self, y: NDArray[np.float64]) -> None:
        """Offer the set that a fractional choice leans to, improved by swaps."""
        order = np.lexsort((np.arange(len(y)), -y))
        chosen = self.rules.fixed
        for one in order[: 4 * self.rules.count]:
            if y[one] > 0.02 and one not in chosen and self.rules.may_join(chosen)[one]:
                chosen = np.append(chosen, one)
        key = tuple(sorted(chosen.tolist()))
        if key not in self.seen:
            self.seen.add(key)
            self.offer(improved(self.covering, self.rules, chosen))

    # --- the linear program ---------------------------------------------------------------------

    def rounds(self) -> None:
        """Add cuts as long as they bring the bound down."""
        covering = self.covering
        core = np.zeros(covering.n_candidates)
        if self.best is not None:
            core[self.best] = 1.0
            self.program.add(self.cutter.cuts_at(core))
        bounds: list[float] = []
        while True:
            answer = self.program.solve()
            if answer is None:
                msg = "no set keeps to the rules"
                raise NoSetError(msg, proven=True)
            self._tighten(answer)
            bounds.append(self.bound)
            if self.done() or self._stalled(bounds) or len(bounds) >= _MOST_ROUNDS:
                break
            if self.program.space_out(answer):
                continue
            # Between the answer, which jumps about, and where it has been: fewer rounds.
            core = 0.5 * core + 0.5 * answer.y
            added = self.program.add(self.cutter.cuts_at(core), broken_at=answer)
            if added < covering.n_groups // 4 + 1:
                added += self.program.add(self.cutter.cuts_at(answer.y), broken_at=answer)
            if not added:
                break
            self.program.drop_idle()
        if not self.done():
            self._look_around(answer)
            self._tighten(answer)

    def _look_around(self, answer: Answer) -> None:
        """Look for better sets among the candidates that the program likes best."""
        self.round_off(answer.y)
        if self.done():
            return
        _, reduced = self.program.safe_bound(answer)
        likely = np.lexsort((np.arange(len(reduced)), -answer.y, -reduced))
        likely = likely[self.free[likely]][: max(_CORE, 6 * self.rules.count)]
        among = np.zeros(len(reduced), dtype=bool)
        among[likely] = among[self.rules.fixed] = True
        if self.best is not None:
            among[self.best] = True
        small = self.program.solve_whole(self.until - self.clock(), among=among, nodes=200)
        if small is not None:
            chosen = np.flatnonzero(small.y > 0.5)
            self.offer(chosen)
            self.offer(improved(self.covering, self.rules, chosen))

    def _stalled(self, bounds: list[float]) -> bool:
        if len(bounds) <= _STALLED_ROUNDS or self.best is None:
            return False
        before, now = bounds[-1 - _STALLED_ROUNDS], bounds[-1]
        return before - now < _STALLED_SHARE * (now - self.value)

    def _tighten(self, answer: Answer) -> None:
        """Take the bound of an answer, and let go of candidates that no better set has."""
        bound, reduced = self.program.safe_bound(answer)
        self.bound = min(self.bound, math.floor(bound + 0.01))
        if self.best is None:
            return
        out = self.free & (np.floor(bound + reduced + 0.01) <= self.value)
        out[self.rules.fixed] = False
        if out.any():
            self.free = self.free & ~out
            self.program.remove(np.flatnonzero(out))

    # --- in whole numbers -----------------------------------------------------------------------

    def in_whole_numbers(self) -> None:
        """Solve the program in whole numbers, with the cuts that its answers break."""
        if self.best is not None and self.free.sum() > _SMALL and math.isinf(self.until):
            return  # the bound of the linear program stands
        while not self.done():
            answer = self.program.solve_whole(self.until - self.clock(), nodes=_MOST_NODES)
            if answer is None:
                if self.program.ran_out:
                    return
                # Of the candidates that are left none makes a better set, or any at all.
                self.bound = max(self.value, 0)
                break
            self.bound = min(self.bound, math.floor(answer.bound / self.scale + 0.5))
            chosen = np.flatnonzero(answer.y > 0.5)
            self.offer(chosen)
            self.offer(improved(self.covering, self.rules, chosen, rounds=1))
            whole = np.zeros(self.covering.n_candidates)
            whole[chosen] = 1.0
            added = self.program.add(self.cutter.cuts_at(whole), broken_at=answer)
            added += self.program.space_out(answer)
            if not added or self.program.ran_out:
                return
        if self.best is None and not self.out_of_time:
            msg = "no set keeps to the rules"
            raise NoSetError(msg, proven=True)
