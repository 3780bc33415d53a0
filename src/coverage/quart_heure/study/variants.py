"""Variants: the same study at other paces, and under other assumptions.

A share without its sensitivity is half an answer: this module says how far each figure of the
whole area moves when something that nobody knows for sure is taken otherwise.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from quart_heure.analysis.accuracy import elsewhere_table
from quart_heure.analysis.freshness import confirmed, recent_since
from quart_heure.analysis.steep_ground import demanding_paths
from quart_heure.cache import Cache
from quart_heure.errors import StudyFileError
from quart_heure.profiles import ADULT, SLOW, STEP_FREE, WalkProfile
from quart_heure.stamp import creation_time
from quart_heure.study.bounds import LONGEST_MIN, MOST_CELLS, cells_around
from quart_heure.study.coverage import Coverage
from quart_heure.study.line import analyse, whole_area
from quart_heure.study.prepared import Prepared, fits, prepare
from quart_heure.study.study import Study

__all__ = ["paces", "sensitivity"]

_FIGURES = ("covered_pct", "residents_covered", "residents_covered_pct")

PACE_COLUMNS = (
    *("profile", "speed_kmh", "steps_allowed", "threshold_min", "category"),
    *_FIGURES,
)

SENSITIVITY_COLUMNS = (
    *("setting", "value", "level", "district_id", "label", "category"),
    *(name for figure in _FIGURES for name in (figure, f"{figure}_change")),
)

_SPEED_CHANGE = 0.10
_FASTEST_KMH = 10.0
_SNAPS_M = (50.0, 100.0, 150.0)
_USEFUL_SHARES = (0.001, 0.01, 0.05)
_CELLS_M = (25.0, 50.0)

_Progress = Callable[[str], None]


def paces(
    study: Study,
    profiles: Sequence[WalkProfile] = (ADULT, SLOW, STEP_FREE),
    thresholds: Sequence[float] = (10.0, 15.0),
    *,
    cache: Cache | None = None,
    progress: _Progress | None = None,
) -> pd.DataFrame:
    """Tell how the figures of the whole area move with the walker and the threshold.

    Parameters
    ----------
    study
        Everything else is as it says.
    profiles, thresholds
        Every walker with every threshold, in minutes. Streets of raw data are those that the study
        was read with: give the longest of these walks as ``walks_m`` of
        `quart_heure.study.file.read_study`.
    cache, progress
        As in `quart_heure.study.line.analyse`.

    Returns
    -------
    pandas.DataFrame
        Columns `PACE_COLUMNS`, one row per walker, threshold and category or composite.
    """
    if not profiles or not thresholds:
        msg = "There is no walker or no threshold to compare."
        raise StudyFileError(msg, hint="Give at least one of each.")
    tables = []
    like: tuple[Study, Prepared] | None = None
    asked = [(p, float(m)) for p in dict.fromkeys(profiles) for m in dict.fromkeys(thresholds)]
    with _kept(cache) as kept:
        for profile, minutes in asked:
            _say(progress, f"{profile.name}, {minutes:g} min")
            asked_so = study.replace(profile=profile, threshold_min=minutes)
            like = asked_so, _prepared(asked_so, like, kept)
            figures = whole_area(*like, cache=kept)
            tables.append(
                figures.assign(
                    profile=profile.name,
                    speed_kmh=profile.speed_kmh,
                    steps_allowed=profile.steps_allowed,
                    threshold_min=minutes,
                )
            )
    return pd.concat(tables, ignore_index=True)[list(PACE_COLUMNS)]


def sensitivity(
    study: Study, *, cache: Cache | None = None, progress: _Progress | None = None
) -> pd.DataFrame:
    """Tell how the figures of the whole area move when one assumption at a time is another.

    Parameters
    ----------
    study
        The assumptions to start from.
    cache, progress
        As in `quart_heure.study.line.analyse`.

    Returns
    -------
    pandas.DataFrame
        Columns `SENSITIVITY_COLUMNS`: first the study itself (setting ``base``, changes 0), then
        one row per variant (see `variants_of`) and category or composite. A change is the figure
        of the variant minus that of the study: percentage points, or people.
    """
    with _kept(cache) as kept:
        _say(progress, "base")
        coverage = _plain(study, kept)
        base = coverage.city
        tables = [_changes(base, base, "base", "")]
        _say(progress, "elsewhere")
        tables += _elsewhere_rows(coverage)
        for setting, value, other in variants_of(study):
            _say(progress, f"{setting} {value}")
            prepared = _prepared(other, (study, coverage.prepared), kept)
            figures = whole_area(other, prepared, cache=kept)
            tables.append(_changes(base, figures, setting, value))
    tables += _most_rows(base, "unknown_hours" if study.moment else "unknown_admission")
    return pd.concat(tables, ignore_index=True)


def variants_of(study: Study) -> Iterator[tuple[str, str, Study]]:
    """Give the variants of a study: the setting, its other value, and the study with it.

    Speed ±10 %, threshold ±1 minute, snapping within 50, 100 and 150 m, useful components of
    0.1, 1 and 5 %, cells of 25 and 50 m, mountain paths in or out where there are any, places of
    unknown status in or out, places that no recent source confirms out. What the study has
    already is not repeated.
    """
    profile = study.profile
    for change in (-_SPEED_CHANGE, _SPEED_CHANGE):
        speed = min(round(profile.speed_kmh * (1 + change), 4), _FASTEST_KMH)
        walker = dataclasses.replace(profile, speed_kmh=speed)
        yield "speed_kmh", f"{speed:g}", study.replace(profile=walker)
    for minutes in (study.threshold_min - 1, study.threshold_min + 1):
        if 0 < minutes <= LONGEST_MIN:
            yield "threshold_min", f"{minutes:g}", study.replace(threshold_min=minutes)
    numbers = {"snap_m": _SNAPS_M, "useful_share": _USEFUL_SHARES, "cell_m": _CELLS_M}
    for name, values in numbers.items():
        for value in values:
            too_small = name == "cell_m" and cells_around(study.area, value) > MOST_CELLS
            if value != getattr(study, name) and not too_small:
                yield name, f"{value:g}", study.replace(**{name: value})
    if profile.steps_allowed and demanding_paths(study.network, profile):
        allowed = not profile.demanding_allowed
        walker = dataclasses.replace(profile, demanding_allowed=allowed)
        yield "demanding_paths", "in" if allowed else "out", study.replace(profile=walker)
    counted = study.counted_status
    others = tuple(status for status in counted if status != "unknown")
    if others == counted:
        yield "unknown_status", "in", study.replace(counted_status=(*counted, "unknown"))
    elif others:
        yield "unknown_status", "out", study.replace(counted_status=others)
    table = study.services.table
    made = datetime.date.fromisoformat(creation_time()[:10])
    recent = confirmed(table, since=recent_since(study.date or made), until=made)
    if not recent.all():
        services = dataclasses.replace(study.services, table=table[recent].reset_index(drop=True))
        yield "unconfirmed_facts", "out", study.replace(services=services)


@contextlib.contextmanager
def _kept(cache: Cache | None) -> Iterator[Cache]:
    """Give the cache; one for this comparison alone where nothing is to be kept.

    Most variants meet the streets at the same places: finding them is what costs.
    """
    if cache is not None and cache.folder is not None:
        yield cache
        return
    with tempfile.TemporaryDirectory(prefix="quart-heure-") as folder:
        yield Cache(Path(folder))


def _prepared(study: Study, like: tuple[Study, Prepared] | None, cache: Cache) -> Prepared:
    """Prepare a study, unless what is prepared for one like it does."""
    if like is not None and fits(study, like[0]):
        return like[1]
    return prepare(study, cache=cache, like=like)


def _plain(study: Study, cache: Cache) -> Coverage:
    """Analyse a study; weeks, gaps and other isochrones are not looked at."""
    no_gap_ha = study.area.geometry.area
    plain = study.replace(
        isochrones_min=(study.threshold_min,), min_gap_ha=no_gap_ha, week=False, week_of=None
    )
    return analyse(plain, cache=cache)


def _elsewhere_rows(coverage: Coverage) -> list[pd.DataFrame]:
    """Return the figures with every service 15 m to each side, of districts too."""
    table = elsewhere_table(coverage.basis, essentials=coverage.study.essentials)
    keys = ["level", "district_id", "category"]
    base = table[table["side"] == ""].set_index(keys)
    rows = []
    for side, moved in table[table["side"] != ""].groupby("side", sort=False):
        for level, one in moved.groupby("level", sort=False):
            at = pd.MultiIndex.from_frame(one[keys])
            rows.append(
                _changes(
                    base.loc[at].reset_index(), one.reset_index(), "elsewhere", str(side)
                ).assign(level=level)
            )
    return rows


def _changes(base: pd.DataFrame, figures: pd.DataFrame, setting: str, value: str) -> pd.DataFrame:
    named = ["level", "district_id", "label", "category"]
    table = figures[[*named, *_FIGURES]].assign(setting=setting, value=value)
    for name in _FIGURES:
        change = figures[name].to_numpy(dtype=float) - base[name].to_numpy(dtype=float)
        table[f"{name}_change"] = np.round(change, 6) + 0.0
    return table[list(SENSITIVITY_COLUMNS)]


def _most_rows(base: pd.DataFrame, setting: str) -> list[pd.DataFrame]:
    """Return the figures with the services in of which hours or admission are not known."""
    if "covered_at_most_pct" not in base:
        return []
    residents = base["residents"] - base["residents_off_network"]
    most: dict[str, Any] = {
        "covered_pct": base["covered_at_most_pct"],
        "residents_covered": base["residents_covered_at_most"],
        "residents_covered_pct": 100
        * base["residents_covered_at_most"]
        / residents.where(residents > 0),
    }
    return [_changes(base, base.assign(**most), setting, "in")]


def _say(progress: _Progress | None, step: str) -> None:
    if progress is not None:
        progress(step)
