"""By cause: how much of a change is of services, streets, residents, limits, parameters, program.

One thing at a time is taken from the later run while all others stay as in the earlier one. What
the changes do together beyond that is a row of its own, so that the rows add up to the whole. The
share of the program is what today's program finds with the inputs of a run, against what that run
has in its files.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd

from quart_heure.cache import Cache
from quart_heure.outputs.runs.figures import KEYS, figures_of
from quart_heure.outputs.runs.rerun import AtHand, recomputed
from quart_heure.stamp import tool_version
from quart_heure.study.definition_changes import definitions_date
from quart_heure.study.study import Study

INPUTS: Mapping[str, tuple[str, ...]] = {
    "services": ("services", "hours"),
    "streets": ("network", "heights", "background"),
    "residents": ("residents", "weights"),
    "limits": ("districts",),
}
"""Causes that are inputs, in the order in which they are told, and the roles of their files."""

_FIELDS: Mapping[str, tuple[str, ...]] = {
    # The last place of a category that goes takes its judgement along, and so does the first.
    "services": ("services", "school", "judged"),
    "streets": ("network", "heights", "ground", "background_file", "streets_file"),
    "residents": ("residents", "weights"),
    "limits": ("area",),
    "parameters": (
        *("categories", "profile", "person", "threshold_min", "isochrones_min", "cell_m"),
        *("snap_m", "min_gap_ha", "counted_status", "useful_share", "date", "at", "on"),
        *("between", "stay_min", "country"),
    ),
}
"""Fields of a study that each cause is made of."""

CAUSES = (*INPUTS, "parameters", "program", "together", "unseparated")
"""Rows of a comparison by cause, in their order."""

_OF_PROGRAM = frozenset(
    {"borderline_pct", "barrier_share_pct", "entries_within_m", "entries_nearest_factor"}
)
"""Parameters that nobody asks: they are the program's."""

_SILENT = _OF_PROGRAM | {
    *("area", "crs", "heights", "ground", "margin_m", "departements", "school_holidays"),
    *("week_of", "week_is_newest", "unjudged"),
}
"""Parameters that follow from others or from inputs, or move no figure that is compared."""


_NOTHING = 1e-6


@dataclasses.dataclass(frozen=True)
class Cause:
    """What is known of one cause.

    Parameters
    ----------
    name
        One of `CAUSES`.
    changed
        Whether it differs between the two runs.
    how
        ``unchanged``, ``recomputed``, ``alone`` (nothing else differs), or ``unseparated``.
    what
        What differs, in words: files, parameters, versions.
    """

    name: str
    changed: bool
    how: str
    what: tuple[str, ...] = ()


