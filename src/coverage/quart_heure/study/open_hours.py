"""In time: which hours of the week, of which service, would help most.

A place without an open service at an hour is a gap in time. A window is so many hours of one day in
which one service that is known would open, too. Windows are chosen as sites are: by greedy and
swap, with the proof of `quart_heure.analysis.siting.exact`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array

from quart_heure.analysis.siting.covering import PARTS_PER_PERSON, Covering
from quart_heure.analysis.siting.exact import in_best_order, prove
from quart_heure.analysis.siting.rules import Rules
from quart_heure.analysis.week import HOURS, OpenSet
from quart_heure.errors import StudyFileError
from quart_heure.network.limits import within
from quart_heure.study.coverage import Coverage
from quart_heure.study.siting import check_category

__all__ = ["OpenHours", "open_hours"]

WINDOW_COLUMNS = (
    *("rank", "category", "service_id", "name", "district_id", "day", "from_hour", "to_hour"),
    *("gain_added", "gain_alone", "gain_at_least", "people"),
)

DAY_H = 24
MOST_WINDOWS = 50
_MOST_UNITS = 50_000_000


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class OpenHours:
    """The windows of the week in which opening would help most.

    Parameters
    ----------
    coverage, category
        Of what.
    windows
        Columns `WINDOW_COLUMNS`, in the order in which each gains most. A gain is of residents
        (hectares, where they are not known) times hours of the week: those within the threshold of
        the service at an hour when no service in their reach is known to be open. ``gain_at_least``
        counts, of what a window adds, those alone of whom no service in reach is perhaps open
        either; ``people`` how many gain at some hour of it.
    value, bound
        What the windows gain together, and what no other choice of so many gains more than.
    wanted
        Residents (hectares) times hours of the week without a service that is known to be open,
        in reach of one that is known: all that opening hours could gain.
    hours
        The length of a window.
    count
        How many windows were asked for.
    stopped
        Whether a limit of time ended the search.
    """

    coverage: Coverage
    category: str
    windows: pd.DataFrame
    value: float
    bound: float
    wanted: float
    hours: int
    count: int
    stopped: bool

    @property
    def proven(self) -> bool:
        """Whether no other choice gains more."""
        return self.bound <= self.value


def open_hours(
    coverage: Coverage,
    category: str,
    *,
    count: int = 3,
    hours: int = 3,
    between: tuple[int, int] = (7, 22),
    days: Sequence[int] = (1, 2, 3, 4, 5, 6, 7),
    per_service: int = 1,
    limit_s: float | None = None,
) -> OpenHours:
    """Tell in which windows of the week services should open, too.

    Parameters
    ----------
    coverage
        With its week, and of no moment; not a published one.
    category
        One of its categories.
    count
        How many windows.
    hours
        The length of each, in whole hours.
    between
        First and last hour of the day that a window may begin and end at.
    days
        Days of the week, 1 is Monday.
    per_service
        The most windows of one service.
    limit_s
        Seconds after which the search ends with what it has.

    Raises
    ------
    CategoryError
        If the study does not have the category.
    StudyFileError
        If the coverage has no week, no service that may be shown counts, nothing is to be gained,
        or a number cannot be.

    Notes
    -----
    Discreet places count in what is covered, their hours being unknown; none is proposed.
    """
    check_category(coverage.study, category)
    _check(coverage, count, hours, between, days, per_service)
    services = coverage.services
    mine = np.flatnonzero(
        (services["counted"] & (services["category"] == category)).to_numpy(dtype=bool)
    )
    shown = ~services["discreet"].to_numpy(dtype=bool)[mine]
    if not shown.any():
        msg = f"No service of {category!r} that may be shown counts."
        raise StudyFileError(msg, hint="Hours are of services that there are: see site.")
    classes, weight = _classes(coverage, mine)
    known_open, unknown = _states(coverage, category, mine)
    # By class and hour: somebody in reach is known to be open, or perhaps is.
    sure = (classes @ known_open) > 0
    perhaps = (classes @ unknown) > 0
    windows = [
        (at, day, begin)
        for at in np.flatnonzero(shown).tolist()
        for day in sorted({day - 1 for day in days})
        for begin in range(between[0], between[1] - hours + 1)
    ]
    covering = _covering(classes, weight, ~sure, windows, hours)
    if not covering.alone.any():
        msg = f"No window of {hours} hours would help anybody to a service of {category!r}."
        raise StudyFileError(msg, hint="Give longer windows, or other hours of the day.")
    rules = Rules(
        count=count,
        allowed=np.ones(len(windows), dtype=bool),
        district=np.array([at for at, _, _ in windows], dtype=np.int64),
        most_per_district=per_service,
    )
    proof = prove(covering, rules, limit_s=limit_s)
    chosen = in_best_order(covering, proof.chosen)
    certain = dataclasses.replace(
        covering, weight=np.where(~perhaps.ravel()[covering.cell], covering.weight, 0)
    )
    table = _table(coverage, category, mine, [windows[at] for at in chosen], hours)
    table["gain_added"] = covering.in_turn(chosen) / PARTS_PER_PERSON
    table["gain_alone"] = covering.alone[chosen] / PARTS_PER_PERSON
    table["gain_at_least"] = certain.in_turn(chosen) / PARTS_PER_PERSON
    table["people"] = [
        weight[np.unique(covering.cell[covering.cells_of(int(at))] // HOURS)].sum()
        / PARTS_PER_PERSON
        for at in chosen
    ]
    return OpenHours(
        coverage=coverage,
        category=category,
        windows=table[list(WINDOW_COLUMNS)],
        value=proof.value / PARTS_PER_PERSON,
        bound=proof.bound / PARTS_PER_PERSON,
        wanted=float((weight[:, None] * ~sure).sum()) / PARTS_PER_PERSON,
        hours=hours,
        count=count,
        stopped=proof.stopped,
    )


def check_asked(
    count: int,
    hours: int,
    between: tuple[int, int],
    days: Sequence[int] = (1,),
    per_service: int = 1,
) -> None:
    """Refuse numbers that cannot be, before an analysis.

    Raises
    ------
    StudyFileError
        If one cannot be.
    """
    if not 1 <= count <= MOST_WINDOWS:
        msg = f"{count} windows cannot be asked for."
        raise StudyFileError(msg, hint=f"Ask for 1 to {MOST_WINDOWS}.")
    if not days or not all(1 <= day <= HOURS // DAY_H for day in days):
        msg = f"Days {list(days)} are not all days of a week."
        raise StudyFileError(msg, hint="Give days from 1, Monday, to 7.")
    if per_service < 1:
        msg = "No window of any service may be chosen."
        raise StudyFileError(msg, hint="Allow one per service at least.")
    if not 0 <= between[0] < between[1] <= DAY_H:
        msg = f"Windows between {between[0]} and {between[1]} o'clock cannot be."
        raise StudyFileError(msg, hint="Give two whole hours of a day, such as 7 22.")
    if not 1 <= hours <= between[1] - between[0]:
        msg = f"A window of {hours} hours does not fit between {between[0]} and {between[1]}."
        raise StudyFileError(msg, hint="Give fewer hours, or a longer day.")


def _check(
    coverage: Coverage,
    count: int,
    hours: int,
    between: tuple[int, int],
    days: Sequence[int],
    per_service: int,
) -> None:
    check_asked(count, hours, between, days, per_service)
    if coverage.published:
        msg = "Discreet places were taken out of this coverage: nothing can be asked of it."
        raise StudyFileError(msg, hint="Analyse the study, and publish what comes of it.")
    if coverage.week is None or coverage.study.moment is not None:
        msg = "Hours of the week are looked at in a study of a week, and of no moment."
        raise StudyFileError(msg, hint="Analyse the study with week=True and without at or on.")


def _classes(
    coverage: Coverage, mine: NDArray[np.intp]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return which services the cells of each class have in reach, and what a class weighs.

    Returns
    -------
    tuple
        Shapes (k, s) and (k,): cells that have the same services in reach gain at the same hours.
    """
    basis = coverage.basis
    reach = basis.reach_of_all().take(mine)
    member = np.zeros((len(basis.cells), len(mine)), dtype=bool)
    for at in range(len(mine)):
        place, minutes = reach.of(at)
        member[place[within(minutes, basis.threshold_min)], at] = True
    weight = np.where(basis.on_network, basis.cells.cell_ha, 0.0)
    if basis.people is not None:
        weight = basis.people_on_network
    here = np.flatnonzero(member.any(axis=1) & (weight > 0))
    _, first, inverse = np.unique(
        np.packbits(member[here], axis=1), axis=0, return_index=True, return_inverse=True
    )
    sums = np.bincount(inverse.ravel(), weights=weight[here], minlength=len(first))
    whole = np.rint(sums * PARTS_PER_PERSON).astype(np.int64)
    return member[here[first]].astype(np.int64), whole


