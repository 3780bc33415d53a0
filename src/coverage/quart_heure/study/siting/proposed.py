"""Proposed: the places where more services would help most, with their proof."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from quart_heure.analysis.siting.covering import PARTS_PER_PERSON, Covering, covering_of
from quart_heure.analysis.siting.plans import menu
from quart_heure.analysis.siting.rules import Rules
from quart_heure.sources.problems import problem_table
from quart_heure.study.candidates import Candidates, candidates_of
from quart_heure.study.coverage import Coverage
from quart_heure.study.elsewhere import Elsewhere
from quart_heure.study.siting.answer import Answer, answer_of, rules_of
from quart_heure.study.siting.ground import Ground
from quart_heure.study.siting.question import Asked, check_category, refuse
from quart_heure.study.siting.tables import (
    candidate_table,
    curve_table,
    district_table,
    gap_table,
    menu_table,
    site_table,
)

if TYPE_CHECKING:
    import geopandas as gpd


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Siting:
    """Where services would help most. The data dictionary has the columns of each table.

    Parameters
    ----------
    coverage
        What was found for the services that there are.
    category, asked
        The question.
    sites
        The proposed sites, in the order in which each gains most.
    candidates
        Every candidate, with what is gained if one service opened there.
    alternatives
        Other sets, with what each gives up; with a target, as many sites that reach it, too.
    gaps
        Gaps that the sites close or shrink.
    districts
        Share of each district before and after.
    curve
        What 1, 2 … sites gain at best; empty if it was not asked for.
    value, bound
        What the sites gain, and what no other set gains more than, in people (or hectares), be
        it fair or not.
    wanted
        What there was to gain.
    proven
        Whether no other set is better (for a fair plan, whether no other brings the least covered
        district higher).
    stopped
        Whether a limit of time ended the search.
    at_least
        How many sites it takes at least to reach the target, None without a target.
    price
        What a fair plan, or one with floors, gives up against the best total that was found; None
        for others.
    least_pct, least_at_most_pct
        Share of the least covered district with a fair plan, and what no set brings it above; None
        for others.
    problems
        Candidates that were left out.
    """

    coverage: Coverage
    category: str
    asked: Asked
    sites: gpd.GeoDataFrame
    candidates: gpd.GeoDataFrame
    alternatives: pd.DataFrame
    gaps: pd.DataFrame
    districts: pd.DataFrame
    curve: pd.DataFrame
    value: float
    bound: float
    wanted: float
    proven: bool
    stopped: bool
    at_least: int | None = None
    price: float | None = None
    least_pct: float | None = None
    least_at_most_pct: float | None = None
    problems: pd.DataFrame = dataclasses.field(default_factory=problem_table)

    @property
    def gap_pct(self) -> float:
        """How much better another set could be at most, in per cent.

        Of the value; for a fair plan, of the share of its least covered district.
        """
        value, bound = self.value, self.bound
        if self.least_pct is not None and self.least_at_most_pct is not None:
            value, bound = self.least_pct, self.least_at_most_pct
        if self.proven or bound <= value:
            return 0.0
        return 100 * (bound - value) / value if value else math.inf


def site(
    coverage: Coverage,
    category: str,
    *,
    progress: Callable[[str], None] | None = None,
    **asked: Any,
) -> Siting:
    """Tell where services of a category should open next.

    Existing services stay. What is gained are the people (or the area) that none of them covers
    and one of the proposed sites would.

    Parameters
    ----------
    coverage
        What was found for the services that there are.
    category
        What is to open.
    progress
        As in `quart_heure.study.line.analyse`.
    asked
        Fields of `Asked`: ``count`` sites among ``candidates`` (``mesh``, every crossing on a mesh
        of ``mesh_m`` metres; ``services``, those of other categories; or a file), by ``weight``
        (``residents``, ``area``, or ``second``, the second weight of the study), with ``goal``
        ``cover`` or ``backup`` (a second service for who depends on a single one). ``fair`` asks
        for the least covered district first, ``target_pct`` for the fewest sites that bring the
        whole area to a share. Sets keep to ``fixed`` and ``forbidden`` candidates, at most so many
        per district (``most_per_district``), ``spacing_m`` between two, ``floor_pct`` in every
        district, and a ``budget``. The search ends when no set can be better by ``within_pct``,
        or after ``limit_s`` seconds; ``exact=False`` takes the answer of greedy and swap.
        ``alternatives`` is how many other sets are listed, ``curve`` asks what 1, 2 … sites gain.

    Raises
    ------
    CategoryError
        If the category is not in the study.
    StudyFileError
        If something is asked that cannot be: a candidate that is not there, floors that no set
        reaches, nothing to gain.
    """
    question, say = Asked(**asked), progress or (lambda _: None)
    check_category(coverage.study, category)
    elsewhere = Elsewhere(coverage=coverage)
    say("candidates")
    candidates = candidates_of(elsewhere, category, question.candidates, mesh_m=question.mesh_m)
    say("reach of the candidates")
    ground = Ground.of(coverage, category, question)
    covering = covering_of(
        elsewhere.reach(candidates.attachment),
        ground.weight,
        wanted=ground.wanted,
        group=ground.group,
    )
    # A district in which there is nothing to gain has its figures all the same.
    covering = dataclasses.replace(covering, n_groups=max(covering.n_groups, len(ground.all_of)))
    if not covering.alone.any():
        refuse(
            f"No candidate would bring anybody new within {coverage.study.threshold_min:g} minutes"
            f" of a service of {category!r}.",
            "Give other candidates; perhaps everybody who can be reached is.",
        )
    say("search")
    rules = rules_of(question, candidates, ground)
    answer = answer_of(covering, rules, question, ground, coverage)
    say("tables")
    return _told(coverage, category, question, candidates, covering, rules, ground, answer)


# --- what is told --------------------------------------------------------------------------------


def _told(
    coverage: Coverage,
    category: str,
    asked: Asked,
    candidates: Candidates,
    covering: Covering,
    rules: Rules,
    ground: Ground,
    answer: Answer,
) -> Siting:
    chosen, crs = answer.proof.chosen, coverage.study.area.crs
    if answer.fewest is not None:
        rules = dataclasses.replace(rules, count=len(chosen))
    others = menu(
        covering, rules, chosen, candidates.xy, size=asked.alternatives, at_least=answer.target
    )
    newly = np.zeros(len(ground.weight), dtype=bool)
    newly[covering.cell[covering.count(chosen) > 0]] = True
    fair = answer.fair
    proven = answer.proof.proven
    if fair is not None:
        proven = fair.proven
    if answer.fewest is not None:
        proven = answer.fewest.proven
    return Siting(
        coverage=coverage,
        category=category,
        asked=asked,
        sites=site_table(candidates, covering, chosen, category, crs),
        candidates=candidate_table(candidates, covering, chosen, category, crs),
        alternatives=menu_table(candidates, others, answer.proof.value, category),
        gaps=gap_table(coverage, category, newly)
        if asked.goal == "cover"
        else gap_table(coverage, category, np.zeros_like(newly)),
        districts=district_table(coverage, category, ground.held, ground.all_of, covering, chosen),
        curve=curve_table(answer.steps, ground.held, ground.all_of, category),
        value=answer.proof.value / PARTS_PER_PERSON,
        bound=answer.proof.bound / PARTS_PER_PERSON,
        wanted=covering.total / PARTS_PER_PERSON,
        proven=proven,
        stopped=answer.proof.stopped,
        at_least=None if answer.fewest is None else answer.fewest.at_least,
        price=None
        if answer.best_total is None
        else (answer.best_total - answer.proof.value) / PARTS_PER_PERSON,
        least_pct=None if fair is None else 100 * fair.least,
        least_at_most_pct=None if fair is None else 100 * fair.least_at_most,
        problems=problem_table(candidates.problems),
    )