def differing(earlier: Mapping[str, Any], later: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Tell which causes differ between two manifests, each with what differs in it."""
    found: dict[str, tuple[str, ...]] = {}
    for cause, roles in INPUTS.items():
        before, after = _both_files(earlier, later, roles)
        if before != after:
            names = [*(name for name, _ in before - after), *(name for name, _ in after - before)]
            found[cause] = tuple(sorted(set(names)))
    changed = [
        f"{key}: {_plain(was)} → {_plain(now)}"
        for key, was, now in _parameter_pairs(earlier, later)
    ]
    if changed:
        found["parameters"] = tuple(changed)
    if _program(earlier) != _program(later):
        found["program"] = (f"{_version(earlier)} → {_version(later)}",)
    return found


def by_cause(
    stored: tuple[pd.DataFrame, pd.DataFrame],
    at_hand: tuple[AtHand, AtHand],
    *,
    cache: Cache,
    progress: Callable[[str], None] | None = None,
) -> tuple[pd.DataFrame, tuple[Cause, ...]]:
    """Split the change of every figure by cause.

    Parameters
    ----------
    stored
        Figures of both runs as their files have them: see `figures_of`.
    at_hand
        What is left of the inputs of both.
    cache, progress
        As in `quart_heure.study.line.analyse`.

    Returns
    -------
    tuple
        A row per figure and cause (``KEYS``, ``cause``, ``change``), whose changes add up to the
        change of the figure; and what is known of each cause.
    """
    before, after = stored
    total = _difference(before, after)
    earlier, later = at_hand
    differ = differing(earlier.manifest, later.manifest)
    shares: dict[str, pd.Series[float]] = {}
    how = dict.fromkeys(CAUSES, "unchanged")
    say = progress or (lambda _: None)
    if earlier.whole and later.whole:
        pair = _Pair.read(earlier, later, cache)
        again = [pair.figures(cause, cache, say) for cause in ("", "all")]
        ends = _difference(before, again[0]), _difference(again[1], after)
        shares["program"] = sum((end.reindex(total.index) for end in ends), 0 * total)
        changed = [cause for cause in _FIELDS if pair.differs(cause)]
        for cause in changed:
            # Of one cause alone, the later run itself is the run with it.
            other = again[1] if len(changed) == 1 else pair.figures(cause, cache, say)
            shares[cause] = _difference(again[0], other).reindex(total.index)
            how[cause] = "recomputed"
            differ.setdefault(cause, ())
        how["program"] = "recomputed"
        if bool((shares["program"].abs() > _NOTHING).any()):
            differ.setdefault("program", ())
        if len(changed) > 1:
            shares["together"] = total - sum(shares.values(), 0 * total)
    else:
        shares, how = _partly(stored, at_hand, differ, how, total, cache, say)
    rows = [
        pd.DataFrame({"cause": cause, "change": shares[cause].round(4) + 0.0}).reset_index()
        for cause in CAUSES
        if cause in shares
    ]
    table = pd.concat(rows, ignore_index=True) if rows else _no_rows(total)
    causes = [
        Cause(cause, cause in differ, how[cause], differ.get(cause, ()))
        for cause in CAUSES
        if cause not in {"together", "unseparated"}
    ]
    return table, tuple(causes)


def _partly(
    stored: tuple[pd.DataFrame, pd.DataFrame],
    at_hand: tuple[AtHand, AtHand],
    differ: dict[str, tuple[str, ...]],
    how: dict[str, str],
    total: pd.Series[float],
    cache: Cache,
    say: Callable[[str], None],
) -> tuple[dict[str, pd.Series[float]], dict[str, str]]:
    """Split a change of which one run, or both, cannot be recomputed.

    What is left once the others are known is of the only cause that remains; of several that
    remain it is not told apart.
    """
    shares: dict[str, pd.Series[float]] = {}
    open_ = [cause for cause in CAUSES if cause in differ]
    ends = [at for at, one in enumerate(at_hand) if one.whole]
    if len(ends) == 1 and len(open_) > 1:
        at, one, other = ends[0], at_hand[ends[0]], at_hand[1 - ends[0]]
        say("as it was" if at == 0 else "as it is")
        found = figures_of(_plain_run(one.study(cache), one.manifest, cache))
        if "program" in open_ and _of_today(other.manifest):
            ends_of = (stored[0], found) if at == 0 else (found, stored[1])
            shares["program"] = _difference(*ends_of).reindex(total.index)
            open_.remove("program")
        if "parameters" in open_ and len(open_) > 1:
            say("parameters")
            # The parameters of the other run stand in its manifest, whatever became of its files.
            asked = dataclasses.replace(one, manifest=other.manifest)
            moved = figures_of(_plain_run(asked.study(cache), one.manifest, cache))
            pair = (found, moved) if at == 0 else (moved, found)
            shares["parameters"] = _difference(*pair).reindex(total.index)
            open_.remove("parameters")
        how |= dict.fromkeys(shares, "recomputed")
    rest = total - sum(shares.values(), 0 * total)
    if len(open_) == 1:
        shares[open_[0]], how[open_[0]] = rest, "alone"
    elif open_ or bool((rest.abs() > _NOTHING).any()):
        shares["unseparated"] = rest
        how |= dict.fromkeys(open_, "unseparated")
    return shares, how


@dataclasses.dataclass(frozen=True, eq=False)
class _Pair:
    """The studies of two runs, and those between them."""

    earlier: Study
    later: Study
    wide: tuple[Study, Study]
    manifests: tuple[Mapping[str, Any], Mapping[str, Any]]
    settings: tuple[Any, Any]

    @classmethod
    def read(cls, earlier: AtHand, later: AtHand, cache: Cache) -> _Pair:
        studies = earlier.study(cache), later.study(cache)
        reach_m = max(study.margin_m for study in studies)
        # Streets of raw data end where the walk of their study does: the other's may be longer.
        wide = tuple(
            study if study.margin_m == reach_m else one.study(cache, walks_m=reach_m)
            for study, one in zip(studies, (earlier, later), strict=True)
        )
        return cls(
            *studies,
            (wide[0], wide[1]),
            (earlier.manifest, later.manifest),
            (earlier.settings, later.settings),
        )

    def differs(self, cause: str) -> bool:
        """Tell whether a cause is another in the later study: its files, or how they are read."""
        before, after = self.settings
        if cause == "parameters":
            return any(
                getattr(self.earlier, name) != getattr(self.later, name) for name in _FIELDS[cause]
            ) or self._essentials(self.earlier) != self._essentials(self.later)
        files, files_after = _both_files(*self.manifests, INPUTS[cause])
        if files != files_after:
            return True
        tables = {
            "services": ("services", "hours"),
            "streets": ("network",),
            "residents": ("residents", "weights"),
            "limits": ("area",),
        }
        bare = [
            dataclasses.replace(
                one, services=dataclasses.replace(one.services, counted_status=None)
            )
            for one in (before, after)
        ]
        return any(getattr(bare[0], name) != getattr(bare[1], name) for name in tables[cause])

    def _essentials(self, study: Study) -> list[str]:
        """Return the essentials among what both judge: what one alone judges is of the services."""
        both = {*self.earlier.judged} & {*self.later.judged}
        return [name for name in study.essentials if name in both]

    def figures(self, cause: str, cache: Cache, say: Callable[[str], None]) -> pd.DataFrame:
        """Return the figures with one cause of the later run; with none, or with all of them."""
        say({"": "as it was", "all": "as it is"}.get(cause, cause))
        if cause in {"", "all"}:
            study = self.earlier if cause == "" else self.later
            manifest = self.manifests[0 if cause == "" else 1]
            return figures_of(_plain_run(study, manifest, cache))
        earlier, later = self.wide
        fields = {name: getattr(later, name) for name in _FIELDS[cause]}
        if cause == "parameters":
            fields["catalogue"] = {**earlier.catalogue, **later.catalogue}
        # Categories that are the later study's alone are in its catalogue.
        return figures_of(_plain_run(earlier.replace(**fields), self.manifests[0], cache))


def _plain_run(study: Study, manifest: Mapping[str, Any], cache: Cache) -> pd.DataFrame:
    """Return the indicators of a study; its week is not looked at."""
    plain = study.replace(week=False, week_of=None)
    return recomputed(plain, manifest, cache=cache).indicators


def _difference(before: pd.DataFrame, after: pd.DataFrame) -> pd.Series[float]:
    """Return the change of each figure that both have, by `KEYS`."""
    one, other = (table.set_index(list(KEYS))["value"] for table in (before, after))
    both = one.index.intersection(other.index, sort=False)
    return (other.loc[both] - one.loc[both]).rename("change")


def _no_rows(total: pd.Series[float]) -> pd.DataFrame:
    empty = total.iloc[:0].reset_index()
    return empty.assign(cause=pd.Series(dtype="str"))[[*KEYS, "cause", "change"]]


def _both_files(
    earlier: Mapping[str, Any], later: Mapping[str, Any], roles: Sequence[str]
) -> tuple[set[tuple[str, str]], set[tuple[str, str]]]:
    """Return names and hashes of the inputs of some roles, of both runs.

    What one of the manifests does not keep, as those of before do not the background, is not
    known to differ.
    """
    known = all("study" in manifest for manifest in (earlier, later))
    found = []
    for manifest in (earlier, later):
        inputs = list(manifest.get("inputs", []))
        background = (manifest.get("study") or {}).get("background")
        if background and known:
            inputs.append({"role": "background", **background})
        found.append(
            {
                (str(one.get("file", "")), str(one.get("sha256", "")))
                for one in inputs
                if one.get("role") in roles
            }
        )
    return found[0], found[1]


def _parameter_pairs(
    earlier: Mapping[str, Any], later: Mapping[str, Any]
) -> list[tuple[str, Any, Any]]:
    before, after = (dict(one.get("parameters", {})) for one in (earlier, later))
    keys = [key for key in dict.fromkeys([*before, *after]) if key not in _SILENT]
    # Hours are told where they are asked about alone: a stay without an hour moves nothing.
    if "at" not in before and "at" not in after:
        keys = [key for key in keys if key not in {"stay_min", "country"}]
    # Of what one of them does not judge, for want of a place, its essentials do not tell.
    unjudged = {*(before.get("unjudged") or ()), *(after.get("unjudged") or ())}
    for told in (before, after):
        if told.get("essentials"):
            told["essentials"] = [name for name in told["essentials"] if name not in unjudged]
    pairs = [(key, before.get(key), after.get(key)) for key in keys]
    return [(key, was, now) for key, was, now in pairs if (was or "") != (now or "")]


def _plain(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value or "–")


def _program(manifest: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what tells one program from another: its version, definitions, own parameters."""
    told = manifest.get("parameters", {})
    own = [(name, told.get(name)) for name in sorted(_OF_PROGRAM)]
    return manifest.get("version"), manifest.get("definitions_date"), *own


def _version(manifest: Mapping[str, Any]) -> str:
    date = manifest.get("definitions_date")
    return f"{manifest.get('version')} ({date})" if date else str(manifest.get("version"))


def _of_today(manifest: Mapping[str, Any]) -> bool:
    told = manifest.get("version"), manifest.get("definitions_date")
    return told == (tool_version(), definitions_date())
