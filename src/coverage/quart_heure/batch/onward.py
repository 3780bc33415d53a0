"""Onward: what follows on an order that ended, until its territory is done or has failed.

Most territories are one order. One that is cut goes on: an order for each of its tiles, and one
that joins them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from quart_heure.batch.task import Order, Outcome, added
from quart_heure.batch.tiles import JoinStep, TileStep

if TYPE_CHECKING:
    from quart_heure.batch.tiles import Cutting, Parcel

Waiting = dict[str, tuple[Order, int]]
"""Orders that have not ended, by their keys, and at which attempt each is."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Attempt:
    """How an order ended, and at which attempt."""

    order: Order
    outcome: Outcome
    number: int


@dataclasses.dataclass(eq=False)
class _Cut:
    """A territory that was cut: what was found so far, and what that took."""

    order: Order
    cutting: Cutting
    found: dict[int, Parcel]
    spent: Mapping[str, Any]
    attempts: int


class Course:
    """The course of territories that are cut, as long as the orders of a batch are carried out."""

    def __init__(self, tell: Callable[[str], None], say: Callable[[str], None]) -> None:
        self._tell, self._say = tell, say
        self._cut: dict[str, _Cut] = {}

    def after(self, attempt: Attempt, waiting: Waiting) -> Attempt | None:
        """Add to what waits what follows on an order; return how its territory ended, if it did."""
        order, outcome = attempt.order, attempt.outcome
        code = order.territory.code
        if outcome.cutting is not None:
            self._begin(attempt, outcome.cutting, waiting)
            return None
        one = self._cut.get(code)
        if one is None:
            return attempt
        one.attempts = max(one.attempts, attempt.number)
        if isinstance(order.step, TileStep) and outcome.found is not None:
            one.spent = added(one.spent, _cost_of(outcome))
            one.found[order.step.number] = outcome.found
            count = len(one.cutting.steps)
            self._say(f"{one.order.label}: {len(one.found)} of {count} tiles")
            self._join(one, waiting)
            return None
        return self._ended(one, attempt, waiting)

    def forget(self, code: str) -> None:
        """Forget a territory that was finished by somebody."""
        self._cut.pop(code, None)

    def _begin(self, attempt: Attempt, cutting: Cutting, waiting: Waiting) -> None:
        order = attempt.order
        spent = added(_NOTHING, _cost_of(attempt.outcome))
        one = _Cut(order, cutting, dict(cutting.found), spent, attempt.number)
        self._cut[order.territory.code] = one
        before = f"; {len(one.found)} of them were searched before" if one.found else ""
        self._tell(f"{order.label}: is cut into {len(cutting.steps)} tiles{before}.")
        for step in cutting.steps:
            if step.number not in one.found:
                tile = dataclasses.replace(order, step=step)
                waiting[tile.key] = tile, 1
        self._join(one, waiting)

    @staticmethod
    def _join(one: _Cut, waiting: Waiting) -> None:
        steps = one.cutting.steps
        if len(one.found) < len(steps):
            return
        step = JoinStep(
            digest=one.cutting.digest,
            tile_cells=one.order.tile_cells or 0,
            found=tuple(one.found[step.number] for step in steps),
            spent=one.spent,
        )
        joining = dataclasses.replace(one.order, step=step)
        waiting[joining.key] = joining, 1

    def _ended(self, one: _Cut, attempt: Attempt, waiting: Waiting) -> Attempt:
        """Return how a territory ended: of one of whose tiles none was found, the others go."""
        self.forget(one.order.territory.code)
        outcome = attempt.outcome
        if outcome.batch is None:
            for step in one.cutting.steps:
                waiting.pop(dataclasses.replace(one.order, step=step).key, None)
            where = attempt.order.label.removeprefix(one.order.label).removeprefix(", ")
            reason = f"{where.capitalize()}: {outcome.reason}" if where else outcome.reason
            outcome = dataclasses.replace(outcome, reason=reason)
        outcome = dataclasses.replace(outcome, **added(one.spent, _cost_of(outcome)))
        return Attempt(order=one.order, outcome=outcome, number=one.attempts)


def _cost_of(outcome: Outcome) -> dict[str, Any]:
    return {name: getattr(outcome, name) for name in _NOTHING}


_NOTHING = {"seconds": 0.0, "cpu_seconds": 0.0, "peak_mb": None}
