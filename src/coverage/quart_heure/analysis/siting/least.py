"""Least: how far the least covered part of the area can be brought, with a bound.

Variables are the candidates and the share that every part reaches, held down by cuts
(`quart_heure.analysis.siting.cuts`). A share below a bound needs less of a part than some
candidates bring by themselves: none counts for more than what is needed, which makes the bound many
times tighter where few sites are to serve many parts. What is left is decided in whole numbers.
"""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quart_heure.analysis.siting.covering import Covering
from quart_heure.analysis.siting.cuts import Cut, Cutter
from quart_heure.analysis.siting.exact import NoSetError, prove
from quart_heure.analysis.siting.rows import Row, new_solver, rule_rows, spacing_rows
from quart_heure.analysis.siting.rules import Rules

FINENESS = 1e-5
"""A share that is better by less is no better: a hundredth of a point in a thousand."""

_BROKEN = 1e-7
"""What a row may be broken by, as a share, before that counts."""

_TIGHT = 1e-9
"""A multiplier above this holds the bound."""

_STALLED_ROUNDS = 4
_STALLED_SHARE = 0.05
"""Rounds of a pass end when several together close less than this share of the gap."""

_MOST_ROUNDS = 100
_MOST_PASSES = 10
_WORTH_A_PASS = 0.01
"""Rows are made tighter as long as that brings the bound down by such a share of the gap."""

_FEW_SITES, _FEW_CANDIDATES = 6, 700
"""What is decided in whole numbers without a limit of time: so few sites, or candidates."""

_MOST_NODES = 1000


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Least:
    """How well off the least covered of some parts is, and can be.

    Parameters
    ----------
    chosen
        The set of those known and found for which it is best off.
    low
        Its least share.
    high
        No set that keeps to the rules brings all of the parts above this.
    parts
        Those of the parts that the bound holds for.
    """

    chosen: NDArray[np.intp]
    low: float
    high: float
    parts: NDArray[np.intp]


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Shares:
    """What there is to gain, and what is covered of each part already; shapes (g,)."""

    covering: Covering
    held: NDArray[np.int64]
    all_of: NDArray[np.int64]
    cutter: Cutter

    @classmethod
    def of(cls, covering: Covering, held: NDArray[np.int64], all_of: NDArray[np.int64]) -> Shares:
        """Lay out the pairs of a covering, once for all questions."""
        return cls(covering=covering, held=held, all_of=all_of, cutter=Cutter(covering))

    def least(self, chosen: NDArray[np.intp], parts: NDArray[np.intp]) -> float:
        """Return the covered share of the least covered of some parts."""
        gained = self.held + self.covering.by_group(chosen)
        return float((gained[parts] / self.all_of[parts]).min())

    def lacking(self, chosen: NDArray[np.intp], floors: NDArray[np.int64] | None) -> bool:
        """Tell whether a set leaves some part below its floor."""
        return floors is not None and bool((self.covering.by_group(chosen) < floors).any())


