"""The manifest: what a result was made from, what became of it, and what its words mean."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping
from importlib import resources
from typing import Any

import numpy as np
import pandas as pd

from quart_heure.analysis.gaps import BARRIER_SHARE
from quart_heure.analysis.hours import newest_source
from quart_heure.analysis.statuses import BORDERLINE
from quart_heure.analysis.steep_ground import demanding_paths
from quart_heure.analysis.surface import Cells
from quart_heure.analysis.week import hours_of_week
from quart_heure.labels import format_plain, typeset
from quart_heure.network.snapping import ALWAYS_M, NEAREST_FACTOR
from quart_heure.sources.problems import choices_of
from quart_heure.sources.residents.weights import DistrictWeights
from quart_heure.stamp import creation_time, tool_version
from quart_heure.study.definition_changes import definitions_date
from quart_heure.study.study import Study


def run_manifest(
    study: Study,
    *,
    cells: Cells,
    services: pd.DataFrame,
    gaps: pd.DataFrame,
    problems: pd.DataFrame,
    residents_outside: float,
) -> dict[str, Any]:
    """Build the manifest of an analysis.

    Parameters
    ----------
    study
        What was analysed.
    cells, services, gaps, problems
        What was found.
    residents_outside
        People that live in no cell of the area.

    Returns
    -------
    dict
        Plain values only, in a fixed order, so that they travel inside every file that is written.
    """
    inside, on = cells.inside, cells.attachment.attached
    counts = {
        "cells": int(np.count_nonzero(cells.inside)),
        "cells_off_network": int(np.count_nonzero(inside & ~cells.water & ~on)),
        "cells_water": None
        if study.ground is None
        else int(np.count_nonzero(inside & cells.water)),
        "network_nodes": study.network.n_nodes,
        "network_edges": study.network.n_edges,
        "districts": len(study.area.districts),
        "services": len(services),
        "services_counted": int(services["counted"].sum()),
        "services_counted_outside": int((services["counted"] & ~services["inside"]).sum()),
        "gaps": len(gaps),
        "problems": len(problems),
        "residents_outside": round(residents_outside, 1),
        "residents_source": "" if study.residents is None else study.residents.source,
        **demanding_paths(study.network, study.profile),
        **_told_weights(study.weights),
    }
    parameters = _parameters(study)
    return {
        "tool": "quart-heure",
        "version": tool_version(),
        "created": creation_time(),
        "osm_date": str(study.network.meta.get("osm_date", "")),
        "parameters": parameters,
        "inputs": [dict(source) for source in study.provenance],
        **({} if study.origin is None else {"study": study.origin.told()}),
        "counts": counts,
        "dropped": {
            "services": _tally(services.loc[~services["counted"], "left_out_reason"]),
            "rows": _tally(problems.loc[problems["action"] == "left out", "reason"]),
            "streets": dict(study.network.meta.get("dropped", {})),
        },
        "definitions_date": definitions_date(),
        "definitions": _definitions(parameters),
        "limits": _limits({**counts, **parameters}),
        "attribution": _attribution(study),
        **({"choices": choices} if (choices := choices_of(problems)) else {}),
    }


def _parameters(study: Study) -> dict[str, Any]:
    """Return everything that moves a figure."""
    profile = study.profile
    return {
        "area": study.area.name,
        "crs": study.area.crs.to_string(),
        "categories": list(study.categories),
        "essentials": list(study.essentials),
        "unjudged": list(study.unjudged),
        "profile": profile.name,
        "person": "" if study.person is None else study.person.name,
        "speed_kmh": profile.speed_kmh,
        "steps_factor": profile.steps_factor,
        "steps_allowed": profile.steps_allowed,
        "demanding_allowed": profile.demanding_allowed,
        "heights": "" if study.heights is None else study.heights.source or "given",
        "threshold_min": study.threshold_min,
        "isochrones_min": list(study.isochrones_min),
        "borderline_pct": 100 * BORDERLINE,
        "cell_m": study.cell_m,
        "snap_m": study.snap_m,
        "entries_within_m": ALWAYS_M,
        "entries_nearest_factor": NEAREST_FACTOR,
        "ground": "" if study.ground is None else study.ground.source,
        "min_gap_ha": study.min_gap_ha,
        "barrier_share_pct": 100 * BARRIER_SHARE,
        "useful_component_pct": 100 * study.useful_share,
        "counted_status": list(study.counted_status),
        "date": "" if study.date is None else study.date.isoformat(),
        "margin_m": study.margin_m,
        **_hour_parameters(study),
        **({"private": True} if study.private else {}),
    }


def _told_weights(weights: DistrictWeights | None) -> dict[str, Any]:
    if weights is None:
        return {}
    return {
        "second_weight_fr": weights.fr,
        "second_weight_en": weights.en,
        "second_weight_source": weights.source,
        "second_weight_districts": len(weights.values),
    }


def _hour_parameters(study: Study) -> dict[str, Any]:
    """Return what a study asks about hours, nothing if it does not."""
    moment = study.moment
    if moment is None and not study.week:
        return {}
    asked: dict[str, Any] = {"stay_min": study.stay_min, "country": study.country}
    where = study.clock.where
    if where.calendar.regional:
        asked["departements"] = list(where.departements)
    if where.school is not None:
        asked["school_holidays"] = where.school.zone
    if moment is not None:
        asked["at"] = moment.start.isoformat(sep=" ", timespec="minutes")
        if moment.end is not None:
            asked["until"] = moment.end.isoformat(sep=" ", timespec="minutes")
    if study.week:
        asked["week_of"] = hours_of_week(study.reference_day)[0].date().isoformat()
        newest = newest_source(study.services.table)
        asked["week_is_newest"] = study.week_of is None and newest is not None
    return asked


def _tally(reasons: pd.Series[str]) -> dict[str, int]:
    return {str(reason): int(n) for reason, n in reasons.value_counts().sort_index().items()}


def _attribution(study: Study) -> list[str]:
    """Return the credits that every use of the results must carry, each once."""
    credits_ = [str(study.network.meta.get("attribution", ""))]
    credits_ += [str(source.get("attribution", "")) for source in study.provenance]
    # Several inputs may come from one source, and one input from several.
    parts = [part.strip() for each in credits_ for part in each.split(";")]
    return list(dict.fromkeys(part for part in parts if part))


def _definitions(parameters: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return the definitions that the figures rest on, with the values of these parameters.

    Returns
    -------
    list of dict
        ``key``, ``term_fr``, ``term_en``, ``fr``, ``en``.
    """
    return [
        {
            "key": key,
            "term_fr": typeset(words["term_fr"]),
            "term_en": words["term_en"],
            "fr": typeset(words["fr"]).format_map(_Shown(parameters, "fr")),
            "en": words["en"].format_map(_Shown(parameters, "en")),
        }
        for key, words in _texts()["definitions"].items()
        if _applies(words, parameters)
    ]


