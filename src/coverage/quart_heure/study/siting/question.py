"""The question of where next, and what makes no sense whatever the study."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import Literal, NoReturn

from quart_heure.analysis.siting.mesh import MESH_M
from quart_heure.errors import CategoryError, StudyFileError
from quart_heure.study.candidates import MESH
from quart_heure.study.study import Study

Weight = Literal["residents", "area", "second"]
Goal = Literal["cover", "backup"]

MOST_SITES = 50


@dataclasses.dataclass(frozen=True, kw_only=True)
class Asked:
    """What is asked, besides the category; see `site`."""

    count: int = 3
    candidates: str | Path = MESH
    mesh_m: float = MESH_M
    weight: Weight = "residents"
    goal: Goal = "cover"
    fair: bool = False
    target_pct: float | None = None
    within_pct: float = 0.0
    limit_s: float | None = None
    exact: bool = True
    alternatives: int = 10
    curve: bool = False
    fixed: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()
    most_per_district: int | None = None
    spacing_m: float = 0.0
    floor_pct: float | None = None
    budget: float | None = None

    def __post_init__(self) -> None:
        """Refuse what makes no sense, whatever the study."""
        if not 1 <= self.count <= MOST_SITES:
            refuse(f"{self.count} sites cannot be asked for.", f"Ask for 1 to {MOST_SITES}.")
        if len(self.fixed) > self.count:
            what = f"{len(self.fixed)} candidates are fixed, and {self.count} sites asked for."
            refuse(what, "Fix fewer, or ask for more sites.")
        both = sorted({*self.fixed} & {*self.forbidden})
        if both:
            refuse(f"The candidate {both[0]!r} is fixed and forbidden.", "Leave one of them out.")
        for name in ("target_pct", "floor_pct", "within_pct"):
            value = getattr(self, name)
            if value is not None and not 0 <= value <= 100:
                refuse(f"{name} is {value:g}, which is no share.", "Give a number from 0 to 100.")
        for name in ("spacing_m", "limit_s", "budget"):
            value = getattr(self, name)
            if value is not None and not (math.isfinite(value) and value >= 0):
                refuse(f"{name} is {value}, which cannot be.", "Give a number above 0.")
        if self.most_per_district is not None and self.most_per_district < 1:
            refuse("No site may be in any district.", "Allow one per district at least.")
        if not 0 <= self.alternatives <= 1000:
            refuse(f"{self.alternatives} other sets cannot be listed.", "Ask for 0 to 1000.")
        if self.fair and (self.target_pct is not None or self.floor_pct is not None):
            refuse("A fair plan has no target and no floor.", "Leave one of them out.")
        if self.fair and self.goal == "backup":
            refuse("Fairness is of who is covered, not of who has a second service.", "Leave one.")


def check_category(study: Study, category: str) -> None:
    """Refuse a category that the study does not have.

    Raises
    ------
    CategoryError
        If it does not.
    """
    known = study.categories
    if category not in known:
        msg = f"{category!r} is not a category of this study."
        raise CategoryError(msg, hint=f"Its categories are {', '.join(known)}.")


def refuse(what: str, hint: str) -> NoReturn:
    """Refuse a question: what cannot be, and what to ask instead."""
    raise StudyFileError(what, hint=hint)
