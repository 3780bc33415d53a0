"""Exact: the best set of candidates, or the best found and how much better one could be.

Variables are the candidates and one gain per part of the area, held down by cuts
(`quart_heure.analysis.siting.cuts`). A linear program is solved again and again, each time with the
cuts that its last answer breaks. Candidates that cannot be in a better set leave it. If the bound
does not meet the value then, the small program that is left is solved in whole numbers.

Every bound is worked out again from the multipliers of the program, so that it holds whatever the
tolerances of the solver are.
"""

from __future__ import annotations

import contextlib
import dataclasses
import math
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quart_heure.analysis.siting.covering import Covering
from quart_heure.analysis.siting.cuts import Cut, Cutter
from quart_heure.analysis.siting.greedy import greedy, improved
from quart_heure.analysis.siting.rules import Rules

_SCALE = 1e6
"""What the whole weight is in the program, whose tolerances are absolute."""

_IDLE_ROUNDS = 8
"""A cut that has not been tight for so many rounds leaves the program."""

_STALLED_ROUNDS = 4
_STALLED_SHARE = 0.02
"""The rounds end when several together close less than this share of the gap."""

_SMALL = 700
"""Candidates that may be left for a program in whole numbers."""

_MOST_ROUNDS = 400

_SLACK = 1e-6
"""What a row may be broken by, in the scale of the program, before that counts."""

_MOST_SPACING_ROWS = 50

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
    """No set of candidates keeps to the rules."""


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
        raise NoSetError(msg)
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
        raise NoSetError(msg)


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
        self.program = _Program(covering, rules, self.free, self.scale)
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
                raise NoSetError(msg)
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

    def _look_around(self, answer: _Answer) -> None:
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

    def _tighten(self, answer: _Answer) -> None:
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
            raise NoSetError(msg)


@dataclasses.dataclass(eq=False)
class _Answer:
    """A solution of the program: candidates, gains, and multipliers of its rows."""

    y: NDArray[np.float64]
    theta: NDArray[np.float64]
    row_dual: NDArray[np.float64]
    bound: float = math.inf


@dataclasses.dataclass(eq=False)
class _Row:
    """A row of the program: columns, coefficients, upper bound, and the cut it is, if it is one."""

    columns: NDArray[np.int32]
    values: NDArray[np.float64]
    most: float
    cut: Cut | None = None
    idle: int = 0