def _states(
    coverage: Coverage, category: str, mine: NDArray[np.intp]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return which services are known to be open, and perhaps are, at each hour; (s, 168)."""
    week = coverage.week
    assert week is not None  # `_check` refused it
    number = {int(position): at for at, position in enumerate(mine)}
    open_, unknown = (np.zeros((len(mine), HOURS), dtype=np.int64) for _ in range(2))
    sets: tuple[OpenSet, ...] = week.sets[category]
    for hour, which in enumerate(week.state_of_hour[category].tolist()):
        open_[[number[one] for one in sets[which].open if one in number], hour] = 1
        unknown[[number[one] for one in sets[which].unknown if one in number], hour] = 1
    return open_, unknown


def _covering(
    classes: NDArray[np.int64],
    weight: NDArray[np.int64],
    wanted: NDArray[np.bool_],
    windows: list[tuple[int, int, int]],
    hours: int,
) -> Covering:
    """Return what each window would cover: classes at hours, as cells of a covering."""
    unit = np.flatnonzero((wanted & (weight[:, None] > 0)).ravel())
    row = np.full(wanted.size, -1, dtype=np.int64)
    row[unit] = np.arange(len(unit))
    members = [np.flatnonzero(classes[:, at]) for at in range(classes.shape[1])]
    if sum(len(members[at]) for at, _, _ in windows) * hours > _MOST_UNITS:
        msg = "There are too many services and windows to compare."
        raise StudyFileError(msg, hint="Ask for one district's study, or for fewer hours of a day.")
    found = []
    for at, day, begin in windows:
        clock = day * DAY_H + begin + np.arange(hours)
        units = row[(members[at][:, None] * HOURS + clock).ravel()]
        found.append(np.sort(units[units >= 0]))
    ends = np.concatenate([[0], np.cumsum([len(each) for each in found])])
    indices = np.concatenate(found) if found else np.empty(0, dtype=np.int64)
    pairs = csr_array(
        (np.ones(len(indices)), indices.astype(np.int32), ends.astype(np.int32)),
        shape=(len(windows), len(unit)),
    )
    return Covering(
        pairs=pairs,
        weight=weight[unit // HOURS],
        group=unit % HOURS // DAY_H,
        n_groups=HOURS // DAY_H,
        cell=unit,
    )


def _table(
    coverage: Coverage,
    category: str,
    mine: NDArray[np.intp],
    windows: list[tuple[int, int, int]],
    hours: int,
) -> pd.DataFrame:
    services = coverage.services.iloc[mine[[at for at, _, _ in windows]]]
    return pd.DataFrame(
        {
            "rank": np.arange(1, len(windows) + 1),
            "category": category,
            "service_id": services["service_id"].to_numpy(dtype=object),
            "name": services["name"].to_numpy(dtype=object),
            "district_id": services["district_id"].to_numpy(dtype=object),
            "day": [day + 1 for _, day, _ in windows],
            "from_hour": [begin for _, _, begin in windows],
            "to_hour": [begin + hours for _, _, begin in windows],
        }
    )