def least_share(
    shares: Shares,
    rules: Rules,
    *,
    parts: NDArray[np.intp] | None = None,
    known: Sequence[NDArray[np.intp]] = (),
    enough: float | None = None,
    better: Callable[[NDArray[np.intp]], NDArray[np.intp]] | None = None,
    limit_s: float | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Least:
    """Tell how far the least covered of some parts of the area can be brought.

    Parameters
    ----------
    shares, rules
        What there is to gain, and what a set must keep to; floors are not looked at.
    parts
        Parts that are looked at, all where somebody lives if None.
    known
        Sets to begin with.
    enough
        The search ends as soon as a set brings all parts to this share, or none can.
    better
        Makes a set that is found fairer still.
    limit_s
        Seconds after which the bound stays as it is.
    clock
        What tells the seconds.

    Raises
    ------
    NoSetError
        If no set keeps to the rules.
    """
    looked_at = np.flatnonzero(shares.all_of > 0) if parts is None else parts
    search = _Search(shares, rules, looked_at, enough, limit_s, clock)
    for chosen in (rules.fixed, *known):
        search.offer(chosen)
    search.linear()
    search.lean(better or (lambda chosen: chosen))
    search.in_whole_numbers(better or (lambda chosen: chosen))
    return Least(
        chosen=search.best,
        low=search.low,
        high=max(search.high, search.low),
        parts=search.binding,
    )


def too_much(
    shares: Shares, rules: Rules, share: float, *, limit_s: float | None = None
) -> list[Least]:
    """Tell which parts cannot be brought to a share, and how far they can be.

    Returns
    -------
    list of Least
        One of each part that no set brings there by itself; where there is none, one of parts that
        each could be and not together, of which none can be left out. Empty if it is not proven
        that no set brings all parts there.
    """

    def bounded(parts: NDArray[np.intp], enough: float | None) -> Least:
        return least_share(shares, rules, parts=parts, enough=enough, limit_s=limit_s)

    here = np.flatnonzero((shares.all_of > 0) & (shares.held < share * shares.all_of))
    alone = [_alone(shares, rules, part, share, limit_s) for part in here.tolist()]
    alone = [each for each in alone if each.high < share]
    if alone:
        return alone
    together = bounded(here, share)
    if together.high >= share:
        return []
    for part in together.parts.tolist():
        rest = together.parts[together.parts != part]
        if part in together.parts and len(rest):
            less = bounded(rest, share)
            if less.high < share:
                together = less
    told = bounded(together.parts, None)
    return [dataclasses.replace(told, high=min(told.high, together.high), parts=together.parts)]


def _alone(shares: Shares, rules: Rules, part: int, share: float, limit_s: float | None) -> Least:
    """Tell how far one part can be brought by itself, as far as a share that would be enough."""
    held, all_of = shares.held[part], shares.all_of[part]
    only = shares.covering.part(part)
    wanted = math.ceil(share * all_of - held - 1e-9)
    best = prove(only, dataclasses.replace(rules, floors=None), target=wanted, limit_s=limit_s)
    if best.bound < wanted:
        best = prove(only, rules, limit_s=limit_s, start=[best.chosen])
    low, high = ((held + each) / all_of for each in (best.value, best.bound))
    return Least(chosen=best.chosen, low=float(low), high=float(high), parts=np.array([part]))


class _Search:
    """The best set so far, the bound, and the cuts that it is made of."""

    def __init__(
        self,
        shares: Shares,
        rules: Rules,
        parts: NDArray[np.intp],
        enough: float | None,
        limit_s: float | None,
        clock: Callable[[], float],
    ) -> None:
        import highspy  # noqa: PLC0415 - only who asks for a proof needs it

        self._highspy: Any = highspy
        self.shares, self.rules, self.parts, self.enough = shares, rules, parts, enough
        covering = shares.covering
        self.clock = clock
        self.until = math.inf if limit_s is None else clock() + limit_s
        self.best, self.low = rules.fixed, 0.0
        reach = covering.by_group(np.flatnonzero(rules.allowed))
        most = (shares.held + reach)[parts] / shares.all_of[parts]
        self.high, self.binding = float(most.min()), parts[[int(np.argmin(most))]]
        self.free = rules.allowed & (covering.alone > 0)
        self.free[rules.fixed] = True
        self.cuts: list[Cut] = []
        self.y = np.zeros(covering.n_candidates)

    @property
    def aim(self) -> float:
        """The share that a set must reach to be of interest."""
        return self.low + FINENESS if self.enough is None else self.enough

    def offer(self, chosen: NDArray[np.intp]) -> None:
        """Keep a set if its least covered part is better off than those so far."""
        low = self.shares.least(chosen, self.parts)
        if low > self.low and self.rules.keeps(chosen):
            self.best, self.low = chosen, low

    def done(self) -> bool:
        """Tell whether the search may end."""
        reached = self.enough is not None and self.low >= self.enough
        return reached or self.high < self.aim or self.clock() > self.until

    def _none_above(self, share: float) -> None:
        self.high = min(self.high, math.nextafter(share, 0.0))

    def new_cuts(self, y: NDArray[np.float64]) -> list[Cut]:
        """Return the cuts of the parts that are exact at some choice."""
        return self.shares.cutter.cuts_at(y, self.parts.tolist())

    # --- the linear program ---------------------------------------------------------------------

    def linear(self) -> None:
        """Bring the bound down by cuts, and again by rows that the new bound makes tighter."""
        self.cuts = self.new_cuts(np.zeros(self.shares.covering.n_candidates))
        for _ in range(_MOST_PASSES):
            before = self.high
            self._pass()
            if self.done() or before - self.high < _WORTH_A_PASS * (self.high - self.low):
                break

    def _pass(self) -> None:
        candidate = np.flatnonzero(self.free)
        n = len(candidate)
        solver = new_solver(self._highspy)
        lower = np.append(np.isin(candidate, self.rules.fixed).astype(float), 0.0)
        cost, upper = np.append(np.zeros(n), 1.0), np.append(np.ones(n), self.high)
        solver.addCols(
            n + 1, cost, lower, upper, 0, np.empty(0, np.int32), np.empty(0), np.empty(0)
        )
        rows: list[Row] = []

        def add(row: Row) -> None:
            solver.addRow(
                -self._highspy.kHighsInf, row.most, len(row.columns), row.columns, row.values
            )
            rows.append(row)

        for row in rule_rows(self.rules, candidate):
            add(row)
        for cut in self.cuts:
            add(self._share_row(cut, candidate))
        core: NDArray[np.float64] | None = None
        bounds: list[float] = []
        tight = np.zeros(0, dtype=bool)
        while len(bounds) < _MOST_ROUNDS:
            solver.run()
            if solver.getModelStatus() == self._highspy.HighsModelStatus.kInfeasible:
                msg = "no set keeps to the rules"
                raise NoSetError(msg, proven=True)
            solution = solver.getSolution()
            value = np.array(solution.col_value)
            y = np.zeros(self.shares.covering.n_candidates)
            y[candidate] = np.clip(value[:n], 0.0, 1.0)
            self.y = y
            multipliers = np.abs(np.array(solution.row_dual))
            self._tighten(rows, multipliers, candidate)
            tight = multipliers > _TIGHT
            bounds.append(self.high)
            if self.done() or self._stalled(bounds):
                break
            apart = spacing_rows(self.rules, candidate, y)
            for row in apart:
                add(row)
            # Between the answer, which jumps about, and where it has been: fewer rounds.
            core = y if core is None else 0.5 * core + 0.5 * y
            added = len(apart)
            for point in (core, y):
                if added > len(self.parts) // 4:
                    break
                for cut in self.new_cuts(point):
                    row = self._share_row(cut, candidate)
                    if value[row.columns] @ row.values > row.most + _BROKEN:
                        add(row)
                        added += 1
            if not added:
                break
        # Those that hold the bound, and those of no choice, which become tighter with it.
        of_none = self.cuts[: len(self.parts)]
        held = [row.cut for row, is_tight in zip(rows, tight, strict=False) if is_tight]
        self.cuts = [*of_none, *(cut for cut in held if cut is not None and cut not in of_none)]

    def _stalled(self, bounds: list[float]) -> bool:
        if len(bounds) <= _STALLED_ROUNDS:
            return False
        before, now = bounds[-1 - _STALLED_ROUNDS], bounds[-1]
        return before - now < _STALLED_SHARE * (now - self.low)

    def _share_row(self, cut: Cut, candidate: NDArray[np.intp]) -> Row:
        """Return a cut as a row: the share is at most what is held, and what candidates bring."""
        all_of = self.shares.all_of[cut.group]
        held = self.shares.held[cut.group] + cut.constant
        column = np.full(self.shares.covering.n_candidates, -1, dtype=np.int64)
        column[candidate] = np.arange(len(candidate))
        at = column[cut.candidate]
        needed = max(self.high * all_of - held, 0.0)
        brings = np.minimum(cut.coefficient[at >= 0], needed)
        columns = np.append(at[at >= 0], len(candidate)).astype(np.int32)
        return Row(columns, np.append(-brings / all_of, 1.0), held / all_of, cut)

    def _tighten(
        self, rows: list[Row], multipliers: NDArray[np.float64], candidate: NDArray[np.intp]
    ) -> None:
        """Take the bound that multipliers prove, whatever they are, and let candidates go."""
        n = len(candidate)
        sums, most = np.zeros(n + 1), 0.0
        for row, multiplier in zip(rows, multipliers.tolist(), strict=True):
            if multiplier:
                sums[row.columns] += multiplier * row.values
                most += multiplier * row.most
        gain, weight = -sums[:n], float(sums[n])
        fixed = np.isin(candidate, self.rules.fixed)
        bound = most + float(gain[fixed].sum()) + float(np.maximum(gain[~fixed], 0).sum())
        # A share that the rows hold by less than its weight is held by the bound of before.
        bound = (bound + max(1 - weight, 0.0) * self.high) / max(weight, 1.0) + 1e-9
        out = ~fixed & (bound + np.minimum(gain, 0) / max(weight, 1.0) < self.aim)
        self.free[candidate[out]] = False
        if bound < self.high:
            # A set with a candidate that was let go of reaches less than the aim, and maybe more
            # than this bound.
            self._none_above(max(bound, self.aim))
            held = [
                row.cut.group
                for row, multiplier in zip(rows, multipliers.tolist(), strict=True)
                if row.cut is not None and multiplier > _TIGHT
            ]
            self.binding = np.unique(np.array(held, dtype=np.intp)) if held else self.parts

    def lean(self, better: Callable[[NDArray[np.intp]], NDArray[np.intp]]) -> None:
        """Offer the set that the linear program leans to, made better."""
        if self.done():
            return
        chosen = self.rules.fixed
        for one in np.lexsort((np.arange(len(self.y)), -self.y))[: 4 * self.rules.count]:
            if self.y[one] > 0.02 and self.rules.may_join(chosen)[one]:
                chosen = np.append(chosen, one)
        self.offer(better(chosen))

    # --- in whole numbers -----------------------------------------------------------------------

    def in_whole_numbers(self, better: Callable[[NDArray[np.intp]], NDArray[np.intp]]) -> None:
        """Decide whether a set reaches more than the best, and how much more, by halves."""
        few = self.rules.count - len(self.rules.fixed) <= _FEW_SITES
        if not few and self.free.sum() > _FEW_CANDIDATES and math.isinf(self.until):
            return  # the bound of the linear program stands
        while not self.done():
            if not self._decide(self.aim, better):
                return
            middle = (self.low + self.high) / 2
            if self.enough is None and middle > self.aim and not self._decide(middle, better):
                return

    def _decide(self, share: float, better: Callable[[NDArray[np.intp]], NDArray[np.intp]]) -> bool:
        """Find a set that brings all parts to a share, or prove that none does; else False."""
        needed = np.ceil(share * self.shares.all_of - self.shares.held - 1e-9)
        candidate = np.flatnonzero(self.free)
        n, infinity = len(candidate), self._highspy.kHighsInf
        column = np.full(self.shares.covering.n_candidates, -1, dtype=np.int64)
        column[candidate] = np.arange(n)
        solver = new_solver(self._highspy)
        solver.setOptionValue("mip_max_nodes", _MOST_NODES)
        lower = np.isin(candidate, self.rules.fixed).astype(float)
        none, no_value = np.empty(0, np.int32), np.empty(0)
        solver.addCols(n, np.zeros(n), lower, np.ones(n), 0, none, none, no_value)
        whole = np.full(n, self._highspy.HighsVarType.kInteger)
        solver.changeColsIntegrality(n, np.arange(n, dtype=np.int32), whole)
        for row in rule_rows(self.rules, candidate):
            solver.addRow(-infinity, row.most, len(row.columns), row.columns, row.values)

        def add(cut: Cut, y: NDArray[np.float64] | None = None) -> bool:
            missing = needed[cut.group] - cut.constant
            if missing < 0.5:  # weights are whole
                return False
            at = column[cut.candidate]
            brings = np.minimum(cut.coefficient[at >= 0] / missing, 1.0)
            if y is not None and brings @ y[cut.candidate[at >= 0]] >= 1 - 1e-6:
                return False
            at = at[at >= 0].astype(np.int32)
            solver.addRow(1.0, infinity, len(at), at, brings)
            return True

        for cut in self.cuts:
            add(cut)
        while True:
            if math.isfinite(self.until):
                solver.setOptionValue("time_limit", max(self.until - self.clock(), 0.1))
            solver.run()
            status = solver.getModelStatus()
            if status == self._highspy.HighsModelStatus.kInfeasible:
                self._none_above(share)
                self.binding = self.parts
                return True
            if status != self._highspy.HighsModelStatus.kOptimal:
                return False
            y = np.zeros(self.shares.covering.n_candidates)
            y[candidate] = np.round(np.array(solver.getSolution().col_value))
            apart = spacing_rows(self.rules, candidate, y)
            for row in apart:
                solver.addRow(-infinity, row.most, len(row.columns), row.columns, row.values)
            new = [cut for cut in self.new_cuts(y) if add(cut, y)]
            self.cuts += new
            if not new and not apart:
                before, chosen = self.low, np.flatnonzero(y > 0.5)
                self.offer(better(chosen))
                self.offer(chosen)
                return self.low > before
