"""Program: candidates, rules and cuts as a linear program, kept warm while rows come and go.

Variables are the candidates and one gain per part of the area, held down by cuts
(`quart_heure.analysis.siting.cuts`); what looks for the best set with it is
`quart_heure.analysis.siting.exact`.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quart_heure.analysis.siting.covering import Covering
from quart_heure.analysis.siting.cuts import Cut
from quart_heure.analysis.siting.rows import SLACK, Row, new_solver, rule_rows, spacing_rows
from quart_heure.analysis.siting.rules import Rules

_IDLE_ROUNDS = 8
"""A cut that has not been tight for so many rounds leaves the program."""


@dataclasses.dataclass(eq=False)
class Answer:
    """A solution of the program: candidates, gains, and multipliers of its rows."""

    y: NDArray[np.float64]
    theta: NDArray[np.float64]
    row_dual: NDArray[np.float64]
    bound: float = math.inf


class Program:
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
        self._solver = new_solver(highspy)
        none, no_value = np.empty(0, np.int32), np.empty(0)
        cost = np.concatenate([np.zeros(n), np.ones(g)])
        lower = np.concatenate([self._in.astype(float), self._floors * scale])
        upper = np.concatenate([np.ones(n), np.maximum(self._totals, self._floors) * scale])
        self._solver.addCols(n + g, cost, lower, upper, 0, none, none, no_value)
        self._rows: list[Row] = []
        for row in rule_rows(rules, self._candidate):
            self._add_row(row)

    def _add_row(self, row: Row) -> None:
        infinity = self._highspy.kHighsInf
        self._solver.addRow(-infinity, row.most, len(row.columns), row.columns, row.values)
        self._rows.append(row)

    @property
    def n_cuts(self) -> int:
        """Number of cuts in the program."""
        return sum(row.cut is not None for row in self._rows)

    def add(self, cuts: list[Cut], *, broken_at: Answer | None = None) -> int:
        """Add cuts, only those that an answer breaks if one is given; return how many."""
        added = 0
        for cut in cuts:
            if broken_at is not None:
                most = cut.at(broken_at.y) * self._scale
                if broken_at.theta[cut.group] <= most + SLACK:
                    continue
            self._add_row(self._row_of(cut))
            added += 1
        return added

    def space_out(self, answer: Answer) -> int:
        """Add rows that an answer breaks on how near two candidates may be; return how many."""
        rows = spacing_rows(self._rules, self._candidate, answer.y)
        for row in rows:
            self._add_row(row)
        return len(rows)

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

    def solve(self) -> Answer | None:
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

    def _answer(self, value: NDArray[np.float64], dual: NDArray[np.float64]) -> Answer:
        n = len(self._candidate)
        y = np.zeros(len(self._column))
        y[self._candidate] = np.clip(value[:n], 0.0, 1.0)
        return Answer(y, value[n:], dual)

    def safe_bound(self, answer: Answer) -> tuple[float, NDArray[np.float64]]:
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
    ) -> Answer | None:
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
        small = new_solver(highspy)
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

    def _row_of(self, cut: Cut) -> Row:
        """Return a cut as a row."""
        column = self._column[cut.candidate]
        here = column >= 0
        columns = np.append(column[here], len(self._candidate) + cut.group).astype(np.int32)
        values = np.append(-cut.coefficient[here] * self._scale, 1.0)
        return Row(columns, values, cut.constant * self._scale, cut)
