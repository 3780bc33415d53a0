"""Where next: the places where more services would help most, each with its proof."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NoReturn

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from quart_heure.analysis.siting.covering import PARTS_PER_PERSON, Covering, covering_of
from quart_heure.analysis.siting.exact import NoSetError, Proof, prove, quick
from quart_heure.analysis.siting.fair import Fair, fairest
from quart_heure.analysis.siting.mesh import MESH_M
from quart_heure.analysis.siting.plans import Fewest, curve, fewest, menu
from quart_heure.analysis.siting.rules import Rules
from quart_heure.analysis.statuses import STATUSES
from quart_heure.errors import CategoryError, StudyFileError
from quart_heure.sources.problems import problem_table
from quart_heure.study.candidates import MESH, Candidates, candidates_of
from quart_heure.study.coverage import Coverage
from quart_heure.study.elsewhere import Elsewhere
from quart_heure.study.siting_tables import (
    candidate_table,
    curve_table,
    district_table,
    gap_table,
    menu_table,
    site_table,
)
from quart_heure.study.study import Study

if TYPE_CHECKING:
    import geopandas as gpd

__all__ = ["Siting", "site"]

Weight = Literal["residents", "area", "second"]
Goal = Literal["cover", "backup"]

MOST_SITES = 50

_COVERED = STATUSES[: STATUSES.index("borderline_covered") + 1]


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
            _refuse(f"{self.count} sites cannot be asked for.", f"Ask for 1 to {MOST_SITES}.")
        if len(self.fixed) > self.count:
            what = f"{len(self.fixed)} candidates are fixed, and {self.count} sites asked for."
            _refuse(what, "Fix fewer, or ask for more sites.")
        both = sorted({*self.fixed} & {*self.forbidden})
        if both:
            _refuse(f"The candidate {both[0]!r} is fixed and forbidden.", "Leave one of them out.")
        for name in ("target_pct", "floor_pct", "within_pct"):
            value = getattr(self, name)
            if value is not None and not 0 <= value <= 100:
                _refuse(f"{name} is {value:g}, which is no share.", "Give a number from 0 to 100.")
        for name in ("spacing_m", "limit_s", "budget"):
            value = getattr(self, name)
            if value is not None and not (math.isfinite(value) and value >= 0):
                _refuse(f"{name} is {value}, which cannot be.", "Give a number above 0.")
        if self.most_per_district is not None and self.most_per_district < 1:
            _refuse("No site may be in any district.", "Allow one per district at least.")
        if not 0 <= self.alternatives <= 1000:
            _refuse(f"{self.alternatives} other sets cannot be listed.", "Ask for 0 to 1000.")
        if self.fair and (self.target_pct is not None or self.floor_pct is not None):
            _refuse("A fair plan has no target and no floor.", "Leave one of them out.")
        if self.fair and self.goal == "backup":
            _refuse("Fairness is of who is covered, not of who has a second service.", "Leave one.")


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
        Other sets, with what each gives up.
    gaps
        Gaps that the sites close or shrink.
    districts
        Share of each district before and after.
    curve
        What 1, 2 … sites gain at best; empty if it was not asked for.
    value, bound
        What the sites gain, and what no other set gains more than, in people (or hectares).
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
        """How much better another set could be at most, in per cent of the value."""
        if self.bound <= self.value:
            return 0.0
        return 100 * (self.bound - self.value) / self.value if self.value else math.inf


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
    ground = _Ground.of(coverage, category, question)
    covering = covering_of(
        elsewhere.reach(candidates.attachment),
        ground.weight,
        wanted=ground.wanted,
        group=ground.group,
    )
    # A district in which there is nothing to gain has its figures all the same.
    covering = dataclasses.replace(covering, n_groups=max(covering.n_groups, len(ground.all_of)))
    if not covering.alone.any():
        _refuse(
            f"No candidate would bring anybody new within {coverage.study.threshold_min:g} minutes"
            f" of a service of {category!r}.",
            "Give other candidates; perhaps everybody who can be reached is.",
        )
    say("search")
    rules = _rules(question, candidates, ground)
    answer = _answer(covering, rules, question, ground, coverage)
    say("tables")
    return _told(coverage, category, question, candidates, covering, rules, ground, answer)


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class _Ground:
    """What there is to gain where: weights, cells, and districts; shapes (n,), (n,), (n,), (g,)."""

    weight: NDArray[np.float64]
    wanted: NDArray[np.bool_]
    group: NDArray[np.int64]
    held: NDArray[np.int64]
    all_of: NDArray[np.int64]

    @classmethod
    def of(cls, coverage: Coverage, category: str, asked: Asked) -> _Ground:
        basis = coverage.basis
        cells, on = basis.cells, basis.on_network
        weight = _weights(coverage, asked.weight)
        covered = np.zeros(len(cells), dtype=bool)
        covered[cells.inside] = coverage.cells[f"status_{category}"].isin(_COVERED).to_numpy()
        wanted = on & ~covered
        if asked.goal == "backup":
            if basis.discreet[basis.of_category(category)].any():
                _refuse(
                    f"{category!r} counts a discreet place.",
                    "Who depends on a single one would tell where it is: ask for goal cover.",
                )
            wanted = basis.single[category]
        n_districts = len(coverage.study.area.districts)
        group = np.where(cells.district < 0, n_districts, cells.district).astype(np.int64)
        whole = np.rint(np.where(on, weight, 0.0) * PARTS_PER_PERSON).astype(np.int64)
        sums = [
            np.bincount(group[mask], weights=whole[mask], minlength=n_districts + 1)
            for mask in (on & covered, on)
        ]
        held, all_of = (np.rint(each).astype(np.int64) for each in sums)
        return cls(weight=weight, wanted=wanted, group=group, held=held, all_of=all_of)


def _weights(coverage: Coverage, weight: Weight) -> NDArray[np.float64]:
    basis, study = coverage.basis, coverage.study
    if weight == "area":
        return np.where(basis.on_network, basis.cells.cell_ha, 0.0)
    if weight == "residents":
        if basis.people is None:
            _refuse("The study has no residents.", "Add [residents], or ask for weight area.")
        return basis.people_on_network
    if study.weights is None:
        _refuse("The study has no second weight.", "Add [weights], or ask for another weight.")
    # As for the shares: those counted are spread evenly over the walkable area of their district.
    spread = np.zeros(len(basis.cells))
    for at, district in enumerate(study.area.districts["district_id"]):
        here = basis.on_network & (basis.cells.district == at)
        if here.any():
            spread[here] = study.weights.values.get(str(district), 0.0) / here.sum()
    return spread


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


def _refuse(what: str, hint: str) -> NoReturn:
    raise StudyFileError(what, hint=hint)


# --- the rules -----------------------------------------------------------------------------------


def _rules(asked: Asked, candidates: Candidates, ground: _Ground) -> Rules:
    allowed = np.ones(len(candidates.table), dtype=bool)
    allowed[_positions(candidates, asked.forbidden)] = False
    given: dict[str, Any] = {}
    if asked.most_per_district is not None:
        names = sorted(set(candidates.table["district_id"]) - {""})
        number = {name: at for at, name in enumerate(names)}
        given["district"] = np.array(
            [number.get(name, -1) for name in candidates.table["district_id"]], dtype=np.int64
        )
        given["most_per_district"] = asked.most_per_district
    if asked.spacing_m > 0:
        given |= {"xy": candidates.xy, "spacing_m": asked.spacing_m}
    if asked.budget is not None:
        cost = candidates.table["cost"].to_numpy(dtype=float)
        if not np.isfinite(cost).any():
            _refuse("There is a budget, and no candidate has a cost.", "Add a column 'cost'.")
        # What costs nobody knows how much is not paid for out of a budget.
        allowed &= np.isfinite(cost)
        given["cost"] = np.rint(np.where(np.isfinite(cost), cost, 0) * 100).astype(np.int64)
        given["budget"] = round(asked.budget * 100)
    if asked.floor_pct is not None:
        floors = np.ceil(asked.floor_pct / 100 * ground.all_of - ground.held)
        given["floors"] = np.maximum(floors, 0).astype(np.int64)
    fixed = _positions(candidates, asked.fixed)
    rules = Rules(count=asked.count, allowed=allowed, fixed=fixed, **given)
    if not dataclasses.replace(rules, floors=None).keeps(fixed):
        _refuse(
            "The fixed candidates do not keep to the rules themselves.",
            "Look at their district, cost and distance.",
        )
    return rules


def _positions(candidates: Candidates, names: Sequence[str]) -> NDArray[np.intp]:
    unknown = [name for name in names if name not in candidates.position]
    if unknown:
        some = ", ".join(list(candidates.position)[:3])
        left_out = any(row["value"] == unknown[0] for row in candidates.problems)
        why = "is off the streets or cannot be placed" if left_out else "is none"
        _refuse(f"The candidate {unknown[0]!r} {why}.", f"Candidates are called {some} …")
    places = [candidates.position[name] for name in dict.fromkeys(names)]
    return np.array(places, dtype=np.intp)


# --- the answer ----------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class _Answer:
    """The set, its proof, and what else was asked for."""

    proof: Proof
    fair: Fair | None = None
    fewest: Fewest | None = None
    best_total: int | None = None
    steps: Sequence[tuple[int, Proof]] = ()


def _answer(
    covering: Covering, rules: Rules, asked: Asked, ground: _Ground, coverage: Coverage
) -> _Answer:
    if asked.target_pct is not None:
        return _to_target(covering, rules, asked, ground)
    steps: tuple[tuple[int, Proof], ...] = ()
    if asked.curve:
        within = max(asked.within_pct / 100, 0.01)
        steps = tuple(curve(covering, rules, within=within, limit_s=asked.limit_s))
    free = dataclasses.replace(rules, floors=None)
    proof = _proof(covering, free, asked, start=[one.chosen for _, one in steps[-1:]])
    if rules.floors is not None:
        try:
            with_floors = _proof(covering, rules, asked)
        except NoSetError:
            _say_why(covering, rules, asked, ground, coverage)
            raise
        return _Answer(proof=with_floors, best_total=proof.value, steps=steps)
    if not asked.fair:
        return _Answer(proof=proof, steps=steps)
    fair = fairest(
        covering,
        rules,
        held=ground.held,
        all_of=ground.all_of,
        start=[proof.chosen],
        limit_s=asked.limit_s,
    )
    kept = Proof(chosen=fair.chosen, value=fair.value, bound=proof.bound, stopped=proof.stopped)
    return _Answer(proof=kept, fair=fair, best_total=proof.value, steps=steps)


def _proof(
    covering: Covering, rules: Rules, asked: Asked, *, start: Sequence[NDArray[np.intp]] = ()
) -> Proof:
    if not asked.exact:
        return quick(covering, rules)
    return prove(covering, rules, within=asked.within_pct / 100, limit_s=asked.limit_s, start=start)


def _to_target(covering: Covering, rules: Rules, asked: Asked, ground: _Ground) -> _Answer:
    share = (asked.target_pct or 0.0) / 100
    target = math.ceil(share * int(ground.all_of.sum())) - int(ground.held.sum())
    if asked.goal == "backup":
        target = math.ceil(share * covering.total)
    if target <= 0:
        _refuse(f"{asked.target_pct:g} % is reached already.", "Ask for a larger share.")
    at_most = int(ground.held.sum()) + covering.reachable
    if target > covering.reachable:
        could = 100 * at_most / max(int(ground.all_of.sum()), 1)
        if asked.goal == "backup":
            could = 100 * covering.reachable / max(covering.total, 1)
        _refuse(
            f"{asked.target_pct:g} % cannot be reached: all candidates together reach"
            f" {could:.2f} %.",
            "Ask for less, or give more candidates.",
        )
    most = dataclasses.replace(rules, count=min(MOST_SITES * 4, covering.n_candidates))
    found = fewest(covering, most, target=target, limit_s=asked.limit_s)
    if found is None:
        _refuse(
            f"No set that keeps to the rules and reaches {asked.target_pct:g} % was found.",
            "Ask for less, or drop a rule.",
        )
    bound = found.value if found.proven else covering.reachable
    proof = Proof(chosen=found.chosen, value=found.value, bound=bound)
    return _Answer(proof=proof, fewest=found)


def _say_why(
    covering: Covering, rules: Rules, asked: Asked, ground: _Ground, coverage: Coverage
) -> None:
    """Say which floor cannot be reached and how far one would come."""
    labels = [*coverage.study.area.districts["label"], ""]
    assert rules.floors is not None
    for part in np.flatnonzero(rules.floors):
        only = dataclasses.replace(
            covering, weight=np.where(covering.group == part, covering.weight, 0)
        )
        alone = prove(only, dataclasses.replace(rules, floors=None), limit_s=asked.limit_s)
        if alone.bound < rules.floors[part]:
            could = 100 * (ground.held[part] + alone.bound) / ground.all_of[part]
            _refuse(
                f"No {rules.count} sites bring {labels[part]!r} to {asked.floor_pct:g} %:"
                f" {could:.2f} % at most.",
                "Ask for a lower floor or for more sites.",
            )
    _refuse(
        f"No {rules.count} sites were found that bring every district to {asked.floor_pct:g} %,"
        " though each could be brought there by itself.",
        "Ask for a lower floor or for more sites; a fair plan tells how far one comes.",
    )


# --- what is told --------------------------------------------------------------------------------


def _told(
    coverage: Coverage,
    category: str,
    asked: Asked,
    candidates: Candidates,
    covering: Covering,
    rules: Rules,
    ground: _Ground,
    answer: _Answer,
) -> Siting:
    chosen, crs = answer.proof.chosen, coverage.study.area.crs
    others = menu(covering, rules, chosen, candidates.xy, size=asked.alternatives)
    newly = np.zeros(len(ground.weight), dtype=bool)
    newly[covering.cell[covering.count(chosen) > 0]] = True
    fair = answer.fair
    proven = answer.proof.proven
    if fair is not None:
        proven = fair.least_at_most - fair.least <= 1e-6
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