class _Program:
    """The linear program of a search, kept warm while rows and candidates come and go."""

    def __init__(
        self,
        covering: Covering,
        rules: Rules,
        free: NDArray[np.bool_],
        scale: float,
    ) -> None:
        import highspy  # noqa: PLC0415 - only who asks for a proof needs it

        self._highspy: Any = highspy
        self._scale, self._rules = scale, rules
        self._candidate = np.flatnonzero(free)
        self._column = np.full(covering.n_candidates, -1, dtype=np.int64)
        self._column[self._candidate] = np.arange(len(self._candidate))
        self._in = np.isin(self._candidate, rules.fixed)
        self._out = np.zeros(len(self._candidate), dtype=bool)
        n, g = len(self._candidate), covering.n_groups
        self._totals = np.bincount(
            covering.group, weights=covering.weight.astype(np.float64), minlength=g
        )
        self._floors = np.zeros(g) if rules.floors is None else rules.floors.astype(np.float64)
        self.ran_out = False
        self.impossible = bool((self._floors > self._totals).any())
        self._solver = _solver(highspy)
        none, no_value = np.empty(0, np.int32), np.empty(0)
        cost = np.concatenate([np.zeros(n), np.ones(g)])
        lower = np.concatenate([self._in.astype(float), self._floors * scale])
        upper = np.concatenate([np.ones(n), np.maximum(self._totals, self._floors) * scale])
        self._solver.addCols(n + g, cost, lower, upper, 0, none, none, no_value)
        self._rows: list[_Row] = []
        for row in self._rule_rows(n):
            self._add_row(row)

    def _rule_rows(self, n: int) -> list[_Row]:
        """Return the rows that keep the candidates to the rules, their spacing aside."""
        rules, every = self._rules, np.arange(n, dtype=np.int32)
        rows = [_Row(every, np.ones(n), float(rules.count))]
        if rules.budget is not None and rules.cost is not None:
            # In shares of the budget, for the tolerances of the solver.
            unit = 1 / max(rules.budget, 1)
            cost = rules.cost[self._candidate] * unit
            rows.append(_Row(every, cost.astype(np.float64), rules.budget * unit))
        if rules.most_per_district is not None and rules.district is not None:
            district = rules.district[self._candidate]
            for one in np.unique(district[district >= 0]):
                held = np.flatnonzero(district == one).astype(np.int32)
                rows.append(_Row(held, np.ones(len(held)), float(rules.most_per_district)))
        return rows

    def _add_row(self, row: _Row) -> None:
        infinity = self._highspy.kHighsInf
        self._solver.addRow(-infinity, row.most, len(row.columns), row.columns, row.values)
        self._rows.append(row)

    @property
    def n_cuts(self) -> int:
        """Number of cuts in the program."""
        return sum(row.cut is not None for row in self._rows)

    def add(self, cuts: list[Cut], *, broken_at: _Answer | None = None) -> int:
        """Add cuts, only those that an answer breaks if one is given; return how many."""
        added = 0
        for cut in cuts:
            if broken_at is not None:
                most = cut.at(broken_at.y) * self._scale
                if broken_at.theta[cut.group] <= most + _SLACK:
                    continue
            self._add_row(self._row_of(cut))
            added += 1
        return added

    def space_out(self, answer: _Answer) -> int:
        """Add rows that an answer breaks on how near two candidates may be; return how many.

        Of the candidates within half the spacing of a place, a set has one at most: any two are
        nearer than the spacing. With the middle of each two that are too near as the place, no
        whole answer that breaks the rule keeps to all of these rows.
        """
        rules = self._rules
        if rules.xy is None or rules.spacing_m <= 0:
            return 0
        used = np.flatnonzero(answer.y > _SLACK)
        xy, place = rules.xy[self._candidate], rules.xy[used]
        found: list[tuple[float, int, NDArray[np.intp]]] = []
        for at, one in enumerate(used.tolist()):
            for other in used[at + 1 :][rules.near_to(one)[used[at + 1 :]]].tolist():
                middle = (rules.xy[one] + rules.xy[other]) / 2
                near = np.hypot(*(place - middle).T) < rules.spacing_m / 2
                # Rounded, the two themselves might be missed.
                near |= (used == one) | (used == other)
                excess = float(answer.y[used[near]].sum()) - 1
                if excess > 1e-6:
                    found.append((-excess, len(found), np.array([one, other])))
        found.sort(key=lambda each: each[:2])
        for _, _, pair in found[:_MOST_SPACING_ROWS]:
            middle = rules.xy[pair].mean(axis=0)
            near = np.hypot(*(xy - middle).T) < rules.spacing_m / 2 * (1 - 1e-9)
            near[self._column[pair]] = True
            apart = near.copy()
            for one in pair:  # whoever is not too near one of the two is not of this row
                apart &= rules.near_to(int(one))[self._candidate] | (self._candidate == one)
            columns = np.flatnonzero(apart).astype(np.int32)
            self._add_row(_Row(columns, np.ones(len(columns)), 1.0))
        return len(found)

    def drop_idle(self) -> None:
        """Take out the cuts that have not been tight for long."""
        idle = [at for at, row in enumerate(self._rows) if row.idle > _IDLE_ROUNDS]
        if len(idle) < len(self._rows) // 4 or not idle:
            return
        self._solver.deleteRows(len(idle), np.array(idle, dtype=np.int32))
        gone = set(idle)
        self._rows = [row for at, row in enumerate(self._rows) if at not in gone]

    def remove(self, candidates: NDArray[np.intp]) -> None:
        """Let go of candidates."""
        column = self._column[candidates]
        for one in column.tolist():
            self._solver.changeColBounds(one, 0.0, 0.0)
        self._out[column] = True

    def solve(self) -> _Answer | None:
        """Solve the linear program; None if nothing keeps to its rows."""
        if self.impossible:
            return None
        self._solver.run()
        status = self._solver.getModelStatus()
        if status == self._highspy.HighsModelStatus.kInfeasible:
            return None
        solution = self._solver.getSolution()
        dual = np.array(solution.row_dual)
        for row, share in zip(self._rows, dual.tolist(), strict=True):
            if row.cut is not None:
                row.idle = 0 if abs(share) > 1e-9 else row.idle + 1
        return self._answer(np.array(solution.col_value), dual)

    def _answer(self, value: NDArray[np.float64], dual: NDArray[np.float64]) -> _Answer:
        n = len(self._candidate)
        y = np.zeros(len(self._column))
        y[self._candidate] = np.clip(value[:n], 0.0, 1.0)
        return _Answer(y, value[n:], dual)

    def safe_bound(self, answer: _Answer) -> tuple[float, NDArray[np.float64]]:
        """Return the bound that the multipliers of an answer prove, and the change by candidate.

        With any multipliers that are not negative the bound holds: rows on candidates are added to
        the cuts of each part, taken together, and each candidate gives what is best for it.

        Returns
        -------
        bound, reduced
            The bound, and what is to be added to it if a candidate is chosen; shape (c,).
        """
        n = len(self._candidate)
        shares, gain, constant = np.zeros(len(self._totals)), np.zeros(n), 0.0
        for row, multiplier in zip(self._rows, np.abs(answer.row_dual).tolist(), strict=True):
            if multiplier == 0:
                continue
            if row.cut is None:
                price = multiplier / self._scale
                gain[row.columns] -= price * row.values
                constant += price * row.most
                continue
            column = self._column[row.cut.candidate]
            here = column >= 0
            gain[column[here]] += multiplier * row.cut.coefficient[here]
            constant += multiplier * row.cut.constant
            shares[row.cut.group] += multiplier
        # A part whose cuts have less than full weight gains at most all of it; one with more must
        # gain its floor.
        constant += float((np.maximum(1 - shares, 0) * self._totals).sum())
        constant -= float((np.maximum(shares - 1, 0) * self._floors).sum())
        free = ~self._in & ~self._out
        bound = constant + float(gain[self._in].sum()) + float(np.maximum(gain[free], 0).sum())
        reduced = np.zeros(len(self._column))
        reduced[self._candidate] = np.where(free, np.minimum(gain, 0), 0.0)
        return bound, reduced

    def solve_whole(
        self, limit_s: float, *, among: NDArray[np.bool_] | None = None, nodes: int
    ) -> _Answer | None:
        """Solve in whole numbers what is left of the candidates, or some of them.

        None if no set is found; ``ran_out`` tells whether that, or the answer, is for want of time
        or of branches.
        """
        if self.impossible:
            return None
        highspy = self._highspy
        n, g = len(self._candidate), len(self._totals)
        left = ~self._out if among is None else among[self._candidate]
        columns_left = np.flatnonzero(left)
        small = _solver(highspy)
        # In the scale of the program, less than half of the smallest weight.
        small.setOptionValue("mip_abs_gap", 0.4 * self._scale)
        small.setOptionValue("mip_max_nodes", nodes)
        if math.isfinite(limit_s):
            small.setOptionValue("time_limit", max(limit_s, 0.1))
        n_left = len(columns_left)
        place = np.full(n + g, -1, dtype=np.int32)
        place[columns_left] = np.arange(n_left)
        place[n:] = n_left + np.arange(g)
        cost = np.concatenate([np.zeros(n_left), np.ones(g)])
        lower = np.concatenate([self._in[columns_left].astype(float), self._floors * self._scale])
        upper = np.concatenate([np.ones(n_left), self._totals * self._scale])
        none, no_value = np.empty(0, np.int32), np.empty(0)
        small.addCols(n_left + g, cost, lower, upper, 0, none, none, no_value)
        for row in self._rows:
            at = place[row.columns]
            kept = at >= 0
            n_kept = int(kept.sum())
            small.addRow(-highspy.kHighsInf, row.most, n_kept, at[kept], row.values[kept])
        whole = np.full(n_left, highspy.HighsVarType.kInteger)
        small.changeColsIntegrality(n_left, np.arange(n_left, dtype=np.int32), whole)
        small.run()
        status = small.getModelStatus()
        done = {highspy.HighsModelStatus.kOptimal, highspy.HighsModelStatus.kInfeasible}
        self.ran_out = status not in done
        info = small.getInfo()
        solution = np.array(small.getSolution().col_value)
        if status == highspy.HighsModelStatus.kInfeasible or info.primal_solution_status != (
            highspy.SolutionStatus.kSolutionStatusFeasible
        ):
            return None
        full = np.zeros(n + g)
        full[columns_left], full[n:] = solution[:n_left], solution[n_left:]
        answer = self._answer(full, np.empty(0))
        answer.bound = float(info.mip_dual_bound)
        return answer

    def _row_of(self, cut: Cut) -> _Row:
        """Return a cut as a row."""
        column = self._column[cut.candidate]
        here = column >= 0
        columns = np.append(column[here], len(self._candidate) + cut.group).astype(np.int32)
        values = np.append(-cut.coefficient[here] * self._scale, 1.0)
        return _Row(columns, values, cut.constant * self._scale, cut)


def _solver(highspy: Any) -> Any:
    """Return a silent solver that does the same on every machine."""
    with _silence():
        solver = highspy.Highs()
    for option, value in (
        ("output_flag", False),
        ("threads", 1),
        ("random_seed", 0),
        ("mip_rel_gap", 0.0),
    ):
        solver.setOptionValue(option, value)
    solver.changeObjectiveSense(highspy.ObjSense.kMaximize)
    return solver


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Keep stdout for results: the first solver greets on it before it can be told not to."""
    sys.stdout.flush()
    kept = os.dup(1)
    try:
        with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
            os.dup2(nowhere.fileno(), 1)
            yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