def _limits(known: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return what the figures do not say, by parameters and counts: ``key``, ``fr``, ``en``."""
    return [
        {
            "key": key,
            "fr": typeset(words["fr"]).format_map(_Shown(known, "fr")),
            "en": words["en"].format_map(_Shown(known, "en")),
        }
        for key, words in _texts()["limits"].items()
        if _applies(words, known)
    ]


def _applies(words: Mapping[str, Any], parameters: Mapping[str, Any]) -> bool:
    """Tell whether an entry is of a run with these parameters.

    Those of its ``when`` must all be set, of its ``when_any`` one, of its ``unless`` none.
    """
    wanted = all(parameters.get(name) for name in words.get("when", ()))
    some = words.get("when_any", ())
    wanted = wanted and (not some or any(parameters.get(name) for name in some))
    return wanted and not any(parameters.get(name) for name in words.get("unless", ()))


class _Shown(dict[str, Any]):
    """Parameters as people read them; one that is not given is shown as unknown."""

    def __init__(self, parameters: Mapping[str, Any], lang: str) -> None:
        super().__init__({key: format_plain(value, lang) for key, value in parameters.items()})

    def __missing__(self, key: str) -> str:
        return "—"


@functools.cache
def _texts() -> dict[str, Any]:
    file = resources.files("quart_heure.study").joinpath("definitions.toml")
    return tomllib.loads(file.read_text(encoding="utf-8"))
